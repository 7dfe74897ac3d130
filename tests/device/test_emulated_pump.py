"""The emulated pump's mind: orders, tombstones, alarms and a memory that is never half."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from app.device import mishaps
from app.device.bench_door import obey, obey_line
from app.device.emulated_pump import EmulatedPump, VirtualClock, memory_of
from app.device.frames import bench_key
from app.device.messages import (
    Begin,
    Chunk,
    Commit,
    CommittedIs,
    Fate,
    Hello,
    Hi,
    Message,
    Nak,
    Ready,
    Refusal,
    Resolve,
    ResolvedIs,
    Seal,
    SealedIs,
)
from app.device.order_codec import What
from app.device.pump_memory import MemoryFile, MemoryLostError
from app.device.server import PumpServer
from app.device.settings_codec import encode_settings, settings_digest
from app.models.program import Program, SimpleContinuous, Stopped
from app.models.pump import Alarm, PumpSettings
from app.models.quantities import Concentration, DoseRate, Volume
from tests.device.pumps import PUMP_TIME, make_server
from tests.models.pumps import synchromed_ii

START = datetime(2026, 3, 2, 10)
SETTINGS = PumpSettings(
    "baclofen",
    Concentration.mcg_per_ml(1000),
    Program(SimpleContinuous(DoseRate.mcg_per_day(300))),
    Volume.ml(2),
    Volume.ml(18),
)
WANTED = replace(SETTINGS, program=Program(SimpleContinuous(DoseRate.mcg_per_day(330))), reservoir=Volume.ml(20))
TXN, OTHER = bytes([1]) * 16, bytes([2]) * 16


class Bench:
    """A pump whose clock is moved by hand."""

    def __init__(self, path: Path | None = None, settings: PumpSettings = SETTINGS) -> None:
        self.clock = VirtualClock(START, lambda: 0.0)
        self.path = path
        self.settings = settings
        self.pump = self.make()
        self.greet()

    def make(self) -> EmulatedPump:
        made = memory_of(self.settings, since=START, volume=Volume.ml(18))
        return EmulatedPump(
            "EMU-1",
            synchromed_ii(),
            self.clock,
            memory_file=MemoryFile(self.path),
            made=made,
            randomness=lambda size: bytes([7]) * size,
            implanted_on=datetime(2020, 3, 1),
        )

    def greet(self) -> Hi:
        answer = self.pump.answer(Hello(bytes(16)))
        assert isinstance(answer, Hi)
        return answer

    def begin(self, txn: bytes = TXN, settings: PumpSettings = WANTED, **changes: object) -> Message:
        raw, hi = encode_settings(settings), self.greet()
        order = Begin(txn, What.SETTINGS, hi.revision, hi.digest, len(raw), settings_digest(raw))
        return self.pump.answer(replace(order, **changes))  # type: ignore[arg-type]

    def sealed(self, txn: bytes = TXN, settings: PumpSettings = WANTED) -> SealedIs:
        assert isinstance(self.begin(txn, settings), Ready)
        raw = encode_settings(settings)
        self.pump.answer(Chunk(txn, 0, raw))
        answer = self.pump.answer(Seal(txn))
        assert isinstance(answer, SealedIs)
        return answer

    def commit(self, sealed: SealedIs, **changes: object) -> Message:
        order = Commit(sealed.txn, sealed.digest, sealed.token, bytes(32))
        return self.pump.answer(replace(order, **changes))  # type: ignore[arg-type]


def refusal(answer: Message) -> Refusal:
    assert isinstance(answer, Nak), answer
    return Refusal(answer.reason)


def test_the_old_program_runs_until_the_commit() -> None:
    bench = Bench()
    sealed = bench.sealed()
    assert bench.pump.memory.slot.settings == encode_settings(SETTINGS)
    assert isinstance(bench.commit(sealed), CommittedIs)
    assert bench.pump.memory.slot.settings == encode_settings(WANTED)


def test_a_commit_that_comes_twice_is_applied_once() -> None:
    bench = Bench()
    sealed = bench.sealed()
    first = bench.commit(sealed)
    bench.clock.advance(timedelta(hours=1))
    assert bench.commit(sealed) == first
    assert len(bench.pump.memory.applied) == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"token": bytes(16)}, Refusal.SPENT_TOKEN),
        ({"digest": bytes(32)}, Refusal.OTHER_DIGEST),
        ({"txn": OTHER}, Refusal.UNKNOWN_ORDER),
    ],
)
def test_a_commit_of_something_else_is_refused(changes: dict[str, object], why: Refusal) -> None:
    bench = Bench()
    assert refusal(bench.commit(bench.sealed(), **changes)) is why
    assert bench.pump.memory.applied == ()


def test_a_token_is_good_for_two_minutes() -> None:
    bench = Bench()
    sealed = bench.sealed()
    bench.clock.advance(timedelta(seconds=121))
    assert refusal(bench.commit(sealed)) is Refusal.EXPIRED_TOKEN


def test_a_new_session_ends_the_draft() -> None:
    bench = Bench()
    sealed = bench.sealed()
    bench.greet()
    assert refusal(bench.commit(sealed)) is Refusal.UNKNOWN_ORDER


@pytest.mark.parametrize("changes", [{"base_revision": 9}, {"base_digest": bytes(32)}])
def test_another_base_is_refused(changes: dict[str, object]) -> None:
    assert refusal(Bench().begin(**changes)) is Refusal.OTHER_BASE


def test_a_draft_of_wrong_length_or_digest_is_not_sealed() -> None:
    bench, raw = Bench(), encode_settings(WANTED)
    bench.begin()
    assert refusal(bench.pump.answer(Chunk(TXN, 1, raw))) is Refusal.BAD_LENGTH
    bench.pump.answer(Chunk(TXN, 0, raw[:-1]))
    assert refusal(bench.pump.answer(Seal(TXN))) is Refusal.BAD_LENGTH
    bench.begin(digest=bytes(32))
    bench.pump.answer(Chunk(TXN, 0, raw))
    assert refusal(bench.pump.answer(Seal(TXN))) is Refusal.OTHER_DIGEST


def test_a_program_that_it_cannot_run_is_not_sealed() -> None:
    bench = Bench()
    from app.models.program import DayPlan, Flex, Mass, Step, Weekday

    nothing = Step(at=0, duration_min=0, dose=Mass.mcg(1))
    endless = Program(Flex((DayPlan(tuple(Weekday), DoseRate.mcg_per_day(1), steps=(nothing,)),)))
    raw = encode_settings(replace(WANTED, program=endless))
    bench.begin(settings=replace(WANTED, program=endless))
    bench.pump.answer(Chunk(TXN, 0, raw))
    assert refusal(bench.pump.answer(Seal(TXN))) is Refusal.BAD_SETTINGS


def test_what_was_never_applied_is_dead_for_good() -> None:
    bench = Bench()
    sealed = bench.sealed()
    dead = bench.pump.answer(Resolve(TXN))
    assert dead == ResolvedIs(TXN, Fate.DEAD, 0)
    assert refusal(bench.commit(sealed)) is Refusal.DEAD_ORDER
    assert refusal(bench.begin()) is Refusal.DEAD_ORDER
    assert bench.pump.answer(Resolve(TXN)) == dead


def test_what_was_applied_stays_applied_after_hundreds_of_others() -> None:
    bench = Bench()
    bench.commit(bench.sealed())
    for number in range(300):
        bench.pump.answer(Resolve(number.to_bytes(16, "big")))
    answer = bench.pump.answer(Resolve(TXN))
    assert isinstance(answer, ResolvedIs) and answer.fate == Fate.COMMITTED


def test_the_memory_survives_and_sessions_never_come_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "pump.json")
    bench.commit(bench.sealed())
    session, memory = bench.pump.session, bench.pump.memory
    bench.pump = bench.make()
    assert bench.pump.memory == memory
    assert bench.greet().session > session


def test_a_power_cut_while_writing_leaves_the_old_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pump.json"
    bench = Bench(path)
    sealed, before = bench.sealed(), path.read_bytes()

    def cut(*_: object) -> None:
        raise OSError("no power")

    monkeypatch.setattr("os.replace", cut)
    with pytest.raises(OSError, match="no power"):
        bench.commit(sealed)
    monkeypatch.undo()
    assert path.read_bytes() == before
    bench.pump = bench.make()
    assert bench.pump.memory.slot.settings == encode_settings(SETTINGS)
    answer = bench.pump.answer(Resolve(TXN))
    assert isinstance(answer, ResolvedIs) and answer.fate == Fate.DEAD


def test_a_spoilt_memory_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "pump.json"
    Bench(path)
    raw = path.read_text(encoding="utf-8")
    for cut in (0, 1, len(raw) // 2, len(raw) - 1):
        path.write_text(raw[:cut], encoding="utf-8")
        with pytest.raises(MemoryLostError):
            MemoryFile(path).load()


def alarms_after(bench: Bench, **ahead: float) -> tuple[Alarm, ...]:
    return bench.pump.alarms(START + timedelta(**ahead))


def test_low_and_empty_sound_by_the_pumps_own_count() -> None:
    bench = Bench()
    # 16 mL at 0.3 mL/day are 53 days and 8 h; 18 mL are 60 days.
    assert alarms_after(bench, days=53, hours=7, minutes=59) == ()
    assert alarms_after(bench, days=53, hours=8) == (Alarm.LOW_RESERVOIR,)
    assert alarms_after(bench, days=60) == (Alarm.EMPTY_RESERVOIR,)
    mishaps.set_flow_error(bench.pump, Fraction("0.2"))
    assert alarms_after(bench, days=51) == (), "it does not notice that it delivers too much"
    assert bench.pump.ledger(START + timedelta(days=51)).physical == 0


def test_the_battery_warns_before_it_ends() -> None:
    bench = Bench()
    # 84 months from 1 March 2020; 90 days before.
    assert Alarm.ERI not in bench.pump.alarms(datetime(2026, 11, 30, 23, 59))
    assert Alarm.ERI in bench.pump.alarms(datetime(2026, 12, 1))
    assert Alarm.END_OF_SERVICE in bench.pump.alarms(datetime(2027, 3, 1))


def test_a_stopped_pump_sounds_after_two_days() -> None:
    bench = Bench(settings=replace(SETTINGS, program=Program(Stopped())))
    assert alarms_after(bench, hours=48) == ()
    assert alarms_after(bench, hours=48, seconds=1) == (Alarm.STOPPED_TOO_LONG,)


def test_a_stall_leaves_the_count_running_and_the_fluid_where_it_is() -> None:
    bench = Bench()
    mishaps.stall(bench.pump)
    assert alarms_after(bench, days=1) == (Alarm.MOTOR_STALL,)
    books = bench.pump.ledger(START + timedelta(days=10))
    assert (books.believed, books.physical) == (15 * 10**9, 18 * 10**9)


def test_the_bench_moves_time_and_reads_both_books() -> None:
    bench = Bench()
    server = PumpServer(bench.pump, bench_key("EMU-1"))
    obey_line(server, '{"do": "flow-error", "percent": "10"}')
    state = json.loads(obey_line(server, '{"do": "advance", "minutes": 14400}'))
    assert (state["believed_ml"], state["physical_ml"]) == ("15", "14.7")
    assert json.loads(obey_line(server, '{"do": "dance"}'))["ok"] is False
    assert json.loads(obey_line(server, "not json"))["ok"] is False
    filled = json.loads(obey_line(server, '{"do": "fill", "ml": "19.5"}'))
    assert filled["physical_ml"] == "19.5"


def test_a_clock_that_drifts_gains_its_seconds_a_day() -> None:
    real_s = [0.0]
    server = make_server()
    server.pump.clock = VirtualClock(PUMP_TIME, lambda: real_s[0])
    obey(server, {"do": "drift", "seconds": -30})
    real_s[0] = 10 * 86_400.0
    assert PUMP_TIME + timedelta(days=10) - server.pump.clock.now() == timedelta(seconds=300)


def test_the_bench_makes_a_pump_stop_for_new_programs_and_lets_it_be() -> None:
    server = make_server()
    obey(server, {"do": "must-stop"})
    assert server.pump.must_stop
    obey(server, {"do": "must-stop", "stops": False})
    assert not server.pump.must_stop
