"""Pumps and drugs for tests of the models, which read no files."""

from fractions import Fraction

from app.models.catalogue import PumpKind, PumpModel
from app.models.quantities import Flow, Volume


def synchromed_ii(capacity_ml: int = 20) -> PumpModel:
    """SynchroMed II with the catalogue's defaults."""
    return PumpModel(
        slug=f"synchromed-ii-{capacity_ml}",
        name=f"SynchroMed II, {capacity_ml} mL",
        kind=PumpKind.PROGRAMMABLE,
        capacity=Volume.ml(capacity_ml),
        residual=Volume.ml(Fraction("1.4")),
        min_flow=Flow.ml_per_day(Fraction("0.048")),
        minimum_rate=Flow.ml_per_day(Fraction("0.006")),
        max_flow=Flow.ml_per_day(24),
        accuracy_percent=Fraction("14.5"),
        tubing=Volume.ml(Fraction("0.140")),
        low_alarm=Volume.ml(2),
        max_changes_per_day=13,
        service_life_months=84,
        eri_to_stop_days=90,
        dose_increment=None,
        constants={},
    )
