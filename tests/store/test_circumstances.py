"""Risks and absences on record: ended, never deleted, each once, and every writing in the audit trail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.models.circumstances import Absence, ImpossibleAbsenceError, RiskReason
from app.models.ports import NotOnRecordError
from app.store import tables
from tests.services.bench import NOW, PATIENT, Bench
from tests.store.test_store import entry

T6, OTHER, EARLIER = RiskReason.SCI_T6, RiskReason.OTHER, RiskReason.EARLIER_WITHDRAWAL
FLAGGED = "patient-kawano-a"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.station.store.close()


def noted(bench: Bench, patient: str = PATIENT) -> list[RiskReason]:
    return [risk.reason for risk in bench.station.store.therapy(patient).circumstances.risks]


def rows(bench: Bench, table):  # type: ignore[no-untyped-def]
    with bench.station.store.engine.connect() as connection:  # type: ignore[attr-defined]
        return connection.execute(select(table)).mappings().all()


def test_a_reason_stands_until_it_is_ended_and_the_row_stays(bench: Bench) -> None:
    desk = bench.station.circumstances
    desk.note_risks(PATIENT, {T6, EARLIER}, bench.nurse)
    assert set(noted(bench)) == {T6, EARLIER}
    assert bench.station.desk.therapy(PATIENT).risks == (T6, EARLIER)
    desk.note_risks(PATIENT, {EARLIER}, bench.physician)
    assert noted(bench) == [EARLIER]
    kept = rows(bench, tables.patient_risks)
    assert [(row["reason"], row["noted_by"], row["ended_by"]) for row in kept] == [
        (T6.value, bench.nurse.id, bench.physician.id),
        (EARLIER.value, bench.nurse.id, None),
    ]


def test_noting_the_same_again_leaves_the_first_note(bench: Bench) -> None:
    store = bench.station.store
    store.keep_risks(PATIENT, {T6}, NOW, bench.nurse.id, entry())
    store.keep_risks(PATIENT, {T6}, NOW + timedelta(days=1), bench.physician.id, entry())
    (risk,) = store.therapy(PATIENT).circumstances.risks
    assert (risk.noted_at, risk.noted_by) == (NOW, bench.nurse.id)


def test_the_old_mark_is_another_reason_and_goes_with_it(bench: Bench) -> None:
    desk = bench.station.circumstances
    assert bench.station.desk.therapy(FLAGGED).risks == (OTHER,)
    desk.note_risks(FLAGGED, {OTHER, T6}, bench.nurse)
    assert noted(bench, FLAGGED) == [T6], "the mark itself still stands for it"
    assert bench.station.desk.therapy(FLAGGED).risks == (T6, OTHER)
    desk.note_risks(FLAGGED, {T6}, bench.nurse)
    assert not bench.station.store.therapy(FLAGGED).patient.high_risk
    assert bench.station.desk.therapy(FLAGGED).risks == (T6,)


def test_a_high_dose_is_never_noted(bench: Bench) -> None:
    bench.station.circumstances.note_risks(PATIENT, {RiskReason.HIGH_DOSE}, bench.nurse)
    assert noted(bench) == []
    with pytest.raises(IntegrityError):
        bench.station.store.keep_risks(PATIENT, {RiskReason.HIGH_DOSE}, NOW, bench.nurse.id, entry())


def test_each_writing_has_its_row_in_the_audit_trail(bench: Bench) -> None:
    desk = bench.station.circumstances
    desk.note_risks(PATIENT, {T6}, bench.nurse)
    away = desk.plan_absence(PATIENT, date(2027, 1, 4), date(2027, 1, 10), bench.physician)
    desk.end_absence(away, bench.nurse)
    trail = [(row["action"], row["user_id"], row["detail"]) for row in rows(bench, tables.audit)][-3:]
    assert trail == [
        ("patient.risks", bench.nurse.id, T6.value),
        ("patient.absence-planned", bench.physician.id, "2027-01-04 2027-01-10"),
        ("patient.absence-ended", bench.nurse.id, away.id),
    ]
    assert {row["subject"] for row in rows(bench, tables.audit)[-3:]} == {PATIENT}


def test_an_absence_that_was_ended_counts_no_more_and_stays_on_record(bench: Bench) -> None:
    desk, store = bench.station.circumstances, bench.station.store
    later = desk.plan_absence(PATIENT, date(2027, 2, 1), date(2027, 2, 1), bench.nurse)
    first = desk.plan_absence(PATIENT, date(2027, 1, 4), date(2027, 1, 10), bench.nurse)
    assert store.therapy(PATIENT).circumstances.absences == (first, later)
    desk.end_absence(first, bench.nurse)
    assert store.therapy(PATIENT).circumstances.absences == (later,)
    with pytest.raises(NotOnRecordError):
        desk.end_absence(first, bench.nurse)
    assert len(rows(bench, tables.absences)) == 2


def test_an_impossible_absence_is_refused_by_the_desk_and_by_the_table(bench: Bench) -> None:
    with pytest.raises(ImpossibleAbsenceError):
        bench.station.circumstances.plan_absence(PATIENT, date(2027, 1, 5), date(2027, 1, 4), bench.nurse)
    turned = Absence("x", PATIENT, date(2027, 1, 5), date(2027, 1, 4), NOW, bench.nurse.id)
    with pytest.raises(IntegrityError):
        bench.station.store.add_absence(turned, entry())


def test_the_batterys_warning_is_known_from_the_first_reading_that_told_it(bench: Bench) -> None:
    visit = bench.until_proposed()
    assert visit.reading is not None
    store = bench.station.store
    assert store.therapy(PATIENT).circumstances.eri_on is None
    for number, (alarms, at) in enumerate(
        (
            (("low-reservoir",), datetime(2026, 9, 1, 8)),
            (("low-reservoir", "eri"), datetime(2026, 10, 2, 23, 59)),
            (("eri",), datetime(2026, 11, 1, 8)),
        )
    ):
        reading = replace(visit.reading, alarms=alarms, pump_clock=at)
        store.save_visit(replace(visit, id=f"visit-{number}", reading=reading), entry())
    assert store.therapy(PATIENT).circumstances.eri_on == date(2026, 10, 2)
    assert bench.station.desk.therapy(PATIENT).battery_end == date(2026, 12, 31), "90 days later"
    assert all(record.circumstances.eri_on is None for record in store.therapies() if record.patient.id != PATIENT)
    assert NOW.tzinfo is UTC


@pytest.mark.parametrize(
    ("told", "warned"),
    [
        (datetime(2026, 9, 21, 10), date(2026, 9, 21)),
        (datetime(2026, 11, 20, 10), date(2026, 11, 20)),
        (datetime(2026, 11, 20, 10, 1), date(2026, 11, 20)),
        (datetime(2027, 3, 1, 10), date(2026, 11, 20)),
        (None, date(2026, 11, 20)),
    ],
)
def test_the_batterys_warning_is_as_old_as_the_pump_says_and_never_lies_ahead(
    bench: Bench, told: datetime | None, warned: date
) -> None:
    visit = bench.until_proposed()
    assert visit.reading is not None
    reading = replace(visit.reading, alarms=("eri",))
    assert f"{reading.pump_clock:%Y-%m-%d %H:%M}" == "2026-11-20 10:00"
    later = replace(reading, read_at=reading.read_at + timedelta(minutes=1))
    bench.station.store.save_visit(replace(visit, id="visit-eri", reading=later), entry(), eri_on=told)
    therapy = bench.station.desk.therapy(PATIENT)
    assert (therapy.circumstances.eri_on, therapy.battery_end) == (warned, warned + timedelta(days=90))
