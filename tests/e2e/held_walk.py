"""The walk of the demo in a process of its own, held at one place until it is killed.

``python -m tests.e2e.held_walk DATA OUTPUT PORT PLACE``: PLACE is how many steps to do, or ``before-commit`` or
``after-commit``. Prints ``HELD`` when it is there, and then does nothing more.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from PySide6.QtWidgets import QApplication

from app.bootstrap import make_workstation, open_clinic, real_clock
from app.demo import Walk
from app.device.client import PumpClient
from app.models.pump import Committed, Sealed
from app.ui.main_window import MainWindow
from app.ui.theme import LIGHT, apply_theme


def hold() -> None:
    print("HELD", flush=True)
    while True:
        time.sleep(1)


def main(data: Path, output: Path, port: str, place: str) -> None:
    app = QApplication(["held"])
    apply_theme(app, LIGHT)
    output.mkdir(parents=True, exist_ok=True)
    clock = real_clock()
    station = make_workstation(data, clock=clock, port=port or None, store=open_clinic(data, clock))
    window = MainWindow(station)
    window.show()
    real = PumpClient.commit

    def commit(self: PumpClient, sealed: Sealed) -> Committed:
        if place == "before-commit":
            hold()
        committed = real(self, sealed)
        if place == "after-commit":
            hold()
        return committed

    PumpClient.commit = commit  # type: ignore[method-assign]
    Walk(window, station, output).run(int(place) if place.isdigit() else None)
    hold()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4])
