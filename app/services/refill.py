"""One refill from the patient's name to the next appointment: what each step asks, judges and writes down.

Law: a step is judged first and written second, in one transaction with its audit row; a step that a rule blocks
is not written, and one that asks to confirm is written only with a typed reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType

from app.models.agreement import require_same_bridge, require_same_reservoir
from app.models.catalogue import Catalogue, PumpKind, PumpModel
from app.models.circumstances import RiskReason
from app.models.comparison import NOTHING, Row, compare, dates_row, moment
from app.models.course import figures_of
from app.models.errors import AppError
from app.models.findings import Finding, Severity, blocks
from app.models.formats import plain, show_volume
from app.models.guardrails import (
    bridge_findings,
    concentration_findings,
    overfill_findings,
    reading_findings,
    residual_findings,
)
from app.models.guardrails_program import program_findings
from app.models.patient import Implant, Role, User
from app.models.ports import ClinicStore
from app.models.program import OneTimeBolus, OneTimeKind, Program
from app.models.pump import Interrogation, PumpPort, PumpSettings, WrongPumpError
from app.models.quantities import DoseRate, Volume
from app.models.records import AuditEntry, Fill, ProgramRecord, ProgramState
from app.models.refill_visit import Answer, DrugCheck, PumpReading, RefillVisit, VisitEvent, WrongStepError
from app.models.reservoir import ResidualJudgement, TheoreticalReservoir, judge_residual, theoretical_reservoir
from app.models.signed_order import OrderChangedError, SignedOrder, deviations, within_order
from app.models.transition import Prescription, Segment, bridge, catheter_volume_ml, path_volume_ml
from app.models.working_days import WhyFree, weekends_only
from app.services.appointments import Proposals, appointment_findings, proposals, window_before
from app.services.clock import Clock
from app.services.therapy import Therapy, delivery_since, program_spans, therapy_of

Reasons = Mapping[tuple[str, str], str]
"""The reason typed for each (rule, reason) of a finding that asks to confirm."""
NO_REASONS: Reasons = MappingProxyType({})

LastOrder = Callable[[str], SignedOrder | None]
"""The order signed last for an implant, whether or not it still counts. Raises: OrderChangedError."""


def no_orders(implant_id: str) -> SignedOrder | None:
    """Where nobody signs orders, there is none."""
    return None


class NoPumpError(AppError):
    """The patient has no pump on record."""


class NoPathVolumeError(AppError):
    """A bridge bolus is needed and the volume of tubing or catheter is not on record (rule CON-05)."""


class IdentityDiffersError(AppError):
    """What was typed does not belong to the open patient; ``field`` is ``number`` or ``born_on``."""


class BlockedError(AppError):
    """A rule forbids this step as it stands; ``rules`` names them."""


class ReasonMissingError(AppError):
    """A rule asks for a reason and none was given; ``rules`` names them."""


@dataclass(frozen=True, slots=True)
class Residual:
    """What came out beside what should have."""

    expected: TheoreticalReservoir
    judgement: ResidualJudgement
    findings: tuple[Finding, ...]


def require_reasons(findings: Sequence[Finding], reasons: Reasons) -> list[Finding]:
    """Make sure that nothing is forbidden and everything asked is answered; returns the findings that asked.

    Raises: BlockedError, ReasonMissingError.
    """
    forbidden = blocks(findings)
    if forbidden:
        raise BlockedError(rules=",".join(finding.rule for finding in forbidden))
    asking = [finding for finding in findings if finding.severity is Severity.CONFIRM]
    missing = [finding.rule for finding in asking if not reasons.get((finding.rule, finding.reason), "").strip()]
    if missing:
        raise ReasonMissingError(rules=",".join(missing))
    return asking


@dataclass(frozen=True, slots=True)
class RefillDesk:
    """Where refills are worked through. ``new_id`` returns 32 random hex digits."""

    store: ClinicStore
    catalogue: Catalogue
    clock: Clock
    new_id: Callable[[], str]
    last_order: LastOrder = no_orders
    why_free: WhyFree = weekends_only

    # -- who and which pump ----------------------------------------------------------------------------------

    def open(self, patient_id: str, user: User) -> RefillVisit:
        """The patient's open visit, or a new one."""
        for visit in self.store.open_visits():
            if visit.patient_id == patient_id:
                return visit
        implant = self.implant(patient_id)
        now = self.clock.utc()
        visit = RefillVisit(
            id=self.new_id(),
            patient_id=patient_id,
            implant_id=implant.id,
            opened_at=now,
            opened_by=user.id,
            changed_at=now,
            telemetry=self.catalogue.pump(implant.pump_model).kind is PumpKind.PROGRAMMABLE,
        )
        self.store.save_visit(visit, AuditEntry(now, user.id, "refill.opened", visit.id))
        return visit

    def implant(self, patient_id: str) -> Implant:
        """The patient's pump. Raises: NoPumpError."""
        implant = self.store.therapy(patient_id).implant
        if implant is None:
            raise NoPumpError(patient=patient_id)
        return implant

    def model_of(self, visit: RefillVisit) -> PumpModel:
        """The catalogue's constants of the visit's pump."""
        return self.catalogue.pump(self.implant(visit.patient_id).pump_model)

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
        expected = self._expected(visit, interrogation.pump_clock)
        now = self.clock.utc()
        visit = visit.after(
            VisitEvent.INTERROGATED,
            now,
            reading=_reading_of(interrogation),
            expected=expected.volume if expected else None,
        )
        entry = AuditEntry(now, user.id, "refill.interrogated", visit.id, interrogation.digest)
        self.store.save_visit(visit, entry, events=interrogation.events)
        return visit

    def _expected(self, visit: RefillVisit, at: datetime) -> TheoreticalReservoir | None:
        """What the history on record leaves at ``at`` on the pump's clock, by both engines; ``None`` without a fill."""
        record = self.store.therapy(visit.patient_id)
        if record.fill is None or not record.programs:
            return None
        model, filled = self.model_of(visit), record.fill.volume
        spans, boluses = delivery_since(record.fill, record.programs, model, until=at)
        expected = theoretical_reservoir(filled, spans, boluses=boluses)
        again = program_spans(record.fill, record.programs, until=at)
        require_same_reservoir(expected.exact_pl, filled, again, model, boluses=boluses)
        return expected

    def reading_findings(self, visit: RefillVisit) -> tuple[Finding, ...]:
        """What the reading of the pump itself says that must be known before the needle goes in."""
        reading = visit.reading
        if reading is None:
            return ()
        record = self.store.therapy(visit.patient_id)
        on_record = record.programs[-1].settings if record.programs else None
        return reading_findings(reading, on_record=on_record, catalogue=self.catalogue, pump_now=self.clock.pump())

    # -- what came out ---------------------------------------------------------------------------------------

    def judge_aspirate(self, visit: RefillVisit, aspirated: Volume) -> Residual | None:
        """Compare what was drawn out with what should have been left; ``None`` where no fill is on record."""
        fill = self.store.therapy(visit.patient_id).fill
        at = visit.reading.pump_clock if visit.reading else self.clock.pump()
        expected = self._expected(visit, at)
        if fill is None or expected is None:
            return None
        model = self.model_of(visit)
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
        return Residual(expected, judgement, findings)

    def record_aspirate(
        self, visit: RefillVisit, aspirated: Volume, user: User, reasons: Reasons = NO_REASONS
    ) -> RefillVisit:
        """Write down what came out. Raises: BlockedError, ReasonMissingError."""
        residual = self.judge_aspirate(visit, aspirated)
        findings = residual.findings if residual else ()
        now = self.clock.utc()
        return self._save(
            visit,
            VisitEvent.ASPIRATED,
            user,
            self._answers(findings, reasons, user),
            aspirated=aspirated,
            aspirated_at=now,
            expected=residual.expected.volume if residual else None,
        )

    # -- what goes in ----------------------------------------------------------------------------------------

    def judge_drug(self, visit: RefillVisit, check: DrugCheck, user: User) -> tuple[Finding, ...]:
        """Compare the vial with what the catalogue knows and with what is in the pump."""
        drug = self.catalogue.drug(check.drug)
        findings = list(concentration_findings(drug, check.concentration))
        if check.expires_on < self.clock.pump().date():
            findings.append(Finding("U-03", Severity.BLOCK, "expired", {"expires_on": check.expires_on.isoformat()}))
        if self._changes_solution(visit, check):
            findings.append(
                Finding("CON-01", Severity.NOTE, "solution-changes", {"drug": drug.name})
                if user.role is Role.PHYSICIAN or self._orders_solution(visit, check)
                else Finding("U-06", Severity.BLOCK, "solution-not-ordered", {"drug": drug.name})
            )
            if not check.second_reader:
                findings.append(Finding("U-07", Severity.CONFIRM, "no-second-reader"))
        return tuple(findings)

    def _changes_solution(self, visit: RefillVisit, check: DrugCheck) -> bool:
        settings = self.settings_now(visit)
        return settings is not None and (settings.drug, settings.concentration) != (check.drug, check.concentration)

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

    def settings_now(self, visit: RefillVisit) -> PumpSettings | None:
        """What the pump runs: by its own reading, or by the record where it cannot be read."""
        if visit.reading is not None:
            return visit.reading.settings
        programs = self.store.therapy(visit.patient_id).programs
        return programs[-1].settings if programs else None

    def record_drug(
        self, visit: RefillVisit, check: DrugCheck, user: User, reasons: Reasons = NO_REASONS
    ) -> RefillVisit:
        """Write down what the label says. Raises: BlockedError, ReasonMissingError."""
        answers = self._answers(self.judge_drug(visit, check, user), reasons, user)
        return self._save(visit, VisitEvent.DRUG_CHECKED, user, answers, drug_check=check)

    def judge_fill(self, visit: RefillVisit, injected: Volume) -> tuple[Finding, ...]:
        """Whether the reservoir takes this much. Source: REF-04."""
        return overfill_findings(self.model_of(visit), left=Volume.zero(), injected=injected)

    def record_fill(
        self, visit: RefillVisit, injected: Volume, user: User, reasons: Reasons = NO_REASONS
    ) -> RefillVisit:
        """Write down what was injected; a pump without telemetry is then filled on record.

        Raises: BlockedError, ReasonMissingError.
        """
        now = self.clock.utc()
        answers = self._answers(self.judge_fill(visit, injected), reasons, user)
        if visit.telemetry:
            return self._save(visit, VisitEvent.FILLED, user, answers, injected=injected, filled_at=now)
        visit = visit.after(
            VisitEvent.FILLED, now, injected=injected, filled_at=now, answers=visit.answers + answers,
            effective_at=self.clock.pump(), verified_at=now,
        )  # fmt: skip
        entry = AuditEntry(now, user.id, "refill.filled", visit.id)
        self.store.save_fill(visit, self._fill_without_telemetry(visit, user), entry)
        return visit

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

    # -- what the pump shall do ------------------------------------------------------------------------------

    def settings_for(self, visit: RefillVisit, *, program: Program, low_alarm: Volume) -> PumpSettings:
        """The settings that would be sent: the new reservoir, and a bridge where the solution changes.

        Raises:
            NoPathVolumeError: a bridge is needed, and tubing or catheter volume is not known.
        """
        check, injected, now = visit.drug_check, visit.injected, self.settings_now(visit)
        if check is None or injected is None or now is None:
            raise WrongStepError(step=visit.step.value, event=VisitEvent.PROPOSED.value)
        settings = PumpSettings(
            drug=check.drug,
            concentration=check.concentration,
            program=program,
            low_alarm=low_alarm,
            reservoir=injected,
        )
        bridge = self._bridge(visit, now, settings) if self._changes_solution(visit, check) else None
        return replace(settings, bridge=bridge)

    def _bridge(self, visit: RefillVisit, old: PumpSettings, new: PumpSettings) -> OneTimeBolus:
        """The bridge bolus between two solutions. Source: CON-01, CON-02."""
        model = self.model_of(visit)
        path_ml = path_volume_ml(model, catheter_volume_ml(self._segments(visit)))
        if path_ml is None:
            raise NoPathVolumeError(implant=visit.implant_id)
        before, after = _prescription(old, model), _prescription(new, model)
        require_same_bridge(before, after, path_ml)
        bridged = bridge(before, after, path_ml)
        if bridged is None:
            raise NoPathVolumeError(implant=visit.implant_id)
        return OneTimeBolus(OneTimeKind.BRIDGE, Volume.ml(path_ml), bridged.duration_min)

    def _segments(self, visit: RefillVisit) -> list[Segment]:
        implant = self.implant(visit.patient_id)
        return [Segment(self.catalogue.catheter(piece.model), piece.trimmed_cm) for piece in implant.catheter]

    def judge_settings(self, visit: RefillVisit, settings: PumpSettings, user: User) -> tuple[Finding, ...]:
        """Everything the rules say about what would be sent."""
        now = self.settings_now(visit)
        if now is None:
            return ()
        model, drug = self.model_of(visit), self.catalogue.drug(settings.drug)
        findings = list(program_findings(settings.program, model, drug, settings.concentration, self.catalogue))
        if user.role is not Role.PHYSICIAN:
            findings += self._order_findings(visit, now, settings)
        findings += self._low_alarm_findings(visit, settings)
        if settings.bridge is not None:
            before, after = _prescription(now, model), _prescription(settings, model)
            segments = self._segments(visit)
            bridging = bridge_findings(
                model,
                self.catalogue,
                old=before,
                new=after,
                catheter_ml=catheter_volume_ml(segments),
                segments=segments,
            )
            # The drug's step and the program's own findings have said these already.
            findings += (finding for finding in bridging if finding.rule not in ("U-02", "U-03"))
        return tuple(findings)

    def _low_alarm_findings(self, visit: RefillVisit, settings: PumpSettings) -> tuple[Finding, ...]:
        """A larger low-reservoir volume for whoever had withdrawal before the alarm, with its dates. Source: REF-08."""
        wanted = Volume.ml(self.catalogue.rule("ref_08_alarm_ml"))
        therapy = self.therapy_after(visit, replace(settings, low_alarm=wanted))
        if RiskReason.BEFORE_ALARM not in therapy.risks or settings.low_alarm >= wanted:
            return ()
        low_on, due = moment(_low(therapy)), moment(_by(therapy))
        values = {"suggested_ml": plain(wanted.in_ml), "low_on": low_on, "refill_by": due}
        return (Finding("REF-08", Severity.NOTE, "raise-alarm", values),)

    def _order_findings(self, visit: RefillVisit, now: PumpSettings, settings: PumpSettings) -> tuple[Finding, ...]:
        """What a nurse may program: what is ordered, or what runs already. Source: U-06."""
        try:
            order = self.last_order(visit.implant_id)
        except OrderChangedError:
            return (Finding("U-06", Severity.BLOCK, "order-changed"),)
        same = settings.program == now.program
        if order is None:
            return () if same else (Finding("U-06", Severity.BLOCK, "program-not-ordered"),)
        today = self.clock.pump().date()
        if not same or (settings.drug, settings.concentration) != (now.drug, now.concentration):
            return within_order(order, settings, today)
        if order.counts_on(today) and deviations(order, settings):
            return (Finding("U-06", Severity.CONFIRM, "order-not-followed", {"name": order.name}),)
        return ()

    def propose(
        self, visit: RefillVisit, settings: PumpSettings, user: User, reasons: Reasons = NO_REASONS
    ) -> RefillVisit:
        """Write down what shall be sent. Nothing is sent. Raises: BlockedError, ReasonMissingError."""
        answers = self._answers(self.judge_settings(visit, settings, user), reasons, user)
        return self._save(visit, VisitEvent.PROPOSED, user, answers, proposed=settings, outcome=None)

    def require_allowed(self, visit: RefillVisit, user_id: str) -> None:
        """Judge the proposal once more, by what counts now: an order may have ended since it was made.

        Raises: BlockedError, ReasonMissingError.
        """
        if visit.proposed is None:
            raise WrongStepError(step=visit.step.value, event=VisitEvent.SENT.value)
        user = next(user for user in self.store.users() if user.id == user_id)
        given = {(answer.rule, answer.reason): answer.text for answer in visit.answers}
        require_reasons(self.judge_settings(visit, visit.proposed, user), given)

    def comparison(self, visit: RefillVisit) -> tuple[Row, ...]:
        """What is in the pump beside what would be sent, with the dates that follow.

        Raises: NoCourseError.
        """
        now, proposed = self.settings_now(visit), visit.proposed
        if now is None or proposed is None:
            return ()
        return (*compare(now, proposed, self.model_of(visit)), *self._date_rows(visit, proposed))

    def _date_rows(self, visit: RefillVisit, proposed: PumpSettings) -> tuple[Row, ...]:
        before = therapy_of(self.store.therapy(visit.patient_id), self.catalogue, at=self.clock.pump())
        after = self.therapy_after(visit, proposed)
        rows = [
            Row("Reservoir", _shown(visit.reading.reservoir if visit.reading else None), _shown(proposed.reservoir)),
            dates_row("Low-reservoir alarm on", _low(before), _low(after)),
            dates_row("Refill by", _by(before), _by(after)),
        ]
        if proposed.bridge is not None:
            ends = self.clock.pump() + timedelta(minutes=proposed.bridge.duration_min)
            rows.append(Row("Bridge ends about", NOTHING, moment(ends), derived=True))
        return tuple(rows)

    def therapy_after(self, visit: RefillVisit, settings: PumpSettings) -> Therapy:
        """The therapy as it would be if ``settings`` came into force now."""
        record = self.store.therapy(visit.patient_id)
        at = self.clock.pump()
        program = ProgramRecord(
            "", visit.implant_id, visit.id, ProgramState.PROPOSED, settings, at, self.clock.utc(), visit.opened_by
        )
        volume = settings.reservoir or Volume.zero()
        fill = Fill("", visit.implant_id, visit.id, at, settings.drug, settings.concentration, volume, volume, "", None,
                    visit.opened_by)  # fmt: skip
        return therapy_of(replace(record, fill=fill, programs=(program,)), self.catalogue, at=at)

    # -- the end ---------------------------------------------------------------------------------------------

    def appointment_window(self, visit: RefillVisit) -> tuple[date, date] | None:
        """First and last day that suit the next refill; ``None`` if the refill-by date is unknown. Source: REF-09."""
        due = self.therapy(visit.patient_id).refill_by
        return window_before(due.at.date(), self.catalogue) if due is not None else None

    def proposals(self, visit: RefillVisit) -> Proposals:
        """Days that can be booked for the next refill, and what the rules say to them. Source: REF-09, REF-14."""
        return proposals(self.therapy(visit.patient_id), self.catalogue, self.why_free)

    def therapy(self, patient_id: str) -> Therapy:
        """What the patient is getting now."""
        return therapy_of(self.store.therapy(patient_id), self.catalogue, at=self.clock.pump())

    def judge_appointment(self, visit: RefillVisit, on: date | None) -> tuple[Finding, ...]:
        """Whether the next appointment is in time, and the patient and the clinic are there. Source: REF-09, REF-14."""
        return appointment_findings(on, self.therapy(visit.patient_id), self.why_free)

    def book(self, visit: RefillVisit, on: date | None, user: User, reasons: Reasons = NO_REASONS) -> RefillVisit:
        """Book the next appointment and close the visit. Raises: BlockedError, ReasonMissingError."""
        answers = self._answers(self.judge_appointment(visit, on), reasons, user)
        return self._save(visit, VisitEvent.BOOKED, user, answers, appointment_on=on)

    # -- writing ---------------------------------------------------------------------------------------------

    def _answers(self, findings: Sequence[Finding], reasons: Reasons, user: User) -> tuple[Answer, ...]:
        """The reasons given, one for each finding that asks for one."""
        now = self.clock.utc()
        return tuple(
            Answer(finding.rule, finding.reason, reasons[finding.rule, finding.reason], now, user.id)
            for finding in require_reasons(findings, reasons)
        )

    def _save(
        self, visit: RefillVisit, event: VisitEvent, user: User, answers: tuple[Answer, ...] = (), **changes: object
    ) -> RefillVisit:
        now = self.clock.utc()
        visit = visit.after(event, now, answers=visit.answers + answers, **changes)
        self.store.save_visit(visit, AuditEntry(now, user.id, f"refill.{event.value}", visit.id))
        return visit


