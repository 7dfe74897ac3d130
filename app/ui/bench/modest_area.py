"""A part of a page that scrolls when it must.

Law: it asks for its least height only, so that the page around it scrolls as late as possible.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QScrollArea, QWidget


class ModestArea(QScrollArea):
    """Shows ``widget``; ``least`` is its least height."""

    def __init__(self, widget: QWidget, *, least: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(least)
        self.setWidget(widget)
        self.viewport().setAutoFillBackground(False)
        widget.setAutoFillBackground(False)

    def sizeHint(self) -> QSize:
        """As wide as what it shows, and no higher than it must be."""
        inside = self.widget()
        wide = inside.sizeHint().width() if inside is not None else 0
        return QSize(wide + self.verticalScrollBar().sizeHint().width(), self.minimumHeight())
