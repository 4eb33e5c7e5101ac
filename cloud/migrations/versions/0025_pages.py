"""The lots of a lot manager, and when an account came in last.

Revision ID: 0025
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cloud.db import big_id

revision = "0025"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "user_lot",
        sa.Column("user_id", big_id(), sa.ForeignKey("app_user.user_id"), primary_key=True),
        sa.Column("lot_id", big_id(), sa.ForeignKey("lot.lot_id"), primary_key=True),
        sa.Column("operator_id", sa.BigInteger, nullable=False),
    )
    op.add_column("app_user", sa.Column("signed_in_ms", sa.BigInteger))
    op.add_column("app_user", sa.Column("signed_in_from", sa.Text, nullable=False, server_default=""))
