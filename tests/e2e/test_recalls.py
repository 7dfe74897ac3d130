"""The recalls and notices of other pumps (R-1 to R-17), and what users complain of (C-1 to C-16): what happens here.

The pump's part is played by the exercise of the same number on the bench. The table is in docs/hazards.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSlider, QAbstractSpinBox, QApplication, QDial, QScrollBar
from pytestqt.qtbot import QtBot

from app.device.bench_door import PumpBench
from app.device.emulated_pump import LoggedEvent, chained
from app.device.messages import Event
from app.device.server import Do, Fault
from app.documents.catalogue import with_overrides
from app.documents.exercises import load_exercises
from app.models.bench import BenchState
from app.models.findings import Finding, Severity
from app.models.guardrails_program import program_findings
from app.models.mri import MriStep
from app.models.program import PeriodicBolus, Program
from app.models.pump import Outcome, PumpEventKind, StopDelivery
from app.models.pump_events import CardKind, Way
from app.models.quantities import Concentration, DoseRate, Mass, Volume
from app.models.refill_visit import NeedleCheck, RefillVisit, Step, VisitEvent
from app.models.reservoir import Verdict
from app.models.rule_texts import sentence
from app.models.transition import catheter_volume_ml, path_volume_ml
from app.services.patient_card import build_card
from app.services.pump_events import NotBySayingError, OpenCardsError
from app.services.reasons import BlockedError, ReasonMissingError
from app.services.refill_report import NotVerifiedError, build_report
from app.services.therapy import Urgency
from app.services.worklist import worklist
from app.ui.main_window import PATIENT as PATIENT_PAGE
from app.ui.main_window import SCHEDULE, MainWindow
from tests.e2e.scenes import identified, idle, interrogated, ml, opened, page, simple, words
from tests.services.bench import PATIENT, Bench
from tests.services.test_pump_events import HOUR, MINUTE, Ward
from tests.ui.keys import Keyboard

BOOK = load_exercises()
ASKED = "As agreed with the patient"
WARN, BLOCK = Severity.CONFIRM, Severity.BLOCK


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.station.store.close()


@pytest.fixture
def window(qtbot: QtBot, themed: QApplication, bench: Bench) -> Iterator[MainWindow]:
    made = opened(qtbot, bench)
    yield made
    made.guard.handed_over = True
    made.close()


def play(bench: Bench, number: str) -> BenchState:
    """Set the exercise of that number up on the bench's pump."""
    door = PumpBench(bench.cable.server)
    (exercise,) = (one for one in BOOK.exercises if one.id == number)
    for order in (*BOOK.tidy, *exercise.orders):
        state = door.obey(order)
    return state


def said(findings: tuple[Finding, ...]) -> dict[tuple[str, str], Severity]:
    return {(found.rule, found.reason): found.severity for found in findings}


def read(bench: Bench) -> RefillVisit:
    """A visit that has just read the pump."""
    desk, nurse = bench.station.desk, bench.nurse
    visit = desk.open(PATIENT, nurse)
    visit = desk.identify(visit, number="50-0918", born_on=date(1957, 5, 3), user=nurse)
    return desk.interrogate(visit, bench.port(), nurse)


def sent(bench: Bench, visit: RefillVisit) -> RefillVisit:
    programming, model = bench.station.programming, bench.station.desk.model_of(visit)
    port = bench.port()
    staged = programming.stage(visit, model, port, serial=bench.pump.serial, user_id=bench.physician.id)
    return programming.send(staged, model, port, user_id=bench.physician.id)


def report_rows(bench: Bench, visit: RefillVisit) -> dict[str, str]:
    station = bench.station
    report = build_report(visit, station.store, station.catalogue, station.clock)
    return {row.label: row.value.replace("\u00a0", " ") for section in report.sections for row in section.rows}


# -- recalls and notices ---------------------------------------------------------------------------------------------


