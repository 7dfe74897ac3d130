"""A robot that strikes only Enter, Space and Tab, all over the window: it never signs, withdraws or sends.

``python3 dev.py campaign robot --presses 100000 --seed 1``

The walks of a life begin on every page, in random order: among them the signing of a program and the last page of a
refill, with everything answered, the daily dose typed and the draft in the pump, so that nothing is missing but the
held button. A key is pressed and released; between the two the window may have time to do something, but never the
time of a hold.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QLineEdit

from app.models.conversion import Mode
from app.models.program import Program, SimpleContinuous
from app.models.pump import PumpPort
from app.models.quantities import DoseRate
from app.models.refill_visit import Step
from app.services.port_desk import PortDesk
from app.ui.main_window import BENCH, PATIENT, REFILL, SCHEDULE, SETTINGS, WORKLIST, MainWindow
from app.ui.schedule.history_panel import HistoryPanel
from app.ui.schedule.name_dialog import NameDialog
from app.ui.schedule.sign_dialog import SignDialog
from app.ui.theme import LIGHT, apply_theme
from tests.services.bench import PATIENT as JOHANNA
from tests.services.bench import Bench

KEYS = {"Enter": Qt.Key.Key_Return, "Space": Qt.Key.Key_Space, "Tab": Qt.Key.Key_Tab}
PRESSES_A_WALK = 100
AGAIN = ("schedule, sign", "refill, confirm")
"""Where a walk of each life begins once more."""
IDLE_S = 10
UNTIL = date(2027, 1, 31)


class Watched:
    """A port to the pump that tells of everything that is sent for good."""

    def __init__(self, port: PumpPort, sent: list[object]) -> None:
        self._port, self._sent = port, sent

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    def commit(self, sealed: Any) -> Any:
        self._sent.append(sealed)
        return self._port.commit(sealed)


@dataclass
class Tally:
    """What happened; ``wrong`` is empty."""

    keys: Counter[str] = field(default_factory=Counter)
    starts: Counter[str] = field(default_factory=Counter)
    on: Counter[str] = field(default_factory=Counter)
    """Presses on each kind of widget."""
    wrong: list[str] = field(default_factory=list)


class Life:
    """One clinic, one window, and a visit that stands before its last page; an order is signed and in force."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self.bench, self.dice, self.sent = Bench(folder), dice, list[object]()
        self.bench.until_proposed()
        self._sign_an_order()
        nowhere = PortDesk(lambda: (), None, lambda _port, _implant: self.port())
        station = replace(self.bench.station, pump_at=lambda _implant: self.port(), ports=nowhere)
        self.window = MainWindow(station)
        self.window.resize(1366, 768)
        self.window.show()
        self.window.activateWindow()
        self.before = self.record()

    def port(self) -> Any:
        return Watched(self.bench.port(), self.sent)

    def _sign_an_order(self) -> None:
        desk, implant = self.bench.station.prescribing, self.bench.station.desk.implant(JOHANNA)
        running = desk.therapy(implant).settings
        assert running is not None
        settings = replace(running, program=Program(SimpleContinuous(DoseRate.mcg_per_day(310))))
        draft = desk.save_draft(implant, "In force", settings, self.bench.physician)
        desk.sign(implant, draft, self.bench.physician, range_percent=Fraction(0), valid_until=UNTIL)

    def record(self) -> tuple[object, ...]:
        """All that signing, withdrawing and sending would change."""
        store = self.bench.station.store
        implants = [record.implant.id for record in store.therapies("") if record.implant is not None]
        orders = [tuple(store.signed_orders(implant)) for implant in implants]
        programs = [tuple(store.programs(implant)) for implant in implants]
        memory = self.bench.pump.memory
        return orders, programs, memory.applied, memory.active, tuple(store.orders_in_doubt()), tuple(self.sent)

    # -- where a walk begins -----------------------------------------------------------------------------------

    def starts(self) -> dict[str, Callable[[], bool]]:
        """Each says whether it could be reached."""
        pages = (("worklist", WORKLIST), ("patient", PATIENT), ("bench", BENCH), ("settings", SETTINGS))
        found: dict[str, Callable[[], bool]] = {name: partial(self._page, page) for name, page in pages}
        return found | {
            "refill": self._refill,
            "refill, confirm": self._confirm,
            "schedule": partial(self._page, SCHEDULE),
            "schedule, flex": self._flex,
            "schedule, name": self._name,
            "schedule, sign": self._signing,
            "schedule, history": self._history,
        }

    def _page(self, page: int) -> bool:
        self.window.open_patient(JOHANNA)
        self.window.turn_to(page)
        return True

    def _refill(self) -> bool:
        self.window.begin_refill(JOHANNA)
        self.window.refill.identify("50-0918", date(1957, 5, 3))
        self.idle()
        return self.window.pages.currentIndex() == REFILL

    def _confirm(self) -> bool:
        """The draft is in the pump, the daily dose is typed; only the button is not held."""
        refill = self.window.refill
        self._refill()
        while refill.page in (Step.DRUG, Step.FILL, Step.SETTINGS):
            before = refill.page
            self.window.refill_view.pages[before].verb.click()
            self.idle()
            if refill.page is before:
                return False
        if refill.page is not Step.CONFIRM or refill.staged is None:
            return False
        page = self.window.refill_view.pages[Step.CONFIRM]
        page.dose.set_value(refill.new_daily_dose())
        assert page.send_button.isEnabled()
        return True

    def _board(self, program: Program) -> None:
        self._page(SCHEDULE)
        self.window.schedule.edit(program, "Robot")

    def _flex(self) -> bool:
        self._board(Program(SimpleContinuous(DoseRate.mcg_per_day(320))))
        self.window.schedule.convert_to(Mode.FLEX)
        self.window.schedule_view.timeline.setFocus()
        return True

    def _name(self) -> bool:
        self._flex()
        self.window.schedule_view.save.click()
        (dialog,) = self._dialogs(NameDialog)
        dialog.name.setText("Robot's")
        return True

    def _signing(self) -> bool:
        """Every rule answered, every field filled in; only the button is not held."""
        self._board(Program(SimpleContinuous(DoseRate.mcg_per_day(450))))
        view = self.window.schedule_view
        for line in view.findings.findChildren(QLineEdit):
            line.setText("As agreed with the patient")
        assert view.sign.isEnabled()
        view.sign.click()
        (dialog,) = self._dialogs(SignDialog)
        dialog.name.setText("Robot's")
        dialog.until.setText("31 Jan 2027")
        dialog.range.set_value(Fraction(0))
        dialog.dose.set_value(Fraction(450))
        if self.dice.random() < 0.5:
            dialog.sign.setFocus()
        return True

    def _history(self) -> bool:
        """The order in force is chosen; only the button that withdraws it is not held."""
        self._page(SCHEDULE)
        view = self.window.schedule_view
        view.tabs.setCurrentWidget(view.history)
        QApplication.processEvents()
        panel: HistoryPanel = view.history
        for row in range(panel.list.count()):
            panel.list.setCurrentRow(row)
            if panel.withdraw.isVisible():
                break
        assert panel.withdraw.isVisible()
        if self.dice.random() < 0.5:
            panel.withdraw.setFocus()
        return True

    @staticmethod
    def _dialogs(kind: type[Any]) -> list[Any]:
        return [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, kind) and widget.isVisible()]

    def idle(self) -> None:
        """Wait for the pump."""
        deadline = time.monotonic() + IDLE_S
        while (self.window.refill.busy or self.window.bench.busy) and time.monotonic() < deadline:
            QTest.qWait(5)
        QApplication.processEvents()

    # -- a walk --------------------------------------------------------------------------------------------------

    def walk(self, presses: int, tally: Tally) -> None:
        for _ in range(presses):
            name = self.dice.choice(tuple(KEYS))
            tally.keys[name] += 1
            tally.on[self._where()] += 1
            QTest.keyPress(self._active(), KEYS[name])
            if self.dice.random() < 0.3:
                QApplication.processEvents()
            QTest.keyRelease(self._active(), KEYS[name])
            QApplication.processEvents()

    def _active(self) -> QWindow:
        """The window that has the keyboard: it finds an open list, or the field, itself.

        Where no window has it, because another was closed, the one on top gets it, as a desktop would do.
        """
        top = QApplication.activeModalWidget() or self.window
        if QApplication.activePopupWidget() is None and QApplication.activeWindow() is not top:
            top.activateWindow()
            QApplication.processEvents()
        return top.windowHandle()

    @staticmethod
    def _where() -> str:
        widget = QApplication.focusWidget()
        inside = "a box's list" if QApplication.activePopupWidget() is not None else type(widget).__name__
        dialog = QApplication.activeModalWidget()
        return f"{inside} in {type(dialog).__name__}" if dialog is not None else inside

    def tidy(self) -> None:
        """Close what lies over the window."""
        while (popup := QApplication.activePopupWidget()) is not None:
            box = popup.parentWidget()
            if isinstance(box, QComboBox):
                box.hidePopup()
            else:
                popup.close()
        for dialog in self._dialogs(QDialog):
            dialog.reject()
        self.idle()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def end(self) -> None:
        self.tidy()
        self.window.close()
        self.window.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def run(presses: int, seed: int, folder: Path, tell: Callable[[str], None] = lambda _words: None) -> Tally:
    """Strike so many keys, and look after every walk whether anything was signed, withdrawn or sent."""
    dice, tally, left = random.Random(seed), Tally(), presses
    while left > 0:
        life = Life(folder / f"life-{presses - left}", dice)
        starts = life.starts()
        order = [*starts, *AGAIN]
        dice.shuffle(order)
        for name in order:
            if left <= 0:
                break
            if not starts[name]():
                name += ", not reached"
            QApplication.processEvents()
            count = min(PRESSES_A_WALK, left)
            life.walk(count, tally)
            life.tidy()
            left -= count
            tally.starts[name] += count
            if (after := life.record()) != life.before:
                tally.wrong.append(f"after {presses - left} presses, from {name}: {after}")
                life.before = after
        life.end()
        tell(f"{presses - left:,} presses, {len(tally.wrong)} wrong")
    return tally


def main(arguments: list[str]) -> int:
    """Strike, count, and return 1 if anything was signed, withdrawn or sent."""
    parser = argparse.ArgumentParser(prog="robot", description=__doc__)
    parser.add_argument("--presses", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication.instance() or QApplication(["robot"])
    assert isinstance(application, QApplication)
    apply_theme(application, LIGHT)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cisterna-robot-") as folder:
        tally = run(chosen.presses, chosen.seed, Path(folder), lambda words: print(words, flush=True))
    for title, counts in (("keys", tally.keys), ("from", tally.starts), ("on", tally.on)):
        print(title, ", ".join(f"{name} {count:,}" for name, count in counts.most_common()))
    for words in tally.wrong[:20]:
        print(words)
    seconds = time.monotonic() - began
    print(f"seed {chosen.seed}: {chosen.presses:,} presses, {len(tally.wrong)} signed or sent, {seconds:.0f} s")
    return 1 if tally.wrong else 0
