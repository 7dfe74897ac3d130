"""Editing a program: each function returns a new program and leaves the old one as it was.

Law: a dose or a rate changes only where the function says so, and what cannot be kept is refused by name, never bent.
Steps never come to overlap, over midnight and the week's end as little as within a day; boluses may, and
``app.models.guardrails_program`` says so. Every weekday is covered exactly once, always.

An address (:class:`Place`) holds for one program; whatever moves an item tells its new address. Boluses and steps of a
plan that was edited are in the order of their times.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from math import gcd

from app.models.course import Pulse, overlaps
from app.models.day_groups import by_time, days_alike, timed
from app.models.errors import AppError
from app.models.program import (
    Bolus,
    ConstantFlow,
    DayPlan,
    Delivery,
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
from app.models.quantities import MINUTES_PER_DAY, MINUTES_PER_WEEK, DoseRate, Mass

Item = Bolus | Step

FINEST = Mass(Mass.PER_MCG // 1000)
"""A nanogram: the last digit that pages show and that a pump's wire carries. Nothing worked out here is finer."""


class EditRefusedError(AppError):
    """An edit that cannot be done; the program stays as it is. ``problem`` says why.

    ``not-flex``: the program has no day plans; ``no-such-place``, ``no-such-plan``: the address is not in it;
    ``overlap``: two steps would share a minute; ``zero-length``, ``longer-than-a-day``, ``not-a-time-of-day``,
    ``negative``, ``interval``: the number itself; ``not-a-step``: a bolus cannot be split or merged; ``not-beside``:
    the second step does not begin where the first ends; ``too-fine``: the part would not be a whole number of the
    pump's increments; ``weekdays``: days differ in such a way that it cannot be said exactly in day plans;
    ``nothing-to-scale``: there is no dose. Conversion adds ``constant-flow``, ``no-minimum-rate`` and the problems of
    :class:`app.models.course.NoCourseError`.
    """


class Kind(StrEnum):
    BOLUS = "bolus"
    STEP = "step"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """The address of a bolus or step: which of ``Flex.plans``, and which of its boluses or steps."""

    plan: int
    kind: Kind
    index: int


# Reading


def item_at(program: Program, place: Place) -> Item:
    """Raises: EditRefusedError: not-flex, no-such-place."""
    plans = _plans(program)
    if 0 <= place.plan < len(plans):
        items = _of_kind(plans[place.plan], place.kind)
        if 0 <= place.index < len(items):
            return items[place.index]
    raise EditRefusedError(problem="no-such-place", plan=place.plan, kind=place.kind.value, index=place.index)


def items_of(program: Program) -> tuple[tuple[Place, Item], ...]:
    """All boluses and steps by plan, boluses first; none where the program is not flex."""
    plans = program.delivery.plans if isinstance(program.delivery, Flex) else ()
    return tuple(
        (Place(number, kind, index), item)
        for number, plan in enumerate(plans)
        for kind in Kind
        for index, item in enumerate(_of_kind(plan, kind))
    )


def copied(program: Program, places: Sequence[Place]) -> tuple[Item, ...]:
    """What is to be pasted. Raises: EditRefusedError."""
    return tuple(item_at(program, place) for place in places)


# Boluses and steps


def add_bolus(program: Program, plan: int, bolus: Bolus) -> tuple[Program, Place]:
    """Raises: EditRefusedError."""
    return _with_one(program, None, plan, bolus)


def add_step(program: Program, plan: int, step: Step) -> tuple[Program, Place]:
    """Raises: EditRefusedError: overlap and others."""
    return _with_one(program, None, plan, step)


def replace_item(program: Program, place: Place, item: Item) -> tuple[Program, Place]:
    """``item`` instead of the one at ``place``; a step may take a bolus's place. Raises: EditRefusedError."""
    return _with_one(program, place, place.plan, item)


def move(program: Program, places: Sequence[Place], by_min: int) -> tuple[Program, tuple[Place, ...]]:
    """All of ``places`` together, later by ``by_min``, round midnight and within their own day plans.

    Raises: EditRefusedError.
    """
    moved = [(place.plan, _later(item_at(program, place), by_min)) for place in places]
    return _changed(program, places, moved)


