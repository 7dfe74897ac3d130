"""How long a therapy was interrupted since the last fill, by the pump's own log.

Law: an interruption is counted whole, one that overlaps another is counted once, and where the log cannot say since
when, the length is not known; not known is never taken for short.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from app.models.pump import Alarm, PumpEvent, PumpEventKind

CLOCK_EPOCH = datetime(2000, 1, 1)
"""What a ``clock-set`` event's value counts its seconds from: the face before the clock was put."""


class InterruptionKind(StrEnum):
    """Why the patient did not get the program."""

    STOPPED = "stopped"
    STALLED = "stalled"
    EMPTY = "empty"
    RESET = "reset"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class PumpState:
    """What one reading says about delivery. ``pump_clock`` is without offset."""

    pump_clock: datetime
    running: bool
    reset: bool
    alarms: tuple[Alarm, ...] = ()


@dataclass(frozen=True, slots=True)
class Interruption:
    """One stretch without the program, on the pump's clock as its face then was.

    ``number`` is the event that began it, 0 where the log has none. ``began`` is ``None`` where nobody knows since
    when, ``ended`` while it lasts. ``lasted`` is real time, whatever was done to the clock; ``None``: not known.
    """

    kind: InterruptionKind
    number: int
    began: datetime | None
    ended: datetime | None
    lasted: timedelta | None
    ended_by: int = 0
    steady: tuple[timedelta, timedelta] | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """All interruptions since the last fill, and their length together; ``None``: not known."""

    parts: tuple[Interruption, ...]
    lasted: timedelta | None

    @property
    def number(self) -> int:
        """The log's number of the latest event that began one."""
        return max((part.number for part in self.parts), default=0)


def alarms_in(value: int) -> tuple[Alarm, ...]:
    """The alarms of an ``alarm`` event's value: one bit each, in their order."""
    return tuple(alarm for place, alarm in enumerate(Alarm) if value >> place & 1)


def unknown_bits(value: int) -> int:
    """What is left of an ``alarm`` event's value once every known alarm is taken out."""
    return value >> len(Alarm) << len(Alarm)


def interruptions(
    events: Sequence[PumpEvent], state: PumpState, *, empty_since: datetime | None = None
) -> tuple[Interruption, ...]:
    """Every interruption of the whole log, in the order of its events.

    Args:
        events: the log, by number.
        state: the reading that it came with.
        empty_since: when the record says that the reservoir ran empty, on the pump's clock.
    """
    steady, now = _steady(events, state)
    found = [
        *_stops(events, running=state.running),
        *_pairs(events, InterruptionKind.STALLED, (PumpEventKind.STALLED,), (PumpEventKind.RECOVERED,), orphans=True),
        *_pairs(events, InterruptionKind.RESET, (PumpEventKind.RESET,), (PumpEventKind.COMMITTED,)),
        *_alarmed(events, InterruptionKind.EMPTY, Alarm.EMPTY_RESERVOIR, (PumpEventKind.FILLED,)),
        *_alarmed(events, InterruptionKind.ENDED, Alarm.END_OF_SERVICE, ()),
    ]
    found = [*found, *_without_event(found, state)]
    found = [_since_record(part, empty_since) for part in _with_record(found, events, state, empty_since)]
    faces = {event.number: event.at for event in events}
    found.sort(key=lambda part: part.number)
    return tuple(_measured(part, steady, now, state, faces) for part in found)


def gap_since_fill(found: Sequence[Interruption], events: Sequence[PumpEvent]) -> Gap:
    """What of ``found`` the patient has felt since the last fill. Source: PRO-08, H-29.

    An interruption that goes on past the fill counts from its own beginning; one that ended with the fill does not.
    """
    fill = max((event for event in events if event.kind is PumpEventKind.FILLED), key=_number, default=None)
    parts = tuple(part for part in found if fill is None or _outlasts(part, fill, events))
    if any(part.lasted is None for part in parts):
        return Gap(parts, None)
    spans = sorted(part.steady for part in parts if part.steady is not None)
    total, reached = timedelta(0), None
    for start, end in spans:
        start = start if reached is None else max(start, reached)
        total += max(end - start, timedelta(0))
        reached = end if reached is None else max(reached, end)
    return Gap(parts, total)


def _outlasts(part: Interruption, fill: PumpEvent, events: Sequence[PumpEvent]) -> bool:
    if part.ended is None:
        return True
    if part.ended_by < fill.number:
        return False
    # Filling and starting again are one moment of one program, whichever the pump writes first.
    between = [event for event in events if fill.number <= event.number <= part.ended_by]
    return any(later.at != fill.at for later in between)


def _number(event: PumpEvent) -> int:
    return event.number


def _steady(events: Sequence[PumpEvent], state: PumpState) -> tuple[dict[int, timedelta], timedelta]:
    """Each event's distance from the epoch on a clock that nobody ever put, and that of the reading."""
    put, places = timedelta(0), {}
    for event in events:
        if event.kind is PumpEventKind.CLOCK_SET:
            put += event.at - (CLOCK_EPOCH + timedelta(seconds=event.value))
        places[event.number] = event.at - put - CLOCK_EPOCH
    return places, state.pump_clock - put - CLOCK_EPOCH


