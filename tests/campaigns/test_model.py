"""A short run of the model campaign, and proof that it would notice each thing that it is there to notice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.device import emulated_pump, link
from app.device.emulated_pump import EmulatedPump
from app.device.server import PumpServer
from app.models.pump import Outcome
from app.services import commit
from tests.campaigns import model, replay
from tests.campaigns.model import Bounds, Model, Rules, Weakened, explore, said

SOME = Bounds("SB", crashes=1, duplicates=1, tries=1, in_flight=2)


def test_the_protocol_does_nothing_wrong_in_a_small_world_seen_to_the_end() -> None:
    seen = explore(Model(bounds=SOME), 100_000)
    assert seen.whole and seen.wrong == {}
    assert seen.states > 5_000


def test_neither_does_a_pump_that_must_stop() -> None:
    seen = explore(Model(bounds=replace(SOME, kinds="SS", restores=0, must_stop=True)), 100_000)
    assert seen.whole and seen.wrong == {}


@pytest.mark.parametrize("bounds", [replace(SOME, restores=0), replace(SOME, kinds="S", restores=0, must_stop=True)])
def test_one_question_on_a_clean_cable_settles_every_order_in_doubt(bounds: Bounds) -> None:
    world = Model(bounds=bounds)
    assert explore(world, 100_000, judge=lambda s: model.still_open(world, s)).wrong == {}


def test_a_pump_that_never_answers_for_an_order_leaves_it_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Model, "_answer_resolve", lambda self, n, resolve: (model.NAK, 0))
    world = Model(bounds=replace(SOME, restores=0))
    seen = explore(world, 100_000, until_wrong=True, judge=lambda s: model.still_open(world, s))
    assert list(seen.wrong) == ["in doubt for ever"]


@pytest.mark.parametrize("one", model.WEAKENED, ids=lambda one: one.name)
def test_each_weakened_protocol_goes_wrong(one: Weakened) -> None:
    seen = explore(Model(one.rules, one.bounds), 300_000, until_wrong=True)
    assert one.wrong in seen.wrong


def test_a_shortest_trace_is_told_step_by_step() -> None:
    seen = explore(Model(Rules(asks=False), Bounds("S", crashes=0, duplicates=0, tries=1)), 100_000, until_wrong=True)
    trace = [said(label) for label in seen.wrong["NOT APPLIED, and carried out"]]
    assert trace == [
        "order 1", "deliver HELLO", "answer HI", "deliver READ", "answer PROGRAM",
        "deliver HELLO", "answer HI", "deliver BEGIN 1", "answer READY 1", "deliver SEAL 1", "answer SEALED 1",
        "send 1", "deliver COMMIT 1", "timeout",
    ]  # fmt: skip


def test_a_state_survives_packing() -> None:
    world = Model(bounds=SOME)
    state = world.start()
    for _ in range(12):
        state = world.steps(state)[-1][1]
        assert model.unpacked(model.packed(state)) == state


def test_two_hundred_traces_go_the_same_way_on_the_real_code() -> None:
    counts, differ = replay.play_all(seed=1, count=200, processes=2)
    assert differ == []
    assert {name for name, count in counts.items() if count} >= {
        "order", "send", "settle", "deliver", "duplicate", "answer", "timeout", "crash", "reboot", "restore",
        "cut before", "cut between", "expire", "spoil", "late frames thrown in", "told verified", "told not-applied",
    }  # fmt: skip


def differing(traces: int = 60) -> list[str]:
    return [found for number in range(traces) for _, found in [replay.play(2, number)] if found]


def test_a_pump_that_heeds_ended_sessions_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        PumpServer, "_answer", lambda self, frame, message: self._wrap(self.pump.answer(message), frame)
    )
    assert differing()


def test_a_pump_without_tombstones_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulated_pump.Memory, "with_tombstone", lambda self, txn: self)
    assert any("dead: 0" in found for found in differing())


def test_a_pump_that_keeps_its_draft_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EmulatedPump, "reboot", lambda self: setattr(self, "writes_left", None))
    assert any("draft" in found for found in differing())


def test_a_client_that_forgets_its_nonces_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "_belongs", lambda answer, asked: True)
    assert differing()


def test_a_program_that_calls_silence_a_failure_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "ask_or_leave_open", lambda pump, wanted: commit.Verdict(Outcome.NOT_APPLIED))
    assert any("disk" in found or "waits for" in found for found in differing())


def test_the_campaign_says_what_it_did_and_that_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert model.explore_all(2_000, 2) is False, "too few states to see what a weakened protocol does"
    said_of = capsys.readouterr().out
    assert "three orders: 2,0" in said_of and "states not opened" in said_of
