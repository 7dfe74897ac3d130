"""The emergency sheet: what runs now on top, overdose and withdrawal side by side, what was done last at the right.

Law: everything that is needed stands on one page, in the reach of one key, and nothing here changes anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.models.emergency import EmergencySheet, Happening
from app.models.report import ReportRow
from app.ui.bench.modest_area import ModestArea
from app.ui.bench.signed_label import SignedLabel
from app.ui.elided_label import ElidedLabel
from app.ui.emergency.column import ToxidromeColumn
from app.ui.emergency.view_model import EmergencyViewModel
from app.ui.theme import Scale, set_role, set_type, unit

_LARGE = ("Drug", "Concentration", "Daily dose", "Mode", "Should be left now")


class EmergencyView(QWidget):
    """The page."""

    backWanted = Signal()

    def __init__(self, view_model: EmergencyViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self.back = QPushButton(self.tr("&Back"))
        self.paper = QPushButton(self.tr("Save as P&DF"))
        self._said = QLabel()
        self._alerts = SignedLabel(self.tr("Know first"))
        self._facts = QGridLayout()
        self._rest = QLabel()
        self.overdose = ToxidromeColumn(view_model, view_model.book.overdose)
        self.withdrawal = ToxidromeColumn(view_model, view_model.book.withdrawal)
        self._last = _LastList()
        self._nobody = QLabel(self.tr("Choose a patient first, on the worklist: a sheet is somebody's own."))
        self._lay_out()
        self.back.clicked.connect(self.backWanted)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self.backWanted)
        self.setFocusProxy(self.back)
        self.paper.clicked.connect(view_model.print)
        view_model.changed.connect(self._refresh)
        view_model.said.connect(self._say)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * unit(), unit(), 2 * unit(), unit() // 2)
        column.setSpacing(unit() // 2)
        column.addLayout(self._head())
        self._facts.setHorizontalSpacing(3 * unit())
        self._facts.setVerticalSpacing(0)
        column.addLayout(self._facts)
        self._rest.setWordWrap(True)
        self._rest.setTextFormat(Qt.TextFormat.PlainText)
        self._rest.setAccessibleName(self.tr("Program"))
        column.addWidget(self._rest)
        body = QWidget()
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(unit())
        row.addWidget(self.overdose, 32)
        row.addWidget(self.withdrawal, 36)
        row.addWidget(ModestArea(self._last, least=10 * unit()), 32)
        self._body = ModestArea(body, least=20 * unit())
        set_role(self._nobody, "muted")
        column.addWidget(self._body, 1)
        column.addWidget(self._nobody, 1)
        column.addWidget(self._sources())
        self._refresh()

    def _head(self) -> QHBoxLayout:
        title = QLabel(self.tr("Emergency sheet"))
        set_type(title, Scale.TITLE, strong=True)
        self._said.setTextFormat(Qt.TextFormat.PlainText)
        self._said.setWordWrap(True)
        self._said.setAccessibleName(self.tr("What came of saving"))
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self._alerts)
        words.addWidget(self._said)
        row = QHBoxLayout()
        row.setSpacing(2 * unit())
        row.addWidget(title)
        row.addLayout(words, 1)
        for button in (self.paper, self.back):
            button.setAutoDefault(False)
            row.addWidget(button)
        return row

    def _sources(self) -> QLabel:
        """The short line below; who wrote what stands in the tooltip of each line and at the foot of the paper."""
        book = self._view_model.book
        found = dict.fromkeys((*book.overdose.sources(), *book.withdrawal.sources()))
        label = ElidedLabel(
            self.tr("Read only: ticks are not stored. * unverified default. Sources: {0}").format("; ".join(found))
        )
        set_role(label, "muted")
        return label

    def _refresh(self) -> None:
        sheet = self._view_model.sheet
        self.paper.setEnabled(sheet is not None)
        for part in (self._body, self._rest):
            part.setVisible(sheet is not None)
        self._nobody.setVisible(sheet is None)
        if sheet is None:
            self._alerts.hide()
            self._show_facts(())
            return
        self._alerts.say("\n".join(sheet.alerts), sign="warning" if sheet.alerts else "", is_error=bool(sheet.alerts))
        self._alerts.setVisible(bool(sheet.alerts))
        self._show_facts([row for row in sheet.facts if row.label in _LARGE])
        others = "; ".join(f"{row.label}: {row.value}" for row in sheet.facts if row.label not in _LARGE)
        self._rest.setText(f"{others}.\n{sheet.program}.")
        self._last.show_happenings(sheet)

    def _show_facts(self, rows: Sequence[ReportRow]) -> None:
        while self._facts.count():
            item = self._facts.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for place, row in enumerate(rows):
            caption, value = QLabel(row.label), QLabel(row.value)
            set_role(caption, "muted")
            set_type(value, Scale.TITLE, strong=True)
            value.setTextFormat(Qt.TextFormat.PlainText)
            value.setAccessibleName(row.label)
            self._facts.addWidget(caption, 0, place)
            self._facts.addWidget(value, 1, place)
        self._facts.setColumnStretch(len(rows), 1)

    def _say(self, words: str, is_error: bool) -> None:
        self._said.setText(words)
        self._said.setVisible(bool(words))
        set_role(self._said, "error" if is_error else "muted")


class _LastList(QFrame):
    """What was done last, latest first."""

    def __init__(self) -> None:
        super().__init__()
        set_role(self, "card")
        self._title = QLabel()
        set_type(self._title, Scale.LEAD, strong=True)
        self._column = QVBoxLayout()
        self._column.setSpacing(unit() // 2)
        ask = QLabel(self.tr("Scans, tablets and what other clinics did are not on record here: ask."))
        ask.setWordWrap(True)
        set_role(ask, "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(unit(), unit(), unit(), unit())
        column.setSpacing(unit() // 2)
        column.addWidget(self._title)
        column.addLayout(self._column)
        column.addWidget(ask)
        column.addStretch(1)

    def show_happenings(self, sheet: EmergencySheet) -> None:
        self._title.setText(self.tr("Done last, {0} days").format(sheet.days))
        while self._column.count():
            item = self._column.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for one in sheet.happenings:
            self._column.addWidget(_line(one))
        if not sheet.happenings:
            self._column.addWidget(QLabel(self.tr("Nothing is on record.")))


def _line(one: Happening) -> QWidget:
    widget = QWidget()
    column = QVBoxLayout(widget)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    head, words = QLabel(f"{'! ' if one.grave else ''}{one.what}, {one.at}"), QLabel(one.words)
    set_role(head, "" if one.grave else "muted")
    set_type(head, Scale.BODY, strong=one.grave)
    for label in (head, words):
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        column.addWidget(label)
    words.setAccessibleName(f"{one.what}, {one.at}")
    return widget
