"""Numbers of a New Era syringe pump: four digits and a point, and what one step of its motor moves.

Law: volumes are exact fractions of a microlitre, rates of a microlitre per minute. What the pump shows or is told is
four digits, cut and never rounded up unless the function says so.

Source: NE-1000 user manual, publication 1200-01, for the four digits, the units and the diameters. The travel of one
step and the two speeds are the maker's published figures; they have not been checked on a pump.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

STEP_UM = Fraction("0.831")
"""How far one step moves the plunger."""

SMALLEST_DIAMETER_MM = Fraction("0.1")
LARGEST_DIAMETER_MM = Fraction(50)
MICROLITRES_UP_TO_MM = Fraction(14)
"""Up to this diameter a pump counts in microlitres, above it in millilitres, unless it is told otherwise."""

COUNTER_END = 10_000
"""Where a counter of four digits begins again at zero."""

UL_PER_VOLUME_UNIT = {"UL": Fraction(1), "ML": Fraction(1000)}
UL_PER_MIN_PER_RATE_UNIT = {
    "UM": Fraction(1),
    "MM": Fraction(1000),
    "UH": Fraction(1, 60),
    "MH": Fraction(1000, 60),
}

_SLOWEST_MM_PER_MIN = Fraction("0.04205") / 60
_FASTEST_MM_PER_MIN = Fraction("51.005")
_QUARTER_PI = Fraction("3.14159265358979324") / 4
_NUMBER = re.compile(r"(?=.*[0-9])[0-9]*\.?[0-9]{0,3}")
_MOST_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Syringe:
    """A syringe on a pump: its bore, and the pump's step behind it. One cubic millimetre is one microlitre."""

    diameter_mm: Fraction
    step_um: Fraction = STEP_UM

    @property
    def increment_ul(self) -> Fraction:
        """What one step of the motor dispenses."""
        return self._area_mm2 * self.step_um / 1000

    @property
    def slowest_ul_per_min(self) -> Fraction:
        return self._area_mm2 * _SLOWEST_MM_PER_MIN

    @property
    def fastest_ul_per_min(self) -> Fraction:
        return self._area_mm2 * _FASTEST_MM_PER_MIN

    def can_run_at(self, ul_per_min: Fraction) -> bool:
        return self.slowest_ul_per_min <= ul_per_min <= self.fastest_ul_per_min

    @property
    def _area_mm2(self) -> Fraction:
        return _QUARTER_PI * self.diameter_mm**2


def last_digit(value: Fraction) -> Fraction:
    """What the last of four digits stands for in a number of this size: 0.1 for 123.4."""
    for digit, end in ((Fraction(1, 1000), 10), (Fraction(1, 100), 100), (Fraction(1, 10), 1000)):
        if value < end:
            return digit
    return Fraction(1)


def cut(value: Fraction) -> Fraction:
    """The largest number of four digits that is not above ``value``; ``value`` is below :data:`COUNTER_END`."""
    digit = last_digit(value)
    return value // digit * digit


def cut_up(value: Fraction) -> Fraction:
    """The smallest number of four digits that is not below ``value``, which may be 10,000 itself."""
    digit = last_digit(value)
    return -(-value // digit) * digit


def show(value: Fraction) -> str:
    """Four digits and a point, as a pump answers: ``0.831``, ``12.34``, ``1234.``."""
    digit = last_digit(value)
    places = {Fraction(1, 1000): 3, Fraction(1, 100): 2, Fraction(1, 10): 1}.get(digit, 0)
    digits = str(value // digit).rjust(_MOST_DIGITS, "0")
    return f"{digits[: len(digits) - places]}.{digits[len(digits) - places :]}"


def read_number(text: str) -> Fraction | None:
    """The number in a command: at most four digits, three of them behind the point; ``None`` if it is not one."""
    if not _NUMBER.fullmatch(text) or len(text.replace(".", "")) > _MOST_DIGITS:
        return None
    whole, _, part = text.partition(".")
    return Fraction(int(whole + part or "0"), 10 ** len(part))
