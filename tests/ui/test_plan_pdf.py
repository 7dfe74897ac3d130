"""The printed plan: the same value as on the screen, its digest on every page, and text that can be read back."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from pypdf import PdfReader

from app.models.ports import NotOnRecordError
from app.models.program import Bolus, DayPlan, Flex, PatientActivated, Program, SimpleContinuous, Step, Weekday
from app.models.pump import Outcome
from app.models.quantities import DoseRate, Mass
from app.models.signed_order import SignedOrder
from app.services.clock import Clock
from app.services.plan_text import PrintedPlan, printed_plan
from app.ui.plan_pdf import PlanNotWrittenError, write_plan
from tests.services.bench import NOW, Bench

WEEK = Flex(
    (
        DayPlan(
            tuple(Weekday)[:5],
            DoseRate.mcg_per_day(Fraction("152.005")),
            (Bolus(at=360, dose=Mass.mcg(Fraction("12.345")), duration_min=90),),
        ),
        DayPlan(
            tuple(Weekday)[5:], DoseRate.mcg_per_day(160), (), (Step(at=480, dose=Mass.mcg(24), duration_min=240),)
        ),
    )
)
REASON = "Overdose <b> & itching on Monday"


@pytest.fixture
def bench(tmp_path: Path, themed: object):
    made = Bench(tmp_path)
    yield made
    made.station.store.close()


def sign(bench: Bench, program: Program, *, name: str = "Weekday flex", percent: int = 10) -> SignedOrder:
    prescribing, implant = bench.station.prescribing, bench.station.desk.implant(bench.patient)
    running = prescribing.therapy(implant).settings
    assert running is not None
    draft = prescribing.save_draft(implant, name, replace(running, program=program), bench.physician)
    reviewed = prescribing.review(implant, draft.settings)
    reasons = {(found.rule, found.reason): REASON for found in reviewed.findings}
    return prescribing.sign(
        implant,
        draft,
        bench.physician,
        range_percent=Fraction(percent),
        valid_until=date(2027, 1, 31),
        reasons=reasons,
    )


def printed(bench: Bench, order: SignedOrder) -> PrintedPlan:
    return printed_plan(bench.station.prescribing, bench.station.desk.implant(bench.patient), order.id)


def pages_of(plan: PrintedPlan, folder: Path) -> list[str]:
    write_plan(plan, folder / "plan.pdf")
    return [" ".join(page.extract_text().split()) for page in PdfReader(folder / "plan.pdf").pages]


def test_the_plan_says_what_was_signed_by_whom_and_for_how_long(bench: Bench, tmp_path: Path) -> None:
    order = sign(bench, Program(WEEK))
    (text,) = pages_of(printed(bench, order), tmp_path)
    for line in (
        "Plan: Weekday flex",
        "van der Meulen, Johanna",
        "born 3 May 1957, number 50-0918",
        "IN FORCE",
        "Signed by Dr Helene Brandt",
        "Signed at 20 Nov 2026 09:00 UTC",
        "Valid until 31 Jan 2027",
        "A nurse may program each dose ± 10 %",
        "Serial number EMU-100191",
        "In the pump not yet",
        "Drug baclofen Concentration 1000 mcg/mL Low-reservoir alarm at 2 mL",
        "Mon–Fri all day basal rate 152.005 mcg/day 6.334 mcg/h",
        "Mon–Fri 06:00 bolus on top 12.345 mcg 1 h 30 min",
        "Sat, Sun 08:00 step in place 24 mcg 4 h",
        # (5 x 164.35 + 2 x (160 x 20/24 + 24)) / 7.
        "Daily dose 162.345 mcg/day",
        # 60 of the bolus's 90 min, 8.23 mcg, and 152.005 / 24 mcg.
        "Largest in 60 min 14.564 mcg",
        f"Reason given: {REASON}",
        "Cisterna is not a medical device",
        "Page 1 of 1",
    ):
        assert line in text, line
    assert text.count("IN FORCE") == 1, "nothing is drawn twice"


def test_a_long_plan_carries_its_digest_on_every_page(bench: Bench, tmp_path: Path) -> None:
    days = [(day,) for day in Weekday]
    boluses = tuple(Bolus(at=60 * hour, dose=Mass.mcg(3), duration_min=5) for hour in range(1, 12))
    program = Program(
        Flex(tuple(DayPlan(day, DoseRate.mcg_per_day(200 + day[0]), boluses) for day in days)),
        PatientActivated(Mass.mcg(2), 5, 360, 2),
    )
    order = sign(bench, program)
    pages = pages_of(printed(bench, order), tmp_path)
    groups = re.findall(".{8}", order.digest)
    assert len(pages) > 1
    for number, text in enumerate(pages, 1):
        assert " ".join(groups) in text
        assert f"Page {number} of {len(pages)}" in text
        assert "not a medical device" in text
    whole = " ".join(pages)
    for day in ("Mon", "Wed", "Sun"):
        assert whole.count(f"{day} 07:00 bolus on top 3 mcg 5 min") == 1
    assert "at most 2 a day lockout 6 h patient-activated bolus 2 mcg 5 min" in whole


def test_the_paper_says_what_became_of_the_order(bench: Bench, tmp_path: Path) -> None:
    first = sign(bench, Program(SimpleContinuous(DoseRate.mcg_per_day(310))), name="First", percent=0)
    assert "exactly this, nothing else" in pages_of(printed(bench, first), tmp_path)[0]
    second = sign(bench, Program(SimpleContinuous(DoseRate.mcg_per_day(300))), name="Second")
    assert printed(bench, first).standing == "REPLACED BY A LATER ORDER"
    station = bench.station
    visit = bench.until_proposed()
    model, port = station.desk.model_of(visit), bench.port()
    staged = station.programming.stage(visit, model, port, serial="EMU-100191", user_id=bench.nurse.id)
    assert station.programming.send(staged, model, port, user_id=bench.nurse.id).outcome is Outcome.VERIFIED
    assert "In the pump verified, since 20 Nov 2026 10:00 on its clock" in pages_of(printed(bench, second), tmp_path)[0]
    implant = station.desk.implant(bench.patient)
    later = replace(station.prescribing, clock=Clock(lambda: NOW + timedelta(days=90), timedelta(hours=1)))
    assert printed_plan(later, implant, second.id).standing == "EXPIRED"
    station.prescribing.withdraw(second, bench.physician)
    text = pages_of(printed(bench, second), tmp_path)[0]
    assert "WITHDRAWN" in text and "Withdrawn at 20 Nov 2026 09:00 UTC" in text


def test_only_an_order_is_printed_never_a_draft(bench: Bench) -> None:
    order = sign(bench, Program(WEEK))
    for other in (order.draft_id, "nothing"):
        with pytest.raises(NotOnRecordError):
            printed(bench, replace(order, id=other))


def test_a_plan_that_cannot_be_written_is_an_error(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(PlanNotWrittenError):
        write_plan(printed(bench, sign(bench, Program(WEEK))), tmp_path / "nowhere" / "plan.pdf")
