"""Pictures of vial codes, turned, blurred, noisy, dim, small and scratched: how many are read, and none wrongly.

Each picture is drawn from the seed and its number: codes of known content (GS1 DataMatrix, and some that are not GS1)
on a grey ground, spoilt in one way. What is read is compared with what was drawn, as text and as vial.
"""

from __future__ import annotations

import argparse
import calendar
import random
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from multiprocessing import get_context

import numpy as np
import zxingcpp

from app.device.vial_image import texts_in
from app.documents.gs1 import read_scan
from app.models.vial import GreyPicture, ScannedVial, ScanProblem, ScanRefusedError

TODAY = date(2026, 11, 21)
GS = "\x1d"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
FINE = 8
"""Samples a module is drawn with before it is turned and shrunk."""


@dataclass(frozen=True)
class Label:
    """What was drawn: the text that a reader must give, and the vial in it (``None`` if it is not GS1)."""

    text: str
    vial: ScannedVial | None
    modules: np.ndarray


@dataclass
class Spoiling:
    """How a picture is spoilt. Lengths in pixels of the picture, angles in degrees."""

    module: float = 5.0
    angle: float = 0.0
    tilt: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    dark: float = 20.0
    light: float = 225.0
    shadow: float = 0.0
    scratch: float = 0.0
    inverted: bool = False
    labels: int = 1
    gs1: bool = True


@dataclass
class Tally:
    """What came of the pictures of one kind."""

    drawn: int = 0
    read: int = 0
    wrong: list[str] = field(default_factory=list)


def spoiling(kind: str, chance: random.Random) -> Spoiling:
    """One way of spoiling, mild to severe."""
    turned = chance.uniform(0, 360)
    match kind:
        case "undamaged":
            return Spoiling(module=chance.uniform(4, 8))
        case "rotated":
            return Spoiling(angle=turned, module=chance.uniform(4, 8))
        case "blurred":
            return Spoiling(angle=turned, blur=chance.uniform(0.8, 3.5))
        case "noisy":
            return Spoiling(angle=turned, noise=chance.uniform(10, 70))
        case "low contrast":
            dark = chance.uniform(90, 150)
            return Spoiling(angle=turned, dark=dark, light=dark + chance.uniform(12, 45), noise=2)
        case "small":
            return Spoiling(angle=turned, module=chance.uniform(1.4, 3), blur=0.4, noise=3)
        case "in perspective":
            return Spoiling(angle=turned, tilt=chance.uniform(0.1, 0.5), noise=3)
        case "half in shadow":
            return Spoiling(angle=turned, shadow=chance.uniform(0.3, 0.8), noise=3)
        case "scratched":
            return Spoiling(angle=turned, scratch=chance.uniform(0.02, 0.25), noise=3)
        case "light on dark":
            return Spoiling(angle=turned, inverted=True, noise=3)
        case "all at once":
            return Spoiling(
                module=chance.uniform(2.5, 5), angle=turned, tilt=chance.uniform(0, 0.25),
                blur=chance.uniform(0.3, 1.5), noise=chance.uniform(3, 25), dark=70, light=chance.uniform(120, 200),
                shadow=chance.uniform(0, 0.4), scratch=chance.uniform(0, 0.06),
            )  # fmt: skip
        case "two vials":
            return Spoiling(angle=turned, labels=2, noise=5)
        case "not GS1":
            return Spoiling(angle=turned, gs1=False, noise=5)
        case _:
            return Spoiling(labels=0, noise=60)


KINDS = (
    "undamaged", "rotated", "blurred", "noisy", "low contrast", "small", "in perspective", "half in shadow",
    "scratched", "light on dark", "all at once", "two vials", "not GS1", "no code",
)  # fmt: skip


