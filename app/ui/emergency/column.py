"""One column of the emergency sheet: signs to tick, what they come to, and what to do.

Law: the signs that make an emergency of it stand apart under their own words; every dose is written out, and what was
not verified says so.
"""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.models.emergency import Danger, Measure, Sign, Toxidrome
from app.ui.emergency.view_model import EmergencyViewModel
from app.ui.state_mark import Mark, StateMark
from app.ui.theme import Scale, font, set_role, set_type, unit

_MARKS = {Danger.NONE: Mark.NOTE, Danger.POSSIBLE: Mark.CONFIRM, Danger.EMERGENCY: Mark.BLOCK}


class ToxidromeColumn(QFrame):
    """Overdose or withdrawal."""

    def __init__(self, view_model: EmergencyViewModel, found: Toxidrome, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self._found = found
        self.boxes: dict[str, QCheckBox] = {}
        self.mark = StateMark(Mark.NOTE, word=found.title, scale=Scale.LEAD)
        self._words = QLabel()
        set_role(self, "card")
        self.setAccessibleName(found.title)
        self._lay_out()
        view_model.ticksChanged.connect(self._refresh)
        self._refresh()

    def _lay_out(self) -> None:
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        set_type(self._words, Scale.BODY, strong=True)
        lines = self._words.fontMetrics().lineSpacing()
        self._words.setFixedHeight(3 * lines)
        self._words.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        column = QVBoxLayout(self)
        column.setContentsMargins(unit(), unit(), unit(), unit())
        column.setSpacing(unit() // 2)
        column.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._words)
        column.addLayout(self._signs())
        line = QFrame()
        set_role(line, "hairline")
        column.addWidget(line)
        for number, step in enumerate(self._found.steps, 1):
            column.addLayout(_step(str(number), step))
        for note in self._found.notes:
            column.addLayout(_step("", note))
        column.addStretch(1)

    def _signs(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, unit() // 2)
        grid.setHorizontalSpacing(unit())
        grid.setVerticalSpacing(0)
        for place, (grave, words) in enumerate(((False, self.tr("Possible")), (True, self.tr("EMERGENCY")))):
            head = QLabel(words)
            set_role(head, "error" if grave else "muted")
            set_type(head, Scale.BODY, strong=True)
            grid.addWidget(head, 0, place)
            for row, sign in enumerate((sign for sign in self._found.signs if sign.grave is grave), 1):
                grid.addWidget(self._box(sign), row, place)
            grid.setColumnStretch(place, 1)
        return grid

    def _box(self, sign: Sign) -> QCheckBox:
        box = QCheckBox(sign.name)
        unverified = "" if sign.verified else self.tr(" Unverified default.")
        described = f"{sign.detail[:1].upper()}{sign.detail[1:]}. {sign.hint} {sign.source}.{unverified}"
        box.setToolTip(" ".join(described.split()))
        box.setAccessibleName(f"{self._found.title}: {sign.name}")
        box.setAccessibleDescription(" ".join(described.split()))
        box.toggled.connect(lambda ticked, name=sign.name: self._view_model.tick(self._found, name, ticked))
        self.boxes[sign.name] = box
        return box

    def _refresh(self) -> None:
        ticked = self._view_model.ticked(self._found)
        for name, box in self.boxes.items():
            if box.isChecked() != (name in ticked):
                box.blockSignals(True)
                box.setChecked(name in ticked)
                box.blockSignals(False)
        danger = self._view_model.danger(self._found)
        word = {
            Danger.NONE: self._found.title,
            Danger.POSSIBLE: self.tr("Possible {0}").format(self._found.title.lower()),
            Danger.EMERGENCY: self.tr("EMERGENCY: {0}").format(self._found.title.lower()),
        }[danger]
        self.mark.set_mark(_MARKS[danger], word=word)
        hints = [sign.hint for sign in self._found.signs if sign.name in ticked and sign.hint]
        self._words.setText(" ".join((self._view_model.words(self._found), *hints)))
        self._words.setAccessibleName(self._words.text())
        set_role(self._words, "muted" if danger is Danger.NONE else "error" if danger is Danger.EMERGENCY else "")

    def said(self) -> str:
        """What the ticked signs come to, in words."""
        return f"{self.mark.accessibleName()}. {self._words.text()}"


def _step(number: str, measure: Measure) -> QHBoxLayout:
    """A number, what to do, and the dose in bold; the source is in the tooltip."""
    count, words = QLabel(number), QLabel(_rich(measure))
    set_type(count, Scale.LEAD, strong=True)
    count.setFixedWidth(2 * unit())
    words.setWordWrap(True)
    words.setTextFormat(Qt.TextFormat.RichText)
    set_role(words, "" if number else "muted")
    source = f"{measure.source}." + ("" if measure.verified else " Unverified default.")
    words.setToolTip(source)
    words.setAccessibleName(measure.sentence)
    words.setAccessibleDescription(source)
    row = QHBoxLayout()
    row.setSpacing(unit() // 2)
    row.addWidget(count, 0, Qt.AlignmentFlag.AlignTop)
    row.addWidget(words, 1, Qt.AlignmentFlag.AlignVCenter)
    return row


def _rich(measure: Measure) -> str:
    star = "" if measure.verified else "\u00a0*"
    if not measure.dose:
        return f"{escape(measure.text)}{star}"
    large = f"font-size: {font(Scale.LEAD).pointSizeF():.1f}pt; font-weight: 600"
    return f'{escape(measure.text)}: <span style="{large}">{escape(measure.dose)}</span>{star}'
