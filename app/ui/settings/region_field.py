"""The country and region whose public holidays this clinic keeps.

Law: choosing changes nothing; the verb beside it keeps the choice. Without one only weekends are free, and it is said.
"""

from __future__ import annotations

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.models.errors import AppError
from app.models.working_days import UnknownRegionError
from app.services.working_days import WorkingDays
from app.ui.form import FieldRow
from app.ui.settings.words import problem_words
from app.ui.theme import unit


class RegionField(QWidget):
    """Two lists and a verb. The lists are filled when they are first shown, for that loads all countries."""

    def __init__(self, days: WorkingDays, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._days = days
        self.country = QComboBox()
        self.part = QComboBox()
        for box in (self.country, self.part):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(14)
        self.keep = QPushButton(self.tr("Kee&p"))
        self.keep.setAutoDefault(False)
        self.keep.setAccessibleName(self.tr("Keep country and region"))
        self.row = FieldRow(self.tr("C&ountry for public holidays"), self.country, hint="")
        self.part_row = FieldRow(self.tr("Re&gion"), self.part, hint="")
        boxes = QHBoxLayout()
        boxes.setSpacing(2 * unit())
        boxes.addWidget(self.row, 1)
        boxes.addWidget(self.part_row, 1)
        buttons = QHBoxLayout()
        buttons.addWidget(self.keep)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(unit() // 2)
        column.addLayout(boxes)
        column.addLayout(buttons)
        self.country.currentIndexChanged.connect(self._show_parts)
        self.part.currentIndexChanged.connect(self._judge)
        self.keep.clicked.connect(self._keep)

    def showEvent(self, event: QShowEvent) -> None:
        if not self.country.count():
            self._fill()
        super().showEvent(event)

    def _fill(self) -> None:
        self.country.addItem(self.tr("None, weekends only"), "")
        for region in self._days.countries():
            self.country.addItem(region.title, region.code)
        kept = self._days.region or ""
        self.country.setCurrentIndex(max(0, self.country.findData(kept.partition("-")[0])))
        self.part.setCurrentIndex(max(0, self.part.findData(kept)))
        self._judge()
        if self._days.trouble is not None:
            self._say_trouble(self._days.trouble)

    def _show_parts(self, _index: int = 0) -> None:
        country = self.country.currentData() or ""
        self.part.blockSignals(True)
        self.part.clear()
        self.part.addItem(self.tr("The whole country"), country)
        for region in self._days.regions(country) if country else ():
            self.part.addItem(region.title, region.code)
        self.part.blockSignals(False)
        self.part.setEnabled(self.part.count() > 1)
        self._judge()

    def chosen(self) -> str | None:
        """The code that is chosen in the lists, kept or not."""
        return self.part.currentData() or None

    def _judge(self, _index: int = 0) -> None:
        self.keep.setEnabled(self.chosen() != self._days.region)
        words = self.tr("Refills are proposed on working days.")
        if self._days.region is None:
            words = self.tr("Now only weekends count as free.")
        self.row.show_remark(words)

    def _keep(self) -> None:
        try:
            self._days.choose(self.chosen())
        except AppError as error:
            self._say_trouble(error)
            return
        self._judge()

    def _say_trouble(self, error: AppError) -> None:
        words = problem_words(error)
        if isinstance(error, UnknownRegionError):
            words = self.tr("Choose again: no holidays are known for {0}.").format(error.values["code"])
        self.row.show_remark(words, True)
