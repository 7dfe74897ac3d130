"""The menu of what is drawn behind the items of a schedule.

Law: every entry says what it shows, and is ticked while it does; the menu only hands on a wish.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from app.ui.schedule.layers import Wish, title_of
from app.ui.schedule.view_model import ScheduleViewModel


class LayersButton(QPushButton):
    """A button with the menu; its entries are made anew each time that it opens."""

    def __init__(self, view_model: ScheduleViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self.setText(self.tr("La&yers"))
        self.setAccessibleName(self.tr("Layers behind the schedule"))
        self.setAutoDefault(False)
        self.layers = QMenu(self)
        self.layers.setToolTipsVisible(True)
        self.setMenu(self.layers)
        self.layers.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """Make the entries for this patient."""
        self.layers.clear()
        for group in self.layers.findChildren(QActionGroup):
            group.deleteLater()
        model, wish = self._view_model, self._view_model.wish
        self._tick(self.tr("In the pump now"), wish.running, replace(wish, running=not wish.running))
        for record in model.past:
            now = model.therapy.at if model.therapy is not None else record.effective_at
            self._tick(title_of(record, now), record.id in wish.past, wish.toggled_past(record.id))
        day = self._tick(self.tr("The patient's day"), wish.day, replace(wish, day=not wish.day))
        day.setEnabled(bool(model.day))
        self._add_presets(wish)
        self._add_curve(wish)

    def _add_presets(self, wish: Wish) -> None:
        group = self._section(self.tr("A published schedule"))
        group.addAction(self._tick(self.tr("None"), not wish.preset, replace(wish, preset="")))
        for preset in self._view_model.presets:
            made = replace(wish, preset=preset.id)
            group.addAction(self._tick(preset.title, preset.id == wish.preset, made))

    def _add_curve(self, wish: Wish) -> None:
        group = self._section(self.tr("Predicted curve"))
        for words, name in (
            (self.tr("None"), ""),
            (self.tr("With the label's constants"), "label"),
            (self.tr("With those of the seed papers"), "seed"),
        ):
            group.addAction(self._tick(words, name == wish.curve, replace(wish, curve=name)))
        for words, on, made in (
            (self.tr("The fluid with its band"), wish.band, replace(wish, band=not wish.band)),
            (self.tr("At the neck, a quarter"), wish.neck, replace(wish, neck=not wish.neck)),
        ):
            self._tick(words, on, made).setEnabled(bool(wish.curve))

    def _section(self, words: str) -> QActionGroup:
        """A heading, and a group of which one is ticked."""
        self.layers.addSeparator()
        self.layers.addAction(words).setEnabled(False)
        return QActionGroup(self.layers)

    def _tick(self, words: str, on: bool, made: Wish) -> QAction:
        """An entry, and what is wished for once it is chosen."""
        action = self.layers.addAction(words.replace("&", "&&"))
        action.setCheckable(True)
        action.setChecked(on)
        action.triggered.connect(lambda _ticked: self._view_model.show_layers(made))
        return action
