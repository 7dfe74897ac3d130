"""What the rules say about a program: its daily dose, its windows, its flows, its layout.

Law: each rule that fires is one finding for each thing it concerns. Rules about the daily dose and about windows
use the worst case, with every patient-activated bolus that lockout and maximum allow. Ids: docs/clinical-rules.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from app.models.catalogue import Catalogue, Drug, PumpKind, PumpModel
from app.models.comparison import clock, day_names
from app.models.course import NoCourseError, ProgramFigures, Pulse, changes_on, figures_of, overlaps
from app.models.findings import Finding, Severity
from app.models.formats import plain, rounded
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
)
from app.models.quantities import MINUTES_PER_DAY, Concentration, Flow, Mass


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why a program is wanted, where that is known: ``reason`` (``tolerance``, ``resensitisation``, …), whether the
    patient walks, and the program and daily dose (yg) before."""

    reason: str = ""
    walks: bool = False
    previous: Program | None = None
    previous_daily: Fraction | None = None


def program_findings(
    program: Program,
    pump: PumpModel,
    drug: Drug,
    concentration: Concentration,
    catalogue: Catalogue,
    *,
    occasion: Occasion | None = None,
) -> tuple[Finding, ...]:
    """Everything that the rules say about a program on this pump."""
    return tuple(_program(program, pump, drug, concentration, catalogue, occasion or Occasion()))


def _program(
    program: Program,
    pump: PumpModel,
    drug: Drug,
    concentration: Concentration,
    catalogue: Catalogue,
    occasion: Occasion,
) -> Iterator[Finding]:
    try:
        figures = figures_of(program, pump, concentration)
    except NoCourseError:
        figures = None
    yield from _mode(program, pump)
    yield from _layout(program)
    yield from _changes(program, pump)
    yield from daily_dose_findings(drug, worst_daily(program, figures))
    yield from _boluses(program, drug)
    if figures is not None and concentration:
        yield from _window(figures, drug, catalogue)
        yield from _achieved(program, pump, concentration, figures)
    if concentration:
        yield from _flows(program, pump, concentration)
    yield from _resolution(program, pump, catalogue)
    yield from _occasion(program, figures, catalogue, occasion)


def worst_daily(program: Program, figures: ProgramFigures | None) -> Fraction | None:
    """yg a day in the worst case; without a layout only what the program's numbers add up to, if they do."""
    if figures is not None:
        return figures.worst_daily
    if isinstance(program.delivery, PeriodicBolus):
        return periodic_daily(program.delivery)
    return None


def periodic_daily(periodic: PeriodicBolus) -> Fraction:
    """yg a day of a periodic program whatever its interval: basal plus boluses in 24 h."""
    return periodic.basal.quanta + Fraction(periodic.dose.quanta * MINUTES_PER_DAY, periodic.every_min)


def daily_dose_findings(drug: Drug, yg_per_day: Fraction | int | None) -> Iterator[Finding]:
    """Whether a daily dose is plausible. Source: U-02."""
    if yg_per_day is None:
        return
    values: dict[str, str | int] = {"daily_dose_mcg": rounded(Fraction(yg_per_day) / Mass.PER_MCG, 3)}
    block, confirm = drug.block_daily_dose_above, drug.confirm_daily_dose_above
    if yg_per_day <= 0:
        yield Finding("U-02", Severity.BLOCK, "no-dose", values)
    elif block is not None and yg_per_day > block.quanta:
        values["limit_mcg"] = plain(block.in_mcg_per_day)
        yield Finding("U-02", Severity.BLOCK, "above-limit", values)
    elif confirm is not None and yg_per_day > confirm.quanta:
        values["limit_mcg"] = plain(confirm.in_mcg_per_day)
        yield Finding("U-02", Severity.CONFIRM, "high", values)


