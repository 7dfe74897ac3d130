"""Work that takes time, away from the window.

Law: one worker, so that two orders never overlap; what comes of the work is delivered in the window's own
thread, by one queued signal to a bound slot.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot


@dataclass(frozen=True, slots=True)
class _Result:
    """What one piece of work came to, and who wants to know."""

    value: Any
    error: Exception | None
    done: Callable[[Any], None]
    failed: Callable[[Exception], None]


class Background(QObject):
    """Runs one piece of work after another on a thread of its own."""

    _finished = Signal(object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(
        self, work: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[Exception], None]
    ) -> Future[None]:
        """Do ``work`` on the worker, then call ``done`` with what it returned or ``failed`` with what it raised."""
        return self._executor.submit(self._work, work, done, failed)

    def _work(self, work: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[Exception], None]) -> None:
        try:
            result = _Result(work(), None, done, failed)
        except Exception as error:  # whatever it was, the page that asked must hear of it
            result = _Result(None, error, done, failed)
        self._finished.emit(result)

    @Slot(object)
    def _deliver(self, result: _Result) -> None:
        if result.error is not None:
            result.failed(result.error)
        else:
            result.done(result.value)

    def close(self) -> None:
        """Wait for the work under way; nothing is cut off half done."""
        self._executor.shutdown(wait=True)
