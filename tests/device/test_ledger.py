"""The emulated pump's arithmetic, by hand."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

import pytest

from app.device.ledger import CannotRunError, Epoch, delivered_volume
from app.models.program import (
    EVERY_DAY,
    Bolus,
    DayPlan,
    Flex,
    MinimumRate,
    OneTimeBolus,
    OneTimeKind,
    PeriodicBolus,
    Program,
    SimpleContinuous,
    Step,
    Stopped,
    Weekday,
)
from app.models.pump import PumpSettings
from app.models.quantities import Concentration, DoseRate, Mass, Volume
from tests.models.pumps import synchromed_ii

PUMP = synchromed_ii()
C1000 = Concentration.mcg_per_ml(1000)
MONDAY = datetime(2026, 11, 16)


def ml(pl: Fraction) -> Fraction:
    return pl / 10**9


def simple(mcg: int) -> Program:
    return Program(SimpleContinuous(DoseRate.mcg_per_day(mcg)))


def delivered(program: Program, start: datetime, end: datetime) -> Fraction:
    return ml(delivered_volume(program, PUMP, C1000, start, end))


def test_a_simple_program_delivers_by_the_clock() -> None:
    assert delivered(simple(300), MONDAY, MONDAY + timedelta(days=10)) == 3
    assert delivered(simple(300), MONDAY, MONDAY + timedelta(seconds=2880)) == Fraction("0.01")
    assert delivered(simple(300), MONDAY, MONDAY) == 0


def test_a_step_over_the_weeks_end_is_in_place_on_both_sides() -> None:
    night = Step(at=23 * 60, duration_min=120, dose=Mass.mcg(100))
    sunday = DayPlan((Weekday.SUN,), DoseRate.mcg_per_day(240), steps=(night,))
    rest = DayPlan(EVERY_DAY[:6], DoseRate.mcg_per_day(240))
    program = Program(Flex((rest, sunday)))
    # Monday 00:00-01:00 at 50 mcg/h, then 10 mcg/h.
    assert delivered(program, MONDAY, MONDAY + timedelta(hours=2)) == Fraction("0.06")
    assert delivered(program, MONDAY + timedelta(days=6, hours=22), MONDAY + timedelta(days=7, hours=1)) == (
        Fraction("0.01") + Fraction("0.1")
    )


def test_boluses_lie_on_top_and_cross_midnight() -> None:
    plan = DayPlan(EVERY_DAY, DoseRate.mcg_per_day(240), (Bolus(at=1435, dose=Mass.mcg(20), duration_min=10),))
    program = Program(Flex((plan,)))
    assert delivered(program, MONDAY, MONDAY + timedelta(days=1)) == Fraction("0.26")
    assert delivered(program, MONDAY, MONDAY + timedelta(minutes=5)) == Fraction(10 + Fraction(10, 12), 1000)


def test_the_minimum_rate_stands_in_for_nothing_between_boluses() -> None:
    basal_free = Program(Flex((DayPlan(EVERY_DAY, DoseRate.zero()),)))
    assert delivered(basal_free, MONDAY, MONDAY + timedelta(days=1)) == Fraction("0.006")
    periodic = PeriodicBolus(DoseRate.mcg_per_day(Fraction("5.5")), Mass.mcg(30), duration_min=5, every_min=360)
    # 4 x 30 mcg and 0.006 mL.
    assert delivered(Program(periodic), MONDAY, MONDAY + timedelta(days=1)) == Fraction("0.126")
    assert delivered(Program(MinimumRate()), MONDAY, MONDAY + timedelta(days=2)) == Fraction("0.012")
    assert delivered(Program(Stopped()), MONDAY, MONDAY + timedelta(days=2)) == 0
    with pytest.raises(CannotRunError):
        delivered_volume(
            Program(MinimumRate()), replace(PUMP, minimum_rate=None), C1000, MONDAY, MONDAY + timedelta(days=1)
        )


def epoch(program: Program, *, bridge: OneTimeBolus | None = None, **changes: object) -> Epoch:
    settings = PumpSettings("baclofen", C1000, program, Volume.ml(2), Volume.ml(18), bridge)
    full = Fraction(18 * 10**9)
    made = Epoch(settings, MONDAY, MONDAY, Fraction(0), full, full, Fraction(0))
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_bridge_runs_first_and_the_program_waits() -> None:
    bridge = OneTimeBolus(OneTimeKind.BRIDGE, Volume.ml(Fraction("0.3")), 1440)
    running = epoch(simple(500), bridge=bridge)
    assert ml(running.at(PUMP, MONDAY + timedelta(hours=12)).delivered) == Fraction("0.15")
    assert ml(running.at(PUMP, MONDAY + timedelta(days=2)).delivered) == Fraction("0.8")


def test_what_is_believed_and_what_is_there_part_with_an_error_and_a_stall() -> None:
    later = MONDAY + timedelta(days=10)
    fast = epoch(simple(300), error=Fraction("0.1")).at(PUMP, later)
    assert (ml(fast.believed), ml(fast.physical)) == (15, Fraction("14.7"))
    still = epoch(simple(300), stalled=True).at(PUMP, later)
    assert (ml(still.believed), ml(still.physical)) == (15, 18)


def test_a_dry_reservoir_delivers_nothing_more() -> None:
    books = epoch(simple(1000), error=Fraction("0.2")).at(PUMP, MONDAY + timedelta(days=40))
    assert (books.believed, books.physical, ml(books.physically_delivered)) == (0, 0, 18)


@pytest.mark.parametrize("days", [0, 1, 3, 17, 59, 61, 400])
def test_filled_is_what_is_left_and_what_has_left(days: int) -> None:
    books = epoch(simple(300), error=Fraction("-0.07")).at(PUMP, MONDAY + timedelta(days=days, seconds=days))
    assert books.physical + books.physically_delivered == 18 * 10**9


def test_ten_years_of_a_flex_program_pass_at_once() -> None:
    boluses = tuple(Bolus(at=100 * number, dose=Mass.mcg(50), duration_min=5) for number in range(13))
    program = Program(Flex((DayPlan(EVERY_DAY, DoseRate.mcg_per_day(350), boluses),)))
    began = time.perf_counter()
    # 1000 mcg a day for 3653 days.
    assert delivered(program, MONDAY, MONDAY + timedelta(days=3653)) == 3653
    assert time.perf_counter() - began < 1
