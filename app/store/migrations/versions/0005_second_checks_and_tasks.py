"""Checks by a second person, and tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "second_checks",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("visit_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("injected", sa.Integer(), nullable=False),
        sa.Column("first_id", sa.Text(), nullable=False),
        sa.Column("second_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.Text(), nullable=False),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_second_checks_digest")),
        sa.CheckConstraint("second_id <> first_id", name=op.f("ck_second_checks_people")),
        sa.CheckConstraint("(second_id IS NULL) = (reason <> '')", name=op.f("ck_second_checks_reason")),
        sa.ForeignKeyConstraint(["first_id"], ["users.id"], name=op.f("fk_second_checks_first_id")),
        sa.ForeignKeyConstraint(["second_id"], ["users.id"], name=op.f("fk_second_checks_second_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["refill_visits.id"], name=op.f("fk_second_checks_visit_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_second_checks")),
        sa.UniqueConstraint("id", name=op.f("uq_second_checks_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_second_checks_visit_id"), "second_checks", ["visit_id"])
    op.create_table(
        "second_check_attempts",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Text(), nullable=False),
        sa.Column("proposal", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("injected", sa.Integer(), nullable=False),
        sa.Column("first_id", sa.Text(), nullable=False),
        sa.Column("second_id", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("differing", sa.Text(), nullable=False),
        sa.CheckConstraint("second_id <> first_id", name=op.f("ck_second_check_attempts_people")),
        sa.ForeignKeyConstraint(["first_id"], ["users.id"], name=op.f("fk_second_check_attempts_first_id")),
        sa.ForeignKeyConstraint(["second_id"], ["users.id"], name=op.f("fk_second_check_attempts_second_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["refill_visits.id"], name=op.f("fk_second_check_attempts_visit_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_second_check_attempts")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_second_check_attempts_visit_id"), "second_check_attempts", ["visit_id"])
    op.create_table(
        "tasks",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("implant_id", sa.Text(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("visit_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["implant_id"], ["implants.id"], name=op.f("fk_tasks_implant_id")),
        sa.ForeignKeyConstraint(["made_by"], ["users.id"], name=op.f("fk_tasks_made_by")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_tasks_patient_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["refill_visits.id"], name=op.f("fk_tasks_visit_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_tasks")),
        sa.UniqueConstraint("id", name=op.f("uq_tasks_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_tasks_patient_id"), "tasks", ["patient_id"])
    op.create_table(
        "task_ends",
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["users.id"], name=op.f("fk_task_ends_by")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_ends_task_id")),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_task_ends")),
        sqlite_strict=True,
    )
