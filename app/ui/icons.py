"""The program's own signs, drawn in whatever colour they are asked for.

Law: a sign repeats what a word beside it says; none stands alone without an accessible name.
"""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from app.resources import resource_path

NAMES = (
    "back",
    "battery",
    "calendar",
    "check",
    "clock",
    "drop",
    "emulator",
    "forward",
    "info",
    "lock",
    "not-applied",
    "person",
    "plug",
    "pump",
    "question",
    "report",
    "search",
    "stop",
    "syringe",
    "task",
    "unplug",
    "warning",
)
_SHARPEST = 3.0


def pixmap(name: str, colour: str, size: int, *, ratio: float = 1.0) -> QPixmap:
    """A sign as a square picture, ``size`` wide in logical pixels, for a screen of this pixel ratio."""
    drawn = QPixmap(QSize(1, 1) * round(size * ratio))
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    paint(painter, name, colour, QRectF(drawn.rect()))
    painter.end()
    drawn.setDevicePixelRatio(ratio)
    return drawn


def paint(painter: QPainter, name: str, colour: str, place: QRectF) -> None:
    """Draw a sign with a painter that is already open."""
    drawing = resource_path(f"icons/{name}.svg").read_text(encoding="utf-8").replace("currentColor", colour)
    QSvgRenderer(QByteArray(drawing.encode())).render(painter, place)


def icon(name: str, colour: str, size: int) -> QIcon:
    """A sign for a button or an entry of a list, sharp on every screen."""
    made = QIcon()
    ratio = 1.0
    while ratio <= _SHARPEST:
        made.addPixmap(pixmap(name, colour, size, ratio=ratio))
        ratio += 1
    return made
