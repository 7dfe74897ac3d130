"""A pump on the bench: what an emulated pump's other door shows and does.

Law: volumes are exact, in mL; what the pump believes stands beside what is true.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Protocol

from app.models.formats import plain


@dataclass(frozen=True, slots=True)
class BenchEvent:
    """One line of the pump's log; ``at`` is the pump's own clock."""

    number: int
    at: datetime
    name: str
    value: int


@dataclass(frozen=True, slots=True)
class BenchState:
    """All of it, at one moment. ``heard`` are the last messages that reached the pump."""

    serial: str
    clock: datetime
    revision: int
    commits: int
    running: bool
    reset: bool
    stalled: bool
    occluded: bool
    flow_error: Fraction
    believed: Fraction
    physical: Fraction
    delivered: Fraction
    physically_delivered: Fraction
    alarms: tuple[str, ...]
    heard: tuple[str, ...]
    faults: tuple[str, ...]
    events: tuple[BenchEvent, ...]

    def as_json(self) -> dict[str, object]:
        """For the door's answer: volumes as decimal text in mL."""
        return {
            "serial": self.serial,
            "clock": self.clock.isoformat(),
            "revision": self.revision,
            "commits": self.commits,
            "running": self.running,
            "reset": self.reset,
            "believed_ml": plain(self.believed),
            "physical_ml": plain(self.physical),
            "delivered_ml": plain(self.delivered),
            "physically_delivered_ml": plain(self.physically_delivered),
            "alarms": list(self.alarms),
            "faults": list(self.faults),
            "heard": list(self.heard),
        }


class BenchPort(Protocol):
    """The door to one emulated pump."""

    def obey(self, order: Mapping[str, str | int | bool]) -> BenchState:
        """Do one thing to the pump, or ``{"do": "state"}`` for nothing, and say how it is then.

        Raises: AppError: the bench cannot do that.
        """
        ...
