"""What is in the pump beside what would be sent, item by item.

Law: every setting that goes over the wire has its row, and derived totals are always among them; a row
whose two sides are equal says so. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from app.models.catalogue import PumpModel
from app.models.course import NoCourseError, ProgramFigures, figures_of
from app.models.formats import plain, rounded, show_concentration, show_mass, show_volume, with_unit
from app.models.program import (
    Bolus,
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
from app.models.quantities import MINUTES_PER_DAY, Mass

_DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Change:
    """By how much a number changes: ``absolute`` in the row's unit; ``factor`` is ``None`` from zero."""

    absolute: Fraction
    factor: Fraction | None
    unit: str

    @property
    def percent(self) -> Fraction | None:
        return None if self.factor is None else (self.factor - 1) * 100


@dataclass(frozen=True, slots=True)
class Row:
    """One item as text on both sides; ``change`` only where it is a number that differs on both."""

    item: str
    old: str
    new: str
    change: Change | None = None
    derived: bool = False

    @property
    def changed(self) -> bool:
        return self.old != self.new


def mode_name(program: Program) -> str:
    """The field's own word for how the program delivers."""
    match program.delivery:
        case SimpleContinuous():
            return "simple continuous"
        case Flex(plans=plans):
            return "flex" if len(plans) == 1 else "flex by weekday"
        case PeriodicBolus():
            return "periodic bolus"
        case MinimumRate():
            return "minimum rate"
        case Stopped():
            return "stopped"
        case ConstantFlow():
            return "constant flow"


def compare(old: PumpSettings, new: PumpSettings, pump: PumpModel) -> tuple[Row, ...]:
    """All rows: settings first, then what they come to.

    Raises: NoCourseError: one of the two programs cannot run on this pump.
    """
    return (*_setting_rows(old, new), *_derived_rows(old, new, pump))


def _setting_rows(old: PumpSettings, new: PumpSettings) -> Iterator[Row]:
    yield Row("Drug", old.drug, new.drug)
    yield _number_row(
        "Concentration",
        old.concentration.in_mcg_per_ml,
        new.concentration.in_mcg_per_ml,
        "mcg/mL",
    )
    yield Row("Mode", mode_name(old.program), mode_name(new.program))
    lines = (program_lines(old.program), program_lines(new.program))
    for name in dict.fromkeys([*lines[0], *lines[1]]):
        yield Row(name, lines[0].get(name, NOTHING), lines[1].get(name, NOTHING))
    yield Row("Low-reservoir alarm at", show_volume(old.low_alarm), show_volume(new.low_alarm))
    if new.bridge is not None or old.bridge is not None:
        yield Row("Bridge bolus", _bridge(old), _bridge(new))


def _bridge(settings: PumpSettings) -> str:
    if settings.bridge is None:
        return NOTHING
    return f"{with_unit(rounded(settings.bridge.volume.in_ml, 3), 'mL')} over {duration(settings.bridge.duration_min)}"


def program_lines(program: Program) -> dict[str, str]:
    """Each part of a program under its own name, as text."""
    return dict(_delivery_lines(program)) | dict(_patient_lines(program))


def _delivery_lines(program: Program) -> Iterator[tuple[str, str]]:
    match program.delivery:
        case SimpleContinuous(daily_dose=dose):
            yield "Rate", _per_day_and_hour(dose.in_mcg_per_day)
        case PeriodicBolus() as periodic:
            yield "Basal rate", _per_day_and_hour(periodic.basal.in_mcg_per_day)
            yield (
                "Periodic bolus",
                f"{show_mass(periodic.dose)} over {duration(periodic.duration_min)}, "
                f"every {duration(periodic.every_min)} from {clock(periodic.first_at)}: {_in_a_day(periodic)}",
            )
        case Flex(plans=plans):
            for plan in plans:
                yield from _plan_lines(plan, "" if len(plans) == 1 else f"{day_names(plan)}: ")
        case ConstantFlow(flow=flow) if flow is not None:
            yield "Flow", with_unit(plain(flow.in_ml_per_day), "mL/day")
        case _:
            return


