"""The bench's end of a cable: any frame, right or wrong, and every byte that comes back.

Law: nothing is hidden. An answer counts only if it is the one frame that the document asks for; whatever else comes
is a failure, with its bytes.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import struct
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from app.device import cobs
from app.device.frames import (
    MAC_LENGTH,
    TO_PROGRAM,
    TO_PUMP,
    VERSION,
    BadFrameError,
    Frame,
    FrameReader,
    WrongKeyError,
    decode_frame,
)
from app.device.messages import (
    Begin,
    Chunk,
    ClockIs,
    Commit,
    CommittedIs,
    Event,
    EventsAre,
    Hello,
    Hi,
    Message,
    Nak,
    ProgramIs,
    ReadClock,
    ReadEvents,
    ReadProgram,
    ReadStatus,
    Ready,
    Refusal,
    Resolve,
    ResolvedIs,
    Seal,
    SealedIs,
    StatusIs,
    Took,
    decode_message,
    encode_message,
)
from app.device.order_codec import What, order_digest
from app.device.settings_codec import FG_PER_NG, YG_PER_NG, encode_settings
from app.device.transports import Transport
from app.device.wire_fields import BadMessageError
from app.models.errors import AppError
from app.models.program import Program, SimpleContinuous
from app.models.pump import PumpSettings
from app.models.quantities import Concentration, DoseRate

Door = Callable[[Mapping[str, str | int]], Mapping[str, Any]]
"""The bench door of an emulated pump: one order in, its answer out. Raises: NotRunError."""

HELLO_DEADLINE_S = 2.0
_LONGEST_DEADLINE_S = 30.0
_HELLO_TRIES = 3
_NL_PER_ML = 1_000_000

_Answer = TypeVar("_Answer")


class NotAsDocumentedError(AppError):
    """The pump did something else than the document says; ``expected`` and ``came`` are words."""


class NotRunError(AppError):
    """A check does not apply to this pump or to this run; ``reason`` says why."""


@dataclass(frozen=True, slots=True)
class Staged:
    """An order that the pump has sealed."""

    begin: Begin
    raw: bytes
    sealed: SealedIs

    def commit(self, anchor: bytes, **changes: bytes) -> Commit:
        return replace(Commit(self.begin.txn, self.sealed.digest, self.sealed.token, anchor), **changes)


class Bench:
    """One session after another on one cable.

    Args:
        open_transport: opens the cable.
        key: the pump's key.
        randomness: that many fresh random bytes.
        monotonic: seconds that never run back.
        sleep: lets so many seconds pass.
        door: the bench door of an emulated pump, if there is one.
        slow: whether minutes may be spent on one check.
    """

    def __init__(
        self,
        open_transport: Callable[[], Transport],
        key: bytes,
        *,
        randomness: Callable[[int], bytes],
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        door: Door | None = None,
        slow: bool = False,
    ) -> None:
        self.key = key
        self.randomness = randomness
        self.monotonic = monotonic
        self.sleep = sleep
        self.slow = slow
        self.sent = b""
        self.came = b""
        self.sessions: list[int] = []
        self.session = 0
        self._door = door
        self._open_transport = open_transport
        self._cable: Transport | None = None
        self._reader = FrameReader()
        self._number = 0
        self._deadline_s = HELLO_DEADLINE_S
        self._flow_nl = 100_000
        self._hi: Hi | None = None
        self._last_order: bytes | None = None

    # -- the cable -------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of the cable."""
        cable, self._cable = self._cable, None
        if cable is not None:
            cable.close()

    def forget(self) -> None:
        """Begin the record of sent and arrived bytes anew; what still lies in the cable is thrown away."""
        cable = self._opened()
        while cable.read(0):
            pass
        self._reader = FrameReader()
        self.sent = self.came = b""

    def write(self, raw: bytes) -> None:
        """Send bytes as they are. Raises: LinkLostError."""
        self.sent += raw
        self._opened().write(raw)

    def frames_until(self, number: int) -> list[Frame]:
        """What comes up to the frame of that number, or until the deadline. Raises: NotAsDocumentedError."""
        cable, frames, ends = self._opened(), list[Frame](), self.monotonic() + self._deadline_s
        while True:
            arrived = cable.read(max(0.0, ends - self.monotonic()))
            self.came += arrived
            frames += [self._frame_in(stuffed) for stuffed in self._reader.feed(arrived)]
            if any(frame.number == number for frame in frames):
                return frames
            if self.monotonic() >= ends or (not arrived and cable.immediate):
                return frames

    def next_number(self) -> int:
        """A number that no frame of this run bears yet; never 0, which a NAK *key* bears."""
        self._number = self._number % 65_534 + 1
        return self._number

    def door(self, **order: str | int) -> Mapping[str, Any]:
        """Give the emulated pump's bench an order. Raises: NotRunError."""
        if self._door is None:
            raise NotRunError(reason="needs --control, the bench door of an emulated pump")
        return self._door(order)

    def _opened(self) -> Transport:
        if self._cable is None:
            self._cable, self._reader = self._open_transport(), FrameReader()
        return self._cable

    def _frame_in(self, stuffed: bytes) -> Frame:
        try:
            frame = decode_frame(stuffed, self.key)
        except BadFrameError as bad:
            came = f"{stuffed.hex()} (wrong {bad.values['problem']})"
            raise NotAsDocumentedError(expected="whole frames only", came=came) from None
        except WrongKeyError:
            raise NotAsDocumentedError(
                expected="frames under the pump's own key", came=f"{stuffed.hex()} (another code)"
            ) from None
        if frame.direction != TO_PROGRAM:
            raise NotAsDocumentedError(expected="direction 01", came=f"direction {frame.direction:02x}")
        return frame

    # -- one question, one answer ----------------------------------------------------------------------------

    def framed(self, message: Message, *, session: int | None = None, number: int | None = None) -> bytes:
        """The message in a right frame of this session."""
        if session is None:
            session = 0 if isinstance(message, Hello) else self.session
        number = self.next_number() if number is None else number
        return wire(message.KIND, encode_message(message), key=self.key, session=session, number=number)

    def ask(self, message: Message, *, session: int | None = None) -> Message:
        """The one answer to a message. Raises: NotAsDocumentedError: silence, or more than that."""
        number = self.next_number()
        session = self.session if session is None else session
        self.write(self.framed(message, session=0 if isinstance(message, Hello) else session, number=number))
        return self.only(self.frames_until(number), number, session)

    def only(self, frames: list[Frame], number: int, session: int | None = None) -> Message:
        """The message in the only frame, which must bear this number and session. Raises: NotAsDocumentedError."""
        if len(frames) != 1:
            came = ", ".join(described(message_in(frame)) for frame in frames) or "nothing"
            raise NotAsDocumentedError(expected="one answer", came=came)
        answer, session = message_in(frames[0]), self.session if session is None else session
        if isinstance(answer, Hi):
            session = answer.session
        if isinstance(answer, Ready):
            self._last_order = answer.txn
        require_same("number of the answer", number, frames[0].number)
        require_same("session of the answer", session, frames[0].session)
        return answer

    def expect(self, message: Message, answer_type: type[_Answer]) -> _Answer:
        """The answer, of that type and to this very message. Raises: NotAsDocumentedError."""
        answer = self.ask(message)
        if not isinstance(answer, answer_type):
            raise NotAsDocumentedError(expected=name_of(answer_type), came=described(answer))
        for name in ("nonce", "txn"):
            wanted, came = getattr(message, name, None), getattr(answer, name, None)
            require_same(f"{name} in {name_of(answer_type)}", wanted, came)
        return answer

    def refused(self, message: Message, *reasons: Refusal, session: int | None = None) -> None:
        """The pump must refuse this, for one of these reasons. Raises: NotAsDocumentedError."""
        answer = self.ask(message, session=session)
        if not isinstance(answer, Nak) or answer.reason not in reasons:
            wanted = " or ".join(reason.word for reason in reasons)
            raise NotAsDocumentedError(expected=f"NAK {wanted} to {name_of(type(message))}", came=described(answer))

    def silent(self, raw: bytes) -> None:
        """The pump must not answer these bytes, but the good question that follows them at once."""
        number = self.next_number()
        self.write(raw + self.framed(ReadClock(self.randomness(16)), number=number))
        answer = self.only(self.frames_until(number), number)
        require_same("answer to the question behind it", name_of(ClockIs), name_of(type(answer)))

    # -- sessions and questions ------------------------------------------------------------------------------

    @property
    def hi(self) -> Hi:
        """What the pump said at the last greeting."""
        return self._hi or self.greet()

    def greet(self) -> Hi:
        """A new session. Silence is borne twice, since a pump may start when its port is opened."""
        for _ in range(_HELLO_TRIES - 1):
            before = len(self.came)
            try:
                return self._hello()
            except NotAsDocumentedError:
                if len(self.came) > before:
                    raise
        return self._hello()

    def _hello(self) -> Hi:
        self._deadline_s = HELLO_DEADLINE_S
        return self.take(self.expect(Hello(self.randomness(16)), Hi))

    def take(self, hi: Hi) -> Hi:
        """Go on in the session of this answer."""
        self._hi, self.session = hi, hi.session
        self.sessions.append(hi.session)
        self._deadline_s = min(hi.deadline_ms / 1000, _LONGEST_DEADLINE_S)
        return hi

    def program(self) -> ProgramIs:
        return self.expect(ReadProgram(self.randomness(16)), ProgramIs)

    def status(self) -> StatusIs:
        return self.expect(ReadStatus(self.randomness(16)), StatusIs)

    def clock(self) -> ClockIs:
        return self.expect(ReadClock(self.randomness(16)), ClockIs)

    def events(self, cursor: int) -> EventsAre:
        """One answer's worth of the log."""
        return self.expect(ReadEvents(self.randomness(16), cursor), EventsAre)

    def pages(self, cursor: int = 0) -> Iterator[EventsAre]:
        """The log after the cursor, answer by answer. Raises: NotAsDocumentedError: it leads nowhere."""
        while True:
            page = self.events(cursor)
            yield page
            if not page.more:
                return
            if page.cursor <= cursor:
                raise NotAsDocumentedError(expected="a cursor that goes on", came=described(page))
            cursor = page.cursor

    def log(self, cursor: int = 0) -> list[Event]:
        return [event for page in self.pages(cursor) for event in page.events]

    def log_end(self) -> int:
        """The number of the last event; 0 if there is none."""
        return [page.cursor for page in self.pages()][-1]

    # -- orders ----------------------------------------------------------------------------------------------

    def trial(self, original: PumpSettings) -> PumpSettings:
        """A simple program for the bench, of the same drug, other than all before; the reservoir's counter stays."""
        self._flow_nl = 100_000 + (self._flow_nl + 1_000) % 100_000
        wire_concentration = original.concentration.quanta // FG_PER_NG or _NL_PER_ML
        dose = max(1, wire_concentration * self._flow_nl // _NL_PER_ML)
        return replace(
            original,
            concentration=Concentration(wire_concentration * FG_PER_NG),
            program=Program(SimpleContinuous(DoseRate(dose * YG_PER_NG))),
            reservoir=None,
            bridge=None,
        )

    def opening(self, what: int, raw: bytes, **changes: Any) -> Begin:
        """BEGIN of a fresh order on the state of the last HI."""
        begin = Begin(
            self.randomness(16), what, self.hi.revision, self.hi.digest, len(raw), order_digest(what, raw)
        )
        return replace(begin, **changes)

    def begin(self, what: int, raw: bytes, **changes: Any) -> Begin:
        """Open a draft."""
        begin = self.opening(what, raw, **changes)
        self.expect(begin, Ready)
        return begin

    def drop_draft(self) -> None:
        """Let a draft die that should have gone with its session; what was applied stays so."""
        self.greet()
        if self._last_order is not None:
            self.resolve(self._last_order)

    def fill(self, begin: Begin, raw: bytes) -> None:
        """Send all bytes of a draft."""
        longest = max(1, self.hi.max_chunk)
        for offset in range(0, len(raw), longest):
            part = raw[offset : offset + longest]
            took = self.expect(Chunk(begin.txn, offset, part), Took)
            require_same("held", offset + len(part), took.held)

    def draft(self, what: int, raw: bytes, **changes: Any) -> Begin:
        """BEGIN and CHUNK: a draft that is not sealed yet."""
        begin = self.begin(what, raw, **changes)
        self.fill(begin, raw)
        return begin

    def stage(self, what: int, raw: bytes) -> Staged:
        """BEGIN, CHUNK and SEAL."""
        begin = self.draft(what, raw)
        return Staged(begin, raw, self.expect(Seal(begin.txn), SealedIs))

    def carry_out(self, what: int, raw: bytes) -> tuple[Staged, CommittedIs]:
        """A whole order in a session of its own."""
        self.greet()
        staged = self.stage(what, raw)
        return staged, self.expect(staged.commit(self.randomness(32)), CommittedIs)

    def program_it(self, settings: PumpSettings) -> tuple[Staged, CommittedIs]:
        return self.carry_out(What.SETTINGS, encode_settings(settings))

    def must_refuse(self, what: int, raw: bytes, *reasons: Refusal) -> None:
        """The pump must refuse this order at one of the steps up to COMMIT; any reason will do if none is named."""
        self.greet()
        begin = self.opening(what, raw)
        parts = [Chunk(begin.txn, 0, raw)] if raw else []
        steps: tuple[Message, ...] = (begin, *parts, Seal(begin.txn))
        for step in steps:
            answer = self.ask(step)
            if isinstance(answer, Nak):
                break
        if isinstance(answer, SealedIs):
            answer = self.ask(Staged(begin, raw, answer).commit(bytes(32)))
        wanted = " or ".join(reason.word for reason in reasons)
        if not isinstance(answer, Nak) or (reasons and answer.reason not in reasons):
            raise NotAsDocumentedError(expected=f"NAK {wanted}".strip(), came=described(answer))

    def resolve(self, txn: bytes) -> ResolvedIs:
        return self.expect(Resolve(txn), ResolvedIs)

    def settle(self) -> None:
        """A pump that runs its program and nothing else: what an earlier check left behind is ended."""
        self.greet()
        status = self.status()
        if status.bolus_nl and status.running:
            self.carry_out(What.STOP, b"")
        if not self.greet().running:
            self.carry_out(What.RESUME, b"")
        self.greet()


def wire(
    kind: int,
    payload: bytes,
    *,
    key: bytes,
    session: int,
    number: int,
    version: int = VERSION,
    direction: int = TO_PUMP,
    length: int | None = None,
    spoil: int = 0,
) -> bytes:
    """A frame with delimiters, in which anything may be wrong. ``spoil`` is put over its check sum."""
    stated = len(payload) if length is None else length
    return delimited(cobs.encode(sealed(struct.pack(
        ">BBBIHH", version, kind, direction, session, number, stated
    ) + payload, key, spoil=spoil)))  # fmt: skip


def sealed(signed: bytes, key: bytes, *, spoil: int = 0) -> bytes:
    """Bytes with authentication code and check sum."""
    coded = signed + hmac.digest(key, signed, hashlib.sha256)[:MAC_LENGTH]
    return coded + struct.pack(">I", zlib.crc32(coded) ^ spoil)


def delimited(stuffed: bytes) -> bytes:
    return b"\x00" + stuffed + b"\x00"


def message_in(frame: Frame) -> Message:
    """Raises: NotAsDocumentedError: no message of the document."""
    try:
        return decode_message(frame.kind, frame.payload)
    except BadMessageError:
        raise NotAsDocumentedError(
            expected="a message of the document", came=f"kind {frame.kind:02x}, payload {frame.payload.hex()}"
        ) from None


def name_of(made: type[Any]) -> str:
    """The message's name in the document: READ_PROGRAM, PROGRAM."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", re.sub(r"(Is|Are)$", "", made.__name__)).upper()


def described(message: Message) -> str:
    """The message in words, its bytes in hex."""
    if isinstance(message, Nak):
        return f"NAK {Refusal(message.reason).word if message.reason in list(Refusal) else message.reason}"
    values = (f"{field.name} {shown(getattr(message, field.name))}" for field in fields(message))
    return f"{name_of(type(message))} ({', '.join(values)})"


def shown(value: object) -> str:
    """A value for the report, bytes in hex."""
    if isinstance(value, tuple | list):
        return f"({', '.join(shown(part) for part in value)})"
    return (value.hex() if isinstance(value, bytes) else str(value)) or "nothing"


def require_same(what: str, expected: object, came: object) -> None:
    """Raises: NotAsDocumentedError."""
    require(came == expected, f"{what}: {shown(expected)}", shown(came))


def require(holds: bool, expected: str, came: object) -> None:
    """Raises: NotAsDocumentedError."""
    if not holds:
        raise NotAsDocumentedError(expected=expected, came=str(came))
