"""The way out of the window while a pump may stand still: the patient is handed over, by name and number.

Law: nothing here is preset, Enter alone closes nothing, and what was typed stays until it is right.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QComboBox, QDialog, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.services.guards import Guarded, HandoverReason
from app.ui.form import FieldRow, add_field
from app.ui.guard.view_model import GuardViewModel
from app.ui.theme import Scale, set_role, set_type, unit

HandOver = Callable[[Guarded, str, str, HandoverReason | None], str]


class HandoverDialog(QDialog):
    """Asks for two identifiers and a reason; ``accepted`` only when both are the record's and a reason is given."""

    def __init__(self, guarded: Guarded, hand_over: HandOver, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._guarded = guarded
        self._hand_over = hand_over
        self.serial = QLineEdit()
        self.number = QLineEdit()
        self.reason = QComboBox()
        self.stay = QPushButton(self.tr("S&tay here"))
        self.go = QPushButton(self.tr("&Hand over and close"))
        self._rows: dict[str, FieldRow] = {}
        self.setWindowTitle(self.tr("The pump may stand still"))
        self._lay_out()
        self.stay.clicked.connect(self.reject)
        self.go.clicked.connect(self._try)

    def _lay_out(self) -> None:
        title = QLabel(self.tr("Hand the patient over before you close"))
        set_type(title, Scale.LEAD, strong=True)
        why = QLabel(
            self.tr(
                "{0} may get no drug: nobody has seen pump {1} running since a program was sent to it. "
                "Close only when somebody else looks after the patient. "
                "The warning stays for whoever opens Cisterna next."
            ).format(self._guarded.therapy.patient.name, self._guarded.serial)
        )
        why.setWordWrap(True)
        self.reason.addItem(self.tr("Choose…"), None)
        for reason, words in (
            (HandoverReason.EMERGENCY_TEAM, self.tr("The emergency team has taken over")),
            (HandoverReason.OTHER_PROGRAMMER, self.tr("Another programmer is on its way to the patient")),
            (HandoverReason.HOSPITAL, self.tr("The patient is being taken to hospital")),
            (HandoverReason.SURGERY, self.tr("The pump is being replaced")),
        ):
            self.reason.addItem(words, reason)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(3 * unit(),) * 4)
        column.setSpacing(2 * unit())
        column.addWidget(title)
        column.addWidget(why)
        self._rows["serial"] = add_field(
            column, self.tr("&Serial number of the pump"), self.serial, hint=self.tr("As it stands in the red bar.")
        )
        self._rows["number"] = add_field(
            column, self.tr("Patient &number"), self.number, hint=self.tr("From the patient's wristband or papers.")
        )
        self._rows["reason"] = add_field(column, self.tr("&Who looks after the patient now"), self.reason)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (self.stay, self.go):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        set_role(self.stay, "primary")
        column.addLayout(buttons)
        self.setMinimumWidth(64 * unit())

    def _try(self) -> None:
        chosen = self.reason.currentData()
        reason = HandoverReason(chosen) if chosen else None
        wrong = self._hand_over(self._guarded, self.serial.text(), self.number.text(), reason)
        words = {
            "serial": self.tr("This is not the pump's serial number on record."),
            "number": self.tr("This is not the patient's number on record."),
            "reason": self.tr("Choose who looks after the patient now."),
        }
        for name, row in self._rows.items():
            row.show_remark(words[name] if name == wrong else "", is_error=name == wrong)
        if wrong:
            self._rows[wrong].field.setFocus()
        else:
            self.accept()


def may_close(window: QWidget, guards: GuardViewModel) -> bool:
    """Whether the window may close now. If not, the handover is asked for, and the window closed after it."""
    guards.refresh()
    if guards.first is None or guards.handed_over:
        return True
    dialog = HandoverDialog(guards.first, guards.hand_over, window)
    dialog.accepted.connect(window.close)
    dialog.open()
    return False
