"""The parts that several kinds of evaluate document share: pump, catheter, reservoir, program, clinical.

Law: each part turns itself into domain values by ``to_domain``; what the catalogue does not know is refused at its
own path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, model_validator

from app.documents.catalogue import PUMP_CONSTANTS, with_overrides
from app.documents.fields import (
    ConcentrationMcgPerMl,
    Count,
    Day,
    Document,
    DoseMcg,
    DoseMcgPerHour,
    MassMcg,
    Moment,
    Name,
    Number,
    RefusedError,
    TimeOfDay,
    VolumeMl,
    one_of,
)
from app.models.catalogue import Catalogue, Drug, PumpModel, UnknownEntryError
from app.models.formats import plain
from app.models.program import (
    EVERY_DAY,
    Bolus,
    ConstantFlow,
    DayPlan,
    Delivery,
    Flex,
    MinimumRate,
    PatientActivated,
    PeriodicBolus,
    Program,
    SimpleContinuous,
    Step,
    Stopped,
    Weekday,
)
from app.models.quantities import DoseRate, Flow
from app.models.transition import Segment, catheter_volume_ml


class PumpPart(Document):
    """A pump of the catalogue, with other constants where a clinic has its own."""

    model: Name
    flow_ml_per_day: Number | None = None
    implanted_on: Day | None = None
    capacity_ml: Number | None = None
    residual_ml: Number | None = None
    min_flow_ml_per_day: Number | None = None
    minimum_rate_ml_per_day: Number | None = None
    max_flow_ml_per_day: Number | None = None
    accuracy_percent: Number | None = None
    tubing_ml: Number | None = None
    low_alarm_ml: Number | None = None
    max_changes_per_day: Number | None = None
    service_life_months: Number | None = None
    eri_to_stop_days: Number | None = None
    dose_increment_mcg: Number | None = None

    def to_domain(self, catalogue: Catalogue) -> PumpModel:
        """Raises: RefusedError."""
        try:
            pump = catalogue.pump(self.model)
        except UnknownEntryError:
            raise RefusedError(f"{self.model!r} is not in the catalogue", "pump.model") from None
        wanted = {name: value for name in PUMP_CONSTANTS if (value := getattr(self, name)) is not None}
        for name in ("max_changes_per_day", "service_life_months", "eri_to_stop_days"):
            if name in wanted and wanted[name].denominator != 1:
                raise RefusedError(f"{plain(wanted[name])!r} is not a whole number", f"pump.{name}")
        return with_overrides(pump, {name: plain(value) for name, value in wanted.items()})

    def flow(self) -> Flow | None:
        """The individual pump's own flow, for a constant-flow pump."""
        return Flow.ml_per_day(self.flow_ml_per_day) if self.flow_ml_per_day is not None else None


class SegmentPart(Document):
    model: Name
    trimmed_cm: Number | None = None


class CatheterPart(Document):
    """One catheter, several pieces, or a volume."""

    model: Name | None = None
    trimmed_cm: Number | None = None
    volume_ml: VolumeMl | None = None
    segments: list[SegmentPart] | None = None

    @model_validator(mode="after")
    def _is_one_form(self) -> CatheterPart:
        given = [name for name in ("model", "volume_ml", "segments") if getattr(self, name) is not None]
        if not given:
            raise RefusedError("missing", "model")
        if len(given) > 1 or (self.trimmed_cm is not None and self.model is None):
            raise RefusedError("either a model, or segments, or a volume")
        if self.segments is not None and not self.segments:
            raise RefusedError("no segment is given", "segments")
        return self

    def to_domain(self, catalogue: Catalogue) -> Catheter:
        """Raises: RefusedError."""
        if self.volume_ml is not None:
            return Catheter(self.volume_ml.in_ml, ())
        parts = self.segments
        if parts is None:
            segments = [_segment(self.model or "", self.trimmed_cm, catalogue, "catheter")]
        else:
            segments = [
                _segment(part.model, part.trimmed_cm, catalogue, f"catheter.segments[{number}]")
                for number, part in enumerate(parts)
            ]
        return Catheter(catheter_volume_ml(segments), tuple(segments))


