"""Cards from a pump's events: every order of ten kinds of event against a table written here, and every boundary."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from app.documents.catalogue import load_catalogue
from app.models.findings import Severity
from app.models.interruptions import CLOCK_EPOCH, PumpState, alarms_in, gap_since_fill, interruptions
from app.models.program import OneTimeBolus, OneTimeKind, Program, SimpleContinuous
from app.models.pump import Alarm, PumpEvent, PumpEventKind, PumpSettings
from app.models.pump_events import (
    CardKind,
    EventCard,
    OnRecord,
    SeenReading,
    Way,
    cards_of,
    critical,
    gap_level,
    gating,
    replace_by,
    restart_findings,
    second_read_due,
)
from app.models.quantities import Concentration, DoseRate, Volume
from app.models.refill_visit import VisitEvent
from app.models.rule_texts import sentence

CATALOGUE = load_catalogue()
NOON = datetime(2026, 11, 20, 12, 0)
READ_AT = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
KINDS = list(PumpEventKind)
SETTINGS = PumpSettings(
    "baclofen", Concentration.mcg_per_ml(1000), Program(SimpleContinuous(DoseRate.mcg_per_day(300))), Volume.ml(2)
)


def bit(alarm: Alarm) -> int:
    return 1 << list(Alarm).index(alarm)


def event(number: int, kind: PumpEventKind | None, at: datetime, value: int = 0, code: int = 99) -> PumpEvent:
    return PumpEvent(number, at, kind, code if kind is None else KINDS.index(kind) + 1, value)


def reading(at: datetime = READ_AT, clock: datetime = NOON, last: int = 9, **changes: object) -> SeenReading:
    seen = SeenReading(at, clock, 1, True, False, (), None, last)
    return replace(seen, **changes)  # type: ignore[arg-type]


def cards(*events: PumpEvent, read: SeenReading | None = None, record: OnRecord | None = None) -> tuple[EventCard, ...]:
    read = read or reading(last=max((one.number for one in events), default=0))
    return cards_of(events, (read,), record or OnRecord(clock=read.pump_clock), CATALOGUE)


def kinds(found: tuple[EventCard, ...]) -> set[str]:
    return {f"{card.kind.value}/{card.reason}" for card in found}


# -- every order of ten kinds of event --------------------------------------------------------------------------------

TEN = ("stop", "start", "stall", "recover", "reset", "commit", "fill", "empty", "battery", "unknown")


def told(order: tuple[str, ...]) -> tuple[list[PumpEvent], SeenReading]:
    """A log with those events an hour apart, the last one an hour before the reading, and what the pump then says."""
    kind_of = {
        "stop": PumpEventKind.STOPPED,
        "start": PumpEventKind.STARTED,
        "stall": PumpEventKind.STALLED,
        "recover": PumpEventKind.RECOVERED,
        "reset": PumpEventKind.RESET,
        "commit": PumpEventKind.COMMITTED,
        "fill": PumpEventKind.FILLED,
        "empty": PumpEventKind.ALARM,
        "battery": PumpEventKind.ALARM,
        "unknown": None,
    }
    value = {"empty": bit(Alarm.EMPTY_RESERVOIR), "battery": bit(Alarm.ERI), "commit": 2}
    begin = NOON - len(order) * HOUR
    log = [event(i + 1, kind_of[name], begin + i * HOUR, value.get(name, 0)) for i, name in enumerate(order)]
    holds = {name: is_last(order, name, *ends) for name, ends in ENDED_BY.items()}
    alarms = {"stall": Alarm.MOTOR_STALL, "empty": Alarm.EMPTY_RESERVOIR, "battery": Alarm.ERI}
    sounding = tuple(alarm for name, alarm in alarms.items() if holds[name])
    return log, reading(
        last=len(order), running=not holds["stop"], reset=holds["reset"], alarms=sounding
    )


ENDED_BY = {"stop": ("start",), "stall": ("recover",), "reset": ("commit",), "empty": ("fill",), "battery": ()}


def is_last(order: tuple[str, ...], name: str, *ends: str) -> bool:
    """Whether ``name`` happened and none of ``ends`` after it."""
    return name in order and not any(end in order and order.index(end) > order.index(name) for end in ends)


def expected(order: tuple[str, ...]) -> set[str]:
    """The table of docs/pump-events.md, by comparing places in the order and nothing else."""
    place = {name: i for i, name in enumerate(order)}
    cards: set[str] = set()
    if "unknown" in place:
        cards.add("unknown-event/unknown-event")
    if "battery" in place:
        cards.add("eri/replace-by")
    if is_last(order, "stop", "start"):
        cards.add("stopped/stopped-now")
    if is_last(order, "empty", "fill"):
        cards.add("empty/empty-now")
    if "reset" in place:
        cards.add("reset/memory-reset-now" if is_last(order, "reset", "commit") else "reset/reset-before")
    if is_last(order, "stall", "recover"):
        cards.add("stall/stalled")
    if "recover" in place:
        cards.add("stall/recovered-once")
    filled = place.get("fill", -1)
    orphan = "recover" in place and place.get("stall", 9) > place["recover"]
    if orphan and place["recover"] > filled:
        return cards | {"gap-stop/gap-unknown"}
    hours: set[int] = set()
    for name in ("stop", "stall", "reset", "empty"):
        if name not in place:
            continue
        ends = [place[end] for end in ENDED_BY[name] if place.get(end, -1) > place[name]]
        end = min(ends, default=len(order))
        if end > filled:
            hours |= set(range(place[name], end))
    return cards | {"gap/gap"} if hours else cards


def test_no_order_of_up_to_five_of_ten_events_loses_or_adds_a_card() -> None:
    count = 0
    for length in range(6):
        for order in itertools.permutations(TEN, length):
            log, read = told(order)
            found = cards_of(log, (read,), OnRecord(clock=NOON), CATALOGUE)
            assert kinds(found) == expected(order), order
            assert len(found) == len({card.key for card in found})
            count += 1
    assert count == 36_101


def test_the_log_may_come_in_any_order() -> None:
    log, read = told(("stall", "empty", "reset", "recover", "unknown"))
    wanted = cards_of(log, (read,), OnRecord(clock=NOON), CATALOGUE)
    for shuffled in itertools.permutations(log):
        assert cards_of(shuffled, (read,), OnRecord(clock=NOON), CATALOGUE) == wanted


def test_every_card_has_a_sentence_of_at_most_25_words() -> None:
    seen = 0
    for order in itertools.permutations(TEN, 3):
        log, read = told(order)
        for card in cards_of(log, (read,), OnRecord(clock=NOON - 11 * MINUTE), CATALOGUE):
            assert 3 < len(sentence(card.finding).split()) <= 25, sentence(card.finding)
            seen += 1
    assert seen > 1000


# -- the motor --------------------------------------------------------------------------------------------------------

STALL = event(1, PumpEventKind.STALLED, NOON - 3 * HOUR)
RECOVERY = event(2, PumpEventKind.RECOVERED, NOON - HOUR)


def stall_cards(*events: PumpEvent, minutes: Fraction, last: tuple[int, int]) -> EventCard:
    """The stall's card after two readings so many minutes apart, which saw so many events."""
    later = timedelta(seconds=int(minutes * 60))
    readings = (reading(last=last[0]), reading(READ_AT + later, NOON + later, last=last[1]))
    found = cards_of(events, readings, OnRecord(clock=NOON + later), CATALOGUE)
    return next(card for card in found if card.kind is CardKind.STALL)


