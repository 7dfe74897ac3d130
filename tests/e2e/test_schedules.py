"""Five schedules, each drawn by the mouse alone and by the keyboard alone, with real events in the real window.

``CISTERNA_RECORD=FOLDER`` keeps a picture of every step there. Typing a number is the keyboard's; the mouse drags, and
where a number must be exact and no drag can say it (5.5 or 350 mcg/day of basal rate) it uses the page's keypad.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.models.editing import Kind, Place
from app.models.program import EVERY_DAY, Bolus, DayPlan, Delivery, Flex, PeriodicBolus, Program, Step, Weekday
from app.models.quantities import DoseRate, Mass
from app.ui.main_window import MainWindow
from app.ui.theme import DARK, LIGHT, apply_theme
from tests.e2e.hands import Keys, Mouse, Recorder
from tests.services.bench import Bench

HANDS = ["mouse", "keyboard"]
SIZE = (1366, 768)
DELIVER, START, DURATION, DOSE, BASAL = "L", "M", "O", "E", "D"
"""The underlined letters of the page's fields."""


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[MainWindow]:
    apply_theme(qapp, DARK if os.environ.get("CISTERNA_RECORD_THEME") == "dark" else LIGHT)
    made = MainWindow(Bench(tmp_path).station)
    qtbot.addWidget(made)
    made.resize(*SIZE)
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    yield made
    made.close()


@pytest.fixture
def recorder(window: MainWindow, tmp_path: Path, request: pytest.FixtureRequest) -> Recorder:
    return Recorder(window, tmp_path, request.node.name.removeprefix("test_"))


@pytest.fixture
def mouse(window: MainWindow, recorder: Recorder) -> Mouse:
    return Mouse(window, recorder)


@pytest.fixture
def keys(window: MainWindow, recorder: Recorder) -> Keys:
    return Keys(window, recorder)


def mcg(dose: float) -> Mass:
    return Mass.mcg(Fraction(str(dose)))


def rate(dose: float) -> DoseRate:
    return DoseRate.mcg_per_day(Fraction(str(dose)))


def bolus(index: int, plan: int = 0) -> Place:
    return Place(plan, Kind.BOLUS, index)


def step(index: int, plan: int = 0) -> Place:
    return Place(plan, Kind.STEP, index)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def judge(window: MainWindow, delivery: Delivery, daily: str) -> None:
    """What is on the board, to the last quantum, and what the page says it is."""
    assert window.schedule.program == Program(delivery)
    figures = (label.accessibleName() for label in window.schedule_view.figures.findChildren(QLabel))
    assert f"Daily dose: {daily}" in [words.replace("\xa0", " ") for words in figures]
    assert "Draft" in window.schedule_view.mark.accessibleName()


# -- de la Fuente: 13 boluses of 50 mcg over 350 mcg/day, 1000 mcg/day in all

FUENTE = Flex((DayPlan(EVERY_DAY, rate(350), tuple(Bolus(110 * i, mcg(50), 5) for i in range(13))),))


def test_fuente_by_mouse(window: MainWindow, mouse: Mouse) -> None:
    mouse.open_patient("Aguirre")
    mouse.choose(window.schedule_view.mode, "flex")
    mouse.enter("Basal rate, all day", "350")
    mouse.push("Set basal")
    mouse.push("Add bolus")
    mouse.drag_up(bolus(0), "body", "50 mcg at 00:00")
    for number in range(1, 13):
        mouse.push("Duplicate")
        mouse.drag_across(bolus(number), "body", 50, f"50 mcg at {clock(110 * number)}")
    judge(window, FUENTE, "1000 mcg/day")


def test_fuente_by_keyboard(window: MainWindow, keys: Keys) -> None:
    keys.open_patient("Aguirre")
    keys.choose(DELIVER, "flex")
    keys.enter(BASAL, "350")
    keys.take()
    keys.go_to(keys.timeline, back=True)
    keys.strike(Qt.Key.Key_B)
    keys.enter(DOSE, "50")
    keys.take()
    keys.go_to(keys.timeline, back=True)
    for number in range(1, 13):
        keys.strike(Qt.Key.Key_D)
        keys.time(clock(110 * number))
    judge(window, FUENTE, "1000 mcg/day")


