"""Stays opened again, and redemptions taken back with their end.

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stay", sa.Column("closed_at", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("redemption", sa.Column("restored_ms", sa.BigInteger(), nullable=True))
