"""The report of one refill, built from what was written down and what the pump read back.

Law: a report exists for a verified visit only (or a filled constant-flow pump); every figure on it is the
store's, or follows from the settings that the pump itself reported.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction

from app.models.catalogue import Catalogue, PumpModel
from app.models.comparison import NOTHING, Row, compare, duration, moment, sentence_of
from app.models.course import figures_of
from app.models.errors import AppError
from app.models.formats import plain, rounded, show_concentration, show_volume, with_unit
from app.models.ports import ClinicStore
from app.models.pump import Outcome, PumpSettings
from app.models.quantities import MINUTES_PER_DAY, MINUTES_PER_WEEK, Mass, Volume
from app.models.refill_visit import RefillVisit
from app.models.report import RefillReport, ReportChange, ReportRow, ReportSection
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
    return RefillReport(
        title="Refill report",
        patient=patient.name,
        subtitle=f"born {_day(patient.born_on)}, number {patient.number}",
        outcome=_outcome(visit, clock),
        sections=tuple(_sections(visit, therapy, store, clock)),
        changes=tuple(_changes(visit, therapy)),
        hours=_hours(therapy.settings, therapy.model),
        overrides=tuple(f"{answer.rule}: {answer.text}" for answer in visit.answers),
        footer=(
            f"Visit {visit.id[:8]} · {by.name if by else NOTHING} · written {_utc(clock.utc())} · Cisterna is not a "
            "medical device"
        ),
        emulated=visit.reading.emulated if visit.reading else False,
    )


def _outcome(visit: RefillVisit, clock: Clock) -> str:
    if not visit.telemetry:
        return "Filled. This pump has no telemetry: nothing was programmed."
    if visit.verified_at is None:
        return "VERIFIED"
    order = f", order {visit.txn[:8]}" if visit.txn else ""
    return f"VERIFIED by the pump's own read-back at {moment(clock.to_pump(visit.verified_at))}{order}"


def _sections(visit: RefillVisit, therapy: Therapy, store: ClinicStore, clock: Clock) -> list[ReportSection]:
    return [
        _section("Pump", _pump_rows(visit, therapy)),
        _section("Reservoir", _volume_rows(visit, store)),
        _section("Drug", _drug_rows(visit)),
        _section("Now in the pump", _program_rows(therapy)),
        _section("Dates", _date_rows(visit, therapy)),
    ]


def _section(title: str, rows: list[tuple[str, str]]) -> ReportSection:
    return ReportSection(title, tuple(ReportRow(label, value) for label, value in rows))


def _pump_rows(visit: RefillVisit, therapy: Therapy) -> list[tuple[str, str]]:
    implant, model = therapy.implant, therapy.model
    rows = [("Model", model.name if model else NOTHING)]
    if implant is not None:
        rows += [("Serial number", implant.serial), ("Implanted", _day(implant.implanted_on))]
    rows.append(("Battery lasts until", _day(therapy.battery_end) if therapy.battery_end else "unknown"))
    if visit.reading is not None:
        rows += [
            ("Interrogated", moment(visit.reading.pump_clock)),
            ("State before", "running" if visit.reading.running else "STOPPED"),
            ("Alarms before", ", ".join(visit.reading.alarms) or "none"),
        ]
    return rows


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
        ("Difference", _difference(visit)),
        ("Filled with", _volume(visit.injected)),
    ]
    return rows


def _volume(volume: Volume | None) -> str:
    return NOTHING if volume is None else show_volume(volume)


def _difference(visit: RefillVisit) -> str:
    if visit.aspirated is None or visit.expected is None:
        return NOTHING
    difference = (visit.aspirated - visit.expected).in_ml
    return with_unit(f"{'+' if difference > 0 else ''}{rounded(difference, 2)}", "mL")


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


def _program_rows(therapy: Therapy) -> list[tuple[str, str]]:
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
        rows.append(("Bridge bolus", f"{volume} over {duration(bridge.duration_min)}, then the program"))
    return rows


def _date_rows(visit: RefillVisit, therapy: Therapy) -> list[tuple[str, str]]:
    dates, due = therapy.dates, therapy.refill_by
    return [
        ("Low-reservoir alarm on", moment(dates.low_at if dates else None)),
        ("Empty on", moment(dates.empty_at if dates else None)),
        ("Earliest empty, at the pump's highest labelled flow", moment(dates.earliest_empty_at if dates else None)),
        ("Refill by", f"{moment(due.at)} (limited by {due.limited_by.value})" if due else "unknown"),
        ("Next appointment", _day(visit.appointment_on) if visit.appointment_on else "not booked yet"),
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
