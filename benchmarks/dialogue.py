"""One complete programming dialogue: its round trips and bytes, and its time beside raw pyserial and a paced line.

Law: the rival exchanges the very same bytes, in the same frames and in the same turns; a time counts only if every
byte arrived as it was recorded, the pump runs what it was told, and no line was faster than itself.

A dialogue is what one press of the button costs: interrogate, stage, commit, interrogate again. At the far end of the
pseudo-terminal is a process of its own: the emulated pump, or an echo that knows the recorded answers and nothing
else. The line is a relay between two pseudo-terminals that lets a byte through each 10 bits, one way and the other.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import serial

from app.device.client import PumpClient
from app.device.emulate import serve
from app.device.emulated_pump import EmulatedPump, VirtualClock, memory_of
from app.device.frames import bench_key, decode_frame
from app.device.messages import BY_KIND
from app.device.pump_memory import MemoryFile
from app.device.server import PumpServer
from app.device.transports import SerialCable
from app.documents.catalogue import load_catalogue
from app.models.program import EVERY_DAY, Bolus, DayPlan, Flex, Program
from app.models.pump import LogMark, PumpSettings
from app.models.quantities import Concentration, DoseRate, Mass, Volume

ROOT = Path(__file__).resolve().parents[1]
SERIAL = "CIS000042"
BITS_PER_BYTE = 10
"""A start bit, eight bits and a stop bit."""

SETTLING = 5
"""Dialogues before the measured ones: then the pump tells of as many old orders as it ever does."""

_DISK_EACH = 10
"""One in so many dialogues is also held with a pump on the disk, whose file grows with each order it remembers."""

_BUCKET_S = 0.004
_PATIENCE_S = 10


@dataclass(slots=True)
class RoundTrip:
    """One frame out, and all that came back before the next one."""

    sent: bytes
    answer: bytes = b""

    @property
    def name(self) -> str:
        """What was said and what was answered."""
        return " → ".join(_kind(frame) for frame in (self.sent, self.answer))

    @property
    def bytes(self) -> int:
        return len(self.sent) + len(self.answer)


def _kind(stuffed: bytes) -> str:
    message: type[object] = BY_KIND[decode_frame(stuffed.strip(b"\0"), bench_key(SERIAL)).kind]
    return message.__name__


@dataclass(slots=True)
class Recorder:
    """A cable that keeps what passes it."""

    cable: SerialCable
    kept: list[RoundTrip] = field(default_factory=list)
    immediate: bool = False

    def write(self, sent: bytes) -> None:
        self.kept.append(RoundTrip(sent))
        self.cable.write(sent)

    def read(self, timeout_s: float) -> bytes:
        arrived = self.cable.read(timeout_s)
        self.kept[-1].answer += arrived
        return arrived

    def close(self) -> None:
        self.cable.close()


class DialogueFailedError(Exception):
    """The dialogue did not do what it is measured for; its time means nothing."""


def settings(number: int) -> PumpSettings:
    """A day with 13 boluses; each number's low alarm is another, so that every dialogue really changes the pump."""
    boluses = tuple(Bolus(at=30 + 110 * bolus, dose=Mass.mcg(Fraction("12.5")), duration_min=5) for bolus in range(13))
    plan = DayPlan(days=EVERY_DAY, basal=DoseRate.mcg_per_day(Fraction("183.7")), boluses=boluses)
    low_alarm = Volume.ml(2 + Fraction(number % 100, 100))
    return PumpSettings("baclofen", Concentration.mcg_per_ml(2000), Program(Flex((plan,))), low_alarm, Volume.ml(20))


def converse(port: str, number: int, mark: LogMark) -> tuple[list[RoundTrip], LogMark, float]:
    """One complete dialogue: its round trips, how far the pump's log was read, and its seconds.

    Raises: DialogueFailedError: the pump does not run what it was told.
    """
    cables: list[Recorder] = []

    def open_cable() -> Recorder:
        cables.append(Recorder(SerialCable(port)))
        return cables[-1]

    wanted = settings(number)
    client = PumpClient(
        open_cable, bench_key(SERIAL), now=lambda: datetime.now(UTC), randomness=secrets.token_bytes
    )
    began = time.perf_counter()
    base = client.interrogate(mark)
    txn = secrets.token_hex(16)
    client.commit(client.stage(txn=txn, serial=SERIAL, base=base, order=wanted, anchor="c3" * 32))
    found = client.interrogate(base.log_mark)
    seconds = time.perf_counter() - began
    client.close()
    if found.settings != wanted or found.revision != base.revision + 1 or len(cables) != 1:
        raise DialogueFailedError(f"revision {base.revision}, then {found.revision}, on {len(cables)} cables")
    return cables[0].kept, found.log_mark, seconds


