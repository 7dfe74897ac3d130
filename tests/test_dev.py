"""The set-up script decides rightly what is missing, what is complete and what to run."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import dev

PACKAGE_NAME = re.compile(r"^[A-Za-z0-9._-]+")


def test_nothing_is_missing_where_everything_loads():
    assert dev.missing_packages(lambda library: True, lambda program: "found", for_tests=True) == []


def test_a_library_that_does_not_load_is_named_by_its_package():
    def loads(library):
        return library != "libGL.so.1"

    assert dev.missing_packages(loads, lambda program: "found", for_tests=True) == ["libgl1"]


def test_programs_for_tests_are_only_needed_for_tests():
    assert dev.missing_packages(lambda library: True, lambda program: None, for_tests=False) == []
    assert dev.missing_packages(lambda library: True, lambda program: None, for_tests=True) == [
        "xvfb",
        "xauth",
        "poppler-utils",
    ]


def test_a_library_that_does_not_exist_does_not_load():
    assert not dev.can_load("libcisterna-has-no-such-library.so.9")


@pytest.fixture
def stamp(tmp_path) -> Path:
    return tmp_path / "stamp"


def test_an_environment_without_a_stamp_is_not_complete(stamp):
    assert not dev.is_complete(stamp, Path(sys.executable), "abc")


def test_a_half_written_stamp_is_not_complete(stamp):
    stamp.write_text("ab")
    assert not dev.is_complete(stamp, Path(sys.executable), "abc")


def test_an_environment_whose_python_has_gone_is_not_complete(stamp, tmp_path):
    stamp.write_text("abc")
    assert not dev.is_complete(stamp, tmp_path / "python", "abc")


def test_an_environment_with_the_wanted_stamp_is_complete(stamp):
    stamp.write_text("abc")
    assert dev.is_complete(stamp, Path(sys.executable), "abc")


def test_another_lock_place_or_python_is_another_environment():
    states = {
        dev.fingerprint(lock, place=Path(place), python=python)
        for lock in (b"a", b"b")
        for place in ("here", "there")
        for python in ("3.11.2", "3.13.0")
    }
    assert len(states) == 8


def test_a_failing_step_leaves_no_stamp(tmp_path, monkeypatch):
    for name in ("ROOT", "VENV"):
        monkeypatch.setattr(dev, name, tmp_path)
    monkeypatch.setattr(dev, "STAMP", tmp_path / "stamp")
    (tmp_path / "stamp").write_text("an older state")
    monkeypatch.setattr(dev, "call", lambda line, environment=None: 1)
    with pytest.raises(SystemExit, match="starts afresh"):
        dev.set_up()
    assert not (tmp_path / "stamp").exists()


@pytest.mark.parametrize(
    ("given", "with_screen", "without_screen"),
    [
        ([], [], ["demo", "--headless"]),
        (["--demo"], ["demo"], ["demo", "--headless"]),
        (["--demo", "--headless"], ["demo", "--headless"], ["demo", "--headless"]),
        (["evaluate", "-"], ["evaluate", "-"], ["evaluate", "-"]),
    ],
)
def test_run_opens_the_window_only_where_there_is_a_screen(given, with_screen, without_screen):
    assert dev.arguments_of_run(given, has_screen=True) == with_screen
    assert dev.arguments_of_run(given, has_screen=False) == without_screen


def test_the_newest_usable_python_is_found():
    assert dev.find_python({"python3.11": "old", "python3.13": "new"}.get) == "new"


def test_no_usable_python_ends_the_program():
    with pytest.raises(SystemExit, match=r"3\.11"):
        dev.find_python(lambda name: None)


def test_the_last_line_of_a_program_is_kept():
    program = [sys.executable, "-c", "print('one'); print('two'); print(); raise SystemExit(5)"]
    assert dev.call_and_keep_last_line(program) == (5, "two")


def test_the_lock_holds_every_dependency_with_a_hash_and_no_address():
    lock = dev.LOCK.read_text(encoding="utf-8")
    project = tomllib.loads((dev.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {PACKAGE_NAME.match(requirement).group().lower() for requirement in wanted}
    entries = [line for line in lock.splitlines() if not line.startswith(" ")]
    assert names <= {entry.split("==")[0] for entry in entries}
    assert all(entry.endswith("\\") for entry in entries)
    assert "://" not in lock


def test_the_command_says_its_version():
    line = [sys.executable, "-m", "app", "--version"]
    assert subprocess.check_output(line, cwd=dev.ROOT, text=True) == "cisterna 0.1.0\n"
