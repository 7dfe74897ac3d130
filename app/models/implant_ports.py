"""What a replaced pump needs of a store.

Law: the old pump stays on record with the day it ended; the change, the visit that found it out and the note of surgery
are one transaction with its audit row.
"""

from __future__ import annotations

from typing import Protocol

from app.models.mri import TherapyEvent
from app.models.patient import Implant
from app.models.records import AuditEntry
from app.models.refill_visit import RefillVisit


class ImplantStore(Protocol):
    """Part of :class:`app.models.ports.ClinicStore`."""

    def implant_with(self, serial: str) -> Implant | None:
        """The pump with this serial number, implanted now or ended, whatever the case of its letters."""
        ...

    def implant_of(self, patient_id: str) -> Implant | None:
        """The pump that a patient has now."""
        ...

    def replace_implant(
        self, old: Implant, new: Implant, visit: RefillVisit, surgery: TherapyEvent, entry: AuditEntry
    ) -> None:
        """End ``old`` on the day of ``new``, write ``new``, the visit as it is now and the note of the surgery.

        A guard of the old pump ends with it, for it cannot leave anybody without drug any more.

        Raises: NotOnRecordError: ``old`` is not implanted any more.
        """
        ...
