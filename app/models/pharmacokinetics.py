"""The curve of baclofen in spinal fluid: one compartment and an effect site. For display only.

Law: no rule ever fires on this curve. It is the one place in the models that computes with floats, by the closed
solution for each stretch of constant rate. Source: PK-01 to PK-07.

`curve` starts without drug and goes step by step; the settled week, which follows a dragged block, is in
`app/ui/schedule/curve_data.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import exp, log

from app.models.catalogue import Catalogue
from app.models.course import Course
from app.models.quantities import MINUTES_PER_WEEK, Mass

MODELS = ("label", "seed")

BAND_HALF_LIVES = 13
"""So many half-lives stand for all between the lowest and the highest: see :func:`band_models`."""


@dataclass(frozen=True, slots=True)
class CurveModel:
    """Clearance in mL/h, half-life in h, rate constant of the effect site in 1/h."""

    name: str
    clearance_ml_per_h: Fraction
    half_life_h: Fraction
    ke0_per_h: Fraction

    @property
    def k_per_h(self) -> float:
        """Rate constant of elimination."""
        return log(2) / float(self.half_life_h)

    @property
    def volume_ml(self) -> float:
        """Volume of distribution."""
        return float(self.clearance_ml_per_h) / self.k_per_h


def curve_model(name: str, catalogue: Catalogue) -> CurveModel:
    """One of :data:`MODELS`."""
    clearance, half_life, ke0 = (
        catalogue.rule(f"pk_{name}_{constant}") for constant in ("clearance_ml_per_h", "half_life_h", "ke0_per_h")
    )
    return CurveModel(name, clearance, half_life, ke0)


def band_models(catalogue: Catalogue) -> tuple[CurveModel, ...]:
    """The models whose envelope is the band of the fluid; their effect site is the label's and not meant to be drawn.

    The level falls wherever clearance rises, so its two ends are enough. It is not monotone in the half-life (some
    hours after a bolus the highest level belongs to one in between), so that is walked in even steps. Source: PK-04.
    """
    low, high, shortest, longest = (
        catalogue.rule(f"pk_band_{end}")
        for end in ("clearance_low_ml_per_h", "clearance_high_ml_per_h", "half_life_low_h", "half_life_high_h")
    )
    ke0 = catalogue.rule("pk_label_ke0_per_h")
    step = (longest - shortest) / (BAND_HALF_LIVES - 1)
    return tuple(
        CurveModel("band", clearance, shortest + number * step, ke0)
        for number in range(BAND_HALF_LIVES)
        for clearance in (low, high)
    )


def cervical_share(catalogue: Catalogue) -> Fraction:
    """Of the level at a thoracolumbar tip, what reaches the neck. Source: PK-05."""
    return 1 / catalogue.rule("pk_cervical_ratio")


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Concentration in mcg/mL in the fluid and at the effect site."""

    fluid: float
    effect: float


def curve(model: CurveModel, course: Course, *, hours: int, step_min: int) -> Iterator[CurvePoint]:
    """Points at 0, one step, …, up to and including the last within ``hours``; time 0 is Monday 00:00, no drug."""
    point, minute = CurvePoint(0.0, 0.0), 0
    yield point
    while minute + step_min <= hours * 60:
        for rate, minutes in _stretches(course, minute, minute + step_min):
            point = _after(model, point, rate, minutes / 60)
        minute += step_min
        yield point


def _stretches(course: Course, start: int, end: int) -> Iterator[tuple[float, int]]:
    """(mcg/h, minutes) from ``start`` to ``end``."""
    for week in range(start // MINUTES_PER_WEEK, -(-end // MINUTES_PER_WEEK)):
        shift = week * MINUTES_PER_WEEK
        for low, high, per_min in course.segments():
            minutes = min(high + shift, end) - max(low + shift, start)
            if minutes > 0:
                yield float(per_min * 60 / Mass.PER_MCG), minutes


def _after(model: CurveModel, point: CurvePoint, mcg_per_h: float, hours: float) -> CurvePoint:
    """The closed solution of dC/dt = (R - CL C)/V, dE/dt = ke0 (C - E) for a constant R."""
    k, ke0 = model.k_per_h, float(model.ke0_per_h)
    steady = mcg_per_h / float(model.clearance_ml_per_h)
    off, decay, decay_e = point.fluid - steady, exp(-k * hours), exp(-ke0 * hours)
    share = ke0 * off / (ke0 - k)
    return CurvePoint(
        fluid=steady + off * decay,
        effect=steady + (point.effect - steady - share) * decay_e + share * decay,
    )


def steady_state_mcg_per_ml(model: CurveModel, course: Course) -> Fraction:
    """Mean concentration in the steady state: (daily dose / 24) / clearance. Source: PK-07."""
    return course.per_day / Mass.PER_MCG / 24 / model.clearance_ml_per_h
