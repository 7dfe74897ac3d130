"""Conversion between modes: worked examples, and random programs whose daily dose is kept to the increment."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from app.models.conversion import Mode, convert, mode_of
from app.models.course import NoCourseError, achieved_plan, course_of
from app.models.editing import EditRefusedError
from app.models.program import (
    EVERY_DAY,
    Bolus,
    ConstantFlow,
    DayPlan,
    Flex,
    MinimumRate,
    PatientActivated,
    PeriodicBolus,
    Program,
    SimpleContinuous,
    Step,
    Stopped,
    Weekday,
)
from app.models.quantities import Concentration, DoseRate, Mass
from app.models.second_engine import laid_out
from tests.campaigns.random_programs import Trial, trial
from tests.models.pumps import synchromed_ii

PUMP = synchromed_ii()
WITHOUT_MINIMUM = replace(PUMP, minimum_rate=None)
AT_2000 = Concentration.mcg_per_ml(2000)
PATIENT = PatientActivated(Mass.mcg(5), 5, 60, 4)


def mcg(value: str | int) -> Mass:
    return Mass.mcg(Fraction(value))


def rate(value: str | int) -> DoseRate:
    return DoseRate.mcg_per_day(Fraction(value))


def one_plan(basal: str | int, *boluses: Bolus, steps: tuple[Step, ...] = ()) -> Program:
    return Program(Flex((DayPlan(EVERY_DAY, rate(basal), boluses, steps),)))


KAWANO = Program(PeriodicBolus(rate("5.5"), mcg(30), 5, every_min=360), PATIENT)
DE_LA_FUENTE = one_plan(350, *(Bolus(110 * number, mcg(50), 5) for number in range(13)))


def test_a_simple_program_becomes_a_basal_rate_and_back() -> None:
    simple = Program(SimpleContinuous(rate(575)), PATIENT)
    flex = convert(simple, Mode.FLEX, PUMP, AT_2000, increment=None)
    assert flex == Program(one_plan(575).delivery, PATIENT)
    assert convert(flex, Mode.SIMPLE, PUMP, AT_2000, increment=None) == simple


def test_what_the_pump_achieves_is_what_is_kept() -> None:
    # 5.5 mcg/day is less than 0.048 mL/day, so the pump runs 0.006 mL/day: 12 mcg/day at 2000 mcg/mL. 12 + 4 x 30.
    assert convert(KAWANO, Mode.SIMPLE, PUMP, AT_2000, increment=None).delivery == SimpleContinuous(rate(132))
    flex = convert(KAWANO, Mode.FLEX, PUMP, AT_2000, increment=None)
    boluses = tuple(Bolus(at, mcg(30), 5) for at in (0, 360, 720, 1080))
    assert flex == Program(one_plan(0, *boluses).delivery, PATIENT)
    back = convert(flex, Mode.PERIODIC, PUMP, AT_2000, increment=None)
    assert back == Program(PeriodicBolus(DoseRate.zero(), mcg(30), 5, every_min=360), PATIENT)
    as_written = convert(KAWANO, Mode.FLEX, WITHOUT_MINIMUM, AT_2000, increment=None)
    assert as_written == Program(one_plan("5.5", *boluses).delivery, PATIENT)


def test_thirteen_boluses_become_sixteen_an_hour_and_a_half_apart() -> None:
    # 91 boluses a week are 110.8 min apart; the longest interval below that divides the week is 105 min, 96 a week.
    periodic = convert(DE_LA_FUENTE, Mode.PERIODIC, PUMP, AT_2000, increment=None).delivery
    assert isinstance(periodic, PeriodicBolus)
    assert (periodic.every_min, periodic.duration_min, periodic.first_at) == (105, 5, 0)
    # 650 mcg a day in 96 / 7 boluses: 47.395833..., and the basal rate takes what rounding leaves.
    assert periodic.dose == mcg("47.396")
    assert periodic.basal == rate("349.998")
    to_simple = convert(DE_LA_FUENTE, Mode.SIMPLE, PUMP, AT_2000, increment=mcg(1))
    assert to_simple.delivery == SimpleContinuous(rate(1000))


def test_where_the_pump_would_not_run_the_basal_rate_the_boluses_take_it() -> None:
    program = one_plan(100, Bolus(0, mcg(30), 5), Bolus(600, mcg(30), 10), steps=(Step(60, 720, mcg(0)),))
    # Achieved: 50 of basal, 6 at the minimum rate for 12 h, 60 of boluses: 116. A basal rate of 56 is below the pump's
    # lowest, 96 mcg/day at 2000 mcg/mL, so it runs the minimum rate, 12, and 104 are for two boluses.
    periodic = convert(program, Mode.PERIODIC, PUMP, AT_2000, increment=None).delivery
    assert periodic == PeriodicBolus(DoseRate.zero(), mcg(52), 10, every_min=720)


def test_without_boluses_a_periodic_program_is_all_basal() -> None:
    periodic = convert(Program(SimpleContinuous(rate(400))), Mode.PERIODIC, PUMP, AT_2000, increment=None).delivery
    assert periodic == PeriodicBolus(rate(400), Mass.zero(), 1440, every_min=1440)


def test_a_pattern_that_does_not_divide_the_day_becomes_day_plans() -> None:
    program = Program(PeriodicBolus(rate(200), mcg(30), 5, every_min=2520, first_at=60))
    flex = convert(program, Mode.FLEX, PUMP, AT_2000, increment=None)
    # Monday 01:00, Tuesday 19:00, Thursday 13:00, Saturday 07:00.
    assert isinstance(flex.delivery, Flex)
    assert [(plan.days, [bolus.at for bolus in plan.boluses]) for plan in flex.delivery.plans] == [
        ((Weekday.MON,), [60]),
        ((Weekday.TUE,), [1140]),
        ((Weekday.WED, Weekday.FRI, Weekday.SUN), []),
        ((Weekday.THU,), [780]),
        ((Weekday.SAT,), [420]),
    ]
    assert convert(flex, Mode.PERIODIC, PUMP, AT_2000, increment=None) == program


def test_minimum_rate_and_stop() -> None:
    simple = Program(SimpleContinuous(rate(575)), PATIENT)
    at_minimum = convert(simple, Mode.MINIMUM, PUMP, AT_2000, increment=None)
    assert at_minimum == Program(MinimumRate(), PATIENT)
    assert convert(simple, Mode.STOPPED, PUMP, AT_2000, increment=None) == Program(Stopped())
    assert convert(at_minimum, Mode.FLEX, PUMP, AT_2000, increment=None) == Program(one_plan(0).delivery, PATIENT)
    assert convert(at_minimum, Mode.SIMPLE, PUMP, AT_2000, increment=None).delivery == SimpleContinuous(rate(12))


@pytest.mark.parametrize(
    ("program", "to", "problem"),
    [
        (Program(ConstantFlow()), Mode.SIMPLE, "constant-flow"),
        (KAWANO, Mode.MINIMUM, "no-minimum-rate"),
        (Program(PeriodicBolus(rate(1), mcg(1), 5, every_min=1000)), Mode.FLEX, "interval"),
        (one_plan(1, steps=(Step(0, 60, mcg(1)), Step(30, 60, mcg(1)))), Mode.SIMPLE, "overlapping-steps"),
    ],
)
def test_what_cannot_be_converted_is_refused(program: Program, to: Mode, problem: str) -> None:
    with pytest.raises(EditRefusedError) as refused:
        convert(program, to, WITHOUT_MINIMUM, AT_2000, increment=None)
    assert refused.value.values["problem"] == problem


def may_be_kept(case: Trial, to: Mode, daily: Fraction) -> bool:
    """Not where the pump's own rate is more than the dose, nor a flex basal rate that no pump would have run."""
    delivery = case.program.delivery
    floor = case.pump.minimum_rate.quanta if case.pump.minimum_rate is not None else 0
    if daily < max(floor, case.pump.min_flow.quanta) * case.concentration.quanta and to is not Mode.SIMPLE:
        return isinstance(delivery, MinimumRate | PeriodicBolus)
    lowest = case.pump.min_flow.quanta * case.concentration.quanta
    return not (
        to is Mode.PERIODIC
        and isinstance(delivery, Flex)
        and any(0 < plan.basal.quanta < lowest for plan in delivery.plans)
    )