def exchange(port: str, script: Sequence[RoundTrip]) -> float:
    """The same bytes with pyserial alone: seconds. Raises: DialogueFailedError: other bytes came back."""
    began = time.perf_counter()
    with serial.Serial(port, 115_200, timeout=_PATIENCE_S, exclusive=True) as cable:
        answers = []
        for trip in script:
            cable.write(trip.sent)
            answers.append(cable.read(len(trip.answer)))
        seconds = time.perf_counter() - began
    if answers != [trip.answer for trip in script]:
        raise DialogueFailedError("the echo answered other bytes than were recorded")
    return seconds


# -- far ends: what runs in processes of their own ------------------------------------------------------------------


def be_pump(memory: Path | None) -> None:
    """Serve an emulated pump, with its memory on the disk or nowhere, until the process is ended."""
    pump = EmulatedPump(
        SERIAL,
        load_catalogue().pump("synchromed-ii-20"),
        VirtualClock(datetime(2026, 3, 2, 9, 30), time.monotonic),
        memory_file=MemoryFile(memory),
        made=memory_of(settings(99), since=datetime(2026, 2, 20, 9, 30), volume=Volume.ml(20)),
        randomness=secrets.token_bytes,
    )
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    serve(PumpServer(pump, bench_key(SERIAL)), tcp=None, control=None, announce=_announce, stop=stop)


def be_echo(script: Path) -> None:
    """Read as many bytes as each recorded frame has, and write its recorded answer, again and again."""
    import tty

    trips = [(len(bytes.fromhex(sent)), bytes.fromhex(answer)) for sent, answer in json.loads(script.read_text())]
    master, slave = os.openpty()
    tty.setraw(slave)
    _announce(f"listening on {os.ttyname(slave)}")
    while True:
        for length, answer in trips:
            while length > 0:
                length -= len(os.read(master, length))
            os.write(master, answer)


def _announce(words: str) -> None:
    print(words, flush=True)


@contextmanager
def far_end(*arguments: str) -> Iterator[str]:
    """A far end in a process of its own; the name of its port."""
    line = [sys.executable, "-m", "benchmarks.dialogue", *arguments]
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().removeprefix("listening on ").strip()
        finally:
            process.terminate()


# -- the paced line -------------------------------------------------------------------------------------------------


class Lane:
    """One direction of a line: every byte arrives when its last bit has passed, not before, and in its turn."""

    def __init__(self, byte_s: float) -> None:
        self._byte_s = byte_s
        self._waiting = bytearray()
        self._free_at = 0.0
        """When the first of the waiting bytes begins to pass."""

    def put(self, sent: bytes, now: float) -> None:
        """Let bytes into the lane."""
        if not self._waiting:
            self._free_at = max(self._free_at, now)
        self._waiting += sent

    def take(self, now: float) -> bytes:
        """The bytes that have passed."""
        passed = min(int((now - self._free_at) / self._byte_s), len(self._waiting)) if self._waiting else 0
        arrived = bytes(self._waiting[:passed])
        del self._waiting[:passed]
        self._free_at += passed * self._byte_s
        return arrived

    def due(self, now: float) -> float | None:
        """When to look again: the end of a bucket, or the last waiting byte's arrival if that is earlier."""
        if not self._waiting:
            return None
        bucket = max(self._byte_s, _BUCKET_S)
        return max(now, self._free_at + min(bucket, len(self._waiting) * self._byte_s))


@contextmanager
def paced_line(port: str, baud: int) -> Iterator[str]:
    """A line of so many baud that ends at ``port``; the name of its near end."""
    import tty

    master, slave = os.openpty()
    tty.setraw(slave)
    far = os.open(port, os.O_RDWR | os.O_NOCTTY)
    stop_reading, stop_writing = os.pipe()
    relay = threading.Thread(target=_relay, args=(master, far, stop_reading, BITS_PER_BYTE / baud), name="line")
    relay.start()
    try:
        yield os.ttyname(slave)
    finally:
        os.close(stop_writing)
        relay.join()
        for handle in (master, slave, far, stop_reading):
            os.close(handle)


def _relay(near: int, far: int, stop: int, byte_s: float) -> None:
    """Pass bytes both ways until ``stop`` is readable."""
    ends = {near: far, far: near}
    lanes = {end: Lane(byte_s) for end in ends}
    while True:
        now = time.monotonic()
        due = [at for lane in lanes.values() if (at := lane.due(now)) is not None]
        ready, _, _ = select.select([*ends, stop], [], [], max(0.0, min(due) - now) if due else None)
        now = time.monotonic()
        if stop in ready:
            return
        for end, other in ends.items():
            if end in ready:
                lanes[end].put(os.read(end, 4096), now)
            arrived = lanes[end].take(now)
            if arrived:
                os.write(other, arrived)


# -- measuring ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Measured:
    """One dialogue, and the seconds of each repetition."""

    script: list[RoundTrip]
    cisterna: list[float]
    raw: list[float]
    with_disk: list[float]
    paced: list[tuple[float, float]]
    """(seconds, the line's own seconds for the bytes of that very dialogue)."""

    baud: int

    @property
    def bytes(self) -> int:
        """Both ways together."""
        return sum(trip.bytes for trip in self.script)


