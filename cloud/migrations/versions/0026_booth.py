"""What of a shift's fees was set by hand.

Revision ID: 0026
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("booth_shift", sa.Column("by_hand_fen", sa.BigInteger(), nullable=False, server_default="0"))
