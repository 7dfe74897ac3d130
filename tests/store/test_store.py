"""The store: encrypted, durable, exact, and with an audit trail that cannot be bent."""

from __future__ import annotations

import os
import stat
from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path

import pytest
import sqlcipher3.dbapi2 as sqlcipher
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DatabaseError, IntegrityError, StatementError

from app.models.folding import fold
from app.models.patient import Patient
from app.models.ports import NotOnRecordError
from app.models.program import (
    Bolus,
    ConstantFlow,
    DayPlan,
    Flex,
    MinimumRate,
    OneTimeBolus,
    OneTimeKind,
    PatientActivated,
    PeriodicBolus,
    Program,
    SimpleContinuous,
    Step,
    Stopped,
    Weekday,
)
from app.models.pump import Outcome, PumpSettings
from app.models.quantities import Concentration, DoseRate, Flow, Mass, Volume
from app.models.records import AuditEntry, Intent, ProgramRecord, ProgramState
from app.models.refill_visit import RefillVisit, VisitEvent
from app.models.refill_visit import Step as VisitStep
from app.store import audit_trail
from app.store.clinic import SqlClinicStore
from app.store.columns import NotStorableError
from app.store.demo_clinic import USERS, fill_with_demonstration
from app.store.engine import WrongKeyError, open_engine
from app.store.keys import BadKeyFileError, load_or_make_key
from app.store.mapping import keep_settings, load_settings
from app.store.migrate import NewerStoreError, upgrade
from app.store.open_store import open_store
from app.store.tables import METADATA

KEY = bytes(range(32))
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
IMPLANT = "implant-heetla-1"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory):
    """The demonstration clinic; tests here may add to it."""
    store = open_store(tmp_path_factory.mktemp("store") / "clinic.db", KEY)
    fill_with_demonstration(store, today=date(2026, 11, 20))
    yield store
    store.close()


def entry(action: str = "test") -> AuditEntry:
    return AuditEntry(NOW, USERS[0].id, action, "subject")


def visit_of(identity: str) -> RefillVisit:
    return RefillVisit(identity, "patient-heetla-1", IMPLANT, NOW, USERS[0].id, NOW)


# -- the file --------------------------------------------------------------------------------------------------


def test_the_file_is_encrypted_from_the_first_row_and_private(clinic: SqlClinicStore) -> None:
    path = Path(str(clinic.engine.raw_connection().driver_connection.execute("PRAGMA database_list").fetchone()[2]))
    for part in (path, path.with_name(path.name + "-wal")):
        raw = part.read_bytes()
        for plain in (b"SQLite format", "Müller".encode(), b"EMU-100191", b"baclofen", b"CREATE TABLE"):
            assert plain not in raw
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    open_store(tmp_path / "a.db", KEY).close()
    with pytest.raises(WrongKeyError):
        open_store(tmp_path / "a.db", bytes(32))
    with pytest.raises(sqlcipher.DatabaseError):
        sqlcipher.connect(str(tmp_path / "a.db")).execute("SELECT * FROM patients")


def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_bytes(b"Dear colleague, " * 400)
    with pytest.raises(WrongKeyError):
        open_store(path, KEY)
    assert path.read_bytes() == b"Dear colleague, " * 400


def test_commits_reach_the_disk(clinic: SqlClinicStore) -> None:
    with clinic.engine.connect() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in
                 ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "trusted_schema")]  # fmt: skip
    assert found == ["wal", 2, 1, 1, 0]


def test_the_key_is_made_once_and_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "store.key"
    key = load_or_make_key(path)
    assert len(key) == 32
    assert load_or_make_key(path) == key
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("not a key")
    with pytest.raises(BadKeyFileError):
        load_or_make_key(path)


