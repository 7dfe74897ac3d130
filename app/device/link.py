"""One session on a cable: frames out, the one answer to each back in.

Law: an answer counts only in this session, with this number, and with the nonce or the order of what was sent;
everything else is noise. A question may be asked three times, a command is sent once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

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
from app.device.messages import Hello, Hi, Message, Nak, Refusal, decode_message, encode_message
from app.device.transports import Transport
from app.device.wire_fields import BadMessageError
from app.models.errors import AppError
from app.models.pump import CableProblem, CommandUncertainError, LinkLostError, PumpRefusedError, WrongPumpError

TRIES = 3
"""How often a question is asked; two of them may be lost."""

_HELLO_DEADLINE_S = 2.0
_LONGEST_DEADLINE_S = 30.0

_Answer = TypeVar("_Answer")


class Link:
    """The program's end of the cable, with the session that the pump has issued.

    Args:
        open_transport: opens the cable; called again after every loss of it.
        key: the key of the pump that is expected at the other end.
        randomness: that many fresh random bytes.
        monotonic: seconds that never run back.
    """

    def __init__(
        self,
        open_transport: Callable[[], Transport],
        key: bytes,
        randomness: Callable[[int], bytes],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_transport = open_transport
        self._key = key
        self._randomness = randomness
        self._monotonic = monotonic
        self._cable: Transport | None = None
        self._reader = FrameReader()
        self._session = 0
        self._number = 0
        self._deadline_s = _HELLO_DEADLINE_S
        self._heard = CableProblem.SILENT

    def greet(self) -> Hi:
        """Start a new session, on a new cable if the old one was lost.

        Raises: LinkLostError, WrongPumpError: the pump's key is another one.
        """
        lost = LinkLostError(problem=CableProblem.SILENT)
        for _ in range(TRIES):
            try:
                if self._cable is None:
                    self._cable, self._reader = self._open_transport(), FrameReader()
                hi = self._exchange(Hello(self._randomness(16)), Hi, _HELLO_DEADLINE_S)
            except LinkLostError as error:
                lost = error
                self.close()
                continue
            except PumpRefusedError as refused:
                lost = LinkLostError(problem="refused", **refused.values)
                continue
            if hi is not None:
                self._session = hi.session
                self._deadline_s = min(hi.deadline_ms / 1000, _LONGEST_DEADLINE_S)
                return hi
            lost = LinkLostError(problem=self._heard)
        self.close()
        raise lost

    def ask(self, question: Callable[[bytes], Message], answer_type: type[_Answer]) -> _Answer:
        """Ask, again if need be, until this very question is answered. Raises: LinkLostError, WrongPumpError."""
        for _ in range(TRIES):
            try:
                answer = self._exchange(question(self._randomness(16)), answer_type, self._deadline_s)
            except PumpRefusedError as refused:
                self.close()
                raise LinkLostError(problem="refused", **refused.values) from None
            except LinkLostError:
                self.close()
                raise
            if answer is not None:
                return answer
        self.close()
        raise LinkLostError(problem=self._heard)

    def order(self, command: Message, answer_type: type[_Answer]) -> _Answer:
        """Send a command, once. Raises: CommandUncertainError, PumpRefusedError."""
        try:
            answer = self._exchange(command, answer_type, self._deadline_s)
        except (LinkLostError, WrongPumpError) as lost:
            self.close()
            raise CommandUncertainError(command=type(command).__name__, problem=str(lost)) from None
        if answer is None:
            self.close()
            raise CommandUncertainError(command=type(command).__name__, problem=self._heard)
        return answer

    def close(self) -> None:
        """Let go of the cable and the session."""
        if self._cable is not None:
            self._cable.close()
        self._cable = None
        self._session = 0

    def _exchange(self, message: Message, answer_type: type[_Answer], deadline_s: float) -> _Answer | None:
        """Send one frame and wait for its answer; ``None`` if none came before the deadline.

        The deadline is for the whole answer, so that a dribbling line cannot hold it open.

        Raises:
            LinkLostError: the cable is gone.
            PumpRefusedError: NAK.
            WrongPumpError: a whole frame came, sealed with another pump's key.
        """
        if self._cable is None:
            raise LinkLostError(problem="no session")
        self._number = (self._number + 1) % 65_536
        session = 0 if isinstance(message, Hello) else self._session
        sent = Frame(message.KIND, TO_PUMP, session, self._number, encode_message(message))
        self._cable.write(encode_frame(sent, self._key))
        ends = self._monotonic() + deadline_s
        self._heard = CableProblem.SILENT
        while True:
            arrived = self._cable.read(max(0.0, ends - self._monotonic()))
            for stuffed in self._reader.feed(arrived):
                answer = self._answer_in(stuffed, sent, message)
                if isinstance(answer, Nak):
                    raise _refusal(answer)
                if isinstance(answer, answer_type):
                    return answer
            if arrived:
                self._heard = CableProblem.SLOW if self._reader.begins_like_a_frame else CableProblem.NOISE
            if self._monotonic() >= ends or (not arrived and self._cable.immediate):
                return None

    def _answer_in(self, stuffed: bytes, sent: Frame, asked: Message) -> Message | None:
        """The message in a frame, if it answers what was sent."""
        try:
            frame = decode_frame(stuffed, self._key)
            if frame.direction != TO_PROGRAM or frame.number != sent.number:
                return None
            answer = decode_message(frame.kind, frame.payload)
        except WrongKeyError as wrong:
            if wrong.values["direction"] != TO_PROGRAM:
                return None
            raise WrongPumpError(found="a pump with another key", reason="key") from None
        except (BadFrameError, BadMessageError):
            return None
        session = answer.session if isinstance(answer, Hi) else sent.session
        return answer if frame.session == session and _belongs(answer, asked) else None


def _belongs(answer: Message, asked: Message) -> bool:
    """Whether the answer repeats the nonce or the order of what was asked; a NAK has neither."""
    if isinstance(answer, Nak):
        return True
    return all(getattr(answer, name, None) == getattr(asked, name, None) for name in ("nonce", "txn"))


def _refusal(nak: Nak) -> AppError:
    known = nak.reason in list(Refusal)
    if known and Refusal(nak.reason) is Refusal.KEY:
        return WrongPumpError(found="a pump with another key", reason="key")
    return PumpRefusedError(reason=Refusal(nak.reason).word if known else str(nak.reason))
