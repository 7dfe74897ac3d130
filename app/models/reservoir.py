"""What should be in the reservoir, when it runs low and when it is empty.

Law: volumes are counted from what was delivered, span by span, and every date is floored to the minute:
never later than the truth. A gap between spans is a stopped pump.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from app.models.catalogue import PumpModel
from app.models.course import Course
from app.models.errors import AppError
from app.models.quantities import MINUTES_PER_DAY, Concentration, Flow, Volume


class SpansOverlapError(AppError):
    """Two spans of a delivery history claim the same time."""


@dataclass(frozen=True, slots=True)
class FlowSpan:
    """One flow from ``start`` to ``end`` (exclusive)."""

    start: datetime
    end: datetime
    flow: Flow


@dataclass(frozen=True, slots=True)
class CourseSpan:
    """One program's course from ``start`` to ``end`` (exclusive), on the pump's own wall clock, without offset."""

    start: datetime
    end: datetime
    course: Course
    concentration: Concentration


def minutes_between(start: datetime, end: datetime) -> Fraction:
    """Minutes from ``start`` to ``end``, exact to the microsecond."""
    return Fraction((end - start) // timedelta(microseconds=1), 60_000_000)


def minute_of_week(pump_clock: datetime) -> Fraction:
    """Minutes since Monday 00:00 of the clock's own week."""
    monday = datetime(pump_clock.year, pump_clock.month, pump_clock.day, tzinfo=pump_clock.tzinfo)
    return pump_clock.weekday() * MINUTES_PER_DAY + minutes_between(monday, pump_clock)


def delivered_by(span: FlowSpan | CourseSpan) -> Fraction:
    """pL delivered in one span, exactly. Source: F-06."""
    minutes = minutes_between(span.start, span.end)
    if isinstance(span, FlowSpan):
        return span.flow.quanta * minutes / MINUTES_PER_DAY
    start = minute_of_week(span.start)
    return span.course.between(start, start + minutes) / span.concentration.quanta


@dataclass(frozen=True, slots=True)
class TheoreticalReservoir:
    """What should be left: exactly, and in whole pL rounded down; ``ran_dry`` when the history needs more than that."""

    exact_pl: Fraction
    ran_dry: bool

    @property
    def volume(self) -> Volume:
        return Volume.floor(self.exact_pl)


def theoretical_reservoir(
    filled: Volume, spans: Sequence[FlowSpan | CourseSpan], *, boluses: Sequence[Volume] = ()
) -> TheoreticalReservoir:
    """The volume that should be left after ``spans`` and one-time ``boluses``, not below zero. Source: REF-01, F-06.

    Raises: SpansOverlapError.
    """
    ordered = sorted(spans, key=lambda span: span.start)
    for before, after in pairwise(ordered):
        if after.start < before.end:
            raise SpansOverlapError(first=before.start, second=after.start)
    used = sum((delivered_by(span) for span in ordered), Fraction(0)) + sum(bolus.quanta for bolus in boluses)
    left = filled.quanta - used
    return TheoreticalReservoir(exact_pl=max(left, Fraction(0)), ran_dry=left < 0)


class Verdict(StrEnum):
    AS_EXPECTED = "as-expected"
    UNDER_DELIVERY = "under-delivery"
    OVER_DELIVERY = "over-delivery"


@dataclass(frozen=True, slots=True)
class ResidualJudgement:
    """What came out beside what should have: ``difference_pl`` is actual minus expected.

    ``error`` is (filled - actual) / (filled - expected) - 1 as a fraction (0.01 is one percent, positive is
    over-delivery), ``None`` when nothing should have been delivered.
    """

    difference_pl: Fraction
    error: Fraction | None
    volume_exceeded: bool
    error_exceeded: bool

    @property
    def verdict(self) -> Verdict:
        if not (self.volume_exceeded or self.error_exceeded):
            return Verdict.AS_EXPECTED
        return Verdict.UNDER_DELIVERY if self.difference_pl > 0 else Verdict.OVER_DELIVERY


def judge_residual(
    *, filled: Volume, expected_pl: Fraction, actual: Volume, accuracy_percent: Fraction, limit: Volume
) -> ResidualJudgement:
    """Compare what was withdrawn with what should have been left; both limits are exclusive. Source: REF-02."""
    difference = actual.quanta - expected_pl
    due = filled.quanta - expected_pl
    error = (filled.quanta - actual.quanta) / due - 1 if due else None
    return ResidualJudgement(
        difference_pl=difference,
        error=error,
        volume_exceeded=abs(difference) > limit.quanta,
        error_exceeded=error is not None and abs(error) * 100 > accuracy_percent,
    )


