"""An index of the cars inside alone, so that a plate is looked for among them and not among all there ever were.

Revision ID: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    inside = sa.text("left_ms IS NULL")
    columns = ["operator_id", "left_ms", "entered_ms", "stay_id", "plate"]
    op.create_index("ix_stay_inside", "stay", columns, sqlite_where=inside, postgresql_where=inside)
