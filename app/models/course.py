"""The course of a program through the pump's week: engine A, exact and event driven.

Law: a course is a circle of 10,080 minutes cut into segments of constant rate; every amount is an exact
fraction, so midnight and the week's end are no seams and nothing is rounded here.

Two courses belong to a program: what is *wished* and what the pump *achieves* after its minimum rate.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import lcm

from app.models.catalogue import PumpModel
from app.models.errors import AppError
from app.models.program import (
    ConstantFlow,
    DayPlan,
    Flex,
    MinimumRate,
    PatientActivated,
    PeriodicBolus,
    Program,
    SimpleContinuous,
    Stopped,
    Weekday,
)
from app.models.quantities import (
    MINUTES_PER_DAY,
    MINUTES_PER_WEEK,
    Concentration,
    DoseRate,
    Flow,
    Mass,
)


class NoCourseError(AppError):
    """The program cannot be laid out on a week: ``problem`` says why.

    ``overlapping-steps``, ``zero-length``, ``longer-than-a-day``, ``interval``, ``no-minimum-rate`` or ``no-flow``.
    """


@dataclass(frozen=True, slots=True)
class Pulse:
    """``per_min`` yg each minute for ``duration_min`` from minute ``start`` of the week, past its end if need be."""

    start: int
    duration_min: int
    per_min: Fraction


def _pulse(start: int, duration_min: int, dose: Mass) -> Pulse:
    """Raises: NoCourseError: the duration is zero or more than a day."""
    if duration_min < 1:
        raise NoCourseError(problem="zero-length")
    if duration_min > MINUTES_PER_DAY:
        raise NoCourseError(problem="longer-than-a-day")
    return Pulse(start, duration_min, Fraction(dose.quanta, duration_min))


@dataclass(frozen=True, slots=True)
class WeekPlan:
    """A program laid out on the week: a basal rate for each weekday, pulses on top, pulses in place."""

    basals: tuple[DoseRate, ...]
    on_top: tuple[Pulse, ...] = ()
    in_place: tuple[Pulse, ...] = ()


class Course:
    """Piecewise constant delivery around the week, in yg (see quantities) per minute of pump time."""

    def __init__(self, rates: Iterable[tuple[int, Fraction]]) -> None:
        """``rates``: (first minute, yg per minute), ascending, the first at minute 0."""
        kept: list[tuple[int, Fraction]] = []
        for minute, rate in rates:
            if not kept or rate != kept[-1][1]:
                kept.append((minute, rate))
        self._starts = [minute for minute, _ in kept]
        self._rates = [rate for _, rate in kept]
        # Sums of whole numbers over one denominator are exact too, and many times faster than sums of fractions.
        self._over = lcm(*(rate.denominator for rate in self._rates))
        self._scaled = [rate.numerator * (self._over // rate.denominator) for rate in self._rates]
        self._before = [0]
        for (start, end), scaled in zip(pairwise([*self._starts, MINUTES_PER_WEEK]), self._scaled, strict=True):
            self._before.append(self._before[-1] + scaled * (end - start))

    @property
    def per_week(self) -> Fraction:
        """yg in one week."""
        return Fraction(self._before[-1], self._over)

    @property
    def per_day(self) -> Fraction:
        """Mean yg in 24 h."""
        return self.per_week / 7

    def segments(self) -> Iterator[tuple[int, int, Fraction]]:
        """(first minute, end minute exclusive, yg per minute) from Monday 00:00 to the week's end."""
        yield from zip(self._starts, [*self._starts[1:], MINUTES_PER_WEEK], self._rates, strict=True)

    def until(self, minute: Fraction | int) -> Fraction:
        """yg delivered from minute 0 to ``minute``, which may lie in any later week."""
        if isinstance(minute, int):
            return Fraction(self._scaled_until(minute), self._over)
        whole = minute.numerator // minute.denominator
        index = bisect_right(self._starts, whole % MINUTES_PER_WEEK) - 1
        return Fraction(self._scaled_until(whole), self._over) + self._rates[index] * (minute - whole)

    def _scaled_until(self, minute: int) -> int:
        """What :meth:`until` is, times the common denominator."""
        weeks, rest = divmod(minute, MINUTES_PER_WEEK)
        index = bisect_right(self._starts, rest) - 1
        return weeks * self._before[-1] + self._before[index] + self._scaled[index] * (rest - self._starts[index])

    def between(self, start: Fraction | int, end: Fraction | int) -> Fraction:
        """yg delivered from minute ``start`` to minute ``end``."""
        return self.until(end) - self.until(start)

    def by_day(self) -> tuple[Fraction, ...]:
        """yg on each day of the week, Monday first, counted on the day they are delivered."""
        days = [self.until(day * MINUTES_PER_DAY) for day in range(8)]
        return tuple(end - start for start, end in pairwise(days))

    def largest_in(self, minutes: int) -> Fraction:
        """The most yg in any window of ``minutes``, across midnight and the week's end.

        A window's content is linear in its position between two moments at which one of its edges meets a
        change of rate, so the maximum lies at one of those moments.
        """
        positions = {edge for start in self._starts for edge in (start, (start - minutes) % MINUTES_PER_WEEK)}
        until = self._scaled_until
        return Fraction(max(until(position + minutes) - until(position) for position in positions), self._over)

    def when_delivered(self, amount: Fraction, start: Fraction) -> Fraction | None:
        """The minute (counted like ``start``) at which ``amount`` yg have left since ``start``; ``None`` if never."""
        if amount <= 0:
            return start
        if self.per_week == 0:
            return None
        target = self.until(start) + amount
        weeks, rest = divmod(target, self.per_week)
        if rest == 0:
            weeks, rest = weeks - 1, self.per_week
        scaled = rest * self._over
        index = next(i for i, after in enumerate(self._before[1:]) if after >= scaled)
        within = (rest - Fraction(self._before[index], self._over)) / self._rates[index]
        return weeks * MINUTES_PER_WEEK + self._starts[index] + within

    def plus(self, per_min: Fraction) -> Course:
        """The same course with an even rate added, in yg per minute."""
        return Course((start, rate + per_min) for start, _, rate in self.segments())

    def times(self, factor: Fraction) -> Course:
        """The same course at ``factor`` times the rate."""
        return Course((start, rate * factor) for start, _, rate in self.segments())


