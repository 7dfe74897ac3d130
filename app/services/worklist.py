"""The worklist: every patient of the clinic, the one who must be seen first on top.

Law: nobody is left out; a patient about whom too little is known stands on the list and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.models.catalogue import Catalogue
from app.models.ports import ClinicStore
from app.services.clock import Clock
from app.services.therapy import Therapy, therapy_of


def worklist(store: ClinicStore, catalogue: Catalogue, clock: Clock, *, search: str = "") -> Sequence[Therapy]:
    """All patients, or those that ``search`` finds, most urgent first; among equals those at high risk first.

    Source: REF-10, REF-15.
    """
    at = clock.pump()
    therapies = [therapy_of(record, catalogue, at=at) for record in store.therapies(search)]
    return sorted(therapies, key=_order)


def _order(therapy: Therapy) -> tuple[int, bool, datetime, str]:
    due = therapy.refill_by.at if therapy.refill_by else datetime.max
    return therapy.urgency, not therapy.high_risk, due, therapy.patient.name
