"""The walk that plays itself: its pages, its report, and the same refill over a cable to another process."""

from __future__ import annotations

import re
from argparse import Namespace
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from pypdf import PdfReader

from app.bootstrap import make_workstation, open_clinic, real_clock
from app.demo import play
from app.models.pump import Outcome
from app.models.quantities import Volume
from app.models.refill_visit import Step
from tests.e2e.processes import emulator, running

PAGES = ["worklist", "patient", "identify", "interrogate", "residual", "drug", "fill", "settings", "second-person",
         "confirm", "sending", "result", "report", "worklist-after"]  # fmt: skip


def walk(output: Path, **options: object) -> int:
    chosen = {"headless": True, "output": str(output), "port": None, "data": None, "theme": "light"}
    return play(Namespace(**{**chosen, **options}))


def test_the_walk_refills_saves_its_pages_and_a_report_with_the_stores_figures(
    tmp_path: Path, qapp: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert walk(tmp_path) == 0
    printed = capsys.readouterr().out
    assert "Result       VERIFIED" in printed
    assert "store and pump agree" in printed
    assert [path.stem.split("-", 1)[1] for path in sorted(tmp_path.glob("*.png"))] == PAGES

    clock = real_clock()
    store = open_clinic(tmp_path / "clinic", clock)
    (visit,) = store.visits("implant-heetla-1")
    assert (visit.step, visit.outcome) == (Step.CLOSED, Outcome.VERIFIED)
    program = store.program(visit.program_id or "")
    fill = store.fills(visit.implant_id)[-1]
    assert program.settings.bridge is not None
    station = make_workstation(tmp_path / "clinic", clock=clock, store=store)
    port = station.pump_at(station.desk.implant(visit.patient_id))
    reading = port.interrogate()
    port.close()
    assert reading.settings == program.settings
    assert Volume.ml(Fraction("17.9")) < reading.reservoir <= fill.volume == Volume.ml(18)

    pages = PdfReader(tmp_path / "report.pdf").pages
    assert len(pages) == 1
    text = re.sub(r"\s+", " ", pages[0].extract_text().replace("\xa0", " "))
    therapy = station.desk.therapy(visit.patient_id)
    assert therapy.dates is not None and therapy.dates.low_at is not None
    assert visit.appointment_on is not None
    for figure in (
        "van der Meulen, Johanna", "EMU-100191", "baclofen 2000 mcg/mL", "300 mcg/day", "0.316 mL", "18 mL",
        "BA2611-07", _moment(therapy.dates.low_at), _day(visit.appointment_on), "EMULATED PUMP",
    ):  # fmt: skip
        assert figure in text, figure
    store.close()


def _day(day: date) -> str:
    return f"{day.day} {day:%b} {day.year}"


def _moment(at: object) -> str:
    return f"{at.day} {at:%b} {at.year} {at:%H:%M}"  # type: ignore[attr-defined]


@pytest.mark.parametrize("cable", [(), ("--tcp", "0")], ids=["pty", "tcp"])
def test_the_program_refills_a_pump_in_another_process(tmp_path: Path, cable: tuple[str, ...]) -> None:
    data = tmp_path / "clinic"
    with emulator(data, *cable) as (_, port):
        assert port.startswith("/dev/pts/" if not cable else "socket://127.0.0.1:")
        with running("-m", "app", "demo", "--headless", "--output", str(tmp_path / "out"), "--data", str(data),
                     "--port", port) as program:  # fmt: skip
            program.wait_for("Result       VERIFIED")
            program.wait_for("Closed")
            assert program.process.wait(30) == 0
    memory = (data / "emulated" / "EMU-100191.json").read_text(encoding="utf-8")
    assert memory.count('"applied": [[') == 1


def test_the_emulator_killed_at_the_commit_leaves_result_not_known_and_then_the_truth(tmp_path: Path) -> None:
    data = tmp_path / "clinic"
    for fault, truth in (("die-before", Outcome.NOT_APPLIED), ("die-after", Outcome.VERIFIED)):
        with emulator(data, "--tcp", "0", "--control", "0") as (pump, port):
            pass_fault(pump, fault)
            with running("-m", "app", "demo", "--headless", "--output", str(tmp_path / "out"), "--data", str(data),
                         "--port", port) as program:  # fmt: skip
                program.wait_for("Result       NOT_KNOWN")
        clock = real_clock()
        store = open_clinic(data, clock)
        (visit,) = store.open_visits()
        assert (visit.outcome, visit.step) == (Outcome.NOT_KNOWN, Step.PROGRAMME)
        (intent,) = store.intents_in_doubt()
        with emulator(data, "--tcp", "0") as (_, port):
            station = make_workstation(data, clock=clock, port=port, store=store)
            cable = station.pump_at(station.desk.implant(visit.patient_id))
            visit = station.programming.settle(visit, intent, cable, user_id=station.user.id)
            cable.close()
        assert visit.outcome is truth
        store.close()
        if truth is Outcome.NOT_APPLIED:
            # The same visit goes on from its settings; the second round of the loop needs a fresh clinic.
            data = tmp_path / "second"


def pass_fault(pump: object, fault: str) -> None:
    """Tell the emulated pump over its own door to vanish at the commit."""
    import json
    import socket

    door = int(pump.wait_for_any("control on ").removeprefix("control on "))  # type: ignore[attr-defined]
    with socket.create_connection(("127.0.0.1", door)) as caller:
        caller.sendall(json.dumps({"do": "fault", "fault": fault, "on": "Commit"}).encode() + b"\n")
        assert b'"ok": true' in caller.recv(4096)
