"""The commit protocol as a model, explored breadth-first, and traces of it replayed on the real code.

Law: the model knows the protocol, not the code. A state is a tuple of small integers that says all about a program, its
disk, a pump and the frames in flight; what is told to the operator must be true in every state that can follow.

Two reductions keep the states few and lose nothing. Sessions and tokens are never used again, so that a frame need only
say whether it is of the one that is open (1) or of an ended one (0). And a frame that nobody can heed any more, an
answer to a request that was given up or a command of an ended session, is forgotten; ``tests/campaigns/replay.py``
keeps such frames and throws them at the real code, which must not heed them either. A lost frame stays in flight.
"""

from __future__ import annotations

import argparse
import time
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import combinations

State = tuple
"""The fields that are named next, all small integers, then the frames to the pump and to the program, sorted."""

Work = list
"""A state while it is changed."""

Label = tuple[str, int]
"""A step's name and the frame, the order or the number that it is about."""

_FIELDS = 29
(
    # The program's mind: gone in a crash.
    AT, OP, LEFT, ROUNDS, SESSION, SEEN, GREETED, TOKEN,
    # Its disk. DISK holds two bits an order.
    DISK, GUARD, COUNTER,
    # The pump's memory. EFFECTS holds two bits an order: how often it was carried out.
    OPEN, REVISION, PROGRAM, EFFECTS, APPLIED, DEAD, STOPPED,
    # The pump's draft: gone with the session or the power.
    DRAFT, STAGE, BASE,
    # What nobody in the model can see. TOLD holds two bits an order, SAME one: it is what the order before was.
    ORDERS, TOLD, SAME, WRONG, CRASHES, SPARE,
    # What is in flight.
    TO_PUMP, TO_APP,
) = range(_FIELDS)  # fmt: skip

(
    IDLE, BASE_HELLO, BASE_READ, STAGE_HELLO, AT_BEGIN, AT_SEAL, HAS_SEALED, AT_COMMIT, CHECK_HELLO, CHECK_READ,
    RESOLVE_HELLO, AT_RESOLVE, DEAD_HELLO, DEAD_READ, DONE_HELLO, DONE_READ,
) = range(16)  # fmt: skip
"""Where the program stands: at rest, with a sealed draft, or waiting for the answer that the name says."""

GREETINGS = (BASE_HELLO, STAGE_HELLO, CHECK_HELLO, RESOLVE_HELLO, DEAD_HELLO, DONE_HELLO)

HELLO, READ, BEGIN, SEAL, COMMIT, RESOLVE, HI, PROGRAM_IS, READY, SEALED, COMMITTED, RESOLVED, NAK = range(1, 14)
NAMES = (
    "", "HELLO", "READ", "BEGIN", "SEAL", "COMMIT", "RESOLVE",
    "HI", "PROGRAM", "READY", "SEALED", "COMMITTED", "RESOLVED", "NAK",
)  # fmt: skip

EMPTY, FULL, SPOILED, IS_SEALED, EXPIRED = range(5)
ABSENT, DOUBT, VERIFIED, NOT_APPLIED = range(4)
GARBLED = 7
FRESH = 1 << 14
_SESSION_BITS, _TOKEN_BIT = 7 << 6, 1 << 9
_FIRST = 0b010101


def frame(kind: int, op: int = 0, *, session: int = 0, value: int = 0, fresh: bool = True) -> int:
    """A frame as one integer. ``fresh``: it is, or will be answered by, what the program waits for now.

    ``value`` is HI's, BEGIN's and COMMITTED's revision, whether SEALED's and COMMIT's token is the draft's, RESOLVED's
    truth of "committed", and PROGRAM's revision with the number of the program, times 4, added.
    """
    return kind | op << 4 | session << 6 | value << 9 | (FRESH if fresh else 0)


def kind_of(sent: int) -> int:
    return sent & 15


def op_of(sent: int) -> int:
    return sent >> 4 & 3


def session_of(sent: int) -> int:
    return sent >> 6 & 7


def value_of(sent: int) -> int:
    return sent >> 9 & 31


@dataclass(frozen=True, slots=True)
class Rules:
    """What keeps the protocol safe. Each can be taken away; none of them is missing in the real one."""

    fence: bool = True
    """The pump refuses frames of an ended session."""
    drops_draft: bool = True
    """HELLO drops the draft."""
    echo: bool = True
    """The program believes only the HI that repeats its nonce and number."""
    pump_counts: bool = True
    """The pump issues the session's number; otherwise the program counts, on its disk."""
    tombstone: bool = True
    """The pump writes down that an order is dead before it says so."""
    token: bool = True
    """COMMIT must carry the token of the last SEALED."""
    record: bool = True
    """The pump looks up whether it has carried out an order before it does."""
    single_use: bool = True
    """A draft is gone when it was carried out."""
    base: bool = True
    """The pump refuses a draft that rests on another revision."""
    read_back: bool = True
    """The pump judges and returns what it holds, not what it was sent."""
    asks: bool = True
    """After silence the program asks; otherwise it calls the order failed."""
    repeats: bool = False
    """After silence the program sends the same as a new order."""
    guard: bool = True
    """Before COMMIT the program writes down that a pump which must stop for it may stand still."""
    writes: str = "one"
    """``one``: effect and record change together; otherwise ``record`` or ``effect`` is written first."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far the world may go. ``kinds``: one letter an order: Settings, or Bolus, which is done once."""

    kinds: str = "SB"
    crashes: int = 2
    """Of the program, reboots and power cuts of the pump, together."""
    duplicates: int = 1
    tries: int = 3
    in_flight: int = 2
    """Frames to the pump that can still do something."""
    restores: int = 1
    """Of the program's database, to any earlier moment."""
    mishaps: int = 1
    """Tokens that expire, and bytes that spoil in a draft."""
    must_stop: bool = False


