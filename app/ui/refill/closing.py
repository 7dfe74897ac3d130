"""The last page: the report, and the day of the next refill.

Law: the report shows verified facts only; the visit closes when the next refill is booked, or when somebody says
why it is not.
"""

from __future__ import annotations

from datetime import date, timedelta

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton

from app.models.report import RefillReport
from app.services.refill_report import NotVerifiedError
from app.ui.dates import DAY_HINT, parse_day, show_day
from app.ui.form import add_field
from app.ui.refill.step_page import StepPage
from app.ui.refill.view_model import RefillViewModel
from app.ui.report_pdf import ReportNotWrittenError, write_report
from app.ui.theme import Scale, set_role, set_type, unit

_PROPOSALS = 3


class ReportPage(StepPage):
    """Save the report, book the next refill, close the visit."""

    def __init__(self, view_model: RefillViewModel) -> None:
        super().__init__(view_model, self.tr("Report and next refill"), self.tr("&Book, and close the visit"))
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(3 * unit())
        self._facts.setVerticalSpacing(unit() // 2)
        self._facts.setColumnStretch(1, 1)
        self._save = QPushButton(self.tr("&Save the report"))
        self._saved = QLabel()
        self._saved.setWordWrap(True)
        self._proposals = QHBoxLayout()
        self.day = QLineEdit()
        self.day.setMaximumWidth(30 * unit())
        set_type(self.day, Scale.LEAD)
        self.fields.addLayout(self._facts)
        self._row = add_field(self.fields, self.tr("&Next refill on"), self.day, hint=DAY_HINT)
        self.fields.addLayout(self._proposals)
        saving = QHBoxLayout()
        saving.addWidget(self._save)
        saving.addWidget(self._saved, 1)
        self.fields.addLayout(saving)
        self.back.hide()
        self._save.clicked.connect(self.save)
        self.day.textChanged.connect(self._judge)

    def enter(self) -> None:
        self._saved.setText("")
        self.day.clear()
        self._show_facts()
        self._propose()
        self._judge()
        self.day.setFocus()

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
        self._save.setEnabled(report is not None)
        if report is None:
            return
        self.lead.setText(report.outcome)
        rows = [row for section in report.sections if section.title in _SHOWN for row in section.rows]
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
            self._saved.setText(self.tr("The report could not be written to {0}.").format(path))
            set_role(self._saved, "error")
            return
        set_role(self._saved, "muted")
        self._saved.setText(self.tr("Saved as {0}").format(path))
        self.verb.setFocus()

    def _propose(self) -> None:
        while self._proposals.count():
            item = self._proposals.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        window = self.view_model.appointment_window()
        for day in _working_days(*window)[:_PROPOSALS] if window else ():
            self._proposals.addWidget(_Proposal(day, self.day))
        self._proposals.addStretch(1)

    def _judge(self, _text: str = "") -> None:
        text = self.day.text().strip()
        self._saved.setText("")
        unreadable = bool(text) and parse_day(text) is None
        self._row.show_remark(self.tr("Write the day like 14 Mar 2027.") if unreadable else "", unreadable)
        if self.view_model.visit is not None:
            self.say(() if unreadable else self.view_model.judge_appointment(parse_day(text)))

    def is_complete(self) -> bool:
        text = self.day.text().strip()
        return not text or parse_day(text) is not None

    def act(self) -> None:
        self.view_model.book(parse_day(self.day.text()), self.reasons())


_SHOWN = ("Reservoir", "Now in the pump", "Dates")


class _Proposal(QPushButton):
    """A day that suits, for one press."""

    def __init__(self, day: date, field: QLineEdit) -> None:
        super().__init__(show_day(day))
        self._day = day
        self._field = field
        self.setAutoDefault(False)
        self.clicked.connect(self._choose)

    def _choose(self) -> None:
        self._field.setText(show_day(self._day))


def _working_days(first: date, last: date) -> list[date]:
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [day for day in days if day.weekday() < 5] or days
