"""A cable that goes wrong at exactly the byte it is told to, in virtual time.

Law: troubles sit between the two programs and never inside them; time passes only while somebody waits; what was
held back is not lost but arrives later, on whatever cable is plugged in then.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from app.device import cobs
from app.device.frames import TO_PROGRAM, TO_PUMP
from app.device.messages import Hi, Nak
from app.device.server import PumpServer
from app.models.pump import LinkLostError

BYTE_EVERY_S = 0.05
"""Of a line that dribbles."""


class Killed(BaseException):
    """The program is gone, with everything that was not on its disk."""


class Action(StrEnum):
    """What goes wrong: the first fourteen on the cable, the others at one of its ends."""

    CUT = "cut"
    DROP = "drop"
    DUPLICATE_BYTE = "duplicate-byte"
    DUPLICATE_FRAME = "duplicate-frame"
    FLIP = "flip"
    INSERT = "insert"
    SWAP = "swap"
    DELAY = "delay"
    DRIBBLE = "dribble"
    HALF_OPEN = "half-open"
    REPLAY = "replay"
    WRONG_PUMP = "wrong-pump"
    GARBAGE = "garbage"
    RESET_BOTH = "reset-both"
    PROGRAM_KILLED = "program-killed"
    WORKER_KILLED = "worker-killed"
    WORKER_WAKES = "worker-wakes"
    PUMP_RESTARTS = "pump-restarts"
    POWER_CUT = "power-cut"
    MEMORY_LOST = "memory-lost"
    CLOCK_JUMPS = "clock-jumps"
    DRAFT_SPOILT = "draft-spoilt"
    WRITE_SPOILT = "write-spoilt"
    SECOND_PROGRAMMER = "second-programmer"


ON_THE_CABLE = tuple(Action)[:14]
AT_AN_END = tuple(Action)[14:]

VALUES: dict[Action, tuple[int, ...]] = {
    Action.DROP: (1, 7, 40),
    Action.DUPLICATE_FRAME: (0, 3, 45),
    Action.FLIP: (0, 3, 7),
    Action.INSERT: (0, 1, 0x41),
    Action.DELAY: (1, 105, 45, 101, 5, 145),
    Action.REPLAY: (0, 1, 2, 3),
    Action.WRONG_PUMP: (1, 2, 101),
    Action.GARBAGE: (5, 70, 400),
    Action.PROGRAM_KILLED: (0, 1),
    Action.POWER_CUT: (0, 1),
    Action.CLOCK_JUMPS: (3600, -3600, 86_400),
}
"""What an action may be told: bytes, a bit, seconds, how many times, at which quarter of a recording to begin. 100
more means a whole frame held back and not only its end, or a wrong pump that was given the right one's key."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """``action`` at the byte ``offset`` (from 0, over the whole dialogue) of one direction."""

    action: Action
    direction: int
    offset: int
    value: int = 0


