"""The program's side of the protocol: reading a pump, staging a program, committing it, asking what became of it.

Law: nothing is sent before the pump's serial and state are those that were reviewed, and nothing is called sealed
before a second decoder has found every field in the pump's own bytes. Silence after a command is never a failure.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from app.device.link import TRIES, Link
from app.device.messages import (
    ALARM_BITS,
    EVENT_CODES,
    Begin,
    Chunk,
    Commit,
    CommittedIs,
    EventsAre,
    Fate,
    Hi,
    ProgramIs,
    ReadEvents,
    ReadProgram,
    ReadStatus,
    Ready,
    Resolve,
    ResolvedIs,
    Seal,
    SealedIs,
    StatusIs,
    Took,
    chained,
)
from app.device.order_codec import What, decode_order, encode_order, order_digest, what_of
from app.device.read_back import differences
from app.device.settings_codec import BadSettingsError, decode_settings, settings_digest
from app.device.transports import Transport
from app.models.pump import (
    Alarm,
    CableProblem,
    CommandUncertainError,
    Committed,
    Interrogation,
    LinkLostError,
    LogMark,
    Order,
    PumpEvent,
    PumpIdentity,
    PumpRefusedError,
    PumpSettings,
    ReadBackDiffersError,
    Resolution,
    RunningBolus,
    Sealed,
    StaleBaseError,
    WrongPumpError,
)
from app.models.quantities import Volume

_PL_PER_NL = 1000
_KINDS_OF_EVENTS = {code: kind for kind, code in EVENT_CODES.items()}


class PumpClient:
    """A :class:`app.models.pump.PumpPort` on any cable.

    Args:
        open_transport: opens the cable; called again after every loss of it.
        key: the key of the pump that is expected at the other end.
        now: the moment in UTC, for readings and for the token's expiry.
        randomness: that many fresh random bytes.
        monotonic: seconds that never run back, for the waiting.
    """

    def __init__(
        self,
        open_transport: Callable[[], Transport],
        key: bytes,
        *,
        now: Callable[[], datetime],
        randomness: Callable[[int], bytes],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link = Link(open_transport, key, randomness, monotonic)
        self._now = now
        self._anchors: dict[str, bytes] = {}

    def connect(self) -> PumpIdentity:
        """See :meth:`app.models.pump.PumpPort.connect`. Raises: WrongPumpError: its key is another pump's."""
        return _identity(self._link.greet())

    def close(self) -> None:
        """Let go of the cable."""
        self._link.close()

    def interrogate(self, after: LogMark = LogMark()) -> Interrogation:  # noqa: B008
        """See :meth:`app.models.pump.PumpPort.interrogate`. Raises: WrongPumpError: its key is another pump's."""
        hi = self._link.greet()
        program = self._link.ask(ReadProgram, ProgramIs)
        if (program.revision, program.digest) != (hi.revision, hi.digest):
            raise LinkLostError(problem="the pump names two programs at once")
        settings = _settings_in(program)
        status = self._link.ask(ReadStatus, StatusIs)
        events, mark = self._events(after)
        return Interrogation(
            identity=_identity(hi),
            read_at=self._now(),
            pump_clock=status.clock,
            revision=program.revision,
            digest=program.digest.hex(),
            settings=settings,
            running=status.running,
            reset=status.reset,
            reservoir=Volume(status.reservoir_nl * _PL_PER_NL),
            delivered=Volume(status.delivered_nl * _PL_PER_NL),
            alarms=_alarms_in(status.alarms),
            eri_on=status.eri_on if status.eri_seen else None,
            events=events,
            audit_anchor=hi.anchor.hex(),
            bridge_left_min=status.bridge_left_min,
            bolus=_bolus_in(status),
            log_mark=mark,
        )

    def _events(self, after: LogMark) -> tuple[tuple[PumpEvent, ...], LogMark]:
        """The log after a mark, answer by answer, and the mark at its end.

        Raises: LinkLostError: also if what the pump tells does not continue what was read before.
        """
        events: list[PumpEvent] = []
        number, chain = after.number, bytes.fromhex(after.chain)
        while True:
            answer = self._events_after(number)
            for event in answer.events:
                if event.number != number + 1:
                    raise LinkLostError(problem="the pump's log does not go on")
                number, chain = event.number, chained(chain, event)
                kind = _KINDS_OF_EVENTS.get(event.code)
                events.append(PumpEvent(event.number, event.at, kind, event.code, event.value))
            if answer.chain != chain or (answer.more and not answer.events):
                raise LinkLostError(problem="the pump's log is not the one that was read before")
            if not answer.more:
                return tuple(events), LogMark(number, chain.hex())

    def _events_after(self, cursor: int) -> EventsAre:
        return self._link.ask(lambda nonce: ReadEvents(nonce, cursor), EventsAre)

    def digest_of(self, order: Order) -> str:
        """See :meth:`app.models.pump.PumpPort.digest_of`."""
        return order_digest(what_of(order), encode_order(order)).hex()

    def stage(self, *, txn: str, serial: str, base: Interrogation, order: Order, anchor: str) -> Sealed:
        """See :meth:`app.models.pump.PumpPort.stage`."""
        raw = encode_order(order)
        hi = self._link.greet()
        if hi.serial != serial:
            raise WrongPumpError(expected=serial, found=hi.serial)
        if hi.digest.hex() != base.digest or hi.revision != base.revision:
            raise StaleBaseError(reviewed=base.digest, found=hi.digest.hex())
        self._anchors[txn] = bytes.fromhex(anchor)
        asked_at, sealed = self._send(bytes.fromhex(txn), hi, what_of(order), raw)
        return Sealed(
            txn=txn,
            digest=sealed.digest.hex(),
            token=sealed.token,
            order=_order_read_back(order, raw, sealed),
            expires_at=asked_at + timedelta(seconds=sealed.expires_s),
        )

    def _send(self, txn: bytes, hi: Hi, what: What, raw: bytes) -> tuple[datetime, SealedIs]:
        """BEGIN, CHUNK…, SEAL; with the moment before SEAL, from which the token's life counts."""
        self._link.order(Begin(txn, what, hi.revision, hi.digest, len(raw), order_digest(what, raw)), Ready)
        longest = max(hi.max_chunk, 1)
        for offset in range(0, len(raw), longest):
            self._link.order(Chunk(txn, offset, raw[offset : offset + longest]), Took)
        asked_at = self._now()
        return asked_at, self._link.order(Seal(txn), SealedIs)

    def commit(self, sealed: Sealed) -> Committed:
        """See :meth:`app.models.pump.PumpPort.commit`. An order that this client did not stage is not sent."""
        anchor = self._anchors.get(sealed.txn)
        if anchor is None:
            raise PumpRefusedError(reason="unknown-order")
        command = Commit(bytes.fromhex(sealed.txn), bytes.fromhex(sealed.digest), sealed.token, anchor)
        answer = self._link.order(command, CommittedIs)
        return Committed(answer.revision, answer.effective_at)

    def resolve(self, txn: str, serial: str) -> Resolution:
        """See :meth:`app.models.pump.PumpPort.resolve`. A tombstone may be written any number of times."""
        for _ in range(TRIES):
            hi = self._link.greet()
            if hi.serial != serial:
                raise WrongPumpError(expected=serial, found=hi.serial)
            try:
                answer = self._link.order(Resolve(bytes.fromhex(txn)), ResolvedIs)
            except CommandUncertainError:
                continue
            except PumpRefusedError as refused:
                raise LinkLostError(problem="refused", **refused.values) from None
            if answer.fate in list(Fate):
                return Resolution(Fate(answer.fate).name.lower())
        raise LinkLostError(problem=CableProblem.SILENT)


