"""Unused stock that was asked back waits for a second person.

Revision ID: 0030
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("purchase", sa.Column("asked_back", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("purchase", sa.Column("asked_back_by", sa.Text(), nullable=False, server_default=""))
