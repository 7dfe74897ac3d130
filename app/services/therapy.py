"""What a patient is getting now: drug, dose, what is left, and by when the pump must be refilled.

Law: everything here follows from verified programs and fills on record; what is not on record is ``None`` and
is said to be unknown, never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import IntEnum
from fractions import Fraction

from app.models.catalogue import Catalogue, PumpKind, PumpModel
from app.models.circumstances import NOTHING_KNOWN, Circumstances, RiskReason, risk_reasons
from app.models.course import NoCourseError, ProgramFigures, achieved_plan, course_of, figures_of
from app.models.patient import Implant, Patient
from app.models.pump import PumpSettings
from app.models.quantities import Mass, Volume
from app.models.records import Fill, ProgramRecord, TherapyRecord
from app.models.reservoir import (
    CourseSpan,
    FlowSpan,
    RefillBy,
    ReservoirDates,
    TheoreticalReservoir,
    battery_end,
    minutes_between,
    refill_terms,
    reservoir_dates,
    theoretical_reservoir,
)
from app.models.second_engine import ProgramSpan
from app.models.solution_outlook import BridgeNote, bridge_note


class Urgency(IntEnum):
    """How soon a patient must be seen, most urgent first."""

    EMPTY = 0
    OVERDUE = 1
    SOON = 2
    UPCOMING = 3
    LATER = 4
    UNKNOWN = 5


@dataclass(frozen=True, slots=True)
class Therapy:
    """One patient's therapy at one moment of the pump's clock.

    ``reservoir`` is what should be left at ``at``; ``settings`` what the pump runs; ``figures`` what that comes to.
    ``program_since`` is since when it runs that program, whatever else was set meanwhile. ``terms`` are all that
    ``refill_by`` is the earliest of; ``risks`` why an interruption would be worse for this patient (rule REF-15).
    ``bridge`` is the bridge bolus that runs at ``at``, before the program (rule SR-09).
    """

    patient: Patient
    implant: Implant | None
    model: PumpModel | None
    fill: Fill | None
    settings: PumpSettings | None
    figures: ProgramFigures | None
    reservoir: TheoreticalReservoir | None
    dates: ReservoirDates | None
    refill_by: RefillBy | None
    battery_end: date | None
    appointment_on: date | None
    urgency: Urgency
    at: datetime
    program_since: datetime | None = None
    terms: tuple[RefillBy, ...] = ()
    risks: tuple[RiskReason, ...] = ()
    circumstances: Circumstances = NOTHING_KNOWN
    bridge: BridgeNote | None = None

    @property
    def telemetry(self) -> bool:
        """Whether the pump can be interrogated and programmed."""
        return self.model is not None and self.model.kind is PumpKind.PROGRAMMABLE

    @property
    def high_risk(self) -> bool:
        """Whether an interruption would be worse for this patient than for others. Source: REF-15."""
        return bool(self.risks)

    @property
    def days_left(self) -> int | None:
        """Whole days until the refill-by date, rounded down; negative once it has passed."""
        if self.refill_by is None:
            return None
        return (self.refill_by.at - self.at) // timedelta(days=1)


def therapy_of(record: TherapyRecord, catalogue: Catalogue, *, at: datetime) -> Therapy:
    """Work out a patient's therapy. ``at`` is on the pump's clock, without offset."""
    implant = record.implant
    model = catalogue.pump(implant.pump_model) if implant else None
    settings = record.programs[-1].settings if record.programs else None
    if implant is None or model is None or record.fill is None or settings is None:
        return _unknown(record, model, catalogue, at)
    figures = _figures(settings, model)
    spans, boluses = delivery_since(record.fill, record.programs, model, until=at)
    dates = dates_of(record.fill, record.programs, model, figures) if figures else None
    ends = _battery_ends(record, model, catalogue)
    terms = refill_terms(
        low_at=dates.low_at if dates else None,
        earliest_empty_at=dates.earliest_empty_at if dates else None,
        filled_at=record.fill.at,
        stability_days=catalogue.drug(record.fill.drug).stability_days,
        battery_end=datetime.combine(ends, time()) if ends else None,
    )
    due = min(terms, key=lambda term: term.at, default=None)
    return Therapy(
        patient=record.patient,
        implant=implant,
        model=model,
        fill=record.fill,
        settings=settings,
        figures=figures,
        reservoir=theoretical_reservoir(record.fill.volume, spans, boluses=boluses),
        dates=dates,
        refill_by=due,
        battery_end=ends,
        appointment_on=record.appointment_on,
        urgency=_urgency(due, dates, catalogue, at),
        at=at,
        program_since=_program_since(record.programs),
        terms=terms,
        risks=_risks(record, settings, figures, catalogue),
        circumstances=record.circumstances,
        bridge=bridge_note(settings, record.programs[-1].effective_at, at),
    )


def _unknown(record: TherapyRecord, model: PumpModel | None, catalogue: Catalogue, at: datetime) -> Therapy:
    settings = record.programs[-1].settings if record.programs else None
    ends = _battery_ends(record, model, catalogue) if model else None
    figures = _figures(settings, model) if settings and model else None
    return Therapy(
        record.patient, record.implant, model, record.fill, settings, figures,
        None, None, None, ends, record.appointment_on, Urgency.UNKNOWN, at, _program_since(record.programs),
        risks=_risks(record, settings, figures, catalogue), circumstances=record.circumstances,
    )  # fmt: skip


def _battery_ends(record: TherapyRecord, model: PumpModel, catalogue: Catalogue) -> date | None:
    """The end of the service life, or of the time that the battery's own warning leaves, whichever is earlier.

    Source: F-08, LIF-01.
    """
    by_age = battery_end(model, record.implant.implanted_on) if record.implant else None
    warned_on = record.circumstances.eri_on
    if warned_on is None:
        return by_age
    days = model.eri_to_stop_days
    by_warning = warned_on + timedelta(days=int(catalogue.rule("lif_01_replace_days")) if days is None else days)
    return min(by_age, by_warning) if by_age else by_warning


def _risks(
    record: TherapyRecord, settings: PumpSettings | None, figures: ProgramFigures | None, catalogue: Catalogue
) -> tuple[RiskReason, ...]:
    """Source: REF-15; the limit is one of baclofen."""
    counts = settings is not None and figures is not None and "baclofen" in settings.drug.split("+")
    return risk_reasons(
        record.circumstances,
        flagged=record.patient.high_risk,
        daily_mcg=figures.achieved_daily / Mass.PER_MCG if figures is not None and counts else None,
        high_dose_mcg=catalogue.rule("ref_15_high_dose_mcg_per_day"),
    )


def _program_since(programs: Sequence[ProgramRecord]) -> datetime | None:
    """When the latest of ``programs`` began; a refill that kept it is no beginning."""
    since, running = None, programs[-1].settings.program if programs else None
    for record in reversed(programs):
        if record.settings.program != running:
            break
        since = record.effective_at
    return since


def _figures(settings: PumpSettings, model: PumpModel) -> ProgramFigures | None:
    try:
        return figures_of(settings.program, model, settings.concentration)
    except NoCourseError:
        return None


def delivery_since(
    fill: Fill, programs: Sequence[ProgramRecord], model: PumpModel, *, until: datetime
) -> tuple[list[FlowSpan | CourseSpan], list[Volume]]:
    """The spans and one-time boluses that ``programs`` delivered from the fill to ``until`` (pump clock).

    A bridge runs first and the program waits; of a bridge still under way the part delivered so far counts,
    floored to 1 pL.
    """
    spans: list[FlowSpan | CourseSpan] = []
    boluses: list[Volume] = []
    ends = [*(program.effective_at for program in programs[1:]), until]
    for record, end in zip(programs, ends, strict=True):
        start, end = max(record.effective_at, fill.at), min(end, until)
        bridge = record.settings.bridge
        if bridge is not None and bridge.duration_min > 0:
            bridged = record.effective_at + timedelta(minutes=bridge.duration_min)
            part = minutes_between(start, max(start, min(end, bridged))) / bridge.duration_min
            boluses.append(Volume.floor(bridge.volume.quanta * part))
            start = max(start, bridged)
        if start < end:
            spans.append(_course_span(record.settings, model, start, end))
    return spans, boluses


def program_spans(fill: Fill, programs: Sequence[ProgramRecord], *, until: datetime) -> list[ProgramSpan]:
    """The same spans for the second engine, which lays the programs out for itself."""
    spans = []
    ends = [*(program.effective_at for program in programs[1:]), until]
    for record, end in zip(programs, ends, strict=True):
        bridge = record.settings.bridge
        own = record.effective_at + timedelta(minutes=bridge.duration_min if bridge else 0)
        start, end = max(own, fill.at), min(end, until)
        if start < end:
            spans.append(ProgramSpan(start, end, record.settings.program, record.settings.concentration))
    return spans


def _course_span(settings: PumpSettings, model: PumpModel, start: datetime, end: datetime) -> CourseSpan:
    course = course_of(achieved_plan(settings.program, model, settings.concentration))
    return CourseSpan(start, end, course, settings.concentration)


def dates_of(
    fill: Fill, programs: Sequence[ProgramRecord], model: PumpModel, figures: ProgramFigures
) -> ReservoirDates:
    """Low, empty and earliest-empty dates of the last of ``programs``, whose figures are given.

    They are counted from the moment that this program itself runs, after its bridge, with what is left then. The
    boluses that a patient can call are an even flow in the worst course, but may all be called at once: one day's
    allotment is taken off first, so that no order of calling empties the pump before its date. Source: F-07, SR-12.
    """
    latest = programs[-1]
    bridge_min = latest.settings.bridge.duration_min if latest.settings.bridge else 0
    start = max(latest.effective_at + timedelta(minutes=bridge_min), fill.at)
    spans, boluses = delivery_since(fill, programs, model, until=start)
    left = theoretical_reservoir(fill.volume, spans, boluses=boluses).exact_pl
    concentration = latest.settings.concentration
    at_once = figures.activated_per_day / concentration.quanta

    def with_volume(exact_pl: Fraction) -> ReservoirDates:
        return reservoir_dates(
            volume=Volume.floor(max(exact_pl, Fraction(0))),
            filled_at=start,
            low_alarm=latest.settings.low_alarm,
            worst_course=figures.worst_course,
            concentration=concentration,
            accuracy_percent=model.accuracy_percent,
        )

    dates = with_volume(left - at_once)
    if not at_once:
        return dates
    fast = with_volume(left - at_once * (1 + model.accuracy_percent / 100))
    return replace(dates, earliest_empty_at=fast.earliest_empty_at)


def _urgency(due: RefillBy | None, dates: ReservoirDates | None, catalogue: Catalogue, at: datetime) -> Urgency:
    """Source: REF-10, REF-11."""
    if due is None:
        return Urgency.UNKNOWN
    if dates is not None and dates.empty_at is not None and dates.empty_at <= at:
        return Urgency.EMPTY
    if due.at < at:
        return Urgency.OVERDUE
    days = Fraction((due.at - at) // timedelta(minutes=1), 1440)
    if days <= catalogue.rule("ref_10_red_days"):
        return Urgency.SOON
    return Urgency.UPCOMING if days <= catalogue.rule("ref_10_amber_days") else Urgency.LATER
