"""What is drawn behind the items of a schedule, as it is asked for.

Law: a layer is there to be looked at; no rule reads it, and nothing is edited through it. The curve is a picture and
not a measurement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from PySide6.QtCore import QCoreApplication

from app.models.catalogue import Catalogue
from app.models.course import Course
from app.models.editing import Kind, Place
from app.models.pharmacokinetics import MODELS, band_models, cervical_share, curve_model
from app.models.presets import Preset
from app.models.program import Flex, Program, Step
from app.models.quantities import MINUTES_PER_DAY
from app.models.records import ProgramRecord
from app.ui.dates import show_day
from app.ui.schedule.curve_data import cervical, remaining_after, week_curve
from app.ui.schedule.timeline_layout import Band, Curve, Layer, LayerKind

PAST_PROGRAMS = 3
"""So many verified programs before the one that runs can be looked at."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Which layers are wanted. ``past`` holds ids of verified programs; ``preset`` and ``curve`` are ``""`` for none.

    With ``band`` the fluid is drawn with its band, else the effect alone.
    """

    running: bool = True
    past: frozenset[str] = frozenset()
    preset: str = ""
    curve: str = MODELS[0]
    band: bool = False
    neck: bool = False
    day: bool = True

    def toggled_past(self, program_id: str) -> Wish:
        """The same with one verified program more, or less."""
        return replace(self, past=self.past ^ {program_id})


@dataclass(frozen=True, slots=True)
class Sources:
    """Where layers come from; ``running`` is ``None`` while the board shows just that."""

    running: Program | None
    past: Sequence[ProgramRecord]
    presets: Sequence[Preset]
    day: Sequence[Band]
    course: Course | None
    catalogue: Catalogue


def layers_of(wish: Wish, sources: Sources) -> tuple[Layer, ...]:
    """The wanted layers that there are, from back to front."""
    found = []
    if wish.day and sources.day:
        found.append(Layer(_say("The patient's day"), LayerKind.BANDS, tuple(sources.day)))
    if wish.running and sources.running is not None:
        found.append(Layer(_say("In the pump now"), LayerKind.OUTLINE, sources.running))
    for record in sources.past:
        if record.id in wish.past:
            found.append(Layer(show_day(record.effective_at.date()), LayerKind.OUTLINE, record.settings.program))
    for preset in sources.presets:
        if preset.id == wish.preset:
            found.append(Layer(preset.title, LayerKind.OUTLINE, preset.program))
    if wish.curve and sources.course is not None:
        found.append(Layer(_name_of_curve(wish), LayerKind.CURVE, _curve(wish, sources.course, sources.catalogue)))
    return tuple(found)


def _name_of_curve(wish: Wish) -> str:
    if wish.band:
        return _say("Fluid at the neck, and band") if wish.neck else _say("Fluid, predicted, and band")
    return _say("Effect at the neck") if wish.neck else _say("Effect, predicted")


def _curve(wish: Wish, course: Course, catalogue: Catalogue) -> Curve:
    band = band_models(catalogue) if wish.band else ()
    curve = week_curve(course, curve_model(wish.curve, catalogue), band, step_min=15)
    if wish.neck:
        curve = cervical(curve, cervical_share(catalogue))
    minutes = curve.minutes.tolist()
    if not wish.band:
        return Curve(minutes, curve.effect.tolist())
    return Curve(minutes, curve.fluid.tolist(), curve.low.tolist(), curve.high.tolist())


def past_of(programs: Sequence[ProgramRecord]) -> tuple[ProgramRecord, ...]:
    """The verified programs before the one that runs, the latest first; ``programs`` has the oldest first."""
    return tuple(reversed(programs[:-1]))[:PAST_PROGRAMS]


def title_of(record: ProgramRecord, at: datetime) -> str:
    """A verified program in the menu; ``at`` is now, on the pump's clock."""
    days = (at - record.effective_at).days
    return _say("Verified on {0}, {1} days ago").format(show_day(record.effective_at.date()), days)


# -- a low block -------------------------------------------------------------------------------------------------------


def low_block(program: Program, plan: int, chosen: Sequence[Place]) -> Step | None:
    """The step below the basal rate that is designed now: the chosen one, or else the longest of the plan shown."""
    if not isinstance(program.delivery, Flex) or not 0 <= plan < len(program.delivery.plans):
        return None
    day = program.delivery.plans[plan]
    low = {
        index: step
        for index, step in enumerate(day.steps)
        if step.dose.quanta * MINUTES_PER_DAY < day.basal.per_day().quanta * step.duration_min
    }
    here = [place.index for place in chosen if place.plan == plan and place.kind is Kind.STEP]
    picked = [low[index] for index in here if index in low]
    return picked[0] if picked else max(low.values(), key=lambda step: step.duration_min, default=None)


def words_for_low_block(step: Step, catalogue: Catalogue) -> str:
    """How much of the level a low block leaves, by both sets of constants; empty from a day on. Source: DOS-11."""
    if step.duration_min >= MINUTES_PER_DAY:
        return ""
    hours = Fraction(step.duration_min, 60)
    shares = sorted(round(100 * remaining_after(curve_model(name, catalogue), hours)) for name in MODELS)
    text = _say("After {0} h at the low rate at least {1}–{2} % of the level remains: not a drug holiday.")
    return text.format(f"{float(hours):.4g}", *shares)


def _say(text: str) -> str:
    return QCoreApplication.translate("Layers", text)
