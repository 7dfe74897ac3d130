"""The composition root: the only module that knows everybody.

Law: parts are made here and handed what they need; nothing here decides anything about a therapy.
"""

from __future__ import annotations

import argparse
import logging
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.device.bench_door import PumpBench
from app.device.client import PumpClient
from app.device.emulate import serve
from app.device.emulated_pump import EmulatedPump, VirtualClock, memory_of
from app.device.frames import bench_key
from app.device.port_list import find_ports
from app.device.protocols.protocol_itbemu import register_pumps
from app.device.pump_memory import MemoryFile
from app.device.server import PumpServer
from app.device.settings_codec import decode_settings, encode_settings, settings_digest
from app.device.transports import Loopback, Transport
from app.device.vial_image import texts_in
from app.device.worker_cable import open_transport
from app.documents.calendar import write_calendar
from app.documents.catalogue import load_catalogue
from app.documents.emergency import load_emergency
from app.documents.exercises import load_exercises
from app.documents.gs1 import read_scan
from app.documents.presets import load_presets
from app.documents.products import load_products
from app.documents.public_holidays import PublicHolidays
from app.documents.workstation_file import WorkstationFile
from app.models.catalogue import Catalogue
from app.models.clinic_phone import PhoneKeeper
from app.models.patient import Implant, User
from app.models.ports import NotOnRecordError
from app.models.program import Program, Stopped
from app.models.pump import PumpPort, PumpSettings
from app.models.quantities import Concentration, Volume
from app.models.records import TherapyRecord
from app.models.reservoir import theoretical_reservoir
from app.models.serial_ports import PortKeeper
from app.models.vial import VialReader
from app.models.working_days import RegionKeeper
from app.services.circumstances import CircumstanceDesk
from app.services.clinic_phone import PhoneDesk
from app.services.clock import Clock
from app.services.emergency import Emergencies
from app.services.guards import Guards
from app.services.mri import MriDesk
from app.services.new_pump import NewPumpDesk
from app.services.orders import Orders
from app.services.port_desk import PortDesk
from app.services.prescribing import Prescribing
from app.services.programming import Programming
from app.services.pump_events import PumpEvents
from app.services.refill import RefillDesk
from app.services.second_check import SecondCheckDesk
from app.services.tasks import TaskDesk
from app.services.therapy import delivery_since
from app.services.visit_rules import VisitRules
from app.services.working_days import WorkingDays
from app.services.workstation import Workstation
from app.store.clinic import SqlClinicStore
from app.store.demo_clinic import fill_with_demonstration
from app.store.keys import load_or_make_key
from app.store.open_store import open_store

PUMP_OFFSET = timedelta(hours=1)
"""Pump clocks stand at UTC+1 all year: a pump knows no daylight saving."""


def real_clock() -> Clock:
    """This workstation's clock."""
    return Clock(lambda: datetime.now(UTC), PUMP_OFFSET)


def default_folder() -> Path:
    """Where this user's data lie."""
    from platformdirs import user_data_path

    return user_data_path("cisterna", appauthor=False)


def open_clinic(data: Path, clock: Clock) -> SqlClinicStore:
    """Open the store in ``data``; an empty one gets the demonstration patients."""
    key = load_or_make_key(_key_path(data))
    store = open_store(data / "clinic.db", key)
    if not store.users():
        fill_with_demonstration(store, today=clock.pump().date())
    return store


def _key_path(data: Path) -> Path:
    """The key of a store in the usual place lies in the configuration folder, apart from it."""
    from platformdirs import user_config_path

    if data == default_folder():
        return user_config_path("cisterna", appauthor=False) / "store.key"
    return data.with_name(f"{data.name}.key")


