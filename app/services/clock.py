"""What time it is, for everything that happens at the workstation.

Law: only this object is asked for the time; events are UTC, and the pumps' clocks stand a fixed offset from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Clock:
    """``read`` returns an aware moment; ``pump_offset`` is pump clock minus UTC, which knows no daylight saving."""

    read: Callable[[], datetime]
    pump_offset: timedelta

    def utc(self) -> datetime:
        """Now, in UTC."""
        return self.read().astimezone(UTC)

    def pump(self) -> datetime:
        """Now on the pumps' clocks, without offset."""
        return self.to_pump(self.utc())

    def to_pump(self, moment: datetime) -> datetime:
        """``moment`` (aware) on the pumps' clocks."""
        return moment.astimezone(UTC).replace(tzinfo=None) + self.pump_offset
