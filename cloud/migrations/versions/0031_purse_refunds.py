"""Money of a purse that was asked back waits for a second person.

Revision ID: 0031
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("merchant", sa.Column("asked_back_by", sa.Text(), nullable=False, server_default=""))
