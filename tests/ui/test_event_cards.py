"""The cards of pump events as a user meets them: what each offers, to whom, and what is never lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.models.patient import Role, User
from app.models.program import Program, SimpleContinuous
from app.models.pump import Alarm, PumpEventKind
from app.models.pump_events import CardKind, EventCard, OnRecord, Way
from app.models.quantities import DoseRate, Volume
from app.models.reconcile import Found, FoundFill, difference
from app.ui.refill.event_cards import Circumstances, EventCardFrame, EventCards, part_lines, way_words, when_words
from app.ui.refill.reconcile_dialog import ReconcileDialog
from tests.models.pumps import synchromed_ii
from tests.models.test_pump_events import HOUR, NOON, SETTINGS, bit, cards, event, reading

NURSE, PHYSICIAN = User("n", "Paul Okafor", Role.NURSE), User("p", "Ruth Brand", Role.PHYSICIAN)
STOPPED = cards(event(1, PumpEventKind.STOPPED, NOON - 60 * HOUR), read=reading(running=False, last=1))
GAP = next(card for card in STOPPED if card.kind is CardKind.GAP_STOP)
STALL = next(card for card in cards(event(1, PumpEventKind.STALLED, NOON - HOUR)) if card.kind is CardKind.STALL)


def there(user: User = PHYSICIAN, **more: object) -> Circumstances:
    others = (NURSE if user is PHYSICIAN else PHYSICIAN,)
    return Circumstances(user, others, 10, **more)  # type: ignore[arg-type]


@pytest.fixture
def shown(qtbot: QtBot, themed: QApplication) -> EventCards:
    made = EventCards()
    qtbot.addWidget(made)
    made.resize(640, 900)
    made.show()
    return made


def only(shown: EventCards) -> EventCardFrame:
    (frame,) = shown.frames()
    return frame


def words(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel))


def test_a_stop_wants_a_physician_a_reason_and_somebody_else(shown: EventCards, qtbot: QtBot) -> None:
    shown.show_cards([GAP], there())
    frame = only(shown)
    (reason,), (second,) = frame.findChildren(QLineEdit), frame.findChildren(QComboBox)
    assert frame.button is not None and not frame.button.isEnabled()
    assert [second.itemText(place) for place in range(second.count())] == ["Choose a person", "Paul Okafor, nurse"]
    QTest.keyClicks(reason, "restart at half, Brand")
    assert not frame.button.isEnabled(), "nobody else has agreed"
    second.setCurrentIndex(1)
    assert frame.button.isEnabled()
    reason.setText("aaaaaaaaaaaaaaaa")
    assert not frame.button.isEnabled()
    reason.setText(" restart at half, Brand ")
    with qtbot.waitSignal(shown.resolved) as told:
        QTest.keyClick(frame.button, Qt.Key.Key_Space)
    assert told.args == [GAP, "restart at half, Brand", NURSE.id]


def test_a_nurse_is_told_to_call_and_offered_nothing_to_type(shown: EventCards) -> None:
    shown.show_cards([GAP], there(NURSE))
    assert "Call a physician" in words(only(shown))
    assert only(shown).findChildren(QLineEdit) == [] and only(shown).findChildren(QPushButton) == []


def test_enter_in_the_reason_records_nothing(shown: EventCards) -> None:
    told: list[object] = []
    shown.resolved.connect(lambda *args: told.append(args))
    shown.show_cards([GAP], there())
    (reason,) = only(shown).findChildren(QLineEdit)
    only(shown).findChildren(QComboBox)[0].setCurrentIndex(1)
    reason.setFocus()
    QTest.keyClicks(reason, "restart at half, Brand")
    QTest.keyClick(reason, Qt.Key.Key_Return)
    assert told == []


def test_a_new_reading_loses_nothing_that_was_typed(shown: EventCards) -> None:
    shown.show_cards([GAP], there())
    (reason,) = only(shown).findChildren(QLineEdit)
    reason.setText("half a reas")
    only(shown).findChildren(QComboBox)[0].setCurrentIndex(1)
    later = replace(GAP, lasted_min=4000)
    shown.show_cards([STALL, later], there())
    frames = {frame.card.kind: frame for frame in shown.frames()}
    assert frames[CardKind.GAP_STOP].typed() == ("half a reas", NURSE.id)
    assert frames[CardKind.GAP_STOP].card is later


def test_a_refusal_stands_beside_its_field_until_something_is_typed(shown: EventCards) -> None:
    shown.show_cards([GAP], there())
    shown.refuse(GAP.key, "Ask somebody else.")
    assert "Ask somebody else." in words(only(shown))
    QTest.keyClicks(only(shown).findChildren(QLineEdit)[0], "x")
    assert "Ask somebody else." not in words(only(shown))


def test_a_stall_offers_a_reading_and_says_from_when_it_counts(shown: EventCards, qtbot: QtBot) -> None:
    due = {STALL.key: datetime(2026, 11, 20, 12, 20)}
    shown.show_cards([STALL], there(NURSE, due=due))
    assert "Counts from 20\u00a0Nov\u00a02026 12:20 on" in words(only(shown))
    shown.show_cards([STALL], there(NURSE, due=due, ripe=frozenset({STALL.key})))
    assert "Possible since 20\u00a0Nov\u00a02026 12:20" in words(only(shown))
    button = only(shown).button
    assert button is not None
    with qtbot.waitSignal(shown.readAgain):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    shown.show_cards([STALL], there(NURSE, busy=True))
    assert only(shown).button is not None and not only(shown).button.isEnabled()  # type: ignore[union-attr]


def test_a_reset_offers_no_way_past_and_an_emergency_says_so(shown: EventCards) -> None:
    reset = cards(event(1, PumpEventKind.RESET, NOON - HOUR), read=reading(reset=True, last=1))
    shown.show_cards([next(card for card in reset if card.kind is CardKind.RESET)], there())
    assert only(shown).findChildren(QPushButton) == []
    assert "full program" in words(only(shown))
    emergency = replace(STALL, reason="no-recovery", emergency=True, stop=True, way=Way.PHYSICIAN)
    shown.show_cards([emergency], there())
    assert only(shown).accessibleName().startswith("Emergency: Treat this as an emergency")


def test_other_settings_are_compared_and_a_note_is_seen(shown: EventCards, qtbot: QtBot) -> None:
    record = OnRecord(clock=NOON, settings=SETTINGS, found=replace(SETTINGS, low_alarm=Volume.ml(3)))
    (other,) = cards(read=reading(last=0), record=record)
    (late,) = cards(read=reading(last=0), record=OnRecord(clock=NOON, refill_by=NOON - timedelta(days=2)))
    shown.show_cards([other, late], there(NURSE))
    first, second = shown.frames()
    assert first.button is not None and second.button is not None
    with qtbot.waitSignal(shown.compare):
        QTest.keyClick(first.button, Qt.Key.Key_Space)
    with qtbot.waitSignal(shown.resolved) as told:
        QTest.keyClick(second.button, Qt.Key.Key_Space)
    assert told.args == [late, "", ""]


@pytest.mark.parametrize(("card", "expected"), [
    (STALL, "Since 20\u00a0Nov\u00a02026 11:00, on the pump's clock: 1\u00a0h"),
    (replace(STALL, ended=NOON, lasted_min=61),
     "From 20\u00a0Nov\u00a02026 11:00 to 20\u00a0Nov\u00a02026 12:00, on the pump's clock: 1\u00a0h 1\u00a0min"),
    (replace(STALL, began=None, lasted_min=None),
     "Since an unknown moment, on the pump's clock: nobody knows how long"),
    (replace(STALL, began=None, parts=()), ""),
])  # fmt: skip
def test_times_are_told_whole_and_never_blank(card: EventCard, expected: str) -> None:
    assert when_words(card) == expected


def test_a_gap_names_each_interruption(themed: QApplication) -> None:
    assert part_lines(GAP) == ["stopped: 18\u00a0Nov\u00a02026 00:00 – now (60\u00a0h)"]
    assert part_lines(STALL) == []
    many = replace(GAP, parts=GAP.parts * 11)
    assert part_lines(many)[0] == "and 3 earlier ones" and len(part_lines(many)) == 9


def test_every_card_says_what_settles_it(themed: QApplication) -> None:
    for way in Way:
        for kind in CardKind:
            assert way_words(replace(STALL, way=way, kind=kind)).endswith(".")


def test_the_log_folds_and_shows_codes_without_a_name(shown: EventCards) -> None:
    assert not shown.toggle.isEnabled()
    shown.show_log((
        event(1, PumpEventKind.STALLED, NOON - HOUR), event(2, None, NOON, 5, code=77),
        event(3, PumpEventKind.ALARM, NOON, bit(Alarm.ERI)),
    ))  # fmt: skip
    assert shown.toggle.text() == "Show the pump's log (3 lines)" and not shown.log.isVisible()
    QTest.keyClick(shown.toggle, Qt.Key.Key_Space)
    assert shown.log.isVisible()
    model = shown.log.model()
    lines = [[str(model.index(row, column).data()) for column in range(4)] for row in range(3)]
    assert [line[0] for line in lines] == ["3", "2", "1"]
    assert lines[1][2:] == ["code 77, without a name", "5"]
    QTest.keyClick(shown.toggle, Qt.Key.Key_Space)
    assert not shown.log.isVisible()


def test_without_cards_it_says_so(shown: EventCards) -> None:
    shown.show_cards([GAP], there())
    shown.show_cards([], there())
    assert shown.frames() == ()
    assert any(label.isVisible() and "ask nothing" in label.text() for label in shown.findChildren(QLabel))


# -- record and pump --------------------------------------------------------------------------------------------------


def dialog(qtbot: QtBot, *, logged: bool = True) -> ReconcileDialog:
    other = replace(SETTINGS, program=Program(SimpleContinuous(DoseRate.mcg_per_day(600))))
    found = Found(other, NOON, logged, FoundFill(NOON, Volume.ml(15)))
    made = ReconcileDialog("CIS000042", found, difference(SETTINGS, found, synchromed_ii()))
    qtbot.addWidget(made)
    made.show()
    return made


def test_nothing_is_taken_over_before_the_difference_was_seen(qtbot: QtBot, themed: QApplication) -> None:
    made = dialog(qtbot)
    assert not made.take.isEnabled()
    QTest.keyClick(made, Qt.Key.Key_Return)
    assert made.isVisible() and made.result() == 0
    made.seen.setChecked(True)
    QTest.keyClick(made.seen, Qt.Key.Key_Return)
    assert made.isVisible()
    QTest.mouseClick(made.take, Qt.MouseButton.LeftButton)
    assert made.result() == ReconcileDialog.DialogCode.Accepted


def test_what_is_the_same_can_be_shown_too_and_the_moment_is_told(qtbot: QtBot, themed: QApplication) -> None:
    made = dialog(qtbot)
    few = made.table.model().rowCount()
    items = [str(made.table.model().index(row, 0).data()) for row in range(few)]
    assert {"Rate", "Daily dose", "Reservoir at the fill"} <= set(items) and "Drug" not in items
    made.only.setChecked(False)
    assert made.table.model().rowCount() > few
    assert "In force since 20\u00a0Nov\u00a02026 12:00" in words(made) and "lot is unknown" in words(made)
    assert "does not say since when" in words(dialog(qtbot, logged=False))
