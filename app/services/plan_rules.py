"""What the rules say about a program beside the one that runs, whoever wants to program it."""

from __future__ import annotations

from datetime import date, timedelta

from app.models.catalogue import Catalogue
from app.models.course import NoCourseError, figures_of
from app.models.findings import Finding
from app.models.guardrails import concentration_findings
from app.models.guardrails_program import Occasion, program_findings
from app.models.patient import Patient
from app.models.ports import NotOnRecordError
from app.models.pump import PumpSettings
from app.models.quantities import DoseRate
from app.models.reservoir import add_months
from app.models.titration import DoseChange, Setting, restart_findings, titration_findings
from app.services.therapy import Therapy


def plan_findings(
    therapy: Therapy, settings: PumpSettings, catalogue: Catalogue, *, setting: Setting, occasion: str = ""
) -> tuple[Finding, ...]:
    """What the rules say about a program and about its difference from the one that runs."""
    if therapy.model is None:
        raise NotOnRecordError(kind="pump", id=therapy.patient.id)
    running, before = therapy.settings, therapy.figures
    drug, concentration = catalogue.drug(settings.drug), settings.concentration
    known = Occasion(
        reason=occasion,
        previous=running.program if running else None,
        previous_daily=before.achieved_daily if before else None,
    )
    findings = [
        *concentration_findings(drug, concentration),
        *program_findings(settings.program, therapy.model, drug, concentration, catalogue, occasion=known),
    ]
    try:
        after = figures_of(settings.program, therapy.model, concentration)
    except NoCourseError:
        return tuple(findings)
    if before is not None:
        old, new = DoseRate.floor(before.achieved_daily), DoseRate.floor(after.achieved_daily)
        group = group_of(therapy.patient, therapy.at.date(), catalogue)
        change = DoseChange(old, new, setting, group, hours_since_last_change=_hours_since_change(therapy))
        findings += titration_findings(change, catalogue)
        if "baclofen" in settings.drug.split("+"):
            findings += restart_findings(old, new, catalogue)
    return tuple(findings)


def _hours_since_change(therapy: Therapy) -> int | None:
    """Whole hours that the program has run, rounded down."""
    since = therapy.program_since
    return None if since is None else (therapy.at - since) // timedelta(hours=1)


def group_of(patient: Patient, on: date, catalogue: Catalogue) -> str:
    """Whose limits apply to a step: ``child``, ``spinal`` or ``cerebral``; empty where nobody wrote it down."""
    if on < add_months(patient.born_on, 12 * int(catalogue.rule("child_below_years"))):
        return "child"
    return patient.origin.value if patient.origin is not None else ""
