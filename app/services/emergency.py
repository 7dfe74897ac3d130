"""The emergency sheet: what runs now, and what was done last (rule EMG-03), from the records alone.

Law: nothing is asked of a pump and nothing on record is changed; what is not on record is said to be unknown.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from app.models.catalogue import Catalogue, PumpModel
from app.models.comparison import NOTHING, duration, mode_name, moment, sentence_of
from app.models.course import NoCourseError, figures_of
from app.models.emergency import EmergencySheet, Happening
from app.models.formats import rounded, show_concentration, show_volume, with_unit
from app.models.patient import User
from app.models.ports import ClinicStore
from app.models.program import OneTimeBolus, OneTimeKind
from app.models.pump import (
    Alarm,
    Outcome,
    PumpEvent,
    PumpEventKind,
    PumpSettings,
    ResumeDelivery,
    SilenceAlarms,
    StepClock,
    StopDelivery,
)
from app.models.quantities import Mass
from app.models.records import AuditEntry, Fill, ProgramRecord, PumpOrder, StoppedGuard
from app.models.refill_visit import RefillVisit, Step
from app.models.report import ReportRow
from app.services.clinic_phone import PhoneDesk
from app.services.clock import Clock
from app.services.therapy import Therapy, Urgency, therapy_of

_TREND = 6
_OUTCOMES: dict[Outcome | None, str] = {
    Outcome.VERIFIED: "verified",
    Outcome.NOT_APPLIED: "NOT APPLIED, nothing changed",
}
_EVENTS = {
    PumpEventKind.STARTED: ("started", False),
    PumpEventKind.STOPPED: ("STOPPED", True),
    PumpEventKind.COMMITTED: ("took an order", False),
    PumpEventKind.BOLUS_STARTED: ("a bolus began", True),
    PumpEventKind.BOLUS_ENDED: ("a bolus ended", False),
    PumpEventKind.BRIDGE_ENDED: ("the bridge bolus ended", False),
    PumpEventKind.STALLED: ("MOTOR STALLED", True),
    PumpEventKind.RECOVERED: ("the motor turns again", True),
    PumpEventKind.RESET: ("RESET, the program is lost", True),
    PumpEventKind.ALARM: ("alarm", True),
    PumpEventKind.CLOCK_SET: ("the clock was set", False),
    PumpEventKind.SILENCED: ("alarms noted", False),
}
"""The pump's own log in words, and whether that may explain an emergency. Fills stand there already."""


@dataclass(frozen=True, slots=True)
class _At:
    """A happening that is still to be sorted."""

    at: datetime
    happening: Happening


