"""A short run of the frame campaign, and proof that it would notice each thing that it is there to notice."""

from __future__ import annotations

import random

import pytest

from app.device import cobs, link, server
from app.device.frames import BadFrameError, Frame, FrameReader, WrongKeyError
from app.device.messages import BY_KIND
from app.device.server import PumpServer
from tests.campaigns import frames, replays


def test_ten_thousand_mutated_frames_reach_every_layer_and_deceive_none() -> None:
    judge = frames.judge_batch(seed=1, number=0, frames=10_000)
    assert judge.wrong == []
    reached = {
        "refused: stuffing", "refused: length", "refused: check-sum", "refused: head", "refused: authentication code",
        "sealed with the key, refused: message", "sealed with the key, canonical", "original, accepted", "frames",
    }  # fmt: skip
    assert {name for name, count in judge.counts.items() if count > 10} == reached
    assert 4000 < judge.most_held <= frames.LONGEST


def test_every_kind_of_message_is_mutated() -> None:
    pool = frames.originals(random.Random(1))
    assert {one.content[1] for one in pool} == set(BY_KIND)


def test_a_batch_is_the_same_each_time() -> None:
    first, second = (frames.judge_batch(seed=7, number=3, frames=2_000) for _ in range(2))
    other = frames.judge_batch(seed=8, number=3, frames=2_000)
    assert first.counts == second.counts != other.counts


def without_code(text: bytes, _key: bytes) -> Frame:
    """A decoder that never looks at the authentication code."""
    try:
        raw = cobs.decode(text)
        if len(raw) < 31 or raw[0] != 1 or raw[2] > 1 or int.from_bytes(raw[9:11], "big") != len(raw) - 31:
            raise cobs.BadStuffingError
    except cobs.BadStuffingError:
        raise BadFrameError(problem="stuffing") from None
    return Frame(raw[1], raw[2], int.from_bytes(raw[3:7], "big"), int.from_bytes(raw[7:9], "big"), raw[11:-20])


def falling(text: bytes, key: bytes) -> Frame:
    return without_code(text[: text[0]], key) if text[0] < 31 else Frame(text[300], 0, 0, 0, b"")


def refusing(_text: bytes, _key: bytes) -> Frame:
    raise WrongKeyError


@pytest.mark.parametrize(
    ("decoder", "complaint"),
    [
        (without_code, "a forged frame was accepted"),
        (without_code, "a frame that is not canonical was accepted"),
        (falling, "decode_frame fell with IndexError"),
        (refusing, "an original was refused"),
    ],
)
def test_a_bad_decoder_of_frames_is_noticed(monkeypatch: pytest.MonkeyPatch, decoder, complaint: str) -> None:
    monkeypatch.setattr(frames, "decode_frame", decoder)
    assert any(text.startswith(complaint) for text in frames.judge_batch(1, 0, 1_000).wrong)


def test_a_bad_decoder_of_messages_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    decode = frames.decode_message
    monkeypatch.setattr(frames, "decode_message", lambda kind, payload: decode(kind, payload[: len(payload) // 2 * 2]))
    assert any(text.startswith("a message that is not") for text in frames.judge_batch(1, 0, 10_000).wrong)
    monkeypatch.setattr(frames, "decode_message", lambda kind, payload: payload[300])
    assert any(text.startswith("decode_message fell") for text in frames.judge_batch(1, 0, 1_000).wrong)


class Hoarder(FrameReader):
    """Forgets nothing and finds everything twice."""

    everything = 0

    @property
    def held(self) -> int:
        return self.everything

    def feed(self, data: bytes) -> list[bytes]:
        self.everything += len(data)
        return super().feed(data) * 2


def test_a_bad_reader_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "FrameReader", Hoarder)
    complaints = {text.split()[2] for text in frames.judge_batch(1, 0, 500).wrong}
    assert complaints == {"found", "held"}


def test_a_dialogue_played_again_each_way_is_believed_by_nobody() -> None:
    played, believed = replays.play(1, 0, len(replays.WAYS))
    assert believed == []
    assert len(played) == len(replays.WAYS) == 13


def test_a_recorded_dialogue_has_commits_and_answers() -> None:
    dialogue = replays.record(random.Random(5))
    assert dialogue.server.heard.count("Commit") >= 2 and dialogue.server.heard[-1] == "Resolve"
    assert len(dialogue.commands()) > 20 and all(dialogue.answered)


def believed(number: int = 0) -> set[str]:
    _, found = replays.play(1, number, len(replays.WAYS))
    return {text.split(",")[0] for text in found}


def test_a_pump_that_forgets_sessions_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(self, frame, message):
        return self._wrap(self.pump.answer(message), frame)

    monkeypatch.setattr(PumpServer, "_answer", answer)
    assert believed() >= {"told_whole", "told_shuffled", "told_commands", "told_slices"}


def test_a_client_that_forgets_its_nonces_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "_belongs", lambda answer, asked: True)
    assert "answered_again" in believed()


class Either:
    """Equal to both directions."""

    def __ne__(self, _other: object) -> bool:
        return False


def test_a_pump_that_hears_both_directions_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "TO_PUMP", Either())
    assert believed() == {"told_its_own_answers", "told_in_the_other_direction"}


def test_the_campaign_says_what_it_did_and_that_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert frames.main(["--frames", "3000", "--replays", "13", "--processes", "1"]) == 0
    said = capsys.readouterr().out
    assert "3,000 mutated frames" in said and "13 replays of old dialogues: 0 believed" in said
