"""Whose pump this is: the same facts, in the same order, at the same place on every page.

Law: the banner never shows a fact of one patient beside a fact of another; it is filled as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.ui.elided_label import ElidedLabel
from app.ui.state_mark import Mark, StateMark
from app.ui.theme import Scale, set_role, set_type, unit

UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class Identity:
    """What the banner says, ready to be read; empty text is shown as a dash."""

    name: str
    born: str
    number: str
    serial: str
    drug: str
    dose: str
    state: str
    state_mark: Mark = Mark.NOTE


_CELLS = (
    ("name", "Name", ""),
    ("born", "Born", "28 Mar 2026"),
    ("number", "Number", "0000-00000"),
    ("serial", "Pump", "EMU-0000000"),
    ("drug", "Drug", "morphine 10000 mcg/mL"),
    ("dose", "Daily dose", "9999.9 mcg/day"),
)
"""Key, caption and the text that fixes the width; the name gets the rest."""
_ROOM_FOR_ONE_ROW, _LEAST_ROOM = 140, 70
"""How wide the banner must be for one row, and for two, in steps of the grid."""


class IdentityBanner(QFrame):
    """The banner on top of the window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "band")
        self.setAccessibleName(self.tr("Patient and pump"))
        self._values: dict[str, ElidedLabel] = {}
        self._state = StateMark(Mark.NOTE)
        self._emulated = StateMark(Mark.EMULATED)
        self._nobody = QLabel(self.tr("No patient is open."))
        self._facts, self._marks = QWidget(), QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._grid = QGridLayout(self._facts)
        self._cells: dict[str, QWidget] = {}
        self._narrow = False
        self._lay_out()
        self.show_emulated(False)
        self.show_identity(None)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * unit(), unit(), 2 * unit(), unit())
        row.setSpacing(2 * unit())
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(unit() // 2)
        for key, caption, widest in _CELLS:
            self._cells[key] = self._cell(key, self.tr(caption), strong=key in ("name", "dose"))
            if widest:
                value = self._values[key]
                value.setFixedWidth(value.fontMetrics().horizontalAdvance(widest))
        set_type(self._nobody, Scale.LEAD)
        set_role(self._nobody, "muted")
        row.addWidget(self._facts, 1)
        row.addWidget(self._nobody, 1)
        self._marks.setSpacing(unit())
        for mark in (self._state, self._emulated):
            self._marks.addWidget(mark, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addLayout(self._marks)
        self._arrange(narrow=False)

    def _arrange(self, *, narrow: bool) -> None:
        """All in one row; where that does not fit, the patient above and the pump below."""
        self._narrow = narrow
        while self._grid.count():
            self._grid.takeAt(0)
        for column in range(len(_CELLS)):
            self._grid.setColumnStretch(column, 0)
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._marks.setDirection(down if narrow else across)
        self._grid.setHorizontalSpacing(unit() if narrow else 2 * unit())
        if narrow:
            for place, key in enumerate(("name", "born", "number")):
                self._grid.addWidget(self._cells[key], 0, place)
            for place, key in enumerate(("drug", "dose", "serial")):
                self._grid.addWidget(self._cells[key], 1, place)
        else:
            for place, (key, _caption, _widest) in enumerate(_CELLS):
                self._grid.addWidget(self._cells[key], 0, place)
        self._grid.setColumnStretch(0, 1)
        self.updateGeometry()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = event.size().width() < _ROOM_FOR_ONE_ROW * unit()
        if narrow != self._narrow:
            self._arrange(narrow=narrow)

    def minimumSizeHint(self) -> QSize:
        """Room for two rows; a window as narrow as that may be had."""
        return QSize(_LEAST_ROOM * unit(), super().minimumSizeHint().height())

    def _cell(self, key: str, caption: str, *, strong: bool) -> QWidget:
        above, value = QLabel(caption), ElidedLabel()
        set_role(above, "muted")
        set_type(value, Scale.LEAD, strong=strong)
        value.setAccessibleName(caption)
        self._values[key] = value
        made = QWidget()
        cell = QVBoxLayout(made)
        cell.setContentsMargins(0, 0, 0, 0)
        cell.setSpacing(0)
        cell.addWidget(above)
        cell.addWidget(value)
        return made

    def show_identity(self, identity: Identity | None) -> None:
        """Show a patient with the pump, or nobody."""
        for key, value in self._values.items():
            value.setText((getattr(identity, key) or UNKNOWN) if identity else "")
        if identity:
            self._state.set_mark(identity.state_mark, word=identity.state or UNKNOWN)
        self._facts.setVisible(identity is not None)
        self._state.setVisible(identity is not None)
        self._nobody.setVisible(identity is None)
        self.setAccessibleDescription(self._spoken(identity))

    def show_emulated(self, emulated: bool) -> None:
        """The standing mark of an emulated pump; no setting hides it."""
        self._emulated.setVisible(emulated)

    def _spoken(self, identity: Identity | None) -> str:
        if identity is None:
            return self._nobody.text()
        words = [str(getattr(identity, field.name)) for field in fields(identity) if field.type == "str"]
        return ", ".join(word for word in words if word)