def test_r1_an_interval_has_one_place_its_unit_and_the_total_of_the_day(window: MainWindow) -> None:
    """2004: hours were typed into the field for minutes; seven were seriously injured and two died."""
    window.open_patient(PATIENT)
    window.turn_to(SCHEDULE)

    def every(minutes: int) -> Program:
        return Program(PeriodicBolus(DoseRate.mcg_per_day(150), Mass.mcg(50), 5, minutes))

    window.schedule.edit(every(480), "Every 8 h")
    assert "every 8 h from 00:00: 3 a day = 150 mcg/day" in words(window.schedule_view)
    assert "in total 300 mcg/day" in words(window.schedule_view)
    window.schedule.edit(every(8), "Every 8 min")
    assert "Now every 8 min. Type it anew." in words(window.schedule_view)
    assert "every 8 min from 00:00: 180 a day = 9000 mcg/day" in words(window.schedule_view)
    assert window.schedule.board is not None
    assert said(window.schedule.board.findings)["U-02", "above-limit"] is BLOCK
    assert window.schedule.review() is None


def test_r2_the_tubing_is_a_constant_with_its_source_and_the_report_names_it(bench: Bench) -> None:
    """2013 to 2017: the volume of the pump's tubing was 0.199 mL in the software and really 0.140 mL."""
    desk, strong = bench.station.desk, 2000
    visit = bench.until_proposed(concentration=strong)
    model, catheter = desk.model_of(visit), catheter_volume_ml(desk.rules.segments(visit))
    assert "TGA" in model.constants["tubing_ml"].source and model.constants["tubing_ml"].verified
    wrong = with_overrides(model, {"tubing_ml": "0.199"})
    right, old = path_volume_ml(model, catheter), path_volume_ml(wrong, catheter)
    assert right is not None and old is not None
    assert (old - right) * strong == 118, "mcg too much, at 2000 mcg/mL"
    assert visit.proposed is not None and visit.proposed.bridge is not None
    assert visit.proposed.bridge.volume.in_ml == right == Fraction("0.316")
    rows = report_rows(bench, sent(bench, visit))
    assert rows["Tubing in the pump"].startswith("0.14 mL, catalogue ")


def test_r3_an_update_that_is_never_finished_leaves_the_old_program_running_or_a_guard(bench: Bench) -> None:
    """2020: a pump stood still because its update was not finished; it was noticed after two to twenty-one days."""
    visit = bench.until_proposed()
    play(bench, "R-3")
    visit = sent(bench, visit)
    assert visit.outcome is Outcome.NOT_APPLIED and not bench.pump.runs()
    assert bench.station.guards.covers(bench.pump.serial)
    (guarded,) = bench.station.guards.waiting()
    reading = bench.station.guards.look(guarded, bench.port(), user_id=bench.nurse.id)
    assert not reading.running and bench.station.guards.covers(bench.pump.serial), "asking alone lifts nothing"
    with pytest.raises(NotVerifiedError):
        build_report(visit, bench.station.store, bench.station.catalogue, bench.station.clock)


@pytest.mark.parametrize(
    ("do", "outcome"), [(Do.REBOOT_BEFORE, Outcome.NOT_APPLIED), (Do.REBOOT_INSIDE, Outcome.VERIFIED)]
)
def test_r3_a_pump_that_need_not_stop_never_stands_still(bench: Bench, do: Do, outcome: Outcome) -> None:
    """The same cut on a pump that swaps its programs at once: the old one or the new one runs, and never neither."""
    visit = bench.until_proposed()
    revision = bench.pump.memory.slot.revision
    bench.cable.server.faults.append(Fault(do, "Commit"))
    visit = sent(bench, visit)
    assert visit.outcome is outcome and bench.pump.runs()
    assert (bench.pump.memory.slot.revision == revision) is (outcome is Outcome.NOT_APPLIED)
    assert bench.station.store.guards() == []


def test_r4_a_days_dose_given_every_hour_is_blocked_at_the_field(
    qtbot: QtBot, window: MainWindow, bench: Bench, keyboard: Keyboard
) -> None:
    """60 mcg every hour instead of 60 mcg a day: 24 times the dose is said as a day's total, and cannot be reviewed."""
    bench.until_filled()
    identified(qtbot, window)
    settings = page(window, Step.SETTINGS)
    settings._change.setChecked(True)
    keyboard.type(settings.dose, "7200")
    assert "in total 7200 mcg/day" in settings.sentence().replace("\u00a0", " ")
    assert "above the limit" in words(settings) and not settings.verb.isEnabled()


