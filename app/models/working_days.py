"""On which days a clinic works: the weekend, and the public holidays of its country and region.

Law: the region was chosen by somebody; without one only Saturday and Sunday are free. A day of which nothing is known
counts as a working day.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from app.models.errors import AppError

WEEKEND = "weekend"
SATURDAY_AND_SUNDAY = frozenset({5, 6})

WhyFree = Callable[[date], str | None]
"""Why a day is no working day: :data:`WEEKEND` or the holiday's name; ``None`` for a working day."""


class UnknownRegionError(AppError):
    """There is no country or region of that ``code``."""


@dataclass(frozen=True, slots=True)
class Region:
    """A country (``DE``) or a part of one (``DE-BY``), with its name for people."""

    code: str
    title: str


class HolidayBook(Protocol):
    """The public holidays of the world."""

    def countries(self) -> Sequence[Region]:
        """Every country that is known, by name."""
        ...

    def regions(self, country: str) -> Sequence[Region]:
        """The parts of a country that have holidays of their own, by name. Raises: UnknownRegionError."""
        ...

    def weekend(self, code: str) -> frozenset[int]:
        """The weekdays (Monday is 0) on which nobody works there. Raises: UnknownRegionError."""
        ...

    def holiday(self, code: str, day: date) -> str | None:
        """The holiday on a day, ``None`` if it is none. Raises: UnknownRegionError."""
        ...


class RegionKeeper(Protocol):
    """Where the choice of a region outlives the program."""

    def load_region(self) -> str | None:
        """The code that was kept. Raises: PortNotReadError: the file cannot be understood."""
        ...

    def keep_region(self, region: str | None) -> None:
        """Make this the one that is kept; it is on the disk when this returns. Raises: PortNotKeptError."""
        ...


def weekends_only(day: date) -> str | None:
    """Why a day is free where no region is chosen."""
    return WEEKEND if day.weekday() in SATURDAY_AND_SUNDAY else None
