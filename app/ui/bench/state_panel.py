"""What the pump believes beside what is true, the state in marks, and the rest of its facts.

Law: a difference is said in words with a sign; colour adds nothing that they do not say.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.models.bench import BenchState
from app.ui.bench.signed_label import SignedLabel
from app.ui.bench.view_model import BenchViewModel, Pair
from app.ui.bench.words import alarm_words, fault_words
from app.ui.dates import show_moment
from app.ui.state_mark import Mark, StateMark
from app.ui.theme import Scale, set_role, set_type, unit

_HEARD_SHOWN = 4


class StatePanel(QWidget):
    """Everything about the pump but its log."""

    def __init__(self, view_model: BenchViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self._pairs: list[_PairRow] = []
        self._table = QGridLayout()
        self._marks = _Marks()
        self._facts = _Facts()
        self.setAccessibleName(self.tr("State of the emulated pump"))
        self._lay_out()
        view_model.changed.connect(self._refresh)

    def _lay_out(self) -> None:
        self._table.setHorizontalSpacing(2 * unit())
        self._table.setVerticalSpacing(unit())
        heads = ("", self.tr("The pump believes"), self.tr("What is true"), self.tr("Difference"))
        for place, text in enumerate(heads):
            head = QLabel(text)
            set_role(head, "muted")
            self._table.addWidget(head, 0, place)
        self._table.setColumnStretch(3, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * unit())
        column.addWidget(self._marks)
        column.addLayout(self._table)
        column.addWidget(self._facts)

    def _refresh(self) -> None:
        state = self._view_model.state
        if state is None:
            return
        for place, pair in enumerate(self._view_model.pairs()):
            if place == len(self._pairs):
                self._pairs.append(_PairRow(self._table, place + 1, head=self.tr("difference")))
            self._pairs[place].show_pair(pair)
        self._marks.show_state(state)
        self._facts.show_state(state, self._view_model.speed())

    def differences(self) -> tuple[str, ...]:
        """What stands in the column of differences."""
        return tuple(row.difference.words() for row in self._pairs)

    def mark_words(self) -> tuple[str, ...]:
        """The words of the marks that are shown."""
        return self._marks.words()


class _PairRow:
    """One line of the table."""

    def __init__(self, table: QGridLayout, row: int, *, head: str) -> None:
        self._head = head
        self._scale = Scale.TITLE if row == 1 else Scale.LEAD
        self._caption, self._believed, self._true = QLabel(), QLabel(), QLabel()
        self.difference = SignedLabel("")
        set_role(self._caption, "muted")
        for place, widget in enumerate((self._caption, self._believed, self._true, self.difference)):
            table.addWidget(widget, row, place, Qt.AlignmentFlag.AlignVCenter)
        for value in (self._believed, self._true):
            value.setTextFormat(Qt.TextFormat.PlainText)

    def show_pair(self, pair: Pair) -> None:
        """Show a line; what is true is stronger where it differs."""
        self._caption.setText(pair.caption)
        for label, text in ((self._believed, pair.believed), (self._true, pair.true)):
            label.setText(text)
            label.setAccessibleName(pair.caption)
            set_type(label, self._scale, strong=pair.differs and label is self._true)
        self.difference.name(f"{pair.caption}, {self._head}")
        self.difference.say(pair.difference, sign="warning" if pair.differs else "")


class _Marks(QWidget):
    """Running or not, and what else is wrong with it."""

    def __init__(self) -> None:
        super().__init__()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(unit())
        self._shown: dict[str, StateMark] = {}
        kinds = (
            ("running", Mark.VERIFIED, self.tr("Running")),
            ("stopped", Mark.BLOCK, self.tr("Stopped")),
            ("stalled", Mark.BLOCK, self.tr("Motor stalled")),
            ("occluded", Mark.CONFIRM, self.tr("Catheter occluded")),
            ("reset", Mark.BLOCK, self.tr("Was reset")),
        )
        for name, mark, word in kinds:
            self._shown[name] = StateMark(mark, word=word)
            self._shown[name].hide()
            self._row.addWidget(self._shown[name])
        self._row.addStretch(1)

    def show_state(self, state: BenchState) -> None:
        """Show the marks that apply."""
        claims = {
            "running": state.running,
            "stopped": not state.running,
            "stalled": state.stalled,
            "occluded": state.occluded,
            "reset": state.reset,
        }
        for name, mark in self._shown.items():
            mark.setVisible(claims[name])
        if state.stalled or state.occluded:
            self._shown["running"].set_mark(Mark.NOTE, word=self.tr("Believes it runs"))
        else:
            self._shown["running"].set_mark(Mark.VERIFIED, word=self.tr("Running"))

    def words(self) -> tuple[str, ...]:
        """The marks in words."""
        return tuple(mark.accessibleName() for mark in self._shown.values() if not mark.isHidden())


class _Facts(QWidget):
    """Clock, speed, revision, commits, alarms, and what waits on the cable."""

    def __init__(self) -> None:
        super().__init__()
        self._values: dict[str, QLabel] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(3 * unit())
        grid.setVerticalSpacing(unit() // 2)
        places = (
            ("clock", self.tr("Pump's clock"), 0, 0, 1),
            ("speed", self.tr("Runs"), 0, 2, 1),
            ("revision", self.tr("Revision"), 1, 0, 1),
            ("commits", self.tr("Orders carried out"), 1, 2, 1),
            ("alarms", self.tr("Alarms"), 2, 0, 3),
            ("faults", self.tr("Faults set"), 3, 0, 3),
            ("heard", self.tr("Heard last"), 4, 0, 3),
        )
        for name, caption, row, place, span in places:
            self._add(grid, name, caption, row, place, span)
        grid.setColumnStretch(1, 2)
        grid.setColumnStretch(3, 1)

    def _add(self, grid: QGridLayout, name: str, caption: str, row: int, place: int, span: int) -> None:
        above, value = QLabel(caption), QLabel()
        set_role(above, "muted")
        value.setWordWrap(True)
        value.setTextFormat(Qt.TextFormat.PlainText)
        value.setAccessibleName(caption)
        self._values[name] = value
        grid.addWidget(above, row, place, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(value, row, place + 1, 1, span, Qt.AlignmentFlag.AlignTop)

    def show_state(self, state: BenchState, speed: int) -> None:
        """Show all of them."""
        none = self.tr("none")
        texts = {
            "clock": f"{show_moment(state.clock)}:{state.clock:%S}",
            "speed": self._speed_words(speed),
            "revision": str(state.revision),
            "commits": str(state.commits),
            "alarms": ", ".join(alarm_words(name) for name in state.alarms) or none,
            "faults": "; ".join(fault_words(fault) for fault in state.faults) or none,
            "heard": ", ".join(state.heard[-_HEARD_SHOWN:]) or self.tr("nothing yet"),
        }
        for name, text in texts.items():
            self._values[name].setText(text)
            self._values[name].setAccessibleDescription(text)

    def _speed_words(self, speed: int) -> str:
        if speed == 0:
            return self.tr("stands still")
        return self.tr("in real time") if speed == 1 else self.tr("{0} times as fast").format(speed)
