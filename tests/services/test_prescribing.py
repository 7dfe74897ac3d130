"""Signing makes an order: who may, what of, how far a nurse may go with it, and what ends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from app.models.course import NoCourseError
from app.models.findings import Finding, Severity
from app.models.patient import Origin, Role, User
from app.models.ports import NotOnRecordError
from app.models.program import (
    Bolus,
    ConstantFlow,
    DayPlan,
    Delivery,
    Flex,
    PatientActivated,
    PeriodicBolus,
    Program,
    SimpleContinuous,
    Step,
    Weekday,
)
from app.models.pump import NotRepresentableError, Outcome, PumpSettings
from app.models.quantities import Concentration, DoseRate, Mass, Volume
from app.models.refill_visit import DrugCheck
from app.models.rule_texts import sentence
from app.models.signed_order import (
    AlreadySignedError,
    AlreadyWithdrawnError,
    InvalidOrderError,
    OrderChangedError,
    SignedOrder,
    within_order,
)
from app.models.titration import Setting
from app.services.clock import Clock
from app.services.plan_rules import plan_findings
from app.services.plan_text import printed_plan
from app.services.prescribing import DecodedDiffersError, NotAPhysicianError, Prescribing, VersionState
from app.services.reasons import BlockedError, ReasonMissingError
from app.services.therapy import therapy_of
from app.services.visit_rules import Label
from tests.services.bench import NOW, Bench

UNTIL = date(2027, 1, 31)
TODAY = date(2026, 11, 20)
BOTH_WAYS = {("TIT-06", "decrease"): "As agreed with the patient", ("U-09", "ratio"): "As agreed with the patient"}


def simple(mcg: str) -> Program:
    return Program(SimpleContinuous(DoseRate.mcg_per_day(Fraction(mcg))))


class Desk:
    """A clinic in which the patient gets 300 mcg/day of baclofen 1000 mcg/mL, with the low alarm at 2 mL."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder)
        self.prescribing: Prescribing = self.bench.station.prescribing
        self.implant = self.bench.station.desk.implant(self.bench.patient)
        self.physician, self.nurse = self.bench.physician, self.bench.nurse
        settings = self.prescribing.therapy(self.implant).settings
        assert settings is not None
        self.running: PumpSettings = settings

    def plan(self, program: Program, **changes: object) -> PumpSettings:
        return replace(self.running, program=program, **changes)  # type: ignore[arg-type]

    def order(
        self, settings: PumpSettings, *, percent: int = 0, name: str = "Plan A", until: date = UNTIL
    ) -> SignedOrder:
        draft = self.prescribing.save_draft(self.implant, name, settings, self.physician)
        return self.prescribing.sign(
            self.implant, draft, self.physician, range_percent=Fraction(percent), valid_until=until, reasons=BOTH_WAYS
        )

    def on_day(self, days: int) -> Prescribing:
        """The same clinic some days later."""
        later = Clock(lambda: NOW + timedelta(days=days), timedelta(hours=1))
        return replace(self.prescribing, clock=later)

    def nurse_findings(self, settings: PumpSettings) -> list[Finding]:
        """What U-06 says to a nurse who would program ``settings`` at a refill that is under way."""
        desk = self.bench.station.desk
        visit = next(iter(self.bench.station.store.open_visits()), None) or self.bench.until_proposed()
        return [found for found in desk.rules.judge_settings(visit, settings, self.nurse) if found.rule == "U-06"]

    def bend(self, statement: str, table: str = "signed_orders") -> None:
        """Change a row behind the store's back."""
        with self.bench.station.store.engine.begin() as connection:  # type: ignore[attr-defined]
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_refuses_update")
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql(statement)


@pytest.fixture
def desk(tmp_path: Path):
    made = Desk(tmp_path)
    yield made
    made.bench.station.store.close()


def said(findings: list[Finding]) -> list[tuple[Severity, str]]:
    return [(found.severity, found.reason) for found in findings]


# -- signing -----------------------------------------------------------------------------------------------------------


