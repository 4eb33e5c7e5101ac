"""Coupons for sale and the stock bought of them; branches of merchants.

Revision ID: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cloud.db import big_id

revision = "0012"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("coupon_template", sa.Column("product_id", sa.BigInteger()))
    for name in ("reserved_bought", "branch_id"):
        op.add_column("coupon", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("coupon", sa.Column("purse", sa.Text(), nullable=False, server_default="available"))
    op.create_index("ix_coupon_branch_id_issued_ms", "coupon", ["branch_id", "issued_ms"], unique=False)
    op.add_column("statement_line", sa.Column("branch_id", sa.BigInteger(), nullable=False, server_default="0"))
    create_branches()
    create_shop()


def create_branches() -> None:
    op.create_table(
        "branch",
        sa.Column("branch_id", big_id(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("merchant_id", big_id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("own_purse", sa.Boolean(), nullable=False),
        sa.Column("month_fen", sa.BigInteger(), nullable=False),
        sa.Column("month_min", sa.BigInteger(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_branch_operator_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.merchant_id"], name=op.f("fk_branch_merchant_id")),
        sa.PrimaryKeyConstraint("branch_id", name=op.f("pk_branch")),
        sa.UniqueConstraint("merchant_id", "name", name=op.f("uq_branch_merchant_id_name")),
    )
    op.create_table(
        "branch_lot",
        sa.Column("branch_id", big_id(), nullable=False),
        sa.Column("lot_id", big_id(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["branch_id"], ["branch.branch_id"], name=op.f("fk_branch_lot_branch_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.lot_id"], name=op.f("fk_branch_lot_lot_id")),
        sa.PrimaryKeyConstraint("branch_id", "lot_id", name=op.f("pk_branch_lot")),
    )
    op.create_table(
        "membership",
        sa.Column("user_id", big_id(), nullable=False),
        sa.Column("merchant_id", big_id(), nullable=False),
        sa.Column("branch_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.user_id"], name=op.f("fk_membership_user_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.merchant_id"], name=op.f("fk_membership_merchant_id")),
        sa.PrimaryKeyConstraint("user_id", "merchant_id", "branch_id", name=op.f("pk_membership")),
    )
    op.create_index("ix_membership_merchant_id", "membership", ["merchant_id"], unique=False)


def create_shop() -> None:
    op.create_table(
        "coupon_product",
        sa.Column("product_id", big_id(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("cap_fen", sa.BigInteger(), nullable=False),
        sa.Column("meaning", sa.Text(), nullable=False),
        sa.Column("valid_min", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_fen", sa.BigInteger(), nullable=False),
        sa.Column("max_purchasable", sa.BigInteger(), nullable=False),
        sa.Column("valid_months", sa.Integer(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_ms", sa.BigInteger()),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_coupon_product_operator_id")),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_coupon_product")),
    )
    op.create_index("ix_coupon_product_operator_id", "coupon_product", ["operator_id"], unique=False)
    op.create_table(
        "purchase",
        sa.Column("purchase_id", big_id(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("merchant_id", big_id(), nullable=False),
        sa.Column("product_id", big_id(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("given", sa.BigInteger(), nullable=False),
        sa.Column("refunded", sa.BigInteger(), nullable=False),
        sa.Column("valid_from_ms", sa.BigInteger()),
        sa.Column("valid_to_ms", sa.BigInteger()),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("paid_ms", sa.BigInteger()),
        sa.Column("paid_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_purchase_operator_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.merchant_id"], name=op.f("fk_purchase_merchant_id")),
        sa.ForeignKeyConstraint(["product_id"], ["coupon_product.product_id"], name=op.f("fk_purchase_product_id")),
        sa.PrimaryKeyConstraint("purchase_id", name=op.f("pk_purchase")),
    )
    op.create_index("ix_purchase_merchant_id_product_id", "purchase", ["merchant_id", "product_id"], unique=False)
    op.create_index("ix_purchase_operator_id_made_ms", "purchase", ["operator_id", "made_ms"], unique=False)
