"""What a pump on the bench must do with orders that change it: commits, boluses, stop and resume, clock, power cuts.

Law: as in ``app.device.conform_frames``; and whatever a check leaves behind, the next one finds a pump that runs and
gives no bolus. Boluses are of 6 µL in one minute, programs of 0.1 to 0.2 mL a day.
"""

from __future__ import annotations

import struct
from dataclasses import replace

from app.device.conform_bench import Bench, NotAsDocumentedError, NotRunError, Staged, described, require, require_same
from app.device.conform_checks import DRAFTS, QUESTIONS
from app.device.conform_frames import FRAMES, SESSIONS, Check, clause
from app.device.messages import (
    ALARM_BITS,
    EVENT_CODES,
    CommittedIs,
    Event,
    Fate,
    Hello,
    Hi,
    Nak,
    Refusal,
    Seal,
    SealedIs,
    StatusIs,
)
from app.device.order_codec import What, encode_order, order_digest
from app.device.settings_codec import YG_PER_NG, encode_settings, settings_digest
from app.device.wire_fields import seconds_of
from app.models.program import EVERY_DAY, Bolus, DayPlan, Flex, OneTimeBolus, OneTimeKind, Program, SimpleContinuous
from app.models.program import Stopped as StoppedProgram
from app.models.pump import PumpEventKind, PumpSettings, StepClock
from app.models.quantities import DoseRate, Mass, Volume

_BOLUS_NL, _BOLUS_MIN = 6_000, 1
_NL_A_SECOND = _BOLUS_NL / 60
_WATCHED_S = 3
_SLACK_NL = 1.5 * _NL_A_SECOND
_STEP_S = 90
_BOLUSES_A_DAY = 13
_PL_PER_NL = 1000

_BOLUS = encode_order(OneTimeBolus(OneTimeKind.SINGLE, Volume(_BOLUS_NL * _PL_PER_NL), _BOLUS_MIN))
_NOTHING = b""


# -- commits ---------------------------------------------------------------------------------------------------


@clause("COMMIT", "Makes the sealed draft the running program")
def _simple_program(bench: Bench, original: PumpSettings) -> None:
    """A simple program that was committed runs: PROGRAM and HI say so."""
    staged, _ = bench.program_it(bench.trial(original))
    hi, program = bench.greet(), bench.program()
    require_same("settings", staged.raw, program.settings)
    require_same("digest in HI", settings_digest(staged.raw), hi.digest)


@clause("Settings", "count of day plans u8; for each: days u8 (bit 0 is Monday), basal rate u64, count of boluses u8")
def _flex_program(bench: Bench, original: PumpSettings) -> None:
    """A flex program with 13 boluses a day, if the pump takes one."""
    raw = encode_settings(replace(bench.trial(original), program=_thirteen_boluses(bench.trial(original))))
    bench.greet()
    begin = bench.draft(What.SETTINGS, raw)
    answer = bench.ask(Seal(begin.txn))
    if answer == Nak(Refusal.BAD_SETTINGS):
        raise NotRunError(reason="the pump does not take 13 boluses a day: NAK bad-settings")
    if not isinstance(answer, SealedIs):
        raise NotAsDocumentedError(expected="SEALED, or NAK bad-settings", came=described(answer))
    require_same("order read back", raw, answer.order)
    bench.expect(Staged(begin, raw, answer).commit(bench.randomness(32)), CommittedIs)
    bench.greet()
    require_same("settings", raw, bench.program().settings)
    bench.program_it(bench.trial(original))


