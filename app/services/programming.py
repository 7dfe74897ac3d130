"""Programming a pump: staged, read back, committed once, and verified by a fresh reading.

Law: the intent is on disk before the first command leaves, a command is never repeated, and nothing is called
verified but what a new reading of the pump shows. Whatever else happens, the pump is asked what became of the
order; as long as it has not said, the result is not known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from app.models.agreement import require_agreement
from app.models.catalogue import PumpModel
from app.models.errors import AppError
from app.models.ports import ClinicStore
from app.models.pump import (
    Interrogation,
    Outcome,
    PumpEventKind,
    PumpPort,
    PumpRefusedError,
    PumpSettings,
    ReadBackDiffersError,
    Sealed,
    StaleBaseError,
    WrongPumpError,
)
from app.models.records import AuditEntry, Fill, Intent, ProgramRecord, ProgramState, StoppedGuard
from app.models.refill_visit import RefillVisit, Step, VisitEvent, WrongStepError
from app.services.clock import Clock
from app.services.commit import Verdict, Wanted, ask, send_once

_STATES = {
    Outcome.VERIFIED: ProgramState.VERIFIED,
    Outcome.NOT_APPLIED: ProgramState.NOT_APPLIED,
    Outcome.NOT_KNOWN: ProgramState.NOT_KNOWN,
}


class NothingProposedError(AppError):
    """The visit holds no settings to send, or no reading to base them on."""


class OrderInDoubtError(AppError):
    """An earlier order to this pump has not been settled yet; the pump must be asked first."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A draft that lies sealed in the pump while the old program runs; ``base`` is the reading it rests on."""

    visit: RefillVisit
    intent: Intent
    sealed: Sealed
    base: Interrogation


