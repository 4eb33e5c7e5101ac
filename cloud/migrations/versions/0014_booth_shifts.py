"""Shifts of the booths, and who may sign in there by a PIN set here.

Revision ID: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0009"
branch_labels = None
depends_on = None

NUMBERS = (
    "cars", "payments", "openings", "fee_fen", "coupon_fen", "waived_fen", "owed_fen", "debts_fen", "cash_fen",
    "electronic_fen", "refund_fen", "float_fen", "drop_fen", "expected_fen", "counted_fen",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "booth_shift",
        sa.Column("shift_id", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("edge_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("workstation", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.Column("takes_over", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in NUMBERS),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("log_seq", sa.BigInteger(), nullable=False),
        sa.Column("log_head", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("shift_id", name=op.f("pk_booth_shift")),
    )
    op.create_index("ix_booth_shift_operator_id_opened_ms", "booth_shift", ["operator_id", "opened_ms"], unique=False)
    op.create_table(
        "booth_person",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("pin", sa.LargeBinary(), nullable=False),
        sa.Column("set_ms", sa.BigInteger(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_booth_person")),
    )
    op.create_index("ix_booth_person_operator_id_name", "booth_person", ["operator_id", "name"], unique=False)
    op.create_table(
        "booth_key",
        sa.Column("edge_id", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("edge_id", name=op.f("pk_booth_key")),
    )
