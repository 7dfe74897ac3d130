"""The keyboard's half of the timeline: what a key means, and the small field in which a time is typed.

Law: whatever the mouse can do has a key, and the wheel has none. A typed text becomes a time or stays in the field.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QVBoxLayout, QWidget

from app.ui.form import FieldRow
from app.ui.theme import set_role, unit

_Key = Qt.Key
_Mod = Qt.KeyboardModifier
_NONE, _SHIFT, _CTRL, _ALT = _Mod.NoModifier, _Mod.ShiftModifier, _Mod.ControlModifier, _Mod.AltModifier


@dataclass(frozen=True, slots=True)
class Stroke:
    """What a key means: a verb and how much of it, in lines of the grid, minutes or increments."""

    verb: str
    by: int = 0
    text: str = ""


_WORDS = {
    (_Key.Key_Home, _NONE): Stroke("first"),
    (_Key.Key_End, _NONE): Stroke("last"),
    (_Key.Key_Insert, _NONE): Stroke("add-bolus"),
    (_Key.Key_B, _NONE): Stroke("add-bolus"),
    (_Key.Key_S, _NONE): Stroke("add-step"),
    (_Key.Key_D, _NONE): Stroke("duplicate"),
    (_Key.Key_D, _CTRL): Stroke("duplicate"),
    (_Key.Key_C, _CTRL): Stroke("copy"),
    (_Key.Key_X, _CTRL): Stroke("cut"),
    (_Key.Key_V, _CTRL): Stroke("paste"),
    (_Key.Key_K, _CTRL): Stroke("split"),
    (_Key.Key_K, _CTRL | _SHIFT): Stroke("split-at"),
    (_Key.Key_M, _CTRL): Stroke("merge"),
    (_Key.Key_A, _CTRL): Stroke("select-all"),
    (_Key.Key_Delete, _NONE): Stroke("delete"),
    (_Key.Key_Backspace, _NONE): Stroke("delete"),
    (_Key.Key_Escape, _NONE): Stroke("escape"),
    (_Key.Key_Up, _NONE): Stroke("dose", 1),
    (_Key.Key_Down, _NONE): Stroke("dose", -1),
    (_Key.Key_PageUp, _NONE): Stroke("dose", 10),
    (_Key.Key_PageDown, _NONE): Stroke("dose", -10),
    (_Key.Key_Up, _SHIFT): Stroke("end-minute", 1),
    (_Key.Key_Down, _SHIFT): Stroke("end-minute", -1),
    (_Key.Key_Up, _SHIFT | _CTRL): Stroke("start-minute", 1),
    (_Key.Key_Down, _SHIFT | _CTRL): Stroke("start-minute", -1),
}

_SIDEWAYS = {
    _NONE: "next",
    _CTRL: "cursor",
    _ALT: "move",
    _ALT | _SHIFT: "move-minute",
    _SHIFT: "end",
    _CTRL | _SHIFT: "start",
}


def stroke(event: QKeyEvent) -> Stroke | None:
    """What a key press means on the timeline; ``None`` if nothing."""
    key, modifiers = Qt.Key(event.key()), event.modifiers() & ~_Mod.KeypadModifier
    if key in (_Key.Key_Left, _Key.Key_Right) and modifiers in _SIDEWAYS:
        return Stroke(_SIDEWAYS[modifiers], -1 if key == _Key.Key_Left else 1)
    if modifiers == _NONE and event.text() in tuple("0123456789"):
        return Stroke("type", text=event.text())
    return _WORDS.get((key, modifiers))


def typed_minute(text: str) -> int | None:
    """The minute of the day that ``7:30``, ``07:30``, ``07.30`` or ``0730`` names; ``None`` for anything else."""
    found = re.fullmatch(r"([0-9]{1,2})[:.]([0-9]{2})|([0-9]{2})([0-9]{2})", text.strip(), re.ASCII)
    if found is None:
        return None
    hour, minute = int(found[1] or found[3]), int(found[2] or found[4])
    return hour * 60 + minute if hour < 24 and minute < 60 else None


class TypedTime(QFrame):
    """A field for one time, over the timeline. Enter takes it, Escape drops it, and a wrong text stays as it is."""

    entered = Signal(int)
    """A minute of the day."""

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self._over = over
        self.field = QLineEdit()
        self.field.setMaxLength(8)
        self.row = FieldRow(self.tr("Time"), self.field, hint=self.tr("Like 07:30. Enter takes it, Esc does not."))
        set_role(self, "card")
        self.setAutoFillBackground(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(unit(), unit(), unit(), unit())
        column.addWidget(self.row)
        self.field.returnPressed.connect(self._take)
        self.field.textEdited.connect(lambda: self.row.show_remark(""))
        self.hide()

    def ask(self, text: str, hint_at: int) -> None:
        """Open with a first character, near ``hint_at`` pixels from the left."""
        self.field.setText(text)
        self.row.show_remark("")
        self.adjustSize()
        across, down = self._over.width() - self.width(), self._over.height() - self.height()
        self.move(max(0, min(hint_at, across)), max(0, down // 2))
        self.show()
        self.raise_()
        self.field.setFocus()

    def _take(self) -> None:
        minute = typed_minute(self.field.text())
        if minute is None:
            self.row.show_remark(self.tr("Type hours and minutes, like 07:30."), is_error=True)
            self.adjustSize()
            return
        self.leave()
        self.entered.emit(minute)

    def leave(self) -> None:
        """Close, and give the keyboard back."""
        self.hide()
        self._over.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """No key in the field is a key of the timeline."""
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        event.accept()
