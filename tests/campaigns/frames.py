"""Mutated frames by the million, and old dialogues played again: a parser that never falls and is never deceived.

``python3 dev.py campaign frames --frames 1000000 --replays 2000 --seed 1``
"""

from __future__ import annotations

import argparse
import hmac
import random
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from app.device import cobs
from app.device.frames import (
    MAX_PAYLOAD,
    TO_PROGRAM,
    TO_PUMP,
    BadFrameError,
    Frame,
    FrameReader,
    WrongKeyError,
    decode_frame,
    encode_frame,
)
from app.device.messages import BY_KIND, decode_message, encode_message
from app.device.wire_fields import EPOCH, BadMessageError
from tests.campaigns import replays

KEY = bytes(range(32))
HEAD, CODE, SUM = 11, 16, 4
LONGEST_CONTENT = HEAD + MAX_PAYLOAD + CODE + SUM
LONGEST = LONGEST_CONTENT + LONGEST_CONTENT // 254 + 1
"""Bytes of the longest frame between its delimiters."""

BATCH = 20_000
"""Frames of one batch: the n-th batch of a seed is always the same."""

STREAM = 250
"""Frames in one stream; every eighth stream is sealed with the key."""


# -- valid frames ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Original:
    """A valid frame: ``text`` stands between delimiters, ``content`` lacks the check sum, ``signed`` also the code."""

    text: bytes
    content: bytes
    signed: bytes


def originals(dice: random.Random) -> list[Original]:
    """Two valid frames of every kind of message, with random values."""
    return [_original(dice, kind) for kind in BY_KIND for _ in range(2)]


def _original(dice: random.Random, kind: int) -> Original:
    payload = encode_message(random_message(dice, BY_KIND[kind]))
    direction = TO_PROGRAM if kind & 0x80 else TO_PUMP
    frame = Frame(kind, direction, dice.getrandbits(dice.choice((4, 32))), dice.getrandbits(16), payload)
    text = encode_frame(frame, KEY)[1:-1]
    content = cobs.decode(text)[:-SUM]
    return Original(text, content, content[:-CODE])


def random_message(dice: random.Random, made: Any) -> Any:
    """A message with any value in each field."""
    hints = get_type_hints(made, include_extras=True)
    return made(
        **{name: _value(dice, *get_args(hint)) for name, hint in hints.items() if get_origin(hint) is Annotated}
    )


def _value(dice: random.Random, held: Any, encoding: str) -> Any:
    match encoding:
        case "u8" | "u16" | "u32" | "u64":
            return dice.getrandbits(dice.choice((4, int(encoding[1:]))))
        case "flag":
            return dice.random() < 0.5
        case "time":
            return EPOCH + timedelta(seconds=dice.randrange(250_000_000_000))
        case "text":
            return "".join(dice.choices("CIS0042-µ", k=dice.randrange(12)))
        case "blob":
            return dice.randbytes(dice.choice((0, 8, 30, 192, 300) if dice.random() < 0.98 else (4000,)))
        case "b16" | "b32":
            return dice.randbytes(int(encoding[1:]))
        case "b16s":
            return tuple(dice.randbytes(16) for _ in range(dice.randrange(3)))
        case "many":
            return tuple(random_message(dice, get_args(held)[0]) for _ in range(dice.randrange(4)))
    raise ValueError(encoding)


# -- mutations ---------------------------------------------------------------------------------------------------
# An edit takes the bytes of one frame and of another and two random numbers of 32 bits.


def _flip(one: bytes, _other: bytes, a: int, b: int) -> bytes:
    edited = bytearray(one)
    edited[a % len(one)] ^= 1 << (b & 7)
    return bytes(edited)


def _flip_some(one: bytes, _other: bytes, a: int, b: int) -> bytes:
    edited = bytearray(one)
    for turn in range(2 + (a & 3)):
        edited[(a >> turn) % len(one)] ^= 1 << ((b >> 3 * turn) & 7)
    return bytes(edited)


def _overwrite(one: bytes, _other: bytes, a: int, b: int) -> bytes:
    place = a % len(one)
    return one[:place] + b.to_bytes(4, "big") + one[place + 4 :]


def _insert(one: bytes, _other: bytes, a: int, b: int) -> bytes:
    place = a % len(one)
    return one[:place] + b.to_bytes(4, "big")[b & 3 :] + one[place:]


def _delete(one: bytes, _other: bytes, a: int, b: int) -> bytes:
    place = a % len(one)
    return one[:place] + one[place + 1 + (b & 7) :]


def _duplicate(one: bytes, _other: bytes, a: int, b: int) -> bytes:
    place = a % len(one)
    return one[: place + 1 + (b & 31)] + one[place:]


def _swap(one: bytes, _other: bytes, a: int, b: int) -> bytes:
    start, size = a % len(one), 1 + (b & 15)
    middle, end = start + size, start + size + 1 + (b >> 4 & 15)
    return one[:start] + one[middle:end] + one[start:middle] + one[end:]


