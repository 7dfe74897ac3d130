"""A magnetic resonance scan: the pump is read before it, after it, and once more.

Law: a scan stops the motor, and only a second reading after it shows for sure that the motor turns again; which
reading is which follows from the time of the scan and from nothing else. Source: LIF-02, H-80.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.models.catalogue import Catalogue
from app.models.errors import AppError
from app.models.findings import Finding, Severity
from app.models.formats import plain
from app.models.interruptions import Interruption, InterruptionKind, interruptions
from app.models.pump import PumpEvent
from app.models.pump_events import SeenReading


class TherapyEventKind(StrEnum):
    """What happens to a patient with a pump, and is noted by whoever works here."""

    MRI_PLANNED = "mri-planned"
    MRI_DONE = "mri-done"
    MRI_CANCELLED = "mri-cancelled"
    SYSTEM_REVISED = "system-revised"


@dataclass(frozen=True, slots=True)
class TherapyEvent:
    """One such note. ``at`` is when it happened, UTC; ``about`` is the id of the plan that a scan carries out."""

    id: str
    implant_id: str
    kind: TherapyEventKind
    at: datetime
    noted_at: datetime
    noted_by: str
    about: str | None = None


class NoScanError(AppError):
    """No scan is planned, or it is over already."""


class MriStep(StrEnum):
    """What is due next."""

    READ_BEFORE = "read-before"
    SCAN = "scan"
    READ_AFTER = "read-after"
    READ_AGAIN = "read-again"
    NOTHING = "nothing"


class MriVerdict(StrEnum):
    """What the readings show."""

    OPEN = "open"
    RECOVERED = "recovered"
    NO_STALL = "no-stall"
    NOT_RECOVERED = "not-recovered"


@dataclass(frozen=True, slots=True)
class MriVisit:
    """A scan that is planned or done. ``noted_at`` is when it was planned, ``scanned_at`` when it ended; both UTC."""

    id: str
    implant_id: str
    noted_at: datetime
    scanned_at: datetime | None = None
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class MriState:
    """Where a scan's visit stands: the readings that count, what is due, from when on (UTC), and what they show."""

    before: SeenReading | None
    after: SeenReading | None
    again: SeenReading | None
    due: MriStep
    due_from: datetime | None
    verdict: MriVerdict
    findings: tuple[Finding, ...]


def mri_visits(notes: Sequence[TherapyEvent]) -> tuple[MriVisit, ...]:
    """Every scan that was planned, from the notes in their order, oldest first."""
    visits: dict[str, MriVisit] = {}
    for note in notes:
        if note.kind is TherapyEventKind.MRI_PLANNED:
            visits[note.id] = MriVisit(note.id, note.implant_id, note.noted_at)
        elif note.about in visits:
            plan = visits[note.about]
            done = note.at if note.kind is TherapyEventKind.MRI_DONE else plan.scanned_at
            cancelled = plan.cancelled or note.kind is TherapyEventKind.MRI_CANCELLED
            visits[note.about] = MriVisit(plan.id, plan.implant_id, plan.noted_at, done, cancelled)
    return tuple(visits.values())


def mri_state(
    visit: MriVisit, readings: Sequence[SeenReading], events: Sequence[PumpEvent], catalogue: Catalogue
) -> MriState:
    """Where a scan's visit stands. ``readings`` are all on record, oldest first; ``events`` the whole log."""
    wait = timedelta(minutes=int(catalogue.rule("lif_02_second_read_min")))
    scanned = visit.scanned_at
    before = _last(readings, visit.noted_at, scanned)
    after = next((seen for seen in readings if scanned is not None and seen.read_at >= scanned), None)
    again = next((seen for seen in readings if after is not None and seen.read_at - after.read_at >= wait), None)
    due, due_from = _due(visit, before, after, again, wait)
    verdict = _verdict(before, after, again, events)
    return MriState(before, after, again, due, due_from, verdict, _findings(visit, before, due, verdict, catalogue))


def _last(readings: Sequence[SeenReading], start: datetime, end: datetime | None) -> SeenReading | None:
    """The last reading from the plan to the scan."""
    inside = [seen for seen in readings if start <= seen.read_at and (end is None or seen.read_at < end)]
    return inside[-1] if inside else None


def _due(
    visit: MriVisit,
    before: SeenReading | None,
    after: SeenReading | None,
    again: SeenReading | None,
    wait: timedelta,
) -> tuple[MriStep, datetime | None]:
    if visit.cancelled or again is not None:
        return MriStep.NOTHING, None
    if visit.scanned_at is None:
        return (MriStep.READ_BEFORE, visit.noted_at) if before is None else (MriStep.SCAN, None)
    if after is None:
        return MriStep.READ_AFTER, visit.scanned_at
    return MriStep.READ_AGAIN, after.read_at + wait


def _verdict(
    before: SeenReading | None, after: SeenReading | None, again: SeenReading | None, events: Sequence[PumpEvent]
) -> MriVerdict:
    """What the last reading says of the stalls since the scan; nothing is settled before the second one."""
    if after is None or again is None:
        return MriVerdict.OPEN
    known = before.last_event if before is not None else 0
    log = [event for event in events if event.number <= again.last_event]
    stalls = [
        part
        for part in interruptions(log, again.state)
        if part.kind is InterruptionKind.STALLED and not _was_over(part, known)
    ]
    if any(part.ended is None for part in stalls):
        return MriVerdict.NOT_RECOVERED
    return MriVerdict.RECOVERED if stalls else MriVerdict.NO_STALL


def _was_over(part: Interruption, known: int) -> bool:
    """Whether the reading before the scan, whose last event was ``known``, had seen its end."""
    return part.ended is not None and 0 < (part.ended_by or part.number) <= known


def _findings(
    visit: MriVisit, before: SeenReading | None, due: MriStep, verdict: MriVerdict, catalogue: Catalogue
) -> tuple[Finding, ...]:
    if visit.cancelled:
        return ()
    wait = {"wait_min": plain(catalogue.rule("lif_02_second_read_min"))}
    steps = {MriStep.READ_BEFORE, MriStep.READ_AFTER, MriStep.READ_AGAIN}
    findings = [Finding("LIF-02", Severity.TASK, f"mri-{due.value}", wait)] if due in steps else []
    if visit.scanned_at is not None and before is None:
        findings.append(Finding("LIF-02", Severity.NOTE, "mri-not-before"))
    if verdict is MriVerdict.NOT_RECOVERED:
        findings.append(Finding("LIF-02", Severity.BLOCK, "no-recovery"))
    elif verdict is MriVerdict.NO_STALL:
        findings.append(Finding("LIF-02", Severity.CONFIRM, "mri-no-stall"))
    return tuple(findings)
