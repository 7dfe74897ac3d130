"""One page of text as a PDF: set smaller until it fits, and drawn smaller if even that is not enough.

Law: a page is never cut and never runs into a second one; its text can be selected and read back as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QMarginsF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QPageLayout, QPageSize, QPainter, QPdfWriter, QTextDocument

from app.models.errors import AppError

INK, GREY, ACCENT, RED = "#1b1f24", "#56606b", "#0b5cad", "#9a100b"
_MARK = "#b4530a"
_DPI = 300
_POINT = _DPI / 72
_FOOT_POINTS = 6.5
# As in the refill report: glyphs chosen for the look have no letter behind them.
_PLAIN = ("tnum", "zero", "calt", "ccmp", "case")


class PageNotWrittenError(AppError):
    """The page could not be written to ``path``."""


@dataclass(frozen=True, slots=True)
class Page:
    """What is written: ``html`` by the size of its type in points, tried in the order of ``sizes``.

    ``margins_mm`` are left, top, right, bottom. ``emulated`` prints a standing mark.
    """

    title: str
    paper: QPageSize.PageSizeId
    margins_mm: tuple[int, int, int, int]
    sizes: Sequence[float]
    html: Callable[[float], str]
    foot: str
    emulated: bool


def write_page(page: Page, path: Path) -> None:
    """Write ``page`` to ``path``. Raises: PageNotWrittenError."""
    writer = QPdfWriter(str(path))
    writer.setResolution(_DPI)
    writer.setPageSize(QPageSize(page.paper))
    writer.setPageMargins(QMarginsF(*page.margins_mm), QPageLayout.Unit.Millimeter)
    writer.setTitle(page.title)
    writer.setCreator("Cisterna")
    painter = QPainter()
    if not painter.begin(writer):
        raise PageNotWrittenError(path=str(path))
    try:
        _draw(page, painter, QSizeF(writer.width(), writer.height()))
    finally:
        painter.end()


def _draw(page: Page, painter: QPainter, area: QSizeF) -> None:
    painter.setFont(plain_font(_FOOT_POINTS))
    foot = painter.boundingRect(
        QRectF(0, 0, area.width(), area.height()), _FOOT_FLAGS | Qt.AlignmentFlag.AlignTop, page.foot
    )
    room = area.height() - foot.height() - 4 * _POINT
    document = QTextDocument()
    document.documentLayout().setPaintDevice(painter.device())
    document.setDocumentMargin(0)
    for size in page.sizes:
        document.setDefaultFont(plain_font(size))
        document.setHtml(page.html(size))
        document.setTextWidth(area.width())
        if document.size().height() <= room:
            break
    if page.emulated:
        _draw_mark(painter, area)
    painter.save()
    smaller = min(1.0, room / document.size().height())
    painter.scale(smaller, smaller)
    document.drawContents(painter)
    painter.restore()
    painter.setFont(plain_font(_FOOT_POINTS))
    painter.setPen(QColor(GREY))
    painter.drawText(QRectF(0, 0, area.width(), area.height()), _FOOT_FLAGS | Qt.AlignmentFlag.AlignBottom, page.foot)


_FOOT_FLAGS = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft


def plain_font(points: float, *, bold: bool = False) -> QFont:
    """The window's typeface without what only looks: its text can be read back."""
    font = QFont(QFont().family())
    for feature in _PLAIN:
        font.setFeature(QFont.Tag(feature), 0)
    font.setPointSizeF(points)
    font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return font


def _draw_mark(painter: QPainter, area: QSizeF) -> None:
    painter.save()
    painter.setFont(plain_font(area.width() / _POINT / 11, bold=True))
    colour = QColor(_MARK)
    colour.setAlphaF(0.10)
    painter.setPen(colour)
    painter.translate(area.width() / 2, area.height() / 2)
    painter.rotate(-50)
    painter.drawText(
        QRectF(-area.width(), -area.height() / 8, area.width() * 2, area.height() / 4),
        Qt.AlignmentFlag.AlignCenter,
        "EMULATED PUMP",
    )
    painter.restore()
