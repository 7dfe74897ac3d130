"""The program on the board becomes one of the clinic's own presets: its name, and a note.

Law: a name that can be chosen already is refused beside its field, and what was typed stays.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.ui.form import add_field
from app.ui.schedule.presets_view_model import PresetsViewModel
from app.ui.theme import set_role, unit


class KeepDialog(QDialog):
    """Asks for a name and a note, and keeps."""

    def __init__(self, view_model: PresetsViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self.name, self.note = QLineEdit(), QLineEdit()
        self.keep, self.back = QPushButton(self.tr("&Keep")), QPushButton(self.tr("&Go back"))
        self._said = QLabel()
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Keep as preset"))
        self._lay_out()
        self.back.clicked.connect(self.reject)
        self.keep.clicked.connect(self._try)
        self.name.returnPressed.connect(self._try)
        self.note.returnPressed.connect(self._try)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(*(3 * unit(),) * 4)
        column.setSpacing(unit())
        self.row = add_field(
            column,
            self.tr("&Name of the preset"),
            self.name,
            hint=self.tr("Everybody here sees it, for every patient: no patient's name."),
        )
        add_field(column, self.tr("N&ote"), self.note, hint=self.tr("Like for whom and when. May stay empty."))
        self._said.setWordWrap(True)
        self._said.setTextFormat(Qt.TextFormat.PlainText)
        self._said.hide()
        set_role(self._said, "error")
        column.addWidget(self._said)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (self.back, self.keep):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        set_role(self.keep, "primary")
        column.addLayout(buttons)
        self.setMinimumWidth(58 * unit())

    def _try(self) -> None:
        field, problem = self._view_model.keep(self.name.text(), self.note.text())
        self.row.show_remark(problem if field else "", bool(field))
        self._said.setText("" if field else problem)
        self._said.setVisible(bool(self._said.text()))
        if field:
            self.name.setFocus()
        elif not problem:
            self.accept()
