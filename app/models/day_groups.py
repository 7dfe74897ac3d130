"""Boluses and steps on the minutes of the week, and the day plans that hold them.

Law: laying items out and grouping the days again gives the same course; days that are alike share one plan, and what
is in a plan is in the order of time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from app.models.program import Bolus, DayPlan, Step, Weekday
from app.models.quantities import MINUTES_PER_DAY, MINUTES_PER_WEEK, DoseRate, Mass

_Item = Bolus | Step
Timed = tuple[int, _Item]
"""A minute of the week and what starts there; the item's own ``at`` does not count."""


def by_time(item: _Item) -> tuple[int, int, Mass]:
    """The order of items in a plan; those of one minute by duration, then by dose."""
    return item.at, item.duration_min, item.dose


def with_items(plan: DayPlan, items: Iterable[_Item]) -> DayPlan:
    """The plan with ``items`` instead of its own, in order."""
    ordered = sorted(items, key=by_time)
    return replace(
        plan,
        boluses=tuple(item for item in ordered if isinstance(item, Bolus)),
        steps=tuple(item for item in ordered if isinstance(item, Step)),
    )


def timed(plans: Iterable[DayPlan]) -> Iterator[Timed]:
    """Each bolus and step of the week at its minute, boluses before steps on each day."""
    for plan in plans:
        for day in plan.days:
            yield from ((day * MINUTES_PER_DAY + bolus.at, bolus) for bolus in plan.boluses)
            yield from ((day * MINUTES_PER_DAY + step.at, step) for step in plan.steps)


def days_alike(basal: DoseRate, items: Iterable[Timed]) -> tuple[DayPlan, ...]:
    """Day plans of ``items`` over one basal rate; minutes beyond the week's end are the next week's."""
    on: dict[Weekday, list[_Item]] = {day: [] for day in Weekday}
    for minute, item in items:
        day, at = divmod(minute % MINUTES_PER_WEEK, MINUTES_PER_DAY)
        on[Weekday(day)].append(replace(item, at=at))
    groups: dict[DayPlan, list[Weekday]] = {}
    for weekday, found in on.items():
        groups.setdefault(with_items(DayPlan((), basal), found), []).append(weekday)
    return tuple(replace(plan, days=tuple(days)) for plan, days in groups.items())