class Model:
    """The steps that the world can take from a state."""

    def __init__(self, rules: Rules = Rules(), bounds: Bounds = Bounds()) -> None:
        self.rules = rules
        self.bounds = bounds
        self._orders = len(bounds.kinds)
        # As many as there can be to one request; only where an old HI is believed can there be more.
        self._room = max(3, bounds.duplicates + 1)
        self._program_heeds = {
            HI: self._heed_hi,
            PROGRAM_IS: self._heed_program,
            READY: self._heed_ready,
            SEALED: self._heed_sealed,
            COMMITTED: self._heed_committed,
            RESOLVED: self._heed_resolved,
            NAK: self._fail,
        }
        self._pump_heeds: dict[int, Callable[[Work, int], tuple[int, int]]] = {
            READ: self._answer_read,
            BEGIN: self._answer_begin,
            SEAL: self._answer_seal,
            COMMIT: self._answer_commit,
            RESOLVE: self._answer_resolve,
        }

    def start(self) -> State:
        """A program at rest, a pump that runs its program 0, nothing in flight."""
        n: Work = [0] * (_FIELDS - 2) + [(), ()]
        n[OPEN] = 1 if self.rules.pump_counts else 0
        n[CRASHES] = self.bounds.crashes
        n[SPARE] = self.bounds.duplicates | self.bounds.restores << 2 | self.bounds.mishaps << 4
        return tuple(n)

    def steps(self, s: State) -> list[tuple[Label, State]]:
        """Every step from ``s`` with the state that it leads to."""
        found: list[tuple[Label, State]] = []
        self._operator(s, found)
        for sent in dict.fromkeys(s[TO_APP]):
            self._take(s, found, ("answer", sent), self._arrive_at_program, sent)
            if not self.rules.echo and kind_of(sent) == HI and s[SPARE] & 3:
                self._take(s, found, ("answer twice", sent), self._arrive_twice_at_program, sent)
        for sent in dict.fromkeys(s[TO_PUMP]):
            self._deliveries(s, found, sent)
        if s[AT] not in (IDLE, HAS_SEALED):
            self._take(s, found, ("timeout", 0), self._time_out, 0)
        self._misfortunes(s, found)
        return found

    def _take(
        self, s: State, found: list[tuple[Label, State]], label: Label, act: Callable[[Work, int], None], about: int
    ) -> None:
        n = list(s)
        act(n, about)
        self._forget(n)
        found.append((label, tuple(n)))

    def _operator(self, s: State, found: list[tuple[Label, State]]) -> None:
        if s[AT] not in (IDLE, HAS_SEALED):
            return
        doubt = self.in_doubt(s[DISK])
        if s[AT] == HAS_SEALED:
            self._take(s, found, ("send", s[OP]), self._send_commit, 0)
        if doubt:
            self._take(s, found, ("settle", doubt), self._settle, doubt)
        elif s[ORDERS] < self._orders:
            self._take(s, found, ("order", s[ORDERS] + 1), self._order, 0)

    def _deliveries(self, s: State, found: list[tuple[Label, State]], sent: int) -> None:
        self._take(s, found, ("deliver", sent), self._arrive_at_pump, sent)
        if s[SPARE] & 3:
            self._take(s, found, ("duplicate", sent), self._arrive_twice, sent)
        if len(s[TO_PUMP]) >= self.bounds.in_flight:
            self._take(s, found, ("drop", sent), self._drop, sent)
        if s[CRASHES] and kind_of(sent) in (HELLO, COMMIT, RESOLVE):
            self._take(s, found, ("cut before", sent), self._cut_before, sent)
            if kind_of(sent) == COMMIT and self._would_apply(s, sent) and self._writes_twice(s, sent):
                self._take(s, found, ("cut between", sent), self._cut_between, sent)

    def _misfortunes(self, s: State, found: list[tuple[Label, State]]) -> None:
        if s[CRASHES]:
            if s[AT] != IDLE:
                self._take(s, found, ("crash", 0), self._crash, 0)
            if s[DRAFT]:
                self._take(s, found, ("reboot", 0), self._reboot, 1)
        if s[SPARE] >> 4 and s[DRAFT]:
            if s[STAGE] == IS_SEALED:
                self._take(s, found, ("expire", 0), self._expire, 0)
            if s[STAGE] in (FULL, IS_SEALED):
                self._take(s, found, ("spoil", 0), self._spoil, 0)
        if s[SPARE] >> 2 & 3 and s[ORDERS]:
            for older in self._older_disks(s):
                self._take(s, found, ("restore", older), self._restore, older)

    # -- frames --------------------------------------------------------------------------------------------------

    def _send(self, n: Work, kind: int, op: int, value: int = 0) -> None:
        """Send a request; nothing that was sent before it will be heeded as its answer."""
        self._give_up(n)
        if len(n[TO_PUMP]) < self.bounds.in_flight:
            n[TO_PUMP] = (*n[TO_PUMP], frame(kind, op, session=n[SESSION], value=value))

    def _give_up(self, n: Work) -> None:
        n[TO_PUMP] = tuple(sent & ~FRESH for sent in n[TO_PUMP] if sent & FRESH or self._can_act(n, sent))
        n[TO_APP] = () if self.rules.echo else tuple(sent & ~FRESH for sent in n[TO_APP] if kind_of(sent) == HI)
        self._forget(n)

    def _forget(self, n: Work) -> None:
        """Frames that nobody can heed any more."""
        if n[TO_PUMP]:
            n[TO_PUMP] = tuple(sorted(sent for sent in n[TO_PUMP] if sent & FRESH or self._can_act(n, sent)))
        if len(n[TO_APP]) > 1:
            n[TO_APP] = tuple(sorted(n[TO_APP]))

    def _can_act(self, n: Work, sent: int) -> bool:
        """Whether a request that nobody waits for can still change the pump."""
        kind = sent & 15
        return kind == HELLO or (kind != READ and (session_of(sent) == n[OPEN] or not self.rules.fence))

    def _answer(self, n: Work, asked: int, kind: int, op: int = 0, *, session: int = 0, value: int = 0) -> None:
        fresh = asked & FRESH
        if (fresh or (kind == HI and not self.rules.echo)) and len(n[TO_APP]) < self._room:
            n[TO_APP] = (*n[TO_APP], frame(kind, op, session=session, value=value, fresh=bool(fresh)))

    # -- the operator --------------------------------------------------------------------------------------------

    def in_doubt(self, disk: int) -> int:
        """The first order in doubt, or 0."""
        for op in range(1, self._orders + 1):
            if disk >> 2 * op - 2 & 3 == DOUBT:
                return op
        return 0

    def _order(self, n: Work, _: int) -> None:
        """The operator has reviewed the present revision, and orders."""
        n[SEEN] = n[REVISION]
        self._greet(n, BASE_HELLO)

    def _settle(self, n: Work, op: int) -> None:
        self._rest(n)
        n[OP] = op
        self._ask(n)

    def _send_commit(self, n: Work, _: int) -> None:
        if self.rules.guard and self.bounds.must_stop and self._is_settings(n[OP]):
            n[GUARD] = 1
        n[AT] = AT_COMMIT
        self._send(n, COMMIT, n[OP], n[TOKEN])

    def _is_settings(self, op: int) -> bool:
        return self.bounds.kinds[op - 1] == "S"

    # -- the program ---------------------------------------------------------------------------------------------

    def _greet(self, n: Work, at: int) -> None:
        n[AT], n[LEFT], n[GREETED] = at, self.bounds.tries, 0
        self._hello(n)

    def _hello(self, n: Work) -> None:
        """HELLO is of no session, but where the program counts, it names the new one."""
        n[SESSION] = 0
        if not self.rules.pump_counts:
            if n[COUNTER] == 7:
                return
            n[COUNTER] += 1
            n[SESSION] = n[COUNTER]
        self._send(n, HELLO, 0)
        n[SESSION] = 0

    def _rest(self, n: Work) -> None:
        """Nothing is under way; what is on disk is all that is known."""
        self._give_up(n)
        n[AT : TOKEN + 1] = [0] * (TOKEN + 1 - AT)

    def _ask(self, n: Work) -> None:
        n[SEEN] = n[TOKEN] = 0
        n[ROUNDS] = self.bounds.tries
        self._greet(n, RESOLVE_HELLO)

    def _time_out(self, n: Work, _: int) -> None:
        self._give_up(n)
        at = n[AT]
        if n[LEFT] > 1 and at not in (AT_BEGIN, AT_SEAL, AT_COMMIT, AT_RESOLVE):
            n[LEFT] -= 1
            if at in (BASE_READ, CHECK_READ, DEAD_READ, DONE_READ):
                self._send(n, READ, 0)
            else:
                self._hello(n)
        elif at in (AT_BEGIN, AT_SEAL):
            self._rest(n)
        elif at == AT_COMMIT and self.rules.repeats and n[ORDERS] < self._orders:
            self._order_again(n)
        elif at == AT_COMMIT and not self.rules.asks:
            self._tell(n, NOT_APPLIED)
        elif at == AT_RESOLVE and n[ROUNDS] > 1:
            n[ROUNDS] -= 1
            self._greet(n, RESOLVE_HELLO)
        elif at == AT_RESOLVE:
            self._rest(n)
        else:
            self._fail(n, 0)

    def _order_again(self, n: Work) -> None:
        """The fault of a program that repeats: the same thing under a new number, on whatever the pump runs now."""
        self._write(n, n[OP], NOT_APPLIED)
        n[SAME] |= 1 << n[ORDERS]
        self._begin_order(n)

    def _fail(self, n: Work, _: int) -> None:
        """The exchange has failed for good, or was refused."""
        at = n[AT]
        if at in (AT_BEGIN, AT_SEAL, AT_COMMIT, CHECK_HELLO, CHECK_READ):
            self._ask(n)
        elif at in (DEAD_HELLO, DEAD_READ):
            self._tell(n, NOT_APPLIED)
        else:
            self._rest(n)

    def _arrive_at_program(self, n: Work, answer: int) -> None:
        flying = list(n[TO_APP])
        flying.remove(answer)
        n[TO_APP] = tuple(flying)
        if answer & FRESH:
            self._program_heeds[kind_of(answer)](n, answer)
        elif n[AT] in GREETINGS:
            self._heed_hi(n, answer)

    def _arrive_twice_at_program(self, n: Work, hi: int) -> None:
        """Only where an old HI can be believed does its second coming matter."""
        n[SPARE] -= 1
        n[TO_APP] = (*n[TO_APP], hi & ~FRESH)
        self._arrive_at_program(n, hi)

    def _heed_hi(self, n: Work, hi: int) -> None:
        at = n[AT]
        n[SESSION], n[LEFT] = session_of(hi), 0
        if at in (BASE_HELLO, CHECK_HELLO, DEAD_HELLO, DONE_HELLO):
            n[AT], n[LEFT], n[GREETED] = at + 1, self.bounds.tries, value_of(hi)
            self._send(n, READ, 0)
        elif at == RESOLVE_HELLO:
            n[AT] = AT_RESOLVE
            self._send(n, RESOLVE, n[OP])
        elif value_of(hi) != n[SEEN] and not self.rules.repeats:
            self._ask(n)
        else:
            n[AT], n[SEEN] = AT_BEGIN, 0
            self._send(n, BEGIN, n[OP], value_of(hi))

    def _heed_program(self, n: Work, answer: int) -> None:
        """PROGRAM; the status and the log, which are read next, fail if the session has ended meanwhile."""
        at, revision, program = n[AT], value_of(answer) & 3, value_of(answer) >> 2
        if revision != n[GREETED] or not self._in_session(n):
            self._fail(n, 0)
        elif at == BASE_READ:
            if revision == n[SEEN]:
                self._begin_order(n)
            else:
                self._rest(n)
        elif at == CHECK_READ and revision != n[SEEN]:
            self._rest(n)
        elif at == DEAD_READ:
            self._tell(n, NOT_APPLIED, running=not n[STOPPED])
        elif program == n[OP] or not self._is_settings(n[OP]):
            self._tell(n, VERIFIED, running=not n[STOPPED])
        else:
            self._rest(n)

    def _begin_order(self, n: Work) -> None:
        """The order is on disk before its first byte leaves."""
        n[ORDERS] += 1
        n[OP] = n[ORDERS]
        if n[OP] > 1 and n[TOLD] >> 2 * n[OP] - 4 & 2:
            n[SAME] |= 1 << n[OP] - 1
        self._write(n, n[OP], DOUBT)
        self._greet(n, STAGE_HELLO)

    def _heed_ready(self, n: Work, _: int) -> None:
        """READY; the one CHUNK that follows is taken at once, or refused."""
        if self._in_session(n) and n[DRAFT] == n[OP] and n[STAGE] == EMPTY:
            n[STAGE], n[AT] = FULL, AT_SEAL
            self._send(n, SEAL, n[OP])
        else:
            self._ask(n)

    def _heed_sealed(self, n: Work, sealed: int) -> None:
        n[AT], n[TOKEN] = HAS_SEALED, value_of(sealed)
        self._give_up(n)

    def _heed_committed(self, n: Work, committed: int) -> None:
        n[SEEN], n[TOKEN] = value_of(committed), 0
        self._greet(n, CHECK_HELLO)

    def _heed_resolved(self, n: Work, resolved: int) -> None:
        n[ROUNDS] = 0
        self._greet(n, DONE_HELLO if value_of(resolved) else DEAD_HELLO)

    def _in_session(self, n: Work) -> bool:
        return n[SESSION] == n[OPEN] or not self.rules.fence

    def _write(self, n: Work, op: int, what: int) -> None:
        n[DISK] = n[DISK] & ~(3 << 2 * op - 2) | what << 2 * op - 2

    def _tell(self, n: Work, what: int, *, running: bool = False) -> None:
        """The operator is told a final outcome, and it is on disk."""
        op = n[OP]
        self._write(n, op, what)
        n[TOLD] |= (1 if what == VERIFIED else 2) << 2 * op - 2
        if what == VERIFIED and self._is_settings(op) and n[PROGRAM] != op:
            n[WRONG] = 1
        if running:
            n[GUARD] = 0
        self._rest(n)

    # -- the pump ------------------------------------------------------------------------------------------------

    def _arrive_at_pump(self, n: Work, sent: int) -> None:
        flying = list(n[TO_PUMP])
        flying.remove(sent)
        n[TO_PUMP] = tuple(flying)
        self._obey(n, sent)

    def _arrive_twice(self, n: Work, sent: int) -> None:
        n[SPARE] -= 1
        self._obey(n, sent)

    def _drop(self, n: Work, sent: int) -> None:
        flying = list(n[TO_PUMP])
        flying.remove(sent)
        n[TO_PUMP] = tuple(flying)

    def _obey(self, n: Work, sent: int) -> None:
        kind, session = kind_of(sent), session_of(sent)
        if kind == HELLO:
            self._answer_hello(n, sent)
        elif self.rules.fence and session != n[OPEN]:
            self._answer(n, sent, NAK)
        else:
            answer, value = self._pump_heeds[kind](n, sent)
            self._answer(n, sent, answer, op_of(sent) if answer != NAK else 0, session=0, value=value)

    def _answer_hello(self, n: Work, hello: int) -> None:
        """A new session; it ends every earlier one and its draft."""
        if self.rules.drops_draft:
            self._lose_draft(n)
        if self.rules.pump_counts:
            n[SESSION] = 0
            n[TO_PUMP] = tuple(sent & ~_SESSION_BITS for sent in n[TO_PUMP])
            n[TO_APP] = tuple(sent & ~_SESSION_BITS for sent in n[TO_APP])
        else:
            n[OPEN] = session_of(hello)
        self._answer(n, hello, HI, session=n[OPEN], value=n[REVISION])

    def _answer_read(self, n: Work, _: int) -> tuple[int, int]:
        return PROGRAM_IS, n[REVISION] | n[PROGRAM] << 2

    def _answer_begin(self, n: Work, begin: int) -> tuple[int, int]:
        op, base = op_of(begin), value_of(begin)
        if n[DEAD] >> op & 1 or (self.rules.base and base != n[REVISION]) or n[DRAFT] or n[APPLIED] >> op & 1:
            return NAK, 0
        n[DRAFT], n[STAGE], n[BASE] = op, EMPTY, base
        return READY, 0

    def _answer_seal(self, n: Work, seal: int) -> tuple[int, int]:
        """SEALED with a new token, and every earlier one is spent."""
        spoiled = n[STAGE] == SPOILED and self.rules.read_back
        if n[DRAFT] != op_of(seal) or n[STAGE] == EMPTY or spoiled or not self._suits(n, n[DRAFT]):
            return NAK, 0
        self._spend_tokens(n)
        n[WRONG] |= 2 if n[STAGE] == SPOILED else 0
        n[STAGE] = IS_SEALED
        return SEALED, 1

    def _suits(self, n: State | Work, op: int) -> bool:
        return self._is_settings(op) or not n[STOPPED]

    def _would_apply(self, n: State | Work, commit: int) -> bool:
        op = op_of(commit)
        known = self.rules.record and n[APPLIED] >> op & 1
        if known or n[DEAD] >> op & 1 or n[DRAFT] != op or n[STAGE] != IS_SEALED:
            return False
        heard = session_of(commit) == n[OPEN] or not self.rules.fence
        right = (value_of(commit) or not self.rules.token) and (n[BASE] == n[REVISION] or not self.rules.base)
        return bool(heard and right and self._suits(n, op))

    def _answer_commit(self, n: Work, commit: int) -> tuple[int, int]:
        op = op_of(commit)
        if self.rules.record and n[APPLIED] >> op & 1:
            return COMMITTED, (n[APPLIED] & (2 << op) - 1).bit_count()
        if not self._would_apply(n, commit):
            return NAK, 0
        self._apply(n, op)
        n[APPLIED] |= 1 << op
        if self.rules.single_use:
            self._lose_draft(n)
        return COMMITTED, n[REVISION]

    def _apply(self, n: Work, op: int) -> None:
        n[REVISION] = min(n[REVISION] + 1, 3)
        if n[EFFECTS] >> 2 * op - 2 & 3 < 2:
            n[EFFECTS] += 1 << 2 * op - 2
        if self._is_settings(op):
            n[PROGRAM], n[STOPPED] = GARBLED if n[WRONG] & 2 else op, 0

    def _answer_resolve(self, n: Work, resolve: int) -> tuple[int, int]:
        op = op_of(resolve)
        if n[APPLIED] >> op & 1:
            return RESOLVED, 1
        if self.rules.tombstone:
            n[DEAD] |= 1 << op
            if n[DRAFT] == op:
                self._lose_draft(n)
        return RESOLVED, 0

    def _lose_draft(self, n: Work) -> None:
        if n[DRAFT]:
            n[DRAFT] = n[STAGE] = n[BASE] = 0
            n[WRONG] &= 1
            self._spend_tokens(n)

    def _spend_tokens(self, n: Work) -> None:
        n[TOKEN] = 0
        n[TO_PUMP] = tuple(sent & ~_TOKEN_BIT if sent & 15 == COMMIT else sent for sent in n[TO_PUMP])
        n[TO_APP] = tuple(sent & ~_TOKEN_BIT if sent & 15 == SEALED else sent for sent in n[TO_APP])

    # -- misfortunes ---------------------------------------------------------------------------------------------

    def _crash(self, n: Work, _: int) -> None:
        n[CRASHES] -= 1
        self._rest(n)

    def _reboot(self, n: Work, _: int) -> None:
        n[CRASHES] -= 1
        self._lose_draft(n)

    def _cut_before(self, n: Work, sent: int) -> None:
        """The power fails instead of the first write, if the request would write at all; then nothing is answered."""
        self._drop(n, sent)
        self._reboot(n, 0)

    def _writes_twice(self, s: State | Work, commit: int) -> bool:
        stops = self.bounds.must_stop and self._is_settings(op_of(commit)) and not s[STOPPED]
        return stops or self.rules.writes != "one"

    def _cut_between(self, n: Work, commit: int) -> None:
        """The power fails between two writes."""
        op = op_of(commit)
        self._drop(n, commit)
        if self.rules.writes == "effect":
            self._apply(n, op)
        elif self.rules.writes == "record":
            n[APPLIED] |= 1 << op
        else:
            n[STOPPED] = 1
        self._reboot(n, 0)

    def _expire(self, n: Work, _: int) -> None:
        n[SPARE] -= 16
        n[STAGE] = EXPIRED

    def _spoil(self, n: Work, _: int) -> None:
        n[SPARE] -= 16
        n[STAGE] = SPOILED

    def _older_disks(self, s: State) -> Iterator[int]:
        """What the disk may have held before: the last orders missing, one of them perhaps still in doubt.

        A counter that lies there was lower; it stands above the orders, at 64.
        """
        disks = {s[DISK]}
        for op in range(1, s[ORDERS] + 1):
            before = s[DISK] & (1 << 2 * op - 2) - 1
            disks |= {before, before | DOUBT << 2 * op - 2}
        for counter in range(s[COUNTER] + 1):
            yield from (disk | counter << 6 for disk in sorted(disks) if (disk, counter) != (s[DISK], s[COUNTER]))

    def _restore(self, n: Work, older: int) -> None:
        """The program comes up with an older database; a counter that lies there goes back too."""
        n[SPARE] -= 4
        self._rest(n)
        n[DISK], n[COUNTER] = older & 63, older >> 6


