"""Days and moments as people read and type them.

Law: a typed day is taken only in a form that cannot be mistaken: ``14 Mar 2026``, ``2026-03-14`` or ``20260314``. Eight
digits with the year last are none of these: a year of our time would stand where the month does.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAY_HINT = "Like 14 Mar 1979 or 1979-03-14."
MOMENT_HINT = "Like 13:45 for today, or 14 Mar 2026 13:45."
_SPACE = "\u00a0"


def show_day(day: date | None) -> str:
    """``14 Mar 2026``; ``unknown`` for none."""
    return "unknown" if day is None else f"{day.day}{_SPACE}{MONTHS[day.month - 1]}{_SPACE}{day.year}"


def show_moment(at: datetime | None) -> str:
    """``14 Mar 2026 06:05``."""
    return "unknown" if at is None else f"{show_day(at.date())} {at:%H:%M}"


def parse_day(text: str) -> date | None:
    """The day that ``text`` names, or ``None``."""
    text = " ".join(text.replace(_SPACE, " ").split())
    iso = re.fullmatch(r"([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})", text)
    named = re.fullmatch(r"([0-9]{1,2}) ([A-Za-z]{3}) ([0-9]{4})", text)
    try:
        if iso:
            return date(int(iso[1]), int(iso[3]), int(iso[4]))
        if named and named[2].capitalize() in MONTHS:
            return date(int(named[3]), MONTHS.index(named[2].capitalize()) + 1, int(named[1]))
    except ValueError:
        return None
    return None


def parse_moment(text: str, today: date) -> datetime | None:
    """The moment that ``13:45`` (of ``today``) or ``14 Mar 2026 13:45`` names, without offset, or ``None``."""
    found = re.fullmatch(r"(.*?)\s*\b([0-9]{1,2}):([0-9]{2})", text.replace(_SPACE, " ").strip())
    if found is None or int(found[2]) > 23 or int(found[3]) > 59:
        return None
    day = parse_day(found[1]) if found[1] else today
    return None if day is None else datetime.combine(day, time(int(found[2]), int(found[3])))