def wished_plan(program: Program, pump: PumpModel, concentration: Concentration) -> WeekPlan:
    """The program as it is written.

    Raises: NoCourseError.
    """
    match program.delivery:
        case SimpleContinuous(daily_dose=dose):
            return WeekPlan((dose,) * 7)
        case Stopped():
            return WeekPlan((DoseRate.zero(),) * 7)
        case MinimumRate():
            return WeekPlan((_minimum_rate_dose(pump, concentration),) * 7)
        case ConstantFlow(flow=flow):
            return WeekPlan((concentration.dose_rate_at(_constant_flow(pump, flow)),) * 7)
        case PeriodicBolus() as periodic:
            return _periodic_plan(periodic)
        case Flex() as flex:
            return _flex_plan(flex)


def achieved_plan(program: Program, pump: PumpModel, concentration: Concentration) -> WeekPlan:
    """The program as the pump runs it: where the basal is replaced by the minimum rate (rule DOS-06).

    A basal (or a step) of zero in a flex program, and a periodic program's basal below the pump's minimum
    flow, run at the minimum rate of a pump that has one.

    Raises: NoCourseError.
    """
    plan = wished_plan(program, pump, concentration)
    if pump.minimum_rate is None or not isinstance(program.delivery, Flex | PeriodicBolus):
        return plan
    floor = concentration.dose_rate_at(pump.minimum_rate)
    lowest = concentration.dose_rate_at(pump.min_flow)
    periodic = isinstance(program.delivery, PeriodicBolus)

    def achieved(basal: DoseRate) -> DoseRate:
        return floor if not basal or (periodic and basal < lowest) else basal

    return WeekPlan(
        tuple(achieved(basal) for basal in plan.basals),
        plan.on_top,
        tuple(
            step if step.per_min else replace(step, per_min=Fraction(floor.quanta, MINUTES_PER_DAY))
            for step in plan.in_place
        ),
    )


