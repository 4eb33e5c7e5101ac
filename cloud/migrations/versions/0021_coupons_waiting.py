"""Indexes for what is asked about coupons in the background and at each issue, whatever there ever were.

Revision ID: 0021
"""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_coupon_waiting", "coupon", ["operator_id", "state", "expires_ms"])
    op.create_index("ix_coupon_of_template", "coupon", ["template_id", "issued_ms"])
