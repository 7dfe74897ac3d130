"""The fields of programs that have no boluses and steps of their own: simple continuous, periodic bolus, and the rest.

Law: as everywhere, a number is taken with its button, to which Enter leads, and never by leaving the field.
"""

from __future__ import annotations

from fractions import Fraction

from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from app.models.comparison import clock, duration
from app.models.program import Flex, MinimumRate, PeriodicBolus, Program, SimpleContinuous, Stopped
from app.models.quantities import DoseRate, Mass
from app.ui.dose_field import DoseField
from app.ui.form import FieldRow
from app.ui.schedule.items_panel import ItemsPanel, parse_clock
from app.ui.schedule.view_model import ScheduleViewModel
from app.ui.theme import Scale, set_role, unit


class ModePanel(QStackedWidget):
    """What is typed, for the mode of the program on the board."""

    def __init__(self, view_model: ScheduleViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self.items = ItemsPanel(view_model)
        self.simple = SimplePanel(view_model)
        self.periodic = PeriodicPanel(view_model)
        self._nothing = QLabel()
        self._nothing.setWordWrap(True)
        set_role(self._nothing, "muted")
        for panel in (self.items, self.simple, self.periodic, self._nothing):
            self.addWidget(panel)
        view_model.changed.connect(self._refresh)

    def _refresh(self) -> None:
        program = self._view_model.program
        match program.delivery if program is not None else None:
            case Flex():
                self.setCurrentWidget(self.items)
            case SimpleContinuous():
                self.setCurrentWidget(self.simple)
            case PeriodicBolus():
                self.setCurrentWidget(self.periodic)
            case MinimumRate():
                self._say(self.tr("The pump runs at its minimum rate, day and night, to keep the catheter open."))
            case Stopped():
                self._say(self.tr("The pump delivers nothing. That is not a safe state: withdrawal can kill."))
            case _:
                self._say("")

    def _say(self, words: str) -> None:
        self._nothing.setText(words)
        self.setCurrentWidget(self._nothing)


class SimplePanel(QWidget):
    """One daily dose."""

    def __init__(self, view_model: ScheduleViewModel) -> None:
        super().__init__()
        self._view_model = view_model
        self._shown: object = None
        self.dose = DoseField("mcg/day", 3, 5, scale=Scale.LEAD)
        self.row = FieldRow(self.tr("&Daily dose"), self.dose, hint=self.tr("Evenly, day and night."))
        self._set = QPushButton(self.tr("Set"))
        self._set.setAutoDefault(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.row)
        column.addWidget(self._set)
        column.addStretch(1)
        self.row.setMaximumWidth(40 * unit())
        self._set.setMaximumWidth(16 * unit())
        self._set.clicked.connect(self.take)
        view_model.changed.connect(self._refresh)

    def _refresh(self) -> None:
        program = self._view_model.program
        if program is not None and isinstance(program.delivery, SimpleContinuous):
            dose, patient = program.delivery.daily_dose, self._view_model.patient_id
            if (dose, patient) != self._shown:
                self._shown = (dose, patient)
                self.dose.set_value(dose.in_mcg_per_day)

    def take(self) -> None:
        """Put the typed dose on the board, or say why not."""
        value, program = self.dose.value(), self._view_model.program
        if value is None or program is None:
            self.row.show_remark(self.tr("Type the daily dose."), True)
            return
        self.row.show_remark("")
        made = Program(SimpleContinuous(DoseRate.mcg_per_day(value)), program.patient_activated)
        self._view_model.edit(made, self.tr("Daily dose"))


class PeriodicPanel(QWidget):
    """A bolus at an interval, with its unit in the field's name, over a basal rate."""

    def __init__(self, view_model: ScheduleViewModel) -> None:
        super().__init__()
        self._view_model = view_model
        self._shown: object = None
        self.basal = DoseField("mcg/day", 3, 5, scale=Scale.BODY)
        self.dose = DoseField("mcg", 3, 5, scale=Scale.BODY)
        self.minutes = DoseField("min", 0, 4, scale=Scale.BODY)
        self.hours = DoseField("h", 2, 3, scale=Scale.BODY)
        self.first = QLineEdit()
        self._rows: dict[str, FieldRow] = {}
        self._set = QPushButton(self.tr("Set"))
        self._set.setAutoDefault(False)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(2 * unit())
        for place, (name, label, field, hint) in enumerate(
            (
                ("basal", self.tr("Basal rate, all &day"), self.basal, ""),
                ("dose", self.tr("Bolus dos&e"), self.dose, ""),
                ("minutes", self.tr("F&or"), self.minutes, ""),
                ("hours", self.tr("E&very"), self.hours, self.tr("Hours from one bolus to the next.")),
                ("first", self.tr("Fro&m"), self.first, self.tr("On Monday, like 06:00.")),
            )
        ):
            self._rows[name] = FieldRow(label, field, hint=hint)
            grid.addWidget(self._rows[name], place // 3, place % 3)
        grid.addWidget(self._set, 1, 2)
        grid.setRowStretch(2, 1)
        self._set.clicked.connect(self.take)
        self.first.returnPressed.connect(self.take)
        view_model.changed.connect(self._refresh)

    def _refresh(self) -> None:
        program = self._view_model.program
        if program is None or not isinstance(program.delivery, PeriodicBolus):
            return
        periodic, patient = program.delivery, self._view_model.patient_id
        if (periodic, patient) == self._shown:
            return
        self._shown = (periodic, patient)
        self.basal.set_value(periodic.basal.in_mcg_per_day)
        self.dose.set_value(periodic.dose.in_mcg)
        self.minutes.set_value(Fraction(periodic.duration_min))
        self._show_interval(periodic.every_min)
        self.first.setText(clock(periodic.first_at % 1440))

    def _show_interval(self, minutes: int) -> None:
        """The interval in hours; one that two decimals cannot say is said in words, and the field stays empty."""
        hours = Fraction(minutes, 60)
        fits = (hours * 100).denominator == 1
        self.hours.set_value(hours if fits else None)
        words = self.tr("Now every {0}. Type it anew.").format(duration(minutes))
        self._rows["hours"].show_remark("" if fits else words)

    def take(self) -> None:
        """Put what is typed on the board, as a whole, or say beside the field why not."""
        program = self._view_model.program
        basal, dose, minutes, hours = (field.value() for field in (self.basal, self.dose, self.minutes, self.hours))
        first = parse_clock(self.first.text())
        every = hours * 60 if hours is not None else None
        for name, good, words in (
            ("basal", basal is not None, self.tr("Type the basal rate of a whole day.")),
            ("dose", dose is not None, self.tr("Type the dose of one bolus.")),
            ("minutes", minutes is not None, self.tr("Type the minutes of one bolus.")),
            (
                "hours",
                every is not None and every > 0 and every.denominator == 1,
                self.tr("Type hours that are whole minutes, at least 1 min."),
            ),
            ("first", first is not None, self.tr("Type a time from 00:00 to 23:59, like 06:00.")),
        ):
            self._rows[name].show_remark("" if good else words, not good)
            if not good:
                self._rows[name].field.setFocus()
                return
        assert program is not None and basal is not None and dose is not None
        assert minutes is not None and every is not None and first is not None
        made = PeriodicBolus(DoseRate.mcg_per_day(basal), Mass.mcg(dose), int(minutes), int(every), first)
        self._view_model.edit(Program(made, program.patient_activated), self.tr("Periodic bolus"))
