"""What a pump's log, alarms and state ask of whoever reads them, as cards.

Law: a card follows from the log, the readings and the record, never from what was typed; it goes when the pump shows
that it is over, or when somebody who may has said so, and no order of events loses one. Ids: docs/clinical-rules.md,
docs/hazards.md; the whole table: docs/pump-events.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

from app.models.catalogue import Catalogue
from app.models.dates_shown import DateLimits, ShownDate, shown_date
from app.models.findings import Finding, Severity
from app.models.formats import plain, rounded
from app.models.interruptions import (
    Gap,
    Interruption,
    InterruptionKind,
    PumpState,
    alarms_in,
    gap_since_fill,
    interruptions,
    unknown_bits,
)
from app.models.pump import Alarm, PumpEvent, PumpEventKind, PumpSettings
from app.models.refill_visit import VisitEvent

_MINUTE = timedelta(minutes=1)


class CardKind(StrEnum):
    """What a card is about. With the log's number it is the card's key."""

    STALL = "stall"
    STOPPED = "stopped"
    STOPPED_LONG = "stopped-long"
    GAP = "gap"
    GAP_REVIEW = "gap-review"
    GAP_STOP = "gap-stop"
    EMPTY = "empty"
    LATE = "late"
    LOW = "low"
    RESET = "reset"
    MEMORY_ERROR = "memory-error"
    ERI = "eri"
    END_OF_SERVICE = "end-of-service"
    CLOCK_OFF = "clock-off"
    CLOCK_FAR = "clock-far"
    OTHER_SETTINGS = "other-settings"
    REVISION_GAP = "revision-gap"
    SYSTEM_REVISED = "system-revised"
    BRIDGE_RUNNING = "bridge-running"
    UNKNOWN = "unknown-event"


class Way(StrEnum):
    """What makes a card go."""

    READ_AGAIN = "read-again"
    """A reading that shows it over: nothing that anybody says."""
    REPROGRAM = "reprogram"
    """A full program, sent and read back."""
    RECONCILE = "reconcile"
    """The pump's settings taken into the record by whoever has seen the difference."""
    PHYSICIAN = "physician"
    """A physician's decision, with its reason."""
    CONFIRM = "confirm"
    """Anybody's word, with its reason."""
    ACKNOWLEDGE = "acknowledge"
    """Having seen it."""


_BEFORE_SENDING = frozenset({VisitEvent.PROPOSED, VisitEvent.SENT, VisitEvent.BOOKED})
_BEFORE_FILLING = _BEFORE_SENDING | {VisitEvent.FILLED}
_BEFORE_CLOSING = frozenset({VisitEvent.BOOKED})
_NOWHERE: frozenset[VisitEvent] = frozenset()


@dataclass(frozen=True, slots=True)
class EventCard:
    """One thing that the pump's events ask.

    ``number`` is the log's number of the event that it is about, 0 for a state that no event began. ``stop``: it takes
    two people to go past it. ``began`` and ``ended`` are on the pump's clock, ``None`` where unknown or going on;
    ``lasted_min`` is in whole minutes, floored, ``None`` where unknown or meaningless. ``gates`` are the steps of a
    visit that it holds up; ``new_decision``: the program that ran before may not simply run on.
    """

    kind: CardKind
    number: int
    rule: str
    reason: str
    critical: bool
    way: Way
    stop: bool = False
    emergency: bool = False
    began: datetime | None = None
    ended: datetime | None = None
    lasted_min: int | None = None
    gates: frozenset[VisitEvent] = _NOWHERE
    new_decision: bool = False
    values: Mapping[str, str | int] = field(default_factory=lambda: MappingProxyType({}))
    parts: tuple[Interruption, ...] = ()

    @property
    def key(self) -> str:
        """What a resolution of this card is kept under."""
        return f"{self.kind.value}:{self.number}"

    @property
    def finding(self) -> Finding:
        """The card as a finding, whose sentence says what to do."""
        return Finding(self.rule, self.severity, self.reason, self.values)

    @property
    def severity(self) -> Severity:
        """How it is marked."""
        if self.stop or (self.critical and self.way is not Way.CONFIRM):
            return Severity.BLOCK
        if self.way is Way.CONFIRM:
            return Severity.CONFIRM
        return Severity.TASK if self.kind in (CardKind.LATE, CardKind.ERI, CardKind.LOW) else Severity.NOTE


