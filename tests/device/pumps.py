"""Pumps and programs at the end of a cable, for tests of the device side."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction

from app.device.client import PumpClient
from app.device.emulated_pump import EmulatedPump, VirtualClock, memory_of
from app.device.frames import bench_key
from app.device.pump_memory import MemoryFile
from app.device.server import PumpServer
from app.device.transports import Transport
from app.models.program import (
    Bolus,
    DayPlan,
    Flex,
    OneTimeBolus,
    OneTimeKind,
    PatientActivated,
    Program,
    SimpleContinuous,
    Step,
    Weekday,
)
from app.models.pump import PumpSettings
from app.models.quantities import Concentration, DoseRate, Mass, Volume
from tests.models.pumps import synchromed_ii

SERIAL = "CIS000042"
PUMP_TIME = datetime(2026, 3, 2, 9, 30)
WORKSTATION_TIME = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
TXN = "a1" * 16
ANCHOR = "c3" * 32

RUNNING = PumpSettings(
    drug="baclofen",
    concentration=Concentration.mcg_per_ml(2000),
    program=Program(SimpleContinuous(DoseRate.mcg_per_day(200))),
    low_alarm=Volume.ml(2),
    reservoir=Volume.ml(20),
)
"""200 mcg a day of 2000 mcg/mL, from a full 20 mL."""

WANTED = PumpSettings(
    drug="baclofen",
    concentration=Concentration.mcg_per_ml(2000),
    program=Program(
        Flex(
            (
                DayPlan(
                    days=(Weekday.MON, Weekday.TUE, Weekday.WED, Weekday.THU, Weekday.FRI),
                    basal=DoseRate.mcg_per_day(Fraction("216.3")),
                    boluses=(Bolus(at=450, dose=Mass.mcg(Fraction("12.5")), duration_min=5),),
                    steps=(Step(at=1320, duration_min=480, dose=Mass.mcg(96)),),
                ),
                DayPlan(days=(Weekday.SAT, Weekday.SUN), basal=DoseRate.mcg_per_day(240)),
            )
        ),
        PatientActivated(dose=Mass.mcg(10), duration_min=3, lockout_min=240, max_per_day=4),
    ),
    low_alarm=Volume.ml(Fraction("2.5")),
    reservoir=Volume.ml(Fraction("19.75")),
    bridge=OneTimeBolus(OneTimeKind.BRIDGE, Volume.ml(Fraction("0.199")), 1433),
)
"""Every kind of field that the wire knows, but the other modes."""


def seeded(seed: int = 7) -> Callable[[int], bytes]:
    """Bytes that are random, and the same in each run."""
    return random.Random(seed).randbytes


def make_server(*, serial: str = SERIAL, key: bytes | None = None) -> PumpServer:
    """A pump whose clock stands still at :data:`PUMP_TIME`."""
    pump = EmulatedPump(
        serial,
        synchromed_ii(),
        VirtualClock(PUMP_TIME, lambda: 0.0),
        memory_file=MemoryFile(),
        made=memory_of(RUNNING, since=datetime(2026, 2, 20, 9, 30), volume=Volume.ml(20)),
        randomness=seeded(1),
    )
    return PumpServer(pump, bench_key(serial) if key is None else key)


def make_client(open_transport: Callable[[], Transport], *, key: bytes | None = None) -> PumpClient:
    """A client that expects :data:`SERIAL`, whose clock stands still at :data:`WORKSTATION_TIME`."""
    return PumpClient(
        open_transport, bench_key(SERIAL) if key is None else key, now=lambda: WORKSTATION_TIME, randomness=seeded(2)
    )
