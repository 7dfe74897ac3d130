"""The program's end of the cable: one pump, one session at a time.

Law: a question may be asked three times, a command is sent once. An answer counts only in this session, with this
number and this nonce; silence after a command is ``CommandUncertainError``, and only a new session ends it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from app.device.frames import (
    TO_PROGRAM,
    TO_PUMP,
    BadFrameError,
    Frame,
    FrameReader,
    WrongKeyError,
    decode_frame,
    encode_frame,
)
from app.device.messages import (
    ALARM_BITS,
    EVENT_CODES,
    Begin,
    Chunk,
    Commit,
    CommittedIs,
    EventsAre,
    Fate,
    Hello,
    Hi,
    Message,
    Nak,
    ProgramIs,
    ReadEvents,
    ReadProgram,
    ReadStatus,
    Ready,
    Refusal,
    Resolve,
    ResolvedIs,
    Seal,
    SealedIs,
    StatusIs,
    Took,
    decode_message,
    encode_message,
)
from app.device.read_back import differences
from app.device.settings_codec import BadSettingsError, decode_settings, encode_settings, settings_digest
from app.device.transports import Transport
from app.device.wire_fields import BadMessageError
from app.models.pump import (
    CommandUncertainError,
    Committed,
    Interrogation,
    LinkLostError,
    PumpEvent,
    PumpIdentity,
    PumpRefusedError,
    PumpSettings,
    ReadBackDiffersError,
    Resolution,
    Sealed,
    StaleBaseError,
    WrongPumpError,
)
from app.models.quantities import Volume

_TRIES = 3
_HELLO_DEADLINE_S = 2.0
_PL_PER_NL = 1000

_Answer = TypeVar("_Answer")
_KINDS_OF_EVENTS = {code: kind for kind, code in EVENT_CODES.items()}


class PumpClient:
    """A :class:`app.models.pump.PumpPort` on any cable.

    Args:
        open_transport: opens the cable; called again after every loss of it.
        key: the key of the pump that is expected at the other end.
        now: the moment in UTC, for readings and for the token's expiry.
        randomness: that many fresh random bytes.
    """

    def __init__(
        self,
        open_transport: Callable[[], Transport],
        key: bytes,
        *,
        now: Callable[[], datetime],
        randomness: Callable[[int], bytes],
    ) -> None:
        self._open_transport = open_transport
        self._key = key
        self._now = now
        self._randomness = randomness
        self._cable: Transport | None = None
        self._reader = FrameReader()
        self._session = 0
        self._number = 0
        self._deadline_s = _HELLO_DEADLINE_S
        self._anchors: dict[str, bytes] = {}

    # -- sessions --------------------------------------------------------------------------------------------

    def connect(self) -> PumpIdentity:
        """See :meth:`app.models.pump.PumpPort.connect`. Raises: WrongPumpError: its key is another pump's."""
        hi = self._greet()
        return PumpIdentity(hi.serial, hi.model, hi.firmware, hi.emulated)

    def _greet(self) -> Hi:
        """A new session; the cable is opened again if it was lost."""
        lost: LinkLostError | None = None
        for _ in range(_TRIES):
            try:
                self._session, self._deadline_s = 0, _HELLO_DEADLINE_S
                if self._cable is None:
                    self._cable, self._reader = self._open_transport(), FrameReader()
                nonce = self._randomness(16)
                hi = self._exchange(Hello(nonce), Hi, _HELLO_DEADLINE_S)
            except LinkLostError as error:
                lost = error
                self.close()
                continue
            if hi is not None and hi.nonce == nonce:
                self._session, self._deadline_s = hi.session, hi.deadline_ms / 1000
                return hi
        raise lost or LinkLostError(problem="no answer")

    def close(self) -> None:
        """Let go of the cable."""
        if self._cable is not None:
            self._cable.close()
        self._cable = None
        self._session = 0

    # -- questions -------------------------------------------------------------------------------------------

    def interrogate(self) -> Interrogation:
        """See :meth:`app.models.pump.PumpPort.interrogate`."""
        hi = self._greet()
        program = self._ask(ReadProgram, ProgramIs)
        status = self._ask(ReadStatus, StatusIs)
        if settings_digest(program.settings) != program.digest:
            raise LinkLostError(problem="the program and its digest do not belong together")
        try:
            settings = decode_settings(program.settings)
        except BadSettingsError:
            raise LinkLostError(problem="the program cannot be read") from None
        if differences(settings, program.settings):
            raise LinkLostError(problem="two decoders read different programs")
        return Interrogation(
            identity=PumpIdentity(hi.serial, hi.model, hi.firmware, hi.emulated),
            read_at=self._now(),
            pump_clock=status.clock,
            revision=program.revision,
            digest=program.digest.hex(),
            settings=settings,
            running=status.running,
            reset=status.reset,
            reservoir=Volume(status.reservoir_nl * _PL_PER_NL),
            delivered=Volume(status.delivered_nl * _PL_PER_NL),
            alarms=tuple(alarm for alarm, bit in ALARM_BITS.items() if status.alarms & bit),
            eri_on=status.eri_on if status.eri_seen else None,
            events=tuple(self._events()),
            audit_anchor=hi.anchor.hex(),
            bridge_left_min=status.bridge_left_min,
        )

    def _events(self) -> list[PumpEvent]:
        events: list[PumpEvent] = []
        cursor, more = 0, True
        while more:
            answer = self._ask(lambda nonce, at=cursor: ReadEvents(nonce, at), EventsAre)  # type: ignore[misc]
            events += (
                PumpEvent(event.number, event.at, _KINDS_OF_EVENTS.get(event.code), event.code, event.value)
                for event in answer.events
            )
            more = answer.more and answer.cursor > cursor
            cursor = answer.cursor
        return events

    def _ask(self, question: Callable[[bytes], Message], answer_type: type[_Answer]) -> _Answer:
        """Ask until an answer to this very question comes. Raises: LinkLostError, PumpRefusedError."""
        for _ in range(_TRIES):
            nonce = self._randomness(16)
            answer = self._exchange(question(nonce), answer_type, self._deadline_s)
            if answer is not None and getattr(answer, "nonce", None) == nonce:
                return answer
        self.close()
        raise LinkLostError(problem="no answer")

    # -- commands --------------------------------------------------------------------------------------------

    def digest_of(self, settings: PumpSettings) -> str:
        """See :meth:`app.models.pump.PumpPort.digest_of`."""
        return settings_digest(encode_settings(settings)).hex()

    def stage(self, *, txn: str, serial: str, base: Interrogation, settings: PumpSettings, anchor: str) -> Sealed:
        """See :meth:`app.models.pump.PumpPort.stage`."""
        raw = encode_settings(settings)
        order, digest = bytes.fromhex(txn), settings_digest(raw)
        hi = self._greet()
        if hi.serial != serial:
            raise WrongPumpError(expected=serial, found=hi.serial)
        if hi.digest.hex() != base.digest or hi.revision != base.revision:
            raise StaleBaseError(reviewed=base.digest, found=hi.digest.hex())
        self._order(Begin(order, base.revision, hi.digest, len(raw), digest), Ready)
        for offset in range(0, len(raw), hi.max_chunk):
            self._order(Chunk(order, offset, raw[offset : offset + hi.max_chunk]), Took)
        asked_at = self._now()
        sealed = self._order(Seal(order), SealedIs)
        wrong = differences(settings, sealed.settings)
        if wrong or sealed.digest != digest or settings_digest(sealed.settings) != digest:
            raise ReadBackDiffersError(fields=", ".join(wrong) or "digest")
        self._anchors[txn] = bytes.fromhex(anchor)
        return Sealed(
            txn=txn,
            digest=sealed.digest.hex(),
            token=sealed.token,
            settings=decode_settings(sealed.settings),
            expires_at=asked_at + timedelta(seconds=sealed.expires_s),
        )

    def commit(self, sealed: Sealed) -> Committed:
        """See :meth:`app.models.pump.PumpPort.commit`."""
        order = bytes.fromhex(sealed.txn)
        anchor = self._anchors.pop(sealed.txn, bytes(32))
        answer = self._order(Commit(order, bytes.fromhex(sealed.digest), sealed.token, anchor), CommittedIs)
        if answer.txn != order:
            raise CommandUncertainError(txn=sealed.txn)
        return Committed(answer.revision, answer.effective_at)

    def resolve(self, txn: str) -> Resolution:
        """See :meth:`app.models.pump.PumpPort.resolve`. A tombstone may be written any number of times."""
        order = bytes.fromhex(txn)
        for _ in range(_TRIES):
            self._greet()
            try:
                answer = self._order(Resolve(order), ResolvedIs)
            except CommandUncertainError:
                continue
            if answer.txn == order and answer.fate in list(Fate):
                return Resolution(Fate(answer.fate).name.lower())
        raise LinkLostError(problem="no answer")

    def _order(self, command: Message, answer_type: type[_Answer]) -> _Answer:
        """Send a command once. Raises: CommandUncertainError, PumpRefusedError."""
        try:
            answer = self._exchange(command, answer_type, self._deadline_s)
        except LinkLostError as lost:
            self.close()
            raise CommandUncertainError(problem=str(lost)) from None
        if answer is None:
            self.close()
            raise CommandUncertainError(problem="no answer")
        return answer

    # -- one exchange ----------------------------------------------------------------------------------------

    def _exchange(self, message: Message, answer_type: type[_Answer], deadline_s: float) -> _Answer | None:
        """Send one frame and wait for its answer; ``None`` if none came in time.

        Raises:
            LinkLostError: the cable is gone.
            PumpRefusedError: NAK.
            WrongPumpError: a whole frame came, sealed with another pump's key.
        """
        if self._cable is None:
            raise LinkLostError(problem="not connected")
        self._number = (self._number + 1) % 65_536
        sent = Frame(message.KIND, TO_PUMP, self._session, self._number, encode_message(message))
        self._cable.write(encode_frame(sent, self._key))
        ends = time.monotonic() + deadline_s
        while True:
            arrived = self._cable.read(max(0.0, min(0.25, ends - time.monotonic())))
            for stuffed in self._reader.feed(arrived):
                answer = self._answer_in(stuffed, sent)
                if isinstance(answer, Nak):
                    raise _refusal(answer)
                if isinstance(answer, answer_type):
                    return answer
            if time.monotonic() >= ends or (not arrived and self._cable.immediate):
                return None

    def _answer_in(self, stuffed: bytes, sent: Frame) -> Message | None:
        """The message in a frame, if it answers what was sent; anything else is noise."""
        try:
            frame = decode_frame(stuffed, self._key)
            fits = frame.direction == TO_PROGRAM and frame.number == sent.number
            if not fits or (sent.session and frame.session != sent.session):
                return None
            return decode_message(frame.kind, frame.payload)
        except WrongKeyError:
            raise WrongPumpError(found="a pump with another key", reason="key") from None
        except (BadFrameError, BadMessageError):
            return None


def _refusal(nak: Nak) -> Exception:
    known = nak.reason in list(Refusal)
    if known and Refusal(nak.reason) is Refusal.KEY:
        return WrongPumpError(found="a pump with another key", reason="key")
    return PumpRefusedError(reason=Refusal(nak.reason).word if known else str(nak.reason))