@dataclass(frozen=True, slots=True)
class SeenReading:
    """One reading of the pump as far as it is kept for good; ``last_event`` is the last line of its log then."""

    read_at: datetime
    pump_clock: datetime
    revision: int
    running: bool
    reset: bool
    alarms: tuple[Alarm, ...]
    eri_on: datetime | None
    last_event: int
    visit_id: str | None = None

    @property
    def state(self) -> PumpState:
        """What it says about delivery."""
        return PumpState(self.pump_clock, self.running, self.reset, self.alarms)


@dataclass(frozen=True, slots=True)
class OnRecord:
    """What the clinic knows and the pump does not. Moments of the pump's clock carry no offset.

    ``clock`` is what the pump's clock should have shown at the reading. ``settings`` are the program on record and
    ``found`` what the pump says, both ``None`` where there is nothing to compare. ``revision`` is the one that the
    clinic's own orders come to, if that is known. ``reprogrammed``: a program was sent and verified since the reading.
    """

    clock: datetime
    settings: PumpSettings | None = None
    found: PumpSettings | None = None
    revision: int | None = None
    refill_by: datetime | None = None
    empty_at: datetime | None = None
    revised_at: datetime | None = None
    programmed_at: datetime | None = None
    reprogrammed: bool = False


@dataclass(frozen=True, slots=True)
class EventResolution:
    """What somebody said about a card, for good. ``way`` is physician, confirm or acknowledge; ``second_id`` is the
    other person that a STOP card takes."""

    id: str
    implant_id: str
    visit_id: str | None
    card_key: str
    event_number: int
    way: Way
    reason: str
    at: datetime
    by: str
    second_id: str | None = None


def cards_of(
    events: Sequence[PumpEvent],
    readings: Sequence[SeenReading],
    record: OnRecord,
    catalogue: Catalogue,
    *,
    resolved: Collection[str] = (),
) -> tuple[EventCard, ...]:
    """Every open card: critical ones first, then what holds anything up, the latest event first.

    Args:
        events: the whole log, by number.
        readings: every reading on record, oldest first; the last one is what is judged.
        record: what the clinic knows.
        resolved: the keys that somebody has resolved, where that counts for this visit.
    Source: SR-28, U-10 to U-13, LIF-01 to LIF-04, PRO-08, REF-11.
    """
    if not readings:
        return ()
    log = sorted(events, key=lambda event: event.number)
    now = readings[-1]
    found = interruptions(log, now.state, empty_since=record.empty_at)
    cards = [
        *_stalls(found, readings, catalogue),
        *_stopped(found, now, record, catalogue),
        *_gap(gap_since_fill(found, log), catalogue),
        *_reservoir(found, now, record),
        *_memory(found, log, now, record),
        *_battery(log, now, catalogue),
        *_clock(now, record, catalogue),
        *_settings(log, readings, record),
        *_bridge(log, now, record),
        *_unknown(log),
    ]
    still_open = (card for card in cards if card.way in _FACTS or card.key not in resolved)
    return tuple(sorted(still_open, key=lambda card: (not card.critical, not card.stop, not card.gates, -card.number)))


_FACTS = (Way.READ_AGAIN, Way.REPROGRAM, Way.RECONCILE)
"""What no word of anybody's resolves."""


def critical(cards: Collection[EventCard]) -> tuple[EventCard, ...]:
    """Those that hold a visit up from closing."""
    return tuple(card for card in cards if card.critical)


def gating(cards: Collection[EventCard], event: VisitEvent) -> tuple[EventCard, ...]:
    """Those that must be resolved before ``event``."""
    return tuple(card for card in cards if event in card.gates)


# -- the motor ------------------------------------------------------------------------------------------------------


