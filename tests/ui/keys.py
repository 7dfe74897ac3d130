"""Keys as a keyboard sends them: with the time at which they were struck.

``QTest.keyClicks`` strikes all keys at the same instant, which a dose field rightly doubts.
"""

import itertools

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QKeyEvent

CALM_MS = 150
_times = itertools.count(1_000_000, 1)
NONE = Qt.KeyboardModifier.NoModifier
KEYPAD = Qt.KeyboardModifier.KeypadModifier


class Keyboard:
    """Strikes keys on a widget; its clock goes on by ``gap_ms`` before each."""

    def __init__(self) -> None:
        self.now_ms = next(_times) * 1000

    def strike(self, widget, key, text="", *, modifiers=NONE, gap_ms=CALM_MS, repeat=False) -> None:
        """Press and release one key."""
        self.now_ms += gap_ms
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            event = QKeyEvent(kind, key, modifiers, text, repeat)
            event.setTimestamp(self.now_ms)
            QCoreApplication.sendEvent(widget, event)

    def type(self, widget, text: str, *, gap_ms=CALM_MS) -> None:
        """Strike the key of each character, at the pace of a calm hand."""
        for character in text:
            self.strike(widget, ord(character.upper()), character, gap_ms=gap_ms)

    def backspace(self, widget) -> None:
        self.strike(widget, Qt.Key.Key_Backspace)

    def enter(self, widget) -> None:
        self.strike(widget, Qt.Key.Key_Return, "\r")
