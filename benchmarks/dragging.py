"""A frame while one of 48 steps is dragged: from the mouse event to the end of painting, beside a bare item.

Law: a frame counts only if the event changed something, everything was worked out anew, and it was painted. The moves
are the same for all, go by one minute there and back, and are real mouse events; each way has its turn at each move.

The bare items paint 48 rectangles and let one follow the mouse, without snapping, rules or numbers: one as a plain
widget, one as a graphics item in a plot of pyqtgraph. The small page holds the timeline, the totals, the rules and the
curve; the timeline alone is the same without the last three. The whole page is that of the program, with its tables and
buttons.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QLabel, QVBoxLayout, QWidget

from app.bootstrap import make_workstation, real_clock
from app.documents.catalogue import load_catalogue
from app.models.course import figures_of
from app.models.editing import Kind, Place, item_at
from app.models.formats import rounded
from app.models.guardrails_program import program_findings
from app.models.pharmacokinetics import band_models, curve_model
from app.models.program import EVERY_DAY, DayPlan, Flex, Program, Step
from app.models.quantities import Concentration, DoseRate, Mass
from app.services.worklist import worklist
from app.ui.schedule.curve_data import week_curve
from app.ui.schedule.timeline import Timeline
from app.ui.schedule.timeline_layout import Curve, Layer, LayerKind
from app.ui.schedule.view import ScheduleView
from app.ui.schedule.view_model import ScheduleViewModel
from app.ui.theme import LIGHT, apply_theme

STEPS, EACH_MIN, LASTING_MIN, DRAGGED = 48, 30, 20, 24
MODEL = "synchromed-ii-20"
CONCENTRATION = Concentration.mcg_per_ml(2000)
WIDE, HIGH = 1000, 420
_THERE_AND_BACK = (1, 2, 3, 4, 3, 2, 1, 0)
_WARM_UP = len(_THERE_AND_BACK)


class FrameMissingError(Exception):
    """A move changed nothing, or what it changed was not painted; its time means nothing."""


def schedule() -> Program:
    """48 steps a day of 20 minutes, with 10 minutes between them."""
    steps = tuple(
        Step(EACH_MIN * number, LASTING_MIN, Mass.mcg(Fraction(20 + number % 7, 10))) for number in range(STEPS)
    )
    return Program(Flex((DayPlan(EVERY_DAY, DoseRate.mcg_per_day(120), steps=steps),)))


class Way(Protocol):
    """Something that is dragged. ``grip`` is where to take hold of it, ``position`` what a drag changes."""

    name: str
    widget: QWidget
    window: QWidget

    def grip(self) -> QPointF: ...

    def pixels_per_minute(self) -> float: ...

    def position(self) -> object: ...


class BareWidget(QWidget):
    """48 rectangles, one of which follows the mouse."""

    name = "bare widget, 48 rectangles"

    def __init__(self) -> None:
        super().__init__()
        self.widget = self.window = self
        self._shift = 0.0
        self._from = 0.0
        self.resize(WIDE, HIGH)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._from = event.position().x()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._shift = event.position().x() - self._from
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(LIGHT.surface))
        _paint_bars(painter, self.width() / STEPS, self._shift, self.height())

    def grip(self) -> QPointF:
        return QPointF((DRAGGED + 0.3) * self.width() / STEPS, HIGH * 0.9)

    def pixels_per_minute(self) -> float:
        return self.width() / 1440

    def position(self) -> object:
        return self._shift


def _paint_bars(painter: QPainter, pitch: float, shift: float, bottom: float) -> None:
    painter.setPen(QColor(LIGHT.accent))
    painter.setBrush(QColor(LIGHT.selection))
    for number in range(STEPS):
        left = number * pitch + (shift if number == DRAGGED else 0.0)
        height = bottom * (0.4 + number % 7 / 14)
        painter.drawRect(QRectF(left, bottom - height, pitch * LASTING_MIN / EACH_MIN, height))


def bare_item() -> Way:
    """The same as one graphics item in a plot of pyqtgraph, which the program's timeline does without."""
    import pyqtgraph

    class Bars(pyqtgraph.GraphicsObject):  # type: ignore[misc]
        shift = 0.0

        def boundingRect(self) -> QRectF:
            return QRectF(0, 0, STEPS, 1)

        def paint(self, painter: QPainter, *_options: object) -> None:
            _paint_bars(painter, 1.0, self.shift, 1.0)

    class Plot(pyqtgraph.PlotWidget):  # type: ignore[misc]
        name = "bare item in pyqtgraph"

        def __init__(self) -> None:
            super().__init__()
            self.widget, self.window = self.viewport(), self
            self.bars = Bars()
            self.start = 0.0
            self.addItem(self.bars)
            self.setRange(xRange=(0, STEPS), yRange=(0, 1))
            self.resize(WIDE, HIGH)

        def mousePressEvent(self, event: QMouseEvent) -> None:
            self.start = event.position().x()

        def mouseMoveEvent(self, event: QMouseEvent) -> None:
            self.bars.shift = (event.position().x() - self.start) / self.width() * STEPS
            self.bars.update()

        def mouseReleaseEvent(self, _event: QMouseEvent) -> None: ...

        def grip(self) -> QPointF:
            return QPointF(WIDE / 2, HIGH / 2)

        def pixels_per_minute(self) -> float:
            return WIDE / 1440

        def position(self) -> object:
            return self.bars.shift

    made: Way = Plot()
    return made


