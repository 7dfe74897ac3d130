"""The messages of the protocol: what is asked and what is answered, as frozen values and as bytes.

Each field's annotation names its encoding (``app.device.wire_fields``).

Law: all quantities are whole numbers of the wire's quanta: ng, ng/mL, nL, minutes, seconds of the pump's clock.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Annotated, Any, ClassVar

from app.device.wire_fields import BadMessageError, decode_fields, encode_fields
from app.models.pump import Alarm, PumpEventKind

EVENT_CODES = {
    PumpEventKind.STARTED: 1,
    PumpEventKind.STOPPED: 2,
    PumpEventKind.COMMITTED: 3,
    PumpEventKind.FILLED: 4,
    PumpEventKind.BOLUS_STARTED: 5,
    PumpEventKind.BOLUS_ENDED: 6,
    PumpEventKind.BRIDGE_ENDED: 7,
    PumpEventKind.STALLED: 8,
    PumpEventKind.RECOVERED: 9,
    PumpEventKind.RESET: 10,
    PumpEventKind.ALARM: 11,
    PumpEventKind.CLOCK_SET: 12,
    PumpEventKind.PATIENT_BOLUS: 13,
    PumpEventKind.PATIENT_REFUSED: 14,
    PumpEventKind.SILENCED: 15,
}

ALARM_BITS = {
    Alarm.LOW_RESERVOIR: 1,
    Alarm.ERI: 2,
    Alarm.MEMORY_ERROR: 4,
    Alarm.EMPTY_RESERVOIR: 8,
    Alarm.END_OF_SERVICE: 16,
    Alarm.MOTOR_STALL: 32,
    Alarm.STOPPED_TOO_LONG: 64,
    Alarm.CRITICAL_MEMORY_ERROR: 128,
    Alarm.LOW_BATTERY_RESET: 256,
}


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
    STATE = 13

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


def chained(before: bytes, event: Event) -> bytes:
    """The log's hash (32 bytes) after ``event``, if it was ``before`` until then; 32 zero bytes before the first."""
    return hashlib.sha256(b"cisterna event" + before + encode_fields(event)).digest()


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
    bolus_nl: Annotated[int, "u64"]
    bolus_given_nl: Annotated[int, "u64"]


@dataclass(frozen=True, slots=True)
class ReadEvents:
    KIND: ClassVar[int] = 0x04
    nonce: Annotated[bytes, "b16"]
    cursor: Annotated[int, "u32"]


@dataclass(frozen=True, slots=True)
class EventsAre:
    KIND: ClassVar[int] = 0x84
    nonce: Annotated[bytes, "b16"]
    events: Annotated[tuple[Event, ...], "many"]
    cursor: Annotated[int, "u32"]
    more: Annotated[bool, "flag"]
    chain: Annotated[bytes, "b32"]


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
    what: Annotated[int, "u8"]
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
    order: Annotated[bytes, "blob"]


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


def encode_message(message: Message) -> bytes:
    """The payload of ``message``. Raises: BadMessageError: a value does not fit its field."""
    return encode_fields(message)


def decode_message(kind: int, payload: bytes) -> Message:
    """The message of that kind. Raises: BadMessageError."""
    made = BY_KIND.get(kind)
    if made is None:
        raise BadMessageError(problem="kind", kind=kind)
    message: Message = decode_fields(made, payload)
    return message
