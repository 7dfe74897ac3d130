"""The tables: what the clinic keeps, and what the database itself refuses.

Law: all tables are STRICT, every quantity is a whole number of the unit in its column's type, and the audit trail
can only grow. Rows never leave this package.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from app.store.columns import (
    ConcentrationFgPerMl,
    Day,
    DoseRateFgPerDay,
    FlowPlPerDay,
    LengthUm,
    MassFg,
    PumpTime,
    Utc,
    VolumePl,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[str]:
    return Column("id", Text, primary_key=True, nullable=False)


def _to(table: str, *, key: str = "id", nullable: bool = False, primary_key: bool = False) -> Column[str]:
    """A reference to a row of another table."""
    name = f"{table.removesuffix('s')}_id"
    return Column(name, Text, ForeignKey(f"{table}.{key}"), nullable=nullable, primary_key=primary_key)


def _one_of(column: str, *words: str) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _flag(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


users = Table(
    "users", METADATA,
    _id(),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    _one_of("role", "nurse", "physician"),
    sqlite_strict=True,
)  # fmt: skip

patients = Table(
    "patients", METADATA,
    _id(),
    Column("number", Text, nullable=False, unique=True),
    Column("family_name", Text, nullable=False),
    Column("given_name", Text, nullable=False),
    Column("born_on", Day, nullable=False),
    Column("diagnosis", Text, nullable=False),
    Column("origin", Text),
    _flag("high_risk"),
    _one_of("origin", "spinal", "cerebral"),
    CheckConstraint("high_risk IN (0, 1)", name="high_risk"),
    sqlite_strict=True,
)  # fmt: skip

search_keys = Table(
    "search_keys", METADATA,
    Column("folded", Text, primary_key=True, nullable=False),
    _to("patients", primary_key=True),
    sqlite_strict=True,
)  # fmt: skip

implants = Table(
    "implants", METADATA,
    _id(),
    _to("patients"),
    Column("pump_model", Text, nullable=False),
    Column("serial", Text, nullable=False, unique=True),
    Column("implanted_on", Day, nullable=False),
    Column("flow", FlowPlPerDay),
    Column("explanted_on", Day),
    Index(None, "patient_id"),
    sqlite_strict=True,
)  # fmt: skip

catheter_pieces = Table(
    "catheter_pieces", METADATA,
    _to("implants", primary_key=True),
    Column("place", Integer, primary_key=True, nullable=False),
    Column("model", Text, nullable=False),
    Column("trimmed", LengthUm),
    sqlite_strict=True,
)  # fmt: skip

settings = Table(
    "settings", METADATA,
    _id(),
    Column("drug", Text, nullable=False),
    Column("concentration", ConcentrationFgPerMl, nullable=False),
    Column("low_alarm", VolumePl, nullable=False),
    Column("reservoir", VolumePl),
    Column("bridge_volume", VolumePl),
    Column("bridge_min", Integer),
    Column("mode", Text, nullable=False),
    Column("daily_dose", DoseRateFgPerDay),
    Column("basal", DoseRateFgPerDay),
    Column("bolus_dose", MassFg),
    Column("bolus_min", Integer),
    Column("every_min", Integer),
    Column("first_at", Integer),
    Column("flow", FlowPlPerDay),
    Column("patient_dose", MassFg),
    Column("patient_min", Integer),
    Column("lockout_min", Integer),
    Column("max_per_day", Integer),
    _one_of("mode", "simple", "flex", "periodic", "minimum-rate", "stopped", "constant-flow"),
    sqlite_strict=True,
)  # fmt: skip

plans = Table(
    "plans", METADATA,
    Column("settings_id", Text, ForeignKey("settings.id"), primary_key=True, nullable=False),
    Column("place", Integer, primary_key=True, nullable=False),
    Column("days", Integer, nullable=False),
    Column("basal", DoseRateFgPerDay, nullable=False),
    CheckConstraint("days BETWEEN 1 AND 127", name="days"),
    sqlite_strict=True,
)  # fmt: skip

changes = Table(
    "changes", METADATA,
    Column("settings_id", Text, ForeignKey("settings.id"), primary_key=True, nullable=False),
    Column("plan", Integer, primary_key=True, nullable=False),
    Column("kind", Text, primary_key=True, nullable=False),
    Column("place", Integer, primary_key=True, nullable=False),
    Column("at_min", Integer, nullable=False),
    Column("duration_min", Integer, nullable=False),
    Column("dose", MassFg, nullable=False),
    _one_of("kind", "bolus", "step"),
    CheckConstraint("at_min BETWEEN 0 AND 1439", name="at_min"),
    sqlite_strict=True,
)  # fmt: skip

refill_visits = Table(
    "refill_visits", METADATA,
    _id(),
    _to("patients"),
    _to("implants"),
    Column("opened_at", Utc, nullable=False),
    Column("opened_by", Text, ForeignKey("users.id"), nullable=False),
    Column("changed_at", Utc, nullable=False),
    _flag("telemetry"),
    Column("step", Text, nullable=False),
    Column("read_at", Utc),
    Column("read_pump_clock", PumpTime),
    Column("read_serial", Text),
    Column("read_model", Text),
    Column("read_revision", Integer),
    Column("read_digest", Text),
    Column("read_settings_id", Text, ForeignKey("settings.id")),
    Column("read_running", Integer),
    Column("read_reset", Integer),
    Column("read_reservoir", VolumePl),
    Column("read_alarms", Text),
    Column("read_emulated", Integer),
    Column("expected", VolumePl),
    Column("aspirated", VolumePl),
    Column("aspirated_at", Utc),
    Column("drug", Text),
    Column("concentration", ConcentrationFgPerMl),
    Column("lot", Text),
    Column("expires_on", Day),
    Column("second_reader", Text),
    Column("injected", VolumePl),
    Column("filled_at", Utc),
    Column("proposed_settings_id", Text, ForeignKey("settings.id")),
    Column("program_id", Text),
    Column("txn", Text),
    Column("outcome", Text),
    Column("effective_at", PumpTime),
    Column("verified_at", Utc),
    Column("appointment_on", Day),
    Column("closed_at", Utc),
    _one_of(
        "step", "identify", "interrogate", "residual", "drug", "fill", "settings", "confirm", "programme", "report",
        "closed",
    ),
    _one_of("outcome", "verified", "not-applied", "not-known"),
    Index(None, "implant_id"),
    Index(None, "step"),
    sqlite_strict=True,
)  # fmt: skip

visit_answers = Table(
    "visit_answers", METADATA,
    Column("visit_id", Text, ForeignKey("refill_visits.id"), primary_key=True, nullable=False),
    Column("place", Integer, primary_key=True, nullable=False),
    Column("rule", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Utc, nullable=False),
    _to("users"),
    sqlite_strict=True,
)  # fmt: skip

visit_details = Table(
    "visit_details", METADATA,
    Column("visit_id", Text, ForeignKey("refill_visits.id"), primary_key=True, nullable=False),
    Column("place", Text, nullable=False),
    _flag("read_twice"),
    Column("found_after", VolumePl),
    Column("facts_at", Utc),
    Column("bridge_choice", Text),
    Column("bridge_reason", Text),
    Column("rinsed", VolumePl),
    Column("decided_at", Utc),
    Column("decided_by", Text, ForeignKey("users.id")),
    _one_of("place", "clinic", "ward", "home"),
    _one_of("bridge_choice", "bridge", "no-bridge"),
    CheckConstraint("bridge_choice IS NOT 'no-bridge' OR bridge_reason <> ''", name="bridge_reason"),
    sqlite_strict=True,
)  # fmt: skip

visit_ticks = Table(
    "visit_ticks", METADATA,
    Column("visit_id", Text, ForeignKey("refill_visits.id"), primary_key=True, nullable=False),
    Column("what", Text, primary_key=True, nullable=False),
    Column("at", Utc, nullable=False),
    _to("users"),
    sqlite_strict=True,
)  # fmt: skip

visit_vials = Table(
    "visit_vials", METADATA,
    Column("visit_id", Text, ForeignKey("refill_visits.id"), primary_key=True, nullable=False),
    Column("position", Integer, primary_key=True, nullable=False),
    Column("gtin", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("expires_on", Day, nullable=False),
    Column("serial", Text),
    sqlite_strict=True,
)  # fmt: skip

programs = Table(
    "programs", METADATA,
    _id(),
    _to("implants"),
    Column("visit_id", Text, ForeignKey("refill_visits.id")),
    Column("state", Text, nullable=False),
    Column("settings_id", Text, ForeignKey("settings.id"), nullable=False),
    Column("effective_at", PumpTime, nullable=False),
    Column("recorded_at", Utc, nullable=False),
    Column("recorded_by", Text, ForeignKey("users.id"), nullable=False),
    _one_of("state", "proposed", "sent", "verified", "not-applied", "not-known"),
    Index(None, "implant_id", "effective_at"),
    sqlite_strict=True,
)  # fmt: skip

fills = Table(
    "fills", METADATA,
    _id(),
    _to("implants"),
    Column("visit_id", Text, ForeignKey("refill_visits.id")),
    Column("at", PumpTime, nullable=False),
    Column("drug", Text, nullable=False),
    Column("concentration", ConcentrationFgPerMl, nullable=False),
    Column("volume", VolumePl, nullable=False),
    Column("injected", VolumePl, nullable=False),
    Column("lot", Text, nullable=False),
    Column("expires_on", Day),
    Column("recorded_by", Text, ForeignKey("users.id"), nullable=False),
    Index(None, "implant_id", "at"),
    sqlite_strict=True,
)  # fmt: skip

intents = Table(
    "intents", METADATA,
    Column("txn", Text, primary_key=True, nullable=False),
    Column("visit_id", Text, ForeignKey("refill_visits.id"), nullable=False),
    Column("program_id", Text, ForeignKey("programs.id"), nullable=False),
    Column("serial", Text, nullable=False),
    Column("base_revision", Integer, nullable=False),
    Column("base_digest", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("written_at", Utc, nullable=False),
    Column("written_by", Text, ForeignKey("users.id"), nullable=False),
    Column("outcome", Text),
    Column("resolved_at", Utc),
    _one_of("outcome", "verified", "not-applied", "not-known"),
    sqlite_strict=True,
)  # fmt: skip

pump_orders = Table(
    "pump_orders", METADATA,
    Column("txn", Text, primary_key=True, nullable=False),
    _to("implants"),
    Column("serial", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("settings_id", Text, ForeignKey("settings.id")),
    Column("volume", VolumePl),
    Column("duration_min", Integer),
    Column("seconds", Integer),
    Column("alarms", Text),
    Column("base_revision", Integer, nullable=False),
    Column("base_digest", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("written_at", Utc, nullable=False),
    Column("written_by", Text, ForeignKey("users.id"), nullable=False),
    Column("sent_at", Utc),
    Column("outcome", Text),
    Column("resolved_at", Utc),
    _one_of("what", "settings", "single", "priming", "stop", "resume", "step-clock", "silence"),
    _one_of("outcome", "verified", "not-applied", "not-known"),
    Index(None, "implant_id", "written_at"),
    sqlite_strict=True,
)  # fmt: skip

program_drafts = Table(
    "program_drafts", METADATA,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    _to("implants"),
    Column("name", Text, nullable=False),
    Column("settings_id", Text, ForeignKey("settings.id"), nullable=False),
    Column("changed_at", Utc, nullable=False),
    Column("changed_by", Text, ForeignKey("users.id"), nullable=False),
    Index(None, "implant_id"),
    sqlite_strict=True,
)  # fmt: skip

signed_orders = Table(
    "signed_orders", METADATA,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    _to("implants"),
    Column("draft_id", Text, ForeignKey("program_drafts.id"), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("settings_id", Text, ForeignKey("settings.id"), nullable=False),
    Column("range_percent", Integer, nullable=False),
    Column("valid_until", Day, nullable=False),
    Column("signed_by", Text, ForeignKey("users.id"), nullable=False),
    Column("signed_at", Utc, nullable=False),
    Column("digest", Text, nullable=False),
    CheckConstraint("range_percent BETWEEN 0 AND 99", name="range_percent"),
    Index(None, "implant_id"),
    sqlite_strict=True,
)  # fmt: skip

signed_findings = Table(
    "signed_findings", METADATA,
    Column("order_id", Text, ForeignKey("signed_orders.id"), primary_key=True, nullable=False),
    Column("place", Integer, primary_key=True, nullable=False),
    Column("rule", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("answer", Text, nullable=False),
    _one_of("severity", "confirm", "task", "note"),
    sqlite_strict=True,
)  # fmt: skip

withdrawn_orders = Table(
    "withdrawn_orders", METADATA,
    Column("order_id", Text, ForeignKey("signed_orders.id"), primary_key=True, nullable=False),
    Column("at", Utc, nullable=False),
    Column("by", Text, ForeignKey("users.id"), nullable=False),
    sqlite_strict=True,
)  # fmt: skip

clinic_presets = Table(
    "clinic_presets", METADATA,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("settings_id", Text, ForeignKey("settings.id"), nullable=False),
    Column("kept_at", Utc, nullable=False),
    Column("kept_by", Text, ForeignKey("users.id"), nullable=False),
    sqlite_strict=True,
)  # fmt: skip

retired_presets = Table(
    "retired_presets", METADATA,
    Column("preset_id", Text, ForeignKey("clinic_presets.id"), primary_key=True, nullable=False),
    Column("at", Utc, nullable=False),
    Column("by", Text, ForeignKey("users.id"), nullable=False),
    sqlite_strict=True,
)  # fmt: skip

patient_day_parts = Table(
    "patient_day_parts", METADATA,
    _to("patients", primary_key=True),
    Column("place", Integer, primary_key=True, nullable=False),
    Column("name", Text, nullable=False),
    Column("start_min", Integer, nullable=False),
    Column("duration_min", Integer, nullable=False),
    CheckConstraint("start_min BETWEEN 0 AND 1439", name="start_min"),
    CheckConstraint("duration_min BETWEEN 1 AND 1439", name="duration_min"),
    sqlite_strict=True,
)  # fmt: skip

second_checks = Table(
    "second_checks", METADATA,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("visit_id", Text, ForeignKey("refill_visits.id"), nullable=False),
    Column("digest", Text, nullable=False),
    Column("injected", VolumePl, nullable=False),
    Column("first_id", Text, ForeignKey("users.id"), nullable=False),
    Column("second_id", Text, ForeignKey("users.id")),
    Column("reason", Text, nullable=False),
    Column("at", Utc, nullable=False),
    Column("valid_until", Utc, nullable=False),
    CheckConstraint("length(digest) = 64", name="digest"),
    CheckConstraint("second_id <> first_id", name="people"),
    CheckConstraint("(second_id IS NULL) = (reason <> '')", name="reason"),
    Index(None, "visit_id"),
    sqlite_strict=True,
)  # fmt: skip

second_check_attempts = Table(
    "second_check_attempts", METADATA,
    Column("seq", Integer, primary_key=True),
    Column("visit_id", Text, ForeignKey("refill_visits.id"), nullable=False),
    Column("proposal", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("injected", VolumePl, nullable=False),
    Column("first_id", Text, ForeignKey("users.id"), nullable=False),
    Column("second_id", Text, ForeignKey("users.id"), nullable=False),
    Column("at", Utc, nullable=False),
    Column("differing", Text, nullable=False),
    CheckConstraint("second_id <> first_id", name="people"),
    Index(None, "visit_id"),
    sqlite_strict=True,
)  # fmt: skip

tasks = Table(
    "tasks", METADATA,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    _to("patients"),
    _to("implants", nullable=True),
    Column("rule", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("due_on", Day, nullable=False),
    Column("made_at", Utc, nullable=False),
    Column("made_by", Text, ForeignKey("users.id"), nullable=False),
    Column("visit_id", Text, ForeignKey("refill_visits.id")),
    Index(None, "patient_id"),
    sqlite_strict=True,
)  # fmt: skip

task_ends = Table(
    "task_ends", METADATA,
    _to("tasks", primary_key=True),
    Column("at", Utc, nullable=False),
    Column("by", Text, ForeignKey("users.id"), nullable=False),
    Column("note", Text, nullable=False),
    sqlite_strict=True,
)  # fmt: skip

stopped_guards = Table(
    "stopped_guards", METADATA,
    Column("serial", Text, primary_key=True, nullable=False),
    Column("txn", Text, nullable=False),
    Column("since", Utc, nullable=False),
    sqlite_strict=True,
)  # fmt: skip

pump_events = Table(
    "pump_events", METADATA,
    _to("implants", primary_key=True),
    Column("number", Integer, primary_key=True, nullable=False),
    Column("at", PumpTime, nullable=False),
    Column("code", Integer, nullable=False),
    Column("value", Integer, nullable=False),
    sqlite_strict=True,
)  # fmt: skip

pump_readings = Table(
    "pump_readings", METADATA,
    Column("seq", Integer, primary_key=True),
    _to("implants"),
    Column("visit_id", Text, ForeignKey("refill_visits.id")),
    Column("read_at", Utc, nullable=False),
    Column("pump_clock", PumpTime, nullable=False),
    Column("revision", Integer, nullable=False),
    _flag("running"),
    _flag("reset"),
    Column("alarms", Text, nullable=False),
    Column("eri_on", PumpTime),
    Column("last_event", Integer, nullable=False),
    UniqueConstraint("implant_id", "read_at"),
    sqlite_strict=True,
)  # fmt: skip

event_resolutions = Table(
    "event_resolutions", METADATA,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    _to("implants"),
    Column("visit_id", Text, ForeignKey("refill_visits.id")),
    Column("card_key", Text, nullable=False),
    Column("event_number", Integer, nullable=False),
    Column("way", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Utc, nullable=False),
    Column("by", Text, ForeignKey("users.id"), nullable=False),
    Column("second_id", Text, ForeignKey("users.id")),
    _one_of("way", "physician", "confirm", "acknowledge"),
    CheckConstraint("second_id <> by", name="people"),
    CheckConstraint("way = 'acknowledge' OR reason <> ''", name="reason"),
    Index(None, "implant_id"),
    sqlite_strict=True,
)  # fmt: skip

therapy_events = Table(
    "therapy_events", METADATA,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    _to("implants"),
    Column("kind", Text, nullable=False),
    Column("at", Utc, nullable=False),
    Column("noted_at", Utc, nullable=False),
    Column("noted_by", Text, ForeignKey("users.id"), nullable=False),
    Column("about", Text, ForeignKey("therapy_events.id")),
    _one_of("kind", "mri-planned", "mri-done", "mri-cancelled", "system-revised"),
    Index(None, "implant_id"),
    sqlite_strict=True,
)  # fmt: skip

assessments = Table(
    "assessments", METADATA,
    _id(),
    _to("patients"),
    Column("rated_on", Day, nullable=False),
    Column("scale", Text, nullable=False),
    Column("note", Text, nullable=False),
    _one_of("scale", "MAS", "AS0_4", "AS1_5"),
    Index(None, "patient_id"),
    sqlite_strict=True,
)  # fmt: skip

assessment_values = Table(
    "assessment_values", METADATA,
    _to("assessments", primary_key=True),
    Column("place", Integer, primary_key=True, nullable=False),
    Column("hundredths", Integer, nullable=False),
    sqlite_strict=True,
)  # fmt: skip

appointments = Table(
    "appointments", METADATA,
    Column("id", Integer, primary_key=True),
    _to("patients"),
    Column("due_on", Day, nullable=False),
    Column("booked_at", Utc, nullable=False),
    Index(None, "patient_id"),
    sqlite_strict=True,
)  # fmt: skip

patient_risks = Table(
    "patient_risks", METADATA,
    Column("seq", Integer, primary_key=True),
    _to("patients"),
    Column("reason", Text, nullable=False),
    Column("noted_at", Utc, nullable=False),
    Column("noted_by", Text, ForeignKey("users.id"), nullable=False),
    Column("ended_at", Utc),
    Column("ended_by", Text, ForeignKey("users.id")),
    _one_of(
        "reason", "spinal-cord-injury-t6", "communication", "earlier-withdrawal", "withdrawal-before-alarm", "other",
    ),
    CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
    Index("ix_patient_risks_standing", "patient_id", "reason", unique=True, sqlite_where=text("ended_at IS NULL")),
    sqlite_strict=True,
)  # fmt: skip

absences = Table(
    "absences", METADATA,
    _id(),
    _to("patients"),
    Column("first_on", Day, nullable=False),
    Column("last_on", Day, nullable=False),
    Column("noted_at", Utc, nullable=False),
    Column("noted_by", Text, ForeignKey("users.id"), nullable=False),
    Column("ended_at", Utc),
    Column("ended_by", Text, ForeignKey("users.id")),
    CheckConstraint("last_on >= first_on", name="days"),
    CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
    Index(None, "patient_id"),
    sqlite_strict=True,
)  # fmt: skip

audit = Table(
    "audit", METADATA,
    Column("seq", Integer, primary_key=True),
    Column("at", Utc, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    UniqueConstraint("hash"),
    sqlite_strict=True,
)  # fmt: skip

_ONLY_GROWS = (
    "pump_readings",
    "event_resolutions",
    "therapy_events",
    "audit",
    "program_drafts",
    "signed_orders",
    "signed_findings",
    "withdrawn_orders",
    "clinic_presets",
    "retired_presets",
    "second_checks",
    "second_check_attempts",
    "tasks",
    "task_ends",
)


def make_triggers(connection: Connection) -> None:
    """Make sure that what may only grow cannot be changed or deleted; safe to call again."""
    for table in _ONLY_GROWS:
        for verb in ("UPDATE", "DELETE"):
            name = f"{table}_refuses_{verb.lower()}"
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
            connection.exec_driver_sql(
                f"CREATE TRIGGER {name} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} can only grow'); END"
            )
