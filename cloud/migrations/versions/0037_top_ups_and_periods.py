"""A merchant may have a top-up order of so much made by itself when its balance is low, and chooses its billing period.

Revision ID: 0037
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("merchant", sa.Column("suggest_fen", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("merchant", sa.Column("billing", sa.Text(), nullable=False, server_default="month:1"))