# -- what the tables refuse --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE settings SET concentration = 'a lot'",
        "UPDATE settings SET concentration = 1.5",
        "UPDATE programs SET state = 'maybe'",
        "UPDATE patients SET high_risk = 2",
        "UPDATE implants SET patient_id = 'nobody'",
        "UPDATE audit SET detail = 'nothing happened'",
        "DELETE FROM audit",
        "DELETE FROM users WHERE id = 'user-nurse-1'",
    ],
)
def test_the_database_itself_refuses(clinic: SqlClinicStore, statement: str) -> None:
    with pytest.raises((IntegrityError, DatabaseError)), clinic.engine.begin() as connection:
        connection.exec_driver_sql(statement)


def test_a_finer_dose_than_a_column_holds_is_refused_not_rounded(clinic: SqlClinicStore) -> None:
    finer = PumpSettings(
        "baclofen",
        Concentration.mcg_per_ml(500),
        Program(SimpleContinuous(DoseRate(10**18 + 1))),
        Volume.ml(2),
    )
    with pytest.raises(StatementError) as refused, clinic.engine.begin() as connection:
        keep_settings(connection, finer)
    assert isinstance(refused.value.orig, NotStorableError)


# -- settings there and back -------------------------------------------------------------------------------------

_mass = st.integers(0, 10**12).map(lambda ng: Mass(ng * 10**15))
_rate = st.integers(0, 10**12).map(lambda ng: DoseRate(ng * 10**15))
_minute, _length = st.integers(0, 1439), st.integers(0, 1440)
_bolus = st.builds(Bolus, at=_minute, dose=_mass, duration_min=_length)
_step = st.builds(Step, at=_minute, duration_min=_length, dose=_mass)


@st.composite
def _flex(draw: st.DrawFn) -> Flex:
    days = draw(st.permutations(list(Weekday)))
    cut = draw(st.integers(1, 7))
    groups = [days[:cut], days[cut:]] if cut < 7 else [days]
    return Flex(
        tuple(
            DayPlan(
                tuple(group),
                draw(_rate),
                tuple(draw(st.lists(_bolus, max_size=3))),
                tuple(draw(st.lists(_step, max_size=3))),
            )
            for group in groups
        )
    )


_delivery = st.one_of(
    st.builds(SimpleContinuous, _rate),
    _flex(),
    st.builds(
        PeriodicBolus, basal=_rate, dose=_mass, duration_min=_length, every_min=st.integers(1, 10_080), first_at=_minute
    ),
    st.just(MinimumRate()),
    st.just(Stopped()),
    st.builds(ConstantFlow, st.one_of(st.none(), st.integers(0, 10**10).map(Flow))),
)
_settings = st.builds(
    PumpSettings,
    drug=st.sampled_from(["baclofen", "morphine"]),
    concentration=st.integers(1, 10**14).map(Concentration),
    program=st.builds(
        Program,
        _delivery,
        st.one_of(st.none(), st.builds(PatientActivated, _mass, _length, _length, st.integers(0, 20))),
    ),
    low_alarm=st.integers(0, 10**11).map(Volume),
    reservoir=st.one_of(st.none(), st.integers(0, 10**11).map(Volume)),
    bridge=st.one_of(
        st.none(), st.builds(OneTimeBolus, st.just(OneTimeKind.BRIDGE), st.integers(0, 10**9).map(Volume), _length)
    ),
)


@settings(max_examples=60, deadline=None)
@given(_settings)
def test_settings_come_back_as_they_went(clinic: SqlClinicStore, value: PumpSettings) -> None:
    with clinic.engine.begin() as connection:
        key = keep_settings(connection, value)
        assert keep_settings(connection, value) == key
        assert load_settings(connection, [key]) == {key: value}


# -- one transaction ---------------------------------------------------------------------------------------------


def test_a_visit_comes_back_as_it_was_saved(clinic: SqlClinicStore) -> None:
    visit = visit_of("visit-1").after(VisitEvent.IDENTIFIED, NOW + timedelta(minutes=1))
    clinic.save_visit(visit, entry())
    assert clinic.visit("visit-1") == visit
    assert visit in clinic.open_visits()


