"""The two packet forms of New Era syringe pumps: Basic and Safe.

Law: no bytes are refused by raising. A Safe packet is believed only with its length, its ETX and its CRC; one that
pauses for longer than half a second is forgotten.

Basic: command, CR; the answer between STX and ETX. Safe: STX, length, text, CRC-16-CCITT high byte first, ETX, where
the length counts itself and all that follows.

Source: NE-1000 user manual, publication 1200-01, sections 10.2.2 and 10.2.3.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from fractions import Fraction

STX, ETX, CR = 0x02, 0x03, 0x0D

_AROUND_TEXT = 4
"""Length, two bytes of CRC, ETX."""

_LONGEST_LINE = 256
_BYTE_PATIENCE_S = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Heard:
    """One packet: its text in capitals without spaces, or ``None`` if it came broken."""

    text: str | None


def basic_packet(text: str) -> bytes:
    """An answer in Basic mode."""
    return bytes([STX]) + text.encode("ascii") + bytes([ETX])


def safe_packet(text: str) -> bytes:
    """A command or an answer in Safe mode."""
    words = text.encode("ascii")
    return bytes([STX, len(words) + _AROUND_TEXT]) + words + _crc(words) + bytes([ETX])


def _crc(words: bytes) -> bytes:
    return binascii.crc_hqx(words, 0).to_bytes(2, "big")


class PacketEar:
    """Hears one byte after the other. In Basic mode a Safe packet is understood too, so that a mode can be left."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._packet = bytearray()
        self._last_s = Fraction(0)

    def hear(self, byte: int, now_s: Fraction, *, safe: bool) -> Heard | None:
        """The packet that this byte completes. ``safe``: lines that end in CR are noise."""
        if self._packet and now_s - self._last_s > _BYTE_PATIENCE_S:
            self._packet.clear()
        self._last_s = now_s
        if self._packet:
            return self._hear_safe(byte)
        if byte == STX:
            self._packet.append(byte)
            self._line.clear()
            return None
        return None if safe else self._hear_basic(byte)

    def _hear_basic(self, byte: int) -> Heard | None:
        if byte != CR:
            if len(self._line) < _LONGEST_LINE:
                self._line.append(byte)
            return None
        text = _normal(bytes(self._line))
        self._line.clear()
        return Heard(text)

    def _hear_safe(self, byte: int) -> Heard | None:
        packet = self._packet
        packet.append(byte)
        length = packet[1]
        if length < _AROUND_TEXT:
            packet.clear()
            return None
        if len(packet) <= length:
            return None
        words, crc, end = bytes(packet[2 : length - 2]), bytes(packet[length - 2 : length]), packet[length]
        packet.clear()
        return Heard(_normal(words) if end == ETX and crc == _crc(words) else None)


def _normal(words: bytes) -> str:
    """Capitals, without spaces and control characters; what is not ASCII stays as a character no command has."""
    return "".join(sign for sign in words.decode("ascii", "replace").upper() if sign > " " and sign != "\x7f")
