"""What a pump on the bench must do with frames and sessions: one check for each clause.

Law: a check bears the words of ``docs/wire-protocol.md`` and judges by nothing else. Each begins with a session of
its own, so that none depends on how another ended.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from app.device import cobs
from app.device.conform_bench import (
    Bench,
    NotRunError,
    delimited,
    described,
    message_in,
    require,
    require_same,
    sealed,
    wire,
)
from app.device.frames import TO_PROGRAM
from app.device.messages import (
    ALARM_BITS,
    Begin,
    Chunk,
    ClockIs,
    Hello,
    Hi,
    Nak,
    ReadClock,
    ReadEvents,
    ReadProgram,
    ReadStatus,
    Ready,
    Refusal,
    Resolve,
    Seal,
    encode_message,
)
from app.device.order_codec import What, order_digest
from app.device.settings_codec import encode_settings
from app.models.pump import PumpSettings

_NOBODYS_KIND = 0x7E
_LONGEST_STUFFED = 4144
_LONGEST_DEADLINE_MS = 30_000


@dataclass(frozen=True, slots=True)
class Check:
    """One clause: ``words`` stand in that section of the document, ``title`` says what is looked for.

    ``act`` gets the bench and the pump's original settings. It raises NotAsDocumentedError, or NotRunError.
    """

    section: str
    words: str
    title: str
    act: Callable[[Bench, PumpSettings], None]


def clause(section: str, words: str) -> Callable[[Callable[[Bench, PumpSettings], None]], Check]:
    """Make a check of a function; its docstring is the title."""
    return lambda act: Check(section, words, (act.__doc__ or "").strip().removesuffix("."), act)


# -- frames ----------------------------------------------------------------------------------------------------


@clause("Frames", "each request takes the next one, its answer repeats it")
def _numbers(bench: Bench, _original: PumpSettings) -> None:
    """The answer repeats the request's number, whichever it is."""
    bench.greet()
    for number in (0x1234, 0xFFFF, 0xFF00, 1):
        bench.write(bench.framed(ReadClock(bench.randomness(16)), number=number))
        bench.only(bench.frames_until(number), number)


@clause("Frames", "A frame stands between two zero bytes and is stuffed so that it holds none")
def _many_zeros(bench: Bench, _original: PumpSettings) -> None:
    """Any number of zero bytes between frames is nothing."""
    bench.greet()
    bench.silent(bytes(1))
    bench.silent(bytes(300))


@clause("Frames", "A frame stands between two zero bytes")
def _byte_by_byte(bench: Bench, _original: PumpSettings) -> None:
    """A frame that comes byte by byte is a frame."""
    bench.greet()
    number = bench.next_number()
    for byte in bench.framed(ReadStatus(bench.randomness(16)), number=number):
        bench.write(bytes((byte,)))
    bench.only(bench.frames_until(number), number)


@clause("Frames", "A frame stands between two zero bytes")
def _two_at_once(bench: Bench, _original: PumpSettings) -> None:
    """Two frames in one write get two answers, in their order."""
    bench.greet()
    numbers = (bench.next_number(), bench.next_number())
    raw = [bench.framed(ReadClock(bench.randomness(16)), number=number) for number in numbers]
    bench.write(raw[0] + raw[1])
    require_same("numbers answered", numbers, tuple(frame.number for frame in bench.frames_until(numbers[1])))


