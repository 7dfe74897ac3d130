"""The pump bench: the emulated pump's state at the left, exercises and controls at the right.

Law: it is marked as simulated wherever it is scrolled to; without an emulated pump it says why there is nothing.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLabel,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.ui.bench.controls import Controls
from app.ui.bench.exercise_panel import ExercisePanel
from app.ui.bench.log_table import LogTable
from app.ui.bench.modest_area import ModestArea
from app.ui.bench.signed_label import SignedLabel
from app.ui.bench.state_panel import StatePanel
from app.ui.bench.view_model import BenchViewModel
from app.ui.elided_label import ElidedLabel
from app.ui.state_mark import Mark, StateMark
from app.ui.theme import Scale, set_role, set_type, unit

_LOOK_EVERY_MS = 1000
_BUSY_AFTER_MS = 300
_NARROW = 90
"""Below this width in units the two halves stand one above the other."""


class BenchView(QWidget):
    """The page."""

    def __init__(self, view_model: BenchViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self._pump = ElidedLabel()
        self.message = SignedLabel(self.tr("What was done"))
        self.state = StatePanel(view_model)
        self.log = LogTable()
        self.exercises = ExercisePanel(view_model)
        self.controls = Controls(view_model)
        self.tabs = QTabWidget()
        self._empty = QLabel(view_model.why_not)
        self._stack = QStackedWidget()
        self._halves = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._looking = QTimer(self, interval=_LOOK_EVERY_MS)
        self._busy = QTimer(self, interval=_BUSY_AFTER_MS, singleShot=True)
        self._lay_out()
        self._connect()
        self._refresh()

    def _connect(self) -> None:
        self._looking.timeout.connect(self._view_model.poll)
        self._busy.timeout.connect(self._say_busy)
        self._view_model.changed.connect(self._refresh)
        self._view_model.said.connect(self._say)
        self._view_model.busyChanged.connect(self._show_busy)

    def _lay_out(self) -> None:
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setTextFormat(Qt.TextFormat.PlainText)
        self._empty.setContentsMargins(6 * unit(), 0, 6 * unit(), 0)
        set_role(self._empty, "muted")
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._filled())
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * unit(), 2 * unit(), 2 * unit(), unit())
        column.setSpacing(unit())
        column.addLayout(self._head())
        column.addWidget(self._stack, 1)

    def _head(self) -> QHBoxLayout:
        title = QLabel(self.tr("Pump bench"))
        set_type(title, Scale.TITLE, strong=True)
        set_role(self._pump, "muted")
        row = QHBoxLayout()
        row.setSpacing(2 * unit())
        row.addWidget(title)
        row.addWidget(StateMark(Mark.EMULATED, word=self.tr("SIMULATED")))
        row.addWidget(self._pump, 1)
        return row

    def _filled(self) -> QWidget:
        self.tabs.addTab(self.exercises, self.tr("&Exercises"))
        self.tabs.addTab(ModestArea(self.controls, least=24 * unit()), self.tr("By &hand"))
        for widget in (self.tabs, self.tabs.tabBar()):
            widget.setAccessibleName(self.tr("Exercises or by hand"))
        self._halves.setSpacing(3 * unit())
        self._halves.addLayout(self._left(), 5)
        self._halves.addWidget(self.tabs, 6)
        body, filled = QWidget(), QWidget()
        body.setLayout(self._halves)
        self._halves.setContentsMargins(0, 0, 0, 0)
        column = QVBoxLayout(filled)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(unit())
        column.addWidget(self.message)
        self.body_area = ModestArea(body, least=12 * unit())
        column.addWidget(self.body_area, 1)
        return filled

    def _left(self) -> QVBoxLayout:
        title = QLabel(self.tr("Lo&g of the pump"))
        title.setBuddy(self.log)
        set_type(title, Scale.BODY, strong=True)
        left = QVBoxLayout()
        left.setSpacing(unit())
        left.addWidget(self.state)
        left.addSpacing(unit())
        left.addWidget(title)
        left.addWidget(self.log, 1)
        return left

    def _refresh(self) -> None:
        model = self._view_model
        self._empty.setText(model.why_not or self.tr("Looking at the pump…"))
        self._stack.setCurrentIndex(0 if model.why_not or model.state is None else 1)
        self._pump.setText(model.title)
        self.log.show_events(model.events())

    def _say(self, words: str, is_error: bool) -> None:
        self._busy.stop()
        hint = self.tr("Nothing here reaches a patient. Choose an exercise, or change the pump by hand.")
        self.message.say(words or hint, sign=("stop" if is_error else "check") if words else "", is_error=is_error)
        if words and QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.message, words))

    def _show_busy(self, busy: bool) -> None:
        if busy:
            self._busy.start()
        else:
            self._busy.stop()

    def _say_busy(self) -> None:
        self.message.say(self.tr("Working on the pump…"))

    def is_looking(self) -> bool:
        """Whether the pump is looked at again every second."""
        return self._looking.isActive()

    def showEvent(self, event: QShowEvent) -> None:
        """Look at the pump again and again while somebody sees it."""
        super().showEvent(event)
        self._looking.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._looking.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Two halves side by side, or one above the other where there is no room."""
        super().resizeEvent(event)
        narrow = event.size().width() < _NARROW * unit()
        direction = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        if self._halves.direction() != direction:
            self._halves.setDirection(direction)
            self.controls.arrange(direction)
