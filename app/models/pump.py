"""What a pump tells and what it is told: the values on both sides of the cable, and the port to it.

Law: a question may be asked again, a command never. An answer that did not come is "not known", which is
a state of the world and not a failure; only a new session that asks the pump ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from app.models.errors import AppError
from app.models.program import OneTimeBolus, Program
from app.models.quantities import Concentration, Volume


class CableProblem(StrEnum):
    """Why a cable is of no use, as far as this end can tell."""

    NOT_THERE = "not-there"
    BUSY = "busy"
    FORBIDDEN = "forbidden"
    UNPLUGGED = "unplugged"
    HUNG = "hung"
    SILENT = "silent"
    SLOW = "slow"
    NOISE = "noise"


class LinkLostError(AppError):
    """The cable is cut, the port is gone, or the pump does not answer a question.

    ``problem`` is a :class:`CableProblem`, or words about what the pump said; ``port`` is named if it is known.
    """


class CommandUncertainError(AppError):
    """A command was sent and no answer came: whether the pump obeyed is not known."""


class PumpRefusedError(AppError):
    """The pump answered NAK; ``reason`` is its own word for why."""


class WrongPumpError(AppError):
    """The pump at the end of the cable is not the open patient's pump."""


class StaleBaseError(AppError):
    """The pump's state is no longer the one that was reviewed."""


class ReadBackDiffersError(AppError):
    """The pump's read-back is not what was sent; ``fields`` names the differences."""


class NotRepresentableError(AppError):
    """A value is finer than the pump can be told: ``field`` and ``value`` name it. Nothing is ever rounded to fit."""


@dataclass(frozen=True, slots=True)
class PumpSettings:
    """Everything that one programming transaction sets, and that the pump reads back.

    ``reservoir`` is the volume that the pump's counter is set to at the commit; ``None`` leaves the counter
    alone. ``bridge`` runs first, from the commit on, while the program waits.
    """

    drug: str
    concentration: Concentration
    program: Program
    low_alarm: Volume
    reservoir: Volume | None = None
    bridge: OneTimeBolus | None = None


@dataclass(frozen=True, slots=True)
class StopDelivery:
    """Deliver nothing from now on; a bolus that runs ends with it and is never taken up again."""


@dataclass(frozen=True, slots=True)
class ResumeDelivery:
    """Go on with the program that the pump holds."""


@dataclass(frozen=True, slots=True)
class StepClock:
    """Put the pump's clock forward (or back, if negative) by ``seconds``; refused while a bolus runs.

    A step is relative, so that it means the same however late it arrives. No bolus is repeated by a step back.
    """

    seconds: int


class Alarm(StrEnum):
    """Alarms of docs/devices.md, section on SynchroMed II alarms."""

    LOW_RESERVOIR = "low-reservoir"
    ERI = "eri"
    MEMORY_ERROR = "memory-error"
    EMPTY_RESERVOIR = "empty-reservoir"
    END_OF_SERVICE = "end-of-service"
    MOTOR_STALL = "motor-stall"
    STOPPED_TOO_LONG = "stopped-too-long"
    CRITICAL_MEMORY_ERROR = "critical-memory-error"
    LOW_BATTERY_RESET = "low-battery-reset"

    @property
    def critical(self) -> bool:
        return self not in (Alarm.LOW_RESERVOIR, Alarm.ERI, Alarm.MEMORY_ERROR)


@dataclass(frozen=True, slots=True)
class SilenceAlarms:
    """Take note of ``alarms``: those that were latched are cleared; a reset is cleared by new settings only."""

    alarms: tuple[Alarm, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "alarms", tuple(alarm for alarm in Alarm if alarm in self.alarms))


Order = PumpSettings | OneTimeBolus | StopDelivery | ResumeDelivery | StepClock | SilenceAlarms
"""What one transaction tells a pump: staged, read back and committed, whatever it is."""


class PumpEventKind(StrEnum):
    """What a pump writes into its own log."""

    STARTED = "started"
    STOPPED = "stopped"
    COMMITTED = "committed"
    FILLED = "filled"
    BOLUS_STARTED = "bolus-started"
    BOLUS_ENDED = "bolus-ended"
    BRIDGE_ENDED = "bridge-ended"
    STALLED = "stalled"
    RECOVERED = "recovered"
    RESET = "reset"
    ALARM = "alarm"
    CLOCK_SET = "clock-set"
    PATIENT_BOLUS = "patient-bolus"
    PATIENT_REFUSED = "patient-refused"
    SILENCED = "silenced"


