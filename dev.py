"""Set up a checkout of Cisterna and work in it: ``python3 dev.py run`` and ``python3 dev.py test``.

Needs nothing but Python 3.11 or newer with pip. The law: ``.venv`` counts as complete only when its stamp
says so, and the stamp is the last thing written, so an interrupted set-up is simply done again.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import importlib.util
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LOCK = ROOT / "requirements.lock"
VENV = ROOT / ".venv"
STAMP = VENV / "cisterna-ready"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")

OLDEST, NEWEST = (3, 11), (3, 14)

# What Qt loads at start, by the Debian package that has it.
QT_LIBRARIES = {
    "libglib2.0-0": "libglib-2.0.so.0",
    "libgl1": "libGL.so.1",
    "libegl1": "libEGL.so.1",
    "libdbus-1-3": "libdbus-1.so.3",
    "libfontconfig1": "libfontconfig.so.1",
    "libxkbcommon0": "libxkbcommon.so.0",
    "libxcb-cursor0": "libxcb-cursor.so.0",
    "libxcb-icccm4": "libxcb-icccm.so.4",
    "libxcb-keysyms1": "libxcb-keysyms.so.1",
    "libxcb-shape0": "libxcb-shape.so.0",
    "libxkbcommon-x11-0": "libxkbcommon-x11.so.0",
}
TEST_PROGRAMS = {"xvfb": "Xvfb", "xauth": "xauth", "poppler-utils": "pdftoppm"}

CHECKS = {"ruff": ("ruff", "check", "."), "mypy": ("mypy",), "imports": ("lint-imports", "--no-logo")}


def main(arguments: Sequence[str]) -> int:
    """Set up what is missing, then do the command."""
    parser = argparse.ArgumentParser(prog="dev.py", description="Set up this checkout and work in it.")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on to the command")
    parsed = parser.parse_args(arguments)
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        return call([find_python(shutil.which), str(ROOT / "dev.py"), parsed.command, *parsed.arguments])
    if sys.platform.startswith("linux") and shutil.which("apt-get"):
        install_system_packages(for_tests=parsed.command != "run")
    set_up()
    return COMMANDS[parsed.command](parsed.arguments)


def find_python(which: Callable[[str], str | None]) -> str:
    """Find a Python this project can use, newest first, or end the program."""
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = which(f"python3.{minor}")
        if found:
            return found
    sys.exit("Cisterna needs Python 3.11 to 3.14, and found none of them.")


def call(line: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Run a program in the checkout and return its exit code."""
    return subprocess.run(list(line), cwd=ROOT, env=environment).returncode


def install_system_packages(*, for_tests: bool) -> None:
    """Install what Qt needs on Debian and its relatives, or end the program with the line to type."""
    packages = missing_packages(can_load, shutil.which, for_tests=for_tests)
    if not importlib.util.find_spec("ensurepip") and not importlib.util.find_spec("pip"):
        packages.append("python3-venv")
    if not packages:
        return
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    root = root_prefix()
    if root is not None:
        print("Installing system packages:", *packages, flush=True)
        call([*root, "apt-get", "update", "-qq"])
        if call([*root, "env", "DEBIAN_FRONTEND=noninteractive", *install, "-qq"]) == 0:
            return
    sys.exit(f"Packages are missing. Please type this, then try again:\n\n  sudo {shlex.join(install)}\n")


def missing_packages(
    loads: Callable[[str], bool], finds: Callable[[str], object], *, for_tests: bool
) -> list[str]:
    """List the Debian packages whose library does not load or whose program is not found."""
    missing = [package for package, library in QT_LIBRARIES.items() if not loads(library)]
    if for_tests:
        missing += [package for package, program in TEST_PROGRAMS.items() if not finds(program)]
    return missing


