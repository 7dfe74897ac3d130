"""The report of one refill, built from what was written down and what the pump read back.

Law: a report exists for a verified visit only (or a filled constant-flow pump); every figure on it is the
store's, or follows from the settings that the pump itself reported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from importlib.metadata import version

from app.models.catalogue import Catalogue, PumpModel
from app.models.comparison import NOTHING, Row, compare, duration, moment, sentence_of
from app.models.course import figures_of
from app.models.errors import AppError
from app.models.formats import plain, rounded, show_concentration, show_volume, with_unit
from app.models.patient import Implant
from app.models.ports import ClinicStore
from app.models.pump import Outcome, PumpEventKind, PumpSettings
from app.models.quantities import MINUTES_PER_DAY, MINUTES_PER_WEEK, Mass, Volume
from app.models.refill_visit import Answer, RefillVisit
from app.models.report import RefillReport, ReportChange, ReportRow, ReportSection
from app.models.reservoir import RefillLimit
from app.services.clock import Clock
from app.services.therapy import Therapy, therapy_of


class NotVerifiedError(AppError):
    """There is no report of a visit whose program the pump has not confirmed."""


def build_report(visit: RefillVisit, store: ClinicStore, catalogue: Catalogue, clock: Clock) -> RefillReport:
    """The report of a verified visit.

    Raises: NotVerifiedError.
    """
    if visit.telemetry and visit.outcome is not Outcome.VERIFIED:
        raise NotVerifiedError(visit=visit.id)
    therapy = therapy_of(store.therapy(visit.patient_id), catalogue, at=visit.effective_at or clock.pump())
    if therapy.settings is None or therapy.model is None:
        raise NotVerifiedError(visit=visit.id)
    users = {user.id: user for user in store.users()}
    by = users.get(visit.opened_by)
    patient = therapy.patient
    names = {user.id: user.name for user in users.values()}
    return RefillReport(
        title="Refill report",
        patient=patient.name,
        subtitle=f"born {_day(patient.born_on)}, number {patient.number}",
        outcome=_outcome(visit, therapy, clock),
        sections=tuple(_sections(visit, therapy, store, catalogue, clock, names)),
        changes=tuple(_changes(visit, therapy)),
        hours=_hours(therapy.settings, therapy.model),
        overrides=tuple(_override(answer, clock, names) for answer in visit.answers),
        footer=(
            f"Visit {visit.id[:8]} · {by.name if by else NOTHING} · written {_utc(clock.utc())} · records "
            f"{store.audit_head()[:8]} · Cisterna is not a medical device"
        ),
        emulated=visit.reading.emulated if visit.reading else False,
    )


_OWN_ALARM = ("The pump's own alarm", "wrong: the pump was not told of this fill. Hold on to the dates above.")
"""Source: TIT-16."""


def without_programmer(visit: RefillVisit, therapy: Therapy) -> bool:
    """Whether the pump has a counter and an alarm that nobody could set at this visit. Source: TIT-16."""
    return therapy.telemetry and not visit.telemetry


def _outcome(visit: RefillVisit, therapy: Therapy, clock: Clock) -> str:
    if without_programmer(visit, therapy):
        return "Filled without a programmer: nothing was programmed, and the pump's own volume and alarm are wrong."
    if not visit.telemetry:
        return "Filled. This pump has no telemetry: nothing was programmed."
    if visit.verified_at is None:
        return "VERIFIED"
    order = f", order {visit.txn[:8]}" if visit.txn else ""
    return f"VERIFIED by the pump's own read-back at {moment(clock.to_pump(visit.verified_at))}{order}"


Names = Mapping[str, str]
"""The name of everybody who works here, by id."""


def _override(answer: Answer, clock: Clock, names: Names) -> str:
    """A reason, with the rule that asked, whoever gave it and when. Source: U-15."""
    by = names.get(answer.user_id, answer.user_id)
    asked = answer.reason.replace("-", " ")
    return f"{answer.rule} ({asked}): {answer.text} [{by}, {moment(clock.to_pump(answer.at))}]"


def _sections(
    visit: RefillVisit, therapy: Therapy, store: ClinicStore, catalogue: Catalogue, clock: Clock, names: Names
) -> list[ReportSection]:
    return [
        _section("Pump", _pump_rows(visit, therapy, store, catalogue)),
        _section("Reservoir", _volume_rows(visit, store)),
        _section("Drug", _drug_rows(visit)),
        _section("Now in the pump", _program_rows(visit, therapy)),
        _section("Dates", _date_rows(visit, therapy)),
        _section("Session", _session_rows(visit, store, catalogue, clock, names)),
    ]


def _session_rows(
    visit: RefillVisit, store: ClinicStore, catalogue: Catalogue, clock: Clock, names: Names
) -> list[tuple[str, str]]:
    rows = [
        ("Session", _grouped(visit.id)),
        ("Opened", f"{moment(clock.to_pump(visit.opened_at))}, {names.get(visit.opened_by, NOTHING)}"),
        ("Place", visit.place.value),
        ("Second person", _second_person(visit, store, clock, names)),
        ("Software", f"Cisterna {version('cisterna')}, catalogue {catalogue.version}"),
    ]
    if visit.txn is not None:
        rows.append(("Read-back digest", _grouped(store.intent(visit.txn).digest)))
    tone = store.assessments(visit.patient_id)
    if tone:
        values = ", ".join(plain(value) for value in tone[-1].values)
        rows.append(("Muscle tone", f"{tone[-1].scale} {values} on {_day(tone[-1].on)}"))
    return rows


def _grouped(digits: str) -> str:
    """Hex digits in eights, so that they can be read aloud and break across lines."""
    return " ".join(digits[place : place + 8] for place in range(0, len(digits), 8))


def _second_person(visit: RefillVisit, store: ClinicStore, clock: Clock, names: Names) -> str:
    """Who checked what was sent, or why nobody did. Source: U-07."""
    checks = store.second_checks(visit.id)
    if not checks:
        return "none asked for"
    last = checks[-1]
    at = moment(clock.to_pump(last.at))
    if last.second_id is None:
        return f"nobody, {at}: {last.reason}"
    return f"{names.get(last.second_id, last.second_id)}, {at}"


def _section(title: str, rows: list[tuple[str, str]]) -> ReportSection:
    return ReportSection(title, tuple(ReportRow(label, value) for label, value in rows))


def _pump_rows(
    visit: RefillVisit, therapy: Therapy, store: ClinicStore, catalogue: Catalogue
) -> list[tuple[str, str]]:
    implant, model = therapy.implant, therapy.model
    rows = [("Model", model.name if model else NOTHING)]
    if implant is not None:
        age = _age(implant.implanted_on, therapy.at.date())
        rows += [
            ("Serial number", implant.serial),
            ("Implanted", f"{_day(implant.implanted_on)}, {age} ago"),
            ("Catheter", _catheter(implant, catalogue)),
        ]
    if model is not None and therapy.telemetry:
        rows.append(("Tubing in the pump", _tubing(model, catalogue)))
    rows.append(("Battery lasts until", _day(therapy.battery_end) if therapy.battery_end else "unknown"))
    if visit.reading is not None:
        rows += [
            ("Interrogated", moment(visit.reading.pump_clock)),
            ("State before", "running" if visit.reading.running else "STOPPED"),
            ("Alarms before", ", ".join(visit.reading.alarms) or "none"),
            ("Log since the last fill", _log_words(visit, store)),
        ]
    return rows


def _age(since: date, today: date) -> str:
    """Whole years and months."""
    months = (today.year - since.year) * 12 + today.month - since.month - (today.day < since.day)
    return f"{months // 12} y {months % 12} mo"


def _catheter(implant: Implant, catalogue: Catalogue) -> str:
    """Each piece with what was cut off, and the volume of all of them."""
    pieces, volumes = [], []
    for piece in implant.catheter:
        cut = "cut-off length unknown"
        if piece.trimmed_cm is not None:
            model = catalogue.catheter(piece.model)
            cut = f"{with_unit(plain(piece.trimmed_cm), 'cm')} cut off"
            volumes.append((model.length_cm - piece.trimmed_cm) * model.ml_per_cm)
        pieces.append(f"{piece.model}, {cut}")
    if not pieces:
        return "unknown"
    words = "; ".join(pieces)
    if len(volumes) != len(pieces):
        return words
    return f"{words}: {with_unit(plain(sum(volumes, Fraction(0))), 'mL')}"


def _tubing(model: PumpModel, catalogue: Catalogue) -> str:
    """The constant that a bridge is worked out with, and where it comes from. Source: CON-03."""
    constant = model.constants["tubing_ml"]
    if model.tubing is None:
        return f"not known, catalogue {catalogue.version}"
    checked = "" if constant.verified else ", unverified default"
    return f"{with_unit(plain(model.tubing.in_ml), 'mL')}, catalogue {catalogue.version}{checked}"


def _log_words(visit: RefillVisit, store: ClinicStore) -> str:
    """What the pump's log holds since the fill before that nobody ordered."""
    before = [fill for fill in store.fills(visit.implant_id) if fill.visit_id != visit.id]
    if not before or visit.reading is None:
        return NOTHING
    found = Counter(
        (event.kind.value.replace("-", " ") if event.kind else f"unknown event {event.code}")
        for event in store.pump_events(visit.implant_id, before[-1].at)
        if event.kind not in _ORDINARY and event.at <= visit.reading.pump_clock
    )
    return ", ".join(f"{count} × {name}" for name, count in found.items()) or "nothing unusual"


