"""The course of a program through the week: sums worked out by hand."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.models.course import (
    Course,
    NoCourseError,
    activated_in,
    activations_per_day,
    changes_per_day,
    figures_of,
)
from app.models.program import (
    EVERY_DAY,
    Bolus,
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
from app.models.quantities import MINUTES_PER_WEEK, Concentration, DoseRate, Mass
from tests.models.pumps import synchromed_ii

MCG = Mass.PER_MCG
C500, C2000 = Concentration.mcg_per_ml(500), Concentration.mcg_per_ml(2000)
WORKDAYS = tuple(Weekday)[:5]
WEEKEND = tuple(Weekday)[5:]


def flex(basal: int, *, boluses: tuple[Bolus, ...] = (), steps: tuple[Step, ...] = ()) -> Program:
    return Program(Flex((DayPlan(EVERY_DAY, DoseRate.mcg_per_day(basal), boluses, steps),)))


def mcg(quanta: Fraction) -> Fraction:
    return quanta / MCG


def test_thirteen_boluses_of_50_over_350_make_1000_a_day() -> None:
    """Source: de la Fuente 2024."""
    boluses = tuple(Bolus(60 + 100 * i, Mass.mcg(50), 5) for i in range(13))
    figures = figures_of(flex(350, boluses=boluses), synchromed_ii(40), C2000)
    assert [mcg(day) for day in figures.achieved.by_day()] == [1000] * 7
    assert mcg(figures.max_60min) == 50 + Fraction(350, 24)


def test_a_pulsatile_basal_below_the_minimum_flow_runs_at_the_minimum_rate() -> None:
    """Kawano's 5.5 + 4 x 30: wished 125.5, but 0.006 mL/day at 500 mcg/mL delivers 3 instead of 5.5."""
    program = Program(PeriodicBolus(DoseRate.mcg_per_day(Fraction(11, 2)), Mass.mcg(30), 5, 360))
    figures = figures_of(program, synchromed_ii(), C500)
    assert mcg(figures.daily) == Fraction("125.5")
    assert mcg(figures.achieved_daily) == 123


def test_a_step_replaces_the_basal_and_runs_through_midnight() -> None:
    """240 a day is 10 an hour; a step of 8 h with 160 in place of 80 adds 80."""
    figures = figures_of(flex(240, steps=(Step(22 * 60, 480, Mass.mcg(160)),)), synchromed_ii(), C500)
    assert [mcg(day) for day in figures.achieved.by_day()] == [320] * 7


def test_a_bolus_across_midnight_is_counted_on_the_day_it_is_delivered() -> None:
    sunday_night = Bolus(24 * 60 - 10, Mass.mcg(40), 40)
    plans = (
        DayPlan((Weekday.SUN,), DoseRate.mcg_per_day(240), (sunday_night,)),
        DayPlan(tuple(Weekday)[:6], DoseRate.mcg_per_day(240)),
    )
    by_day = figures_of(Program(Flex(plans)), synchromed_ii(), C500).achieved.by_day()
    assert [mcg(day) for day in by_day] == [270, 240, 240, 240, 240, 240, 250]


def test_the_largest_window_is_found_across_the_weeks_end() -> None:
    plans = (
        DayPlan((Weekday.SUN,), DoseRate.mcg_per_day(24), (Bolus(1430, Mass.mcg(30), 10),)),
        DayPlan((Weekday.MON,), DoseRate.mcg_per_day(24), (Bolus(0, Mass.mcg(50), 10),)),
        DayPlan(tuple(Weekday)[1:6], DoseRate.mcg_per_day(24)),
    )
    figures = figures_of(Program(Flex(plans)), synchromed_ii(), C500)
    assert mcg(figures.max_60min) == 30 + 50 + 1


def test_weekday_groups_have_their_own_days() -> None:
    plans = (DayPlan(WORKDAYS, DoseRate.mcg_per_day(300)), DayPlan(WEEKEND, DoseRate.mcg_per_day(370)))
    figures = figures_of(Program(Flex(plans)), synchromed_ii(), C500)
    assert mcg(figures.daily) == 320
    assert [mcg(day) for day in figures.achieved.by_day()] == [300] * 5 + [370] * 2


