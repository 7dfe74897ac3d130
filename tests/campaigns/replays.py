"""Old dialogues played again to pumps and clients: whole, shuffled, reflected, to another pump, between live frames.

Law: a replay may open a session, for HELLO belongs to none; beyond that the pump keeps its memory as it was, and the
client believes nothing.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction

from app.device.client import PumpClient
from app.device.frames import TO_PROGRAM, FrameReader, bench_key, decode_frame, encode_frame
from app.device.messages import Commit, Hello, Hi, Nak, decode_message
from app.device.pump_memory import Memory
from app.device.server import PumpServer
from app.device.transports import Loopback
from app.models.errors import AppError
from app.models.program import OneTimeBolus, OneTimeKind, Program, SimpleContinuous
from app.models.pump import (
    Alarm,
    CommandUncertainError,
    LinkLostError,
    Order,
    PumpRefusedError,
    PumpSettings,
    ResumeDelivery,
    SilenceAlarms,
    StepClock,
    StopDelivery,
    WrongPumpError,
)
from app.models.quantities import DoseRate, Volume
from tests.device.pumps import RUNNING, SERIAL, WANTED, WORKSTATION_TIME, make_server

OTHER_SERIAL = "CIS000043"
PER_DIALOGUE = 26
"""Replays of one dialogue: twice each way."""

Answer = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A pump after a complete dialogue, and what went over the cable, frame by frame."""

    server: PumpServer
    sent: list[bytes]
    answered: list[bytes]

    def commands(self) -> list[bytes]:
        """What was sent but HELLO, which opens a session whoever says it."""
        return [raw for raw in self.sent if kind_of(raw, SERIAL) != Hello.KIND]


def kind_of(raw: bytes, serial: str) -> int:
    """The kind of the message in one whole frame."""
    return decode_frame(raw[1:-1], bench_key(serial)).kind


def client_at(answer: Answer, dice: random.Random, serial: str = SERIAL) -> PumpClient:
    """A client whose nonces come from ``dice``."""
    return PumpClient(
        lambda: Loopback(answer), bench_key(serial), now=lambda: WORKSTATION_TIME, randomness=dice.randbytes
    )


def record(dice: random.Random) -> Dialogue:
    """A dialogue with several orders of all kinds; what the pump refuses belongs to it."""
    dialogue = Dialogue(make_server(), [], [])

    def cable(sent: bytes) -> bytes:
        dialogue.sent.append(sent)
        dialogue.answered.append(dialogue.server.feed(sent))
        return dialogue.answered[-1]

    client = client_at(cable, dice)
    for order in dice.sample(_orders(dice), 4):
        try:
            carry_out(client, dice, order)
        except PumpRefusedError:
            continue
    carry_out(client, dice, _settings(dice))
    gives_up = dice.randbytes(16).hex()
    client.stage(
        txn=gives_up, serial=SERIAL, base=client.interrogate(), order=WANTED, anchor=dice.randbytes(32).hex()
    )
    client.resolve(gives_up, SERIAL)
    return dialogue


def carry_out(client: PumpClient, dice: random.Random, order: Order) -> str:
    """Interrogate, stage and commit; the order's number."""
    txn, base = dice.randbytes(16).hex(), client.interrogate()
    client.commit(client.stage(txn=txn, serial=SERIAL, base=base, order=order, anchor=dice.randbytes(32).hex()))
    return txn


def _settings(dice: random.Random) -> PumpSettings:
    daily = DoseRate.mcg_per_day(Fraction(dice.randrange(480, 8000), 10))
    return replace(RUNNING, program=Program(SimpleContinuous(daily)))


def _orders(dice: random.Random) -> list[Order]:
    return [
        WANTED,
        _settings(dice),
        OneTimeBolus(OneTimeKind.SINGLE, Volume.ml(Fraction(dice.randrange(1, 50), 1000)), dice.randrange(1, 30)),
        StopDelivery(),
        ResumeDelivery(),
        StepClock(dice.choice((-1, 1)) * dice.randrange(1, 4000)),
        SilenceAlarms((dice.choice(list(Alarm)),)),
    ]


# -- what a pump is told again -----------------------------------------------------------------------------------
# Each way returns what was believed, or nothing.


