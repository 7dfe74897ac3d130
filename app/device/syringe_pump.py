"""A New Era syringe pump through NESP-Lib, which is used as it is: exact numbers in, exact numbers out.

Law: the library's floats stop here. What was set is read back before the pump runs, and whatever goes wrong leaves as
an error of our own.

The pump is driven in Safe mode, so that it stops by itself when the program that drives it dies. The library's own
port waits for ever for a pump that is gone; :class:`SyringeCable` stands in for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Protocol

import nesp_lib
import serial

from app.device.syringe_frames import basic_packet
from app.models.errors import AppError

SILENCE_S = 10
"""After this long without a word the pump stops with an alarm."""

_ANSWER_S = 3.0
_NUDGE = 1 + Fraction(1, 10**6)
"""The library cuts a float's text after four digits; without this, 12.34 could leave it as 12.33."""

_FLOAT_DUST = Fraction(1, 10**8)


class SyringeSilentError(AppError):
    """No answer, or no cable: ``problem`` says which."""


class SyringeAlarmError(AppError):
    """The pump has stopped by itself; ``alarm`` is ``stalled``, ``reset``, ``timeout``, ``error`` or ``range``."""


class SyringeRefusedError(AppError):
    """The pump does not do ``what``, because of its state or its limits; or it took another number."""


class SyringeGarbledError(AppError):
    """The answer is none that a pump of this family gives."""


class LibraryPort(Protocol):
    """What NESP-Lib asks of its port."""

    def _transmit(self, data: bytes) -> None: ...

    def _receive(self, data_length: int) -> bytes: ...

    @property
    def _waiting_receive(self) -> int: ...

    def part(self) -> None:
        """Let go of the pump, and from now on take the library's leave of it in its place."""
        ...


class SyringeCable:
    """A serial port, a pseudo-terminal or any URL that pyserial knows. Raises: SyringeSilentError."""

    def __init__(self, name: str, baud: int) -> None:
        self._name = name
        self._parted = False
        self._farewell = b""
        try:
            self._port = _open(name, baud)
        except (serial.SerialException, OSError, ValueError) as error:
            raise SyringeSilentError(port=name, problem=str(error)) from None

    def part(self) -> None:
        self._parted = True
        self._port.close()

    def _transmit(self, data: bytes) -> None:
        if self._parted:
            self._farewell = farewell_to(data)
            return
        try:
            # An alarm that came unasked would be taken for the answer; the pump repeats it in place of one.
            self._port.read(self._port.in_waiting)
            self._port.write(data)
        except (serial.SerialException, OSError, TypeError) as error:
            raise SyringeSilentError(port=self._name, problem=str(error)) from None

    def _receive(self, data_length: int) -> bytes:
        if self._parted:
            said, self._farewell = self._farewell[:data_length], self._farewell[data_length:]
            return said
        try:
            received: bytes = self._port.read(data_length)
        except (serial.SerialException, OSError, TypeError) as error:
            raise SyringeSilentError(port=self._name, problem=str(error)) from None
        if len(received) < data_length:
            raise SyringeSilentError(port=self._name, problem="no answer")
        return received

    @property
    def _waiting_receive(self) -> int:
        try:
            return 0 if self._parted else int(self._port.in_waiting)
        except (serial.SerialException, OSError, TypeError) as error:
            raise SyringeSilentError(port=self._name, problem=str(error)) from None


