"""For which car a barrier was opened.

Revision ID: 0032
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("barrier_opening", sa.Column("stay_id", sa.Text(), nullable=False, server_default=""))