def make_workstation(
    data: Path,
    *,
    clock: Clock,
    port: str | None = None,
    user: str | None = None,
    store: SqlClinicStore | None = None,
    keeper: PortKeeper | None = None,
    phone_keeper: PhoneKeeper | None = None,
    region_keeper: RegionKeeper | None = None,
) -> Workstation:
    """Put a workstation together.

    Args:
        data: the folder of store, reports and emulated pumps.
        port: the name of a serial port, or a ``socket://`` or ``itbemu://`` address, for this run; ``None`` for the
            one that ``keeper`` keeps, or else for emulated pumps in this process, each at its patient.
        user: the id of whoever works here; the first physician if ``None``.
        keeper: where the choice of a port outlives the program; without one it does not.
        phone_keeper: the same for the clinic's emergency number.
        region_keeper: the same for the country and region of the clinic's public holidays.

    Raises: NotOnRecordError: no such user.
    """
    store = store or open_clinic(data, clock)
    catalogue = load_catalogue()
    server_of = _emulated_pumps(data, store, catalogue, clock)
    _register_emulated_ports(data, store, catalogue, clock, server_of)

    def pump_on(port_of: Callable[[], str | None], implant: Implant) -> PumpPort:
        return PumpClient(
            lambda: _open_cable(server_of, port_of(), implant),
            bench_key(implant.serial),
            now=clock.utc,
            randomness=secrets.token_bytes,
        )

    prescribing = Prescribing(store, catalogue, clock, new_id, as_sent)
    working_days = WorkingDays(PublicHolidays(), region_keeper)
    products = load_products(catalogue)
    events = PumpEvents(store, catalogue, clock, new_id)
    rules = VisitRules(store, catalogue, clock, prescribing.last_order, events, working_days.why_free)
    second = SecondCheckDesk(store, clock, new_id, catalogue, lambda settings: as_sent(settings)[1])
    tasks = TaskDesk(store, catalogue, clock, new_id)
    desk = RefillDesk(store, catalogue, clock, new_id, rules, second, tasks)
    programming = Programming(store, clock, new_id, desk.require_allowed)
    ports = PortDesk(find_ports, keeper, pump_on, for_this_run=port)
    phones = PhoneDesk(phone_keeper)
    return Workstation(
        store=store,
        catalogue=catalogue,
        clock=clock,
        desk=desk,
        prescribing=prescribing,
        programming=programming,
        guards=Guards(store, programming, Orders(store, clock, new_id), clock),
        pump_at=lambda implant: pump_on(lambda: ports.chosen, implant),
        ports=ports,
        reports=data / "reports",
        circumstances=CircumstanceDesk(store, catalogue, clock, new_id),
        working_days=working_days,
        write_calendar=write_calendar,
        user=_user(store, user),
        bench_of=lambda implant: PumpBench(server_of(implant)),
        exercises=load_exercises(),
        presets=load_presets(),
        phones=phones,
        emergencies=Emergencies(store, catalogue, clock, phones),
        emergency_book=load_emergency(),
        checks=second,
        tasks=tasks,
        events=events,
        scans=MriDesk(store, catalogue, clock, new_id),
        new_pumps=NewPumpDesk(
            store, catalogue, clock, new_id, desk, tasks, lambda implant: pump_on(lambda: ports.chosen, implant)
        ),
        vial_reader=VialReader(lambda text: read_scan(text, products, clock.pump().date()), texts_in),
    )


def as_sent(settings: PumpSettings) -> tuple[PumpSettings, str]:
    """Settings decoded from the bytes that a pump would be sent, and those bytes' digest.

    Raises: NotRepresentableError.
    """
    raw = encode_settings(settings)
    return decode_settings(raw), settings_digest(raw).hex()


def new_id() -> str:
    """32 random hex digits."""
    return secrets.token_hex(16)


def _user(store: SqlClinicStore, wanted: str | None) -> User:
    users = store.users()
    physicians = [user for user in users if user.role.value == "physician"]
    chosen = [user for user in users if user.id == wanted] if wanted else physicians or list(users)
    if not chosen:
        raise NotOnRecordError(kind="user", id=wanted)
    return chosen[0]


def _emulated_pumps(
    data: Path, store: SqlClinicStore, catalogue: Catalogue, clock: Clock
) -> Callable[[Implant], PumpServer]:
    """The pumps of this process: one for each serial number, made when it is first asked for."""
    servers: dict[str, PumpServer] = {}
    making = threading.Lock()

    def server_of(implant: Implant) -> PumpServer:
        with making:
            if implant.serial not in servers:
                pump = make_emulated_pump(data, store, catalogue, clock, implant)
                servers[implant.serial] = PumpServer(pump, bench_key(implant.serial))
            return servers[implant.serial]

    return server_of


def _register_emulated_ports(
    data: Path,
    store: SqlClinicStore,
    catalogue: Catalogue,
    clock: Clock,
    server_of: Callable[[Implant], PumpServer],
) -> None:
    """Make every pump on record a port that pyserial opens: ``itbemu://SERIAL?model=…&speed=…&state=…``.

    Without options it is the very pump that this process has at its patient.
    """

    def make(number: str, options: Mapping[str, str]) -> PumpServer:
        on_record = (record.implant for record in store.therapies(number))
        implant = next((found for found in on_record if found is not None and found.serial == number), None)
        if implant is None:
            raise NotOnRecordError(kind="pump", id=number)
        if not options:
            return server_of(implant)
        implant = replace(implant, pump_model=options.get("model", implant.pump_model))
        state, speed = options.get("state"), float(options.get("speed", 1))
        made = make_emulated_pump(
            data, store, catalogue, clock, implant, state=Path(state) if state else None, speed=speed
        )
        return PumpServer(made, bench_key(number))

    register_pumps(make)


