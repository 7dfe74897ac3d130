"""The file of presets: read strictly, turned into domain values.

Law: every preset names its citation, and comes to the total that the publication states but for nanograms; a file that
breaks this is refused whole, with the place named.
"""

from __future__ import annotations

import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.documents.catalogue import CatalogueError
from app.documents.fields import ConcentrationMcgPerMl, DoseMcg
from app.documents.parts import FlexPart, PulsatilePart, SimplePart
from app.models.presets import Preset
from app.models.program import Flex, PeriodicBolus, Program, SimpleContinuous
from app.models.quantities import MINUTES_PER_DAY, Mass
from app.resources import resource_path

FILE = "presets.toml"

_Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
_Program = Annotated[SimplePart | FlexPart | PulsatilePart, Field(discriminator="mode")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)


class PresetDocument(_Strict):
    """One preset of the file."""

    title: _Text
    citation: _Text
    note: _Text
    states_mcg_per_day: DoseMcg
    concentration_mcg_per_ml: ConcentrationMcgPerMl | None = None
    program: _Program

    @model_validator(mode="after")
    def _comes_to_what_is_stated(self) -> PresetDocument:
        delivery = self.program.delivery(None)
        pulses, total = _written(Program(delivery))
        if abs(total - self.states_mcg_per_day.quanta) * 1000 > pulses * Mass.PER_MCG:
            raise ValueError("the program does not come to states_mcg_per_day")
        return self

    def to_domain(self, number: str) -> Preset:
        return Preset(
            id=number,
            title=self.title,
            citation=_flowing(self.citation),
            program=self.program.to_domain(None),
            concentration=self.concentration_mcg_per_ml,
            note=_flowing(self.note),
        )


_Id = Annotated[str, Field(pattern=r"^P[1-9][0-9]*[a-z]?$")]


class PresetsDocument(_Strict):
    """The whole file."""

    version: _Text
    presets: Annotated[dict[_Id, PresetDocument], Field(min_length=1)]

    def to_domain(self) -> tuple[Preset, ...]:
        return tuple(preset.to_domain(number) for number, preset in self.presets.items())


def load_presets(folder: Path | None = None) -> tuple[Preset, ...]:
    """Read all presets, in the order of the file.

    Raises:
        CatalogueError: the file is missing or broken.
    """
    path = (folder or resource_path("catalogue")) / FILE
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CatalogueError(file=FILE, problem=str(error)) from None
    try:
        return PresetsDocument.model_validate(table).to_domain()
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise CatalogueError(file=FILE, problem=f"{place}: {first['msg']}") from None


def _written(program: Program) -> tuple[int, Fraction]:
    """How many pulses a day, rounded up, and all that is written in yg a day, the basal rate and boluses."""
    match program.delivery:
        case SimpleContinuous(daily_dose=dose):
            return 0, Fraction(dose.quanta)
        case PeriodicBolus() as periodic:
            a_day = Fraction(MINUTES_PER_DAY, periodic.every_min)
            return -(-a_day.numerator // a_day.denominator), periodic.basal.quanta + periodic.dose.quanta * a_day
        case Flex(plans=(plan,)) if not plan.steps:
            return len(plan.boluses), Fraction(plan.basal.quanta + sum(bolus.dose.quanta for bolus in plan.boluses))
        case _:
            raise ValueError("a preset is one day's rate and boluses")


def _flowing(text: str) -> str:
    """A text that is broken into lines in the file, as one paragraph."""
    return " ".join(text.split())
