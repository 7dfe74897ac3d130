"""Days proposed for a refill: working days, in the window, with the patient here, and never too late."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.documents.catalogue import load_catalogue
from app.documents.public_holidays import PublicHolidays
from app.models.circumstances import Absence, ImpossibleAbsenceError, require_possible
from app.models.working_days import UnknownRegionError, weekends_only
from app.services.appointments import propose, window_before
from app.services.working_days import WorkingDays

CATALOGUE = load_catalogue()
BOOK = PublicHolidays()
NOTED = datetime(2026, 1, 1, tzinfo=UTC)
TODAY = date(2026, 11, 20)


def easter(year: int) -> date:
    """Easter Sunday by the anonymous Gregorian algorithm."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * k) // 451
    month, day = divmod(h + k - 7 * m + 114, 31)
    return date(year, month, day + 1)


def around_easter(year: int, *offsets: int) -> set[date]:
    return {easter(year) + timedelta(days=offset) for offset in offsets}


def fixed(year: int, *days: tuple[int, int]) -> set[date]:
    return {date(year, month, day) for month, day in days}


def bavaria(year: int) -> set[date]:
    """Without Assumption, which is a matter of the parish."""
    days = fixed(year, (1, 1), (1, 6), (5, 1), (10, 3), (11, 1), (12, 25), (12, 26))
    return days | around_easter(year, -2, 1, 39, 50, 60)


def norway(year: int) -> set[date]:
    return fixed(year, (1, 1), (5, 1), (5, 17), (12, 25), (12, 26)) | around_easter(year, -3, -2, 0, 1, 39, 49, 50)


def slovenia(year: int) -> set[date]:
    days = fixed(year, (1, 1), (1, 2), (2, 8), (4, 27), (5, 1), (5, 2), (6, 25), (8, 15), (10, 31), (11, 1), (12, 25))
    return days | fixed(year, (12, 26)) | around_easter(year, 0, 1, 49)


@pytest.mark.parametrize(("code", "own"), [("DE-BY", bavaria), ("NO", norway), ("SI", slovenia)])
@pytest.mark.parametrize("year", [2024, 2026, 2027, 2028, 2033])
def test_free_days_are_those_of_an_independent_reckoning(code: str, own: Callable[[int], set[date]], year: int) -> None:
    days = WorkingDays(BOOK)
    days.choose(code)
    day, free = date(year, 1, 1), own(year)
    while day.year == year:
        assert (days.why_free(day) is not None) == (day in free or day.weekday() >= 5), day
        day += timedelta(days=1)


def test_without_a_region_weekends_are_free_and_nothing_else() -> None:
    days = WorkingDays(BOOK)
    assert days.why_free(date(2026, 12, 25)) is None
    assert days.why_free(date(2026, 12, 26)) == "weekend"


def test_a_weekend_is_the_countrys_own() -> None:
    days = WorkingDays(BOOK)
    days.choose("IL")
    assert days.why_free(date(2026, 11, 20)) == "weekend", "a Friday"
    assert days.why_free(date(2026, 11, 22)) is None, "a Sunday"


def test_a_region_that_is_unknown_is_not_taken() -> None:
    days = WorkingDays(BOOK)
    days.choose("NO")
    for unknown in ("XX", "DE-XX", ""):
        with pytest.raises(UnknownRegionError):
            days.choose(unknown)
    assert days.region == "NO"


def test_countries_and_their_parts_have_names() -> None:
    countries = {region.code: region.title for region in BOOK.countries()}
    assert countries["DE"] == "Germany" and countries["BA"] == "Bosnia and Herzegovina"
    assert "DE-BY" in {region.code for region in BOOK.regions("DE")}


def away(first: date, last: date) -> Absence:
    return Absence("a", "p", first, last, NOTED, "u")


def proposed(due: date, *absences: Absence, today: date = TODAY, why_free=weekends_only):  # type: ignore[no-untyped-def]
    return propose(due, window_before(due, CATALOGUE), today=today, why_free=why_free, absences=absences)


def test_three_working_days_in_the_window() -> None:
    found = proposed(date(2027, 1, 22))  # a Friday; the window is Tuesday to Friday of the week before
    assert found.window == (date(2027, 1, 12), date(2027, 1, 15))
    assert found.days == (date(2027, 1, 12), date(2027, 1, 13), date(2027, 1, 14)) and not found.findings


