"""The patient's card from what is on record: drug, dose, dates, alarms, signs, and whom to call.

Law: a card is made of verified programs and fills only; without them there is no card.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from app.models.catalogue import Catalogue
from app.models.comparison import mode_name, moment, sentence_of
from app.models.emergency import EmergencyBook, Toxidrome
from app.models.errors import AppError
from app.models.formats import rounded, show_concentration, show_volume, with_unit
from app.models.patient import User
from app.models.patient_card import CardAlarm, CardSigns, PatientCard
from app.models.ports import ClinicStore
from app.models.pump import NotRepresentableError, PumpSettings
from app.models.quantities import Mass
from app.models.records import AuditEntry
from app.models.report import ReportRow
from app.services.clock import Clock
from app.services.therapy import Therapy, therapy_of

Digest = Callable[[PumpSettings], tuple[PumpSettings, str]]
"""The settings as a pump would be sent them, and the hex digest of those bytes. Raises: NotRepresentableError."""

COMPUTED = (
    "These dates are computed from the programmed rate: the pump does not measure what is left in it. "
    "A pump that delivers too much is empty earlier, and will not alarm."
)
"""Source: REF-10."""
NO_ALARM = "This pump has no alarm. Only the dates on this card tell when it must be refilled."
UNKNOWN_TONES = "If the pump sounds, call the clinic the same day; call the emergency number if you feel ill."
CARD_PRINTED = "card.printed"
"""What the audit trail says of a card that went to paper."""
WHAT_TO_DO = "One of these signs: call the emergency number. In bold: call an ambulance first. Show this card."


class NoTherapyError(AppError):
    """Nothing verified is on record that a card could say."""


def build_card(
    patient_id: str,
    store: ClinicStore,
    catalogue: Catalogue,
    clock: Clock,
    book: EmergencyBook,
    *,
    phone: str,
    digest: Digest,
    emulated: bool,
    appointment_on: date | None = None,
) -> PatientCard:
    """The card as things stand now; ``appointment_on`` is a day that is about to be booked, else the booked one counts.

    Raises: NotOnRecordError, NoTherapyError. Source: REF-13, REF-10, LIF-04.
    """
    therapy = therapy_of(store.therapy(patient_id), catalogue, at=clock.pump())
    settings, implant, model = therapy.settings, therapy.implant, therapy.model
    if settings is None or implant is None or model is None or therapy.fill is None:
        raise NoTherapyError(patient=patient_id)
    patient = therapy.patient
    return PatientCard(
        title="My pump",
        patient=patient.name,
        subtitle=f"born {_day(patient.born_on)}, number {patient.number}",
        dates=_dates(therapy, appointment_on or _ahead(therapy.appointment_on, therapy.at)),
        facts=_facts(therapy, catalogue.drug(settings.drug).name),
        program=_program(therapy),
        computed=COMPUTED,
        alarms=tuple(
            CardAlarm(alarm.tone, alarm.meaning, alarm.patient)
            for alarm in (book.alarms_of(model.slug) if therapy.telemetry else ())
        ),
        alarm_words=UNKNOWN_TONES if therapy.telemetry else NO_ALARM,
        overdose=_signs("Too much medicine", book.overdose),
        withdrawal=_signs("Too little medicine", book.withdrawal),
        what_to_do=WHAT_TO_DO,
        phone=phone,
        footer=_footer(settings, store, clock, digest),
        emulated=emulated,
    )


def note_printed(patient_id: str, store: ClinicStore, clock: Clock, user: User) -> None:
    """Write into the audit trail that the card went to paper (rule REF-13)."""
    store.write_down(AuditEntry(clock.utc(), user.id, CARD_PRINTED, patient_id))


def _dates(therapy: Therapy, appointment_on: date | None) -> tuple[ReportRow, ...]:
    due, dates = therapy.refill_by, therapy.dates
    alarm = moment(dates.low_at if dates else None) if therapy.telemetry else "no alarm"
    return (
        ReportRow("Refill by", _day(due.at.date()) if due else "unknown: ask the clinic"),
        ReportRow("Low-reservoir alarm", alarm),
        ReportRow("Next appointment", _day(appointment_on) if appointment_on else "not booked: call the clinic"),
    )


def _ahead(day: date | None, at: datetime) -> date | None:
    """An appointment that has passed is none."""
    return day if day is not None and day >= at.date() else None


def _facts(therapy: Therapy, drug: str) -> tuple[ReportRow, ...]:
    settings, implant, model = therapy.settings, therapy.implant, therapy.model
    assert settings is not None and implant is not None and model is not None and therapy.fill is not None
    daily = "unknown"
    if therapy.figures is not None:
        daily = with_unit(rounded(therapy.figures.achieved_daily / Mass.PER_MCG, 3), "mcg/day")
    return (
        ReportRow("Drug", drug),
        ReportRow("Concentration", show_concentration(settings.concentration)),
        ReportRow("Daily dose", daily),
        ReportRow("Mode", mode_name(settings.program)),
        ReportRow("Pump", model.name),
        ReportRow("Serial number", implant.serial),
        ReportRow("Last fill", f"{show_volume(therapy.fill.volume)} on {_day(therapy.fill.at.date())}"),
    )


def _program(therapy: Therapy) -> str:
    """The program in a sentence."""
    settings, model = therapy.settings, therapy.model
    assert settings is not None and model is not None
    return f"{sentence_of(settings, model)}."


def _signs(title: str, found: Toxidrome) -> CardSigns:
    told = [sign for sign in found.signs if sign.patient]
    return CardSigns(
        title=f"{title} ({found.title.lower()})",
        signs=tuple(sign.patient for sign in told if not sign.grave),
        grave=tuple(sign.patient for sign in told if sign.grave),
    )


def _footer(settings: PumpSettings, store: ClinicStore, clock: Clock, digest: Digest) -> str:
    try:
        program = f"program {digest(settings)[1][:8]}"
    except NotRepresentableError:
        program = "no digest of the program"
    written = moment(clock.pump())
    return f"{program} · records {store.audit_head()[:8]} · written {written} · Cisterna is not a medical device"


def _day(day: date) -> str:
    return f"{day.day}\u00a0{day:%b}\u00a0{day.year}"
