"""How long until the first window is painted, and how much memory it takes: Cisterna beside a bare PySide6 window.

Each is started in a process of its own, in turns, with byte code already compiled; what counts is the ratio of the
medians. Cisterna opens an encrypted store with the demonstration patients and paints its worklist.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

_BARE = """
import sys
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow
from benchmarks.painted import report_first_paint
app = QApplication([])
window = QMainWindow()
window.setCentralWidget(QLabel("A window"))
window.resize(1366, 768)
report_first_paint(app, window, float(sys.argv[1]))
"""

_CISTERNA = """
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from app.bootstrap import make_workstation, real_clock
from app.ui.main_window import MainWindow
from app.ui.theme import LIGHT, apply_theme
from benchmarks.painted import report_first_paint
app = QApplication([])
apply_theme(app, LIGHT)
window = MainWindow(make_workstation(Path(sys.argv[2]), clock=real_clock()))
report_first_paint(app, window, float(sys.argv[1]))
"""


def main(arguments: list[str]) -> int:
    """Measure, and print medians with their ratio."""
    parser = argparse.ArgumentParser(prog="bench", description="First paint and resident memory beside a bare window.")
    parser.add_argument("--runs", type=int, default=9)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        data = str(Path(folder) / "clinic")
        measured: dict[str, list[tuple[float, float]]] = {"bare window": [], "Cisterna": []}
        for run in range(chosen.runs + 1):
            for name, script in (("bare window", _BARE), ("Cisterna", _CISTERNA)):
                seconds, mebibytes = _measure(script, data)
                if run:  # the first of each warms the caches and makes the store
                    measured[name].append((seconds, mebibytes))
    medians = {
        name: tuple(statistics.median(part) for part in zip(*runs, strict=True)) for name, runs in measured.items()
    }
    print(f"{'':14}{'first paint':>14}{'memory':>14}   median of {chosen.runs}")
    for name, (seconds, mebibytes) in medians.items():
        print(f"{name:14}{seconds * 1000:11.0f} ms{mebibytes:10.0f} MiB")
    ratios = [medians["Cisterna"][part] / medians["bare window"][part] for part in (0, 1)]
    print(f"{'ratio':14}{ratios[0]:14.2f}{ratios[1]:14.2f}")
    return 0


def _measure(script: str, data: str) -> tuple[float, float]:
    environment = {**os.environ, "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    line = [sys.executable, "-c", script, repr(time.monotonic()), data]
    found = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    seconds, mebibytes = found.stdout.split()
    return float(seconds), float(mebibytes)
