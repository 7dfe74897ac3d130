"""Evaluate documents about one refill: program, residual, fill, bridge, prime.

Law: a field that cannot be computed is ``null``, and a finding says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Any

from pydantic import Field

from app.documents.fields import (
    ConcentrationMcgPerMl,
    Document,
    DoseMcg,
    Moment,
    Name,
    Number,
    RefusedError,
    VolumeMl,
    one_of,
)
from app.documents.parts import CatheterPart, ClinicalPart, ProgramPart, PumpPart, ReservoirPart, drug_of
from app.models.catalogue import Catalogue, Drug, PumpModel
from app.models.comparison import sentence_of
from app.models.course import NoCourseError, ProgramFigures, changes_per_day, course_of, figures_of, wished_plan
from app.models.filling import mix, pocket_fill_limit_name
from app.models.findings import Finding, Severity
from app.models.formats import plain
from app.models.guardrails import (
    bridge_findings,
    concentration_findings,
    mixture_findings,
    overfill_findings,
    pocket_fill_findings,
    prime_findings,
    residual_findings,
    told_volume_findings,
)
from app.models.guardrails_program import Occasion, periodic_daily, program_findings
from app.models.program import PeriodicBolus, Program
from app.models.pump import PumpSettings
from app.models.quantities import Concentration, Flow, Mass, Volume
from app.models.reservoir import (
    FlowSpan,
    ReservoirDates,
    battery_end,
    judge_residual,
    refill_by,
    reservoir_dates,
    theoretical_reservoir,
)
from app.models.rule_texts import sentence
from app.models.transition import (
    Prescription,
    PrimeExtent,
    PrimeReason,
    bridge,
    bridge_needed,
    exact_bridge_flow,
    path_volume_ml,
    prime,
)

Answer = dict[str, Any]


def findings_json(findings: Iterable[Finding]) -> list[Answer]:
    """Findings as the promise has them."""
    return [
        {
            "rule": finding.rule,
            "severity": finding.severity.value,
            "message": sentence(finding).replace("\u00a0", " "),
            "values": dict(finding.values),
        }
        for finding in findings
    ]


def _text(value: Fraction | int | None) -> str | None:
    return None if value is None else plain(value)


def _mcg(yg: Fraction | None) -> str | None:
    return None if yg is None else plain(yg / Mass.PER_MCG)


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="minutes")


# -- program -------------------------------------------------------------------------------------------------


class PreviousPart(Document):
    """The program before, for what the rules say about a switch."""

    program: ProgramPart
    concentration_mcg_per_ml: ConcentrationMcgPerMl | None = None


class ProgramDocument(Document):
    pump: PumpPart
    reservoir: ReservoirPart
    clinical: ClinicalPart | None = None
    program: ProgramPart
    previous: PreviousPart | None = None


def answer_program(document: ProgramDocument, catalogue: Catalogue) -> Answer:
    """What a program comes to, and by when the reservoir must be refilled."""
    pump = document.pump.to_domain(catalogue)
    reservoir = document.reservoir
    drug = drug_of(reservoir.drug, catalogue, "reservoir.drug")
    concentration = reservoir.concentration_mcg_per_ml
    program = document.program.to_domain(document.pump.flow())
    figures = _figures(program, pump, concentration)
    low_alarm = reservoir.low_alarm_ml if reservoir.low_alarm_ml is not None else pump.low_alarm
    dates = _dates(reservoir, figures, low_alarm, pump)
    due = _refill_by(document, pump, drug, dates)
    settings = PumpSettings(drug.slug, concentration, program, low_alarm)
    findings = [
        *concentration_findings(drug, concentration),
        *program_findings(program, pump, drug, concentration, catalogue, occasion=_occasion(document, pump)),
        *mixture_findings(drug),
        *overfill_findings(pump, left=Volume.zero(), injected=reservoir.volume_ml),
        *_interval(reservoir.filled_at, due, catalogue),
    ]
    return {
        **_doses(program, figures, concentration),
        "changes_per_day": changes_per_day(program),
        "low_reservoir_at": _moment(dates.low_at if dates else None),
        "empty_at": _moment(dates.empty_at if dates else None),
        "earliest_empty_at": _moment(dates.earliest_empty_at if dates else None),
        "refill_by": due,
        "sentence": sentence_of(settings, pump).replace("\u00a0", " ") if concentration else None,
        "findings": findings_json(findings),
    }


def _figures(program: Program, pump: PumpModel, concentration: Concentration) -> ProgramFigures | None:
    try:
        return figures_of(program, pump, concentration)
    except NoCourseError:
        return None


def _doses(program: Program, figures: ProgramFigures | None, concentration: Concentration) -> Answer:
    daily = figures.daily if figures else None
    if figures is None and isinstance(program.delivery, PeriodicBolus):
        daily = periodic_daily(program.delivery)
    achieved = figures.achieved_daily if figures else None
    worst = figures.worst_daily if figures else None
    return {
        "daily_dose_mcg": _mcg(daily),
        "achieved_daily_dose_mcg": _mcg(achieved),
        "by_day": [_mcg(day) for day in figures.achieved.by_day()] if figures else None,
        "mean_flow_ml_per_day": _text(_flow(achieved, concentration)),
        "worst_case_daily_dose_mcg": _mcg(worst),
        "worst_case_flow_ml_per_day": _text(_flow(worst, concentration)),
        "max_60min_mcg": _mcg(figures.max_60min if figures else None),
        "max_4h_mcg": _mcg(figures.max_4h if figures else None),
    }


def _flow(yg_per_day: Fraction | None, concentration: Concentration) -> Fraction | None:
    if yg_per_day is None or not concentration:
        return None
    return yg_per_day / concentration.quanta / Flow.PER_ML_PER_DAY


def _dates(
    reservoir: ReservoirPart, figures: ProgramFigures | None, low_alarm: Volume, pump: PumpModel
) -> ReservoirDates | None:
    if figures is None or not reservoir.concentration_mcg_per_ml:
        return None
    return reservoir_dates(
        volume=reservoir.volume_ml,
        filled_at=reservoir.filled_at,
        low_alarm=low_alarm,
        worst_course=figures.worst_course,
        concentration=reservoir.concentration_mcg_per_ml,
        accuracy_percent=pump.accuracy_percent,
    )


def _refill_by(document: ProgramDocument, pump: PumpModel, drug: Drug, dates: ReservoirDates | None) -> Answer | None:
    filled_at, implanted_on = document.reservoir.filled_at, document.pump.implanted_on
    ends = battery_end(pump, implanted_on) if implanted_on is not None else None
    due = refill_by(
        low_at=dates.low_at if dates else None,
        filled_at=filled_at,
        stability_days=drug.stability_days,
        battery_end=datetime.combine(ends, time(), tzinfo=filled_at.tzinfo) if ends else None,
    )
    return {"at": _moment(due.at), "limited_by": due.limited_by.value} if due else None


def _interval(filled_at: datetime, due: Answer | None, catalogue: Catalogue) -> list[Finding]:
    """Source: REF-09."""
    if due is None:
        return []
    days = (datetime.fromisoformat(due["at"]) - filled_at) / timedelta(days=1)
    if days >= catalogue.rule("ref_09_short_interval_days"):
        return []
    return [Finding("REF-09", Severity.NOTE, "short-interval", {"days": int(days)})]


def _occasion(document: ProgramDocument, pump: PumpModel) -> Occasion:
    previous = before = None
    if document.previous is not None:
        previous = document.previous.program.to_domain(document.pump.flow())
        concentration = document.previous.concentration_mcg_per_ml or document.reservoir.concentration_mcg_per_ml
        try:
            before = course_of(wished_plan(previous, pump, concentration)).per_day
        except NoCourseError:
            before = None
    return Occasion(document.program.reason or "", document.program.walks, previous, before)


# -- residual ------------------------------------------------------------------------------------------------


class FilledPart(Document):
    volume_ml: VolumeMl
    at: Moment


class SpanPart(Document):
    from_: Annotated[Moment, Field(alias="from")]
    to: Moment
    flow_ml_per_day: Number


class ResidualDocument(Document):
    pump: PumpPart
    filled: FilledPart
    spans: list[SpanPart]
    at: Moment
    aspirated_ml: VolumeMl


def answer_residual(document: ResidualDocument, catalogue: Catalogue) -> Answer:
    """What came out beside what should have."""
    pump = document.pump.to_domain(catalogue)
    spans = _spans(document)
    filled, aspirated = document.filled.volume_ml, document.aspirated_ml
    expected = theoretical_reservoir(filled, spans)
    judgement = judge_residual(
        filled=filled,
        expected_pl=expected.exact_pl,
        actual=aspirated,
        accuracy_percent=pump.accuracy_percent,
        limit=Volume.ml(catalogue.rule("ref_02_volume_ml")),
    )
    findings = residual_findings(
        pump,
        catalogue,
        filled=filled,
        filled_at=document.filled.at,
        at=document.at,
        expected=expected,
        aspirated=aspirated,
    )
    return {
        "expected_ml": plain(expected.exact_pl / Volume.PER_ML),
        "difference_ml": plain(judgement.difference_pl / Volume.PER_ML),
        "delivery_error_percent": _text(None if judgement.error is None else judgement.error * 100),
        "verdict": judgement.verdict.value,
        "findings": findings_json(findings),
    }


def _spans(document: ResidualDocument) -> list[FlowSpan]:
    moments = [document.filled.at, document.at, *(part.from_ for part in document.spans)]
    moments += [part.to for part in document.spans]
    if len({moment.tzinfo is None for moment in moments}) > 1:
        raise RefusedError("times with and without an offset are mixed", "at")
    if document.at < document.filled.at:
        raise RefusedError("before the fill", "at")
    for number, part in enumerate(document.spans):
        if part.to <= part.from_:
            raise RefusedError("not after its beginning", f"spans[{number}].to")
        if part.from_ < document.filled.at:
            raise RefusedError("before the fill", f"spans[{number}].from")
        if part.to > document.at:
            raise RefusedError("after the moment of the residual", f"spans[{number}].to")
    ordered = sorted(enumerate(document.spans), key=lambda pair: pair[1].from_)
    for (_, before), (number, after) in pairwise(ordered):
        if after.from_ < before.to:
            raise RefusedError("overlaps another span", f"spans[{number}].from")
    return [FlowSpan(part.from_, part.to, Flow.ml_per_day(part.flow_ml_per_day)) for part in document.spans]


# -- fill ----------------------------------------------------------------------------------------------------


class RinsePart(Document):
    volume_ml: VolumeMl


class FillDocument(Document):
    pump: PumpPart
    drug: Name = "baclofen"
    left_ml: VolumeMl
    left_concentration_mcg_per_ml: ConcentrationMcgPerMl
    injected_ml: VolumeMl
    concentration_mcg_per_ml: ConcentrationMcgPerMl
    programmed_volume_ml: VolumeMl
    rinses: tuple[RinsePart, ...] = ()
    reaspirated_ml: VolumeMl | None = None


def answer_fill(document: FillDocument, catalogue: Catalogue) -> Answer:
    """What is in the reservoir after a fill."""
    pump = document.pump.to_domain(catalogue)
    drug = drug_of(document.drug, catalogue, "drug")
    mixture = mix(
        left=document.left_ml,
        left_concentration=document.left_concentration_mcg_per_ml,
        injected=document.injected_ml,
        concentration=document.concentration_mcg_per_ml,
        rinses=[rinse.volume_ml for rinse in document.rinses],
    )
    error = mixture.error_from(document.concentration_mcg_per_ml)
    findings = [
        *concentration_findings(drug, document.concentration_mcg_per_ml),
        *overfill_findings(pump, left=document.left_ml, injected=document.injected_ml),
        *told_volume_findings(catalogue, reservoir=mixture.volume, programmed=document.programmed_volume_ml),
    ]
    if document.reaspirated_ml is not None:
        findings += pocket_fill_findings(
            pump,
            catalogue,
            reservoir=mixture.volume,
            reaspirated=document.reaspirated_ml,
            limit_name=pocket_fill_limit_name(pump),
        )
    concentration = mixture.concentration
    return {
        "reservoir_ml": plain(mixture.volume.in_ml),
        "mixed_concentration_mcg_per_ml": _text(
            None if concentration is None else concentration / Concentration.PER_MCG_PER_ML
        ),
        "mixed_error_percent": _text(None if error is None else error * 100),
        "findings": findings_json(findings),
    }


# -- bridge and prime ----------------------------------------------------------------------------------------


class PrescriptionPart(Document):
    drug: Name
    concentration_mcg_per_ml: ConcentrationMcgPerMl
    daily_dose_mcg: DoseMcg

    def to_domain(self) -> Prescription:
        return Prescription(self.drug, self.concentration_mcg_per_ml, self.daily_dose_mcg)


class BridgeDocument(Document):
    pump: PumpPart
    catheter: CatheterPart
    old: PrescriptionPart
    new: PrescriptionPart


def answer_bridge(document: BridgeDocument, catalogue: Catalogue) -> Answer:
    """The bridge bolus between two solutions, and what would happen without it."""
    pump = document.pump.to_domain(catalogue)
    catheter = document.catheter.to_domain(catalogue)
    for side in ("old", "new"):
        drug_of(getattr(document, side).drug, catalogue, f"{side}.drug")
    old, new = document.old.to_domain(), document.new.to_domain()
    findings = bridge_findings(
        pump, catalogue, old=old, new=new, catheter_ml=catheter.volume_ml, segments=catheter.segments
    )
    if not bridge_needed(old, new):
        return {"needed": False, "findings": findings_json(findings)}
    path = path_volume_ml(pump, catheter.volume_ml)
    bridged = bridge(old, new, path) if path is not None else None
    same_drug = old.drug == new.drug
    flow, next_flow = exact_bridge_flow(old), exact_bridge_flow(new)
    return {
        "needed": True,
        "path_volume_ml": _text(path),
        "flow_ml_per_day": _text(flow),
        "duration_min": bridged.duration_min if bridged else None,
        "old_drug_mcg": _text(bridged.old_drug_mcg if bridged else None),
        "as_new_mcg": _text(bridged.as_new_mcg if bridged else None),
        "next_flow_ml_per_day": _text(next_flow),
        "without_bridge": {
            "factor": _text(bridged.without_factor),
            "daily_dose_mcg": _text(bridged.without_daily_mcg),
            "hours": _text(bridged.without_hours),
        }
        if bridged is not None and same_drug
        else None,
        "findings": findings_json(findings),
    }


class PrimeDocument(Document):
    pump: PumpPart
    catheter: CatheterPart
    extent: Annotated[str, one_of("full", "catheter")]
    concentration_mcg_per_ml: ConcentrationMcgPerMl
    reason: Annotated[str, one_of("implant", "revision", "aspirated", "other")]


def answer_prime(document: PrimeDocument, catalogue: Catalogue) -> Answer:
    """The priming bolus."""
    pump = document.pump.to_domain(catalogue)
    catheter = document.catheter.to_domain(catalogue)
    extent = PrimeExtent(document.extent)
    primed = prime(pump, catheter.volume_ml, extent, document.concentration_mcg_per_ml)
    findings = prime_findings(
        pump,
        extent=extent,
        reason=PrimeReason(document.reason),
        catheter_ml=catheter.volume_ml,
        segments=catheter.segments,
    )
    return {
        "volume_ml": _text(primed.volume_ml if primed else None),
        "dose_mcg": _text(primed.dose_mcg if primed else None),
        "duration_min": primed.duration_min if primed else None,
        "findings": findings_json(findings),
    }


KINDS: dict[str, tuple[type[Document], Callable[[Any, Catalogue], Answer]]] = {
    "program": (ProgramDocument, answer_program),
    "residual": (ResidualDocument, answer_residual),
    "fill": (FillDocument, answer_fill),
    "bridge": (BridgeDocument, answer_bridge),
    "prime": (PrimeDocument, answer_prime),
}