def test_signing_makes_an_order_of_what_would_be_sent(desk: Desk) -> None:
    order = desk.order(desk.plan(simple("330")), percent=10)
    assert (order.drug, order.concentration) == ("baclofen", Concentration.mcg_per_ml(1000))
    assert (order.program, order.low_alarm) == (simple("330"), Volume.ml(2))
    assert (order.settings.reservoir, order.settings.bridge) == (None, None)
    assert (order.range_percent, order.valid_until) == (10, UNTIL)
    assert (order.signed_by, order.signed_at) == (desk.physician.id, NOW)
    assert len(order.digest) == 64
    assert desk.prescribing.current_order(desk.implant.id, TODAY) == order
    trail = desk.bench.station.store.audit_head()
    assert trail != "0" * 64


def test_what_is_reviewed_is_decoded_from_the_very_bytes_that_the_pump_would_get(desk: Desk) -> None:
    settings = desk.plan(simple("330"))
    reviewed = desk.prescribing.review(desk.implant, settings)
    assert reviewed.settings == replace(settings, reservoir=None, bridge=None)
    assert reviewed.wire_digest == desk.bench.port().digest_of(reviewed.settings)
    assert "330\u00a0mcg/day" in reviewed.sentence


def test_bytes_that_say_something_else_are_not_signed(desk: Desk) -> None:
    other = replace(desk.prescribing, canonical=lambda plan: (replace(plan, program=simple("3300")), "00" * 32))
    with pytest.raises(DecodedDiffersError):
        other.review(desk.implant, desk.plan(simple("330")))


def test_what_the_pump_cannot_be_told_is_not_signed(desk: Desk) -> None:
    with pytest.raises(NotRepresentableError):
        desk.prescribing.review(desk.implant, desk.plan(Program(SimpleContinuous(DoseRate(10**12)))))
    with pytest.raises(NotRepresentableError):
        desk.order(desk.plan(Program(ConstantFlow())))
    assert desk.prescribing.orders(desk.implant.id) == ()


def test_only_a_physician_on_record_signs(desk: Desk) -> None:
    draft = desk.prescribing.save_draft(desk.implant, "Plan A", desk.plan(simple("330")), desk.nurse)
    impostors = (
        desk.nurse,
        replace(desk.nurse, role=Role.PHYSICIAN),
        User("user-nobody", "Dr Nobody", Role.PHYSICIAN),
    )
    for user in impostors:
        with pytest.raises(NotAPhysicianError):
            desk.prescribing.sign(desk.implant, draft, user, range_percent=Fraction(0), valid_until=UNTIL)
    assert desk.prescribing.orders(desk.implant.id) == ()


def test_a_block_refuses_a_signature(desk: Desk) -> None:
    # 2000.1 mcg a day is above the limit of 2000 mcg.
    with pytest.raises(BlockedError) as blocked:
        desk.order(desk.plan(simple("2000.1")))
    assert "U-02" in blocked.value.values["rules"]


def test_each_question_needs_its_own_reason(desk: Desk) -> None:
    # 150 mcg is half of 300 mcg: more than 20 % down (TIT-06) and less than 0.6 times (U-09).
    draft = desk.prescribing.save_draft(desk.implant, "Half", desk.plan(simple("150")), desk.physician)

    def sign(reasons: dict[tuple[str, str], str]) -> SignedOrder:
        return desk.prescribing.sign(
            desk.implant, draft, desk.physician, range_percent=Fraction(0), valid_until=UNTIL, reasons=reasons
        )

    missing = [{}, {("U-09", "ratio"): "Overdose"}, {**BOTH_WAYS, ("U-09", "ratio"): "  "}]
    for reasons in missing:
        with pytest.raises(ReasonMissingError):
            sign(reasons)
    order = sign({**BOTH_WAYS, ("U-09", "ratio"): "Signs of overdose since Monday"})
    answers = {found.rule: found.answer for found in order.findings}
    assert answers == {"TIT-06": "As agreed with the patient", "U-09": "Signs of overdose since Monday"}
    assert desk.prescribing.last_order(desk.implant.id) == order


@pytest.mark.parametrize("percent", [Fraction(-1), Fraction(1, 2), Fraction(100)])
def test_a_range_is_a_whole_percentage_below_a_hundred(desk: Desk, percent: Fraction) -> None:
    draft = desk.prescribing.save_draft(desk.implant, "Plan A", desk.plan(simple("330")), desk.physician)
    with pytest.raises(InvalidOrderError):
        desk.prescribing.sign(desk.implant, draft, desk.physician, range_percent=percent, valid_until=UNTIL)