def test_when_the_audit_row_fails_nothing_is_changed(clinic: SqlClinicStore) -> None:
    visit = visit_of("visit-2")
    clinic.save_visit(visit, entry())
    head = clinic.audit_head()
    naive = AuditEntry(NOW.replace(tzinfo=None), USERS[0].id, "test", "subject")
    with pytest.raises(StatementError):
        clinic.save_visit(visit.after(VisitEvent.IDENTIFIED, NOW), naive)
    assert clinic.visit("visit-2").step is VisitStep.IDENTIFY
    assert clinic.audit_head() == head


def test_an_intent_is_in_doubt_until_it_has_an_outcome(clinic: SqlClinicStore) -> None:
    visit = visit_of("visit-3")
    running = clinic.programs(IMPLANT)[-1]
    program = ProgramRecord(
        "program-x",
        IMPLANT,
        visit.id,
        ProgramState.SENT,
        running.settings,
        datetime(2026, 11, 20, 10),
        NOW,
        USERS[0].id,
    )
    intent = Intent("ab" * 16, visit.id, program.id, "EMU-100191", 7, "00", "11", NOW, USERS[0].id)
    clinic.save_visit(visit, entry())
    clinic.write_intent(visit, intent, program, entry("pump.stage"))
    assert clinic.intents_in_doubt() == [intent]
    from dataclasses import replace

    unknown = replace(intent, outcome=Outcome.NOT_KNOWN, resolved_at=NOW)
    clinic.record_outcome(visit, unknown, program, entry())
    assert clinic.intents_in_doubt() == [unknown]
    settled = replace(intent, outcome=Outcome.NOT_APPLIED, resolved_at=NOW)
    clinic.record_outcome(visit, settled, replace(program, state=ProgramState.NOT_APPLIED), entry())
    assert clinic.intents_in_doubt() == []
    assert clinic.intent(intent.txn) == settled
    assert program.id not in [record.id for record in clinic.programs(IMPLANT)], "only verified programs count"


def test_the_trail_holds_and_a_bent_row_is_found(tmp_path: Path) -> None:
    store = open_store(tmp_path / "a.db", KEY)
    fill_with_demonstration(store, today=date(2026, 11, 20))
    for number in range(5):
        store.save_visit(visit_of(f"visit-{number}"), entry())
    assert audit_trail.first_broken(store.engine) is None
    with store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_refuses_update")
        connection.exec_driver_sql("UPDATE audit SET detail = 'x' WHERE seq = 4")
    assert audit_trail.first_broken(store.engine) == 4
    store.close()


def test_what_is_not_there_is_named(clinic: SqlClinicStore) -> None:
    for ask in (clinic.visit, clinic.therapy, clinic.program, clinic.intent):
        with pytest.raises(NotOnRecordError):
            ask("nothing")


# -- searching -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mull", "Müller"),
        ("MÜLLER, anna", None),
        ("anna mül", "Müller"),
        ("meulen", "van der Meulen"),
        ("o conaill", "Ó Conaill"),
        ("szczep", "Øvergård-Szczepańska von Hohenlohe"),
        ("ovregard", None),
        ("overgard", "Øvergård-Szczepańska von Hohenlohe"),
        ("yilmaz", "Yılmaz"),
        ("50-0918", "van der Meulen"),
        ("emu-100191", "van der Meulen"),
    ],
)
def test_people_are_found_however_they_are_typed(clinic: SqlClinicStore, text: str, found: str | None) -> None:
    names = [record.patient.family_name for record in clinic.therapies(text)]
    assert names == ([found] if found else [])


def test_folding_takes_accents_off_and_keeps_letters() -> None:
    assert fold("  Łódź  ØRE ") == "lodz ore"
    assert fold("Straße") == "strasse"


