"""Plays a program on a syringe pump and accounts what was dispensed against it.

Law: the program is exact, the pump has four digits and whole steps, and what a portion could not give is asked of the
next one. So the error does not grow with the number of portions.

A portion is a volume at a rate after which the pump stops by itself: a late computer delays liquid and adds none. A
rate below the pump's slowest is given at the slowest, with a pause after it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from app.device.syringe_numbers import Syringe, cut, cut_up, last_digit
from app.device.syringe_pump import SyringePump
from app.models.course import Course
from app.models.errors import AppError
from app.models.quantities import MINUTES_PER_WEEK, Concentration, Volume

_LONGEST_PORTION_MIN = 60
_LARGEST_PORTION_UL = 50
_COUNTER_LIMIT_UL = Fraction("99.99")
"""Up to here the counter shows hundredths of a microlitre; it is cleared before it would pass."""

_LEAST_TIME_LEFT = Fraction(4, 5)
_POLL_S = Fraction(2)
_QUICKEST_POLL_S = Fraction(1, 500)
_GRACE_S = 5
_MOST_TRIMS = 3
_UL_PER_PL = Fraction(1, Volume.PER_ML // 1000)


class SyringeTooSlowError(AppError):
    """The program asks ``needed_ul_per_min`` of a pump that gives ``fastest_ul_per_min``.

    ``fastest_speed`` is the greatest speed at which it can be played; below 1 it cannot be played on this syringe.
    """


class SyringeAstrayError(AppError):
    """The pump did not do what it was told: ``problem`` is ``still-pumping`` or ``counter``."""


@dataclass(frozen=True, slots=True)
class Portion:
    """A stretch of even flow, in minutes since the start; ``owed_ul`` is the program's total at its end."""

    begins_min: Fraction
    ends_min: Fraction
    volume_ul: Fraction
    owed_ul: Fraction

    @property
    def ul_per_min(self) -> Fraction:
        return self.volume_ul / (self.ends_min - self.begins_min)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a program is played: ``speed`` minutes of it in one of ours.

    A real pump is asked for ``speed`` times the rate. An emulated pump whose own clock runs ``pump_speed`` times as
    fast is asked for so much less.
    """

    speed: Fraction = Fraction(1)
    pump_speed: Fraction = Fraction(1)

    @property
    def rate_factor(self) -> Fraction:
        return self.speed / self.pump_speed

    def seconds(self, minutes: Fraction) -> Fraction:
        return minutes * 60 / self.speed


@dataclass(frozen=True, slots=True)
class Account:
    """What the program asked until ``minute``, and what the pump's counter says.

    ``doubt_ul``: what was dispensed lies at most so far from ``counted_ul``, since the counter cuts what lies below its
    last digit. ``late_min``: by how much, in minutes of the program, the latest portion ended after its time.
    """

    minute: Fraction
    programmed_ul: Fraction
    counted_ul: Fraction
    doubt_ul: Fraction
    increment_ul: Fraction
    late_min: Fraction

    @property
    def within_one_increment(self) -> bool:
        """Whether the pump gave the program's volume to one step of its motor, the doubt included."""
        return abs(self.counted_ul - self.programmed_ul) + self.doubt_ul <= self.increment_ul


