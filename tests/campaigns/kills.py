"""Kills: a process is killed at points within each step of a refill; what it leaves is whole, and goes on from there.

Law: after a kill the store holds, row for row, what it held before the step or after it, and never a part of it; what
was acknowledged is there, what was sent is in doubt until the pump has said, and starting again sends nothing.
"""

from __future__ import annotations

import argparse
import logging
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path

from app.device.server import Do, Fault, PumpServer
from app.device.settings_codec import encode_settings
from app.models.findings import Finding
from app.models.patient import Role, User
from app.models.program import Program as PumpProgram
from app.models.program import SimpleContinuous
from app.models.pump import Outcome, PumpPort, PumpSettings
from app.models.quantities import Concentration, DoseRate, Volume
from app.models.refill_visit import DrugCheck, NeedleCheck, RefillVisit, Step, VisitPlace
from app.models.second_check import Entered, expected_of
from app.models.solution_change import BridgeChoice
from app.models.vial import ScannedVial
from app.services.programming import OrderInDoubtError, Staged
from app.services.visit_rules import UNANSWERED, BridgeAnswer, Label
from app.store.audit_trail import first_broken
from tests.campaigns.kill_bench import (
    SERIAL,
    Act,
    Ended,
    Program,
    Run,
    copied,
    make_folder,
    pump_in,
    reopened,
    run,
    state_of,
)
from tests.services.bench import PATIENT

IMPLANT = "implant-heetla-1"
NUMBER, BORN = "50-0918", date(1957, 5, 3)
GO_ON_SHARE = 0.1
_REASONS = ("As agreed with the patient", "Syringe read twice, seen by Dr Brand", "Nobody else is here until tomorrow")


@dataclass(frozen=True, slots=True)
class Case:
    """What one seed draws: what is typed, by whom, and what befalls the order."""

    seed: int
    concentration: int
    choice: BridgeChoice | None
    aspirated: Volume
    injected: Volume
    dose: Fraction | None
    by_nurse: bool
    place: VisitPlace
    scanned: bool
    waived: bool
    reason: str
    corrected_from: str
    taken_up_at: str
    old_at: str
    settled: str
    left_min: int

    @classmethod
    def draw(cls, seed: int) -> Case:
        rng = random.Random(f"kills {seed}")
        changes = rng.random() < 0.5
        by_nurse = not changes and rng.random() < 0.5
        choice = rng.choice((BridgeChoice.BRIDGE, BridgeChoice.BRIDGE, BridgeChoice.NO_BRIDGE)) if changes else None
        return cls(
            seed=seed,
            concentration=2000 if changes else 1000,
            choice=choice,
            aspirated=Volume.ml(Fraction(rng.choice((390, rng.randint(200, 580), 610, 150)), 100)),
            injected=Volume.ml(Fraction(rng.randint(1600, 1900), 100)),
            dose=None if by_nurse or changes or rng.random() < 0.5 else Fraction(rng.randint(280, 320)),
            by_nurse=by_nurse,
            place=rng.choice(tuple(VisitPlace)),
            scanned=rng.random() < 0.5,
            waived=rng.random() < 0.3,
            reason=rng.choice(_REASONS),
            corrected_from=rng.choice(("drug", "fill", "propose", "check")),
            taken_up_at=rng.choice(("interrogate", "aspirate", "drug", "fill", "propose", "check", "stage", "book")),
            old_at=rng.choice(("drug", "fill", "propose", "check", "book")),
            settled=rng.choice(("draft", "lost", "arrived")),
            left_min=rng.randint(11, 600),
        )


# -- the steps ---------------------------------------------------------------------------------------------------


