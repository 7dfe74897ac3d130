"""What every page of a refill has: what to do, the fields, what the rules say, and one verb to go on with.

Law: Return goes to the next field and never records; the verb is a button, and it is off while anything that is
typed has no value or any card wants an answer.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.models.findings import Finding
from app.models.typed_reason import shortest_reason
from app.services.reasons import Reasons
from app.ui.cards import cards_of, reasons_of
from app.ui.finding_list import FindingList
from app.ui.refill.view_model import RefillViewModel
from app.ui.theme import Scale, set_role, set_type, unit

_ROOM_FOR_TWO = 85
"""How wide a page must be for two columns, in steps of the grid."""


class StepPage(QWidget):
    """One step. A page fills ``fields``, may put more into ``beside`` with the cards, and overrides what it needs."""

    def __init__(self, view_model: RefillViewModel, title: str, verb: str, *, side: bool = True) -> None:
        super().__init__()
        self.view_model = view_model
        self._findings: tuple[Finding, ...] = ()
        self._title = QLabel(title)
        self.lead = QLabel()
        self.fields, self.beside = QVBoxLayout(), QVBoxLayout()
        self.cards = FindingList(shortest_reason(view_model.workstation.catalogue))
        self.cards.setAccessibleName(self.tr("What the rules say"))
        self.verb = QPushButton(verb)
        self.back = QPushButton(self.tr("Go back one step"))
        self._lay_out(side)
        self.verb.clicked.connect(self.act)
        self.back.clicked.connect(view_model.correct)
        self.cards.answeredChanged.connect(self._on_answered)

    def _lay_out(self, side: bool) -> None:
        set_type(self._title, Scale.TITLE, strong=True)
        self.lead.setWordWrap(True)
        self.lead.setTextFormat(Qt.TextFormat.PlainText)
        set_role(self.verb, "primary")
        self.verb.setAutoDefault(False)
        self.back.setAutoDefault(False)
        self.fields.setSpacing(unit())
        buttons = QHBoxLayout()
        buttons.setSpacing(2 * unit())
        buttons.addWidget(self.verb)
        buttons.addWidget(self.back)
        buttons.addStretch(1)
        inside = QWidget()
        inner = self._inner = QVBoxLayout(inside)
        inner.setContentsMargins(0, 0, unit(), 0)
        inner.addLayout(self.fields)
        inner.addStretch(1)
        inner.setSpacing(2 * unit())
        left = QVBoxLayout()
        left.setSpacing(2 * unit())
        left.addWidget(scrolling(inside), 1)
        left.addLayout(buttons)
        body = QHBoxLayout()
        body.setSpacing(4 * unit())
        body.addLayout(left, 1)
        right = self._right = QWidget()
        self.beside.setContentsMargins(0, 0, unit(), 0)
        self.beside.setSpacing(2 * unit())
        right.setLayout(self.beside)
        self.beside.addWidget(self.cards)
        self._right_area: QScrollArea | None = None
        if side:
            self._right_area = scrolling(right)
            body.addWidget(self._right_area, 1)
        else:
            right.setParent(self)
            right.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * unit(), 2 * unit(), 3 * unit(), unit())
        column.setSpacing(unit())
        column.addWidget(self._title)
        column.addWidget(self.lead)
        column.addSpacing(unit())
        column.addLayout(body, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where two columns are too narrow to read, the cards follow below the fields."""
        super().resizeEvent(event)
        area, narrow = self._right_area, self.width() < _ROOM_FOR_TWO * unit()
        if area is None or narrow == area.isHidden():
            return
        area.setHidden(narrow)
        if narrow:
            area.takeWidget()
            self._inner.insertWidget(1, self._right)
            self._right.show()
        else:
            self._inner.removeWidget(self._right)
            area.setWidget(self._right)
            self._right.setAutoFillBackground(False)

    def enter(self) -> None:
        """The page is about to be shown: read the visit and put the cursor where typing begins."""

    def act(self) -> None:
        """Do what the verb says."""

    def is_complete(self) -> bool:
        """Whether everything that is needed has been typed."""
        return True

    def say(self, findings: tuple[Finding, ...]) -> None:
        """Show what the rules say."""
        self._findings = findings
        self.cards.set_cards(cards_of(findings))
        self.check()

    def reasons(self) -> Reasons:
        """The reasons typed so far."""
        return reasons_of(self._findings, self.cards.reasons())

    def check(self) -> None:
        """Switch the verb on or off."""
        self.verb.setEnabled(self.is_complete() and self.cards.is_answered() and not self.view_model.busy)

    def _on_answered(self, _answered: bool) -> None:
        self.check()


def scrolling(widget: QWidget) -> QScrollArea:
    """An area in which ``widget`` has the width that there is, and all the height that it wants."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(widget)
    area.viewport().setAutoFillBackground(False)
    widget.setAutoFillBackground(False)
    return area
