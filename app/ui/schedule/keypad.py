"""Digits for a hand on the mouse: each key does in the field that has the keyboard just what the real key does.

Law: the keypad never takes the keyboard away, and types nowhere but in a field.
"""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QPushButton, QSizePolicy, QWidget

from app.ui.theme import unit

_Key = Qt.Key
_DIGITS = tuple((digit, digit, _Key(_Key.Key_0 + int(digit)), digit) for digit in "1234567890")


class Keypad(QWidget):
    """One row of keys."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.keys: dict[str, QPushButton] = {}
        self.setAccessibleName(self.tr("Keypad"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(unit() // 2)
        more = (
            (".", self.tr("Point"), _Key.Key_Period, "."),
            (":", self.tr("Colon"), _Key.Key_Colon, ":"),
            ("⌫", self.tr("Backspace"), _Key.Key_Backspace, ""),
        )
        for shown, name, key, text in (*_DIGITS, *more):
            button = self.keys[shown] = QPushButton(shown)
            button.setAccessibleName(name)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.clicked.connect(partial(self._strike, key, text))
            row.addWidget(button)

    def _strike(self, key: Qt.Key, text: str, _checked: bool = False) -> None:
        field = QApplication.focusWidget()
        if isinstance(field, QLineEdit) and field.window() is self.window():
            for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
                QApplication.sendEvent(field, QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier, text))