@pytest.mark.parametrize("increment", [None, Mass.mcg(Fraction(1, 10)), Mass.mcg(Fraction(1, 2))])
def test_a_random_program_keeps_its_daily_dose_within_an_increment_an_item(increment: Mass | None) -> None:
    kept = 0
    unit = (increment or Mass(10**15)).quanta
    for number in range(120):
        case = trial(seed=4, number=number)
        for to in (Mode.SIMPLE, Mode.FLEX, Mode.PERIODIC):
            try:
                before = course_of(achieved_plan(case.program, case.pump, case.concentration))
            except NoCourseError:
                continue
            new = convert(case.program, to, case.pump, case.concentration, increment=increment)
            assert mode_of(new) is to and new.patient_activated == case.program.patient_activated
            if not may_be_kept(case, to, before.per_day):
                continue
            after = course_of(achieved_plan(new, case.pump, case.concentration))
            items = 1 + (Fraction(1440, new.delivery.every_min) if isinstance(new.delivery, PeriodicBolus) else 0)
            assert abs(after.per_day - before.per_day) <= items * unit
            if to is Mode.FLEX:
                assert list(after.segments()) == list(before.segments())
            kept += 1
            if kept % 20 == 0:
                assert laid_out(new, case.pump, case.concentration, achieved=True).per_day == after.per_day
    assert kept > 180
