"""Resources are found in a checkout, and everything in them is shipped."""

import subprocess
import sys
import zipfile
from pathlib import Path

from app.resources import resource_path

ROOT = Path(__file__).resolve().parent.parent


def test_a_checkout_uses_its_own_folder():
    assert resource_path("catalogue/pumps.toml") == ROOT / "resources" / "catalogue" / "pumps.toml"


def test_a_wheel_carries_every_resource_and_no_tests(tmp_path):
    line = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(line, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    shipped = zipfile.ZipFile(wheel).namelist()
    kept = [path.relative_to(ROOT) for path in (ROOT / "resources").rglob("*") if path.is_file()]
    assert {path.as_posix().replace("resources", "app/_resources", 1) for path in kept} <= set(shipped)
    assert "app/__main__.py" in shipped
    assert not [name for name in shipped if name.startswith(("tests/", "resources/"))]
