"""One refill that plays itself: the real windows, keys and clicks, with an emulated pump at the end of the cable.

Law: the walk does only what a user can do, and stops with what went wrong as soon as a page is not the next one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QMessageLogContext, Qt, QtMsgType, qInstallMessageHandler
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.bootstrap import make_workstation, open_clinic, real_clock
from app.models.errors import AppError
from app.models.formats import rounded, show_volume
from app.models.quantities import Volume
from app.models.refill_visit import Step
from app.models.solution_change import BridgeChoice
from app.services.workstation import Workstation
from app.ui.main_window import REFILL, WORKLIST, MainWindow
from app.ui.refill.before import IdentifyPage, InterrogatePage
from app.ui.refill.closing import ReportPage
from app.ui.refill.drug_page import DrugPage
from app.ui.refill.second_check_dialog import SecondCheckDialog
from app.ui.refill.sending import ConfirmPage, ProgrammePage, SettingsPage
from app.ui.refill.view_model import Result
from app.ui.refill.volumes import FillPage, ResidualPage
from app.ui.theme import DARK, HIGH_CONTRAST, LIGHT, apply_theme

_PATIENT, _NUMBER, _BORN, _SERIAL = "meulen", "50-0918", "3 May 1957", "EMU-100191"
_WAIT_S = 30.0
_KEY_MS = 100

_Page = TypeVar("_Page", bound=QWidget)


class WalkStoppedError(AppError):
    """The walk is not where it should be."""


def play(arguments: argparse.Namespace) -> int:
    """Play the refill; pictures and the report go to the output folder."""
    if arguments.headless:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    output = Path(arguments.output).resolve()
    output.mkdir(parents=True, exist_ok=True)
    data = Path(arguments.data).resolve() if arguments.data else _fresh(output / "clinic")
    before = qInstallMessageHandler(_quietly) if arguments.headless else None
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(["cisterna"])
    apply_theme(app, {"light": LIGHT, "dark": DARK, "high-contrast": HIGH_CONTRAST}[arguments.theme])
    clock = real_clock()
    station = make_workstation(data, clock=clock, port=arguments.port, store=open_clinic(data, clock))
    window = MainWindow(station)
    window.resize(1366, 768)
    window.show()
    try:
        Walk(window, station, output).run()
    except WalkStoppedError as stopped:
        print(f"The walk stopped: {stopped}")
        return 1
    finally:
        window.close()
        app.processEvents()
        if arguments.headless:
            qInstallMessageHandler(before)
    return 0


def _quietly(_kind: QtMsgType, _context: QMessageLogContext, words: str) -> None:
    """Pass on what Qt says, but for the one line that it says about every window without a screen."""
    if "propagateSizeHints" not in words:
        print(words, file=sys.stderr)


def _fresh(folder: Path) -> Path:
    """A new, empty data folder with its key beside it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_name(f"{folder.name}.key").unlink(missing_ok=True)
    return folder


