"""The patient's day: when he sleeps, is moved, has therapy; drawn as bands behind the schedule.

Law: it is kept on record with the patient by whoever works with him; nothing of it is judged or sent to a pump, and the
page says so.
"""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QListWidget, QPushButton, QVBoxLayout, QWidget

from app.models.comparison import clock
from app.models.quantities import MINUTES_PER_DAY
from app.ui.form import FieldRow
from app.ui.schedule.items_panel import parse_clock
from app.ui.schedule.timeline_layout import Band
from app.ui.schedule.view_model import ScheduleViewModel
from app.ui.theme import Scale, set_role, set_type, unit


class DayPanel(QWidget):
    """A list of the parts of the day, and the fields for another one."""

    def __init__(self, view_model: ScheduleViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self.list = QListWidget()
        self.name, self.start, self.end = QLineEdit(), QLineEdit(), QLineEdit()
        self.add, self.remove = QPushButton(self.tr("Add")), QPushButton(self.tr("Remove"))
        self._rows: dict[str, FieldRow] = {}
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        title = QLabel(self.tr("The patient's day"))
        set_type(title, Scale.LEAD, strong=True)
        note = QLabel(self.tr("Kept with the patient and drawn behind the schedule; no rule reads it."))
        note.setWordWrap(True)
        set_role(note, "muted")
        self.list.setAccessibleName(self.tr("Parts of the patient's day"))
        self.list.setFixedHeight(9 * unit())
        grid = QGridLayout()
        grid.setHorizontalSpacing(unit())
        for place, (name, label, field, hint) in enumerate(
            (
                ("name", self.tr("What"), self.name, self.tr("Like sleep, transfers, therapy.")),
                ("start", self.tr("From"), self.start, self.tr("Like 22:30.")),
                ("end", self.tr("Until"), self.end, self.tr("Like 06:30.")),
            )
        ):
            self._rows[name] = FieldRow(label, field, hint=hint)
            grid.addWidget(self._rows[name], 0, place)
        grid.setColumnStretch(0, 2)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        for place, button in enumerate((self.remove, self.add)):
            button.setAutoDefault(False)
            grid.addWidget(button, 1, place, 1, 1 + place)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(unit() // 2)
        for widget in (title, note, self.list):
            column.addWidget(widget)
        column.addLayout(grid)

    def _connect(self) -> None:
        self.add.clicked.connect(self.take)
        self.remove.clicked.connect(self.take_away)
        self.list.currentRowChanged.connect(lambda row: self.remove.setEnabled(row >= 0))
        for field in (self.name, self.start, self.end):
            field.returnPressed.connect(self.take)
        self._view_model.changed.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        lines = [_in_words(band) for band in self._view_model.day]
        if lines != [self.list.item(row).text() for row in range(self.list.count())]:
            self.list.clear()
            self.list.addItems(lines)
        self.list.setVisible(bool(lines))
        self.remove.setEnabled(self.list.currentRow() >= 0)

    def take(self) -> None:
        """Add what is typed, or say beside the field why not."""
        name, start, end = self.name.text().strip(), parse_clock(self.start.text()), parse_clock(self.end.text())
        for row, good, words in (
            ("name", bool(name), self.tr("Say what it is.")),
            ("start", start is not None, self.tr("Type a time, like 22:30.")),
            ("end", end is not None and end != start, self.tr("Type another time, like 06:30.")),
        ):
            self._rows[row].show_remark("" if good else words, not good)
            if not good:
                self._rows[row].field.setFocus()
                return
        if start is None or end is None:
            return
        band = Band(name, start, (end - start) % MINUTES_PER_DAY)
        problem = self._view_model.change_day((*self._view_model.day, band))
        self._rows["name"].show_remark(problem, bool(problem))
        if problem:
            return
        for field in (self.name, self.start, self.end):
            field.clear()
        self.name.setFocus()

    def take_away(self) -> None:
        """Take the chosen part of the day off the record."""
        row, day = self.list.currentRow(), self._view_model.day
        if 0 <= row < len(day):
            problem = self._view_model.change_day(day[:row] + day[row + 1 :])
            self._rows["name"].show_remark(problem, bool(problem))


def _in_words(band: Band) -> str:
    return f"{clock(band.start)} to {clock((band.start + band.duration_min) % MINUTES_PER_DAY)}: {band.name}"
