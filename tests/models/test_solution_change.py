"""A change of solution: what changes, rinse, decision, bridge, outlook, and what the rules say."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

import pytest

from app.documents.catalogue import load_catalogue
from app.models.findings import Finding, Severity
from app.models.guardrails_solution import (
    change_findings,
    old_solution_findings,
    priming_findings,
    second_change_findings,
)
from app.models.patient import Role
from app.models.plug_flow import Path, Plug, given_mcg, path_in_bridge
from app.models.program import OneTimeBolus, OneTimeKind, Program, SimpleContinuous
from app.models.pump import PumpSettings
from app.models.quantities import Concentration, DoseRate, Volume
from app.models.rule_texts import sentence
from app.models.second_engine import second_bridge
from app.models.solution_change import (
    BridgeChoice,
    BridgeDecision,
    Changed,
    Rinse,
    Solution,
    SolutionChange,
    bridge_plan,
    prime_extent,
    real_fluid,
    rinse_required,
    wait_min,
)
from app.models.solution_outlook import BridgeNote, ChangePlan, bridge_note, outlook, plan_change
from app.models.transition import Prescription, PrimeExtent, PrimeReason, Segment, bridge

CATALOGUE = load_catalogue()
PUMP = CATALOGUE.pump("synchromed-ii-20")
AT = datetime(2026, 11, 20, 10, 0)
PATH_ML = Fraction("0.33")


def solution(strength: int | Fraction, drug: str = "baclofen", **others: int) -> Solution:
    rest = {slug: Concentration.mcg_per_ml(value) for slug, value in others.items()}
    return Solution.of(CATALOGUE.drug(drug), Concentration.mcg_per_ml(strength), rest)


def change(old: Solution, new: Solution, dose: int = 400, new_dose: int | None = None) -> SolutionChange:
    return SolutionChange(
        old, DoseRate.mcg_per_day(dose), new, DoseRate.mcg_per_day(dose if new_dose is None else new_dose)
    )


STRONGER, WEAKER = change(solution(500), solution(2000)), change(solution(2000), solution(500))
MIXED = "baclofen+clonidine"


def planned(one: SolutionChange, path: Path | None = None, **more: object) -> ChangePlan:
    path = path or Path.filled(PATH_ML, one.old.fluid)
    return plan_change(one, PUMP, CATALOGUE, path=path, at=AT, **more)  # type: ignore[arg-type]


def said(plan: ChangePlan, decision: BridgeDecision | None, role: Role = Role.PHYSICIAN) -> dict[str, Finding]:
    found = change_findings(plan, PUMP, CATALOGUE, decision=decision, role=role)
    assert all(sentence(finding) for finding in found)
    return {finding.reason: finding for finding in found}


def yes(one: SolutionChange) -> BridgeDecision:
    return BridgeDecision(BridgeChoice.BRIDGE, one)


def no(one: SolutionChange, reason: str = "catheter was aspirated") -> BridgeDecision:
    return BridgeDecision(BridgeChoice.NO_BRIDGE, one, reason)


# -- what changes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "changed", "decides"),
    [
        (change(solution(500), solution(500)), (), False),
        (change(solution(500), solution(500), 400, 401), (Changed.DOSE,), False),
        (STRONGER, (Changed.CONCENTRATION,), True),
        (change(solution(500), solution(2000), 400, 399), (Changed.CONCENTRATION, Changed.DOSE), True),
        (change(solution(500), solution(10000, "morphine")), (Changed.DRUG, Changed.CONCENTRATION), True),
        (change(solution(500), solution(500, "morphine")), (Changed.DRUG,), True),
        (change(solution(25, "ziconotide-first-fill"), solution(25, "ziconotide")), (), False),
        (
            change(solution(500, MIXED, clonidine=50), solution(500, MIXED, clonidine=51)),
            (Changed.CONCENTRATION,),
            True,
        ),
        (change(solution(500), solution(500, MIXED, clonidine=50)), (Changed.DRUG, Changed.CONCENTRATION), True),
    ],
)
def test_what_changes(one: SolutionChange, changed: tuple[Changed, ...], decides: bool) -> None:
    assert (one.changed, one.needs_decision) == (changed, decides)


def test_a_mixture_of_unknown_parts_counts_as_one_drug() -> None:
    assert solution(500, MIXED).parts == ((MIXED, Concentration.mcg_per_ml(500)),)
    assert solution(500, MIXED, clonidine=50).dosed == "baclofen"
    assert solution(500, MIXED, clonidine=50).fluid.mcg_per_ml("clonidine") == 50


# -- rinse ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "needed"),
    [
        (500, 999, False),
        (500, 1000, True),
        (500, 1001, True),
        (1999, 1000, False),
        (2000, 1000, True),
        (2001, 1000, True),
    ],
)
def test_a_rinse_is_asked_for_from_twice_the_concentration_on(old: int, new: int, needed: bool) -> None:
    assert rinse_required(change(solution(old), solution(new)), CATALOGUE.rule("con_02_rinse_ratio")) is needed


def test_another_drug_always_asks_for_a_rinse() -> None:
    assert rinse_required(change(solution(500), solution(500, "morphine")), Fraction(2))
    assert not rinse_required(change(solution(500), solution(500)), Fraction(1))


@pytest.mark.parametrize(
    ("left", "injected", "old", "new", "rinse", "real"),
    [("1.4", 20, 500, 2000, 0, 1902), ("1.4", 20, 500, 2000, 5, 1979), ("2.4", 18, 2000, 500, 0, 676)],
)
def test_the_real_concentration(left: str, injected: int, old: int, new: int, rinse: int, real: int) -> None:
    """The three figures of docs/devices.md."""
    fluid = real_fluid(
        change(solution(old), solution(new)),
        left=Volume.ml(Fraction(left)), injected=Volume.ml(injected), rinse=Rinse(Volume.ml(rinse)),
    )  # fmt: skip
    assert round(fluid.mcg_per_ml("baclofen")) == real


def test_what_is_left_of_another_drug_is_still_there() -> None:
    """1.4 mL of 10000 under 14 mL: a tenth and a bit of the old drug, and 1/1.1 of the new one."""
    fluid = real_fluid(
        change(solution(10000, "morphine"), solution(500)),
        left=Volume.ml(Fraction("1.4")), injected=Volume.ml(14), rinse=Rinse(Volume.zero()),
    )  # fmt: skip
    assert fluid.mcg_per_ml("morphine") == Fraction(10000, 11)
    assert fluid.mcg_per_ml("baclofen") == Fraction(5000, 11)


# -- bridge ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", [STRONGER, WEAKER, change(solution(1000), solution(10000, "morphine"), 333, 1000)])
@pytest.mark.parametrize("path_ml", [Fraction("0.206"), Fraction("0.33"), Fraction("0.4477")])
def test_the_bridge_is_that_of_both_engines(one: SolutionChange, path_ml: Fraction) -> None:
    found = bridge_plan(one, Path.filled(path_ml, one.old.fluid))
    old = Prescription(one.old.drug, one.old.concentration, one.old_dose)
    a = bridge(old, Prescription(one.new.drug, one.new.concentration, one.new_dose), path_ml)
    b = second_bridge(one.old.concentration, one.old_dose, one.new.concentration, path_ml)
    assert found is not None and a is not None
    assert found.duration_min == a.duration_min == b.duration_min and found.volume.in_ml == path_ml
    assert found.ends_at(AT) == AT + timedelta(minutes=a.duration_min)


@pytest.mark.parametrize("doses", [(0, 400), (400, 0)])
def test_nothing_is_bridged_from_or_to_nothing(doses: tuple[int, int]) -> None:
    one = change(solution(500), solution(2000), *doses)
    assert bridge_plan(one, Path.filled(PATH_ML, one.old.fluid)) is None


def test_a_second_change_while_the_bridge_runs_waits_for_its_end() -> None:
    """0.33 mL at 0.8 mL/day: 594 min, 94 gone. 500 min ahead, and at 594 the third solution gets a bridge."""
    first = bridge_plan(STRONGER, Path.filled(PATH_ML, STRONGER.old.fluid))
    assert first is not None and first.duration_min == 594
    left = PATH_ML * 500 / 594
    path = path_in_bridge(PATH_ML, STRONGER.old.fluid, STRONGER.new.fluid, left)
    second = change(solution(2000), solution(1000))
    assert bridge_plan(second, path) is None
    assert wait_min(path, first.ml_per_day) == 500
    plan = planned(second, path, runs_ml_per_day=first.ml_per_day)
    assert plan.wait_until == AT + timedelta(minutes=500)
    found = said(plan, yes(second))
    assert found["two-fluids"].severity is Severity.BLOCK
    assert found["two-fluids"].values["wait_until"] == "20\u00a0Nov\u00a02026 18:20"
    done = path_in_bridge(PATH_ML, STRONGER.old.fluid, STRONGER.new.fluid, Fraction(0))
    assert bridge_plan(second, done) is not None and wait_min(done, first.ml_per_day) == 0
    assert "two-fluids" not in said(planned(second, done), yes(second))


def test_two_fluids_of_a_stopped_pump_never_leave() -> None:
    path = Path((Plug(Fraction("0.1"), STRONGER.old.fluid), Plug(Fraction("0.2"), STRONGER.new.fluid)))
    assert wait_min(path, Fraction(0)) is None
    assert said(planned(STRONGER, path), None)["two-fluids-standing"].severity is Severity.BLOCK


def test_the_same_drug_at_the_same_strength_behind_the_old_is_one_fluid() -> None:
    path = path_in_bridge(PATH_ML, solution(500).fluid, solution(500).fluid, PATH_ML / 2)
    assert bridge_plan(STRONGER, path) == bridge_plan(STRONGER, Path.filled(PATH_ML, STRONGER.old.fluid))


# -- outlook --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "factor", "daily", "hours"),
    [
        (WEAKER, 4, 1600, Fraction("9.9")),
        (STRONGER, Fraction(1, 4), 100, Fraction("39.6")),
        (change(solution(500), solution(2000), 400, 200), Fraction(1, 8), 50, Fraction("79.2")),
        (change(solution(2000), solution(10000, "morphine"), 400, 1000), Fraction(1, 2), 200, Fraction("79.2")),
    ],
)
def test_without_a_bridge(one: SolutionChange, factor: Fraction, daily: int, hours: Fraction) -> None:
    """Hazards, F-04, and by hand."""
    found = outlook(one, Path.filled(PATH_ML, one.old.fluid), at=AT)
    assert found is not None
    assert (found.factor, found.mcg_per_day, found.hours) == (factor, daily, hours)
    assert found.without[0].mcg_per_day(one.old.dosed) == daily and found.without[0].end_min == hours * 60


@pytest.mark.parametrize("one", [STRONGER, WEAKER, change(solution(1000), solution(2000), 300, 390)])
def test_with_a_bridge_old_and_new_dose_follow_each_other(one: SolutionChange) -> None:
    found = outlook(one, Path.filled(PATH_ML, one.old.fluid), at=AT)
    assert found is not None and found.with_bridge is not None and found.bridge is not None
    end = Fraction(found.bridge.duration_min)
    during = given_mcg(found.with_bridge, "baclofen", Fraction(0), end) / end * 1440
    after = given_mcg(found.with_bridge, "baclofen", end, Fraction(found.minutes)) / (found.minutes - end) * 1440
    assert abs(during / one.old_dose.in_mcg_per_day - 1) < Fraction(1, 100)
    assert after == one.new_dose.in_mcg_per_day
    assert found.ends_at == AT + timedelta(minutes=found.bridge.duration_min)
    assert found.minutes > max(end, (found.hours or 0) * 60)


def test_the_real_concentration_is_what_arrives_after_the_bridge() -> None:
    plan = planned(STRONGER, injected=Volume.ml(20), rinse=Rinse(Volume.zero()))
    assert plan.real_error is not None and round(plan.real_error * 1000) == -49
    assert plan.outlook is not None and plan.outlook.with_bridge is not None
    assert plan.outlook.with_bridge[-1].mcg_per_day("baclofen") == 400 * (1 + plan.real_error)


def test_a_new_dose_of_zero_pushes_nothing() -> None:
    one = change(solution(500), solution(2000), 400, 0)
    found = outlook(one, Path.filled(PATH_ML, one.old.fluid), at=AT)
    assert found is not None and (found.factor, found.hours, found.bridge) == (0, None, None)
    assert said(planned(one), no(one))["no-bridge-for-ever"].severity is Severity.TASK


# -- decision -------------------------------------------------------------------------------------------------


def test_without_a_decision_nothing_goes_on() -> None:
    assert said(planned(STRONGER), None)["no-decision"].severity is Severity.BLOCK
    assert said(planned(STRONGER), yes(WEAKER))["no-decision"].severity is Severity.BLOCK
    assert "no-decision" not in said(planned(STRONGER), yes(STRONGER))
    assert (
        change_findings(planned(change(solution(500), solution(500))), PUMP, CATALOGUE, decision=None, role=Role.NURSE)
        == ()
    )


@pytest.mark.parametrize(
    ("role", "reason", "blocking"),
    [
        (Role.PHYSICIAN, "0123456789", set()),
        (Role.PHYSICIAN, "012345678 ", {"no-bridge-reason"}),
        (Role.PHYSICIAN, "aaaaaaaaaaaa", {"no-bridge-reason"}),
        (Role.NURSE, "0123456789", {"no-bridge-not-physician"}),
        (Role.NURSE, "", {"no-bridge-not-physician", "no-bridge-reason"}),
    ],
)
def test_only_a_physician_with_a_reason_leaves_out_the_bridge(role: Role, reason: str, blocking: set[str]) -> None:
    plan = planned(WEAKER, rinse=Rinse(Volume.ml(5)))
    found = said(plan, no(WEAKER, reason), role)
    assert {name for name, finding in found.items() if finding.severity is Severity.BLOCK} == blocking
    assert found["no-bridge"].values == {"mcg_per_day": "1600", "drug": "baclofen", "factor": "4", "hours": "9.9"}


# -- what else the rules say ----------------------------------------------------------------------------------


def test_a_catheter_of_unknown_length_gives_both_ends() -> None:
    """0.140 + 60 x 0.0022 = 0.272 mL and 0.382 mL at 0.8 mL/day."""
    segments = [Segment(CATALOGUE.catheter("8709SC"), None)]
    plan = plan_change(STRONGER, PUMP, CATALOGUE, path=None, at=AT, segments=segments)
    assert plan.ranged is not None and plan.outlook is None
    assert (plan.ranged.shortest_min, plan.ranged.longest_min) == (490, 688)
    found = change_findings(plan, PUMP, CATALOGUE, decision=yes(STRONGER), role=Role.PHYSICIAN, segments=segments)
    by_reason = {finding.reason: finding for finding in found}
    assert by_reason["catheter-range"].severity is Severity.CONFIRM
    assert "8 h 10 min" in sentence(by_reason["catheter-range"]).replace("\u00a0", " ")
    assert by_reason["bridge-needs-path"].severity is Severity.BLOCK
    without = change_findings(plan, PUMP, CATALOGUE, decision=no(STRONGER), role=Role.PHYSICIAN, segments=segments)
    assert "bridge-needs-path" not in {finding.reason for finding in without}


@pytest.mark.parametrize(("path", "long"), [("1.4", False), ("1.4001", True)])
def test_a_bridge_longer_than_a_week(path: str, long: bool) -> None:
    """At 0.2 mL/day 1.4 mL take just seven days."""
    one = change(solution(500), solution(1000), 100)
    found = said(planned(one, Path.filled(Fraction(path), one.old.fluid)), yes(one))
    assert ("long-bridge" in found) is long


@pytest.mark.parametrize(("dose", "reason"), [(24, ""), (23, "bridge-below-minimum")])
def test_the_bridge_keeps_to_the_pumps_flows(dose: int, reason: str) -> None:
    """0.048 mL/day of 500 mcg/mL are 24 mcg."""
    one = change(solution(500), solution(1000), dose, 200)
    found = said(planned(one), yes(one))
    assert ("bridge-below-minimum" in found) is bool(reason)
    assert "bridge-below-minimum" not in said(planned(one), no(one))


@pytest.mark.parametrize(("path", "short"), [("0.4949", False), ("0.494901", True), ("0.51", False)])
def test_a_bridge_too_short_for_whole_minutes(path: str, short: bool) -> None:
    """At 14.4 mL/day 0.4949 mL take 49.49 min; in 49 min they come just 1 % too fast."""
    one = change(solution(500), solution(1000), 7200, 1000)
    found = said(planned(one, Path.filled(Fraction(path), one.old.fluid)), yes(one))
    assert ("short-bridge" in found) is short


@pytest.mark.parametrize(
    ("rinse", "injected", "reason", "severity"),
    [
        (None, 20, "rinse-unanswered", Severity.BLOCK),
        (0, 20, "not-rinsed-real", Severity.CONFIRM),
        (0, None, "not-rinsed", Severity.CONFIRM),
        (5, 20, "diluted", Severity.NOTE),
    ],
)
def test_the_rinse_is_answered(rinse: int | None, injected: int | None, reason: str, severity: Severity) -> None:
    plan = planned(
        STRONGER,
        injected=Volume.ml(injected) if injected is not None else None,
        rinse=Rinse(Volume.ml(rinse)) if rinse is not None else None,
    )
    found = said(plan, yes(STRONGER))
    assert found[reason].severity is severity
    names = {"rinse-unanswered", "not-rinsed-real", "not-rinsed", "diluted"}
    assert names & set(found) == {reason}


def test_dose_and_concentration_at_once() -> None:
    assert "dose-too" in said(planned(change(solution(500), solution(2000), 400, 401)), None)
    assert "dose-too" not in said(planned(STRONGER), None)


@pytest.mark.parametrize(("clonidine", "flagged"), [(200, False), (199, True)])
def test_a_mixture_keeps_its_ratios(clonidine: int, flagged: bool) -> None:
    """50 to 500 is a tenth; so is 200 to 2000."""
    one = change(solution(500, MIXED, clonidine=50), solution(2000, MIXED, clonidine=clonidine))
    found = said(planned(one), yes(one))
    assert ("ratio-changes" in found) is flagged
    assert "mixture" in found and "parts-unknown" not in found
    guess = change(solution(500, MIXED), solution(2000, MIXED))
    assert "parts-unknown" in said(planned(guess), yes(guess))


def test_a_bridge_keeps_every_part_of_a_mixture() -> None:
    one = change(solution(500, MIXED, clonidine=50), solution(2000, MIXED, clonidine=200))
    found = planned(one).outlook
    assert found is not None and found.with_bridge is not None
    for drug, daily in (("baclofen", 400), ("clonidine", 40)):
        assert all(abs(step.mcg_per_day(drug) / daily - 1) < Fraction(1, 100) for step in found.with_bridge)


def test_the_old_solution_is_that_of_the_last_fill() -> None:
    assert old_solution_findings(solution(500), solution(500)) == old_solution_findings(solution(500), None) == ()
    (found,) = old_solution_findings(solution(500), solution(2000))
    assert found.severity is Severity.BLOCK and "2000 mcg/mL" in sentence(found)
    assert old_solution_findings(solution(500), solution(500, "morphine"))


# -- while the bridge runs ------------------------------------------------------------------------------------

SETTINGS = PumpSettings(
    "baclofen", Concentration.mcg_per_ml(2000), Program(SimpleContinuous(DoseRate.mcg_per_day(400))), Volume.ml(2),
    bridge=OneTimeBolus(OneTimeKind.BRIDGE, Volume.ml(Fraction("0.33")), 600),
)  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "left_min"), [(0, 600), (1, 600), (60, 599), (61, 599), (35_999, 1), (36_000, None), (-1, None)]
)
def test_the_note_stands_until_the_bridge_has_ended(seconds: int, left_min: int | None) -> None:
    now = AT + timedelta(seconds=seconds)
    found = bridge_note(SETTINGS, AT, now)
    assert (found.left_min if found else None) == left_min
    if found:
        assert found == BridgeNote(
            AT + timedelta(hours=10), found.left_min, Fraction("0.33") * (36_000 - seconds) / 36_000
        )
    assert second_change_findings(bridge_until=found.until if found else None, at=now) == (
        () if found is None else second_change_findings(bridge_until=AT + timedelta(hours=10), at=now)
    )


def test_a_program_without_a_bridge_has_no_note() -> None:
    assert (
        bridge_note(PumpSettings(SETTINGS.drug, SETTINGS.concentration, SETTINGS.program, Volume.ml(2)), AT, AT) is None
    )


def test_a_second_change_is_told_before_the_needle() -> None:
    assert [found.reason for found in second_change_findings(bridge_until=AT, at=AT - timedelta(seconds=1))] == [
        "bridge-runs"
    ]
    assert second_change_findings(bridge_until=AT, at=AT) == () == second_change_findings(bridge_until=None, at=AT)


# -- priming --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "full", "extent"),
    [
        (PrimeReason.IMPLANT, False, PrimeExtent.FULL),
        (PrimeReason.IMPLANT, True, PrimeExtent.CATHETER),
        (PrimeReason.REVISION, False, PrimeExtent.CATHETER),
        (PrimeReason.ASPIRATED, False, PrimeExtent.CATHETER),
        (PrimeReason.OTHER, False, None),
        (None, False, None),
    ],
)
def test_what_is_primed_follows_from_what_happened(
    event: PrimeReason | None, full: bool, extent: PrimeExtent | None
) -> None:
    assert prime_extent(event, tubing_is_full=full) is extent


@pytest.mark.parametrize(
    ("event", "extent", "volume", "reasons"),
    [
        (None, PrimeExtent.FULL, "0.33", {"no-reason"}),
        (PrimeReason.OTHER, PrimeExtent.FULL, "0.33", {"no-reason"}),
        (PrimeReason.IMPLANT, PrimeExtent.FULL, "0.33", {"watch"}),
        (PrimeReason.IMPLANT, PrimeExtent.FULL, "0.331", {"watch", "more-than-path"}),
        (PrimeReason.ASPIRATED, PrimeExtent.FULL, "0.33", {"watch", "tubing-is-full"}),
        (PrimeReason.ASPIRATED, PrimeExtent.CATHETER, "0.19", {"watch"}),
    ],
)
def test_priming_is_never_part_of_a_plain_refill(
    event: PrimeReason | None, extent: PrimeExtent, volume: str, reasons: set[str]
) -> None:
    found = priming_findings(CATALOGUE, event=event, extent=extent, volume_ml=Fraction(volume), path_ml=PATH_ML)
    assert {finding.reason for finding in found} == reasons
    assert all(sentence(finding) for finding in found)
