"""What is known about pumps, catheters and drugs: values with their source, never code.

Law: every number comes from ``resources/catalogue/*.toml``; ``None`` means that no value is known or
that the constant does not apply, and whatever needs it is refused until a value is entered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

from app.models.errors import AppError
from app.models.quantities import Concentration, DoseRate, Flow, Mass, Volume

_T = TypeVar("_T")


class UnknownEntryError(AppError):
    """The catalogue has no entry of that name."""


@dataclass(frozen=True, slots=True)
class Constant:
    """One catalogue value as it stands in the file, with where it comes from.

    ``value`` is text in ``unit``, or ``None`` where no value is known.
    """

    name: str
    value: str | None
    unit: str
    source: str
    verified: bool


class PumpKind(StrEnum):
    PROGRAMMABLE = "programmable"
    CONSTANT_FLOW = "constant-flow"


@dataclass(frozen=True, slots=True)
class PumpModel:
    """One pump model's constants. Source: docs/devices.md, table of catalogue defaults."""

    slug: str
    name: str
    kind: PumpKind
    capacity: Volume
    residual: Volume | None
    min_flow: Flow
    minimum_rate: Flow | None
    max_flow: Flow
    accuracy_percent: Fraction
    tubing: Volume | None
    low_alarm: Volume
    max_changes_per_day: int
    service_life_months: int | None
    eri_to_stop_days: int | None
    dose_increment: Mass | None
    constants: Mapping[str, Constant]

    @property
    def fixed_flow(self) -> Flow | None:
        """The flow of a constant-flow pump whose model fixes it; ``None`` where the implant record must say it."""
        return self.min_flow if self.kind is PumpKind.CONSTANT_FLOW and self.min_flow == self.max_flow else None


@dataclass(frozen=True, slots=True)
class CatheterModel:
    """One catheter model; lengths in cm, volume in mL per cm of length."""

    slug: str
    name: str
    length_cm: Fraction
    ml_per_cm: Fraction
    constants: Mapping[str, Constant]


@dataclass(frozen=True, slots=True)
class Drug:
    """One drug or mixture as it stands in a reservoir.

    ``components`` is empty for a single drug. ``pump_concentrations`` are the known products; none listed
    means that every concentration is the clinic's own. ``screening_concentrations`` are never for a pump.
    """

    slug: str
    name: str
    components: tuple[str, ...]
    pump_concentrations: tuple[Concentration, ...]
    screening_concentrations: tuple[Concentration, ...]
    stability_days: int | None
    confirm_daily_dose_above: DoseRate | None
    block_daily_dose_above: DoseRate | None
    confirm_bolus_above: Mass | None
    constants: Mapping[str, Constant]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All entries by slug, and the version of the files they were read from."""

    version: str
    pumps: Mapping[str, PumpModel]
    catheters: Mapping[str, CatheterModel]
    drugs: Mapping[str, Drug]
    rules: Mapping[str, Constant]

    def pump(self, slug: str) -> PumpModel:
        """Raises: UnknownEntryError."""
        return _entry(self.pumps, "pump", slug)

    def catheter(self, slug: str) -> CatheterModel:
        """Raises: UnknownEntryError."""
        return _entry(self.catheters, "catheter", slug)

    def drug(self, slug: str) -> Drug:
        """Raises: UnknownEntryError."""
        return _entry(self.drugs, "drug", slug)

    def rule(self, name: str) -> Fraction:
        """The limit of that name, in the unit that its entry states. Raises: UnknownEntryError."""
        constant = _entry(self.rules, "rule constant", name)
        if constant.value is None:
            raise UnknownEntryError(kind="rule constant", name=name)
        return Fraction(constant.value)


def _entry(entries: Mapping[str, _T], kind: str, name: str) -> _T:
    if name not in entries:
        raise UnknownEntryError(kind=kind, name=name)
    return entries[name]
