"""Patients who could be taken for one another.

Law: this warns and never decides; two people are alike by their names or by their day of birth, whatever the order,
case and accents of what is written. Source: H-71, docs/hazards.md.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.models.folding import fold
from app.models.patient import Patient


def similar(patient: Patient, others: Iterable[Patient]) -> list[Patient]:
    """Those of ``others`` who are alike: the same or nearly the same family name, or the same day of birth and initial.

    Names are nearly the same if one letter is added, left out or another one, or two neighbours are swapped.
    """
    name, first = fold(patient.family_name), fold(patient.given_name)[:1]
    found = []
    for other in others:
        if other.id == patient.id:
            continue
        born = other.born_on == patient.born_on and fold(other.given_name)[:1] == first
        if born or nearly_same(name, fold(other.family_name)):
            found.append(other)
    return sorted(found, key=lambda one: one.name)


def nearly_same(one: str, other: str) -> bool:
    """Whether one edit at most lies between two words: a letter more, less or another, or two neighbours swapped."""
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1:
        return False
    place = next((i for i, letter in enumerate(short) if letter != long[i]), len(short))
    rest_short, rest_long = short[place:], long[place:]
    if len(short) != len(long):
        return rest_short == rest_long[1:]
    swapped = rest_short[:2] == rest_long[:2][::-1] and rest_short[2:] == rest_long[2:]
    return rest_short[1:] == rest_long[1:] or swapped
