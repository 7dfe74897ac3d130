"""Whom the clinic treats, what is implanted, and who works here.

Law: a value that nobody wrote down is ``None``; nothing is guessed from another patient or another pump.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from app.models.quantities import Flow


class Origin(StrEnum):
    """Where the spasticity comes from; some dose limits depend on it."""

    SPINAL = "spinal"
    CEREBRAL = "cerebral"


@dataclass(frozen=True, slots=True)
class Patient:
    """One person. ``number`` is the clinic's own; ``high_risk`` marks a high risk in withdrawal for a reason
    that is not on record (rule REF-15)."""

    id: str
    number: str
    family_name: str
    given_name: str
    born_on: date
    diagnosis: str = ""
    origin: Origin | None = None
    high_risk: bool = False

    @property
    def name(self) -> str:
        """Family name first, as on every list."""
        return f"{self.family_name}, {self.given_name}"


@dataclass(frozen=True, slots=True)
class CatheterPiece:
    """One piece of an implanted catheter: catalogue slug and how much was cut off, if anybody wrote it down."""

    model: str
    trimmed_cm: Fraction | None


@dataclass(frozen=True, slots=True)
class Implant:
    """One implanted pump with its catheter. ``flow`` is a constant-flow pump's own, from the implant record."""

    id: str
    patient_id: str
    pump_model: str
    serial: str
    implanted_on: date
    catheter: tuple[CatheterPiece, ...] = ()
    flow: Flow | None = None


class Role(StrEnum):
    NURSE = "nurse"
    PHYSICIAN = "physician"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who works with the program."""

    id: str
    name: str
    role: Role
