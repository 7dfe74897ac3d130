"""Is it tolerance? The dose's history, device checks and tone, read by the published criterion.

Law: a rise of the dose is called tolerance only after the device has been checked and the disease considered; doses
of holidays, tapers and the like are no baseline. Source: TOL-01 to TOL-07, DEV-02, DEV-06, RED-01, TIT-13.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from app.models.catalogue import Catalogue
from app.models.findings import Finding, Severity
from app.models.formats import plain, rounded
from app.models.quantities import DoseRate
from app.models.reservoir import add_months


class DoseKind(StrEnum):
    TITRATION = "titration"
    MAINTENANCE = "maintenance"
    HOLIDAY = "holiday"
    TAPER = "taper"
    STOPPED = "stopped"
    BRIDGE = "bridge"
    TEST = "test"
    RETITRATION = "retitration"


class Status(StrEnum):
    """Where a case stands on the ladder of rule TOL-02."""

    NOT_EVALUATED = "not-evaluated"
    TITRATION_PHASE = "titration-phase"
    NOT_MET = "not-met"
    EXPLAINED_BY_DEVICE = "explained-by-device"
    DEVICE_CHECK_REQUIRED = "device-check-required"
    EXPLAINED_BY_DISEASE = "explained-by-disease"
    TOLERANCE_SUPPORTED = "tolerance-supported"
    TOLERANCE_SUSPECTED = "tolerance-suspected"


class ToneScale(StrEnum):
    AS0_4 = "AS0_4"
    AS1_5 = "AS1_5"
    MAS = "MAS"

    @property
    def offset(self) -> int:
        """What is taken off to come to the scale 0 to 4. Source: SCA-01."""
        return 1 if self is ToneScale.AS1_5 else 0


@dataclass(frozen=True, slots=True)
class Dose:
    """A daily dose in force from ``start`` until the next one starts. ``mode`` as in evaluate documents."""

    start: date
    daily: DoseRate
    kind: DoseKind
    mode: str = ""


@dataclass(frozen=True, slots=True)
class DeviceTrouble:
    """From ``start`` until it was resolved on ``end``; ``None`` while it is open."""

    start: date
    end: date | None


@dataclass(frozen=True, slots=True)
class DeviceCheck:
    """``complete``: interrogation, program, residual ok, and fluid aspirated or contrast seen. ``partial``: the
    first three."""

    on: date
    complete: bool
    partial: bool


@dataclass(frozen=True, slots=True)
class BolusTest:
    on: date
    response: bool


@dataclass(frozen=True, slots=True)
class ToneRating:
    """The mean of all rated muscle groups, on its own scale."""

    on: date
    scale: ToneScale
    mean: Fraction

    @property
    def on_0_4(self) -> Fraction:
        return self.mean - self.scale.offset


@dataclass(frozen=True, slots=True)
class ToneTarget:
    """Both limits belong to it."""

    scale: ToneScale
    low: Fraction
    high: Fraction

    def holds(self, rating: ToneRating) -> bool:
        return self.low - self.scale.offset <= rating.on_0_4 <= self.high - self.scale.offset


@dataclass(frozen=True, slots=True)
class History:
    """What is known at ``at``; every list ascending by its day."""

    implanted_on: date
    at: date
    doses: Sequence[Dose]
    troubles: Sequence[DeviceTrouble] = ()
    checks: Sequence[DeviceCheck] = ()
    bolus_tests: Sequence[BolusTest] = ()
    disease_changes: Sequence[date] = ()
    tone: Sequence[ToneRating] = ()
    reduction_trials: Sequence[date] = ()

    def dose_at(self, day: date) -> Dose | None:
        """The dose in force on ``day``."""
        return next((dose for dose in reversed(self.doses) if dose.start <= day), None)

    def last_tone(self) -> ToneRating | None:
        return next((rating for rating in reversed(self.tone) if rating.on <= self.at), None)


@dataclass(frozen=True, slots=True)
class ToleranceResult:
    """``delta_mcg`` is ``None`` where nothing is evaluated."""

    delta_mcg: Fraction | None
    window_days: int
    criterion_met: bool
    status: Status


_NO_BASELINE = frozenset(set(DoseKind) - {DoseKind.MAINTENANCE})


def judge_tolerance(history: History, catalogue: Catalogue) -> ToleranceResult:
    """The criterion and the status of a history."""
    start = _window_start(history, catalogue)
    days = (history.at - start).days
    now = history.dose_at(history.at)
    if now is None or (now.kind in _NO_BASELINE and now.kind is not DoseKind.TITRATION):
        return ToleranceResult(None, days, False, Status.NOT_EVALUATED)
    if now.kind is DoseKind.TITRATION and history.at <= _dose_finding_ends(history, catalogue):
        return ToleranceResult(None, days, False, Status.TITRATION_PHASE)
    baseline = [dose.daily for dose in _candidates(history, start, catalogue)]
    delta = now.daily.in_mcg_per_day - min(baseline, default=now.daily).in_mcg_per_day
    met = delta > catalogue.rule("tol_01_delta_mcg")
    return ToleranceResult(delta, days, met, _status(history, start, catalogue) if met else Status.NOT_MET)


def _window_start(history: History, catalogue: Catalogue) -> date:
    year = history.at - timedelta(days=int(catalogue.rule("tol_01_window_days")))
    resolved = [trouble.end for trouble in history.troubles if trouble.end is not None and trouble.end <= history.at]
    return max([year, *resolved])


def _dose_finding_ends(history: History, catalogue: Catalogue) -> date:
    return add_months(history.implanted_on, int(catalogue.rule("tit_13_months")))


def _candidates(history: History, start: date, catalogue: Catalogue) -> Iterator[Dose]:
    """Doses that were in force in the window and can be a baseline."""
    settled = _dose_finding_ends(history, catalogue)
    for place, dose in enumerate(history.doses):
        end = history.doses[place + 1].start if place + 1 < len(history.doses) else date.max
        in_window = dose.start <= history.at and end > start
        late_titration = dose.kind is DoseKind.TITRATION and min(end, history.at) >= settled
        if in_window and (dose.kind not in _NO_BASELINE or late_titration):
            yield dose


def _status(history: History, start: date, catalogue: Catalogue) -> Status:
    """The ladder of rule TOL-02 for a met criterion."""
    at = history.at
    if any(trouble.start <= at and (trouble.end is None or at < trouble.end) for trouble in history.troubles):
        return Status.EXPLAINED_BY_DEVICE
    tests = [test for test in history.bolus_tests if start <= test.on <= at]
    if not has_complete_check(history, start, catalogue) or (tests and tests[-1].response):
        return Status.DEVICE_CHECK_REQUIRED
    if any(start <= day <= at for day in history.disease_changes):
        return Status.EXPLAINED_BY_DISEASE
    return Status.TOLERANCE_SUPPORTED if tests else Status.TOLERANCE_SUSPECTED


def has_complete_check(history: History, start: date, catalogue: Catalogue) -> bool:
    """A complete check in the window, with no rise beyond the limit since. Source: DEV-02."""
    now, limit = history.dose_at(history.at), catalogue.rule("tol_01_delta_mcg")
    for check in history.checks:
        then = history.dose_at(check.on)
        if not check.complete or not start <= check.on <= history.at or now is None:
            continue
        if then is None or now.daily.in_mcg_per_day - then.daily.in_mcg_per_day <= limit:
            return True
    return False


@dataclass(frozen=True, slots=True)
class ReductionTrial:
    """When a trial to reduce a stable dose is due; ``due`` is ``None`` without a rating of tone."""

    due_on: date | None
    due: bool | None


def judge_reduction(
    history: History, result: ToleranceResult, target: ToneTarget | None, catalogue: Catalogue
) -> ReductionTrial:
    """Source: RED-01."""
    since = _unchanged_since(history)
    if since is None:
        return ReductionTrial(None, None)
    last = max([since, *(day for day in history.reduction_trials if day <= history.at)])
    due_on = last + timedelta(days=int(catalogue.rule("red_01_days")))
    rating = history.last_tone()
    if rating is None:
        return ReductionTrial(due_on, None)
    wanted = target or ToneTarget(
        ToneScale.AS0_4, catalogue.rule("red_01_target_low"), catalogue.rule("red_01_target_high")
    )
    steady = result.status is Status.NOT_MET
    return ReductionTrial(due_on, history.at >= due_on and wanted.holds(rating) and steady)


def _unchanged_since(history: History) -> date | None:
    """Since when the daily dose has been what it is."""
    now = history.dose_at(history.at)
    if now is None:
        return None
    since = now.start
    for dose in reversed([dose for dose in history.doses if dose.start < now.start]):
        if dose.daily != now.daily:
            break
        since = dose.start
    return since


def history_findings(
    history: History, result: ToleranceResult, trial: ReductionTrial, catalogue: Catalogue
) -> tuple[Finding, ...]:
    """What the rules say about the history."""
    return tuple(_history(history, result, trial, catalogue))


def _history(
    history: History, result: ToleranceResult, trial: ReductionTrial, catalogue: Catalogue
) -> Iterator[Finding]:
    yield from _criterion(result, catalogue)
    yield from _ladder(history, result, catalogue)
    yield from _refractory(history, catalogue)
    yield from _worse_after_increase(history, catalogue)
    start = _window_start(history, catalogue)
    for check in history.checks:
        if check.partial and not check.complete and start <= check.on <= history.at:
            yield Finding("DEV-02", Severity.NOTE, "partial-check", {"on": check.on.isoformat()})
    if trial.due and trial.due_on is not None:
        yield Finding("RED-01", Severity.TASK, "due", {"due_on": trial.due_on.isoformat()})
    if result.status is Status.TITRATION_PHASE:
        yield Finding("TIT-13", Severity.NOTE, "dose-finding", {"months": plain(catalogue.rule("tit_13_months"))})


def _criterion(result: ToleranceResult, catalogue: Catalogue) -> Iterator[Finding]:
    if result.delta_mcg is None:
        return
    limit, amber = catalogue.rule("tol_01_delta_mcg"), catalogue.rule("tol_04_delta_mcg")
    values: dict[str, str | int] = {
        "delta_mcg": plain(result.delta_mcg),
        "limit_mcg": plain(limit),
        "window_days": result.window_days,
    }
    if result.criterion_met:
        yield Finding("TOL-01", Severity.CONFIRM, "met", values)
    elif result.delta_mcg == limit:
        yield Finding("TOL-01", Severity.NOTE, "at-the-limit", values)
    elif result.delta_mcg > amber:
        yield Finding("TOL-04", Severity.NOTE, "near", values)


def _ladder(history: History, result: ToleranceResult, catalogue: Catalogue) -> Iterator[Finding]:
    if result.status is Status.DEVICE_CHECK_REQUIRED:
        yield Finding("TOL-02", Severity.BLOCK, "device-check-required")
    if result.criterion_met and history.at <= _dose_finding_ends(history, catalogue):
        yield Finding("TOL-02", Severity.NOTE, "early", {"months": plain(catalogue.rule("tit_13_months"))})
    if result.status in (Status.TOLERANCE_SUSPECTED, Status.TOLERANCE_SUPPORTED):
        yield Finding("TOL-05", Severity.NOTE, "options")
        now = history.dose_at(history.at)
        if now is not None and now.mode == "simple":
            yield Finding("TOL-07", Severity.NOTE, "bolus-first")


def _refractory(history: History, catalogue: Catalogue) -> Iterator[Finding]:
    """Source: TOL-03."""
    now, rating = history.dose_at(history.at), history.last_tone()
    if now is None or rating is None:
        return
    high = now.daily.in_mcg_per_day >= catalogue.rule("tol_03_dose_mcg_per_day")
    if high and rating.on_0_4 >= catalogue.rule("tol_03_tone"):
        checked = has_complete_check(history, _window_start(history, catalogue), catalogue)
        values = {
            "daily_dose_mcg": plain(now.daily.in_mcg_per_day),
            "tone": rounded(rating.on_0_4, 2),
            "next": "lp-test" if checked else "device-check-required",
        }
        yield Finding("TOL-03", Severity.CONFIRM, "lp-test" if checked else "device-check", values)


def _worse_after_increase(history: History, catalogue: Catalogue) -> Iterator[Finding]:
    """Source: DEV-06."""
    days, rise = timedelta(days=int(catalogue.rule("dev_06_days"))), catalogue.rule("dev_06_tone_rise")
    for before, after in pairwise(history.doses):
        if after.start > history.at or after.daily <= before.daily:
            continue
        earlier = [rating for rating in history.tone if rating.on <= after.start]
        later = [rating for rating in history.tone if after.start < rating.on <= min(after.start + days, history.at)]
        if earlier and any(rating.on_0_4 - earlier[-1].on_0_4 >= rise for rating in later):
            yield Finding("DEV-06", Severity.CONFIRM, "worse", {"on": after.start.isoformat()})
