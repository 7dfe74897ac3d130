"""Theoretical reservoir and dates, worked out by hand."""

from datetime import date, datetime, timedelta
from fractions import Fraction

import pytest

from app.models.course import figures_of
from app.models.program import EVERY_DAY, Bolus, DayPlan, Flex, Program, SimpleContinuous
from app.models.quantities import Concentration, DoseRate, Flow, Mass, Volume
from app.models.reservoir import (
    CourseSpan,
    FlowSpan,
    RefillBy,
    RefillLimit,
    SpansOverlapError,
    Verdict,
    add_months,
    judge_residual,
    minute_of_week,
    refill_by,
    reservoir_dates,
    theoretical_reservoir,
)
from tests.models.pumps import synchromed_ii

FILLED = datetime(2025, 1, 15, 9)
C2000 = Concentration.mcg_per_ml(2000)


def ml(text: str) -> Volume:
    return Volume.ml(Fraction(text))


def test_ninety_days_at_a_known_flow_leave_what_is_left() -> None:
    """20 - 90 x 0.1775 = 4.025 mL."""
    span = FlowSpan(FILLED, FILLED + timedelta(days=90), Flow.ml_per_day(Fraction("0.1775")))
    assert theoretical_reservoir(ml("20"), [span]).volume == ml("4.025")


def test_a_gap_between_spans_is_a_stopped_pump() -> None:
    flow = Flow.ml_per_day(Fraction("0.5"))
    spans = [
        FlowSpan(FILLED, FILLED + timedelta(days=10), flow),
        FlowSpan(FILLED + timedelta(days=12), FILLED + timedelta(days=20), flow),
    ]
    assert theoretical_reservoir(ml("20"), spans, boluses=[ml("0.5")]).volume == ml("10.5")


def test_overlapping_spans_are_refused() -> None:
    flow = Flow.ml_per_day(1)
    spans = [FlowSpan(FILLED, FILLED + timedelta(days=2), flow), FlowSpan(FILLED + timedelta(days=1), FILLED, flow)]
    with pytest.raises(SpansOverlapError):
        theoretical_reservoir(ml("20"), spans)


def test_a_reservoir_does_not_fall_below_empty_but_says_that_it_ran_dry() -> None:
    left = theoretical_reservoir(ml("1"), [FlowSpan(FILLED, FILLED + timedelta(days=3), Flow.ml_per_day(1))])
    assert left.volume == Volume.zero() and left.ran_dry
    just = theoretical_reservoir(ml("3"), [FlowSpan(FILLED, FILLED + timedelta(days=3), Flow.ml_per_day(1))])
    assert just.volume == Volume.zero() and not just.ran_dry


def test_a_flex_program_counts_its_boluses_by_the_pumps_own_clock() -> None:
    """From 05:00 to 07:00: one bolus of 50 at 06:00, and two hours of 240 a day = 20; 70 mcg at 2000 is 0.035 mL."""
    plan = DayPlan(EVERY_DAY, DoseRate.mcg_per_day(240), (Bolus(360, Mass.mcg(50), 5),))
    course = figures_of(Program(Flex((plan,))), synchromed_ii(), C2000).achieved
    span = CourseSpan(datetime(2025, 1, 15, 5), datetime(2025, 1, 15, 7), course, C2000)
    assert theoretical_reservoir(ml("20"), [span]).volume == ml("19.965")


@pytest.mark.parametrize(
    ("actual", "verdict"),
    [
        ("4.025", Verdict.AS_EXPECTED),
        ("6.025", Verdict.AS_EXPECTED),
        ("6.026", Verdict.UNDER_DELIVERY),
        ("2.025", Verdict.AS_EXPECTED),
        ("2.024", Verdict.OVER_DELIVERY),
    ],
)
def test_ref_02_exactly_two_millilitres_is_not_more_than_two(actual: str, verdict: Verdict) -> None:
    judged = judge_residual(
        filled=ml("20"),
        expected_pl=Fraction(ml("4.025").quanta),
        actual=ml(actual),
        accuracy_percent=Fraction("14.5"),
        limit=ml("2"),
    )
    assert judged.verdict is verdict


