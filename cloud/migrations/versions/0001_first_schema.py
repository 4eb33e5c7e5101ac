"""The first schema.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cloud.db import big_id

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("ledger_entry", "posting", "audit_log")
RAW_EVENT = "edge_id, epoch, seq, operator_id, type, tv, wall_ms, hash, body"  # the rest of inbox may change


def upgrade() -> None:
    create_tables()
    guard("inbox", f"UPDATE OF {RAW_EVENT}")
    guard("inbox", "DELETE")
    op.execute(
        sa.text("INSERT INTO audit_head (head_id, audit_id, hash) VALUES (1, 0, :none)").bindparams(none=bytes(32))
    )
    for table in APPEND_ONLY:
        guard(table, "UPDATE")
        guard(table, "DELETE")


def guard(table: str, act: str) -> None:
    """Make *act* on *table* fail, whoever tries."""
    verb = act.split()[0].lower()
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {act} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_{verb} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    if verb == "delete":
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def create_tables() -> None:
    op.create_table(
        "anchor",
        sa.Column("edge_id", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("boot_ms", sa.BigInteger(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("utc_ms", sa.BigInteger(), nullable=False),
        sa.Column("uncertainty_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("edge_id", "boot", "boot_ms", name=op.f("pk_anchor")),
    )
    op.create_table(
        "audit_head",
        sa.Column("head_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("audit_id", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("head_id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "audit_log",
        sa.Column("audit_id", big_id(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit_log")),
    )
    op.create_table(
        "barrier_opening",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("happened_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_barrier_opening")),
    )
    op.create_index("ix_barrier_opening_lot_id_happened_ms", "barrier_opening", ["lot_id", "happened_ms"], unique=False)
    op.create_table(
        "debt",
        sa.Column("debt_id", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("stay_id", sa.Text(), nullable=False),
        sa.Column("plate", sa.Text(), nullable=False),
        sa.Column("owed_fen", sa.BigInteger(), nullable=False),
        sa.Column("recorded_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("debt_id", name=op.f("pk_debt")),
    )
    op.create_index("ix_debt_plate", "debt", ["plate"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("edge_id", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("tv", sa.Integer(), nullable=False),
        sa.Column("wall_ms", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("parked_why", sa.Text(), nullable=True),
        sa.Column("lease_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("edge_id", "epoch", "seq", name=op.f("pk_inbox")),
    )
    op.create_index(
        "ix_inbox_parked",
        "inbox",
        ["edge_id", "lease_id"],
        unique=False,
        sqlite_where=sa.text("parked_why IS NOT NULL"),
        postgresql_where=sa.text("parked_why IS NOT NULL"),
    )
    op.create_table(
        "incident",
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=True),
        sa.Column("edge_id", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("raised_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incident")),
    )
    op.create_index("ix_incident_closed_ms_raised_ms", "incident", ["closed_ms", "raised_ms"], unique=False)
    op.create_table(
        "operator",
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("operator_id", name=op.f("pk_operator")),
    )
    op.create_table(
        "passage",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("plate", sa.Text(), nullable=False),
        sa.Column("happened_ms", sa.BigInteger(), nullable=False),
        sa.Column("is_reversed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_passage")),
    )
    op.create_index("ix_passage_lot_id_happened_ms", "passage", ["lot_id", "happened_ms"], unique=False)
    op.create_table(
        "payment",
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("stay_id", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("taken_ms", sa.BigInteger(), nullable=False),
        sa.Column("taken_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("payment_id", name=op.f("pk_payment")),
    )
    op.create_table(
        "redemption",
        sa.Column("redemption_id", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("stay_id", sa.Text(), nullable=False),
        sa.Column("off_fen", sa.BigInteger(), nullable=False),
        sa.Column("charged", sa.Boolean(), nullable=False),
        sa.Column("redeemed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("redemption_id", name=op.f("pk_redemption")),
        sa.UniqueConstraint("event_id", name=op.f("uq_redemption_event_id")),
    )
    op.create_index("ix_redemption_stay_id", "redemption", ["stay_id"], unique=False)
    op.create_index("ix_redemption_subject", "redemption", ["subject"], unique=False)
    op.create_table(
        "stay",
        sa.Column("stay_id", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("edge_id", sa.Text(), nullable=False),
        sa.Column("plate", sa.Text(), nullable=False),
        sa.Column("plate_raw", sa.Text(), nullable=False),
        sa.Column("vehicle_class", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("entry_lane", sa.Text(), nullable=False),
        sa.Column("entered_ms", sa.BigInteger(), nullable=True),
        sa.Column("exit_lane", sa.Text(), nullable=False),
        sa.Column("left_ms", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("discount_fen", sa.BigInteger(), nullable=False),
        sa.Column("waived_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("owed_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("stay_id", name=op.f("pk_stay")),
    )
    op.create_index("ix_stay_lot_id_left_ms", "stay", ["lot_id", "left_ms"], unique=False)
    op.create_index("ix_stay_plate", "stay", ["plate"], unique=False)
    op.create_table(
        "voucher",
        sa.Column("key_id", sa.BigInteger(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("edge_id", sa.Text(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("lease_id", sa.BigInteger(), nullable=False),
        sa.Column("merchant_id", sa.BigInteger(), nullable=False),
        sa.Column("template_id", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("unfunded", sa.BigInteger(), nullable=False),
        sa.Column("commodity", sa.Text(), nullable=False),
        sa.Column("funds", sa.Text(), nullable=False),
        sa.Column("cap_fen", sa.BigInteger(), nullable=False),
        sa.Column("not_after_min", sa.BigInteger(), nullable=False),
        sa.Column("print_state", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("issued_ms", sa.BigInteger(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("off_fen", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key_id", "counter", name=op.f("pk_voucher")),
    )
    op.create_index("ix_voucher_merchant_id_issued_ms", "voucher", ["merchant_id", "issued_ms"], unique=False)
    op.create_table(
        "lot",
        sa.Column("lot_id", big_id(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_lot_operator_id")),
        sa.PrimaryKeyConstraint("lot_id", name=op.f("pk_lot")),
    )
    op.create_table(
        "merchant",
        sa.Column("merchant_id", big_id(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("account_no", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("payment_mode", sa.Text(), nullable=True),
        sa.Column("settlement_mode", sa.Text(), nullable=True),
        sa.Column("credit_limit_fen", sa.BigInteger(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("disabled_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_merchant_operator_id")),
        sa.PrimaryKeyConstraint("merchant_id", name=op.f("pk_merchant")),
        sa.UniqueConstraint("account_no", name=op.f("uq_merchant_account_no")),
    )
    op.create_index("ix_merchant_operator_id", "merchant", ["operator_id"], unique=False)
    op.create_table(
        "app_user",
        sa.Column("user_id", big_id(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("merchant_id", big_id(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.merchant_id"], name=op.f("fk_app_user_merchant_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_app_user_operator_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_app_user")),
        sa.UniqueConstraint("login", name=op.f("uq_app_user_login")),
    )
    op.create_table(
        "balance",
        sa.Column("merchant_id", big_id(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("commodity", sa.Text(), nullable=False),
        sa.Column("funds", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.merchant_id"], name=op.f("fk_balance_merchant_id")),
        sa.PrimaryKeyConstraint("merchant_id", "account", "commodity", "funds", name=op.f("pk_balance")),
    )
    op.create_table(
        "contract",
        sa.Column("contract_id", big_id(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("merchant_id", big_id(), nullable=False),
        sa.Column("lot_id", big_id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("amount_percent", sa.Integer(), nullable=False),
        sa.Column("duration_percent", sa.Integer(), nullable=False),
        sa.Column("waiver_cap_fen", sa.BigInteger(), nullable=False),
        sa.Column("starts_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.lot_id"], name=op.f("fk_contract_lot_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.merchant_id"], name=op.f("fk_contract_merchant_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_contract_operator_id")),
        sa.PrimaryKeyConstraint("contract_id", name=op.f("pk_contract")),
        sa.UniqueConstraint("merchant_id", "lot_id", "version", name=op.f("uq_contract_merchant_id_lot_id_version")),
    )
    op.create_table(
        "coupon_template",
        sa.Column("template_id", big_id(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("merchant_id", big_id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("cap_fen", sa.BigInteger(), nullable=False),
        sa.Column("meaning", sa.Text(), nullable=False),
        sa.Column("remainder", sa.Text(), nullable=False),
        sa.Column("valid_min", sa.Integer(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("deleted_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.merchant_id"], name=op.f("fk_coupon_template_merchant_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_coupon_template_operator_id")),
        sa.PrimaryKeyConstraint("template_id", name=op.f("pk_coupon_template")),
    )
    op.create_index("ix_coupon_template_merchant_id", "coupon_template", ["merchant_id"], unique=False)
    op.create_table(
        "edge",
        sa.Column("edge_id", sa.Text(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("lot_id", big_id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=True),
        sa.Column("claim_hash", sa.LargeBinary(), nullable=True),
        sa.Column("claim_expires_ms", sa.BigInteger(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("claimed_ms", sa.BigInteger(), nullable=True),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.lot_id"], name=op.f("fk_edge_lot_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_edge_operator_id")),
        sa.PrimaryKeyConstraint("edge_id", name=op.f("pk_edge")),
    )
    op.create_index("ix_edge_lot_id", "edge", ["lot_id"], unique=False)
    op.create_table(
        "lane",
        sa.Column("lane_id", big_id(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("lot_id", big_id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("from_zone", sa.Text(), nullable=False),
        sa.Column("to_zone", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.lot_id"], name=op.f("fk_lane_lot_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_lane_operator_id")),
        sa.PrimaryKeyConstraint("lane_id", name=op.f("pk_lane")),
        sa.UniqueConstraint("lot_id", "name", name=op.f("uq_lane_lot_id_name")),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("entry_id", big_id(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("merchant_id", big_id(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.merchant_id"], name=op.f("fk_ledger_entry_merchant_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_ledger_entry")),
    )
    op.create_index("ix_ledger_entry_merchant_id_entry_id", "ledger_entry", ["merchant_id", "entry_id"], unique=False)
    op.create_table(
        "zone",
        sa.Column("zone_id", big_id(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("lot_id", big_id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.lot_id"], name=op.f("fk_zone_lot_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_zone_operator_id")),
        sa.PrimaryKeyConstraint("zone_id", name=op.f("pk_zone")),
        sa.UniqueConstraint("lot_id", "name", name=op.f("uq_zone_lot_id_name")),
    )
    op.create_table(
        "api_token",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("user_id", big_id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_api_token_operator_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.user_id"], name=op.f("fk_api_token_user_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_api_token")),
    )
    op.create_table(
        "channel_row",
        sa.Column("edge_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("ver", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["edge_id"], ["edge.edge_id"], name=op.f("fk_channel_row_edge_id")),
        sa.PrimaryKeyConstraint("edge_id", "channel", "key", name=op.f("pk_channel_row")),
    )
    op.create_index("ix_channel_row_edge_id_channel_ver", "channel_row", ["edge_id", "channel", "ver"], unique=False)
    op.create_table(
        "channel_version",
        sa.Column("edge_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("ver", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("held_ver", sa.BigInteger(), nullable=False),
        sa.Column("held_digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["edge_id"], ["edge.edge_id"], name=op.f("fk_channel_version_edge_id")),
        sa.PrimaryKeyConstraint("edge_id", "channel", name=op.f("pk_channel_version")),
    )
    op.create_table(
        "command",
        sa.Column("edge_id", sa.Text(), nullable=False),
        sa.Column("cmd_seq", sa.BigInteger(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["edge_id"], ["edge.edge_id"], name=op.f("fk_command_edge_id")),
        sa.PrimaryKeyConstraint("edge_id", "cmd_seq", name=op.f("pk_command")),
    )
    op.create_index("ix_command_edge_id_state", "command", ["edge_id", "state"], unique=False)
    op.create_table(
        "coupon",
        sa.Column("coupon_id", sa.Text(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("merchant_id", big_id(), nullable=False),
        sa.Column("template_id", big_id(), nullable=False),
        sa.Column("lot_id", big_id(), nullable=False),
        sa.Column("edge_id", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("stay_id", sa.Text(), nullable=False),
        sa.Column("plate", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reserved_bonus", sa.BigInteger(), nullable=False),
        sa.Column("reserved_paid", sa.BigInteger(), nullable=False),
        sa.Column("commodity", sa.Text(), nullable=False),
        sa.Column("issued_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("is_expired", sa.Boolean(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("voided_ms", sa.BigInteger(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=False),
        sa.Column("void_version", sa.BigInteger(), nullable=True),
        sa.Column("redeemed_ms", sa.BigInteger(), nullable=True),
        sa.Column("off_fen", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["edge_id"], ["edge.edge_id"], name=op.f("fk_coupon_edge_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.lot_id"], name=op.f("fk_coupon_lot_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.merchant_id"], name=op.f("fk_coupon_merchant_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_coupon_operator_id")),
        sa.ForeignKeyConstraint(["template_id"], ["coupon_template.template_id"], name=op.f("fk_coupon_template_id")),
        sa.PrimaryKeyConstraint("coupon_id", name=op.f("pk_coupon")),
        sa.UniqueConstraint("serial", name=op.f("uq_coupon_serial")),
    )
    op.create_index("ix_coupon_edge_id_state", "coupon", ["edge_id", "state"], unique=False)
    op.create_index("ix_coupon_merchant_id_issued_ms", "coupon", ["merchant_id", "issued_ms"], unique=False)
    op.create_index("ix_coupon_stay_id", "coupon", ["stay_id"], unique=False)
    op.create_table(
        "edge_cursor",
        sa.Column("edge_id", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("told_seq", sa.BigInteger(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("caps", sa.Text(), nullable=False),
        sa.Column("hello_ms", sa.BigInteger(), nullable=True),
        sa.Column("seen_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["edge_id"], ["edge.edge_id"], name=op.f("fk_edge_cursor_edge_id")),
        sa.PrimaryKeyConstraint("edge_id", name=op.f("pk_edge_cursor")),
    )
    op.create_table(
        "lease",
        sa.Column("lease_id", big_id(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("edge_id", sa.Text(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("merchant_id", big_id(), nullable=False),
        sa.Column("commodity", sa.Text(), nullable=False),
        sa.Column("funds", sa.Text(), nullable=False),
        sa.Column("granted", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("returned", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("is_applied", sa.Boolean(), nullable=False),
        sa.Column("spend_until_h", sa.Integer(), nullable=False),
        sa.Column("granted_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["edge_id"], ["edge.edge_id"], name=op.f("fk_lease_edge_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.merchant_id"], name=op.f("fk_lease_merchant_id")),
        sa.PrimaryKeyConstraint("lease_id", name=op.f("pk_lease")),
    )
    op.create_index("ix_lease_edge_id_state", "lease", ["edge_id", "state"], unique=False)
    op.create_index("ix_lease_merchant_id_state", "lease", ["merchant_id", "state"], unique=False)
    op.create_table(
        "posting",
        sa.Column("posting_id", big_id(), nullable=False),
        sa.Column("entry_id", big_id(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("merchant_id", big_id(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("leg", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("commodity", sa.Text(), nullable=False),
        sa.Column("funds", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.entry_id"], name=op.f("fk_posting_entry_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.merchant_id"], name=op.f("fk_posting_merchant_id")),
        sa.PrimaryKeyConstraint("posting_id", name=op.f("pk_posting")),
        sa.UniqueConstraint("event_id", "leg", name=op.f("uq_posting_event_id_leg")),
    )
    op.create_index("ix_posting_entry_id", "posting", ["entry_id"], unique=False)
    op.create_index("ix_posting_merchant_id_account", "posting", ["merchant_id", "account"], unique=False)
    op.create_table(
        "voucher_key",
        sa.Column("key_id", big_id(), nullable=False),
        sa.Column("operator_id", big_id(), nullable=False),
        sa.Column("lot_id", big_id(), nullable=False),
        sa.Column("edge_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("last_counter", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["edge_id"], ["edge.edge_id"], name=op.f("fk_voucher_key_edge_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.lot_id"], name=op.f("fk_voucher_key_lot_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_voucher_key_operator_id")),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_voucher_key")),
    )
    op.create_table(
        "web_session",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", big_id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.user_id"], name=op.f("fk_web_session_user_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_web_session")),
    )
    op.create_index("ix_web_session_user_id", "web_session", ["user_id"], unique=False)
