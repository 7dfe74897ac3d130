"""The history of a patient's programs: drafts, orders and what was in the pump, and what can be done with them.

Law: choosing shows, and nothing more; a version goes on the board, ends or is printed only by its own button.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.services.prescribing import Version
from app.ui.hold_button import HoldButton
from app.ui.schedule.difference_dialog import DifferenceDialog
from app.ui.schedule.history_view_model import HistoryViewModel
from app.ui.schedule.version_list import VersionList
from app.ui.schedule.view_model import ScheduleViewModel
from app.ui.theme import Scale, set_role, set_type, unit


class HistoryPanel(QWidget):
    """The list, and below it what may be done with what is chosen."""

    def __init__(self, schedule: ScheduleViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view_model = HistoryViewModel(schedule, self)
        self.list = VersionList()
        self.put = QPushButton(self.tr("Put on the board"))
        self.compare = QPushButton(self.tr("Compare…"))
        self.print = QPushButton(self.tr("Print…"))
        self.withdraw = HoldButton(self.tr("Hold to withdraw"))
        self.path = QLineEdit()
        self._hint, self._said = QLabel(), QLabel()
        self._lay_out()
        self._connect(schedule)

    def _lay_out(self) -> None:
        for label in (self._hint, self._said):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            set_role(label, "muted")
        self.path.setReadOnly(True)
        self.path.setAccessibleName(self.tr("Where the plan was saved"))
        set_type(self.withdraw, Scale.BODY, strong=True)
        buttons = QGridLayout()
        buttons.setSpacing(unit() // 2)
        for button, places in ((self.put, (0, 0, 1, 2)), (self.compare, (1, 0, 1, 1)), (self.print, (1, 1, 1, 1))):
            button.setAutoDefault(False)
            buttons.addWidget(button, *places)
        buttons.addWidget(self.withdraw, 2, 0, 1, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, unit(), 0, 0)
        column.setSpacing(unit())
        column.addWidget(self.list, 1)
        for label in (self._hint, self._said):
            column.addWidget(label)
        column.addWidget(self.path)
        column.addLayout(buttons)

    def _connect(self, schedule: ScheduleViewModel) -> None:
        schedule.recorded.connect(self._look_again)
        self.view_model.changed.connect(self._refresh)
        self.list.chosen.connect(self._show_choice)
        self.put.clicked.connect(self._put)
        self.compare.clicked.connect(self._compare)
        self.print.clicked.connect(self._print)
        self.withdraw.held.connect(self._withdraw)

    def showEvent(self, event: QShowEvent) -> None:
        """The record is read only while somebody looks at it."""
        super().showEvent(event)
        self._say("")
        self.view_model.refresh()

    def _look_again(self) -> None:
        if self.isVisible():
            self._say("")
            self.view_model.refresh()

    # -- showing ---------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        self.list.show_entries(self.view_model.entries)

    def _show_choice(self) -> None:
        versions, model = self.list.chosen_versions(), self.view_model
        one = versions[0] if len(versions) == 1 else None
        self.put.setEnabled(one is not None)
        self.compare.setEnabled(len(versions) == 2)
        self.print.setEnabled(one is not None and model.may_print(one))
        self.withdraw.setVisible(one is not None and model.may_withdraw(one))
        self._hint.setText(model.why_not or self._advice(len(versions)))
        self._hint.setVisible(bool(self._hint.text()))

    def _advice(self, count: int) -> str:
        if count == 1:
            return self.tr("With Ctrl choose a second one to compare it with.")
        if count > 2:
            return self.tr("Choose one, or two to compare.")
        return "" if count == 2 else self.tr("Choose a version; with Ctrl a second one to compare.")

    def _say(self, words: str, *, is_error: bool = False, path: str = "") -> None:
        set_role(self._said, "error" if is_error else "muted")
        self._said.setText(words)
        self._said.setVisible(bool(words))
        self.path.setText(path)
        self.path.setVisible(bool(path))

    # -- doing -----------------------------------------------------------------------------------------------

    def _one(self) -> Version | None:
        versions = self.list.chosen_versions()
        return versions[0] if len(versions) == 1 else None

    def _put(self) -> None:
        version = self._one()
        if version is not None:
            self.view_model.put_on_board(version)
            self._say(self.tr("On the board: {0}. Undo takes it back.").format(version.name))

    def _compare(self) -> None:
        versions = self.list.chosen_versions()
        if len(versions) != 2:
            return
        new, old = (entry for entry in self.view_model.entries if entry.version in versions)
        rows = self.view_model.difference(old.version, new.version)
        if rows:
            DifferenceDialog(old, new, rows, self).open()

    def _print(self) -> None:
        version = self._one()
        if version is None:
            return
        problem, path = self.view_model.print_plan(version)
        self._say(problem or self.tr("Saved as a PDF file:"), is_error=bool(problem), path=str(path or ""))

    def _withdraw(self) -> None:
        version = self._one()
        if version is not None:
            problem = self.view_model.withdraw(version)
            self._say(problem or self.tr("Withdrawn: {0}.").format(version.name), is_error=bool(problem))
