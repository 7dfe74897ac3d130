"""The bench's door to an emulated pump: time, mishaps and faults, one order at a time, and the state after each.

Law: it is never the pump's own cable. An order is a mapping with ``do`` and that order's values; numbers are whole
or written as text, so that nothing is rounded on the way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from fractions import Fraction

from app.device import mishaps
from app.device.messages import EVENT_CODES
from app.device.server import Do, Fault, PumpServer
from app.models.bench import BenchEvent, BenchState
from app.models.errors import AppError
from app.models.formats import NotANumberError, parse_number
from app.models.quantities import Volume

Order = Mapping[str, str | int | bool]

_EVENT_NAMES = {code: kind.value for kind, code in EVENT_CODES.items()}
_EVENTS_SHOWN = 50


class BadBenchOrderError(AppError):
    """An order that the bench does not know, or with a value that it cannot use."""


class PumpBench:
    """The door to a pump in this process."""

    def __init__(self, server: PumpServer) -> None:
        self._server = server

    def obey(self, order: Order) -> BenchState:
        """See :meth:`app.models.bench.BenchPort.obey`. Raises: BadBenchOrderError."""
        with self._server.turn:
            return obey(self._server, order)


def obey(server: PumpServer, order: Order) -> BenchState:
    """Do what the bench says. Raises: BadBenchOrderError."""
    name = str(order.get("do", ""))
    act = _ORDERS.get(name)
    if act is None:
        raise BadBenchOrderError(problem="unknown order", order=name)
    try:
        act(server, order)
    except (ValueError, KeyError, TypeError, NotANumberError, OverflowError) as error:
        raise BadBenchOrderError(problem=f"{type(error).__name__}: {error}", order=name) from None
    return state_of(server)


def obey_line(server: PumpServer, line: str) -> str:
    """Do what one JSON line says, and answer with one JSON line."""
    try:
        order = json.loads(line)
        if not isinstance(order, dict):
            raise BadBenchOrderError(problem="not an object")
        with server.turn:
            state = obey(server, order)
    except (ValueError, AppError) as error:
        return json.dumps({"ok": False, "error": f"{type(error).__name__}: {error}"})
    return json.dumps({"ok": True, **state.as_json()})


def state_of(server: PumpServer) -> BenchState:
    """How the pump is: what it believes beside what is true."""
    pump = server.pump
    pump.catch_up()
    now, memory = pump.clock.now(), pump.memory
    books = pump.ledger(now)
    return BenchState(
        serial=pump.serial,
        clock=now,
        revision=memory.slot.revision,
        commits=len(memory.applied),
        running=pump.runs(),
        reset=memory.reset,
        stalled=memory.stalled_since is not None,
        occluded=memory.epoch.occluded,
        flow_error=memory.epoch.error,
        believed=books.believed / Volume.PER_ML,
        physical=books.physical / Volume.PER_ML,
        delivered=books.delivered / Volume.PER_ML,
        physically_delivered=books.physically_delivered / Volume.PER_ML,
        alarms=tuple(alarm.value for alarm in pump.alarms(now)),
        heard=tuple(server.heard[-20:]),
        faults=tuple(f"{fault.do.value} at {fault.on} {fault.nth}" for fault in server.faults),
        events=tuple(
            BenchEvent(event.number, event.at, _EVENT_NAMES.get(event.code, str(event.code)), event.value)
            for event in memory.log[-_EVENTS_SHOWN:]
        ),
    )


def _percent(order: Order) -> Fraction:
    text = str(order["percent"])
    sign = -1 if text.startswith("-") else 1
    return sign * parse_number(text.removeprefix("-")) / Fraction(100)


def _run_at(server: PumpServer, order: Order) -> None:
    speed = int(order["speed"])
    if not 0 <= speed <= 100_000:
        raise ValueError("speed from 0 to 100000")
    server.pump.clock.run_at(speed)


def _drift(server: PumpServer, order: Order) -> None:
    server.pump.clock.run_at(server.pump.clock.speed * (1 + int(order["seconds"]) / 86_400))


def _advance(server: PumpServer, order: Order) -> None:
    minutes = int(order["minutes"])
    if minutes < 0:
        raise ValueError("time does not run back")
    server.pump.clock.advance(timedelta(minutes=minutes))


def _must_stop(server: PumpServer, order: Order) -> None:
    server.pump.must_stop = bool(order.get("stops", True))


def _fault(server: PumpServer, order: Order) -> None:
    server.faults.append(Fault(Do(str(order["fault"])), str(order["on"]), int(order.get("nth", 1))))


def _clear(server: PumpServer, _order: Order) -> None:
    server.faults.clear()
    server.forget_counts()


_ORDERS: dict[str, Callable[[PumpServer, Order], object]] = {
    "state": lambda server, order: None,
    "advance": _advance,
    "run-at": _run_at,
    "drift": _drift,
    "fault": _fault,
    "clear": _clear,
    "stall": lambda server, order: mishaps.stall(server.pump),
    "recover": lambda server, order: mishaps.recover(server.pump),
    "scan": lambda server, order: mishaps.scan(server.pump, recovers_after_min=int(order["minutes"])),
    "flow-error": lambda server, order: mishaps.set_flow_error(server.pump, _percent(order)),
    "occlude": lambda server, order: mishaps.set_occluded(server.pump, bool(order.get("occluded", True))),
    "fill": lambda server, order: mishaps.fill_by_hand(server.pump, Volume.ml(parse_number(str(order["ml"])))),
    "press-button": lambda server, order: mishaps.press_button(server.pump),
    "lose-memory": lambda server, order: mishaps.lose_memory(server.pump),
    "drain-battery": lambda server, order: mishaps.drain_battery(server.pump),
    "wear-out": lambda server, order: mishaps.wear_out(server.pump, days_left=int(order["days"])),
    "jump-clock": lambda server, order: mishaps.jump_clock(server.pump, int(order["seconds"])),
    "must-stop": _must_stop,
    "reboot": lambda server, order: server.pump.reboot(),
}
"""What the bench can do, by name."""
