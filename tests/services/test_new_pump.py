"""A replaced pump: who may put it on record, what must hold, and that nothing of the old pump counts for it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy import select

from app.bootstrap import make_emulated_pump
from app.device.client import PumpClient
from app.device.emulated_pump import EmulatedPump
from app.device.frames import bench_key
from app.models.catalogue import PumpKind
from app.models.mri import TherapyEventKind
from app.models.patient import CatheterPiece, Implant, User
from app.models.ports import NotOnRecordError
from app.models.program import Program, SimpleContinuous
from app.models.pump import LinkLostError, Outcome, PumpPort, StopDelivery, WrongPumpError
from app.models.pump_events import CardKind
from app.models.quantities import DoseRate, Volume
from app.models.records import AuditEntry, PumpOrder, StoppedGuard
from app.models.refill_visit import DrugCheck, NeedleCheck, RefillVisit, Step, WrongStepError
from app.models.second_check import Trigger
from app.services.new_pump import (
    ImpossibleImplantError,
    ImpossibleSerialError,
    NewPump,
    NewPumpDesk,
    OldPumpInDoubtError,
    OtherPumpError,
    SerialOnRecordError,
    UnknownModelError,
)
from app.services.prescribing import NotAPhysicianError
from app.services.visit_rules import Label
from app.store import tables
from tests.services.bench import NOW, PATIENT, Bench, Cable, _Still

NEW = "NGP-730155"
MODEL = "synchromed-ii-40"
TODAY = date(2026, 11, 20)
LAST_FILL, IMPLANTED = date(2026, 10, 4), date(2023, 11, 20)
FOUND = NewPump(NEW, MODEL, "SynchroMed II, 40 mL", "1", True)
CATHETER = (CatheterPiece("8780", Fraction(10)),)


class Theatre:
    """A bench with a second pump, the new one, on a cable of its own."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder)
        station = self.bench.station
        self.store, self.desk = station.store, station.desk
        self.folder, self.clock = folder, station.clock
        self.old = station.desk.implant(PATIENT)
        self.asked: list[str] = []
        self.cable = Cable(self.pump(MODEL))
        self.new_pumps: NewPumpDesk = replace(station.new_pumps, pump_at=self.at)

    def pump(self, model: str) -> EmulatedPump:
        box = Implant("", PATIENT, model, NEW, TODAY)
        catalogue = self.bench.station.catalogue
        made = make_emulated_pump(self.folder / "box", self.store, catalogue, self.clock, box)  # type: ignore[arg-type]
        made.clock = _Still(self.clock.pump())  # type: ignore[assignment]
        return made

    def at(self, implant: Implant) -> PumpPort:
        self.asked.append(implant.serial)
        noise = itertools.count(1)
        key = bench_key(implant.serial)
        return PumpClient(
            self.cable.open, key, now=self.clock.utc, randomness=lambda size: next(noise).to_bytes(size, "big")
        )

    def identified(self, user: User | None = None) -> RefillVisit:
        user = user or self.bench.physician
        visit = self.desk.open(PATIENT, user)
        if visit.step is not Step.IDENTIFY:
            return visit
        return self.desk.identify(visit, number="50-0918", born_on=date(1957, 5, 3), user=user)

    def replaced(self, day: date = TODAY, catheter: tuple[CatheterPiece, ...] | None = CATHETER) -> RefillVisit:
        return self.new_pumps.replace_pump(
            self.identified(), FOUND, implanted_on=day, catheter=catheter, user=self.bench.physician
        )

    def read_new(self, user: User | None = None) -> RefillVisit:
        """The new pump's visit, identified and read."""
        visit = self.identified(user)
        return self.desk.interrogate(visit, self.at(self.desk.implant(PATIENT)), user or self.bench.physician)

    def filled(self, user: User | None = None) -> RefillVisit:
        user = user or self.bench.physician
        visit = self.read_new(user)
        events = self.bench.station.events
        for card in events.cards(visit):
            events.resolve(
                visit, card, card.way, "dose chosen anew after surgery", self.bench.physician, second=self.bench.nurse
            )
        visit = self.desk.record_aspirate(visit, Volume.zero(), user, ANY)
        check = DrugCheck("baclofen", visit.reading.settings.concentration, "L1", date(2028, 1, 1))
        visit = self.desk.record_drug(visit, Label(check, read_twice=True), user)
        return self.desk.record_fill(visit, Volume.ml(30), user, ANY, ticked=NeedleCheck)


