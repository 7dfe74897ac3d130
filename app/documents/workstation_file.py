"""``workstation.json``: what this workstation keeps for its next start: the port of the pumps, the clinic's number.

Law: the file changes as a whole or not at all. One that cannot be understood is refused whole, with the place named.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from app.models.clinic_phone import ImpossiblePhoneError, PhoneNotKeptError, require_phone
from app.models.serial_ports import ImpossibleAddressError, PortNotKeptError, PortNotReadError, require_address

FILE = "workstation.json"


class WorkstationDocument(BaseModel):
    """The whole file; ``port`` is null for the emulated pumps, ``clinic_phone`` is empty where none is set.

    ``holidays`` is the code of a country or region; whether it is known, is judged where the holidays are.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    version: Literal[1]
    port: str | None
    clinic_phone: str = ""
    holidays: str | None = Field(default=None, pattern=r"^[A-Z]{2,3}(-[\w .'-]{1,40})?$")

    @field_validator("port")
    @classmethod
    def _is_an_address(cls, port: str | None) -> str | None:
        if port is not None:
            try:
                require_address(port)
            except ImpossibleAddressError as error:
                raise ValueError(f"no port can be {port!r}") from error
        return port

    @field_validator("clinic_phone")
    @classmethod
    def _is_a_number(cls, phone: str) -> str:
        if phone:
            try:
                require_phone(phone)
            except ImpossiblePhoneError as error:
                raise ValueError(f"no telephone number can be {phone!r}") from error
        return phone


class WorkstationFile:
    """A :class:`app.models.serial_ports.PortKeeper` and :class:`app.models.clinic_phone.PhoneKeeper` in a folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def load(self) -> str | None:
        """The port that was kept; ``None`` also if nothing was. Raises: PortNotReadError."""
        return self._read().port

    def load_phone(self) -> str:
        """The clinic's emergency number, empty if none was kept. Raises: PortNotReadError."""
        return self._read().clinic_phone

    def load_region(self) -> str | None:
        """The code of the clinic's country or region, as kept. Raises: PortNotReadError."""
        return self._read().holidays

    def keep(self, port: str | None) -> None:
        """Write beside, fsync and rename; a file that cannot be understood is replaced. Raises: PortNotKeptError."""
        try:
            kept = self._read()
        except PortNotReadError:
            kept = _EMPTY
        try:
            self._write(kept.model_copy(update={"port": port}))
        except OSError as error:
            raise PortNotKeptError(file=str(self.path), problem=error.strerror or str(error)) from None

    def keep_phone(self, phone: str) -> None:
        """The same for the number; a file that cannot be understood stays as it is. Raises: PhoneNotKeptError."""
        try:
            self._write(self._read().model_copy(update={"clinic_phone": phone}))
        except PortNotReadError as error:
            raise PhoneNotKeptError(file=str(self.path), problem=str(error.values["problem"])) from None
        except OSError as error:
            raise PhoneNotKeptError(file=str(self.path), problem=error.strerror or str(error)) from None

    def keep_region(self, region: str | None) -> None:
        """The same for the region. Raises: PortNotKeptError."""
        try:
            self._write(self._read().model_copy(update={"holidays": region}))
        except PortNotReadError as error:
            raise PortNotKeptError(file=str(self.path), problem=str(error.values["problem"])) from None
        except OSError as error:
            raise PortNotKeptError(file=str(self.path), problem=error.strerror or str(error)) from None

    def _read(self) -> WorkstationDocument:
        try:
            return WorkstationDocument.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return _EMPTY
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            problem = f"{place}: {first['msg']}" if place else first["msg"]
            raise PortNotReadError(file=str(self.path), problem=problem) from None
        except OSError as error:
            raise PortNotReadError(file=str(self.path), problem=error.strerror or str(error)) from None

    def _write(self, document: WorkstationDocument) -> None:
        beside = self.path.with_suffix(".new")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(beside, "w", encoding="utf-8") as file:
            file.write(f"{document.model_dump_json(indent=2)}\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, self.path)
        _sync_folder(self.path.parent)


_EMPTY = WorkstationDocument(version=1, port=None)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
