"""The products: those of the file, and files that are broken."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from app.documents.catalogue import CatalogueError, load_catalogue
from app.documents.products import FILE, load_products, read_products
from app.models.quantities import Concentration, Volume
from app.resources import resource_path

CATALOGUE = load_catalogue()
WHOLE = resource_path(f"catalogue/{FILE}").read_text(encoding="utf-8")


def test_every_gtin_is_that_of_the_code_in_its_source() -> None:
    for gtin, product in load_products(CATALOGUE).items():
        code = product.source.partition(",")[0].removeprefix("NDC ").replace("-", "")
        assert len(code) == 10 and gtin[:13] == f"003{code}", product
        assert gtin == product.gtin and not product.verified


def test_a_name_states_the_concentration_and_volume_of_its_product() -> None:
    for product in load_products(CATALOGUE).values():
        assert f"{Fraction(product.concentration.quanta, 10**9)} mcg/mL" in product.name
        assert f"of {Fraction(product.volume.quanta, 10**9)} mL" in product.name


def test_the_file_has_screening_ampoules_and_every_concentration_for_pumps() -> None:
    products = load_products(CATALOGUE).values()
    pump = {product.concentration for product in products if not product.screening}
    assert pump == set(CATALOGUE.drug("baclofen").pump_concentrations)
    assert {product.concentration for product in products if product.screening} == {Concentration.mcg_per_ml(50)}


BROKEN = [
    ("[products.00370121250319]", "[products.00370121250318]", "products.00370121250318: wrong check digit"),
    ("[products.00370121250319]", "[products.0370121250319]", "products.0370121250319"),
    ('drug = "baclofen"', 'drug = "baclofene"', "products.00370121249658: no drug baclofene"),
    ('concentration_mcg_per_ml = "500"', 'concentration_mcg_per_ml = "5000"', "products.00370121250111: not a known"),
    ('concentration_mcg_per_ml = "500"', "concentration_mcg_per_ml = 500", "products.00370121250111.conc"),
    ('concentration_mcg_per_ml = "500"', 'concentration_mcg_per_ml = "50"', "products.00370121250111: for screening"),
    ("screening = true", "screening = false", "products.00370121249658: for screening"),
    ("screening = true", 'screening = "true"', "products.00370121249658.screening"),
    ('volume_ml = "5"', 'volume_ml = "0"', "products.00370121250227: nothing in it"),
    ('volume_ml = "5"', 'volume_ml = "5 mL"', "products.00370121250227.volume_ml"),
    ("verified = false", "verified = false\nlot = 1", "products.00370121249658.lot"),
    ('version = "2026.11"', "", "version"),
]


@pytest.mark.parametrize(("text", "instead", "place"), BROKEN, ids=[place for *_, place in BROKEN])
def test_a_broken_file_is_refused_whole_with_the_place_named(
    tmp_path: Path, text: str, instead: str, place: str
) -> None:
    assert text in WHOLE
    file = tmp_path / FILE
    file.write_text(WHOLE.replace(text, instead, 1), encoding="utf-8")
    with pytest.raises(CatalogueError) as refused:
        read_products(file, CATALOGUE)
    assert refused.value.values["file"] == FILE
    assert str(refused.value.values["problem"]).startswith(place)


OWN = """
version = "1"

[products.04006381333931]
name = "Baclofen 500 mcg/mL of the house pharmacy"
drug = "baclofen"
concentration_mcg_per_ml = "500"
volume_ml = "40"
screening = false
source = "house pharmacy"
verified = true
"""


def test_a_clinic_adds_its_own_products_and_replaces_none(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(OWN, encoding="utf-8")
    products = load_products(CATALOGUE, file)
    assert len(products) == len(load_products(CATALOGUE)) + 1
    assert products["04006381333931"].volume == Volume.ml(40)
    file.write_text(OWN.replace("04006381333931", "00370121250319"), encoding="utf-8")
    with pytest.raises(CatalogueError, match="listed before"):
        load_products(CATALOGUE, file)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError):
        load_products(CATALOGUE, tmp_path / "none.toml")