@dataclass(frozen=True, slots=True)
class Emergencies:
    """Where emergency sheets are put together."""

    store: ClinicStore
    catalogue: Catalogue
    clock: Clock
    phones: PhoneDesk

    def open(self, patient_id: str, user: User, *, emulated: bool) -> EmergencySheet:
        """The sheet of a patient as things stand now; that it was opened is noted in the audit trail.

        The sheet opens even where that could not be noted, and says so.

        Raises: NotOnRecordError. Source: EMG-03, EMG-06.
        """
        noted = self._note("emergency.opened", patient_id, user)
        return self._sheet(patient_id, user, emulated=emulated, noted=noted)

    def note_printed(self, patient_id: str, user: User) -> bool:
        """Note that the sheet went to paper; returns whether that could be noted."""
        return self._note("emergency.printed", patient_id, user)

    def _note(self, action: str, patient_id: str, user: User) -> bool:
        try:
            self.store.write_down(AuditEntry(self.clock.utc(), user.id, action, patient_id))
        except Exception:  # a full or read-only disk must not keep the sheet shut
            logging.getLogger(__name__).exception("The audit trail could not be written")
            return False
        return True

    def _sheet(self, patient_id: str, user: User, *, emulated: bool, noted: bool) -> EmergencySheet:
        record = self.store.therapy(patient_id)
        therapy = therapy_of(record, self.catalogue, at=self.clock.pump())
        days = int(self.catalogue.rule("emg_03_days"))
        history = _History.read(self.store, therapy, self.clock, days)
        patient = therapy.patient
        return EmergencySheet(
            patient=patient.name,
            subtitle=f"born {_day(patient.born_on)}, number {patient.number}",
            facts=tuple(ReportRow(label, value) for label, value in _facts(therapy, history)),
            program=_program(therapy),
            alerts=tuple(self._alerts(therapy, history, noted=noted)),
            happenings=tuple(
                found.happening
                for found in sorted(_happenings(history, therapy, self.catalogue), key=lambda one: one.at, reverse=True)
            ),
            days=days,
            phone=self.phones.phone,
            footer=(
                f"As on record at {moment(self.clock.pump())}, the pump's clock · {user.name} · Cisterna is not a "
                "medical device"
            ),
            emulated=emulated,
        )

    def _alerts(self, therapy: Therapy, history: _History, *, noted: bool) -> Iterator[str]:
        if history.guard is not None:
            yield f"THE PUMP MAY STAND STILL since {moment(self.clock.to_pump(history.guard.since))}."
        if history.in_doubt:
            yield "RESULT NOT KNOWN: an order was sent to this pump, and no answer came. Ask the pump first."
        if therapy.settings is not None and therapy.settings.program.is_stopped:
            yield "The program is Stopped: the pump delivers nothing."
        if therapy.urgency is Urgency.EMPTY and therapy.dates is not None:
            yield f"Assume that the reservoir is empty since {moment(therapy.dates.empty_at)}."
        yield from _watch(history, therapy, self.catalogue)
        for visit in history.visits:
            if visit.step is not Step.CLOSED:
                yield f"A refill is under way since {moment(self.clock.to_pump(visit.opened_at))}.{_filled(visit)}"
        if not noted:
            yield "That this sheet was opened could not be written to the audit trail."


@dataclass(frozen=True, slots=True)
class _History:
    """What the records say of one pump. ``since`` is on the pump's clock."""

    since: datetime
    clock: Clock
    fills: Sequence[Fill] = ()
    programs: Sequence[ProgramRecord] = ()
    visits: Sequence[RefillVisit] = ()
    events: Sequence[PumpEvent] = ()
    orders: Sequence[PumpOrder] = ()
    guard: StoppedGuard | None = None
    in_doubt: bool = False

    @classmethod
    def read(cls, store: ClinicStore, therapy: Therapy, clock: Clock, days: int) -> _History:
        """Everything of the last ``days``, and all programs and visits before, which the changes are told from."""
        since, implant = clock.pump() - timedelta(days=days), therapy.implant
        if implant is None:
            return cls(since, clock)
        still_open = [visit for visit in store.open_visits() if visit.implant_id == implant.id]
        return cls(
            since=since,
            clock=clock,
            fills=store.fills(implant.id),
            programs=store.programs(implant.id),
            visits=[*store.visits(implant.id), *still_open],
            events=store.pump_events(implant.id, since),
            orders=store.pump_orders(implant.id, clock.utc() - timedelta(days=days)),
            guard=next((guard for guard in store.guards() if guard.serial == implant.serial), None),
            in_doubt=store.in_doubt(implant.serial),
        )


def _filled(visit: RefillVisit) -> str:
    """What an unfinished visit has put into the reservoir that no verified program knows of."""
    if visit.injected is None or visit.drug_check is None or visit.outcome is Outcome.VERIFIED:
        return ""
    check = visit.drug_check
    what = f"{show_volume(visit.injected)} of {check.drug} {show_concentration(check.concentration)}"
    known = "" if not visit.telemetry else " The pump has confirmed no program for it."
    return f" FILLED ALREADY: {what}.{known}"