def _tell(server: PumpServer, parts: list[bytes], *, session_counts: bool = False) -> str | None:
    """Feed a pump; what changed in its memory, or what it answered beyond Hi and Nak."""
    before = server.pump.memory
    answers = b"".join(server.feed(part) for part in parts)
    server.hang_up()
    if _compared(server.pump.memory, session_counts) != _compared(before, session_counts):
        return "the pump's memory changed"
    key = bench_key(server.pump.serial)
    for stuffed in FrameReader().feed(answers):
        frame = decode_frame(stuffed, key)
        if not isinstance(decode_message(frame.kind, frame.payload), Hi | Nak):
            return f"the pump answered with a message of kind {frame.kind:#x}"
    return None


def _compared(memory: Memory, session_counts: bool) -> Memory:
    return memory if session_counts else replace(memory, session=0)


def told_whole(dialogue: Dialogue, dice: random.Random) -> str | None:
    client_at(dialogue.server.feed, dice).connect()
    return _tell(dialogue.server, [b"".join(dialogue.sent)])


def told_shuffled(dialogue: Dialogue, dice: random.Random) -> str | None:
    client_at(dialogue.server.feed, dice).connect()
    return _tell(dialogue.server, dice.sample(dialogue.sent, len(dialogue.sent)))


def told_commands(dialogue: Dialogue, dice: random.Random) -> str | None:
    """Without HELLO not even the session may change."""
    client_at(dialogue.server.feed, dice).connect()
    commands = dialogue.commands()
    return _tell(dialogue.server, dice.sample(commands, len(commands)), session_counts=True)


def told_slices(dialogue: Dialogue, dice: random.Random) -> str | None:
    """Pieces of the old stream, cut anywhere, in any order."""
    client_at(dialogue.server.feed, dice).connect()
    stream = b"".join(dialogue.sent)
    cuts = sorted(dice.sample(range(1, len(stream)), 20))
    slices = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    return _tell(dialogue.server, dice.sample(slices, len(slices)))


def told_its_own_answers(dialogue: Dialogue, dice: random.Random) -> str | None:
    """The pump hears itself: it keeps silent."""
    client_at(dialogue.server.feed, dice).connect()
    before, answer = dialogue.server.pump.memory, dialogue.server.feed(b"".join(dialogue.answered))
    return None if not answer and dialogue.server.pump.memory == before else "the pump believed itself"


def told_another_pump(dialogue: Dialogue, dice: random.Random) -> str | None:
    other = make_server(serial=OTHER_SERIAL)
    client_at(other.feed, dice, OTHER_SERIAL).connect()
    return _tell(other, dice.sample(dialogue.sent, len(dialogue.sent)), session_counts=True)


def told_in_the_other_direction(dialogue: Dialogue, dice: random.Random) -> str | None:
    """Commands of the open session, whole and sealed with the key, but of the other direction."""
    server, key, held = dialogue.server, bench_key(SERIAL), dialogue.server.pump.memory
    client_at(server.feed, dice).connect()
    frames = [decode_frame(raw[1:-1], key) for raw in dialogue.sent]
    turned = [
        encode_frame(replace(frame, direction=TO_PROGRAM, session=server.pump.session), key) for frame in frames
    ]
    answer = server.feed(b"".join(turned))
    same = _compared(server.pump.memory, False) == _compared(held, False)
    return None if not answer and same else "the pump believed a frame to the program"


def told_between_live_frames(dialogue: Dialogue, dice: random.Random) -> str | None:
    """Old commands before each live frame: the live order is carried out once, and nothing else is."""
    server, commands = dialogue.server, dialogue.commands()

    def cable(sent: bytes) -> bytes:
        old = b"".join(dice.sample(commands, min(8, len(commands))))
        return server.feed(old) + server.feed(sent)

    before, wanted = server.pump.memory, _settings(dice)
    client = client_at(cable, dice)
    txn = carry_out(client, dice, wanted)
    reading, after = client.interrogate(), server.pump.memory
    applied = [name for name, _, _ in after.applied]
    once = applied == [*(name for name, _, _ in before.applied), txn] and after.tombstones == before.tombstones
    return None if once and reading.settings == wanted else "the pump did something else beside"


