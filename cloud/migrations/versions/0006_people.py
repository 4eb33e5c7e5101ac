"""Entitlements, the block list, and the visitors of booths.

Revision ID: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cloud.db import big_id

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "booth_visitor",
        sa.Column("visitor_id", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("edge_id", sa.Text(), nullable=False),
        sa.Column("plate", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("begins_ms", sa.BigInteger(), nullable=False),
        sa.Column("ends_ms", sa.BigInteger(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("visitor_id", name=op.f("pk_booth_visitor")),
    )
    op.create_index("ix_booth_visitor_operator_id_ends_ms", "booth_visitor", ["operator_id", "ends_ms"], unique=False)
    op.create_table(
        "entitlement",
        sa.Column("entitlement_id", big_id(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("begins_ms", sa.BigInteger(), nullable=True),
        sa.Column("ends_ms", sa.BigInteger(), nullable=True),
        sa.Column("grace_days", sa.Integer(), nullable=False),
        sa.Column("windows", sa.Text(), nullable=False),
        sa.Column("when_full", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("is_told", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_entitlement_operator_id")),
        sa.PrimaryKeyConstraint("entitlement_id", name=op.f("pk_entitlement")),
    )
    op.create_index("ix_entitlement_operator_id_kind", "entitlement", ["operator_id", "kind"], unique=False)
    op.create_table(
        "blocked_plate",
        sa.Column("blocked_id", big_id(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("plate", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("lot_id", big_id(), nullable=True),
        sa.Column("ends_ms", sa.BigInteger(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("is_told", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.lot_id"], name=op.f("fk_blocked_plate_lot_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_blocked_plate_operator_id")),
        sa.PrimaryKeyConstraint("blocked_id", name=op.f("pk_blocked_plate")),
    )
    op.create_index("ix_blocked_plate_operator_id_plate", "blocked_plate", ["operator_id", "plate"], unique=False)
    op.create_table(
        "entitled_plate",
        sa.Column("entitlement_id", big_id(), nullable=False),
        sa.Column("plate", sa.Text(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("added_ms", sa.BigInteger(), nullable=True),
        sa.Column("removed_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["entitlement_id"], ["entitlement.entitlement_id"], name=op.f("fk_entitled_plate_entitlement_id")
        ),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_entitled_plate_operator_id")),
        sa.PrimaryKeyConstraint("entitlement_id", "plate", name=op.f("pk_entitled_plate")),
    )
    op.create_index("ix_entitled_plate_plate", "entitled_plate", ["plate"], unique=False)
    op.create_table(
        "entitled_zone",
        sa.Column("entitlement_id", big_id(), nullable=False),
        sa.Column("lot_id", big_id(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entitlement_id"], ["entitlement.entitlement_id"], name=op.f("fk_entitled_zone_entitlement_id")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.lot_id"], name=op.f("fk_entitled_zone_lot_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_entitled_zone_operator_id")),
        sa.PrimaryKeyConstraint("entitlement_id", "lot_id", "zone", name=op.f("pk_entitled_zone")),
    )
    op.create_index("ix_entitled_zone_lot_id", "entitled_zone", ["lot_id"], unique=False)
