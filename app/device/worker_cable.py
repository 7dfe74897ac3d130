"""A cable whose port lies in a process of its own: see ``app.device.port_worker``.

Law: nothing here ever waits longer than it was told to; a worker that no longer beats is given up, and the next
opening starts a new one.
"""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

from app.device.port_worker import ARRIVED, BEAT, LOST, OPENED
from app.device.transports import SerialCable, Transport, problem_of
from app.models.pump import CableProblem, LinkLostError

WORKER = (sys.executable, "-m", "app.device.port_worker")
OPEN_PATIENCE_S = 5.0
"""How long a worker may take to open its port."""

CLOSE_PATIENCE_S = 0.5
"""How long a killed worker may take to let go of its port before it is left to itself."""

BEAT_PATIENCE_S = 2.0
"""How long a worker may be without a sign of life."""


def open_transport(port_name: str) -> Transport:
    """The cable at a serial port or a pseudo-terminal, held by a worker, or at a URL such as ``socket://HOST:PORT``,
    which no driver can hang.

    Raises: LinkLostError: the port is not there, or somebody else has it.
    """
    return SerialCable(port_name) if "://" in port_name else WorkerCable(port_name)


class WorkerCable:
    """A :class:`app.device.transports.Transport` to a port in another process."""

    immediate = False

    def __init__(self, name: str, *, worker: Sequence[str] = WORKER) -> None:
        """Raises: LinkLostError: the port is not there, busy, forbidden, or its driver hangs."""
        self._name = name
        self._arrived: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._failure: LinkLostError | None = None
        self._opened = threading.Event()
        self._last_beat = time.monotonic()
        hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        self._process = subprocess.Popen(
            [*worker, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, creationflags=hidden
        )
        self._listener = threading.Thread(target=self._listen, name=f"port {name}", daemon=True)
        self._listener.start()
        if not self._opened.wait(OPEN_PATIENCE_S):
            self.close()
            raise self._lost(CableProblem.HUNG)
        if self._failure is not None:
            self.close()
            raise self._failure

    def write(self, sent: bytes) -> None:
        self._check_beat()
        # The worker may still be dying, and its pipe would take what nobody reads any more.
        if self._failure is not None:
            raise self._failure
        try:
            pipe = self._process.stdin
            if pipe is None or pipe.write(sent) != len(sent):
                raise self._lost(CableProblem.HUNG)
        except (OSError, ValueError):
            raise self._lost(CableProblem.UNPLUGGED) from None

    def read(self, timeout_s: float) -> bytes:
        ends = time.monotonic() + timeout_s
        while True:
            self._check_beat()
            wait = min(ends - time.monotonic(), BEAT_PATIENCE_S / 4)
            try:
                arrived = self._arrived.get(timeout=max(wait, 0.0))
            except queue.Empty:
                if time.monotonic() >= ends:
                    return b""
                continue
            if arrived:
                return arrived
            self._arrived.put(b"")
            raise self._failure or self._lost(CableProblem.UNPLUGGED)

    def close(self) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._process.kill()
        self._listener.join(CLOSE_PATIENCE_S)

    def _check_beat(self) -> None:
        if time.monotonic() - self._last_beat > BEAT_PATIENCE_S and self._process.poll() is None:
            raise self._lost(CableProblem.HUNG)

    def _lost(self, problem: CableProblem) -> LinkLostError:
        return LinkLostError(port=self._name, problem=problem)

    def _listen(self) -> None:
        """Take records off the worker's pipe until it ends, for which an empty arrival stands, and bury the worker.

        A worker inside a driver cannot die; then this thread waits for it, and nobody waits for this thread.
        """
        pipe, lost = self._process.stdout, self._lost(CableProblem.UNPLUGGED)
        assert pipe is not None
        while len(head := _exactly(pipe, 5)) == 5:
            kind, content = head[:1], _exactly(pipe, int.from_bytes(head[1:], "big"))
            self._last_beat = time.monotonic()
            if kind == OPENED:
                self._opened.set()
            elif kind == ARRIVED:
                self._arrived.put(content)
            elif kind == LOST:
                opened = self._opened.is_set()
                lost = self._lost(CableProblem.UNPLUGGED if opened else problem_of(content.decode(errors="replace")))
            elif kind != BEAT:
                break
        self._failure = lost
        self._arrived.put(b"")
        self._opened.set()
        pipe.close()
        self._process.wait()


def _exactly(pipe: object, length: int) -> bytes:
    """So many bytes, or fewer at the end."""
    held = b""
    while len(held) < length and (part := pipe.read(length - len(held))):  # type: ignore[attr-defined]
        held += part
    return held
