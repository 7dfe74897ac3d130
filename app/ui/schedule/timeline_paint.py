"""How the timeline looks: bands, axes and layers behind, then basal, steps and boluses, then what the pointer does.

Law: colour never speaks alone. Steps are hatched blocks, boluses stems with a diamond, the basal rate a plain filled
line, another program a dashed outline; what is selected is inverted and wears grips.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from app.models.editing import Place
from app.models.program import Program
from app.ui.schedule.timeline_layout import (
    Band,
    Curve,
    Extent,
    Ground,
    Layer,
    LayerKind,
    Span,
    bands_in,
    basal_of,
    hour_step,
    outline_spans,
    shown,
    ticks,
)
from app.ui.theme import Theme

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_CENTRE = Qt.AlignmentFlag.AlignCenter
_SOFT = 56
"""Opacity of the curve's band, of 255."""


@dataclass(frozen=True, slots=True)
class Words:
    """The fixed texts, translated."""

    dose: str
    rate: str
    days: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """All that is to be seen besides the moving parts."""

    basal: tuple[tuple[int, int, float], ...]
    extent: Extent
    ground: Ground
    spans: tuple[Span, ...]
    layers: tuple[Layer, ...]
    words: Words
    theme: Theme
    step: int
    """The theme's unit in pixels."""


@dataclass(frozen=True, slots=True)
class Pointing:
    """What the pointer and the keyboard are at."""

    chosen: frozenset[Place] = frozenset()
    hovered: Place | None = None
    cursor: float | None = None
    rubber: QRectF | None = None
    label: tuple[str, ...] = ()
    label_at: QPointF | None = None
    label_error: str = ""


def paint_back(painter: QPainter, scene: Scene, place: QRectF) -> None:
    """Everything behind the items, over the whole of ``place``."""
    painter.fillRect(place, QColor(scene.theme.surface))
    metrics = QFontMetricsF(painter.font())
    for layer in _of_kind(scene, LayerKind.BANDS):
        _paint_bands(painter, scene, metrics, layer.data)
    _paint_axes(painter, scene, metrics)
    _paint_hours(painter, scene, metrics)


def paint_items(painter: QPainter, scene: Scene, pointing: Pointing) -> None:
    """Layers, basal, steps and boluses."""
    metrics = QFontMetricsF(painter.font())
    _paint_basal(painter, scene)
    steps = [span for span in scene.spans if not span.is_bolus]
    boluses = [span for span in scene.spans if span.is_bolus]
    for span in steps:
        _paint_step(painter, scene, span, pointing)
    for layer in _of_kind(scene, LayerKind.CURVE):
        if isinstance(layer.data, Curve):
            _paint_curve(painter, scene, layer.data)
    for layer in _of_kind(scene, LayerKind.OUTLINE):
        if isinstance(layer.data, Program):
            _paint_outline(painter, scene, layer.data)
    for span in boluses:
        _paint_bolus(painter, scene, span, pointing)
    _label_steps(painter, scene, metrics, steps)
    _label_boluses(painter, scene, metrics, boluses, pointing)
    _paint_legend(painter, scene, metrics)


def paint_pointing(painter: QPainter, scene: Scene, pointing: Pointing) -> None:
    """Cursor, rubber band and the small label beside the pointer."""
    ground, theme = scene.ground, scene.theme
    if pointing.cursor is not None:
        x = ground.x(pointing.cursor)
        painter.setPen(_pen(theme.text, 1, Qt.PenStyle.DashLine))
        painter.drawLine(QLineF(x, ground.crown, x, ground.floor))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.text))
        half = scene.step / 2
        painter.drawPolygon(QPolygonF([QPointF(x - half, ground.floor + half * 1.6), QPointF(x, ground.floor),
                                       QPointF(x + half, ground.floor + half * 1.6)]))  # fmt: skip
    if pointing.rubber is not None:
        fill = QColor(theme.accent)
        fill.setAlpha(_SOFT)
        painter.setPen(_pen(theme.accent, 1, Qt.PenStyle.DashLine))
        painter.setBrush(fill)
        painter.drawRect(pointing.rubber)
    if pointing.label and pointing.label_at is not None:
        _paint_label(painter, scene, QFontMetricsF(painter.font()), pointing, pointing.label_at)


# -- behind -----------------------------------------------------------------------------------------------------------


def _of_kind(scene: Scene, kind: LayerKind) -> Iterable[Layer]:
    return (layer for layer in scene.layers if layer.kind is kind)


