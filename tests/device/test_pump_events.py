"""Cards from what the emulated pump really logs: every order of ten mishaps and orders, against what was done to it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.device import mishaps
from app.device.emulated_pump import EmulatedPump, VirtualClock, memory_of
from app.device.messages import ALARM_BITS, EVENT_CODES, ReadStatus
from app.device.pump_memory import MemoryFile
from app.device.wire_fields import EPOCH
from app.documents.catalogue import load_catalogue
from app.models.interruptions import CLOCK_EPOCH, alarms_in
from app.models.pump import Order, PumpEvent, ResumeDelivery, StepClock, StopDelivery
from app.models.pump_events import OnRecord, SeenReading, cards_of
from tests.device.pumps import PUMP_TIME, RUNNING, seeded
from tests.models.pumps import synchromed_ii

HOUR = timedelta(hours=1)
CATALOGUE = load_catalogue()
KIND_OF = {code: kind for kind, code in EVENT_CODES.items()}


def test_models_read_the_wires_numbers_as_the_wire_means_them() -> None:
    assert CLOCK_EPOCH == EPOCH
    for alarm, bit in ALARM_BITS.items():
        assert alarms_in(bit) == (alarm,)


def make_pump() -> EmulatedPump:
    made = memory_of(RUNNING, since=PUMP_TIME, volume=RUNNING.reservoir)  # type: ignore[arg-type]
    clock = VirtualClock(PUMP_TIME, lambda: 0.0)
    return EmulatedPump(
        "CIS1", synchromed_ii(), clock, memory_file=MemoryFile(), made=made, randomness=seeded()
    )


def ordered(pump: EmulatedPump, order: Order) -> None:
    pump._apply(bytes(16), order, bytes(32), pump.clock.now())


class Told:
    """What was done to the pump, kept without looking at it."""

    def __init__(self) -> None:
        self.stopped = self.stalled = self.reset = self.battery_reset = self.worn = self.stepped = False
        self.was_reset = 0
        self.recovered = self.interrupted_since_fill = False

    def an_hour_passes(self) -> None:
        self.interrupted_since_fill |= self.stopped or self.stalled or self.reset

    def stop(self, pump: EmulatedPump) -> None:
        if not self.stopped:
            ordered(pump, StopDelivery())
        self.stopped = True

    def resume(self, pump: EmulatedPump) -> None:
        if self.stopped:
            ordered(pump, ResumeDelivery())
        self.stopped = False

    def stall(self, pump: EmulatedPump) -> None:
        mishaps.stall(pump)
        self.stalled = True

    def recover(self, pump: EmulatedPump) -> None:
        mishaps.recover(pump)
        self.recovered |= self.stalled
        self.stalled = False

    def lose_memory(self, pump: EmulatedPump) -> None:
        mishaps.lose_memory(pump)
        self._fall_back()

    def drain_battery(self, pump: EmulatedPump) -> None:
        mishaps.drain_battery(pump)
        self.battery_reset = True
        self._fall_back()

    def _fall_back(self) -> None:
        self.stopped, self.reset = False, True

    def program(self, pump: EmulatedPump) -> None:
        ordered(pump, replace(RUNNING, reservoir=None))
        self._programmed()

    def refill(self, pump: EmulatedPump) -> None:
        ordered(pump, RUNNING)
        self._programmed()
        self.interrupted_since_fill = False

    def _programmed(self) -> None:
        self.was_reset += self.reset
        self.stopped = self.reset = self.battery_reset = False

    def wear_out(self, pump: EmulatedPump) -> None:
        mishaps.wear_out(pump, days_left=30)
        self.worn = True

    def step_clock(self, pump: EmulatedPump) -> None:
        ordered(pump, StepClock(300))
        self.stepped = True

    def expected(self) -> set[str]:
        """The kinds and reasons of all cards, after one reading."""
        cards = set()
        if self.stopped:
            cards.add("stopped/stopped-now")
        if self.stalled:
            cards.add("stall/stalled")
        if self.recovered:
            cards.add("stall/recovered-once")
        if self.reset:
            cards.add("reset/battery-reset" if self.battery_reset else "reset/memory-reset-now")
        if self.was_reset:
            cards.add("reset/reset-before")
        if self.worn:
            cards.add("eri/replace-by")
        if self.stepped:
            cards.add("clock-off/clock-near")
        if self.interrupted_since_fill or self.stalled:
            cards.add("gap/gap")
        return cards


TEN: tuple[Callable[[Told, EmulatedPump], None], ...] = (
    Told.stop, Told.resume, Told.stall, Told.recover, Told.lose_memory, Told.drain_battery, Told.program, Told.refill,
    Told.wear_out, Told.step_clock,
)  # fmt: skip


def cards_after(steps: tuple[Callable[[Told, EmulatedPump], None], ...]) -> tuple[set[str], set[str]]:
    pump, told = make_pump(), Told()
    pump.clock.advance(HOUR)
    for step in steps:
        pump.answer(ReadStatus(bytes(8)))
        step(told, pump)
        pump.clock.advance(HOUR)
        told.an_hour_passes()
    pump.answer(ReadStatus(bytes(8)))
    now = pump.clock.now()
    log = pump.memory.log
    events = [PumpEvent(line.number, line.at, KIND_OF.get(line.code), line.code, line.value) for line in log]
    seen = SeenReading(
        read_at=datetime(2026, 3, 2, tzinfo=UTC),
        pump_clock=now,
        revision=pump.memory.slot.revision,
        running=pump.runs(),
        reset=pump.memory.reset,
        alarms=pump.alarms(now),
        eri_on=pump._eri_on() if told.worn else None,
        last_event=len(events),
    )
    record = OnRecord(clock=now - timedelta(seconds=300 if told.stepped else 0))
    found = cards_of(events, (seen,), record, CATALOGUE)
    return {f"{card.kind.value}/{card.reason}" for card in found}, told.expected()


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, pytest.param(5, marks=pytest.mark.slow)])
def test_every_order_of_ten_happenings_gives_the_cards_of_what_was_done(length: int) -> None:
    for steps in itertools.permutations(TEN, length):
        found, expected = cards_after(steps)
        assert found == expected, [step.__name__ for step in steps]


def test_a_stop_that_a_reset_ended_does_not_go_on_for_ever() -> None:
    found, _ = cards_after((Told.stop, Told.drain_battery, Told.refill, Told.wear_out))
    assert found == {"eri/replace-by", "reset/reset-before"}
