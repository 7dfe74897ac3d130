"""What the pump's events ask, as cards with what to do about each, and the log they rest on.

Law: a card says in words what settles it, and offers just that; a button that may not be pressed yet says why beside
it, nothing that was typed is lost by a new reading, and a code without a name is shown by its number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.models.bench import BenchEvent
from app.models.interruptions import InterruptionKind
from app.models.patient import Role, User
from app.models.pump import PumpEvent
from app.models.pump_events import CardKind, EventCard, Way
from app.models.rule_texts import sentence
from app.models.typed_reason import reason_is_good
from app.ui.bench.log_table import LogTable
from app.ui.dates import show_moment
from app.ui.form import FieldRow, add_field
from app.ui.state_mark import Mark, StateMark, mark_for
from app.ui.theme import Scale, set_role, set_type, unit

_LINES_SHOWN = 8
_READ_TOO = (CardKind.CLOCK_OFF, CardKind.CLOCK_FAR, CardKind.STOPPED, CardKind.STOPPED_LONG, CardKind.BRIDGE_RUNNING)
"""What a word settles, and a new reading as well."""
_NO_SECOND = ""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Who reads the cards, and who else is there. ``due`` says from when (the pump's clock) another reading can
    settle a card, by its key; ``ripe`` are the keys for which that moment has come."""

    user: User
    others: tuple[User, ...]
    shortest_reason: int
    due: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))
    ripe: frozenset[str] = frozenset()
    busy: bool = False


def _say(text: str) -> str:
    return QCoreApplication.translate("EventCards", text)


def when_words(card: EventCard) -> str:
    """From when to when it was, on the pump's clock, and how long; empty for what has no time."""
    if card.began is None and card.ended is None and not card.parts:
        return ""
    start = show_moment(card.began) if card.began is not None else _say("an unknown moment")
    if card.kind is CardKind.UNKNOWN and card.began == card.ended:
        return _say("At {0}, on the pump's clock").format(start)
    if card.ended is not None:
        times = _say("From {0} to {1}").format(start, show_moment(card.ended))
    else:
        times = _say("Since {0}").format(start)
    length = f": {_length(card.lasted_min)}" if card.parts else ""
    return _say("{0}, on the pump's clock{1}").format(times, length)


def _length(minutes: int | None) -> str:
    if minutes is None:
        return _say("nobody knows how long")
    hours, rest = divmod(minutes, 60)
    parts = ([f"{hours}\u00a0h"] if hours else []) + ([f"{rest}\u00a0min"] if rest or not hours else [])
    return " ".join(parts)


_PART_WORDS = {
    InterruptionKind.STOPPED: "stopped",
    InterruptionKind.STALLED: "motor stalled",
    InterruptionKind.EMPTY: "reservoir empty",
    InterruptionKind.RESET: "reset, no program",
    InterruptionKind.ENDED: "battery ended",
}