def _reading_of(interrogation: Interrogation) -> PumpReading:
    """What the visit keeps of an interrogation."""
    return PumpReading(
        read_at=interrogation.read_at,
        pump_clock=interrogation.pump_clock,
        serial=interrogation.identity.serial,
        model=interrogation.identity.model,
        revision=interrogation.revision,
        digest=interrogation.digest,
        settings=interrogation.settings,
        running=interrogation.running,
        reset=interrogation.reset,
        reservoir=interrogation.reservoir,
        alarms=tuple(alarm.value for alarm in interrogation.alarms),
        emulated=interrogation.identity.emulated,
    )


def _prescription(settings: PumpSettings, model: PumpModel) -> Prescription:
    """Drug, concentration and mean daily dose of settings; a flex program counts with its 24 h total (floored)."""
    daily = figures_of(settings.program, model, settings.concentration).achieved_daily
    return Prescription(settings.drug, settings.concentration, DoseRate.floor(daily))


def _shown(volume: Volume | None) -> str:
    return NOTHING if volume is None else show_volume(volume)


def _low(therapy: Therapy) -> datetime | None:
    return therapy.dates.low_at if therapy.dates else None


def _by(therapy: Therapy) -> datetime | None:
    return therapy.refill_by.at if therapy.refill_by else None
