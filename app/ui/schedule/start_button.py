"""The menu of what a program may begin from: the pump, published schedules, the clinic's own presets.

Law: choosing puts it on the board, and nothing more. What is too long for its line, and where it is from, stands in the
tooltip and in the status text.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from app.models.presets import Preset
from app.ui.schedule.presets_dialog import PresetsDialog
from app.ui.schedule.presets_view_model import PresetsViewModel
from app.ui.theme import unit


class StartButton(QPushButton):
    """A button with the menu; its entries are made anew each time that it opens."""

    def __init__(self, view_model: PresetsViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self.setText(self.tr("S&tart from"))
        self.setAccessibleName(self.tr("Start from"))
        self.setAutoDefault(False)
        self.choices = QMenu(self)
        self.choices.setToolTipsVisible(True)
        self.setMenu(self.choices)
        self.choices.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """Make the entries as they are on record now."""
        self.choices.clear()
        running = self.choices.addAction(self.tr("What runs in the pump"))
        running.triggered.connect(lambda _checked: self._view_model.schedule.start_from_running())
        self._add(self.tr("Published"), self._view_model.published)
        own = self._view_model.own()
        self._add(self.tr("This clinic"), own)
        if not own:
            self.choices.addAction(self.tr("None is kept yet")).setEnabled(False)
        else:
            self.choices.addAction(self.tr("Look at them…")).triggered.connect(self._manage)

    def _add(self, heading: str, presets: Sequence[Preset]) -> None:
        self.choices.addSeparator()
        self.choices.addAction(heading).setEnabled(False)
        for preset in presets:
            action = self.choices.addAction(self._fitting(preset.title))
            described = self._view_model.described(preset)
            # A tooltip is broken into lines only where it looks like a page.
            action.setToolTip("".join(f"<p>{escape(line)}</p>" for line in described.splitlines()))
            action.setStatusTip(" ".join(described.splitlines()))
            action.triggered.connect(lambda _checked, preset=preset: self._view_model.start_from(preset))

    def _fitting(self, title: str) -> str:
        """As much of a title as a line of the menu takes, with no letter of it taken for a key."""
        short = self.choices.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, 48 * unit())
        return short.replace("&", "&&")

    def _manage(self) -> None:
        PresetsDialog(self._view_model, self.window()).open()
