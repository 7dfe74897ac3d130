"""The cable cut at each message of the dialogue, before the pump heard it or after: the truth is always found.

Law of these tests: whatever the program was told, RESOLVE says what the pump's memory says, and it stays so.
"""

import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from app.device.client import PumpClient
from app.device.emulate import serve
from app.device.server import Do, Fault, PumpServer
from app.device.transports import Loopback, Transport
from app.device.worker_cable import open_transport
from app.models.pump import CommandUncertainError, LinkLostError, PumpRefusedError, Resolution, Sealed
from tests.device.pumps import ANCHOR, RUNNING, SERIAL, TXN, WANTED, make_client, make_server

COMMANDS = ["Begin", "Chunk", "Seal", "Commit"]


def stage_and_commit(client: PumpClient) -> None:
    base = client.interrogate()
    sealed = client.stage(txn=TXN, serial=SERIAL, base=base, order=WANTED, anchor=ANCHOR)
    client.commit(sealed)


def silent(server: PumpServer, on: str, heard: bool) -> Callable[[], Transport]:
    """The cable holds, and one frame on it is lost."""
    server.faults.append(Fault(Do.DROP_ANSWER if heard else Do.DROP_REQUEST, on))
    return lambda: Loopback(server.feed)


def cut(server: PumpServer, on: str, heard: bool) -> Callable[[], Transport]:
    """The cable is gone at one frame, and can be plugged in again."""
    server.faults.append(Fault(Do.DROP_ANSWER if heard else Do.DROP_REQUEST, on))
    gone: list[str] = []

    def cable(sent: bytes) -> bytes:
        answered = server.feed(sent)
        if not gone and server.heard[-1:] == [on]:
            gone.append(on)
            raise LinkLostError(problem="cut")
        return answered

    return lambda: Loopback(cable)


def require_truth(server: PumpServer, client: PumpClient, *, applied: bool) -> None:
    """Ask twice, and once more as a program that has crashed and remembers nothing."""
    answer = Resolution.COMMITTED if applied else Resolution.DEAD
    after_crash = make_client(lambda: Loopback(server.feed))
    assert [client.resolve(TXN, SERIAL), client.resolve(TXN, SERIAL), after_crash.resolve(TXN, SERIAL)] == [answer] * 3
    reading = after_crash.interrogate()
    assert (reading.revision, reading.settings) == ((2, WANTED) if applied else (1, RUNNING))


@pytest.mark.parametrize("loss", [silent, cut])
@pytest.mark.parametrize("heard", [False, True], ids=["request lost", "answer lost"])
@pytest.mark.parametrize("on", COMMANDS)
def test_a_lost_command_is_uncertain_until_the_pump_says_what_became_of_it(loss, heard: bool, on: str) -> None:
    server = make_server()
    client = make_client(loss(server, on, heard))
    with pytest.raises(CommandUncertainError):
        stage_and_commit(client)
    assert server.heard.count(on) == 1
    require_truth(server, client, applied=on == "Commit" and heard)


@pytest.mark.parametrize("loss", [silent, cut])
@pytest.mark.parametrize("heard", [False, True], ids=["request lost", "answer lost"])
def test_a_lost_greeting_is_repeated(loss, heard: bool) -> None:
    server = make_server()
    client = make_client(loss(server, "Hello", heard))
    stage_and_commit(client)
    require_truth(server, client, applied=True)


@pytest.mark.parametrize("heard", [False, True], ids=["request lost", "answer lost"])
@pytest.mark.parametrize("on", ["ReadProgram", "ReadStatus", "ReadEvents"])
def test_a_lost_question_is_asked_again(heard: bool, on: str) -> None:
    server = make_server()
    assert make_client(silent(server, on, heard)).interrogate().settings == RUNNING
    assert server.heard.count(on) == 2


@pytest.mark.parametrize("on", ["ReadProgram", "ReadStatus", "ReadEvents"])
def test_a_cable_cut_at_a_question_ends_the_reading_and_the_next_one_succeeds(on: str) -> None:
    server = make_server()
    client = make_client(cut(server, on, True))
    with pytest.raises(LinkLostError):
        client.interrogate()
    assert client.interrogate().settings == RUNNING


@pytest.mark.parametrize("loss", [silent, cut])
@pytest.mark.parametrize("heard", [False, True], ids=["request lost", "answer lost"])
def test_a_lost_resolve_is_asked_again_in_a_new_session(loss, heard: bool) -> None:
    server = make_server()
    client = make_client(loss(server, "Resolve", heard))
    client.stage(txn=TXN, serial=SERIAL, base=client.interrogate(), order=WANTED, anchor=ANCHOR)
    server.forget_counts()
    assert client.resolve(TXN, SERIAL) is Resolution.DEAD
    assert server.heard == ["Hello", "Resolve", "Hello", "Resolve"]


