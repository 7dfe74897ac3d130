"""The patient's card as a value: what somebody who lives with a pump must have at hand (rule REF-13).

Law: a card holds finished text from the records and the catalogue; who draws it computes nothing. What is not known
says so, and never is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.models.report import ReportRow


@dataclass(frozen=True, slots=True)
class CardSigns:
    """The signs of overdose or withdrawal in plain words; ``grave`` are those that wait for nobody."""

    title: str
    signs: tuple[str, ...]
    grave: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CardAlarm:
    """A tone of the pump, what it means, and what to do. Source: LIF-04."""

    tone: str
    meaning: str
    what_to_do: str


@dataclass(frozen=True, slots=True)
class PatientCard:
    """One patient's card. ``dates`` are set large; ``phone`` is empty where the clinic has set none, and the paper then
    has a line to write on. ``alarms`` is empty where the tones are not known: ``alarm_words`` then says what to do."""

    title: str
    patient: str
    subtitle: str
    dates: tuple[ReportRow, ...]
    facts: tuple[ReportRow, ...]
    program: str
    computed: str
    alarms: tuple[CardAlarm, ...]
    alarm_words: str
    overdose: CardSigns
    withdrawal: CardSigns
    what_to_do: str
    phone: str
    footer: str
    emulated: bool
