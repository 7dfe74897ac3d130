"""The patient's card: every field read back from the PDF and compared with the records by arithmetic of its own."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from pypdf import PdfReader
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.models.patient_card import PatientCard
from app.models.program import SimpleContinuous
from app.models.records import AuditEntry
from app.services.patient_card import NoTherapyError, build_card
from app.ui.main_window import PATIENT as PATIENT_PAGE
from app.ui.main_window import MainWindow
from app.ui.one_page_pdf import PageNotWrittenError
from app.ui.patient.card import save_card
from app.ui.patient_card_pdf import write_card
from tests.services.bench import NOW, PATIENT, Bench
from tests.ui.papers import lowest

TODAY = date(2026, 11, 20)


@pytest.fixture
def bench(tmp_path: Path, themed: object):
    made = Bench(tmp_path)
    yield made
    made.station.store.close()


def card_of(bench: Bench, patient: str = PATIENT, *, phone: str = "", booked: date | None = None) -> PatientCard:
    station = bench.station
    return build_card(
        patient,
        station.store,
        station.catalogue,
        station.clock,
        station.emergency_book,
        phone=phone,
        digest=station.prescribing.canonical,
        emulated=True,
        appointment_on=booked,
    )


def text_of(path: Path) -> str:
    (page,) = PdfReader(path).pages
    return re.sub(r"\s+", " ", page.extract_text().replace("\xa0", " "))


def printed(bench: Bench, folder: Path, patient: str = PATIENT, **options: object) -> str:
    write_card(card_of(bench, patient, **options), folder / "card.pdf")  # type: ignore[arg-type]
    return text_of(folder / "card.pdf")


def day(at: date) -> str:
    return f"{at.day} {at:%b} {at.year}"


def test_every_simple_therapy_is_on_its_card_as_worked_out_from_the_records(bench: Bench, tmp_path: Path) -> None:
    """Dates from the fill alone: volume over flow, and the labelled error, in exact days."""
    station, told = bench.station, 0
    for record in station.store.therapies():
        if not record.programs or not isinstance(record.programs[-1].settings.program.delivery, SimpleContinuous):
            continue
        implant, fill, settings = record.implant, record.fill, record.programs[-1].settings
        assert implant is not None and fill is not None and isinstance(settings.program.delivery, SimpleContinuous)
        model = station.catalogue.pump(implant.pump_model)
        dose, strength = settings.program.delivery.daily_dose.in_mcg_per_day, settings.concentration.in_mcg_per_ml
        flow = dose / strength
        low = after(fill.at, (fill.volume.in_ml - settings.low_alarm.in_ml) / flow)
        earliest = after(fill.at, fill.volume.in_ml / (flow * (1 + model.accuracy_percent / 100)))
        stable = station.catalogue.drug(fill.drug).stability_days
        due = min(low, earliest, *([fill.at + timedelta(days=stable)] if stable else []))
        text = printed(bench, tmp_path, record.patient.id)
        for line in (
            f"{record.patient.name} born {day(record.patient.born_on)}, number {record.patient.number}",
            f"Refill by {day(due.date())}",
            f"Low-reservoir alarm {day(low.date())} {low:%H:%M}",
            f"Drug {settings.drug} Concentration {int(strength)} mcg/mL Daily dose {int(dose)} mcg/day Mode simple",
            f"Pump {model.name} Serial number {implant.serial}",
            f"Last fill {float(fill.volume.in_ml):g} mL on {day(fill.at.date())}",
            f"program {station.prescribing.canonical(settings)[1][:8]} · records {station.store.audit_head()[:8]}",
        ):
            assert line in text, (record.patient.name, line)
        told += 1
    assert told >= 7


def after(start: datetime, days: Fraction) -> datetime:
    return start + timedelta(minutes=int(days * 1440))


def test_the_card_tells_signs_alarms_and_that_dates_are_computed(bench: Bench, tmp_path: Path) -> None:
    text = printed(bench, tmp_path, phone="+386 1 475 81 00")
    for line in (
        "Emergency number: +386 1 475 81 00",
        "computed from the programmed rate",
        "A pump that delivers too much is empty earlier, and will not alarm.",
        "Too little medicine (withdrawal)",
        "itching all over without a rash",
        "Too much medicine (overdose)",
        "slow, shallow or stopped breathing",
        "One tone of 1 second, about once an hour",
        "Two tones, for 3 seconds The reservoir is empty, the pump has stopped, or it has failed. "
        "Call the emergency number now.",
        "simple continuous: rate 300 mcg/day = 12.5 mcg/h; in total 300 mcg/day, 0.3 mL/day.",
        "Next appointment 23 Nov 2026",
        "Cisterna is not a medical device",
        "EMULATED PUMP",
    ):
        assert line in text, line
    assert "____" not in text


def test_every_plain_sign_of_the_catalogue_is_on_the_card(bench: Bench, tmp_path: Path) -> None:
    text, book = printed(bench, tmp_path), bench.station.emergency_book
    signs = [sign for found in (book.overdose, book.withdrawal) for sign in found.signs if sign.patient]
    assert len(signs) == 13
    for sign in signs:
        assert sign.patient in text, sign.patient


def test_without_a_number_there_is_a_line_to_write_on(bench: Bench, tmp_path: Path) -> None:
    assert "Emergency number: __________" in printed(bench, tmp_path)


def test_tones_are_told_only_where_they_are_known(bench: Bench, tmp_path: Path) -> None:
    assert "call the clinic the same day; call the emergency number" in printed(bench, tmp_path, "patient-child")
    constant = printed(bench, tmp_path, "patient-constant-flow")
    assert "This pump has no alarm" in constant and "Low-reservoir alarm no alarm" in constant
    assert "Two tones" not in constant


@pytest.mark.parametrize(
    ("booked", "said"),
    [
        (None, "Next appointment 23 Nov 2026"),
        (TODAY, "Next appointment 20 Nov 2026"),
        (date(2027, 1, 4), "Next appointment 4 Jan 2027"),
    ],
)
def test_a_day_that_is_about_to_be_booked_goes_before(
    bench: Bench, tmp_path: Path, booked: date | None, said: str
) -> None:
    assert said in printed(bench, tmp_path, booked=booked)


def test_an_appointment_that_has_passed_is_none(bench: Bench, tmp_path: Path) -> None:
    entry = AuditEntry(NOW, bench.nurse.id, "test", "patient-heetla-8")
    bench.station.store.add(entry, appointments=[("patient-heetla-8", TODAY)])  # type: ignore[attr-defined]
    assert "Next appointment 20 Nov 2026" in printed(bench, tmp_path, "patient-heetla-8"), "today's is not over"
    assert "Next appointment not booked: call the clinic" in printed(bench, tmp_path, "patient-kawano-b")


def test_a_long_name_and_a_long_program_stay_on_one_page(bench: Bench, tmp_path: Path) -> None:
    program = "bolus at 06:05 12.345 mcg over 5 min; " * 300 + "the end."
    write_card(replace(card_of(bench, "patient-long-name"), program=program), tmp_path / "card.pdf")
    text = text_of(tmp_path / "card.pdf")
    assert "Øvergård-Szczepańska von Hohenlohe, Maria-Magdalena Kunigunde" in text.replace("- ", "-")
    assert text.count("bolus at 06:05 12.345 mcg over 5 min;") == 300
    assert "the end." in text
    assert lowest(tmp_path / "card.pdf") > 0, "nothing is drawn below the paper"


def test_who_has_no_therapy_has_no_card(bench: Bench) -> None:
    with pytest.raises(NoTherapyError):
        card_of(bench, "patient-new")
    saved = save_card(bench.station, "patient-new")
    assert (saved.path, saved.is_error) == (None, True)
    assert "first refill" in saved.words


def test_a_card_that_cannot_be_written_is_an_error(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(PageNotWrittenError):
        write_card(card_of(bench), tmp_path / "nowhere" / "card.pdf")
    station = replace(bench.station, reports=tmp_path / "file")
    (tmp_path / "file").write_text("in the way")
    head = station.store.audit_head()
    saved = save_card(station, PATIENT)
    assert (saved.path, saved.is_error) == (None, True)
    assert station.store.audit_head() == head, "what was not written is not noted"


def test_the_button_writes_the_card_and_says_that_a_number_is_missing(
    qtbot: QtBot, themed: QApplication, tmp_path: Path
) -> None:
    bench = Bench(tmp_path)
    window = MainWindow(bench.station)
    qtbot.addWidget(window)
    window.show()
    window.open_patient(PATIENT)
    assert window.pages.currentIndex() == PATIENT_PAGE
    head = bench.station.store.audit_head()
    window.patient_view.card.click()
    said = next(
        label.text() for label in window.patient_view.findChildren(QLabel) if label.text().startswith("Saved as")
    )
    assert "No emergency number is set" in said
    (path,) = bench.station.reports.glob("card-*.pdf")
    assert f"{NOW:%Y%m%d}" in path.name and "EMU-100191" in text_of(path)
    assert bench.station.store.audit_head() != head, "that it was printed is noted"
    bench.station.phones.choose("112")
    window.patient_view.card.click()
    assert "Emergency number: 112" in text_of(path)
    window.close()
