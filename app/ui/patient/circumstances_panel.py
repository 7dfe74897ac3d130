"""Below the figures of a patient: what is to be done, and what would make an interruption worse.

Law: this only shows; the button beside it opens the dialog in which it is changed.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.ui.state_mark import Mark, StateMark
from app.ui.theme import Scale, set_role, set_type, unit


def todo_column(sentences: Sequence[str], *, most: int = 4) -> QWidget:
    """What is to be done, the most urgent first; ``most`` of them, and how many more there are."""
    widget, column = _column()
    head = QHBoxLayout()
    head.addWidget(_heading(widget.tr("To do"), widget))
    if sentences:
        head.addWidget(StateMark(Mark.TASK, word=str(len(sentences))))
    head.addStretch(1)
    column.addLayout(head)
    for sentence in sentences[:most]:
        column.addWidget(_words(sentence, widget))
    if len(sentences) > most:
        column.addWidget(_words(widget.tr("And {0} more.").format(len(sentences) - most), widget, muted=True))
    if not sentences:
        column.addWidget(_words(widget.tr("Nothing."), widget, muted=True))
    column.addStretch(1)
    return widget


def circumstances_column(risks: str, absences: Sequence[str], change: QPushButton) -> QWidget:
    """Why an interruption would be worse, when the patient is away, and the button to change either."""
    widget, column = _column()
    head = QHBoxLayout()
    head.addWidget(_heading(widget.tr("Risks and absences"), widget))
    head.addStretch(1)
    head.addWidget(change)
    column.addLayout(head)
    if risks:
        column.addWidget(StateMark(Mark.CONFIRM, word=widget.tr("High risk")), 0, Qt.AlignmentFlag.AlignLeft)
    column.addWidget(_words(risks or widget.tr("No high risk is known."), widget, muted=not risks))
    for absence in absences:
        column.addWidget(_words(widget.tr("Away {0}").format(absence), widget))
    column.addStretch(1)
    return widget


def _column() -> tuple[QWidget, QVBoxLayout]:
    widget = QWidget()
    column = QVBoxLayout(widget)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(unit())
    return widget, column


def _heading(text: str, parent: QWidget) -> QLabel:
    heading = QLabel(text, parent)
    set_type(heading, Scale.LEAD, strong=True)
    return heading


def _words(text: str, parent: QWidget, *, muted: bool = False) -> QLabel:
    words = QLabel(text, parent)
    words.setWordWrap(True)
    words.setTextFormat(Qt.TextFormat.PlainText)
    set_role(words, "muted" if muted else "")
    return words