def _mode(program: Program, pump: PumpModel) -> Iterator[Finding]:
    """Source: DOS-01, DOS-06."""
    constant = pump.kind is PumpKind.CONSTANT_FLOW
    match program.delivery:
        case ConstantFlow(flow=flow):
            if not constant:
                yield Finding("DOS-01", Severity.BLOCK, "constant-flow-on-programmable", {"pump": pump.name})
            elif flow is None and pump.fixed_flow is None:
                yield Finding("DOS-06", Severity.BLOCK, "flow-unknown", {"pump": pump.name})
        case MinimumRate() if pump.minimum_rate is None:
            yield Finding("DOS-06", Severity.BLOCK, "no-minimum-rate", {"pump": pump.name})
        case _ if constant:
            yield Finding("DOS-01", Severity.BLOCK, "program-on-constant-flow", {"pump": pump.name})


def _layout(program: Program) -> Iterator[Finding]:
    """Whether the parts fit on a week. Source: DOS-03."""
    match program.delivery:
        case Flex(plans=plans):
            yield from _flex_layout(plans)
        case PeriodicBolus(every_min=every, duration_min=duration):
            yield from _length("periodic bolus", duration)
            if (7 * MINUTES_PER_DAY) % every:
                yield Finding("DOS-03", Severity.BLOCK, "interval", {"every_min": every})
            if duration > every:
                values: dict[str, str | int] = {"duration_min": duration, "every_min": every}
                yield Finding("DOS-03", Severity.BLOCK, "longer-than-interval", values)
        case _:
            pass
    patient = program.patient_activated
    if patient is not None:
        yield from _patient_layout(patient)


def _patient_layout(patient: PatientActivated) -> Iterator[Finding]:
    yield from _length("patient-activated bolus", patient.duration_min)
    if patient.lockout_min < patient.duration_min:
        values: dict[str, str | int] = {"lockout_min": patient.lockout_min, "duration_min": patient.duration_min}
        yield Finding("DOS-03", Severity.BLOCK, "lockout", values)


def _flex_layout(plans: Sequence[DayPlan]) -> Iterator[Finding]:
    for plan in plans:
        for bolus in plan.boluses:
            yield from _length(f"bolus at {clock(bolus.at)}", bolus.duration_min)
        for step in plan.steps:
            yield from _length(f"step from {clock(step.at)}", step.duration_min)
    if overlaps(_pulses(plans, steps=True)):
        yield Finding("DOS-03", Severity.BLOCK, "overlapping-steps")
    if overlaps(_pulses(plans, steps=False)):
        yield Finding("DOS-03", Severity.BLOCK, "overlapping-boluses")


def _pulses(plans: Sequence[DayPlan], *, steps: bool) -> list[Pulse]:
    return [
        Pulse(day * MINUTES_PER_DAY + part.at, part.duration_min, Fraction(0))
        for plan in plans
        for day in plan.days
        for part in (plan.steps if steps else plan.boluses)
    ]


def _length(what: str, minutes: int) -> Iterator[Finding]:
    if minutes < 1:
        yield Finding("DOS-03", Severity.BLOCK, "zero-length", {"what": what})
    elif minutes > MINUTES_PER_DAY:
        yield Finding("DOS-03", Severity.BLOCK, "longer-than-a-day", {"what": what, "duration_min": minutes})


def _changes(program: Program, pump: PumpModel) -> Iterator[Finding]:
    """Source: DOS-04."""
    if not isinstance(program.delivery, Flex):
        return
    for plan in program.delivery.plans:
        if changes_on(plan) > pump.max_changes_per_day:
            values: dict[str, str | int] = {
                "changes": changes_on(plan),
                "max_changes": pump.max_changes_per_day,
                "days": day_names(plan),
            }
            yield Finding("DOS-04", Severity.BLOCK, "too-many-changes", values)


def _boluses(program: Program, drug: Drug) -> Iterator[Finding]:
    """Source: DOS-05."""
    limit = drug.confirm_bolus_above
    if limit is None:
        return
    for name, dose in _bolus_doses(program):
        if dose > limit:
            values = {"what": name, "dose_mcg": plain(dose.in_mcg), "limit_mcg": plain(limit.in_mcg)}
            yield Finding("DOS-05", Severity.CONFIRM, "large-bolus", values)