class _Anything(dict):
    def __missing__(self, key):
        return "as agreed with the surgeon"

    def get(self, key, default=None):
        return self[key]

    def __contains__(self, key):
        return True


ANY = _Anything()


@pytest.fixture
def theatre(tmp_path: Path) -> Theatre:
    return Theatre(tmp_path)


def test_the_pump_says_itself_who_it_is(theatre: Theatre) -> None:
    found = theatre.new_pumps.look(theatre.identified(), f" {NEW} ", theatre.bench.physician)
    assert (found.serial, found.model, found.model_name) == (NEW, MODEL, "SynchroMed II, 40 mL")
    assert theatre.desk.implant(PATIENT) == theatre.old, "reading writes nothing"


@pytest.mark.parametrize("typed", ["NGP-730156", "ngp-730155", "NGP-73015"])
def test_a_number_that_differs_in_one_sign_does_not_open_the_pump(theatre: Theatre, typed: str) -> None:
    with pytest.raises(OtherPumpError):
        theatre.new_pumps.look(theatre.identified(), typed, theatre.bench.physician)


def test_a_pump_that_says_another_number_under_the_same_key_is_refused(theatre: Theatre) -> None:
    theatre.cable.server._key = bench_key("NGP-730156")
    with pytest.raises(OtherPumpError) as wrong:
        theatre.new_pumps.look(theatre.identified(), "NGP-730156", theatre.bench.physician)
    assert wrong.value.values == {"typed": "NGP-730156", "found": NEW}


def test_nothing_answers(theatre: Theatre) -> None:
    theatre.cable.cut = True
    with pytest.raises(LinkLostError):
        theatre.new_pumps.look(theatre.identified(), NEW, theatre.bench.physician)


@pytest.mark.parametrize("typed", ["", "ABC", "../../x12", "A B C D", "-ABCD", "ABCD-", "A" * 33, "ÄBCD"])
def test_what_is_no_number_asks_no_pump(theatre: Theatre, typed: str) -> None:
    with pytest.raises(ImpossibleSerialError):
        theatre.new_pumps.look(theatre.identified(), typed, theatre.bench.physician)
    assert theatre.asked == []


def test_the_shortest_and_the_longest_number_ask(theatre: Theatre) -> None:
    visit = theatre.identified()
    for typed in ("ABCD", "A" * 32):
        with pytest.raises(OtherPumpError):
            theatre.new_pumps.look(visit, typed, theatre.bench.physician)
    assert theatre.asked == ["ABCD", "A" * 32]


@pytest.mark.parametrize("change", [str, str.lower])
def test_a_pump_of_another_patient_is_neither_asked_nor_taken(theatre: Theatre, change: type[str]) -> None:
    others = [record.implant for record in theatre.store.therapies() if record.patient.id != PATIENT]
    for other in others:
        assert other is not None
        serial = change(other.serial)
        with pytest.raises(SerialOnRecordError) as taken:
            theatre.new_pumps.look(theatre.identified(), serial, theatre.bench.physician)
        assert taken.value.values["whose"] == "other"
        with pytest.raises(SerialOnRecordError):
            theatre.new_pumps.replace_pump(
                theatre.identified(), replace(FOUND, serial=serial), implanted_on=TODAY, catheter=None,
                user=theatre.bench.physician,
            )  # fmt: skip
    assert theatre.asked == [] and theatre.desk.implant(PATIENT) == theatre.old and others


def test_the_patients_own_pump_now_and_before_is_no_new_one(theatre: Theatre) -> None:
    for serial in (theatre.old.serial, NEW, theatre.old.serial):
        if serial == NEW:
            theatre.replaced()
        with pytest.raises(SerialOnRecordError) as taken:
            theatre.new_pumps.look(theatre.identified(), serial, theatre.bench.physician)
        assert taken.value.values["whose"] == "this"


