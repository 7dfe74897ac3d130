"""An emulated syringe pump at the end of a pseudo-terminal.

Law: the cable carries the pump's protocol and nothing else; what really went out is told to the bench, not to the
client.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from fractions import Fraction

from app.device.syringe_responder import SyringeResponder

_SLICE = 4096
_TICK_S = 0.05


def serve_syringe_pump(
    pump: SyringeResponder,
    *,
    announce: Callable[[str], None],
    stop: threading.Event,
    stalls_at_ul: Fraction | None = None,
) -> None:
    """Serve one pump on a pseudo-terminal until ``stop`` is set.

    Args:
        announce: told ``listening on <port name>``.
        stalls_at_ul: where the plunger meets an obstacle, once.
    """
    import tty

    master, slave = os.openpty()
    try:
        tty.setraw(slave)
        announce(f"listening on {os.ttyname(slave)}")
        while not stop.is_set():
            heard = select.select([master], [], [], _TICK_S)[0]
            if stalls_at_ul is not None and pump.infused_ul >= stalls_at_ul:
                stalls_at_ul = None
                pump.stall()
            _write_all(master, pump.feed(os.read(master, _SLICE)) if heard else pump.tick())
    finally:
        os.close(master)
        os.close(slave)


def _write_all(handle: int, said: bytes) -> None:
    while said:
        said = said[os.write(handle, said) :]
