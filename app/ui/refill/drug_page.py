"""The check of the drug: the vials' codes, and the label in words.

Law: the label is filled in from the codes or typed; it is recorded only if its codes were scanned or it was typed twice
without a look at the first reading.
"""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QWidget

from app.models.quantities import Concentration
from app.models.refill_visit import DrugCheck
from app.models.vial import LabelReading, Wanted, label_of
from app.services.visit_rules import Label
from app.ui.dates import DAY_HINT, parse_day, show_day
from app.ui.dose_field import DoseField
from app.ui.form import FieldRow
from app.ui.refill.step_page import StepPage
from app.ui.refill.vial_field import VialScan
from app.ui.refill.view_model import RefillViewModel
from app.ui.theme import Scale, unit


class DrugPage(StepPage):
    """Scan, or type and have somebody type again."""

    def __init__(self, view_model: RefillViewModel) -> None:
        super().__init__(view_model, self.tr("Check the drug"), self.tr("&Record the label"))
        station = view_model.workstation
        self._drugs = station.catalogue.drugs
        self.scan = VialScan(station.vial_reader, self._drugs.values())
        self.drug, self.lot, self.expires = QComboBox(), QLineEdit(), QLineEdit()
        self.concentration = DoseField("mcg/mL", 0, 5, scale=Scale.LEAD)
        self._label = QWidget()
        self._expires_row = FieldRow(self.tr("E&xpires on"), self.expires, hint=DAY_HINT)
        self._lay_out_label()
        self.fields.addWidget(self.scan)
        self.fields.addWidget(self._label)
        self.drug.currentIndexChanged.connect(self._judge)
        self.concentration.valueChanged.connect(self._judge)
        for line in (self.lot, self.expires):
            line.textChanged.connect(self._judge)
        self.lot.returnPressed.connect(self.expires.setFocus)
        self.expires.returnPressed.connect(self.verb.setFocus)
        self.scan.vialsChanged.connect(self._scanned)
        self.scan.againOpened.connect(self._cover)
        self.scan.againChanged.connect(self._say)

    def _lay_out_label(self) -> None:
        for drug in sorted(self._drugs.values(), key=lambda drug: drug.name):
            self.drug.addItem(drug.name, drug.slug)
        self.drug.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.drug.setMinimumContentsLength(12)
        grid = QGridLayout(self._label)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(2 * unit())
        grid.setVerticalSpacing(unit())
        grid.addWidget(FieldRow(self.tr("&Drug"), self.drug, hint=""), 0, 0)
        grid.addWidget(FieldRow(self.tr("&Concentration"), self.concentration, hint=""), 0, 1)
        grid.addWidget(FieldRow(self.tr("&Lot"), self.lot, hint=""), 1, 0)
        grid.addWidget(self._expires_row, 1, 1)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)

    def enter(self) -> None:
        self.lead.setText(self.tr("Scan each vial. Or read the label aloud, type it, and have it typed a second time."))
        visit, now = self.view_model.visit, self.view_model.settings_now()
        self.scan.clear()
        check = visit.drug_check if visit else None
        self.drug.setCurrentIndex(max(0, self.drug.findData(check.drug if check else now.drug if now else "")))
        self.concentration.set_value(check.concentration.in_mcg_per_ml if check else None)
        self.lot.setText(check.lot if check else "")
        self.expires.setText(show_day(check.expires_on) if check else "")
        if visit is not None and visit.vials:
            self.scan.set_vials(visit.vials)
        self._judge()
        self.scan.setFocus()

    def _cover(self, is_open: bool) -> None:
        """Whoever reads the second time sees neither the first reading nor what the rules say about it."""
        self._label.setVisible(not is_open)
        self.cards.setVisible(not is_open)

    def _scanned(self) -> None:
        """What the codes say goes into the fields, where it can be compared with the vial in the hand."""
        read = label_of(self.scan.vials())
        if read is not None:
            self.drug.setCurrentIndex(self.drug.findData(read.drug))
            self.concentration.set_value(read.concentration.in_mcg_per_ml)
            self.lot.setText(read.lot)
            self.expires.setText(show_day(read.expires_on))
        self._judge()

    def _typed(self) -> LabelReading | None:
        """What stands in the fields; ``None`` while a part is missing."""
        concentration, lot = self.concentration.value(), self.lot.text().strip()
        expires = parse_day(self.expires.text())
        if not concentration or expires is None or not lot:
            return None
        return LabelReading(str(self.drug.currentData()), Concentration.mcg_per_ml(concentration), lot, expires)

    def _read(self) -> Label | None:
        typed = self._typed()
        if typed is None:
            return None
        check = DrugCheck(typed.drug, typed.concentration, typed.lot, typed.expires_on)
        return Label(check, self.scan.vials(), self.scan.again_agrees() is True)

    def is_complete(self) -> bool:
        return self._read() is not None

    def _judge(self, _change: object = None) -> None:
        unreadable = bool(self.expires.text().strip()) and parse_day(self.expires.text()) is None
        self._expires_row.show_remark(self.tr("Write the day like 31 Dec 2027.") if unreadable else "", unreadable)
        typed = self._typed()
        today = self.view_model.workstation.clock.pump().date()
        self.scan.set_wanted(
            Wanted(self._drugs[typed.drug], typed.concentration, None, today) if typed is not None else None
        )
        self.scan.set_first(typed)
        self._say()

    def _say(self) -> None:
        label = self._read()
        self.say(self.view_model.judge_drug(label) if label is not None and self.view_model.visit else ())

    def act(self) -> None:
        label = self._read()
        if label is not None:
            self.view_model.record_drug(label, self.reasons())
