"""A replaced pump as a user meets it: another pump answers, its number is typed, it is read and put on record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.models.patient import CatheterPiece, User
from app.models.refill_visit import Step
from app.ui.main_window import MainWindow
from app.ui.refill.before import InterrogatePage
from app.ui.refill.new_pump_dialog import NewPumpDialog
from tests.services.bench import PATIENT as JOHANNA
from tests.services.test_new_pump import NEW, Theatre
from tests.ui.keys import Keyboard


class Room:
    """A window at whose cable the new pump lies, whatever the record says."""

    def __init__(self, qtbot: QtBot, folder: Path, user: User | None = None) -> None:
        self.qtbot, self.theatre = qtbot, Theatre(folder)
        station = self.theatre.bench.station
        self.station = replace(
            station, pump_at=self.theatre.at, new_pumps=self.theatre.new_pumps, user=user or station.user
        )
        self.window = MainWindow(self.station)
        qtbot.addWidget(self.window)
        self.window.resize(1366, 768)
        self.window.show()

    def idle(self) -> None:
        self.qtbot.waitUntil(lambda: not self.window.refill.busy, timeout=10_000)
        QApplication.processEvents()

    def at_the_pump(self) -> InterrogatePage:
        """The patient is identified, and another pump has answered."""
        self.window.begin_refill(JOHANNA)
        assert self.window.refill.identify("50-0918", date(1957, 5, 3)) == ""
        self.window.refill.interrogate()
        self.idle()
        page = self.window.refill_view.pages[Step.INTERROGATE]
        assert isinstance(page, InterrogatePage)
        return page

    def dialog(self) -> NewPumpDialog:
        made = self.at_the_pump().make_new_pump_dialog()
        made.show()
        return made

    def look(self, dialog: NewPumpDialog, typed: str) -> None:
        dialog.serial.setText(typed)
        QTest.mouseClick(dialog.look, Qt.MouseButton.LeftButton)
        self.idle()


@pytest.fixture
def room(qtbot: QtBot, themed: QApplication, tmp_path: Path) -> Iterator[Room]:
    made = Room(qtbot, tmp_path)
    yield made
    made.window.close()


def test_another_pump_leads_a_physician_to_the_new_one(room: Room) -> None:
    page = room.at_the_pump()
    assert "not the patient's pump" in room.window.refill_view.wrong_words()
    assert page.other.isVisible() and page.replaced.isVisible()
    room.theatre.cable.cut = True
    room.window.refill.interrogate()
    room.idle()
    assert not page.other.isVisible(), "a cable that is cut is not another pump"


def test_a_nurse_is_told_and_offered_nothing(qtbot: QtBot, themed: QApplication, tmp_path: Path) -> None:
    room = Room(qtbot, tmp_path, user=Theatre(tmp_path / "other").bench.nurse)
    page = room.at_the_pump()
    assert page.other.isVisible() and "physician" in page.other.text() and not page.replaced.isVisible()
    room.window.close()


def test_the_new_pump_goes_on_record_and_a_new_visit_identifies_again(room: Room, keyboard: Keyboard) -> None:
    dialog = room.dialog()
    old = room.window.refill.visit
    assert not dialog.look.isEnabled() and not dialog.replace.isVisible() and not dialog.day.isVisible()
    room.look(dialog, NEW)
    assert dialog.found.text().startswith(f"{NEW}, SynchroMed II, 40 mL, software ")
    assert dialog.focusWidget() is dialog.day and not dialog.replace.isEnabled()
    dialog.day.setText("20 Nov 2026")
    assert not dialog.replace.isEnabled(), "nobody said what became of the catheter"
    dialog.changed.setChecked(True)
    dialog.catheter.setCurrentIndex(dialog.catheter.findData("8780"))
    assert not dialog.replace.isEnabled(), "nor how much was cut off"
    keyboard.type(dialog.trimmed, "12.5")
    assert dialog.replace.isEnabled()
    QTest.keyClick(dialog.day, Qt.Key.Key_Return)
    assert dialog.isVisible(), "Return puts nothing on record"
    QTest.mouseClick(dialog.replace, Qt.MouseButton.LeftButton)
    assert dialog.result() == dialog.DialogCode.Accepted
    visit = room.window.refill.visit
    assert visit is not None and old is not None and visit.id != old.id and visit.step is Step.IDENTIFY
    assert room.window.refill.page is Step.IDENTIFY and not room.window.refill.identified
    implant = room.station.desk.implant(JOHANNA)
    assert (implant.serial, implant.catheter) == (NEW, (CatheterPiece("8780", Fraction("12.5")),))
    assert room.window.refill.identify("50-0918", date(1957, 5, 3)) == ""
    room.window.refill.interrogate()
    room.idle()
    assert room.window.refill.visit is not None and room.window.refill.visit.reading is not None


@pytest.mark.parametrize(("way", "catheter"), [("kept", None), ("unknown", (CatheterPiece("8780", None),))])
def test_the_catheter_may_be_kept_or_its_length_unknown(
    room: Room, way: str, catheter: tuple[CatheterPiece, ...] | None
) -> None:
    before = room.station.desk.implant(JOHANNA).catheter
    dialog = room.dialog()
    room.look(dialog, NEW)
    dialog.day.setText("20 Nov 2026")
    if way == "kept":
        dialog.kept.setChecked(True)
    else:
        dialog.changed.setChecked(True)
        dialog.catheter.setCurrentIndex(dialog.catheter.findData("8780"))
        dialog.unknown.setChecked(True)
    dialog.replace.click()
    assert room.station.desk.implant(JOHANNA).catheter == (before if catheter is None else catheter)


@pytest.mark.parametrize(
    ("typed", "words"),
    [("NGP-730156", "not NGP-730156"), ("NGP", "whole serial"), ("EMU-100191", "this patient already")],
)
def test_a_number_that_is_not_this_pumps_is_said_beside_it_and_stays(room: Room, typed: str, words: str) -> None:
    dialog = room.dialog()
    room.look(dialog, typed)
    assert words in dialog.serial_row.remark() and dialog.serial.text() == typed
    assert not dialog.day.isVisible() and not dialog.replace.isVisible()
    room.look(dialog, NEW)
    assert dialog.day.isVisible() and words not in dialog.serial_row.remark()


def test_another_number_forgets_what_was_read(room: Room) -> None:
    dialog = room.dialog()
    room.look(dialog, NEW)
    dialog.day.setText("20 Nov 2026")
    dialog.kept.setChecked(True)
    assert dialog.replace.isEnabled()
    dialog.serial.setText(NEW + "6")
    assert not dialog.replace.isVisible() and not dialog.replace.isEnabled() and not dialog.found.isVisible()
    assert dialog.day.text() == "20 Nov 2026", "nothing typed is lost"


@pytest.mark.parametrize(("typed", "words"), [("21 Nov 2026", "lies ahead"), ("3 Oct 2026", "still filled")])
def test_a_day_that_cannot_be_is_said_and_nothing_is_written(room: Room, typed: str, words: str) -> None:
    dialog = room.dialog()
    room.look(dialog, NEW)
    dialog.kept.setChecked(True)
    dialog.day.setText(typed)
    QApplication.processEvents()
    assert dialog.day.height() >= dialog.day.sizeHint().height(), "the dialog grows with its fields"
    dialog.replace.click()
    assert words in dialog.day_row.remark() and dialog.isVisible() and dialog.day.text() == typed
    assert room.station.desk.implant(JOHANNA).serial == "EMU-100191"
    dialog.day.setText("4 Oct 2026")
    assert words not in dialog.day_row.remark()


def test_more_cut_off_than_there_is_is_said_beside_it(room: Room, keyboard: Keyboard) -> None:
    dialog = room.dialog()
    room.look(dialog, NEW)
    dialog.day.setText("20 Nov 2026")
    dialog.changed.setChecked(True)
    dialog.catheter.setCurrentIndex(dialog.catheter.findData("8780"))
    keyboard.type(dialog.trimmed, "114.3")
    dialog.replace.click()
    assert "shorter" in dialog.trimmed_row.remark() and dialog.isVisible() and dialog.trimmed.text() == "114.3"


def test_every_page_stands_with_a_pump_that_was_never_filled(room: Room) -> None:
    dialog = room.dialog()
    room.look(dialog, NEW)
    dialog.day.setText("20 Nov 2026")
    dialog.kept.setChecked(True)
    dialog.replace.click()
    room.window.open_patient(JOHANNA)
    for page in range(room.window.pages.count()):
        room.window.turn_to(page)
        QApplication.processEvents()
    room.window.open_patient(JOHANNA)
    identity = room.window.patient.identity()
    assert identity is not None and identity.serial == NEW
    facts = {fact.caption: fact.text for fact in room.window.patient.pump_facts()}
    assert (facts["Pump"], facts["Serial number"]) == ("SynchroMed II, 40 mL", NEW)
    assert [fact.text for fact in room.window.patient.therapy_facts()] == ["none on record"]
    assert room.window.patient.fills == ()
