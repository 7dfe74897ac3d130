"""The conformance suite: the emulated pump passes it on every cable, and each wrong pump is found out by its check."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.device import cobs
from app.device.bench_door import obey_line
from app.device.conform import (
    CannotStartError,
    Report,
    Verdict,
    as_json,
    as_text,
    meet,
    restore,
    run,
)
from app.device.conform_bench import Bench
from app.device.conform_orders import CHECKS
from app.device.emulate import serve
from app.device.emulated_pump import EmulatedPump, VirtualClock, memory_of
from app.device.frames import Frame, FrameReader, bench_key, encode_frame
from app.device.messages import (
    Begin,
    Chunk,
    ClockIs,
    Commit,
    CommittedIs,
    EventsAre,
    Hello,
    Hi,
    Message,
    Nak,
    ProgramIs,
    ReadClock,
    ReadEvents,
    Refusal,
    Resolve,
    ResolvedIs,
    Seal,
    SealedIs,
    StatusIs,
)
from app.device.order_codec import What
from app.device.pump_memory import Memory, MemoryFile
from app.device.server import PumpServer
from app.device.settings_codec import encode_settings, settings_digest
from app.device.transports import Loopback, SerialCable
from app.models.program import EVERY_DAY, Bolus, DayPlan, Flex, Program, Stopped
from app.models.pump import LinkLostError, Order, PumpEventKind, PumpSettings
from app.models.quantities import DoseRate, Mass, Volume
from tests.device.pumps import PUMP_TIME, RUNNING, SERIAL, WANTED, seeded
from tests.models.pumps import synchromed_ii

DOCS = Path(__file__).parents[2] / "docs"
BEGAN = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
NUMBERS = {check.title: number for number, check in enumerate(CHECKS, start=1)}


class Time:
    """Seconds that pass only while somebody sleeps."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.passed += seconds


class Table:
    """A pump, perhaps a wrong one, with a bench on a loopback and on its door."""

    def __init__(
        self,
        pump: type[EmulatedPump] = EmulatedPump,
        server: type[PumpServer] = PumpServer,
        *,
        settings: PumpSettings = RUNNING,
        must_stop: bool = False,
        slow: bool = True,
        door: bool = True,
    ) -> None:
        self.time = Time()
        self.pump = pump(
            SERIAL,
            synchromed_ii(),
            VirtualClock(PUMP_TIME, self.time.now),
            memory_file=MemoryFile(),
            made=memory_of(settings, since=datetime(2026, 2, 20, 9, 30), volume=Volume.ml(20)),
            randomness=seeded(1),
            must_stop=must_stop,
        )
        self.server = server(self.pump, bench_key(SERIAL))
        self.bench = Bench(
            lambda: Loopback(self.server.feed),
            bench_key(SERIAL),
            randomness=seeded(3),
            monotonic=self.time.now,
            sleep=self.time.sleep,
            door=self.door if door else None,
            slow=slow,
        )

    def door(self, order: Mapping[str, str | int]) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = json.loads(obey_line(self.server, json.dumps(dict(order))))
        assert answer["ok"], answer
        return answer

    def run(self) -> Report:
        return run(self.bench, meet(self.bench, SERIAL), CHECKS, port="a loopback", began=BEGAN)


def titles(report: Report, verdict: Verdict) -> list[str]:
    return [result.title for result in report.results if result.verdict is verdict]


# -- a right pump ----------------------------------------------------------------------------------------------


def test_the_emulated_pump_passes_every_check() -> None:
    report = Table(must_stop=True).run()
    assert titles(report, Verdict.FAILED) == titles(report, Verdict.NOT_RUN) == []
    assert report.conforms and len(report.results) == len(CHECKS) >= 30


def test_what_needs_a_door_or_minutes_is_not_run_and_says_why() -> None:
    report = Table(slow=False, door=False).run()
    left = {result.title: result.reason for result in report.results if result.verdict is Verdict.NOT_RUN}
    assert titles(report, Verdict.FAILED) == []
    assert len(left) == 6
    assert sum("--slow" in reason for reason in left.values()) == 2
    assert sum("--control" in reason for reason in left.values()) == 4


@pytest.mark.parametrize(
    "program",
    [
        RUNNING.program,
        Program(Stopped()),
        Program(Flex((DayPlan(EVERY_DAY, DoseRate.mcg_per_day(100), boluses=(Bolus(600, Mass.mcg(5), 5),)),))),
    ],
    ids=["simple", "stopped", "flex"],
)
def test_the_program_is_put_back_and_the_counter_goes_on(program: Program) -> None:
    table = Table(settings=replace(RUNNING, program=program))
    before = table.pump.ledger()
    report = table.run()
    assert report.conforms, as_text(report)
    settings = table.pump.memory.epoch.settings
    assert settings == replace(RUNNING, program=program, reservoir=None)
    assert table.pump.runs() == (program != Program(Stopped()))
    after = table.pump.ledger()
    assert after.believed + after.delivered == before.believed + before.delivered, "nothing was filled"
    assert after.delivered - before.delivered < Volume.ml(1).quanta // 20, "less than 0.05 mL in all"