def _bolus_doses(program: Program) -> Iterator[tuple[str, Mass]]:
    match program.delivery:
        case Flex(plans=plans):
            for plan in plans:
                days = f" on {day_names(plan)}" if len(plans) > 1 else ""
                for bolus in plan.boluses:
                    yield f"bolus at {clock(bolus.at)}{days}", bolus.dose
        case PeriodicBolus(dose=dose):
            yield "periodic bolus", dose
        case _:
            pass
    if program.patient_activated is not None:
        yield "patient-activated bolus", program.patient_activated.dose


def _window(figures: ProgramFigures, drug: Drug, catalogue: Catalogue) -> Iterator[Finding]:
    """Source: DOS-05, rolling window. Only for a drug whose bolus limit is known."""
    limit = catalogue.rule("dos_05_window_mcg") * Mass.PER_MCG
    if drug.confirm_bolus_above is not None and figures.max_60min > limit:
        values = {
            "max_60min_mcg": rounded(figures.max_60min / Mass.PER_MCG, 3),
            "limit_mcg": plain(catalogue.rule("dos_05_window_mcg")),
        }
        yield Finding("DOS-05", Severity.CONFIRM, "window", values)


def _achieved(
    program: Program, pump: PumpModel, concentration: Concentration, figures: ProgramFigures
) -> Iterator[Finding]:
    """Where the pump's minimum rate stands in for what is written. Source: DOS-06."""
    if pump.minimum_rate is None or figures.achieved_daily == figures.daily:
        return
    if not isinstance(program.delivery, Flex | PeriodicBolus):
        return
    values = {
        "minimum_rate_ml_per_day": plain(pump.minimum_rate.in_ml_per_day),
        "achieved_basal_mcg_per_day": plain(concentration.dose_rate_at(pump.minimum_rate).in_mcg_per_day),
        "programmed_daily_dose_mcg": rounded(figures.daily / Mass.PER_MCG, 3),
        "achieved_daily_dose_mcg": rounded(figures.achieved_daily / Mass.PER_MCG, 3),
    }
    yield Finding("DOS-06", Severity.CONFIRM, "minimum-rate", values)


def _flows(program: Program, pump: PumpModel, concentration: Concentration) -> Iterator[Finding]:
    """Whether each part's flow can be achieved. Source: DOS-06."""
    periodic = isinstance(program.delivery, PeriodicBolus)
    for what, yg_per_day, is_bolus in _rates(program.delivery, program.patient_activated):
        flow = yg_per_day / concentration.quanta
        values: dict[str, str | int] = {
            "what": what,
            "flow_ml_per_day": rounded(flow / Flow.PER_ML_PER_DAY, 6),
            "min_flow_ml_per_day": plain(pump.min_flow.in_ml_per_day),
            "max_flow_ml_per_day": plain(pump.max_flow.in_ml_per_day),
        }
        stands_in = periodic and not is_bolus and pump.minimum_rate is not None
        if 0 < flow < pump.min_flow.quanta and not is_bolus and not stands_in:
            yield Finding("DOS-06", Severity.BLOCK, "below-minimum", values)
        elif flow > pump.max_flow.quanta:
            yield Finding("DOS-06", Severity.BLOCK, "above-maximum", values)


def _rates(delivery: Delivery, patient: PatientActivated | None) -> Iterator[tuple[str, Fraction, bool]]:
    """(what, yg per day while it lasts, whether it is a bolus) of each part."""
    match delivery:
        case SimpleContinuous(daily_dose=dose):
            yield "simple continuous", Fraction(dose.quanta), False
        case ConstantFlow() | MinimumRate() | Stopped():
            pass
        case PeriodicBolus() as periodic:
            yield "basal rate", Fraction(periodic.basal.quanta), False
            yield from _pulse_rate("periodic bolus", periodic.dose, periodic.duration_min, is_bolus=True)
        case Flex(plans=plans):
            for plan in plans:
                yield from _plan_rates(plan, f" on {day_names(plan)}" if len(plans) > 1 else "")
    if patient is not None:
        yield from _pulse_rate("patient-activated bolus", patient.dose, patient.duration_min, is_bolus=True)


