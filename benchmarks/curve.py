"""The curve of a year of 13 boluses a day, minute by minute: in closed form, beside SciPy's `lfilter` and `solve_ivp`.

Law: a time counts only beside an error. All are compared with the same reference: the solution of each stretch of
constant rate in decimal numbers of 40 digits, from the first bolus on. It shares nothing with them but the schedule.

`lfilter` gets the exact discretisation of the two equations for one minute, from `cont2discrete`. `solve_ivp` starts
anew at each change of rate, because it would step over a bolus otherwise; it is given a month, and its time is scaled
to the year. The second table is what happens at each step of a drag: one settled week, both sets and the band.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache

import numpy as np
from scipy.integrate import solve_ivp
from scipy.signal import cont2discrete, lfilter

from app.documents.catalogue import load_catalogue
from app.models.course import Course, achieved_plan, course_of
from app.models.pharmacokinetics import MODELS, CurveModel, band_models, curve_model
from app.models.quantities import MINUTES_PER_DAY, MINUTES_PER_WEEK, Volume
from app.ui.schedule.curve_data import Floats, transition_curve, week_curve
from benchmarks import ten_years

YEAR, MONTH = 365, 30
DIGITS = 40
SAMPLES = 3000
"""The error is looked for at so many minutes by lot, and at each minute of the first and the last day."""

LARGEST_ERROR = 1e-9
"""In per cent of the mean. Above this, a closed form or a filter is not the same curve."""

LARGEST_TIGHT_ERROR = 1e-3
"""In per cent of the mean, for `solve_ivp` with its tolerances drawn tight."""

Curve = tuple[Floats, Floats]
"""Fluid and effect at each minute, the first and the last included, in per cent of the course's mean."""

Way = Callable[[Course, CurveModel, int], Curve]
"""From a course, a model and a number of days, starting on Monday 00:00 without drug."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds of each run, the largest error in per cent of the mean, and the largest that lets the time count."""

    name: str
    seconds: Sequence[float]
    error: float
    allowed: float | None


def schedule() -> Course:
    """The course of the ten years' benchmark: 13 boluses of different size and length, the last past midnight."""
    settings = ten_years.schedule(Volume.ml(40))
    return course_of(achieved_plan(settings.program, load_catalogue().pump(ten_years.MODEL), settings.concentration))


def closed_form(course: Course, model: CurveModel, days: int) -> Curve:
    """As the window draws it: a change from nothing to the course."""
    nothing = Course([(0, Fraction(0))])
    found = transition_curve(nothing, course, model, start_min=0, hours=24 * days, step_min=1)
    return found.fluid, found.effect


def filtered(course: Course, model: CurveModel, days: int) -> Curve:
    """One pass of `lfilter` for the fluid, and one of the effect over that."""
    a, b = _one_minute(model)
    rate = np.resize(_rates_of_a_week(course), days * MINUTES_PER_DAY + 1)
    fluid = lfilter([0, b[0, 0]], [1, -a[0, 0]], rate)
    effect = lfilter([0, 1], [1, -a[1, 1]], a[1, 0] * fluid + b[1, 0] * rate)
    return fluid, effect


@cache
def _one_minute(model: CurveModel) -> tuple[Floats, Floats]:
    """What a minute makes of fluid and effect, and of a rate; kept, for a rival would work it out but once."""
    k, ke0 = model.k_per_h, float(model.ke0_per_h)
    system = (np.array([[-k, 0], [ke0, -ke0]]), np.array([[k], [0]]), np.eye(2), np.zeros((2, 1)))
    a, b, *_ = cont2discrete(system, 1 / 60)
    return a, b


def _rates_of_a_week(course: Course) -> Floats:
    """Of each minute, in per cent of the mean."""
    starts, ends, rates = zip(*course.segments(), strict=True)
    per_cent = float(course.per_week) / MINUTES_PER_WEEK / 100
    return np.repeat(np.array([float(rate) for rate in rates]) / per_cent, np.subtract(ends, starts))


