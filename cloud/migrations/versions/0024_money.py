"""Papers past their end: from which version of its list on their lot knows.

Revision ID: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("voucher", sa.Column("void_version", sa.BigInteger()))
    op.create_index("ix_voucher_waiting", "voucher", ["operator_id", "state", "not_after_min"])
