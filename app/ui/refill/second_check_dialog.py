"""A second person reads label, order and syringe, and types what they say, with the first person's numbers covered.

Law: no number of the first person is shown, offered or kept here; a difference is told by the field's name alone. Enter
compares nothing, and what was typed stays until it is right.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.models.second_check import CheckField
from app.ui.curtain import Curtain
from app.ui.dates import show_day
from app.ui.dose_field import DoseField
from app.ui.form import FieldRow
from app.ui.refill.second_check_view_model import SecondCheckViewModel, Told
from app.ui.state_mark import Mark, StateMark
from app.ui.theme import Scale, set_role, set_type, unit

_PERSON = "person"


class SecondCheckDialog(QDialog):
    """Accepted once two people came to the same, or nobody is there and the reason is on record."""

    def __init__(self, view_model: SecondCheckViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view_model = view_model
        self.person, self.drug = QComboBox(), QComboBox()
        self.concentration = DoseField("mcg/mL", 0, 5, scale=Scale.LEAD)
        self.dose = DoseField("mcg/day", 3, 5, scale=Scale.LEAD)
        self.injected = DoseField("mL", 2, 2, scale=Scale.LEAD)
        self.nobody, self.back = QPushButton(self.tr("&Nobody is here…")), QPushButton(self.tr("&Go back"))
        self.compare = QPushButton(self.tr("&Compare"))
        self.reason = QLineEdit()
        self.return_to_fields = QPushButton(self.tr("Somebody &is here"))
        self.go_on = QPushButton(self.tr("Go on &without a second person"))
        self.rows: dict[str, FieldRow] = {}
        self._said = QLabel()
        self._stopped = StateMark(Mark.BLOCK, word=self.tr("Ended"))
        self._pages = QStackedWidget()
        self.setWindowTitle(self.tr("Second check"))
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self._fill_choices()
        self._lay_out()
        self._connect()
        self._count(view_model.left())

    def _fill_choices(self) -> None:
        for field, choices in ((self.person, self.view_model.people()), (self.drug, self.view_model.drugs())):
            field.addItem(self.tr("Choose…"), "")
            for key, name in choices:
                field.addItem(name, key)
            field.setMinimumWidth(38 * unit())

    def _lay_out(self) -> None:
        patient = _words(self.view_model.patient())
        set_type(patient, Scale.LEAD, strong=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(3 * unit(),) * 4)
        column.setSpacing(2 * unit())
        column.addWidget(patient)
        self._pages.addWidget(self._entry_page())
        self._pages.addWidget(self._alone_page())
        column.addWidget(self._pages)
        self.setMinimumWidth(100 * unit())

    def _entry_page(self) -> QWidget:
        title = QLabel(self.tr("A second person checks this"))
        set_type(title, Scale.TITLE, strong=True)
        why = _words(
            self.tr(
                "Asked for: {0}. Read the label, the order and the syringe yourself, and type what they say. "
            ).format(self.view_model.why())
            + self.tr("What was typed before is hidden from you.")
        )
        grid = QGridLayout()
        grid.setHorizontalSpacing(4 * unit())
        grid.setVerticalSpacing(unit())
        grid.setColumnStretch(1, 1)
        nobody = self.tr("Nobody else may check this: all others had a hand in it.")
        name_hint = self.tr("Not the one who typed before.") if self.view_model.people() else nobody
        for key, label, field, hint, place in (
            (_PERSON, self.tr("&Your name"), self.person, name_hint, (0, 0)),
            (CheckField.DRUG.value, self.tr("&Drug"), self.drug, self.tr("From the label."), (0, 1)),
            (CheckField.CONCENTRATION.value, self.tr("C&oncentration"), self.concentration, self.tr("From the label."),
             (1, 0)),
            (CheckField.DAILY_DOSE.value, self.tr("D&aily dose"), self.dose, self.tr("From the order."), (1, 1)),
            (CheckField.INJECTED.value, self.tr("In&jected"), self.injected, self.tr("From the syringe."), (2, 0)),
        ):  # fmt: skip
            self.rows[key] = FieldRow(label, field, hint=hint)
            grid.addWidget(self.rows[key], *place, Qt.AlignmentFlag.AlignTop)
        said = QVBoxLayout()
        self._said.setWordWrap(True)
        said.addWidget(self._stopped)
        said.addWidget(self._said)
        said.addStretch(1)
        grid.addLayout(said, 2, 1)
        return _page(title, why, grid, (self.nobody, None, self.back, self.compare))

    def _alone_page(self) -> QWidget:
        title = QLabel(self.tr("Nobody else is here"))
        set_type(title, Scale.TITLE, strong=True)
        day = show_day(self.view_model.today())
        why = _words(
            self.tr("Say why it cannot wait. It stays on record that nobody checked, and the worklist gets a task for ")
            + self.tr("today, {0}: a remote check.").format(day)
        )
        body = QVBoxLayout()
        hint = self.tr("At least {0} characters.").format(self.view_model.shortest_reason())
        self.reason.setMaxLength(500)
        self.rows["reason"] = FieldRow(self.tr("&Reason for going on alone"), self.reason, hint=hint)
        body.addWidget(self.rows["reason"])
        body.addStretch(1)
        return _page(title, why, body, (None, self.return_to_fields, self.go_on))

    def _connect(self) -> None:
        for button in (self.nobody, self.back, self.compare, self.return_to_fields, self.go_on):
            button.setAutoDefault(False)
        set_role(self.nobody, "quiet")
        set_role(self.compare, "primary")
        self.back.clicked.connect(self.reject)
        self.nobody.clicked.connect(lambda: self._turn_to(1, self.reason))
        self.return_to_fields.clicked.connect(lambda: self._turn_to(0, self.person))
        self.compare.clicked.connect(self._compare)
        self.go_on.clicked.connect(self._go_on)
        for key, field in self._fields().items():
            change = field.valueChanged if isinstance(field, DoseField) else field.currentIndexChanged
            change.connect(lambda _value, row=self.rows[key]: row.show_remark(""))
        self.reason.textEdited.connect(lambda _text: self.rows["reason"].show_remark(""))

    def _turn_to(self, page: int, field: QWidget) -> None:
        self._pages.setCurrentIndex(page)
        field.setFocus()

    def _fields(self) -> dict[str, QComboBox | DoseField]:
        return {
            _PERSON: self.person,
            CheckField.DRUG.value: self.drug,
            CheckField.CONCENTRATION.value: self.concentration,
            CheckField.DAILY_DOSE.value: self.dose,
            CheckField.INJECTED.value: self.injected,
        }

    # -- comparing -------------------------------------------------------------------------------------------

    def _compare(self) -> None:
        """Compare, or say beside the first field that is empty what belongs into it."""
        values = {key: _value_of(field) for key, field in self._fields().items()}
        for key, value in values.items():
            if not value:
                missing = self.tr("Choose your name.") if key == _PERSON else self.tr("Read it, and enter it here.")
                self.rows[key].show_remark(missing, True)
                self.rows[key].field.setFocus()
                return
        mcg_per_ml, mcg_per_day, injected = (field.value() for field in (self.concentration, self.dose, self.injected))
        assert mcg_per_ml is not None and mcg_per_day is not None and injected is not None
        self._tell(
            self.view_model.compare(
                str(self.person.currentData()),
                str(self.drug.currentData()),
                mcg_per_ml=mcg_per_ml,
                mcg_per_day=mcg_per_day,
                injected_ml=injected,
            )
        )

    def _tell(self, told: Told) -> None:
        if told.passed:
            self.accept()
            return
        for field in CheckField:
            differs = field in told.differing
            words = self.tr("Not what was typed before. Read it again.") if differs else ""
            self.rows[field.value].show_remark(words, differs)
        self._count(told.left, told.problem)
        if told.differing and told.left:
            self.rows[told.differing[0].value].field.setFocus()

    def _count(self, left: int, problem: str = "") -> None:
        """Say how often one may still differ; once it has ended, only going back is left."""
        ended = left == 0
        self._stopped.setVisible(ended)
        for field in self._fields().values():
            field.setEnabled(not ended)
        self.compare.setEnabled(not ended)
        self.nobody.setVisible(self.view_model.untouched())
        set_role(self._said, "error" if problem or ended else "muted")
        over = self.tr("Go back together: read label, order and syringe again, and review the settings anew.")
        more = self.tr("This is the last try.") if left == 1 else self.tr("{0} tries are left.").format(left)
        self._said.setText(problem or (over if ended else more))
        if ended:
            self.back.setFocus()

    # -- nobody is there -------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        problem = self.view_model.waive(self.reason.text())
        self.rows["reason"].show_remark(problem, bool(problem))
        if problem:
            self.reason.setFocus()
        else:
            self.accept()


def _value_of(field: QComboBox | DoseField) -> object:
    return field.value() if isinstance(field, DoseField) else field.currentData()


def _words(text: str) -> QLabel:
    words = QLabel(text)
    words.setWordWrap(True)
    words.setTextFormat(Qt.TextFormat.PlainText)
    return words


def _page(
    title: QLabel, why: QLabel, body: QGridLayout | QVBoxLayout, buttons: tuple[QPushButton | None, ...]
) -> QWidget:
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(2 * unit())
    column.addWidget(title)
    column.addWidget(why)
    column.addLayout(body, 1)
    row = QHBoxLayout()
    for button in buttons:
        if button is None:
            row.addStretch(1)
        else:
            row.addWidget(button)
    column.addLayout(row)
    return page


def ask_second_person(view_model: SecondCheckViewModel, window: QWidget, done: Callable[[], None]) -> SecondCheckDialog:
    """Cover the window, ask, uncover it; ``done`` is called if what is proposed may be sent then."""
    whole = window.window()
    curtain = Curtain(whole.tr("A second person is checking. The page is covered until then."), whole)
    dialog = SecondCheckDialog(view_model, whole)

    def end(result: int) -> None:
        curtain.lift()
        dialog.deleteLater()
        if result == QDialog.DialogCode.Accepted:
            done()

    dialog.finished.connect(end)
    dialog.open()
    dialog.person.setFocus()
    return dialog