def test_r5_a_date_of_replacement_is_a_date_or_unknown_and_never_blank(
    qtbot: QtBot, window: MainWindow, bench: Bench
) -> None:
    """2012: “replace pump by” was shown as ??/??/????, or more than 90 days away."""
    play(bench, "R-5")
    interrogated(qtbot, window)
    told = words(page(window, Step.INTERROGATE))
    found = re.search(r"Replace by (\d+ \w{3} \d{4})", told)
    # 30 days are left of the 90 between indicator and end.
    assert found is not None and found[1] == "20 Dec 2026", told
    window.open_patient(PATIENT)
    window.turn_to(PATIENT_PAGE)
    facts = {fact.caption: fact.text.replace("\u00a0", " ") for fact in window.patient.pump_facts()}
    assert facts["Battery lasts until"] == "20 Dec 2026"
    assert any("replaced by 2026-12-20" in one for one in window.patient.to_do())


def test_r6_an_unknown_code_is_shown_raw_and_holds_nothing_up(bench: Bench) -> None:
    """2017: an error code at interrogation blocked every further step."""
    play(bench, "R-6")
    memory, at = bench.pump.memory, bench.pump.clock.now()
    number = len(memory.log) + 1
    chain = chained(bytes.fromhex(memory.log[-1].chain), Event(number, at, 250, 77))
    bench.pump.keep(replace(memory, log=(*memory.log, LoggedEvent(number, at, 250, 77, chain.hex()))))
    visit = read(bench)
    assert visit.reading is not None and "motor-stall" in visit.reading.alarms
    (card,) = (one for one in bench.station.events.cards(visit) if one.kind is CardKind.UNKNOWN)
    assert "code 250, value 77" in sentence(card.finding)
    assert card.way is Way.ACKNOWLEDGE and card.gates == frozenset()
    visit = bench.station.desk.record_aspirate(visit, ml("4.1"), bench.nurse)
    assert visit.step is Step.DRUG, "with an alarm and an unknown code the visit goes on"


def test_r7_over_infusion_that_no_alarm_tells_is_told_by_the_syringe(bench: Bench) -> None:
    """2016: pumps delivered too much, and the alarm that is worked out from the program stayed silent."""
    state = play(bench, "R-7")
    visit = read(bench)
    assert visit.reading is not None and visit.reading.alarms == () and visit.reading.reservoir == visit.expected
    drawn = Volume.ml(state.physical)
    residual = bench.station.desk.rules.judge_aspirate(visit, drawn)
    assert residual is not None and residual.judgement.verdict is Verdict.OVER_DELIVERY
    assert "Look for signs of overdose" in " ".join(map(sentence, residual.findings))
    with pytest.raises(ReasonMissingError):
        bench.station.desk.record_aspirate(visit, drawn, bench.nurse)


def test_r8_a_pocket_fill_is_asked_about_at_the_needle_and_cannot_be_seen(
    qtbot: QtBot, window: MainWindow, bench: Bench
) -> None:
    """2011: the drug went beside the reservoir. No software can see that: it is drawn back, ticked and measured."""
    visit = bench.until_filled()
    desk = bench.station.desk
    visit = desk.correct(visit, bench.physician)
    identified(qtbot, window)
    fill = page(window, Step.FILL)
    assert "Inject 5 mL, draw back to see that the needle is in the reservoir" in words(fill)
    unproven = desk.rules.judge_fill(visit, ml("17.5"), {NeedleCheck.REFILL_PORT})
    assert said(unproven) == {("REF-05", "position-unproven"): WARN}
    for found, asks in (("16.5", False), ("16.49", True)):
        findings = desk.rules.judge_fill(visit, ml("17.5"), NeedleCheck, ml(found))
        assert (("REF-05", "pocket-fill") in said(findings)) is asks
        assert not asks or "observation" in " ".join(map(sentence, findings))
    (exercise,) = (one for one in BOOK.exercises if one.id == "R-8")
    assert "program and pump cannot see a pocket fill" in exercise.look_for


