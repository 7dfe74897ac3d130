"""What the rules say, as cards."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from app.models.findings import Severity
from app.ui.finding_list import Card, FindingList

BLOCK = Card("REF-04", Severity.BLOCK, "Inject less.")
CONFIRM = Card("REF-02", Severity.CONFIRM, "Check the device before filling.")
NOTE = Card("REF-09", Severity.NOTE, "Think of a higher concentration.")


@pytest.fixture
def cards(qtbot: QtBot, themed: QApplication) -> FindingList:
    made = FindingList(10)
    qtbot.addWidget(made)
    return made


def test_a_block_cannot_be_answered_away_and_a_note_asks_nothing(cards: FindingList) -> None:
    cards.set_cards([NOTE])
    assert cards.is_answered()
    cards.set_cards([NOTE, BLOCK])
    assert not cards.is_answered()


def test_a_confirmation_wants_a_reason_and_forgets_it_with_its_numbers(cards: FindingList) -> None:
    cards.set_cards([CONFIRM])
    (reason,) = cards.findChildren(QLineEdit)
    reason.setText("too short")
    assert not cards.is_answered()
    reason.setText("Syringe read twice")
    assert cards.is_answered()
    assert cards.reasons() == {CONFIRM: "Syringe read twice"}
    cards.set_cards([CONFIRM, NOTE])
    assert cards.is_answered(), "an unchanged card keeps its reason"
    cards.set_cards([Card("REF-02", Severity.CONFIRM, "Check the device: another number.")])
    assert not cards.is_answered()


@pytest.mark.parametrize("text", ["", "short", "aaaaaaaaaaaaaaa", "          "])
def test_what_is_no_reason(cards: FindingList, text: str) -> None:
    cards.set_cards([CONFIRM])
    (reason,) = cards.findChildren(QLineEdit)
    reason.setText(text)
    assert not cards.is_answered()
    reason.setText("Syringe read twice")
    assert cards.is_answered()
