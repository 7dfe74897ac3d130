"""The file of products by GTIN: read strictly, turned into domain values.

Law: a product holds a drug of the drug catalogue in a concentration that is known there, for a pump or for screening,
and its GTIN has the right check digit; a file that breaks this is refused whole, with the place named.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.documents.catalogue import CatalogueError
from app.documents.fields import ConcentrationMcgPerMl, VolumeMl
from app.models.catalogue import Catalogue
from app.models.vial import Product, check_digit
from app.resources import resource_path

FILE = "products.toml"

_Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
_Gtin = Annotated[str, Field(pattern=r"^[0-9]{14}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)


class ProductDocument(_Strict):
    """One product of the file."""

    name: _Text
    drug: _Text
    concentration_mcg_per_ml: ConcentrationMcgPerMl
    volume_ml: VolumeMl
    screening: bool
    source: _Text
    verified: bool

    def to_domain(self, gtin: str) -> Product:
        return Product(
            gtin=gtin,
            name=self.name,
            drug=self.drug,
            concentration=self.concentration_mcg_per_ml,
            volume=self.volume_ml,
            screening=self.screening,
            source=self.source,
            verified=self.verified,
        )


class ProductsDocument(_Strict):
    """The whole file."""

    version: _Text
    products: dict[_Gtin, ProductDocument]


def load_products(catalogue: Catalogue, *files: Path) -> Mapping[str, Product]:
    """All products by GTIN: those of this program, then those of a clinic's own files.

    Raises:
        CatalogueError: a file is missing or broken, or has a GTIN that another one has.
    """
    found: dict[str, Product] = {}
    for file in (resource_path("catalogue") / FILE, *files):
        for product in read_products(file, catalogue):
            if product.gtin in found:
                raise CatalogueError(file=file.name, problem=f"products.{product.gtin}: listed before")
            found[product.gtin] = product
    return MappingProxyType(found)


def read_products(file: Path, catalogue: Catalogue) -> tuple[Product, ...]:
    """The products of one file, in its order. Raises: CatalogueError."""
    try:
        table: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CatalogueError(file=file.name, problem=str(error)) from None
    try:
        document = ProductsDocument.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise CatalogueError(file=file.name, problem=f"{place}: {first['msg']}") from None
    products = tuple(product.to_domain(gtin) for gtin, product in document.products.items())
    for product in products:
        problem = _problem(product, catalogue)
        if problem:
            raise CatalogueError(file=file.name, problem=f"products.{product.gtin}: {problem}")
    return products


def _problem(product: Product, catalogue: Catalogue) -> str:
    if check_digit(product.gtin[:-1]) != product.gtin[-1]:
        return "wrong check digit"
    drug = catalogue.drugs.get(product.drug)
    if drug is None:
        return f"no drug {product.drug}"
    if not product.concentration or not product.volume:
        return "nothing in it"
    if product.screening != (product.concentration in drug.screening_concentrations):
        return "for screening or for a pump: the drug catalogue says otherwise"
    if not product.screening and drug.pump_concentrations and product.concentration not in drug.pump_concentrations:
        return "not a known concentration of this drug"
    return ""
