"""A clinic's own presets and patients' days in the store: whole there and back, each in one transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError, StatementError

from app.models.patient_day import DayPart, InvalidDayPartError
from app.models.ports import NotOnRecordError
from app.models.presets import ClinicPreset, InvalidPresetError, PresetNameTakenError, PresetRetiredError, same_name
from app.models.program import PatientActivated, Program, SimpleContinuous
from app.models.quantities import DoseRate, Mass, Volume
from app.models.records import AuditEntry
from app.store import audit_trail, migrate
from app.store.clinic import SqlClinicStore
from app.store.demo_clinic import fill_with_demonstration
from app.store.engine import open_engine
from app.store.open_store import open_store
from tests.store.test_signed_orders import FLEX, KEY, NOW, NURSE, PHYSICIAN, plan

PATIENT = "patient-heetla-1"
PRESET = ClinicPreset(
    id="preset-1",
    name="Nachtbolus (schwer)",
    note="Für Spastik am Morgen; nach 4 Wochen prüfen",
    settings=plan(Program(FLEX, PatientActivated(Mass.mcg(10), 5, 240, 4))),
    kept_at=NOW,
    kept_by=PHYSICIAN,
)
DAY = [DayPart("Transfers", 420, 45), DayPart("Sleep", 1350, 480)]


def entry(action: str = "test") -> AuditEntry:
    return AuditEntry(NOW, PHYSICIAN, action, "subject")


@pytest.fixture
def clinic(tmp_path: Path):
    store = open_store(tmp_path / "clinic.db", KEY)
    fill_with_demonstration(store, today=date(2026, 11, 20))
    yield store
    store.close()


@pytest.fixture
def kept(clinic: SqlClinicStore) -> SqlClinicStore:
    clinic.add_clinic_preset(PRESET, entry("preset.kept"))
    return clinic


# -- presets -----------------------------------------------------------------------------------------------------------


def test_presets_come_back_as_they_went_in_the_order_of_keeping(kept: SqlClinicStore) -> None:
    simple = plan(Program(SimpleContinuous(DoseRate.mcg_per_day(310))))
    earlier = NOW - timedelta(hours=1)
    second = replace(PRESET, id="preset-2", name="Another", note="", settings=simple, kept_at=earlier)
    kept.add_clinic_preset(second, entry())
    assert kept.clinic_presets() == [PRESET, second]
    assert audit_trail.first_broken(kept.engine) is None


def test_a_preset_is_retired_once_and_stays_on_record(kept: SqlClinicStore) -> None:
    later = NOW + timedelta(hours=1)
    kept.retire_preset(PRESET.id, later, PHYSICIAN, entry("preset.retired"))
    assert kept.clinic_presets() == [replace(PRESET, retired_at=later, retired_by=PHYSICIAN)]
    head = kept.audit_head()
    with pytest.raises(PresetRetiredError):
        kept.retire_preset(PRESET.id, later, PHYSICIAN, entry())
    with pytest.raises(NotOnRecordError):
        kept.retire_preset("preset-9", later, PHYSICIAN, entry())
    assert kept.audit_head() == head


def test_two_that_can_be_chosen_never_share_a_name(kept: SqlClinicStore) -> None:
    head = kept.audit_head()
    again = replace(PRESET, id="preset-2", name="NACHTBOLUS  (Schwer)")
    with pytest.raises(PresetNameTakenError) as refused:
        kept.add_clinic_preset(again, entry())
    assert refused.value.values["name"] == PRESET.name
    assert kept.clinic_presets() == [PRESET]
    assert kept.audit_head() == head
    kept.retire_preset(PRESET.id, NOW, PHYSICIAN, entry())
    kept.add_clinic_preset(again, entry())
    assert [preset.is_retired for preset in kept.clinic_presets()] == [True, False]


def test_when_the_audit_row_fails_nothing_is_kept_retired_or_changed(kept: SqlClinicStore) -> None:
    naive = AuditEntry(NOW.replace(tzinfo=None), PHYSICIAN, "test", "subject")
    kept.save_patient_day(PATIENT, DAY, entry())
    with pytest.raises(StatementError):
        kept.add_clinic_preset(replace(PRESET, id="preset-2", name="Other"), naive)
    with pytest.raises(StatementError):
        kept.retire_preset(PRESET.id, NOW, PHYSICIAN, naive)
    with pytest.raises(StatementError):
        kept.save_patient_day(PATIENT, DAY[:1], naive)
    assert kept.clinic_presets() == [PRESET]
    assert kept.patient_day(PATIENT) == DAY


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE clinic_presets SET name = 'Other'",
        "DELETE FROM clinic_presets",
        "UPDATE retired_presets SET at = '2036-01-01T00:00:00.000000Z'",
        "DELETE FROM retired_presets",
        "INSERT INTO retired_presets VALUES ('preset-9', '2026-11-20T09:00:00.000000Z', 'user-okafor')",
        "INSERT INTO patient_day_parts VALUES ('patient-heetla-1', 0, 'x', 1440, 60)",
        "INSERT INTO patient_day_parts VALUES ('patient-heetla-1', 0, 'x', -1, 60)",
        "INSERT INTO patient_day_parts VALUES ('patient-heetla-1', 0, 'x', 0, 0)",
        "INSERT INTO patient_day_parts VALUES ('patient-heetla-1', 0, 'x', 0, 1440)",
        "INSERT INTO patient_day_parts VALUES ('patient-nobody', 0, 'x', 0, 60)",
    ],
)
def test_the_database_itself_refuses(kept: SqlClinicStore, statement: str) -> None:
    kept.retire_preset(PRESET.id, NOW, PHYSICIAN, entry())
    with pytest.raises((IntegrityError, DatabaseError)), kept.engine.begin() as connection:
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": "  "}, "name"),
        ({"kept_at": NOW.replace(tzinfo=None)}, "moment"),
        ({"settings": replace(PRESET.settings, reservoir=Volume.ml(18))}, "settings"),
    ],
)
def test_what_cannot_be_a_preset(changes: dict[str, object], problem: str) -> None:
    with pytest.raises(InvalidPresetError) as refused:
        replace(PRESET, **changes)  # type: ignore[arg-type]
    assert refused.value.values["problem"] == problem


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("Night", "night ", True), ("A  b", "a\u00a0B", True), ("STRASSE", "straße", True), ("Night", "Nights", False)],
)
def test_names_are_compared_as_a_reader_would(one: str, other: str, same: bool) -> None:
    assert same_name(one, other) is same


# -- the patient's day -------------------------------------------------------------------------------------------------


def test_a_day_is_replaced_as_a_whole_and_comes_in_the_order_of_time(clinic: SqlClinicStore) -> None:
    assert clinic.patient_day(PATIENT) == []
    clinic.save_patient_day(PATIENT, list(reversed(DAY)), entry())
    assert clinic.patient_day(PATIENT) == DAY
    clinic.save_patient_day(PATIENT, [DayPart("Sleep", 0, 1439)], entry())
    assert clinic.patient_day(PATIENT) == [DayPart("Sleep", 0, 1439)]
    assert clinic.patient_day("patient-fuente") == []
    clinic.save_patient_day(PATIENT, [], entry())
    assert clinic.patient_day(PATIENT) == []
    assert audit_trail.first_broken(clinic.engine) is None


def test_nobody_has_no_day(clinic: SqlClinicStore) -> None:
    head = clinic.audit_head()
    with pytest.raises(NotOnRecordError):
        clinic.save_patient_day("patient-nobody", DAY, entry())
    assert clinic.audit_head() == head


@pytest.mark.parametrize(
    ("start", "minutes", "good"),
    [(0, 1, True), (1439, 1439, True), (-1, 60, False), (1440, 60, False), (0, 0, False), (0, 1440, False)],
)
def test_how_long_a_part_of_a_day_may_be(start: int, minutes: int, good: bool) -> None:
    if good:
        assert DayPart("Sleep", start, minutes).duration_min == minutes
        return
    with pytest.raises(InvalidDayPartError):
        DayPart("Sleep", start, minutes)


def test_a_part_of_a_day_has_a_name() -> None:
    with pytest.raises(InvalidDayPartError):
        DayPart(" ", 0, 60)


# -- a store of before -------------------------------------------------------------------------------------------------


def test_a_store_of_before_gets_the_tables_and_keeps_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    engine = open_engine(path, KEY)
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    with engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        connection.exec_driver_sql(f"INSERT INTO users VALUES ('{PHYSICIAN}', 'Dr Old', 'physician')")
    engine.dispose()
    store = open_store(path, KEY)
    assert [user.name for user in store.users()] == ["Dr Old"]
    assert store.clinic_presets() == []
    store.add_clinic_preset(PRESET, entry())
    assert store.clinic_presets() == [PRESET]
    with pytest.raises(DatabaseError), store.engine.begin() as connection:
        connection.execute(text("DELETE FROM clinic_presets"))
    store.close()


def test_who_keeps_is_somebody_on_record(clinic: SqlClinicStore) -> None:
    with pytest.raises(IntegrityError):
        clinic.add_clinic_preset(replace(PRESET, kept_by="user-nobody"), entry())
    clinic.add_clinic_preset(replace(PRESET, kept_by=NURSE), entry())
    assert [preset.kept_by for preset in clinic.clinic_presets()] == [NURSE]