def wrongs(s: State) -> list[str]:
    """What must never be, and is in this state."""
    found = []
    effects, told = s[EFFECTS], s[TOLD]
    done = (effects | effects >> 1) & _FIRST
    if effects & _FIRST << 1:
        found.append("an order carried out twice")
    if told & _FIRST & ~done:
        found.append("VERIFIED, and never carried out")
    if told >> 1 & done:
        found.append("NOT APPLIED, and carried out")
    if s[SAME] and any(s[SAME] >> op & 1 and done >> 2 * op & done >> 2 * op - 2 & 1 for op in (1, 2)):
        found.append("the same thing done under two numbers")
    if s[WRONG] & 1:
        found.append("VERIFIED, and another program runs")
    if s[PROGRAM] == GARBLED:
        found.append("a program runs that nobody signed")
    if s[STOPPED] and not s[GUARD]:
        found.append("the pump stands still and nobody is warned")
    return found


# -- exploring -------------------------------------------------------------------------------------------------------


def packed(s: State) -> bytes:
    return bytes(s[:TO_PUMP]) + bytes((len(s[TO_PUMP]),)) + array("H", s[TO_PUMP] + s[TO_APP]).tobytes()


def unpacked(raw: bytes) -> State:
    sent = array("H", raw[TO_APP:]).tolist()
    return (*raw[:TO_PUMP], tuple(sent[: raw[TO_PUMP]]), tuple(sent[raw[TO_PUMP] :]))