@pytest.mark.parametrize(("minutes", "reason"), [("19.9", "stalled"), ("20", "no-recovery"), ("20.1", "no-recovery")])
def test_a_stall_without_recovery_is_an_emergency_at_the_second_reading(minutes: str, reason: str) -> None:
    card = stall_cards(STALL, minutes=Fraction(minutes), last=(1, 1))
    emergency = reason == "no-recovery"
    assert (card.reason, card.critical, card.stop, card.emergency) == (reason, True, emergency, emergency)
    assert card.way is (Way.PHYSICIAN if emergency else Way.READ_AGAIN)


@pytest.mark.parametrize(("minutes", "reason"), [("19.9", "recovered-once"), ("20", "recovered"), ("60", "recovered")])
def test_a_recovery_counts_once_two_readings_apart_agree(minutes: str, reason: str) -> None:
    card = stall_cards(STALL, RECOVERY, minutes=Fraction(minutes), last=(1, 2))
    assert (card.reason, card.critical) == (reason, reason != "recovered")
    assert (card.began, card.ended, card.lasted_min) == (STALL.at, RECOVERY.at, 120)


def test_one_reading_of_a_recovery_is_not_enough_however_long_ago_it_was() -> None:
    (card,) = (card for card in cards(STALL, RECOVERY) if card.kind is CardKind.STALL)
    assert (card.reason, card.way, card.severity) == ("recovered-once", Way.READ_AGAIN, Severity.BLOCK)
    assert second_read_due(card, (reading(last=2),), CATALOGUE) == READ_AT + 20 * MINUTE