def measure(*, runs: int, paced_runs: int, baud: int) -> Measured:
    """Converse with a pump, replay what was said with pyserial alone, in turns; then over a paced line."""
    with tempfile.TemporaryDirectory() as folder, far_end("pump") as port:
        script, mark = _settled(port, SETTLING)
        kept = Path(folder, "script.json")
        kept.write_text(json.dumps([(trip.sent.hex(), trip.answer.hex()) for trip in script]))
        cisterna, raw, with_disk, paced = [], [], [], []
        with far_end("echo", str(kept)) as echo, far_end("pump", str(Path(folder, "pump.json"))) as disk_port:
            _, disk_mark = _settled(disk_port, SETTLING)
            for run in range(runs):
                _, mark, seconds = converse(port, run, mark)
                cisterna.append(seconds)
                raw.append(exchange(echo, script))
                if run % _DISK_EACH == 0:
                    _, disk_mark, seconds = converse(disk_port, run, disk_mark)
                    with_disk.append(seconds)
        with paced_line(port, baud) as slow_port:
            for run in range(paced_runs):
                trips, mark, seconds = converse(slow_port, runs + run, mark)
                paced.append((seconds, sum(trip.bytes for trip in trips) * BITS_PER_BYTE / baud))
    return Measured(script, cisterna, raw, with_disk, paced, baud)


def _settled(port: str, dialogues: int) -> tuple[list[RoundTrip], LogMark]:
    mark = LogMark()
    for number in range(dialogues):
        script, mark, _ = converse(port, number + 50, mark)
    return script, mark


def complaints(measured: Measured) -> list[str]:
    """What makes the figures worthless."""
    wrong = [f"{trip.name}: no answer" for trip in measured.script if not trip.answer]
    for seconds, own in measured.paced:
        if seconds < own:
            wrong.append(f"the paced dialogue took {seconds:.4f} s, and its line alone takes {own:.4f} s")
    return wrong


def order_in(script: Sequence[RoundTrip]) -> list[RoundTrip]:
    """The part from the session in which the order is sent to its commit; the rest are questions."""
    names = [trip.name.split()[0] for trip in script]
    return list(script[names.index("Begin") - 1 : names.index("Commit") + 1])


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and return 1 if the figures are worthless."""
    parser = argparse.ArgumentParser(prog="bench dialogue", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--paced-runs", type=int, default=5)
    parser.add_argument("--baud", type=int, default=9600)
    chosen = parser.parse_args(arguments)
    measured = measure(runs=chosen.runs, paced_runs=chosen.paced_runs, baud=chosen.baud)
    _show_script(measured)
    _show_times(measured)
    wrong = complaints(measured)
    for text in wrong:
        print(text)
    return 1 if wrong else 0


def _show_script(measured: Measured) -> None:
    print(f"{'round trip':30}{'bytes out':>10}{'bytes back':>12}")
    for trip in measured.script:
        print(f"{trip.name:30}{len(trip.sent):10}{len(trip.answer):12}")
    out, back = (sum(len(part) for part in parts) for parts in _columns(measured.script))
    print(f"{f'{len(measured.script)} round trips':30}{out:10}{back:12}   {out + back:,} bytes both ways")
    order = order_in(measured.script)
    print(f"of these, the order: {len(order)} round trips, {sum(trip.bytes for trip in order):,} bytes\n")


def _columns(script: Sequence[RoundTrip]) -> tuple[list[bytes], list[bytes]]:
    return [trip.sent for trip in script], [trip.answer for trip in script]


def _show_times(measured: Measured) -> None:
    rows = (
        ("raw pyserial, same bytes", measured.raw),
        ("Cisterna", measured.cisterna),
        ("Cisterna, pump on the disk", measured.with_disk),
    )
    print(f"{'over a pty':30}{'least':>10}{'ratio':>8}{'median':>12}{'ratio':>8}{'times':>8}")
    for name, seconds in rows:
        columns = ""
        for which, width in ((min, 7), (statistics.median, 9)):
            columns += f"{which(seconds) * 1000:{width}.2f} ms{which(seconds) / which(measured.raw):8.1f}"
        print(f"{name:30}{columns}{len(seconds):8}")
    if not measured.paced:
        return
    seconds, own = (statistics.median(part) for part in zip(*measured.paced, strict=True))
    ratio = statistics.median(took / line for took, line in measured.paced)
    print(f"\n{f'at {measured.baud:,} baud, {len(measured.paced)} times':30}{'median':>22}{'ratio':>10}")
    print(f"{'the line alone':30}{own * 1000:19.1f} ms{1:10.3f}")
    print(f"{'Cisterna':30}{seconds * 1000:19.1f} ms{ratio:10.3f}")


_FAR_ENDS: dict[str, Callable[..., None]] = {"pump": be_pump, "echo": be_echo}

if __name__ == "__main__":
    # As a far end: the emulated pump, with its memory in a file if one is named, or the echo of a recorded script.
    which, *where = sys.argv[1:]
    _FAR_ENDS[which](*(Path(one) for one in where) if which == "echo" or where else (None,))
