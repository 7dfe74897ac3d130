"""Orders that are done once, over the whole wire: given once, never twice, and seen in the physical books."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from app.device import mishaps
from app.device.client import PumpClient
from app.device.emulated_pump import EmulatedPump, VirtualClock, memory_of
from app.device.frames import bench_key
from app.device.order_codec import decode_order, encode_order, order_digest, what_of
from app.device.pump_memory import MemoryFile
from app.device.read_back import differences
from app.device.server import Do, Fault, PumpServer
from app.device.settings_codec import BadSettingsError
from app.device.transports import Loopback
from app.models.program import EVERY_DAY, Bolus, DayPlan, Flex, OneTimeBolus, OneTimeKind, PatientActivated, Program
from app.models.pump import (
    Alarm,
    CommandUncertainError,
    NotRepresentableError,
    Order,
    PumpEventKind,
    PumpRefusedError,
    PumpSettings,
    Resolution,
    ResumeDelivery,
    SilenceAlarms,
    StepClock,
    StopDelivery,
)
from app.models.quantities import Concentration, DoseRate, Mass, Volume
from tests.device.pumps import ANCHOR, SERIAL, WORKSTATION_TIME, seeded
from tests.models.pumps import synchromed_ii

START = datetime(2026, 3, 2, 9, 0)
DAY = timedelta(days=1)
SINGLE = OneTimeBolus(OneTimeKind.SINGLE, Volume.ml(Fraction("0.05")), 30)
PRIMING = OneTimeBolus(OneTimeKind.PRIMING, Volume.ml(Fraction("0.2")), 20)
EACH = (SINGLE, PRIMING, StopDelivery(), ResumeDelivery(), StepClock(3600), StepClock(-90), SilenceAlarms(tuple(Alarm)))


class Table:
    """A pump at 240 mcg a day of 1000 mcg/mL and a 24 mcg bolus at noon, with a client on a loopback."""

    def __init__(self, path: Path | None = None, *, must_stop: bool = False) -> None:
        noon = Bolus(at=720, dose=Mass.mcg(24), duration_min=10)
        plan = DayPlan(EVERY_DAY, DoseRate.mcg_per_day(240), boluses=(noon,))
        program = Program(Flex((plan,)), PatientActivated(Mass.mcg(10), 5, lockout_min=120, max_per_day=2))
        self.settings = PumpSettings("baclofen", Concentration.mcg_per_ml(1000), program, Volume.ml(2))
        self.clock = VirtualClock(START, lambda: 0.0)
        self.path, self.must_stop = path, must_stop
        self.pump = self.made()
        self.server = PumpServer(self.pump, bench_key(SERIAL))
        self.client = PumpClient(
            lambda: Loopback(self.server.feed), bench_key(SERIAL), now=lambda: WORKSTATION_TIME, randomness=seeded(3)
        )
        self.number = 0

    def made(self) -> EmulatedPump:
        return EmulatedPump(
            SERIAL,
            synchromed_ii(),
            self.clock,
            memory_file=MemoryFile(self.path),
            made=memory_of(self.settings, since=START, volume=Volume.ml(18)),
            randomness=seeded(4),
            must_stop=self.must_stop,
        )

    def give(self, order: Order) -> str:
        self.number += 1
        txn = f"{self.number:032x}"
        sealed = self.client.stage(
            txn=txn, serial=SERIAL, base=self.client.interrogate(), order=order, anchor=ANCHOR
        )
        assert sealed.order == order
        self.client.commit(sealed)
        return txn

    def wait(self, **span: int) -> None:
        self.clock.advance(timedelta(**span))

    def given_ml(self) -> Fraction:
        self.pump.catch_up()
        return self.pump.ledger().physically_delivered / Volume.PER_ML

    def events(self) -> list[PumpEventKind | None]:
        return [event.kind for event in self.client.interrogate().events]


PER_DAY = Fraction("0.264")


@pytest.mark.parametrize("order", EACH, ids=lambda order: type(order).__name__)
def test_each_order_has_one_encoding_that_two_decoders_read(order: Order) -> None:
    raw = encode_order(order)
    assert decode_order(what_of(order), raw) == order
    assert differences(order, raw) == ()
    for what in (2, 3, 4, 5, 6):
        if what != what_of(order):
            assert order_digest(what, raw) != order_digest(what_of(order), raw)
    with pytest.raises(BadSettingsError):
        decode_order(what_of(order), raw + b"\x00")
    assert differences(order, raw + b"\x00") != ()


@pytest.mark.parametrize(
    "order", [SINGLE, StepClock(3600), SilenceAlarms((Alarm.ERI,))], ids=lambda order: type(order).__name__
)
def test_a_changed_byte_is_seen_by_the_second_decoder(order: Order) -> None:
    raw = encode_order(order)
    for place in range(len(raw)):
        spoilt = bytearray(raw)
        spoilt[place] ^= 1
        assert differences(order, bytes(spoilt)) != ()


def test_what_does_not_fit_the_wire_is_refused() -> None:
    for order in (
        OneTimeBolus(OneTimeKind.SINGLE, Volume(1), 30),
        OneTimeBolus(OneTimeKind.BRIDGE, Volume.ml(1), 30),
        StepClock(2**32),
    ):
        with pytest.raises(NotRepresentableError):
            encode_order(order)


def test_nothing_is_no_order() -> None:
    for what, raw in ((2, b"\x01" + bytes(12)), (5, bytes(5)), (6, bytes(2)), (9, b""), (3, b"\x00")):
        with pytest.raises(BadSettingsError):
            decode_order(what, raw)


def test_a_single_bolus_runs_once_on_top_of_the_program() -> None:
    table = Table()
    txn = table.give(SINGLE)
    table.wait(minutes=15)
    bolus = table.client.interrogate().bolus
    assert bolus is not None and bolus.given * 2 == bolus.ordered == SINGLE.volume
    table.wait(days=1, minutes=-15)
    assert table.given_ml() == PER_DAY + Fraction("0.05")
    assert table.client.interrogate().bolus is None
    assert table.client.resolve(txn, SERIAL) is Resolution.COMMITTED
    assert table.events()[-2:] == [PumpEventKind.BOLUS_STARTED, PumpEventKind.BOLUS_ENDED]


def test_the_program_waits_for_a_priming_bolus() -> None:
    table = Table()
    table.give(PRIMING)
    table.wait(minutes=60)
    assert table.given_ml() == Fraction("0.2") + Fraction("0.240") * 40 / 1440


def test_a_lost_answer_to_a_bolus_gives_one_bolus() -> None:
    table = Table()
    table.server.faults.append(Fault(Do.DROP_ANSWER, "Commit"))
    with pytest.raises(CommandUncertainError):
        table.give(SINGLE)
    assert table.client.resolve(f"{1:032x}", SERIAL) is Resolution.COMMITTED
    table.wait(days=1)
    assert table.given_ml() == PER_DAY + Fraction("0.05")


def test_no_bolus_while_one_runs_and_no_clock_setting() -> None:
    table = Table()
    table.give(SINGLE)
    for order in (SINGLE, PRIMING, StepClock(60)):
        with pytest.raises(PumpRefusedError) as refused:
            table.give(order)
        assert refused.value.values["reason"] == "state"
    table.wait(hours=3, minutes=5)
    with pytest.raises(PumpRefusedError):
        table.give(StepClock(60))  # the scheduled one runs now


def test_a_stop_ends_the_bolus_and_resuming_does_not_take_it_up() -> None:
    table = Table()
    table.give(SINGLE)
    table.wait(minutes=12)
    table.give(StopDelivery())
    half = table.given_ml()
    table.wait(hours=50)
    reading = table.client.interrogate()
    assert not reading.running and Alarm.STOPPED_TOO_LONG in reading.alarms
    assert table.given_ml() == half == Fraction("0.05") * 12 / 30 + Fraction("0.240") * 12 / 1440
    ended = [event for event in reading.events if event.kind is PumpEventKind.BOLUS_ENDED]
    assert [event.value for event in ended] == [20_000]
    table.give(ResumeDelivery())
    table.wait(days=1)
    assert table.client.interrogate().running
    assert table.given_ml() == half + PER_DAY


def test_stop_and_resume_are_refused_where_they_say_nothing() -> None:
    table = Table()
    with pytest.raises(PumpRefusedError):
        table.give(ResumeDelivery())
    table.give(StopDelivery())
    for order in (StopDelivery(), SINGLE):
        with pytest.raises(PumpRefusedError):
            table.give(order)


def test_a_clock_put_back_past_noon_does_not_give_the_noon_bolus_again() -> None:
    table = Table()
    table.wait(hours=4)  # 13:00: the bolus of noon has been given
    before = table.given_ml()
    assert before == Fraction("0.240") * 4 / 24 + Fraction("0.024")
    table.give(StepClock(-2 * 3600))
    assert table.clock.now() == datetime(2026, 3, 2, 11, 0)
    table.wait(hours=3)
    assert table.given_ml() == before + Fraction("0.240") * 3 / 24, "basal only while noon passes a second time"
    table.wait(days=1)
    assert table.given_ml() == before + Fraction("0.240") * 3 / 24 + PER_DAY, "tomorrow's is given"


@pytest.mark.parametrize("minute", range(0, 1440, 7))
@pytest.mark.parametrize("seconds", [-7200, 5400])
def test_a_clock_step_at_any_minute_never_gives_more_than_one_bolus_a_day(minute: int, seconds: int) -> None:
    table = Table()
    table.wait(minutes=minute)
    try:
        table.give(StepClock(seconds))
    except PumpRefusedError:
        return
    passed = timedelta(minutes=minute) + timedelta(hours=23)
    table.wait(hours=23)
    boluses = (table.given_ml() - Fraction("0.240") * (passed // timedelta(minutes=1)) / 1440) / Fraction("0.024")
    noons = sum(1 for day in range(3) if START <= datetime(2026, 3, 2, 12) + day * DAY < table.clock.now())
    assert boluses <= noons


def test_a_step_of_the_clock_is_in_the_log_and_in_the_reading() -> None:
    table = Table()
    offset = table.client.interrogate().clock_offset
    table.give(StepClock(600))
    reading = table.client.interrogate()
    assert reading.clock_offset == offset + timedelta(minutes=10)
    assert reading.events[-1].kind is PumpEventKind.CLOCK_SET


def test_silence_takes_note_but_a_reset_stays() -> None:
    table = Table()
    mishaps.lose_memory(table.pump)
    table.give(SilenceAlarms((Alarm.CRITICAL_MEMORY_ERROR,)))
    reading = table.client.interrogate()
    assert reading.reset and Alarm.CRITICAL_MEMORY_ERROR in reading.alarms
    table.give(table.settings)
    reading = table.client.interrogate()
    assert not reading.reset and reading.alarms == ()


def test_a_pump_that_must_stop_stays_stopped_if_the_power_fails_in_between() -> None:
    table = Table(must_stop=True)
    assert table.client.connect().must_stop
    table.server.faults.append(Fault(Do.REBOOT_INSIDE, "Commit"))
    with pytest.raises(CommandUncertainError):
        table.give(table.settings)
    assert table.client.resolve(f"{1:032x}", SERIAL) is Resolution.DEAD
    assert not table.client.interrogate().running
    table.give(ResumeDelivery())
    assert table.client.interrogate().running
    table.give(table.settings)
    assert table.client.interrogate().running


def test_the_patient_s_button_keeps_lockout_and_number() -> None:
    table = Table()
    assert mishaps.press_button(table.pump)
    assert not mishaps.press_button(table.pump), "one runs"
    table.wait(minutes=60)
    assert not mishaps.press_button(table.pump), "locked out"
    table.wait(minutes=60)
    assert mishaps.press_button(table.pump)
    table.wait(hours=5)
    assert not mishaps.press_button(table.pump), "two in a day"
    table.wait(hours=17)
    assert table.given_ml() == PER_DAY + Fraction("0.020")
    assert table.events().count(PumpEventKind.PATIENT_BOLUS) == 2
    assert table.events().count(PumpEventKind.PATIENT_REFUSED) == 3


def test_after_a_scan_the_motor_turns_again_by_itself_hours_later() -> None:
    table = Table()
    mishaps.scan(table.pump, recovers_after_min=24 * 60)
    table.wait(hours=12)
    assert Alarm.MOTOR_STALL in table.client.interrogate().alarms
    table.wait(hours=36)
    reading = table.client.interrogate()
    assert Alarm.MOTOR_STALL not in reading.alarms
    recovered = next(event for event in reading.events if event.kind is PumpEventKind.RECOVERED)
    assert recovered.at == START + DAY
    assert table.given_ml() == PER_DAY, "one of two days"
    assert reading.delivered == Volume.ml(2 * PER_DAY), "the pump counts both"


def test_the_log_says_when_an_alarm_began() -> None:
    table = Table()
    table.wait(days=65)
    reading = table.client.interrogate()
    low = next(event for event in reading.events if event.kind is PumpEventKind.ALARM and event.value == 1)
    assert START + 60 * DAY < low.at < START + 61 * DAY


def test_reservoir_and_delivered_always_make_what_was_filled() -> None:
    table = Table()
    for act in (
        lambda: mishaps.set_flow_error(table.pump, Fraction("0.2")),
        lambda: table.give(SINGLE),
        lambda: mishaps.set_occluded(table.pump, True),
        lambda: mishaps.set_occluded(table.pump, False),
        lambda: mishaps.jump_clock(table.pump, -4000),
        lambda: mishaps.drain_battery(table.pump),
        lambda: table.give(table.settings),
        lambda: mishaps.wear_out(table.pump, days_left=1),
    ):
        act()
        table.wait(hours=31)
        table.pump.catch_up()
        books = table.pump.ledger()
        assert books.physical + books.physically_delivered == 18 * Volume.PER_ML


def test_a_whole_memory_survives_its_file(tmp_path: Path) -> None:
    table = Table(tmp_path / "pump.json")
    mishaps.press_button(table.pump)
    mishaps.scan(table.pump, recovers_after_min=90)
    mishaps.fill_by_hand(table.pump, Volume.ml(10))
    mishaps.wear_out(table.pump, days_left=100)
    table.wait(minutes=10)
    table.give(StepClock(-300))
    table.give(SINGLE)
    kept = table.pump.memory
    table.clock = VirtualClock(START, lambda: 0.0)
    again = table.made()
    assert again.memory == kept
    assert table.clock.now() == START - timedelta(minutes=5), "the step outlives the process"
