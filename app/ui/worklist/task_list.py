"""What is to be done, above the patients: the most urgent first, each with the way to say that it is done.

Law: without tasks it takes no room, and with many no more than a few lines; overdue is a sign and a word.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.ui.elided_label import ElidedLabel
from app.ui.form import FieldRow, add_field
from app.ui.state_mark import StateMark
from app.ui.theme import Scale, set_role, set_type, unit
from app.ui.worklist.task_list_view_model import TaskLine, TaskListViewModel

_LINES_AT_ONCE = 3


class TaskPanel(QFrame):
    """The open tasks; hidden while there are none."""

    def __init__(self, view_model: TaskListViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self._summary = QLabel()
        self._area = QScrollArea()
        self.buttons: list[QPushButton] = []
        set_role(self, "card")
        set_type(self._summary, Scale.BODY, strong=True)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.viewport().setAutoFillBackground(False)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setAccessibleName(self.tr("Tasks, the most urgent first"))
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * unit(), unit(), 2 * unit(), unit())
        column.setSpacing(unit() // 2)
        column.addWidget(self._summary)
        column.addWidget(self._area)
        view_model.changed.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        lines = self._view_model.lines
        self._summary.setText(self._view_model.summary())
        self.buttons = []
        rows = QWidget()
        grid = QGridLayout(rows)
        grid.setContentsMargins(0, 0, unit(), 0)
        grid.setHorizontalSpacing(2 * unit())
        grid.setVerticalSpacing(unit() // 2)
        grid.setColumnStretch(3, 1)
        for place, line in enumerate(lines):
            self._add(grid, place, line)
        self._area.setWidget(rows)
        rows.setAutoFillBackground(False)
        self._fit(grid.verticalSpacing(), len(lines))
        self.setVisible(bool(lines))

    def _fit(self, spacing: int, lines: int) -> None:
        """Be as high as the lines that are shown at once; the others are scrolled to."""
        for button in self.buttons:
            button.ensurePolished()
        line = max((button.sizeHint().height() for button in self.buttons), default=0)
        shown = min(lines, _LINES_AT_ONCE)
        ring = 2 * max(3, unit() // 3)
        self._area.setFixedHeight(max(0, shown * (line + spacing) - spacing) + ring)

    def _add(self, grid: QGridLayout, place: int, line: TaskLine) -> None:
        day, who, what = QLabel(line.day), ElidedLabel(line.patient), ElidedLabel(line.sentence)
        set_role(day, "muted")
        set_type(who, Scale.BODY, strong=True)
        who.setMaximumWidth(28 * unit())
        done = QPushButton(self.tr("Done…"))
        set_role(done, "compact")
        done.setAutoDefault(False)
        done.setAccessibleName(self.tr("Done: {0}, {1}").format(line.patient, line.sentence))
        done.clicked.connect(lambda: self._ask(line))
        self.buttons.append(done)
        grid.addWidget(StateMark(line.mark, word=line.due), place, 0, Qt.AlignmentFlag.AlignVCenter)
        for column, widget in enumerate((day, who, what, done), start=1):
            grid.addWidget(widget, place, column)

    def _ask(self, line: TaskLine) -> None:
        dialog = TaskDoneDialog(self._view_model, line, self.window())
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
        dialog.note.setFocus()


class TaskDoneDialog(QDialog):
    """Asks what came of a task; accepted once that is on record."""

    def __init__(self, view_model: TaskListViewModel, line: TaskLine, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self._line = line
        self.note = QLineEdit()
        self.note.setMaxLength(500)
        self.back, self.save = QPushButton(self.tr("&Go back")), QPushButton(self.tr("It is &done"))
        self.setWindowTitle(self.tr("Task"))
        title, words = QLabel(line.patient), QLabel(line.sentence)
        set_type(title, Scale.LEAD, strong=True)
        for label in (title, words):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        mark = QHBoxLayout()
        mark.addWidget(StateMark(line.mark, word=line.due))
        mark.addWidget(QLabel(line.day))
        mark.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(3 * unit(),) * 4)
        column.setSpacing(2 * unit())
        column.addWidget(title)
        column.addLayout(mark)
        column.addWidget(words)
        hint = self.tr("At least {0} characters.").format(view_model.shortest_note())
        self.row: FieldRow = add_field(column, self.tr("What &came of it"), self.note, hint=hint)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (self.back, self.save):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        set_role(self.save, "primary")
        column.addLayout(buttons)
        self.setMinimumWidth(64 * unit())
        self.note.textEdited.connect(lambda _text: self.row.show_remark(""))
        self.back.clicked.connect(self.reject)
        self.save.clicked.connect(self._try)

    def _try(self) -> None:
        problem = self._view_model.done(self._line.task, self.note.text())
        self.row.show_remark(problem, bool(problem))
        if problem:
            self.note.setFocus()
        else:
            self.accept()
