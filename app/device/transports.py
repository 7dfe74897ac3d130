"""Cables: a pump in the same process, a pseudo-terminal or serial port, and a TCP connection.

Law: a transport moves bytes and knows nothing of them; a cable that is gone is a ``LinkLostError``, always.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import serial

from app.models.pump import LinkLostError

BAUD = 115_200
"""Of bench pumps with a serial port: 8 data bits, no parity, one stop bit."""

_WRITE_PATIENCE_S = 5
_MOST_AT_ONCE = 4096


class Transport(Protocol):
    """One end of a cable. ``immediate``: what has not arrived after a write never will."""

    immediate: bool

    def write(self, sent: bytes) -> None:
        """Send all of it. Raises: LinkLostError."""
        ...

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, waiting at most ``timeout_s`` for the first byte. Raises: LinkLostError."""
        ...

    def close(self) -> None:
        """Let go; never raises."""
        ...


class Loopback:
    """A cable to a pump in the same process: ``answer`` is the pump's ear and mouth, bytes in and bytes out."""

    immediate = True

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self._arrived = b""

    def write(self, sent: bytes) -> None:
        self._arrived += self._answer(sent)

    def read(self, timeout_s: float) -> bytes:
        arrived, self._arrived = self._arrived, b""
        return arrived

    def close(self) -> None:
        self._arrived = b""


def open_transport(port_name: str) -> Transport:
    """The cable at a serial port, a pseudo-terminal or a ``socket://host:port``.

    Raises: LinkLostError: the port is not there, or somebody else has it.
    """
    return SerialCable(port_name)


class SerialCable:
    """A serial port, a pseudo-terminal, or any URL that pyserial knows."""

    immediate = False

    def __init__(self, name: str) -> None:
        """See :func:`open_transport`."""
        self._name = name
        try:
            self._port = _open(name)
        except (serial.SerialException, OSError, ValueError) as error:
            raise LinkLostError(port=name, problem=str(error)) from None

    def write(self, sent: bytes) -> None:
        try:
            self._port.write(sent)
        except (serial.SerialException, OSError) as error:
            raise LinkLostError(port=self._name, problem=str(error)) from None

    def read(self, timeout_s: float) -> bytes:
        try:
            self._port.timeout = timeout_s
            first: bytes = self._port.read(1)
            if not first:
                return b""
            self._port.timeout = 0
            more: bytes = self._port.read(_MOST_AT_ONCE)
        except (serial.SerialException, OSError, TypeError) as error:
            raise LinkLostError(port=self._name, problem=str(error)) from None
        return first + more

    def close(self) -> None:
        try:
            self._port.close()
        except (serial.SerialException, OSError):
            return


def _open(name: str) -> serial.SerialBase:
    if "://" in name:
        return serial.serial_for_url(name, timeout=1)
    return serial.Serial(name, BAUD, timeout=1, write_timeout=_WRITE_PATIENCE_S, exclusive=True)
