"""What a program on the drawing board comes to, beside what runs in the pump: figures, dates and rules.

Law: everything is worked out anew from the immutable program at each change, by the same functions that the refill
uses; nothing here is remembered, and nothing is sent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction

from app.models.catalogue import Catalogue, PumpModel
from app.models.comparison import Row, compare, largest_bolus, sentence_of
from app.models.course import NoCourseError, ProgramFigures, changes_per_day, course_of, figures_of, wished_plan
from app.models.findings import Finding
from app.models.pump import PumpSettings
from app.models.quantities import Concentration, Flow, Mass, Volume
from app.models.reservoir import ReservoirDates, reservoir_dates
from app.models.titration import Setting
from app.services.plan_rules import plan_findings
from app.services.therapy import Therapy


class NoBoardError(Exception):
    """There is nothing to design for: no pump that can be programmed."""


@dataclass(frozen=True, slots=True)
class AtConcentration:
    """The same daily dose at another concentration: its flow, and how long a full reservoir lasts to the alarm."""

    concentration: Concentration
    flow: Flow | None
    days_to_low: int | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What a program comes to. Doses are exact, in yg; days are whole, rounded down, from now, and ``None`` where
    what is in the reservoir now is not what the program is for."""

    program: ProgramFigures
    wished_daily: Fraction
    achieved_daily: Fraction
    by_day: tuple[Fraction, ...]
    largest_bolus: Mass
    changes: int
    flow: Flow
    days_to_low: int | None
    days_to_empty: int | None
    at_others: tuple[AtConcentration, ...]

    @property
    def varies(self) -> bool:
        """Whether the days of the week differ."""
        return len(set(self.by_day)) > 1


@dataclass(frozen=True, slots=True)
class Board:
    """A program on the drawing board. ``figures`` is ``None`` while it cannot be laid out on a week; ``rows`` compare
    it with what runs in the pump."""

    settings: PumpSettings
    running: PumpSettings | None
    figures: Figures | None
    running_figures: Figures | None
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    sentence: str


def board_of(
    therapy: Therapy, settings: PumpSettings, catalogue: Catalogue, *, reason: str = "", setting: Setting
) -> Board:
    """Everything about ``settings`` for this patient's pump, now. Raises: NoBoardError."""
    model = therapy.model
    if model is None:
        raise NoBoardError
    figures = figures_now(therapy, settings, catalogue)
    running = therapy.settings
    running_figures = figures_now(therapy, running, catalogue) if running is not None else None
    rows: tuple[Row, ...] = ()
    if running is not None and figures is not None and running_figures is not None:
        rows = compare(running, settings, model)
    return Board(
        settings=settings,
        running=running,
        figures=figures,
        running_figures=running_figures,
        rows=rows,
        findings=plan_findings(therapy, settings, catalogue, setting=setting, occasion=reason),
        sentence=sentence_of(settings, model),
    )


def figures_now(therapy: Therapy, settings: PumpSettings, catalogue: Catalogue) -> Figures | None:
    """What settings come to with what is in the reservoir now; ``None`` if they cannot be laid out."""
    model, concentration = therapy.model, settings.concentration
    assert model is not None
    try:
        program = figures_of(settings.program, model, concentration)
        wished = course_of(wished_plan(settings.program, model, concentration)).per_day
    except NoCourseError:
        return None
    dates = _dates(therapy, settings, program)
    return Figures(
        program=program,
        wished_daily=wished,
        achieved_daily=program.achieved_daily,
        by_day=program.achieved.by_day(),
        largest_bolus=largest_bolus(settings.program),
        changes=changes_per_day(settings.program),
        flow=_flow(program.achieved_daily, concentration),
        days_to_low=_days(therapy.at, dates.low_at if dates else None),
        days_to_empty=_days(therapy.at, dates.empty_at if dates else None),
        at_others=_at_others(therapy, settings, model, catalogue),
    )


def _dates(therapy: Therapy, settings: PumpSettings, figures: ProgramFigures) -> ReservoirDates | None:
    """When what is left now would run low and empty under these settings; ``None`` if another mixture is meant."""
    left, model, running = therapy.reservoir, therapy.model, therapy.settings
    if left is None or model is None or running is None:
        return None
    if (running.drug, running.concentration) != (settings.drug, settings.concentration):
        return None
    return _dates_from(left.volume, therapy.at, settings, model, figures)


def _dates_from(
    volume: Volume, at: datetime, settings: PumpSettings, model: PumpModel, figures: ProgramFigures
) -> ReservoirDates:
    return reservoir_dates(
        volume=volume,
        filled_at=at,
        low_alarm=settings.low_alarm,
        worst_course=figures.worst_course,
        concentration=settings.concentration,
        accuracy_percent=model.accuracy_percent,
    )


def _at_others(
    therapy: Therapy, settings: PumpSettings, model: PumpModel, catalogue: Catalogue
) -> tuple[AtConcentration, ...]:
    """The same program at each concentration that the drug is sold in, from a full reservoir."""
    found = []
    for concentration in catalogue.drug(settings.drug).pump_concentrations:
        try:
            figures = figures_of(settings.program, model, concentration)
        except NoCourseError:
            found.append(AtConcentration(concentration, None, None))
            continue
        other = replace(settings, concentration=concentration)
        dates = _dates_from(model.capacity, therapy.at, other, model, figures)
        flow = _flow(figures.achieved_daily, concentration)
        found.append(AtConcentration(concentration, flow, _days(therapy.at, dates.low_at)))
    return tuple(found)


def _flow(yg_per_day: Fraction, concentration: Concentration) -> Flow:
    """pL a day, rounded to the nearest."""
    return Flow(round(yg_per_day / concentration.quanta))


def _days(now: datetime, then: datetime | None) -> int | None:
    return None if then is None else max((then - now) // timedelta(days=1), 0)
