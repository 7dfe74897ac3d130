"""The emergency sheet: what was done last is all there, in order, told from the records alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from app.device.messages import EVENT_CODES
from app.models.emergency import EmergencySheet
from app.models.ports import NotOnRecordError
from app.models.program import OneTimeBolus, OneTimeKind, Program, SimpleContinuous
from app.models.pump import Order, Outcome, PumpEvent, PumpEventKind, StopDelivery
from app.models.quantities import DoseRate, Volume
from app.models.records import AuditEntry, ProgramRecord, ProgramState, PumpOrder
from app.services.clock import Clock
from app.services.emergency import Emergencies
from app.store.pump_log import kind_of
from tests.services.bench import NOW, PATIENT, Bench

IMPLANT = "implant-heetla-1"


@pytest.fixture
def bench(tmp_path: Path):
    made = Bench(tmp_path)
    yield made
    made.station.store.close()


def sheet_of(bench: Bench, patient: str = PATIENT, *, later: timedelta = timedelta(0)) -> EmergencySheet:
    station = bench.station
    clock = Clock(lambda: NOW + later, timedelta(hours=1))
    desk = Emergencies(station.store, station.catalogue, clock, station.phones)
    return desk.open(patient, bench.nurse, emulated=True)


def lines(sheet: EmergencySheet) -> list[str]:
    return [f"{one.what}: {one.words}".replace("\xa0", " ") for one in sheet.happenings]


def send(bench: Bench, concentration: int = 1000) -> None:
    visit = bench.until_proposed(concentration=concentration)
    station = bench.station
    model, port = station.desk.model_of(visit), bench.port()
    staged = station.programming.stage(visit, model, port, serial="EMU-100191", user_id=bench.physician.id)
    sent = station.programming.send(staged, model, port, user_id=bench.physician.id)
    assert sent.outcome is Outcome.VERIFIED


def add_events(bench: Bench, events: Sequence[PumpEvent]) -> None:
    visit = bench.station.desk.open(PATIENT, bench.nurse)
    bench.station.store.save_visit(visit, AuditEntry(NOW, bench.nurse.id, "test", visit.id), events=events)


def add_order(bench: Bench, order: Order, outcome: Outcome | None, *, ago: timedelta, sent: bool = True) -> None:
    at = NOW - ago
    number = f"{len(bench.station.store.pump_orders(IMPLANT, NOW - timedelta(days=90))) + 1:032x}"
    record = PumpOrder(
        number, IMPLANT, "EMU-100191", order, 1, "00" * 32, "11" * 32, at, bench.nurse.id,
        sent_at=at if sent else None, outcome=outcome,
    )  # fmt: skip
    bench.station.store.save_order(record, AuditEntry(at, bench.nurse.id, "test", number))


def add_program(bench: Bench, mcg_per_day: int, effective_at: datetime) -> None:
    now = bench.station.desk.therapy(PATIENT).settings
    assert now is not None
    settings = replace(now, program=Program(SimpleContinuous(DoseRate.mcg_per_day(mcg_per_day))))
    record = ProgramRecord(
        f"program-{mcg_per_day}", IMPLANT, None, ProgramState.VERIFIED, settings, effective_at, NOW, bench.nurse.id
    )
    bench.station.store.add(AuditEntry(NOW, bench.nurse.id, "test", record.id), programs=[record])  # type: ignore[attr-defined]


def test_the_codes_of_the_log_are_the_wires_own() -> None:
    for kind, code in EVENT_CODES.items():
        assert kind_of(code) is kind
    assert kind_of(0) is kind_of(len(EVENT_CODES) + 1) is None


def test_what_was_done_at_a_refill_is_all_there(bench: Bench) -> None:
    send(bench, concentration=2000)
    sheet = sheet_of(bench)
    assert set(lines(sheet)[:5]) == {
        "Fill: 17.5 mL of baclofen 2000 mcg/mL, lot L1; 17.5 mL in the reservoir",
        "Concentration: CHANGED from 1000 mcg/mL to 2000 mcg/mL",
        "Program: sent again unchanged: simple continuous, 300 mcg/day",
        "Bridge: 0.316 mL over 1 d 1 h 17 min, until 21 Nov 2026 11:17",
        "Drawn out: 4.1 mL, expected 3.9 mL: +0.2 mL",
    }
    facts = {row.label: row.value.replace("\xa0", " ") for row in sheet.facts}
    assert facts["Concentration"] == "2000 mcg/mL"
    assert facts["Should be left now"] == "17.5 mL"
    assert facts["Drawn out against expected"] == "+0.2 mL (20 Nov 2026)"


@pytest.mark.parametrize(("minutes", "runs"), [(0, True), (1516, True), (1517, False)])
def test_a_bridge_runs_until_its_last_minute(bench: Bench, minutes: int, runs: bool) -> None:
    send(bench, concentration=2000)
    facts = {row.label: row.value for row in sheet_of(bench, later=timedelta(minutes=minutes)).facts}
    assert facts["Bridge bolus"].startswith("RUNNING") is runs


@pytest.mark.parametrize(("ago_h", "shown"), [(30 * 24 - 1, True), (30 * 24, True), (30 * 24 + 1, False)])
def test_it_goes_back_thirty_days(bench: Bench, ago_h: int, shown: bool) -> None:
    at = bench.station.clock.pump() - timedelta(hours=ago_h)
    add_events(bench, [PumpEvent(900, at, PumpEventKind.STALLED, EVENT_CODES[PumpEventKind.STALLED])])
    assert ("Pump log: MOTOR STALLED" in lines(sheet_of(bench))) is shown


def test_the_last_fill_and_the_last_change_are_told_however_long_ago(bench: Bench) -> None:
    assert lines(sheet_of(bench)) == [
        "Fill: 18 mL of baclofen 1000 mcg/mL, lot BA2610-100; 18 mL in the reservoir",
        "Program: CHANGED: simple continuous, daily dose 48 mcg/day to 300 mcg/day",
    ]


def test_the_pumps_log_is_told_with_its_alarms_and_the_boluses_called(bench: Bench) -> None:
    now, codes = bench.station.clock.pump(), EVENT_CODES
    told = [
        (PumpEventKind.ALARM, 26, 0b100001),
        (PumpEventKind.PATIENT_BOLUS, 5, 1),
        (PumpEventKind.PATIENT_REFUSED, 4, 0),
        (PumpEventKind.PATIENT_BOLUS, 3, 1),
        (PumpEventKind.RESET, 2, 0),
    ]
    events = [
        PumpEvent(900 + number, now - timedelta(hours=ago), kind, codes[kind], value)
        for number, (kind, ago, value) in enumerate(told)
    ]
    add_events(bench, [*events, PumpEvent(990, now, None, 77)])
    assert lines(sheet_of(bench))[:4] == [
        "Pump log: unknown event 77",
        "Pump log: RESET, the program is lost",
        "Pump log: the patient called 3 boluses that day, 2 given",
        "Pump log: alarm: low reservoir, motor stall",
    ]


def test_boluses_and_other_orders_say_what_became_of_them(bench: Bench) -> None:
    bolus = OneTimeBolus(OneTimeKind.SINGLE, Volume.ml(Fraction("0.05")), 10)
    add_order(bench, bolus, Outcome.VERIFIED, ago=timedelta(days=1))
    add_order(bench, StopDelivery(), None, ago=timedelta(hours=2))
    add_order(bench, StopDelivery(), Outcome.NOT_APPLIED, ago=timedelta(hours=3))
    add_order(bench, StopDelivery(), None, ago=timedelta(hours=4), sent=False)
    sheet = sheet_of(bench)
    assert lines(sheet)[:4] == [
        "Order: STOP the pump: RESULT NOT KNOWN: ask the pump",
        "Order: STOP the pump: NOT APPLIED, nothing changed",
        "Order: STOP the pump: never sent",
        # 0.05 mL of 1000 mcg/mL.
        "Bolus: single, 0.05 mL = 50 mcg of baclofen over 10 min: verified",
    ]
    assert [one.grave for one in sheet.happenings[:2]] == [True, False]
    assert any(alert.startswith("RESULT NOT KNOWN") for alert in sheet.alerts)


@pytest.mark.parametrize(
    ("new", "hours", "watched"),
    [(239, 0, True), (240, 0, False), (239, 72, False), (239, Fraction(4319, 60), True), (400, 0, False)],
)
def test_a_drop_of_more_than_a_fifth_is_watched_for_three_days(
    bench: Bench, new: int, hours: int | Fraction, watched: bool
) -> None:
    """From 300 mcg/day: 240 is exactly 20 % less, 4319 min one minute short of 72 h."""
    at = bench.station.clock.pump() - timedelta(minutes=int(hours * 60))
    add_program(bench, new, at)
    alerts = [alert for alert in sheet_of(bench).alerts if "watch" in alert]
    assert bool(alerts) is watched
    if watched:
        until = at + timedelta(hours=72)
        assert f"fell by 20.3 % on {at.day}\xa0{at:%b}" in alerts[0]
        assert f"until {until.day}\xa0{until:%b}\xa0{until.year} {until:%H:%M}" in alerts[0]


def test_a_fill_that_the_pump_does_not_know_of_is_said_first(bench: Bench) -> None:
    bench.until_proposed(concentration=2000)
    (alert,) = sheet_of(bench).alerts
    assert "FILLED ALREADY: 17.5\xa0mL of baclofen 2000\xa0mcg/mL. The pump has confirmed no program for it." in alert


def test_the_dry_pump_is_said_to_be_empty(bench: Bench) -> None:
    assert sheet_of(bench, "patient-dressnandt-14").alerts[0].startswith("Assume that the reservoir is empty since 18")


def test_who_has_no_therapy_has_a_sheet_all_the_same(bench: Bench) -> None:
    sheet = sheet_of(bench, "patient-new")
    facts = {row.label: row.value for row in sheet.facts}
    assert facts["Drug"] == facts["Daily dose"] == facts["Should be left now"] == "unknown"
    assert sheet.happenings == ()


def test_nobody_has_no_sheet(bench: Bench) -> None:
    with pytest.raises(NotOnRecordError):
        sheet_of(bench, "nobody")


def test_a_trail_that_cannot_be_written_does_not_keep_the_sheet_shut(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(entry: AuditEntry) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bench.station.store, "write_down", full)
    sheet = sheet_of(bench)
    assert sheet.patient == "van der Meulen, Johanna"
    assert any("could not be written to the audit trail" in alert for alert in sheet.alerts)


def test_a_residual_beyond_the_limit_is_grave(bench: Bench) -> None:
    desk, user = bench.station.desk, bench.nurse
    visit = desk.open(PATIENT, user)
    for drawn, grave in (("5.9", False), ("5.91", True), ("1.9", False), ("1.89", True)):
        visit = replace(visit, expected=Volume.ml(Fraction("3.9")), aspirated=Volume.ml(Fraction(drawn)))
        visit = replace(visit, aspirated_at=NOW)
        bench.station.store.save_visit(visit, AuditEntry(NOW, user.id, "test", visit.id))
        found = next(one for one in sheet_of(bench).happenings if one.what == "Drawn out")
        assert found.grave is grave, drawn
