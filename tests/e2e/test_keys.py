"""A normal refill by keys alone: how many it takes from the opened patient to the closed visit.

The same solution goes in again; the vial is scanned, and what the scanner types counts as one action. Every key that a
hand strikes counts as one: each digit and point, Tab, Enter, Space, Alt with a letter. Holding Space to send is one.
``CISTERNA_RECORD=FOLDER`` keeps the list there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.models.pump import Outcome
from app.models.quantities import Volume
from app.models.refill_visit import Step
from app.ui.dates import parse_day
from app.ui.main_window import PATIENT, WORKLIST, MainWindow
from app.ui.theme import LIGHT, apply_theme
from tests.services.bench import PATIENT as JOHANNA
from tests.services.bench import Bench
from tests.ui.keys import Keyboard

MOST = 40
GS = "\x1d"
VIAL = f"]d2010036679415601017280131" f"10AB12{GS}21SN0001"
"""A syringe of 20 mL with 1000 mcg/mL, as in the pump."""
ALT, CONTROL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier


class NoMouse(QObject):
    """Notes every event of a mouse."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        self.seen += event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.Wheel)
        return False


class Counted:
    """Strikes keys where the keyboard is, and writes down each."""

    def __init__(self, qtbot: QtBot, window: MainWindow) -> None:
        self.actions: list[str] = []
        self._qtbot, self._window = qtbot, window
        self._keyboard = Keyboard()

    @property
    def _here(self) -> QWidget:
        widget = QApplication.focusWidget()
        assert widget is not None, "the keyboard is nowhere"
        return widget

    def _note(self, key: str) -> None:
        self.actions.append(f"{self._window.refill.page.value:12} {key}")

    def type(self, text: str) -> None:
        for character in text:
            self._note(character)
            self._keyboard.type(self._here, character)

    def press(self, key: Qt.Key, *, name: str) -> None:
        self._note(name)
        QTest.keyClick(self._here, key)
        self._settle()

    def enter(self) -> None:
        self.press(Qt.Key.Key_Return, name="Enter")

    def tab(self) -> None:
        self.press(Qt.Key.Key_Tab, name="Tab")

    def space(self) -> None:
        self.press(Qt.Key.Key_Space, name="Space")

    def alt(self, letter: str) -> None:
        self._note(f"Alt+{letter}")
        QTest.keyClick(self._here, Qt.Key(ord(letter)), ALT)
        # A button clicks when it has been seen to go down.
        QTest.qWait(150)
        self._settle()

    def scan(self, text: str) -> None:
        self._note("a scan")
        for character in text:
            if character == GS:
                self._keyboard.strike(self._here, Qt.Key.Key_BracketRight, GS, modifiers=CONTROL, gap_ms=3)
            else:
                self._keyboard.strike(self._here, ord(character.upper()), character, gap_ms=3)
        self._keyboard.strike(self._here, Qt.Key.Key_Return, "\r", gap_ms=3)
        self._settle()

    def hold_space(self, step: Step) -> None:
        """Down until the page turns."""
        self._note("Space, held")
        held = self._here
        QTest.keyPress(held, Qt.Key.Key_Space)
        self._qtbot.waitUntil(lambda: self._window.refill.page is step, timeout=10_000)
        QTest.keyRelease(held, Qt.Key.Key_Space)
        self._settle()

    def _settle(self) -> None:
        QApplication.processEvents()
        self._qtbot.waitUntil(lambda: not self._window.refill.busy, timeout=10_000)
        QApplication.processEvents()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication, bench: Bench) -> Iterator[MainWindow]:
    apply_theme(qapp, LIGHT)
    made = MainWindow(bench.station)
    qtbot.addWidget(made)
    made.resize(1366, 768)
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    yield made
    made.close()


def open_patient(window: MainWindow) -> None:
    QTest.keyClicks(window.worklist_view.search_field(), "meulen")
    QTest.keyClick(window.worklist_view.search_field(), Qt.Key.Key_Return)
    assert window.pages.currentIndex() == PATIENT


def test_a_normal_refill_takes_at_most_forty_keys(
    qtbot: QtBot, qapp: QApplication, window: MainWindow, bench: Bench, tmp_path: Path
) -> None:
    open_patient(window)
    mouse = NoMouse()
    qapp.installEventFilter(mouse)
    keys = Counted(qtbot, window)
    at = lambda: window.refill.page  # noqa: E731

    keys.alt("R")
    keys.type("50-0918")
    keys.enter()
    keys.type("19570503")
    keys.alt("O")
    assert at() is Step.INTERROGATE
    keys.space()
    keys.space()
    assert at() is Step.RESIDUAL
    keys.type("4")
    keys.alt("R")
    assert at() is Step.DRUG
    keys.scan(VIAL)
    keys.alt("R")
    assert at() is Step.FILL
    keys.alt("N")
    keys.alt("D")
    keys.tab()
    keys.type("18")
    keys.alt("R")
    assert at() is Step.SETTINGS
    keys.alt("R")
    assert at() is Step.CONFIRM
    keys.type("300")
    keys.enter()
    keys.hold_space(Step.PROGRAMME)
    qtbot.waitUntil(lambda: window.refill.result is not None, timeout=10_000)
    keys.space()
    assert at() is Step.REPORT
    keys.space()
    keys.alt("D")
    keys.alt("O")

    qapp.removeEventFilter(mouse)
    assert mouse.seen == 0
    assert window.pages.currentIndex() == WORKLIST
    (visit,) = bench.station.store.visits("implant-heetla-1")
    assert (visit.step, visit.outcome, visit.injected) == (Step.CLOSED, Outcome.VERIFIED, Volume.ml(18))
    assert visit.patient_id == JOHANNA and visit.appointment_on is not None and len(visit.vials) == 1
    record(keys.actions, tmp_path)
    assert len(keys.actions) <= MOST, keys.actions


def record(actions: list[str], folder: Path) -> None:
    """Write the list into ``CISTERNA_RECORD``, or else into the test's own folder."""
    into = Path(os.environ.get("CISTERNA_RECORD") or folder) / "keys-of-a-refill.txt"
    into.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{number:3} {action}" for number, action in enumerate(actions, 1)]
    into.write_text("\n".join([*lines, f"{len(actions)} keys", ""]), encoding="utf-8")


@pytest.mark.parametrize(
    ("typed", "day"),
    [("19570503", date(1957, 5, 3)), ("1957-05-03", date(1957, 5, 3)), ("03051957", None), ("05031957", None),
     ("12122012", None), ("1957-0503", None), ("195705-03", None), ("1957503", None), ("19571301", None)],
)  # fmt: skip
def test_eight_digits_are_a_day_only_with_the_year_first(typed: str, day: date | None) -> None:
    assert parse_day(typed) == day
