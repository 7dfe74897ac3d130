"""The file of exercises: read strictly, turned into domain values.

Law: every exercise names its source and has at least one bench order; a file that breaks this is refused whole,
with the place named.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from app.documents.catalogue import CatalogueError
from app.models.exercises import BenchOrder, Exercise, ExerciseBook
from app.resources import resource_path

FILE = "exercises.toml"

_Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
_Order = dict[str, str | int | bool]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ExerciseDocument(_Strict):
    """One exercise of the file."""

    title: _Text
    when: _Text
    source: _Text
    story: _Text
    task: _Text
    look_for: _Text
    orders: Annotated[list[_Order], Field(min_length=1)]

    @field_validator("orders")
    @classmethod
    def _are_orders(cls, orders: list[_Order]) -> list[_Order]:
        return _named(orders)

    def to_domain(self, number: str) -> Exercise:
        return Exercise(
            id=number,
            title=self.title,
            when=self.when,
            source=self.source,
            story=_flowing(self.story),
            task=_flowing(self.task),
            look_for=_flowing(self.look_for),
            orders=_frozen(self.orders),
        )


class BookDocument(_Strict):
    """The whole file."""

    version: _Text
    tidy: list[_Order]
    exercises: Annotated[dict[Annotated[str, Field(pattern=r"^R-[1-9][0-9]*$")], ExerciseDocument], Field(min_length=1)]

    @field_validator("tidy")
    @classmethod
    def _are_orders(cls, orders: list[_Order]) -> list[_Order]:
        return _named(orders)

    def to_domain(self) -> ExerciseBook:
        exercises = (exercise.to_domain(number) for number, exercise in self.exercises.items())
        return ExerciseBook(
            version=self.version,
            tidy=_frozen(self.tidy),
            exercises=tuple(sorted(exercises, key=lambda exercise: int(exercise.id.removeprefix("R-")))),
        )


def load_exercises(folder: Path | None = None) -> ExerciseBook:
    """Read all exercises.

    Raises:
        CatalogueError: the file is missing or broken.
    """
    path = (folder or resource_path("catalogue")) / FILE
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CatalogueError(file=FILE, problem=str(error)) from None
    try:
        return BookDocument.model_validate(table).to_domain()
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise CatalogueError(file=FILE, problem=f"{place}: {first['msg']}") from None


def _named(orders: list[_Order]) -> list[_Order]:
    for order in orders:
        if not isinstance(order.get("do"), str) or not order["do"]:
            raise ValueError("an order without do")
    return orders


def _frozen(orders: list[_Order]) -> tuple[BenchOrder, ...]:
    return tuple(MappingProxyType(dict(order)) for order in orders)


def _flowing(text: str) -> str:
    """A text that is broken into lines in the file, as one paragraph."""
    return " ".join(text.split())
