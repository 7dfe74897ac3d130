"""Random sequences of changes, early visits among them: the patient always gets what was ordered.

Source: H-33, SR-09.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import pytest

from app.models.plug_flow import Path, Pumping, path_after
from app.models.quantities import Concentration, DoseRate
from app.models.solution_change import Solution, SolutionChange, bridge_plan, wait_min

STRENGTHS = (500, 1000, 2000)


@dataclass(frozen=True)
class Stretch:
    """Whole minutes of one flow in mL/day out of a reservoir of one strength, and the dose ordered for them."""

    minutes: int
    flow: Fraction
    strength: int
    ordered: Fraction


def solution(strength: int) -> Solution:
    return Solution("baclofen", (("baclofen", Concentration.mcg_per_ml(strength)),))


def therapy(seed: int) -> tuple[Fraction, int, list[Stretch], int]:
    """Path in mL, first strength, what the pump did in five visits, and how many of them came too early."""
    chance = random.Random(seed)
    path_ml = Fraction(chance.randrange(200, 450), 1000)
    first = strength = chance.choice(STRENGTHS)
    dose = chance.randrange(100, 800)
    path, early = Path.filled(path_ml, solution(first).fluid), 0
    done: list[Stretch] = []
    running: list[Stretch] = []
    for _ in range(5):
        now = chance.randrange(0, 3000)
        running.append(Stretch(4000, Fraction(dose, strength), strength, Fraction(dose)))
        new, new_dose = chance.choice(STRENGTHS), chance.choice([dose, chance.randrange(100, 800)])
        change = SolutionChange(
            solution(strength), DoseRate.mcg_per_day(dose), solution(new), DoseRate.mcg_per_day(new_dose)
        )
        here = path_after(path, pumped(until(running, now)))
        if bridge_plan(change, here) is None:
            early += 1
            waited = wait_min(here, until(running, now + 1)[-1].flow)
            assert waited
            now += waited
            here = path_after(path, pumped(until(running, now)))
        plan = bridge_plan(change, here)
        assert plan is not None
        path, done = here, done + until(running, now)
        running = [Stretch(plan.duration_min, plan.ml_per_day, new, Fraction(dose))] if change.needs_decision else []
        strength, dose = new, new_dose
    return path_ml, first, done + running, early


def until(stretches: list[Stretch], minutes: int) -> list[Stretch]:
    """The first ``minutes`` of them."""
    first = []
    for one in stretches:
        taken = min(one.minutes, minutes)
        minutes -= taken
        if taken:
            first.append(Stretch(taken, one.flow, one.strength, one.ordered))
    return first


def pumped(stretches: list[Stretch]) -> list[Pumping]:
    return [Pumping(Fraction(one.minutes), one.flow, solution(one.strength).fluid) for one in stretches]


def at_the_tip(path_ml: Fraction, first: int, stretches: list[Stretch]) -> Iterator[tuple[Fraction, Fraction]]:
    """mcg that arrive in each minute, and what was ordered: slices pushed along, nothing of the model in it."""
    slices = [[path_ml, first]]
    for one in stretches:
        each = one.flow / 1440
        for _ in range(one.minutes):
            if slices[-1][1] == one.strength:
                slices[-1][0] += each
            else:
                slices.append([each, one.strength])
            wanted, mass = each, Fraction(0)
            while wanted:
                taken = min(wanted, slices[0][0])
                mass, wanted = mass + taken * slices[0][1], wanted - taken
                slices[0][0] -= taken
                if not slices[0][0]:
                    del slices[0]
            yield mass, one.ordered / 1440


@pytest.mark.parametrize("seed", range(24))
def test_every_minute_of_a_therapy_holds_the_ordered_dose(seed: int) -> None:
    path_ml, first, stretches, _ = therapy(seed)
    worst = max(abs(given / ordered - 1) for given, ordered in at_the_tip(path_ml, first, stretches))
    assert worst < Fraction(1, 100)


def test_many_of_these_visits_come_while_a_bridge_runs() -> None:
    assert sum(therapy(seed)[3] for seed in range(24)) > 10


def test_a_bridge_that_ignores_the_running_one_is_seen() -> None:
    """What the wait is for: halfway through a bridge from 500 to 2000, a bridge to 1000 as if all were 2000."""
    path_ml, flow = Fraction("0.33"), Fraction(400, 500)
    half = Stretch(297, flow, 2000, Fraction(400))
    hasty = Stretch(2376, Fraction(400, 2000), 1000, Fraction(400))
    errors = [abs(given / ordered - 1) for given, ordered in at_the_tip(path_ml, 500, [half, hasty])]
    assert max(errors) == Fraction(3, 4)
