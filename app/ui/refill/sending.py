"""The pages around the order: what shall be sent, the last look, and what became of it.

Law: nothing here has a default button; an order leaves only after its new daily dose was typed anew and the
button was held, and afterwards exactly one of three results is shown.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from app.models.comparison import sentence_of
from app.models.formats import rounded
from app.models.patient import Role
from app.models.program import Program, SimpleContinuous
from app.models.quantities import DoseRate, Volume
from app.models.refill_visit import Step
from app.models.signed_order import SignedOrder
from app.models.solution_outlook import ChangePlan
from app.services.visit_rules import BridgeAnswer
from app.ui.dates import show_day
from app.ui.dose_field import DoseField
from app.ui.form import add_field
from app.ui.hold_button import HoldButton
from app.ui.refill.bridge_panel import BridgePanel
from app.ui.refill.comparison_table import ComparisonTable
from app.ui.refill.second_check_dialog import ask_second_person
from app.ui.refill.second_check_view_model import SecondCheckViewModel
from app.ui.refill.step_page import StepPage
from app.ui.refill.view_model import Judged, RefillViewModel, Result
from app.ui.state_mark import Mark, StateMark
from app.ui.theme import Scale, set_role, set_type, unit


class SettingsPage(StepPage):
    """Which program, and when the alarm sounds."""

    def __init__(self, view_model: RefillViewModel) -> None:
        super().__init__(view_model, self.tr("New settings"), self.tr("&Review beside the old ones"))
        self._judged: Judged | None = None
        self._order: SignedOrder | None = None
        self._ordered = QRadioButton(self.tr("&As ordered"))
        self._keep = QRadioButton(self.tr("&Keep the program as it is"))
        self._change = QRadioButton(self.tr("Another &daily dose, simple continuous"))
        group = QButtonGroup(self)
        for choice in (self._ordered, self._keep, self._change):
            group.addButton(choice)
            choice.toggled.connect(self._judge)
            self.fields.addWidget(choice)
        self.dose = DoseField("mcg/day", 1, 5)
        self._alarm = DoseField("mL", 1, 2, scale=Scale.LEAD)
        self.bridge = BridgePanel(view_model.workstation.catalogue)
        self._sentence = QLabel()
        self._sentence.setWordWrap(True)
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        set_role(self._problem, "error")
        self._dose_row = add_field(self.fields, self.tr("New daily d&ose"), self.dose)
        add_field(self.fields, self.tr("Low-reservoir alar&m at"), self._alarm)
        self.fields.addWidget(self._sentence)
        self.fields.addWidget(self._problem)
        self.beside.insertWidget(0, self.bridge)
        self.bridge.changed.connect(self._judge)
        self.dose.valueChanged.connect(self._judge)
        self._alarm.valueChanged.connect(self._judge)

    def enter(self) -> None:
        visit, now = self.view_model.visit, self.view_model.settings_now()
        if visit is None or now is None:
            return
        model = self.view_model.workstation.desk.model_of(visit)
        self.lead.setText(self.tr("In the pump now: {0}.").format(sentence_of(now, model)))
        self._show_order()
        wanted = visit.proposed or (self._order.settings if self._order else now)
        self._alarm.set_value((visit.proposed or now).low_alarm.in_ml)
        ordered = self._order is not None and wanted.program == self._order.settings.program
        changed = not ordered and wanted.program != now.program
        (self._ordered if ordered else self._change if changed else self._keep).setChecked(True)
        self.dose.set_value(None)
        self.bridge.reset()
        if changed and isinstance(wanted.program.delivery, SimpleContinuous):
            self.dose.set_value(wanted.program.delivery.daily_dose.in_mcg_per_day)
        self._judge()
        self._alarm.setFocus()

    def _show_order(self) -> None:
        """What is ordered stands first, with its name and its last day."""
        self._order = self.view_model.order_in_force()
        self._ordered.setVisible(self._order is not None)
        if self._order is not None:
            self._ordered.setText(
                self.tr("&As ordered: {0}, until {1}").format(self._order.name, show_day(self._order.valid_until))
            )

    def _program(self) -> Program | None:
        now, dose = self.view_model.settings_now(), self.dose.value()
        if now is None:
            return None
        if self._ordered.isChecked() and self._order is not None:
            return self._order.settings.program
        if not self._change.isChecked():
            return now.program
        if dose is None:
            return None
        return replace(now.program, delivery=SimpleContinuous(DoseRate.mcg_per_day(dose)))

    def _judge(self, _change: object = None) -> None:
        self._dose_row.setVisible(self._change.isChecked())
        self._judged = None
        program, alarm = self._program(), self._alarm.value()
        problem = sentence = ""
        visit = self.view_model.visit
        if program is not None and alarm is not None and visit is not None:
            judged = self.view_model.judge_settings(program, Volume.ml(alarm), self._answer())
            if isinstance(judged, Judged):
                self._judged = judged
                self._show_plan(judged.plan)
                model = self.view_model.workstation.desk.model_of(visit)
                sentence = self.tr("New: {0}.").format(sentence_of(judged.settings, model))
            else:
                problem = judged
        self._sentence.setText(sentence)
        self._problem.setText(problem)
        self.say(self._judged.findings if self._judged else ())

    def _show_plan(self, plan: ChangePlan | None) -> None:
        physician = self.view_model.workstation.user.role is Role.PHYSICIAN
        self.bridge.show_plan(plan, physician=physician)

    def _answer(self) -> BridgeAnswer:
        """What was answered about another solution, so far."""
        decision, rinse = self.bridge.decision(), self.bridge.rinse()
        return BridgeAnswer(
            choice=decision.choice if decision is not None else None,
            reason=decision.reason if decision is not None else "",
            rinsed=rinse.volume if rinse is not None else None,
        )

    def sentence(self) -> str:
        """What would be sent, in words."""
        return self._sentence.text()

    def is_complete(self) -> bool:
        return self._judged is not None and self.bridge.is_complete()

    def act(self) -> None:
        if self._judged is not None:
            self.view_model.propose(self._judged.settings, self.reasons(), self._answer())


class ConfirmPage(QWidget):
    """In the pump now, new, and the change; the new daily dose typed; then held."""

    def __init__(self, view_model: RefillViewModel) -> None:
        super().__init__()
        self.view_model = view_model
        self._title = QLabel(self.tr("Compare, then send"))
        self._state = QLabel()
        self._table = ComparisonTable()
        self.dose = DoseField("mcg/day", 3, 5, scale=Scale.TITLE, problem=self._problem_of)
        self.second = QPushButton(self.tr("Second perso&n…"))
        self.send_button = HoldButton(self.tr("Send to the pump"))
        self._back = QPushButton(self.tr("Go back"))
        self._expected: Fraction | None = None
        self._lay_out()
        self.dose.valueChanged.connect(self._check)
        self.send_button.held.connect(view_model.send)
        self._back.clicked.connect(view_model.correct)
        self.second.clicked.connect(self._ask_second)
        view_model.stagedChanged.connect(self._check)
        view_model.busyChanged.connect(self._check)

    def _lay_out(self) -> None:
        set_type(self._title, Scale.TITLE, strong=True)
        self._state.setWordWrap(True)
        self._back.setAutoDefault(False)
        self.second.setAutoDefault(False)
        foot = QVBoxLayout()
        self._dose_row = add_field(
            foot, self.tr("Type the new &daily dose"), self.dose, hint=self.tr("As in the column New, to compare.")
        )
        buttons = QVBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.second)
        buttons.addWidget(self.send_button)
        buttons.addWidget(self._back)
        row = QHBoxLayout()
        row.setSpacing(unit())
        row.addLayout(foot, 1)
        row.addLayout(buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * unit(), 2 * unit(), 3 * unit(), unit())
        column.setSpacing(unit())
        column.addWidget(self._title)
        column.addWidget(self._state)
        column.addWidget(self._table, 1)
        column.addLayout(row)

    def enter(self) -> None:
        visit = self.view_model.visit
        if visit is None:
            return
        serial = self.view_model.workstation.desk.implant(visit.patient_id).serial
        self.send_button.setText(self.tr("Send to pump {0}").format(serial))
        self._table.show_rows(self.view_model.comparison())
        self._expected = self.view_model.new_daily_dose()
        self.dose.set_value(None)
        self._check()
        # Before the pump is spoken to: the cursor comes back afterwards to where it was then.
        (self.second if self.second.isVisibleTo(self) else self.dose).setFocus()
        if self.view_model.staged is None and not self.view_model.second_person_wanted():
            self.view_model.stage()

    def _ask_second(self) -> None:
        """A second person types what would be sent; then the draft is laid in."""
        visit = self.view_model.visit
        if visit is None:
            return
        ask_second_person(SecondCheckViewModel(self.view_model.workstation, visit), self, self.enter)

    def _problem_of(self, value: Fraction) -> str | None:
        if self._expected is None or rounded(value, 3) == rounded(self._expected, 3):
            return None
        return self.tr("This is not the new daily dose in the table.")

    def _check(self, _change: object = None) -> None:
        staged, wanted = self.view_model.staged, self.view_model.second_person_wanted()
        self.second.setVisible(bool(wanted))
        self.send_button.setVisible(not wanted)
        self._dose_row.setVisible(not wanted)
        if wanted:
            self._state.setText(self.tr("A second person must check this first: {0}.").format(wanted))
        elif staged is not None:
            self._state.setText(
                self.tr("The pump has read back the new settings as below. The old program still runs.")
            )
        else:
            self._state.setText(
                self.view_model.busy
                or self.tr("The pump does not hold the new settings yet. Go back, and review again.")
            )
        self.send_button.setEnabled(staged is not None and self.dose.value() is not None and not self.view_model.busy)
        self._back.setEnabled(not self.view_model.busy)


_RESULTS = {
    Result.VERIFIED: (
        Mark.VERIFIED,
        "The pump runs the new program. A fresh reading shows every setting as it was sent.",
        "&Go on to the report",
    ),
    Result.NOT_APPLIED: (
        Mark.NOT_APPLIED,
        "Nothing has changed: the pump runs its old program, and this order can never come into force any more.",
        "&Review the settings again",
    ),
    Result.NOT_KNOWN: (
        Mark.RESULT_NOT_KNOWN,
        "Do not let the patient go. It is not known whether the pump runs the old or the new program. "
        "Reconnect the pump, then ask it. Nothing is sent again by asking.",
        "&Ask pump {0}",
    ),
}


_STANDS_STILL = (
    "This order can never come into force any more. But the pump had to stop for it, and nobody has seen it running "
    "since. Keep the patient here: see to the red bar first."
)


class ProgrammePage(QWidget):
    """Sending, and then exactly one of three results."""

    def __init__(self, view_model: RefillViewModel) -> None:
        super().__init__()
        self.view_model = view_model
        self._mark = StateMark(Mark.NOTE, scale=Scale.FIGURE)
        self._progress = QProgressBar()
        self._progress.setRange(0, 0)
        self._progress.setTextVisible(False)
        self._words, self._why = QLabel(), QLabel()
        self.verb = QPushButton()
        self._lay_out()
        self.verb.clicked.connect(self._act)
        view_model.busyChanged.connect(self._refresh)
        view_model.visitChanged.connect(self._refresh)

    def _lay_out(self) -> None:
        for label in (self._words, self._why):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        set_type(self._words, Scale.LEAD)
        set_role(self._why, "error")
        set_role(self.verb, "primary")
        self.verb.setAutoDefault(False)
        self.verb.setText(self.tr("Go on"))
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * unit(), 4 * unit(), 3 * unit(), unit())
        column.setSpacing(2 * unit())
        column.addWidget(self._mark)
        column.addWidget(self._progress)
        column.addWidget(self._words)
        column.addWidget(self._why)
        column.addWidget(self.verb, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)

    def enter(self) -> None:
        self._refresh()
        self.verb.setFocus()

    def _refresh(self, _change: object = None) -> None:
        busy, result, visit = self.view_model.busy, self.view_model.result, self.view_model.visit
        self._progress.setVisible(bool(busy))
        self._mark.setVisible(not busy and result is not None)
        self.verb.setVisible(not busy and result is not None)
        self._why.setVisible(not busy and bool(self.view_model.result_words))
        if busy or result is None or visit is None:
            self._words.setText(busy)
            return
        mark, words, verb = _RESULTS[result]
        station = self.view_model.workstation
        serial = station.desk.implant(visit.patient_id).serial
        if result is Result.NOT_APPLIED and station.guards.covers(serial):
            words = _STANDS_STILL
        self._mark.set_mark(mark)
        self._words.setText(self.tr(words))
        self._why.setText(self.view_model.result_words)
        self.verb.setText(self.tr(verb).format(serial))

    def _act(self) -> None:
        visit = self.view_model.visit
        if visit is not None and visit.step is Step.PROGRAMME:
            self.view_model.ask_again()
        else:
            self.view_model.go_on()
