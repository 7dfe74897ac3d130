"""Two versions of a program beside each other, the older at the left.

Law: every setting and every total has its row, whether it differs or not; the dialog only shows.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.models.comparison import Row
from app.ui.elided_label import ElidedLabel
from app.ui.refill.comparison_table import ComparisonTable
from app.ui.schedule.history_view_model import Entry
from app.ui.state_mark import StateMark
from app.ui.theme import Scale, set_role, set_type, unit


class DifferenceDialog(QDialog):
    """What changes from the older of two versions to the newer."""

    def __init__(self, old: Entry, new: Entry, rows: Sequence[Row], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = tuple(rows)
        self.table = ComparisonTable((self.tr("Older"), self.tr("Newer")))
        self.only = QCheckBox(self.tr("&Only what differs"))
        self.shut = QPushButton(self.tr("&Close"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Compare two versions"))
        self._lay_out(old, new)
        self.only.toggled.connect(self._show)
        self.shut.clicked.connect(self.accept)
        self.only.setEnabled(any(row.changed for row in self._rows))
        self._show()

    def _lay_out(self, old: Entry, new: Entry) -> None:
        heads = QGridLayout()
        heads.setHorizontalSpacing(2 * unit())
        for line, (word, entry) in enumerate(((self.tr("Older"), old), (self.tr("Newer"), new))):
            caption, name = QLabel(word), ElidedLabel(f"{entry.name}, {entry.daily}")
            moment = QLabel(f"{entry.when}, {entry.by}")
            set_role(caption, "muted")
            set_role(moment, "muted")
            set_type(name, Scale.BODY, strong=True)
            for place, widget in enumerate((caption, StateMark(entry.mark, word=entry.word), name, moment)):
                heads.addWidget(widget, line, place)
        heads.setColumnStretch(2, 1)
        below = QHBoxLayout()
        self.shut.setAutoDefault(False)
        below.addWidget(self.only)
        below.addStretch(1)
        below.addWidget(self.shut)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(2 * unit(),) * 4)
        column.setSpacing(unit())
        column.addLayout(heads)
        column.addWidget(self.table, 1)
        column.addLayout(below)
        self.table.horizontalHeader().setSectionResizeMode(3, QHeaderView.ResizeMode.ResizeToContents)
        self.resize(130 * unit(), 72 * unit())

    def _show(self) -> None:
        chosen = [row for row in self._rows if row.changed or not self.only.isChecked()]
        self.table.show_rows(chosen)
