"""Pump settings as bytes: what goes into the pump, and what its digest is taken over.

Law: one encoding for each value, and nothing is ever rounded to fit; a dose finer than 1 ng, a concentration
finer than 1 ng/mL or a volume finer than 1 nL is refused before anything is sent. Layout: ``docs/wire-protocol.md``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from app.models.errors import AppError
from app.models.program import (
    Bolus,
    ConstantFlow,
    DayPlan,
    Flex,
    InvalidProgramError,
    MinimumRate,
    OneTimeBolus,
    OneTimeKind,
    PatientActivated,
    PeriodicBolus,
    Program,
    SimpleContinuous,
    Step,
    Stopped,
    Weekday,
)
from app.models.pump import NotRepresentableError, PumpSettings
from app.models.quantities import Concentration, DoseRate, Mass, Volume

VERSION = 1
LONGEST = 4000
"""Most bytes of encoded settings; more would not fit one frame with its read-back."""

YG_PER_NG = 10**15
FG_PER_NG = 10**6
PL_PER_NL = 10**3

SIMPLE, FLEX, PERIODIC, MINIMUM, STOPPED = 1, 2, 3, 4, 5


class BadSettingsError(AppError):
    """These bytes are not the encoding of any settings."""


def settings_digest(raw: bytes) -> bytes:
    """SHA-256 of a fixed prefix and the encoded settings: the pump's state digest."""
    return hashlib.sha256(b"cisterna settings" + raw).digest()


def encode_settings(settings: PumpSettings) -> bytes:
    """The bytes that the pump is told. Raises: NotRepresentableError."""
    raw = b"".join(_settings(settings))
    if len(raw) > LONGEST:
        raise NotRepresentableError(field="program length", value=len(raw))
    return raw


def _settings(settings: PumpSettings) -> Iterator[bytes]:
    yield bytes((VERSION,))
    drug = settings.drug.encode()
    yield _number("drug", len(drug), 1) + drug
    yield _whole("concentration", settings.concentration.quanta, FG_PER_NG, 8)
    yield _whole("low_alarm", settings.low_alarm.quanta, PL_PER_NL, 8)
    if settings.reservoir is None:
        yield b"\x00"
    else:
        yield b"\x01" + _whole("reservoir", settings.reservoir.quanta, PL_PER_NL, 8)
    yield b"\x00" if settings.bridge is None else b"\x01" + _bridge(settings.bridge)
    yield from _program(settings.program)


def _bridge(bridge: OneTimeBolus) -> bytes:
    if bridge.kind is not OneTimeKind.BRIDGE:
        raise NotRepresentableError(field="bridge", value=bridge.kind.value)
    return _whole("bridge", bridge.volume.quanta, PL_PER_NL, 8) + _number("bridge", bridge.duration_min, 4)


def _program(program: Program) -> Iterator[bytes]:
    match program.delivery:
        case SimpleContinuous(daily_dose=dose):
            yield bytes((SIMPLE,)) + _whole("daily dose", dose.quanta, YG_PER_NG, 8)
        case Flex(plans=plans):
            yield bytes((FLEX,)) + _number("day plans", len(plans), 1)
            for plan in plans:
                yield from _plan(plan)
        case PeriodicBolus() as periodic:
            yield bytes((PERIODIC,)) + _whole("basal rate", periodic.basal.quanta, YG_PER_NG, 8)
            yield _whole("periodic bolus", periodic.dose.quanta, YG_PER_NG, 8)
            yield _number("duration", periodic.duration_min, 2) + _number("interval", periodic.every_min, 4)
            yield _number("first bolus", periodic.first_at, 2)
        case MinimumRate():
            yield bytes((MINIMUM,))
        case Stopped():
            yield bytes((STOPPED,))
        case ConstantFlow():
            raise NotRepresentableError(field="mode", value="constant flow")
    patient = program.patient_activated
    yield b"\x00" if patient is None else b"\x01" + _patient(patient)


def _plan(plan: DayPlan) -> Iterator[bytes]:
    yield bytes((sum(1 << day for day in plan.days),))
    yield _whole("basal rate", plan.basal.quanta, YG_PER_NG, 8)
    for pulses in (plan.boluses, plan.steps):
        yield _number("changes", len(pulses), 1)
        for pulse in pulses:
            yield _number("time", pulse.at, 2) + _number("duration", pulse.duration_min, 2)
            yield _whole("dose", pulse.dose.quanta, YG_PER_NG, 8)


