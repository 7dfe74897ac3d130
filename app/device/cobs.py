"""Consistent overhead byte stuffing: any bytes without a zero, so that a zero always ends a frame.

Law: the code is canonical, one text for each message, and at most one byte in 254 longer.
"""

from __future__ import annotations

from app.models.errors import AppError


class BadStuffingError(AppError):
    """These bytes are not the stuffing of any message."""


def encode(message: bytes) -> bytes:
    """Stuff ``message``; the result holds no zero and no delimiter."""
    stuffed = bytearray()
    block = bytearray()
    for byte in message:
        if byte == 0:
            stuffed += bytes((len(block) + 1,)) + block
            block.clear()
            continue
        block.append(byte)
        if len(block) == 254:
            stuffed += b"\xff" + block
            block.clear()
    return bytes(stuffed + bytes((len(block) + 1,)) + block)


def decode(stuffed: bytes) -> bytes:
    """The message that ``stuffed`` stands for. Raises: BadStuffingError."""
    message = bytearray()
    position = 0
    while position < len(stuffed):
        code = stuffed[position]
        block = stuffed[position + 1 : position + code]
        if code == 0 or len(block) != code - 1:
            raise BadStuffingError(position=position)
        message += block
        position += code
        if code != 0xFF and position < len(stuffed):
            message.append(0)
    # A zero inside a block, and a full block without its end, are found here.
    if encode(bytes(message)) != stuffed:
        raise BadStuffingError(position=position)
    return bytes(message)
