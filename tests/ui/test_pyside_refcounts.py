"""PySide6 must not lose references to None and True.

PySide6 6.12.0 does on Python 3.11: after some thousand calls, a clinic day, the interpreter aborts with
``none_dealloc``. ``pyproject.toml`` keeps it out, and this probe keeps an upgrade from bringing it back.
From Python 3.12 on both are immortal, their counts drift, and no harm comes of it.
"""

import sys
from collections.abc import Callable

import pytest
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QProgressBar, QPushButton

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 12), reason="None and True are immortal here")

CALLS = 500
# Other parts of the interpreter take and give references too, but not one for each call.
TOLERATED = CALLS // 10


class Switch(QObject):
    switched = Signal(bool)


def lost_references(thing: object, call: Callable[[], object]) -> int:
    """Count how many references to a thing are gone after many calls; stops before it could do harm."""
    call()
    before = sys.getrefcount(thing)
    for _ in range(CALLS):
        call()
    return before - sys.getrefcount(thing)


@pytest.fixture
def button(qtbot):
    button = QPushButton("Deliver")
    qtbot.addWidget(button)
    return button


@pytest.fixture
def bar(qtbot):
    bar = QProgressBar()
    qtbot.addWidget(bar)
    return bar


def test_calling_a_setter_loses_no_none(button):
    assert lost_references(None, lambda: button.setEnabled(True)) < TOLERATED


def test_setting_a_value_loses_no_none(bar):
    assert lost_references(None, lambda: bar.setValue(7)) < TOLERATED


def test_emitting_a_signal_loses_no_true(qtbot):
    switch = Switch()
    received = []
    switch.switched.connect(received.append)
    # ``received`` itself holds one reference for each call, so it is emptied again.
    assert lost_references(True, lambda: (switch.switched.emit(True), received.clear())) < TOLERATED


def test_clicking_loses_no_none(button, qtbot):
    assert lost_references(None, lambda: qtbot.mouseClick(button, Qt.MouseButton.LeftButton)) < TOLERATED