def test_an_order_cannot_have_expired_before_it_is_signed(desk: Desk) -> None:
    with pytest.raises(InvalidOrderError):
        desk.order(desk.plan(simple("330")), until=date(2026, 11, 19))
    assert desk.order(desk.plan(simple("330")), until=TODAY).valid_until == TODAY


def test_a_draft_is_signed_once_and_only_as_it_was_saved(desk: Desk) -> None:
    order = desk.order(desk.plan(simple("330")))
    draft = desk.prescribing.drafts(desk.implant)[0]
    with pytest.raises(AlreadySignedError):
        desk.prescribing.sign(desk.implant, draft, desk.physician, range_percent=Fraction(5), valid_until=UNTIL)
    other = replace(draft, settings=replace(draft.settings, program=simple("331")))
    with pytest.raises(NotOnRecordError):
        desk.prescribing.sign(desk.implant, other, desk.physician, range_percent=Fraction(5), valid_until=UNTIL)
    assert desk.prescribing.orders(desk.implant.id) == (order,)


def test_the_same_order_is_not_signed_twice_but_may_be_renewed(desk: Desk) -> None:
    first = desk.order(desk.plan(simple("330")), percent=10)
    with pytest.raises(AlreadySignedError):
        desk.order(desk.plan(simple("330")), percent=10)
    renewed = desk.order(desk.plan(simple("330")), percent=10, until=UNTIL + timedelta(days=90))
    assert renewed.draft_id != first.draft_id
    assert desk.prescribing.orders(desk.implant.id) == (first, renewed)


@pytest.mark.parametrize(
    ("born_on", "origin", "asked"),
    [
        # The label's limits at a refill: 40 % for spinal, 20 % for cerebral spasticity and for children.
        (date(1957, 5, 3), Origin.SPINAL, False),
        (date(1957, 5, 3), Origin.CEREBRAL, True),
        (date(2008, 11, 21), Origin.SPINAL, True),
        (date(2008, 11, 20), Origin.SPINAL, False),
        (date(1957, 5, 3), None, False),
    ],
)
def test_a_step_is_judged_by_age_and_origin(desk: Desk, born_on: date, origin: Origin | None, asked: bool) -> None:
    therapy = desk.prescribing.therapy(desk.implant)
    therapy = replace(therapy, patient=replace(therapy.patient, born_on=born_on, origin=origin))
    catalogue = desk.bench.station.catalogue
    # 300 to 375 mcg: 25 %.
    findings = plan_findings(therapy, desk.plan(simple("375")), catalogue, setting=Setting.REFILL)
    assert (("TIT-06", "increase") in [(found.rule, found.reason) for found in findings]) is asked


@pytest.mark.parametrize(("hours", "too_soon"), [(23, True), (24, False)])
def test_a_titration_waits_a_day_after_the_last_change_and_not_after_a_refill_that_kept_the_program(
    desk: Desk, hours: int, too_soon: bool
) -> None:
    record = desk.bench.station.store.therapy(desk.implant.patient_id)
    now = desk.prescribing.clock.pump()
    last = record.programs[-1]
    changed = replace(
        last, id="c" * 32, settings=desk.plan(simple("310")), effective_at=now - timedelta(hours=hours)
    )
    refilled = replace(changed, id="d" * 32, effective_at=now - timedelta(hours=1))
    for programs, expected in (((*record.programs, changed, refilled), too_soon), (tuple(record.programs), False)):
        therapy = therapy_of(replace(record, programs=programs), desk.prescribing.catalogue, at=now)
        found = plan_findings(
            therapy, desk.plan(simple("320")), desk.prescribing.catalogue, setting=Setting.TITRATION
        )
        assert (("TIT-05", "too-soon") in {(one.rule, one.reason) for one in found}) is expected


