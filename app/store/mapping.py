"""Rows to values and back.

Law: settings never change; equal settings share one row, whose id is the digest of what they say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select

from app.models.program import (
    Bolus,
    ConstantFlow,
    DayPlan,
    Delivery,
    Flex,
    MinimumRate,
    OneTimeBolus,
    OneTimeKind,
    PatientActivated,
    PeriodicBolus,
    Program,
    SimpleContinuous,
    Step,
    Stopped,
    Weekday,
)
from app.models.pump import (
    Alarm,
    Order,
    Outcome,
    PumpSettings,
    ResumeDelivery,
    SilenceAlarms,
    StepClock,
    StopDelivery,
)
from app.models.records import Fill, Intent, ProgramRecord, ProgramState, PumpOrder
from app.models.refill_visit import Answer, DrugCheck, PumpReading, RefillVisit
from app.models.refill_visit import Step as VisitStep
from app.store.tables import changes, plans, settings

Row = RowMapping


def settings_id(value: PumpSettings) -> str:
    """32 hex digits that stand for exactly these settings."""
    return hashlib.sha256(repr(value).encode()).hexdigest()[:32]


def keep_settings(connection: Connection, value: PumpSettings) -> str:
    """Write settings unless they are there already; returns their id."""
    key = settings_id(value)
    if connection.execute(select(settings.c.id).where(settings.c.id == key)).first() is not None:
        return key
    connection.execute(insert(settings).values(id=key, **_settings_columns(value)))
    if isinstance(value.program.delivery, Flex):
        _keep_plans(connection, key, value.program.delivery)
    return key


def _settings_columns(value: PumpSettings) -> dict[str, Any]:
    bridge, patient = value.bridge, value.program.patient_activated
    columns: dict[str, Any] = {
        "drug": value.drug,
        "concentration": value.concentration,
        "low_alarm": value.low_alarm,
        "reservoir": value.reservoir,
        "bridge_volume": bridge.volume if bridge else None,
        "bridge_min": bridge.duration_min if bridge else None,
        "patient_dose": patient.dose if patient else None,
        "patient_min": patient.duration_min if patient else None,
        "lockout_min": patient.lockout_min if patient else None,
        "max_per_day": patient.max_per_day if patient else None,
    }
    return columns | _delivery_columns(value.program.delivery)


def _delivery_columns(delivery: Delivery) -> dict[str, Any]:
    match delivery:
        case SimpleContinuous(daily_dose=dose):
            return {"mode": "simple", "daily_dose": dose}
        case Flex():
            return {"mode": "flex"}
        case PeriodicBolus() as periodic:
            return {
                "mode": "periodic",
                "basal": periodic.basal,
                "bolus_dose": periodic.dose,
                "bolus_min": periodic.duration_min,
                "every_min": periodic.every_min,
                "first_at": periodic.first_at,
            }
        case MinimumRate():
            return {"mode": "minimum-rate"}
        case Stopped():
            return {"mode": "stopped"}
        case ConstantFlow(flow=flow):
            return {"mode": "constant-flow", "flow": flow}


def _keep_plans(connection: Connection, key: str, flex: Flex) -> None:
    for place, plan in enumerate(flex.plans):
        days = sum(1 << day for day in plan.days)
        connection.execute(insert(plans).values(settings_id=key, place=place, days=days, basal=plan.basal))
        both: tuple[tuple[str, Sequence[Bolus | Step]], ...] = (("bolus", plan.boluses), ("step", plan.steps))
        for kind, parts in both:
            rows = [
                {
                    "settings_id": key,
                    "plan": place,
                    "kind": kind,
                    "place": number,
                    "at_min": part.at,
                    "duration_min": part.duration_min,
                    "dose": part.dose,
                }
                for number, part in enumerate(parts)
            ]
            if rows:
                connection.execute(insert(changes), rows)


def load_settings(connection: Connection, keys: Iterable[str]) -> dict[str, PumpSettings]:
    """Settings by id, in three queries whatever their number."""
    wanted = list(dict.fromkeys(keys))
    if not wanted:
        return {}
    rows = connection.execute(select(settings).where(settings.c.id.in_(wanted))).mappings().all()
    plan_rows = connection.execute(
        select(plans).where(plans.c.settings_id.in_(wanted)).order_by(plans.c.settings_id, plans.c.place)
    ).mappings()
    change_rows = connection.execute(
        select(changes).where(changes.c.settings_id.in_(wanted)).order_by(changes.c.settings_id, changes.c.place)
    ).mappings()
    by_plan: dict[tuple[str, int, str], list[Row]] = {}
    for row in change_rows:
        by_plan.setdefault((row["settings_id"], row["plan"], row["kind"]), []).append(row)
    by_settings: dict[str, list[DayPlan]] = {}
    for row in plan_rows:
        by_settings.setdefault(row["settings_id"], []).append(_plan(row, by_plan))
    return {row["id"]: _settings(row, by_settings.get(row["id"], [])) for row in rows}


def _plan(row: Row, by_plan: Mapping[tuple[str, int, str], Sequence[Row]]) -> DayPlan:
    def parts(kind: str) -> Sequence[Row]:
        return by_plan.get((row["settings_id"], row["place"], kind), ())

    return DayPlan(
        days=tuple(day for day in Weekday if row["days"] >> day & 1),
        basal=row["basal"],
        boluses=tuple(Bolus(at=p["at_min"], dose=p["dose"], duration_min=p["duration_min"]) for p in parts("bolus")),
        steps=tuple(Step(at=p["at_min"], dose=p["dose"], duration_min=p["duration_min"]) for p in parts("step")),
    )


def _settings(row: Row, day_plans: Sequence[DayPlan]) -> PumpSettings:
    bridge = None
    if row["bridge_volume"] is not None:
        bridge = OneTimeBolus(OneTimeKind.BRIDGE, row["bridge_volume"], row["bridge_min"])
    patient = None
    if row["patient_dose"] is not None:
        patient = PatientActivated(
            dose=row["patient_dose"],
            duration_min=row["patient_min"],
            lockout_min=row["lockout_min"],
            max_per_day=row["max_per_day"],
        )
    return PumpSettings(
        drug=row["drug"],
        concentration=row["concentration"],
        program=Program(_delivery(row, day_plans), patient),
        low_alarm=row["low_alarm"],
        reservoir=row["reservoir"],
        bridge=bridge,
    )


def _delivery(row: Row, day_plans: Sequence[DayPlan]) -> Delivery:
    match row["mode"]:
        case "simple":
            return SimpleContinuous(row["daily_dose"])
        case "flex":
            return Flex(tuple(day_plans))
        case "periodic":
            return PeriodicBolus(
                basal=row["basal"],
                dose=row["bolus_dose"],
                duration_min=row["bolus_min"],
                every_min=row["every_min"],
                first_at=row["first_at"],
            )
        case "minimum-rate":
            return MinimumRate()
        case "constant-flow":
            return ConstantFlow(row["flow"])
        case _:
            return Stopped()


def visit_columns(connection: Connection, visit: RefillVisit) -> dict[str, Any]:
    """All columns of a visit's row; its settings are written on the way."""
    reading, check = visit.reading, visit.drug_check
    return {
        "id": visit.id,
        "patient_id": visit.patient_id,
        "implant_id": visit.implant_id,
        "opened_at": visit.opened_at,
        "opened_by": visit.opened_by,
        "changed_at": visit.changed_at,
        "telemetry": int(visit.telemetry),
        "step": visit.step.value,
        "read_at": reading.read_at if reading else None,
        "read_pump_clock": reading.pump_clock if reading else None,
        "read_serial": reading.serial if reading else None,
        "read_model": reading.model if reading else None,
        "read_revision": reading.revision if reading else None,
        "read_digest": reading.digest if reading else None,
        "read_settings_id": keep_settings(connection, reading.settings) if reading else None,
        "read_running": int(reading.running) if reading else None,
        "read_reset": int(reading.reset) if reading else None,
        "read_reservoir": reading.reservoir if reading else None,
        "read_alarms": " ".join(reading.alarms) if reading else None,
        "read_emulated": int(reading.emulated) if reading else None,
        "expected": visit.expected,
        "aspirated": visit.aspirated,
        "aspirated_at": visit.aspirated_at,
        "drug": check.drug if check else None,
        "concentration": check.concentration if check else None,
        "lot": check.lot if check else None,
        "expires_on": check.expires_on if check else None,
        "second_reader": check.second_reader if check else None,
        "injected": visit.injected,
        "filled_at": visit.filled_at,
        "proposed_settings_id": keep_settings(connection, visit.proposed) if visit.proposed else None,
        "program_id": visit.program_id,
        "txn": visit.txn,
        "outcome": visit.outcome.value if visit.outcome else None,
        "effective_at": visit.effective_at,
        "verified_at": visit.verified_at,
        "appointment_on": visit.appointment_on,
        "closed_at": visit.closed_at,
    }