@dataclass(frozen=True, slots=True)
class Explored:
    """What a search has seen. ``whole``: every state within the bounds; ``frontier`` holds those not opened.

    ``wrong`` holds the first, and so the shortest, trace to each wrong.
    """

    states: int
    depth: int
    frontier: int
    seconds: float
    wrong: dict[str, list[Label]]

    @property
    def whole(self) -> bool:
        return not self.frontier


def explore(
    model: Model, most: int, *, until_wrong: bool = False, judge: Callable[[State], list[str]] = wrongs
) -> Explored:
    """Breadth first, at most about ``most`` states; ``until_wrong`` stops after the first depth with a wrong."""
    began = time.monotonic()
    first = packed(model.start())
    parents: dict[bytes, bytes] = {first: b""}
    level, depth, wrong = [first], 0, {}
    while level and len(parents) < most and not (until_wrong and wrong):
        deeper: list[bytes] = []
        for index, raw in enumerate(level):
            for _, after in model.steps(unpacked(raw)):
                key = packed(after)
                if key in parents:
                    continue
                parents[key] = raw
                deeper.append(key)
                for text in judge(after):
                    if text not in wrong:
                        wrong[text] = trace_to(model, parents, key)
            if len(parents) >= most:
                deeper += level[index + 1 :]
                break
        level = deeper
        depth += 1
    return Explored(len(parents), depth, len(level), time.monotonic() - began, wrong)


