"""Risks and absences in their tables, and the first warning of a battery among the readings.

Law: a row is ended, never deleted; a reason stands at most once for a patient.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime

from sqlalchemy import Connection, func, insert, literal, select, update

from app.models.circumstances import Absence, Circumstances, NotedRisk, RiskReason
from app.models.ports import NotOnRecordError
from app.store.tables import absences, implants, patient_risks, patients, pump_readings, refill_visits


def load_circumstances(
    connection: Connection, patient_ids: Sequence[str], implant_ids: Sequence[str]
) -> dict[str, Circumstances]:
    """What counts for each of these patients, who have these implants now; those of whom nothing is known are left
    out."""
    risks, away = _risks(connection, patient_ids), _absences(connection, patient_ids)
    warned = _warned(connection, implant_ids)
    return {
        patient_id: Circumstances(
            tuple(risks.get(patient_id, ())), tuple(away.get(patient_id, ())), warned.get(patient_id)
        )
        for patient_id in {*risks, *away, *warned}
    }


def _risks(connection: Connection, patient_ids: Sequence[str]) -> dict[str, list[NotedRisk]]:
    table = patient_risks
    standing = table.c.patient_id.in_(patient_ids) & table.c.ended_at.is_(None)
    found: dict[str, list[NotedRisk]] = defaultdict(list)
    for row in connection.execute(select(table).where(standing).order_by(table.c.seq)).mappings():
        found[row["patient_id"]].append(NotedRisk(RiskReason(row["reason"]), row["noted_at"], row["noted_by"]))
    return found


def _absences(connection: Connection, patient_ids: Sequence[str]) -> dict[str, list[Absence]]:
    table = absences
    planned = table.c.patient_id.in_(patient_ids) & table.c.ended_at.is_(None)
    found: dict[str, list[Absence]] = defaultdict(list)
    for row in connection.execute(select(table).where(planned).order_by(table.c.first_on, table.c.id)).mappings():
        found[row["patient_id"]].append(
            Absence(
                id=row["id"],
                patient_id=row["patient_id"],
                first=row["first_on"],
                last=row["last_on"],
                noted_at=row["noted_at"],
                noted_by=row["noted_by"],
            )
        )
    return found


def _warned(connection: Connection, implant_ids: Sequence[str]) -> dict[str, date]:
    """The day of the pump's clock on which its battery began to warn, by patient: as the pump itself tells it, if that
    does not lie ahead of its clock, or else when the warning was first read; whichever is earlier. Source: U-13, R-5.
    """
    visits, readings = refill_visits, pump_readings
    word = literal(" ").concat(visits.c.read_alarms).concat(" ").contains(" eri ")
    first = (
        select(implants.c.patient_id, func.min(visits.c.read_pump_clock, type_=visits.c.read_pump_clock.type))
        .join(implants, implants.c.id == visits.c.implant_id)
        .where(visits.c.implant_id.in_(implant_ids), word)
        .group_by(implants.c.patient_id)
    )
    told = (
        select(implants.c.patient_id, func.min(readings.c.eri_on, type_=readings.c.eri_on.type))
        .join(implants, implants.c.id == readings.c.implant_id)
        .where(readings.c.implant_id.in_(implant_ids), readings.c.eri_on <= readings.c.pump_clock)
        .group_by(implants.c.patient_id)
    )
    warned: dict[str, date] = {}
    for patient_id, at in (*connection.execute(first), *connection.execute(told)):
        warned[patient_id] = min(at.date(), warned.get(patient_id, at.date()))
    return warned


def keep_risks(
    connection: Connection, patient_id: str, reasons: AbstractSet[RiskReason], at: datetime, user_id: str
) -> None:
    """Note what is new and end what is gone; the mark without a reason goes with ``OTHER``."""
    table = patient_risks
    standing = {risk.reason for risk in _risks(connection, [patient_id]).get(patient_id, ())}
    flagged = bool(connection.scalar(select(patients.c.high_risk).where(patients.c.id == patient_id)))
    for reason in RiskReason:
        if reason in reasons and reason not in standing and not (reason is RiskReason.OTHER and flagged):
            connection.execute(
                insert(table).values(patient_id=patient_id, reason=reason.value, noted_at=at, noted_by=user_id)
            )
        elif reason in standing and reason not in reasons:
            same = (table.c.patient_id == patient_id) & (table.c.reason == reason.value) & table.c.ended_at.is_(None)
            connection.execute(update(table).where(same).values(ended_at=at, ended_by=user_id))
    if flagged and RiskReason.OTHER not in reasons:
        connection.execute(update(patients).where(patients.c.id == patient_id).values(high_risk=0))


def keep_absence(connection: Connection, absence: Absence) -> None:
    """Add one."""
    connection.execute(
        insert(absences).values(
            id=absence.id,
            patient_id=absence.patient_id,
            first_on=absence.first,
            last_on=absence.last,
            noted_at=absence.noted_at,
            noted_by=absence.noted_by,
        )
    )


def end_absence(connection: Connection, absence_id: str, at: datetime, user_id: str) -> None:
    """End one. Raises: NotOnRecordError."""
    standing = (absences.c.id == absence_id) & absences.c.ended_at.is_(None)
    if connection.execute(update(absences).where(standing).values(ended_at=at, ended_by=user_id)).rowcount == 0:
        raise NotOnRecordError(kind="absence", id=absence_id)
