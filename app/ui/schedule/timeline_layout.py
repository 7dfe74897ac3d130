"""Where everything on the timeline lies: minutes across, doses and rates upwards, and what is under a point.

Law: nothing is drawn and nothing is edited here. An item that runs past the end of what is shown, and comes back at its
beginning, is there twice, and both are the same item.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import floor, log10

from PySide6.QtCore import QRectF
from PySide6.QtGui import QFontMetricsF

from app.models.editing import Kind, Place
from app.models.program import EVERY_DAY, Bolus, DayPlan, Flex, PeriodicBolus, Program, SimpleContinuous, Step, Weekday
from app.models.quantities import MINUTES_PER_DAY, MINUTES_PER_WEEK, DoseRate, Mass


class LayerKind(StrEnum):
    """What a layer behind the items shows, and so of which type its ``data`` is."""

    OUTLINE = "outline"
    """A :class:`Program`."""
    BANDS = "bands"
    """A sequence of :class:`Band`."""
    CURVE = "curve"
    """A :class:`Curve`."""


@dataclass(frozen=True, slots=True)
class Band:
    """A part of the patient's day, from minute ``start`` of the day, past midnight if need be."""

    name: str
    start: int
    duration_min: int
    days: tuple[Weekday, ...] = EVERY_DAY


@dataclass(frozen=True, slots=True)
class Curve:
    """Percent over minutes of the week (Monday 00:00 is 0); ``low`` and ``high`` are the edges of its band."""

    minutes: Sequence[float]
    percent: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """Something to see behind the items; ``name`` stands in the legend."""

    name: str
    kind: LayerKind
    data: Program | Sequence[Band] | Curve


@dataclass(frozen=True, slots=True)
class Extent:
    """What is shown: the day of one plan, or the whole week. ``first_day`` is where a day's minutes lie in the week."""

    plan: int
    week: bool
    first_day: Weekday

    @property
    def minutes(self) -> int:
        return MINUTES_PER_WEEK if self.week else MINUTES_PER_DAY


@dataclass(frozen=True, slots=True)
class Span:
    """One appearance of an item: from minute ``start``, which may lie before 0, up to ``value`` mcg/h or mcg."""

    place: Place
    start: int
    duration_min: int
    value: float

    @property
    def end(self) -> int:
        return self.start + self.duration_min

    @property
    def is_bolus(self) -> bool:
        return self.place.kind is Kind.BOLUS


@dataclass(frozen=True, slots=True)
class Ground:
    """The two lanes over the same minutes, in pixels: boluses by dose above, rates below."""

    left: float
    right: float
    crown: float
    sill: float
    ceiling: float
    floor: float
    minutes: int
    top_dose: float
    top_rate: float
    top_percent: float

    def x(self, minute: float) -> float:
        return self.left + (self.right - self.left) * minute / self.minutes

    def minute(self, x: float) -> float:
        """The minute at ``x``; below 0 or beyond the last one outside the lanes."""
        return (x - self.left) * self.minutes / max(1.0, self.right - self.left)

    def y_of_dose(self, mcg: float) -> float:
        return self.sill - (self.sill - self.crown) * mcg / self.top_dose

    def y_of_rate(self, mcg_per_h: float) -> float:
        return self.floor - (self.floor - self.ceiling) * mcg_per_h / self.top_rate

    def y_of_percent(self, percent: float) -> float:
        return self.floor - (self.floor - self.ceiling) * percent / self.top_percent

    def dose_for(self, pixels: float) -> float:
        """The mcg that so many pixels of the bolus lane stand for."""
        return pixels * self.top_dose / max(1.0, self.sill - self.crown)

    def rate_for(self, pixels: float) -> float:
        """The mcg/h that so many pixels of the rate lane stand for."""
        return pixels * self.top_rate / max(1.0, self.floor - self.ceiling)

    def box(self, span: Span) -> QRectF:
        """A step's block, or the bar of a bolus's duration with its stem and head, cut at the lanes' ends."""
        low, high = max(self.left, self.x(span.start)), min(self.right, self.x(span.end))
        top, bottom = (
            (self.y_of_dose(span.value), self.sill) if span.is_bolus else (self.y_of_rate(span.value), self.floor)
        )
        return QRectF(low, top, max(1.0, high - low), bottom - top)


