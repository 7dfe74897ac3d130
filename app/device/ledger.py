"""What a pump delivers, in closed form: the emulated pump's own arithmetic.

Law: every amount is an exact fraction, worked out by clipping each item of the program to the asked span, week by
week; it shares nothing with the two engines of the program but the quantity and program types.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction

from app.models.catalogue import PumpModel
from app.models.errors import AppError
from app.models.program import (
    ConstantFlow,
    DayPlan,
    Flex,
    MinimumRate,
    PeriodicBolus,
    Program,
    SimpleContinuous,
    Step,
    Stopped,
)
from app.models.pump import PumpSettings
from app.models.quantities import Concentration, Mass

_DAY, _WEEK = 1440, 10_080
_MONDAY = datetime(2000, 1, 3)
"""A Monday, from which minutes are counted."""

Piece = tuple[int, int, Fraction]
"""(first minute of the week, end minute, yg per minute); the end may lie in the week after."""


class CannotRunError(AppError):
    """The pump cannot run this program."""


def minutes_since_monday(moment: datetime) -> Fraction:
    """Minutes from a fixed Monday 00:00 to ``moment``, exact to the microsecond."""
    return Fraction((moment - _MONDAY) // timedelta(microseconds=1), 60_000_000)


def delivered_volume(
    program: Program, pump: PumpModel, concentration: Concentration, start: datetime, end: datetime
) -> Fraction:
    """pL that the program delivers from ``start`` to ``end`` on the pump's clock, exactly.

    Raises: CannotRunError.
    """
    if end <= start:
        return Fraction(0)
    first, last = minutes_since_monday(start), minutes_since_monday(end)
    mass = _mass_until(program, pump, concentration, last) - _mass_until(program, pump, concentration, first)
    return mass / concentration.quanta


def _mass_until(program: Program, pump: PumpModel, concentration: Concentration, minute: Fraction) -> Fraction:
    """yg from the fixed Monday to ``minute``, as if the program had always run."""
    weeks, rest = divmod(minute, _WEEK)
    whole = part = Fraction(0)
    for begin, end, per_min in _pieces(program, pump, concentration):
        whole += per_min * (end - begin)
        # What runs over the week's end also fills the head of the week.
        for shift in (0, _WEEK):
            low, high = begin - shift, min(Fraction(end - shift), rest)
            part += per_min * max(Fraction(0), high - max(low, 0))
    return weeks * whole + part


def _pieces(program: Program, pump: PumpModel, concentration: Concentration) -> Iterator[Piece]:
    """Everything that is given in one week, piece by piece; pieces on top of each other add up."""
    delivery = program.delivery
    floor = concentration.quanta * pump.minimum_rate.quanta if pump.minimum_rate is not None else None
    match delivery:
        case SimpleContinuous(daily_dose=dose):
            yield 0, _WEEK, Fraction(dose.quanta, _DAY)
        case Stopped():
            return
        case MinimumRate():
            if floor is None:
                raise CannotRunError(problem="no-minimum-rate")
            yield 0, _WEEK, Fraction(floor, _DAY)
        case ConstantFlow(flow=flow):
            given = flow or pump.fixed_flow
            if given is None:
                raise CannotRunError(problem="no-flow")
            yield 0, _WEEK, Fraction(concentration.quanta * given.quanta, _DAY)
        case PeriodicBolus() as periodic:
            if _WEEK % periodic.every_min:
                raise CannotRunError(problem="interval")
            lowest = concentration.quanta * pump.min_flow.quanta
            basal = periodic.basal.quanta
            if floor is not None and basal < max(lowest, 1):
                basal = floor
            yield 0, _WEEK, Fraction(basal, _DAY)
            for number in range(_WEEK // periodic.every_min):
                begin = (periodic.first_at + number * periodic.every_min) % _WEEK
                yield begin, begin + periodic.duration_min, Fraction(periodic.dose.quanta, periodic.duration_min)
        case Flex(plans=plans):
            yield from _flex_pieces(plans, floor)


def _flex_pieces(plans: tuple[DayPlan, ...], floor: int | None) -> Iterator[Piece]:
    by_day = {day: plan for plan in plans for day in plan.days}
    steps = [(day * _DAY + step.at, step) for day, plan in by_day.items() for step in plan.steps]
    for day, plan in by_day.items():
        basal = Fraction(plan.basal.quanta or floor or 0, _DAY)
        for begin, end in _gaps(day * _DAY, (day + 1) * _DAY, steps):
            yield begin, end, basal
        for bolus in plan.boluses:
            begin = day * _DAY + bolus.at
            yield begin, begin + bolus.duration_min, Fraction(bolus.dose.quanta, bolus.duration_min)
    for begin, step in steps:
        rate = Fraction(step.dose.quanta, step.duration_min) if step.dose else Fraction(floor or 0, _DAY)
        yield begin, begin + step.duration_min, rate


def _gaps(begin: int, end: int, steps: list[tuple[int, Step]]) -> Iterator[tuple[int, int]]:
    """The parts of a day that no step covers; a step of Sunday may cover the head of Monday."""
    covered = sorted(
        (start - shift, start - shift + step.duration_min) for start, step in steps for shift in (0, _WEEK)
    )
    position = begin
    for low, high in covered:
        if high <= position or low >= end:
            continue
        if low > position:
            yield position, low
        position = max(position, high)
    if position < end:
        yield position, end


@dataclass(frozen=True, slots=True)
class Extra:
    """A bolus that was ordered or called for: ``volume`` pL evenly from ``start``; the program waits for a priming."""

    start: datetime
    duration_min: int
    volume: Fraction
    waits: bool = False

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.duration_min)

    def given(self, start: datetime, end: datetime) -> Fraction:
        """pL from ``start`` to ``end``."""
        low, high = max(start, self.start), min(end, self.end)
        if high <= low:
            return Fraction(0)
        minutes = minutes_since_monday(high) - minutes_since_monday(low)
        return self.volume * minutes / self.duration_min


@dataclass(frozen=True, slots=True)
class Epoch:
    """One stretch of time in which nothing was changed: ``settings`` from ``start`` on.

    ``bridge_until`` is when its bridge ends. Volumes in pL at ``start``, exactly: what the pump believes to have
    delivered since it was made, what it believes to hold, what it really holds. ``error`` is the flow error as a
    fraction; ``stalled`` means that the motor stands still though the pump counts on, ``occluded`` that the catheter
    lets nothing through. ``running`` is false while the pump is stopped. Before ``quiet_until`` no scheduled
    bolus is given: its time comes a second time because the clock was put back.
    """

    settings: PumpSettings
    start: datetime
    bridge_start: datetime
    delivered: Fraction
    believed: Fraction
    physical: Fraction
    physically_delivered: Fraction
    error: Fraction = Fraction(0)
    stalled: bool = False
    running: bool = True
    occluded: bool = False
    extras: tuple[Extra, ...] = ()
    quiet_until: datetime | None = None

    def bridge_until(self) -> datetime:
        """When the program itself takes over."""
        bridge = self.settings.bridge
        return self.bridge_start + timedelta(minutes=bridge.duration_min) if bridge else self.start

    def counted(self, pump: PumpModel, now: datetime) -> Fraction:
        """pL that the pump believes to have delivered from ``start`` to ``now``."""
        if not self.running or now <= self.start:
            return Fraction(0)
        total = sum((extra.given(self.start, now) for extra in self.extras), Fraction(0))
        begin = self.start
        for extra in sorted((extra for extra in self.extras if extra.waits), key=lambda extra: extra.start):
            if extra.start < now and extra.end > begin:
                total += self._scheduled(pump, begin, max(extra.start, begin))
                begin = min(extra.end, now)
        return total + self._scheduled(pump, begin, now)

    def _scheduled(self, pump: PumpModel, start: datetime, end: datetime) -> Fraction:
        """pL of bridge and program from ``start`` to ``end``."""
        total, bridge = Fraction(0), self.settings.bridge
        if bridge is not None and bridge.duration_min:
            until = min(max(end, start), max(self.bridge_until(), start))
            minutes = minutes_since_monday(until) - minutes_since_monday(start)
            total += bridge.volume.quanta * minutes / bridge.duration_min
            start = until
        if self.quiet_until is not None and start < self.quiet_until:
            until = min(self.quiet_until, max(end, start))
            total += self._of_program(without_boluses(self.settings.program), pump, start, until)
            start = until
        return total + self._of_program(self.settings.program, pump, start, end)

    def _of_program(self, program: Program, pump: PumpModel, start: datetime, end: datetime) -> Fraction:
        return delivered_volume(program, pump, self.settings.concentration, start, end)

    def at(self, pump: PumpModel, now: datetime) -> Ledger:
        """The books at ``now``; the reservoir never holds less than nothing."""
        counted = self.counted(pump, now)
        wanted = Fraction(0) if self.stalled or self.occluded else counted * (1 + self.error)
        really = min(wanted, self.physical)
        return Ledger(
            delivered=self.delivered + counted,
            believed=max(self.believed - counted, Fraction(0)),
            physical=self.physical - really,
            physically_delivered=self.physically_delivered + really,
        )


def without_boluses(program: Program) -> Program:
    """The same program with its boluses left out."""
    delivery = program.delivery
    if isinstance(delivery, Flex):
        return replace(program, delivery=Flex(tuple(replace(plan, boluses=()) for plan in delivery.plans)))
    if isinstance(delivery, PeriodicBolus):
        return replace(program, delivery=replace(delivery, dose=Mass(0)))
    return program


def bolus_under_way(program: Program, at: datetime) -> bool:
    """Whether a scheduled bolus is being given at ``at``."""
    minute = minutes_since_monday(at) % _WEEK
    return any(
        begin - shift <= minute < end - shift for begin, end in _bolus_spans(program) for shift in (0, _WEEK)
    )


def _bolus_spans(program: Program) -> Iterator[tuple[int, int]]:
    delivery = program.delivery
    if isinstance(delivery, Flex):
        for plan in delivery.plans:
            for day in plan.days:
                for bolus in plan.boluses:
                    begin = day * _DAY + bolus.at
                    yield begin, begin + bolus.duration_min
    elif isinstance(delivery, PeriodicBolus):
        for number in range(_WEEK // delivery.every_min):
            begin = (delivery.first_at + number * delivery.every_min) % _WEEK
            yield begin, begin + delivery.duration_min


@dataclass(frozen=True, slots=True)
class Ledger:
    """Volumes in pL at one moment, exactly: as the pump believes, and as it is."""

    delivered: Fraction
    believed: Fraction
    physical: Fraction
    physically_delivered: Fraction
