"""What an emulated pump refuses because it has no room or no time for it, and never falls over."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from app.device.frames import TO_PROGRAM, TO_PUMP, Frame, bench_key, encode_frame
from app.device.messages import Begin, Chunk, Nak, ReadStatus, Ready, Refusal, Resolve, ResolvedIs, encode_message
from app.device.order_codec import What
from app.device.pump_memory import TOMBSTONES_KEPT
from app.device.server import Do, Fault
from app.device.settings_codec import LONGEST, settings_digest
from app.device.transports import Loopback
from app.models.program import OneTimeBolus, OneTimeKind
from app.models.pump import Order, PumpRefusedError, StepClock
from app.models.quantities import Volume
from tests.device.pumps import ANCHOR, RUNNING, SERIAL, TXN, make_client, make_server

FOR_EVER = 2**32 - 1


def staged(order: Order):
    server = make_server()
    client = make_client(lambda: Loopback(server.feed))
    client.stage(txn=TXN, serial=SERIAL, base=client.interrogate(), order=order, anchor=ANCHOR)


@pytest.mark.parametrize(
    "order",
    [
        OneTimeBolus(OneTimeKind.SINGLE, Volume.ml(Fraction("0.05")), FOR_EVER),
        replace(RUNNING, bridge=OneTimeBolus(OneTimeKind.BRIDGE, Volume.ml(Fraction("0.1")), FOR_EVER)),
        StepClock(-(27 * 366 * 86_400)),
        StepClock(FOR_EVER),
    ],
)
def test_what_ends_beyond_the_clock_is_refused(order: Order) -> None:
    with pytest.raises(PumpRefusedError) as refused:
        staged(order)
    assert refused.value.values["reason"] == "bad-settings"


def begun(length: int = 100):
    pump = make_server().pump
    slot = pump.memory.slot
    txn = bytes.fromhex(TXN)
    begin = Begin(txn, What.SETTINGS, slot.revision, settings_digest(slot.settings), length, bytes(32))
    return pump, txn, pump.answer(begin)


def test_an_order_that_is_too_long_is_not_begun() -> None:
    assert isinstance(begun(LONGEST)[2], Ready)
    assert begun(LONGEST + 1)[2] == Nak(Refusal.BAD_LENGTH)


@pytest.mark.parametrize("length", [0, 193, 300])
def test_a_part_of_another_length_is_not_taken(length: int) -> None:
    pump, txn, _ = begun(LONGEST)
    assert pump.answer(Chunk(txn, 0, bytes(length))) == Nak(Refusal.BAD_LENGTH)


def test_no_tombstone_of_a_session_is_dropped_for_another() -> None:
    pump, *_ = begun()
    dead = [number.to_bytes(16, "big") for number in range(1, TOMBSTONES_KEPT + 1)]
    assert all(isinstance(pump.answer(Resolve(txn)), ResolvedIs) for txn in dead)
    assert pump.answer(Resolve(bytes(16))) == Nak(Refusal.BUSY)
    assert isinstance(pump.answer(Resolve(dead[0])), ResolvedIs), "what it knows it may say again"
    assert dead[0].hex() in pump.memory.tombstones


def test_a_foreign_frame_of_the_other_direction_is_noise() -> None:
    server, question = make_server(), encode_message(ReadStatus(bytes(16)))
    frame = Frame(ReadStatus.KIND, TO_PUMP, 1, 1, question)
    assert server.feed(encode_frame(frame, bench_key("another")))
    assert server.feed(encode_frame(replace(frame, direction=TO_PROGRAM), bench_key("another"))) == b""


def test_a_power_cut_arranged_for_a_write_that_never_comes_is_over_with_its_message() -> None:
    server = make_server()
    server.faults.append(Fault(Do.REBOOT_INSIDE, "Commit"))
    client = make_client(lambda: Loopback(server.feed))
    sealed = client.stage(txn=TXN, serial=SERIAL, base=client.interrogate(), order=RUNNING, anchor=ANCHOR)
    with pytest.raises(Exception, match="Commit"):
        client.commit(sealed)
    assert client.interrogate().revision == 2
    assert server.pump.writes_left is None
