"""The pump bench."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.ui.bench.view_model import BenchViewModel
from app.ui.theme import set_role


class BenchView(QWidget):
    """The page."""

    def __init__(self, view_model: BenchViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self._empty = QLabel(view_model.why_not)
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        set_role(self._empty, "muted")
        column = QVBoxLayout(self)
        column.addWidget(self._empty)
        view_model.changed.connect(self._refresh)

    def _refresh(self) -> None:
        self._empty.setText(self._view_model.why_not or self._view_model.title)
