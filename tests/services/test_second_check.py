"""The second check on a real store: who may, what is told, what remains, and what stands in where nobody is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from app.bootstrap import as_sent, new_id
from app.models.findings import Finding, Severity
from app.models.patient import Role, User
from app.models.ports import NotOnRecordError
from app.models.quantities import Concentration, Volume
from app.models.refill_visit import RefillVisit
from app.models.second_check import (
    CheckEndedError,
    CheckField,
    Entered,
    InvalidCheckError,
    SamePersonError,
    SecondCheckMissingError,
    SettingsChangedError,
    SomebodyWasThereError,
    Trigger,
)
from app.models.tasks import TaskDoneError
from app.models.typed_reason import ReasonTooThinError
from app.services.clock import Clock
from app.services.second_check import SecondCheckDesk
from app.services.tasks import TaskDesk
from tests.services.bench import BRIDGED, NOW, PATIENT, Bench

RIGHT = Entered("baclofen", Concentration.mcg_per_ml(2000), Fraction(300), Volume.ml(Fraction("17.5")))
WRONG = replace(RIGHT, daily_mcg=Fraction("30.7"), injected=Volume.ml(18))
WHY = "Nobody else works on Sundays."


class Table:
    """A bench whose clock can be put forward, and a visit that changes 1000 into 2000 mcg/mL."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder)
        self.store = self.bench.station.store
        self.now = NOW
        clock = Clock(lambda: self.now, timedelta(hours=1))
        catalogue = self.bench.station.catalogue
        self.checks = SecondCheckDesk(self.store, clock, new_id, catalogue, lambda one: as_sent(one)[1])
        self.tasks = TaskDesk(self.store, catalogue, clock, new_id)
        self.doctor, self.nurse = self.bench.physician, self.bench.nurse
        self.other = next(u for u in self.store.users() if u.role is Role.NURSE and u != self.nurse)

    def visit(self, concentration: int = 2000) -> tuple[RefillVisit, str]:
        visit = self.bench.until_proposed(concentration=concentration, checked=False)
        return visit, self.checks.proposed_digest(visit)

    def may_send(self, visit: RefillVisit, digest: str) -> bool:
        try:
            self.checks.require(visit.id, digest, visit.injected, self.now)
        except SecondCheckMissingError:
            return False
        return True


@pytest.fixture
def table(tmp_path: Path):
    made = Table(tmp_path)
    yield made
    made.store.close()


def test_the_digest_is_the_one_that_the_pump_will_be_sent(table: Table) -> None:
    visit, digest = table.visit()
    assert visit.proposed is not None and digest == table.bench.port().digest_of(visit.proposed)


def test_an_unchanged_refill_needs_nobody(table: Table) -> None:
    visit, digest = table.visit(concentration=1000)
    assert table.checks.needed(visit) == ()
    assert table.checks.require(visit.id, digest, visit.injected, table.now) is None
    with pytest.raises(InvalidCheckError):
        table.checks.waive(visit.id, digest, WHY, table.doctor)


def test_another_concentration_needs_a_second_person_for_ten_minutes(table: Table) -> None:
    visit, digest = table.visit()
    assert table.checks.needed(visit) == (Trigger.CONCENTRATION,)
    with pytest.raises(SecondCheckMissingError) as missing:
        table.checks.require(visit.id, digest, visit.injected, table.now)
    assert missing.value.values["triggers"] == "concentration"
    result = table.checks.enter(visit.id, digest, RIGHT, first=table.doctor, second=table.nurse)
    assert result.check is not None and result.check.by_two and result.differing == ()
    assert (result.check.first_id, result.check.second_id) == (table.doctor.id, table.nurse.id)
    assert table.checks.standing(visit) == result.check
    table.now += timedelta(minutes=10)
    assert table.may_send(visit, digest)
    table.now += timedelta(microseconds=1)
    assert not table.may_send(visit, digest) and table.checks.standing(visit) is None


