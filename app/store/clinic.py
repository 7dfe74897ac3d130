"""The clinic's records in a database.

Law: each method that writes is one transaction with its audit row; each that reads is a fixed number of queries,
however many patients there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table, delete, exists, insert, select, update

from app.models.circumstances import NOTHING_KNOWN, Absence, Circumstances, RiskReason
from app.models.folding import fold
from app.models.mri import TherapyEvent
from app.models.patient import CatheterPiece, Implant, Origin, Patient, Role, User
from app.models.patient_day import DayPart
from app.models.ports import NotOnRecordError
from app.models.presets import ClinicPreset
from app.models.pump import Outcome, PumpEvent
from app.models.records import (
    Assessment,
    AuditEntry,
    Fill,
    Intent,
    ProgramRecord,
    ProgramState,
    PumpOrder,
    StoppedGuard,
    TherapyRecord,
)
from app.models.refill_visit import RefillVisit, Step
from app.models.signed_order import ProgramDraft, SignedOrder
from app.store import audit_trail, tables
from app.store.circumstances import end_absence, keep_absence, keep_risks, load_circumstances
from app.store.implants import add_implant, end_implant, load_implant_with
from app.store.mapping import (
    Row,
    fill_of,
    intent_of,
    keep_settings,
    load_settings,
    order_columns,
    order_of,
    program_of,
    visit_columns,
    visit_of,
)
from app.store.prescriptions import (
    keep_draft,
    keep_signed_order,
    keep_withdrawal,
    load_drafts,
    load_signed_orders,
)
from app.store.presets import keep_day, keep_preset, keep_retirement, load_day, load_presets
from app.store.pump_event_notes import SqlPumpEventStore, insert_therapy_event, keep_events, keep_reading_of
from app.store.pump_log import load_events, load_orders
from app.store.second_checks import SqlCheckStore
from app.store.visit_details import keep_details, with_details


class SqlClinicStore(SqlCheckStore, SqlPumpEventStore):
    """A :class:`app.models.ports.ClinicStore` in one database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def close(self) -> None:
        self.engine.dispose()

    # -- reading ---------------------------------------------------------------------------------------------

    def users(self) -> Sequence[User]:
        with self.engine.connect() as connection:
            rows = connection.execute(select(tables.users).order_by(tables.users.c.name)).mappings()
            return [User(row["id"], row["name"], Role(row["role"])) for row in rows]

    def therapies(self, search: str = "") -> Sequence[TherapyRecord]:
        with self.engine.connect() as connection:
            return _therapies(connection, _found(search))

    def therapy(self, patient_id: str) -> TherapyRecord:
        with self.engine.connect() as connection:
            found = _therapies(connection, select(tables.patients).where(tables.patients.c.id == patient_id))
        if not found:
            raise NotOnRecordError(kind="patient", id=patient_id)
        return found[0]

    def fills(self, implant_id: str) -> Sequence[Fill]:
        with self.engine.connect() as connection:
            return _fills(connection, [implant_id])[implant_id]

    def programs(self, implant_id: str) -> Sequence[ProgramRecord]:
        with self.engine.connect() as connection:
            return _programs(connection, [implant_id])[implant_id]

    def program(self, program_id: str) -> ProgramRecord:
        with self.engine.connect() as connection:
            row = _one(connection, tables.programs, program_id)
            return program_of(row, load_settings(connection, [row["settings_id"]]))

    def assessments(self, patient_id: str) -> Sequence[Assessment]:
        with self.engine.connect() as connection:
            table, values = tables.assessments, tables.assessment_values
            rows = connection.execute(
                select(table).where(table.c.patient_id == patient_id).order_by(table.c.rated_on)
            ).mappings()
            ratings: dict[str, list[Fraction]] = defaultdict(list)
            joined = select(values).join(table).where(table.c.patient_id == patient_id).order_by(values.c.place)
            for value in connection.execute(joined).mappings():
                ratings[value["assessment_id"]].append(Fraction(value["hundredths"], 100))
            return [
                Assessment(row["id"], patient_id, row["rated_on"], row["scale"], tuple(ratings[row["id"]]), row["note"])
                for row in rows
            ]

    def open_visits(self) -> Sequence[RefillVisit]:
        visits = tables.refill_visits
        wanted = select(visits).where(visits.c.step != Step.CLOSED.value).order_by(visits.c.changed_at.desc())
        with self.engine.connect() as connection:
            return _visits(connection, wanted)

    def visits(self, implant_id: str) -> Sequence[RefillVisit]:
        visits = tables.refill_visits
        closed = (visits.c.implant_id == implant_id) & (visits.c.step == Step.CLOSED.value)
        with self.engine.connect() as connection:
            return _visits(connection, select(visits).where(closed).order_by(visits.c.opened_at))

    def visit(self, visit_id: str) -> RefillVisit:
        with self.engine.connect() as connection:
            found = _visits(connection, select(tables.refill_visits).where(tables.refill_visits.c.id == visit_id))
        if not found:
            raise NotOnRecordError(kind="visit", id=visit_id)
        return found[0]

    def intent(self, txn: str) -> Intent:
        with self.engine.connect() as connection:
            return intent_of(_one(connection, tables.intents, txn, column="txn"))

    def intents_in_doubt(self) -> Sequence[Intent]:
        table = tables.intents
        doubtful = table.c.outcome.is_(None) | (table.c.outcome == Outcome.NOT_KNOWN.value)
        with self.engine.connect() as connection:
            rows = connection.execute(select(table).where(doubtful).order_by(table.c.written_at)).mappings()
            return [intent_of(row) for row in rows]

    def orders_in_doubt(self) -> Sequence[PumpOrder]:
        table = tables.pump_orders
        doubtful = table.c.outcome.is_(None) | (table.c.outcome == Outcome.NOT_KNOWN.value)
        with self.engine.connect() as connection:
            rows = connection.execute(select(table).where(doubtful).order_by(table.c.written_at)).mappings().all()
            found = load_settings(connection, [row["settings_id"] for row in rows if row["settings_id"]])
            return [order_of(row, found) for row in rows]

    def in_doubt(self, serial: str) -> bool:
        with self.engine.connect() as connection:
            for table in (tables.intents, tables.pump_orders):
                doubtful = table.c.outcome.is_(None) | (table.c.outcome == Outcome.NOT_KNOWN.value)
                if connection.execute(select(table.c.txn).where(doubtful, table.c.serial == serial).limit(1)).first():
                    return True
        return False

    def guards(self) -> Sequence[StoppedGuard]:
        table = tables.stopped_guards
        with self.engine.connect() as connection:
            rows = connection.execute(select(table).order_by(table.c.since)).mappings()
            return [StoppedGuard(row["serial"], row["txn"], row["since"]) for row in rows]

    def drafts(self, implant_id: str) -> Sequence[ProgramDraft]:
        with self.engine.connect() as connection:
            return load_drafts(connection, implant_id)

    def signed_orders(self, implant_id: str) -> Sequence[SignedOrder]:
        with self.engine.connect() as connection:
            return load_signed_orders(connection, implant_id)

    def clinic_presets(self) -> Sequence[ClinicPreset]:
        with self.engine.connect() as connection:
            return load_presets(connection)

    def patient_day(self, patient_id: str) -> Sequence[DayPart]:
        with self.engine.connect() as connection:
            return load_day(connection, patient_id)

    def pump_events(self, implant_id: str, since: datetime) -> Sequence[PumpEvent]:
        with self.engine.connect() as connection:
            return load_events(connection, implant_id, since)

    def pump_orders(self, implant_id: str, since: datetime) -> Sequence[PumpOrder]:
        with self.engine.connect() as connection:
            return load_orders(connection, implant_id, since)

    def implant_with(self, serial: str) -> Implant | None:
        with self.engine.connect() as connection:
            return load_implant_with(connection, serial)

    def audit_head(self) -> str:
        with self.engine.connect() as connection:
            return audit_trail.head(connection)

    # -- writing ---------------------------------------------------------------------------------------------

    def save_visit(
        self,
        visit: RefillVisit,
        entry: AuditEntry,
        *,
        events: Sequence[PumpEvent] = (),
        eri_on: datetime | None = None,
    ) -> None:
        with self.engine.begin() as connection:
            _keep_visit(connection, visit)
            keep_events(connection, visit.implant_id, events)
            keep_reading_of(connection, visit, eri_on)
            if visit.appointment_on is not None and visit.step is Step.CLOSED:
                _book(connection, visit.patient_id, visit.appointment_on, entry.at)
            audit_trail.append(connection, entry)

    def save_fill(
        self, visit: RefillVisit, fill: Fill, entry: AuditEntry, *, program: ProgramRecord | None = None
    ) -> None:
        with self.engine.begin() as connection:
            _keep_visit(connection, visit)
            _keep_row(connection, tables.fills, _columns(fill))
            if program is not None:
                _keep_program(connection, program)
            audit_trail.append(connection, entry)

    def implant_of(self, patient_id: str) -> Implant | None:
        with self.engine.connect() as connection:
            return _implants(connection, [patient_id]).get(patient_id)

    def replace_implant(
        self, old: Implant, new: Implant, visit: RefillVisit, surgery: TherapyEvent, entry: AuditEntry
    ) -> None:
        with self.engine.begin() as connection:
            _keep_visit(connection, visit)
            end_implant(connection, old.id, new.implanted_on)
            add_implant(connection, new)
            insert_therapy_event(connection, surgery)
            _keep_guard(connection, lifted=old.serial)
            audit_trail.append(connection, entry)

    def save_order(
        self,
        record: PumpOrder,
        entry: AuditEntry,
        *,
        guard: StoppedGuard | None = None,
        lift_guard: bool = False,
    ) -> None:
        with self.engine.begin() as connection:
            _keep_row(connection, tables.pump_orders, order_columns(connection, record), key="txn")
            _keep_guard(connection, guard, lifted=record.serial if lift_guard else None)
            audit_trail.append(connection, entry)

    def add_draft(self, draft: ProgramDraft, entry: AuditEntry) -> None:
        with self.engine.begin() as connection:
            keep_draft(connection, draft)
            audit_trail.append(connection, entry)

    def add_signed_order(self, order: SignedOrder, entry: AuditEntry) -> None:
        with self.engine.begin() as connection:
            keep_signed_order(connection, order)
            audit_trail.append(connection, entry)

    def withdraw_order(self, order_id: str, at: datetime, user_id: str, entry: AuditEntry) -> None:
        with self.engine.begin() as connection:
            keep_withdrawal(connection, order_id, at, user_id)
            audit_trail.append(connection, entry)

    def add_clinic_preset(self, preset: ClinicPreset, entry: AuditEntry) -> None:
        with self.engine.begin() as connection:
            keep_preset(connection, preset)
            audit_trail.append(connection, entry)

    def retire_preset(self, preset_id: str, at: datetime, user_id: str, entry: AuditEntry) -> None:
        with self.engine.begin() as connection:
            keep_retirement(connection, preset_id, at, user_id)
            audit_trail.append(connection, entry)

    def save_patient_day(self, patient_id: str, parts: Sequence[DayPart], entry: AuditEntry) -> None:
        with self.engine.begin() as connection:
            keep_day(connection, patient_id, parts)
            audit_trail.append(connection, entry)

    def keep_risks(
        self, patient_id: str, reasons: AbstractSet[RiskReason], at: datetime, user_id: str, entry: AuditEntry
    ) -> None:
        with self.engine.begin() as connection:
            keep_risks(connection, patient_id, reasons, at, user_id)
            audit_trail.append(connection, entry)

    def add_absence(self, absence: Absence, entry: AuditEntry) -> None:
        with self.engine.begin() as connection:
            keep_absence(connection, absence)
            audit_trail.append(connection, entry)

    def end_absence(self, absence_id: str, at: datetime, user_id: str, entry: AuditEntry) -> None:
        with self.engine.begin() as connection:
            end_absence(connection, absence_id, at, user_id)
            audit_trail.append(connection, entry)

    def write_intent(
        self,
        visit: RefillVisit,
        intent: Intent,
        program: ProgramRecord,
        entry: AuditEntry,
        *,
        guard: StoppedGuard | None = None,
    ) -> None:
        with self.engine.begin() as connection:
            _keep_visit(connection, visit)
            _keep_program(connection, program)
            _keep_intent(connection, intent)
            _keep_guard(connection, guard)
            audit_trail.append(connection, entry)

    def record_outcome(
        self,
        visit: RefillVisit,
        intent: Intent,
        program: ProgramRecord,
        entry: AuditEntry,
        *,
        fill: Fill | None = None,
        lift_guard: bool = False,
    ) -> None:
        with self.engine.begin() as connection:
            _keep_visit(connection, visit)
            _keep_program(connection, program)
            _keep_intent(connection, intent)
            _keep_guard(connection, lifted=intent.serial if lift_guard else None)
            if fill is not None:
                _keep_row(connection, tables.fills, _columns(fill))
            audit_trail.append(connection, entry)

    def lift_guard(self, serial: str, entry: AuditEntry) -> None:
        with self.engine.begin() as connection:
            _keep_guard(connection, lifted=serial)
            audit_trail.append(connection, entry)

    def write_down(self, entry: AuditEntry) -> None:
        with self.engine.begin() as connection:
            audit_trail.append(connection, entry)

    # -- setting up ------------------------------------------------------------------------------------------

    def add(
        self,
        entry: AuditEntry,
        *,
        users: Iterable[User] = (),
        patients: Iterable[Patient] = (),
        implants: Iterable[Implant] = (),
        programs: Iterable[ProgramRecord] = (),
        fills: Iterable[Fill] = (),
        assessments: Iterable[Assessment] = (),
        appointments: Iterable[tuple[str, date]] = (),
    ) -> None:
        """Write new records, all in one transaction; appointments are (patient id, day)."""
        with self.engine.begin() as connection:
            for user in users:
                connection.execute(insert(tables.users).values(id=user.id, name=user.name, role=user.role.value))
            for patient in patients:
                _add_patient(connection, patient)
            for implant in implants:
                add_implant(connection, implant)
            for program in programs:
                _keep_program(connection, program)
            for fill in fills:
                _keep_row(connection, tables.fills, _columns(fill))
            for assessment in assessments:
                _add_assessment(connection, assessment)
            for patient_id, day in appointments:
                _book(connection, patient_id, day, entry.at)
            audit_trail.append(connection, entry)