def test_patient_activated_boluses_come_as_early_as_the_lockout_allows() -> None:
    patient = PatientActivated(Mass.mcg(20), duration_min=10, lockout_min=25, max_per_day=4)
    assert activations_per_day(patient) == 4
    # Starts at 0, 25 and 50: the third ends exactly with the window.
    assert mcg(activated_in(patient, 60)) == 60
    assert mcg(activated_in(patient, 55)) == 50


@pytest.mark.parametrize(("lockout", "allowed"), [(0, 9), (120, 9), (240, 6), (1000, 2), (1440, 1), (2000, 1)])
def test_the_lockout_and_the_daily_maximum_both_limit(lockout: int, allowed: int) -> None:
    assert activations_per_day(PatientActivated(Mass.mcg(1), 1, lockout, 9)) == allowed


def test_minimum_rate_and_stopped() -> None:
    pump = synchromed_ii()
    assert mcg(figures_of(Program(MinimumRate()), pump, C500).achieved_daily) == 3
    assert figures_of(Program(Stopped()), pump, C500).achieved_daily == 0


def test_a_flex_bolus_and_a_step_count_one_change_each_and_a_periodic_bolus_none() -> None:
    program = flex(240, boluses=(Bolus(0, Mass.mcg(1), 5),), steps=(Step(600, 60, Mass.mcg(1)),))
    assert changes_per_day(program) == 2
    assert changes_per_day(Program(PeriodicBolus(DoseRate.zero(), Mass.mcg(30), 5, 360))) == 0


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ((Step(0, 60, Mass.mcg(5)), Step(59, 60, Mass.mcg(5))), "overlapping-steps"),
        ((Step(1400, 60, Mass.mcg(5)), Step(10, 60, Mass.mcg(5))), "overlapping-steps"),
        ((Step(0, 0, Mass.mcg(5)),), "zero-length"),
        ((Step(0, 1441, Mass.mcg(5)),), "longer-than-a-day"),
    ],
)
def test_what_cannot_be_laid_out_is_named(steps: tuple[Step, ...], problem: str) -> None:
    with pytest.raises(NoCourseError) as caught:
        figures_of(flex(240, steps=steps), synchromed_ii(), C500)
    assert caught.value.values["problem"] == problem


def test_an_interval_that_does_not_divide_the_week_is_refused() -> None:
    with pytest.raises(NoCourseError):
        figures_of(Program(PeriodicBolus(DoseRate.zero(), Mass.mcg(30), 5, 500)), synchromed_ii(), C500)


rates = st.lists(st.tuples(st.integers(1, MINUTES_PER_WEEK - 1), st.integers(0, 50)), max_size=12).map(
    lambda pairs: Course(sorted({0: Fraction(3), **{minute: Fraction(rate, 7) for minute, rate in pairs}}.items()))
)


@settings(max_examples=60)
@given(rates, st.integers(1, 3000), st.integers(0, MINUTES_PER_WEEK))
def test_no_window_anywhere_holds_more_than_the_largest(course: Course, width: int, at: int) -> None:
    assert course.between(at, at + width) <= course.largest_in(width)


@settings(max_examples=60)
@given(rates, st.fractions(0, 10**6), st.fractions(0, MINUTES_PER_WEEK))
def test_an_amount_is_delivered_exactly_when_it_says(course: Course, amount: Fraction, start: Fraction) -> None:
    end = course.when_delivered(amount, start)
    assert end is not None
    assert course.between(start, end) == amount


@given(st.integers(1, 4000))
def test_a_simple_program_delivers_its_dose_on_every_day(dose: int) -> None:
    program = Program(SimpleContinuous(DoseRate.mcg_per_day(dose)))
    assert set(figures_of(program, synchromed_ii(), C500).achieved.by_day()) == {Fraction(dose * MCG)}
