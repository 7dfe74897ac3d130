"""What the use cases need from a store, whatever the store.

Law: every method that writes is one transaction that holds the change and its audit row, and has reached the
disk when it returns.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Protocol

from app.models.check_ports import CheckStore
from app.models.circumstances import Absence, RiskReason
from app.models.errors import AppError
from app.models.implant_ports import ImplantStore
from app.models.patient import User
from app.models.patient_day import DayPart
from app.models.presets import ClinicPreset
from app.models.pump import PumpEvent
from app.models.pump_event_ports import PumpEventStore
from app.models.records import (
    Assessment,
    AuditEntry,
    Fill,
    Intent,
    ProgramRecord,
    PumpOrder,
    StoppedGuard,
    TherapyRecord,
)
from app.models.refill_visit import RefillVisit
from app.models.signed_order import ProgramDraft, SignedOrder


class NotOnRecordError(AppError):
    """The store has no such thing: ``kind`` and ``id`` say what."""


class OrderStore(Protocol):
    """What sending an order on its own needs of a store."""

    def save_order(
        self,
        record: PumpOrder,
        entry: AuditEntry,
        *,
        guard: StoppedGuard | None = None,
        lift_guard: bool = False,
    ) -> None:
        """Write the order as it is now; with ``guard`` also that its pump may stand still, with ``lift_guard`` that
        it has been seen running."""
        ...

    def orders_in_doubt(self) -> Sequence[PumpOrder]:
        """Orders without an outcome, or with one that is not known."""
        ...

    def in_doubt(self, serial: str) -> bool:
        """Whether anything was sent to this pump whose result is not known, be it an order or a refill's program."""
        ...

    def audit_head(self) -> str:
        """The hash (64 hex digits) that the whole audit trail ends in; 64 zeros for an empty one."""
        ...


class PrescriptionStore(Protocol):
    """What physicians' orders, and what they are made from, need of a store.

    Drafts, orders, presets, withdrawals and retirements are added and never changed.
    """

    def drafts(self, implant_id: str) -> Sequence[ProgramDraft]:
        """Every saved version of every draft for a pump, oldest first."""
        ...

    def add_draft(self, draft: ProgramDraft, entry: AuditEntry) -> None:
        """Write a new version of a draft."""
        ...

    def signed_orders(self, implant_id: str) -> Sequence[SignedOrder]:
        """Every order signed for a pump, in the order of signing, as the rows have it: digests are not checked here."""
        ...

    def add_signed_order(self, order: SignedOrder, entry: AuditEntry) -> None:
        """Write an order. Raises: AlreadySignedError."""
        ...

    def withdraw_order(self, order_id: str, at: datetime, user_id: str, entry: AuditEntry) -> None:
        """Write that an order is withdrawn. Raises: AlreadyWithdrawnError."""
        ...

    def clinic_presets(self) -> Sequence[ClinicPreset]:
        """Every preset that the clinic has kept, the retired ones too, in the order of keeping."""
        ...

    def add_clinic_preset(self, preset: ClinicPreset, entry: AuditEntry) -> None:
        """Write a preset. Raises: PresetNameTakenError: one that is not retired has the same name."""
        ...

    def retire_preset(self, preset_id: str, at: datetime, user_id: str, entry: AuditEntry) -> None:
        """Write that a preset is retired. Raises: NotOnRecordError, PresetRetiredError."""
        ...

    def patient_day(self, patient_id: str) -> Sequence[DayPart]:
        """The parts of a patient's day, in the order of time; none for nobody on record."""
        ...

    def save_patient_day(self, patient_id: str, parts: Sequence[DayPart], entry: AuditEntry) -> None:
        """Write the whole day in place of the one before. Raises: NotOnRecordError."""
        ...


class CircumstanceStore(Protocol):
    """What the clinic keeps of a patient's life; it is read with the therapy. Nothing is deleted, it is ended."""

    def keep_risks(
        self, patient_id: str, reasons: AbstractSet[RiskReason], at: datetime, user_id: str, entry: AuditEntry
    ) -> None:
        """Make ``reasons`` those that stand: note what is new, end what is gone, leave the others as they were."""
        ...

    def add_absence(self, absence: Absence, entry: AuditEntry) -> None:
        """Write a planned absence."""
        ...

    def end_absence(self, absence_id: str, at: datetime, user_id: str, entry: AuditEntry) -> None:
        """Write that an absence does not take place. Raises: NotOnRecordError: none such stands."""
        ...