class Hand:
    """Does what a case says, one step of the refill after the other."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._laid_in: tuple[Staged, PumpPort] | None = None
        """A draft lies in the pump as long as the session lasts."""

    def user(self, here: Program) -> User:
        wanted = Role.NURSE if self.case.by_nurse else Role.PHYSICIAN
        return next(user for user in here.store.users() if user.role is wanted)

    def visit(self, here: Program) -> RefillVisit:
        return next(visit for visit in here.store.open_visits() if visit.patient_id == PATIENT)

    def why(self, findings: tuple[Finding, ...]) -> dict[tuple[str, str], str]:
        return {(found.rule, found.reason): self.case.reason for found in findings}

    def open(self, here: Program) -> None:
        here.station.desk.open(PATIENT, self.user(here), place=self.case.place)

    def identify(self, here: Program) -> None:
        here.station.desk.identify(self.visit(here), number=NUMBER, born_on=BORN, user=self.user(here))

    def take_up(self, here: Program) -> None:
        here.station.desk.take_up(self.visit(here), number=NUMBER, born_on=BORN, user=self.user(here))

    def confirm_facts(self, here: Program) -> None:
        desk, visit = here.station.desk, self.visit(here)
        assert desk.facts_are_old(visit), "the facts are not old"
        desk.confirm_facts(visit, self.user(here))

    def interrogate(self, here: Program) -> None:
        here.station.desk.interrogate(self.visit(here), here.port(), self.user(here))

    def aspirate(self, here: Program) -> None:
        desk, visit, out = here.station.desk, self.visit(here), self.case.aspirated
        residual = desk.rules.judge_aspirate(visit, out)
        desk.record_aspirate(visit, out, self.user(here), self.why(residual.findings if residual else ()))

    def drug(self, here: Program) -> None:
        desk, visit, user = here.station.desk, self.visit(here), self.user(here)
        check = DrugCheck("baclofen", Concentration.mcg_per_ml(self.case.concentration), "L1", date(2028, 1, 1))
        vials = tuple(
            ScannedVial("00850001234567", "L1", date(2028, 1, 1), f"S{number}", None) for number in range(2)
        ) if self.case.scanned else ()  # fmt: skip
        label = Label(check, vials, read_twice=not self.case.scanned)
        desk.record_drug(visit, label, user, self.why(desk.rules.judge_drug(visit, label, user)))

    def fill(self, here: Program) -> None:
        desk, visit, what = here.station.desk, self.visit(here), self.case.injected
        why = self.why(desk.rules.judge_fill(visit, what, NeedleCheck))
        desk.record_fill(visit, what, self.user(here), why, ticked=NeedleCheck)

    def correct(self, here: Program) -> None:
        here.station.desk.correct(self.visit(here), self.user(here))

    def propose(self, here: Program) -> None:
        rules, visit, user = here.station.desk.rules, self.visit(here), self.user(here)
        now = rules.settings_now(visit)
        assert now is not None
        dose, choice = self.case.dose, self.case.choice
        program = PumpProgram(SimpleContinuous(DoseRate.mcg_per_day(dose))) if dose is not None else now.program
        answer = UNANSWERED
        if choice is not None:
            answer = BridgeAnswer(choice, reason=self.case.reason, rinsed=Volume.ml(5))
        settings = rules.settings_for(
            visit, program=program, low_alarm=now.low_alarm, choice=answer.choice, rinsed=answer.rinsed
        )
        why = self.why(rules.judge_settings(visit, settings, user, answer))
        here.station.desk.propose(visit, settings, user, why, answer=answer)

    def check(self, here: Program) -> None:
        checks, visit, first = here.station.checks, self.visit(here), self.user(here)
        digest = checks.proposed_digest(visit)
        if self.case.waived and checks.needed(visit):
            checks.waive(visit.id, digest, self.case.reason, first)
            return
        assert visit.proposed is not None and visit.injected is not None
        wanted = expected_of(visit.proposed, visit.injected, here.station.desk.model_of(visit))
        entered = Entered(wanted.drug, wanted.concentration, wanted.daily_mcg, wanted.injected)
        second = checks.seconds(visit, first)[0]
        assert not checks.enter(visit.id, digest, entered, first=first, second=second).differing

    def stage(self, here: Program) -> None:
        station, visit, port = here.station, self.visit(here), here.port()
        model = station.desk.model_of(visit)
        staged = station.programming.stage(visit, model, port, serial=SERIAL, user_id=self.user(here).id)
        self._laid_in = staged, port

    def send(self, here: Program) -> None:
        """Send what :meth:`stage` has laid into the pump in this very process."""
        station = here.station
        assert self._laid_in is not None
        staged, port = self._laid_in
        station.programming.send(staged, station.desk.model_of(staged.visit), port, user_id=self.user(here).id)

    def settle(self, here: Program) -> None:
        (intent,) = here.store.intents_in_doubt()
        here.station.programming.settle(
            here.store.visit(intent.visit_id), intent, here.port(), user_id=self.user(here).id
        )

    def book(self, here: Program) -> None:
        desk, visit = here.station.desk, self.visit(here)
        day = desk.rules.proposals(visit).days[0]
        desk.book(visit, day, self.user(here), self.why(desk.rules.judge_appointment(visit, day)))

    def to_the_end(self, here: Program) -> None:
        """From wherever the visit stands to its closing; whoever takes it up identifies the patient first."""
        if not here.store.open_visits():
            if not any(visit.closed_at for visit in here.store.visits(IMPLANT)):
                self.open(here)
        elif self.visit(here).step is not Step.IDENTIFY:
            self.take_up(here)
            if here.station.desk.facts_are_old(self.visit(here)):
                self.confirm_facts(here)
        acts: dict[Step, Act] = {
            Step.IDENTIFY: self.identify,
            Step.INTERROGATE: self.interrogate,
            Step.RESIDUAL: self.aspirate,
            Step.DRUG: self.drug,
            Step.FILL: self.fill,
            Step.SETTINGS: self.propose,
            Step.CONFIRM: self._check_and_send,
            Step.REPORT: self.book,
        }
        for _ in range(20):
            if here.store.intents_in_doubt():
                self.settle(here)
            elif here.store.open_visits():
                acts[self.visit(here).step](here)
            else:
                return
        raise AssertionError(f"the visit does not end, it stands at {self.visit(here).step}")

    def _check_and_send(self, here: Program) -> None:
        checks, visit = here.station.checks, self.visit(here)
        if checks.needed(visit) and checks.standing(visit) is None:
            self.check(here)
        self.stage(here)
        self.send(here)


@dataclass(frozen=True, slots=True)
class Tried:
    """A step as it is tried: from which folder, where the visit may stand then, what the step may write of it.

    ``between`` is how many commits the step has before its last one: a task that it leaves is on record before it.
    """

    name: str
    act: Act
    before: str
    steps: tuple[Step | None, ...]
    writes: tuple[str, ...]
    prepare: Act | None = None
    between: int = 0
    later: timedelta = timedelta()


_ORDER_FIELDS = ("program_id", "txn", "outcome")
_RESULT_FIELDS = (*_ORDER_FIELDS, "step", "effective_at", "verified_at")
_BACK = {"drug": Step.RESIDUAL, "fill": Step.DRUG, "propose": Step.FILL, "check": Step.SETTINGS}
_STANDS = {
    "interrogate": Step.INTERROGATE, "aspirate": Step.RESIDUAL, "drug": Step.DRUG, "fill": Step.FILL,
    "propose": Step.SETTINGS, "check": Step.CONFIRM, "stage": Step.CONFIRM, "send": Step.CONFIRM, "book": Step.REPORT,
}  # fmt: skip
"""Where the visit stands before the step of this name."""

CHAIN = ("open", "identify", "interrogate", "aspirate", "drug", "fill", "propose", "check", "stage", "send", "book")
STEPS = ("open", "identify", "interrogate", "aspirate", "drug", "fill", "correct", "propose", "check", "stage", "send",
         "settle", "book", "take-up", "facts")  # fmt: skip


def tried_steps(hand: Hand) -> dict[str, Tried]:
    """The steps of one case."""
    case = hand.case
    stands, back = _STANDS[case.corrected_from], _BACK[case.corrected_from]
    taken, old = _STANDS[case.taken_up_at], _STANDS[case.old_at]
    sent, leaves_task = case.settled != "draft", case.choice is BridgeChoice.NO_BRIDGE
    settled: tuple[Step | None, ...] = (Step.CONFIRM,)
    if sent:
        settled = (Step.PROGRAMME, Step.REPORT if case.settled == "arrived" else Step.SETTINGS)
    found = (
        Tried("open", hand.open, "open", (None, Step.IDENTIFY), ()),
        Tried("identify", hand.identify, "identify", (Step.IDENTIFY, Step.INTERROGATE), ("step",)),
        Tried("interrogate", hand.interrogate, "interrogate", (Step.INTERROGATE, Step.RESIDUAL),
              ("step", "reading", "expected")),
        Tried("aspirate", hand.aspirate, "aspirate", (Step.RESIDUAL, Step.DRUG),
              ("step", "aspirated", "aspirated_at", "expected", "answers")),
        Tried("drug", hand.drug, "drug", (Step.DRUG, Step.FILL),
              ("step", "drug_check", "vials", "read_twice", "answers")),
        Tried("fill", hand.fill, "fill", (Step.FILL, Step.SETTINGS),
              ("step", "injected", "filled_at", "ticked", "found_after", "answers")),
        Tried("correct", hand.correct, case.corrected_from, (stands, back), ("step",)),
        Tried("propose", hand.propose, "propose", (Step.SETTINGS, Step.CONFIRM),
              ("step", "proposed", "decided", "outcome", "answers"), between=int(leaves_task)),
        Tried("check", hand.check, "check", (Step.CONFIRM,), ()),
        Tried("stage", hand.stage, "stage", (Step.CONFIRM,), _ORDER_FIELDS),
        Tried("send", hand.send, "send", (Step.CONFIRM, Step.PROGRAMME, Step.REPORT), _RESULT_FIELDS,
              prepare=hand.stage, between=1),
        Tried("settle", hand.settle, "settle", settled, _RESULT_FIELDS),
        Tried("book", hand.book, "book", (Step.REPORT, Step.CLOSED),
              ("step", "appointment_on", "closed_at", "answers")),
        Tried("take-up", hand.take_up, case.taken_up_at, (taken,), ()),
        Tried("facts", hand.confirm_facts, case.old_at, (old,), ("facts_at",),
              later=timedelta(minutes=case.left_min)),
    )  # fmt: skip
    return {step.name: step for step in found}


# -- what must hold ----------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What happened: kills of each step, how many acknowledged, how many gone on from, and what was wrong."""

    kills: Counter[str] = field(default_factory=Counter)
    acknowledged: Counter[str] = field(default_factory=Counter)
    gone_on: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.kills += other.kills
        self.acknowledged += other.acknowledged
        self.gone_on += other.gone_on
        self.wrong += other.wrong


