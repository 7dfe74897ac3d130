"""What is on record beside what the pump runs, before the record takes it over.

Law: every setting has its row, what differs says so in words, and nothing is taken over but by its own button, which no
key presses by itself; the dialog only asks.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QCheckBox, QDialog, QHBoxLayout, QHeaderView, QLabel, QPushButton, QVBoxLayout, QWidget

from app.models.comparison import Row
from app.models.reconcile import Found
from app.ui.dates import show_moment
from app.ui.refill.comparison_table import ComparisonTable
from app.ui.theme import Scale, set_role, set_type, unit


class ReconcileDialog(QDialog):
    """Accepted if the pump's settings are to be taken into the record."""

    def __init__(self, serial: str, found: Found, rows: Sequence[Row], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = tuple(rows)
        self.table = ComparisonTable((self.tr("On record"), self.tr("In the pump")))
        self.only = QCheckBox(self.tr("&Only what differs"))
        self.seen = QCheckBox(self.tr("I have seen the &difference and know that the record follows the pump."))
        self.take = QPushButton(self.tr("&Take over the pump's settings"))
        self.leave = QPushButton(self.tr("&Leave the record as it is"))
        self.setWindowTitle(self.tr("Record and pump differ"))
        self._lay_out(serial, found)
        self.only.toggled.connect(self._show)
        self.seen.toggled.connect(self.take.setEnabled)
        self.take.clicked.connect(self.accept)
        self.leave.clicked.connect(self.reject)
        self.only.setChecked(True)
        self.leave.setFocus()

    def _lay_out(self, serial: str, found: Found) -> None:
        title = QLabel(self.tr("Pump {0} runs other settings than the record").format(serial))
        set_type(title, Scale.TITLE, strong=True)
        since = QLabel(self._since(found))
        for label in (title, since):
            label.setWordWrap(True)
        set_role(since, "muted")
        set_role(self.take, "primary")
        below = QHBoxLayout()
        below.setSpacing(2 * unit())
        for button in (self.take, self.leave):
            button.setAutoDefault(False)
            below.addWidget(button)
        below.addStretch(1)
        self.take.setEnabled(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(2 * unit(),) * 4)
        column.setSpacing(unit())
        for widget in (title, since, self.only):
            column.addWidget(widget)
        column.addWidget(self.table, 1)
        column.addWidget(self.seen)
        column.addLayout(below)
        self.table.horizontalHeader().setSectionResizeMode(3, QHeaderView.ResizeMode.ResizeToContents)
        self.resize(130 * unit(), 72 * unit())

    def _since(self, found: Found) -> str:
        at = show_moment(found.effective_at)
        if found.logged:
            text = self.tr("In force since {0}, by the pump's log and clock.").format(at)
        else:
            text = self.tr("The log does not say since when. The record will count from this reading, {0}.").format(at)
        if found.fill is None:
            return text
        return f"{text} " + self.tr("The pump was also told of a fill: it is taken over, and its lot is unknown.")

    def _show(self) -> None:
        chosen = [row for row in self._rows if row.changed or not self.only.isChecked()]
        self.table.show_rows(chosen)
