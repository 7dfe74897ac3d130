"""What one person types from a label: drug, concentration, lot and last day of use.

Law: nothing is filled in beforehand, not even the drug, so that what stands here was read by whoever typed it.
"""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QWidget

from app.models.catalogue import Drug
from app.models.quantities import Concentration
from app.models.vial import LabelReading
from app.ui.dates import parse_day
from app.ui.dose_field import DoseField
from app.ui.form import FieldRow
from app.ui.theme import Scale, unit


class LabelFields(QWidget):
    """Four fields, and the reading that they make."""

    changed = Signal()

    def __init__(self, drugs: Iterable[Drug], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.drug, self.lot, self.expires = QComboBox(), QLineEdit(), QLineEdit()
        self.concentration = DoseField("mcg/mL", 0, 5, scale=Scale.LEAD)
        self.drug.setPlaceholderText(self.tr("Choose…"))
        for drug in sorted(drugs, key=lambda drug: drug.name):
            self.drug.addItem(drug.name, drug.slug)
        # A long name must not push the other column out of the window.
        self.drug.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.drug.setMinimumContentsLength(12)
        self.lot.setMaxLength(40)
        self.clear()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(2 * unit())
        grid.setVerticalSpacing(unit())
        self._expires_row = FieldRow(self.tr("Expires on, again"), self.expires, hint=self.tr("Like 31 Dec 2027."))
        grid.addWidget(FieldRow(self.tr("Drug, again"), self.drug, hint=""), 0, 0)
        grid.addWidget(FieldRow(self.tr("Concentration, again"), self.concentration, hint=""), 0, 1)
        grid.addWidget(FieldRow(self.tr("Lot, again"), self.lot, hint=""), 1, 0)
        grid.addWidget(self._expires_row, 1, 1)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        self.drug.currentIndexChanged.connect(self._tell)
        self.concentration.valueChanged.connect(self._tell)
        self.lot.textChanged.connect(self._tell)
        self.expires.textChanged.connect(self._tell)
        self.lot.returnPressed.connect(self.expires.setFocus)

    def reading(self) -> LabelReading | None:
        """What was typed; ``None`` while a part is missing or cannot be read."""
        concentration, expires, lot = (
            self.concentration.value(),
            parse_day(self.expires.text()),
            self.lot.text().strip(),
        )
        if self.drug.currentIndex() < 0 or not concentration or expires is None or not lot:
            return None
        return LabelReading(str(self.drug.currentData()), Concentration.mcg_per_ml(concentration), lot, expires)

    def clear(self) -> None:
        """Empty every field."""
        self.drug.setCurrentIndex(-1)
        self.concentration.set_value(None)
        self.lot.clear()
        self.expires.clear()

    def _tell(self, _change: object = None) -> None:
        text = self.expires.text().strip()
        unreadable = bool(text) and parse_day(text) is None
        self._expires_row.show_remark(self.tr("Write the day like 31 Dec 2027.") if unreadable else "", unreadable)
        self.changed.emit()