def _facts(therapy: Therapy, history: _History) -> Iterator[tuple[str, str]]:
    settings, implant, model = therapy.settings, therapy.implant, therapy.model
    yield "Drug", settings.drug if settings else "unknown"
    yield "Concentration", show_concentration(settings.concentration) if settings else "unknown"
    yield "Daily dose", _daily(settings, model)
    yield "Mode", mode_name(settings.program) if settings else "unknown"
    yield "Should be left now", show_volume(therapy.reservoir.volume) if therapy.reservoir else "unknown"
    yield "Bridge bolus", _bridge_now(therapy, history)
    yield "Pump", f"{model.name}, {implant.serial}" if model and implant else "none on record"
    yield "Drawn out against expected", ", ".join(_trend(history)) or "not on record"


def _program(therapy: Therapy) -> str:
    if therapy.settings is None or therapy.model is None:
        return "No program is on record."
    return sentence_of(therapy.settings, therapy.model)


def _daily(settings: PumpSettings | None, model: PumpModel | None) -> str:
    dose = _daily_mcg(settings, model)
    return "unknown" if dose is None else with_unit(rounded(dose, 3), "mcg/day")


def _daily_mcg(settings: PumpSettings | None, model: PumpModel | None) -> Fraction | None:
    if settings is None or model is None:
        return None
    try:
        return figures_of(settings.program, model, settings.concentration).achieved_daily / Mass.PER_MCG
    except NoCourseError:
        return None


def _bridge_now(therapy: Therapy, history: _History) -> str:
    if not history.programs:
        return "none"
    latest = history.programs[-1]
    ends = _bridge_end(latest)
    if latest.settings.bridge is None or ends is None or not latest.effective_at <= therapy.at < ends:
        return "none running"
    return f"RUNNING until {moment(ends)}: {_bridge(latest.settings)}"


def _bridge_end(record: ProgramRecord) -> datetime | None:
    bridge = record.settings.bridge
    return record.effective_at + timedelta(minutes=bridge.duration_min) if bridge is not None else None


def _bridge(settings: PumpSettings) -> str:
    if settings.bridge is None:
        return NOTHING
    volume = with_unit(rounded(settings.bridge.volume.in_ml, 3), "mL")
    return f"{volume} over {duration(settings.bridge.duration_min)}"


def _drawn(history: _History) -> list[tuple[RefillVisit, Fraction]]:
    """Visits at which the reservoir was drawn out, with the difference to what was expected in mL, latest first."""
    found = [
        (visit, (visit.aspirated - visit.expected).in_ml)
        for visit in history.visits
        if visit.aspirated is not None and visit.expected is not None
    ]
    return sorted(found, key=lambda one: one[0].opened_at, reverse=True)


def _trend(history: _History) -> Iterator[str]:
    for visit, difference in _drawn(history)[:_TREND]:
        yield f"{_signed(difference)} ({_day(history.clock.to_pump(visit.opened_at))})"


def _signed(ml: Fraction) -> str:
    sign = "+" if ml > 0 else "−" if ml < 0 else ""
    return with_unit(f"{sign}{rounded(abs(ml), 2)}", "mL")


def _watch(history: _History, therapy: Therapy, catalogue: Catalogue) -> Iterator[str]:
    """After a drop of the daily dose, until when to watch for withdrawal. Source: EMG-05."""
    hours, least = catalogue.rule("emg_05_watch_h"), catalogue.rule("emg_05_reduction_percent")
    for before, after in zip(history.programs, history.programs[1:], strict=False):
        old, new = _daily_mcg(before.settings, therapy.model), _daily_mcg(after.settings, therapy.model)
        until = after.effective_at + timedelta(minutes=int(hours * 60))
        if old is None or new is None or not old or not after.effective_at <= therapy.at < until:
            continue
        if after.settings.drug == before.settings.drug and (old - new) / old * 100 > least:
            yield (
                f"The daily dose fell by {rounded((old - new) / old * 100, 1)} % on {moment(after.effective_at)}: "
                f"watch for withdrawal until {moment(until)}."
            )