def resize(
    program: Program, place: Place, duration_min: int, *, keep_rate: bool = True, increment: Mass | None = None
) -> tuple[Program, Place]:
    """A new duration from the same start: a bolus keeps its dose, a step its rate or, without ``keep_rate``, its dose.

    A step's dose at the kept rate is rounded to the nearest ``increment``, or nanogram without one, halves to even.

    Raises: EditRefusedError.
    """
    item = item_at(program, place)
    return replace_item(program, place, _lasting(item, item.at, duration_min, keep_rate=keep_rate, increment=increment))


def resize_start(
    program: Program, place: Place, at: int, *, keep_rate: bool = True, increment: Mass | None = None
) -> tuple[Program, Place]:
    """A new start with the same end; doses as in :func:`resize`.

    ``at`` counts from midnight of the item's own day, so it is negative on the day before. Another day is refused
    where the days differ.

    Raises: EditRefusedError: weekdays and others.
    """
    item = item_at(program, place)
    if not 0 <= at < MINUTES_PER_DAY and len(_plans(program)) > 1:
        raise EditRefusedError(problem="weekdays", minute=at)
    duration_min = item.at + item.duration_min - at
    return replace_item(program, place, _lasting(item, at, duration_min, keep_rate=keep_rate, increment=increment))


def set_dose(program: Program, place: Place, dose: Mass) -> tuple[Program, Place]:
    """Raises: EditRefusedError: negative and others."""
    if dose < Mass.zero():
        raise EditRefusedError(problem="negative")
    return replace_item(program, place, replace(item_at(program, place), dose=dose))


def nudge_dose(program: Program, place: Place, by: Mass) -> tuple[Program, Place]:
    """More, or less where ``by`` is negative; never below zero. Raises: EditRefusedError."""
    return set_dose(program, place, max(item_at(program, place).dose + by, Mass.zero()))


def split(
    program: Program, place: Place, at: int, *, increment: Mass | None = None
) -> tuple[Program, tuple[Place, Place]]:
    """A step in two at minute ``at`` of the day, both with its rate; exactly, in whole increments, or not at all.

    Raises: EditRefusedError: too-fine, zero-length, not-a-step and others.
    """
    step = _step_at(program, place)
    first_min = (_time_of_day(at) - step.at) % MINUTES_PER_DAY
    if not 0 < first_min < step.duration_min:
        raise EditRefusedError(problem="zero-length", minute=at)
    if first_min not in _exact_parts(step, increment):
        raise EditRefusedError(problem="too-fine", minute=at)
    plan = place.plan
    if step.at + first_min >= MINUTES_PER_DAY and len(_plans(program)) > 1:
        raise EditRefusedError(problem="weekdays", minute=at)
    dose = Mass.exact(Fraction(step.dose.quanta * first_min, step.duration_min))
    halves = (
        replace(step, duration_min=first_min, dose=dose),
        Step(at=at, duration_min=step.duration_min - first_min, dose=step.dose - dose),
    )
    changed, (first, second) = _changed(program, [place], [(plan, half) for half in halves])
    return changed, (first, second)


def exact_splits(program: Program, place: Place, *, increment: Mass | None = None) -> tuple[int, ...]:
    """The minutes of the day at which :func:`split` would not be too fine, in the step's order.

    Raises: EditRefusedError.
    """
    step = _step_at(program, place)
    return tuple((step.at + minutes) % MINUTES_PER_DAY for minutes in _exact_parts(step, increment))


def merge(program: Program, first: Place, second: Place) -> tuple[Program, Place]:
    """Two steps as one, one of them beginning where the other ends; its dose is the sum.

    Round midnight only where all days are alike. Raises: EditRefusedError: not-beside and others.
    """
    one, other = _step_at(program, first), _step_at(program, second)
    if first.plan != second.plan or first == second:
        raise EditRefusedError(problem="not-beside")
    whole_circle = len(_plans(program)) == 1
    if not _follows(one, other, whole_circle=whole_circle):
        one, other = other, one
        if not _follows(one, other, whole_circle=whole_circle):
            raise EditRefusedError(problem="not-beside")
    joined = Step(at=one.at, duration_min=one.duration_min + other.duration_min, dose=one.dose + other.dose)
    changed, (place,) = _changed(program, [first, second], [(first.plan, joined)])
    return changed, place


