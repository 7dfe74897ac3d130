"""Overdose and withdrawal: the signs, what is done about them, and how grave it is.

Law: signs, steps and doses come from the catalogue with their source; ticking a sign changes nothing but what is shown.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from app.models.report import ReportRow


class Danger(StrEnum):
    """What the ticked signs of one kind come to."""

    NONE = "none"
    POSSIBLE = "possible"
    EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign. ``name`` fits a tick box, ``detail`` is the whole of it, ``patient`` plain words for the card (empty
    where only a clinic can see it), ``hint`` what it is highly suggestive of."""

    name: str
    detail: str
    grave: bool
    source: str
    verified: bool
    patient: str = ""
    hint: str = ""
    hint_source: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """One step or note; ``dose`` is text with its unit and way, empty where there is none."""

    text: str
    dose: str
    source: str
    verified: bool

    @property
    def sentence(self) -> str:
        """Text and dose in one line."""
        return f"{self.text}: {self.dose}." if self.dose else self.text


@dataclass(frozen=True, slots=True)
class Toxidrome:
    """Overdose or withdrawal; ``possible`` and ``grave`` are what to say of it."""

    title: str
    possible: str
    grave: str
    signs: tuple[Sign, ...]
    steps: tuple[Measure, ...]
    notes: tuple[Measure, ...]

    def danger(self, ticked: Collection[str]) -> Danger:
        """What the signs of these names come to. Source: EMG-01, EMG-02."""
        found = [sign for sign in self.signs if sign.name in ticked]
        if any(sign.grave for sign in found):
            return Danger.EMERGENCY
        return Danger.POSSIBLE if found else Danger.NONE

    def words(self, danger: Danger) -> str:
        """What to say of it; empty for no danger."""
        return {Danger.NONE: "", Danger.POSSIBLE: self.possible, Danger.EMERGENCY: self.grave}[danger]

    def sources(self) -> tuple[str, ...]:
        """Every source once, as named, in the order of first use."""
        named = [sign.source for sign in self.signs]
        named += [measure.source for measure in (*self.steps, *self.notes)]
        named += [sign.hint_source for sign in self.signs if sign.hint_source]
        return tuple(dict.fromkeys(source.strip() for name in named for source in _parts(name)))


def _parts(name: str) -> list[str]:
    """The publications of one source, without the rule's id in front."""
    rest = name.split(": ", 1)[1] if name.startswith("EMG-") and ": " in name else name
    return [part for part in rest.split(";") if not part.strip().startswith("EMG-")]


@dataclass(frozen=True, slots=True)
class AlarmMeaning:
    """A pump's tone, what it means, and what the patient does. Source: LIF-04."""

    tone: str
    meaning: str
    patient: str
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class EmergencyBook:
    """The whole catalogue of emergencies. ``alarm_pumps``: how the slugs of those pumps begin whose tones are known."""

    version: str
    overdose: Toxidrome
    withdrawal: Toxidrome
    alarms: tuple[AlarmMeaning, ...]
    alarm_pumps: tuple[str, ...]

    def alarms_of(self, pump: str) -> tuple[AlarmMeaning, ...]:
        """What the tones of a pump mean, by its slug; none where they are not known."""
        return self.alarms if pump.startswith(self.alarm_pumps) else ()


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that was done or happened: when on the pump's clock, what in a word, and the whole in words.

    ``grave`` marks what may explain an overdose or a withdrawal.
    """

    at: str
    what: str
    words: str
    grave: bool = False


@dataclass(frozen=True, slots=True)
class EmergencySheet:
    """One patient's emergency sheet as finished text. ``alerts`` are what must be known first.

    ``days`` is how far back ``happenings`` goes; they stand latest first.
    """

    patient: str
    subtitle: str
    facts: tuple[ReportRow, ...]
    program: str
    alerts: tuple[str, ...]
    happenings: tuple[Happening, ...]
    days: int
    phone: str
    footer: str
    emulated: bool
