"""Second checks and tasks in the store: whole there and back, with their audit rows, and only ever added."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import DatabaseError, IntegrityError, StatementError

from app.models.ports import NotOnRecordError
from app.models.quantities import Volume
from app.models.records import AuditEntry
from app.models.refill_visit import RefillVisit
from app.models.second_check import CheckAttempt, CheckField, SecondCheck
from app.models.tasks import Task, TaskDoneError, TaskEnd
from app.store import audit_trail, migrate
from app.store.clinic import SqlClinicStore
from app.store.demo_clinic import USERS, fill_with_demonstration
from app.store.engine import open_engine
from app.store.open_store import open_store

KEY = bytes(range(32))
NOW = datetime(2026, 11, 20, 9, 0, 0, 123456, tzinfo=UTC)
PATIENT, IMPLANT = "patient-heetla-1", "implant-heetla-1"
FIRST, SECOND, PHYSICIAN = (user.id for user in USERS)
VISIT = RefillVisit("visit-1", PATIENT, IMPLANT, NOW, FIRST, NOW)
DIGEST = "ab" * 32
CHECK = SecondCheck(
    "check-1", VISIT.id, DIGEST, Volume(17_500_000_001), FIRST, SECOND, "", NOW, NOW + timedelta(minutes=10)
)
ALONE = replace(CHECK, id="check-2", second_id=None, reason="Überfahrt fällt aus, nobody else on the island")
ATTEMPT = CheckAttempt(
    VISIT.id, 1, DIGEST, Volume(17_500_000_001), FIRST, SECOND, NOW, (CheckField.DRUG, CheckField.INJECTED)
)
TASK = Task(
    "task-1", PATIENT, IMPLANT, "U-07", "remote-check", "Have it checked: “Über”.", date(2026, 11, 20), NOW, FIRST,
    VISIT.id,
)  # fmt: skip
END = TaskEnd(NOW + timedelta(hours=2), PHYSICIAN, "Checked by phone with “Dr B”.")


def entry(action: str = "test", at: datetime = NOW) -> AuditEntry:
    return AuditEntry(at, FIRST, action, VISIT.id, DIGEST)


NAIVE = entry(at=NOW.replace(tzinfo=None))


@pytest.fixture
def clinic(tmp_path: Path):
    store = open_store(tmp_path / "clinic.db", KEY)
    fill_with_demonstration(store, today=date(2026, 11, 20))
    store.save_visit(VISIT, entry("refill.opened"))
    yield store
    store.close()


def test_checks_and_differing_entries_come_back_as_they_went(clinic: SqlClinicStore) -> None:
    clinic.add_second_check_attempt(ATTEMPT, entry("check.differs"))
    clinic.add_second_check(CHECK, entry("check.by-two"))
    clinic.add_second_check(ALONE, entry("check.nobody-there"))
    assert clinic.second_checks(VISIT.id) == [CHECK, ALONE] and clinic.second_checks("visit-2") == []
    assert clinic.second_check_attempts(VISIT.id) == [ATTEMPT] and clinic.second_check_attempts("visit-2") == []
    assert audit_trail.first_broken(clinic.engine) is None


def test_the_trail_of_a_visit_is_told_in_order_and_of_this_visit_alone(clinic: SqlClinicStore) -> None:
    later = entry("refill.proposed", NOW - timedelta(hours=1))
    clinic.write_down(later)
    clinic.write_down(replace(later, subject="visit-2"))
    assert clinic.trail(VISIT.id) == [entry("refill.opened"), later]


def test_a_waiver_and_its_task_are_one(clinic: SqlClinicStore) -> None:
    head = clinic.audit_head()
    with pytest.raises(StatementError):
        clinic.add_second_check(ALONE, entry(), task=(TASK, NAIVE))
    assert clinic.second_checks(VISIT.id) == [] and clinic.open_tasks() == [] and clinic.audit_head() == head
    clinic.add_second_check(ALONE, entry("check.nobody-there"), task=(TASK, entry("task.made")))
    assert clinic.open_tasks() == [TASK]
    assert [row.action for row in clinic.trail(VISIT.id)][-2:] == ["check.nobody-there", "task.made"]


def test_a_task_is_done_once_and_stays(clinic: SqlClinicStore) -> None:
    other = replace(TASK, id="task-2", implant_id=None, visit_id=None, due_on=date(2026, 11, 1))
    clinic.add_task(TASK, entry("task.made"))
    clinic.add_task(other, entry("task.made"))
    clinic.end_task(TASK.id, END, entry("task.done"))
    assert clinic.open_tasks() == [other]
    assert clinic.tasks(PATIENT) == [replace(TASK, end=END), other] and clinic.tasks("patient-kawano-a") == []
    head = clinic.audit_head()
    with pytest.raises(TaskDoneError):
        clinic.end_task(TASK.id, replace(END, note="Something else entirely."), entry())
    with pytest.raises(NotOnRecordError):
        clinic.end_task("task-9", END, entry())
    assert clinic.audit_head() == head and clinic.tasks(PATIENT)[0].end == END


@pytest.mark.parametrize("what", ["check", "attempt", "task", "end"])
def test_when_the_audit_row_fails_nothing_is_written(clinic: SqlClinicStore, what: str) -> None:
    clinic.add_task(TASK, entry())
    with pytest.raises(StatementError):
        match what:
            case "check":
                clinic.add_second_check(CHECK, NAIVE)
            case "attempt":
                clinic.add_second_check_attempt(ATTEMPT, NAIVE)
            case "task":
                clinic.add_task(replace(TASK, id="task-2"), NAIVE)
            case "end":
                clinic.end_task(TASK.id, END, NAIVE)
    assert not clinic.second_checks(VISIT.id) and not clinic.second_check_attempts(VISIT.id)
    assert clinic.tasks(PATIENT) == [TASK]


@pytest.mark.parametrize(
    "statement",
    [
        *(f"DELETE FROM {table}" for table in ("second_checks", "second_check_attempts", "tasks", "task_ends")),
        "UPDATE tasks SET made_by = ''",
        *(f"UPDATE {table} SET at = ''" for table in ("second_checks", "second_check_attempts", "task_ends")),
        "INSERT INTO second_checks VALUES (9, 'c', 'visit-1', '{d}', 1, '{a}', '{a}', '', 'x', 'x')",
        "INSERT INTO second_checks VALUES (9, 'c', 'visit-1', '{d}', 1, '{a}', NULL, '', 'x', 'x')",
        "INSERT INTO second_checks VALUES (9, 'c', 'visit-1', '{d}', 1, '{a}', '{b}', 'why', 'x', 'x')",
        "INSERT INTO second_checks VALUES (9, 'c', 'visit-1', 'short', 1, '{a}', '{b}', '', 'x', 'x')",
        "INSERT INTO second_checks VALUES (9, 'c', 'visit-9', '{d}', 1, '{a}', '{b}', '', 'x', 'x')",
        "INSERT INTO second_checks VALUES (9, 'c', 'visit-1', '{d}', 1, '{a}', 'nobody', '', 'x', 'x')",
        "INSERT INTO second_check_attempts VALUES (9, 'visit-1', 1, '{d}', 1, '{a}', '{a}', 'x', 'drug')",
        "INSERT INTO task_ends VALUES ('task-9', 'x', '{a}', 'x')",
    ],
)
def test_the_database_itself_refuses(clinic: SqlClinicStore, statement: str) -> None:
    clinic.add_second_check(CHECK, entry(), task=(TASK, entry()))
    clinic.add_second_check_attempt(ATTEMPT, entry())
    clinic.end_task(TASK.id, END, entry())
    wanted = statement.replace("{d}", DIGEST).replace("{a}", FIRST).replace("{b}", SECOND)
    with pytest.raises((IntegrityError, DatabaseError)), clinic.engine.begin() as connection:
        connection.exec_driver_sql(wanted)


def test_such_a_row_is_taken_when_it_is_right(clinic: SqlClinicStore) -> None:
    with clinic.engine.begin() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO second_checks VALUES (9, 'c', 'visit-1', '{DIGEST}', 1, '{FIRST}', '{SECOND}', '', 'x', 'x')"
        )


def test_a_store_of_before_gets_the_tables_and_keeps_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    engine = open_engine(path, KEY)
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    with engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        connection.exec_driver_sql("INSERT INTO users VALUES ('user-1', 'Dr Old', 'physician')")
    engine.dispose()
    store = open_store(path, KEY)
    assert [user.name for user in store.users()] == ["Dr Old"]
    assert store.open_tasks() == [] and store.second_checks("visit-1") == []
    store.close()
