"""What the timeline shows: a flex program's day or week, layers behind it, what is chosen, and all of that in words.

Law: nothing is edited here, and nothing is emitted; what is shown is what was told last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.models.editing import Place, item_at
from app.models.program import Flex, Program, Weekday
from app.models.quantities import Mass
from app.ui.schedule.timeline_back import paint_back
from app.ui.schedule.timeline_layout import (
    Curve,
    Extent,
    Ground,
    Layer,
    LayerKind,
    Span,
    basal_of,
    laid_out,
    outline_spans,
    spans_of,
)
from app.ui.schedule.timeline_paint import paint_items, paint_pointing
from app.ui.schedule.timeline_scene import Pointing, Scene, Words
from app.ui.schedule.timeline_words import described, keys
from app.ui.theme import Scale, current_theme, set_type, unit

_LEAST_LINES, _BEST_LINES = 16, 22


class TimelineCanvas(QWidget):
    """Shows one day plan, or the whole week, of a flex program; another program leaves it empty."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._program: Program | None = None
        self._increment: Mass | None = None
        self._extent = Extent(0, False, Weekday.MON)
        self._layers: tuple[Layer, ...] = ()
        self._spans: tuple[Span, ...] = ()
        self._chosen: tuple[Place, ...] = ()
        self._hovered: Place | None = None
        self._cursor = 0
        self._held: Ground | None = None
        """The scales of the drag under way: they do not shrink while a hand holds on to them."""
        self._scene: Scene | None = None
        self._back: tuple[object, QPixmap] | None = None
        self._set_up()

    def _set_up(self) -> None:
        set_type(self, Scale.BODY)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("Timeline"))
        self._describe()

    # -- what is shown -----------------------------------------------------------------------------------------

    def show_program(self, program: Program, *, plan: int, increment: Mass | None) -> None:
        """Show another program, or another of its day plans; what is chosen stays chosen where it is still there."""
        self._program, self._increment = program, increment
        delivery = program.delivery
        known = isinstance(delivery, Flex) and 0 <= plan < len(delivery.plans)
        first = delivery.plans[plan].days[:1] if isinstance(delivery, Flex) and known else ()
        self._extent = Extent(plan, self._extent.week, first[0] if first else Weekday.MON)
        self._spans = spans_of(program, self._extent)
        self.select(self._chosen)

    def show_week(self, on: bool) -> None:
        """Show the whole week, or one day plan."""
        self._extent = replace(self._extent, week=on)
        self._cursor = min(self._cursor, self._extent.minutes - 1)
        if self._program is not None:
            self.show_program(self._program, plan=self._extent.plan, increment=self._increment)

    def show_layers(self, layers: Sequence[Layer]) -> None:
        """Show these behind the items, in place of those before."""
        self._layers = tuple(layers)
        self._look_again()

    def select(self, places: Sequence[Place]) -> None:
        """Choose items, without saying so."""
        there = {span.place for span in self._spans}
        self._chosen = tuple(place for place in places if place in there)
        self._look_again()

    def chosen(self) -> tuple[Place, ...]:
        """What is chosen now."""
        return self._chosen

    def cursor_minute(self) -> int:
        """Where new and pasted items go: a minute of the day, or of the week."""
        return self._cursor

    def keys_help(self) -> str:
        """What the keys do: a line for each, key and meaning with a tab between."""
        return keys()

    # -- where it is -------------------------------------------------------------------------------------------

    def minute_to_x(self, minute: float) -> float:
        """Where a minute of the day, or of the week, lies across the widget."""
        return self._ground().x(minute)

    def x_to_minute(self, x: float) -> int:
        """The minute at ``x``, within what is shown."""
        return min(max(0, round(self._ground().minute(x))), self._extent.minutes)

    def place_to_point(self, place: Place, part: str) -> QPoint:
        """Where to take hold of an item's ``body``, ``start``, ``end`` or, of a step, ``top``.

        Raises: KeyError: it is not shown.
        """
        ground = self._ground()
        head = next((span for span in self._spans if span.place == place and span.start >= 0), None)
        if head is None:
            raise KeyError(place)
        tail = next((one for one in self._spans if one.place == place and one.end <= ground.minutes), head)
        box = ground.box(head)
        if head.is_bolus:
            ends = {"end": QPointF(ground.x(tail.end) + unit() / 2, ground.sill - 1)}
            return ends.get(part, QPointF(ground.x(head.start), box.top())).toPoint()
        middle = min((box.center().y() + box.bottom()) / 2, ground.floor - unit() / 2)
        across = {"start": ground.x(head.start), "end": ground.x(tail.end)}.get(part, box.center().x())
        return QPointF(across, box.top() if part == "top" else middle).toPoint()

    def order(self) -> tuple[Place, ...]:
        """All items that are shown, by the time of their first appearance."""
        found = sorted((span for span in self._spans if span.start >= 0), key=lambda span: (span.start, span.place))
        return tuple(dict.fromkeys(span.place for span in found))

    def _look_again(self) -> None:
        self._scene = None
        self._describe()
        self.update()

    def _ground(self) -> Ground:
        return self._made_scene().ground

    def _made_scene(self) -> Scene:
        if self._scene is None:
            basal = basal_of(self._program, self._extent, self._spans) if self._program is not None else ()
            days = tuple(self.tr(day) for day in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))
            words = Words(self.tr("Boluses, mcg"), self.tr("Basal and steps, mcg/h"), days)
            ground = self._lay_out(basal)
            self._scene = Scene(basal, self._extent, ground, self._spans, self._layers, words, current_theme(), unit())
        return self._scene

    def _lay_out(self, basal: Sequence[tuple[int, int, float]]) -> Ground:
        rates = [rate for _, _, rate in basal] + [span.value for span in self._spans if not span.is_bolus]
        doses = [span.value for span in self._spans if span.is_bolus]
        percents: list[float] = []
        for layer in self._layers:
            if layer.kind is LayerKind.OUTLINE and isinstance(layer.data, Program):
                others = outline_spans(layer.data, self._extent)
                rates += [rate for _, _, rate in basal_of(layer.data, self._extent, others)]
                rates += [span.value for span in others if not span.is_bolus]
                doses += [span.value for span in others if span.is_bolus]
            elif isinstance(layer.data, Curve):
                percents += [float(max(side)) for side in (layer.data.percent, layer.data.high) if len(side)]
        if self._held is not None:
            rates.append(self._held.top_rate / 1.1)
            doses.append(self._held.top_dose / 1.1)
        return laid_out(
            rates, doses, percents, minutes=self._extent.minutes, place=QRectF(self.rect()),
            metrics=QFontMetricsF(self.font()), step=unit(),
        )  # fmt: skip

    # -- in words ----------------------------------------------------------------------------------------------

    def _describe(self) -> None:
        words = self.description()
        if words != self.accessibleDescription():
            self.setAccessibleDescription(words)
            if self.hasFocus() and QAccessible.isActive():
                QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, words))

    def description(self) -> str:
        """What is chosen, in words: ``Bolus 50 mcg at 07:00, 5 min, 3 of 13``."""
        places = self.order()
        if self._program is None or not places:
            return self.tr("No boluses and no steps.")
        if not self._chosen:
            return self.tr("{0} boluses and steps, none selected.").format(len(places))
        first = self._chosen[0]
        if len(self._chosen) == 1:
            return described(item_at(self._program, first), number=places.index(first) + 1, count=len(places))
        return self.tr("{0} of {1} items selected.").format(len(self._chosen), len(places))

    # -- painting ----------------------------------------------------------------------------------------------

    def pointing(self) -> Pointing:
        """What the pointer and the keyboard are at."""
        cursor = float(self._cursor) if self.hasFocus() else None
        return Pointing(frozenset(self._chosen), self._hovered, cursor)

    def paintEvent(self, _event: QPaintEvent) -> None:
        scene, pointing = self._made_scene(), self.pointing()
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.drawPixmap(0, 0, self._painted_back(scene))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_items(painter, scene, pointing)
        paint_pointing(painter, scene, pointing)
        self._paint_focus(painter, scene)

    def _painted_back(self, scene: Scene) -> QPixmap:
        """Bands and axes, painted anew only when they have changed."""
        ratio = self.devicePixelRatioF()
        bands = tuple(layer for layer in scene.layers if layer.kind is LayerKind.BANDS)
        key = (scene.ground, scene.extent, [id(layer) for layer in bands], scene.theme, self.size(), ratio)
        if self._back is None or self._back[0] != key:
            drawn = QPixmap(self.size() * ratio)
            drawn.setDevicePixelRatio(ratio)
            painter = QPainter(drawn)
            painter.setFont(self.font())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            paint_back(painter, scene, QRectF(self.rect()))
            painter.end()
            self._back = (key, drawn)
        return self._back[1]

    def _paint_focus(self, painter: QPainter, scene: Scene) -> None:
        if not self.hasFocus():
            painter.setPen(QColor(scene.theme.hairline))
            width = 1
        else:
            width = max(3, scene.step // 3)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        pen = painter.pen()
        pen.setColor(QColor(scene.theme.focus if self.hasFocus() else scene.theme.hairline))
        pen.setWidth(width)
        pen.setStyle(Qt.PenStyle.SolidLine)
        painter.setPen(pen)
        painter.drawRect(QRectF(self.rect()).adjusted(width / 2, width / 2, -width / 2, -width / 2))

    def sizeHint(self) -> QSize:
        line = round(QFontMetricsF(self.font()).height())
        return QSize(48 * line, _BEST_LINES * line)

    def minimumSizeHint(self) -> QSize:
        line = round(QFontMetricsF(self.font()).height())
        return QSize(24 * line, _LEAST_LINES * line)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._scene = None

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            self._scene = None
            self.update()