@dataclass(frozen=True, slots=True)
class PumpEvent:
    """One line of the pump's log; ``at`` is the pump's own clock (no offset), ``number`` counts from 1.

    ``kind`` is the code's name, or ``None`` for a code this program does not know; ``code`` is always the raw one.
    """

    number: int
    at: datetime
    kind: PumpEventKind | None
    code: int
    value: int = 0


@dataclass(frozen=True, slots=True)
class PumpIdentity:
    """Who is at the end of the cable, proven at each connection."""

    serial: str
    model: str
    firmware: str
    emulated: bool
    must_stop: bool = False
    """Whether this pump stands still while it takes a new program."""


@dataclass(frozen=True, slots=True)
class RunningBolus:
    """A one-time bolus under way: what was ordered, and what the pump counts as given."""

    ordered: Volume
    given: Volume


@dataclass(frozen=True, slots=True)
class LogMark:
    """How far a pump's log has been read: the last event's number and the log's hash up to it (64 hex digits)."""

    number: int = 0
    chain: str = "00" * 32


@dataclass(frozen=True, slots=True)
class Interrogation:
    """One complete reading of a pump.

    ``read_at`` is UTC by the workstation; ``pump_clock`` is the pump's own wall clock at that moment, without
    offset. ``reservoir`` and ``delivered`` are the pump's own calculations, not measurements.
    ``settings.reservoir`` is the volume set at the last commit that set one. ``digest`` is the hex digest of
    the state that a new program must be based on.
    """

    identity: PumpIdentity
    read_at: datetime
    pump_clock: datetime
    revision: int
    digest: str
    settings: PumpSettings
    running: bool
    reset: bool
    reservoir: Volume
    delivered: Volume
    alarms: tuple[Alarm, ...]
    eri_on: datetime | None
    events: tuple[PumpEvent, ...]
    audit_anchor: str
    bridge_left_min: int = 0
    bolus: RunningBolus | None = None
    log_mark: LogMark = LogMark()

    @property
    def clock_offset(self) -> timedelta:
        """Pump clock minus UTC; a pump's offset is fixed and it knows nothing of daylight saving."""
        return self.pump_clock - self.read_at.replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A staged transaction that the pump has sealed and read back; nothing has changed yet.

    ``order`` is decoded from the pump's own bytes. ``token`` is good once and until ``expires_at`` (UTC).
    """

    txn: str
    digest: str
    token: bytes
    order: Order
    expires_at: datetime


class Outcome(StrEnum):
    """What a programming transaction came to, as a fact that can never change later, or not known."""

    VERIFIED = "verified"
    NOT_APPLIED = "not-applied"
    NOT_KNOWN = "not-known"


class Resolution(StrEnum):
    """The pump's answer to RESOLVE."""

    COMMITTED = "committed"
    DEAD = "dead"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True)
class Committed:
    """The pump's answer to COMMIT: the new revision and when it took effect, on the pump's clock."""

    revision: int
    effective_at: datetime


class PumpPort(Protocol):
    """A pump on a cable, whatever the cable. Each call is one exchange or a few; none is ever repeated inside
    if it is a command."""

    def connect(self) -> PumpIdentity:
        """Open the link and start a new session, which ends every earlier one. Raises: LinkLostError."""
        ...

    def interrogate(self, after: LogMark = LogMark()) -> Interrogation:
        """Read everything, in a new session; of the log only what comes ``after``. Raises: LinkLostError."""
        ...

    def digest_of(self, order: Order) -> str:
        """Hex digest of exactly the bytes that ``order`` would be sent as. Raises: NotRepresentableError."""
        ...

    def stage(self, *, txn: str, serial: str, base: Interrogation, order: Order, anchor: str) -> Sealed:
        """Send ``order`` as a draft and have it sealed and read back; the old program keeps running.

        Raises:
            WrongPumpError, StaleBaseError: nothing was sent.
            ReadBackDiffersError, PumpRefusedError: the draft is dead once resolved.
            CommandUncertainError, LinkLostError: resolve before anything else.
        """
        ...

    def commit(self, sealed: Sealed) -> Committed:
        """Carry out the sealed order. Sent once.

        Raises: CommandUncertainError, LinkLostError, PumpRefusedError: resolve before anything else.
        """
        ...

    def resolve(self, txn: str, serial: str) -> Resolution:
        """In a new session, ask the pump ``serial`` what became of ``txn``; afterwards a late COMMIT of it is refused
        for good.

        Raises: LinkLostError: still not known. WrongPumpError: another pump, which was not asked.
        """
        ...

    def close(self) -> None:
        """Let go of the link; never raises for a link that is already gone."""
        ...
