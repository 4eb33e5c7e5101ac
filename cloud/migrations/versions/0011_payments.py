"""Payments: accounts, orders and tries, refunds, notices, bills, invoices.

Revision ID: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cloud.db import big_id

revision = "0011"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pay_account",
        sa.Column("account_id", big_id(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_pay_account_operator_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_pay_account")),
        sa.UniqueConstraint("operator_id", "name", name=op.f("uq_pay_account_operator_id_name")),
    )
    op.create_table(
        "pay_order",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=True),
        sa.Column("merchant_id", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("return_path", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("fulfilment", sa.Text(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("paid_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_pay_order_operator_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_pay_order")),
    )
    op.create_index("ix_pay_order_operator_id_created_ms", "pay_order", ["operator_id", "created_ms"], unique=False)
    op.create_index("ix_pay_order_state_expires_ms", "pay_order", ["state", "expires_ms"], unique=False)
    op.create_index("ix_pay_order_subject", "pay_order", ["subject"], unique=False)
    op.create_table(
        "pay_bill",
        sa.Column("account_id", big_id(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("refunded_fen", sa.BigInteger(), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("ours_paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("ours_refunded_fen", sa.BigInteger(), nullable=False),
        sa.Column("taken_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["pay_account.account_id"], name=op.f("fk_pay_bill_account_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_pay_bill_operator_id")),
        sa.PrimaryKeyConstraint("account_id", "day", name=op.f("pk_pay_bill")),
    )
    op.create_table(
        "pay_difference",
        sa.Column("difference_id", big_id(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("account_id", big_id(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("refund_id", sa.Text(), nullable=False),
        sa.Column("ours_fen", sa.BigInteger(), nullable=False),
        sa.Column("theirs_fen", sa.BigInteger(), nullable=False),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["pay_account.account_id"], name=op.f("fk_pay_difference_account_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_pay_difference_operator_id")),
        sa.PrimaryKeyConstraint("difference_id", name=op.f("pk_pay_difference")),
        sa.UniqueConstraint(
            "account_id",
            "day",
            "kind",
            "number",
            "refund_id",
            name=op.f("uq_pay_difference_account_id_day_kind_number_refund_id"),
        ),
    )
    op.create_table(
        "pay_invoice",
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("live", sa.Text(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("tax_number", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_ms", sa.BigInteger(), nullable=False),
        sa.Column("invoice_number", sa.Text(), nullable=False),
        sa.Column("reversal_number", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_ms", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_pay_invoice_operator_id")),
        sa.ForeignKeyConstraint(["order_id"], ["pay_order.order_id"], name=op.f("fk_pay_invoice_order_id")),
        sa.PrimaryKeyConstraint("invoice_id", name=op.f("pk_pay_invoice")),
        sa.UniqueConstraint("live", name=op.f("uq_pay_invoice_live")),
    )
    op.create_index("ix_pay_invoice_order_id", "pay_invoice", ["order_id"], unique=False)
    op.create_table(
        "pay_notice",
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("account_id", big_id(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("refund_id", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["pay_account.account_id"], name=op.f("fk_pay_notice_account_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_pay_notice_operator_id")),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_pay_notice")),
    )
    op.create_index("ix_pay_notice_number", "pay_notice", ["number"], unique=False)
    op.create_table(
        "pay_try",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("account_id", big_id(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("prepared", sa.Text(), nullable=False),
        sa.Column("provider_number", sa.Text(), nullable=False),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("ask_ms", sa.BigInteger(), nullable=True),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["pay_account.account_id"], name=op.f("fk_pay_try_account_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_pay_try_operator_id")),
        sa.ForeignKeyConstraint(["order_id"], ["pay_order.order_id"], name=op.f("fk_pay_try_order_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_pay_try")),
    )
    op.create_index("ix_pay_try_ask_ms", "pay_try", ["ask_ms"], unique=False)
    op.create_index("ix_pay_try_order_id", "pay_try", ["order_id"], unique=False)
    op.create_table(
        "pay_use",
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("account_id", big_id(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["pay_account.account_id"], name=op.f("fk_pay_use_account_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_pay_use_operator_id")),
        sa.PrimaryKeyConstraint("operator_id", "lot_id", "purpose", "provider", name=op.f("pk_pay_use")),
    )
    op.create_table(
        "pay_refund",
        sa.Column("refund_id", sa.Text(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("agreed_by", sa.Text(), nullable=False),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("ask_ms", sa.BigInteger(), nullable=True),
        sa.Column("done_ms", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("once", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["number"], ["pay_try.number"], name=op.f("fk_pay_refund_number")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_pay_refund_operator_id")),
        sa.ForeignKeyConstraint(["order_id"], ["pay_order.order_id"], name=op.f("fk_pay_refund_order_id")),
        sa.PrimaryKeyConstraint("refund_id", name=op.f("pk_pay_refund")),
        sa.UniqueConstraint("once", name=op.f("uq_pay_refund_once")),
    )
    op.create_index("ix_pay_refund_ask_ms", "pay_refund", ["ask_ms"], unique=False)
    op.create_index("ix_pay_refund_order_id", "pay_refund", ["order_id"], unique=False)
