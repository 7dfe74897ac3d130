"""An emulated pump in a process of its own, at the end of a pseudo-terminal or a TCP port.

Law: the cable carries the protocol and nothing else; the bench drives clock, faults and the real reservoir over a
door of its own.
"""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Callable

from app.device.bench_door import obey_line
from app.device.server import PumpDiedError, PumpServer

_SLICE = 4096
_TICK_S = 0.2


def serve(
    server: PumpServer,
    *,
    tcp: int | None,
    control: int | None,
    announce: Callable[[str], None],
    stop: threading.Event,
) -> None:
    """Serve one pump until ``stop`` is set, or until a fault makes the pump vanish.

    Args:
        tcp: listen at this port of this machine (0 for any); ``None`` for a pseudo-terminal.
        control: open the bench's door at this port (0 for any); ``None`` for none.
        announce: told ``listening on <port name>``, and ``control on <port>``.
    """
    door = _open_door(server, control, announce, stop) if control is not None else None
    try:
        if tcp is None:
            _serve_pty(server, announce, stop)
        else:
            _serve_tcp(server, tcp, announce, stop)
    except PumpDiedError:
        return
    finally:
        stop.set()
        if door is not None:
            door.join()


def _serve_pty(
    server: PumpServer, announce: Callable[[str], None], stop: threading.Event
) -> None:
    import tty

    master, slave = os.openpty()
    try:
        tty.setraw(slave)
        announce(f"listening on {os.ttyname(slave)}")
        while not stop.is_set():
            if not select.select([master], [], [], _TICK_S)[0]:
                continue
            arrived = os.read(master, _SLICE)
            answer = server.feed(arrived)
            _write_all(master, answer)
    finally:
        os.close(master)
        os.close(slave)


def _write_all(handle: int, sent: bytes) -> None:
    while sent:
        sent = sent[os.write(handle, sent) :]


def _serve_tcp(
    server: PumpServer, port: int, announce: Callable[[str], None], stop: threading.Event
) -> None:
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.settimeout(_TICK_S)
        announce(f"listening on socket://127.0.0.1:{listener.getsockname()[1]}")
        while not stop.is_set():
            try:
                cable, _ = listener.accept()
            except TimeoutError:
                continue
            with cable:
                server.hang_up()
                _serve_connection(server, cable, stop)


def _serve_connection(server: PumpServer, cable: socket.socket, stop: threading.Event) -> None:
    cable.settimeout(_TICK_S)
    while not stop.is_set():
        try:
            arrived = cable.recv(_SLICE)
            if not arrived:
                return
            answer = server.feed(arrived)
            cable.sendall(answer)
        except TimeoutError:
            continue
        except OSError:
            return


def _open_door(
    server: PumpServer, port: int, announce: Callable[[str], None], stop: threading.Event
) -> threading.Thread:
    listener = socket.create_server(("127.0.0.1", port))
    listener.settimeout(_TICK_S)
    announce(f"control on {listener.getsockname()[1]}")

    def attend() -> None:
        with listener:
            while not stop.is_set():
                try:
                    caller, _ = listener.accept()
                except TimeoutError:
                    continue
                with caller, caller.makefile("rw", encoding="utf-8") as lines:
                    for line in lines:
                        reply = obey_line(server, line)
                        lines.write(reply + "\n")
                        lines.flush()

    door = threading.Thread(target=attend, name="pump-control")
    door.start()
    return door
