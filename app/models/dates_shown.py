"""Which dates may be shown: one that cannot be true is called unknown, and somebody is asked to find out.

Law: an impossible date is never shown as a date and never scheduled from; what was read stands in the finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from app.models.catalogue import Catalogue
from app.models.findings import Finding, Severity
from app.models.reservoir import add_months

UNKNOWN = "unknown, contact the manufacturer"


class DateProblem(StrEnum):
    """Why a date cannot be true."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    PAST = "past"
    AFTER_ERI = "after-eri"
    TOO_FAR = "too-far"


@dataclass(frozen=True, slots=True)
class DateLimits:
    """How far from today a date can lie: days back, years ahead, and days after the pump's battery warning."""

    past_days: int
    longest_years: int
    after_eri_days: int

    @classmethod
    def of(cls, catalogue: Catalogue) -> DateLimits:
        """The catalogue's limits. Raises: UnknownEntryError."""
        names = ("u_13_past_days", "u_13_longest_years", "lif_01_replace_days")
        return cls(*(int(catalogue.rule(name)) for name in names))


@dataclass(frozen=True, slots=True)
class ShownDate:
    """``at`` is as it was given, or ``None`` with a ``finding`` that asks somebody to find out."""

    at: date | datetime | None
    finding: Finding | None = None


def shown_date(
    what: str,
    raw: date | datetime | str | None,
    *,
    today: date,
    limits: DateLimits,
    eri_on: date | None = None,
    is_ahead: bool = True,
) -> ShownDate:
    """A date that can be shown, or why there is none. Every limit itself is still possible.

    Args:
        what: the name of the date, for the finding.
        raw: as it was computed, or as a pump tells it.
        eri_on: the first day of the pump's battery warning, for the day by which a pump is replaced.
        is_ahead: whether the event must lie ahead; a refill that is overdue does not.

    Source: U-13, LIF-01, SR-12.
    """
    at = _read(raw)
    problem = _problem(raw, at, today, limits, eri_on, is_ahead=is_ahead)
    if problem is None:
        return ShownDate(at)
    told = raw if isinstance(raw, str) else at.isoformat()[:10] if at is not None else "nothing"
    return ShownDate(None, Finding("U-13", Severity.TASK, problem.value, {"what": what, "raw": told or "nothing"}))


def _read(raw: date | datetime | str | None) -> date | datetime | None:
    if not isinstance(raw, str):
        return raw
    try:
        return date.fromisoformat(raw)
    except ValueError:
        return None


def _problem(
    raw: object, at: date | datetime | None, today: date, limits: DateLimits, eri_on: date | None, *, is_ahead: bool
) -> DateProblem | None:
    if at is None:
        return DateProblem.UNREADABLE if isinstance(raw, str) and raw.strip() else DateProblem.MISSING
    day = at.date() if isinstance(at, datetime) else at
    if is_ahead and day < today - timedelta(days=limits.past_days):
        return DateProblem.PAST
    if eri_on is not None and day > eri_on + timedelta(days=limits.after_eri_days):
        return DateProblem.AFTER_ERI
    return DateProblem.TOO_FAR if day > add_months(today, 12 * limits.longest_years) else None