class SyringePump:
    """One pump with one syringe, set to infuse, its counter at zero.

    Every method raises SyringeSilentError, SyringeAlarmError, SyringeRefusedError or SyringeGarbledError.
    """

    def __init__(self, port: LibraryPort, *, diameter_mm: Fraction, address: int = 0) -> None:
        self._port = port
        with _in_our_words("the connection"):
            self._pump = nesp_lib.Pump(port, address)
            status = self._pump.status
        if status is not nesp_lib.Status.STOPPED:
            raise SyringeRefusedError(what="a new program", problem=f"it is {status.name.lower()}")
        try:
            self._set_up(diameter_mm)
        except AppError:
            self.leave()
            raise

    def _set_up(self, diameter_mm: Fraction) -> None:
        with _in_our_words("the syringe"):
            self._pump.safe_mode_timeout_s = SILENCE_S
            self._pump.syringe_diameter_mm = float(diameter_mm * _NUDGE)
            self._pump.pumping_direction = nesp_lib.PumpingDirection.INFUSE
            self._pump.volume_infused_clear()
            taken_mm = Fraction(f"{self._pump.syringe_diameter_mm:.3f}")
        if taken_mm != diameter_mm:
            raise SyringeRefusedError(what="the diameter", wanted=diameter_mm, taken=taken_mm)

    def infuse(self, volume_ul: Fraction, ul_per_min: Fraction) -> None:
        """Start to infuse; the pump stops by itself. Both numbers are ones of four digits in the pump's units."""
        with _in_our_words("the volume or the rate"):
            self._pump.pumping_volume_ml = float(volume_ul / 1000 * _NUDGE)
            self._pump.pumping_rate_ml_per_min = float(ul_per_min / 1000 * _NUDGE)
            taken_ul = _microlitres(self._pump.pumping_volume_ml)
            taken_ul_per_min = Fraction(f"{self._pump.pumping_rate_ml_per_min * 1000:.9f}")
        if taken_ul != volume_ul:
            raise SyringeRefusedError(what="the volume", wanted=volume_ul, taken=taken_ul)
        if abs(taken_ul_per_min - ul_per_min) > _FLOAT_DUST:
            raise SyringeRefusedError(what="the rate", wanted=ul_per_min, taken=taken_ul_per_min)
        with _in_our_words("the run"):
            self._pump.run(wait_while_running=False)

    def is_pumping(self) -> bool:
        """Whether it still pumps. Raises: SyringeRefusedError: somebody has paused it."""
        with _in_our_words("its state"):
            status = self._pump.status
        if status is nesp_lib.Status.PAUSED:
            raise SyringeRefusedError(what="to go on", problem="stopped by hand")
        return status is nesp_lib.Status.INFUSING

    def counted_ul(self) -> Fraction:
        """What the pump's counter shows; it shows four digits and cuts the rest."""
        with _in_our_words("its counter"):
            return _microlitres(self._pump.volume_infused_ml)

    def clear_counter(self) -> None:
        with _in_our_words("to clear its counter"):
            self._pump.volume_infused_clear()

    def stop(self) -> None:
        """Stop whatever runs."""
        with _in_our_words("to stop"):
            if self._pump.status not in (nesp_lib.Status.STOPPED, nesp_lib.Status.PAUSED):
                self._pump.stop()
            if self._pump.status is nesp_lib.Status.PAUSED:
                self._pump.stop()

    def leave(self) -> None:
        """Leave the pump in Basic mode and end the library's heartbeat, even when the pump is gone."""
        try:
            with _in_our_words("Basic mode"):
                self._pump.safe_mode_timeout_s = 0
        except AppError:
            self._port.part()
            with _in_our_words("Basic mode"):
                self._pump.safe_mode_timeout_s = 0


def farewell_to(request: bytes) -> bytes:
    """What a pump would say to the library's SAF0; its heartbeat, should it come in between, ends without a word."""
    address, command = request[2:-7], request[-7:-3]
    if command != b"SAF0":
        raise SystemExit
    return basic_packet(f"{int(address):02}S")


def _open(name: str, baud: int) -> serial.SerialBase:
    if "://" in name:
        return serial.serial_for_url(name, baud, timeout=_ANSWER_S)
    return serial.Serial(name, baud, timeout=_ANSWER_S, write_timeout=_ANSWER_S, exclusive=True)


@contextmanager
def _in_our_words(what: str) -> Iterator[None]:
    try:
        yield
    except nesp_lib.StatusAlarmException as alarm:
        raise SyringeAlarmError(alarm=alarm.alarm_status.name.lower()) from None
    except UnicodeDecodeError:
        raise SyringeGarbledError(problem="not ASCII") from None
    except (nesp_lib.StateException, ValueError) as refusal:
        raise SyringeRefusedError(what=what, problem=str(refusal) or "not while it pumps") from None
    except (nesp_lib.Exception, IndexError) as garbled:
        raise SyringeGarbledError(problem=type(garbled).__name__) from None


def _microlitres(library_ml: float) -> Fraction:
    """A pump's finest digit is 0.001 µL; what lies below is the float's, not the pump's."""
    return Fraction(f"{library_ml:.6f}") * 1000
