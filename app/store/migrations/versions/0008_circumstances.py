"""Why an interruption would be worse for a patient, and planned absences."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "patient_risks",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.Text(), nullable=False),
        sa.Column("noted_by", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "reason IN ('spinal-cord-injury-t6', 'communication', 'earlier-withdrawal', 'withdrawal-before-alarm', 'other')",
            name=op.f("ck_patient_risks_reason"),
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_patient_risks_ended")),
        sa.ForeignKeyConstraint(["ended_by"], ["users.id"], name=op.f("fk_patient_risks_ended_by")),
        sa.ForeignKeyConstraint(["noted_by"], ["users.id"], name=op.f("fk_patient_risks_noted_by")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_patient_risks_patient_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_patient_risks")),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_patient_risks_standing", "patient_risks", ["patient_id", "reason"], unique=True, sqlite_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "absences",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("first_on", sa.Text(), nullable=False),
        sa.Column("last_on", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.Text(), nullable=False),
        sa.Column("noted_by", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint("last_on >= first_on", name=op.f("ck_absences_days")),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_absences_ended")),
        sa.ForeignKeyConstraint(["ended_by"], ["users.id"], name=op.f("fk_absences_ended_by")),
        sa.ForeignKeyConstraint(["noted_by"], ["users.id"], name=op.f("fk_absences_noted_by")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_absences_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_absences_patient_id"), "absences", ["patient_id"])