def _stalls(
    found: Sequence[Interruption], readings: Sequence[SeenReading], catalogue: Catalogue
) -> Iterator[EventCard]:
    """Source: LIF-02, H-80."""
    wait = catalogue.rule("lif_02_second_read_min")
    for part in (part for part in found if part.kind is InterruptionKind.STALLED):
        first = next((seen for seen in readings if _saw(seen, part)), readings[-1])
        later = [seen for seen in readings if seen.read_at - first.read_at >= int(wait) * _MINUTE]
        values = {"wait_min": plain(wait), "stalled_for": _spoken(part.lasted)}
        if part.ended is None and later:
            yield _card(
                part, CardKind.STALL, "LIF-02", "no-recovery", Way.PHYSICIAN, stop=True, emergency=True, values=values
            )
        elif part.ended is None:
            yield _card(part, CardKind.STALL, "LIF-02", "stalled", Way.READ_AGAIN, values=values)
        elif not later:
            yield _card(part, CardKind.STALL, "LIF-02", "recovered-once", Way.READ_AGAIN, values=values)
        else:
            yield _card(part, CardKind.STALL, "LIF-02", "recovered", Way.ACKNOWLEDGE, values=values)


def second_read_due(
    card: EventCard, readings: Sequence[SeenReading], catalogue: Catalogue
) -> datetime | None:
    """From when (UTC) another reading can resolve a stall's card; ``None`` for any other card."""
    if card.kind is not CardKind.STALL or card.way is not Way.READ_AGAIN or not readings:
        return None
    part = card.parts[0]
    first = next((seen for seen in readings if _saw(seen, part)), readings[-1])
    return first.read_at + int(catalogue.rule("lif_02_second_read_min")) * _MINUTE


def _saw(seen: SeenReading, part: Interruption) -> bool:
    """Whether a reading showed this stall, by its log or, where the log has no line of it, by its alarm."""
    return seen.last_event >= part.number if part.number else Alarm.MOTOR_STALL in seen.alarms


# -- delivery -------------------------------------------------------------------------------------------------------


def _stopped(
    found: Sequence[Interruption], now: SeenReading, record: OnRecord, catalogue: Catalogue
) -> Iterator[EventCard]:
    """Source: U-10, LIF-03, H-57."""
    if now.running or record.reprogrammed:
        return
    part = next(part for part in found if part.kind is InterruptionKind.STOPPED and part.ended is None)
    limit = catalogue.rule("lif_03_stopped_h")
    long = Alarm.STOPPED_TOO_LONG in now.alarms or part.lasted is None or part.lasted > int(limit) * 60 * _MINUTE
    kind, rule, reason = (
        (CardKind.STOPPED_LONG, "LIF-03", "stopped-long") if long else (CardKind.STOPPED, "U-10", "stopped-now")
    )
    values = {"stopped_for": _spoken(part.lasted), "limit_h": plain(limit)}
    yield _card(part, kind, rule, reason, Way.PHYSICIAN, stop=True, values=values)


def _gap(gap: Gap, catalogue: Catalogue) -> Iterator[EventCard]:
    """Source: PRO-08, SR-28, H-29, H-81."""
    level = gap_level(gap.lasted, catalogue)
    if level is None or not gap.parts:
        return
    values = {
        "interrupted_for": _spoken(gap.lasted),
        "review_h": plain(catalogue.rule("pro_08_review_h")),
        "restart_percent": plain(catalogue.rule("pro_08_restart_percent")),
    }
    starts, ends = [part.began for part in gap.parts], [part.ended for part in gap.parts]
    yield EventCard(
        kind=level,
        number=gap.number,
        rule="PRO-08",
        reason="gap-unknown" if gap.lasted is None else level.value,
        critical=level is not CardKind.GAP,
        way=Way.ACKNOWLEDGE if level is CardKind.GAP else Way.PHYSICIAN,
        stop=level is CardKind.GAP_STOP,
        began=None if None in starts else min(start for start in starts if start),
        ended=None if None in ends else max(end for end in ends if end),
        lasted_min=_minutes(gap.lasted),
        gates=_NOWHERE if level is CardKind.GAP else _BEFORE_FILLING,
        new_decision=level is not CardKind.GAP,
        values=values,
        parts=gap.parts,
    )


