"""A pump that an update left standing: nobody can miss it, put it away, or walk off without handing over."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.device.server import Do, Fault
from app.services.guards import HandoverReason
from app.ui.guard.bar import GuardBar
from app.ui.guard.handover import HandoverDialog
from app.ui.main_window import PATIENT, REFILL, MainWindow
from tests.services.bench import PATIENT as JOHANNA
from tests.services.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A pump that was cut off between stopping and starting, by a refill of Johanna's."""
    bench = Bench(tmp_path)
    bench.pump.must_stop = True
    bench.cable.server.faults.append(Fault(Do.REBOOT_INSIDE, "Commit"))
    return bench


def opened(qtbot: QtBot, bench: Bench) -> MainWindow:
    window = MainWindow(bench.station)
    qtbot.addWidget(window)
    window.show()
    return window


@pytest.fixture
def window(qtbot: QtBot, themed: QApplication, bench: Bench):
    made = opened(qtbot, bench)
    bench.until_proposed()
    made.begin_refill(JOHANNA)
    made.refill.identify("50-0918", date(1957, 5, 3))
    qtbot.waitUntil(lambda: made.refill.staged is not None and not made.refill.busy, timeout=10_000)
    assert not bar(made).isVisible()
    made.refill.send()
    qtbot.waitUntil(lambda: not made.refill.busy, timeout=10_000)
    yield made
    made.guard.handed_over = True
    made.close()


def bar(window: MainWindow) -> GuardBar:
    return window.findChild(GuardBar)


def idle(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: not window.guard.busy, timeout=10_000)


def words(window: MainWindow) -> str:
    return bar(window)._said.text()


def test_the_bar_stands_on_every_page_and_says_whose_pump_it_is(window: MainWindow, bench: Bench) -> None:
    assert not bench.pump.runs()
    for page in range(window.pages.count()):
        window.turn_to(page)
        assert bar(window).isVisible()
    whose = bar(window)._whose.text()
    assert "van der Meulen, Johanna" in whose and bench.pump.serial in whose
    assert not bar(window).resume.isVisible(), "it has not been asked yet"


def test_nothing_else_calls_the_pump_running(window: MainWindow) -> None:
    labels = [label.text() for label in window.refill_view.findChildren(QLabel) if label.isVisible()]
    assert any("nobody has seen it running since" in text for text in labels)
    assert not any("runs its old program" in text for text in labels)
    for page in (PATIENT, REFILL):
        window.turn_to(page)
        assert window.banner._state.accessibleName() == "MAY STAND STILL"


def test_it_is_asked_and_then_resumed_by_holding_the_button(qtbot: QtBot, window: MainWindow, bench: Bench) -> None:
    bar(window).ask.click()
    idle(qtbot, window)
    assert words(window).startswith("It stands still.")
    assert bar(window).resume.isVisible()
    QTest.keyPress(bar(window).resume, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: bench.pump.runs(), timeout=10_000)
    QTest.keyRelease(bar(window).resume, Qt.Key.Key_Space)
    idle(qtbot, window)
    qtbot.waitUntil(lambda: not bar(window).isVisible(), timeout=5_000)
    assert bench.station.store.guards() == []


def test_a_lost_cable_changes_nothing_and_says_what_to_do(qtbot: QtBot, window: MainWindow, bench: Bench) -> None:
    bench.cable.cut = True
    bar(window).ask.click()
    idle(qtbot, window)
    assert words(window).startswith("Check the cable")
    assert bar(window).isVisible() and not bar(window).resume.isVisible()
    bench.cable.mend()
    bar(window).ask.click()
    idle(qtbot, window)
    assert bar(window).resume.isVisible()


def test_a_pump_that_is_seen_running_lifts_the_bar(qtbot: QtBot, window: MainWindow, bench: Bench) -> None:
    epoch = bench.pump.opened(bench.pump.memory, bench.pump.clock.now())
    bench.pump.keep(replace(bench.pump.memory, epoch=replace(epoch, running=True), stopped_since=None))
    bar(window).ask.click()
    idle(qtbot, window)
    assert not bar(window).isVisible()


def test_the_next_start_shows_it_before_anything_else(
    qtbot: QtBot, window: MainWindow, bench: Bench
) -> None:
    again = opened(qtbot, bench)
    assert bar(again).isVisible()
    again.guard.handed_over = True


def test_the_window_closes_only_after_a_handover(qtbot: QtBot, window: MainWindow, bench: Bench) -> None:
    assert not window.close()
    dialog = window.findChild(HandoverDialog)
    assert dialog is not None and dialog.isVisible()
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert dialog.isVisible() and window.isVisible(), "Enter alone closes nothing"
    dialog.go.click()
    assert dialog._rows["serial"].remark() == "This is not the pump's serial number on record."
    dialog.serial.setText(bench.pump.serial.lower())
    dialog.number.setText("50-0919")
    dialog.go.click()
    assert dialog._rows["number"].remark() == "This is not the patient's number on record."
    assert dialog.serial.text() == bench.pump.serial.lower(), "what was typed stays"
    dialog.number.setText("50-0918")
    dialog.go.click()
    assert dialog._rows["reason"].remark() == "Choose who looks after the patient now."
    dialog.reason.setCurrentIndex(dialog.reason.findData(HandoverReason.EMERGENCY_TEAM))
    head = bench.station.store.audit_head()
    dialog.go.click()
    assert not window.isVisible()
    assert window.guard.handed_over
    assert head


def test_staying_keeps_everything(window: MainWindow) -> None:
    window.close()
    dialog = window.findChild(HandoverDialog)
    assert dialog is not None
    dialog.stay.click()
    assert window.isVisible() and not window.guard.handed_over


def test_no_letter_of_the_handover_leads_to_two_places(window: MainWindow) -> None:
    window.close()
    dialog = window.findChild(HandoverDialog)
    words = [label.text() for label in dialog.findChildren(QLabel) if label.buddy()]
    words += [button.text() for button in dialog.findChildren(QPushButton)]
    letters = [text[text.index("&") + 1].upper() for text in words]
    assert len(letters) == len(set(letters)) == 5
