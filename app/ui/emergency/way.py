"""The way to the emergency sheet from every page, and back to where one was.

Law: turning to the sheet reads it for the patient at hand; going back shows the page that was left, with everything
that was typed there as it stood.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QKeyCombination, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QWidget

from app.services.workstation import Workstation
from app.ui.emergency.view import EmergencyView
from app.ui.emergency.view_model import EmergencyViewModel
from app.ui.navigation import Navigation

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow

KEY = QKeyCombination(Qt.KeyboardModifier.ControlModifier, Qt.Key.Key_E)


class EmergencyWay(QObject):
    """Puts the emergency page behind the other ``window`` pages, and wires what leads there."""

    def __init__(self, window: MainWindow, workstation: Workstation, names: Navigation) -> None:
        super().__init__(window)
        self._window, self._names = window, names
        self.model = EmergencyViewModel(workstation, self)
        self.view = EmergencyView(self.model)
        self.page = window.pages.addWidget(self.view)
        self._before = window.pages.currentIndex()
        self.key = QShortcut(QKeySequence(KEY), window)
        self.key.activated.connect(self.open)
        window.worklist_view.emergencyWanted.connect(self.open)
        window.patient_view.emergencyWanted.connect(self.open)
        window.pages.currentChanged.connect(self._turned)
        self.view.backWanted.connect(self.back)
        QApplication.instance().focusChanged.connect(self._follow)  # type: ignore[union-attr]

    def _follow(self, old: QWidget | None, new: QWidget | None) -> None:
        if old is not None:
            old.removeEventFilter(self)
        if new is not None:
            new.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the key from a field that takes it for the end of its line, as fields do under X11."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            return event.keyCombination() == KEY
        return super().eventFilter(watched, event)

    def open(self) -> None:
        """Turn to the sheet of the patient at hand."""
        self._window.turn_to(self.page)

    def back(self) -> None:
        """Show the page that was left; it is not opened anew."""
        self._window.pages.setCurrentIndex(self._before)
        self._names.show_chosen(self._before)
        self._window.guard.refresh()

    def _turned(self, page: int) -> None:
        if page != self.page:
            self._before = page
            return
        patient_id = self._patient_at_hand()
        if not patient_id:
            self.model.close()
            return
        self._window.patient.open(patient_id)
        self.model.open(patient_id)
        self.view.setFocus()

    def _patient_at_hand(self) -> str:
        """Whoever the page that was left is about; on the worklist the line that is chosen."""
        window = self._window
        left = window.pages.widget(self._before)
        if left is window.worklist_view:
            return window.worklist_view.chosen_patient()
        therapy = window.patient.therapy
        if left is window.refill_view and window.refill.therapy is not None:
            therapy = window.refill.therapy
        return therapy.patient.id if therapy is not None else ""
