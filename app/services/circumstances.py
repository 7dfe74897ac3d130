"""Writing down why an interruption would be worse for a patient, and when a patient will be away.

Law: whoever works here may note either; each writing names who, when and which patient in the audit trail.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date

from app.models.catalogue import Catalogue
from app.models.circumstances import NOTED, Absence, RiskReason, require_possible
from app.models.patient import User
from app.models.ports import ClinicStore
from app.models.records import AuditEntry
from app.services.clock import Clock


@dataclass(frozen=True, slots=True)
class CircumstanceDesk:
    """``new_id`` returns 32 random hex digits."""

    store: ClinicStore
    catalogue: Catalogue
    clock: Clock
    new_id: Callable[[], str]

    def note_risks(self, patient_id: str, reasons: AbstractSet[RiskReason], user: User) -> None:
        """Make ``reasons`` those that stand; a high dose is no matter of noting and is left out. Source: REF-15."""
        kept = frozenset(reason for reason in NOTED if reason in reasons)
        now = self.clock.utc()
        detail = " ".join(reason.value for reason in NOTED if reason in kept) or "none"
        entry = AuditEntry(now, user.id, "patient.risks", patient_id, detail)
        self.store.keep_risks(patient_id, kept, now, user.id, entry)

    def plan_absence(self, patient_id: str, first: date, last: date, user: User) -> Absence:
        """Write down that a patient will be away, both days included. Raises: ImpossibleAbsenceError.

        Source: REF-14.
        """
        longest = int(self.catalogue.rule("ref_14_longest_absence_days"))
        require_possible(first, last, today=self.clock.pump().date(), longest_days=longest)
        now = self.clock.utc()
        absence = Absence(self.new_id(), patient_id, first, last, now, user.id)
        entry = AuditEntry(now, user.id, "patient.absence-planned", patient_id, f"{first} {last}")
        self.store.add_absence(absence, entry)
        return absence

    def end_absence(self, absence: Absence, user: User) -> None:
        """Write down that it does not take place. Raises: NotOnRecordError."""
        now = self.clock.utc()
        entry = AuditEntry(now, user.id, "patient.absence-ended", absence.patient_id, absence.id)
        self.store.end_absence(absence.id, now, user.id, entry)
