"""Orders as bytes: what one transaction carries, whether it is a program or something that is done once.

Law: one encoding for each order; its digest also covers what kind of order it is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from app.device.messages import ALARM_BITS
from app.device.settings_codec import BadSettingsError, decode_settings, encode_settings, settings_digest
from app.device.wire_fields import BadMessageError, decode_fields, encode_fields
from app.models.program import OneTimeBolus, OneTimeKind
from app.models.pump import (
    NotRepresentableError,
    Order,
    PumpSettings,
    ResumeDelivery,
    SilenceAlarms,
    StepClock,
    StopDelivery,
)
from app.models.quantities import Volume

_PL_PER_NL = 1000


class What(IntEnum):
    """The kinds of order, as BEGIN names them."""

    SETTINGS = 1
    BOLUS = 2
    STOP = 3
    RESUME = 4
    STEP_CLOCK = 5
    SILENCE = 6


BOLUS_KINDS = {OneTimeKind.SINGLE: 1, OneTimeKind.PRIMING: 2}
"""A bridge is no order of its own: it belongs to the program that waits for it."""


class BadOrderError(BadSettingsError):
    """Bytes that are not exactly one order."""


@dataclass(frozen=True, slots=True)
class _Bolus:
    kind: Annotated[int, "u8"]
    volume_nl: Annotated[int, "u64"]
    duration_min: Annotated[int, "u32"]


@dataclass(frozen=True, slots=True)
class _Step:
    back: Annotated[bool, "flag"]
    seconds: Annotated[int, "u32"]


@dataclass(frozen=True, slots=True)
class _Alarms:
    bits: Annotated[int, "u16"]


def what_of(order: Order) -> What:
    """Which kind of order it is."""
    match order:
        case PumpSettings():
            return What.SETTINGS
        case OneTimeBolus():
            return What.BOLUS
        case StopDelivery():
            return What.STOP
        case ResumeDelivery():
            return What.RESUME
        case StepClock():
            return What.STEP_CLOCK
        case SilenceAlarms():
            return What.SILENCE


def order_digest(what: int, raw: bytes) -> bytes:
    """32 bytes that name exactly this order."""
    if what == What.SETTINGS:
        return settings_digest(raw)
    return hashlib.sha256(b"cisterna order" + bytes((what,)) + raw).digest()


def encode_order(order: Order) -> bytes:
    """The bytes of an order. Raises: NotRepresentableError: nothing is ever rounded to fit."""
    try:
        match order:
            case PumpSettings():
                return encode_settings(order)
            case OneTimeBolus():
                return encode_fields(_bolus(order))
            case StepClock(seconds=seconds):
                return encode_fields(_Step(seconds < 0, abs(seconds)))
            case SilenceAlarms(alarms=alarms):
                return encode_fields(_Alarms(sum({ALARM_BITS[alarm] for alarm in alarms})))
            case StopDelivery() | ResumeDelivery():
                return b""
    except BadMessageError as bad:
        raise NotRepresentableError(field="order", value=str(bad.values.get("value"))) from None


def _bolus(bolus: OneTimeBolus) -> _Bolus:
    volume, rest = divmod(bolus.volume.quanta, _PL_PER_NL)
    if rest:
        raise NotRepresentableError(field="volume", value=bolus.volume.quanta)
    if bolus.kind not in BOLUS_KINDS:
        raise NotRepresentableError(field="kind", value=bolus.kind.value)
    return _Bolus(BOLUS_KINDS[bolus.kind], volume, bolus.duration_min)


def decode_order(what: int, raw: bytes) -> Order:
    """The order in exactly these bytes. Raises: BadSettingsError."""
    try:
        match what:
            case What.SETTINGS:
                return decode_settings(raw)
            case What.BOLUS:
                return _read_bolus(decode_fields(_Bolus, raw))
            case What.STEP_CLOCK:
                return _read_step(decode_fields(_Step, raw))
            case What.SILENCE:
                return _read_alarms(decode_fields(_Alarms, raw).bits)
            case What.STOP | What.RESUME if raw == b"":
                return StopDelivery() if what == What.STOP else ResumeDelivery()
    except BadMessageError as bad:
        raise BadOrderError(**bad.values) from None
    raise BadOrderError(problem="kind", kind=what)


def _read_bolus(found: _Bolus) -> OneTimeBolus:
    kinds = {number: kind for kind, number in BOLUS_KINDS.items()}
    if found.kind not in kinds or not found.volume_nl or not found.duration_min:
        raise BadOrderError(problem="bolus")
    return OneTimeBolus(kinds[found.kind], Volume(found.volume_nl * _PL_PER_NL), found.duration_min)


def _read_step(found: _Step) -> StepClock:
    if not found.seconds:
        raise BadOrderError(problem="clock")
    return StepClock(-found.seconds if found.back else found.seconds)


def _read_alarms(bits: int) -> SilenceAlarms:
    alarms = tuple(alarm for alarm, bit in ALARM_BITS.items() if bits & bit)
    if not alarms or sum(ALARM_BITS[alarm] for alarm in alarms) != bits:
        raise BadOrderError(problem="alarms")
    return SilenceAlarms(alarms)
