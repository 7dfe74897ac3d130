"""What the pump's events ask at a refill, as the window sees it: the cards, who is there, and what is done about them.

Law: cards come from the service each time they are asked for; nothing is kept here.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from app.models.comparison import Row
from app.models.errors import AppError
from app.models.pump import PumpEvent
from app.models.pump_events import EventCard
from app.models.reconcile import Found
from app.models.typed_reason import shortest_reason
from app.ui.error_texts import words_for
from app.ui.refill.event_cards import Circumstances
from app.ui.refill.view_model import RefillViewModel


class EventsViewModel(QObject):
    """The events of the open visit's pump."""

    changed = Signal()

    def __init__(self, refill: RefillViewModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._refill = refill
        self._station = refill.workstation
        refill.visitChanged.connect(self.changed)
        refill.busyChanged.connect(lambda _words: self.changed.emit())

    def cards(self) -> tuple[EventCard, ...]:
        """Every open card."""
        visit = self._refill.visit
        return self._station.events.cards(visit) if visit is not None else ()

    def log(self) -> tuple[PumpEvent, ...]:
        """The pump's whole log."""
        visit = self._refill.visit
        return self._station.events.log(visit.implant_id) if visit is not None and visit.reading is not None else ()

    def circumstances(self) -> Circumstances:
        """Who reads the cards, and when another reading counts."""
        visit, clock, user = self._refill.visit, self._station.clock, self._station.user
        others = tuple(one for one in self._station.store.users() if one.id != user.id)
        due = {}
        for card in self.cards():
            at = self._station.events.read_again_from(visit, card) if visit is not None else None
            if at is not None:
                due[card.key] = at
        now = clock.utc()
        return Circumstances(
            user=user,
            others=others,
            shortest_reason=shortest_reason(self._station.catalogue),
            due={key: clock.to_pump(at) for key, at in due.items()},
            ripe=frozenset(key for key, at in due.items() if at <= now),
            busy=bool(self._refill.busy),
        )

    def resolve(self, card: EventCard, reason: str, second_id: str) -> str:
        """Write down what somebody says about a card; returns what stands in the way, in words."""
        visit = self._refill.visit
        if visit is None:
            return ""
        second = next((one for one in self._station.store.users() if one.id == second_id), None)
        try:
            self._station.events.resolve(visit, card, card.way, reason, self._station.user, second=second)
        except AppError as error:
            return words_for(error)
        self.changed.emit()
        return ""

    def read_again(self) -> None:
        """Read the pump once more."""
        self._refill.read_again()

    def difference(self) -> Sequence[Row]:
        """What is on record beside what the pump says."""
        visit = self._refill.visit
        return self._station.events.difference(visit) if visit is not None else ()

    def found(self) -> Found | None:
        """What the pump runs that the record does not know."""
        visit = self._refill.visit
        return self._station.events.found(visit) if visit is not None else None

    def serial(self) -> str:
        """The pump's serial number."""
        visit = self._refill.visit
        return self._station.desk.implant(visit.patient_id).serial if visit is not None else ""

    def reconcile(self) -> None:
        """Take the pump's settings into the record."""
        self._refill.reconcile()
