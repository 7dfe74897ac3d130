"""A clinic's own presets and the patients' days in their tables.

Law: a preset is only added, and so is its retirement; a day is replaced as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from app.models.patient_day import DayPart
from app.models.ports import NotOnRecordError
from app.models.presets import ClinicPreset, PresetNameTakenError, PresetRetiredError, same_name
from app.store.mapping import keep_settings, load_settings
from app.store.tables import clinic_presets, patient_day_parts, patients, retired_presets


def load_presets(connection: Connection) -> list[ClinicPreset]:
    """Every preset, the retired ones too, in the order of keeping."""
    rows = connection.execute(select(clinic_presets).order_by(clinic_presets.c.seq)).mappings().all()
    found = load_settings(connection, (row["settings_id"] for row in rows))
    retired = {row["preset_id"]: row for row in connection.execute(select(retired_presets)).mappings()}
    return [
        ClinicPreset(
            id=row["id"],
            name=row["name"],
            note=row["note"],
            settings=found[row["settings_id"]],
            kept_at=row["kept_at"],
            kept_by=row["kept_by"],
            retired_at=retired[row["id"]]["at"] if row["id"] in retired else None,
            retired_by=retired[row["id"]]["by"] if row["id"] in retired else None,
        )
        for row in rows
    ]


def keep_preset(connection: Connection, preset: ClinicPreset) -> None:
    """Add a preset. Raises: PresetNameTakenError: one that is not retired has the same name."""
    table, ended = clinic_presets, select(retired_presets.c.preset_id)
    for name in connection.execute(select(table.c.name).where(table.c.id.not_in(ended))).scalars():
        if same_name(name, preset.name):
            raise PresetNameTakenError(name=name)
    values: dict[str, Any] = {
        "id": preset.id,
        "name": preset.name,
        "note": preset.note,
        "settings_id": keep_settings(connection, preset.settings),
        "kept_at": preset.kept_at,
        "kept_by": preset.kept_by,
    }
    connection.execute(insert(table).values(**values))


def keep_retirement(connection: Connection, preset_id: str, at: datetime, user_id: str) -> None:
    """Add that a preset is retired. Raises: NotOnRecordError, PresetRetiredError."""
    presets, table = clinic_presets, retired_presets
    if connection.execute(select(presets.c.id).where(presets.c.id == preset_id)).first() is None:
        raise NotOnRecordError(kind="preset", id=preset_id)
    if connection.execute(select(table.c.at).where(table.c.preset_id == preset_id)).first() is not None:
        raise PresetRetiredError(preset=preset_id)
    connection.execute(insert(table).values(preset_id=preset_id, at=at, by=user_id))


def load_day(connection: Connection, patient_id: str) -> list[DayPart]:
    """The parts of a patient's day, in the order of time."""
    table = patient_day_parts
    wanted = select(table).where(table.c.patient_id == patient_id).order_by(table.c.start_min, table.c.place)
    return [
        DayPart(row["name"], row["start_min"], row["duration_min"]) for row in connection.execute(wanted).mappings()
    ]


def keep_day(connection: Connection, patient_id: str, parts: Sequence[DayPart]) -> None:
    """Replace a patient's day. Raises: NotOnRecordError."""
    if connection.execute(select(patients.c.id).where(patients.c.id == patient_id)).first() is None:
        raise NotOnRecordError(kind="patient", id=patient_id)
    table = patient_day_parts
    connection.execute(delete(table).where(table.c.patient_id == patient_id))
    rows = [
        {
            "patient_id": patient_id,
            "place": place,
            "name": part.name,
            "start_min": part.start,
            "duration_min": part.duration_min,
        }
        for place, part in enumerate(parts)
    ]
    if rows:
        connection.execute(insert(table), rows)
