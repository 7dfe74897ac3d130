"""How values lie in the tables: every quantity as one whole number, every moment as plain text.

Law: what does not fit exactly is refused, never rounded. A moment of the world is UTC and ends in ``Z``; a moment
of a pump's clock carries no offset; neither is taken for the other.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import Integer, TypeDecorator

from app.models.errors import AppError
from app.models.quantities import Concentration, DoseRate, Flow, Mass, Volume

_YG_PER_FG = 10**9
_MOST = 2**63 - 1

_Q = TypeVar("_Q", Volume, Concentration, Flow, Mass, DoseRate)
WHOLE = BigInteger().with_variant(Integer(), "sqlite")


class NotStorableError(AppError):
    """A value does not fit its column exactly."""


class _Whole(TypeDecorator[_Q], Generic[_Q]):
    """A quantity as a whole number of its column's unit."""

    impl = WHOLE
    cache_ok = True
    kind: type[Any]
    quanta_per_unit = 1

    def process_bind_param(self, value: _Q | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        whole, rest = divmod(value.quanta, self.quanta_per_unit)
        if type(value) is not self.kind or rest or abs(whole) > _MOST:
            raise NotStorableError(column=type(self).__name__, value=value)
        return whole

    def process_result_value(self, value: Any, dialect: Dialect) -> _Q | None:
        return None if value is None else self.kind(value * self.quanta_per_unit)


class VolumePl(_Whole[Volume]):
    """Volume in pL."""

    cache_ok = True
    kind = Volume


class ConcentrationFgPerMl(_Whole[Concentration]):
    """Concentration in fg/mL."""

    cache_ok = True
    kind = Concentration


class FlowPlPerDay(_Whole[Flow]):
    """Flow in pL/day."""

    cache_ok = True
    kind = Flow


class MassFg(_Whole[Mass]):
    """Mass in fg; finer ones are refused."""

    cache_ok = True
    kind = Mass
    quanta_per_unit = _YG_PER_FG


class DoseRateFgPerDay(_Whole[DoseRate]):
    """Dose rate in fg/day; finer ones are refused."""

    cache_ok = True
    kind = DoseRate
    quanta_per_unit = _YG_PER_FG


class LengthUm(TypeDecorator[Fraction]):
    """A length in cm as whole micrometres."""

    impl = WHOLE
    cache_ok = True

    def process_bind_param(self, value: Fraction | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        um = value * 10_000
        if um.denominator != 1:
            raise NotStorableError(column="length", value=value)
        return um.numerator

    def process_result_value(self, value: Any, dialect: Dialect) -> Fraction | None:
        return None if value is None else Fraction(value, 10_000)


class Utc(TypeDecorator[datetime]):
    """A moment of the world: ISO 8601 in UTC to the microsecond, sortable as text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise NotStorableError(column="utc", value=value)
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


class PumpTime(TypeDecorator[datetime]):
    """A moment of a pump's own clock, without offset."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is not None:
            raise NotStorableError(column="pump-time", value=value)
        return value.isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class Day(TypeDecorator[date]):
    """A calendar day."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> Any:
        return None if value is None else value.isoformat()

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:
        return None if value is None else date.fromisoformat(value)