def test_another_patients_pump_is_refused(desk: Desk) -> None:
    draft = desk.prescribing.save_draft(desk.implant, "Plan A", desk.plan(simple("330")), desk.physician)
    stranger = replace(desk.implant, patient_id="patient-kawano-a")
    with pytest.raises(NotOnRecordError):
        desk.prescribing.sign(stranger, draft, desk.physician, range_percent=Fraction(0), valid_until=UNTIL)


# -- what counts -------------------------------------------------------------------------------------------------------


def test_an_order_counts_to_the_end_of_its_last_day(desk: Desk) -> None:
    order = desk.order(desk.plan(simple("330")))
    assert desk.prescribing.current_order(desk.implant.id, UNTIL) == order
    assert desk.prescribing.current_order(desk.implant.id, UNTIL + timedelta(days=1)) is None


def test_an_order_that_was_replaced_never_comes_back(desk: Desk) -> None:
    desk.order(desk.plan(simple("330")), name="First")
    second = desk.order(desk.plan(simple("310")), name="Second", until=TODAY)
    assert desk.prescribing.current_order(desk.implant.id, TODAY) == second
    assert desk.prescribing.current_order(desk.implant.id, TODAY + timedelta(days=1)) is None, "the first is replaced"
    desk.prescribing.withdraw(second, desk.physician)
    assert desk.prescribing.current_order(desk.implant.id, TODAY) is None


def test_an_order_is_withdrawn_once_and_by_a_physician(desk: Desk) -> None:
    order = desk.order(desk.plan(simple("330")))
    with pytest.raises(NotAPhysicianError):
        desk.prescribing.withdraw(order, desk.nurse)
    desk.prescribing.withdraw(order, desk.physician)
    with pytest.raises(AlreadyWithdrawnError):
        desk.prescribing.withdraw(order, desk.physician)
    withdrawn = desk.prescribing.last_order(desk.implant.id)
    assert withdrawn is not None
    assert (withdrawn.withdrawn_at, withdrawn.withdrawn_by) == (NOW, desk.physician.id)
    assert withdrawn.digest == order.digest


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE signed_orders SET range_percent = 90",
        "UPDATE signed_orders SET valid_until = '2036-01-01'",
        "UPDATE signed_orders SET signed_by = 'user-nurse-1'",
        "UPDATE signed_orders SET signed_at = '2026-11-20T09:00:00.000001Z'",
        "UPDATE signed_orders SET name = 'Plan B'",
        "UPDATE signed_orders SET digest = 'f' || substr(digest, 2) WHERE digest NOT LIKE 'f%'",
        "UPDATE signed_orders SET valid_until = 'whenever'",
        "UPDATE signed_findings SET answer = 'Nobody asked'",
        "DELETE FROM signed_findings",
        "UPDATE settings SET daily_dose = daily_dose * 2 WHERE daily_dose = 150000000000",
        "UPDATE settings SET low_alarm = low_alarm + 1 WHERE daily_dose = 150000000000",
    ],
)
def test_an_order_changed_in_the_database_is_found_out_and_blocks(desk: Desk, statement: str) -> None:
    order = desk.order(desk.plan(simple("150")))
    desk.bend("DROP TRIGGER signed_findings_refuses_delete")
    desk.bend(statement, "signed_findings" if "findings" in statement else "signed_orders")
    if "digest =" in statement and order.digest.startswith("f"):
        return
    with pytest.raises(OrderChangedError):
        desk.prescribing.current_order(desk.implant.id, TODAY)
    with pytest.raises(OrderChangedError):
        desk.prescribing.orders(desk.implant.id)
    with pytest.raises(OrderChangedError):
        printed_plan(desk.prescribing, desk.implant, order.id)
    assert said(desk.nurse_findings(desk.plan(simple("150")))) == [(Severity.BLOCK, "order-changed")]
    if "whenever" not in statement:
        states = {version.id: version.state for version in desk.prescribing.versions(desk.implant)}
        assert states[order.id] is VersionState.CHANGED
        again = desk.order(desk.plan(simple("310")), name="Signed anew")
        assert desk.prescribing.current_order(desk.implant.id, TODAY) == again, "a physician ends the trouble"