def _paint_bands(painter: QPainter, scene: Scene, metrics: QFontMetricsF, bands: object) -> None:
    if not isinstance(bands, Sequence):
        return
    ground, theme = scene.ground, scene.theme
    top = ground.crown - 3 * metrics.height() - scene.step / 2
    found = list(bands_in([band for band in bands if isinstance(band, Band)], scene.extent, (scene.extent.first_day,)))
    for _, low, high in found:
        box = QRectF(QPointF(ground.x(low), top), QPointF(ground.x(high), ground.floor))
        painter.fillRect(box, QColor(theme.raised))
        painter.setPen(_pen(theme.hairline, 1))
        painter.drawLines([QLineF(box.topLeft(), box.bottomLeft()), QLineF(box.topRight(), box.bottomRight())])
    if scene.extent.week:
        return
    painter.setPen(QColor(theme.muted))
    for index, (name, low, high) in enumerate(found):
        following = found[index + 1][1] if index + 1 < len(found) else scene.extent.minutes
        left, right = ground.x(low) + scene.step / 2, ground.x(max(high, following) if following >= high else following)
        fitting = metrics.elidedText(name, Qt.TextElideMode.ElideRight, right - left - scene.step / 2)
        if len(fitting) > 1:
            painter.drawText(QRectF(left, top, right - left, metrics.height()), _LEFT, fitting)


def _paint_axes(painter: QPainter, scene: Scene, metrics: QFontMetricsF) -> None:
    ground, theme = scene.ground, scene.theme
    line = metrics.height()
    painter.setPen(QColor(theme.muted))
    for title, top in ((scene.words.dose, ground.crown - 2 * line), (scene.words.rate, ground.ceiling - line)):
        painter.drawText(QRectF(scene.step, top - scene.step / 2, ground.right, line), _LEFT, title)
    for top_value, y_of, high, low in (
        (ground.top_dose, ground.y_of_dose, ground.crown, ground.sill),
        (ground.top_rate, ground.y_of_rate, ground.ceiling, ground.floor),
    ):
        for value in ticks(top_value, int((low - high) / (1.8 * line))):
            y = round(y_of(value)) + 0.5
            painter.setPen(_pen(theme.hairline if value else theme.edge, 1))
            painter.drawLine(QLineF(ground.left, y, ground.right, y))
            painter.setPen(QColor(theme.muted))
            painter.drawText(QRectF(0, y - line / 2, ground.left - scene.step / 2, line), _RIGHT, shown(value))
    if any(_of_kind(scene, LayerKind.CURVE)):
        for value in ticks(ground.top_percent, int((ground.floor - ground.ceiling) / (1.8 * line))):
            place = QRectF(ground.right + scene.step / 2, ground.y_of_percent(value) - line / 2, 9 * scene.step, line)
            painter.drawText(place, _LEFT, f"{shown(value)} %")


def _paint_hours(painter: QPainter, scene: Scene, metrics: QFontMetricsF) -> None:
    ground, theme, line = scene.ground, scene.theme, metrics.height()
    top = ground.floor + scene.step / 2
    day_width = ground.x(1440) - ground.left
    if scene.extent.week:
        for day, name in enumerate(scene.words.days):
            x = round(ground.x(day * 1440)) + 0.5
            painter.setPen(_pen(theme.edge, 1))
            painter.drawLine(QLineF(x, ground.crown - 3 * line, x, ground.floor + scene.step / 2))
            painter.setPen(QColor(theme.text))
            painter.drawText(QRectF(x, ground.crown - 3 * line - scene.step / 2, day_width, line), _CENTRE, name)
    step = hour_step(day_width / 24, metrics.horizontalAdvance("00:00") * (1.3 if scene.extent.week else 1.5))
    for minute in range(0, scene.extent.minutes + 1, step * 60):
        x = ground.x(minute)
        painter.setPen(_pen(theme.edge, 1))
        painter.drawLine(QLineF(x, ground.floor, x, ground.floor + scene.step / 2))
        half = metrics.horizontalAdvance("00:00")
        painter.setPen(QColor(theme.muted))
        if step < 24:
            painter.drawText(QRectF(x - half, top, 2 * half, line), _CENTRE, f"{minute // 60 % 24:02}:00")


