"""A refill visit as the window sees it: which page stands open, what was judged, what is under way.

Law: the visit itself lies on disk after every step and is never kept here alone; this object asks the services,
holds what they answered, and tells the views.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.models.comparison import Row, moment
from app.models.course import NoCourseError, figures_of
from app.models.errors import AppError
from app.models.findings import Finding
from app.models.measured_flow import FillDose
from app.models.patient import CatheterPiece, Role
from app.models.program import Program
from app.models.pump import Alarm, Outcome, PumpPort, PumpSettings, WrongPumpError
from app.models.quantities import Mass, Volume
from app.models.refill_visit import NeedleCheck, RefillVisit, Step, VisitPlace
from app.models.report import RefillReport
from app.models.residual_trend import TrendPoint
from app.models.signed_order import SignedOrder
from app.models.solution_outlook import ChangePlan
from app.services.appointments import Proposals, calendar_entries
from app.services.attention import attention
from app.services.new_pump import NewPump
from app.services.programming import Staged
from app.services.pump_events import OpenCardsError
from app.services.reasons import Reasons
from app.services.refill import FactsOldError, IdentityDiffersError
from app.services.refill_report import build_report, without_programmer
from app.services.therapy import Therapy
from app.services.visit_rules import UNANSWERED, BridgeAnswer, Label, Residual
from app.services.workstation import Workstation
from app.ui.background import Background
from app.ui.dates import show_day
from app.ui.error_texts import words_for
from app.ui.patient.card import CardSaved, save_card
from app.ui.refill.second_check_view_model import SecondCheckViewModel
from app.ui.state_mark import Mark


class Result(Enum):
    """What the result page says; exactly one of the three."""

    VERIFIED = "verified"
    NOT_APPLIED = "not-applied"
    NOT_KNOWN = "not-known"


@dataclass(frozen=True, slots=True)
class Judged:
    """Settings that could be sent, what the rules say about them, and what changes if the solution does."""

    settings: PumpSettings
    findings: tuple[Finding, ...]
    plan: ChangePlan | None = None


class RefillViewModel(QObject):
    """One visit at a time."""

    visitChanged = Signal()
    """The visit moved on, or another one is open."""
    pageChanged = Signal(object)
    """The step whose page is shown."""
    busyChanged = Signal(str)
    """What is being done with the pump; empty when nothing is."""
    failed = Signal(str)
    """What went wrong, in words; empty when there is nothing to say any more."""
    stagedChanged = Signal()
    """The pump holds a sealed draft, or none any more."""
    heldUp = Signal(str)
    """Cards of the pump's events must be settled first; why, in words."""
    closed = Signal()
    """The visit is over."""
    newPumpFound = Signal(object)
    """The pump that answered under a number that was typed, or in words why there is none."""

    def __init__(self, workstation: Workstation, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.workstation = workstation
        self._background = background
        self.visit: RefillVisit | None = None
        self.therapy: Therapy | None = None
        self.page = Step.IDENTIFY
        self.identified = False
        self.staged: Staged | None = None
        self.result: Result | None = None
        self.result_words = ""
        self.busy = ""
        self.other_pump = False
        self._port: PumpPort | None = None

    def state(self) -> tuple[str, Mark]:
        """What the banner says of the pump."""
        visit = self.visit
        if self.result is Result.NOT_KNOWN:
            return self.tr("RESULT NOT KNOWN"), Mark.RESULT_NOT_KNOWN
        if visit is None or visit.reading is None:
            return self.tr("Not read yet"), Mark.NOTE
        if not visit.reading.running:
            return self.tr("STOPPED"), Mark.BLOCK
        if any(Alarm(name).critical for name in visit.reading.alarms):
            return self.tr("PUMP ALARM"), Mark.BLOCK
        return self.tr("Running"), Mark.VERIFIED

    # -- opening ---------------------------------------------------------------------------------------------

    def open(self, patient_id: str) -> None:
        """Open the patient's visit, or begin a new one. Whoever opens it identifies the patient first."""
        self._attempt(lambda: self._show(self.workstation.desk.open(patient_id, self.workstation.user)))

    def resume(self, visit_id: str) -> None:
        """Go on with an interrupted visit at the step where it stopped; nothing is sent by this."""
        self._attempt(lambda: self._show(self.workstation.store.visit(visit_id)))

    def _show(self, visit: RefillVisit) -> None:
        self.let_go()
        self.visit = visit
        self.other_pump = False
        self.therapy = self.workstation.desk.therapy(visit.patient_id)
        self.identified = False
        self.staged = None
        self.result = Result.NOT_KNOWN if visit.step is Step.PROGRAMME else None
        self.visitChanged.emit()
        self._turn_to(Step.IDENTIFY)

    def identify(self, number: str, born_on: date) -> str:
        """Compare two identifiers with the record; returns the field that differs, or an empty text."""
        visit = self._open_visit()
        try:
            if visit.step is Step.IDENTIFY:
                visit = self.workstation.desk.identify(
                    visit, number=number, born_on=born_on, user=self.workstation.user
                )
            else:
                visit = self.workstation.desk.take_up(
                    visit, number=number, born_on=born_on, user=self.workstation.user
                )
        except IdentityDiffersError as differs:
            return str(differs.values["field"])
        self.identified = True
        self._moved(visit)
        return ""

    def abandon(self) -> None:
        """Close a visit in which nothing has been done."""
        self._attempt(self._abandon)

    def _abandon(self) -> None:
        self.workstation.desk.abandon(self._open_visit(), self.workstation.user)
        self.leave()

    def leave(self) -> None:
        """Put the visit aside; it stays open on the worklist unless it is closed."""
        self.let_go()
        self.visit = None
        self.therapy = None
        self.staged = None
        self.closed.emit()

    # -- the steps -------------------------------------------------------------------------------------------

    def interrogate(self) -> None:
        """Read the pump."""
        visit = self._open_visit()
        self._in_background(
            self.tr("Reading the pump…"),
            lambda: self.workstation.desk.interrogate(visit, self._pump(), self.workstation.user),
            self._interrogated,
            self._not_interrogated,
        )

    def _interrogated(self, visit: RefillVisit) -> None:
        """The reading is shown first; going on is the user's own step."""
        self.visit = visit
        self.other_pump = False
        self.visitChanged.emit()

    def _not_interrogated(self, error: Exception) -> None:
        """Another pump than that on record may be the patient's new one."""
        self.other_pump = isinstance(error, WrongPumpError)
        self.visitChanged.emit()
        self._say(error)

    # -- when the pump was replaced ----------------------------------------------------------------------------

    def may_replace(self) -> bool:
        """Whether the visit stands where a replaced pump can be put on record, by whoever works here."""
        visit, user = self.visit, self.workstation.user
        return (
            visit is not None and self.identified and visit.step is Step.INTERROGATE and visit.reading is None
            and user.role is Role.PHYSICIAN and (self.other_pump or self.workstation.emulated)
        )  # fmt: skip

    def look_at_new_pump(self, serial: str) -> None:
        """Ask the pump whose whole number was typed who it is."""
        visit, station = self._open_visit(), self.workstation
        self.let_go()
        self._in_background(
            self.tr("Reading the new pump…"),
            lambda: station.new_pumps.look(visit, serial, station.user),
            self.newPumpFound.emit,
            lambda error: self.newPumpFound.emit(words_for(error)),
        )

    def replace_pump(self, found: NewPump, implanted_on: date, catheter: Sequence[CatheterPiece] | None) -> None:
        """Put the new pump on record and begin a new visit. Raises: what stands in the way."""
        visit, station = self._open_visit(), self.workstation
        begun = station.new_pumps.replace_pump(
            visit, found, implanted_on=implanted_on, catheter=catheter, user=station.user
        )
        self._show(begun)

    def read_again(self) -> None:
        """Read the pump once more, whatever the step; what was proposed must then be proposed anew."""
        visit, station = self._open_visit(), self.workstation
        self._in_background(
            self.tr("Reading the pump…"),
            lambda: station.events.read_again(visit, self._pump(), station.user),
            self._read_again,
        )

    def _read_again(self, visit: RefillVisit) -> None:
        moved = self.visit is not None and visit.step is not self.visit.step
        self.visit = visit
        self.visitChanged.emit()
        if moved:
            self._turn_to(visit.step)

    def reconcile(self) -> None:
        """Take the pump's settings into the record, and work out again what should be left."""
        self._attempt(self._reconcile)

    def _reconcile(self) -> None:
        station, visit = self.workstation, self._open_visit()
        station.events.reconcile(visit, station.user)
        self.visit = station.desk.expect_again(visit, station.user)
        self.therapy = station.desk.therapy(visit.patient_id)
        self.visitChanged.emit()

    def go_without_programmer(self) -> None:
        """Nobody here can read or program the pump."""
        desk, user = self.workstation.desk, self.workstation.user
        self._step(lambda: desk.without_programmer(self._open_visit(), user))

    def set_place(self, place: VisitPlace) -> None:
        """Where the patient is seen."""
        visit = self._open_visit()
        if visit.place is not place:
            self.visit = self.workstation.desk.go_to(visit, place, self.workstation.user)

    # -- after an interruption ---------------------------------------------------------------------------------

    def facts_are_old(self) -> bool:
        """Whether somebody must say first that what was typed has really been done."""
        return self.visit is not None and self.identified and self.workstation.desk.facts_are_old(self.visit)

    def confirm_facts(self) -> None:
        """What was typed has really been done."""
        desk, user = self.workstation.desk, self.workstation.user
        self._step(lambda: desk.confirm_facts(self._open_visit(), user))

    def put_right(self, step: Step) -> None:
        """One of the facts is wrong: the others are right, and the visit goes back to the step of that one."""
        desk, user = self.workstation.desk, self.workstation.user
        self._step(lambda: desk.back_to(desk.confirm_facts(self._open_visit(), user), step, user))

    # -- the steps ---------------------------------------------------------------------------------------------

    def go_on(self) -> None:
        """Turn to the page of the step that the visit stands at."""
        visit = self._open_visit()
        self.result = None if visit.step is not Step.PROGRAMME else self.result
        self._turn_to(visit.step)

    def judge_aspirate(self, aspirated: Volume) -> Residual | None:
        """What the rules say about the volume drawn out."""
        return self.workstation.desk.rules.judge_aspirate(self._open_visit(), aspirated)

    def expected(self) -> Volume | None:
        """What should be left: as it was worked out with the reading, or by the record now where none was taken."""
        visit, station = self._open_visit(), self.workstation
        if visit.expected is not None or visit.reading is not None:
            return visit.expected
        found = station.desk.rules.expected(visit, station.clock.pump())
        return found.volume if found is not None else None

    def trend(self) -> tuple[TrendPoint, ...]:
        """How the residuals of the last visits were off, oldest first."""
        return self.workstation.desk.rules.trend(self._open_visit())

    def fill_dose(self) -> FillDose | None:
        """What a constant-flow pump will give with the drug that was checked; ``None`` for any other pump."""
        return self.workstation.desk.rules.fill_dose(self._open_visit())

    def record_aspirate(self, aspirated: Volume, reasons: Reasons) -> None:
        """Write down what came out."""
        desk, user = self.workstation.desk, self.workstation.user
        self._step(lambda: desk.record_aspirate(self._open_visit(), aspirated, user, reasons))

    def judge_drug(self, label: Label) -> tuple[Finding, ...]:
        """What the rules say about the vial."""
        return self.workstation.desk.rules.judge_drug(self._open_visit(), label, self.workstation.user)

    def record_drug(self, label: Label, reasons: Reasons) -> None:
        """Write down what the label says."""
        desk, user = self.workstation.desk, self.workstation.user
        self._step(lambda: desk.record_drug(self._open_visit(), label, user, reasons))

    def judge_fill(
        self, injected: Volume, ticked: Collection[NeedleCheck], found_after: Volume | None
    ) -> tuple[Finding, ...]:
        """What the rules say about the volume injected, and about the needle."""
        return self.workstation.desk.rules.judge_fill(self._open_visit(), injected, ticked, found_after)

    def record_fill(
        self, injected: Volume, reasons: Reasons, ticked: Collection[NeedleCheck], found_after: Volume | None
    ) -> None:
        """Write down what was injected."""
        desk, user = self.workstation.desk, self.workstation.user
        self._step(
            lambda: desk.record_fill(
                self._open_visit(), injected, user, reasons, ticked=ticked, found_after=found_after
            )
        )

    def settings_now(self) -> PumpSettings | None:
        """What the pump runs."""
        return self.workstation.desk.rules.settings_now(self._open_visit())

    def order_in_force(self) -> SignedOrder | None:
        """What a physician has ordered, and counts today."""
        return self.workstation.desk.rules.order_in_force(self._open_visit())

    def judge_settings(
        self, program: Program, low_alarm: Volume, answer: BridgeAnswer = UNANSWERED
    ) -> Judged | str:
        """The settings that would be sent and what the rules say, or in words why there are none."""
        visit, rules, user = self._open_visit(), self.workstation.desk.rules, self.workstation.user
        try:
            settings = rules.settings_for(
                visit, program=program, low_alarm=low_alarm, choice=answer.choice, rinsed=answer.rinsed
            )
            plan = rules.change_plan(visit, program, answer.rinsed)
            return Judged(settings, rules.judge_settings(visit, settings, user, answer), plan)
        except AppError as error:
            return words_for(error)

    def propose(self, settings: PumpSettings, reasons: Reasons, answer: BridgeAnswer = UNANSWERED) -> None:
        """Write down what shall be sent, and turn to the confirmation."""
        desk, user = self.workstation.desk, self.workstation.user
        self._step(lambda: desk.propose(self._open_visit(), settings, user, reasons, answer=answer))

    def correct(self) -> None:
        """One step back, to put a value right; a draft in the pump is withdrawn first."""
        if self.staged is not None:
            staged, station = self.staged, self.workstation
            self._in_background(
                self.tr("Withdrawing the draft…"),
                lambda: station.programming.withdraw(staged.intent, self._pump(), user_id=station.user.id),
                self._withdrawn,
            )
            return
        desk, user = self.workstation.desk, self.workstation.user
        self._step(lambda: desk.correct(self._open_visit(), user))

    def _withdrawn(self, visit: RefillVisit) -> None:
        self.staged = None
        self.stagedChanged.emit()
        desk, user = self.workstation.desk, self.workstation.user
        self._step(lambda: desk.correct(visit, user))

    # -- programming -----------------------------------------------------------------------------------------

    def comparison(self) -> tuple[Row, ...]:
        """What is in the pump beside what would be sent."""
        try:
            return self.workstation.desk.comparison(self._open_visit())
        except NoCourseError as error:
            self.failed.emit(words_for(error))
            return ()

    def new_daily_dose(self) -> Fraction | None:
        """The daily dose in mcg that the proposed settings come to, as the pump achieves it."""
        visit = self._open_visit()
        if visit.proposed is None:
            return None
        model = self.workstation.desk.model_of(visit)
        figures = figures_of(visit.proposed.program, model, visit.proposed.concentration)
        return figures.achieved_daily / Mass.PER_MCG

    def second_person_wanted(self) -> str:
        """Why a second person must check what is proposed, in words; empty if nobody must, or somebody has."""
        visit, checks = self.visit, self.workstation.checks
        if visit is None or visit.step is not Step.CONFIRM or checks.standing(visit) is not None:
            return ""
        return SecondCheckViewModel(self.workstation, visit).why() if checks.needed(visit) else ""

    def similar_patients(self) -> list[str]:
        """Others whom this patient could be taken for."""
        visit = self._open_visit()
        return [f"{one.name}, {show_day(one.born_on)}, {one.number}" for one in
                self.workstation.desk.similar_patients(visit.patient_id)]  # fmt: skip

    def stage(self) -> None:
        """Settle what is in doubt, then lay the draft into the pump while the old program runs."""
        visit = self._open_visit()
        self._in_background(self.tr("Laying the draft into the pump…"), lambda: self._stage(visit), self._is_staged)

    def _stage(self, visit: RefillVisit) -> Staged:
        station, pump = self.workstation, self._pump()
        implant = station.desk.implant(visit.patient_id)
        for intent in station.store.intents_in_doubt():
            if intent.serial == implant.serial and intent.visit_id == visit.id:
                visit = station.programming.settle(visit, intent, pump, user_id=station.user.id)
        return station.programming.stage(
            visit, station.desk.model_of(visit), pump, serial=implant.serial, user_id=station.user.id
        )

    def _is_staged(self, staged: Staged) -> None:
        self.staged = staged
        self.visit = staged.visit
        self.stagedChanged.emit()

    def send(self) -> None:
        """Commit the sealed draft, once."""
        staged, station = self.staged, self.workstation
        if staged is None:
            return
        self.staged = None
        self._turn_to(Step.PROGRAMME)
        self._in_background(
            self.tr("Sending. The old program runs until the pump has the new one, whole."),
            lambda: station.programming.send(
                staged, station.desk.model_of(staged.visit), self._pump(), user_id=station.user.id
            ),
            self._has_result,
            self._send_failed,
        )

    def _send_failed(self, error: Exception) -> None:
        """Something stood in the way; what is on disk says how far it got."""
        self.visit = self.workstation.store.visit(self._open_visit().id)
        if self.visit.step is Step.PROGRAMME:
            self._show_result(Result.NOT_KNOWN, words_for(error))
        else:
            self._turn_to(self.visit.step)
            self.failed.emit(words_for(error))

    def ask_again(self) -> None:
        """Ask the pump what became of the order."""
        visit, station = self._open_visit(), self.workstation
        intent = station.store.intent(visit.txn or "")
        self._in_background(
            self.tr("Asking the pump…"),
            lambda: station.programming.settle(visit, intent, self._pump(), user_id=station.user.id),
            self._has_result,
            self._still_not_known,
        )

    def _still_not_known(self, error: Exception) -> None:
        self._show_result(Result.NOT_KNOWN, words_for(error))

    def _has_result(self, visit: RefillVisit) -> None:
        self.visit = visit
        self.therapy = self.workstation.desk.therapy(visit.patient_id)
        outcome = visit.outcome or Outcome.NOT_KNOWN
        self._show_result(Result(outcome.value), "")

    def _show_result(self, result: Result, words: str) -> None:
        self.result, self.result_words = result, words
        self.visitChanged.emit()
        self.pageChanged.emit(self.page)

    # -- the end ---------------------------------------------------------------------------------------------

    def report(self, next_refill_on: date | None = None) -> RefillReport:
        """The report as it stands now, with the day that is about to be booked. Raises: NotVerifiedError."""
        station = self.workstation
        visit = replace(self._open_visit(), appointment_on=next_refill_on)
        return build_report(visit, station.store, station.catalogue, station.clock)

    def report_path(self) -> Path:
        """Where the report goes: a folder of the clinic, a file named after the visit."""
        visit = self._open_visit()
        serial = self.workstation.desk.implant(visit.patient_id).serial
        return self.workstation.reports / f"refill-{serial}-{visit.opened_at:%Y%m%d}-{visit.id[:8]}.pdf"

    def appointment_window(self) -> tuple[date, date] | None:
        """First and last day that suit the next refill."""
        return self.workstation.desk.rules.appointment_window(self._open_visit())

    def proposals(self) -> Proposals:
        """Days that can be booked for the next refill, and what the rules say to them."""
        return self.workstation.desk.rules.proposals(self._open_visit())

    def no_holidays_known(self) -> bool:
        """Whether only weekends count as free, because no country is chosen in the settings."""
        return self.workstation.working_days.region is None

    def calendar_path(self) -> Path:
        """Where the dates go: beside the report, under its name."""
        return self.report_path().with_suffix(".ics")

    def save_calendar(self, on: date | None) -> Path:
        """Write the appointment and the refill-by date for a calendar. Raises: CalendarNotWrittenError."""
        station, path = self.workstation, self.calendar_path()
        entries = calendar_entries(station.desk.therapy(self._open_visit().patient_id), on)
        station.write_calendar(entries, path, station.clock.utc())
        return path

    def save_card(self, on: date | None) -> CardSaved:
        """Write the patient's card, with the day that is about to be booked."""
        return save_card(self.workstation, self._open_visit().patient_id, on)

    def without_programmer(self) -> str:
        """What to hold on to where the pump's own counter and alarm are wrong; empty where they are right."""
        visit, therapy = self._open_visit(), self.therapy
        if therapy is None or not without_programmer(visit, therapy):
            return ""
        words = self.tr(
            "Do not rely on the pump's own volume and alarm: it was not told of this fill. By our own count it is low "
            "on {0}. Refill by {1}."
        )
        low, due = therapy.dates, therapy.refill_by
        return words.format(moment(low.low_at if low else None), moment(due.at if due else None))

    def judge_appointment(self, on: date | None) -> tuple[Finding, ...]:
        """Whether an appointment is in time."""
        return self.workstation.desk.rules.judge_appointment(self._open_visit(), on)

    def book(self, on: date | None, reasons: Reasons) -> None:
        """Book the next appointment and close the visit; what is left to do for the patient becomes a task."""
        self._step(lambda: self._book(on, reasons))

    def _book(self, on: date | None, reasons: Reasons) -> RefillVisit:
        station, user = self.workstation, self.workstation.user
        visit = station.desk.book(self._open_visit(), on, user, reasons)
        # An appointment from before this refill is none for the next one.
        therapy = replace(station.desk.therapy(visit.patient_id), appointment_on=on)
        left = attention(therapy, station.catalogue)
        station.tasks.from_findings(
            left, visit.patient_id, user=user, implant_id=visit.implant_id, visit_id=visit.id
        )
        return visit

    # -- how it is done --------------------------------------------------------------------------------------

    def _open_visit(self) -> RefillVisit:
        if self.visit is None:
            raise NoVisitError
        return self.visit

    def _pump(self) -> PumpPort:
        """The port to the patient's pump; opened when first asked for."""
        if self._port is None:
            self._port = self.workstation.pump_at(self.workstation.desk.implant(self._open_visit().patient_id))
        return self._port

    def let_go(self) -> None:
        """Let go of the cable; it is opened again when it is needed."""
        if self._port is not None:
            self._port.close()
            self._port = None

    def _step(self, step: Callable[[], RefillVisit]) -> None:
        self._attempt(lambda: self._moved(step()))

    def _attempt(self, act: Callable[[], None]) -> None:
        try:
            act()
        except FactsOldError:
            self.pageChanged.emit(self.page)
        except OpenCardsError as held:
            self.heldUp.emit(words_for(held))
        except AppError as error:
            self.failed.emit(words_for(error))
        else:
            self.failed.emit("")

    def _moved(self, visit: RefillVisit) -> None:
        self.visit = visit
        self.therapy = self.workstation.desk.therapy(visit.patient_id)
        self.visitChanged.emit()
        if visit.step is Step.CLOSED:
            self.leave()
            return
        if visit.step is Step.PROGRAMME:
            self.result, self.result_words = Result.NOT_KNOWN, ""
        self._turn_to(visit.step)

    def _turn_to(self, step: Step) -> None:
        self.page = step
        self.pageChanged.emit(step)

    def _in_background(
        self,
        words: str,
        work: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        if self.busy:
            return
        self.failed.emit("")
        self._set_busy(words)

        def finish(value: Any) -> None:
            self._set_busy("")
            done(value)

        def fail(error: Exception) -> None:
            self._set_busy("")
            (failed or self._say)(error)

        self._background.run(work, finish, fail)

    def _say(self, error: Exception) -> None:
        self.failed.emit(words_for(error))

    def _set_busy(self, words: str) -> None:
        self.busy = words
        self.busyChanged.emit(words)


class NoVisitError(AppError):
    """No visit is open."""
