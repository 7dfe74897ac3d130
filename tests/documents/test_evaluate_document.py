"""Every example of docs/evaluate.md is answered."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from app.documents.catalogue import load_catalogue
from app.documents.evaluate import KINDS, evaluate

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "evaluate.md"
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.S)]


def test_there_is_an_example_of_every_kind() -> None:
    assert {example["kind"] for example in EXAMPLES} == set(KINDS)


@pytest.mark.parametrize("example", EXAMPLES, ids=[example["kind"] for example in EXAMPLES])
def test_the_example_is_answered(example: dict[str, object]) -> None:
    answer = evaluate(example, load_catalogue())
    computed = [value for name, value in answer.items() if name not in ("findings", "reduction_trial")]
    assert None not in computed
