"""The versions of a program as a list: name and dose, state and moment, and by whom, newest first.

Law: a state is a sign, a word and a colour, never one of them alone; what is too long for its line is in the tooltip.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.services.prescribing import Version
from app.ui.schedule.history_view_model import Entry
from app.ui.state_mark import mark_size, paint_mark
from app.ui.theme import Scale, current_theme, font, unit

_ENTRY = Qt.ItemDataRole.UserRole
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class VersionList(QListWidget):
    """Shows entries; one is chosen with a click or the arrow keys, a second with Ctrl or Shift besides."""

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Versions, the newest first"))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setItemDelegate(_EntryDelegate(self))
        self.itemSelectionChanged.connect(self.chosen)

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show these; what was chosen stays chosen where it is still there."""
        before = {version.id for version in self.chosen_versions()}
        self.blockSignals(True)
        self.clear()
        for entry in entries:
            item = QListWidgetItem(self)
            item.setData(_ENTRY, entry)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, entry.spoken)
            item.setToolTip(f"<p>{escape(entry.spoken)}</p>")
            item.setSelected(entry.version.id in before)
        self.blockSignals(False)
        self.chosen.emit()

    def chosen_versions(self) -> tuple[Version, ...]:
        """The chosen versions, the newest first."""
        entries = (self.item(row).data(_ENTRY) for row in range(self.count()) if self.item(row).isSelected())
        return tuple(entry.version for entry in entries)


class _EntryDelegate(QStyledItemDelegate):
    """Three lines: name and daily dose; the mark; when and by whom."""

    def sizeHint(self, option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        metrics = QFontMetrics(font(Scale.BODY, strong=True))
        mark = mark_size("", metrics, _pad())
        return QSize(option.rect.width(), 3 * metrics.height() + mark.height() + 2 * unit())

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        entry, theme, step = index.data(_ENTRY), current_theme(), unit()
        if not isinstance(entry, Entry):
            return
        painter.save()
        self.initStyleOption(option, index)
        style = option.widget.style()
        style.drawPrimitive(style.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        place = QRectF(option.rect).adjusted(step, step / 2, -step, -step / 2)
        painter.setPen(QColor(theme.text))
        line = self._paint_title(painter, entry, place)
        metrics = painter.fontMetrics()
        room = mark_size(entry.word, metrics, _pad())
        paint_mark(painter, QRectF(QPointF(place.left(), line), room), entry.mark, entry.word, _pad())
        line += room.height() + step / 4
        painter.setFont(font(Scale.BODY))
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.setPen(QColor(theme.text if chosen else theme.muted))
        for text in (entry.when, entry.by):
            fitting = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(place.width()))
            painter.drawText(QRectF(place.left(), line, place.width(), metrics.height()), _LEFT, fitting)
            line += metrics.height()
        painter.setPen(QColor(theme.hairline))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        painter.restore()

    def _paint_title(self, painter: QPainter, entry: Entry, place: QRectF) -> float:
        """Name at the left, dose at the right; returns where the next line begins."""
        painter.setFont(font(Scale.BODY, strong=True))
        metrics = painter.fontMetrics()
        dose = metrics.horizontalAdvance(entry.daily)
        line = QRectF(place.left(), place.top(), place.width(), metrics.height())
        painter.drawText(line, _RIGHT, entry.daily)
        name = metrics.elidedText(entry.name, Qt.TextElideMode.ElideRight, int(place.width() - dose - 2 * unit()))
        painter.drawText(line, _LEFT, name)
        return line.bottom() + unit() / 4


def _pad() -> int:
    return max(2, unit() // 3)
