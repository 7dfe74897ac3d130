"""The pump bench as a trainee meets it: two columns of truth, faults, bad input, exercises, no pump."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QLabel,
    QPushButton,
    QScrollBar,
    QTabWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.device.bench_door import PumpBench
from app.device.messages import ALARM_BITS
from app.device.server import Do
from app.models.bench import BenchEvent
from app.models.refill_visit import Step
from app.ui.bench.action_field import ActionField
from app.ui.bench.words import FAULTS, MESSAGES, event_value, event_words, minutes_words, order_words
from app.ui.form import FieldRow
from app.ui.main_window import BENCH, WORKLIST, MainWindow
from app.ui.refill.view_model import Result
from app.ui.theme import DARK, apply_theme
from tests.services.bench import PATIENT as JOHANNA
from tests.services.bench import Bench
from tests.ui.keys import Keyboard

MNEMONIC = re.compile(r"&([^&])")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.station = replace(made.station, bench_of=lambda _implant: PumpBench(made.cable.server))
    return made


@pytest.fixture
def window(qtbot: QtBot, themed: QApplication, bench: Bench) -> Iterator[MainWindow]:
    made = MainWindow(bench.station)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


@pytest.fixture
def opened(qtbot: QtBot, window: MainWindow) -> MainWindow:
    """The bench of Johanna's pump: 3.9 mL are left and 14.1 mL delivered."""
    window.open_patient(JOHANNA)
    window.turn_to(BENCH)
    idle(qtbot, window)
    return window


def idle(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: not window.bench.busy and window.bench.state is not None, timeout=10_000)


def press(qtbot: QtBot, window: MainWindow, words: str, within: QWidget | None = None) -> None:
    """Press the button that says so, and wait for the bench."""
    controls = window.bench_view.controls
    (button,) = [b for b in (within or controls).findChildren(QPushButton) if b.text().replace("&", "") == words]
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    idle(qtbot, window)


def row_of(field: QWidget) -> FieldRow:
    row = field.parent()
    assert isinstance(row, FieldRow)
    return row


def said(window: MainWindow) -> str:
    return window.bench_view.message.words().replace("\u00a0", " ")


def differences(window: MainWindow) -> tuple[str, ...]:
    return tuple(text.replace("\u00a0", " ") for text in window.bench_view.state.differences())


# -- no pump -------------------------------------------------------------------------------------------------


def shown_words(window: MainWindow) -> str:
    return " ".join(label.text() for label in window.bench_view.findChildren(QLabel) if label.isVisible())


def test_without_a_patient_the_page_says_how_to_get_one(window: MainWindow) -> None:
    window.turn_to(BENCH)
    assert "Choose a patient on the worklist first." in shown_words(window)
    assert not window.bench_view.controls.isVisible()


def test_with_a_real_port_the_page_says_that_there_is_no_bench(qtbot: QtBot, themed: object, bench: Bench) -> None:
    bench.station.ports.choose("/dev/ttyUSB0")
    window = MainWindow(bench.station)
    qtbot.addWidget(window)
    window.show()
    window.open_patient(JOHANNA)
    window.turn_to(BENCH)
    assert "There is no bench for the pump at /dev/ttyUSB0" in shown_words(window)
    assert not window.bench_view.controls.isVisible()
    window.close()


# -- what is true --------------------------------------------------------------------------------------------


def test_a_sound_pump_believes_what_is_true(opened: MainWindow) -> None:
    assert opened.pages.currentIndex() == BENCH
    pairs = {pair.caption: (pair.believed, pair.true) for pair in opened.bench.pairs()}
    assert pairs["In the reservoir"] == ("3.9\u00a0mL", "3.9\u00a0mL")
    assert pairs["Delivered"] == ("14.1\u00a0mL", "14.1\u00a0mL")
    assert differences(opened) == ("none", "none", "none", "none")
    assert opened.bench_view.state.mark_words() == ("Running",)
    assert "SIMULATED" in {mark.accessibleName() for mark in opened.bench_view.findChildren(QWidget)}