def gap_level(lasted: timedelta | None, catalogue: Catalogue) -> CardKind | None:
    """How serious an interruption of this length is; ``None`` below a minute. Not known is as serious as can be.

    More than ``pro_08_review_h`` asks a physician; ``pro_08_interruption_h`` and more is a STOP card, the stricter of
    PRO-08 (from 48 h on) and H-81 (above 48 h).
    """
    if lasted is None or lasted >= int(catalogue.rule("pro_08_interruption_h")) * 60 * _MINUTE:
        return CardKind.GAP_STOP
    if lasted > int(catalogue.rule("pro_08_review_h")) * 60 * _MINUTE:
        return CardKind.GAP_REVIEW
    return CardKind.GAP if lasted >= _MINUTE else None


def restart_findings(
    cards: Collection[EventCard], *, before: Fraction, proposed: Fraction, catalogue: Catalogue
) -> tuple[Finding, ...]:
    """What a proposed daily dose must be asked after an interruption, resolved or not. Doses in mcg/day.

    From ``pro_08_interruption_h`` on, or unknown, more than ``pro_08_restart_percent`` of the dose before asks for a
    reason. Source: PRO-08.
    """
    percent = catalogue.rule("pro_08_restart_percent")
    limit = before * percent / 100
    if not any(card.kind is CardKind.GAP_STOP for card in cards) or proposed <= limit:
        return ()
    values = {
        "proposed_mcg": rounded(proposed, 3),
        "limit_mcg": rounded(limit, 3),
        "restart_percent": plain(percent),
        "before_mcg": rounded(before, 3),
    }
    return (Finding("PRO-08", Severity.CONFIRM, "restart-dose", values),)


# -- the reservoir --------------------------------------------------------------------------------------------------


def _reservoir(found: Sequence[Interruption], now: SeenReading, record: OnRecord) -> Iterator[EventCard]:
    """Source: REF-11, LIF-04."""
    empty = [part for part in found if part.kind is InterruptionKind.EMPTY and part.ended is None]
    for part in empty:
        values = {"empty_for": _spoken(part.lasted)}
        yield _card(
            part, CardKind.EMPTY, "REF-11", "empty-now", Way.PHYSICIAN, values=values, gates=_BEFORE_FILLING, new=True
        )
    if empty:
        return
    if record.refill_by is not None and now.pump_clock > record.refill_by:
        late = (now.pump_clock - record.refill_by) // timedelta(days=1)
        yield EventCard(
            CardKind.LATE, 0, "REF-11", "late", False, Way.ACKNOWLEDGE, began=record.refill_by,
            values={"late_days": late},
        )  # fmt: skip
    if Alarm.LOW_RESERVOIR in now.alarms:
        yield EventCard(CardKind.LOW, 0, "LIF-04", "alarm-low-reservoir", False, Way.ACKNOWLEDGE)


# -- memory ---------------------------------------------------------------------------------------------------------


def _memory(
    found: Sequence[Interruption], log: Sequence[PumpEvent], now: SeenReading, record: OnRecord
) -> Iterator[EventCard]:
    """Source: U-11, H-83, H-88."""
    for part in (part for part in found if part.kind is InterruptionKind.RESET):
        if part.ended is None and not record.reprogrammed:
            yield _card(
                part, CardKind.RESET, "U-11", _cause(part, log, now), Way.REPROGRAM, stop=True,
                gates=_BEFORE_CLOSING, new=True,
            )  # fmt: skip
        else:
            yield _card(part, CardKind.RESET, "U-11", "reset-before", Way.ACKNOWLEDGE)
    last_commit = max((event.number for event in log if event.kind is PumpEventKind.COMMITTED), default=0)
    errors = _alarmed(log, Alarm.MEMORY_ERROR)
    number = errors[-1].number if errors else 0
    sounding = Alarm.MEMORY_ERROR in now.alarms
    if not errors and not sounding:
        return
    at = errors[-1].at if errors else None
    if (sounding or number > last_commit) and not record.reprogrammed:
        yield EventCard(
            CardKind.MEMORY_ERROR, number, "U-11", "memory-error", True, Way.REPROGRAM, stop=True, began=at,
            gates=_BEFORE_CLOSING, new_decision=True,
        )  # fmt: skip
    else:
        yield EventCard(
            CardKind.MEMORY_ERROR, number, "U-11", "memory-error-before", False, Way.ACKNOWLEDGE, began=at
        )


