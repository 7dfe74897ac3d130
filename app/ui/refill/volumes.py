"""The pages at the needle: what came out, and what went in.

Law: one large field at a time, the verdict beside it at once, and no window in front of either.
"""

from __future__ import annotations

from fractions import Fraction

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QVBoxLayout

from app.models.formats import plain, rounded, show_concentration, show_volume, with_unit
from app.models.measured_flow import FillDose, MeasuredFlow
from app.models.quantities import Volume
from app.models.refill_visit import NeedleCheck
from app.models.reservoir import Verdict
from app.models.residual_trend import TrendPoint, signed
from app.services.visit_rules import Residual
from app.ui.dose_field import DoseField
from app.ui.form import add_field
from app.ui.refill.step_page import StepPage
from app.ui.refill.trend_chart import TrendChart
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
        self._earlier: tuple[TrendPoint, ...] = ()
        self._verdict = StateMark(Mark.NOTE)
        self._numbers, self._flow = QLabel(), QLabel()
        self.trend = TrendChart()
        for label in (self._numbers, self._flow):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        should, row = QVBoxLayout(), QHBoxLayout()
        should.setSpacing(unit())
        should.addWidget(caption)
        should.addWidget(self._expected)
        should.addStretch(1)
        row.setSpacing(4 * unit())
        add_field(row, self.tr("&Drawn out"), self.volume, hint=self.tr("All of it, to the first bubble."))
        row.addLayout(should)
        row.addStretch(1)
        self.fields.addLayout(row)
        self.fields.addWidget(self._verdict)
        self.fields.addWidget(self._numbers)
        self.fields.addWidget(self._flow)
        self.fields.addWidget(self.trend)
        self.back.hide()
        self.volume.valueChanged.connect(self._judge)

    def enter(self) -> None:
        visit = self.view_model.visit
        expected = self.view_model.expected() if visit else None
        self.lead.setText(self.tr("Empty the reservoir completely through the needle, and read the syringe."))
        self._expected.setText(show_volume(expected) if expected is not None else self.tr("unknown"))
        self._earlier = self.view_model.trend() if visit else ()
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
        self._flow.setVisible(residual is not None and residual.flow is not None)
        if residual is not None:
            self._show(residual)
        self._show_trend(residual.trend if residual is not None else self._earlier)
        self.say(residual.findings if residual else ())

    def _show(self, residual: Residual) -> None:
        judgement = residual.judgement
        mark, words = _VERDICTS[judgement.verdict]
        self._verdict.set_mark(mark, word=self.tr(words))
        difference = judgement.difference_pl / Volume.PER_ML
        text = self.tr("Difference {0}").format(with_unit(signed(difference, 2), "mL"))
        if judgement.error is not None:
            text += self.tr(", delivered {0} % of what was programmed").format(signed(judgement.error * 100, 1))
        self._numbers.setText(text)
        if residual.flow is not None:
            self._flow.setText(self._flow_words(residual.flow))

    def _flow_words(self, flow: MeasuredFlow) -> str:
        """The flow of a pump that cannot be read, and the dose that it gave."""
        words = self.tr("Measured flow {0}{1}, this pump's own {2} ± {3} %. The measured flow gave {0}{4}.")
        return words.format(
            self.tr("at least ") if flow.at_least else "",
            _flow(flow.ml_per_day),
            with_unit(plain(flow.nominal.in_ml_per_day), "mL/day"),
            plain(flow.accuracy_percent),
            _daily(flow.mcg_per_day),
        )

    def _show_trend(self, points: tuple[TrendPoint, ...]) -> None:
        """The last refills; nothing while there is no earlier one to compare with."""
        visit = self.view_model.visit
        self.trend.setVisible(bool(self._earlier))
        if visit is not None and self._earlier:
            station = self.view_model.workstation
            self.trend.show_trend(
                points,
                limit_ml=station.catalogue.rule("ref_02_volume_ml"),
                accuracy_percent=station.desk.model_of(visit).accuracy_percent,
                today=station.clock.utc().date(),
            )

    def verdict_words(self) -> str:
        """The verdict as it stands on the page."""
        flow = f" {self._flow.text()}" if self._flow.isVisibleTo(self) else ""
        return f"{self._verdict.accessibleName()}. {self._numbers.text()}{flow}"

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
        self._dose = QLabel()
        self._dose.setWordWrap(True)
        self._dose.setTextFormat(Qt.TextFormat.PlainText)
        set_type(self._dose, Scale.LEAD, strong=True)
        self.fields.addWidget(self._dose)
        self.ticks = {
            NeedleCheck.REFILL_PORT: QCheckBox(self.tr("Refill port, refill &needle: not the catheter port")),
            NeedleCheck.DREW_BACK: QCheckBox(self.tr("What was injected first could be &drawn back")),
        }
        for box in self.ticks.values():
            self.fields.addWidget(box)
            box.toggled.connect(self._judge)
        add_field(self.fields, self.tr("&Injected"), self.volume)
        add_field(
            self.fields,
            self.tr("Fo&und after the fill"),
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
        dose = self.view_model.fill_dose()
        self._dose.setVisible(dose is not None)
        self._dose.setText(self._dose_words(dose) if dose is not None else "")
        said = {one.what for one in visit.ticked}
        for what, box in self.ticks.items():
            box.setChecked(what in said)
        self.volume.set_value(visit.injected.in_ml if visit.injected is not None else None)
        self.after.set_value(visit.found_after.in_ml if visit.found_after is not None else None)
        self._judge()
        next(iter(self.ticks.values())).setFocus()

    def _dose_words(self, dose: FillDose) -> str:
        """What this fill comes to in a pump whose flow nobody can set."""
        words = self.tr("Daily dose with this fill: {0} × {1} = {2}.").format(
            with_unit(plain(dose.flow.in_ml_per_day), "mL/day"),
            show_concentration(dose.concentration),
            _daily(dose.mcg_per_day),
        )
        if dose.measured is not None and dose.measured_mcg_per_day is not None:
            measured = self.tr("With the measured flow, {0}{1}: {0}{2}.").format(
                self.tr("at least ") if dose.measured.at_least else "",
                _flow(dose.measured.ml_per_day),
                _daily(dose.measured_mcg_per_day),
            )
            words = f"{words} {measured}"
        return words

    def dose_words(self) -> str:
        """The daily dose as it stands on the page; empty for a pump that is programmed."""
        return self._dose.text()

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


def _flow(ml_per_day: Fraction) -> str:
    return with_unit(rounded(ml_per_day, 3), "mL/day")


def _daily(mcg_per_day: Fraction) -> str:
    return with_unit(rounded(mcg_per_day, 1), "mcg/day")