@dataclass(frozen=True, slots=True)
class Catheter:
    """A catheter's volume in mL, if it is known, and its pieces, if they were given."""

    volume_ml: Fraction | None
    segments: tuple[Segment, ...]


def _segment(slug: str, trimmed_cm: Fraction | None, catalogue: Catalogue, path: str) -> Segment:
    try:
        model = catalogue.catheter(slug)
    except UnknownEntryError:
        raise RefusedError(f"{slug!r} is not in the catalogue", f"{path}.model") from None
    if trimmed_cm is not None and trimmed_cm > model.length_cm:
        raise RefusedError(f"{plain(trimmed_cm)!r} is more than the whole length", f"{path}.trimmed_cm")
    return Segment(model, trimmed_cm)


def drug_of(slug: str, catalogue: Catalogue, path: str) -> Drug:
    """Raises: RefusedError."""
    try:
        return catalogue.drug(slug)
    except UnknownEntryError:
        raise RefusedError(f"{slug!r} is not in the catalogue", path) from None


class ReservoirPart(Document):
    drug: Name
    concentration_mcg_per_ml: ConcentrationMcgPerMl
    volume_ml: VolumeMl
    filled_at: Moment
    low_alarm_ml: VolumeMl | None = None


class ClinicalPart(Document):
    population: Annotated[str, one_of("adult", "child")] | None = None
    origin: Annotated[str, one_of("spinal", "cerebral")] | None = None


class BolusPart(Document):
    at: TimeOfDay
    dose_mcg: MassMcg
    duration_min: Count = 5

    def to_domain(self) -> Bolus:
        return Bolus(at=self.at, dose=self.dose_mcg, duration_min=self.duration_min)


class StepPart(Document):
    at: TimeOfDay
    duration_min: Count
    dose_mcg: MassMcg

    def to_domain(self) -> Step:
        return Step(at=self.at, duration_min=self.duration_min, dose=self.dose_mcg)


class _WithBasal(Document):
    basal_mcg_per_day: DoseMcg | None = None
    basal_mcg_per_hour: DoseMcgPerHour | None = None

    def basal(self, path: str = "") -> DoseRate:
        """The basal rate, from whichever of its two fields. Raises: RefusedError."""
        if self.basal_mcg_per_day is not None and self.basal_mcg_per_hour is not None:
            raise RefusedError("given per hour and per day", f"{path}basal_mcg_per_hour")
        found = self.basal_mcg_per_day if self.basal_mcg_per_day is not None else self.basal_mcg_per_hour
        if found is None:
            raise RefusedError("missing", f"{path}basal_mcg_per_day")
        return found


_DAYS = {day.name.lower(): day for day in Weekday}


class DayPart(_WithBasal):
    on: list[Annotated[str, one_of(*_DAYS)]]
    boluses: tuple[BolusPart, ...] = ()
    steps: tuple[StepPart, ...] = ()

    @model_validator(mode="after")
    def _has_basal(self) -> DayPart:
        self.basal()
        return self

    def to_domain(self) -> DayPlan:
        return _plan(tuple(_DAYS[day] for day in self.on), self.basal(), self.boluses, self.steps)


def _plan(
    days: tuple[Weekday, ...], basal: DoseRate, boluses: Sequence[BolusPart], steps: Sequence[StepPart]
) -> DayPlan:
    return DayPlan(
        days=days,
        basal=basal,
        boluses=tuple(bolus.to_domain() for bolus in boluses),
        steps=tuple(step.to_domain() for step in steps),
    )


class PatientActivatedPart(Document):
    dose_mcg: MassMcg
    duration_min: Count
    lockout_min: Count
    max_per_day: Count

    def to_domain(self) -> PatientActivated:
        return PatientActivated(self.dose_mcg, self.duration_min, self.lockout_min, self.max_per_day)


