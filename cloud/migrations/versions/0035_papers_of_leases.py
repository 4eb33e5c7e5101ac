"""How many papers of limited templates a lot may print from a lease.

Revision ID: 0035
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lease_paper",
        sa.Column("lease_id", sa.BigInteger(), nullable=False),
        sa.Column("template_id", sa.BigInteger(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("papers", sa.Integer(), nullable=False),
        sa.Column("printed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("lease_id", "template_id", name=op.f("pk_lease_paper")),
    )
    op.create_index("ix_lease_paper_template_id", "lease_paper", ["template_id"])
