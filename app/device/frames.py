"""Frames: what one message looks like on the cable, and how to find it in any noise.

Law: a frame counts only if its length, its check sum and its authentication code are right; everything else
is noise. The layout is normative in ``docs/wire-protocol.md``.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from app.device import cobs
from app.models.errors import AppError

VERSION = 1
TO_PUMP, TO_PROGRAM = 0, 1
MAX_PAYLOAD = 4096
MAC_LENGTH = 16

_HEAD = struct.Struct(">BBBIHH")
_CRC = struct.Struct(">I")
_SHORTEST = _HEAD.size + MAC_LENGTH + _CRC.size
_LONGEST = _SHORTEST + MAX_PAYLOAD
_LONGEST_STUFFED = _LONGEST + _LONGEST // 254 + 1


class BadFrameError(AppError):
    """Noise: wrong length, check sum, version or direction; or a payload that no frame can hold."""


class WrongKeyError(AppError):
    """A whole frame, sealed with another pump's key."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message with its envelope."""

    kind: int
    direction: int
    session: int
    number: int
    payload: bytes


def bench_key(serial: str) -> bytes:
    """The key of an emulated pump or a bench pump that was never given another: 32 bytes, known to everybody."""
    return hashlib.sha256(b"cisterna bench pump " + serial.encode()).digest()


def encode_frame(frame: Frame, key: bytes) -> bytes:
    """The frame as it goes over the cable, with a delimiter on both sides. Raises: BadFrameError: too long."""
    if len(frame.payload) > MAX_PAYLOAD:
        raise BadFrameError(problem="length", length=len(frame.payload))
    head = _HEAD.pack(VERSION, frame.kind, frame.direction, frame.session, frame.number, len(frame.payload))
    signed = head + frame.payload
    sealed = signed + _mac(signed, key)
    return b"\x00" + cobs.encode(sealed + _CRC.pack(zlib.crc32(sealed))) + b"\x00"


def decode_frame(stuffed: bytes, key: bytes) -> Frame:
    """The frame between two delimiters.

    Raises:
        BadFrameError: noise.
        WrongKeyError: a frame for or from another pump.
    """
    try:
        raw = cobs.decode(stuffed)
    except cobs.BadStuffingError:
        raise BadFrameError(problem="stuffing") from None
    if not _SHORTEST <= len(raw) <= _LONGEST:
        raise BadFrameError(problem="length")
    sealed, crc = raw[: -_CRC.size], raw[-_CRC.size :]
    if _CRC.pack(zlib.crc32(sealed)) != crc:
        raise BadFrameError(problem="check-sum")
    version, kind, direction, session, number, length = _HEAD.unpack_from(sealed)
    signed, mac = sealed[:-MAC_LENGTH], sealed[-MAC_LENGTH:]
    payload = signed[_HEAD.size :]
    if version != VERSION or direction not in (TO_PUMP, TO_PROGRAM) or len(payload) != length:
        raise BadFrameError(problem="head")
    if not hmac.compare_digest(mac, _mac(signed, key)):
        raise WrongKeyError(direction=direction, kind=kind, session=session)
    return Frame(kind, direction, session, number, payload)


def _mac(signed: bytes, key: bytes) -> bytes:
    return hmac.digest(key, signed, hashlib.sha256)[:MAC_LENGTH]


class FrameReader:
    """Finds frames in a stream fed in slices of any size; holds never more than one frame's length."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._too_long = False

    @property
    def held(self) -> int:
        """How many bytes are kept of a frame that has not ended."""
        return len(self._held)

    @property
    def begins_like_a_frame(self) -> bool:
        """Whether what is kept could be the beginning of a frame: a code, and then the version."""
        return len(self._held) == 1 or self._held[1:2] == bytes((VERSION,))

    def feed(self, data: bytes) -> list[bytes]:
        """What now stands between two delimiters, still stuffed."""
        frames: list[bytes] = []
        for piece, ended in _pieces(data):
            if len(self._held) + len(piece) > _LONGEST_STUFFED:
                self._too_long = True
            if not self._too_long:
                self._held += piece
            if ended:
                found, whole = bytes(self._held), not self._too_long
                self._held.clear()
                self._too_long = False
                if found and whole:
                    frames.append(found)
            elif self._too_long:
                self._held.clear()
        return frames


def _pieces(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """(bytes, whether a delimiter follows)."""
    *whole, rest = data.split(b"\x00")
    for piece in whole:
        yield piece, True
    yield rest, False
