"""The refill report as one PDF page.

Law: everything on the page is text from :class:`app.models.report.RefillReport`; nothing is computed here
but positions. A report that does not fit on one page is set smaller, then drawn smaller, never cut.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from PySide6.QtCore import QLineF, QMarginsF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QPageLayout, QPageSize, QPainter, QPdfWriter, QTextDocument

from app.models.errors import AppError
from app.models.report import RefillReport, ReportSection

_INK, _GREY, _HAIR, _ACCENT, _MARK = "#1b1f24", "#56606b", "#c9ced6", "#0b5cad", "#b4530a"
_DPI = 300
_POINT = _DPI / 72
_BODY_SIZES = (8.6, 8.0, 7.4, 6.8, 6.2, 5.7)
_BARS_HEIGHT = 46 * _POINT
_FOOT_HEIGHT = 12 * _POINT


class ReportNotWrittenError(AppError):
    """The report could not be written to ``path``."""


def write_report(report: RefillReport, path: Path) -> None:
    """Write ``report`` to ``path`` as one A4 page with selectable text.

    Raises:
        ReportNotWrittenError: the file cannot be written.
    """
    writer = QPdfWriter(str(path))
    writer.setResolution(_DPI)
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    writer.setPageMargins(QMarginsF(14, 11, 14, 10), QPageLayout.Unit.Millimeter)
    writer.setTitle(report.title)
    writer.setCreator("Cisterna")
    painter = QPainter()
    if not painter.begin(writer):
        raise ReportNotWrittenError(path=str(path))
    try:
        _draw(report, painter, QSizeF(writer.width(), writer.height()))
    finally:
        painter.end()


def _draw(report: RefillReport, painter: QPainter, page: QSizeF) -> None:
    room = page.height() - _FOOT_HEIGHT - (_BARS_HEIGHT if report.hours else 0)
    document = QTextDocument()
    document.documentLayout().setPaintDevice(painter.device())
    document.setDocumentMargin(0)
    for size in _BODY_SIZES:
        document.setDefaultFont(_font(1))
        document.setDefaultStyleSheet(_style_sheet(size))
        document.setHtml(_html(report))
        document.setTextWidth(page.width())
        if document.size().height() <= room:
            break
    if report.emulated:
        _draw_mark(painter, page)
    height = document.size().height()
    painter.save()
    smaller = min(1.0, room / height)
    painter.scale(smaller, smaller)
    document.drawContents(painter)
    painter.restore()
    if report.hours:
        top = min(height, room) + 6 * _POINT
        _draw_hours(report.hours, painter, QRectF(0, top, page.width(), _BARS_HEIGHT - 6 * _POINT))
    painter.setFont(_font(6.5))
    painter.setPen(QColor(_GREY))
    painter.drawText(
        QRectF(0, page.height() - _FOOT_HEIGHT, page.width(), _FOOT_HEIGHT), Qt.AlignmentFlag.AlignBottom, report.footer
    )


# Glyphs that a font chooses for the look (figures of one width, slashed zero, a hyphen between digits) have no
# letter behind them, and a reader of the file would copy something else than stands there.
_PLAIN = ("tnum", "zero", "calt", "ccmp", "case")


def _font(points: float, *, bold: bool = False) -> QFont:
    font = QFont(QFont().family())
    for feature in _PLAIN:
        font.setFeature(QFont.Tag(feature), 0)
    font.setPointSizeF(points)
    font.setBold(bold)
    return font


def _style_sheet(size: float) -> str:
    return (
        f"body, td, th, p, li, div {{ font-size: {size}pt; color: {_INK}; }}"
        f".title {{ font-size: {size * 1.6}pt; font-weight: 600; }}"
        f".heading {{ font-size: {size * 1.08}pt; font-weight: 600; color: {_ACCENT}; }}"
        f".big {{ font-size: {size * 1.35}pt; font-weight: 600; }} .muted {{ color: {_GREY}; }}"
    )


def _html(report: RefillReport) -> str:
    return "".join(
        (
            "<body>",
            "<table width='100%' cellspacing='0' cellpadding='0'><tr>",
            f"<td><div class='title'>{escape(report.title)}</div><div class='big'>{escape(report.patient)}</div>",
            f"<div class='muted'>{escape(report.subtitle)}</div></td>",
            f"<td align='right' class='big'>{escape(report.outcome)}</td></tr></table><hr/>",
            _columns(report.sections),
            _changes(report),
            _overrides(report),
            "<p>&nbsp;<br/>Signature ____________________________________ &nbsp; Date ____________________</p>",
            _heading("Dose by hour of the day, mcg") if report.hours else "",
            "</body>",
        )
    )


def _heading(text: str) -> str:
    return f"<div class='heading'>{escape(text)}</div>"


def _columns(sections: tuple[ReportSection, ...]) -> str:
    """Sections in two columns, filled by the number of their rows."""
    total = sum(len(section.rows) + 2 for section in sections)
    columns = ["", ""]
    placed = 0
    for section in sections:
        columns[0 if placed < total / 2 else 1] += _section(section)
        placed += len(section.rows) + 2
    cells = "".join(f"<td width='50%' valign='top'>{column}</td>" for column in columns)
    return f"<table width='100%' cellspacing='0' cellpadding='4'><tr>{cells}</tr></table>"


def _section(section: ReportSection) -> str:
    rows = "".join(
        f"<tr><td width='38%' class='muted'>{escape(row.label)}</td><td>{escape(row.value)}</td></tr>"
        for row in section.rows
    )
    return _heading(section.title) + f"<table width='100%' cellspacing='0' cellpadding='2'>{rows}</table>"


def _changes(report: RefillReport) -> str:
    if not report.changes:
        return ""
    heads = "".join(f"<th align='left'>{head}</th>" for head in ("Item", "Before", "In the pump now", "Change"))
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in (line.item, line.old, line.new, line.change)) + "</tr>"
        for line in report.changes
    )
    return _heading("Program") + f"<table width='100%' cellspacing='0' cellpadding='2'><tr>{heads}</tr>{rows}</table>"


def _overrides(report: RefillReport) -> str:
    if not report.overrides:
        return ""
    lines = "".join(f"<li>{escape(line)}</li>" for line in report.overrides)
    return _heading("Warnings shown and accepted with a reason") + f"<ul>{lines}</ul>"


def _draw_mark(painter: QPainter, page: QSizeF) -> None:
    painter.save()
    painter.setFont(_font(52, bold=True))
    colour = QColor(_MARK)
    colour.setAlphaF(0.10)
    painter.setPen(colour)
    painter.translate(page.width() / 2, page.height() / 2)
    painter.rotate(-38)
    painter.drawText(QRectF(-page.width(), -page.height() / 8, page.width() * 2, page.height() / 4),
                     Qt.AlignmentFlag.AlignCenter, "EMULATED PUMP")  # fmt: skip
    painter.restore()


def _draw_hours(hours: tuple[str, ...], painter: QPainter, area: QRectF) -> None:
    """Twenty-four bars on a base line; the largest carries its number."""
    heights = [float(text) for text in hours]
    top = max(heights) or 1.0
    step = area.width() / len(heights)
    label = 8 * _POINT
    base = area.bottom() - label
    room = area.height() - 2 * label
    painter.setFont(_font(6))
    for hour, value in enumerate(heights):
        left, height = area.left() + hour * step, room * value / top
        painter.fillRect(QRectF(left + step * 0.08, base - height, step * 0.84, height), QColor(_ACCENT))
        painter.setPen(QColor(_GREY))
        painter.drawText(QRectF(left, base, step, label), Qt.AlignmentFlag.AlignCenter, f"{hour:02d}")
    painter.setPen(QColor(_HAIR))
    painter.drawLine(QLineF(area.left(), base, area.right(), base))
    peak = heights.index(max(heights))
    painter.setPen(QColor(_INK))
    above = QRectF(area.left() + (peak - 1) * step, base - room - label, step * 3, label)
    painter.drawText(above, Qt.AlignmentFlag.AlignCenter, hours[peak])
