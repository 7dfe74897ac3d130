"""Messages as payloads: each comes back whole, and nothing but its own encoding is taken for it."""

from datetime import datetime, timedelta
from typing import get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.device.messages import (
    ALARM_BITS,
    BY_KIND,
    EVENT_CODES,
    Chunk,
    ClockIs,
    Event,
    Fate,
    Hello,
    Nak,
    Refusal,
    StatusIs,
    decode_message,
    encode_message,
)
from app.device.wire_fields import BadMessageError, seconds_of
from app.models.pump import Alarm, PumpEventKind, Resolution

LAST_SECOND = (datetime.max - datetime(2000, 1, 1)) // timedelta(seconds=1)

VALUES = {
    "u8": st.integers(0, 2**8 - 1),
    "u16": st.integers(0, 2**16 - 1),
    "u32": st.integers(0, 2**32 - 1),
    "u64": st.integers(0, 2**64 - 1),
    "flag": st.booleans(),
    "time": st.integers(0, LAST_SECOND).map(lambda seconds: datetime(2000, 1, 1) + timedelta(seconds=seconds)),
    "text": st.text(max_size=20),
    "blob": st.binary(max_size=60),
    "b16": st.binary(min_size=16, max_size=16),
    "b32": st.binary(min_size=32, max_size=32),
    "b16s": st.lists(st.binary(min_size=16, max_size=16), max_size=4).map(tuple),
}


def instances(made: type) -> st.SearchStrategy:
    hints = get_type_hints(made, include_extras=True)
    encodings = {name: get_args(hint)[1] for name, hint in hints.items() if hasattr(hint, "__metadata__")}
    return st.builds(made, **{name: VALUES[kind] for name, kind in encodings.items()})


VALUES["many"] = st.lists(instances(Event), max_size=3).map(tuple)

messages = st.one_of([instances(made) for made in BY_KIND.values()])


@given(messages)
def test_a_message_comes_back_whole(message) -> None:
    assert decode_message(message.KIND, encode_message(message)) == message


@given(messages, st.binary(min_size=1, max_size=3))
def test_bytes_left_over_are_refused(message, rest: bytes) -> None:
    with pytest.raises(BadMessageError):
        decode_message(message.KIND, encode_message(message) + rest)


@given(messages, st.data())
def test_a_payload_that_is_cut_is_refused(message, data) -> None:
    payload = encode_message(message)
    with pytest.raises(BadMessageError):
        decode_message(message.KIND, payload[: data.draw(st.integers(0, len(payload) - 1))])


@given(st.sampled_from(sorted(BY_KIND)), st.binary(max_size=120))
def test_whatever_is_accepted_is_the_only_encoding_of_its_message(kind: int, payload: bytes) -> None:
    try:
        message = decode_message(kind, payload)
    except BadMessageError:
        return
    assert encode_message(message) == payload


def test_every_field_of_every_message_is_on_the_wire() -> None:
    for made in BY_KIND.values():
        for name, hint in get_type_hints(made, include_extras=True).items():
            assert name == "KIND" or get_origin(hint) is None or hasattr(hint, "__metadata__"), (made, name)


def test_a_question_and_its_answer_differ_by_the_highest_bit() -> None:
    questions = {kind for kind in BY_KIND if kind < 0x80}
    assert {kind | 0x80 for kind in questions} == {kind for kind in BY_KIND if 0x80 <= kind < 0xFF}


def test_a_kind_that_nobody_knows_is_refused() -> None:
    with pytest.raises(BadMessageError):
        decode_message(0x7E, b"")


def test_a_flag_is_zero_or_one() -> None:
    status = StatusIs(bytes(16), datetime(2026, 1, 1), 0, 0, True, False, 0, False, datetime(2000, 1, 1), 0, 0, 0)
    payload = bytearray(encode_message(status))
    payload[40] = 2
    with pytest.raises(BadMessageError) as refused:
        decode_message(StatusIs.KIND, bytes(payload))
    assert refused.value.values["problem"] == "flag"


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (Hello(bytes(15)), "length"),
        (Chunk(bytes(16), 65_536, b""), "range"),
        (Chunk(bytes(16), -1, b""), "range"),
        (ClockIs(bytes(16), datetime(1999, 12, 31)), "range"),
        (Nak(256), "range"),
    ],
)
def test_a_value_that_does_not_fit_its_field_is_not_sent(message, problem: str) -> None:
    with pytest.raises(BadMessageError) as refused:
        encode_message(message)
    assert refused.value.values["problem"] == problem


def test_a_clock_after_the_year_9999_is_refused() -> None:
    with pytest.raises(BadMessageError):
        decode_message(ClockIs.KIND, bytes(16) + (LAST_SECOND + 1).to_bytes(8, "big"))


def test_a_pump_clock_counts_seconds_from_2000() -> None:
    assert seconds_of(datetime(2000, 1, 2, 0, 0, 1)) == 86_401
    assert seconds_of(datetime(2000, 1, 1, 0, 0, 0, 999_999)) == 0


def test_every_event_and_every_alarm_has_a_code_of_its_own() -> None:
    assert set(EVENT_CODES) == set(PumpEventKind)
    assert sorted(EVENT_CODES.values()) == list(range(1, len(PumpEventKind) + 1))
    assert set(ALARM_BITS) == set(Alarm)
    assert sorted(ALARM_BITS.values()) == [2**place for place in range(len(Alarm))]


def test_every_fate_is_a_resolution_and_every_refusal_has_a_word() -> None:
    assert {fate.name.lower() for fate in Fate} == {resolution.value for resolution in Resolution}
    assert Refusal.SPENT_TOKEN.word == "spent-token"
