"""The process that holds the serial port, so that a driver that hangs takes nothing else with it.

``python -m app.device.port_worker NAME`` relays bytes: standard input to the port, the port to records on standard
output. A record is its kind (one byte), a length (four bytes, big endian) and so many bytes.

Law: it knows nothing of pumps; it beats only while reading and writing both go on; it ends when its program does.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

import serial

BAUD = 115_200
"""Of bench pumps with a serial port: 8 data bits, no parity, one stop bit."""

OPENED, ARRIVED, BEAT, LOST = b"O", b"D", b"B", b"E"
BEAT_EVERY_S = 0.2
_WRITE_PATIENCE_S = 5
_SLICE = 4096

Tell = Callable[[bytes, bytes], None]


def open_port(name: str) -> serial.SerialBase:
    """A serial port, a pseudo-terminal, or any URL that pyserial knows.

    Raises: SerialException, OSError, ValueError.
    """
    if "://" in name:
        return serial.serial_for_url(name, timeout=1)
    return serial.Serial(name, BAUD, timeout=1, write_timeout=_WRITE_PATIENCE_S, exclusive=True)


def relay(port: serial.SerialBase, tell: Tell) -> None:
    """Move bytes both ways until standard input ends or the port is lost."""
    writing = threading.Event()
    port.timeout = BEAT_EVERY_S

    def read() -> None:
        try:
            while True:
                arrived = port.read(1)
                if arrived:
                    port.timeout = 0
                    arrived += port.read(_SLICE)
                    port.timeout = BEAT_EVERY_S
                    tell(ARRIVED, arrived)
                if not writing.is_set():
                    tell(BEAT, b"")
        except (serial.SerialException, OSError, TypeError) as error:
            tell(LOST, str(error).encode())
            os._exit(1)

    threading.Thread(target=read, name="port-reader", daemon=True).start()
    while sent := os.read(sys.stdin.fileno(), _SLICE):
        writing.set()
        port.write(sent)
        writing.clear()


def main(arguments: list[str]) -> int:
    """Open the port and relay; 1 if it cannot be opened or is lost."""
    turn = threading.Lock()

    def tell(kind: bytes, content: bytes) -> None:
        with turn:
            sys.stdout.buffer.write(kind + len(content).to_bytes(4, "big") + content)
            sys.stdout.buffer.flush()

    try:
        port = open_port(arguments[0])
        tell(OPENED, b"")
        relay(port, tell)
    except (serial.SerialException, OSError, ValueError) as error:
        tell(LOST, str(error).encode())
        return 1
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    # A reader may still be inside a driver that never returns.
    time.sleep(0)
    os._exit(code)
