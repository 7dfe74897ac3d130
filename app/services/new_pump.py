"""A pump that was replaced: the new one is read, compared with what is typed, and put on record in place of the old.

Law: only a physician does this, in a visit in which the patient was identified, and before the pump of the record was
read. What is written of the new pump is what it says itself under its own key; nothing of the old pump, no program,
order or fill, is carried over to it. Source: H-72, SR-07, IMP-01, H-30.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from fractions import Fraction

from app.models.catalogue import Catalogue, PumpKind
from app.models.errors import AppError
from app.models.findings import Finding, Severity
from app.models.mri import TherapyEvent, TherapyEventKind
from app.models.patient import CatheterPiece, Implant, Role, User
from app.models.ports import ClinicStore
from app.models.pump import PumpIdentity, PumpPort, WrongPumpError
from app.models.records import AuditEntry
from app.models.refill_visit import RefillVisit, Step, VisitEvent, WrongStepError
from app.services.clock import Clock
from app.services.prescribing import NotAPhysicianError
from app.services.refill import RefillDesk
from app.services.tasks import TaskDesk

_SERIAL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{2,30})[A-Za-z0-9]")


class ImpossibleSerialError(AppError):
    """This is no serial number of a pump: four to 32 letters, digits and hyphens."""


class OtherPumpError(AppError):
    """The pump at the end of the cable is not the one whose number, ``typed``, was typed."""


class SerialOnRecordError(AppError):
    """This pump is on record already; ``whose`` is ``this`` for the patient's own, now or before, else ``other``."""


class UnknownModelError(AppError):
    """The catalogue has no programmable pump of this ``model``, so that it may be read but never programmed."""


class ImpossibleImplantError(AppError):
    """The implant cannot be like this.

    ``problem`` is ``future``, ``before-old``, ``before-fill``, ``catheter-unknown`` or ``trimmed``.
    """


class OldPumpInDoubtError(AppError):
    """The result of an order to the old pump, ``serial``, is not known: ask that pump first."""


@dataclass(frozen=True, slots=True)
class NewPump:
    """A pump that answered under the key of the number that was typed, and says the same number and ``model``."""

    serial: str
    model: str
    model_name: str
    firmware: str
    emulated: bool


