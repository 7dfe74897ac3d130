"""Pump events in a visit with a real store and an emulated pump: cards, gates, who may resolve, and reconciling."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError

from app.device import mishaps
from app.device.client import PumpClient
from app.device.frames import bench_key
from app.models.findings import Severity
from app.models.mri import MriStep, MriVerdict, NoScanError
from app.models.patient import User
from app.models.program import Program, SimpleContinuous
from app.models.pump import Outcome, PumpPort, PumpSettings, StepClock, StopDelivery
from app.models.pump_events import CardKind, EventCard, Way
from app.models.quantities import DoseRate, Volume
from app.models.records import AuditEntry
from app.models.refill_visit import DrugCheck, RefillVisit, Step, VisitEvent, WrongStepError
from app.models.typed_reason import ReasonTooThinError
from app.services.clock import Clock
from app.services.mri import MriDesk, NotYetError, ScanAlreadyPlannedError
from app.services.orders import Orders
from app.services.programming import Programming
from app.services.pump_events import (
    CardGoneError,
    NotBySayingError,
    NothingToReconcileError,
    OpenCardsError,
    PhysicianNeededError,
    PumpEvents,
    SecondPersonNeededError,
)
from app.services.therapy import therapy_of
from tests.services.bench import NOW, Bench

REASON = "seen by Dr Brand, restart at half"
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


class Ward:
    """A bench whose clock and pump go on together."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder)
        self.time = NOW
        station = self.bench.station
        self.clock = Clock(lambda: self.time, HOUR)
        self.store, self.catalogue = station.store, station.catalogue
        numbers = itertools.count(1)
        self.new_id = lambda: f"{next(numbers):032x}"
        self.desk = replace(station.desk, clock=self.clock)
        self.events = PumpEvents(self.store, self.catalogue, self.clock, self.new_id)
        self.scans = MriDesk(self.store, self.catalogue, self.clock, self.new_id)
        self.nurse, self.physician = self.bench.nurse, self.bench.physician
        self.second = next(user for user in self.store.users() if user.id not in (self.nurse.id, self.physician.id))
        self.implant = self.desk.implant(self.bench.patient)

    def passes(self, by: timedelta, *, for_pump: timedelta | None = None) -> None:
        self.time += by
        self.bench.pump.clock.advance(by if for_pump is None else for_pump)

    def port(self) -> PumpPort:
        counter = itertools.count(1)
        return PumpClient(
            self.bench.cable.open,
            bench_key(self.bench.pump.serial),
            now=self.clock.utc,
            randomness=lambda size: next(counter).to_bytes(size, "big"),
        )

    def visit(self) -> RefillVisit:
        """A visit that has just read the pump."""
        visit = self.desk.open(self.bench.patient, self.nurse)
        visit = self.desk.identify(visit, number="50-0918", born_on=date(1957, 5, 3), user=self.nurse)
        return self.desk.interrogate(visit, self.port(), self.nurse)

    def card(self, visit: RefillVisit, kind: CardKind) -> EventCard:
        (card,) = (card for card in self.events.cards(visit) if card.kind is kind)
        return card

    def kinds(self, visit: RefillVisit) -> set[CardKind]:
        return {card.kind for card in self.events.cards(visit)}

    def left(self, visit: RefillVisit) -> Fraction:
        """What the record says is left in the reservoir at the visit's reading, in pL."""
        assert visit.reading is not None
        record = self.store.therapy(visit.patient_id)
        reservoir = therapy_of(record, self.catalogue, at=visit.reading.pump_clock).reservoir
        assert reservoir is not None
        return reservoir.exact_pl

    def elsewhere(self, settings: object) -> None:
        """Somebody else's programmer sends an order to the pump."""
        orders = Orders(_Elsewhere(), self.clock, self.new_id)  # type: ignore[arg-type]
        port = self.port()
        staged = orders.stage(
            settings, port.interrogate(), port, implant_id="x", serial=self.implant.serial, user_id="x"  # type: ignore[arg-type]
        )
        orders.send(staged, port, user_id="x")


class _Elsewhere:
    """Another clinic's store, which tells this one nothing."""

    def save_order(self, *args: object, **more: object) -> None:
        pass

    def in_doubt(self, serial: str) -> bool:
        return False

    def audit_head(self) -> str:
        return "0" * 64


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    made = Ward(tmp_path)
    yield made
    made.store.close()


