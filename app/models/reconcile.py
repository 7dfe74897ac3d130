"""When the pump runs something else than the record says: the difference, and how the record learns of it.

Law: for settings the pump is the truth and the record follows; nothing is written but what the pump itself says, from
the moment that its log gives. Source: U-11, H-74.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.models.catalogue import PumpModel
from app.models.comparison import NOTHING, Row, compare, mode_name, moment, program_lines
from app.models.course import NoCourseError
from app.models.formats import show_concentration, show_volume
from app.models.pump import PumpEvent, PumpEventKind, PumpSettings
from app.models.quantities import Volume
from app.models.records import Fill

_PL_PER_NL = 1000


@dataclass(frozen=True, slots=True)
class FoundFill:
    """A fill that the pump was told elsewhere: when, on its clock, and its volume."""

    at: datetime
    volume: Volume


@dataclass(frozen=True, slots=True)
class Found:
    """What a reading shows that the record does not. ``effective_at`` is on the pump's clock: the moment of its log at
    which these settings came into force (``logged``), or else that of the reading."""

    settings: PumpSettings
    effective_at: datetime
    logged: bool
    fill: FoundFill | None


def found_in(
    settings: PumpSettings,
    *,
    revision: int,
    pump_clock: datetime,
    events: Sequence[PumpEvent],
    known_until: datetime | None,
    fill: Fill | None,
) -> Found:
    """What is to be taken into the record.

    Args:
        settings: what the reading says.
        revision: the reading's revision.
        pump_clock: the pump's clock at the reading.
        events: the pump's whole log.
        known_until: when the last program on record came into force, on the pump's clock.
        fill: the last fill on record.
    """
    log = sorted(events, key=lambda event: event.number)
    commits = [event for event in log if event.kind is PumpEventKind.COMMITTED]
    last = next((event for event in reversed(commits) if event.value == revision), commits[-1] if commits else None)
    usable = last is not None and last.at <= pump_clock and (known_until is None or last.at > known_until)
    fills = [event for event in log if event.kind is PumpEventKind.FILLED and (fill is None or event.at > fill.at)]
    told = fills[-1] if fills else None
    return Found(
        settings=settings,
        effective_at=last.at if last is not None and usable else pump_clock,
        logged=usable,
        fill=FoundFill(told.at, Volume(told.value * _PL_PER_NL)) if told is not None else None,
    )


def difference(
    on_record: PumpSettings | None, found: Found, pump: PumpModel, *, fill: Fill | None = None
) -> tuple[Row, ...]:
    """Every item on record beside what the pump says, and the fill that the record does not know."""
    rows = _settings_rows(on_record, found.settings, pump)
    if found.fill is None:
        return rows
    return (
        *rows,
        Row("Last fill", moment(fill.at) if fill else NOTHING, moment(found.fill.at)),
        Row("Reservoir at the fill", show_volume(fill.volume) if fill else NOTHING, show_volume(found.fill.volume)),
    )


def _settings_rows(on_record: PumpSettings | None, found: PumpSettings, pump: PumpModel) -> tuple[Row, ...]:
    try:
        rows = compare(on_record or found, found, pump)
    except NoCourseError:
        rows = _plain_rows(on_record or found, found)
    return rows if on_record is not None else tuple(replace(row, old=NOTHING, change=None) for row in rows)


def _plain_rows(old: PumpSettings, new: PumpSettings) -> tuple[Row, ...]:
    """The settings alone, where one of the programs cannot run on this pump and so comes to nothing."""
    lines = program_lines(old.program), program_lines(new.program)
    return (
        Row("Drug", old.drug, new.drug),
        Row("Concentration", show_concentration(old.concentration), show_concentration(new.concentration)),
        Row("Mode", mode_name(old.program), mode_name(new.program)),
        *(Row(name, lines[0].get(name, NOTHING), lines[1].get(name, NOTHING)) for name in {**lines[0], **lines[1]}),
        Row("Low-reservoir alarm at", show_volume(old.low_alarm), show_volume(new.low_alarm)),
    )

