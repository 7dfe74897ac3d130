"""Exact quantities: one integer each, in quanta so fine that every number a person can type is whole.

Law: nothing here is ever rounded unless the function's name or docstring says which way.

======================  ==================  ===========================
quantity                quantum             one typed unit is
======================  ==================  ===========================
:class:`Mass`           1 yg (1e-24 g)      1 mcg     = 1e18 yg
:class:`Volume`         1 pL (1e-12 L)      1 mL      = 1e9  pL
:class:`Concentration`  1 fg/mL             1 mcg/mL  = 1e9  fg/mL
:class:`Flow`           1 pL/day            1 mL/day  = 1e9  pL/day
:class:`DoseRate`       1 yg/day            1 mcg/day = 1e18 yg/day
======================  ==================  ===========================

The quanta are chosen so that *mass = concentration x volume* and *dose rate = concentration x flow*
are products of integers: 1 fg/mL x 1 pL = 1 yg. Nine decimals of mcg/mL and of mL are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from app.models.errors import AppError

MINUTES_PER_DAY = 1440
MINUTES_PER_WEEK = 7 * MINUTES_PER_DAY


class InvalidQuantityError(AppError):
    """A quantity was made from something that is not a whole number of its quantum, or not a number."""


@dataclass(frozen=True, slots=True, order=True)
class _Quantity:
    """A signed whole number of quanta; arithmetic only with the same kind."""

    quanta: int

    def __post_init__(self) -> None:
        if type(self.quanta) is not int:
            raise InvalidQuantityError(kind=type(self).__name__, quanta=self.quanta)

    @classmethod
    def zero(cls) -> Self:
        return cls(0)

    @classmethod
    def floor(cls, quanta: Fraction | int) -> Self:
        """The largest quantity that is not above ``quanta`` (rounds towards minus infinity)."""
        return cls(quanta.numerator // quanta.denominator)

    @classmethod
    def exact(cls, quanta: Fraction | int) -> Self:
        """The quantity of exactly ``quanta``.

        Raises:
            InvalidQuantityError: ``quanta`` is not whole.
        """
        if quanta.denominator != 1:
            raise InvalidQuantityError(kind=cls.__name__, quanta=quanta)
        return cls(quanta.numerator)

    def _same(self, other: object) -> int:
        if type(other) is not type(self):
            raise TypeError(f"{type(self).__name__} and {type(other).__name__} cannot be combined")
        return other.quanta

    def __add__(self, other: Self) -> Self:
        return type(self)(self.quanta + self._same(other))

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.quanta - self._same(other))

    def __mul__(self, count: int) -> Self:
        if type(count) is not int:
            raise TypeError(f"{type(self).__name__} can only be multiplied by a whole number")
        return type(self)(self.quanta * count)

    __rmul__ = __mul__

    def __neg__(self) -> Self:
        return type(self)(-self.quanta)

    def __abs__(self) -> Self:
        return type(self)(abs(self.quanta))

    def __bool__(self) -> bool:
        return self.quanta != 0

    def ratio(self, other: Self) -> Fraction:
        """This divided by ``other``, exactly.

        Raises:
            ZeroDivisionError: ``other`` is zero.
        """
        return Fraction(self.quanta, self._same(other))


class Mass(_Quantity):
    """An amount of drug, in yoctograms."""

    __slots__ = ()
    PER_MCG = 10**18

    @classmethod
    def mcg(cls, value: int | Fraction) -> Mass:
        """Exactly ``value`` micrograms."""
        return cls.exact(value * cls.PER_MCG)

    @property
    def in_mcg(self) -> Fraction:
        return Fraction(self.quanta, self.PER_MCG)

    def per_day(self) -> DoseRate:
        """The rate that delivers this mass evenly in 24 h."""
        return DoseRate(self.quanta)


class Volume(_Quantity):
    """A volume, in picolitres."""

    __slots__ = ()
    PER_ML = 10**9

    @classmethod
    def ml(cls, value: int | Fraction) -> Volume:
        """Exactly ``value`` millilitres."""
        return cls.exact(value * cls.PER_ML)

    @property
    def in_ml(self) -> Fraction:
        return Fraction(self.quanta, self.PER_ML)


class Concentration(_Quantity):
    """Mass in a volume, in femtograms per millilitre."""

    __slots__ = ()
    PER_MCG_PER_ML = 10**9

    @classmethod
    def mcg_per_ml(cls, value: int | Fraction) -> Concentration:
        """Exactly ``value`` micrograms per millilitre."""
        return cls.exact(value * cls.PER_MCG_PER_ML)

    @property
    def in_mcg_per_ml(self) -> Fraction:
        return Fraction(self.quanta, self.PER_MCG_PER_ML)

    def mass_in(self, volume: Volume) -> Mass:
        """The drug in ``volume``, exactly."""
        return Mass(self.quanta * volume.quanta)

    def dose_rate_at(self, flow: Flow) -> DoseRate:
        """The dose rate that ``flow`` delivers, exactly."""
        return DoseRate(self.quanta * flow.quanta)


class Flow(_Quantity):
    """Volume in time, in picolitres per day."""

    __slots__ = ()
    PER_ML_PER_DAY = 10**9

    @classmethod
    def ml_per_day(cls, value: int | Fraction) -> Flow:
        """Exactly ``value`` millilitres per day."""
        return cls.exact(value * cls.PER_ML_PER_DAY)

    @property
    def in_ml_per_day(self) -> Fraction:
        return Fraction(self.quanta, self.PER_ML_PER_DAY)


class DoseRate(_Quantity):
    """Mass in time, in yoctograms per day."""

    __slots__ = ()
    PER_MCG_PER_DAY = 10**18

    @classmethod
    def mcg_per_day(cls, value: int | Fraction) -> DoseRate:
        """Exactly ``value`` micrograms per day."""
        return cls.exact(value * cls.PER_MCG_PER_DAY)

    @classmethod
    def mcg_per_hour(cls, value: int | Fraction) -> DoseRate:
        """Exactly ``value`` micrograms per hour, which is 24 times as much per day."""
        return cls.exact(value * 24 * cls.PER_MCG_PER_DAY)

    @property
    def in_mcg_per_day(self) -> Fraction:
        return Fraction(self.quanta, self.PER_MCG_PER_DAY)

    @property
    def in_mcg_per_hour(self) -> Fraction:
        return self.in_mcg_per_day / 24

    def per_day(self) -> Mass:
        """The mass that this rate delivers in 24 h."""
        return Mass(self.quanta)


def flow_for(dose: DoseRate, concentration: Concentration) -> Flow:
    """The largest flow whose dose does not exceed ``dose`` (rounds down to 1 pL/day).

    Source: F-01, flow = dose / concentration.
    """
    return Flow(dose.quanta // concentration.quanta)


def exact_flow_ml_per_day(dose: DoseRate, concentration: Concentration) -> Fraction:
    """Dose divided by concentration in mL/day, without any rounding. Source: F-01."""
    return dose.in_mcg_per_day / concentration.in_mcg_per_ml
