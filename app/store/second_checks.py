"""Second checks, the entries that differed and the tasks they leave behind, in one store.

Law: rows are only added, each with its audit row in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, insert, select

from app.models.records import AuditEntry
from app.models.second_check import CheckAttempt, CheckField, SecondCheck
from app.models.tasks import Task, TaskEnd
from app.store import audit_trail
from app.store.tables import audit, second_check_attempts, second_checks
from app.store.tasks import keep_end, keep_task, load_open_tasks, load_tasks


class SqlCheckStore:
    """A :class:`app.models.check_ports.CheckStore` in one database."""

    engine: Engine

    def trail(self, subject: str) -> Sequence[AuditEntry]:
        wanted = select(audit).where(audit.c.subject == subject).order_by(audit.c.seq)
        with self.engine.connect() as connection:
            return [
                AuditEntry(row["at"], row["user_id"], row["action"], row["subject"], row["detail"])
                for row in connection.execute(wanted).mappings()
            ]

    def second_checks(self, visit_id: str) -> Sequence[SecondCheck]:
        with self.engine.connect() as connection:
            return _load_checks(connection, visit_id)

    def add_second_check(
        self, check: SecondCheck, entry: AuditEntry, *, task: tuple[Task, AuditEntry] | None = None
    ) -> None:
        with self.engine.begin() as connection:
            _keep_check(connection, check)
            audit_trail.append(connection, entry)
            if task is not None:
                keep_task(connection, task[0])
                audit_trail.append(connection, task[1])

    def second_check_attempts(self, visit_id: str) -> Sequence[CheckAttempt]:
        with self.engine.connect() as connection:
            return _load_attempts(connection, visit_id)

    def add_second_check_attempt(self, attempt: CheckAttempt, entry: AuditEntry) -> None:
        with self.engine.begin() as connection:
            _keep_attempt(connection, attempt)
            audit_trail.append(connection, entry)

    def open_tasks(self) -> Sequence[Task]:
        with self.engine.connect() as connection:
            return load_open_tasks(connection)

    def tasks(self, patient_id: str) -> Sequence[Task]:
        with self.engine.connect() as connection:
            return load_tasks(connection, patient_id)

    def add_task(self, task: Task, entry: AuditEntry) -> None:
        with self.engine.begin() as connection:
            keep_task(connection, task)
            audit_trail.append(connection, entry)

    def end_task(self, task_id: str, end: TaskEnd, entry: AuditEntry) -> None:
        with self.engine.begin() as connection:
            keep_end(connection, task_id, end)
            audit_trail.append(connection, entry)


def _load_checks(connection: Connection, visit_id: str) -> list[SecondCheck]:
    table = second_checks
    wanted = select(table).where(table.c.visit_id == visit_id).order_by(table.c.seq)
    return [
        SecondCheck(
            id=row["id"],
            visit_id=visit_id,
            digest=row["digest"],
            injected=row["injected"],
            first_id=row["first_id"],
            second_id=row["second_id"],
            reason=row["reason"],
            at=row["at"],
            valid_until=row["valid_until"],
        )
        for row in connection.execute(wanted).mappings()
    ]


def _keep_check(connection: Connection, check: SecondCheck) -> None:
    connection.execute(
        insert(second_checks).values(
            id=check.id,
            visit_id=check.visit_id,
            digest=check.digest,
            injected=check.injected,
            first_id=check.first_id,
            second_id=check.second_id,
            reason=check.reason,
            at=check.at,
            valid_until=check.valid_until,
        )
    )


def _load_attempts(connection: Connection, visit_id: str) -> list[CheckAttempt]:
    table = second_check_attempts
    wanted = select(table).where(table.c.visit_id == visit_id).order_by(table.c.seq)
    return [
        CheckAttempt(
            visit_id=visit_id,
            proposal=row["proposal"],
            digest=row["digest"],
            injected=row["injected"],
            first_id=row["first_id"],
            second_id=row["second_id"],
            at=row["at"],
            differing=tuple(CheckField(name) for name in row["differing"].split(",")),
        )
        for row in connection.execute(wanted).mappings()
    ]


def _keep_attempt(connection: Connection, attempt: CheckAttempt) -> None:
    connection.execute(
        insert(second_check_attempts).values(
            visit_id=attempt.visit_id,
            proposal=attempt.proposal,
            digest=attempt.digest,
            injected=attempt.injected,
            first_id=attempt.first_id,
            second_id=attempt.second_id,
            at=attempt.at,
            differing=",".join(attempt.differing),
        )
    )
