"""The client against a pump that answers whatever a test wants it to."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import reduce

import pytest

from app.device import mishaps
from app.device.frames import TO_PROGRAM, TO_PUMP, Frame, FrameReader, bench_key, decode_frame, encode_frame
from app.device.messages import (
    Begin,
    Chunk,
    Commit,
    CommittedIs,
    Event,
    EventsAre,
    Fate,
    Hello,
    Hi,
    Message,
    Nak,
    ProgramIs,
    ReadEvents,
    ReadProgram,
    ReadStatus,
    Ready,
    Refusal,
    Resolve,
    ResolvedIs,
    Seal,
    SealedIs,
    StatusIs,
    Took,
    chained,
    decode_message,
    encode_message,
)
from app.device.order_codec import What
from app.device.settings_codec import encode_settings, settings_digest
from app.device.transports import Loopback
from app.models.program import MinimumRate, Program
from app.models.pump import (
    Alarm,
    CommandUncertainError,
    LinkLostError,
    LogMark,
    NotRepresentableError,
    PumpEventKind,
    PumpRefusedError,
    ReadBackDiffersError,
    Resolution,
    StaleBaseError,
    WrongPumpError,
)
from app.models.quantities import Volume
from tests.device.pumps import ANCHOR, PUMP_TIME, RUNNING, SERIAL, TXN, WANTED, make_client, make_server

RAW = encode_settings(RUNNING)
KEY = bench_key(SERIAL)

HI = Hi(
    nonce=bytes(16),
    session=9,
    serial=SERIAL,
    model="synchromed-ii-20",
    firmware="scripted",
    emulated=False,
    must_stop=False,
    max_chunk=40,
    deadline_ms=60,
    revision=5,
    digest=settings_digest(RAW),
    clock=PUMP_TIME,
    running=True,
    reset=False,
    alarms=0,
    applied=(),
    anchor=bytes(32),
)
STATUS = StatusIs(bytes(16), PUMP_TIME, 19_000_000, 1_000_000, True, False, 0, False, datetime(2000, 1, 1), 0, 0, 0)


class ScriptedPump:
    """Answers by rote; ``answers`` replaces an answer, ``None`` is silence, ``sent`` keeps what came in."""

    def __init__(self, **answers: Callable[[Message], Message | None]) -> None:
        self.sent: list[Message] = []
        self.frames: list[Frame] = []
        self.draft = b""
        self.direction = TO_PROGRAM
        self.answers = answers
        self._reader = FrameReader()

    def feed(self, arrived: bytes) -> bytes:
        return b"".join(self.reply(decode_frame(stuffed, KEY)) for stuffed in self._reader.feed(arrived))

    def reply(self, frame: Frame) -> bytes:
        message = decode_message(frame.kind, frame.payload)
        self.sent.append(message)
        self.frames.append(frame)
        answer = self.by_rote(message)
        scripted = self.answers.get(type(message).__name__)
        if scripted is not None:
            answer = scripted(answer)
        return b"" if answer is None else self.wrap(answer, frame)

    def wrap(self, answer: Message, asked: Frame) -> bytes:
        session = answer.session if isinstance(answer, Hi) else asked.session
        return encode_frame(Frame(answer.KIND, self.direction, session, asked.number, encode_message(answer)), KEY)

    def by_rote(self, message: Message) -> Message:
        match message:
            case Hello(nonce=nonce):
                return replace(HI, nonce=nonce)
            case ReadProgram(nonce=nonce):
                return ProgramIs(nonce, HI.revision, HI.digest, RAW)
            case ReadStatus(nonce=nonce):
                return replace(STATUS, nonce=nonce)
            case ReadEvents(nonce=nonce, cursor=cursor):
                return EventsAre(nonce, (), cursor, False, bytes(32))
            case Begin(txn=txn):
                self.draft = b""
                return Ready(txn)
            case Chunk(txn=txn, part=part):
                self.draft += part
                return Took(txn, len(self.draft))
            case Seal(txn=txn):
                return SealedIs(txn, settings_digest(self.draft), b"t" * 16, 120, self.draft)
            case Commit(txn=txn):
                return CommittedIs(txn, 6, PUMP_TIME)
            case Resolve(txn=txn):
                return ResolvedIs(txn, Fate.DEAD, 0)
        raise AssertionError(message)


def client_of(pump: ScriptedPump):
    return make_client(lambda: Loopback(pump.feed))


def stage(client):
    return client.stage(txn=TXN, serial=SERIAL, base=client.interrogate(), order=WANTED, anchor=ANCHOR)


def changing(**changes) -> Callable[[Message], Message]:
    return lambda answer: replace(answer, **changes)


def instead(answer: Message | None) -> Callable[[Message], Message | None]:
    return lambda _: answer


def kinds(pump: ScriptedPump) -> list[str]:
    return [type(message).__name__ for message in pump.sent]


# -- sessions ------------------------------------------------------------------------------------------------


def test_each_greeting_carries_a_nonce_of_its_own_and_no_session() -> None:
    pump = ScriptedPump()
    client = client_of(pump)
    client.connect()
    client.connect()
    nonces = [message.nonce for message in pump.sent]
    assert len(set(nonces)) == 2
    assert [frame.session for frame in pump.frames] == [0, 0]


def test_every_frame_after_the_greeting_names_the_pumps_session_and_a_new_number() -> None:
    pump = ScriptedPump()
    client = client_of(pump)
    client.commit(stage(client))
    assert {frame.session for frame in pump.frames if frame.kind != Hello.KIND} == {9}
    assert len({frame.number for frame in pump.frames}) == len(pump.frames)
    assert {frame.direction for frame in pump.frames} == {TO_PUMP}


def test_an_answer_to_another_greeting_is_not_believed() -> None:
    pump = ScriptedPump(Hello=changing(nonce=b"n" * 16))
    with pytest.raises(LinkLostError):
        client_of(pump).connect()
    assert kinds(pump) == ["Hello"] * 3


def test_an_answer_with_another_number_is_not_believed() -> None:
    pump = ScriptedPump()
    right = pump.wrap
    pump.wrap = lambda answer, asked: right(answer, replace(asked, number=asked.number + 1))
    with pytest.raises(LinkLostError):
        client_of(pump).connect()


def test_an_answer_of_another_session_is_not_believed() -> None:
    pump = ScriptedPump()
    client = client_of(pump)
    client.connect()
    right = pump.wrap
    pump.wrap = lambda answer, asked: right(answer, replace(asked, session=8) if asked.session else asked)
    with pytest.raises(LinkLostError):
        client.interrogate()
    assert kinds(pump) == ["Hello", "Hello"] + ["ReadProgram"] * 3


def test_a_frame_that_goes_to_the_pump_is_no_answer() -> None:
    pump = ScriptedPump()
    pump.direction = TO_PUMP
    with pytest.raises(LinkLostError):
        client_of(pump).connect()


def test_an_echo_is_no_answer() -> None:
    with pytest.raises(LinkLostError):
        make_client(lambda: Loopback(lambda sent: sent)).connect()


def test_a_question_that_is_repeated_has_a_new_nonce() -> None:
    pump = ScriptedPump(ReadProgram=instead(None))
    with pytest.raises(LinkLostError):
        client_of(pump).interrogate()
    assert len({message.nonce for message in pump.sent}) == 4


def test_an_answer_is_found_between_noise() -> None:
    pump = ScriptedPump()
    client = make_client(lambda: Loopback(lambda sent: b"\x07noise\x00\x05\x00" + pump.feed(sent) + b"\x01"))
    assert client.interrogate().settings == RUNNING


@pytest.mark.parametrize("reason", [Refusal.BUSY, Refusal.UNKNOWN_MESSAGE, 200])
def test_a_greeting_that_is_refused_is_a_lost_link(reason: int) -> None:
    with pytest.raises(LinkLostError):
        client_of(ScriptedPump(Hello=instead(Nak(reason)))).connect()


@pytest.mark.parametrize("name", ["connect", "interrogate"])
def test_a_pump_that_does_not_know_our_key_is_another_pump(name: str) -> None:
    client = client_of(ScriptedPump(Hello=instead(Nak(Refusal.KEY))))
    with pytest.raises(WrongPumpError) as wrong:
        getattr(client, name)()
    assert wrong.value.values["reason"] == "key"


def test_a_dribbling_line_cannot_hold_an_exchange_open() -> None:
    pump = ScriptedPump()

    class Dribble(Loopback):
        immediate = False

        def read(self, timeout_s: float) -> bytes:
            held = super().read(timeout_s)
            if pump.sent[-1:] and isinstance(pump.sent[-1], Hello):
                return held
            time.sleep(0.01)
            return b"\x55"

    client = make_client(lambda: Dribble(pump.feed))
    began = time.monotonic()
    with pytest.raises(LinkLostError):
        client.interrogate()
    assert kinds(pump) == ["Hello"] + ["ReadProgram"] * 3
    assert time.monotonic() - began < 1.5


# -- readings ------------------------------------------------------------------------------------------------


def test_a_reading_carries_what_the_pump_said() -> None:
    status = {
        "alarms": 1 + 32,
        "reset": True,
        "running": False,
        "eri_seen": True,
        "eri_on": datetime(2026, 1, 5, 12),
        "bridge_left_min": 77,
        "reservoir_nl": 1_999_999,
    }
    reading = client_of(ScriptedPump(ReadStatus=changing(**status))).interrogate()
    assert reading.alarms == (Alarm.LOW_RESERVOIR, Alarm.MOTOR_STALL)
    assert reading.reset and not reading.running
    assert reading.eri_on == datetime(2026, 1, 5, 12)
    assert reading.bridge_left_min == 77
    assert reading.reservoir == Volume(1_999_999_000)
    assert (reading.revision, reading.digest) == (5, HI.digest.hex())


def test_an_alarm_without_a_name_does_not_pass_unseen() -> None:
    with pytest.raises(LinkLostError) as lost:
        client_of(ScriptedPump(ReadStatus=changing(alarms=512 + 1))).interrogate()
    assert lost.value.values["problem"] == "unknown alarm"


def test_a_long_log_is_read_answer_by_answer() -> None:
    log = [Event(number, PUMP_TIME, 8 if number < 250 else 99, number) for number in range(1, 251)]

    def page(answer: EventsAre) -> EventsAre:
        part = tuple(log[answer.cursor : answer.cursor + 100])
        chain = reduce(chained, log[: part[-1].number], bytes(32))
        return replace(answer, events=part, cursor=part[-1].number, more=part[-1].number < 250, chain=chain)

    pump = ScriptedPump(ReadEvents=page)
    events = client_of(pump).interrogate().events
    assert [event.number for event in events] == list(range(1, 251))
    assert [message.cursor for message in pump.sent if isinstance(message, ReadEvents)] == [0, 100, 200]
    assert events[0].kind is PumpEventKind.STALLED
    assert (events[-1].kind, events[-1].code, events[-1].value) == (None, 99, 250)


@pytest.mark.parametrize("changes", [{"chain": b"x" * 32}, {"events": (Event(2, PUMP_TIME, 1, 0),)}])
def test_a_log_that_is_not_the_one_that_was_kept_is_not_believed(changes) -> None:
    with pytest.raises(LinkLostError):
        client_of(ScriptedPump(ReadEvents=changing(**changes))).interrogate()


def test_the_log_is_read_on_from_a_mark_and_must_continue_it() -> None:
    server = make_server()
    client = make_client(lambda: Loopback(server.feed))
    whole = client.interrogate()
    mishaps.stall(server.pump)
    later = client.interrogate(after=whole.log_mark)
    assert next(event.kind for event in later.events) is PumpEventKind.STALLED
    assert later.log_mark.number > whole.log_mark.number
    with pytest.raises(LinkLostError):
        client.interrogate(after=LogMark(whole.log_mark.number, "11" * 32))


def test_a_log_that_promises_more_and_does_not_go_on_is_not_complete() -> None:
    with pytest.raises(LinkLostError):
        client_of(ScriptedPump(ReadEvents=changing(more=True))).interrogate()


@pytest.mark.parametrize(
    "changes",
    [
        {"digest": bytes(32)},
        {"revision": 4},
        {"settings": RAW[:-1]},
        {"settings": encode_settings(WANTED)},
    ],
    ids=["digest", "revision", "cut", "another program"],
)
def test_a_program_that_is_not_the_one_the_pump_named_is_not_read(changes) -> None:
    with pytest.raises(LinkLostError):
        client_of(ScriptedPump(ReadProgram=changing(**changes))).interrogate()


def test_a_program_whose_bytes_are_no_settings_is_not_read() -> None:
    rubbish = b"\x01\x00"
    pump = ScriptedPump(
        Hello=changing(digest=settings_digest(rubbish)),
        ReadProgram=changing(digest=settings_digest(rubbish), settings=rubbish),
    )
    with pytest.raises(LinkLostError):
        client_of(pump).interrogate()


def test_a_question_that_is_refused_is_a_lost_link() -> None:
    with pytest.raises(LinkLostError) as lost:
        client_of(ScriptedPump(ReadStatus=instead(Nak(Refusal.OLD_SESSION)))).interrogate()
    assert lost.value.values["reason"] == "old-session"


# -- commands ------------------------------------------------------------------------------------------------


def test_settings_go_in_chunks_of_the_size_that_the_pump_can_take() -> None:
    pump = ScriptedPump()
    stage(client_of(pump))
    chunks = [message for message in pump.sent if isinstance(message, Chunk)]
    assert [chunk.offset for chunk in chunks] == [0, 40, 80]
    assert [len(chunk.part) for chunk in chunks] == [40, 40, 30]
    assert b"".join(chunk.part for chunk in chunks) == encode_settings(WANTED)


def test_a_pump_that_can_take_nothing_gets_a_byte_at_a_time() -> None:
    pump = ScriptedPump(Hello=changing(max_chunk=0))
    stage(client_of(pump))
    assert kinds(pump).count("Chunk") == 110


@pytest.mark.parametrize("moved", [{"digest": "ab" * 32}, {"revision": 4}], ids=["digest", "revision"])
def test_a_base_that_differs_in_one_thing_is_stale(moved) -> None:
    pump = ScriptedPump()
    client = client_of(pump)
    base = replace(client.interrogate(), **moved)
    with pytest.raises(StaleBaseError):
        client.stage(txn=TXN, serial=SERIAL, base=base, order=WANTED, anchor=ANCHOR)
    assert kinds(pump)[-1] == "Hello"


def test_begin_names_the_state_that_was_reviewed_and_the_program_that_will_come() -> None:
    pump = ScriptedPump()
    client = client_of(pump)
    stage(client)
    (begin,) = [message for message in pump.sent if isinstance(message, Begin)]
    assert begin == Begin(bytes.fromhex(TXN), What.SETTINGS, 5, HI.digest, 110, bytes.fromhex(client.digest_of(WANTED)))


def test_commit_carries_digest_token_and_anchor_in_one_frame() -> None:
    pump = ScriptedPump()
    client = client_of(pump)
    committed = client.commit(stage(client))
    assert pump.sent[-1] == Commit(
        bytes.fromhex(TXN), bytes.fromhex(client.digest_of(WANTED)), b"t" * 16, bytes.fromhex(ANCHOR)
    )
    assert (committed.revision, committed.effective_at) == (6, PUMP_TIME)


def test_a_read_back_with_one_field_changed_is_named_and_not_sealed() -> None:
    other = encode_settings(replace(WANTED, low_alarm=Volume.ml(2)))
    pump = ScriptedPump(Seal=changing(order=other))
    with pytest.raises(ReadBackDiffersError) as differs:
        stage(client_of(pump))
    assert differs.value.values["fields"] == "low-reservoir alarm"
    assert "Commit" not in kinds(pump)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"order": b""}, "unreadable"),
        ({"order": encode_settings(WANTED)[:-1]}, "unreadable"),
        ({"digest": bytes(32)}, "digest"),
    ],
)
def test_nothing_read_back_is_not_equal(changes, fields: str) -> None:
    with pytest.raises(ReadBackDiffersError) as differs:
        stage(client_of(ScriptedPump(Seal=changing(**changes))))
    assert differs.value.values["fields"] == fields


def test_other_bytes_are_a_difference_even_if_the_second_decoder_sees_none(monkeypatch) -> None:
    monkeypatch.setattr("app.device.client.differences", lambda *_: ())
    with pytest.raises(ReadBackDiffersError) as differs:
        stage(client_of(ScriptedPump(Seal=changing(order=RAW))))
    assert differs.value.values["fields"] == "digest"


def test_a_program_that_two_decoders_read_differently_is_not_read(monkeypatch) -> None:
    monkeypatch.setattr("app.device.client.differences", lambda *_: ("daily dose",))
    with pytest.raises(LinkLostError):
        client_of(ScriptedPump()).interrogate()


@pytest.mark.parametrize("on", ["Begin", "Chunk", "Seal"])
def test_a_refused_command_says_the_pumps_reason(on: str) -> None:
    pump = ScriptedPump(**{on: instead(Nak(Refusal.BAD_SETTINGS))})
    with pytest.raises(PumpRefusedError) as refused:
        stage(client_of(pump))
    assert refused.value.values["reason"] == "bad-settings"
    assert kinds(pump)[-1] == on


def test_a_reason_that_this_program_does_not_know_is_shown_as_its_number() -> None:
    with pytest.raises(PumpRefusedError) as refused:
        stage(client_of(ScriptedPump(Begin=instead(Nak(77)))))
    assert refused.value.values["reason"] == "77"


@pytest.mark.parametrize("on", ["Begin", "Chunk", "Seal"])
def test_an_answer_for_another_order_leaves_the_command_uncertain(on: str) -> None:
    pump = ScriptedPump(**{on: changing(txn=bytes(16))})
    with pytest.raises(CommandUncertainError):
        stage(client_of(pump))
    assert kinds(pump).count(on) == 1


def test_another_pumps_frame_after_commit_leaves_it_uncertain() -> None:
    pump = ScriptedPump()
    client = client_of(pump)
    sealed = stage(client)
    pump.answers["Commit"] = instead(Nak(Refusal.KEY))
    with pytest.raises(CommandUncertainError):
        client.commit(sealed)


def test_a_value_too_fine_for_the_wire_is_refused_before_anything_is_sent() -> None:
    pump = ScriptedPump()
    client = client_of(pump)
    base = client.interrogate()
    pump.sent.clear()
    with pytest.raises(NotRepresentableError):
        client.stage(txn=TXN, serial=SERIAL, base=base, order=replace(WANTED, low_alarm=Volume(1)), anchor=ANCHOR)
    assert pump.sent == []


# -- what became of it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fate", list(Fate))
def test_resolve_says_what_the_pump_says(fate: Fate) -> None:
    assert client_of(ScriptedPump(Resolve=changing(fate=fate))).resolve(TXN, SERIAL) is Resolution(fate.name.lower())


@pytest.mark.parametrize(
    "answer",
    [changing(fate=0), changing(txn=bytes(16)), instead(None), instead(Nak(Refusal.BUSY))],
    ids=["no such fate", "another order", "silence", "refused"],
)
def test_without_a_fact_the_outcome_is_still_not_known(answer) -> None:
    with pytest.raises(LinkLostError):
        client_of(ScriptedPump(Resolve=answer)).resolve(TXN, SERIAL)


def test_another_pump_is_not_asked_what_became_of_the_order() -> None:
    pump = ScriptedPump()
    client = client_of(pump)
    stage(client)
    pump.answers["Hello"] = changing(serial="CIS000099")
    with pytest.raises(WrongPumpError):
        client.resolve(TXN, SERIAL)
    assert "Resolve" not in kinds(pump)


def test_the_digest_is_of_exactly_the_bytes_that_would_be_sent() -> None:
    client = client_of(ScriptedPump())
    minimum = replace(RUNNING, program=Program(MinimumRate()))
    assert client.digest_of(RUNNING) == settings_digest(RAW).hex()
    assert client.digest_of(minimum) != client.digest_of(RUNNING)