def _open_cable(server_of: Callable[[Implant], PumpServer], port: str | None, implant: Implant) -> Transport:
    """The cable at ``port``, or to this process's own pump of that patient. Raises: LinkLostError."""
    if port is not None:
        return open_transport(port)
    server = server_of(implant)
    server.hang_up()
    return Loopback(server.feed)


def make_emulated_pump(
    data: Path,
    store: SqlClinicStore,
    catalogue: Catalogue,
    clock: Clock,
    implant: Implant,
    *,
    state: Path | None = None,
    speed: float = 1.0,
) -> EmulatedPump:
    """An emulated pump as the record says it must be; what it has done since lies in its own memory file."""
    model = catalogue.pump(implant.pump_model)
    path = state or data / "emulated" / f"{implant.serial}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    record = store.therapy(implant.patient_id)
    if record.implant is not None and record.implant.id != implant.id:
        record = replace(record, fill=None, programs=())  # a pump that was not implanted yet comes from its box
    settings, since, volume = _as_on_record(record, clock, catalogue)
    return EmulatedPump(
        implant.serial,
        model,
        VirtualClock(clock.pump(), time.monotonic, speed=speed),
        memory_file=MemoryFile(path),
        made=memory_of(settings, since=since, volume=volume, revision=len(store.programs(implant.id)) or 1),
        randomness=secrets.token_bytes,
        implanted_on=datetime.combine(implant.implanted_on, datetime.min.time()),
    )


def _as_on_record(record: TherapyRecord, clock: Clock, catalogue: Catalogue) -> tuple[PumpSettings, datetime, Volume]:
    """The program that runs, since when, and what was then in the reservoir."""
    if record.implant is None or record.fill is None or not record.programs:
        drug = catalogue.drug("baclofen")
        first: Concentration = drug.pump_concentrations[0]
        return PumpSettings(drug.slug, first, Program(Stopped()), Volume.zero()), clock.pump(), Volume.zero()
    latest = record.programs[-1]
    model = catalogue.pump(record.implant.pump_model)
    since = max(latest.effective_at, record.fill.at)
    spans, boluses = delivery_since(record.fill, record.programs, model, until=since)
    left = theoretical_reservoir(record.fill.volume, spans, boluses=boluses)
    return latest.settings, since, left.volume


def open_window(arguments: argparse.Namespace) -> int:
    """Open the window and stay until it is closed."""
    from PySide6.QtWidgets import QApplication

    from app.ui.main_window import MainWindow
    from app.ui.theme import DARK, HIGH_CONTRAST, LIGHT, apply_theme

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    app = QApplication(sys.argv[:1])
    app.setApplicationName("Cisterna")
    themes = {"light": LIGHT, "dark": DARK, "high-contrast": HIGH_CONTRAST}
    apply_theme(app, themes[getattr(arguments, "theme", "light")])
    data = Path(getattr(arguments, "data", None) or default_folder())
    port, user = getattr(arguments, "port", None), getattr(arguments, "user", None)
    kept = WorkstationFile(data)
    station = make_workstation(
        data, clock=real_clock(), port=port, user=user, keeper=kept, phone_keeper=kept, region_keeper=kept
    )
    window = MainWindow(station)
    window.show()
    return app.exec()


def serve_pump(arguments: argparse.Namespace) -> int:
    """Put one patient's pump on a cable of its own, until the process is ended."""
    clock = real_clock()
    data = Path(arguments.data or default_folder())
    store = open_clinic(data, clock)
    found = [record.implant for record in store.therapies(arguments.serial) if record.implant is not None]
    if not found or found[0].serial != arguments.serial:
        print(f"No pump {arguments.serial} is on record in {data}.", file=sys.stderr)
        return 2
    state = Path(arguments.state) if arguments.state else None
    pump = make_emulated_pump(data, store, load_catalogue(), clock, found[0], state=state, speed=arguments.speed)
    pump.must_stop = arguments.must_stop
    store.close()
    stop = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: stop.set())
    serve(
        PumpServer(pump, bench_key(pump.serial)),
        tcp=arguments.tcp,
        control=arguments.control,
        announce=lambda words: print(words, flush=True),
        stop=stop,
    )
    return 0