def integrated(course: Course, model: CurveModel, days: int, **tolerances: float) -> Curve:
    """`solve_ivp` with its usual method, from change to change."""
    k, ke0 = model.k_per_h, float(model.ke0_per_h)
    per_cent = float(course.per_week) / MINUTES_PER_WEEK / 100
    state, parts = np.zeros(2), [np.zeros((2, 1))]
    for start, end, rate in _stretches(course, days * MINUTES_PER_DAY):
        steady = float(rate) / per_cent

        def slope(_: float, at: Floats, steady: float = steady) -> list[float]:
            return [k * (steady - at[0]), ke0 * (at[0] - at[1])]

        hours = np.arange(start, end + 1) / 60
        found = solve_ivp(slope, (hours[0], hours[-1]), state, t_eval=hours, **tolerances).y
        state = found[:, -1]
        parts.append(found[:, 1:])
    fluid, effect = np.concatenate(parts, axis=1)
    return fluid, effect


def _stretches(course: Course, minutes: int) -> list[tuple[int, int, Fraction]]:
    """(first minute, end, yg per minute) of each stretch of constant rate until ``minutes``."""
    found = []
    for monday in range(0, minutes, MINUTES_PER_WEEK):
        for start, end, rate in course.segments():
            if monday + start < minutes:
                found.append((monday + start, min(monday + end, minutes), rate))
    return found


def reference(course: Course, model: CurveModel, days: int) -> tuple[list[int], Curve]:
    """Some minutes, and fluid and effect at them, worked out in decimal numbers and rounded once."""
    wanted = sampled(days)
    points: list[tuple[Decimal, Decimal]] = []
    with localcontext() as context:
        context.prec = DIGITS
        k, ke0 = Decimal(2).ln() / _decimal(model.half_life_h), _decimal(model.ke0_per_h)

        @cache
        def left(minutes: int) -> tuple[Decimal, Decimal]:
            hours = Decimal(minutes) / 60
            return (-k * hours).exp(), (-ke0 * hours).exp()

        def after(level: tuple[Decimal, Decimal], steady: Decimal, minutes: int) -> tuple[Decimal, Decimal]:
            (fluid, effect), (kept, kept_effect) = level, left(minutes)
            off = fluid - steady
            share = ke0 * off / (ke0 - k)
            return steady + off * kept, steady + (effect - steady - share) * kept_effect + share * kept

        level, remaining = (Decimal(0), Decimal(0)), iter([*wanted, -1])
        minute = next(remaining)
        for start, end, rate in _stretches(course, days * MINUTES_PER_DAY):
            steady = _decimal(100 * rate * MINUTES_PER_WEEK / course.per_week)
            while start <= minute <= end:
                points.append(after(level, steady, minute - start))
                minute = next(remaining)
            level = after(level, steady, end - start)
    fluid, effect = np.array([[float(fluid), float(effect)] for fluid, effect in points]).T
    return wanted, (fluid, effect)


def _decimal(number: Fraction) -> Decimal:
    return Decimal(number.numerator) / number.denominator


def sampled(days: int) -> list[int]:
    """The minutes at which errors are looked for."""
    last = days * MINUTES_PER_DAY
    by_lot = random.Random(13).sample(range(last + 1), min(SAMPLES, last + 1))
    return sorted({*by_lot, *range(MINUTES_PER_DAY + 1), *range(last - MINUTES_PER_DAY, last + 1)})


def error_of(found: Curve, minutes: Sequence[int], true: Curve) -> float:
    """The largest difference, in per cent of the mean."""
    return max(float(np.abs(line[minutes] - exact).max()) for line, exact in zip(found, true, strict=True))


