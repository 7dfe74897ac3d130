"""One refill from the patient's name to the next appointment: what each step asks and writes down.

Law: a step is judged first and written second, in one transaction with its audit row; a step that a rule blocks
is not written, and one that asks to confirm is written only with a typed reason. A task that a step leaves is on
record before the step is, so that no step stands without it. What was typed about the reservoir and then left alone
is not built upon before somebody has said again that it is what has really been done.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from app.models.catalogue import Catalogue, PumpKind, PumpModel
from app.models.comparison import NOTHING, Row, compare, dates_row, moment
from app.models.errors import AppError
from app.models.findings import Finding, Severity
from app.models.formats import show_volume
from app.models.patient import Implant, Patient, User
from app.models.ports import ClinicStore
from app.models.pump import PumpPort, PumpSettings, WrongPumpError
from app.models.quantities import Volume
from app.models.records import AuditEntry, Fill, ProgramRecord, ProgramState
from app.models.refill_visit import (
    Answer,
    Decided,
    NeedleCheck,
    RefillVisit,
    Step,
    Ticked,
    VisitEvent,
    VisitPlace,
    WrongStepError,
)
from app.models.similar import similar
from app.models.solution_change import BridgeChoice
from app.models.typed_reason import overridden_in_a_row
from app.services.clock import Clock
from app.services.pump_events import reading_of
from app.services.reasons import NO_REASONS, Reasons, require_reasons
from app.services.second_check import SecondCheckDesk
from app.services.tasks import TaskDesk
from app.services.therapy import Therapy, therapy_of
from app.services.visit_rules import UNANSWERED, BridgeAnswer, Label, VisitRules

_ALWAYS = frozenset({VisitEvent.CORRECTED, VisitEvent.INTERROGATED, VisitEvent.ABANDONED})
"""What may happen although the facts are old: nothing is built upon them."""

_COUNTER = Finding("TIT-16", Severity.TASK, "counter-not-set")


class IdentityDiffersError(AppError):
    """What was typed does not belong to the open patient; ``field`` is ``number`` or ``born_on``."""


class FactsOldError(AppError):
    """The visit was left alone for longer than ``minutes``: say first that what was typed has really been done."""


@dataclass(frozen=True, slots=True)
class RefillDesk:
    """Where refills are worked through. ``new_id`` returns 32 random hex digits."""

    store: ClinicStore
    catalogue: Catalogue
    clock: Clock
    new_id: Callable[[], str]
    rules: VisitRules
    second: SecondCheckDesk
    tasks: TaskDesk

    # -- who and which pump ----------------------------------------------------------------------------------

    def open(
        self, patient_id: str, user: User, *, place: VisitPlace = VisitPlace.CLINIC, programmer: bool = True
    ) -> RefillVisit:
        """The patient's open visit, or a new one. Without a programmer the pump is neither read nor told anything.

        Source: TIT-16.
        """
        for visit in self.store.open_visits():
            if visit.patient_id == patient_id:
                return visit
        implant = self.implant(patient_id)
        now = self.clock.utc()
        programmable = self.catalogue.pump(implant.pump_model).kind is PumpKind.PROGRAMMABLE
        visit = RefillVisit(
            id=self.new_id(),
            patient_id=patient_id,
            implant_id=implant.id,
            opened_at=now,
            opened_by=user.id,
            changed_at=now,
            telemetry=programmable and programmer,
            place=place,
        )
        self.store.save_visit(visit, AuditEntry(now, user.id, "refill.opened", visit.id))
        return visit

    def implant(self, patient_id: str) -> Implant:
        """The patient's pump. Raises: NoPumpError."""
        return self.rules.implant(patient_id)

    def model_of(self, visit: RefillVisit) -> PumpModel:
        """The catalogue's constants of the visit's pump."""
        return self.rules.model_of(visit)

    def identify(self, visit: RefillVisit, *, number: str, born_on: date, user: User) -> RefillVisit:
        """Two identifiers, typed anew. Raises: IdentityDiffersError. Source: U-05."""
        self.require_identity(visit, number=number, born_on=born_on)
        return self._save(visit, VisitEvent.IDENTIFIED, user)

    def require_identity(self, visit: RefillVisit, *, number: str, born_on: date) -> None:
        """Make sure that the patient in the room is the visit's. Raises: IdentityDiffersError."""
        patient = self.store.therapy(visit.patient_id).patient
        if number.strip().casefold() != patient.number.casefold():
            raise IdentityDiffersError(field="number")
        if born_on != patient.born_on:
            raise IdentityDiffersError(field="born_on")

    def take_up(self, visit: RefillVisit, *, number: str, born_on: date, user: User) -> RefillVisit:
        """Identify the patient of a visit that was left, and write down who goes on with it; nothing else changes.

        Raises: IdentityDiffersError.
        """
        self.require_identity(visit, number=number, born_on=born_on)
        self.store.write_down(AuditEntry(self.clock.utc(), user.id, "refill.taken-up", visit.id, visit.step.value))
        return visit

    def similar_patients(self, patient_id: str) -> Sequence[Patient]:
        """Others with a pump whom this patient could be taken for, by name. Source: H-71."""
        patient = self.store.therapy(patient_id).patient
        return similar(patient, (record.patient for record in self.store.therapies()))

    def without_programmer(self, visit: RefillVisit, user: User) -> RefillVisit:
        """Nobody here has a programmer: go on without one, before anything was read. Raises: WrongStepError."""
        if visit.step not in (Step.IDENTIFY, Step.INTERROGATE) or visit.reading is not None:
            raise WrongStepError(step=visit.step.value, event="without-programmer")
        now = self.clock.utc()
        step = Step.RESIDUAL if visit.step is Step.INTERROGATE else visit.step
        visit = replace(visit, telemetry=False, step=step, changed_at=now)
        self.store.save_visit(visit, AuditEntry(now, user.id, "refill.without-programmer", visit.id))
        return visit

    def go_to(self, visit: RefillVisit, place: VisitPlace, user: User) -> RefillVisit:
        """Where the patient is seen."""
        now = self.clock.utc()
        visit = replace(visit, place=place, changed_at=now)
        self.store.save_visit(visit, AuditEntry(now, user.id, "refill.place", visit.id, place.value))
        return visit

    def abandon(self, visit: RefillVisit, user: User) -> RefillVisit:
        """Close a visit in which nothing has been done yet."""
        return self._save(visit, VisitEvent.ABANDONED, user)

    def interrogate(self, visit: RefillVisit, pump: PumpPort, user: User) -> RefillVisit:
        """Read the pump, make sure that it is the patient's, and work out what should be left in it.

        Raises:
            LinkLostError: nothing answered.
            WrongPumpError: another pump answered.
            EnginesDisagreeError: the two engines do not agree on what should be left.
        """
        interrogation = pump.interrogate()
        serial = self.implant(visit.patient_id).serial
        if interrogation.identity.serial != serial:
            raise WrongPumpError(expected=serial, found=interrogation.identity.serial)
        expected = self.rules.expected(visit, interrogation.pump_clock)
        now = self.clock.utc()
        visit = visit.after(
            VisitEvent.INTERROGATED,
            now,
            reading=reading_of(interrogation),
            expected=expected.volume if expected else None,
        )
        entry = AuditEntry(now, user.id, "refill.interrogated", visit.id, interrogation.digest)
        self.store.save_visit(visit, entry, events=interrogation.events, eri_on=interrogation.eri_on)
        return visit

    def expect_again(self, visit: RefillVisit, user: User) -> RefillVisit:
        """Work out again what should be left, once the record has been put right. Raises: EnginesDisagreeError."""
        if visit.reading is None:
            return visit
        expected = self.rules.expected(visit, visit.reading.pump_clock)
        now = self.clock.utc()
        visit = replace(visit, expected=expected.volume if expected else None, changed_at=now)
        self.store.save_visit(visit, AuditEntry(now, user.id, "refill.expected-again", visit.id))
        return visit

    # -- after an interruption ---------------------------------------------------------------------------------

    def facts_are_old(self, visit: RefillVisit) -> bool:
        """Whether something was typed about the reservoir, and the visit then left alone for too long.

        Source: docs/hazards.md, interruptions; SR-16.
        """
        if visit.step is Step.CLOSED or (visit.aspirated is None and visit.injected is None):
            return False
        last = max(visit.changed_at, visit.facts_at or visit.changed_at)
        return self.clock.utc() - last > self._patience

    @property
    def _patience(self) -> timedelta:
        return timedelta(minutes=int(self.catalogue.rule("sr_16_facts_min")))

    def confirm_facts(self, visit: RefillVisit, user: User) -> RefillVisit:
        """Somebody says that what was typed about the reservoir is what has really been done."""
        now = self.clock.utc()
        visit = replace(visit, facts_at=now, changed_at=now)
        self.store.save_visit(visit, AuditEntry(now, user.id, "refill.facts-confirmed", visit.id, visit.step.value))
        return visit

    # -- at the needle -----------------------------------------------------------------------------------------

    def record_aspirate(
        self, visit: RefillVisit, aspirated: Volume, user: User, reasons: Reasons = NO_REASONS
    ) -> RefillVisit:
        """Write down what came out. Raises: BlockedError, ReasonMissingError."""
        residual = self.rules.judge_aspirate(visit, aspirated)
        return self._save(
            visit,
            VisitEvent.ASPIRATED,
            user,
            residual.findings if residual else (),
            reasons,
            aspirated=aspirated,
            aspirated_at=self.clock.utc(),
            expected=residual.expected.volume if residual else None,
        )

    def record_drug(
        self, visit: RefillVisit, label: Label, user: User, reasons: Reasons = NO_REASONS
    ) -> RefillVisit:
        """Write down what the label says. Raises: BlockedError, ReasonMissingError."""
        return self._save(
            visit,
            VisitEvent.DRUG_CHECKED,
            user,
            self.rules.judge_drug(visit, label, user),
            reasons,
            drug_check=label.check,
            vials=label.vials,
            read_twice=label.read_twice,
        )

    def record_fill(
        self,
        visit: RefillVisit,
        injected: Volume,
        user: User,
        reasons: Reasons = NO_REASONS,
        *,
        ticked: Collection[NeedleCheck],
        found_after: Volume | None = None,
    ) -> RefillVisit:
        """Write down what was injected; a pump that is not programmed is then filled on record.

        Raises: BlockedError, ReasonMissingError, OpenCardsError.
        """
        self.rules.events.gate(visit, VisitEvent.FILLED)
        findings = self.rules.judge_fill(visit, injected, ticked, found_after)
        now = self.clock.utc()
        changes = {
            "injected": injected,
            "filled_at": now,
            "ticked": tuple(Ticked(what, now, user.id) for what in NeedleCheck if what in ticked),
            "found_after": found_after,
        }
        if visit.telemetry:
            return self._save(visit, VisitEvent.FILLED, user, findings, reasons, **changes)
        self._require_fresh(visit, VisitEvent.FILLED)
        answers = visit.answers + self._answers(findings, reasons, user)
        visit = visit.after(
            VisitEvent.FILLED, now, answers=answers, effective_at=self.clock.pump(), verified_at=now, **changes
        )
        entry = AuditEntry(now, user.id, "refill.filled", visit.id)
        self._make_tasks(visit, (*findings, *((_COUNTER,) if self.rules.without_programmer(visit) else ())), user)
        fill, program = self._fill_without_telemetry(visit, user), self._other_solution(visit, user)
        self.store.save_fill(visit, fill, entry, program=program)
        return visit

    def _other_solution(self, visit: RefillVisit, user: User) -> ProgramRecord | None:
        """What a constant-flow pump gives from this fill on, if it was filled with another solution."""
        check, now, at = visit.drug_check, self.rules.settings_now(visit), visit.effective_at
        if check is None or now is None or at is None or not self.rules.changes_solution(visit, check):
            return None
        settings = replace(now, drug=check.drug, concentration=check.concentration, reservoir=visit.injected)
        return ProgramRecord(
            id=self.new_id(),
            implant_id=visit.implant_id,
            visit_id=visit.id,
            state=ProgramState.VERIFIED,
            settings=settings,
            effective_at=at,
            recorded_at=self.clock.utc(),
            recorded_by=user.id,
        )

    def _fill_without_telemetry(self, visit: RefillVisit, user: User) -> Fill:
        check, injected, at = visit.drug_check, visit.injected, visit.effective_at
        if check is None or injected is None or at is None:
            raise WrongStepError(step=visit.step.value, event=VisitEvent.FILLED.value)
        return Fill(
            id=visit.id, implant_id=visit.implant_id, visit_id=visit.id, at=at, drug=check.drug,
            concentration=check.concentration, volume=injected, injected=injected, lot=check.lot,
            expires_on=check.expires_on, recorded_by=user.id,
        )  # fmt: skip

    def correct(self, visit: RefillVisit, user: User) -> RefillVisit:
        """Go back one step to put a value right. Raises: WrongStepError."""
        return self._save(visit, VisitEvent.CORRECTED, user)

    def back_to(self, visit: RefillVisit, step: Step, user: User) -> RefillVisit:
        """Go back as many steps as it takes to put a value right. Raises: WrongStepError: it does not lie behind."""
        while visit.step is not step:
            visit = self.correct(visit, user)
        return visit

    # -- what the pump shall do ------------------------------------------------------------------------------

    def propose(
        self,
        visit: RefillVisit,
        settings: PumpSettings,
        user: User,
        reasons: Reasons = NO_REASONS,
        *,
        answer: BridgeAnswer = UNANSWERED,
    ) -> RefillVisit:
        """Write down what shall be sent, and what was decided about another solution. Nothing is sent.

        Raises: BlockedError, ReasonMissingError, OpenCardsError.
        """
        self.rules.events.gate(visit, VisitEvent.PROPOSED)
        findings = self.rules.judge_settings(visit, settings, user, answer)
        decided = None
        if answer.choice is not None and self.rules.changes(visit):
            reason = answer.reason.strip() if answer.choice is BridgeChoice.NO_BRIDGE else ""
            rinsed = answer.rinsed or Volume.zero()
            decided = Decided(answer.choice, reason, rinsed, self.clock.utc(), user.id)
        return self._save(
            visit, VisitEvent.PROPOSED, user, findings, reasons, proposed=settings, decided=decided, outcome=None
        )

    def require_allowed(self, visit: RefillVisit, user_id: str) -> None:
        """Judge the proposal once more, by what counts now: an order may have ended since it was made.

        Raises: BlockedError, ReasonMissingError, OpenCardsError, FactsOldError, SecondCheckMissingError.
        """
        if visit.proposed is None:
            raise WrongStepError(step=visit.step.value, event=VisitEvent.SENT.value)
        self._require_fresh(visit, VisitEvent.SENT)
        self.rules.events.gate(visit, VisitEvent.SENT)
        user = next(user for user in self.store.users() if user.id == user_id)
        given = {(answer.rule, answer.reason): answer.text for answer in visit.answers}
        require_reasons(self.rules.judge_settings(visit, visit.proposed, user), given, self.catalogue)
        self.second.require(visit.id, self.second.proposed_digest(visit), visit.injected, self.clock.utc())

    def comparison(self, visit: RefillVisit) -> tuple[Row, ...]:
        """What is in the pump beside what would be sent, with the dates that follow.

        Raises: NoCourseError.
        """
        now, proposed = self.rules.settings_now(visit), visit.proposed
        if now is None or proposed is None:
            return ()
        return (*compare(now, proposed, self.model_of(visit)), *self._date_rows(visit, proposed))

    def _date_rows(self, visit: RefillVisit, proposed: PumpSettings) -> tuple[Row, ...]:
        before = therapy_of(self.store.therapy(visit.patient_id), self.catalogue, at=self.clock.pump())
        after = self.rules.therapy_after(visit, proposed)
        rows = [
            Row("Reservoir", _shown(visit.reading.reservoir if visit.reading else None), _shown(proposed.reservoir)),
            dates_row("Low-reservoir alarm on", _low(before), _low(after)),
            dates_row("Refill by", _by(before), _by(after)),
        ]
        if proposed.bridge is not None:
            ends = self.clock.pump() + timedelta(minutes=proposed.bridge.duration_min)
            rows.append(Row("Bridge ends about", NOTHING, moment(ends), derived=True))
        return tuple(rows)

    # -- the end ---------------------------------------------------------------------------------------------

    def therapy(self, patient_id: str) -> Therapy:
        """What the patient is getting now."""
        return self.rules.therapy(patient_id)

    def book(self, visit: RefillVisit, on: date | None, user: User, reasons: Reasons = NO_REASONS) -> RefillVisit:
        """Book the next appointment and close the visit; rules overridden again and again become a task (U-15).

        Raises: BlockedError, ReasonMissingError, OpenCardsError.
        """
        self.rules.events.gate(visit, VisitEvent.BOOKED)
        findings = self.rules.judge_appointment(visit, on)
        visit = self._save(visit, VisitEvent.BOOKED, user, findings, reasons, appointment_on=on)
        self._make_tasks(visit, overridden_in_a_row(self.store.visits(visit.implant_id), self.catalogue), user)
        return visit

    # -- writing ---------------------------------------------------------------------------------------------

    def _answers(self, findings: Sequence[Finding], reasons: Reasons, user: User) -> tuple[Answer, ...]:
        """The reasons given, one for each finding that asks for one."""
        now = self.clock.utc()
        return tuple(
            Answer(finding.rule, finding.reason, reasons[finding.rule, finding.reason], now, user.id)
            for finding in require_reasons(findings, reasons, self.catalogue)
        )

    def _require_fresh(self, visit: RefillVisit, event: VisitEvent) -> None:
        if event not in _ALWAYS and self.facts_are_old(visit):
            raise FactsOldError(minutes=self._patience // timedelta(minutes=1))

    def _save(
        self,
        visit: RefillVisit,
        event: VisitEvent,
        user: User,
        findings: Sequence[Finding] = (),
        reasons: Reasons = NO_REASONS,
        **changes: object,
    ) -> RefillVisit:
        """Move on if nothing speaks against it. Raises: BlockedError, ReasonMissingError, FactsOldError."""
        self._require_fresh(visit, event)
        answers = self._answers(findings, reasons, user)
        now = self.clock.utc()
        visit = visit.after(event, now, answers=visit.answers + answers, **changes)
        self._make_tasks(visit, findings, user)
        self.store.save_visit(visit, AuditEntry(now, user.id, f"refill.{event.value}", visit.id))
        return visit

    def _make_tasks(self, visit: RefillVisit, findings: Sequence[Finding], user: User) -> None:
        self.tasks.from_findings(
            findings, visit.patient_id, user=user, implant_id=visit.implant_id, visit_id=visit.id
        )


def _shown(volume: Volume | None) -> str:
    return NOTHING if volume is None else show_volume(volume)


def _low(therapy: Therapy) -> datetime | None:
    return therapy.dates.low_at if therapy.dates else None


def _by(therapy: Therapy) -> datetime | None:
    return therapy.refill_by.at if therapy.refill_by else None
