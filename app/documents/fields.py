"""The field types of evaluate documents: text that is read strictly, or refused in words.

Law: a quantity is text in the grammar of numbers, a count is a whole JSON number, a time is ISO 8601; what is refused
says what stands there and what it is not.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from app.models.formats import NotANumberError, parse_number
from app.models.quantities import Concentration, DoseRate, Mass, Volume

_MOST_ML = 1000
_MOST_COUNT = 10_000_000
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)


class RefusedError(ValueError):
    """A value that cannot be understood; ``field`` is the path below the place where it was found."""

    def __init__(self, message: str, field: str = "") -> None:
        self.field = field
        super().__init__(message)


class Document(BaseModel):
    """A part of a document: no unknown fields, nothing converted silently."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=False)


def read_number(value: Any) -> Fraction:
    """Text in the grammar. Raises: RefusedError."""
    if not isinstance(value, str):
        raise RefusedError(f'{_shown(value)} is not text; a number is written like "2.5" here')
    try:
        return parse_number(value)
    except NotANumberError:
        raise RefusedError(f"{_shown(value)} is not a number in plain decimal notation") from None


def read_count(value: Any) -> int:
    """A whole JSON number, not negative. Raises: RefusedError."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise RefusedError(f"{_shown(value)} is not a whole number")
    if not 0 <= value <= _MOST_COUNT:
        raise RefusedError(f"{value} is not a count between 0 and {_MOST_COUNT}")
    return value


def read_time_of_day(value: Any) -> int:
    """``HH:MM`` as a minute of the day. Raises: RefusedError."""
    found = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", value) if isinstance(value, str) else None
    if found is None:
        raise RefusedError(f"{_shown(value)} is not a time of day")
    return int(found[1]) * 60 + int(found[2])


def read_moment(value: Any) -> datetime:
    """ISO 8601, with or without offset. Raises: RefusedError."""
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    raise RefusedError(f"{_shown(value)} is not a date and time like 2025-01-15T10:00")


def read_day(value: Any) -> date:
    """``YYYY-MM-DD``. Raises: RefusedError."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise RefusedError(f"{_shown(value)} is not a day like 2025-01-15")


def read_volume(value: Any) -> Volume:
    """Millilitres, within reason. Raises: RefusedError."""
    number = read_number(value)
    if number > _MOST_ML:
        raise RefusedError(f"{_shown(value)} mL is beyond reason")
    return Volume.ml(number)


def read_mass(value: Any) -> Mass:
    return Mass.mcg(read_number(value))


def read_dose(value: Any) -> DoseRate:
    return DoseRate.mcg_per_day(read_number(value))


def read_hourly(value: Any) -> DoseRate:
    return DoseRate.mcg_per_hour(read_number(value))


def read_concentration(value: Any) -> Concentration:
    return Concentration.mcg_per_ml(read_number(value))


def read_text(value: Any) -> str:
    """Any text that is not empty. Raises: RefusedError."""
    if not isinstance(value, str) or not value.strip():
        raise RefusedError(f"{_shown(value)} is not a text")
    return value


def read_flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise RefusedError(f"{_shown(value)} is not true or false")
    return value


def one_of(*words: str) -> BeforeValidator:
    """One of these words."""

    def read(value: Any) -> Any:
        if value not in words or not isinstance(value, str):
            raise RefusedError(f"{_shown(value)} is not one of {', '.join(words)}")
        return value

    return BeforeValidator(read)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


Number = Annotated[Fraction, BeforeValidator(read_number)]
Count = Annotated[int, BeforeValidator(read_count)]
TimeOfDay = Annotated[int, BeforeValidator(read_time_of_day)]
Moment = Annotated[datetime, BeforeValidator(read_moment)]
Day = Annotated[date, BeforeValidator(read_day)]
VolumeMl = Annotated[Volume, BeforeValidator(read_volume)]
MassMcg = Annotated[Mass, BeforeValidator(read_mass)]
DoseMcg = Annotated[DoseRate, BeforeValidator(read_dose)]
DoseMcgPerHour = Annotated[DoseRate, BeforeValidator(read_hourly)]
ConcentrationMcgPerMl = Annotated[Concentration, BeforeValidator(read_concentration)]
Name = Annotated[str, BeforeValidator(read_text)]
Flag = Annotated[bool, BeforeValidator(read_flag)]
