"""The program is killed at each step: the visit is offered again at that step, and nothing is sent by itself."""

from __future__ import annotations

import json
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.bootstrap import make_workstation, open_clinic, real_clock
from app.models.pump import Outcome
from app.models.quantities import Volume
from app.models.refill_visit import Step
from app.ui.main_window import MainWindow
from app.ui.refill.view_model import Result
from tests.e2e.processes import running

STEPS = [
    (2, Step.INTERROGATE), (3, Step.RESIDUAL), (4, Step.DRUG), (5, Step.FILL), (6, Step.SETTINGS),
    (7, Step.CONFIRM), (9, Step.REPORT),
]  # fmt: skip


def killed_at(folder: Path, place: str) -> None:
    with running("-m", "tests.e2e.held_walk", str(folder / "clinic"), str(folder / "out"), "", place) as program:
        program.wait_for("HELD")


def reopened(qtbot: QtBot, folder: Path) -> MainWindow:
    data, clock = folder / "clinic", real_clock()
    window = MainWindow(make_workstation(data, clock=clock, store=open_clinic(data, clock)))
    qtbot.addWidget(window)
    window.show()
    return window


def orders_sent(folder: Path) -> int:
    path = folder / "clinic" / "emulated" / "EMU-100191.json"
    return len(json.loads(path.read_text(encoding="utf-8"))["applied"]) if path.exists() else 0


@pytest.mark.parametrize(("steps", "step"), STEPS, ids=[step.value for _, step in STEPS])
def test_a_killed_visit_goes_on_at_its_step(qtbot: QtBot, tmp_path: Path, steps: int, step: Step) -> None:
    killed_at(tmp_path, str(steps))
    sent = orders_sent(tmp_path)
    window = reopened(qtbot, tmp_path)
    (offered,) = window.worklist.open_visits
    assert "van der Meulen, Johanna" in offered.sentence
    window.resume_visit(offered.visit_id)
    assert window.refill.page is Step.IDENTIFY, "the patient is identified again first"
    assert window.refill.identify("50-0918", date(1957, 5, 3)) == ""
    visit = window.refill.visit
    assert visit is not None
    assert (visit.step, window.refill.page) == (step, step)
    if steps >= 4:
        assert visit.aspirated is not None and abs(visit.aspirated - Volume.ml(4)) < Volume.ml(1)
    if steps >= 5:
        assert visit.drug_check is not None and visit.drug_check.lot == "BA2611-07"
    if steps >= 6:
        assert visit.injected == Volume.ml(18)
    if steps >= 7:
        assert visit.proposed is not None and visit.proposed.reservoir == Volume.ml(18)
    qtbot.waitUntil(lambda: not window.refill.busy, timeout=10_000)
    assert orders_sent(tmp_path) == sent, "nothing is sent by resuming"
    window.close()


@pytest.mark.parametrize(("place", "truth"), [("before-commit", Result.NOT_APPLIED), ("after-commit", Result.VERIFIED)])
def test_killed_while_sending_the_result_is_not_known_until_the_pump_is_asked(
    qtbot: QtBot, tmp_path: Path, place: str, truth: Result
) -> None:
    killed_at(tmp_path, place)
    sent = orders_sent(tmp_path)
    assert sent == (1 if truth is Result.VERIFIED else 0)
    window = reopened(qtbot, tmp_path)
    (offered,) = window.worklist.open_visits
    window.resume_visit(offered.visit_id)
    window.refill.identify("50-0918", date(1957, 5, 3))
    assert window.refill.page is Step.PROGRAMME
    assert window.refill.result is Result.NOT_KNOWN
    assert orders_sent(tmp_path) == sent
    window.refill.ask_again()
    qtbot.waitUntil(lambda: not window.refill.busy, timeout=10_000)
    assert window.refill.result is truth
    assert orders_sent(tmp_path) == sent, "asking sends nothing"
    visit = window.refill.visit
    assert visit is not None
    assert visit.outcome is (Outcome.VERIFIED if truth is Result.VERIFIED else Outcome.NOT_APPLIED)
    assert Fraction(18) == (visit.proposed.reservoir.in_ml if visit.proposed and visit.proposed.reservoir else 0)
    window.close()
