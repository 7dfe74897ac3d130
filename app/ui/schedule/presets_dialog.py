"""The clinic's own presets: what each is, who kept it and when; one is put on the board or retired here.

Law: choosing shows, and nothing more. Only a held button retires, and what is retired stays on record.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.models.presets import Preset
from app.ui.hold_button import HoldButton
from app.ui.schedule.presets_view_model import PresetsViewModel
from app.ui.theme import Scale, set_role, set_type, unit


class PresetsDialog(QDialog):
    """The list at the left, what is chosen at the right."""

    def __init__(self, view_model: PresetsViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self._presets: tuple[Preset, ...] = ()
        self.list = QListWidget()
        self.start, self.shut = QPushButton(self.tr("&Put on the board")), QPushButton(self.tr("&Close"))
        self.retire = HoldButton(self.tr("Hold to retire"))
        self._title, self._citation, self._words, self._said = QLabel(), QLabel(), QLabel(), QLabel()
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("This clinic's presets"))
        self._lay_out()
        self.list.currentRowChanged.connect(self._show_choice)
        self.start.clicked.connect(self._start)
        self.shut.clicked.connect(self.reject)
        self.retire.held.connect(self._retire)
        self._refresh()

    def _lay_out(self) -> None:
        self.list.setAccessibleName(self.tr("Presets of this clinic"))
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        details = QVBoxLayout()
        details.setSpacing(unit())
        for label in (self._title, self._citation, self._words, self._said):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            details.addWidget(label)
        set_type(self._title, Scale.LEAD, strong=True)
        set_type(self.retire, Scale.BODY, strong=True)
        set_role(self._citation, "muted")
        details.addStretch(1)
        details.addWidget(self.retire)
        above = QHBoxLayout()
        above.setSpacing(3 * unit())
        above.addWidget(self.list, 2)
        above.addLayout(details, 3)
        below = QHBoxLayout()
        below.addStretch(1)
        for button in (self.shut, self.start):
            button.setAutoDefault(False)
            below.addWidget(button)
        set_role(self.start, "primary")
        column = QVBoxLayout(self)
        column.setContentsMargins(*(3 * unit(),) * 4)
        column.setSpacing(2 * unit())
        column.addLayout(above, 1)
        column.addLayout(below)
        self.resize(100 * unit(), 56 * unit())

    # -- showing ---------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        self._presets = self._view_model.own()
        self.list.clear()
        for preset in self._presets:
            item = QListWidgetItem(preset.title, self.list)
            item.setToolTip(preset.title)
        self.list.setCurrentRow(0 if self._presets else -1)
        self._show_choice()

    @property
    def chosen(self) -> Preset | None:
        """The chosen preset."""
        row = self.list.currentRow()
        return self._presets[row] if 0 <= row < len(self._presets) else None

    def _show_choice(self) -> None:
        preset, model = self.chosen, self._view_model
        self._say("" if model.may_keep or preset is None else self.tr("Only a physician retires a preset."))
        title, citation, *rest = model.described(preset).splitlines() if preset is not None else ("", "")
        self._title.setText(title or self.tr("None is kept."))
        self._citation.setText(citation)
        self._words.setText("\n".join(rest))
        self.start.setEnabled(preset is not None)
        self.retire.setVisible(preset is not None and model.may_keep)

    def _say(self, words: str, *, is_error: bool = False) -> None:
        set_role(self._said, "error" if is_error else "muted")
        self._said.setText(words)
        self._said.setVisible(bool(words))

    # -- doing -----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        preset = self.chosen
        if preset is not None:
            self.accept()
            self._view_model.start_from(preset)

    def _retire(self) -> None:
        preset = self.chosen
        if preset is None:
            return
        problem = self._view_model.retire(preset)
        if not problem:
            self._refresh()
        self._say(problem or self.tr("Retired: {0}.").format(preset.title), is_error=bool(problem))
