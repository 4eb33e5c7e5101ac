"""Lots tell the price lists they charge by.

Revision ID: 0038
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cloud.db import big_id

revision = "0038"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lot_prices",
        sa.Column("lot_id", big_id(), sa.ForeignKey("lot.lot_id"), primary_key=True),
        sa.Column("operator_id", big_id(), sa.ForeignKey("operator.operator_id"), nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("said_ms", sa.BigInteger, nullable=False),
    )
