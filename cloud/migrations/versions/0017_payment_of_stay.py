"""Payments found by their stay: whoever gives a coupon asks whether the car has paid.

Revision ID: 0017
"""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_payment_stay_id", "payment", ["stay_id"], unique=False)
