"""A program that is killed, and a pump that lives on: processes, the cable between them, and points to be killed at.

Law: the program opens its store itself, in a process of its own, and dies of SIGKILL and of nothing else; the pump is
in the process that looks on, at the other end of a socket, and loses nothing by it.
"""

from __future__ import annotations

import gc
import hashlib
import itertools
import json
import os
import shutil
import signal
import socket
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from unittest.mock import patch

from sqlalchemy import Engine, event

from app import bootstrap
from app.bootstrap import make_emulated_pump, make_workstation, open_clinic
from app.device.client import PumpClient
from app.device.emulated_pump import EmulatedPump
from app.device.frames import bench_key
from app.device.pump_memory import MemoryFile
from app.device.server import Fault, PumpDiedError, PumpServer
from app.device.transports import Loopback, Transport
from app.models.pump import LinkLostError
from app.services.clock import Clock
from app.services.workstation import Workstation
from app.store.clinic import SqlClinicStore
from tests.services.bench import NOW, PATIENT

SERIAL = "EMU-100191"
AT_LAST = -1
"""The point right after the process has acknowledged, however many there were before."""
_CHUNK = 65_536
_PUMP_OFFSET = timedelta(hours=1)

Act = Callable[["Program"], None]

_loaders = {
    name: cache(getattr(bootstrap, name))
    for name in ("load_catalogue", "load_exercises", "load_presets", "load_emergency")
}


class Points:
    """Counts what happens while it is ``armed``, and ends the process before number ``kill_at`` (from 0) happens."""

    def __init__(self, kill_at: int | None = None) -> None:
        self.kill_at = kill_at
        self.count = 0
        self.armed = False
        self.after_commit: Callable[[], None] | None = None

    def pass_by(self) -> None:
        if not self.armed:
            return
        if self.count == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1

    def watch(self, engine: Engine) -> None:
        """Before and after each statement and each commit."""

        def before(_connection, _cursor, _statement, _values, _context, _many) -> None:  # type: ignore[no-untyped-def]
            self.pass_by()

        event.listen(engine, "before_cursor_execute", before)
        event.listen(engine, "after_cursor_execute", before)
        commit = engine.dialect.do_commit

        def do_commit(connection) -> None:  # type: ignore[no-untyped-def]
            self.pass_by()
            commit(connection)
            if self.armed and self.after_commit is not None:
                self.after_commit()
            self.pass_by()

        engine.dialect.do_commit = do_commit  # type: ignore[method-assign]


class FarCable:
    """The program's end of the socket. A frame is written in two halves, so that it can be killed between them."""

    immediate = False

    def __init__(self, end: socket.socket, points: Points) -> None:
        self._end = end
        self._points = points

    def write(self, sent: bytes) -> None:
        half = len(sent) // 2
        for part in (sent[:half], sent[half:]):
            self._points.pass_by()
            try:
                self._end.sendall(part)
            except OSError as gone:
                raise LinkLostError(problem=str(gone)) from None
        self._points.pass_by()

    def read(self, timeout_s: float) -> bytes:
        self._points.pass_by()
        self._end.settimeout(max(timeout_s, 0.001))
        try:
            arrived = self._end.recv(_CHUNK)
        except TimeoutError:
            return b""
        except OSError as gone:
            raise LinkLostError(problem=str(gone)) from None
        if not arrived:
            raise LinkLostError(problem="the cable is gone")
        self._points.pass_by()
        return arrived

    def close(self) -> None:
        pass


class StandingClock:
    """The pump's clock stands still."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by


@dataclass
class Program:
    """Services on the store of one folder. ``ids`` begins every id that is made here."""

    folder: Path
    station: Workstation
    open_cable: Callable[[], Transport]
    _noise: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def store(self) -> SqlClinicStore:
        store = self.station.store
        assert isinstance(store, SqlClinicStore)
        return store

    def port(self) -> PumpClient:
        return PumpClient(
            self.open_cable,
            bench_key(SERIAL),
            now=self.station.clock.utc,
            randomness=lambda size: next(self._noise).to_bytes(size, "big"),
        )


def open_program(
    folder: Path,
    ids: str,
    open_cable: Callable[[], Transport],
    *,
    later: timedelta = timedelta(),
    now: Callable[[], datetime] | None = None,
) -> Program:
    """Open the store in ``folder``; the catalogue and its like, which are never written, are read once a process."""
    numbers = itertools.count(1)
    clock = Clock(now or (lambda: NOW + later), _PUMP_OFFSET)
    store = open_clinic(folder / "clinic", clock)
    make_id = lambda: hashlib.sha256(f"{ids} {next(numbers)}".encode()).hexdigest()[:32]  # noqa: E731
    with patch.multiple(bootstrap, new_id=make_id, **_loaders):
        station = make_workstation(folder / "clinic", clock=clock, store=store)
    return Program(folder, station, open_cable)


def make_folder(folder: Path) -> None:
    """A clinic and the memory of its patient's pump, both closed."""
    clock = Clock(lambda: NOW, _PUMP_OFFSET)
    store = open_clinic(folder / "clinic", clock)
    implant = store.therapy(PATIENT).implant
    assert implant is not None and implant.serial == SERIAL
    make_emulated_pump(folder / "clinic", store, _loaders["load_catalogue"](), clock, implant)
    store.close()


