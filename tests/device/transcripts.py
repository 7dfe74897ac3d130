"""Whole dialogues as they stand in ``docs/wire-protocol.md``.

``python -m tests.device.transcripts`` prints them anew.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

from app.device.client import PumpClient
from app.device.frames import FrameReader, bench_key, decode_frame, encode_frame
from app.device.messages import BY_KIND
from app.device.transports import Loopback
from app.models.errors import AppError
from app.models.program import OneTimeBolus, OneTimeKind, Program, SimpleContinuous
from app.models.pump import Order, PumpSettings, StopDelivery
from app.models.quantities import DoseRate, Volume
from tests.device.pumps import ANCHOR, RUNNING, SERIAL, TXN, make_client, make_server

TO_PUMP, TO_PROGRAM, LOST = ">", "<", "x"
NAMES = {
    "Hi": "HI", "ProgramIs": "PROGRAM", "StatusIs": "STATUS", "EventsAre": "EVENTS", "ClockIs": "CLOCK",
    "CommittedIs": "COMMITTED", "ResolvedIs": "RESOLVED", "SealedIs": "SEALED", "ReadProgram": "READ_PROGRAM",
    "ReadStatus": "READ_STATUS", "ReadEvents": "READ_EVENTS", "ReadClock": "READ_CLOCK",
}  # fmt: skip
"""Messages as the document calls them, where the class is called something else."""

HIGHER = PumpSettings(
    RUNNING.drug, RUNNING.concentration, Program(SimpleContinuous(DoseRate.mcg_per_day(240))), RUNNING.low_alarm
)
BOLUS = OneTimeBolus(OneTimeKind.SINGLE, Volume.ml(Fraction("0.05")), 30)


@dataclass(frozen=True)
class Line:
    """One frame: who sent it (``x``: the pump, and it was lost), its name, its bytes."""

    way: str
    name: str
    frame: bytes


class Wire:
    """A pump on a cable that writes everything down, and loses the answer to the message it is told to."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.loses = ""
        self._server = make_server()

    def feed(self, sent: bytes) -> bytes:
        answer = self._server.feed(sent)
        name = self._note(TO_PUMP, sent)
        lost = name == self.loses
        for frame in FrameReader().feed(answer):
            self._note(LOST if lost else TO_PROGRAM, b"\x00" + frame + b"\x00")
        return b"" if lost else answer

    def _note(self, way: str, frame: bytes) -> str:
        made = BY_KIND[decode_frame(frame.strip(b"\x00"), bench_key(SERIAL)).kind].__name__
        name = NAMES.get(made, made.upper())
        self.lines.append(Line(way, name, frame))
        return name


def _verified(wire: Wire, client: PumpClient) -> None:
    _commit(client, HIGHER)
    client.interrogate()


def _lost(wire: Wire, client: PumpClient) -> None:
    wire.loses = "COMMIT"
    with suppress(AppError):
        _commit(client, BOLUS)
    client.resolve(TXN, SERIAL)


def _dead(wire: Wire, client: PumpClient) -> None:
    base = client.interrogate()
    client.stage(txn=TXN, serial=SERIAL, base=base, order=StopDelivery(), anchor=ANCHOR)
    late = decode_frame(wire.lines[-2].frame.strip(b"\x00"), bench_key(SERIAL))
    client.resolve(TXN, SERIAL)
    wire.feed(encode_frame(late, bench_key(SERIAL)))
    with suppress(AppError):
        client.stage(txn=TXN, serial=SERIAL, base=base, order=StopDelivery(), anchor=ANCHOR)


def _commit(client: PumpClient, order: Order) -> None:
    base = client.interrogate()
    client.commit(client.stage(txn=TXN, serial=SERIAL, base=base, order=order, anchor=ANCHOR))


STORIES: dict[str, tuple[str, Callable[[Wire, PumpClient], None]]] = {
    "A program, verified": ("240 mcg/day instead of 200: read, sent, committed, and read again.", _verified),
    "A bolus whose COMMITTED is lost": (
        "0.05 mL over 30 min. The answer marked `x` never arrives; a new session asks, and the pump says *committed*.",
        _lost,
    ),
    "A stop that is taken back": (
        "Sealed, then asked after: the pump says *dead*. The same SEAL, arriving late, belongs to an ended session; "
        "and the order cannot be begun again.",
        _dead,
    ),
}


def play(title: str) -> list[Line]:
    """The frames of one dialogue, as the real code exchanges them."""
    wire = Wire()
    STORIES[title][1](wire, make_client(lambda: Loopback(wire.feed)))
    return wire.lines


def text() -> str:
    """The section of the document."""
    parts = []
    for title, (words, _) in STORIES.items():
        lines = [f"### {title}", "", words, "", "```"]
        for line in play(title):
            hexes = line.frame.hex()
            lines.append(f"{line.way} {line.name}")
            lines += [hexes[place : place + 96] for place in range(0, len(hexes), 96)]
        parts.append("\n".join([*lines, "```"]))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    print(text(), end="")
