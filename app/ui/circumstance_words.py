"""Risks and appointments in words: short ones for a list, whole ones for a page.

Law: a word here is a word for people; what is kept and judged is the reason itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

from app.models.circumstances import RiskReason
from app.services.attention import AppointmentState
from app.services.therapy import Therapy
from app.ui.dates import MONTHS, show_day

RISK_SENTENCES = MappingProxyType(
    {
        RiskReason.SCI_T6: "Spinal cord injury at T6 or above",
        RiskReason.COMMUNICATION: "Cannot easily tell of withdrawal",
        RiskReason.EARLIER_WITHDRAWAL: "Had withdrawal before",
        RiskReason.BEFORE_ALARM: "Had signs of withdrawal 1 to 7 days before the low-reservoir alarm",
        RiskReason.HIGH_DOSE: "High daily dose",
        RiskReason.OTHER: "Another reason",
    }
)
_SHORT = {
    RiskReason.SCI_T6: "SCI T6",
    RiskReason.COMMUNICATION: "communication",
    RiskReason.EARLIER_WITHDRAWAL: "withdrawal",
    RiskReason.BEFORE_ALARM: "early signs",
    RiskReason.HIGH_DOSE: "high dose",
    RiskReason.OTHER: "noted",
}
_STATES = {
    AppointmentState.LATE: "late",
    AppointmentState.MISSED: "missed",
    AppointmentState.AWAY: "away",
}


def short_risks(risks: Sequence[RiskReason]) -> str:
    """The first reason, and how many more there are; empty for none."""
    if not risks:
        return ""
    more = len(risks) - 1
    return f"{_SHORT[risks[0]]} +{more}" if more else _SHORT[risks[0]]


def whole_risks(risks: Sequence[RiskReason]) -> str:
    """Every reason, one below the other."""
    return "\n".join(RISK_SENTENCES[risk] for risk in risks)


def short_appointment(therapy: Therapy, state: AppointmentState) -> str:
    """The day, or what is wrong with it before the day without its year."""
    on = therapy.appointment_on
    if on is None:
        return "none"
    word = _STATES.get(state)
    return f"{word}, {on.day}\u00a0{MONTHS[on.month - 1]}" if word else show_day(on)


def long_appointment(therapy: Therapy, state: AppointmentState) -> str:
    """The day with its year, and what is wrong with it."""
    on = therapy.appointment_on
    if on is None:
        return "none"
    return f"{show_day(on)}, {_STATES[state]}" if state in _STATES else show_day(on)
