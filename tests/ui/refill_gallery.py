"""Draw every page of a refill, in light and dark: scenes for :mod:`tests.ui.gallery`.

Not a test: somebody has to look. Each scene has a clinic of its own, and the patient with the longest name.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from fractions import Fraction
from itertools import product
from pathlib import Path

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from sqlalchemy import update

from app.device.mishaps import stall
from app.models.quantities import Concentration, Volume
from app.models.refill_visit import DrugCheck, NeedleCheck, Step
from app.models.solution_change import BridgeChoice
from app.services.visit_rules import Label
from app.store import tables
from app.ui.main_window import MainWindow
from app.ui.theme import DARK, LIGHT, apply_theme
from tests.services.bench import PATIENT, Bench
from tests.ui.keys import Keyboard
from tests.ui.test_residual_page import ILONA, with_history

FAMILY, GIVEN = "Øvergård-Szczepańska von Hohenlohe", "Maria-Magdalena Kunigunde"
PAGE_OFF, NEARLY_FULL = "6.5", "17.2"

Scene = Callable[["Stage"], None]


class Stage:
    """One clinic and its window, and hands to bring it to a page."""

    def __init__(self, folder: Path, app: QApplication, size: tuple[int, int]) -> None:
        self.app = app
        self.bench = Bench(folder)
        with self.bench.station.store.engine.begin() as connection:  # type: ignore[attr-defined]
            connection.execute(
                update(tables.patients)
                .where(tables.patients.c.id == PATIENT)
                .values(family_name=FAMILY, given_name=GIVEN)
            )
        with_history(self.bench, "0.4", "-0.3", "2.4", "0.6", "0.7")
        self.window = MainWindow(self.bench.station)
        self.size = size
        self.window.resize(*size)
        self.window.show()
        self.keyboard = Keyboard()

    @property
    def model(self):
        return self.window.refill

    @property
    def page(self):
        return self.window.refill_view.pages[self.model.page]

    def rest(self) -> None:
        """Wait until nothing is under way."""
        for _ in range(400):
            self.app.processEvents()
            if not self.model.busy:
                break
            QTest.qWait(10)
        self.app.processEvents()

    def begin(self, patient: str = PATIENT) -> None:
        self.window.begin_refill(patient)
        self.rest()

    def identified(self, patient: str = PATIENT) -> None:
        self.begin(patient)
        known = self.bench.station.store.therapy(patient).patient
        assert self.model.identify(known.number, known.born_on) == ""
        self.rest()

    def read(self) -> None:
        self.identified()
        self.model.interrogate()
        self.rest()

    def at_residual(self) -> None:
        self.read()
        self.model.go_on()

    def drawn(self) -> None:
        self.at_residual()
        self.model.record_aspirate(Volume.ml(Fraction("4.1")), _WHY)

    def label(self, concentration: int = 1000) -> None:
        check = DrugCheck("baclofen", Concentration.mcg_per_ml(concentration), "LX-4711-2026-09", date(2028, 1, 1))
        self.model.record_drug(Label(check, read_twice=True), _WHY)

    def filled(self, concentration: int = 1000) -> None:
        self.drawn()
        self.label(concentration)
        self.model.record_fill(Volume.ml(Fraction("17.5")), _WHY, frozenset(NeedleCheck), None)
        self.rest()

    def proposed(self, concentration: int = 1000, *, checked: bool = True) -> None:
        visit = self.bench.until_proposed(concentration=concentration, checked=checked)
        assert visit.step is Step.CONFIRM
        self.identified()

    def sent(self) -> None:
        self.proposed()
        self.model.stage() if self.model.staged is None else None
        self.rest()
        self.model.send()
        self.rest()

    def type(self, field, text: str) -> None:
        field.set_value(None)
        self.keyboard.type(field, text)


_WHY = {
    (rule, reason): "Looked at together with Dr Brandt"
    for rule, reason in (("REF-01", "estimates-differ"), ("REF-02", "under-delivery"), ("REF-05", "position-unproven"))
}


# -- the scenes -----------------------------------------------------------------------------------------------------


def identify_empty(stage: Stage) -> None:
    stage.begin()


def identify_wrong(stage: Stage) -> None:
    stage.begin()
    stage.page.number.setText("50-0919")
    stage.page.born.setText("3 May 1957")
    stage.page.act()


def interrogate_before(stage: Stage) -> None:
    stage.identified()


def interrogate_no_cable(stage: Stage) -> None:
    stage.identified()
    stage.bench.cable.cut = True
    stage.page.act()
    stage.rest()


def interrogate_cards(stage: Stage) -> None:
    stage.identified()
    pump = stage.bench.pump
    stall(pump)
    pump.clock.advance(timedelta(hours=20))  # type: ignore[attr-defined]
    stage.page.act()
    stage.rest()


def residual_empty(stage: Stage) -> None:
    stage.at_residual()


def residual_off(stage: Stage) -> None:
    stage.at_residual()
    stage.type(stage.page.volume, PAGE_OFF)


def residual_nearly_full(stage: Stage) -> None:
    stage.at_residual()
    stage.type(stage.page.volume, NEARLY_FULL)


def residual_constant(stage: Stage) -> None:
    stage.identified(ILONA)
    stage.type(stage.page.volume, "2.4")


def drug_empty(stage: Stage) -> None:
    stage.drawn()


def drug_expired(stage: Stage) -> None:
    stage.drawn()
    stage.type(stage.page.concentration, "2000")
    stage.page.lot.setText("LX-4711-2026-09")
    stage.page.expires.setText("1 Nov 2026")


def fill_empty(stage: Stage) -> None:
    stage.drawn()
    stage.label()


def fill_too_much(stage: Stage) -> None:
    fill_empty(stage)
    stage.type(stage.page.volume, "20.5")


def fill_constant(stage: Stage) -> None:
    stage.identified(ILONA)
    stage.model.record_aspirate(Volume.ml(7), {})
    check = DrugCheck("baclofen", Concentration.mcg_per_ml(500), "L1", date(2028, 1, 1))
    stage.model.record_drug(Label(check, read_twice=True), {})
    stage.type(stage.page.volume, "33")


def settings_same(stage: Stage) -> None:
    stage.filled()


def settings_bridge(stage: Stage) -> None:
    stage.filled(2000)


def settings_decided(stage: Stage) -> None:
    stage.filled(2000)
    stage.page.bridge.answer(BridgeChoice.NO_BRIDGE, rinsed=Volume.ml(5), reason="too short")


def settings_other_dose(stage: Stage) -> None:
    stage.filled()
    stage.page._change.setChecked(True)
    stage.type(stage.page.dose, "1500")


def confirm_second(stage: Stage) -> None:
    stage.proposed(2000, checked=False)


def confirm_ready(stage: Stage) -> None:
    stage.proposed()
    stage.type(stage.page.dose, "300")


def result_verified(stage: Stage) -> None:
    stage.sent()


def result_not_known(stage: Stage) -> None:
    from app.device.server import Do, Fault

    stage.proposed()
    stage.bench.cable.server.faults.append(Fault(Do.DIE_AFTER, "Commit"))
    stage.model.send()
    stage.rest()


def report(stage: Stage) -> None:
    stage.sent()
    stage.model.go_on()


def report_constant(stage: Stage) -> None:
    fill_constant(stage)
    stage.model.record_fill(Volume.ml(33), _WHY, frozenset(NeedleCheck), None)


def report_without_programmer(stage: Stage) -> None:
    stage.identified()
    stage.model.go_without_programmer()
    stage.model.record_aspirate(Volume.ml(Fraction("4.1")), _WHY)
    stage.label()
    stage.model.record_fill(Volume.ml(Fraction("17.5")), _WHY, frozenset(NeedleCheck), None)
    stage.page.day.setText("31 Dec 2028")


def facts(stage: Stage) -> None:
    stage.filled()
    visit = stage.model.visit
    assert visit is not None
    moved = stage.bench.station.clock.read
    object.__setattr__(stage.bench.station.clock, "read", lambda: moved() + timedelta(minutes=30))
    stage.window.resume_visit(visit.id)
    stage.model.identify("50-0918", date(1957, 5, 3))
    stage.rest()


def patient_bridge(stage: Stage) -> None:
    bench = stage.bench
    visit = bench.until_proposed(concentration=2000)
    model, port = bench.station.desk.model_of(visit), bench.port()
    staged = bench.station.programming.stage(
        visit, model, port, serial=bench.pump.serial, user_id=bench.physician.id
    )
    bench.station.programming.send(staged, model, port, user_id=bench.physician.id)
    stage.window.open_patient(PATIENT)


SCENES: tuple[Scene, ...] = (
    identify_empty, identify_wrong, interrogate_before, interrogate_no_cable, interrogate_cards,
    residual_empty, residual_off, residual_nearly_full, residual_constant,
    drug_empty, drug_expired, fill_empty, fill_too_much, fill_constant,
    settings_same, settings_bridge, settings_decided, settings_other_dose,
    confirm_second, confirm_ready, result_verified, result_not_known,
    report, report_constant, report_without_programmer, facts, patient_bridge,
)  # fmt: skip


def pictures(
    app: QApplication, size: tuple[int, int], wanted: tuple[str, ...] = ()
) -> Iterator[tuple[str, MainWindow]]:
    """The name of each picture, and the window as it shall be seen."""
    chosen = [scene for scene in SCENES if not wanted or scene.__name__ in wanted]
    for scene, theme in product(chosen, (LIGHT, DARK)):
        with tempfile.TemporaryDirectory() as folder:
            apply_theme(app, theme)
            stage = Stage(Path(folder), app, size)
            scene(stage)
            stage.rest()
            yield f"refill-{scene.__name__.replace('_', '-')}-{theme.name}", stage.window
            stage.window.close()
            stage.bench.station.store.close()
            stage.window.deleteLater()
            app.processEvents()


def draw(folder: str, name: str, size: tuple[int, int], wanted: tuple[str, ...] = ()) -> None:
    """Write the pictures of every scene, or of those that are wanted."""
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    for picture, window in pictures(app, size, wanted):
        window.grab().save(f"{folder}/{picture}-{name}.png")
