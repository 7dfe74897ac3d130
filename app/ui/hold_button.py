"""The last step before a pump is changed: a button that wants to be held.

Law: nothing but holding it for the whole time, by mouse or by Space, sets it off; a tap, Enter, a held
Enter, losing the focus or a frozen window never do.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFocusEvent, QHideEvent, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from app.ui.theme import Scale, current_theme, font, set_type, unit

HOLD_MS = 1500
_TICK_MS = 25
_LONGEST_TICK_MS = 3 * _TICK_MS


class HoldButton(QAbstractButton):
    """Says with a verb what it will do, and does it after 1.5 s of holding.

    The time counts in ticks of at most 75 ms each, so that a window that froze for a while with the
    button down has not been held for that while.
    """

    held = Signal()
    """Held to the end; once per hold."""
    progressChanged = Signal(float)
    """How much of the hold is done, 0 to 1."""

    def __init__(
        self,
        text: str,
        *,
        hold_ms: int = HOLD_MS,
        clock_ms: Callable[[], float] = lambda: time.monotonic() * 1000,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._hold_ms = hold_ms
        self._clock_ms = clock_ms
        self._done_ms = 0.0
        self._ticked_at = 0.0
        self._by: QEvent.Type | None = None
        self._ticker = QTimer(self, interval=_TICK_MS)
        self._ticker.timeout.connect(self._tick)
        self.setText(text)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleDescription(self.tr("Hold the mouse button or the Space key down for 1.5 seconds."))
        set_type(self, Scale.LEAD, strong=True)

    def progress(self) -> float:
        """How much of the hold is done, 0 to 1."""
        return min(1.0, self._done_ms / self._hold_ms)

    def _start(self, by: QEvent.Type) -> None:
        if self._by is None and self.isEnabled():
            self._by, self._done_ms, self._ticked_at = by, 0.0, self._clock_ms()
            self._ticker.start()

    def _cancel(self) -> None:
        if self._by is not None:
            self._by = None
            self._ticker.stop()
        self._show_progress(0.0)

    def _tick(self) -> None:
        now = self._clock_ms()
        passed, self._ticked_at = now - self._ticked_at, now
        self._show_progress(self._done_ms + min(passed, _LONGEST_TICK_MS))
        if self._done_ms >= self._hold_ms:
            self._cancel()
            self.held.emit()

    def _show_progress(self, done_ms: float) -> None:
        if done_ms != self._done_ms:
            self._done_ms = done_ms
            self.progressChanged.emit(self.progress())
            self.update()

    # What starts and what ends a hold. QAbstractButton's own handlers are never called: they would click.

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space holds; Enter is taken so that no other button gets it; the rest is the window's."""
        event.accept()
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._start(QEvent.Type.KeyPress)
        elif event.key() not in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._cancel()
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        event.accept()
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat() and self._by is QEvent.Type.KeyPress:
            self._cancel()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()
        if event.button() == Qt.MouseButton.LeftButton:
            self._start(QEvent.Type.MouseButtonPress)
        else:
            self._cancel()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        event.accept()
        if self._by is QEvent.Type.MouseButtonPress and not self.rect().contains(event.position().toPoint()):
            self._cancel()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()
        if self._by is QEvent.Type.MouseButtonPress:
            self._cancel()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._cancel()
        super().focusOutEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self._cancel()
        super().hideEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.EnabledChange, QEvent.Type.ActivationChange):
            self._cancel()
        super().changeEvent(event)

    # Looks

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        width = max(metrics.horizontalAdvance(self.text()), self._hint_width()) + 6 * unit()
        return QSize(width, 2 * metrics.height() + 3 * unit())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _hint_width(self) -> int:
        return self.fontMetrics().horizontalAdvance(self._hint())

    def _hint(self) -> str:
        return self.tr("hold 1.5 s")

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, step = current_theme(), unit()
        ring = max(3, step // 3)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        place = QRectF(self.rect()).adjusted(ring + 1, ring + 1, -ring - 1, -ring - 1)
        shape = QPainterPath()
        shape.addRoundedRect(place, step / 2, step / 2)
        enabled = self.isEnabled()
        painter.fillPath(shape, QColor(theme.surface if enabled else theme.page))
        self._write(painter, place, theme.accent if enabled else theme.disabled)
        if self.progress() > 0:
            filled = QRectF(place)
            filled.setWidth(place.width() * self.progress())
            painter.save()
            painter.setClipRect(filled)
            painter.fillPath(shape, QColor(theme.accent))
            self._write(painter, place, theme.on_accent)
            painter.restore()
        painter.setPen(QColor(theme.accent if enabled else theme.disabled))
        painter.drawPath(shape)
        if self.hasFocus():
            pen = painter.pen()
            pen.setColor(QColor(theme.focus))
            pen.setWidth(ring)
            painter.setPen(pen)
            outer = QRectF(self.rect()).adjusted(ring / 2, ring / 2, -ring / 2, -ring / 2)
            painter.drawRoundedRect(outer, step / 2 + ring, step / 2 + ring)

    def _write(self, painter: QPainter, place: QRectF, colour: str) -> None:
        """The verb, and under it how to use the button."""
        painter.setPen(QColor(colour))
        painter.setFont(self.font())
        upper = QRectF(place.left(), place.top(), place.width(), place.height() * 0.58)
        painter.drawText(upper, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, self.text())
        painter.setFont(font(Scale.BODY))
        lower = QRectF(place.left(), upper.bottom(), place.width(), place.height() - upper.height())
        painter.drawText(lower, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, self._hint())
