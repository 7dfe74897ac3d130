"""The settings page with real ports behind it: each thing that can be wrong is said once, and is then forgotten."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.bootstrap import make_workstation
from app.device import link
from app.device.worker_cable import open_transport
from app.documents.workstation_file import WorkstationFile
from app.ui.main_window import SETTINGS, MainWindow
from app.ui.settings.view_model import Said
from app.ui.state_mark import Mark
from tests.device.test_worker_cable import Bench as Line
from tests.services.bench import PATIENT, Bench

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def line(bench: Bench) -> Iterator[Line]:
    """A pseudo-terminal with Johanna's pump at its end."""
    made = Line()
    made.server = bench.cable.server
    yield made
    made.close()


@pytest.fixture
def window(qtbot: QtBot, themed: QApplication, bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(link, "_HELLO_DEADLINE_S", 0.3)
    made = MainWindow(bench.station)
    qtbot.addWidget(made)
    made.show()
    made.open_patient(PATIENT)
    made.turn_to(SETTINGS)
    yield made
    made.close()


def tried(qtbot: QtBot, window: MainWindow, port: str | None) -> Said:
    said: list[Said] = []
    window.settings.said.connect(said.append)
    window.settings.try_out(port)
    qtbot.waitUntil(lambda: not window.settings.busy, timeout=20_000)
    window.settings.said.disconnect(said.append)
    return said[-1]


def test_the_patients_pump_is_named_where_it_answers(
    qtbot: QtBot, window: MainWindow, line: Line, bench: Bench
) -> None:
    said = tried(qtbot, window, line.name)
    assert said.mark is Mark.VERIFIED
    assert said.sentence == f"{bench.pump.serial}, SynchroMed II, 20 mL, answers at {line.name}."


@pytest.mark.parametrize(
    ("does", "words"),
    [
        (lambda raw: [], "nothing answers at"),
        (lambda raw: [b"$GPGGA,092750.000\r\n" * 3], "is no pump"),
        (lambda raw: [raw[: len(raw) // 2]], "did not arrive complete"),
    ],
    ids=["silent", "another device", "dribbling"],
)
def test_a_line_that_is_of_no_use_is_said_once_and_recovers(
    qtbot: QtBot, window: MainWindow, line: Line, does: object, words: str
) -> None:
    line.answer = does  # type: ignore[assignment]
    assert words in tried(qtbot, window, line.name).sentence
    line.answer = lambda raw: [raw]
    assert tried(qtbot, window, line.name).mark is Mark.VERIFIED


def test_a_busy_port_and_one_that_is_not_there_are_told_apart(qtbot: QtBot, window: MainWindow, line: Line) -> None:
    holder = open_transport(line.name)
    assert "the port is taken" in tried(qtbot, window, line.name).sentence
    holder.close()
    assert tried(qtbot, window, line.name).mark is Mark.VERIFIED
    assert "is not there" in tried(qtbot, window, "/dev/there-is-no-such-port").sentence


def test_a_choice_is_kept_for_the_next_start(tmp_path: Path, bench: Bench) -> None:
    keeper = WorkstationFile(tmp_path)
    clock = bench.station.clock
    station = make_workstation(tmp_path, clock=clock, store=bench.station.store, keeper=keeper)
    station.ports.choose("socket://127.0.0.1:4001")
    again = make_workstation(tmp_path, clock=clock, store=bench.station.store, keeper=WorkstationFile(tmp_path))
    assert (again.port_name, again.emulated) == ("socket://127.0.0.1:4001", False)
    this_run = make_workstation(tmp_path, clock=clock, store=bench.station.store, keeper=keeper, port="/dev/ttyUSB7")
    assert this_run.port_name == "/dev/ttyUSB7", "the command line wins"


def test_a_file_that_cannot_be_read_means_the_emulated_pumps_and_is_named(tmp_path: Path, bench: Bench) -> None:
    (tmp_path / "workstation.json").write_text('{"version": 1, "port": 7}', encoding="utf-8")
    station = make_workstation(
        tmp_path, clock=bench.station.clock, store=bench.station.store, keeper=WorkstationFile(tmp_path)
    )
    assert station.emulated
    assert "port" in str(station.ports.trouble)


@pytest.mark.parametrize("address", ["", "socket://", "socket://host", "ftp://x", "tty0", "itbemu://"])
def test_an_impossible_address_is_refused(window: MainWindow, address: str) -> None:
    assert window.settings.address_problem(address)
