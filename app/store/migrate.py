"""Bringing a store up to the schema of this program.

Law: migrations run with foreign keys off, in one transaction, on a copy's original: the file is copied first, and a
migration that fails leaves it as it was. Triggers are made anew afterwards, for SQLite drops them with their table.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect

from app.models.errors import AppError
from app.store.tables import make_triggers

_SCRIPTS = Path(__file__).parent / "migrations"


class DanglingReferenceError(AppError):
    """A migration would have left rows that refer to nothing; it was undone."""


class NewerStoreError(AppError):
    """The store was written by a newer version of this program."""


def upgrade(engine: Engine, path: Path | None = None, *, scripts: Path = _SCRIPTS) -> None:
    """Run what is missing. ``path`` is copied beside itself first if there is something in it to lose.

    Raises: NewerStoreError, DanglingReferenceError.
    """
    known = sorted(path.stem.split("_")[0] for path in (scripts / "versions").glob("[0-9]*.py"))
    current = _revision(engine)
    if current == known[-1]:
        return
    if current is not None and current not in known:
        raise NewerStoreError(revision=current)
    # Only a store that is behind needs Alembic, which takes longer to load than the window to paint.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts))
    if path is not None and current is not None:
        _copy(engine, path.with_name(f"{path.name}.before-{known[-1]}"))
    # Foreign keys can be switched only outside a transaction, so on a connection of its own.
    with engine.connect() as connection:
        _set_foreign_keys(connection, on=False)
        try:
            with connection.begin():
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                make_triggers(connection)
                _check_references(connection)
        finally:
            _set_foreign_keys(connection, on=True)


def _revision(engine: Engine) -> str | None:
    """The migration that the store was left at, or ``None`` for a store without any."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        return str(found) if found is not None else None


def _set_foreign_keys(connection: Connection, *, on: bool) -> None:
    raw = connection.connection.driver_connection
    if raw is not None:
        raw.execute(f"PRAGMA foreign_keys = {'ON' if on else 'OFF'}")


def _check_references(connection: Connection) -> None:
    dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if dangling:
        raise DanglingReferenceError(rows=len(dangling), table=dangling[0][0])


def _copy(engine: Engine, target: Path) -> None:
    """An encrypted copy of the whole file, with the same key, as it is now."""
    target.unlink(missing_ok=True)
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        if raw is not None:
            raw.execute("VACUUM INTO ?", (str(target),))