def _follows(one: Step, other: Step, *, whole_circle: bool) -> bool:
    """Whether ``other`` begins where ``one`` ends; on the day after only where that is the same plan's."""
    gap = other.at - one.at - one.duration_min
    return gap == 0 or (whole_circle and gap == -MINUTES_PER_DAY)


def delete(program: Program, places: Sequence[Place]) -> Program:
    """Raises: EditRefusedError."""
    return _changed(program, places, [])[0]


def duplicate(program: Program, places: Sequence[Place], by_min: int) -> tuple[Program, tuple[Place, ...]]:
    """Copies of ``places`` in their own plans, later by ``by_min``, round midnight. Raises: EditRefusedError."""
    return _changed(program, [], [(place.plan, _later(item_at(program, place), by_min)) for place in places])


def paste(program: Program, plan: int, items: Sequence[Item], at: int) -> tuple[Program, tuple[Place, ...]]:
    """``items`` into a plan, the earliest at minute ``at`` and the others as far behind it as they were.

    Raises: EditRefusedError.
    """
    earliest = min((item.at for item in items), default=0)
    return _changed(program, [], [(plan, _later(item, _time_of_day(at) - earliest)) for item in items])


# Whole days and whole programs


def set_basal(program: Program, plan: int, basal: DoseRate) -> Program:
    """The basal rate of a plan; of a simple or periodic program the only rate there is, as plan 0.

    Raises: EditRefusedError.
    """
    if basal < DoseRate.zero():
        raise EditRefusedError(problem="negative")
    match program.delivery:
        case SimpleContinuous() if plan == 0:
            return replace(program, delivery=SimpleContinuous(basal))
        case PeriodicBolus() as periodic if plan == 0:
            return replace(program, delivery=replace(periodic, basal=basal))
    plans = _plans(program)
    _require_plan(plans, plan)
    return _with_plans(program, (replace(each, basal=basal) if i == plan else each for i, each in enumerate(plans)))


def give_day(program: Program, day: Weekday, to_plan: int | None) -> Program:
    """``day`` follows another plan; without one, a new last plan that begins as a copy of the day's old one.

    A plan that loses its last day vanishes, and later plans move up. Raises: EditRefusedError: overlap and others.
    """
    plans = list(_plans(program))
    old = next(number for number, plan in enumerate(plans) if day in plan.days)
    if to_plan is not None:
        _require_plan(plans, to_plan)
    if to_plan == old or (to_plan is None and plans[old].days == (day,)):
        return program
    if to_plan is None:
        plans.append(replace(plans[old], days=(day,)))
    else:
        plans[to_plan] = replace(plans[to_plan], days=(*plans[to_plan].days, day))
    plans[old] = replace(plans[old], days=tuple(other for other in plans[old].days if other != day))
    return _checked(_with_plans(program, (plan for plan in plans if plan.days)), program)


def set_patient_activated(program: Program, patient: PatientActivated | None) -> Program:
    return replace(program, patient_activated=patient)


def scale(program: Program, percent: Fraction, *, increment: Mass | None) -> Program:
    """Every dose and every rate, the patient-activated one too, at ``percent`` of what it was.

    Each is rounded by itself to the nearest ``increment`` (a rate: of its 24 h), or nanogram without one, halves to
    even; so the total may be a little off, and the caller shows it. At 100 % nothing changes, on the increment or not.

    Raises: EditRefusedError: negative, nothing-to-scale.
    """
    if percent < 0:
        raise EditRefusedError(problem="negative")
    if percent == 100:
        return program

    def scaled(dose: Mass) -> Mass:
        return nearest_dose(dose.quanta * percent / 100, increment)

    patient = program.patient_activated
    return Program(
        _delivery_with(program.delivery, scaled),
        replace(patient, dose=scaled(patient.dose)) if patient is not None else None,
    )


