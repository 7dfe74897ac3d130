"""Traces of the model (``tests/campaigns/model.py``) played on the real code, step by step.

Law: the trace decides what the cable and the two sides suffer, and the real code everything else. Before each step the
frames in flight, the pump and the store must be what the model says, and in the end what the operator was told too.

The real orders desk, client, link, frames, server and emulated pump run; the store is kept in memory. Frames that the
model has forgotten, because nobody may heed them, are kept here and thrown in between, at random.
"""

from __future__ import annotations

import logging
import random
import struct
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from fractions import Fraction

from app.device import cobs
from app.device.client import PumpClient
from app.device.frames import bench_key
from app.device.messages import (
    Begin,
    Chunk,
    Commit,
    CommittedIs,
    Fate,
    Hi,
    Message,
    ProgramIs,
    ReadEvents,
    ReadStatus,
    ResolvedIs,
    SealedIs,
    decode_message,
)
from app.device.order_codec import order_digest
from app.device.server import PumpServer
from app.device.settings_codec import settings_digest
from app.device.transports import Loopback
from app.models.errors import AppError
from app.models.program import OneTimeBolus, OneTimeKind, Program, SimpleContinuous
from app.models.pump import Interrogation, Order, Outcome
from app.models.quantities import DoseRate, Volume
from app.models.records import AuditEntry, PumpOrder, StoppedGuard
from app.services.clock import Clock
from app.services.orders import Orders, StagedOrder
from tests.campaigns import model
from tests.campaigns.model import Bounds, Label, Model, State
from tests.device.pumps import RUNNING, SERIAL, WORKSTATION_TIME, make_server

LONGEST = 90
"""Steps of a trace."""

PER_BATCH = 100
_KEY = bench_key(SERIAL)
_HEAD = struct.Struct(">BBBIHH")
_MODEL_KINDS = {
    0x01: model.HELLO, 0x02: model.READ, 0x10: model.BEGIN, 0x12: model.SEAL, 0x13: model.COMMIT, 0x14: model.RESOLVE,
    0x81: model.HI, 0x82: model.PROGRAM_IS, 0x90: model.READY, 0x92: model.SEALED, 0x93: model.COMMITTED,
    0x94: model.RESOLVED, 0xFF: model.NAK,
}  # fmt: skip
_TAKEN_AT_ONCE = (Chunk.KIND, ReadStatus.KIND, ReadEvents.KIND)
"""The model has no name for them: they follow an answer at once, and nothing happens in between."""

_WAITS_FOR = {
    model.AT_BEGIN: model.BEGIN, model.AT_SEAL: model.SEAL, model.AT_COMMIT: model.COMMIT,
    model.AT_RESOLVE: model.RESOLVE, model.BASE_READ: model.READ, model.CHECK_READ: model.READ,
    model.DEAD_READ: model.READ, model.DONE_READ: model.READ,
}  # fmt: skip
"""What the program sent before it waits; HELLO, where nothing is said."""

_DISK = {None: model.DOUBT, Outcome.NOT_KNOWN: model.DOUBT} | {
    Outcome.VERIFIED: model.VERIFIED,
    Outcome.NOT_APPLIED: model.NOT_APPLIED,
}


class DiffersError(Exception):
    """The real code is not where the model is."""


class CrashedError(BaseException):
    """The program dies where it waits."""


class TraceEndedError(BaseException):
    """Nothing more is known of what happens."""


# -- traces ----------------------------------------------------------------------------------------------------------

_LIKELY = {
    "answer": 40.0, "order": 20.0, "send": 20.0, "settle": 8.0, "deliver": 40.0, "timeout": 3.0, "duplicate": 2.0,
    "crash": 0.6, "reboot": 0.6, "cut before": 0.6, "cut between": 9.0, "expire": 0.8, "spoil": 0.6, "restore": 0.2,
}  # fmt: skip
_LATE = 0.06


def bounds_of(dice: random.Random) -> Bounds:
    """Three orders, at most one of them a bolus; any number of frames in flight; a third of pumps must stop."""
    kinds = dice.choice(("SSS", "SBS", "BSS", "SSB"))
    must_stop = dice.random() < 0.33
    restores = 0 if must_stop else 1
    return Bounds(
        kinds, crashes=3, duplicates=3, tries=3, in_flight=99, restores=restores, mishaps=1, must_stop=must_stop
    )


