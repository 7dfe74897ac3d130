"""The worklist: who must be seen, the most urgent first.

Law: a row says by word, sign and place how urgent it is; Return opens it, and typing anywhere searches.
"""

from __future__ import annotations

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.services.attention import AppointmentState
from app.services.therapy import Urgency
from app.ui import icons
from app.ui.form import add_field
from app.ui.state_mark import Mark, StateMark
from app.ui.theme import Scale, current_theme, font, set_role, set_type, unit
from app.ui.worklist.task_list import TaskPanel
from app.ui.worklist.view_model import MARKS, Line, WorklistViewModel

_COLUMNS = ("Refill by", "", "Name", "High risk", "Born", "Number", "Drug", "Daily dose", "Left now", "Appointment")
_DUE, _NAME, _RISK, _APPOINTMENT = 1, 2, 3, 9
_RIGHT = {7, 8}
_APPOINTMENT_MARKS = {
    AppointmentState.NONE: Mark.TASK,
    AppointmentState.MISSED: Mark.TASK,
    AppointmentState.LATE: Mark.CONFIRM,
    AppointmentState.AWAY: Mark.CONFIRM,
}


class WorklistModel(QAbstractTableModel):
    """The lines as a table."""

    def __init__(self, view_model: WorklistViewModel) -> None:
        super().__init__()
        self._lines: list[Line] = list(view_model.lines)

    def show(self, lines: list[Line]) -> None:
        """Show other lines."""
        self.beginResetModel()
        self._lines = lines
        self.endResetModel()

    def line(self, row: int) -> Line:
        return self._lines[row]

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._lines)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(_COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _COLUMNS[section]
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return None

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        line, column = self._lines[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return _texts(line)[column]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{_COLUMNS[column] or 'Due'}: {_texts(line)[column]}"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.ToolTipRole and column in (_NAME, _RISK):
            return line.name if column == _NAME else line.all_risks
        if role == Qt.ItemDataRole.FontRole and column in (0, _NAME):
            return font(Scale.LEAD if column == 0 else Scale.BODY, strong=True)
        if role == Qt.ItemDataRole.ForegroundRole and not line.is_found:
            return QColor(current_theme().muted)
        if role == Qt.ItemDataRole.DecorationRole:
            return _sign(line, column)
        return None


def _texts(line: Line) -> tuple[str, ...]:
    name = line.name if line.is_found else f"{line.name} · not searched for"
    return (
        line.refill_by, line.due, name, line.risks, line.born, line.number, line.drug, line.dose, line.reservoir,
        line.appointment,
    )  # fmt: skip


def _sign(line: Line, column: int) -> object:
    """The sign before how urgent it is, and before an appointment that does not serve."""
    mark = MARKS[line.urgency] if column == _DUE else None
    if column == _APPOINTMENT and line.urgency is not Urgency.UNKNOWN:
        mark = _APPOINTMENT_MARKS.get(line.appointment_state)
    if mark is None:
        return None
    return icons.pixmap(mark.sign, _colour(line) if column == _DUE else current_theme().text, _sign_side(), ratio=2)


def _sign_side() -> int:
    return round(1.6 * unit())


def _colour(line: Line) -> str:
    theme = current_theme()
    return theme.error if MARKS[line.urgency] is Mark.BLOCK else theme.text


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in _RIGHT else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


class _Table(QTableView):
    """A table whose rows are opened with Return, and that passes letters on to the search."""

    opened = Signal(int)
    typed = Signal(str)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.opened.emit(self.currentIndex().row())
        elif event.text().strip() and not event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier:
            self.typed.emit(event.text())
        else:
            super().keyPressEvent(event)


class WorklistView(QWidget):
    """The page."""

    patientChosen = Signal(str)
    visitChosen = Signal(str)
    emergencyWanted = Signal()
    """Somebody wants the emergency sheet of :meth:`chosen_patient`."""

    def __init__(self, view_model: WorklistViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self._model = WorklistModel(view_model)
        self._search = QLineEdit()
        self._table = _Table()
        self._summary = QLabel()
        self._empty = QLabel(self.tr("Nobody is found. Clear the search to see all patients of the clinic."))
        self._visits = QVBoxLayout()
        self.emergency = QPushButton()
        self._lay_out()
        self._search.textChanged.connect(view_model.search)
        self._search.returnPressed.connect(self._open_first)
        self._table.opened.connect(self._open)
        self._table.typed.connect(self._type_on)
        self._table.clicked.connect(self._open_index)
        self.emergency.clicked.connect(self.emergencyWanted)
        self._table.selectionModel().currentRowChanged.connect(self._name_emergency)
        view_model.changed.connect(self._refresh)

    def _lay_out(self) -> None:
        title = QLabel(self.tr("Worklist"))
        set_type(title, Scale.TITLE, strong=True)
        set_role(self._summary, "muted")
        set_role(self._empty, "muted")
        head = QHBoxLayout()
        titles = QVBoxLayout()
        titles.addWidget(title)
        titles.addWidget(self._summary)
        head.addLayout(titles, 1)
        finder = QVBoxLayout()
        self._search.setPlaceholderText(self.tr("Name, number or pump serial"))
        self._search.setMinimumWidth(40 * unit())
        add_field(finder, self.tr("&Search"), self._search, hint="")
        head.addLayout(finder)
        set_role(self.emergency, "danger")
        self.emergency.setAutoDefault(False)
        self.emergency.setFixedWidth(34 * unit())
        head.addWidget(self.emergency)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * unit(), 2 * unit(), 3 * unit(), unit())
        column.setSpacing(unit())
        column.addLayout(head)
        column.addLayout(self._visits)
        column.addWidget(TaskPanel(self._view_model.tasks))
        column.addWidget(self._table, 1)
        column.addWidget(self._empty)
        self.setFocusProxy(self._table)
        self._dress_table()

    def chosen_patient(self) -> str:
        """The id of the patient whose line is chosen, empty where nobody is on the list."""
        row = self._table.currentIndex().row()
        return self._model.line(row).patient_id if 0 <= row < self._model.rowCount() else ""

    def _name_emergency(self) -> None:
        """Whose sheet the red button opens stands on it."""
        row = self._table.currentIndex().row()
        name = self._model.line(row).name if 0 <= row < self._model.rowCount() else ""
        caption, metrics = self.tr("Emergency: {0}"), self.emergency.fontMetrics()
        room = self.emergency.width() - 6 * unit() - metrics.horizontalAdvance(caption.format(""))
        shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room)
        self.emergency.setText(caption.format(shown.replace("&", "&&")))
        self.emergency.setToolTip(self.tr("Emergency sheet of {0} (Ctrl+E)").format(name))
        self.emergency.setAccessibleName(self.tr("Emergency sheet of {0}").format(name))
        self.emergency.setEnabled(bool(name))

    def search_field(self) -> QLineEdit:
        """Where the search is typed."""
        return self._search

    def _dress_table(self) -> None:
        table = self._table
        table.setModel(self._model)
        table.setAccessibleName(self.tr("Patients, the most urgent first"))
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        table.setWordWrap(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(4 * unit())
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)

    def _refresh(self) -> None:
        self._model.show([*self._view_model.lines, *self._view_model.past_due])
        self._summary.setText(self._view_model.summary())
        self._empty.setVisible(not self._view_model.lines)
        if self._model.rowCount():
            self._table.selectRow(0)
        self._name_emergency()
        self._show_open_visits()

    def _show_open_visits(self) -> None:
        while self._visits.count():
            item = self._visits.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for visit in self._view_model.open_visits:
            card = _OpenVisitCard(visit.sentence, visit.visit_id)
            card.chosen.connect(self.visitChosen)
            self._visits.addWidget(card)

    def _open(self, row: int) -> None:
        self.patientChosen.emit(self._model.line(row).patient_id)

    def _open_index(self, index: QModelIndex) -> None:
        self._open(index.row())

    def _open_first(self) -> None:
        """Open the first who is found; one who only stands there because the refill is late is not meant."""
        if self._view_model.lines:
            self._open(0)

    def _type_on(self, text: str) -> None:
        self._search.setFocus()
        self._search.insert(text)


class _OpenVisitCard(QFrame):
    """An interrupted visit, and the way back to it."""

    chosen = Signal(str)

    def __init__(self, sentence: str, visit_id: str) -> None:
        super().__init__()
        self._visit_id = visit_id
        set_role(self, "card")
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * unit(), unit(), 2 * unit(), unit())
        row.setSpacing(2 * unit())
        words = QLabel(sentence)
        words.setTextFormat(Qt.TextFormat.PlainText)
        words.setWordWrap(True)
        go_on = QPushButton(self.tr("Go on with this visit"))
        go_on.setAccessibleDescription(sentence)
        go_on.clicked.connect(self._emit)
        row.addWidget(StateMark(Mark.TASK, word=self.tr("Open visit")))
        row.addWidget(words, 1)
        row.addWidget(go_on)

    def _emit(self) -> None:
        self.chosen.emit(self._visit_id)
