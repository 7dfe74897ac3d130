"""The emulated pump's non-volatile memory: two program slots, the journal of orders, the log, the books.

Law: memory changes as a whole or not at all. In a file it is written beside, fsynced and renamed, so that a power
cut leaves the old state or the new one.
"""

from __future__ import annotations

import json
import os
import zlib
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

from app.device.ledger import Epoch, Extra
from app.device.settings_codec import decode_settings, encode_settings
from app.models.errors import AppError
from app.models.pump import PumpSettings

TOMBSTONES_KEPT = 256


class MemoryLostError(AppError):
    """The memory file cannot be read; the pump does not guess what it held."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One program slot: encoded settings with their revision and check sum."""

    revision: int
    settings: bytes
    crc: int

    @classmethod
    def of(cls, revision: int, settings: bytes) -> Slot:
        return cls(revision, settings, zlib.crc32(settings))

    def is_whole(self) -> bool:
        return zlib.crc32(self.settings) == self.crc


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One line of the log; ``chain`` is the log's hash (64 hex digits) up to and with it."""

    number: int
    at: datetime
    code: int
    value: int
    chain: str


class Agenda(StrEnum):
    """What will happen inside the pump by itself."""

    BOLUS_ENDS = "bolus-ends"
    BRIDGE_ENDS = "bridge-ends"
    MOTOR_RECOVERS = "motor-recovers"


@dataclass(frozen=True, slots=True)
class Memory:
    """Everything that survives a power cut. ``applied`` is never forgotten; tombstones are, the oldest first.

    ``agenda`` holds (when, what, nL), the earliest first. ``latched`` are alarms that stay until somebody takes note,
    ``sounded`` those whose beginning is in the log. ``filled_by_hand`` is what a syringe really left, in pL.
    ``service_end`` overrides the battery's end. ``clock_offset_s`` is how far the clock was put forward in all.
    """

    slots: tuple[Slot, Slot]
    active: int
    session: int
    epoch: Epoch
    applied: tuple[tuple[str, int, datetime], ...] = ()
    tombstones: tuple[str, ...] = ()
    log: tuple[LoggedEvent, ...] = ()
    anchor: str = "00" * 32
    reset: bool = False
    stopped_since: datetime | None = None
    stalled_since: datetime | None = None
    agenda: tuple[tuple[datetime, Agenda, int], ...] = ()
    patient_boluses: tuple[datetime, ...] = ()
    latched: tuple[str, ...] = ()
    sounded: tuple[str, ...] = ()
    filled_by_hand: int | None = None
    service_end: datetime | None = None
    clock_offset_s: int = 0

    @property
    def slot(self) -> Slot:
        return self.slots[self.active]

    def with_tombstone(self, txn: str) -> Memory:
        kept = tuple(dead for dead in self.tombstones if dead != txn)[-(TOMBSTONES_KEPT - 1) :]
        return replace(self, tombstones=(*kept, txn))


class MemoryFile:
    """Keeps a :class:`Memory` in a file, or nowhere."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path

    def load(self) -> Memory | None:
        """What was kept, or ``None`` if there is nothing. Raises: MemoryLostError."""
        if self._path is None or not self._path.exists():
            return None
        try:
            return _from_json(json.loads(self._path.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError, AppError) as error:
            raise MemoryLostError(path=str(self._path), problem=str(error)) from None

    def keep(self, memory: Memory) -> None:
        """Make ``memory`` the state; it is on the disk when this returns."""
        if self._path is None:
            return
        beside = self._path.with_suffix(".new")
        with open(beside, "w", encoding="utf-8") as file:
            json.dump(_to_json(memory), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, self._path)
        _sync_folder(self._path.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _to_json(memory: Memory) -> dict[str, Any]:
    epoch = memory.epoch
    return {
        "slots": [
            {"revision": slot.revision, "settings": slot.settings.hex(), "crc": slot.crc} for slot in memory.slots
        ],
        "active": memory.active,
        "session": memory.session,
        "epoch": {
            "settings": encode_settings(epoch.settings).hex(),
            "start": epoch.start.isoformat(),
            "bridge_start": epoch.bridge_start.isoformat(),
            "stalled": epoch.stalled,
            "running": epoch.running,
            "occluded": epoch.occluded,
            "extras": [[x.start.isoformat(), x.duration_min, str(x.volume), x.waits] for x in epoch.extras],
            "quiet_until": _text(epoch.quiet_until),
            **{name: str(getattr(epoch, name)) for name in _AMOUNTS},
        },
        "applied": [[txn, revision, at.isoformat()] for txn, revision, at in memory.applied],
        "tombstones": list(memory.tombstones),
        "log": [{**asdict(event), "at": event.at.isoformat()} for event in memory.log],
        "anchor": memory.anchor,
        "reset": memory.reset,
        "stopped_since": _text(memory.stopped_since),
        "stalled_since": _text(memory.stalled_since),
        "agenda": [[at.isoformat(), what.value, value] for at, what, value in memory.agenda],
        "patient_boluses": [at.isoformat() for at in memory.patient_boluses],
        "latched": list(memory.latched),
        "sounded": list(memory.sounded),
        "filled_by_hand": memory.filled_by_hand,
        "service_end": _text(memory.service_end),
        "clock_offset_s": memory.clock_offset_s,
    }


_AMOUNTS = ("delivered", "believed", "physical", "physically_delivered", "error")


def _from_json(kept: dict[str, Any]) -> Memory:
    epoch = kept["epoch"]
    first, second = (Slot(slot["revision"], bytes.fromhex(slot["settings"]), slot["crc"]) for slot in kept["slots"])
    return Memory(
        slots=(first, second),
        active=kept["active"],
        session=kept["session"],
        epoch=Epoch(
            settings=_settings(epoch["settings"]),
            start=datetime.fromisoformat(epoch["start"]),
            bridge_start=datetime.fromisoformat(epoch["bridge_start"]),
            stalled=epoch["stalled"],
            running=epoch["running"],
            occluded=epoch["occluded"],
            extras=tuple(
                Extra(datetime.fromisoformat(start), minutes, Fraction(volume), waits)
                for start, minutes, volume, waits in epoch["extras"]
            ),
            quiet_until=_moment(epoch["quiet_until"]),
            **{name: Fraction(epoch[name]) for name in _AMOUNTS},
        ),
        applied=tuple((txn, revision, datetime.fromisoformat(at)) for txn, revision, at in kept["applied"]),
        tombstones=tuple(kept["tombstones"]),
        log=tuple(
            LoggedEvent(e["number"], datetime.fromisoformat(e["at"]), e["code"], e["value"], e["chain"])
            for e in kept["log"]
        ),
        anchor=kept["anchor"],
        reset=kept["reset"],
        stopped_since=_moment(kept["stopped_since"]),
        stalled_since=_moment(kept["stalled_since"]),
        agenda=tuple((datetime.fromisoformat(at), Agenda(what), value) for at, what, value in kept["agenda"]),
        patient_boluses=tuple(datetime.fromisoformat(at) for at in kept["patient_boluses"]),
        latched=tuple(kept["latched"]),
        sounded=tuple(kept["sounded"]),
        filled_by_hand=kept["filled_by_hand"],
        service_end=_moment(kept["service_end"]),
        clock_offset_s=kept["clock_offset_s"],
    )


def _settings(text: str) -> PumpSettings:
    return decode_settings(bytes.fromhex(text))


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