# -- what a nurse may program ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mcg", "reasons"),
    [("297", []), ("363", []), ("330", []), ("296.999", ["outside-range"]), ("363.001", ["outside-range"])],
)
def test_a_nurse_goes_as_far_as_the_range_and_not_a_nanogram_further(desk: Desk, mcg: str, reasons: list[str]) -> None:
    desk.order(desk.plan(simple("330")), percent=10)
    found = desk.nurse_findings(desk.plan(simple(mcg)))
    assert said(found) == [(Severity.BLOCK, reason) for reason in reasons]
    for one in found:
        assert "297 to 363 mcg" in sentence(one)


def test_without_a_range_only_exactly_the_order_passes(desk: Desk) -> None:
    desk.order(desk.plan(simple("330")))
    assert desk.nurse_findings(desk.plan(simple("330"))) == []
    assert said(desk.nurse_findings(desk.plan(simple("330.001")))) == [(Severity.BLOCK, "outside-range")]


def test_without_an_order_only_the_unchanged_program_passes(desk: Desk) -> None:
    assert desk.nurse_findings(desk.running) == []
    assert said(desk.nurse_findings(desk.plan(simple("300.001")))) == [(Severity.BLOCK, "program-not-ordered")]


def test_a_nurse_who_keeps_the_old_program_under_a_new_order_is_asked_why(desk: Desk) -> None:
    desk.order(desk.plan(simple("330")))
    assert said(desk.nurse_findings(desk.running)) == [(Severity.CONFIRM, "order-not-followed")]


def test_an_order_that_expired_or_was_withdrawn_lets_nothing_new_pass(desk: Desk) -> None:
    order = desk.order(desk.plan(simple("330")), until=TODAY)
    wanted = desk.plan(simple("330"))
    assert [one.reason for one in within_order(order, wanted, TODAY + timedelta(days=1))] == ["order-expired"]
    desk.prescribing.withdraw(order, desk.physician)
    assert said(desk.nurse_findings(wanted)) == [(Severity.BLOCK, "order-withdrawn")]
    assert desk.nurse_findings(desk.running) == []


def test_a_physician_may_go_on_outside_the_order(desk: Desk) -> None:
    desk.order(desk.plan(simple("330")))
    visit = desk.bench.until_proposed()
    findings = desk.bench.station.desk.rules.judge_settings(visit, desk.plan(simple("250")), desk.physician)
    assert [found for found in findings if found.rule == "U-06"] == []


def test_what_a_nurse_proposes_within_the_order_is_programmed(desk: Desk) -> None:
    order = desk.order(desk.plan(simple("330")), percent=10)
    station, nurse = desk.bench.station, desk.nurse
    visit = station.desk.correct(desk.bench.until_proposed(), nurse)
    with pytest.raises(BlockedError):
        station.desk.propose(
            visit, station.desk.rules.settings_for(visit, program=simple("370"), low_alarm=Volume.ml(2)), nurse
        )
    wanted = station.desk.rules.settings_for(visit, program=simple("340"), low_alarm=Volume.ml(2))
    visit = station.desk.propose(visit, wanted, nurse)
    model, port = station.desk.model_of(visit), desk.bench.port()
    staged = station.programming.stage(visit, model, port, serial=desk.implant.serial, user_id=nurse.id)
    assert station.programming.send(staged, model, port, user_id=nurse.id).outcome is Outcome.VERIFIED
    running = desk.prescribing.versions(desk.implant)[-1]
    assert (running.state, running.name, running.order) == (VersionState.IN_PUMP, "Plan A", order)
    assert running.in_pump_since == datetime(2026, 11, 20, 10)


@pytest.mark.parametrize("staged_before", [False, True])
def test_an_order_that_ends_while_the_nurse_compares_sends_nothing(desk: Desk, staged_before: bool) -> None:
    order = desk.order(desk.plan(simple("330")))
    station, nurse = desk.bench.station, desk.nurse
    visit = station.desk.correct(desk.bench.until_proposed(), nurse)
    wanted = station.desk.rules.settings_for(visit, program=simple("330"), low_alarm=Volume.ml(2))
    visit = station.desk.propose(visit, wanted, nurse)
    model, port = station.desk.model_of(visit), desk.bench.port()
    staged = None
    if staged_before:
        staged = station.programming.stage(visit, model, port, serial=desk.implant.serial, user_id=nurse.id)
    desk.prescribing.withdraw(order, desk.physician)
    before = desk.bench.pump.memory.slot
    with pytest.raises(BlockedError) as refused:
        if staged is None:
            station.programming.stage(visit, model, port, serial=desk.implant.serial, user_id=nurse.id)
        else:
            station.programming.send(staged, model, port, user_id=nurse.id)
    assert refused.value.values == {"rules": "U-06"}
    assert desk.bench.pump.memory.slot == before and not desk.bench.pump.memory.applied


