"""Orders that stand on their own, and pumps that may stand still."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "pump_orders",
        sa.Column("txn", sa.Text(), nullable=False),
        sa.Column("implant_id", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("settings_id", sa.Text(), nullable=True),
        sa.Column("volume", sa.Integer(), nullable=True),
        sa.Column("duration_min", sa.Integer(), nullable=True),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("alarms", sa.Text(), nullable=True),
        sa.Column("base_revision", sa.Integer(), nullable=False),
        sa.Column("base_digest", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("written_at", sa.Text(), nullable=False),
        sa.Column("written_by", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("resolved_at", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "what IN ('settings', 'single', 'priming', 'stop', 'resume', 'step-clock', 'silence')",
            name=op.f("ck_pump_orders_what"),
        ),
        sa.CheckConstraint("outcome IN ('verified', 'not-applied', 'not-known')", name=op.f("ck_pump_orders_outcome")),
        sa.ForeignKeyConstraint(["implant_id"], ["implants.id"], name=op.f("fk_pump_orders_implant_id")),
        sa.ForeignKeyConstraint(["settings_id"], ["settings.id"], name=op.f("fk_pump_orders_settings_id")),
        sa.ForeignKeyConstraint(["written_by"], ["users.id"], name=op.f("fk_pump_orders_written_by")),
        sa.PrimaryKeyConstraint("txn", name=op.f("pk_pump_orders")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_pump_orders_implant_id"), "pump_orders", ["implant_id", "written_at"])
    op.create_table(
        "stopped_guards",
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("txn", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_stopped_guards")),
        sqlite_strict=True,
    )
