"""The audit trail: who did what, each row sealed by the one before it.

Law: a row is written in the transaction of the change it tells of; changing, dropping or moving a row breaks the
chain from there on.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC

from sqlalchemy import Connection, Engine, insert, select

from app.models.records import AuditEntry
from app.store.tables import audit

FIRST = "0" * 64


def append(connection: Connection, entry: AuditEntry) -> str:
    """Add a row and return its hash."""
    previous = head(connection)
    sealed = _hash(previous, entry)
    connection.execute(
        insert(audit).values(
            at=entry.at,
            user_id=entry.user_id,
            action=entry.action,
            subject=entry.subject,
            detail=entry.detail,
            previous_hash=previous,
            hash=sealed,
        )
    )
    return sealed


def head(connection: Connection) -> str:
    """The hash that the trail ends in."""
    found = connection.execute(select(audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).scalar()
    return found if found is not None else FIRST


def first_broken(engine: Engine) -> int | None:
    """The number of the first row that is not what was written, or ``None`` if the whole trail holds."""
    previous, number = FIRST, 0
    with engine.connect() as connection:
        for row in connection.execute(select(audit).order_by(audit.c.seq)).mappings():
            entry = AuditEntry(row["at"], row["user_id"], row["action"], row["subject"], row["detail"])
            follows = row["seq"] == number + 1 and row["previous_hash"] == previous
            if not follows or row["hash"] != _hash(previous, entry):
                return int(row["seq"])
            previous, number = row["hash"], row["seq"]
    return None


def _hash(previous: str, entry: AuditEntry) -> str:
    said = [entry.at.astimezone(UTC).isoformat(), entry.user_id, entry.action, entry.subject, entry.detail]
    canonical = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(f"{previous}\n{canonical}".encode()).hexdigest()
