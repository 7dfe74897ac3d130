"""The bolus that a patient may call: how much, how long, how far apart, how many a day.

Law: it is put on the board as a whole, with its button or Enter, and taken off it with a button of its own; without
one on the board the patient calls nothing.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.models.formats import show_mass
from app.models.program import PatientActivated
from app.models.quantities import Mass
from app.ui.dose_field import DoseField
from app.ui.form import FieldRow
from app.ui.schedule.view_model import ScheduleViewModel
from app.ui.theme import Scale, set_role, set_type, unit


class BolusPanel(QWidget):
    """Four fields, what is on the board in words, and two buttons."""

    def __init__(self, view_model: ScheduleViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self._shown: PatientActivated | None = None
        self.dose = DoseField("mcg", 3, 4, scale=Scale.BODY)
        self.minutes = DoseField("min", 0, 4, scale=Scale.BODY)
        self.lockout = DoseField("min", 0, 4, scale=Scale.BODY)
        self.most = DoseField(self.tr("a day"), 0, 2, scale=Scale.BODY)
        self.set, self.off = QPushButton(self.tr("Allow")), QPushButton(self.tr("Allow none"))
        self.state = QLabel()
        self._rows: dict[str, FieldRow] = {}
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        title = QLabel(self.tr("Bolus that the patient may call"))
        set_type(title, Scale.LEAD, strong=True)
        self.state.setWordWrap(True)
        set_role(self.state, "muted")
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * unit())
        for place, (name, label, field) in enumerate(
            (
                ("dose", self.tr("Each time"), self.dose),
                ("minutes", self.tr("Lasting"), self.minutes),
                ("lockout", self.tr("From one to the next at least"), self.lockout),
                ("most", self.tr("At most"), self.most),
            )
        ):
            self._rows[name] = FieldRow(label, field, hint="")
            grid.addWidget(self._rows[name], place // 2, place % 2)
        buttons = QHBoxLayout()
        for button in (self.off, self.set):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(unit() // 2)
        column.addWidget(title)
        column.addWidget(self.state)
        column.addLayout(grid)
        column.addLayout(buttons)

    def _connect(self) -> None:
        self.set.clicked.connect(self.take)
        self.off.clicked.connect(self.take_away)
        for field in (self.dose, self.minutes, self.lockout, self.most):
            field.returnPressed.connect(self.take)
        self._view_model.changed.connect(self._refresh)

    def _refresh(self) -> None:
        program = self._view_model.program
        found = program.patient_activated if program is not None else None
        self.off.setEnabled(found is not None)
        self.set.setText(self.tr("Change") if found is not None else self.tr("Allow"))
        self.state.setText(_in_words(found) if found is not None else self.tr("The patient calls none."))
        if found != self._shown:
            self._shown = found
            self._show(found)

    def _show(self, found: PatientActivated | None) -> None:
        for row in self._rows.values():
            row.show_remark("")
        if found is None:
            return
        self.dose.set_value(found.dose.in_mcg)
        for field, number in (
            (self.minutes, found.duration_min),
            (self.lockout, found.lockout_min),
            (self.most, found.max_per_day),
        ):
            field.set_value(Fraction(number))

    def take(self) -> None:
        """Put what is typed on the board, as a whole, or say beside the field why not."""
        program = self._view_model.program
        dose, minutes, lockout, most = (field.value() for field in (self.dose, self.minutes, self.lockout, self.most))
        for name, good, words in (
            ("dose", bool(dose), self.tr("Type the dose of one bolus.")),
            ("minutes", bool(minutes), self.tr("Type the minutes of one bolus.")),
            ("lockout", bool(lockout), self.tr("Type the minutes.")),
            ("most", bool(most), self.tr("Type how many.")),
        ):
            self._rows[name].show_remark("" if good else words, not good)
            if not good:
                self._rows[name].field.setFocus()
                return
        if program is None or dose is None or minutes is None or lockout is None or most is None:
            return
        made = PatientActivated(Mass.mcg(dose), int(minutes), int(lockout), int(most))
        words = self.tr("Patient's bolus {0}").format(show_mass(made.dose))
        self._view_model.edit(replace(program, patient_activated=made), words)

    def take_away(self) -> None:
        """The patient calls none any more."""
        program = self._view_model.program
        if program is not None:
            self._view_model.edit(replace(program, patient_activated=None), self.tr("No patient's bolus"))


def _in_words(found: PatientActivated) -> str:
    return (
        f"{show_mass(found.dose)} over {found.duration_min} min, not before {found.lockout_min} min after the one "
        f"before, at most {found.max_per_day} a day."
    )