class ClinicStore(
    OrderStore, PrescriptionStore, CheckStore, PumpEventStore, CircumstanceStore, ImplantStore, Protocol
):  # fmt: skip
    """The clinic's records."""

    def users(self) -> Sequence[User]:
        """Everybody who may work here, by name."""
        ...

    def therapies(self, search: str = "") -> Sequence[TherapyRecord]:
        """All patients, or those whose name, number or pump serial starts with ``search`` (folded: case, accents)."""
        ...

    def therapy(self, patient_id: str) -> TherapyRecord:
        """Raises: NotOnRecordError."""
        ...

    def fills(self, implant_id: str) -> Sequence[Fill]:
        """All fills of a pump, oldest first."""
        ...

    def programs(self, implant_id: str) -> Sequence[ProgramRecord]:
        """All verified programs of a pump, oldest first."""
        ...

    def program(self, program_id: str) -> ProgramRecord:
        """Raises: NotOnRecordError."""
        ...

    def assessments(self, patient_id: str) -> Sequence[Assessment]:
        """All ratings of a patient, oldest first."""
        ...

    def pump_events(self, implant_id: str, since: datetime) -> Sequence[PumpEvent]:
        """What the pump's log said at its interrogations, from ``since`` (the pump's clock) on, oldest first."""
        ...

    def pump_orders(self, implant_id: str, since: datetime) -> Sequence[PumpOrder]:
        """Orders of their own that were written down from ``since`` (UTC) on, oldest first."""
        ...

    def open_visits(self) -> Sequence[RefillVisit]:
        """Visits that are not closed, the one touched last first."""
        ...

    def visits(self, implant_id: str) -> Sequence[RefillVisit]:
        """Closed visits of a pump, oldest first."""
        ...

    def visit(self, visit_id: str) -> RefillVisit:
        """Raises: NotOnRecordError."""
        ...

    def save_visit(
        self,
        visit: RefillVisit,
        entry: AuditEntry,
        *,
        events: Sequence[PumpEvent] = (),
        eri_on: datetime | None = None,
    ) -> None:
        """Write the visit as it is now, and with a new reading the pump's events that are not on record yet.

        The reading itself is kept for good; ``eri_on`` is when its replacement indicator came up, on the pump's clock.
        """
        ...

    def save_fill(
        self, visit: RefillVisit, fill: Fill, entry: AuditEntry, *, program: ProgramRecord | None = None
    ) -> None:
        """Write the visit and the fill that it led to (a pump that is not programmed), and with another solution what
        the pump gives from then on."""
        ...

    def write_intent(
        self,
        visit: RefillVisit,
        intent: Intent,
        program: ProgramRecord,
        entry: AuditEntry,
        *,
        guard: StoppedGuard | None = None,
    ) -> None:
        """Write the visit, the program as sent and the intent: the last thing before a command. ``guard``: the pump
        may stand still from here on."""
        ...

    def record_outcome(
        self,
        visit: RefillVisit,
        intent: Intent,
        program: ProgramRecord,
        entry: AuditEntry,
        *,
        fill: Fill | None = None,
        lift_guard: bool = False,
    ) -> None:
        """Write what became of an intent: visit, intent and program change together, and the fill if verified.
        ``lift_guard``: the pump has been seen running."""
        ...

    def intent(self, txn: str) -> Intent:
        """Raises: NotOnRecordError."""
        ...

    def intents_in_doubt(self) -> Sequence[Intent]:
        """Intents without an outcome, or with one that is not known."""
        ...

    def guards(self) -> Sequence[StoppedGuard]:
        """Pumps that may stand still, the one waiting longest first."""
        ...

    def lift_guard(self, serial: str, entry: AuditEntry) -> None:
        """Write that this pump has been seen running."""
        ...

    def write_down(self, entry: AuditEntry) -> None:
        """Write an audit row of something that changes nothing on record."""
        ...

    def close(self) -> None:
        """Let go of the file or the server."""
        ...