def copied(folder: Path, target: Path) -> Path:
    shutil.copytree(folder, target)
    return target


def pump_in(folder: Path, *, later: timedelta = timedelta()) -> PumpServer:
    """The pump whose memory lies in ``folder``, at one end of a cable."""
    memory_file = MemoryFile(folder / "clinic" / "emulated" / f"{SERIAL}.json")
    made = memory_file.load()
    assert made is not None
    tokens = itertools.count(1)
    clock = StandingClock((NOW + later).replace(tzinfo=None) + _PUMP_OFFSET)
    pump = EmulatedPump(
        SERIAL,
        _loaders["load_catalogue"]().pump("synchromed-ii-20"),
        clock,  # type: ignore[arg-type]
        memory_file=memory_file,
        made=made,
        randomness=lambda size: next(tokens).to_bytes(size, "big"),
    )
    return PumpServer(pump, bench_key(SERIAL))


def near(server: PumpServer) -> Callable[[], Transport]:
    """The cable to a pump in this very process."""

    def open_it() -> Transport:
        server.hang_up()
        return Loopback(server.feed)

    return open_it


def state_of(store: SqlClinicStore) -> str:
    """A digest of every row of every table."""
    sum_of_all = hashlib.sha256()
    connection = store.engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        for (name,) in cursor.fetchall():
            cursor.execute(f'SELECT * FROM "{name}"')
            sum_of_all.update(repr((name, sorted(map(repr, cursor.fetchall())))).encode())
    finally:
        connection.close()
    return sum_of_all.hexdigest()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended.

    ``acknowledged``: the step had returned and said so. ``states`` are those after its commits and ``count`` the points
    it passed, both only of one that was not killed. ``died_by`` is the signal that ended it; ``trace`` what it raised.
    """

    acknowledged: bool
    died_by: int
    count: int = 0
    states: tuple[str, ...] = ()
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What a process is to do: ``prepare`` before it can be killed, ``act`` while it can."""

    ids: str
    act: Act
    prepare: Act | None = None
    later: timedelta = timedelta()
    fault: Fault | None = None
    spoil: Callable[[], None] | None = None


def run(job: Run, folder: Path, server: PumpServer, kill_at: int | None) -> Ended:
    """Do the job in a process of its own, killed at that point; the pump answers meanwhile."""
    ours, theirs = socket.socketpair()
    told, telling = os.pipe()
    if job.fault is not None:
        server.faults.append(job.fault)
    child = os.fork()
    if child == 0:
        try:
            ours.close()
            os.close(told)
            _live(job, folder, theirs, telling, kill_at)
        finally:
            os._exit(3)
    theirs.close()
    os.close(telling)
    _serve(server, ours)
    with os.fdopen(told, "rb") as pipe:
        said = pipe.read()
    _pid, status = os.waitpid(child, 0)
    server.faults.clear()
    acknowledged = said.startswith(b"A")
    rest = json.loads(said.removeprefix(b"A") or b"{}")
    died_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return Ended(acknowledged, died_by, rest.get("count", 0), tuple(rest.get("states", ())), rest.get("trace", ""))


def _live(job: Run, folder: Path, end: socket.socket, telling: int, kill_at: int | None) -> None:
    gc.disable()
    try:
        points, states = Points(kill_at), []
        program = open_program(folder, job.ids, lambda: FarCable(end, points), later=job.later)
        if job.spoil is not None:
            job.spoil()
        if job.prepare is not None:
            job.prepare(program)
        points.watch(program.store.engine)
        if kill_at is None:
            with _looking_on(folder) as look:
                points.after_commit = lambda: states.append(look())
                points.armed = True
                job.act(program)
                points.armed = False
        else:
            points.armed = True
            job.act(program)
        os.write(telling, b"A")
        if kill_at == AT_LAST:
            os.kill(os.getpid(), signal.SIGKILL)
        points.pass_by()
        points.armed = False
        program.store.close()
        os.write(telling, json.dumps({"count": points.count, "states": list(dict.fromkeys(states))}).encode())
    except BaseException:
        os.write(telling, json.dumps({"trace": traceback.format_exc()}).encode())
        os._exit(2)
    os._exit(0)


@contextmanager
def _looking_on(folder: Path) -> Iterator[Callable[[], str]]:
    """Somebody who reads the store over a connection of his own."""
    store = open_clinic(folder / "clinic", Clock(lambda: NOW, _PUMP_OFFSET))
    try:
        yield lambda: state_of(store)
    finally:
        store.close()


def _serve(server: PumpServer, end: socket.socket) -> None:
    """Be the pump, until the program at the other end is gone or the pump itself vanishes."""
    with end:
        while True:
            try:
                arrived = end.recv(_CHUNK)
                if not arrived:
                    break
                answer = server.feed(arrived)
            except (ConnectionError, PumpDiedError):
                break
            try:
                end.sendall(answer)
            except OSError:
                continue
    server.hang_up()


@contextmanager
def reopened(folder: Path, server: PumpServer, ids: str, *, later: timedelta = timedelta()) -> Iterator[Program]:
    """The program started anew after its end, with the pump as it lives on."""
    program = open_program(folder, ids, near(server), later=later)
    try:
        yield program
    finally:
        program.store.close()
