"""Tables of web hooks: who wants to hear of what, and every message to them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from cloud.db import big_id, metadata

web_hook = Table(
    "web_hook",
    metadata,
    Column("hook_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("merchant_id", ForeignKey("merchant.merchant_id")),  # hears of this merchant alone; NULL: of all
    Column("url", Text, nullable=False),
    Column("facts", Text, nullable=False),  # " coupon.issued topup ": names with a space on either side
    Column("secret", Text, nullable=False),  # the messages' HMAC key; shown once
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("failing_ms", BigInteger),  # since when no message arrived; NULL: the last one did
    Column("off_ms", BigInteger),  # no messages from then on
    Column("off_why", Text, nullable=False),  # "", removed, or failing
)
Index("ix_web_hook_operator_id", web_hook.c.operator_id)

hook_message = Table(  # written in the transaction of the fact it tells of
    "hook_message",
    metadata,
    Column("message_id", big_id(), primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("merchant_id", BigInteger),
    Column("hook_id", ForeignKey("web_hook.hook_id"), nullable=False),
    Column("fact", Text, nullable=False),
    Column("body", Text, nullable=False),  # JSON
    Column("made_ms", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_ms", BigInteger),  # when it is sent (again); NULL: arrived or given up
    Column("arrived_ms", BigInteger),
    Column("last_status", Integer),  # of HTTP
    Column("last_error", Text, nullable=False),
)
Index("ix_hook_message_next_ms", hook_message.c.next_ms)
Index("ix_hook_message_hook_id_message_id", hook_message.c.hook_id, hook_message.c.message_id)