class Walk:
    """The steps, one after another."""

    def __init__(self, window: MainWindow, station: Workstation, output: Path) -> None:
        self._window = window
        self._station = station
        self._output = output
        self._number = 0

    def run(self, steps: int | None = None) -> None:
        """From the worklist to the worklist, or only the first ``steps`` of it."""
        for step in self.steps()[:steps]:
            step()

    def steps(self) -> tuple[Callable[[], None], ...]:
        """What is done, in order."""
        return (
            self._worklist,
            self._identify,
            self._interrogate,
            self._residual,
            self._drug,
            self._fill,
            self._settings,
            self._confirm,
            self._result,
            self._report,
        )

    def _worklist(self) -> None:
        window = self._window
        self._say("Worklist", window.worklist.summary())
        self._save("worklist")
        search = window.worklist_view.search_field()
        QTest.keyClicks(search, _PATIENT)
        QTest.keyClick(search, Qt.Key.Key_Return)
        therapy = window.patient.therapy
        if therapy is None or therapy.reservoir is None:
            raise WalkStoppedError(page="patient")
        left, due = show_volume(therapy.reservoir.volume), therapy.refill_by
        self._say("Patient", f"{therapy.patient.name}: {left} should be left, refill by {due.at if due else 'unknown'}")
        self._save("patient")
        window.begin_refill(therapy.patient.id)

    def _identify(self) -> None:
        page = self._page(Step.IDENTIFY, IdentifyPage)
        QTest.keyClicks(page.number, _NUMBER)
        QTest.keyClicks(page.born, _BORN)
        self._save("identify")
        self._press(page.verb)
        self._say("Identify", f"{_NUMBER}, born {_BORN}: as on record")

    def _interrogate(self) -> None:
        page = self._page(Step.INTERROGATE, InterrogatePage)
        self._press(page.verb)
        self._wait(lambda: not self._window.refill.busy and self._reading_is_there())
        visit = self._window.refill.visit
        if visit is None or visit.reading is None or visit.expected is None:
            raise WalkStoppedError(page="interrogate", problem="the pump was not read")
        by_pump, by_record = show_volume(visit.reading.reservoir), show_volume(visit.expected)
        self._say("Interrogate", f"pump {visit.reading.serial}: {by_pump} by the pump, {by_record} by the record")
        self._save("interrogate")
        self._press(page.verb)

    def _reading_is_there(self) -> bool:
        visit = self._window.refill.visit
        return visit is not None and visit.reading is not None

    def _residual(self) -> None:
        page = self._page(Step.RESIDUAL, ResidualPage)
        visit = self._window.refill.visit
        if visit is None or visit.expected is None:
            raise WalkStoppedError(page="residual")
        drawn = rounded(visit.expected.in_ml + Fraction(1, 5), 1)
        self._type(page.volume, drawn)
        self._say("Draw out", f"{drawn} mL, expected {show_volume(visit.expected)}: {page.verdict_words()}")
        self._save("residual")
        self._press(page.verb)

    def _drug(self) -> None:
        page = self._page(Step.DRUG, DrugPage)
        self._type(page.concentration, "2000")
        QTest.keyClicks(page.lot, "BA2611-07")
        QTest.keyClicks(page.expires, "31 Dec 2028")
        self._press(page.scan.open_again)
        again = page.scan.again
        again.drug.setCurrentIndex(again.drug.findData("baclofen"))
        self._type(again.concentration, "2000")
        QTest.keyClicks(again.lot, "BA2611-07")
        QTest.keyClicks(again.expires, "31 Dec 2028")
        self._say("Drug", f"baclofen 2000 mcg/mL, lot BA2611-07, typed twice: {page.scan.again_words()}")
        self._save("drug")
        self._press(page.verb)

    def _fill(self) -> None:
        page = self._page(Step.FILL, FillPage)
        for tick in page.ticks.values():
            tick.setFocus()
            QTest.keyClick(tick, Qt.Key.Key_Space)
        self._type(page.volume, "18.0")
        self._say("Fill", "18.0 mL")
        self._save("fill")
        self._press(page.verb)

    def _settings(self) -> None:
        page = self._page(Step.SETTINGS, SettingsPage)
        panel = page.bridge
        panel.answer(BridgeChoice.BRIDGE, rinsed=Volume.ml(5))
        self._say("Settings", page.sentence())
        self._say("Bridge", panel.words())
        self._save("settings")
        self._press(page.verb)

    def _confirm(self) -> None:
        page = self._page(Step.CONFIRM, ConfirmPage)
        self._second_person(page)
        self._wait(lambda: not self._window.refill.busy)
        dose = self._window.refill.new_daily_dose()
        if self._window.refill.staged is None or dose is None:
            raise WalkStoppedError(page="confirm", problem=self._window.refill_view.wrong_words())
        self._type(page.dose, rounded(dose, 1))
        self._say("Confirm", f"the pump has read the draft back; new daily dose typed: {rounded(dose, 1)} mcg/day")
        self._save("confirm")
        page.send_button.setFocus()
        QTest.keyPress(page.send_button, Qt.Key.Key_Space)
        self._wait(lambda: self._window.refill.page is Step.PROGRAMME)
        self._save("sending")

    def _second_person(self, page: ConfirmPage) -> None:
        """Somebody else types what the vial, the order and the syringe say."""
        self._press(page.second)
        dialog = next(one for one in QApplication.topLevelWidgets() if isinstance(one, SecondCheckDialog))
        dialog.person.setCurrentIndex(1)
        dialog.drug.setCurrentIndex(dialog.drug.findData("baclofen"))
        dose = self._window.refill.new_daily_dose()
        if dose is None:
            raise WalkStoppedError(page="confirm", problem="no dose")
        typed = ((dialog.concentration, "2000"), (dialog.dose, rounded(dose, 1)), (dialog.injected, "18.0"))
        for field, number in typed:
            self._type(field, number)
        self._say("Second", f"{dialog.person.currentText()} types drug, concentration, dose and volume without looking")
        self._number += 1
        dialog.grab().save(str(self._output / f"{self._number:02d}-second-person.png"))
        self._press(dialog.compare)

    def _result(self) -> None:
        page = self._page(Step.PROGRAMME, ProgrammePage)
        self._wait(lambda: not self._window.refill.busy and self._window.refill.result is not None)
        result = self._window.refill.result
        self._say("Result", result.name if result else "none")
        self._save("result")
        if result is not Result.VERIFIED:
            raise WalkStoppedError(page="result", result=result)
        self._press(page.verb)

    def _report(self) -> None:
        page = self._page(Step.REPORT, ReportPage)
        window = self._window.refill.appointment_window()
        if window is None:
            raise WalkStoppedError(page="report", problem="no refill-by date")
        QTest.keyClicks(page.day, window[0].isoformat())
        page.save()
        page.save_card()
        source = self._window.refill.report_path()
        shutil.copyfile(source, self._output / "report.pdf")
        self._say("Report", f"{source.name}, saved as report.pdf; next refill on {window[0]}")
        self._save("report")
        self._compare()
        self._press(page.verb)
        if self._window.pages.currentIndex() != WORKLIST:
            raise WalkStoppedError(page="worklist")
        self._save("worklist-after")
        self._say("Closed", "the visit is closed and the next refill is booked")

    def _compare(self) -> None:
        """The store's program and a fresh reading of the pump must be the same."""
        visit = self._window.refill.visit
        if visit is None or visit.program_id is None:
            raise WalkStoppedError(page="report", problem="no program")
        on_record = self._station.store.program(visit.program_id).settings
        self._window.refill.let_go()
        port = self._station.pump_at(self._station.desk.implant(visit.patient_id))
        reading = port.interrogate()
        port.close()
        if reading.settings != on_record:
            raise WalkStoppedError(page="report", problem="store and pump differ")
        self._say("Compared", f"store and pump agree: digest {reading.digest[:16]}, revision {reading.revision}")

    # -- how it is done --------------------------------------------------------------------------------------

    def _page(self, step: Step, kind: type[_Page]) -> _Page:
        if self._window.pages.currentIndex() != REFILL or self._window.refill.page is not step:
            raise WalkStoppedError(wanted=step.value, found=self._window.refill.page.value)
        page = self._window.refill_view.pages[step]
        if not isinstance(page, kind):
            raise WalkStoppedError(wanted=step.value)
        return page

    def _press(self, button: QWidget) -> None:
        if not button.isEnabled():
            raise WalkStoppedError(problem="the button is off", page=self._window.refill.page.value)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        QApplication.processEvents()

    def _type(self, field: QWidget, number: str) -> None:
        """Type as slowly as a person: a field of numbers doubts a key that comes twice at once."""
        QTest.keyClicks(field, number, Qt.KeyboardModifier.NoModifier, _KEY_MS)

    def _wait(self, done: Callable[[], bool]) -> None:
        ends = time.monotonic() + _WAIT_S
        while not done():
            if time.monotonic() > ends:
                raise WalkStoppedError(problem="it takes too long", page=self._window.refill.page.value)
            QApplication.processEvents()
            time.sleep(0.01)

    def _save(self, name: str) -> None:
        QApplication.processEvents()
        self._number += 1
        self._window.grab().save(str(self._output / f"{self._number:02d}-{name}.png"))

    def _say(self, step: str, words: str) -> None:
        print(f"{step:12} {words}".replace("\u00a0", " "), flush=True)
