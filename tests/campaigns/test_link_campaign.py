"""A short run of the link campaign, and proof that it sees each thing the protocol rests on when it is missing."""

from __future__ import annotations

import pytest

from app.device.frames import TO_PROGRAM, TO_PUMP
from tests.campaigns import link
from tests.campaigns.faulty_cable import AT_AN_END, ON_THE_CABLE, Action, Trouble
from tests.campaigns.link_weakened import BUILDS, Weakened


def test_a_spread_of_single_faults_breaks_nothing() -> None:
    counts, wrong = link.run_cases(list(link.singles(700, seed=1)))
    assert wrong == []
    assert counts["runs"] == 700
    assert min(counts["verified"], counts["not-applied"], counts["not-known"]) > 5, "faults that change the outcome"


def test_many_faults_at_once_break_nothing() -> None:
    counts, wrong = link.run_cases(list(link.multiples(500, seed=2)))
    assert wrong == []
    assert counts["runs"] == 500


def test_every_kind_of_dialogue_is_there_and_each_action_meets_each_of_its_bytes() -> None:
    assert len(link.dialogues()) == 15 and len(ON_THE_CABLE) == 14
    lengths = link.recorded("bolus")[1]
    troubles = list(link.single_troubles("bolus"))
    assert len(troubles) == sum(lengths) * (len(ON_THE_CABLE) + len(AT_AN_END))
    assert {trouble.direction for trouble in troubles} == {TO_PUMP, TO_PROGRAM}


def test_a_run_is_the_same_each_time() -> None:
    troubles = [Trouble(Action.GARBAGE, TO_PUMP, 300, 70), Trouble(Action.DELAY, TO_PROGRAM, 900, 105)]
    assert link.run("simple", troubles, 4) == link.run("simple", troubles, 4)


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.name)
def test_a_weakened_build_is_seen(build: Weakened) -> None:
    assert link.uncover(build, 350, seed=1), build.name


def test_the_campaign_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    assert link.main(["--singles", "20", "--multiples", "20", "--weakened", "0", "--processes", "1"]) == 0
    said = capsys.readouterr().out
    assert "20 single-fault runs" in said and "20 multi-fault runs" in said and "0 violations" in said