@dataclass(frozen=True, slots=True)
class NewPumpDesk:
    """Where a replaced pump is put on record. ``pump_at`` returns the port to a pump that may not be on record yet;
    ``new_id`` returns 32 random hex digits."""

    store: ClinicStore
    catalogue: Catalogue
    clock: Clock
    new_id: Callable[[], str]
    desk: RefillDesk
    tasks: TaskDesk
    pump_at: Callable[[Implant], PumpPort]

    def look(self, visit: RefillVisit, typed: str, user: User) -> NewPump:
        """Read who is at the end of the cable, as the pump whose whole number was typed; nothing is written.

        A pump answers under its own key alone, so that another one than was typed cannot pass for it.

        Raises:
            NotAPhysicianError, WrongStepError: not by this user, not at this step of the visit.
            ImpossibleSerialError, SerialOnRecordError: no pump was asked.
            LinkLostError, OtherPumpError: nothing answered, or another pump than was typed.
            UnknownModelError: the pump may be read, and no more.
        """
        self._require(visit, user)
        serial = typed.strip()
        self._require_new(visit, serial)
        old = self.desk.implant(visit.patient_id)
        pump = self.pump_at(Implant("", visit.patient_id, old.pump_model, serial, self.clock.pump().date()))
        try:
            identity = pump.connect()
        except WrongPumpError:
            raise OtherPumpError(typed=serial) from None
        finally:
            pump.close()
        if identity.serial != serial:
            raise OtherPumpError(typed=serial, found=identity.serial)
        return self._found(identity)

    def replace_pump(
        self,
        visit: RefillVisit,
        found: NewPump,
        *,
        implanted_on: date,
        catheter: Sequence[CatheterPiece] | None,
        user: User,
    ) -> RefillVisit:
        """Put the new pump on record, end the old one on that day, and begin a new visit, which identifies anew.

        ``catheter`` is ``None`` where the old one was kept as it is. What is missing in the record becomes a task, and
        the surgery is noted, so that a physician decides about the dose before anything is sent.

        Raises:
            NotAPhysicianError, WrongStepError: not by this user, not at this step of the visit.
            SerialOnRecordError, UnknownModelError, ImpossibleImplantError, OldPumpInDoubtError: nothing was written.
        """
        visit = self.store.visit(visit.id)
        self._require(visit, user)
        self._require_new(visit, found.serial)
        self._require_model(found.model)
        old = self.desk.implant(visit.patient_id)
        if self.store.in_doubt(old.serial):
            raise OldPumpInDoubtError(serial=old.serial)
        pieces = old.catheter if catheter is None else tuple(catheter)
        self._require_pieces(pieces)
        self._require_day(old, implanted_on)
        now = self.clock.utc()
        new = Implant(self.new_id(), visit.patient_id, found.model, found.serial, implanted_on, pieces)
        surgery = TherapyEvent(
            self.new_id(), new.id, TherapyEventKind.SYSTEM_REVISED, self._end_of(implanted_on), now, user.id
        )
        entry = AuditEntry(now, user.id, "implant.replaced", new.id, f"{old.id} {found.serial} {found.model}")
        self.store.replace_implant(old, new, visit.after(VisitEvent.ABANDONED, now), surgery, entry)
        self.tasks.from_findings(missing(pieces), visit.patient_id, user=user, implant_id=new.id)
        return self.desk.open(visit.patient_id, user, place=visit.place)

    # -- what must hold ----------------------------------------------------------------------------------------

    def _require(self, visit: RefillVisit, user: User) -> None:
        """Raises: NotAPhysicianError, WrongStepError."""
        known = next((one for one in self.store.users() if one.id == user.id), None)
        if known is None or known.role is not Role.PHYSICIAN:
            raise NotAPhysicianError(user=user.id)
        if visit.step is not Step.INTERROGATE or visit.reading is not None or not visit.telemetry:
            raise WrongStepError(step=visit.step.value, event="pump-replaced")

    def _require_new(self, visit: RefillVisit, serial: str) -> None:
        """Raises: ImpossibleSerialError, SerialOnRecordError."""
        if _SERIAL.fullmatch(serial) is None:
            raise ImpossibleSerialError(serial=serial)
        known = self.store.implant_with(serial)
        if known is not None:
            raise SerialOnRecordError(serial=serial, whose="this" if known.patient_id == visit.patient_id else "other")

    def _require_model(self, model: str) -> None:
        """Raises: UnknownModelError."""
        known = self.catalogue.pumps.get(model)
        if known is None or known.kind is not PumpKind.PROGRAMMABLE:
            raise UnknownModelError(model=model)

    def _found(self, identity: PumpIdentity) -> NewPump:
        self._require_model(identity.model)
        name = self.catalogue.pump(identity.model).name
        return NewPump(identity.serial, identity.model, name, identity.firmware, identity.emulated)

    def _require_pieces(self, pieces: Sequence[CatheterPiece]) -> None:
        """Raises: ImpossibleImplantError."""
        for piece in pieces:
            known = self.catalogue.catheters.get(piece.model)
            if known is None:
                raise ImpossibleImplantError(problem="catheter-unknown", model=piece.model)
            if piece.trimmed_cm is not None and not Fraction(0) <= piece.trimmed_cm < known.length_cm:
                raise ImpossibleImplantError(problem="trimmed", model=known.name, length_cm=known.length_cm)

    def _require_day(self, old: Implant, day: date) -> None:
        """Raises: ImpossibleImplantError."""
        fills = self.store.fills(old.id)
        if day > self.clock.pump().date():
            raise ImpossibleImplantError(problem="future")
        if day < old.implanted_on:
            raise ImpossibleImplantError(problem="before-old", on=old.implanted_on)
        if fills and day < fills[-1].at.date():
            raise ImpossibleImplantError(problem="before-fill", on=fills[-1].at.date())

    def _end_of(self, day: date) -> datetime:
        """The last moment of a day on the pump's clock, or now if that is earlier; UTC."""
        end = (datetime.combine(day, time(23, 59)) - self.clock.pump_offset).replace(tzinfo=UTC)
        return min(end, self.clock.utc())


def missing(pieces: Sequence[CatheterPiece]) -> tuple[Finding, ...]:
    """What an implant record still lacks, each a task. Source: IMP-01."""
    found = [Finding("IMP-01", Severity.TASK, "implant-details")]
    if not pieces:
        found.append(Finding("IMP-01", Severity.TASK, "no-catheter"))
    elif any(piece.trimmed_cm is None for piece in pieces):
        found.append(Finding("IMP-01", Severity.TASK, "trimmed-unknown"))
    return tuple(found)