def spans_of(program: Program, extent: Extent) -> tuple[Span, ...]:
    """Every appearance of every item of a flex program; none of any other program."""
    return tuple(_spans(program, extent))


def _spans(program: Program, extent: Extent) -> Iterator[Span]:
    if not isinstance(program.delivery, Flex):
        return
    for number, plan in enumerate(program.delivery.plans):
        if not extent.week and number != extent.plan:
            continue
        days = plan.days if extent.week else (Weekday.MON,)
        twice = extent.week or _follows_itself(plan)
        items: tuple[tuple[Kind, Sequence[Bolus | Step]], ...] = ((Kind.STEP, plan.steps), (Kind.BOLUS, plan.boluses))
        for kind, parts in items:
            for index, part in enumerate(parts):
                place = Place(number, kind, index)
                for day in days:
                    spans = _appearances(place, day * MINUTES_PER_DAY + part.at, part, extent.minutes)
                    yield from spans if twice else spans[:1]


def _follows_itself(plan: DayPlan) -> bool:
    """Whether what passes midnight comes to lie on a day of the same plan."""
    return any(Weekday((day + 1) % len(Weekday)) in plan.days for day in plan.days)


def _appearances(place: Place, start: int, part: Bolus | Step, minutes: int) -> list[Span]:
    """The appearance at its start, and that of its rest at the other end."""
    mcg = part.dose.quanta / Mass.PER_MCG
    value = mcg if isinstance(part, Bolus) else mcg * 60 / max(1, part.duration_min)
    rest = [start - minutes] if start + part.duration_min > minutes else []
    return [Span(place, at, part.duration_min, value) for at in (start, *rest)]


def basal_of(program: Program, extent: Extent, spans: Sequence[Span]) -> tuple[tuple[int, int, float], ...]:
    """What runs beneath the items as (first minute, end, mcg/h), cut out where a step of ``spans`` takes its place.

    That is the basal rate and, on a single day, what is left of a step of the day before.
    """
    steps = sorted((max(0, span.start), span.end) for span in spans if not span.is_bolus)
    pieces: list[tuple[int, int, float]] = []
    for start, end, rate in _basal(program, extent):
        for low, high in steps:
            if low < end and high > start:
                if low > start:
                    pieces.append((start, low, rate))
                start = max(start, high)
        if start < end:
            pieces.append((start, end, rate))
    return tuple(pieces)


def _basal(program: Program, extent: Extent) -> Iterator[tuple[int, int, float]]:
    days = list(Weekday) if extent.week else [extent.first_day]
    for number, day in enumerate(days):
        rate = _rate_on(program, day)
        if rate is not None:
            start = number * MINUTES_PER_DAY
            end, before = (0, 0.0) if extent.week else _rest_of_the_day_before(program, day)
            if end:
                yield start, start + end, before
            yield start + end, start + MINUTES_PER_DAY, rate.quanta / DoseRate.PER_MCG_PER_DAY / 24


def _rest_of_the_day_before(program: Program, day: Weekday) -> tuple[int, float]:
    """Until when a step of another plan runs into a day, and its rate in mcg/h: here it is ground, and no item."""
    if not isinstance(program.delivery, Flex):
        return 0, 0.0
    plan, before = (program.delivery.plan_on(Weekday((day - by) % len(Weekday))) for by in (0, 1))
    if plan == before or _follows_itself(plan):
        return 0, 0.0
    rests = [(step.at + step.duration_min - MINUTES_PER_DAY, step) for step in before.steps]
    end, step = max(rests, key=lambda one: one[0], default=(0, None))
    return (end, step.dose.quanta / Mass.PER_MCG * 60 / step.duration_min) if step is not None and end > 0 else (0, 0.0)


def _rate_on(program: Program, day: Weekday) -> DoseRate | None:
    match program.delivery:
        case Flex() as flex:
            return flex.plan_on(day).basal
        case SimpleContinuous(daily_dose=rate) | PeriodicBolus(basal=rate):
            return rate
        case _:
            return DoseRate.zero() if program.is_stopped else None


