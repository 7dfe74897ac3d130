"""Every import contract breaks when it is broken on purpose, and the failure names it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"

TRESPASSES = [
    ("services", "import app.ui", "Arrows point inwards"),
    ("store", "import app.device", "Arrows point inwards"),
    ("documents", "import app.store", "Arrows point inwards"),
    ("models", "import app.services", "Arrows point inwards"),
    ("models", "import app.resources", "Arrows point inwards"),
    ("ui", "import app.cli", "Arrows point inwards"),
    ("ui", "import app.store", "The window knows services and models only"),
    ("services", "import app.resources", "Services and devices read no resources"),
    ("models", "import numpy", "Models need only the standard library"),
    ("models", "import PySide6.QtCore", "Qt stays in ui"),
    ("documents", "import pyqtgraph", "Qt stays in ui"),
    ("services", "import sqlalchemy.orm", "SQL stays in store"),
    ("ui", "import sqlcipher3", "SQL stays in store"),
    ("store", "import serial.tools", "Serial ports stay in device"),
    ("device", "import pydantic", "Pydantic stays in documents"),
]


@pytest.fixture
def copy(tmp_path) -> Path:
    """A copy of the code and its contracts to spoil."""
    ignored = shutil.ignore_patterns("__pycache__", "_resources")
    shutil.copytree(ROOT / "app", tmp_path / "app", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of a copy, without looking into the real tree."""
    line = [sys.executable, "-c", LINT, "--no-cache", "--no-logo"]
    environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, encoding="utf-8")


def test_the_contracts_are_kept(copy):
    answer = lint_imports(copy)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(("package", "trespass", "contract"), TRESPASSES)
def test_a_trespass_breaks_its_contract(copy, package, trespass, contract):
    (copy / "app" / package / "trespass.py").write_text(f"{trespass}\n", encoding="utf-8")
    answer = lint_imports(copy)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert f"{contract} BROKEN" in answer.stdout


def test_a_new_room_must_be_put_on_the_plan(copy):
    (copy / "app" / "shortcuts.py").write_text("", encoding="utf-8")
    assert "Arrows point inwards BROKEN" in lint_imports(copy).stdout