def portions_of(course: Course, concentration: Concentration, *, start_min: int, hours: int) -> tuple[Portion, ...]:
    """Cut ``hours`` of a course, from minute ``start_min`` of the week, into portions of even flow."""
    end_min = start_min + hours * 60

    def volume_ul(begins: Fraction, ends: Fraction) -> Fraction:
        return course.between(begins, ends) / concentration.quanta * _UL_PER_PL

    portions = []
    owed_ul = Fraction(0)
    edges = _edges(course, start_min, end_min)
    for first, last in pairwise(edges):
        whole_ul = volume_ul(Fraction(first), Fraction(last))
        count = max(-(-(last - first) // _LONGEST_PORTION_MIN), -(-whole_ul // _LARGEST_PORTION_UL))
        for number in range(count):
            owed_ul += whole_ul / count
            begins = first - start_min + Fraction(last - first) * number / count
            ends = first - start_min + Fraction(last - first) * (number + 1) / count
            portions.append(Portion(begins, ends, whole_ul / count, owed_ul))
    return tuple(portions)


def _edges(course: Course, start_min: int, end_min: int) -> list[int]:
    """The start, every change of rate, and the end."""
    weeks = range(start_min // MINUTES_PER_WEEK, end_min // MINUTES_PER_WEEK + 1)
    changes = {week * MINUTES_PER_WEEK + first for week in weeks for first, _, _ in course.segments()}
    return [start_min, *sorted(minute for minute in changes if start_min < minute < end_min), end_min]


def require_playable(portions: tuple[Portion, ...], syringe: Syringe, pace: Pace) -> None:
    """Raises: SyringeTooSlowError."""
    steepest = max(portion.ul_per_min for portion in portions)
    needed = steepest * pace.rate_factor
    if needed > syringe.fastest_ul_per_min:
        raise SyringeTooSlowError(
            needed_ul_per_min=needed,
            fastest_ul_per_min=syringe.fastest_ul_per_min,
            fastest_speed=syringe.fastest_ul_per_min / steepest * pace.pump_speed,
        )


class SyringePlayer:
    """Plays portions, one after the other.

    Args:
        clock_s: seconds that never run back.
        sleep_s: waits for so many seconds.
        tell: told the account after each portion.
    """

    def __init__(
        self,
        pump: SyringePump,
        syringe: Syringe,
        pace: Pace,
        *,
        clock_s: Callable[[], Fraction],
        sleep_s: Callable[[Fraction], None],
        tell: Callable[[Account], None],
    ) -> None:
        self._pump = pump
        self._syringe = syringe
        self._pace = pace
        self._clock_s = clock_s
        self._sleep_s = sleep_s
        self._tell = tell
        self._began_s = clock_s()
        self._banked_ul = Fraction(0)
        self._shown_ul = Fraction(0)
        self._banked_doubt_ul = Fraction(0)
        self._late_min = Fraction(0)

    @property
    def counted_ul(self) -> Fraction:
        """What was dispensed, as well as the counter can tell: it cuts, so half a last digit is added."""
        return self._banked_ul + self._shown_ul + self._doubt_ul

    @property
    def _doubt_ul(self) -> Fraction:
        return last_digit(self._shown_ul) / 2 if self._shown_ul else Fraction(0)

    def play(self, portions: tuple[Portion, ...]) -> Account:
        """Play them all. The pump stands still afterwards, and whenever an error leaves this method it was asked to.

        Raises: SyringeTooSlowError, SyringeAstrayError, and what :class:`SyringePump` raises.
        """
        try:
            require_playable(portions, self._syringe, self._pace)
            self._began_s = self._clock_s()
            for portion in portions:
                self._wait_until(portion.begins_min)
                self._play_portion(portion)
                self._tell(self._account(portion))
            last = portions[-1]
            self._wait_until(last.ends_min)
            self._trim(last)
            return self._account(last)
        finally:
            self._release()

    def _release(self) -> None:
        """Leave the pump standing, its counter read. One that cannot be reached stops by its own time-out."""
        with suppress(AppError):
            self._pump.stop()
            self._shown_ul = self._pump.counted_ul()
        self._pump.leave()

    def _account(self, portion: Portion) -> Account:
        return Account(
            minute=portion.ends_min,
            programmed_ul=portion.owed_ul,
            counted_ul=self.counted_ul,
            doubt_ul=self._banked_doubt_ul + self._doubt_ul,
            increment_ul=self._syringe.increment_ul,
            late_min=self._late_min,
        )

    @property
    def _minute(self) -> Fraction:
        """Where in the program we are."""
        return (self._clock_s() - self._began_s) * self._pace.speed / 60

    def _wait_until(self, minute: Fraction) -> None:
        """Wait, and ask after the pump meanwhile: it must not take us for dead, and an alarm must not go unheard."""
        while (left_s := self._pace.seconds(minute - self._minute)) > 0:
            self._sleep_s(min(left_s, _POLL_S))
            self._pump.is_pumping()

    def _play_portion(self, portion: Portion) -> None:
        wanted_ul = portion.owed_ul - self.counted_ul
        if wanted_ul < self._syringe.increment_ul:
            return
        planned_min = portion.ends_min - portion.begins_min
        left_min = max(portion.ends_min - self._minute, planned_min * _LEAST_TIME_LEFT)
        self._give(wanted_ul, wanted_ul / left_min * self._pace.rate_factor)
        self._late_min = max(self._late_min, self._minute - portion.ends_min)

    def _trim(self, last: Portion) -> None:
        """Give single steps while half a step or more is owed."""
        step_ul = self._syringe.increment_ul
        rate = max(last.ul_per_min, self._syringe.slowest_ul_per_min) * self._pace.rate_factor
        for _ in range(_MOST_TRIMS):
            if last.owed_ul - self.counted_ul < step_ul / 2:
                return
            self._give(cut_up(step_ul), rate)

    def _give(self, volume_ul: Fraction, ul_per_min: Fraction) -> None:
        """Infuse one portion, wait until the pump has stopped, and read its counter."""
        if self._shown_ul + volume_ul > _COUNTER_LIMIT_UL:
            self._bank()
        rate = min(max(ul_per_min, self._syringe.slowest_ul_per_min), self._syringe.fastest_ul_per_min)
        rate = _settable(rate, self._syringe)
        given_ul = cut(volume_ul)
        self._pump.infuse(given_ul, rate)
        self._watch(given_ul / rate * 60 / self._pace.pump_speed)
        before_ul, self._shown_ul = self._shown_ul, self._pump.counted_ul()
        missed_ul = abs(self._shown_ul - before_ul - given_ul)
        if missed_ul > 2 * (self._syringe.increment_ul + last_digit(self._shown_ul)):
            raise SyringeAstrayError(problem="counter", asked_ul=given_ul, missed_ul=missed_ul)

    def _watch(self, expected_s: Fraction) -> None:
        """Wait until the pump stands still. Raises: SyringeAstrayError: it takes far longer than it should."""
        ready_s = self._clock_s() + expected_s
        while self._pump.is_pumping():
            left_s = ready_s - self._clock_s()
            if left_s < -(expected_s / 4 + _GRACE_S):
                raise SyringeAstrayError(problem="still-pumping")
            self._sleep_s(min(_POLL_S, max(_QUICKEST_POLL_S, left_s)))

    def _bank(self) -> None:
        """Note the counter and set it to zero, so that it shows more digits of what comes."""
        self._banked_ul = self.counted_ul
        self._banked_doubt_ul += self._doubt_ul
        self._shown_ul = Fraction(0)
        self._pump.clear_counter()


def _settable(ul_per_min: Fraction, syringe: Syringe) -> Fraction:
    """The rate in the pump's four digits, rounded up so that a portion ends in time, unless that is too fast."""
    unit = Fraction(1, 60) if ul_per_min < Fraction(9990, 60) else Fraction(1)
    if ul_per_min >= 9990:
        unit = Fraction(1000, 60)
    rounded_up = cut_up(ul_per_min / unit) * unit
    return rounded_up if rounded_up <= syringe.fastest_ul_per_min else cut(ul_per_min / unit) * unit