class World:
    """Time, two pumps with their plugs, what is under way between them and the program, and what goes wrong.

    Args:
        recording: all bytes of an earlier session with the right pump, for each direction.
        at_an_end: does what befalls one of the ends, but for the program's own death.
        dice: for garbage.

    ``servers`` are the right pump, a wrong one, and a wrong one that was given the right one's key. ``troubles`` are
    consumed as they happen. ``carried`` counts the bytes of each direction.
    """

    def __init__(
        self, recording: Sequence[bytes], at_an_end: Callable[[Trouble], None], dice: random.Random
    ) -> None:
        self.now_s = 0.0
        self.servers: Sequence[PumpServer] = ()
        self.troubles: list[Trouble] = []
        self.carried = [0, 0]
        self.old_sessions_obeyed = 0
        self._recording = recording
        self._at_an_end = at_an_end
        self._dice = dice
        self._plugged: Cable | None = None
        self._reached = 0
        self._session = 0
        self._wrong = [0, 0]
        self._silent = [False, False]
        self._held = [b"", b""]
        self._replayed: list[list[bytes]] = [[], []]
        self._under_way: list[tuple[float, int, int, bytes]] = []
        self._sent = 0

    def plug_in(self) -> Cable:
        """A new cable, to the pump that is in reach now."""
        self.unplug()
        opens, which = self._wrong
        self._reached = which if opens else 0
        self._wrong[0] = max(opens - 1, 0)
        self.servers[self._reached].hang_up()
        self._silent = [False, False]
        self._plugged = Cable(self)
        return self._plugged

    def unplug(self) -> None:
        """The cable is gone."""
        if self._plugged is not None:
            self._plugged.gone = True
        self._plugged = None

    def mend(self) -> None:
        """Nothing goes wrong any more, on a new cable; what is under way still arrives in its time."""
        self.unplug()
        self.troubles.clear()
        self._replayed = [[], []]
        self._silent = [False, False]
        self._wrong = [0, 0]

    def run_out(self) -> None:
        """Let everything arrive that was held back."""
        for direction in (TO_PUMP, TO_PROGRAM):
            held, self._held[direction] = self._held[direction], b""
            self._arrive(direction, held)
        while self._under_way:
            self.step(float("inf"))

    def wait(self, span: timedelta) -> None:
        """Let time pass."""
        until = self.now_s + span.total_seconds()
        while self.step(until):
            pass

    def step(self, until_s: float) -> bool:
        """Go on to the next arrival, if there is one before ``until_s``, or else to ``until_s``."""
        if not self._under_way or self._under_way[0][0] > until_s:
            self.now_s = max(self.now_s, until_s)
            return False
        at, _, direction, part = heapq.heappop(self._under_way)
        self.now_s = max(self.now_s, at)
        self._arrive(direction, part)
        return True

    def carry(self, direction: int, data: bytes) -> None:
        """Bytes enter the cable at one end. Raises: Killed."""
        start = self.carried[direction]
        self.carried[direction] = end = start + len(data)
        if self._silent[direction]:
            return
        for trouble in self.troubles:
            if trouble.direction == direction and start <= trouble.offset < end:
                self.troubles.remove(trouble)
                self._go_wrong(trouble, data[: trouble.offset - start], data[trouble.offset - start :])
                return
        self._arrive_with_held(direction, data)

    # -- what goes wrong ---------------------------------------------------------------------------------------

    def _go_wrong(self, trouble: Trouble, before: bytes, after: bytes) -> None:
        """One trouble between ``before`` and ``after``, the two parts of what was sent at once."""
        direction, value = trouble.direction, trouble.value
        match trouble.action:
            case Action.CUT | Action.WRONG_PUMP | Action.RESET_BOTH:
                self._arrive_with_held(direction, before)
                self.unplug()
                if trouble.action is Action.WRONG_PUMP:
                    self._wrong = [value % 100, 1 + value // 100]
                elif trouble.action is Action.RESET_BOTH:
                    self._restart(self.servers[0])
                    raise Killed
            case Action.PROGRAM_KILLED:
                self._arrive_with_held(direction, before + after if value else before)
                self.unplug()
                raise Killed
            case Action.DROP:
                self._arrive_with_held(direction, before + after[value:])
            case Action.DUPLICATE_BYTE:
                self._arrive_with_held(direction, before + after[:1] + after)
            case Action.FLIP:
                flipped = bytes((after[0] ^ 1 << value,))
                self._arrive_with_held(direction, before + flipped + after[1:])
            case Action.INSERT:
                self._arrive_with_held(direction, before + bytes((value,)) + after)
            case Action.GARBAGE:
                self._arrive_with_held(direction, before + self._dice.randbytes(value) + after)
            case Action.REPLAY:
                frames = [part + b"\x00" for part in self._recording[direction].split(b"\x00") if part]
                self._replayed[direction] = frames[len(frames) * value // 4 :]
                self._arrive_with_held(direction, before + b"\x00" + after)
            case Action.DUPLICATE_FRAME:
                self._later(direction, value, before + after)
                self._arrive_with_held(direction, before + after)
            case Action.SWAP:
                self._arrive_with_held(direction, b"")
                self._held[direction] = before + after
            case Action.DELAY:
                whole = value >= 100
                self._later(direction, value % 100, before + after if whole else after)
                self._arrive_with_held(direction, b"" if whole else before)
            case Action.DRIBBLE:
                for count, byte in enumerate(after, start=1):
                    self._later(direction, count * BYTE_EVERY_S, bytes((byte,)))
                self._arrive_with_held(direction, before)
            case Action.HALF_OPEN:
                self._silent[direction] = True
                self._arrive_with_held(direction, before)
            case _:
                # What befalls an end happens between the two parts.
                self._arrive_with_held(direction, before)
                self._at_an_end(trouble)
                self._arrive_with_held(direction, after)

    def _later(self, direction: int, seconds: float, data: bytes) -> None:
        self._sent += 1
        heapq.heappush(self._under_way, (self.now_s + seconds, self._sent, direction, data))

    # -- arrivals ------------------------------------------------------------------------------------------------

    def _arrive_with_held(self, direction: int, data: bytes) -> None:
        held, self._held[direction] = self._held[direction], b""
        if self._replayed[direction]:
            self._arrive(direction, self._replayed[direction].pop(0))
        self._arrive(direction, data + held)

    def _arrive(self, direction: int, data: bytes) -> None:
        if not data:
            return
        if direction == TO_PROGRAM:
            if self._plugged is not None:
                self._plugged.arrived += data
            return
        answer = self.servers[self._reached].feed(data)
        if answer:
            if not self._reached:
                self._watch_sessions(answer)
            self.carry(TO_PROGRAM, answer)

    def _watch_sessions(self, answers: bytes) -> None:
        """Count what the pump did for a session that it had ended before."""
        for stuffed in answers.split(b"\x00"):
            if not stuffed:
                continue
            raw = cobs.decode(stuffed)
            kind, session = raw[1], int.from_bytes(raw[3:7], "big")
            if kind == Hi.KIND:
                self._session = session
            elif kind != Nak.KIND and session != self._session:
                self.old_sessions_obeyed += 1

    def _restart(self, server: PumpServer) -> None:
        server.pump.reboot()
        server.hang_up()


class Cable:
    """The program's end: a :class:`app.device.transports.Transport`."""

    immediate = False

    def __init__(self, world: World) -> None:
        self._world = world
        self.arrived = b""
        self.gone = False

    def write(self, sent: bytes) -> None:
        self._check()
        self._world.carry(TO_PUMP, sent)

    def read(self, timeout_s: float) -> bytes:
        self._check()
        until = self._world.now_s + timeout_s
        while not self.arrived and self._world.step(until):
            self._check()
        arrived, self.arrived = self.arrived, b""
        return arrived

    def close(self) -> None:
        if not self.gone:
            self._world.unplug()

    def _check(self) -> None:
        if self.gone:
            raise LinkLostError(problem="unplugged")
