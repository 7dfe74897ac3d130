"""Drafts of programs, and orders that a physician has signed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "program_drafts",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("implant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("settings_id", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["changed_by"], ["users.id"], name=op.f("fk_program_drafts_changed_by")),
        sa.ForeignKeyConstraint(["implant_id"], ["implants.id"], name=op.f("fk_program_drafts_implant_id")),
        sa.ForeignKeyConstraint(["settings_id"], ["settings.id"], name=op.f("fk_program_drafts_settings_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_program_drafts")),
        sa.UniqueConstraint("id", name=op.f("uq_program_drafts_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_program_drafts_implant_id"), "program_drafts", ["implant_id"])
    op.create_table(
        "signed_orders",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("implant_id", sa.Text(), nullable=False),
        sa.Column("draft_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("settings_id", sa.Text(), nullable=False),
        sa.Column("range_percent", sa.Integer(), nullable=False),
        sa.Column("valid_until", sa.Text(), nullable=False),
        sa.Column("signed_by", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.CheckConstraint("range_percent BETWEEN 0 AND 99", name=op.f("ck_signed_orders_range_percent")),
        sa.ForeignKeyConstraint(["draft_id"], ["program_drafts.id"], name=op.f("fk_signed_orders_draft_id")),
        sa.ForeignKeyConstraint(["implant_id"], ["implants.id"], name=op.f("fk_signed_orders_implant_id")),
        sa.ForeignKeyConstraint(["settings_id"], ["settings.id"], name=op.f("fk_signed_orders_settings_id")),
        sa.ForeignKeyConstraint(["signed_by"], ["users.id"], name=op.f("fk_signed_orders_signed_by")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_signed_orders")),
        sa.UniqueConstraint("draft_id", name=op.f("uq_signed_orders_draft_id")),
        sa.UniqueConstraint("id", name=op.f("uq_signed_orders_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_signed_orders_implant_id"), "signed_orders", ["implant_id"])
    op.create_table(
        "signed_findings",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.CheckConstraint("severity IN ('confirm', 'task', 'note')", name=op.f("ck_signed_findings_severity")),
        sa.ForeignKeyConstraint(["order_id"], ["signed_orders.id"], name=op.f("fk_signed_findings_order_id")),
        sa.PrimaryKeyConstraint("order_id", "place", name=op.f("pk_signed_findings")),
        sqlite_strict=True,
    )
    op.create_table(
        "withdrawn_orders",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["users.id"], name=op.f("fk_withdrawn_orders_by")),
        sa.ForeignKeyConstraint(["order_id"], ["signed_orders.id"], name=op.f("fk_withdrawn_orders_order_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_withdrawn_orders")),
        sqlite_strict=True,
    )