def measure_year(course: Course, model: CurveModel, days: int, month: int, runs: int, own: Way) -> list[Measured]:
    """All ways, in turns; of those that got a month only, the time of ``days``."""

    def usual(course: Course, model: CurveModel, days: int) -> Curve:
        return integrated(course, model, days)

    def tight(course: Course, model: CurveModel, days: int) -> Curve:
        return integrated(course, model, days, rtol=1e-9, atol=1e-9)

    ways: list[tuple[str, Way, int, int, float | None]] = [
        ("closed form", own, days, runs, LARGEST_ERROR),
        ("lfilter", filtered, days, runs, LARGEST_ERROR),
        (f"solve_ivp, {month} days scaled", usual, month, 1, None),
        (f"solve_ivp, {month} days scaled, 1e-9", tight, month, 1, LARGEST_TIGHT_ERROR),
    ]
    seconds: list[list[float]] = [[] for _ in ways]
    curves: list[Curve] = [(np.zeros(0), np.zeros(0)) for _ in ways]
    for run in range(runs):
        for number, (_, way, span, times, _) in enumerate(ways):
            if run < times:
                began = time.perf_counter()
                curves[number] = way(course, model, span)
                seconds[number].append((time.perf_counter() - began) * days / span)
    true = {span: reference(course, model, span) for span in (days, month)}
    return [
        Measured(name, took, error_of(found, *true[span]), allowed)
        for (name, _, span, _, allowed), took, found in zip(ways, seconds, curves, strict=True)
    ]


def measure_week(course: Course, runs: int) -> list[Measured]:
    """One step of a drag: the settled week at one minute, both sets and the band; and the same by `lfilter`.

    A filter knows no settled week, so it runs through three and keeps the last.
    """
    catalogue = load_catalogue()
    models, band = [curve_model(name, catalogue) for name in MODELS], band_models(catalogue)
    half_lives = {model.half_life_h: model for model in band}.values()

    def own() -> list[Floats]:
        label, seed = (week_curve(course, model, band if n == 0 else (), step_min=1) for n, model in enumerate(models))
        return [label.fluid, label.effect, seed.fluid, seed.effect, label.low, label.high]

    def rival() -> list[Floats]:
        drawn = [filtered(course, model, 21) for model in models]
        around = [filtered(course, model, 21)[0] for model in half_lives]
        scales = [float(models[0].clearance_ml_per_h / model.clearance_ml_per_h) for model in band]
        low, high = np.minimum.reduce(around) * min(scales), np.maximum.reduce(around) * max(scales)
        lines = [line for curve in drawn for line in curve]
        return [line[-MINUTES_PER_WEEK - 1 :] for line in (*lines, low, high)]

    seconds: list[list[float]] = [[], []]
    for _ in range(runs):
        for number, way in enumerate((own, rival)):
            began = time.perf_counter()
            way()
            seconds[number].append(time.perf_counter() - began)
    apart = max(float(np.abs(one - other).max()) for one, other in zip(own(), rival(), strict=True))
    names = ("closed form", "lfilter, three weeks")
    return [Measured(name, took, apart, LARGEST_ERROR) for name, took in zip(names, seconds, strict=True)]


def main(arguments: Sequence[str], *, own: Way = closed_form) -> int:
    """Measure both sets and a step of a drag, print them, and return 1 if one of the curves is not the same."""
    parser = argparse.ArgumentParser(prog="bench curve", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--days", type=int, default=YEAR)
    parser.add_argument("--month-days", type=int, default=MONTH, help="days that solve_ivp gets")
    parser.add_argument("--runs", type=int, default=9)
    chosen = parser.parse_args(arguments)
    course, catalogue, differ = schedule(), load_catalogue(), False
    for name in MODELS:
        points = chosen.days * MINUTES_PER_DAY
        print(f"{points:,} minutes of {ten_years.BOLUSES} boluses a day, set {name!r}, error in per cent of the mean")
        model, month = curve_model(name, catalogue), min(chosen.month_days, chosen.days)
        differ |= _show(measure_year(course, model, chosen.days, month, chosen.runs, own))
    print("one step of a drag: a settled week at one minute, both sets and the band, error between the two")
    differ |= _show(measure_week(course, chosen.runs))
    return 1 if differ else 0


def _show(measured: Sequence[Measured]) -> bool:
    """Print a table, and say whether a curve is not the one that it should be."""
    print(f"  {'':34}{'least':>13}{'ratio':>10}{'median':>13}   error")
    differ = False
    for row in measured:
        wrong = row.allowed is not None and not row.error <= row.allowed
        differ |= wrong
        least, median = min(row.seconds), statistics.median(row.seconds)
        times = f"{least * 1000:10.2f} ms{least / min(measured[0].seconds):10.1f}{median * 1000:10.2f} ms"
        print(f"  {row.name:34}{times}   {row.error:.1e}{'  DIFFERS' * wrong}")
    return differ
