"""Visits: every service call of a refill by anybody in any order, with mishaps; a refused call changes nothing.

Law: what must hold is judged from what the machine itself has seen and from the pump's own memory, and not by asking
the services whose work it is.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import shutil
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import ClassVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, event, func, select

from app.device import mishaps
from app.device.server import Do, Fault, PumpServer
from app.device.settings_codec import decode_settings, encode_settings
from app.models.course import figures_of
from app.models.errors import AppError
from app.models.patient import Role, User
from app.models.program import Program, SimpleContinuous
from app.models.pump import Outcome, PumpEventKind, PumpPort, PumpSettings, StopDelivery
from app.models.pump_events import Way, gating
from app.models.quantities import Concentration, DoseRate, Mass, Volume
from app.models.refill_visit import DrugCheck, NeedleCheck, RefillVisit, Step, VisitEvent, VisitPlace
from app.models.second_check import Entered, expected_of
from app.models.signed_order import SignedOrder
from app.models.solution_change import BridgeChoice
from app.services.orders import Orders
from app.services.programming import Staged
from app.services.reasons import Reasons
from app.services.visit_rules import UNANSWERED, BridgeAnswer, Label
from app.store import tables
from app.store.audit_trail import first_broken
from tests.campaigns.kill_bench import SERIAL, copied, make_folder, open_program, pump_in
from tests.campaigns.kill_bench import Program as OpenProgram
from tests.services.bench import NOW, PATIENT, Cable

IMPLANT = "implant-heetla-1"
NUMBER, BORN = "50-0918", date(1957, 5, 3)
REASON = "As agreed with the patient"
_PEOPLE = st.sampled_from(("physician", "nurse", "third"))
_MOSTLY = st.sampled_from((True, True, True, True, False))
_REASONED = st.sampled_from((REASON, REASON, REASON, ""))
_AT_PUMP = frozenset({"Begin", "Chunk", "Seal", "Commit"})


@cache
def _prepared() -> Path:
    """A clinic as it is on the first day; each run works on a copy."""
    folder = Path(tempfile.mkdtemp(prefix="cisterna-visits-"))
    make_folder(folder / "clinic-of-all")
    return folder / "clinic-of-all"


class Ledger:
    """Looks at every transaction: what was written in it, and with how many audit rows."""

    def __init__(self) -> None:
        self.writes: list[str] = []
        self.rows = 0
        self.transactions = 0
        self.wrong: list[str] = []

    def watch(self, engine: Engine) -> None:
        def before(_connection, _cursor, statement, _values, _context, _many) -> None:  # type: ignore[no-untyped-def]
            words = statement.split(None, 3)
            if words[0] in ("INSERT", "UPDATE", "DELETE"):
                table = words[1] if words[0] == "UPDATE" else words[2]
                (self._audited if table.startswith("audit") else self.writes.append)(table)

        commit = engine.dialect.do_commit

        def do_commit(connection) -> None:  # type: ignore[no-untyped-def]
            commit(connection)
            self._close()

        event.listen(engine, "before_cursor_execute", before)
        event.listen(engine, "rollback", lambda _connection: self._forget())
        engine.dialect.do_commit = do_commit  # type: ignore[method-assign]

    def _audited(self, _table: str) -> None:
        self._row = True
        self.rows += 1
        self._rows_now = getattr(self, "_rows_now", 0) + 1

    def _close(self) -> None:
        rows = getattr(self, "_rows_now", 0)
        wanted = 2 if {"second_checks", "tasks"} <= set(self.writes) else 1
        if (self.writes or rows) and rows != wanted:
            self.wrong.append(f"{rows} audit rows for {sorted(set(self.writes))}")
        self.transactions += bool(self.writes or rows)
        self._forget()

    def _forget(self) -> None:
        self.writes, self._rows_now = [], 0


@dataclass(frozen=True)
class Checked:
    """A check by two, or a waiver, as the machine saw it."""

    digest: str
    injected: Volume
    at: datetime


class _Elsewhere:
    """Another clinic's store, which tells this one nothing."""

    def save_order(self, *args: object, **more: object) -> None:
        pass

    def in_doubt(self, serial: str) -> bool:
        return False

    def audit_head(self) -> str:
        return "0" * 64


