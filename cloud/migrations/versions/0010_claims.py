"""Coupons that drivers claim: batches of codes, wallets, rebinding, vouchers bound to a plate.

Revision ID: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cloud.db import big_id

revision = "0010"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("coupon_template", sa.Column("before_entry", sa.Boolean(), nullable=False, server_default=sa.true()))
    create_batches()
    create_wallets()
    columns = (("batch_id", sa.Text()), ("token", sa.Text()), ("claim_until_ms", sa.BigInteger()))
    for name, kind in (*columns, ("bound_ms", sa.BigInteger()), ("wallet_id", sa.BigInteger())):
        op.add_column("coupon", sa.Column(name, kind))
    op.execute("UPDATE coupon SET bound_ms = issued_ms")
    op.create_index("ix_coupon_token", "coupon", ["token"], unique=True)
    op.create_index("ix_coupon_batch_id", "coupon", ["batch_id"], unique=False)
    op.create_index("ix_coupon_wallet_id", "coupon", ["wallet_id"], unique=False)
    create_moves()


def create_batches() -> None:
    op.create_table(
        "coupon_batch",
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("merchant_id", big_id(), nullable=False),
        sa.Column("template_id", big_id(), nullable=False),
        sa.Column("lot_id", big_id(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_coupon_batch_operator_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.merchant_id"], name=op.f("fk_coupon_batch_merchant_id")),
        sa.ForeignKeyConstraint(
            ["template_id"], ["coupon_template.template_id"], name=op.f("fk_coupon_batch_template_id")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.lot_id"], name=op.f("fk_coupon_batch_lot_id")),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_coupon_batch")),
    )
    op.create_index("ix_coupon_batch_merchant_id_made_ms", "coupon_batch", ["merchant_id", "made_ms"], unique=False)


def create_wallets() -> None:
    op.create_table(
        "wallet",
        sa.Column("wallet_id", big_id(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("plate", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("code_until_ms", sa.BigInteger(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_wallet_operator_id")),
        sa.PrimaryKeyConstraint("wallet_id", name=op.f("pk_wallet")),
    )
    op.create_index("ix_wallet_plate", "wallet", ["plate"], unique=False)
    op.create_table(
        "wallet_key",
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("wallet_id", big_id(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["wallet_id"], ["wallet.wallet_id"], name=op.f("fk_wallet_key_wallet_id")),
        sa.PrimaryKeyConstraint("key_hash", "wallet_id", name=op.f("pk_wallet_key")),
    )


def create_moves() -> None:
    op.create_table(
        "coupon_rebind",
        sa.Column("rebind_id", big_id(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("coupon_id", sa.Text(), nullable=False),
        sa.Column("from_plate", sa.Text(), nullable=False),
        sa.Column("to_plate", sa.Text(), nullable=False),
        sa.Column("from_stay", sa.Text(), nullable=False),
        sa.Column("to_stay", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["coupon_id"], ["coupon.coupon_id"], name=op.f("fk_coupon_rebind_coupon_id")),
        sa.PrimaryKeyConstraint("rebind_id", name=op.f("pk_coupon_rebind")),
    )
    op.create_index("ix_coupon_rebind_coupon_id", "coupon_rebind", ["coupon_id"], unique=False)
    op.create_table(
        "voucher_binding",
        sa.Column("key_id", sa.BigInteger(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("plate", sa.Text(), nullable=False),
        sa.Column("bound_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "counter", name=op.f("pk_voucher_binding")),
    )
