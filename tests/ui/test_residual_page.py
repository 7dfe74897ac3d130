"""The pages at the needle: the last refills beside the one under way, and pumps that nobody can read."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.models.quantities import Concentration, Volume
from app.models.records import AuditEntry, Fill
from app.models.refill_visit import DrugCheck, NeedleCheck, RefillVisit, Step
from app.services.visit_rules import Label
from app.ui.main_window import MainWindow
from tests.services.bench import NOW, PATIENT, Bench
from tests.ui.keys import Keyboard

ILONA = "patient-constant-flow"
"""0.5 mL/day of baclofen 500 mcg/mL in a constant-flow pump, 33 mL filled 52 days ago."""
BLINK_MS = 400


def with_history(bench: Bench, *differences: str) -> None:
    """Closed refills of this patient, each with a residual that was off by so many mL."""
    store, implant = bench.station.store, bench.station.desk.implant(bench.patient)
    for number, text in enumerate(differences):
        at = NOW - timedelta(days=400 - 40 * number)
        visit = RefillVisit(
            f"{number:032x}", bench.patient, implant.id, at, bench.nurse.id, at, step=Step.CLOSED, telemetry=False,
            expected=Volume.ml(4), aspirated=Volume.ml(4 + Fraction(text)), aspirated_at=at, injected=Volume.ml(18),
            closed_at=at,
        )  # fmt: skip
        pump_at = at.replace(tzinfo=None) + timedelta(hours=1)
        fill = Fill(visit.id, implant.id, visit.id, pump_at, "baclofen", Concentration.mcg_per_ml(1000),
                    Volume.ml(18), Volume.ml(18), "L", None, bench.nurse.id)  # fmt: skip
        store.save_fill(visit, fill, AuditEntry(at, bench.nurse.id, "refill.filled", visit.id))


def window_on(qtbot: QtBot, bench: Bench) -> MainWindow:
    made = MainWindow(bench.station)
    qtbot.addWidget(made)
    made.resize(1366, 768)
    made.show()
    return made


def at_residual(qtbot: QtBot, window: MainWindow, bench: Bench, patient_id: str = PATIENT):
    patient = bench.station.store.therapy(patient_id).patient
    window.begin_refill(patient_id)
    assert window.refill.identify(patient.number, patient.born_on) == ""
    if window.refill.page is Step.INTERROGATE:
        window.refill.interrogate()
        qtbot.waitUntil(lambda: not window.refill.busy, timeout=10_000)
        window.refill.go_on()
    assert window.refill.page is Step.RESIDUAL
    return window.refill_view.pages[Step.RESIDUAL]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_without_an_earlier_refill_there_is_no_picture(
    qtbot: QtBot, themed: QApplication, bench: Bench, keyboard: Keyboard
) -> None:
    window = window_on(qtbot, bench)
    residual = at_residual(qtbot, window, bench)
    keyboard.type(residual.volume, "4.1")
    assert not residual.trend.isVisible()
    window.close()


def test_the_last_refills_stand_there_in_words_and_the_one_under_way_joins_them(
    qtbot: QtBot, themed: QApplication, bench: Bench, keyboard: Keyboard
) -> None:
    with_history(bench, "0.9", "-1", "0.4", "0.6", "0.7", "0.5", "0.8")
    window = window_on(qtbot, bench)
    residual = at_residual(qtbot, window, bench)
    words = residual.trend.accessibleDescription().replace("\xa0", " ")
    assert residual.trend.isVisible()
    assert words.count("mL,") == 5, "one fewer than are shown"
    assert "4 May 2026: +0.5 mL, -3.6 %" in words
    assert words.endswith("Limits: 2 mL and 14.5 % to either side.")
    keyboard.type(residual.volume, "4.1")
    words = residual.trend.accessibleDescription().replace("\xa0", " ")
    assert words.count("mL,") == 6 and "20 Nov 2026: +0.2" in words
    assert "trend" in {finding.reason[:5] for finding in residual._findings}
    assert residual.verb.isEnabled(), "a trend only notes"
    window.close()


def test_what_was_off_to_the_other_side_in_between_is_no_trend(
    qtbot: QtBot, themed: QApplication, bench: Bench, keyboard: Keyboard
) -> None:
    with_history(bench, "0.4", "0.6", "-0.7")
    window = window_on(qtbot, bench)
    residual = at_residual(qtbot, window, bench)
    keyboard.type(residual.volume, "4.1")
    assert residual._findings == ()
    window.close()



def test_a_constant_flow_is_measured_and_its_dose_said(
    qtbot: QtBot, themed: QApplication, bench: Bench, keyboard: Keyboard
) -> None:
    window = window_on(qtbot, bench)
    residual = at_residual(qtbot, window, bench, ILONA)
    assert residual._expected.text() == "7\xa0mL", "33 - 52 x 0.5 mL, though nobody can read this pump"
    keyboard.type(residual.volume, "8")
    words = residual.verdict_words().replace("\xa0", " ")
    assert "Measured flow 0.481 mL/day" in words, "25 mL in 52 days"
    assert "this pump's own 0.5 mL/day ± 15 %" in words
    assert "gave 240.4 mcg/day" in words
    assert residual.verb.isEnabled()
    residual.volume.set_value(None)
    keyboard.type(residual.volume, "2.5")
    assert "flow-high" in {finding.reason for finding in residual._findings}
    residual.volume.set_value(None)
    keyboard.type(residual.volume, "0")
    assert "Measured flow at least" in residual.verdict_words()
    window.close()


def test_the_fill_page_of_a_constant_flow_pump_says_the_dose_of_this_fill(
    qtbot: QtBot, themed: QApplication, bench: Bench
) -> None:
    window = window_on(qtbot, bench)
    at_residual(qtbot, window, bench, ILONA)
    window.refill.record_aspirate(Volume.ml(8), {})
    check = DrugCheck("baclofen", Concentration.mcg_per_ml(500), "L1", date(2028, 1, 1))
    window.refill.record_drug(Label(check, read_twice=True), {})
    fill = window.refill_view.pages[Step.FILL]
    words = fill.dose_words().replace("\xa0", " ")
    assert "Daily dose with this fill: 0.5 mL/day × 500 mcg/mL = 250 mcg/day." in words
    assert "With the measured flow, 0.481 mL/day: 240.4 mcg/day." in words
    window.close()


def test_the_fill_page_of_a_programmable_pump_says_nothing_of_a_flow(
    qtbot: QtBot, themed: QApplication, bench: Bench
) -> None:
    window = window_on(qtbot, bench)
    at_residual(qtbot, window, bench)
    window.refill.record_aspirate(Volume.ml(Fraction("4.1")), {})
    check = DrugCheck("baclofen", Concentration.mcg_per_ml(1000), "L1", date(2028, 1, 1))
    window.refill.record_drug(Label(check, read_twice=True), {})
    fill = window.refill_view.pages[Step.FILL]
    assert fill.dose_words() == "" and not fill._dose.isVisible()
    window.close()


# -- the last page --------------------------------------------------------------------------------------------------


def filled(qtbot: QtBot, window: MainWindow, bench: Bench, *, programmer: bool = True):
    """The last page of Johanna's refill without a programmer, or of Ilona's pump, which has none."""
    if not programmer:
        bench.station.desk.open(PATIENT, bench.nurse, programmer=False)
    at_residual(qtbot, window, bench, ILONA if programmer else PATIENT)
    window.refill.record_aspirate(Volume.ml(7) if programmer else Volume.ml(Fraction("3.9")), {})
    check = DrugCheck("baclofen", Concentration.mcg_per_ml(500 if programmer else 1000), "L1", date(2028, 1, 1))
    window.refill.record_drug(Label(check, read_twice=True), {})
    window.refill.record_fill(Volume.ml(18), {}, frozenset(NeedleCheck), None)
    assert window.refill.page is Step.REPORT
    return window.refill_view.pages[Step.REPORT]


def test_without_a_programmer_the_last_page_says_what_to_hold_on_to(
    qtbot: QtBot, themed: QApplication, bench: Bench
) -> None:
    window = window_on(qtbot, bench)
    page = filled(qtbot, window, bench, programmer=False)
    words = page.counter_words().replace("\xa0", " ")
    assert words.startswith("Do not rely on the pump's own volume and alarm")
    # (18 - 2) mL at 0.3 mL/day are 53 days and 8 h; at 14.5 % more, 18 mL last 52 days and 9 h.
    assert "low on 12 Jan 2027 18:00" in words and "Refill by 11 Jan 2027" in words
    window.close()


def test_where_nobody_ever_had_a_programmer_no_counter_is_wrong(
    qtbot: QtBot, themed: QApplication, bench: Bench
) -> None:
    window = window_on(qtbot, bench)
    page = filled(qtbot, window, bench)
    assert page.counter_words() == "" and not page._counter.isVisible()
    window.close()


def test_the_card_is_printed_from_the_last_page_and_is_then_not_missed(
    qtbot: QtBot, themed: QApplication, bench: Bench
) -> None:
    window = window_on(qtbot, bench)
    page = filled(qtbot, window, bench)
    page.day.setText("4 Dec 2026")
    assert "REF-13" in {finding.rule for finding in page._findings}
    assert not page.verb.isEnabled()
    page.card.click()
    assert "Saved as" in page._saved.text()
    assert "REF-13" not in {finding.rule for finding in page._findings}
    assert page.verb.isEnabled()
    assert page.day.text() == "4 Dec 2026"
    window.close()