def test_a_nurse_fills_another_solution_only_if_it_is_ordered(desk: Desk) -> None:
    stronger = Concentration.mcg_per_ml(2000)
    with pytest.raises(BlockedError):
        desk.bench.until_proposed(concentration=2000, user=desk.nurse)
    desk.order(desk.plan(simple("300"), concentration=stronger))
    visit = desk.bench.station.store.open_visits()[0]
    check = DrugCheck("baclofen", stronger, "L1", date(2028, 1, 1), "Paul Okafor")
    findings = desk.bench.station.desk.rules.judge_drug(visit, Label(check, read_twice=True), desk.nurse)
    assert [(found.severity, found.rule) for found in findings] == [(Severity.NOTE, "CON-01"), (Severity.NOTE, "U-04")]
    assert said(desk.nurse_findings(desk.plan(simple("300"), concentration=stronger))) == []
    weaker = Concentration.mcg_per_ml(500)
    assert said(desk.nurse_findings(desk.plan(simple("300"), concentration=weaker))) == [
        (Severity.BLOCK, "other-solution")
    ]


_ORDERED = Flex(
    (
        DayPlan(
            tuple(Weekday),
            DoseRate.mcg_per_day(200),
            (Bolus(at=360, dose=Mass.mcg(50), duration_min=5), Bolus(at=1200, dose=Mass.mcg(30), duration_min=5)),
            (Step(at=600, duration_min=60, dose=Mass.mcg(20)),),
        ),
    )
)
_PLAN = _ORDERED.plans[0]


