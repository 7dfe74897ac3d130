"""Carry out what a pump has sealed, once, and find out what became of it.

Law: a commit is sent once. Whatever happens to its answer, the pump is asked in a new session; what it then says is
a fact that can never change later, and until it has said something the result is not known.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from app.models.pump import (
    CommandUncertainError,
    Interrogation,
    LinkLostError,
    Outcome,
    PumpPort,
    PumpRefusedError,
    PumpSettings,
    Resolution,
    Sealed,
    WrongPumpError,
)

_log = logging.getLogger(__name__)

LOST = (CommandUncertainError, LinkLostError, WrongPumpError)
"""What leaves it open what the pump has done."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an order, and the reading that shows it (``None`` if the pump could not be read)."""

    outcome: Outcome
    reading: Interrogation | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was ordered of which pump. ``settings`` is ``None`` for an order that is done once."""

    txn: str
    serial: str
    digest: str
    settings: PumpSettings | None


def send_once(pump: PumpPort, sealed: Sealed, wanted: Wanted) -> Verdict:
    """Send the commit, once, and judge a fresh reading; if anything is lost on the way, ask. Never raises for it."""
    try:
        committed = pump.commit(sealed)
        reading = pump.interrogate()
    except (*LOST, PumpRefusedError) as lost:
        _log.warning("Order %s to pump %s: %s", wanted.txn, wanted.serial, type(lost).__name__)
        return ask_or_leave_open(pump, wanted)
    if reading.revision != committed.revision:
        return Verdict(Outcome.NOT_KNOWN, reading)
    return _judge(reading, wanted)


def ask_or_leave_open(pump: PumpPort, wanted: Wanted) -> Verdict:
    """Ask the pump; not known if it does not answer."""
    try:
        return ask(pump, wanted)
    except LOST:
        return Verdict(Outcome.NOT_KNOWN)


def ask(pump: PumpPort, wanted: Wanted) -> Verdict:
    """Ask the pump, in a new session, what became of an order; from then on it can never be carried out later.

    Raises: LinkLostError: still not known. WrongPumpError: another pump is at the end of the cable.
    """
    match pump.resolve(wanted.txn, wanted.serial):
        case Resolution.DEAD:
            return Verdict(Outcome.NOT_APPLIED, _read_if_possible(pump))
        case Resolution.COMMITTED:
            return _judge(pump.interrogate(), wanted)
        case Resolution.FORGOTTEN:
            return Verdict(Outcome.NOT_KNOWN)


def _read_if_possible(pump: PumpPort) -> Interrogation | None:
    """How the pump is now; the verdict does not hang on it."""
    try:
        return pump.interrogate()
    except (*LOST, PumpRefusedError):
        return None


def _judge(reading: Interrogation, wanted: Wanted) -> Verdict:
    """Compare a fresh reading with what was ordered: every setting of a program; of an order that is done once the
    pump's word that it carried it out is all there is."""
    settings = wanted.settings
    same = reading.identity.serial == wanted.serial and (
        settings is None or (reading.digest == wanted.digest and reading.settings == settings and not reading.reset)
    )
    return Verdict(Outcome.VERIFIED if same else Outcome.NOT_KNOWN, reading)