def test_r9_stall_and_reset_force_a_decision(bench: Bench) -> None:
    """2009 to 2019: battery, short circuit, stalled motor; therapy ended without a word from the programmer."""
    play(bench, "R-9")
    visit = read(bench)
    cards = {card.kind: card for card in bench.station.events.cards(visit)}
    assert {CardKind.STALL, CardKind.RESET} <= cards.keys()
    assert cards[CardKind.RESET].way is Way.REPROGRAM and cards[CardKind.RESET].stop
    with pytest.raises(NotBySayingError):
        bench.station.events.resolve(
            visit, cards[CardKind.RESET], Way.PHYSICIAN, ASKED, bench.physician, second=bench.nurse
        )
    for held in (VisitEvent.PROPOSED, VisitEvent.BOOKED):
        with pytest.raises(OpenCardsError):
            bench.station.events.gate(visit, held)
    assert visit.reading is not None
    same = bench.station.events.proposal_findings(visit, visit.reading.settings)
    assert said(same) == {("PRO-08", "same-program"): BLOCK}


def test_r10_two_estimates_that_disagree_are_an_alert(
    qtbot: QtBot, window: MainWindow, bench: Bench, keyboard: Keyboard
) -> None:
    """2013: a wrong fill level, and a refill date that followed from it."""
    play(bench, "R-10")
    interrogated(qtbot, window)
    shown = words(page(window, Step.INTERROGATE))
    assert "Reservoir, by the pump\n3.9 mL" in shown and "Reservoir, by the record\n6.9 mL" in shown
    window.refill.go_on()
    residual = page(window, Step.RESIDUAL)
    keyboard.type(residual.volume, "6.9")
    assert "the pump counts 3.9 mL, and by the record 6.9 mL should be left" in words(residual)
    assert not residual.verb.isEnabled(), "also where the syringe agrees with one of them"


def test_r12_nothing_on_the_disk_names_the_patient_and_a_bent_answer_is_not_believed(
    tmp_path: Path, bench: Bench
) -> None:
    """2018: patients' data lay open on the programmer's card, and the card could be made to run other code."""
    play(bench, "R-12")
    visit = read(bench)
    assert visit.reading is not None and visit.reading.reservoir == ml("3.9"), "asked again, and no wrong number shown"
    assert bench.cable.server.heard.count("ReadStatus") > 1
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 3
    for path in files:
        raw = path.read_bytes()
        for plain in (b"Meulen", b"Johanna", b"50-0918", b"1957-05-03", b"Multiple sclerosis"):
            assert plain not in raw, (path, plain)


def test_r13_the_port_is_named_and_ticked_before_anything_is_recorded(
    qtbot: QtBot, window: MainWindow, bench: Bench, keyboard: Keyboard
) -> None:
    """2004: a refill was injected through the port of the catheter; it was fatal."""
    visit = bench.station.desk.correct(bench.until_filled(), bench.physician)
    identified(qtbot, window)
    fill = page(window, Step.FILL)
    assert "Say aloud which port it is." in words(fill)
    box = fill.ticks[NeedleCheck.REFILL_PORT]
    assert "not the catheter port" in box.text()
    fill.ticks[NeedleCheck.DREW_BACK].setChecked(True)
    box.setChecked(False)
    fill.volume.set_value(None)
    keyboard.type(fill.volume, "17.5")
    assert "leads straight to the spine" in words(fill) and not fill.verb.isEnabled()
    box.setChecked(True)
    assert fill.verb.isEnabled()
    with pytest.raises(BlockedError):
        bench.station.desk.record_fill(visit, ml("17.5"), bench.nurse, ticked={NeedleCheck.DREW_BACK})
    more = bench.station.desk.rules.judge_aspirate(visit, ml("13.9"))
    assert more is not None and said(more.findings)["REF-02", "under-delivery"] is WARN


