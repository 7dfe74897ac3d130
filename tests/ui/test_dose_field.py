"""A dose field never holds, and never means, anything but what was typed."""

from fractions import Fraction

import pytest
from PySide6.QtCore import QLocale, QPoint, QPointF, Qt
from PySide6.QtGui import QInputMethodEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel, QVBoxLayout, QWidget

from app.models.formats import NotANumberError
from app.ui.dose_field import DoseField
from tests.campaigns.dose_field import FIELDS, LOCALES, walk
from tests.ui.keys import KEYPAD

ACCEPTED_OF_THREE = {"mcg": 1102, "mL": 202, "mcg/mL": 1000}
"""Counted by hand, for one to three keys.

mcg: 10 + 90 + 900 whole numbers, 10 x 10 like 1.5, and 0 after a point or a comma that was refused and
put right (2). mL: 10 + 90 whole numbers, 10 x 10 like 1.5, the same 2. mcg/mL: 10 + 90 + 900.
"""


@pytest.fixture
def dose(qtbot, themed):
    made = DoseField("mcg/day", 1)
    qtbot.addWidget(made)
    return made


def refusals(field) -> list[str]:
    heard: list[str] = []
    field.refused.connect(heard.append)
    return heard


def remarks(field) -> list[tuple[str, bool]]:
    heard: list[tuple[str, bool]] = []
    field.remarkChanged.connect(lambda words, is_error: heard.append((words, is_error)))
    return heard


def values(field) -> list[Fraction | None]:
    heard: list[Fraction | None] = []
    field.valueChanged.connect(heard.append)
    return heard


# What it means


def test_an_empty_field_has_no_value(dose):
    assert dose.text() == ""
    assert dose.value() is None


def test_the_value_is_the_number_typed_exactly(dose, keyboard):
    keyboard.type(dose, "355.5")
    assert dose.text() == "355.5"
    assert dose.value() == Fraction(711, 2)


def test_every_change_of_value_is_told_once(dose, keyboard):
    heard = values(dose)
    keyboard.type(dose, "4.5")
    assert heard == [Fraction(4), None, Fraction(9, 2)]


def test_an_unfinished_number_has_no_value(dose, keyboard):
    keyboard.type(dose, "12.")
    assert dose.text() == "12."
    assert dose.value() is None


def test_the_unit_stands_in_the_field(dose):
    assert [label.text() for label in dose.findChildren(QLabel)] == ["mcg/day"]
    assert dose.unit() == "mcg/day"


@pytest.mark.parametrize("unit", FIELDS)
@pytest.mark.parametrize("locale", LOCALES)
def test_every_string_of_three_keys_means_what_it_shows_or_nothing(qtbot, themed, locale, unit):
    tally = walk(locale, unit, 3)
    assert tally.strings == 16 + 16**2 + 16**3
    assert tally.wrong == []
    assert tally.accepted == ACCEPTED_OF_THREE[unit]


# What it refuses


@pytest.mark.parametrize("character", [*"-+eE \u2212,x'%", "\u0663", "\uff15", "\u00bd", "\u066b", "\u0967"])
def test_a_character_that_does_not_fit_never_changes_the_text(dose, keyboard, character):
    keyboard.type(dose, "12")
    keyboard.type(dose, character)
    assert dose.text() == "12"
    assert dose.value() is None
    words, is_error = dose.remark()
    assert words and is_error


def test_a_refused_comma_is_not_passed_over_by_a_blind_hand(dose, keyboard):
    heard = refusals(dose)
    keyboard.type(dose, "62,5")
    assert dose.text() == "62"
    assert dose.value() is None
    assert heard == ["Use a point.", "Use a point. Press Backspace to go on."]


def test_a_point_puts_a_refused_comma_right(dose, keyboard):
    keyboard.type(dose, "62,.5")
    assert dose.text() == "62.5"
    assert dose.value() == Fraction(125, 2)
    assert dose.remark() == ("", False)


def test_a_nought_puts_a_refused_leading_point_right(dose, keyboard):
    keyboard.type(dose, ".")
    assert dose.remark() == ("Type 0 first, then the point.", True)
    keyboard.type(dose, "0.5")
    assert dose.value() == Fraction(1, 2)


def test_backspace_answers_a_refusal_and_deletes_nothing(dose, keyboard):
    keyboard.type(dose, "250x")
    keyboard.backspace(dose)
    assert (dose.text(), dose.value()) == ("250", Fraction(250))
    keyboard.backspace(dose)
    assert (dose.text(), dose.value()) == ("25", Fraction(25))


@pytest.mark.parametrize(
    ("typed", "left", "words"),
    [
        ("007", "0", "After a 0 at the start comes a point."),
        ("1.25", "1.2", "At most one digit after the point."),
        ("1.2.", "1.2", "There is a point already."),
        ("123456", "12345", "At most 5 digits before the point."),
        ("5e", "5", "Only the digits 0 to 9 and one point fit here."),
    ],
)
def test_a_refusal_says_why_in_words(dose, keyboard, typed, left, words):
    heard = refusals(dose)
    keyboard.type(dose, typed)
    assert dose.text() == left
    assert dose.value() is None
    assert heard[0].startswith(words)