def test_a_pump_that_was_stopped_is_stopped_again() -> None:
    table = Table()
    table.bench.greet()
    table.bench.carry_out(What.STOP, b"")
    report = table.run()
    assert report.conforms, as_text(report)
    assert not table.pump.runs() and "stopped, as before" in report.restored.note


def test_the_clock_is_back_where_it_was() -> None:
    table = Table()
    report = table.run()
    assert table.pump.clock.now() == PUMP_TIME + timedelta(seconds=int(table.time.passed))
    assert "off by" not in report.restored.note


def test_the_program_is_put_back_also_if_the_run_is_broken_off() -> None:
    table = Table()
    pump = meet(table.bench, SERIAL)

    def broken_off(line: str) -> None:
        if "the sealed draft the running program" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(table.bench, pump, CHECKS, port="a loopback", began=BEGAN, announce=broken_off)
    assert table.pump.memory.epoch.settings == replace(RUNNING, reservoir=None)


def test_the_program_is_put_back_on_a_new_connection_if_the_cable_was_lost() -> None:
    table = Table()
    cables: list[CutCable] = []

    def opened() -> CutCable:
        cables.append(CutCable(table.server.feed))
        return cables[-1]

    table.bench = Bench(
        opened, bench_key(SERIAL), randomness=seeded(3), monotonic=table.time.now, sleep=table.time.sleep
    )
    pump = meet(table.bench, SERIAL)
    cables[0].is_cut = True
    assert restore(table.bench, pump).done and len(cables) == 2


class CutCable(Loopback):
    """A loopback that is lost for good once it was cut."""

    is_cut = False

    def write(self, sent: bytes) -> None:
        if self.is_cut:
            raise LinkLostError(problem="cut")
        super().write(sent)


def test_a_bolus_that_is_given_keeps_the_checks_from_starting() -> None:
    table = Table(settings=WANTED)
    with pytest.raises(CannotStartError):
        table.bench.carry_out(What.SETTINGS, table.pump.memory.slot.settings)
        meet(table.bench, SERIAL)


def test_another_pump_keeps_the_checks_from_starting() -> None:
    with pytest.raises(CannotStartError):
        meet(Table().bench, "CIS000043")


# -- wrong pumps -----------------------------------------------------------------------------------------------


class Wrong(EmulatedPump):
    """A pump whose ears or mouth are wrong: ``hears`` is what reaches it, ``says`` what leaves it."""

    def hears(self, message: Message) -> Message:
        return message

    def says(self, message: Message, answer: Message) -> Message:
        return answer

    def has_applied(self, txn: bytes) -> bool:
        return any(done == txn.hex() for done, _, _ in self.memory.applied)

    def answer(self, message: Message) -> Message:
        return self.says(message, super().answer(self.hears(message)))


