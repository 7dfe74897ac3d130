"""Tasks in their tables.

Law: rows are only added; a task that is done has a row of its own that says so.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, insert, select

from app.models.ports import NotOnRecordError
from app.models.tasks import Task, TaskDoneError, TaskEnd
from app.store.mapping import Row
from app.store.tables import task_ends, tasks


def load_tasks(connection: Connection, patient_id: str) -> list[Task]:
    """Every task of a patient, in the order of making."""
    return _load(connection, tasks.c.patient_id == patient_id)


def load_open_tasks(connection: Connection) -> list[Task]:
    """Every task that has not been done, in the order of making."""
    return _load(connection, task_ends.c.task_id.is_(None))


def _load(connection: Connection, wanted: ColumnElement[bool]) -> list[Task]:
    ended = (task_ends.c.at.label("ended_at"), task_ends.c.by.label("ended_by"), task_ends.c.note)
    joined = select(tasks, *ended).join(task_ends, isouter=True).where(wanted).order_by(tasks.c.seq)
    return [_task(row) for row in connection.execute(joined).mappings()]


def _task(row: Row) -> Task:
    done = row["ended_at"] is not None
    return Task(
        id=row["id"],
        patient_id=row["patient_id"],
        implant_id=row["implant_id"],
        rule=row["rule"],
        reason=row["reason"],
        sentence=row["sentence"],
        due_on=row["due_on"],
        made_at=row["made_at"],
        made_by=row["made_by"],
        visit_id=row["visit_id"],
        end=TaskEnd(row["ended_at"], row["ended_by"], row["note"]) if done else None,
    )


def keep_task(connection: Connection, task: Task) -> None:
    """Add a task."""
    connection.execute(
        insert(tasks).values(
            id=task.id,
            patient_id=task.patient_id,
            implant_id=task.implant_id,
            rule=task.rule,
            reason=task.reason,
            sentence=task.sentence,
            due_on=task.due_on,
            made_at=task.made_at,
            made_by=task.made_by,
            visit_id=task.visit_id,
        )
    )


def keep_end(connection: Connection, task_id: str, end: TaskEnd) -> None:
    """Add that a task is done. Raises: NotOnRecordError, TaskDoneError."""
    if connection.execute(select(tasks.c.id).where(tasks.c.id == task_id)).first() is None:
        raise NotOnRecordError(kind="task", id=task_id)
    if connection.execute(select(task_ends.c.at).where(task_ends.c.task_id == task_id)).first() is not None:
        raise TaskDoneError(task=task_id)
    connection.execute(insert(task_ends).values(task_id=task_id, at=end.at, by=end.by, note=end.note))
