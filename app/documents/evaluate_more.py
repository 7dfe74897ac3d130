"""Evaluate documents about the course of a therapy: titration, history, taper, curve.

Law: as for the others; the curve is for display only.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from app.documents.evaluate_refill import findings_json
from app.documents.fields import Count, Day, Document, DoseMcg, Flag, Name, Number, RefusedError, one_of, read_number
from app.documents.parts import ClinicalPart, ProgramPart, PumpPart, ReservoirPart, drug_of
from app.models.catalogue import Catalogue
from app.models.course import NoCourseError, achieved_plan, course_of
from app.models.formats import plain
from app.models.guardrails_program import daily_dose_findings
from app.models.pharmacokinetics import MODELS, curve, curve_model, steady_state_mcg_per_ml
from app.models.titration import (
    DoseChange,
    Setting,
    TooManyStepsError,
    taper,
    taper_findings,
    titration_findings,
)
from app.models.tolerance import (
    BolusTest,
    DeviceCheck,
    DeviceTrouble,
    Dose,
    DoseKind,
    History,
    ToneRating,
    ToneScale,
    ToneTarget,
    history_findings,
    judge_reduction,
    judge_tolerance,
)

Answer = dict[str, Any]
_MOST_POINTS = 100_000


class TitrationDocument(Document):
    clinical: ClinicalPart | None = None
    setting: Annotated[str, one_of("titration", "refill")]
    old_daily_dose_mcg: DoseMcg
    new_daily_dose_mcg: DoseMcg
    hours_since_start: Count | None = None
    hours_since_last_change: Count | None = None


def answer_titration(document: TitrationDocument, catalogue: Catalogue) -> Answer:
    """By how much the dose changes, and what the rules say."""
    old, new = document.old_daily_dose_mcg, document.new_daily_dose_mcg
    change = DoseChange(
        old=old,
        new=new,
        setting=Setting(document.setting),
        group=_group(document.clinical),
        hours_since_start=document.hours_since_start,
        hours_since_last_change=document.hours_since_last_change,
    )
    findings = [
        *titration_findings(change, catalogue),
        *daily_dose_findings(catalogue.drug("baclofen"), new.quanta),
    ]
    return {
        "change_mcg": plain((new - old).in_mcg_per_day),
        "change_percent": None if change.percent is None else plain(change.percent),
        "findings": findings_json(findings),
    }


def _group(clinical: ClinicalPart | None) -> str:
    """Which limits apply; empty where that cannot be said."""
    if clinical is None:
        return ""
    if clinical.population == "child":
        return "child"
    return clinical.origin or "" if clinical.population == "adult" else ""


class TaperDocument(Document):
    start_mcg_per_day: DoseMcg
    step_mcg: DoseMcg
    every_days: Count
    setting: Annotated[str, one_of("inpatient", "outpatient")] = "outpatient"


def answer_taper(document: TaperDocument, catalogue: Catalogue) -> Answer:
    """The ladder down to zero."""
    if not document.step_mcg:
        raise RefusedError("'0' is not a step", "step_mcg")
    if document.every_days < 1:
        raise RefusedError("0 is not an interval", "every_days")
    try:
        ladder = taper(document.start_mcg_per_day, document.step_mcg, document.every_days)
    except TooManyStepsError:
        raise RefusedError("so many steps are beyond reason", "step_mcg") from None
    findings = taper_findings(ladder, catalogue, inpatient=document.setting == "inpatient")
    return {
        "ladder": [
            {
                "day": rung.day,
                "daily_dose_mcg": plain(rung.dose.in_mcg_per_day),
                "change_percent": plain(rung.change_percent),
            }
            for rung in ladder.rungs
        ],
        "delivered_mcg": plain(ladder.delivered.in_mcg),
        "findings": findings_json(findings),
    }


def _read_grade(value: Any) -> Fraction:
    """A grade of tone; ``1+`` of the modified scale is 1.5. Source: SCA-01."""
    return Fraction(3, 2) if value == "1+" else read_number(value)


Grade = Annotated[Fraction, BeforeValidator(_read_grade)]
_From = Annotated[Day, Field(alias="from")]


class DosePart(Document):
    from_: _From
    daily_dose_mcg: DoseMcg
    kind: Annotated[str, one_of(*DoseKind)]
    mode: Name | None = None


class TroublePart(Document):
    from_: _From
    to: Day | None = None
    what: Name | None = None


_Result = Annotated[str, one_of("ok", "abnormal", "not-done")]


class StepsPart(Document):
    interrogation: _Result = "not-done"
    program: _Result = "not-done"
    residual: _Result = "not-done"
    csf_aspiration: _Result = "not-done"
    contrast: _Result = "not-done"


class CheckPart(Document):
    on: Day
    steps: StepsPart

    def to_domain(self) -> DeviceCheck:
        steps = self.steps
        partial = steps.interrogation == steps.program == steps.residual == "ok"
        return DeviceCheck(self.on, partial and "ok" in (steps.csf_aspiration, steps.contrast), partial)


class TestPart(Document):
    on: Day
    dose_mcg: DoseMcg
    response: Flag


class DiseasePart(Document):
    on: Day
    what: Name | None = None


_SCALES = tuple(scale.value for scale in ToneScale)


class TonePart(Document):
    on: Day
    scale: Annotated[str, one_of(*_SCALES)]
    values: tuple[Grade, ...]

    def to_domain(self, path: str) -> ToneRating:
        scale = ToneScale(self.scale)
        if not self.values:
            raise RefusedError("no value is given", f"{path}.values")
        for number, value in enumerate(self.values):
            if not 0 <= value - scale.offset <= 4:
                raise RefusedError(f"{plain(value)!r} is not on the scale {self.scale}", f"{path}.values[{number}]")
        return ToneRating(self.on, scale, sum(self.values, Fraction(0)) / len(self.values))


class TargetPart(Document):
    scale: Annotated[str, one_of(*_SCALES)]
    low: Number
    high: Number


class HistoryDocument(Document):
    clinical: ClinicalPart | None = None
    implanted_on: Day
    at: Day
    doses: tuple[DosePart, ...]
    device_trouble: tuple[TroublePart, ...] = ()
    device_checks: tuple[CheckPart, ...] = ()
    lp_bolus_tests: tuple[TestPart, ...] = ()
    disease_changes: tuple[DiseasePart, ...] = ()
    tone: tuple[TonePart, ...] = ()
    reduction_trials: tuple[Day, ...] = ()
    target: TargetPart | None = None


def answer_history(document: HistoryDocument, catalogue: Catalogue) -> Answer:
    """Whether the dose's rise is tolerance, and whether a reduction should be tried."""
    history = _history(document)
    result = judge_tolerance(history, catalogue)
    wanted = document.target
    target = ToneTarget(ToneScale(wanted.scale), wanted.low, wanted.high) if wanted else None
    trial = judge_reduction(history, result, target, catalogue)
    rating = history.last_tone()
    return {
        "tolerance": {
            "delta_mcg": None if result.delta_mcg is None else plain(result.delta_mcg),
            "window_days": result.window_days,
            "criterion_met": result.criterion_met,
            "status": result.status.value,
        },
        "reduction_trial": {"due_on": trial.due_on.isoformat() if trial.due_on else None, "due": trial.due},
        "tone": {"mean": plain(rating.mean), "scale": rating.scale.value} if rating else None,
        "findings": findings_json(history_findings(history, result, trial, catalogue)),
    }


