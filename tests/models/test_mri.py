"""Scans in every order of stall, recovery, readings and the scan's end, against a walk that keeps no log."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from app.documents.catalogue import load_catalogue
from app.models.findings import Severity
from app.models.mri import (
    MriState,
    MriStep,
    MriVerdict,
    MriVisit,
    TherapyEvent,
    TherapyEventKind,
    mri_state,
    mri_visits,
)
from app.models.pump import PumpEvent, PumpEventKind
from app.models.pump_events import SeenReading
from app.models.rule_texts import sentence

CATALOGUE = load_catalogue()
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
WAIT = timedelta(minutes=int(CATALOGUE.rule("lif_02_second_read_min")))
CODES = {PumpEventKind.STALLED: 8, PumpEventKind.RECOVERED: 9}

STALL, RECOVER, DONE, READ = "stall", "recover", "done", "read"


@dataclass
class Walked:
    """What one order of events came to, as told by the walk and as told by the log."""

    state: MriState
    verdict: MriVerdict
    due: MriStep


def walk(order: tuple[str, ...], apart: timedelta = WAIT) -> Walked:
    """Let things happen one after another, ``apart`` from each other, and keep count by hand."""
    log: list[PumpEvent] = []
    readings: list[SeenReading] = []
    scanned: datetime | None = None
    stalled = ever = False
    after: list[tuple[bool, bool]] = []
    known_before = False
    before = False
    for number, what in enumerate(order, 1):
        at = NOON + number * apart
        clock = at.replace(tzinfo=None)
        match what:
            case "stall" if not stalled:
                stalled = ever = True
                log.append(PumpEvent(len(log) + 1, clock, PumpEventKind.STALLED, CODES[PumpEventKind.STALLED]))
            case "recover" if stalled:
                stalled = False
                log.append(PumpEvent(len(log) + 1, clock, PumpEventKind.RECOVERED, CODES[PumpEventKind.RECOVERED]))
            case "done":
                scanned = at
            case "read":
                readings.append(SeenReading(at, clock, 1, not stalled, False, (), None, len(log)))
                if scanned is None:
                    before, known_before = True, ever and not stalled
                else:
                    after.append((stalled, ever))
    visit = MriVisit("scan", "implant", NOON, scanned)
    state = mri_state(visit, readings, log, CATALOGUE)
    if len(after) < 2:
        verdict = MriVerdict.OPEN
    elif after[1][0]:
        verdict = MriVerdict.NOT_RECOVERED
    else:
        # One stall at most: it belongs to the scan unless the reading before had seen its end.
        verdict = MriVerdict.RECOVERED if after[1][1] and not known_before else MriVerdict.NO_STALL
    if len(after) >= 2:
        due = MriStep.NOTHING
    elif scanned is not None:
        due = MriStep.READ_AGAIN if after else MriStep.READ_AFTER
    else:
        due = MriStep.SCAN if before else MriStep.READ_BEFORE
    return Walked(state, verdict, due)


def orders() -> Iterator[tuple[str, ...]]:
    for length in range(7):
        yield from set(itertools.permutations((STALL, RECOVER, DONE, READ, READ, READ), length))


def test_every_order_of_stall_recovery_readings_and_scan() -> None:
    seen = set()
    for order in orders():
        walked = walk(order)
        assert (walked.state.verdict, walked.state.due) == (walked.verdict, walked.due), order
        seen.add(walked.verdict)
    assert seen == set(MriVerdict), "every verdict is reached"


def test_no_order_shows_a_recovery_that_no_second_reading_saw() -> None:
    for order in orders():
        state = walk(order).state
        if state.verdict is MriVerdict.RECOVERED:
            assert state.again is not None and state.after is not None
            assert state.again.read_at - state.after.read_at >= WAIT


@pytest.mark.parametrize(("late", "due"), [(-1, MriStep.READ_AGAIN), (0, MriStep.NOTHING), (1, MriStep.NOTHING)])
def test_the_second_reading_counts_from_its_minute_on(late: int, due: MriStep) -> None:
    apart = WAIT + late * timedelta(minutes=1)
    assert walk((READ, DONE, READ, READ), apart).state.due is due


def test_an_emergency_blocks_and_everything_that_is_said_has_words() -> None:
    for order in orders():
        state = walk(order).state
        assert all(sentence(finding) for finding in state.findings)
        blocks = [finding.reason for finding in state.findings if finding.severity is Severity.BLOCK]
        assert blocks == (["no-recovery"] if state.verdict is MriVerdict.NOT_RECOVERED else [])


def test_notes_make_scans_whatever_comes_between() -> None:
    """Two scans, one cancelled and one done, with their notes in every order that can happen."""

    def note(key: str, kind: TherapyEventKind, about: str | None = None) -> TherapyEvent:
        return TherapyEvent(key, "implant", kind, NOON, NOON, "user", about)

    kinds = TherapyEventKind
    notes = [
        note("a", kinds.MRI_PLANNED),
        note("a2", kinds.MRI_CANCELLED, "a"),
        note("b", kinds.MRI_PLANNED),
        note("b2", kinds.MRI_DONE, "b"),
        note("s", kinds.SYSTEM_REVISED),
    ]
    tried = 0
    for order in itertools.permutations(notes):
        keys = [one.id for one in order]
        if keys.index("a") > keys.index("a2") or keys.index("b") > keys.index("b2"):
            continue
        tried += 1
        found = {visit.id: (visit.cancelled, visit.scanned_at) for visit in mri_visits(order)}
        assert found == {"a": (True, None), "b": (False, NOON)}
    assert tried == 30