def _plan_rates(plan: DayPlan, days: str) -> Iterator[tuple[str, Fraction, bool]]:
    yield f"basal rate{days}", Fraction(plan.basal.quanta), False
    for bolus in plan.boluses:
        yield from _part_rate(bolus, f"bolus at {clock(bolus.at)}{days}", is_bolus=True)
    for step in plan.steps:
        yield from _part_rate(step, f"step from {clock(step.at)}{days}", is_bolus=False)


def _part_rate(part: Bolus | Step, what: str, *, is_bolus: bool) -> Iterator[tuple[str, Fraction, bool]]:
    yield from _pulse_rate(what, part.dose, part.duration_min, is_bolus=is_bolus)


def _pulse_rate(what: str, dose: Mass, minutes: int, *, is_bolus: bool) -> Iterator[tuple[str, Fraction, bool]]:
    if minutes > 0:
        yield what, Fraction(dose.quanta * MINUTES_PER_DAY, minutes), is_bolus


def _resolution(program: Program, pump: PumpModel, catalogue: Catalogue) -> Iterator[Finding]:
    """Source: DOS-07; only for a pump whose dose increment is known."""
    increment = pump.dose_increment
    if increment is None:
        return
    for what, dose in _ordered_doses(program):
        off = dose.quanta % increment.quanta
        if not off:
            continue
        share = Fraction(min(off, increment.quanta - off) * 100, dose.quanta)
        values = {"what": what, "dose_mcg": plain(dose.in_mcg), "increment_mcg": plain(increment.in_mcg)}
        severe = share > catalogue.rule("dos_07_rounding_percent")
        yield Finding("DOS-07", Severity.BLOCK if severe else Severity.NOTE, "not-an-increment", values)


def _ordered_doses(program: Program) -> Iterator[tuple[str, Mass]]:
    match program.delivery:
        case SimpleContinuous(daily_dose=dose):
            yield "daily dose", dose.per_day()
        case Flex(plans=plans):
            for plan in plans:
                for step in plan.steps:
                    yield f"step from {clock(step.at)}", step.dose
        case _:
            pass
    yield from _bolus_doses(program)


def _occasion(
    program: Program, figures: ProgramFigures | None, catalogue: Catalogue, occasion: Occasion
) -> Iterator[Finding]:
    """Source: DOS-09, DOS-10, DOS-11, DOS-13."""
    flex = isinstance(program.delivery, Flex)
    before = occasion.previous_daily
    if occasion.previous is not None and before and figures is not None:
        switched = type(occasion.previous.delivery) is not type(program.delivery)
        percent = (figures.daily / before - 1) * 100
        if switched and abs(percent) > catalogue.rule("dos_09_change_percent"):
            values = {
                "old_daily_dose_mcg": rounded(before / Mass.PER_MCG, 3),
                "new_daily_dose_mcg": rounded(figures.daily / Mass.PER_MCG, 3),
                "change_percent": rounded(percent, 2),
            }
            yield Finding("DOS-09", Severity.CONFIRM, "switch-changes-dose", values)
    if flex and occasion.reason == "tolerance":
        yield Finding("DOS-10", Severity.NOTE, "flex-for-tolerance")
    if flex and occasion.reason == "resensitisation":
        short, long = (catalogue.rule(f"dos_11_half_life_{name}_h") for name in ("short", "long"))
        values = {"half_life_from_h": plain(short), "half_life_to_h": plain(long)}
        yield Finding("DOS-11", Severity.NOTE, "low-block", values)
    if occasion.walks and flex:
        yield Finding("DOS-13", Severity.NOTE, "walks")
