"""What the rules say about a refill and a change of solution: residual, fill, concentration, bridge, prime, reading.

Law: a rule is a function of values and the catalogue; it judges and computes nothing that is shown as a figure.
Rules about programs are in :mod:`app.models.guardrails_program`. Ids: docs/clinical-rules.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction

from app.models.catalogue import Catalogue, Drug, PumpModel
from app.models.findings import Finding, Severity
from app.models.formats import plain, rounded
from app.models.guardrails_program import daily_dose_findings
from app.models.program import Flex, PeriodicBolus
from app.models.pump import Alarm, PumpSettings
from app.models.quantities import MINUTES_PER_DAY, Concentration, DoseRate, Flow, Volume
from app.models.refill_visit import PumpReading
from app.models.reservoir import TheoreticalReservoir, Verdict, judge_residual
from app.models.transition import (
    Prescription,
    PrimeExtent,
    PrimeReason,
    Segment,
    bridge,
    bridge_needed,
    path_volume_ml,
)

_PL_PER_ML = Volume.PER_ML


def concentration_findings(drug: Drug, concentration: Concentration) -> tuple[Finding, ...]:
    """Whether the concentration is a known product for pumps. Source: U-03."""
    values = {"concentration_mcg_per_ml": plain(concentration.in_mcg_per_ml), "drug": drug.name}
    if not concentration:
        return (Finding("U-03", Severity.BLOCK, "no-concentration", values),)
    if concentration in drug.screening_concentrations:
        return (Finding("U-03", Severity.BLOCK, "screening", values),)
    if drug.pump_concentrations and concentration not in drug.pump_concentrations:
        known = ", ".join(plain(product.in_mcg_per_ml) for product in drug.pump_concentrations)
        return (Finding("U-03", Severity.CONFIRM, "unlisted", {**values, "known_mcg_per_ml": known}),)
    return ()


def mixture_findings(drug: Drug) -> tuple[Finding, ...]:
    """More than one drug in a reservoir. Source: CON-06."""
    if len(drug.components) < 2:
        return ()
    return (Finding("CON-06", Severity.CONFIRM, "mixture", {"drug": drug.name}),)


def residual_findings(
    pump: PumpModel,
    catalogue: Catalogue,
    *,
    filled: Volume,
    filled_at: datetime,
    at: datetime,
    expected: TheoreticalReservoir,
    aspirated: Volume,
) -> tuple[Finding, ...]:
    """What a residual volume says. Source: REF-02, REF-03, REF-05, REF-11."""
    return tuple(_residual(pump, catalogue, filled, filled_at, at, expected, aspirated))


def _residual(
    pump: PumpModel,
    catalogue: Catalogue,
    filled: Volume,
    filled_at: datetime,
    at: datetime,
    expected: TheoreticalReservoir,
    aspirated: Volume,
) -> Iterator[Finding]:
    judgement = judge_residual(
        filled=filled,
        expected_pl=expected.exact_pl,
        actual=aspirated,
        accuracy_percent=pump.accuracy_percent,
        limit=Volume.ml(catalogue.rule("ref_02_volume_ml")),
    )
    values: dict[str, str | int] = {
        "expected_ml": rounded(expected.exact_pl / _PL_PER_ML, 3),
        "aspirated_ml": plain(aspirated.in_ml),
        "difference_ml": rounded(judgement.difference_pl / _PL_PER_ML, 3),
        "limit_ml": plain(catalogue.rule("ref_02_volume_ml")),
        "accuracy_percent": plain(pump.accuracy_percent),
    }
    if judgement.error is not None:
        values["delivery_error_percent"] = rounded(judgement.error * 100, 2)
    if judgement.verdict is not Verdict.AS_EXPECTED:
        yield Finding("REF-02", Severity.CONFIRM, judgement.verdict.value, values)
    full, due = catalogue.rule("ref_03_full_ratio"), catalogue.rule("ref_03_expected_ratio")
    days = timedelta(days=int(catalogue.rule("ref_03_days")))
    nearly_full = aspirated.quanta >= full * filled.quanta and expected.exact_pl < due * filled.quanta
    if nearly_full and at - filled_at >= days:
        yield Finding("REF-03", Severity.CONFIRM, "nearly-full", {**values, "filled_ml": plain(filled.in_ml)})
    if not aspirated:
        yield Finding("REF-05", Severity.CONFIRM, "nothing-aspirated", {"expected_ml": values["expected_ml"]})
    if expected.ran_dry:
        yield Finding("REF-11", Severity.CONFIRM, "ran-dry", {"filled_ml": plain(filled.in_ml)})


def estimates_findings(catalogue: Catalogue, *, by_pump: Volume, by_record: Volume) -> tuple[Finding, ...]:
    """Whether the two estimates of what is left agree, before a syringe decides; the limit is exclusive.

    Source: REF-01, REF-02, R-10.
    """
    limit = Volume.ml(catalogue.rule("ref_02_volume_ml"))
    if abs(by_pump - by_record) <= limit:
        return ()
    values = {
        "by_pump_ml": rounded(by_pump.in_ml, 3),
        "by_record_ml": rounded(by_record.in_ml, 3),
        "limit_ml": plain(limit.in_ml),
    }
    return (Finding("REF-01", Severity.CONFIRM, "estimates-differ", values),)


def if_missed_findings(
    old: Concentration, new: Concentration, daily_dose: DoseRate
) -> tuple[Finding, ...]:
    """What would arrive of the same drug if the pump were not told of its new concentration. Source: U-03, U-04."""
    if not old or not daily_dose or old == new:
        return ()
    factor = new.ratio(old)
    values = {
        "old_mcg_per_ml": plain(old.in_mcg_per_ml),
        "daily_dose_mcg": rounded(daily_dose.in_mcg_per_day * factor, 3),
        "factor": rounded(factor, 3),
    }
    return (Finding("U-04", Severity.NOTE, "if-missed", values),)


def overfill_findings(pump: PumpModel, *, left: Volume, injected: Volume) -> tuple[Finding, ...]:
    """Whether the reservoir takes this much. Source: REF-04."""
    if left + injected <= pump.capacity:
        return ()
    values = {
        "capacity_ml": plain(pump.capacity.in_ml),
        "left_ml": plain(left.in_ml),
        "injected_ml": plain(injected.in_ml),
        "reservoir_ml": plain((left + injected).in_ml),
    }
    return (Finding("REF-04", Severity.BLOCK, "overfill", values),)


def told_volume_findings(catalogue: Catalogue, *, reservoir: Volume, programmed: Volume) -> tuple[Finding, ...]:
    """Whether the pump is told what is in it. Source: REF-04."""
    limit = Volume.ml(catalogue.rule("ref_04_programmed_difference_ml"))
    if abs(programmed - reservoir) <= limit:
        return ()
    values = {
        "programmed_ml": plain(programmed.in_ml),
        "reservoir_ml": plain(reservoir.in_ml),
        "limit_ml": plain(limit.in_ml),
    }
    return (Finding("REF-04", Severity.BLOCK, "programmed-volume", values),)


def pocket_fill_findings(
    pump: PumpModel, catalogue: Catalogue, *, reservoir: Volume, reaspirated: Volume, limit_name: str
) -> tuple[Finding, ...]:
    """Whether fluid is missing after a fill; the limit is exclusive. Source: REF-05."""
    if limit_name.endswith("_percent"):
        limit = pump.capacity.in_ml * catalogue.rule(limit_name) / 100
    else:
        limit = catalogue.rule(limit_name)
    missing = (reservoir - reaspirated).in_ml
    if missing <= limit:
        return ()
    return (
        Finding("REF-05", Severity.CONFIRM, "pocket-fill", {"missing_ml": plain(missing), "limit_ml": plain(limit)}),
    )


def bridge_findings(
    pump: PumpModel,
    catalogue: Catalogue,
    *,
    old: Prescription,
    new: Prescription,
    catheter_ml: Fraction | None,
    segments: Sequence[Segment] = (),
) -> tuple[Finding, ...]:
    """What a change of drug or concentration needs. Source: CON-02, CON-05 to CON-07, DOS-06, U-02, U-03."""
    return tuple(_bridge(pump, catalogue, old, new, catheter_ml, segments))


def _bridge(
    pump: PumpModel,
    catalogue: Catalogue,
    old: Prescription,
    new: Prescription,
    catheter_ml: Fraction | None,
    segments: Sequence[Segment],
) -> Iterator[Finding]:
    drug = catalogue.drug(new.drug)
    yield from concentration_findings(drug, new.concentration)
    yield from daily_dose_findings(drug, new.daily_dose.quanta)
    if not bridge_needed(old, new):
        return
    yield from path_findings(pump, catalogue, old=old, catheter_ml=catheter_ml, segments=segments)
    if old.drug != new.drug:
        yield Finding("CON-06", Severity.CONFIRM, "drug-changes", {"old_drug": old.drug, "new_drug": new.drug})
    elif len(drug.components) > 1:
        yield from mixture_findings(drug)
    if old.daily_dose != new.daily_dose:
        values = {
            "old_daily_dose_mcg": plain(old.daily_dose.in_mcg_per_day),
            "new_daily_dose_mcg": plain(new.daily_dose.in_mcg_per_day),
        }
        yield Finding("CON-07", Severity.CONFIRM, "dose-too", values)
    yield from _flow_findings(pump, old, "bridge")
    yield from _flow_findings(pump, new, "next")
    path = path_volume_ml(pump, catheter_ml)
    bridged = bridge(old, new, path) if path is not None else None
    days = catalogue.rule("con_02_bridge_days")
    if bridged is not None and bridged.duration_min > days * MINUTES_PER_DAY:
        values = {"duration_min": str(bridged.duration_min), "limit_days": plain(days)}
        yield Finding("CON-02", Severity.CONFIRM, "long-bridge", values)


def path_findings(
    pump: PumpModel,
    catalogue: Catalogue,
    *,
    old: Prescription | None,
    catheter_ml: Fraction | None,
    segments: Sequence[Segment] = (),
) -> Iterator[Finding]:
    """Whether the volume between reservoir and spine is known. Source: CON-05."""
    if pump.tubing is None:
        yield Finding("CON-05", Severity.BLOCK, "tubing-unknown", {"pump": pump.name})
    if catheter_ml is not None:
        return
    values: dict[str, str | int] = {"catheter": ", ".join(segment.model.name for segment in segments)}
    if old is not None and segments and pump.tubing is not None and old.daily_dose:
        shortest, longest = catalogue.rule("con_05_shortest_cm"), catalogue.rule("con_05_longest_cm")
        per_cm = segments[0].model.ml_per_cm
        for name, length in (("shortest", shortest), ("longest", longest)):
            path = pump.tubing.in_ml + length * per_cm
            ranged = bridge(old, Prescription("", Concentration.mcg_per_ml(1), old.daily_dose), path)
            if ranged is not None:
                values[f"{name}_cm"] = plain(length)
                values[f"{name}_duration_min"] = ranged.duration_min
    yield Finding("CON-05", Severity.CONFIRM, "catheter-unknown", values)


def _flow_findings(pump: PumpModel, side: Prescription, what: str) -> Iterator[Finding]:
    if not side.concentration:
        return
    flow = Fraction(side.daily_dose.quanta, side.concentration.quanta)
    low, high = pump.min_flow.quanta, pump.max_flow.quanta
    values = {
        "flow_ml_per_day": rounded(flow / Flow.PER_ML_PER_DAY, 6),
        "min_flow_ml_per_day": plain(pump.min_flow.in_ml_per_day),
        "max_flow_ml_per_day": plain(pump.max_flow.in_ml_per_day),
    }
    if 0 < flow < low:
        yield Finding("DOS-06", Severity.BLOCK, f"{what}-below-minimum", values)
    elif flow > high:
        yield Finding("DOS-06", Severity.BLOCK, f"{what}-above-maximum", values)


def prime_findings(
    pump: PumpModel,
    *,
    extent: PrimeExtent,
    reason: PrimeReason,
    catheter_ml: Fraction | None,
    segments: Sequence[Segment] = (),
) -> tuple[Finding, ...]:
    """Whether a priming bolus may be given. Source: CON-04, CON-05."""
    findings = []
    if reason is PrimeReason.OTHER:
        findings.append(Finding("CON-04", Severity.BLOCK, "no-reason"))
    if extent is PrimeExtent.FULL and pump.tubing is None:
        findings.append(Finding("CON-05", Severity.BLOCK, "tubing-unknown", {"pump": pump.name}))
    if catheter_ml is None:
        names = ", ".join(segment.model.name for segment in segments)
        findings.append(Finding("CON-05", Severity.BLOCK, "prime-catheter-unknown", {"catheter": names}))
    return tuple(findings)


def reading_findings(
    reading: PumpReading, *, on_record: PumpSettings | None, catalogue: Catalogue, pump_now: datetime
) -> tuple[Finding, ...]:
    """What the pump's own words say before a refill. Source: U-10 to U-12, LIF-01, LIF-03, LIF-04."""
    return tuple(_reading(reading, on_record, catalogue, pump_now))


def _reading(
    reading: PumpReading, on_record: PumpSettings | None, catalogue: Catalogue, pump_now: datetime
) -> Iterator[Finding]:
    if reading.reset:
        yield Finding("U-11", Severity.BLOCK, "memory-reset", {"serial": reading.serial})
    if not reading.running:
        yield Finding("U-10", Severity.CONFIRM, "stopped", {"serial": reading.serial})
    if on_record is not None and on_record != reading.settings:
        yield Finding("U-11", Severity.CONFIRM, "not-on-record", {"serial": reading.serial})
    offset = abs(reading.pump_clock - pump_now) // timedelta(minutes=1)
    timed = isinstance(reading.settings.program.delivery, Flex | PeriodicBolus)
    if timed and offset > catalogue.rule("u_12_clock_offset_min"):
        yield Finding("U-12", Severity.CONFIRM, "clock-off", {"offset_min": offset})
    for name in reading.alarms:
        alarm = Alarm(name)
        severity = Severity.CONFIRM if alarm.critical else Severity.NOTE
        yield Finding("LIF-04", severity, f"alarm-{alarm.value}", {"alarm": alarm.value.replace("-", " ")})
