"""What belongs to a visit beside its row: place, vials, what was ticked at the needle, and what was decided."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "visit_details",
        sa.Column("visit_id", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("read_twice", sa.Integer(), nullable=False),
        sa.Column("found_after", sa.Integer(), nullable=True),
        sa.Column("facts_at", sa.Text(), nullable=True),
        sa.Column("bridge_choice", sa.Text(), nullable=True),
        sa.Column("bridge_reason", sa.Text(), nullable=True),
        sa.Column("rinsed", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "bridge_choice IS NOT 'no-bridge' OR bridge_reason <> ''", name=op.f("ck_visit_details_bridge_reason")
        ),
        sa.CheckConstraint("bridge_choice IN ('bridge', 'no-bridge')", name=op.f("ck_visit_details_bridge_choice")),
        sa.CheckConstraint("place IN ('clinic', 'ward', 'home')", name=op.f("ck_visit_details_place")),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"], name=op.f("fk_visit_details_decided_by")),
        sa.ForeignKeyConstraint(["visit_id"], ["refill_visits.id"], name=op.f("fk_visit_details_visit_id")),
        sa.PrimaryKeyConstraint("visit_id", name=op.f("pk_visit_details")),
        sqlite_strict=True,
    )
    op.create_table(
        "visit_ticks",
        sa.Column("visit_id", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_visit_ticks_user_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["refill_visits.id"], name=op.f("fk_visit_ticks_visit_id")),
        sa.PrimaryKeyConstraint("visit_id", "what", name=op.f("pk_visit_ticks")),
        sqlite_strict=True,
    )
    op.create_table(
        "visit_vials",
        sa.Column("visit_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("gtin", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["visit_id"], ["refill_visits.id"], name=op.f("fk_visit_vials_visit_id")),
        sa.PrimaryKeyConstraint("visit_id", "position", name=op.f("pk_visit_vials")),
        sqlite_strict=True,
    )