@dataclass(frozen=True, slots=True)
class Programming:
    """Sends what a visit proposes. ``new_id`` returns 32 random hex digits.

    ``require_allowed`` judges a visit's proposal for the user with this id, by what counts at that moment, and raises
    if it may not be sent: it is asked before a draft is laid into the pump, and again before the commit.
    """

    store: ClinicStore
    clock: Clock
    new_id: Callable[[], str]
    require_allowed: Callable[[RefillVisit, str], None]

    def stage(self, visit: RefillVisit, model: PumpModel, pump: PumpPort, *, serial: str, user_id: str) -> Staged:
        """Put the proposed settings into the pump as a sealed draft, and have them read back.

        Raises:
            OrderInDoubtError: settle the earlier order first.
            WrongStepError, BlockedError, ReasonMissingError: it may not be sent, or not any more; nothing was sent.
            EnginesDisagreeError, NotRepresentableError: nothing was sent.
            StaleBaseError, WrongPumpError: nothing was sent; interrogate again.
            ReadBackDiffersError, PumpRefusedError: the draft is dead.
            CommandUncertainError, LinkLostError: settle before anything else.
        """
        settings, reading = visit.proposed, visit.reading
        if settings is None or reading is None:
            raise NothingProposedError(visit=visit.id)
        if self.store.in_doubt(serial):
            raise OrderInDoubtError(serial=serial)
        self._require_confirming(visit)
        self.require_allowed(visit, user_id)
        require_agreement(settings.program, model, settings.concentration)
        digest = pump.digest_of(settings)
        base = pump.interrogate()
        if base.identity.serial != serial:
            raise WrongPumpError(expected=serial, found=base.identity.serial)
        if (base.digest, base.revision) != (reading.digest, reading.revision):
            raise StaleBaseError(reviewed=reading.digest, found=base.digest)
        visit, intent = self._write_intent(visit, settings, base, digest, user_id)
        try:
            sealed = pump.stage(
                txn=intent.txn, serial=serial, base=base, order=settings, anchor=self.store.audit_head()
            )
            if sealed.digest != digest or sealed.order != settings:
                raise ReadBackDiffersError(fields=("digest",))
        except (ReadBackDiffersError, PumpRefusedError, StaleBaseError, WrongPumpError):
            self.withdraw(intent, pump, user_id=user_id)
            raise
        return Staged(visit, intent, sealed, base)

    def _write_intent(
        self, visit: RefillVisit, settings: PumpSettings, base: Interrogation, digest: str, user_id: str
    ) -> tuple[RefillVisit, Intent]:
        now = self.clock.utc()
        program = ProgramRecord(
            id=self.new_id(),
            implant_id=visit.implant_id,
            visit_id=visit.id,
            state=ProgramState.PROPOSED,
            settings=settings,
            effective_at=base.pump_clock,
            recorded_at=now,
            recorded_by=user_id,
        )
        intent = Intent(
            txn=self.new_id(),
            visit_id=visit.id,
            program_id=program.id,
            serial=base.identity.serial,
            base_revision=base.revision,
            base_digest=base.digest,
            digest=digest,
            written_at=now,
            written_by=user_id,
        )
        visit = replace(visit, program_id=program.id, txn=intent.txn, outcome=None, changed_at=now)
        self.store.write_intent(visit, intent, program, AuditEntry(now, user_id, "pump.stage", intent.txn, digest))
        return visit, intent

    def withdraw(self, intent: Intent, pump: PumpPort, *, user_id: str) -> RefillVisit:
        """Make sure that a draft which nobody sent can never come into force.

        Raises: LinkLostError: the pump did not say; the intent stays in doubt.
        """
        return self.settle(self.store.visit(intent.visit_id), intent, pump, user_id=user_id)

    def send(self, staged: Staged, model: PumpModel, pump: PumpPort, *, user_id: str) -> RefillVisit:
        """Commit the sealed draft and find out what became of it; the visit says so in ``outcome``.

        A draft whose token has expired is withdrawn and laid in anew, with the very same settings.

        Raises: what :meth:`stage` raises, and EnginesDisagreeError: nothing was committed.
        """
        if staged.sealed.expires_at <= self.clock.utc():
            visit = self.withdraw(staged.intent, pump, user_id=user_id)
            staged = self.stage(visit, model, pump, serial=staged.intent.serial, user_id=user_id)
        self._require_confirming(staged.visit)
        self.require_allowed(staged.visit, user_id)
        settings = self.store.program(staged.intent.program_id).settings
        require_agreement(settings.program, model, settings.concentration)
        visit = self._mark_sent(staged, user_id)
        verdict = send_once(pump, staged.sealed, self._wanted(staged.intent))
        return self._record(visit, staged.intent, verdict, user_id)

    def _require_confirming(self, visit: RefillVisit) -> None:
        """Somebody may have gone back since to put a value right. Raises: WrongStepError."""
        on_record = self.store.visit(visit.id)
        if not on_record.may(VisitEvent.SENT) or on_record.txn != visit.txn:
            raise WrongStepError(step=on_record.step.value, event=VisitEvent.SENT.value)

    def _mark_sent(self, staged: Staged, user_id: str) -> RefillVisit:
        """On disk before the commit leaves: from here on the order may be in force."""
        now = self.clock.utc()
        visit = staged.visit.after(VisitEvent.SENT, now)
        program = replace(self.store.program(staged.intent.program_id), state=ProgramState.SENT)
        intent = staged.intent
        stands_still = staged.base.identity.must_stop and not program.settings.program.is_stopped
        guard = StoppedGuard(intent.serial, intent.txn, now) if stands_still else None
        entry = AuditEntry(now, user_id, "pump.commit", intent.txn)
        self.store.write_intent(visit, intent, program, entry, guard=guard)
        return visit

    def settle(self, visit: RefillVisit, intent: Intent, pump: PumpPort, *, user_id: str) -> RefillVisit:
        """Ask the pump what became of an order, and write it down.

        Raises:
            LinkLostError: still not known.
            WrongPumpError: another pump is at the end of the cable.
        """
        return self._record(visit, intent, ask(pump, self._wanted(intent)), user_id)

    def _wanted(self, intent: Intent) -> Wanted:
        return Wanted(intent.txn, intent.serial, intent.digest, self.store.program(intent.program_id).settings)

    def _record(self, visit: RefillVisit, intent: Intent, verdict: Verdict, user_id: str) -> RefillVisit:
        now, was_sent = self.clock.utc(), visit.step is Step.PROGRAMME
        outcome, reading = verdict.outcome, verdict.reading
        program = replace(self.store.program(intent.program_id), state=_STATES[outcome])
        fill = None
        if outcome is Outcome.VERIFIED and reading is not None:
            program = replace(program, effective_at=_effective_at(reading), recorded_at=now)
            fill = _fill_of(visit, program)
            visit = replace(visit, effective_at=program.effective_at, verified_at=now)
            visit = visit.after(VisitEvent.VERIFIED, now) if visit.may(VisitEvent.VERIFIED) else visit
        elif outcome is Outcome.NOT_APPLIED and visit.may(VisitEvent.NOT_APPLIED):
            visit = visit.after(VisitEvent.NOT_APPLIED, now)
        # A draft that nobody sent leaves no result on the visit.
        visit = replace(visit, outcome=outcome if was_sent else None, changed_at=now)
        intent = replace(intent, outcome=outcome, resolved_at=now)
        entry = AuditEntry(now, user_id, f"pump.{outcome.value}", intent.txn, intent.digest)
        runs = outcome is not Outcome.NOT_KNOWN and reading is not None and reading.running
        self.store.record_outcome(visit, intent, program, entry, fill=fill, lift_guard=runs)
        return visit


def _effective_at(reading: Interrogation) -> datetime:
    """When the running program came into force, by the pump's own log and clock."""
    commits = [event.at for event in reading.events if event.kind is PumpEventKind.COMMITTED]
    return max(commits, default=reading.pump_clock)


def _fill_of(visit: RefillVisit, program: ProgramRecord) -> Fill | None:
    """The fill that came into force with the program; ``None`` if the counter was left alone."""
    volume, check = program.settings.reservoir, visit.drug_check
    if volume is None or check is None or visit.injected is None:
        return None
    return Fill(
        id=visit.id,
        implant_id=visit.implant_id,
        visit_id=visit.id,
        at=program.effective_at,
        drug=program.settings.drug,
        concentration=program.settings.concentration,
        volume=volume,
        injected=visit.injected,
        lot=check.lot,
        expires_on=check.expires_on,
        recorded_by=program.recorded_by,
    )
