"""A hand on the mouse, a hand on the keyboard, and somebody who takes a picture after every step.

Law: a hand does only what a hand can do: it clicks where something is to be seen, drags, and strikes keys where the
keyboard is. What it knows it has read on the screen or in what a screen reader would say.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QTableView, QWidget

from app.models.editing import Place
from app.ui.main_window import MainWindow
from app.ui.schedule.timeline import Timeline
from tests.ui.keys import Keyboard

LEFT, NO_BUTTON = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
NONE, ALT, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
BOUNCE_S = 0.1


class Recorder:
    """Numbered pictures of a window, in ``CISTERNA_RECORD`` or, if that is not set, in the test's own folder."""

    def __init__(self, window: QWidget, folder: Path, name: str) -> None:
        chosen = os.environ.get("CISTERNA_RECORD")
        self._folder = (Path(chosen) / name) if chosen else folder / "record"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._window, self._number = window, 0

    def take(self, words: str) -> None:
        QApplication.processEvents()
        self._number += 1
        name = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
        assert self._window.grab().save(str(self._folder / f"{self._number:02}-{name}.png"))


class Hand:
    """What both hands share: eyes."""

    def __init__(self, window: MainWindow, recorder: Recorder) -> None:
        self.window, self.recorder = window, recorder

    @property
    def timeline(self) -> Timeline:
        return self.window.schedule_view.timeline

    def read(self) -> str:
        """What a screen reader says of the chosen item."""
        return self.timeline.accessibleDescription()

    def button(self, words: str) -> QAbstractButton:
        """The button that bears these words and is to be seen."""
        (found,) = [
            button
            for button in self.window.findChildren(QAbstractButton)
            if button.text().replace("&", "") == words and button.isVisible()
        ]
        return found

    def field(self, name: str) -> QLineEdit:
        (found,) = [
            field
            for field in self.window.findChildren(QLineEdit)
            if field.accessibleName() == name and field.isVisible()
        ]
        return found


