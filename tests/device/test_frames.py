"""Frames: their layout byte by byte, what is refused, and how they are found in noise."""

import hashlib
import hmac
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.device import cobs
from app.device.frames import (
    MAX_PAYLOAD,
    TO_PROGRAM,
    TO_PUMP,
    BadFrameError,
    Frame,
    FrameReader,
    WrongKeyError,
    bench_key,
    decode_frame,
    encode_frame,
)

KEY = b"k" * 32
HELLO = Frame(kind=0x01, direction=TO_PUMP, session=0, number=258, payload=bytes(range(16)))

frames = st.builds(
    Frame,
    kind=st.integers(0, 255),
    direction=st.sampled_from([TO_PUMP, TO_PROGRAM]),
    session=st.integers(0, 2**32 - 1),
    number=st.integers(0, 65_535),
    payload=st.binary(max_size=80) | st.binary(min_size=250, max_size=300),
)


def sealed(head: bytes, payload: bytes, *, key: bytes = KEY) -> bytes:
    """Any head and payload with a right authentication code and check sum, stuffed."""
    signed = head + payload
    coded = signed + hmac.new(key, signed, hashlib.sha256).digest()[:16]
    return cobs.encode(coded + struct.pack(">I", zlib.crc32(coded)))


def test_the_layout_is_version_kind_direction_session_number_length_payload_code_check_sum() -> None:
    head = bytes.fromhex("01 01 00 00000000 0102 0010")
    assert encode_frame(HELLO, KEY) == b"\x00" + sealed(head, bytes(range(16))) + b"\x00"


def test_the_bench_key_is_a_hash_that_anyone_can_work_out() -> None:
    assert bench_key("CIS000042") == hashlib.sha256(b"cisterna bench pump CIS000042").digest()


@given(frames)
def test_a_frame_comes_back_whole(frame: Frame) -> None:
    raw = encode_frame(frame, KEY)
    assert raw[:1] == raw[-1:] == b"\x00" and 0 not in raw[1:-1]
    assert decode_frame(raw[1:-1], KEY) == frame


def test_a_longest_frame_passes_the_reader_and_a_longer_one_is_not_made() -> None:
    longest = Frame(0x84, TO_PROGRAM, 1, 1, b"\x01" * MAX_PAYLOAD)
    (found,) = FrameReader().feed(encode_frame(longest, KEY))
    assert decode_frame(found, KEY) == longest
    with pytest.raises(BadFrameError):
        encode_frame(Frame(0x84, TO_PROGRAM, 1, 1, b"\x01" * (MAX_PAYLOAD + 1)), KEY)


@pytest.mark.parametrize(
    ("head", "payload", "problem"),
    [
        ("02 01 00 00000000 0001 0001", b"x", "head"),
        ("00 01 00 00000000 0001 0001", b"x", "head"),
        ("01 01 02 00000000 0001 0001", b"x", "head"),
        ("01 01 00 00000000 0001 0002", b"x", "head"),
        ("01 01 00 00000000 0001 0000", b"x", "head"),
        ("01 01 00 00000000 0001", b"", "length"),
    ],
    ids=["version 2", "version 0", "direction 2", "too short", "left over", "half a head"],
)
def test_a_wrong_head_is_noise_even_under_the_right_key(head: str, payload: bytes, problem: str) -> None:
    with pytest.raises(BadFrameError) as refused:
        decode_frame(sealed(bytes.fromhex(head), payload), KEY)
    assert refused.value.values["problem"] == problem


def test_a_whole_frame_under_another_key_is_told_from_noise() -> None:
    raw = encode_frame(HELLO, b"another key")[1:-1]
    with pytest.raises(WrongKeyError):
        decode_frame(raw, KEY)


def test_a_frame_forged_without_the_key_is_another_pumps() -> None:
    raw = cobs.decode(encode_frame(HELLO, KEY)[1:-1])
    forged = bytes((raw[0], 0x13)) + raw[2:-4]
    with pytest.raises(WrongKeyError):
        decode_frame(cobs.encode(forged + struct.pack(">I", zlib.crc32(forged))), KEY)


@pytest.mark.parametrize("place", range(16))
def test_every_byte_of_the_authentication_code_counts(place: int) -> None:
    raw = bytearray(cobs.decode(encode_frame(HELLO, KEY)[1:-1])[:-4])
    raw[place - 16] ^= 1
    with pytest.raises(WrongKeyError):
        decode_frame(cobs.encode(bytes(raw) + struct.pack(">I", zlib.crc32(raw))), KEY)


def test_every_flipped_bit_of_a_frame_is_noise() -> None:
    raw = encode_frame(HELLO, KEY)
    for place in range(len(raw)):
        for bit in range(8):
            flipped = bytearray(raw)
            flipped[place] ^= 1 << bit
            for found in FrameReader().feed(bytes(flipped) + b"\x00"):
                if place in (0, len(raw) - 1) and found == raw[1:-1]:
                    continue
                with pytest.raises(BadFrameError):
                    decode_frame(found, KEY)


def decoded(found: list[bytes]) -> list[Frame]:
    whole = []
    for stuffed in found:
        try:
            whole.append(decode_frame(stuffed, KEY))
        except BadFrameError:
            continue
    return whole


@given(st.lists(st.tuples(st.binary(max_size=40), frames), max_size=5), st.binary(max_size=20), st.data())
def test_frames_are_found_in_slices_of_any_size_with_noise_between(pairs, tail: bytes, data) -> None:
    stream = b"".join(noise + encode_frame(frame, KEY) for noise, frame in pairs) + tail
    reader, found = FrameReader(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += reader.feed(stream[:size])
        stream = stream[size:]
    assert decoded(found) == [frame for _, frame in pairs]


@given(st.integers(1, 80), frames)
def test_a_frame_cut_off_costs_only_itself(cut: int, frame: Frame) -> None:
    raw = encode_frame(HELLO, KEY)
    stream = raw[: min(cut, len(raw) - 2)] + encode_frame(frame, KEY)
    assert decoded(FrameReader().feed(stream)) == [frame]


def test_a_line_that_never_ends_a_frame_fills_no_memory() -> None:
    reader = FrameReader()
    for _ in range(1000):
        assert reader.feed(b"\x55" * 1000) == []
        assert reader.held < 4200
    assert decoded(reader.feed(b"\x55" + encode_frame(HELLO, KEY))) == [HELLO]


def test_what_was_too_long_is_not_handed_on_in_part() -> None:
    reader = FrameReader()
    assert reader.feed(b"\x55" * 3000) == []
    assert reader.feed(b"\x55" * 3000 + b"\x00") == []


def test_delimiters_alone_are_no_frames() -> None:
    assert FrameReader().feed(b"\x00" * 50) == []
