"""Contracts with a basis for each kind, monthly allotments, credit, statements.

Revision ID: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cloud.db import big_id

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FACE = sa.text("'FACE'")


def upgrade() -> None:
    for name in ("amount_basis", "duration_basis", "waiver_basis"):
        op.add_column("contract", sa.Column(name, sa.Text(), nullable=False, server_default=FACE))
    whole = {"fen_per_hour": 0, "waiver_percent": 100, "free_fen": 0, "free_min": 0}
    for name, value in whole.items():
        op.add_column("contract", sa.Column(name, sa.BigInteger(), nullable=False, server_default=str(value)))
    for name in ("credit_limit_min", "pay_within_days"):
        op.add_column("merchant", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("coupon", sa.Column("reserved_free", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("coupon", sa.Column("contract_version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("coupon", sa.Column("cap_fen", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE coupon SET cap_fen = reserved_bonus + reserved_paid WHERE kind = 'FULL_WAIVER'")
    op.add_column("coupon", sa.Column("charged", sa.BigInteger()))
    op.execute("UPDATE coupon SET charged = reserved_bonus + reserved_paid WHERE state = 'REDEEMED'")
    op.add_column("voucher", sa.Column("charged", sa.BigInteger()))
    op.execute("UPDATE voucher SET charged = reserved WHERE state = 'REDEEMED'")
    create_statements()


def create_statements() -> None:
    op.create_table(
        "statement",
        sa.Column("statement_id", big_id(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("merchant_id", big_id(), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("owed_fen", sa.BigInteger(), nullable=False),
        sa.Column("owed_min", sa.BigInteger(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("due_ms", sa.BigInteger()),
        sa.Column("paid_ms", sa.BigInteger()),
        sa.Column("paid_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_statement_operator_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.merchant_id"], name=op.f("fk_statement_merchant_id")),
        sa.PrimaryKeyConstraint("statement_id", name=op.f("pk_statement")),
        sa.UniqueConstraint("merchant_id", "from_ms", name=op.f("uq_statement_merchant_id_from_ms")),
    )
    op.create_table(
        "statement_line",
        sa.Column("statement_id", big_id(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("entry_id", big_id(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("face", sa.BigInteger(), nullable=False),
        sa.Column("reduced_fen", sa.BigInteger(), nullable=False),
        sa.Column("owed", sa.BigInteger(), nullable=False),
        sa.Column("commodity", sa.Text(), nullable=False),
        sa.Column("happened_ms", sa.BigInteger(), nullable=False),
        sa.Column("operator_word", sa.Text(), nullable=False),
        sa.Column("merchant_word", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["statement.statement_id"], name=op.f("fk_statement_line_statement_id")
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.entry_id"], name=op.f("fk_statement_line_entry_id")),
        sa.PrimaryKeyConstraint("statement_id", "line", name=op.f("pk_statement_line")),
        sa.UniqueConstraint("entry_id", "commodity", name=op.f("uq_statement_line_entry_id_commodity")),
    )