class Visits(RuleBasedStateMachine):
    """One patient, three people, one pump; and another pump that may hang on the cable instead."""

    done: ClassVar[Counter[str]] = Counter()
    """How often each rule ran, over all runs."""
    refused: ClassVar[Counter[str]] = Counter()
    """How often each rule was refused, and by which error."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="cisterna-visit-")) / "one"
        copied(_prepared(), self.folder)
        self.now = NOW
        self._starts = itertools.count(1)
        self.server = pump_in(self.folder)
        self.pump = self.server.pump
        self.cable = Cable(self.pump)
        self.cable.server = self.server
        self.stranger = self._make_stranger()
        self.ledger = Ledger()
        self.here = self._start()
        users = self.here.store.users()
        physician = next(user for user in users if user.role is Role.PHYSICIAN)
        nurse = next(user for user in users if user.role is Role.NURSE)
        third = next(user for user in users if user.id not in (physician.id, nurse.id))
        self.people: dict[str, User] = {"physician": physician, "nurse": nurse, "third": third}
        self.fills = {fill.id for fill in self.here.store.fills(IMPLANT)}
        self.identified: set[str] = set()
        self.checked: list[Checked] = []
        self.staged: tuple[Staged, PumpPort] | None = None
        self.dead: set[str] = set()
        self.orders: dict[str, SignedOrder] = {}
        self.ordered_solutions: set[tuple[str, Concentration]] = set()
        self.untouched = True
        self.stopped_by_others = False
        self._seen: RefillVisit | None = None
        self._seen_at = -1
        self._held_at: object = None

    def _make_stranger(self) -> PumpServer:
        """Another patient's pump."""
        from app.device.emulated_pump import EmulatedPump
        from app.device.frames import bench_key
        from app.device.pump_memory import MemoryFile

        pump = EmulatedPump(
            "EMU-555555", self.pump.model, self.pump.clock, memory_file=MemoryFile(),
            made=self.pump.memory, randomness=lambda size: bytes(size),
        )  # fmt: skip
        return PumpServer(pump, bench_key("EMU-555555"))

    def _start(self) -> OpenProgram:
        here = open_program(self.folder, f"start {next(self._starts)}", self.cable.open, now=lambda: self.now)
        self.ledger.watch(here.store.engine)
        for name in ("therapy", "users", "known_revision", "pump_events", "fills"):
            setattr(here.store, name, self._remembered(getattr(here.store, name)))
        return here

    def _remembered(self, read: Callable[..., object]) -> Callable[..., object]:
        """The same answer to the same question, until something is written or the program is started again."""
        answers: dict[object, object] = {}

        def ask(*what: object) -> object:
            key = (self.ledger.transactions, what)
            if key not in answers:
                answers.clear() if len(answers) > 100 else None
                answers[key] = read(*what)
            return answers[key]

        return ask

    def teardown(self) -> None:
        assert first_broken(self.here.store.engine) is None
        with self.here.store.engine.connect() as connection:
            rows = connection.execute(select(func.count()).select_from(tables.audit)).scalar()
        assert rows is not None and rows >= self.ledger.rows
        self.here.store.close()
        shutil.rmtree(self.folder.parent)

    # -- how it is done --------------------------------------------------------------------------------------

    def visit(self) -> RefillVisit | None:
        """The patient's open visit; asked anew only after something was written."""
        if self._seen_at != self.ledger.transactions:
            self._seen_at = self.ledger.transactions
            found = (visit for visit in self.here.store.open_visits() if visit.patient_id == PATIENT)
            self._seen = next(found, None)
        return self._seen

    def attempt(self, name: str, what: Callable[[], object]) -> bool:
        """Do it; one that is refused has changed nothing in the store but what the pump's answer forced."""
        Visits.done[name] += 1
        before, commits = self.visit(), self.ledger.transactions
        try:
            what()
        except AppError as error:
            Visits.refused[f"{name}: {type(error).__name__}"] += 1
            if name not in ("stage", "send", "settle"):
                assert self.ledger.transactions == commits, f"{name} was refused and has written"
                assert self.visit() == before
            return False
        return True

    def _reasons(self, findings: object, reason: str) -> Reasons:
        return {(found.rule, found.reason): reason for found in findings} if reason else {}  # type: ignore[attr-defined]

    def _step(self, name: str, what: Callable[[RefillVisit], object]) -> bool:
        visit = self.visit()
        return visit is not None and self.attempt(name, lambda: what(visit))

    # -- the steps -------------------------------------------------------------------------------------------

    @initialize(far=st.sampled_from((0, 0, 4, 6, 7)), who=_PEOPLE, changes=st.booleans())
    def begin(self, far: int, who: str, changes: bool) -> None:
        """Some runs begin further on, so that the end is reached often."""
        self.open(who)
        for _ in range(far):
            self.go_on(who, "physician", changes, BridgeChoice.BRIDGE)

    @rule(who=_PEOPLE)
    def open(self, who: str) -> None:
        self.attempt("open", lambda: self.here.station.desk.open(PATIENT, self.people[who]))

    @rule(who=_PEOPLE, wrong=st.sampled_from(("", "", "", "number", "born", "other")))
    def identify(self, who: str, wrong: str) -> None:
        number = {"number": "50-0919", "other": "50-0702"}.get(wrong, NUMBER)
        born = {"born": date(1957, 3, 5), "other": date(1955, 10, 30)}.get(wrong, BORN)
        desk, visit = self.here.station.desk, self.visit()
        if visit is None:
            return
        first = visit.step is Step.IDENTIFY
        call = desk.identify if first else desk.take_up
        taken = self.attempt("identify", lambda: call(visit, number=number, born_on=born, user=self.people[who]))
        assert not (taken and wrong), "wrong digits were taken"
        if taken:
            self.identified.add(visit.id)

    @rule(who=_PEOPLE)
    def interrogate(self, who: str) -> None:
        desk = self.here.station.desk
        if self._step("interrogate", lambda visit: desk.interrogate(visit, self.here.port(), self.people[who])):
            visit = self.visit()
            assert visit is not None and visit.reading is not None
            assert visit.reading.serial == SERIAL
            if self.untouched and visit.expected is not None:
                # The record by both engines, and the pump's own counter as the third witness (cut to nL).
                assert abs(visit.expected.quanta - visit.reading.reservoir.quanta) <= 1000

    @rule(who=_PEOPLE, centi_ml=st.sampled_from((390, 410, 591, 150, 0, 1900)), reason=_REASONED)
    def aspirate(self, who: str, centi_ml: int, reason: str) -> None:
        desk, out = self.here.station.desk, Volume.ml(Fraction(centi_ml, 100))

        def record(visit: RefillVisit) -> None:
            residual = desk.rules.judge_aspirate(visit, out)
            why = self._reasons(residual.findings if residual else (), reason)
            desk.record_aspirate(visit, out, self.people[who], why)

        self._step("aspirate", record)

    @rule(who=_PEOPLE, mcg=st.sampled_from((1000, 1000, 2000, 500, 50)), good=_MOSTLY, twice=_MOSTLY, reason=_REASONED)
    def drug(self, who: str, mcg: int, good: bool, twice: bool, reason: str) -> None:
        desk, expired = self.here.station.desk, not good
        until = date(2026, 11, 1) if expired else date(2028, 1, 1)
        label = Label(DrugCheck("baclofen", Concentration.mcg_per_ml(mcg), "L1", until), read_twice=twice)

        def record(visit: RefillVisit) -> None:
            findings = desk.rules.judge_drug(visit, label, self.people[who])
            desk.record_drug(visit, label, self.people[who], self._reasons(findings, reason))

        done = self._step("drug", record)
        assert not (done and (expired or not twice or mcg == 50)), "a wrong vial was taken"

    @rule(who=_PEOPLE, centi_ml=st.sampled_from((1750, 1800, 2000, 2001, 4000)),
          ticks=st.sampled_from((tuple(NeedleCheck), tuple(NeedleCheck), (NeedleCheck.DREW_BACK,), ())),
          after=st.sampled_from((None, None, None, 1000)), reason=_REASONED)  # fmt: skip
    def fill(
        self, who: str, centi_ml: int, ticks: tuple[NeedleCheck, ...], after: int | None, reason: str
    ) -> None:
        desk, what = self.here.station.desk, Volume.ml(Fraction(centi_ml, 100))
        found = Volume.ml(Fraction(after, 100)) if after is not None else None

        def record(visit: RefillVisit) -> None:
            why = self._reasons(desk.rules.judge_fill(visit, what, ticks, found), reason)
            desk.record_fill(visit, what, self.people[who], why, ticked=ticks, found_after=found)

        done = self._step("fill", record)
        assert not (done and (centi_ml > 2000 or NeedleCheck.REFILL_PORT not in ticks)), "overfilled, or another port"

    @rule(who=_PEOPLE)
    def correct(self, who: str) -> None:
        self._step("correct", lambda visit: self.here.station.desk.correct(visit, self.people[who]))

    @rule(who=_PEOPLE, dose=st.sampled_from((None, None, 300, 330, 400, 2000)), reason=_REASONED,
          choice=st.sampled_from((None, BridgeChoice.BRIDGE, BridgeChoice.BRIDGE, BridgeChoice.NO_BRIDGE)),
          told=st.sampled_from((0, 0, 0, 1_000)))  # fmt: skip
    def propose(self, who: str, dose: int | None, choice: BridgeChoice | None, told: int, reason: str) -> None:
        rules, desk, user = self.here.station.desk.rules, self.here.station.desk, self.people[who]

        def make(visit: RefillVisit) -> None:
            now = rules.settings_now(visit)
            assert now is not None
            program = now.program if dose is None else Program(SimpleContinuous(DoseRate.mcg_per_day(dose)))
            answer = UNANSWERED
            if choice is not None:
                answer = BridgeAnswer(choice, reason=reason, rinsed=Volume.ml(5))
            wanted = rules.settings_for(
                visit, program=program, low_alarm=now.low_alarm, choice=answer.choice, rinsed=answer.rinsed
            )
            assert wanted.reservoir is not None
            wanted = replace(wanted, reservoir=Volume(wanted.reservoir.quanta - told * 10**6))
            why = self._reasons(rules.judge_settings(visit, wanted, user, answer), reason)
            desk.propose(visit, wanted, user, why, answer=answer)

        self._step("propose", make)

    @rule(first=_PEOPLE, second=_PEOPLE, right=_MOSTLY)
    def check(self, first: str, second: str, right: bool) -> None:
        checks, visit = self.here.station.checks, self.visit()
        if visit is None or visit.proposed is None or visit.injected is None:
            return
        wanted = expected_of(visit.proposed, visit.injected, self.here.station.desk.model_of(visit))
        dose = wanted.daily_mcg if right else wanted.daily_mcg + 1
        entered = Entered(wanted.drug, wanted.concentration, dose, wanted.injected)
        digest = checks.proposed_digest(visit)
        if self.attempt(
            "check",
            lambda: checks.enter(visit.id, digest, entered, first=self.people[first], second=self.people[second]),
        ):
            assert first != second, "one person made two"
            if right:
                self.checked.append(Checked(digest, visit.injected, self.now))

    @rule(who=_PEOPLE, reason=st.sampled_from((REASON, "aaaaaaaaaaaaaa", "")))
    def waive(self, who: str, reason: str) -> None:
        checks, visit = self.here.station.checks, self.visit()
        if visit is None or visit.proposed is None or visit.injected is None:
            return
        digest = checks.proposed_digest(visit)
        if self.attempt("waive", lambda: checks.waive(visit.id, digest, reason, self.people[who])):
            assert reason == REASON
            self.checked.append(Checked(digest, visit.injected, self.now))

    # -- sending ---------------------------------------------------------------------------------------------

    @rule(who=_PEOPLE)
    def stage(self, who: str) -> None:
        station, visit, port = self.here.station, self.visit(), self.here.port()
        if visit is None:
            return
        begun = self.server.heard.count("Begin")
        held = gating(station.events.cards(visit), VisitEvent.SENT)

        def lay_in() -> None:
            model = station.desk.model_of(visit)
            staged = station.programming.stage(visit, model, port, serial=SERIAL, user_id=self.people[who].id)
            self.staged = staged, port

        self.attempt("stage", lay_in)
        if self.server.heard.count("Begin") > begun:
            assert not held, "laid in while a card held it up"
            self._may_be_sent(visit)

    @rule(who=_PEOPLE)
    def send(self, who: str) -> None:
        """Send what was staged, also if the visit has moved on since."""
        if self.staged is None:
            return
        (staged, port), self.staged = self.staged, None
        station, visit, user = self.here.station, self.visit(), self.people[who]
        commits, before = self.server.heard.count("Commit"), self.pump.memory
        cards = station.events.cards(visit) if visit is not None else ()
        model = station.desk.model_of(staged.visit)
        self.attempt("send", lambda: station.programming.send(staged, model, port, user_id=user.id))
        if self.server.heard.count("Commit") > commits:
            assert visit is not None and self.server.heard.count("Commit") == commits + 1
            assert not gating(cards, VisitEvent.SENT), "sent while a card held it up"
            self._may_be_sent(visit)
            assert visit.reading is not None
            self._may_be_committed(visit, visit.reading.settings, user)
            if len(self.pump.memory.applied) > len(before.applied):
                assert before.slot.settings == encode_settings(visit.reading.settings), "not what was reviewed"
        after = self.here.store.visit(staged.visit.id)
        if after.outcome is Outcome.VERIFIED and after.verified_at == self.now:
            assert after.proposed is not None
            assert self.pump.memory.slot.settings == encode_settings(after.proposed)

    def _may_be_sent(self, visit: RefillVisit) -> None:
        assert visit.id in self.identified, "something was sent without two identifiers"
        assert visit.step is Step.CONFIRM, visit.step
        assert visit.reading is not None and visit.reading.serial == SERIAL

    def _may_be_committed(self, visit: RefillVisit, before: PumpSettings, user: User) -> None:
        """What had to be there, from what this machine has seen itself."""
        wanted, rule_of = visit.proposed, self.here.station.catalogue.rule
        assert wanted is not None and visit.injected is not None
        assert wanted.reservoir == visit.injected, "the pump would be told another volume"
        changes = (before.drug, before.concentration) != (wanted.drug, wanted.concentration)
        if changes:
            assert visit.decided is not None, "another solution without a decision"
            assert (wanted.bridge is not None) == (visit.decided.choice is BridgeChoice.BRIDGE)
        model = self.here.station.desk.model_of(visit)
        old, new = (
            figures_of(one.program, model, one.concentration).achieved_daily / Mass.PER_MCG for one in (before, wanted)
        )
        limit = rule_of("u_07_daily_dose_change_percent")
        if changes or abs(new - old) * 100 > old * limit or new > rule_of("u_07_high_dose_mcg_per_day"):
            digest = self.here.station.checks.proposed_digest(visit)
            valid = timedelta(minutes=int(rule_of("u_07_valid_min")))
            assert any(
                (one.digest, one.injected) == (digest, visit.injected) and self.now - one.at <= valid
                for one in self.checked
            ), "sent without a check by two and without a reason"
        day = self.here.station.clock.pump().date()
        orders = [one.settings for one in self.orders.values() if one.valid_until >= day]
        if user.role is not Role.PHYSICIAN and wanted.program != before.program:
            assert any(one.program == wanted.program for one in orders), "a nurse sent a dose that nobody had ordered"
        if changes and user.role is not Role.PHYSICIAN:
            solution = (wanted.drug, wanted.concentration)
            assert solution in self.ordered_solutions, "a nurse changed the solution, and nobody had ordered it"

    @rule(who=_PEOPLE)
    def settle(self, who: str) -> None:
        for intent in self.here.store.intents_in_doubt():
            commits = self.server.heard.count("Commit")
            visit = self.here.store.visit(intent.visit_id)
            self.attempt(
                "settle",
                lambda visit=visit, intent=intent: self.here.station.programming.settle(
                    visit, intent, self.here.port(), user_id=self.people[who].id
                ),
            )
            assert self.server.heard.count("Commit") == commits, "asking has sent something"

    @rule(who=_PEOPLE, days=st.sampled_from((40, 40, 51, 80, 400, None)), reason=_REASONED)
    def book(self, who: str, days: int | None, reason: str) -> None:
        desk = self.here.station.desk
        day = None if days is None else self.now.date() + timedelta(days=days)

        def do(visit: RefillVisit) -> None:
            why = self._reasons(desk.rules.judge_appointment(visit, day), reason)
            desk.book(visit, day, self.people[who], why)

        self._step("book", do)

    @rule(who=_PEOPLE)
    def abandon(self, who: str) -> None:
        self._step("abandon", lambda visit: self.here.station.desk.abandon(visit, self.people[who]))

    @rule(who=_PEOPLE, sure=st.sampled_from((True, False, False, False, False)))
    def without_programmer(self, who: str, sure: bool) -> None:
        if sure:
            self._step("without", lambda visit: self.here.station.desk.without_programmer(visit, self.people[who]))

    @rule(who=_PEOPLE, place=st.sampled_from(tuple(VisitPlace)))
    def go_to(self, who: str, place: VisitPlace) -> None:
        self._step("place", lambda visit: self.here.station.desk.go_to(visit, place, self.people[who]))

    @rule(who=_PEOPLE)
    def confirm_facts(self, who: str) -> None:
        self._step("facts", lambda visit: self.here.station.desk.confirm_facts(visit, self.people[who]))

    @rule(first=_PEOPLE, second=_PEOPLE, changes=st.booleans(),
          choice=st.sampled_from((BridgeChoice.BRIDGE, BridgeChoice.NO_BRIDGE)))  # fmt: skip
    def go_on(self, first: str, second: str, changes: bool, choice: BridgeChoice) -> None:
        """The step that is due, as it should be done."""
        visit = self.visit()
        if visit is None:
            self.open(first)
        elif visit.step is Step.CONFIRM:
            if self.here.store.intents_in_doubt() and self.staged is None:
                self.settle(first)
            elif self.staged is not None:
                self.send(first)
            else:
                with suppress(AppError):
                    if self.here.station.checks.needed(visit) and not self.here.station.checks.standing(visit):
                        self.check(first, second, True)
                self.stage(first)
        else:
            {
                Step.IDENTIFY: lambda: self.identify(first, ""),
                Step.INTERROGATE: lambda: self.interrogate(first),
                Step.RESIDUAL: lambda: self.aspirate(first, 410, REASON),
                Step.DRUG: lambda: self.drug(first, 2000 if changes else 1000, True, True, REASON),
                Step.FILL: lambda: self.fill(first, 1750, tuple(NeedleCheck), None, REASON),
                Step.SETTINGS: lambda: self.propose(first, None, choice if self._changes(visit) else None, 0, REASON),
                Step.PROGRAMME: lambda: self.settle(first),
                Step.REPORT: lambda: self.book(first, 40, REASON),
            }[visit.step]()

    @rule(first=_PEOPLE, second=_PEOPLE, changes=st.booleans(),
          choice=st.sampled_from((BridgeChoice.BRIDGE, BridgeChoice.NO_BRIDGE)))  # fmt: skip
    def go_on_too(self, first: str, second: str, changes: bool, choice: BridgeChoice) -> None:
        self.go_on(first, second, changes, choice)

    def _changes(self, visit: RefillVisit) -> bool:
        return visit.drug_check is not None and self.here.station.desk.rules.changes_solution(visit, visit.drug_check)

    # -- cards -----------------------------------------------------------------------------------------------

    @rule(who=_PEOPLE, second=_PEOPLE, place=st.integers(0, 3), reason=_REASONED,
          way=st.sampled_from((None, None, None, *Way)))  # fmt: skip
    def resolve(self, who: str, second: str, place: int, reason: str, way: Way | None) -> None:
        visit = self.visit()
        cards = self.here.station.events.cards(visit) if visit is not None else ()
        if visit is None or not cards:
            return
        card = cards[place % len(cards)]
        user, other = self.people[who], self.people[second]
        done = self.attempt(
            "resolve",
            lambda: self.here.station.events.resolve(visit, card, way or card.way, reason, user, second=other),
        )
        if done:
            assert card.way in (Way.PHYSICIAN, Way.CONFIRM, Way.ACKNOWLEDGE)
            assert card.way is not Way.PHYSICIAN or user.role is Role.PHYSICIAN
            assert not card.stop or user.id != other.id
            assert card.way is Way.ACKNOWLEDGE or reason == REASON

    @rule(who=_PEOPLE)
    def read_again(self, who: str) -> None:
        self._step(
            "read again", lambda visit: self.here.station.events.read_again(visit, self.here.port(), self.people[who])
        )

    @rule(who=_PEOPLE)
    def reconcile(self, who: str) -> None:
        station = self.here.station
        if self._step("reconcile", lambda visit: station.events.reconcile(visit, self.people[who])):
            self._step("expect again", lambda visit: station.desk.expect_again(visit, self.people[who]))

    # -- orders ----------------------------------------------------------------------------------------------

    @rule(who=_PEOPLE, dose=st.sampled_from((330, 300)), mcg=st.sampled_from((1000, 2000)))
    def sign(self, who: str, dose: int, mcg: int) -> None:
        prescribing, user = self.here.station.prescribing, self.people[who]
        implant = self.here.station.desk.implant(PATIENT)
        running = prescribing.therapy(implant).settings
        if running is None:
            return
        wanted = replace(
            running, program=Program(SimpleContinuous(DoseRate.mcg_per_day(dose))), bridge=None,
            concentration=Concentration.mcg_per_ml(mcg),
        )  # fmt: skip
        until = self.here.station.clock.pump().date() + timedelta(days=30)
        draft = None
        if not self.attempt("draft", lambda: prescribing.save_draft(implant, f"Plan {dose}", wanted, user)):
            return
        draft = prescribing.drafts(implant)[0]

        def sign() -> None:
            reviewed = prescribing.review(implant, draft.settings)
            order = prescribing.sign(
                implant, draft, user, range_percent=Fraction(0), valid_until=until,
                reasons=self._reasons(reviewed.findings, REASON),
            )  # fmt: skip
            self.orders = {order.id: order}
            self.ordered_solutions.add((order.settings.drug, order.settings.concentration))

        if self.attempt("sign", sign):
            assert user.role is Role.PHYSICIAN

    @rule(who=_PEOPLE)
    def withdraw(self, who: str) -> None:
        for order in list(self.orders.values()):
            if self.attempt(
                "withdraw",
                lambda order=order: self.here.station.prescribing.withdraw(order, self.people[who]),
            ):
                assert self.people[who].role is Role.PHYSICIAN
                self.orders.clear()

    # -- what befalls them -----------------------------------------------------------------------------------

    @rule(minutes=st.sampled_from((1, 5, 9, 10, 11, 21, 60, 60 * 25)))
    def wait(self, minutes: int) -> None:
        Visits.done["wait"] += 1
        self.now += timedelta(minutes=minutes)
        self.pump.clock.advance(timedelta(minutes=minutes))

    @rule(sure=st.sampled_from((True, False, False, False)))
    def cut(self, sure: bool) -> None:
        Visits.done["cut"] += sure
        self.cable.cut |= sure

    @rule()
    def mend(self) -> None:
        Visits.done["mend"] += 1
        self.cable.server = self.server
        self.cable.mend()

    @rule()
    def mend_again(self) -> None:
        if self.cable.cut or self.cable.server is not self.server:
            self.mend()

    @rule(do=st.sampled_from((Do.DROP_ANSWER, Do.DIE_BEFORE, Do.DIE_AFTER, Do.REBOOT_AFTER)),
          on=st.sampled_from(("Commit", "Commit", "Seal", "Resolve", "ReadProgram")))  # fmt: skip
    def fault(self, do: Do, on: str) -> None:
        Visits.done["fault"] += 1
        self.server.faults.append(Fault(do, on, self.server.heard.count(on) + 1))

    @rule(on=_MOSTLY)
    def plug(self, on: bool) -> None:
        """Another patient's pump on the cable, or the right one again."""
        Visits.done["plug"] += 1
        self.cable.server = self.server if on else self.stranger

    @rule(what=st.sampled_from(("stall", "recover", "recover", "lose", "battery", "worn")),
          sure=st.sampled_from((True, False, False)))  # fmt: skip
    def mishap(self, what: str, sure: bool) -> None:
        if not sure:
            return
        Visits.done[what] += 1
        self.untouched = False
        match what:
            case "stall":
                mishaps.stall(self.pump)
            case "recover":
                mishaps.recover(self.pump)
            case "lose":
                mishaps.lose_memory(self.pump)
            case "battery":
                mishaps.drain_battery(self.pump)
            case _:
                mishaps.wear_out(self.pump, days_left=60)

    @rule(stops=st.sampled_from((False, False, True)), sure=st.sampled_from((True, False, False)))
    def elsewhere(self, stops: bool, sure: bool) -> None:
        """Another clinic's programmer stops the pump, or gives it another dose."""
        if not sure or self.cable.cut or self.cable.server is not self.server or self.server.faults:
            return
        Visits.done["elsewhere"] += 1
        self.untouched = False
        station = self.here.station
        orders = Orders(_Elsewhere(), station.clock, lambda: f"{next(self._starts):032x}")  # type: ignore[arg-type]
        running = decode_settings(self.pump.memory.slot.settings)
        other = Program(SimpleContinuous(DoseRate.mcg_per_day(280)))
        wanted = StopDelivery() if stops else replace(running, program=other, bridge=None, reservoir=None)
        port = self.here.port()
        with suppress(AppError):
            staged = orders.stage(
                wanted, port.interrogate(), port, implant_id="x", serial=SERIAL, user_id="x"  # type: ignore[arg-type]
            )
            orders.send(staged, port, user_id="x")
            self.stopped_by_others |= stops
        self.staged = None

    @rule()
    def restart(self) -> None:
        """The program ends, and is started again; nothing leaves by that."""
        Visits.done["restart"] += 1
        heard, memory, visit = len(self.server.heard), self.pump.memory, self.visit()
        self.here.store.close()
        self.here = self._start()
        self.staged = None
        assert self.visit() == visit
        self.here.station.store.therapies()
        assert (len(self.server.heard), self.pump.memory) == (heard, memory)

    # -- what must hold --------------------------------------------------------------------------------------

    @invariant()
    def another_pump_is_told_nothing(self) -> None:
        assert not _AT_PUMP & set(self.stranger.heard)

    @invariant()
    def every_change_has_its_audit_row(self) -> None:
        assert not self.ledger.wrong, self.ledger.wrong

    @invariant()
    def store_and_pump_hold_together(self) -> None:
        """Looked at whenever one of them has changed."""
        held_at = (self.ledger.transactions, id(self.pump.memory), tuple(self.pump.memory.applied))
        if held_at == self._held_at:
            return
        self._held_at, store = held_at, self.here.store
        visits = [visit for visit in (*store.open_visits(), *store.visits(IMPLANT)) if visit.patient_id == PATIENT]
        self._what_was_said_of_an_order_is_true(visits)
        self._no_step_is_done_before_two_identifiers(visits)
        self._a_fill_on_record_is_in_the_pump(visits)
        self._only_what_is_verified_is_closed(visits)

    def _what_was_said_of_an_order_is_true(self, visits: list[RefillVisit]) -> None:
        applied = [txn for txn, *_ in self.pump.memory.applied]
        assert len(applied) == len(set(applied))
        for visit in visits:
            if visit.txn is None:
                continue
            intent = self.here.store.intent(visit.txn)
            if intent.outcome is Outcome.NOT_APPLIED:
                self.dead.add(intent.txn)
            if intent.outcome is Outcome.VERIFIED:
                assert intent.txn in applied
            if intent.outcome in (None, Outcome.NOT_KNOWN):
                assert self.here.store.in_doubt(SERIAL)
        assert not self.dead & set(applied), "NOT APPLIED has come into force"

    def _no_step_is_done_before_two_identifiers(self, visits: list[RefillVisit]) -> None:
        for visit in visits:
            assert visit.step in (Step.IDENTIFY, Step.CLOSED) or visit.id in self.identified or not visit.telemetry

    def _a_fill_on_record_is_in_the_pump(self, visits: list[RefillVisit]) -> None:
        told = {one.value * 1000 for one in self.pump.memory.log if one.code == _code(PumpEventKind.FILLED)}
        by_id = {visit.id: visit for visit in visits}
        for fill in self.here.store.fills(IMPLANT):
            if fill.id in self.fills:
                continue
            visit = by_id[fill.visit_id or ""]
            if not visit.telemetry:
                assert visit.injected == fill.volume
                continue
            assert fill.lot == "" or visit.verified_at is not None, "a fill that nobody verified"
            assert fill.volume.quanta // 1000 * 1000 in told, "a fill that the pump was not told"

    def _only_what_is_verified_is_closed(self, visits: list[RefillVisit]) -> None:
        for visit in visits:
            if visit.step is not Step.CLOSED:
                continue
            nothing_done = visit.aspirated is None and visit.injected is None and visit.proposed is None
            assert nothing_done or visit.verified_at is not None
            assert nothing_done or not visit.telemetry or visit.outcome is Outcome.VERIFIED

    @invariant()
    def the_pump_delivers_unless_a_stop_was_sent(self) -> None:
        assert self.pump.runs() or self.stopped_by_others or self.pump.memory.reset or not self.untouched


