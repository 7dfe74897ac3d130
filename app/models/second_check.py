"""When a second person must check what will be sent, what they type, and what their check is worth.

Law: a check belongs to one digest and one injected volume, and to two different people; it ends with its time. What
the first person typed is never told: a comparison says only which fields differ. Source: U-07.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from app.models.catalogue import Catalogue, PumpModel
from app.models.comparison import mode_name
from app.models.course import NoCourseError, figures_of
from app.models.errors import AppError
from app.models.formats import rounded
from app.models.pump import PumpSettings
from app.models.quantities import Concentration, Mass, Volume

_DIGEST_DIGITS = 64


class SecondCheckMissingError(AppError):
    """What would be sent needs the check of a second person, and none counts now; ``triggers`` says why it needs it."""


class SamePersonError(AppError):
    """The second person is one of those whose work is to be checked."""


class CheckEndedError(AppError):
    """Too many entries differed; the settings must be proposed anew before anybody checks them again."""


class SomebodyWasThereError(AppError):
    """A second person has typed something else, so that nobody can say that there was no second person."""


class SettingsChangedError(AppError):
    """What would be sent is not what this check was begun for."""


class InvalidCheckError(AppError):
    """This cannot be a check; ``problem`` is ``digest``, ``moment``, ``people`` or ``reason``."""


class Trigger(StrEnum):
    """Why a second person is needed. Source: U-07."""

    DRUG = "drug"
    CONCENTRATION = "concentration"
    MODE = "mode"
    DAILY_DOSE_CHANGE = "daily-dose-change"
    FIRST_FILL = "first-fill"
    HIGH_DAILY_DOSE = "high-daily-dose"
    PROTOCOL_STEP = "protocol-step"


@dataclass(frozen=True, slots=True)
class CheckHistory:
    """What went before: whether this is the pump's first fill, and whether its settings are a step of a protocol."""

    first_fill: bool
    protocol_step: bool = False


def triggers(
    now: PumpSettings | None,
    proposed: PumpSettings,
    history: CheckHistory,
    model: PumpModel,
    catalogue: Catalogue,
) -> tuple[Trigger, ...]:
    """Why ``proposed`` needs a second person, in the order of :class:`Trigger`; ``now`` is what the pump runs.

    Daily doses are exact means over the week; the high dose counts with every bolus that the patient may call. Where
    the dose of now is unknown or nothing, any dose is a change above the limit. Raises: NoCourseError. Source: U-07.
    """
    return tuple(_triggers(now, proposed, history, model, catalogue))


def _triggers(
    now: PumpSettings | None, proposed: PumpSettings, history: CheckHistory, model: PumpModel, catalogue: Catalogue
) -> Iterator[Trigger]:
    figures = figures_of(proposed.program, model, proposed.concentration)
    if now is not None and now.drug != proposed.drug:
        yield Trigger.DRUG
    if now is not None and now.concentration != proposed.concentration:
        yield Trigger.CONCENTRATION
    if now is not None and _mode(now) != _mode(proposed):
        yield Trigger.MODE
    limit = catalogue.rule("u_07_daily_dose_change_percent")
    if now is not None and _changes_by_more(_daily(now, model), figures.achieved_daily, limit):
        yield Trigger.DAILY_DOSE_CHANGE
    if history.first_fill or now is None:
        yield Trigger.FIRST_FILL
    if figures.worst_daily > catalogue.rule("u_07_high_dose_mcg_per_day") * Mass.PER_MCG:
        yield Trigger.HIGH_DAILY_DOSE
    if history.protocol_step:
        yield Trigger.PROTOCOL_STEP


def _mode(settings: PumpSettings) -> tuple[str, bool]:
    """How the pump delivers, and whether the patient may call a bolus."""
    return mode_name(settings.program), settings.program.patient_activated is not None


def _daily(settings: PumpSettings, model: PumpModel) -> Fraction | None:
    try:
        return figures_of(settings.program, model, settings.concentration).achieved_daily
    except NoCourseError:
        return None


