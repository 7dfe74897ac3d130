"""The mouse's way to what the keys do on the timeline, and the changes of the whole program.

Law: a button does just what its key does; a number beside a button is taken with that button only.
"""

from __future__ import annotations

from fractions import Fraction

from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.models.program import Flex
from app.ui.dose_field import DoseField
from app.ui.schedule.keypad import Keypad
from app.ui.schedule.layers_button import LayersButton
from app.ui.schedule.timeline import Timeline
from app.ui.schedule.view_model import ScheduleViewModel
from app.ui.theme import Scale, set_role, unit


class Tools(QWidget):
    """Two rows: items of a flex program, and the whole."""

    def __init__(self, view_model: ScheduleViewModel, timeline: Timeline, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self._timeline = timeline
        self.items = QWidget()
        self.week = QPushButton(self.tr("7 days"))
        self.layers = LayersButton(view_model)
        self.keypad, self.digits = Keypad(), QPushButton(self.tr("Keypad"))
        self.percent = DoseField("%", 1, 3, scale=Scale.BODY)
        self.hours = DoseField("h", 2, 2, scale=Scale.BODY)
        self.buttons: dict[str, QPushButton] = {}
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        row = QHBoxLayout(self.items)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(unit() // 2)
        for verb, words in (
            ("add-bolus", self.tr("Add bolus")),
            ("add-step", self.tr("Add step")),
            ("duplicate", self.tr("Duplicate")),
            ("split", self.tr("Split")),
            ("merge", self.tr("Merge")),
            ("delete", self.tr("Delete")),
        ):
            self.buttons[verb] = self._button(words)
            row.addWidget(self.buttons[verb])
        row.addStretch(1)
        self.week.setCheckable(True)
        self.week.setAutoDefault(False)
        row.addWidget(self.week)
        whole = QHBoxLayout()
        whole.setSpacing(unit())
        self.scale, self.later, self.earlier = (
            self._button(words) for words in (self.tr("Scale to"), self.tr("Later by"), self.tr("Earlier by"))
        )
        for button, field in ((self.scale, self.percent), (self.later, self.hours)):
            whole.addWidget(button)
            if button is self.later:
                whole.addWidget(self.earlier)
            field.setMaximumWidth(12 * unit())
            whole.addWidget(field)
        self.percent.setAccessibleName(self.tr("Scale to per cent"))
        self.hours.setAccessibleName(self.tr("Hours to shift by"))
        whole.addStretch(1)
        self.digits.setCheckable(True)
        self.digits.setAutoDefault(False)
        self.digits.setToolTip(self.tr("Type in a field with the mouse."))
        whole.addWidget(self.digits)
        whole.addWidget(self.layers)
        note = QLabel()
        set_role(note, "muted")
        note.setWordWrap(True)
        self._note = note
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(unit() // 2)
        column.addWidget(self.items)
        column.addLayout(whole)
        column.addWidget(note)
        column.addWidget(self.keypad)
        self.keypad.hide()

    def _button(self, words: str) -> QPushButton:
        button = QPushButton(words)
        button.setAutoDefault(False)
        return button

    def _connect(self) -> None:
        for verb, button in self.buttons.items():
            button.clicked.connect(lambda _checked=False, verb=verb: self._timeline.perform(verb))
        self.week.toggled.connect(self._timeline.show_week)
        self.digits.toggled.connect(self._show_keypad)
        self.scale.clicked.connect(self._scale)
        self.later.clicked.connect(lambda: self._shift(1))
        self.earlier.clicked.connect(lambda: self._shift(-1))
        self._view_model.changed.connect(self._refresh)
        self._view_model.selectionChanged.connect(self._show_note)

    def _refresh(self) -> None:
        program = self._view_model.program
        flex = program is not None and isinstance(program.delivery, Flex)
        for widget in (self.items, self.later, self.earlier, self.hours, self.layers):
            widget.setVisible(flex)
        self._show_note()

    def _show_keypad(self, on: bool) -> None:
        self.keypad.setVisible(on)
        self._show_note()

    def _show_note(self) -> None:
        """What a low block leaves, where there is one; else what the curve is not."""
        model = self._view_model
        curve = self.tr("The curve is relative and no measurement: levels measured in people do not follow the dose.")
        self._note.setText(model.low_block or (curve if model.wish.curve else ""))
        room = not self.keypad.isVisibleTo(self)
        self._note.setVisible(room and self.items.isVisibleTo(self) and bool(self._note.text()))

    def _scale(self) -> None:
        value = self.percent.value()
        if value is None:
            self._view_model.said.emit(self.tr("Type the per cent to scale to, like 110."), True)
            self.percent.setFocus()
        else:
            self._view_model.scale_by(value)

    def _shift(self, sign: int) -> None:
        value = self.hours.value()
        minutes = value * 60 if value is not None else None
        if minutes is None or minutes.denominator != 1:
            self._view_model.said.emit(self.tr("Type the hours to shift by, in whole minutes, like 1.5."), True)
            self.hours.setFocus()
        else:
            self._view_model.shift_by(sign * int(Fraction(minutes)))
