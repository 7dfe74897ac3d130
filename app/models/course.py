"""The course of a program through the pump's week: engine A, exact and event driven.

Law: a course is a circle of 10,080 minutes cut into segments of constant rate; every amount is an exact
fraction, so midnight and the week's end are no seams and nothing is rounded here.

Two courses belong to a program: what is *wished* and what the pump *achieves* after its minimum rate.

The last few schedules that were laid out are kept by their own immutable value, and a plan and a course keep what was
worked out from them: one page asks for the same course many times while a hand drags a block. Nothing is kept by name,
by patient or by time, so what is kept cannot be out of date.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from math import lcm
from operator import mul

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

_SCHEDULES_KEPT = 16


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


@dataclass(frozen=True)
class WeekPlan:
    """A program laid out on the week: a basal rate for each weekday, pulses on top, pulses in place."""

    basals: tuple[DoseRate, ...]
    on_top: tuple[Pulse, ...] = ()
    in_place: tuple[Pulse, ...] = ()

    @cached_property
    def course(self) -> Course:
        """The plan laid out as a course."""
        return _laid_out(self)


class Course:
    """Piecewise constant delivery around the week, in yg (see quantities) per minute of pump time."""

    def __init__(self, rates: Iterable[tuple[int, Fraction | int]], over: int = 1) -> None:
        """``rates``: (first minute, ``over`` times yg per minute), ascending, the first at minute 0."""
        given = list(rates)
        # Sums of whole numbers over one denominator are exact too, and many times faster than sums of fractions.
        common = lcm(*{rate.denominator for _, rate in given})
        kept: list[tuple[int, int]] = []
        for minute, rate in given:
            scaled = rate.numerator * (common // rate.denominator)
            if not kept or scaled != kept[-1][1]:
                kept.append((minute, scaled))
        self._over = common * over
        self._starts = [minute for minute, _ in kept]
        self._scaled = [scaled for _, scaled in kept]
        self._before = self._summed()
        self._largest: dict[int, Fraction] = {}

    def _summed(self) -> list[int]:
        """What is delivered before each segment, and in the whole week, times the common denominator."""
        lengths = (end - start for start, end in pairwise([*self._starts, MINUTES_PER_WEEK]))
        return list(accumulate(map(mul, self._scaled, lengths), initial=0))

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
        for (start, end), scaled in zip(pairwise([*self._starts, MINUTES_PER_WEEK]), self._scaled, strict=True):
            yield start, end, Fraction(scaled, self._over)

    def until(self, minute: Fraction | int) -> Fraction:
        """yg delivered from minute 0 to ``minute``, which may lie in any later week."""
        if isinstance(minute, int):
            return Fraction(self._scaled_until(minute), self._over)
        whole = minute.numerator // minute.denominator
        index = bisect_right(self._starts, whole % MINUTES_PER_WEEK) - 1
        return (self._scaled_until(whole) + self._scaled[index] * (minute - whole)) / self._over

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
        if minutes not in self._largest:
            until = self._scaled_until
            held = (
                max(until(change + minutes) - before, before - until(change - minutes))
                for change, before in zip(self._starts, self._before, strict=False)
            )
            self._largest[minutes] = Fraction(max(held), self._over)
        return self._largest[minutes]

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
        index = bisect_left(self._before, scaled, lo=1) - 1
        within = (scaled - self._before[index]) / self._scaled[index]
        return weeks * MINUTES_PER_WEEK + self._starts[index] + within

    def plus(self, per_min: Fraction) -> Course:
        """The same course with an even rate added, in yg per minute."""
        if not per_min:
            return self
        added, by = per_min.numerator * self._over, per_min.denominator
        return self._with([scaled * by + added for scaled in self._scaled], self._over * by)

    def times(self, factor: Fraction) -> Course:
        """The same course at ``factor`` times the rate."""
        return self._with([scaled * factor.numerator for scaled in self._scaled], self._over * factor.denominator)

    def _with(self, scaled: list[int], over: int) -> Course:
        """The same segments at other rates."""
        made = copy(self)
        made._scaled, made._over, made._largest = scaled, over, {}
        made._before = made._summed()
        return made


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
        case PeriodicBolus() | Flex() as scheduled:
            return _as_written(scheduled)


def achieved_plan(program: Program, pump: PumpModel, concentration: Concentration) -> WeekPlan:
    """The program as the pump runs it: where the basal is replaced by the minimum rate (rule DOS-06).

    A basal (or a step) of zero in a flex program, and a periodic program's basal below the pump's minimum
    flow, run at the minimum rate of a pump that has one.

    Raises: NoCourseError.
    """
    if pump.minimum_rate is None or not isinstance(program.delivery, Flex | PeriodicBolus):
        return wished_plan(program, pump, concentration)
    floor = concentration.dose_rate_at(pump.minimum_rate)
    lowest = concentration.dose_rate_at(pump.min_flow)
    return _as_run(program.delivery, floor, lowest)


@lru_cache(maxsize=_SCHEDULES_KEPT)
def _as_written(scheduled: Flex | PeriodicBolus) -> WeekPlan:
    return _flex_plan(scheduled) if isinstance(scheduled, Flex) else _periodic_plan(scheduled)


@lru_cache(maxsize=4 * _SCHEDULES_KEPT)
def _as_run(scheduled: Flex | PeriodicBolus, floor: DoseRate, lowest: DoseRate) -> WeekPlan:
    """At the rate ``floor`` wherever the basal is replaced; the plan as it is written where it never is."""
    plan = _as_written(scheduled)
    periodic = isinstance(scheduled, PeriodicBolus)

    def achieved(basal: DoseRate) -> DoseRate:
        return floor if not basal or (periodic and basal < lowest) else basal

    basals = tuple(achieved(basal) for basal in plan.basals)
    at_floor = Fraction(floor.quanta, MINUTES_PER_DAY)
    in_place = tuple(step if step.per_min else replace(step, per_min=at_floor) for step in plan.in_place)
    return plan if (basals, in_place) == (plan.basals, plan.in_place) else WeekPlan(basals, plan.on_top, in_place)


def course_of(plan: WeekPlan) -> Course:
    """Lay a week's plan out as a course."""
    return plan.course


def _laid_out(plan: WeekPlan) -> Course:
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
    return Course(_running_rates(changes), over)


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