def _in_a_day(periodic: PeriodicBolus) -> str:
    """How often a day the bolus comes, the mean over the week, and what that makes. Source: U-09."""
    times = Fraction(MINUTES_PER_DAY, periodic.every_min)
    total = with_unit(rounded(periodic.dose.in_mcg * times, 3), "mcg/day")
    return f"{rounded(times, 2)} a day = {total}"


def _plan_lines(plan: DayPlan, prefix: str) -> Iterator[tuple[str, str]]:
    yield f"{prefix}Basal rate", _per_day_and_hour(plan.basal.in_mcg_per_day)
    for bolus in sorted(plan.boluses, key=lambda bolus: bolus.at):
        yield f"{prefix}Bolus at {clock(bolus.at)}", _pulse(bolus)
    for step in sorted(plan.steps, key=lambda step: step.at):
        yield f"{prefix}Step from {clock(step.at)}", _pulse(step)


def _patient_lines(program: Program) -> Iterator[tuple[str, str]]:
    patient = program.patient_activated
    if patient is not None:
        yield (
            "Patient-activated bolus",
            f"{show_mass(patient.dose)} over {duration(patient.duration_min)}, "
            f"lockout {duration(patient.lockout_min)}, at most {patient.max_per_day} a day",
        )


def _pulse(pulse: Bolus | Step) -> str:
    return f"{show_mass(pulse.dose)} over {duration(pulse.duration_min)}"


def _derived_rows(old: PumpSettings, new: PumpSettings, pump: PumpModel) -> Iterator[Row]:
    before, after = _figures(old, pump), _figures(new, pump)
    yield _number_row("Daily dose", _mcg(before.achieved_daily), _mcg(after.achieved_daily), "mcg/day", derived=True)
    by_day = (before.achieved.by_day(), after.achieved.by_day())
    if any(len(set(days)) > 1 for days in by_day):
        for day, (was, will) in enumerate(zip(*by_day, strict=True)):
            yield _number_row(f"Dose on {_DAY_NAMES[day]}", _mcg(was), _mcg(will), "mcg", derived=True)
    yield _number_row(
        "Mean per hour", _mcg(before.achieved_daily) / 24, _mcg(after.achieved_daily) / 24, "mcg/h", derived=True
    )
    if before.activated_per_day or after.activated_per_day:
        yield _number_row("Daily dose, worst case", _mcg(before.worst_daily), _mcg(after.worst_daily), "mcg/day",
                          derived=True)  # fmt: skip
    bolus = [Fraction(largest_bolus(settings.program).quanta) for settings in (old, new)]
    yield _number_row("Largest bolus", _mcg(bolus[0]), _mcg(bolus[1]), "mcg", derived=True)
    count = [boluses_per_day(settings.program) for settings in (old, new)]
    yield _number_row("Boluses a day", count[0], count[1], "a day", derived=True)
    yield _number_row("Largest in 60 min", _mcg(before.max_60min), _mcg(after.max_60min), "mcg", derived=True)
    yield _number_row("Largest in 4 h", _mcg(before.max_4h), _mcg(after.max_4h), "mcg", derived=True)
    yield _number_row(
        "Mean flow",
        before.achieved_daily / old.concentration.quanta / 10**9,
        after.achieved_daily / new.concentration.quanta / 10**9,
        "mL/day",
        derived=True,
    )


def _figures(settings: PumpSettings, pump: PumpModel) -> ProgramFigures:
    return figures_of(settings.program, pump, settings.concentration)


def _mcg(quanta: Fraction) -> Fraction:
    return quanta / Mass.PER_MCG


def _number_row(item: str, old: Fraction, new: Fraction, unit: str, *, derived: bool = False) -> Row:
    change = None if old == new else Change(new - old, new / old if old else None, unit)
    return Row(item, with_unit(rounded(old, 3), unit), with_unit(rounded(new, 3), unit), change, derived)


def dates_row(item: str, old: datetime | None, new: datetime | None) -> Row:
    """A row of two moments on the pump's clock."""
    return Row(item, moment(old), moment(new), derived=True)