def still_open(model: Model, s: State) -> list[str]:
    """Whether one order in doubt stays so when it is asked for at rest and nothing is lost on the way."""
    doubt = model.in_doubt(s[DISK])
    if s[AT] != IDLE or not doubt:
        return []
    s = dict(model.steps(_with_room(s)))["settle", doubt]
    while s[AT] != IDLE:
        steps = dict(model.steps(_with_room(s)))
        fresh = [label for label in steps if label[0] in ("deliver", "answer") and label[1] & FRESH]
        s = steps[fresh[0] if fresh else ("timeout", 0)]
    return ["in doubt for ever"] if s[DISK] >> 2 * doubt - 2 & 3 == DOUBT else []


def _with_room(s: State) -> State:
    """The state when late frames are lost."""
    return (*s[:TO_PUMP], tuple(sent for sent in s[TO_PUMP] if sent & FRESH), s[TO_APP])


def trace_to(model: Model, parents: dict[bytes, bytes], key: bytes) -> list[Label]:
    """The labels of the steps from the start to a state."""
    labels: list[Label] = []
    while parents[key]:
        before = parents[key]
        labels.append(next(label for label, after in model.steps(unpacked(before)) if packed(after) == key))
        key = before
    return labels[::-1]


def said(label: Label) -> str:
    """A step in words."""
    name, about = label
    if name in ("answer", "answer twice", "deliver", "duplicate", "drop", "cut before", "cut between"):
        op = f" {op_of(about)}" if op_of(about) else ""
        late = "" if about & FRESH else " (late)"
        return f"{name} {NAMES[kind_of(about)]}{op}{late}"
    return f"{name} {about}" if about and name != "restore" else name