class SmallPage(QWidget):
    """The timeline with everything live: each edit works out totals, rules and the curve, and shows them.

    Without ``live`` it only shows the program, which is what the timeline itself costs.
    """

    def __init__(self, *, live: bool = True) -> None:
        super().__init__()
        self.name = "timeline, totals, rules, curve" if live else "timeline alone"
        self._live = live
        self.window: QWidget = self
        self.widget = self.timeline = Timeline()
        self.totals, self.rules = QLabel(), QLabel()
        self._catalogue = load_catalogue()
        column = QVBoxLayout(self)
        for part in (self.timeline, self.totals, self.rules):
            column.addWidget(part)
        column.setStretch(0, 1)
        self.timeline.edited.connect(self.show_program)
        self.show_program(schedule())
        self.resize(WIDE, HIGH)

    def show_program(self, program: Program, *_words: str) -> None:
        self.program = program
        catalogue = self._catalogue
        self.timeline.show_program(program, plan=0, increment=catalogue.pump(MODEL).dose_increment)
        if self._live:
            self._work_out(program)

    def _work_out(self, program: Program) -> None:
        catalogue = self._catalogue
        pump, drug, model = catalogue.pump(MODEL), catalogue.drug("baclofen"), curve_model("label", catalogue)
        figures = figures_of(program, pump, CONCENTRATION)
        findings = program_findings(program, pump, drug, CONCENTRATION, catalogue)
        curve = week_curve(figures.achieved, model, band_models(catalogue))
        lines = (curve.minutes, curve.effect, curve.low, curve.high)
        self.timeline.show_layers([Layer("Effect", LayerKind.CURVE, Curve(*(line.tolist() for line in lines)))])
        amounts = (figures.achieved_daily, figures.max_60min, figures.max_4h)
        self.totals.setText(", ".join(f"{rounded(amount / Mass.PER_MCG, 3)} mcg" for amount in amounts))
        self.rules.setText("; ".join(f"{finding.rule} {finding.values}" for finding in findings))

    def grip(self) -> QPointF:
        return QPointF(self.timeline.place_to_point(Place(0, Kind.STEP, DRAGGED), "body"))

    def pixels_per_minute(self) -> float:
        return self.timeline.minute_to_x(1) - self.timeline.minute_to_x(0)

    def position(self) -> object:
        return item_at(self.program, Place(0, Kind.STEP, DRAGGED)).at


class WholePage:
    """The page of the program itself, on a demonstration patient."""

    name = "the whole schedule page"

    def __init__(self, folder: Path) -> None:
        workstation = make_workstation(folder / "clinic", clock=real_clock())
        therapies = worklist(workstation.store, workstation.catalogue, workstation.clock)
        therapy = next(one for one in therapies if one.telemetry and one.model and one.model.slug == MODEL)
        self.model = ScheduleViewModel(workstation)
        self.view = self.window = ScheduleView(self.model)
        self.widget = self.view.timeline
        self.model.open(therapy)
        self.model.edit(schedule(), "48 steps")
        self.view.resize(1366, 768)

    def grip(self) -> QPointF:
        return QPointF(self.view.timeline.place_to_point(Place(0, Kind.STEP, DRAGGED), "body"))

    def pixels_per_minute(self) -> float:
        return self.view.timeline.minute_to_x(1) - self.view.timeline.minute_to_x(0)

    def position(self) -> object:
        program = self.model.program
        return item_at(program, Place(0, Kind.STEP, DRAGGED)).at if program is not None else None


