"""What a pump on the bench must do with questions and drafts: what it tells, and what it takes before a COMMIT.

Law: as in ``app.device.conform_frames``. Orders that change the pump: ``app.device.conform_orders``.
"""

from __future__ import annotations

from dataclasses import replace

from app.device.conform_bench import (
    Bench,
    NotRunError,
    described,
    name_of,
    require,
    require_same,
)
from app.device.conform_frames import clause
from app.device.messages import (
    EVENT_CODES,
    Chunk,
    Commit,
    Fate,
    Message,
    ReadEvents,
    ReadProgram,
    Refusal,
    Seal,
    SealedIs,
    chained,
)
from app.device.order_codec import What, order_digest
from app.device.settings_codec import encode_settings, settings_digest
from app.models.pump import PumpEventKind, PumpSettings

_CLOCK_WATCHED_S = 3
_CLOCK_SLACK_S = 1.5
_OUTCOMES_KEPT = 64


# -- questions -------------------------------------------------------------------------------------------------


@clause("PROGRAM", "the question's, repeated")
def _nonce_of_each(bench: Bench, _original: PumpSettings) -> None:
    """Each question's answer is of its kind and repeats its nonce."""
    bench.greet()
    bench.program(), bench.status(), bench.events(0), bench.clock()


@clause("What must hold", "Questions change nothing and may be repeated")
def _asked_again(bench: Bench, _original: PumpSettings) -> None:
    """The same frame twice gets the same answer twice, and nothing has changed."""
    before = bench.greet()
    for question in (ReadProgram(bench.randomness(16)), ReadEvents(bench.randomness(16), 0)):
        number = bench.next_number()
        raw = bench.framed(question, number=number)
        answers: list[Message] = []
        for _ in range(2):
            bench.write(raw)
            answers.append(bench.only(bench.frames_until(number), number))
        require_same(f"{name_of(type(question))} again", described(answers[0]), described(answers[1]))
    after = bench.greet()
    require_same("revision and digest", (before.revision, before.digest), (after.revision, after.digest))


@clause("HI", "of the running program's settings")
def _program_of_hi(bench: Bench, _original: PumpSettings) -> None:
    """PROGRAM's revision and digest are HI's, and the digest is that of the settings."""
    hi, program = bench.greet(), bench.program()
    require_same("revision", hi.revision, program.revision)
    require_same("digest", hi.digest, program.digest)
    require_same("digest of the settings", settings_digest(program.settings), program.digest)


@clause("STATUS", "as in HI")
def _status_of_hi(bench: Bench, _original: PumpSettings) -> None:
    """STATUS and HI agree on whether the pump runs and was reset; no amount given is more than was asked for."""
    hi, status = bench.greet(), bench.status()
    require_same("running and reset", (hi.running, hi.reset), (status.running, status.reset))
    require(status.bolus_given_nl <= status.bolus_nl, "bolus_given_nl of at most bolus_nl", described(status))
    require(status.clock >= hi.clock, f"a clock of at least {hi.clock}", status.clock)


@clause("Events", "Numbers count from 1 and never repeat")
def _log_numbers(bench: Bench, _original: PumpSettings) -> None:
    """The log counts from 1 without a gap, and each answer's cursor is its last number."""
    bench.greet()
    last = 0
    for page in bench.pages():
        for event in page.events:
            require_same("number of the next event", last + 1, event.number)
            last = event.number
        require_same("cursor", last, page.cursor)


@clause("Events", "after each event it is SHA-256 of the ASCII text `cisterna event`, the hash before, and the event")
def _log_chain(bench: Bench, _original: PumpSettings) -> None:
    """The chain of each answer follows from its events and the answer before."""
    bench.greet()
    chain = bytes(32)
    for page in bench.pages():
        for event in page.events:
            chain = chained(chain, event)
        require_same("chain", chain, page.chain)


@clause("EVENTS", "events after the cursor, the oldest first")
def _log_from_middle(bench: Bench, _original: PumpSettings) -> None:
    """From a cursor in the middle of the log come the same events as in the whole of it, and no earlier one."""
    bench.greet()
    whole = bench.log()
    if not whole:
        raise NotRunError(reason="the log is empty")
    middle = len(whole) // 2
    require_same(f"events after {middle}", whole[middle:], bench.log(middle))
    require_same("chain at the end", [page.chain for page in bench.pages()][-1], bench.events(len(whole)).chain)