def _identity(hi: Hi) -> PumpIdentity:
    return PumpIdentity(hi.serial, hi.model, hi.firmware, hi.emulated, hi.must_stop)


def _alarms_in(bits: int) -> tuple[Alarm, ...]:
    """Raises: LinkLostError: an alarm that this program has no name for, which must not pass unseen."""
    if bits & ~sum(ALARM_BITS.values()):
        raise LinkLostError(problem="unknown alarm", bits=bits)
    return tuple(alarm for alarm, bit in ALARM_BITS.items() if bits & bit)


def _settings_in(program: ProgramIs) -> PumpSettings:
    """What the pump runs, as both decoders read it. Raises: LinkLostError."""
    if settings_digest(program.settings) != program.digest:
        raise LinkLostError(problem="the program and its digest do not belong together")
    try:
        settings = decode_settings(program.settings)
    except BadSettingsError:
        raise LinkLostError(problem="the program cannot be read") from None
    if differences(settings, program.settings):
        raise LinkLostError(problem="two decoders read different programs")
    return settings


def _order_read_back(sent: Order, raw: bytes, sealed: SealedIs) -> Order:
    """The order in the pump's own bytes, if it is what was sent. Raises: ReadBackDiffersError."""
    wrong = differences(sent, sealed.order)
    if wrong:
        raise ReadBackDiffersError(fields=", ".join(wrong))
    what = what_of(sent)
    if sealed.order != raw or sealed.digest != order_digest(what, raw):
        raise ReadBackDiffersError(fields="digest")
    return decode_order(what, sealed.order)


def _bolus_in(status: StatusIs) -> RunningBolus | None:
    if not status.bolus_nl:
        return None
    return RunningBolus(Volume(status.bolus_nl * _PL_PER_NL), Volume(status.bolus_given_nl * _PL_PER_NL))
