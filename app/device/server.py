"""The pump's end of the cable: bytes in, bytes out.

Law: only a frame of the open session, sealed with this pump's key, reaches the pump; faults are put between the
cable and the pump, never into the pump's answers to itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from app.device.emulated_pump import EmulatedPump, PowerCutError
from app.device.frames import (
    TO_PROGRAM,
    TO_PUMP,
    BadFrameError,
    Frame,
    FrameReader,
    WrongKeyError,
    decode_frame,
    encode_frame,
)
from app.device.messages import (
    Hello,
    Hi,
    Message,
    Nak,
    Refusal,
    decode_message,
    encode_message,
)
from app.device.wire_fields import BadMessageError


class Do(StrEnum):
    """What a fault does to one exchange."""

    DROP_REQUEST = "drop-request"
    DROP_ANSWER = "drop-answer"
    DUPLICATE = "duplicate"
    FLIP = "flip"
    TRUNCATE = "truncate"
    REBOOT_BEFORE = "reboot-before"
    REBOOT_AFTER = "reboot-after"
    REBOOT_INSIDE = "reboot-inside"
    DIE_BEFORE = "die-before"
    DIE_AFTER = "die-after"


@dataclass(frozen=True, slots=True)
class Fault:
    """``do`` at the ``nth`` message (counted from 1) whose class is called ``on``."""

    do: Do
    on: str
    nth: int = 1


class PumpDiedError(Exception):
    """The emulated pump is to vanish now, as if its cable were cut."""


class PumpServer:
    """One pump on a cable. ``faults`` may be changed at any time; ``turn`` is held while the pump is touched."""

    def __init__(self, pump: EmulatedPump, key: bytes) -> None:
        self.pump = pump
        self.faults: list[Fault] = []
        self.heard: list[str] = []
        self.turn = threading.RLock()
        self._key = key
        self._reader = FrameReader()
        self._seen: dict[str, int] = {}

    def feed(self, arrived: bytes) -> bytes:
        """Obey every whole frame in ``arrived`` and return the answers. Raises: PumpDiedError."""
        with self.turn:
            return b"".join(self._obey(stuffed) for stuffed in self._reader.feed(arrived))

    def hang_up(self) -> None:
        """The cable is gone; what was half received is noise."""
        self._reader = FrameReader()

    def _obey(self, stuffed: bytes) -> bytes:
        try:
            frame = decode_frame(stuffed, self._key)
            message = decode_message(frame.kind, frame.payload)
        except WrongKeyError as wrong:
            foreign = wrong.values["direction"] == TO_PUMP
            return self._wrap(Nak(Refusal.KEY), Frame(0, TO_PUMP, 0, 0, b"")) if foreign else b""
        except (BadFrameError, BadMessageError):
            return b""
        if frame.direction != TO_PUMP:
            return b""
        return self._with_faults(type(message).__name__, lambda: self._answer(frame, message))

    def _answer(self, frame: Frame, message: Message) -> bytes:
        if not isinstance(message, Hello) and frame.session != self.pump.session:
            return self._wrap(Nak(Refusal.OLD_SESSION), frame)
        return self._wrap(self.pump.answer(message), frame)

    def _wrap(self, answer: Message, asked: Frame) -> bytes:
        session = answer.session if isinstance(answer, Hi) else asked.session
        frame = Frame(answer.KIND, TO_PROGRAM, session, asked.number, encode_message(answer))
        return encode_frame(frame, self._key)

    def _with_faults(self, name: str, answer: Callable[[], bytes]) -> bytes:
        self.heard.append(name)
        self._seen[name] = self._seen.get(name, 0) + 1
        fault = next((f for f in self.faults if f.on == name and f.nth == self._seen[name]), None)
        if fault is None:
            return self._unless_power_fails(answer)
        match fault.do:
            case Do.DROP_REQUEST:
                return b""
            case Do.DIE_BEFORE:
                raise PumpDiedError
            case Do.REBOOT_BEFORE:
                self.pump.reboot()
                return b""
            case Do.REBOOT_INSIDE:
                self.pump.writes_left = 1
            case Do.DUPLICATE:
                return answer() + answer()
        raw = self._unless_power_fails(answer)
        match fault.do:
            case Do.DIE_AFTER:
                raise PumpDiedError
            case Do.REBOOT_AFTER | Do.REBOOT_INSIDE:
                self.pump.reboot()
                return b""
            case Do.FLIP:
                middle = len(raw) // 2
                return raw[:middle] + bytes((raw[middle] ^ 0x10,)) + raw[middle + 1 :]
            case Do.TRUNCATE:
                return raw[: len(raw) // 2]
            case _:
                return b""

    def _unless_power_fails(self, answer: Callable[[], bytes]) -> bytes:
        """The answer, or silence from a pump that has just started again."""
        try:
            return answer()
        except PowerCutError:
            self.pump.reboot()
            return b""

    def forget_counts(self) -> None:
        """Count messages from 1 again."""
        self._seen.clear()
        self.heard.clear()
