"""The timeline of a flex program: steps and boluses over a day or the week, to be dragged, resized and typed at.

Law: the widget never changes the program. It emits another one and shows what it is told; all edits of one drag bear
the same join key, so that one drag is one undo. Whatever the mouse does the keys do too, and the wheel does nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.models.editing import EditRefusedError, Item, Place, copied, item_at, snap_minute
from app.models.program import Flex, Program, Weekday
from app.models.quantities import MINUTES_PER_DAY, Mass
from app.ui.schedule.timeline_canvas import TimelineCanvas
from app.ui.schedule.timeline_edits import Edit, Grab, Standing, behind, by_key, drag, next_line, paste, put_at, split
from app.ui.schedule.timeline_keys import Stroke, TypedTime, stroke
from app.ui.schedule.timeline_layout import Span, hit
from app.ui.schedule.timeline_paint import Pointing
from app.ui.schedule.timeline_words import dragging, refusal, refusal_of
from app.ui.theme import unit

GRID_MIN = 5
_TOGGLING = Qt.KeyboardModifier.ControlModifier
_RANGING = Qt.KeyboardModifier.ShiftModifier
_FINE = Qt.KeyboardModifier.AltModifier
_SHAPES = {
    "start": Qt.CursorShape.SizeHorCursor,
    "end": Qt.CursorShape.SizeHorCursor,
    "top": Qt.CursorShape.SizeVerCursor,
    "body": Qt.CursorShape.OpenHandCursor,
}


class Timeline(TimelineCanvas):
    """A timeline that can be edited by mouse and by keys."""

    edited = Signal(object, str, str)
    """(new program, words for undo, join key). Escape in a drag emits the program as it was, with the drag's key."""
    selected = Signal(tuple)
    """The chosen places of the program that is shown."""
    refused = Signal(str)
    """An edit that was refused, as what to do instead."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys = count(1)
        self._join = ""
        self._expected: tuple[Program, tuple[Place, ...]] | None = None
        self._copied: tuple[Item, ...] = ()
        self._grab: Grab | None = None
        self._sideways: bool | None = None
        self._sent: Program | None = None
        self._refusal = ""
        self._pressed_at: QPointF | None = None
        self._pressed_on: Place | None = None
        self._pointer = QPointF()
        self._before: tuple[Place, ...] = ()
        self._use_time: Callable[[int], None] = self._put_at
        self._typed = TypedTime(self)
        self._typed.entered.connect(self._take_time)

    def show_program(self, program: Program, *, plan: int, increment: Mass | None) -> None:
        """Show another program. A drag goes on if it is the one that the drag asked for, and else it ends."""
        expected = self._expected if self._expected is not None and self._expected[0] == program else None
        if self._grab is not None and expected is None and program != self._program:
            self._let_go()
        if expected is not None:
            self._chosen = expected[1]
        super().show_program(program, plan=plan, increment=increment)

    # -- editing -----------------------------------------------------------------------------------------------

    def _emit(self, edit: Edit, join: str) -> None:
        """Ask for another program; its items are chosen as soon as it is shown."""
        self._expected = (edit.program, edit.places)
        self.edited.emit(edit.program, edit.words, join)
        if self._program == edit.program:
            self._choose(edit.places)

    def _attempt(self, make: Callable[[], Edit], *, repeats: bool = False) -> bool:
        """Make an edit of its own, or say why not; a held key makes one edit of all its repetitions."""
        try:
            edit = make()
        except EditRefusedError as error:
            self.refused.emit(refusal(error))
            return False
        if not repeats:
            self._join = f"key-{next(self._keys)}"
        if edit.program != self._program:
            self._emit(edit, self._join)
        self._cursor_to_chosen()
        return True

    def _choose(self, places: tuple[Place, ...]) -> None:
        self.select(places)
        self.selected.emit(self._chosen)

    def _cursor_to_chosen(self) -> None:
        starts = [span.start for span in self._spans if span.place in self._chosen[:1] and span.start >= 0]
        if starts and self._cursor not in starts:
            self._cursor = starts[0]
        self.update()

    def _plan_at_cursor(self) -> int:
        """The plan shown; over a week that of the cursor's day."""
        delivery = self._program.delivery if self._program is not None else None
        if not self._extent.week or not isinstance(delivery, Flex):
            return self._extent.plan
        return delivery.plans.index(delivery.plan_on(Weekday(self._cursor // MINUTES_PER_DAY)))

    # -- keys --------------------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Keys that mean something here are not taken for shortcuts of the window while this has the focus."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and stroke(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        meant = stroke(event)
        if meant is None or self._program is None:
            super().keyPressEvent(event)
            return
        event.accept()
        if self._pressed_at is not None:
            if meant.verb == "escape":
                self._cancel()
            return
        own = self._own_keys().get(meant.verb)
        if own is not None:
            own(meant)
        else:
            self._edit_by_key(meant, repeats=event.isAutoRepeat())

    def _own_keys(self) -> dict[str, Callable[[Stroke], None]]:
        """Keys that choose, or that need more than the program."""
        return {
            "next": lambda meant: self._step(meant.by),
            "first": lambda _: self._choose(self.order()[:1]),
            "last": lambda _: self._choose(self.order()[-1:]),
            "select-all": lambda _: self._choose(self.order()),
            "escape": lambda _: self._choose(()),
            "cursor": self._move_cursor,
            "copy": lambda _: self._copy(),
            "paste": lambda _: self._paste(),
            "type": lambda meant: self._ask_time(meant.text, self._put_at),
            "split-at": lambda _: self._ask_time("", self._split_at),
        }

    def _edit_by_key(self, meant: Stroke, *, repeats: bool) -> None:
        program = self._program
        if program is None:
            return
        stand = Standing(
            program, self._chosen, self._plan_at_cursor(), self._cursor % MINUTES_PER_DAY, GRID_MIN, self._increment
        )
        if meant.verb == "cut" and self._chosen:
            self._copied = copied(program, self._chosen)
        self._attempt(lambda: by_key(meant.verb, meant.by, stand), repeats=repeats)

    def perform(self, verb: str) -> None:
        """Do what a key does, for a button; the verbs are those of ``timeline_keys``."""
        self._edit_by_key(Stroke(verb), repeats=False)

    def _step(self, by: int) -> None:
        """Choose the next item, or from none the first one behind the cursor."""
        places = self.order()
        if not places:
            return
        if self._chosen:
            self._choose((places[(places.index(self._chosen[0]) + by) % len(places)],))
        else:
            starts = {span.place: span.start for span in reversed(self._spans) if span.start >= 0}
            later = [place for place in places if starts[place] >= self._cursor] or [places[0]]
            self._choose((later[0] if by > 0 else places[places.index(later[0]) - 1],))
        self._cursor_to_chosen()

    def _move_cursor(self, meant: Stroke) -> None:
        self._cursor = (self._cursor + next_line(self._cursor, GRID_MIN, meant.by)) % self._extent.minutes
        self.update()

    def _copy(self) -> None:
        if self._program is None or not self._chosen:
            self.refused.emit(refusal_of("nothing-chosen"))
            return
        self._copied = copied(self._program, self._chosen)
        first = min(item.at for item in self._copied)
        day = self._cursor // MINUTES_PER_DAY * MINUTES_PER_DAY
        self._cursor = (day + first + behind(self._copied)) % self._extent.minutes
        self.update()

    def _paste(self) -> None:
        program = self._program
        if program is None or not self._copied:
            self.refused.emit(refusal_of("nothing-copied"))
            return
        at = self._cursor % MINUTES_PER_DAY
        self._attempt(lambda: paste(program, self._plan_at_cursor(), self._copied, at))

    def _ask_time(self, text: str, use: Callable[[int], None]) -> None:
        self._use_time = use
        self._typed.ask(text, round(self.minute_to_x(self._cursor)))

    def _take_time(self, minute: int) -> None:
        self._use_time(minute)

    def _put_at(self, minute: int) -> None:
        program = self._program
        if program is not None and self._chosen:
            self._attempt(lambda: put_at(program, self._chosen, minute))
        else:
            self._cursor = self._cursor // MINUTES_PER_DAY * MINUTES_PER_DAY + minute
            self.update()

    def _split_at(self, minute: int) -> None:
        program = self._program
        if program is None or not self._chosen:
            self.refused.emit(refusal_of("nothing-chosen"))
            return
        self._attempt(lambda: split(program, self._chosen[0], minute, increment=self._increment))

    # -- the pointer -------------------------------------------------------------------------------------------

    def _under(self, point: QPointF) -> tuple[Span, str] | None:
        """What is under the pointer; what is chosen lies on top."""
        ground, reach = self._ground(), unit() * 0.75
        chosen = [span for span in self._spans if span.place in self._chosen]
        return hit(ground, chosen, point, reach=reach) or hit(ground, self._spans, point, reach=reach)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._program is None:
            super().mousePressEvent(event)
            return
        point = self._pressed_at = self._pointer = event.position()
        self._before = self._chosen
        found = self._under(point)
        self._pressed_on = found[0].place if found is not None else None
        toggling, ranging = bool(event.modifiers() & _TOGGLING), bool(event.modifiers() & _RANGING)
        if found is None:
            if not (toggling or ranging):
                self._choose(())
                self._before = ()
            return
        self._choose_pressed(found[0].place, toggling=toggling, ranging=ranging)
        if found[0].place in self._chosen:
            # One edge or top is one item's; only bodies are dragged together.
            places = self._chosen if found[1] == "body" else (found[0].place,)
            self._grab = Grab(
                self._program, places, found[0], found[1], point, self._ground(), GRID_MIN, self._increment
            )

    def _choose_pressed(self, place: Place, *, toggling: bool, ranging: bool) -> None:
        if toggling:
            others = tuple(other for other in self._chosen if other != place)
            self._choose(others if place in self._chosen else (place, *others))
        elif ranging and self._chosen:
            places = self.order()
            low, high = sorted((places.index(self._chosen[0]), places.index(place)))
            others = tuple(other for other in places[low : high + 1] if other != self._chosen[0])
            self._choose((self._chosen[0], *others))
        elif place not in self._chosen:
            self._choose((place,))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position()
        if self._pressed_at is None or not event.buttons() & Qt.MouseButton.LeftButton:
            self._hover(event.position())
        elif self._grab is not None:
            self._drag(self._grab, event.position(), fine=bool(event.modifiers() & _FINE))
        else:
            self._rubber()

    def _hover(self, point: QPointF) -> None:
        found = self._under(point) if self._program is not None else None
        self._show_hand(found[1] if found is not None else "")
        place = found[0].place if found is not None else None
        if place != self._hovered:
            self._hovered = place
            self.update()

    def _show_hand(self, part: str) -> None:
        if part:
            self.setCursor(_SHAPES[part])
        else:
            self.unsetCursor()

    def _drag(self, grab: Grab, to: QPointF, *, fine: bool) -> None:
        """A drag goes either across or upwards: whichever it set out to."""
        way = to - grab.at
        if self._sideways is None:
            if max(abs(way.x()), abs(way.y())) < QApplication.startDragDistance() / 2:
                return
            self._sideways = grab.part in ("start", "end") or (grab.part == "body" and abs(way.x()) >= abs(way.y()))
            self._join, self._sent, self._held = f"drag-{next(self._keys)}", grab.program, grab.ground
        try:
            edit = drag(grab, to, sideways=self._sideways, fine=fine)
        except EditRefusedError as error:
            words = refusal(error)
            if words != self._refusal:
                self._refusal = words
                self.refused.emit(words)
        else:
            self._refusal = ""
            if edit.program != self._sent:
                self._sent = edit.program
                self._emit(edit, self._join)
        self.update()

    def _rubber(self) -> None:
        box, ground = self._rubber_box(), self._ground()
        inside = [span.place for span in self._spans if self._touches(box, ground.box(span), span)]
        wished = tuple(dict.fromkeys((*self._before, *inside)))
        if wished != self._chosen:
            self.select(wished)
        self.update()

    def _touches(self, box: QRectF, item: QRectF, span: Span) -> bool:
        if span.is_bolus:
            stem = self._ground().x(span.start)
            return span.start >= 0 and box.left() <= stem <= box.right() and box.intersects(item)
        return box.intersects(item)

    def _rubber_box(self) -> QRectF:
        start = self._pressed_at or self._pointer
        return QRectF(start, self._pointer).normalized()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._pressed_at is None:
            super().mouseReleaseEvent(event)
            return
        dragged, grabbed, on = self._sideways is not None, self._grab is not None, self._pressed_on
        moved = (event.position() - self._pressed_at).manhattanLength() >= QApplication.startDragDistance()
        self._let_go()
        if not grabbed and on is None:
            if moved:
                self.selected.emit(self._chosen)
            else:
                self._cursor = snap_minute(self.x_to_minute(event.position().x()), GRID_MIN) % self._extent.minutes
        elif grabbed and not dragged and on is not None and not event.modifiers() & (_TOGGLING | _RANGING):
            self._choose((on,))
        self._cursor_to_chosen()
        self._hover(event.position())

    def _cancel(self) -> None:
        """Take a drag or a rubber band back."""
        grab, dragged, before = self._grab, self._sent is not None, self._before
        self._let_go()
        if grab is not None and dragged and self._program != grab.program:
            words = self.tr("Take a drag back")
            self._emit(Edit(grab.program, grab.places, words), self._join)
        elif grab is None:
            self._choose(before)

    def _let_go(self) -> None:
        self._grab = self._sideways = self._pressed_at = self._pressed_on = self._sent = self._held = None
        self._refusal = ""
        self._look_again()

    def pointing(self) -> Pointing:
        """What the pointer and the keyboard are at."""
        base = super().pointing()
        if self._pressed_at is not None and self._grab is None:
            return replace(base, rubber=self._rubber_box())
        if self._grab is None or self._sideways is None or self._program is None or not self._chosen:
            return base
        item = item_at(self._program, self._chosen[0])
        return replace(base, label=dragging(item), label_at=self._pointer, label_error=self._refusal)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hovered = None
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """A drag that loses the keyboard could not be taken back with Escape; it ends where it is."""
        super().focusOutEvent(event)
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel scrolls the page."""
        event.ignore()
