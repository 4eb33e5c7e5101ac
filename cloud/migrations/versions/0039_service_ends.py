"""A merchant's service to a lot ends.

Revision ID: 0039
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("contract", sa.Column("ends_ms", sa.BigInteger()))
    for name in ("takes_back", "ended"):
        op.add_column("contract", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