@pytest.mark.parametrize("model", ["", "synchromed-iv-60", "isomed-20-05"])
def test_an_unknown_model_may_be_read_and_no_more(theatre: Theatre, model: str) -> None:
    catalogue = theatre.bench.station.catalogue
    if model.startswith("isomed"):
        model = next(slug for slug, pump in catalogue.pumps.items() if pump.kind is PumpKind.CONSTANT_FLOW)
    theatre.cable.pump.model = replace(theatre.cable.pump.model, slug=model)
    with pytest.raises(UnknownModelError):
        theatre.new_pumps.look(theatre.identified(), NEW, theatre.bench.physician)
    with pytest.raises(UnknownModelError):
        theatre.new_pumps.replace_pump(
            theatre.identified(), replace(FOUND, model=model), implanted_on=TODAY, catheter=None,
            user=theatre.bench.physician,
        )  # fmt: skip
    assert theatre.desk.implant(PATIENT) == theatre.old


def test_only_a_physician_on_record(theatre: Theatre) -> None:
    visit = theatre.identified()
    forged = replace(theatre.bench.nurse, role=theatre.bench.physician.role)
    unknown = replace(theatre.bench.physician, id="nobody")
    for user in (theatre.bench.nurse, forged, unknown):
        with pytest.raises(NotAPhysicianError):
            theatre.new_pumps.look(visit, NEW, user)
        with pytest.raises(NotAPhysicianError):
            theatre.new_pumps.replace_pump(visit, FOUND, implanted_on=TODAY, catheter=None, user=user)
    assert theatre.asked == [] and theatre.desk.implant(PATIENT) == theatre.old


def test_only_once_the_patient_is_identified_and_before_the_old_pump_is_read(theatre: Theatre) -> None:
    physician = theatre.bench.physician
    opened = theatre.desk.open(PATIENT, physician)
    forged = replace(opened, step=Step.INTERROGATE)
    for visit in (opened, forged):
        with pytest.raises(WrongStepError):
            theatre.new_pumps.replace_pump(visit, FOUND, implanted_on=TODAY, catheter=None, user=physician)
    identified = theatre.identified()
    read = theatre.desk.interrogate(identified, theatre.bench.port(), physician)
    for visit in (read, identified):
        with pytest.raises(WrongStepError):
            theatre.new_pumps.replace_pump(visit, FOUND, implanted_on=TODAY, catheter=None, user=physician)
    with pytest.raises(WrongStepError):
        theatre.new_pumps.look(read, NEW, physician)
    assert theatre.desk.implant(PATIENT) == theatre.old


def test_the_new_pump_takes_the_place_of_the_old_one(theatre: Theatre) -> None:
    before = theatre.identified()
    fills, programs = len(theatre.store.fills(theatre.old.id)), len(theatre.store.programs(theatre.old.id))
    visit = theatre.replaced()
    new = theatre.desk.implant(PATIENT)
    assert (new.serial, new.pump_model, new.implanted_on, new.catheter) == (NEW, MODEL, TODAY, CATHETER)
    assert (visit.implant_id, visit.step, visit.id != before.id) == (new.id, Step.IDENTIFY, True)
    assert theatre.store.visit(before.id).step is Step.CLOSED
    record = theatre.store.therapy(PATIENT)
    assert (record.fill, record.programs) == (None, ())
    assert (len(theatre.store.fills(theatre.old.id)), len(theatre.store.programs(theatre.old.id))) == (fills, programs)
    with theatre.store.engine.connect() as connection:  # type: ignore[attr-defined]
        table = tables.implants
        rows = connection.execute(select(table.c.serial, table.c.explanted_on).where(table.c.patient_id == PATIENT))
        assert set(rows) == {(theatre.old.serial, TODAY), (NEW, None)}
    for serial in (theatre.old.serial, NEW):
        assert [found.patient.id for found in theatre.store.therapies(serial)] == [PATIENT]
    (surgery,) = theatre.store.therapy_events(new.id)
    assert (surgery.kind, surgery.at) == (TherapyEventKind.SYSTEM_REVISED, NOW)
    (entry,) = theatre.store.trail(new.id)
    assert (entry.action, entry.user_id) == ("implant.replaced", theatre.bench.physician.id)


