"""The emulated pump: a pump's mind, without a cable.

Law: it answers messages and nothing else; its state is a function of its memory and the clock, and every change of
that state is one write of the whole memory. The old program runs until that write.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction

from app.device.ledger import CannotRunError, Epoch, Ledger, delivered_volume
from app.device.messages import (
    ALARM_BITS,
    EVENT_CODES,
    Begin,
    Chunk,
    ClockIs,
    Commit,
    CommittedIs,
    Event,
    EventsAre,
    Fate,
    Hello,
    Hi,
    Message,
    Nak,
    ProgramIs,
    ReadClock,
    ReadEvents,
    ReadProgram,
    ReadStatus,
    Ready,
    Refusal,
    Resolve,
    ResolvedIs,
    Seal,
    SealedIs,
    StatusIs,
    Took,
)
from app.device.pump_memory import LoggedEvent, Memory, MemoryFile, Slot
from app.device.settings_codec import BadSettingsError, decode_settings, encode_settings, settings_digest
from app.models.catalogue import PumpModel
from app.models.program import Stopped
from app.models.pump import Alarm, PumpEventKind, PumpSettings
from app.models.quantities import Volume

FIRMWARE = "emulated 1"
MAX_CHUNK = 192
DEADLINE_MS = 2000
TOKEN_LIFE = timedelta(seconds=120)
EVENTS_IN_ONE_ANSWER = 100
_PL_PER_NL = 1000
_NEVER = datetime(2000, 1, 1)


@dataclass(slots=True)
class _Draft:
    """A program on its way in; gone with the session."""

    txn: bytes
    base_revision: int
    digest: bytes
    length: int
    held: bytearray
    token: bytes = b""
    expires_at: datetime = _NEVER


class VirtualClock:
    """The pump's wall clock: it starts anywhere, runs at any speed, and can be put forward."""

    def __init__(self, start: datetime, real_s: Callable[[], float], *, speed: float = 1.0) -> None:
        self._start = start
        self._real_s = real_s
        self._since = real_s()
        self._speed = speed

    def now(self) -> datetime:
        """The clock's face, whole seconds (floored)."""
        passed = (self._real_s() - self._since) * self._speed
        return (self._start + timedelta(seconds=passed)).replace(microsecond=0)

    def advance(self, by: timedelta) -> None:
        """Put the clock forward: time really passes for the pump."""
        self._start += by


