"""The patient's page: what is left and the next date, large; everything else quiet below.

Law: this page only shows; its buttons begin a refill, write the patient's card, and lead to scans and to the emergency
sheet.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.models.formats import show_volume
from app.ui.circumstance_words import whole_risks
from app.ui.dates import show_day
from app.ui.patient.circumstances_dialog import CircumstancesDialog
from app.ui.patient.circumstances_panel import circumstances_column, todo_column
from app.ui.patient.view_model import Fact, PatientViewModel
from app.ui.theme import Scale, set_role, set_type, unit


class PatientView(QWidget):
    """The page."""

    refillWanted = Signal(str)
    emergencyWanted = Signal()
    scanWanted = Signal()

    def __init__(self, view_model: PatientViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self._left = _Figure(self.tr("Should be left now"))
        self._due = _Figure(self.tr("Refill by"))
        self._days = _Figure(self.tr("Time left"))
        self._columns = QHBoxLayout()
        self._fills = QVBoxLayout()
        self._lower = QHBoxLayout()
        self.change = QPushButton(self.tr("C&hange…"), self)
        self.change.hide()
        self._refill = QPushButton(self.tr("Begin &refill"))
        self.scan = QPushButton(self.tr("Scan or s&urgery…"))
        self.card = QPushButton(self.tr("Patient &card…"))
        self.emergency = QPushButton(self.tr("&Emergency sheet"))
        self._said, self._bridge = QLabel(), QLabel()
        self._lay_out()
        self._refill.clicked.connect(self._begin)
        self.card.clicked.connect(self._save_card)
        self.change.clicked.connect(self._change)
        self.emergency.clicked.connect(self.emergencyWanted)
        self.scan.clicked.connect(self.scanWanted)
        view_model.changed.connect(self._refresh)

    def _lay_out(self) -> None:
        set_role(self._refill, "primary")
        figures = QHBoxLayout()
        figures.setSpacing(6 * unit())
        for figure in (self._left, self._due, self._days):
            figures.addWidget(figure)
        figures.addStretch(1)
        buttons = QHBoxLayout()
        buttons.setSpacing(unit())
        for button in (self.emergency, self.scan, self.card, self._refill):
            button.setAutoDefault(False)
            button.setEnabled(False)
            buttons.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        figures.addLayout(buttons)
        set_role(self.emergency, "danger")
        self._said.setWordWrap(True)
        self._said.setTextFormat(Qt.TextFormat.PlainText)
        self._said.setAccessibleName(self.tr("What came of the card"))
        self._said.hide()
        self._bridge.setWordWrap(True)
        set_type(self._bridge, Scale.LEAD, strong=True)
        self._bridge.hide()
        self._columns.setSpacing(6 * unit())
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * unit(), 2 * unit(), 3 * unit(), unit())
        column.setSpacing(2 * unit())
        column.addLayout(figures)
        column.addWidget(self._bridge)
        column.addWidget(self._said)
        column.addWidget(hairline())
        column.addLayout(self._columns)
        column.addWidget(hairline())
        below = QHBoxLayout()
        below.setSpacing(6 * unit())
        self._fills.setSpacing(unit())
        below.addLayout(self._fills, 3)
        self._lower.setSpacing(6 * unit())
        below.addLayout(self._lower, 4)
        self.change.setAutoDefault(False)
        self.change.setAccessibleName(self.tr("Change risks and absences"))
        column.addLayout(below)
        column.addStretch(1)

    def _refresh(self) -> None:
        therapy = self._view_model.therapy
        clear(self._columns)
        clear(self._fills)
        self.change.setParent(self)
        self.change.hide()
        clear(self._lower)
        self._refill.setEnabled(therapy is not None and therapy.implant is not None)
        self.card.setEnabled(therapy is not None)
        self.scan.setEnabled(therapy is not None and therapy.implant is not None)
        self.emergency.setEnabled(therapy is not None)
        self._said.hide()
        bridge = self._view_model.bridge_words()
        self._bridge.setText(bridge)
        self._bridge.setVisible(bool(bridge))
        if therapy is None:
            return
        reservoir, due, days = therapy.reservoir, therapy.refill_by, therapy.days_left
        self._left.show_text(show_volume(reservoir.volume) if reservoir else self.tr("unknown"))
        self._due.show_text(show_day(due.at.date()) if due else self.tr("unknown"))
        self._days.show_text(_days(days))
        model = self._view_model
        for title, facts in (
            (self.tr("Delivers"), model.therapy_facts()),
            (self.tr("Dates"), model.date_facts()),
            (self.tr("Implant"), model.pump_facts()),
        ):
            self._columns.addWidget(facts_column(title, facts), 3 if title == self.tr("Delivers") else 2)
        self._show_fills()
        away = [f"{show_day(absence.first)} – {show_day(absence.last)}" for absence in model.absences()]
        self._lower.addWidget(todo_column(model.to_do()), 1)
        self._lower.addWidget(circumstances_column(whole_risks(model.risks()), away, self.change), 1)
        self.change.show()

    def make_circumstances_dialog(self) -> CircumstancesDialog:
        """The dialog in which risks and absences are changed."""
        return CircumstancesDialog(self._view_model, self)

    def _change(self) -> None:
        self.make_circumstances_dialog().open()

    def _show_fills(self) -> None:
        title = QLabel(self.tr("Last fills"))
        set_type(title, Scale.LEAD, strong=True)
        self._fills.addWidget(title)
        if not self._view_model.fills:
            none = QLabel(self.tr("No fill is on record. The first refill visit writes one."))
            set_role(none, "muted")
            self._fills.addWidget(none)
            return
        table = QWidget()
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(4 * unit())
        grid.setVerticalSpacing(unit() // 2)
        for row, fill in enumerate(self._view_model.fills):
            for place, text in enumerate((fill.at, fill.volume, fill.drug, f"lot {fill.lot}" if fill.lot else "")):
                cell = QLabel(text)
                cell.setTextFormat(Qt.TextFormat.PlainText)
                if place == 1:
                    cell.setAlignment(Qt.AlignmentFlag.AlignRight)
                grid.addWidget(cell, row, place)
        grid.setColumnStretch(4, 1)
        table.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._fills.addWidget(table)
        self._fills.addStretch(1)

    def _save_card(self) -> None:
        saved = self._view_model.save_card()
        if saved is not None:
            self._said.setText(saved.words)
            set_role(self._said, "error" if saved.is_error else "muted")
            self._said.show()

    def _begin(self) -> None:
        if self._view_model.therapy is not None:
            self.refillWanted.emit(self._view_model.therapy.patient.id)


class _Figure(QWidget):
    """One large number with its meaning above."""

    def __init__(self, caption: str) -> None:
        super().__init__()
        above, self._value = QLabel(caption), QLabel()
        set_role(above, "muted")
        set_type(self._value, Scale.FIGURE, strong=True)
        self._value.setAccessibleName(caption)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(above)
        column.addWidget(self._value)

    def show_text(self, text: str) -> None:
        self._value.setText(text)


def facts_column(title: str, facts: Sequence[Fact]) -> QWidget:
    """A heading and its facts, each caption above its text."""
    widget = QWidget()
    column = QVBoxLayout(widget)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(unit())
    heading = QLabel(title)
    set_type(heading, Scale.LEAD, strong=True)
    column.addWidget(heading)
    for fact in facts:
        caption, text = QLabel(fact.caption), QLabel(fact.text)
        if fact.is_limit:
            text.setText(widget.tr("{0}, refill by then").format(fact.text))
            set_type(text, Scale.BODY, strong=True)
        caption.setWordWrap(True)
        set_role(caption, "muted")
        text.setWordWrap(True)
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setAccessibleName(fact.caption)
        pair = QVBoxLayout()
        pair.setSpacing(0)
        pair.addWidget(caption)
        pair.addWidget(text)
        column.addLayout(pair)
    column.addStretch(1)
    return widget


def hairline() -> QFrame:
    """A thin line between groups."""
    line = QFrame()
    set_role(line, "hairline")
    return line


def clear(layout: QHBoxLayout | QVBoxLayout) -> None:
    """Take every widget out of a layout and let it go."""
    while layout.count():
        item = layout.takeAt(0)
        widget = item.widget() if item is not None else None
        if widget is not None:
            widget.hide()
            widget.deleteLater()


def _days(days: int | None) -> str:
    if days is None:
        return "unknown"
    if days < 0:
        return f"{-days} d late"
    return f"{days} d"
