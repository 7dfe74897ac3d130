"""``hangs://open``, ``hangs://read`` and ``hangs://write``: a pyserial port whose named call never returns."""

from __future__ import annotations

import threading
from typing import Any


class Serial:
    """As much of a port as a worker uses."""

    timeout = 1.0
    port = ""

    def __init__(self, *_: Any, **__: Any) -> None:
        """pyserial sets ``port`` afterwards."""

    def open(self) -> None:
        self._hang("open")

    def read(self, _size: int) -> bytes:
        self._hang("read")
        threading.Event().wait(0.05)
        return b""

    def write(self, sent: bytes) -> int:
        self._hang("write")
        return len(sent)

    def _hang(self, call: str) -> None:
        if self.port == f"hangs://{call}":
            threading.Event().wait()