def _cause(part: Interruption, log: Sequence[PumpEvent], now: SeenReading) -> str:
    told = {alarm for event in log if event.number > part.number and event.kind is PumpEventKind.ALARM
            for alarm in alarms_in(event.value)}  # fmt: skip
    return "battery-reset" if Alarm.LOW_BATTERY_RESET in {*told, *now.alarms} else "memory-reset-now"


# -- the battery ----------------------------------------------------------------------------------------------------


def replace_by(eri_on: datetime, catalogue: Catalogue, *, at: datetime, said: str | None = None) -> ShownDate:
    """The day by which a pump must be replaced whose indicator came up at ``eri_on``; moments on the pump's clock.

    ``said`` is a day in the pump's or programmer's own words; ``None``: it says none, and the day is worked out. A day
    that cannot be true is not shown. Source: U-13, LIF-01, H-82.
    """
    limits = DateLimits.of(catalogue)
    day = (eri_on + timedelta(days=limits.after_eri_days)).date()
    return shown_date("replace by", day if said is None else said, today=at.date(), limits=limits, eri_on=eri_on.date())


def _battery(log: Sequence[PumpEvent], now: SeenReading, catalogue: Catalogue) -> Iterator[EventCard]:
    """Source: LIF-01, U-13, H-82."""
    ended, worn = _alarmed(log, Alarm.END_OF_SERVICE), _alarmed(log, Alarm.ERI)
    if ended or Alarm.END_OF_SERVICE in now.alarms:
        first = ended[0] if ended else None
        yield EventCard(
            CardKind.END_OF_SERVICE, first.number if first else 0, "LIF-01", "end-of-service", True, Way.PHYSICIAN,
            began=first.at if first else None, gates=_BEFORE_SENDING,
        )  # fmt: skip
    elif worn or Alarm.ERI in now.alarms:
        first = worn[0] if worn else None
        since = now.eri_on or (first.at if first else None)
        due = replace_by(since, catalogue, at=now.pump_clock) if since and since <= now.pump_clock else None
        on = due.at if due is not None else None
        values = {} if on is None else {"replace_by": f"{on.day}\u00a0{on:%b}\u00a0{on.year}"}
        yield EventCard(
            CardKind.ERI, first.number if first else 0, "LIF-01" if values else "U-13",
            "replace-by" if values else "replace-by-unknown", False, Way.ACKNOWLEDGE, began=since, values=values,
        )  # fmt: skip


def _alarmed(log: Sequence[PumpEvent], alarm: Alarm) -> list[PumpEvent]:
    return [event for event in log if event.kind is PumpEventKind.ALARM and alarm in alarms_in(event.value)]


# -- the clock ------------------------------------------------------------------------------------------------------


