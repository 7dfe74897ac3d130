"""Drafts and signed orders in the store: whole there and back, in one transaction, and only ever added."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import DatabaseError, IntegrityError, StatementError

from app.models.findings import Severity
from app.models.program import Bolus, DayPlan, Flex, PatientActivated, Program, SimpleContinuous, Weekday
from app.models.pump import PumpSettings
from app.models.quantities import Concentration, DoseRate, Mass, Volume
from app.models.records import AuditEntry
from app.models.signed_order import (
    AlreadySignedError,
    AlreadyWithdrawnError,
    ProgramDraft,
    SignedFinding,
    SignedOrder,
)
from app.store import audit_trail, migrate
from app.store.clinic import SqlClinicStore
from app.store.demo_clinic import USERS, fill_with_demonstration
from app.store.engine import open_engine
from app.store.open_store import open_store

KEY = bytes(range(32))
NOW = datetime(2026, 11, 20, 9, 0, 0, 123456, tzinfo=UTC)
IMPLANT = "implant-heetla-1"
NURSE, PHYSICIAN = USERS[0].id, USERS[2].id
FLEX = Flex(
    (
        DayPlan(tuple(Weekday)[:5], DoseRate.mcg_per_day(240), (Bolus(at=360, dose=Mass.mcg(25), duration_min=5),)),
        DayPlan(tuple(Weekday)[5:], DoseRate.mcg_per_day(260)),
    )
)


def plan(program: Program) -> PumpSettings:
    return PumpSettings("baclofen", Concentration.mcg_per_ml(1000), program, Volume.ml(2))


DRAFT = ProgramDraft(
    "draft-1", IMPLANT, "Weekday flex", plan(Program(FLEX, PatientActivated(Mass.mcg(10), 5, 240, 4))), NOW, NURSE
)
ORDER = SignedOrder(
    id="order-1",
    implant_id=IMPLANT,
    draft_id=DRAFT.id,
    name=DRAFT.name,
    settings=DRAFT.settings,
    range_percent=Fraction(15),
    valid_until=date(2027, 1, 31),
    signed_by=PHYSICIAN,
    signed_at=NOW,
    findings=(
        SignedFinding(
            "U-09", Severity.CONFIRM, "ratio", "Check for a slip: “300” is 2 times “150”.", "Überdosis möglich"
        ),
        SignedFinding("DOS-10", Severity.NOTE, "flex-for-tolerance", "Do not expect flex to help."),
    ),
    digest="ab" * 32,
)


def entry(action: str = "test") -> AuditEntry:
    return AuditEntry(NOW, PHYSICIAN, action, "subject")


@pytest.fixture
def clinic(tmp_path: Path):
    store = open_store(tmp_path / "clinic.db", KEY)
    fill_with_demonstration(store, today=date(2026, 11, 20))
    yield store
    store.close()


@pytest.fixture
def signed(clinic: SqlClinicStore) -> SqlClinicStore:
    clinic.add_draft(DRAFT, entry("order.drafted"))
    clinic.add_signed_order(ORDER, entry("order.signed"))
    return clinic


def test_drafts_and_orders_come_back_as_they_went(signed: SqlClinicStore) -> None:
    assert signed.drafts(IMPLANT) == [DRAFT]
    assert signed.signed_orders(IMPLANT) == [ORDER]
    assert signed.drafts("implant-kawano-a") == [] and signed.signed_orders("implant-kawano-a") == []
    assert audit_trail.first_broken(signed.engine) is None


def test_orders_come_in_the_order_of_signing_even_if_the_clock_went_back(signed: SqlClinicStore) -> None:
    earlier = NOW - timedelta(hours=1)
    draft = replace(DRAFT, id="draft-2", settings=plan(Program(SimpleContinuous(DoseRate.mcg_per_day(310)))))
    later = replace(ORDER, id="order-2", draft_id=draft.id, settings=draft.settings, signed_at=earlier, findings=())
    signed.add_draft(draft, entry())
    signed.add_signed_order(later, entry())
    assert [order.id for order in signed.signed_orders(IMPLANT)] == ["order-1", "order-2"]


def test_a_draft_is_signed_once(signed: SqlClinicStore) -> None:
    head = signed.audit_head()
    with pytest.raises(AlreadySignedError):
        signed.add_signed_order(replace(ORDER, id="order-2"), entry())
    assert signed.signed_orders(IMPLANT) == [ORDER]
    assert signed.audit_head() == head


def test_an_order_is_withdrawn_once_and_its_row_stays(signed: SqlClinicStore) -> None:
    later = NOW + timedelta(hours=1)
    signed.withdraw_order(ORDER.id, later, PHYSICIAN, entry("order.withdrawn"))
    assert signed.signed_orders(IMPLANT) == [replace(ORDER, withdrawn_at=later, withdrawn_by=PHYSICIAN)]
    with pytest.raises(AlreadyWithdrawnError):
        signed.withdraw_order(ORDER.id, later, PHYSICIAN, entry())


def test_when_the_audit_row_fails_nothing_is_signed(clinic: SqlClinicStore) -> None:
    clinic.add_draft(DRAFT, entry())
    naive = AuditEntry(NOW.replace(tzinfo=None), PHYSICIAN, "test", "subject")
    with pytest.raises(StatementError):
        clinic.add_signed_order(ORDER, naive)
    assert clinic.signed_orders(IMPLANT) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE signed_orders SET range_percent = 20",
        "DELETE FROM signed_orders",
        "UPDATE signed_findings SET answer = ''",
        "DELETE FROM signed_findings",
        "UPDATE program_drafts SET name = 'Other'",
        "DELETE FROM program_drafts",
        "DELETE FROM withdrawn_orders",
        "UPDATE withdrawn_orders SET at = '2036-01-01T00:00:00.000000Z'",
        "INSERT INTO signed_findings VALUES ('order-0', 0, 'U-09', 'note', 'ratio', 'x', '')",
        "INSERT INTO signed_findings VALUES ('order-1', 9, 'U-09', 'block', 'ratio', 'x', '')",
    ],
)
def test_the_database_itself_refuses(signed: SqlClinicStore, statement: str) -> None:
    signed.withdraw_order(ORDER.id, NOW, PHYSICIAN, entry())
    with pytest.raises((IntegrityError, DatabaseError)), signed.engine.begin() as connection:
        connection.exec_driver_sql(statement)


def test_a_store_of_before_gets_the_tables_and_keeps_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    engine = open_engine(path, KEY)
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    with engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.exec_driver_sql("INSERT INTO users VALUES ('user-1', 'Dr Old', 'physician')")
    engine.dispose()
    store = open_store(path, KEY)
    assert [user.name for user in store.users()] == ["Dr Old"]
    assert store.signed_orders("implant-1") == [] and store.drafts("implant-1") == []
    with pytest.raises(DatabaseError), store.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO withdrawn_orders VALUES ('order-1', 'x', 'user-1')")
    assert len(list(tmp_path.glob("old.db.before-*"))) == 1
    store.close()