def test_a_stalled_motor_counts_on_and_the_difference_is_said(qtbot: QtBot, opened: MainWindow) -> None:
    press(qtbot, opened, "Stall the motor")
    press(qtbot, opened, "+ 1 day")
    # 300 mcg/day of 1000 mcg/mL are 0.3 mL/day: the pump counts them, and nothing left it.
    assert differences(opened) == ("0.3 mL more", "0.3 mL less", "motor stalled", "none")
    assert opened.bench_view.state.mark_words() == ("Believes it runs", "Motor stalled")
    assert said(opened) == "1 day passed for the pump."
    press(qtbot, opened, "Recover")
    assert opened.bench_view.state.mark_words() == ("Running",)
    assert [event_words(event) for event in opened.bench.events()[:2]] == ["motor turns again", "motor stalled"]


def test_a_flow_error_is_typed_without_a_sign(qtbot: QtBot, opened: MainWindow, keyboard: Keyboard) -> None:
    controls = opened.bench_view.controls
    keyboard.type(controls.flow, "20")
    press(qtbot, opened, "Less")
    assert differences(opened)[3] == "20 % too little"
    assert said(opened) == "The pump delivers 20 % less than it counts."
    press(qtbot, opened, "More")
    assert differences(opened)[3] == "20 % too much"
    assert controls.flow.text() == "20"


def test_the_catheter_is_closed_and_opened_with_one_button(qtbot: QtBot, opened: MainWindow) -> None:
    press(qtbot, opened, "Occlude the catheter")
    assert "Catheter occluded" in opened.bench_view.state.mark_words()
    press(qtbot, opened, "Open the catheter")
    assert opened.bench_view.state.mark_words() == ("Running",)


def test_another_patient_never_sees_this_ones_pump(qtbot: QtBot, opened: MainWindow) -> None:
    opened.bench.do({"do": "stall"})
    opened.bench.open(None)
    qtbot.waitUntil(lambda: not opened.bench.busy)
    assert opened.bench.state is None
    assert not opened.bench_view.controls.isVisible()


# -- bad input -----------------------------------------------------------------------------------------------


def test_a_button_without_a_number_says_so_beside_the_field(qtbot: QtBot, opened: MainWindow) -> None:
    controls = opened.bench_view.controls
    opened.bench_view.tabs.setCurrentIndex(1)
    press(qtbot, opened, "Scan")
    assert row_of(controls.scan).remark() == "Type the minutes, like 20."
    assert controls.scan.property("role") == "error"
    QTest.keyClicks(controls.scan, "3")
    assert row_of(controls.scan).remark() == ""
    assert controls.scan.property("role") == ""


def test_a_comma_is_refused_and_what_was_typed_stays(qtbot: QtBot, opened: MainWindow, keyboard: Keyboard) -> None:
    fill = opened.bench_view.controls.fill
    keyboard.type(fill, "17,5")
    before = opened.bench.state
    press(qtbot, opened, "Fill")
    assert row_of(fill).remark().startswith("Use a point.")
    assert fill.text() == "17"
    assert before is not None and opened.bench.state is not None
    assert opened.bench.state.physical == before.physical


def test_a_number_out_of_range_is_refused_beside_its_field(
    qtbot: QtBot, opened: MainWindow, keyboard: Keyboard
) -> None:
    controls = opened.bench_view.controls
    keyboard.type(controls.fill, "101")
    press(qtbot, opened, "Fill")
    assert row_of(controls.fill).remark() == "At most 100 mL: no reservoir is larger."
    assert controls.fill.text() == "101"
    keyboard.type(controls.flow, "101")
    press(qtbot, opened, "Less")
    assert row_of(controls.flow).remark() == "At most 100 % less: a pump takes nothing back."
    assert controls.flow.text() == "101"


def test_a_refused_order_is_one_sentence_and_changes_nothing(qtbot: QtBot, opened: MainWindow) -> None:
    before = opened.bench.state
    opened.bench.do({"do": "advance", "minutes": 10**12})
    idle(qtbot, opened)
    assert said(opened).startswith("Try another value: the bench refused the order advance")
    assert said(opened).count(".") == 1
    assert opened.bench.state == before


def test_no_control_can_be_turned_or_slid(opened: MainWindow) -> None:
    page = opened.bench_view
    assert not page.findChildren(QAbstractSpinBox)
    assert all(isinstance(slider, QScrollBar) for slider in page.findChildren(QAbstractSlider))


# -- the cable and the exercises -----------------------------------------------------------------------------