def can_load(library: str) -> bool:
    """Say whether the dynamic linker finds a library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def root_prefix() -> list[str] | None:
    """Return what makes a command run as root, or None where that would need a password."""
    if os.geteuid() == 0:
        return []
    sudo = ["sudo", "-n"]
    if shutil.which("sudo") and subprocess.run([*sudo, "true"], capture_output=True).returncode == 0:
        return sudo
    return None


def set_up() -> None:
    """Make ``.venv`` hold exactly what the lock says. Two set-ups at once wait for each other."""
    wanted = fingerprint(LOCK.read_bytes(), place=VENV, python=sys.version)
    if is_complete(STAMP, PYTHON, wanted):
        return
    # SQLite's lock works on every system and dies with the process that holds it.
    with closing(sqlite3.connect(ROOT / ".venv.lock", timeout=1800, isolation_level=None)) as turn:
        turn.execute("BEGIN EXCLUSIVE")
        if not is_complete(STAMP, PYTHON, wanted):
            print("Setting up .venv, which takes a minute or two.", flush=True)
            build_environment()
            STAMP.write_text(wanted, encoding="ascii")


def fingerprint(lock: bytes, *, place: Path, python: str) -> str:
    """Name one state of the environment. An environment does not survive a move, so its place counts."""
    return hashlib.sha256(f"{place}\n{python}\n".encode() + lock).hexdigest()


def is_complete(stamp: Path, python: Path, wanted: str) -> bool:
    """Say whether a set-up ran to its end for exactly this state, and its Python is still there."""
    try:
        return stamp.read_text(encoding="ascii") == wanted and python.exists()
    except (OSError, UnicodeDecodeError):
        return False


def build_environment() -> None:
    """Build ``.venv`` from nothing. Debian's Python may lack ensurepip; then its own pip installs."""
    STAMP.unlink(missing_ok=True)
    base = getattr(sys, "_base_executable", None) or sys.executable
    if importlib.util.find_spec("ensurepip"):
        pip = [str(PYTHON), "-m", "pip"]
        must([base, "-m", "venv", "--clear", str(VENV)])
    else:
        pip = [base, "-m", "pip", "--python", str(PYTHON)]
        must([base, "-m", "venv", "--clear", "--without-pip", str(VENV)])
    install = [*pip, "install", "--quiet", "--disable-pip-version-check", "--no-input", "--compile"]
    must([*install, "--require-hashes", "-r", str(LOCK)])
    must([*install, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])


def must(line: Sequence[str]) -> None:
    """Run one step of the set-up, or end the program."""
    harmful = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")
    if call(line, {name: value for name, value in os.environ.items() if name not in harmful}):
        sys.exit(f"The set-up failed; the next try starts afresh. The step was:\n\n    {shlex.join(line)}\n")


def run(rest: list[str]) -> int:
    """Open the window, or play the demo where there is no screen."""
    seen = sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    arguments = arguments_of_run(rest, has_screen=seen)
    if "--headless" in arguments and "--headless" not in rest:
        print("There is no screen here, so this is the demo without a window.", flush=True)
    return cisterna(arguments)


def arguments_of_run(rest: Sequence[str], *, has_screen: bool) -> list[str]:
    """Turn the arguments of ``run`` into arguments of ``cisterna``."""
    arguments = list(rest)
    if "--demo" in arguments:
        arguments = ["demo", *(argument for argument in arguments if argument != "--demo")]
    if not has_screen and arguments in ([], ["window"], ["demo"]):
        arguments = ["demo", "--headless"]
    return arguments


def cisterna(rest: list[str]) -> int:
    """Run the ``cisterna`` command."""
    return call([str(SCRIPTS / "cisterna"), *rest])


def test(rest: list[str]) -> int:
    """Run the tests and, unless arguments chose some of them, the checks; one line of summary for each."""
    code, closing = call_and_keep_last_line([str(PYTHON), "-m", "pytest", "-q", *rest])
    results = {"pytest": code} | ({} if rest else run_checks())
    print()
    for name, result in results.items():
        print(f"{name:8} {'FAILED' if result else 'passed'}  {closing if name == 'pytest' else ''}".rstrip())
    return int(any(results.values()))


def call_and_keep_last_line(line: Sequence[str]) -> tuple[int, str]:
    """Run a program without a screen, pass on what it prints, and return its exit code and last line."""
    environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ}
    last = b""
    with subprocess.Popen(list(line), cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
        for text in process.stdout:
            sys.stdout.buffer.write(text)
            sys.stdout.flush()
            last = text.strip() or last
    return process.returncode, last.decode("ascii", "replace")


def lint(rest: list[str]) -> int:
    """Run the checks alone."""
    return int(any(run_checks().values()))


def run_checks() -> dict[str, int]:
    """Run style, types and import contracts, and return the exit code of each."""
    results = {}
    for name, (program, *arguments) in CHECKS.items():
        print(f"\n{name}:", flush=True)
        results[name] = call([str(SCRIPTS / program), *arguments])
    return results


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "run": run,
    "test": test,
    "lint": lint,
    "cisterna": cisterna,
    "campaign": lambda rest: call([str(PYTHON), "-m", "tests.campaigns", *rest]),
    "bench": lambda rest: call([str(PYTHON), "-m", "benchmarks", *rest]),
}

if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
