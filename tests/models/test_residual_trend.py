"""The same error at three refills, and what a constant-flow pump really pumps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from app.documents.catalogue import load_catalogue
from app.models.findings import Severity
from app.models.measured_flow import MeasuredFlow, flow_findings, measured_flow
from app.models.quantities import Concentration, Flow, Volume
from app.models.records import Fill
from app.models.refill_visit import RefillVisit, Step
from app.models.residual_trend import TrendPoint, residual_trend, trend_findings
from app.models.rule_texts import sentence

CATALOGUE = load_catalogue()
FIRST = datetime(2026, 1, 5, 10, 0)
STRONG = Concentration.mcg_per_ml(500)


def ml(text: str) -> Volume:
    return Volume.ml(Fraction(text))


def history(*residuals: tuple[str, str]) -> tuple[list[RefillVisit], list[Fill]]:
    """Refills of 18 mL every 40 days, each with (expected, drawn out); the very first fill is from before them."""
    fills = [fill("fill-0", None, FIRST)]
    visits = []
    for number, (expected, drawn_out) in enumerate(residuals, 1):
        at = FIRST + timedelta(days=40 * number)
        visit = RefillVisit(
            f"visit-{number}", "p", "i", at.replace(tzinfo=UTC), "u", at.replace(tzinfo=UTC), step=Step.CLOSED,
            expected=ml(expected), aspirated=ml(drawn_out), aspirated_at=at.replace(tzinfo=UTC),
        )  # fmt: skip
        visits.append(visit)
        fills.append(fill(f"fill-{number}", visit.id, at))
    return visits, fills


def fill(name: str, visit: str | None, at: datetime) -> Fill:
    return Fill(name, "i", visit, at, "baclofen", STRONG, ml("18"), ml("18"), "L", None, "u")


def points(*differences: str) -> list[TrendPoint]:
    """Points of a fill of 18 mL of which 4 mL should be left."""
    return [
        TrendPoint(date(2026, 1, number), Fraction(text), -Fraction(text) / 14)
        for number, text in enumerate(differences, 1)
    ]


def said(*differences: str) -> list[str]:
    return [finding.reason for finding in trend_findings(points(*differences), CATALOGUE)]


# -- the points -----------------------------------------------------------------------------------------------------


def test_a_point_is_what_came_out_minus_what_should_have_and_the_error_of_what_was_delivered() -> None:
    visits, fills = history(("4", "5.4"), ("4", "2.6"))
    first, second = residual_trend(visits, fills, CATALOGUE)
    assert first == TrendPoint(date(2026, 2, 14), Fraction("1.4"), Fraction(-1, 10))
    assert (second.difference_ml, second.error) == (Fraction("-1.4"), Fraction("15.4") / 14 - 1)


def test_the_fill_drawn_out_is_the_one_before_the_visits_own() -> None:
    visits, fills = history(("4", "5"), ("4", "5"))
    fills[1] = replace(fills[1], volume=ml("10"))
    found = residual_trend(visits, fills, CATALOGUE)
    assert [point.error for point in found] == [Fraction(13, 14) - 1, Fraction(5, 6) - 1]
    assert residual_trend(visits, fills[1:], CATALOGUE)[0].error is None, "the fill before is not on record"


def test_five_refills_are_shown_before_the_one_under_way_and_gaps_are_left_out() -> None:
    visits, fills = history(*(("4", str(number)) for number in range(1, 8)))
    assert [point.difference_ml for point in residual_trend(visits, fills, CATALOGUE)] == [-1, 0, 1, 2, 3]
    visits[6] = replace(visits[6], aspirated=None)
    assert [point.difference_ml for point in residual_trend(visits, fills, CATALOGUE)] == [-2, -1, 0, 1, 2]
    assert residual_trend([], [], CATALOGUE) == ()


# -- what they say --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("differences", "reasons"),
    [
        (("0.5", "0.3"), []),
        (("0.5", "0.3", "0.4"), ["trend-too-much-left"]),
        (("-0.5", "-0.3", "-0.4"), ["trend-too-little-left"]),
        (("0.5", "0", "0.4"), []),
        (("0.5", "-0.3", "0.4"), []),
        (("-0.5", "0.5", "0.3", "0.4"), ["trend-too-much-left"]),
        (("0.5", "0.3", "0.4", "-0.4"), []),
        (("0.1", "-0.2", "0.3"), ["trend-grows"]),
        (("0.1", "0.2", "0.3"), ["trend-too-much-left", "trend-grows"]),
        (("0.1", "-0.1", "0.3"), []),
    ],
)
def test_three_in_a_row(differences: tuple[str, ...], reasons: list[str]) -> None:
    assert said(*differences) == reasons


def test_a_trend_only_notes_and_names_its_numbers_with_their_signs() -> None:
    much, grows = trend_findings(points("0.5", "1", "1.5"), CATALOGUE)
    assert {much.severity, grows.severity} == {Severity.NOTE}
    assert "+0.5, +1, +1.5 mL" in sentence(much)
    assert "-3.6, -7.1, -10.7 %" in sentence(grows)
    (little,) = trend_findings(points("-1.5", "-1", "-0.5"), CATALOGUE)
    assert "-1.5, -1, -0.5 mL" in sentence(little)


def test_an_error_that_is_not_known_is_not_one_that_grew() -> None:
    first, *rest = points("0.1", "-0.2", "0.3")
    assert trend_findings([replace(first, error=None), *rest], CATALOGUE) == ()


# -- the flow of a pump that nobody can read ------------------------------------------------------------------------


def measured(drawn_out: str, *, days: int = 40, filled: str = "33", nominal: str = "0.5") -> MeasuredFlow | None:
    return measured_flow(
        filled=ml(filled),
        filled_at=FIRST,
        drawn_out=ml(drawn_out),
        at=FIRST + timedelta(days=days),
        nominal=Flow.ml_per_day(Fraction(nominal)),
        accuracy_percent=Fraction(15),
        concentration=STRONG,
    )


def test_flow_is_what_is_gone_over_the_days_and_the_dose_follows() -> None:
    found = measured("11")
    assert found is not None
    assert found.ml_per_day == Fraction(33 - 11, 40) == Fraction("0.55")
    assert found.deviation == Fraction("0.1")
    assert found.mcg_per_day == Fraction(22 * 500, 40) == 275
    assert found.dose_with(Concentration.mcg_per_ml(1000)) == 550
    assert flow_findings(found) == ()


@pytest.mark.parametrize(
    ("drawn_out", "reasons"),
    [("10", []), ("9.99", ["flow-high"]), ("16", []), ("16.01", ["flow-low"]), ("0", ["flow-high"])],
)
def test_the_accuracy_is_exclusive_on_both_sides(drawn_out: str, reasons: list[str]) -> None:
    found = measured(drawn_out)
    assert found is not None
    assert [finding.reason for finding in flow_findings(found)] == reasons


def test_an_empty_reservoir_does_not_say_that_the_pump_is_slow() -> None:
    found = measured("0", days=100)
    assert found is not None
    assert found.at_least and found.ml_per_day == Fraction("0.33")
    assert flow_findings(found) == ()


def test_no_time_no_flow() -> None:
    assert measured("11", days=0) is None
    assert measured("11", nominal="0") is None
    more = measured("34")
    assert more is not None and more.ml_per_day == 0


def test_the_flow_says_both_numbers_and_the_dose() -> None:
    high, low = measured("5"), measured("25")
    assert high is not None and low is not None
    (found,) = flow_findings(high)
    assert "0.7 mL/day, not 0.5 (± 15 %), and gave 350 mcg a day" in sentence(found)
    (found,) = flow_findings(low)
    assert "0.2 mL/day" in sentence(found) and sentence(found).startswith("Check pump and catheter")
