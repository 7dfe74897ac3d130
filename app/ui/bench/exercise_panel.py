"""The exercises: a list of recalls, and for the chosen one what happened, what to do and what to look for.

Law: choosing only shows; nothing is set up but by the button.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QLabel, QListWidget, QPushButton, QVBoxLayout, QWidget

from app.models.exercises import Exercise
from app.ui.bench.modest_area import ModestArea
from app.ui.bench.view_model import BenchViewModel
from app.ui.theme import Scale, set_role, set_type, unit

_FIGURE_SPACE = "\u2007"
_WIDEST = len("R-00")


class ExercisePanel(QWidget):
    """List above, exercise below."""

    def __init__(self, view_model: BenchViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self.list = _List()
        self.set_up = QPushButton(self.tr("Set &up this exercise"))
        self._title = QLabel()
        self._texts = {name: QLabel() for name in ("story", "source", "task", "look_for")}
        self._lay_out()
        self.list.currentRowChanged.connect(self._choose)
        self.set_up.clicked.connect(self._set_up)
        for exercise in view_model.exercises:
            self.list.addItem(f"{exercise.id.ljust(_WIDEST, _FIGURE_SPACE)}   {exercise.title}")
        self.list.setCurrentRow(0)

    def _lay_out(self) -> None:
        label = QLabel(self.tr("&Recalls and notices"))
        label.setBuddy(self.list)
        set_role(label, "muted")
        self.list.setAccessibleName(self.tr("Recalls and notices"))
        self.list.setMinimumHeight(10 * unit())
        self.set_up.setAutoDefault(False)
        set_role(self.set_up, "primary")
        column = QVBoxLayout(self)
        column.setContentsMargins(unit(), unit(), unit(), unit())
        column.setSpacing(unit() // 2)
        column.addWidget(label)
        column.addWidget(self.list, 2)
        column.addSpacing(unit())
        column.addWidget(self._detail(), 5)
        column.addWidget(self.set_up, 0, Qt.AlignmentFlag.AlignLeft)

    def _detail(self) -> ModestArea:
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, unit(), 0)
        column.setSpacing(unit() // 2)
        set_type(self._title, Scale.LEAD, strong=True)
        self._title.setWordWrap(True)
        column.addWidget(self._title)
        captions = {"task": self.tr("What to do"), "look_for": self.tr("What to look for")}
        for name, text in self._texts.items():
            if name in captions:
                caption = QLabel(captions[name])
                set_type(caption, Scale.BODY, strong=True)
                column.addSpacing(unit() // 2)
                column.addWidget(caption)
            text.setWordWrap(True)
            text.setTextFormat(Qt.TextFormat.PlainText)
            column.addWidget(text)
        set_role(self._texts["source"], "muted")
        column.addStretch(1)
        area = ModestArea(body, least=14 * unit())
        area.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setAccessibleName(self.tr("The chosen exercise"))
        return area

    def chosen(self) -> Exercise | None:
        """The exercise that is shown."""
        row = self.list.currentRow()
        return self._view_model.exercises[row] if 0 <= row < len(self._view_model.exercises) else None

    def _choose(self, _row: int) -> None:
        exercise = self.chosen()
        if exercise is None:
            return
        self._title.setText(f"{exercise.id}   {exercise.title}")
        texts = {
            "story": exercise.story,
            "source": self.tr("{0}. Source: {1}.").format(exercise.when, exercise.source),
            "task": exercise.task,
            "look_for": exercise.look_for,
        }
        for name, text in texts.items():
            self._texts[name].setText(text)

    def text(self, name: str) -> str:
        """One of the texts as it stands on the page: ``story``, ``source``, ``task`` or ``look_for``."""
        return self._texts[name].text()

    def _set_up(self) -> None:
        exercise = self.chosen()
        if exercise is not None:
            self._view_model.set_up(exercise)


class _List(QListWidget):
    """A list that asks for no more room than it needs."""

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self.minimumHeight())