def test_a_window_of_holidays_goes_to_the_last_working_day_before_it() -> None:
    free = {date(2026, 12, day) for day in range(24, 29)}
    found = proposed(date(2027, 1, 4), why_free=lambda day: "closed" if day in free else weekends_only(day))
    assert found.window == (date(2026, 12, 25), date(2026, 12, 28))
    assert found.days == (date(2026, 12, 23),)
    assert [finding.reason for finding in found.findings] == ["no-working-day"]


def test_an_absence_that_meets_the_window_by_one_day_moves_the_proposal_before_it() -> None:
    due = date(2027, 1, 22)
    assert not proposed(due, away(date(2027, 1, 16), date(2027, 1, 20))).findings, "the day after the window"
    found = proposed(due, away(date(2027, 1, 15), date(2027, 1, 20)))
    assert found.days == (date(2027, 1, 12), date(2027, 1, 13), date(2027, 1, 14))
    assert [(finding.rule, finding.reason) for finding in found.findings] == [("REF-14", "early")]
    longer = proposed(due, away(date(2027, 1, 4), date(2027, 1, 12)))
    assert longer.days == (date(2026, 12, 30), date(2026, 12, 31), date(2027, 1, 1))


def test_whoever_is_away_already_comes_after_the_return() -> None:
    found = proposed(date(2026, 12, 4), away(date(2026, 11, 1), date(2026, 11, 25)))
    assert found.days == (date(2026, 11, 26), date(2026, 11, 27), date(2026, 11, 30))
    assert [finding.reason for finding in found.findings] == ["late"]


def test_where_no_day_is_left_somebody_must_find_one() -> None:
    found = proposed(date(2026, 12, 4), away(date(2026, 11, 1), date(2026, 12, 24)))
    assert found.days == () and [finding.reason for finding in found.findings] == ["no-day-left"]


def test_a_window_that_has_passed_leaves_the_next_days() -> None:
    found = proposed(date(2026, 11, 26))
    assert found.days == (date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25))
    assert [finding.reason for finding in found.findings] == ["window-passed"]


OWN = {"": lambda year: set(), "DE-BY": bavaria, "NO": norway, "SI": slovenia}
DAYS = st.dates(date(2024, 1, 1), date(2033, 12, 31))
LEAP_AND_YEAR_ENDS = st.sampled_from([date(2024, 2, 29), date(2028, 2, 29), date(2027, 12, 31), date(2028, 1, 1)])


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(sorted(OWN)),
    LEAP_AND_YEAR_ENDS | DAYS,
    st.integers(0, 200),
    st.lists(st.tuples(st.integers(-30, 200), st.integers(0, 60)), max_size=3),
)
def test_a_proposal_is_never_late_never_free_and_never_in_an_absence(
    code: str, today: date, ahead: int, spans: list[tuple[int, int]]
) -> None:
    days = WorkingDays(BOOK)
    if code:
        days.choose(code)
    absences = [away(today + timedelta(days=start), today + timedelta(days=start + length)) for start, length in spans]
    due = today + timedelta(days=ahead)
    found = proposed(due, *absences, today=today, why_free=days.why_free)
    here = [today + timedelta(days=number) for number in range(1, ahead)]
    possible = [
        day
        for day in here
        if day.weekday() < 5
        and day not in OWN[code](day.year)
        and not any(absence.first <= day <= absence.last for absence in absences)
    ]
    assert set(found.days) <= set(possible)
    assert len(found.days) <= 3 and list(found.days) == sorted(set(found.days))
    assert bool(found.days) == bool(possible), "nobody is left without a day as long as there is one"
    window = [day for day in possible if 7 <= (due - day).days <= 10]
    # An absence that ends today is over by every day that can be proposed.
    ahead_of_us = [absence for absence in absences if absence.last > today]
    if window and not any(absence.meets(*window_before(due, CATALOGUE)) for absence in ahead_of_us):
        assert found.days == tuple(window[:3]) and not found.findings
    elif not found.days:
        assert [finding.reason for finding in found.findings] == ["no-day-left"]
    else:
        assert found.findings


def test_an_absence_is_checked_at_its_limits() -> None:
    require_possible(TODAY, TODAY, today=TODAY, longest_days=366)
    require_possible(TODAY, TODAY + timedelta(days=365), today=TODAY, longest_days=366)
    for first, last, problem in (
        (TODAY, TODAY + timedelta(days=366), "too-long"),
        (TODAY, TODAY - timedelta(days=1), "reversed"),
        (TODAY - timedelta(days=9), TODAY - timedelta(days=1), "past"),
    ):
        with pytest.raises(ImpossibleAbsenceError) as raised:
            require_possible(first, last, today=TODAY, longest_days=366)
        assert raised.value.values["problem"] == problem
