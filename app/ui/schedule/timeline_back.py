"""What lies around and behind the items: bands of the patient's day, axes, another program, a curve.

Law: nothing here moves while an item is dragged, but the curve.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPolygonF

from app.models.program import Program
from app.ui.schedule.timeline_layout import (
    Band,
    Curve,
    Layer,
    LayerKind,
    bands_in,
    basal_of,
    hour_step,
    outline_spans,
    shown,
    ticks,
)
from app.ui.schedule.timeline_scene import CENTRE, LEFT, RIGHT, SOFT, Scene, diamond, pen

_DASHES = (
    Qt.PenStyle.DashLine,
    Qt.PenStyle.DotLine,
    Qt.PenStyle.DashDotLine,
    Qt.PenStyle.DashDotDotLine,
    Qt.PenStyle.SolidLine,
)


def paint_back(painter: QPainter, scene: Scene, place: QRectF) -> None:
    """Everything behind the items, over the whole of ``place``."""
    painter.fillRect(place, QColor(scene.theme.surface))
    metrics = QFontMetricsF(painter.font())
    for layer in _of_kind(scene, LayerKind.BANDS):
        _paint_bands(painter, scene, metrics, layer.data)
    _paint_axes(painter, scene, metrics)
    _paint_hours(painter, scene, metrics)


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
        painter.setPen(pen(theme.hairline, 1))
        painter.drawLines([QLineF(box.topLeft(), box.bottomLeft()), QLineF(box.topRight(), box.bottomRight())])
    if scene.extent.week:
        return
    painter.setPen(QColor(theme.muted))
    for index, (name, low, high) in enumerate(found):
        following = found[index + 1][1] if index + 1 < len(found) else scene.extent.minutes
        left, right = ground.x(low) + scene.step / 2, ground.x(max(high, following) if following >= high else following)
        fitting = metrics.elidedText(name, Qt.TextElideMode.ElideRight, right - left - scene.step / 2)
        if len(fitting) > 1:
            painter.drawText(QRectF(left, top, right - left, metrics.height()), LEFT, fitting)


def _paint_axes(painter: QPainter, scene: Scene, metrics: QFontMetricsF) -> None:
    ground, theme = scene.ground, scene.theme
    line = metrics.height()
    painter.setPen(QColor(theme.muted))
    for title, top in ((scene.words.dose, ground.crown - 2 * line), (scene.words.rate, ground.ceiling - line)):
        painter.drawText(QRectF(scene.step, top - scene.step / 2, ground.right, line), LEFT, title)
    for top_value, y_of, high, low in (
        (ground.top_dose, ground.y_of_dose, ground.crown, ground.sill),
        (ground.top_rate, ground.y_of_rate, ground.ceiling, ground.floor),
    ):
        for value in ticks(top_value, int((low - high) / (1.8 * line))):
            y = round(y_of(value)) + 0.5
            painter.setPen(pen(theme.hairline if value else theme.edge, 1))
            painter.drawLine(QLineF(ground.left, y, ground.right, y))
            painter.setPen(QColor(theme.muted))
            painter.drawText(QRectF(0, y - line / 2, ground.left - scene.step / 2, line), RIGHT, shown(value))
    if any(_of_kind(scene, LayerKind.CURVE)):
        for value in ticks(ground.top_percent, int((ground.floor - ground.ceiling) / (1.8 * line))):
            place = QRectF(ground.right + scene.step / 2, ground.y_of_percent(value) - line / 2, 9 * scene.step, line)
            painter.drawText(place, LEFT, f"{shown(value)} %")


def _paint_hours(painter: QPainter, scene: Scene, metrics: QFontMetricsF) -> None:
    ground, theme, line = scene.ground, scene.theme, metrics.height()
    top = ground.floor + scene.step / 2
    day_width = ground.x(1440) - ground.left
    if scene.extent.week:
        for day, name in enumerate(scene.words.days):
            x = round(ground.x(day * 1440)) + 0.5
            painter.setPen(pen(theme.edge, 1))
            painter.drawLine(QLineF(x, ground.crown - 3 * line, x, ground.floor + scene.step / 2))
            painter.setPen(QColor(theme.text))
            painter.drawText(QRectF(x, ground.crown - 3 * line - scene.step / 2, day_width, line), CENTRE, name)
    step = hour_step(day_width / 24, metrics.horizontalAdvance("00:00") * (1.3 if scene.extent.week else 1.5))
    for minute in range(0, scene.extent.minutes + 1, step * 60):
        x = ground.x(minute)
        painter.setPen(pen(theme.edge, 1))
        painter.drawLine(QLineF(x, ground.floor, x, ground.floor + scene.step / 2))
        half = metrics.horizontalAdvance("00:00")
        painter.setPen(QColor(theme.muted))
        if step < 24:
            painter.drawText(QRectF(x - half, top, 2 * half, line), CENTRE, f"{minute // 60 % 24:02}:00")


def paint_curves(painter: QPainter, scene: Scene) -> None:
    for layer in _of_kind(scene, LayerKind.CURVE):
        if isinstance(layer.data, Curve):
            _paint_curve(painter, scene, layer.data)


def paint_outlines(painter: QPainter, scene: Scene) -> None:
    for layer in _of_kind(scene, LayerKind.OUTLINE):
        if isinstance(layer.data, Program):
            _paint_outline(painter, scene, layer.data, _style_of(scene, layer))


def _style_of(scene: Scene, layer: Layer) -> Qt.PenStyle:
    """Curves are solid; of several outlines each has dashes of its own."""
    if layer.kind is not LayerKind.OUTLINE:
        return Qt.PenStyle.SolidLine
    return _DASHES[list(_of_kind(scene, LayerKind.OUTLINE)).index(layer) % len(_DASHES)]


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
        fill.setAlpha(SOFT)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawPolygon(QPolygonF(points(curve.low, visible) + points(curve.high, reversed(visible))))
    painter.setPen(pen(scene.theme.good, 2))
    painter.drawPolyline(QPolygonF(points(curve.percent, visible)))
    painter.restore()


def _paint_outline(painter: QPainter, scene: Scene, program: Program, style: Qt.PenStyle) -> None:
    ground = scene.ground
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen(scene.theme.muted, 2, style))
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
            painter.setPen(pen(scene.theme.muted, 1.5))
            painter.drawPolygon(diamond(QPointF(x, box.top()), scene.step * 0.6))
            painter.setPen(pen(scene.theme.muted, 2, style))


def paint_legend(painter: QPainter, scene: Scene, metrics: QFontMetricsF) -> None:
    """Names with a sample of their lines, from the right: outlines above the boluses, curves above the rates."""
    ground, words, half = scene.ground, scene.words, (metrics.height() + scene.step) / 2
    rows = (
        (LayerKind.OUTLINE, words.dose, ground.crown - 2 * metrics.height() + half - scene.step),
        (LayerKind.CURVE, words.rate, ground.ceiling - half),
    )
    for kind, title, middle in rows:
        _paint_names(painter, scene, list(_of_kind(scene, kind)), metrics.horizontalAdvance(title), middle)


def _paint_names(painter: QPainter, scene: Scene, layers: Sequence[Layer], title: float, middle: float) -> None:
    """One row of the legend, beside a title that is so wide."""
    metrics, step, right = QFontMetricsF(painter.font()), scene.step, scene.ground.right
    room = right - title - 3 * step - len(layers) * 6 * step
    most = _share([metrics.horizontalAdvance(layer.name) for layer in layers], room)
    for layer in reversed(layers):
        name = metrics.elidedText(layer.name, Qt.TextElideMode.ElideRight, most)
        width, line = metrics.horizontalAdvance(name), metrics.height()
        painter.setPen(QColor(scene.theme.muted))
        painter.drawText(QRectF(right - width, middle - line / 2, width + 1, line), LEFT, name)
        right -= width + step / 2
        colour = scene.theme.muted if layer.kind is LayerKind.OUTLINE else scene.theme.good
        painter.setPen(pen(colour, 2, _style_of(scene, layer)))
        painter.drawLine(QLineF(right - 4 * step, middle, right, middle))
        right -= 5.5 * step


def _share(widths: Sequence[float], room: float) -> float:
    """The width to which names are cut so that all of them have room together; what is shorter stays whole."""
    left, count = room, len(widths)
    for width in sorted(widths):
        if width * count > left:
            return max(0.0, left / count)
        left, count = left - width, count - 1
    return room + 1