class AnswersAnEmptyNonceWithAnother(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        return replace(answer, nonce=b"n" * 16) if isinstance(answer, Hi) and not any(answer.nonce) else answer


class ForgetsTheNonceOfAQuestion(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        return replace(answer, nonce=bytes(16)) if isinstance(answer, EventsAre) else answer


class CountsSessionsToEight(EmulatedPump):
    def keep(self, memory: Memory) -> None:
        super().keep(replace(memory, session=memory.session % 8))


class KeepsTheDraft(EmulatedPump):
    def answer(self, message: Message) -> Message:
        draft = self._draft
        answer = super().answer(message)
        if isinstance(message, Hello):
            self._draft = draft
        return answer


class NamesAnotherDigestInHi(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        return replace(answer, digest=settings_digest(b"old")) if isinstance(answer, ProgramIs) else answer


class ReadsTheWholeLogTwice(Wrong):
    def hears(self, message: Message) -> Message:
        return replace(message, cursor=max(0, message.cursor - 1)) if isinstance(message, ReadEvents) else message


class BreaksTheChain(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        return replace(answer, chain=bytes(32)) if isinstance(answer, EventsAre) else answer


class GivesTheLastEventBeyondTheEnd(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        if isinstance(answer, EventsAre) and isinstance(message, ReadEvents) and message.cursor > len(self.memory.log):
            return replace(answer, cursor=len(self.memory.log))
        return answer


class RunsTwiceAsFast(EmulatedPump):
    def catch_up(self) -> None:
        self.clock.run_at(2)
        super().catch_up()


class TakesAStaleBase(Wrong):
    def hears(self, message: Message) -> Message:
        if isinstance(message, Begin):
            slot = self.memory.slot
            return replace(message, base_revision=slot.revision, base_digest=settings_digest(slot.settings))
        return message


class RunsTheDraft(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        return replace(answer, settings=b"") if isinstance(answer, ProgramIs) and self._draft else answer


class TakesASecondDraft(Wrong):
    def hears(self, message: Message) -> Message:
        if isinstance(message, Begin):
            self._draft = None
        return message


class TakesAPartAnywhere(Wrong):
    def hears(self, message: Message) -> Message:
        if isinstance(message, Chunk) and self._draft is not None:
            return replace(message, offset=len(self._draft.held))
        return message


class TakesTooMuch(Wrong):
    def hears(self, message: Message) -> Message:
        if isinstance(message, Chunk) and self._draft is not None:
            self._draft.length = max(self._draft.length, len(self._draft.held) + len(message.part))
        return message


class SealsTooEarly(Wrong):
    def hears(self, message: Message) -> Message:
        if isinstance(message, Seal) and self._draft is not None:
            self._draft.length = len(self._draft.held)
        return message


class DoesNotCompareTheDigest(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        if isinstance(message, Seal) and answer == Nak(Refusal.OTHER_DIGEST) and self._draft is not None:
            return SealedIs(message.txn, self._draft.digest, bytes(16), 120, bytes(self._draft.held))
        return answer


class TakesBadSettings(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        if isinstance(message, Seal) and answer == Nak(Refusal.BAD_SETTINGS) and self._draft is not None:
            return SealedIs(message.txn, self._draft.digest, bytes(16), 120, bytes(self._draft.held))
        return answer


class ReadsBackAnotherByte(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        if isinstance(answer, SealedIs) and answer.order:
            return replace(answer, order=answer.order[:-1] + bytes((answer.order[-1] ^ 1,)))
        return answer


class AsksForNoToken(Wrong):
    def hears(self, message: Message) -> Message:
        return replace(message, token=self._draft.token) if isinstance(message, Commit) and self._draft else message


class KeepsTheFirstToken(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        if isinstance(answer, SealedIs) and self._draft is not None:
            self._draft.token = answer.txn
            return replace(answer, token=answer.txn)
        return answer


class LetsTokensLiveForever(Wrong):
    def hears(self, message: Message) -> Message:
        if isinstance(message, Commit) and self._draft is not None:
            self._draft.expires_at = datetime.max
        return message


class CommitsAnyDigest(Wrong):
    def hears(self, message: Message) -> Message:
        return replace(message, digest=self._draft.digest) if isinstance(message, Commit) and self._draft else message


class CountsACommitTwice(Wrong):
    def hears(self, message: Message) -> Message:
        if isinstance(message, Commit) and self.has_applied(message.txn):
            slot = self.memory.slot
            slots = list(self.memory.slots)
            slots[self.memory.active] = replace(slot, revision=slot.revision + 1)
            self.keep(replace(self.memory, slots=(slots[0], slots[1])))
        return message


class GivesABolusTwice(Wrong):
    def hears(self, message: Message) -> Message:
        if isinstance(message, Commit) and self.has_applied(message.txn) and self.memory.epoch.extras:
            self.note(PumpEventKind.BOLUS_STARTED, 6000)
        return message


class WritesNoTombstone(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        self.memory = replace(self.memory, tombstones=())
        return answer


class KeepsTenTombstones(EmulatedPump):
    def keep(self, memory: Memory) -> None:
        super().keep(replace(memory, tombstones=memory.tombstones[-10:]))


class BuriesOnlyForASession(Wrong):
    def hears(self, message: Message) -> Message:
        if isinstance(message, Hello):
            self.memory = replace(self.memory, tombstones=())
        return message


class ForgetsTheAppliedOrder(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        return ResolvedIs(answer.txn, 3, 0) if isinstance(answer, ResolvedIs) and answer.fate == 1 else answer


class SkipsARevision(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        return replace(answer, revision=answer.revision + 1) if isinstance(answer, CommittedIs) else answer


class NamesTheOldestLast(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        return replace(answer, applied=answer.applied[::-1]) if isinstance(answer, Hi) else answer


class KeepsNoAnchor(EmulatedPump):
    def keep(self, memory: Memory) -> None:
        super().keep(replace(memory, anchor="00" * 32))


class FillsAnyway(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        if isinstance(answer, CommittedIs) and self.memory.log[-1].code == 3:
            self.note(PumpEventKind.FILLED, 20_000_000)
        return answer


class AlwaysSuits(EmulatedPump):
    def _suits(self, order: Order) -> bool:
        return True


class CountsABolusTwice(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        if isinstance(answer, StatusIs):
            return replace(answer, delivered_nl=answer.delivered_nl + answer.bolus_given_nl)
        return answer


class LogsNoBolus(EmulatedPump):
    def keep(self, memory: Memory) -> None:
        if memory.log and memory.log[-1].code == 5:
            memory = replace(memory, log=memory.log[:-1])
        super().keep(memory)


class SaysItGaveTheWholeBolus(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        if isinstance(answer, EventsAre):
            whole = tuple(replace(event, value=6000) if event.code == 6 else event for event in answer.events)
            return replace(answer, events=whole)
        return answer


class DeliversWhileStopped(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        if isinstance(answer, StatusIs) and not answer.running:
            return replace(answer, delivered_nl=answer.delivered_nl + (self.clock.now() - PUMP_TIME).seconds)
        return answer


class TakesTheBolusUpAgain(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        if isinstance(message, Commit) and self.memory.log[-1].code == 1 and self.memory.log[-2].code == 2:
            self.note(PumpEventKind.BOLUS_STARTED, 3000)
        return answer


class StepsTheClockTooFar(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        if isinstance(answer, CommittedIs) and self.memory.log[-1].code == 12:
            self.clock.advance(timedelta(seconds=10))
        return answer


class LogsNoSilence(EmulatedPump):
    def keep(self, memory: Memory) -> None:
        if memory.log and memory.log[-1].code == 15:
            memory = replace(memory, log=memory.log[:-1])
        super().keep(memory)


class KeepsTheRevisionOfOrders(EmulatedPump):
    def keep(self, memory: Memory) -> None:
        old, new = self.memory.slot, memory.slot
        if new.settings == old.settings and new.revision != old.revision:
            slots = list(memory.slots)
            slots[memory.active] = replace(new, revision=old.revision)
            (txn, _, at), before = memory.applied[-1], memory.applied[:-1]
            memory = replace(memory, slots=(slots[0], slots[1]), applied=(*before, (txn, old.revision, at)))
        super().keep(memory)


class ForgetsTombstonesAtARestart(EmulatedPump):
    def reboot(self) -> None:
        super().reboot()
        self.memory = replace(self.memory, tombstones=())


class CommitsHalfInAPowerCut(EmulatedPump):
    def reboot(self) -> None:
        if self._draft is not None:
            self.memory = replace(self.memory, anchor="ab" * 32)
        super().reboot()


class StartsAgainAfterAPowerCut(EmulatedPump):
    def reboot(self) -> None:
        super().reboot()
        self.memory = replace(self.memory, stopped_since=None, epoch=replace(self.memory.epoch, running=True))


class KnowsAnAlarmOfItsOwn(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        return replace(answer, alarms=0x8000) if isinstance(answer, Hi) else answer


class SaysInStatusThatItWasReset(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        return replace(answer, reset=True) if isinstance(answer, StatusIs) else answer


class CountsTheLogFromZero(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        if isinstance(answer, EventsAre):
            return replace(answer, events=tuple(replace(event, number=event.number - 1) for event in answer.events))
        return answer


class IsBusyForAnUnknownOrder(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        return Nak(Refusal.BUSY) if answer == Nak(Refusal.UNKNOWN_ORDER) else answer


class TakesAnyKindOfOrder(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        draft = self._draft
        if draft is None or draft.what == What.SETTINGS:
            return answer
        if answer == Nak(Refusal.BAD_SETTINGS):
            return SealedIs(draft.txn, draft.digest, bytes(16), 120, bytes(draft.held))
        return CommittedIs(draft.txn, 1, PUMP_TIME) if answer == Nak(Refusal.SPENT_TOKEN) else answer


class ForgetsWhatItSaidOfAnOrder(Wrong):
    def answer(self, message: Message) -> Message:
        again = isinstance(message, Resolve) and message.txn.hex() in self.memory.tombstones
        answer = super().answer(message)
        return replace(answer, fate=3) if again and isinstance(answer, ResolvedIs) else answer


class ShowsTheFirstProgramForever(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        return replace(answer, settings=encode_settings(RUNNING)) if isinstance(answer, ProgramIs) else answer


class LosesAUnitOfAWholeBolus(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        if isinstance(answer, EventsAre):
            less = {6000: 5999}
            events = (
                replace(event, value=less.get(event.value, event.value)) if event.code == 6 else event
                for event in answer.events
            )
            return replace(answer, events=tuple(events))
        return answer


class GivesOrdersTheDigestOfSettings(Wrong):
    def says(self, message: Message, answer: Message) -> Message:
        if isinstance(answer, SealedIs) and not answer.order:
            return replace(answer, digest=settings_digest(answer.order))
        return answer


# Wrong ears.


class WrongServer(PumpServer):
    """A pump's end of the cable that obeys what it should not: ``mended`` makes good frames of bad ones."""

    def mended(self, stuffed: bytes) -> bytes:
        return stuffed

    def _obey(self, stuffed: bytes) -> bytes:
        return super()._obey(self.mended(stuffed))

    def _sealed_anew(self, stuffed: bytes, **changes: int) -> bytes:
        """The frame with another head, code and check sum."""
        try:
            raw = bytearray(cobs.decode(stuffed))
        except cobs.BadStuffingError:
            return stuffed
        if len(raw) < 31:
            return stuffed
        raw[0], raw[2] = changes.get("version", raw[0]), changes.get("direction", raw[2])
        frame = Frame(raw[1], raw[2], int.from_bytes(raw[3:7]), int.from_bytes(raw[7:9]), bytes(raw[11:-20]))
        return encode_frame(frame, self._key).strip(b"\x00") if raw[0] == 1 else stuffed


class TakesAnyCheckSum(WrongServer):
    def mended(self, stuffed: bytes) -> bytes:
        try:
            raw = cobs.decode(stuffed)
        except cobs.BadStuffingError:
            return stuffed
        again = self._sealed_anew(stuffed)
        return again if cobs.decode(again)[:-4] == raw[:-4] else stuffed


class TakesAnyVersion(WrongServer):
    def mended(self, stuffed: bytes) -> bytes:
        return self._sealed_anew(stuffed, version=1) if cobs_starts(stuffed) not in (b"", b"\x01") else stuffed


class TakesAnyDirection(WrongServer):
    def mended(self, stuffed: bytes) -> bytes:
        try:
            head = cobs.decode(stuffed)[:3]
        except cobs.BadStuffingError:
            return stuffed
        return self._sealed_anew(stuffed, direction=0) if len(head) == 3 and head[2] else stuffed


class TakesAnyLength(WrongServer):
    def mended(self, stuffed: bytes) -> bytes:
        try:
            raw = cobs.decode(stuffed)
        except cobs.BadStuffingError:
            return stuffed
        wrong = len(raw) >= 31 and int.from_bytes(raw[9:11]) != len(raw) - 31
        return self._sealed_anew(stuffed) if wrong else stuffed


class TakesAShortStuffing(WrongServer):
    def mended(self, stuffed: bytes) -> bytes:
        try:
            cobs.decode(stuffed)
        except cobs.BadStuffingError:
            return stuffed + b"\x01"
        return stuffed


class CutsPayloads(WrongServer):
    def mended(self, stuffed: bytes) -> bytes:
        try:
            raw = cobs.decode(stuffed)
        except cobs.BadStuffingError:
            return stuffed
        if raw[1:2] != bytes((ReadClock.KIND,)) or len(raw) <= 47:
            return stuffed
        frame = Frame(ReadClock.KIND, 0, int.from_bytes(raw[3:7]), int.from_bytes(raw[7:9]), raw[11:27])
        return encode_frame(frame, self._key).strip(b"\x00")


class NaksUnknownKinds(WrongServer):
    def _obey(self, stuffed: bytes) -> bytes:
        answer = super()._obey(stuffed)
        raw = b"" if answer else cobs.decode(stuffed) if valid(stuffed) else b""
        if raw[1:2] == b"\x7e":
            return self._wrap(Nak(12), Frame(0, 0, int.from_bytes(raw[3:7]), int.from_bytes(raw[7:9]), b""))
        return answer


class IsSilentForAnotherKey(WrongServer):
    def _wrap(self, answer: Message, asked: Frame) -> bytes:
        return b"" if answer == Nak(Refusal.KEY) else super()._wrap(answer, asked)


class AnswersAnotherKeyInASession(WrongServer):
    def _wrap(self, answer: Message, asked: Frame) -> bytes:
        if answer == Nak(Refusal.KEY):
            asked = replace(asked, session=self.pump.session)
        return super()._wrap(answer, asked)


class IsSilentForPumpsMessages(WrongServer):
    def _answer(self, frame: Frame, message: Message) -> bytes:
        return b"" if isinstance(message, ClockIs | Nak) else super()._answer(frame, message)


class CountsItsOwnNumbers(WrongServer):
    def _wrap(self, answer: Message, asked: Frame) -> bytes:
        return super()._wrap(answer, replace(asked, number=min(asked.number, 0x7FFF)))


class HearsOldSessions(WrongServer):
    def _answer(self, frame: Frame, message: Message) -> bytes:
        if 0 < frame.session < self.pump.session and not isinstance(message, Hello):
            return self._wrap(self.pump.answer(message), frame)
        return super()._answer(frame, message)


class HearsAnySession(WrongServer):
    def _answer(self, frame: Frame, message: Message) -> bytes:
        if frame.session > self.pump.session or (frame.session == 0 and not isinstance(message, Hello)):
            return self._wrap(self.pump.answer(message), frame)
        return super()._answer(frame, message)


class AnswersTwice(WrongServer):
    def _answer(self, frame: Frame, message: Message) -> bytes:
        return super()._answer(frame, message) * (2 if isinstance(message, ReadEvents) else 1)


class HearsOnlyWholeWrites(WrongServer):
    def feed(self, arrived: bytes) -> bytes:
        return super().feed(arrived) if arrived.endswith(b"\x00") and len(arrived) > 1 else b""


class HearsOneFrameInAWrite(WrongServer):
    def feed(self, arrived: bytes) -> bytes:
        self._reader = FrameReader()
        frames = self._reader.feed(arrived)
        return self._obey(frames[0]) if frames else b""


class HearsTheTailOfAnOverlongFrame(WrongServer):
    def feed(self, arrived: bytes) -> bytes:
        return super().feed(re.sub(rb"[^\x00]{4145}", b"\x00", arrived))


class ChokesOnManyZeros(WrongServer):
    def feed(self, arrived: bytes) -> bytes:
        return b"" if arrived.startswith(bytes(100)) else super().feed(arrived)


class DiesOfGarbage(WrongServer):
    def feed(self, arrived: bytes) -> bytes:
        return b"" if b"hello" in arrived else super().feed(arrived)


def valid(stuffed: bytes) -> bool:
    try:
        cobs.decode(stuffed)
    except cobs.BadStuffingError:
        return False
    return True


def cobs_starts(stuffed: bytes) -> bytes:
    """The first byte of the message."""
    return cobs.decode(stuffed)[:1] if valid(stuffed) else b""


# What each wrong pump is found out by, and by nothing else.

FOUND_BY: dict[type[EmulatedPump] | type[PumpServer], str] = {
    AnswersAnEmptyNonceWithAnother: "nonce_of_hi",
    CountsSessionsToEight: "new_session restart sessions_of_all",
    NamesAnotherDigestInHi: "program_of_hi",
    ReadsTheWholeLogTwice: "log_from_middle log_beyond revision_grows commit_twice clock_steps",
    BreaksTheChain: "log_chain",
    GivesTheLastEventBeyondTheEnd: "log_beyond",
    RunsTwiceAsFast: "clock_runs",
    TakesAStaleBase: "stale_base order_makes_stale",
    RunsTheDraft: "draft_runs_nothing",
    TakesASecondDraft: "one_draft",
    TakesAPartAnywhere: "wrong_offset",
    TakesTooMuch: "too_many_bytes",
    SealsTooEarly: "too_few_bytes",
    DoesNotCompareTheDigest: "draft_digest",
    TakesBadSettings: "bad_settings",
    ReadsBackAnotherByte: "read_back flex_program",
    AsksForNoToken: "last_token wrong_token",
    KeepsTheFirstToken: "last_token",
    LetsTokensLiveForever: "expired",
    CommitsAnyDigest: "wrong_digest",
    CountsACommitTwice: "commit_twice",
    GivesABolusTwice: "bolus_twice",
    WritesNoTombstone: "resolve_unknown resolve_draft tombstone_stays outcomes_kept restart cut_before",
    KeepsTenTombstones: "outcomes_kept",
    BuriesOnlyForASession: "resolve_draft tombstone_stays restart",
    ForgetsTheAppliedOrder: "applied_stays restart cut_after",
    SkipsARevision: "revision_grows commit_twice applied_stays orders_raise_revision restart",
    NamesTheOldestLast: "revision_grows last_four cut_after",
    KeepsNoAnchor: "anchor",
    FillsAnyway: "counter_goes_on",
    AlwaysSuits: "second_bolus step_in_bolus stop_stopped bolus_stopped resume_running",
    CountsABolusTwice: "bolus_counts",
    LogsNoBolus: "bolus_twice bolus_counts",
    SaysItGaveTheWholeBolus: "stop_ends_bolus",
    DeliversWhileStopped: "stop",
    TakesTheBolusUpAgain: "resume",
    StepsTheClockTooFar: "clock_steps",
    LogsNoSilence: "silence",
    KeepsTheRevisionOfOrders: "orders_raise_revision order_makes_stale",
    ForgetsTombstonesAtARestart: "restart",
    CommitsHalfInAPowerCut: "cut_before",
    StartsAgainAfterAPowerCut: "cut_between",
    KnowsAnAlarmOfItsOwn: "facts_of_hi",
    SaysInStatusThatItWasReset: "status_of_hi",
    CountsTheLogFromZero: "log_numbers log_chain",
    IsBusyForAnUnknownOrder: "draft_dropped no_draft",
    TakesAnyKindOfOrder: "no_order",
    ForgetsWhatItSaidOfAnOrder: "resolve_twice",
    ShowsTheFirstProgramForever: "simple_program flex_program",
    LosesAUnitOfAWholeBolus: "whole_bolus",
    TakesAnyCheckSum: "wrong_check_sum",
    TakesAnyVersion: "another_version",
    TakesAnyDirection: "another_direction",
    TakesAnyLength: "wrong_length",
    TakesAShortStuffing: "one_stuffing",
    CutsPayloads: "not_canonical",
    NaksUnknownKinds: "unknown_kind",
    IsSilentForAnotherKey: "another_key",
    AnswersAnotherKeyInASession: "another_key",
    IsSilentForPumpsMessages: "pumps_message",
    CountsItsOwnNumbers: "numbers",
    HearsOldSessions: "recorded_hello old_session",
    HearsAnySession: "foreign_session",
    HearsOnlyWholeWrites: "byte_by_byte",
    HearsTheTailOfAnOverlongFrame: "overlong",
    ChokesOnManyZeros: "many_zeros",
    DiesOfGarbage: "garbage",
}

SPOILS_MUCH: dict[type[EmulatedPump] | type[PumpServer], str] = {
    ForgetsTheNonceOfAQuestion: "nonce_of_each",
    KeepsTheDraft: "draft_dropped",
    GivesOrdersTheDigestOfSettings: "digest_of_orders",
    AnswersTwice: "asked_again",
    HearsOneFrameInAWrite: "two_at_once",
}
"""Whose fault also stands in the way of other checks."""


def table_of(wrong: type[EmulatedPump] | type[PumpServer]) -> Table:
    if issubclass(wrong, EmulatedPump):
        return Table(wrong, must_stop=wrong is StartsAgainAfterAPowerCut)
    return Table(server=wrong)


def names_of(report: Report) -> list[str]:
    """The functions of the checks that failed."""
    return [CHECKS[result.number - 1].act.__name__[1:] for result in report.results if result.verdict is Verdict.FAILED]


@pytest.mark.parametrize("wrong", FOUND_BY, ids=lambda wrong: wrong.__name__)
def test_a_wrong_pump_is_found_out_by_its_checks_and_no_others(wrong: type[EmulatedPump] | type[PumpServer]) -> None:
    report = table_of(wrong).run()
    assert names_of(report) == FOUND_BY[wrong].split(), as_text(report)
    assert not report.conforms and report.restored.done
    for result in report.results:
        assert (result.verdict is Verdict.FAILED) == bool(result.expected) == bool(result.came)


@pytest.mark.parametrize("wrong", SPOILS_MUCH, ids=lambda wrong: wrong.__name__)
def test_a_pump_that_is_wrong_throughout_is_also_found_out_by_its_check(
    wrong: type[EmulatedPump] | type[PumpServer],
) -> None:
    report = table_of(wrong).run()
    assert SPOILS_MUCH[wrong] in names_of(report)
    assert not report.conforms and report.restored.done


def test_each_check_finds_some_wrong_pump_out() -> None:
    found = {name for names in (*FOUND_BY.values(), *SPOILS_MUCH.values()) for name in names.split()}
    assert {check.act.__name__[1:] for check in CHECKS} == found


class FallsSilent(PumpServer):
    """A pump that no longer answers once it was told to stop."""

    def feed(self, arrived: bytes) -> bytes:
        return super().feed(arrived) if self.pump.runs() else b""


def test_a_pump_that_falls_silent_fails_and_ends_the_run_all_the_same() -> None:
    report = Table(server=FallsSilent).run()
    assert "stop" in names_of(report) and not report.restored.done
    failed = next(result for result in report.results if result.verdict is Verdict.FAILED)
    assert (failed.expected, failed.came, failed.arrived[-2:]) == ("one answer", "nothing", "00")


# -- the report ------------------------------------------------------------------------------------------------


def test_a_failed_check_says_what_was_expected_and_what_came_with_its_bytes() -> None:
    report = Table(TakesAStaleBase).run()
    result = next(result for result in report.results if result.verdict is Verdict.FAILED)
    assert result.expected == "NAK other-base to BEGIN"
    assert re.fullmatch(r"READY \(txn [0-9a-f]{32}\)", result.came)
    assert result.sent.startswith("00") and result.arrived.endswith("00")
    text = as_text(report)
    assert f" {result.number} FAILED  NAK: BEGIN on another revision or another digest is refused.\n" in text
    assert "      “the running program is not the one that was reviewed”\n" in text
    assert f"      expected: NAK other-base to BEGIN\n      came: {result.came}\n" in text
    assert text.endswith("This pump does NOT conform.")


def test_the_json_report_holds_every_check() -> None:
    table = Table(slow=False)
    report = table.run()
    written = json.loads(as_json(report))
    assert written["conforms"] is True and written["restored"]["done"] is True
    assert (written["passed"], written["failed"], written["not_run"]) == (len(CHECKS) - 3, 0, 3)
    assert written["pump"]["serial"] == SERIAL and written["began"] == "2026-03-02T08:30:00+00:00"
    assert [check["number"] for check in written["checks"]] == list(range(1, len(CHECKS) + 1))
    assert {check["verdict"] for check in written["checks"]} == {"PASSED", "NOT RUN"}


def test_a_program_that_cannot_be_put_back_is_said_aloud() -> None:
    table = Table()
    pump = meet(table.bench, SERIAL)
    table.bench.key = bytes(32)
    restored = restore(table.bench, pump)
    assert not restored.done and "could NOT be put back" in restored.note


# -- the document ----------------------------------------------------------------------------------------------


def in_one_line(text: str) -> str:
    return " ".join(text.split())


def test_the_words_of_each_check_stand_in_its_section_of_the_document() -> None:
    document = (DOCS / "wire-protocol.md").read_text(encoding="utf-8")
    parts = re.split(r"^#+ ", document, flags=re.MULTILINE)[1:]
    sections = {part.splitlines()[0].split(",")[0]: in_one_line(part) for part in parts}
    assert [check for check in CHECKS if in_one_line(check.words) not in sections[check.section]] == []


def test_the_page_about_conformance_lists_every_check() -> None:
    page = (DOCS / "conformance.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (.+) \| (.+) \|$", page, flags=re.MULTILINE)
    assert rows == [(str(number), check.section, check.title) for number, check in enumerate(CHECKS, start=1)]
    assert len(NUMBERS) == len(CHECKS), "each title is there once"


# -- cables and the command line -------------------------------------------------------------------------------


@contextmanager
def served(table: Table, *, tcp: int | None) -> Iterator[str]:
    """The table's pump in a thread at the end of a cable; the port's name."""
    stop, ready, heard = threading.Event(), threading.Event(), list[str]()

    def announce(words: str) -> None:
        heard.append(words.removeprefix("listening on "))
        ready.set()

    thread = threading.Thread(
        target=serve, args=(table.server,), kwargs={"tcp": tcp, "control": None, "announce": announce, "stop": stop}
    )
    thread.start()
    try:
        assert ready.wait(10)
        yield heard[0]
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("tcp", [None, 0], ids=["pty", "tcp"])
def test_the_emulated_pump_passes_over_a_real_cable(tcp: int | None) -> None:
    if tcp is None and sys.platform == "win32":
        pytest.skip("no pseudo-terminals")
    table = Table()
    clock = VirtualClock(PUMP_TIME, lambda: time.monotonic() + table.time.passed)
    table.pump.clock = clock
    with served(table, tcp=tcp) as port:
        bench = Bench(
            lambda: SerialCable(port),
            bench_key(SERIAL),
            randomness=seeded(3),
            monotonic=lambda: time.monotonic() + table.time.passed,
            sleep=table.time.sleep,
            door=table.door,
            slow=True,
        )
        report = run(bench, meet(bench, SERIAL), CHECKS, port=port, began=BEGAN)
        bench.close()
    assert report.conforms and report.count(Verdict.PASSED) == len(CHECKS) - 1, as_text(report)


def test_the_command_writes_the_report_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.device.conform.CHECKS", CHECKS[12:16])
    key = tmp_path / "key"
    key.write_text(bench_key(SERIAL).hex() + "\n")
    with served(Table(), tcp=0) as port:
        words = ["conform", "--port", port, "--i-am-on-a-bench"]
        assert main([*words, "--serial", SERIAL, "--report", str(tmp_path / "report.json")]) == 0
        assert main([*words, "--key-file", str(key), "--report", str(tmp_path / "report.txt")]) == 0
        assert main([*words, "--serial", "CIS000043"]) == 2
        assert main([*words, "--key", bench_key(SERIAL).hex(), "--serial", "CIS000043"]) == 2
    with served(Table(server=IsSilentForAnotherKey), tcp=0) as port:
        assert main(["conform", "--port", port, "--i-am-on-a-bench", "--serial", SERIAL]) == 1
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["passed"] == 4
    assert "4 passed, 0 failed, 0 not run" in (tmp_path / "report.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    [
        ["--serial", SERIAL],
        ["--serial", SERIAL, "--i-am-on-a-bench"],
        ["--i-am-on-a-bench"],
        ["--key", "abc", "--i-am-on-a-bench"],
        ["--key", "ab", "--i-am-on-a-bench"],
        ["--key-file", "/nowhere/at/all", "--i-am-on-a-bench"],
        ["--serial", SERIAL, "--report", "report.pdf", "--i-am-on-a-bench"],
    ],
    ids=["no bench", "no port", "no key", "no hex", "short key", "no key file", "no format"],
)
def test_a_run_that_cannot_begin_says_why_and_is_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", "--port", "/dev/there-is-no-such-port", *words]) == 2
    error = capsys.readouterr().err
    assert "Never do that to a pump that is in a person" in error and "Could not run: " in error
