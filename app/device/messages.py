"""The messages of the protocol: what is asked and what is answered, as frozen values and as bytes.

Each field's annotation names its encoding: ``u8`` to ``u64`` (big endian), ``flag``, ``time``, ``text``, ``b16``, …

Law: one encoding for each value; a payload with a wrong length, an unknown word or anything left over is
refused. All quantities are whole numbers of the wire's quanta: ng, ng/mL, nL, minutes, seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Annotated, Any, ClassVar, TypeVar, get_args, get_origin, get_type_hints

from app.models.errors import AppError
from app.models.pump import Alarm, PumpEventKind

EPOCH = datetime(2000, 1, 1)
"""Pump clocks count whole seconds from here, without offset."""

EVENT_CODES = {kind: code for code, kind in enumerate(PumpEventKind, start=1)}
ALARM_BITS = {alarm: 1 << place for place, alarm in enumerate(Alarm)}

_Made = TypeVar("_Made")


class BadMessageError(AppError):
    """A payload that is not the encoding of its message."""


class Fate(IntEnum):
    """The pump's answer to RESOLVE."""

    COMMITTED = 1
    DEAD = 2
    FORGOTTEN = 3


class Refusal(IntEnum):
    """Why a pump refuses."""

    KEY = 1
    OLD_SESSION = 2
    OTHER_BASE = 3
    OTHER_DIGEST = 4
    SPENT_TOKEN = 5
    EXPIRED_TOKEN = 6
    UNKNOWN_ORDER = 7
    DEAD_ORDER = 8
    BUSY = 9
    BAD_LENGTH = 10
    BAD_SETTINGS = 11
    UNKNOWN_MESSAGE = 12

    @property
    def word(self) -> str:
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the pump's log on the wire."""

    number: Annotated[int, "u32"]
    at: Annotated[datetime, "time"]
    code: Annotated[int, "u8"]
    value: Annotated[int, "u64"]


@dataclass(frozen=True, slots=True)
class Hello:
    KIND: ClassVar[int] = 0x01
    nonce: Annotated[bytes, "b16"]


@dataclass(frozen=True, slots=True)
class Hi:
    KIND: ClassVar[int] = 0x81
    nonce: Annotated[bytes, "b16"]
    session: Annotated[int, "u32"]
    serial: Annotated[str, "text"]
    model: Annotated[str, "text"]
    firmware: Annotated[str, "text"]
    emulated: Annotated[bool, "flag"]
    must_stop: Annotated[bool, "flag"]
    max_chunk: Annotated[int, "u16"]
    deadline_ms: Annotated[int, "u32"]
    revision: Annotated[int, "u32"]
    digest: Annotated[bytes, "b32"]
    clock: Annotated[datetime, "time"]
    running: Annotated[bool, "flag"]
    reset: Annotated[bool, "flag"]
    alarms: Annotated[int, "u16"]
    applied: Annotated[tuple[bytes, ...], "b16s"]
    anchor: Annotated[bytes, "b32"]


@dataclass(frozen=True, slots=True)
class ReadProgram:
    KIND: ClassVar[int] = 0x02
    nonce: Annotated[bytes, "b16"]


@dataclass(frozen=True, slots=True)
class ProgramIs:
    KIND: ClassVar[int] = 0x82
    nonce: Annotated[bytes, "b16"]
    revision: Annotated[int, "u32"]
    digest: Annotated[bytes, "b32"]
    settings: Annotated[bytes, "blob"]


@dataclass(frozen=True, slots=True)
class ReadStatus:
    KIND: ClassVar[int] = 0x03
    nonce: Annotated[bytes, "b16"]


@dataclass(frozen=True, slots=True)
class StatusIs:
    KIND: ClassVar[int] = 0x83
    nonce: Annotated[bytes, "b16"]
    clock: Annotated[datetime, "time"]
    reservoir_nl: Annotated[int, "u64"]
    delivered_nl: Annotated[int, "u64"]
    running: Annotated[bool, "flag"]
    reset: Annotated[bool, "flag"]
    alarms: Annotated[int, "u16"]
    eri_seen: Annotated[bool, "flag"]
    eri_on: Annotated[datetime, "time"]
    bridge_left_min: Annotated[int, "u32"]


