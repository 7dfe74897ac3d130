"""The clinic's emulated pumps as ports of pyserial, opened by the program and by anybody else's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import serial

from app.bootstrap import make_workstation
from app.services.clock import Clock

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


@pytest.fixture
def clinic(tmp_path: Path):
    clock = Clock(lambda: NOW, timedelta(hours=1))
    station = make_workstation(tmp_path / "clinic", clock=clock, port="itbemu://EMU-100191")
    yield station
    station.store.close()


def implant_of(station):
    return next(record.implant for record in station.store.therapies("EMU-100191"))


def test_the_window_may_work_with_an_emulated_port_and_its_bench(clinic) -> None:
    implant = implant_of(clinic)
    port = clinic.pump_at(implant)
    reading = port.interrogate()
    assert (reading.identity.serial, clinic.emulated) == ("EMU-100191", True)
    assert clinic.bench_at(implant).obey({"do": "state"}).revision == reading.revision, "one and the same pump"
    with pytest.raises(serial.SerialException, match="in use"):
        serial.serial_for_url("itbemu://EMU-100191")
    port.close()
    serial.serial_for_url("itbemu://EMU-100191").close()


def test_options_make_a_pump_of_its_own(clinic, tmp_path: Path) -> None:
    state = tmp_path / "pump.json"
    port = serial.serial_for_url(f"itbemu://EMU-100191?model=synchromed-ii-40&speed=60&state={state}")
    port.close()
    assert state.exists()


@pytest.mark.parametrize("url", ["itbemu://NOBODY", "itbemu://EMU-100191?model=no-such-pump"])
def test_a_pump_that_nobody_has_is_no_port(clinic, url: str) -> None:
    with pytest.raises(serial.SerialException):
        serial.serial_for_url(url)