class EmulatedPump:
    """One pump.

    Args:
        serial: its number.
        model: its catalogue constants.
        clock: its wall clock.
        memory_file: where its memory is kept.
        made: the memory of a pump that has none yet.
        randomness: that many random bytes, for tokens.
        implanted_on: for the end of its battery.
    """

    def __init__(
        self,
        serial: str,
        model: PumpModel,
        clock: VirtualClock,
        *,
        memory_file: MemoryFile,
        made: Memory,
        randomness: Callable[[int], bytes],
        implanted_on: datetime | None = None,
    ) -> None:
        self.serial = serial
        self.model = model
        self.clock = clock
        self._file = memory_file
        self._randomness = randomness
        self._implanted_on = implanted_on
        self.memory = memory_file.load() or made
        self._draft: _Draft | None = None
        memory_file.keep(self.memory)

    # -- what it says ----------------------------------------------------------------------------------------

    def answer(self, message: Message) -> Message:
        """Obey one message of the current session."""
        match message:
            case Hello(nonce=nonce):
                return self._greet(nonce)
            case ReadProgram(nonce=nonce):
                slot = self.memory.slot
                return ProgramIs(nonce, slot.revision, settings_digest(slot.settings), slot.settings)
            case ReadStatus(nonce=nonce):
                return self._status(nonce)
            case ReadEvents(nonce=nonce, cursor=cursor):
                return self._events(nonce, cursor)
            case ReadClock(nonce=nonce):
                return ClockIs(nonce, self.clock.now())
            case Begin():
                return self._begin(message)
            case Chunk():
                return self._take(message)
            case Seal(txn=txn):
                return self._seal(txn)
            case Commit():
                return self._commit(message)
            case Resolve(txn=txn):
                return self._resolve(txn)
            case _:
                return Nak(Refusal.UNKNOWN_MESSAGE)

    @property
    def session(self) -> int:
        """The session that is open now."""
        return self.memory.session

    def reboot(self) -> None:
        """Lose everything that is not in the memory."""
        self._draft = None

    def _greet(self, nonce: bytes) -> Hi:
        """A new session, never used before; it ends every earlier one and its draft."""
        self._draft = None
        self._keep(replace(self.memory, session=self.memory.session + 1))
        memory, now = self.memory, self.clock.now()
        return Hi(
            nonce=nonce,
            session=memory.session,
            serial=self.serial,
            model=self.model.slug,
            firmware=FIRMWARE,
            emulated=True,
            must_stop=False,
            max_chunk=MAX_CHUNK,
            deadline_ms=DEADLINE_MS,
            revision=memory.slot.revision,
            digest=settings_digest(memory.slot.settings),
            clock=now,
            running=self._runs(),
            reset=memory.reset,
            alarms=_bits(self.alarms(now)),
            applied=tuple(bytes.fromhex(txn) for txn, _, _ in memory.applied[-4:]),
            anchor=bytes.fromhex(memory.anchor),
        )

    def _status(self, nonce: bytes) -> StatusIs:
        now = self.clock.now()
        books, eri = self.ledger(now), self._eri_on()
        left = max(self.memory.epoch.bridge_until() - now, timedelta(0)) if self.memory.epoch.settings.bridge else None
        return StatusIs(
            nonce=nonce,
            clock=now,
            reservoir_nl=books.believed // _PL_PER_NL,
            delivered_nl=books.delivered // _PL_PER_NL,
            running=self._runs(),
            reset=self.memory.reset,
            alarms=_bits(self.alarms(now)),
            eri_seen=eri is not None and eri <= now,
            eri_on=eri if eri is not None and eri <= now else _NEVER,
            bridge_left_min=-(-left // timedelta(minutes=1)) if left else 0,
        )

    def _events(self, nonce: bytes, cursor: int) -> EventsAre:
        later = [event for event in self.memory.log if event.number > cursor]
        part = later[:EVENTS_IN_ONE_ANSWER]
        return EventsAre(
            nonce=nonce,
            events=tuple(Event(event.number, event.at, event.code, event.value) for event in part),
            cursor=part[-1].number if part else cursor,
            more=len(later) > len(part),
        )

    # -- what it is told -------------------------------------------------------------------------------------

    def _begin(self, order: Begin) -> Message:
        txn, slot = order.txn.hex(), self.memory.slot
        if txn in self.memory.tombstones:
            return Nak(Refusal.DEAD_ORDER)
        if order.base_revision != slot.revision or order.base_digest != settings_digest(slot.settings):
            return Nak(Refusal.OTHER_BASE)
        if self._draft is not None or self._applied(txn) is not None:
            return Nak(Refusal.BUSY)
        self._draft = _Draft(order.txn, order.base_revision, order.digest, order.length, bytearray())
        return Ready(order.txn)

    def _take(self, chunk: Chunk) -> Message:
        draft = self._draft
        if draft is None or draft.txn != chunk.txn or draft.token:
            return Nak(Refusal.UNKNOWN_ORDER)
        if chunk.offset != len(draft.held) or len(draft.held) + len(chunk.part) > draft.length:
            return Nak(Refusal.BAD_LENGTH)
        draft.held += chunk.part
        return Took(chunk.txn, len(draft.held))

    def _seal(self, txn: bytes) -> Message:
        draft = self._draft
        if draft is None or draft.txn != txn:
            return Nak(Refusal.UNKNOWN_ORDER)
        raw = bytes(draft.held)
        if len(raw) != draft.length:
            return Nak(Refusal.BAD_LENGTH)
        digest = settings_digest(raw)
        if digest != draft.digest:
            return Nak(Refusal.OTHER_DIGEST)
        if not self._can_run(raw):
            return Nak(Refusal.BAD_SETTINGS)
        draft.token = self._randomness(16)
        draft.expires_at = self.clock.now() + TOKEN_LIFE
        return SealedIs(txn, digest, draft.token, TOKEN_LIFE // timedelta(seconds=1), raw)

    def _can_run(self, raw: bytes) -> bool:
        """Whether the bytes are a program that this pump can lay out on its week."""
        try:
            settings, now = decode_settings(raw), self.clock.now()
            delivered_volume(settings.program, self.model, settings.concentration, now, now + timedelta(days=7))
        except (BadSettingsError, CannotRunError, ZeroDivisionError):
            return False
        return True

    def _commit(self, order: Commit) -> Message:
        """Flip to the draft, once; an order that was applied before is only reported."""
        txn, draft = order.txn.hex(), self._draft
        applied = self._applied(txn)
        if applied is not None:
            return CommittedIs(order.txn, *applied)
        if txn in self.memory.tombstones:
            return Nak(Refusal.DEAD_ORDER)
        if draft is None or draft.txn != order.txn:
            return Nak(Refusal.UNKNOWN_ORDER)
        if not draft.token or order.token != draft.token:
            return Nak(Refusal.SPENT_TOKEN)
        now = self.clock.now()
        if now > draft.expires_at:
            return Nak(Refusal.EXPIRED_TOKEN)
        if order.digest != draft.digest:
            return Nak(Refusal.OTHER_DIGEST)
        if draft.base_revision != self.memory.slot.revision:
            return Nak(Refusal.OTHER_BASE)
        self._flip(txn, bytes(draft.held), order.anchor, now)
        self._draft = None
        return CommittedIs(order.txn, self.memory.slot.revision, now)

    def _flip(self, txn: str, raw: bytes, anchor: bytes, now: datetime) -> None:
        """The one write: program, journal, log and books change together."""
        memory, settings = self.memory, decode_settings(raw)
        revision = memory.slot.revision + 1
        slots = list(memory.slots)
        slots[1 - memory.active] = Slot.of(revision, raw)
        stopped = isinstance(settings.program.delivery, Stopped)
        events = [(PumpEventKind.COMMITTED, revision)]
        if settings.reservoir is not None:
            events.append((PumpEventKind.FILLED, settings.reservoir.quanta // _PL_PER_NL))
        if stopped != (memory.stopped_since is not None):
            events.append((PumpEventKind.STOPPED if stopped else PumpEventKind.STARTED, 0))
        self._keep(
            replace(
                memory,
                slots=(slots[0], slots[1]),
                active=1 - memory.active,
                epoch=self._next_epoch(settings, now),
                applied=(*memory.applied, (txn, revision, now)),
                log=self._logged(now, events),
                anchor=anchor.hex(),
                stopped_since=(memory.stopped_since or now) if stopped else None,
            )
        )

    def _next_epoch(self, settings: PumpSettings, now: datetime) -> Epoch:
        """The books go on from here; a fill sets both what is believed and what is there.

        A syringe has emptied and filled the real reservoir before the pump is told, so that the told volume is
        taken for the real one unless the bench said otherwise (see :meth:`fill_by_hand`).
        """
        books, epoch = self.ledger(now), self.memory.epoch
        believed, physical = books.believed, books.physical
        if settings.reservoir is not None:
            believed = Fraction(settings.reservoir.quanta)
            by_hand = self.memory.extra.get("filled_by_hand")
            physical = Fraction(by_hand) if by_hand else believed
        return Epoch(
            settings=settings,
            start=now,
            bridge_start=now,
            delivered=books.delivered,
            believed=believed,
            physical=physical,
            physically_delivered=books.physically_delivered,
            error=epoch.error,
            stalled=epoch.stalled,
        )

    def _resolve(self, order: bytes) -> ResolvedIs:
        """Say what became of an order, as a fact: if it was never applied, it never will be."""
        applied = self._applied(order.hex())
        if applied is not None:
            return ResolvedIs(order, Fate.COMMITTED, applied[0])
        if self._draft is not None and self._draft.txn == order:
            self._draft = None
        if order.hex() not in self.memory.tombstones:
            self._keep(self.memory.with_tombstone(order.hex()))
        return ResolvedIs(order, Fate.DEAD, 0)

    # -- what it knows ---------------------------------------------------------------------------------------

    def ledger(self, now: datetime | None = None) -> Ledger:
        """The books now, or at ``now``."""
        return self.memory.epoch.at(self.model, now or self.clock.now())

    def alarms(self, now: datetime) -> tuple[Alarm, ...]:
        """Alarms at ``now``; low and empty are the pump's own calculation, not a measurement."""
        memory, books = self.memory, self.ledger(now)
        low = memory.epoch.settings.low_alarm.quanta
        eri, end = self._eri_on(), self._end_of_service_on()
        stopped = memory.stopped_since
        sounding = {
            Alarm.LOW_RESERVOIR: 0 < books.believed <= low,
            Alarm.EMPTY_RESERVOIR: books.believed <= 0,
            Alarm.ERI: eri is not None and eri <= now,
            Alarm.END_OF_SERVICE: end is not None and end <= now,
            Alarm.MOTOR_STALL: memory.stalled_since is not None,
            Alarm.STOPPED_TOO_LONG: stopped is not None and now - stopped > timedelta(hours=48),
            Alarm.CRITICAL_MEMORY_ERROR: memory.reset or not memory.slot.is_whole(),
        }
        return tuple(alarm for alarm in Alarm if sounding.get(alarm))

    def _runs(self) -> bool:
        end = self._end_of_service_on()
        ended = end is not None and end <= self.clock.now()
        return self.memory.stopped_since is None and not ended

    def _end_of_service_on(self) -> datetime | None:
        months, made = self.model.service_life_months, self._implanted_on
        if months is None or made is None:
            return None
        years, month = divmod(made.month - 1 + months, 12)
        return made.replace(year=made.year + years, month=month + 1, day=1)

    def _eri_on(self) -> datetime | None:
        end, days = self._end_of_service_on(), self.model.eri_to_stop_days
        return end - timedelta(days=days) if end is not None and days is not None else None

    def _applied(self, txn: str) -> tuple[int, datetime] | None:
        return next(((revision, at) for done, revision, at in self.memory.applied if done == txn), None)

    def _logged(self, now: datetime, events: list[tuple[PumpEventKind, int]]) -> tuple[LoggedEvent, ...]:
        first = len(self.memory.log) + 1
        return (
            *self.memory.log,
            *(LoggedEvent(first + i, now, EVENT_CODES[kind], value) for i, (kind, value) in enumerate(events)),
        )

    def _keep(self, memory: Memory) -> None:
        self._file.keep(memory)
        self.memory = memory

    # -- what the bench does to it ---------------------------------------------------------------------------

    def set_flow_error(self, error: Fraction) -> None:
        """From now on really deliver ``1 + error`` of what is counted."""
        self._fold(error=error)

    def stall(self, stalled: bool) -> None:
        """Stop the motor without the pump's counter noticing, or let it run again."""
        now = self.clock.now()
        kind = PumpEventKind.STALLED if stalled else PumpEventKind.RECOVERED
        self._fold(stalled=stalled)
        self._keep(replace(self.memory, log=self._logged(now, [(kind, 0)]), stalled_since=now if stalled else None))

    def fill_by_hand(self, volume: Volume) -> None:
        """What a syringe really leaves in the reservoir; the next fill that is told does not change it."""
        self._fold(physical=Fraction(volume.quanta))
        self._keep(replace(self.memory, extra={**self.memory.extra, "filled_by_hand": str(volume.quanta)}))

    def _fold(self, **changes: object) -> None:
        """Close the books at this second and open them with ``changes``."""
        now, epoch = self.clock.now(), self.memory.epoch
        books = self.ledger(now)
        kept: dict[str, object] = {
            "start": now,
            "delivered": books.delivered,
            "believed": books.believed,
            "physical": books.physical,
            "physically_delivered": books.physically_delivered,
        }
        opened = replace(epoch, **{**kept, **changes})  # type: ignore[arg-type]
        self._keep(replace(self.memory, epoch=opened))


def memory_of(
    settings: PumpSettings, *, since: datetime, volume: Volume, revision: int = 1, error: Fraction = Fraction(0)
) -> Memory:
    """The memory of a pump that was filled with ``volume`` and programmed at ``since``, on its own clock."""
    raw = encode_settings(settings)
    amount = Fraction(volume.quanta)
    events = (
        LoggedEvent(1, since, EVENT_CODES[PumpEventKind.COMMITTED], revision),
        LoggedEvent(2, since, EVENT_CODES[PumpEventKind.FILLED], volume.quanta // _PL_PER_NL),
    )
    return Memory(
        slots=(Slot.of(revision, raw), Slot.of(0, raw)),
        active=0,
        session=0,
        epoch=Epoch(
            settings=settings,
            start=since,
            bridge_start=since,
            delivered=Fraction(0),
            believed=amount,
            physical=amount,
            physically_delivered=Fraction(0),
            error=error,
        ),
        log=events,
        stopped_since=since if isinstance(settings.program.delivery, Stopped) else None,
    )


def _bits(alarms: tuple[Alarm, ...]) -> int:
    return sum(ALARM_BITS[alarm] for alarm in alarms)