def largest_bolus(program: Program) -> Mass:
    """The largest single bolus of any kind; zero where there is none."""
    doses = [Mass.zero()]
    match program.delivery:
        case Flex(plans=plans):
            doses += (bolus.dose for plan in plans for bolus in plan.boluses)
        case PeriodicBolus(dose=dose):
            doses.append(dose)
        case _:
            pass
    if program.patient_activated is not None:
        doses.append(program.patient_activated.dose)
    return max(doses)


def boluses_per_day(program: Program) -> Fraction:
    """Programmed boluses in 24 h, the mean over the week."""
    match program.delivery:
        case Flex(plans=plans):
            return Fraction(sum(len(plan.boluses) * len(plan.days) for plan in plans), 7)
        case PeriodicBolus(every_min=every):
            return Fraction(1440, every)
        case _:
            return Fraction(0)


def clock(minute: int) -> str:
    """A time of day, ``06:05``."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def duration(minutes: int) -> str:
    """Minutes in words: ``5 min``, ``6 h``, ``1 h 30 min``, ``2 d 3 h``."""
    days, rest = divmod(minutes, 1440)
    hours, left = divmod(rest, 60)
    parts = [with_unit(str(n), unit) for n, unit in ((days, "d"), (hours, "h"), (left, "min")) if n]
    return " ".join(parts) or with_unit("0", "min")


def moment(at: datetime | None) -> str:
    """A moment for reading: ``14 Mar 2026 06:05``; never blank."""
    return "unknown" if at is None else f"{at.day}\u00a0{at:%b}\u00a0{at.year} {at:%H:%M}"


def day_names(plan: DayPlan) -> str:
    """``Mon–Fri`` for a run of days, ``Mon, Wed`` otherwise."""
    days = sorted(plan.days)
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{_DAY_NAMES[days[0]]}–{_DAY_NAMES[days[-1]]}"
    return ", ".join(_DAY_NAMES[day] for day in days)


def _spoken(program: Program) -> Iterator[str]:
    """The parts of a program for a sentence: boluses and steps that are alike are told together."""
    if not isinstance(program.delivery, Flex):
        yield from (f"{name.lower()} {text}" for name, text in program_lines(program).items())
        return
    plans = program.delivery.plans
    for plan in plans:
        prefix = "" if len(plans) == 1 else f"{day_names(plan)}: "
        yield f"{prefix}basal rate {_per_day_and_hour(plan.basal.in_mcg_per_day)}"
        yield from _alike("bolus", "boluses", "at", plan.boluses)
        yield from _alike("step", "steps", "from", plan.steps)
    yield from (f"{name.lower()} {text}" for name, text in _patient_lines(program))


def _alike(one: str, many: str, word: str, pulses: Sequence[Bolus | Step]) -> Iterator[str]:
    times: dict[str, list[str]] = {}
    for pulse in sorted(pulses, key=lambda pulse: pulse.at):
        times.setdefault(_pulse(pulse), []).append(clock(pulse.at))
    for pulse_text, at in times.items():
        if len(at) == 1:
            yield f"{one} {word} {at[0]} {pulse_text}"
        else:
            yield f"{len(at)} {many} of {pulse_text} {word} {', '.join(at)}"


def _per_day_and_hour(mcg_per_day: Fraction) -> str:
    return f"{with_unit(rounded(mcg_per_day, 3), 'mcg/day')} = {with_unit(rounded(mcg_per_day / 24, 3), 'mcg/h')}"


def sentence_of(settings: PumpSettings, pump: PumpModel) -> str:
    """The program in one plain sentence, as the pump runs it."""
    try:
        figures = _figures(settings, pump)
    except NoCourseError:
        return f"{mode_name(settings.program)}: this program cannot run on this pump"
    parts = "; ".join(_spoken(settings.program))
    total = with_unit(rounded(_mcg(figures.achieved_daily), 3), "mcg/day")
    flow = with_unit(rounded(figures.achieved_daily / settings.concentration.quanta / 10**9, 4), "mL/day")
    body = f"{parts}; " if parts else ""
    return (
        f"{settings.drug} {show_concentration(settings.concentration)}, {mode_name(settings.program)}: "
        f"{body}in total {total}, {flow}"
    )
