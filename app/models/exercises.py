"""Exercises at the pump bench: what went wrong elsewhere, and how it is set up here.

Law: an exercise is read from the catalogue, never written in code; its orders are the bench's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

BenchOrder = Mapping[str, str | int | bool]
"""``do`` and that order's values, as :class:`app.models.bench.BenchPort` takes them."""


@dataclass(frozen=True, slots=True)
class Exercise:
    """One recall or notice as an exercise. ``when`` is text: some are a day, some a span of years."""

    id: str
    title: str
    when: str
    source: str
    story: str
    task: str
    look_for: str
    orders: tuple[BenchOrder, ...]


@dataclass(frozen=True, slots=True)
class ExerciseBook:
    """All exercises in the order of their numbers; ``tidy`` undoes before each what another may have left behind."""

    version: str
    tidy: tuple[BenchOrder, ...]
    exercises: tuple[Exercise, ...]
