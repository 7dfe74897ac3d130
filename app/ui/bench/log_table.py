"""The pump's log as a table, the newest line first.

Law: times are the pump's own clock, and a code without a name is shown by its number.
"""

from __future__ import annotations

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from app.models.bench import BenchEvent
from app.ui.bench.words import event_value, event_words, translated
from app.ui.dates import show_moment
from app.ui.theme import unit

_COLUMNS = ("No.", "Pump's clock", "Event", "Value")
_RIGHT = {0, 3}


class LogModel(QAbstractTableModel):
    """The events as a table."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._events: tuple[BenchEvent, ...] = ()

    def show(self, events: tuple[BenchEvent, ...]) -> None:
        """Show other events; the same ones leave the cursor where it is."""
        if events == self._events:
            return
        self.beginResetModel()
        self._events = events
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._events)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(_COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return translated(_COLUMNS[section])
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return None

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.DisplayRole:
            return _texts(self._events[index.row()])[index.column()]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{translated(_COLUMNS[index.column()])}: {_texts(self._events[index.row()])[index.column()]}"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(index.column())
        return None


def _texts(event: BenchEvent) -> tuple[str, ...]:
    return str(event.number), f"{show_moment(event.at)}:{event.at:%S}", event_words(event), event_value(event)


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in _RIGHT else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


class LogTable(QTableView):
    """The table."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = LogModel(self)
        self.setModel(self._model)
        self.setAccessibleName(self.tr("The pump's log, the newest line first"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(3 * unit())
        self.setMinimumHeight(12 * unit())
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)

    def sizeHint(self) -> QSize:
        """No more than it needs: the page gives it what is left."""
        return QSize(super().sizeHint().width(), self.minimumHeight())

    def show_events(self, events: tuple[BenchEvent, ...]) -> None:
        """Show these, the first on top."""
        self._model.show(events)
