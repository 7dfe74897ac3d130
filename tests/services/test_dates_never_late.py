"""No date is later than what a pump at its upper flow error does, whatever its program and however its boluses are
called; walked minute by minute, beside the exact dates."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from app.models.catalogue import PumpModel
from app.models.course import NoCourseError, figures_of
from app.models.program import PatientActivated, Program, SimpleContinuous
from app.models.pump import PumpSettings
from app.models.quantities import Concentration, DoseRate, Mass, Volume
from app.models.records import Fill, ProgramRecord, ProgramState
from app.models.reservoir import ReservoirDates, refill_terms
from app.models.second_engine import laid_out
from app.services.therapy import dates_of
from tests.campaigns.random_programs import Trial, trial
from tests.models.pumps import synchromed_ii

HORIZON_MIN = 40 * 1440
UTC_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def dates(one: Trial, start: datetime) -> ReservoirDates:
    settings = PumpSettings("baclofen", one.concentration, one.program, one.low_alarm, one.volume)
    record = ProgramRecord("p", "i", None, ProgramState.VERIFIED, settings, start, UTC_NOW, "u")
    fill = Fill("f", "i", None, start, "baclofen", one.concentration, one.volume, one.volume, "", None, "u")
    return dates_of(fill, [record], one.pump, figures_of(one.program, one.pump, one.concentration))


def walked(one: Trial, start: datetime, *, error: Fraction, keep: Volume) -> datetime | None:
    """The first whole minute at which no more than ``keep`` is left, at ``error`` times the flow, if the patient calls
    every bolus as early as the pump allows; ``None`` beyond the horizon."""
    minutes = laid_out(one.program, one.pump, one.concentration, achieved=True)
    patient = one.program.patient_activated
    per_min = Fraction(patient.dose.quanta, patient.duration_min) if patient and patient.duration_min else Fraction(0)
    scale = minutes.scale * per_min.denominator
    bolus = per_min.numerator * minutes.scale
    goal = Fraction((one.volume.quanta - keep.quanta) * one.concentration.quanta * scale) / error
    first = start.weekday() * 1440 + start.hour * 60 + start.minute
    called: deque[int] = deque()
    given = 0
    for minute in range(HORIZON_MIN):
        if given >= goal:
            return start + timedelta(minutes=minute)
        given += minutes.given[(first + minute) % 10_080] * per_min.denominator
        if patient is None or not bolus:
            continue
        while called and minute - called[0] >= 1440 + patient.duration_min:
            called.popleft()
        within_a_day = sum(minute - at < 1440 for at in called)
        if within_a_day < patient.max_per_day and (not called or minute - called[-1] >= patient.lockout_min):
            called.append(minute)
        given += bolus * sum(minute - at < patient.duration_min for at in called)
    return None


def evenly(one: Trial, start: datetime) -> datetime:
    """When the pump at its upper flow error is empty if every bolus were an even flow."""
    course = figures_of(one.program, one.pump, one.concentration).worst_course
    first = Fraction(start.weekday() * 1440 + start.hour * 60 + start.minute)
    whole = Fraction(one.concentration.mass_in(one.volume).quanta) / (1 + one.pump.accuracy_percent / 100)
    end = course.when_delivered(whole, first)
    assert end is not None
    return start + timedelta(minutes=int(end - first))


def judge(one: Trial, start: datetime) -> bool:
    """Compare; whether there was anything to compare within the horizon."""
    shown = dates(one, start)
    fast = 1 + one.pump.accuracy_percent / 100
    empty = walked(one, start, error=fast, keep=Volume.zero())
    low = walked(one, start, error=Fraction(1), keep=min(one.low_alarm, one.volume))
    terms = refill_terms(
        low_at=shown.low_at, earliest_empty_at=shown.earliest_empty_at, filled_at=start, stability_days=180,
        battery_end=None,
    )  # fmt: skip
    due = min(term.at for term in terms)
    if empty is not None:
        assert shown.earliest_empty_at is not None and shown.earliest_empty_at <= empty
        assert due <= empty, "a pump at its upper flow error is not empty before the refill is due"
        assert evenly(one, start) - shown.earliest_empty_at <= timedelta(days=1, minutes=1), "not needlessly early"
    if low is not None:
        assert shown.low_at is not None and shown.low_at <= low
    return empty is not None


@pytest.mark.parametrize("part", range(4))
def test_no_random_program_empties_its_pump_before_the_date(part: int) -> None:
    compared = 0
    for number in range(part, 140, 4):
        one = trial(20261121, number)
        start = one.start.replace(second=0, microsecond=0)
        try:
            compared += judge(one, start)
        except NoCourseError:
            continue
    assert compared >= 8


def simple(mcg: int, patient: PatientActivated | None = None, *, pump: PumpModel | None = None) -> Trial:
    program = Program(SimpleContinuous(DoseRate.mcg_per_day(mcg)), patient)
    made = trial(1, 1)
    return replace(
        made, program=program, pump=pump or synchromed_ii(20), concentration=Concentration.mcg_per_ml(1000),
        volume=Volume.ml(18), low_alarm=Volume.ml(2),
    )  # fmt: skip


@pytest.mark.parametrize(
    "start",
    [
        datetime(2028, 2, 28, 23, 59),
        datetime(2028, 2, 29, 0, 0),
        datetime(2027, 12, 31, 23, 59),
        datetime(2026, 3, 29, 1, 30),
        datetime(2026, 10, 25, 2, 30),
    ],
    ids=["before a leap day", "leap day", "year end", "clocks go forward", "clocks go back"],
)
def test_calendar_edges_are_walked_too(start: datetime) -> None:
    assert judge(simple(900), start)
    assert judge(simple(700, PatientActivated(Mass.mcg(50), 10, 30, 6)), start)


def test_boluses_called_all_at_once_are_the_worst_case_and_not_an_even_flow() -> None:
    """Without the day that is taken off, this program's date would be some hours late."""
    start = datetime(2026, 11, 20, 10, 0)
    eager = simple(600, PatientActivated(Mass.mcg(500), 5, 10, 4))
    assert judge(eager, start)
    even = figures_of(eager.program, eager.pump, eager.concentration)
    naive = even.worst_course.times(1 + eager.pump.accuracy_percent / 100).when_delivered(
        Fraction(eager.concentration.mass_in(eager.volume).quanta), Fraction(0)
    )
    empty = walked(eager, start, error=1 + eager.pump.accuracy_percent / 100, keep=Volume.zero())
    assert naive is not None and empty is not None
    assert empty < start + timedelta(minutes=int(naive))


def test_the_worst_case_is_never_later_than_the_nominal_one() -> None:
    compared = 0
    for number in range(200):
        one = trial(7, number)
        try:
            worst = dates(one, one.start)
            nominal = dates(replace(one, program=replace(one.program, patient_activated=None)), one.start)
        except NoCourseError:
            continue
        for at in ("low_at", "empty_at", "earliest_empty_at"):
            early, late = getattr(worst, at), getattr(nominal, at)
            if late is not None:
                assert early is not None and early <= late
                compared += 1
    assert compared > 100


def test_a_full_reservoir_is_due_before_the_alarm_of_a_pump_that_runs_fast() -> None:
    """38 mL at 1 mL/day: the alarm comes after 36 days, a pump 14.5 % fast is empty after 33.2 and stays silent."""
    one = replace(simple(1000, pump=synchromed_ii(40)), volume=Volume.ml(38))
    shown = dates(one, datetime(2026, 11, 20, 10, 0))
    assert shown.low_at == datetime(2026, 12, 26, 10, 0)
    assert shown.earliest_empty_at is not None and shown.earliest_empty_at.date() == date(2026, 12, 23)