# -- the campaign ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Weakened:
    """A protocol without some of what keeps it safe, and a world that is large enough to show it."""

    name: str
    rules: Rules
    bounds: Bounds
    wrong: str
    """What the shortest trace leads to."""


COMPLETE = Bounds("SB", crashes=2, duplicates=1, tries=2, in_flight=2)
"""Two orders, two crashes, a duplicate, a restored database, a mishap: small enough to be seen to the end."""

MUST_STOP = Bounds("SS", crashes=2, duplicates=1, tries=2, in_flight=2, restores=0, must_stop=True)
THREE_ORDERS = Bounds("SBS", crashes=3, duplicates=2, tries=3, in_flight=3)
FOUR_IN_FLIGHT = replace(THREE_ORDERS, duplicates=3, in_flight=4, mishaps=2)

REAL = (
    ("three orders, three duplicates, four frames in flight, two mishaps", FOUR_IN_FLIGHT),
    ("three orders", THREE_ORDERS),
    ("two orders", COMPLETE),
    ("a pump that must stop", MUST_STOP),
)
"""Worlds in which the real protocol does nothing wrong, the largest first."""

SETTLED = (("two orders", replace(COMPLETE, restores=0)), ("a pump that must stop", MUST_STOP))
"""Worlds in which one question on a clean cable ends every doubt. After a restored database it need not."""

