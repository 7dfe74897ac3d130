"""Pages of which one is shown, and which need no more room than that one does.

Law: the window can be made as small as the page in it allows; what does not fit then is scrolled to, never cut off.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QStackedWidget, QWidget


class PageStack(QStackedWidget):
    """As a stacked widget, but only the page that is shown says how much room is needed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.currentChanged.connect(self._resize)

    def _resize(self, _place: int) -> None:
        self.updateGeometry()

    def minimumSizeHint(self) -> QSize:
        shown = self.currentWidget()
        return shown.minimumSizeHint() if shown is not None else QSize()

    def sizeHint(self) -> QSize:
        shown = self.currentWidget()
        return shown.sizeHint() if shown is not None else QSize()


class _Frame(QWidget):
    """Holds the pages without a layout: a scroll area then asks for their least size, not for all they would like."""

    def __init__(self, pages: QWidget) -> None:
        super().__init__()
        self._pages = pages
        pages.setParent(self)

    def minimumSizeHint(self) -> QSize:
        return self._pages.minimumSizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._pages.setGeometry(self.rect())

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().event(event)


def scrolled(pages: QWidget) -> QScrollArea:
    """An area that is filled by ``pages``, and scrolls only where the window is too small for them."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    frame = _Frame(pages)
    area.setWidget(frame)
    area.viewport().setAutoFillBackground(False)
    frame.setAutoFillBackground(False)
    return area
