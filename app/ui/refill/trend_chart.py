"""A small picture of the last refills: how far each residual was off, in mL and in percent of what was delivered.

Law: limits are lines, and what lies beyond one has another shape, so that colour says nothing alone; the same stands
there in words for whoever does not see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.models.formats import plain
from app.models.residual_trend import TrendPoint, signed
from app.ui.dates import MONTHS, show_day
from app.ui.schedule.timeline_scene import LEFT, RIGHT, pen
from app.ui.theme import Scale, current_theme, set_type, unit

_STRIP_LINES = 6.6
"""How many lines of text one strip is high, with its heading."""
_HEAD_ROOM = 1.9
"""How far the picture goes beyond a limit, as a multiple of it; what lies beyond stands at the edge as an arrow."""
_CENTRE = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class Strip:
    """One row of the picture: its heading, its limit on both sides, and a value for each refill."""

    heading: str
    limit: Fraction
    decimals: int
    values: tuple[Fraction | None, ...]


class TrendChart(QWidget):
    """Shows the last refills, oldest at the left."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._days: tuple[str, ...] = ()
        self._strips: tuple[Strip, ...] = ()
        set_type(self, Scale.BODY)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setObjectName("trend-chart")
        self.setAccessibleName(self.tr("The last refills"))

    def show_trend(
        self, points: Sequence[TrendPoint], *, limit_ml: Fraction, accuracy_percent: Fraction, today: date
    ) -> None:
        """Show these refills, oldest first; the limits are those of REF-02, in mL and percent."""
        self._days = tuple(self.tr("today") if one.on == today else f"{one.on.day} {MONTHS[one.on.month - 1]}"
                           for one in points)  # fmt: skip
        errors = tuple(point.error * 100 if point.error is not None else None for point in points)
        self._strips = (
            Strip(self.tr("Left, mL off"), limit_ml, 2, tuple(point.difference_ml for point in points)),
            Strip(self.tr("Delivered, % off"), accuracy_percent, 1, errors),
        )
        self.setAccessibleDescription(self.words(points, limit_ml, accuracy_percent))
        self.updateGeometry()
        self.update()

    def words(self, points: Sequence[TrendPoint], limit_ml: Fraction, accuracy_percent: Fraction) -> str:
        """The picture in words."""
        if not points:
            return self.tr("No earlier refill is on record.")
        told = [_refill_words(point) for point in points]
        limits = self.tr("Limits: {0} mL and {1} % to either side.").format(plain(limit_ml), plain(accuracy_percent))
        return f"{'; '.join(told)}. {limits}"

    def sizeHint(self) -> QSize:
        line = self.fontMetrics().height()
        return QSize(50 * unit(), int((2 * _STRIP_LINES + 1.6) * line))

    def minimumSizeHint(self) -> QSize:
        return QSize(30 * unit(), self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(current_theme().surface))
        if self._days:
            _Picture(painter, self._strips, self._days, QRectF(self.rect())).paint()


def _refill_words(point: TrendPoint) -> str:
    words = f"{show_day(point.on)}: {signed(point.difference_ml, 2)} mL"
    return words if point.error is None else f"{words}, {signed(point.error * 100, 1)} %"


class _Picture:
    """One painting; it lives as long as its painter."""

    def __init__(self, painter: QPainter, strips: Sequence[Strip], days: Sequence[str], place: QRectF) -> None:
        self.painter, self.strips, self.days, self.theme = painter, strips, days, current_theme()
        self.metrics = QFontMetricsF(painter.font())
        self.line, self.step = self.metrics.height(), float(unit())
        limits = [f"+{plain(strip.limit)}" for strip in strips]
        self.left = max(self.metrics.horizontalAdvance(text) for text in limits) + 2 * self.step
        self.right = place.right() - self.step
        self.top = place.top() + 0.2 * self.line

    def x(self, number: int) -> float:
        return self.left + (self.right - self.left) * (number + 0.5) / len(self.days)

    def paint(self) -> None:
        for number, strip in enumerate(self.strips):
            top = self.top + number * _STRIP_LINES * self.line
            self._strip(strip, top, top + _STRIP_LINES * self.line)
        floor = self.top + len(self.strips) * _STRIP_LINES * self.line
        self.painter.setPen(QColor(self.theme.muted))
        for number, day in enumerate(self.days):
            width = self.metrics.horizontalAdvance(day) + 2
            self.painter.drawText(QRectF(self.x(number) - width / 2, floor, width, 1.2 * self.line), _CENTRE, day)

    def _strip(self, strip: Strip, top: float, bottom: float) -> None:
        painter, theme = self.painter, self.theme
        painter.setPen(QColor(theme.muted))
        painter.drawText(QRectF(self.step, top, self.right, self.line), LEFT, strip.heading)
        ceiling, floor = top + 1.1 * self.line, bottom - 0.2 * self.line
        most = float(strip.limit) * _HEAD_ROOM
        middle, half = (ceiling + floor) / 2, (floor - ceiling) / 2

        def y(value: Fraction) -> float:
            return middle - half * min(max(float(value) / most, -1.0), 1.0)

        for limit in (strip.limit, -strip.limit):
            height = round(y(limit)) + 0.5
            painter.setPen(pen(theme.error, 1.5, Qt.PenStyle.DashLine))
            painter.drawLine(QLineF(self.left, height, self.right, height))
            painter.setPen(QColor(theme.muted))
            words = f"{'+' if limit > 0 else '−'}{plain(strip.limit)}"
            painter.drawText(
                QRectF(0, height - self.line / 2, self.left - self.step / 2, self.line), RIGHT, words
            )
        painter.setPen(pen(theme.edge, 1))
        painter.drawLine(QLineF(self.left, round(middle) + 0.5, self.right, round(middle) + 0.5))
        for number, value in enumerate(strip.values):
            if value is not None:
                self._point(QPointF(self.x(number), y(value)), value, strip)

    def _point(self, at: QPointF, value: Fraction, strip: Strip) -> None:
        """A disc, beyond the limit a square, beyond the picture an arrow; and its number."""
        painter, beyond = self.painter, abs(value) > strip.limit
        size = self.step * (1.0 if beyond else 0.8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.theme.error if beyond else self.theme.accent))
        box = QRectF(at.x() - size / 2, at.y() - size / 2, size, size)
        up = 1 if value > 0 else -1
        if abs(value) > strip.limit * Fraction(_HEAD_ROOM):
            tip = QPointF(at.x(), at.y() - up * size / 2)
            foot = at.y() + up * size / 2
            painter.drawPolygon(QPolygonF([tip, QPointF(box.left(), foot), QPointF(box.right(), foot)]))
        elif beyond:
            painter.drawRect(box)
        else:
            painter.drawEllipse(box)
        text = signed(value, strip.decimals).replace("-", "−")
        width, gap = self.metrics.horizontalAdvance(text) + 2, size / 2 + 2
        left = at.x() + gap if at.x() + gap + width < self.right else at.x() - gap - width
        place = QRectF(left, at.y() - self.line / 2, width, self.line)
        painter.fillRect(place.adjusted(0, 2, 0, -2), QColor(self.theme.surface))
        painter.setPen(QColor(self.theme.text))
        painter.drawText(place, LEFT, text)
