"""The predicted curve of a schedule in per cent of its own mean, fast enough to follow a dragged block.

Law: every level is a closed form. The settled week repeats itself, its state on Monday 00:00 being the one that one
week leads back to; whatever came before only fades. So nothing is run in, and a year costs no more steps than a week.
It is a picture and not a measurement, and no rule reads it. Source: PK-01, PK-04 to PK-06.

In per cent of the mean, clearance cancels out of a curve. It comes back in the band, whose models are drawn to the
scale of the model that they surround: at half its clearance, twice its level.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import expm1, gcd, pow

import numpy as np
from numpy.typing import NDArray

from app.models.course import Course
from app.models.pharmacokinetics import CurveModel
from app.models.quantities import MINUTES_PER_WEEK

Floats = NDArray[np.float64]
Minutes = NDArray[np.int64]

_FADED = 40
"""After so many times its slowest time constant, less than a rounding error is left of what came before."""


@dataclass(frozen=True, slots=True, eq=False)
class RelativeCurve:
    """Per cent of the steady-state mean, at ``minutes`` of the pump's week, which may run on past its end.

    ``low`` and ``high`` are the band of ``fluid``; without models for a band they are ``fluid`` itself.
    """

    minutes: Minutes
    fluid: Floats
    effect: Floats
    low: Floats
    high: Floats


def week_curve(course: Course, model: CurveModel, band: Sequence[CurveModel], *, step_min: int = 5) -> RelativeCurve:
    """The settled week from Monday 00:00 up to and including its end; a course of nothing is nothing throughout."""
    minutes = np.arange(0, MINUTES_PER_WEEK + 1, step_min, dtype=np.int64)
    week = _Week.of(course, mean=course.per_week)
    places = week.places(minutes)
    fluid, effect = _fluid(week, model, places), _effect(week, model, places)
    low, high = _envelope(model, band, lambda other: _fluid(week, other, places)) or (fluid, fluid)
    return RelativeCurve(minutes, fluid, effect, low, high)


def transition_curve(
    old: Course,
    new: Course,
    model: CurveModel,
    *,
    start_min: int,
    hours: int,
    step_min: int,
    band: Sequence[CurveModel] = (),
) -> RelativeCurve:
    """From the settled ``old`` to ``new``, which reaches the catheter's tip at minute ``start_min`` of the week.

    The points lie ``step_min`` apart, from ``start_min`` up to and including ``hours`` later. 100 % is the mean of
    ``new``; if that gives nothing, the mean of ``old``.
    """
    minutes = np.arange(start_min, start_min + hours * 60 + 1, step_min, dtype=np.int64)
    mean = new.per_week or old.per_week
    change = _Change(_Week.of(old, mean=mean), _Week.of(new, mean=mean), minutes, step_min)
    fluid, effect = change.fluid(model), change.effect(model)
    low, high = _envelope(model, band, change.fluid) or (fluid, fluid)
    return RelativeCurve(minutes, fluid, effect, low, high)


def cervical(curve: RelativeCurve, share: Fraction) -> RelativeCurve:
    """The same curve at the neck, in per cent of the mean at the tip. Source: PK-05."""
    there = float(share)
    return RelativeCurve(
        curve.minutes, curve.fluid * there, curve.effect * there, curve.low * there, curve.high * there
    )


def remaining_after(model: CurveModel, hours: Fraction) -> float:
    """The share of the level in the fluid that is left after ``hours`` without delivery. Source: DOS-11."""
    return pow(2.0, -float(hours / model.half_life_h))


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Of some minutes, the segment in which each lies and the hours since that began."""

    segment: NDArray[np.intp]
    hours: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Week:
    """A course in floats, by segment: hours of its beginning and its length, rate in per cent of the mean."""

    starts_min: Minutes
    begins: Floats
    lasts: Floats
    rates: Floats

    @classmethod
    def of(cls, course: Course, *, mean: Fraction) -> _Week:
        """``mean``: yg in a week that are 100 %; 0 only where the course is nothing itself."""
        starts, ends, rates = zip(*course.segments(), strict=True)
        per_cent = (float(mean) or 1.0) / MINUTES_PER_WEEK / 100
        minutes = np.array(starts, dtype=np.int64)
        lasts = (np.array(ends, dtype=np.int64) - minutes) / 60
        return cls(minutes, minutes / 60, lasts, np.array([float(rate) for rate in rates]) / per_cent)

    def places(self, minutes: Minutes) -> _Places:
        within = minutes % MINUTES_PER_WEEK
        segment = np.searchsorted(self.starts_min, within, side="right") - 1
        return _Places(segment, (within - self.starts_min[segment]) / 60)


