"""Scans and surgery as a user meets them: each step in its turn, what the readings show, and what is typed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.device import mishaps
from app.models.mri import MriStep, TherapyEventKind
from app.models.patient import Implant
from app.services.clock import Clock
from app.ui.main_window import MainWindow
from app.ui.patient.scan_dialog import ScanDialog
from app.ui.state_mark import Mark
from tests.services.bench import NOW, Bench
from tests.services.bench import PATIENT as JOHANNA

MINUTE = timedelta(minutes=1)


class Clinic:
    """A window whose clock and pump go on together."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder)
        self.time = NOW
        station = self.bench.station
        clock = Clock(lambda: self.time, timedelta(hours=1))
        self.bench.station = replace(station, clock=clock, scans=replace(station.scans, clock=clock))
        self.window = MainWindow(self.bench.station)

    def passes(self, minutes: int) -> None:
        self.time += minutes * MINUTE
        self.bench.pump.clock.advance(minutes * MINUTE)

    @property
    def implant(self) -> Implant:
        return self.bench.station.desk.implant(JOHANNA)


@pytest.fixture
def clinic(qtbot: QtBot, themed: QApplication, tmp_path: Path) -> Iterator[Clinic]:
    made = Clinic(tmp_path)
    qtbot.addWidget(made.window)
    made.window.show()
    made.window.open_patient(JOHANNA)
    yield made
    made.window.close()


@pytest.fixture
def dialog(clinic: Clinic) -> ScanDialog:
    made = clinic.window.make_scan_dialog()
    made.show()
    return made


def read(qtbot: QtBot, clinic: Clinic, dialog: ScanDialog) -> None:
    QTest.mouseClick(dialog.read, Qt.MouseButton.LeftButton)
    assert clinic.window.scans.busy and not dialog.read.isEnabled()
    qtbot.waitUntil(lambda: not clinic.window.scans.busy, timeout=10_000)


def scanned(clinic: Clinic, dialog: ScanDialog, minutes: int | None) -> None:
    """Plan, read, scan (``minutes`` until the motor turns again; ``None``: never), and note its end."""
    if minutes is None:
        mishaps.stall(clinic.bench.pump)
    else:
        mishaps.scan(clinic.bench.pump, recovers_after_min=minutes)
    clinic.passes(30)
    dialog.ended.setText(f"{clinic.bench.station.clock.pump():%H:%M}")
    QTest.mouseClick(dialog.scanned, Qt.MouseButton.LeftButton)


def words(dialog: QDialog) -> str:
    QApplication.processEvents()
    return "\n".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisible())


def test_a_scan_from_plan_to_recovery(qtbot: QtBot, clinic: Clinic, dialog: ScanDialog) -> None:
    assert dialog.mark.mark() is Mark.NOTE and not dialog.read.isVisible() and not dialog.ended_row.isVisible()
    dialog.plan.click()
    assert dialog.mark.mark() is Mark.TASK and "before the scan" in dialog.verdict.text()
    assert clinic.window.patient.to_do()[0].startswith("Read the pump before the scan")
    read(qtbot, clinic, dialog)
    assert clinic.window.scans.due() is MriStep.SCAN
    assert dialog.mark.mark() is Mark.TASK and "Note here when the scan has ended" in dialog.verdict.text()
    scanned(clinic, dialog, 20)
    assert clinic.window.scans.due() is MriStep.READ_AFTER and not dialog.cancel.isVisible()
    clinic.passes(5)
    read(qtbot, clinic, dialog)
    assert clinic.window.scans.due() is MriStep.READ_AGAIN
    assert dialog.mark.mark() is Mark.TASK, "one reading settles nothing"
    assert "a reading counts from 20\u00a0Nov\u00a02026 10:55 on" in words(dialog)
    clinic.passes(19)
    read(qtbot, clinic, dialog)
    assert clinic.window.scans.due() is MriStep.READ_AGAIN, "one minute too early"
    clinic.passes(1)
    read(qtbot, clinic, dialog)
    assert dialog.mark.mark() is Mark.VERIFIED and "turns again" in dialog.verdict.text()
    assert dialog.plan.isVisible() and not dialog.read.isVisible()
    assert not any("scan" in one for one in clinic.window.patient.to_do())


def test_a_motor_that_does_not_recover_is_an_emergency_until_it_is_seen_turning(
    qtbot: QtBot, clinic: Clinic, dialog: ScanDialog
) -> None:
    dialog.plan.click()
    read(qtbot, clinic, dialog)
    scanned(clinic, dialog, None)
    clinic.passes(1)
    read(qtbot, clinic, dialog)
    assert dialog.mark.mark() is Mark.TASK
    clinic.passes(20)
    read(qtbot, clinic, dialog)
    assert dialog.mark.mark() is Mark.BLOCK and dialog.mark.accessibleName() == "EMERGENCY"
    assert "emergency" in clinic.window.patient.to_do()[0]
    with qtbot.waitSignal(dialog.emergencyWanted):
        QTest.mouseClick(dialog.emergency, Qt.MouseButton.LeftButton)
    assert clinic.window.pages.currentIndex() == clinic.window.emergency.page
    again = clinic.window.make_scan_dialog()
    again.show()
    mishaps.recover(clinic.bench.pump)
    clinic.passes(10)
    read(qtbot, clinic, again)
    assert again.mark.mark() is Mark.CONFIRM and "later one" in again.verdict.text()
    assert not any("emergency" in one for one in clinic.window.patient.to_do())


