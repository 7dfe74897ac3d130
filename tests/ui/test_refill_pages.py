"""The pages of a refill as a user meets them: wrong digits, blocked steps, a lost cable, Enter everywhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.device.server import Do, Fault
from app.models.program import Program, SimpleContinuous
from app.models.quantities import DoseRate, Volume
from app.models.refill_visit import Step
from app.ui.form import FieldRow
from app.ui.main_window import PATIENT, REFILL, WORKLIST, MainWindow
from app.ui.refill.view_model import Result
from app.ui.state_mark import Mark
from tests.services.bench import PATIENT as JOHANNA
from tests.services.bench import Bench
from tests.ui.keys import Keyboard


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def window(qtbot: QtBot, themed: QApplication, bench: Bench):
    made = MainWindow(bench.station)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


def page(window: MainWindow, step: Step):
    assert window.refill.page is step
    return window.refill_view.pages[step]


def idle(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: not window.refill.busy, timeout=10_000)


def at_residual(qtbot: QtBot, window: MainWindow) -> None:
    window.begin_refill(JOHANNA)
    assert window.refill.identify("50-0918", date(1957, 5, 3)) == ""
    window.refill.interrogate()
    idle(qtbot, window)
    window.refill.go_on()


def at_confirm(qtbot: QtBot, window: MainWindow, bench: Bench) -> None:
    bench.until_proposed()
    window.begin_refill(JOHANNA)
    window.refill.identify("50-0918", date(1957, 5, 3))
    idle(qtbot, window)


def test_the_worklist_is_searched_and_opened_by_keyboard_alone(window: MainWindow) -> None:
    assert window.pages.currentIndex() == WORKLIST
    table = window.worklist_view.focusProxy()
    assert table is not None
    QTest.keyClicks(table, "k")
    search = window.worklist_view.search_field()
    QTest.keyClicks(search, "ov")
    assert [line.name for line in window.worklist.lines] == ["Kovács, Ilona"]
    QTest.keyClick(search, Qt.Key.Key_Return)
    assert window.pages.currentIndex() == PATIENT
    assert window.patient.identity() is not None


def test_nobody_found_says_so(window: MainWindow) -> None:
    window.worklist.search("zzz")
    assert "0 patients" in window.worklist.summary()


def test_a_wrong_number_is_told_beside_its_field_and_stays(window: MainWindow) -> None:
    window.begin_refill(JOHANNA)
    identify = page(window, Step.IDENTIFY)
    assert not identify.verb.isEnabled()
    identify.number.setText("50-0919")
    identify.born.setText("3 May 1957")
    QTest.mouseClick(identify.verb, Qt.MouseButton.LeftButton)
    assert window.refill.page is Step.IDENTIFY
    assert identify.number.text() == "50-0919"
    row = identify.number.parentWidget()
    assert isinstance(row, FieldRow) and "Stop" in row.remark()


def test_a_lost_cable_is_said_and_can_be_tried_again(qtbot: QtBot, window: MainWindow, bench: Bench) -> None:
    window.begin_refill(JOHANNA)
    window.refill.identify("50-0918", date(1957, 5, 3))
    bench.cable.cut = True
    verb = page(window, Step.INTERROGATE).verb
    QTest.keyClick(verb, Qt.Key.Key_Space)
    idle(qtbot, window)
    assert "cable" in window.refill_view.wrong_words()
    assert window.refill_view.focusWidget() is verb, "the next key press tries again and does not leave"
    bench.cable.mend()
    window.refill.interrogate()
    idle(qtbot, window)
    assert window.refill_view.wrong_words() == ""
    assert window.refill.visit is not None and window.refill.visit.reading is not None


def test_the_verdict_stands_beside_the_field_and_wants_a_reason(
    qtbot: QtBot, window: MainWindow, keyboard: Keyboard
) -> None:
    at_residual(qtbot, window)
    residual = page(window, Step.RESIDUAL)
    keyboard.type(residual.volume, "4.1")
    assert "As expected" in residual.verdict_words()
    assert residual.verb.isEnabled()
    residual.volume.set_value(None)
    keyboard.type(residual.volume, "6.5")
    assert "under-delivery" in residual.verdict_words()
    assert not residual.verb.isEnabled()
    QApplication.processEvents()
    (reason,) = [line for line in residual.cards.findChildren(QLineEdit) if line.isVisible()]
    reason.setText("Stall log is clean, syringe read twice")
    assert residual.verb.isEnabled()
    QTest.mouseClick(residual.verb, Qt.MouseButton.LeftButton)
    assert window.refill.page is Step.DRUG
    visit = window.refill.visit
    assert visit is not None and visit.answers[0].rule == "REF-02"


def test_enter_goes_on_to_the_next_field_and_records_nothing(
    qtbot: QtBot, window: MainWindow, keyboard: Keyboard
) -> None:
    at_residual(qtbot, window)
    residual = page(window, Step.RESIDUAL)
    keyboard.type(residual.volume, "4.1")
    keyboard.enter(residual.volume)
    assert window.refill.page is Step.RESIDUAL
    visit = window.refill.visit
    assert visit is not None and visit.aspirated is None


def test_going_back_keeps_what_was_typed(qtbot: QtBot, window: MainWindow) -> None:
    at_residual(qtbot, window)
    window.refill.record_aspirate(Volume.ml(Fraction("4.1")), {})
    window.refill.correct()
    assert page(window, Step.RESIDUAL).volume.value() == Fraction("4.1")


def test_an_overfull_reservoir_cannot_be_recorded(
    qtbot: QtBot, window: MainWindow, bench: Bench, keyboard: Keyboard
) -> None:
    at_confirm(qtbot, window, bench)
    window.refill.correct()
    idle(qtbot, window)
    window.refill.correct()
    fill = page(window, Step.FILL)
    assert fill.volume.value() == Fraction("17.5")
    fill.volume.set_value(None)
    keyboard.type(fill.volume, "20.1")
    assert not fill.verb.isEnabled()


def test_sending_wants_the_daily_dose_typed_and_the_button_held(
    qtbot: QtBot, window: MainWindow, bench: Bench, keyboard: Keyboard
) -> None:
    at_confirm(qtbot, window, bench)
    confirm = page(window, Step.CONFIRM)
    assert window.refill.staged is not None
    assert not confirm.send_button.isEnabled()
    keyboard.type(confirm.dose, "30")
    assert not confirm.send_button.isEnabled(), "30 is not the new daily dose"
    keyboard.type(confirm.dose, "0")
    assert confirm.send_button.isEnabled()
    QTest.keyClick(confirm.send_button, Qt.Key.Key_Return)
    QTest.keyClick(confirm.send_button, Qt.Key.Key_Space)
    QTest.mouseClick(confirm.send_button, Qt.MouseButton.LeftButton)
    assert window.refill.page is Step.CONFIRM
    assert bench.pump.memory.applied == ()
    QTest.keyPress(confirm.send_button, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.refill.result is not None, timeout=10_000)
    assert window.refill.result is Result.VERIFIED
    assert len(bench.pump.memory.applied) == 1


def test_what_is_ordered_stands_first_and_is_what_would_be_sent(
    qtbot: QtBot, window: MainWindow, bench: Bench
) -> None:
    desk, implant = bench.station.prescribing, bench.station.desk.implant(JOHANNA)
    running = desk.therapy(implant).settings
    assert running is not None
    ordered = replace(running, program=Program(SimpleContinuous(DoseRate.mcg_per_day(310))))
    draft = desk.save_draft(implant, "Evenings lower", ordered, bench.physician)
    desk.sign(implant, draft, bench.physician, range_percent=Fraction(0), valid_until=date(2027, 1, 31))
    at_confirm(qtbot, window, bench)
    window.refill.correct()
    idle(qtbot, window)
    settings = page(window, Step.SETTINGS)
    assert settings._keep.isChecked(), "what was proposed before stays"
    settings._ordered.setChecked(True)
    assert settings._ordered.text().replace("\xa0", " ") == "&As ordered: Evenings lower, until 31 Jan 2027"
    assert "310" in settings.sentence()
    settings.act()
    idle(qtbot, window)
    assert window.refill.visit is not None and window.refill.visit.proposed is not None
    assert window.refill.visit.proposed.program == ordered.program


def test_going_back_from_the_confirmation_kills_the_draft(qtbot: QtBot, window: MainWindow, bench: Bench) -> None:
    at_confirm(qtbot, window, bench)
    staged = window.refill.staged
    assert staged is not None
    window.refill.correct()
    idle(qtbot, window)
    assert window.refill.page is Step.SETTINGS
    assert staged.intent.txn in bench.pump.memory.tombstones
    assert bench.station.store.intents_in_doubt() == []


def test_a_result_that_is_not_known_has_one_way_on_and_no_repeat(
    qtbot: QtBot, window: MainWindow, bench: Bench
) -> None:
    at_confirm(qtbot, window, bench)
    bench.cable.server.faults.append(Fault(Do.DIE_AFTER, "Commit"))
    window.refill.send()
    idle(qtbot, window)
    assert window.refill.result is Result.NOT_KNOWN
    result = page(window, Step.PROGRAMME)
    assert result.verb.text() == "&Ask pump EMU-100191"
    assert "RESULT NOT KNOWN" in window.banner.accessibleDescription()
    QTest.mouseClick(result.verb, Qt.MouseButton.LeftButton)
    idle(qtbot, window)
    assert window.refill.result is Result.NOT_KNOWN, "the cable is still cut"
    assert window.refill.visit is not None
    window.resume_visit(window.refill.visit.id)
    assert "RESULT NOT KNOWN" in window.banner.accessibleDescription(), "also before the patient is identified"
    window.refill.identify("50-0918", date(1957, 5, 3))
    bench.cable.mend()
    QTest.mouseClick(result.verb, Qt.MouseButton.LeftButton)
    idle(qtbot, window)
    assert window.refill.result is Result.VERIFIED
    assert len(bench.pump.memory.applied) == 1


def test_not_applied_leads_back_to_the_settings(qtbot: QtBot, window: MainWindow, bench: Bench) -> None:
    at_confirm(qtbot, window, bench)
    bench.cable.server.faults.append(Fault(Do.DROP_REQUEST, "Commit"))
    window.refill.send()
    idle(qtbot, window)
    assert window.refill.result is Result.NOT_APPLIED
    QTest.mouseClick(page(window, Step.PROGRAMME).verb, Qt.MouseButton.LeftButton)
    assert window.refill.page is Step.SETTINGS
    assert bench.pump.memory.applied == ()


def test_every_field_and_button_has_a_name_to_be_read_aloud(window: MainWindow) -> None:
    nameless = [
        f"{type(widget).__name__} in {type(widget.parentWidget()).__name__}"
        for widget in window.findChildren(QWidget)
        if widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        and not isinstance(widget, QLabel)
        and not (widget.accessibleName() or getattr(widget, "text", str)())
        and widget.objectName() != "qt_scrollarea_viewport"
        and widget.parentWidget().metaObject().className() != "QComboBoxPrivateContainer"
    ]
    assert nameless == []


def test_pages_are_reached_from_anywhere(window: MainWindow) -> None:
    window.turn_to(REFILL)
    assert window.pages.currentIndex() == REFILL
    window.turn_to(WORKLIST)
    assert window.worklist.lines


def test_a_pump_whose_motor_stands_is_not_called_running(qtbot: QtBot, window: MainWindow, bench: Bench) -> None:
    at_residual(qtbot, window)
    assert window.refill.state()[0] == "Running"
    visit = window.refill.visit
    assert visit is not None and visit.reading is not None
    window.refill.visit = replace(visit, reading=replace(visit.reading, alarms=("low-reservoir",)))
    assert window.refill.state()[0] == "Running"
    window.refill.visit = replace(visit, reading=replace(visit.reading, alarms=("motor-stall",)))
    assert window.refill.state() == ("PUMP ALARM", Mark.BLOCK)
