"""The refill report on paper: the fields of a full report, on one page whatever is written."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from pypdf import PdfReader

from app.models.pump import Outcome, PumpEvent, PumpEventKind
from app.models.quantities import Volume
from app.models.records import AuditEntry
from app.models.refill_visit import Answer, RefillVisit
from app.models.report import RefillReport
from app.services.refill_report import build_report
from app.ui.report_pdf import write_report
from tests.services.bench import NOW, Bench
from tests.ui.papers import lowest


@pytest.fixture
def bench(tmp_path: Path, themed: object):
    made = Bench(tmp_path)
    yield made
    made.station.store.close()


def sent(bench: Bench) -> RefillVisit:
    visit = bench.until_proposed(concentration=2000)
    station = bench.station
    model, port = station.desk.model_of(visit), bench.port()
    staged = station.programming.stage(visit, model, port, serial="EMU-100191", user_id=bench.physician.id)
    visit = station.programming.send(staged, model, port, user_id=bench.physician.id)
    assert visit.outcome is Outcome.VERIFIED
    return visit


def report_of(bench: Bench, visit: RefillVisit) -> RefillReport:
    station = bench.station
    return build_report(visit, station.store, station.catalogue, station.clock)


def text_of(report: RefillReport, folder: Path) -> str:
    write_report(report, folder / "report.pdf")
    (page,) = PdfReader(folder / "report.pdf").pages
    return re.sub(r"\s+", " ", page.extract_text().replace("\xa0", " "))


def test_the_fields_of_a_full_report_are_on_it(bench: Bench, tmp_path: Path) -> None:
    visit = sent(bench)
    assert visit.txn is not None
    text = text_of(report_of(bench, visit), tmp_path)
    digest = bench.station.store.intent(visit.txn).digest
    for line in (
        " ".join(re.findall(".{8}", visit.id)),
        "Second person Ingrid Sørensen",
        f"Software Cisterna 0.1.0, catalogue {bench.station.catalogue.version}",
        " ".join(re.findall(".{8}", digest)),
        "20 Nov 2023, 3 y 0 mo ago",
        # (89 - 9) cm x 0.0022 mL/cm.
        "8709SC, 9 cm cut off: 0.176 mL",
        f"0.14 mL, catalogue {bench.station.catalogue.version}",
        # 13.9 mL of 14.1 mL came out: 1.4 % too little.
        "+0.2 mL, delivered -1.4 %",
        "20 Nov 2026 10:00 to 21 Nov 2026 11:17",
        "The drug is stable until 19 May 2027 10:00",
        "limited by",
    ):
        assert line in text, line


def test_the_log_since_the_last_fill_names_what_nobody_ordered(bench: Bench) -> None:
    visit = sent(bench)
    assert visit.reading is not None
    codes = {kind: number for number, kind in enumerate(PumpEventKind, 1)}
    last = visit.reading.pump_clock
    for number, (kind, ago) in enumerate(
        (
            (PumpEventKind.STALLED, 3),
            (PumpEventKind.STALLED, 2),
            (PumpEventKind.RECOVERED, 1),
            (PumpEventKind.STALLED, -1),
            (PumpEventKind.STALLED, 48 * 24),
        ),
        1000,
    ):
        event = PumpEvent(number, last - timedelta(hours=ago), kind, codes[kind])
        entry = AuditEntry(NOW, bench.nurse.id, "test", visit.id)
        bench.station.store.save_visit(visit, entry, events=[event])
    (pump, *_) = report_of(bench, visit).sections
    said = next(row.value for row in pump.rows if row.label == "Log since the last fill")
    assert said == "2 × stalled, 1 × recovered", "neither what is older than the fill nor what came after the reading"


def test_every_reason_names_its_rule_its_giver_and_its_moment(bench: Bench, tmp_path: Path) -> None:
    visit = sent(bench)
    answer = Answer("REF-02", "volume", "Weighed twice, the balance agrees", NOW, bench.nurse.id)
    visit = replace(visit, answers=(*visit.answers, answer))
    text = text_of(report_of(bench, visit), tmp_path)
    name = bench.nurse.name
    assert f"REF-02 (volume): Weighed twice, the balance agrees [{name}, 20 Nov 2026 10:00]" in text


def test_a_report_with_very_much_on_it_stays_on_one_page_and_loses_nothing(bench: Bench, tmp_path: Path) -> None:
    visit = sent(bench)
    answers = tuple(
        Answer("REF-02", f"reason-{number}", f"long words about number {number}, " * 6, NOW, bench.nurse.id)
        for number in range(60)
    )
    text = text_of(report_of(bench, replace(visit, answers=answers)), tmp_path)
    assert all(f"(reason {number})" in text for number in range(60))
    assert "Signature" in text
    assert lowest(tmp_path / "report.pdf") > 0, "nothing is drawn below the paper"


@pytest.mark.parametrize(("drawn", "said"), [("3.9", "0 mL, delivered 0 %"), ("3.8", "-0.1 mL, delivered +0.7 %")])
def test_the_error_of_delivery_has_its_sign(bench: Bench, drawn: str, said: str) -> None:
    visit = replace(sent(bench), aspirated=Volume.ml(Fraction(drawn)))
    reservoir = next(section for section in report_of(bench, visit).sections if section.title == "Reservoir")
    assert {row.label: row.value.replace("\xa0", " ") for row in reservoir.rows}["Difference"] == said
