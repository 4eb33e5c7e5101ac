"""What was paid at the office may have an invoice: one that is of no order.

Revision ID: 0036
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("pay_invoice") as table:
        table.alter_column("order_id", existing_type=sa.Text(), nullable=True)
        table.add_column(sa.Column("paid_here", sa.Text(), nullable=False, server_default=""))
        table.add_column(sa.Column("merchant_id", sa.BigInteger(), nullable=True))
    op.create_index("ix_pay_invoice_merchant_id", "pay_invoice", ["merchant_id"])
