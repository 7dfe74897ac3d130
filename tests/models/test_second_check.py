"""Who must check, what is compared, and how long a check counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.catalogue import load_catalogue
from app.models.formats import parse_number, plain
from app.models.program import (
    Bolus,
    DayPlan,
    Flex,
    PatientActivated,
    PeriodicBolus,
    Program,
    SimpleContinuous,
    Stopped,
    Weekday,
)
from app.models.pump import PumpSettings
from app.models.quantities import Concentration, DoseRate, Mass, Volume
from app.models.refill_visit import Answer, RefillVisit
from app.models.second_check import (
    CheckField,
    CheckHistory,
    Entered,
    Expected,
    InvalidCheckError,
    SecondCheck,
    Trigger,
    expected_of,
    triggers,
    valid_until,
)
from app.models.typed_reason import (
    ReasonTooThinError,
    overridden_in_a_row,
    reason_is_good,
    require_good_reason,
    shortest_reason,
)

CATALOGUE = load_catalogue()
PUMP = CATALOGUE.pump("synchromed-ii-20")
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
BEFORE = CheckHistory(first_fill=False)
ALL_DAYS = tuple(Weekday)


def simple(mcg: str, *, drug: str = "baclofen", concentration: int = 1000) -> PumpSettings:
    program = Program(SimpleContinuous(DoseRate.mcg_per_day(parse_number(mcg))))
    return PumpSettings(drug, Concentration.mcg_per_ml(concentration), program, Volume.ml(2), Volume.ml(18))


def fired(now: PumpSettings | None, proposed: PumpSettings, history: CheckHistory = BEFORE) -> list[Trigger]:
    return list(triggers(now, proposed, history, PUMP, CATALOGUE))


def test_the_same_again_needs_nobody() -> None:
    assert fired(simple("300"), replace(simple("300"), low_alarm=Volume.ml(3), reservoir=Volume.ml(12))) == []


@pytest.mark.parametrize(
    ("new", "asked"),
    [("360", False), ("360.001", True), ("359.999", False), ("240", False), ("239.999", True), ("240.001", False)],
)
def test_a_daily_dose_changes_by_more_than_a_fifth(new: str, asked: bool) -> None:
    assert fired(simple("300"), simple(new)) == ([Trigger.DAILY_DOSE_CHANGE] if asked else [])


@given(old=st.integers(100_000, 900_000), new=st.integers(100_000, 900_000))
def test_the_change_is_judged_exactly(old: int, new: int) -> None:
    """The doses in ng, compared by whole numbers: a fifth more is 5 * new > 6 * old."""
    found = fired(simple(plain(Fraction(old, 1000))), simple(plain(Fraction(new, 1000))))
    assert (Trigger.DAILY_DOSE_CHANGE in found) == (5 * new > 6 * old or 5 * new < 4 * old)


@pytest.mark.parametrize(("mcg", "asked"), [("999.999", False), ("1000", False), ("1000.001", True)])
def test_a_high_daily_dose(mcg: str, asked: bool) -> None:
    assert fired(simple(mcg), simple(mcg)) == ([Trigger.HIGH_DAILY_DOSE] if asked else [])


def test_boluses_that_the_patient_may_call_count_for_the_high_dose() -> None:
    """Four boluses of 25.1 mcg at most: 900 + 100.4 is above 1000, though the program itself gives 900."""
    program = Program(
        SimpleContinuous(DoseRate.mcg_per_day(900)), PatientActivated(Mass.mcg(Fraction("25.1")), 5, 240, 4)
    )
    called = replace(simple("900"), program=program)
    assert fired(called, called) == [Trigger.HIGH_DAILY_DOSE]
    fewer = replace(program, patient_activated=PatientActivated(Mass.mcg(25), 5, 240, 4))
    assert fired(replace(called, program=fewer), replace(called, program=fewer)) == []


def test_drug_and_concentration() -> None:
    assert fired(simple("300"), simple("300", concentration=2000)) == [Trigger.CONCENTRATION]
    assert fired(simple("300"), simple("300", drug="morphine")) == [Trigger.DRUG]


def test_another_mode_and_a_bolus_that_the_patient_may_call() -> None:
    now = simple("300")
    whole = replace(now, program=Program(Flex((DayPlan(ALL_DAYS, DoseRate.mcg_per_day(300)),))))
    week = Flex((DayPlan(ALL_DAYS[:5], DoseRate.mcg_per_day(300)), DayPlan(ALL_DAYS[5:], DoseRate.mcg_per_day(300))))
    periodic = PeriodicBolus(DoseRate.mcg_per_day(204), Mass.mcg(16), 5, 240, 0)
    called = Program(now.program.delivery, PatientActivated(Mass.mcg(1), 5, 240, 1))
    for program in (whole.program, Program(week), Program(periodic), called):
        assert fired(now, replace(now, program=program)) == [Trigger.MODE], program
    moved = Flex((DayPlan(ALL_DAYS, DoseRate.mcg_per_day(276), (Bolus(at=360, dose=Mass.mcg(24), duration_min=5),)),))
    assert fired(whole, replace(whole, program=Program(moved))) == []


def test_from_a_stopped_pump_any_dose_is_a_change() -> None:
    stopped = replace(simple("300"), program=Program(Stopped()))
    assert fired(stopped, simple("1")) == [Trigger.MODE, Trigger.DAILY_DOSE_CHANGE]
    assert fired(stopped, stopped) == []


def test_the_first_fill_a_protocol_and_all_at_once() -> None:
    assert fired(simple("300"), simple("300"), CheckHistory(True)) == [Trigger.FIRST_FILL]
    assert fired(None, simple("300")) == [Trigger.FIRST_FILL]
    assert fired(simple("300"), simple("300"), CheckHistory(False, True)) == [Trigger.PROTOCOL_STEP]
    flex = Program(Flex((DayPlan(ALL_DAYS, DoseRate.mcg_per_day(1200)),)))
    everything = replace(simple("1", drug="morphine", concentration=2000), program=flex)
    assert fired(simple("300"), everything, CheckHistory(True, True)) == list(Trigger)


# -- the comparison -------------------------------------------------------------------------------------------------

EXPECTED = expected_of(simple("355.5", concentration=2000), Volume.ml(Fraction("17.5")), PUMP)
RIGHT = Entered("baclofen", Concentration.mcg_per_ml(2000), Fraction("355.5"), Volume.ml(Fraction("17.5")))


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        ({}, ()),
        ({"drug": "morphine"}, (CheckField.DRUG,)),
        ({"concentration": Concentration.mcg_per_ml(500)}, (CheckField.CONCENTRATION,)),
        ({"daily_mcg": Fraction("355.501")}, (CheckField.DAILY_DOSE,)),
        ({"daily_mcg": Fraction("355.499")}, (CheckField.DAILY_DOSE,)),
        ({"injected": Volume.ml(Fraction("17.51"))}, (CheckField.INJECTED,)),
        (
            {"daily_mcg": Fraction(17), "injected": Volume.ml(355)},
            (CheckField.DAILY_DOSE, CheckField.INJECTED),
        ),
    ],
)
def test_the_fields_that_differ_are_named(changes: dict, differing: tuple[CheckField, ...]) -> None:
    assert EXPECTED.differing(replace(RIGHT, **changes)) == differing


def test_a_dose_without_a_finite_decimal_is_compared_as_it_is_shown() -> None:
    """Five days of 300 and two of 301 are 300 and two sevenths: 300.286 on the screen."""
    week = Flex((DayPlan(ALL_DAYS[:5], DoseRate.mcg_per_day(300)), DayPlan(ALL_DAYS[5:], DoseRate.mcg_per_day(301))))
    expected = expected_of(replace(simple("300", concentration=2000), program=Program(week)), RIGHT.injected, PUMP)
    assert expected.daily_mcg == Fraction(2102, 7)
    assert expected.differing(replace(RIGHT, daily_mcg=Fraction("300.286"))) == ()
    assert expected.differing(replace(RIGHT, daily_mcg=Fraction("300.285"))) == (CheckField.DAILY_DOSE,)


def test_what_is_expected_never_shows_itself() -> None:
    assert "355" not in repr(EXPECTED) and "17" not in repr(EXPECTED) and isinstance(EXPECTED, Expected)


# -- how long it counts ---------------------------------------------------------------------------------------------

CHECK = SecondCheck("c", "v", "ab" * 32, RIGHT.injected, "a", "b", "", NOW, valid_until(NOW, CATALOGUE))


@pytest.mark.parametrize(
    ("after", "counts"),
    [
        (timedelta(0), True),
        (timedelta(minutes=10), True),
        (timedelta(minutes=10, microseconds=1), False),
        (timedelta(microseconds=-1), False),
    ],
)
def test_a_check_counts_for_ten_minutes(after: timedelta, counts: bool) -> None:
    assert CHECK.is_valid_for(CHECK.digest, CHECK.injected, NOW + after) is counts


def test_a_check_counts_for_one_digest_and_one_volume() -> None:
    assert not CHECK.is_valid_for("ab" * 31 + "ac", CHECK.injected, NOW)
    assert not CHECK.is_valid_for(CHECK.digest, Volume(CHECK.injected.quanta + 1), NOW)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"second_id": "a"}, "people"),
        ({"second_id": None}, "reason"),
        ({"reason": "nobody was there"}, "reason"),
        ({"digest": "ab" * 31}, "digest"),
        ({"digest": "AB" * 32}, "digest"),
        ({"at": NOW.replace(tzinfo=None)}, "moment"),
        ({"valid_until": NOW - timedelta(seconds=1)}, "moment"),
    ],
)
def test_what_is_no_check(changes: dict, problem: str) -> None:
    with pytest.raises(InvalidCheckError) as refused:
        replace(CHECK, **changes)
    assert refused.value.values["problem"] == problem


def test_going_on_alone_is_no_check_by_two() -> None:
    assert CHECK.by_two and not replace(CHECK, second_id=None, reason="nobody else is here").by_two


# -- reasons --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["no one here", "abcdefghij", "  abcdefghij  ", "1 2 3 4 5 6", "Sie ist nüchtern", "aaaaaaaaab"]
)
def test_reasons(text: str) -> None:
    assert reason_is_good(text, shortest_reason(CATALOGUE))
    assert require_good_reason(text, CATALOGUE) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abcdefghi",
        "   abcdefghi   ",
        "aaaaaaaaaaaa",
        "aAaAaAaAaAaA",
        "a a a a a a a",
        "a.a,a;a:a-a",
        "..........",
        ".,;:-_#+*!",
        "a           b",
    ],
)
def test_no_reasons(text: str) -> None:
    assert not reason_is_good(text, shortest_reason(CATALOGUE))
    with pytest.raises(ReasonTooThinError):
        require_good_reason(text, CATALOGUE)


def visit(*rules: str, done: bool = True) -> RefillVisit:
    answers = tuple(Answer(rule, "x", "because of that", NOW, "a") for rule in rules)
    return RefillVisit("v", "p", "i", NOW, "a", NOW, injected=Volume.ml(18) if done else None, answers=answers)


@pytest.mark.parametrize(
    ("visits", "rules"),
    [
        ([], []),
        ([visit("REF-02"), visit("REF-02")], []),
        ([visit("REF-02"), visit("REF-02", "U-12"), visit("U-12", "REF-02")], ["REF-02"]),
        ([visit("REF-02"), visit("REF-02"), visit("REF-02"), visit()], []),
        ([visit(), visit("U-12"), visit("U-12"), visit("U-12")], ["U-12"]),
        ([visit("U-12"), visit("U-12"), visit("REF-02"), visit("U-12")], []),
        ([visit("U-12"), visit("U-12"), visit(done=False), visit("U-12")], ["U-12"]),
        ([visit("U-12"), visit("U-12"), visit("U-12", done=False)], []),
        ([visit("U-12", "REF-02")] * 3, ["REF-02", "U-12"]),
    ],
)
def test_a_rule_overridden_three_times_in_a_row(visits: list[RefillVisit], rules: list[str]) -> None:
    found = overridden_in_a_row(visits, CATALOGUE)
    assert [finding.values["overridden_rule"] for finding in found] == rules


def test_tasks_are_overdue_on_the_day_after() -> None:
    from app.models.tasks import Task

    task = Task("t", "p", None, "U-07", "remote-check", "Do it.", date(2026, 11, 20), NOW, "a")
    assert not task.is_overdue(date(2026, 11, 20)) and task.is_overdue(date(2026, 11, 21))