@dataclass(frozen=True, slots=True)
class ReadEvents:
    KIND: ClassVar[int] = 0x04
    nonce: Annotated[bytes, "b16"]
    cursor: Annotated[int, "u32"]


@dataclass(frozen=True, slots=True)
class EventsAre:
    KIND: ClassVar[int] = 0x84
    nonce: Annotated[bytes, "b16"]
    events: Annotated[tuple[Event, ...], "events"]
    cursor: Annotated[int, "u32"]
    more: Annotated[bool, "flag"]


@dataclass(frozen=True, slots=True)
class ReadClock:
    KIND: ClassVar[int] = 0x05
    nonce: Annotated[bytes, "b16"]


@dataclass(frozen=True, slots=True)
class ClockIs:
    KIND: ClassVar[int] = 0x85
    nonce: Annotated[bytes, "b16"]
    clock: Annotated[datetime, "time"]


@dataclass(frozen=True, slots=True)
class Begin:
    KIND: ClassVar[int] = 0x10
    txn: Annotated[bytes, "b16"]
    base_revision: Annotated[int, "u32"]
    base_digest: Annotated[bytes, "b32"]
    length: Annotated[int, "u16"]
    digest: Annotated[bytes, "b32"]


@dataclass(frozen=True, slots=True)
class Ready:
    KIND: ClassVar[int] = 0x90
    txn: Annotated[bytes, "b16"]


@dataclass(frozen=True, slots=True)
class Chunk:
    KIND: ClassVar[int] = 0x11
    txn: Annotated[bytes, "b16"]
    offset: Annotated[int, "u16"]
    part: Annotated[bytes, "blob"]


@dataclass(frozen=True, slots=True)
class Took:
    KIND: ClassVar[int] = 0x91
    txn: Annotated[bytes, "b16"]
    held: Annotated[int, "u16"]


@dataclass(frozen=True, slots=True)
class Seal:
    KIND: ClassVar[int] = 0x12
    txn: Annotated[bytes, "b16"]


@dataclass(frozen=True, slots=True)
class SealedIs:
    KIND: ClassVar[int] = 0x92
    txn: Annotated[bytes, "b16"]
    digest: Annotated[bytes, "b32"]
    token: Annotated[bytes, "b16"]
    expires_s: Annotated[int, "u16"]
    settings: Annotated[bytes, "blob"]


@dataclass(frozen=True, slots=True)
class Commit:
    KIND: ClassVar[int] = 0x13
    txn: Annotated[bytes, "b16"]
    digest: Annotated[bytes, "b32"]
    token: Annotated[bytes, "b16"]
    anchor: Annotated[bytes, "b32"]


@dataclass(frozen=True, slots=True)
class CommittedIs:
    KIND: ClassVar[int] = 0x93
    txn: Annotated[bytes, "b16"]
    revision: Annotated[int, "u32"]
    effective_at: Annotated[datetime, "time"]


@dataclass(frozen=True, slots=True)
class Resolve:
    KIND: ClassVar[int] = 0x14
    txn: Annotated[bytes, "b16"]


@dataclass(frozen=True, slots=True)
class ResolvedIs:
    KIND: ClassVar[int] = 0x94
    txn: Annotated[bytes, "b16"]
    fate: Annotated[int, "u8"]
    revision: Annotated[int, "u32"]


@dataclass(frozen=True, slots=True)
class Nak:
    KIND: ClassVar[int] = 0xFF
    reason: Annotated[int, "u8"]


QUESTIONS = (Hello, ReadProgram, ReadStatus, ReadEvents, ReadClock)
COMMANDS = (Begin, Chunk, Seal, Commit, Resolve)
ANSWERS = (Hi, ProgramIs, StatusIs, EventsAre, ClockIs, Ready, Took, SealedIs, CommittedIs, ResolvedIs, Nak)

Message = (
    Hello | Hi | ReadProgram | ProgramIs | ReadStatus | StatusIs | ReadEvents | EventsAre | ReadClock | ClockIs
    | Begin | Ready | Chunk | Took | Seal | SealedIs | Commit | CommittedIs | Resolve | ResolvedIs | Nak
)  # fmt: skip

