"""Opening the clinic's store: file, key, schema.

Law: whoever gets a store from here gets one that is encrypted, durable and of this program's schema.
"""

from __future__ import annotations

from pathlib import Path

from app.store.clinic import SqlClinicStore
from app.store.engine import open_engine
from app.store.migrate import upgrade


def open_store(path: Path, key: bytes) -> SqlClinicStore:
    """Open or make the store at ``path``. Raises: WrongKeyError, UnsafeStoreError, NewerStoreError."""
    engine = open_engine(path, key)
    upgrade(engine, path)
    return SqlClinicStore(engine)
