"""The flow that a constant-flow pump really has, from what came out of it, and the dose that this flow gives.

Law: a pump that nobody can read is judged by its reservoir alone; where that ran empty, its flow is only known to be
at least so much.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from app.models.findings import Finding, Severity
from app.models.formats import plain, rounded
from app.models.quantities import MINUTES_PER_DAY, Concentration, Flow, Volume
from app.models.reservoir import minutes_between


@dataclass(frozen=True, slots=True)
class MeasuredFlow:
    """mL/day between two visits, exactly, beside the flow that the pump should have.

    ``at_least`` where nothing was left, so that it may have run faster. ``concentration`` is of what was pumped.
    """

    ml_per_day: Fraction
    nominal: Flow
    accuracy_percent: Fraction
    concentration: Concentration
    at_least: bool

    @property
    def deviation(self) -> Fraction:
        """Measured / nominal - 1, as a fraction. Source: docs/devices.md, constant-flow pumps."""
        return self.ml_per_day / self.nominal.in_ml_per_day - 1

    @property
    def is_off(self) -> bool:
        """Whether it lies outside the pump's accuracy; the limit is exclusive."""
        percent = self.deviation * 100
        too_slow = not self.at_least and percent < -self.accuracy_percent
        return too_slow or percent > self.accuracy_percent

    @property
    def mcg_per_day(self) -> Fraction:
        """The daily dose that the measured flow gave, exactly."""
        return self.dose_with(self.concentration)

    def dose_with(self, concentration: Concentration) -> Fraction:
        """mcg/day that the measured flow gives with ``concentration``, exactly. Source: F-01."""
        return self.ml_per_day * concentration.in_mcg_per_ml


@dataclass(frozen=True, slots=True)
class FillDose:
    """What a constant-flow pump gives with one concentration: by its own flow, and by the measured one if known."""

    flow: Flow
    concentration: Concentration
    measured: MeasuredFlow | None = None

    @property
    def mcg_per_day(self) -> Fraction:
        """Flow times concentration, exactly. Source: F-01."""
        return self.concentration.dose_rate_at(self.flow).in_mcg_per_day

    @property
    def measured_mcg_per_day(self) -> Fraction | None:
        """The same with the measured flow."""
        return self.measured.dose_with(self.concentration) if self.measured is not None else None


def measured_flow(
    *,
    filled: Volume,
    filled_at: datetime,
    drawn_out: Volume,
    at: datetime,
    nominal: Flow,
    accuracy_percent: Fraction,
    concentration: Concentration,
) -> MeasuredFlow | None:
    """(filled - drawn out) / days; ``None`` while no time has passed or the pump's own flow is not known.

    More drawn out than was filled counts as a flow of zero. Source: docs/devices.md, constant-flow pumps.
    """
    minutes = minutes_between(filled_at, at)
    if minutes <= 0 or not nominal:
        return None
    gone = max(Fraction(0), filled.in_ml - drawn_out.in_ml)
    return MeasuredFlow(
        gone / minutes * MINUTES_PER_DAY, nominal, accuracy_percent, concentration, at_least=not drawn_out
    )


def flow_findings(measured: MeasuredFlow) -> tuple[Finding, ...]:
    """Whether the pump's flow is what its label says. Source: REF-02, docs/devices.md, constant-flow pumps."""
    if not measured.is_off:
        return ()
    values = {
        "measured_ml_per_day": rounded(measured.ml_per_day, 3),
        "nominal_ml_per_day": plain(measured.nominal.in_ml_per_day),
        "accuracy_percent": plain(measured.accuracy_percent),
        "daily_dose_mcg": rounded(measured.mcg_per_day, 1),
    }
    return (Finding("REF-02", Severity.NOTE, "flow-high" if measured.deviation > 0 else "flow-low", values),)