_TWICE = "an order carried out twice"
_FALSE_DEAD = "NOT APPLIED, and carried out"
_ONE = Bounds("S", crashes=0, duplicates=0, tries=1, in_flight=3, restores=0, mishaps=0)
_CUT = replace(_ONE, crashes=1)

WEAKENED = (
    Weakened(
        "silence is failure, and the operator orders again",
        Rules(asks=False),
        replace(_ONE, kinds="SB"),
        _FALSE_DEAD,
    ),
    Weakened(
        "silence is answered with the same as a new order",
        Rules(repeats=True),
        replace(_ONE, kinds="SB"),
        "the same thing done under two numbers",
    ),
    Weakened(
        "no tombstone, and a pump that heeds ended sessions",
        Rules(tombstone=False, fence=False, drops_draft=False),
        _ONE,
        _FALSE_DEAD,
    ),
    Weakened(
        "no tombstone, and HI need not repeat the nonce",
        Rules(tombstone=False, echo=False),
        replace(_ONE, duplicates=1),
        _FALSE_DEAD,
    ),
    Weakened(
        "no tombstone, sessions counted by the program, its database restored",
        Rules(tombstone=False, pump_counts=False, drops_draft=False),
        replace(_ONE, restores=1),
        _FALSE_DEAD,
    ),
    Weakened(
        "no journal, no single use, no base revision",
        Rules(record=False, single_use=False, base=False),
        replace(_ONE, duplicates=1),
        _TWICE,
    ),
    Weakened(
        "the pump records, then applies",
        Rules(writes="record"),
        replace(_CUT, kinds="B"),
        "VERIFIED, and never carried out",
    ),
    Weakened("the pump applies, then records", Rules(writes="effect"), _CUT, _FALSE_DEAD),
    Weakened(
        "the pump repeats what it was sent, not what it holds",
        Rules(read_back=False),
        replace(_ONE, mishaps=1),
        "a program runs that nobody signed",
    ),
    Weakened(
        "no guard for a pump that must stop",
        Rules(guard=False),
        replace(_CUT, must_stop=True),
        "the pump stands still and nobody is warned",
    ),
)
"""Each of these goes wrong."""

