"""Signing: a program becomes an order, read once more as it would be sent, named, bounded, and held.

Law: nothing is preset but what the physician saw; the daily dose is typed again, and only holding the button signs.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.services.prescribing import Reviewed
from app.ui.dates import DAY_HINT, parse_day
from app.ui.dose_field import DoseField
from app.ui.form import FieldRow
from app.ui.hold_button import HoldButton
from app.ui.schedule.view_model import ScheduleViewModel
from app.ui.theme import Scale, set_role, set_type, unit


class SignDialog(QDialog):
    """Asks for a name, the nurse's range, the last day and the daily dose; ``accepted`` once it is signed."""

    def __init__(self, view_model: ScheduleViewModel, reviewed: Reviewed, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self._reviewed = reviewed
        self.name = QLineEdit()
        self.range = DoseField("%", 0, 2, scale=Scale.BODY)
        self.until = QLineEdit()
        self.dose = DoseField("mcg/day", 3, 5, scale=Scale.LEAD)
        self.sign = HoldButton(self.tr("Hold to sign as {0}").format(view_model.signer))
        self.stay = QPushButton(self.tr("&Go back"))
        self._said = QLabel()
        self._rows: dict[str, FieldRow] = {}
        self.setWindowTitle(self.tr("Sign the program"))
        self._lay_out()
        self.stay.clicked.connect(self.reject)
        self.sign.held.connect(self._try)

    def _lay_out(self) -> None:
        title = QLabel(self.tr("Sign this program"))
        set_type(title, Scale.LEAD, strong=True)
        sentence, digest = QLabel(self._reviewed.sentence), QLabel(_grouped(self._reviewed.wire_digest))
        for words in (sentence, digest, self._said):
            words.setWordWrap(True)
            words.setTextFormat(Qt.TextFormat.PlainText)
        set_role(digest, "muted")
        set_role(self._said, "error")
        grid = QGridLayout()
        grid.setHorizontalSpacing(3 * unit())
        grid.setVerticalSpacing(unit())
        for place, (key, label, field, hint) in enumerate(
            (
                ("name", self.tr("&Name of the program"), self.name, self.tr("Like: nights lower.")),
                ("until", self.tr("&Valid until"), self.until, DAY_HINT),
                ("range", self.tr("&Range for the nurse, either way"), self.range, self.tr("0: exactly this.")),
                ("dose", self.tr("&Daily dose, typed again"), self.dose, ""),
            )
        ):
            self._rows[key] = FieldRow(label, field, hint=hint)
            grid.addWidget(self._rows[key], place // 2, place % 2)
        buttons = QHBoxLayout()
        self.stay.setAutoDefault(False)
        buttons.addWidget(self.stay)
        buttons.addStretch(1)
        buttons.addWidget(self.sign)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(3 * unit(),) * 4)
        column.setSpacing(2 * unit())
        for widget in (title, sentence, digest):
            column.addWidget(widget)
        column.addLayout(grid)
        column.addWidget(self._said)
        column.addLayout(buttons)
        self.setMinimumWidth(84 * unit())

    def _try(self) -> None:
        """Sign, or say beside the first field that is not right why it is not."""
        until, percent, dose = parse_day(self.until.text()), self.range.value(), self.dose.value()
        wanted = self._view_model.daily_dose
        wrong_dose = self.tr("This is not the daily dose on the board. Look at the figures again.")
        for key, good, words in (
            ("name", bool(self.name.text().strip()), self.tr("Give the program a name.")),
            ("until", until is not None, self.tr("Type the last day on which it counts. {0}").format(DAY_HINT)),
            ("range", percent is not None, self.tr("Type the range in per cent, 0 for none.")),
            ("dose", dose is not None and dose == wanted, wrong_dose),
        ):
            self._rows[key].show_remark("" if good else words, not good)
            if not good:
                self._rows[key].field.setFocus()
                return
        assert until is not None and percent is not None
        self._sign(until, percent)

    def _sign(self, until: date, percent: Fraction) -> None:
        problem = self._view_model.sign(self._reviewed, self.name.text().strip(), percent, until)
        self._said.setText(problem)
        if not problem:
            self.accept()


def _grouped(digest: str) -> str:
    return " ".join(digest[place : place + 8] for place in range(0, len(digest), 8))
