"""Limits on coupons, terms of templates, passes, posters, plates that get no coupons.

Revision ID: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("coupon_template", sa.Column("terms", sa.Text(), nullable=False, server_default="{}"))
    op.add_column("coupon", sa.Column("pass_id", sa.Text(), nullable=False, server_default=""))
    op.create_index("ix_coupon_plate", "coupon", ["plate"], unique=False)
    op.create_table(
        "coupon_rule",
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("operator_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operator.operator_id"], name=op.f("fk_coupon_rule_operator_id_operator")
        ),
        sa.PrimaryKeyConstraint("level", "subject_id", name=op.f("pk_coupon_rule")),
    )
    op.create_table(
        "coupon_blocked",
        sa.Column("blocked_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("operator_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plate", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operator.operator_id"], name=op.f("fk_coupon_blocked_operator_id_operator")
        ),
        sa.PrimaryKeyConstraint("blocked_id", name=op.f("pk_coupon_blocked")),
    )
    op.create_index("ix_coupon_blocked_plate", "coupon_blocked", ["plate"], unique=False)
    op.create_table(
        "coupon_poster",
        sa.Column("poster_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("operator_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("template_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.lot_id"], name=op.f("fk_coupon_poster_lot_id_lot")),
        sa.ForeignKeyConstraint(
            ["merchant_id"], ["merchant.merchant_id"], name=op.f("fk_coupon_poster_merchant_id_merchant")
        ),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operator.operator_id"], name=op.f("fk_coupon_poster_operator_id_operator")
        ),
        sa.ForeignKeyConstraint(
            ["template_id"], ["coupon_template.template_id"], name=op.f("fk_coupon_poster_template_id_coupon_template")
        ),
        sa.PrimaryKeyConstraint("poster_id", name=op.f("pk_coupon_poster")),
        sa.UniqueConstraint("code", name=op.f("uq_coupon_poster_code")),
    )
    op.create_index("ix_coupon_poster_merchant_id", "coupon_poster", ["merchant_id"], unique=False)
