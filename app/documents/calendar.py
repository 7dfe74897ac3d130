"""An ``.ics`` file with whole days, for any calendar program.

Law: RFC 5545 to the letter: CRLF, lines of at most 75 octets folded between characters, and text escaped. The file
changes as a whole or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.models.calendar_entry import CalendarEntry, CalendarNotWrittenError

_LONGEST_LINE = 75
"""Octets, without the line's end."""


def calendar_text(entries: Sequence[CalendarEntry], written_at: datetime) -> str:
    """The whole file. ``written_at`` is converted to UTC."""
    return "".join(f"{folded}\r\n" for line in _lines(entries, written_at) for folded in _folded(line))


def write_calendar(entries: Sequence[CalendarEntry], path: Path, written_at: datetime) -> None:
    """Write beside and rename. Raises: CalendarNotWrittenError."""
    beside = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(calendar_text(entries, written_at).encode())
        os.replace(beside, path)
    except OSError as error:
        raise CalendarNotWrittenError(file=str(path), problem=error.strerror or str(error)) from None


def _lines(entries: Sequence[CalendarEntry], written_at: datetime) -> Iterator[str]:
    yield from ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Cisterna//Refill dates//EN", "CALSCALE:GREGORIAN")
    for entry in entries:
        yield "BEGIN:VEVENT"
        yield f"UID:{_escaped(entry.uid)}@cisterna.invalid"
        yield f"DTSTAMP:{written_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        yield f"DTSTART;VALUE=DATE:{entry.on:%Y%m%d}"
        yield f"DTEND;VALUE=DATE:{entry.on + timedelta(days=1):%Y%m%d}"
        yield f"SUMMARY:{_escaped(entry.summary)}"
        if entry.description:
            yield f"DESCRIPTION:{_escaped(entry.description)}"
        yield "CLASS:CONFIDENTIAL"
        yield "TRANSP:TRANSPARENT"
        yield "END:VEVENT"
    yield "END:VCALENDAR"


def _escaped(text: str) -> str:
    """A TEXT value: backslash, semicolon, comma and line ends escaped, other control characters left out."""
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\r", "\\n"), ("\n", "\\n")):
        text = text.replace(plain, escaped)
    return "".join(letter for letter in text if letter == "\t" or (letter >= " " and letter != "\x7f"))


def _folded(line: str) -> Iterator[str]:
    """The line in pieces of at most 75 octets, each but the first beginning with one space; no character is cut."""
    piece, octets = "", 0
    for letter in line:
        size = len(letter.encode())
        if octets + size > _LONGEST_LINE:
            yield piece
            piece, octets = " ", 1
        piece, octets = piece + letter, octets + size
    yield piece
