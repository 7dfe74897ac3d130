"""What second checks and tasks need of a store.

Law: rows are added and never changed; each method that writes is one transaction with its audit row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from app.models.records import AuditEntry
from app.models.second_check import CheckAttempt, SecondCheck
from app.models.tasks import Task, TaskEnd


class TaskStore(Protocol):
    """Tasks and their ends."""

    def open_tasks(self) -> Sequence[Task]:
        """Every task of every patient that has not been done, in the order of making."""
        ...

    def tasks(self, patient_id: str) -> Sequence[Task]:
        """Every task of a patient, done or not, in the order of making."""
        ...

    def add_task(self, task: Task, entry: AuditEntry) -> None:
        """Write a task, which is open."""
        ...

    def end_task(self, task_id: str, end: TaskEnd, entry: AuditEntry) -> None:
        """Write that a task is done. Raises: NotOnRecordError, TaskDoneError."""
        ...


class CheckStore(TaskStore, Protocol):
    """Second checks, entries that differed, and who did what."""

    def trail(self, subject: str) -> Sequence[AuditEntry]:
        """Everything that the audit trail says of one thing, oldest first."""
        ...

    def second_checks(self, visit_id: str) -> Sequence[SecondCheck]:
        """Every check of a visit, and every time that one went on without, in the order of making."""
        ...

    def add_second_check(
        self, check: SecondCheck, entry: AuditEntry, *, task: tuple[Task, AuditEntry] | None = None
    ) -> None:
        """Write a check, and with it the task that it leaves behind with the audit row of that."""
        ...

    def second_check_attempts(self, visit_id: str) -> Sequence[CheckAttempt]:
        """Every entry at a visit that differed, in the order of typing."""
        ...

    def add_second_check_attempt(self, attempt: CheckAttempt, entry: AuditEntry) -> None:
        """Write that an entry differed."""
        ...
