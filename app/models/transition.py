"""The path between reservoir and spine: catheter volume, bridge bolus and priming bolus.

Law: old fluid stands downstream of the reservoir after a change of concentration or drug. An unknown
path volume is ``None`` and nothing is computed from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from app.models.catalogue import CatheterModel, PumpModel
from app.models.quantities import MINUTES_PER_DAY, Concentration, DoseRate


@dataclass(frozen=True, slots=True)
class Segment:
    """One piece of catheter; ``trimmed_cm`` is ``None`` where nobody wrote it down."""

    model: CatheterModel
    trimmed_cm: Fraction | None

    @property
    def volume_ml(self) -> Fraction | None:
        """(length - trimmed) x volume per cm, in mL. Source: F-02."""
        if self.trimmed_cm is None:
            return None
        return (self.model.length_cm - self.trimmed_cm) * self.model.ml_per_cm


def catheter_volume_ml(segments: Sequence[Segment]) -> Fraction | None:
    """The implanted volume of all pieces in mL; ``None`` as soon as one is unknown or there are none."""
    volumes = [segment.volume_ml for segment in segments]
    known = [volume for volume in volumes if volume is not None]
    return sum(known, Fraction(0)) if known and len(known) == len(volumes) else None


def path_volume_ml(pump: PumpModel, catheter_ml: Fraction | None) -> Fraction | None:
    """Tubing inside the pump plus catheter, in mL; ``None`` if either is unknown."""
    if pump.tubing is None or catheter_ml is None:
        return None
    return pump.tubing.in_ml + catheter_ml


@dataclass(frozen=True, slots=True)
class Prescription:
    """Drug, concentration and daily dose on one side of a change."""

    drug: str
    concentration: Concentration
    daily_dose: DoseRate


@dataclass(frozen=True, slots=True)
class Bridge:
    """A bridge bolus in exact figures: volume in mL, flow in mL/day, duration in whole minutes (nearest).

    Masses in mcg. ``as_new_mcg`` and everything after it compare the two solutions and are ``None`` between two
    drugs. ``without_*`` is what the patient would get if the bridge were left out.
    """

    path_ml: Fraction
    flow_ml_per_day: Fraction
    duration_min: int
    old_drug_mcg: Fraction
    as_new_mcg: Fraction | None
    next_flow_ml_per_day: Fraction
    without_factor: Fraction | None
    without_daily_mcg: Fraction | None
    without_hours: Fraction | None


def exact_bridge_flow(side: Prescription) -> Fraction | None:
    """Daily dose / concentration in mL/day, exactly; ``None`` at a concentration of zero. Source: F-01."""
    if not side.concentration:
        return None
    return side.daily_dose.in_mcg_per_day / side.concentration.in_mcg_per_ml


def bridge_needed(old: Prescription, new: Prescription) -> bool:
    """Whether concentration or drug changes. Source: CON-01."""
    return old.drug != new.drug or old.concentration != new.concentration


def bridge(old: Prescription, new: Prescription, path_ml: Fraction) -> Bridge | None:
    """The bridge that keeps the old prescription going until the new fluid arrives; ``None`` if a dose or
    concentration is zero, for then nothing moves. Source: CON-02, F-03, F-04."""
    if not (old.daily_dose and new.daily_dose and old.concentration and new.concentration):
        return None
    old_c, new_c = old.concentration.in_mcg_per_ml, new.concentration.in_mcg_per_ml
    flow = old.daily_dose.in_mcg_per_day / old_c
    next_flow = new.daily_dose.in_mcg_per_day / new_c
    same_drug = old.drug == new.drug
    without = new.daily_dose.in_mcg_per_day * old_c / new_c
    return Bridge(
        path_ml=path_ml,
        flow_ml_per_day=flow,
        duration_min=nearest(path_ml / flow * MINUTES_PER_DAY),
        old_drug_mcg=path_ml * old_c,
        as_new_mcg=path_ml * new_c if same_drug else None,
        next_flow_ml_per_day=next_flow,
        without_factor=without / old.daily_dose.in_mcg_per_day if same_drug else None,
        without_daily_mcg=without if same_drug else None,
        without_hours=path_ml / next_flow * 24 if same_drug else None,
    )


def nearest(value: Fraction) -> int:
    """The nearest whole number, halves upwards."""
    return int((2 * value + 1) // 2)


class PrimeExtent(StrEnum):
    """How much of the path is empty of drug."""

    FULL = "full"
    CATHETER = "catheter"


class PrimeReason(StrEnum):
    """Why the path is empty; ``OTHER`` is not a reason to prime (rule CON-04)."""

    IMPLANT = "implant"
    REVISION = "revision"
    ASPIRATED = "aspirated"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Prime:
    """A priming bolus: mL, mcg, and whole minutes at the pump's highest flow, rounded up."""

    volume_ml: Fraction
    dose_mcg: Fraction
    duration_min: int


def prime(
    pump: PumpModel, catheter_ml: Fraction | None, extent: PrimeExtent, concentration: Concentration
) -> Prime | None:
    """The priming bolus; ``None`` if a volume it needs is unknown. Source: docs/devices.md, priming; F-05."""
    volume = path_volume_ml(pump, catheter_ml) if extent is PrimeExtent.FULL else catheter_ml
    if volume is None:
        return None
    minutes = volume / pump.max_flow.in_ml_per_day * MINUTES_PER_DAY
    return Prime(volume, volume * concentration.in_mcg_per_ml, -int(-minutes // 1))