@dataclass(frozen=True, slots=True)
class Known:
    """What an unkilled run has shown of a step: states, points, the visit and the fills before it."""

    before: str
    after: tuple[str, ...]
    points: int
    visit: RefillVisit | None
    fills: int


def problems(tried: Tried, known: Known, ended: Ended, here: Program, server: PumpServer) -> list[str]:
    """What is wrong with what a killed process has left behind; empty where nothing is."""
    heard, memory = len(server.heard), server.pump.memory
    found = []
    state = state_of(here.store)
    if state not in (known.before, *known.after):
        found.append("the store holds a part of the step")
    if ended.acknowledged and state != known.after[-1]:
        found.append("what was acknowledged is lost")
    found += _visit_problems(tried, known, here)
    if first_broken(here.store.engine) is not None:
        found.append("the audit trail is broken")
    found += _order_problems(known, here, server)
    if len(server.heard) != heard or server.pump.memory != memory:
        found.append("something was sent by starting again")
    return found


def _visit_problems(tried: Tried, known: Known, here: Program) -> list[str]:
    own = [visit for visit in here.store.open_visits() if visit.patient_id == PATIENT]
    own = own or [visit for visit in here.store.visits(IMPLANT) if visit.closed_at is not None]
    if len(own) > 1:
        return ["there are two visits"]
    step = own[0].step if own else None
    found = [] if step in tried.steps else [f"the visit stands at {step}"]
    if own and known.visit is not None:
        names = [one.name for one in fields(RefillVisit)]
        changed = {name for name in names if getattr(own[0], name) != getattr(known.visit, name)}
        stood = len(set(tried.steps)) > 1 and step is tried.steps[0]
        other = changed - (set() if stood else {*tried.writes, "changed_at"})
        if other:
            found.append(f"earlier fields have changed: {sorted(other)}")
    return found


