"""The worklist's state: who is on it, what is searched for, which visits are still open.

Law: the rows are frozen values in the order of :func:`app.services.worklist.worklist`; a page never sorts by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from PySide6.QtCore import QObject, Signal

from app.models.formats import rounded, show_concentration, show_volume, with_unit
from app.models.quantities import Mass
from app.models.refill_visit import RefillVisit, Step
from app.services.attention import AppointmentState, appointment_state
from app.services.therapy import Therapy, Urgency
from app.services.worklist import worklist
from app.services.workstation import Workstation
from app.ui.circumstance_words import short_appointment, short_risks, whole_risks
from app.ui.dates import show_day
from app.ui.state_mark import Mark
from app.ui.worklist.task_list_view_model import TaskListViewModel

STEP_NAMES = {
    Step.IDENTIFY: "identify the patient",
    Step.INTERROGATE: "interrogate the pump",
    Step.RESIDUAL: "draw out what is left",
    Step.DRUG: "check the drug",
    Step.FILL: "fill",
    Step.SETTINGS: "choose the settings",
    Step.CONFIRM: "confirm and send",
    Step.PROGRAMME: "ask the pump for the result",
    Step.REPORT: "report and appointment",
    Step.CLOSED: "closed",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One patient on the list, ready to be read."""

    patient_id: str
    urgency: Urgency
    risks: str
    """Why an interruption would be worse, short; empty where nothing is known."""
    all_risks: str
    due: str
    refill_by: str
    name: str
    born: str
    number: str
    drug: str
    dose: str
    reservoir: str
    pump: str
    appointment: str
    appointment_state: AppointmentState
    is_found: bool = True
    """Whether the search finds it; a past-due patient stands on the list in any case."""


@dataclass(frozen=True, slots=True)
class OpenVisit:
    """A visit that was interrupted, in words."""

    visit_id: str
    patient_id: str
    sentence: str


_DUE = {
    Urgency.EMPTY: "Empty",
    Urgency.OVERDUE: "Overdue",
    Urgency.SOON: "Due",
    Urgency.UPCOMING: "Soon",
    Urgency.LATER: "Later",
    Urgency.UNKNOWN: "Unknown",
}

_PAST_DUE = (Urgency.EMPTY, Urgency.OVERDUE)

MARKS = {
    Urgency.EMPTY: Mark.BLOCK,
    Urgency.OVERDUE: Mark.BLOCK,
    Urgency.SOON: Mark.CONFIRM,
    Urgency.UPCOMING: Mark.TASK,
    Urgency.LATER: Mark.NOTE,
    Urgency.UNKNOWN: Mark.CONFIRM,
}


class WorklistViewModel(QObject):
    """Everything the worklist shows."""

    changed = Signal()

    def __init__(self, workstation: Workstation, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workstation = workstation
        self._search = ""
        self._everyone: Sequence[Therapy] = ()
        self.lines: Sequence[Line] = ()
        self.past_due: Sequence[Line] = ()
        self.open_visits: Sequence[OpenVisit] = ()
        self.tasks = TaskListViewModel(workstation, self)

    def search(self, text: str) -> None:
        """Show those whose name, number or pump serial starts with ``text``."""
        self._search = text.strip()
        self._read()

    def refresh(self) -> None:
        """Read the records again."""
        station = self._workstation
        self._everyone = worklist(station.store, station.catalogue, station.clock)
        self._read()

    def _read(self) -> None:
        station = self._workstation
        therapies = self._everyone
        if self._search:
            therapies = worklist(station.store, station.catalogue, station.clock, search=self._search)
        self.lines = [_line(therapy) for therapy in therapies]
        found = {therapy.patient.id for therapy in therapies}
        self.past_due = [
            replace(_line(therapy), is_found=False)
            for therapy in self._everyone
            if therapy.urgency in _PAST_DUE and therapy.patient.id not in found
        ]
        names = {therapy.patient.id: therapy.patient.name for therapy in therapies}
        now = station.clock.utc()
        self.open_visits = [
            _open_visit(visit, names[visit.patient_id], now)
            for visit in station.store.open_visits()
            if visit.patient_id in names
        ]
        self.tasks.refresh()
        self.changed.emit()

    def summary(self) -> str:
        """How many are on the list and how many of them are urgent, in words."""
        late = sum(line.urgency in _PAST_DUE for line in self.lines)
        due = sum(line.urgency is Urgency.SOON for line in self.lines)
        words = f"{len(self.lines)} patients, {late} overdue, {due} due within 14 days"
        if self.past_due:
            words += f"; below, {len(self.past_due)} who are overdue"
        return words


def _line(therapy: Therapy) -> Line:
    patient, settings = therapy.patient, therapy.settings
    return Line(
        patient_id=patient.id,
        urgency=therapy.urgency,
        risks=short_risks(therapy.risks),
        all_risks=whole_risks(therapy.risks),
        due=_due(therapy),
        refill_by=show_day(therapy.refill_by.at.date()) if therapy.refill_by else "unknown",
        name=patient.name,
        born=show_day(patient.born_on),
        number=patient.number,
        drug=f"{settings.drug} {show_concentration(settings.concentration)}" if settings else "unknown",
        dose=daily_dose(therapy),
        reservoir=show_volume(therapy.reservoir.volume) if therapy.reservoir else "unknown",
        pump=therapy.model.name if therapy.model else "no pump",
        appointment=short_appointment(therapy, appointment_state(therapy)),
        appointment_state=appointment_state(therapy),
    )


def _due(therapy: Therapy) -> str:
    word, days = _DUE[therapy.urgency], therapy.days_left
    if days is None:
        return word
    if therapy.urgency in (Urgency.EMPTY, Urgency.OVERDUE):
        return f"{word}, {-days} d late"
    return f"in {days} d"


def daily_dose(therapy: Therapy) -> str:
    """The achieved daily dose, or that it is unknown."""
    if therapy.figures is None:
        return "unknown"
    return with_unit(rounded(therapy.figures.achieved_daily / Mass.PER_MCG, 1), "mcg/day")


def _open_visit(visit: RefillVisit, name: str, now: datetime) -> OpenVisit:
    minutes = int((now - visit.changed_at).total_seconds() // 60)
    ago = f"{minutes} min ago" if minutes < 120 else f"{minutes // 60} h ago"
    sentence = f"Refill of {name} stopped {ago}. Next step: {STEP_NAMES[visit.step]}."
    return OpenVisit(visit.id, visit.patient_id, sentence)
