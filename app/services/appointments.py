"""When the next refill should be: days to propose, what is wrong with a day, and the calendar's entries.

Law: a proposed day is a working day on which the patient is here; it is later than today and before the refill-by date.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from app.models.calendar_entry import CalendarEntry
from app.models.catalogue import Catalogue
from app.models.circumstances import Absence, meeting
from app.models.dates_shown import DateLimits, shown_date
from app.models.findings import Finding, Severity
from app.models.working_days import WEEKEND, WhyFree
from app.services.therapy import Therapy

PROPOSED = 3
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Proposals:
    """``window`` is what the rule asks for, ``None`` without a refill-by date; ``days`` are those to be booked."""

    window: tuple[date, date] | None
    days: tuple[date, ...]
    findings: tuple[Finding, ...] = ()


def window_before(due: date, catalogue: Catalogue) -> tuple[date, date]:
    """First and last day that suit a refill due on ``due``. Source: REF-09."""
    leads = [int(catalogue.rule(name)) for name in ("ref_09_window_from_days", "ref_09_window_to_days")]
    first, last = (due - timedelta(days=lead) for lead in leads)
    return first, last


def proposals(therapy: Therapy, catalogue: Catalogue, why_free: WhyFree) -> Proposals:
    """Up to three days for the next refill, and what the rules say to them.

    They lie in the window; before an absence that meets the window; before a window without a working day; or, if that
    has passed, in what is left until the day before the refill-by date. Source: REF-09, REF-14, U-13.
    """
    today = therapy.at.date()
    due = shown_date(
        "Refill by", therapy.refill_by.at if therapy.refill_by else None, today=today, limits=DateLimits.of(catalogue)
    )
    if not isinstance(due.at, datetime):
        return Proposals(None, (), (due.finding,) if due.finding else ())
    return propose(
        due.at.date(),
        window_before(due.at.date(), catalogue),
        today=today,
        why_free=why_free,
        absences=therapy.circumstances.absences,
    )


def propose(
    due: date, window: tuple[date, date], *, today: date, why_free: WhyFree, absences: Sequence[Absence] = ()
) -> Proposals:
    """:func:`proposals` for a refill due on ``due``."""
    first, last = window
    away = [absence for absence in meeting(absences, first, last) if absence.last > today]
    possible = [day for day in _days(today + _DAY, due - _DAY) if not meeting(absences, day, day)]
    if away:
        return _around_absence(due, window, possible, away[0], why_free)
    found = _first_working((day for day in possible if first <= day <= last), why_free)
    if found:
        return Proposals(window, found)
    return _outside_window(due, window, possible, why_free, today)


def _around_absence(
    due: date, window: tuple[date, date], possible: Sequence[date], absence: Absence, why_free: WhyFree
) -> Proposals:
    """The last days before an absence, else the first ones after it. Source: REF-14."""
    found = _first_working((day for day in reversed(possible) if day < absence.first), why_free)
    reason = "early" if found else "late"
    found = found or _first_working((day for day in possible if day > absence.last), why_free)
    if not found:
        return Proposals(window, (), (_nothing_left(due),))
    values = {
        "away_from": absence.first.isoformat(),
        "away_to": absence.last.isoformat(),
        "refill_by": due.isoformat(),
    }
    return Proposals(window, found, (Finding("REF-14", Severity.TASK, reason, values),))


def _outside_window(
    due: date, window: tuple[date, date], possible: Sequence[date], why_free: WhyFree, today: date
) -> Proposals:
    """The last day before a window without a working day, else the first ones of what is left. Source: REF-09."""
    found = _first_working((day for day in reversed(possible) if day < window[0]), why_free, most=1)
    found = found or _first_working((day for day in possible if day > window[1]), why_free)
    if not found:
        return Proposals(window, (), (_nothing_left(due),))
    if window[1] <= today:
        said = Finding("REF-09", Severity.TASK, "window-passed", {"refill_by": due.isoformat()})
    else:
        values = {"from": window[0].isoformat(), "to": window[1].isoformat()}
        said = Finding("REF-09", Severity.NOTE, "no-working-day", values)
    return Proposals(window, found, (said,))


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _first_working(days: Iterable[date], why_free: WhyFree, *, most: int = PROPOSED) -> tuple[date, ...]:
    """The first working days among ``days``, in the order of the calendar."""
    return tuple(sorted(islice((day for day in days if why_free(day) is None), most)))


def _nothing_left(due: date) -> Finding:
    return Finding("REF-09", Severity.TASK, "no-day-left", {"refill_by": due.isoformat()})


def appointment_findings(on: date | None, therapy: Therapy, why_free: WhyFree) -> tuple[Finding, ...]:
    """What is wrong with the day chosen for the next refill. Source: REF-09, REF-14."""
    if on is None:
        return (Finding("REF-09", Severity.CONFIRM, "no-appointment"),)
    day = {"appointment_on": on.isoformat()}
    if on < therapy.at.date():
        return (Finding("REF-09", Severity.BLOCK, "appointment-passed", day),)
    due = therapy.refill_by
    if due is not None and on > due.at.date():
        values = {**day, "refill_by": due.at.date().isoformat()}
        return (Finding("REF-09", Severity.BLOCK, "appointment-too-late", values),)
    found = []
    for absence in meeting(therapy.circumstances.absences, on, on):
        values = {**day, "away_from": absence.first.isoformat(), "away_to": absence.last.isoformat()}
        found.append(Finding("REF-14", Severity.CONFIRM, "appointment-away", values))
    why = why_free(on)
    if why is not None:
        found.append(Finding("REF-09", Severity.NOTE, WEEKEND if why == WEEKEND else "holiday", {**day, "why": why}))
    return tuple(found)


def calendar_entries(therapy: Therapy, appointment_on: date | None) -> tuple[CalendarEntry, ...]:
    """The appointment and the refill-by date, without the patient's name. Source: REF-13."""
    implant, patient = therapy.implant, therapy.patient
    about = f"Patient number {patient.number}" + (f", pump {implant.serial}" if implant else "")
    entries = []
    if appointment_on is not None:
        entries.append(
            CalendarEntry(
                uid=f"refill-{patient.id}-{appointment_on:%Y%m%d}",
                on=appointment_on,
                summary=f"Pump refill, {patient.number}",
                description=about,
            )
        )
    due = therapy.refill_by
    if due is not None:
        entries.append(
            CalendarEntry(
                uid=f"refill-by-{patient.id}-{due.at:%Y%m%d}",
                on=due.at.date(),
                summary=f"Refill pump before today, {patient.number}",
                description=f"{about}. The pump must have been refilled by {due.at:%Y-%m-%d %H:%M} of its own clock.",
            )
        )
    return tuple(entries)