def test_the_first_fill_needs_a_second_person(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    visit, _ = table.visit(concentration=1000)
    monkeypatch.setattr(type(table.store), "fills", lambda _self, _implant: [])
    assert table.checks.needed(visit) == (Trigger.FIRST_FILL,)


def test_whoever_did_the_work_is_not_the_second_person(table: Table) -> None:
    visit, digest = table.visit()
    assert table.checks.seconds(visit, table.doctor) == [u for u in table.store.users() if u != table.doctor]
    assert table.doctor not in table.checks.seconds(visit, table.nurse)
    for first, second in ((table.doctor, table.doctor), (table.nurse, table.doctor), (table.nurse, table.nurse)):
        with pytest.raises(SamePersonError):
            table.checks.enter(visit.id, digest, RIGHT, first=first, second=second)
    assert not table.may_send(visit, digest)


def test_a_stranger_checks_nothing(table: Table) -> None:
    visit, digest = table.visit()
    stranger = User("user-9", "A. Stranger", Role.PHYSICIAN)
    with pytest.raises(NotOnRecordError):
        table.checks.enter(visit.id, digest, RIGHT, first=table.doctor, second=stranger)
    with pytest.raises(NotOnRecordError):
        table.checks.waive(visit.id, digest, WHY, stranger)


def test_the_third_difference_ends_it_until_it_is_proposed_anew(table: Table) -> None:
    visit, digest = table.visit()
    for left in (2, 1, 0):
        result = table.checks.enter(visit.id, digest, WRONG, first=table.doctor, second=table.nurse)
        assert result.differing == (CheckField.DAILY_DOSE, CheckField.INJECTED) and result.check is None
        assert result.left == left == table.checks.entries_left(visit)
    for second in (table.nurse, table.other):
        with pytest.raises(CheckEndedError):
            table.checks.enter(visit.id, digest, RIGHT, first=table.doctor, second=second)
    desk = table.bench.station.desk
    back = desk.correct(visit, table.doctor)
    assert back.proposed is not None
    again = desk.propose(back, back.proposed, table.doctor, answer=BRIDGED)
    assert table.checks.entries_left(again) == 3
    assert table.checks.enter(visit.id, digest, RIGHT, first=table.doctor, second=table.nurse).check is not None


def test_an_edit_voids_the_check(table: Table) -> None:
    visit, digest = table.visit()
    table.checks.enter(visit.id, digest, RIGHT, first=table.doctor, second=table.nurse)
    desk = table.bench.station.desk
    back = desk.correct(visit, table.doctor)
    with pytest.raises(SettingsChangedError):
        table.checks.enter(visit.id, digest, RIGHT, first=table.doctor, second=table.nurse)
    assert back.proposed is not None
    edited = desk.propose(back, replace(back.proposed, low_alarm=Volume.ml(3)), table.doctor, answer=BRIDGED)
    assert table.checks.standing(edited) is None
    with pytest.raises(SettingsChangedError):
        table.checks.require(visit.id, digest, visit.injected, table.now)
    with pytest.raises(SecondCheckMissingError):
        table.checks.require(visit.id, table.checks.proposed_digest(edited), visit.injected, table.now)


def test_nobody_is_there(table: Table) -> None:
    visit, digest = table.visit()
    for thin in ("", "aaaaaaaaaaaa", "no one.  ."):
        with pytest.raises(ReasonTooThinError):
            table.checks.waive(visit.id, digest, thin, table.doctor)
    assert not table.may_send(visit, digest) and table.tasks.open() == []
    check = table.checks.waive(visit.id, digest, WHY, table.doctor)
    assert not check.by_two and check.reason == WHY and table.may_send(visit, digest)
    [task] = table.tasks.open()
    assert (task.patient_id, task.rule, task.visit_id) == (PATIENT, "U-07", visit.id)
    assert task.due_on == date(2026, 11, 20) and "today" in task.sentence
    table.now += timedelta(minutes=11)
    assert not table.may_send(visit, digest)
    table.checks.waive(visit.id, digest, WHY, table.doctor)
    assert table.may_send(visit, digest) and table.tasks.open() == [task]


def test_nobody_is_there_after_somebody_was_is_not_believed(table: Table) -> None:
    visit, digest = table.visit()
    table.checks.enter(visit.id, digest, WRONG, first=table.doctor, second=table.nurse)
    with pytest.raises(SomebodyWasThereError):
        table.checks.waive(visit.id, digest, WHY, table.doctor)
    assert table.tasks.open() == []


def test_a_check_by_two_counts_before_a_waiver(table: Table) -> None:
    visit, digest = table.visit()
    result = table.checks.enter(visit.id, digest, RIGHT, first=table.doctor, second=table.nurse)
    table.now += timedelta(minutes=1)
    table.checks.waive(visit.id, digest, WHY, table.doctor)
    assert table.checks.standing(visit) == result.check


def test_the_audit_trail_tells_who_and_what_but_no_words_and_no_values(table: Table) -> None:
    visit, digest = table.visit()
    table.checks.waive(visit.id, digest, WHY, table.doctor)
    table.checks.enter(visit.id, digest, WRONG, first=table.doctor, second=table.nurse)
    table.checks.enter(visit.id, digest, RIGHT, first=table.doctor, second=table.nurse)
    [task] = table.tasks.open()
    table.tasks.done(task, "Dr Brandt has looked at it.", table.nurse)
    rows = [*table.store.trail(visit.id)[-3:], *table.store.trail(task.id)]
    assert [(row.action, row.user_id, row.detail) for row in rows] == [
        ("check.nobody-there", table.doctor.id, digest),
        ("check.differs", table.nurse.id, digest),
        ("check.by-two", table.nurse.id, digest),
        ("task.made", table.doctor.id, "U-07"),
        ("task.done", table.nurse.id, "U-07"),
    ]


# -- tasks ----------------------------------------------------------------------------------------------------------


def make(table: Table, *, rule: str = "REF-09", reason: str = "call", patient: str = PATIENT, day: int = 20) -> str:
    due = date(2026, 11, day)
    return table.tasks.make(
        patient, rule=rule, reason=reason, words="Call the patient.", due_on=due, user=table.nurse
    ).id  # fmt: skip


def test_a_task_is_made_once_while_it_is_open(table: Table) -> None:
    first = make(table)
    assert make(table, day=25) == first
    others = [make(table, reason="write"), make(table, rule="REF-10"), make(table, patient="patient-kawano-a")]
    assert len({first, *others}) == 4 and len(table.tasks.open()) == 4
    done = table.tasks.done(table.tasks.open()[0], "The patient will come.", table.doctor)
    assert done.id == first and done.end is not None and done.end.by == table.doctor.id
    assert make(table) != first


def test_tasks_stand_in_the_order_of_their_days(table: Table) -> None:
    wanted = [make(table, reason=str(day), day=day) for day in (22, 19, 25)]
    assert [task.id for task in table.tasks.open()] == [wanted[1], wanted[0], wanted[2]]


def test_a_task_is_done_once_and_with_words(table: Table) -> None:
    make(table)
    [task] = table.tasks.open()
    with pytest.raises(ReasonTooThinError):
        table.tasks.done(task, "ok", table.nurse)
    assert table.tasks.open() == [task]
    table.tasks.done(task, "The patient will come.", table.nurse)
    with pytest.raises(TaskDoneError):
        table.tasks.done(task, "The patient will come.", table.nurse)


def test_findings_that_are_tasks_become_tasks(table: Table) -> None:
    again = [
        Finding("U-15", Severity.TASK, "overridden-again", {"overridden_rule": rule, "visits": 3})
        for rule in ("REF-02", "U-12")
    ]
    findings = [*again, Finding("U-07", Severity.TASK, "remote-check"), Finding("U-10", Severity.NOTE, "stopped")]
    made = table.tasks.from_findings(findings, PATIENT, user=table.nurse)
    assert [task.sentence for task in made][:2] == [
        "Physician: look at rule REF-02. It was overridden on each of the last 3 visits.",
        "Physician: look at rule U-12. It was overridden on each of the last 3 visits.",
    ]
    assert {task.due_on for task in made} == {date(2026, 11, 20)}
    assert table.tasks.from_findings(findings, PATIENT, user=table.doctor, due_on=date(2026, 12, 1)) == made
    assert len(table.tasks.open()) == 3
