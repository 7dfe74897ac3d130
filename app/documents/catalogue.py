"""The catalogue's files: read strictly, turned into domain values, and listed.

Law: a value is text in the grammar of numbers, with its unit, its source and whether that was verified; a file that
breaks this is refused whole, with the place named.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from app.models.catalogue import Catalogue, CatheterModel, Constant, Drug, PumpKind, PumpModel
from app.models.errors import AppError
from app.models.formats import NotANumberError, parse_number
from app.models.quantities import Concentration, DoseRate, Flow, Mass, Volume
from app.resources import resource_path


class CatalogueError(AppError):
    """A catalogue file is not what it should be; ``file`` and ``problem`` name the place."""


class UnknownConstantError(AppError):
    """A pump has no constant of that name."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ConstantDocument(_Strict):
    """One constant of the file."""

    value: str | None = None
    unit: str
    source: str
    verified: bool

    @field_validator("value")
    @classmethod
    def _is_number(cls, value: str | None) -> str | None:
        if value is not None:
            _number(value)
        return value

    @field_validator("source")
    @classmethod
    def _is_named(cls, source: str) -> str:
        if not source.strip():
            raise ValueError("a constant without a source")
        return source

    def to_domain(self, name: str) -> Constant:
        return Constant(name, self.value, self.unit, self.source, self.verified)


class ListDocument(_Strict):
    """A constant that is a list of values."""

    values: list[str]
    unit: str
    source: str
    verified: bool

    @field_validator("values")
    @classmethod
    def _are_numbers(cls, values: list[str]) -> list[str]:
        for value in values:
            _number(value)
        return values

    def to_domain(self, name: str) -> Constant:
        return Constant(name, ", ".join(self.values) or None, self.unit, self.source, self.verified)


def _number(text: str) -> Fraction:
    try:
        return parse_number(text)
    except NotANumberError as error:
        raise ValueError(f"{text!r} is not a number ({error.problem})") from None


class PumpDocument(_Strict):
    """One pump of the file."""

    name: str
    kind: Literal["programmable", "constant-flow"]
    capacity_ml: ConstantDocument
    residual_ml: ConstantDocument
    min_flow_ml_per_day: ConstantDocument
    minimum_rate_ml_per_day: ConstantDocument
    max_flow_ml_per_day: ConstantDocument
    accuracy_percent: ConstantDocument
    tubing_ml: ConstantDocument
    low_alarm_ml: ConstantDocument
    max_changes_per_day: ConstantDocument
    service_life_months: ConstantDocument
    eri_to_stop_days: ConstantDocument
    dose_increment_mcg: ConstantDocument

    def to_domain(self, slug: str) -> PumpModel:
        constants = {name: getattr(self, name).to_domain(name) for name in PUMP_CONSTANTS}
        values = {name: constant.value for name, constant in constants.items()}
        return PumpModel(
            slug=slug,
            name=self.name,
            kind=PumpKind(self.kind),
            constants=MappingProxyType(constants),
            **{attribute: make(values[name]) for name, (attribute, make) in PUMP_CONSTANTS.items()},
        )


def _required(make: Callable[[Fraction], Any]) -> Callable[[str | None], Any]:
    def made(text: str | None) -> Any:
        if text is None:
            raise ValueError("a value is needed here")
        return make(_number(text))

    return made


def _optional(make: Callable[[Fraction], Any]) -> Callable[[str | None], Any]:
    return lambda text: None if text is None else make(_number(text))


def _whole(number: Fraction) -> int:
    if number.denominator != 1:
        raise ValueError("a whole number is needed here")
    return number.numerator


PUMP_CONSTANTS: Mapping[str, tuple[str, Callable[[str | None], Any]]] = MappingProxyType(
    {
        "capacity_ml": ("capacity", _required(Volume.ml)),
        "residual_ml": ("residual", _optional(Volume.ml)),
        "min_flow_ml_per_day": ("min_flow", _required(Flow.ml_per_day)),
        "minimum_rate_ml_per_day": ("minimum_rate", _optional(Flow.ml_per_day)),
        "max_flow_ml_per_day": ("max_flow", _required(Flow.ml_per_day)),
        "accuracy_percent": ("accuracy_percent", _required(Fraction)),
        "tubing_ml": ("tubing", _optional(Volume.ml)),
        "low_alarm_ml": ("low_alarm", _required(Volume.ml)),
        "max_changes_per_day": ("max_changes_per_day", _required(_whole)),
        "service_life_months": ("service_life_months", _optional(_whole)),
        "eri_to_stop_days": ("eri_to_stop_days", _optional(_whole)),
        "dose_increment_mcg": ("dose_increment", _optional(Mass.mcg)),
    }
)
"""Name in files and documents → attribute of :class:`PumpModel`, and how its text becomes a value."""


class CatheterDocument(_Strict):
    """One catheter of the file."""

    name: str
    length_cm: ConstantDocument
    ml_per_cm: ConstantDocument

    def to_domain(self, slug: str) -> CatheterModel:
        constants = {name: getattr(self, name).to_domain(name) for name in ("length_cm", "ml_per_cm")}
        return CatheterModel(
            slug=slug,
            name=self.name,
            length_cm=_required(Fraction)(self.length_cm.value),
            ml_per_cm=_required(Fraction)(self.ml_per_cm.value),
            constants=MappingProxyType(constants),
        )


