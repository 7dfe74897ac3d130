"""The transcripts in docs/wire-protocol.md: both ends of the real code, each held against the document alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.device.frames import FrameReader
from app.device.transports import Loopback
from tests.device import transcripts
from tests.device.pumps import make_client, make_server
from tests.device.transcripts import LOST, STORIES, TO_PUMP, Line, Wire

TEXT = (Path(__file__).parents[2] / "docs" / "wire-protocol.md").read_text(encoding="utf-8")


def written(title: str) -> list[Line]:
    """A transcript as the document has it."""
    block = re.search(rf"^### {re.escape(title)}\n.*?^```\n(.*?)^```", TEXT, re.M | re.S)[1]
    found = re.findall(r"^([<>x]) ([A-Z_]+)\n((?:[0-9a-f]+\n)+)", block, re.M)
    return [Line(way, name, bytes.fromhex(frame.replace("\n", ""))) for way, name, frame in found]


@pytest.mark.parametrize("title", STORIES)
def test_a_pump_that_hears_the_documents_requests_gives_the_documents_answers(title: str) -> None:
    server, answers = make_server(), b""
    for line in written(title):
        if line.way == TO_PUMP:
            assert answers == b"", "everything was answered"
            answers = server.feed(line.frame)
        else:
            frame, answers = answers[: len(line.frame)], answers[len(line.frame) :]
            assert frame == line.frame, line.name


@pytest.mark.parametrize("title", STORIES)
def test_a_program_that_gets_the_documents_answers_sends_the_documents_requests(title: str) -> None:
    lines = iter(written(title))
    pending = list(lines)
    sent: list[bytes] = []

    class Recorded(Wire):
        def feed(self, raw: bytes) -> bytes:
            line = pending.pop(0)
            sent.append(raw)
            self.lines.append(line)
            assert (line.way, raw) == (TO_PUMP, line.frame), line.name
            answer = b""
            while pending and pending[0].way != TO_PUMP:
                heard = pending.pop(0)
                self.lines.append(heard)
                answer += b"" if heard.way == LOST else heard.frame
            return answer

    wire = Recorded()
    STORIES[title][1](wire, make_client(lambda: Loopback(wire.feed)))
    assert pending == [] and sent


def test_the_document_has_each_transcript_as_it_is_played() -> None:
    assert transcripts.text() in TEXT


def test_the_last_answers_say_what_the_words_say() -> None:
    names = {title: [line.name for line in written(title)] for title in STORIES}
    assert names["A program, verified"][-8:] == [
        "HELLO", "HI", "READ_PROGRAM", "PROGRAM", "READ_STATUS", "STATUS", "READ_EVENTS", "EVENTS",
    ]  # fmt: skip
    assert names["A bolus whose COMMITTED is lost"][-6:] == [
        "COMMIT", "COMMITTED", "HELLO", "HI", "RESOLVE", "RESOLVED",
    ]  # fmt: skip
    assert names["A stop that is taken back"][-8:] == [
        "RESOLVE", "RESOLVED", "SEAL", "NAK", "HELLO", "HI", "BEGIN", "NAK",
    ]  # fmt: skip
    assert all(len(FrameReader().feed(line.frame)) == 1 for title in STORIES for line in written(title))
