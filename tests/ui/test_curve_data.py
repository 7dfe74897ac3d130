"""The settled week and what comes after a change, against an integration in small steps and figures by hand."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import log

import numpy as np
import pytest

from app.documents.catalogue import load_catalogue
from app.models.course import Course
from app.models.pharmacokinetics import MODELS, CurveModel, band_models, curve, curve_model, steady_state_mcg_per_ml
from app.models.quantities import MINUTES_PER_DAY, MINUTES_PER_WEEK, Mass
from app.ui.schedule.curve_data import RelativeCurve, cervical, remaining_after, transition_curve, week_curve

CATALOGUE = load_catalogue()
LABEL, SEED = (curve_model(name, CATALOGUE) for name in MODELS)
BAND = band_models(CATALOGUE)

NOTHING = Course([(0, Fraction(0))])


def daily(*rates: tuple[int, int]) -> Course:
    """Every day the same: (minute of the day, mcg a day)."""
    return Course(
        (day * MINUTES_PER_DAY + minute, Fraction(rate * Mass.PER_MCG, MINUTES_PER_DAY))
        for day in range(7)
        for minute, rate in rates
    )


def weekly(*rates: tuple[int, int]) -> Course:
    return Course((minute, Fraction(rate)) for minute, rate in rates)


EVEN = daily((0, 350))
NIGHT = daily((0, 900), (17, 100), (360, 350), (1320, 500))
ONE_BOLUS = weekly((0, 1), (1, 0))
WEEKEND = weekly((0, 7), (3000, 0), (4321, 5), (10_000, 70), (10_010, 1))


def stepped(
    model: CurveModel, course: Course, fluid: float = 0.0, effect: float = 0.0
) -> Iterator[tuple[float, float]]:
    """Runge and Kutta's fourth order, minute by minute from Monday 00:00, in per cent of the course's mean."""
    k, ke0, mean = log(2) / float(model.half_life_h), float(model.ke0_per_h), course.per_week / MINUTES_PER_WEEK
    rates = [0.0] * MINUTES_PER_WEEK
    for start, end, rate in course.segments():
        rates[start:end] = [float(100 * rate / mean)] * (end - start)
    h, minute = 1 / 60, 0
    while True:
        yield fluid, effect
        rate = rates[minute % MINUTES_PER_WEEK]

        def slope(c: float, e: float, rate: float = rate) -> tuple[float, float]:
            return k * (rate - c), ke0 * (c - e)

        a = slope(fluid, effect)
        b = slope(fluid + h / 2 * a[0], effect + h / 2 * a[1])
        c = slope(fluid + h / 2 * b[0], effect + h / 2 * b[1])
        d = slope(fluid + h * c[0], effect + h * c[1])
        fluid += h / 6 * (a[0] + 2 * b[0] + 2 * c[0] + d[0])
        effect += h / 6 * (a[1] + 2 * b[1] + 2 * c[1] + d[1])
        minute += 1


def first(steps: Iterator[tuple[float, float]], count: int) -> np.ndarray:
    return np.array([next(steps) for _ in range(count)]).T


def finite(found: RelativeCurve) -> bool:
    return all(np.isfinite(line).all() for line in (found.fluid, found.effect, found.low, found.high))


@pytest.mark.parametrize("course", [EVEN, NIGHT, WEEKEND, ONE_BOLUS], ids=["even", "night", "weekend", "one bolus"])
@pytest.mark.parametrize("model", [LABEL, SEED], ids=MODELS)
class TestSettledWeek:
    def test_it_is_the_third_week_of_an_integration_in_small_steps(self, model: CurveModel, course: Course) -> None:
        fluid, effect = first(stepped(model, course), 3 * MINUTES_PER_WEEK + 1)[:, 2 * MINUTES_PER_WEEK :]
        found = week_curve(course, model, (), step_min=1)
        scale = fluid.max()
        assert np.abs(found.fluid - fluid).max() < 1e-7 * scale
        assert np.abs(found.effect - effect).max() < 1e-7 * scale

    def test_it_is_what_evaluate_says_of_the_third_week(self, model: CurveModel, course: Course) -> None:
        points = list(curve(model, course, hours=3 * 168, step_min=60))[2 * 168 :]
        mean = float(steady_state_mcg_per_ml(model, course)) / 100
        found = week_curve(course, model, (), step_min=60)
        assert found.fluid == pytest.approx([point.fluid / mean for point in points], rel=1e-9, abs=1e-9)
        assert found.effect == pytest.approx([point.effect / mean for point in points], rel=1e-9, abs=1e-9)

    def test_it_ends_as_it_began_and_its_mean_is_100(self, model: CurveModel, course: Course) -> None:
        found = week_curve(course, model, BAND, step_min=1)
        assert found.minutes[0] == 0 and found.minutes[-1] == MINUTES_PER_WEEK
        for line in (found.fluid, found.effect, found.low, found.high):
            assert line[0] == line[-1]
        for line in (found.fluid, found.effect):
            assert (line[1:] + line[:-1]).mean() / 2 == pytest.approx(100, abs=0.01)

    def test_the_band_is_around_it(self, model: CurveModel, course: Course) -> None:
        found = week_curve(course, model, BAND)
        assert (found.low <= found.fluid).all() and (found.fluid <= found.high).all()


class TestDegenerate:
    @pytest.mark.parametrize("model", [LABEL, SEED])
    def test_a_program_of_nothing_is_nothing(self, model: CurveModel) -> None:
        week = week_curve(NOTHING, model, BAND)
        later = transition_curve(NOTHING, NOTHING, model, start_min=77, hours=48, step_min=5, band=BAND)
        for found in (week, later):
            for line in (found.fluid, found.effect, found.low, found.high):
                assert (line == 0).all()

    def test_equal_rate_constants_are_no_seam(self) -> None:
        ke0 = Fraction(LABEL.k_per_h)
        models = [CurveModel("x", Fraction(30), LABEL.half_life_h, ke0 + off) for off in (-Fraction(1, 10**12), 0)]
        near, equal = (week_curve(NIGHT, model, ()) for model in models)
        _fluid, effect = first(stepped(models[1], NIGHT), 3 * MINUTES_PER_WEEK)[:, 2 * MINUTES_PER_WEEK :: 5]
        assert np.abs(near.effect - equal.effect).max() < 1e-9
        assert np.abs(equal.effect[:-1] - effect).max() < 1e-5

    def test_without_models_the_band_is_the_fluid(self) -> None:
        found = week_curve(NIGHT, LABEL, ())
        assert (found.low == found.fluid).all() and (found.high == found.fluid).all()

    def test_a_step_that_does_not_divide_the_week_stops_before_its_end(self) -> None:
        found, fine = (week_curve(NIGHT, LABEL, (), step_min=step) for step in (11, 1))
        assert found.minutes[-1] == 10_076
        assert found.fluid == pytest.approx(fine.fluid[found.minutes])


class TestBand:
    def test_of_an_even_rate_it_is_the_ratio_of_the_clearances(self) -> None:
        # 30/80 and 30/13 of the mean, whatever the half-life.
        found = week_curve(EVEN, LABEL, BAND)
        assert found.low == pytest.approx(37.5) and found.high == pytest.approx(3000 / 13)

    def test_half_lives_in_between_leave_out_one_per_cent_at_most(self) -> None:
        # The worst case is a day of one short bolus and nothing else.
        course = daily((0, 1), (10, 0))
        shortest, longest = BAND[0].half_life_h, BAND[-1].half_life_h
        many = [
            CurveModel("x", clearance, shortest + (longest - shortest) * number / 400, LABEL.ke0_per_h)
            for clearance in (Fraction(13), Fraction(80))
            for number in range(401)
        ]
        found, exact = week_curve(course, LABEL, BAND, step_min=15), week_curve(course, LABEL, many, step_min=15)
        assert (exact.high / found.high).max() < 1.011
        assert (found.low / exact.low).max() < 1.011

    def test_the_corners_alone_would_leave_out_a_quarter(self) -> None:
        course = daily((0, 1), (10, 0))
        corners = [model for model in BAND if model.half_life_h in (BAND[0].half_life_h, BAND[-1].half_life_h)]
        alone, found = (week_curve(course, LABEL, models) for models in (corners, BAND))
        assert (found.high / alone.high).max() > 1.25


class TestTransition:
    @pytest.mark.parametrize(
        ("model", "shares"),
        [(LABEL, {6: 36, 8: 48, 24: 92, 48: 99.5}), (SEED, {6: 40, 8: 54, 24: 96})],
        ids=MODELS,
    )
    def test_the_effect_of_a_first_rate_comes_up_as_the_rules_say(self, model, shares: dict[int, float]) -> None:
        found = transition_curve(NOTHING, EVEN, model, start_min=600, hours=48, step_min=60)
        for hour, share in shares.items():
            assert found.effect[hour] == pytest.approx(share, abs=0.05 if share == 99.5 else 0.5)
        assert found.fluid[0] == found.effect[0] == 0

    @pytest.mark.parametrize("model", [LABEL, SEED], ids=MODELS)
    def test_a_bolus_has_its_largest_effect_after_four_hours(self, model: CurveModel) -> None:
        found = week_curve(ONE_BOLUS, model, (), step_min=1)
        assert found.fluid.argmax() == 1
        assert found.effect.argmax() == pytest.approx(240, abs=1)

    @pytest.mark.parametrize("model", [LABEL, SEED], ids=MODELS)
    def test_it_is_an_integration_in_small_steps_that_begins_with_the_old_week(self, model: CurveModel) -> None:
        before = week_curve(NIGHT, model, (), step_min=1)
        unit = NIGHT.per_week / WEEKEND.per_week
        begin = (before.fluid[0] * float(unit), before.effect[0] * float(unit))
        fluid, effect = first(stepped(model, WEEKEND, *begin), 9 * MINUTES_PER_DAY + 1)
        found = transition_curve(NIGHT, WEEKEND, model, start_min=0, hours=9 * 24, step_min=1)
        assert np.abs(found.fluid - fluid).max() < 1e-7 * fluid.max()
        assert np.abs(found.effect - effect).max() < 1e-7 * fluid.max()

    @pytest.mark.parametrize("step", [1, 7, 60])
    def test_no_change_is_the_settled_week_also_past_its_end(self, step: int) -> None:
        found = transition_curve(NIGHT, NIGHT, SEED, start_min=9000, hours=400, step_min=step, band=BAND)
        week = week_curve(NIGHT, SEED, BAND, step_min=1)
        place = found.minutes % MINUTES_PER_WEEK
        assert found.minutes[0] == 9000 and 33_000 - step < found.minutes[-1] <= 33_000
        for line, settled in ((found.fluid, week.fluid), (found.effect, week.effect), (found.high, week.high)):
            assert line == pytest.approx(settled[place], rel=1e-12)

    def test_it_starts_at_the_old_level_in_per_cent_of_the_new_mean(self) -> None:
        twice = NIGHT.times(Fraction(2))
        week = week_curve(NIGHT, LABEL, ())
        found = transition_curve(NIGHT, twice, LABEL, start_min=500, hours=48, step_min=5)
        assert found.fluid[0] == pytest.approx(week.fluid[100] / 2)
        assert found.effect[0] == pytest.approx(week.effect[100] / 2)

    @pytest.mark.parametrize("model", [LABEL, SEED], ids=MODELS)
    def test_a_stop_fades_in_per_cent_of_the_old_mean(self, model: CurveModel) -> None:
        found = transition_curve(EVEN, NOTHING, model, start_min=0, hours=24, step_min=60, band=BAND)
        left = [100 * remaining_after(model, Fraction(hour)) for hour in range(25)]
        assert found.fluid == pytest.approx(left)
        assert (np.diff(found.effect) < 0).all() and found.effect[0] == pytest.approx(100)
        assert (found.low <= found.fluid).all() and (found.fluid <= found.high).all()

    def test_ten_years_neither_overflow_nor_drift(self) -> None:
        found = transition_curve(NOTHING, NIGHT, LABEL, start_min=0, hours=87_360, step_min=60)
        assert finite(found)
        assert (found.fluid[-168:] == found.fluid[-336:-168]).all()


class TestReadOut:
    @pytest.mark.parametrize(
        ("half_life", "hours", "share"), [("4", 4, "0.50"), ("5", 4, "0.57"), ("4", 5, "0.42"), ("5", 5, "0.50")]
    )
    def test_a_few_low_hours_leave_about_half(self, half_life: str, hours: int, share: str) -> None:
        model = CurveModel("x", Fraction(30), Fraction(half_life), Fraction(1))
        assert f"{remaining_after(model, Fraction(hours)):.2f}" == share

    def test_the_two_sets_differ(self) -> None:
        # 2^(-4/1.51) and 2^(-4/4.5).
        assert f"{remaining_after(LABEL, Fraction(4)):.3f}" == "0.159"
        assert f"{remaining_after(SEED, Fraction(4)):.3f}" == "0.540"

    def test_the_neck_gets_its_share_of_every_line(self) -> None:
        found = week_curve(NIGHT, LABEL, BAND)
        neck = cervical(found, Fraction(1, 4))
        assert (neck.minutes == found.minutes).all()
        for there, here in (
            (neck.fluid, found.fluid), (neck.effect, found.effect), (neck.low, found.low), (neck.high, found.high)
        ):  # fmt: skip
            assert there == pytest.approx(here / 4)
