"""Another concentration through the services: no way round the decision, and a second change while a bridge runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from app.models.findings import Severity
from app.models.program import OneTimeBolus, OneTimeKind
from app.models.pump import Outcome
from app.models.quantities import Concentration, Volume
from app.models.refill_visit import DrugCheck, NeedleCheck, RefillVisit
from app.models.solution_change import BridgeChoice
from app.services.clock import Clock
from app.services.reasons import BlockedError
from app.services.therapy import therapy_of
from app.services.visit_rules import UNANSWERED, BridgeAnswer, Label
from tests.services.bench import BRIDGED, NOW, PATIENT, Bench

WHY = "The catheter is new and empty"


@pytest.fixture
def bench(tmp_path: Path):
    made = Bench(tmp_path)
    yield made
    made.station.store.close()


def settled(bench: Bench, visit: RefillVisit, answer: BridgeAnswer) -> list[tuple[str, Severity, str]]:
    """What is said when this is proposed with the settings that belong to it."""
    rules = bench.station.desk.rules
    now = rules.settings_now(visit)
    assert now is not None
    settings = rules.settings_for(
        visit, program=now.program, low_alarm=now.low_alarm, choice=answer.choice, rinsed=answer.rinsed
    )
    found = rules.judge_settings(visit, settings, bench.physician, answer)
    return [(one.rule, one.severity, one.reason) for one in found]


def test_without_a_decision_nothing_is_proposed(bench: Bench) -> None:
    visit = bench.until_filled(concentration=2000)
    desk = bench.station.desk
    now = desk.rules.settings_now(visit)
    assert now is not None
    settings = desk.rules.settings_for(visit, program=now.program, low_alarm=now.low_alarm)
    for answer in (UNANSWERED, BridgeAnswer(rinsed=Volume.ml(5))):
        assert ("CON-01", Severity.BLOCK, "no-decision") in settled(bench, visit, answer)
        with pytest.raises(BlockedError):
            desk.propose(visit, settings, bench.physician, answer=answer)
    assert bench.station.store.visit(visit.id).proposed is None


def test_the_settings_must_hold_just_the_bridge_that_was_decided(bench: Bench) -> None:
    visit = bench.until_filled(concentration=2000)
    desk = bench.station.desk
    now = desk.rules.settings_now(visit)
    assert now is not None
    right = desk.rules.settings_for(
        visit, program=now.program, low_alarm=now.low_alarm, choice=BRIDGED.choice, rinsed=BRIDGED.rinsed
    )
    assert right.bridge is not None
    other = OneTimeBolus(OneTimeKind.BRIDGE, right.bridge.volume, right.bridge.duration_min - 1)
    for bridge in (None, other):
        with pytest.raises(BlockedError) as refused:
            desk.propose(visit, replace(right, bridge=bridge), bench.physician, answer=BRIDGED)
        assert "CON-02" in str(refused.value.values["rules"])
    skipped = BridgeAnswer(BridgeChoice.NO_BRIDGE, WHY, Volume.ml(5))
    with pytest.raises(BlockedError):
        desk.propose(visit, right, bench.physician, answer=skipped)
    visit = desk.propose(visit, replace(right, bridge=None), bench.physician, answer=skipped)
    assert visit.decided is not None and (visit.decided.choice, visit.decided.reason) == (skipped.choice, WHY)


def test_a_bridge_without_a_change_is_refused(bench: Bench) -> None:
    visit = bench.until_filled()
    desk = bench.station.desk
    now = desk.rules.settings_now(visit)
    assert now is not None
    settings = desk.rules.settings_for(visit, program=now.program, low_alarm=now.low_alarm)
    bridge = OneTimeBolus(OneTimeKind.BRIDGE, Volume.ml(Fraction("0.3")), 60)
    with pytest.raises(BlockedError) as refused:
        desk.propose(visit, replace(settings, bridge=bridge), bench.physician)
    assert refused.value.values["rules"] == "CON-01"


def test_an_answer_that_nobody_asked_for_is_not_kept(bench: Bench) -> None:
    """Found by the machine of visits: without a change, no bridge and no reason for it."""
    visit = bench.until_filled()
    desk = bench.station.desk
    now = desk.rules.settings_now(visit)
    assert now is not None
    settings = desk.rules.settings_for(visit, program=now.program, low_alarm=now.low_alarm)
    visit = desk.propose(visit, settings, bench.physician, answer=BridgeAnswer(BridgeChoice.NO_BRIDGE))
    assert visit.decided is None and visit.proposed == settings


def test_a_nurse_cannot_leave_the_bridge_out(bench: Bench) -> None:
    visit = bench.until_filled(concentration=2000)
    desk = bench.station.desk
    now = desk.rules.settings_now(visit)
    assert now is not None
    settings = desk.rules.settings_for(visit, program=now.program, low_alarm=now.low_alarm)
    skipped = BridgeAnswer(BridgeChoice.NO_BRIDGE, WHY, Volume.ml(5))
    found = desk.rules.judge_settings(visit, settings, bench.nurse, skipped)
    assert "no-bridge-not-physician" in [one.reason for one in found]


def test_a_decision_taken_from_the_disk_between_proposal_and_draft_stops_the_draft(bench: Bench) -> None:
    visit = bench.until_proposed(concentration=2000)
    station = bench.station
    with pytest.raises(BlockedError) as refused:
        station.programming.stage(
            replace(visit, decided=None), station.desk.model_of(visit), bench.port(), serial=bench.pump.serial,
            user_id=bench.physician.id,
        )  # fmt: skip
    assert "CON-01" in str(refused.value.values["rules"])
    assert station.store.intents_in_doubt() == []


def test_while_a_bridge_runs_a_second_change_has_to_wait(bench: Bench) -> None:
    station, user = bench.station, bench.physician
    visit = bench.until_proposed(concentration=2000)
    model, port = station.desk.model_of(visit), bench.port()
    staged = station.programming.stage(visit, model, port, serial=bench.pump.serial, user_id=user.id)
    visit = station.programming.send(staged, model, port, user_id=user.id)
    assert visit.outcome is Outcome.VERIFIED and visit.proposed is not None and visit.proposed.bridge is not None
    bench.print_card()
    station.desk.book(visit, date(2026, 12, 21), user)
    minutes = visit.proposed.bridge.duration_min
    for part, expected in ((Fraction(1, 2), "two-fluids"), (Fraction(11, 10), None)):
        later = NOW + timedelta(minutes=int(minutes * part))
        rules = replace(station.desk.rules, clock=Clock(lambda later=later: later, timedelta(hours=1)))
        second = replace(
            visit, id="f" * 32, drug_check=DrugCheck("baclofen", Concentration.mcg_per_ml(500), "L2", date(2028, 1, 1)),
            reading=replace(visit.reading, settings=visit.proposed) if visit.reading else None,
        )  # fmt: skip
        plan = rules.change_plan(second, visit.proposed.program)
        assert plan is not None and plan.path is not None
        assert (plan.path.only_fluid is None) == (expected is not None), "what stands in the catheter"
        if expected is None:
            assert plan.bridge is not None
            continue
        settings = rules.settings_for(
            second, program=visit.proposed.program, low_alarm=visit.proposed.low_alarm, choice=BridgeChoice.BRIDGE
        )
        reasons = [one.reason for one in rules.judge_settings(second, settings, user, BRIDGED)]
        assert expected in reasons and settings.bridge is None
        # Half of the bridge has been pushed: half of the old solution is left, and it takes the other half of the time.
        ends = visit.effective_at
        assert ends is not None and plan.wait_until is not None
        assert abs(plan.path.ahead_ml / plan.path.volume_ml - Fraction(1, 2)) < Fraction(1, 100)


def test_the_needle_must_be_said_to_be_in_the_refill_port(bench: Bench) -> None:
    visit = bench.until_filled()
    rules = bench.station.desk.rules
    said = {
        len(ticked): [(one.rule, one.severity) for one in rules.judge_fill(visit, Volume.ml(18), ticked)]
        for ticked in ((), (NeedleCheck.REFILL_PORT,), tuple(NeedleCheck))
    }
    assert said[0] == [("REF-06", Severity.BLOCK), ("REF-05", Severity.CONFIRM)]
    assert said[1] == [("REF-05", Severity.CONFIRM)]
    assert said[2] == []


@pytest.mark.parametrize(("found", "asked"), [("17", False), ("16.99", True), ("18", False)])
def test_more_than_a_millilitre_missing_after_a_fill_of_20_ml_may_be_a_pocket_fill(
    bench: Bench, found: str, asked: bool
) -> None:
    visit = bench.until_filled()
    said = bench.station.desk.rules.judge_fill(visit, Volume.ml(18), tuple(NeedleCheck), Volume.ml(Fraction(found)))
    assert [one.reason for one in said] == (["pocket-fill"] if asked else [])


def test_a_label_read_once_is_not_enough(bench: Bench) -> None:
    visit = bench.until_filled()
    check = DrugCheck("baclofen", Concentration.mcg_per_ml(1000), "L1", date(2028, 1, 1))
    rules = bench.station.desk.rules
    assert [one.reason for one in rules.judge_drug(visit, Label(check), bench.nurse)] == ["label-once"]
    assert rules.judge_drug(visit, Label(check, read_twice=True), bench.nurse) == ()


def test_the_therapy_knows_of_the_bridge_while_it_runs(bench: Bench) -> None:
    station, user = bench.station, bench.physician
    visit = bench.until_proposed(concentration=2000)
    model, port = station.desk.model_of(visit), bench.port()
    staged = station.programming.stage(visit, model, port, serial=bench.pump.serial, user_id=user.id)
    visit = station.programming.send(staged, model, port, user_id=user.id)
    assert visit.effective_at is not None
    record = station.store.therapy(PATIENT)
    # 0.316 mL in 1517 min.
    ends = visit.effective_at + timedelta(minutes=1517)
    for at, running in ((visit.effective_at, True), (ends - timedelta(minutes=1), True), (ends, False)):
        note = therapy_of(record, station.catalogue, at=at).bridge
        assert (note is not None) is running
        assert note is None or note.until == ends