def label(chance: random.Random, *, gs1: bool) -> Label:
    """A vial with random contents, in one of the orders that makers use, on a square or oblong code."""
    payload = "003" + "".join(chance.choices("0123456789", k=10))
    # The check digit by columns: a way of its own, other than the one tried.
    triple, single = sum(map(int, payload[0::2])), sum(map(int, payload[1::2]))
    gtin = payload + str((10 - (3 * triple + single) % 10) % 10)
    lot = "".join(chance.choices(LETTERS, k=chance.randint(4, 12)))
    serial = "".join(chance.choices(LETTERS, k=chance.randint(6, 16))) if chance.random() < 0.85 else None
    year, month = chance.randint(2026, 2031), chance.randint(1, 12)
    last = calendar.monthrange(year, month)[1]
    day = chance.choice([0, chance.randint(1, last)])
    parts = [("01", gtin), ("17", f"{year - 2000:02}{month:02}{day:02}"), ("10", lot)]
    if serial is not None:
        parts.insert(chance.choice([1, 3]), ("21", serial))
    kind = {"force_square": True} if chance.random() < 0.8 else {}
    if gs1:
        element_strings = "".join(f"({code}){value}" for code, value in parts)
        code = zxingcpp.create_barcode(element_strings, zxingcpp.BarcodeFormat.DataMatrix, gs1=True, **kind)
        text, vial = _raw(parts), ScannedVial(gtin, lot, date(year, month, day or last), serial, None)
    else:
        text, vial = "".join(code + value for code, value in parts), None
        code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.DataMatrix, **kind)
    modules = np.array(zxingcpp.write_barcode_to_image(code, scale=1, add_quiet_zones=False))
    return Label(text, vial, np.pad(modules, 3, constant_values=255))


def _raw(parts: list[tuple[str, str]]) -> str:
    """The data as a scanner sends them: a separator after each part of open length but the last."""
    text = ""
    for place, (code, value) in enumerate(parts):
        text += code + value + (GS if code in ("10", "21") and place < len(parts) - 1 else "")
    return text


def picture(seed: int, number: int) -> tuple[str, list[Label], GreyPicture]:
    """The picture of that number: its kind, what is drawn on it, and its pixels."""
    chance = random.Random(f"{seed}/{number}")
    kind = KINDS[number % len(KINDS)]
    spoilt = spoiling(kind, chance)
    labels = [label(chance, gs1=spoilt.gs1) for _ in range(spoilt.labels)]
    parts = [_drawn(one.modules, spoilt, chance) for one in labels] or [np.full((300, 400), spoilt.light)]
    height = max(part.shape[0] for part in parts)
    padded = [np.pad(part, ((0, height - part.shape[0]), (0, 0)), constant_values=spoilt.light) for part in parts]
    grey = np.concatenate(padded, axis=1)
    if spoilt.shadow:
        edge = chance.uniform(0.3, 0.7) * grey.shape[1]
        across = np.clip((np.arange(grey.shape[1]) - edge) / 6, 0, 1)
        grey = grey * (1 - spoilt.shadow * across)
    if spoilt.blur:
        grey = _blurred(grey, spoilt.blur)
    if spoilt.noise:
        grey = grey + np.random.default_rng(chance.getrandbits(32)).normal(0, spoilt.noise, grey.shape)
    pixels = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    return kind, labels, GreyPicture(pixels.shape[1], pixels.shape[0], pixels.tobytes())


