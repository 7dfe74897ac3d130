"""Cables that hold, cables that are cut, and ports that are not there."""

import os
import socket
import sys
import threading
from collections.abc import Iterator

import pytest

from app.device.transports import Loopback, Transport
from app.device.worker_cable import open_transport
from app.models.pump import LinkLostError


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def port_of(listener: socket.socket) -> str:
    return f"socket://127.0.0.1:{listener.getsockname()[1]}"


def read_exactly(cable: Transport, length: int) -> bytes:
    read = b""
    while len(read) < length and (more := cable.read(2)):
        read += more
    return read


def test_a_loopback_gives_back_what_the_pump_answers_and_then_nothing() -> None:
    cable = Loopback(lambda sent: sent.upper())
    cable.write(b"hello ")
    cable.write(b"pump")
    assert cable.read(1) == b"HELLO PUMP"
    assert cable.read(1) == b""


def test_bytes_pass_a_socket_both_ways(listener: socket.socket) -> None:
    cable = open_transport(port_of(listener))
    pump, _ = listener.accept()
    with pump:
        cable.write(b"\x00question\x00")
        assert pump.recv(64) == b"\x00question\x00"
        pump.sendall(bytes(range(256)) * 8)
        assert read_exactly(cable, 2048) == bytes(range(256)) * 8
        assert cable.read(0) == b""
    cable.close()


def test_a_socket_that_the_pump_closed_is_a_lost_link(listener: socket.socket) -> None:
    cable = open_transport(port_of(listener))
    pump, _ = listener.accept()
    pump.close()
    with pytest.raises(LinkLostError):
        cable.read(2)
    cable.close()
    cable.close()


def test_a_closed_cable_is_a_lost_link(listener: socket.socket) -> None:
    cable = open_transport(port_of(listener))
    pump, _ = listener.accept()
    cable.close()
    with pump, pytest.raises(LinkLostError):
        cable.write(b"x")
    with pytest.raises(LinkLostError):
        cable.read(0)


@pytest.mark.parametrize("name", ["/dev/there-is-no-such-port", "socket://127.0.0.1:1", "nonsense://x", ""])
def test_a_port_that_is_not_there_is_a_lost_link(name: str) -> None:
    with pytest.raises(LinkLostError) as lost:
        open_transport(name)
    assert lost.value.values["port"] == name


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
class TestPseudoTerminal:
    @pytest.fixture
    def ends(self) -> Iterator[tuple[int, str]]:
        import tty

        master, slave = os.openpty()
        tty.setraw(slave)
        yield master, os.ttyname(slave)
        os.close(slave)
        os.close(master)

    def test_every_byte_passes_unchanged(self, ends: tuple[int, str]) -> None:
        master, name = ends
        cable = open_transport(name)
        cable.write(bytes(range(256)))
        assert os.read(master, 256) == bytes(range(256))
        os.write(master, bytes(range(256)))
        assert read_exactly(cable, 256) == bytes(range(256))
        cable.close()

    def test_a_port_has_one_user_at_a_time(self, ends: tuple[int, str]) -> None:
        cable = open_transport(ends[1])
        with pytest.raises(LinkLostError):
            open_transport(ends[1])
        cable.close()
        open_transport(ends[1]).close()

    def test_a_pump_that_vanishes_is_a_lost_link(self) -> None:
        master, slave = os.openpty()
        cable = open_transport(os.ttyname(slave))
        os.close(slave)
        threading.Timer(0.1, os.close, (master,)).start()
        with pytest.raises(LinkLostError):
            cable.read(5)
        with pytest.raises(LinkLostError):
            cable.write(b"x")
        cable.close()
