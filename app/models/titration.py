"""Changing the daily dose step by step, up or down.

Law: a step is judged by its size and by the time since the last one; who may be changed how fast depends on where
the spasticity comes from and on age, and where that is not known the rules that need it stay silent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from app.models.catalogue import Catalogue
from app.models.errors import AppError
from app.models.findings import Finding, Severity
from app.models.formats import plain, rounded
from app.models.quantities import DoseRate, Mass

_MOST_STEPS = 1000


class TooManyStepsError(AppError):
    """A taper of that many steps is beyond reason."""


class Setting(StrEnum):
    """Where a dose is changed."""

    TITRATION = "titration"
    REFILL = "refill"


@dataclass(frozen=True, slots=True)
class DoseChange:
    """From one daily dose to another; hours are since the therapy's start and since the last change, if known.

    ``group`` is ``spinal``, ``cerebral`` or ``child``, or empty where it is not known.
    """

    old: DoseRate
    new: DoseRate
    setting: Setting
    group: str = ""
    hours_since_start: int | None = None
    hours_since_last_change: int | None = None

    @property
    def percent(self) -> Fraction | None:
        """By how much the dose changes, of the old one; ``None`` from zero."""
        return (self.new.ratio(self.old) - 1) * 100 if self.old else None


def titration_findings(change: DoseChange, catalogue: Catalogue) -> tuple[Finding, ...]:
    """What the rules say about one step. Source: TIT-04 to TIT-07, TIT-14, U-09."""
    return tuple(_titration(change, catalogue))


def _titration(change: DoseChange, catalogue: Catalogue) -> Iterator[Finding]:
    values: dict[str, str | int] = {
        "old_daily_dose_mcg": plain(change.old.in_mcg_per_day),
        "new_daily_dose_mcg": plain(change.new.in_mcg_per_day),
    }
    percent = change.percent
    if percent is not None:
        values["change_percent"] = rounded(percent, 2)
    rises = change.new > change.old
    if change.setting is Setting.TITRATION and rises:
        yield from _too_soon(change, catalogue, values)
    if percent is None:
        return
    if rises:
        yield from _too_steep(change, percent, catalogue, values)
    elif -percent > catalogue.rule("tit_06_decrease_percent"):
        limit = plain(catalogue.rule("tit_06_decrease_percent"))
        yield Finding("TIT-06", Severity.CONFIRM, "decrease", {**values, "limit_percent": limit})
    ratio = change.new.ratio(change.old)
    if ratio > catalogue.rule("u_09_high_ratio") or ratio < catalogue.rule("u_09_low_ratio"):
        yield Finding("U-09", Severity.CONFIRM, "ratio", {**values, "ratio": rounded(ratio, 3)})


def _too_soon(change: DoseChange, catalogue: Catalogue, values: dict[str, str | int]) -> Iterator[Finding]:
    first, between = catalogue.rule("tit_04_first_h"), catalogue.rule("tit_05_between_h")
    if change.hours_since_start is not None and change.hours_since_start < first:
        told = {**values, "hours": change.hours_since_start, "limit_h": plain(first)}
        yield Finding("TIT-04", Severity.BLOCK, "first-day", told)
    if change.hours_since_last_change is not None and change.hours_since_last_change < between:
        told = {**values, "hours": change.hours_since_last_change, "limit_h": plain(between)}
        yield Finding("TIT-05", Severity.BLOCK, "too-soon", told)


def _too_steep(
    change: DoseChange, percent: Fraction, catalogue: Catalogue, values: dict[str, str | int]
) -> Iterator[Finding]:
    rule = "tit_05" if change.setting is Setting.TITRATION else "tit_06"
    if change.group:
        limit = catalogue.rule(f"{rule}_{change.group}_percent")
        if percent > limit:
            told = {**values, "limit_percent": plain(limit)}
            yield Finding(rule.upper().replace("_", "-"), Severity.CONFIRM, "increase", told)
    high, most = catalogue.rule("tit_07_high_dose_mcg_per_day"), catalogue.rule("tit_07_percent")
    if change.old.in_mcg_per_day >= high and percent > most:
        yield Finding("TIT-07", Severity.CONFIRM, "high-dose", {**values, "limit_percent": plain(most)})
    sudden = catalogue.rule("tit_14_percent")
    if percent > sudden:
        yield Finding("TIT-14", Severity.CONFIRM, "sudden", {**values, "limit_percent": plain(sudden)})


def restart_findings(old: DoseRate, new: DoseRate, catalogue: Catalogue) -> tuple[Finding, ...]:
    """Whether a dose after a holiday, or after nothing, is one at which patients were overdosed; the limit is
    inclusive, and one of baclofen. Source: PRO-01, PRO-03.
    """
    holiday, limit = catalogue.rule("pro_01_holiday_mcg_per_day"), catalogue.rule("pro_03_restart_mcg_per_day")
    if old.in_mcg_per_day > holiday or new.in_mcg_per_day < limit:
        return ()
    values = {
        "old_daily_dose_mcg": plain(old.in_mcg_per_day),
        "new_daily_dose_mcg": plain(new.in_mcg_per_day),
        "new_mcg_per_h": rounded(new.in_mcg_per_hour, 3),
        "limit_mcg": plain(limit),
    }
    return (Finding("PRO-03", Severity.CONFIRM, "restart", values),)


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a taper: from ``day`` on, and the change in percent of the dose before."""

    day: int
    dose: DoseRate
    change_percent: Fraction


@dataclass(frozen=True, slots=True)
class Taper:
    """A ladder down to zero, and all the drug that it delivers."""

    rungs: tuple[Rung, ...]
    delivered: Mass


def taper(start: DoseRate, step: DoseRate, every_days: int) -> Taper:
    """D_k = max(0, D_0 - k x step), a step every ``every_days`` days. Source: PRO-04.

    Raises: TooManyStepsError: more than a thousand steps, or steps of nothing.
    """
    if not step or every_days < 1 or start.quanta > step.quanta * _MOST_STEPS:
        raise TooManyStepsError(step=step.quanta, every_days=every_days)
    rungs = [Rung(0, start, Fraction(0))]
    delivered = Mass.zero()
    while rungs[-1].dose:
        before = rungs[-1]
        delivered += before.dose.per_day() * every_days
        dose = max(before.dose - step, DoseRate.zero())
        rungs.append(Rung(before.day + every_days, dose, (dose.ratio(before.dose) - 1) * 100))
    return Taper(tuple(rungs), delivered)


def taper_findings(ladder: Taper, catalogue: Catalogue, *, inpatient: bool) -> tuple[Finding, ...]:
    """One finding for each step that is too steep. Source: PRO-04."""
    severe, outside = catalogue.rule("pro_04_severe_percent"), catalogue.rule("pro_04_outpatient_percent")
    findings = []
    for rung in ladder.rungs:
        drop = -rung.change_percent
        values: dict[str, str | int] = {
            "day": rung.day,
            "daily_dose_mcg": plain(rung.dose.in_mcg_per_day),
            "change_percent": rounded(rung.change_percent, 2),
        }
        if drop > severe:
            findings.append(Finding("PRO-04", Severity.CONFIRM, "severe", {**values, "limit_percent": plain(severe)}))
        elif drop > outside and not inpatient:
            told = {**values, "limit_percent": plain(outside)}
            findings.append(Finding("PRO-04", Severity.CONFIRM, "outpatient", told))
    return tuple(findings)
