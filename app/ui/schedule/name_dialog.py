"""A draft gets its name.

Law: nothing is saved without one, and what was typed stays.
"""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.ui.form import add_field
from app.ui.schedule.view_model import ScheduleViewModel
from app.ui.theme import set_role, unit


class NameDialog(QDialog):
    """Asks for a name and saves."""

    def __init__(self, view_model: ScheduleViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self.name = QLineEdit()
        self.save, self.back = QPushButton(self.tr("&Save")), QPushButton(self.tr("&Go back"))
        self.setWindowTitle(self.tr("Save as draft"))
        column = QVBoxLayout(self)
        column.setContentsMargins(*(3 * unit(),) * 4)
        self._row = add_field(
            column, self.tr("&Name of the draft"), self.name, hint=self.tr("Each save is a version of its own.")
        )
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (self.back, self.save):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        set_role(self.save, "primary")
        column.addLayout(buttons)
        self.setMinimumWidth(50 * unit())
        self.back.clicked.connect(self.reject)
        self.save.clicked.connect(self._try)
        self.name.returnPressed.connect(self._try)

    def _try(self) -> None:
        name = self.name.text().strip()
        problem = self._view_model.save_draft(name) if name else self.tr("Give the draft a name.")
        self._row.show_remark(problem, bool(problem))
        if not problem:
            self.accept()
