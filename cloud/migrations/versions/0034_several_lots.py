"""Codes and posters that are good at several lots, and which lot a coupon of theirs was claimed for.

Revision ID: 0034
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("coupon_batch", "coupon_poster", "coupon"):
        op.add_column(table, sa.Column("anywhere", sa.Boolean(), nullable=False, server_default=sa.false()))
