"""A small picture of the days after a change of solution: mcg/h with the bridge (solid) and without it (dashed).

Law: the picture shows the steps of the outlook as they are; what it means stands beside it in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.models.plug_flow import Arrival
from app.models.solution_outlook import Outlook
from app.ui.refill.bridge_words import day_parts, weekday_moment
from app.ui.schedule.timeline_layout import shown, ticks
from app.ui.schedule.timeline_scene import LEFT, RIGHT, pen
from app.ui.theme import Scale, current_theme, set_type, unit

_HEAD_ROOM = 1.12
_STEPS_H = (1, 2, 3, 6, 12, 24, 48, 96, 168, 336)
_LINES_AROUND, _LINES_OF_ONE, _LINES_OF_MORE = 3, 8, 7
"""Lines of text that the picture is high: around the rows, and of each row."""
_LEAST_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class Row:
    """One drug: its name on the axis, and its slug."""

    name: str
    drug: str


class BridgeChart(QWidget):
    """Shows one :class:`Outlook`; one row for each drug."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._outlook: Outlook | None = None
        self._rows: tuple[Row, ...] = ()
        set_type(self, Scale.BODY)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.setObjectName("bridge-chart")
        self.setAccessibleName(self.tr("Dose in the next days"))

    def show_outlook(self, outlook: Outlook | None, rows: Sequence[tuple[str, str]], words: str) -> None:
        """Show another outlook, for drugs by (slug, name); ``words`` say the same to who does not see it."""
        self._outlook = outlook
        self._rows = tuple(Row(name, drug) for drug, name in rows)
        self.setAccessibleDescription(words)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        line = self.fontMetrics().height()
        return QSize(50 * unit(), int(_lines(len(self._rows)) * line))

    def minimumSizeHint(self) -> QSize:
        line = self.fontMetrics().height()
        return QSize(40 * unit(), int(_lines(len(self._rows)) * line * _LEAST_SHARE))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(current_theme().surface))
        if self._outlook is not None and self._rows:
            _Picture(painter, self._outlook, self._rows, QRectF(self.rect()), self._names()).paint()

    def _names(self) -> tuple[str, str, str]:
        ends = self._outlook.ends_at if self._outlook is not None else None
        mark = self.tr("Bridge ends {0}").format(weekday_moment(ends)) if ends is not None else ""
        return self.tr("with the bridge"), self.tr("without the bridge"), mark


def _lines(rows: int) -> int:
    return _LINES_AROUND + (_LINES_OF_ONE if rows < 2 else rows * _LINES_OF_MORE)