def _order_problems(known: Known, here: Program, server: PumpServer) -> list[str]:
    """Whatever may be in the pump is known as such: nothing was sent without an intent, no result is wrong."""
    found = []
    memory = server.pump.memory
    applied = {txn for txn, *_ in memory.applied}
    doubtful = {intent.txn for intent in here.store.intents_in_doubt()}
    if len(applied) > 1:
        found.append("more than one order was carried out")
    own = [visit for visit in here.store.open_visits() if visit.txn is not None]
    own += [visit for visit in here.store.visits(IMPLANT) if visit.txn is not None]
    intents = {visit.txn: here.store.intent(visit.txn or "") for visit in own}
    if applied - set(intents):
        found.append("the pump carried out what nobody had written down")
    for visit in own:
        intent = intents[visit.txn]
        runs = visit.proposed is not None and memory.slot.settings == encode_settings(visit.proposed)
        if intent.outcome is Outcome.VERIFIED and not (intent.txn in applied and runs):
            found.append("VERIFIED is not true")
        if intent.outcome is Outcome.NOT_APPLIED and intent.txn in applied:
            found.append("NOT APPLIED is not true")
        if intent.outcome in (None, Outcome.NOT_KNOWN):
            found += _doubt_problems(visit, intent.txn in doubtful, here)
        more = len(here.store.fills(visit.implant_id)) - known.fills
        if visit.step is Step.PROGRAMME and more:
            found.append("a fill is on record that is not verified")
    return found


