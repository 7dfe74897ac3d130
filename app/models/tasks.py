"""Things that somebody has to do by a day, and what became of them.

Law: a task is made once and ends once, with a note; neither is ever changed or taken back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from app.models.errors import AppError
from app.models.findings import Finding


class TaskDoneError(AppError):
    """This task has been done before; ``task`` names it."""


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """Who did a task, when (UTC), and what came of it."""

    at: datetime
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do for one patient by a day of the pump's clock.

    ``rule`` and ``reason`` say why, ``sentence`` what to do in words, as it was said when the task was made (UTC).
    """

    id: str
    patient_id: str
    implant_id: str | None
    rule: str
    reason: str
    sentence: str
    due_on: date
    made_at: datetime
    made_by: str
    visit_id: str | None = None
    end: TaskEnd | None = None

    def is_overdue(self, today: date) -> bool:
        """Whether its day is over and it has not been done."""
        return self.end is None and self.due_on < today


def task_key(finding: Finding) -> str:
    """What tells one task of a rule from another: the finding's reason, and the rule that it speaks of, if any."""
    about = finding.values.get("overridden_rule")
    return f"{finding.reason} {about}" if about else finding.reason


def open_task(tasks: Iterable[Task], *, patient_id: str, rule: str, reason: str) -> Task | None:
    """The task for the same that has not been done yet, if there is one."""
    wanted = (patient_id, rule, reason)
    return next((one for one in tasks if one.end is None and (one.patient_id, one.rule, one.reason) == wanted), None)


def by_due_date(tasks: Iterable[Task]) -> list[Task]:
    """Tasks in the order in which they should be done; among those of one day the oldest first."""
    return sorted(tasks, key=lambda task: (task.due_on, task.made_at))