def _splice(one: bytes, other: bytes, a: int, b: int) -> bytes:
    return one[: a % len(one)] + other[b % len(other) :]


def _truncate(one: bytes, _other: bytes, a: int, b: int) -> bytes:
    place = a % len(one)
    return one[:place] if b & 1 else one[place:]


def _zero(one: bytes, _other: bytes, a: int, b: int) -> bytes:
    place = a % len(one)
    return one[:place] + b"\x00" + one[place + (b & 1) :]


EDITS = (_flip, _flip_some, _overwrite, _insert, _delete, _duplicate, _swap, _splice, _truncate, _zero)

Edit = Callable[[bytes, bytes, int, int], bytes]
Way = Callable[[Original, Original, Edit, int, int], bytes]


def _summed(content: bytes) -> bytes:
    return cobs.encode(content + zlib.crc32(content).to_bytes(SUM, "big"))


def _code(signed: bytes, key: bytes) -> bytes:
    return hmac.digest(key, signed, "sha256")[:CODE]


def _on_the_cable(one: Original, other: Original, edit: Edit, a: int, b: int) -> bytes:
    return edit(one.text, other.text, a, b)


def _under_the_stuffing(one: Original, other: Original, edit: Edit, a: int, b: int) -> bytes:
    """What the check sum must catch."""
    whole, more = (part.content + zlib.crc32(part.content).to_bytes(SUM, "big") for part in (one, other))
    return cobs.encode(edit(whole, more, a, b))


def _sum_repaired(one: Original, other: Original, edit: Edit, a: int, b: int) -> bytes:
    """What the authentication code must catch."""
    return _summed(edit(one.content, other.content, a, b))


def _other_direction(one: Original, _other: Original, _edit: Edit, _a: int, _b: int) -> bytes:
    return _summed(one.content[:2] + bytes((one.content[2] ^ 1,)) + one.content[3:])


def _other_session(one: Original, _other: Original, _edit: Edit, a: int, b: int) -> bytes:
    return _summed(one.content[:3] + a.to_bytes(4, "big") + (b & 0xFFFF).to_bytes(2, "big") + one.content[9:])


def _other_key(one: Original, _other: Original, _edit: Edit, a: int, b: int) -> bytes:
    key = a.to_bytes(4, "big") * 4 + b.to_bytes(4, "big") * 4
    return _summed(one.signed + _code(one.signed, key))


def _other_code(one: Original, other: Original, _edit: Edit, _a: int, _b: int) -> bytes:
    """One frame with the authentication code of another."""
    return _summed(one.signed + other.content[-CODE:])


def _among_noise(one: Original, _other: Original, _edit: Edit, a: int, b: int) -> bytes:
    """An original as it is, between noise: this one must be found."""
    return a.to_bytes(4, "big") + b"\x00" + one.text + b"\x00" + b.to_bytes(4, "big")


def _endless(one: Original, _other: Original, _edit: Edit, a: int, b: int) -> bytes:
    """A line that ends no frame for longer than any frame is, now and then."""
    return bytes((1 + a % 255,)) * (LONGEST - 2 + b % 5 if b & 0xF0 else 9000) if not a & 0x3F0 else one.text[1:]


WAYS: tuple[Way, ...] = (
    *(_on_the_cable,) * 7, _under_the_stuffing, _sum_repaired, _sum_repaired,
    _other_direction, _other_session, _other_key, _other_code, _among_noise, _endless,
)  # fmt: skip


def _code_repaired(one: Original, other: Original, edit: Edit, a: int, b: int) -> bytes:
    """Sealed with the key after the edit, half of them with their length put right: the canonical decoder's turn."""
    signed = edit(one.signed, other.signed, a, b)
    if b & 0x100 and HEAD <= len(signed) <= HEAD + MAX_PAYLOAD:
        signed = signed[: HEAD - 2] + (len(signed) - HEAD).to_bytes(2, "big") + signed[HEAD:]
    return _summed(signed + _code(signed, KEY))


# -- judging -----------------------------------------------------------------------------------------------------