def _happenings(history: _History, therapy: Therapy, catalogue: Catalogue) -> Iterator[_At]:
    yield from _fill_happenings(history)
    yield from _program_happenings(history, therapy)
    yield from _drawn_happenings(history, catalogue)
    yield from _failed_visits(history)
    yield from _order_happenings(history)
    yield from _event_happenings(history)


def _at(at: datetime, what: str, words: str, *, grave: bool = False) -> _At:
    return _At(at, Happening(moment(at), what, words, grave))


def _fill_happenings(history: _History) -> Iterator[_At]:
    for fill in history.fills:
        if fill.at >= history.since or fill is history.fills[-1]:
            lot = f", lot {fill.lot}" if fill.lot else ""
            yield _at(
                fill.at, "Fill",
                f"{show_volume(fill.injected)} of {fill.drug} {show_concentration(fill.concentration)}{lot}; "
                f"{show_volume(fill.volume)} in the reservoir",
            )  # fmt: skip


def _program_happenings(history: _History, therapy: Therapy) -> Iterator[_At]:
    """Those of the last days, and the last that changed anything, however long ago."""
    before: PumpSettings | None = None
    programs = history.programs
    changed = [
        later for earlier, later in zip([None, *programs], programs, strict=False)
        if earlier is None or _what_runs(earlier) != _what_runs(later)
    ]  # fmt: skip
    for record in programs:
        settings = record.settings
        if record.effective_at >= history.since or record is changed[-1]:
            yield from _changes(record, before, therapy)
            if settings.bridge is not None:
                ends = moment(_bridge_end(record))
                yield _at(record.effective_at, "Bridge", f"{_bridge(settings)}, until {ends}", grave=True)
        before = settings


def _what_runs(record: ProgramRecord) -> tuple[object, ...]:
    return record.settings.drug, record.settings.concentration, record.settings.program


def _changes(record: ProgramRecord, before: PumpSettings | None, therapy: Therapy) -> Iterator[_At]:
    settings, at = record.settings, record.effective_at
    daily = _daily(settings, therapy.model)
    if before is None:
        yield _at(at, "Program", f"first on record: {mode_name(settings.program)}, {daily}", grave=True)
        return
    if settings.drug != before.drug:
        yield _at(at, "Drug", f"CHANGED from {before.drug} to {settings.drug}", grave=True)
    if settings.concentration != before.concentration:
        old, new = show_concentration(before.concentration), show_concentration(settings.concentration)
        yield _at(at, "Concentration", f"CHANGED from {old} to {new}", grave=True)
    if settings.program == before.program:
        yield _at(at, "Program", f"sent again unchanged: {mode_name(settings.program)}, {daily}")
        return
    was = _daily(before, therapy.model)
    modes = [mode_name(before.program), mode_name(settings.program)]
    mode = modes[1] if modes[0] == modes[1] else f"{modes[0]} to {modes[1]}"
    dose = f"the same daily dose, {daily}" if was == daily else f"daily dose {was} to {daily}"
    yield _at(at, "Program", f"CHANGED: {mode}, {dose}", grave=True)


def _drawn_happenings(history: _History, catalogue: Catalogue) -> Iterator[_At]:
    limit = catalogue.rule("ref_02_volume_ml")
    for visit, difference in _drawn(history):
        at = history.clock.to_pump(visit.aspirated_at or visit.opened_at)
        if at >= history.since and visit.aspirated is not None and visit.expected is not None:
            words = f"{show_volume(visit.aspirated)}, expected {show_volume(visit.expected)}: {_signed(difference)}"
            yield _at(at, "Drawn out", words, grave=abs(difference) > limit)


