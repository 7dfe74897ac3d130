"""The patient's card on paper: written to the clinic's folder of reports, noted, and what there is to say of it.

Law: a card without the clinic's emergency number is written all the same, and that it lacks one is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from app.services.patient_card import NoTherapyError, build_card, note_printed
from app.services.workstation import Workstation
from app.ui.error_texts import words_for
from app.ui.one_page_pdf import PageNotWrittenError
from app.ui.patient_card_pdf import write_card


@dataclass(frozen=True, slots=True)
class CardSaved:
    """What came of it: the file, or ``None`` where there is none, and one or two sentences."""

    path: Path | None
    words: str
    is_error: bool = False


def save_card(station: Workstation, patient_id: str, appointment_on: date | None = None) -> CardSaved:
    """Write the patient's card; ``appointment_on`` is a day that is about to be booked. Source: REF-13."""
    at = station.clock.utc()
    path = station.reports / f"card-{patient_id}-{at:%Y%m%d-%H%M%S}.pdf"
    try:
        card = build_card(
            patient_id,
            station.store,
            station.catalogue,
            station.clock,
            station.emergency_book,
            phone=station.phones.phone,
            digest=station.prescribing.canonical,
            emulated=station.emulated,
            appointment_on=appointment_on,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        write_card(card, path)
    except NoTherapyError as error:
        return CardSaved(None, words_for(error), is_error=True)
    except (PageNotWrittenError, OSError):
        return CardSaved(None, _tr("The card could not be written to {0}.").format(path), is_error=True)
    note_printed(patient_id, station.store, station.clock, station.user)
    words = _tr("Saved as {0}").format(path)
    if not station.phones.phone:
        words = f"{words}. {_tr('No emergency number is set: write it on the line by hand, or set it in Settings.')}"
    return CardSaved(path, words)


def _tr(text: str) -> str:
    return QCoreApplication.translate("PatientCard", text)
