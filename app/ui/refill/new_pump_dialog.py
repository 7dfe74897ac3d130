"""A pump that was replaced: its number typed, the pump read, and the new implant put on record.

Law: number and model that are kept are what the pump said, and stand there to be read, not typed; nothing is written
before the last button, which no key presses by itself, and what cannot be is said beside its field.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from app.models.errors import AppError
from app.models.formats import plain, with_unit
from app.models.patient import CatheterPiece
from app.services.new_pump import ImpossibleImplantError, NewPump
from app.ui.dates import DAY_HINT, parse_day
from app.ui.dose_field import DoseField
from app.ui.error_texts import words_for
from app.ui.form import FieldRow
from app.ui.refill.view_model import RefillViewModel
from app.ui.state_mark import Mark, StateMark
from app.ui.theme import Scale, set_role, set_type, unit


class NewPumpDialog(QDialog):
    """Accepted once the new pump is on record and its visit has begun."""

    def __init__(self, view_model: RefillViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self._found: NewPump | None = None
        self.serial = QLineEdit()
        self.serial_row = FieldRow(
            self.tr("&Serial number of the new pump"), self.serial,
            hint=self.tr("All of it, from the implant card or the surgeon's record; the pump must say the same."),
        )  # fmt: skip
        self.look = QPushButton(self.tr("&Read this pump"))
        self.found_mark = StateMark(Mark.NOTE)
        self.found = QLabel()
        self.day = QLineEdit()
        self.day_row = FieldRow(self.tr("&Implanted on"), self.day, hint=DAY_HINT)
        self.kept = QRadioButton(self.tr("The &old catheter was kept as it was"))
        self.changed = QRadioButton(self.tr("&Another catheter was implanted, or the old one was cut"))
        self.catheter = QComboBox()
        self.catheter_row = FieldRow(self.tr("&Catheter"), self.catheter, hint="")
        self.trimmed = DoseField("cm", 1, 3, scale=Scale.BODY)
        self.trimmed_row = FieldRow(self.tr("C&ut off"), self.trimmed, hint=self.tr("All of it, on both ends."))
        self.unknown = QCheckBox(self.tr("&Not known"))
        self.replace = QPushButton(self.tr("&Put the new pump on record"))
        self.leave = QPushButton(self.tr("&Go back"))
        self.wrong = QLabel()
        self._rest = QWidget()
        self.setWindowTitle(self.tr("This pump was replaced"))
        self._fill_catheters()
        self._lay_out()
        self._connect()
        self._check()
        self.serial.setFocus()

    def _fill_catheters(self) -> None:
        self.catheter.addItem(self.tr("Choose the catheter"), "")
        models = self._view_model.workstation.catalogue.catheters
        for slug, model in sorted(models.items(), key=lambda item: item[1].name):
            length = with_unit(plain(model.length_cm), "cm")
            self.catheter.addItem(f"{model.name}, {length}", slug)

    def _lay_out(self) -> None:
        old = self._old_serial()
        title = QLabel(self.tr("A new pump in place of {0}").format(old))
        set_type(title, Scale.TITLE, strong=True)
        about = QLabel(
            self.tr(
                "{0} stays on record and ends on the day of the implantation. Its program, its orders and its signed "
                "prescriptions are not taken over: the first program of the new pump is a physician's, and a second "
                "person checks it."
            ).format(old)
        )
        set_role(about, "muted")
        for label in (about, self.found, self.wrong):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        set_role(self.wrong, "error")
        self.wrong.setAccessibleName(self.tr("What went wrong"))
        set_type(self.found, Scale.LEAD)
        self.found.setAccessibleName(self.tr("What the pump said"))
        set_role(self.look, "primary")
        set_role(self.replace, "primary")
        for field in (self.serial, self.day):
            field.setMaximumWidth(40 * unit())
        column = QVBoxLayout(self)
        column.setContentsMargins(*(3 * unit(),) * 4)
        column.setSpacing(unit())
        for widget in (title, about, self.serial_row):
            column.addWidget(widget)
        column.addLayout(_row(self.look))
        said = QHBoxLayout()
        said.setSpacing(2 * unit())
        said.addWidget(self.found_mark)
        said.addWidget(self.found, 1)
        column.addLayout(said)
        self._lay_out_rest()
        column.addWidget(self._rest)
        column.addStretch(1)
        column.addWidget(self.wrong)
        column.addLayout(_row(self.replace, self.leave))
        for button in (self.look, self.replace, self.leave):
            button.setAutoDefault(False)
        column.addStrut(92 * unit())
        column.setSizeConstraint(QLayout.SizeConstraint.SetFixedSize)

    def _lay_out_rest(self) -> None:
        group = QButtonGroup(self)
        inside = QVBoxLayout(self._rest)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(unit())
        line = QFrame()
        set_role(line, "hairline")
        inside.addWidget(line)
        inside.addWidget(self.day_row)
        for choice in (self.kept, self.changed):
            group.addButton(choice)
            inside.addWidget(choice)
        pieces = QHBoxLayout()
        pieces.setSpacing(3 * unit())
        pieces.addWidget(self.catheter_row, 3)
        pieces.addWidget(self.trimmed_row, 2)
        pieces.addWidget(self.unknown)
        inside.addLayout(pieces)

    def _connect(self) -> None:
        self.serial.textChanged.connect(self._other_number)
        self.day.textChanged.connect(self._typed_day)
        self.look.clicked.connect(self._look)
        for choice in (self.kept, self.changed, self.unknown):
            choice.toggled.connect(self._check)
        self.catheter.currentIndexChanged.connect(self._check)
        self.trimmed.valueChanged.connect(self._check)
        self.replace.clicked.connect(self._replace)
        self.leave.clicked.connect(self.reject)
        self._view_model.newPumpFound.connect(self._answered)
        self._view_model.busyChanged.connect(self._check)

    def _old_serial(self) -> str:
        visit = self._view_model.visit
        return self._view_model.workstation.desk.implant(visit.patient_id).serial if visit is not None else ""

    # -- which pump ------------------------------------------------------------------------------------------

    def _other_number(self, _text: str) -> None:
        """What was read belongs to the number that was typed then."""
        self._found = None
        self.serial_row.show_remark("")
        self._check()

    def _look(self) -> None:
        self._found = None
        self.serial_row.show_remark("")
        self._view_model.look_at_new_pump(self.serial.text())
        self._check()

    def _answered(self, answer: object) -> None:
        if isinstance(answer, NewPump) and answer.serial == self.serial.text().strip():
            self._found = answer
        elif not isinstance(answer, NewPump):
            self.serial_row.show_remark(str(answer), True)
        self._check()
        (self.day if self._found is not None else self.serial).setFocus()

    # -- the rest --------------------------------------------------------------------------------------------

    def _typed_day(self, text: str) -> None:
        unreadable = bool(text.strip()) and parse_day(text) is None
        self.day_row.show_remark(self.tr("Write the day like 14 Mar 2026.") if unreadable else "", unreadable)
        self.wrong.setText("")
        self._check()

    def _catheter(self) -> tuple[CatheterPiece, ...] | str | None:
        """The new pieces, ``None`` for those kept, an empty text while something is missing."""
        if self.kept.isChecked():
            return None
        slug, trimmed = str(self.catheter.currentData()), self.trimmed.value()
        if not self.changed.isChecked() or not slug or (trimmed is None and not self.unknown.isChecked()):
            return ""
        return (CatheterPiece(slug, None if self.unknown.isChecked() else trimmed),)

    def _check(self, _change: object = None) -> None:
        busy, found = bool(self._view_model.busy), self._found
        self.look.setEnabled(bool(self.serial.text().strip()) and not busy and found is None)
        self.serial.setReadOnly(busy)
        self.found_mark.setVisible(busy or found is not None)
        self.found.setVisible(busy or found is not None)
        self.found_mark.set_mark(Mark.NOTE if found is None else Mark.VERIFIED, word=self._found_word())
        self.found.setText(self._found_words())
        self._rest.setVisible(found is not None)
        new = self.changed.isChecked()
        for row in (self.catheter_row, self.trimmed_row, self.unknown):
            row.setVisible(new)
        self.trimmed.setEnabled(not self.unknown.isChecked())
        whole = found is not None and parse_day(self.day.text()) is not None and self._catheter() != ""
        self.replace.setVisible(found is not None)
        self.replace.setEnabled(whole and not busy)

    def _found_word(self) -> str:
        return self.tr("Reading") if self._found is None else self.tr("Answered")

    def _found_words(self) -> str:
        found = self._found
        if found is None:
            return self._view_model.busy
        return self.tr("{0}, {1}, software {2}").format(found.serial, found.model_name, found.firmware)

    def _replace(self) -> None:
        found, day, catheter = self._found, parse_day(self.day.text()), self._catheter()
        if found is None or day is None or isinstance(catheter, str):
            return
        self.wrong.setText("")
        try:
            self._view_model.replace_pump(found, day, catheter)
        except ImpossibleImplantError as error:
            row = self.trimmed_row if error.values["problem"] == "trimmed" else self.day_row
            row.show_remark(words_for(error), True)
            row.field.setFocus()
        except AppError as error:
            self.wrong.setText(words_for(error))
        else:
            self.accept()


def _row(*buttons: QPushButton) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(2 * unit())
    for button in buttons:
        row.addWidget(button)
    row.addStretch(1)
    return row
