"""What is in the reservoir after a refill: volumes and the mixed concentration.

Law: the volume that stays in the pump counts; a new solution is never taken to be alone in the reservoir.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from app.models.catalogue import PumpModel
from app.models.quantities import Concentration, Volume

_LIMIT_BY_CAPACITY_ML = {20: "pocket_fill_20_ml", 40: "pocket_fill_40_ml"}


@dataclass(frozen=True, slots=True)
class Mixture:
    """A reservoir after filling; ``concentration`` in fg/mL as an exact fraction, ``None`` when nothing is in it."""

    volume: Volume
    concentration: Fraction | None

    def error_from(self, intended: Concentration) -> Fraction | None:
        """mixed / intended - 1, as a fraction."""
        if self.concentration is None or not intended:
            return None
        return self.concentration / intended.quanta - 1


def mix(
    *,
    left: Volume,
    left_concentration: Concentration,
    injected: Volume,
    concentration: Concentration,
    rinses: Sequence[Volume] = (),
) -> Mixture:
    """The reservoir after rinsing and filling with one new solution.

    Each rinse mixes with what is left and is withdrawn to ``left`` again. Source: docs/devices.md, dilution.
    """
    remaining = Fraction(left_concentration.quanta)
    for rinse in rinses:
        remaining = _blend(left, remaining, rinse, concentration)
    volume = left + injected
    if not volume:
        return Mixture(volume, None)
    return Mixture(volume, _blend(left, remaining, injected, concentration))


def _blend(volume: Volume, strength: Fraction, added: Volume, concentration: Concentration) -> Fraction:
    total = volume.quanta + added.quanta
    if total == 0:
        return strength
    return (volume.quanta * strength + added.quanta * concentration.quanta) / total


def pocket_fill_limit_name(pump: PumpModel) -> str:
    """The rule constant that limits missing volume after a fill for this pump's capacity. Source: REF-05."""
    capacity = pump.capacity.in_ml
    whole = int(capacity) if capacity.denominator == 1 else -1
    return _LIMIT_BY_CAPACITY_ML.get(whole, "pocket_fill_other_percent")
