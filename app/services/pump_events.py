"""Pump events in a visit: the cards, who may resolve them, what they hold up, and a program found in the pump.

Law: a card is worked out anew each time from what is on record; what somebody says about it is written once with its
audit row, and no gate opens but by a card's own way. Source: SR-28, docs/pump-events.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from app.models.catalogue import Catalogue, PumpModel
from app.models.comparison import Row
from app.models.course import NoCourseError, figures_of
from app.models.errors import AppError
from app.models.findings import Finding, Severity
from app.models.mri import TherapyEventKind
from app.models.patient import Implant, Role, User
from app.models.ports import ClinicStore, NotOnRecordError
from app.models.pump import Alarm, Interrogation, PumpEvent, PumpEventKind, PumpPort, PumpSettings, WrongPumpError
from app.models.pump_events import (
    CardKind,
    EventCard,
    EventResolution,
    OnRecord,
    SeenReading,
    Way,
    cards_of,
    critical,
    gating,
    restart_findings,
    second_read_due,
)
from app.models.quantities import DoseRate
from app.models.reconcile import Found, difference, found_in
from app.models.records import AuditEntry, Fill, ProgramRecord, ProgramState, TherapyRecord
from app.models.refill_visit import PumpReading, RefillVisit, Step, VisitEvent, WrongStepError
from app.models.typed_reason import require_good_reason
from app.services.clock import Clock
from app.services.therapy import therapy_of

_SPOKEN = (Way.PHYSICIAN, Way.CONFIRM, Way.ACKNOWLEDGE)
_MAY_READ = (Step.RESIDUAL, Step.DRUG, Step.FILL, Step.SETTINGS, Step.CONFIRM, Step.REPORT)


class OpenCardsError(AppError):
    """The step is held up: ``cards`` are the keys of what must be resolved before ``event``."""


class CardGoneError(AppError):
    """The card is not open any more, or not as it was shown; ``card`` is its key."""


class NotBySayingError(AppError):
    """Nothing that anybody says resolves this card; ``way`` is what does."""


class PhysicianNeededError(AppError):
    """Only a physician decides about this card."""


class SecondPersonNeededError(AppError):
    """A STOP card takes a second person on record, who is not the first."""


class NothingToReconcileError(AppError):
    """The record and the pump agree, or the pump was reset and holds no program to take over."""


@dataclass(frozen=True, slots=True)
class PumpEvents:
    """What the events of a visit's pump ask. ``new_id`` returns 32 random hex digits."""

    store: ClinicStore
    catalogue: Catalogue
    clock: Clock
    new_id: Callable[[], str]

    # -- what there is -----------------------------------------------------------------------------------------

    def log(self, implant_id: str) -> tuple[PumpEvent, ...]:
        """The pump's whole log, as far as it was ever read, by number."""
        return tuple(sorted(self.store.pump_events(implant_id, datetime.min), key=lambda event: event.number))

    def cards(self, visit: RefillVisit) -> tuple[EventCard, ...]:
        """Every open card, critical ones first; none before the pump was read."""
        return self._cards(visit, {key for key in self._resolved(visit)})

    def open_critical(self, visit: RefillVisit) -> tuple[EventCard, ...]:
        """Those with which the visit cannot be closed."""
        return critical(self.cards(visit))

    def read_again_from(self, visit: RefillVisit, card: EventCard) -> datetime | None:
        """From when (UTC) another reading can resolve a stall's card; ``None`` for any other."""
        return second_read_due(card, self._readings(visit), self.catalogue)

    def gate(self, visit: RefillVisit, event: VisitEvent) -> None:
        """Let the visit go on by ``event``. Raises: OpenCardsError."""
        held = gating(self.cards(visit), event)
        if held:
            raise OpenCardsError(event=event.value, cards=",".join(card.key for card in held))

    def proposal_findings(self, visit: RefillVisit, settings: PumpSettings) -> tuple[Finding, ...]:
        """What a proposal must be asked because of what befell the pump. Source: PRO-08, SR-28, H-88."""
        reading = visit.reading
        if reading is None:
            return ()
        every = self._cards(visit, set())
        program = settings.program
        reset = [card.key for card in every if card.kind is CardKind.RESET and card.critical]
        if reset and program == reading.settings.program:
            return (Finding("PRO-08", Severity.BLOCK, "same-program", {"cards": ", ".join(reset)}),)
        record = self.store.therapy(visit.patient_id)
        before = record.programs[-1].settings if record.programs else reading.settings
        model = self._model(record)
        daily = [self._daily(one, model) for one in (before, settings)]
        if daily[0] is None or daily[1] is None:
            return ()
        return restart_findings(
            every,
            before=daily[0].in_mcg_per_day,
            proposed=daily[1].in_mcg_per_day,
            catalogue=self.catalogue,
        )

    # -- what is done about it ---------------------------------------------------------------------------------

    def resolve(
        self,
        visit: RefillVisit,
        card: EventCard,
        way: Way,
        reason: str,
        user: User,
        *,
        second: User | None = None,
    ) -> EventResolution:
        """Write down what somebody says about an open card.

        Raises:
            CardGoneError: the card is not open, or not any more as it was shown.
            NotBySayingError: a reading, a program or a comparison resolves it, and no word.
            PhysicianNeededError: a nurse cannot decide this.
            SecondPersonNeededError: a STOP card takes two.
            ReasonTooThinError: what was typed is no reason; nothing is asked of an acknowledgement.
        """
        if not any((shown.key, shown.reason) == (card.key, card.reason) for shown in self.cards(visit)):
            raise CardGoneError(card=card.key)
        if way is not card.way or way not in _SPOKEN:
            raise NotBySayingError(card=card.key, way=card.way.value)
        people = {known.id: known for known in self.store.users()}
        signer = people.get(user.id)
        if way is Way.PHYSICIAN and (signer is None or signer.role is not Role.PHYSICIAN):
            raise PhysicianNeededError(card=card.key)
        if card.stop and (second is None or second.id == user.id or second.id not in people):
            raise SecondPersonNeededError(card=card.key)
        words = "" if way is Way.ACKNOWLEDGE else require_good_reason(reason, self.catalogue)
        now = self.clock.utc()
        resolution = EventResolution(
            id=self.new_id(),
            implant_id=visit.implant_id,
            visit_id=visit.id,
            card_key=card.key,
            event_number=card.number,
            way=way,
            reason=words,
            at=now,
            by=user.id,
            second_id=second.id if card.stop and second is not None else None,
        )
        entry = AuditEntry(now, user.id, f"pump-event.{way.value}", visit.id, f"{card.key} {resolution.id}")
        self.store.add_event_resolution(resolution, entry)
        return resolution

    def read_again(self, visit: RefillVisit, pump: PumpPort, user: User) -> RefillVisit:
        """Read the pump once more during a visit; what was proposed must then be proposed anew.

        Raises: LinkLostError, WrongPumpError; WrongStepError: before the first reading, while an order is out, or once
        the visit is closed.
        """
        if visit.step not in _MAY_READ or visit.reading is None:
            raise WrongStepError(step=visit.step.value, event=VisitEvent.INTERROGATED.value)
        interrogation = pump.interrogate()
        serial = self._implant(visit).serial
        if interrogation.identity.serial != serial:
            raise WrongPumpError(expected=serial, found=interrogation.identity.serial)
        now, reading = self.clock.utc(), reading_of(interrogation)
        if visit.may(VisitEvent.INTERROGATED):
            visit = visit.after(VisitEvent.INTERROGATED, now, reading=reading)
        else:
            visit = replace(visit, reading=reading, changed_at=now)
        entry = AuditEntry(now, user.id, "refill.interrogated", visit.id, interrogation.digest)
        self.store.save_visit(visit, entry, events=interrogation.events, eri_on=interrogation.eri_on)
        return visit

    # -- when another programmer was there ---------------------------------------------------------------------

    def found(self, visit: RefillVisit) -> Found | None:
        """What the pump runs and the record does not know; ``None`` if there is nothing to take over."""
        reading = visit.reading
        if reading is None or not any(card.kind is CardKind.OTHER_SETTINGS for card in self.cards(visit)):
            return None
        record = self.store.therapy(visit.patient_id)
        return found_in(
            reading.settings,
            revision=reading.revision,
            pump_clock=reading.pump_clock,
            events=self.log(visit.implant_id),
            known_until=record.programs[-1].effective_at if record.programs else None,
            fill=record.fill,
        )

    def difference(self, visit: RefillVisit) -> tuple[Row, ...]:
        """What is on record beside what the pump says, item by item; empty where they agree."""
        found = self.found(visit)
        if found is None:
            return ()
        record = self.store.therapy(visit.patient_id)
        settings = record.programs[-1].settings if record.programs else None
        return difference(settings, found, self._model(record), fill=record.fill)

    def reconcile(self, visit: RefillVisit, user: User) -> ProgramRecord:
        """Take the pump's settings into the record, by a nurse or a physician who has seen the difference.

        The program counts as verified, for the pump itself read it out, from the moment that its log gives. A fill that
        came with it is written with the volume that the pump was told; its lot stays unknown.

        Raises: NothingToReconcileError.
        """
        found = self.found(visit)
        if found is None:
            raise NothingToReconcileError(visit=visit.id)
        now = self.clock.utc()
        program = ProgramRecord(
            id=self.new_id(),
            implant_id=visit.implant_id,
            visit_id=visit.id,
            state=ProgramState.VERIFIED,
            settings=found.settings,
            effective_at=found.effective_at,
            recorded_at=now,
            recorded_by=user.id,
        )
        digest = visit.reading.digest if visit.reading else ""
        entry = AuditEntry(now, user.id, "program.reconciled", program.id, digest)
        self.store.add_found_program(program, entry, fill=self._fill_found(visit, found, user))
        return program

    def _fill_found(self, visit: RefillVisit, found: Found, user: User) -> Fill | None:
        if found.fill is None:
            return None
        return Fill(
            id=self.new_id(),
            implant_id=visit.implant_id,
            visit_id=visit.id,
            at=found.fill.at,
            drug=found.settings.drug,
            concentration=found.settings.concentration,
            volume=found.fill.volume,
            injected=found.fill.volume,
            lot="",
            expires_on=None,
            recorded_by=user.id,
        )

    # -- what it rests on --------------------------------------------------------------------------------------

    def _cards(self, visit: RefillVisit, resolved: set[str]) -> tuple[EventCard, ...]:
        readings = self._readings(visit)
        if not readings:
            return ()
        log = self.log(visit.implant_id)
        return cards_of(log, readings, self._on_record(visit, readings, log), self.catalogue, resolved=resolved)

    def _resolved(self, visit: RefillVisit) -> list[str]:
        """Keys that count as resolved: of an event for good, of a state for this visit only."""
        said = self.store.event_resolutions(visit.implant_id)
        return [one.card_key for one in said if one.event_number > 0 or one.visit_id == visit.id]

    def _readings(self, visit: RefillVisit) -> list[SeenReading]:
        """All readings of this pump up to the visit's own or later; none as long as the visit has none."""
        reading = visit.reading
        if reading is None:
            return []
        kept = list(self.store.pump_readings(visit.implant_id))
        if not any(seen.read_at == reading.read_at for seen in kept):
            log = self.log(visit.implant_id)
            kept.append(seen_of(reading, last_event=log[-1].number if log else 0, visit_id=visit.id))
        return sorted(kept, key=lambda seen: seen.read_at)

    def _on_record(
        self, visit: RefillVisit, readings: list[SeenReading], log: tuple[PumpEvent, ...]
    ) -> OnRecord:
        now = readings[-1]
        record = self.store.therapy(visit.patient_id)
        therapy = therapy_of(record, self.catalogue, at=now.pump_clock)
        programmed = visit.verified_at is not None and visit.verified_at >= now.read_at
        fills = [event.at for event in log if event.kind is PumpEventKind.FILLED]
        elsewhere = record.fill is not None and bool(fills) and max(fills) > record.fill.at
        knows = not programmed and bool(record.programs) and visit.reading is not None
        revised = [
            note.at for note in self.store.therapy_events(visit.implant_id)
            if note.kind is TherapyEventKind.SYSTEM_REVISED
        ]  # fmt: skip
        return OnRecord(
            clock=self.clock.to_pump(now.read_at),
            settings=record.programs[-1].settings if knows else None,
            found=visit.reading.settings if knows and visit.reading else None,
            revision=None if programmed else self._revision(visit, readings, log),
            refill_by=therapy.refill_by.at if therapy.refill_by and not elsewhere else None,
            empty_at=therapy.dates.empty_at if therapy.dates and not elsewhere else None,
            revised_at=self.clock.to_pump(max(revised)) if revised else None,
            programmed_at=record.programs[-1].effective_at if record.programs else None,
            reprogrammed=programmed,
        )

    def _revision(
        self, visit: RefillVisit, readings: list[SeenReading], log: tuple[PumpEvent, ...]
    ) -> int | None:
        """The revision that the pump should be at; not known after a reset, which counts one itself."""
        seen_until = readings[-2].last_event if len(readings) > 1 else 0
        if any(event.kind is PumpEventKind.RESET and event.number > seen_until for event in log):
            return None
        return self.store.known_revision(self._implant(visit).serial, visit.implant_id, readings[-1].read_at)

    def _implant(self, visit: RefillVisit) -> Implant:
        implant = self.store.implant_of(visit.patient_id)
        if implant is None:
            raise NotOnRecordError(kind="implant", id=visit.implant_id)
        return implant

    def _model(self, record: TherapyRecord) -> PumpModel:
        if record.implant is None:
            raise NotOnRecordError(kind="implant", id=record.patient.id)
        return self.catalogue.pump(record.implant.pump_model)

    @staticmethod
    def _daily(settings: PumpSettings, model: PumpModel) -> DoseRate | None:
        """The daily dose that these settings come to on this pump, floored; ``None`` if they cannot run on it."""
        try:
            return DoseRate.floor(figures_of(settings.program, model, settings.concentration).achieved_daily)
        except NoCourseError:
            return None


def reading_of(interrogation: Interrogation) -> PumpReading:
    """What a visit keeps of an interrogation."""
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


def seen_of(
    reading: PumpReading, *, last_event: int, visit_id: str | None = None, eri_on: datetime | None = None
) -> SeenReading:
    """What is kept of a reading for good."""
    return SeenReading(
        read_at=reading.read_at,
        pump_clock=reading.pump_clock,
        revision=reading.revision,
        running=reading.running,
        reset=reading.reset,
        alarms=tuple(Alarm(name) for name in reading.alarms),
        eri_on=eri_on,
        last_event=last_event,
        visit_id=visit_id,
    )
