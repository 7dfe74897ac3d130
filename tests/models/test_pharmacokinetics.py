"""The model of the curve, by the figures of PK-02, PK-03, PK-05 and PK-07."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice

import pytest

from app.documents.catalogue import load_catalogue
from app.models.course import Course
from app.models.pharmacokinetics import (
    MODELS,
    band_models,
    cervical_share,
    curve,
    curve_model,
    steady_state_mcg_per_ml,
)
from app.models.quantities import MINUTES_PER_DAY, Mass

CATALOGUE = load_catalogue()


def even(mcg_per_day: str) -> Course:
    return Course([(0, Fraction(mcg_per_day) * Mass.PER_MCG / MINUTES_PER_DAY)])


@pytest.mark.parametrize(("name", "k", "volume"), [("label", 0.45904, 65.35), ("seed", 0.15403, 194.76)])
def test_rate_constant_and_volume_follow_from_half_life_and_clearance(name: str, k: float, volume: float) -> None:
    model = curve_model(name, CATALOGUE)
    assert model.k_per_h == pytest.approx(k, abs=5e-6)
    assert model.volume_ml == pytest.approx(volume, abs=0.005)


@pytest.mark.parametrize(("dose", "level"), [("350", "0.4861"), ("1000", "1.3889"), ("125.5", "0.1743")])
@pytest.mark.parametrize("name", MODELS)
def test_the_steady_state_is_the_hourly_dose_over_clearance(name: str, dose: str, level: str) -> None:
    found = steady_state_mcg_per_ml(curve_model(name, CATALOGUE), even(dose))
    assert f"{float(found):.4f}" == level


@pytest.mark.parametrize(
    ("name", "shares"),
    [("label", {6: "36", 8: "48", 24: "92"}), ("seed", {6: "40", 8: "54", 24: "96"})],
)
def test_a_rate_step_has_the_effect_of_the_rules_hour_by_hour(name: str, shares: dict[int, str]) -> None:
    model = curve_model(name, CATALOGUE)
    points = list(islice(curve(model, even("350"), hours=24, step_min=60), 25))
    final = float(steady_state_mcg_per_ml(model, even("350")))
    assert {hour: f"{points[hour].effect / final:.0%}".rstrip("%") for hour in shares} == shares


def test_the_band_spans_all_four_corners_and_half_lives_in_between() -> None:
    found = [(model.clearance_ml_per_h, model.half_life_h) for model in band_models(CATALOGUE)]
    shortest, longest = Fraction(9, 10), Fraction(5)
    assert {(clearance, half_life) for clearance in (13, 80) for half_life in (shortest, longest)} <= set(found)
    assert {clearance for clearance, _ in found} == {13, 80}
    assert all(shortest <= half_life <= longest for _, half_life in found)
    assert len(set(found)) == len(found) == 26


def test_a_quarter_reaches_the_neck() -> None:
    assert cervical_share(CATALOGUE) == Fraction(1, 4)
