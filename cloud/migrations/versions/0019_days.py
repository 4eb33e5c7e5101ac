"""Days of lots laid side by side.

Revision ID: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cloud.db import big_id

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lot_day",
        sa.Column("lot_id", big_id(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("sums", sa.Text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.lot_id"], name=op.f("fk_lot_day_lot_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_lot_day_operator_id")),
        sa.PrimaryKeyConstraint("lot_id", "day", name=op.f("pk_lot_day")),
    )
    op.create_table(
        "day_difference",
        sa.Column("difference_id", big_id(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("lot_id", big_id(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("here", sa.BigInteger(), nullable=False),
        sa.Column("there", sa.BigInteger(), nullable=False),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_day_difference_operator_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.lot_id"], name=op.f("fk_day_difference_lot_id")),
        sa.PrimaryKeyConstraint("difference_id", name=op.f("pk_day_difference")),
        sa.UniqueConstraint("lot_id", "day", "kind", "subject", name=op.f("uq_day_difference_lot_id_day_kind_subject")),
    )
    op.create_index("ix_day_difference_closed_ms", "day_difference", ["operator_id", "closed_ms"])
    op.create_index("ix_payment_lot_id_taken_ms", "payment", ["lot_id", "taken_ms"])
    op.create_index("ix_debt_stay_id", "debt", ["stay_id"])
    op.create_index("ix_debt_move_payment_id", "debt_move", ["payment_id"])
    op.create_index("ix_redemption_lot_id_redeemed_ms", "redemption", ["lot_id", "redeemed_ms"])
    op.create_index("ix_phone_fee_lot_id_paid_ms", "phone_fee", ["lot_id", "paid_ms"])
