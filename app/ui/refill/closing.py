"""The last page: the report, and the day of the next refill.

Law: the report shows verified facts only; the visit closes when the next refill is booked, or when somebody says
why it is not.
"""

from __future__ import annotations

from datetime import date

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton

from app.models.calendar_entry import CalendarNotWrittenError
from app.models.findings import Finding
from app.models.report import RefillReport
from app.services.refill_report import NotVerifiedError
from app.ui.dates import DAY_HINT, parse_day, show_day
from app.ui.elided_label import ElidedLabel
from app.ui.form import add_field
from app.ui.refill.step_page import StepPage
from app.ui.refill.view_model import RefillViewModel
from app.ui.report_pdf import ReportNotWrittenError, write_report
from app.ui.theme import Scale, set_role, set_type, unit


class ReportPage(StepPage):
    """Save the report, book the next refill, close the visit."""

    def __init__(self, view_model: RefillViewModel) -> None:
        super().__init__(view_model, self.tr("Report and next refill"), self.tr("B&ook, and close the visit"))
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(3 * unit())
        self._facts.setVerticalSpacing(unit() // 2)
        self._facts.setColumnStretch(1, 1)
        self._save = QPushButton(self.tr("Sa&ve the report"))
        self.card = QPushButton(self.tr("Patient car&d…"))
        self.calendar = QPushButton(self.tr("Save for the &calendar"))
        self._counter = QLabel()
        self._counter.setWordWrap(True)
        set_type(self._counter, Scale.BODY, strong=True)
        self._saved = ElidedLabel()
        self._proposals = QHBoxLayout()
        self._proposals.setSpacing(unit())
        self._free_days = QLabel()
        set_role(self._free_days, "muted")
        self._proposed: tuple[Finding, ...] = ()
        self._first: _Proposal | None = None
        self.day = QLineEdit()
        self.day.setMaximumWidth(30 * unit())
        set_type(self.day, Scale.LEAD)
        self.fields.addWidget(self._counter)
        self.fields.addLayout(self._facts)
        self._row = add_field(self.fields, self.tr("&Next refill on"), self.day, hint=DAY_HINT)
        self.fields.addLayout(self._proposals)
        self.fields.addWidget(self._free_days)
        saving = QHBoxLayout()
        saving.setSpacing(unit())
        for button in (self._save, self.card, self.calendar):
            button.setAutoDefault(False)
            saving.addWidget(button)
        saving.addStretch(1)
        self.beside.insertLayout(0, saving)
        self.beside.insertWidget(1, self._saved)
        self.back.hide()
        self._save.clicked.connect(self.save)
        self.card.clicked.connect(self.save_card)
        self.calendar.clicked.connect(self.save_calendar)
        self.day.textChanged.connect(self._judge)

    def enter(self) -> None:
        self._saved.setText("")
        self.day.clear()
        self._show_facts()
        self._propose()
        self._judge()
        (self._first or self.day).setFocus()

    def _report(self) -> RefillReport | None:
        try:
            return self.view_model.report(parse_day(self.day.text()))
        except NotVerifiedError:
            return None

    def _show_facts(self) -> None:
        while self._facts.count():
            item = self._facts.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        report = self._report()
        counter = self.view_model.without_programmer()
        self._counter.setText(counter)
        self._counter.setVisible(bool(counter))
        self._save.setEnabled(report is not None)
        if report is None:
            return
        self.lead.setText(report.outcome)
        shown = (section for section in report.sections if section.title in _SHOWN)
        rows = [row for section in shown for row in section.rows if row.label != _BOOKED]
        for place, row in enumerate(rows):
            caption, value = QLabel(row.label), QLabel(row.value)
            set_role(caption, "muted")
            caption.setWordWrap(True)
            value.setWordWrap(True)
            value.setAccessibleName(row.label)
            self._facts.addWidget(caption, place, 0)
            self._facts.addWidget(value, place, 1)

    def save(self) -> None:
        """Write the report as a PDF file."""
        report, path = self._report(), self.view_model.report_path()
        if report is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_report(report, path)
        except (ReportNotWrittenError, OSError):
            self._say_saved(self.tr("The report could not be written to {0}.").format(path), is_error=True)
            return
        self._say_saved(self.tr("Saved as {0}").format(path))
        self.verb.setFocus()

    def save_card(self) -> None:
        """Write the patient's card, with the day that is typed; that it is printed, the rules then know."""
        if not self.is_complete():
            self.day.setFocus()
            return
        saved = self.view_model.save_card(parse_day(self.day.text()))
        self._judge()
        self._say_saved(saved.words, is_error=saved.is_error)

    def counter_words(self) -> str:
        """What stands there where the pump's own counter is wrong; empty where it is right."""
        return self._counter.text()

    def save_calendar(self) -> None:
        """Write the day that is typed, and the refill-by date, as a file for a calendar."""
        if not self.is_complete():
            self.day.setFocus()
            return
        try:
            path = self.view_model.save_calendar(parse_day(self.day.text()))
        except CalendarNotWrittenError as error:
            words = self.tr("The calendar could not be written to {0}: {1}.")
            self._say_saved(words.format(error.values["file"], error.values["problem"]), is_error=True)
            return
        self._say_saved(self.tr("Saved for the calendar as {0}").format(path))

    def _say_saved(self, words: str, *, is_error: bool = False) -> None:
        set_role(self._saved, "error" if is_error else "muted")
        self._saved.setText(words)

    def _propose(self) -> None:
        while self._proposals.count():
            item = self._proposals.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        proposed = self.view_model.proposals()
        self._proposed = proposed.findings
        buttons = [_Proposal(day, self.day) for day in proposed.days]
        self._first = buttons[0] if buttons else None
        for button in buttons:
            self._proposals.addWidget(button)
        self._proposals.addStretch(1)
        unknown = self.view_model.no_holidays_known()
        self._free_days.setText(
            self.tr("Only weekends count as free: choose a country in the settings.")
            if unknown
            else ""
        )
        self._free_days.setVisible(unknown)

    def _judge(self, _text: str = "") -> None:
        text = self.day.text().strip()
        self._saved.setText("")
        unreadable = bool(text) and parse_day(text) is None
        self._row.show_remark(self.tr("Write the day like 14 Mar 2027.") if unreadable else "", unreadable)
        if self.view_model.visit is not None:
            judged = () if unreadable else self.view_model.judge_appointment(parse_day(text))
            self.say((*judged, *self._proposed))

    def is_complete(self) -> bool:
        text = self.day.text().strip()
        return not text or parse_day(text) is not None

    def act(self) -> None:
        self.view_model.book(parse_day(self.day.text()), self.reasons())


_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_BOOKED = "Next appointment"
_SHOWN = ("Reservoir", "Now in the pump", "Dates")


class _Proposal(QPushButton):
    """A day that suits, for one press."""

    def __init__(self, day: date, field: QLineEdit) -> None:
        super().__init__(f"{_WEEKDAYS[day.weekday()]} {show_day(day)}")
        self._day = day
        self._field = field
        self.setAutoDefault(False)
        self.clicked.connect(self._choose)

    def _choose(self) -> None:
        self._field.setText(show_day(self._day))
