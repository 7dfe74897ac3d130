"""The names of the pages, at the left.

Law: exactly one is chosen, and it is the page that is shown; Alt and the underlined letter choose from anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QPushButton, QVBoxLayout, QWidget

from app.ui.theme import set_role, unit


class Navigation(QWidget):
    """Buttons with words; ``danger`` names one more page, apart at the foot and edged in red."""

    chosen = Signal(int)

    def __init__(self, names: Sequence[str], parent: QWidget | None = None, *, danger: str = "") -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Pages"))
        self.setFixedWidth(16 * unit())
        self._group = QButtonGroup(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(unit(), 2 * unit(), 0, unit())
        column.setSpacing(unit() // 2)
        for number, name in enumerate(names):
            button = QPushButton(name)
            button.setCheckable(True)
            button.setAutoDefault(False)
            set_role(button, "navigation")
            self._group.addButton(button, number)
            column.addWidget(button)
        column.addStretch(1)
        if danger:
            last = QPushButton(danger)
            last.setCheckable(True)
            last.setAutoDefault(False)
            set_role(last, "danger")
            self._group.addButton(last, len(names))
            column.addWidget(last)
        self._group.idClicked.connect(self.chosen)

    def show_chosen(self, number: int) -> None:
        """Mark the page that is shown."""
        button = self._group.button(number)
        if button is not None:
            button.setChecked(True)