def test_a_pump_without_events_asks_nothing_and_holds_nothing_up(ward: Ward) -> None:
    visit = ward.visit()
    assert ward.events.cards(visit) == ()
    for event in VisitEvent:
        ward.events.gate(visit, event)


def test_before_the_pump_was_read_there_is_no_card(ward: Ward) -> None:
    mishaps.stall(ward.bench.pump)
    assert ward.events.cards(ward.desk.open(ward.bench.patient, ward.nurse)) == ()


def test_a_stall_holds_up_sending_until_a_second_reading_shows_it_over(ward: Ward) -> None:
    mishaps.stall(ward.bench.pump)
    ward.passes(2 * HOUR)
    mishaps.recover(ward.bench.pump)
    visit = ward.visit()
    card = ward.card(visit, CardKind.STALL)
    assert (card.reason, card.lasted_min) == ("recovered-once", 120)
    assert ward.events.read_again_from(visit, card) == ward.time + 20 * MINUTE
    for free in (VisitEvent.ASPIRATED, VisitEvent.DRUG_CHECKED, VisitEvent.FILLED, VisitEvent.CORRECTED):
        ward.events.gate(visit, free)
    for held in (VisitEvent.PROPOSED, VisitEvent.SENT, VisitEvent.BOOKED):
        with pytest.raises(OpenCardsError) as caught:
            ward.events.gate(visit, held)
        assert caught.value.values == {"event": held.value, "cards": card.key}
    with pytest.raises(NotBySayingError):
        ward.events.resolve(visit, card, Way.PHYSICIAN, REASON, ward.physician, second=ward.nurse)
    ward.passes(20 * MINUTE - timedelta(seconds=1))
    assert ward.card(ward.events.read_again(visit, ward.port(), ward.nurse), CardKind.STALL).reason == "recovered-once"
    ward.passes(timedelta(seconds=1))
    visit = ward.events.read_again(visit, ward.port(), ward.nurse)
    assert ward.store.visit(visit.id).reading == visit.reading
    assert ward.card(visit, CardKind.STALL).reason == "recovered"
    ward.events.gate(visit, VisitEvent.PROPOSED)
    ward.events.resolve(visit, ward.card(visit, CardKind.STALL), Way.ACKNOWLEDGE, "", ward.nurse)
    assert ward.kinds(visit) == {CardKind.GAP}


def test_a_stall_that_lasts_becomes_an_emergency_that_two_people_decide(ward: Ward) -> None:
    mishaps.stall(ward.bench.pump)
    visit = ward.visit()
    ward.passes(20 * MINUTE)
    visit = ward.events.read_again(visit, ward.port(), ward.nurse)
    card = ward.card(visit, CardKind.STALL)
    assert card.emergency and card.way is Way.PHYSICIAN
    with pytest.raises(PhysicianNeededError):
        ward.events.resolve(visit, card, Way.PHYSICIAN, REASON, ward.nurse, second=ward.second)
    imposter = replace(ward.physician, id=ward.nurse.id)
    with pytest.raises(PhysicianNeededError):
        ward.events.resolve(visit, card, Way.PHYSICIAN, REASON, imposter, second=ward.second)
    for nobody in (None, ward.physician, User("nobody", "N", ward.nurse.role)):
        with pytest.raises(SecondPersonNeededError):
            ward.events.resolve(visit, card, Way.PHYSICIAN, REASON, ward.physician, second=nobody)
    for thin in ("", "  ", "aaaaaaaaaaaa", "too short"):
        with pytest.raises(ReasonTooThinError):
            ward.events.resolve(visit, card, Way.PHYSICIAN, thin, ward.physician, second=ward.nurse)
    assert ward.store.event_resolutions(visit.implant_id) == []
    said = ward.events.resolve(visit, card, Way.PHYSICIAN, f" {REASON} ", ward.physician, second=ward.nurse)
    assert ward.store.event_resolutions(visit.implant_id) == [said]
    assert (said.reason, said.second_id, said.event_number) == (REASON, ward.nurse.id, card.number)
    assert CardKind.STALL not in ward.kinds(visit)
    with pytest.raises(CardGoneError):
        ward.events.resolve(visit, card, Way.PHYSICIAN, REASON, ward.physician, second=ward.nurse)


