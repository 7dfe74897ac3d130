"""Orders on their own, against the real store and the emulated pump: one effect, one outcome, a guard that stays."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from app.device.server import Do, Fault
from app.models.program import OneTimeBolus, OneTimeKind
from app.models.pump import (
    Alarm,
    LinkLostError,
    Order,
    Outcome,
    PumpRefusedError,
    ResumeDelivery,
    SilenceAlarms,
    StaleBaseError,
    StepClock,
    StopDelivery,
)
from app.models.quantities import Volume
from app.services.orders import Orders, StagedOrder
from app.services.programming import OrderInDoubtError
from tests.services.bench import Bench

BOLUS = OneTimeBolus(OneTimeKind.SINGLE, Volume.ml(Fraction("0.05")), 30)
EACH: tuple[Order, ...] = (
    BOLUS,
    OneTimeBolus(OneTimeKind.PRIMING, Volume.ml(Fraction("0.2")), 20),
    StopDelivery(),
    StepClock(-600),
    SilenceAlarms((Alarm.ERI, Alarm.LOW_RESERVOIR)),
)


class Desk:
    """The bench's clinic with its orders."""

    def __init__(self, folder: Path, *, must_stop: bool = False) -> None:
        self.bench = Bench(folder)
        self.bench.pump.must_stop = must_stop
        station = self.bench.station
        self.store, self.port = station.store, self.bench.port()
        self.orders = Orders(station.store, station.clock, station.programming.new_id)
        self.implant = station.desk.implant(self.bench.patient)
        self.user = self.bench.physician.id

    def stage(self, order: Order) -> StagedOrder:
        reviewed = self.port.interrogate()
        return self.orders.stage(
            order,
            reviewed,
            self.port,
            implant_id=self.implant.id,
            serial=self.implant.serial,
            user_id=self.user,
        )

    def give(self, order: Order):
        return self.orders.send(self.stage(order), self.port, user_id=self.user)


@pytest.mark.parametrize("order", EACH, ids=lambda order: type(order).__name__)
def test_each_order_is_given_once_and_kept(tmp_path: Path, order: Order) -> None:
    desk = Desk(tmp_path)
    staged = desk.stage(order)
    assert [record.order for record in desk.store.orders_in_doubt()] == [order], "on disk before it is sent"
    record = desk.orders.send(staged, desk.port, user_id=desk.user)
    assert record.outcome is Outcome.VERIFIED
    assert desk.store.orders_in_doubt() == []
    assert len(desk.bench.pump.memory.applied) == 1


@pytest.mark.parametrize("on", ["Begin", "Chunk", "Seal", "Commit"])
@pytest.mark.parametrize("do", list(Do))
def test_every_fault_at_every_message_gives_one_bolus_or_none(tmp_path: Path, do: Do, on: str) -> None:
    desk = Desk(tmp_path)
    desk.bench.cable.server.faults.append(Fault(do, on))
    try:
        desk.give(BOLUS)
    except PumpRefusedError:
        assert desk.store.orders_in_doubt() == []
    except Exception as error:
        assert not isinstance(error, AssertionError)
    desk.bench.cable.mend()
    for record in desk.store.orders_in_doubt():
        assert desk.orders.settle(record, desk.port, user_id=desk.user).outcome is not Outcome.NOT_KNOWN
    applied = len(desk.bench.pump.memory.applied)
    assert applied <= 1
    started = sum(event.kind == "bolus-started" for event in desk.port.interrogate().events)
    assert started == applied


def test_an_order_in_doubt_is_settled_before_the_next(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    staged = desk.stage(BOLUS)
    with pytest.raises(OrderInDoubtError):
        desk.stage(StopDelivery())
    assert desk.orders.settle(staged.record, desk.port, user_id=desk.user).outcome is Outcome.NOT_APPLIED
    assert desk.give(StopDelivery()).outcome is Outcome.VERIFIED


def test_what_was_reviewed_must_still_be_so(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    reviewed = desk.port.interrogate()
    desk.give(BOLUS)
    with pytest.raises(StaleBaseError):
        desk.orders.stage(
            StopDelivery(),
            reviewed,
            desk.port,
            implant_id=desk.implant.id,
            serial=desk.implant.serial,
            user_id=desk.user,
        )


def test_a_pump_that_must_stop_is_guarded_until_it_is_seen_running(tmp_path: Path) -> None:
    desk = Desk(tmp_path, must_stop=True)
    now = desk.port.interrogate().settings
    wanted = replace(now, low_alarm=Volume.ml(3))
    staged = desk.stage(wanted)
    assert desk.store.guards() == []
    desk.bench.cable.server.faults.append(Fault(Do.REBOOT_INSIDE, "Commit"))
    record = desk.orders.send(staged, desk.port, user_id=desk.user)
    assert record.outcome is Outcome.NOT_APPLIED
    assert [guard.serial for guard in desk.store.guards()] == [desk.implant.serial], "it stands still"
    desk.bench.cable.cut = True
    with pytest.raises(LinkLostError):
        desk.stage(ResumeDelivery())
    assert desk.store.guards() != []
    desk.bench.cable.mend()
    assert desk.give(ResumeDelivery()).outcome is Outcome.VERIFIED
    assert desk.store.guards() == []
    assert desk.give(wanted).outcome is Outcome.VERIFIED
    assert desk.store.guards() == []
