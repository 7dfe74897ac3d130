"""The timeline's edits, and the keys that make them.

Law: the widget never changes the program. It emits another one and shows what it is told; an edit that the model
refuses is said in a sentence, and nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from app.models.editing import EditRefusedError, Item, Place, copied
from app.models.program import Flex, Program, Weekday
from app.models.quantities import MINUTES_PER_DAY, Mass
from app.ui.schedule.timeline_canvas import TimelineCanvas
from app.ui.schedule.timeline_edits import (
    RESIZING,
    UNTOLD,
    Edit,
    NewItems,
    Run,
    Standing,
    behind,
    by_key,
    next_line,
    paste,
    put_at,
    resize_by_key,
    split,
)
from app.ui.schedule.timeline_keys import Stroke, TypedTime, stroke
from app.ui.schedule.timeline_words import refusal, refusal_of

GRID_MIN = 5


class KeyedTimeline(TimelineCanvas):
    """The timeline for a hand on the keyboard; a drag by the pointer may be under way."""

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
        self._run: Run | None = None
        self._new = UNTOLD
        self._use_time: Callable[[int], None] = self._put_at
        self._typed = TypedTime(self)
        self._typed.entered.connect(self._take_time)

    def show_program(self, program: Program, *, plan: int, increment: Mass | None) -> None:
        """Show another program; if it is the one that was asked for, its edited items are chosen."""
        if self._expected is not None and self._expected[0] == program:
            self._chosen = self._expected[1]
        super().show_program(program, plan=plan, increment=increment)

    def begin_with(self, new: NewItems) -> None:
        """What boluses and steps begin as when they are added."""
        self._new = new

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

    # -- a drag under way --------------------------------------------------------------------------------------

    def is_held(self) -> bool:
        """Whether a hand has hold of something, so that no key but Escape counts."""
        return False

    def cancel(self) -> None:
        """Take back what the hand did."""

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
        if self.is_held():
            if meant.verb == "escape":
                self.cancel()
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
        at, plan = self._cursor % MINUTES_PER_DAY, self._plan_at_cursor()
        stand = Standing(program, self._chosen, plan, at, GRID_MIN, self._increment, self._new)
        if meant.verb == "cut" and self._chosen:
            self._copied = copied(program, self._chosen)
        if meant.verb in RESIZING:
            self._attempt(lambda: self._resized(meant, stand), repeats=repeats)
        else:
            self._attempt(lambda: by_key(meant.verb, meant.by, stand), repeats=repeats)

    def _resized(self, meant: Stroke, stand: Standing) -> Edit:
        self._run = resize_by_key(meant.verb, meant.by, stand, self._run)
        return self._run.made

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
        starts = [span.start for span in self._spans if span.place in self._chosen[:1] and span.start >= 0]
        self._typed.ask(text, round(self.minute_to_x(starts[0] if starts else self._cursor)))

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