def trace_of(world: Model, dice: random.Random) -> list[tuple[Label, State]]:
    """A random walk, with a liking for what leads on."""
    state, trace = world.start(), []
    for _ in range(dice.randrange(30, LONGEST)):
        steps = world.steps(state)
        if not steps:
            break
        label, state = dice.choices(steps, [_likelihood(label) for label, _ in steps])[0]
        trace.append((label, state))
    return trace


def _likelihood(label: Label) -> float:
    name, about = label
    late = name in ("deliver", "duplicate", "cut before", "cut between") and not about & model.FRESH
    return _LIKELY[name] * (_LATE if late else 1)


# -- the real world --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Shelf:
    """A store in memory. ``told`` holds every final outcome that was ever written."""

    records: dict[str, PumpOrder] = field(default_factory=dict)
    guarded: bool = False
    told: set[tuple[str, Outcome]] = field(default_factory=set)

    def save_order(
        self, record: PumpOrder, entry: AuditEntry, *, guard: StoppedGuard | None = None, lift_guard: bool = False
    ) -> None:
        self.records[record.txn] = record
        self.guarded = (self.guarded or guard is not None) and not lift_guard
        if record.outcome in (Outcome.VERIFIED, Outcome.NOT_APPLIED):
            self.told.add((record.txn, record.outcome))

    def orders_in_doubt(self) -> list[PumpOrder]:
        return [record for record in self.records.values() if record.in_doubt]

    def in_doubt(self, serial: str) -> bool:
        return any(record.serial == serial for record in self.orders_in_doubt())

    def audit_head(self) -> str:
        return "c3" * 32


def txn_of(op: int) -> str:
    return f"a{op}" * 16


def op_in(txn: bytes) -> int:
    """The order's number in the model."""
    return txn[0] & 15


def order_of(op: int, kind: str) -> Order:
    """The ``op``-th order; its volume says which one it was."""
    volume = Volume.ml(Fraction(op, 100) + (0 if kind == "B" else 10))
    if kind == "B":
        return OneTimeBolus(OneTimeKind.SINGLE, volume, 1)
    return replace(RUNNING, program=Program(SimpleContinuous(DoseRate.mcg_per_day(200 + op))), reservoir=volume)


@dataclass(slots=True)
class Flying:
    """A frame in flight. ``exchange`` is the number of the request that it is or answers."""

    raw: bytes
    kind: int
    session: int
    message: Message
    exchange: int


