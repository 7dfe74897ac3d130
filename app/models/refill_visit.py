"""A refill visit as a stored machine: which steps there are, what each adds, and where one may go.

Law: a visit is a value on disk after every step, so that it goes on at that step after any interruption; the
table below is the whole of its movement, and nothing is ever sent by resuming.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from app.models.errors import AppError
from app.models.pump import Outcome, PumpSettings
from app.models.quantities import Concentration, Volume
from app.models.solution_change import BridgeChoice
from app.models.vial import ScannedVial


class Step(StrEnum):
    """Where a visit stands: the step that is to be done next."""

    IDENTIFY = "identify"
    INTERROGATE = "interrogate"
    RESIDUAL = "residual"
    DRUG = "drug"
    FILL = "fill"
    SETTINGS = "settings"
    CONFIRM = "confirm"
    PROGRAMME = "programme"
    REPORT = "report"
    CLOSED = "closed"


class VisitEvent(StrEnum):
    """What moves a visit on."""

    IDENTIFIED = "identified"
    INTERROGATED = "interrogated"
    ASPIRATED = "aspirated"
    DRUG_CHECKED = "drug-checked"
    FILLED = "filled"
    PROPOSED = "proposed"
    SENT = "sent"
    VERIFIED = "verified"
    NOT_APPLIED = "not-applied"
    BOOKED = "booked"
    CORRECTED = "corrected"
    ABANDONED = "abandoned"


TRANSITIONS = MappingProxyType(
    {
        (Step.IDENTIFY, VisitEvent.IDENTIFIED): Step.INTERROGATE,
        (Step.INTERROGATE, VisitEvent.INTERROGATED): Step.RESIDUAL,
        (Step.RESIDUAL, VisitEvent.ASPIRATED): Step.DRUG,
        (Step.DRUG, VisitEvent.DRUG_CHECKED): Step.FILL,
        (Step.FILL, VisitEvent.FILLED): Step.SETTINGS,
        (Step.SETTINGS, VisitEvent.PROPOSED): Step.CONFIRM,
        (Step.CONFIRM, VisitEvent.SENT): Step.PROGRAMME,
        (Step.PROGRAMME, VisitEvent.VERIFIED): Step.REPORT,
        (Step.PROGRAMME, VisitEvent.NOT_APPLIED): Step.SETTINGS,
        (Step.REPORT, VisitEvent.BOOKED): Step.CLOSED,
        # Back to the step before, to put a value right; never once an order is on its way to the pump.
        (Step.DRUG, VisitEvent.CORRECTED): Step.RESIDUAL,
        (Step.FILL, VisitEvent.CORRECTED): Step.DRUG,
        (Step.SETTINGS, VisitEvent.CORRECTED): Step.FILL,
        (Step.CONFIRM, VisitEvent.CORRECTED): Step.SETTINGS,
        # A new reading of the pump is wanted whenever the one at hand is no longer true.
        (Step.SETTINGS, VisitEvent.INTERROGATED): Step.SETTINGS,
        (Step.CONFIRM, VisitEvent.INTERROGATED): Step.SETTINGS,
        # Nothing has been done to the patient yet.
        (Step.IDENTIFY, VisitEvent.ABANDONED): Step.CLOSED,
        (Step.INTERROGATE, VisitEvent.ABANDONED): Step.CLOSED,
    }
)
"""(step, event) → the next step. A pair that is not here cannot happen."""

WITHOUT_TELEMETRY = MappingProxyType(
    {
        (Step.IDENTIFY, VisitEvent.IDENTIFIED): Step.RESIDUAL,
        (Step.FILL, VisitEvent.FILLED): Step.REPORT,
        (Step.REPORT, VisitEvent.CORRECTED): Step.FILL,
    }
)
"""What differs for a constant-flow pump, which can be neither interrogated nor programmed."""


class WrongStepError(AppError):
    """The visit stands at another step, so that this cannot be done now."""


@dataclass(frozen=True, slots=True)
class PumpReading:
    """What the visit keeps of an interrogation: enough to compare, to judge and to base a program on.

    ``pump_clock`` is the pump's own, without offset; ``reservoir`` is its calculation.
    """

    read_at: datetime
    pump_clock: datetime
    serial: str
    model: str
    revision: int
    digest: str
    settings: PumpSettings
    running: bool
    reset: bool
    reservoir: Volume
    alarms: tuple[str, ...]
    emulated: bool


@dataclass(frozen=True, slots=True)
class DrugCheck:
    """What the label of the vial says, and who read it a second time (empty where nobody was there)."""

    drug: str
    concentration: Concentration
    lot: str
    expires_on: date
    second_reader: str = ""


class VisitPlace(StrEnum):
    """Where the patient is seen."""

    CLINIC = "clinic"
    WARD = "ward"
    HOME = "home"


class NeedleCheck(StrEnum):
    """What is looked at, said aloud and ticked at the needle. Source: REF-05, REF-06."""

    REFILL_PORT = "refill-port"
    """The refill port with a refill needle, not the port of the catheter."""
    DREW_BACK = "drew-back"
    """What was injected first could be drawn back."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """One thing that somebody looked at."""

    what: NeedleCheck
    at: datetime
    user_id: str


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided about another solution, and with how much of it the reservoir was rinsed before the fill.

    ``reason`` is empty with a bridge. Source: CON-01.
    """

    choice: BridgeChoice
    reason: str
    rinsed: Volume
    at: datetime
    user_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The reason somebody gave for going on although a rule asked to confirm."""

    rule: str
    reason: str
    text: str
    at: datetime
    user_id: str


@dataclass(frozen=True, slots=True)
class RefillVisit:
    """One refill, step by step. A field is ``None`` until its step has been done.

    ``expected`` is what the program's history leaves in the reservoir, by both engines, at ``reading``'s moment.
    ``program_id`` and ``txn`` name the program record and the order that is or was on its way. ``telemetry`` is false
    where the pump cannot be read, or nobody here has a programmer. ``found_after`` is what was drawn back after the
    fill, all of it, and put in again. ``facts_at`` is when somebody last said that what was typed about the reservoir
    is what has really been done.
    """

    id: str
    patient_id: str
    implant_id: str
    opened_at: datetime
    opened_by: str
    changed_at: datetime
    telemetry: bool = True
    step: Step = Step.IDENTIFY
    reading: PumpReading | None = None
    expected: Volume | None = None
    aspirated: Volume | None = None
    aspirated_at: datetime | None = None
    drug_check: DrugCheck | None = None
    injected: Volume | None = None
    filled_at: datetime | None = None
    proposed: PumpSettings | None = None
    program_id: str | None = None
    txn: str | None = None
    outcome: Outcome | None = None
    effective_at: datetime | None = None
    verified_at: datetime | None = None
    appointment_on: date | None = None
    answers: tuple[Answer, ...] = ()
    closed_at: datetime | None = None
    place: VisitPlace = VisitPlace.CLINIC
    vials: tuple[ScannedVial, ...] = ()
    read_twice: bool = False
    ticked: tuple[Ticked, ...] = ()
    found_after: Volume | None = None
    decided: Decided | None = None
    facts_at: datetime | None = None

    def may(self, event: VisitEvent) -> bool:
        """Whether ``event`` can happen at this step."""
        return self._target(event) is not None

    def after(self, event: VisitEvent, at: datetime, **changes: object) -> RefillVisit:
        """The visit after ``event``, with what that step found out. Raises: WrongStepError."""
        target = self._target(event)
        if target is None:
            raise WrongStepError(step=self.step.value, event=event.value)
        closed = {"closed_at": at} if target is Step.CLOSED else {}
        return replace(self, step=target, changed_at=at, **closed, **changes)  # type: ignore[arg-type]

    def _target(self, event: VisitEvent) -> Step | None:
        if not self.telemetry and (self.step, event) in WITHOUT_TELEMETRY:
            return WITHOUT_TELEMETRY[self.step, event]
        return TRANSITIONS.get((self.step, event))
