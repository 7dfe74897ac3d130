"""Both engines, side by side: the only place that knows the two of them.

Law: nothing is staged, sent or shown as due unless both engines agree to the last quantum.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from app.models import second_engine
from app.models.catalogue import PumpModel
from app.models.course import NoCourseError, ProgramFigures, figures_of
from app.models.errors import AppError
from app.models.program import Program
from app.models.quantities import Concentration, Volume
from app.models.reservoir import reservoir_dates
from app.models.second_engine import ProgramSpan, SecondEngineError, SecondFigures
from app.models.transition import Prescription, bridge


class EnginesDisagreeError(AppError):
    """The two engines come to different results; ``figures`` names them."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One figure that the two engines see differently."""

    figure: str
    a: str
    b: str


def program_disagreements(program: Program, pump: PumpModel, concentration: Concentration) -> tuple[Disagreement, ...]:
    """Where the engines differ on a program; that both refuse it for the same reason is agreement."""
    a = _or_problem_a(program, pump, concentration)
    b = _or_problem_b(program, pump, concentration)
    if isinstance(a, str) or isinstance(b, str):
        return () if a == b else (Disagreement("layout", str(a), str(b)),)
    return tuple(_different(_figure_pairs(a, b)))


def _or_problem_a(program: Program, pump: PumpModel, concentration: Concentration) -> ProgramFigures | str:
    try:
        return figures_of(program, pump, concentration)
    except NoCourseError as error:
        return str(error.values["problem"])


def _or_problem_b(program: Program, pump: PumpModel, concentration: Concentration) -> SecondFigures | str:
    try:
        return second_engine.second_figures(program, pump, concentration)
    except SecondEngineError as error:
        return str(error.values["problem"])


def _figure_pairs(a: ProgramFigures, b: SecondFigures) -> Iterator[tuple[str, object, object]]:
    yield "daily dose", a.daily, b.daily
    yield "achieved daily dose", a.achieved_daily, b.achieved_daily
    yield "dose by day", a.achieved.by_day(), b.by_day
    yield "worst-case daily dose", a.worst_daily, b.worst_daily
    yield "largest dose in 60 min", a.max_60min, b.max_60min
    yield "largest dose in 4 h", a.max_4h, b.max_4h


def date_disagreements(
    program: Program,
    pump: PumpModel,
    concentration: Concentration,
    *,
    volume: Volume,
    low_alarm: Volume,
    filled_at: datetime,
) -> tuple[Disagreement, ...]:
    """Where the engines differ on the dates of a reservoir. Raises: NoCourseError, SecondEngineError."""
    a = reservoir_dates(
        volume=volume,
        filled_at=filled_at,
        low_alarm=low_alarm,
        worst_course=figures_of(program, pump, concentration).worst_course,
        concentration=concentration,
        accuracy_percent=pump.accuracy_percent,
    )
    b = second_engine.second_dates(
        second_engine.second_figures(program, pump, concentration).worst,
        concentration,
        volume=volume,
        low_alarm=low_alarm,
        filled_at=filled_at,
        accuracy_percent=pump.accuracy_percent,
    )
    names = ("low_at", "empty_at", "earliest_empty_at")
    return tuple(_different((name, getattr(a, name), getattr(b, name)) for name in names))


def _different(pairs: Iterator[tuple[str, object, object]]) -> Iterator[Disagreement]:
    for figure, a, b in pairs:
        if a != b:
            yield Disagreement(figure, str(a), str(b))


def require_agreement(program: Program, pump: PumpModel, concentration: Concentration) -> None:
    """Raises: EnginesDisagreeError."""
    _require(program_disagreements(program, pump, concentration))


def require_same_dates(
    program: Program,
    pump: PumpModel,
    concentration: Concentration,
    *,
    volume: Volume,
    low_alarm: Volume,
    filled_at: datetime,
) -> None:
    """Raises: EnginesDisagreeError."""
    _require(date_disagreements(program, pump, concentration, volume=volume, low_alarm=low_alarm, filled_at=filled_at))


def require_same_reservoir(
    a: Fraction, filled: Volume, spans: Sequence[ProgramSpan], pump: PumpModel, *, boluses: Sequence[Volume] = ()
) -> None:
    """``a`` is what engine A leaves in the reservoir, in pL. Raises: EnginesDisagreeError."""
    b = second_engine.second_reservoir(filled, spans, pump, boluses=boluses)
    _require(tuple(_different(iter([("theoretical reservoir", a, b)]))))


def require_same_bridge(old: Prescription, new: Prescription, path_ml: Fraction) -> None:
    """Raises: EnginesDisagreeError."""
    a = bridge(old, new, path_ml)
    if a is None:
        return
    b = second_engine.second_bridge(old.concentration, old.daily_dose, new.concentration, path_ml)
    pairs: list[tuple[str, object, object]] = [
        ("bridge duration", a.duration_min, b.duration_min),
        ("old drug in the path", a.old_drug_mcg, b.old_drug_mcg),
    ]
    if a.as_new_mcg is not None:
        pairs.append(("bridge as the new drug", a.as_new_mcg, b.as_new_mcg))
    _require(tuple(_different(iter(pairs))))


def _require(disagreements: tuple[Disagreement, ...]) -> None:
    if disagreements:
        raise EnginesDisagreeError(figures=", ".join(found.figure for found in disagreements))
