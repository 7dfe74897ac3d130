"""The pages at the needle: what came out, what the label says, what went in.

Law: one large field at a time, the verdict beside it at once, and no window in front of either.
"""

from __future__ import annotations

from fractions import Fraction

from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit

from app.models.formats import rounded, show_volume, with_unit
from app.models.quantities import Concentration, Volume
from app.models.refill_visit import DrugCheck
from app.models.reservoir import Verdict
from app.services.refill import Residual
from app.ui.dates import DAY_HINT, parse_day
from app.ui.dose_field import DoseField
from app.ui.form import FieldRow, add_field
from app.ui.refill.step_page import StepPage
from app.ui.refill.view_model import RefillViewModel
from app.ui.state_mark import Mark, StateMark
from app.ui.theme import Scale, set_role, set_type, unit

_VERDICTS = {
    Verdict.AS_EXPECTED: (Mark.VERIFIED, "As expected"),
    Verdict.UNDER_DELIVERY: (Mark.CONFIRM, "More left than expected: under-delivery"),
    Verdict.OVER_DELIVERY: (Mark.CONFIRM, "Less left than expected: over-delivery"),
}


class ResidualPage(StepPage):
    """What came out beside what should have."""

    def __init__(self, view_model: RefillViewModel) -> None:
        super().__init__(view_model, self.tr("Draw out what is left"), self.tr("&Record this volume"))
        self._expected = QLabel()
        set_type(self._expected, Scale.FIGURE, strong=True)
        caption = QLabel(self.tr("Should be left"))
        set_role(caption, "muted")
        self.volume = DoseField("mL", 2, 2)
        self._verdict = StateMark(Mark.NOTE)
        self._numbers = QLabel()
        self.fields.addWidget(caption)
        self.fields.addWidget(self._expected)
        add_field(self.fields, self.tr("&Drawn out"), self.volume, hint=self.tr("All of it, to the first bubble."))
        self.fields.addWidget(self._verdict)
        self.fields.addWidget(self._numbers)
        self.back.hide()
        self.volume.valueChanged.connect(self._judge)

    def enter(self) -> None:
        visit = self.view_model.visit
        expected = visit.expected if visit else None
        self.lead.setText(self.tr("Empty the reservoir completely through the needle, and read the syringe."))
        self._expected.setText(show_volume(expected) if expected is not None else self.tr("unknown"))
        self.volume.set_value(None)
        if visit is not None and visit.aspirated is not None:
            self.volume.set_value(visit.aspirated.in_ml)
        self._judge(self.volume.value())
        self.volume.setFocus()

    def is_complete(self) -> bool:
        return self.volume.value() is not None

    def _judge(self, value: Fraction | None) -> None:
        residual = self.view_model.judge_aspirate(Volume.ml(value)) if value is not None else None
        self._verdict.setVisible(residual is not None)
        self._numbers.setVisible(residual is not None)
        if residual is not None:
            self._show(residual)
        self.say(residual.findings if residual else ())

    def _show(self, residual: Residual) -> None:
        judgement = residual.judgement
        mark, words = _VERDICTS[judgement.verdict]
        self._verdict.set_mark(mark, word=self.tr(words))
        difference = judgement.difference_pl / Volume.PER_ML
        sign = "+" if difference > 0 else ""
        text = self.tr("Difference {0}").format(with_unit(f"{sign}{rounded(difference, 2)}", "mL"))
        if judgement.error is not None:
            plus = "+" if judgement.error > 0 else ""
            text += self.tr(", delivered {0}{1} % of what was programmed").format(
                plus, rounded(judgement.error * 100, 1)
            )
        self._numbers.setText(text)

    def verdict_words(self) -> str:
        """The verdict as it stands on the page."""
        return f"{self._verdict.accessibleName()}. {self._numbers.text()}"

    def act(self) -> None:
        value = self.volume.value()
        if value is not None:
            self.view_model.record_aspirate(Volume.ml(value), self.reasons())


