"""A second check as its window sees it: who may check, what is asked, and what came of an entry.

Law: nothing that the first person typed is ever in here; an entry goes to the service, and only the names of fields
come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from app.models.errors import AppError
from app.models.quantities import Concentration, Volume
from app.models.refill_visit import RefillVisit
from app.models.second_check import CheckField, Entered, SecondCheck, Trigger
from app.models.typed_reason import shortest_reason
from app.services.workstation import Workstation
from app.ui.dates import show_day
from app.ui.error_texts import words_for

_WHY = {
    Trigger.DRUG: "another drug",
    Trigger.CONCENTRATION: "another concentration",
    Trigger.MODE: "another mode",
    Trigger.DAILY_DOSE_CHANGE: "a large change of the daily dose",
    Trigger.FIRST_FILL: "the first fill of this pump",
    Trigger.HIGH_DAILY_DOSE: "a high daily dose",
    Trigger.PROTOCOL_STEP: "a step of a protocol",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What the second person is told: which fields differ, how many more entries may, and what went wrong in words."""

    differing: tuple[CheckField, ...] = ()
    left: int = 0
    problem: str = ""
    passed: bool = False


class SecondCheckViewModel:
    """One second check of what a visit proposes now. ``check`` is what counts at its end.

    Raises: SettingsChangedError: the visit proposes nothing.
    """

    def __init__(self, workstation: Workstation, visit: RefillVisit) -> None:
        self._station = workstation
        self._visit = visit
        self._digest = workstation.checks.proposed_digest(visit)
        self.check: SecondCheck | None = None

    def people(self) -> list[tuple[str, str]]:
        """(id, name and role) of everybody who may be the second person."""
        users = self._station.checks.seconds(self._visit, self._station.user)
        return [(user.id, f"{user.name}, {user.role.value}") for user in users]

    def drugs(self) -> list[tuple[str, str]]:
        """(slug, name) of every drug, by name."""
        drugs = sorted(self._station.catalogue.drugs.values(), key=lambda drug: drug.name)
        return [(drug.slug, drug.name) for drug in drugs]

    def patient(self) -> str:
        """Whose pump this is: both identifiers and the pump's serial number."""
        record = self._station.store.therapy(self._visit.patient_id)
        patient = record.patient
        pump = f", pump {record.implant.serial}" if record.implant else ""
        return f"{patient.name}, born {show_day(patient.born_on)}, number {patient.number}{pump}"

    def why(self) -> str:
        """What asks for a second person, without any number."""
        return ", ".join(_WHY[trigger] for trigger in self._station.checks.needed(self._visit))

    def left(self) -> int:
        """How many more entries may differ."""
        return self._station.checks.entries_left(self._visit)

    def untouched(self) -> bool:
        """Whether nobody has typed anything that differs."""
        return self.left() == int(self._station.catalogue.rule("u_07_mismatches"))

    def today(self) -> date:
        """The day on which the remote check would be due."""
        return self._station.tasks.today()

    def shortest_reason(self) -> int:
        """The least number of characters of a reason."""
        return shortest_reason(self._station.catalogue)

    def compare(
        self, person: str, drug: str, *, mcg_per_ml: Fraction, mcg_per_day: Fraction, injected_ml: Fraction
    ) -> Told:
        """Compare what the second person typed with what is proposed."""
        store, first = self._station.store, self._station.user
        second = next(user for user in store.users() if user.id == person)
        typed = Entered(drug, Concentration.mcg_per_ml(mcg_per_ml), mcg_per_day, Volume.ml(injected_ml))
        try:
            result = self._station.checks.enter(self._visit.id, self._digest, typed, first=first, second=second)
        except AppError as error:
            return Told(left=self.left(), problem=words_for(error))
        self.check = result.check
        return Told(result.differing, result.left, passed=result.check is not None)

    def waive(self, reason: str) -> str:
        """Go on without a second person; returns what stands in the way, in words."""
        try:
            self.check = self._station.checks.waive(self._visit.id, self._digest, reason, self._station.user)
        except AppError as error:
            return words_for(error)
        return ""


def is_check_missing(workstation: Workstation, visit: RefillVisit) -> bool:
    """Whether what the visit proposes needs a second person, and no check counts now. Raises: NoCourseError."""
    return bool(workstation.checks.needed(visit)) and workstation.checks.standing(visit) is None
