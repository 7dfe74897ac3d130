"""``itbemu://SERIAL?model=…&speed=…&state=…``: an emulated pump of this process, as a port that pyserial opens.

Law: a serial number is one pump for as long as this process lives, and one opening has it at a time, as with a real
port; to whoever holds the port it is bytes and nothing else.

pyserial finds a scheme by the name of its module and hands it nothing but the URL, so that who makes the pumps has
to be kept here, in one variable. The composition root sets it with :func:`register_pumps`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import serial
from serial.serialutil import PortNotOpenError, SerialBase, SerialException, Timeout, to_bytes

from app.device.server import PumpDiedError, PumpServer
from app.models.errors import AppError

MakePump = Callable[[str, Mapping[str, str]], PumpServer]
"""Makes the pump of a serial number; of ``model``, ``speed`` and ``state`` it is told those that stand in the URL."""

OPTIONS = ("model", "speed", "state")
FASTEST = 100_000
"""Times real time; the bench's door allows no more either."""

_PACKAGE = "app.device.protocols"
_FORM = "itbemu://SERIAL?model=NAME&speed=NUMBER&state=FILE"


@dataclass(slots=True)
class _Pump:
    server: PumpServer
    options: Mapping[str, str]
    in_use: bool = False


class _Pumps:
    """The emulated pumps of this process, by serial number."""

    def __init__(self, make: MakePump) -> None:
        self._make = make
        self._pumps: dict[str, _Pump] = {}
        self._turn = threading.Lock()

    def take(self, number: str, options: Mapping[str, str]) -> PumpServer:
        """The pump, for one opening. Raises: SerialException: it is in use, is another, or cannot be made."""
        with self._turn:
            pump = self._pumps.get(number) or self._made(number, options)
            if pump.in_use:
                raise SerialException(f"could not open port itbemu://{number}: it is in use")
            for name, value in options.items():
                if pump.options.get(name) != value:
                    raise SerialException(
                        f"could not open port itbemu://{number}: this pump is here already, with another {name} "
                        f"than {value!r}"
                    )
            self._pumps[number] = pump
            pump.in_use = True
            return pump.server

    def _made(self, number: str, options: Mapping[str, str]) -> _Pump:
        try:
            return _Pump(self._make(number, options), dict(options))
        except (AppError, OSError, ValueError) as error:
            problem = f"{type(error).__name__}: {error}"
            raise SerialException(f"could not open port itbemu://{number}: {problem}") from error

    def give_back(self, number: str) -> None:
        """The opening has ended; the pump lives on, and what it had half received is noise."""
        with self._turn:
            pump = self._pumps[number]
            with pump.server.turn:
                pump.server.hang_up()
            pump.in_use = False


_pumps: _Pumps | None = None


def register_pumps(make: MakePump | None) -> None:
    """Let pyserial open ``itbemu://`` ports, whose pumps ``make`` makes: each when it is opened for the first time.

    Called again, it starts without pumps. ``None``: nobody makes pumps any more. An AppError, OSError or ValueError
    of ``make`` becomes a SerialException of the opening.
    """
    global _pumps
    _pumps = _Pumps(make) if make is not None else None
    if _PACKAGE not in serial.protocol_handler_packages:
        serial.protocol_handler_packages.append(_PACKAGE)


