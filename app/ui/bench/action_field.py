"""A number with the buttons that use it.

Law: a button without a number to use does nothing but say so beside the field; what was typed stays.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.ui.dose_field import DoseField
from app.ui.form import FieldRow
from app.ui.theme import set_role, unit


class ActionField(QWidget):
    """A field with its label, and buttons at its right.

    Args:
        label: with the mnemonic.
        field: where the number is typed.
        missing: what to say if a button is pressed without a number.
    """

    def __init__(
        self, label: str, field: DoseField, *, missing: str, hint: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.field = field
        self.row = FieldRow(label, field, hint=hint)
        self._missing = missing
        self._complained = False
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(unit())
        beside = QVBoxLayout()
        beside.addSpacing(field.fontMetrics().height() + unit() // 2)
        beside.addLayout(self._buttons)
        beside.addStretch(1)
        # The row lies under the buttons, so that what is said below the field has the whole width.
        whole = QGridLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setHorizontalSpacing(unit())
        whole.addWidget(self.row, 0, 0, 1, 3)
        whole.addLayout(beside, 0, 1)
        whole.setColumnMinimumWidth(0, field.width())
        whole.setColumnStretch(2, 1)
        field.textChanged.connect(self._typed)

    def add_button(self, verb: str, act: Callable[[Fraction], str | None]) -> QPushButton:
        """A button that does ``act`` with the number; what ``act`` returns is said beside the field as an error."""
        button = QPushButton(verb)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: self._use(act))
        self._buttons.addWidget(button)
        button.raise_()
        return button

    def _use(self, act: Callable[[Fraction], str | None]) -> None:
        value = self.field.value()
        problem = act(value) if value is not None else self._why_none()
        if problem:
            self._complain(problem)
            self.field.setFocus()

    def _why_none(self) -> str:
        """What the field itself says against its number, or that there is none."""
        self.field.clearFocus()
        self.field.review()
        words, is_error = self.field.remark()
        return words if is_error else self._missing

    def _complain(self, problem: str) -> None:
        self._complained = True
        self.row.show_remark(problem, True)
        set_role(self.field, "error")

    def _typed(self, _text: str) -> None:
        if self._complained:
            self._complained = False
            words, is_error = self.field.remark()
            self.row.show_remark(words, is_error)
            set_role(self.field, "error" if is_error else "")
