"""What a physician has ordered for one pump, and whether a program keeps to it.

Law: a draft only proposes; an order is signed once and never changes. Its digest is taken over everything that was
signed, and an order that does not match its digest counts for nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction

from app.models.comparison import clock, mode_name
from app.models.errors import AppError
from app.models.findings import Finding, Severity
from app.models.formats import plain, rounded
from app.models.program import (
    ConstantFlow,
    DayPlan,
    Delivery,
    Flex,
    PeriodicBolus,
    Program,
    SimpleContinuous,
    Weekday,
)
from app.models.pump import PumpSettings
from app.models.quantities import Concentration, Mass, Volume


class InvalidOrderError(AppError):
    """This cannot be an order; ``problem`` is ``range``, ``moment``, ``digest``, ``name`` or ``settings``."""


class AlreadySignedError(AppError):
    """This draft has been signed before; a change is a new draft and a new order."""


class AlreadyWithdrawnError(AppError):
    """This order has been withdrawn before."""


class OrderChangedError(AppError):
    """The order on record is not the one that was signed; ``order`` names it."""


@dataclass(frozen=True, slots=True)
class ProgramDraft:
    """One saved version of a program on the drawing board. ``changed_at`` is UTC."""

    id: str
    implant_id: str
    name: str
    settings: PumpSettings
    changed_at: datetime
    changed_by: str

    def __post_init__(self) -> None:
        _require_plan(self.name, self.settings, self.changed_at)

    @property
    def program(self) -> Program:
        return self.settings.program


@dataclass(frozen=True, slots=True)
class SignedFinding:
    """What a rule said when the order was signed, in words; ``answer`` is the reason typed, empty if none was asked."""

    rule: str
    severity: Severity
    reason: str
    sentence: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class SignedOrder:
    """What one pump shall do, signed by a physician.

    ``settings`` are decoded from the bytes that would be sent, without the fill and the bridge of one refill.
    ``range_percent`` is how far a nurse may go from each dose, up or down: a whole number, 0 for exactly this.
    ``valid_until`` is the last day, on the pump's clock; ``digest`` is 64 hex digits, see :func:`order_digest`.
    """

    id: str
    implant_id: str
    draft_id: str
    name: str
    settings: PumpSettings
    range_percent: Fraction
    valid_until: date
    signed_by: str
    signed_at: datetime
    findings: tuple[SignedFinding, ...]
    digest: str
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None

    def __post_init__(self) -> None:
        _require_plan(self.name, self.settings, self.signed_at)
        if self.range_percent.denominator != 1 or not 0 <= self.range_percent < 100:
            raise InvalidOrderError(problem="range", range_percent=self.range_percent)
        if len(self.digest) != 64:
            raise InvalidOrderError(problem="digest")

    @property
    def drug(self) -> str:
        return self.settings.drug

    @property
    def concentration(self) -> Concentration:
        return self.settings.concentration

    @property
    def program(self) -> Program:
        return self.settings.program

    @property
    def low_alarm(self) -> Volume:
        return self.settings.low_alarm

    def counts_on(self, day: date) -> bool:
        """Whether it is neither withdrawn nor expired on ``day`` of the pump's clock."""
        return self.withdrawn_at is None and day <= self.valid_until


def _require_plan(name: str, settings: PumpSettings, at: datetime) -> None:
    if not name.strip():
        raise InvalidOrderError(problem="name")
    if settings.reservoir is not None or settings.bridge is not None:
        raise InvalidOrderError(problem="settings")
    if at.tzinfo is None:
        raise InvalidOrderError(problem="moment")


def order_digest(order: SignedOrder, wire_digest: str) -> str:
    """64 hex digits over everything that was signed; ``wire_digest`` stands for the bytes that would be sent.

    A withdrawal is not part of it: it is a fact of its own.
    """
    said = [
        order.id,
        order.implant_id,
        order.draft_id,
        order.name,
        wire_digest,
        str(order.range_percent),
        order.valid_until.isoformat(),
        order.signed_by,
        order.signed_at.astimezone(UTC).isoformat(timespec="microseconds"),
        [[one.rule, one.severity.value, one.reason, one.sentence, one.answer] for one in order.findings],
    ]
    canonical = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(b"cisterna signed order\n" + canonical.encode()).hexdigest()


# -- within the order or not -----------------------------------------------------------------------------------------


def within_order(order: SignedOrder, settings: PumpSettings, on: date) -> tuple[Finding, ...]:
    """Why ``settings`` may not be programmed on the strength of ``order`` on this day; empty if they may.

    Of an order that no longer counts only that is said. Source: U-06.
    """
    return tuple(_validity(order, on)) or deviations(order, settings)


