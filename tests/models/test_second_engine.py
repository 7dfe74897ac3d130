"""Engine B by hand-worked sums, both engines on random programs, and twenty planted mistakes that are noticed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

import pytest

from app.models import agreement, course, second_engine
from app.models.agreement import EnginesDisagreeError, date_disagreements, program_disagreements, require_same_reservoir
from app.models.catalogue import PumpModel
from app.models.course import Course, WeekPlan
from app.models.program import (
    Bolus,
    DayPlan,
    Flex,
    PatientActivated,
    PeriodicBolus,
    Program,
    SimpleContinuous,
    Step,
    Weekday,
)
from app.models.quantities import Concentration, DoseRate, Flow, Mass, Volume
from app.models.reservoir import CourseSpan, theoretical_reservoir
from app.models.second_engine import ProgramSpan, second_bridge, second_dates, second_figures
from tests.campaigns.engines import compare
from tests.campaigns.random_programs import trial
from tests.models.pumps import synchromed_ii

PUMP = synchromed_ii()
C500 = Concentration.mcg_per_ml(500)
ALL_WEEK = tuple(Weekday)
NIGHT = Step(at=22 * 60, duration_min=480, dose=Mass.mcg(160))


def flex(basal: int, *boluses: Bolus, steps: tuple[Step, ...] = (), days: tuple[Weekday, ...] = ALL_WEEK) -> DayPlan:
    return DayPlan(days, DoseRate.mcg_per_day(basal), boluses, steps)


def mcg(value: Fraction) -> Fraction:
    return value / Mass.PER_MCG


def test_a_night_step_stands_in_place_of_the_basal_rate() -> None:
    figures = second_figures(Program(Flex((flex(240, steps=(NIGHT,)),))), PUMP, C500)
    # 16 h of 10 mcg/h and 160 mcg in the night.
    assert mcg(figures.daily) == 320
    assert mcg(figures.max_60min) == 20


def test_sundays_step_fills_the_head_of_monday() -> None:
    sunday = flex(240, steps=(NIGHT,), days=(Weekday.SUN,))
    rest = flex(240, days=tuple(day for day in Weekday if day is not Weekday.SUN))
    by_day = [mcg(day) for day in second_figures(Program(Flex((rest, sunday))), PUMP, C500).by_day]
    # Monday: 6 h of 20 and 18 h of 10 mcg/h; Sunday: 22 h of 10 and 2 h of 20.
    assert by_day == [300, 240, 240, 240, 240, 240, 260]


def test_a_window_over_the_weeks_end_counts_both_sides() -> None:
    late = flex(0, Bolus(at=1435, dose=Mass.mcg(50), duration_min=10), days=(Weekday.SUN,))
    rest = flex(0, days=tuple(day for day in Weekday if day is not Weekday.SUN))
    pump = replace(PUMP, minimum_rate=None)
    figures = second_figures(Program(Flex((rest, late))), pump, C500)
    assert mcg(figures.max_60min) == 50
    assert [mcg(day) for day in figures.by_day] == [25, 0, 0, 0, 0, 0, 25]


def test_the_reservoir_runs_low_in_the_very_minute() -> None:
    program = Program(SimpleContinuous(DoseRate.mcg_per_day(100)))
    # 0.2 mL/day; 16 mL last 80 days.
    dates = second_dates(
        second_figures(program, PUMP, C500).worst,
        C500,
        volume=Volume.ml(18),
        low_alarm=Volume.ml(2),
        filled_at=datetime(2026, 1, 1, 8, 30, 30),
        accuracy_percent=Fraction(25),
    )
    assert dates.low_at == datetime(2026, 3, 22, 8, 30)
    assert dates.empty_at == datetime(2026, 4, 1, 8, 30)
    # 90 days / 1.25 = 72 days.
    assert dates.earliest_empty_at == datetime(2026, 3, 14, 8, 30)


def test_a_bridge_lasts_to_the_nearest_minute() -> None:
    # 0.316 mL x 500 / 200 d = 0.79 d = 1137.6 min.
    bridged = second_bridge(C500, DoseRate.mcg_per_day(200), Concentration.mcg_per_ml(2000), Fraction("0.316"))
    assert (bridged.duration_min, bridged.old_drug_mcg, bridged.as_new_mcg) == (1138, 158, 632)


@pytest.mark.parametrize("number", range(120))
def test_both_engines_and_the_pumps_ledger_agree(number: int) -> None:
    wrong, _ = compare(trial(20261121, number))
    assert wrong == []


# Each mistake is planted in one engine only; at least one of these programs must show it.

PROGRAMS = [
    Program(SimpleContinuous(DoseRate.mcg_per_day(Fraction("100.1")))),
    Program(Flex((flex(240, Bolus(at=1438, dose=Mass.mcg(35), duration_min=7), steps=(NIGHT,)),))),
    Program(
        Flex(
            (
                flex(0, Bolus(at=60, dose=Mass.mcg(30), duration_min=11), days=(Weekday.SUN, Weekday.WED)),
                flex(90, steps=(NIGHT,), days=(Weekday.MON, Weekday.TUE, Weekday.THU, Weekday.FRI, Weekday.SAT)),
            )
        )
    ),
    Program(
        PeriodicBolus(
            basal=DoseRate.mcg_per_day(Fraction("5.5")),
            dose=Mass.mcg(30),
            duration_min=13,
            every_min=315,
            first_at=1400,
        ),
        PatientActivated(dose=Mass.mcg(7), duration_min=9, lockout_min=65, max_per_day=30),
    ),
]
_SUNDAY_NIGHT = Bolus(at=1435, dose=Mass.mcg(80), duration_min=10)
_MONDAY_MORNING = Bolus(at=20, dose=Mass.mcg(70), duration_min=10)
PROGRAMS.append(
    Program(
        Flex(
            (
                flex(100, _SUNDAY_NIGHT, days=(Weekday.SUN,)),
                flex(100, _MONDAY_MORNING, days=(Weekday.MON,)),
                flex(100, days=ALL_WEEK[1:6]),
            )
        )
    )
)
FILLED_AT = datetime(2026, 11, 19, 17, 42, 13)


def engines_disagree() -> bool:
    """Whether any program, date or residual shows a difference between the engines."""
    for program in PROGRAMS:
        if program_disagreements(program, PUMP, C500):
            return True
        if date_disagreements(program, PUMP, C500, volume=Volume.ml(18), low_alarm=Volume.ml(2), filled_at=FILLED_AT):
            return True
        end = FILLED_AT + timedelta(days=9, minutes=77)
        laid_out = course.course_of(course.achieved_plan(program, PUMP, C500))
        a = theoretical_reservoir(Volume.ml(18), [CourseSpan(FILLED_AT, end, laid_out, C500)]).exact_pl
        try:
            require_same_reservoir(a, Volume.ml(18), [ProgramSpan(FILLED_AT, end, program, C500)], PUMP)
        except EnginesDisagreeError:
            return True
    return False


def test_the_five_programs_agree_without_a_mistake() -> None:
    assert not engines_disagree()


def _basal_only_on_six_days(plan: WeekPlan) -> WeekPlan:
    return replace(plan, basals=(*plan.basals[:6], plan.basals[0]))


def _each_pulse(change: Callable[[course.Pulse], course.Pulse]) -> Callable[[WeekPlan], WeekPlan]:
    return lambda plan: replace(
        plan, on_top=tuple(map(change, plan.on_top)), in_place=tuple(map(change, plan.in_place))
    )


_REAL_COURSE_OF = course.course_of
_REAL_ACHIEVED = course.achieved_plan
_REAL_LAID_OUT = second_engine.laid_out


def _course_with(change: Callable[[WeekPlan], WeekPlan]) -> Callable[[WeekPlan], Course]:
    return lambda plan: _REAL_COURSE_OF(change(plan))


def _without_wrap(pulse: course.Pulse) -> course.Pulse:
    left = 10_080 - pulse.start
    return replace(pulse, duration_min=min(pulse.duration_min, left))


def _wished_for_achieved(program: Program, pump: PumpModel, concentration: Concentration) -> WeekPlan:
    return course.wished_plan(program, pump, concentration)


def _coarse_minimum(program: Program, pump: PumpModel, concentration: Concentration) -> WeekPlan:
    rounded_up = replace(pump, minimum_rate=Flow.ml_per_day(Fraction("0.0061")))
    return _REAL_ACHIEVED(program, rounded_up, concentration)


def _one_quantum_more(pulse: course.Pulse) -> course.Pulse:
    return replace(pulse, per_min=pulse.per_min + Fraction(1, pulse.duration_min))


def _steps_on_top(plan: WeekPlan) -> WeekPlan:
    return WeekPlan(plan.basals, plan.on_top + plan.in_place)


MISTAKES: dict[str, tuple[object, str, object]] = {
    "pulses one minute late": (
        course, "course_of", _course_with(_each_pulse(lambda p: replace(p, start=(p.start + 1) % 10_080)))),
    "pulses one minute longer": (
        course, "course_of", _course_with(_each_pulse(lambda p: replace(p, duration_min=p.duration_min + 1)))),
    "pulses cut at the week's end": (course, "course_of", _course_with(_each_pulse(_without_wrap))),
    "steps on top of the basal rate": (course, "course_of", _course_with(_steps_on_top)),
    "Sunday runs at Monday's rate": (course, "course_of", _course_with(_basal_only_on_six_days)),
    "the minimum rate forgotten": (course, "achieved_plan", _wished_for_achieved),
    "another minimum rate": (course, "achieved_plan", _coarse_minimum),
    "the last bolus forgotten": (course, "course_of", _course_with(lambda p: replace(p, on_top=p.on_top[:-1]))),
    "a dose off by one quantum": (
        course, "course_of", _course_with(_each_pulse(_one_quantum_more))),
    "patient-activated boluses forgotten": (course, "activations_per_day", lambda _patient: 0),
    "one patient-activated bolus too many": (
        course, "activations_per_day", lambda p: (p.max_per_day if p else 0)),
    "a window that is a minute short": (
        Course, "largest_in", lambda self, minutes: max(
            self.between(start, start + minutes - 1) for start, _, _ in self.segments())),
    "a window that stops at the week's end": (
        Course, "largest_in", lambda self, minutes: max(
            self.between(start, min(start + minutes, 10_080)) for start, _, _ in self.segments())),
    "dates from the mean flow": (
        Course, "when_delivered", lambda self, amount, start: start + amount / (self.per_week / 10_080)),
    "dates one minute late": (
        Course, "when_delivered",
        lambda self, amount, start, real=Course.when_delivered: real(self, amount, start) + 1),
    "days counted from Tuesday": (
        Course, "by_day", lambda self, real=Course.by_day: (*real(self)[1:], real(self)[0])),
    "the clock's seconds dropped": (
        second_engine, "_microseconds",
        lambda at, real=second_engine._microseconds: real(at.replace(second=0, microsecond=0))),
    "engine B begins the week on Tuesday": (
        second_engine, "_microseconds",
        lambda at, real=second_engine._microseconds: real(at + timedelta(days=1))),
    "engine B forgets the minimum rate": (
        second_engine, "laid_out",
        lambda program, pump, concentration, achieved: _REAL_LAID_OUT(program, pump, concentration, achieved=False)),
    "engine B adds seven minutes of boluses": (
        second_engine, "_called_in", lambda patient, _boluses, _window: Fraction(7 if patient else 0)),
    "engine B counts the flow error the wrong way": (
        second_engine, "second_dates",
        lambda worst, concentration, real=second_engine.second_dates, **given: real(
            worst, concentration, **{**given, "accuracy_percent": -given["accuracy_percent"]})),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_noticed(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place, name, wrong = MISTAKES[mistake]
    monkeypatch.setattr(place, name, wrong)
    for module in (agreement, second_engine):
        if hasattr(module, name) and place is not module:
            monkeypatch.setattr(module, name, wrong)
    assert engines_disagree()