# -- measuring --------------------------------------------------------------------------------------------------------


class _Painted(QObject):
    """Counts the paints of what is dragged."""

    def __init__(self, watched: QWidget) -> None:
        super().__init__()
        self.count = 0
        watched.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


@dataclass(slots=True)
class Frames:
    """One way's drag: the milliseconds from each event until nothing was left to paint."""

    way: Way
    taken_ms: list[float] = field(default_factory=list)

    @property
    def p50(self) -> float:
        return statistics.median(self.taken_ms)

    @property
    def p99(self) -> float:
        """The smallest time that 99 of 100 frames keep."""
        return sorted(self.taken_ms)[max(0, -(-99 * len(self.taken_ms) // 100) - 1)]


def _mouse(way: Way, kind: QEvent.Type, at: QPointF) -> None:
    held = kind is not QEvent.Type.MouseButtonRelease
    button = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseMove else Qt.MouseButton.LeftButton
    buttons = Qt.MouseButton.LeftButton if held else Qt.MouseButton.NoButton
    where = QPointF(way.widget.mapToGlobal(at))
    event = QMouseEvent(kind, at, where, button, buttons, Qt.KeyboardModifier.AltModifier)
    QApplication.sendEvent(way.widget, event)


def drag(ways: Sequence[Way], moves: int) -> list[Frames]:
    """Drag in all of them at the same pace. Raises: FrameMissingError."""
    drags = [_one(way, moves) for way in ways]
    frames = [Frames(way) for way in ways]
    for number in range(moves + _WARM_UP):
        for one, steps in zip(frames, drags, strict=True):
            taken = next(steps)
            if number >= _WARM_UP:
                one.taken_ms.append(taken)
    for steps in drags:
        next(steps, None)
    return frames


def _one(way: Way, moves: int) -> Iterator[float]:
    way.window.show()
    QApplication.processEvents()
    start, pixels = way.grip(), way.pixels_per_minute()
    painted = _Painted(way.widget)
    _mouse(way, QEvent.Type.MouseButtonPress, start)
    # Out of the dead zone first, so that each move after it counts.
    _mouse(way, QEvent.Type.MouseMove, start + QPointF(QApplication.startDragDistance(), 0))
    QApplication.processEvents()
    for minutes in islice(cycle(_THERE_AND_BACK), moves + _WARM_UP):
        yield _frame(way, painted, start + QPointF((minutes + 0.2) * pixels, 0))
    _mouse(way, QEvent.Type.MouseButtonRelease, start)


def _frame(way: Way, painted: _Painted, at: QPointF) -> float:
    """Milliseconds from the event until it is painted. Raises: FrameMissingError."""
    before, paints = way.position(), painted.count
    began = time.perf_counter()
    _mouse(way, QEvent.Type.MouseMove, at)
    QApplication.processEvents()
    taken = (time.perf_counter() - began) * 1000
    if way.position() == before or painted.count == paints:
        paints = painted.count - paints
        raise FrameMissingError(f"{way.name}: {before} before and {way.position()} after, {paints} paints")
    return taken


def main(arguments: Sequence[str], *, small_page: Callable[[], Way] = SmallPage) -> int:
    """Measure, print p50 and p99 and their ratios, and return 1 if a frame was missing."""
    parser = argparse.ArgumentParser(prog="bench dragging", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--moves", type=int, default=400)
    chosen = parser.parse_args(arguments)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication.instance() or QApplication([])
    if isinstance(app, QApplication):
        apply_theme(app, LIGHT)
    with tempfile.TemporaryDirectory() as folder:
        ways: list[Way] = [BareWidget(), bare_item(), SmallPage(live=False), small_page(), WholePage(Path(folder))]
        try:
            frames = drag(ways, chosen.moves)
        except FrameMissingError as missing:
            print(f"A frame is missing: {missing}", file=sys.stderr)
            return 1
        finally:
            for way in ways:
                way.window.close()
                way.window.deleteLater()
    print(f"{'':34}{'p50':>12}{'ratio':>8}{'p99':>12}{'ratio':>8}   {chosen.moves} moves of one of {STEPS} steps")
    bare = frames[0]
    for one in frames:
        ratios = one.p50 / bare.p50, one.p99 / bare.p99
        print(f"{one.way.name:34}{one.p50:9.2f} ms{ratios[0]:8.1f}{one.p99:9.2f} ms{ratios[1]:8.1f}")
    return 0
