"""An emulated pump in a process of its own, at the end of a pseudo-terminal or a TCP port.

Law: the cable carries the protocol and nothing else; the bench drives clock, faults and the real reservoir over a
door of its own.
"""

from __future__ import annotations

import json
import os
import select
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction

from app.device.server import Do, Fault, PumpDiedError, PumpServer
from app.models.formats import NotANumberError, parse_number, plain
from app.models.quantities import Volume

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
    turn = threading.Lock()
    door = _open_door(server, control, turn, announce, stop) if control is not None else None
    try:
        if tcp is None:
            _serve_pty(server, turn, announce, stop)
        else:
            _serve_tcp(server, tcp, turn, announce, stop)
    except PumpDiedError:
        return
    finally:
        stop.set()
        if door is not None:
            door.join()


def _serve_pty(
    server: PumpServer, turn: threading.Lock, announce: Callable[[str], None], stop: threading.Event
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
            with turn:
                answer = server.feed(arrived)
            _write_all(master, answer)
    finally:
        os.close(master)
        os.close(slave)


def _write_all(handle: int, sent: bytes) -> None:
    while sent:
        sent = sent[os.write(handle, sent) :]


def _serve_tcp(
    server: PumpServer, port: int, turn: threading.Lock, announce: Callable[[str], None], stop: threading.Event
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
                _serve_connection(server, cable, turn, stop)


def _serve_connection(server: PumpServer, cable: socket.socket, turn: threading.Lock, stop: threading.Event) -> None:
    cable.settimeout(_TICK_S)
    while not stop.is_set():
        try:
            arrived = cable.recv(_SLICE)
            if not arrived:
                return
            with turn:
                answer = server.feed(arrived)
            cable.sendall(answer)
        except TimeoutError:
            continue
        except OSError:
            return


def _open_door(
    server: PumpServer, port: int, turn: threading.Lock, announce: Callable[[str], None], stop: threading.Event
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
                        with turn:
                            reply = control_line(server, line)
                        lines.write(reply + "\n")
                        lines.flush()

    door = threading.Thread(target=attend, name="pump-control")
    door.start()
    return door


def control_line(server: PumpServer, line: str) -> str:
    """Do what one JSON line of the bench says, and answer with one JSON line."""
    try:
        order = json.loads(line)
        return json.dumps({"ok": True, **_control(server, order)})
    except (ValueError, KeyError, TypeError, NotANumberError) as error:
        return json.dumps({"ok": False, "error": f"{type(error).__name__}: {error}"})


def _control(server: PumpServer, order: dict[str, str | int]) -> dict[str, object]:
    pump = server.pump
    match order["do"]:
        case "advance":
            pump.clock.advance(timedelta(minutes=int(order["minutes"])))
        case "fault":
            server.faults.append(Fault(Do(str(order["fault"])), str(order["on"]), int(order.get("nth", 1))))
        case "clear":
            server.faults.clear()
            server.forget_counts()
        case "stall":
            pump.stall(True)
        case "recover":
            pump.stall(False)
        case "flow-error":
            percent = str(order["percent"])
            sign = -1 if percent.startswith("-") else 1
            pump.set_flow_error(sign * parse_number(percent.removeprefix("-")) / Fraction(100))
        case "fill":
            pump.fill_by_hand(Volume.ml(parse_number(str(order["ml"]))))
        case "state":
            pass
        case other:
            raise ValueError(f"unknown order {other!r}")
    return _state(server)


def _state(server: PumpServer) -> dict[str, object]:
    pump, now = server.pump, server.pump.clock.now()
    books = pump.ledger(now)
    return {
        "clock": now.isoformat(),
        "revision": pump.memory.slot.revision,
        "commits": len(pump.memory.applied),
        "believed_ml": plain(books.believed / Volume.PER_ML),
        "physical_ml": plain(books.physical / Volume.PER_ML),
        "delivered_ml": plain(books.delivered / Volume.PER_ML),
        "alarms": [alarm.value for alarm in pump.alarms(now)],
        "heard": server.heard[-20:],
    }
