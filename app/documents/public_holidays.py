"""Public holidays from the library ``holidays``, as a :class:`app.models.working_days.HolidayBook`.

Law: the library is loaded when a region is first asked about, for that takes longer than the window to paint. Only
what the law of a place makes a public holiday counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from app.models.working_days import Region, UnknownRegionError

if TYPE_CHECKING:
    from holidays import HolidayBase

_SMALL = {"And": "and", "Of": "of", "The": "the"}


class PublicHolidays:
    """The holidays that the library knows."""

    def countries(self) -> Sequence[Region]:
        from holidays.registry import COUNTRIES

        return sorted((Region(entry[1], _title(name)) for name, entry in COUNTRIES.items()), key=_by_title)

    def regions(self, country: str) -> Sequence[Region]:
        found = _calendar(country)
        names: dict[str, str] = {}
        for name, part in getattr(found, "subdivisions_aliases", {}).items():
            names.setdefault(part, name)
        parts = getattr(found, "subdivisions", ())
        return sorted((Region(f"{country}-{part}", names.get(part, part)) for part in parts), key=_by_title)

    def weekend(self, code: str) -> frozenset[int]:
        return frozenset(_calendar(code).weekend)

    def holiday(self, code: str, day: date) -> str | None:
        name = _calendar(code).get(day)
        return str(name) if name is not None else None


def _by_title(region: Region) -> str:
    return region.title.casefold()


def _title(name: str) -> str:
    words = " ".join(_SMALL.get(word, word) for word in name.replace("_", " ").title().split())
    return words[:1].upper() + words[1:]


@lru_cache(maxsize=32)
def _calendar(code: str) -> HolidayBase:
    """The holidays of a country or a part of it, in English where the library has them so."""
    from holidays import country_holidays

    country, _, part = code.partition("-")
    try:
        found = country_holidays(country, subdiv=part or None)
        if "en_US" in getattr(found, "supported_languages", ()):
            found = country_holidays(country, subdiv=part or None, language="en_US")
    except NotImplementedError:
        raise UnknownRegionError(code=code) from None
    return found