def test_no_word_resolves_what_a_reading_must_show() -> None:
    found = cards_of((STALL,), (reading(last=1),), OnRecord(clock=NOON), CATALOGUE, resolved={"stall:1"})
    assert "stall/stalled" in kinds(found)


def test_an_alarm_without_a_line_in_the_log_is_a_stall_all_the_same() -> None:
    found = cards(read=reading(alarms=(Alarm.MOTOR_STALL,), last=0))
    assert kinds(found) == {"stall/stalled", "gap-stop/gap-unknown"}


# -- interruptions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "minutes", "kind"),
    [
        (0, 0, None),
        (0, 1, CardKind.GAP),
        (24, 0, CardKind.GAP),
        (24, 1, CardKind.GAP_REVIEW),
        (47, 0, CardKind.GAP_REVIEW),
        (47, 59, CardKind.GAP_REVIEW),
        (48, 0, CardKind.GAP_STOP),
        (49, 0, CardKind.GAP_STOP),
    ],
)
def test_the_gap_is_judged_at_its_boundaries(hours: int, minutes: int, kind: CardKind | None) -> None:
    lasted = timedelta(hours=hours, minutes=minutes)
    assert gap_level(lasted, CATALOGUE) is kind
    begin = NOON - 100 * HOUR
    found = cards(
        event(1, PumpEventKind.FILLED, begin - HOUR),
        event(2, PumpEventKind.STOPPED, begin),
        event(3, PumpEventKind.STARTED, begin + lasted),
    )
    assert {card.kind for card in found} == ({kind} if kind else set())
    if kind in (CardKind.GAP_REVIEW, CardKind.GAP_STOP):
        (card,) = found
        assert card.new_decision and card.stop is (kind is CardKind.GAP_STOP)
        assert card.lasted_min == hours * 60 + minutes


def test_a_second_short_of_two_days_is_not_two_days() -> None:
    assert gap_level(timedelta(hours=48) - timedelta(seconds=1), CATALOGUE) is CardKind.GAP_REVIEW
    assert gap_level(timedelta(hours=24) + timedelta(seconds=1), CATALOGUE) is CardKind.GAP_REVIEW
    assert gap_level(None, CATALOGUE) is CardKind.GAP_STOP


def test_what_overlaps_counts_once_and_what_lies_apart_is_added() -> None:
    log = [
        event(1, PumpEventKind.STOPPED, NOON - 30 * HOUR),
        event(2, PumpEventKind.STALLED, NOON - 29 * HOUR),
        event(3, PumpEventKind.STARTED, NOON - 27 * HOUR),
        event(4, PumpEventKind.RECOVERED, NOON - 26 * HOUR),
        event(5, PumpEventKind.STOPPED, NOON - 10 * HOUR),
        event(6, PumpEventKind.STARTED, NOON - 8 * HOUR),
    ]
    gap = gap_since_fill(interruptions(log, PumpState(NOON, True, False)), log)
    assert gap.lasted == 6 * HOUR
    # The other way: count the minutes in which anything stood still.
    still = [
        minute
        for minute in range(40 * 60)
        if any(a <= minute < b for a, b in ((600, 780), (660, 840), (1800, 1920)))
    ]
    assert gap.lasted == len(still) * MINUTE
    inside = [log[0], log[1], replace(log[3], number=3, at=NOON - 28 * HOUR), replace(log[2], number=4)]
    assert gap_since_fill(interruptions(inside, PumpState(NOON, True, False)), inside).lasted == 3 * HOUR


def test_a_stop_that_a_reset_ended_is_over_once_the_pump_is_seen_running() -> None:
    log = (
        event(1, PumpEventKind.STOPPED, NOON - 10 * HOUR),
        event(2, PumpEventKind.RESET, NOON - 9 * HOUR),
        event(3, PumpEventKind.COMMITTED, NOON - 7 * HOUR, 2),
    )
    (gap,) = (card for card in cards(*log) if card.kind is CardKind.GAP)
    assert (gap.lasted_min, gap.ended) == (3 * 60, NOON - 7 * HOUR)
    still = cards(*log, read=reading(running=False, last=3))
    assert {card.kind: card.lasted_min for card in still}[CardKind.STOPPED] == 10 * 60
    again = (*log, event(4, PumpEventKind.STOPPED, NOON - 2 * HOUR), event(5, PumpEventKind.STARTED, NOON - HOUR))
    (gap,) = (card for card in cards(*again) if card.kind is CardKind.GAP)
    assert gap.lasted_min == 4 * 60


