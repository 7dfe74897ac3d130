"""Readings of pumps, what was said about their events, scans, and programs found in a pump, in one store.

Law: rows are only added, each with its audit row in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Integer, func, insert, select
from sqlalchemy.dialects.sqlite import insert as insert_or_ignore

from app.models.mri import TherapyEvent, TherapyEventKind
from app.models.pump import Alarm, Outcome, PumpEvent
from app.models.pump_events import EventResolution, SeenReading, Way
from app.models.records import AuditEntry, Fill, ProgramRecord
from app.models.refill_visit import RefillVisit
from app.store import audit_trail, tables
from app.store.mapping import keep_settings


class SqlPumpEventStore:
    """A :class:`app.models.pump_event_ports.PumpEventStore` in one database."""

    engine: Engine

    def pump_readings(self, implant_id: str) -> Sequence[SeenReading]:
        table = tables.pump_readings
        wanted = select(table).where(table.c.implant_id == implant_id).order_by(table.c.read_at)
        with self.engine.connect() as connection:
            return [
                SeenReading(
                    read_at=row["read_at"],
                    pump_clock=row["pump_clock"],
                    revision=row["revision"],
                    running=bool(row["running"]),
                    reset=bool(row["reset"]),
                    alarms=tuple(Alarm(name) for name in row["alarms"].split()),
                    eri_on=row["eri_on"],
                    last_event=row["last_event"],
                    visit_id=row["visit_id"],
                )
                for row in connection.execute(wanted).mappings()
            ]

    def add_pump_reading(
        self, implant_id: str, seen: SeenReading, events: Sequence[PumpEvent], entry: AuditEntry
    ) -> None:
        with self.engine.begin() as connection:
            keep_events(connection, implant_id, events)
            _keep_reading(connection, implant_id, seen)
            audit_trail.append(connection, entry)

    def known_revision(self, serial: str, implant_id: str, before: datetime) -> int | None:
        readings = tables.pump_readings
        found: list[int | None] = []
        with self.engine.connect() as connection:
            for table in (tables.intents, tables.pump_orders):
                ours = table.c.serial == serial, table.c.outcome == Outcome.VERIFIED.value
                highest = select(func.max(table.c.base_revision, type_=Integer)).where(
                    *ours, table.c.resolved_at < before
                )
                base = connection.execute(highest).scalar()
                found.append(None if base is None else base + 1)
            seen = select(func.max(readings.c.revision, type_=Integer)).where(
                readings.c.implant_id == implant_id, readings.c.read_at < before
            )
            found.append(connection.execute(seen).scalar())
        return max((revision for revision in found if revision is not None), default=None)

    def event_resolutions(self, implant_id: str) -> Sequence[EventResolution]:
        table = tables.event_resolutions
        wanted = select(table).where(table.c.implant_id == implant_id).order_by(table.c.seq)
        with self.engine.connect() as connection:
            return [
                EventResolution(
                    id=row["id"],
                    implant_id=implant_id,
                    visit_id=row["visit_id"],
                    card_key=row["card_key"],
                    event_number=row["event_number"],
                    way=Way(row["way"]),
                    reason=row["reason"],
                    at=row["at"],
                    by=row["by"],
                    second_id=row["second_id"],
                )
                for row in connection.execute(wanted).mappings()
            ]

    def add_event_resolution(self, resolution: EventResolution, entry: AuditEntry) -> None:
        values = _columns(resolution) | {"way": resolution.way.value}
        with self.engine.begin() as connection:
            connection.execute(insert(tables.event_resolutions).values(**values))
            audit_trail.append(connection, entry)

    def therapy_events(self, implant_id: str) -> Sequence[TherapyEvent]:
        table = tables.therapy_events
        wanted = select(table).where(table.c.implant_id == implant_id).order_by(table.c.seq)
        with self.engine.connect() as connection:
            return [
                TherapyEvent(
                    id=row["id"],
                    implant_id=implant_id,
                    kind=TherapyEventKind(row["kind"]),
                    at=row["at"],
                    noted_at=row["noted_at"],
                    noted_by=row["noted_by"],
                    about=row["about"],
                )
                for row in connection.execute(wanted).mappings()
            ]

    def add_therapy_event(self, event: TherapyEvent, entry: AuditEntry) -> None:
        with self.engine.begin() as connection:
            insert_therapy_event(connection, event)
            audit_trail.append(connection, entry)

    def add_found_program(self, program: ProgramRecord, entry: AuditEntry, *, fill: Fill | None = None) -> None:
        values = _columns(program) | {"state": program.state.value}
        settings = values.pop("settings")
        with self.engine.begin() as connection:
            values["settings_id"] = keep_settings(connection, settings)
            connection.execute(insert(tables.programs).values(**values))
            if fill is not None:
                connection.execute(insert(tables.fills).values(**_columns(fill)))
            audit_trail.append(connection, entry)


def insert_therapy_event(connection: Connection, event: TherapyEvent) -> None:
    """Write a scan, or a revision of the system."""
    values = _columns(event) | {"kind": event.kind.value}
    connection.execute(insert(tables.therapy_events).values(**values))


def keep_reading_of(connection: Connection, visit: RefillVisit, eri_on: datetime | None) -> None:
    """Keep a visit's reading for good, unless it is kept already."""
    reading, table = visit.reading, tables.pump_events
    if reading is None:
        return
    last = connection.execute(
        select(func.max(table.c.number, type_=Integer)).where(table.c.implant_id == visit.implant_id)
    ).scalar()
    seen = SeenReading(
        read_at=reading.read_at,
        pump_clock=reading.pump_clock,
        revision=reading.revision,
        running=reading.running,
        reset=reading.reset,
        alarms=tuple(Alarm(name) for name in reading.alarms),
        eri_on=eri_on,
        last_event=last or 0,
        visit_id=visit.id,
    )
    _keep_reading(connection, visit.implant_id, seen)


def _keep_reading(connection: Connection, implant_id: str, seen: SeenReading) -> None:
    values = _columns(seen) | {
        "implant_id": implant_id,
        "running": int(seen.running),
        "reset": int(seen.reset),
        "alarms": " ".join(alarm.value for alarm in seen.alarms),
    }
    connection.execute(insert_or_ignore(tables.pump_readings).values(**values).on_conflict_do_nothing())


def keep_events(connection: Connection, implant_id: str, events: Sequence[PumpEvent]) -> None:
    """Keep those of a pump's events that are not on record yet."""
    for event in events:
        values = {
            "implant_id": implant_id,
            "number": event.number,
            "at": event.at,
            "code": event.code,
            "value": event.value,
        }
        connection.execute(insert_or_ignore(tables.pump_events).values(**values).on_conflict_do_nothing())


def _columns(value: Any) -> dict[str, Any]:
    return {part.name: getattr(value, part.name) for part in fields(value)}
