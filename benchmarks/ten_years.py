"""Ten emulated years of a day with 13 boluses: the pump's books in closed form beside a walk through every minute.

Law: both keep the same four books (believed and real, delivered and left) and must agree to the last fraction of a
picolitre whenever they are looked at; a time counts only beside equal books.

The walk shares nothing with the pump but the schedule and the type of a book. It is written to be fast: whole
numbers over one denominator, and one table of what each minute of the day gives.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from fractions import Fraction
from math import lcm

from app.device.emulated_pump import MAX_CHUNK, EmulatedPump, VirtualClock, memory_of
from app.device.ledger import Ledger
from app.device.messages import Begin, Chunk, Commit, CommittedIs, Hello, Hi, Seal, SealedIs
from app.device.mishaps import scan
from app.device.order_codec import What
from app.device.pump_memory import MemoryFile
from app.device.settings_codec import encode_settings, settings_digest
from app.documents.catalogue import load_catalogue
from app.models.catalogue import PumpModel
from app.models.program import EVERY_DAY, Bolus, DayPlan, Flex, Program
from app.models.pump import PumpSettings
from app.models.quantities import Concentration, DoseRate, Mass, Volume

BEGIN = datetime(2026, 3, 2, 9, 30)
TEN_YEARS = (datetime(2036, 3, 2, 9, 30) - BEGIN).days
MODEL = "synchromed-ii-40"
BOLUSES = 13
"""As many as this pump allows in a day."""

REFILL_DAYS = 180
"""As long as baclofen is stable in a pump."""

ODD_MIN = 613
"""Refills come so much earlier in the day, and the end so much later, that books are also asked for inside a bolus."""

SCAN_MIN = 37
"""The rotor stands still so long after the beginning and after each refill, and turns again by itself."""

OVERDELIVERS = Fraction(1, 40)
"""What really leaves the pump is this much more than it counts, so that the four books differ."""

Books = tuple[tuple[int, Ledger], ...]
"""(minutes since the beginning, books), at each refill just before it, and at the end."""


@dataclass(frozen=True, slots=True)
class Span:
    """So many minutes, after each ``refill_min`` of which the reservoir is filled with ``volume``; 0 for never."""

    name: str
    minutes: int
    volume: Volume
    refill_min: int = 0

    def stops(self) -> list[int]:
        """The minutes at which the books are looked at."""
        refills = range(self.refill_min, self.minutes, self.refill_min) if self.refill_min else ()
        return [*refills, self.minutes]


def spans(days: int, refill_days: int) -> tuple[Span, Span]:
    """The same schedule twice: one reservoir that is never empty, and a real one that is refilled."""
    minutes = days * 1440 + ODD_MIN
    return (
        Span("one large reservoir", minutes, Volume.ml(1000)),
        Span("40 mL", minutes, Volume.ml(40), refill_min=refill_days * 1440 - ODD_MIN),
    )


def schedule(volume: Volume) -> PumpSettings:
    """183.7 mcg a day and 13 boluses of different size and length, the last past midnight."""
    boluses = tuple(
        Bolus(at=37 + 115 * number, dose=Mass.mcg(Fraction(40 + number, 10)), duration_min=7 + 3 * number)
        for number in range(BOLUSES)
    )
    plan = DayPlan(days=EVERY_DAY, basal=DoseRate.mcg_per_day(Fraction("183.7")), boluses=boluses)
    return PumpSettings("baclofen", Concentration.mcg_per_ml(2000), Program(Flex((plan,))), Volume.ml(2), volume)


def closed_form(span: Span, settings: PumpSettings, model: PumpModel) -> Books:
    """The emulated pump, put forward from stop to stop; each refill is an order, as the program sends it."""
    clock = VirtualClock(BEGIN, lambda: 0.0)
    pump = EmulatedPump(
        "CIS000042",
        model,
        clock,
        memory_file=MemoryFile(),
        made=memory_of(settings, since=BEGIN, volume=span.volume, error=OVERDELIVERS),
        randomness=random.Random(1).randbytes,
    )
    books: list[tuple[int, Ledger]] = []
    for stop in span.stops():
        scan(pump, recovers_after_min=SCAN_MIN)
        clock.advance(BEGIN + timedelta(minutes=stop) - clock.now())
        pump.catch_up()
        books.append((stop, pump.ledger()))
        if stop < span.minutes:
            _refill(pump, settings, number=stop)
    return tuple(books)


def _refill(pump: EmulatedPump, settings: PumpSettings, *, number: int) -> None:
    raw, digest, txn = encode_settings(settings), settings_digest(encode_settings(settings)), number.to_bytes(16, "big")
    hi = pump.answer(Hello(txn))
    assert isinstance(hi, Hi)
    pump.answer(Begin(txn, What.SETTINGS, hi.revision, hi.digest, len(raw), digest))
    for offset in range(0, len(raw), MAX_CHUNK):
        pump.answer(Chunk(txn, offset, raw[offset : offset + MAX_CHUNK]))
    sealed = pump.answer(Seal(txn))
    assert isinstance(sealed, SealedIs)
    assert isinstance(pump.answer(Commit(txn, digest, sealed.token, bytes(32))), CommittedIs)


def minute_by_minute(span: Span, settings: PumpSettings, _model: PumpModel) -> Books:
    """The same, by taking from the reservoirs what each minute gives, 1,440 times a day."""
    table, scale = _minutes_of_a_day(settings)
    counts, gives = OVERDELIVERS.denominator, OVERDELIVERS.denominator + OVERDELIVERS.numerator
    unit = scale * counts
    full = span.volume.quanta * unit
    delivered = really_delivered = before = 0
    minute = BEGIN.hour * 60 + BEGIN.minute
    books: list[tuple[int, Ledger]] = []
    for stop in span.stops():
        believed = physical = full
        for passed in range(stop - before):
            counted = table[minute] * counts
            delivered += counted
            believed = believed - counted if believed > counted else 0
            if passed >= SCAN_MIN:
                given = min(table[minute] * gives, physical)
                physical -= given
                really_delivered += given
            minute = minute + 1 if minute < 1439 else 0
        amounts = (delivered, believed, physical, really_delivered)
        books.append((stop, Ledger(*(Fraction(amount, unit) for amount in amounts))))
        before = stop
    return tuple(books)


def _minutes_of_a_day(settings: PumpSettings) -> tuple[list[int], int]:
    """What each minute of any day gives, as whole numbers of ``1 / scale`` pL, and ``scale``.

    A bolus that runs past midnight is given in the first minutes of each day: the schedule has always run.
    """
    delivery = settings.program.delivery
    assert isinstance(delivery, Flex)
    plan = delivery.plans[0]
    scale = settings.concentration.quanta * lcm(1440, *(bolus.duration_min for bolus in plan.boluses))
    per_pl = scale // settings.concentration.quanta
    table = [plan.basal.quanta * per_pl // 1440] * 1440
    for bolus in plan.boluses:
        for minute in range(bolus.at, bolus.at + bolus.duration_min):
            table[minute % 1440] += bolus.dose.quanta * per_pl // bolus.duration_min
    return table, scale


def disagreements(one: Books, other: Books) -> list[str]:
    """Each figure that differs between two courses of books."""
    if [minute for minute, _ in one] != [minute for minute, _ in other]:
        return ["the books were looked at in different minutes"]
    return [
        f"minute {minute}: {field.name} is {getattr(a, field.name)} and {getattr(b, field.name)}"
        for (minute, a), (_, b) in zip(one, other, strict=True)
        for field in fields(Ledger)
        if getattr(a, field.name) != getattr(b, field.name)
    ]


Way = Callable[[Span, PumpSettings, PumpModel], Books]


def measure(ways: Sequence[Way], span: Span, runs: int) -> list[tuple[Books, float]]:
    """Of each way the books, and the median of its seconds; in turns."""
    settings, model = schedule(span.volume), load_catalogue().pump(MODEL)
    seconds: list[list[float]] = [[] for _ in ways]
    books: list[Books] = [() for _ in ways]
    for _ in range(runs):
        for number, way in enumerate(ways):
            began = time.perf_counter()
            books[number] = way(span, settings, model)
            seconds[number].append(time.perf_counter() - began)
    return [(kept, statistics.median(took)) for kept, took in zip(books, seconds, strict=True)]


def main(arguments: Sequence[str], *, walk: Way = minute_by_minute) -> int:
    """Measure both ways, print books and ratio, and return 1 if the books differ."""
    parser = argparse.ArgumentParser(prog="bench ten-years", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--days", type=int, default=TEN_YEARS)
    parser.add_argument("--refill-days", type=int, default=REFILL_DAYS)
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args(arguments)
    differ = False
    for span in spans(chosen.days, chosen.refill_days):
        pump, walked = measure((closed_form, walk), span, chosen.runs)
        found = disagreements(pump[0], walked[0])
        differ = differ or bool(found)
        _show(span, pump, walked, found)
    return 1 if differ else 0


def _show(span: Span, pump: tuple[Books, float], walked: tuple[Books, float], found: Sequence[str]) -> None:
    print(f"{span.minutes:,} minutes of {BOLUSES} boluses a day, {span.name}, {len(span.stops()) - 1} refills")
    for name, (books, seconds) in (("closed form", pump), ("minute by minute", walked)):
        print(f"  {name:18}{seconds * 1000:9.1f} ms")
        for field in fields(Ledger):
            print(f"    {field.name.replace('_', ' '):22}{getattr(books[-1][1], field.name)} pL")
    print(f"  {'ratio':18}{walked[1] / pump[1]:9.1f}")
    equal = f"{len(pump[0])} times four books, all equal" if not found else f"{len(found)} figures DIFFER"
    print(f"  {equal}")
    for text in found[:5]:
        print(f"  {text}")
