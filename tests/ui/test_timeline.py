"""The timeline as hands use it: real mouse events at real places, real keys, and the same programs from both."""

import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.models.editing import Kind, Place, item_at, items_of
from app.models.program import EVERY_DAY, Bolus, DayPlan, Flex, PeriodicBolus, Program, SimpleContinuous, Step, Weekday
from app.models.quantities import DoseRate, Mass
from app.ui.schedule import timeline_layout, timeline_paint
from app.ui.schedule.timeline import Timeline
from app.ui.schedule.timeline_drag import round_multiple
from app.ui.schedule.timeline_edits import next_dose
from app.ui.schedule.timeline_keys import typed_minute
from app.ui.schedule.timeline_layout import Band, Curve, Layer, LayerKind
from app.ui.theme import DARK, LIGHT, THEMES, apply_theme

LEFT, CTRL, SHIFT, ALT = (
    Qt.MouseButton.LeftButton,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
NONE = Qt.KeyboardModifier.NoModifier
TENTH = Mass.mcg(Fraction(1, 10))
SIZE = (1000, 400)


def bolus(index: int, plan: int = 0) -> Place:
    return Place(plan, Kind.BOLUS, index)


def step(index: int, plan: int = 0) -> Place:
    return Place(plan, Kind.STEP, index)


def flex(*, boluses=(), steps=(), days=EVERY_DAY, basal=240) -> DayPlan:
    return DayPlan(days, DoseRate.mcg_per_day(basal), tuple(boluses), tuple(steps))


DAY = Program(
    Flex(
        (
            flex(
                boluses=(Bolus(420, Mass.mcg(50), 5), Bolus(720, Mass.mcg(20), 60), Bolus(1080, Mass.mcg(30), 5)),
                steps=(Step(480, 120, Mass.mcg(40)), Step(780, 60, Mass.mcg(15)), Step(1380, 120, Mass.mcg(30))),
            ),
        )
    )
)
WEEK = Program(
    Flex(
        (
            flex(boluses=(Bolus(420, Mass.mcg(50), 5),), days=tuple(Weekday(day) for day in range(5))),
            flex(steps=(Step(1380, 180, Mass.mcg(30)),), days=(Weekday.SAT, Weekday.SUN)),
        )
    )
)


class Page:
    """What stands around a timeline: it shows what it is asked for, and remembers."""

    def __init__(self, qtbot, program: Program = DAY, *, week: bool = False, increment: Mass | None = TENTH) -> None:
        self.timeline = Timeline()
        qtbot.addWidget(self.timeline)
        self.increment = increment
        self.program = program
        self.asked: list[tuple[Program, str, str]] = []
        self.refusals: list[str] = []
        self.chosen: list[tuple[Place, ...]] = []
        self.timeline.edited.connect(self.take)
        self.timeline.refused.connect(self.refusals.append)
        self.timeline.selected.connect(self.chosen.append)
        self.timeline.resize(*SIZE)
        self.show(program)
        self.timeline.show_week(week)
        self.timeline.show()
        self.timeline.activateWindow()
        self.timeline.setFocus()
        QApplication.processEvents()

    def show(self, program: Program) -> None:
        self.program = program
        self.timeline.show_program(program, plan=0, increment=self.increment)

    def take(self, program: Program, words: str, join: str) -> None:
        self.asked.append((program, words, join))
        self.show(program)

    @property
    def joins(self) -> set[str]:
        return {join for _, _, join in self.asked}

    def item(self, place: Place) -> Bolus | Step:
        return item_at(self.program, place)

    def press(self, point: QPoint, modifiers=NONE) -> None:
        QTest.mousePress(self.timeline, LEFT, modifiers, point)

    def move(self, start: QPoint, end: QPoint, modifiers=NONE, moves: int = 6) -> None:
        """Move with the button held, which QTest.mouseMove does not do."""
        for number in range(1, moves + 1):
            at = QPointF(start + (end - start) * number / moves)
            where = self.timeline.mapToGlobal(at)
            event = QMouseEvent(QEvent.Type.MouseMove, at, where, Qt.MouseButton.NoButton, LEFT, modifiers)
            QApplication.sendEvent(self.timeline, event)

    def release(self, point: QPoint, modifiers=NONE) -> None:
        QTest.mouseRelease(self.timeline, LEFT, modifiers, point)

    def drag(self, place: Place, part: str, *, minutes: float = 0, up: int = 0, modifiers=NONE) -> None:
        start = self.timeline.place_to_point(place, part)
        across = self.timeline.minute_to_x(minutes) - self.timeline.minute_to_x(0)
        end = start + QPoint(round(across), -up)
        self.press(start)
        self.move(start, end, modifiers)
        self.release(end, modifiers)

    def key(self, key, modifiers=NONE) -> None:
        QTest.keyClick(self.timeline, key, modifiers)

    def type_time(self, text: str) -> None:
        QTest.keyClick(self.timeline, text[0])
        field = self.timeline._typed.field
        QTest.keyClicks(field, text[1:])
        QTest.keyClick(field, Qt.Key.Key_Return)


@pytest.fixture
def page(qtbot, themed) -> Page:
    return Page(qtbot)


class TestDragging:
    def test_a_bolus_goes_along_the_grid_and_keeps_its_dose(self, page) -> None:
        page.drag(bolus(0), "body", minutes=-62)
        assert page.item(bolus(0)) == Bolus(360, Mass.mcg(50), 5)
        assert [join for _, _, join in page.asked] == [page.asked[0][2]] * len(page.asked)
        assert len(page.asked) > 1
        assert page.asked[-1][1] == "Move bolus to 06:00"
        assert page.timeline.chosen() == (bolus(0),)

    def test_two_drags_have_two_join_keys(self, page) -> None:
        page.drag(bolus(0), "body", minutes=-60)
        page.drag(bolus(0), "body", minutes=60)
        assert len(page.joins) == 2 and page.program == DAY

    def test_alt_goes_by_single_minutes(self, page) -> None:
        start = page.timeline.place_to_point(bolus(0), "body")
        page.press(start)
        page.move(start, start + QPoint(9, 0), ALT)
        page.release(start + QPoint(9, 0), ALT)
        by = page.item(bolus(0)).at - 420
        pixels_per_minute = page.timeline.minute_to_x(1) - page.timeline.minute_to_x(0)
        assert by % 5 != 0 and abs(by - 9 / pixels_per_minute) <= 1

    def test_a_step_is_resized_at_its_end_and_keeps_its_rate(self, page) -> None:
        page.drag(step(0), "end", minutes=60)
        assert page.item(step(0)) == Step(480, 180, Mass.mcg(60))

    def test_a_step_is_resized_at_its_start_and_keeps_its_rate(self, page) -> None:
        page.drag(step(0), "start", minutes=-60)
        assert page.item(step(0)) == Step(420, 180, Mass.mcg(60))

    def test_a_bolus_is_made_longer_at_its_end_and_keeps_its_dose(self, page) -> None:
        page.drag(bolus(1), "end", minutes=60)
        assert page.item(bolus(1)) == Bolus(720, Mass.mcg(20), 120)

    def test_a_step_is_never_drawn_shorter_than_a_minute(self, page) -> None:
        page.drag(step(1), "end", minutes=-300)
        assert page.item(step(1)).duration_min == 1

    def test_upwards_changes_the_dose_alone_in_whole_increments(self, page) -> None:
        page.drag(bolus(0), "body", up=20)
        changed = page.item(bolus(0))
        assert changed.at == 420 and changed.dose > Mass.mcg(50)
        assert changed.dose.quanta % TENTH.quanta == 0
        page.drag(step(0), "top", up=-15)
        lower = page.item(step(0))
        assert (lower.at, lower.duration_min) == (480, 120) and lower.dose < Mass.mcg(40)
        assert lower.dose.quanta % TENTH.quanta == 0

    def test_a_dose_is_never_dragged_below_zero(self, page) -> None:
        page.drag(bolus(1), "body", up=-300)
        assert page.item(bolus(1)).dose == Mass.zero()

    def test_a_drag_that_set_out_across_changes_no_dose_however_it_goes_on(self, page) -> None:
        start = page.timeline.place_to_point(bolus(0), "body")
        page.press(start)
        page.move(start, start + QPoint(30, 0))
        page.move(start + QPoint(30, 0), start + QPoint(30, 80))
        page.release(start + QPoint(30, 80))
        assert page.item(bolus(0)).dose == Mass.mcg(50) and page.item(bolus(0)).at > 420

    def test_the_scale_does_not_shrink_under_the_hand(self, page) -> None:
        start = page.timeline.place_to_point(bolus(0), "body")
        before = page.timeline._ground().top_dose
        page.press(start)
        page.move(start, start + QPoint(0, 60))
        assert page.timeline._ground().top_dose == before
        page.release(start + QPoint(0, 60))
        assert page.timeline._ground().top_dose < before

    def test_over_midnight_and_back_is_no_seam(self, page) -> None:
        assert [span.start for span in page.timeline._spans if span.place == step(2)] == [1380, -60]
        page.drag(step(2), "body", minutes=60)
        assert page.item(step(0)) == Step(0, 120, Mass.mcg(30))
        page.drag(step(0), "body", minutes=-60)
        assert page.program == DAY

    def test_the_part_before_midnight_and_the_part_after_are_one_item(self, page) -> None:
        after = QPoint(round(page.timeline.minute_to_x(30)), page.timeline.place_to_point(step(2), "body").y())
        page.press(after)
        page.move(after, after + QPoint(round(page.timeline.minute_to_x(60) - page.timeline.minute_to_x(0)), 0))
        assert page.item(page.timeline.chosen()[0]) == Step(0, 120, Mass.mcg(30))
        page.release(after)

    def test_a_drag_beyond_the_edge_wraps(self, page) -> None:
        page.drag(bolus(2), "body", minutes=1000)
        assert page.item(page.timeline.chosen()[0]) == Bolus((1080 + 1000) % 1440, Mass.mcg(30), 5)

    def test_the_weeks_end_is_no_seam(self, qtbot, themed) -> None:
        page = Page(qtbot, WEEK, week=True)
        spans = sorted(span.start for span in page.timeline._spans if span.place == step(0, 1))
        assert spans == [-60, 5 * 1440 + 1380, 6 * 1440 + 1380]
        page.drag(step(0, 1), "end", minutes=-120)
        assert page.item(step(0, 1)) == Step(1380, 60, Mass.mcg(10))

    def test_escape_takes_the_drag_back_under_the_same_key(self, page) -> None:
        start = page.timeline.place_to_point(step(0), "body")
        page.press(start)
        page.move(start, start + QPoint(60, 0))
        assert page.program != DAY
        page.key(Qt.Key.Key_Escape)
        assert page.program == DAY and len(page.joins) == 1
        page.move(start + QPoint(60, 0), start + QPoint(120, 0))
        page.release(start + QPoint(120, 0))
        assert page.program == DAY

    def test_a_hand_that_comes_back_leaves_all_as_it_was(self, page) -> None:
        start = page.timeline.place_to_point(step(0), "end")
        page.press(start)
        page.move(start, start + QPoint(80, 0))
        page.move(start + QPoint(80, 0), start)
        page.release(start)
        assert len(page.asked) > 1 and page.program == DAY

    def test_an_overlap_is_refused_once_in_a_sentence_and_the_hand_may_go_on(self, page) -> None:
        page.drag(step(0), "body", minutes=270)
        assert page.refusals == ["Move the steps apart: two of them would run at the same time."]
        assert page.item(step(0)).at + 120 <= 780
        page.drag(step(0), "body", minutes=660)
        steps = page.program.delivery.plans[0].steps
        assert not any(low.at + low.duration_min > high.at for low, high in pairwise(steps))

    def test_another_program_from_outside_ends_the_drag(self, page) -> None:
        start = page.timeline.place_to_point(bolus(0), "body")
        page.press(start)
        page.move(start, start + QPoint(60, 0))
        page.show(WEEK)
        asked = len(page.asked)
        page.move(start + QPoint(60, 0), start + QPoint(120, 0))
        assert len(page.asked) == asked and page.program == WEEK
        page.release(start)

    def test_a_page_that_does_not_agree_goes_on_being_shown(self, page) -> None:
        page.timeline.edited.disconnect(page.take)
        page.drag(bolus(0), "body", minutes=60)
        assert page.timeline._program == DAY and page.timeline.chosen() == (bolus(0),)

    def test_the_label_tells_time_and_dose_while_it_is_dragged(self, page) -> None:
        start = page.timeline.place_to_point(step(0), "body")
        page.press(start)
        page.move(start, start + QPoint(round(page.timeline.minute_to_x(60) - page.timeline.minute_to_x(0)), 0))
        assert page.timeline.pointing().label == ("09:00–11:00, 120\u00a0min", "40\u00a0mcg  =  20\u00a0mcg/h")
        page.release(start)
        assert page.timeline.pointing().label == ()

    def test_the_wheel_changes_nothing_and_goes_to_the_page(self, page) -> None:
        for modifiers in (NONE, CTRL, ALT, SHIFT):
            at = QPointF(page.timeline.place_to_point(bolus(0), "body"))
            wheel = QWheelEvent(
                at, page.timeline.mapToGlobal(at), QPoint(0, 0), QPoint(0, 120), Qt.MouseButton.NoButton, modifiers,
                Qt.ScrollPhase.NoScrollPhase, False,
            )  # fmt: skip
            QApplication.sendEvent(page.timeline, wheel)
            assert not wheel.isAccepted()
        assert page.asked == [] and page.program == DAY


class TestChoosing:
    def click(self, page, place, modifiers=NONE) -> None:
        point = page.timeline.place_to_point(place, "body")
        page.press(point, modifiers)
        page.release(point, modifiers)

    def test_a_click_chooses_one_ctrl_adds_shift_takes_all_between(self, page) -> None:
        self.click(page, bolus(0))
        self.click(page, step(1), CTRL)
        assert set(page.timeline.chosen()) == {bolus(0), step(1)}
        self.click(page, step(1), CTRL)
        assert page.timeline.chosen() == (bolus(0),)
        self.click(page, step(1), SHIFT)
        assert set(page.timeline.chosen()) == {bolus(0), step(0), bolus(1), step(1)}
        self.click(page, step(0))
        assert page.timeline.chosen() == (step(0),) == page.chosen[-1]
        assert page.asked == []

    def test_several_are_dragged_as_one(self, page) -> None:
        page.timeline.select([bolus(0), bolus(1), step(0)])
        page.drag(step(0), "body", minutes=60)
        assert [page.item(place).at for place in (bolus(0), bolus(1), step(0))] == [480, 780, 540]

    def test_a_rubber_band_chooses_what_it_touches(self, page) -> None:
        left, right = (round(page.timeline.minute_to_x(minute)) for minute in (400, 760))
        sill = page.timeline.place_to_point(bolus(0), "end").y()
        page.press(QPoint(left, sill - 4))
        page.move(QPoint(left, sill - 4), QPoint(right, sill - 60))
        assert page.timeline.pointing().rubber is not None
        page.release(QPoint(right, sill - 60))
        assert page.timeline.chosen() == (bolus(0), bolus(1)) == page.chosen[-1]

    def test_a_click_beside_everything_chooses_nothing_and_puts_the_cursor_there(self, page) -> None:
        page.timeline.select([bolus(0)])
        point = QPoint(round(page.timeline.minute_to_x(303)), page.timeline.place_to_point(bolus(0), "body").y())
        page.press(point)
        page.release(point)
        assert page.timeline.chosen() == () and page.timeline.cursor_minute() == 305

    def test_what_is_selected_is_told_in_words(self, page) -> None:
        assert page.timeline.accessibleName() == "Timeline"
        assert page.timeline.accessibleDescription() == "6 boluses and steps, none selected."
        page.timeline.select([bolus(0)])
        assert page.timeline.accessibleDescription() == "Bolus 50\u00a0mcg at 07:00, 5\u00a0min, 1 of 6"
        page.timeline.select([step(2)])
        assert page.timeline.accessibleDescription() == "Step 30\u00a0mcg from 23:00–01:00, 15\u00a0mcg/h, 6 of 6"
        page.timeline.select([step(0), step(1)])
        assert page.timeline.accessibleDescription() == "2 of 6 items selected."
        page.show(Program(SimpleContinuous(DoseRate.mcg_per_day(100))))
        assert page.timeline.accessibleDescription() == "No boluses and no steps."

    def test_the_hand_shows_what_it_would_take_hold_of(self, page) -> None:
        shapes = {
            "start": Qt.CursorShape.SizeHorCursor, "end": Qt.CursorShape.SizeHorCursor,
            "top": Qt.CursorShape.SizeVerCursor, "body": Qt.CursorShape.OpenHandCursor,
        }  # fmt: skip
        for part, shape in shapes.items():
            QTest.mouseMove(page.timeline, page.timeline.place_to_point(step(0), part))
            assert page.timeline.cursor().shape() == shape
        QTest.mouseMove(page.timeline, QPoint(round(page.timeline.minute_to_x(200)), 5))
        assert page.timeline.cursor().shape() == Qt.CursorShape.ArrowCursor


class TestKeys:
    """Each edit that the mouse makes is made by keys, and the programs are equal."""

    @pytest.mark.parametrize(
        ("place", "part", "minutes", "keys"),
        [
            (bolus(0), "body", -10, [(Qt.Key.Key_Left, ALT)] * 2),
            (step(0), "body", 10, [(Qt.Key.Key_Right, ALT)] * 2),
            (step(0), "end", 10, [(Qt.Key.Key_Right, SHIFT)] * 2),
            (step(0), "start", -10, [(Qt.Key.Key_Left, SHIFT | CTRL)] * 2),
            (bolus(1), "end", 15, [(Qt.Key.Key_Right, SHIFT)] * 3),
            (step(2), "body", 60, [(Qt.Key.Key_Right, ALT)] * 12),
            (bolus(0), "body", 60, "0800"),
        ],
    )
    def test_a_drag_and_its_keys_give_equal_programs(self, qtbot, themed, place, part, minutes, keys) -> None:
        by_mouse, by_keys = Page(qtbot), Page(qtbot)
        by_mouse.drag(place, part, minutes=minutes)
        by_keys.timeline.select([place])
        if isinstance(keys, str):
            by_keys.type_time(keys)
        else:
            for key, modifiers in keys:
                by_keys.key(key, modifiers)
        assert by_mouse.program == by_keys.program != DAY
        assert by_mouse.timeline.chosen() == by_keys.timeline.chosen()

    def test_resizing_there_and_back_by_keys_brings_back_the_dose(self, page) -> None:
        page.timeline.select([step(0)])
        for key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            for _ in range(7):
                page.key(key, SHIFT)
        assert page.program == DAY and len(page.asked) == 14
        for _ in range(24):
            page.key(Qt.Key.Key_Left, SHIFT)
        assert page.item(step(0)).duration_min == 5 and page.refusals == ["Leave each part at least 1 min."]

    def test_a_dose_dragged_upwards_is_reached_by_increments(self, qtbot, themed) -> None:
        by_mouse, by_keys = Page(qtbot), Page(qtbot)
        start = by_mouse.timeline.place_to_point(bolus(0), "body")
        by_mouse.press(start)
        by_mouse.move(start, start + QPoint(0, -24), ALT)
        by_mouse.release(start + QPoint(0, -24), ALT)
        by_keys.timeline.select([bolus(0)])
        by_keys.key(Qt.Key.Key_PageUp)
        for _ in range(2):
            by_keys.key(Qt.Key.Key_Up)
        assert by_mouse.program == by_keys.program
        assert by_keys.item(bolus(0)).dose == Mass.mcg(Fraction("51.2"))

    def test_minutes_go_one_by_one_with_shift(self, page) -> None:
        page.timeline.select([bolus(0)])
        page.key(Qt.Key.Key_Left, ALT | SHIFT)
        assert page.item(bolus(0)).at == 419
        page.key(Qt.Key.Key_Right, ALT)
        assert page.item(bolus(0)).at == 420
        page.timeline.select([step(0)])
        page.key(Qt.Key.Key_Up, SHIFT)
        assert page.item(step(0)).duration_min == 121
        page.key(Qt.Key.Key_Up, SHIFT | CTRL)
        assert (page.item(step(0)).at, page.item(step(0)).duration_min) == (479, 122)

    def test_a_dose_off_the_increment_goes_to_the_next_one_and_never_below_zero(self, qtbot, themed) -> None:
        odd = Program(Flex((flex(boluses=(Bolus(60, Mass.mcg(Fraction("0.25")), 5),)),)))
        page = Page(qtbot, odd)
        page.timeline.select([bolus(0)])
        page.key(Qt.Key.Key_Up)
        assert page.item(bolus(0)).dose == Mass.mcg(Fraction("0.3"))
        page.key(Qt.Key.Key_PageDown)
        assert page.item(bolus(0)).dose == Mass.zero()

    def test_arrows_go_from_item_to_item_and_round(self, page) -> None:
        page.key(Qt.Key.Key_Home)
        assert page.timeline.chosen() == (bolus(0),)
        for expected in (step(0), bolus(1), step(1), bolus(2), step(2), bolus(0)):
            page.key(Qt.Key.Key_Right)
            assert page.timeline.chosen() == (expected,) == page.chosen[-1]
        page.key(Qt.Key.Key_Left)
        assert page.timeline.chosen() == (step(2),)
        page.key(Qt.Key.Key_Escape)
        assert page.timeline.chosen() == ()

    def test_things_are_added_at_the_cursor(self, page) -> None:
        page.type_time("03:00")
        assert page.timeline.cursor_minute() == 180 and page.asked == []
        page.key(Qt.Key.Key_B)
        # Like the one before it, which is the one of the evening.
        assert page.item(bolus(0)) == Bolus(180, Mass.mcg(30), 5) and page.timeline.chosen() == (bolus(0),)
        page.key(Qt.Key.Key_Escape)
        page.type_time("0400")
        page.key(Qt.Key.Key_S)
        # An hour of 240 mcg/day.
        assert page.item(step(0)) == Step(240, 60, Mass.mcg(10))

    def test_copy_goes_behind_the_original_and_paste_to_the_cursor(self, page) -> None:
        page.timeline.select([step(0)])
        page.key(Qt.Key.Key_C, CTRL)
        page.key(Qt.Key.Key_V, CTRL)
        assert page.item(step(1)) == Step(600, 120, Mass.mcg(40)) and page.timeline.chosen() == (step(1),)
        page.key(Qt.Key.Key_X, CTRL)
        assert page.program == DAY
        page.key(Qt.Key.Key_Escape)
        page.type_time("02:00")
        page.key(Qt.Key.Key_V, CTRL)
        assert page.item(step(0)) == Step(120, 120, Mass.mcg(40))

    def test_duplicate_split_merge_and_delete(self, page) -> None:
        page.timeline.select([step(0)])
        page.key(Qt.Key.Key_K, CTRL)
        assert (page.item(step(0)), page.item(step(1))) == (Step(480, 60, Mass.mcg(20)), Step(540, 60, Mass.mcg(20)))
        assert page.timeline.chosen() == (step(0), step(1))
        page.key(Qt.Key.Key_M, CTRL)
        assert page.program == DAY
        page.key(Qt.Key.Key_D)
        assert page.item(step(1)) == Step(600, 120, Mass.mcg(40))
        page.timeline.select([step(0)])
        page.key(Qt.Key.Key_M, CTRL)
        assert page.item(step(0)) == Step(480, 240, Mass.mcg(80))
        page.key(Qt.Key.Key_Delete)
        assert [item for place, item in items_of(page.program) if place.kind is Kind.STEP] == [
            Step(780, 60, Mass.mcg(15)), Step(1380, 120, Mass.mcg(30))
        ]  # fmt: skip

    def test_a_step_is_split_at_a_typed_time(self, page) -> None:
        page.timeline.select([step(0)])
        page.key(Qt.Key.Key_K, CTRL | SHIFT)
        QTest.keyClicks(page.timeline._typed.field, "8:30")
        QTest.keyClick(page.timeline._typed.field, Qt.Key.Key_Return)
        assert (page.item(step(0)), page.item(step(1))) == (Step(480, 30, Mass.mcg(10)), Step(510, 90, Mass.mcg(30)))

    def test_a_wrong_time_stays_in_its_field_with_what_to_do(self, page) -> None:
        page.timeline.select([bolus(0)])
        page.type_time("25:00")
        field = page.timeline._typed
        assert field.isVisible() and field.field.text() == "25:00" and field.field.accessibleName() == "Time"
        assert field.row.remark() == "Type hours and minutes, like 07:30."
        assert page.asked == []
        QTest.keyClick(field.field, Qt.Key.Key_Escape)
        assert not field.isVisible() and page.timeline.hasFocus() and page.program == DAY

    def test_what_cannot_be_done_is_said(self, page) -> None:
        page.key(Qt.Key.Key_Delete)
        page.key(Qt.Key.Key_V, CTRL)
        page.timeline.select([bolus(0)])
        page.key(Qt.Key.Key_K, CTRL)
        page.timeline.select([step(0)])
        page.key(Qt.Key.Key_M, CTRL)
        assert page.refusals == [
            "Choose a bolus or a step first, with the arrow keys or the mouse.",
            "Copy a bolus or a step first.",
            "Choose a step: a bolus is neither split nor merged.",
            "Choose two steps of which the second begins where the first ends.",
        ]
        assert page.asked == []

    def test_a_held_key_is_one_undo_and_a_new_press_another(self, page) -> None:
        page.timeline.select([bolus(0)])
        page.key(Qt.Key.Key_Up)
        for _ in range(3):
            QApplication.sendEvent(page.timeline, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Up, NONE, "", True))
        assert len(page.asked) == 4 and len(page.joins) == 1
        page.key(Qt.Key.Key_Up)
        assert len(page.joins) == 2

    def test_paste_over_the_week_goes_to_the_days_of_the_cursor(self, qtbot, themed) -> None:
        page = Page(qtbot, WEEK, week=True)
        page.timeline.select([bolus(0)])
        page.key(Qt.Key.Key_C, CTRL)
        point = QPoint(round(page.timeline.minute_to_x(5 * 1440 + 600)), page.timeline.height() // 5)
        page.press(point)
        page.release(point)
        page.key(Qt.Key.Key_V, CTRL)
        (pasted,) = page.program.delivery.plans[1].boluses
        assert abs(pasted.at - 600) <= 10 and pasted.dose == Mass.mcg(50)

    def test_every_key_is_explained(self, page) -> None:
        help_text = page.timeline.keys_help()
        for key in ("Alt+←", "Shift+→", "Ctrl+C", "Ctrl+K", "Ctrl+M", "Delete", "Esc", "B or Insert", "Page Up"):
            assert key in help_text
        assert all(line.count("\t") == 1 for line in help_text.splitlines())

    def test_keys_that_mean_nothing_here_go_on_to_the_page(self, page) -> None:
        page.key(Qt.Key.Key_Z, CTRL)
        page.key(Qt.Key.Key_F5)
        assert page.asked == [] and page.refusals == []


class TestPictures:
    def layers(self) -> list[Layer]:
        minutes = list(range(0, 10081, 15))
        return [
            Layer("Day", LayerKind.BANDS, (Band("Sleep", 1320, 540), Band("Transfer", 430, 20))),
            Layer("Pump", LayerKind.OUTLINE, Program(PeriodicBolus(DoseRate.mcg_per_day(90), Mass.mcg(9), 5, 360))),
            Layer("Level", LayerKind.CURVE, Curve(minutes, [100.0] * 673, [80.0] * 673, [130.0] * 673)),
        ]

    @pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
    @pytest.mark.parametrize("week", [False, True])
    def test_each_layer_is_seen_in_every_theme(self, qtbot, themed, theme, week: bool) -> None:
        apply_theme(themed, theme)
        page = Page(qtbot, week=week)
        pictures = [page.timeline.grab().toImage()]
        for layer in self.layers():
            page.timeline.show_layers([layer])
            pictures.append(page.timeline.grab().toImage())
        assert all(one != other for one, other in pairwise(pictures))
        apply_theme(themed, LIGHT)

    def test_steps_boluses_and_basal_are_told_apart_without_colour(self, page) -> None:
        picture = page.timeline.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)

        def strip(place: QPoint) -> list[int]:
            return [QColor(picture.pixel(place.x(), place.y() + down)).lightness() for down in range(14)]

        ratio = page.timeline.devicePixelRatioF()
        in_step = page.timeline.place_to_point(step(0), "body") * ratio
        in_basal = QPoint(round(page.timeline.minute_to_x(200)), page.timeline.place_to_point(step(0), "body").y())
        hatched, plain = strip(in_step), strip(in_basal * ratio)
        assert max(hatched) - min(hatched) > 100 > 50 > max(plain) - min(plain)

    @pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
    def test_what_is_drawn_on_one_another_can_be_told_apart(self, theme) -> None:
        def luminance(name: str) -> float:
            channels = QColor(getattr(theme, name)).getRgbF()[:3]
            red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
            return 0.2126 * red + 0.7152 * green + 0.0722 * blue

        for ink, ground in (("accent", "selection"), ("on_accent", "accent"), ("good", "surface")):
            high, low = sorted((luminance(ink), luminance(ground)), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 3, (ink, ground)

    def test_48_steps_are_painted_and_each_can_be_taken(self, qtbot, themed) -> None:
        steps = tuple(Step(at, 30, Mass.mcg(5 + at // 30 % 7)) for at in range(0, 1440, 30))
        page = Page(qtbot, Program(Flex((flex(steps=steps),))))
        assert len(page.timeline._spans) == 48
        page.timeline.grab()
        for index in range(48):
            point = page.timeline.place_to_point(step(index), "body")
            page.press(point)
            page.release(point)
            assert page.timeline.chosen() == (step(index),)

    def test_13_doses_are_labelled_and_91_are_not(self, qtbot, themed) -> None:
        boluses = tuple(Bolus(30 + 110 * number, Mass.mcg(Fraction("12.375")), 5) for number in range(13))
        page = Page(qtbot, Program(Flex((flex(boluses=boluses),))))

        def labels() -> list | None:
            scene = page.timeline._made_scene()
            spans = sorted(scene.spans, key=lambda span: span.start)
            return timeline_paint._placed(scene, QFontMetricsF(page.timeline.font()), spans, room=True)

        placed = labels()
        assert placed is not None and {text for _, text, _ in placed} == {"12.375"} and len(placed) == 13
        assert not any(one.intersects(other) for (one, _, _), (other, _, _) in pairwise(placed))
        page.timeline.show_week(True)
        assert labels() is None

    def test_the_focus_is_seen(self, page) -> None:
        corner = QPoint(1, page.timeline.height() // 2)
        assert page.timeline.grab().toImage().pixelColor(corner).name() == LIGHT.focus
        page.timeline.clearFocus()
        assert page.timeline.grab().toImage().pixelColor(corner).name() != LIGHT.focus

    def test_a_change_of_theme_is_painted(self, page, themed) -> None:
        apply_theme(themed, DARK)
        QApplication.processEvents()
        centre = QPoint(round(page.timeline.minute_to_x(200)), 60)
        found = page.timeline.grab().toImage().pixelColor(centre * page.timeline.devicePixelRatioF()).name()
        apply_theme(themed, LIGHT)
        assert found == DARK.surface

    def test_a_small_place_keeps_axes_and_lanes(self, page) -> None:
        page.timeline.resize(page.timeline.minimumSizeHint())
        ground = page.timeline._ground()
        assert ground.crown < ground.sill < ground.ceiling < ground.floor and ground.left < ground.right
        page.timeline.grab()


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "minute"),
        [("07:30", 450), ("7:30", 450), ("7.30", 450), ("0730", 450), ("23:59", 1439), ("0:00", 0),
         ("24:00", None), ("7", None), ("730", None), ("07:60", None), ("7:3", None), ("", None), ("-1:00", None)],
    )  # fmt: skip
    def test_a_time_is_taken_only_as_hours_and_minutes(self, text: str, minute: int | None) -> None:
        assert typed_minute(text) == minute

    @pytest.mark.parametrize(
        ("wanted", "found"), [("0.1", "0.1"), ("0.11", "0.2"), ("0.3", "0.5"), ("1.7", "2"), ("12", "20")]
    )
    def test_a_drag_goes_by_round_multiples_of_the_increment(self, wanted: str, found: str) -> None:
        assert round_multiple(TENTH, float(wanted)) == Mass.mcg(Fraction(found))

    @pytest.mark.parametrize(
        ("dose", "lines", "by"),
        [("5", 1, "0.1"), ("5", -1, "-0.1"), ("5.05", 1, "0.05"), ("5.05", -1, "-0.05"), ("0", -1, "0")],
    )  # fmt: skip
    def test_the_next_dose_lies_on_the_increment(self, dose: str, lines: int, by: str) -> None:
        assert next_dose(Mass.mcg(Fraction(dose)), TENTH, lines) == Mass.mcg(Fraction(by))

    @pytest.mark.parametrize(
        ("value", "top"), [(0, 4), (4, 4), (4.1, 5), (9, 10), (20, 20), (22, 30), (61, 80), (601, 800)]
    )
    def test_an_axis_ends_on_a_round_number(self, value: float, top: float) -> None:
        assert timeline_layout.nice_top(value, least=4) == top
        marks = timeline_layout.ticks(top, 4)
        assert marks[0] == 0 and 2 <= len(marks) <= 5 and marks[-1] <= top

    def test_a_band_past_midnight_is_there_twice_on_a_day(self) -> None:
        extent = timeline_layout.Extent(0, False, Weekday.MON)
        sleep, weekend = Band("Sleep", 1320, 540), Band("Trip", 600, 60, days=(Weekday.SAT,))
        assert list(timeline_layout.bands_in([sleep, weekend], extent, EVERY_DAY[:1])) == [
            ("Sleep", 0, 420), ("Sleep", 1320, 1440)
        ]  # fmt: skip
        week = replace(extent, week=True)
        assert list(timeline_layout.bands_in([weekend], week, ())) == [("Trip", 7800, 7860)]


@pytest.mark.skipif("QT_SCALE_FACTOR" in os.environ, reason="this is the second run")
def test_hands_hit_the_same_on_a_screen_of_twice_the_pixels() -> None:
    chosen = ["-k", "TestDragging or TestChoosing", __file__]
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen]
    done = subprocess.run(line, env=os.environ | {"QT_SCALE_FACTOR": "2"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