def test_a_field_for_whole_numbers_refuses_both_points(qtbot, themed, keyboard):
    strength = DoseField("mcg/mL", 0)
    qtbot.addWidget(strength)
    for sign in ".,":
        strength.set_value(None)
        keyboard.type(strength, f"500{sign}")
        assert strength.remark()[0] == "Whole numbers only, without a point. Press Backspace to go on."
        assert (strength.text(), strength.value()) == ("500", None)


# Keys and hands


@pytest.mark.parametrize("locale", ["de_DE", "en_US", "ar_EG"])
@pytest.mark.parametrize(
    ("key", "text"),
    [(Qt.Key.Key_Comma, ","), (Qt.Key.Key_Period, "."), (Qt.Key.Key_Comma, "\u066b"), (Qt.Key.Key_Comma, "")],
)
def test_the_decimal_key_of_the_keypad_types_a_point_in_every_country(dose, keyboard, locale, key, text):
    before = QLocale()
    QLocale.setDefault(QLocale(locale))
    try:
        keyboard.type(dose, "4")
        keyboard.strike(dose, key, text, modifiers=KEYPAD)
        keyboard.type(dose, "5")
    finally:
        QLocale.setDefault(before)
    assert dose.text() == "4.5"
    assert dose.value() == Fraction(9, 2)


def test_a_key_held_down_counts_once(dose, keyboard):
    keyboard.type(dose, "5")
    keyboard.strike(dose, Qt.Key.Key_5, "5", repeat=True)
    assert (dose.text(), dose.value()) == ("5", None)
    assert dose.remark()[0].startswith("The key was held down. It counts once.")
    keyboard.backspace(dose)
    assert dose.value() == Fraction(5)


def test_a_key_that_comes_twice_at_once_leaves_the_number_in_doubt(dose, keyboard):
    keyboard.type(dose, "25")
    keyboard.strike(dose, Qt.Key.Key_5, "5", gap_ms=79)
    assert dose.text() == "255"
    assert dose.value() is None
    assert dose.is_doubtful()
    assert dose.remark() == ("5 came twice at once. Is 255\u00a0mcg/day right? Press Enter, or correct it.", True)


def test_a_key_that_comes_twice_in_80_ms_is_meant(dose, keyboard):
    keyboard.type(dose, "25")
    keyboard.strike(dose, Qt.Key.Key_5, "5", gap_ms=80)
    assert dose.value() == Fraction(255)


def test_a_doubt_is_settled_by_deleting_the_second_digit(dose, keyboard):
    keyboard.type(dose, "25")
    keyboard.strike(dose, Qt.Key.Key_5, "5", gap_ms=10)
    keyboard.backspace(dose)
    assert (dose.text(), dose.value()) == ("25", Fraction(25))
    assert dose.remark() == ("", False)


def test_a_doubt_is_settled_by_typing_the_number_anew(dose, keyboard):
    keyboard.type(dose, "2")
    keyboard.strike(dose, Qt.Key.Key_2, "2", gap_ms=10)
    dose.selectAll()
    keyboard.type(dose, "7")
    assert (dose.text(), dose.value()) == ("7", Fraction(7))
    assert dose.remark() == ("", False)


def test_a_doubt_is_kept_by_enter_only_at_a_second_look(qtbot, themed, keyboard):
    now = [0.0]
    field = DoseField("mcg", 1, clock_ms=lambda: now[0])
    qtbot.addWidget(field)
    keyboard.type(field, "5")
    keyboard.strike(field, Qt.Key.Key_5, "5", gap_ms=10)
    for at, expected in ((0, None), (499, None), (500, Fraction(55))):
        now[0] = float(at)
        keyboard.enter(field)
        assert field.value() == expected


def test_undo_is_refused_in_words_and_leaves_the_value(dose, keyboard):
    keyboard.type(dose, "12")
    keyboard.strike(dose, Qt.Key.Key_Z, "\x1a", modifiers=Qt.KeyboardModifier.ControlModifier)
    assert (dose.text(), dose.value()) == ("12", Fraction(12))
    assert dose.remark() == ("Nothing is undone here. Type the number again.", True)


def test_the_wheel_changes_nothing(dose, qtbot):

    dose.set_value(Fraction(5))
    none, phase = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
    turn = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), QPoint(), QPoint(0, 120), none, Qt.KeyboardModifier.NoModifier, phase, False
    )
    QApplication.sendEvent(dose, turn)
    assert dose.value() == Fraction(5)
    assert not turn.isAccepted()


# Paste and screen keyboards


def paste(dose, keyboard, text: str) -> None:
    QApplication.clipboard().setText(text)
    keyboard.strike(dose, Qt.Key.Key_V, "\x16", modifiers=Qt.KeyboardModifier.ControlModifier)


