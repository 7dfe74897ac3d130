"""The patient's card as one A5 page in large type.

Law: everything on the page is text from :class:`app.models.patient_card.PatientCard`; nothing is computed here but
positions. A number that is not known is a line to write on, never an empty place.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from PySide6.QtGui import QPageSize

from app.models.patient_card import CardSigns, PatientCard
from app.models.report import ReportRow
from app.ui.one_page_pdf import ACCENT, GREY, INK, RED, Page, write_page

_SIZES = (10.0, 9.5, 9.0, 8.5, 8.0, 7.5, 7.0, 6.5)
_LINE = "_" * 26


def write_card(card: PatientCard, path: Path) -> None:
    """Write ``card`` to ``path`` as one A5 page with selectable text. Raises: PageNotWrittenError."""
    write_page(
        Page(
            title=card.title,
            paper=QPageSize.PageSizeId.A5,
            margins_mm=(9, 8, 9, 7),
            sizes=_SIZES,
            html=lambda size: _html(card, size),
            foot=card.footer,
            emulated=card.emulated,
        ),
        path,
    )


def _html(card: PatientCard, size: float) -> str:
    return "".join(
        (
            f"<style>{_style_sheet(size)}</style><body>",
            "<table width='100%' cellspacing='0' cellpadding='0'><tr>",
            f"<td width='30%'><div class='title'>{escape(card.title)}</div></td>",
            f"<td align='right'><div class='big'>{escape(card.patient)}</div>",
            f"<div class='muted'>{escape(card.subtitle)}</div></td></tr></table>",
            _dates(card.dates),
            f"<div class='muted'>{escape(card.computed)}</div>",
            _call(card),
            "<table width='100%' cellspacing='0' cellpadding='3'><tr>",
            f"<td width='50%' valign='top'>{_signs(card.withdrawal)}</td>",
            f"<td width='50%' valign='top'>{_signs(card.overdose)}</td></tr></table>",
            _alarms(card),
            _heading("What the pump gives"),
            _facts(card.facts),
            f"<div>{escape(card.program)}</div></body>",
        )
    )


def _style_sheet(size: float) -> str:
    return (
        f"body, td, p, li, div {{ font-size: {size}pt; color: {INK}; }}"
        f".title {{ font-size: {size * 1.9}pt; font-weight: 600; }}"
        f".big {{ font-size: {size * 1.25}pt; font-weight: 600; }} .strong {{ font-weight: 600; }}"
        f".heading {{ font-size: {size * 1.1}pt; font-weight: 600; color: {ACCENT}; margin-top: 6px; }}"
        f".call {{ font-size: {size * 1.5}pt; font-weight: 600; color: {RED}; }}"
        f".muted {{ color: {GREY}; font-size: {size * 0.9}pt; }}"
    )


def _heading(text: str) -> str:
    return f"<div class='heading'>{escape(text)}</div>"


def _dates(rows: tuple[ReportRow, ...]) -> str:
    cells = "".join(
        f"<td width='{100 // len(rows)}%' valign='top'><div class='muted'>{escape(row.label)}</div>"
        f"<div class='big'>{escape(row.value)}</div></td>"
        for row in rows
    )
    return f"<hr/><table width='100%' cellspacing='0' cellpadding='2'><tr>{cells}</tr></table>"


def _call(card: PatientCard) -> str:
    number = escape(card.phone) if card.phone else _LINE
    return f"<p class='call'>Emergency number: {number}</p><div class='strong'>{escape(card.what_to_do)}</div>"


def _signs(signs: CardSigns) -> str:
    lines = [f"<li>{escape(sign)}</li>" for sign in signs.signs]
    lines += [f"<li class='strong'>{escape(sign)}</li>" for sign in signs.grave]
    return f"{_heading(signs.title)}<ul style='margin: 0 0 0 -20px'>{''.join(lines)}</ul>"


def _alarms(card: PatientCard) -> str:
    if not card.alarms:
        return f"{_heading('If the pump sounds')}<div>{escape(card.alarm_words)}</div>"
    rows = "".join(
        f"<tr><td width='36%' class='strong'>{escape(alarm.tone)}</td>"
        f"<td>{escape(alarm.meaning)} {escape(alarm.what_to_do)}</td></tr>"
        for alarm in card.alarms
    )
    return f"{_heading('If the pump sounds')}<table width='100%' cellspacing='0' cellpadding='1'>{rows}</table>"


def _facts(rows: tuple[ReportRow, ...]) -> str:
    """Two facts a line."""
    cells = [
        f"<td width='18%' class='muted'>{escape(row.label)}</td><td width='32%'>{escape(row.value)}</td>"
        for row in rows
    ]
    lines = ("".join(cells[place : place + 2]) for place in range(0, len(cells), 2))
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table width='100%' cellspacing='0' cellpadding='1'>{body}</table>"
