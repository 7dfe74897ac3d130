"""A curtain before the whole window: what lies behind it cannot be seen until it is lifted.

Law: it is opaque and covers everything at any size; nothing behind it shows through or can be reached.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.ui.theme import Scale, current_theme, set_role, set_type


class Curtain(QWidget):
    """Covers its window and says why."""

    def __init__(self, words: str, window: QWidget) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        said = QLabel(words)
        said.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        said.setTextFormat(Qt.TextFormat.PlainText)
        set_type(said, Scale.LEAD)
        set_role(said, "muted")
        column = QVBoxLayout(self)
        column.addWidget(said, 0, Qt.AlignmentFlag.AlignTop)
        window.installEventFilter(self)
        self._cover()
        self.show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the window's size, and stay before whatever is added to it."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.ChildAdded, QEvent.Type.LayoutRequest):
            self._cover()
        return super().eventFilter(watched, event)

    def _cover(self) -> None:
        window = self.parentWidget()
        if window is not None:
            self.setGeometry(window.rect())
            self.raise_()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(current_theme().page))

    def lift(self) -> None:
        """Show what is behind it again."""
        window = self.parentWidget()
        if window is not None:
            window.removeEventFilter(self)
        self.hide()
        self.deleteLater()
