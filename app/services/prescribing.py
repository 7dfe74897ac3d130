"""From a program on the drawing board to a signed order: drafts, signing, withdrawing, and the history of it all.

Law: only a physician on record signs, and signs what the pump's own bytes say; a block refuses, a question needs its
typed reason, and both engines agree first. The order signed last is the only one that can count, and it counts while
it is valid and matches its digest: one that was replaced, has expired or is withdrawn never comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction

from app.models.agreement import require_agreement
from app.models.catalogue import Catalogue
from app.models.comparison import Row, compare, mode_name, sentence_of
from app.models.errors import AppError
from app.models.findings import Finding, Severity
from app.models.patient import Implant, Role, User
from app.models.patient_day import DayPart
from app.models.ports import ClinicStore, NotOnRecordError
from app.models.presets import ClinicPreset, PresetNameTakenError, same_name
from app.models.pump import PumpSettings
from app.models.records import AuditEntry, ProgramRecord
from app.models.rule_texts import sentence
from app.models.signed_order import (
    AlreadySignedError,
    InvalidOrderError,
    OrderChangedError,
    ProgramDraft,
    SignedFinding,
    SignedOrder,
    deviations,
    order_digest,
)
from app.models.titration import Setting
from app.services.clock import Clock
from app.services.plan_rules import plan_findings
from app.services.reasons import NO_REASONS, Reasons, require_reasons
from app.services.therapy import Therapy, therapy_of

Canonical = Callable[[PumpSettings], tuple[PumpSettings, str]]
"""Settings decoded from the bytes that would be sent, and the digest of those bytes (64 hex digits).

Raises: NotRepresentableError.
"""


class NotAPhysicianError(AppError):
    """Only a physician on record signs or withdraws an order, keeps or retires a preset; ``user`` is none."""


class DecodedDiffersError(AppError):
    """What the pump would be told is not what was put in."""


class VersionState(StrEnum):
    """What became of one version of a patient's programs."""

    DRAFT = "draft"
    SIGNED = "signed"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    CHANGED = "changed"
    IN_PUMP = "in-pump"
    WAS_IN_PUMP = "was-in-pump"


