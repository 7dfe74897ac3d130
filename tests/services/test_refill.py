"""One refill through the services, with an emulated pump at the end of the cable."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from app.models.findings import Severity
from app.models.pump import Outcome, WrongPumpError
from app.models.quantities import Concentration, Mass, Volume
from app.models.refill_visit import DrugCheck, NeedleCheck, Step, WrongStepError
from app.models.report import RefillReport
from app.models.reservoir import Verdict
from app.services.clock import Clock
from app.services.patient_card import note_printed
from app.services.reasons import BlockedError, ReasonMissingError
from app.services.refill import IdentityDiffersError
from app.services.refill_report import NotVerifiedError, build_report
from app.services.visit_rules import Label
from app.store.audit_trail import first_broken
from tests.services.bench import PATIENT, Bench


@pytest.fixture
def bench(tmp_path: Path):
    made = Bench(tmp_path)
    yield made
    made.station.store.close()


def test_a_refill_goes_from_the_name_to_the_next_appointment(bench: Bench) -> None:
    visit = bench.until_proposed()
    # The clock stands at 10:00 on the pump's 47th day after the fill: 18 - 47 x 0.3 = 3.9 mL.
    assert visit.expected == Volume.ml(Fraction("3.9"))
    assert visit.reading is not None
    assert visit.reading.reservoir == Volume.ml(Fraction("3.9"))
    station, model = bench.station, bench.station.desk.model_of(visit)
    port = bench.port()
    staged = station.programming.stage(visit, model, port, serial="EMU-100191", user_id=bench.physician.id)
    assert bench.pump.memory.slot.revision == staged.base.revision, "the old program runs until the commit"
    visit = station.programming.send(staged, model, port, user_id=bench.physician.id)
    assert visit.outcome is Outcome.VERIFIED
    assert visit.step is Step.REPORT
    assert bench.pump.ledger().physical == 17_500 * 10**6

    fill = station.store.fills("implant-heetla-1")[-1]
    assert (fill.volume, fill.lot) == (Volume.ml(Fraction("17.5")), "L1")
    therapy = station.desk.therapy(PATIENT)
    assert therapy.dates is not None
    # 15.5 mL at 0.3 mL/day are 51 days and 16 h from 20 Nov 2026 10:00.
    assert f"{therapy.dates.low_at:%Y-%m-%dT%H:%M}" == "2027-01-11T02:00"

    report = build_report(visit, station.store, station.catalogue, station.clock)
    text = str(report).replace("\\xa0", " ")
    for figure in ("3.9 mL", "4.1 mL", "+0.2 mL", "17.5 mL", "300 mcg/day", "11 Jan 2027 02:00", "L1"):
        assert figure in text, figure

    with pytest.raises(BlockedError):
        station.desk.book(visit, date(2027, 1, 12), bench.physician)
    with pytest.raises(ReasonMissingError) as missing:
        station.desk.book(visit, date(2027, 1, 4), bench.physician)
    assert missing.value.values["rules"] == "REF-13"
    bench.print_card()
    visit = station.desk.book(visit, date(2027, 1, 4), bench.physician)
    assert visit.step is Step.CLOSED
    assert station.desk.therapy(PATIENT).appointment_on == date(2027, 1, 4)
    assert station.store.open_visits() == []
    assert first_broken(station.store.engine) is None  # type: ignore[attr-defined]


def test_a_change_of_concentration_is_bridged(bench: Bench) -> None:
    visit = bench.until_proposed(concentration=2000)
    assert visit.proposed is not None
    bridge = visit.proposed.bridge
    # 0.140 mL + (89 - 9) cm x 0.0022 mL/cm = 0.316 mL; 0.316 x 1000 / 300 d = 1516.8 min.
    assert bridge is not None
    assert (bridge.volume, bridge.duration_min) == (Volume.ml(Fraction("0.316")), 1517)


def test_a_nurse_does_not_change_the_concentration(bench: Bench) -> None:
    with pytest.raises(BlockedError) as blocked:
        bench.until_proposed(concentration=2000, user=bench.nurse)
    assert blocked.value.values["rules"] == "U-06"


def test_somebody_elses_number_is_refused(bench: Bench) -> None:
    visit = bench.station.desk.open(PATIENT, bench.nurse)
    with pytest.raises(IdentityDiffersError):
        bench.station.desk.identify(visit, number="50-0919", born_on=date(1957, 5, 3), user=bench.nurse)
    with pytest.raises(IdentityDiffersError):
        bench.station.desk.identify(visit, number="50-0918", born_on=date(1957, 5, 4), user=bench.nurse)
    assert bench.station.store.visit(visit.id).step is Step.IDENTIFY


def test_another_patients_pump_is_refused_at_the_cable(tmp_path: Path) -> None:
    bench = Bench(tmp_path, patient="patient-kawano-a")
    desk = bench.station.desk
    visit = desk.open(PATIENT, bench.nurse)
    visit = desk.identify(visit, number="50-0918", born_on=date(1957, 5, 3), user=bench.nurse)
    with pytest.raises(WrongPumpError):
        desk.interrogate(visit, bench.port(), bench.nurse)
    bench.station.store.close()


def test_a_residual_beyond_the_limit_asks_for_a_reason_and_keeps_it(bench: Bench) -> None:
    desk, user = bench.station.desk, bench.nurse
    visit = desk.open(PATIENT, user)
    visit = desk.identify(visit, number="50-0918", born_on=date(1957, 5, 3), user=user)
    visit = desk.interrogate(visit, bench.port(), user)
    aspirated = Volume.ml(Fraction("5.91"))
    residual = desk.rules.judge_aspirate(visit, aspirated)
    assert residual is not None
    assert residual.judgement.verdict is Verdict.UNDER_DELIVERY
    with pytest.raises(ReasonMissingError):
        desk.record_aspirate(visit, aspirated, user)
    for thin in ("ok", "all right", "aaaaaaaaaaaa", "-----------"):
        with pytest.raises(ReasonMissingError):
            desk.record_aspirate(visit, aspirated, user, {("REF-02", "under-delivery"): thin})
    assert bench.station.store.visit(visit.id).aspirated is None
    visit = desk.record_aspirate(visit, aspirated, user, {("REF-02", "under-delivery"): "Syringe read twice"})
    assert bench.station.store.visit(visit.id).answers[0].text == "Syringe read twice"


def test_overfilling_is_forbidden(bench: Bench) -> None:
    visit = bench.until_proposed()
    findings = bench.station.desk.rules.judge_fill(visit, Volume.ml(Fraction("20.01")), NeedleCheck)
    assert [finding.rule for finding in findings] == ["REF-04"]
    assert bench.station.desk.rules.judge_fill(visit, Volume.ml(20), NeedleCheck) == ()


def test_an_expired_vial_and_a_screening_ampoule_are_forbidden(bench: Bench) -> None:
    desk = bench.station.desk
    visit = bench.until_proposed()
    check = DrugCheck("baclofen", Concentration.mcg_per_ml(1000), "L", date(2026, 11, 19))
    assert [f.reason for f in desk.rules.judge_drug(visit, Label(check, read_twice=True), bench.nurse)] == ["expired"]
    assert desk.rules.judge_drug(
        visit, Label(replace(check, expires_on=date(2026, 11, 20)), read_twice=True), bench.nurse
    ) == ()
    screening = replace(check, expires_on=date(2028, 1, 1), concentration=Concentration.mcg_per_ml(50))
    assert "screening" in [f.reason for f in desk.rules.judge_drug(visit, Label(screening), bench.physician)]


def test_a_step_cannot_be_skipped(bench: Bench) -> None:
    visit = bench.station.desk.open(PATIENT, bench.nurse)
    with pytest.raises(WrongStepError):
        bench.station.desk.record_fill(visit, Volume.ml(18), bench.nurse, ticked=NeedleCheck)


def test_there_is_no_report_without_verification(bench: Bench) -> None:
    visit = bench.until_proposed()
    station = bench.station
    with pytest.raises(NotVerifiedError):
        build_report(visit, station.store, station.catalogue, station.clock)


def rows(report: RefillReport) -> dict[str, str]:
    return {row.label: row.value.replace("\xa0", " ") for section in report.sections for row in section.rows}


def test_without_a_programmer_the_report_has_our_own_dates_and_says_that_the_alarm_is_wrong(bench: Bench) -> None:
    desk, user = bench.station.desk, bench.nurse
    visit = desk.open(PATIENT, user, programmer=False)
    visit = desk.identify(visit, number="50-0918", born_on=date(1957, 5, 3), user=user)
    visit = desk.record_aspirate(visit, Volume.ml(Fraction("3.9")), user)
    check = DrugCheck("baclofen", Concentration.mcg_per_ml(1000), "L1", date(2028, 1, 1))
    visit = desk.record_drug(visit, Label(check, read_twice=True), user)
    visit = desk.record_fill(visit, Volume.ml(18), user, ticked=NeedleCheck)
    report = build_report(visit, bench.station.store, bench.station.catalogue, bench.station.clock)
    assert "without a programmer" in report.outcome and "alarm are wrong" in report.outcome
    told = rows(report)
    # (18 - 2) mL at 0.3 mL/day are 53 days and 8 h from 20 Nov 2026 10:00.
    assert told["Low reservoir on, by our own count"] == "12 Jan 2027 18:00"
    assert "Low-reservoir alarm on" not in told
    assert told["The pump's own alarm"].startswith("wrong")


def test_a_card_from_before_the_fill_is_none_for_it(bench: Bench) -> None:
    rules, clock = bench.station.desk.rules, bench.station.clock
    visit = replace(bench.until_proposed(), verified_at=clock.utc())

    def said() -> list[str]:
        return [found.rule for found in rules.judge_appointment(visit, date(2027, 1, 4)) if found.rule == "REF-13"]

    assert said() == ["REF-13"]
    note_printed("patient-el", bench.station.store, clock, bench.nurse)
    assert said() == ["REF-13"], "another patient's"
    earlier = Clock(lambda: clock.utc() - timedelta(minutes=1), timedelta(hours=1))
    note_printed(PATIENT, bench.station.store, earlier, bench.nurse)
    assert said() == ["REF-13"]
    bench.print_card()
    assert said() == []


def test_a_rule_overridden_at_three_visits_running_becomes_a_task(bench: Bench) -> None:
    desk, user = bench.station.desk, bench.nurse
    why = {("REF-13", "card-not-printed"): "The printer is broken"}

    def refill() -> None:
        visit = desk.open("patient-constant-flow", user)
        visit = desk.identify(visit, number="50-0702", born_on=date(1955, 10, 30), user=user)
        residual = desk.rules.expected(visit, bench.station.clock.pump())
        assert residual is not None
        visit = desk.record_aspirate(visit, residual.volume, user)
        check = DrugCheck("baclofen", Concentration.mcg_per_ml(500), "L2", date(2028, 1, 1))
        visit = desk.record_drug(visit, Label(check, read_twice=True), user)
        visit = desk.record_fill(visit, Volume.ml(33), user, ticked=NeedleCheck)
        desk.book(visit, date(2027, 1, 13), user, why)

    def overridden() -> list[str]:
        return [task.reason for task in bench.station.tasks.open() if task.rule == "U-15"]

    refill()
    refill()
    assert overridden() == []
    refill()
    assert overridden() == ["overridden-again REF-13"]
    refill()
    assert overridden() == ["overridden-again REF-13"], "the same task is not made twice"


def test_a_constant_flow_pump_is_filled_without_a_cable(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    desk, user = bench.station.desk, bench.nurse
    visit = desk.open("patient-constant-flow", user)
    visit = desk.identify(visit, number="50-0702", born_on=date(1955, 10, 30), user=user)
    assert visit.step is Step.RESIDUAL
    residual = desk.rules.judge_aspirate(visit, Volume.ml(Fraction("7.1")))
    assert residual is not None
    # 33 mL - 52 d x 0.5 mL/day.
    assert residual.expected.volume == Volume.ml(7)
    visit = desk.record_aspirate(visit, Volume.ml(Fraction("7.1")), user)
    check = DrugCheck("baclofen", Concentration.mcg_per_ml(500), "L2", date(2028, 1, 1))
    visit = desk.record_drug(visit, Label(check, read_twice=True), user)
    visit = desk.record_fill(visit, Volume.ml(33), user, ticked=NeedleCheck)
    assert visit.step is Step.REPORT
    therapy = desk.therapy("patient-constant-flow")
    assert therapy.dates is not None
    # 33 - 2 mL at 0.5 mL/day are 62 days.
    assert f"{therapy.dates.low_at:%Y-%m-%dT%H:%M}" == "2027-01-21T10:00"
    report = build_report(visit, bench.station.store, bench.station.catalogue, bench.station.clock)
    assert "no telemetry" in report.outcome
    assert rows(report)["Low reservoir on, without any alarm"] == "21 Jan 2027 10:00"
    bench.station.store.close()


def test_a_constant_flow_pump_is_dosed_by_its_solution(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    desk, physician = bench.station.desk, bench.physician
    visit = desk.open("patient-constant-flow", physician)
    visit = desk.identify(visit, number="50-0702", born_on=date(1955, 10, 30), user=physician)
    visit = desk.record_aspirate(visit, Volume.ml(7), physician)
    label = Label(DrugCheck("baclofen", Concentration.mcg_per_ml(1000), "L3", date(2028, 1, 1)), read_twice=True)
    assert "solution-not-ordered" in [one.reason for one in desk.rules.judge_drug(visit, label, bench.nurse)]
    asked = [one for one in desk.rules.judge_drug(visit, label, physician) if one.severity is Severity.CONFIRM]
    # 0.5 mL/day of 500 and of 1000 mcg/mL.
    (change,) = asked
    assert change.reason == "constant-flow"
    assert dict(change.values) == {"old_mcg_per_day": "250", "new_mcg_per_day": "500"}
    reasons = {(change.rule, change.reason): "Spasms at night on 250"}
    visit = desk.record_drug(visit, label, physician, reasons)
    visit = desk.record_fill(visit, Volume.ml(33), physician, ticked=NeedleCheck)
    therapy = desk.therapy("patient-constant-flow")
    assert therapy.settings is not None and therapy.settings.concentration == Concentration.mcg_per_ml(1000)
    assert therapy.figures is not None and therapy.figures.achieved_daily == 500 * Mass.PER_MCG
    bench.station.store.close()


def test_a_nurse_sends_no_other_solution_than_was_ordered_whoever_read_the_label(bench: Bench) -> None:
    visit = bench.until_proposed(concentration=2000)
    assert visit.proposed is not None
    said = bench.station.desk.rules.judge_settings(visit, visit.proposed, bench.nurse)
    assert ("U-06", "solution-not-ordered") in [(one.rule, one.reason) for one in said]
