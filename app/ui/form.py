"""Labels, fields and what is said about them.

Law: no field stands in a window without a label above it, a buddy, an accessible name, and a place below
it where its error is written; all in one call.
"""

from __future__ import annotations

import re

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.ui import icons
from app.ui.dose_field import DoseField
from app.ui.theme import current_theme, set_role, unit


class FieldRow(QWidget):
    """One field: its label above, and below it the hint, or what there is to say instead."""

    def __init__(self, label: str, field: QWidget, *, hint: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self._hint = hint
        self._said = ""
        self._is_error = False
        self._label = QLabel(label)
        self._sign = QLabel()
        self._remark = QLabel(hint)
        self._lay_out()
        self._label.setBuddy(field)
        field.setAccessibleName(re.sub("&(.)", r"\1", label))
        self.show_remark("")
        if isinstance(field, DoseField):
            field.remarkChanged.connect(self.show_remark)
            field.originalChanged.connect(self._describe)

    def _lay_out(self) -> None:
        self._remark.setWordWrap(True)
        self._remark.setTextFormat(Qt.TextFormat.PlainText)
        self._remark.setMinimumHeight(self._remark.fontMetrics().height())
        self._sign.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        below = QHBoxLayout()
        below.setSpacing(unit() // 2)
        below.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        below.addWidget(self._remark, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(unit() // 2)
        column.addWidget(self._label)
        column.addWidget(self.field)
        column.addLayout(below)

    def show_remark(self, text: str, is_error: bool = False) -> None:
        """Write something under the field in place of its hint; empty text brings the hint back."""
        self._said, self._is_error = text, is_error
        self._remark.setText(text or self._hint)
        set_role(self._remark, "error" if is_error else "muted")
        self._draw_sign()
        self._describe()

    def remark(self) -> str:
        """What stands under the field now."""
        return self._remark.text()

    def _describe(self) -> None:
        """Say to a screen reader what the eye sees around the field."""
        parts = [self._hint, self._said]
        if isinstance(self.field, DoseField):
            parts.insert(0, self.field.unit())
            if self.field.original():
                parts.insert(1, self.tr("before: {0}").format(self.field.original()))
        sentences = (part if part[-1] in ".?" else f"{part}." for part in parts if part)
        self.field.setAccessibleDescription(" ".join(sentences))

    def _draw_sign(self) -> None:
        self._sign.setVisible(self._is_error)
        if self._is_error:
            side = self._remark.fontMetrics().height()
            ratio = self.devicePixelRatioF()
            self._sign.setPixmap(icons.pixmap("stop", current_theme().error, side, ratio=ratio))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "_sign"):
            self._draw_sign()


def add_field(layout: QBoxLayout, label: str, widget: QWidget, *, hint: str = "") -> FieldRow:
    """Add a field with its label to a layout, known to the keyboard and to screen readers."""
    row = FieldRow(label, widget, hint=hint)
    layout.addWidget(row)
    return row
