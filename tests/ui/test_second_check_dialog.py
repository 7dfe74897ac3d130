"""The second check as two people meet it: nothing of the first shows, nothing is told but names of fields."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from app.ui.curtain import Curtain
from app.ui.main_window import MainWindow
from app.ui.refill.second_check_dialog import SecondCheckDialog, ask_second_person
from app.ui.refill.second_check_view_model import SecondCheckViewModel, is_check_missing
from tests.services.bench import PATIENT, Bench

RIGHT = ("2000", "300", "17.5")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


class Scene:
    """A refill before its sending, in the window, and a second person in front of it."""

    def __init__(self, qtbot: QtBot, bench: Bench) -> None:
        self.bench, self.passed = bench, 0
        self.visit = bench.until_proposed(concentration=2000, checked=False)
        self.window = MainWindow(bench.station)
        qtbot.addWidget(self.window)
        self.window.show()
        self.window.begin_refill(PATIENT)
        self.window.refill.identify("50-0918", date(1957, 5, 3))
        qtbot.waitUntil(lambda: not self.window.refill.busy, timeout=10_000)
        self.view_model = SecondCheckViewModel(bench.station, self.visit)

    @contextmanager
    def ask(self) -> Iterator[SecondCheckDialog]:
        """The dialog, closed again before anybody takes it for one that hangs."""
        QApplication.processEvents()
        dialog = ask_second_person(self.view_model, self.window, self._done)
        yield dialog
        if dialog.isVisible():
            dialog.reject()

    def _done(self) -> None:
        self.passed += 1

    def attempts(self) -> int:
        return len(self.bench.station.store.second_check_attempts(self.visit.id))


@pytest.fixture
def scene(qtbot: QtBot, themed: QApplication, bench: Bench):
    made = Scene(qtbot, bench)
    yield made
    made.window.close()


def fill(dialog: SecondCheckDialog, values: tuple[str, str, str], *, drug: str = "baclofen") -> None:
    dialog.person.setCurrentIndex(1)
    dialog.drug.setCurrentIndex(dialog.drug.findData(drug))
    for field, value in zip((dialog.concentration, dialog.dose, dialog.injected), values, strict=True):
        field.set_value(Fraction(value))


def picture(widget: QWidget) -> QImage:
    QApplication.sendPostedEvents()
    return widget.grab().toImage()


def wrong(dialog: SecondCheckDialog) -> list[str]:
    return [key for key, row in dialog.rows.items() if "Not what" in row.remark()]


def test_the_covered_window_is_the_same_as_a_covered_empty_one(qtbot: QtBot, scene: Scene) -> None:
    """Not one pixel depends on what is behind the curtain, at any size of the window."""
    empty = QMainWindow()
    qtbot.addWidget(empty)
    empty.setWindowTitle("empty")
    before = picture(scene.window)
    with scene.ask():
        words = next(label.text() for label in scene.window.findChild(Curtain).findChildren(QLabel))
        Curtain(words, empty)
        empty.show()
        for width, height in ((scene.window.width(), scene.window.height()), (1500, 900), (1366, 768)):
            scene.window.resize(width, height)
            empty.resize(scene.window.size())
            covered = picture(scene.window)
            assert covered == picture(empty)
        assert covered != before


def test_nothing_in_the_dialog_is_the_first_persons(scene: Scene) -> None:
    with scene.ask() as dialog:
        said = [label.text() for label in dialog.findChildren(QLabel)]
        typed = [field.text() for field in dialog.findChildren(QLineEdit)]
        chosen = [field.currentText() for field in dialog.findChildren(QComboBox)]
        assert not any(typed) and set(chosen) == {"Choose…"}
        for value in (*RIGHT, "300", "1000", "2000", "Brandt"):
            assert not any(value in text for text in said), value
        assert "another concentration" in " ".join(said) and "50-0918" in " ".join(said)


def test_only_others_may_choose_their_name(scene: Scene) -> None:
    with scene.ask() as dialog:
        names = [dialog.person.itemText(place) for place in range(dialog.person.count())]
        assert names == ["Choose…", "Ingrid Sørensen, nurse", "Paul Okafor, nurse"]


def test_two_people_who_come_to_the_same_may_send(scene: Scene) -> None:
    assert is_check_missing(scene.bench.station, scene.visit)
    with scene.ask() as dialog:
        fill(dialog, RIGHT)
        dialog.compare.click()
        assert not is_check_missing(scene.bench.station, scene.visit)
        assert scene.passed == 1 and scene.view_model.check is not None and scene.view_model.check.by_two
        assert not [curtain for curtain in scene.window.findChildren(Curtain) if curtain.isVisible()]


def test_differences_are_told_by_name_and_the_third_ends_it(scene: Scene) -> None:
    with scene.ask() as dialog:
        fill(dialog, ("2000", "30", "18"))
        dialog.compare.click()
        assert wrong(dialog) == ["daily-dose", "injected"] and dialog.isVisible()
        assert dialog.dose.text() == "30" and dialog.nobody.isHidden()
        dialog.dose.set_value(Fraction(300))
        assert wrong(dialog) == ["injected"]
        dialog.compare.click()
        fill(dialog, RIGHT, drug="morphine")
        dialog.compare.click()
        assert wrong(dialog) == ["drug"]
        assert not dialog.compare.isEnabled() and not dialog.dose.isEnabled() and dialog.nobody.isHidden()
        said = " ".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisible())
        assert "Go back together" in said and "300" not in said and "17.5" not in said
        dialog.back.click()
        assert scene.passed == 0 and scene.attempts() == 3
        assert not [curtain for curtain in scene.window.findChildren(Curtain) if curtain.isVisible()]


@pytest.mark.parametrize("missing", ["person", "drug", "concentration", "daily-dose", "injected"])
def test_an_empty_field_is_asked_for_and_counts_as_nothing(scene: Scene, missing: str) -> None:
    with scene.ask() as dialog:
        fill(dialog, RIGHT)
        field = dialog.rows[missing].field
        if isinstance(field, QComboBox):
            field.setCurrentIndex(0)
        else:
            field.set_value(None)
        dialog.compare.click()
        assert dialog.rows[missing].remark() in ("Choose your name.", "Read it, and enter it here.")
        assert dialog.isVisible() and scene.attempts() == 0 and scene.passed == 0


def test_enter_compares_nothing(scene: Scene) -> None:
    with scene.ask() as dialog:
        fill(dialog, RIGHT)
        for field in (dialog.person, dialog.drug, dialog.concentration, dialog.dose, dialog.injected):
            QTest.keyClick(field, Qt.Key.Key_Return)
        assert dialog.isVisible() and scene.passed == 0 and scene.view_model.check is None


def test_nobody_is_there_and_a_task_is_left_for_today(scene: Scene) -> None:
    with scene.ask() as dialog:
        fill(dialog, RIGHT)
        dialog.nobody.click()
        for thin in ("", "aaaaaaaaaaaa"):
            dialog.reason.setText(thin)
            QTest.keyClick(dialog.reason, Qt.Key.Key_Return)
            dialog.go_on.click()
            assert "at least 10 characters" in dialog.rows["reason"].remark() and scene.passed == 0
            assert dialog.reason.text() == thin
        dialog.return_to_fields.click()
        assert dialog.dose.text() == "300"
        dialog.nobody.click()
        dialog.reason.setText("Nobody else works on Sundays.")
        dialog.go_on.click()
        assert scene.passed == 1 and scene.view_model.check is not None and not scene.view_model.check.by_two
        [task] = scene.bench.station.tasks.open()
        assert task.due_on == date(2026, 11, 20)


def test_an_edit_meanwhile_is_told(scene: Scene) -> None:
    with scene.ask() as dialog:
        fill(dialog, RIGHT)
        scene.bench.station.desk.correct(scene.visit, scene.bench.physician)
        dialog.compare.click()
        said = " ".join(label.text() for label in dialog.findChildren(QLabel))
        assert "they have changed meanwhile" in said and scene.passed == 0
