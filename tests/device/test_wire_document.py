"""docs/wire-protocol.md: every example, table and figure in it is what the code does.

Law of these tests: the examples in the document were made by a program that shares nothing with ``app.device``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from app.device.frames import TO_PROGRAM, TO_PUMP, Frame, bench_key, decode_frame, encode_frame
from app.device.messages import (
    ALARM_BITS,
    BY_KIND,
    EVENT_CODES,
    Begin,
    Chunk,
    ClockIs,
    Commit,
    CommittedIs,
    Event,
    EventsAre,
    Fate,
    Hello,
    Hi,
    Message,
    Nak,
    ProgramIs,
    ReadClock,
    ReadEvents,
    ReadProgram,
    ReadStatus,
    Ready,
    Refusal,
    Resolve,
    ResolvedIs,
    Seal,
    SealedIs,
    StatusIs,
    Took,
    chained,
    decode_message,
    encode_message,
)
from app.device.settings_codec import encode_settings, settings_digest
from app.device.transports import Loopback
from app.models.program import DayPlan, Flex, Program, SimpleContinuous, Step, Weekday
from app.models.pump import PumpSettings
from app.models.quantities import Concentration, DoseRate, Mass, Volume
from tests.device.pumps import ANCHOR, SERIAL, TXN, make_client, make_server

TEXT = (Path(__file__).parents[2] / "docs" / "wire-protocol.md").read_text(encoding="utf-8")


def settings(mcg_a_day: int, *, filled: bool) -> bytes:
    return encode_settings(
        PumpSettings(
            drug="baclofen",
            concentration=Concentration.mcg_per_ml(2000),
            program=Program(SimpleContinuous(DoseRate.mcg_per_day(mcg_a_day))),
            low_alarm=Volume.ml(2),
            reservoir=Volume.ml(20) if filled else None,
        )
    )


OLD, NEW = settings(200, filled=True), settings(240, filled=False)
NOW, FILLED_AT = datetime(2026, 3, 2, 9, 30), datetime(2026, 2, 20, 9, 30)
NONCES = [bytes(range(16 * place, 16 * place + 16)) for place in range(5)]
ORDER, TOKEN = b"\xa1" * 16, b"\xd4" * 16
EVENTS = (Event(1, FILLED_AT, 3, 1), Event(2, FILLED_AT, 4, 20_000_000))

STORY: dict[str, Message] = {
    "HELLO": Hello(NONCES[0]),
    "HI": Hi(
        nonce=NONCES[0],
        session=7,
        serial="CIS000042",
        model="synchromed-ii-20",
        firmware="bench 1",
        emulated=True,
        must_stop=False,
        max_chunk=192,
        deadline_ms=2000,
        revision=1,
        digest=settings_digest(OLD),
        clock=NOW,
        running=True,
        reset=False,
        alarms=0,
        applied=(b"\xa0" * 16,),
        anchor=b"\xc2" * 32,
    ),
    "READ_PROGRAM": ReadProgram(NONCES[1]),
    "PROGRAM": ProgramIs(NONCES[1], 1, settings_digest(OLD), OLD),
    "READ_STATUS": ReadStatus(NONCES[2]),
    "STATUS": StatusIs(NONCES[2], NOW, 19_000_000, 1_000_000, True, False, 2, True, FILLED_AT, 0, 1_000_000, 250_000),
    "READ_EVENTS": ReadEvents(NONCES[3], 0),
    "EVENTS": EventsAre(NONCES[3], EVENTS, 2, False, chained(chained(bytes(32), EVENTS[0]), EVENTS[1])),
    "READ_CLOCK": ReadClock(NONCES[4]),
    "CLOCK": ClockIs(NONCES[4], NOW),
    "BEGIN": Begin(ORDER, 1, 1, settings_digest(OLD), 38, settings_digest(NEW)),
    "READY": Ready(ORDER),
    "CHUNK": Chunk(ORDER, 0, NEW),
    "TOOK": Took(ORDER, 38),
    "SEAL": Seal(ORDER),
    "SEALED": SealedIs(ORDER, settings_digest(NEW), TOKEN, 120, NEW),
    "COMMIT": Commit(ORDER, settings_digest(NEW), TOKEN, b"\xc3" * 32),
    "COMMITTED": CommittedIs(ORDER, 2, NOW),
    "RESOLVE": Resolve(ORDER),
    "RESOLVED": ResolvedIs(ORDER, Fate.COMMITTED, 2),
    "NAK": Nak(Refusal.EXPIRED_TOKEN),
}


@dataclass(frozen=True)
class Example:
    kind: int
    fields: list[tuple[str, str]]
    payload: bytes
    session: int
    number: int
    frame: bytes


def examples() -> Iterator[tuple[str, Example]]:
    """Each message's section of the document."""
    for name, kind, body in re.findall(r"^### ([A-Z_]+), `([0-9a-f]{2})`\n(.*?^```\n.*?)^```$", TEXT, re.M | re.S):
        rows = re.findall(r"^\| (\w+) \| (\w+) \| .* \| `([0-9a-f]*)` \|$", body, re.M)
        session, number, frame = re.search(r"^session (\d+), number (\d+)\n([0-9a-f\n]+)", body, re.M).groups()
        yield (
            name,
            Example(
                int(kind, 16),
                [(field, encoding) for field, encoding, _ in rows],
                bytes.fromhex("".join(value for _, _, value in rows)),
                int(session),
                int(number),
                bytes.fromhex(frame.replace("\n", "")),
            ),
        )


