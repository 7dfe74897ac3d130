"""How the items of the timeline look, and what the pointer and the keyboard are at.

Law: colour never speaks alone. Steps are hatched blocks, boluses stems with a diamond, the basal rate a plain filled
line, another program a dashed outline; what is selected is inverted and wears grips.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPolygonF, QRegion

from app.ui.schedule.timeline_back import paint_curves, paint_legend, paint_outlines
from app.ui.schedule.timeline_layout import Span, shown
from app.ui.schedule.timeline_scene import CENTRE, LEFT, SOFT, Pointing, Scene, diamond, pen

_Label = tuple[QRectF, str, Span]


def paint_items(painter: QPainter, scene: Scene, pointing: Pointing) -> None:
    """Layers, basal, steps and boluses."""
    metrics = QFontMetricsF(painter.font())
    _paint_basal(painter, scene)
    steps = [span for span in scene.spans if not span.is_bolus]
    boluses = [span for span in scene.spans if span.is_bolus]
    _paint_blocks(painter, scene, steps, pointing)
    for span in steps:
        _paint_step(painter, scene, span, pointing)
    paint_curves(painter, scene)
    paint_outlines(painter, scene)
    for span in boluses:
        _paint_bolus(painter, scene, span, pointing)
    for spans in (steps, boluses):
        _paint_labels(painter, scene, metrics, spans, pointing)
    paint_legend(painter, scene, metrics)


def paint_pointing(painter: QPainter, scene: Scene, pointing: Pointing) -> None:
    """Cursor, rubber band and the small label beside the pointer."""
    ground, theme = scene.ground, scene.theme
    if pointing.cursor is not None:
        x = ground.x(pointing.cursor)
        painter.setPen(pen(theme.text, 1, Qt.PenStyle.DashLine))
        painter.drawLine(QLineF(x, ground.crown, x, ground.floor))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.text))
        half = scene.step / 2
        painter.drawPolygon(QPolygonF([QPointF(x - half, ground.floor + half * 1.6), QPointF(x, ground.floor),
                                       QPointF(x + half, ground.floor + half * 1.6)]))  # fmt: skip
    if pointing.rubber is not None:
        fill = QColor(theme.accent)
        fill.setAlpha(SOFT)
        painter.setPen(pen(theme.accent, 1, Qt.PenStyle.DashLine))
        painter.setBrush(fill)
        painter.drawRect(pointing.rubber)
    if pointing.label and pointing.label_at is not None:
        _paint_label(painter, scene, QFontMetricsF(painter.font()), pointing, pointing.label_at)


# -- items ------------------------------------------------------------------------------------------------------------


def _paint_basal(painter: QPainter, scene: Scene) -> None:
    ground, theme = scene.ground, scene.theme
    fill = QColor(theme.muted)
    fill.setAlpha(SOFT)
    boxes = [
        QRectF(QPointF(ground.x(low), ground.y_of_rate(rate)), QPointF(ground.x(high), ground.floor))
        for low, high, rate in scene.basal
    ]
    _fill(painter, boxes, fill)
    painter.setPen(pen(theme.text, 2))
    painter.drawLines([QLineF(box.topLeft(), box.topRight()) for box in boxes])


def _paint_blocks(painter: QPainter, scene: Scene, steps: Sequence[Span], pointing: Pointing) -> None:
    """What fills the steps; those that are chosen lie on top."""
    theme = scene.theme
    for chosen, ink, fill in ((False, theme.accent, theme.selection), (True, theme.on_accent, theme.accent)):
        boxes = [scene.ground.box(span) for span in steps if (span.place in pointing.chosen) is chosen]
        _fill(painter, boxes, QColor(fill), QBrush(QColor(ink), Qt.BrushStyle.BDiagPattern))


def _fill(painter: QPainter, boxes: Sequence[QRectF], *brushes: QColor | QBrush) -> None:
    """All at once and on whole pixels, which is many times faster than one by one; lines then run along the edges."""
    region = QRegion()
    for box in boxes:
        region += box.toRect()
    painter.save()
    painter.setClipRegion(region)
    for brush in brushes:
        painter.fillRect(region.boundingRect(), brush)
    painter.restore()


def _paint_step(painter: QPainter, scene: Scene, span: Span, pointing: Pointing) -> None:
    theme, ground, box = scene.theme, scene.ground, scene.ground.box(span)
    chosen, hovered = span.place in pointing.chosen, span.place == pointing.hovered
    painter.setPen(pen(theme.accent_hover if hovered else theme.accent, 3 if hovered else 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(_open_ends(box, left=span.start < 0, right=span.end > ground.minutes))
    if chosen:
        middle = box.center().y()
        if span.start >= 0:
            _grip(painter, scene, QPointF(box.left(), middle))
        if span.end <= ground.minutes:
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
    painter.setPen(pen(colour, 4 if chosen or hovered else 2))
    painter.drawLine(QLineF(x, box.top(), x, ground.sill))
    painter.setPen(pen(theme.text if chosen else colour, 2))
    painter.setBrush(QColor(colour))
    painter.drawPolygon(diamond(head, scene.step * (0.95 if chosen or hovered else 0.7)))
    if chosen:
        painter.setPen(pen(theme.on_accent, 2))
        painter.drawPoint(head)
        _grip(painter, scene, QPointF(min(ground.right, ground.x(span.end)), ground.sill - bar / 2))


def _open_ends(box: QRectF, *, left: bool, right: bool) -> QPolygonF:
    """The edge of a block; open at an end beyond which it goes on."""
    points = [box.topLeft(), box.topRight()]
    if not left:
        points.insert(0, box.bottomLeft())
    if not right:
        points.append(box.bottomRight())
    return QPolygonF(points)


def _paint_labels(
    painter: QPainter, scene: Scene, metrics: QFontMetricsF, spans: Sequence[Span], pointing: Pointing
) -> None:
    """The number above each item if there is room for all of them; else only above what is pointed at."""
    heads = sorted((span for span in spans if span.start >= 0 or not span.is_bolus), key=lambda span: span.start)
    pointed = [span for span in heads if span.place in pointing.chosen or span.place == pointing.hovered]
    placed = _placed(scene, metrics, heads, room=True)
    crowded = placed is None
    if placed is None:
        placed = _placed(scene, metrics, pointed, room=False) or _placed(scene, metrics, pointed[:1], room=False) or []
    for place, text, span in placed:
        if crowded:
            painter.fillRect(place, QColor(scene.theme.surface))
        strong = span.place in pointing.chosen or not span.is_bolus
        painter.setPen(QColor(scene.theme.text if strong else scene.theme.muted))
        painter.drawText(place, CENTRE, text)


def _placed(scene: Scene, metrics: QFontMetricsF, spans: Sequence[Span], *, room: bool) -> list[_Label] | None:
    """Labels that do not touch each other or, with ``room``, other steps; ``None`` if they cannot all be placed."""
    if len(spans) * metrics.horizontalAdvance("0") > scene.ground.right - scene.ground.left:
        return None
    placed: list[_Label] = []
    boxes = [scene.ground.box(span) for span in spans if not span.is_bolus] if room else []
    for span in spans:
        rows = _rows(scene, metrics, span)
        taken = [*(other for other, _, _ in placed[-6:]), *boxes]
        free = next((row for row in rows if not any(row.intersects(other) for other in taken)), None)
        if free is None:
            return None
        placed.append((free, shown(span.value), span))
    return placed


def _rows(scene: Scene, metrics: QFontMetricsF, span: Span) -> list[QRectF]:
    """Where the label of an item may stand: above it, and for a bolus one line higher too."""
    ground, line = scene.ground, metrics.height()
    width = metrics.horizontalAdvance(shown(span.value)) + scene.step / 2
    box = ground.box(span)
    middle = ground.x(span.start) if span.is_bolus else box.center().x()
    foot = box.top() - (scene.step if span.is_bolus else 2)
    left = min(max(scene.step / 2, middle - width / 2), ground.right + scene.step - width)
    return [QRectF(left, foot - row * line, width, line) for row in ((1, 2) if span.is_bolus else (1,))]


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
    painter.setPen(pen(scene.theme.edge, 1))
    painter.setBrush(QColor(scene.theme.surface))
    painter.drawRoundedRect(QRectF(left, top, width, height), pad, pad)
    for row, text in enumerate(lines):
        refused = bool(pointing.label_error) and row == len(lines) - 1
        painter.setPen(QColor(scene.theme.error if refused else scene.theme.text))
        place = QRectF(left + pad, top + pad + row * metrics.height(), width, metrics.height())
        painter.drawText(place, LEFT, text)


def _grip(painter: QPainter, scene: Scene, centre: QPointF) -> None:
    side = scene.step * 0.8
    painter.setPen(pen(scene.theme.text, 2))
    painter.setBrush(QColor(scene.theme.surface))
    painter.drawRect(QRectF(centre.x() - side / 2, centre.y() - side / 2, side, side))
