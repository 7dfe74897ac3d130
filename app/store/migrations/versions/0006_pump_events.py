"""Readings of pumps, what was said about their events, and scans."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "pump_readings",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("implant_id", sa.Text(), nullable=False),
        sa.Column("visit_id", sa.Text(), nullable=True),
        sa.Column("read_at", sa.Text(), nullable=False),
        sa.Column("pump_clock", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("running", sa.Integer(), nullable=False),
        sa.Column("reset", sa.Integer(), nullable=False),
        sa.Column("alarms", sa.Text(), nullable=False),
        sa.Column("eri_on", sa.Text(), nullable=True),
        sa.Column("last_event", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["implant_id"], ["implants.id"], name=op.f("fk_pump_readings_implant_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["refill_visits.id"], name=op.f("fk_pump_readings_visit_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_pump_readings")),
        sa.UniqueConstraint("implant_id", "read_at", name=op.f("uq_pump_readings_implant_id")),
        sqlite_strict=True,
    )
    op.create_table(
        "event_resolutions",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("implant_id", sa.Text(), nullable=False),
        sa.Column("visit_id", sa.Text(), nullable=True),
        sa.Column("card_key", sa.Text(), nullable=False),
        sa.Column("event_number", sa.Integer(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("second_id", sa.Text(), nullable=True),
        sa.CheckConstraint("second_id <> by", name=op.f("ck_event_resolutions_people")),
        sa.CheckConstraint("way = 'acknowledge' OR reason <> ''", name=op.f("ck_event_resolutions_reason")),
        sa.CheckConstraint("way IN ('physician', 'confirm', 'acknowledge')", name=op.f("ck_event_resolutions_way")),
        sa.ForeignKeyConstraint(["by"], ["users.id"], name=op.f("fk_event_resolutions_by")),
        sa.ForeignKeyConstraint(["implant_id"], ["implants.id"], name=op.f("fk_event_resolutions_implant_id")),
        sa.ForeignKeyConstraint(["second_id"], ["users.id"], name=op.f("fk_event_resolutions_second_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["refill_visits.id"], name=op.f("fk_event_resolutions_visit_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_event_resolutions")),
        sa.UniqueConstraint("id", name=op.f("uq_event_resolutions_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_event_resolutions_implant_id"), "event_resolutions", ["implant_id"])
    op.create_table(
        "therapy_events",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("implant_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.Text(), nullable=False),
        sa.Column("noted_by", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('mri-planned', 'mri-done', 'mri-cancelled', 'system-revised')",
            name=op.f("ck_therapy_events_kind"),
        ),
        sa.ForeignKeyConstraint(["about"], ["therapy_events.id"], name=op.f("fk_therapy_events_about")),
        sa.ForeignKeyConstraint(["implant_id"], ["implants.id"], name=op.f("fk_therapy_events_implant_id")),
        sa.ForeignKeyConstraint(["noted_by"], ["users.id"], name=op.f("fk_therapy_events_noted_by")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_therapy_events")),
        sa.UniqueConstraint("id", name=op.f("uq_therapy_events_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_therapy_events_implant_id"), "therapy_events", ["implant_id"])
