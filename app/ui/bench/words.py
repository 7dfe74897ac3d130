"""The bench in words: orders, faults, messages, events and alarms.

Law: what is not known here is shown by its own name, never hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from PySide6.QtCore import QCoreApplication

from app.models.bench import BenchEvent
from app.models.exercises import BenchOrder
from app.models.formats import rounded, with_unit
from app.models.pump import Alarm

FAULTS: Mapping[str, str] = {
    "drop-request": "The request is lost",
    "drop-answer": "The answer is lost",
    "duplicate": "The answer comes twice",
    "flip": "A bit of the answer is flipped",
    "truncate": "The answer is cut in half",
    "reboot-before": "The pump restarts before it hears",
    "reboot-after": "The pump restarts after it obeyed",
    "reboot-inside": "The power fails between two writes",
}
"""What can befall a message to a pump in this program; the rest needs a pump in a process of its own."""

MESSAGES: Mapping[str, str] = {
    "Hello": "Hello: open a session",
    "ReadProgram": "ReadProgram: the settings",
    "ReadStatus": "ReadStatus: state and reservoir",
    "ReadEvents": "ReadEvents: the log",
    "ReadClock": "ReadClock: the clock",
    "Begin": "Begin: announce an order",
    "Chunk": "Chunk: a part of the order",
    "Seal": "Seal: read the order back",
    "Commit": "Commit: carry the order out",
    "Resolve": "Resolve: what became of it",
}

_EVENTS: Mapping[str, str] = {
    "started": "delivery started",
    "stopped": "delivery stopped",
    "committed": "program taken over",
    "filled": "fill told",
    "bolus-started": "bolus started",
    "bolus-ended": "bolus ended",
    "bridge-ended": "bridge bolus ended",
    "stalled": "motor stalled",
    "recovered": "motor turns again",
    "reset": "reset",
    "alarm": "alarm",
    "clock-set": "clock set",
    "patient-bolus": "patient's bolus given",
    "patient-refused": "patient's bolus refused",
    "silenced": "alarms noted",
}

_VOLUMES = frozenset({"filled", "bolus-started", "bolus-ended", "bridge-ended", "patient-bolus"})
_NL_PER_ML = 1_000_000


def translated(text: str) -> str:
    """A text of this module in the user's language."""
    return QCoreApplication.translate("Bench", text)


def fault_words(fault: str) -> str:
    """A waiting fault, given as ``drop-answer at Commit 1``."""
    name, _, place = fault.partition(" at ")
    message, _, number = place.rpartition(" ")
    return translated("{0}: {1}, number {2}").format(translated(FAULTS.get(name, name)), message, number)


def alarm_words(name: str) -> str:
    """An alarm as people say it."""
    return name.replace("-", " ")


def event_words(event: BenchEvent) -> str:
    """What happened."""
    return translated(_EVENTS.get(event.name, event.name))


def event_value(event: BenchEvent) -> str:
    """What the event's number means, with its unit; empty where it means nothing."""
    if event.name in _VOLUMES:
        return ml(Fraction(event.value, _NL_PER_ML))
    if event.name == "committed":
        return translated("revision {0}").format(event.value)
    if event.name in ("alarm", "silenced"):
        return ", ".join(alarm_words(alarm.value) for alarm in _alarms(event.value)) or str(event.value)
    return str(event.value) if event.name not in _EVENTS else ""


def _alarms(bits: int) -> tuple[Alarm, ...]:
    """The wire numbers the alarms by bit, in their order."""
    return tuple(alarm for place, alarm in enumerate(Alarm) if bits & 1 << place)


def ml(volume: Fraction) -> str:
    """A volume to the thousandth of a mL."""
    return with_unit(rounded(volume, 3), "mL")


def minutes_words(minutes: int) -> str:
    """``10 days``, ``3 h`` or ``45 min``, whichever is whole."""
    if minutes and minutes % 1440 == 0:
        days = minutes // 1440
        return with_unit("1", "day") if days == 1 else with_unit(str(days), "days")
    if minutes and minutes % 60 == 0:
        return with_unit(str(minutes // 60), "h")
    return with_unit(str(minutes), "min")


def order_words(order: BenchOrder) -> str:
    """What an order did, as a sentence."""
    name = str(order.get("do", ""))
    words = _DONE.get(name)
    return translated("Done: {0}.").format(name) if words is None else words(order)


def _fault_set(order: BenchOrder) -> str:
    return translated("A fault waits on the cable: {0}.").format(
        fault_words(f"{order['fault']} at {order['on']} {order.get('nth', 1)}")
    )


def _flow_set(order: BenchOrder) -> str:
    percent = str(order["percent"])
    if percent.lstrip("-") == "0":
        return translated("The pump delivers what it counts.")
    if percent.startswith("-"):
        return translated("The pump delivers {0} less than it counts.").format(with_unit(percent[1:], "%"))
    return translated("The pump delivers {0} more than it counts.").format(with_unit(percent, "%"))


def _jumped(order: BenchOrder) -> str:
    seconds = int(order["seconds"])
    text = translated("The clock jumped on by {0}.") if seconds >= 0 else translated("The clock jumped back by {0}.")
    whole = abs(seconds)
    return text.format(with_unit(str(whole), "s") if whole % 60 else minutes_words(whole // 60))


def _speed_set(order: BenchOrder) -> str:
    speed = int(order["speed"])
    if speed == 0:
        return translated("The pump's clock stands still.")
    return translated("The pump's clock runs {0} times as fast as this computer's.").format(speed)


_DONE: Mapping[str, Callable[[BenchOrder], str]] = {
    "state": lambda order: translated("This exercise needs nothing more from the pump."),
    "advance": lambda order: translated("{0} passed for the pump.").format(minutes_words(int(order["minutes"]))),
    "run-at": _speed_set,
    "drift": lambda order: translated("The pump's clock gains {0} a day; with a minus sign it loses them.").format(
        with_unit(str(order["seconds"]), "s")
    ),
    "fault": _fault_set,
    "clear": lambda order: translated("No fault waits on the cable any more."),
    "stall": lambda order: translated("The motor stands still."),
    "recover": lambda order: translated("The motor turns."),
    "scan": lambda order: translated("The motor stalled in a scanner; it turns again after {0}.").format(
        minutes_words(int(order["minutes"]))
    ),
    "flow-error": _flow_set,
    "occlude": lambda order: (
        translated("The catheter is occluded.") if order.get("occluded", True) else translated("The catheter is open.")
    ),
    "fill": lambda order: translated("{0} are in the reservoir, whatever the pump is told at the next fill.").format(
        with_unit(str(order["ml"]), "mL")
    ),
    "press-button": lambda order: translated("The patient asked for a bolus; the log says whether it was given."),
    "lose-memory": lambda order: translated("The program is lost and the pump was reset."),
    "drain-battery": lambda order: translated("A low battery reset the pump; its program is lost."),
    "wear-out": lambda order: translated("The battery ends its service in {0}.").format(
        minutes_words(int(order["days"]) * 1440)
    ),
    "jump-clock": _jumped,
    "must-stop": lambda order: (
        translated("The pump stops for every new program, and starts again once it holds it.")
        if order.get("stops", True)
        else translated("The pump takes a new program without stopping.")
    ),
    "reboot": lambda order: translated("The pump restarted from its memory."),
}  # fmt: skip