@dataclass(frozen=True, slots=True)
class Version:
    """One entry of the history: a saved draft, a signed order, or a program that a pump has verified.

    ``at`` is UTC; ``in_pump_since`` is on the pump's clock and only there for a verified program.
    """

    id: str
    state: VersionState
    name: str
    settings: PumpSettings
    at: datetime
    by: str
    in_pump_since: datetime | None = None
    order: SignedOrder | None = None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a physician reads before signing: ``settings`` are decoded from the bytes that ``wire_digest`` names."""

    settings: PumpSettings
    wire_digest: str
    sentence: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Prescribing:
    """Where programs become orders. ``new_id`` returns 32 random hex digits."""

    store: ClinicStore
    catalogue: Catalogue
    clock: Clock
    new_id: Callable[[], str]
    canonical: Canonical

    # -- drafts ----------------------------------------------------------------------------------------------

    def save_draft(self, implant: Implant, name: str, settings: PumpSettings, user: User) -> ProgramDraft:
        """Keep a program under a name; every save that changes something is a version of its own.

        So is one of what was signed already: it is the draft of the next order.

        Raises: InvalidOrderError: no name.
        """
        draft = ProgramDraft(
            id=self.new_id(),
            implant_id=implant.id,
            name=name.strip(),
            settings=plan_of(settings),
            changed_at=self.clock.utc(),
            changed_by=user.id,
        )
        before = next((found for found in self.drafts(implant) if found.name == draft.name), None)
        signed = {order.draft_id for order in self._on_record(implant.id)}
        if before is not None and before.settings == draft.settings and before.id not in signed:
            return before
        self.store.add_draft(draft, AuditEntry(draft.changed_at, user.id, "order.drafted", draft.id))
        return draft

    def drafts(self, implant: Implant) -> tuple[ProgramDraft, ...]:
        """The last version of each name, the one saved last first."""
        last: dict[str, ProgramDraft] = {}
        for draft in self.store.drafts(implant.id):
            last.pop(draft.name, None)
            last[draft.name] = draft
        return tuple(reversed(last.values()))

    # -- signing ---------------------------------------------------------------------------------------------

    def review(
        self, implant: Implant, settings: PumpSettings, *, setting: Setting = Setting.REFILL, occasion: str = ""
    ) -> Reviewed:
        """What would be signed, decoded from what would be sent, and what the rules say about it.

        Raises:
            NotRepresentableError, DecodedDiffersError: the pump cannot be told exactly this.
            EnginesDisagreeError: the two engines do not agree on what it comes to.
        """
        decoded, digest = self._decoded(settings)
        model = self.catalogue.pump(implant.pump_model)
        require_agreement(decoded.program, model, decoded.concentration)
        therapy = self.therapy(implant)
        findings = plan_findings(therapy, decoded, self.catalogue, setting=setting, occasion=occasion)
        return Reviewed(decoded, digest, sentence_of(decoded, model), findings)

    def _decoded(self, settings: PumpSettings) -> tuple[PumpSettings, str]:
        """The plan as a pump would be told it, and the digest of the bytes.

        Raises: NotRepresentableError, DecodedDiffersError.
        """
        decoded, digest = self.canonical(plan_of(settings))
        if decoded != plan_of(settings):
            raise DecodedDiffersError(digest=digest)
        return decoded, digest

    def therapy(self, implant: Implant) -> Therapy:
        """What the patient is getting now. Raises: NotOnRecordError: this pump is not the patient's."""
        record = self.store.therapy(implant.patient_id)
        if record.implant is None or record.implant.id != implant.id:
            raise NotOnRecordError(kind="implant", id=implant.id)
        return therapy_of(record, self.catalogue, at=self.clock.pump())

    def sign(
        self,
        implant: Implant,
        draft: ProgramDraft,
        user: User,
        *,
        range_percent: Fraction,
        valid_until: date,
        reasons: Reasons = NO_REASONS,
        setting: Setting = Setting.REFILL,
        occasion: str = "",
    ) -> SignedOrder:
        """Make an order of a saved draft; it takes the place of the order before.

        Raises:
            NotAPhysicianError, BlockedError, ReasonMissingError, OrderChangedError: nothing was signed.
            AlreadySignedError: this draft was signed before, or just this order is in force.
            InvalidOrderError: ``problem`` is ``range`` or ``valid-until``.
            NotOnRecordError: this version of the draft was never saved.
            NotRepresentableError, DecodedDiffersError, EnginesDisagreeError: see :meth:`review`.
        """
        self._require_physician(user)
        if valid_until < self.clock.pump().date():
            raise InvalidOrderError(problem="valid-until", valid_until=valid_until)
        if draft not in self.store.drafts(implant.id):
            raise NotOnRecordError(kind="draft", id=draft.id)
        reviewed = self.review(implant, draft.settings, setting=setting, occasion=occasion)
        require_reasons(reviewed.findings, reasons, self.catalogue)
        unsealed = SignedOrder(
            id=self.new_id(),
            implant_id=implant.id,
            draft_id=draft.id,
            name=draft.name,
            settings=reviewed.settings,
            range_percent=range_percent,
            valid_until=valid_until,
            signed_by=user.id,
            signed_at=self.clock.utc(),
            findings=_said(reviewed.findings, reasons),
            digest="0" * 64,
        )
        self._require_news(unsealed)
        order = replace(unsealed, digest=order_digest(unsealed, reviewed.wire_digest))
        self.store.add_signed_order(order, AuditEntry(order.signed_at, user.id, "order.signed", order.id, order.digest))
        return order

    def _require_news(self, order: SignedOrder) -> None:
        """Make sure that just this is not in force already, as after a second press of the same button."""
        today = self.clock.pump().date()
        for last in self._on_record(order.implant_id)[-1:]:
            if self._is_unchanged(last) and last.counts_on(today) and _terms(last) == _terms(order):
                raise AlreadySignedError(order=last.id)

    def _require_physician(self, user: User) -> None:
        on_record = next((found for found in self.store.users() if found.id == user.id), None)
        if on_record is None or on_record.role is not Role.PHYSICIAN:
            raise NotAPhysicianError(user=user.id)

    def withdraw(self, order: SignedOrder, user: User) -> None:
        """End an order before its time. Raises: NotAPhysicianError, AlreadyWithdrawnError."""
        self._require_physician(user)
        now = self.clock.utc()
        self.store.withdraw_order(order.id, now, user.id, AuditEntry(now, user.id, "order.withdrawn", order.id))

    # -- what counts -----------------------------------------------------------------------------------------

    def orders(self, implant_id: str) -> tuple[SignedOrder, ...]:
        """All orders for a pump, in the order of signing.

        Raises: OrderChangedError: one of them is not what was signed.
        """
        found = self._on_record(implant_id)
        for order in found:
            self.require_unchanged(order)
        return found

    def _on_record(self, implant_id: str) -> tuple[SignedOrder, ...]:
        """All orders as their rows have them. Raises: OrderChangedError: a row is no order at all."""
        try:
            return tuple(self.store.signed_orders(implant_id))
        except (AppError, ValueError) as unreadable:
            raise OrderChangedError(implant=implant_id) from unreadable

    def require_unchanged(self, order: SignedOrder) -> None:
        """Make sure that an order is what was signed. Raises: OrderChangedError."""
        if not self._is_unchanged(order):
            raise OrderChangedError(order=order.id)

    def _is_unchanged(self, order: SignedOrder) -> bool:
        try:
            decoded, wire = self.canonical(order.settings)
        except AppError:
            return False
        return decoded == order.settings and order_digest(order, wire) == order.digest

    def last_order(self, implant_id: str) -> SignedOrder | None:
        """The order signed last, whether or not it still counts. Raises: OrderChangedError: it was changed since."""
        found = self._on_record(implant_id)
        if not found:
            return None
        self.require_unchanged(found[-1])
        return found[-1]

    def current_order(self, implant_id: str, on: date) -> SignedOrder | None:
        """The order that counts on this day of the pump's clock. Raises: OrderChangedError."""
        last = self.last_order(implant_id)
        return last if last is not None and last.counts_on(on) else None

    # -- to begin from ---------------------------------------------------------------------------------------

    def presets(self) -> tuple[ClinicPreset, ...]:
        """The clinic's own presets that are not retired, in the order of keeping."""
        return tuple(preset for preset in self.store.clinic_presets() if not preset.is_retired)

    def keep_preset(
        self, name: str, note: str, settings: PumpSettings, user: User, *, taken: Iterable[str] = ()
    ) -> ClinicPreset:
        """Keep a program as one of the clinic's own presets; ``taken`` are names of others that can be chosen.

        Raises:
            NotAPhysicianError, InvalidPresetError: nothing was kept.
            PresetNameTakenError: one of ``taken``, or one of the clinic's that is not retired, has this name.
            NotRepresentableError, DecodedDiffersError: a pump cannot be told exactly this.
        """
        self._require_physician(user)
        decoded, digest = self._decoded(settings)
        name = " ".join(name.split())
        preset = ClinicPreset(self.new_id(), name, note.strip(), decoded, self.clock.utc(), user.id)
        for other in taken:
            if same_name(other, name):
                raise PresetNameTakenError(name=other)
        self.store.add_clinic_preset(preset, AuditEntry(preset.kept_at, user.id, "preset.kept", preset.id, digest))
        return preset

    def retire_preset(self, preset: ClinicPreset, user: User) -> None:
        """Offer a preset no more; it stays on record.

        Raises: NotAPhysicianError, NotOnRecordError, PresetRetiredError.
        """
        self._require_physician(user)
        now = self.clock.utc()
        self.store.retire_preset(preset.id, now, user.id, AuditEntry(now, user.id, "preset.retired", preset.id))

    def patient_day(self, patient_id: str) -> tuple[DayPart, ...]:
        """The parts of a patient's day, in the order of time."""
        return tuple(self.store.patient_day(patient_id))

    def save_patient_day(self, patient_id: str, parts: Iterable[DayPart], user: User) -> None:
        """Write the whole day in place of the one before; whoever works with the patient may.

        Raises: NotOnRecordError.
        """
        ordered = sorted(parts, key=lambda part: part.start)
        self.store.save_patient_day(
            patient_id, ordered, AuditEntry(self.clock.utc(), user.id, "patient-day.changed", patient_id)
        )

    # -- the history -----------------------------------------------------------------------------------------

    def versions(self, implant: Implant) -> tuple[Version, ...]:
        """Drafts, orders and verified programs of a pump, oldest first; an order that was changed is told apart.

        Raises: OrderChangedError: a row is no order at all.
        """
        orders, programs = self._on_record(implant.id), self.store.programs(implant.id)
        sound = [order for order in orders if self._is_unchanged(order)]
        found = [
            Version(draft.id, VersionState.DRAFT, draft.name, draft.settings, draft.changed_at, draft.changed_by)
            for draft in self.store.drafts(implant.id)
        ]
        found += [self._signed(order, last=order is orders[-1]) for order in orders]
        found += [_verified(record, sound, last=record is programs[-1]) for record in programs]
        return tuple(sorted(found, key=lambda version: version.at))

    def _signed(self, order: SignedOrder, *, last: bool) -> Version:
        state = self.state_of(order, last=last)
        return Version(order.id, state, order.name, order.settings, order.signed_at, order.signed_by, order=order)

    def state_of(self, order: SignedOrder, *, last: bool) -> VersionState:
        """What became of an order by today; ``last`` says that no other was signed after it."""
        if not self._is_unchanged(order):
            return VersionState.CHANGED
        if order.withdrawn_at is not None:
            return VersionState.WITHDRAWN
        if not last:
            return VersionState.SUPERSEDED
        return VersionState.SIGNED if order.counts_on(self.clock.pump().date()) else VersionState.EXPIRED

    def difference(self, implant: Implant, a: Version, b: Version) -> tuple[Row, ...]:
        """From ``a`` to ``b``, item by item. Raises: NoCourseError: one of them cannot run on this pump."""
        return compare(a.settings, b.settings, self.catalogue.pump(implant.pump_model))


