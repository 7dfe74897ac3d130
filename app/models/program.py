"""What a pump is told to do: the program in the physician's own terms.

Law: a program is an immutable value. It can be described even when it is unwise or impossible for a
pump; ``app.models.guardrails`` says so. Times are minutes on the pump's own clock.

Boluses are given on top of the basal rate, steps in its place while they last (rule DOS-02).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from app.models.errors import AppError
from app.models.quantities import MINUTES_PER_DAY, DoseRate, Flow, Mass, Volume


class InvalidProgramError(AppError):
    """A program that cannot be described: a time outside the day, weekdays not covered exactly once."""


class Weekday(IntEnum):
    """Days of the pump's week; Monday is 0."""

    MON = 0
    TUE = 1
    WED = 2
    THU = 3
    FRI = 4
    SAT = 5
    SUN = 6


EVERY_DAY = tuple(Weekday)


def _require_time_of_day(at: int) -> None:
    if not 0 <= at < MINUTES_PER_DAY:
        raise InvalidProgramError(problem="not-a-time-of-day", minute=at)


def _require_not_negative(**values: int | Mass | DoseRate) -> None:
    for name, value in values.items():
        if (value if isinstance(value, int) else value.quanta) < 0:
            raise InvalidProgramError(problem="negative", field=name)


@dataclass(frozen=True, slots=True)
class Bolus:
    """``dose`` evenly over ``duration_min``, from minute ``at`` of the day, on top of everything else."""

    at: int
    dose: Mass
    duration_min: int

    def __post_init__(self) -> None:
        _require_time_of_day(self.at)
        _require_not_negative(dose=self.dose, duration_min=self.duration_min)


@dataclass(frozen=True, slots=True)
class Step:
    """``dose`` evenly over ``duration_min``, from minute ``at`` of the day, in place of the basal rate."""

    at: int
    duration_min: int
    dose: Mass

    def __post_init__(self) -> None:
        _require_time_of_day(self.at)
        _require_not_negative(dose=self.dose, duration_min=self.duration_min)


@dataclass(frozen=True, slots=True)
class DayPlan:
    """What happens on each of ``days``: a basal rate all day, boluses on top, steps in place.

    A bolus or step belongs to the day on which it starts and may run past midnight. The days are kept in the
    week's order.
    """

    days: tuple[Weekday, ...]
    basal: DoseRate
    boluses: tuple[Bolus, ...] = ()
    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        _require_not_negative(basal=self.basal)
        object.__setattr__(self, "days", tuple(sorted(self.days)))


@dataclass(frozen=True, slots=True)
class SimpleContinuous:
    """One rate, day and night."""

    daily_dose: DoseRate

    def __post_init__(self) -> None:
        _require_not_negative(daily_dose=self.daily_dose)


@dataclass(frozen=True, slots=True)
class Flex:
    """Day plans that cover each weekday exactly once."""

    plans: tuple[DayPlan, ...]

    def __post_init__(self) -> None:
        covered = sorted(day for plan in self.plans for day in plan.days)
        if covered != list(Weekday):
            raise InvalidProgramError(problem="weekdays", covered=",".join(day.name.lower() for day in covered))

    def plan_on(self, day: Weekday) -> DayPlan:
        return next(plan for plan in self.plans if day in plan.days)


@dataclass(frozen=True, slots=True)
class PeriodicBolus:
    """A bolus every ``every_min`` minutes, the first of the week on Monday at ``first_at``, over a basal rate.

    The pattern runs on through midnight. Where the interval does not divide the week it cannot be
    written as a week's schedule, and rule DOS-03 refuses it.
    """

    basal: DoseRate
    dose: Mass
    duration_min: int
    every_min: int
    first_at: int = 0

    def __post_init__(self) -> None:
        _require_time_of_day(self.first_at)
        _require_not_negative(basal=self.basal, dose=self.dose, duration_min=self.duration_min)
        if self.every_min < 1:
            raise InvalidProgramError(problem="interval", every_min=self.every_min)


@dataclass(frozen=True, slots=True)
class MinimumRate:
    """The pump's own minimum rate, which keeps the catheter open."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Nothing is delivered."""


@dataclass(frozen=True, slots=True)
class ConstantFlow:
    """A pump without telemetry: its flow is given, the dose follows from the concentration.

    ``flow`` is the individual pump's, from the implant record, where the model does not fix it.
    """

    flow: Flow | None = None


Delivery = SimpleContinuous | Flex | PeriodicBolus | MinimumRate | Stopped | ConstantFlow


@dataclass(frozen=True, slots=True)
class PatientActivated:
    """A bolus that the patient may call: not before ``lockout_min`` after the start of the one before."""

    dose: Mass
    duration_min: int
    lockout_min: int
    max_per_day: int

    def __post_init__(self) -> None:
        _require_not_negative(
            dose=self.dose, duration_min=self.duration_min, lockout_min=self.lockout_min, max_per_day=self.max_per_day
        )


@dataclass(frozen=True, slots=True)
class Program:
    """All that a pump delivers by itself until it is told otherwise."""

    delivery: Delivery
    patient_activated: PatientActivated | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether it is meant to deliver nothing."""
        return isinstance(self.delivery, Stopped)


class OneTimeKind(StrEnum):
    """Boluses that are given once, as an order of their own."""

    SINGLE = "single"
    PRIMING = "priming"
    BRIDGE = "bridge"


@dataclass(frozen=True, slots=True)
class OneTimeBolus:
    """``volume`` of what stands in the line, evenly over ``duration_min``; during a bridge the program waits."""

    kind: OneTimeKind
    volume: Volume
    duration_min: int