def _clock(now: SeenReading, record: OnRecord, catalogue: Catalogue) -> Iterator[EventCard]:
    """Source: U-12, H-49: the stricter of both, whatever the program."""
    offset = abs(now.pump_clock - record.clock)
    values = {"offset_min": offset // _MINUTE}
    if offset > int(catalogue.rule("u_12_clock_block_min")) * _MINUTE:
        yield EventCard(
            CardKind.CLOCK_FAR, 0, "U-12", "clock-far", True, Way.PHYSICIAN, stop=True, gates=_BEFORE_SENDING,
            values=values,
        )  # fmt: skip
    elif offset > int(catalogue.rule("u_12_clock_confirm_min")) * _MINUTE:
        yield EventCard(
            CardKind.CLOCK_OFF, 0, "U-12", "clock-near", False, Way.CONFIRM, gates=_BEFORE_SENDING, values=values
        )


# -- what others did ------------------------------------------------------------------------------------------------


def _settings(log: Sequence[PumpEvent], readings: Sequence[SeenReading], record: OnRecord) -> Iterator[EventCard]:
    """Source: U-11, H-74, H-30."""
    now = readings[-1]
    commits = [event for event in log if event.kind is PumpEventKind.COMMITTED]
    last = commits[-1] if commits else None
    other = record.settings is not None and record.found is not None and record.settings != record.found
    if other and not now.reset:
        yield EventCard(
            CardKind.OTHER_SETTINGS, last.number if last else 0, "U-11", "other-settings", True, Way.RECONCILE,
            began=last.at if last else None, gates=_BEFORE_SENDING, values={"revision": now.revision},
        )  # fmt: skip
    elif record.revision is not None and record.revision != now.revision and not now.reset:
        yield EventCard(
            CardKind.REVISION_GAP, 0, "U-11", "revision-gap", False, Way.ACKNOWLEDGE,
            values={"revision": now.revision, "expected": record.revision},
        )  # fmt: skip
    if record.revised_at is not None and (record.programmed_at is None or record.programmed_at < record.revised_at):
        yield EventCard(
            CardKind.SYSTEM_REVISED, 0, "H-30", "system-revised", True, Way.PHYSICIAN, began=record.revised_at,
            gates=_BEFORE_SENDING, new_decision=True,
        )  # fmt: skip


def _bridge(log: Sequence[PumpEvent], now: SeenReading, record: OnRecord) -> Iterator[EventCard]:
    """Source: hazards, 5.2: a bridge that runs is a STOP card."""
    bridge = record.found.bridge if record.found is not None else None
    lines = [event for event in log if event.kind in (PumpEventKind.COMMITTED, PumpEventKind.BRIDGE_ENDED)]
    if bridge is None or not lines or lines[-1].kind is PumpEventKind.BRIDGE_ENDED or record.reprogrammed:
        return
    began = lines[-1].at
    ends = began + bridge.duration_min * _MINUTE
    if now.running and now.pump_clock < ends:
        yield EventCard(
            CardKind.BRIDGE_RUNNING, lines[-1].number, "CON-02", "bridge-running", True, Way.PHYSICIAN, stop=True,
            began=began, ended=ends, gates=_BEFORE_SENDING,
        )  # fmt: skip


def _unknown(log: Sequence[PumpEvent]) -> Iterator[EventCard]:
    """One card for each code, and each alarm bit, that has no name here. Source: R-6."""
    groups: dict[tuple[int, int], list[PumpEvent]] = {}
    for event in log:
        if event.kind is None:
            groups.setdefault((event.code, 0), []).append(event)
        elif event.kind is PumpEventKind.ALARM and unknown_bits(event.value):
            groups.setdefault((event.code, unknown_bits(event.value)), []).append(event)
    for (code, bits), lines in groups.items():
        values: dict[str, str | int] = {"code": code, "value": bits or lines[-1].value, "times": len(lines)}
        yield EventCard(
            CardKind.UNKNOWN, lines[-1].number, "R-6", "unknown-event", False, Way.ACKNOWLEDGE,
            began=lines[0].at, ended=lines[-1].at, values=values,
        )  # fmt: skip


# -- helpers --------------------------------------------------------------------------------------------------------


def _card(
    part: Interruption,
    kind: CardKind,
    rule: str,
    reason: str,
    way: Way,
    *,
    stop: bool = False,
    emergency: bool = False,
    values: Mapping[str, str | int] = MappingProxyType({}),
    gates: frozenset[VisitEvent] = _BEFORE_SENDING,
    new: bool = False,
) -> EventCard:
    """A card about one interruption; one that only wants to be seen is not critical and holds nothing up."""
    seen = way is Way.ACKNOWLEDGE
    return EventCard(
        kind=kind,
        number=part.number,
        rule=rule,
        reason=reason,
        critical=not seen,
        way=way,
        stop=stop,
        emergency=emergency,
        began=part.began,
        ended=part.ended,
        lasted_min=_minutes(part.lasted),
        gates=_NOWHERE if seen else gates,
        new_decision=new,
        values=values,
        parts=(part,),
    )


def _minutes(lasted: timedelta | None) -> int | None:
    return None if lasted is None else lasted // _MINUTE


def _spoken(lasted: timedelta | None) -> str:
    """A length for a sentence, floored to the minute: ``49 h 5 min``; ``an unknown time`` if it is not known."""
    if lasted is None:
        return "an unknown time"
    hours, minutes = divmod(lasted // _MINUTE, 60)
    if not hours:
        return f"{minutes}\u00a0min"
    return f"{hours}\u00a0h {minutes}\u00a0min" if minutes else f"{hours}\u00a0h"