def _thirteen_boluses(trial: PumpSettings) -> Program:
    delivery = trial.program.delivery
    rate = delivery.daily_dose.quanta if isinstance(delivery, SimpleContinuous) else 0
    dose = Mass(max(1, rate // YG_PER_NG // 50) * YG_PER_NG)
    boluses = tuple(Bolus(at=60 + 100 * place, dose=dose, duration_min=10) for place in range(_BOLUSES_A_DAY))
    return Program(Flex((DayPlan(EVERY_DAY, DoseRate(rate), boluses=boluses),)))


@clause("HI", "of the running program; one higher with each commit")
def _revision_grows(bench: Bench, original: PumpSettings) -> None:
    """COMMITTED, HI and the log name a revision that is one higher, and the order is the newest in HI."""
    before, end = bench.greet(), bench.log_end()
    staged, done = bench.program_it(bench.trial(original))
    after = bench.greet()
    revision = before.revision + 1
    require_same("revision in COMMITTED", revision, done.revision)
    require_same("revision in HI", revision, after.revision)
    require_same("newest applied order", staged.begin.txn, (after.applied or (b"",))[-1])
    require_same("committed in the log", [revision], _values(bench.log(end), PumpEventKind.COMMITTED))


@clause("HI", "the last orders applied, at most four, the newest last")
def _last_four(bench: Bench, original: PumpSettings) -> None:
    """After five orders HI names the last four, the newest last."""
    orders = tuple(bench.program_it(bench.trial(original))[0].begin.txn for _ in range(5))
    require_same("applied", [txn.hex() for txn in orders[1:]], [txn.hex() for txn in bench.greet().applied])


@clause("HI", "the anchor of the last commit; zeros before the first")
def _anchor(bench: Bench, original: PumpSettings) -> None:
    """The anchor that COMMIT brought comes back in HI."""
    bench.greet()
    staged, anchor = bench.stage(What.SETTINGS, encode_settings(bench.trial(original))), bench.randomness(32)
    bench.expect(staged.commit(anchor), CommittedIs)
    require_same("anchor", anchor, bench.greet().anchor)


@clause("NAK", "The request was refused and changed nothing")
def _wrong_token(bench: Bench, original: PumpSettings) -> None:
    """COMMIT with a wrong token is refused as spent-token; with the right one the order is carried out after all."""
    bench.greet()
    staged = bench.stage(What.SETTINGS, encode_settings(bench.trial(original)))
    for token in (bytes(16), staged.sealed.token[:-1] + bytes((staged.sealed.token[-1] ^ 1,))):
        bench.refused(staged.commit(bytes(32), token=token), Refusal.SPENT_TOKEN)
    bench.expect(staged.commit(bytes(32)), CommittedIs)


@clause("Programming", "another digest → *other-digest*")
def _wrong_digest(bench: Bench, original: PumpSettings) -> None:
    """COMMIT with another digest than SEALED's is refused and changes nothing."""
    before = bench.greet()
    staged = bench.stage(What.SETTINGS, encode_settings(bench.trial(original)))
    bench.refused(staged.commit(bytes(32), digest=before.digest), Refusal.OTHER_DIGEST)
    require_same("revision and digest", _state(before), _state(bench.greet()))


@clause("Programming", "applied already → COMMITTED again, and no action")
def _commit_twice(bench: Bench, original: PumpSettings) -> None:
    """COMMIT twice, also in the next session, gets the same answer and has one effect."""
    bench.greet()
    end = bench.log_end()
    staged = bench.stage(What.SETTINGS, encode_settings(bench.trial(original)))
    commit = staged.commit(bench.randomness(32))
    first = bench.expect(commit, CommittedIs)
    require_same("COMMITTED again", described(first), described(bench.expect(commit, CommittedIs)))
    require_same("revision", first.revision, bench.greet().revision)
    require_same("COMMITTED in the next session", described(first), described(bench.expect(commit, CommittedIs)))
    require_same("revision", first.revision, bench.greet().revision)
    require_same("committed in the log", [first.revision], _values(bench.log(end), PumpEventKind.COMMITTED))


@clause("Orders", "Every kind goes through the same steps")
def _bolus_twice(bench: Bench, _original: PumpSettings) -> None:
    """COMMIT of a bolus twice gives one bolus."""
    bench.settle()
    end = bench.log_end()
    staged, first = bench.carry_out(What.BOLUS, _BOLUS)
    again = bench.expect(staged.commit(bytes(32)), CommittedIs)
    require_same("COMMITTED again", described(first), described(again))
    require_same("boluses started", [_BOLUS_NL], _values(bench.log(end), PumpEventKind.BOLUS_STARTED))
    require_same("bolus_nl", _BOLUS_NL, bench.status().bolus_nl)


@clause("Programming", "applied → RESOLVED *committed*")
def _applied_stays(bench: Bench, original: PumpSettings) -> None:
    """An applied order stays committed, with its revision, after another order and on a new connection."""
    staged, done = bench.program_it(bench.trial(original))
    _require_committed(bench, staged, done)
    bench.program_it(bench.trial(original))
    bench.close()
    bench.greet()
    _require_committed(bench, staged, done)
    bench.refused(replace(bench.opening(What.SETTINGS, staged.raw), txn=staged.begin.txn), Refusal.BUSY)


@clause("Settings", "or 1 and the nL that the counter is set to at the commit")
def _counter_goes_on(bench: Bench, original: PumpSettings) -> None:
    """A program without a reservoir volume leaves the counter, and no filling is in the log."""
    bench.settle()
    before, end = bench.status(), bench.log_end()
    bench.program_it(bench.trial(original))
    bench.greet()
    after = bench.status()
    require_same("fillings in the log", [], _values(bench.log(end), PumpEventKind.FILLED))
    used = before.reservoir_nl - after.reservoir_nl
    given = after.delivered_nl - before.delivered_nl
    require(used >= 0 and abs(used - given) <= 2, f"a reservoir less by the {given} nL delivered", f"less by {used} nL")


@clause("NAK", "more than expires_s have passed since SEALED")
def _expired(bench: Bench, original: PumpSettings) -> None:
    """A token is of no use once its time has passed."""
    if not bench.slow:
        raise NotRunError(reason="takes as long as the token lives: needs --slow")
    bench.greet()
    staged = bench.stage(What.SETTINGS, encode_settings(bench.trial(original)))
    bench.sleep(staged.sealed.expires_s + 2)
    bench.refused(staged.commit(bytes(32)), Refusal.EXPIRED_TOKEN)


COMMITS = (
    _simple_program, _flex_program, _revision_grows, _last_four, _anchor, _wrong_token, _wrong_digest, _commit_twice,
    _bolus_twice, _applied_stays, _counter_goes_on, _expired,
)  # fmt: skip


# -- orders that are done once ---------------------------------------------------------------------------------


@clause("Orders", "The digest of an order other than settings is SHA-256 of the ASCII text `cisterna order`")
def _digest_of_orders(bench: Bench, _original: PumpSettings) -> None:
    """SEALED of a bolus and of a stop bears the digest of that kind of order."""
    bench.settle()
    for what, raw in ((What.BOLUS, _BOLUS), (What.STOP, _NOTHING)):
        bench.greet()
        require_same("digest", order_digest(what, raw), bench.stage(what, raw).sealed.digest)


@clause("Orders", "BEGIN's `what` names the kind of order, and CHUNK carries its bytes")
def _no_order(bench: Bench, _original: PumpSettings) -> None:
    """A kind that is not in the table, and bytes that are none of its kind's, are refused at some step."""
    bench.settle()
    before = bench.greet()
    for what, raw in (
        (9, _NOTHING),
        (What.BOLUS, b"\x03" + _BOLUS[1:]),
        (What.BOLUS, _BOLUS + b"\x00"),
        (What.STOP, b"\x00"),
        (What.STEP_CLOCK, b"\x02" + _BOLUS[:4]),
    ):
        bench.must_refuse(what, raw)
    require_same("revision and digest", _state(before), _state(bench.greet()))


@clause("Orders", "A single bolus runs on top of the program")
def _bolus_counts(bench: Bench, original: PumpSettings) -> None:
    """A bolus is in the log and in STATUS, and what is given of it is counted as delivered."""
    bench.settle()
    bench.program_it(bench.trial(original))
    bench.greet()
    before, end = bench.status(), bench.log_end()
    _, done = bench.carry_out(What.BOLUS, _BOLUS)
    bench.sleep(_WATCHED_S)
    after = bench.status()
    require_same("started in the log", [_BOLUS_NL], _values(bench.log(end), PumpEventKind.BOLUS_STARTED))
    require_same("bolus_nl", _BOLUS_NL, after.bolus_nl)
    _require_about(_given_by(done, after), after.bolus_given_nl, "bolus_given_nl")
    _require_about(after.bolus_given_nl, after.delivered_nl - before.delivered_nl, "more in delivered_nl")


@clause("Orders", "while the pump is stopped, or a bolus or a bridge is given")
def _second_bolus(bench: Bench, _original: PumpSettings) -> None:
    """A second bolus is refused while one is given."""
    bench.settle()
    bench.carry_out(What.BOLUS, _BOLUS)
    bench.must_refuse(What.BOLUS, _BOLUS, Refusal.STATE)


@clause("Orders", "while any bolus or a bridge is given")
def _step_in_bolus(bench: Bench, _original: PumpSettings) -> None:
    """The clock is not put while a bolus is given."""
    bench.settle()
    bench.carry_out(What.BOLUS, _BOLUS)
    bench.must_refuse(What.STEP_CLOCK, encode_order(StepClock(_STEP_S)), Refusal.STATE)


@clause("Orders", "the log's *bolus-ended* says how much was given")
def _stop_ends_bolus(bench: Bench, _original: PumpSettings) -> None:
    """STOP ends the bolus, and the log says how much of it was given."""
    bench.settle()
    _, begun = bench.carry_out(What.BOLUS, _BOLUS)
    bench.sleep(_WATCHED_S)
    bench.greet()
    end = bench.log_end()
    _, done = bench.carry_out(What.STOP, _NOTHING)
    ended = _values(bench.log(end), PumpEventKind.BOLUS_ENDED)
    require(len(ended) == 1, "one bolus-ended", ended)
    _require_about((done.effective_at - begun.effective_at).total_seconds() * _NL_A_SECOND, ended[0], "bolus-ended")
    require_same("bolus_nl after the stop", 0, bench.status().bolus_nl)


@clause("Events", "stopped")
def _stop(bench: Bench, _original: PumpSettings) -> None:
    """A stopped pump says so in HI, STATUS and log, and delivers nothing."""
    bench.settle()
    end = bench.log_end()
    bench.carry_out(What.STOP, _NOTHING)
    require_same("running in HI", False, bench.greet().running)
    first = bench.status()
    require_same("running in STATUS", False, first.running)
    require_same("stopped in the log", 1, len(_values(bench.log(end), PumpEventKind.STOPPED)))
    bench.sleep(_WATCHED_S)
    require_same("delivered_nl", first.delivered_nl, bench.status().delivered_nl)


@clause("Orders", "if it is stopped already")
def _stop_stopped(bench: Bench, _original: PumpSettings) -> None:
    """STOP of a stopped pump is refused."""
    _stopped(bench)
    bench.must_refuse(What.STOP, _NOTHING, Refusal.STATE)


@clause("Orders", "while the pump is stopped, or a bolus or a bridge is given")
def _bolus_stopped(bench: Bench, _original: PumpSettings) -> None:
    """A stopped pump gives no bolus."""
    _stopped(bench)
    bench.must_refuse(What.BOLUS, _BOLUS, Refusal.STATE)


@clause("Orders", "A bolus that a stop ends is never taken up again")
def _resume(bench: Bench, _original: PumpSettings) -> None:
    """RESUME lets the program run again, without the bolus that the stop ended."""
    bench.settle()
    bench.carry_out(What.BOLUS, _BOLUS)
    _stopped(bench)
    end = bench.log_end()
    bench.carry_out(What.RESUME, _NOTHING)
    require_same("running in HI", True, bench.greet().running)
    require_same("bolus_nl", 0, bench.status().bolus_nl)
    log = bench.log(end)
    require_same("started in the log", 1, len(_values(log, PumpEventKind.STARTED)))
    require_same("boluses started", [], _values(log, PumpEventKind.BOLUS_STARTED))


@clause("Orders", "if it is not stopped, or its program is *stopped*")
def _resume_running(bench: Bench, original: PumpSettings) -> None:
    """RESUME is refused while the pump runs, and under the program stopped."""
    bench.settle()
    bench.must_refuse(What.RESUME, _NOTHING, Refusal.STATE)
    bench.program_it(replace(bench.trial(original), program=Program(StoppedProgram())))
    try:
        require_same("running under the program stopped", False, bench.greet().running)
        bench.must_refuse(What.RESUME, _NOTHING, Refusal.STATE)
    finally:
        bench.program_it(bench.trial(original))


@clause("Orders", "A clock step is relative, so that it means the same however late it arrives")
def _clock_steps(bench: Bench, _original: PumpSettings) -> None:
    """The clock goes forward and back by what was ordered, and the log says what it showed before."""
    bench.settle()
    for seconds in (_STEP_S, -_STEP_S):
        bench.greet()
        began, end, before = bench.monotonic(), bench.log_end(), bench.clock().clock
        bench.carry_out(What.STEP_CLOCK, encode_order(StepClock(seconds)))
        moved = (bench.clock().clock - before).total_seconds()
        wanted = seconds + bench.monotonic() - began
        require(abs(moved - wanted) <= 2, f"a clock that moved by {wanted:.0f} s, give or take 2 s", f"{moved:.0f} s")
        old = _values(bench.log(end), PumpEventKind.CLOCK_SET)
        wanted_old = seconds_of(before)
        require(len(old) == 1 and abs(old[0] - wanted_old) <= 2, f"one clock-set with about {wanted_old}", old)


@clause("Orders", "*Silence* clears alarms that were latched")
def _silence(bench: Bench, _original: PumpSettings) -> None:
    """Silence is always taken, and the log says of which alarms note was taken."""
    bench.settle()
    sounding, end = bench.hi.alarms, bench.log_end()
    bit = next((bit for bit in ALARM_BITS.values() if not sounding & bit), 1)
    bench.carry_out(What.SILENCE, struct.pack(">H", bit))
    require_same("silenced in the log", [bit], _values(bench.log(end), PumpEventKind.SILENCED))


@clause("Orders", "each one that is carried out raises the revision by one")
def _orders_raise_revision(bench: Bench, _original: PumpSettings) -> None:
    """Every kind of order raises the revision by one and leaves the program as it is."""
    bench.settle()
    before = bench.greet()
    forward, back = (encode_order(StepClock(seconds)) for seconds in (1, -1))
    orders = (
        (What.STEP_CLOCK, forward), (What.STEP_CLOCK, back), (What.BOLUS, _BOLUS), (What.STOP, _NOTHING),
        (What.RESUME, _NOTHING), (What.SILENCE, struct.pack(">H", 1)),
    )  # fmt: skip
    for place, (what, raw) in enumerate(orders, start=1):
        _, done = bench.carry_out(what, raw)
        wanted = (before.revision + place, before.digest)
        require_same(f"revision in COMMITTED of {what.name}", wanted[0], done.revision)
        require_same(f"revision and digest after {what.name}", wanted, _state(bench.greet()))


@clause("Orders", "so that a state which was reviewed before it is stale")
def _order_makes_stale(bench: Bench, original: PumpSettings) -> None:
    """A program on the state before a clock step is refused."""
    bench.settle()
    old = bench.greet()
    bench.carry_out(What.STEP_CLOCK, encode_order(StepClock(1)))
    bench.carry_out(What.STEP_CLOCK, encode_order(StepClock(-1)))
    bench.greet()
    raw = encode_settings(bench.trial(original))
    stale = bench.opening(What.SETTINGS, raw, base_revision=old.revision, base_digest=old.digest)
    bench.refused(stale, Refusal.OTHER_BASE)


@clause("Events", "nL delivered")
def _whole_bolus(bench: Bench, _original: PumpSettings) -> None:
    """A bolus that runs to its end is in the log with its whole volume."""
    if not bench.slow:
        raise NotRunError(reason="takes as long as the bolus: needs --slow")
    bench.settle()
    end = bench.log_end()
    bench.carry_out(What.BOLUS, _BOLUS)
    bench.sleep(60 * _BOLUS_MIN + 2)
    require_same("bolus-ended", [_BOLUS_NL], _values(bench.log(end), PumpEventKind.BOLUS_ENDED))
    require_same("bolus_nl", 0, bench.status().bolus_nl)


ORDERS = (
    _digest_of_orders, _no_order, _bolus_counts, _second_bolus, _step_in_bolus, _stop_ends_bolus, _stop,
    _stop_stopped, _bolus_stopped, _resume, _resume_running, _clock_steps, _silence, _orders_raise_revision,
    _order_makes_stale, _whole_bolus,
)  # fmt: skip


# -- power cuts ------------------------------------------------------------------------------------------------


@clause("What must hold", "An answer to RESOLVE is a fact that can never change later")
def _restart(bench: Bench, original: PumpSettings) -> None:
    """After a restart applied orders are committed, dead ones dead, and the program is the one that was committed."""
    bench.door(do="state")
    staged, done = bench.program_it(bench.trial(original))
    dead = bench.randomness(16)
    require_same("fate", Fate.DEAD, bench.resolve(dead).fate)
    sessions = set(bench.sessions)
    bench.door(do="reboot")
    hi = bench.greet()
    require(hi.session not in sessions, "a session that was never used before", hi.session)
    require_same("revision and digest", (done.revision, staged.begin.digest), _state(hi))
    _require_committed(bench, staged, done)
    bench.refused(replace(bench.opening(What.SETTINGS, staged.raw), txn=dead), Refusal.DEAD_ORDER)


@clause("Programming", "a power cut leaves all of it old or all of it new")
def _cut_before(bench: Bench, original: PumpSettings) -> None:
    """A power cut before the write leaves the old program, and RESOLVE says dead."""
    before, staged, hi = _commit_under(bench, original, "reboot-before")
    require_same("revision and digest", _state(before), _state(hi))
    require_same("anchor", before.anchor, hi.anchor)
    require_same("fate", Fate.DEAD, bench.resolve(staged.begin.txn).fate)
    bench.refused(staged.commit(bytes(32)), Refusal.DEAD_ORDER)


@clause("Programming", "a power cut leaves all of it old or all of it new")
def _cut_after(bench: Bench, original: PumpSettings) -> None:
    """A power cut after the write leaves the new program, and RESOLVE says committed."""
    before, staged, hi = _commit_under(bench, original, "reboot-after")
    require_same("revision and digest", (before.revision + 1, staged.begin.digest), _state(hi))
    require_same("newest applied order", staged.begin.txn, (hi.applied or (b"",))[-1])
    require_same("fate", Fate.COMMITTED, bench.resolve(staged.begin.txn).fate)


@clause("Orders", "If it loses power between the two, it stays stopped under the old program, and RESOLVE says")
def _cut_between(bench: Bench, original: PumpSettings) -> None:
    """A pump that must stop, and whose power is cut between its two writes, stays stopped under the old program."""
    bench.door(do="state")
    if not bench.greet().must_stop:
        raise NotRunError(reason="this pump does not stop while it takes settings")
    before, staged, hi = _commit_under(bench, original, "reboot-inside")
    require_same("running", False, hi.running)
    require_same("revision and digest", _state(before), _state(hi))
    require_same("fate", Fate.DEAD, bench.resolve(staged.begin.txn).fate)


@clause("HI", "never 0, never used before")
def _sessions_of_all(bench: Bench, _original: PumpSettings) -> None:
    """No session of this whole run was issued twice."""
    bench.greet()
    again = sorted({session for session in bench.sessions if bench.sessions.count(session) > 1})
    require_same("sessions issued twice", [], again)


CUTS = (_restart, _cut_before, _cut_after, _cut_between, _sessions_of_all)


CHECKS: tuple[Check, ...] = (*FRAMES, *SESSIONS, *QUESTIONS, *DRAFTS, *COMMITS, *ORDERS, *CUTS)
"""All checks in the order in which they are run; a check's number is its place, counted from 1."""


def _commit_under(bench: Bench, original: PumpSettings, fault: str) -> tuple[Hi, Staged, Hi]:
    """COMMIT while the emulated pump's power fails; HI before, the order, and HI after.

    HELLO follows at once, so that nobody waits for an answer that does not come.
    """
    bench.door(do="state")
    bench.settle()
    before = bench.hi
    staged = bench.stage(What.SETTINGS, encode_settings(bench.trial(original)))
    bench.door(do="clear")
    bench.door(do="fault", fault=fault, on="Commit", nth=1)
    number, nonce = bench.next_number(), bench.randomness(16)
    bench.write(bench.framed(staged.commit(bench.randomness(32))) + bench.framed(Hello(nonce), number=number))
    answer = bench.only(bench.frames_until(number), number)
    bench.door(do="clear")
    if not isinstance(answer, Hi):
        raise NotAsDocumentedError(expected="HI", came=described(answer))
    return before, staged, bench.take(answer)


def _stopped(bench: Bench) -> None:
    if bench.greet().running:
        bench.carry_out(What.STOP, _NOTHING)


def _require_committed(bench: Bench, staged: Staged, done: CommittedIs) -> None:
    resolved = bench.resolve(staged.begin.txn)
    require_same("fate and revision", (Fate.COMMITTED, done.revision), (resolved.fate, resolved.revision))


def _state(hi: Hi) -> tuple[int, bytes]:
    return hi.revision, hi.digest


def _values(log: list[Event], kind: PumpEventKind) -> list[int]:
    """The values of all events of that kind."""
    return [event.value for event in log if event.code == EVENT_CODES[kind]]


def _given_by(done: CommittedIs, status: StatusIs) -> float:
    """nL of the bolus that must have been given when that STATUS was made."""
    return min(_BOLUS_NL, (status.clock - done.effective_at).total_seconds() * _NL_A_SECOND)


def _require_about(expected: float, came: float, what: str) -> None:
    require(abs(came - expected) <= _SLACK_NL, f"{what}: {expected:.0f} nL, give or take {_SLACK_NL:.0f} nL", came)
