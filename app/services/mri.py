"""Scans of patients with a pump, and revisions of pump or catheter: noted, and the pump read around them.

Law: a scan is noted before it and after it, never changed, and its state follows from the readings alone.
Source: LIF-02, H-80, H-30.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.models.catalogue import Catalogue
from app.models.errors import AppError
from app.models.interruptions import InterruptionKind, interruptions
from app.models.mri import (
    MriState,
    MriStep,
    MriVisit,
    NoScanError,
    TherapyEvent,
    TherapyEventKind,
    mri_state,
    mri_visits,
)
from app.models.patient import Implant, User
from app.models.ports import ClinicStore
from app.models.pump import PumpPort, WrongPumpError
from app.models.records import AuditEntry
from app.services.clock import Clock
from app.services.pump_events import reading_of, seen_of


class ScanAlreadyPlannedError(AppError):
    """A scan of this patient is planned or not finished yet; ``scan`` is its id."""


class NotYetError(AppError):
    """What is said to have happened lies ahead."""


@dataclass(frozen=True, slots=True)
class MriDesk:
    """Where scans are seen through. ``new_id`` returns 32 random hex digits."""

    store: ClinicStore
    catalogue: Catalogue
    clock: Clock
    new_id: Callable[[], str]

    def visits(self, implant_id: str) -> tuple[MriVisit, ...]:
        """Every scan planned or done with this pump, oldest first."""
        return mri_visits(self.store.therapy_events(implant_id))

    def open_visit(self, implant_id: str) -> MriVisit | None:
        """The scan that is not seen through yet."""
        for visit in reversed(self.visits(implant_id)):
            if self.state(visit).due is not MriStep.NOTHING:
                return visit
        return None

    def state(self, visit: MriVisit) -> MriState:
        """Where a scan stands, by the readings on record."""
        log = self.store.pump_events(visit.implant_id, datetime.min)
        return mri_state(visit, self.store.pump_readings(visit.implant_id), log, self.catalogue)

    def stands_still(self, implant_id: str) -> bool:
        """Whether the last reading on record leaves a stall without its end, so that nothing may be delivered."""
        readings = self.store.pump_readings(implant_id)
        if not readings:
            return False
        log = sorted(self.store.pump_events(implant_id, datetime.min), key=lambda event: event.number)
        parts = interruptions(log, readings[-1].state)
        return any(part.kind is InterruptionKind.STALLED and part.ended is None for part in parts)

    def plan(self, implant_id: str, user: User) -> MriVisit:
        """Note that a scan is going to be made. Raises: ScanAlreadyPlannedError."""
        going_on = self.open_visit(implant_id)
        if going_on is not None:
            raise ScanAlreadyPlannedError(scan=going_on.id)
        note = self._note(implant_id, TherapyEventKind.MRI_PLANNED, self.clock.utc(), user)
        return MriVisit(note.id, implant_id, note.noted_at)

    def scanned(self, visit: MriVisit, at: datetime, user: User) -> MriVisit:
        """Note when the scan ended (UTC). Raises: NoScanError; NotYetError."""
        now = self._current(visit)
        self._require_past(at)
        self._note(visit.implant_id, TherapyEventKind.MRI_DONE, at, user, about=now.id)
        return MriVisit(now.id, now.implant_id, now.noted_at, at)

    def cancel(self, visit: MriVisit, user: User) -> None:
        """Note that the scan is not made. Raises: NoScanError."""
        now = self._current(visit)
        self._note(visit.implant_id, TherapyEventKind.MRI_CANCELLED, self.clock.utc(), user, about=now.id)

    def read(self, implant: Implant, pump: PumpPort, user: User) -> None:
        """Read the pump and keep what it says; which reading of a scan it is follows from its time.

        Raises: LinkLostError, WrongPumpError.
        """
        interrogation = pump.interrogate()
        if interrogation.identity.serial != implant.serial:
            raise WrongPumpError(expected=implant.serial, found=interrogation.identity.serial)
        last = max((event.number for event in interrogation.events), default=interrogation.log_mark.number)
        seen = seen_of(reading_of(interrogation), last_event=last, eri_on=interrogation.eri_on)
        entry = AuditEntry(self.clock.utc(), user.id, "pump.read", implant.id, interrogation.digest)
        self.store.add_pump_reading(implant.id, seen, interrogation.events, entry)

    def note_revision(self, implant_id: str, at: datetime, user: User) -> None:
        """Note that pump or catheter were revised (UTC): the dose is then decided anew. Raises: NotYetError."""
        self._require_past(at)
        self._note(implant_id, TherapyEventKind.SYSTEM_REVISED, at, user)

    def _current(self, visit: MriVisit) -> MriVisit:
        """The scan as it is on record now. Raises: NoScanError: it is over, or was never planned."""
        now = next((known for known in self.visits(visit.implant_id) if known.id == visit.id), None)
        if now is None or now.cancelled or now.scanned_at is not None:
            raise NoScanError(scan=visit.id)
        return now

    def _require_past(self, at: datetime) -> None:
        if at > self.clock.utc():
            raise NotYetError(at=at)

    def _note(
        self, implant_id: str, kind: TherapyEventKind, at: datetime, user: User, *, about: str | None = None
    ) -> TherapyEvent:
        now = self.clock.utc()
        note = TherapyEvent(self.new_id(), implant_id, kind, at, now, user.id, about)
        self.store.add_therapy_event(note, AuditEntry(now, user.id, f"therapy.{kind.value}", note.id))
        return note
