"""Random calls of a whole refill by three people, with mishaps, on the real store and an emulated pump."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from app.services.refill import RefillDesk
from app.services.second_check import SecondCheckDesk
from app.store.clinic import SqlClinicStore
from tests.campaigns import visits
from tests.campaigns.visits import Visits

Visits.TestCase.settings = settings(
    max_examples=45, stateful_step_count=40, deadline=None, suppress_health_check=tuple(HealthCheck)
)
test_visits = Visits.TestCase


def to_the_end(machine: Visits, *, checks: bool = True) -> None:
    """One refill with another solution, as it should be done."""
    machine.open("physician")
    for _ in range(14):
        machine.go_on("physician", "nurse" if checks else "physician", True, visits.BridgeChoice.BRIDGE)
        for name in ("another_pump_is_told_nothing", "every_change_has_its_audit_row", "store_and_pump_hold_together"):
            getattr(machine, name)()


def test_the_machine_reaches_the_end() -> None:
    machine = Visits()
    to_the_end(machine)
    assert len(machine.pump.memory.applied) == 1
    assert any(visit.closed_at for visit in machine.here.store.visits(visits.IMPLANT))
    machine.teardown()


def test_a_send_without_a_check_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SecondCheckDesk, "require", lambda *_args: None)
    machine = Visits()
    with pytest.raises(AssertionError, match="without a check by two"):
        to_the_end(machine, checks=False)
    machine.teardown()


def test_a_wrong_number_that_is_taken_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RefillDesk, "require_identity", lambda *_args, **_more: None)
    machine = Visits()
    machine.open("nurse")
    with pytest.raises(AssertionError, match="wrong digits"):
        machine.identify("nurse", "number")
    machine.teardown()


def test_a_write_without_an_audit_row_is_seen() -> None:
    machine = Visits()
    machine.open("nurse")
    store, visit = machine.here.store, machine.visit()
    assert visit is not None and isinstance(store, SqlClinicStore)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE refill_visits SET step = step WHERE id = ?", (visit.id,))
    with pytest.raises(AssertionError, match="0 audit rows"):
        machine.every_change_has_its_audit_row()
    machine.ledger.wrong.clear()
    machine.teardown()


def test_a_draft_is_not_sent_once_somebody_has_gone_back() -> None:
    machine = Visits()
    machine.open("physician")
    while machine.staged is None:
        machine.go_on("physician", "nurse", True, visits.BridgeChoice.BRIDGE)
    machine.correct("physician")
    refused = Visits.refused["send: WrongStepError"]
    machine.send("physician")
    machine.stage("physician")
    assert Visits.refused["send: WrongStepError"] == refused + 1
    assert "Commit" not in machine.server.heard
    assert machine.pump.memory.applied == ()
    machine.teardown()
