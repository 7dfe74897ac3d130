"""Published schedules: each with its citation, and each comes to what the publication says."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from app.documents.catalogue import CatalogueError, load_catalogue
from app.documents.presets import FILE, load_presets
from app.models.course import changes_per_day
from app.models.findings import Severity
from app.models.guardrails_program import program_findings
from app.models.program import Flex, PeriodicBolus
from app.models.quantities import Concentration, DoseRate, Mass
from app.models.second_engine import second_figures
from app.resources import resource_path

PRESETS = {preset.id: preset for preset in load_presets()}
CATALOGUE = load_catalogue()
PUMP = CATALOGUE.pump("synchromed-ii-20")
AT_2000 = Concentration.mcg_per_ml(2000)


def test_the_presets_are_those_of_the_rule() -> None:
    assert list(PRESETS) == ["P1", "P2", "P3", "P4a", "P4b"]


@pytest.mark.parametrize(
    ("number", "total"), [("P1", "125.5"), ("P2", "95.5"), ("P3", "1000"), ("P4a", "600"), ("P4b", "700.002")]
)
def test_a_preset_comes_to_the_published_total(number: str, total: str) -> None:
    figures = second_figures(PRESETS[number].program, PUMP, AT_2000)
    assert figures.daily == Fraction(total) * Mass.PER_MCG


def test_the_boluses_of_kawano_are_six_and_eight_hours_apart() -> None:
    for number, every_min in (("P1", 360), ("P2", 480)):
        basal = DoseRate.mcg_per_day(Fraction("5.5"))
        assert PRESETS[number].program.delivery == PeriodicBolus(basal, Mass.mcg(30), 5, every_min)
        assert PRESETS[number].concentration is None
        assert "Spinal Cord 2018;56:996" in PRESETS[number].citation


def test_the_flex_program_of_de_la_fuente_has_thirteen_boluses_and_its_concentration() -> None:
    preset = PRESETS["P3"]
    assert preset.concentration == AT_2000
    assert changes_per_day(preset.program) == 13
    assert isinstance(preset.program.delivery, Flex)
    (plan,) = preset.program.delivery.plans
    assert plan.basal == DoseRate.mcg_per_day(350)
    assert {(bolus.dose, bolus.duration_min) for bolus in plan.boluses} == {(Mass.mcg(50), 5)}
    assert "10.20986/resed.2024.4076/2023" in preset.citation


@pytest.mark.parametrize("number", list(PRESETS))
def test_a_preset_says_what_its_publication_leaves_open_and_can_be_described_for_a_pump(number: str) -> None:
    preset = PRESETS[number]
    assert "rule DOS-05" in preset.note and preset.citation and preset.title
    assert "\n" not in preset.note + preset.citation
    findings = program_findings(preset.program, PUMP, CATALOGUE.drug("baclofen"), AT_2000, CATALOGUE)
    assert not [finding for finding in findings if finding.severity is Severity.BLOCK]


BROKEN = [
    ('states_mcg_per_day = "125.5"', 'states_mcg_per_day = "125.51"', "presets.P1: "),
    ('dose_mcg = "116.667"', 'dose_mcg = "116.66"', "presets.P4b"),
    ('every_min = 240 }\n\n[presets.P4b]', 'every_min = 24 }\n\n[presets.P4b]', "presets.P4a"),
    ("[presets.P2]", "[presets.second]", "presets.second"),
    ('version = "2026.11"', "version = 2026", "version"),
    ('mode = "flex"', 'mode = "stopped"', "presets.P3.program"),
    ('basal_mcg_per_day = "350"', "basal_mcg_per_day = 350", "presets.P3.program"),
    ('title = "Boluses every 6 h, Kawano"', 'title = " "', "presets.P1.title"),
]


@pytest.mark.parametrize(("text", "instead", "place"), BROKEN, ids=[place for *_, place in BROKEN])
def test_a_broken_file_is_refused_whole_with_the_place_named(
    tmp_path: Path, text: str, instead: str, place: str
) -> None:
    whole = resource_path(f"catalogue/{FILE}").read_text(encoding="utf-8")
    assert text in whole
    (tmp_path / FILE).write_text(whole.replace(text, instead), encoding="utf-8")
    with pytest.raises(CatalogueError) as refused:
        load_presets(tmp_path)
    assert refused.value.values["file"] == FILE
    assert str(refused.value.values["problem"]).startswith(place)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError):
        load_presets(tmp_path)
