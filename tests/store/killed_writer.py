"""Writes numbered visits as fast as it can and says each number once it is committed; meant to be killed."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from app.models.records import AuditEntry
from app.models.refill_visit import RefillVisit
from app.store.demo_clinic import USERS, fill_with_demonstration
from app.store.open_store import open_store


def main(path: Path) -> None:
    store = open_store(path, bytes(range(32)))
    now = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    if not store.users():
        fill_with_demonstration(store, today=date(2026, 11, 20))
    visit = RefillVisit("x", "patient-heetla-1", "implant-heetla-1", now, USERS[0].id, now)
    number = len(store.open_visits())
    print("READY", flush=True)
    while True:
        entry = AuditEntry(now, USERS[0].id, "test", str(number))
        store.save_visit(replace(visit, id=f"visit-{number:06d}"), entry)
        print(number, flush=True)
        number += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]))
