"""The presets that a program may begin from, published ones and the clinic's own, and what may be done with those.

Law: a preset comes onto the board as an edit that can be undone, and is applied in no other way; who may keep or retire
one is judged by the service.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.models.errors import AppError
from app.models.formats import show_concentration
from app.models.presets import ClinicPreset, Preset, PresetNameTakenError
from app.ui.dates import show_day
from app.ui.error_texts import words_for
from app.ui.schedule.view_model import ScheduleViewModel


class PresetsViewModel(QObject):
    """Both kinds of presets, as the board would begin from them."""

    changed = Signal()
    """A preset was kept or retired."""

    def __init__(self, schedule: ScheduleViewModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.schedule = schedule

    @property
    def published(self) -> tuple[Preset, ...]:
        """Those of the catalogue, in its order."""
        return self.schedule.presets

    def own(self) -> tuple[Preset, ...]:
        """The clinic's own that are not retired, by name; read anew each time."""
        desk = self.schedule.workstation.prescribing
        users = {user.id: user.name for user in desk.store.users()}
        found = (preset.as_preset(self._citation(preset, users)) for preset in desk.presets())
        return tuple(sorted(found, key=lambda preset: preset.title.casefold()))

    def _citation(self, preset: ClinicPreset, users: dict[str, str]) -> str:
        day = self.schedule.workstation.clock.to_pump(preset.kept_at).date()
        return self.tr("Kept by {0}, {1}").format(users.get(preset.kept_by, preset.kept_by), show_day(day))

    def described(self, preset: Preset) -> str:
        """Title, citation, concentration and note, each a sentence in a line of its own."""
        lines = [preset.title, preset.citation]
        if preset.concentration is not None:
            lines.append(self.tr("With {0}").format(show_concentration(preset.concentration)))
        lines.append(preset.note)
        return "\n".join(line for line in lines if line)

    def start_from(self, preset: Preset) -> None:
        """Put it on the board, to be edited."""
        self.schedule.start_from(preset)

    @property
    def may_keep(self) -> bool:
        """Whether whoever works here is a physician."""
        return self.schedule.may_sign

    def keep(self, name: str, note: str) -> tuple[str, str]:
        """Keep the board; returns which field is wrong (empty for none of them) and what is wrong (empty if kept)."""
        settings, station = self.schedule.settings, self.schedule.workstation
        if settings is None:
            return "", self.schedule.why_not
        if not name.strip():
            return "name", self.tr("Give the preset a name.")
        taken = [preset.title for preset in self.published]
        try:
            preset = station.prescribing.keep_preset(name, note, settings, station.user, taken=taken)
        except PresetNameTakenError as error:
            return "name", words_for(error)
        except AppError as error:
            return "", words_for(error)
        self.schedule.said.emit(self.tr("Kept as a preset of this clinic: {0}.").format(preset.name), False)
        self.changed.emit()
        return "", ""

    def retire(self, preset: Preset) -> str:
        """Offer one of the clinic's own no more; returns what is wrong, or nothing."""
        station = self.schedule.workstation
        try:
            kept = next(found for found in station.prescribing.presets() if found.id == preset.id)
            station.prescribing.retire_preset(kept, station.user)
        except StopIteration:
            return self.tr("Nothing is left to do: this preset has been retired before.")
        except AppError as error:
            return words_for(error)
        self.changed.emit()
        return ""
