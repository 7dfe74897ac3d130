"""Old beside new: one row for each setting and each total, the change in words.

Law: a row that does not change is grey, one that does says so in words and by a line through the old value;
colour alone says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from app.models.comparison import Row
from app.services.refill_report import change_in_words
from app.ui.theme import Scale, current_theme, font, unit

_SIDES = ("In the pump now", "New")
_Index = QModelIndex | QPersistentModelIndex


class ComparisonModel(QAbstractTableModel):
    """The rows as a table; ``sides`` are the names of old and new."""

    def __init__(self, sides: tuple[str, str] = _SIDES) -> None:
        super().__init__()
        self._columns = ("", *sides, "Change")
        self._rows: Sequence[Row] = ()

    def show(self, rows: Sequence[Row]) -> None:
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._columns[section]
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = self._rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return (row.item, row.old, row.new, change_in_words(row))[column]
        if role == Qt.ItemDataRole.ForegroundRole and not row.changed:
            return QColor(current_theme().muted)
        if role == Qt.ItemDataRole.FontRole:
            return self._font(row, column)
        return None

    def _font(self, row: Row, column: int) -> object:
        made = font(Scale.BODY, strong=row.changed and column > 1)
        made.setStrikeOut(row.changed and column == 1)
        return made


class ComparisonTable(QTableView):
    """The table on the confirmation page, or of any other two sides."""

    def __init__(self, sides: tuple[str, str] = _SIDES) -> None:
        super().__init__()
        self._rows = ComparisonModel(sides)
        self.setModel(self._rows)
        self.setAccessibleName(self.tr("{0}, and {1}").format(sides[0], sides[1][:1].lower() + sides[1][1:]))
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setShowGrid(False)
        self.setWordWrap(True)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(round(2.6 * unit()))
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        for column, mode in enumerate(
            (
                QHeaderView.ResizeMode.ResizeToContents,
                QHeaderView.ResizeMode.Stretch,
                QHeaderView.ResizeMode.Stretch,
                QHeaderView.ResizeMode.Stretch,
            )
        ):
            header.setSectionResizeMode(column, mode)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows."""
        self._rows.show(rows)