def _failed_visits(history: _History) -> Iterator[_At]:
    for visit in history.visits:
        at = history.clock.to_pump(visit.changed_at)
        if at < history.since or not visit.telemetry or visit.outcome in (None, Outcome.VERIFIED):
            continue
        known = visit.outcome is Outcome.NOT_APPLIED
        words = "NOT APPLIED, the old program ran on" if known else "RESULT NOT KNOWN: ask the pump"
        yield _at(at, "Program", f"sent at a refill, {words}", grave=not known)


def _order_happenings(history: _History) -> Iterator[_At]:
    for record in history.orders:
        at = history.clock.to_pump(record.sent_at or record.written_at)
        came = _OUTCOMES.get(record.outcome, "RESULT NOT KNOWN: ask the pump")
        if record.sent_at is None and record.outcome is None:
            came = "never sent"
        what, words = _order(record, _settings_at(history, at))
        grave = record.outcome is not Outcome.NOT_APPLIED and not isinstance(record.order, SilenceAlarms)
        yield _at(at, what, f"{words}: {came}", grave=grave)


def _settings_at(history: _History, at: datetime) -> PumpSettings | None:
    running = [record.settings for record in history.programs if record.effective_at <= at]
    return running[-1] if running else None


def _order(record: PumpOrder, running: PumpSettings | None) -> tuple[str, str]:
    match record.order:
        case OneTimeBolus(kind=kind, volume=volume, duration_min=minutes):
            dose = ""
            if running is not None:
                mcg = Fraction(volume.quanta * running.concentration.quanta, Mass.PER_MCG)
                dose = f" = {with_unit(rounded(mcg, 1), 'mcg')} of {running.drug}"
            name = {OneTimeKind.SINGLE: "single", OneTimeKind.PRIMING: "priming"}.get(kind, kind.value)
            ml = with_unit(rounded(volume.in_ml, 3), "mL")
            return "Bolus", f"{name}, {ml}{dose} over {duration(minutes)}"
        case StopDelivery():
            return "Order", "STOP the pump"
        case ResumeDelivery():
            return "Order", "resume the program"
        case StepClock(seconds=seconds):
            return "Order", f"set the clock by {with_unit(str(seconds), 's')}"
        case SilenceAlarms(alarms=alarms):
            return "Alarms noted", ", ".join(alarm.value for alarm in alarms) or "none"
        case PumpSettings() as settings:
            return "Order", f"program on its own: {mode_name(settings.program)}"


def _event_happenings(history: _History) -> Iterator[_At]:
    programmed = {record.effective_at.replace(second=0, microsecond=0) for record in history.programs}
    called: dict[datetime, list[PumpEvent]] = {}
    for event in history.events:
        if event.kind in (PumpEventKind.PATIENT_BOLUS, PumpEventKind.PATIENT_REFUSED):
            called.setdefault(datetime(event.at.year, event.at.month, event.at.day), []).append(event)
        elif event.kind is PumpEventKind.COMMITTED and event.at.replace(second=0, microsecond=0) in programmed:
            continue
        elif event.kind in _EVENTS:
            words, grave = _EVENTS[event.kind]
            named = f": {_alarm_names(event.value)}" if event.kind is PumpEventKind.ALARM else ""
            yield _at(event.at, "Pump log", f"{words}{named}", grave=grave)
        elif event.kind is not PumpEventKind.FILLED:
            yield _at(event.at, "Pump log", f"unknown event {event.code}", grave=True)
    for events in called.values():
        given = sum(event.kind is PumpEventKind.PATIENT_BOLUS for event in events)
        words = f"the patient called {len(events)} boluses that day, {given} given"
        yield _at(events[-1].at, "Pump log", words, grave=bool(given))


def _day(day: date) -> str:
    return f"{day.day}\u00a0{day:%b}\u00a0{day.year}"


def _alarm_names(bits: int) -> str:
    """The alarms of an event, which numbers them by bit in their order."""
    names = [alarm.value.replace("-", " ") for place, alarm in enumerate(Alarm) if bits & 1 << place]
    return ", ".join(names) or str(bits)
