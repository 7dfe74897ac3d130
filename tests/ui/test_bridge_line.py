"""The patient's page while a bridge runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.ui.main_window import MainWindow
from tests.services.bench import PATIENT, Bench


@pytest.mark.parametrize("concentration", [1000, 2000])
def test_the_patients_page_says_until_when_a_bridge_runs(
    qtbot: QtBot, themed: QApplication, tmp_path: Path, concentration: int
) -> None:
    bench = Bench(tmp_path)
    station, user = bench.station, bench.physician
    visit = bench.until_proposed(concentration=concentration)
    model, port = station.desk.model_of(visit), bench.port()
    staged = station.programming.stage(visit, model, port, serial=bench.pump.serial, user_id=user.id)
    station.programming.send(staged, model, port, user_id=user.id)
    window = MainWindow(station)
    qtbot.addWidget(window)
    window.show()
    window.open_patient(PATIENT)
    words, line = window.patient.bridge_words().replace("\xa0", " "), window.patient_view._bridge
    if concentration == 1000:
        assert words == "" and not line.isVisible()
    else:
        # 20 Nov 2026 10:00 on the pump's clock, and 1517 min.
        assert words == "Bridge runs until Sat 21 Nov 11:17: 0.316 mL to go, then the program begins."
        assert line.isVisible() and line.text().replace("\xa0", " ") == words
        identity = window.patient.identity()
        assert identity is not None and identity.state == "Bridge runs"
    window.close()