class DrugDocument(_Strict):
    """One drug of the file."""

    name: str
    components: list[str]
    pump_concentrations_mcg_per_ml: ListDocument
    screening_concentrations_mcg_per_ml: ListDocument
    stability_days: ConstantDocument
    confirm_daily_dose_above_mcg: ConstantDocument
    block_daily_dose_above_mcg: ConstantDocument
    confirm_bolus_above_mcg: ConstantDocument

    def to_domain(self, slug: str) -> Drug:
        names = [name for name in type(self).model_fields if name not in ("name", "components")]
        return Drug(
            slug=slug,
            name=self.name,
            components=tuple(self.components),
            pump_concentrations=_concentrations(self.pump_concentrations_mcg_per_ml),
            screening_concentrations=_concentrations(self.screening_concentrations_mcg_per_ml),
            stability_days=_optional(_whole)(self.stability_days.value),
            confirm_daily_dose_above=_optional(DoseRate.mcg_per_day)(self.confirm_daily_dose_above_mcg.value),
            block_daily_dose_above=_optional(DoseRate.mcg_per_day)(self.block_daily_dose_above_mcg.value),
            confirm_bolus_above=_optional(Mass.mcg)(self.confirm_bolus_above_mcg.value),
            constants=MappingProxyType({name: getattr(self, name).to_domain(name) for name in names}),
        )


def _concentrations(document: ListDocument) -> tuple[Concentration, ...]:
    return tuple(Concentration.mcg_per_ml(_number(value)) for value in document.values)


def load_catalogue(folder: Path | None = None) -> Catalogue:
    """Read all files of the catalogue.

    Raises:
        CatalogueError: a file is missing, broken, or of another version than the rest.
    """
    folder = folder or resource_path("catalogue")
    versions: dict[str, str] = {}

    def entries(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        try:
            tables = tomllib.loads((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CatalogueError(file=name, problem=str(error)) from None
        versions[name] = str(tables.pop("version", "none"))
        yield from tables.items()

    pumps = {slug: _made(PumpDocument, "pumps.toml", slug, table) for slug, table in entries("pumps.toml")}
    catheters = {slug: _made(CatheterDocument, "catheters.toml", slug, t) for slug, t in entries("catheters.toml")}
    drugs = {slug: _made(DrugDocument, "drugs.toml", slug, table) for slug, table in entries("drugs.toml")}
    rules = {name: _made(ConstantDocument, "rules.toml", name, table) for name, table in entries("rules.toml")}
    if len(set(versions.values())) != 1:
        raise CatalogueError(file="", problem=f"the files are of different versions: {versions}")
    return Catalogue(
        version=versions["pumps.toml"],
        pumps=MappingProxyType(pumps),
        catheters=MappingProxyType(catheters),
        drugs=MappingProxyType(drugs),
        rules=MappingProxyType(rules),
    )


def _made(document: type[Any], file: str, slug: str, table: Any) -> Any:
    try:
        return document.model_validate(table).to_domain(slug)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in (slug, *first["loc"]))
        raise CatalogueError(file=file, problem=f"{place}: {first['msg']}") from None
    except ValueError as error:
        raise CatalogueError(file=file, problem=f"{slug}: {error}") from None


def with_overrides(pump: PumpModel, overrides: Mapping[str, str]) -> PumpModel:
    """The same pump with other constants, as in a clinic's own profile; names as in the files.

    Raises:
        UnknownConstantError: no such constant.
        NotANumberError: a value is not a number.
    """
    constants = dict(pump.constants)
    changes: dict[str, Any] = {}
    for name, text in overrides.items():
        if name not in PUMP_CONSTANTS:
            raise UnknownConstantError(name=name)
        parse_number(text)
        attribute, make = PUMP_CONSTANTS[name]
        changes[attribute] = make(text)
        unit = constants[name].unit if name in constants else ""
        constants[name] = Constant(name, text, unit, "entered for this evaluation", False)
    return replace(pump, constants=MappingProxyType(constants), **changes)


def print_catalogue(arguments: argparse.Namespace) -> int:
    """List the whole catalogue, for people or (``--json``) for programs."""
    catalogue = load_catalogue()
    if arguments.json:
        print(json.dumps(_as_json(catalogue), ensure_ascii=False, indent=2))
        return 0
    print(f"Catalogue {catalogue.version}. Values marked * are unverified defaults.")
    for title, parts in _parts(catalogue):
        print(f"\n{title}")
        for slug, (name, constants) in parts.items():
            print(f"\n  {slug}  {name}" if name else "")
            for constant in constants:
                value = constant.value if constant.value is not None else "none"
                mark = " " if constant.verified else "*"
                print(f"    {constant.name:38} {value:>18} {mark} {constant.unit:12} {constant.source}")
    return 0


_Parts = dict[str, tuple[str, tuple[Constant, ...]]]


def _parts(catalogue: Catalogue) -> Iterator[tuple[str, _Parts]]:
    for title, models in (("Pumps", catalogue.pumps), ("Catheters", catalogue.catheters), ("Drugs", catalogue.drugs)):
        yield title, {slug: (model.name, tuple(model.constants.values())) for slug, model in models.items()}
    yield "Limits of the rules", {"": ("", tuple(catalogue.rules.values()))}


def _as_json(catalogue: Catalogue) -> dict[str, Any]:
    def constants(found: Mapping[str, Constant]) -> dict[str, Any]:
        return {
            name: {"value": c.value, "unit": c.unit, "source": c.source, "verified": c.verified}
            for name, c in found.items()
        }

    return {
        "version": catalogue.version,
        "pumps": {
            slug: {"name": pump.name, "kind": pump.kind.value, "constants": constants(pump.constants)}
            for slug, pump in catalogue.pumps.items()
        },
        "catheters": {
            slug: {"name": model.name, "constants": constants(model.constants)}
            for slug, model in catalogue.catheters.items()
        },
        "drugs": {
            slug: {"name": drug.name, "components": list(drug.components), "constants": constants(drug.constants)}
            for slug, drug in catalogue.drugs.items()
        },
        "rules": constants(catalogue.rules),
    }
