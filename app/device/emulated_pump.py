"""The emulated pump: a pump's mind, without a cable.

Law: it answers messages and nothing else; its state is a function of its memory and the clock, and every change of
that state is one write of the whole memory. The old program runs until that write. What the bench does to it from
outside is in ``app.device.mishaps``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction

from app.device.ledger import CannotRunError, Epoch, Extra, Ledger, bolus_under_way, delivered_volume
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
    chained,
)
from app.device.order_codec import decode_order, order_digest
from app.device.pump_memory import TOMBSTONES_KEPT, Agenda, LoggedEvent, Memory, MemoryFile, Slot
from app.device.settings_codec import LONGEST, BadSettingsError, encode_settings, settings_digest
from app.device.wire_fields import seconds_of
from app.models.catalogue import PumpModel
from app.models.program import OneTimeBolus, OneTimeKind, Stopped
from app.models.pump import (
    Alarm,
    Order,
    PumpEventKind,
    PumpSettings,
    ResumeDelivery,
    SilenceAlarms,
    StepClock,
    StopDelivery,
)
from app.models.quantities import Volume

FIRMWARE = "emulated 1"
MAX_CHUNK = 192
DEADLINE_MS = 2000
TOKEN_LIFE = timedelta(seconds=120)
EVENTS_IN_ONE_ANSWER = 100
_PL_PER_NL = 1000
_NEVER = datetime(2000, 1, 1)
_LATEST = datetime(2100, 1, 1)
"""The clock's face shows nothing before the first and nothing from the second on."""

_STOPPED_TOO_LONG = timedelta(hours=48)


class PowerCutError(Exception):
    """The power failed inside a write or between two; the pump starts again from its memory."""