@dataclass(frozen=True, slots=True)
class ReservoirDates:
    """When the reservoir runs low and empty, floored to the minute; ``None`` if not before the calendar's end.

    ``earliest_empty_at`` is with the flow at the pump's labelled upper error, where no alarm will sound.
    """

    low_at: datetime | None
    empty_at: datetime | None
    earliest_empty_at: datetime | None


def reservoir_dates(
    *,
    volume: Volume,
    filled_at: datetime,
    low_alarm: Volume,
    worst_course: Course,
    concentration: Concentration,
    accuracy_percent: Fraction,
) -> ReservoirDates:
    """Dates by the course itself, worst case of patient-activated boluses. Source: REF-07, F-07.

    ``filled_at`` is on the pump's wall clock (or with an offset that stands for it): its weekday and time place it in
    the week.
    """
    start = minute_of_week(filled_at)

    def reached(used: Volume, course: Course) -> datetime | None:
        minute = course.when_delivered(Fraction(concentration.mass_in(used).quanta), start)
        return None if minute is None else _floor_minute(filled_at, minute - start)

    fast = worst_course.times(1 + accuracy_percent / 100)
    return ReservoirDates(
        low_at=reached(max(volume - low_alarm, Volume.zero()), worst_course),
        empty_at=reached(volume, worst_course),
        earliest_empty_at=reached(volume, fast),
    )


def _floor_minute(start: datetime, minutes: Fraction) -> datetime | None:
    """``start`` plus ``minutes``, cut to the whole minute of the clock; ``None`` beyond the calendar."""
    try:
        moment = start + timedelta(microseconds=int(minutes * 60_000_000))
    except OverflowError:
        return None
    return moment.replace(second=0, microsecond=0)


class RefillLimit(StrEnum):
    VOLUME = "volume"
    OVER_INFUSION = "over-infusion"
    STABILITY = "stability"
    BATTERY = "battery"

    @property
    def words(self) -> str:
        """For people: what sets the date."""
        return _LIMIT_WORDS[self]


_LIMIT_WORDS = {
    RefillLimit.VOLUME: "low reservoir",
    RefillLimit.OVER_INFUSION: "highest flow",
    RefillLimit.STABILITY: "drug stability",
    RefillLimit.BATTERY: "battery",
}


@dataclass(frozen=True, slots=True)
class RefillBy:
    """The moment by which the pump must be refilled, and what sets it."""

    at: datetime
    limited_by: RefillLimit


def refill_terms(
    *,
    low_at: datetime | None,
    filled_at: datetime,
    stability_days: int | None,
    battery_end: datetime | None,
    earliest_empty_at: datetime | None = None,
) -> tuple[RefillBy, ...]:
    """Every known term that a refill must not miss, in the order of :class:`RefillLimit`.

    Source: REF-09, F-08; ``earliest_empty_at``, where a pump at its upper flow error is empty without any alarm: SR-12.
    """
    stable_until = None
    if stability_days is not None:
        stable_until = (filled_at + timedelta(days=stability_days)).replace(second=0, microsecond=0)
    terms = zip(RefillLimit, (low_at, earliest_empty_at, stable_until, battery_end), strict=True)
    return tuple(RefillBy(at, limit) for limit, at in terms if at is not None)


def refill_by(
    *,
    low_at: datetime | None,
    filled_at: datetime,
    stability_days: int | None,
    battery_end: datetime | None,
    earliest_empty_at: datetime | None = None,
) -> RefillBy | None:
    """The earliest of :func:`refill_terms`; ``None`` when none of them is known. Source: REF-09, F-08."""
    terms = refill_terms(
        low_at=low_at,
        filled_at=filled_at,
        stability_days=stability_days,
        battery_end=battery_end,
        earliest_empty_at=earliest_empty_at,
    )
    return min(terms, key=lambda term: term.at, default=None)


def battery_end(pump: PumpModel, implanted_on: date) -> date | None:
    """The day on which the pump's service life ends; a day that the month lacks becomes its last (rounds down)."""
    if pump.service_life_months is None:
        return None
    return add_months(implanted_on, pump.service_life_months)


def add_months(day: date, months: int) -> date:
    """The same day of the month ``months`` later, or that month's last day if it is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + years, month + 1, 1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return first.replace(day=min(day.day, (following - first).days))
