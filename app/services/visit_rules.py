"""What the rules say at each step of a refill, from the visit, the record and the pump's own words.

Law: nothing is written here; the same question asked again gets the same answer, as long as record and clock stand.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction

from app.models.agreement import require_same_bridge, require_same_reservoir
from app.models.catalogue import Catalogue, PumpKind, PumpModel
from app.models.circumstances import RiskReason
from app.models.comparison import moment
from app.models.course import NoCourseError, figures_of
from app.models.errors import AppError
from app.models.filling import pocket_fill_limit_name
from app.models.findings import Finding, Severity
from app.models.formats import plain
from app.models.guardrails import (
    concentration_findings,
    estimates_findings,
    if_missed_findings,
    overfill_findings,
    pocket_fill_findings,
    residual_findings,
    told_volume_findings,
)
from app.models.guardrails_program import program_findings
from app.models.guardrails_solution import change_findings, old_solution_findings
from app.models.measured_flow import FillDose, MeasuredFlow, flow_findings, measured_flow
from app.models.patient import Implant, Role, User
from app.models.plug_flow import Path, Pumping, path_after
from app.models.ports import ClinicStore
from app.models.program import Program
from app.models.pump import PumpSettings
from app.models.quantities import DoseRate, Flow, Volume
from app.models.records import Fill, ProgramRecord, ProgramState, TherapyRecord
from app.models.refill_visit import DrugCheck, NeedleCheck, RefillVisit, VisitEvent, WrongStepError
from app.models.reservoir import ResidualJudgement, TheoreticalReservoir, judge_residual, theoretical_reservoir
from app.models.residual_trend import TrendPoint, residual_trend, trend_findings, trend_point
from app.models.signed_order import OrderChangedError, SignedOrder, deviations, within_order
from app.models.solution_change import BridgeChoice, BridgeDecision, Rinse, Solution, SolutionChange
from app.models.solution_outlook import ChangePlan, plan_change
from app.models.titration import Setting
from app.models.transition import Prescription, Segment, catheter_volume_ml, path_volume_ml
from app.models.vial import ScannedVial, total_volume, vial_findings
from app.models.working_days import WhyFree, weekends_only
from app.services.appointments import Proposals, appointment_findings, proposals, window_before
from app.services.clock import Clock
from app.services.patient_card import CARD_PRINTED
from app.services.plan_rules import plan_findings
from app.services.pump_events import PumpEvents
from app.services.therapy import Therapy, delivery_since, program_spans, therapy_of

LastOrder = Callable[[str], SignedOrder | None]
"""The order signed last for an implant, whether or not it still counts. Raises: OrderChangedError."""


class NoPumpError(AppError):
    """The patient has no pump on record."""


@dataclass(frozen=True, slots=True)
class Residual:
    """What came out beside what should have, the refills before (this one comes last), and a constant flow measured."""

    expected: TheoreticalReservoir
    judgement: ResidualJudgement
    findings: tuple[Finding, ...]
    trend: tuple[TrendPoint, ...] = ()
    flow: MeasuredFlow | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """What is known of the drug: the label's words, the codes scanned, whether it was entered twice without looking."""

    check: DrugCheck
    vials: tuple[ScannedVial, ...] = ()
    read_twice: bool = False


@dataclass(frozen=True, slots=True)
class BridgeAnswer:
    """What somebody answers about another solution; ``None`` where they have not answered yet."""

    choice: BridgeChoice | None = None
    reason: str = ""
    rinsed: Volume | None = None


UNANSWERED = BridgeAnswer()


