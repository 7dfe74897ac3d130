"""The tasks above the worklist: seen when there are any, gone when there are none, done with words."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QDialog, QScrollArea
from pytestqt.qtbot import QtBot

from app.ui.main_window import MainWindow
from app.ui.state_mark import Mark, StateMark
from app.ui.worklist.task_list import TaskDoneDialog, TaskPanel
from tests.services.bench import PATIENT, Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def window(qtbot: QtBot, themed: QApplication, bench: Bench):
    made = MainWindow(bench.station)
    qtbot.addWidget(made)
    made.resize(1366, 768)
    made.show()
    yield made
    for dialog in made.findChildren(QDialog):
        dialog.reject()
    made.close()


def panel(window: MainWindow) -> TaskPanel:
    return window.worklist_view.findChild(TaskPanel)


def make(bench: Bench, day: date, words: str) -> None:
    bench.station.tasks.make(PATIENT, rule="U-07", reason=words, words=words, due_on=day, user=bench.nurse)


def test_without_tasks_there_is_no_panel_and_with_one_there_is(window: MainWindow, bench: Bench) -> None:
    table = window.worklist_view.focusProxy()
    assert table is not None and panel(window).isHidden()
    alone = table.height()
    make(bench, date(2026, 11, 20), "Have it checked.")
    window.worklist.refresh()
    QApplication.processEvents()
    assert panel(window).isVisible() and table.height() < alone


def test_the_first_due_stands_first_and_overdue_is_a_word_and_a_sign(window: MainWindow, bench: Bench) -> None:
    for day, words in ((25, "Later."), (20, "Today."), (18, "Long ago."), (21, "Tomorrow.")):
        make(bench, date(2026, 11, day), words)
    window.worklist.refresh()
    lines = window.worklist.tasks.lines
    assert [(line.sentence, line.due, line.mark) for line in lines] == [
        ("Long ago.", "Overdue, 2 d", Mark.BLOCK),
        ("Today.", "Due today", Mark.CONFIRM),
        ("Tomorrow.", "In 1 d", Mark.TASK),
        ("Later.", "In 5 d", Mark.TASK),
    ]
    assert {line.patient for line in lines} == {"van der Meulen, Johanna"}
    marks = panel(window).findChildren(StateMark)
    assert [mark.accessibleName() for mark in marks][:2] == ["Overdue, 2 d", "Due today"]
    assert window.worklist.tasks.summary() == "4 tasks, 1 overdue"


def test_many_tasks_take_three_lines_and_are_scrolled(window: MainWindow, bench: Bench) -> None:
    heights = []
    for count in range(1, 9):
        make(bench, date(2026, 11, 20), f"Task {count}.")
        window.worklist.refresh()
        QApplication.processEvents()
        heights.append(panel(window).findChild(QScrollArea).height())
    assert heights[0] < heights[1] < heights[2] == heights[3] == heights[7]
    button = panel(window).buttons[0]
    assert button.visibleRegion().boundingRect().height() == button.height()


def test_tasks_do_not_follow_the_search(window: MainWindow, bench: Bench) -> None:
    make(bench, date(2026, 11, 20), "Have it checked.")
    window.worklist.search("zzz")
    assert [line.sentence for line in window.worklist.tasks.lines] == ["Have it checked."]


def test_a_task_is_done_with_words_and_leaves(qtbot: QtBot, window: MainWindow, bench: Bench) -> None:
    make(bench, date(2026, 11, 20), "Have it checked.")
    make(bench, date(2026, 11, 21), "Call the patient.")
    window.worklist.refresh()
    panel(window).buttons[0].click()
    [dialog] = [one for one in window.findChildren(TaskDoneDialog) if one.isVisible()]
    dialog.note.setText("ok")
    dialog.save.click()
    assert "at least 10 characters" in dialog.row.remark() and dialog.isVisible() and dialog.note.text() == "ok"
    dialog.note.setText("Dr Brandt has looked at it.")
    dialog.save.click()
    assert not dialog.isVisible()
    assert [line.sentence for line in window.worklist.tasks.lines] == ["Call the patient."]
    [done, _] = bench.station.store.tasks(PATIENT)
    assert done.end is not None and done.end.note == "Dr Brandt has looked at it."


def test_the_panel_goes_with_the_last_task(window: MainWindow, bench: Bench) -> None:
    make(bench, date(2026, 11, 20), "Have it checked.")
    window.worklist.refresh()
    assert panel(window).isVisible()
    window.worklist.tasks.done(window.worklist.tasks.lines[0].task, "All is as it should be.")
    assert panel(window).isHidden()
