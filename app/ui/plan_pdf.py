"""A signed plan as a PDF.

Law: everything on paper is text from :class:`app.services.plan_text.PrintedPlan`; nothing is computed here but
positions. Every page carries the order's digest, and a line is never cut between two pages.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from PySide6.QtCore import QMarginsF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QPageLayout, QPageSize, QPainter, QPdfWriter, QTextDocument

from app.models.errors import AppError
from app.models.report import ReportSection
from app.services.plan_text import PrintedPlan

_INK, _GREY, _ACCENT = "#1b1f24", "#56606b", "#0b5cad"
_DPI = 300
_POINT = _DPI / 72
_SIZE = 8.6
_FOOT_HEIGHT = 26 * _POINT
_HEADS = ("Days", "Time", "What", "Dose", "Lasts, or hourly")
_WIDTHS = (24, 19, 23, 17, 17)
"""No row needs a second line, which a page's end could cut off; in per cent."""
# As in the refill report: glyphs chosen for the look have no letter behind them.
_PLAIN = ("tnum", "zero", "calt", "ccmp", "case")


class PlanNotWrittenError(AppError):
    """The plan could not be written to ``path``."""


def write_plan(plan: PrintedPlan, path: Path) -> None:
    """Write ``plan`` to ``path`` as A4 pages with selectable text. Raises: PlanNotWrittenError."""
    writer = QPdfWriter(str(path))
    writer.setResolution(_DPI)
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    writer.setPageMargins(QMarginsF(16, 13, 16, 11), QPageLayout.Unit.Millimeter)
    writer.setTitle(plan.title)
    writer.setCreator("Cisterna")
    painter = QPainter()
    if not painter.begin(writer):
        raise PlanNotWrittenError(path=str(path))
    try:
        _draw(plan, writer, painter)
    finally:
        painter.end()


def _draw(plan: PrintedPlan, writer: QPdfWriter, painter: QPainter) -> None:
    page = QSizeF(writer.width(), writer.height())
    room = QSizeF(page.width(), page.height() - _FOOT_HEIGHT)
    document = _document(plan, painter, room)
    pages = document.pageCount()
    # What begins exactly where a page ends would be drawn on both, unseen but not unread; hence one dot less.
    shown = QSizeF(room.width(), room.height() - 1)
    for number in range(pages):
        if number:
            writer.newPage()
        painter.save()
        painter.translate(0, -number * room.height())
        document.drawContents(painter, QRectF(QPointF(0, number * room.height()), shown))
        painter.restore()
        _draw_foot(plan, painter, page, f"Page {number + 1} of {pages}")


def _document(plan: PrintedPlan, painter: QPainter, room: QSizeF) -> QTextDocument:
    document = QTextDocument()
    document.documentLayout().setPaintDevice(painter.device())
    document.setDocumentMargin(0)
    document.setDefaultFont(_font(_SIZE))
    document.setDefaultStyleSheet(_style_sheet())
    document.setHtml(_html(plan))
    document.setPageSize(room)
    return document


def _draw_foot(plan: PrintedPlan, painter: QPainter, page: QSizeF, numbered: str) -> None:
    painter.setPen(QColor(_GREY))
    painter.setFont(_font(6.5))
    foot = QRectF(0, page.height() - _FOOT_HEIGHT, page.width(), _FOOT_HEIGHT)
    lines = f"Digest {plan.digest}\n{plan.patient} · {numbered} · {plan.footer}"
    painter.drawText(foot, Qt.AlignmentFlag.AlignBottom, lines)


def _font(points: float) -> QFont:
    font = QFont(QFont().family())
    for feature in _PLAIN:
        font.setFeature(QFont.Tag(feature), 0)
    font.setPointSizeF(points)
    return font


def _style_sheet() -> str:
    # The bundled font has no other weights; what is bolder is drawn twice, and a reader of the file finds it twice.
    return (
        f"body, td, p, li, div {{ font-size: {_SIZE}pt; color: {_INK}; }}"
        f".title {{ font-size: {_SIZE * 1.7}pt; font-weight: 600; }} .big {{ font-size: {_SIZE * 1.3}pt; }}"
        f".standing {{ font-size: {_SIZE * 1.3}pt; font-weight: 600; }} .head {{ font-weight: 600; }}"
        f".heading {{ font-size: {_SIZE * 1.1}pt; font-weight: 600; color: {_ACCENT}; margin-top: 8px; }}"
        f".muted {{ color: {_GREY}; }}"
    )


def _html(plan: PrintedPlan) -> str:
    return "".join(
        (
            f"<body><div class='title'>{escape(plan.title)}</div>",
            f"<div class='big'>{escape(plan.patient)}, {escape(plan.subtitle)}</div>",
            f"<div class='standing'>{escape(plan.standing)}</div><hr/>",
            *(_section(section) for section in plan.sections[:-1]),
            _heading("Program"),
            f"<p>{escape(plan.sentence)}</p>",
            _table(plan),
            *(_section(section) for section in plan.sections[-1:]),
            _findings(plan),
            "</body>",
        )
    )


def _heading(text: str) -> str:
    return f"<div class='heading'>{escape(text)}</div>"


def _section(section: ReportSection) -> str:
    rows = "".join(
        f"<tr><td width='30%' class='muted'>{escape(row.label)}</td><td>{escape(row.value)}</td></tr>"
        for row in section.rows
    )
    return _heading(section.title) + f"<table width='100%' cellspacing='0' cellpadding='1'>{rows}</table>"


def _table(plan: PrintedPlan) -> str:
    heads = "".join(
        f"<td class='head' width='{width}%'>{head}</td>" for head, width in zip(_HEADS, _WIDTHS, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(f"<td>{escape(text)}</td>" for text in (row.days, row.time, row.what, row.dose, row.lasting))
        + "</tr>"
        for row in plan.table
    )
    return f"<table width='100%' cellspacing='0' cellpadding='1'><thead><tr>{heads}</tr></thead>{rows}</table>"


def _findings(plan: PrintedPlan) -> str:
    if not plan.findings:
        return ""
    lines = "".join(f"<li>{escape(line)}</li>" for line in plan.findings)
    return _heading("Said by the rules when it was signed") + f"<ul>{lines}</ul>"