class Judge:
    """Reads streams as both ends of a cable do, and counts what came of every frame; ``wrong`` must stay empty."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.most_held = 0

    def read(self, stream: bytes, sizes: Iterator[int], known: set[bytes] | None) -> None:
        """Feed a stream in slices. ``known`` are the frames that may be accepted; ``None``: any that is canonical."""
        found = self._frames_in(stream, sizes)
        if found != [piece for piece in stream.split(b"\x00") if 0 < len(piece) <= LONGEST]:
            self.wrong.append(f"the reader found other frames than there are: {stream.hex()}")
        if self.most_held > LONGEST:
            self.wrong.append(f"the reader held {self.most_held} bytes; the longest frame has {LONGEST}")
        for piece in found:
            self._judge(piece, known)

    def _frames_in(self, stream: bytes, sizes: Iterator[int]) -> list[bytes]:
        reader, found, position = FrameReader(), [], 0
        while position < len(stream):
            size = next(sizes)
            found += reader.feed(stream[position : position + size])
            position += size
            self.most_held = max(self.most_held, reader.held)
        return found

    def _judge(self, piece: bytes, known: set[bytes] | None) -> None:
        try:
            frame = decode_frame(piece, KEY)
        except BadFrameError as noise:
            self.counts[f"refused: {noise.values['problem']}"] += 1
        except WrongKeyError:
            self.counts["refused: authentication code"] += 1
        except Exception as crash:
            self.wrong.append(f"decode_frame fell with {crash!r}: {piece.hex()}")
        else:
            self._judge_accepted(piece, frame, known)
            return
        if known is not None and piece in known:
            self.wrong.append(f"an original was refused: {piece.hex()}")

    def _judge_accepted(self, piece: bytes, frame: Frame, known: set[bytes] | None) -> None:
        if encode_frame(frame, KEY) != b"\x00" + piece + b"\x00":
            self.wrong.append(f"a frame that is not canonical was accepted: {piece.hex()}")
        if known is not None and piece not in known:
            self.wrong.append(f"a forged frame was accepted: {piece.hex()}")
        try:
            message = decode_message(frame.kind, frame.payload)
        except BadMessageError:
            self.counts["sealed with the key, refused: message"] += 1
        except Exception as crash:
            self.wrong.append(f"decode_message fell with {crash!r}: {piece.hex()}")
        else:
            if encode_message(message) != frame.payload:
                self.wrong.append(f"a message that is not canonical was accepted: {piece.hex()}")
            self.counts["sealed with the key, canonical" if known is None else "original, accepted"] += 1


def judge_batch(seed: int, number: int, frames: int) -> Judge:
    """The ``number``-th batch of a seed."""
    dice = random.Random(f"{seed}/{number}")
    judge, pool = Judge(), originals(dice)
    known = {one.text for one in pool}
    for turn, start in enumerate(range(0, frames, STREAM)):
        count = min(STREAM, frames - start)
        keyed = turn % 8 == 7
        stream = b"\x00" + b"\x00".join(mutated(pool, dice, count, keyed=keyed)) + b"\x00"
        judge.read(stream, _sizes(dice, 7 if turn % 16 == 0 else 4000), None if keyed else known)
    judge.counts["frames"] = frames
    return judge


def mutated(pool: list[Original], dice: random.Random, count: int, *, keyed: bool) -> list[bytes]:
    """So many mutated frames, each as it will stand between two delimiters."""
    numbers = iter(memoryview(dice.randbytes(12 * count)).cast("I").tolist())
    size = len(pool)
    found = []
    for pick, a, b in zip(numbers, numbers, numbers, strict=True):
        way = _code_repaired if keyed else WAYS[pick >> 28]
        edit = EDITS[(pick >> 20 & 0xFF) % len(EDITS)]
        found.append(way(pool[(pick & 0x3FF) % size], pool[(pick >> 10 & 0x3FF) % size], edit, a, b))
    return found


def _sizes(dice: random.Random, most: int) -> Iterator[int]:
    while True:
        yield from (1 + number % most for number in memoryview(dice.randbytes(256)).cast("H"))


# -- the campaign ------------------------------------------------------------------------------------------------


def _judge_batch(job: tuple[int, int, int]) -> tuple[Counter[str], list[str], int]:
    judge = judge_batch(*job)
    return judge.counts, judge.wrong, judge.most_held


def mutate_all(seed: int, frames: int, processes: int) -> Judge:
    """All batches, on so many processes."""
    jobs = [(seed, number, min(BATCH, frames - start)) for number, start in enumerate(range(0, frames, BATCH))]
    total = Judge()
    with ProcessPoolExecutor(max_workers=processes) as pool:
        for counts, wrong, most_held in pool.map(_judge_batch, jobs, chunksize=8):
            total.counts += counts
            total.wrong += wrong
            total.most_held = max(total.most_held, most_held)
    return total


def main(arguments: list[str]) -> int:
    """Mutate, replay, print what was counted, and return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="frames", description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--replays", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args(arguments)
    began = time.monotonic()
    judged = mutate_all(chosen.seed, chosen.frames, chosen.processes)
    took = time.monotonic() - began
    for name, count in sorted(judged.counts.items()):
        print(f"{name:40} {count:12,}")
    played, believed = replays.play_all(chosen.seed, chosen.replays, chosen.processes)
    for name, count in sorted(played.items()):
        print(f"replayed: {name:30} {count:12,}")
    for text in (*judged.wrong[:20], *believed[:20]):
        print(text[:400])
    print(
        f"{chosen.frames:,} mutated frames of {len(BY_KIND)} kinds, seed {chosen.seed}: {len(judged.wrong)} crashes, "
        f"forgeries or frames that are not canonical; the reader held at most {judged.most_held} bytes; {took:.0f} s, "
        f"{chosen.frames / max(took, 0.001):,.0f} frames a second"
    )
    print(f"{sum(played.values()):,} replays of old dialogues: {len(believed)} believed")
    return 1 if judged.wrong or believed else 0