def _paint_curve(painter: QPainter, scene: Scene, curve: Curve) -> None:
    ground = scene.ground
    shift = 0 if scene.extent.week else int(scene.extent.first_day) * 1440
    step = max(1, len(curve.minutes) * scene.extent.minutes // 10080 // max(1, int(ground.right - ground.left)))
    visible = [i for i, at in enumerate(curve.minutes) if 0 <= at - shift <= scene.extent.minutes][::step]
    painter.save()
    painter.setClipRect(QRectF(QPointF(ground.left, ground.ceiling - scene.step), QPointF(ground.right, ground.floor)))

    def points(values: Sequence[float], order: Iterable[int]) -> list[QPointF]:
        return [
            QPointF(ground.x(curve.minutes[i] - shift), ground.y_of_percent(values[i]))
            for i in order
            if isfinite(values[i])
        ]

    if len(curve.low) and len(curve.high):
        fill = QColor(scene.theme.good)
        fill.setAlpha(_SOFT)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawPolygon(QPolygonF(points(curve.low, visible) + points(curve.high, reversed(visible))))
    painter.setPen(_pen(scene.theme.good, 2))
    painter.drawPolyline(QPolygonF(points(curve.percent, visible)))
    painter.restore()


def _paint_outline(painter: QPainter, scene: Scene, program: Program) -> None:
    ground = scene.ground
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(_pen(scene.theme.muted, 2, Qt.PenStyle.DashLine))
    spans = outline_spans(program, scene.extent)
    for low, high, rate in basal_of(program, scene.extent, spans):
        y = ground.y_of_rate(rate)
        painter.drawLine(QLineF(ground.x(low), y, ground.x(high), y))
    for span in spans:
        box = ground.box(span)
        if not span.is_bolus:
            painter.drawPolyline(QPolygonF([box.bottomLeft(), box.topLeft(), box.topRight(), box.bottomRight()]))
        elif span.start >= 0:
            x = ground.x(span.start)
            painter.drawLine(QLineF(x, box.top() + scene.step * 0.6, x, ground.sill))
            painter.drawPolygon(_diamond(QPointF(x, box.top()), scene.step * 0.6))


# -- items ------------------------------------------------------------------------------------------------------------


def _paint_basal(painter: QPainter, scene: Scene) -> None:
    ground, theme = scene.ground, scene.theme
    for low, high, rate in scene.basal:
        box = QRectF(QPointF(ground.x(low), ground.y_of_rate(rate)), QPointF(ground.x(high), ground.floor))
        painter.fillRect(box, QColor(theme.hairline))
        painter.setPen(_pen(theme.text, 2))
        painter.drawLine(QLineF(box.topLeft(), box.topRight()))


def _paint_step(painter: QPainter, scene: Scene, span: Span, pointing: Pointing) -> None:
    theme, box = scene.theme, scene.ground.box(span)
    chosen, hovered = span.place in pointing.chosen, span.place == pointing.hovered
    ink, fill = (theme.on_accent, theme.accent) if chosen else (theme.accent, theme.selection)
    painter.fillRect(box, QColor(fill))
    painter.fillRect(box, _hatch(ink))
    painter.setPen(_pen(theme.accent_hover if hovered else theme.accent, 3 if hovered else 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(box)
    if chosen:
        middle = box.center().y()
        if span.start >= 0:
            _grip(painter, scene, QPointF(box.left(), middle))
        if span.end <= scene.ground.minutes:
            _grip(painter, scene, QPointF(box.right(), middle))
        _grip(painter, scene, QPointF(box.center().x(), box.top()))


def _paint_bolus(painter: QPainter, scene: Scene, span: Span, pointing: Pointing) -> None:
    theme, ground, box = scene.theme, scene.ground, scene.ground.box(span)
    chosen, hovered = span.place in pointing.chosen, span.place == pointing.hovered
    colour = theme.accent_hover if hovered else theme.accent
    bar = scene.step / 2
    painter.fillRect(QRectF(box.left(), ground.sill - bar, box.width(), bar), QColor(colour))
    if span.start < 0:
        return
    x, head = ground.x(span.start), QPointF(ground.x(span.start), box.top())
    painter.setPen(_pen(colour, 4 if chosen or hovered else 2))
    painter.drawLine(QLineF(x, box.top(), x, ground.sill))
    painter.setPen(_pen(theme.text if chosen else colour, 2))
    painter.setBrush(QColor(colour))
    painter.drawPolygon(_diamond(head, scene.step * (0.95 if chosen or hovered else 0.7)))
    if chosen:
        painter.setPen(_pen(theme.on_accent, 2))
        painter.drawPoint(head)
        _grip(painter, scene, QPointF(min(ground.right, ground.x(span.end)), ground.sill - bar / 2))


def _label_steps(painter: QPainter, scene: Scene, metrics: QFontMetricsF, steps: Sequence[Span]) -> None:
    """The rate above each block that is wide enough for it."""
    painter.setPen(QColor(scene.theme.text))
    for span in steps:
        box, text = scene.ground.box(span), shown(span.value)
        if metrics.horizontalAdvance(text) <= box.width():
            place = QRectF(box.left(), box.top() - metrics.height() - scene.step / 4, box.width(), metrics.height())
            painter.drawText(place, _CENTRE, text)


def _label_boluses(
    painter: QPainter, scene: Scene, metrics: QFontMetricsF, boluses: Sequence[Span], pointing: Pointing
) -> None:
    """The dose above each head if there is room for all of them in two rows; else above what is pointed at."""
    heads = sorted((span for span in boluses if span.start >= 0), key=lambda span: span.start)
    placed = _placed(scene, metrics, heads)
    if placed is None:
        pointed = [span for span in heads if span.place in pointing.chosen or span.place == pointing.hovered]
        placed = _placed(scene, metrics, pointed) or []
    for place, text, span in placed:
        strong = span.place in pointing.chosen
        painter.setPen(QColor(scene.theme.text if strong else scene.theme.muted))
        painter.drawText(place, _CENTRE, text)


def _placed(scene: Scene, metrics: QFontMetricsF, heads: Sequence[Span]) -> list[tuple[QRectF, str, Span]] | None:
    """Labels that do not touch each other, or ``None`` if they cannot all be placed."""
    placed: list[tuple[QRectF, str, Span]] = []
    for span in heads:
        text = shown(span.value)
        width, line = metrics.horizontalAdvance(text) + scene.step / 2, metrics.height()
        left = min(max(0.0, scene.ground.x(span.start) - width / 2), scene.ground.right + scene.step - width)
        foot = scene.ground.y_of_dose(span.value) - scene.step
        rows = [QRectF(left, foot - row * line, width, line) for row in (1, 2)]
        free = next((row for row in rows if not any(row.intersects(other) for other, _, _ in placed[-6:])), None)
        if free is None:
            return None
        placed.append((free, text, span))
    return placed


def _paint_legend(painter: QPainter, scene: Scene, metrics: QFontMetricsF) -> None:
    """Names of the outlines and curves with a sample of their lines, from the right."""
    right, line = scene.ground.right, metrics.height()
    middle = scene.ground.ceiling - line / 2 - scene.step / 2
    for layer in reversed(scene.layers):
        if layer.kind is LayerKind.BANDS:
            continue
        width = metrics.horizontalAdvance(layer.name)
        painter.setPen(QColor(scene.theme.muted))
        painter.drawText(QRectF(right - width, middle - line / 2, width + 1, line), _LEFT, layer.name)
        right -= width + scene.step
        dashed = layer.kind is LayerKind.OUTLINE
        colour = scene.theme.muted if dashed else scene.theme.good
        painter.setPen(_pen(colour, 2, Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine))
        painter.drawLine(QLineF(right - 4 * scene.step, middle, right, middle))
        right -= 6 * scene.step


def _paint_label(
    painter: QPainter, scene: Scene, metrics: QFontMetricsF, pointing: Pointing, at: QPointF
) -> None:
    """What an item is being dragged to, beside the pointer and always inside the picture."""
    lines = [*pointing.label, *([pointing.label_error] if pointing.label_error else [])]
    pad = scene.step / 2
    width = max(metrics.horizontalAdvance(text) for text in lines) + 2 * pad
    height = len(lines) * metrics.height() + 2 * pad
    ground = scene.ground
    left = min(max(0.0, at.x() + 2 * scene.step), ground.right - width)
    top = min(max(1.0, at.y() - height - 2 * scene.step), ground.floor - height)
    painter.setPen(_pen(scene.theme.edge, 1))
    painter.setBrush(QColor(scene.theme.surface))
    painter.drawRoundedRect(QRectF(left, top, width, height), pad, pad)
    for row, text in enumerate(lines):
        refused = bool(pointing.label_error) and row == len(lines) - 1
        painter.setPen(QColor(scene.theme.error if refused else scene.theme.text))
        place = QRectF(left + pad, top + pad + row * metrics.height(), width, metrics.height())
        painter.drawText(place, _LEFT, text)


def _pen(colour: str, width: float, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    return QPen(QBrush(QColor(colour)), width, style, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.MiterJoin)


def _hatch(colour: str) -> QBrush:
    return QBrush(QColor(colour), Qt.BrushStyle.BDiagPattern)


def _diamond(centre: QPointF, half: float) -> QPolygonF:
    across, up = QPointF(half, 0), QPointF(0, half)
    return QPolygonF([centre - up, centre + across, centre + up, centre - across])


def _grip(painter: QPainter, scene: Scene, centre: QPointF) -> None:
    side = scene.step * 0.8
    painter.setPen(_pen(scene.theme.text, 2))
    painter.setBrush(QColor(scene.theme.surface))
    painter.drawRect(QRectF(centre.x() - side / 2, centre.y() - side / 2, side, side))
