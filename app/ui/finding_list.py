"""What the rules say, as cards: a mark, a sentence and the numbers it rests on.

Law: a card that must be answered is answered with a reason in words, and with any change of its numbers
its reason is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.models.findings import Severity
from app.models.typed_reason import reason_is_good
from app.ui.form import add_field
from app.ui.state_mark import StateMark, mark_for
from app.ui.theme import Scale, set_role, set_type, unit


@dataclass(frozen=True, slots=True)
class Card:
    """A finding in words: which rule, how severe, what to do and why, and each number with its name."""

    rule: str
    severity: Severity
    sentence: str
    values: tuple[tuple[str, str], ...] = ()


def _widest_mark() -> int:
    return max(StateMark(mark_for(severity)).width() for severity in Severity)


class FindingCard(QFrame):
    """One card, with a field for the reason of at least ``shortest`` characters if it has to be confirmed."""

    answered = Signal()

    def __init__(self, card: Card, shortest: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.card = card
        self._shortest = shortest
        self._reason: QLineEdit | None = None
        set_role(self, "card")
        self.setAccessibleName(f"{mark_for(card.severity).word}: {card.sentence}")
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * unit(), unit(), 2 * unit(), unit())
        row.setSpacing(2 * unit())
        mark = StateMark(mark_for(card.severity))
        row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addSpacing(_widest_mark() - mark.width())
        row.addLayout(self._body(), 1)

    def _body(self) -> QVBoxLayout:
        sentence = QLabel(self.card.sentence)
        sentence.setWordWrap(True)
        sentence.setTextFormat(Qt.TextFormat.PlainText)
        set_type(sentence, Scale.LEAD)
        rule = QLabel(self.card.rule)
        set_role(rule, "muted")
        first = QHBoxLayout()
        first.addWidget(sentence, 1)
        first.addWidget(rule, 0, Qt.AlignmentFlag.AlignTop)
        body = QVBoxLayout()
        body.setSpacing(unit())
        body.addLayout(first)
        if self.card.values:
            body.addLayout(self._numbers())
        if self.card.severity is Severity.CONFIRM:
            self._add_reason(body)
        return body

    def _numbers(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(3 * unit())
        grid.setVerticalSpacing(unit() // 2)
        for column, (name, number) in enumerate(self.card.values):
            caption, value = QLabel(name), QLabel(number)
            set_role(caption, "muted")
            set_type(value, Scale.BODY, strong=True)
            grid.addWidget(caption, 0, column)
            grid.addWidget(value, 1, column)
        grid.setColumnStretch(len(self.card.values), 1)
        return grid

    def _add_reason(self, body: QVBoxLayout) -> None:
        self._reason = QLineEdit()
        self._reason.setMaxLength(500)
        self._reason.textChanged.connect(self._on_reason)
        hint = self.tr("At least {0} characters.").format(self._shortest)
        add_field(body, self.tr("Reason for going on"), self._reason, hint=hint)

    def _on_reason(self, _text: str) -> None:
        self.answered.emit()

    def reason(self) -> str:
        """The reason given, without spaces around it; empty if none was, or none that can pass."""
        text = self._reason.text() if self._reason is not None else ""
        return text.strip() if reason_is_good(text, self._shortest) else ""

    def is_answered(self) -> bool:
        """Whether nothing more is asked here; a card that blocks cannot be answered away."""
        if self.card.severity is Severity.BLOCK:
            return False
        return self.card.severity is not Severity.CONFIRM or bool(self.reason())


class FindingList(QWidget):
    """All cards, the most severe first. A reason has at least ``shortest`` characters."""

    answeredChanged = Signal(bool)
    """Whether every card is answered now."""

    def __init__(self, shortest: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shortest = shortest
        self._cards: list[FindingCard] = []
        self._told = True
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(unit())
        self._empty = QLabel(self.tr("No rule has anything to say about this."))
        set_role(self._empty, "muted")
        self._column.addWidget(self._empty)
        self._column.addStretch(1)

    def set_cards(self, cards: Sequence[Card]) -> None:
        """Show these cards. One that is exactly as before keeps its reason; a changed one asks again."""
        order = list(Severity)
        wanted = sorted(cards, key=lambda card: order.index(card.severity))
        kept = {shown.card: shown for shown in self._cards if shown.card in wanted}
        for shown in self._cards:
            self._column.removeWidget(shown)
            if shown.card not in kept:
                shown.deleteLater()
                shown.hide()
        self._cards = [kept[card] if card in kept else self._make(card) for card in wanted]
        for place, shown in enumerate(self._cards):
            self._column.insertWidget(place, shown)
        self._empty.setVisible(not self._cards)
        self._tell()

    def _make(self, card: Card) -> FindingCard:
        shown = FindingCard(card, self._shortest)
        shown.answered.connect(self._tell)
        return shown

    def reasons(self) -> dict[Card, str]:
        """The reason given for each card that asks for one, empty where none passes yet."""
        return {shown.card: shown.reason() for shown in self._cards if shown.card.severity is Severity.CONFIRM}

    def is_answered(self) -> bool:
        """Whether nothing stands in the way: nothing blocks, and every reason is given."""
        return all(shown.is_answered() for shown in self._cards)

    def _tell(self) -> None:
        if self.is_answered() != self._told:
            self._told = self.is_answered()
            self.answeredChanged.emit(self._told)
