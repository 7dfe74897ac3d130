"""The bench by hand: time, delivery, power and memory, the patient, and the cable.

Law: every control is one order to the bench; a number is typed, never turned or slid.
"""

from __future__ import annotations

from fractions import Fraction

from PySide6.QtWidgets import QBoxLayout, QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.models.exercises import BenchOrder
from app.models.formats import plain
from app.ui.bench.action_field import ActionField
from app.ui.bench.view_model import BenchViewModel
from app.ui.bench.words import FAULTS, MESSAGES, translated
from app.ui.dose_field import DoseField
from app.ui.form import add_field
from app.ui.theme import Scale, set_type, unit

_FASTEST = 100_000
_MOST_ML = 100
_LEAST_PERCENT = 100


class Controls(QWidget):
    """All of them, in two columns."""

    def __init__(self, view_model: BenchViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._occlude = self._button(self.tr("Occlude the &catheter"), self._turn_catheter)
        self.speed = self._number(self.tr("times"), 6, problem=self._speed_problem)
        self.scan = self._number(self.tr("min"), 5)
        self.flow = self._number("%", 3, decimals=2)
        self.days = self._number(self.tr("days"), 4)
        self.jump = self._number("s", 8)
        self.fill = self._number("mL", 3, decimals=2, problem=self._fill_problem)
        self.nth = self._number("", 3, problem=lambda value: None if value else self.tr("Count from 1."))
        self.fault, self.message = QComboBox(), QComboBox()
        self._lay_out()
        view_model.changed.connect(self._refresh)

    def _lay_out(self) -> None:
        columns = self._columns
        self.setLayout(columns)
        columns.setContentsMargins(unit(), unit(), unit(), unit())
        columns.setSpacing(3 * unit())
        for groups in ((self._time, self._delivery, self._patient), (self._power, self._cable)):
            column = QVBoxLayout()
            column.setSpacing(unit() // 2)
            for place, fill in enumerate(groups):
                if place:
                    column.addSpacing(unit())
                fill(column)
            column.addStretch(1)
            columns.addLayout(column, 1)

    def _time(self, column: QBoxLayout) -> None:
        _title(column, self.tr("Time"))
        _side_by_side(
            column,
            self._order(self.tr("+ &1 h"), do="advance", minutes=60),
            self._order(self.tr("+ 1 &day"), do="advance", minutes=1440),
            self._order(self.tr("+ &30 days"), do="advance", minutes=43_200),
        )
        running = ActionField(self.tr("R&un the clock at"), self.speed, missing=self.tr("Type how fast, like 60."))
        running.add_button(self.tr("Set"), lambda value: self._do(do="run-at", speed=int(value)))
        column.addWidget(running)

    def _delivery(self, column: QBoxLayout) -> None:
        _title(column, self.tr("Delivery"))
        _side_by_side(
            column, self._order(self.tr("Stal&l the motor"), do="stall"), self._order(self.tr("&Recover"), do="recover")
        )
        _side_by_side(column, self._occlude)
        scan = ActionField(
            self.tr("MR&I scan: motor turns after"), self.scan, missing=self.tr("Type the minutes, like 20.")
        )
        scan.add_button(self.tr("Scan"), lambda value: self._do(do="scan", minutes=int(value)))
        flow = ActionField(
            self.tr("Flow err&or"), self.flow, missing=self.tr("Type per cent, like 15."), hint=self.tr("0 for none.")
        )
        flow.add_button(self.tr("More"), lambda value: self._do(do="flow-error", percent=plain(value)))
        flow.add_button(self.tr("Less"), self._under_deliver)
        column.addWidget(scan)
        column.addWidget(flow)

    def _power(self, column: QBoxLayout) -> None:
        _title(column, self.tr("Power and memory"))
        _side_by_side(
            column,
            self._order(self.tr("Lose memor&y"), do="lose-memory"),
            self._order(self.tr("Low b&attery"), do="drain-battery"),
        )
        _side_by_side(column, self._order(self.tr("Res&tart"), do="reboot"))
        days = ActionField(
            self.tr("Battery li&ves another"), self.days, missing=self.tr("Type the days that are left, like 90.")
        )
        days.add_button(self.tr("Wear out"), lambda value: self._do(do="wear-out", days=int(value)))
        jump = ActionField(self.tr("&Jump the clock by"), self.jump, missing=self.tr("Type the seconds, like 3600."))
        jump.add_button(self.tr("On"), lambda value: self._do(do="jump-clock", seconds=int(value)))
        jump.add_button(self.tr("Back"), lambda value: self._do(do="jump-clock", seconds=-int(value)))
        column.addWidget(days)
        column.addWidget(jump)

    def _patient(self, column: QBoxLayout) -> None:
        _title(column, self.tr("Patient"))
        _side_by_side(column, self._order(self.tr("As&k for a bolus"), do="press-button"))
        fill = ActionField(
            self.tr("Syri&nge leaves in the reservoir"), self.fill, missing=self.tr("Type the volume, like 17.5.")
        )
        fill.add_button(self.tr("Fill"), lambda value: self._do(do="fill", ml=plain(value)))
        column.addWidget(fill)

    def _cable(self, column: QBoxLayout) -> None:
        _title(column, self.tr("Cable"))
        for name, words in FAULTS.items():
            self.fault.addItem(translated(words), name)
        for name, words in MESSAGES.items():
            self.message.addItem(translated(words), name)
        self.message.setCurrentIndex(self.message.findData("Commit"))
        add_field(column, self.tr("What happens to the e&xchange"), self.fault)
        add_field(column, self.tr("&Message"), self.message)
        number = ActionField(
            self.tr("Which in se&quence, from 1"),
            self.nth,
            missing=self.tr("Type which one, like 1 for the next."),
            hint=self.tr("Counted from the first fault that was set."),
        )
        self.nth.set_value(Fraction(1))
        number.add_button(self.tr("Set fault"), self._set_fault)
        column.addWidget(number)
        _side_by_side(column, self._order(self.tr("Clear faults"), do="clear"))

    def arrange(self, direction: QBoxLayout.Direction) -> None:
        """The columns side by side, or one below the other."""
        self._columns.setDirection(direction)

    # -- how a control is made -------------------------------------------------------------------------------

    def _button(self, words: str, act: object) -> QPushButton:
        button = QPushButton(words)
        button.setAutoDefault(False)
        button.clicked.connect(act)
        return button

    def _order(self, words: str, **order: str | int | bool) -> QPushButton:
        return self._button(words, lambda: self._do(**order))

    def _number(self, shown_unit: str, digits: int, *, decimals: int = 0, problem: object = None) -> DoseField:
        return DoseField(shown_unit, decimals, digits, scale=Scale.BODY, problem=problem)  # type: ignore[arg-type]

    # -- what it does ----------------------------------------------------------------------------------------

    def _do(self, **order: str | int | bool) -> None:
        given: BenchOrder = order
        self._view_model.do(given)

    def _turn_catheter(self) -> None:
        state = self._view_model.state
        self._do(do="occlude", occluded=state is None or not state.occluded)

    def _under_deliver(self, percent: Fraction) -> str | None:
        if percent > _LEAST_PERCENT:
            return self.tr("At most 100 % less: a pump takes nothing back.")
        self._do(do="flow-error", percent=f"-{plain(percent)}")
        return None

    def _set_fault(self, number: Fraction) -> None:
        self._view_model.set_fault(str(self.fault.currentData()), str(self.message.currentData()), int(number))

    def _speed_problem(self, value: Fraction) -> str | None:
        return self.tr("At most {0} times.").format(_FASTEST) if value > _FASTEST else None

    def _fill_problem(self, value: Fraction) -> str | None:
        return self.tr("At most {0} mL: no reservoir is larger.").format(_MOST_ML) if value > _MOST_ML else None

    def _refresh(self) -> None:
        state = self._view_model.state
        occluded = state is not None and state.occluded
        self._occlude.setText(self.tr("Open the &catheter") if occluded else self.tr("Occlude the &catheter"))


def _title(column: QBoxLayout, text: str) -> None:
    title = QLabel(text)
    set_type(title, Scale.BODY, strong=True)
    column.addWidget(title)


def _side_by_side(column: QBoxLayout, *buttons: QPushButton) -> None:
    row = QHBoxLayout()
    row.setSpacing(unit())
    for button in buttons:
        row.addWidget(button)
    row.addStretch(1)
    column.addLayout(row)
