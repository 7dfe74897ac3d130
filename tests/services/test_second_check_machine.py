"""Random sequences of calls by two people: a check by two never comes of one person's calls, of an edit or of age."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, cast

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.bootstrap import as_sent
from app.documents.catalogue import load_catalogue
from app.models.errors import AppError
from app.models.patient import Implant, Patient, Role, User
from app.models.program import Program, SimpleContinuous
from app.models.pump import PumpSettings
from app.models.quantities import Concentration, DoseRate, Volume
from app.models.records import AuditEntry, TherapyRecord
from app.models.refill_visit import RefillVisit, Step
from app.models.second_check import (
    CheckAttempt,
    Entered,
    SecondCheck,
    SecondCheckMissingError,
    SettingsChangedError,
    expected_of,
)
from app.models.tasks import Task, TaskEnd
from app.services.clock import Clock
from app.services.second_check import SecondCheckDesk

CATALOGUE = load_catalogue()
MODEL = CATALOGUE.pump("synchromed-ii-20")
START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
A, B, C = (User(f"user-{name}", name, Role.NURSE) for name in "abc")
PEOPLE = {"a": A, "b": B}
IMPLANT = Implant("implant", "patient", MODEL.slug, "S1", START.date())
PATIENT = Patient("patient", "1", "Family", "Given", START.date())


def plan(mcg: int) -> PumpSettings:
    program = Program(SimpleContinuous(DoseRate.mcg_per_day(mcg)))
    return PumpSettings("baclofen", Concentration.mcg_per_ml(2000), program, Volume.ml(2))


PLANS = (plan(300), plan(400))
VOLUMES = (Volume.ml(17), Volume.ml(18))


def digest_of(wanted: PumpSettings) -> str:
    return as_sent(wanted)[1]


@dataclass
class Memory:
    """A store that remembers rows in lists, in place of the database."""

    visit_row: RefillVisit
    rows: list[AuditEntry] = field(default_factory=list)
    checks: list[SecondCheck] = field(default_factory=list)
    attempts: list[CheckAttempt] = field(default_factory=list)
    made: list[Task] = field(default_factory=list)

    def users(self) -> Sequence[User]:
        return [A, B, C]

    def visit(self, _visit_id: str) -> RefillVisit:
        return self.visit_row

    def therapy(self, _patient_id: str) -> TherapyRecord:
        return TherapyRecord(PATIENT, IMPLANT, None, (), None)

    def fills(self, _implant_id: str) -> Sequence[object]:
        return []

    def trail(self, subject: str) -> Sequence[AuditEntry]:
        return [row for row in self.rows if row.subject == subject]

    def second_checks(self, _visit_id: str) -> Sequence[SecondCheck]:
        return self.checks

    def add_second_check(
        self, check: SecondCheck, entry: AuditEntry, *, task: tuple[Task, AuditEntry] | None = None
    ) -> None:
        self.checks.append(check)
        self.rows.append(entry)
        if task is not None:
            self.made.append(task[0])
            self.rows.append(task[1])

    def second_check_attempts(self, _visit_id: str) -> Sequence[CheckAttempt]:
        return self.attempts

    def add_second_check_attempt(self, attempt: CheckAttempt, entry: AuditEntry) -> None:
        self.attempts.append(attempt)
        self.rows.append(entry)

    def open_tasks(self) -> Sequence[Task]:
        return self.made

    def tasks(self, _patient_id: str) -> Sequence[Task]:
        return self.made

    def add_task(self, task: Task, entry: AuditEntry) -> None:
        raise NotImplementedError

    def end_task(self, task_id: str, end: TaskEnd, entry: AuditEntry) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class Agreement:
    """What the model knows of two people who came to the same: who proposed, who typed, what, and when."""

    proposed_by: str
    typed_by: str
    digest: str
    injected: Volume
    at: datetime


class TwoPeople(RuleBasedStateMachine):
    """Whoever calls is the one whom the call names: a caller never acts in another's name, as after a login."""

    callers: tuple[str, ...] = ("a", "b")

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.store = Memory(RefillVisit("visit", "patient", "implant", START, A.id, START))
        ids = itertools.count()
        self.desk = SecondCheckDesk(
            cast(Any, self.store),
            Clock(lambda: self.now, timedelta(hours=1)),
            lambda: f"{next(ids):032x}",
            CATALOGUE,
            digest_of,
        )
        self.label_by = self.filled_by = self.proposed_by = ""
        self.differed = 0
        self.agreed: list[Agreement] = []
        self.waived = 0

    def _caller(self, name: str) -> User:
        return PEOPLE[name if name in self.callers else self.callers[0]]

    def _note(self, action: str, user: User) -> None:
        self.store.rows.append(AuditEntry(self.now, user.id, action, "visit"))

    # -- what people do --------------------------------------------------------------------------------------

    @rule(who=st.sampled_from("ab"))
    def read_label(self, who: str) -> None:
        self.label_by = self._caller(who).id
        self._note("refill.drug-checked", self._caller(who))

    @rule(who=st.sampled_from("ab"), volume=st.sampled_from(VOLUMES))
    def fill(self, who: str, volume: Volume) -> None:
        self.filled_by = self._caller(who).id
        self._note("refill.filled", self._caller(who))
        self.store.visit_row = replace(self.store.visit_row, injected=volume, step=Step.SETTINGS)

    @rule(who=st.sampled_from("ab"), wanted=st.sampled_from(PLANS))
    def propose(self, who: str, wanted: PumpSettings) -> None:
        visit = self.store.visit_row
        if visit.injected is None:
            return
        self.proposed_by, self.differed = self._caller(who).id, 0
        self._note("refill.proposed", self._caller(who))
        self.store.visit_row = replace(
            visit, proposed=replace(wanted, reservoir=visit.injected), step=Step.CONFIRM
        )  # fmt: skip

    @initialize(who=st.sampled_from("ab"), volume=st.sampled_from(VOLUMES), wanted=st.sampled_from(PLANS))
    def begin(self, who: str, volume: Volume, wanted: PumpSettings) -> None:
        self.do_it_all(who, volume, wanted)

    @rule(who=st.sampled_from("ab"), volume=st.sampled_from(VOLUMES), wanted=st.sampled_from(PLANS))
    def do_it_all(self, who: str, volume: Volume, wanted: PumpSettings) -> None:
        self.read_label(who)
        self.fill(who, volume)
        self.propose(who, wanted)

    @rule(wanted=st.sampled_from(PLANS))
    def propose_again(self, wanted: PumpSettings) -> None:
        """Whoever proposed last thinks better of it, and perhaps better again."""
        self.propose("a" if self.proposed_by == A.id else "b", wanted)

    @rule()
    def check_in_good_faith(self) -> None:
        self.enter("b" if self.proposed_by == A.id else "a", C, True, False)

    @rule()
    def check_carelessly(self) -> None:
        self.enter("b" if self.proposed_by == A.id else "a", C, False, False)

    @rule(who=st.sampled_from("ab"))
    def go_back(self, who: str) -> None:
        self._note("refill.corrected", self._caller(who))
        self.store.visit_row = replace(self.store.visit_row, step=Step.SETTINGS)

    @rule(minutes=st.sampled_from([0, 1, 5, 10, 11, -1]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(
        who=st.sampled_from("ab"),
        beside=st.sampled_from([A, B, C]),
        right=st.booleans(),
        stale=st.sampled_from([False, False, False, True]),
    )
    def enter(self, who: str, beside: User, right: bool, stale: bool) -> None:
        """Somebody types, and says whom they take the first person to be; also with the digest of another plan."""
        caller, visit = self._caller(who), self.store.visit_row
        if visit.proposed is None or visit.injected is None:
            return
        expected = expected_of(visit.proposed, visit.injected, MODEL)
        dose = expected.daily_mcg if right else expected.daily_mcg + Fraction(1, 1000)
        typed = Entered(expected.drug, expected.concentration, dose, expected.injected)
        other = next(one for one in PLANS if one.program != visit.proposed.program)
        digest = digest_of(replace(other, reservoir=visit.injected) if stale else visit.proposed)
        before = (len(self.store.checks), len(self.store.attempts))
        try:
            result = self.desk.enter("visit", digest, typed, first=beside, second=caller)
        except AppError:
            assert (len(self.store.checks), len(self.store.attempts)) == before
            return
        assert not stale and visit.step is Step.CONFIRM and caller != beside
        assert caller.id not in (self.label_by, self.filled_by, self.proposed_by)
        assert self.differed < 3
        assert (result.check is not None) == right == (not result.differing)
        if right:
            self.agreed.append(Agreement(self.proposed_by, caller.id, digest, visit.injected, self.now))
        else:
            self.differed += 1
            assert result.left == 3 - self.differed

    @rule(who=st.sampled_from("ab"), reason=st.sampled_from(["nobody else is here", "aaaaaaaaaaaa", ""]))
    def waive(self, who: str, reason: str) -> None:
        visit = self.store.visit_row
        if visit.proposed is None:
            return
        before = len(self.store.checks)
        try:
            check = self.desk.waive("visit", digest_of(visit.proposed), reason, self._caller(who))
        except AppError:
            assert len(self.store.checks) == before
            return
        assert not check.by_two and reason == "nobody else is here" and self.differed == 0
        assert len(self.store.made) == 1
        self.waived += 1

    # -- what must hold --------------------------------------------------------------------------------------

    def _counting(self, digest: str, injected: Volume | None) -> list[Agreement]:
        window = timedelta(minutes=10)
        return [
            one
            for one in self.agreed
            if (one.digest, one.injected) == (digest, injected) and timedelta(0) <= self.now - one.at <= window
        ]

    @invariant()
    def a_check_by_two_is_the_work_of_two(self) -> None:
        visit = self.store.visit_row
        if visit.proposed is None:
            return
        digest = digest_of(visit.proposed)
        agreed = self._counting(digest, visit.injected)
        found = self.desk.standing(visit)
        assert (found is not None and found.by_two) == bool(agreed)
        assert all(one.proposed_by != one.typed_by for one in agreed)
        assert not agreed or len(self.callers) > 1
        try:
            passed = self.desk.require("visit", digest, visit.injected, self.now)
        except SecondCheckMissingError:
            passed = None
        assert passed == found

    @invariant()
    def nothing_else_may_be_sent(self) -> None:
        visit = self.store.visit_row
        if visit.proposed is None or visit.injected is None:
            return
        other = next(one for one in PLANS if one.program != visit.proposed.program)
        volume = next(one for one in VOLUMES if one != visit.injected)
        for digest, injected in (
            (digest_of(replace(other, reservoir=visit.injected)), visit.injected),
            (digest_of(visit.proposed), volume),
            (digest_of(visit.proposed), None),
        ):
            try:
                self.desk.require("visit", digest, injected, self.now)
            except SettingsChangedError:
                continue
            raise AssertionError(injected)

    @invariant()
    def no_row_tells_what_was_typed(self) -> None:
        told = " ".join(f"{row.action} {row.detail}" for row in self.store.rows)
        assert "nobody else" not in told


class OnePerson(TwoPeople):
    """The same, where everything is called by one of them."""

    callers = ("a",)

    @invariant()
    def one_person_never_makes_two(self) -> None:
        assert not self.agreed and not any(check.by_two for check in self.store.checks)


_MANY = settings(max_examples=300, stateful_step_count=30, deadline=None)
TwoPeople.TestCase.settings = _MANY
OnePerson.TestCase.settings = _MANY
test_two_people = TwoPeople.TestCase
test_one_person = OnePerson.TestCase
