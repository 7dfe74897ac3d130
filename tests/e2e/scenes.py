"""What tests of incidents and recalls put on the table: a patient on a given therapy, and a window with its pump."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.bootstrap import open_clinic
from app.models.program import Delivery, Program, SimpleContinuous
from app.models.pump import PumpSettings
from app.models.quantities import Concentration, DoseRate, Volume
from app.models.records import AuditEntry, Fill, ProgramRecord, ProgramState
from app.models.refill_visit import Step
from app.services.clock import Clock
from app.ui.main_window import MainWindow
from tests.services.bench import NOW, PATIENT, Bench

NUMBER, BORN = "50-0918", date(1957, 5, 3)
"""The two identifiers of :data:`PATIENT`, Johanna van der Meulen."""
IMPLANT = "implant-heetla-1"
PUMP_NOW = datetime(2026, 11, 20, 10)
"""The bench's moment on the pump's clock."""


def simple(mcg: str | int) -> Program:
    return Program(SimpleContinuous(DoseRate.mcg_per_day(Fraction(mcg))))


def ml(volume: str | int) -> Volume:
    return Volume.ml(Fraction(volume))


def bench_on(
    folder: Path, delivery: Delivery, *, concentration: int = 1000, volume: str = "18", days_ago: int = 10
) -> Bench:
    """A bench whose patient was filled and programmed so, so many days ago at this time of day."""
    clock, at = Clock(lambda: NOW, timedelta(hours=1)), PUMP_NOW - timedelta(days=days_ago)
    store, strength = open_clinic(folder / "clinic", clock), Concentration.mcg_per_ml(concentration)
    user = store.users()[0].id
    settings = PumpSettings("baclofen", strength, Program(delivery), ml(2), reservoir=ml(volume))
    store.add(
        AuditEntry(NOW, user, "clinic.demonstration", "store"),
        programs=[ProgramRecord("scene", IMPLANT, None, ProgramState.VERIFIED, settings, at, NOW, user)],
        fills=[Fill("scene", IMPLANT, None, at, "baclofen", strength, ml(volume), ml(volume), "L0", None, user)],
    )
    store.close()
    return Bench(folder)


def opened(qtbot: QtBot, bench: Bench) -> MainWindow:
    window = MainWindow(bench.station)
    qtbot.addWidget(window)
    window.resize(1366, 768)
    window.show()
    return window


def idle(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: not window.refill.busy and not window.guard.busy, timeout=10_000)


def identified(qtbot: QtBot, window: MainWindow) -> None:
    """A refill of Johanna's in the window, with her two identifiers typed."""
    window.begin_refill(PATIENT)
    assert window.refill.identify(NUMBER, BORN) == ""
    idle(qtbot, window)


def interrogated(qtbot: QtBot, window: MainWindow) -> None:
    """The same, and the pump was read."""
    identified(qtbot, window)
    window.refill.interrogate()
    idle(qtbot, window)


def page(window: MainWindow, step: Step) -> QWidget:
    assert window.refill.page is step, window.refill.page
    return window.refill_view.pages[step]


def words(widget: QWidget) -> str:
    """All that is to be read on a page."""
    return "\n".join(label.text().replace("\u00a0", " ") for label in widget.findChildren(QLabel) if label.text())
