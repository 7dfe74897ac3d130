"""Consistent overhead byte stuffing: any bytes without a zero, so that a zero always ends a frame.

Law: the code is canonical, one text for each message, and at most one byte in 254 longer.
"""

from __future__ import annotations

from app.models.errors import AppError

_FULL = 254


class BadStuffingError(AppError):
    """These bytes are not the stuffing of any message."""


def encode(message: bytes) -> bytes:
    """Stuff ``message``; the result holds no zero and no delimiter."""
    stuffed = bytearray()
    for run in message.split(b"\x00"):
        while len(run) >= _FULL:
            stuffed += b"\xff" + run[:_FULL]
            run = run[_FULL:]
        stuffed.append(len(run) + 1)
        stuffed += run
    return bytes(stuffed)


def decode(stuffed: bytes) -> bytes:
    """The message that ``stuffed`` stands for. Raises: BadStuffingError."""
    if not stuffed or 0 in stuffed:
        raise BadStuffingError(position=0)
    # Each code becomes the zero before its block, but the first and those that follow a full block.
    message = bytearray(stuffed)
    end, position, code, no_zeros = len(stuffed), 0, 0xFF, []
    while position < end:
        if code == 0xFF:
            no_zeros.append(position)
        code = stuffed[position]
        message[position] = 0
        position += code
    if position != end or code == 0xFF:
        raise BadStuffingError(position=position)
    for place in reversed(no_zeros):
        del message[place]
    return bytes(message)
