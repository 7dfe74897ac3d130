"""The robot of the campaign, for a short while; and that it would notice."""

from __future__ import annotations

import random
from pathlib import Path

from PySide6.QtWidgets import QApplication

from app.ui.hold_button import HoldButton
from tests.campaigns.robot import Life, Tally, run


def test_a_walk_from_every_page_on_three_keys_signs_and_sends_nothing(themed: QApplication, tmp_path: Path) -> None:
    tally = run(1_300, 7, tmp_path)
    assert tally.wrong == []
    assert sum(tally.keys.values()) == 1_300 == sum(tally.starts.values())
    assert tally.starts["schedule, sign"] and tally.starts["refill, confirm"]
    assert tally.on["HoldButton in SignDialog"] and tally.on["HoldButton"], "it stood on the very buttons"


def test_it_would_notice_a_button_that_need_not_be_held(themed: QApplication, tmp_path: Path) -> None:
    life = Life(tmp_path, random.Random(1))
    assert life.starts()["schedule, sign"]()
    for button in themed.allWidgets():
        if isinstance(button, HoldButton):
            button._hold_ms = 1e-3
            button._ticker.setInterval(0)
    life.walk(150, Tally())
    life.tidy()
    after = life.record()
    life.end()
    assert after != life.before