def _changes_by_more(old: Fraction | None, new: Fraction, percent: Fraction) -> bool:
    return old is None or abs(new - old) * 100 > old * percent


# -- what the second person types -----------------------------------------------------------------------------------


class CheckField(StrEnum):
    """What is typed a second time."""

    DRUG = "drug"
    CONCENTRATION = "concentration"
    DAILY_DOSE = "daily-dose"
    INJECTED = "injected"


@dataclass(frozen=True, slots=True)
class Entered:
    """What the second person reads and types, by themselves. ``daily_mcg`` is in mcg/day."""

    drug: str
    concentration: Concentration
    daily_mcg: Fraction
    injected: Volume


@dataclass(frozen=True, slots=True, repr=False)
class Expected:
    """What would be sent. ``daily_mcg`` is what the pump comes to in mcg/day, exactly. It never shows itself."""

    drug: str
    concentration: Concentration
    daily_mcg: Fraction
    injected: Volume

    def differing(self, entered: Entered) -> tuple[CheckField, ...]:
        """The fields that differ; a daily dose is compared as it is shown, to three decimals of mcg/day."""
        same = {
            CheckField.DRUG: self.drug == entered.drug,
            CheckField.CONCENTRATION: self.concentration == entered.concentration,
            CheckField.DAILY_DOSE: rounded(self.daily_mcg, 3) == rounded(entered.daily_mcg, 3),
            CheckField.INJECTED: self.injected == entered.injected,
        }
        return tuple(field for field in CheckField if not same[field])


def expected_of(proposed: PumpSettings, injected: Volume, model: PumpModel) -> Expected:
    """What a second person should come to. Raises: NoCourseError."""
    daily = figures_of(proposed.program, model, proposed.concentration).achieved_daily / Mass.PER_MCG
    return Expected(proposed.drug, proposed.concentration, daily, injected)


# -- what comes of it -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckAttempt:
    """One entry that differed: who typed it and in which fields, but nobody's values.

    ``proposal`` numbers the visit's proposals from 1: entries that differ are counted for each of them alone.
    """

    visit_id: str
    proposal: int
    digest: str
    injected: Volume
    first_id: str
    second_id: str
    at: datetime
    differing: tuple[CheckField, ...]


@dataclass(frozen=True, slots=True)
class SecondCheck:
    """What one digest (64 hex digits) with one injected volume was worth to two people, or the reason why one went on.

    ``second_id`` is ``None`` where nobody was there; then ``reason`` says why it could not wait. Moments are UTC.
    """

    id: str
    visit_id: str
    digest: str
    injected: Volume
    first_id: str
    second_id: str | None
    reason: str
    at: datetime
    valid_until: datetime

    def __post_init__(self) -> None:
        if len(self.digest) != _DIGEST_DIGITS or set(self.digest) - set("0123456789abcdef"):
            raise InvalidCheckError(problem="digest")
        if self.at.tzinfo is None or self.valid_until.tzinfo is None or self.valid_until < self.at:
            raise InvalidCheckError(problem="moment")
        if self.first_id == self.second_id:
            raise InvalidCheckError(problem="people")
        if (self.second_id is None) != bool(self.reason):
            raise InvalidCheckError(problem="reason")

    @property
    def by_two(self) -> bool:
        """Whether two people came to the same; if not, one went on alone."""
        return self.second_id is not None

    def is_valid_for(self, digest: str, injected: Volume, at: datetime) -> bool:
        """Whether it covers just this at that moment; its last moment still counts."""
        return (self.digest, self.injected) == (digest, injected) and self.at <= at <= self.valid_until


def valid_until(at: datetime, catalogue: Catalogue) -> datetime:
    """The last moment at which a check made at ``at`` counts. Source: U-07."""
    return at + timedelta(minutes=int(catalogue.rule("u_07_valid_min")))