def test_a_fault_is_counted_from_when_it_is_set(qtbot: QtBot, opened: MainWindow, bench: Bench) -> None:
    bench.port().interrogate()
    controls = opened.bench_view.controls
    controls.fault.setCurrentIndex(controls.fault.findData("drop-answer"))
    controls.message.setCurrentIndex(controls.message.findData("ReadStatus"))
    press(qtbot, opened, "Set fault")
    assert opened.bench.state is not None
    assert opened.bench.state.faults == ("drop-answer at ReadStatus 1",)
    bench.port().interrogate()
    assert bench.cable.server.heard.count("ReadStatus") == 2, "the answer was lost once and asked for again"
    press(qtbot, opened, "Clear faults")
    assert opened.bench.state.faults == ()


def test_choosing_an_exercise_only_shows_it(qtbot: QtBot, opened: MainWindow) -> None:
    panel, before = opened.bench_view.exercises, opened.bench.state
    panel.list.setCurrentRow(6)
    assert panel.text("source") == "2016. Source: TGA RC-2016-RN-01458-1."
    assert "over-delivery" in panel.text("look_for")
    idle(qtbot, opened)
    assert opened.bench.state == before


def test_an_exercise_is_set_up_and_says_what_was_done(qtbot: QtBot, opened: MainWindow) -> None:
    panel = opened.bench_view.exercises
    press(qtbot, opened, "Stall the motor")
    panel.list.setCurrentRow(6)
    press(qtbot, opened, "Set up this exercise", within=panel)
    assert said(opened) == (
        "R-7 is set up. First the bench was put in order. The pump delivers 20 % more than it counts. "
        "1 mL are in the reservoir, whatever the pump is told at the next fill."
    )
    # 3.9 mL are believed and 1 mL is there; the motor of the exercise before turns again.
    assert differences(opened)[0] == "2.9 mL less"
    assert opened.bench_view.state.mark_words() == ("Running",)


def test_r_3_a_pump_that_an_update_left_standing_is_noticed_and_resumed(
    qtbot: QtBot, opened: MainWindow, bench: Bench
) -> None:
    opened.bench_view.exercises.list.setCurrentRow(2)
    press(qtbot, opened, "Set up this exercise", within=opened.bench_view.exercises)
    before = opened.bench.state
    bench.until_proposed()
    opened.begin_refill(JOHANNA)
    opened.refill.identify("50-0918", date(1957, 5, 3))
    qtbot.waitUntil(lambda: opened.refill.staged is not None and not opened.refill.busy, timeout=10_000)
    assert opened.refill.page is Step.CONFIRM
    opened.refill.send()
    qtbot.waitUntil(lambda: not opened.refill.busy, timeout=10_000)
    assert opened.refill.result is Result.NOT_APPLIED
    opened.turn_to(BENCH)
    idle(qtbot, opened)
    after = opened.bench.state
    assert before is not None and after is not None
    assert (after.running, after.revision, after.commits) == (False, before.revision, before.commits)
    assert opened.guard.first is not None
    opened.guard.ask()
    qtbot.waitUntil(lambda: not opened.guard.busy, timeout=10_000)
    opened.guard.resume()
    qtbot.waitUntil(lambda: not opened.guard.busy, timeout=10_000)
    assert opened.guard.first is None
    assert opened.bench.state is not None
    opened.bench.poll()
    idle(qtbot, opened)
    assert opened.bench.state.running


# -- the keyboard and the eye --------------------------------------------------------------------------------


def mnemonics(window: MainWindow, tab: int) -> list[str]:
    view = window.bench_view
    view.tabs.setCurrentIndex(tab)
    words = [label.text() for label in view.findChildren(QLabel) if label.isVisible() and label.buddy()]
    words += [button.text() for button in window.findChildren(QPushButton) if button.isVisible()]
    words += [view.tabs.tabText(place) for place in range(view.tabs.count())]
    return [found[1].upper() for text in words if (found := MNEMONIC.search(text))]


@pytest.mark.parametrize("tab", [0, 1])
def test_no_letter_leads_to_two_places(opened: MainWindow, tab: int) -> None:
    letters = mnemonics(opened, tab)
    assert len(letters) == len(set(letters)), sorted(letters)