def course_of(plan: WeekPlan) -> Course:
    """Lay a week's plan out as a course."""
    pulses = (*plan.on_top, *plan.in_place)
    over = lcm(MINUTES_PER_DAY, *{pulse.per_min.denominator for pulse in pulses})
    changes: defaultdict[int, int] = defaultdict(int)

    def add(start: int, duration: int, per_min: int) -> None:
        """A rate, times the common denominator, from ``start`` (up to a week late), cut at the week's end."""
        start %= MINUTES_PER_WEEK
        end = start + duration
        changes[start] += per_min
        changes[end % MINUTES_PER_WEEK] -= per_min
        if end >= MINUTES_PER_WEEK:
            changes[0] += per_min * (end // MINUTES_PER_WEEK)

    def basal_per_min(day: int) -> int:
        return plan.basals[day % 7].quanta * (over // MINUTES_PER_DAY)

    def scaled(pulse: Pulse) -> int:
        return pulse.per_min.numerator * (over // pulse.per_min.denominator)

    for day in range(7):
        add(day * MINUTES_PER_DAY, MINUTES_PER_DAY, basal_per_min(day))
    for pulse in plan.on_top:
        add(pulse.start, pulse.duration_min, scaled(pulse))
    for pulse in plan.in_place:
        for start, end in _cut_at_midnight(pulse):
            add(start, end - start, scaled(pulse) - basal_per_min(start // MINUTES_PER_DAY))
    return Course((minute, Fraction(rate, over)) for minute, rate in _running_rates(changes))


def _running_rates(changes: dict[int, int]) -> Iterator[tuple[int, int]]:
    rate = 0
    for minute in sorted({0, *changes}):
        rate += changes.get(minute, 0)
        yield minute, rate


def _cut_at_midnight(pulse: Pulse) -> Iterator[tuple[int, int]]:
    start, end = pulse.start, pulse.start + pulse.duration_min
    while start < end:
        midnight = (start // MINUTES_PER_DAY + 1) * MINUTES_PER_DAY
        yield start, min(end, midnight)
        start = midnight


def _minimum_rate_dose(pump: PumpModel, concentration: Concentration) -> DoseRate:
    if pump.minimum_rate is None:
        raise NoCourseError(problem="no-minimum-rate", pump=pump.slug)
    return concentration.dose_rate_at(pump.minimum_rate)


def _constant_flow(pump: PumpModel, flow: Flow | None) -> Flow:
    found = flow if flow is not None else pump.fixed_flow
    if found is None:
        raise NoCourseError(problem="no-flow", pump=pump.slug)
    return found


def _periodic_plan(periodic: PeriodicBolus) -> WeekPlan:
    if MINUTES_PER_WEEK % periodic.every_min != 0:
        raise NoCourseError(problem="interval", every_min=periodic.every_min)
    starts = range(periodic.first_at, periodic.first_at + MINUTES_PER_WEEK, periodic.every_min)
    return WeekPlan(
        (periodic.basal,) * 7,
        on_top=tuple(_pulse(start % MINUTES_PER_WEEK, periodic.duration_min, periodic.dose) for start in starts),
    )


def _flex_plan(flex: Flex) -> WeekPlan:
    on_top: list[Pulse] = []
    in_place: list[Pulse] = []
    for day in Weekday:
        plan = flex.plan_on(day)
        midnight = day * MINUTES_PER_DAY
        on_top += (_pulse(midnight + bolus.at, bolus.duration_min, bolus.dose) for bolus in plan.boluses)
        in_place += (_pulse(midnight + step.at, step.duration_min, step.dose) for step in plan.steps)
    if overlaps(in_place):
        raise NoCourseError(problem="overlapping-steps")
    return WeekPlan(tuple(flex.plan_on(day).basal for day in Weekday), tuple(on_top), tuple(in_place))


def overlaps(pulses: Iterable[Pulse]) -> bool:
    """Whether any two pulses share a minute anywhere on the circle of the week."""
    ordered = sorted(pulses, key=lambda pulse: pulse.start)
    if len(ordered) < 2:
        return any(pulse.duration_min > MINUTES_PER_WEEK for pulse in ordered)
    followers = [*(pulse.start for pulse in ordered[1:]), ordered[0].start + MINUTES_PER_WEEK]
    return any(pulse.start + pulse.duration_min > follower for pulse, follower in zip(ordered, followers, strict=True))


def changes_on(plan: DayPlan) -> int:
    """Programmed changes in one day: a flex bolus counts one, a step one (rule DOS-04)."""
    return len(plan.boluses) + len(plan.steps)


def changes_per_day(program: Program) -> int:
    """The most changes on any day; a periodic bolus, or a single rate, counts none."""
    if isinstance(program.delivery, Flex):
        return max(changes_on(plan) for plan in program.delivery.plans)
    return 0


def activations_per_day(patient: PatientActivated | None) -> int:
    """The most patient-activated boluses that can start in any 24 h, by lockout and daily maximum."""
    if patient is None:
        return 0
    if patient.lockout_min == 0:
        return patient.max_per_day
    return min(patient.max_per_day, -(-MINUTES_PER_DAY // patient.lockout_min))


def activated_in(patient: PatientActivated | None, minutes: int) -> Fraction:
    """The most yg of patient-activated boluses in any window of ``minutes``: all as early as the lockout allows."""
    if patient is None or patient.duration_min < 1:
        return Fraction(0)
    total = Fraction(0)
    for number in range(activations_per_day(patient)):
        left = minutes - number * patient.lockout_min
        if left <= 0:
            break
        total += Fraction(patient.dose.quanta * min(patient.duration_min, left), patient.duration_min)
    return total


@dataclass(frozen=True, slots=True)
class ProgramFigures:
    """What a program comes to, in exact yg (see quantities); the worst case holds all patient-activated boluses."""

    daily: Fraction
    achieved: Course
    activated_per_day: Fraction
    activated_60min: Fraction
    activated_4h: Fraction

    @property
    def achieved_daily(self) -> Fraction:
        return self.achieved.per_day

    @property
    def worst_daily(self) -> Fraction:
        return self.achieved.per_day + self.activated_per_day

    @property
    def max_60min(self) -> Fraction:
        return self.achieved.largest_in(60) + self.activated_60min

    @property
    def max_4h(self) -> Fraction:
        return self.achieved.largest_in(240) + self.activated_4h

    @property
    def worst_course(self) -> Course:
        """The achieved course with all patient-activated boluses as an even flow, for dates."""
        return self.achieved.plus(self.activated_per_day / MINUTES_PER_DAY)


def figures_of(program: Program, pump: PumpModel, concentration: Concentration) -> ProgramFigures:
    """Everything that a program comes to on this pump at this concentration.

    Raises: NoCourseError.
    """
    patient = program.patient_activated
    dose = patient.dose.quanta if patient is not None else 0
    return ProgramFigures(
        daily=course_of(wished_plan(program, pump, concentration)).per_day,
        achieved=course_of(achieved_plan(program, pump, concentration)),
        activated_per_day=Fraction(activations_per_day(patient) * dose),
        activated_60min=activated_in(patient, 60),
        activated_4h=activated_in(patient, 240),
    )
