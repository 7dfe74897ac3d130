"""Builds that each lack one thing the protocol rests on, to show that the link campaign would see it missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.device.client import PumpClient
from app.device.frames import TO_PROGRAM, Frame, decode_frame
from app.device.messages import Begin, Chunk, Commit, Fate, Hi, Message, Nak, Refusal, ResolvedIs, decode_message
from app.device.order_codec import decode_order
from app.device.server import PumpServer
from app.models.errors import AppError
from app.models.pump import Order, Outcome, PumpPort
from app.models.records import PumpOrder
from app.services.commit import LOST, Verdict
from app.services.orders import Orders, StagedOrder
from tests.campaigns.faulty_cable import Action
from tests.campaigns.link_bench import MeteredPump, plain_client


class UnfencedServer(PumpServer):
    """Obeys frames of every session."""

    def _answer(self, frame: Frame, message: Message) -> bytes:
        return self._wrap(self.pump.answer(message), frame)


class HoldingPump(MeteredPump):
    """Keeps its draft when a new session is opened."""

    def _greet(self, nonce: bytes) -> Hi:
        draft = self._draft
        hi = super()._greet(nonce)
        self._draft = draft
        return hi


class TomblessPump(MeteredPump):
    """Says that an order is dead, and does not write it down."""

    def _resolve(self, order: bytes) -> Message:
        applied = self._applied(order.hex())
        if applied is not None:
            return ResolvedIs(order, Fate.COMMITTED, applied[0])
        return ResolvedIs(order, Fate.DEAD, 0)


class TomblessHoldingPump(TomblessPump, HoldingPump):
    """Both."""


class AppliesThenRecords(MeteredPump):
    """Writes the effect first, and in a second write that the order has been carried out."""

    def _apply(self, txn: str, order: Order, anchor: bytes, now: datetime) -> None:
        before = self.memory
        held, self.writes_left = self.writes_left, None
        super()._apply(txn, order, anchor, now)
        after = self.memory
        self._file.keep(before)
        self.memory = before
        self.writes_left = held
        self.keep(replace(after, applied=before.applied))
        self.keep(after)


class RecordsThenApplies(MeteredPump):
    """Writes first that the order has been carried out, and the effect in a second write."""

    def _apply(self, txn: str, order: Order, anchor: bytes, now: datetime) -> None:
        before = self.memory
        held, self.writes_left = self.writes_left, None
        super()._apply(txn, order, anchor, now)
        after = self.memory
        self.memory = before
        self.writes_left = held
        self.keep(replace(before, applied=after.applied))
        self.keep(after)


class EchoingPump(MeteredPump):
    """Reads back what it was sent instead of what it holds, and commits without another look."""

    def _begin(self, order: Begin) -> Message:
        self._sent = bytearray()
        return super()._begin(order)

    def _take(self, chunk: Chunk) -> Message:
        answer = super()._take(chunk)
        if not isinstance(answer, Nak):
            self._sent += chunk.part
        return answer

    def _seal(self, txn: bytes) -> Message:
        draft = self._draft
        if draft is None or draft.txn != txn:
            return Nak(Refusal.UNKNOWN_ORDER)
        held, draft.held = draft.held, self._sent
        answer = super()._seal(txn)
        draft.held = held
        return answer

    def _commit(self, order: Commit) -> Message:
        draft = self._draft
        if draft is not None and draft.token and draft.token == order.token:
            try:
                wanted = decode_order(draft.what, bytes(draft.held))
            except AppError:
                return Nak(Refusal.BAD_SETTINGS)
            draft.digest = order.digest
            if self._suits(wanted):
                self._apply(order.txn.hex(), wanted, order.anchor, self.clock.now())
        return super()._commit(order)


def nonceless_client(*parts: object) -> PumpClient:
    """Believes any answer of its session and number, whoever asked for it."""
    client = plain_client(*parts)  # type: ignore[arg-type]
    link = client._link

    def answer_in(stuffed: bytes, sent: Frame, asked: Message) -> Message | None:
        try:
            frame = decode_frame(stuffed, link._key)
            answer = decode_message(frame.kind, frame.payload)
        except AppError:
            return None
        session = answer.session if isinstance(answer, Hi) else sent.session
        fits = (frame.direction, frame.number, frame.session) == (TO_PROGRAM, sent.number, session)
        same_order = getattr(answer, "txn", None) == getattr(asked, "txn", None) or isinstance(answer, Nak)
        return answer if fits and same_order else None

    link._answer_in = answer_in  # type: ignore[method-assign]
    return client


class BelievingOrders(Orders):
    """Calls an order verified once the pump has said OK, without a fresh reading."""

    def send(self, staged: StagedOrder, pump: PumpPort, *, user_id: str) -> PumpOrder:
        record = replace(staged.record, sent_at=self.clock.utc())
        try:
            pump.commit(staged.sealed)
        except LOST:
            return self.settle(record, pump, user_id=user_id)
        return self._record(record, Verdict(Outcome.VERIFIED), user_id)


class RepeatingOrders(Orders):
    """Takes silence for failure, so that people order again."""

    def send(self, staged: StagedOrder, pump: PumpPort, *, user_id: str) -> PumpOrder:
        record = replace(staged.record, sent_at=self.clock.utc())
        try:
            pump.commit(staged.sealed)
        except LOST:
            return self._record(record, Verdict(Outcome.NOT_APPLIED), user_id)
        return self._record(record, Verdict(Outcome.VERIFIED), user_id)


def blind_client(*parts: object) -> PumpClient:
    """Asks whatever pump is at the end of the cable what became of an order."""
    client = plain_client(*parts)  # type: ignore[arg-type]
    resolve = client.resolve
    client.resolve = lambda txn, _serial: resolve(txn, client.connect().serial)  # type: ignore[method-assign]
    return client


@dataclass(frozen=True)
class Weakened:
    """A build, and faults that are enough to uncover it."""

    name: str
    parts: dict[str, Any]
    actions: tuple[Action, ...]


_LATE = (Action.DELAY, Action.DUPLICATE_FRAME, Action.SWAP)

BUILDS = (
    Weakened("no session fence", {"make_server": UnfencedServer, "make_pump": HoldingPump}, _LATE),
    Weakened("no nonce echo", {"make_client": nonceless_client}, (Action.REPLAY,)),
    Weakened("no tombstone", {"make_pump": TomblessPump}, (Action.WORKER_WAKES, Action.CUT, Action.DROP)),
    Weakened(
        "neither fence nor tombstone", {"make_server": UnfencedServer, "make_pump": TomblessHoldingPump}, _LATE
    ),
    Weakened("apply, then record", {"make_pump": AppliesThenRecords}, (Action.POWER_CUT,)),
    Weakened("record, then apply", {"make_pump": RecordsThenApplies}, (Action.POWER_CUT,)),
    Weakened("the pump echoes instead of reading back", {"make_pump": EchoingPump}, (Action.DRAFT_SPOILT,)),
    Weakened("the program believes OK instead of reading", {"make_orders": BelievingOrders}, (Action.WRITE_SPOILT,)),
    Weakened("silence is failure, and is repeated", {"make_orders": RepeatingOrders}, (Action.CUT, Action.DROP)),
    Weakened("any pump is asked", {"make_client": blind_client}, (Action.WRONG_PUMP,)),
)
"""What each must be seen to break is measured by the campaign, not written down here."""