@pytest.mark.parametrize(
    ("catheter", "reasons"),
    [
        (CATHETER, {"implant-details"}),
        ((), {"implant-details", "no-catheter"}),
        ((CatheterPiece("8780", None),), {"implant-details", "trimmed-unknown"}),
        ((*CATHETER, CatheterPiece("8578", None)), {"implant-details", "trimmed-unknown"}),
        (None, {"implant-details"}),
    ],
)
def test_what_is_missing_becomes_a_task(
    theatre: Theatre, catheter: tuple[CatheterPiece, ...] | None, reasons: set[str]
) -> None:
    theatre.replaced(catheter=catheter)
    new = theatre.desk.implant(PATIENT)
    assert new.catheter == (theatre.old.catheter if catheter is None else catheter)
    tasks = [task for task in theatre.store.open_tasks() if task.implant_id == new.id]
    assert {task.reason for task in tasks} == reasons and {task.rule for task in tasks} == {"IMP-01"}


@pytest.mark.parametrize(
    ("day", "problem"),
    [
        (TODAY, ""),
        (TODAY + timedelta(days=1), "future"),
        (LAST_FILL, ""),
        (LAST_FILL - timedelta(days=1), "before-fill"),
        (IMPLANTED, "before-fill"),
        (IMPLANTED - timedelta(days=1), "before-old"),
    ],
)
def test_the_day_lies_between_the_last_fill_and_today(theatre: Theatre, day: date, problem: str) -> None:
    if not problem:
        theatre.replaced(day)
        assert theatre.desk.implant(PATIENT).implanted_on == day
        return
    with pytest.raises(ImpossibleImplantError) as impossible:
        theatre.replaced(day)
    assert impossible.value.values["problem"] == problem and theatre.desk.implant(PATIENT) == theatre.old


@pytest.mark.parametrize(
    ("piece", "problem"),
    [
        (CatheterPiece("8780", Fraction(0)), ""),
        (CatheterPiece("8780", Fraction("114.2")), ""),
        (CatheterPiece("8780", Fraction("114.3")), "trimmed"),
        (CatheterPiece("8780", Fraction(-1, 10)), "trimmed"),
        (CatheterPiece("9999", Fraction(1)), "catheter-unknown"),
    ],
)
def test_something_is_left_of_a_catheter_that_is_known(theatre: Theatre, piece: CatheterPiece, problem: str) -> None:
    if not problem:
        theatre.replaced(catheter=(piece,))
        assert theatre.desk.implant(PATIENT).catheter == (piece,)
        return
    with pytest.raises(ImpossibleImplantError) as impossible:
        theatre.replaced(catheter=(piece,))
    assert impossible.value.values["problem"] == problem and theatre.desk.implant(PATIENT) == theatre.old


def test_an_order_in_doubt_is_settled_with_the_old_pump_first(theatre: Theatre) -> None:
    order = PumpOrder(
        "ab" * 16, theatre.old.id, theatre.old.serial, StopDelivery(), 1, "00" * 32, "11" * 32, NOW,
        theatre.bench.nurse.id, NOW, Outcome.NOT_KNOWN,
    )  # fmt: skip
    entry = AuditEntry(NOW, theatre.bench.nurse.id, "order.commit", order.txn)
    theatre.store.save_order(order, entry)
    with pytest.raises(OldPumpInDoubtError):
        theatre.replaced()
    assert theatre.desk.implant(PATIENT) == theatre.old
    theatre.store.save_order(replace(order, outcome=Outcome.NOT_APPLIED), entry)
    assert theatre.replaced().implant_id != theatre.old.id


def test_a_guard_ends_with_the_pump_that_it_was_for(theatre: Theatre) -> None:
    order = PumpOrder(
        "ab" * 16, theatre.old.id, theatre.old.serial, StopDelivery(), 1, "00" * 32, "11" * 32, NOW,
        theatre.bench.nurse.id, NOW, Outcome.VERIFIED,
    )  # fmt: skip
    entry = AuditEntry(NOW, theatre.bench.nurse.id, "order.commit", order.txn)
    theatre.store.save_order(order, entry, guard=StoppedGuard(theatre.old.serial, order.txn, NOW))
    assert len(theatre.bench.station.guards.waiting()) == 1
    theatre.replaced()
    assert theatre.bench.station.guards.waiting() == ()