_ORDINARY = frozenset(
    {
        PumpEventKind.COMMITTED,
        PumpEventKind.FILLED,
        PumpEventKind.BRIDGE_ENDED,
        PumpEventKind.BOLUS_STARTED,
        PumpEventKind.BOLUS_ENDED,
    }
)


def _volume_rows(visit: RefillVisit, store: ClinicStore) -> list[tuple[str, str]]:
    before = [fill for fill in store.fills(visit.implant_id) if fill.visit_id != visit.id]
    rows: list[tuple[str, str]] = []
    if before:
        rows.append(("Last fill", f"{show_volume(before[-1].volume)} on {moment(before[-1].at)}"))
    if visit.reading is not None:
        rows.append(("Expected, by the pump", show_volume(visit.reading.reservoir)))
    rows += [
        ("Expected, by the record", _volume(visit.expected)),
        ("Drawn out", _volume(visit.aspirated)),
        ("Difference", _difference(visit, before[-1].volume if before else None)),
        ("Filled with", _volume(visit.injected)),
    ]
    return rows


def _volume(volume: Volume | None) -> str:
    return NOTHING if volume is None else show_volume(volume)


def _difference(visit: RefillVisit, filled: Volume | None) -> str:
    """In mL, and as the error of what was delivered since the fill. Source: REF-02."""
    if visit.aspirated is None or visit.expected is None:
        return NOTHING
    difference = (visit.aspirated - visit.expected).in_ml
    words = with_unit(f"{'+' if difference > 0 else ''}{rounded(difference, 2)}", "mL")
    due = filled.quanta - visit.expected.quanta if filled is not None else 0
    if filled is None or not due:
        return words
    error = (Fraction(filled.quanta - visit.aspirated.quanta, due) - 1) * 100
    return f"{words}, delivered {'+' if error > 0 else ''}{with_unit(rounded(error, 1), '%')}"