ALONE = ("fence", "drops_draft", "echo", "tombstone", "token", "record", "single_use", "base")
"""What keeps the protocol safe twice: without any one of them nothing goes wrong within the bounds."""

_ENOUGH = 1_000_000
_SMALL = replace(_CUT, kinds="B", duplicates=2)
_A_CUT_S_MOST = 100_000


def without(*names: str) -> Rules:
    """The rules without some of :data:`ALONE`."""
    return replace(Rules(), **dict.fromkeys(names, False))


def cut_sets() -> Iterator[tuple[tuple[str, ...], Explored]]:
    """Every set of :data:`ALONE` whose loss goes wrong while the loss of none of its subsets does, in a small world."""
    cuts: list[set[str]] = []
    for size in range(1, len(ALONE) + 1):
        for names in combinations(ALONE, size):
            if not any(cut <= set(names) for cut in cuts):
                seen = explore(Model(without(*names), _SMALL), _A_CUT_S_MOST, until_wrong=True)
                if seen.wrong:
                    cuts.append(set(names))
                yield names, seen


def _explore(job: tuple[Rules, Bounds, int]) -> Explored:
    rules, bounds, most = job
    return explore(Model(rules, bounds), most)


def _explore_open(bounds: Bounds) -> Explored:
    world = Model(bounds=bounds)
    return explore(world, _ENOUGH, judge=lambda s: still_open(world, s))


def _row(name: str, seen: Explored) -> str:
    extent = "all of it" if seen.whole else f"{seen.frontier:,} states not opened"
    wrong = "; ".join(f"{text} after {len(trace)} steps" for text, trace in seen.wrong.items()) or "nothing wrong"
    return f"{name}: {seen.states:,} states, depth {seen.depth}, {extent}, {seen.seconds:.0f} s: {wrong}"


def explore_all(states: int, processes: int) -> bool:
    """The real protocol, each weakened one, and each loss alone; whether all was as it must be."""
    some = min(states, _ENOUGH)
    good = True
    with ProcessPoolExecutor(max_workers=processes) as pool:
        reals = [(name, pool.submit(_explore, (Rules(), bounds, states))) for name, bounds in REAL]
        weakened = [(one, pool.submit(_explore, (one.rules, one.bounds, some))) for one in WEAKENED]
        alone = [(f"without {name}", pool.submit(_explore, (without(name), COMPLETE, some))) for name in ALONE]
        settled = [(f"one clean question settles, {name}", pool.submit(_explore_open, one)) for name, one in SETTLED]
        for one, future in weakened:
            seen = future.result()
            print(_row(f"weakened, {one.name}", seen), flush=True)
            print("    " + ", ".join(said(label) for label in seen.wrong.get(one.wrong, [])))
            good = good and one.wrong in seen.wrong
        for name, future in (*alone, *settled, *reals):
            seen = future.result()
            print(_row(name, seen), flush=True)
            good = good and not seen.wrong
    return good


def main(arguments: list[str]) -> int:
    """Explore, replay, print what was seen, and return 1 if anything was not as it must be."""
    from tests.campaigns import replay

    parser = argparse.ArgumentParser(prog="model", description=__doc__)
    parser.add_argument("--states", type=int, default=10_000_000)
    parser.add_argument("--traces", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--cuts", action="store_true", help="also find what must not be missing together")
    chosen = parser.parse_args(arguments)
    good = explore_all(chosen.states, chosen.processes)
    if chosen.cuts:
        for names, seen in cut_sets():
            if seen.wrong or not seen.whole:
                print(_row("without " + ", ".join(names), seen), flush=True)
    began = time.monotonic()
    counts, differ = replay.play_all(chosen.seed, chosen.traces, chosen.processes)
    took = time.monotonic() - began
    for name, count in sorted(counts.items()):
        print(f"{name:30} {count:12,}")
    for text in differ[:20]:
        print(text)
    print(
        f"{chosen.traces:,} traces replayed on the real code, seed {chosen.seed}: {len(differ)} differ; "
        f"{took:.0f} s, {chosen.traces / max(took, 0.001):,.0f} a second"
    )
    return 0 if good and not differ else 1
