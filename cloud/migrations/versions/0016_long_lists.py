"""Indexes in the order of the lists, so that a page of a million coupons reads only its own rows.

Revision ID: 0016
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_coupon_merchant_id_issued_ms", "coupon")
    op.drop_index("ix_coupon_branch_id_issued_ms", "coupon")
    op.drop_index("ix_voucher_merchant_id_issued_ms", "voucher")
    of_merchant = ["operator_id", "merchant_id"]
    op.create_index("ix_coupon_issued", "coupon", ["operator_id", "issued_ms"])
    op.create_index("ix_coupon_issued_by_merchant", "coupon", [*of_merchant, "issued_ms"])
    op.create_index("ix_coupon_issued_by_branch", "coupon", [*of_merchant, "branch_id", "issued_ms"])
    op.create_index("ix_voucher_issued", "voucher", ["operator_id", "issued_ms"])
    op.create_index("ix_voucher_issued_by_merchant", "voucher", [*of_merchant, "issued_ms"])
    used: dict[str, Any] = {name: sa.text("redeemed_ms IS NOT NULL") for name in ("sqlite_where", "postgresql_where")}
    op.create_index("ix_coupon_redeemed", "coupon", ["operator_id", "redeemed_ms"], **used)
    op.create_index("ix_coupon_redeemed_by_merchant", "coupon", [*of_merchant, "redeemed_ms"], **used)