def _drug_rows(visit: RefillVisit) -> list[tuple[str, str]]:
    check = visit.drug_check
    if check is None:
        return []
    return [
        ("Drug", check.drug),
        ("Concentration", show_concentration(check.concentration)),
        ("Lot", check.lot),
        ("Expires", _day(check.expires_on)),
        ("Label read a second time by", check.second_reader or "nobody"),
    ]


def _program_rows(visit: RefillVisit, therapy: Therapy) -> list[tuple[str, str]]:
    settings, model = therapy.settings, therapy.model
    if settings is None or model is None:
        return []
    rows = [("Program", sentence_of(settings, model))]
    if therapy.figures is not None:
        daily = therapy.figures.achieved_daily / Mass.PER_MCG
        rows.append(("Daily dose", with_unit(rounded(daily, 3), "mcg/day")))
    rows.append(("Low-reservoir alarm at", show_volume(settings.low_alarm)))
    if settings.bridge is not None:
        bridge = settings.bridge
        volume = with_unit(plain(bridge.volume.in_ml), "mL")
        words = f"{volume} over {duration(bridge.duration_min)}, then the program"
        if visit.effective_at is not None:
            ends = visit.effective_at + timedelta(minutes=bridge.duration_min)
            words = f"{volume} over {duration(bridge.duration_min)}, {moment(visit.effective_at)} to {moment(ends)}"
        rows.append(("Bridge bolus", words))
    return rows


