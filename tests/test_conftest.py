"""The guards in ``conftest.py`` notice what a Qt test leaves behind, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")

CLEAN = """
import pyqtgraph
from PySide6.QtWidgets import QComboBox, QDialog

def test_it(qtbot):
    for widget in (QComboBox(), QDialog(), pyqtgraph.PlotWidget()):
        qtbot.addWidget(widget)
        widget.show()
"""
MODAL = """
from PySide6.QtWidgets import QDialog

def test_it(qtbot):
    dialog = QDialog()
    dialog.setObjectName("question")
    dialog.exec()
"""
WIDGET = """
from PySide6.QtWidgets import QLabel

kept = []

def test_it(qtbot):
    kept.append(QLabel("forgotten"))
    kept[0].setObjectName("forgotten")
"""
THREAD = """
import threading

def test_it(qtbot):
    threading.Thread(target=threading.Event().wait, name="forgotten", daemon=True).start()
"""
SLOT = """
from PySide6.QtCore import QTimer

def test_it(qtbot):
    QTimer.singleShot(0, lambda: 1 / 0)
    qtbot.wait(10)
"""


@pytest.fixture
def outcome_of(tmp_path):
    """Run one test with the guards and little patience, and return what pytest says about it."""

    def run(test: str) -> str:
        impatient = CONFTEST.read_text(encoding="utf-8").replace("= 3000", "= 200").replace("= 5.0", "= 0.2")
        (tmp_path / "conftest.py").write_text(impatient, encoding="utf-8")
        (tmp_path / "pytest.ini").write_text("[pytest]\nqt_api = pyside6\n")
        (tmp_path / "test_it.py").write_text(test, encoding="utf-8")
        line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=30"]
        return subprocess.run(line, cwd=tmp_path, capture_output=True, encoding="utf-8").stdout

    return run


def test_a_clean_test_passes(outcome_of):
    assert "1 passed" in outcome_of(CLEAN)


def test_a_modal_dialog_is_closed_and_named(outcome_of):
    assert "a modal dialog was left open: [\"QDialog 'question'\"]" in outcome_of(MODAL)


def test_a_forgotten_widget_is_named(outcome_of):
    assert "top-level widgets were left behind: [\"QLabel 'forgotten'\"]" in outcome_of(WIDGET)


def test_a_forgotten_thread_is_named(outcome_of):
    assert "threads were left running: ['forgotten']" in outcome_of(THREAD)


def test_an_exception_in_a_slot_fails(outcome_of):
    assert "ZeroDivisionError" in outcome_of(SLOT)
