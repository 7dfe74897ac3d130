"""The campaign of wrong pumps, for a short while; and that it would notice."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.campaigns.pairs import SHARES, Room, run


def test_a_strangers_pump_is_told_nothing(tmp_path: Path) -> None:
    tally = run(250, 3, tmp_path)
    assert (tally.wrong, tally.payload_bytes) == ([], 0)
    assert set(tally.pairs) == set(SHARES) and tally.told["ReadProgram"], "some strangers had the patient's key"


def test_it_would_notice_a_pump_that_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.campaigns.pairs.SHARES", {"from the beginning": 1})
    room = Room(tmp_path, random.Random(1))
    monkeypatch.setattr(Room, "_stranger", lambda self, implant: (self.pumps[implant.id], implant.serial))
    for _ in range(3):
        room.pair()
    room.station.store.close()
    assert any("read as the patient's" in words for words in room.tally.wrong)
