"""What pump events need of a store: readings, resolutions, notes, and programs found in a pump.

Law: rows are only added; every method that writes is one transaction with its audit row.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from app.models.mri import TherapyEvent
from app.models.pump import PumpEvent
from app.models.pump_events import EventResolution, SeenReading
from app.models.records import AuditEntry, Fill, ProgramRecord


class PumpEventStore(Protocol):
    """Part of :class:`app.models.ports.ClinicStore`."""

    def pump_readings(self, implant_id: str) -> Sequence[SeenReading]:
        """Every reading that a visit or a scan kept, oldest first."""
        ...

    def add_pump_reading(
        self, implant_id: str, seen: SeenReading, events: Sequence[PumpEvent], entry: AuditEntry
    ) -> None:
        """Write a reading outside a visit, and those of the pump's events that are not on record yet."""
        ...

    def known_revision(self, serial: str, implant_id: str, before: datetime) -> int | None:
        """The highest revision that the clinic saw, or that its verified orders came to, before ``before`` (UTC)."""
        ...

    def event_resolutions(self, implant_id: str) -> Sequence[EventResolution]:
        """Everything that was said about cards of this pump, oldest first."""
        ...

    def add_event_resolution(self, resolution: EventResolution, entry: AuditEntry) -> None:
        """Write what somebody said about a card."""
        ...

    def therapy_events(self, implant_id: str) -> Sequence[TherapyEvent]:
        """Scans and revisions noted for this pump, oldest first."""
        ...

    def add_therapy_event(self, event: TherapyEvent, entry: AuditEntry) -> None:
        """Write a scan, planned, done or cancelled, or a revision of the system."""
        ...

    def add_found_program(self, program: ProgramRecord, entry: AuditEntry, *, fill: Fill | None = None) -> None:
        """Write a program that was found in the pump, and the fill that came with it."""
        ...
