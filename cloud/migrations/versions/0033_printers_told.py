"""What an edge tells of its printers is kept, so that slips are drawn as these print them.

Revision ID: 0033
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("edge_cursor", sa.Column("printers", sa.Text(), nullable=False, server_default="{}"))
