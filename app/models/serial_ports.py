"""The ports at which a pump may be: what was found, what is kept, and which address is possible.

Law: ``None`` stands for the emulated pumps of this program; any other port was named by somebody, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

from app.models.errors import AppError

EMULATED_SCHEME = "itbemu://"
"""Begins the address of an emulated pump of this process."""

_LONGEST = 1000
_NETWORK = ("socket", "rfc2217")
_DEVICE = re.compile(r"/.*[^/]|(?:\\\\\.\\)?COM[1-9][0-9]*", re.IGNORECASE)


class AddressProblem(StrEnum):
    """Why a text is no address."""

    EMPTY = "empty"
    ODD_CHARACTER = "odd-character"
    TOO_LONG = "too-long"
    NO_DEVICE = "no-device"
    UNKNOWN_SCHEME = "unknown-scheme"
    NO_HOST = "no-host"
    NO_PORT_NUMBER = "no-port-number"
    NO_SERIAL = "no-serial"


class ImpossibleAddressError(AppError):
    """No port can have this ``address``; ``problem`` is an :class:`AddressProblem`."""


class PortsNotListedError(AppError):
    """The computer did not tell its ports; ``problem`` is its own word for why."""


class PortNotReadError(AppError):
    """The ``file`` in which the port is kept cannot be understood; ``problem`` says where and why."""


class PortNotKeptError(AppError):
    """The port could not be written to ``file``; ``problem`` says why."""


@dataclass(frozen=True, slots=True)
class FoundPort:
    """A port of this computer: the ``name`` that opens it, a ``title`` for people, and the rest in ``detail``.

    ``named`` says whether something that has a name is plugged in there.
    """

    name: str
    title: str
    detail: str
    named: bool = True


class PortFinder(Protocol):
    """Looks which ports there are."""

    def __call__(self) -> Sequence[FoundPort]:
        """Those with a name first, none twice. Raises: PortsNotListedError."""
        ...


class PortKeeper(Protocol):
    """Where the choice of a port outlives the program."""

    def load(self) -> str | None:
        """The port that was kept, or ``None`` for the emulated pumps. Raises: PortNotReadError."""
        ...

    def keep(self, port: str | None) -> None:
        """Make ``port`` the one that is kept; it is on the disk when this returns. Raises: PortNotKeptError."""
        ...


def is_emulated(port: str | None) -> bool:
    """Whether the pumps at ``port`` are those of this program."""
    return port is None or port.startswith(EMULATED_SCHEME)


def require_address(address: str) -> None:
    """Check that ``address`` is the name of a device, or an address of a kind that can be opened.

    Raises: ImpossibleAddressError.
    """
    problem = _problem_of(address)
    if problem is not None:
        raise ImpossibleAddressError(address=address, problem=problem)


def _problem_of(address: str) -> AddressProblem | None:
    if not address:
        return AddressProblem.EMPTY
    if len(address) > _LONGEST:
        return AddressProblem.TOO_LONG
    scheme, mark, rest = address.partition("://")
    if not address.isprintable() or (mark and " " in address):
        return AddressProblem.ODD_CHARACTER
    if not mark:
        return None if _DEVICE.fullmatch(address) else AddressProblem.NO_DEVICE
    if scheme in _NETWORK:
        return _network_problem(address)
    if f"{scheme}://" == EMULATED_SCHEME:
        return None if rest.partition("?")[0] else AddressProblem.NO_SERIAL
    return AddressProblem.UNKNOWN_SCHEME


def _network_problem(address: str) -> AddressProblem | None:
    try:
        parts = urlsplit(address)
        host, number = parts.hostname, parts.port
    except ValueError:
        return AddressProblem.NO_PORT_NUMBER
    if not host:
        return AddressProblem.NO_HOST
    return None if number else AddressProblem.NO_PORT_NUMBER