class World:
    """Both sides and the cable between them; as a transport, the program's end of it."""

    immediate = False

    def __init__(self, bounds: Bounds, trace: list[tuple[Label, State]], dice: random.Random) -> None:
        self._kinds, self._dice = bounds.kinds, dice
        self._trace = iter(trace)
        self._state = Model(bounds=bounds).start()
        self._server: PumpServer = make_server()
        self._server.pump.must_stop = bounds.must_stop
        self.shelf = Shelf()
        self._template: Interrogation = self._new_client(Loopback(self._server.feed)).interrogate()
        self._to_pump: list[Flying] = []
        self._to_app: list[Flying] = []
        self._arrived = b""
        self._exchange = 0
        self._asked = 0
        self._waiting = False
        self._seconds = 0.0
        self._ordered = 0
        self._sealed: StagedOrder | None = None
        self._orders = Orders(self.shelf, Clock(lambda: WORKSTATION_TIME, timedelta(hours=1)), self._new_id)
        self._client = self._new_client(self)
        self._programs = {settings_digest(self._server.pump.memory.slot.settings): 0}
        for op, kind in enumerate(bounds.kinds, 1):
            self._programs[bytes.fromhex(self._client.digest_of(order_of(op, kind)))] = op
        self.noise = 0

    def _new_client(self, cable: World | Loopback) -> PumpClient:
        return PumpClient(
            lambda: cable,
            _KEY,
            now=lambda: WORKSTATION_TIME,
            randomness=self._dice.randbytes,
            monotonic=lambda: self._seconds if cable is self else 0.0,
        )

    def _new_id(self) -> str:
        self._ordered += 1
        return txn_of(self._ordered)

    # -- the program's end of the cable --------------------------------------------------------------------------

    def write(self, sent: bytes) -> None:
        frame = _read(sent, self._exchange)
        if frame.kind in _TAKEN_AT_ONCE:
            self._arrived += self._server.feed(sent)
            return
        self._exchange += 1
        frame.exchange = self._exchange
        self._asked = _MODEL_KINDS[frame.kind]
        self._waiting = True
        self._to_pump.append(frame)

    def read(self, timeout_s: float) -> bytes:
        """What the trace lets arrive; noise may come first. Raises: CrashedError, TraceEndedError."""
        if self._arrived:
            arrived, self._arrived = self._arrived, b""
            return self._noise_to_program() + arrived
        while True:
            name, about = self._next()
            if name == "answer":
                self._give_up()
                return self._noise_to_program() + self._pick(self._to_app, about, self._exchange - 1).raw
            if name == "timeout":
                self._give_up()
                self._seconds += timeout_s + 0.001
                return self._noise_to_program()
            if name in ("crash", "restore"):
                self._end_program(name, about)
                raise CrashedError
            self._suffer(name, about)

    def close(self) -> None:
        """The cable is let go; frames on their way stay on their way."""

    # -- the trace -----------------------------------------------------------------------------------------------

    def play(self) -> None:
        """All of the trace. Raises: DiffersError."""
        try:
            while True:
                self._act(*self._next())
        except TraceEndedError:
            self._compare_what_was_told()

    def _next(self) -> Label:
        """The next step, after a look at whether both worlds are the same. Raises: DiffersError, TraceEndedError."""
        self._compare()
        try:
            label, self._state = next(self._trace)
        except StopIteration:
            raise TraceEndedError from None
        return label

    def _act(self, name: str, about: int) -> None:
        """A step that finds the program at rest."""
        with suppress(AppError, CrashedError):
            if name == "order":
                self._stage(about)
            elif name == "send":
                sealed, self._sealed = self._sealed, None
                self._orders.send(sealed, self._client, user_id="u")
            elif name == "settle":
                self._sealed = None
                self._orders.settle(self.shelf.records[txn_of(about)], self._client, user_id="u")
            elif name in ("crash", "restore"):
                self._end_program(name, about)
            else:
                self._suffer(name, about)
        self._waiting = False

    def _stage(self, op: int) -> None:
        slot = self._server.pump.memory.slot
        reviewed = replace(self._template, revision=slot.revision, digest=settings_digest(slot.settings).hex())
        order = order_of(op, self._kinds[op - 1])
        self._sealed = self._orders.stage(order, reviewed, self._client, implant_id="i", serial=SERIAL, user_id="u")

    def _suffer(self, name: str, about: int) -> None:
        """A step of the cable or of the pump."""
        pump = self._server.pump
        if name == "deliver":
            self._feed(self._pick(self._to_pump, about, self._exchange))
        elif name == "duplicate":
            found = self._pick(self._to_pump, about, self._exchange)
            self._to_pump.append(found)
            self._feed(found)
        elif name in ("cut before", "cut between"):
            found = self._pick(self._to_pump, about, self._exchange)
            pump.catch_up()
            pump.writes_left = 0 if name == "cut before" else 1
            self._cut(found)
        elif name == "reboot":
            pump.reboot()
        elif name == "expire":
            pump.clock.advance(timedelta(seconds=121))
        else:
            pump._draft.held[-1] ^= 0xFF

    def _feed(self, found: Flying) -> None:
        """Hand a frame to the pump, perhaps after one that it must not heed."""
        self._noise_to_pump()
        answer = self._server.feed(found.raw)
        if answer:
            self._to_app.append(_read(answer, found.exchange))

    def _cut(self, found: Flying) -> None:
        self._server.feed(found.raw)
        self._server.pump.reboot()

    def _give_up(self) -> None:
        """Whatever still comes for what was asked comes too late."""
        self._exchange += 1

    def _end_program(self, name: str, about: int) -> None:
        """The program dies; with ``restore`` it comes up with an older database."""
        self._give_up()
        self._arrived, self._waiting, self._sealed = b"", False, None
        self._client = self._new_client(self)
        if name == "restore":
            for op in range(1, self._ordered + 1):
                was, txn = about >> 2 * op - 2 & 3, txn_of(op)
                if was == model.ABSENT:
                    self.shelf.records.pop(txn, None)
                elif was == model.DOUBT:
                    self.shelf.records[txn] = replace(self.shelf.records[txn], outcome=None)

    def _pick(self, flying: list[Flying], code: int, exchange: int) -> Flying:
        """Take the frame out of the air that the model means. Raises: DiffersError."""
        same = [item for item in flying if self._code(item, exchange) == code]
        if not same:
            raise DiffersError(f"no {model.said(('deliver', code))} in flight")
        found = self._dice.choice(same)
        flying.remove(found)
        return found

    # -- noise ---------------------------------------------------------------------------------------------------

    def _noise_to_pump(self) -> None:
        """Now and then a frame that the pump must not heed; what it answers, the program must not heed."""
        if self._dice.random() < 0.2:
            late = [item for item in self._to_pump if not self._can_act(self._code(item, self._exchange))]
            for item in self._dice.sample(late, min(len(late), 2)):
                self.noise += 1
                self._to_app += [_read(raw, 0) for raw in [self._server.feed(item.raw)] if raw]

    def _noise_to_program(self) -> bytes:
        if self._dice.random() < 0.8:
            return b""
        late = [item.raw for item in self._to_app if item.exchange < self._exchange - 1]
        some = self._dice.sample(late, min(len(late), 3))
        self.noise += len(some)
        return b"".join(some)

    @staticmethod
    def _can_act(code: int) -> bool:
        kind = model.kind_of(code)
        late = kind == model.HELLO or (kind != model.READ and bool(model.session_of(code)))
        return bool(code & model.FRESH) or late

    # -- the same in the words of the model ----------------------------------------------------------------------

    def _code(self, item: Flying, exchange: int) -> int:
        kind, message, pump = _MODEL_KINDS[item.kind], item.message, self._server.pump
        current = kind not in (model.HELLO, model.READY) and item.session == pump.session
        if kind > model.HI:
            current = False
        txn = getattr(message, "txn", b"\0")
        return model.frame(
            kind, op_in(txn), session=int(current), value=self._value(message), fresh=item.exchange == exchange
        )

    def _value(self, message: Message) -> int:
        draft = self._server.pump._draft
        match message:
            case Hi(revision=revision) | CommittedIs(revision=revision) | Begin(base_revision=revision):
                return revision - 1
            case SealedIs(token=token) | Commit(token=token):
                return int(draft is not None and draft.token == token)
            case ResolvedIs(fate=fate):
                return int(fate == Fate.COMMITTED)
            case ProgramIs(revision=revision, digest=digest):
                return revision - 1 | self._programs[digest] << 2
            case _:
                return 0

    def _compare(self) -> None:
        """Raises: DiffersError."""
        for name, real, wanted in self._pairs():
            if real != wanted:
                raise DiffersError(f"{name}: {real}, and in the model {wanted}")

    def _pairs(self) -> Iterator[tuple[str, object, object]]:
        s, memory = self._state, self._server.pump.memory
        at = s[model.AT]
        asked = 0 if at in (model.IDLE, model.HAS_SEALED) else _WAITS_FOR.get(at, model.HELLO)
        yield "waits for", self._asked if self._waiting else 0, asked
        yield "has a sealed draft", self._sealed is not None, at == model.HAS_SEALED
        yield "to the pump", self._codes(self._to_pump), s[model.TO_PUMP]
        yield "to the program", self._codes(self._to_app), s[model.TO_APP]
        yield "disk", self._disk(), s[model.DISK]
        yield "guard", self.shelf.guarded, bool(s[model.GUARD])
        yield "revision", memory.slot.revision - 1, s[model.REVISION]
        yield "program", self._programs[settings_digest(memory.slot.settings)], s[model.PROGRAM]
        yield "applied", _set_of(txn for txn, _, _ in memory.applied), s[model.APPLIED]
        yield "dead", _set_of(memory.tombstones), s[model.DEAD]
        yield "stopped", memory.stopped_since is not None, bool(s[model.STOPPED])
        yield "draft", self._draft(), (s[model.DRAFT], s[model.STAGE])

    def _codes(self, flying: list[Flying]) -> tuple[int, ...]:
        codes = [self._code(item, self._exchange) for item in flying]
        heeded = [code for code in codes if code & model.FRESH or (flying is self._to_pump and self._can_act(code))]
        return tuple(sorted(heeded))

    def _disk(self) -> int:
        records = self.shelf.records.values()
        return sum(_DISK[record.outcome] << 2 * op_in(bytes.fromhex(record.txn)) - 2 for record in records)

    def _draft(self) -> tuple[int, int]:
        draft = self._server.pump._draft
        if draft is None:
            return 0, 0
        if len(draft.held) < draft.length:
            stage = model.EMPTY
        elif order_digest(draft.what, bytes(draft.held)) != draft.digest:
            stage = model.SPOILED
        elif not draft.token:
            stage = model.FULL
        else:
            stage = model.EXPIRED if self._server.pump.clock.now() > draft.expires_at else model.IS_SEALED
        return op_in(draft.txn), stage

    def _compare_what_was_told(self) -> None:
        """What happened in the body, by the pump's log, and all that the operator was ever told."""
        effects = sum(min(self._times(op), 2) << 2 * op - 2 for op in range(1, len(self._kinds) + 1))
        told = 0
        for txn, outcome in self.shelf.told:
            told |= (1 if outcome is Outcome.VERIFIED else 2) << 2 * op_in(bytes.fromhex(txn)) - 2
        wanted = self._state[model.EFFECTS], self._state[model.TOLD]
        if (effects, told) != wanted:
            raise DiffersError(f"effects and told: {(effects, told)}, and in the model {wanted}")

    def _times(self, op: int) -> int:
        bolus = self._kinds[op - 1] == "B"
        code = 5 if bolus else 4
        nl = op * 10_000 + (0 if bolus else 10_000_000)
        return sum((event.code, event.value) == (code, nl) for event in self._server.pump.memory.log)