def shift(program: Program, by_min: int) -> Program:
    """The whole schedule later by ``by_min``, round midnight and the week's end: the course is the old one, rotated.

    A Sunday bolus that passes midnight becomes Monday's, so day plans are divided, and days that have come to be
    alike share one. Where basal rates differ between days, only whole days can be said exactly.

    Raises: EditRefusedError: weekdays; not-a-time-of-day, interval: a periodic program that cannot say it.
    """
    if by_min % MINUTES_PER_WEEK == 0:
        return program
    match program.delivery:
        case PeriodicBolus() as periodic:
            return replace(program, delivery=replace(periodic, first_at=_shifted_first(periodic, by_min)))
        case Flex(plans=plans):
            return replace(program, delivery=Flex(_shifted_plans(plans, by_min)))
        case _:
            return program


def snap_minute(minute: int, grid_min: int) -> int:
    """The nearest minute on the grid, halves later; it may be the day's end, 1440."""
    return (2 * minute + grid_min) // (2 * grid_min) * grid_min


def nearest_dose(quanta: Fraction, increment: Mass | None) -> Mass:
    """The dose next to ``quanta`` yg that is a whole number of increments, or nanograms without; halves to even."""
    unit = (increment or FINEST).quanta
    return Mass(round(quanta / unit) * unit)


def snap_dose(dose: Mass, increment: Mass | None) -> Mass:
    """The nearest whole number of increments, or nanograms without one; halves to even."""
    return nearest_dose(Fraction(dose.quanta), increment)


# How it is done


def _plans(program: Program) -> tuple[DayPlan, ...]:
    if not isinstance(program.delivery, Flex):
        raise EditRefusedError(problem="not-flex")
    return program.delivery.plans


def _require_plan(plans: Sequence[DayPlan], plan: int) -> None:
    if not 0 <= plan < len(plans):
        raise EditRefusedError(problem="no-such-plan", plan=plan)


def _of_kind(plan: DayPlan, kind: Kind) -> tuple[Item, ...]:
    return plan.boluses if kind is Kind.BOLUS else plan.steps


def _step_at(program: Program, place: Place) -> Step:
    item = item_at(program, place)
    if not isinstance(item, Step):
        raise EditRefusedError(problem="not-a-step")
    return item


def _time_of_day(at: int) -> int:
    if not 0 <= at < MINUTES_PER_DAY:
        raise EditRefusedError(problem="not-a-time-of-day", minute=at)
    return at


def _later(item: Item, by_min: int) -> Item:
    return replace(item, at=(item.at + by_min) % MINUTES_PER_DAY)


def _lasting(item: Item, at: int, duration_min: int, *, keep_rate: bool, increment: Mass | None) -> Item:
    """The item from ``at`` for ``duration_min``, at its rate where it is a step that keeps it."""
    _require_length(duration_min)
    dose = item.dose
    if isinstance(item, Step) and keep_rate and duration_min != item.duration_min:
        dose = nearest_dose(Fraction(dose.quanta * duration_min, item.duration_min), increment)
    return replace(item, at=at % MINUTES_PER_DAY, duration_min=duration_min, dose=dose)


def _require_length(minutes: int) -> None:
    if minutes < 1:
        raise EditRefusedError(problem="zero-length", duration_min=minutes)
    if minutes > MINUTES_PER_DAY:
        raise EditRefusedError(problem="longer-than-a-day", duration_min=minutes)


def _exact_parts(step: Step, increment: Mass | None) -> range:
    """The minutes from the step's start in which there is a whole number of increments, or nanograms without one."""
    unit = (increment or FINEST).quanta
    if step.dose.quanta % unit:
        return range(0)
    whole = unit * step.duration_min
    every = whole // gcd(step.dose.quanta, whole)
    return range(every, step.duration_min, every)


def _with_one(program: Program, place: Place | None, plan: int, item: Item) -> tuple[Program, Place]:
    changed, (new,) = _changed(program, [] if place is None else [place], [(plan, item)])
    return changed, new


