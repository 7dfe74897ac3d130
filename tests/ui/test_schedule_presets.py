"""The clinic's own presets on the schedule page: kept, chosen, retired, and refused where a name is taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.models.program import Program, SimpleContinuous
from app.models.quantities import DoseRate
from app.ui.main_window import SCHEDULE, MainWindow
from app.ui.schedule.keep_dialog import KeepDialog
from app.ui.schedule.presets_dialog import PresetsDialog
from tests.services.bench import PATIENT, Bench

DOSE = Program(SimpleContinuous(DoseRate.mcg_per_day(310)))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def opened(qtbot: QtBot, bench: Bench) -> MainWindow:
    window = MainWindow(bench.station)
    qtbot.addWidget(window)
    window.show()
    window.open_patient(PATIENT)
    window.turn_to(SCHEDULE)
    return window


def entries(window: MainWindow) -> dict[str, QAction]:
    button = window.schedule_view.head.start
    button.fill()
    return {action.text(): action for action in button.choices.actions() if action.text()}


def keep(window: MainWindow, name: str) -> KeepDialog:
    window.schedule.edit(DOSE, "Test")
    window.schedule_view.keep.click()
    (dialog,) = (one for one in QApplication.topLevelWidgets() if isinstance(one, KeepDialog) and one.isVisible())
    dialog.name.setText(name)
    dialog.keep.click()
    return dialog


def test_what_is_kept_can_be_chosen_by_everybody_and_undone(qtbot: QtBot, themed: QApplication, bench: Bench) -> None:
    window = opened(qtbot, bench)
    assert not entries(window)["None is kept yet"].isEnabled()
    assert not keep(window, "Evening dose").isVisible()
    nurses = opened(qtbot, replace_user(bench))
    before = nurses.schedule.program
    entries(nurses)["Evening dose"].trigger()
    assert nurses.schedule.program == DOSE != before
    nurses.schedule.undo()
    assert nurses.schedule.program == before
    assert not nurses.schedule_view.keep.isEnabled(), "only a physician keeps one"


def replace_user(bench: Bench) -> Bench:
    bench.station = replace(bench.station, user=bench.nurse)
    return bench


@pytest.mark.parametrize("name", ["", "   ", "evening DOSE", "Boluses every 6 h, Kawano"])
def test_a_name_that_is_missing_or_taken_is_refused_beside_its_field(
    qtbot: QtBot, themed: QApplication, bench: Bench, name: str
) -> None:
    window = opened(qtbot, bench)
    keep(window, "Evening dose")
    dialog = keep(window, name)
    assert dialog.isVisible() and dialog.row.remark() and dialog.name.text() == name
    dialog.reject()
    assert [preset.name for preset in bench.station.prescribing.presets()] == ["Evening dose"]


def test_a_retired_preset_is_offered_no_more_and_stays_on_record(
    qtbot: QtBot, themed: QApplication, bench: Bench
) -> None:
    window = opened(qtbot, bench)
    keep(window, "Evening dose")
    entries(window)["Look at them…"].trigger()
    (dialog,) = (one for one in QApplication.topLevelWidgets() if isinstance(one, PresetsDialog) and one.isVisible())
    dialog.retire.held.emit()
    assert dialog.chosen is None
    dialog.reject()
    assert "Evening dose" not in entries(window)
    with bench.station.store.engine.connect() as connection:  # type: ignore[attr-defined]
        assert connection.exec_driver_sql("SELECT count(*) FROM clinic_presets").scalar() == 1
