"""What must be done about a patient's dates: an overdue refill, a missing appointment, an old battery, an odd date.

Law: the most urgent comes first; every sentence follows from the record, and a date that cannot be true is one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from fractions import Fraction

from app.models.catalogue import Catalogue
from app.models.circumstances import meeting
from app.models.comparison import moment
from app.models.dates_shown import DateLimits, ShownDate, shown_date
from app.models.findings import Finding, Severity
from app.models.formats import rounded
from app.models.reservoir import RefillBy, RefillLimit, add_months
from app.services.appointments import window_before
from app.services.therapy import Therapy


class AppointmentState(StrEnum):
    """How the next refill is booked."""

    BOOKED = "booked"
    NONE = "none"
    MISSED = "missed"
    LATE = "late"
    AWAY = "away"


def appointment_state(therapy: Therapy) -> AppointmentState:
    """Whether the appointment that was booked last still serves. Source: REF-09, REF-14."""
    on, due = therapy.appointment_on, therapy.refill_by
    if on is None:
        return AppointmentState.NONE
    if on < therapy.at.date():
        return AppointmentState.MISSED
    if due is not None and on > due.at.date():
        return AppointmentState.LATE
    return AppointmentState.AWAY if meeting(therapy.circumstances.absences, on, on) else AppointmentState.BOOKED


def attention(therapy: Therapy, catalogue: Catalogue) -> tuple[Finding, ...]:
    """Everything that asks somebody to do something. Source: REF-09, REF-11, REF-14, LIF-01, U-13."""
    if therapy.implant is None:
        return ()
    return (
        *_late(therapy),
        *_appointment(therapy),
        *_absence(therapy, catalogue),
        *_battery(therapy, catalogue),
        *(shown.finding for shown in shown_dates(therapy, catalogue).values() if shown.finding is not None),
    )


def shown_dates(therapy: Therapy, catalogue: Catalogue) -> dict[str, ShownDate]:
    """The therapy's dates by name, each as it may be shown. Source: U-13.

    A date that has passed is shown: the refill is late, and somebody must see since when. A pump that delivers nothing
    has no dates.
    """
    today, limits, dates = therapy.at.date(), DateLimits.of(catalogue), therapy.dates
    shown: dict[str, ShownDate] = {}
    if dates is not None and therapy.figures is not None and therapy.figures.worst_daily > 0:
        for name, at in (
            ("Low-reservoir alarm", dates.low_at),
            ("Empty", dates.empty_at),
            ("Earliest empty", dates.earliest_empty_at),
        ):
            shown[name] = shown_date(name, at, today=today, limits=limits, is_ahead=False)
    if therapy.battery_end is not None:
        name, warned = "Battery lasts until", therapy.circumstances.eri_on
        shown[name] = shown_date(name, therapy.battery_end, today=today, limits=limits, eri_on=warned, is_ahead=False)
    return shown


def terms_inside(therapy: Therapy) -> tuple[RefillBy, ...]:
    """The terms worth showing: a battery that outlasts all the others is none. Source: F-08."""
    others = [term.at for term in therapy.terms if term.limited_by is not RefillLimit.BATTERY]
    return tuple(
        term
        for term in therapy.terms
        if term.limited_by is not RefillLimit.BATTERY or term.at <= max(others, default=term.at)
    )


def _late(therapy: Therapy) -> Iterator[Finding]:
    dates, due = therapy.dates, therapy.refill_by
    if dates is not None and dates.empty_at is not None and dates.empty_at <= therapy.at:
        yield Finding("REF-11", Severity.TASK, "empty", {"empty_on": moment(dates.empty_at)})
    elif due is not None and due.at < therapy.at:
        yield Finding("REF-11", Severity.TASK, "phone", {"refill_by": moment(due.at)})


def _appointment(therapy: Therapy) -> Iterator[Finding]:
    state, on, due = appointment_state(therapy), therapy.appointment_on, therapy.refill_by
    if due is None or state is AppointmentState.BOOKED:
        return
    values = {"refill_by": due.at.date().isoformat()}
    if on is not None:
        values["appointment_on"] = on.isoformat()
    yield Finding("REF-09", Severity.TASK, f"booked-{state.value}", values)


def _absence(therapy: Therapy, catalogue: Catalogue) -> Iterator[Finding]:
    """An absence that meets the days on which the refill should be, while nothing good is booked. Source: REF-14."""
    due = therapy.refill_by
    if due is None or due.at < therapy.at or appointment_state(therapy) is AppointmentState.BOOKED:
        return
    today = therapy.at.date()
    for absence in meeting(therapy.circumstances.absences, *window_before(due.at.date(), catalogue)):
        if absence.last < today:
            continue
        values = {
            "away_from": absence.first.isoformat(),
            "away_to": absence.last.isoformat(),
            "refill_by": due.at.date().isoformat(),
        }
        yield Finding("REF-14", Severity.TASK, "early" if absence.first > today else "late", values)


def _battery(therapy: Therapy, catalogue: Catalogue) -> Iterator[Finding]:
    """Source: LIF-01."""
    implant, warned, ends = therapy.implant, therapy.circumstances.eri_on, therapy.battery_end
    if warned is not None and ends is not None:
        values = {"warned_on": warned.isoformat(), "replace_by": ends.isoformat()}
        yield Finding("LIF-01", Severity.TASK, "warned", values)
        return
    if implant is None or therapy.model is None or therapy.model.service_life_months is None:
        return
    today = therapy.at.date()
    for name, reason in (
        ("lif_01_overdue_years", "overdue"),
        ("lif_01_replace_years", "replace"),
        ("lif_01_plan_years", "plan"),
    ):
        if today >= add_months(implant.implanted_on, int(12 * catalogue.rule(name))):
            values = {"years": rounded(_years(implant.implanted_on, today), 1)}
            yield Finding("LIF-01", Severity.TASK, reason, values)
            return


def _years(since: date, today: date) -> Fraction:
    """Years of twelve months, down to a tenth of one, so that no limit seems reached before it is."""
    months = (today.year - since.year) * 12 + today.month - since.month
    if today < add_months(since, months):
        months -= 1
    return Fraction(months * 10 // 12, 10)
