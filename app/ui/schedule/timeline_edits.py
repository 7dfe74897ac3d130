"""What a hand can do to items on the timeline, as edits of the immutable program; and which of them a key asks for.

Law: nothing is changed here. An edit is a new program, where its items have come to lie, and words for undoing it;
what the model refuses is refused with its own error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from app.models import editing
from app.models.editing import EditRefusedError, Item, Kind, Place, item_at
from app.models.program import Bolus, DayPlan, Flex, Program, Step
from app.models.quantities import MINUTES_PER_DAY, Mass
from app.ui.schedule.timeline_words import edit_words

BOLUS_APART_MIN = 60

A_TENTH = Mass(Mass.PER_MCG // 10)
"""What a hand changes a dose by where the pump's increment is not known."""

A_THOUSANDTH = Mass(Mass.PER_MCG // 1000)
"""To what a dose is rounded there where a step keeps its rate: the last decimal that anything shows."""


@dataclass(frozen=True, slots=True)
class NewItems:
    """What a first bolus begins as, later ones begin as the one before them; and how long a step is at first."""

    bolus: Bolus
    step_min: int


UNTOLD = NewItems(Bolus(at=0, dose=Mass.zero(), duration_min=1), step_min=60)
"""Until the page says what its clinic begins with: a bolus of nothing."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A new program, the items that were edited, and words for undo."""

    program: Program
    places: tuple[Place, ...]
    words: str


def _edit(verb: str, program: Program, places: Sequence[Place]) -> Edit:
    return Edit(program, tuple(places), edit_words(verb, [item_at(program, place) for place in places]))


def _each(
    program: Program, places: Sequence[Place], change: Callable[[Program, Place], tuple[Program, Place]]
) -> tuple[Program, list[Place]]:
    """Change one after the other; the others' addresses follow when a change re-orders a day."""
    now = list(places)
    for number, place in enumerate(now):
        program, new = change(program, place)
        now = [_shifted(other, place, new) if i != number else new for i, other in enumerate(now)]
    return program, now


def _shifted(other: Place, left: Place, came: Place) -> Place:
    if (other.plan, other.kind) != (left.plan, left.kind):
        return other
    index = other.index - (other.index > left.index)
    return replace(other, index=index + (index >= came.index))


def move(program: Program, places: Sequence[Place], by_min: int) -> Edit:
    changed, moved = editing.move(program, places, by_min) if by_min else (program, tuple(places))
    return _edit("move", changed, moved)


def give(program: Program, places: Sequence[Place], by: Mass) -> Edit:
    """The same amount more, or less, for each."""
    changed, kept = _each(program, places, lambda now, place: editing.nudge_dose(now, place, by)) if by else (
        program, list(places))  # fmt: skip
    return _edit("dose", changed, kept)


def lengthen(program: Program, places: Sequence[Place], by_min: int, *, increment: Mass | None) -> Edit:
    """Move the ends; a step keeps its rate."""

    def longer(now: Program, place: Place) -> tuple[Program, Place]:
        item = item_at(now, place)
        return editing.resize(now, place, item.duration_min + by_min, increment=increment or A_THOUSANDTH)

    return _edit("resize", *_each(program, places, longer))


def lengthen_start(program: Program, places: Sequence[Place], by_min: int, *, increment: Mass | None) -> Edit:
    """Move the starts, earlier by ``by_min``; a step keeps its rate."""

    def longer(now: Program, place: Place) -> tuple[Program, Place]:
        at = item_at(now, place).at - by_min
        return editing.resize_start(now, place, at, increment=increment or A_THOUSANDTH)

    return _edit("resize", *_each(program, places, longer))


def put_at(program: Program, places: Sequence[Place], at: int) -> Edit:
    """Move the first of them to minute ``at`` of the day, and the others with it."""
    first = min(places, key=lambda place: item_at(program, place).at)
    return move(program, places, at - item_at(program, first).at)


def add_bolus(program: Program, plan: int, at: int, new: NewItems) -> Edit:
    """A bolus like the one before it, or a new one."""
    there = _plan(program, plan).boluses
    before = [bolus for bolus in there if bolus.at <= at] or list(there)
    pattern = before[-1] if before else new.bolus
    changed, place = editing.add_bolus(program, plan, replace(pattern, at=at))
    return _edit("add", changed, [place])


def add_step(program: Program, plan: int, at: int, new: NewItems, *, increment: Mass | None) -> Edit:
    """A step at the basal rate, so that nothing changes before someone says so."""
    quanta = Fraction(_plan(program, plan).basal.quanta * new.step_min, MINUTES_PER_DAY)
    dose = editing.snap_dose(Mass(round(quanta)), increment or A_THOUSANDTH)
    changed, place = editing.add_step(program, plan, Step(at=at, duration_min=new.step_min, dose=dose))
    return _edit("add", changed, [place])


def _plan(program: Program, plan: int) -> DayPlan:
    if not isinstance(program.delivery, Flex):
        raise EditRefusedError(problem="not-flex")
    if not 0 <= plan < len(program.delivery.plans):
        raise EditRefusedError(problem="no-such-plan", plan=plan)
    return program.delivery.plans[plan]


def delete(program: Program, places: Sequence[Place], verb: str = "delete") -> Edit:
    gone = [item_at(program, place) for place in places]
    return Edit(editing.delete(program, places), (), edit_words(verb, gone))


def paste(program: Program, plan: int, items: Sequence[Item], at: int) -> Edit:
    return _edit("paste", *editing.paste(program, plan, items, at))


def behind(items: Sequence[Item]) -> int:
    """How many minutes after the first of them a copy of them all begins."""
    start, end = min(item.at for item in items), max(item.at + item.duration_min for item in items)
    return max(end - start, BOLUS_APART_MIN if any(isinstance(item, Bolus) for item in items) else 0)


def duplicate(program: Program, places: Sequence[Place]) -> Edit:
    by_min = behind([item_at(program, place) for place in places])
    return _edit("duplicate", *editing.duplicate(program, places, by_min))


def split(program: Program, place: Place, at: int | None, *, increment: Mass | None) -> Edit:
    """At a minute of the day; without one where it can be done exactly, as near to the middle as that goes."""
    step = item_at(program, place)
    if at is None:
        middle = step.at + step.duration_min // 2
        exact = editing.exact_splits(program, place, increment=increment or A_THOUSANDTH)
        at = min(exact, key=lambda one: abs((one - step.at) % MINUTES_PER_DAY + step.at - middle), default=middle)
    changed, halves = editing.split(program, place, at % MINUTES_PER_DAY, increment=increment)
    return Edit(changed, halves, edit_words("split", [step]))


def merge(program: Program, places: Sequence[Place]) -> Edit:
    """Two steps, or one with the step after it."""
    first, *rest = sorted(places, key=lambda place: item_at(program, place).at)
    pair = (first, rest[0]) if rest else (first, _next_step(program, first))
    try:
        changed, place = editing.merge(program, *pair)
    except EditRefusedError:
        changed, place = editing.merge(program, pair[1], pair[0])
    return _edit("merge", changed, [place])


def _next_step(program: Program, place: Place) -> Place:
    if place.kind is not Kind.STEP:
        raise EditRefusedError(problem="not-a-step")
    count = len(_plan(program, place.plan).steps)
    return replace(place, index=(place.index + 1) % count)


def next_line(minute: int, grid: int, direction: int) -> int:
    """By how many minutes to go to the next line of the grid, earlier (-1) or later (1)."""
    return -(minute % grid or grid) if direction < 0 else grid - minute % grid


def next_dose(dose: Mass, increment: Mass, lines: int) -> Mass:
    """By how much to go to the next multiple of the increment, or one so many further; never below zero."""
    whole, rest = divmod(dose.quanta, increment.quanta)
    index = whole + lines + (1 if rest and lines < 0 else 0)
    return max(Mass(index * increment.quanta), Mass.zero()) - dose


# -- by keys ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """What the keys act on; ``at`` is the cursor's minute of the day, in ``plan``."""

    program: Program
    places: tuple[Place, ...]
    plan: int
    at: int
    grid_min: int
    increment: Mass | None
    new: NewItems

    @property
    def anchor(self) -> Item:
        """The earliest of the chosen items; the grid is its."""
        return min((item_at(self.program, place) for place in self.places), key=lambda item: item.at)


def by_key(verb: str, by: int, stand: Standing) -> Edit:
    """The edit that a key asks for. Raises: EditRefusedError."""
    if verb == "add-bolus":
        return add_bolus(stand.program, stand.plan, stand.at, stand.new)
    if verb == "add-step":
        return add_step(stand.program, stand.plan, stand.at, stand.new, increment=stand.increment)
    if not stand.places:
        raise EditRefusedError(problem="nothing-chosen")
    return _OF_CHOSEN[verb](stand, by)


@dataclass(frozen=True, slots=True)
class Run:
    """Resizing by keys, press after press, reckoned from where it began: rounding a dose each time would let it drift.

    ``grows_by`` is negative where the items have become shorter.
    """

    edge: str
    base: Program
    places: tuple[Place, ...]
    grows_by: int
    made: Edit


RESIZING = {"end": "end", "end-minute": "end", "start": "start", "start-minute": "start"}
"""The verbs of resizing, and which edge they move."""


def resize_by_key(verb: str, by: int, stand: Standing, run: Run | None) -> Run:
    """One press more, of the run if the items are still as it left them. Raises: EditRefusedError."""
    if not stand.places:
        raise EditRefusedError(problem="nothing-chosen")
    edge = RESIZING[verb]
    goes_on = run is not None and (run.edge, run.made.program, run.made.places) == (edge, stand.program, stand.places)
    base, places, before = (
        (run.base, run.places, run.grows_by) if run is not None and goes_on else (stand.program, stand.places, 0)
    )
    grows_by = before + _growth(verb, by, stand)
    change = lengthen if edge == "end" else lengthen_start
    return Run(edge, base, places, grows_by, change(base, places, grows_by, increment=stand.increment))


def _growth(verb: str, by: int, stand: Standing) -> int:
    """By how many minutes a press makes the items longer."""
    item = stand.anchor
    if verb == "end":
        return next_line(item.at + item.duration_min, stand.grid_min, by)
    if verb == "start":
        return -next_line(item.at, stand.grid_min, by)
    return by


def _by_line(stand: Standing, by: int) -> Edit:
    return move(stand.program, stand.places, next_line(stand.anchor.at, stand.grid_min, by))


def _dose_by_line(stand: Standing, by: int) -> Edit:
    by_dose = next_dose(stand.anchor.dose, stand.increment or A_TENTH, by)
    return give(stand.program, stand.places, by_dose)


_OF_CHOSEN: dict[str, Callable[[Standing, int], Edit]] = {
    "move": _by_line,
    "move-minute": lambda stand, by: move(stand.program, stand.places, by),
    "dose": _dose_by_line,
    "duplicate": lambda stand, _by: duplicate(stand.program, stand.places),
    "cut": lambda stand, _by: delete(stand.program, stand.places, "cut"),
    "delete": lambda stand, _by: delete(stand.program, stand.places),
    "split": lambda stand, _by: split(stand.program, stand.places[0], None, increment=stand.increment),
    "merge": lambda stand, _by: merge(stand.program, stand.places),
}
