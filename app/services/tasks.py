"""Tasks: made by rules and by people, done with a note, listed by their day.

Law: the same task is not made twice while it is open, and a task is done once. Nobody's words go into the audit trail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from app.models.catalogue import Catalogue
from app.models.check_ports import TaskStore
from app.models.findings import Finding, Severity
from app.models.patient import User
from app.models.records import AuditEntry
from app.models.rule_texts import sentence
from app.models.tasks import Task, TaskEnd, by_due_date, open_task, task_key
from app.models.typed_reason import require_good_reason
from app.services.clock import Clock


@dataclass(frozen=True, slots=True)
class TaskDesk:
    """Where tasks are made and done. ``new_id`` returns 32 random hex digits."""

    store: TaskStore
    catalogue: Catalogue
    clock: Clock
    new_id: Callable[[], str]

    def make(
        self,
        patient_id: str,
        *,
        rule: str,
        reason: str,
        words: str,
        due_on: date,
        user: User,
        implant_id: str | None = None,
        visit_id: str | None = None,
    ) -> Task:
        """Make a task, or return the one that is open for the same patient, rule and reason.

        ``reason`` is a word of the program's own, like a finding's; ``words`` is the sentence for people.
        """
        known = open_task(self.store.open_tasks(), patient_id=patient_id, rule=rule, reason=reason)
        if known is not None:
            return known
        task = Task(
            id=self.new_id(),
            patient_id=patient_id,
            implant_id=implant_id,
            rule=rule,
            reason=reason,
            sentence=words,
            due_on=due_on,
            made_at=self.clock.utc(),
            made_by=user.id,
            visit_id=visit_id,
        )
        self.store.add_task(task, made_entry(task))
        return task

    def from_findings(
        self,
        findings: Iterable[Finding],
        patient_id: str,
        *,
        user: User,
        due_on: date | None = None,
        implant_id: str | None = None,
        visit_id: str | None = None,
    ) -> tuple[Task, ...]:
        """A task for each finding that is one, due today on the pump's clock unless ``due_on`` says otherwise.

        Raises: NoTextError: a finding has no sentence.
        """
        return tuple(
            self.make(
                patient_id,
                rule=finding.rule,
                reason=task_key(finding),
                words=sentence(finding),
                due_on=due_on or self.today(),
                user=user,
                implant_id=implant_id,
                visit_id=visit_id,
            )
            for finding in findings
            if finding.severity is Severity.TASK
        )

    def done(self, task: Task, note: str, user: User) -> Task:
        """Write that a task is done, and what came of it.

        Raises: ReasonTooThinError: the note says nothing; NotOnRecordError, TaskDoneError.
        """
        end = TaskEnd(self.clock.utc(), user.id, require_good_reason(note, self.catalogue))
        self.store.end_task(task.id, end, AuditEntry(end.at, user.id, "task.done", task.id, task.rule))
        return replace(task, end=end)

    def open(self) -> Sequence[Task]:
        """What is to be done, by its day."""
        return by_due_date(self.store.open_tasks())

    def today(self) -> date:
        """The day by the pump's clock."""
        return self.clock.pump().date()


def made_entry(task: Task) -> AuditEntry:
    """The audit row of a task that is made."""
    return AuditEntry(task.made_at, task.made_by, "task.made", task.id, task.rule)
