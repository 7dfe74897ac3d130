"""The program and the emulated pump, on a cable that holds."""

from datetime import UTC, datetime, timedelta

import pytest

from app.device.server import Do, Fault, PumpServer
from app.device.transports import Loopback
from app.models.pump import (
    CommandUncertainError,
    Committed,
    PumpEventKind,
    PumpRefusedError,
    Resolution,
    StaleBaseError,
    WrongPumpError,
)
from app.models.quantities import Volume
from tests.device.pumps import ANCHOR, PUMP_TIME, RUNNING, SERIAL, TXN, WANTED, make_client, make_server


@pytest.fixture
def server() -> PumpServer:
    return make_server()


@pytest.fixture
def client(server: PumpServer):
    return make_client(lambda: Loopback(server.feed))


def test_a_pump_says_who_it_is(client) -> None:
    identity = client.connect()
    assert (identity.serial, identity.model, identity.emulated) == (SERIAL, "synchromed-ii-20", True)


def test_ten_days_at_200_mcg_of_2000_mcg_per_ml_leave_19_of_20_ml(client) -> None:
    reading = client.interrogate()
    assert reading.settings == RUNNING
    assert reading.reservoir == Volume.ml(19)
    assert reading.delivered == Volume.ml(1)
    assert reading.pump_clock == PUMP_TIME
    assert reading.clock_offset == timedelta(hours=1)
    assert [event.kind for event in reading.events] == [PumpEventKind.COMMITTED, PumpEventKind.FILLED]
    assert reading.revision == 1 and reading.running and reading.alarms == ()


def test_a_program_is_staged_read_back_committed_and_found_again(server: PumpServer, client) -> None:
    base = client.interrogate()
    sealed = client.stage(txn=TXN, serial=SERIAL, base=base, order=WANTED, anchor=ANCHOR)
    assert sealed.order == WANTED
    assert sealed.digest == client.digest_of(WANTED)
    assert sealed.expires_at == datetime(2026, 3, 2, 8, 32, tzinfo=UTC)
    assert server.pump.memory.slot.revision == 1
    assert client.commit(sealed) == Committed(2, PUMP_TIME)
    reading = client.interrogate()
    assert (reading.revision, reading.settings, reading.digest) == (2, WANTED, sealed.digest)
    assert reading.audit_anchor == ANCHOR
    assert reading.reservoir == WANTED.reservoir
    assert reading.bridge_left_min == 1433
    assert client.resolve(TXN, SERIAL) is Resolution.COMMITTED


def test_each_step_of_the_dialogue_is_sent_once(server: PumpServer, client) -> None:
    base = client.interrogate()
    server.forget_counts()
    client.commit(client.stage(txn=TXN, serial=SERIAL, base=base, order=WANTED, anchor=ANCHOR))
    assert server.heard == ["Hello", "Begin", "Chunk", "Seal", "Commit"]


def test_a_draft_that_was_given_up_can_never_be_committed(client) -> None:
    sealed = client.stage(txn=TXN, serial=SERIAL, base=client.interrogate(), order=WANTED, anchor=ANCHOR)
    assert client.resolve(TXN, SERIAL) is Resolution.DEAD
    with pytest.raises(PumpRefusedError) as refused:
        client.commit(sealed)
    assert refused.value.values["reason"] == "dead-order"
    assert client.interrogate().revision == 1


def test_a_new_session_ends_the_draft_of_the_one_before(client) -> None:
    sealed = client.stage(txn=TXN, serial=SERIAL, base=client.interrogate(), order=WANTED, anchor=ANCHOR)
    client.connect()
    with pytest.raises(PumpRefusedError) as refused:
        client.commit(sealed)
    assert refused.value.values["reason"] == "unknown-order"


def test_a_seal_is_good_for_120_seconds_and_no_longer(server: PumpServer, client) -> None:
    base = client.interrogate()
    sealed = client.stage(txn=TXN, serial=SERIAL, base=base, order=WANTED, anchor=ANCHOR)
    server.pump.clock.advance(timedelta(seconds=121))
    with pytest.raises(PumpRefusedError) as refused:
        client.commit(sealed)
    assert refused.value.values["reason"] == "expired-token"


@pytest.mark.parametrize("on", ["Begin", "Chunk", "Commit"])
def test_a_frame_that_the_cable_repeats_is_obeyed_once(server: PumpServer, client, on: str) -> None:
    server.faults.append(Fault(Do.DUPLICATE, on))
    base = client.interrogate()
    sealed = client.stage(txn=TXN, serial=SERIAL, base=base, order=WANTED, anchor=ANCHOR)
    assert client.commit(sealed).revision == 2
    assert client.interrogate().settings == WANTED


def test_a_commit_that_arrives_after_the_pump_was_asked_is_refused(server: PumpServer) -> None:
    late: list[bytes] = []

    def cable(sent: bytes) -> bytes:
        if server.heard[-1:] == ["Seal"] and not late:
            late.append(sent)
            return b""
        return server.feed(sent)

    client = make_client(lambda: Loopback(cable))
    base = client.interrogate()
    sealed = client.stage(txn=TXN, serial=SERIAL, base=base, order=WANTED, anchor=ANCHOR)
    with pytest.raises(CommandUncertainError):
        client.commit(sealed)
    assert client.resolve(TXN, SERIAL) is Resolution.DEAD
    server.feed(late[0])
    assert server.heard[-1] == "Commit"
    assert server.pump.memory.slot.revision == 1


def test_nothing_is_sent_to_a_pump_whose_state_has_moved_on(server: PumpServer, client) -> None:
    base = client.interrogate()
    client.commit(client.stage(txn=TXN, serial=SERIAL, base=base, order=WANTED, anchor=ANCHOR))
    server.forget_counts()
    with pytest.raises(StaleBaseError):
        client.stage(txn="b2" * 16, serial=SERIAL, base=base, order=WANTED, anchor=ANCHOR)
    assert server.heard == ["Hello"]


def test_nothing_is_sent_to_another_patients_pump(server: PumpServer, client) -> None:
    base = client.interrogate()
    server.forget_counts()
    with pytest.raises(WrongPumpError) as wrong:
        client.stage(txn=TXN, serial="CIS000043", base=base, order=WANTED, anchor=ANCHOR)
    assert wrong.value.values == {"expected": "CIS000043", "found": SERIAL}
    assert server.heard == ["Hello"]


def test_a_pump_with_another_key_is_told_apart(server: PumpServer) -> None:
    stranger = make_client(lambda: Loopback(server.feed), key=b"another pump's key of 32 bytes..")
    with pytest.raises(WrongPumpError) as wrong:
        stranger.connect()
    assert wrong.value.values["reason"] == "key"
    assert server.heard == []
