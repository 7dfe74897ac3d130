"""What belongs to a visit beside its row: where it is, vials, what was ticked, and what was decided.

Law: it is written and read with its visit, in the same transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select

from app.models.refill_visit import Decided, NeedleCheck, RefillVisit, Ticked, VisitPlace
from app.models.solution_change import BridgeChoice
from app.models.vial import ScannedVial
from app.store.mapping import Row
from app.store.tables import visit_details, visit_ticks, visit_vials


def keep_details(connection: Connection, visit: RefillVisit) -> None:
    """Write all of it anew."""
    decided = visit.decided
    values: dict[str, Any] = {
        "visit_id": visit.id,
        "place": visit.place.value,
        "read_twice": int(visit.read_twice),
        "found_after": visit.found_after,
        "facts_at": visit.facts_at,
        "bridge_choice": decided.choice.value if decided else None,
        "bridge_reason": decided.reason if decided else None,
        "rinsed": decided.rinsed if decided else None,
        "decided_at": decided.at if decided else None,
        "decided_by": decided.user_id if decided else None,
    }
    ticks = [{"what": one.what.value, "at": one.at, "user_id": one.user_id} for one in visit.ticked]
    vials = [
        {"gtin": one.gtin, "lot": one.lot, "expires_on": one.expires_on, "serial": one.serial} for one in visit.vials
    ]
    _replace(connection, visit_details, visit.id, [values])
    _replace(connection, visit_ticks, visit.id, ticks)
    _replace(connection, visit_vials, visit.id, [{"position": place, **one} for place, one in enumerate(vials)])


def _replace(connection: Connection, table: Table, visit_id: str, rows: list[dict[str, Any]]) -> None:
    connection.execute(delete(table).where(table.c.visit_id == visit_id))
    if rows:
        connection.execute(insert(table), [{"visit_id": visit_id, **row} for row in rows])


def with_details(connection: Connection, visits: Sequence[RefillVisit]) -> list[RefillVisit]:
    """The visits, each with what is kept beside its row; products of vials are not looked up here."""
    keys = [visit.id for visit in visits]
    details = {row["visit_id"]: row for row in _rows(connection, visit_details, keys)}
    ticks, vials = defaultdict(list), defaultdict(list)
    for row in _rows(connection, visit_ticks, keys):
        ticks[row["visit_id"]].append(Ticked(NeedleCheck(row["what"]), row["at"], row["user_id"]))
    for row in _rows(connection, visit_vials, keys):
        vials[row["visit_id"]].append(ScannedVial(row["gtin"], row["lot"], row["expires_on"], row["serial"], None))
    return [
        _with(visit, details[visit.id], ticks[visit.id], vials[visit.id]) if visit.id in details else visit
        for visit in visits
    ]


def _rows(connection: Connection, table: Table, keys: Sequence[str]) -> list[Row]:
    wanted = select(table).where(table.c.visit_id.in_(keys)).order_by(*table.primary_key.columns)
    return list(connection.execute(wanted).mappings())


def _with(visit: RefillVisit, row: Row, ticked: Sequence[Ticked], vials: Sequence[ScannedVial]) -> RefillVisit:
    return replace(
        visit,
        place=VisitPlace(row["place"]),
        read_twice=bool(row["read_twice"]),
        found_after=row["found_after"],
        facts_at=row["facts_at"],
        decided=_decided(row) if row["bridge_choice"] is not None else None,
        ticked=tuple(sorted(ticked, key=lambda one: list(NeedleCheck).index(one.what))),
        vials=tuple(vials),
    )


def _decided(row: Row) -> Decided:
    choice = BridgeChoice(row["bridge_choice"])
    return Decided(choice, row["bridge_reason"], row["rinsed"], row["decided_at"], row["decided_by"])
