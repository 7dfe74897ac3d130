"""Reading what pumps logged and what they were ordered beside refills.

Law: a reading is one query (and those for the settings of orders), oldest first; nothing is written here.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from app.models.pump import PumpEvent, PumpEventKind
from app.models.records import PumpOrder
from app.store import tables
from app.store.mapping import load_settings, order_of

_KINDS = tuple(PumpEventKind)


def load_events(connection: Connection, implant_id: str, since: datetime) -> list[PumpEvent]:
    """A pump's log from ``since`` (its own clock) on."""
    table = tables.pump_events
    wanted = select(table).where(table.c.implant_id == implant_id, table.c.at >= since).order_by(table.c.number)
    return [
        PumpEvent(row["number"], row["at"], kind_of(row["code"]), row["code"], row["value"])
        for row in connection.execute(wanted).mappings()
    ]


def load_orders(connection: Connection, implant_id: str, since: datetime) -> list[PumpOrder]:
    """Orders of their own that were written down from ``since`` (UTC) on."""
    table = tables.pump_orders
    found = table.c.implant_id == implant_id, table.c.written_at >= since
    rows = connection.execute(select(table).where(*found).order_by(table.c.written_at)).mappings().all()
    settings = load_settings(connection, [row["settings_id"] for row in rows if row["settings_id"]])
    return [order_of(row, settings) for row in rows]


def kind_of(code: int) -> PumpEventKind | None:
    """The kind of an event by its number on the wire: the kinds stand in the order of their codes."""
    return _KINDS[code - 1] if 1 <= code <= len(_KINDS) else None