EXAMPLES = dict(examples())


def table_under(heading: str) -> list[list[str]]:
    """Cells of the last table in a section, without its head."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S).group(1)
    table = section.strip().split("\n\n")
    rows = next(part for part in reversed(table) if part.startswith("|")).splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_document_has_every_message_and_no_other() -> None:
    assert EXAMPLES.keys() == STORY.keys()
    assert {name: example.kind for name, example in EXAMPLES.items()} == {n: m.KIND for n, m in STORY.items()}
    assert {type(message) for message in STORY.values()} == set(BY_KIND.values())


@pytest.mark.parametrize("name", STORY)
def test_each_table_names_the_fields_and_their_encodings_in_order(name: str) -> None:
    hints = get_type_hints(type(STORY[name]), include_extras=True)
    fields = [(field, get_args(hint)[1]) for field, hint in hints.items() if field != "KIND"]
    assert EXAMPLES[name].fields == fields


@pytest.mark.parametrize("name", STORY)
def test_each_example_is_what_the_program_sends_and_understands(name: str) -> None:
    example, message = EXAMPLES[name], STORY[name]
    direction = TO_PROGRAM if example.kind & 0x80 else TO_PUMP
    frame = Frame(example.kind, direction, example.session, example.number, example.payload)
    assert encode_message(message) == example.payload
    assert decode_message(example.kind, example.payload) == message
    assert encode_frame(frame, bench_key("CIS000042")) == example.frame
    assert decode_frame(example.frame[1:-1], bench_key("CIS000042")) == frame


def test_the_settings_table_spells_the_example() -> None:
    cells = re.findall(r"^\| [^|]+\| [^|]*\| [^|]+\| `([0-9a-f]+)` \|$", TEXT.split("## Settings")[1], re.M)
    assert bytes.fromhex("".join(cells)) == OLD
    assert f"`{settings_digest(OLD).hex()}`" in TEXT


def test_the_table_of_refusals_is_complete() -> None:
    found = {int(reason): word for reason, word, *_ in table_under("Refusal")}
    assert found == {int(refusal): refusal.word for refusal in Refusal}


def test_the_tables_of_events_and_alarms_are_complete() -> None:
    assert {int(code): name for code, name, _ in table_under("Events")} == {c: k.value for k, c in EVENT_CODES.items()}
    assert {int(bit): name for bit, name in table_under("Alarms")} == {b: a.value for a, b in ALARM_BITS.items()}


def test_a_day_of_13_steps_takes_as_many_bytes_as_the_document_says() -> None:
    server, passed = make_server(), []

    def cable(sent: bytes) -> bytes:
        answered = server.feed(sent)
        passed.append(len(sent) + len(answered))
        return answered

    client = make_client(lambda: Loopback(cable))
    base = client.interrogate()
    passed.clear()
    steps = tuple(Step(hour * 60, 60, Mass.mcg(10)) for hour in range(13))
    day = DayPlan(days=tuple(Weekday), basal=DoseRate.mcg_per_day(100), steps=steps)
    wanted = PumpSettings(
        drug="baclofen",
        concentration=Concentration.mcg_per_ml(2000),
        program=Program(Flex((day,))),
        low_alarm=Volume.ml(2),
        reservoir=Volume.ml(20),
    )
    client.commit(client.stage(txn=TXN, serial=SERIAL, base=base, order=wanted, anchor=ANCHOR))
    assert (len(passed), sum(passed)) == (6, 1370)
    assert "six exchanges and 1,370 bytes" in TEXT