@pytest.mark.parametrize("fault", [Do.REBOOT_BEFORE, Do.REBOOT_AFTER])
@pytest.mark.parametrize("on", COMMANDS)
def test_a_pump_that_reboots_keeps_the_old_program_or_has_the_new_one_whole(fault: Do, on: str) -> None:
    server = make_server()
    server.faults.append(Fault(fault, on))
    client = make_client(lambda: Loopback(server.feed))
    with pytest.raises(CommandUncertainError):
        stage_and_commit(client)
    require_truth(server, client, applied=on == "Commit" and fault is Do.REBOOT_AFTER)


@pytest.mark.parametrize("fault", [Do.FLIP, Do.TRUNCATE])
@pytest.mark.parametrize("on", COMMANDS)
def test_a_spoilt_answer_is_no_answer(fault: Do, on: str) -> None:
    server = make_server()
    server.faults.append(Fault(fault, on))
    client = make_client(lambda: Loopback(server.feed))
    with pytest.raises(CommandUncertainError):
        stage_and_commit(client)
    require_truth(server, client, applied=on == "Commit")


def test_after_a_lost_commit_nothing_is_sent_but_a_new_session() -> None:
    server = make_server()
    client = make_client(silent(server, "Commit", False))
    base = client.interrogate()
    sealed = client.stage(txn=TXN, serial=SERIAL, base=base, order=WANTED, anchor=ANCHOR)
    with pytest.raises(CommandUncertainError):
        client.commit(sealed)
    server.forget_counts()
    with pytest.raises(CommandUncertainError):
        client.commit(sealed)
    assert server.heard == []


class Bench:
    """A pump in a thread at the end of a real cable; each start is a new port."""

    def __init__(self, server: PumpServer, *, tcp: bool) -> None:
        self._server = server
        self._tcp = tcp
        self._names: queue.Queue[str] = queue.Queue()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.port = ""

    def start(self) -> None:
        self.end()
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=serve,
            args=(self._server,),
            kwargs={
                "tcp": 0 if self._tcp else None,
                "control": None,
                "announce": self._names.put,
                "stop": self._stop,
            },
        )
        self._thread.start()
        self.port = self._names.get(timeout=5).removeprefix("listening on ")

    def end(self) -> None:
        if self._thread is not None:
            self._stop.set()
            self._thread.join()
            self._thread = None


@pytest.fixture(
    params=[
        pytest.param("pty", marks=pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")),
        "tcp",
    ]
)
def bench(request: pytest.FixtureRequest) -> Iterator[tuple[PumpServer, Bench]]:
    server = make_server()
    made = Bench(server, tcp=request.param == "tcp")
    made.start()
    yield server, made
    made.end()


@pytest.mark.parametrize(
    ("on", "fault"),
    [("Seal", Do.DIE_AFTER), ("Commit", Do.DIE_BEFORE), ("Commit", Do.DIE_AFTER)],
)
def test_on_a_real_cable_the_truth_is_found_after_the_pump_vanished(bench, on: str, fault: Do) -> None:
    server, cable = bench
    server.faults.append(Fault(fault, on))
    client = make_client(lambda: open_transport(cable.port))
    with pytest.raises(CommandUncertainError):
        stage_and_commit(client)
    server.pump.reboot()
    cable.start()
    applied = on == "Commit" and fault is Do.DIE_AFTER
    assert client.resolve(TXN, SERIAL) is (Resolution.COMMITTED if applied else Resolution.DEAD)
    reading = client.interrogate()
    assert (reading.revision, reading.settings) == ((2, WANTED) if applied else (1, RUNNING))
    client.close()


def test_on_a_real_cable_a_program_is_sent_and_found_again(bench) -> None:
    _, cable = bench
    client = make_client(lambda: open_transport(cable.port))
    stage_and_commit(client)
    assert client.interrogate().settings == WANTED
    client.close()


def test_a_pump_that_is_not_there_is_a_lost_link() -> None:
    client = make_client(lambda: open_transport(os.devnull + "-nowhere"))
    with pytest.raises(LinkLostError):
        client.connect()
    with pytest.raises(LinkLostError):
        client.resolve(TXN, SERIAL)


def test_a_seal_that_this_program_never_made_is_not_committed() -> None:
    server = make_server()
    client = make_client(lambda: Loopback(server.feed))
    reading = client.interrogate()
    server.forget_counts()
    with pytest.raises(PumpRefusedError):
        client.commit(Sealed(TXN, client.digest_of(WANTED), bytes(16), WANTED, reading.read_at))
    assert server.heard == []
