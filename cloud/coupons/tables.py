"""Tables of coupons: templates and coupons are the cloud's, vouchers and redemptions repeat what edges reported."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)

from cloud.db import big_id, metadata

coupon_template = Table(
    "coupon_template",
    metadata,
    Column("template_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("merchant_id", ForeignKey("merchant.merchant_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),  # S1.24
    Column("value", BigInteger, nullable=False),  # fen or minutes; 0 where the kind has none or takes it at issue
    Column("cap_fen", BigInteger, nullable=False),  # the most one coupon may take off; 0: no cap of its own
    Column("meaning", Text, nullable=False),  # of a duration: cut from the end, from the entry, or the first minutes
    Column("remainder", Text, nullable=False),  # what becomes of value a fee did not use up
    Column("valid_min", Integer, nullable=False),  # how long a coupon of it is good after issue
    Column("created_ms", BigInteger, nullable=False),
    Column("deleted_ms", BigInteger),
    Column("before_entry", Boolean, nullable=False, server_default=true()),  # may be claimed before the car is inside
    Column("product_id", BigInteger),  # of the shop: given out of what was bought of it, and of nothing else
    Column("terms", Text, nullable=False, server_default="{}"),  # when, where and with what it holds (domain Terms)
)
Index("ix_coupon_template_merchant_id", coupon_template.c.merchant_id)

coupon_batch = Table(  # codes shown one after another, or papers printed together
    "coupon_batch",
    metadata,
    Column("batch_id", Text, primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("merchant_id", ForeignKey("merchant.merchant_id"), nullable=False),
    Column("template_id", ForeignKey("coupon_template.template_id"), nullable=False),
    Column("lot_id", ForeignKey("lot.lot_id"), nullable=False),
    Column("way", Text, nullable=False),  # SCREEN, PAPER
    Column("anywhere", Boolean, nullable=False, server_default=false()),  # at all its template's lots
    Column("value", BigInteger, nullable=False),  # typed for a custom kind, else 0
    Column("total", Integer, nullable=False),  # how many in all
    Column("made_ms", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("branch_id", BigInteger, nullable=False, server_default="0"),  # that hands it out; 0: none
    Column("ended_ms", BigInteger),
    Column("why", Text, nullable=False),  # it ended: closed, all_given, or the code of a refusal
)
Index("ix_coupon_batch_merchant_id_made_ms", coupon_batch.c.merchant_id, coupon_batch.c.made_ms)

wallet = Table(  # what was claimed for one plate on one phone
    "wallet",
    metadata,
    Column("wallet_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("plate", Text, nullable=False),
    Column("code_hash", Text, nullable=False),  # of the code that shows it on another phone; empty once used
    Column("code_until_ms", BigInteger, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
)
Index("ix_wallet_plate", wallet.c.plate)

wallet_key = Table(
    "wallet_key",
    metadata,
    Column("key_hash", Text, primary_key=True),  # of a phone's secret
    Column("wallet_id", ForeignKey("wallet.wallet_id"), primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)

coupon_rule = Table(
    "coupon_rule",
    metadata,
    Column("level", Text, primary_key=True),  # lot, merchant, coupon (S2.24)
    Column("subject_id", BigInteger, primary_key=True),  # of the lot, merchant or template
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("body", Text, nullable=False),  # canonical JSON: limits, and at a lot what goes together
    Column("changed_ms", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
)

coupon_blocked = Table(
    "coupon_blocked",
    metadata,
    Column("blocked_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("plate", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("ended_ms", BigInteger),
    Column("ended_by", Text),
)
Index("ix_coupon_blocked_plate", coupon_blocked.c.plate)

coupon_poster = Table(
    "coupon_poster",
    metadata,
    Column("poster_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("merchant_id", ForeignKey("merchant.merchant_id"), nullable=False),
    Column("template_id", ForeignKey("coupon_template.template_id"), nullable=False),
    Column("lot_id", ForeignKey("lot.lot_id"), nullable=False),
    Column("anywhere", Boolean, nullable=False, server_default=false()),  # at all its template's lots
    Column("code", Text, nullable=False, unique=True),  # what the printed QR says: used many times (E11)
    Column("name", Text, nullable=False),
    Column("branch_id", BigInteger, nullable=False, server_default="0"),  # that hands it out; 0: none
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("ended_ms", BigInteger),
)
Index("ix_coupon_poster_merchant_id", coupon_poster.c.merchant_id)

coupon = Table(
    "coupon",
    metadata,
    Column("coupon_id", Text, primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("merchant_id", ForeignKey("merchant.merchant_id"), nullable=False),
    Column("template_id", ForeignKey("coupon_template.template_id"), nullable=False),
    Column("lot_id", ForeignKey("lot.lot_id"), nullable=False),
    Column("edge_id", ForeignKey("edge.edge_id"), nullable=False),  # the one edge that may redeem it
    Column("anywhere", Boolean, nullable=False, server_default=false()),  # its claim made it that lot's
    Column("serial", Text, nullable=False, unique=True),  # S1.41
    Column("stay_id", Text, nullable=False),
    Column("plate", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("value", BigInteger, nullable=False),
    Column("state", Text, nullable=False),  # E1
    Column("reserved_bonus", BigInteger, nullable=False),  # of the commodity below, kept apart by funds (E15)
    Column("reserved_paid", BigInteger, nullable=False),
    Column("reserved_free", BigInteger, nullable=False),  # of the month's allotment at its lot
    Column("reserved_bought", BigInteger, nullable=False, server_default="0"),  # of a purchase
    Column("purse", Text, nullable=False, server_default="available"),  # the account it was taken from
    Column("branch_id", BigInteger, nullable=False, server_default="0"),  # that gave it; 0: none
    Column("commodity", Text, nullable=False),
    Column("contract_version", Integer, nullable=False),
    Column("cap_fen", BigInteger, nullable=False),  # the most it may take off; 0: no limit
    Column("charged", BigInteger),  # of what was reserved, once used
    Column("issued_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("is_expired", Boolean, nullable=False),  # told of once; its value returns later
    Column("issued_by", Text, nullable=False),
    Column("voided_ms", BigInteger),
    Column("void_reason", Text, nullable=False),
    Column("void_version", BigInteger),  # of the coupons channel: the edge knows of its void or end from here on
    Column("kept_by", Text, nullable=False, server_default=""),  # withdrawn after this open stay had paid with it
    Column("redeemed_ms", BigInteger),
    Column("off_fen", BigInteger),
    Column("pass_id", Text, nullable=False, server_default=""),  # uses of one pass share it (E10)
    Column("batch_id", Text),  # of those that drivers claim, as the next two
    Column("token", Text),  # what its QR says: good for one claim
    Column("claim_until_ms", BigInteger),
    Column("bound_ms", BigInteger),  # NULL: nobody has claimed it
    Column("wallet_id", BigInteger),  # of the driver who claimed it
)
Index("ix_coupon_token", coupon.c.token, unique=True)
Index("ix_coupon_batch_id", coupon.c.batch_id)
Index("ix_coupon_wallet_id", coupon.c.wallet_id)
Index("ix_coupon_plate", coupon.c.plate)
_OF_MERCHANT = coupon.c.operator_id, coupon.c.merchant_id
Index("ix_coupon_issued", coupon.c.operator_id, coupon.c.issued_ms)
Index("ix_coupon_issued_by_merchant", *_OF_MERCHANT, coupon.c.issued_ms)
Index("ix_coupon_issued_by_branch", *_OF_MERCHANT, coupon.c.branch_id, coupon.c.issued_ms)
_USED: dict[str, Any] = dict.fromkeys(("sqlite_where", "postgresql_where"), coupon.c.redeemed_ms.is_not(None))
Index("ix_coupon_redeemed", coupon.c.operator_id, coupon.c.redeemed_ms, **_USED)
Index("ix_coupon_redeemed_by_merchant", *_OF_MERCHANT, coupon.c.redeemed_ms, **_USED)
Index("ix_coupon_waiting", coupon.c.operator_id, coupon.c.state, coupon.c.expires_ms)  # for their end, every minute
Index("ix_coupon_of_template", coupon.c.template_id, coupon.c.issued_ms)  # how many there may be of it
Index("ix_coupon_stay_id", coupon.c.stay_id)
Index("ix_coupon_edge_id_state", coupon.c.edge_id, coupon.c.state)

coupon_rebind = Table(
    "coupon_rebind",
    metadata,
    Column("rebind_id", big_id(), primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("coupon_id", ForeignKey("coupon.coupon_id"), nullable=False),
    Column("from_plate", Text, nullable=False),
    Column("to_plate", Text, nullable=False),
    Column("from_stay", Text, nullable=False),
    Column("to_stay", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
)
Index("ix_coupon_rebind_coupon_id", coupon_rebind.c.coupon_id)

voucher_binding = Table(  # a slip whose driver said which car it is for
    "voucher_binding",
    metadata,
    Column("key_id", BigInteger, primary_key=True, autoincrement=False),
    Column("counter", BigInteger, primary_key=True, autoincrement=False),
    Column("operator_id", BigInteger, nullable=False),
    Column("lot_id", BigInteger, nullable=False),
    Column("plate", Text, nullable=False),
    Column("bound_ms", BigInteger, nullable=False),
)

voucher = Table(
    "voucher",
    metadata,
    Column("key_id", BigInteger, primary_key=True),
    Column("counter", BigInteger, primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("edge_id", Text, nullable=False),
    Column("lot_id", BigInteger, nullable=False),
    Column("lease_id", BigInteger, nullable=False),
    Column("merchant_id", BigInteger, nullable=False),
    Column("template_id", BigInteger, nullable=False),
    Column(
        "reserved", BigInteger, nullable=False
    ),  # held in outstanding; less than the amount when the lease was short
    Column("unfunded", BigInteger, nullable=False),  # the rest, at the operator's expense
    Column("commodity", Text, nullable=False),
    Column("funds", Text, nullable=False),
    Column("cap_fen", BigInteger, nullable=False),
    Column("not_after_min", BigInteger, nullable=False),
    Column("print_state", Text, nullable=False),
    Column("state", Text, nullable=False),  # OUTSTANDING, REDEEMED, VOIDED, EXPIRING, EXPIRED
    Column("issued_ms", BigInteger, nullable=False),
    Column("issued_by", Text, nullable=False),
    Column("off_fen", BigInteger),
    Column("charged", BigInteger),  # of what was reserved, once used
    Column("void_version", BigInteger),  # of the vstate channel: the lot knows of its end from here on
    Column("kept_by", Text, nullable=False, server_default=""),  # withdrawn after this open stay had paid with it
)
Index("ix_voucher_waiting", voucher.c.operator_id, voucher.c.state, voucher.c.not_after_min)
Index("ix_voucher_issued", voucher.c.operator_id, voucher.c.issued_ms)
Index("ix_voucher_issued_by_merchant", voucher.c.operator_id, voucher.c.merchant_id, voucher.c.issued_ms)

redemption = Table(
    "redemption",
    metadata,
    Column("redemption_id", Text, primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("lot_id", BigInteger, nullable=False),
    Column("subject", Text, nullable=False),  # "coupon:<id>" or "voucher:<key>:<counter>"
    Column("stay_id", Text, nullable=False),
    Column("off_fen", BigInteger, nullable=False),
    Column("charged", Boolean, nullable=False),  # False: a later use, at the operator's expense
    Column("redeemed_ms", BigInteger, nullable=False),
    Column("restored_ms", BigInteger),  # taken back with the end of its stay
    UniqueConstraint("event_id"),
)
Index("ix_redemption_subject", redemption.c.subject)
Index("ix_redemption_stay_id", redemption.c.stay_id)
Index("ix_redemption_lot_id_redeemed_ms", redemption.c.lot_id, redemption.c.redeemed_ms)
