"""Fluid on its way through tubing and catheter: what is pushed in at one end comes out at the other, in order.

Law: plugs never mix, nothing is lost and nothing is rounded; volumes in mL, times in minutes, rates in mcg/h.
Mixing at the boundary, which a long catheter does show, is not modelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from app.models.errors import AppError
from app.models.program import OneTimeBolus
from app.models.quantities import MINUTES_PER_DAY


class BackwardsError(AppError):
    """A volume, a flow or a time is below zero; ``what`` names it."""


@dataclass(frozen=True, slots=True)
class Fluid:
    """mcg/mL of every drug in it, in the order of their slugs; a drug at zero is not in it."""

    parts: tuple[tuple[str, Fraction], ...]

    @classmethod
    def of(cls, mcg_per_ml: Mapping[str, Fraction]) -> Fluid:
        """The fluid with these concentrations."""
        return cls(tuple(sorted((drug, strength) for drug, strength in mcg_per_ml.items() if strength)))

    def mcg_per_ml(self, drug: str) -> Fraction:
        """Concentration of one drug; zero if it is not in it."""
        return dict(self.parts).get(drug, Fraction(0))


@dataclass(frozen=True, slots=True)
class Plug:
    """A stretch of one fluid, in mL."""

    volume_ml: Fraction
    fluid: Fluid


@dataclass(frozen=True, slots=True)
class Path:
    """What stands between reservoir and tip, the plug at the tip first."""

    plugs: tuple[Plug, ...]

    @classmethod
    def filled(cls, volume_ml: Fraction, fluid: Fluid) -> Path:
        """A path that holds one fluid only. Raises: BackwardsError."""
        _require_forwards(volume=volume_ml)
        return cls((Plug(volume_ml, fluid),) if volume_ml else ())

    @property
    def volume_ml(self) -> Fraction:
        return _volume(self.plugs)

    @property
    def only_fluid(self) -> Fluid | None:
        """The fluid that fills the whole path; ``None`` if there are several, or none."""
        return self.plugs[0].fluid if len(self.plugs) == 1 else None

    @property
    def ahead_ml(self) -> Fraction:
        """What must leave at the tip before the path holds one fluid only."""
        return _volume(self.plugs[:-1])

    def pushed(self, volume_ml: Fraction, entering: Fluid) -> tuple[tuple[Plug, ...], Path]:
        """What leaves at the tip, first things first, and the path after it. Raises: BackwardsError."""
        _require_forwards(volume=volume_ml)
        out, rest = _split(_merged([*self.plugs, Plug(volume_ml, entering)]), volume_ml)
        return out, Path(rest)


def _require_forwards(**amounts: Fraction) -> None:
    for what, amount in amounts.items():
        if amount < 0:
            raise BackwardsError(what=what, amount=amount)


def _volume(plugs: Sequence[Plug]) -> Fraction:
    return sum((plug.volume_ml for plug in plugs), Fraction(0))


def _merged(plugs: Sequence[Plug]) -> list[Plug]:
    merged: list[Plug] = []
    for plug in plugs:
        if not plug.volume_ml:
            continue
        if merged and merged[-1].fluid == plug.fluid:
            plug = Plug(merged.pop().volume_ml + plug.volume_ml, plug.fluid)
        merged.append(plug)
    return merged


def _split(plugs: Sequence[Plug], volume_ml: Fraction) -> tuple[tuple[Plug, ...], tuple[Plug, ...]]:
    """The first ``volume_ml`` of them, and the rest."""
    first: list[Plug] = []
    rest: list[Plug] = []
    for plug in plugs:
        taken = min(plug.volume_ml, volume_ml)
        volume_ml -= taken
        if taken:
            first.append(Plug(taken, plug.fluid))
        if taken < plug.volume_ml:
            rest.append(Plug(plug.volume_ml - taken, plug.fluid))
    return tuple(first), tuple(rest)


@dataclass(frozen=True, slots=True)
class Pumping:
    """An even flow of one fluid out of the reservoir, for so many minutes."""

    minutes: Fraction
    ml_per_day: Fraction
    fluid: Fluid


@dataclass(frozen=True, slots=True)
class Arrival:
    """What comes out at the tip from ``start_min`` to ``end_min``: one fluid at one flow."""

    start_min: Fraction
    end_min: Fraction
    ml_per_day: Fraction
    fluid: Fluid

    def mcg_per_day(self, drug: str) -> Fraction:
        """The dose rate of one drug. Source: F-01."""
        return self.ml_per_day * self.fluid.mcg_per_ml(drug)

    def mcg_per_h(self, drug: str) -> Fraction:
        return self.mcg_per_day(drug) / 24


def arrivals(path: Path, pumpings: Sequence[Pumping]) -> tuple[Arrival, ...]:
    """The course of what the patient gets, as steps from minute 0 on. Raises: BackwardsError."""
    steps: list[Arrival] = []
    for step, _ in _walk(path, pumpings):
        last = steps[-1] if steps else None
        if last is not None and (last.ml_per_day, last.fluid) == (step.ml_per_day, step.fluid):
            step = Arrival(steps.pop().start_min, step.end_min, step.ml_per_day, step.fluid)
        steps.append(step)
    return tuple(steps)


def path_after(path: Path, pumpings: Sequence[Pumping]) -> Path:
    """What stands in the path when all of ``pumpings`` are over. Raises: BackwardsError."""
    for _, after in _walk(path, pumpings):
        path = after
    return path


def _walk(path: Path, pumpings: Sequence[Pumping]) -> Iterator[tuple[Arrival, Path]]:
    at = Fraction(0)
    for pumping in pumpings:
        _require_forwards(minutes=pumping.minutes, flow=pumping.ml_per_day)
        per_min = pumping.ml_per_day / MINUTES_PER_DAY
        out, path = path.pushed(per_min * pumping.minutes, pumping.fluid)
        if not per_min:
            yield Arrival(at, at + pumping.minutes, Fraction(0), Fluid(())), path
            at += pumping.minutes
        for plug in out:
            end = at + plug.volume_ml / per_min
            yield Arrival(at, end, pumping.ml_per_day, plug.fluid), path
            at = end


def given_mcg(steps: Sequence[Arrival], drug: str, start_min: Fraction, end_min: Fraction) -> Fraction:
    """The drug that the patient gets between two moments, in mcg."""
    total = Fraction(0)
    for step in steps:
        minutes = min(step.end_min, end_min) - max(step.start_min, start_min)
        if minutes > 0:
            total += step.mcg_per_day(drug) * minutes / MINUTES_PER_DAY
    return total


def per_minute(steps: Sequence[Arrival], drug: str, minutes: int) -> Iterator[Fraction]:
    """mcg that arrive at the tip in each of the first ``minutes`` minutes."""
    for minute in range(minutes):
        yield given_mcg(steps, drug, Fraction(minute), Fraction(minute + 1))


def new_at_tip_min(path_ml: Fraction, pumpings: Sequence[Pumping]) -> Fraction | None:
    """When the first drop that left the reservoir after minute 0 reaches the tip; ``None`` if it does not yet."""
    at, left = Fraction(0), path_ml
    for pumping in pumpings:
        volume = pumping.ml_per_day * pumping.minutes / MINUTES_PER_DAY
        if volume >= left and pumping.ml_per_day:
            return at + left / pumping.ml_per_day * MINUTES_PER_DAY
        at, left = at + pumping.minutes, left - volume
    return None


def bridge_left_ml(bridge: OneTimeBolus, gone_min: Fraction) -> Fraction:
    """What a running bridge has still to push, ``gone_min`` minutes after its start. Source: H-33."""
    if not bridge.duration_min:
        return Fraction(0)
    gone = min(max(gone_min, Fraction(0)), Fraction(bridge.duration_min))
    return bridge.volume.in_ml * (1 - gone / bridge.duration_min)


def path_in_bridge(path_ml: Fraction, older: Fluid, newer: Fluid, left_ml: Fraction) -> Path:
    """The path while a bridge runs that has ``left_ml`` still to push: older fluid at the tip, newer behind it."""
    ahead = min(left_ml, path_ml)
    return Path(tuple(_merged([Plug(ahead, older), Plug(path_ml - ahead, newer)])))
