"""The history beside the drawing board: told apart, put back on the board, compared, withdrawn, printed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.models.program import Program, SimpleContinuous
from app.models.quantities import Concentration, DoseRate
from app.models.signed_order import SignedOrder
from app.services.workstation import Workstation
from app.ui.schedule.difference_dialog import DifferenceDialog
from app.ui.schedule.view import ScheduleView
from app.ui.schedule.view_model import ScheduleViewModel
from app.ui.theme import DARK, LIGHT, apply_theme
from tests.services.bench import PATIENT, Bench

UNTIL = date(2027, 1, 31)
HISTORY = 2
STEEP = {("TIT-06", "decrease"): "As agreed with the patient", ("U-09", "ratio"): "As agreed with the patient"}


@pytest.fixture
def bench(tmp_path: Path):
    made = Bench(tmp_path)
    yield made
    made.station.store.close()


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory):
    """A clinic with three versions, for tests that write nothing into its store."""
    made = Bench(tmp_path_factory.mktemp("clinic"))
    three_versions(made)
    yield made
    made.station.store.close()


def order(bench: Bench, name: str, mcg: int, *, signed: bool = True) -> SignedOrder | None:
    """A draft of so many mcg/day, and an order made of it."""
    desk, implant = bench.station.prescribing, bench.station.desk.implant(PATIENT)
    running = desk.therapy(implant).settings
    assert running is not None
    settings = replace(running, program=Program(SimpleContinuous(DoseRate.mcg_per_day(mcg))))
    draft = desk.save_draft(implant, name, settings, bench.physician)
    if not signed:
        return None
    return desk.sign(
        implant, draft, bench.physician, range_percent=Fraction(0), valid_until=UNTIL, reasons=STEEP
    )


def three_versions(bench: Bench) -> None:
    order(bench, "First", 320)
    order(bench, "Second", 330)
    order(bench, "Only thought of", 340, signed=False)


def opened(qtbot: QtBot, station: Workstation) -> ScheduleView:
    model = ScheduleViewModel(station)
    view = ScheduleView(model)
    qtbot.addWidget(view)
    implant = station.desk.implant(PATIENT)
    model.open(station.prescribing.therapy(implant))
    view.resize(1200, 690)
    view.show()
    view.tabs.setCurrentIndex(HISTORY)
    return view


@pytest.fixture
def view(qtbot: QtBot, themed: QApplication, clinic: Bench) -> ScheduleView:
    return opened(qtbot, clinic.station)


def choose(view: ScheduleView, *names: str) -> None:
    """Choose the versions that are called or marked so."""
    view.history.list.clearSelection()
    for row, entry in enumerate(view.history.view_model.entries):
        if f"{entry.name}, {entry.word}" in names:
            view.history.list.item(row).setSelected(True)


def test_drafts_orders_and_verified_programs_are_told_apart_by_word_sign_and_colour(view: ScheduleView) -> None:
    entries = view.history.view_model.entries
    assert {entry.word for entry in entries} >= {"Draft", "Signed, in force", "Signed, replaced", "In the pump"}
    assert len({entry.mark.sign for entry in entries}) == len({entry.mark for entry in entries}) >= 4
    newest = [entry.version.at for entry in entries]
    assert newest == sorted(newest, reverse=True)


def test_each_entry_says_when_on_which_clock_by_whom_and_how_much(view: ScheduleView) -> None:
    said = {f"{entry.name}, {entry.word}": entry.spoken for entry in view.history.view_model.entries}
    second = said["Second, Signed, in force"]
    assert second == "Second, Signed, in force, 330\u00a0mcg/day, 20\u00a0Nov\u00a02026 09:00 UTC, Dr Helene Brandt"
    assert "pump clock" in said["simple continuous, In the pump"]
    assert view.history.list.item(0).data(Qt.ItemDataRole.AccessibleTextRole)


def test_a_version_goes_on_the_board_and_undo_takes_it_back(view: ScheduleView) -> None:
    model = view.view_model
    before = model.settings
    choose(view, "First, Signed, replaced")
    view.history.put.click()
    assert model.program == Program(SimpleContinuous(DoseRate.mcg_per_day(320)))
    assert "First" in model.undo_words
    model.undo()
    assert model.settings == before


def test_another_concentration_is_an_edit_like_any_other(view: ScheduleView) -> None:
    model = view.view_model
    assert [one.in_mcg_per_ml for one in model.concentrations] == [500, 1000, 2000]
    assert view.strength.currentText() == "1000\u00a0mcg/mL, in the pump"
    view.strength.setCurrentIndex(0)
    view.strength.activated.emit(0)
    assert model.board is not None and model.board.figures is not None
    assert model.board.settings.concentration == Concentration.mcg_per_ml(500)
    assert model.board.figures.flow.in_ml_per_day == Fraction(6, 10)
    assert model.board.figures.days_to_low is None, "what is in the reservoir is not of this concentration"
    model.undo()
    assert view.strength.currentText() == "1000\u00a0mcg/mL, in the pump"


def test_two_versions_are_compared_the_older_at_the_left(view: ScheduleView) -> None:
    choose(view, "First, Signed, replaced")
    assert not view.history.compare.isEnabled()
    choose(view, "First, Signed, replaced", "simple continuous, In the pump")
    assert view.history.compare.isEnabled() and not view.history.put.isEnabled()
    view.history.compare.click()
    dialog = view.history.findChild(DifferenceDialog)
    assert dialog is not None
    table = dialog.table.model()
    rows = [[table.index(row, column).data() for column in range(4)] for row in range(table.rowCount())]
    daily = next(row for row in rows if row[0] == "Daily dose")
    assert daily[1:3] == ["300\u00a0mcg/day", "320\u00a0mcg/day"]
    assert daily[3].startswith("INCREASE +20")
    dialog.only.setChecked(True)
    assert 0 < dialog.table.model().rowCount() < len(rows)
    dialog.shut.click()


def test_only_the_order_in_force_is_withdrawn(qtbot: QtBot, themed: QApplication, bench: Bench) -> None:
    three_versions(bench)
    view = opened(qtbot, bench.station)
    choose(view, "First, Signed, replaced")
    assert not view.history.withdraw.isVisible()
    choose(view, "Second, Signed, in force")
    assert view.history.withdraw.isVisible()
    view.history.withdraw.held.emit()
    assert [entry.word for entry in view.history.view_model.entries if entry.name == "Second"] == [
        "Withdrawn", "Draft",
    ]  # fmt: skip
    assert bench.station.prescribing.current_order(bench.station.desk.implant(PATIENT).id, date(2026, 11, 20)) is None


def test_a_nurse_withdraws_nothing(qtbot: QtBot, themed: QApplication, clinic: Bench) -> None:
    view = opened(qtbot, replace(clinic.station, user=clinic.nurse))
    choose(view, "Second, Signed, in force")
    assert not view.history.withdraw.isVisible()
    assert view.history.print.isEnabled()


def test_a_tap_withdraws_nothing(view: ScheduleView) -> None:
    choose(view, "Second, Signed, in force")
    QTest.mouseClick(view.history.withdraw, Qt.MouseButton.LeftButton)
    assert "Signed, in force" in {entry.word for entry in view.history.view_model.entries}


def test_a_signed_order_is_printed_and_a_draft_is_not(view: ScheduleView, clinic: Bench) -> None:
    choose(view, "Only thought of, Draft")
    assert not view.history.print.isEnabled()
    choose(view, "Second, Signed, in force")
    view.history.print.click()
    path = Path(view.history.path.text())
    assert path.parent == clinic.station.reports
    assert path.read_bytes().startswith(b"%PDF")


def test_a_plan_that_cannot_be_written_is_said(
    qtbot: QtBot, themed: QApplication, clinic: Bench, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "reports"
    in_the_way.write_text("a file")
    view = opened(qtbot, replace(clinic.station, reports=in_the_way))
    choose(view, "Second, Signed, in force")
    view.history.print.click()
    assert not view.history.path.isVisible()
    problem, path = view.history.view_model.print_plan(view.history.list.chosen_versions()[0])
    assert path is None
    assert "could not be written" in problem


def test_an_order_changed_behind_the_stores_back_is_shown_as_changed_and_not_printed(
    qtbot: QtBot, themed: QApplication, bench: Bench
) -> None:
    order(bench, "First", 320)
    with bench.station.store.engine.begin() as connection:  # type: ignore[attr-defined]
        connection.exec_driver_sql("DROP TRIGGER IF EXISTS signed_orders_refuses_update")
        connection.exec_driver_sql("UPDATE signed_orders SET range_percent = 50")
    view = opened(qtbot, bench.station)
    choose(view, "First, Changed since signed")
    assert len(view.history.list.chosen_versions()) == 1
    assert not view.history.print.isEnabled()


def test_what_is_saved_while_the_history_is_shown_appears_in_it(
    qtbot: QtBot, themed: QApplication, bench: Bench
) -> None:
    view = opened(qtbot, bench.station)
    count = view.history.list.count()
    assert view.view_model.save_draft("Another thought") == ""
    assert view.history.list.count() == count + 1


def test_a_long_name_is_cut_and_still_said(qtbot: QtBot, themed: QApplication, bench: Bench) -> None:
    name = ("More in the morning before the transfers and less in the evening " * 2).strip()
    order(bench, name, 320)
    view = opened(qtbot, bench.station)
    entries = view.history.list
    for theme in (DARK, LIGHT):
        apply_theme(themed, theme)
        assert not view.grab().isNull()
    assert name in entries.item(0).toolTip()
    assert entries.sizeHintForColumn(0) <= entries.viewport().width()
    assert view.minimumSizeHint().width() <= 1366 - 130
