"""The cards of the pump's events with all that they can do, on the page of the reading or in a dialog of their own.

Law: what the pump runs is taken into the record only from beside the record, never from the card itself.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.models.pump_events import EventCard
from app.ui.refill.event_cards import EventCards
from app.ui.refill.events_view_model import EventsViewModel
from app.ui.refill.reconcile_dialog import ReconcileDialog
from app.ui.theme import Scale, set_type, unit


class EventsPanel(EventCards):
    """Follows the view model."""

    def __init__(self, view_model: EventsViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self.readAgain.connect(view_model.read_again)
        self.resolved.connect(self._resolve)
        self.compare.connect(self._compare)
        view_model.changed.connect(self.look)

    def look(self) -> None:
        """Show what the service says now."""
        self.show_cards(self._view_model.cards(), self._view_model.circumstances())
        self.show_log(self._view_model.log())

    def _compare(self) -> None:
        """Show the record beside the pump, and take the pump's settings over if that is wanted."""
        found = self._view_model.found()
        if found is None:
            return
        dialog = ReconcileDialog(self._view_model.serial(), found, self._view_model.difference(), self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(self._view_model.reconcile)
        dialog.open()

    def _resolve(self, card: EventCard, reason: str, second_id: str) -> None:
        problem = self._view_model.resolve(card, reason, second_id)
        if problem:
            self.refuse(card.key, problem)


class EventsDialog(QDialog):
    """The cards that hold a visit up, wherever it stands."""

    def __init__(self, view_model: EventsViewModel, why: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("What the pump's events ask"))
        self.panel = EventsPanel(view_model)
        self.stay = QPushButton(self.tr("&Close"))
        self.stay.setAutoDefault(False)
        self.stay.clicked.connect(self.accept)
        words = QLabel(why)
        words.setWordWrap(True)
        set_type(words, Scale.LEAD, strong=True)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(self.panel)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.stay)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(3 * unit(),) * 4)
        column.setSpacing(unit())
        column.addWidget(words)
        column.addWidget(area, 1)
        column.addLayout(row)
        self.resize(100 * unit(), 76 * unit())
        self.panel.look()