class Serial(SerialBase):  # type: ignore[misc]  # pyserial has no types
    """A port of an emulated pump. Line settings are kept and mean nothing; the pump answers within ``write``."""

    is_open: bool

    def __init__(self, *arguments: object, **settings: object) -> None:
        """As any pyserial port; opens it at once if a port is given. Raises: SerialException."""
        self._server: PumpServer | None = None
        self._arrived = bytearray()
        self._changed = threading.Condition()
        self._cut = False
        self._cancelled = False
        super().__init__(*arguments, **settings)

    def open(self) -> None:
        """Take the pump. Raises: SerialException: no such pump, in use, an option that is not known."""
        if self.is_open:
            raise SerialException("Port is already open.")
        if self._port is None:
            raise SerialException("Port must be configured before it can be used.")
        self._number, options = read_url(self._port)
        pumps = _pumps
        if pumps is None:
            raise SerialException(f"could not open port {self._port}: no emulated pumps are registered in this process")
        self._server = pumps.take(self._number, options)
        self._taken_from = pumps
        self._cut = self._cancelled = False
        self._arrived = bytearray()
        self.is_open = True

    def close(self) -> None:
        """Give the pump back; whoever waits in ``read`` goes on with what has arrived."""
        with self._changed:
            was_open, self.is_open = self.is_open, False
            self._server = None
            self._changed.notify_all()
        if was_open:
            self._taken_from.give_back(self._number)

    @property
    def in_waiting(self) -> int:
        """How many bytes ``read`` would return at once."""
        with self._changed:
            self._require_cable()
            return len(self._arrived)

    def read(self, size: int = 1) -> bytes:
        """``size`` bytes, or those that have arrived when ``timeout`` is over. Raises: SerialException."""
        ends = Timeout(self._timeout)
        with self._changed:
            self._require_cable()
            while len(self._arrived) < size and not (self._cancelled or self._cut or ends.expired()) and self.is_open:
                self._changed.wait(ends.time_left())
            self._cancelled = False
            read = bytes(self._arrived[:size])
            del self._arrived[:size]
            return read

    def cancel_read(self) -> None:
        """End the ``read`` in which another thread waits."""
        with self._changed:
            self._cancelled = True
            self._changed.notify_all()

    def write(self, sent: bytes) -> int:
        """Send all of it. Raises: SerialException: the port is closed, or the pump is gone."""
        raw: bytes = to_bytes(sent)
        # An answer belongs to the opening in which it was asked for, even if the port is closed and opened meanwhile.
        server, arrived = self._require_cable(), self._arrived
        try:
            answer = server.feed(raw)
        except PumpDiedError:
            answer = b""
            self._cut = True
        with self._changed:
            arrived += answer
            self._changed.notify_all()
        return len(raw)

    def _require_cable(self) -> PumpServer:
        if not self.is_open or self._server is None:
            raise PortNotOpenError
        if self._cut and not self._arrived:
            raise SerialException(f"{self._port}: the pump is gone")
        return self._server

    def flush(self) -> None:
        """Nothing waits to be sent."""
        if not self.is_open:
            raise PortNotOpenError

    def reset_input_buffer(self) -> None:
        """Forget what has arrived."""
        with self._changed:
            self._require_cable()
            self._arrived.clear()

    def reset_output_buffer(self) -> None:
        """Nothing waits to be sent."""
        self._require_cable()

    @property
    def out_waiting(self) -> int:
        """Always 0."""
        self._require_cable()
        return 0

    @property
    def cts(self) -> bool:
        return True

    @property
    def dsr(self) -> bool:
        return True

    @property
    def cd(self) -> bool:
        return True

    @property
    def ri(self) -> bool:
        return False

    def _reconfigure_port(self, *_: object) -> None:
        """There is no line to configure; nor to drive, below."""

    _update_break_state = _update_rts_state = _update_dtr_state = _reconfigure_port


def read_url(url: str) -> tuple[str, dict[str, str]]:
    """The serial number and the options in a URL. Raises: SerialException: it is not of that form."""
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True) if parts.query else []
        _require_form(parts.netloc, f"{parts.path.removeprefix('/')}{parts.fragment}", [name for name, _ in pairs])
        options = dict(pairs)
        _require_speed(options.get("speed", "1"))
    except ValueError as error:
        raise SerialException(f"could not open port {url}: expected {_FORM}, but {error}") from None
    return parts.netloc, options


def _require_form(number: str, rest: str, names: list[str]) -> None:
    if not number:
        raise ValueError("there is no serial number")
    if rest:
        raise ValueError(f"{rest!r} has no meaning here")
    for name in names:
        if name not in OPTIONS:
            raise ValueError(f"there is no option {name!r}")
        if names.count(name) > 1:
            raise ValueError(f"the option {name!r} stands there twice")


def _require_speed(text: str) -> None:
    if not (text.isascii() and text.isdigit() and int(text) <= FASTEST):
        raise ValueError(f"speed must be a whole number up to {FASTEST}, not {text!r}")
