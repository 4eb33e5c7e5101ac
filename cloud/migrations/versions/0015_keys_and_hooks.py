"""Keys of programs, answers kept for repeated calls, web hooks, staff limits, WeChat bindings.

Revision ID: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("app_user", sa.Column("first_until_ms", sa.BigInteger(), nullable=True))
    op.add_column("app_user", sa.Column("daily_coupons", sa.Integer(), nullable=True))
    op.add_column("app_user", sa.Column("daily_fen", sa.BigInteger(), nullable=True))
    _keys()
    _bindings()
    _answers()
    _hooks()


def _keys() -> None:
    op.create_table(
        "api_key",
        sa.Column("key_id", BIG_ID, nullable=False),
        sa.Column("operator_id", BIG_ID, nullable=False),
        sa.Column("merchant_id", BIG_ID, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("start", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("used_ms", sa.BigInteger(), nullable=True),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.Column("revoked_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_key")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_api_key_operator_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.merchant_id"], name=op.f("fk_api_key_merchant_id")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_key_key_hash")),
    )
    op.create_index("ix_api_key_operator_id", "api_key", ["operator_id"], unique=False)


def _bindings() -> None:
    op.create_table(
        "wechat_binding",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("operator_id", BIG_ID, nullable=False),
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("bound_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("appid", "openid", name=op.f("pk_wechat_binding")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_wechat_binding_operator_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.user_id"], name=op.f("fk_wechat_binding_user_id")),
    )
    op.create_index("ix_wechat_binding_user_id", "wechat_binding", ["user_id"], unique=False)


def _answers() -> None:
    op.create_table(
        "api_answer",
        sa.Column("operator_id", BIG_ID, nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "caller", "key", name=op.f("pk_api_answer")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_api_answer_operator_id")),
    )
    op.create_index("ix_api_answer_made_ms", "api_answer", ["made_ms"], unique=False)


def _hooks() -> None:
    op.create_table(
        "web_hook",
        sa.Column("hook_id", BIG_ID, nullable=False),
        sa.Column("operator_id", BIG_ID, nullable=False),
        sa.Column("merchant_id", BIG_ID, nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("failing_ms", sa.BigInteger(), nullable=True),
        sa.Column("off_ms", sa.BigInteger(), nullable=True),
        sa.Column("off_why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hook_id", name=op.f("pk_web_hook")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.operator_id"], name=op.f("fk_web_hook_operator_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.merchant_id"], name=op.f("fk_web_hook_merchant_id")),
    )
    op.create_index("ix_web_hook_operator_id", "web_hook", ["operator_id"], unique=False)
    op.create_table(
        "hook_message",
        sa.Column("message_id", BIG_ID, nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("merchant_id", sa.BigInteger(), nullable=True),
        sa.Column("hook_id", BIG_ID, nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_ms", sa.BigInteger(), nullable=True),
        sa.Column("arrived_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_hook_message")),
        sa.ForeignKeyConstraint(["hook_id"], ["web_hook.hook_id"], name=op.f("fk_hook_message_hook_id")),
    )
    op.create_index("ix_hook_message_next_ms", "hook_message", ["next_ms"], unique=False)
    op.create_index("ix_hook_message_hook_id_message_id", "hook_message", ["hook_id", "message_id"], unique=False)