def _found(search: str) -> Select[Any]:
    folded = fold(search).replace("-", " ") if not any(map(str.isdigit, search)) else fold(search)
    if not folded:
        return select(tables.patients)
    keys = tables.search_keys
    matching = select(keys.c.patient_id).where(keys.c.folded >= folded, keys.c.folded < folded + "\U0010ffff")
    return select(tables.patients).where(tables.patients.c.id.in_(matching))


def _therapies(connection: Connection, wanted: Select[Any]) -> list[TherapyRecord]:
    people = [_patient(row) for row in connection.execute(wanted).mappings()]
    implants = _implants(connection, [person.id for person in people])
    keys = [implant.id for implant in implants.values()]
    fills, programs = _fills(connection, keys), _programs(connection, keys)
    booked = _appointments(connection, [person.id for person in people])
    known = load_circumstances(connection, [person.id for person in people], keys)
    return [
        _therapy(
            person, implants.get(person.id), fills, programs, booked.get(person.id),
            known.get(person.id, NOTHING_KNOWN),
        )
        for person in people
    ]  # fmt: skip


def _therapy(
    patient: Patient,
    implant: Implant | None,
    fills: dict[str, list[Fill]],
    programs: dict[str, list[ProgramRecord]],
    appointment_on: date | None,
    circumstances: Circumstances,
) -> TherapyRecord:
    if implant is None:
        return TherapyRecord(patient, None, None, (), appointment_on, circumstances)
    last = fills[implant.id][-1] if fills[implant.id] else None
    known = programs[implant.id]
    if last is not None:
        running = [program for program in known if program.effective_at <= last.at][-1:]
        known = running + [program for program in known if program.effective_at > last.at]
    return TherapyRecord(patient, implant, last, tuple(known), appointment_on, circumstances)


