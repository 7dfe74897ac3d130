"""What the painters of the timeline share: what is to be seen, and what the pointer is at.

Law: a scene holds everything that a picture needs; a painter asks nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPen, QPolygonF

from app.models.editing import Place
from app.ui.schedule.timeline_layout import Extent, Ground, Layer, Span
from app.ui.theme import Theme

RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
CENTRE = Qt.AlignmentFlag.AlignCenter
SOFT = 56
"""Opacity of what one sees through, of 255."""


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


def pen(colour: str, width: float, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    return QPen(QBrush(QColor(colour)), width, style, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.MiterJoin)


def diamond(centre: QPointF, half: float) -> QPolygonF:
    across, up = QPointF(half, 0), QPointF(0, half)
    return QPolygonF([centre - up, centre + across, centre + up, centre - across])