class Mouse(Hand):
    """Never strikes a key."""

    def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        """Click where the widget is to be seen; what lies there gets it."""
        QApplication.processEvents()
        at = widget.rect().center() if at is None else at
        there = self._at(widget, at)
        assert there is widget or widget.isAncestorOf(there), f"{widget} is covered by {there}"
        assert widget.isEnabled(), widget
        QTest.mouseClick(there, LEFT, NONE, there.mapFromGlobal(widget.mapToGlobal(at)))

    def _at(self, widget: QWidget, at: QPoint) -> QWidget:
        """What is to be seen at a point of a widget."""
        there = self.window.childAt(widget.mapTo(self.window, at))
        assert there is not None, f"{widget} is not in the window at {at}"
        return there

    def push(self, words: str) -> None:
        self.click(self.button(words))
        self.recorder.take(words)

    def choose(self, box: QComboBox, words: str) -> None:
        """Open a box and click one of its lines."""
        self.click(box)
        view = box.view()
        line = view.visualRect(view.model().index(box.findText(words), 0)).center()
        # A box takes no choice within a double click of being opened.
        QTest.qWait(QApplication.doubleClickInterval() + 20)
        QTest.mouseMove(view.viewport(), line)
        QTest.mouseClick(view.viewport(), LEFT, NONE, line)
        assert box.currentText() == words or not view.isVisible(), box.currentText()
        self.recorder.take(words)

    def open_patient(self, name: str) -> None:
        table = self.window.worklist_view.findChild(QTableView)
        assert table is not None
        model = table.model()
        row = next(row for row in range(model.rowCount()) if name in self._line(model, row))
        table.scrollTo(model.index(row, 0))
        where = table.visualRect(model.index(row, 0)).center()
        self.click(table.viewport(), where)
        self.push("Schedule")

    @staticmethod
    def _line(model: object, row: int) -> str:
        return " ".join(str(model.index(row, column).data()) for column in range(model.columnCount()))  # type: ignore[attr-defined]

    def enter(self, name: str, number: str) -> None:
        """Type a number with the keypad in place of the one that stands in a field."""
        field, keys = self.field(name), self.window.schedule_view.tools.keypad.keys
        if not keys["1"].isVisible():
            self.push("Keypad")
        self.click(field)
        # The caret stands where the click fell, so it goes behind the last digit first.
        self.click(field, QPoint(field.width() - 2 * field.textMargins().right() // 3, field.height() // 2))
        for _ in range(len(field.text())):
            self.click(keys["⌫"])
        for place, digit in enumerate(number):
            if number[place - 1 : place] == digit:
                time.sleep(BOUNCE_S)
            self.click(keys[digit])
        assert field.text() == number, (field.text(), number)
        self.recorder.take(f"{name} {number}")

    def cursor_to(self, minute: int) -> None:
        """Click an empty place of the timeline."""
        QApplication.processEvents()
        ground = QPoint(round(self.timeline.minute_to_x(minute)), round(self.timeline.height() * 0.45))
        self.click(self.timeline, ground)
        assert self.timeline.cursor_minute() == minute, self.timeline.cursor_minute()
        self.recorder.take(f"cursor to {minute // 60:02}:{minute % 60:02}")

    def drag_across(self, place: Place, part: str, minutes: int, until: str) -> None:
        """Take hold of an item and go across until the timeline says what is wanted."""
        QApplication.processEvents()
        line = self.timeline
        far = round(line.minute_to_x(minutes) - line.minute_to_x(0))
        self._drag(place, part, QPoint(1, 0), lambda _grip: far, until)

    def drag_up(self, place: Place, part: str, until: str) -> None:
        """Take hold of an item and go up or down until it says the dose that is wanted: a little way first, to see."""

        def distance(go: Callable[[int], None]) -> int:
            before, wanted = self._mcg(self.read()), self._mcg(until)
            way = 12 if wanted > before else -12
            go(way)
            return round(way * (wanted - before) / (self._mcg(self.read()) - before))

        self._drag(place, part, QPoint(0, -1), distance, until)

    @staticmethod
    def _mcg(words: str) -> float:
        found = re.search(r"([0-9.]+).mcg\b", words)
        assert found is not None, words
        return float(found[1])

    def _drag(
        self,
        place: Place,
        part: str,
        way: QPoint,
        distance: Callable[[Callable[[int], None]], int],
        until: str,
    ) -> None:
        QApplication.processEvents()
        start = self.timeline.place_to_point(place, part)
        assert self._at(self.timeline, start) is self.timeline
        QTest.mousePress(self.timeline, LEFT, NONE, start)
        at = [0]

        def go(pixels: int) -> None:
            for part_of_it in (2, 1):
                point = QPointF(start + way * (at[0] + (pixels - at[0]) // part_of_it))
                where = QPointF(self.timeline.mapToGlobal(point))
                event = QMouseEvent(QEvent.Type.MouseMove, point, where, NO_BUTTON, LEFT, NONE)
                QApplication.sendEvent(self.timeline, event)
            at[0] = pixels

        far = distance(go)
        for nudge in range(60):
            go(far + (nudge // 2 + 1 if nudge % 2 else -(nudge // 2)))
            if until in self._plain(self.read()):
                break
        QTest.mouseRelease(self.timeline, LEFT, NONE, start + way * at[0])
        assert until in self._plain(self.read()), (until, self.read())
        self.recorder.take(f"drag {part} {until}")

    @staticmethod
    def _plain(words: str) -> str:
        return words.replace("\xa0", " ")


class Keys(Hand):
    """Never touches the mouse."""

    def __init__(self, window: MainWindow, recorder: Recorder) -> None:
        super().__init__(window, recorder)
        self._keyboard = Keyboard()

    def strike(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE, times: int = 1) -> None:
        for _ in range(times):
            QTest.keyClick(self._focused(), key, modifiers)
            QApplication.processEvents()

    def type(self, text: str) -> None:
        self._keyboard.type(self._focused(), text)

    @staticmethod
    def _focused() -> QWidget:
        widget = QApplication.focusWidget()
        assert widget is not None, "the keyboard is nowhere"
        return widget

    def go_to(self, widget: QWidget, *, back: bool = False) -> None:
        """Tab, or Shift and Tab, until the keyboard is there."""
        for _ in range(80):
            if QApplication.focusWidget() is widget:
                return
            self.strike(Qt.Key.Key_Backtab if back else Qt.Key.Key_Tab, SHIFT if back else NONE)
        raise AssertionError(f"no way to {widget}")

    def push(self, words: str, *, back: bool = False) -> None:
        self.go_to(self.button(words), back=back)
        self.strike(Qt.Key.Key_Space)
        self.recorder.take(words)

    def alt(self, letter: str) -> None:
        self.strike(Qt.Key(ord(letter)), ALT)
        if isinstance(QApplication.focusWidget(), QAbstractButton):
            # Its click comes when it has been seen to go down.
            QTest.qWait(150)

    def choose(self, letter: str, line: str) -> None:
        """Alt and the letter of a box, then the first letters of one of its lines."""
        self.alt(letter)
        assert isinstance(QApplication.focusWidget(), QComboBox), QApplication.focusWidget()
        QTest.keyClicks(self._focused(), line)
        self.recorder.take(line)

    def open_patient(self, name: str) -> None:
        for character in name:
            QTest.keyClicks(self._focused(), character)
        self.strike(Qt.Key.Key_Return)
        self.alt("S")
        self.strike(Qt.Key.Key_Down)
        self.recorder.take("Schedule")

    def enter(self, letter: str, number: str) -> None:
        """Alt and the letter of a field, then a number in place of the one that stands there."""
        self.alt(letter)
        field = self._focused()
        assert isinstance(field, QLineEdit), field
        self.strike(Qt.Key.Key_A, CTRL)
        self.type(number)
        assert field.text() == number, (field.text(), number)
        self.recorder.take(f"{field.accessibleName()} {number}")

    def take(self) -> None:
        """Enter leads from field to field to the button that takes the number; Space pushes it."""
        for _ in range(5):
            if isinstance(self._focused(), QAbstractButton):
                break
            self.strike(Qt.Key.Key_Return)
        self.strike(Qt.Key.Key_Space)
        self.recorder.take("Set")

    def time(self, clock: str) -> None:
        """Digits on the timeline are a time: of what is chosen, or else of the cursor."""
        assert self._focused() is self.timeline
        QTest.keyClick(self.timeline, clock[0])
        QTest.keyClicks(self._focused(), clock[1:])
        self.strike(Qt.Key.Key_Return)
        self.recorder.take(f"time {clock}")