class DrugPage(StepPage):
    """What the label of the vial says."""

    def __init__(self, view_model: RefillViewModel) -> None:
        super().__init__(view_model, self.tr("Check the drug"), self.tr("&Record the label"))
        self.drug = QComboBox()
        self.concentration = DoseField("mcg/mL", 0, 5)
        self.lot, self.expires, self.second = QLineEdit(), QLineEdit(), QLineEdit()
        for field in (self.drug, self.lot, self.expires, self.second):
            field.setMaximumWidth(40 * unit())
        add_field(self.fields, self.tr("&Drug"), self.drug)
        self._row = add_field(self.fields, self.tr("&Concentration"), self.concentration, hint=self.tr("As printed."))
        add_field(self.fields, self.tr("&Lot"), self.lot)
        self._expires_row: FieldRow = add_field(self.fields, self.tr("&Expires on"), self.expires, hint=DAY_HINT)
        add_field(
            self.fields, self.tr("Label &read a second time by"), self.second, hint=self.tr("Leave empty if nobody.")
        )
        for drug in sorted(view_model.workstation.catalogue.drugs.values(), key=lambda drug: drug.name):
            self.drug.addItem(drug.name, drug.slug)
        self.drug.currentIndexChanged.connect(self._judge)
        self.concentration.valueChanged.connect(self._judge)
        for line in (self.lot, self.expires, self.second):
            line.textChanged.connect(self._judge)
        self.lot.returnPressed.connect(self.expires.setFocus)
        self.expires.returnPressed.connect(self.second.setFocus)

    def enter(self) -> None:
        self.lead.setText(self.tr("Read the label of the vial aloud, and type what it says."))
        visit, now = self.view_model.visit, self.view_model.settings_now()
        check = visit.drug_check if visit else None
        drug = check.drug if check else now.drug if now else ""
        self.drug.setCurrentIndex(max(0, self.drug.findData(drug)))
        if check is not None:
            self.concentration.set_value(check.concentration.in_mcg_per_ml)
        else:
            self.concentration.set_value(None)
        self.lot.setText(check.lot if check else "")
        self.expires.setText(check.expires_on.isoformat() if check else "")
        self.second.setText(check.second_reader if check else "")
        self._judge()
        self.concentration.setFocus()

    def _check(self) -> DrugCheck | None:
        concentration, expires = self.concentration.value(), parse_day(self.expires.text())
        if not concentration or expires is None or not self.lot.text().strip():
            return None
        return DrugCheck(
            drug=str(self.drug.currentData()),
            concentration=Concentration.mcg_per_ml(concentration),
            lot=self.lot.text().strip(),
            expires_on=expires,
            second_reader=self.second.text().strip(),
        )

    def is_complete(self) -> bool:
        return self._check() is not None

    def _judge(self, _change: object = None) -> None:
        unreadable = bool(self.expires.text().strip()) and parse_day(self.expires.text()) is None
        self._expires_row.show_remark(self.tr("Write the day like 31 Dec 2027.") if unreadable else "", unreadable)
        check = self._check()
        self.say(self.view_model.judge_drug(check) if check is not None and self.view_model.visit else ())

    def act(self) -> None:
        check = self._check()
        if check is not None:
            self.view_model.record_drug(check, self.reasons())


class FillPage(StepPage):
    """What went in."""

    def __init__(self, view_model: RefillViewModel) -> None:
        super().__init__(view_model, self.tr("Fill"), self.tr("&Record the fill"))
        self.volume = DoseField("mL", 2, 2)
        self._row = add_field(self.fields, self.tr("&Injected"), self.volume)
        self.volume.valueChanged.connect(self._judge)

    def enter(self) -> None:
        visit = self.view_model.visit
        if visit is None:
            return
        capacity = self.view_model.workstation.desk.model_of(visit).capacity
        self.lead.setText(
            self.tr(
                "Inject 5 mL, draw back to see that the needle is in the reservoir, then inject the rest. "
                "The reservoir holds {0}."
            ).format(show_volume(capacity))
        )
        self.volume.set_value(None)
        if visit.injected is not None:
            self.volume.set_value(visit.injected.in_ml)
        self._judge(self.volume.value())
        self.volume.setFocus()

    def is_complete(self) -> bool:
        return bool(self.volume.value())

    def _judge(self, value: Fraction | None) -> None:
        self.say(self.view_model.judge_fill(Volume.ml(value)) if value and self.view_model.visit else ())

    def act(self) -> None:
        value = self.volume.value()
        if value is not None:
            self.view_model.record_fill(Volume.ml(value), self.reasons())
