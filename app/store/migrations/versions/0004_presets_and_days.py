"""Presets that the clinic keeps, and the parts of patients' days."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "clinic_presets",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("settings_id", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.Text(), nullable=False),
        sa.Column("kept_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["kept_by"], ["users.id"], name=op.f("fk_clinic_presets_kept_by")),
        sa.ForeignKeyConstraint(["settings_id"], ["settings.id"], name=op.f("fk_clinic_presets_settings_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_clinic_presets")),
        sa.UniqueConstraint("id", name=op.f("uq_clinic_presets_id")),
        sqlite_strict=True,
    )
    op.create_table(
        "retired_presets",
        sa.Column("preset_id", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["users.id"], name=op.f("fk_retired_presets_by")),
        sa.ForeignKeyConstraint(["preset_id"], ["clinic_presets.id"], name=op.f("fk_retired_presets_preset_id")),
        sa.PrimaryKeyConstraint("preset_id", name=op.f("pk_retired_presets")),
        sqlite_strict=True,
    )
    op.create_table(
        "patient_day_parts",
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("start_min", sa.Integer(), nullable=False),
        sa.Column("duration_min", sa.Integer(), nullable=False),
        sa.CheckConstraint("start_min BETWEEN 0 AND 1439", name=op.f("ck_patient_day_parts_start_min")),
        sa.CheckConstraint("duration_min BETWEEN 1 AND 1439", name=op.f("ck_patient_day_parts_duration_min")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_patient_day_parts_patient_id")),
        sa.PrimaryKeyConstraint("patient_id", "place", name=op.f("pk_patient_day_parts")),
        sqlite_strict=True,
    )
