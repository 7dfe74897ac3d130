"""The list of places where a pump may be: two lines each, and which one is used.

Law: what is painted is also said; a name that does not fit ends in an ellipsis and is whole in the tooltip.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.ui import icons
from app.ui.settings.view_model import Place
from app.ui.theme import Scale, current_theme, font, unit

_PLACE = Qt.ItemDataRole.UserRole
_Index = QModelIndex | QPersistentModelIndex


class PlaceList(QListWidget):
    """One place is always chosen; choosing only shows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setItemDelegate(_PlaceDelegate(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setUniformItemSizes(True)
        self.setMinimumHeight(4 * _row_height())

    def show_places(self, places: Sequence[Place]) -> None:
        """Show these; the chosen one stays chosen if it is still there, else it is the one in use."""
        before = self.place()
        ports = [(place.kind, place.port) for place in places]
        used = next((row for row, place in enumerate(places) if place.in_use), 0)
        self.blockSignals(True)
        self.clear()
        for place in places:
            self.addItem(self._item(place))
        stays = before is not None and (before.kind, before.port) in ports
        self.setCurrentRow(ports.index((before.kind, before.port)) if before is not None and stays else used)
        self.blockSignals(False)
        self.currentRowChanged.emit(self.currentRow())

    def _item(self, place: Place) -> QListWidgetItem:
        item = QListWidgetItem(place.title)
        item.setData(_PLACE, place)
        whole = f"{place.title}\n{place.detail}"
        item.setToolTip(escape(whole).replace("\n", "<br>"))
        said = f"{place.title}, {self.tr('in use')}" if place.in_use else place.title
        item.setData(Qt.ItemDataRole.AccessibleTextRole, said)
        item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, place.detail)
        return item

    def place(self) -> Place | None:
        """The chosen place."""
        item = self.currentItem()
        place = item.data(_PLACE) if item is not None else None
        return place if isinstance(place, Place) else None

    def sizeHint(self) -> QSize:
        """As high as its lines, so that what belongs to it stands close below."""
        rows = max(self.count(), 4) * _row_height() + 2 * self.frameWidth() + 2 * unit()
        return QSize(super().sizeHint().width(), rows)


def _row_height() -> int:
    return 6 * unit()


class _PlaceDelegate(QStyledItemDelegate):
    """A sign, the title over the detail, and at the right whether it is in use."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(20 * unit(), _row_height())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        place: Place = index.data(_PLACE)
        theme, step = current_theme(), unit()
        where: QRect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(where, QColor(theme.selection))
            painter.fillRect(QRect(where.left(), where.top(), max(3, step // 3), where.height()), QColor(theme.accent))
        side = 2 * step
        icons.paint(painter, place.kind.value, theme.text, _square(where.left() + 2 * step, where.center().y(), side))
        right = where.right() - 2 * step
        if place.in_use:
            right = self._paint_in_use(painter, where, right) - 2 * step
        left = where.left() + 5 * step
        lines = QRect(left, where.top() + step, max(right - left, 0), where.height() - 2 * step)
        flags = Qt.AlignmentFlag.AlignLeft
        painter.setFont(font(Scale.BODY, strong=place.in_use))
        painter.setPen(QColor(theme.text))
        painter.drawText(lines, flags | Qt.AlignmentFlag.AlignTop, _fitting(painter, place.title, lines.width()))
        painter.setFont(font(Scale.BODY))
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.setPen(QColor(theme.text if is_selected else theme.muted))
        painter.drawText(lines, flags | Qt.AlignmentFlag.AlignBottom, _fitting(painter, place.detail, lines.width()))
        painter.restore()

    def _paint_in_use(self, painter: QPainter, where: QRect, right: int) -> int:
        """Draw the sign and the words; returns where they begin."""
        theme, words, step = current_theme(), self.tr("In use"), unit()
        painter.setFont(font(Scale.BODY, strong=True))
        painter.setPen(QColor(theme.text))
        left = right - painter.fontMetrics().horizontalAdvance(words)
        area = QRect(left, where.top(), right - left + 1, where.height())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, words)
        sign = _square(left - 2 * step - step // 2, where.center().y(), 2 * step)
        icons.paint(painter, "check", theme.text, sign)
        return round(sign.left())


def _square(left: float, middle: float, side: int) -> QRectF:
    return QRectF(left, middle - side / 2, side, side)


def _fitting(painter: QPainter, text: str, width: int) -> str:
    return painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, width)
