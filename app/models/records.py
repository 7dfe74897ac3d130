"""What is on record: fills, programs, assessments, intents to programme, and the audit trail.

Law: a record is never changed into another fact; a program goes from proposed to sent to what became of it,
and only what the pump itself read back is *verified*. Pump moments carry no offset, all others are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction

from app.models.circumstances import NOTHING_KNOWN, Circumstances
from app.models.patient import Implant, Patient
from app.models.pump import Order, Outcome, PumpSettings
from app.models.quantities import Concentration, Volume


class ProgramState(StrEnum):
    """How far a program got."""

    PROPOSED = "proposed"
    SENT = "sent"
    VERIFIED = "verified"
    NOT_APPLIED = "not-applied"
    NOT_KNOWN = "not-known"


@dataclass(frozen=True, slots=True)
class ProgramRecord:
    """Settings for one pump. ``effective_at`` is on the pump's clock: from then on they are in force, if verified."""

    id: str
    implant_id: str
    visit_id: str | None
    state: ProgramState
    settings: PumpSettings
    effective_at: datetime
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True)
class Fill:
    """The reservoir after one fill. ``at`` is on the pump's clock; ``volume`` is all that can be drawn out again."""

    id: str
    implant_id: str
    visit_id: str | None
    at: datetime
    drug: str
    concentration: Concentration
    volume: Volume
    injected: Volume
    lot: str
    expires_on: date | None
    recorded_by: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """A rating of muscle tone: ``scale`` is ``MAS``, ``AS0_4`` or ``AS1_5``, ``values`` one per muscle group."""

    id: str
    patient_id: str
    on: date
    scale: str
    values: tuple[Fraction, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """One attempt to programme a pump, on disk before the first byte leaves. ``outcome`` is ``None`` while it runs
    and after a crash: then it is in doubt until the pump says what became of ``txn`` (32 hex digits)."""

    txn: str
    visit_id: str
    program_id: str
    serial: str
    base_revision: int
    base_digest: str
    digest: str
    written_at: datetime
    written_by: str
    outcome: Outcome | None = None
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PumpOrder:
    """One order that is no refill's program: a bolus, a stop, a resumption, a step of the clock, a program on its own.

    On disk before the first byte leaves. ``sent_at`` is written before the commit leaves. ``outcome`` is ``None`` until
    the pump has said what became of ``txn`` (32 hex digits).
    """

    txn: str
    implant_id: str
    serial: str
    order: Order
    base_revision: int
    base_digest: str
    digest: str
    written_at: datetime
    written_by: str
    sent_at: datetime | None = None
    outcome: Outcome | None = None
    resolved_at: datetime | None = None

    @property
    def in_doubt(self) -> bool:
        """Whether the pump must be asked before anything else is sent to it."""
        return self.outcome in (None, Outcome.NOT_KNOWN)


@dataclass(frozen=True, slots=True)
class StoppedGuard:
    """A pump that may stand still since a program was sent that it must stop for; lifted by a reading that shows it
    running, and by nothing else."""

    serial: str
    txn: str
    since: datetime


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to which object, to be written with the change itself. No names of patients, no free text."""

    at: datetime
    user_id: str
    action: str
    subject: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TherapyRecord:
    """Everything on record that says what a patient is getting now.

    ``programs`` are the verified programs in force at or after the last fill, oldest first: the one that was
    running when the reservoir was filled comes first.
    """

    patient: Patient
    implant: Implant | None
    fill: Fill | None
    programs: tuple[ProgramRecord, ...]
    appointment_on: date | None
    circumstances: Circumstances = NOTHING_KNOWN