def _patient(row: Row) -> Patient:
    return Patient(
        id=row["id"],
        number=row["number"],
        family_name=row["family_name"],
        given_name=row["given_name"],
        born_on=row["born_on"],
        diagnosis=row["diagnosis"],
        origin=Origin(row["origin"]) if row["origin"] else None,
        high_risk=bool(row["high_risk"]),
    )


def _implants(connection: Connection, patient_ids: Sequence[str]) -> dict[str, Implant]:
    """The implant that each patient has now, by patient."""
    table, pieces = tables.implants, tables.catheter_pieces
    now = table.c.patient_id.in_(patient_ids) & table.c.explanted_on.is_(None)
    rows = connection.execute(select(table).where(now).order_by(table.c.implanted_on)).mappings().all()
    catheters: dict[str, list[CatheterPiece]] = defaultdict(list)
    of_these = select(pieces).join(table).where(now).order_by(pieces.c.place)
    for piece in connection.execute(of_these).mappings():
        catheters[piece["implant_id"]].append(CatheterPiece(piece["model"], piece["trimmed"]))
    return {
        row["patient_id"]: Implant(
            id=row["id"],
            patient_id=row["patient_id"],
            pump_model=row["pump_model"],
            serial=row["serial"],
            implanted_on=row["implanted_on"],
            catheter=tuple(catheters[row["id"]]),
            flow=row["flow"],
        )
        for row in rows
    }


