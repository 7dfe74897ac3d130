"""``workstation.json``: what this workstation keeps for its next start, which is the port of the pumps.

Law: the file changes as a whole or not at all. One that cannot be understood is refused whole, with the place named.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from app.models.serial_ports import ImpossibleAddressError, PortNotKeptError, PortNotReadError, require_address

FILE = "workstation.json"


class WorkstationDocument(BaseModel):
    """The whole file; ``port`` is null for the emulated pumps."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    version: Literal[1]
    port: str | None

    @field_validator("port")
    @classmethod
    def _is_an_address(cls, port: str | None) -> str | None:
        if port is not None:
            try:
                require_address(port)
            except ImpossibleAddressError as error:
                raise ValueError(f"no port can be {port!r}") from error
        return port


class WorkstationFile:
    """A :class:`app.models.serial_ports.PortKeeper` in a folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def load(self) -> str | None:
        """The port that was kept; ``None`` also if nothing was. Raises: PortNotReadError."""
        try:
            return WorkstationDocument.model_validate_json(self.path.read_bytes()).port
        except FileNotFoundError:
            return None
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            problem = f"{place}: {first['msg']}" if place else first["msg"]
            raise PortNotReadError(file=str(self.path), problem=problem) from None
        except OSError as error:
            raise PortNotReadError(file=str(self.path), problem=error.strerror or str(error)) from None

    def keep(self, port: str | None) -> None:
        """Write beside, fsync and rename. Raises: PortNotKeptError."""
        text = WorkstationDocument(version=1, port=port).model_dump_json(indent=2)
        beside = self.path.with_suffix(".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(beside, "w", encoding="utf-8") as file:
                file.write(f"{text}\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self.path)
            _sync_folder(self.path.parent)
        except OSError as error:
            raise PortNotKeptError(file=str(self.path), problem=error.strerror or str(error)) from None


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