# -- Kawano: 30 mcg every 6 h, and every 8 h, over 5.5 mcg/day. At 500 mcg/mL that is 0.011 mL/day, less than this pump
# runs at; its minimum rate of 0.006 mL/day gives 3 mcg/day instead: 3 + 4 × 30, and 3 + 3 × 30.


def test_kawano_6_h_by_mouse(window: MainWindow, mouse: Mouse) -> None:
    mouse.open_patient("Kunigunde")
    mouse.choose(window.schedule_view.mode, "periodic bolus")
    for name, number in (("Basal rate, all day", "5.5"), ("Bolus dose", "30"), ("For", "5"), ("Every", "6")):
        mouse.enter(name, number)
    mouse.push("Set")
    judge(window, PeriodicBolus(rate(5.5), mcg(30), 5, 360), "123 mcg/day")


def test_kawano_6_h_by_keyboard(window: MainWindow, keys: Keys) -> None:
    keys.open_patient("Kunigunde")
    keys.choose(DELIVER, "periodic")
    for letter, number in ((BASAL, "5.5"), (DOSE, "30"), (DURATION, "5"), ("V", "6")):
        keys.enter(letter, number)
    keys.take()
    judge(window, PeriodicBolus(rate(5.5), mcg(30), 5, 360), "123 mcg/day")


def test_kawano_8_h_by_mouse_on_the_timeline(window: MainWindow, mouse: Mouse) -> None:
    mouse.open_patient("Kunigunde")
    mouse.choose(window.schedule_view.mode, "flex")
    mouse.enter("Basal rate, all day", "5.5")
    mouse.push("Set basal")
    mouse.push("Add bolus")
    mouse.drag_up(bolus(0), "body", "30 mcg at 00:00")
    for number in (1, 2):
        mouse.push("Duplicate")
        mouse.drag_across(bolus(number), "body", 420, f"30 mcg at {clock(480 * number)}")
    mouse.choose(window.schedule_view.mode, "periodic bolus")
    judge(window, PeriodicBolus(rate(5.5), mcg(30), 5, 480), "93 mcg/day")


def test_kawano_8_h_by_keyboard_on_the_timeline(window: MainWindow, keys: Keys) -> None:
    keys.open_patient("Kunigunde")
    keys.choose(DELIVER, "flex")
    keys.enter(BASAL, "5.5")
    keys.take()
    keys.go_to(keys.timeline, back=True)
    keys.strike(Qt.Key.Key_B)
    keys.strike(Qt.Key.Key_PageUp, times=20)
    assert "30 mcg at 00:00" in keys.read().replace("\xa0", " ")
    for number in (1, 2):
        keys.strike(Qt.Key.Key_D)
        keys.time(clock(480 * number))
    keys.choose(DELIVER, "periodic")
    judge(window, PeriodicBolus(rate(5.5), mcg(30), 5, 480), "93 mcg/day")


# -- Heetla: a day at 3 mcg/h from Tuesday 10:00, out of 575 mcg/day

OTHER_DAYS = tuple(day for day in Weekday if day is not Weekday.TUE)
HOLIDAY = Flex((DayPlan(OTHER_DAYS, rate(575)), DayPlan((Weekday.TUE,), rate(575), steps=(Step(600, 1440, mcg(72)),))))
# Six days' worth of 575 and one of 72, over seven days.
HOLIDAY_DAILY = "503.143 mcg/day"


def test_heetla_by_mouse(window: MainWindow, mouse: Mouse) -> None:
    mouse.open_patient("van der Meulen")
    mouse.enter("Daily dose", "575")
    mouse.push("Set")
    mouse.choose(window.schedule_view.mode, "flex")
    mouse.push("Tue")
    mouse.push("Tue on its own")
    mouse.cursor_to(600)
    mouse.push("Add step")
    mouse.drag_across(step(0, 1), "end", 1380, "from 10:00–10:00")
    mouse.drag_up(step(0, 1), "top", "Step 70 mcg")
    mouse.enter("Dose", "72")
    mouse.push("Set")
    judge(window, HOLIDAY, HOLIDAY_DAILY)


