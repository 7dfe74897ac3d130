"""Another drug or concentration in the pump: what changes, how it was rinsed, what was decided, which bridge.

Law: doses and rates of a mixture are those of its first part. A decision is about one change and dies with it;
there is no default. Sources: docs/solution-change.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

from app.models.catalogue import Drug
from app.models.filling import mix
from app.models.plug_flow import Fluid, Path
from app.models.program import OneTimeBolus, OneTimeKind
from app.models.quantities import MINUTES_PER_DAY, Concentration, DoseRate, Volume
from app.models.transition import PrimeExtent, PrimeReason, nearest

NO_OTHERS: Mapping[str, Concentration] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Solution:
    """What stands in a reservoir: the catalogue's name for it, and each drug in it, the one that is dosed first."""

    drug: str
    parts: tuple[tuple[str, Concentration], ...]

    @classmethod
    def of(cls, drug: Drug, concentration: Concentration, others: Mapping[str, Concentration] = NO_OTHERS) -> Solution:
        """``concentration`` is that of the first part; a mixture whose ``others`` are not known counts as one drug."""
        if len(drug.components) == 1:
            return cls(drug.slug, ((drug.components[0], concentration),))
        if not drug.components or set(others) != set(drug.components[1:]):
            return cls(drug.slug, ((drug.slug, concentration),))
        rest = tuple((slug, others[slug]) for slug in drug.components[1:])
        return cls(drug.slug, ((drug.components[0], concentration), *rest))

    @property
    def dosed(self) -> str:
        """The drug that doses mean."""
        return self.parts[0][0]

    @property
    def concentration(self) -> Concentration:
        """Concentration of the drug that doses mean."""
        return self.parts[0][1]

    @property
    def fluid(self) -> Fluid:
        return Fluid.of({drug: strength.in_mcg_per_ml for drug, strength in self.parts})


class Changed(StrEnum):
    """What is not the same afterwards."""

    DRUG = "drug"
    CONCENTRATION = "concentration"
    DOSE = "dose"


@dataclass(frozen=True, slots=True)
class SolutionChange:
    """From one solution at one daily dose to another; a program with times of day counts with its mean."""

    old: Solution
    old_dose: DoseRate
    new: Solution
    new_dose: DoseRate

    @property
    def needs_decision(self) -> bool:
        """Whether other fluid than before goes into the path. Source: CON-01."""
        return self.old.fluid != self.new.fluid or self.old.dosed != self.new.dosed

    @property
    def changed(self) -> tuple[Changed, ...]:
        """Drug, concentration, dose, or several. Source: CON-01, CON-06, CON-07."""
        differs = {
            Changed.DRUG: [drug for drug, _ in self.old.parts] != [drug for drug, _ in self.new.parts],
            Changed.CONCENTRATION: [strength for _, strength in self.old.parts]
            != [strength for _, strength in self.new.parts],
            Changed.DOSE: self.old_dose != self.new_dose,
        }
        return tuple(what for what in Changed if differs[what])

    @property
    def new_flow_ml_per_day(self) -> Fraction:
        """The flow of the new program in mL/day, exactly; zero without a dose. Source: F-01."""
        if not self.new.concentration:
            return Fraction(0)
        return self.new_dose.in_mcg_per_day / self.new.concentration.in_mcg_per_ml

    @property
    def largest_ratio(self) -> Fraction | None:
        """The largest ratio, above one, between two concentrations of the same drug; ``None`` if drugs differ."""
        old, new = dict(self.old.parts), dict(self.new.parts)
        if set(old) != set(new) or not all(old.values()) or not all(new.values()):
            return None
        ratios = [new[drug].ratio(strength) for drug, strength in old.items()]
        return max(max(ratio, 1 / ratio) for ratio in ratios)


@dataclass(frozen=True, slots=True)
class Rinse:
    """The answer to whether the reservoir was rinsed with the new solution: how much altogether, zero for not at all.

    Several small rinses clean better than one of the same volume, so it is counted as one.
    """

    volume: Volume

    @property
    def done(self) -> bool:
        return bool(self.volume)


def rinse_required(change: SolutionChange, limit: Fraction) -> bool:
    """Whether what is left of the old solution spoils the new one too much: another drug, or ``limit`` times the
    concentration or more. Source: docs/devices.md, dilution; CON-06."""
    ratio = change.largest_ratio
    return change.needs_decision and (ratio is None or ratio >= limit)