@clause("Frames", "A receiver takes for noise, without an answer: wrong stuffing, a wrong length")
def _garbage(bench: Bench, _original: PumpSettings) -> None:
    """Garbage between frames is noise: wrong stuffing, a frame that was cut off, random bytes."""
    bench.greet()
    good = bench.framed(ReadClock(bench.randomness(16)))
    for noise in (b"hello pump", b"\xff" * 40, b"\x01", good[: len(good) // 2], good[9:], b"\x05\x01\x02"):
        bench.silent(noise.strip(b"\x00") + b"\x00")
    for length in (3, 31, 200):
        bench.silent(delimited(bytes(byte or 1 for byte in bench.randomness(length))))


@clause("Frames", "another block always follows it, so each message has exactly one stuffing")
def _one_stuffing(bench: Bench, _original: PumpSettings) -> None:
    """A full last block without the block that must follow it is wrong stuffing."""
    bench.greet()
    for _ in range(200):
        # Zero before the last 254 bytes, none in them: the stuffing ends with a full block and an empty one.
        part = bytes(byte or 1 for byte in bench.randomness(234))
        payload = bytes(16) + b"\x00\x01" + struct.pack(">H", 235) + b"\x00" + part
        stuffed = wire(Chunk.KIND, payload, key=bench.key, session=bench.session, number=1).strip(b"\x00")
        if stuffed.endswith(b"\x01") and stuffed[-256] == 0xFF:
            bench.silent(delimited(stuffed[:-1]))
            return
    raise NotRunError(reason="no such frame was found in 200 tries")


@clause("Frames", "length of the payload")
def _wrong_length(bench: Bench, _original: PumpSettings) -> None:
    """A length field that is not the payload's length makes noise of the frame."""
    bench.greet()
    payload = bench.randomness(16)
    for length in (0, 15, 17, 4096, 0xFFFF):
        bench.silent(_clock_frame(bench, payload, length=length))
    bench.silent(delimited(cobs.encode(sealed(b"\x01\x05\x00", bench.key))))


@clause("Frames", "CRC-32 (polynomial 04C11DB7 reflected, as in zlib, PNG and Ethernet) over all before it, big endian")
def _wrong_check_sum(bench: Bench, _original: PumpSettings) -> None:
    """A frame with a wrong check sum is noise, also if its code is right."""
    bench.greet()
    for spoil in (1, 0x80000000, 0xFFFFFFFF):
        bench.silent(_clock_frame(bench, bench.randomness(16), spoil=spoil))


@clause("Frames", "a wrong check sum, another version")
def _another_version(bench: Bench, _original: PumpSettings) -> None:
    """A frame of another version is noise."""
    bench.greet()
    for version in (0, 2, 255):
        bench.silent(_clock_frame(bench, bench.randomness(16), version=version))


@clause("Frames", "another direction than its own")
def _another_direction(bench: Bench, _original: PumpSettings) -> None:
    """A frame to the program is noise for a pump, and so is one that goes nowhere."""
    bench.greet()
    for direction in (TO_PROGRAM, 2, 255):
        bench.silent(_clock_frame(bench, bench.randomness(16), direction=direction))


@clause("Frames", "an unknown kind")
def _unknown_kind(bench: Bench, _original: PumpSettings) -> None:
    """A kind that the document does not name is noise."""
    bench.greet()
    for kind in (_NOBODYS_KIND, 0x00, 0x06, 0x15):
        bench.silent(
            wire(kind, bench.randomness(16), key=bench.key, session=bench.session, number=bench.next_number())
        )


@clause("Frames", "a payload that is not exactly one encoding of its message")
def _not_canonical(bench: Bench, _original: PumpSettings) -> None:
    """A payload that is too short, too long or whose inner length is wrong is noise."""
    bench.greet()
    nonce = bench.randomness(16)
    chunk = encode_message(Chunk(nonce, 0, b"abc"))
    for kind, payload in (
        (ReadClock.KIND, nonce[:-1]),
        (ReadClock.KIND, nonce + b"\x00"),
        (ReadClock.KIND, b""),
        (ReadEvents.KIND, nonce + bytes(5)),
        (Seal.KIND, nonce + b"\x00"),
        (Chunk.KIND, chunk + b"\x00"),
        (Chunk.KIND, chunk[:-1]),
    ):
        bench.silent(wire(kind, payload, key=bench.key, session=bench.session, number=bench.next_number()))
    bench.silent(wire(Hello.KIND, nonce + b"\x00", key=bench.key, session=0, number=bench.next_number()))


@clause("Frames", "whatever is longer without a zero is dropped up to the next zero")
def _overlong(bench: Bench, _original: PumpSettings) -> None:
    """What is longer than the longest frame is dropped with all that follows it up to the next zero."""
    bench.greet()
    bench.silent(delimited(b"\x41" * (_LONGEST_STUFFED + 1)))
    tail = bench.framed(ReadClock(bench.randomness(16))).strip(b"\x00")
    bench.silent(b"\x00" + b"\x41" * (_LONGEST_STUFFED + 1) + tail + b"\x00")


@clause("Frames", "the pump answers it with NAK *key* under its own key, with session and number 0")
def _another_key(bench: Bench, _original: PumpSettings) -> None:
    """A frame under another key is answered by NAK key, and changes nothing."""
    bench.greet()
    stranger = bytes(byte ^ 0xFF for byte in bench.key)
    for kind, session in ((ReadClock.KIND, bench.session), (Hello.KIND, 0)):
        number = bench.next_number()
        bench.write(wire(kind, bench.randomness(16), key=stranger, session=session, number=number))
        bench.write(bench.framed(ReadClock(bench.randomness(16)), number=number + 1))
        bench.next_number()
        frames = bench.frames_until(number + 1)
        require_same("frames", [Nak.KIND, ClockIs.KIND], [frame.kind for frame in frames])
        require_same("reason", described(Nak(Refusal.KEY)), described(message_in(frames[0])))
        require_same("session and number of the NAK", (0, 0), (frames[0].session, frames[0].number))


@clause("NAK", "only pumps send this kind of message")
def _pumps_message(bench: Bench, _original: PumpSettings) -> None:
    """A pump's own message, sent to a pump, is refused."""
    bench.greet()
    bench.refused(ClockIs(bench.randomness(16), bench.clock().clock), Refusal.UNKNOWN_MESSAGE)
    bench.refused(Nak(Refusal.BUSY), Refusal.UNKNOWN_MESSAGE)


FRAMES = (
    _numbers, _many_zeros, _byte_by_byte, _two_at_once, _garbage, _one_stuffing, _wrong_length, _wrong_check_sum,
    _another_version, _another_direction, _unknown_kind, _not_canonical, _overlong, _another_key, _pumps_message,
)  # fmt: skip


def _clock_frame(
    bench: Bench, nonce: bytes, *, version: int = 1, direction: int = 0, length: int | None = None, spoil: int = 0
) -> bytes:
    return wire(
        ReadClock.KIND, nonce, key=bench.key, session=bench.session, number=bench.next_number(),
        version=version, direction=direction, length=length, spoil=spoil,
    )  # fmt: skip


# -- sessions --------------------------------------------------------------------------------------------------


@clause("Sessions", "answers HI with the same nonce")
def _nonce_of_hi(bench: Bench, _original: PumpSettings) -> None:
    """HI repeats HELLO's nonce, and its frame carries the new session."""
    for nonce in (bytes(16), b"\xff" * 16, bench.randomness(16)):
        bench.take(bench.expect(Hello(nonce), Hi))


@clause("HI", "issued by the pump; never 0, never used before")
def _new_session(bench: Bench, _original: PumpSettings) -> None:
    """Each HELLO gets a session that is not 0 and was never used in this run."""
    for _ in range(5):
        earlier = set(bench.sessions)
        session = bench.greet().session
        require(session != 0 and session not in earlier, "a session that is new and not 0", session)


@clause("Sessions", "A recorded HELLO opens a session in which nobody can speak, and ends the one that was open")
def _recorded_hello(bench: Bench, _original: PumpSettings) -> None:
    """The same HELLO once more opens another session and ends the first."""
    hello = Hello(bench.randomness(16))
    first = bench.take(bench.expect(hello, Hi))
    second = bench.take(bench.expect(hello, Hi))
    require(first.session != second.session, "another session", second.session)
    bench.refused(ReadClock(bench.randomness(16)), Refusal.OLD_SESSION, session=first.session)


@clause("Sessions", "From then on every frame of an earlier session is refused with NAK *old-session*")
def _old_session(bench: Bench, original: PumpSettings) -> None:
    """Questions and commands of an earlier session are refused."""
    old = bench.greet().session
    hi = bench.greet()
    raw, txn = encode_settings(bench.trial(original)), bench.randomness(16)
    begin = Begin(txn, What.SETTINGS, hi.revision, hi.digest, len(raw), order_digest(What.SETTINGS, raw))
    for message in (ReadProgram(bench.randomness(16)), ReadEvents(bench.randomness(16), 0), begin, Resolve(txn)):
        bench.refused(message, Refusal.OLD_SESSION, session=old)
    bench.expect(begin, Ready)


@clause("NAK", "the frame is of another session than the open one")
def _foreign_session(bench: Bench, _original: PumpSettings) -> None:
    """A session that was never issued is refused like an old one."""
    session = bench.greet().session
    for other in (0, (session + 1) % 2**32, session ^ 0x80000000):
        bench.refused(ReadClock(bench.randomness(16)), Refusal.OLD_SESSION, session=other)
    bench.clock()


@clause("Sessions", "drops any draft")
def _draft_dropped(bench: Bench, original: PumpSettings) -> None:
    """A draft is gone after a HELLO, and another one may be opened."""
    raw = encode_settings(bench.trial(original))
    bench.greet()
    begin = bench.draft(What.SETTINGS, raw)
    bench.greet()
    bench.refused(Seal(begin.txn), Refusal.UNKNOWN_ORDER)
    bench.begin(What.SETTINGS, raw)


@clause("HI", "longest time from any later request to its answer")
def _facts_of_hi(bench: Bench, _original: PumpSettings) -> None:
    """HI names limits that can be kept, alarms that have a name, and at most four orders."""
    hi = bench.greet()
    require(0 < hi.deadline_ms <= _LONGEST_DEADLINE_MS, "deadline_ms from 1 to 30000", hi.deadline_ms)
    require(hi.max_chunk > 0, "max_chunk of at least 1", hi.max_chunk)
    require(not hi.alarms & ~sum(ALARM_BITS.values()), "alarms that have a name", f"{hi.alarms:04x}")
    require(len(hi.applied) <= 4, "at most four applied orders", len(hi.applied))


SESSIONS = (
    _nonce_of_hi, _new_session, _recorded_hello, _old_session, _foreign_session, _draft_dropped, _facts_of_hi,
)  # fmt: skip
