"""The trace in docs/hazards.md: each recall, incident and complaint has its row, and what a row names exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from app.documents.exercises import load_exercises
from app.models.rule_texts import TEXTS

ROOT = Path(__file__).resolve().parents[1]
HAZARDS = (ROOT / "docs" / "hazards.md").read_text(encoding="utf-8")
BENCH = (ROOT / "docs" / "pump-bench.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
FINDING = re.compile(r"`([A-Z]+-\d+) ([a-z-]+)`")
INCIDENTS = 9


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def rows(start: str) -> Iterator[list[str]]:
    """The rows of the table whose first caption is ``start``."""
    (after,) = re.findall(rf"^\| {start} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", HAZARDS, re.MULTILINE)
    yield from map(cells, after.splitlines())


@cache
def names(path: str) -> frozenset[str]:
    """The functions of a file, by its syntax alone."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def those_of(path: str, prefix: str) -> set[str]:
    return {name for name in names(path) if name.startswith(prefix)}


def test_every_recall_and_every_complaint_has_one_row() -> None:
    assert [row[0] for row in rows("recall")] == [f"R-{number}" for number in range(1, 18)]
    assert [row[0] for row in rows("complaint")] == [f"C-{number}" for number in range(1, 17)]
    assert len([row[0] for row in rows("incident")]) == INCIDENTS


def test_every_test_that_is_named_exists() -> None:
    named = NAMED.findall(HAZARDS)
    assert len(named) > 40
    assert [f"{path}::{name}" for path, name in named if name not in names(path)] == []


def test_it_would_notice_a_test_that_was_renamed() -> None:
    assert "test_r1_an_interval_has_one_place_its_unit_and_the_total_of_the_day" in names("tests/e2e/test_recalls.py")
    assert "test_r1_an_interval" not in names("tests/e2e/test_recalls.py")


@pytest.mark.parametrize("start", ["recall", "incident", "complaint"])
def test_a_row_names_a_requirement_and_findings_that_have_a_sentence(start: str) -> None:
    for number, _, requirement, findings, tests in rows(start):
        assert all(re.fullmatch(r"SR-(0[1-9]|[12]\d|30)", one) for one in requirement.split(", ")), number
        assert findings == "–" or len(FINDING.findall(findings)) == findings.count("`") // 2, number
        assert [key for key in FINDING.findall(findings) if key not in TEXTS] == [], number
        assert NAMED.findall(tests) or f"- {number}: " in HAZARDS, number


def test_no_test_of_a_recall_or_an_incident_is_left_out() -> None:
    recalls, incidents = "tests/e2e/test_recalls.py", "tests/e2e/test_incidents.py"
    named = {name for _, name in NAMED.findall(HAZARDS)}
    assert (those_of(recalls, "test_") | those_of(incidents, "test_")) - named == set()
    for start, letter in (("recall", "r"), ("complaint", "c")):
        for number, *_, tests in rows(start):
            own = those_of(recalls, f"test_{letter}{number.removeprefix(letter.upper() + '-')}_")
            assert own <= {name for _, name in NAMED.findall(tests)}, number


def test_the_bench_says_which_exercise_uses_which_order() -> None:
    told = {
        (order, number)
        for line in BENCH.splitlines()
        if line.startswith("| ") and len(cells(line)) == 4
        for order in re.findall(r"`([a-z-]+)`", cells(line)[1])
        for number in re.findall(r"R-\d+", cells(line)[3])
    }
    used = {
        (str(order["do"]), exercise.id)
        for exercise in load_exercises().exercises
        for order in exercise.orders
        if order["do"] != "state"
    }
    assert used <= told
    assert {number for _, number in told} == {number for _, number in used}
    idle = {exercise.id for exercise in load_exercises().exercises} - {number for _, number in used}
    assert all(re.search(rf"\b{number}\b", BENCH) for number in idle), idle
