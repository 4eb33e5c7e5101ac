"""Below which balances a merchant is warned.

Revision ID: 0029
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("merchant", sa.Column("low_fen", sa.BigInteger()))
    op.add_column("merchant", sa.Column("low_min", sa.BigInteger()))
