"""The file of emergencies: read strictly, turned into domain values.

Law: every sign, step, note and alarm names its source and says whether it was verified; a file that breaks this is
refused whole, with the place named.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.documents.catalogue import CatalogueError
from app.models.emergency import AlarmMeaning, EmergencyBook, Measure, Sign, Toxidrome
from app.resources import resource_path

FILE = "emergency.toml"

_Text = Annotated[str, Field(min_length=1, pattern=r"\S")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SignDocument(_Strict):
    """One sign of the file."""

    name: _Text
    detail: _Text
    grave: bool
    source: _Text
    verified: bool
    patient: _Text | None = None
    hint: _Text | None = None
    hint_source: _Text | None = None

    @model_validator(mode="after")
    def _hint_is_named(self) -> SignDocument:
        if (self.hint is None) != (self.hint_source is None):
            raise ValueError("hint and hint_source go together")
        return self

    def to_domain(self) -> Sign:
        return Sign(
            name=self.name,
            detail=self.detail,
            grave=self.grave,
            source=self.source,
            verified=self.verified,
            patient=self.patient or "",
            hint=self.hint or "",
            hint_source=self.hint_source or "",
        )


class MeasureDocument(_Strict):
    """One step or note of the file."""

    text: _Text
    dose: _Text | None = None
    source: _Text
    verified: bool

    def to_domain(self) -> Measure:
        return Measure(self.text, self.dose or "", self.source, self.verified)


class ToxidromeDocument(_Strict):
    """Overdose or withdrawal."""

    title: _Text
    possible: _Text
    grave: _Text
    signs: Annotated[list[SignDocument], Field(min_length=1)]
    steps: Annotated[list[MeasureDocument], Field(min_length=1)]
    notes: list[MeasureDocument] = []

    @model_validator(mode="after")
    def _signs_are_told_apart(self) -> ToxidromeDocument:
        names = [sign.name for sign in self.signs]
        if len(set(names)) != len(names):
            raise ValueError("two signs of one name")
        if all(sign.grave for sign in self.signs) or not any(sign.grave for sign in self.signs):
            raise ValueError("some signs make an emergency of it, some do not")
        return self

    def to_domain(self) -> Toxidrome:
        return Toxidrome(
            title=self.title,
            possible=self.possible,
            grave=self.grave,
            signs=tuple(sign.to_domain() for sign in self.signs),
            steps=tuple(step.to_domain() for step in self.steps),
            notes=tuple(note.to_domain() for note in self.notes),
        )


class AlarmDocument(_Strict):
    """One alarm of the file."""

    tone: _Text
    meaning: _Text
    patient: _Text
    source: _Text
    verified: bool

    def to_domain(self) -> AlarmMeaning:
        return AlarmMeaning(self.tone, self.meaning, self.patient, self.source, self.verified)


class EmergencyDocument(_Strict):
    """The whole file."""

    version: _Text
    alarm_pumps: list[_Text]
    overdose: ToxidromeDocument
    withdrawal: ToxidromeDocument
    alarms: Annotated[list[AlarmDocument], Field(min_length=1)]

    def to_domain(self) -> EmergencyBook:
        return EmergencyBook(
            version=self.version,
            overdose=self.overdose.to_domain(),
            withdrawal=self.withdrawal.to_domain(),
            alarms=tuple(alarm.to_domain() for alarm in self.alarms),
            alarm_pumps=tuple(self.alarm_pumps),
        )


def load_emergency(folder: Path | None = None) -> EmergencyBook:
    """Read signs, steps and alarms.

    Raises:
        CatalogueError: the file is missing or broken.
    """
    path = (folder or resource_path("catalogue")) / FILE
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CatalogueError(file=FILE, problem=str(error)) from None
    try:
        return EmergencyDocument.model_validate(table).to_domain()
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise CatalogueError(file=FILE, problem=f"{place}: {first['msg']}") from None
