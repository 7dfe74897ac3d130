"""What the clinic knows of a patient's life that decides when a pump is refilled: risks in withdrawal, and absences.

Law: a reason stands until somebody ends it, and both are on record with name and moment. A high dose is never noted:
it follows from the program.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction

from app.models.errors import AppError


class RiskReason(StrEnum):
    """Why an interruption of the therapy would be worse for this patient than for others. Source: REF-15, REF-08."""

    SCI_T6 = "spinal-cord-injury-t6"
    COMMUNICATION = "communication"
    EARLIER_WITHDRAWAL = "earlier-withdrawal"
    BEFORE_ALARM = "withdrawal-before-alarm"
    HIGH_DOSE = "high-dose"
    OTHER = "other"


NOTED = tuple(reason for reason in RiskReason if reason is not RiskReason.HIGH_DOSE)
"""The reasons that people write down."""


class ImpossibleAbsenceError(AppError):
    """No absence can be like that; ``problem`` is ``reversed``, ``past`` or ``too-long``."""


@dataclass(frozen=True, slots=True)
class NotedRisk:
    """A reason that somebody wrote down and nobody has ended."""

    reason: RiskReason
    noted_at: datetime
    noted_by: str


@dataclass(frozen=True, slots=True)
class Absence:
    """A patient will be away from ``first`` to ``last``, both days included."""

    id: str
    patient_id: str
    first: date
    last: date
    noted_at: datetime
    noted_by: str

    def meets(self, first: date, last: date) -> bool:
        """Whether any day from ``first`` to ``last`` lies within."""
        return self.first <= last and self.last >= first


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What counts today. ``eri_on`` is the day of the pump's clock on which its battery warning was first read."""

    risks: tuple[NotedRisk, ...] = ()
    absences: tuple[Absence, ...] = ()
    eri_on: date | None = None

    def has(self, reason: RiskReason) -> bool:
        """Whether somebody noted this reason."""
        return any(risk.reason is reason for risk in self.risks)


NOTHING_KNOWN = Circumstances()


def risk_reasons(
    circumstances: Circumstances, *, flagged: bool, daily_mcg: Fraction | None, high_dose_mcg: Fraction
) -> tuple[RiskReason, ...]:
    """Every reason that counts, in the order of :class:`RiskReason`.

    ``flagged`` is the patient's own mark without a reason; ``daily_mcg`` the achieved daily dose of baclofen, ``None``
    where it is unknown or another drug; at the limit counts. Source: REF-15.
    """
    counting = {risk.reason for risk in circumstances.risks}
    if flagged:
        counting.add(RiskReason.OTHER)
    if daily_mcg is not None and daily_mcg >= high_dose_mcg:
        counting.add(RiskReason.HIGH_DOSE)
    return tuple(reason for reason in RiskReason if reason in counting)


def require_possible(first: date, last: date, *, today: date, longest_days: int) -> None:
    """Check that an absence ends after it begins, is not over, and is not longer than ``longest_days``.

    Raises: ImpossibleAbsenceError.
    """
    if last < first:
        raise ImpossibleAbsenceError(problem="reversed", first=first, last=last)
    if last < today:
        raise ImpossibleAbsenceError(problem="past", first=first, last=last)
    if (last - first).days + 1 > longest_days:
        raise ImpossibleAbsenceError(problem="too-long", first=first, last=last, longest_days=longest_days)


def meeting(absences: Iterable[Absence], first: date, last: date) -> tuple[Absence, ...]:
    """The absences that share a day with ``first`` to ``last``, the earliest first."""
    return tuple(sorted((away for away in absences if away.meets(first, last)), key=lambda away: away.first))
