"""Orders that stand on their own: a bolus, a stop, a resumption, a step of the clock, a program without a refill.

Law: the order is on disk before its first byte leaves, and again before its commit leaves; it is sent once, and an
order in doubt is settled before another one is sent to the same pump.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from app.models.ports import OrderStore
from app.models.pump import (
    Interrogation,
    Order,
    PumpPort,
    PumpRefusedError,
    PumpSettings,
    ReadBackDiffersError,
    Sealed,
    StaleBaseError,
    WrongPumpError,
)
from app.models.records import AuditEntry, PumpOrder, StoppedGuard
from app.services.clock import Clock
from app.services.commit import Verdict, Wanted, ask, send_once
from app.services.programming import OrderInDoubtError


@dataclass(frozen=True, slots=True)
class StagedOrder:
    """An order that lies sealed in the pump; ``base`` is the reading it rests on."""

    record: PumpOrder
    sealed: Sealed
    base: Interrogation


@dataclass(frozen=True, slots=True)
class Orders:
    """Sends orders. ``new_id`` returns 32 random hex digits."""

    store: OrderStore
    clock: Clock
    new_id: Callable[[], str]

    def stage(
        self, order: Order, reviewed: Interrogation, pump: PumpPort, *, implant_id: str, serial: str, user_id: str
    ) -> StagedOrder:
        """Put the order into the pump as a sealed draft and have it read back; nothing changes yet.

        Raises:
            OrderInDoubtError: settle the earlier order first.
            NotRepresentableError: nothing was sent.
            StaleBaseError, WrongPumpError: nothing was sent; interrogate again.
            ReadBackDiffersError, PumpRefusedError: the draft is dead.
            CommandUncertainError, LinkLostError: settle before anything else.
        """
        if self.store.in_doubt(serial):
            raise OrderInDoubtError(serial=serial)
        digest = pump.digest_of(order)
        base = pump.interrogate()
        if base.identity.serial != serial:
            raise WrongPumpError(expected=serial, found=base.identity.serial)
        if (base.digest, base.revision) != (reviewed.digest, reviewed.revision):
            raise StaleBaseError(reviewed=reviewed.digest, found=base.digest)
        now = self.clock.utc()
        record = PumpOrder(self.new_id(), implant_id, serial, order, base.revision, base.digest, digest, now, user_id)
        self.store.save_order(record, AuditEntry(now, user_id, "order.stage", record.txn, digest))
        try:
            sealed = pump.stage(
                txn=record.txn, serial=serial, base=base, order=order, anchor=self.store.audit_head()
            )
            if sealed.digest != digest or sealed.order != order:
                raise ReadBackDiffersError(fields="digest")
        except (ReadBackDiffersError, PumpRefusedError, StaleBaseError, WrongPumpError):
            self.settle(record, pump, user_id=user_id)
            raise
        return StagedOrder(record, sealed, base)

    def send(self, staged: StagedOrder, pump: PumpPort, *, user_id: str) -> PumpOrder:
        """Commit the sealed order, once, and find out what became of it; the record says so in ``outcome``."""
        now = self.clock.utc()
        record = replace(staged.record, sent_at=now)
        settings = _settings_of(record)
        wants_to_run = settings is not None and not settings.program.is_stopped
        stands_still = wants_to_run and staged.base.identity.must_stop
        guard = StoppedGuard(record.serial, record.txn, now) if stands_still else None
        self.store.save_order(record, AuditEntry(now, user_id, "order.commit", record.txn), guard=guard)
        return self._record(record, send_once(pump, staged.sealed, _wanted(record)), user_id)

    def settle(self, record: PumpOrder, pump: PumpPort, *, user_id: str) -> PumpOrder:
        """Ask the pump what became of an order, and write it down.

        Raises: LinkLostError: still not known. WrongPumpError: another pump is at the end of the cable.
        """
        return self._record(record, ask(pump, _wanted(record)), user_id)

    def _record(self, record: PumpOrder, verdict: Verdict, user_id: str) -> PumpOrder:
        now, reading = self.clock.utc(), verdict.reading
        record = replace(record, outcome=verdict.outcome, resolved_at=now)
        runs = reading is not None and reading.running and not record.in_doubt
        entry = AuditEntry(now, user_id, f"order.{verdict.outcome.value}", record.txn, record.digest)
        self.store.save_order(record, entry, lift_guard=runs)
        return record


def _wanted(record: PumpOrder) -> Wanted:
    return Wanted(record.txn, record.serial, record.digest, _settings_of(record))


def _settings_of(record: PumpOrder) -> PumpSettings | None:
    return record.order if isinstance(record.order, PumpSettings) else None