def outline_spans(program: Program, extent: Extent) -> tuple[Span, ...]:
    """The items of another program on the days that are shown; their places mean nothing."""
    match program.delivery:
        case Flex() as flex:
            number = flex.plans.index(flex.plan_on(extent.first_day))
            return spans_of(program, Extent(number, extent.week, extent.first_day))
        case PeriodicBolus() as periodic:
            shown = 0 if extent.week else extent.first_day * MINUTES_PER_DAY
            starts = range(periodic.first_at, MINUTES_PER_WEEK, periodic.every_min)
            mcg = periodic.dose.quanta / Mass.PER_MCG
            return tuple(
                Span(Place(0, Kind.BOLUS, index), start - shown, periodic.duration_min, mcg)
                for index, start in enumerate(starts)
                if 0 <= start - shown < extent.minutes
            )
        case _:
            return ()


def bands_in(bands: Sequence[Band], extent: Extent, days: Sequence[Weekday]) -> Iterator[tuple[str, int, int]]:
    """(name, first minute, end) of each band on the days shown, cut at both ends, in the order of time."""
    found = []
    for band in bands:
        shown = band.days if extent.week else [Weekday.MON] if set(band.days) & set(days) else []
        for day in shown:
            start = day * MINUTES_PER_DAY + band.start % MINUTES_PER_DAY
            for shift in (0, -extent.minutes):
                low, high = max(0, start + shift), min(extent.minutes, start + shift + band.duration_min)
                if low < high:
                    found.append((band.name, low, high))
    yield from sorted(found, key=lambda one: (one[1], -one[2]))


def nice_top(value: float, *, least: float) -> float:
    """The smallest of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten that is not below ``value`` or ``least``."""
    value = max(value, least)
    power = 10.0 ** floor(log10(value))
    return next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value * (1 - 1e-9))


def ticks(top: float, most: int) -> list[float]:
    """Round numbers from 0 up to ``top``, at most ``most`` of them besides 0."""
    power = 10.0 ** floor(log10(top))
    for step in (0.1, 0.2, 0.25, 0.5, 1, 2, 2.5, 5, 10):
        count = top / (step * power)
        if count <= max(1, most) + 1e-9:
            return [number * step * power for number in range(floor(count + 1e-9) + 1)]
    return [0.0, top]


def hour_step(pixels_per_hour: float, label: float) -> int:
    """How many hours lie between two labels that are ``label`` pixels wide."""
    return next((step for step in (1, 2, 3, 4, 6, 12) if step * pixels_per_hour >= label), 24)


BOLUS_SHARE = 0.38
"""How much of the height the bolus lane has."""

_LEAST_DOSE, _LEAST_RATE, _LEAST_PERCENT = 10.0, 4.0, 150.0


def laid_out(
    rates: Sequence[float],
    doses: Sequence[float],
    percents: Sequence[float],
    *,
    minutes: int,
    place: QRectF,
    metrics: QFontMetricsF,
    step: int,
) -> Ground:
    """The lanes in ``place``: scales a little above the highest rate, dose and per cent, margins as the font asks."""
    top_dose, top_rate = (
        nice_top(max(found, default=0.0) * 1.1, least=least)
        for found, least in ((doses, _LEAST_DOSE), (rates, _LEAST_RATE))
    )
    top_percent = nice_top(max(percents, default=0.0) * 1.05, least=_LEAST_PERCENT)
    line = metrics.height()
    labels = [number for top in (top_dose, top_rate) for number in ticks(top, 4)]
    widest = max(metrics.horizontalAdvance(shown(number)) for number in labels)
    right = metrics.horizontalAdvance(f"{shown(top_percent)} %") + step if percents else step
    left = max(widest, metrics.horizontalAdvance("00:00") / 2) + 2 * step
    lanes = max(6 * line, place.height() - 5.5 * line - 3 * step)
    crown = place.top() + step + 3 * line
    sill = crown + lanes * BOLUS_SHARE
    ceiling = sill + 1.5 * line + step / 2
    return Ground(
        left=left,
        right=max(left + 1, place.width() - max(right, metrics.horizontalAdvance("00:00") / 2) - step),
        crown=crown,
        sill=sill,
        ceiling=ceiling,
        floor=ceiling + lanes * (1 - BOLUS_SHARE),
        minutes=minutes,
        top_dose=top_dose,
        top_rate=top_rate,
        top_percent=top_percent,
    )


def shown(value: float) -> str:
    """At most three decimals, for the eye only."""
    return f"{value:.3f}".rstrip("0").rstrip(".")