def test_a_resolution_is_written_with_its_audit_row_or_not_at_all(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.store import pump_event_notes

    mishaps.stall(ward.bench.pump)
    mishaps.recover(ward.bench.pump)
    ward.passes(HOUR)
    visit = ward.visit()
    ward.passes(HOUR)
    visit = ward.events.read_again(visit, ward.port(), ward.nurse)
    card = ward.card(visit, CardKind.STALL)
    head = ward.store.audit_head()

    def fails(*args: object) -> None:
        raise RuntimeError("no audit")

    with monkeypatch.context() as patch:
        patch.setattr(pump_event_notes.audit_trail, "append", fails)
        with pytest.raises(RuntimeError):
            ward.events.resolve(visit, card, Way.ACKNOWLEDGE, "", ward.nurse)
    assert ward.store.event_resolutions(visit.implant_id) == [] and ward.store.audit_head() == head
    said = ward.events.resolve(visit, card, Way.ACKNOWLEDGE, "", ward.nurse)
    (entry,) = (entry for entry in ward.store.trail(visit.id) if entry.action == "pump-event.acknowledge")
    assert (entry.user_id, entry.detail) == (ward.nurse.id, f"{card.key} {said.id}")
    for table in ("event_resolutions", "pump_readings"):
        with pytest.raises(DatabaseError, match="can only grow"), ward.bench.station.store.engine.begin() as connection:  # type: ignore[attr-defined]
            connection.exec_driver_sql(f"DELETE FROM {table}")


@pytest.mark.parametrize(("hours", "kind"), [(24, CardKind.GAP), (25, CardKind.GAP_REVIEW), (48, CardKind.GAP_STOP)])
def test_after_a_long_gap_nothing_is_filled_before_a_physician_decides(ward: Ward, hours: int, kind: CardKind) -> None:
    mishaps.stall(ward.bench.pump)
    ward.passes(hours * HOUR)
    mishaps.recover(ward.bench.pump)
    visit = ward.visit()
    ward.passes(HOUR)
    visit = ward.events.read_again(visit, ward.port(), ward.nurse)
    card = ward.card(visit, kind)
    settings = visit.reading.settings  # type: ignore[union-attr]
    asked = {finding.reason for finding in ward.events.proposal_findings(visit, settings)}
    assert asked == ({"restart-dose"} if kind is CardKind.GAP_STOP else set())
    if kind is CardKind.GAP:
        ward.events.gate(visit, VisitEvent.FILLED)
        return
    with pytest.raises(OpenCardsError):
        ward.events.gate(visit, VisitEvent.FILLED)
    ward.events.gate(visit, VisitEvent.ASPIRATED)
    second = ward.nurse if card.stop else None
    ward.events.resolve(visit, card, Way.PHYSICIAN, REASON, ward.physician, second=second)
    ward.events.gate(visit, VisitEvent.FILLED)
    ward.events.gate(visit, VisitEvent.PROPOSED)
    asked = {finding.reason for finding in ward.events.proposal_findings(visit, settings)}
    assert asked == ({"restart-dose"} if kind is CardKind.GAP_STOP else set())
    half = replace(settings, program=Program(SimpleContinuous(DoseRate.mcg_per_day(150))))
    assert ward.events.proposal_findings(visit, half) == ()


def test_after_a_reset_only_a_full_program_will_do(ward: Ward) -> None:
    mishaps.drain_battery(ward.bench.pump)
    visit = ward.visit()
    card = ward.card(visit, CardKind.RESET)
    assert (card.reason, card.stop) == ("battery-reset", True)
    assert CardKind.OTHER_SETTINGS not in ward.kinds(visit)
    with pytest.raises(NothingToReconcileError):
        ward.events.reconcile(visit, ward.physician)
    with pytest.raises(NotBySayingError):
        ward.events.resolve(visit, card, Way.PHYSICIAN, REASON, ward.physician, second=ward.nurse)
    ward.events.gate(visit, VisitEvent.PROPOSED)
    with pytest.raises(OpenCardsError):
        ward.events.gate(visit, VisitEvent.BOOKED)
    (finding,) = ward.events.proposal_findings(visit, visit.reading.settings)  # type: ignore[union-attr]
    assert (finding.severity, finding.reason) == (Severity.BLOCK, "same-program")
    programmed = replace(visit, verified_at=ward.time)
    assert ward.card(programmed, CardKind.RESET).way is Way.ACKNOWLEDGE
    ward.events.gate(programmed, VisitEvent.BOOKED)


def test_a_stopped_pump_closes_nothing_until_it_runs_or_two_people_say_so(ward: Ward) -> None:
    ward.elsewhere(StopDelivery())
    ward.passes(HOUR)
    visit = ward.visit()
    card = ward.card(visit, CardKind.STOPPED)
    assert card.lasted_min == 60
    with pytest.raises(OpenCardsError):
        ward.events.gate(visit, VisitEvent.BOOKED)
    ward.events.resolve(visit, card, Way.PHYSICIAN, "drug holiday, on the ward", ward.physician, second=ward.nurse)
    assert CardKind.STOPPED not in ward.kinds(visit)


def test_an_accepted_clock_is_accepted_for_this_visit_only(ward: Ward) -> None:
    mishaps.jump_clock(ward.bench.pump, 180)
    visit = ward.visit()
    card = ward.card(visit, CardKind.CLOCK_OFF)
    ward.events.resolve(visit, card, Way.CONFIRM, "will be set with the next program", ward.nurse)
    assert ward.events.cards(visit) == ()
    later = replace(visit, id="another")
    assert ward.kinds(later) == {CardKind.CLOCK_OFF}


def test_the_clock_set_right_needs_no_word(ward: Ward) -> None:
    mishaps.jump_clock(ward.bench.pump, 601)
    visit = ward.visit()
    assert ward.card(visit, CardKind.CLOCK_FAR).stop
    mishaps.jump_clock(ward.bench.pump, -601)
    ward.passes(MINUTE)
    visit = ward.events.read_again(visit, ward.port(), ward.nurse)
    assert ward.events.cards(visit) == ()


# -- another programmer -----------------------------------------------------------------------------------------------


def test_what_another_programmer_set_is_shown_and_taken_over(ward: Ward) -> None:
    before = ward.store.therapy(ward.bench.patient).programs[-1].settings
    # The record says 300 mcg/day of 1000 mcg/mL; elsewhere it is doubled, and 24 h later the pump is read.
    other = replace(before, program=Program(SimpleContinuous(DoseRate.mcg_per_day(600))), reservoir=None, bridge=None)
    ward.elsewhere(other)
    changed_at = ward.bench.pump.clock.now()
    ward.passes(24 * HOUR)
    visit = ward.visit()
    without = ward.left(visit)
    card = ward.card(visit, CardKind.OTHER_SETTINGS)
    assert card.began == changed_at
    for event in (VisitEvent.PROPOSED, VisitEvent.SENT, VisitEvent.BOOKED):
        with pytest.raises(OpenCardsError):
            ward.events.gate(visit, event)
    rows = {row.item: row for row in ward.events.difference(visit)}
    assert rows["Daily dose"].changed and not rows["Drug"].changed
    program = ward.events.reconcile(visit, ward.nurse)
    assert (program.settings, program.effective_at, program.visit_id) == (other, changed_at, visit.id)
    assert ward.store.therapy(ward.bench.patient).programs[-1] == program
    assert CardKind.OTHER_SETTINGS not in ward.kinds(visit)
    ward.events.gate(visit, VisitEvent.PROPOSED)
    with pytest.raises(NothingToReconcileError):
        ward.events.reconcile(visit, ward.nurse)
    (entry,) = ward.store.trail(program.id)
    assert entry.action == "program.reconciled"
    # 24 h at 300 mcg/day more are 0.3 mL of 1000 mcg/mL less.
    assert without - ward.left(visit) == Volume.ml(Fraction("0.3")).quanta
    assert ward.left(visit) == Fraction(ward.bench.pump.ledger().believed)


def test_a_fill_elsewhere_comes_into_the_record_with_the_volume_the_pump_was_told(ward: Ward) -> None:
    before = ward.store.therapy(ward.bench.patient).programs[-1].settings
    ward.elsewhere(replace(before, reservoir=Volume.ml(15), bridge=None))
    ward.passes(48 * HOUR)
    visit = ward.visit()
    rows = {row.item: row for row in ward.events.difference(visit)}
    assert rows["Reservoir at the fill"].changed
    ward.events.reconcile(visit, ward.nurse)
    fill = ward.store.therapy(ward.bench.patient).fill
    assert fill is not None and (fill.volume, fill.lot) == (Volume.ml(15), "")
    # 15 mL less two days of 0.3 mL.
    assert ward.left(visit) == Volume.ml(Fraction("14.4")).quanta


def test_the_same_settings_at_another_revision_are_told_once(ward: Ward) -> None:
    visit = ward.visit()
    ward.passes(HOUR)
    ward.elsewhere(StepClock(1))
    ward.elsewhere(StepClock(-1))
    visit = ward.events.read_again(visit, ward.port(), ward.nurse)
    card = ward.card(visit, CardKind.REVISION_GAP)
    revision = visit.reading.revision  # type: ignore[union-attr]
    assert dict(card.values) == {"revision": revision, "expected": revision - 2}
    ward.events.gate(visit, VisitEvent.BOOKED)
    ward.passes(MINUTE)
    assert ward.events.cards(ward.events.read_again(visit, ward.port(), ward.nurse)) == ()


def test_reading_again_is_refused_before_the_first_and_after_the_last(ward: Ward) -> None:
    visit = ward.desk.open(ward.bench.patient, ward.nurse)
    with pytest.raises(WrongStepError):
        ward.events.read_again(visit, ward.port(), ward.nurse)


# -- scans ------------------------------------------------------------------------------------------------------------


def test_a_scan_is_read_before_after_and_again(ward: Ward) -> None:
    scan = ward.scans.plan(ward.implant.id, ward.nurse)
    with pytest.raises(ScanAlreadyPlannedError):
        ward.scans.plan(ward.implant.id, ward.nurse)
    assert ward.scans.state(scan).due is MriStep.READ_BEFORE
    ward.scans.read(ward.implant, ward.port(), ward.nurse)
    assert ward.scans.state(scan).due is MriStep.SCAN
    ward.passes(HOUR)
    mishaps.scan(ward.bench.pump, recovers_after_min=30)
    with pytest.raises(NotYetError):
        ward.scans.scanned(scan, ward.time + MINUTE, ward.nurse)
    ward.passes(10 * MINUTE)
    scan = ward.scans.scanned(scan, ward.time, ward.nurse)
    with pytest.raises(NoScanError):
        ward.scans.scanned(scan, ward.time, ward.nurse)
    assert ward.scans.state(scan).due is MriStep.READ_AFTER
    ward.scans.read(ward.implant, ward.port(), ward.nurse)
    state = ward.scans.state(scan)
    assert (state.due, state.due_from, state.verdict) == (
        MriStep.READ_AGAIN, ward.time + 20 * MINUTE, MriVerdict.OPEN
    )  # fmt: skip
    ward.passes(19 * MINUTE)
    ward.scans.read(ward.implant, ward.port(), ward.nurse)
    assert ward.scans.state(scan).due is MriStep.READ_AGAIN
    ward.passes(2 * MINUTE)
    ward.scans.read(ward.implant, ward.port(), ward.nurse)
    state = ward.scans.state(scan)
    assert (state.due, state.verdict, state.findings) == (MriStep.NOTHING, MriVerdict.RECOVERED, ())
    assert ward.scans.open_visit(ward.implant.id) is None


@pytest.mark.parametrize(("stalls", "verdict"), [(True, MriVerdict.NOT_RECOVERED), (False, MriVerdict.NO_STALL)])
def test_a_scan_whose_stall_lasts_or_never_was(ward: Ward, stalls: bool, verdict: MriVerdict) -> None:
    scan = ward.scans.plan(ward.implant.id, ward.nurse)
    ward.passes(HOUR)
    if stalls:
        mishaps.stall(ward.bench.pump)
    scan = ward.scans.scanned(scan, ward.time, ward.nurse)
    for _ in range(2):
        ward.scans.read(ward.implant, ward.port(), ward.nurse)
        ward.passes(20 * MINUTE)
    state = ward.scans.state(scan)
    assert (state.verdict, state.before) == (verdict, None)
    wanted = {"no-recovery"} if stalls else {"mri-no-stall"}
    assert {finding.reason for finding in state.findings} == {"mri-not-before"} | wanted


def test_a_cancelled_scan_asks_nothing_more(ward: Ward) -> None:
    scan = ward.scans.plan(ward.implant.id, ward.nurse)
    ward.scans.cancel(scan, ward.nurse)
    assert ward.scans.open_visit(ward.implant.id) is None
    assert ward.scans.plan(ward.implant.id, ward.nurse).id != scan.id


def test_after_a_revision_of_the_system_the_dose_is_decided_anew(ward: Ward) -> None:
    ward.scans.note_revision(ward.implant.id, ward.time - HOUR, ward.physician)
    visit = ward.visit()
    card = ward.card(visit, CardKind.SYSTEM_REVISED)
    with pytest.raises(OpenCardsError):
        ward.events.gate(visit, VisitEvent.PROPOSED)
    ward.events.resolve(visit, card, Way.PHYSICIAN, REASON, ward.physician)
    ward.events.gate(visit, VisitEvent.PROPOSED)


def test_a_patient_who_comes_after_the_reservoir_ran_empty(ward: Ward) -> None:
    # 3.9 mL at 0.3 mL/day last 13 days.
    ward.passes(timedelta(days=16))
    visit = ward.visit()
    assert {CardKind.EMPTY, CardKind.GAP_STOP} <= ward.kinds(visit)
    card = ward.card(visit, CardKind.EMPTY)
    assert card.began is not None and card.lasted_min is not None and 2 * 1440 < card.lasted_min < 4 * 1440
    with pytest.raises(OpenCardsError):
        ward.events.gate(visit, VisitEvent.FILLED)
    assert isinstance(card.began, datetime)


def programmed(ward: Ward, visit: RefillVisit, settings: PumpSettings) -> RefillVisit:
    """The visit after these settings were proposed, sent and verified; 17.5 mL were filled."""
    check = DrugCheck(settings.drug, settings.concentration, "L1", date(2028, 1, 1), "Paul Okafor")
    visit = replace(
        visit, step=Step.CONFIRM, aspirated=Volume.ml(4), aspirated_at=ward.time, drug_check=check,
        injected=Volume.ml(Fraction("17.5")), filled_at=ward.time,
        proposed=replace(settings, reservoir=Volume.ml(Fraction("17.5")), bridge=None),
    )  # fmt: skip
    ward.store.save_visit(visit, AuditEntry(ward.time, ward.physician.id, "refill.proposed", visit.id))
    port, model = ward.port(), ward.catalogue.pump(ward.implant.pump_model)
    programming = Programming(ward.store, ward.clock, ward.new_id, lambda _visit, _user_id: None)
    staged = programming.stage(visit, model, port, serial=ward.implant.serial, user_id=ward.physician.id)
    ward.events.gate(staged.visit, VisitEvent.SENT)
    visit = programming.send(staged, model, port, user_id=ward.physician.id)
    assert visit.outcome is Outcome.VERIFIED
    return visit


def test_a_whole_refill_leaves_no_card_of_its_own_behind(ward: Ward) -> None:
    visit = ward.visit()
    ward.passes(MINUTE)
    visit = programmed(ward, visit, visit.reading.settings)  # type: ignore[union-attr]
    assert ward.events.cards(visit) == ()
    ward.events.gate(visit, VisitEvent.BOOKED)
    ward.passes(MINUTE)
    visit = ward.events.read_again(visit, ward.port(), ward.nurse)
    assert ward.events.cards(visit) == () and visit.outcome is Outcome.VERIFIED
    visit = visit.after(VisitEvent.BOOKED, ward.time)
    ward.store.save_visit(visit, AuditEntry(ward.time, ward.nurse.id, "refill.booked", visit.id))
    with pytest.raises(WrongStepError):
        ward.events.read_again(visit, ward.port(), ward.nurse)
    ward.passes(timedelta(days=7))
    assert ward.events.cards(ward.visit()) == ()


def test_a_reset_is_over_once_a_full_program_was_verified(ward: Ward) -> None:
    before = ward.store.therapy(ward.bench.patient).programs[-1].settings
    mishaps.lose_memory(ward.bench.pump)
    visit = ward.visit()
    assert visit.reading is not None
    (finding,) = ward.events.proposal_findings(visit, visit.reading.settings)
    assert finding.reason == "same-program"
    assert ward.events.proposal_findings(visit, before) == ()
    with pytest.raises(OpenCardsError):
        ward.events.gate(visit, VisitEvent.BOOKED)
    ward.passes(MINUTE)
    visit = programmed(ward, visit, before)
    assert {(card.kind, card.reason) for card in ward.events.cards(visit)} == {(CardKind.RESET, "reset-before")}
    ward.events.gate(visit, VisitEvent.BOOKED)
