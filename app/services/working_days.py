"""The working days of this clinic: which region was chosen, and why a day is free.

Law: a choice is on disk before it counts. A file or a region that cannot be understood means weekends only, and is
named in ``trouble``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from app.models.errors import AppError
from app.models.serial_ports import PortNotReadError
from app.models.working_days import WEEKEND, HolidayBook, Region, RegionKeeper, UnknownRegionError, weekends_only


class WorkingDays:
    """The clinic's calendar.

    Args:
        book: the holidays of the world.
        keeper: where the choice outlives the program; without one it does not.
    """

    def __init__(self, book: HolidayBook, keeper: RegionKeeper | None = None) -> None:
        self._book = book
        self._keeper = keeper
        self.trouble: AppError | None = None
        try:
            self.region = keeper.load_region() if keeper is not None else None
        except PortNotReadError as error:
            self.region, self.trouble = None, error

    def countries(self) -> Sequence[Region]:
        """Every country whose holidays are known."""
        return self._book.countries()

    def regions(self, country: str) -> Sequence[Region]:
        """The parts of a country with holidays of their own. Raises: UnknownRegionError."""
        return self._book.regions(country)

    def choose(self, region: str | None) -> None:
        """Keep this region, then use it; ``None`` for weekends only.

        Raises:
            UnknownRegionError: nothing has changed.
            PortNotKeptError: nothing has changed.
        """
        if region is not None:
            self._book.weekend(region)
        if self._keeper is not None:
            self._keeper.keep_region(region)
        self.region, self.trouble = region, None

    def why_free(self, day: date) -> str | None:
        """``weekend``, or the name of the holiday; ``None`` on a working day. Source: REF-09."""
        if self.region is None:
            return weekends_only(day)
        try:
            if day.weekday() in self._book.weekend(self.region):
                return WEEKEND
            return self._book.holiday(self.region, day)
        except UnknownRegionError as error:
            self.region, self.trouble = None, error
            return weekends_only(day)