def _history(document: HistoryDocument) -> History:
    for number, trouble in enumerate(document.device_trouble):
        if trouble.to is not None and trouble.to < trouble.from_:
            raise RefusedError("before its beginning", f"device_trouble[{number}].to")
    days = [dose.from_ for dose in document.doses]
    for number, day in enumerate(days):
        if day in days[:number]:
            raise RefusedError("two doses begin on this day", f"doses[{number}].from")
    ratings = [part.to_domain(f"tone[{number}]") for number, part in enumerate(document.tone)]
    return History(
        implanted_on=document.implanted_on,
        at=document.at,
        doses=sorted(
            (Dose(part.from_, part.daily_dose_mcg, DoseKind(part.kind), part.mode or "") for part in document.doses),
            key=lambda dose: dose.start,
        ),
        troubles=[DeviceTrouble(part.from_, part.to) for part in document.device_trouble],
        checks=sorted((part.to_domain() for part in document.device_checks), key=lambda check: check.on),
        bolus_tests=sorted(
            (BolusTest(part.on, part.response) for part in document.lp_bolus_tests), key=lambda test: test.on
        ),
        disease_changes=sorted(part.on for part in document.disease_changes),
        tone=sorted(ratings, key=lambda rating: rating.on),
        reduction_trials=sorted(document.reduction_trials),
    )


class CurveDocument(Document):
    model: Annotated[str, one_of(*MODELS)]
    pump: PumpPart
    reservoir: ReservoirPart
    clinical: ClinicalPart | None = None
    program: ProgramPart
    hours: Count
    step_min: Count


def answer_curve(document: CurveDocument, catalogue: Catalogue) -> Answer:
    """The concentration in spinal fluid and at the effect site, from no drug on."""
    if document.step_min < 1:
        raise RefusedError("0 is not a step", "step_min")
    if document.hours * 60 // document.step_min > _MOST_POINTS:
        raise RefusedError("so many points are beyond reason", "hours")
    pump = document.pump.to_domain(catalogue)
    drug_of(document.reservoir.drug, catalogue, "reservoir.drug")
    model = curve_model(document.model, catalogue)
    program = document.program.to_domain(document.pump.flow())
    points = mean = None
    try:
        course = course_of(achieved_plan(program, pump, document.reservoir.concentration_mcg_per_ml))
        points = list(curve(model, course, hours=document.hours, step_min=document.step_min))
        mean = plain(steady_state_mcg_per_ml(model, course))
    except NoCourseError:
        pass
    return {
        "csf_mcg_per_ml": None if points is None else [_number(point.fluid) for point in points],
        "effect_mcg_per_ml": None if points is None else [_number(point.effect) for point in points],
        "steady_state_csf_mcg_per_ml": mean,
        "model": {
            "name": model.name,
            "clearance_ml_per_h": plain(model.clearance_ml_per_h),
            "half_life_h": plain(model.half_life_h),
            "k_per_h": _number(model.k_per_h),
            "volume_ml": _number(model.volume_ml),
            "ke0_per_h": plain(model.ke0_per_h),
        },
    }


def _number(value: float) -> str:
    """A float with nine significant digits, in plain notation."""
    return plain(Fraction(f"{value:.8e}"))


KINDS: dict[str, tuple[type[Document], Callable[[Any, Catalogue], Answer]]] = {
    "titration": (TitrationDocument, answer_titration),
    "history": (HistoryDocument, answer_history),
    "taper": (TaperDocument, answer_taper),
    "curve": (CurveDocument, answer_curve),
}
