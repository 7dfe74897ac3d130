"""One programming dialogue over a faulty cable, from the order on disk to what the pump has physically given.

Law: the judge believes no claim. What the program calls verified is carried out on a second, healthy pump at the
same moments, and both pumps must have given the same volume, to the picolitre.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from app.device import mishaps
from app.device.client import PumpClient
from app.device.emulated_pump import EmulatedPump, VirtualClock
from app.device.frames import bench_key
from app.device.ledger import Ledger
from app.device.pump_memory import Memory, MemoryFile, Slot
from app.device.server import PumpServer
from app.device.settings_codec import encode_settings, settings_digest
from app.device.transports import Loopback, Transport
from app.models.pump import (
    CommandUncertainError,
    Interrogation,
    LinkLostError,
    LogMark,
    Order,
    Outcome,
    PumpIdentity,
    PumpRefusedError,
    PumpSettings,
    ReadBackDiffersError,
    Resolution,
    Sealed,
    StaleBaseError,
    StopDelivery,
    WrongPumpError,
)
from app.models.quantities import Volume
from app.models.records import AuditEntry, PumpOrder, StoppedGuard
from app.services.clock import Clock
from app.services.orders import Orders
from app.services.programming import OrderInDoubtError
from tests.campaigns.faulty_cable import Action, Killed, Trouble, World
from tests.models.pumps import synchromed_ii

SERIAL, OTHER_SERIAL = "CIS000042", "CIS000043"
PUMP_TIME = datetime(2026, 3, 2, 9, 30)
TIME = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
AFTERWARDS = timedelta(hours=5)
USER = "nurse"
MODEL = synchromed_ii()

FAILED = (
    CommandUncertainError,
    LinkLostError,
    WrongPumpError,
    PumpRefusedError,
    ReadBackDiffersError,
    StaleBaseError,
    OrderInDoubtError,
)
"""Everything that an attempt may end in; anything else is a fault of the program."""


Act = Callable[[EmulatedPump], object]

# -- the pump, with a meter on it --------------------------------------------------------------------------------


class MeteredPump(EmulatedPump):
    """An emulated pump, and what really happened to it, in the order of world time."""

    def __init__(
        self,
        serial: str,
        made: Memory,
        now_s: Callable[[], float],
        *,
        randomness: Callable[[int], bytes] = bytes,
        must_stop: bool = False,
    ) -> None:
        self._now_s = now_s
        self.carried_out: list[tuple[str, Order]] = []
        self.story: list[tuple[float, str, Act]] = []
        self.digests: dict[int, bytes] = {}
        self.spoil_next_write = False
        self._books: tuple[object, datetime, Ledger] | None = None
        super().__init__(
            serial,
            MODEL,
            VirtualClock(PUMP_TIME, now_s),
            memory_file=MemoryFile(),
            made=made,
            randomness=randomness,
            must_stop=must_stop,
        )
        self.digests[self.memory.slot.revision] = settings_digest(self.memory.slot.settings)

    def ledger(self, now: datetime | None = None) -> Ledger:
        """The same books, worked out once for each moment."""
        now = now or self.clock.now()
        if self._books is None or self._books[0] is not self.memory.epoch or self._books[1] != now:
            self._books = (self.memory.epoch, now, super().ledger(now))
        return self._books[2]

    def _apply(self, txn: str, order: Order, anchor: bytes, now: datetime) -> None:
        super()._apply(txn, order, anchor, now)
        self.carried_out.append((txn, order))
        self.happens(txn, lambda pump: None)

    def happens(self, txn: str, act: Act) -> None:
        """Something happens to the pump now, by the order ``txn`` or by nobody's."""
        self.story.append((self._now_s(), txn, act))

    def keep(self, memory: Memory) -> None:
        slot = memory.slot
        if self.spoil_next_write and slot.settings != self.memory.slot.settings:
            self.spoil_next_write = False
            memory = _spoilt(memory)
        stops = self.must_stop and memory.stopped_since is not None and self.memory.stopped_since is None
        super().keep(memory)
        if stops:
            self.happens("", _stand_still)
        if slot.revision not in self.digests:
            self.digests[slot.revision] = settings_digest(memory.slot.settings)

    def spoil_draft(self) -> None:
        """A bit of the draft falls over."""
        draft = self._draft
        if draft is not None and draft.held:
            draft.held[len(draft.held) // 2] ^= 4


def _spoilt(memory: Memory) -> Memory:
    """The same write, with another low-reservoir alarm in it."""
    settings = replace(memory.epoch.settings, low_alarm=Volume(memory.epoch.settings.low_alarm.quanta + 1000))
    slots = list(memory.slots)
    slots[memory.active] = Slot.of(memory.slot.revision, encode_settings(settings))
    return replace(memory, slots=(slots[0], slots[1]), epoch=replace(memory.epoch, settings=settings))


# -- the program's disk ------------------------------------------------------------------------------------------


class Disk:
    """An :class:`app.models.ports.OrderStore` that survives the program, and what must never be seen on it."""

    def __init__(self) -> None:
        self.records: dict[str, PumpOrder] = {}
        self.guarded: dict[str, StoppedGuard] = {}
        self.wrong: list[str] = []
        self.heads = ["00" * 32]

    def save_order(
        self, record: PumpOrder, entry: AuditEntry, *, guard: StoppedGuard | None = None, lift_guard: bool = False
    ) -> None:
        before = self.records.get(record.txn)
        if before is not None and not before.in_doubt and before.outcome is not record.outcome:
            self.wrong.append(f"I6 {before.outcome} became {record.outcome}")
        self.records[record.txn] = record
        self.heads.append(hashlib.sha256(f"{self.heads[-1]}{entry}".encode()).hexdigest())
        if guard is not None:
            self.guarded[guard.serial] = guard
        if lift_guard:
            self.guarded.pop(record.serial, None)

    def orders_in_doubt(self) -> list[PumpOrder]:
        return [record for record in self.records.values() if record.in_doubt]

    def in_doubt(self, serial: str) -> bool:
        return any(record.serial == serial for record in self.orders_in_doubt())

    def audit_head(self) -> str:
        return self.heads[-1]


# -- the worker --------------------------------------------------------------------------------------------------


Client = Callable[[Callable[[], Transport], bytes, Callable[[int], bytes], Callable[[], float]], PumpClient]


def plain_client(
    open_cable: Callable[[], Transport],
    key: bytes,
    randomness: Callable[[int], bytes],
    monotonic: Callable[[], float],
) -> PumpClient:
    """The client as it is."""
    return PumpClient(
        open_cable,
        key,
        now=lambda: TIME + timedelta(seconds=monotonic()),
        randomness=randomness,
        monotonic=monotonic,
    )


class Worker:
    """A :class:`app.models.pump.PumpPort` that can die and be started again; every reading is held against truth."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.start()

    def start(self) -> None:
        """A new process: nothing is known of earlier sessions."""
        bench = self._bench
        self._client = bench.make_client(
            bench.world.plug_in, bench_key(SERIAL), bench.dice.randbytes, lambda: bench.world.now_s
        )

    def connect(self) -> PumpIdentity:
        return self._client.connect()

    def interrogate(self, after: LogMark = LogMark()) -> Interrogation:  # noqa: B008
        pump = self._bench.pump
        first = pump.memory.slot.revision
        reading = self._client.interrogate(after)
        last = pump.memory.slot.revision
        if reading.identity.serial == SERIAL:
            digest = pump.digests.get(reading.revision)
            if not first <= reading.revision <= last or digest is None or digest.hex() != reading.digest:
                self._bench.disk.wrong.append("I7 a reading of another time")
        return reading

    def digest_of(self, order: Order) -> str:
        return self._client.digest_of(order)

    def stage(self, *, txn: str, serial: str, base: Interrogation, order: Order, anchor: str) -> Sealed:
        return self._client.stage(txn=txn, serial=serial, base=base, order=order, anchor=anchor)

    def commit(self, sealed: Sealed) -> object:
        return self._client.commit(sealed)

    def resolve(self, txn: str, serial: str) -> Resolution:
        return self._client.resolve(txn, serial)

    def close(self) -> None:
        self._client.close()


# -- one dialogue ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Dialogue:
    """What is done: ``order`` from a pump with ``memory``; ``ends``: the program goes away after that step, and the
    dialogue begins with what it left (``None``: nothing was left)."""

    name: str
    memory: Memory
    order: Order | None
    must_stop: bool = False
    left_after: str | None = None


@dataclass
class Bench:
    """One run. ``judge`` returns what is wrong, each line with its invariant."""

    dialogue: Dialogue
    troubles: Sequence[Trouble]
    seed: int
    recording: Sequence[bytes] = (b"", b"")
    make_pump: type[MeteredPump] = MeteredPump
    make_server: type[PumpServer] = PumpServer
    make_client: Client = plain_client
    make_orders: type[Orders] = Orders
    foreign: dict[str, Order] = field(default_factory=dict)
    excused: set[Action] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.disk = Disk()
        made, key = self.dialogue.memory, bench_key(SERIAL)
        self.world = World(self.recording, self._at_an_end, self.dice)
        self.clock = Clock(lambda: TIME + timedelta(seconds=self.world.now_s), timedelta(hours=1))
        stops, randomness = self.dialogue.must_stop, self.dice.randbytes
        self.pump = self.make_pump(SERIAL, made, self._now_s, randomness=randomness, must_stop=stops)
        self.others = [MeteredPump(OTHER_SERIAL, made, self._now_s) for _ in range(2)]
        self.world.servers = [
            self.make_server(self.pump, key),
            PumpServer(self.others[0], bench_key(OTHER_SERIAL)),
            PumpServer(self.others[1], key),
        ]
        self.worker = Worker(self)
        self._wakes = False

    def _now_s(self) -> float:
        return self.world.now_s

    # -- what the people do -------------------------------------------------------------------------------------

    def play(self) -> list[str]:
        """The dialogue with its troubles, then a clean cable, then everything that was held back; what was wrong."""
        self._leave_behind()
        self.world.troubles = list(self.troubles)
        self.world.carried = [0, 0]
        try:
            self._work()
        except Killed:
            self.worker.start()
        self.carried = tuple(self.world.carried)
        self.world.mend()
        self._settle()
        if self._wakes:
            self._old_worker_wakes()
        self.world.run_out()
        self._settle()
        self.world.run_out()
        return self._judge()

    def _leave_behind(self) -> None:
        """What an earlier program has left in doubt."""
        if self.dialogue.left_after is None or self.dialogue.order is None:
            return
        orders = self._orders()
        staged = orders.stage(
            self.dialogue.order, self.worker.interrogate(), self.worker, implant_id="", serial=SERIAL, user_id=USER
        )
        if self.dialogue.left_after == "commit":
            self.disk.save_order(replace(staged.record, sent_at=TIME), AuditEntry(TIME, USER, "order.commit", ""))
            self.worker.commit(staged.sealed)
        self.worker.close()
        self.worker.start()

    def _orders(self) -> Orders:
        return self.make_orders(self.disk, self.clock, lambda: self.dice.randbytes(16).hex())

    def _work(self) -> None:
        """Two attempts, as careful people make them: the second only after the first is known not to be applied."""
        if self.dialogue.left_after is not None:
            self._settle()
            return
        if self.dialogue.order is None:
            for _ in range(2):
                try:
                    self.worker.interrogate()
                    return
                except FAILED:
                    continue
            return
        for _ in range(2):
            self._attempt(self.dialogue.order)
            self._settle()
            outcomes = [record.outcome for record in self.disk.records.values()]
            if not all(outcome is Outcome.NOT_APPLIED for outcome in outcomes):
                return

    def _attempt(self, order: Order) -> None:
        orders = self._orders()
        try:
            reviewed = self.worker.interrogate() if self.disk.records else reviewed_reading(self.dialogue)
            staged = orders.stage(
                order, reviewed, self.worker, implant_id="", serial=SERIAL, user_id=USER
            )
            self._held_verified(orders.send(staged, self.worker, user_id=USER))
        except FAILED:
            return

    def _settle(self) -> None:
        for _ in range(2):
            for record in self.disk.orders_in_doubt():
                try:
                    self._held_verified(self._orders().settle(record, self.worker, user_id=USER))
                except FAILED:
                    continue

    def _held_verified(self, record: PumpOrder) -> None:
        """I2 at the moment at which the program says so."""
        if record.outcome is Outcome.VERIFIED and isinstance(record.order, PumpSettings):
            memory = self.pump.memory
            runs = {settings_digest(memory.slot.settings), settings_digest(encode_settings(memory.epoch.settings))}
            if self.excused - {Action.WRITE_SPOILT}:
                runs = {digest for revision, digest in self.pump.digests.items() if revision > record.base_revision}
                runs &= {bytes.fromhex(record.digest)}
            if runs != {bytes.fromhex(record.digest)}:
                self.disk.wrong.append("I2 verified, and the pump runs another program")

    def _old_worker_wakes(self) -> None:
        """A worker that hung and was given up goes on: it sends what it still has in hand."""
        late = self.make_client(
            self.world.plug_in, bench_key(SERIAL), self.dice.randbytes, lambda: self.world.now_s
        )
        for record in list(self.disk.records.values()):
            try:
                base, txn = late.interrogate(), record.txn
                sealed = late.stage(txn=txn, serial=SERIAL, base=base, order=record.order, anchor="00" * 32)
                if record.sent_at is not None:
                    late.commit(sealed)
            except FAILED:
                continue
        self.worker.start()

    # -- what befalls the ends ----------------------------------------------------------------------------------

    def _at_an_end(self, trouble: Trouble) -> None:
        pump, value = self.pump, trouble.value
        match trouble.action:
            case Action.WORKER_KILLED | Action.WORKER_WAKES:
                self._wakes = trouble.action is Action.WORKER_WAKES
                self.worker.start()
                self.world.unplug()
                raise LinkLostError(problem="the worker is gone")
            case Action.PUMP_RESTARTS:
                pump.reboot()
                self.world.servers[0].hang_up()
            case Action.POWER_CUT:
                pump.writes_left = value
            case Action.MEMORY_LOST:
                self.excused.add(trouble.action)
                pump.writes_left = None
                mishaps.lose_memory(pump)
                pump.happens("", mishaps.lose_memory)
            case Action.CLOCK_JUMPS:
                pump.writes_left = None
                mishaps.jump_clock(pump, value)
                pump.happens("", lambda other: mishaps.jump_clock(other, value))
            case Action.DRAFT_SPOILT:
                pump.spoil_draft()
            case Action.WRITE_SPOILT:
                self.excused.add(trouble.action)
                pump.spoil_next_write = True
            case Action.SECOND_PROGRAMMER:
                self.excused.add(trouble.action)
                pump.writes_left = None
                self._second_programmer()

    def _second_programmer(self) -> None:
        """Another clinic's program sets another dose, over a cable of its own."""
        server = PumpServer(self.pump, bench_key(SERIAL))
        other = PumpClient(
            lambda: Loopback(server.feed), bench_key(SERIAL), now=lambda: TIME, randomness=self.dice.randbytes
        )
        base = other.interrogate()
        settings = replace(base.settings, low_alarm=Volume.ml(4), bridge=None, reservoir=None)
        staged = other.stage(
            txn=self.dice.randbytes(16).hex(), serial=SERIAL, base=base, order=settings, anchor="00" * 32
        )
        other.commit(staged)
        self.foreign[staged.txn] = settings

    # -- what is true ----------------------------------------------------------------------------------------------

    def _judge(self) -> list[str]:
        wrong = list(self.disk.wrong)
        verified = {txn for txn, record in self.disk.records.items() if record.outcome is Outcome.VERIFIED}
        carried_out = [txn for txn, _ in self.pump.carried_out]
        wrong += [f"I1 carried out {count} times" for count in Counter(carried_out).values() if count > 1]
        wrong += ["I2 verified and never carried out" for txn in verified if txn not in carried_out]
        for txn, record in self.disk.records.items():
            if record.outcome is Outcome.NOT_APPLIED and txn in carried_out:
                wrong.append("I3 not applied, and carried out")
            if record.sent_at is None and txn in carried_out:
                wrong.append("I4 carried out, and only staged")
        known = {*self.foreign, *self.disk.records}
        wrong += ["I4 carried out, and nobody's order" for txn in carried_out if txn not in known]
        wrong += [
            "I4 carried out, and not as it was signed"
            for txn, order in self.pump.carried_out
            if txn in known and order != self._signed(txn)
        ]
        wrong += self._judge_programs(carried_out)
        if any(other.carried_out or other.memory.tombstones for other in self.others):
            wrong.append("I4 another pump was told something")
        if self.world.old_sessions_obeyed:
            wrong.append("I4 a frame of an ended session was obeyed")
        if self.disk.orders_in_doubt() and not self.excused:
            wrong.append("I6 still in doubt over a clean cable")
        wrong += self._judge_reading()
        wrong += self._judge_volume(verified)
        return wrong

    def _judge_programs(self, carried_out: Sequence[str]) -> list[str]:
        """I4 and I5: the program that runs is somebody's, and it runs unless somebody stopped it."""
        wrong, memory = [], self.pump.memory
        signed = [self.dialogue.memory.epoch.settings]
        signed += [order for _, order in self.pump.carried_out if isinstance(order, PumpSettings)]
        if not self.excused and memory.epoch.settings not in signed:
            wrong.append("I4 the pump runs a program that nobody signed")
        orders = [order for _, order in self.pump.carried_out]
        stopped = self.dialogue.memory.stopped_since is not None or any(
            isinstance(order, StopDelivery) for order in orders
        )
        if not self.pump.runs() and not stopped and SERIAL not in self.disk.guarded:
            wrong.append("I5 the pump stands still, and nobody knows")
        return wrong

    def _judge_reading(self) -> list[str]:
        """I7: what a fresh program reads over a clean cable is the pump's state."""
        self.worker.start()
        reading, memory = self.worker.interrogate(), self.pump.memory
        same = (
            reading.revision == memory.slot.revision
            and reading.digest == settings_digest(memory.slot.settings).hex()
            and reading.settings == memory.epoch.settings
            and reading.running == self.pump.runs()
            and reading.pump_clock == self.pump.clock.now()
            and reading.reservoir.quanta == self.pump.ledger().believed // 1000 * 1000
            and len(reading.events) == len(memory.log)
        )
        return [] if same else ["I7 the reading is not the pump's state"]

    def _judge_volume(self, verified: set[str]) -> list[str]:
        """I1 and I2 by the flow meter: a healthy pump that was given the verified orders has given the same."""
        if Action.WRITE_SPOILT in self.excused:
            return []
        self.world.wait(AFTERWARDS)
        now = 0.0
        healthy = EmulatedPump(
            SERIAL,
            MODEL,
            VirtualClock(PUMP_TIME, lambda: now),
            memory_file=MemoryFile(),
            made=self.dialogue.memory,
            randomness=bytes,
            must_stop=False,
        )
        told: set[str] = set()
        for at_s, txn, act in self.pump.story:
            if txn and (txn in told or not (txn in verified or txn in self.foreign or self._open(txn))):
                continue
            told.add(txn)
            now = at_s
            healthy.catch_up()
            if txn:
                healthy._apply(txn, self._signed(txn), bytes(32), healthy.clock.now())
            else:
                act(healthy)
        now = self.world.now_s
        true, wanted = self.pump.ledger().physically_delivered, healthy.ledger().physically_delivered
        return [] if true == wanted else [f"I1 gave {float(true - wanted) / 1e9:+f} mL too much"]

    def _signed(self, txn: str) -> Order:
        """What somebody meant ``txn`` to be."""
        record = self.disk.records.get(txn)
        return record.order if record is not None else self.foreign[txn]

    def _open(self, txn: str) -> bool:
        """An order whose outcome nobody can know any more."""
        record = self.disk.records.get(txn)
        return record is not None and record.in_doubt


def _stand_still(pump: EmulatedPump) -> None:
    pump.keep(pump._after_stop(pump.memory, pump.clock.now()))


@cache
def _readings() -> dict[str, Interrogation]:
    return {}


def reviewed_reading(dialogue: Dialogue) -> Interrogation:
    """What the people had read of the pump before the dialogue."""
    found = _readings().get(dialogue.name)
    if found is None:
        found = Bench(dialogue, (), 0).worker.interrogate()
        _readings()[dialogue.name] = found
    return found