def _validity(order: SignedOrder, on: date) -> Iterator[Finding]:
    if order.withdrawn_at is not None:
        yield Finding("U-06", Severity.BLOCK, "order-withdrawn", {"name": order.name})
    if on > order.valid_until:
        values = {"name": order.name, "valid_until": order.valid_until.isoformat()}
        yield Finding("U-06", Severity.BLOCK, "order-expired", values)


def deviations(order: SignedOrder, settings: PumpSettings) -> tuple[Finding, ...]:
    """Where ``settings`` leave what was ordered, whenever that may be.

    Times, durations and days are as ordered; each single dose stays within the range, and so does every sum of them.
    A bolus that the patient may call is exactly as ordered. Source: U-06.
    """
    return tuple(_deviations(order, settings))


def _deviations(order: SignedOrder, settings: PumpSettings) -> Iterator[Finding]:
    if (settings.drug, settings.concentration) != (order.drug, order.concentration):
        strength = plain(order.concentration.in_mcg_per_ml)
        values: dict[str, str | int] = {"drug": order.drug, "concentration_mcg_per_ml": strength}
        yield Finding("U-06", Severity.BLOCK, "other-solution", values)
    if settings.low_alarm != order.low_alarm:
        yield Finding("U-06", Severity.BLOCK, "other-low-alarm", {"ordered_ml": plain(order.low_alarm.in_ml)})
    if _timing(settings.program) != _timing(order.program):
        yield Finding("U-06", Severity.BLOCK, "other-schedule", {"mode": mode_name(order.program)})
        return
    seen: set[tuple[str, int, int]] = set()
    for ordered, wanted in zip(_doses(order.program), _doses(settings.program), strict=True):
        what, amount = ordered
        key = (what, amount, wanted[1])
        if abs(wanted[1] - amount) * 100 > amount * order.range_percent and key not in seen:
            seen.add(key)
            yield _outside(order, what, amount, wanted[1])


def _outside(order: SignedOrder, what: str, ordered: int, wanted: int) -> Finding:
    share = order.range_percent / 100
    values = {
        "what": what,
        "dose_mcg": _mcg(Fraction(wanted)),
        "from_mcg": _mcg(ordered * (1 - share)),
        "to_mcg": _mcg(ordered * (1 + share)),
    }
    return Finding("U-06", Severity.BLOCK, "outside-range", values)


def _mcg(yg: Fraction) -> str:
    return rounded(yg / Mass.PER_MCG, 3)


def _timing(program: Program) -> object:
    """All of a program but its doses; equal for programs that deliver at the same times."""
    return _delivery_timing(program.delivery), program.patient_activated


def _delivery_timing(delivery: Delivery) -> object:
    match delivery:
        case Flex():
            return tuple(_plan_timing(plan) for plan in _days(delivery))
        case PeriodicBolus() as periodic:
            return "periodic", periodic.duration_min, periodic.every_min, periodic.first_at
        case ConstantFlow():
            return delivery
        case _:
            return type(delivery)


def _days(flex: Flex) -> list[DayPlan]:
    """The plan of each weekday, Monday first, however the days are grouped."""
    return [flex.plan_on(day) for day in Weekday]


def _plan_timing(plan: DayPlan) -> object:
    boluses = sorted((bolus.at, bolus.duration_min) for bolus in plan.boluses)
    steps = sorted((step.at, step.duration_min) for step in plan.steps)
    return tuple(boluses), tuple(steps)


def _doses(program: Program) -> Iterator[tuple[str, int]]:
    """Each dose with its name, in yg (of a rate: in 24 h), in the order of :func:`_timing`."""
    match program.delivery:
        case SimpleContinuous(daily_dose=dose):
            yield "daily dose", dose.quanta
        case PeriodicBolus() as periodic:
            yield "basal dose of a day", periodic.basal.quanta
            yield "periodic bolus", periodic.dose.quanta
        case Flex() as flex:
            for plan in _days(flex):
                yield "basal dose of a day", plan.basal.quanta
                for bolus in sorted(plan.boluses, key=lambda bolus: (bolus.at, bolus.duration_min, bolus.dose)):
                    yield f"bolus at {clock(bolus.at)}", bolus.dose.quanta
                for step in sorted(plan.steps, key=lambda step: (step.at, step.duration_min, step.dose)):
                    yield f"step from {clock(step.at)}", step.dose.quanta
        case _:
            return