def real_fluid(change: SolutionChange, *, left: Volume, injected: Volume, rinse: Rinse) -> Fluid:
    """What is in the reservoir after rinse and fill, with ``left`` that no needle gets out; exact mcg/mL.

    Without any volume it is the new solution as ordered. Source: docs/devices.md, dilution.
    """
    old, new, mixed = dict(change.old.parts), dict(change.new.parts), {}
    for drug in {**old, **new}:
        mixture = mix(
            left=left,
            left_concentration=old.get(drug, Concentration.zero()),
            injected=injected,
            concentration=new.get(drug, Concentration.zero()),
            rinses=[rinse.volume] if rinse.done else [],
        )
        if mixture.concentration is None:
            return change.new.fluid
        mixed[drug] = mixture.concentration / Concentration.PER_MCG_PER_ML
    return Fluid.of(mixed)


class BridgeChoice(StrEnum):
    BRIDGE = "bridge"
    NO_BRIDGE = "no-bridge"


@dataclass(frozen=True, slots=True)
class BridgeDecision:
    """What somebody decided about ``about``; ``reason`` is asked for without a bridge. Source: CON-01."""

    choice: BridgeChoice
    about: SolutionChange
    reason: str = ""

    def holds_for(self, change: SolutionChange) -> bool:
        """Whether it was decided about just this change."""
        return self.about == change


@dataclass(frozen=True, slots=True)
class BridgePlan:
    """The bridge as the pump runs it: this volume, evenly, in whole minutes (nearest)."""

    volume: Volume
    duration_min: int

    @property
    def ml_per_day(self) -> Fraction:
        """The flow that whole minutes come to, exactly."""
        return self.volume.in_ml * MINUTES_PER_DAY / self.duration_min

    @property
    def order(self) -> OneTimeBolus:
        """What the pump is told."""
        return OneTimeBolus(OneTimeKind.BRIDGE, self.volume, self.duration_min)

    def ends_at(self, start: datetime) -> datetime:
        return start + timedelta(minutes=self.duration_min)


def bridge_plan(change: SolutionChange, path: Path) -> BridgePlan | None:
    """The bridge that gives the old dose until the path is empty of what stands in it now.

    ``None`` where no even flow can: the path holds two fluids, or none of the drug that was dosed, or the old or
    the new dose is zero, so that nothing was given before or nothing pushes afterwards. The dose of the bridge is
    the old one. Source: CON-02, F-03, H-33.
    """
    fluid = path.only_fluid
    strength = fluid.mcg_per_ml(change.old.dosed) if fluid is not None else Fraction(0)
    if not (strength and change.old_dose and change.new_flow_ml_per_day):
        return None
    flow = change.old_dose.in_mcg_per_day / strength
    minutes = nearest(path.volume_ml / flow * MINUTES_PER_DAY)
    return BridgePlan(Volume.ml(path.volume_ml), max(1, minutes))


def bridge_error(change: SolutionChange, plan: BridgePlan, path: Path) -> Fraction:
    """Dose during the bridge as run / old dose - 1; it comes from whole minutes alone."""
    fluid = path.only_fluid or change.old.fluid
    return plan.ml_per_day * fluid.mcg_per_ml(change.old.dosed) / change.old_dose.in_mcg_per_day - 1


def wait_min(path: Path, ml_per_day: Fraction) -> int | None:
    """Whole minutes (rounded up) until only the last fluid stands in the path, at the flow that runs now; ``None``
    if nothing flows. Source: H-33."""
    if not path.ahead_ml:
        return 0
    return -int(-path.ahead_ml / ml_per_day * MINUTES_PER_DAY // 1) if ml_per_day else None


def prime_extent(event: PrimeReason | None, *, tubing_is_full: bool = False) -> PrimeExtent | None:
    """What a priming bolus has to fill after ``event``, or ``None`` where there must be none: in a plain refill.

    ``tubing_is_full``: the pump was purged before it was implanted. Source: CON-04, H-34, docs/devices.md, priming.
    """
    match event:
        case PrimeReason.IMPLANT:
            return PrimeExtent.CATHETER if tubing_is_full else PrimeExtent.FULL
        case PrimeReason.REVISION | PrimeReason.ASPIRATED:
            return PrimeExtent.CATHETER
        case _:
            return None