class _Picture:
    """One painting; it lives as long as its painter."""

    def __init__(
        self, painter: QPainter, outlook: Outlook, rows: Sequence[Row], place: QRectF, names: tuple[str, str, str]
    ) -> None:
        self.painter, self.outlook, self.rows, self.theme = painter, outlook, rows, current_theme()
        self.metrics = QFontMetricsF(painter.font())
        self.with_name, self.without_name, self.mark = names
        self.line, self.step = self.metrics.height(), float(unit())
        self.left = self.metrics.horizontalAdvance("00000") + self.step
        self.right = place.right() - self.step
        self.top = place.top() + 1.3 * self.line
        self.height = (place.bottom() - 1.1 * self.line - self.top) / len(rows)

    def x(self, minute: float) -> float:
        return self.left + (self.right - self.left) * minute / self.outlook.minutes

    def paint(self) -> None:
        self._legend()
        for index, row in enumerate(self.rows):
            top = self.top + index * self.height + 1.5 * self.line
            self._row(row, top, self.top + (index + 1) * self.height - 0.4 * self.line)
        self._clock(self.top + len(self.rows) * self.height - 0.4 * self.line)

    def _row(self, row: Row, ceiling: float, floor: float) -> None:
        painter, theme = self.painter, self.theme
        courses = [self.outlook.without]
        if self.outlook.with_bridge is not None:
            courses.append(self.outlook.with_bridge)
        top = max((float(step.mcg_per_h(row.drug)) for course in courses for step in course), default=0.0)
        top = (top or 1.0) * _HEAD_ROOM

        def y(value: float) -> float:
            return floor - (floor - ceiling) * value / top

        painter.setPen(QColor(theme.muted))
        painter.drawText(QRectF(0, ceiling - 1.5 * self.line, self.right, self.line), LEFT, f"mcg/h {row.name}")
        for value in ticks(top, int((floor - ceiling) / (1.25 * self.line))):
            height = round(y(value)) + 0.5
            painter.setPen(pen(theme.hairline if value else theme.edge, 1))
            painter.drawLine(QLineF(self.left, height, self.right, height))
            painter.setPen(QColor(theme.muted))
            painter.drawText(
                QRectF(0, height - self.line / 2, self.left - self.step / 2, self.line), RIGHT, shown(value)
            )
        self._end(ceiling, floor)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self.outlook.with_bridge is not None:
            painter.setPen(pen(theme.accent, 2.5))
            painter.drawPolyline(self._points(self.outlook.with_bridge, row.drug, y))
        painter.setPen(pen(theme.error, 2, Qt.PenStyle.DashLine))
        painter.drawPolyline(self._points(self.outlook.without, row.drug, y))

    def _points(self, course: Sequence[Arrival], drug: str, y: Callable[[float], float]) -> QPolygonF:
        points: list[QPointF] = []
        for step in course:
            height = y(float(step.mcg_per_h(drug)))
            points += [QPointF(self.x(float(step.start_min)), height), QPointF(self.x(float(step.end_min)), height)]
        return QPolygonF(points)

    def _end(self, ceiling: float, floor: float) -> None:
        """The end of the bridge: a line over all rows, with its time."""
        if self.outlook.bridge is None:
            return
        x = round(self.x(self.outlook.bridge.duration_min)) + 0.5
        self.painter.setPen(pen(self.theme.text, 1))
        self.painter.drawLine(QLineF(x, ceiling - 0.5 * self.line, x, floor))

    def _legend(self) -> None:
        """Both lines with their names, from the left; the end of the bridge over its line."""
        samples = [(self.without_name, self.theme.error, Qt.PenStyle.DashLine)]
        if self.outlook.with_bridge is not None:
            samples.insert(0, (self.with_name, self.theme.accent, Qt.PenStyle.SolidLine))
        x, middle = self.left, self.line * 0.65
        for name, colour, style in samples:
            self.painter.setPen(pen(colour, 2.5 if style is Qt.PenStyle.SolidLine else 2, style))
            self.painter.drawLine(QLineF(x, middle, x + 4 * self.step, middle))
            x += 4.5 * self.step
            width = self.metrics.horizontalAdvance(name)
            self.painter.setPen(QColor(self.theme.muted))
            self.painter.drawText(QRectF(x, middle - self.line / 2, width + 1, self.line), LEFT, name)
            x += width + 2 * self.step
        if self.mark and self.outlook.bridge is not None:
            width = self.metrics.horizontalAdvance(self.mark)
            left = self.x(self.outlook.bridge.duration_min) + self.step / 2
            if left + width > self.right:
                left -= width + self.step
            self.painter.setPen(QColor(self.theme.text))
            self.painter.drawText(QRectF(left, self.top, width + 1, self.line), LEFT, self.mark)

    def _clock(self, floor: float) -> None:
        """Times of the pump's clock along the bottom, as close as their labels allow."""
        room = self.metrics.horizontalAdvance("Mon 30 Nov") + 2 * self.step
        per_hour = (self.right - self.left) / self.outlook.minutes * 60
        step = next((hours for hours in _STEPS_H if hours * per_hour >= room), _STEPS_H[-1])
        for minute, label in self._hours(step):
            x = round(self.x(minute)) + 0.5
            self.painter.setPen(pen(self.theme.edge, 1))
            self.painter.drawLine(QLineF(x, floor, x, floor + self.step / 2))
            width = self.metrics.horizontalAdvance(label)
            left = min(max(x - width / 2, 0.0), self.right - width)
            self.painter.setPen(QColor(self.theme.muted))
            self.painter.drawText(QRectF(left, floor + self.step / 2, width + 1, self.line), LEFT, label)

    def _hours(self, step: int) -> Iterator[tuple[float, str]]:
        start = self.outlook.start
        at = start.replace(hour=0, minute=0, second=0, microsecond=0)
        while True:
            minute = (at - start) / timedelta(minutes=1)
            if minute > self.outlook.minutes:
                return
            if minute >= 0:
                yield minute, " ".join(day_parts(at)) if at.hour == 0 else f"{at:%H:%M}"
            at += timedelta(hours=step)
