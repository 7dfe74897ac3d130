"""The stuffing: what every byte string becomes, and what is nobody's stuffing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.device import cobs


@pytest.mark.parametrize(
    ("message", "stuffed"),
    [
        ("", "01"),
        ("00", "0101"),
        ("0000", "010101"),
        ("0b", "020b"),
        ("112200", "0311 2201"),
        ("11220033", "0311220233"),
        ("11000000", "0211010101"),
    ],
)
def test_short_messages_are_stuffed_as_in_the_original_paper(message: str, stuffed: str) -> None:
    assert cobs.encode(bytes.fromhex(message)) == bytes.fromhex(stuffed)
    assert cobs.decode(bytes.fromhex(stuffed)) == bytes.fromhex(message)


def test_254_bytes_without_a_zero_fill_one_block_and_open_the_next() -> None:
    message = bytes(range(1, 255))
    assert cobs.encode(message) == b"\xff" + message + b"\x01"
    assert cobs.decode(b"\xff" + message + b"\x01") == message


def test_a_full_block_does_not_stand_for_a_zero() -> None:
    message = bytes(range(1, 255)) + b"\x07"
    assert cobs.encode(message) == b"\xff" + bytes(range(1, 255)) + b"\x02\x07"


@given(st.binary(max_size=1200) | st.binary(max_size=4).map(lambda seed: (seed or b"\x01") * 150))
def test_every_message_comes_back_without_a_zero_on_the_way(message: bytes) -> None:
    stuffed = cobs.encode(message)
    assert 0 not in stuffed
    assert len(stuffed) <= len(message) + len(message) // 254 + 1
    assert cobs.decode(stuffed) == message


@given(st.binary(max_size=300))
def test_whatever_is_accepted_is_the_only_stuffing_of_its_message(stuffed: bytes) -> None:
    try:
        message = cobs.decode(stuffed)
    except cobs.BadStuffingError:
        return
    assert cobs.encode(message) == stuffed


@pytest.mark.parametrize("stuffed", ["", "00", "02", "031100", "ff0102", "0100"])
def test_bytes_that_no_message_becomes_are_refused(stuffed: str) -> None:
    with pytest.raises(cobs.BadStuffingError):
        cobs.decode(bytes.fromhex(stuffed))


def test_a_full_last_block_without_its_end_is_refused() -> None:
    with pytest.raises(cobs.BadStuffingError):
        cobs.decode(b"\xff" + bytes(range(1, 255)))