@dataclass(frozen=True, slots=True, eq=False)
class _Change:
    """A settled week that follows another one, at ``minutes`` that lie ``step_min`` apart."""

    old: _Week
    new: _Week
    minutes: Minutes
    step_min: int

    def fluid(self, model: CurveModel) -> Floats:
        since = self._before_it_faded(model.k_per_h)
        settled = self._repeated(_fluid(self.new, model, self._one_cycle()))
        settled[: since.size] += self._gap(model) * np.exp(-model.k_per_h * since)
        return settled

    def effect(self, model: CurveModel) -> Floats:
        ke0, first = float(model.ke0_per_h), self.minutes[:1]
        since = self._before_it_faded(min(model.k_per_h, ke0))
        settled = self._repeated(_effect(self.new, model, self._one_cycle()))
        gap = _effect(self.old, model, self.old.places(first)) - settled[0]
        settled[: since.size] += gap * np.exp(-ke0 * since) + self._gap(model) * _passed(model, since)
        return settled

    def _gap(self, model: CurveModel) -> Floats:
        """By how much the fluid starts off its new course."""
        first = self.minutes[:1]
        return _fluid(self.old, model, self.old.places(first)) - _fluid(self.new, model, self.new.places(first))

    def _one_cycle(self) -> _Places:
        return self.new.places(self.minutes[: MINUTES_PER_WEEK // gcd(MINUTES_PER_WEEK, self.step_min)])

    def _repeated(self, cycle: Floats) -> Floats:
        return np.resize(cycle, self.minutes.size)

    def _before_it_faded(self, slowest_per_h: float) -> Floats:
        """Hours since the change at the points at which the old course still counts."""
        points = int(_FADED / slowest_per_h * 60) // self.step_min + 1
        hours: Floats = (self.minutes[:points] - self.minutes[0]) / 60
        return hours


def _fluid(week: _Week, model: CurveModel, places: _Places) -> Floats:
    """dC/dt = k (R - C), settled."""
    off = _fluid_at_starts(week, model.k_per_h) - week.rates
    return week.rates[places.segment] + off[places.segment] * np.exp(-model.k_per_h * places.hours)


def _effect(week: _Week, model: CurveModel, places: _Places) -> Floats:
    """dE/dt = ke0 (C - E), settled."""
    fluid, ke0 = _fluid_at_starts(week, model.k_per_h), float(model.ke0_per_h)
    fluid_off, effect_off = fluid - week.rates, _effect_at_starts(week, model, fluid) - week.rates
    own = effect_off[places.segment] * np.exp(-ke0 * places.hours)
    return week.rates[places.segment] + own + fluid_off[places.segment] * _passed(model, places.hours)


def _fluid_at_starts(week: _Week, k_per_h: float) -> Floats:
    kept = np.exp(-k_per_h * week.lasts)
    return _settled(week, k_per_h, kept, week.rates * -np.expm1(-k_per_h * week.lasts))


def _effect_at_starts(week: _Week, model: CurveModel, fluid: Floats) -> Floats:
    ke0 = float(model.ke0_per_h)
    kept, passed = np.exp(-ke0 * week.lasts), _passed(model, week.lasts)
    return _settled(week, ke0, kept, week.rates * (1 - kept - passed) + fluid * passed)


def _settled(week: _Week, per_h: float, kept: Floats, gained: Floats) -> Floats:
    """The level at each segment's start, of which each segment keeps and gains so much.

    Walked from nothing on Monday 00:00 to the week's end. The level at which a week ends as it began is that end over
    what a week loses, and what it adds to the walk only fades. Sums with growing weights would overflow; these shrink.
    """
    level, walked = 0.0, []
    for share, more in zip(kept.tolist(), gained.tolist(), strict=True):
        walked.append(level)
        level = level * share + more
    monday = level / -expm1(-per_h * MINUTES_PER_WEEK / 60)
    settled: Floats = np.array(walked) + monday * np.exp(-per_h * week.begins)
    return settled


def _passed(model: CurveModel, hours: Floats) -> Floats:
    """What a level of 1 in the fluid, left alone, makes of the effect: ke0 (exp(-k t) - exp(-ke0 t)) / (ke0 - k).

    Written so that nothing cancels where the two constants are nearly or quite the same.
    """
    k, ke0 = model.k_per_h, float(model.ke0_per_h)
    apart = abs(ke0 - k)
    between = -np.expm1(-apart * hours) / apart if apart else hours
    return ke0 * between * np.exp(-min(k, ke0) * hours)


def _envelope(
    model: CurveModel, band: Sequence[CurveModel], fluid: Callable[[CurveModel], Floats]
) -> tuple[Floats, Floats] | None:
    """The lowest and the highest level of all models at the dose and in the scale of ``model``; None without models.

    Those that share a half-life are one curve at several heights, so it is worked out once.
    """
    alike: defaultdict[Fraction, list[CurveModel]] = defaultdict(list)
    for other in band:
        alike[other.half_life_h].append(other)
    lows, highs = [], []
    for models in alike.values():
        curve = fluid(models[0])
        heights = [float(model.clearance_ml_per_h / other.clearance_ml_per_h) for other in models]
        lows.append(curve * min(heights))
        highs.append(curve * max(heights))
    return (np.minimum.reduce(lows), np.maximum.reduce(highs)) if band else None
