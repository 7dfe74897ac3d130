"""Engine B: every dose, volume and date once more, by walking the minutes of the week.

Law: it shares nothing with engine A (``course``, ``reservoir``, ``filling``, ``transition``) but the types of
quantities, programs and pumps. Rates are whole numbers over one common denominator, so nothing is rounded.

All rates change on whole minutes. A window of whole minutes therefore holds most where its edges lie on whole
minutes, and a search over 10,080 positions finds the true maximum.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import accumulate
from math import lcm

from app.models.catalogue import PumpModel
from app.models.errors import AppError
from app.models.program import (
    Bolus,
    ConstantFlow,
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
from app.models.quantities import Concentration, DoseRate, Volume

_DAY, _WEEK = 1440, 7 * 1440
_MICROSECONDS = 60_000_000
"""Microseconds in a minute."""


class SecondEngineError(AppError):
    """The program cannot be laid out on minutes; ``problem`` is the same word as engine A's."""


@dataclass(frozen=True, slots=True)
class Minutes:
    """What is given in each minute of the week: ``given[i] / scale`` yg. ``sums[i]`` is the total before minute i."""

    given: tuple[int, ...]
    sums: tuple[int, ...]
    scale: int

    @property
    def per_day(self) -> Fraction:
        """Mean yg in 24 h."""
        return Fraction(self.sums[_WEEK], self.scale * 7)

    def by_day(self) -> tuple[Fraction, ...]:
        """yg on each day, Monday first."""
        return tuple(Fraction(sum(self.given[day * _DAY : (day + 1) * _DAY]), self.scale) for day in range(7))

    def most_in(self, minutes: int) -> Fraction:
        """The most yg in any window of ``minutes``, around the week."""
        window = sum(self.given[minute % _WEEK] for minute in range(minutes))
        most = window
        for start in range(_WEEK):
            window += self.given[(start + minutes) % _WEEK] - self.given[start]
            most = max(most, window)
        return Fraction(most, self.scale)

    def more(self, yg_per_day: int) -> Minutes:
        """The same with an even amount added to every minute."""
        extra = Fraction(yg_per_day * self.scale, _DAY)
        scale = self.scale * extra.denominator
        return _minutes([given * extra.denominator + extra.numerator for given in self.given], scale)

    def until(self, at: datetime) -> Fraction:
        """yg from an arbitrary but fixed Monday 00:00 to ``at``."""
        micro = _microseconds(at)
        week, rest = divmod(micro, _WEEK * _MICROSECONDS)
        minute, part = divmod(rest, _MICROSECONDS)
        within = self.sums[minute] + Fraction(self.given[minute] * part, _MICROSECONDS)
        return (week * self.sums[_WEEK] + within) / self.scale

    def when(self, amount: Fraction, start: datetime) -> datetime | None:
        """The clock's minute in which ``amount`` yg have left since ``start``; ``None`` if never."""
        if amount <= 0:
            return start.replace(second=0, microsecond=0)
        total = self.sums[_WEEK]
        if not total:
            return None
        target = (self.until(start) + amount) * self.scale
        weeks = -(-target // total) - 1
        rest = target - weeks * total
        minute = bisect_left(self.sums, rest) - 1
        share = (rest - self.sums[minute]) / self.given[minute]
        micro = int((weeks * _WEEK + minute + share) * _MICROSECONDS)
        try:
            moment = _from_microseconds(micro)
        except OverflowError:
            return None
        return moment.replace(second=0, microsecond=0)


def _microseconds(at: datetime) -> int:
    """Microseconds since the Monday before 1 January of year 1, which was a Monday."""
    seconds = at.hour * 3600 + at.minute * 60 + at.second
    return ((at.toordinal() - 1) * 86_400 + seconds) * 1_000_000 + at.microsecond


def _from_microseconds(micro: int) -> datetime:
    days, rest = divmod(micro, 86_400_000_000)
    if days >= date.max.toordinal():
        raise OverflowError
    return datetime.fromordinal(days + 1) + timedelta(microseconds=rest)


def _minutes(given: list[int], scale: int) -> Minutes:
    return Minutes(tuple(given), tuple(accumulate(given, initial=0)), scale)


@dataclass(frozen=True, slots=True)
class SecondFigures:
    """What a program comes to, by engine B, in yg."""

    daily: Fraction
    achieved_daily: Fraction
    by_day: tuple[Fraction, ...]
    worst_daily: Fraction
    max_60min: Fraction
    max_4h: Fraction
    worst: Minutes


def second_figures(program: Program, pump: PumpModel, concentration: Concentration) -> SecondFigures:
    """All figures of a program. Raises: SecondEngineError."""
    patient = program.patient_activated
    achieved = laid_out(program, pump, concentration, achieved=True)
    boluses = _starts_in_a_day(patient)
    activated = boluses * patient.dose.quanta if patient else 0
    return SecondFigures(
        daily=laid_out(program, pump, concentration, achieved=False).per_day,
        achieved_daily=achieved.per_day,
        by_day=achieved.by_day(),
        worst_daily=achieved.per_day + activated,
        max_60min=achieved.most_in(60) + _called_in(patient, boluses, 60),
        max_4h=achieved.most_in(240) + _called_in(patient, boluses, 240),
        worst=achieved.more(activated),
    )


def laid_out(program: Program, pump: PumpModel, concentration: Concentration, *, achieved: bool) -> Minutes:
    """The week of a program, minute by minute: as written, or as the pump achieves it. Raises: SecondEngineError."""
    lowest = pump.minimum_rate.quanta * concentration.quanta if pump.minimum_rate is not None else None
    stand_in = lowest if achieved else None
    match program.delivery:
        case SimpleContinuous(daily_dose=dose):
            return _even(dose.quanta)
        case Stopped():
            return _even(0)
        case MinimumRate():
            if lowest is None:
                raise SecondEngineError(problem="no-minimum-rate")
            return _even(lowest)
        case ConstantFlow(flow=flow):
            given = flow if flow is not None else pump.fixed_flow
            if given is None:
                raise SecondEngineError(problem="no-flow")
            return _even(given.quanta * concentration.quanta)
        case PeriodicBolus() as periodic:
            return _periodic(periodic, pump.min_flow.quanta * concentration.quanta, stand_in)
        case Flex() as flex:
            return _flex(flex, stand_in)


def _even(yg_per_day: int) -> Minutes:
    return _minutes([yg_per_day] * _WEEK, _DAY)


def _require_length(minutes: int) -> None:
    if minutes < 1:
        raise SecondEngineError(problem="zero-length")
    if minutes > _DAY:
        raise SecondEngineError(problem="longer-than-a-day")


def _periodic(periodic: PeriodicBolus, least: int, stand_in: int | None) -> Minutes:
    if _WEEK % periodic.every_min:
        raise SecondEngineError(problem="interval")
    _require_length(periodic.duration_min)
    basal = periodic.basal.quanta
    if stand_in is not None and (basal == 0 or basal < least):
        basal = stand_in
    scale = lcm(_DAY, periodic.duration_min)
    given = [basal * (scale // _DAY)] * _WEEK
    each = periodic.dose.quanta * (scale // periodic.duration_min)
    start = periodic.first_at
    while start < periodic.first_at + _WEEK:
        for minute in range(start, start + periodic.duration_min):
            given[minute % _WEEK] += each
        start += periodic.every_min
    return _minutes(given, scale)


def _flex(flex: Flex, stand_in: int | None) -> Minutes:
    timed: list[tuple[int, Step | Bolus]] = []
    for day in Weekday:
        for plan in flex.plans:
            if day in plan.days:
                timed += [(day * _DAY + bolus.at, bolus) for bolus in plan.boluses]
                timed += [(day * _DAY + step.at, step) for step in plan.steps]
    for _, change in timed:
        _require_length(change.duration_min)
    scale = lcm(_DAY, *(change.duration_min for _, change in timed))
    given: list[int] = []
    for day in Weekday:
        basal = next(plan for plan in flex.plans if day in plan.days).basal.quanta
        given += [(basal or stand_in or 0) * (scale // _DAY)] * _DAY
    taken = [False] * _WEEK
    for start, step in timed:
        if isinstance(step, Step):
            _replace(given, taken, start, step, scale, stand_in)
    for start, bolus in timed:
        if isinstance(bolus, Bolus):
            for minute in range(start, start + bolus.duration_min):
                given[minute % _WEEK] += bolus.dose.quanta * (scale // bolus.duration_min)
    return _minutes(given, scale)


def _replace(given: list[int], taken: list[bool], start: int, step: Step, scale: int, stand_in: int | None) -> None:
    rate = step.dose.quanta * (scale // step.duration_min)
    if not rate and stand_in is not None:
        rate = stand_in * (scale // _DAY)
    for minute in range(start, start + step.duration_min):
        place = minute % _WEEK
        if taken[place]:
            raise SecondEngineError(problem="overlapping-steps")
        taken[place] = True
        given[place] = rate


def _starts_in_a_day(patient: PatientActivated | None) -> int:
    """How many patient-activated boluses can start in 24 h, counted one by one."""
    if patient is None:
        return 0
    starts = 0
    while starts < patient.max_per_day and starts * patient.lockout_min < _DAY:
        starts += 1
    return starts


def _called_in(patient: PatientActivated | None, boluses: int, window: int) -> Fraction:
    """The most yg of patient-activated boluses in ``window`` minutes: minute by minute, the first at its start."""
    if patient is None or patient.duration_min < 1:
        return Fraction(0)
    minutes = 0
    for number in range(boluses):
        start = number * patient.lockout_min
        minutes += max(0, min(start + patient.duration_min, window) - start)
    return Fraction(patient.dose.quanta * minutes, patient.duration_min)


@dataclass(frozen=True, slots=True)
class ProgramSpan:
    """One program from ``start`` to ``end`` on the pump's clock."""

    start: datetime
    end: datetime
    program: Program
    concentration: Concentration


def second_reservoir(
    filled: Volume, spans: Sequence[ProgramSpan], pump: PumpModel, *, boluses: Sequence[Volume] = ()
) -> Fraction:
    """pL that should be left, exactly and not below zero. Raises: SecondEngineError."""
    left = Fraction(filled.quanta)
    for span in spans:
        minutes = laid_out(span.program, pump, span.concentration, achieved=True)
        left -= (minutes.until(span.end) - minutes.until(span.start)) / span.concentration.quanta
    for bolus in boluses:
        left -= bolus.quanta
    return max(left, Fraction(0))


@dataclass(frozen=True, slots=True)
class SecondDates:
    """Low, empty and earliest-empty, floored to the clock's minute; ``None`` beyond the calendar."""

    low_at: datetime | None
    empty_at: datetime | None
    earliest_empty_at: datetime | None


def second_dates(
    worst: Minutes,
    concentration: Concentration,
    *,
    volume: Volume,
    low_alarm: Volume,
    filled_at: datetime,
    accuracy_percent: Fraction,
) -> SecondDates:
    """When the reservoir runs low and empty."""
    whole = Fraction(volume.quanta * concentration.quanta)
    above_alarm = Fraction((volume.quanta - low_alarm.quanta) * concentration.quanta)
    return SecondDates(
        low_at=worst.when(above_alarm, filled_at),
        empty_at=worst.when(whole, filled_at),
        earliest_empty_at=worst.when(whole / (1 + accuracy_percent / 100), filled_at),
    )


@dataclass(frozen=True, slots=True)
class SecondBridge:
    """A bridge by engine B: minutes (nearest, halves up), and masses in mcg."""

    duration_min: int
    old_drug_mcg: Fraction
    as_new_mcg: Fraction


def second_bridge(
    old_concentration: Concentration, old_dose: DoseRate, new_concentration: Concentration, path_ml: Fraction
) -> SecondBridge:
    """How long the old solution in the path lasts at the old dose, and how much drug it is."""
    drug_mcg = path_ml * old_concentration.quanta / Concentration.PER_MCG_PER_ML
    per_minute = Fraction(old_dose.quanta, DoseRate.PER_MCG_PER_DAY * _DAY)
    exact = drug_mcg / per_minute
    whole = exact.numerator // exact.denominator
    return SecondBridge(
        duration_min=whole + (1 if exact - whole >= Fraction(1, 2) else 0),
        old_drug_mcg=drug_mcg,
        as_new_mcg=path_ml * new_concentration.quanta / Concentration.PER_MCG_PER_ML,
    )


def second_mixture(parts: Sequence[tuple[Volume, Concentration]]) -> Fraction | None:
    """fg/mL of several volumes together; ``None`` for no volume at all."""
    volume = sum(part.quanta for part, _ in parts)
    mass = sum(part.quanta * concentration.quanta for part, concentration in parts)
    return Fraction(mass, volume) if volume else None