def test_a_pump_without_a_minimum_rate_stands_still_from_its_reset_on() -> None:
    found = cards(event(1, PumpEventKind.RESET, NOON - 3 * HOUR), read=reading(running=False, reset=True, last=1))
    assert kinds(found) == {"stopped/stopped-now", "reset/memory-reset-now", "gap/gap"}
    assert len({card.key for card in found}) == 3


def test_what_ended_before_the_last_fill_does_not_count_and_what_goes_on_counts_whole() -> None:
    log = [
        event(1, PumpEventKind.STOPPED, NOON - 80 * HOUR),
        event(2, PumpEventKind.STARTED, NOON - 20 * HOUR),
        event(3, PumpEventKind.FILLED, NOON - 10 * HOUR),
    ]
    assert cards(*log) == ()
    filled_while_stopped = (log[0], replace(log[2], number=2))
    found = cards(*filled_while_stopped, read=reading(running=False, last=2))
    assert kinds(found) == {"stopped-long/stopped-long", "gap-stop/gap-stop"}


def test_a_fill_that_starts_the_pump_again_ends_the_gap_with_it() -> None:
    at = NOON - 10 * HOUR
    log = (
        event(1, PumpEventKind.STOPPED, NOON - 80 * HOUR),
        event(2, PumpEventKind.FILLED, at),
        event(3, PumpEventKind.STARTED, at),
        event(4, PumpEventKind.COMMITTED, at, 2),
    )
    assert cards(*log) == ()


@pytest.mark.parametrize("jump", [-5 * HOUR, 5 * HOUR])
def test_putting_the_clock_changes_no_length(jump: timedelta) -> None:
    put = NOON - 30 * HOUR
    old = int((put - CLOCK_EPOCH).total_seconds())
    log = [
        event(1, PumpEventKind.STOPPED, NOON - 40 * HOUR),
        event(2, PumpEventKind.CLOCK_SET, put + jump, old),
        event(3, PumpEventKind.STARTED, NOON - 17 * HOUR + jump),
    ]
    gap = gap_since_fill(interruptions(log, PumpState(NOON + jump, True, False)), log)
    assert gap.lasted == 23 * HOUR


def test_a_clock_that_went_back_unlogged_leaves_the_length_unknown() -> None:
    log = (event(1, PumpEventKind.STOPPED, NOON - HOUR), event(2, PumpEventKind.STARTED, NOON - 2 * HOUR))
    assert kinds(cards(*log)) == {"gap-stop/gap-unknown"}


def test_the_pump_stands_still_without_a_line_in_its_log() -> None:
    assert kinds(cards(read=reading(running=False, last=0))) == {"stopped-long/stopped-long", "gap-stop/gap-unknown"}


@pytest.mark.parametrize(("hours", "kind"), [(48, CardKind.STOPPED), (49, CardKind.STOPPED_LONG)])
def test_a_pump_stopped_for_more_than_two_days_may_be_damaged(hours: int, kind: CardKind) -> None:
    found = cards(event(1, PumpEventKind.STOPPED, NOON - hours * HOUR), read=reading(running=False, last=1))
    assert {card.kind for card in found} == {kind, CardKind.GAP_STOP}
    assert all(card.stop and card.critical for card in found)


def test_the_emptier_of_pump_and_record_counts() -> None:
    alarm = event(1, PumpEventKind.ALARM, NOON - 10 * HOUR, bit(Alarm.EMPTY_RESERVOIR))
    read = reading(alarms=(Alarm.EMPTY_RESERVOIR,), last=1)
    for by_record, hours in ((None, 10), (NOON - 12 * HOUR, 12), (NOON - 8 * HOUR, 10)):
        found = cards(alarm, read=read, record=OnRecord(clock=NOON, empty_at=by_record))
        (empty,) = (card for card in found if card.kind is CardKind.EMPTY)
        assert empty.lasted_min == hours * 60
    only_record = cards(read=reading(last=0), record=OnRecord(clock=NOON, empty_at=NOON))
    assert kinds(only_record) == {"empty/empty-now"}
    assert cards(read=reading(last=0), record=OnRecord(clock=NOON, empty_at=NOON + MINUTE)) == ()


