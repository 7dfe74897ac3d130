"""A state in three ways at once: a sign, a word and a colour.

Law: take any two of the three away and the state is still plain.
"""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QCoreApplication, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
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
        metrics, pad = self.fontMetrics(), self._pad()
        width = metrics.horizontalAdvance(self._word) + metrics.height() + 5 * pad
        return QSize(width, metrics.height() + 2 * pad)

    def _pad(self) -> int:
        return max(2, round(unit() * self._scale.value / 2))

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, pad, side = current_theme(), self._pad(), self.fontMetrics().height()
        fill = getattr(theme, self._mark.fill) if self._mark.fill else theme.surface
        ink = getattr(theme, f"on_{self._mark.fill}") if self._mark.fill else theme.text
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor(fill))
        painter.setPen(Qt.PenStyle.NoPen if self._mark.fill else QColor(theme.edge))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), pad, pad)
        icons.paint(painter, self._mark.sign, ink, QRectF(1.5 * pad, pad, side, side))
        painter.setPen(QColor(ink))
        left = round(1.5 * pad + side + pad)
        painter.drawText(self.rect().adjusted(left, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self._word)
