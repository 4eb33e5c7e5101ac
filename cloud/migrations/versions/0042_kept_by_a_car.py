"""What was withdrawn after a car inside had paid with it waits until that car has left.

Revision ID: 0042
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("coupon", "voucher"):
        op.add_column(table, sa.Column("kept_by", sa.Text(), nullable=False, server_default=""))