def _drawn(modules: np.ndarray, spoilt: Spoiling, chance: random.Random) -> np.ndarray:
    """One code, turned, tilted and scratched, on its ground; nine samples a pixel."""
    ink = np.where(modules < 128, spoilt.dark, spoilt.light)
    if spoilt.inverted:
        ink = spoilt.dark + spoilt.light - ink
    high, wide = ink.shape
    reach = int(np.hypot(high, wide) * spoilt.module / 2 * (1 + spoilt.tilt)) + 12
    ground = spoilt.dark if spoilt.inverted else spoilt.light
    steps = (np.arange(-3 * reach, 3 * reach) + 0.5) / 3
    x, y = np.meshgrid(steps + chance.uniform(-0.5, 0.5), steps + chance.uniform(-0.5, 0.5))
    turn = np.deg2rad(spoilt.angle)
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    depth = 1 + spoilt.tilt * u / reach
    column = np.floor(u / depth / spoilt.module + wide / 2).astype(int)
    row = np.floor(v / depth / spoilt.module + high / 2).astype(int)
    inside = (column >= 0) & (column < wide) & (row >= 0) & (row < high)
    samples = np.where(inside, ink[row.clip(0, high - 1), column.clip(0, wide - 1)], ground)
    if spoilt.scratch:
        slope, offset = chance.uniform(0, np.pi), chance.uniform(-0.3, 0.3) * reach
        distance = np.abs(x * np.cos(slope) + y * np.sin(slope) - offset)
        samples = np.where(distance < spoilt.scratch * reach / 2, chance.choice([spoilt.dark, spoilt.light]), samples)
    return samples.reshape(2 * reach, 3, 2 * reach, 3).mean(axis=(1, 3))


def _blurred(grey: np.ndarray, sigma: float) -> np.ndarray:
    reach = int(3 * sigma) + 1
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    weights /= weights.sum()
    for axis in (0, 1):
        grey = np.apply_along_axis(
            lambda line: np.convolve(np.pad(line, reach, mode="edge"), weights, mode="valid"), axis, grey
        )
    return grey


def misreads(labels: list[Label], texts: tuple[str, ...]) -> list[str]:
    """Every text that was not drawn, and every one that does not become the vial that was drawn."""
    wrong = []
    drawn = {one.text: one for one in labels}
    for text in texts:
        identifier, data = text[:3], text[3:]
        one = drawn.get(data)
        if one is None or (one.vial is None) == (identifier in ("]d2", "]d8")):
            wrong.append(f"read {text!r}, drawn {list(drawn)!r}")
            continue
        try:
            vial: ScannedVial | None = read_scan(text, {}, TODAY)
        except ScanRefusedError as refused:
            vial = None
            if one.vial is not None or refused.problem is not ScanProblem.NOT_GS1:
                wrong.append(f"{text!r} refused: {refused.problem}")
                continue
        if vial != one.vial:
            wrong.append(f"{text!r} became {vial}")
    return wrong


def check(seed: int, numbers: range) -> dict[str, Tally]:
    """Draw these pictures and read them. A picture counts as read if all that is drawn on it was read."""
    tallies = {kind: Tally() for kind in KINDS}
    for number in numbers:
        kind, labels, grey = picture(seed, number)
        texts = texts_in(grey)
        tally = tallies[kind]
        tally.drawn += 1
        tally.read += {one.text for one in labels} == {text[3:] for text in texts}
        tally.wrong += (f"seed {seed}, picture {number} ({kind}): {text}" for text in misreads(labels, texts))
    return tallies


def run(job: tuple[int, range]) -> dict[str, Tally]:
    """Pictures in a process of its own."""
    return check(*job)


def main(arguments: list[str]) -> int:
    """Draw, read, print the share of each kind, and return 1 if anything was read wrongly."""
    parser = argparse.ArgumentParser(prog="vials", description=__doc__)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    began = time.monotonic()
    drawn: Counter[str] = Counter()
    read: Counter[str] = Counter()
    wrong: list[str] = []
    jobs = [(chosen.seed, range(start, chosen.images, 32)) for start in range(min(32, chosen.images))]
    with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as pool:
        for tallies in pool.map(run, jobs):
            for kind, tally in tallies.items():
                drawn[kind] += tally.drawn
                read[kind] += tally.read
                wrong += tally.wrong
    for kind in KINDS:
        share = f"{100 * read[kind] / drawn[kind]:.1f} %" if drawn[kind] else "-"
        print(f"{kind:16} {read[kind]:5} of {drawn[kind]:5}  {share:>8}")
    for text in wrong[:20]:
        print(text)
    print(
        f"seed {chosen.seed}: {sum(drawn.values()):,} pictures, {len(wrong)} read wrongly, "
        f"{time.monotonic() - began:.0f} s"
    )
    return 1 if wrong else 0
