"""The cable is cut, or an answer lost, at each message of programming: what is said must be true."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.device.messages import Commit
from app.device.server import Do, Fault
from app.device.settings_codec import encode_settings
from app.models.errors import AppError
from app.models.pump import LinkLostError, Outcome, Resolution, StaleBaseError
from app.models.refill_visit import RefillVisit, Step
from app.services.programming import OrderInDoubtError
from tests.services.bench import Bench

DIALOGUE = ("Hello", "ReadProgram", "ReadStatus", "ReadEvents", "Begin", "Chunk", "Seal", "Commit", "Resolve")


@pytest.fixture(scope="module")
def proposed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a visit that waits for the confirmation; each test works on a copy of it."""
    folder = tmp_path_factory.mktemp("proposed")
    bench = Bench(folder)
    bench.until_proposed()
    bench.station.store.close()
    return folder


def copy_of(folder: Path, target: Path) -> Bench:
    shutil.copytree(folder, target, dirs_exist_ok=True)
    return Bench(target)


def attempt(bench: Bench, visit: RefillVisit) -> RefillVisit:
    """Stage and send as the window does; whatever stops it leaves the visit as it lies on disk."""
    station, model = bench.station, bench.station.desk.model_of(visit)
    port, user = bench.port(), bench.physician.id
    try:
        staged = station.programming.stage(visit, model, port, serial=bench.pump.serial, user_id=user)
        return station.programming.send(staged, model, port, user_id=user)
    except AppError:
        return station.store.visit(visit.id)


def new_is_in_the_pump(bench: Bench, visit: RefillVisit) -> bool:
    assert visit.proposed is not None
    return bench.pump.memory.slot.settings == encode_settings(visit.proposed)


@pytest.mark.parametrize("do", [Do.DROP_REQUEST, Do.DROP_ANSWER, Do.DIE_BEFORE, Do.DIE_AFTER, Do.REBOOT_BEFORE,
                                Do.REBOOT_AFTER, Do.FLIP, Do.TRUNCATE, Do.DUPLICATE])  # fmt: skip
@pytest.mark.parametrize("on", DIALOGUE)
def test_what_is_said_after_a_fault_is_true(proposed: Path, tmp_path: Path, on: str, do: Do) -> None:
    for nth in (1, 2, 3) if on == "Hello" else (1, 2) if on.startswith("Read") else (1,):
        folder = tmp_path / str(nth)
        bench = copy_of(proposed, folder)
        visit = bench.station.store.open_visits()[0]
        fills = len(bench.station.store.fills(visit.implant_id))
        bench.cable.server.faults.append(Fault(do, on, nth))
        visit = attempt(bench, visit)
        said = visit.outcome
        if said is Outcome.VERIFIED:
            assert new_is_in_the_pump(bench, visit)
        if said is Outcome.NOT_APPLIED:
            assert not new_is_in_the_pump(bench, visit)
        bench.cable.mend()
        for intent in bench.station.store.intents_in_doubt():
            visit = bench.station.programming.settle(visit, intent, bench.port(), user_id=bench.physician.id)
        assert bench.station.store.intents_in_doubt() == []
        assert len(bench.pump.memory.applied) == int(new_is_in_the_pump(bench, visit)), "applied at most once"
        verified = visit.step is Step.REPORT
        assert verified == new_is_in_the_pump(bench, visit)
        assert len(bench.station.store.fills(visit.implant_id)) == fills + int(verified)
        bench.station.store.close()


def test_a_lost_commit_answer_on_a_cut_cable_is_not_known_and_resolves_to_verified(
    proposed: Path, tmp_path: Path
) -> None:
    bench = copy_of(proposed, tmp_path)
    visit = bench.station.store.open_visits()[0]
    bench.cable.server.faults.append(Fault(Do.DIE_AFTER, "Commit"))
    visit = attempt(bench, visit)
    assert (visit.outcome, visit.step) == (Outcome.NOT_KNOWN, Step.PROGRAMME)
    (intent,) = bench.station.store.intents_in_doubt()
    with pytest.raises(LinkLostError):
        bench.station.programming.settle(visit, intent, bench.port(), user_id=bench.physician.id)
    bench.cable.mend()
    visit = bench.station.programming.settle(visit, intent, bench.port(), user_id=bench.physician.id)
    assert (visit.outcome, visit.step) == (Outcome.VERIFIED, Step.REPORT)
    assert len(bench.pump.memory.applied) == 1


