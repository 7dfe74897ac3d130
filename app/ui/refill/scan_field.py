"""The field into which a scanner types.

Law: what the scanner sent arrives whole, separators included; what was refused stays until the next scan replaces it.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit, QWidget

GROUP_SEPARATOR = "\x1d"
SHOWN = "¦"
"""How a separator is shown: a sign that no GS1 code can contain."""

_ENDS = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab})


class ScanField(QLineEdit):
    """Takes the keys of a keyboard-wedge scanner.

    A separator arrives as the character ASCII 29, as Ctrl+], or as ``separator_key`` where a scanner was set so. Enter
    ends a scan; so does Tab, which moves on only from an empty field.
    """

    scanned = Signal(str)
    """A scan has ended: its text, with ASCII 29 between the parts."""

    def __init__(self, *, separator_key: Qt.Key | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._separator_key = separator_key
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setAcceptDrops(False)
        self.setInputMethodHints(Qt.InputMethodHint.ImhNoPredictiveText | Qt.InputMethodHint.ImhNoAutoUppercase)

    def scan_text(self) -> str:
        """What stands in the field, with ASCII 29 between the parts."""
        return self.text().replace(SHOWN, GROUP_SEPARATOR)

    def event(self, event: QEvent) -> bool:
        """Keep Tab and Ctrl+] from those who would take them before the field does."""
        if isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.ShortcutOverride and self._is_separator(event):
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Tab and self.text():
                self.keyPressEvent(event)
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._is_separator(event):
            self.insert(SHOWN)
        elif event.key() in _ENDS and not event.isAutoRepeat():
            self._finish()
        elif event.matches(QKeySequence.StandardKey.Paste):
            self.insert(QGuiApplication.clipboard().text().replace(GROUP_SEPARATOR, SHOWN))
        else:
            super().keyPressEvent(event)
            return
        event.accept()

    def _is_separator(self, event: QKeyEvent) -> bool:
        held = event.modifiers() == Qt.KeyboardModifier.ControlModifier
        return (
            event.text() == GROUP_SEPARATOR
            or (held and event.key() == Qt.Key.Key_BracketRight)
            or (self._separator_key is not None and event.key() == self._separator_key)
        )

    def _finish(self) -> None:
        text = self.scan_text()
        if text.strip():
            self.selectAll()
            self.scanned.emit(text)
