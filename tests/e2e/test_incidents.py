"""Incidents that happened elsewhere, replayed: each is stopped or plainly visible just where its rule says (RC-15)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.device import mishaps
from app.device.server import Do, Fault
from app.documents.evaluate import DocumentRefusedError, evaluate
from app.models.findings import Finding, Severity
from app.models.mri import MriStep, MriVerdict
from app.models.program import PeriodicBolus, Program, SimpleContinuous
from app.models.pump_events import CardKind, Way, replace_by
from app.models.quantities import Concentration, DoseRate, Mass, Volume
from app.models.refill_visit import DrugCheck, NeedleCheck, Step, VisitEvent
from app.models.rule_texts import sentence
from app.models.vial import Product, ScannedVial
from app.services.pump_events import NotBySayingError, OpenCardsError, PhysicianNeededError
from app.services.reasons import BlockedError, ReasonMissingError
from app.services.visit_rules import BridgeAnswer, Label
from app.ui.guard.bar import GuardBar
from app.ui.guard.handover import HandoverDialog
from app.ui.main_window import REFILL, SCHEDULE
from app.ui.refill.view_model import Result
from tests.e2e.scenes import IMPLANT, bench_on, identified, idle, interrogated, ml, opened, page, simple, words
from tests.services.bench import PATIENT, Bench
from tests.services.test_pump_events import HOUR, MINUTE, REASON, Ward

ASKED = "As agreed with the patient"
IN_2028 = date(2028, 1, 1)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def said(findings: Iterable[Finding]) -> dict[tuple[str, str], Severity]:
    return {(found.rule, found.reason): found.severity for found in findings}


def label(concentration: int, *vials: ScannedVial) -> Label:
    check = DrugCheck("baclofen", Concentration.mcg_per_ml(concentration), "L1", IN_2028)
    return Label(check, vials, read_twice=True)


def test_rc15_ismp_each_morning_became_every_hour(
    qtbot: QtBot, themed: QApplication, bench: Bench
) -> None:
    """60 mcg each morning, set to come every hour: 1440 mcg a day, said at once, and nobody signs it unasked."""
    window = opened(qtbot, bench)
    window.open_patient(PATIENT)
    window.turn_to(SCHEDULE)
    running = DoseRate.mcg_per_day(300)
    once = Program(PeriodicBolus(running, Mass.mcg(60), 5, 1440))
    hourly = Program(PeriodicBolus(DoseRate.mcg_per_day(48), Mass.mcg(60), 5, 60))

    window.schedule.edit(once, "Each morning")
    assert window.schedule.board is not None
    assert "60 mcg over 5 min, every 1 d from 00:00: 1 a day = 60 mcg/day" in words(window.schedule_view)
    assert not {("U-02", "high"), ("U-09", "ratio")} & said(window.schedule.board.findings).keys()

    window.schedule.edit(hourly, "Every hour")
    assert "60 mcg over 5 min, every 1 h from 00:00: 24 a day = 1440 mcg/day" in words(window.schedule_view)
    assert "1488 mcg/day" in words(window.schedule_view), "the total of the day is the first figure"
    asked = said(window.schedule.board.findings)
    assert asked["U-02", "high"] is asked["U-09", "ratio"] is Severity.CONFIRM
    assert window.schedule.review() is None, "nothing is signed before each question has its reason"
    window.close()


def test_rc15_ismp_a_nurse_cannot_set_what_was_not_ordered(bench: Bench) -> None:
    """The same program from a nurse is outside the order, and no reason of hers opens it."""
    desk, prescribing = bench.station.desk, bench.station.prescribing
    implant = desk.implant(PATIENT)
    settings = prescribing.therapy(implant).settings
    assert settings is not None
    once = replace(settings, program=Program(PeriodicBolus(DoseRate.mcg_per_day(300), Mass.mcg(60), 5, 1440)))
    draft = prescribing.save_draft(implant, "60 each morning", once, bench.physician)
    reasons = {key: ASKED for key in said(prescribing.review(implant, once).findings)}
    prescribing.sign(
        implant, draft, bench.physician, range_percent=Fraction(0), valid_until=date(2027, 1, 31), reasons=reasons
    )
    visit = bench.until_filled(user=bench.nurse)
    for every_min, blocked in ((1440, False), (60, True)):
        program = Program(PeriodicBolus(DoseRate.mcg_per_day(300), Mass.mcg(60), 5, every_min))
        proposed = desk.rules.settings_for(visit, program=program, low_alarm=ml(2))
        found = said(desk.rules.judge_settings(visit, proposed, bench.nurse))
        assert (found.get(("U-06", "other-schedule")) is Severity.BLOCK) is blocked
        if blocked:
            with pytest.raises(BlockedError):
                desk.propose(visit, proposed, bench.nurse, {key: ASKED for key in found})


def test_rc15_hsa_nobody_leaves_a_stopped_pump(qtbot: QtBot, themed: QApplication, bench: Bench) -> None:
    """The write is cut off and the pump stands still: the window stays open, and the next start is in this session."""
    bench.pump.must_stop = True
    bench.cable.server.faults.append(Fault(Do.REBOOT_INSIDE, "Commit"))
    visit = bench.until_proposed()
    window = opened(qtbot, bench)
    assert window.pages.currentIndex() != REFILL, "so far nothing is out, and nothing is reopened"
    identified(qtbot, window)
    qtbot.waitUntil(lambda: window.refill.staged is not None, timeout=10_000)
    window.refill.send()
    idle(qtbot, window)
    assert not bench.pump.runs()
    assert not window.close()
    dialog = window.findChild(HandoverDialog)
    assert window.isVisible() and dialog.isVisible()
    dialog.stay.click()

    again = opened(qtbot, bench)
    assert again.pages.currentIndex() == REFILL
    assert again.refill.visit is not None and again.refill.visit.id == visit.id
    assert again.refill.page is Step.IDENTIFY, "whoever goes on identifies the patient first"
    assert again.findChild(GuardBar).isVisible()
    for made in (window, again):
        made.guard.handed_over = True
    again.close()


def test_rc15_hsa_an_unconfirmed_write_reopens_first(qtbot: QtBot, themed: QApplication, bench: Bench) -> None:
    """No answer came to the order: the program that is started next asks about that before anything else."""
    visit = bench.until_proposed()
    window = opened(qtbot, bench)
    identified(qtbot, window)
    qtbot.waitUntil(lambda: window.refill.staged is not None, timeout=10_000)
    bench.cable.server.faults.append(Fault(Do.DIE_AFTER, "Commit"))
    window.refill.send()
    idle(qtbot, window)
    assert window.refill.result is Result.NOT_KNOWN
    again = opened(qtbot, bench)
    assert (again.pages.currentIndex(), again.refill.visit and again.refill.visit.id) == (REFILL, visit.id)
    assert "RESULT NOT KNOWN" in again.banner.accessibleDescription()
    again.close()


def test_rc15_tga_an_impossible_replace_by_date_is_unknown(tmp_path: Path) -> None:
    """Question marks, or 120 days after the indicator: “unknown”, somebody asks the manufacturer, nothing is dated."""
    ward = Ward(tmp_path)
    pump, at = ward.bench.pump, ward.bench.pump.clock.now()
    eri = at - timedelta(days=30)
    for raw, reason in (("???", "unreadable"), ((eri + timedelta(days=120)).date().isoformat(), "after-eri")):
        shown = replace_by(eri, ward.catalogue, at=at, said=raw)
        assert shown.at is None and shown.finding is not None
        assert (shown.finding.rule, shown.finding.severity, shown.finding.reason) == ("U-13", Severity.TASK, reason)
    assert replace_by(eri, ward.catalogue, at=at, said=(eri + timedelta(days=90)).date().isoformat()).finding is None

    # The pump's indicator came up 30 days ago; then its clock goes back by 40 days, and no date of it can be true.
    due = ward.desk.therapy(PATIENT).refill_by
    mishaps.wear_out(pump, days_left=60)
    visit = ward.visit()
    assert "Replace by 19 Jan 2027" in sentence(ward.card(visit, CardKind.ERI).finding).replace("\u00a0", " ")
    mishaps.jump_clock(pump, -40 * 86_400)
    ward.passes(MINUTE)
    card = ward.card(ward.events.read_again(visit, ward.port(), ward.nurse), CardKind.ERI)
    assert (card.rule, card.severity) == ("U-13", Severity.TASK)
    told = sentence(card.finding)
    assert "unknown" in told and "manufacturer" in told and "?" not in told and "20" not in told
    assert ward.desk.therapy(PATIENT).refill_by == due, "nothing is scheduled from it"
    ward.store.close()


@pytest.mark.parametrize(("mcg_per_h", "rules"), [(27, {"PRO-03"}), (55, {"PRO-03", "U-02"}), (26, set())])
def test_rc15_delhaas_a_restart_after_a_holiday_at_a_dose_that_was_an_overdose(
    tmp_path: Path, mcg_per_h: int, rules: set[str]
) -> None:
    """After a holiday at 2 mcg/h, 27 and 55 mcg/h ask for a reason, at signing and at a refill; 26 mcg/h is below."""
    bench = bench_on(tmp_path, SimpleContinuous(DoseRate.mcg_per_hour(2)), days_ago=1)
    desk, prescribing = bench.station.desk, bench.station.prescribing
    implant = desk.implant(PATIENT)
    restart = Program(SimpleContinuous(DoseRate.mcg_per_hour(mcg_per_h)))
    running = prescribing.therapy(implant).settings
    assert running is not None and running.program == simple(48)
    reviewed = prescribing.review(implant, replace(running, program=restart))
    asked = {found.rule for found in reviewed.findings if found.severity is Severity.CONFIRM}
    assert asked & {"PRO-03", "U-02"} == rules
    if rules:
        draft = prescribing.save_draft(implant, "Restart", replace(running, program=restart), bench.physician)
        others = {key: ASKED for key in said(reviewed.findings) if key[0] != "PRO-03"}
        with pytest.raises(ReasonMissingError) as missing:
            prescribing.sign(
                implant, draft, bench.physician, range_percent=Fraction(0), valid_until=IN_2028, reasons=others
            )
        assert missing.value.values["rules"] == "PRO-03"
    bench.station.store.close()


def test_rc15_a_milligram_cannot_be_typed_for_a_microgram(
    qtbot: QtBot, themed: QApplication, bench: Bench, keyboard
) -> None:
    """Baclofen 350 mg a day: letters are refused in words, the unit stands in the field, 350 000 mcg are blocked."""
    visit = bench.until_filled()
    window = opened(qtbot, bench)
    identified(qtbot, window)
    settings = page(window, Step.SETTINGS)
    settings._change.setChecked(True)
    assert settings.dose.unit() == "mcg/day"
    keyboard.type(settings.dose, "350mg")
    assert settings.dose.text() == "350"
    assert settings.dose.remark()[1], "that a letter was refused is an error until it is answered"
    assert not settings.verb.isEnabled()

    proposed = replace(visit.reading.settings, program=simple(350_000))  # type: ignore[union-attr]
    found = said(bench.station.desk.rules.judge_settings(visit, proposed, bench.physician))
    assert found["U-02", "above-limit"] is Severity.BLOCK
    document = {"kind": "program", "program": {"mode": "simple", "daily_dose_mg": "350"}}
    with pytest.raises(DocumentRefusedError):
        evaluate(document, bench.station.catalogue)
    window.close()


def test_rc15_a_wrong_concentration_is_stopped_until_it_is_bridged(tmp_path: Path) -> None:
    """A vial of 2000 for a pump at 500 and 350 mcg/day: stopped, with what it would do if missed, 1400 mcg/day."""
    bench = bench_on(tmp_path, simple(350).delivery, concentration=500)
    desk, nurse, physician = bench.station.desk, bench.nurse, bench.physician
    visit = desk.open(PATIENT, nurse)
    visit = desk.identify(visit, number="50-0918", born_on=date(1957, 5, 3), user=nurse)
    visit = desk.interrogate(visit, bench.port(), nurse)
    visit = desk.record_aspirate(visit, ml(11), nurse)
    strong = Concentration.mcg_per_ml(2000)
    product = Product("00370121250319", "Lioresal 2000", "baclofen", strong, ml(20), False, "a label", False)
    scanned = ScannedVial(product.gtin, "L1", IN_2028, "S1", product)
    found = said(desk.rules.judge_drug(visit, label(500, scanned), nurse))
    assert found["U-03", "wrong-concentration"] is Severity.BLOCK, "the code says something else than the label typed"

    findings = desk.rules.judge_drug(visit, label(2000, scanned), nurse)
    assert said(findings)["U-06", "solution-not-ordered"] is Severity.BLOCK
    (missed,) = (one for one in findings if one.reason == "if-missed")
    assert "1400 mcg a day would arrive, 4 times the dose" in sentence(missed)
    visit = desk.record_drug(visit, label(2000, scanned), physician)
    visit = desk.record_fill(visit, ml(18), physician, ticked=NeedleCheck)
    now = desk.rules.settings_now(visit)
    assert now is not None
    unbridged = desk.rules.settings_for(visit, program=now.program, low_alarm=ml(2))
    with pytest.raises(BlockedError) as blocked:
        desk.propose(visit, unbridged, physician)
    assert "CON-01" in str(blocked.value.values["rules"])
    found = said(desk.rules.judge_settings(visit, unbridged, physician, BridgeAnswer(rinsed=Volume.ml(5))))
    assert found["CON-01", "no-decision"] is Severity.BLOCK
    bench.station.store.close()


def test_rc15_mri_a_motor_that_does_not_recover_is_an_emergency(tmp_path: Path) -> None:
    """Stalled at 10:02 and nothing after it: a second reading is asked for, and if that shows none, an emergency."""
    ward = Ward(tmp_path)
    scan = ward.scans.plan(ward.implant.id, ward.nurse)
    ward.scans.read(ward.implant, ward.port(), ward.nurse)
    ward.passes(2 * MINUTE)
    mishaps.stall(ward.bench.pump)
    stalled_at = ward.bench.pump.clock.now()
    assert f"{stalled_at:%H:%M}" == "10:02"
    ward.passes(HOUR)
    scan = ward.scans.scanned(scan, ward.time, ward.nurse)

    visit = ward.visit()
    state = ward.scans.state(scan)
    assert (state.due, state.verdict) == (MriStep.READ_AGAIN, MriVerdict.OPEN)
    assert said(state.findings)["LIF-02", "mri-read-again"] is Severity.TASK
    card = ward.card(visit, CardKind.STALL)
    assert (card.began, card.way, card.emergency) == (stalled_at, Way.READ_AGAIN, False)
    with pytest.raises(NotBySayingError):
        ward.events.resolve(visit, card, Way.PHYSICIAN, REASON, ward.physician, second=ward.nurse)

    ward.passes(20 * MINUTE)
    visit = ward.events.read_again(visit, ward.port(), ward.nurse)
    state, card = ward.scans.state(scan), ward.card(visit, CardKind.STALL)
    assert state.verdict is MriVerdict.NOT_RECOVERED
    assert said(state.findings)["LIF-02", "no-recovery"] is Severity.BLOCK
    assert card.emergency and card.critical and "emergency" in sentence(card.finding)
    with pytest.raises(OpenCardsError):
        ward.events.gate(visit, VisitEvent.BOOKED)
    with pytest.raises(PhysicianNeededError):
        ward.events.resolve(visit, card, Way.PHYSICIAN, REASON, ward.nurse, second=ward.physician)
    ward.store.close()


@pytest.mark.parametrize(("concentration", "blocked"), [(2000, True), (500, False)])
def test_rc15_a_fill_without_a_programmer_keeps_the_solution(
    tmp_path: Path, concentration: int, blocked: bool
) -> None:
    """Nobody has a programmer and the pump holds 500: 2000 is stopped, also for a physician, and 500 leaves a task."""
    bench = bench_on(tmp_path, simple(350).delivery, concentration=500)
    desk, user = bench.station.desk, bench.physician
    visit = desk.open(PATIENT, user, programmer=False)
    visit = desk.identify(visit, number="50-0918", born_on=date(1957, 5, 3), user=user)
    visit = desk.record_aspirate(visit, ml(11), user)
    if blocked:
        with pytest.raises(BlockedError) as refused:
            desk.record_drug(visit, label(concentration), user)
        assert refused.value.values["rules"] == "TIT-16"
        assert bench.station.store.visit(visit.id).step is Step.DRUG
    else:
        visit = desk.record_drug(visit, label(concentration), user)
        visit = desk.record_fill(visit, ml(18), user, ticked=NeedleCheck)
        assert [(task.rule, task.reason) for task in bench.station.tasks.open()] == [("TIT-16", "counter-not-set")]
    assert bench.cable.server.heard == [], "the pump was told nothing"
    bench.station.store.close()


def test_rc15_another_pumps_serial_number_stops_the_visit(
    qtbot: QtBot, themed: QApplication, tmp_path: Path
) -> None:
    """The pump at the end of the cable is not the one on record: both numbers are named, and nothing goes on."""
    bench = Bench(tmp_path, patient="patient-kawano-a")
    window = opened(qtbot, bench)
    interrogated(qtbot, window)
    told = window.refill_view.wrong_words()
    assert told.startswith("Stop: this is not the patient's pump. On record: EMU-100191")
    assert window.refill.visit is not None
    assert (window.refill.visit.reading, window.refill.visit.step) == (None, Step.INTERROGATE)
    assert bench.station.store.pump_readings(IMPLANT) == []
    assert not {"Stage", "Commit", "Seal"} & set(bench.cable.server.heard)
    window.close()