def test_a_late_commit_is_refused_for_good_after_not_applied(proposed: Path, tmp_path: Path) -> None:
    bench = copy_of(proposed, tmp_path)
    station = bench.station
    visit = station.store.open_visits()[0]
    model = station.desk.model_of(visit)
    staged = station.programming.stage(visit, model, bench.port(), serial=bench.pump.serial, user_id=bench.physician.id)
    assert bench.port().resolve(staged.intent.txn, bench.pump.serial) is Resolution.DEAD
    late = Commit(bytes.fromhex(staged.intent.txn), bytes.fromhex(staged.sealed.digest), staged.sealed.token, bytes(32))
    answer = bench.pump.answer(late)
    assert type(answer).__name__ == "Nak"
    assert not new_is_in_the_pump(bench, visit)


def test_a_pump_that_was_changed_meanwhile_is_not_programmed(proposed: Path, tmp_path: Path) -> None:
    bench = copy_of(proposed, tmp_path)
    station = bench.station
    visit = station.store.open_visits()[0]
    assert visit.reading is not None
    stale = replace(visit, reading=replace(visit.reading, digest="00" * 32))
    with pytest.raises(StaleBaseError):
        station.programming.stage(
            stale, station.desk.model_of(visit), bench.port(), serial=bench.pump.serial, user_id=bench.physician.id
        )
    assert bench.pump.memory.applied == ()
    assert "Begin" not in bench.cable.server.heard


def test_nothing_new_is_sent_while_an_order_is_in_doubt(proposed: Path, tmp_path: Path) -> None:
    bench = copy_of(proposed, tmp_path)
    station = bench.station
    visit = station.store.open_visits()[0]
    bench.cable.server.faults.append(Fault(Do.DIE_BEFORE, "Commit"))
    attempt(bench, visit)
    bench.cable.mend()
    with pytest.raises(OrderInDoubtError):
        station.programming.stage(
            visit, station.desk.model_of(visit), bench.port(), serial=bench.pump.serial, user_id=bench.physician.id
        )


def test_another_pump_on_the_cable_after_a_lost_commit_leaves_the_result_not_known(
    proposed: Path, tmp_path: Path
) -> None:
    bench = copy_of(proposed, tmp_path / "right")
    other = Bench(tmp_path / "other", patient="patient-kawano-a")
    station = bench.station
    visit = station.store.open_visits()[0]
    model, port, server = station.desk.model_of(visit), bench.port(), bench.cable.server
    staged = station.programming.stage(visit, model, port, serial=bench.pump.serial, user_id=bench.physician.id)
    server.faults.append(Fault(Do.DROP_ANSWER, "Commit"))
    answer = server.feed

    def swap_after_the_commit(arrived: bytes) -> bytes:
        answered = answer(arrived)
        if server.heard[-1] == "Commit":
            bench.cable.server = other.cable.server
        return answered

    server.feed = swap_after_the_commit  # type: ignore[method-assign]
    visit = station.programming.send(staged, model, port, user_id=bench.physician.id)
    assert (visit.outcome, visit.step) == (Outcome.NOT_KNOWN, Step.PROGRAMME)
    assert len(station.store.intents_in_doubt()) == 1
    assert other.pump.memory.applied == ()
    other.station.store.close()


def test_a_draft_that_lay_too_long_is_laid_in_anew_and_sent_once(proposed: Path, tmp_path: Path) -> None:
    bench = copy_of(proposed, tmp_path)
    station = bench.station
    visit = station.store.open_visits()[0]
    model, port = station.desk.model_of(visit), bench.port()
    staged = station.programming.stage(visit, model, port, serial=bench.pump.serial, user_id=bench.physician.id)
    late = replace(staged, sealed=replace(staged.sealed, expires_at=station.clock.utc()))
    bench.pump.clock.advance(timedelta(minutes=3))
    visit = station.programming.send(late, model, port, user_id=bench.physician.id)
    assert visit.outcome is Outcome.VERIFIED
    assert len(bench.pump.memory.applied) == 1
    assert station.store.intent(staged.intent.txn).outcome is Outcome.NOT_APPLIED
