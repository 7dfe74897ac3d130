"""A restart after a holiday, two estimates of a reservoir, a concentration not told, boluses a day in words."""

from __future__ import annotations

from fractions import Fraction

import pytest

from app.documents.catalogue import load_catalogue
from app.models.comparison import program_lines
from app.models.findings import Finding, Severity
from app.models.guardrails import estimates_findings, if_missed_findings
from app.models.program import PeriodicBolus, Program
from app.models.quantities import Concentration, DoseRate, Mass, Volume
from app.models.rule_texts import sentence
from app.models.titration import restart_findings

CATALOGUE = load_catalogue()


def rate(mcg: str | int) -> DoseRate:
    return DoseRate.mcg_per_day(Fraction(mcg))


@pytest.mark.parametrize(
    ("old", "new", "asks"),
    [
        ("48", "648", True), ("48", "647.999", False), ("72", "648", True), ("72.001", "648", False),
        ("0", "648", True), ("0", "300", False), ("0", "1320", True),
    ],
)  # fmt: skip
def test_pro_03_asks_from_27_mcg_an_hour_on_after_a_holiday_or_nothing(old: str, new: str, asks: bool) -> None:
    found = restart_findings(rate(old), rate(new), CATALOGUE)
    assert [(one.rule, one.severity) for one in found] == ([("PRO-03", Severity.CONFIRM)] if asks else [])
    for one in found:
        assert f"{new} mcg a day" in sentence(one)


def test_27_and_55_mcg_an_hour_are_the_doses_of_the_source() -> None:
    assert (DoseRate.mcg_per_hour(27), DoseRate.mcg_per_hour(55)) == (rate(648), rate(1320))
    (found,) = restart_findings(rate(48), DoseRate.mcg_per_hour(55), CATALOGUE)
    assert "1320 mcg a day (55 mcg/h) after 48 mcg" in sentence(found)


@pytest.mark.parametrize(("by_pump", "asks"), [("5.9", False), ("5.900000001", True), ("1.9", False), ("1.89", True)])
def test_ref_01_two_estimates_may_differ_by_two_millilitres_and_no_more(by_pump: str, asks: bool) -> None:
    record = Volume.ml(Fraction("3.9"))
    found = estimates_findings(CATALOGUE, by_pump=Volume.ml(Fraction(by_pump)), by_record=record)
    assert [(one.rule, one.severity) for one in found] == ([("REF-01", Severity.CONFIRM)] if asks else [])
    assert all("3.9 mL" in sentence(one) for one in found)


def test_u_04_a_concentration_that_the_pump_is_not_told_of_multiplies_the_dose() -> None:
    weak, strong = Concentration.mcg_per_ml(500), Concentration.mcg_per_ml(2000)
    (found,) = if_missed_findings(weak, strong, rate(350))
    # 350 mcg/day at 500 mcg/mL are 0.7 mL/day, and 0.7 mL/day of 2000 mcg/mL are 1400 mcg/day.
    assert dict(found.values) == {"old_mcg_per_ml": "500", "daily_dose_mcg": "1400", "factor": "4"}
    assert found.severity is Severity.NOTE and "1400 mcg a day would arrive, 4 times" in sentence(found)
    (other,) = if_missed_findings(strong, weak, rate(350))
    assert (other.values["daily_dose_mcg"], other.values["factor"]) == ("87.5", "0.25")
    assert if_missed_findings(weak, weak, rate(350)) == if_missed_findings(weak, strong, rate(0)) == ()


@pytest.mark.parametrize(
    ("every_min", "words"),
    [(60, "24 a day = 1440 mcg/day"), (1440, "1 a day = 60 mcg/day"), (480, "3 a day = 180 mcg/day")],
)
def test_u_09_says_how_often_a_day_and_what_that_makes(every_min: int, words: str) -> None:
    delivery = PeriodicBolus(rate(0), Mass.mcg(60), 5, every_min)
    told = program_lines(Program(delivery))["Periodic bolus"].replace("\u00a0", " ")
    assert told.endswith(f"from 00:00: {words}")


def test_each_new_sentence_is_short() -> None:
    found: list[Finding] = [
        *restart_findings(rate(0), rate(648), CATALOGUE),
        *estimates_findings(CATALOGUE, by_pump=Volume.ml(9), by_record=Volume.ml(1)),
        *if_missed_findings(Concentration.mcg_per_ml(500), Concentration.mcg_per_ml(2000), rate(350)),
    ]
    assert len(found) == 3 and all(len(sentence(one).split()) <= 28 for one in found)
