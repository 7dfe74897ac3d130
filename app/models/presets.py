"""Schedules to begin from: published ones, and those that a clinic keeps for itself.

Law: a published preset is read from the catalogue with its citation; a clinic's own says who kept it and when, and is
only ever added or retired. Neither is sent as it is: it is put before a person to be edited and confirmed (rule
DOS-08).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.models.errors import AppError
from app.models.program import Program
from app.models.pump import PumpSettings
from app.models.quantities import Concentration


class InvalidPresetError(AppError):
    """This cannot be a preset; ``problem`` is ``name``, ``moment`` or ``settings``."""


class PresetNameTakenError(AppError):
    """Another preset that can be chosen has this name already; ``name`` is how that one spells it."""


class PresetRetiredError(AppError):
    """This preset has been retired before."""


@dataclass(frozen=True, slots=True)
class Preset:
    """One published schedule.

    ``concentration`` is ``None`` where the publication gives none; ``note`` says what it leaves open, and how that was
    filled in here.
    """

    id: str
    title: str
    citation: str
    program: Program
    concentration: Concentration | None
    note: str


@dataclass(frozen=True, slots=True)
class ClinicPreset:
    """One of a clinic's own.

    ``settings`` are decoded from the bytes that a pump would be sent, without the fill and the bridge of one refill.
    ``kept_at`` is UTC; ``kept_by`` and ``retired_by`` are users' ids. A retired one stays on record.
    """

    id: str
    name: str
    note: str
    settings: PumpSettings
    kept_at: datetime
    kept_by: str
    retired_at: datetime | None = None
    retired_by: str | None = None

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InvalidPresetError(problem="name")
        if self.kept_at.tzinfo is None:
            raise InvalidPresetError(problem="moment")
        if self.settings.reservoir is not None or self.settings.bridge is not None:
            raise InvalidPresetError(problem="settings")

    @property
    def is_retired(self) -> bool:
        return self.retired_at is not None

    def as_preset(self, citation: str) -> Preset:
        """The same, to be shown beside the published ones."""
        return Preset(self.id, self.name, citation, self.settings.program, self.settings.concentration, self.note)


def same_name(one: str, other: str) -> bool:
    """Whether a reader would take two names for one: capitals and spaces do not count."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())
