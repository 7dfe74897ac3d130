"""The catalogue of emergencies: all signs and doses of the rules, each with its source, and strict about it."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from app.documents.catalogue import CatalogueError
from app.documents.emergency import FILE, load_emergency
from app.models.emergency import Danger, Toxidrome
from app.resources import resource_path

BOOK = load_emergency()


@pytest.mark.parametrize(("found", "signs", "grave"), [(BOOK.overdose, 6, 2), (BOOK.withdrawal, 12, 6)])
def test_the_rules_signs_are_all_there(found: Toxidrome, signs: int, grave: int) -> None:
    assert (len(found.signs), sum(sign.grave for sign in found.signs)) == (signs, grave)


@pytest.mark.parametrize("found", [BOOK.overdose, BOOK.withdrawal])
def test_any_grave_sign_makes_an_emergency_of_it_and_any_other_a_possibility(found: Toxidrome) -> None:
    assert found.danger(()) is Danger.NONE
    assert found.danger(["a sign of something else"]) is Danger.NONE
    for chosen in itertools.chain.from_iterable(itertools.combinations(found.signs, number) for number in (1, 2)):
        expected = Danger.EMERGENCY if any(sign.grave for sign in chosen) else Danger.POSSIBLE
        assert found.danger([sign.name for sign in chosen]) is expected


def test_a_sign_of_one_kind_says_nothing_of_the_other() -> None:
    names = {sign.name for sign in BOOK.overdose.signs}
    assert BOOK.withdrawal.danger(names) is Danger.NONE


def test_the_doses_are_the_sources_own() -> None:
    doses = {step.text: step.dose for step in (*BOOK.overdose.steps, *BOOK.withdrawal.steps) if step.dose}
    assert doses == {
        "Consider draining cerebrospinal fluid": "30–40 mL",
        "Baclofen tablets": "10–20 mg by mouth every 6 h",
        "Benzodiazepine: diazepam": "5–10 mg every 6–12 h",
        "Cyproheptadine": "4–8 mg by mouth every 6–8 h",
    }
    assert any("no specific antidote" in step.text for step in BOOK.overdose.steps)


def test_no_dose_hides_in_a_text() -> None:
    for found in (BOOK.overdose, BOOK.withdrawal):
        for measure in (*found.steps, *found.notes):
            assert not re.search(r"\bm(c)?g\b", measure.text), measure.text


def test_sources_are_named_once_and_without_rule_ids() -> None:
    for found in (BOOK.overdose, BOOK.withdrawal):
        assert len(set(found.sources())) == len(found.sources())
        assert not any("EMG" in source for source in found.sources())
    assert "Saulino 2016" in BOOK.withdrawal.sources()


def test_tones_belong_to_pumps_whose_tones_are_known() -> None:
    assert len(BOOK.alarms_of("synchromed-ii-20")) == 2
    assert BOOK.alarms_of("prometra-ii-20") == BOOK.alarms_of("synchromed-el-18") == ()


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('source = "EMG-01: Watve 2012"', 'source = " "', "overdose.steps.3.source"),
        ("verified = true", 'verified = "yes"', "verified"),
        ('hint_source = "EMG-04', 'nobody = "EMG-04', "withdrawal.signs.1"),
        ('name = "Narrow pupils"', 'name = "Sudden limpness"', "overdose"),
        ('version = "2026.11"', 'version = "2026.11"\nmore = 1', "more"),
        ('dose = "30–40 mL"', 'dose = ""', "overdose.steps.4.dose"),
    ],
)
def test_a_broken_file_is_refused_whole_with_its_place(tmp_path: Path, old: str, new: str, place: str) -> None:
    text = resource_path(f"catalogue/{FILE}").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / FILE).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogueError) as refused:
        load_emergency(tmp_path)
    assert place in str(refused.value.values["problem"])


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError):
        load_emergency(tmp_path)