def _code(kind: PumpEventKind) -> int:
    from app.device.messages import EVENT_CODES

    return EVENT_CODES[kind]


def run(steps: int, number: int, *, most: int = 50) -> None:
    """At least so many steps of rules, in runs of ``most``, the same for the same number. Raises what goes wrong."""
    begun, batch = Visits.done.total(), 0
    while Visits.done.total() - begun < steps:
        machine = seed(number * 10_000 + batch)(type("Visits", (Visits,), {}))
        batch += 1
        left = steps - (Visits.done.total() - begun)
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=max(1, min(50, left // most + 1)),
                stateful_step_count=most,
                deadline=None,
                database=None,
                phases=(Phase.generate,),
                suppress_health_check=tuple(HealthCheck),
            ),
        )


def main(arguments: list[str]) -> int:
    """Run, print what was done and what was refused, and return 1 if anything went wrong."""
    parser = argparse.ArgumentParser(prog="visits", description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    logging.disable(logging.WARNING)
    began, wrong = time.monotonic(), 0
    try:
        run(chosen.steps, chosen.seed)
    except Exception as error:
        wrong = 1
        traceback.print_exception(error, limit=-4)
        print(*getattr(error, "__notes__", ()), sep="\n")
    for title, counts in (("done", Visits.done), ("refused", Visits.refused)):
        for name, count in counts.most_common():
            print(f"{title:8} {name:44} {count:8,}")
    print(
        f"seed {chosen.seed}: {Visits.done.total():,} rule steps, {wrong} violations, {time.monotonic() - began:.0f} s"
    )
    return wrong
