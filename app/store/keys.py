"""The key of the store on this workstation.

Law: the key is made once, at random, and never written over. It lies in a file that only its owner can read, apart
from the store: so a copy of the store, a backup or a lost disk image without that file cannot be read. It does not
protect against somebody who is signed in as the owner.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from app.models.errors import AppError

KEY_LENGTH = 32


class BadKeyFileError(AppError):
    """The key file does not hold a key."""


def load_or_make_key(path: Path) -> bytes:
    """The key in ``path``, made at the first call. Raises: BadKeyFileError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _load(path)
    key = secrets.token_bytes(KEY_LENGTH)
    with os.fdopen(handle, "wb") as file:
        file.write(key.hex().encode())
        file.flush()
        os.fsync(file.fileno())
    return key


def _load(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (ValueError, UnicodeDecodeError):
        raise BadKeyFileError(path=str(path)) from None
    if len(key) != KEY_LENGTH:
        raise BadKeyFileError(path=str(path))
    return key