# -- the schema ----------------------------------------------------------------------------------------------------


def _schema(store: SqlClinicStore) -> dict[str, list[str]]:
    with store.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'"
        ).fetchall()
    return {name: sorted(part.strip(" ,()\n\t") for part in sql.split("\n")) for name, sql in rows}


def test_a_migrated_store_is_the_same_as_a_new_one(tmp_path: Path) -> None:
    from app.store.tables import make_triggers

    migrated = open_store(tmp_path / "migrated.db", KEY)
    engine = open_engine(tmp_path / "new.db", KEY)
    with engine.begin() as connection:
        METADATA.create_all(connection)
        make_triggers(connection)
    new = SqlClinicStore(engine)
    assert _schema(migrated) == _schema(new)
    migrated.close()
    new.close()


def test_a_newer_store_is_not_touched(tmp_path: Path) -> None:
    store = open_store(tmp_path / "a.db", KEY)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NewerStoreError):
        upgrade(store.engine)
    store.close()


def test_a_failing_migration_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    import shutil

    from app.store import migrate

    path = tmp_path / "a.db"
    store = open_store(path, KEY)
    fill_with_demonstration(store, today=date(2026, 11, 20))
    before, patients = _schema(store), len(store.therapies())
    scripts = tmp_path / "scripts"
    shutil.copytree(Path(migrate.__file__).parent / "migrations", scripts)
    last = max(path.stem.split("_")[0] for path in (scripts / "versions").glob("[0-9]*.py"))
    (scripts / "versions" / "9998_broken.py").write_text(
        f"from alembic import op\nrevision = '9998'\ndown_revision = '{last}'\n"
        "def upgrade():\n    op.execute('CREATE TABLE half (x INTEGER)')\n"
        "    op.execute('DELETE FROM patients')\n    op.execute('NOT SQL')\n"
    )
    with pytest.raises(DatabaseError):
        upgrade(store.engine, path, scripts=scripts)
    assert _schema(store) == before
    assert len(store.therapies()) == patients
    copy = open_store(tmp_path / "a.db.before-9998", KEY)
    assert len(copy.therapies()) == patients
    copy.close()
    store.close()


# -- columns -------------------------------------------------------------------------------------------------------


def test_an_offset_is_kept_as_utc_and_a_naive_moment_refused(clinic: SqlClinicStore) -> None:
    from dataclasses import replace

    east = NOW.astimezone(timezone(timedelta(hours=9)))
    clinic.save_visit(replace(visit_of("visit-4"), changed_at=east), entry())
    found = clinic.visit("visit-4").changed_at
    assert (found, found.utcoffset()) == (NOW, timedelta(0))
    with pytest.raises(StatementError):
        clinic.save_visit(replace(visit_of("visit-5"), changed_at=NOW.replace(tzinfo=None)), entry())


def test_every_demonstration_therapy_can_be_worked_out(clinic: SqlClinicStore) -> None:
    from app.documents.catalogue import load_catalogue
    from app.services.therapy import therapy_of

    catalogue = load_catalogue()
    therapies = {
        record.patient.id: therapy_of(record, catalogue, at=datetime(2026, 11, 20, 10)) for record in clinic.therapies()
    }
    assert len(therapies) == 14
    fuente = therapies["patient-fuente"]
    assert fuente.reservoir is not None
    # 38 mL - 172 days of 400 mcg at 2000 mcg/mL.
    assert fuente.reservoir.volume == Volume.ml(Fraction("3.6"))
    assert len(clinic.programs("implant-fuente")) > 13
    assert therapies["patient-new"].reservoir is None


def test_a_patients_number_is_nobody_elses(clinic: SqlClinicStore) -> None:
    twin = Patient("patient-twin", "50-0918", "Twin", "A", date(1990, 1, 1))
    with pytest.raises(IntegrityError):
        clinic.add(entry(), patients=[twin])
