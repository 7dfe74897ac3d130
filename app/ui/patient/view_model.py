"""One patient: what is in the pump, how much is left, and what comes next.

Law: what is unknown is called unknown; nothing is sent from this page, and it writes nothing but risks and absences.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from PySide6.QtCore import QObject, Signal

from app.models.circumstances import Absence, RiskReason
from app.models.comparison import sentence_of
from app.models.dates_shown import UNKNOWN
from app.models.formats import plain, rounded, show_concentration, show_volume, with_unit
from app.models.patient import CatheterPiece
from app.models.quantities import Mass
from app.models.reservoir import RefillBy, RefillLimit
from app.models.rule_texts import sentence
from app.services.attention import appointment_state, attention, shown_dates, terms_inside
from app.services.therapy import Therapy, Urgency
from app.services.workstation import Workstation
from app.ui.banner import Identity
from app.ui.circumstance_words import long_appointment
from app.ui.dates import show_day, show_moment
from app.ui.patient.card import CardSaved, save_card
from app.ui.patient.scan_view_model import scan_sentences
from app.ui.refill.bridge_words import weekday_moment
from app.ui.state_mark import Mark
from app.ui.worklist.view_model import MARKS, daily_dose


@dataclass(frozen=True, slots=True)
class Fact:
    """A caption and what stands under it."""

    caption: str
    text: str
    is_limit: bool = False
    """Whether this is what sets the refill-by date."""


@dataclass(frozen=True, slots=True)
class FillLine:
    """One earlier fill, ready to be read."""

    at: str
    volume: str
    drug: str
    lot: str


class PatientViewModel(QObject):
    """Everything the patient's page shows."""

    changed = Signal()

    def __init__(self, workstation: Workstation, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workstation = workstation
        self.therapy: Therapy | None = None
        self.fills: tuple[FillLine, ...] = ()
        self.tone: str = ""

    def open(self, patient_id: str) -> None:
        """Show a patient."""
        self.therapy = self._workstation.desk.therapy(patient_id)
        self._read_history(self.therapy)
        self.changed.emit()

    def refresh(self) -> None:
        """Read the records of the same patient again."""
        if self.therapy is not None:
            self.open(self.therapy.patient.id)

    def save_card(self) -> CardSaved | None:
        """Write the open patient's card; ``None`` where nobody is open."""
        return save_card(self._workstation, self.therapy.patient.id) if self.therapy is not None else None

    def close(self) -> None:
        """Show nobody."""
        self.therapy = None
        self.changed.emit()

    def _read_history(self, therapy: Therapy) -> None:
        store = self._workstation.store
        fills = store.fills(therapy.implant.id) if therapy.implant else ()
        self.fills = tuple(
            FillLine(
                show_moment(fill.at), show_volume(fill.volume), f"{fill.drug} {show_concentration(fill.concentration)}",
                fill.lot,
            )
            for fill in reversed(fills[-6:])
        )  # fmt: skip
        ratings = store.assessments(therapy.patient.id)
        self.tone = ""
        if ratings:
            last = ratings[-1]
            values = ", ".join(plain(value) for value in last.values)
            self.tone = f"{last.scale} {values} on {show_day(last.on)}"

    def identity(self) -> Identity | None:
        """What the banner says about the open patient."""
        return identity_of(self.therapy) if self.therapy else None

    def pump_facts(self) -> tuple[Fact, ...]:
        """What is implanted."""
        therapy = self.therapy
        if therapy is None or therapy.implant is None or therapy.model is None:
            return (Fact("Pump", "none on record"),)
        implant = therapy.implant
        return (
            Fact("Pump", therapy.model.name),
            Fact("Serial number", implant.serial),
            Fact("Implanted", show_day(implant.implanted_on)),
            Fact("Battery lasts until", self._shown("Battery lasts until")),
            Fact("Catheter", _catheter(implant.catheter)),
        )

    def therapy_facts(self) -> tuple[Fact, ...]:
        """What the pump delivers."""
        therapy = self.therapy
        if therapy is None or therapy.settings is None or therapy.model is None:
            return (Fact("Program", "none on record"),)
        facts = [Fact("Program", sentence_of(therapy.settings, therapy.model))]
        if therapy.figures is not None:
            figures = therapy.figures
            facts += [
                Fact("Largest dose in 60 min", _mcg(figures.max_60min)),
                Fact("Largest dose in 4 h", _mcg(figures.max_4h)),
            ]
        if self.tone:
            facts.append(Fact("Muscle tone", self.tone))
        return tuple(facts)

    def bridge_words(self) -> str:
        """That a bridge runs and until when, on the pump's clock; empty while none does. Source: SR-09."""
        note = self.therapy.bridge if self.therapy is not None else None
        if note is None:
            return ""
        left = with_unit(rounded(note.left_ml, 3), "mL")
        return self.tr("Bridge runs until {0}: {1} to go, then the program begins.").format(
            weekday_moment(note.until), left
        )

    def date_facts(self) -> tuple[Fact, ...]:
        """When what happens."""
        therapy = self.therapy
        dates = therapy.dates if therapy else None
        if therapy is None:
            return ()
        state = appointment_state(therapy)
        return (
            *(self._term(term, therapy) for term in terms_inside(therapy)),
            *((Fact("Empty", self._shown("Empty")),) if dates else ()),
            Fact("Appointment", long_appointment(therapy, state)),
        )

    def _term(self, term: RefillBy, therapy: Therapy) -> Fact:
        """A date that the refill must not miss; the earliest is marked. Source: F-08, U-13."""
        due = therapy.refill_by
        names = {RefillLimit.VOLUME: "Low-reservoir alarm", RefillLimit.OVER_INFUSION: "Earliest empty"}
        name = names.get(term.limited_by)
        text = self._shown(name) if name else show_moment(term.at)
        accuracy = plain(therapy.model.accuracy_percent) if therapy.model else "?"
        captions = {
            RefillLimit.VOLUME: "Low-reservoir alarm, all boluses taken",
            RefillLimit.OVER_INFUSION: f"Earliest empty, flow {accuracy} % too high",
            RefillLimit.STABILITY: "The drug is stable until",
            RefillLimit.BATTERY: "The battery lasts until",
        }
        return Fact(captions[term.limited_by], text, is_limit=due == term)

    def _shown(self, name: str) -> str:
        """A date that may be shown, or that it is unknown."""
        therapy = self.therapy
        found = shown_dates(therapy, self._workstation.catalogue).get(name) if therapy else None
        if found is None:
            return "unknown"
        if found.at is None:
            return UNKNOWN
        return show_moment(found.at) if isinstance(found.at, datetime) else show_day(found.at)

    # -- risks and absences ----------------------------------------------------------------------------------

    def to_do(self) -> tuple[str, ...]:
        """What an open scan and the dates ask somebody to do, in sentences, the most urgent first."""
        therapy = self.therapy
        if therapy is None:
            return ()
        dates = map(sentence, attention(therapy, self._workstation.catalogue))
        return (*scan_sentences(self._workstation, therapy.implant), *dates)

    def risks(self) -> tuple[RiskReason, ...]:
        """Why an interruption would be worse for this patient."""
        return self.therapy.risks if self.therapy else ()

    def absences(self) -> tuple[Absence, ...]:
        """When the patient will be away; what is over is left out."""
        therapy = self.therapy
        if therapy is None:
            return ()
        return tuple(away for away in therapy.circumstances.absences if away.last >= therapy.at.date())

    def note_risks(self, reasons: AbstractSet[RiskReason]) -> None:
        """Write down which reasons stand, if they are others than before."""
        if self.therapy is not None and reasons != set(self.risks()) - {RiskReason.HIGH_DOSE}:
            station = self._workstation
            station.circumstances.note_risks(self.therapy.patient.id, reasons, station.user)
        self.refresh()

    def plan_absence(self, first: date, last: date) -> None:
        """Write down that the patient will be away. Raises: ImpossibleAbsenceError."""
        if self.therapy is not None:
            station = self._workstation
            station.circumstances.plan_absence(self.therapy.patient.id, first, last, station.user)

    def end_absence(self, absence: Absence) -> None:
        """Write down that an absence does not take place."""
        self._workstation.circumstances.end_absence(absence, self._workstation.user)
        self.refresh()


def identity_of(therapy: Therapy, *, state: str = "", mark: Mark | None = None) -> Identity:
    """The banner's facts of one therapy."""
    settings = therapy.settings
    return Identity(
        name=therapy.patient.name,
        born=show_day(therapy.patient.born_on),
        number=therapy.patient.number,
        serial=therapy.implant.serial if therapy.implant else "",
        drug=f"{settings.drug} {show_concentration(settings.concentration)}" if settings else "",
        dose=daily_dose(therapy),
        state=state or _state(therapy),
        state_mark=mark or MARKS[therapy.urgency],
    )


def _state(therapy: Therapy) -> str:
    match therapy.urgency:
        case Urgency.EMPTY:
            return "Assume empty"
        case Urgency.OVERDUE:
            return "Refill overdue"
        case Urgency.SOON | Urgency.UPCOMING:
            return "Refill due"
        case Urgency.LATER:
            return "Bridge runs" if therapy.bridge is not None else "On record"
        case _:
            return "Unknown"


def _mcg(quanta: Fraction) -> str:
    return with_unit(rounded(quanta / Mass.PER_MCG, 1), "mcg")


def _catheter(pieces: tuple[CatheterPiece, ...]) -> str:
    if not pieces:
        return "unknown"
    return ", ".join(
        f"{piece.model}, {with_unit(plain(piece.trimmed_cm), 'cm')} cut off"
        if piece.trimmed_cm is not None
        else f"{piece.model}, cut-off length unknown"
        for piece in pieces
    )
