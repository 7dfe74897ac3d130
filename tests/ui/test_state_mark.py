"""A state is said by a sign, a word and a colour, and any one of them is enough."""

import pytest

from app.models.findings import Severity
from app.ui import icons
from app.ui.state_mark import Mark, StateMark, mark_for
from app.ui.theme import THEMES, Scale, apply_theme

THREE_RESULTS = (Mark.VERIFIED, Mark.NOT_APPLIED, Mark.RESULT_NOT_KNOWN)


def test_every_mark_has_a_sign_that_is_drawn_and_a_word():
    for mark in Mark:
        assert mark.sign in icons.NAMES
        assert mark.word


def test_no_two_marks_share_a_word_or_a_sign():
    assert len({mark.word for mark in Mark}) == len(Mark)
    assert len({mark.sign for mark in Mark}) == len(Mark)


def test_the_three_results_of_sending_have_three_colours_and_their_fixed_words():
    assert [mark.word for mark in THREE_RESULTS] == ["VERIFIED", "NOT APPLIED", "RESULT NOT KNOWN"]
    assert len({mark.fill for mark in THREE_RESULTS}) == 3


def test_every_severity_has_a_mark_of_its_own():
    assert len({mark_for(severity) for severity in Severity}) == len(Severity)


def test_a_mark_is_spoken_by_its_word(qtbot, themed):
    shown = StateMark(Mark.NOTE, word="Stopped by the clinic")
    qtbot.addWidget(shown)
    assert shown.accessibleName() == "Stopped by the clinic"
    shown.set_mark(Mark.RESULT_NOT_KNOWN)
    assert shown.mark() is Mark.RESULT_NOT_KNOWN
    assert shown.accessibleName() == "RESULT NOT KNOWN"


@pytest.mark.parametrize("scale", [Scale.BODY, Scale.TITLE])
def test_the_whole_word_fits_into_the_mark(qtbot, themed, scale):
    for mark in Mark:
        shown = StateMark(mark, scale=scale)
        qtbot.addWidget(shown)
        sign = shown.fontMetrics().height()
        assert shown.width() >= sign + shown.fontMetrics().horizontalAdvance(mark.word)


def test_marks_are_told_apart_without_any_colour(qtbot, themed):
    pictures = []
    for mark in Mark:
        shown = StateMark(mark, word="same")
        qtbot.addWidget(shown)
        grey = shown.grab().toImage().convertToFormat(shown.grab().toImage().Format.Format_Mono)
        pictures.append(bytes(grey.constBits()))
    assert len(set(pictures)) == len(Mark)


def test_a_mark_follows_the_theme(qtbot, themed):
    shown = StateMark(Mark.BLOCK)
    qtbot.addWidget(shown)
    fills = []
    for theme in THEMES:
        apply_theme(themed, theme)
        fills.append(shown.grab().toImage().pixelColor(shown.width() // 2, 2).name())
    assert fills == [theme.stop for theme in THEMES]