def _date_rows(visit: RefillVisit, therapy: Therapy) -> list[tuple[str, str]]:
    dates, due = therapy.dates, therapy.refill_by
    stable = [term.at for term in therapy.terms if term.limited_by is RefillLimit.STABILITY]
    alarm = "Low-reservoir alarm on"
    if not therapy.telemetry:
        alarm = "Low reservoir on, without any alarm"
    elif without_programmer(visit, therapy):
        alarm = "Low reservoir on, by our own count"
    return [
        (alarm, moment(dates.low_at if dates else None)),
        ("Empty on", moment(dates.empty_at if dates else None)),
        ("Earliest empty, at the pump's highest labelled flow", moment(dates.earliest_empty_at if dates else None)),
        ("Refill by", f"{moment(due.at)} (limited by {due.limited_by.value})" if due else "unknown"),
        ("The drug is stable until", moment(stable[0]) if stable else "not known"),
        ("Next appointment", _day(visit.appointment_on) if visit.appointment_on else "not booked yet"),
        *((_OWN_ALARM,) if without_programmer(visit, therapy) else ()),
    ]


def _changes(visit: RefillVisit, therapy: Therapy) -> list[ReportChange]:
    if visit.reading is None or therapy.settings is None or therapy.model is None:
        return []
    rows = compare(visit.reading.settings, therapy.settings, therapy.model)
    return [ReportChange(row.item, row.old, row.new, change_in_words(row)) for row in rows]


def change_in_words(row: Row) -> str:
    """A row's change: absolute, percent and factor; empty where nothing changes or it is no number."""
    change = row.change
    if change is None:
        return "" if not row.changed else "CHANGED"
    word, sign = ("INCREASE", "+") if change.absolute > 0 else ("DECREASE", "−")
    parts = [f"{sign}{with_unit(rounded(abs(change.absolute), 3), change.unit)}"]
    if change.percent is not None and change.factor is not None:
        parts.append(f"{sign}{rounded(abs(change.percent), 1)} %, ×{rounded(change.factor, 2)}")
    return f"{word} {parts[0]}" + (f" ({parts[1]})" if len(parts) > 1 else "")


def _hours(settings: PumpSettings, model: PumpModel) -> tuple[str, ...]:
    """mcg in each hour of the day, the mean over the week."""
    course = figures_of(settings.program, model, settings.concentration).achieved

    def in_hour(hour: int) -> Fraction:
        starts = range(hour * 60, MINUTES_PER_WEEK, MINUTES_PER_DAY)
        return sum((course.between(start, start + 60) for start in starts), Fraction(0))

    return tuple(rounded(in_hour(hour) / 7 / Mass.PER_MCG, 3) for hour in range(24))


def _day(day: date) -> str:
    return f"{day.day}\u00a0{day:%b}\u00a0{day.year}"


def _utc(at: datetime) -> str:
    return f"{moment(at.astimezone(UTC).replace(tzinfo=None))} UTC"