def _flex(**changes: object) -> Flex:
    return Flex((replace(_PLAN, **changes),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("delivery", "reasons"),
    [
        (_ORDERED, []),
        (_flex(boluses=_PLAN.boluses[::-1]), []),
        (Flex((replace(_PLAN, days=tuple(Weekday)[:3]), replace(_PLAN, days=tuple(Weekday)[3:]))), []),
        (_flex(basal=DoseRate.mcg_per_day(180)), []),
        (_flex(basal=DoseRate.mcg_per_day(221)), ["outside-range"]),
        # 200 + 50 + 30 + 20 mcg stay in total 300 mcg, but one bolus grows by 20 %.
        (
            _flex(boluses=(replace(_PLAN.boluses[0], dose=Mass.mcg(60)), replace(_PLAN.boluses[1], dose=Mass.mcg(20)))),
            ["outside-range", "outside-range"],
        ),
        (_flex(steps=(replace(_PLAN.steps[0], dose=Mass.mcg(23)),)), ["outside-range"]),
        (_flex(boluses=(replace(_PLAN.boluses[0], at=361), _PLAN.boluses[1])), ["other-schedule"]),
        (_flex(boluses=(replace(_PLAN.boluses[0], duration_min=6), _PLAN.boluses[1])), ["other-schedule"]),
        (_flex(boluses=_PLAN.boluses[:1]), ["other-schedule"]),
        (SimpleContinuous(DoseRate.mcg_per_day(300)), ["other-schedule"]),
    ],
)
def test_a_schedule_keeps_its_times_and_each_dose_its_range(desk: Desk, delivery: Delivery, reasons: list[str]) -> None:
    order = desk.order(desk.plan(Program(_ORDERED)), percent=10)
    found = within_order(order, desk.plan(Program(delivery)), TODAY)
    assert [one.reason for one in found] == reasons
    assert all(sentence(one) for one in found)


def test_a_periodic_bolus_keeps_its_rhythm_and_a_patients_bolus_everything(desk: Desk) -> None:
    periodic = PeriodicBolus(
        basal=DoseRate.mcg_per_day(100), dose=Mass.mcg(50), duration_min=5, every_min=360, first_at=60
    )
    called = PatientActivated(Mass.mcg(10), 5, 240, 4)
    order = desk.order(desk.plan(Program(periodic, called)), percent=20)

    def reasons(program: Program) -> list[str]:
        return [one.reason for one in within_order(order, desk.plan(program), TODAY)]

    assert reasons(Program(replace(periodic, dose=Mass.mcg(60)), called)) == []
    assert reasons(Program(replace(periodic, dose=Mass.mcg(61)), called)) == ["outside-range"]
    assert reasons(Program(replace(periodic, first_at=61), called)) == ["other-schedule"]
    assert reasons(Program(periodic, replace(called, dose=Mass.mcg(11)))) == ["other-schedule"]
    assert reasons(Program(periodic)) == ["other-schedule"]
    assert [one.reason for one in within_order(order, replace(order.settings, low_alarm=Volume.ml(1)), TODAY)] == [
        "other-low-alarm"
    ]


# -- the history -------------------------------------------------------------------------------------------------------


def test_every_save_that_changes_something_is_a_version_of_its_own(desk: Desk) -> None:
    save, pump = desk.prescribing.save_draft, desk.implant
    first = save(pump, "Plan A", desk.plan(simple("310")), desk.nurse)
    assert save(pump, " Plan A ", desk.plan(simple("310")), desk.physician) == first
    second = save(pump, "Plan A", desk.plan(simple("320")), desk.physician)
    other = save(pump, "Plan B", desk.plan(simple("330")), desk.physician)
    assert desk.prescribing.drafts(pump) == (other, second)
    versions = [version.id for version in desk.prescribing.versions(pump) if version.state is VersionState.DRAFT]
    assert versions == [first.id, second.id, other.id]
    with pytest.raises(InvalidOrderError):
        save(pump, "  ", desk.plan(simple("310")), desk.nurse)


def test_drafts_orders_and_what_is_in_the_pump_are_told_apart(desk: Desk) -> None:
    desk.order(desk.plan(simple("310")), name="First")
    second = desk.order(desk.plan(simple("320")), name="Second")
    third = desk.order(desk.plan(simple("330")), name="Third")

    def states(prescribing: Prescribing) -> list[tuple[str, str]]:
        found = prescribing.versions(desk.implant)
        return [(version.name, version.state.value) for version in found if version.at >= NOW]

    drafts = [("First", "draft"), ("Second", "draft"), ("Third", "draft")]
    assert sorted(states(desk.prescribing)) == sorted(
        [*drafts, ("First", "superseded"), ("Second", "superseded"), ("Third", "signed")]
    )
    assert ("Third", "expired") in states(desk.on_day(100))
    desk.prescribing.withdraw(third, desk.physician)
    desk.prescribing.withdraw(second, desk.physician)
    assert ("Second", "withdrawn") in states(desk.prescribing) and ("Third", "withdrawn") in states(desk.prescribing)
    verified = [version for version in desk.prescribing.versions(desk.implant) if version.in_pump_since is not None]
    assert [version.state for version in verified][-1] is VersionState.IN_PUMP
    assert {version.state for version in verified[:-1]} <= {VersionState.WAS_IN_PUMP}


def test_the_difference_between_any_two_versions_can_be_read(desk: Desk) -> None:
    desk.order(desk.plan(simple("310")))
    versions = desk.prescribing.versions(desk.implant)
    running = next(version for version in versions if version.state is VersionState.IN_PUMP)
    signed = next(version for version in versions if version.state is VersionState.SIGNED)
    rows = {row.item: row for row in desk.prescribing.difference(desk.implant, running, signed)}
    change = rows["Daily dose"].change
    assert change is not None
    assert (change.absolute, change.unit) == (10, "mcg/day")
    assert not rows["Concentration"].changed
    flow = replace(signed, settings=replace(signed.settings, program=Program(ConstantFlow())))
    with pytest.raises(NoCourseError):
        desk.prescribing.difference(desk.implant, running, flow)


def test_moments_are_utc(desk: Desk) -> None:
    order = desk.order(desk.plan(simple("310")))
    assert order.signed_at.tzinfo is UTC
    with pytest.raises(InvalidOrderError):
        replace(order, signed_at=order.signed_at.replace(tzinfo=None))
