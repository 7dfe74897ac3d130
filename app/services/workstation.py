"""What one workstation works with: the clinic's records, the catalogue, the clock, and the way to a pump.

Law: it is made once, in ``app.bootstrap``, and holds no state of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.models.bench import BenchPort
from app.models.catalogue import Catalogue
from app.models.exercises import ExerciseBook
from app.models.patient import Implant, User
from app.models.ports import ClinicStore
from app.models.pump import PumpPort
from app.services.clock import Clock
from app.services.programming import Programming
from app.services.refill import RefillDesk


@dataclass(frozen=True, slots=True)
class Workstation:
    """``pump_at`` returns the port to a patient's pump, unconnected; ``emulated`` says that no real pump is there.

    ``bench_at`` is the other door to the emulated pump of this process, and ``None`` where there is none.
    """

    store: ClinicStore
    catalogue: Catalogue
    clock: Clock
    desk: RefillDesk
    programming: Programming
    pump_at: Callable[[Implant], PumpPort]
    port_name: str
    emulated: bool
    reports: Path
    user: User
    bench_at: Callable[[Implant], BenchPort] | None
    exercises: ExerciseBook
