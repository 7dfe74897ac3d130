"""The head of the schedule page: what state the board is in, undo and redo, how and with what it delivers, and what it
may begin from.

Law: every control hands its wish to the view model and shows what came of it.
"""

from __future__ import annotations

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QWidget

from app.models.conversion import Mode
from app.models.formats import show_concentration
from app.ui.schedule.presets_view_model import PresetsViewModel
from app.ui.schedule.start_button import StartButton
from app.ui.schedule.view_model import MODE_NAMES
from app.ui.state_mark import Mark, StateMark
from app.ui.theme import Scale, set_type, unit


class Head(QWidget):
    """One row of controls; ``page`` is where undo and redo listen for their keys."""

    def __init__(self, presets: PresetsViewModel, page: QWidget) -> None:
        super().__init__(page)
        self._view_model = presets.schedule
        self.mark = StateMark(Mark.NOTE)
        self.undo, self.redo = QPushButton(self.tr("&Undo")), QPushButton(self.tr("&Redo"))
        self.mode, self.strength = QComboBox(), QComboBox()
        self.start = StartButton(presets)
        self._lay_out()
        self._connect(page)

    def _lay_out(self) -> None:
        title = QLabel(self.tr("Schedule"))
        set_type(title, Scale.LEAD, strong=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * unit())
        row.addWidget(title)
        row.addWidget(self.mark)
        row.addStretch(1)
        for button in (self.undo, self.redo):
            button.setAutoDefault(False)
            row.addWidget(button)
        row.addWidget(_labelled(self.tr("De&liver as"), self.mode))
        row.addWidget(_labelled(self.tr("W&ith"), self.strength))
        row.addWidget(self.start)
        self.strength.setAccessibleName(self.tr("With, at which concentration"))
        self.strength.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)

    def _connect(self, page: QWidget) -> None:
        model = self._view_model
        for mode in Mode:
            self.mode.addItem(self.tr(MODE_NAMES[mode]), mode.value)
        self.mode.activated.connect(self._convert)
        self.strength.activated.connect(self._try_strength)
        self.undo.clicked.connect(model.undo)
        self.redo.clicked.connect(model.redo)
        QShortcut(QKeySequence.StandardKey.Undo, page, model.undo)
        QShortcut(QKeySequence.StandardKey.Redo, page, model.redo)

    def _convert(self) -> None:
        self._view_model.convert_to(Mode(self.mode.currentData()))
        self._show_mode()

    def _try_strength(self) -> None:
        """What if the reservoir held another concentration."""
        chosen = self.strength.currentIndex()
        if 0 <= chosen < len(self._view_model.concentrations):
            self._view_model.try_concentration(self._view_model.concentrations[chosen])

    # -- showing ------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what is on the board now."""
        model, there = self._view_model, self._view_model.board is not None
        for widget in (self.mode, self.strength, self.start, self.mark):
            widget.setEnabled(there)
        self.undo.setEnabled(there and bool(model.undo_words))
        self.redo.setEnabled(there and bool(model.redo_words))
        self.undo.setToolTip(model.undo_words)
        self.redo.setToolTip(model.redo_words)
        self.mark.setVisible(there)
        if there:
            self.show_state()
            self._show_mode()
            self._show_strength()

    def show_state(self) -> None:
        """Draft, signed, in the pump: told apart by word, sign and colour."""
        model = self._view_model
        if not model.is_changed:
            self.mark.set_mark(Mark.VERIFIED, word=self.tr("In the pump"))
        elif model.order is not None:
            self.mark.set_mark(Mark.TASK, word=self.tr("Signed, not in the pump"))
        else:
            self.mark.set_mark(Mark.NOTE, word=self.tr("Draft"))

    def _show_mode(self) -> None:
        mode = self._view_model.mode
        if mode is not None:
            self.mode.setCurrentIndex(self.mode.findData(mode.value))

    def _show_strength(self) -> None:
        settings, running = self._view_model.settings, self._view_model.running
        if settings is None:
            return
        concentrations, names = self._view_model.concentrations, []
        for concentration in concentrations:
            name = show_concentration(concentration)
            there = running is not None and (running.drug, running.concentration) == (settings.drug, concentration)
            names.append(self.tr("{0}, in the pump").format(name) if there else name)
        # Filling it lays the page out anew, which a drag must not wait for.
        if names != [self.strength.itemText(place) for place in range(self.strength.count())]:
            self.strength.clear()
            self.strength.addItems(names)
            self.strength.setMinimumWidth(self.strength.sizeHint().width())
        self.strength.setCurrentIndex(concentrations.index(settings.concentration))


def _labelled(words: str, field: QComboBox) -> QWidget:
    whole, label = QWidget(), QLabel(words)
    label.setBuddy(field)
    field.setAccessibleName(words.replace("&", ""))
    row = QHBoxLayout(whole)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(unit())
    row.addWidget(label)
    row.addWidget(field)
    return whole
