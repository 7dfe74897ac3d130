"""What the patient gets after a change of solution, with the bridge and without it, and until when.

Law: figures come from the plug flow of what stands in the path; nothing here decides or judges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from app.models.catalogue import Catalogue, PumpModel
from app.models.plug_flow import Arrival, Fluid, Path, Pumping, arrivals, bridge_left_ml, new_at_tip_min
from app.models.pump import PumpSettings
from app.models.quantities import MINUTES_PER_DAY, Volume
from app.models.solution_change import (
    BridgePlan,
    Rinse,
    SolutionChange,
    bridge_plan,
    real_fluid,
    rinse_required,
    wait_min,
)
from app.models.transition import Segment, nearest

_SHORTEST_VIEW_MIN = MINUTES_PER_DAY
_VIEW_BEYOND = Fraction(5, 4)
"""How far beyond the last event the outlook goes, as a multiple of the time to it."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """The next hours, from the moment at which the pump takes the new settings.

    ``factor`` is what the patient would get without a bridge, as a multiple of the old dose, where it lies farthest
    from one; ``mcg_per_day`` the same of the drug ``drug``. ``hours`` is how long the old fluid would last then,
    ``None`` if for ever. ``steps`` cover ``minutes``.
    """

    drug: str
    start: datetime
    minutes: int
    bridge: BridgePlan | None
    with_bridge: tuple[Arrival, ...] | None
    without: tuple[Arrival, ...]
    factor: Fraction
    mcg_per_day: Fraction
    hours: Fraction | None

    @property
    def ends_at(self) -> datetime | None:
        """When the bridge ends; ``None`` without one."""
        return self.bridge.ends_at(self.start) if self.bridge is not None else None


def outlook(change: SolutionChange, path: Path, *, at: datetime, entering: Fluid | None = None) -> Outlook | None:
    """The outlook for ``path`` when ``entering`` (the new solution, if nothing else is known) leaves the reservoir
    from ``at`` on; ``None`` if no dose was given before. Source: F-03, F-04, H-31, H-33."""
    if not change.old_dose:
        return None
    entering, flow, drug = entering or change.new.fluid, change.new_flow_ml_per_day, change.old.dosed
    planned = bridge_plan(change, path)
    clear = path.volume_ml / flow * MINUTES_PER_DAY if flow else None
    last = max(Fraction(planned.duration_min if planned else 0), clear or Fraction(0))
    minutes = max(_SHORTEST_VIEW_MIN, int(last * _VIEW_BEYOND))
    onwards = Pumping(Fraction(minutes), flow, entering)
    without = arrivals(path, [onwards])
    old = [Arrival(Fraction(0), Fraction(0), flow, plug.fluid).mcg_per_day(drug) for plug in path.plugs]
    dose = change.old_dose.in_mcg_per_day
    worst = max(old, key=lambda rate: _distance(rate / dose), default=Fraction(0))
    with_bridge = None
    if planned is not None:
        rest = Fraction(minutes - planned.duration_min)
        first = Pumping(Fraction(planned.duration_min), planned.ml_per_day, entering)
        with_bridge = arrivals(path, [first, Pumping(rest, flow, entering)])
    return Outlook(
        drug=drug,
        start=at,
        minutes=minutes,
        bridge=planned,
        with_bridge=with_bridge,
        without=without,
        factor=worst / dose,
        mcg_per_day=worst,
        hours=_in_hours(new_at_tip_min(path.volume_ml, [onwards])),
    )


def _distance(factor: Fraction) -> tuple[Fraction, Fraction]:
    """How far a multiple of the dose lies from one; nothing at all is farthest, and too much before too little."""
    return (max(factor, 1 / factor) if factor else Fraction(10**9), factor)


def _in_hours(minutes: Fraction | None) -> Fraction | None:
    return None if minutes is None else minutes / 60


@dataclass(frozen=True, slots=True)
class BridgeRange:
    """How long the bridge would be at both ends of what a catheter may measure: cm, and minutes (nearest)."""

    shortest_cm: Fraction
    shortest_min: int
    longest_cm: Fraction
    longest_min: int


def bridge_range(
    change: SolutionChange, pump: PumpModel, catalogue: Catalogue, segments: Sequence[Segment]
) -> BridgeRange | None:
    """The range for a catheter of unknown length; ``None`` where not even its model or the tubing is known.

    Source: CON-05.
    """
    if not segments or pump.tubing is None or not change.old_dose or not change.old.concentration:
        return None
    flow = change.old_dose.in_mcg_per_day / change.old.concentration.in_mcg_per_ml
    ends = [catalogue.rule("con_05_shortest_cm"), catalogue.rule("con_05_longest_cm")]
    low, high = (pump.tubing.in_ml + length * segments[0].model.ml_per_cm for length in ends)
    return BridgeRange(ends[0], nearest(low / flow * MINUTES_PER_DAY), ends[1], nearest(high / flow * MINUTES_PER_DAY))


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """Everything that is known about one change before it is decided.

    ``path`` is ``None`` where its volume is not known, and ``ranged`` then says what can be said. ``wait_until`` is
    set while the path holds more than one fluid. ``real`` is what is in the reservoir once the rinse is answered.
    """

    change: SolutionChange
    path: Path | None
    outlook: Outlook | None
    ranged: BridgeRange | None
    wait_until: datetime | None
    rinse_required: bool
    rinse: Rinse | None
    real: Fluid | None

    @property
    def bridge(self) -> BridgePlan | None:
        return self.outlook.bridge if self.outlook is not None else None

    @property
    def real_error(self) -> Fraction | None:
        """Real concentration of the drug that is dosed / ordered - 1."""
        if self.real is None or not self.change.new.concentration:
            return None
        ordered = self.change.new.concentration.in_mcg_per_ml
        return self.real.mcg_per_ml(self.change.new.dosed) / ordered - 1


def plan_change(
    change: SolutionChange,
    pump: PumpModel,
    catalogue: Catalogue,
    *,
    path: Path | None,
    at: datetime,
    segments: Sequence[Segment] = (),
    runs_ml_per_day: Fraction = Fraction(0),
    injected: Volume | None = None,
    rinse: Rinse | None = None,
) -> ChangePlan:
    """Work out one change. ``runs_ml_per_day`` is the flow at ``at``, before the change."""
    real = None
    if rinse is not None and injected and pump.residual is not None:
        real = real_fluid(change, left=pump.residual, injected=injected, rinse=rinse)
    wait = None
    if path is not None and path.only_fluid is None and path.plugs:
        minutes = wait_min(path, runs_ml_per_day)
        wait = at + timedelta(minutes=minutes) if minutes is not None else None
    return ChangePlan(
        change=change,
        path=path,
        outlook=outlook(change, path, at=at, entering=real) if path is not None else None,
        ranged=bridge_range(change, pump, catalogue, segments) if path is None else None,
        wait_until=wait,
        rinse_required=rinse_required(change, catalogue.rule("con_02_rinse_ratio")),
        rinse=rinse,
        real=real,
    )


@dataclass(frozen=True, slots=True)
class BridgeNote:
    """A bridge that runs: until when on the pump's clock, whole minutes (rounded up) and mL that it has to go."""

    until: datetime
    left_min: int
    left_ml: Fraction


def bridge_note(settings: PumpSettings, effective_at: datetime, now: datetime) -> BridgeNote | None:
    """What the patient's page says until the bridge of ``settings`` has ended; ``None`` before and after.

    All times on the pump's clock. Source: SR-09, H-33.
    """
    bridge = settings.bridge
    if bridge is None or now < effective_at:
        return None
    until = effective_at + timedelta(minutes=bridge.duration_min)
    if now >= until:
        return None
    gone = Fraction((now - effective_at) // timedelta(microseconds=1), 60_000_000)
    return BridgeNote(until, -((now - until) // timedelta(minutes=1)), bridge_left_ml(bridge, gone))