def visit_of(row: Row, answers: Sequence[Row], by_id: Mapping[str, PumpSettings]) -> RefillVisit:
    """The visit that a row and its answers say."""
    return RefillVisit(
        id=row["id"],
        patient_id=row["patient_id"],
        implant_id=row["implant_id"],
        opened_at=row["opened_at"],
        opened_by=row["opened_by"],
        changed_at=row["changed_at"],
        telemetry=bool(row["telemetry"]),
        step=VisitStep(row["step"]),
        reading=_reading(row, by_id) if row["read_at"] is not None else None,
        expected=row["expected"],
        aspirated=row["aspirated"],
        aspirated_at=row["aspirated_at"],
        drug_check=_drug_check(row) if row["drug"] is not None else None,
        injected=row["injected"],
        filled_at=row["filled_at"],
        proposed=by_id[row["proposed_settings_id"]] if row["proposed_settings_id"] else None,
        program_id=row["program_id"],
        txn=row["txn"],
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        effective_at=row["effective_at"],
        verified_at=row["verified_at"],
        appointment_on=row["appointment_on"],
        answers=tuple(Answer(a["rule"], a["reason"], a["text"], a["at"], a["user_id"]) for a in answers),
        closed_at=row["closed_at"],
    )


def _reading(row: Row, by_id: Mapping[str, PumpSettings]) -> PumpReading:
    return PumpReading(
        read_at=row["read_at"],
        pump_clock=row["read_pump_clock"],
        serial=row["read_serial"],
        model=row["read_model"],
        revision=row["read_revision"],
        digest=row["read_digest"],
        settings=by_id[row["read_settings_id"]],
        running=bool(row["read_running"]),
        reset=bool(row["read_reset"]),
        reservoir=row["read_reservoir"],
        alarms=tuple(row["read_alarms"].split()),
        emulated=bool(row["read_emulated"]),
    )