def test_a_pasted_number_replaces_the_whole_text(dose, keyboard):
    keyboard.type(dose, "12")
    paste(dose, keyboard, "355.5")
    assert (dose.text(), dose.value()) == ("355.5", Fraction(711, 2))


@pytest.mark.parametrize("text", ["355,5", " 355", "355\n", "355 mcg", "1e3", "+5", "1.25", "007", "", "\u0663"])
def test_a_paste_that_is_not_a_number_is_refused_and_leaves_the_value(dose, keyboard, text):
    keyboard.type(dose, "12")
    paste(dose, keyboard, text)
    assert (dose.text(), dose.value()) == ("12", Fraction(12))
    assert dose.remark() == ("That is not a number like 12.5. Nothing was pasted.", True)


def test_text_from_a_screen_keyboard_is_judged_like_keys(dose):
    for text in ("62", ",", "5"):
        event = QInputMethodEvent()
        event.setCommitString(text)
        QApplication.sendEvent(dose, event)
    assert (dose.text(), dose.value()) == ("62", None)


def test_nothing_is_composed_in_the_field(dose):
    QApplication.sendEvent(dose, QInputMethodEvent("12", []))
    assert (dose.text(), dose.value()) == ("", None)


# What is put in, and what is said


def test_a_value_put_in_is_the_original_and_is_shown_in_full(dose):
    dose.set_value(Fraction(711, 2))
    assert (dose.text(), dose.original(), dose.value()) == ("355.5", "355.5", Fraction(711, 2))


@pytest.mark.parametrize("value", [Fraction(1, 3), Fraction(1, 4), Fraction(-1), Fraction(123456)])
def test_a_value_that_does_not_fit_is_never_put_in_rounded(dose, value):
    dose.set_value(Fraction(5))
    with pytest.raises(NotANumberError):
        dose.set_value(value)
    assert dose.value() == Fraction(5)


def test_a_value_put_in_answers_a_refusal(dose, keyboard):
    keyboard.type(dose, "5x")
    dose.set_value(Fraction(6))
    assert dose.value() == Fraction(6)
    assert dose.remark() == ("", False)


def test_a_number_with_a_problem_stays_red_and_has_no_value(qtbot, themed, keyboard):
    limit = [Fraction(100)]
    field = DoseField("mcg", 1, problem=lambda value: "At most 100 mcg." if value > limit[0] else None)
    qtbot.addWidget(field)
    heard = values(field)
    keyboard.type(field, "150")
    keyboard.enter(field)
    assert field.value() is None
    assert field.remark() == ("At most 100 mcg.", True)
    limit[0] = Fraction(200)
    field.review()
    assert field.value() == Fraction(150)
    assert field.remark() == ("", False)
    assert heard == [Fraction(1), Fraction(15), None, Fraction(150)]


def test_enter_shows_what_the_number_comes_to(qtbot, themed, keyboard):
    field = DoseField("mcg/day", 1, echo=lambda value: f"{value / 24} mcg/h")
    qtbot.addWidget(field)
    heard = remarks(field)
    keyboard.type(field, "240")
    keyboard.enter(field)
    assert field.remark() == ("10 mcg/h", False)
    assert heard == [("10 mcg/h", False)]


def test_the_next_key_takes_an_old_meaning_away(qtbot, themed, keyboard):
    field = DoseField("mcg/day", 1, echo=lambda value: f"{value / 24} mcg/h")
    qtbot.addWidget(field)
    field.set_value(Fraction(24))
    field.review()
    assert field.remark() == ("1 mcg/h", False)
    keyboard.type(field, "0")
    assert field.remark() == ("", False)


def test_deleting_takes_an_old_meaning_away(qtbot, themed, keyboard):
    field = DoseField("mcg/day", 1, echo=lambda value: f"{value / 24} mcg/h")
    qtbot.addWidget(field)
    field.set_value(Fraction(240))
    field.review()
    keyboard.backspace(field)
    assert (field.value(), field.remark()) == (Fraction(24), ("", False))


def test_leaving_an_unfinished_number_says_how_to_finish_it(dose, keyboard):
    keyboard.type(dose, "5.")
    dose.review()
    assert dose.remark() == ("Finish the number: after the point comes a digit.", True)


def test_deleting_into_what_nobody_could_type_is_said_at_once(dose, keyboard):
    keyboard.type(dose, "1.5")
    dose.setCursorPosition(1)
    keyboard.backspace(dose)
    assert (dose.text(), dose.value()) == (".5", None)
    assert dose.remark() == ("Type 0 first, then the point.", True)


def test_enter_goes_to_the_next_field_only_with_a_number(qtbot, themed, keyboard):

    window = QWidget()
    qtbot.addWidget(window)
    first, second = DoseField("mcg", 1), DoseField("mL", 2)
    column = QVBoxLayout(window)
    column.addWidget(first)
    column.addWidget(second)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    first.setFocus()
    qtbot.waitUntil(first.hasFocus)
    keyboard.enter(first)
    assert first.hasFocus()
    keyboard.type(first, "5")
    keyboard.enter(first)
    assert second.hasFocus()
