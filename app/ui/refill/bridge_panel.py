"""The decision about a bridge, and the answer about the rinse, with what each would come to.

Law: nothing is chosen beforehand; a decision is gone as soon as the change it was made about is another one, and
a reason that was typed stays.
"""

from __future__ import annotations

from fractions import Fraction

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from app.models.catalogue import Catalogue
from app.models.quantities import Volume
from app.models.solution_change import BridgeChoice, BridgeDecision, Rinse
from app.models.solution_outlook import ChangePlan
from app.models.typed_reason import reason_is_good, shortest_reason
from app.ui.dose_field import DoseField
from app.ui.form import FieldRow
from app.ui.refill.bridge_chart import BridgeChart
from app.ui.refill.bridge_words import bridge_remark, bridge_words, real_words, what_changes, without_words
from app.ui.theme import Scale, set_role, set_type, unit

_WHOLE_SLASH = "/\u2060"
"""A slash after which no line ends."""


class BridgePanel(QWidget):
    """Shows one :class:`ChangePlan` and takes the two answers; hidden while no solution changes."""

    changed = Signal()
    """An answer was given, taken back or typed at. Plan anew with ``rinse()``, and show that plan."""

    def __init__(self, catalogue: Catalogue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._catalogue = catalogue
        self._plan: ChangePlan | None = None
        self._about: ChangePlan | None = None
        """The plan shown last, which the answers are about."""
        self._headline, self._without, self._real = _words(), _words(), _words()
        self._chart = BridgeChart()
        self._bridge, self._bridge_remark = QRadioButton(self.tr("&Bridge")), _words()
        self._none, self._none_remark = QRadioButton(self.tr("&No bridge")), _words()
        self.reason = QLineEdit()
        self._shortest = shortest_reason(catalogue)
        hint = self.tr("At least {0} characters.").format(self._shortest)
        self._reason_row = FieldRow(self.tr("&Why there is no bridge"), self.reason, hint=hint)
        self._decision = QButtonGroup(self)
        self._rinsed, self._not_rinsed = QRadioButton(self.tr("Rins&ed")), QRadioButton(self.tr("Not r&insed"))
        self.volume = DoseField("mL", 1, 2, scale=Scale.LEAD, problem=self._problem_of)
        self._volume_row = FieldRow(
            self.tr("New solution used to rinse, al&together"), self.volume, hint=self.tr("Counted as one rinse.")
        )
        self._rinse = QButtonGroup(self)
        self._rinse_box = QWidget()
        self._lay_out()
        self._connect()
        self.show_plan(None, physician=False)

    def _lay_out(self) -> None:
        set_type(self._headline, Scale.LEAD, strong=True)
        set_type(self._without, Scale.BODY, strong=True)
        for remark in (self._bridge_remark, self._none_remark):
            set_role(remark, "muted")
        self.reason.setMaxLength(500)
        for group, buttons in (
            (self._rinse, (self._rinsed, self._not_rinsed)),
            (self._decision, (self._bridge, self._none)),
        ):
            for button in buttons:
                group.addButton(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(unit())
        column.addWidget(self._headline)
        self._lay_out_rinse()
        column.addWidget(self._rinse_box)
        card = QFrame()
        set_role(card, "card")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(2 * unit(), unit(), 2 * unit(), unit())
        inside.setSpacing(unit() // 2)
        inside.addWidget(self._without)
        inside.addWidget(self._chart, 1)
        self._card = card
        column.addWidget(card)
        for button, below in ((self._bridge, self._bridge_remark), (self._none, self._none_remark)):
            answer = QVBoxLayout()
            answer.setSpacing(0)
            answer.addWidget(button)
            answer.addLayout(_indented(below))
            column.addLayout(answer)
        column.addLayout(_indented(self._reason_row))
        column.addStretch(1)

    def _lay_out_rinse(self) -> None:
        question = QLabel(self.tr("Was the reservoir rinsed before the fill?"))
        row = QVBoxLayout(self._rinse_box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(unit() // 2)
        buttons = QHBoxLayout()
        buttons.setSpacing(2 * unit())
        buttons.addWidget(self._not_rinsed)
        buttons.addWidget(self._rinsed)
        buttons.addStretch(1)
        row.addWidget(question)
        row.addLayout(buttons)
        row.addLayout(_indented(self._volume_row))
        row.addWidget(self._real)

    def _connect(self) -> None:
        self._decision.buttonClicked.connect(self._on_answer)
        self._rinse.buttonClicked.connect(self._on_answer)
        self.volume.valueChanged.connect(self._on_answer)
        self.reason.textChanged.connect(self._on_answer)
        self.reason.editingFinished.connect(self._remark_reason)

    def _problem_of(self, value: Fraction) -> str | None:
        return None if value else self.tr("Type how much, or choose “Not rinsed”.")

    # -- what is shown -----------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Forget every answer and everything typed: another visit."""
        self._about = None
        _clear(self._decision)
        _clear(self._rinse)
        self.reason.clear()
        self._reason_row.show_remark("")
        self.volume.set_value(None)
        self.show_plan(None, physician=False)

    def show_plan(self, plan: ChangePlan | None, *, physician: bool) -> None:
        """Show another plan, or ``None`` while there is none. A decision stays as long as change and path do."""
        self._plan = plan if plan is not None and plan.change.needs_decision else None
        self.setVisible(self._plan is not None)
        if self._plan is None:
            return
        if self._about is None or not _same(self._about, self._plan):
            _clear(self._decision)
        if self._about is None or self._about.change != self._plan.change:
            _clear(self._rinse)
        self._about = self._plan
        self._show(self._plan, physician)

    def _show(self, plan: ChangePlan, physician: bool) -> None:
        change, outlook = plan.change, plan.outlook
        self._headline.setText(what_changes(change, self._catalogue).replace("/", _WHOLE_SLASH))
        words = without_words(outlook, change, self._catalogue) if outlook is not None else ""
        self._without.setText(words)
        self._card.setVisible(outlook is not None)
        drugs = dict.fromkeys((change.old.dosed, change.new.dosed))
        rows = [(drug, self._catalogue.drug(drug).name) for drug in drugs]
        remark = bridge_remark(plan, self._catalogue)
        self._chart.show_outlook(outlook, rows, f"{words} {remark}")
        self._bridge.setText(bridge_words(plan))
        self._bridge.setEnabled(plan.bridge is not None)
        self._bridge_remark.setText(remark)
        self._none.setEnabled(physician)
        self._none_remark.setText("" if physician else self.tr("Only a physician decides to leave out the bridge."))
        for button, below in ((self._bridge, self._bridge_remark), (self._none, self._none_remark)):
            below.setVisible(bool(below.text()))
            button.setAccessibleDescription(below.text())
        if not self._decides():
            _clear(self._decision)
        self._rinse_box.setVisible(plan.rinse_required)
        self._real.setText(real_words(plan))
        self._real.setVisible(bool(self._real.text()))
        self._fold()

    def _decides(self) -> bool:
        chosen = self._decision.checkedButton()
        return chosen is not None and chosen.isEnabled()

    def _fold(self) -> None:
        self._reason_row.setVisible(self._none.isChecked())
        self._volume_row.setVisible(self._rinsed.isChecked())

    # -- what was answered -------------------------------------------------------------------------------------

    def answer(self, choice: BridgeChoice, *, rinsed: Volume, reason: str = "") -> None:
        """Give both answers, as if they were clicked and typed."""
        (self._rinsed if rinsed else self._not_rinsed).setChecked(True)
        if rinsed:
            self.volume.set_value(rinsed.in_ml)
        self._on_answer()
        (self._bridge if choice is BridgeChoice.BRIDGE else self._none).setChecked(True)
        self.reason.setText(reason)
        self._on_answer()

    def decision(self) -> BridgeDecision | None:
        """What was decided; ``None`` until it is, and for no bridge until it has a reason."""
        if self._plan is None or not self._decides():
            return None
        if self._bridge.isChecked():
            return BridgeDecision(BridgeChoice.BRIDGE, self._plan.change)
        reason = self.reason.text().strip()
        if not reason_is_good(reason, self._shortest):
            return None
        return BridgeDecision(BridgeChoice.NO_BRIDGE, self._plan.change, reason)

    def rinse(self) -> Rinse | None:
        """The answer about the rinse; ``None`` while it is not asked or not answered."""
        if self._plan is None or not self._plan.rinse_required:
            return None
        if self._not_rinsed.isChecked():
            return Rinse(Volume.zero())
        value = self.volume.value()
        return Rinse(Volume.ml(value)) if self._rinsed.isChecked() and value is not None else None

    def is_complete(self) -> bool:
        """Whether everything that this change asks for is answered; true where nothing changes."""
        if self._plan is None:
            return True
        return self.decision() is not None and (not self._plan.rinse_required or self.rinse() is not None)

    def words(self) -> str:
        """Everything that it says, as it stands there."""
        labels = (self._headline, self._real, self._without, self._bridge_remark, self._none_remark)
        text = " ".join(label.text() for label in labels if label.isVisibleTo(self))
        return text.replace(_WHOLE_SLASH, "/")

    def _on_answer(self, _change: object = None) -> None:
        self._fold()
        if reason_is_good(self.reason.text(), self._shortest):
            self._reason_row.show_remark("")
        self.changed.emit()

    def _remark_reason(self) -> None:
        text = self.reason.text()
        short = bool(text.strip()) and not reason_is_good(text, self._shortest)
        words = self.tr("Write a reason of at least {0} characters.").format(self._shortest) if short else ""
        self._reason_row.show_remark(words, short)


def _words() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def _indented(widget: QWidget) -> QHBoxLayout:
    """A widget below a button, in line with its text."""
    row = QHBoxLayout()
    row.setContentsMargins(3 * unit() + unit() // 2, 0, 0, 0)
    row.addWidget(widget, 1)
    return row


def _clear(group: QButtonGroup) -> None:
    group.setExclusive(False)
    for button in group.buttons():
        button.setChecked(False)
    group.setExclusive(True)


def _same(old: ChangePlan, new: ChangePlan) -> bool:
    return (old.change, old.path, old.bridge) == (new.change, new.path, new.bridge)
