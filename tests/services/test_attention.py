"""What the dates of a therapy ask people to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from app.models.circumstances import Absence, Circumstances
from app.models.findings import Severity
from app.models.reservoir import RefillBy, RefillLimit
from app.models.rule_texts import sentence
from app.services.attention import AppointmentState, appointment_state, attention, shown_dates, terms_inside
from app.services.therapy import Therapy
from tests.services.bench import NOW, PATIENT, Bench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("attention"))
    yield made
    made.station.store.close()


@pytest.fixture
def therapy(bench: Bench) -> Therapy:
    """Nothing to ask for: booked in time, nobody away, a battery with years left."""
    made = bench.station.desk.therapy(PATIENT)
    assert made.refill_by is not None
    return replace(made, appointment_on=made.refill_by.at.date() - timedelta(days=1))


def asked(bench: Bench, therapy: Therapy) -> list[tuple[str, str]]:
    found = attention(therapy, bench.station.catalogue)
    assert all(finding.severity is Severity.TASK and sentence(finding) for finding in found)
    return [(finding.rule, finding.reason) for finding in found]


def test_where_all_is_well_nothing_is_asked(bench: Bench, therapy: Therapy) -> None:
    assert asked(bench, therapy) == []


def test_an_appointment_on_the_refill_by_date_serves_and_one_day_later_is_late(therapy: Therapy) -> None:
    assert therapy.refill_by is not None
    due = therapy.refill_by.at.date()
    assert appointment_state(replace(therapy, appointment_on=due)) is AppointmentState.BOOKED
    assert appointment_state(replace(therapy, appointment_on=due + timedelta(days=1))) is AppointmentState.LATE
    today = therapy.at.date()
    assert appointment_state(replace(therapy, appointment_on=today)) is AppointmentState.BOOKED
    assert appointment_state(replace(therapy, appointment_on=today - timedelta(days=1))) is AppointmentState.MISSED
    assert appointment_state(replace(therapy, appointment_on=None)) is AppointmentState.NONE


@pytest.mark.parametrize("state", [state for state in AppointmentState if state is not AppointmentState.BOOKED])
def test_every_other_state_asks_for_something(bench: Bench, therapy: Therapy, state: AppointmentState) -> None:
    assert therapy.refill_by is not None
    on = {
        AppointmentState.NONE: None,
        AppointmentState.MISSED: therapy.at.date() - timedelta(days=1),
        AppointmentState.LATE: therapy.refill_by.at.date() + timedelta(days=1),
        AppointmentState.AWAY: therapy.at.date() + timedelta(days=1),
    }[state]
    away = Absence("a", PATIENT, therapy.at.date() + timedelta(days=1), therapy.at.date() + timedelta(days=1), NOW, "u")
    circumstances = Circumstances(absences=(away,)) if state is AppointmentState.AWAY else therapy.circumstances
    changed = replace(therapy, appointment_on=on, circumstances=circumstances)
    assert ("REF-09", f"booked-{state.value}") in asked(bench, changed)


def test_an_absence_asks_for_an_early_refill_only_while_none_is_booked(bench: Bench, therapy: Therapy) -> None:
    assert therapy.refill_by is not None
    first = therapy.refill_by.at.date() - timedelta(days=7)
    circumstances = Circumstances(absences=(Absence("a", PATIENT, first, first, NOW, "u"),))
    booked = replace(therapy, at=therapy.refill_by.at - timedelta(days=40), circumstances=circumstances)
    assert asked(bench, booked) == []
    assert ("REF-14", "early") in asked(bench, replace(booked, appointment_on=None))
    beside = replace(circumstances.absences[0], first=first + timedelta(days=1), last=first + timedelta(days=1))
    clear = replace(booked, appointment_on=None, circumstances=Circumstances(absences=(beside,)))
    assert "REF-14" not in [rule for rule, _ in asked(bench, clear)]


def test_who_is_late_is_phoned_and_who_is_empty_is_treated(bench: Bench, therapy: Therapy) -> None:
    assert therapy.dates is not None and therapy.dates.empty_at is not None and therapy.refill_by is not None
    booked = replace(therapy, appointment_on=date(2030, 1, 1))
    at_the_minute = replace(booked, at=therapy.refill_by.at)
    assert ("REF-11", "phone") not in asked(bench, at_the_minute)
    assert ("REF-11", "phone") in asked(bench, replace(booked, at=therapy.refill_by.at + timedelta(minutes=1)))
    empty = asked(bench, replace(booked, at=therapy.dates.empty_at))
    assert ("REF-11", "empty") in empty and ("REF-11", "phone") not in empty


@pytest.mark.parametrize(
    ("age", "reason"),
    [
        ((2020, 5, 21), None),
        ((2020, 5, 20), "plan"),
        ((2019, 11, 21), "plan"),
        ((2019, 11, 20), "replace"),
        ((2018, 11, 21), "replace"),
        ((2018, 11, 20), "overdue"),
    ],
)
def test_a_battery_is_judged_by_its_age_at_each_limit(
    bench: Bench, therapy: Therapy, age: tuple[int, int, int], reason: str | None
) -> None:
    assert therapy.implant is not None
    old = replace(therapy, implant=replace(therapy.implant, implanted_on=date(*age)))
    assert [found for rule, found in asked(bench, old) if rule == "LIF-01"] == ([reason] if reason else [])


def test_a_battery_that_has_warned_says_by_when(bench: Bench, therapy: Therapy) -> None:
    warned = replace(therapy, circumstances=Circumstances(eri_on=date(2026, 11, 1)), battery_end=date(2027, 1, 30))
    assert ("LIF-01", "warned") in asked(bench, warned)
    later = replace(warned, battery_end=date(2027, 1, 31))
    assert ("U-13", "after-eri") in asked(bench, later), "91 days after the warning cannot be"


def test_a_date_beyond_ten_years_is_not_shown(bench: Bench, therapy: Therapy) -> None:
    assert therapy.dates is not None
    for low_at, is_shown in ((datetime(2036, 11, 20, 23, 59), True), (datetime(2036, 11, 21), False), (None, False)):
        far = replace(therapy, dates=replace(therapy.dates, low_at=low_at))
        assert (shown_dates(far, bench.station.catalogue)["Low-reservoir alarm"].at is not None) == is_shown
        assert (asked(bench, far) == []) == is_shown


def test_a_battery_is_a_term_only_inside_the_others(therapy: Therapy) -> None:
    late = max(term.at for term in therapy.terms if term.limited_by is not RefillLimit.BATTERY)
    others = tuple(term for term in therapy.terms if term.limited_by is not RefillLimit.BATTERY)
    for at, inside in ((late, True), (late + timedelta(minutes=1), False)):
        changed = replace(therapy, terms=(*others, RefillBy(at, RefillLimit.BATTERY)))
        assert (RefillLimit.BATTERY in [term.limited_by for term in terms_inside(changed)]) == inside
    alone = replace(therapy, terms=(RefillBy(datetime.combine(date(2030, 1, 1), time()), RefillLimit.BATTERY),))
    assert len(terms_inside(alone)) == 1
