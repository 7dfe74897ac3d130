"""Pumps that may stand still since a program was sent that they must stop for: seen to, or handed over.

Law: only a reading that shows the pump running lifts a guard; closing, crashing and handing over do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.models.errors import AppError
from app.models.ports import ClinicStore
from app.models.pump import Interrogation, PumpPort, ResumeDelivery, WrongPumpError
from app.models.records import AuditEntry, PumpOrder, StoppedGuard, TherapyRecord
from app.services.clock import Clock
from app.services.orders import Orders
from app.services.programming import Programming


class HandoverRefusedError(AppError):
    """``field`` is not what is on record: serial, number or reason."""


class HandoverReason(StrEnum):
    """Who looks after the patient from here on. A choice and no free text, for it goes into the audit trail."""

    EMERGENCY_TEAM = "emergency-team"
    OTHER_PROGRAMMER = "other-programmer"
    SURGERY = "surgery"
    HOSPITAL = "hospital"


@dataclass(frozen=True, slots=True)
class Guarded:
    """A pump that may stand still, and whose it is."""

    guard: StoppedGuard
    therapy: TherapyRecord

    @property
    def serial(self) -> str:
        return self.guard.serial


@dataclass(frozen=True, slots=True)
class Guards:
    """The guards of a clinic."""

    store: ClinicStore
    programming: Programming
    orders: Orders
    clock: Clock

    def waiting(self) -> tuple[Guarded, ...]:
        """All pumps that may stand still, the one waiting longest first."""
        return tuple(Guarded(guard, self._therapy(guard.serial)) for guard in self.store.guards())

    def covers(self, serial: str) -> bool:
        """Whether this pump may stand still."""
        return any(guard.serial == serial for guard in self.store.guards())

    def _therapy(self, serial: str) -> TherapyRecord:
        found = self.store.therapies(serial)
        return next(record for record in found if record.implant is not None and record.implant.serial == serial)

    def look(self, guarded: Guarded, pump: PumpPort, *, user_id: str) -> Interrogation:
        """Ask the pump what became of every order in doubt, then read it; if it runs, the guard is lifted.

        Raises: LinkLostError, WrongPumpError: nothing is known, and the guard stays.
        """
        for intent in self.store.intents_in_doubt():
            if intent.serial == guarded.serial:
                visit = self.store.visit(intent.visit_id)
                self.programming.settle(visit, intent, pump, user_id=user_id)
        for record in self.store.orders_in_doubt():
            if record.serial == guarded.serial:
                self.orders.settle(record, pump, user_id=user_id)
        reading = pump.interrogate()
        if reading.identity.serial != guarded.serial:
            raise WrongPumpError(expected=guarded.serial, found=reading.identity.serial)
        if reading.running:
            entry = AuditEntry(self.clock.utc(), user_id, "guard.lifted", guarded.guard.txn, reading.digest)
            self.store.lift_guard(guarded.serial, entry)
        return reading

    def resume(self, guarded: Guarded, seen: Interrogation, pump: PumpPort, *, user_id: str) -> PumpOrder:
        """Let the pump go on with the program that it holds, as it was ``seen``.

        Raises: what :meth:`app.services.orders.Orders.stage` raises.
        """
        implant = guarded.therapy.implant
        assert implant is not None
        staged = self.orders.stage(
            ResumeDelivery(), seen, pump, implant_id=implant.id, serial=guarded.serial, user_id=user_id
        )
        return self.orders.send(staged, pump, user_id=user_id)

    def hand_over(
        self, guarded: Guarded, *, serial: str, number: str, reason: HandoverReason | None, user_id: str
    ) -> None:
        """Write down that somebody else looks after the patient now; the guard stays.

        Raises: HandoverRefusedError: nothing was written.
        """
        for field, right in (
            ("serial", serial.strip().casefold() == guarded.serial.casefold()),
            ("number", number.strip().casefold() == guarded.therapy.patient.number.casefold()),
            ("reason", reason is not None),
        ):
            if not right:
                raise HandoverRefusedError(field=field)
        assert reason is not None
        entry = AuditEntry(self.clock.utc(), user_id, "guard.handed-over", guarded.guard.txn, reason.value)
        self.store.write_down(entry)
