"""The serial ports of this computer, with names that people know them by.

Law: nothing is opened here. What a device calls itself is shown as text and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from serial.tools import list_ports

from app.models.serial_ports import FoundPort, PortsNotListedError

_NO_NAME = ("", "n/a")
_PORT_IN_BRACKETS = re.compile(r"\s*\([^()]*\)\s*$")
"""Windows repeats the port's name at the end: "USB Serial Port (COM3)"."""


def find_ports(comports: Callable[[], Iterable[Any]] = list_ports.comports) -> tuple[FoundPort, ...]:
    """The ports, each once: those with a name by that name, then those without one by their device's.

    Raises: PortsNotListedError: the system did not tell.
    """
    try:
        found = {port.device: _found(port) for port in comports() if port.device}
    except OSError as error:
        raise PortsNotListedError(problem=str(error)) from None
    return tuple(sorted(found.values(), key=lambda port: (not port.named, _natural(port.title), _natural(port.name))))


def _found(port: Any) -> FoundPort:
    name = str(port.device)
    title = _title(port)
    parts = [name]
    if port.vid is not None and port.pid is not None:
        parts.append(f"USB {port.vid:04X}:{port.pid:04X}")
    if _clean(port.serial_number):
        parts.append(f"no. {_clean(port.serial_number)}")
    return FoundPort(name, title or name.rpartition("/")[2], " · ".join(parts), named=bool(title))


def _title(port: Any) -> str:
    """Product and maker, or what the system calls it; empty if there is nothing but the device's name."""
    product = _clean(port.product) or _PORT_IN_BRACKETS.sub("", _clean(port.description))
    if product in (*_NO_NAME, port.device, port.name):
        return ""
    maker = _clean(port.manufacturer)
    is_told = maker not in _NO_NAME and not maker.startswith("(") and maker.casefold() not in product.casefold()
    return f"{product}, {maker}" if is_told else product


def _clean(text: str | None) -> str:
    """One line of printable characters."""
    return "".join(character for character in " ".join((text or "").split()) if character.isprintable())


def _natural(text: str) -> tuple[tuple[bool, int, str], ...]:
    """A key that puts COM2 before COM10."""
    parts = re.findall(r"[0-9]+|[^0-9]+", text.casefold())
    return tuple((part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts)
