"""The emergency sheet's state: whose it is, which signs are ticked, and what that comes to.

Law: ticking stores nothing and sends nothing; only that the sheet was opened or printed is noted.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.models.emergency import Danger, EmergencyBook, EmergencySheet, Toxidrome
from app.services.workstation import Workstation
from app.ui.emergency_pdf import write_sheet
from app.ui.one_page_pdf import PageNotWrittenError


class EmergencyViewModel(QObject):
    """Everything the emergency page shows."""

    changed = Signal()
    """Another patient, or the same one read anew."""
    ticksChanged = Signal()
    said = Signal(str, bool)
    """What came of printing, and whether that is an error."""

    def __init__(self, workstation: Workstation, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workstation = workstation
        self.sheet: EmergencySheet | None = None
        self.patient_id = ""
        self._ticked: dict[str, set[str]] = {}

    @property
    def book(self) -> EmergencyBook:
        return self._workstation.emergency_book

    def open(self, patient_id: str) -> None:
        """Read the sheet of a patient; no sign of it is ticked. Raises: NotOnRecordError."""
        station = self._workstation
        self.patient_id = patient_id
        self.sheet = station.emergencies.open(patient_id, station.user, emulated=station.emulated)
        self._ticked = {}
        self.said.emit("", False)
        self.changed.emit()
        self.ticksChanged.emit()

    def close(self) -> None:
        """Show nobody's."""
        self.sheet, self.patient_id, self._ticked = None, "", {}
        self.changed.emit()
        self.ticksChanged.emit()

    def tick(self, kind: Toxidrome, sign: str, ticked: bool) -> None:
        """Tick a sign of that name, or take it back; nothing of it is stored."""
        names = self._ticked.setdefault(kind.title, set())
        (names.add if ticked else names.discard)(sign)
        self.ticksChanged.emit()

    def ticked(self, kind: Toxidrome) -> frozenset[str]:
        """The names of the ticked signs."""
        return frozenset(self._ticked.get(kind.title, ()))

    def danger(self, kind: Toxidrome) -> Danger:
        """What the ticked signs come to."""
        return kind.danger(self.ticked(kind))

    def words(self, kind: Toxidrome) -> str:
        """What to say of it; what ticking means while nothing is ticked."""
        return kind.words(self.danger(kind)) or self.tr("Tick what you see. Ticking stores nothing.")

    def path(self) -> Path:
        """Where the sheet goes on paper: the clinic's folder of reports, a file named after pump and moment."""
        at = self._workstation.clock.utc()
        return self._workstation.reports / f"emergency-{self.patient_id}-{at:%Y%m%d-%H%M%S}.pdf"

    def print(self) -> Path | None:
        """Write the sheet with its ticks as a PDF file; ``None`` where that failed, which is said."""
        if self.sheet is None:
            return None
        path, ticked = self.path(), self.ticked(self.book.overdose) | self.ticked(self.book.withdrawal)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_sheet(self.sheet, self.book, ticked, path)
        except (PageNotWrittenError, OSError):
            self.said.emit(self.tr("Write it by hand: the sheet could not be saved as {0}.").format(path), True)
            return None
        self._workstation.emergencies.note_printed(self.patient_id, self._workstation.user)
        self.said.emit(self.tr("Saved as {0}").format(path), False)
        return path