class _ProgramPart(Document):
    """What every mode may have beside its own fields."""

    patient_activated: PatientActivatedPart | None = None
    reason: Name | None = None
    walks: Annotated[bool, Field(strict=True)] = False

    def delivery(self, flow: Flow | None) -> Delivery:
        """How the program delivers; ``flow`` is a constant-flow pump's own."""
        raise NotImplementedError

    def to_domain(self, flow: Flow | None) -> Program:
        patient = self.patient_activated
        return Program(self.delivery(flow), patient.to_domain() if patient else None)


class SimplePart(_ProgramPart):
    mode: Literal["simple"]
    daily_dose_mcg: DoseMcg

    def delivery(self, flow: Flow | None) -> Delivery:
        return SimpleContinuous(self.daily_dose_mcg)


class FlexPart(_ProgramPart, _WithBasal):
    mode: Literal["flex"]
    boluses: tuple[BolusPart, ...] = ()
    steps: tuple[StepPart, ...] = ()
    days: list[DayPart] | None = None

    @model_validator(mode="after")
    def _is_one_form(self) -> FlexPart:
        if self.days is None:
            self.basal()
            return self
        if self.boluses or self.steps or self.basal_mcg_per_day or self.basal_mcg_per_hour:
            raise RefusedError("either days, or one basal rate with boluses and steps", "days")
        covered = [day for part in self.days for day in part.on]
        missing = [day for day in _DAYS if day not in covered]
        twice = [day for day in _DAYS if covered.count(day) > 1]
        if missing or twice:
            told = [f"not covered: {', '.join(missing)}"] if missing else []
            told += [f"covered more than once: {', '.join(twice)}"] if twice else []
            raise RefusedError(f"each weekday is covered exactly once ({'; '.join(told)})", "days")
        return self

    def delivery(self, flow: Flow | None) -> Delivery:
        if self.days is None:
            return Flex((_plan(EVERY_DAY, self.basal(), self.boluses, self.steps),))
        return Flex(tuple(part.to_domain() for part in self.days if part.on))


class PeriodicBolusPart(Document):
    dose_mcg: MassMcg
    duration_min: Count = 5
    every_min: Count
    first_at: TimeOfDay = 0

    @model_validator(mode="after")
    def _has_interval(self) -> PeriodicBolusPart:
        if self.every_min < 1:
            raise RefusedError("0 is not an interval", "every_min")
        return self


class PulsatilePart(_ProgramPart, _WithBasal):
    mode: Literal["pulsatile"]
    bolus: PeriodicBolusPart

    @model_validator(mode="after")
    def _has_basal(self) -> PulsatilePart:
        self.basal()
        return self

    def delivery(self, flow: Flow | None) -> Delivery:
        return PeriodicBolus(
            basal=self.basal(),
            dose=self.bolus.dose_mcg,
            duration_min=self.bolus.duration_min,
            every_min=self.bolus.every_min,
            first_at=self.bolus.first_at,
        )


class MinimumRatePart(_ProgramPart):
    mode: Literal["minimum-rate"]

    def delivery(self, flow: Flow | None) -> Delivery:
        return MinimumRate()


class StoppedPart(_ProgramPart):
    mode: Literal["stopped"]

    def delivery(self, flow: Flow | None) -> Delivery:
        return Stopped()


class ConstantFlowPart(_ProgramPart):
    mode: Literal["constant-flow"]

    def delivery(self, flow: Flow | None) -> Delivery:
        return ConstantFlow(flow)


ProgramPart = Annotated[
    SimplePart | FlexPart | PulsatilePart | MinimumRatePart | StoppedPart | ConstantFlowPart,
    Field(discriminator="mode"),
]
MODES = ("simple", "flex", "pulsatile", "minimum-rate", "stopped", "constant-flow")
