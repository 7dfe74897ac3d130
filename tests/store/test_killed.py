"""Killed in the middle of writing: what was acknowledged is there, and nothing is half."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from app.store import audit_trail
from app.store.open_store import open_store

ROOT = Path(__file__).resolve().parents[2]


def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    dice, path, told = random.Random(7), tmp_path / "clinic.db", -1
    for _ in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-m", "tests.store.killed_writer", str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        assert writer.stdout.readline().strip() == "READY"
        time.sleep(dice.uniform(0.02, 0.4))
        writer.kill()
        lines = writer.stdout.read().split()
        writer.wait()
        writer.stdout.close()
        told = max([told, *(int(line) for line in lines[:-1] if line.isdigit())])
    assert told > 10, "the writer came to write something"
    store = open_store(path, bytes(range(32)))
    ids = {visit.id for visit in store.open_visits()}
    assert all(f"visit-{number:06d}" in ids for number in range(told + 1))
    assert audit_trail.first_broken(store.engine) is None
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        written = connection.exec_driver_sql("SELECT count(*) FROM audit WHERE action = 'test'").scalar()
    assert written == len(ids), "each visit has its audit row"
    store.close()
