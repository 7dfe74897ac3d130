"""A port in a process of its own: drivers that hang, cables that are pulled, lines that drip; each once named, and
then forgotten."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from app.device import link, worker_cable
from app.device.transports import problem_of
from app.device.worker_cable import WorkerCable, open_transport
from app.models.pump import CableProblem, LinkLostError
from tests.device.pumps import SERIAL, make_client, make_server

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")

HANGING = (
    sys.executable,
    "-c",
    "import sys, serial; serial.protocol_handler_packages.append('tests.device.hanging');"
    "from app.device.port_worker import main; main(sys.argv[1:])",
)


class Bench:
    """A pump at the end of a pseudo-terminal; ``answer`` may be changed to what the line does."""

    def __init__(self) -> None:
        import tty

        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.name = os.ttyname(self._slave)
        self.server = make_server()
        self.answer = lambda raw: [raw]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        import select

        while not self._stop.is_set():
            if not select.select([self.master], [], [], 0.05)[0]:
                continue
            for part in self.answer(self.server.feed(os.read(self.master, 4096))):
                os.write(self.master, part)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        for handle in (self.master, self._slave):
            os.close(handle)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


@pytest.fixture
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_cable, "BEAT_PATIENCE_S", 0.6)
    monkeypatch.setattr(worker_cable, "OPEN_PATIENCE_S", 1.5)


def problem_with(act: object) -> object:
    with pytest.raises(LinkLostError) as lost:
        act()  # type: ignore[operator]
    return lost.value.values["problem"]


def test_a_pump_answers_through_a_worker(bench: Bench) -> None:
    client = make_client(lambda: open_transport(bench.name))
    assert client.interrogate().identity.serial == SERIAL
    client.close()


@pytest.mark.usefixtures("short_patience")
@pytest.mark.parametrize("call", ["open", "read", "write"])
def test_a_driver_that_hangs_is_given_up(call: str) -> None:
    def use() -> None:
        cable = WorkerCable(f"hangs://{call}", worker=HANGING)
        cables.append(cable)
        cable.write(b"x")
        while True:
            cable.read(0.2)

    cables: list[WorkerCable] = []
    began = time.monotonic()
    assert problem_with(use) is CableProblem.HUNG
    for cable in cables:
        cable.close()
    assert time.monotonic() - began < 20, "a bound against hanging, no measurement"


@pytest.mark.usefixtures("short_patience")
def test_a_worker_that_stands_still_is_replaced_within_the_same_question(bench: Bench) -> None:
    cables: list[WorkerCable] = []

    def opened() -> WorkerCable:
        cables.append(WorkerCable(bench.name))
        return cables[-1]

    client = make_client(opened)
    client.connect()
    os.kill(cables[0]._process.pid, signal.SIGSTOP)
    assert client.connect().serial == SERIAL
    assert len(cables) == 2
    assert cables[0]._process.wait(5) == -signal.SIGKILL
    client.close()


def test_a_worker_that_is_killed_is_replaced_within_the_same_question(bench: Bench) -> None:
    cables: list[WorkerCable] = []

    def opened() -> WorkerCable:
        cables.append(WorkerCable(bench.name))
        return cables[-1]

    client = make_client(opened)
    client.connect()
    cables[0]._process.kill()
    assert client.connect().serial == SERIAL
    assert len(cables) == 2
    client.close()


def test_a_busy_port_says_so_and_is_free_again_after_its_user(bench: Bench) -> None:
    first = open_transport(bench.name)
    assert problem_with(lambda: open_transport(bench.name)) is CableProblem.BUSY
    first.close()
    open_transport(bench.name).close()


@pytest.mark.parametrize(
    ("does", "problem"),
    [
        (lambda raw: [], CableProblem.SILENT),
        (lambda raw: [b"$GPGGA,092750.000,5321.6802,N\r\n" * 3], CableProblem.NOISE),
        (lambda raw: [raw[: len(raw) // 2]], CableProblem.SLOW),
    ],
    ids=["silent", "another device", "half an answer"],
)
def test_a_line_that_is_of_no_use_is_named_and_recovers(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, does: object, problem: CableProblem
) -> None:
    monkeypatch.setattr(link, "_HELLO_DEADLINE_S", 0.3)
    client = make_client(lambda: open_transport(bench.name))
    bench.answer = does  # type: ignore[assignment]
    assert problem_with(client.connect) is problem
    bench.answer = lambda raw: [raw]
    assert client.connect().serial == SERIAL
    client.close()


def test_a_port_that_is_pulled_is_named() -> None:
    bench = Bench()
    cable = open_transport(bench.name)
    bench.close()

    def use() -> None:
        while True:
            cable.read(0.2)

    assert problem_with(use) is CableProblem.UNPLUGGED
    cable.close()


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("[Errno 2] could not open port /dev/ttyUSB0: [Errno 2] No such file or directory", CableProblem.NOT_THERE),
        ("[Errno 13] could not open port /dev/ttyUSB0: [Errno 13] Permission denied", CableProblem.FORBIDDEN),
        ("[Errno 11] Could not exclusively lock port /dev/ttyUSB0: [Errno 11] Resource temporarily", CableProblem.BUSY),
        ("[Errno 16] could not open port /dev/cu.usb: [Errno 16] Resource busy: '/dev/cu.usb'", CableProblem.BUSY),
        ("could not open port 'COM3': PermissionError(13, 'Access is denied.', None, 5)", CableProblem.BUSY),
        ("could not open port 'COM9': FileNotFoundError(2, 'The system cannot find the file', None, 2)",
         CableProblem.NOT_THERE),
    ],
)  # fmt: skip
def test_what_a_driver_says_is_understood(said: str, problem: CableProblem) -> None:
    assert problem_of(said) is problem
