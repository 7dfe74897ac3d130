"""The parts of a patient's day, like sleep, transfers and therapy: what a schedule is looked at beside.

Law: nothing is judged by it, and nothing of it is sent to a pump.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.models.errors import AppError
from app.models.quantities import MINUTES_PER_DAY


class InvalidDayPartError(AppError):
    """This cannot be a part of a day; ``problem`` is ``name``, ``start`` or ``duration``."""


@dataclass(frozen=True, slots=True)
class DayPart:
    """From minute ``start`` of the day, ``duration_min`` long: at least a minute, less than a day, past midnight if
    need be."""

    name: str
    start: int
    duration_min: int

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InvalidDayPartError(problem="name")
        if not 0 <= self.start < MINUTES_PER_DAY:
            raise InvalidDayPartError(problem="start", minute=self.start)
        if not 0 < self.duration_min < MINUTES_PER_DAY:
            raise InvalidDayPartError(problem="duration", duration_min=self.duration_min)