@clause("EVENTS", "number of the last event in this answer; the question's if there is none")
def _log_beyond(bench: Bench, _original: PumpSettings) -> None:
    """At the end of the log and beyond it there is nothing, and the question's cursor comes back."""
    bench.greet()
    end = bench.log_end()
    for cursor in (end, end + 1, end + 1000, 2**32 - 1):
        page = bench.events(cursor)
        require_same("events, cursor and more", ((), cursor, False), (page.events, page.cursor, page.more))


@clause("Values", "whole seconds of the pump's own clock")
def _clock_runs(bench: Bench, _original: PumpSettings) -> None:
    """The pump's clock runs as fast as the bench's."""
    bench.greet()
    began, first = bench.monotonic(), bench.clock().clock
    bench.sleep(_CLOCK_WATCHED_S)
    second, passed = bench.clock().clock, bench.monotonic() - began
    shown = (second - first).total_seconds()
    require(abs(shown - passed) <= _CLOCK_SLACK_S, f"{passed:.1f} s, give or take {_CLOCK_SLACK_S} s", f"{shown:.0f} s")


QUESTIONS = (
    _nonce_of_each, _asked_again, _program_of_hi, _status_of_hi, _log_numbers, _log_chain,
    _log_from_middle, _log_beyond, _clock_runs,
)  # fmt: skip


# -- drafts ----------------------------------------------------------------------------------------------------


@clause("BEGIN", "Opens a draft. The running program keeps running")
def _draft_runs_nothing(bench: Bench, original: PumpSettings) -> None:
    """A sealed draft changes neither program nor revision nor log."""
    bench.greet()
    before, end = bench.program(), bench.log_end()
    bench.stage(What.SETTINGS, encode_settings(bench.trial(original)))
    after = bench.program()
    require_same("program", before.settings.hex(), after.settings.hex())
    require_same("revision", before.revision, after.revision)
    committed = EVENT_CODES[PumpEventKind.COMMITTED]
    require_same("committed in the log", [], [event for event in bench.log(end) if event.code == committed])


@clause("NAK", "the running program is not the one that was reviewed")
def _stale_base(bench: Bench, original: PumpSettings) -> None:
    """BEGIN on another revision or another digest is refused."""
    hi, raw = bench.greet(), encode_settings(bench.trial(original))
    for stale in (
        {"base_revision": (hi.revision - 1) % 2**32},
        {"base_revision": (hi.revision + 1) % 2**32},
        {"base_digest": bytes(32)},
    ):
        bench.refused(bench.opening(What.SETTINGS, raw, **stale), Refusal.OTHER_BASE)
    bench.begin(What.SETTINGS, raw)


@clause("NAK", "another draft is open, or the order was applied already")
def _one_draft(bench: Bench, original: PumpSettings) -> None:
    """A second draft is refused, and the first goes on."""
    bench.greet()
    raw = encode_settings(bench.trial(original))
    begin = bench.begin(What.SETTINGS, raw)
    bench.refused(bench.opening(What.SETTINGS, raw), Refusal.BUSY)
    bench.fill(begin, raw)


@clause("CHUNK", "The next part of the draft, in order, without gaps")
def _wrong_offset(bench: Bench, original: PumpSettings) -> None:
    """A gap and an overlap are refused and change nothing."""
    bench.greet()
    raw = encode_settings(bench.trial(original))
    begin, size = bench.begin(What.SETTINGS, raw), min(8, bench.hi.max_chunk)
    bench.refused(Chunk(begin.txn, 1, raw[1 : 1 + size]), Refusal.BAD_LENGTH)
    bench.fill(begin, raw[:size])
    for offset in (0, size - 1, size + 1):
        bench.refused(Chunk(begin.txn, offset, raw[offset : offset + 4]), Refusal.BAD_LENGTH)


