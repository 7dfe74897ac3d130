"""The second decoder: what the pump read back, field by field, compared with what was to be sent.

Law: it shares no code with ``settings_codec``, walks the bytes with ``struct`` alone, and compares numbers in the
wire's own quanta. A field that was not read is a difference, and so is one that nobody sent.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction

from app.models.program import (
    Bolus,
    Flex,
    MinimumRate,
    OneTimeBolus,
    OneTimeKind,
    PeriodicBolus,
    SimpleContinuous,
    Step,
    Stopped,
)
from app.models.pump import Alarm, Order, PumpSettings, SilenceAlarms, StepClock

Field = tuple[str, int | Fraction | str | None]

_NOT_THERE = object()


_ALARM_ORDER = (
    Alarm.LOW_RESERVOIR,
    Alarm.ERI,
    Alarm.MEMORY_ERROR,
    Alarm.EMPTY_RESERVOIR,
    Alarm.END_OF_SERVICE,
    Alarm.MOTOR_STALL,
    Alarm.STOPPED_TOO_LONG,
    Alarm.CRITICAL_MEMORY_ERROR,
    Alarm.LOW_BATTERY_RESET,
)
"""From the lowest bit up."""


def differences(sent: Order, raw: bytes) -> tuple[str, ...]:
    """The names of all fields in which ``raw`` is not ``sent``; empty if it is the same in every field."""
    try:
        found = dict(walk(raw) if isinstance(sent, PumpSettings) else _walk_once(sent, raw))
    except (struct.error, ValueError):
        return ("unreadable",)
    wanted = dict(_wanted(sent) if isinstance(sent, PumpSettings) else _wanted_once(sent))
    names = (*wanted, *(name for name in found if name not in wanted))
    return tuple(name for name in names if wanted.get(name, _NOT_THERE) != found.get(name, _NOT_THERE))


def walk(raw: bytes) -> Iterator[Field]:
    """Yield (name, number or text) of every field in the bytes, in order; no name comes twice.

    Raises: struct.error, ValueError: these are not settings.
    """
    place = 0

    def read(layout: str) -> tuple[int, ...]:
        nonlocal place
        values = struct.unpack_from(">" + layout, raw, place)
        place += struct.calcsize(">" + layout)
        return values

    def present() -> bool:
        (mark,) = read("B")
        if mark not in (0, 1):
            raise ValueError("neither there nor not there")
        return mark == 1

    version, length = read("BB")
    yield "version", version
    yield "drug", str(struct.unpack_from(f"{length}s", raw, place)[0], "utf-8")
    place += length
    yield from zip(("concentration", "low-reservoir alarm"), read("QQ"), strict=True)
    yield "reservoir", read("Q")[0] if present() else None
    if present():
        yield from zip(("bridge volume", "bridge duration"), read("QI"), strict=True)
    (mode,) = read("B")
    yield "mode", mode
    if mode == 1:
        yield "daily dose", read("Q")[0]
    elif mode == 2:
        for plan in range(1, read("B")[0] + 1):
            yield from zip((f"plan {plan} days", f"plan {plan} basal rate"), read("BQ"), strict=True)
            for kind in ("bolus", "step"):
                for count in range(1, read("B")[0] + 1):
                    yield from zip(_pulse_names(plan, kind, count), read("HHQ"), strict=True)
    elif mode == 3:
        periodic = ("basal rate", "bolus dose", "bolus duration", "interval", "first bolus")
        yield from zip(periodic, read("QQHIH"), strict=True)
    if present():
        patient = ("patient bolus dose", "patient bolus duration", "lockout", "patient boluses a day")
        yield from zip(patient, read("QHHB"), strict=True)
    if place != len(raw):
        raise ValueError("bytes left over")


def _walk_once(sent: Order, raw: bytes) -> Iterator[Field]:
    """The fields of an order that is done once, which must be of the kind of ``sent``."""
    match sent:
        case OneTimeBolus():
            yield from zip(("kind", "volume", "duration"), struct.unpack(">BQI", raw), strict=True)
        case StepClock():
            back, seconds = struct.unpack(">BI", raw)
            yield "seconds", -seconds if back == 1 else seconds
            yield "direction", back
        case SilenceAlarms():
            yield "alarms", struct.unpack(">H", raw)[0]
        case _:
            yield "length", len(raw)


def _wanted_once(sent: Order) -> Iterator[Field]:
    match sent:
        case OneTimeBolus():
            yield "kind", {OneTimeKind.SINGLE: 1, OneTimeKind.PRIMING: 2}.get(sent.kind)
            yield "volume", sent.volume.in_ml * 10**6
            yield "duration", sent.duration_min
        case StepClock():
            yield "seconds", sent.seconds
            yield "direction", int(sent.seconds < 0)
        case SilenceAlarms():
            yield "alarms", sum(2**place for place, alarm in enumerate(_ALARM_ORDER) if alarm in sent.alarms)
        case _:
            yield "length", 0


def _wanted(sent: PumpSettings) -> Iterator[Field]:
    """The same fields from the settings themselves, in ng, ng/mL and nL."""
    yield "version", 1
    yield "drug", sent.drug
    yield "concentration", sent.concentration.in_mcg_per_ml * 1000
    yield "low-reservoir alarm", sent.low_alarm.in_ml * 10**6
    yield "reservoir", None if sent.reservoir is None else sent.reservoir.in_ml * 10**6
    if sent.bridge is not None:
        yield "bridge volume", sent.bridge.volume.in_ml * 10**6
        yield "bridge duration", sent.bridge.duration_min
    yield from _wanted_delivery(sent)
    patient = sent.program.patient_activated
    if patient is not None:
        yield "patient bolus dose", patient.dose.in_mcg * 1000
        yield "patient bolus duration", patient.duration_min
        yield "lockout", patient.lockout_min
        yield "patient boluses a day", patient.max_per_day


def _wanted_delivery(sent: PumpSettings) -> Iterator[Field]:
    delivery = sent.program.delivery
    modes = {SimpleContinuous: 1, Flex: 2, PeriodicBolus: 3, MinimumRate: 4, Stopped: 5}
    yield "mode", modes.get(type(delivery))
    if isinstance(delivery, SimpleContinuous):
        yield "daily dose", delivery.daily_dose.in_mcg_per_day * 1000
    elif isinstance(delivery, PeriodicBolus):
        yield "basal rate", delivery.basal.in_mcg_per_day * 1000
        yield "bolus dose", delivery.dose.in_mcg * 1000
        yield "bolus duration", delivery.duration_min
        yield "interval", delivery.every_min
        yield "first bolus", delivery.first_at
    elif isinstance(delivery, Flex):
        for number, plan in enumerate(delivery.plans, start=1):
            yield f"plan {number} days", sum(2**day for day in plan.days)
            yield f"plan {number} basal rate", plan.basal.in_mcg_per_day * 1000
            yield from _wanted_pulses(number, "bolus", plan.boluses)
            yield from _wanted_pulses(number, "step", plan.steps)


def _wanted_pulses(plan: int, kind: str, pulses: Sequence[Bolus | Step]) -> Iterator[Field]:
    for count, pulse in enumerate(pulses, start=1):
        values = (pulse.at, pulse.duration_min, pulse.dose.in_mcg * 1000)
        yield from zip(_pulse_names(plan, kind, count), values, strict=True)


def _pulse_names(plan: int, kind: str, count: int) -> tuple[str, str, str]:
    place = f"plan {plan} {kind} {count}"
    return f"{place} time", f"{place} duration", f"{place} dose"
