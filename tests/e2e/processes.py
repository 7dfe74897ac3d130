"""Programs in processes of their own, started and ended by the tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

ROOT = Path(__file__).resolve().parents[2]
_WAIT_S = 60


class Running:
    """A process whose lines are read as they come."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        )
        self.lines: list[str] = []
        self._queue: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._queue.put(line.strip())

    def wait_for(self, start: str) -> str:
        """The first line that begins so."""
        while True:
            try:
                line = self._queue.get(timeout=_WAIT_S)
            except Empty:
                raise AssertionError(f"no line {start!r}; came: {self.lines}") from None
            self.lines.append(line)
            if line.startswith(start):
                return line

    def wait_for_any(self, start: str) -> str:
        """A line that begins so, whether it came already or is still to come."""
        return next((line for line in self.lines if line.startswith(start)), None) or self.wait_for(start)

    def kill(self, sign: signal.Signals = signal.SIGKILL) -> None:
        """End it at once, as a power cut would."""
        if self.process.poll() is None:
            self.process.send_signal(sign)
        self.process.wait(_WAIT_S)
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def running(*arguments: str) -> Iterator[Running]:
    """Start a process, and make sure that it is gone afterwards."""
    started = Running(*arguments)
    try:
        yield started
    finally:
        started.kill()


@contextmanager
def emulator(data: Path, *more: str) -> Iterator[tuple[Running, str]]:
    """``cisterna emulate`` for the demonstration's pump, and the name of its port."""
    with running("-m", "app", "emulate", "--data", str(data), *more) as process:
        yield process, process.wait_for("listening on ").removeprefix("listening on ")