# -- what a client is answered again -----------------------------------------------------------------------------


def _connects(answer: Answer, dice: random.Random, serial: str = SERIAL) -> str | None:
    return _refused(lambda: client_at(answer, dice, serial).connect(), LinkLostError)


def _refused(act: Callable[[], object], *expected: type[AppError]) -> str | None:
    """Nothing, if the client saw no answer in what came; NAK is an answer too."""
    try:
        act()
    except expected as lost:
        return "the client believed a refusal" if lost.values.get("problem") == "refused" else None
    except AppError as other:
        return f"the client believed something: {other!r}"
    return "the client believed an answer"


def answered_again(dialogue: Dialogue, dice: random.Random) -> str | None:
    """Old answers to HELLO: whole, then shuffled."""
    whole = b"".join(dialogue.answered)
    shuffled = b"".join(dice.sample(dialogue.answered, len(dialogue.answered)))
    return _connects(lambda _: whole, dice) or _connects(lambda _: shuffled, dice)


def answered_after_hello(dialogue: Dialogue, dice: random.Random) -> str | None:
    """A live HELLO, then nothing but old answers."""
    old = b"".join(dice.sample(dialogue.answered, len(dialogue.answered)))

    def cable(sent: bytes) -> bytes:
        return dialogue.server.feed(sent) if kind_of(sent, SERIAL) == Hello.KIND else old

    return _refused(client_at(cable, dice).interrogate, LinkLostError)


def answered_at_commit(dialogue: Dialogue, dice: random.Random) -> str | None:
    """A live dialogue, but COMMIT is kept from the pump and old answers come instead."""
    old = b"".join(dialogue.answered)

    def cable(sent: bytes) -> bytes:
        return old if kind_of(sent, SERIAL) == Commit.KIND else dialogue.server.feed(sent)

    return _refused(lambda: carry_out(client_at(cable, dice), dice, _settings(dice)), CommandUncertainError)


def answered_by_itself(dialogue: Dialogue, dice: random.Random) -> str | None:
    """The cable reflects: from the first frame, and after a live HELLO."""

    def cable(sent: bytes) -> bytes:
        return dialogue.server.feed(sent) if kind_of(sent, SERIAL) == Hello.KIND else sent

    return _connects(lambda sent: sent, dice) or _refused(client_at(cable, dice).interrogate, LinkLostError)


def answered_by_another_pump(dialogue: Dialogue, dice: random.Random) -> str | None:
    old = b"".join(dialogue.answered)
    return _refused(lambda: client_at(lambda _: old, dice, OTHER_SERIAL).connect(), WrongPumpError)


WAYS = (
    told_whole, told_shuffled, told_commands, told_slices, told_its_own_answers, told_another_pump,
    told_in_the_other_direction, told_between_live_frames,
    answered_again, answered_after_hello, answered_at_commit, answered_by_itself, answered_by_another_pump,
)  # fmt: skip


def play(seed: int, number: int, count: int) -> tuple[Counter[str], list[str]]:
    """Record the ``number``-th dialogue of a seed and play it so many times: how often each way; what was believed."""
    dice = random.Random(f"replays/{seed}/{number}")
    dialogue = record(dice)
    played: Counter[str] = Counter()
    believed = []
    for turn in range(count):
        way = WAYS[turn % len(WAYS)]
        found = way(dialogue, dice)
        played[way.__name__.replace("_", " ")] += 1
        if found:
            believed.append(f"{way.__name__}, dialogue {number}: {found}")
    return played, believed


def _play(job: tuple[int, int, int]) -> tuple[Counter[str], list[str]]:
    return play(*job)


def play_all(seed: int, count: int, processes: int) -> tuple[Counter[str], list[str]]:
    """``count`` replays, on so many processes."""
    jobs = [
        (seed, number, min(PER_DIALOGUE, count - start)) for number, start in enumerate(range(0, count, PER_DIALOGUE))
    ]
    played: Counter[str] = Counter()
    believed: list[str] = []
    with ProcessPoolExecutor(max_workers=processes) as pool:
        for some_played, some_believed in pool.map(_play, jobs):
            played += some_played
            believed += some_believed
    return played, believed
