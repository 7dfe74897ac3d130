"""What the rules say about a change of drug or concentration, and about priming.

Law: as in :mod:`app.models.guardrails`; a change without a decision blocks, and so does a decision about another
change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from fractions import Fraction

from app.models.catalogue import Catalogue, PumpModel
from app.models.comparison import duration, moment
from app.models.findings import Finding, Severity
from app.models.formats import plain, rounded
from app.models.guardrails import bridge_findings
from app.models.patient import Role
from app.models.solution_change import (
    BridgeChoice,
    BridgeDecision,
    Changed,
    Solution,
    SolutionChange,
    bridge_error,
    prime_extent,
)
from app.models.solution_outlook import ChangePlan, Outlook
from app.models.transition import Prescription, PrimeExtent, PrimeReason, Segment
from app.models.typed_reason import reason_is_good, shortest_reason

_ABOUT_THE_BRIDGE = ("bridge-below-minimum", "bridge-above-maximum", "long-bridge")


def change_findings(
    plan: ChangePlan,
    pump: PumpModel,
    catalogue: Catalogue,
    *,
    decision: BridgeDecision | None,
    role: Role,
    segments: Sequence[Segment] = (),
) -> tuple[Finding, ...]:
    """Everything about a change of solution but its concentration and dose as such.

    Source: CON-01, CON-02, CON-05 to CON-07, DOS-06, H-31, H-33.
    """
    if not plan.change.needs_decision:
        return ()
    if decision is not None and not decision.holds_for(plan.change):
        decision = None
    skips = decision is not None and decision.choice is BridgeChoice.NO_BRIDGE
    return (
        *_decision(plan, catalogue, decision, role),
        *(() if skips else _bridge(plan, catalogue, decided=decision is not None)),
        *_known(plan, pump, catalogue, segments, skips=skips),
        *_rinse(plan),
        *_mixture(plan.change, catalogue),
    )


def _decision(plan: ChangePlan, catalogue: Catalogue, decision: BridgeDecision | None, role: Role) -> Iterator[Finding]:
    if decision is None:
        yield Finding("CON-01", Severity.BLOCK, "no-decision")
        return
    if decision.choice is BridgeChoice.BRIDGE:
        return
    if role is not Role.PHYSICIAN:
        yield Finding("CON-01", Severity.BLOCK, "no-bridge-not-physician")
    least = shortest_reason(catalogue)
    if not reason_is_good(decision.reason, least):
        yield Finding("CON-01", Severity.BLOCK, "no-bridge-reason", {"characters": least})
    if plan.outlook is not None:
        yield _without(plan.outlook)


def _without(outlook: Outlook) -> Finding:
    values = {
        "mcg_per_day": rounded(outlook.mcg_per_day, 1),
        "drug": outlook.drug,
        "factor": rounded(outlook.factor, 2),
    }
    if outlook.hours is None:
        return Finding("CON-01", Severity.TASK, "no-bridge-for-ever", values)
    return Finding("CON-01", Severity.TASK, "no-bridge", {**values, "hours": rounded(outlook.hours, 1)})


def _bridge(plan: ChangePlan, catalogue: Catalogue, *, decided: bool) -> Iterator[Finding]:
    path, bridge = plan.path, plan.bridge
    if path is None:
        if decided or plan.ranged is None:
            yield Finding("CON-05", Severity.BLOCK, "bridge-needs-path")
    elif path.only_fluid is None and path.plugs:
        values = {"ahead_ml": rounded(path.ahead_ml, 3), "wait_until": moment(plan.wait_until)}
        reason = "two-fluids" if plan.wait_until is not None else "two-fluids-standing"
        yield Finding("CON-02", Severity.BLOCK, reason, values)
    elif bridge is None:
        yield Finding("CON-02", Severity.BLOCK, "no-even-bridge")
    else:
        error, limit = abs(bridge_error(plan.change, bridge, path)) * 100, catalogue.rule("con_02_dose_error_percent")
        if error > limit:
            values = {"duration_min": str(bridge.duration_min), "error_percent": rounded(error, 2)}
            yield Finding("CON-02", Severity.CONFIRM, "short-bridge", {**values, "limit_percent": plain(limit)})


def _known(
    plan: ChangePlan, pump: PumpModel, catalogue: Catalogue, segments: Sequence[Segment], *, skips: bool
) -> Iterator[Finding]:
    """What is said about every bridge, with the range in place of the unknown."""
    change, tubing = plan.change, pump.tubing
    mixed = plan.path is not None and plan.path.only_fluid is None
    silent = [*_ABOUT_THE_BRIDGE] if skips or mixed else []
    if Changed.DRUG in change.changed:
        silent.append("dose-too")  # Doses of two drugs cannot be compared.
    found = bridge_findings(
        pump,
        catalogue,
        old=Prescription(change.old.drug, change.old.concentration, change.old_dose),
        new=Prescription(change.new.drug, change.new.concentration, change.new_dose),
        catheter_ml=plan.path.volume_ml - tubing.in_ml if plan.path is not None and tubing is not None else None,
        segments=segments,
    )
    for finding in found:
        if finding.rule in ("U-02", "U-03") or finding.reason in silent:
            continue
        if finding.reason == "catheter-unknown" and plan.ranged is not None:
            values = {
                "shortest_cm": plain(plan.ranged.shortest_cm),
                "shortest": duration(plan.ranged.shortest_min),
                "longest_cm": plain(plan.ranged.longest_cm),
                "longest": duration(plan.ranged.longest_min),
            }
            finding = Finding("CON-05", finding.severity, "catheter-range", values)
        yield finding


def _rinse(plan: ChangePlan) -> Iterator[Finding]:
    if plan.rinse_required and plan.rinse is None:
        yield Finding("CON-06", Severity.BLOCK, "rinse-unanswered")
        return
    real, error = plan.real, plan.real_error
    values: dict[str, str | int] = {}
    if real is not None and error is not None:
        values = {
            "real_mcg_per_ml": rounded(real.mcg_per_ml(plan.change.new.dosed), 0),
            "error_percent": f"{'+' if error > 0 else ''}{rounded(error * 100, 1)}",
        }
    if plan.rinse_required and plan.rinse is not None and not plan.rinse.done:
        yield Finding("CON-06", Severity.CONFIRM, "not-rinsed-real" if values else "not-rinsed", values)
    elif values and error:
        yield Finding("CON-06", Severity.NOTE, "diluted", values)


def _mixture(change: SolutionChange, catalogue: Catalogue) -> Iterator[Finding]:
    """Whether every part of a mixture keeps its own ratio to the part that is dosed. Source: docs/devices.md."""
    for side in (change.old, change.new):
        if len(catalogue.drug(side.drug).components) > 1 and len(side.parts) == 1:
            yield Finding("CON-06", Severity.CONFIRM, "parts-unknown", {"drug": catalogue.drug(side.drug).name})
    if Changed.DRUG in change.changed:
        return
    for part, old, new in _ratios(change):
        if old != new:
            values = {
                "drug": catalogue.drug(part).name,
                "old_ratio_percent": rounded(old * 100, 2),
                "new_ratio_percent": rounded(new * 100, 2),
                "dosed": catalogue.drug(change.new.dosed).name,
            }
            yield Finding("CON-06", Severity.CONFIRM, "ratio-changes", values)


def _ratios(change: SolutionChange) -> Iterator[tuple[str, Fraction, Fraction]]:
    if not change.old.concentration or not change.new.concentration:
        return
    new = dict(change.new.parts)
    for part, strength in change.old.parts[1:]:
        yield part, strength.ratio(change.old.concentration), new[part].ratio(change.new.concentration)


def second_change_findings(*, bridge_until: datetime | None, at: datetime) -> tuple[Finding, ...]:
    """Whether a bridge still runs when another solution is about to be filled; say so before the needle goes in.

    Source: H-33, SR-09.
    """
    if bridge_until is None or at >= bridge_until:
        return ()
    return (Finding("CON-02", Severity.CONFIRM, "bridge-runs", {"wait_until": moment(bridge_until)}),)


def old_solution_findings(pump: Solution, record: Solution | None) -> tuple[Finding, ...]:
    """Whether the pump and the last fill agree about the old solution; without a fill there is nothing to compare.

    Source: H-32, SR-09.
    """
    if record is None or (record.drug, record.parts) == (pump.drug, pump.parts):
        return ()
    values = {
        "pump_drug": pump.drug,
        "pump_mcg_per_ml": plain(pump.concentration.in_mcg_per_ml),
        "record_drug": record.drug,
        "record_mcg_per_ml": plain(record.concentration.in_mcg_per_ml),
    }
    return (Finding("CON-02", Severity.BLOCK, "old-differs", values),)


def priming_findings(
    catalogue: Catalogue,
    *,
    event: PrimeReason | None,
    extent: PrimeExtent,
    volume_ml: Fraction,
    path_ml: Fraction,
) -> tuple[Finding, ...]:
    """Whether this priming bolus may be given after ``event``; ``None`` is a plain refill.

    Source: CON-04, H-34, H-36.
    """
    allowed = prime_extent(event)
    if allowed is None:
        return (Finding("CON-04", Severity.BLOCK, "no-reason"),)
    found = [Finding("CON-04", Severity.TASK, "watch", {"hours": plain(catalogue.rule("con_04_monitor_h"))})]
    if extent is PrimeExtent.FULL and allowed is not PrimeExtent.FULL:
        found.append(Finding("CON-04", Severity.BLOCK, "tubing-is-full"))
    if volume_ml > path_ml:
        values = {"volume_ml": rounded(volume_ml, 3), "path_ml": rounded(path_ml, 3)}
        found.append(Finding("CON-04", Severity.BLOCK, "more-than-path", values))
    return tuple(found)