def _patient(patient: PatientActivated) -> bytes:
    return (
        _whole("patient-activated bolus", patient.dose.quanta, YG_PER_NG, 8)
        + _number("duration", patient.duration_min, 2)
        + _number("lockout", patient.lockout_min, 2)
        + _number("boluses a day", patient.max_per_day, 1)
    )


def _whole(name: str, quanta: int, per_wire: int, size: int) -> bytes:
    wire, rest = divmod(quanta, per_wire)
    if rest:
        raise NotRepresentableError(field=name, value=quanta)
    return _number(name, wire, size)


def _number(name: str, value: int, size: int) -> bytes:
    try:
        return value.to_bytes(size, "big")
    except OverflowError:
        raise NotRepresentableError(field=name, value=value) from None


def decode_settings(raw: bytes) -> PumpSettings:
    """What the pump was told. Raises: BadSettingsError."""
    reader = _Reader(raw)
    try:
        settings = _read_settings(reader)
        same = encode_settings(settings) == raw
    except (IndexError, InvalidProgramError, NotRepresentableError, UnicodeDecodeError):
        raise BadSettingsError(position=reader.position) from None
    if not same:
        raise BadSettingsError(position=reader.position)
    return settings


def _read_settings(reader: _Reader) -> PumpSettings:
    if reader.number(1) != VERSION:
        raise BadSettingsError(position=0)
    return PumpSettings(
        drug=reader.take(reader.number(1)).decode(),
        concentration=Concentration(reader.number(8) * FG_PER_NG),
        low_alarm=Volume(reader.number(8) * PL_PER_NL),
        reservoir=Volume(reader.number(8) * PL_PER_NL) if reader.flag() else None,
        bridge=(
            OneTimeBolus(OneTimeKind.BRIDGE, Volume(reader.number(8) * PL_PER_NL), reader.number(4))
            if reader.flag()
            else None
        ),
        program=_read_program(reader),
    )


def _read_program(reader: _Reader) -> Program:
    return Program(
        delivery=_read_delivery(reader),
        patient_activated=(
            PatientActivated(
                dose=reader.mass(),
                duration_min=reader.number(2),
                lockout_min=reader.number(2),
                max_per_day=reader.number(1),
            )
            if reader.flag()
            else None
        ),
    )


def _read_delivery(reader: _Reader) -> SimpleContinuous | Flex | PeriodicBolus | MinimumRate | Stopped:
    mode = reader.number(1)
    if mode == SIMPLE:
        return SimpleContinuous(reader.rate())
    if mode == FLEX:
        return Flex(tuple(_read_plan(reader) for _ in range(reader.number(1))))
    if mode == PERIODIC:
        return PeriodicBolus(
            basal=reader.rate(),
            dose=reader.mass(),
            duration_min=reader.number(2),
            every_min=reader.number(4),
            first_at=reader.number(2),
        )
    if mode == MINIMUM:
        return MinimumRate()
    if mode == STOPPED:
        return Stopped()
    raise BadSettingsError(position=reader.position)


def _read_plan(reader: _Reader) -> DayPlan:
    days = reader.number(1)
    return DayPlan(
        days=tuple(day for day in Weekday if days >> day & 1),
        basal=reader.rate(),
        boluses=tuple(Bolus(at=at, duration_min=minutes, dose=dose) for at, minutes, dose in _read_pulses(reader)),
        steps=tuple(Step(at=at, duration_min=minutes, dose=dose) for at, minutes, dose in _read_pulses(reader)),
    )


def _read_pulses(reader: _Reader) -> list[tuple[int, int, Mass]]:
    return [(reader.number(2), reader.number(2), reader.mass()) for _ in range(reader.number(1))]


class _Reader:
    """Takes values off the front; running past the end is an ``IndexError``."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.position = 0

    def take(self, length: int) -> bytes:
        part = self._raw[self.position : self.position + length]
        if len(part) != length:
            raise IndexError
        self.position += length
        return part

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def flag(self) -> bool:
        # Another mark than 0 or 1 is found when the settings are encoded again.
        return self.number(1) == 1

    def mass(self) -> Mass:
        return Mass(self.number(8) * YG_PER_NG)

    def rate(self) -> DoseRate:
        return DoseRate(self.number(8) * YG_PER_NG)
