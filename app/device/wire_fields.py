"""Values as bytes: the encodings that a message's fields are made of.

A field's annotation names its encoding: ``u8`` to ``u64`` (big endian), ``flag``, ``time`` (seconds from
:data:`EPOCH`), ``text`` and ``blob`` (length first), ``b16`` and ``b32`` (that many bytes), ``b16s`` and ``many``
(count first).

Law: one encoding for each value; what is too short, too long or not canonical is refused.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from app.models.errors import AppError

EPOCH = datetime(2000, 1, 1)
"""Pump clocks count whole seconds from here, without offset."""

_SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8}
_TIME_LENGTH = 8

_Made = TypeVar("_Made")

_LAYOUTS: dict[Any, tuple[tuple[str, str, Any], ...]] = {}


class BadMessageError(AppError):
    """A payload that is not the encoding of its message."""


def seconds_of(moment: datetime) -> int:
    """Whole seconds since :data:`EPOCH`, floored."""
    return (moment - EPOCH) // timedelta(seconds=1)


def encode_fields(value: object) -> bytes:
    """All annotated fields of ``value``, in order. Raises: BadMessageError: a value does not fit its field."""
    return b"".join(_encode(kind, getattr(value, name)) for name, kind, _ in _layout(type(value)))


def decode_fields(made: type[_Made], payload: bytes) -> _Made:
    """A ``made`` from exactly these bytes. Raises: BadMessageError."""
    reader = _Reader(payload)
    value = _read_fields(made, reader)
    reader.finish()
    return value


def _layout(made: Any) -> tuple[tuple[str, str, Any], ...]:
    """(name, encoding, type) of each annotated field, in order."""
    if made not in _LAYOUTS:
        hints = get_type_hints(made, include_extras=True).items()
        _LAYOUTS[made] = tuple(
            (name, *reversed(get_args(hint))) for name, hint in hints if get_origin(hint) is Annotated
        )
    return _LAYOUTS[made]


def _encode(kind: str, value: Any) -> bytes:
    try:
        if kind in _SIZES:
            return int(value).to_bytes(_SIZES[kind], "big")
        if kind == "flag":
            return b"\x01" if value else b"\x00"
        if kind == "time":
            return seconds_of(value).to_bytes(_TIME_LENGTH, "big")
        if kind == "text":
            text = str(value).encode()
            return len(text).to_bytes(1, "big") + text
        if kind == "blob":
            return len(value).to_bytes(2, "big") + bytes(value)
        if kind == "b16s":
            return len(value).to_bytes(1, "big") + b"".join(_encode("b16", item) for item in value)
        if kind == "many":
            return len(value).to_bytes(2, "big") + b"".join(encode_fields(item) for item in value)
    except OverflowError:
        raise BadMessageError(problem="range", value=value) from None
    if len(value) != int(kind[1:]):
        raise BadMessageError(problem="length", value=value)
    return bytes(value)


def _read_fields(made: type[_Made], reader: _Reader) -> _Made:
    return made(**{name: _read(kind, held, reader) for name, kind, held in _layout(made)})


def _read(kind: str, held: Any, reader: _Reader) -> Any:
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
    if kind == "many":
        return tuple(_read_fields(get_args(held)[0], reader) for _ in range(reader.number(2)))
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
            return EPOCH + timedelta(seconds=self.number(_TIME_LENGTH))
        except OverflowError:
            raise BadMessageError(problem="time") from None

    def finish(self) -> None:
        if self._position != len(self._payload):
            raise BadMessageError(problem="too-long")
