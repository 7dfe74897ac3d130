"""A short run of the kills campaign, and proof that it sees a store that writes by halves, too late, or too early."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.models.records import AuditEntry
from app.models.refill_visit import RefillVisit
from app.store import audit_trail, clinic
from app.store.clinic import SqlClinicStore
from tests.campaigns.kill_bench import AT_LAST
from tests.campaigns.kills import STEPS, Case, Tally, Ward


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Ward:
    """Another concentration without a bridge, which leaves a task; the commit's answer is lost."""
    ward = Ward(3, tmp_path_factory.mktemp("kills"))
    assert (ward.case.concentration, ward.case.settled) == (2000, "arrived")
    return ward


@pytest.fixture
def ward(prepared: Ward) -> Iterator[Ward]:
    prepared.tally = Tally()
    yield prepared


@pytest.mark.parametrize("step", ["open", "fill", "propose", "stage", "send", "settle", "facts"])
def test_a_killed_step_leaves_all_of_itself_or_nothing(ward: Ward, step: str) -> None:
    ward.kill(step, 3)
    assert ward.tally.wrong == []
    assert ward.tally.kills[step] == 3
    assert ward.tally.acknowledged[step] == 1


def test_cases_cover_what_they_are_to_cover() -> None:
    cases = [Case.draw(seed) for seed in range(1, 40)]
    assert {case.settled for case in cases} == {"draft", "lost", "arrived"}
    assert {case.concentration for case in cases} == {1000, 2000}
    assert {case.by_nurse for case in cases} == {True, False}
    assert {case.corrected_from for case in cases} == {"drug", "fill", "propose", "check"}
    assert Case.draw(5) == Case.draw(5) != Case.draw(6)
    assert len(STEPS) == 15


def _torn(store: SqlClinicStore, visit: RefillVisit, entry: AuditEntry, **_more: object) -> None:
    with store.engine.begin() as connection:
        clinic._keep_visit(connection, visit)
    with store.engine.begin() as connection:
        audit_trail.append(connection, entry)


def _later(_store: SqlClinicStore, _visit: RefillVisit, _entry: AuditEntry, **_more: object) -> None:
    """What is written only once there is time for it is not written when the process ends."""


def _save_by(save: object) -> None:
    SqlClinicStore.save_visit = save  # type: ignore[assignment,method-assign]


def test_a_step_and_its_audit_row_in_two_transactions_are_seen(ward: Ward) -> None:
    ward.kill("identify", 12, spoil=lambda: _save_by(_torn))
    assert any("a part of the step" in words for words in ward.tally.wrong)


def test_a_step_that_is_acknowledged_and_not_saved_is_seen(ward: Ward) -> None:
    tried = ward.tried["identify"]
    known = ward.known(tried)
    ward._kill_once(tried, known, AT_LAST, lambda: _save_by(_later))
    assert any("what was acknowledged is lost" in words for words in ward.tally.wrong)


def test_an_order_that_leaves_before_its_intent_is_on_disk_is_seen(ward: Ward) -> None:
    def early() -> None:
        SqlClinicStore.write_intent = lambda *_args, **_more: None  # type: ignore[assignment,method-assign]
        SqlClinicStore.in_doubt = lambda *_args: False  # type: ignore[method-assign]

    ward.kill("stage", 3, spoil=early)
    assert any("acknowledged is lost" in words for words in ward.tally.wrong)