def part_lines(card: EventCard) -> list[str]:
    """Each interruption that a gap is made of; none where the card is about a single one."""
    if card.kind not in (CardKind.GAP, CardKind.GAP_REVIEW, CardKind.GAP_STOP):
        return []
    lines = []
    for part in card.parts[-_LINES_SHOWN:]:
        start = show_moment(part.began) if part.began is not None else _say("unknown")
        end = show_moment(part.ended) if part.ended is not None else _say("now")
        length = _length(None if part.lasted is None else int(part.lasted.total_seconds()) // 60)
        lines.append(f"{_say(_PART_WORDS[part.kind])}: {start} – {end} ({length})")
    left = len(card.parts) - len(lines)
    return [_say("and {0} earlier ones").format(left), *lines] if left else lines


def way_words(card: EventCard) -> str:
    """What settles it, in one sentence."""
    if card.kind in _READ_TOO and card.stop:
        return _say("Settled by a new reading that shows it right, or by a physician with a second person.")
    if card.stop and card.way is Way.PHYSICIAN:
        return _say("Settled by a physician's decision, with a second person.")
    if card.kind in _READ_TOO:
        return _say("Settled by a new reading that shows it right, or by a reason.")
    return _say(_WAYS[card.way])


_WAYS = {
    Way.READ_AGAIN: "Settled by a second reading that shows the motor turning.",
    Way.REPROGRAM: "Settled by a full program, sent and read back. No reason settles it.",
    Way.RECONCILE: "Settled by taking the pump's settings into the record, once you have seen the difference.",
    Way.PHYSICIAN: "Settled by a physician's decision.",
    Way.CONFIRM: "Settled by a reason.",
    Way.ACKNOWLEDGE: "Nothing is held up by this.",
}


class EventCardFrame(QFrame):
    """One card."""

    readAgain = Signal()
    compare = Signal()
    resolved = Signal(str, str)
    """The reason, and the id of the second person or nothing."""

    def __init__(self, card: EventCard, there: Circumstances, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.card = card
        self._there = there
        self._reason: QLineEdit | None = None
        self._second: QComboBox | None = None
        self._row: FieldRow | None = None
        self.button: QPushButton | None = None
        set_role(self, "card")
        self._mark = self._made_mark()
        self.setAccessibleName(f"{self._mark.accessibleName()}: {sentence(card.finding)}")
        self._lay_out()
        self._check()

    def _made_mark(self) -> StateMark:
        if self.card.emergency:
            return StateMark(Mark.BLOCK, word=self.tr("Emergency"))
        return StateMark(mark_for(self.card.severity))

    def _lay_out(self) -> None:
        rule = QLabel(self.card.rule)
        set_role(rule, "muted")
        head = QHBoxLayout()
        head.setSpacing(unit())
        head.addWidget(self._mark)
        head.addStretch(1)
        head.addWidget(rule)
        body = QVBoxLayout(self)
        body.setContentsMargins(2 * unit(), unit(), 2 * unit(), unit())
        body.setSpacing(unit())
        body.addLayout(head)
        body.addWidget(self._label(sentence(self.card.finding), lead=True))
        lines = [when_words(self.card), *part_lines(self.card)]
        facts = "\n".join(line for line in lines if line)
        if facts:
            body.addWidget(self._label(facts))
        body.addWidget(self._label(way_words(self.card), muted=True))
        self._add_what_to_do(body)

    def _label(self, text: str, *, lead: bool = False, muted: bool = False) -> QLabel:
        made = QLabel(text)
        made.setWordWrap(True)
        made.setTextFormat(Qt.TextFormat.PlainText)
        if lead:
            set_type(made, Scale.LEAD)
        if muted:
            set_role(made, "muted")
        return made

    def _add_what_to_do(self, body: QVBoxLayout) -> None:
        match self.card.way:
            case Way.READ_AGAIN:
                self._add_button(body, self.tr("Read the pump again"), self.readAgain.emit, self._due_words())
            case Way.RECONCILE:
                self._add_button(body, self.tr("Compare and take over …"), self.compare.emit)
            case Way.ACKNOWLEDGE:
                self._add_button(body, self.tr("I have seen this"), self._resolve)
            case Way.PHYSICIAN if self._there.user.role is not Role.PHYSICIAN:
                body.addWidget(self._label(self.tr("Call a physician: this is not a nurse's to decide.")))
                self._add_reading(body, QHBoxLayout())
            case Way.PHYSICIAN | Way.CONFIRM:
                self._add_reason(body)
                row = self._add_button(body, self.tr("Record the decision"), self._resolve)
                self._add_reading(body, row)
            case Way.REPROGRAM:
                pass

    def _add_reading(self, body: QVBoxLayout, row: QHBoxLayout) -> None:
        """Where a reading can settle it too, a button for one; in ``row``, which is added if it is a new one."""
        if self.card.kind not in _READ_TOO:
            return
        again = QPushButton(self.tr("Read the pump again"))
        again.setAutoDefault(False)
        again.setEnabled(not self._there.busy)
        again.setAccessibleDescription(sentence(self.card.finding))
        again.clicked.connect(self.readAgain.emit)
        if row.count():
            row.insertWidget(1, again)
            return
        row.addWidget(again)
        row.addStretch(1)
        body.addLayout(row)

    def _add_button(
        self, body: QVBoxLayout, text: str, act: Callable[[], object], remark: str = ""
    ) -> QHBoxLayout:
        self.button = QPushButton(text)
        self.button.setAutoDefault(False)
        self.button.setAccessibleDescription(f"{sentence(self.card.finding)} {remark}".strip())
        self.button.clicked.connect(lambda: act())
        row = QHBoxLayout()
        row.setSpacing(2 * unit())
        row.addWidget(self.button)
        if remark:
            row.addWidget(self._label(remark, muted=True), 1)
        else:
            row.addStretch(1)
        body.addLayout(row)
        return row

    def _due_words(self) -> str:
        due = self._there.due.get(self.card.key)
        if due is None:
            return ""
        if self.card.key in self._there.ripe:
            return self.tr("Possible since {0}.").format(show_moment(due))
        return self.tr("Counts from {0} on; earlier ones are kept too.").format(show_moment(due))

    def _add_reason(self, body: QVBoxLayout) -> None:
        self._reason = QLineEdit()
        self._reason.setMaxLength(500)
        self._reason.textChanged.connect(self._on_typed)
        hint = self.tr("At least {0} characters.").format(self._there.shortest_reason)
        self._row = add_field(body, self.tr("Decision and reason"), self._reason, hint=hint)
        if not self.card.stop:
            return
        self._second = QComboBox()
        self._second.addItem(self.tr("Choose a person"), _NO_SECOND)
        for person in self._there.others:
            self._second.addItem(f"{person.name}, {self._role(person)}", person.id)
        self._second.currentIndexChanged.connect(self._check)
        add_field(body, self.tr("Second person"), self._second, hint=self.tr("Somebody else who agrees and is here."))

    def _role(self, person: User) -> str:
        return self.tr("physician") if person.role is Role.PHYSICIAN else self.tr("nurse")

    def _on_typed(self, _text: str) -> None:
        if self._row is not None:
            self._row.show_remark("")
        self._check()

    def typed(self) -> tuple[str, str]:
        """What stands in its fields: the reason as typed, and the second person's id."""
        return (
            self._reason.text() if self._reason is not None else "",
            str(self._second.currentData()) if self._second is not None else _NO_SECOND,
        )

    def type_again(self, reason: str, second_id: str) -> None:
        """Put back what was typed before the card was drawn anew."""
        if self._reason is not None:
            self._reason.setText(reason)
        if self._second is not None:
            self._second.setCurrentIndex(max(0, self._second.findData(second_id)))

    def refuse(self, text: str) -> None:
        """Say beside the field why what was typed was not taken."""
        if self._row is not None:
            self._row.show_remark(text, True)
            self._row.field.setFocus()

    def _check(self, _index: int = 0) -> None:
        if self.button is None:
            return
        reason, second = self.typed()
        enough = self._reason is None or reason_is_good(reason, self._there.shortest_reason)
        agreed = self._second is None or second != _NO_SECOND
        self.button.setEnabled(enough and agreed and not self._there.busy)

    def _resolve(self) -> None:
        reason, second = self.typed()
        self.resolved.emit(reason.strip(), second)


class EventCards(QWidget):
    """All cards, critical ones first, and below them the log."""

    readAgain = Signal()
    """Read the pump once more."""
    compare = Signal()
    """Show the difference between record and pump, and offer to take it over."""
    resolved = Signal(object, str, str)
    """An :class:`EventCard`, the reason, and the second person's id or nothing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._frames: list[EventCardFrame] = []
        self._told: tuple[tuple[EventCard, ...], Circumstances] | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(unit())
        self._empty = QLabel(self.tr("The pump's events ask nothing."))
        set_role(self._empty, "muted")
        self.toggle = QPushButton()
        self.toggle.setCheckable(True)
        self.toggle.setAutoDefault(False)
        self.toggle.setEnabled(False)
        set_role(self.toggle, "quiet")
        self.log = LogTable()
        self.log.setMinimumHeight(24 * unit())
        self.log.hide()
        self.toggle.toggled.connect(self._show_log)
        row = QHBoxLayout()
        row.addWidget(self.toggle)
        row.addStretch(1)
        self._column.addWidget(self._empty)
        self._column.addLayout(row)
        self._column.addWidget(self.log)
        self._column.addStretch(1)
        self._lines = 0
        self._name_toggle()

    def show_cards(self, cards: Sequence[EventCard], there: Circumstances) -> None:
        """Show these cards; what was typed into one that is still there stays."""
        told = tuple(cards), there
        if told == self._told:
            return
        self._told = told
        typed = {(shown.card.key, shown.card.reason): shown.typed() for shown in self._frames}
        focused = next((shown.card.key for shown in self._frames if shown.isAncestorOf(_focus(self))), "")
        for shown in self._frames:
            self._column.removeWidget(shown)
            shown.hide()
            shown.deleteLater()
        self._frames = [self._made(card, there, typed) for card in cards]
        for place, shown in enumerate(self._frames):
            self._column.insertWidget(place, shown)
            if shown.card.key == focused:
                _focus_in(shown)
        self._empty.setVisible(not self._frames)

    def _made(
        self, card: EventCard, there: Circumstances, typed: Mapping[tuple[str, str], tuple[str, str]]
    ) -> EventCardFrame:
        made = EventCardFrame(card, there)
        made.type_again(*typed.get((card.key, card.reason), ("", _NO_SECOND)))
        made.readAgain.connect(self.readAgain)
        made.compare.connect(self.compare)
        made.resolved.connect(lambda reason, second: self.resolved.emit(card, reason, second))
        return made

    def frames(self) -> tuple[EventCardFrame, ...]:
        """The cards that are shown, from the top."""
        return tuple(self._frames)

    def refuse(self, key: str, text: str) -> None:
        """Say beside the field of the card with this key why what was typed was not taken."""
        for shown in self._frames:
            if shown.card.key == key:
                shown.refuse(text)

    def show_log(self, events: Sequence[PumpEvent]) -> None:
        """Show the log, the newest line first."""
        lines = sorted(events, key=lambda event: -event.number)
        self.log.show_events(tuple(_line(event) for event in lines))
        self._lines = len(lines)
        self.toggle.setEnabled(bool(lines))
        self._name_toggle()

    def _show_log(self, shown: bool) -> None:
        self.log.setVisible(shown)
        self._name_toggle()

    def _name_toggle(self) -> None:
        text = self.tr("Hide the pump's log") if self.toggle.isChecked() else self.tr("Show the pump's log ({0} lines)")
        self.toggle.setText(text.format(self._lines))


def _line(event: PumpEvent) -> BenchEvent:
    name = event.kind.value if event.kind is not None else _say("code {0}, without a name").format(event.code)
    return BenchEvent(event.number, event.at, name, event.value)


def _focus(widget: QWidget) -> QWidget:
    return widget.window().focusWidget() or widget


def _focus_in(shown: EventCardFrame) -> None:
    """Put the cursor back into a card that was drawn anew."""
    target = shown.findChild(QLineEdit) or shown.button
    if target is not None:
        target.setFocus()