def test_a_pump_is_replaced_once(theatre: Theatre) -> None:
    visit = theatre.identified()
    theatre.replaced()
    with pytest.raises(WrongStepError):
        theatre.new_pumps.replace_pump(
            visit, replace(FOUND, serial="NGP-730156"), implanted_on=TODAY, catheter=None, user=theatre.bench.physician
        )
    with pytest.raises(NotOnRecordError):
        theatre.store.replace_implant(
            theatre.old, replace(theatre.old, id="x" * 32, serial="NGP-9"), visit,
            replace(theatre.store.therapy_events(theatre.desk.implant(PATIENT).id)[0], id="y" * 32),
            AuditEntry(NOW, "u", "implant.replaced", "x"),
        )  # fmt: skip
    assert theatre.store.implant_with("NGP-9") is None, "a transaction that fails writes nothing"


# -- what the first program takes -----------------------------------------------------------------------------------


def test_the_old_pump_is_no_longer_the_patients(theatre: Theatre) -> None:
    theatre.replaced()
    visit = theatre.identified()
    with pytest.raises(WrongPumpError):
        theatre.desk.interrogate(visit, theatre.bench.port(), theatre.bench.physician)
    assert theatre.desk.interrogate(visit, theatre.at(theatre.desk.implant(PATIENT)), theatre.bench.physician).reading


def test_a_physician_decides_before_anything_is_sent(theatre: Theatre) -> None:
    theatre.replaced()
    cards = theatre.bench.station.events.cards(theatre.read_new())
    assert CardKind.SYSTEM_REVISED in {card.kind for card in cards}


def test_signed_orders_of_the_old_pump_do_not_count(theatre: Theatre) -> None:
    prescribing, physician = theatre.bench.station.prescribing, theatre.bench.physician
    settings = replace(theatre.store.therapy(PATIENT).programs[-1].settings, reservoir=None)
    draft = prescribing.save_draft(theatre.old, "As before", settings, physician)
    prescribing.sign(
        theatre.old, draft, physician, range_percent=Fraction(10), valid_until=TODAY + timedelta(days=90), reasons=ANY
    )
    rules = theatre.desk.rules
    assert rules.order_in_force(theatre.identified()) is not None
    visit = theatre.replaced()
    assert rules.order_in_force(visit) is None
    assert len(theatre.store.signed_orders(theatre.old.id)) == 1


def test_a_nurse_has_nothing_to_keep(theatre: Theatre) -> None:
    theatre.replaced()
    visit, nurse = theatre.filled(theatre.bench.nurse), theatre.bench.nurse
    now = theatre.desk.rules.settings_now(visit)
    assert now is not None
    settings = theatre.desk.rules.settings_for(visit, program=now.program, low_alarm=now.low_alarm)
    found = theatre.desk.rules.judge_settings(visit, settings, nurse)
    assert ("U-06", "first-not-ordered") in {(one.rule, one.reason) for one in found}
    physicians = theatre.desk.rules.judge_settings(visit, settings, theatre.bench.physician)
    assert ("U-06", "first-not-ordered") not in {(one.rule, one.reason) for one in physicians}


def test_the_first_program_takes_a_physician_and_a_second_person(theatre: Theatre) -> None:
    theatre.replaced()
    visit, physician, rules = theatre.filled(), theatre.bench.physician, theatre.desk.rules
    program = Program(SimpleContinuous(DoseRate.mcg_per_day(100)))
    settings = rules.settings_for(visit, program=program, low_alarm=Volume.ml(2))
    visit = theatre.desk.propose(visit, settings, physician, ANY)
    checks = theatre.bench.station.checks
    assert Trigger.FIRST_FILL in checks.needed(visit)
    visit = theatre.bench.with_check(visit, physician)
    programming, model = theatre.bench.station.programming, theatre.desk.model_of(visit)
    pump = theatre.at(theatre.desk.implant(PATIENT))
    staged = programming.stage(visit, model, pump, serial=NEW, user_id=physician.id)
    visit = programming.send(staged, model, pump, user_id=physician.id)
    assert visit.outcome is Outcome.VERIFIED
    record = theatre.store.therapy(PATIENT)
    assert record.fill is not None and record.fill.volume == Volume.ml(30)
    assert [one.settings.program for one in record.programs] == [program]
    cards = theatre.bench.station.events.cards(visit)
    assert CardKind.SYSTEM_REVISED not in {card.kind for card in cards}