def test_heetla_by_keyboard(window: MainWindow, keys: Keys) -> None:
    keys.open_patient("van der Meulen")
    keys.enter(BASAL, "575")
    keys.take()
    keys.choose(DELIVER, "flex")
    keys.push("Tue")
    keys.alt("N")
    keys.go_to(keys.timeline)
    keys.time("1000")
    keys.strike(Qt.Key.Key_S)
    keys.enter(DURATION, "1440")
    keys.enter(DOSE, "72")
    keys.take()
    judge(window, HOLIDAY, HOLIDAY_DAILY)


# -- a week of five groups

FIVE = Flex(
    (
        DayPlan((Weekday.TUE, Weekday.THU), rate(240), (Bolus(420, mcg(20), 5),)),
        DayPlan((Weekday.MON,), rate(240), (Bolus(420, mcg(30), 5),)),
        DayPlan((Weekday.WED,), rate(240)),
        DayPlan((Weekday.FRI,), rate(240), (Bolus(420, mcg(20), 5),), (Step(1080, 720, mcg(60)),)),
        DayPlan((Weekday.SAT, Weekday.SUN), rate(480), (Bolus(420, mcg(20), 5),)),
    )
)
# By hand: 270, 260, 240, 260, 260 − 60 + 30 = 230, 480 + 20 − 120 + 30 = 410, 500: 2170 in seven days, 310 a day.
FIVE_DAILY = "310 mcg/day"


def test_five_groups_by_mouse(window: MainWindow, mouse: Mouse) -> None:
    mouse.open_patient("Aguirre")
    mouse.enter("Daily dose", "240")
    mouse.push("Set")
    mouse.choose(window.schedule_view.mode, "flex")
    mouse.cursor_to(420)
    mouse.push("Add bolus")
    mouse.drag_up(bolus(0), "body", "20 mcg at 07:00")
    for day in ("Mon", "Wed", "Fri", "Sat"):
        mouse.click(window.schedule_view.groups.days[("Mon", "Tue", "Wed", "Thu", "Fri", "Sat").index(day)])
        mouse.push(f"{day} on its own")
    mouse.push("Sun A")
    mouse.choose(window.schedule_view.groups.belongs, "E: Sat")
    mouse.enter("Basal rate, all day", "480")
    mouse.push("Set basal")
    mouse.push("Mon B")
    mouse.drag_up(bolus(0, 1), "body", "30 mcg at 07:00")
    mouse.push("Wed C")
    mouse.click(mouse.timeline, mouse.timeline.place_to_point(bolus(0, 2), "body"))
    mouse.push("Delete")
    mouse.push("Fri D")
    mouse.cursor_to(1080)
    mouse.push("Add step")
    mouse.drag_across(step(0, 3), "end", 660, "from 18:00–06:00")
    mouse.drag_up(step(0, 3), "top", "Step 60 mcg")
    judge(window, FIVE, FIVE_DAILY)


def test_five_groups_by_keyboard(window: MainWindow, keys: Keys) -> None:
    keys.open_patient("Aguirre")
    keys.enter(BASAL, "240")
    keys.take()
    keys.choose(DELIVER, "flex")
    keys.go_to(keys.timeline)
    keys.time("0700")
    keys.strike(Qt.Key.Key_B)
    keys.strike(Qt.Key.Key_PageUp, times=10)
    for day in ("Mon", "Wed", "Fri", "Sat"):
        keys.go_to(window.schedule_view.groups.days[("Mon", "Tue", "Wed", "Thu", "Fri", "Sat").index(day)], back=True)
        keys.strike(Qt.Key.Key_Space)
        keys.alt("N")
        keys.recorder.take(f"{day} on its own")
    keys.push("Sun A", back=True)
    keys.choose("G", "E")
    keys.enter(BASAL, "480")
    keys.take()
    keys.push("Mon B", back=True)
    keys.go_to(keys.timeline)
    keys.strike(Qt.Key.Key_Home)
    keys.strike(Qt.Key.Key_PageUp, times=10)
    keys.push("Wed C", back=True)
    keys.go_to(keys.timeline)
    keys.strike(Qt.Key.Key_Home)
    keys.strike(Qt.Key.Key_Delete)
    keys.push("Fri D", back=True)
    keys.go_to(keys.timeline)
    keys.time("18:00")
    keys.strike(Qt.Key.Key_S)
    keys.enter(DURATION, "720")
    keys.enter(DOSE, "60")
    keys.take()
    judge(window, FIVE, FIVE_DAILY)
