"""Months of monthly passes, paid online.

Revision ID: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cloud.db import big_id

revision = "0018"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pass_price",
        sa.Column("lot_id", big_id(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("month_fen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.lot_id"], name=op.f("fk_pass_price_lot_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_pass_price_operator_id")),
        sa.PrimaryKeyConstraint("lot_id", name=op.f("pk_pass_price")),
    )
    op.create_table(
        "pass_month",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("entitlement_id", big_id(), nullable=False),
        sa.Column("lot_id", big_id(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("done_ms", sa.BigInteger(), nullable=True),
        sa.Column("undone_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_pass_month_operator_id")),
        sa.ForeignKeyConstraint(
            ["entitlement_id"], ["entitlement.entitlement_id"], name=op.f("fk_pass_month_entitlement_id")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.lot_id"], name=op.f("fk_pass_month_lot_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_pass_month")),
    )
    op.create_index("ix_pass_month_entitlement_id", "pass_month", ["entitlement_id"])
