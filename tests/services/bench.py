"""A clinic and an emulated pump on a table, with a cable that can be cut."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

from app.bootstrap import make_emulated_pump, make_workstation, open_clinic
from app.device.client import PumpClient
from app.device.emulated_pump import EmulatedPump
from app.device.frames import bench_key
from app.device.server import PumpDiedError, PumpServer
from app.models.patient import Role, User
from app.models.pump import LinkLostError, PumpPort
from app.models.quantities import Concentration, Volume
from app.models.refill_visit import DrugCheck, NeedleCheck, RefillVisit
from app.models.second_check import Entered, expected_of
from app.models.solution_change import BridgeChoice
from app.services.clock import Clock
from app.services.patient_card import note_printed
from app.services.visit_rules import UNANSWERED, BridgeAnswer, Label
from app.services.workstation import Workstation

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
PATIENT = "patient-heetla-1"
"""300 mcg/day of baclofen 1000 mcg/mL, 18 mL filled 47 days ago: 3.9 mL are left and 14.1 mL delivered."""


class Cable:
    """A cable to one emulated pump. Once cut it stays dead until :meth:`mend`."""

    immediate = True

    def __init__(self, pump: EmulatedPump) -> None:
        self.pump = pump
        self.server = PumpServer(pump, bench_key(pump.serial))
        self.cut = False
        self._arrived = b""

    def open(self) -> Cable:
        if self.cut:
            raise LinkLostError(problem="cut")
        self.server.hang_up()
        self._arrived = b""
        return self

    def write(self, sent: bytes) -> None:
        if self.cut:
            raise LinkLostError(problem="cut")
        try:
            self._arrived += self.server.feed(sent)
        except PumpDiedError:
            self.cut = True
            raise LinkLostError(problem="cut") from None

    def read(self, timeout_s: float) -> bytes:
        if self.cut:
            raise LinkLostError(problem="cut")
        arrived, self._arrived = self._arrived, b""
        return arrived

    def close(self) -> None:
        self._arrived = b""

    def mend(self) -> None:
        """The cable is whole again, and the pump has lost what it held in passing."""
        self.cut = False
        self.server.faults.clear()
        self.pump.reboot()


class Bench:
    """A workstation in a folder, its clock standing still, its pump on a :class:`Cable`."""

    def __init__(self, folder: Path, *, patient: str = PATIENT) -> None:
        self.patient = patient
        clock = Clock(lambda: NOW, timedelta(hours=1))
        store = open_clinic(folder / "clinic", clock)
        station = make_workstation(folder / "clinic", clock=clock, store=store)
        implant = station.desk.implant(patient)
        self.pump = make_emulated_pump(folder / "clinic", store, station.catalogue, clock, implant)
        self.pump.clock = _Still(clock.pump())  # type: ignore[assignment]
        self.cable = Cable(self.pump)
        self.station: Workstation = replace(station, pump_at=lambda _implant: self.port())
        self.physician = next(user for user in store.users() if user.role is Role.PHYSICIAN)
        self.nurse = next(user for user in store.users() if user.role is Role.NURSE)

    def port(self) -> PumpPort:
        counter = itertools.count(1)
        noise: Callable[[int], bytes] = lambda size: next(counter).to_bytes(size, "big")  # noqa: E731
        return PumpClient(self.cable.open, bench_key(self.pump.serial), now=self.station.clock.utc, randomness=noise)

    def until_proposed(
        self,
        *,
        concentration: int = 1000,
        user: User | None = None,
        answer: BridgeAnswer | None = None,
        checked: bool = True,
    ) -> RefillVisit:
        """A visit up to the confirmation: 4.1 mL drawn out, 17.5 mL of the given concentration filled.

        Another concentration is bridged after a rinse of 5 mL unless ``answer`` says otherwise; what needs a second
        person has been checked, unless ``checked`` says otherwise.
        """
        desk, user = self.station.desk, user or self.physician
        visit = self.until_filled(concentration=concentration, user=user)
        if answer is None:
            answer = BRIDGED if concentration != 1000 else UNANSWERED
        now = desk.rules.settings_now(visit)
        assert now is not None
        settings = desk.rules.settings_for(
            visit, program=now.program, low_alarm=now.low_alarm, choice=answer.choice, rinsed=answer.rinsed
        )
        reasons = {
            (found.rule, found.reason): "As agreed with the patient"
            for found in desk.rules.judge_settings(visit, settings, user, answer)
        }
        visit = desk.propose(visit, settings, user, reasons, answer=answer)
        return self.with_check(visit, user) if checked else visit

    def until_filled(self, *, concentration: int = 1000, user: User | None = None) -> RefillVisit:
        """A visit up to the new settings."""
        desk, user = self.station.desk, user or self.physician
        visit = desk.open(self.patient, user)
        visit = desk.identify(visit, number="50-0918", born_on=date(1957, 5, 3), user=user)
        visit = desk.interrogate(visit, self.port(), user)
        visit = desk.record_aspirate(visit, Volume.ml(Fraction("4.1")), user)
        check = DrugCheck("baclofen", Concentration.mcg_per_ml(concentration), "L1", date(2028, 1, 1))
        visit = desk.record_drug(visit, Label(check, read_twice=True), user)
        return desk.record_fill(visit, Volume.ml(Fraction("17.5")), user, ticked=NeedleCheck)

    def print_card(self) -> None:
        """The patient's card goes to paper."""
        note_printed(self.patient, self.station.store, self.station.clock, self.nurse)

    def with_check(self, visit: RefillVisit, first: User) -> RefillVisit:
        """The same visit, after a second person has typed what it proposes, if it needs that."""
        second = self.station.checks
        if second.needed(visit):
            assert visit.proposed is not None and visit.injected is not None
            expected = expected_of(visit.proposed, visit.injected, self.station.desk.model_of(visit))
            entered = Entered(expected.drug, expected.concentration, expected.daily_mcg, expected.injected)
            other = next(user for user in self.station.store.users() if user.id != first.id)
            second.enter(visit.id, second.proposed_digest(visit), entered, first=first, second=other)
        return visit


BRIDGED = BridgeAnswer(BridgeChoice.BRIDGE, rinsed=Volume.ml(5))


class _Still:
    """A clock that stands until it is put forward."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by
