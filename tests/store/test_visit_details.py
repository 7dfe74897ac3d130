"""What belongs to a visit beside its row comes back as it was written, and the tables refuse what cannot be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from app.models.quantities import Volume
from app.models.records import AuditEntry
from app.models.refill_visit import Decided, NeedleCheck, Ticked, VisitPlace
from app.models.solution_change import BridgeChoice
from app.models.vial import ScannedVial
from tests.services.bench import NOW, Bench


@pytest.fixture
def bench(tmp_path: Path):
    made = Bench(tmp_path)
    yield made
    made.station.store.close()


def test_everything_comes_back(bench: Bench) -> None:
    store, nurse = bench.station.store, bench.nurse
    plain = bench.until_proposed()
    whole = replace(
        plain,
        place=VisitPlace.HOME,
        vials=(
            ScannedVial("00300000000017", "A 1", date(2027, 5, 31), "77", None),
            ScannedVial("00300000000017", "A 1", date(2027, 5, 31), None, None),
        ),
        read_twice=True,
        ticked=(Ticked(NeedleCheck.REFILL_PORT, NOW, nurse.id), Ticked(NeedleCheck.DREW_BACK, NOW, nurse.id)),
        found_after=Volume.ml(19),
        decided=Decided(BridgeChoice.NO_BRIDGE, "New catheter, never filled", Volume.ml(2), NOW, nurse.id),
        facts_at=NOW,
    )
    store.save_visit(whole, AuditEntry(NOW, nurse.id, "test", whole.id))
    assert store.visit(whole.id) == whole
    store.save_visit(plain, AuditEntry(NOW, nurse.id, "test", plain.id))
    assert store.visit(plain.id) == plain, "what was taken back is gone"


def test_no_bridge_without_a_reason(bench: Bench) -> None:
    visit = bench.until_proposed()
    silent = replace(visit, decided=Decided(BridgeChoice.NO_BRIDGE, "", Volume.zero(), NOW, bench.nurse.id))
    with pytest.raises(IntegrityError):
        bench.station.store.save_visit(silent, AuditEntry(NOW, bench.nurse.id, "test", visit.id))
    assert bench.station.store.visit(visit.id) == visit