def _doubt_problems(visit: RefillVisit, is_listed: bool, here: Program) -> list[str]:
    found = [] if is_listed and here.store.in_doubt(SERIAL) else ["an order that was written is not in doubt"]
    try:
        model = here.station.desk.model_of(visit)
        here.station.programming.stage(visit, model, here.port(), serial=SERIAL, user_id=visit.opened_by)
    except OrderInDoubtError:
        return found
    return [*found, "a new order was laid in while the old one was in doubt"]


def end_problems(hand: Hand, fills: int, here: Program, server: PumpServer) -> list[str]:
    """Go on to the end: the order is carried out and verified exactly once."""
    hand.to_the_end(here)
    (visit,) = [one for one in here.store.visits(IMPLANT) if one.closed_at is not None]
    program = here.store.program(visit.program_id or "")
    reading = here.port().interrogate()
    wanted: PumpSettings | None = visit.proposed
    true = {
        "closed": visit.step is Step.CLOSED,
        "verified": visit.outcome is Outcome.VERIFIED,
        "carried out once": len(server.pump.memory.applied) == 1,
        "filled once on record": len(here.store.fills(visit.implant_id)) == fills + 1,
        "as proposed": reading.settings == wanted == program.settings,
        "nothing in doubt": not here.store.in_doubt(SERIAL),
        "booked": here.station.desk.therapy(PATIENT).appointment_on == visit.appointment_on is not None,
        "audited": first_broken(here.store.engine) is None,
    }
    return [f"after going on it is not {what}" for what, is_so in true.items() if not is_so]


# -- the campaign ------------------------------------------------------------------------------------------------