def test_half_the_dose_after_two_days_and_no_limit_before() -> None:
    gap = cards(event(1, PumpEventKind.STALLED, NOON - 48 * HOUR), event(2, PumpEventKind.RECOVERED, NOON))
    at_most = Fraction(150)
    for proposed, asked in ((at_most, False), (at_most + Fraction(1, 10**9), True), (Fraction(300), True)):
        found = restart_findings(gap, before=Fraction(300), proposed=proposed, catalogue=CATALOGUE)
        assert [finding.rule for finding in found] == (["PRO-08"] if asked else [])
    short = cards(event(1, PumpEventKind.STALLED, NOON - 47 * HOUR), event(2, PumpEventKind.RECOVERED, NOON))
    assert restart_findings(short, before=Fraction(300), proposed=Fraction(300), catalogue=CATALOGUE) == ()


# -- memory, battery, clock, others ------------------------------------------------------------------------------------


def test_a_reset_can_only_be_programmed_away_and_holds_up_no_proposal() -> None:
    log = (event(1, PumpEventKind.RESET, NOON), event(2, PumpEventKind.ALARM, NOON, bit(Alarm.LOW_BATTERY_RESET)))
    read = reading(reset=True, last=2, alarms=(Alarm.LOW_BATTERY_RESET,))
    (card,) = cards(*log, read=read)
    assert (card.reason, card.way, card.stop, card.new_decision) == ("battery-reset", Way.REPROGRAM, True, True)
    assert gating((card,), VisitEvent.PROPOSED) == () and gating((card,), VisitEvent.BOOKED) == (card,)
    after = cards(*log, read=read, record=OnRecord(clock=NOON, reprogrammed=True))
    assert kinds(after) == {"reset/reset-before"} and critical(after) == ()


def test_a_memory_error_asks_for_a_full_program_until_one_came_after_it() -> None:
    error = event(1, PumpEventKind.ALARM, NOON - HOUR, bit(Alarm.MEMORY_ERROR))
    assert kinds(cards(error)) == {"memory-error/memory-error"}
    assert kinds(cards(error, event(2, PumpEventKind.COMMITTED, NOON, 2))) == {"memory-error/memory-error-before"}


@pytest.mark.parametrize(("seconds", "kind"), [(120, None), (121, "clock-off"), (600, "clock-off"), (601, "clock-far")])
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_clock_is_judged_to_the_second_on_both_sides(seconds: int, kind: str | None, sign: int) -> None:
    found = cards(read=reading(last=0), record=OnRecord(clock=NOON + sign * timedelta(seconds=seconds)))
    assert [card.kind.value for card in found] == ([kind] if kind else [])
    for card in found:
        assert card.way is (Way.PHYSICIAN if kind == "clock-far" else Way.CONFIRM)
        assert gating(found, VisitEvent.PROPOSED) == found


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (None, date(2026, 12, 31)),
        ("2026-12-31", date(2026, 12, 31)),
        ("2027-01-01", None),
        ("2026-11-19", date(2026, 11, 19)),
        ("2026-11-18", None),
        ("?????", None),
        ("", None),
    ],
)
def test_an_impossible_replace_by_date_is_never_shown(said: str | None, shown: date | None) -> None:
    on = replace_by(datetime(2026, 10, 2, 8), CATALOGUE, at=NOON, said=said)
    assert on.at == shown
    assert (on.finding is None) is (shown is not None)


def test_the_indicators_card_says_by_when_or_that_it_is_unknown() -> None:
    log = (event(1, PumpEventKind.ALARM, datetime(2026, 10, 2, 8), bit(Alarm.ERI)),)
    (card,) = cards(*log, read=reading(alarms=(Alarm.ERI,), last=1))
    assert (card.reason, card.values["replace_by"], card.critical) == ("replace-by", "31\u00a0Dec\u00a02026", False)
    for broken in (NOON + HOUR, NOON - timedelta(days=92)):
        (card,) = cards(*log, read=reading(alarms=(Alarm.ERI,), last=1, eri_on=broken))
        assert (card.rule, card.reason) == ("U-13", "replace-by-unknown")
    (card,) = cards(read=reading(alarms=(Alarm.ERI,), last=0))
    assert card.reason == "replace-by-unknown"
    ended = event(2, PumpEventKind.ALARM, NOON - HOUR, bit(Alarm.END_OF_SERVICE))
    assert "end-of-service/end-of-service" in kinds(cards(*log, ended))


