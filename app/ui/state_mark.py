"""A state in three ways at once: a sign, a word and a colour.

Law: take any two of the three away and the state is still plain.
"""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QCoreApplication, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.models.findings import Severity
from app.ui import icons
from app.ui.theme import Scale, current_theme, font, unit


class Mark(Enum):
    """A state: its sign, its word, and the token of its fill (empty: an outline)."""

    BLOCK = ("stop", "Stop", "stop")
    CONFIRM = ("warning", "Confirm", "caution")
    TASK = ("task", "To do", "advice")
    NOTE = ("info", "Note", "")
    VERIFIED = ("check", "VERIFIED", "good")
    NOT_APPLIED = ("not-applied", "NOT APPLIED", "caution")
    RESULT_NOT_KNOWN = ("question", "RESULT NOT KNOWN", "stop")
    EMULATED = ("emulator", "EMULATED PUMP", "advice")
    ENDED = ("clock", "Ended", "")
    WAS_VERIFIED = ("pump", "Was in the pump", "")

    @property
    def sign(self) -> str:
        return self.value[0]

    @property
    def word(self) -> str:
        return QCoreApplication.translate("Mark", self.value[1])

    @property
    def fill(self) -> str:
        return self.value[2]


_OF_SEVERITY = {
    Severity.BLOCK: Mark.BLOCK,
    Severity.CONFIRM: Mark.CONFIRM,
    Severity.TASK: Mark.TASK,
    Severity.NOTE: Mark.NOTE,
}


def mark_for(severity: Severity) -> Mark:
    """How a finding of this severity is marked."""
    return _OF_SEVERITY[severity]


class StateMark(QWidget):
    """Shows one :class:`Mark`; ``scale`` is the size of its word."""

    def __init__(self, mark: Mark, *, word: str = "", scale: Scale = Scale.BODY, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scale = scale
        self.setFont(font(scale, strong=True))
        self.set_mark(mark, word=word)

    def mark(self) -> Mark:
        return self._mark

    def set_mark(self, mark: Mark, *, word: str = "") -> None:
        """Show another state, with its own word or a fitter one."""
        self._mark = mark
        self._word = word or mark.word
        self.setAccessibleName(self._word)
        self.setFixedSize(self.sizeHint())
        self.update()

    def sizeHint(self) -> QSize:
        return mark_size(self._word, self.fontMetrics(), self._pad())

    def _pad(self) -> int:
        return max(2, round(unit() * self._scale.value / 2))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        paint_mark(painter, QRectF(self.rect()), self._mark, self._word, self._pad())


def mark_size(word: str, metrics: QFontMetrics, pad: int) -> QSize:
    """How much room a mark takes with this word."""
    return QSize(metrics.horizontalAdvance(word) + metrics.height() + 5 * pad, metrics.height() + 2 * pad)


def paint_mark(painter: QPainter, place: QRectF, mark: Mark, word: str, pad: int) -> None:
    """Draw a mark into ``place``, which is as large as :func:`mark_size` says, with the painter's font."""
    theme, side = current_theme(), painter.fontMetrics().height()
    fill = getattr(theme, mark.fill) if mark.fill else theme.surface
    ink = getattr(theme, f"on_{mark.fill}") if mark.fill else theme.text
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(QColor(fill))
    painter.setPen(Qt.PenStyle.NoPen if mark.fill else QColor(theme.edge))
    painter.drawRoundedRect(place.adjusted(0.5, 0.5, -0.5, -0.5), pad, pad)
    icons.paint(painter, mark.sign, ink, QRectF(place.left() + 1.5 * pad, place.top() + pad, side, side))
    painter.setPen(QColor(ink))
    left = round(1.5 * pad + side + pad)
    painter.drawText(place.adjusted(left, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, word)