BY_KIND: dict[int, Any] = {made.KIND: made for made in (*QUESTIONS, *COMMANDS, *ANSWERS)}

_SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8}


def encode_message(message: Message) -> bytes:
    """The payload of ``message``. Raises: BadMessageError: a value does not fit its field."""
    return _encode(message)


def decode_message(kind: int, payload: bytes) -> Message:
    """The message of that kind. Raises: BadMessageError."""
    made = BY_KIND.get(kind)
    if made is None:
        raise BadMessageError(problem="kind", kind=kind)
    reader = _Reader(payload)
    message: Message = _decode(made, reader)
    reader.finish()
    return message


def seconds_of(moment: datetime) -> int:
    """Whole seconds since :data:`EPOCH`, floored."""
    return (moment - EPOCH) // timedelta(seconds=1)


def _encode(value: Any) -> bytes:
    return b"".join(_encode_field(kind, getattr(value, name)) for name, kind in _LAYOUTS[type(value)])


def _layout(made: Any) -> tuple[tuple[str, str], ...]:
    """(name, encoding) of each field, in order."""
    hints = get_type_hints(made, include_extras=True)
    return tuple((name, get_args(hint)[1]) for name, hint in hints.items() if get_origin(hint) is Annotated)


_LAYOUTS: dict[Any, tuple[tuple[str, str], ...]] = {made: _layout(made) for made in (Event, *BY_KIND.values())}


def _encode_field(kind: str, value: Any) -> bytes:
    try:
        if kind in _SIZES:
            return int(value).to_bytes(_SIZES[kind], "big")
        if kind == "flag":
            return bytes((1 if value else 0,))
        if kind == "time":
            return seconds_of(value).to_bytes(8, "big")
        if kind == "text":
            text = str(value).encode()
            return len(text).to_bytes(1, "big") + text
        if kind == "blob":
            return len(value).to_bytes(2, "big") + bytes(value)
        if kind == "b16s":
            return len(value).to_bytes(1, "big") + b"".join(_encode_field("b16", item) for item in value)
        if kind == "events":
            return len(value).to_bytes(2, "big") + b"".join(_encode(event) for event in value)
    except OverflowError:
        raise BadMessageError(problem="range", value=value) from None
    if len(value) != int(kind[1:]):
        raise BadMessageError(problem="length", value=value)
    return bytes(value)


def _decode(made: type[_Made], reader: _Reader) -> _Made:
    return made(**{name: _decode_field(kind, reader) for name, kind in _LAYOUTS[made]})


def _decode_field(kind: str, reader: _Reader) -> Any:
    if kind in _SIZES:
        return reader.number(_SIZES[kind])
    if kind == "flag":
        return reader.flag()
    if kind == "time":
        return reader.moment()
    if kind == "text":
        return reader.text()
    if kind == "blob":
        return reader.take(reader.number(2))
    if kind == "b16s":
        return tuple(reader.take(16) for _ in range(reader.number(1)))
    if kind == "events":
        return tuple(_decode(Event, reader) for _ in range(reader.number(2)))
    return reader.take(int(kind[1:]))


class _Reader:
    """Takes values off the front of a payload."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._position = 0

    def take(self, length: int) -> bytes:
        part = self._payload[self._position : self._position + length]
        if len(part) != length:
            raise BadMessageError(problem="too-short")
        self._position += length
        return part

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def flag(self) -> bool:
        value = self.number(1)
        if value > 1:
            raise BadMessageError(problem="flag", value=value)
        return value == 1

    def text(self) -> str:
        try:
            return self.take(self.number(1)).decode()
        except UnicodeDecodeError:
            raise BadMessageError(problem="text") from None

    def moment(self) -> datetime:
        try:
            return EPOCH + timedelta(seconds=self.number(8))
        except OverflowError:
            raise BadMessageError(problem="time") from None

    def finish(self) -> None:
        if self._position != len(self._payload):
            raise BadMessageError(problem="too-long")
