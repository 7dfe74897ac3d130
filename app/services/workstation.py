"""What one workstation works with: the clinic's records, the catalogue, the clock, and the way to a pump.

Law: it is made once, in ``app.bootstrap``, and holds no state of its own; which port is used is its ports' desk's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.models.bench import BenchPort
from app.models.calendar_entry import WriteCalendar
from app.models.catalogue import Catalogue
from app.models.emergency import EmergencyBook
from app.models.exercises import ExerciseBook
from app.models.patient import Implant, User
from app.models.ports import ClinicStore
from app.models.presets import Preset
from app.models.pump import PumpPort
from app.models.vial import VialReader
from app.services.circumstances import CircumstanceDesk
from app.services.clinic_phone import PhoneDesk
from app.services.clock import Clock
from app.services.emergency import Emergencies
from app.services.guards import Guards
from app.services.mri import MriDesk
from app.services.new_pump import NewPumpDesk
from app.services.port_desk import PortDesk
from app.services.prescribing import Prescribing
from app.services.programming import Programming
from app.services.pump_events import PumpEvents
from app.services.refill import RefillDesk
from app.services.second_check import SecondCheckDesk
from app.services.tasks import TaskDesk
from app.services.working_days import WorkingDays


@dataclass(frozen=True, slots=True)
class Workstation:
    """``pump_at`` returns the port to a patient's pump, unconnected; its cable is opened at the port chosen then.

    ``bench_of`` is the other door to the emulated pumps of this process, whichever port is chosen.
    """

    store: ClinicStore
    catalogue: Catalogue
    clock: Clock
    desk: RefillDesk
    prescribing: Prescribing
    programming: Programming
    guards: Guards
    pump_at: Callable[[Implant], PumpPort]
    ports: PortDesk
    reports: Path
    circumstances: CircumstanceDesk
    working_days: WorkingDays
    write_calendar: WriteCalendar
    user: User
    bench_of: Callable[[Implant], BenchPort]
    exercises: ExerciseBook
    presets: tuple[Preset, ...]
    phones: PhoneDesk
    emergencies: Emergencies
    emergency_book: EmergencyBook
    checks: SecondCheckDesk
    tasks: TaskDesk
    events: PumpEvents
    scans: MriDesk
    new_pumps: NewPumpDesk
    vial_reader: VialReader

    @property
    def port_name(self) -> str:
        """The chosen port, for people."""
        chosen = self.ports.chosen
        return "Emulated pump, in this program" if chosen is None else chosen

    @property
    def emulated(self) -> bool:
        """Whether no real pump is at the chosen port."""
        return self.ports.emulated

    @property
    def bench_at(self) -> Callable[[Implant], BenchPort] | None:
        """``bench_of`` while the emulated pumps are used, else ``None``."""
        return self.bench_of if self.emulated else None