@clause("NAK", "a gap, an overlap, or not as many bytes as BEGIN said")
def _too_many_bytes(bench: Bench, original: PumpSettings) -> None:
    """A part that goes beyond BEGIN's length is refused."""
    bench.greet()
    raw = encode_settings(bench.trial(original))
    begin = bench.begin(What.SETTINGS, raw, length=8)
    bench.refused(Chunk(begin.txn, 0, raw[:9]), Refusal.BAD_LENGTH)
    bench.fill(begin, raw[:8])
    bench.refused(Chunk(begin.txn, 8, raw[8:9]), Refusal.BAD_LENGTH)


@clause("NAK", "a gap, an overlap, or not as many bytes as BEGIN said")
def _too_few_bytes(bench: Bench, original: PumpSettings) -> None:
    """SEAL of a draft that is not complete is refused."""
    bench.greet()
    raw = encode_settings(bench.trial(original))
    begin = bench.begin(What.SETTINGS, raw)
    bench.refused(Seal(begin.txn), Refusal.BAD_LENGTH)
    bench.fill(begin, raw[:-1])
    bench.refused(Seal(begin.txn), Refusal.BAD_LENGTH)


@clause("NAK", "there is no draft of this order")
def _no_draft(bench: Bench, original: PumpSettings) -> None:
    """CHUNK, SEAL and COMMIT of an order that has no draft are refused, whether or not another has one."""
    bench.greet()
    raw = encode_settings(bench.trial(original))
    _require_unknown(bench, raw)
    bench.begin(What.SETTINGS, raw)
    _require_unknown(bench, raw)


def _require_unknown(bench: Bench, raw: bytes) -> None:
    stranger = bench.randomness(16)
    bench.refused(Chunk(stranger, 0, raw[:4]), Refusal.UNKNOWN_ORDER)
    bench.refused(Seal(stranger), Refusal.UNKNOWN_ORDER)
    bench.refused(_commit_of(stranger), Refusal.UNKNOWN_ORDER)


@clause("NAK", "the digest is not that of the draft")
def _draft_digest(bench: Bench, original: PumpSettings) -> None:
    """SEAL of bytes that are not BEGIN's digest's is refused."""
    raw = encode_settings(bench.trial(original))
    bench.greet()
    begin = bench.draft(What.SETTINGS, raw, digest=order_digest(What.SETTINGS, raw + b"\x00"))
    bench.refused(Seal(begin.txn), Refusal.OTHER_DIGEST)
    bench.greet()
    begin = bench.draft(What.SETTINGS, raw, digest=order_digest(What.BOLUS, raw))
    bench.refused(Seal(begin.txn), Refusal.OTHER_DIGEST)


@clause("NAK", "the pump cannot lay this program out")
def _bad_settings(bench: Bench, original: PumpSettings) -> None:
    """SEAL of bytes that are no settings is refused: version, end, mode, flag, weekdays."""
    raw = encode_settings(bench.trial(original))
    # The trial ends with its mode, eight bytes of daily dose and the flag of a patient's bolus.
    head = raw[:-10]
    day = b"%c" + bytes(8) + b"\x00\x00"
    for bad in (
        b"\x02" + raw[1:],
        raw[:-1],
        raw + b"\x00",
        head + b"\x09" + bytes(9),
        head + b"\x01" + bytes(8) + b"\x02",
        head + b"\x02\x01" + day % 0x3F + b"\x00",
        head + b"\x02\x02" + day % 0x7F + day % 0x01 + b"\x00",
    ):
        bench.greet()
        begin = bench.draft(What.SETTINGS, bad)
        bench.refused(Seal(begin.txn), Refusal.BAD_SETTINGS)


@clause("SEALED", "The pump has computed the digest over what it holds")
def _read_back(bench: Bench, original: PumpSettings) -> None:
    """SEALED reads back the bytes that were sent, and their digest, with a token that lives for a while."""
    bench.greet()
    staged = bench.stage(What.SETTINGS, encode_settings(bench.trial(original)))
    require_same("order", staged.raw, staged.sealed.order)
    require_same("digest", staged.begin.digest, staged.sealed.digest)
    require(staged.sealed.expires_s > 0, "expires_s of at least 1", staged.sealed.expires_s)