def _fills(connection: Connection, implant_ids: Sequence[str]) -> dict[str, list[Fill]]:
    table = tables.fills
    by_implant: dict[str, list[Fill]] = {key: [] for key in implant_ids}
    wanted = select(table).where(table.c.implant_id.in_(implant_ids)).order_by(table.c.at)
    for row in connection.execute(wanted).mappings():
        by_implant[row["implant_id"]].append(fill_of(row))
    return by_implant


def _programs(connection: Connection, implant_ids: Sequence[str]) -> dict[str, list[ProgramRecord]]:
    table = tables.programs
    verified = table.c.implant_id.in_(implant_ids) & (table.c.state == ProgramState.VERIFIED.value)
    rows = connection.execute(select(table).where(verified).order_by(table.c.effective_at)).mappings().all()
    by_id = load_settings(connection, (row["settings_id"] for row in rows))
    by_implant: dict[str, list[ProgramRecord]] = {key: [] for key in implant_ids}
    for row in rows:
        by_implant[row["implant_id"]].append(program_of(row, by_id))
    return by_implant


def _appointments(connection: Connection, patient_ids: Sequence[str]) -> dict[str, date]:
    """The appointment booked last, by patient; one from before a refill that has been done was for that refill."""
    table, visits = tables.appointments, tables.refill_visits
    done = exists().where(
        visits.c.patient_id == table.c.patient_id,
        visits.c.step == Step.CLOSED.value,
        visits.c.filled_at > table.c.booked_at,
    )
    wanted = select(table).where(table.c.patient_id.in_(patient_ids), ~done).order_by(table.c.id)
    return {row["patient_id"]: row["due_on"] for row in connection.execute(wanted).mappings()}