def test_every_control_is_reached_with_tab_and_has_a_name(qtbot: QtBot, opened: MainWindow) -> None:
    opened.activateWindow()
    view = opened.bench_view
    view.tabs.setCurrentIndex(1)
    reached: set[QWidget] = set()
    view.log.setFocus()
    for _ in range(80):
        focused = QApplication.focusWidget()
        assert focused is not None
        reached.add(focused)
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    controls = view.controls
    wanted = [*controls.findChildren(QPushButton), controls.fault, controls.message]
    wanted += [field.field for field in controls.findChildren(ActionField)]
    assert {widget for widget in wanted if widget not in reached} == set()
    assert all(widget.accessibleName() or getattr(widget, "text", str)() for widget in wanted)


def test_the_page_fits_1366_by_768_and_scrolls_when_it_is_narrow(qtbot: QtBot, opened: MainWindow) -> None:
    opened.resize(1366, 768)
    QApplication.processEvents()
    page = opened.bench_view
    outer = page.body_area
    assert outer.verticalScrollBar().maximum() == 0
    assert outer.horizontalScrollBar().maximum() == 0
    alone = page.width(), page.height()
    page.setParent(None)
    page.resize(500, 300)
    page.show()
    QApplication.processEvents()
    assert outer.verticalScrollBar().maximum() > 0
    assert outer.horizontalScrollBar().maximum() == 0
    page.resize(*alone)
    opened.pages.addWidget(page)


def test_another_theme_leaves_every_word(qtbot: QtBot, opened: MainWindow, themed: QApplication) -> None:
    press(qtbot, opened, "Stall the motor")
    words = shown_words(opened)
    apply_theme(themed, DARK)
    QApplication.processEvents()
    assert shown_words(opened) == words
    assert opened.bench_view.findChildren(QTabWidget)


def test_the_pump_is_looked_at_again_only_while_the_page_is_seen(qtbot: QtBot, opened: MainWindow) -> None:
    opened.bench.do({"do": "state"})
    idle(qtbot, opened)
    opened.turn_to(WORKLIST)
    assert not opened.bench_view.is_looking()
    opened.turn_to(BENCH)
    assert opened.bench_view.is_looking()
    idle(qtbot, opened)


# -- words ---------------------------------------------------------------------------------------------------


def test_every_fault_on_the_page_is_one_the_cable_knows() -> None:
    assert set(FAULTS) < {fault.value for fault in Do}
    assert {fault.value for fault in Do} - set(FAULTS) == {"die-before", "die-after"}
    assert "Commit" in MESSAGES


def test_an_alarm_in_the_log_is_named_as_the_wire_numbers_it() -> None:
    for alarm, bit in ALARM_BITS.items():
        event = BenchEvent(1, None, "alarm", bit)  # type: ignore[arg-type]
        assert event_value(event) == alarm.value.replace("-", " ")


def test_a_code_without_a_name_is_shown_raw() -> None:
    event = BenchEvent(1, None, "77", 5)  # type: ignore[arg-type]
    assert (event_words(event), event_value(event)) == ("77", "5")


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(45, "45 min"), (60, "1 h"), (180, "3 h"), (1440, "1 day"), (43_200, "30 days"), (0, "0 min")],
)
def test_a_time_is_said_in_its_largest_whole_unit(minutes: int, words: str) -> None:
    assert minutes_words(minutes).replace("\u00a0", " ") == words


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"do": "jump-clock", "seconds": -864_000}, "The clock jumped back by 10 days."),
        ({"do": "jump-clock", "seconds": 90}, "The clock jumped on by 90 s."),
        ({"do": "flow-error", "percent": "0"}, "The pump delivers what it counts."),
        ({"do": "run-at", "speed": 0}, "The pump's clock stands still."),
        ({"do": "wear-out", "days": 30}, "The battery ends its service in 30 days."),
        ({"do": "sing"}, "Done: sing."),
    ],
)
def test_an_order_is_said_in_words(order: dict[str, str | int | bool], words: str) -> None:
    assert order_words(order).replace("\u00a0", " ") == words


def test_the_speed_is_remembered_for_its_pump(qtbot: QtBot, opened: MainWindow, bench: Bench) -> None:
    bench.pump.clock.run_at = lambda speed: None  # type: ignore[method-assign]
    opened.bench.do({"do": "run-at", "speed": 60})
    idle(qtbot, opened)
    assert opened.bench.speed() == 60
