"""The check of a second person: asked for, typed blind, compared, and demanded before anything is sent.

Law: whose work is checked follows from the audit trail and not from what a caller says, and none of them is ever the
second person. Nobody's entry is told to anybody. Where nobody is there, a typed reason and a task for today stand in,
and are never called a check by two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.models.catalogue import Catalogue, PumpModel
from app.models.findings import Finding, Severity
from app.models.patient import User
from app.models.ports import ClinicStore, NotOnRecordError
from app.models.pump import PumpSettings
from app.models.quantities import Volume
from app.models.records import AuditEntry
from app.models.refill_visit import RefillVisit, Step
from app.models.rule_texts import sentence
from app.models.second_check import (
    CheckAttempt,
    CheckEndedError,
    CheckField,
    CheckHistory,
    Entered,
    InvalidCheckError,
    SamePersonError,
    SecondCheck,
    SecondCheckMissingError,
    SettingsChangedError,
    SomebodyWasThereError,
    Trigger,
    expected_of,
    triggers,
    valid_until,
)
from app.models.tasks import Task
from app.models.typed_reason import require_good_reason
from app.services.clock import Clock
from app.services.tasks import made_entry

DigestOf = Callable[[PumpSettings], str]
"""The digest (64 hex digits) of the bytes that a pump would be sent. Raises: NotRepresentableError."""

_MADE = ("refill.drug-checked", "refill.filled", "refill.proposed")
REMOTE_CHECK = Finding("U-07", Severity.TASK, "remote-check")


def no_protocol(visit: RefillVisit) -> bool:
    """Where no protocols are kept, no visit is a step of one."""
    return False


@dataclass(frozen=True, slots=True)
class EntryResult:
    """What came of an entry: the fields that differ, how many more may differ, and the check if none does."""

    differing: tuple[CheckField, ...]
    left: int
    check: SecondCheck | None


@dataclass(frozen=True, slots=True)
class _Proposal:
    """What a visit proposes now, who made it (who proposed it last), and which of its proposals it is."""

    visit: RefillVisit
    settings: PumpSettings
    injected: Volume
    digest: str
    number: int
    makers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SecondCheckDesk:
    """Where second persons check. ``new_id`` returns 32 random hex digits."""

    store: ClinicStore
    clock: Clock
    new_id: Callable[[], str]
    catalogue: Catalogue
    digest_of: DigestOf
    protocol_step: Callable[[RefillVisit], bool] = no_protocol

    # -- what is asked ---------------------------------------------------------------------------------------

    def needed(self, visit: RefillVisit) -> tuple[Trigger, ...]:
        """Why what the visit proposes needs a second person; empty if it does not. Raises: NoCourseError."""
        if visit.proposed is None:
            return ()
        history = CheckHistory(not self.store.fills(visit.implant_id), self.protocol_step(visit))
        return triggers(self._settings_now(visit), visit.proposed, history, self._model_of(visit), self.catalogue)

    def _settings_now(self, visit: RefillVisit) -> PumpSettings | None:
        if visit.reading is not None:
            return visit.reading.settings
        programs = self.store.therapy(visit.patient_id).programs
        return programs[-1].settings if programs else None

    def _model_of(self, visit: RefillVisit) -> PumpModel:
        implant = self.store.therapy(visit.patient_id).implant
        if implant is None or implant.id != visit.implant_id:
            raise NotOnRecordError(kind="implant", id=visit.implant_id)
        return self.catalogue.pump(implant.pump_model)

    def proposed_digest(self, visit: RefillVisit) -> str:
        """The digest of what the visit proposes. Raises: SettingsChangedError: it proposes nothing."""
        if visit.proposed is None:
            raise SettingsChangedError(visit=visit.id)
        return self.digest_of(visit.proposed)

    def seconds(self, visit: RefillVisit, first: User) -> Sequence[User]:
        """Who may be the second person while ``first`` is at the workstation, by name."""
        barred = {first.id, *self._makers(visit.id)}
        return [user for user in self.store.users() if user.id not in barred]

    def standing(self, visit: RefillVisit) -> SecondCheck | None:
        """What counts now for what the visit proposes: a check by two, or else that nobody was there."""
        if visit.proposed is None or visit.injected is None:
            return None
        return self._valid(visit.id, self.digest_of(visit.proposed), visit.injected, self.clock.utc())

    def _valid(self, visit_id: str, digest: str, injected: Volume, at: datetime) -> SecondCheck | None:
        found = [one for one in self.store.second_checks(visit_id) if one.is_valid_for(digest, injected, at)]
        return max(found, key=lambda one: (one.by_two, one.at), default=None)

    def entries_left(self, visit: RefillVisit) -> int:
        """How many more entries may differ before this proposal cannot be checked any more."""
        return self._left(visit.id, self._number(visit.id))

    def _left(self, visit_id: str, number: int) -> int:
        differed = sum(one.proposal == number for one in self.store.second_check_attempts(visit_id))
        return max(0, int(self.catalogue.rule("u_07_mismatches")) - differed)

    # -- what is typed ---------------------------------------------------------------------------------------

    def enter(self, visit_id: str, digest: str, entered: Entered, *, first: User, second: User) -> EntryResult:
        """Compare what ``second`` typed with what is proposed, and write down what came of it.

        ``second`` is whoever typed; ``first`` is whoever is at the workstation otherwise.

        Raises:
            SettingsChangedError: ``digest`` is not what the visit proposes now.
            SamePersonError: ``second`` is ``first``, or read the label, filled or proposed these settings.
            CheckEndedError: too many entries differed.
            NotOnRecordError: no such visit or user.
        """
        proposal = self._proposal(visit_id, digest)
        self._require_users(first, second)
        if second.id in (first.id, *proposal.makers):
            raise SamePersonError(user=second.id)
        left = self._left(visit_id, proposal.number)
        if not left:
            raise CheckEndedError(visit=visit_id)
        model = self._model_of(proposal.visit)
        differing = expected_of(proposal.settings, proposal.injected, model).differing(entered)
        if differing:
            self._write_difference(proposal, second, differing)
            return EntryResult(differing, left - 1, None)
        return EntryResult((), left, self._write_check(proposal, second))

    def _write_difference(self, proposal: _Proposal, second: User, differing: tuple[CheckField, ...]) -> None:
        now = self.clock.utc()
        attempt = CheckAttempt(
            visit_id=proposal.visit.id,
            proposal=proposal.number,
            digest=proposal.digest,
            injected=proposal.injected,
            first_id=proposal.makers[-1],
            second_id=second.id,
            at=now,
            differing=differing,
        )
        entry = AuditEntry(now, second.id, "check.differs", proposal.visit.id, proposal.digest)
        self.store.add_second_check_attempt(attempt, entry)

    def _write_check(self, proposal: _Proposal, second: User) -> SecondCheck:
        check = self._check(proposal, first_id=proposal.makers[-1], second_id=second.id)
        entry = AuditEntry(check.at, second.id, "check.by-two", proposal.visit.id, proposal.digest)
        self.store.add_second_check(check, entry)
        return check

    def _check(
        self, proposal: _Proposal, *, first_id: str, second_id: str | None = None, reason: str = ""
    ) -> SecondCheck:
        now = self.clock.utc()
        return SecondCheck(
            id=self.new_id(),
            visit_id=proposal.visit.id,
            digest=proposal.digest,
            injected=proposal.injected,
            first_id=first_id,
            second_id=second_id,
            reason=reason,
            at=now,
            valid_until=valid_until(now, self.catalogue),
        )

    # -- nobody is there -------------------------------------------------------------------------------------

    def waive(self, visit_id: str, digest: str, reason: str, user: User) -> SecondCheck:
        """Write that nobody else is there and why it cannot wait, and leave the task of a remote check due today.

        Raises:
            ReasonTooThinError: the reason is none.
            SomebodyWasThereError: a second person has typed something else.
            InvalidCheckError: no check is needed.
            SettingsChangedError, NotOnRecordError: see :meth:`enter`.
        """
        proposal = self._proposal(visit_id, digest)
        self._require_users(user)
        if not self.needed(proposal.visit):
            raise InvalidCheckError(problem="not-needed")
        if any(one.proposal == proposal.number for one in self.store.second_check_attempts(visit_id)):
            raise SomebodyWasThereError(visit=visit_id)
        words = require_good_reason(reason, self.catalogue)
        check = self._check(proposal, first_id=user.id, reason=words)
        entry = AuditEntry(check.at, user.id, "check.nobody-there", visit_id, digest)
        self.store.add_second_check(check, entry, task=self._remote_check(proposal.visit, check))
        return check

    def _remote_check(self, visit: RefillVisit, check: SecondCheck) -> tuple[Task, AuditEntry] | None:
        """The task, unless this visit has left it already."""
        wanted = (visit.id, REMOTE_CHECK.rule, REMOTE_CHECK.reason)
        if any((task.visit_id, task.rule, task.reason) == wanted for task in self.store.open_tasks()):
            return None
        task = Task(
            id=self.new_id(),
            patient_id=visit.patient_id,
            implant_id=visit.implant_id,
            rule=REMOTE_CHECK.rule,
            reason=REMOTE_CHECK.reason,
            sentence=sentence(REMOTE_CHECK),
            due_on=self.clock.pump().date(),
            made_at=check.at,
            made_by=check.first_id,
            visit_id=visit.id,
        )
        return task, made_entry(task)

    # -- before anything is sent -----------------------------------------------------------------------------

    def require(self, visit_id: str, digest: str, injected: Volume | None, at: datetime) -> SecondCheck | None:
        """Make sure that just this may be sent at that moment; ``None`` where it needs no second person.

        Raises:
            SecondCheckMissingError: nobody has checked it, or too long ago.
            SettingsChangedError: it is not what the visit on disk proposes.
        """
        visit = self.store.visit(visit_id)
        if self.proposed_digest(visit) != digest or visit.injected != injected:
            raise SettingsChangedError(visit=visit_id)
        why = self.needed(visit)
        if not why:
            return None
        check = self._valid(visit_id, digest, injected, at) if injected is not None else None
        if check is None:
            raise SecondCheckMissingError(visit=visit_id, triggers=",".join(why))
        return check

    # -- whose work it is ------------------------------------------------------------------------------------

    def _proposal(self, visit_id: str, digest: str) -> _Proposal:
        visit = self.store.visit(visit_id)
        settings, injected, makers = visit.proposed, visit.injected, self._makers(visit_id)
        if settings is None or injected is None or visit.step is not Step.CONFIRM or not makers:
            raise SettingsChangedError(visit=visit_id)
        if self.digest_of(settings) != digest:
            raise SettingsChangedError(visit=visit_id)
        return _Proposal(visit, settings, injected, digest, self._number(visit_id), makers)

    def _number(self, visit_id: str) -> int:
        return sum(entry.action == "refill.proposed" for entry in self.store.trail(visit_id))

    def _makers(self, visit_id: str) -> tuple[str, ...]:
        """Who read the label, filled and proposed last, in this order; none before anything was proposed."""
        last = {entry.action: entry.user_id for entry in self.store.trail(visit_id) if entry.action in _MADE}
        return tuple(last[action] for action in _MADE if action in last) if _MADE[-1] in last else ()

    def _require_users(self, *wanted: User) -> None:
        known = {user.id for user in self.store.users()}
        for user in wanted:
            if user.id not in known:
                raise NotOnRecordError(kind="user", id=user.id)
