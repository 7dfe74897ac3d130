"""A short run of the plans campaign, and proof that it sees a wrong dose, a lost line and a wrong window."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.models.program import Bolus, DayPlan, Flex, PatientActivated, Program, SimpleContinuous, Step, Weekday
from app.models.quantities import Concentration, DoseRate, Flow, Mass
from app.ui.theme import LIGHT, apply_theme
from tests.campaigns import plans
from tests.campaigns.random_programs import Trial, trial

BOLUS = Bolus(at=1430, dose=Mass.mcg(60), duration_min=20)
STEP = Step(at=600, dose=Mass.mcg(24), duration_min=120)
PLAN = DayPlan(tuple(Weekday), DoseRate.mcg_per_day(144), (BOLUS,), (STEP,))


@pytest.fixture
def themed(qapp: QApplication) -> None:
    """The program's own fonts, which the paper is set in."""
    apply_theme(qapp, LIGHT)


def of(program: Program) -> Trial:
    """A trial of that program on a pump whose minimum rate gives 6 mcg/day."""
    one = trial(1, 0)
    pump = replace(one.pump, minimum_rate=Flow.ml_per_day(Fraction("0.006")))
    return replace(one, program=program, pump=pump, concentration=Concentration.mcg_per_ml(1000))


def test_paper_and_program_agree(themed: None) -> None:
    counts, wrong = plans.check_plans(3, range(40))
    assert wrong == []
    assert counts["plans"] > 25


@pytest.mark.parametrize("number", [395, 538])
def test_what_begins_where_a_page_ends_is_printed_once(themed: None, number: int) -> None:
    assert plans.check_plans(7, range(number, number + 1))[1] == []


def test_windows_agree() -> None:
    counts, wrong = plans.check_windows(3, range(200))
    assert wrong == []
    assert counts["windows"] > 120


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAN, basal=DoseRate.mcg_per_day(Fraction("144.001"))),
        replace(PLAN, boluses=(replace(BOLUS, dose=Mass.mcg(Fraction("60.001"))),)),
        replace(PLAN, boluses=(replace(BOLUS, at=1431),)),
        replace(PLAN, boluses=()),
        replace(PLAN, steps=(replace(STEP, duration_min=121),)),
        replace(PLAN, boluses=(BOLUS, replace(BOLUS, at=100))),
    ],
)
def test_paper_that_says_something_else_is_seen(themed: None, tmp_path: Path, other: DayPlan) -> None:
    order = plans.signed(of(Program(Flex((PLAN,)))), 0)
    pages = plans.pages_of(order, of(order.program).pump, tmp_path)
    assert plans.misprints(order, of(order.program).pump, pages) == []
    another = replace(order, settings=replace(order.settings, program=Program(Flex((other,)))))
    assert any(text.startswith("reads as") for text in plans.misprints(another, of(order.program).pump, pages))


def test_a_page_without_its_digest_is_seen(themed: None, tmp_path: Path) -> None:
    order = plans.signed(of(Program(SimpleContinuous(DoseRate.mcg_per_day(300)))), 5)
    pages = plans.pages_of(order, of(order.program).pump, tmp_path)
    assert "foot of page 0" in plans.misprints(replace(order, digest="0" * 64), of(order.program).pump, pages)


def test_the_scan_finds_what_a_hand_finds() -> None:
    # 6 mcg/h all day; 60 mcg in 20 min over midnight; 12 mcg/h from 10 to 12 o'clock.
    scanned = plans.largest_by_scan(of(Program(Flex((PLAN,)))))
    assert scanned == (Mass.mcg(66).quanta, Mass.mcg(84).quanta)
    # 10 mcg in 10 min at 0, 50, 100, 150 and 200 min of 4 h; in 60 min two of them.
    called = PatientActivated(Mass.mcg(10), 10, 50, 9)
    scanned = plans.largest_by_scan(of(Program(SimpleContinuous(DoseRate.mcg_per_day(24)), called)))
    assert scanned == (Mass.mcg(21).quanta, Mass.mcg(54).quanta)


def test_steps_that_overlap_have_no_windows() -> None:
    both = (STEP, replace(STEP, at=STEP.at + 60))
    assert plans.largest_by_scan(of(Program(Flex((replace(PLAN, steps=both),))))) is None