def _terms(order: SignedOrder) -> object:
    return order.name, order.settings, order.range_percent, order.valid_until


def plan_of(settings: PumpSettings) -> PumpSettings:
    """What is ordered for good: settings without the fill and the bridge of one refill."""
    return replace(settings, reservoir=None, bridge=None)


def _said(findings: Sequence[Finding], reasons: Reasons) -> tuple[SignedFinding, ...]:
    """Findings in words, each with its answer if one was asked for."""
    return tuple(
        SignedFinding(
            found.rule,
            found.severity,
            found.reason,
            sentence(found),
            reasons[found.rule, found.reason].strip() if found.severity is Severity.CONFIRM else "",
        )
        for found in findings
    )


def _verified(record: ProgramRecord, orders: Sequence[SignedOrder], *, last: bool) -> Version:
    """A verified program; its name and order are those of the last order before it that it keeps to."""
    known = (order for order in reversed(orders) if order.signed_at <= record.recorded_at)
    order = next((order for order in known if not deviations(order, record.settings)), None)
    return Version(
        id=record.id,
        state=VersionState.IN_PUMP if last else VersionState.WAS_IN_PUMP,
        name=order.name if order else mode_name(record.settings.program),
        settings=record.settings,
        at=record.recorded_at,
        by=record.recorded_by,
        in_pump_since=record.effective_at,
        order=order,
    )
