"""What a program becomes while a hand drags one of its items: snapped to the grid and to the pump's increments.

Law: everything is reckoned from where the item was taken hold of, so that a hand that comes back brings all back.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF

from app.models import editing
from app.models.editing import Item, Place, item_at
from app.models.program import Bolus, Program
from app.models.quantities import MINUTES_PER_DAY, Mass
from app.ui.schedule.timeline_edits import A_TENTH, Edit, give, lengthen, lengthen_start, move
from app.ui.schedule.timeline_layout import Ground, Span


@dataclass(frozen=True, slots=True)
class Grab:
    """What was taken hold of, and where: everything is reckoned from here until it is let go."""

    program: Program
    places: tuple[Place, ...]
    span: Span
    part: str
    at: QPointF
    ground: Ground
    grid_min: int
    increment: Mass | None

    @property
    def item(self) -> Item:
        return item_at(self.program, self.span.place)


def drag(grab: Grab, to: QPointF, *, sideways: bool, fine: bool) -> Edit:
    """What the program becomes when the pointer has come this far. Raises: EditRefusedError."""
    if not sideways:
        return _drag_dose(grab, grab.at.y() - to.y(), fine=fine)
    by = grab.ground.minute(to.x()) - grab.ground.minute(grab.at.x())
    grid, item = (1 if fine else grab.grid_min), grab.item
    if grab.part == "start":
        end = item.at + item.duration_min
        at = min(max(editing.snap_minute(round(item.at + by), grid), end - MINUTES_PER_DAY), end - 1)
        return lengthen_start(grab.program, [grab.span.place], item.at - at, increment=grab.increment)
    if grab.part == "end":
        end = editing.snap_minute(round(item.at + item.duration_min + by), grid)
        lasting = min(max(end - item.at, 1), MINUTES_PER_DAY)
        return lengthen(grab.program, [grab.span.place], lasting - item.duration_min, increment=grab.increment)
    return move(grab.program, grab.places, _moved(item.at, by, grid))


def _moved(at: int, by: float, grid: int) -> int:
    """By how much to go so that the item comes to lie on the grid; nothing before it has been moved by half a line."""
    return 0 if abs(by) < min(grid / 2, 1) else editing.snap_minute(round(at + by), grid) - at


def _drag_dose(grab: Grab, pixels: float, *, fine: bool) -> Edit:
    """One pixel is never finer than the pump, nor coarser than the eye: round multiples of the increment."""
    item, ground = grab.item, grab.ground
    hours = item.duration_min / 60
    mcg_per_pixel = ground.dose_for(1) if isinstance(item, Bolus) else ground.rate_for(1) * hours
    increment = grab.increment or A_TENTH
    by_mcg = pixels * (increment.quanta / Mass.PER_MCG / 2 if fine else mcg_per_pixel)
    line = increment if fine else round_multiple(increment, mcg_per_pixel)
    wished = item.dose + Mass(round(by_mcg * Mass.PER_MCG))
    dose = max(editing.snap_dose(wished, line), Mass.zero())
    by = dose - item.dose if abs(pixels) >= 1 else Mass.zero()
    return give(grab.program, grab.places, by)


def round_multiple(increment: Mass, at_least_mcg: float) -> Mass:
    """1, 2, 5, 10, 20 … increments: the first that is not below so many mcg."""
    factor, power = 1, 1
    while increment.quanta * factor < at_least_mcg * Mass.PER_MCG:
        factor = {1: 2, 2: 5, 5: 10}[factor // power] * power
        power = power * 10 if factor == 10 * power else power
    return increment * factor