@clause("NAK", "the token is not that of the last SEALED")
def _last_token(bench: Bench, original: PumpSettings) -> None:
    """A second SEAL makes another token, and the first is spent; so is COMMIT before any SEAL."""
    bench.greet()
    raw = encode_settings(bench.trial(original))
    begin = bench.draft(What.SETTINGS, raw)
    bench.refused(_commit_of(begin.txn, digest=begin.digest), Refusal.SPENT_TOKEN)
    first, second = (bench.expect(Seal(begin.txn), SealedIs) for _ in range(2))
    require(first.token != second.token, "another token", second.token.hex())
    bench.refused(_commit_of(begin.txn, digest=first.digest, token=first.token), Refusal.SPENT_TOKEN)


@clause("RESOLVE", "Asks what became of an order, and forbids it if it was not applied")
def _resolve_unknown(bench: Bench, original: PumpSettings) -> None:
    """An order that the pump never saw is dead from then on: BEGIN and COMMIT of it are refused."""
    bench.greet()
    begin = bench.opening(What.SETTINGS, encode_settings(bench.trial(original)))
    _require_dead(bench, begin.txn)
    bench.refused(begin, Refusal.DEAD_ORDER)
    bench.refused(_commit_of(begin.txn), Refusal.DEAD_ORDER)


@clause("Programming", "Otherwise the pump first writes down that this order is dead, and then answers RESOLVED *dead*")
def _resolve_draft(bench: Bench, original: PumpSettings) -> None:
    """A sealed draft that is resolved is dead, and its COMMIT is refused for good."""
    before = bench.greet()
    staged = bench.stage(What.SETTINGS, encode_settings(bench.trial(original)))
    _require_dead(bench, staged.begin.txn)
    bench.refused(staged.commit(bytes(32)), Refusal.DEAD_ORDER)
    after = bench.greet()
    require_same("revision and digest", (before.revision, before.digest), (after.revision, after.digest))
    bench.refused(staged.commit(bytes(32)), Refusal.DEAD_ORDER)


@clause("RESOLVE", "Repeating it changes nothing more")
def _resolve_twice(bench: Bench, _original: PumpSettings) -> None:
    """RESOLVE again, in this session and in the next, says the same."""
    bench.greet()
    txn = bench.randomness(16)
    _require_dead(bench, txn)
    _require_dead(bench, txn)
    bench.greet()
    _require_dead(bench, txn)


@clause("Programming", "a late COMMIT of it is refused for good")
def _tombstone_stays(bench: Bench, original: PumpSettings) -> None:
    """A dead order is dead in a new session and on a new connection."""
    bench.greet()
    txn = bench.randomness(16)
    _require_dead(bench, txn)
    bench.close()
    bench.greet()
    raw = encode_settings(bench.trial(original))
    bench.refused(_commit_of(txn), Refusal.DEAD_ORDER)
    bench.refused(replace(bench.opening(What.SETTINGS, raw), txn=txn), Refusal.DEAD_ORDER)


@clause("Programming", "The pump keeps at least 64 outcomes")
def _outcomes_kept(bench: Bench, original: PumpSettings) -> None:
    """After 64 dead orders the first of them is still known for dead."""
    bench.greet()
    orders = [bench.randomness(16) for _ in range(_OUTCOMES_KEPT)]
    for txn in orders:
        _require_dead(bench, txn)
    begin = bench.opening(What.SETTINGS, encode_settings(bench.trial(original)))
    for txn in (orders[0], orders[-1]):
        bench.refused(replace(begin, txn=txn), Refusal.DEAD_ORDER)


def _commit_of(txn: bytes, digest: bytes = bytes(32), token: bytes = bytes(16)) -> Commit:
    """COMMIT of an order that was not sealed, or not with this token."""
    return Commit(txn, digest, token, bytes(32))


def _require_dead(bench: Bench, txn: bytes) -> None:
    resolved = bench.resolve(txn)
    require_same("fate and revision", (Fate.DEAD, 0), (resolved.fate, resolved.revision))


DRAFTS = (
    _draft_runs_nothing, _stale_base, _one_draft, _wrong_offset, _too_many_bytes, _too_few_bytes, _no_draft,
    _draft_digest, _bad_settings, _read_back, _last_token, _resolve_unknown, _resolve_draft, _resolve_twice,
    _tombstone_stays, _outcomes_kept,
)  # fmt: skip
