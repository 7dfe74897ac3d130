"""Implants in one store: found by their number, written, and ended.

Law: an implant is never deleted and never written anew; it ends once, on a day.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, func, insert, select, update

from app.models.folding import fold
from app.models.patient import CatheterPiece, Implant
from app.models.ports import NotOnRecordError
from app.store import tables


def add_implant(connection: Connection, implant: Implant) -> None:
    """Write an implant with its catheter, and its number as a search key."""
    connection.execute(
        insert(tables.implants).values(
            id=implant.id,
            patient_id=implant.patient_id,
            pump_model=implant.pump_model,
            serial=implant.serial,
            implanted_on=implant.implanted_on,
            flow=implant.flow,
        )
    )
    for place, piece in enumerate(implant.catheter):
        connection.execute(
            insert(tables.catheter_pieces).values(
                implant_id=implant.id, place=place, model=piece.model, trimmed=piece.trimmed_cm
            )
        )
    key = {"folded": fold(implant.serial), "patient_id": implant.patient_id}
    connection.execute(insert(tables.search_keys).values(**key))


def end_implant(connection: Connection, implant_id: str, on: date) -> None:
    """Write the day on which an implant ended. Raises: NotOnRecordError: it is not implanted any more."""
    table = tables.implants
    there = (table.c.id == implant_id) & table.c.explanted_on.is_(None)
    if connection.execute(update(table).where(there).values(explanted_on=on)).rowcount != 1:
        raise NotOnRecordError(kind="implant", id=implant_id)


def load_implant_with(connection: Connection, serial: str) -> Implant | None:
    """The implant with this number, ended ones too, whatever the case of its letters."""
    table, pieces = tables.implants, tables.catheter_pieces
    row = connection.execute(select(table).where(func.lower(table.c.serial) == serial.lower())).mappings().first()
    if row is None:
        return None
    of_it = select(pieces).where(pieces.c.implant_id == row["id"]).order_by(pieces.c.place)
    return Implant(
        id=row["id"],
        patient_id=row["patient_id"],
        pump_model=row["pump_model"],
        serial=row["serial"],
        implanted_on=row["implanted_on"],
        catheter=tuple(
            CatheterPiece(piece["model"], piece["trimmed"]) for piece in connection.execute(of_it).mappings()
        ),
        flow=row["flow"],
    )
