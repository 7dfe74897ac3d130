"""The second decoder: what the pump read back, field by field, compared with what was to be sent.

Law: it shares no code with ``settings_codec``, walks the bytes with ``struct`` alone, and compares numbers in the
wire's own quanta. A field that was not read is a difference.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from itertools import zip_longest

from app.models.program import Bolus, Flex, MinimumRate, PeriodicBolus, SimpleContinuous, Step, Stopped
from app.models.pump import PumpSettings

Field = tuple[str, object]


def differences(sent: PumpSettings, raw: bytes) -> tuple[str, ...]:
    """The names of all fields in which ``raw`` is not ``sent``; empty if it is the same in every field."""
    try:
        found = list(walk(raw))
    except (struct.error, UnicodeDecodeError, ValueError):
        return ("unreadable",)
    names = []
    for wanted, read in zip_longest(_wanted(sent), found):
        if wanted != read:
            names.append((wanted or read or ("unreadable", None))[0])
    return tuple(dict.fromkeys(names))


def walk(raw: bytes) -> Iterator[Field]:
    """Yield (name, number or text) of every field in the bytes, in order.

    Raises: struct.error, UnicodeDecodeError, ValueError: these are not settings.
    """
    place = 0

    def read(layout: str) -> tuple[int, ...]:
        nonlocal place
        values = struct.unpack_from(">" + layout, raw, place)
        place += struct.calcsize(">" + layout)
        return values

    version, length = read("BB")
    yield "version", version
    drug = raw[place : place + length].decode()
    place += length
    yield "drug", drug
    for name in ("concentration", "low-reservoir alarm"):
        yield name, read("Q")[0]
    yield "reservoir", read("Q")[0] if read("B")[0] else None
    if read("B")[0]:
        yield from zip(("bridge volume", "bridge duration"), read("QI"), strict=True)
    (mode,) = read("B")
    yield "mode", mode
    if mode == 1:
        yield "daily dose", read("Q")[0]
    elif mode == 2:
        for _ in range(read("B")[0]):
            days, basal = read("BQ")
            yield "days", days
            yield "basal rate", basal
            for kind in ("bolus", "step"):
                for _ in range(read("B")[0]):
                    yield from zip((f"{kind} time", f"{kind} duration", f"{kind} dose"), read("HHQ"), strict=True)
    elif mode == 3:
        names = ("basal rate", "bolus dose", "bolus duration", "interval", "first bolus")
        yield from zip(names, read("QQHIH"), strict=True)
    if read("B")[0]:
        patient = ("patient bolus dose", "patient bolus duration", "lockout", "patient boluses a day")
        yield from zip(patient, read("QHHB"), strict=True)
    if place != len(raw):
        raise ValueError("bytes left over")


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
        for plan in delivery.plans:
            yield "days", sum(2**day for day in plan.days)
            yield "basal rate", plan.basal.in_mcg_per_day * 1000
            for bolus in plan.boluses:
                yield from _wanted_pulse("bolus", bolus)
            for step in plan.steps:
                yield from _wanted_pulse("step", step)


def _wanted_pulse(kind: str, pulse: Bolus | Step) -> Iterator[tuple[str, int | Fraction]]:
    yield f"{kind} time", pulse.at
    yield f"{kind} duration", pulse.duration_min
    yield f"{kind} dose", pulse.dose.in_mcg * 1000