def test_a_scan_without_a_stall_asks_whether_it_was_this_pump(
    qtbot: QtBot, clinic: Clinic, dialog: ScanDialog
) -> None:
    dialog.plan.click()
    clinic.passes(10)
    dialog.ended.setText("10:10")
    dialog.scanned.click()
    assert "was left out" in words(dialog) and "was not read before" in words(dialog)
    clinic.passes(1)
    read(qtbot, clinic, dialog)
    clinic.passes(20)
    read(qtbot, clinic, dialog)
    assert dialog.mark.mark() is Mark.CONFIRM and "Was it this pump" in dialog.verdict.text()


@pytest.mark.parametrize("typed", ["", "24:00", "10:60", "10:01", "31 Feb 2026 10:00"])
def test_an_end_that_cannot_be_is_said_beside_its_field_and_stays(
    clinic: Clinic, dialog: ScanDialog, typed: str
) -> None:
    dialog.plan.click()
    dialog.ended.setText(typed)
    dialog.scanned.click()
    assert dialog.ended.text() == typed and "Type" in dialog.ended_row.remark()
    assert clinic.window.scans.due() is MriStep.READ_BEFORE
    dialog.ended.setText("10:00")
    assert "Type" not in dialog.ended_row.remark()
    dialog.scanned.click()
    assert clinic.window.scans.due() is MriStep.READ_AFTER


def test_a_scan_that_is_not_made_leaves_nothing_to_do(clinic: Clinic, dialog: ScanDialog) -> None:
    dialog.plan.click()
    dialog.cancel.click()
    assert dialog.mark.mark() is Mark.ENDED and dialog.plan.isVisible()
    assert not any("scan" in one for one in clinic.window.patient.to_do())
    dialog.plan.click()
    assert dialog.mark.mark() is Mark.TASK


def test_a_lost_cable_is_said_and_nothing_is_read(qtbot: QtBot, clinic: Clinic, dialog: ScanDialog) -> None:
    dialog.plan.click()
    clinic.bench.cable.cut = True
    read(qtbot, clinic, dialog)
    assert "cable" in dialog.said.text()
    assert clinic.window.scans.due() is MriStep.READ_BEFORE
    clinic.bench.cable.mend()
    read(qtbot, clinic, dialog)
    assert clinic.window.scans.due() is MriStep.SCAN


def test_a_refill_with_a_draft_keeps_its_cable(
    qtbot: QtBot, clinic: Clinic, dialog: ScanDialog, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog.plan.click()
    monkeypatch.setattr(clinic.window.refill, "staged", object())
    dialog.read.click()
    assert not clinic.window.scans.busy and "sealed" in dialog.said.text()
    monkeypatch.undo()
    read(qtbot, clinic, dialog)
    assert clinic.window.scans.due() is MriStep.SCAN


@pytest.mark.parametrize(
    ("typed", "at"),
    [("20 Nov 2026", timedelta()), ("19 Nov 2026", -10 * 60 * MINUTE - MINUTE), ("9:30", -30 * MINUTE)],
)
def test_surgery_is_noted_and_counts_to_the_end_of_its_day(
    clinic: Clinic, dialog: ScanDialog, typed: str, at: timedelta
) -> None:
    dialog.surgery.setText(typed)
    dialog.revised.click()
    (event,) = clinic.bench.station.store.therapy_events(clinic.implant.id)
    assert (event.kind, event.at) == (TherapyEventKind.SYSTEM_REVISED, NOW + at)
    assert "physician" in dialog.said.text() and dialog.surgery.text() == ""


@pytest.mark.parametrize("typed", ["", "21 Nov 2026", "1 Jan 1990"])
def test_surgery_on_a_day_that_cannot_be_is_not_noted(clinic: Clinic, dialog: ScanDialog, typed: str) -> None:
    dialog.surgery.setText(typed)
    dialog.revised.click()
    assert clinic.bench.station.store.therapy_events(clinic.implant.id) == []
    assert dialog.surgery.text() == typed and dialog.surgery_row.field is dialog.surgery
    assert dialog.surgery_row.remark()[:4] in ("Type", "Chec")


def test_return_writes_nothing(clinic: Clinic, dialog: ScanDialog) -> None:
    dialog.surgery.setText("19 Nov 2026")
    QTest.keyClick(dialog.surgery, Qt.Key.Key_Return)
    dialog.plan.click()
    dialog.ended.setText("10:00")
    QTest.keyClick(dialog.ended, Qt.Key.Key_Return)
    kinds = [event.kind for event in clinic.bench.station.store.therapy_events(clinic.implant.id)]
    assert kinds == [TherapyEventKind.MRI_PLANNED] and dialog.isVisible()


def test_nobody_open_offers_nothing(clinic: Clinic) -> None:
    clinic.window.patient.close()
    assert not clinic.window.patient_view.scan.isEnabled()
    made = clinic.window.make_scan_dialog()
    offered = [made.plan, made.read, made.scanned, made.cancel, made.revised]
    assert not any(button.isEnabled() for button in offered)
    assert len(made.findChildren(QPushButton)) == len(offered) + 2
