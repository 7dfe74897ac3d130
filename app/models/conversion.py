"""From one way of delivering to another: the same daily dose, as near as the other way can say it.

Law: what is kept is what the pump achieves, its minimum rate included, because that is what the patient gets. A dose
worked out here is a whole number of increments, or nanograms without one; nothing is said to be kept: the caller shows
the figures of both programs.

=========  ==========================================================================================================
to         becomes
=========  ==========================================================================================================
simple     the mean daily dose as one rate
flex       the very same course; a basal rate below the pump's lowest becomes zero where a minimum rate stands in for it
periodic   as many boluses as there are, or more and smaller ones so that the interval divides the week (beyond a day,
           the first is on Monday); steps go into the basal rate. Without boluses all of it is basal, beside a bolus
           of nothing a day long, to be filled in. Day plans that are a pattern already keep every number
minimum    the pump's own rate, whatever the dose was
stopped    nothing, the patient-activated bolus too
=========  ==========================================================================================================
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from fractions import Fraction

from app.models.catalogue import PumpModel
from app.models.course import NoCourseError, figures_of
from app.models.day_groups import days_alike, timed
from app.models.editing import EditRefusedError, nearest_dose
from app.models.program import (
    EVERY_DAY,
    Bolus,
    ConstantFlow,
    DayPlan,
    Delivery,
    Flex,
    MinimumRate,
    PeriodicBolus,
    Program,
    SimpleContinuous,
    Stopped,
)
from app.models.quantities import MINUTES_PER_DAY, MINUTES_PER_WEEK, Concentration, DoseRate, Mass


class Mode(StrEnum):
    """What a programmable pump can be set to."""

    SIMPLE = "simple"
    FLEX = "flex"
    PERIODIC = "periodic"
    MINIMUM = "minimum"
    STOPPED = "stopped"


def mode_of(program: Program) -> Mode | None:
    """``None`` for a constant flow, which is no setting."""
    match program.delivery:
        case SimpleContinuous():
            return Mode.SIMPLE
        case Flex():
            return Mode.FLEX
        case PeriodicBolus():
            return Mode.PERIODIC
        case MinimumRate():
            return Mode.MINIMUM
        case Stopped():
            return Mode.STOPPED
        case ConstantFlow():
            return None


def convert(
    program: Program, to: Mode, pump: PumpModel, concentration: Concentration, *, increment: Mass | None
) -> Program:
    """The program as ``to``; the same program where it is that already.

    Raises: EditRefusedError: constant-flow, no-minimum-rate, or a problem of NoCourseError.
    """
    if isinstance(program.delivery, ConstantFlow):
        raise EditRefusedError(problem="constant-flow")
    if mode_of(program) is to:
        return program
    match to:
        case Mode.STOPPED:
            return Program(Stopped())
        case Mode.MINIMUM if pump.minimum_rate is None:
            raise EditRefusedError(problem="no-minimum-rate", pump=pump.slug)
        case Mode.MINIMUM:
            return replace(program, delivery=MinimumRate())
    try:
        daily = figures_of(program, pump, concentration).achieved_daily
    except NoCourseError as error:
        raise EditRefusedError(**error.values) from None
    floor = concentration.dose_rate_at(pump.minimum_rate) if pump.minimum_rate is not None else DoseRate.zero()
    lowest = concentration.dose_rate_at(pump.min_flow)
    match to:
        case Mode.SIMPLE:
            delivery: Delivery = SimpleContinuous(nearest_dose(daily, increment).per_day())
        case Mode.FLEX:
            delivery = _flex(program.delivery, floor, lowest)
        case Mode.PERIODIC:
            delivery = _periodic(program.delivery, daily, floor, lowest, increment)
    return replace(program, delivery=delivery)


def _flex(delivery: Delivery, floor: DoseRate, lowest: DoseRate) -> Flex:
    match delivery:
        case PeriodicBolus() as periodic:
            starts = range(periodic.first_at, periodic.first_at + MINUTES_PER_WEEK, periodic.every_min)
            bolus = Bolus(at=0, dose=periodic.dose, duration_min=periodic.duration_min)
            basal = DoseRate.zero() if floor and periodic.basal < lowest else periodic.basal
            return Flex(days_alike(basal, ((start, bolus) for start in starts)))
        case SimpleContinuous(daily_dose=dose):
            return Flex((DayPlan(EVERY_DAY, dose),))
        case _:
            return Flex((DayPlan(EVERY_DAY, DoseRate.zero()),))


def _periodic(
    delivery: Delivery, daily: Fraction, floor: DoseRate, lowest: DoseRate, increment: Mass | None
) -> PeriodicBolus:
    """The boluses keep their sum and the basal rate takes the rest; where the pump would not run that, they take it."""
    boluses = _boluses(delivery)
    if not boluses:
        return PeriodicBolus(
            basal=nearest_dose(daily, increment).per_day(),
            dose=Mass.zero(),
            duration_min=MINUTES_PER_DAY,
            every_min=MINUTES_PER_DAY,
        )
    every = _interval(len(boluses))
    written = _as_written(delivery, boluses, every)
    if written is not None:
        return written
    a_day = Fraction(MINUTES_PER_DAY, every)
    given = Fraction(sum(bolus.dose.quanta for _, bolus in boluses), 7)
    dose = nearest_dose(given / a_day, increment)
    basal = max(nearest_dose(daily - dose.quanta * a_day, increment), Mass.zero()).per_day()
    if basal < lowest:
        basal = DoseRate.zero()
        dose = nearest_dose(max((daily - floor.quanta) / a_day, Fraction(0)), increment)
    return PeriodicBolus(
        basal=basal,
        dose=dose,
        duration_min=min(every, max(bolus.duration_min for _, bolus in boluses)),
        every_min=every,
        first_at=min(minute for minute, _ in boluses) % MINUTES_PER_DAY,
    )


def _as_written(delivery: Delivery, boluses: list[tuple[int, Bolus]], every_min: int) -> PeriodicBolus | None:
    """The day plans as the periodic program that they already are, number by number; ``None`` where they are not."""
    if not isinstance(delivery, Flex) or len({plan.basal for plan in delivery.plans}) > 1:
        return None
    first, bolus = min(boluses, key=lambda timed_bolus: timed_bolus[0])
    if first >= MINUTES_PER_DAY or any(plan.steps for plan in delivery.plans):
        return None
    periodic = PeriodicBolus(delivery.plans[0].basal, bolus.dose, bolus.duration_min, every_min, first)
    starts = range(first, first + MINUTES_PER_WEEK, every_min)
    same = sorted((minute, each.dose, each.duration_min) for minute, each in boluses)
    return periodic if same == [(start, bolus.dose, bolus.duration_min) for start in starts] else None


def _boluses(delivery: Delivery) -> list[tuple[int, Bolus]]:
    """A week's boluses that give anything, each at its minute."""
    if not isinstance(delivery, Flex):
        return []
    return [(minute, item) for minute, item in timed(delivery.plans) if isinstance(item, Bolus) and item.dose]


def _interval(boluses_a_week: int) -> int:
    """The largest whole interval that divides the week and gives no fewer boluses."""
    longest = max(MINUTES_PER_WEEK // boluses_a_week, 1)
    return next(every for every in range(longest, 0, -1) if MINUTES_PER_WEEK % every == 0)