@dataclass(frozen=True, slots=True)
class VisitRules:
    """Judges a visit."""

    store: ClinicStore
    catalogue: Catalogue
    clock: Clock
    last_order: LastOrder
    events: PumpEvents
    why_free: WhyFree = weekends_only

    # -- what is known -----------------------------------------------------------------------------------------

    def implant(self, patient_id: str) -> Implant:
        """The patient's pump. Raises: NoPumpError."""
        implant = self.store.implant_of(patient_id)
        if implant is None:
            raise NoPumpError(patient=patient_id)
        return implant

    def model_of(self, visit: RefillVisit) -> PumpModel:
        """The catalogue's constants of the visit's pump."""
        return self.catalogue.pump(self.implant(visit.patient_id).pump_model)

    def without_programmer(self, visit: RefillVisit) -> bool:
        """Whether the pump could be read, but nobody at this visit has a programmer. Source: TIT-16."""
        return not visit.telemetry and self.model_of(visit).kind is PumpKind.PROGRAMMABLE

    def therapy(self, patient_id: str) -> Therapy:
        """What the patient is getting now."""
        return therapy_of(self.store.therapy(patient_id), self.catalogue, at=self.clock.pump())

    def settings_now(self, visit: RefillVisit) -> PumpSettings | None:
        """What the pump runs: by its own reading, or by the record where it cannot be read."""
        if visit.reading is not None:
            return visit.reading.settings
        programs = self.store.therapy(visit.patient_id).programs
        return programs[-1].settings if programs else None

    def expected(self, visit: RefillVisit, at: datetime) -> TheoreticalReservoir | None:
        """What the history on record leaves at ``at`` on the pump's clock, by both engines; ``None`` without a fill.

        Raises: EnginesDisagreeError.
        """
        return self._expected(self.store.therapy(visit.patient_id), at)

    def _expected(self, record: TherapyRecord, at: datetime) -> TheoreticalReservoir | None:
        model = self._model(record)
        if record.fill is None or not record.programs or model is None:
            return None
        filled = record.fill.volume
        spans, boluses = delivery_since(record.fill, record.programs, model, until=at)
        expected = theoretical_reservoir(filled, spans, boluses=boluses)
        again = program_spans(record.fill, record.programs, until=at)
        require_same_reservoir(expected.exact_pl, filled, again, model, boluses=boluses)
        return expected

    def _model(self, record: TherapyRecord) -> PumpModel | None:
        return self.catalogue.pump(record.implant.pump_model) if record.implant is not None else None

    # -- at the needle -----------------------------------------------------------------------------------------

    def judge_aspirate(self, visit: RefillVisit, aspirated: Volume) -> Residual | None:
        """Compare what was drawn out with what should have been left; ``None`` where no fill is on record."""
        record = self.store.therapy(visit.patient_id)
        fill, model = record.fill, self._model(record)
        at = visit.reading.pump_clock if visit.reading else self.clock.pump()
        expected = self._expected(record, at)
        if fill is None or model is None or expected is None:
            return None
        judgement = judge_residual(
            filled=fill.volume,
            expected_pl=expected.exact_pl,
            actual=aspirated,
            accuracy_percent=model.accuracy_percent,
            limit=Volume.ml(self.catalogue.rule("ref_02_volume_ml")),
        )
        findings = residual_findings(
            model,
            self.catalogue,
            filled=fill.volume,
            filled_at=fill.at,
            at=at,
            expected=expected,
            aspirated=aspirated,
        )
        if visit.reading is not None:
            by_pump = visit.reading.reservoir
            findings = (*estimates_findings(self.catalogue, by_pump=by_pump, by_record=expected.volume), *findings)
        trend = (*self.trend(visit), trend_point(self.clock.utc().date(), judgement))
        findings = (*findings, *trend_findings(trend, self.catalogue))
        flow = self._measured_flow(record, aspirated, self.clock.pump())
        if flow is not None:
            findings = (*findings, *flow_findings(flow))
        return Residual(expected, judgement, findings, trend, flow)

    def trend(self, visit: RefillVisit) -> tuple[TrendPoint, ...]:
        """How the residuals of the last closed visits of this pump were off, oldest first. Source: REF-02."""
        store, implant = self.store, visit.implant_id
        return residual_trend(store.visits(implant), store.fills(implant), self.catalogue)

    def fill_dose(self, visit: RefillVisit) -> FillDose | None:
        """What a constant-flow pump will give with the drug that was checked; ``None`` for any other pump."""
        record, check = self.store.therapy(visit.patient_id), visit.drug_check
        flow = self._constant_flow(record)
        if flow is None or check is None:
            return None
        measured = None
        if visit.aspirated is not None and visit.aspirated_at is not None:
            measured = self._measured_flow(record, visit.aspirated, self.clock.to_pump(visit.aspirated_at))
        return FillDose(flow, check.concentration, measured)

    def _measured_flow(self, record: TherapyRecord, aspirated: Volume, at: datetime) -> MeasuredFlow | None:
        """What a constant-flow pump really pumped until ``at``; ``None`` for any other, and where it is not known."""
        fill, nominal, model = record.fill, self._constant_flow(record), self._model(record)
        if fill is None or nominal is None or model is None:
            return None
        return measured_flow(
            filled=fill.volume,
            filled_at=fill.at,
            drawn_out=aspirated,
            at=at,
            nominal=nominal,
            accuracy_percent=model.accuracy_percent,
            concentration=fill.concentration,
        )

    def _constant_flow(self, record: TherapyRecord) -> Flow | None:
        """The flow that a constant-flow pump should have: its own, or else its model's; ``None`` for any other."""
        model = self._model(record)
        if record.implant is None or model is None or model.kind is not PumpKind.CONSTANT_FLOW:
            return None
        return record.implant.flow or model.fixed_flow

    def judge_drug(self, visit: RefillVisit, label: Label, user: User) -> tuple[Finding, ...]:
        """Compare what was read with what the catalogue knows and with what is in the pump.

        Source: U-03, U-06, U-07, CON-01, TIT-16, H-15, H-16.
        """
        check, today = label.check, self.clock.pump().date()
        drug = self.catalogue.drug(check.drug)
        findings = [*concentration_findings(drug, check.concentration)]
        findings += vial_findings(
            label.vials, drug, check.concentration, None, today, entered_twice=label.read_twice
        )
        if not label.vials and not label.read_twice:
            findings.append(Finding("U-03", Severity.BLOCK, "label-once"))
        if check.expires_on < today:
            findings.append(Finding("U-03", Severity.BLOCK, "expired", {"expires_on": check.expires_on.isoformat()}))
        if self.changes_solution(visit, check):
            findings += self._solution_findings(visit, check, drug.name, user)
        return tuple(findings)

    def _solution_findings(self, visit: RefillVisit, check: DrugCheck, name: str, user: User) -> list[Finding]:
        if self.without_programmer(visit):
            return [Finding("TIT-16", Severity.BLOCK, "other-solution", {"drug": name})]
        missed, now = [], self.settings_now(visit)
        if now is not None and now.drug == check.drug:
            dose = daily_dose(now.program, now, self.model_of(visit))
            missed = [*if_missed_findings(now.concentration, check.concentration, dose)]
        if not visit.telemetry and now is not None:
            missed = [self._constant_flow_change(visit, now, check)]
        if user.role is Role.PHYSICIAN or self._orders_solution(visit, check):
            return [Finding("CON-01", Severity.NOTE, "solution-changes", {"drug": name}), *missed]
        return [Finding("U-06", Severity.BLOCK, "solution-not-ordered", {"drug": name}), *missed]

    def _constant_flow_change(self, visit: RefillVisit, now: PumpSettings, check: DrugCheck) -> Finding:
        """A constant-flow pump is dosed by its solution, and no bridge can be programmed. Source: CON-01, F-01."""
        model = self.model_of(visit)
        doses = [
            daily_dose(now.program, one, model)
            for one in (now, replace(now, drug=check.drug, concentration=check.concentration))
        ]
        old, new = (plain(dose.in_mcg_per_day) for dose in doses)
        return Finding("CON-01", Severity.CONFIRM, "constant-flow", {"old_mcg_per_day": old, "new_mcg_per_day": new})

    def changes_solution(self, visit: RefillVisit, check: DrugCheck) -> bool:
        """Whether this is another drug or concentration than the pump holds."""
        settings = self.settings_now(visit)
        return settings is not None and (settings.drug, settings.concentration) != (check.drug, check.concentration)

    def changes(self, visit: RefillVisit) -> bool:
        """Whether the drug that was checked is another solution than the pump holds."""
        return visit.drug_check is not None and self.changes_solution(visit, visit.drug_check)

    def _orders_solution(self, visit: RefillVisit, check: DrugCheck) -> bool:
        """Whether an order that counts today is for just this solution."""
        order = self.order_in_force(visit)
        return order is not None and (order.drug, order.concentration) == (check.drug, check.concentration)

    def order_in_force(self, visit: RefillVisit) -> SignedOrder | None:
        """The signed order that counts today; ``None`` if there is none, or if it is not what was signed."""
        try:
            order = self.last_order(visit.implant_id)
        except OrderChangedError:
            return None
        return order if order is not None and order.counts_on(self.clock.pump().date()) else None

    def judge_fill(
        self,
        visit: RefillVisit,
        injected: Volume,
        ticked: Collection[NeedleCheck],
        found_after: Volume | None = None,
    ) -> tuple[Finding, ...]:
        """Whether the reservoir takes this much, and the needle was in it. Source: REF-04 to REF-06, SR-11."""
        model = self.model_of(visit)
        findings = [*overfill_findings(model, left=Volume.zero(), injected=injected)]
        if NeedleCheck.REFILL_PORT not in ticked:
            findings.append(Finding("REF-06", Severity.BLOCK, "port-not-said"))
        if NeedleCheck.DREW_BACK not in ticked:
            findings.append(Finding("REF-05", Severity.CONFIRM, "position-unproven"))
        if found_after is not None:
            findings += pocket_fill_findings(
                model, self.catalogue, reservoir=injected, reaspirated=found_after,
                limit_name=pocket_fill_limit_name(model),
            )  # fmt: skip
        total = total_volume(visit.vials)
        if visit.vials and all(vial.product for vial in visit.vials) and total < injected:
            findings += self._too_little(visit, injected)
        return tuple(findings)

    def _too_little(self, visit: RefillVisit, injected: Volume) -> list[Finding]:
        check = visit.drug_check
        if check is None:
            return []
        drug, today = self.catalogue.drug(check.drug), self.clock.pump().date()
        said = vial_findings(visit.vials, drug, check.concentration, injected, today)
        return [finding for finding in said if finding.reason == "too-little"]

    # -- what the pump shall do --------------------------------------------------------------------------------

    def segments(self, visit: RefillVisit) -> list[Segment]:
        """The pieces of the implanted catheter, as far as they are known."""
        implant = self.implant(visit.patient_id)
        return [Segment(self.catalogue.catheter(piece.model), piece.trimmed_cm) for piece in implant.catheter]

    def change_plan(self, visit: RefillVisit, program: Program, rinsed: Volume | None = None) -> ChangePlan | None:
        """What is known about the change to another solution; ``None`` where there is none.

        Raises: NoCourseError.
        """
        check, now = visit.drug_check, self.settings_now(visit)
        if check is None or now is None or not self.changes_solution(visit, check):
            return None
        model, at = self.model_of(visit), self.clock.pump()
        drugs = self.catalogue.drug
        runs = daily_dose(now.program, now, model)
        wanted = replace(now, drug=check.drug, concentration=check.concentration, program=program)
        change = SolutionChange(
            old=Solution.of(drugs(now.drug), now.concentration),
            old_dose=runs,
            new=Solution.of(drugs(check.drug), check.concentration),
            new_dose=daily_dose(program, wanted, model),
        )
        return plan_change(
            change,
            model,
            self.catalogue,
            path=self._path(visit, at),
            at=at,
            segments=self.segments(visit),
            runs_ml_per_day=flow_ml_per_day(runs, now),
            injected=visit.injected,
            rinse=Rinse(rinsed) if rinsed is not None else None,
        )

    def _path(self, visit: RefillVisit, at: datetime) -> Path | None:
        """What stands between reservoir and tip at ``at``, with what the last change has not pushed out yet."""
        model, now = self.model_of(visit), self.settings_now(visit)
        volume = path_volume_ml(model, catheter_volume_ml(self.segments(visit)))
        if volume is None or now is None:
            return None
        fluid = Solution.of(self.catalogue.drug(now.drug), now.concentration).fluid
        programs = self.store.programs(visit.implant_id)
        if len(programs) < 2 or programs[-1].settings.drug != now.drug:
            return Path.filled(volume, fluid)
        before, last = programs[-2].settings, programs[-1]
        older = Solution.of(self.catalogue.drug(before.drug), before.concentration).fluid
        minutes = max(Fraction(0), Fraction((at - last.effective_at) // timedelta(minutes=1)))
        flow = flow_ml_per_day(daily_dose(last.settings.program, last.settings, model), last.settings)
        pumpings, bridge = [], last.settings.bridge
        if bridge is not None and bridge.duration_min > 0:
            part = min(minutes, Fraction(bridge.duration_min))
            pumpings.append(Pumping(part, bridge.volume.in_ml / bridge.duration_min * 1440, fluid))
            minutes -= part
        return path_after(Path.filled(volume, older), [*pumpings, Pumping(minutes, flow, fluid)])

    def settings_for(
        self,
        visit: RefillVisit,
        *,
        program: Program,
        low_alarm: Volume,
        choice: BridgeChoice | None = None,
        rinsed: Volume | None = None,
    ) -> PumpSettings:
        """The settings that would be sent: the new reservoir, and the bridge if one was chosen and there can be one.

        Raises: EnginesDisagreeError, NoCourseError.
        """
        check, injected = visit.drug_check, visit.injected
        if check is None or injected is None:
            raise WrongStepError(step=visit.step.value, event=VisitEvent.PROPOSED.value)
        settings = PumpSettings(
            drug=check.drug,
            concentration=check.concentration,
            program=program,
            low_alarm=low_alarm,
            reservoir=injected,
        )
        plan = self.change_plan(visit, program, rinsed) if choice is BridgeChoice.BRIDGE else None
        if plan is None or plan.bridge is None:
            return settings
        self._require_same_bridge(visit, plan)
        return replace(settings, bridge=plan.bridge.order)

    def _require_same_bridge(self, visit: RefillVisit, plan: ChangePlan) -> None:
        """Both engines agree on a bridge through one fluid. Raises: EnginesDisagreeError."""
        change, volume = plan.change, path_volume_ml(self.model_of(visit), catheter_volume_ml(self.segments(visit)))
        if volume is not None:
            before = Prescription(change.old.drug, change.old.concentration, change.old_dose)
            require_same_bridge(
                before, Prescription(change.new.drug, change.new.concentration, change.new_dose), volume
            )

    def judge_settings(
        self, visit: RefillVisit, settings: PumpSettings, user: User, answer: BridgeAnswer | None = None
    ) -> tuple[Finding, ...]:
        """Everything the rules say about what would be sent; without ``answer`` the visit's own decision counts."""
        now = self.settings_now(visit)
        if now is None:
            return ()
        answer = answer if answer is not None else _answer_of(visit)
        model, drug = self.model_of(visit), self.catalogue.drug(settings.drug)
        findings = [*program_findings(settings.program, model, drug, settings.concentration, self.catalogue)]
        if user.role is not Role.PHYSICIAN:
            findings += self._order_findings(visit, now, settings)
        elif settings.program != now.program:
            findings += self._step_findings(visit, settings, findings)
        if visit.injected is not None and settings.reservoir is not None:
            findings += told_volume_findings(
                self.catalogue, reservoir=visit.injected, programmed=settings.reservoir
            )
        findings += self._change_findings(visit, settings, user, answer)
        findings += self.events.proposal_findings(visit, settings)
        findings += self._low_alarm_findings(visit, settings)
        return tuple(findings)

    def _low_alarm_findings(self, visit: RefillVisit, settings: PumpSettings) -> tuple[Finding, ...]:
        """A larger low-reservoir volume for whoever had withdrawal before the alarm, with its dates. Source: REF-08."""
        wanted = Volume.ml(self.catalogue.rule("ref_08_alarm_ml"))
        therapy = self.therapy_after(visit, replace(settings, low_alarm=wanted))
        if RiskReason.BEFORE_ALARM not in therapy.risks or settings.low_alarm >= wanted:
            return ()
        low = therapy.dates.low_at if therapy.dates else None
        due = therapy.refill_by.at if therapy.refill_by else None
        values = {"suggested_ml": plain(wanted.in_ml), "low_on": moment(low), "refill_by": moment(due)}
        return (Finding("REF-08", Severity.NOTE, "raise-alarm", values),)

    def _step_findings(
        self, visit: RefillVisit, settings: PumpSettings, said: Sequence[Finding]
    ) -> list[Finding]:
        """What a physician's own change of the dose must be asked; what was said already is not said again."""
        known = {(finding.rule, finding.reason) for finding in said}
        found = plan_findings(self.therapy(visit.patient_id), settings, self.catalogue, setting=Setting.REFILL)
        return [one for one in found if one.rule not in ("U-02", "U-03") and (one.rule, one.reason) not in known]

    def _change_findings(
        self, visit: RefillVisit, settings: PumpSettings, user: User, answer: BridgeAnswer
    ) -> list[Finding]:
        """What a change of solution needs, and whether the settings are what was decided. Source: CON-01 to CON-07."""
        plan = self.change_plan(visit, settings.program, answer.rinsed)
        if plan is None:
            return [Finding("CON-01", Severity.BLOCK, "bridge-without-change")] if settings.bridge else []
        decision = BridgeDecision(answer.choice, plan.change, answer.reason) if answer.choice is not None else None
        found = [
            *change_findings(
                plan,
                self.model_of(visit),
                self.catalogue,
                decision=decision,
                role=user.role,
                segments=self.segments(visit),
            ),
            *self._old_solution(visit, plan),
        ]
        wanted = plan.bridge.order if answer.choice is BridgeChoice.BRIDGE and plan.bridge is not None else None
        if answer.choice is not None and settings.bridge != wanted:
            found.append(Finding("CON-02", Severity.BLOCK, "not-the-bridge"))
        return found

    def _old_solution(self, visit: RefillVisit, plan: ChangePlan) -> tuple[Finding, ...]:
        fill = self.store.therapy(visit.patient_id).fill
        if fill is None or visit.reading is None:
            return ()
        return old_solution_findings(
            plan.change.old, Solution.of(self.catalogue.drug(fill.drug), fill.concentration)
        )

    def _order_findings(self, visit: RefillVisit, now: PumpSettings, settings: PumpSettings) -> tuple[Finding, ...]:
        """What a nurse may program: what is ordered, or what runs already. Source: U-06."""
        try:
            order = self.last_order(visit.implant_id)
        except OrderChangedError:
            return (Finding("U-06", Severity.BLOCK, "order-changed"),)
        same, first = settings.program == now.program, not self.store.programs(visit.implant_id)
        other = (settings.drug, settings.concentration) != (now.drug, now.concentration)
        if order is None and first:
            return (Finding("U-06", Severity.BLOCK, "first-not-ordered"),)
        if order is None and other:
            name = self.catalogue.drug(settings.drug).name
            return (Finding("U-06", Severity.BLOCK, "solution-not-ordered", {"drug": name}),)
        if order is None:
            return () if same else (Finding("U-06", Severity.BLOCK, "program-not-ordered"),)
        today = self.clock.pump().date()
        if first or not same or other:
            return within_order(order, settings, today)
        if order.counts_on(today) and deviations(order, settings):
            return (Finding("U-06", Severity.CONFIRM, "order-not-followed", {"name": order.name}),)
        return ()

    def therapy_after(self, visit: RefillVisit, settings: PumpSettings) -> Therapy:
        """The therapy as it would be if ``settings`` came into force now."""
        record, at = self.store.therapy(visit.patient_id), self.clock.pump()
        return therapy_of(_after(record, visit, settings, at, self.clock.utc()), self.catalogue, at=at)

    # -- the end -----------------------------------------------------------------------------------------------

    def appointment_window(self, visit: RefillVisit) -> tuple[date, date] | None:
        """First and last day that suit the next refill; ``None`` if the refill-by date is unknown. Source: REF-09."""
        due = self.therapy(visit.patient_id).refill_by
        return window_before(due.at.date(), self.catalogue) if due is not None else None

    def proposals(self, visit: RefillVisit) -> Proposals:
        """Days that can be booked for the next refill, and what the rules say to them. Source: REF-09, REF-14."""
        return proposals(self.therapy(visit.patient_id), self.catalogue, self.why_free)

    def judge_appointment(self, visit: RefillVisit, on: date | None) -> tuple[Finding, ...]:
        """Whether the next appointment is in time, and the patient has the new dates on paper.

        Source: REF-09, REF-13, REF-14.
        """
        return (*appointment_findings(on, self.therapy(visit.patient_id), self.why_free), *self._card_findings(visit))

    def _card_findings(self, visit: RefillVisit) -> tuple[Finding, ...]:
        """Whether a card was printed since the fill: an earlier one says what counts no more. Source: REF-13."""
        since = visit.verified_at or visit.opened_at
        printed = (entry.action == CARD_PRINTED and entry.at >= since for entry in self.store.trail(visit.patient_id))
        return () if any(printed) else (Finding("REF-13", Severity.CONFIRM, "card-not-printed"),)


def daily_dose(program: Program, settings: PumpSettings, model: PumpModel) -> DoseRate:
    """The mean daily dose of ``program`` in the solution of ``settings``, floored; zero if it cannot run."""
    try:
        return DoseRate.floor(figures_of(program, model, settings.concentration).achieved_daily)
    except NoCourseError:
        return DoseRate.zero()


def flow_ml_per_day(dose: DoseRate, settings: PumpSettings) -> Fraction:
    """The flow that gives ``dose`` with the solution of ``settings``, exactly. Source: F-01."""
    strength = settings.concentration.in_mcg_per_ml
    return dose.in_mcg_per_day / strength if strength else Fraction(0)


def _answer_of(visit: RefillVisit) -> BridgeAnswer:
    decided = visit.decided
    return UNANSWERED if decided is None else BridgeAnswer(decided.choice, decided.reason, decided.rinsed)


def _after(
    record: TherapyRecord, visit: RefillVisit, settings: PumpSettings, at: datetime, now: datetime
) -> TherapyRecord:
    """The record with a fill and a program that begin at ``at``."""
    program = ProgramRecord(
        "", visit.implant_id, visit.id, ProgramState.PROPOSED, settings, at, now, visit.opened_by
    )
    volume = settings.reservoir or Volume.zero()
    fill = Fill("", visit.implant_id, visit.id, at, settings.drug, settings.concentration, volume, volume, "", None,
                visit.opened_by)  # fmt: skip
    return replace(record, fill=fill, programs=(program,))