class Ward:
    """The folders of one seed: before each step, as unkilled runs have left them."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.case = Case.draw(seed)
        self.rng = random.Random(f"points {seed}")
        self.folder = folder
        self.hand = Hand(self.case)
        self.tried = tried_steps(self.hand)
        self.tally = Tally()
        self._copies = 0
        self._fills = 0
        make_folder(folder / "open")
        with reopened(folder / "open", pump_in(folder / "open"), "look") as here:
            self._fills = len(here.store.fills(IMPLANT))
        self._chain()

    def _chain(self) -> None:
        for name, following in zip(CHAIN, (*CHAIN[1:], "closed"), strict=True):
            tried = self.tried[name]
            target = copied(self.folder / tried.before, self.folder / following)
            if name == "stage":
                # The draft that lies in a pump is not in its memory: whoever sends has staged.
                shutil.rmtree(target)
                copied(self.folder / "stage", target)
                continue
            self._unkilled(tried, target)
        self._make_doubt()

    def _make_doubt(self) -> None:
        """A folder in which an order is in doubt: a draft, a commit that was lost, or one whose answer was."""
        target = copied(self.folder / "send", self.folder / "settle")
        if self.case.settled == "draft":
            self._unkilled(self.tried["stage"], target)
            return
        fault = Fault(Do.DIE_BEFORE if self.case.settled == "lost" else Do.DIE_AFTER, "Commit")
        self._unkilled(replace(self.tried["send"], between=2), target, fault=fault)

    def job(self, tried: Tried, *, fault: Fault | None = None, spoil: Callable[[], None] | None = None) -> Run:
        ids = f"{self.case.seed} {tried.name} {tried.before}"
        return Run(ids, tried.act, tried.prepare, tried.later, fault, spoil)

    def _unkilled(self, tried: Tried, folder: Path, *, fault: Fault | None = None) -> Ended:
        ended = run(self.job(tried, fault=fault), folder, pump_in(folder, later=tried.later), None)
        if not ended.acknowledged or ended.died_by:
            raise RuntimeError(f"seed {self.case.seed}, {tried.name}: {ended.trace or ended}")
        return ended

    def _copy(self, name: str) -> Path:
        self._copies += 1
        return copied(self.folder / name, self.folder / f"copy-{self._copies}")

    def known(self, tried: Tried) -> Known:
        """What the step does when nobody kills it."""
        folder = self._copy(tried.before)
        if tried.prepare is not None:
            # What is prepared in the process that is killed belongs to what was before.
            self._unkilled(replace(self.tried["stage"], name=tried.name, before=tried.before), folder)
        with reopened(folder, pump_in(folder), "look") as here:
            visits = here.store.open_visits()
            visit = visits[0] if visits else None
            before = state_of(here.store)
        if tried.prepare is not None:
            shutil.rmtree(folder)
            folder = self._copy(tried.before)
        ended = self._unkilled(tried, folder)
        if len(ended.states) > tried.between + 1:
            self.tally.wrong.append(f"seed {self.case.seed}, {tried.name}: {len(ended.states)} states, one by one")
        shutil.rmtree(folder)
        states = ended.states[: tried.between] + ended.states[-1:]
        return Known(before, states, ended.count, visit, self._fills)

    def kill(self, name: str, points: int, *, spoil: Callable[[], None] | None = None) -> None:
        """Kill the step at so many of its points: always the last one before it returns, and the first one after."""
        tried = self.tried[name]
        known = self.known(tried)
        last = known.points
        places = [last, last - 1, *self.rng.sample(range(last - 1), min(max(points - 2, 0), last - 1))][:points]
        for place in places:
            self._kill_once(tried, known, place, spoil)

    def _kill_once(self, tried: Tried, known: Known, place: int, spoil: Callable[[], None] | None) -> None:
        folder = self._copy(tried.before)
        server = pump_in(folder, later=tried.later)
        ended = run(self.job(tried, spoil=spoil), folder, server, place)
        self.tally.kills[tried.name] += 1
        self.tally.acknowledged[tried.name] += ended.acknowledged
        where = f"seed {self.case.seed}, {tried.name}, point {place} of {known.points}"
        if ended.died_by != signal.SIGKILL:
            self.tally.wrong.append(f"{where}: it was not killed: {ended.trace or ended}")
        with reopened(folder, server, f"again {self._copies}", later=tried.later) as here:
            found = problems(tried, known, ended, here, server)
            if self.rng.random() < GO_ON_SHARE:
                self.tally.gone_on += 1
                try:
                    found += end_problems(self.hand, known.fills, here, server)
                except Exception as error:
                    found.append(f"it does not go on: {type(error).__name__} {error}")
        self.tally.wrong += (f"{where}: {words}" for words in found)
        shutil.rmtree(folder)


def try_seed(job: tuple[int, int, tuple[str, ...]]) -> Tally:
    """All steps of one seed."""
    seed, points, steps = job
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="cisterna-kills-") as folder:
        ward = Ward(seed, Path(folder))
        for step in steps:
            ward.kill(step, points)
        return ward.tally


def main(arguments: list[str]) -> int:
    """Kill, print the kills of each step, and return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="kills", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--points", type=int, default=8)
    parser.add_argument("--steps", nargs="*", choices=STEPS, default=STEPS)
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args(arguments)
    began = time.monotonic()
    tally = Tally()
    jobs = [(seed, chosen.points, tuple(chosen.steps)) for seed in range(chosen.first, chosen.first + chosen.seeds)]
    with ProcessPoolExecutor(max_workers=chosen.processes, mp_context=get_context("spawn")) as pool:
        for number, found in enumerate(pool.map(try_seed, jobs), 1):
            tally.add(found)
            if number % 10 == 0:
                print(f"{number} seeds, {tally.kills.total():,} kills, {len(tally.wrong)} wrong", flush=True)
    for step in chosen.steps:
        print(f"{step:12} {tally.kills[step]:6,} kills, {tally.acknowledged[step]:6,} acknowledged")
    for words in tally.wrong[:40]:
        print(words)
    print(
        f"seeds {chosen.first} to {chosen.first + chosen.seeds - 1}: {tally.kills.total():,} kills, "
        f"{tally.gone_on:,} gone on to the end, {len(tally.wrong)} violations, {time.monotonic() - began:.0f} s"
    )
    return 1 if tally.wrong else 0
