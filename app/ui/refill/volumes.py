"""The pages at the needle: what came out, and what went in.

Law: one large field at a time, the verdict beside it at once, and no window in front of either.
"""

from __future__ import annotations

from fractions import Fraction

from PySide6.QtWidgets import QCheckBox, QLabel

from app.models.formats import rounded, show_volume, with_unit
from app.models.quantities import Volume
from app.models.refill_visit import NeedleCheck
from app.models.reservoir import Verdict
from app.services.visit_rules import Residual
from app.ui.dose_field import DoseField
from app.ui.form import add_field
from app.ui.refill.step_page import StepPage
from app.ui.refill.view_model import RefillViewModel
from app.ui.state_mark import Mark, StateMark
from app.ui.theme import Scale, set_role, set_type

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


class FillPage(StepPage):
    """What went in, and that the needle was where it belongs."""

    def __init__(self, view_model: RefillViewModel) -> None:
        super().__init__(view_model, self.tr("Fill"), self.tr("&Record the fill"))
        self.volume = DoseField("mL", 2, 2)
        self.after = DoseField("mL", 2, 2, scale=Scale.LEAD)
        self.ticks = {
            NeedleCheck.REFILL_PORT: QCheckBox(self.tr("Refill &port, refill needle: not the catheter port")),
            NeedleCheck.DREW_BACK: QCheckBox(self.tr("What was injected first could be drawn &back")),
        }
        for box in self.ticks.values():
            self.fields.addWidget(box)
            box.toggled.connect(self._judge)
        add_field(self.fields, self.tr("&Injected"), self.volume)
        add_field(
            self.fields,
            self.tr("&Found after the fill"),
            self.after,
            hint=self.tr("Only if it was all drawn back once more and put in again. Else leave it empty."),
        )
        self.volume.valueChanged.connect(self._judge)
        self.after.valueChanged.connect(self._judge)

    def enter(self) -> None:
        visit = self.view_model.visit
        if visit is None:
            return
        capacity = self.view_model.workstation.desk.model_of(visit).capacity
        self.lead.setText(
            self.tr(
                "Say aloud which port it is. Inject 5 mL, draw back to see that the needle is in the reservoir, then "
                "inject the rest. The reservoir holds {0}."
            ).format(show_volume(capacity))
        )
        said = {one.what for one in visit.ticked}
        for what, box in self.ticks.items():
            box.setChecked(what in said)
        self.volume.set_value(visit.injected.in_ml if visit.injected is not None else None)
        self.after.set_value(visit.found_after.in_ml if visit.found_after is not None else None)
        self._judge()
        next(iter(self.ticks.values())).setFocus()

    def _ticked(self) -> frozenset[NeedleCheck]:
        return frozenset(what for what, box in self.ticks.items() if box.isChecked())

    def _found_after(self) -> Volume | None:
        value = self.after.value()
        return Volume.ml(value) if value is not None else None

    def is_complete(self) -> bool:
        return bool(self.volume.value()) and not self.after.remark()[1]

    def _judge(self, _change: object = None) -> None:
        value = self.volume.value()
        if not value or self.view_model.visit is None:
            self.say(())
            return
        self.say(self.view_model.judge_fill(Volume.ml(value), self._ticked(), self._found_after()))

    def act(self) -> None:
        value = self.volume.value()
        if value is not None:
            self.view_model.record_fill(Volume.ml(value), self.reasons(), self._ticked(), self._found_after())
