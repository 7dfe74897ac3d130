"""A short run of the bridges campaign, and proof that it sees a bridge that is wrong."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from app.documents.catalogue import load_catalogue
from app.models.program import OneTimeBolus, OneTimeKind
from app.models.quantities import Concentration, DoseRate, Volume
from app.models.solution_change import Solution
from tests.campaigns import bridges
from tests.campaigns.bridges import PUMP, Trial, as_told, judge_with_bridge, judge_without, trials

CATALOGUE = load_catalogue()


def trial(old: int, new: int, dose: int, path: str = "0.33") -> Trial:
    drug, rate = CATALOGUE.drug("baclofen"), DoseRate.mcg_per_day(dose)
    old_one, new_one = (Solution.of(drug, Concentration.mcg_per_ml(strength)) for strength in (old, new))
    return Trial(old_one, new_one, Fraction(path), rate, rate)


def test_a_short_run_finds_nothing() -> None:
    judge = bridges.judge_trials(list(trials(CATALOGUE, 50, 2))[::41], CATALOGUE.pump(PUMP))
    assert judge.wrong == []
    assert 0 < judge.worst < Fraction(1, 100)
    assert sum(judge.counts.values()) == -(-len(list(trials(CATALOGUE, 50, 2))) // 41)


def test_every_ordered_pair_of_every_drug_is_tried() -> None:
    pairs = {
        (one.old.drug, one.old.concentration.in_mcg_per_ml, one.new.concentration.in_mcg_per_ml)
        for one in trials(CATALOGUE, 2, 1)
    }
    baclofen = {("baclofen", old, new) for old in (500, 1000, 2000) for new in (500, 1000, 2000) if old != new}
    assert baclofen < pairs and ("morphine", 10000, 25000) in pairs and ("morphine", 25000, 10000) in pairs
    volumes = bridges.path_volumes(CATALOGUE, CATALOGUE.pump(PUMP), 50)
    assert len(set(volumes)) == 50
    assert min(volumes) < Fraction("0.23") and max(volumes) > Fraction("0.42")


def test_the_simulator_agrees_with_a_hand() -> None:
    """10 pL of 7 fg/mL ahead of 1 fg/mL at 4 pL/min: 28, 28, then 2 x 7 + 2 x 1, then 4."""
    found = [(mass, scale) for mass, scale, _ in bridges.simulate(10, 7, 1, [(4, Fraction(4))])]
    assert found == [(28, 1), (28, 1), (16, 1), (4, 1)]


@pytest.mark.parametrize(
    ("volume", "duration", "seen"),
    [
        (Fraction(1), Fraction(1), False),
        (Fraction(1), Fraction(102, 100), True),  # 2 % too slow
        (Fraction(102, 100), Fraction(102, 100), True),  # at the right flow, 2 % too long
        (Fraction(98, 100), Fraction(98, 100), True),
        (Fraction(1), Fraction(1001, 1000), False),
    ],
)
def test_a_wrong_bridge_is_seen(volume: Fraction, duration: Fraction, seen: bool) -> None:
    one = trial(500, 2000, 200)
    told = as_told(one)
    assert told.bridge is not None
    wrong = OneTimeBolus(
        OneTimeKind.BRIDGE,
        Volume.floor(told.bridge.volume.quanta * volume),
        int(told.bridge.duration_min * duration),
    )
    assert (judge_with_bridge(one, replace(told, bridge=wrong)) > bridges.LIMIT) is seen


def test_the_bridge_of_a_stale_concentration_is_seen() -> None:
    """A bridge worked out for 1000 in the path where 500 is."""
    one = trial(500, 2000, 200)
    stale = as_told(replace(one, old=trial(1000, 2000, 200).old))
    assert judge_with_bridge(one, stale) > Fraction(49, 100)


def test_without_a_bridge_it_is_four_times_the_dose() -> None:
    assert judge_without(trial(2000, 500, 400)) == ("", 4, 594)  # 9.9 h
    assert judge_without(trial(500, 2000, 400)) == ("", Fraction(1, 4), 2376)  # 39.6 h
