"""Numbers as text: one strict grammar in, one plain notation out.

Law: a text becomes a number only if it is written exactly as this program would write it, and
nothing is ever corrected. No locale, no sign, no exponent, no group marks.
"""

from __future__ import annotations

import re
from fractions import Fraction

from app.models.errors import AppError
from app.models.quantities import Concentration, DoseRate, Mass, Volume

NO_BREAK_SPACE = "\u00a0"
_MAX_LENGTH = 20


class NotANumberError(AppError):
    """The text is not a plain decimal number within the allowed digits.

    ``problem`` is one of ``empty``, ``character``, ``leading-point``, ``leading-zero``, ``trailing-point``,
    ``decimals``, ``digits``.
    """

    def __init__(self, *, text: str, problem: str, **values: object) -> None:
        self.text = text
        self.problem = problem
        super().__init__(text=text, problem=problem, **values)


def parse_number(text: str, *, whole_digits: int = 9, decimals: int = 9) -> Fraction:
    """The number that ``text`` spells: ``(0|[1-9][0-9]*)(\\.[0-9]+)?``, ASCII only.

    Args:
        whole_digits: most digits allowed before the point.
        decimals: most digits allowed after the point; more are refused, never rounded.

    Raises:
        NotANumberError: with the first problem found.
    """
    problem = number_problem(text, whole_digits=whole_digits, decimals=decimals)
    if problem is not None:
        raise NotANumberError(text=text[:_MAX_LENGTH], problem=problem, whole_digits=whole_digits, decimals=decimals)
    whole, _, part = text.partition(".")
    return Fraction(int(whole + part), 10 ** len(part))


def number_problem(text: str, *, whole_digits: int = 9, decimals: int = 9) -> str | None:
    """Why ``text`` is not a number in the grammar (see :class:`NotANumberError`), or ``None`` if it is one."""
    if not text:
        return "empty"
    if re.fullmatch(r"[0-9.]+", text, re.ASCII) is None or text.count(".") > 1:
        return "character"
    whole, point, part = text.partition(".")
    if not whole:
        return "leading-point"
    if point and not part:
        return "trailing-point"
    if len(whole) > 1 and whole[0] == "0":
        return "leading-zero"
    if len(whole) > whole_digits:
        return "digits"
    if len(part) > decimals:
        return "decimals"
    return None


def parse_mass_mcg(text: str, *, whole_digits: int = 9, decimals: int = 9) -> Mass:
    """A mass typed in micrograms. Raises: NotANumberError."""
    return Mass.mcg(parse_number(text, whole_digits=whole_digits, decimals=decimals))


def parse_dose_mcg_per_day(text: str, *, whole_digits: int = 9, decimals: int = 9) -> DoseRate:
    """A daily dose typed in micrograms per day. Raises: NotANumberError."""
    return DoseRate.mcg_per_day(parse_number(text, whole_digits=whole_digits, decimals=decimals))


def parse_volume_ml(text: str, *, whole_digits: int = 9, decimals: int = 9) -> Volume:
    """A volume typed in millilitres. Raises: NotANumberError."""
    return Volume.ml(parse_number(text, whole_digits=whole_digits, decimals=decimals))


def parse_concentration_mcg_per_ml(text: str, *, whole_digits: int = 9, decimals: int = 9) -> Concentration:
    """A concentration typed in micrograms per millilitre. Raises: NotANumberError."""
    return Concentration.mcg_per_ml(parse_number(text, whole_digits=whole_digits, decimals=decimals))


def plain(value: Fraction | int, *, significant: int = 9) -> str:
    """``value`` in plain decimal notation: exact if it is a finite decimal, otherwise rounded half to even.

    A number without a finite decimal gets ``significant`` significant digits and never fewer than its
    whole part. No trailing zeros, no exponent; a minus sign where negative.
    """
    number = Fraction(value)
    if number == 0:
        return "0"
    places = _finite_decimals(number.denominator)
    if places is None:
        places = max(0, significant - _digits_before_point(abs(number)))
        number = Fraction(round(number * 10**places), 10**places)
    return _spell(number, places)


def rounded(value: Fraction | int, decimals: int) -> str:
    """``value`` rounded half to even to ``decimals`` places, without trailing zeros; for reading, not for sending."""
    return _spell(Fraction(round(Fraction(value) * 10**decimals), 10**decimals), decimals)


def _spell(number: Fraction, places: int) -> str:
    scaled = number * 10**places
    digits = str(abs(scaled.numerator)).rjust(places + 1, "0")
    whole, part = (digits, "") if places == 0 else (digits[:-places], digits[-places:].rstrip("0"))
    sign = "-" if number < 0 else ""
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"


def _finite_decimals(denominator: int) -> int | None:
    """How many decimals a fraction with this denominator needs; ``None`` if they never end."""
    twos = fives = 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    return max(twos, fives) if denominator == 1 else None


def _digits_before_point(number: Fraction) -> int:
    """Position of the first significant digit: 3 for 123.4, 0 for 0.5, -2 for 0.005."""
    if number >= 1:
        return len(str(number.numerator // number.denominator))
    position = 0
    while number < Fraction(1, 10):
        number, position = number * 10, position - 1
    return position


def with_unit(number: str, unit: str) -> str:
    """Number and unit that never break apart."""
    return f"{number}{NO_BREAK_SPACE}{unit}"


def show_dose(dose: DoseRate) -> str:
    """A daily dose for reading, at most 3 decimals: ``355 mcg/day``."""
    return with_unit(rounded(dose.in_mcg_per_day, 3), "mcg/day")


def show_mass(mass: Mass) -> str:
    """A mass for reading, at most 3 decimals: ``50 mcg``."""
    return with_unit(rounded(mass.in_mcg, 3), "mcg")


def show_volume(volume: Volume) -> str:
    """A volume for reading, at most 2 decimals: ``18.6 mL``."""
    return with_unit(rounded(volume.in_ml, 2), "mL")


def show_concentration(concentration: Concentration) -> str:
    """A concentration for reading: ``2000 mcg/mL``."""
    return with_unit(plain(concentration.in_mcg_per_ml), "mcg/mL")
