"""The exact numbers of a flex program: a table of boluses and steps, and the fields of the chosen one.

Law: a number is taken only with its button, to which Enter leads, as a whole, and only if all of it can be; leaving a
field changes nothing, and what was typed stays until it is taken or another item is chosen.
"""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise, zip_longest

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.models.comparison import clock, duration
from app.models.editing import Kind, Place, items_of, set_basal
from app.models.formats import plain, rounded, show_mass, with_unit
from app.models.program import Bolus, Flex, Step
from app.models.quantities import DoseRate, Mass
from app.ui.dose_field import DoseField
from app.ui.form import FieldRow
from app.ui.schedule.view_model import ScheduleViewModel
from app.ui.theme import Scale, unit

_Row = tuple[Kind, Bolus | Step]

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


def parse_clock(text: str) -> int | None:
    """The minute of the day that ``06:05`` names, or ``None``."""
    found = _TIME.fullmatch(text.strip())
    return int(found[1]) * 60 + int(found[2]) if found else None


class ItemsPanel(QWidget):
    """The table at the left, the fields at its right."""

    def __init__(self, view_model: ScheduleViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self.table = QTableWidget(0, 5)
        self.time = QLineEdit()
        self.minutes = DoseField("min", 0, 4, scale=Scale.BODY)
        self.dose = DoseField("mcg", 3, 5, scale=Scale.BODY)
        self.basal = DoseField("mcg/day", 3, 5, scale=Scale.BODY)
        self._rows: dict[str, FieldRow] = {}
        self._places: list[Place] = []
        self._shown_rows: list[_Row] = []
        self._filling = False
        self._shown: object = None
        self._shown_item: object = None
        self._set = QPushButton(self.tr("Set"))
        self._set_basal = QPushButton(self.tr("Set basal"))
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self.table.setHorizontalHeaderLabels(
            [self.tr("Kind"), self.tr("From"), self.tr("For"), self.tr("Dose"), self.tr("Rate")]
        )
        self.table.setAccessibleName(self.tr("Boluses and steps"))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.setShowGrid(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(round(2.4 * unit()))
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for column in (0, 4):
            self.table.horizontalHeader().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.table.horizontalHeader().setHighlightSections(False)
        fields = QGridLayout()
        fields.setHorizontalSpacing(unit())
        fields.setVerticalSpacing(unit() // 2)
        for place, (name, label, field, hint) in enumerate(
            (
                ("basal", self.tr("Basal rate, all &day"), self.basal, ""),
                ("time", self.tr("Fro&m"), self.time, self.tr("Like 07:30.")),
                ("minutes", self.tr("F&or"), self.minutes, ""),
                ("dose", self.tr("Dos&e"), self.dose, ""),
            )
        ):
            self._rows[name] = FieldRow(label, field, hint=hint)
            fields.addWidget(self._rows[name], place // 2, place % 2)
        buttons = QHBoxLayout()
        for button in (self._set_basal, self._set):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        right = QVBoxLayout()
        right.setSpacing(unit() // 2)
        right.addLayout(fields)
        right.addLayout(buttons)
        right.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * unit())
        row.addWidget(self.table, 3)
        row.addLayout(right, 2)
        # Enter leads from a dose field to the next: after the last one stands the button that takes them.
        order = (self.table, self.basal, self._set_basal, self.time, self.minutes, self.dose, self._set)
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)

    def _connect(self) -> None:
        self.table.itemSelectionChanged.connect(self._chosen)
        self._set.clicked.connect(self.take_item)
        self._set_basal.clicked.connect(self.take_basal)
        self.time.returnPressed.connect(self.take_item)
        self._view_model.changed.connect(self._refresh)
        self._view_model.selectionChanged.connect(self._show_selection)

    # -- showing ---------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        program, plan = self._view_model.program, self._view_model.plan
        if program is None or not isinstance(program.delivery, Flex):
            return
        self._filling = True
        items = [(place, item) for place, item in items_of(program) if place.plan == plan]
        self._places = [place for place, _ in items]
        self._fill_table([(place.kind, item) for place, item in items])
        self._filling = False
        self._show_basal(program.delivery.plans[plan].basal)
        self._show_selection()

    def _fill_table(self, items: list[_Row]) -> None:
        """Only what has changed: a drag changes one row of many, and every cell that is set anew is measured again."""
        shown, self._shown_rows = self._shown_rows, items
        self.table.setRowCount(len(items))
        for row, (before, after) in enumerate(zip_longest(shown[: len(items)], items)):
            if before != after:
                for column, text in enumerate(_cells(*after)):
                    self._show_cell(row, column, text)

    def _show_cell(self, row: int, column: int, text: str) -> None:
        cell = self.table.item(row, column)
        if cell is None:
            cell = QTableWidgetItem(text)
            if column > 1:
                cell.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.table.setItem(row, column, cell)
        elif cell.text() != text:
            cell.setText(text)

    def _show_basal(self, basal: DoseRate) -> None:
        shown, self._shown = self._shown, (self._view_model.patient_id, self._view_model.plan, basal)
        if shown != self._shown:
            self.basal.set_value(basal.in_mcg_per_day)

    def _show_selection(self) -> None:
        wanted = {row for row, place in enumerate(self._places) if place in self._view_model.selected}
        if wanted != self._chosen_rows():
            self._select_rows(wanted)
        self._show_item()

    def _chosen_rows(self) -> set[int]:
        return {index.row() for index in self.table.selectedIndexes()}

    def _select_rows(self, rows: set[int]) -> None:
        self._filling = True
        self.table.clearSelection()
        mode = self.table.selectionMode()
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.MultiSelection)
        for row in sorted(rows):
            self.table.selectRow(row)
        self.table.setSelectionMode(mode)
        self._filling = False

    def _show_item(self) -> None:
        item = self._view_model.selected_item
        for field in (self.time, self.minutes, self.dose, self._set):
            field.setEnabled(item is not None)
        shown, self._shown_item = self._shown_item, (self._view_model.patient_id, self._view_model.selected, item)
        if item is None or shown == self._shown_item:
            return
        self.time.setText(clock(item.at))
        self.minutes.set_value(Fraction(item.duration_min))
        self.dose.set_value(item.dose.in_mcg)
        for name in ("time", "minutes", "dose"):
            self._rows[name].show_remark("")

    def _chosen(self) -> None:
        if not self._filling:
            self._view_model.select([self._places[row] for row in sorted(self._chosen_rows())])

    # -- taking ----------------------------------------------------------------------------------------------

    def take_item(self) -> None:
        """Change the chosen item to what is typed, or say beside the field why not."""
        model, item = self._view_model, self._view_model.selected_item
        if item is None or model.program is None:
            return
        at, minutes, dose = parse_clock(self.time.text()), self.minutes.value(), self.dose.value()
        for name, value, words in (
            ("time", at, self.tr("Type a time from 00:00 to 23:59, like 07:30.")),
            ("minutes", minutes, self.tr("Type the minutes.")),
            ("dose", dose, self.tr("Type the dose.")),
        ):
            self._rows[name].show_remark("" if value is not None else words, value is None)
            if value is None:
                self._rows[name].field.setFocus()
                return
        assert at is not None and minutes is not None and dose is not None
        made = type(item)(at=at, duration_min=int(minutes), dose=Mass.mcg(dose))
        model.replace_selected(made, self.tr("Change {0}").format(_name(made)))

    def take_basal(self) -> None:
        """Change the basal rate of the shown days."""
        model, value = self._view_model, self.basal.value()
        if value is None or model.program is None:
            self._rows["basal"].show_remark(self.tr("Type the basal rate of a whole day."), True)
            return
        self._rows["basal"].show_remark("")
        program, plan = model.program, model.plan
        model.attempt(
            lambda: set_basal(program, plan, DoseRate.mcg_per_day(value)),
            self.tr("Basal rate {0} mcg/day").format(plain(value)),
        )


def _cells(kind: Kind, item: Bolus | Step) -> tuple[str, ...]:
    name = "Bolus" if kind is Kind.BOLUS else "Step"
    rate = with_unit(rounded(item.dose.in_mcg * 60 / item.duration_min, 2), "mcg/h") if item.duration_min else "–"
    return (name, clock(item.at), duration(item.duration_min), show_mass(item.dose), rate)


def _name(item: Bolus | Step) -> str:
    return f"{'bolus' if isinstance(item, Bolus) else 'step'} at {clock(item.at)}"