@pytest.mark.parametrize(
    ("actual", "verdict"),
    [("8.55", Verdict.AS_EXPECTED), ("8.549", Verdict.OVER_DELIVERY), ("11.45", Verdict.AS_EXPECTED)],
)
def test_ref_02_the_labelled_accuracy_itself_passes(actual: str, verdict: Verdict) -> None:
    """10 mL due of 20 filled; 14.5 % of it is 1.45 mL, inside the 2 mL."""
    judged = judge_residual(
        filled=ml("20"),
        expected_pl=Fraction(ml("10").quanta),
        actual=ml(actual),
        accuracy_percent=Fraction("14.5"),
        limit=ml("2"),
    )
    assert judged.verdict is verdict


def test_dates_of_an_even_flow_are_what_division_says() -> None:
    """1000 a day at 2000 is 0.5 mL/day: 38 mL last 76 days, 40 mL 80 days, at +14.5 % 69.868... days."""
    course = figures_of(Program(SimpleContinuous(DoseRate.mcg_per_day(1000))), synchromed_ii(40), C2000).worst_course
    dates = reservoir_dates(
        volume=ml("40"),
        filled_at=FILLED,
        low_alarm=ml("2"),
        worst_course=course,
        concentration=C2000,
        accuracy_percent=Fraction("14.5"),
    )
    assert dates.low_at == FILLED + timedelta(days=76)
    assert dates.empty_at == FILLED + timedelta(days=80)
    assert dates.earliest_empty_at == datetime(2025, 3, 26, 5, 51)


def test_a_stopped_pump_never_runs_low() -> None:
    course = figures_of(Program(SimpleContinuous(DoseRate.zero())), synchromed_ii(), C2000).worst_course
    dates = reservoir_dates(
        volume=ml("20"), filled_at=FILLED, low_alarm=ml("2"), worst_course=course, concentration=C2000,
        accuracy_percent=Fraction(15),
    )  # fmt: skip
    assert (dates.low_at, dates.empty_at, dates.earliest_empty_at) == (None, None, None)


def test_a_flow_too_small_for_the_calendar_has_no_date() -> None:
    course = figures_of(Program(SimpleContinuous(DoseRate(1))), synchromed_ii(), C2000).worst_course
    dates = reservoir_dates(
        volume=ml("20"), filled_at=FILLED, low_alarm=ml("2"), worst_course=course, concentration=C2000,
        accuracy_percent=Fraction(15),
    )  # fmt: skip
    assert dates.low_at is None


def test_the_earliest_term_limits_the_refill_date() -> None:
    early, late = datetime(2025, 3, 1), datetime(2026, 1, 1)
    by_volume = refill_by(low_at=early, filled_at=FILLED, stability_days=180, battery_end=late)
    by_drug = refill_by(low_at=late, filled_at=FILLED, stability_days=180, battery_end=None)
    by_battery = refill_by(low_at=late, filled_at=FILLED, stability_days=None, battery_end=early)
    assert by_volume == RefillBy(early, RefillLimit.VOLUME)
    assert by_drug == RefillBy(datetime(2025, 7, 14, 9), RefillLimit.STABILITY)
    assert by_battery == RefillBy(early, RefillLimit.BATTERY)
    assert refill_by(low_at=None, filled_at=FILLED, stability_days=None, battery_end=None) is None


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2016, 2, 29), 84, date(2023, 2, 28)),
        (date(2016, 2, 29), 96, date(2024, 2, 29)),
        (date(2024, 10, 31), 1, date(2024, 11, 30)),
        (date(2024, 12, 31), 2, date(2025, 2, 28)),
        (date(2020, 1, 15), 84, date(2027, 1, 15)),
    ],
)
def test_months_end_on_the_months_last_day_at_most(day: date, months: int, later: date) -> None:
    assert add_months(day, months) == later


def test_the_minute_of_the_week_starts_on_monday() -> None:
    assert minute_of_week(datetime(2025, 1, 13)) == 0
    assert minute_of_week(datetime(2025, 1, 19, 23, 59, 30)) == 7 * 1440 - Fraction(1, 2)
