"""The button that wants to be held."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.ui.hold_button import HoldButton


@pytest.fixture
def held(qtbot: QtBot, themed: QApplication):
    window, times = QWidget(), []
    button, other = HoldButton("Send", hold_ms=120), QLineEdit()
    column = QVBoxLayout(window)
    column.addWidget(button)
    column.addWidget(other)
    button.held.connect(lambda: times.append(1))
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    button.setFocus()
    yield button, other, times
    window.close()


def test_holding_space_to_the_end_sets_it_off_once(qtbot: QtBot, held) -> None:
    button, _, times = held
    QTest.keyPress(button, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: times == [1], timeout=2000)
    QTest.qWait(200)
    assert times == [1]
    QTest.keyRelease(button, Qt.Key.Key_Space)


def test_letting_go_early_a_tap_enter_and_lost_focus_do_nothing(held) -> None:
    button, other, times = held
    QTest.keyClick(button, Qt.Key.Key_Space)
    QTest.keyClick(button, Qt.Key.Key_Return)
    QTest.keyPress(button, Qt.Key.Key_Return)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    QTest.keyPress(button, Qt.Key.Key_Space)
    other.setFocus()
    button.clearFocus()
    QTest.qWait(250)
    assert times == []


def test_a_button_that_is_off_cannot_be_held(held) -> None:
    button, _, times = held
    button.setEnabled(False)
    QTest.mousePress(button, Qt.MouseButton.LeftButton)
    QTest.qWait(250)
    assert times == []