def _visits(connection: Connection, wanted: Select[Any]) -> list[RefillVisit]:
    rows = connection.execute(wanted).mappings().all()
    answers: dict[str, list[Row]] = defaultdict(list)
    table = tables.visit_answers
    of_these = select(table).where(table.c.visit_id.in_([row["id"] for row in rows])).order_by(table.c.place)
    for row in connection.execute(of_these).mappings():
        answers[row["visit_id"]].append(row)
    keys = [row[name] for row in rows for name in ("read_settings_id", "proposed_settings_id") if row[name]]
    by_id = load_settings(connection, keys)
    return with_details(connection, [visit_of(row, answers[row["id"]], by_id) for row in rows])


def _one(connection: Connection, table: Table, key: str, *, column: str = "id") -> Row:
    row = connection.execute(select(table).where(table.c[column] == key)).mappings().first()
    if row is None:
        raise NotOnRecordError(kind=table.name, id=key)
    return row


def _columns(value: Any) -> dict[str, Any]:
    """The fields of a value by name, themselves unchanged."""
    return {part.name: getattr(value, part.name) for part in fields(value)}


def _keep_row(connection: Connection, table: Table, values: dict[str, Any], *, key: str = "id") -> None:
    """Write a row, or bring the one with its key up to date."""
    same = table.c[key] == values[key]
    if connection.execute(update(table).where(same).values(**values)).rowcount == 0:
        connection.execute(insert(table).values(**values))