def _drug_check(row: Row) -> DrugCheck:
    return DrugCheck(row["drug"], row["concentration"], row["lot"], row["expires_on"], row["second_reader"])


def program_of(row: Row, by_id: Mapping[str, PumpSettings]) -> ProgramRecord:
    """The program that a row says."""
    return ProgramRecord(
        id=row["id"],
        implant_id=row["implant_id"],
        visit_id=row["visit_id"],
        state=ProgramState(row["state"]),
        settings=by_id[row["settings_id"]],
        effective_at=row["effective_at"],
        recorded_at=row["recorded_at"],
        recorded_by=row["recorded_by"],
    )


def fill_of(row: Row) -> Fill:
    """The fill that a row says."""
    return Fill(**{name: row[name] for name in Fill.__dataclass_fields__})


def intent_of(row: Row) -> Intent:
    """The intent that a row says."""
    values = {name: row[name] for name in Intent.__dataclass_fields__}
    return Intent(**values | {"outcome": Outcome(row["outcome"]) if row["outcome"] else None})


def order_columns(connection: Connection, record: PumpOrder) -> dict[str, Any]:
    """The row of an order; its settings, if it is a program, are written beside."""
    shared = {name: getattr(record, name) for name in PumpOrder.__dataclass_fields__ if name != "order"}
    shared["outcome"] = record.outcome.value if record.outcome else None
    match record.order:
        case PumpSettings() as wanted:
            return shared | {"what": "settings", "settings_id": keep_settings(connection, wanted)}
        case OneTimeBolus(kind=kind, volume=volume, duration_min=minutes):
            return shared | {"what": kind.value, "volume": volume, "duration_min": minutes}
        case StopDelivery():
            return shared | {"what": "stop"}
        case ResumeDelivery():
            return shared | {"what": "resume"}
        case StepClock(seconds=seconds):
            return shared | {"what": "step-clock", "seconds": seconds}
        case SilenceAlarms(alarms=alarms):
            return shared | {"what": "silence", "alarms": " ".join(alarm.value for alarm in alarms)}


def order_of(row: Row, found: dict[str, PumpSettings]) -> PumpOrder:
    """The order that a row says; ``found`` holds the settings by id."""
    values = {name: row[name] for name in PumpOrder.__dataclass_fields__ if name != "order"}
    values["outcome"] = Outcome(row["outcome"]) if row["outcome"] else None
    return PumpOrder(**values, order=_order(row, found))


def _order(row: Row, found: dict[str, PumpSettings]) -> Order:
    match row["what"]:
        case "settings":
            return found[row["settings_id"]]
        case "stop":
            return StopDelivery()
        case "resume":
            return ResumeDelivery()
        case "step-clock":
            return StepClock(row["seconds"])
        case "silence":
            return SilenceAlarms(tuple(Alarm(name) for name in row["alarms"].split()))
        case kind:
            return OneTimeBolus(OneTimeKind(kind), row["volume"], row["duration_min"])
