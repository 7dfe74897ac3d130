"""The clinic's emergency number, as it stands on patients' cards and emergency sheets.

Law: typing changes nothing; the verb beside it keeps the number, and what is not kept stays typed.
"""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.models.clinic_phone import LONGEST_PHONE
from app.models.errors import AppError
from app.services.clinic_phone import PhoneDesk
from app.ui.error_texts import words_for
from app.ui.form import FieldRow
from app.ui.settings.words import problem_words
from app.ui.theme import set_role, unit


class PhoneField(QWidget):
    """A field and its verb."""

    def __init__(self, desk: PhoneDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.number = QLineEdit(desk.phone)
        self.number.setMaxLength(LONGEST_PHONE)
        self.keep = QPushButton(self.tr("&Keep"))
        self.keep.setAutoDefault(False)
        self.keep.setAccessibleName(self.tr("Keep the emergency number"))
        self.row = FieldRow(
            self.tr("E&mergency number of the clinic"),
            self.number,
            hint=self.tr("Stands on every patient's card. Without it the card has a line to write on."),
        )
        buttons = QHBoxLayout()
        buttons.addWidget(self.keep)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(unit() // 2)
        column.addWidget(self.row)
        column.addLayout(buttons)
        self.number.textEdited.connect(self._judge)
        self.keep.clicked.connect(self._keep)
        self._judge()
        if desk.trouble is not None:
            self._say(problem_words(desk.trouble), is_error=True)

    def _judge(self, _text: str = "") -> None:
        self.keep.setEnabled(self.number.text().strip() != self._desk.phone)
        self._say("", is_error=False)

    def _keep(self) -> None:
        try:
            self._desk.choose(self.number.text())
        except AppError as error:
            self._say(words_for(error), is_error=True)
            self.number.setFocus()
            return
        self._judge()
        words = self.tr("Kept. New cards show it.") if self._desk.phone else self.tr("Taken away.")
        self._say(words, is_error=False)

    def _say(self, words: str, *, is_error: bool) -> None:
        self.row.show_remark(words, is_error)
        set_role(self.number, "error" if is_error else "")
