"""Noting why an interruption would be worse for a patient, and when a patient will be away.

Law: nothing is written before the verb is pressed, except that an absence is taken back by its own button; what is
typed and cannot be is said beside its field, and nothing typed is lost.
"""

from __future__ import annotations

from datetime import date

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDialog, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.models.circumstances import NOTED, Absence, ImpossibleAbsenceError, RiskReason
from app.ui.circumstance_words import RISK_SENTENCES
from app.ui.dates import DAY_HINT, parse_day, show_day
from app.ui.form import FieldRow
from app.ui.patient.view_model import PatientViewModel
from app.ui.theme import Scale, set_role, set_type, unit

_PROBLEMS = {
    "reversed": "Type the last day of the absence: it cannot be before the first.",
    "past": "Type an absence that is not over yet.",
    "too-long": "Check the year: nobody is away for that long.",
}


class CircumstancesDialog(QDialog):
    """``accepted`` once what was ticked and typed is on record."""

    def __init__(self, view_model: PatientViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self.boxes = {reason: QCheckBox(RISK_SENTENCES[reason]) for reason in NOTED}
        self.first = QLineEdit()
        self.last = QLineEdit()
        self.first_row = FieldRow(self.tr("Away &from"), self.first, hint=DAY_HINT)
        self.last_row = FieldRow(self.tr("&Until, that day included"), self.last, hint=DAY_HINT)
        self.keep = QPushButton(self.tr("&Keep"))
        self.stay = QPushButton(self.tr("&Go back"))
        self._absences = QVBoxLayout()
        self.setWindowTitle(self.tr("Risks and absences"))
        self._lay_out()
        self._show_absences()
        self.keep.clicked.connect(self._keep)
        self.stay.clicked.connect(self.reject)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(*(3 * unit(),) * 4)
        column.setSpacing(unit())
        column.addWidget(_heading(self.tr("Why an interruption would be worse")))
        standing = self._view_model.risks()
        for reason, box in self.boxes.items():
            box.setChecked(reason in standing)
            column.addWidget(box)
        if RiskReason.HIGH_DOSE in standing:
            note = QLabel(self.tr("The daily dose is high too; that follows from the program."))
            set_role(note, "muted")
            column.addWidget(note)
        column.addSpacing(unit())
        column.addWidget(_heading(self.tr("Planned absences")))
        self._absences.setSpacing(unit() // 2)
        column.addLayout(self._absences)
        days = QHBoxLayout()
        days.setSpacing(3 * unit())
        days.addWidget(self.first_row)
        days.addWidget(self.last_row)
        column.addLayout(days)
        buttons = QHBoxLayout()
        set_role(self.keep, "primary")
        for button in (self.stay, self.keep):
            button.setAutoDefault(False)
        buttons.addWidget(self.stay)
        buttons.addStretch(1)
        buttons.addWidget(self.keep)
        column.addSpacing(unit())
        column.addLayout(buttons)
        self.setMinimumWidth(72 * unit())

    def _show_absences(self) -> None:
        while self._absences.count():
            item = self._absences.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        absences = self._view_model.absences()
        for absence in absences:
            line = _AbsenceLine(absence)
            line.ended.clicked.connect(lambda _checked=False, absence=absence: self._end(absence))
            self._absences.addWidget(line)
        if not absences:
            none = QLabel(self.tr("None is known."))
            set_role(none, "muted")
            self._absences.addWidget(none)

    def _end(self, absence: Absence) -> None:
        self._view_model.end_absence(absence)
        self._show_absences()

    def _keep(self) -> None:
        days = self._typed_days()
        if days is None:
            return
        if days:
            try:
                self._view_model.plan_absence(*days)
            except ImpossibleAbsenceError as error:
                self._refuse(self.last_row, self.tr(_PROBLEMS[str(error.values["problem"])]))
                return
        self._view_model.note_risks({reason for reason, box in self.boxes.items() if box.isChecked()})
        self.accept()

    def _typed_days(self) -> tuple[date, date] | tuple[()] | None:
        """Both days, nothing if neither is typed, ``None`` if one cannot be understood, which is then said."""
        rows = (self.first_row, self.first), (self.last_row, self.last)
        for row, field in rows:
            row.show_remark("")
            set_role(field, "")
        if not any(field.text().strip() for _, field in rows):
            return ()
        found = [parse_day(field.text()) for _, field in rows]
        for (row, _), day in zip(rows, found, strict=True):
            if day is None:
                self._refuse(row, self.tr("Type the day like 14 Mar 2027."))
                return None
        first, last = found
        assert first is not None and last is not None
        return first, last

    def _refuse(self, row: FieldRow, words: str) -> None:
        row.show_remark(words, True)
        set_role(row.field, "error")
        row.field.setFocus()


class _AbsenceLine(QWidget):
    """One absence, and the button that takes it back."""

    def __init__(self, absence: Absence) -> None:
        super().__init__()
        days = QLabel(f"{show_day(absence.first)} – {show_day(absence.last)}")
        self.ended = QPushButton(self.tr("Does not take place"))
        self.ended.setAccessibleName(
            self.tr("The absence from {0} does not take place").format(show_day(absence.first))
        )
        self.ended.setAutoDefault(False)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(days, 1)
        row.addWidget(self.ended)


def _heading(text: str) -> QLabel:
    heading = QLabel(text)
    heading.setTextFormat(Qt.TextFormat.PlainText)
    set_type(heading, Scale.LEAD, strong=True)
    return heading
