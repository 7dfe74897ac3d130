"""Drafts and signed orders in their tables.

Law: rows are only added. What comes back is what the rows say; whether it is what was signed, the digest shows, and
that is judged where the wire's bytes are known.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from app.models.findings import Severity
from app.models.signed_order import (
    AlreadySignedError,
    AlreadyWithdrawnError,
    ProgramDraft,
    SignedFinding,
    SignedOrder,
)
from app.store.mapping import Row, keep_settings, load_settings
from app.store.tables import program_drafts, signed_findings, signed_orders, withdrawn_orders


def load_drafts(connection: Connection, implant_id: str) -> list[ProgramDraft]:
    """Every version of every draft for a pump, oldest first."""
    rows = _rows(connection, program_drafts, implant_id)
    found = load_settings(connection, (row["settings_id"] for row in rows))
    return [
        ProgramDraft(
            id=row["id"],
            implant_id=implant_id,
            name=row["name"],
            settings=found[row["settings_id"]],
            changed_at=row["changed_at"],
            changed_by=row["changed_by"],
        )
        for row in rows
    ]


def _rows(connection: Connection, table: Table, implant_id: str) -> list[Row]:
    wanted = select(table).where(table.c.implant_id == implant_id).order_by(table.c.seq)
    return list(connection.execute(wanted).mappings())


def keep_draft(connection: Connection, draft: ProgramDraft) -> None:
    """Add one version of a draft."""
    values: dict[str, Any] = {
        "id": draft.id,
        "implant_id": draft.implant_id,
        "name": draft.name,
        "settings_id": keep_settings(connection, draft.settings),
        "changed_at": draft.changed_at,
        "changed_by": draft.changed_by,
    }
    connection.execute(insert(program_drafts).values(**values))


def load_signed_orders(connection: Connection, implant_id: str) -> list[SignedOrder]:
    """Every order for a pump, in the order of signing."""
    rows = _rows(connection, signed_orders, implant_id)
    found = load_settings(connection, (row["settings_id"] for row in rows))
    keys = [row["id"] for row in rows]
    findings: dict[str, list[SignedFinding]] = defaultdict(list)
    table = signed_findings
    said = select(table).where(table.c.order_id.in_(keys)).order_by(table.c.order_id, table.c.place)
    for row in connection.execute(said).mappings():
        findings[row["order_id"]].append(_finding(row))
    ended = select(withdrawn_orders).where(withdrawn_orders.c.order_id.in_(keys))
    withdrawn = {row["order_id"]: row for row in connection.execute(ended).mappings()}
    return [
        SignedOrder(
            id=row["id"],
            implant_id=implant_id,
            draft_id=row["draft_id"],
            name=row["name"],
            settings=found[row["settings_id"]],
            range_percent=Fraction(row["range_percent"]),
            valid_until=row["valid_until"],
            signed_by=row["signed_by"],
            signed_at=row["signed_at"],
            findings=tuple(findings[row["id"]]),
            digest=row["digest"],
            withdrawn_at=withdrawn[row["id"]]["at"] if row["id"] in withdrawn else None,
            withdrawn_by=withdrawn[row["id"]]["by"] if row["id"] in withdrawn else None,
        )
        for row in rows
    ]


def _finding(row: Row) -> SignedFinding:
    severity = Severity(row["severity"])
    return SignedFinding(row["rule"], severity, row["reason"], row["sentence"], row["answer"])


def keep_signed_order(connection: Connection, order: SignedOrder) -> None:
    """Add an order. Raises: AlreadySignedError."""
    table = signed_orders
    if connection.execute(select(table.c.id).where(table.c.draft_id == order.draft_id)).first() is not None:
        raise AlreadySignedError(draft=order.draft_id)
    values: dict[str, Any] = {
        "id": order.id,
        "implant_id": order.implant_id,
        "draft_id": order.draft_id,
        "name": order.name,
        "settings_id": keep_settings(connection, order.settings),
        "range_percent": order.range_percent.numerator,
        "valid_until": order.valid_until,
        "signed_by": order.signed_by,
        "signed_at": order.signed_at,
        "digest": order.digest,
    }
    connection.execute(insert(table).values(**values))
    rows = [
        {
            "order_id": order.id,
            "place": place,
            "rule": said.rule,
            "severity": said.severity.value,
            "reason": said.reason,
            "sentence": said.sentence,
            "answer": said.answer,
        }
        for place, said in enumerate(order.findings)
    ]
    if rows:
        connection.execute(insert(signed_findings), rows)


def keep_withdrawal(connection: Connection, order_id: str, at: datetime, user_id: str) -> None:
    """Add that an order is withdrawn. Raises: AlreadyWithdrawnError."""
    table = withdrawn_orders
    if connection.execute(select(table.c.at).where(table.c.order_id == order_id)).first() is not None:
        raise AlreadyWithdrawnError(order=order_id)
    connection.execute(insert(table).values(order_id=order_id, at=at, by=user_id))
