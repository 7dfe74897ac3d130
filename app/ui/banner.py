"""Whose pump this is: the same facts, in the same order, at the same place on every page.

Law: the banner never shows a fact of one patient beside a fact of another; it is filled as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

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
        self._facts = QWidget()
        self._lay_out()
        self.show_emulated(False)
        self.show_identity(None)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * unit(), unit(), 2 * unit(), unit())
        row.setSpacing(2 * unit())
        facts = QHBoxLayout(self._facts)
        facts.setContentsMargins(0, 0, 0, 0)
        facts.setSpacing(2 * unit())
        for key, caption, widest in _CELLS:
            cell = self._cell(key, self.tr(caption), strong=key in ("name", "dose"))
            facts.addLayout(cell, 0 if widest else 1)
            if widest:
                value = self._values[key]
                value.setFixedWidth(value.fontMetrics().horizontalAdvance(widest))
        facts.addWidget(self._state, 0, Qt.AlignmentFlag.AlignVCenter)
        set_type(self._nobody, Scale.LEAD)
        set_role(self._nobody, "muted")
        row.addWidget(self._facts, 1)
        row.addWidget(self._nobody, 1)
        row.addWidget(self._emulated, 0, Qt.AlignmentFlag.AlignVCenter)

    def _cell(self, key: str, caption: str, *, strong: bool) -> QVBoxLayout:
        above, value = QLabel(caption), ElidedLabel()
        set_role(above, "muted")
        set_type(value, Scale.LEAD, strong=strong)
        value.setAccessibleName(caption)
        self._values[key] = value
        cell = QVBoxLayout()
        cell.setSpacing(0)
        cell.addWidget(above)
        cell.addWidget(value)
        return cell

    def show_identity(self, identity: Identity | None) -> None:
        """Show a patient with the pump, or nobody."""
        for key, value in self._values.items():
            value.setText((getattr(identity, key) or UNKNOWN) if identity else "")
        if identity:
            self._state.set_mark(identity.state_mark, word=identity.state or UNKNOWN)
        self._facts.setVisible(identity is not None)
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
