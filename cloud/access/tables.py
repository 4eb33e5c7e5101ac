"""Tables of access: people who may log in, their sessions, and the audit log nobody can change."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from cloud.db import big_id, metadata

user = Table(
    "app_user",  # USER is a word of SQL
    metadata,
    Column("user_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),  # access/roles.py (E65)
    Column("merchant_id", ForeignKey("merchant.merchant_id")),  # of a merchant's own people
    Column("password_hash", Text, nullable=False),
    Column("must_change", Boolean, nullable=False),  # E66
    Column("first_until_ms", BigInteger),  # the first password is good until then; NULL once it was changed
    Column("daily_coupons", Integer),  # the most a merchant's staff may give out a day (E20); NULL: no limit
    Column("daily_fen", BigInteger),  # and the most money they may hold for them
    Column("enabled", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("signed_in_ms", BigInteger),  # the last time
    Column("signed_in_from", Text, nullable=False, server_default=""),  # the address it came from
)

user_lot = Table(  # the lots of a lot manager
    "user_lot",
    metadata,
    Column("user_id", ForeignKey("app_user.user_id"), primary_key=True),
    Column("lot_id", ForeignKey("lot.lot_id"), primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
)

api_token = Table(
    "api_token",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("user_id", ForeignKey("app_user.user_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
)

api_key = Table(  # of a program: the operator's, or one merchant's
    "api_key",
    metadata,
    Column("key_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("merchant_id", ForeignKey("merchant.merchant_id")),
    Column("name", Text, nullable=False),
    Column("start", Text, nullable=False),  # the first characters, to know it again
    Column("key_hash", LargeBinary, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),  # words with a space between
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("used_ms", BigInteger),  # about when it was last used
    Column("revoked_ms", BigInteger),
    Column("revoked_by", Text, nullable=False),
)
Index("ix_api_key_operator_id", api_key.c.operator_id)

wechat_binding = Table(  # a person of WeChat who may come in as an account (S2.5)
    "wechat_binding",
    metadata,
    Column("appid", Text, primary_key=True),
    Column("openid", Text, primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("user_id", ForeignKey("app_user.user_id"), nullable=False),
    Column("bound_ms", BigInteger, nullable=False),
)
Index("ix_wechat_binding_user_id", wechat_binding.c.user_id)

web_session = Table(
    "web_session",
    metadata,
    Column("key", Text, primary_key=True),  # hash of the cookie's token
    Column("operator_id", BigInteger, nullable=False),
    Column("user_id", ForeignKey("app_user.user_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("data", Text, nullable=False),  # JSON
    Column("created_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
)
Index("ix_web_session_user_id", web_session.c.user_id)

audit_log = Table(
    "audit_log",
    metadata,
    Column("audit_id", big_id(), primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("lot_id", BigInteger),
    Column("made_by", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),  # over the row before and this one: a removed row shows (E69)
)

audit_head = Table(  # the one row that puts audit rows in order, whoever writes them
    "audit_head",
    metadata,
    Column("head_id", Integer, primary_key=True, autoincrement=False),
    Column("audit_id", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)
