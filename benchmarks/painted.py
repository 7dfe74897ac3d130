"""Tells when a window has been painted for the first time, and how much memory its process then holds."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QWidget


class _FirstPaint(QObject):
    def __init__(self, started: float) -> None:
        super().__init__()
        self._started = started
        self._seen = False

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and not self._seen:
            self._seen = True
            # After the paint itself, and everything queued before it.
            QTimer.singleShot(0, self._report)
        return False

    def _report(self) -> None:
        print(time.monotonic() - self._started, _resident_mebibytes(), flush=True)
        QApplication.exit(0)


def _resident_mebibytes() -> float:
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report_first_paint(app: QApplication, window: QWidget, started: float) -> None:
    """Show ``window``, print the seconds since ``started`` and the resident MiB at its first paint, and end."""
    watcher = _FirstPaint(started)
    window.installEventFilter(watcher)
    window.show()
    app.exec()
