"""The catalogue's files, by the values they must hold."""

from __future__ import annotations

import json
import shutil
from argparse import Namespace
from fractions import Fraction
from pathlib import Path

import pytest

from app.documents.catalogue import (
    CatalogueError,
    UnknownConstantError,
    load_catalogue,
    print_catalogue,
    with_overrides,
)
from app.models.catalogue import PumpKind, UnknownEntryError
from app.models.formats import NotANumberError
from app.models.quantities import Concentration, Flow, Volume
from app.resources import resource_path

CATALOGUE = load_catalogue()
PUMPS = [
    "synchromed-8611h",
    "synchromed-el-10",
    "synchromed-el-18",
    "synchromed-ii-20",
    "synchromed-ii-40",
    "synchromed-iii-20",
    "synchromed-iii-40",
    "prometra-ii-20",
    "prometra-ii-40",
    "medstream-20",
    "medstream-40",
    "isomed-20-0.3",
    "isomed-20-0.5",
    "isomed-20-1.0",
    "isomed-20-1.5",
    "isomed-35-0.3",
    "isomed-35-0.5",
    "isomed-35-1.0",
    "isomed-35-1.5",
    "isomed-35-2.0",
    "isomed-35-2.5",
    "codman-3000-16",
    "codman-3000-30",
    "codman-3000-50",
    "archimedes-20",
    "archimedes-40",
    "archimedes-60",
]


def test_every_pump_catheter_and_drug_is_there() -> None:
    assert list(CATALOGUE.pumps) == PUMPS
    assert {"8709", "8709SC", "8731SC", "8780", "8781", "prometra-110"} <= set(CATALOGUE.catheters)
    assert {"baclofen", "morphine", "clonidine", "ziconotide", "hydromorphone", "baclofen+morphine"} <= set(
        CATALOGUE.drugs
    )


def test_some_values_by_hand() -> None:
    second = CATALOGUE.pump("synchromed-ii-20")
    assert second.tubing == Volume.ml(Fraction("0.140"))
    assert second.minimum_rate == Flow.ml_per_day(Fraction("0.006"))
    assert (second.accuracy_percent, second.max_changes_per_day) == (Fraction("14.5"), 13)
    assert second.constants["tubing_ml"].verified
    assert not second.constants["residual_ml"].verified
    assert CATALOGUE.pump("prometra-ii-40").tubing is None
    assert CATALOGUE.pump("isomed-35-0.5").fixed_flow == Flow.ml_per_day(Fraction("0.5"))
    assert CATALOGUE.pump("codman-3000-16").fixed_flow is None
    assert CATALOGUE.pump("archimedes-60").kind is PumpKind.CONSTANT_FLOW
    assert CATALOGUE.catheter("8709SC").length_cm == 89
    baclofen = CATALOGUE.drug("baclofen")
    assert baclofen.pump_concentrations == tuple(Concentration.mcg_per_ml(value) for value in (500, 1000, 2000))
    assert (baclofen.stability_days, CATALOGUE.drug("morphine").stability_days) == (180, 90)
    assert CATALOGUE.drug("baclofen+clonidine").stability_days == 98
    assert CATALOGUE.rule("ref_02_volume_ml") == 2


def test_every_constant_names_its_source_and_unit() -> None:
    models = (*CATALOGUE.pumps.values(), *CATALOGUE.catheters.values(), *CATALOGUE.drugs.values())
    constants = [constant for model in models for constant in model.constants.values()]
    for constant in (*constants, *CATALOGUE.rules.values()):
        assert constant.source.strip() and constant.unit.strip(), constant.name


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(UnknownEntryError):
        CATALOGUE.pump("synchromed-iv")


def test_a_clinic_replaces_constants_for_itself() -> None:
    pump = with_overrides(CATALOGUE.pump("prometra-ii-20"), {"tubing_ml": "0.150"})
    assert pump.tubing == Volume.ml(Fraction("0.15"))
    assert CATALOGUE.pump("prometra-ii-20").tubing is None
    with pytest.raises(UnknownConstantError):
        with_overrides(pump, {"colour": "1"})
    with pytest.raises(NotANumberError):
        with_overrides(pump, {"tubing_ml": ",15"})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('value = "18", unit = "mL"', 'value = "18,0", unit = "mL"'),
        ('version = "2026.11"', 'version = "2026.12"'),
        ('kind = "programmable"', 'kind = "magic"'),
        ('source = "unverified default: as SynchroMed EL"', 'source = ""'),
        ("capacity_ml", "capacity_litres"),
    ],
)
def test_a_broken_file_is_refused_whole(tmp_path: Path, old: str, new: str) -> None:
    folder = tmp_path / "catalogue"
    shutil.copytree(resource_path("catalogue"), folder)
    path = folder / "pumps.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogueError):
        load_catalogue(folder)


def test_the_listing_for_programs_holds_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_catalogue(Namespace(json=True)) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["version"] == "2026.11"
    assert list(listed["pumps"]) == PUMPS
    tubing = listed["pumps"]["synchromed-ii-20"]["constants"]["tubing_ml"]
    assert tubing == {
        "value": "0.140",
        "unit": "mL",
        "source": "TGA, recall action RC-2017-RN-00065-1",
        "verified": True,
    }


def test_the_listing_for_people_marks_what_is_unverified(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_catalogue(Namespace(json=False)) == 0
    lines = capsys.readouterr().out.splitlines()
    residual = next(line for line in lines if "residual_ml" in line)
    assert " * " in residual
