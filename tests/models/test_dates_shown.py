"""A date that cannot be true is never shown as one."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.dates_shown import DateLimits, DateProblem, shown_date
from app.models.findings import Severity
from app.models.rule_texts import sentence

TODAY = date(2028, 2, 29)
LIMITS = DateLimits(past_days=1, longest_years=10, after_eri_days=90)


def problem(raw: date | str | None, **more: object) -> str | None:
    shown = shown_date("Replace by", raw, today=TODAY, limits=LIMITS, **more)  # type: ignore[arg-type]
    assert (shown.at is None) == (shown.finding is not None), "never blank, and never shown beside its own alert"
    if shown.finding is not None:
        assert shown.finding.severity is Severity.TASK
        assert "contact the manufacturer" in sentence(shown.finding).casefold()
        assert "Replace by" in sentence(shown.finding)
    return shown.finding.reason if shown.finding else None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (None, DateProblem.MISSING),
        ("", DateProblem.MISSING),
        ("?????", DateProblem.UNREADABLE),
        ("2028-02-30", DateProblem.UNREADABLE),
        ("2028-03-01", None),
        (date(2028, 2, 27), DateProblem.PAST),
        (date(2028, 2, 28), None),
        (datetime(2028, 2, 28, 0, 0), None),
        (date(2038, 2, 28), None),
        (date(2038, 3, 1), DateProblem.TOO_FAR),
    ],
)
def test_each_limit_is_possible_and_one_day_beyond_is_not(raw: date | str | None, expected: str | None) -> None:
    assert problem(raw) == expected


def test_ninety_days_after_the_battery_warning_are_possible_and_ninety_one_are_not() -> None:
    warned = date(2028, 2, 1)
    assert problem(date(2028, 5, 1), eri_on=warned) is None
    assert problem(date(2028, 5, 2), eri_on=warned) == DateProblem.AFTER_ERI


def test_an_overdue_date_of_an_event_that_may_have_passed_is_shown() -> None:
    assert problem(date(2027, 1, 1), is_ahead=False) is None


def test_the_finding_tells_what_was_read() -> None:
    shown = shown_date("Replace by", "?????", today=TODAY, limits=LIMITS)
    assert shown.finding is not None and "?????" in sentence(shown.finding)


@given(st.one_of(st.none(), st.dates(), st.text(max_size=12)), st.none() | st.dates())
def test_whatever_is_read_is_a_possible_date_or_an_alert(raw: date | str | None, warned: date | None) -> None:
    shown = shown_date("Replace by", raw, today=TODAY, limits=LIMITS, eri_on=warned)
    if shown.finding is not None:
        assert shown.at is None and sentence(shown.finding)
        return
    assert isinstance(shown.at, date)
    assert TODAY - timedelta(days=1) <= shown.at <= date(2038, 2, 28)
    assert warned is None or (shown.at - warned).days <= 90
