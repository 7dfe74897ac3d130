"""A whole day for somebody's calendar.

Law: it names a patient by number only; calendars are read by many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from app.models.errors import AppError


class CalendarNotWrittenError(AppError):
    """The calendar could not be written to ``file``; ``problem`` says why."""


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """``uid`` stays the same when the same day is written again, so that a calendar replaces it."""

    uid: str
    on: date
    summary: str
    description: str = ""


WriteCalendar = Callable[[Sequence[CalendarEntry], Path, datetime], None]
"""Writes entries to a file, with the moment of writing in UTC. Raises: CalendarNotWrittenError."""
