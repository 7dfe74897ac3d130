"""The emergency sheet as one A4 page.

Law: everything on the page is text from the sheet and the catalogue; a ticked sign is printed ticked, and nowhere else
kept. Every step names its dose, and the foot the sources.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape
from pathlib import Path

from PySide6.QtGui import QPageSize

from app.models.emergency import Danger, EmergencyBook, EmergencySheet, Happening, Measure, Sign, Toxidrome
from app.models.report import ReportRow
from app.ui.one_page_pdf import ACCENT, GREY, INK, RED, Page, write_page

_SIZES = (10.0, 9.5, 9.0, 8.5, 8.0, 7.5, 7.0, 6.5, 6.0)
_LINE = "_" * 26


def write_sheet(sheet: EmergencySheet, book: EmergencyBook, ticked: Collection[str], path: Path) -> None:
    """Write ``sheet`` to ``path`` as one A4 page; ``ticked`` names signs. Raises: PageNotWrittenError."""
    write_page(
        Page(
            title="Emergency sheet",
            paper=QPageSize.PageSizeId.A4,
            margins_mm=(13, 11, 13, 9),
            sizes=_SIZES,
            html=lambda size: _html(sheet, book, ticked, size),
            foot="\n".join((*_sources(book), sheet.footer)),
            emulated=sheet.emulated,
        ),
        path,
    )


def _sources(book: EmergencyBook) -> list[str]:
    named = (("Overdose", book.overdose), ("Withdrawal", book.withdrawal))
    lines = [f"Sources, {name.lower()}: {'; '.join(found.sources())}." for name, found in named]
    return [*lines, "* unverified default: not yet checked against its primary source."]


def _html(sheet: EmergencySheet, book: EmergencyBook, ticked: Collection[str], size: float) -> str:
    phone = escape(sheet.phone) if sheet.phone else _LINE
    alerts = "".join(f"<div class='alert'>{escape(alert)}</div>" for alert in sheet.alerts)
    return "".join(
        (
            f"<style>{_style_sheet(size)}</style><body>",
            "<table width='100%' cellspacing='0' cellpadding='0'><tr>",
            f"<td width='34%'><div class='title'>Emergency sheet</div><div>Clinic: {phone}</div></td>",
            f"<td align='right'><div class='big'>{escape(sheet.patient)}</div>",
            f"<div class='muted'>{escape(sheet.subtitle)}</div></td></tr></table><hr/>",
            alerts,
            _facts(sheet.facts),
            f"<div>{escape(sheet.program)}</div>",
            "<table width='100%' cellspacing='0' cellpadding='4'><tr>",
            f"<td width='50%' valign='top'>{_column(book.overdose, ticked)}</td>",
            f"<td width='50%' valign='top'>{_column(book.withdrawal, ticked)}</td></tr></table>",
            _happenings(sheet.happenings, sheet.days),
            "</body>",
        )
    )


def _style_sheet(size: float) -> str:
    return (
        f"body, td, p, li, div {{ font-size: {size}pt; color: {INK}; }}"
        f".title {{ font-size: {size * 1.7}pt; font-weight: 600; }}"
        f".big {{ font-size: {size * 1.3}pt; font-weight: 600; }} .strong {{ font-weight: 600; }}"
        f".heading {{ font-size: {size * 1.2}pt; font-weight: 600; color: {ACCENT}; }}"
        f".alert {{ font-weight: 600; color: {RED}; }} .muted {{ color: {GREY}; }}"
    )


def _facts(rows: Sequence[ReportRow]) -> str:
    """Two facts a line."""
    cells = [
        f"<td width='17%' class='muted'>{escape(row.label)}</td><td width='33%' class='strong'>{escape(row.value)}</td>"
        for row in rows
    ]
    lines = ("".join(cells[place : place + 2]) for place in range(0, len(cells), 2))
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table width='100%' cellspacing='0' cellpadding='1'>{body}</table>"


def _column(found: Toxidrome, ticked: Collection[str]) -> str:
    danger = found.danger(ticked)
    verdict = f"<div class='alert'>{escape(found.words(danger))}</div>" if danger is not Danger.NONE else ""
    grave = [sign for sign in found.signs if sign.grave]
    other = [sign for sign in found.signs if not sign.grave]
    return "".join(
        (
            f"<div class='heading'>{escape(found.title)}</div>{verdict}",
            _small("Any of these: possible"),
            *(_sign(sign, ticked) for sign in other),
            _small("Any of these: EMERGENCY"),
            *(_sign(sign, ticked) for sign in grave),
            _small("What to do"),
            *(f"<div>{number}. {_measure(step)}</div>" for number, step in enumerate(found.steps, 1)),
            *(f"<div class='muted'>{_measure(note)}</div>" for note in found.notes),
        )
    )


def _small(text: str) -> str:
    return f"<div class='strong' style='margin-top: 4px'>{escape(text)}</div>"


def _sign(sign: Sign, ticked: Collection[str]) -> str:
    box = "[x]" if sign.name in ticked else "[ &nbsp;]"
    hint = f" {sign.hint}*" if sign.hint else ""
    text = f"{sign.detail}{_star(sign.verified)}"
    return f"<div>{box} {escape(text[:1].upper() + text[1:])}{'.' if hint else ''}{escape(hint)}</div>"


def _measure(measure: Measure) -> str:
    dose = f": <span class='strong'>{escape(measure.dose)}</span>" if measure.dose else ""
    return f"{escape(measure.text)}{dose}{_star(measure.verified)}"


def _star(verified: bool) -> str:
    return "" if verified else "*"


def _happenings(happenings: Sequence[Happening], days: int) -> str:
    rows = "".join(
        f"<tr><td width='19%'>{escape(one.at)}</td><td width='17%' class='{'strong' if one.grave else ''}'>"
        f"{'! ' if one.grave else ''}{escape(one.what)}</td><td>{escape(one.words)}</td></tr>"
        for one in happenings
    )
    if not rows:
        rows = "<tr><td>Nothing is on record.</td></tr>"
    return (
        f"<div class='heading'>What was done last: {days} days, latest first</div>"
        f"<table width='100%' cellspacing='0' cellpadding='1'>{rows}</table>"
        "<div class='muted'>Scans, tablets and what other clinics did are not on record here: ask.</div>"
    )
