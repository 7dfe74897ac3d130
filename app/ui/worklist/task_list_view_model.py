"""What is to be done, as the worklist shows it.

Law: the tasks stand in the order of their days, whatever is searched for; one leaves the list only when it is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from PySide6.QtCore import QObject, Signal

from app.models.errors import AppError
from app.models.tasks import Task
from app.models.typed_reason import shortest_reason
from app.services.workstation import Workstation
from app.ui.dates import show_day
from app.ui.error_texts import words_for
from app.ui.state_mark import Mark


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One task, ready to be read: ``due`` is a word, ``day`` the date."""

    task: Task
    mark: Mark
    due: str
    day: str
    patient: str
    sentence: str


class TaskListViewModel(QObject):
    """Every open task of the clinic."""

    changed = Signal()

    def __init__(self, workstation: Workstation, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._station = workstation
        self._names: dict[str, str] = {}
        self.lines: Sequence[TaskLine] = ()

    def refresh(self) -> None:
        """Read the records again."""
        today = self._station.tasks.today()
        lines = [self._line(task, today) for task in self._station.tasks.open()]
        if lines != self.lines:
            self.lines = lines
            self.changed.emit()

    def _line(self, task: Task, today: date) -> TaskLine:
        mark, due = _due(task, today)
        return TaskLine(task, mark, due, show_day(task.due_on), self._name(task.patient_id), task.sentence)

    def _name(self, patient_id: str) -> str:
        if patient_id not in self._names:
            self._names[patient_id] = self._station.store.therapy(patient_id).patient.name
        return self._names[patient_id]

    def summary(self) -> str:
        """How many there are, and how many of them are overdue."""
        late = sum(line.mark is Mark.BLOCK for line in self.lines)
        many = "1 task" if len(self.lines) == 1 else f"{len(self.lines)} tasks"
        return f"{many}, {late} overdue" if late else many

    def shortest_note(self) -> int:
        """The least number of characters of a note."""
        return shortest_reason(self._station.catalogue)

    def done(self, task: Task, note: str) -> str:
        """Write that a task is done; returns what stands in the way, in words."""
        try:
            self._station.tasks.done(task, note, self._station.user)
        except AppError as error:
            return words_for(error)
        self.refresh()
        return ""


def _due(task: Task, today: date) -> tuple[Mark, str]:
    days = (task.due_on - today).days
    if task.is_overdue(today):
        return Mark.BLOCK, f"Overdue, {-days} d"
    return (Mark.CONFIRM, "Due today") if days == 0 else (Mark.TASK, f"In {days} d")
