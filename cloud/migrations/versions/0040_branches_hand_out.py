"""Codes, papers and posters that a branch hands out.

Revision ID: 0040
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("coupon_batch", "coupon_poster"):
        op.add_column(table, sa.Column("branch_id", sa.BigInteger(), nullable=False, server_default="0"))