def _changed(
    program: Program, without: Collection[Place], added: Sequence[tuple[int, Item]]
) -> tuple[Program, tuple[Place, ...]]:
    """The program without some items and with others (plan, item), and where these have come to lie."""
    plans = list(_plans(program))
    for place in without:
        item_at(program, place)
    for plan, item in added:
        _require_plan(plans, plan)
        _require_length(item.duration_min)
    places: dict[int, Place] = {}
    touched = {(place.plan, place.kind) for place in without} | {(plan, _kind_of(item)) for plan, item in added}
    for number, kind in touched:
        old = enumerate(_of_kind(plans[number], kind))
        kept = [(item, None) for index, item in old if Place(number, kind, index) not in without]
        new = [(item, order) for order, (to, item) in enumerate(added) if (to, _kind_of(item)) == (number, kind)]
        tagged = sorted([*kept, *new], key=lambda pair: by_time(pair[0]))
        plans[number] = _with_kind(plans[number], kind, [item for item, _ in tagged])
        places |= {order: Place(number, kind, i) for i, (_, order) in enumerate(tagged) if order is not None}
    return _checked(_with_plans(program, plans), program), tuple(places[order] for order in range(len(added)))


def _kind_of(item: Item) -> Kind:
    return Kind.BOLUS if isinstance(item, Bolus) else Kind.STEP


def _with_kind(plan: DayPlan, kind: Kind, items: Iterable[Item]) -> DayPlan:
    if kind is Kind.BOLUS:
        return replace(plan, boluses=tuple(item for item in items if isinstance(item, Bolus)))
    return replace(plan, steps=tuple(item for item in items if isinstance(item, Step)))


def _with_plans(program: Program, plans: Iterable[DayPlan]) -> Program:
    return replace(program, delivery=Flex(tuple(plans)))


def _checked(changed: Program, before: Program) -> Program:
    """Refuses steps that have come to overlap; those that did before may be put right one by one."""
    if _steps_overlap(changed) and not _steps_overlap(before):
        raise EditRefusedError(problem="overlap")
    return changed


def _steps_overlap(program: Program) -> bool:
    return overlaps(
        Pulse(day * MINUTES_PER_DAY + step.at, step.duration_min, Fraction(0))
        for plan in _plans(program)
        for day in plan.days
        for step in plan.steps
    )


def _delivery_with(delivery: Delivery, scaled: Callable[[Mass], Mass]) -> Delivery:
    def rate(old: DoseRate) -> DoseRate:
        return scaled(old.per_day()).per_day()

    match delivery:
        case SimpleContinuous(daily_dose=dose):
            return SimpleContinuous(rate(dose))
        case PeriodicBolus() as periodic:
            return replace(periodic, basal=rate(periodic.basal), dose=scaled(periodic.dose))
        case Flex(plans=plans):
            return Flex(
                tuple(
                    replace(
                        plan,
                        basal=rate(plan.basal),
                        boluses=tuple(replace(bolus, dose=scaled(bolus.dose)) for bolus in plan.boluses),
                        steps=tuple(replace(step, dose=scaled(step.dose)) for step in plan.steps),
                    )
                    for plan in plans
                )
            )
        case MinimumRate() | Stopped() | ConstantFlow():
            raise EditRefusedError(problem="nothing-to-scale")


def _shifted_first(periodic: PeriodicBolus, by_min: int) -> int:
    if MINUTES_PER_WEEK % periodic.every_min:
        raise EditRefusedError(problem="interval", every_min=periodic.every_min)
    first = periodic.first_at + by_min
    return first if 0 <= first < MINUTES_PER_DAY else _time_of_day(first % periodic.every_min)


def _shifted_plans(plans: tuple[DayPlan, ...], by_min: int) -> tuple[DayPlan, ...]:
    days, minutes = divmod(by_min, MINUTES_PER_DAY)
    if minutes == 0:
        return tuple(replace(plan, days=tuple(Weekday((day + days) % 7) for day in plan.days)) for plan in plans)
    if len({plan.basal for plan in plans}) > 1:
        raise EditRefusedError(problem="weekdays", minutes=by_min)
    return days_alike(plans[0].basal, ((minute + by_min, item) for minute, item in timed(plans)))