def test_r14_no_key_and_no_wheel_steps_a_dose(qtbot: QtBot, window: MainWindow, bench: Bench) -> None:
    """2014: one step down from zero set the largest bolus there was."""
    bench.until_filled()
    identified(qtbot, window)
    settings = page(window, Step.SETTINGS)
    settings._change.setChecked(True)
    dose = settings.dose
    dose.setFocus()
    QTest.keyClicks(dose, "0")
    for key in (Qt.Key.Key_Down, Qt.Key.Key_PageDown, Qt.Key.Key_Up, Qt.Key.Key_Minus):
        QTest.keyClick(dose, key)
        assert dose.text() == "0"
    turn = QWheelEvent(
        QPointF(5, 5), dose.mapToGlobal(QPointF(5, 5)), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(dose, turn)
    assert dose.text() == "0"
    stepping = [*window.findChildren(QAbstractSpinBox), *window.findChildren(QDial)]
    stepping += [one for one in window.findChildren(QAbstractSlider) if not isinstance(one, QScrollBar)]
    assert stepping == [], "nothing in the window steps or slides to a number"


def test_r15_ten_times_the_dose_is_stopped_and_the_dose_is_typed_again(
    qtbot: QtBot, window: MainWindow, bench: Bench, keyboard: Keyboard
) -> None:
    """2004, 2019: a decimal point was lost, and ten times the rate was given."""
    bench.until_filled()
    identified(qtbot, window)
    settings = page(window, Step.SETTINGS)
    settings._change.setChecked(True)
    keyboard.type(settings.dose, "3000")
    assert "above the limit" in words(settings) and not settings.verb.isEnabled()
    settings.dose.set_value(None)
    keyboard.type(settings.dose, "30")
    assert "0.1 times the old" in words(settings) and not settings.verb.isEnabled()
    settings.dose.set_value(None)
    keyboard.type(settings.dose, "62,5")
    assert settings.dose.value() is None and settings.dose.remark()[1], "62,5 never becomes 625"
    settings._keep.setChecked(True)
    settings.act()
    qtbot.waitUntil(lambda: window.refill.staged is not None and not window.refill.busy, timeout=10_000)
    confirm = page(window, Step.CONFIRM)
    keyboard.type(confirm.dose, "30")
    assert not confirm.send_button.isEnabled()
    keyboard.type(confirm.dose, "0")
    assert confirm.send_button.isEnabled()


def test_r16_much_left_is_asked_about_before_the_drug_is_chosen(bench: Bench) -> None:
    """2010: 19 mL were left at a refill; the pump was filled and started again, and the patient nearly died."""
    state = play(bench, "R-16")
    visit = read(bench)
    drawn = Volume.ml(state.physical)
    residual = bench.station.desk.rules.judge_aspirate(visit, drawn)
    assert residual is not None and residual.judgement.verdict is Verdict.UNDER_DELIVERY
    asked = said(residual.findings)
    assert asked["REF-02", "under-delivery"] is asked["REF-03", "nearly-full"] is WARN
    assert "Do not simply restart at the old dose" in " ".join(map(sentence, residual.findings))
    with pytest.raises(ReasonMissingError) as missing:
        bench.station.desk.record_aspirate(visit, drawn, bench.nurse)
    assert "REF-03" in str(missing.value.values["rules"])
    assert bench.station.store.visit(visit.id).step is Step.RESIDUAL


def test_r17_what_a_report_to_the_authority_needs_is_on_record(bench: Bench) -> None:
    """2021: a mechanical failure; a report is as good as what was written down at the time."""
    play(bench, "R-17")
    visit = read(bench)
    (stall,) = (one for one in bench.station.events.log(visit.implant_id) if one.kind is PumpEventKind.STALLED)
    assert stall.number > 0 and f"{stall.at:%Y-%m-%d %H:%M}" == "2026-11-20 10:00"
    cards = {card.kind: card for card in bench.station.events.cards(visit)}
    assert cards[CardKind.GAP_STOP].lasted_min == 2880
    assert visit.reading is not None
    assert (visit.reading.serial, visit.reading.model) == ("EMU-100191", "synchromed-ii-20")
    sheet = bench.station.emergencies.open(PATIENT, bench.nurse, emulated=True)
    assert any("MOTOR STALLED" in str(one) for one in sheet.happenings)


# -- what users complain of --------------------------------------------------------------------------------------------


def test_c1_a_session_does_not_look_finished_while_the_pump_is_stopped(tmp_path: Path) -> None:
    """A session looked finished and the pump was stopped: eight patients went home."""
    ward = Ward(tmp_path)
    ward.elsewhere(StopDelivery())
    visit = ward.visit()
    assert visit.reading is not None and not visit.reading.running
    for held in (VisitEvent.SENT, VisitEvent.BOOKED):
        with pytest.raises(OpenCardsError):
            ward.events.gate(visit, held)
    ward.store.close()


def test_c2_every_report_names_the_software_and_the_constants(bench: Bench) -> None:
    """A facility did not know of newer software."""
    rows = report_rows(bench, sent(bench, bench.until_proposed()))
    assert re.fullmatch(r"Cisterna \S+, catalogue \d{4}\.\d+", rows["Software"])


def test_c3_no_alarm_is_left_after_a_refill_and_its_next_date_is_told_before(bench: Bench) -> None:
    """False low-reservoir alarms right after a check."""
    visit = bench.until_proposed()
    rows = {row.item: row for row in bench.station.desk.comparison(visit)}
    assert rows["Low-reservoir alarm on"].new.replace("\u00a0", " ") == "11 Jan 2027 02:00"
    visit = sent(bench, visit)
    reading = bench.port().interrogate()
    assert reading.alarms == () and reading.reservoir == visit.injected == ml("17.5")


def test_c4_dates_are_said_to_be_computed_and_not_measured(bench: Bench) -> None:
    """The alarm cannot see over-infusion."""
    station = bench.station
    card = build_card(
        PATIENT, station.store, station.catalogue, station.clock, station.emergency_book, phone="", emulated=True,
        digest=station.prescribing.canonical,
    )  # fmt: skip
    assert "computed from the programmed rate" in card.computed and "will not alarm" in card.computed


@pytest.mark.parametrize(("told", "blocked"), [("40", True), ("18.01", True), ("18", False), ("17", False)])
def test_c5_the_pump_is_told_the_volume_that_was_filled(bench: Bench, told: str, blocked: bool) -> None:
    """20 mL were filled and 40 mL programmed, twice, unnoticed; the pump ran dry months early."""
    visit = bench.until_filled()
    rules = bench.station.desk.rules
    now = rules.settings_now(visit)
    assert now is not None
    settings = rules.settings_for(visit, program=now.program, low_alarm=now.low_alarm)
    assert settings.reservoir == visit.injected == ml("17.5"), "it is taken from the fill and not typed again"
    found = said(rules.judge_settings(visit, replace(settings, reservoir=ml(told)), bench.physician))
    assert (found.get(("REF-04", "programmed-volume")) is BLOCK) is blocked


def test_c6_no_constant_of_a_pump_is_hidden(bench: Bench) -> None:
    """A hidden constant was changed from 0.199 to 0.140 mL."""
    for model in bench.station.catalogue.pumps.values():
        tubing = model.constants["tubing_ml"]
        assert tubing.source and (tubing.value is None) == (model.tubing is None)
    rows = report_rows(bench, sent(bench, bench.until_proposed()))
    assert "0.14 mL" in rows["Tubing in the pump"] and "8709SC, 9 cm cut off: 0.176 mL" in rows["Catheter"]


def test_c7_whoever_has_no_programmer_is_led_round_it_and_leaves_a_task(
    qtbot: QtBot, window: MainWindow, bench: Bench
) -> None:
    """Whoever refills has no programmer: a family doctor."""
    identified(qtbot, window)
    interrogate = page(window, Step.INTERROGATE)
    assert interrogate.without.isVisible()
    interrogate.without.click()
    assert window.refill.page is Step.RESIDUAL
    visit = window.refill.visit
    assert visit is not None and not visit.telemetry and bench.cable.server.heard == []


def test_c8_the_comparison_stands_beside_the_program_while_it_is_changed(window: MainWindow) -> None:
    """Wizard pages in a row, with the comparison only at the end."""
    window.open_patient(PATIENT)
    window.turn_to(SCHEDULE)
    window.schedule.edit(simple(330), "330")
    assert "+30, +10 %, × 1.1" in words(window.schedule_view)
    window.schedule.edit(simple(270), "270")
    assert "−30, −10 %, × 0.9" in words(window.schedule_view)


def test_c9_a_lost_head_is_said_with_what_to_do_and_tried_again_by_one_key(
    qtbot: QtBot, window: MainWindow, bench: Bench
) -> None:
    """The telemetry head must sit just right, and the printer is a box of its own."""
    bench.cable.cut = True
    interrogated(qtbot, window)
    assert "Nothing has been changed by this." in window.refill_view.wrong_words()
    bench.cable.mend()
    QTest.keyClick(page(window, Step.INTERROGATE).verb, Qt.Key.Key_Space)
    idle(qtbot, window)
    assert window.refill_view.wrong_words() == ""
    assert window.refill.visit is not None and window.refill.visit.reading is not None


def test_c10_whoever_works_alone_leaves_a_check_from_afar(bench: Bench) -> None:
    """Services of one person, home visits, islands: nobody is there for a second check."""
    visit = bench.until_proposed(concentration=2000, checked=False)
    checks = bench.station.checks
    checks.waive(visit.id, checks.proposed_digest(visit), "Home visit on an island", bench.physician)
    assert sent(bench, visit).outcome is Outcome.VERIFIED
    (task,) = (one for one in bench.station.tasks.open() if one.rule == "U-07")
    assert (task.reason, task.due_on) == ("remote-check", date(2026, 11, 20))


def test_c11_nobody_schedules_by_hand(bench: Bench) -> None:
    """Staff schedule refills by hand from alarm dates."""
    station = bench.station
    found = worklist(station.store, station.catalogue, station.clock)
    assert len(found) == len(station.store.therapies("")), "nobody is left out"
    assert [one.urgency for one in found] == sorted(one.urgency for one in found)
    assert found[0].urgency is Urgency.EMPTY
    visit = sent(bench, bench.until_proposed())
    days, due = station.desk.rules.proposals(visit).days, station.desk.therapy(PATIENT).refill_by
    assert due is not None and days and all(day < due.at.date() and day.weekday() < 5 for day in days)


def test_c12_the_card_says_what_each_tone_means_and_whom_to_call(bench: Bench) -> None:
    """The patient hears a beep, and nobody can be reached."""
    station = bench.station
    card = build_card(
        PATIENT, station.store, station.catalogue, station.clock, station.emergency_book, phone="+386 1 475 81 00",
        emulated=True, digest=station.prescribing.canonical,
    )  # fmt: skip
    assert card.phone == "+386 1 475 81 00" and len(card.alarms) >= 2
    assert all(one.tone and one.meaning and one.what_to_do for one in card.alarms)


def test_c15_a_scan_stays_open_until_the_second_reading(tmp_path: Path) -> None:
    """The second reading that is needed after a scan is forgotten."""
    ward = Ward(tmp_path)
    scan = ward.scans.plan(ward.implant.id, ward.nurse)
    ward.scans.read(ward.implant, ward.port(), ward.nurse)
    ward.passes(HOUR)
    scan = ward.scans.scanned(scan, ward.time, ward.nurse)
    ward.scans.read(ward.implant, ward.port(), ward.nurse)
    ward.passes(20 * MINUTE - timedelta(seconds=1))
    ward.scans.read(ward.implant, ward.port(), ward.nurse)
    assert ward.scans.state(scan).due is MriStep.READ_AGAIN
    assert said(ward.scans.state(scan).findings) == {("LIF-02", "mri-read-again"): Severity.TASK}
    assert ward.scans.open_visit(ward.implant.id) is not None
    ward.passes(timedelta(seconds=1))
    ward.scans.read(ward.implant, ward.port(), ward.nurse)
    assert ward.scans.state(scan).due is MriStep.NOTHING and ward.scans.open_visit(ward.implant.id) is None
    ward.store.close()


def test_c16_a_plain_refill_asks_nothing_and_only_what_is_grave_blocks(bench: Bench) -> None:
    """Harm is severe, and more pop-ups do not prevent it: what is asked depends on how grave it is."""
    visit = sent(bench, bench.until_proposed())
    assert visit.outcome is Outcome.VERIFIED and visit.answers == ()
    model, catalogue = bench.station.desk.model_of(visit), bench.station.catalogue
    drug, strength = catalogue.drug("baclofen"), Concentration.mcg_per_ml(1000)

    def worst(program: Program) -> Severity | None:
        order = list(Severity)
        found = program_findings(program, model, drug, strength, catalogue)
        return min((one.severity for one in found), key=order.index, default=None)

    assert [worst(simple(mcg)) for mcg in (300, 1000, 1001, 2000, 2001)] == [None, None, WARN, WARN, BLOCK]