def test_other_settings_must_be_reconciled_and_a_revision_alone_is_told() -> None:
    other = replace(SETTINGS, low_alarm=Volume.ml(3))
    log = (event(1, PumpEventKind.COMMITTED, NOON - HOUR, 7),)
    read = reading(last=1, revision=7)
    same = OnRecord(clock=NOON, settings=SETTINGS, found=SETTINGS, revision=7)
    assert cards(*log, read=read, record=same) == ()
    (card,) = cards(*log, read=read, record=replace(same, found=other))
    assert (card.key, card.way, card.critical, card.began) == ("other-settings:1", Way.RECONCILE, True, NOON - HOUR)
    (card,) = cards(*log, read=read, record=replace(same, revision=5))
    assert (card.kind, card.critical, dict(card.values)) == (
        CardKind.REVISION_GAP, False, {"revision": 7, "expected": 5}
    )  # fmt: skip


def test_a_revised_system_asks_for_a_new_dose_until_a_program_came_after_it() -> None:
    revised = OnRecord(clock=NOON, revised_at=NOON - HOUR, programmed_at=NOON - 2 * HOUR)
    (card,) = cards(read=reading(last=0), record=revised)
    assert card.kind is CardKind.SYSTEM_REVISED and card.new_decision and card.critical
    assert cards(read=reading(last=0), record=replace(revised, programmed_at=NOON - HOUR)) == ()


@pytest.mark.parametrize(("minutes", "runs"), [(59, True), (60, False)])
def test_a_bridge_that_runs_is_a_stop(minutes: int, runs: bool) -> None:
    bridged = replace(SETTINGS, bridge=OneTimeBolus(OneTimeKind.BRIDGE, Volume.ml(Fraction("0.3")), 60))
    log = (event(1, PumpEventKind.COMMITTED, NOON - minutes * MINUTE, 1),)
    found = cards(*log, record=OnRecord(clock=NOON, settings=bridged, found=bridged))
    assert [card.stop for card in found] == ([True] if runs else [])
    assert cards(
        *log, event(2, PumpEventKind.BRIDGE_ENDED, NOON), record=OnRecord(clock=NOON, found=bridged)
    ) == ()  # fmt: skip


def test_codes_without_a_name_are_shown_raw_one_card_each() -> None:
    strange = 1 << len(Alarm)
    log = (
        event(1, None, NOON - 3 * HOUR, 5, code=77),
        event(2, None, NOON - 2 * HOUR, 6, code=77),
        event(3, None, NOON - HOUR, 0, code=200),
        event(4, PumpEventKind.ALARM, NOON, strange),
    )
    found = cards(*log)
    assert [(card.number, card.values["code"], card.values["value"], card.values["times"]) for card in found] == [
        (4, 11, strange, 1), (3, 200, 0, 1), (2, 77, 6, 2),
    ]  # fmt: skip
    assert not critical(found) and alarms_in(strange) == ()
    again = cards_of(log, (reading(last=4),), OnRecord(clock=NOON), CATALOGUE, resolved={"unknown-event:2"})
    assert len(again) == 2


def test_a_decision_about_one_gap_says_nothing_about_the_next() -> None:
    log = [
        event(1, PumpEventKind.STALLED, NOON - 90 * HOUR),
        event(2, PumpEventKind.RECOVERED, NOON - 60 * HOUR),
    ]
    def gaps(resolved: set[str], *more: PumpEvent) -> list[str]:
        found = cards_of([*log, *more], (reading(last=9),), OnRecord(clock=NOON), CATALOGUE, resolved=resolved)
        return [card.key for card in found if card.kind in (CardKind.GAP_REVIEW, CardKind.GAP_STOP)]

    assert gaps(set()) == ["gap-review:1"]
    assert gaps({"gap-review:1"}) == []
    more = (event(3, PumpEventKind.STOPPED, NOON - 9 * HOUR), event(4, PumpEventKind.STARTED, NOON - 8 * HOUR))
    assert gaps({"gap-review:1"}, *more) == ["gap-review:3"]
