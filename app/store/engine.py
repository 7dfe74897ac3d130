"""The database: one encrypted file, opened so that what is committed is on the disk.

Law: a file that cannot be opened with write-ahead log, full synchronisation and foreign keys is not opened at all.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import sqlcipher3.dbapi2 as sqlcipher
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from app.models.errors import AppError

_PAGES_IN_MEMORY_KIB = 64_000
_WAIT_MS = 10_000


class WrongKeyError(AppError):
    """The file is not a store, or the key is another store's."""


class UnsafeStoreError(AppError):
    """The file cannot be opened in a way that keeps what is committed."""


def open_engine(path: Path, key: bytes) -> Engine:
    """Open or make the encrypted file at ``path``.

    Args:
        key: 32 bytes.

    Raises:
        WrongKeyError, UnsafeStoreError.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _make_private(path)

    def connect() -> Any:
        return _connect(path, key)

    engine = create_engine(
        "sqlite://",
        module=sqlcipher,
        creator=connect,
        poolclass=QueuePool,
        pool_size=2,
        max_overflow=2,
        isolation_level=None,
    )
    event.listen(engine, "begin", _begin)
    engine.connect().close()
    return engine


def _make_private(path: Path) -> None:
    """Nobody but the owner may read the file, from its first byte on."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.close(handle)
    if os.name != "nt":
        os.chmod(path, 0o600)


def _connect(path: Path, key: bytes) -> Any:
    connection = sqlcipher.connect(str(path), check_same_thread=False, isolation_level=None)
    run = connection.execute
    try:
        run(f"PRAGMA key = \"x'{key.hex()}'\"")
        run(f"PRAGMA cache_size = -{_PAGES_IN_MEMORY_KIB}")
        run(f"PRAGMA busy_timeout = {_WAIT_MS}")
        run("PRAGMA temp_store = MEMORY")
        run("PRAGMA trusted_schema = OFF")
        run("PRAGMA secure_delete = ON")
        run("PRAGMA foreign_keys = ON")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        found = {name: run(f"PRAGMA {name}").fetchone()[0] for name in _WANTED}
    except sqlcipher.DatabaseError as error:
        connection.close()
        raise WrongKeyError(path=str(path), problem=str(error)) from None
    if found != _WANTED:
        connection.close()
        raise UnsafeStoreError(path=str(path), found=found)
    return connection


_WANTED: dict[str, Any] = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def _begin(connection: Any) -> None:
    """Take the write lock first, so that two that read before they write cannot lock each other out."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
