"""Risks, absences, holidays and dates as a user meets them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot
from sqlalchemy import update

from app.bootstrap import make_workstation
from app.documents.workstation_file import WorkstationFile
from app.models.circumstances import RiskReason
from app.models.refill_visit import Step
from app.services.attention import AppointmentState
from app.services.working_days import WorkingDays
from app.store import tables
from app.ui.main_window import PATIENT, SETTINGS, WORKLIST, MainWindow
from tests.documents.test_calendar import read
from tests.services.bench import NOW, Bench
from tests.services.bench import PATIENT as JOHANNA

T6 = RiskReason.SCI_T6


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


def facts(window: MainWindow) -> dict[str, tuple[str, bool]]:
    return {fact.caption: (fact.text, fact.is_limit) for fact in window.patient.date_facts()}


def test_a_reason_is_ticked_kept_and_leads_the_worklist(window: MainWindow, bench: Bench) -> None:
    window.open_patient("patient-constant-flow")
    before = [line.patient_id for line in window.worklist.lines]
    dialog = window.patient_view.make_circumstances_dialog()
    dialog.boxes[T6].setChecked(True)
    assert window.patient.risks() == (), "ticking alone writes nothing"
    dialog.keep.click()
    assert dialog.result() == dialog.DialogCode.Accepted
    assert window.patient.risks() == (T6,)
    window.turn_to(WORKLIST)
    after = [line.patient_id for line in window.worklist.lines]
    assert after.index("patient-constant-flow") < before.index("patient-constant-flow")
    assert after.index("patient-constant-flow") < after.index(JOHANNA), "both are due in the same fortnight"
    line = next(line for line in window.worklist.lines if line.patient_id == "patient-constant-flow")
    assert line.risks == "SCI T6" and "T6 or above" in line.all_risks


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("4 Jan 2027", "", "Type the day"),
        ("", "4 Jan 2027", "Type the day"),
        ("31 Feb 2027", "4 Mar 2027", "Type the day"),
        ("4 Jan 2027", "3 Jan 2027", "cannot be before"),
        ("1 Nov 2026", "19 Nov 2026", "not over yet"),
        ("4 Jan 2027", "5 Jan 2028", "Check the year"),
    ],
)
def test_an_absence_that_cannot_be_is_said_beside_its_field_and_stays_typed(
    window: MainWindow, first: str, last: str, words: str
) -> None:
    window.open_patient(JOHANNA)
    dialog = window.patient_view.make_circumstances_dialog()
    dialog.boxes[T6].setChecked(True)
    dialog.first.setText(first)
    dialog.last.setText(last)
    dialog.keep.click()
    assert words in f"{dialog.first_row.remark()} {dialog.last_row.remark()}"
    assert (dialog.first.text(), dialog.last.text()) == (first, last)
    assert dialog.result() != dialog.DialogCode.Accepted
    window.patient.refresh()
    assert window.patient.absences() == () and window.patient.risks() == (), "all or nothing"
    dialog.close()


def test_an_absence_is_planned_and_taken_back(window: MainWindow) -> None:
    window.open_patient(JOHANNA)
    dialog = window.patient_view.make_circumstances_dialog()
    dialog.first.setText("4 Jan 2027")
    dialog.last.setText("2027-01-10")
    dialog.keep.click()
    assert [(away.first, away.last) for away in window.patient.absences()] == [(date(2027, 1, 4), date(2027, 1, 10))]
    again = window.patient_view.make_circumstances_dialog()
    ended = [button for button in again.findChildren(QPushButton) if button.text() == "Does not take place"]
    ended[0].click()
    assert window.patient.absences() == ()
    again.close()


def test_every_term_stands_there_and_one_is_marked(window: MainWindow) -> None:
    window.open_patient(JOHANNA)
    shown = facts(window)
    assert [caption for caption, (_, limits) in shown.items() if limits] == ["Earliest empty, flow 14.5 % too high"]
    assert set(shown) == {
        "Low-reservoir alarm, all boluses taken",
        "Earliest empty, flow 14.5 % too high",
        "The drug is stable until",
        "Empty",
        "Appointment",
    }


def test_a_battery_inside_the_other_terms_is_one_of_them(window: MainWindow) -> None:
    window.open_patient("patient-constant-flow")
    assert facts(window).keys() >= {"The drug is stable until"}
    for patient in ("patient-dressnandt-14", "patient-new"):
        window.open_patient(patient)
        assert window.patient.date_facts()


def test_past_due_patients_stand_below_whatever_is_searched_for(window: MainWindow) -> None:
    window.worklist.search("kov")
    assert [line.name for line in window.worklist.lines] == ["Kovács, Ilona"]
    assert len(window.worklist.past_due) == 3 and not any(line.is_found for line in window.worklist.past_due)
    assert "below, 3 who are overdue" in window.worklist.summary()
    window.worklist.search("mull")
    assert [line.name for line in window.worklist.lines] == ["Müller, Anna"]
    assert len(window.worklist.past_due) == 2, "nobody twice"
    window.worklist.search("")
    assert window.worklist.past_due == []


def test_return_in_the_search_opens_nobody_who_is_not_found(window: MainWindow) -> None:
    search = window.worklist_view.search_field()
    search.setText("zzz")
    assert window.worklist.past_due
    QTest.keyClick(search, Qt.Key.Key_Return)
    assert window.pages.currentIndex() == WORKLIST
    search.setText("kov")
    QTest.keyClick(search, Qt.Key.Key_Return)
    assert window.pages.currentIndex() == PATIENT and window.patient.therapy is not None
    assert window.patient.therapy.patient.family_name == "Kovács"


def test_an_appointment_after_the_refill_by_date_and_a_missed_one_are_named(window: MainWindow) -> None:
    lines = {line.patient_id: line for line in window.worklist.lines}
    assert lines["patient-kawano-b"].appointment_state is AppointmentState.MISSED
    assert lines["patient-kawano-b"].appointment == "missed, 18\u00a0Nov"
    assert lines["patient-heetla-20"].appointment_state is AppointmentState.LATE
    assert lines["patient-heetla-8"].appointment == "none"


def test_a_region_is_kept_and_its_holidays_are_free(qtbot: QtBot, window: MainWindow, bench: Bench) -> None:
    days = bench.station.working_days
    window.turn_to(SETTINGS)
    field = window.settings_view.region
    assert not field.keep.isEnabled() and "only weekends" in field.row.remark()
    field.country.setCurrentIndex(field.country.findData("DE"))
    field.part.setCurrentIndex(field.part.findData("DE-BY"))
    assert days.region is None, "choosing changes nothing"
    field.keep.click()
    assert days.region == "DE-BY" and not field.keep.isEnabled()
    assert days.why_free(date(2027, 1, 6)) is not None, "Epiphany is free in Bavaria"
    field.country.setCurrentIndex(0)
    field.keep.click()
    assert days.region is None and days.why_free(date(2027, 1, 6)) is None


def test_the_region_outlives_the_program_beside_the_port(bench: Bench, tmp_path: Path) -> None:
    keeper = WorkstationFile(tmp_path)
    keeper.keep("/dev/ttyS0")
    made = make_workstation(
        tmp_path, clock=bench.station.clock, store=bench.station.store, keeper=keeper, region_keeper=keeper
    )
    made.working_days.choose("DE-BY")
    keeper.keep("/dev/ttyS1")
    assert WorkstationFile(tmp_path).load_region() == "DE-BY"
    assert WorkstationFile(tmp_path).load() == "/dev/ttyS1"


def test_a_region_that_cannot_be_read_means_weekends_only_and_is_named(tmp_path: Path) -> None:
    keeper = WorkstationFile(tmp_path)
    keeper.path.write_text('{"version": 1, "port": null, "holidays": "../x"}')
    from app.documents.public_holidays import PublicHolidays

    days = WorkingDays(PublicHolidays(), keeper)
    assert days.region is None and days.trouble is not None
    keeper.path.write_text('{"version": 1, "port": null, "holidays": "XX"}')
    unknown = WorkingDays(PublicHolidays(), keeper)
    assert unknown.why_free(date(2026, 11, 21)) == "weekend"
    assert unknown.region is None and unknown.trouble is not None


def at_report(qtbot: QtBot, window: MainWindow, bench: Bench):
    bench.until_proposed()
    window.begin_refill(JOHANNA)
    window.refill.identify("50-0918", date(1957, 5, 3))
    qtbot.waitUntil(lambda: not window.refill.busy, timeout=10_000)
    if window.refill.staged is None:
        window.refill.stage()
        qtbot.waitUntil(lambda: not window.refill.busy, timeout=10_000)
    window.refill.send()
    qtbot.waitUntil(lambda: not window.refill.busy, timeout=10_000)
    window.refill.go_on()
    assert window.refill.page is Step.REPORT
    return window.refill_view.pages[Step.REPORT]


def test_the_dates_are_saved_for_a_calendar_without_the_name(qtbot: QtBot, window: MainWindow, bench: Bench) -> None:
    page = at_report(qtbot, window, bench)
    page.day.setText("30 Dec 2026")
    page.calendar.click()
    path = window.refill.calendar_path()
    raw = path.read_bytes()
    events = read(raw)
    assert [event["DTSTART;VALUE=DATE"] for event in events] == ["20261230", "20270110"]
    everything = f"{path.name} {raw.decode()}".casefold()
    assert "meulen" not in everything and "johanna" not in everything and "50-0918" in everything


def test_who_leaves_without_an_appointment_leaves_a_task(qtbot: QtBot, window: MainWindow, bench: Bench) -> None:
    at_report(qtbot, window, bench)
    bench.print_card()
    window.refill.book(None, {("REF-09", "no-appointment"): "the patient has no diary here"})
    made = [(task.rule, task.patient_id) for task in bench.station.tasks.open()]
    assert ("REF-09", JOHANNA) in made


def test_an_appointment_from_before_a_refill_was_for_that_refill(
    qtbot: QtBot, window: MainWindow, bench: Bench
) -> None:
    store = bench.station.store
    assert store.therapy(JOHANNA).appointment_on == date(2026, 11, 23)
    with store.engine.begin() as connection:  # type: ignore[attr-defined]
        connection.execute(update(tables.appointments).values(booked_at=NOW - timedelta(days=50)))
    at_report(qtbot, window, bench)
    assert store.therapy(JOHANNA).appointment_on == date(2026, 11, 23), "the visit is not closed yet"
    bench.print_card()
    window.refill.book(None, {("REF-09", "no-appointment"): "the patient has no diary here"})
    assert store.therapy(JOHANNA).appointment_on is None
    assert store.therapy("patient-el").appointment_on is not None


def test_early_signs_of_withdrawal_suggest_a_larger_alarm_volume(bench: Bench) -> None:
    visit, desk = bench.until_proposed(), bench.station.desk
    assert visit.proposed is not None

    def said() -> list[str]:
        findings = desk.rules.judge_settings(visit, visit.proposed, bench.physician)
        return [str(found.values["low_on"]) for found in findings if found.rule == "REF-08"]

    assert said() == []
    bench.station.circumstances.note_risks(JOHANNA, {RiskReason.BEFORE_ALARM}, bench.nurse)
    assert [text.replace("\u00a0", " ") for text in said()] == ["4 Jan 2027 10:00"], (
        "13.5 mL at 0.3 mL/day last 45 days"
    )


def test_an_absence_of_the_patient_moves_the_proposals(qtbot: QtBot, window: MainWindow, bench: Bench) -> None:
    bench.station.circumstances.plan_absence(JOHANNA, date(2026, 12, 28), date(2027, 1, 9), bench.nurse)
    page = at_report(qtbot, window, bench)
    offered = window.refill.proposals()
    assert [day.isoformat() for day in offered.days] == ["2026-12-23", "2026-12-24", "2026-12-25"]
    assert [(found.rule, found.reason) for found in offered.findings] == [("REF-14", "early")]
    assert page.is_complete()
    bench.print_card()
    judged = window.refill.judge_appointment(date(2026, 12, 28))
    assert [(found.rule, found.reason) for found in judged] == [("REF-14", "appointment-away")]
