"""The timeline of a flex program: steps and boluses over a day or the week, to be dragged, resized and typed at.

Law: all edits of one drag bear the same join key, so that one drag is one undo; Escape takes it back. A drag goes
across or upwards, never both, so that no hand changes a dose while it means a time. The wheel does nothing.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QFocusEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.models.editing import EditRefusedError, Place, item_at, snap_minute
from app.models.program import Program
from app.models.quantities import Mass
from app.ui.schedule.timeline_drag import Grab, drag
from app.ui.schedule.timeline_edits import Edit
from app.ui.schedule.timeline_hit import hit
from app.ui.schedule.timeline_keyed import GRID_MIN, KeyedTimeline
from app.ui.schedule.timeline_layout import Span
from app.ui.schedule.timeline_scene import Pointing
from app.ui.schedule.timeline_words import dragging, refusal
from app.ui.theme import unit

_TOGGLING = Qt.KeyboardModifier.ControlModifier
_RANGING = Qt.KeyboardModifier.ShiftModifier
_FINE = Qt.KeyboardModifier.AltModifier
_SHAPES = {
    "start": Qt.CursorShape.SizeHorCursor,
    "end": Qt.CursorShape.SizeHorCursor,
    "top": Qt.CursorShape.SizeVerCursor,
    "body": Qt.CursorShape.OpenHandCursor,
}


class Timeline(KeyedTimeline):
    """A timeline that can be edited by mouse and by keys."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grab: Grab | None = None
        self._sideways: bool | None = None
        self._sent: Program | None = None
        self._refusal = ""
        self._pressed_at: QPointF | None = None
        self._pressed_on: Place | None = None
        self._pointer = QPointF()
        self._before: tuple[Place, ...] = ()

    def show_program(self, program: Program, *, plan: int, increment: Mass | None) -> None:
        """Show another program. A drag goes on if it is the one that the drag asked for, and else it ends."""
        expected = self._expected is not None and self._expected[0] == program
        if self._grab is not None and not expected and program != self._program:
            self._let_go()
        super().show_program(program, plan=plan, increment=increment)

    def is_held(self) -> bool:
        return self._pressed_at is not None

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

    def cancel(self) -> None:
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
        # Above the block too, so that the label does not hide what it tells about.
        ground, place = self._ground(), self._chosen[0]
        top = min((ground.box(span).top() for span in self._spans if span.place == place), default=ground.floor)
        at = QPointF(self._pointer.x(), min(self._pointer.y(), top))
        label = dragging(item_at(self._program, place))
        return replace(base, label=label, label_at=at, label_error=self._refusal)

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