@dataclass(slots=True)
class _Draft:
    """An order on its way in; gone with the session."""

    txn: bytes
    what: int
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

    @property
    def speed(self) -> float:
        """How many times as fast as real time it runs."""
        return self._speed

    def run_at(self, speed: float) -> None:
        """From now on run ``speed`` times as fast as real time; 0 stands still, 1.001 is a clock that gains."""
        passed = (self._real_s() - self._since) * self._speed
        self._start += timedelta(seconds=passed)
        self._since = self._real_s()
        self._speed = speed


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
        must_stop: it stands still while it takes a new program, in two writes of its memory.
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
        must_stop: bool = False,
    ) -> None:
        self.serial = serial
        self.model = model
        self.clock = clock
        self.must_stop = must_stop
        self.writes_left: int | None = None
        """The power fails instead of the write after so many; ``None``: it does not fail."""
        self._file = memory_file
        self._randomness = randomness
        self._implanted_on = implanted_on
        self.memory = memory_file.load() or made
        self._draft: _Draft | None = None
        self._died = 0
        if self.memory.clock_offset_s:
            clock.advance(timedelta(seconds=self.memory.clock_offset_s))
        memory_file.keep(self.memory)

    # -- what it says ----------------------------------------------------------------------------------------

    def answer(self, message: Message) -> Message:
        """Obey one message of the current session. Raises: PowerCutError: as the bench has arranged."""
        self.catch_up()
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
        self.writes_left = None

    def _greet(self, nonce: bytes) -> Hi:
        """A new session, never used before; it ends every earlier one and its draft."""
        self._draft, self._died = None, 0
        now = self.clock.now()
        memory = self._with_alarms(now)
        self.keep(replace(memory, session=memory.session + 1))
        memory = self.memory
        return Hi(
            nonce=nonce,
            session=memory.session,
            serial=self.serial,
            model=self.model.slug,
            firmware=FIRMWARE,
            emulated=True,
            must_stop=self.must_stop,
            max_chunk=MAX_CHUNK,
            deadline_ms=DEADLINE_MS,
            revision=memory.slot.revision,
            digest=settings_digest(memory.slot.settings),
            clock=now,
            running=self.runs(),
            reset=memory.reset,
            alarms=_bits(self.alarms(now)),
            applied=tuple(bytes.fromhex(txn) for txn, _, _ in memory.applied[-4:]),
            anchor=bytes.fromhex(memory.anchor),
        )

    def _status(self, nonce: bytes) -> StatusIs:
        now, epoch = self.clock.now(), self.memory.epoch
        books, eri, bolus = self.ledger(now), self._eri_on(), self._bolus(now)
        left = max(epoch.bridge_until() - now, timedelta(0)) if epoch.settings.bridge and epoch.running else None
        return StatusIs(
            nonce=nonce,
            clock=now,
            reservoir_nl=books.believed // _PL_PER_NL,
            delivered_nl=books.delivered // _PL_PER_NL,
            running=self.runs(),
            reset=self.memory.reset,
            alarms=_bits(self.alarms(now)),
            eri_seen=eri is not None and eri <= now,
            eri_on=eri if eri is not None and eri <= now else _NEVER,
            bridge_left_min=-(-left // timedelta(minutes=1)) if left else 0,
            bolus_nl=bolus.volume // _PL_PER_NL if bolus else 0,
            bolus_given_nl=bolus.given(bolus.start, now) // _PL_PER_NL if bolus else 0,
        )

    def _events(self, nonce: bytes, cursor: int) -> EventsAre:
        log = self.memory.log
        part = log[cursor : cursor + EVENTS_IN_ONE_ANSWER]
        end = cursor + len(part) if cursor <= len(log) else cursor
        return EventsAre(
            nonce=nonce,
            events=tuple(Event(event.number, event.at, event.code, event.value) for event in part),
            cursor=end,
            more=end < len(log),
            chain=bytes.fromhex(log[end - 1].chain) if 0 < end <= len(log) else bytes(32),
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
        if order.length > LONGEST:
            return Nak(Refusal.BAD_LENGTH)
        self._draft = _Draft(order.txn, order.what, order.base_revision, order.digest, order.length, bytearray())
        return Ready(order.txn)

    def _take(self, chunk: Chunk) -> Message:
        draft = self._draft
        if draft is None or draft.txn != chunk.txn or draft.token:
            return Nak(Refusal.UNKNOWN_ORDER)
        part, held = len(chunk.part), len(draft.held)
        if not 0 < part <= MAX_CHUNK or chunk.offset != held or held + part > draft.length:
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
        digest = order_digest(draft.what, raw)
        if digest != draft.digest:
            return Nak(Refusal.OTHER_DIGEST)
        try:
            order = decode_order(draft.what, raw)
        except BadSettingsError:
            return Nak(Refusal.BAD_SETTINGS)
        if not self._has_time_for(order) or (isinstance(order, PumpSettings) and not self._can_run(order)):
            return Nak(Refusal.BAD_SETTINGS)
        if not self._suits(order):
            return Nak(Refusal.STATE)
        draft.token = self._randomness(16)
        draft.expires_at = self.clock.now() + TOKEN_LIFE
        return SealedIs(txn, digest, draft.token, TOKEN_LIFE // timedelta(seconds=1), raw)

    def _has_time_for(self, order: Order) -> bool:
        """Whether the clock can show when it ends."""
        match order:
            case PumpSettings(bridge=OneTimeBolus(duration_min=minutes)) | OneTimeBolus(duration_min=minutes):
                seconds = minutes * 60
            case StepClock(seconds=seconds):
                pass
            case _:
                return True
        now = self.clock.now()
        return seconds_of(_NEVER) <= seconds_of(now) + seconds < seconds_of(_LATEST)

    def _can_run(self, settings: PumpSettings) -> bool:
        """Whether this is a program that this pump can lay out on its week."""
        called = settings.program.patient_activated
        if called is not None and not called.duration_min:
            return False
        try:
            now = self.clock.now()
            delivered_volume(settings.program, self.model, settings.concentration, now, now + timedelta(days=7))
        except (CannotRunError, ZeroDivisionError):
            return False
        return True

    def _suits(self, order: Order) -> bool:
        """Whether the pump's state allows the order now."""
        now, epoch = self.clock.now(), self.memory.epoch
        given = self._bolus(now) is not None or (epoch.settings.bridge is not None and now < epoch.bridge_until())
        match order:
            case OneTimeBolus():
                return self.runs() and not given
            case StepClock():
                return not given and not (self.runs() and bolus_under_way(epoch.settings.program, now))
            case StopDelivery():
                return self.memory.stopped_since is None
            case ResumeDelivery():
                return self.memory.stopped_since is not None and not _is_stopped(epoch.settings)
            case _:
                return True

    def _commit(self, order: Commit) -> Message:
        """Carry out the draft, once; an order that was applied before is only reported."""
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
        raw = bytes(draft.held)
        if order_digest(draft.what, raw) != draft.digest:
            return Nak(Refusal.OTHER_DIGEST)
        wanted = decode_order(draft.what, raw)
        if not self._suits(wanted):
            return Nak(Refusal.STATE)
        self._apply(txn, wanted, order.anchor, now)
        self._draft = None
        return CommittedIs(order.txn, self.memory.slot.revision, now)

    def _apply(self, txn: str, order: Order, anchor: bytes, now: datetime) -> None:
        """The one write: state, journal, log and books change together."""
        if isinstance(order, PumpSettings) and self.must_stop and self.runs():
            self.keep(self._after_stop(self.memory, now))
        memory = self.memory
        match order:
            case PumpSettings():
                memory = self._after_program(memory, order, now)
            case OneTimeBolus():
                memory = self._after_bolus(memory, order, now)
            case StopDelivery():
                memory = self._after_stop(memory, now)
            case ResumeDelivery():
                epoch = replace(self.opened(memory, now), running=True)
                memory = with_event(replace(memory, epoch=epoch, stopped_since=None), now, PumpEventKind.STARTED)
            case StepClock(seconds=seconds):
                memory = self.after_step(memory, seconds, now)
                memory = with_event(memory, now + timedelta(seconds=seconds), PumpEventKind.CLOCK_SET, seconds_of(now))
            case SilenceAlarms(alarms=alarms):
                bits = _bits(alarms)
                kept = tuple(name for name in memory.latched if Alarm(name) not in alarms)
                memory = with_event(replace(memory, latched=kept), now, PumpEventKind.SILENCED, bits)
        revision, raw = memory.slot.revision + 1, memory.slot.settings
        if isinstance(order, PumpSettings):
            raw = encode_settings(order)
            memory = with_event(memory, now, PumpEventKind.COMMITTED, revision)
        slots = list(memory.slots)
        slots[1 - memory.active] = Slot.of(revision, raw)
        self.keep(
            replace(
                memory,
                slots=(slots[0], slots[1]),
                active=1 - memory.active,
                applied=(*memory.applied, (txn, revision, now)),
                anchor=anchor.hex(),
            )
        )
        if isinstance(order, StepClock):
            self.clock.advance(timedelta(seconds=order.seconds))

    def _after_program(self, memory: Memory, settings: PumpSettings, now: datetime) -> Memory:
        """The books go on from here; a fill sets both what is believed and what is there.

        A syringe has emptied and filled the real reservoir before the pump is told, so that the told volume is
        taken for the real one unless the bench said otherwise (``filled_by_hand``). A one-time bolus goes on.
        """
        epoch, stops = self.opened(memory, now), _is_stopped(settings)
        bolus = [item for item in memory.agenda if item[1] is not Agenda.BRIDGE_ENDS]
        if settings.reservoir is not None:
            told = settings.reservoir.quanta
            really = told if memory.filled_by_hand is None else memory.filled_by_hand
            epoch = replace(epoch, believed=Fraction(told), physical=Fraction(really))
            memory = with_event(memory, now, PumpEventKind.FILLED, told // _PL_PER_NL)
        epoch = replace(epoch, settings=settings, bridge_start=now, running=True, quiet_until=None)
        if settings.bridge is not None and not stops:
            bolus.append((epoch.bridge_until(), Agenda.BRIDGE_ENDS, settings.bridge.volume.quanta // _PL_PER_NL))
        if stops != (memory.stopped_since is not None):
            memory = with_event(memory, now, PumpEventKind.STOPPED if stops else PumpEventKind.STARTED)
        return replace(
            memory,
            epoch=epoch,
            agenda=tuple(sorted(bolus)),
            filled_by_hand=None,
            reset=False,
            latched=(),
            stopped_since=(memory.stopped_since or now) if stops else None,
        )

    def _after_bolus(self, memory: Memory, bolus: OneTimeBolus, now: datetime) -> Memory:
        extra = Extra(now, bolus.duration_min, Fraction(bolus.volume.quanta), bolus.kind is OneTimeKind.PRIMING)
        return self.with_bolus(memory, extra, PumpEventKind.BOLUS_STARTED, now)

    def with_bolus(self, memory: Memory, extra: Extra, kind: PumpEventKind, now: datetime) -> Memory:
        """The memory with a bolus under way, and its end on the agenda."""
        nl = extra.volume // _PL_PER_NL
        epoch = self.opened(memory, now)
        agenda = (*memory.agenda, (extra.end, Agenda.BOLUS_ENDS, nl))
        memory = replace(memory, epoch=replace(epoch, extras=(*epoch.extras, extra)), agenda=tuple(sorted(agenda)))
        return with_event(memory, now, kind, nl)

    def _after_stop(self, memory: Memory, now: datetime) -> Memory:
        """Stopped: a bolus and a bridge end here, with what was given, and are never taken up again."""
        bolus = self._bolus(now)
        if bolus is not None:
            memory = with_event(memory, now, PumpEventKind.BOLUS_ENDED, bolus.given(bolus.start, now) // _PL_PER_NL)
        epoch = self.opened(memory, now)
        if epoch.settings.bridge is not None and now < epoch.bridge_until():
            epoch = replace(epoch, bridge_start=now - timedelta(minutes=epoch.settings.bridge.duration_min))
        agenda = tuple(item for item in memory.agenda if item[1] is Agenda.MOTOR_RECOVERS)
        memory = replace(memory, epoch=replace(epoch, running=False, extras=()), agenda=agenda, stopped_since=now)
        return with_event(memory, now, PumpEventKind.STOPPED)

    def after_step(self, memory: Memory, seconds: int, now: datetime) -> Memory:
        """The memory once the clock is put; nothing is given twice for it, and what was going to happen keeps its
        distance."""
        by, epoch = timedelta(seconds=seconds), self.opened(memory, now)
        quiet = max(now, epoch.quiet_until or now) if seconds < 0 else epoch.quiet_until
        return replace(
            memory,
            epoch=replace(epoch, start=now + by, bridge_start=epoch.bridge_start + by, quiet_until=quiet),
            agenda=tuple((at + by, what, value) for at, what, value in memory.agenda),
            stopped_since=memory.stopped_since + by if memory.stopped_since else None,
            stalled_since=memory.stalled_since + by if memory.stalled_since else None,
            clock_offset_s=memory.clock_offset_s + seconds,
        )

    def _resolve(self, order: bytes) -> Message:
        """Say what became of an order, as a fact: if it was never applied, it never will be. No tombstone of this
        session is dropped for another."""
        applied = self._applied(order.hex())
        if applied is not None:
            return ResolvedIs(order, Fate.COMMITTED, applied[0])
        if self._draft is not None and self._draft.txn == order:
            self._draft = None
        if order.hex() not in self.memory.tombstones:
            if self._died >= TOMBSTONES_KEPT:
                return Nak(Refusal.BUSY)
            self.keep(self.memory.with_tombstone(order.hex()))
            self._died += 1
        return ResolvedIs(order, Fate.DEAD, 0)

    # -- what it knows ---------------------------------------------------------------------------------------

    def ledger(self, now: datetime | None = None) -> Ledger:
        """The books now, or at ``now``; after the end of its service the pump delivers nothing."""
        now, end = now or self.clock.now(), self._end_of_service_on()
        return self.memory.epoch.at(self.model, min(now, end) if end else now)

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
            Alarm.STOPPED_TOO_LONG: stopped is not None and now - stopped > _STOPPED_TOO_LONG,
            Alarm.CRITICAL_MEMORY_ERROR: memory.reset or not memory.slot.is_whole(),
        }
        return tuple(alarm for alarm in Alarm if sounding.get(alarm) or alarm.value in memory.latched)

    def runs(self) -> bool:
        """Whether it delivers by its program."""
        end = self._end_of_service_on()
        ended = end is not None and end <= self.clock.now()
        return self.memory.stopped_since is None and not ended

    def catch_up(self) -> None:
        """Do what has fallen due since the pump was last looked at, each thing at its own time."""
        now, memory = self.clock.now(), self.memory
        while memory.agenda and memory.agenda[0][0] <= now:
            (at, what, value), rest = memory.agenda[0], memory.agenda[1:]
            memory = replace(memory, agenda=rest)
            match what:
                case Agenda.MOTOR_RECOVERS:
                    memory = replace(
                        memory, epoch=replace(self.opened(memory, at), stalled=False), stalled_since=None
                    )
                    memory = with_event(memory, at, PumpEventKind.RECOVERED)
                case Agenda.BOLUS_ENDS:
                    memory = with_event(memory, at, PumpEventKind.BOLUS_ENDED, value)
                case Agenda.BRIDGE_ENDS:
                    memory = with_event(memory, at, PumpEventKind.BRIDGE_ENDED, value)
        if memory is not self.memory:
            self.keep(memory)

    def _with_alarms(self, now: datetime) -> Memory:
        """The memory with the beginning of every alarm in its log, each at the second at which it began."""
        memory, sounding = self.memory, self.alarms(now)
        names = tuple(alarm.value for alarm in sounding)
        if names == memory.sounded:
            return memory
        new = [(self._began(alarm, now), ALARM_BITS[alarm]) for alarm in sounding if alarm.value not in memory.sounded]
        for at, bit in sorted(new):
            memory = with_event(memory, at, PumpEventKind.ALARM, bit)
        return replace(memory, sounded=names)

    def _began(self, alarm: Alarm, now: datetime) -> datetime:
        """The first second at which an alarm sounds that sounds now, by halving."""
        low, high = self.memory.epoch.start, now
        if low >= now or alarm in self.alarms(low):
            return min(low, now)
        while high - low > timedelta(seconds=1):
            middle = low + (high - low) // 2
            low, high = (low, middle) if alarm in self.alarms(middle) else (middle, high)
        return high.replace(microsecond=0)

    def opened(self, memory: Memory, at: datetime) -> Epoch:
        """The books of ``memory`` closed at ``at`` and opened again, with nothing changed."""
        epoch, end = memory.epoch, self._end_of_service_on()
        books = epoch.at(self.model, min(at, end) if end else at)
        return replace(
            epoch,
            start=at,
            delivered=books.delivered,
            believed=books.believed,
            physical=books.physical,
            physically_delivered=books.physically_delivered,
            extras=tuple(extra for extra in epoch.extras if extra.end > at),
        )

    def keep(self, memory: Memory) -> None:
        """Make ``memory`` the pump's state. Raises: PowerCutError: instead of this write."""
        if self.writes_left is not None:
            if self.writes_left == 0:
                raise PowerCutError
            self.writes_left -= 1
        self._file.keep(memory)
        self.memory = memory

    def note(self, kind: PumpEventKind, value: int = 0, **changes: object) -> None:
        """Write an event into the log, together with ``changes`` of the memory."""
        changed = replace(self.memory, **changes)  # type: ignore[arg-type]
        self.keep(with_event(changed, self.clock.now(), kind, value))

    def _bolus(self, now: datetime) -> Extra | None:
        """The bolus that was ordered or called for, while it is given."""
        return next((extra for extra in self.memory.epoch.extras if extra.start <= now < extra.end), None)

    def _end_of_service_on(self) -> datetime | None:
        months, made = self.model.service_life_months, self._implanted_on
        if self.memory.service_end is not None:
            return self.memory.service_end
        if months is None or made is None:
            return None
        years, month = divmod(made.month - 1 + months, 12)
        return made.replace(year=made.year + years, month=month + 1, day=1)

    def _eri_on(self) -> datetime | None:
        end, days = self._end_of_service_on(), self.model.eri_to_stop_days
        return end - timedelta(days=days) if end is not None and days is not None else None

    def _applied(self, txn: str) -> tuple[int, datetime] | None:
        return next(((revision, at) for done, revision, at in self.memory.applied if done == txn), None)


def with_event(memory: Memory, at: datetime, kind: PumpEventKind, value: int = 0) -> Memory:
    """The memory with one more line in its log."""
    number, code = len(memory.log) + 1, EVENT_CODES[kind]
    before = bytes.fromhex(memory.log[-1].chain) if memory.log else bytes(32)
    chain = chained(before, Event(number, at, code, value))
    return replace(memory, log=(*memory.log, LoggedEvent(number, at, code, value, chain.hex())))


def memory_of(
    settings: PumpSettings, *, since: datetime, volume: Volume, revision: int = 1, error: Fraction = Fraction(0)
) -> Memory:
    """The memory of a pump that was filled with ``volume`` and programmed at ``since``, on its own clock."""
    raw = encode_settings(settings)
    amount = Fraction(volume.quanta)
    memory = Memory(
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
        stopped_since=since if _is_stopped(settings) else None,
    )
    memory = with_event(memory, since, PumpEventKind.COMMITTED, revision)
    return with_event(memory, since, PumpEventKind.FILLED, volume.quanta // _PL_PER_NL)


def _is_stopped(settings: PumpSettings) -> bool:
    return isinstance(settings.program.delivery, Stopped)


def _bits(alarms: tuple[Alarm, ...]) -> int:
    return sum(ALARM_BITS[alarm] for alarm in alarms)