def _set_of(txns: Iterator[str] | tuple[str, ...]) -> int:
    found = 0
    for txn in txns:
        bit = 1 << op_in(bytes.fromhex(txn))
        if found & bit:
            raise DiffersError("an order is in the journal twice")
        found |= bit
    return found


def _read(raw: bytes, exchange: int) -> Flying:
    """A frame as the model's world sees it; that its codes are right is for the real code to find out."""
    plain = cobs.decode(raw[1:-1])
    _, kind, _, session, _, length = _HEAD.unpack_from(plain)
    return Flying(raw, kind, session, decode_message(kind, plain[_HEAD.size : _HEAD.size + length]), exchange)


# -- the campaign ----------------------------------------------------------------------------------------------------


def play(seed: int, number: int) -> tuple[Counter[str], str | None]:
    """Play the ``number``-th trace of a seed: how often each step was taken; where the worlds differed, if they did."""
    dice = random.Random(f"model/{seed}/{number}")
    bounds = bounds_of(dice)
    trace = trace_of(Model(bounds=bounds), dice)
    world = World(bounds, trace, dice)
    counts = Counter(name for (name, _), _ in trace)
    try:
        world.play()
    except DiffersError as differs:
        return counts, f"trace {number}, {bounds}: {differs}"
    counts["late frames thrown in"] += world.noise
    counts.update(f"told {outcome}" for _, outcome in world.shelf.told)
    return counts, None


def _play_batch(job: tuple[int, int, int]) -> tuple[Counter[str], list[str]]:
    seed, first, count = job
    # What the services warn of is what the traces are made of.
    logging.getLogger("app.services.commit").setLevel(logging.ERROR)
    total: Counter[str] = Counter()
    differ = []
    for number in range(first, first + count):
        counts, found = play(seed, number)
        total += counts
        differ += [found] if found else []
    return total, differ


def play_all(seed: int, count: int, processes: int) -> tuple[Counter[str], list[str]]:
    """``count`` traces, on so many processes."""
    jobs = [(seed, first, min(PER_BATCH, count - first)) for first in range(0, count, PER_BATCH)]
    total: Counter[str] = Counter()
    differ: list[str] = []
    with ProcessPoolExecutor(max_workers=processes) as pool:
        for counts, found in pool.map(_play_batch, jobs):
            total += counts
            differ += found
    return total, differ
