"""Which weekdays share a plan: seven days, each with the letter of its group, and the ways to change that.

Law: each weekday belongs to exactly one group, always; a group without a day is gone.
"""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QWidget

from app.models.comparison import day_names
from app.models.editing import give_day
from app.models.program import Flex, Weekday
from app.ui.schedule.view_model import ScheduleViewModel
from app.ui.theme import set_role, unit

_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class DayGroups(QWidget):
    """Seven buttons that show a day's plan, and what to do with the chosen day."""

    def __init__(self, view_model: ScheduleViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self._day = Weekday.MON
        self.days = [QPushButton(_NAMES[day]) for day in Weekday]
        self.own = QPushButton(self.tr("On its own"))
        self.belongs = QComboBox()
        self._label = QLabel(self.tr("Belon&gs to"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(unit() // 2)
        for day, button in zip(Weekday, self.days, strict=True):
            button.setCheckable(True)
            button.setAutoDefault(False)
            set_role(button, "compact")
            button.clicked.connect(lambda _checked, day=day: self._choose(day))
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.own)
        row.addWidget(self._label)
        row.addWidget(self.belongs)
        self.own.setAutoDefault(False)
        set_role(self.own, "compact")
        self._label.setBuddy(self.belongs)
        self.belongs.setAccessibleName(self.tr("Group of the chosen day"))
        self.own.clicked.connect(self._split_off)
        self.belongs.activated.connect(self._join)
        view_model.changed.connect(self._refresh)

    def _choose(self, day: Weekday) -> None:
        self._day = day
        program = self._view_model.program
        if program is not None and isinstance(program.delivery, Flex):
            self._view_model.show_plan(self._plan_of(program.delivery, day))

    def _split_off(self) -> None:
        program, day = self._view_model.program, self._day
        if program is not None:
            self._view_model.attempt(
                lambda: give_day(program, day, None), self.tr("A plan of its own for {0}").format(_NAMES[day])
            )
            self._choose(day)

    def _join(self) -> None:
        program, day, plan = self._view_model.program, self._day, self.belongs.currentData()
        if program is not None and plan is not None:
            words = self.tr("{0} belongs to {1}").format(_NAMES[day], self.belongs.currentText())
            self._view_model.attempt(lambda: give_day(program, day, int(plan)), words)
            self._choose(day)

    def _refresh(self) -> None:
        program = self._view_model.program
        flex = program.delivery if program is not None and isinstance(program.delivery, Flex) else None
        self.setVisible(flex is not None)
        if flex is None:
            return
        if self._plan_of(flex, self._day) != self._view_model.plan:
            self._day = flex.plans[self._view_model.plan].days[0]
        for day, button in zip(Weekday, self.days, strict=True):
            plan = self._plan_of(flex, day)
            letter = "" if len(flex.plans) == 1 else f" {_letter(plan)}"
            button.setText(f"{_NAMES[day]}{letter}")
            button.setChecked(plan == self._view_model.plan)
            button.setAccessibleName(self.tr("{0}, plan {1}").format(_NAMES[day], _letter(plan)))
        self.own.setText(self.tr("{0} on its ow&n").format(_NAMES[self._day]))
        self.own.setEnabled(len(flex.plan_on(self._day).days) > 1)
        self.belongs.clear()
        for place, plan_of_days in enumerate(flex.plans):
            self.belongs.addItem(f"{_letter(place)}: {day_names(plan_of_days)}", place)
        self.belongs.setCurrentIndex(self._plan_of(flex, self._day))
        self.belongs.setEnabled(len(flex.plans) > 1)

    def _plan_of(self, flex: Flex, day: Weekday) -> int:
        return next(place for place, plan in enumerate(flex.plans) if day in plan.days)


def _letter(plan: int) -> str:
    return "ABCDEFG"[plan]
