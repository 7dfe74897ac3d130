"""The exercises of the pump bench: all recalls are there, and the bench can do what each of them asks for."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.bootstrap import make_workstation, open_clinic
from app.documents.catalogue import CatalogueError
from app.documents.exercises import FILE, load_exercises
from app.models.bench import BenchPort
from app.resources import resource_path
from app.services.clock import Clock

BOOK = load_exercises()
BY_NUMBER = {exercise.id: exercise for exercise in BOOK.exercises}


@pytest.fixture
def door(tmp_path: Path) -> BenchPort:
    clock = Clock(lambda: datetime(2026, 11, 20, 9, tzinfo=UTC), timedelta(hours=1))
    station = make_workstation(tmp_path, clock=clock, store=open_clinic(tmp_path, clock))
    assert station.bench_at is not None
    port = station.bench_at(station.desk.implant("patient-heetla-1"))
    station.store.close()
    return port


def test_every_recall_has_its_exercise_in_the_order_of_the_numbers() -> None:
    assert [exercise.id for exercise in BOOK.exercises] == [f"R-{number}" for number in range(1, 18)]


def test_an_exercise_says_what_happened_when_by_whom_and_what_to_do() -> None:
    update = BY_NUMBER["R-3"]
    assert (update.when, update.source) == (
        "8 Dec 2020 and 27 Jan 2021",
        "Hong Kong notice id 2013; Singapore HSA, safety alert",
    )
    assert "five people came to harm" in update.story
    assert "\n" not in update.story + update.task + update.look_for
    assert [dict(order) for order in update.orders] == [
        {"do": "must-stop", "stops": True},
        {"do": "fault", "fault": "reboot-inside", "on": "Commit", "nth": 1},
    ]


@pytest.mark.parametrize("number", list(BY_NUMBER))
def test_the_bench_can_set_up_every_exercise(number: str, door: BenchPort) -> None:
    for order in (*BOOK.tidy, *BY_NUMBER[number].orders):
        state = door.obey(order)
    assert state.serial == "EMU-100191"


def test_the_exercise_before_leaves_nothing_behind(door: BenchPort) -> None:
    for number in ("R-3", "R-7", "R-16", "R-17"):
        for order in BY_NUMBER[number].orders:
            state = door.obey(order)
    assert state.stalled and state.occluded and state.flow_error and state.faults
    for order in BOOK.tidy:
        state = door.obey(order)
    assert (state.stalled, state.occluded, state.flow_error, state.faults) == (False, False, 0, ())


BROKEN = [
    ('source = "TGA RC-2016-RN-01458-1"', 'source = " "', "exercises.R-7.source"),
    ('{ do = "fill", ml = "1" }', '{ ml = "1" }', "exercises.R-7.orders"),
    ('{ do = "fill", ml = "1" }', '{ do = "fill", ml = 1.5 }', "exercises.R-7.orders"),
    ("[exercises.R-7]", "[exercises.recall7]", "exercises.recall7"),
    ('version = "2026.11"', "version = 2026", "version"),
    ('when = "2016"', 'when = "2016"\nwhere = "Australia"', "exercises.R-7.where"),
]


@pytest.mark.parametrize(("text", "instead", "place"), BROKEN, ids=[place for *_, place in BROKEN])
def test_a_broken_file_is_refused_whole_with_the_place_named(
    tmp_path: Path, text: str, instead: str, place: str
) -> None:
    whole = resource_path(f"catalogue/{FILE}").read_text(encoding="utf-8")
    assert text in whole
    (tmp_path / FILE).write_text(whole.replace(text, instead), encoding="utf-8")
    with pytest.raises(CatalogueError) as refused:
        load_exercises(tmp_path)
    assert refused.value.values["file"] == FILE
    assert str(refused.value.values["problem"]).startswith(place)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    shutil.copy(resource_path("catalogue/pumps.toml"), tmp_path)
    with pytest.raises(CatalogueError):
        load_exercises(tmp_path)