def _keep_visit(connection: Connection, visit: RefillVisit) -> None:
    _keep_row(connection, tables.refill_visits, visit_columns(connection, visit))
    table = tables.visit_answers
    connection.execute(delete(table).where(table.c.visit_id == visit.id))
    rows = [{"visit_id": visit.id, "place": place, **_columns(answer)} for place, answer in enumerate(visit.answers)]
    if rows:
        connection.execute(insert(table), rows)
    keep_details(connection, visit)


def _keep_program(connection: Connection, program: ProgramRecord) -> None:
    values = {
        "id": program.id,
        "implant_id": program.implant_id,
        "visit_id": program.visit_id,
        "state": program.state.value,
        "settings_id": keep_settings(connection, program.settings),
        "effective_at": program.effective_at,
        "recorded_at": program.recorded_at,
        "recorded_by": program.recorded_by,
    }
    _keep_row(connection, tables.programs, values)


def _keep_intent(connection: Connection, intent: Intent) -> None:
    values = _columns(intent) | {"outcome": intent.outcome.value if intent.outcome else None}
    _keep_row(connection, tables.intents, values, key="txn")


def _keep_guard(connection: Connection, guard: StoppedGuard | None = None, *, lifted: str | None = None) -> None:
    """Note that a pump may stand still, or take that back for the pump of that serial."""
    if guard is not None:
        _keep_row(connection, tables.stopped_guards, _columns(guard), key="serial")
    if lifted is not None:
        connection.execute(delete(tables.stopped_guards).where(tables.stopped_guards.c.serial == lifted))


def _book(connection: Connection, patient_id: str, day: date, at: datetime) -> None:
    connection.execute(insert(tables.appointments).values(patient_id=patient_id, due_on=day, booked_at=at))


def _add_patient(connection: Connection, patient: Patient) -> None:
    values = _columns(patient) | {
        "origin": patient.origin.value if patient.origin else None,
        "high_risk": int(patient.high_risk),
    }
    connection.execute(insert(tables.patients).values(**values))
    for key in _keys_of(patient):
        connection.execute(insert(tables.search_keys).values(folded=key, patient_id=patient.id))


def _keys_of(patient: Patient) -> set[str]:
    """What the patient is found by: the number, and the name from each of its words on, either name first."""
    keys = {fold(patient.number)}
    for name in (f"{patient.family_name} {patient.given_name}", f"{patient.given_name} {patient.family_name}"):
        words = fold(name).replace("-", " ").split()
        keys |= {" ".join(words[place:]) for place in range(len(words))}
    return keys


def _add_assessment(connection: Connection, assessment: Assessment) -> None:
    connection.execute(
        insert(tables.assessments).values(
            id=assessment.id,
            patient_id=assessment.patient_id,
            rated_on=assessment.on,
            scale=assessment.scale,
            note=assessment.note,
        )
    )
    for place, value in enumerate(assessment.values):
        hundredths = int(value * 100)
        connection.execute(
            insert(tables.assessment_values).values(assessment_id=assessment.id, place=place, hundredths=hundredths)
        )
