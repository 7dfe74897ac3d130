"""The emergency sheet in the window: two clicks or one key, nothing lost, nothing stored but that it was opened."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from pypdf import PdfReader
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit
from pytestqt.qtbot import QtBot
from sqlalchemy import select

from app.documents.workstation_file import WorkstationFile
from app.models.emergency import Danger, Happening
from app.models.pump import Outcome
from app.models.refill_visit import Step
from app.services.clinic_phone import PhoneDesk
from app.store.tables import audit
from app.ui.emergency_pdf import write_sheet
from app.ui.main_window import EMERGENCY, PATIENT, REFILL, SCHEDULE, WORKLIST, MainWindow
from app.ui.one_page_pdf import PageNotWrittenError
from app.ui.settings.phone_field import PhoneField
from tests.services.bench import PATIENT as JOHANNA
from tests.services.bench import Bench
from tests.ui.keys import Keyboard
from tests.ui.papers import lowest

LONG = "patient-long-name"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def window(qtbot: QtBot, themed: QApplication, bench: Bench):
    made = MainWindow(bench.station)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


def rows(bench: Bench) -> list[tuple[str, str, str]]:
    with bench.station.store.engine.connect() as connection:  # type: ignore[attr-defined]
        wanted = select(audit.c.action, audit.c.subject, audit.c.detail).order_by(audit.c.seq)
        return [tuple(row) for row in connection.execute(wanted)]


def text_of(path: Path) -> str:
    (page,) = PdfReader(path).pages
    return re.sub(r"\s+", " ", page.extract_text().replace("\xa0", " "))


def words_on(window: MainWindow) -> str:
    QApplication.processEvents()
    shown = (label.text() for label in window.emergency.view.findChildren(QLabel) if label.isVisible())
    return "\n".join(shown).replace("\xa0", " ")


def press_key(window: MainWindow) -> None:
    window.emergency.key.activated.emit()


def test_one_click_on_the_worklist_opens_the_sheet_of_the_line_that_is_chosen(window: MainWindow) -> None:
    table = window.worklist_view.focusProxy()
    second = window.worklist.lines[1]
    table.selectRow(1)
    assert window.worklist_view.emergency.accessibleName() == f"Emergency sheet of {second.name}"
    QTest.mouseClick(window.worklist_view.emergency, Qt.MouseButton.LeftButton)
    assert window.pages.currentIndex() == EMERGENCY
    sheet = window.emergency.model.sheet
    assert sheet is not None and sheet.patient == second.name
    assert second.name in window.banner.accessibleDescription()


def test_the_key_opens_the_same_as_the_buttons(window: MainWindow) -> None:
    assert window.emergency.key.key().toString() == "Ctrl+E"
    window.open_patient(JOHANNA)
    for open_it in (
        lambda: press_key(window),
        window.patient_view.emergency.click,
        lambda: window._names._group.button(EMERGENCY).click(),
    ):
        open_it()
        assert window.pages.currentIndex() == EMERGENCY
        assert window.emergency.model.patient_id == JOHANNA
        QTest.mouseClick(window.emergency.view.back, Qt.MouseButton.LeftButton)
        assert window.pages.currentIndex() == PATIENT
        assert window._names._group.checkedId() == PATIENT


def test_a_field_that_wants_the_key_for_itself_does_not_get_it(window: MainWindow, qtbot: QtBot) -> None:
    """Under X11 a line edit takes Ctrl+E for the end of its line."""

    class Greedy(QLineEdit):
        def event(self, event: QEvent) -> bool:
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            return super().event(event)

    field = Greedy(window.worklist_view)
    field.show()
    window.activateWindow()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    QTest.keyClick(field, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    assert window.pages.currentIndex() == EMERGENCY


def test_nobody_at_hand_is_said(window: MainWindow) -> None:
    window.turn_to(PATIENT)
    assert not window.patient_view.emergency.isEnabled()
    press_key(window)
    assert window.pages.currentIndex() == EMERGENCY
    assert window.emergency.model.sheet is None
    assert "Choose a patient first" in words_on(window)
    assert not window.emergency.view.paper.isEnabled()


def test_it_opens_during_a_refill_and_nothing_that_was_typed_is_lost(
    qtbot: QtBot, window: MainWindow, bench: Bench, keyboard: Keyboard
) -> None:
    window.begin_refill(JOHANNA)
    window.refill.identify("50-0918", date(1957, 5, 3))
    window.refill.interrogate()
    qtbot.waitUntil(lambda: not window.refill.busy, timeout=10_000)
    window.refill.go_on()
    residual = window.refill_view.pages[Step.RESIDUAL]
    keyboard.type(residual.volume, "4.1")
    window.patient.open(LONG)
    press_key(window)
    assert window.emergency.model.patient_id == JOHANNA, "the sheet is of whoever is being refilled"
    QTest.keyClick(window.emergency.view.back, Qt.Key.Key_Escape)
    assert window.pages.currentIndex() == REFILL
    assert window.refill.page is Step.RESIDUAL
    assert residual.volume.value() == Fraction("4.1")
    assert "van der Meulen" in window.banner.accessibleDescription()


def test_back_shows_the_page_as_it_was_left_and_does_not_open_it_anew(window: MainWindow) -> None:
    window.open_patient(JOHANNA)
    window.turn_to(SCHEDULE)
    calls: list[object] = []
    window.schedule.open = lambda therapy: calls.append(therapy)  # type: ignore[method-assign]
    press_key(window)
    press_key(window)
    window.emergency.back()
    assert (window.pages.currentIndex(), calls) == (SCHEDULE, [])


@pytest.mark.parametrize(
    ("kind", "sign", "danger", "word"),
    [
        ("overdose", "Narrow pupils", Danger.POSSIBLE, "Possible overdose"),
        ("overdose", "Breathing fails, coma", Danger.EMERGENCY, "EMERGENCY: overdose"),
        ("withdrawal", "Itching all over", Danger.POSSIBLE, "Possible withdrawal"),
        ("withdrawal", "Fever, no inflammation", Danger.EMERGENCY, "EMERGENCY: withdrawal"),
    ],
)
def test_a_ticked_sign_shows_how_grave_it_is(
    window: MainWindow, bench: Bench, kind: str, sign: str, danger: Danger, word: str
) -> None:
    window.open_patient(JOHANNA)
    press_key(window)
    column = getattr(window.emergency.view, kind)
    before = rows(bench)
    assert "Ticking stores nothing" in column.said()
    column.boxes[sign].click()
    found = getattr(window.emergency.model.book, kind)
    assert window.emergency.model.danger(found) is danger
    assert column.said().startswith(word)
    assert ("highly suggestive" in column.said()) is (sign == "Itching all over")
    column.boxes[sign].click()
    assert window.emergency.model.danger(found) is Danger.NONE
    assert rows(bench) == before, "ticking stores nothing"
    column.boxes[sign].click()
    window.emergency.back()
    press_key(window)
    assert not column.boxes[sign].isChecked(), "a sheet that is opened anew has no ticks"


def test_opening_and_printing_are_noted_without_a_name(window: MainWindow, bench: Bench) -> None:
    before = len(rows(bench))
    window.open_patient(JOHANNA)
    press_key(window)
    window.emergency.view.paper.click()
    assert rows(bench)[before:] == [("emergency.opened", JOHANNA, ""), ("emergency.printed", JOHANNA, "")]
    (path,) = bench.station.reports.glob("emergency-*.pdf")
    assert str(path) in words_on(window)


def test_every_step_with_its_dose_stands_on_the_page(window: MainWindow) -> None:
    window.open_patient(JOHANNA)
    press_key(window)
    said = re.sub("<[^>]*>", "", words_on(window))
    for line in (
        "Consider draining cerebrospinal fluid: 30–40 mL *",
        "Baclofen tablets: 10–20 mg by mouth every 6 h",
        "Benzodiazepine: diazepam: 5–10 mg every 6–12 h",
        "Cyproheptadine: 4–8 mg by mouth every 6–8 h",
        "1000 mcg/mL",
        "300 mcg/day",
        "3.9 mL",
        "18 mL of baclofen 1000 mcg/mL",
        "ticks are not stored",
    ):
        assert line in said, line


@pytest.mark.parametrize("patient", [JOHANNA, LONG])
def test_signs_and_steps_fit_at_1366_by_768(qtbot: QtBot, window: MainWindow, patient: str) -> None:
    window.resize(1366, 768)
    window.open_patient(patient)
    press_key(window)
    QApplication.processEvents()
    area = window.emergency.view._body
    assert area.verticalScrollBar().maximum() == 0
    assert area.horizontalScrollBar().maximum() == 0


def test_the_sheet_on_paper_is_one_page_that_can_be_read_back(window: MainWindow, bench: Bench, tmp_path: Path) -> None:
    visit = bench.until_proposed(concentration=2000)
    model, port = bench.station.desk.model_of(visit), bench.port()
    staged = bench.station.programming.stage(visit, model, port, serial="EMU-100191", user_id=bench.physician.id)
    sent = bench.station.programming.send(staged, model, port, user_id=bench.physician.id)
    assert sent.outcome is Outcome.VERIFIED
    station = bench.station
    sheet = station.emergencies.open(JOHANNA, bench.nurse, emulated=True)
    write_sheet(sheet, station.emergency_book, {"Seizure"}, tmp_path / "sheet.pdf")
    text = text_of(tmp_path / "sheet.pdf")
    for line in (
        "van der Meulen, Johanna born 3 May 1957, number 50-0918",
        "Clinic: ______",
        "Drug baclofen Concentration 2000 mcg/mL Daily dose 300 mcg/day Mode simple continuous",
        "Should be left now 17.5 mL",
        # 17.5 cm... the path of 0.316 mL at 1000 mcg/mL is 316 mcg, which last 316 / 300 of a day.
        "RUNNING until 21 Nov 2026 11:17: 0.316 mL over 1 d 1 h 17 min",
        "CHANGED from 1000 mcg/mL to 2000 mcg/mL",
        "4.1 mL, expected 3.9 mL: +0.2 mL",
        "[x] Seizures",
        "[ ] Tremor",
        "EMERGENCY, withdrawal: restore intrathecal baclofen",
        "3. Baclofen tablets: 10–20 mg by mouth every 6 h",
        "5. Consider draining cerebrospinal fluid: 30–40 mL",
        "Sources, overdose: Slovenian overview",
        "Saulino 2016",
        "Cisterna is not a medical device",
        "EMULATED PUMP",
    ):
        assert line in text, line
    assert "[x] Tremor" not in text
    with pytest.raises(PageNotWrittenError):
        write_sheet(sheet, station.emergency_book, (), tmp_path / "nowhere" / "sheet.pdf")


def test_a_sheet_with_very_much_on_it_is_still_one_page(window: MainWindow, bench: Bench, tmp_path: Path) -> None:
    station = bench.station
    sheet = station.emergencies.open(LONG, bench.nurse, emulated=True)
    many = tuple(Happening(f"day {number}", "Pump log", f"event number {number} " * 4) for number in range(150))
    write_sheet(replace(sheet, happenings=many), station.emergency_book, (), tmp_path / "sheet.pdf")
    text = text_of(tmp_path / "sheet.pdf")
    assert all(f"event number {number} " in text for number in range(150))
    assert lowest(tmp_path / "sheet.pdf") > 0, "nothing is drawn below the paper"


# -- the clinic's number -------------------------------------------------------------------------------------------


@pytest.fixture
def phone(qtbot: QtBot, themed: QApplication, tmp_path: Path) -> Callable[[], PhoneField]:
    def make() -> PhoneField:
        field = PhoneField(PhoneDesk(WorkstationFile(tmp_path)))
        qtbot.addWidget(field)
        return field

    return make


def test_the_number_is_kept_for_the_next_start_beside_the_port(
    phone: Callable[[], PhoneField], tmp_path: Path, keyboard: Keyboard
) -> None:
    WorkstationFile(tmp_path).keep("/dev/ttyS0")
    field = phone()
    assert not field.keep.isEnabled()
    QTest.keyClicks(field.number, " +386 1 475 81 00 ")
    field.keep.click()
    assert field.row.remark().startswith("Kept")
    again = WorkstationFile(tmp_path)
    assert (again.load(), again.load_phone()) == ("/dev/ttyS0", "+386 1 475 81 00")
    again.keep(None)
    assert phone().number.text() == "+386 1 475 81 00", "another port leaves the number alone"


@pytest.mark.parametrize(("typed", "taken"), [("11", False), ("112", True), ("ask at the desk", False)])
def test_what_nobody_can_call_is_refused_beside_the_field_and_stays_typed(
    phone: Callable[[], PhoneField], tmp_path: Path, typed: str, taken: bool
) -> None:
    field = phone()
    QTest.keyClicks(field.number, typed)
    field.keep.click()
    assert (WorkstationFile(tmp_path).load_phone() == typed) is taken
    assert field.row.remark().startswith("Kept" if taken else "Type a telephone number")
    assert field.number.text() == typed


def test_a_file_that_cannot_be_understood_gives_no_number_and_is_not_overwritten(
    phone: Callable[[], PhoneField], tmp_path: Path
) -> None:
    path = tmp_path / "workstation.json"
    path.write_text('{"version": 1, "port": null, "clinic_phone": "??"}', encoding="utf-8")
    field = phone()
    assert field.number.text() == ""
    QTest.keyClicks(field.number, "112")
    field.keep.click()
    assert "could not be kept" in field.row.remark()
    assert "??" in path.read_text(encoding="utf-8")


def test_the_worklist_is_where_one_comes_back_to(window: MainWindow) -> None:
    window.worklist.search("ko")
    press_key(window)
    window.emergency.back()
    assert window.pages.currentIndex() == WORKLIST
    assert [line.name for line in window.worklist.lines] == ["Kovács, Ilona"]
