"""Cables: a pump in the same process, a pseudo-terminal or serial port, and a TCP connection.

Law: a transport moves bytes and knows nothing of them; a cable that is gone is a ``LinkLostError``, always.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import serial

from app.device.port_worker import open_port
from app.models.pump import CableProblem, LinkLostError

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


_SIGNS = {
    CableProblem.BUSY: ("errno 11]", "errno 16]", "exclusively", "busy", "in use", "permissionerror(13"),
    CableProblem.FORBIDDEN: ("errno 13]", "errno 1]", "permission denied"),
    CableProblem.NOT_THERE: (
        "errno 2]", "errno 6]", "errno 19]", "errno 111]", "no such", "filenotfound", "refused", "not found",
    ),
}  # fmt: skip
"""What drivers say, in the order in which it is looked for; Windows says "permission" for a port that is in use."""


def problem_of(said: str) -> CableProblem:
    """Why a port did not open, from the words of its driver."""
    said = said.lower()
    return next(
        (problem for problem, signs in _SIGNS.items() if any(sign in said for sign in signs)), CableProblem.NOT_THERE
    )


class SerialCable:
    """A serial port, a pseudo-terminal, or any URL that pyserial knows, opened in this process."""

    immediate = False

    def __init__(self, name: str) -> None:
        """Raises: LinkLostError: the port is not there, forbidden, or somebody else has it."""
        self._name = name
        try:
            self._port = open_port(name)
        except (serial.SerialException, OSError, ValueError) as error:
            raise LinkLostError(port=name, problem=problem_of(str(error)), said=str(error)) from None

    def write(self, sent: bytes) -> None:
        try:
            self._port.write(sent)
        except (serial.SerialException, OSError) as error:
            raise self._lost(error) from None

    def read(self, timeout_s: float) -> bytes:
        try:
            self._port.timeout = timeout_s
            first: bytes = self._port.read(1)
            if not first:
                return b""
            self._port.timeout = 0
            more: bytes = self._port.read(_MOST_AT_ONCE)
        except (serial.SerialException, OSError, TypeError) as error:
            raise self._lost(error) from None
        return first + more

    def close(self) -> None:
        try:
            self._port.close()
        except (serial.SerialException, OSError):
            return

    def _lost(self, error: Exception) -> LinkLostError:
        return LinkLostError(port=self._name, problem=CableProblem.UNPLUGGED, said=str(error))