def _stops(events: Sequence[PumpEvent], *, running: bool) -> Iterator[Interruption]:
    """From each stop to the next start.

    A reset may set a stopped pump going without a word: a stop is over with it if the pump stops anew, or is seen
    running. So it is with a new program, where the pump is seen running and the log has no start.
    """
    began: PumpEvent | None = None
    silent: list[PumpEvent] = []
    for event in events:
        reset = next((line for line in silent if line.kind is PumpEventKind.RESET), None)
        if event.kind is PumpEventKind.STOPPED and (began is None or reset is not None):
            if began is not None and reset is not None:
                yield Interruption(InterruptionKind.STOPPED, began.number, began.at, reset.at, None, reset.number)
            began, silent = event, []
        elif event.kind is PumpEventKind.STARTED and began is not None:
            yield Interruption(InterruptionKind.STOPPED, began.number, began.at, event.at, None, event.number)
            began, silent = None, []
        elif event.kind in (PumpEventKind.RESET, PumpEventKind.COMMITTED) and began is not None:
            silent.append(event)
    if began is not None and running and silent:
        yield Interruption(InterruptionKind.STOPPED, began.number, began.at, silent[0].at, None, silent[0].number)
    elif began is not None:
        yield Interruption(InterruptionKind.STOPPED, began.number, began.at, None, None)


def _pairs(
    events: Sequence[PumpEvent],
    kind: InterruptionKind,
    begins: tuple[PumpEventKind, ...],
    ends: tuple[PumpEventKind, ...],
    *,
    orphans: bool = False,
) -> Iterator[Interruption]:
    """From each beginning to the next end; with ``orphans`` an end without a beginning is one since nobody knows."""
    began: PumpEvent | None = None
    for event in events:
        if event.kind in begins:
            began = began or event
        elif event.kind in ends and began is not None:
            yield Interruption(kind, began.number, began.at, event.at, None, event.number)
            began = None
        elif event.kind in ends and orphans:
            yield Interruption(kind, event.number, None, event.at, None, event.number)
    if began is not None:
        yield Interruption(kind, began.number, began.at, None, None)


def _alarmed(
    events: Sequence[PumpEvent], kind: InterruptionKind, alarm: Alarm, ends: tuple[PumpEventKind, ...]
) -> Iterator[Interruption]:
    """From the alarm to what ends it."""
    sounding = (PumpEventKind.ALARM,)
    relevant = [
        event
        for event in events
        if event.kind in ends or (event.kind is PumpEventKind.ALARM and alarm in alarms_in(event.value))
    ]
    return _pairs(relevant, kind, sounding, ends)


def _without_event(found: Sequence[Interruption], state: PumpState) -> Iterator[Interruption]:
    """What the reading says now and no event of the log began."""
    alarms = state.alarms
    said = {
        InterruptionKind.STOPPED: not state.running,
        InterruptionKind.STALLED: Alarm.MOTOR_STALL in alarms,
        InterruptionKind.RESET: state.reset or Alarm.CRITICAL_MEMORY_ERROR in alarms,
        InterruptionKind.EMPTY: Alarm.EMPTY_RESERVOIR in alarms,
        InterruptionKind.ENDED: Alarm.END_OF_SERVICE in alarms,
    }
    going_on = {part.kind: part for part in found if part.ended is None}
    for kind, holds in said.items():
        if not holds or kind in going_on:
            continue
        # A pump that has no minimum rate stands still from its reset on.
        reset = going_on.get(InterruptionKind.RESET) if kind is InterruptionKind.STOPPED else None
        yield Interruption(kind, reset.number if reset else 0, reset.began if reset else None, None, None)


def _with_record(
    found: Sequence[Interruption], events: Sequence[PumpEvent], state: PumpState, empty_since: datetime | None
) -> Iterator[Interruption]:
    """``found``, and an empty reservoir that only the record knows of."""
    yield from found
    empty = any(part.kind is InterruptionKind.EMPTY and part.ended is None for part in found)
    if empty_since is not None and empty_since <= state.pump_clock and not empty:
        yield Interruption(InterruptionKind.EMPTY, 0, empty_since, None, None)


def _since_record(part: Interruption, empty_since: datetime | None) -> Interruption:
    """An empty reservoir began when pump or record says so, whichever is earlier."""
    if part.kind is not InterruptionKind.EMPTY or part.ended is not None or empty_since is None:
        return part
    if part.began is not None and part.began <= empty_since:
        return part
    return replace(part, began=empty_since)


def _measured(
    part: Interruption, steady: dict[int, timedelta], now: timedelta, state: PumpState, faces: dict[int, datetime]
) -> Interruption:
    """With its real length; one that ends before it began, or sees the clock go back, has one that nobody knows."""
    if part.began is None:
        return part
    # The record's moment is on the face of the clock as it is now.
    logged = faces.get(part.number) == part.began
    start = steady[part.number] if logged else part.began - state.pump_clock + now
    end = now if part.ended is None else steady[part.ended_by]
    inside = [at for number, at in steady.items() if part.number <= number <= (part.ended_by or number)]
    moments = [*(inside if part.number else []), end]
    if end < start or any(later < earlier for earlier, later in pairwise(moments)):
        return part
    return replace(part, lasted=end - start, steady=(start, end))
