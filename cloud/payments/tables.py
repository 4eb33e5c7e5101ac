"""Tables of payments: accounts and what they are for, orders, tries to pay them, refunds, notices."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from cloud.db import big_id, metadata

pay_account = Table(
    "pay_account",
    metadata,
    Column("account_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("name", Text, nullable=False),  # as in the settings file, where its keys are named
    Column("provider", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    UniqueConstraint("operator_id", "name"),
)

pay_use = Table(  # which account takes the money of a lot and a purpose; the closest row counts
    "pay_use",
    metadata,
    Column("operator_id", ForeignKey("operator.operator_id"), primary_key=True),
    Column("lot_id", BigInteger, primary_key=True, autoincrement=False),  # 0: every lot, and money of no lot
    Column("purpose", Text, primary_key=True),  # fee, topup, purchase, monthly; "": all
    Column("provider", Text, primary_key=True),
    Column("account_id", ForeignKey("pay_account.account_id"), nullable=False),
)

pay_order = Table(
    "pay_order",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("subject", Text, nullable=False),  # what is paid for, in the words of the capability it is for
    Column("amount_fen", BigInteger, nullable=False),
    Column("lot_id", BigInteger),
    Column("merchant_id", BigInteger),
    Column("description", Text, nullable=False),  # what the payer reads
    Column("return_path", Text, nullable=False),  # the page to go on to, of this cloud
    Column("state", Text, nullable=False),  # open, paid, expired, cancelled
    Column("fulfilment", Text, nullable=False),  # "", done, or the reason why it could not be honoured
    Column("expires_ms", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("paid_ms", BigInteger),
)
Index("ix_pay_order_state_expires_ms", pay_order.c.state, pay_order.c.expires_ms)
Index("ix_pay_order_operator_id_created_ms", pay_order.c.operator_id, pay_order.c.created_ms)
Index("ix_pay_order_subject", pay_order.c.subject)

pay_try = Table(  # one number at a provider; a number is never used again, so one order may have several
    "pay_try",
    metadata,
    Column("number", Text, primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("order_id", ForeignKey("pay_order.order_id"), nullable=False),
    Column("account_id", ForeignKey("pay_account.account_id"), nullable=False),
    Column("way", Text, nullable=False),
    Column("state", Text, nullable=False),  # waiting, paid, closed, wrong (another amount than asked)
    Column("amount_fen", BigInteger, nullable=False),
    Column("paid_fen", BigInteger, nullable=False),
    Column("prepared", Text, nullable=False),  # JSON of what the payer needs, to show it again
    Column("provider_number", Text, nullable=False),
    Column("payer", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("ask_ms", BigInteger),  # when to ask the provider next; NULL: not any more
    Column("asked", Integer, nullable=False),
    Column("ended_ms", BigInteger),
)
Index("ix_pay_try_order_id", pay_try.c.order_id)
Index("ix_pay_try_ask_ms", pay_try.c.ask_ms)

pay_refund = Table(
    "pay_refund",
    metadata,
    Column("refund_id", Text, primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("order_id", ForeignKey("pay_order.order_id"), nullable=False),
    Column("number", ForeignKey("pay_try.number"), nullable=False),  # by the way it came
    Column("amount_fen", BigInteger, nullable=False),
    Column("cause", Text, nullable=False),  # unfulfillable, twice, fee, coupon, person
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),  # asked (waits for a second person), due, sent, done, refused, failed
    Column("asked_by", Text, nullable=False),
    Column("asked_ms", BigInteger, nullable=False),
    Column("agreed_by", Text, nullable=False),
    Column("sends", Integer, nullable=False),
    Column("ask_ms", BigInteger),  # when to send or ask again; NULL: not any more
    Column("done_ms", BigInteger),
    Column("detail", Text, nullable=False),  # what the provider said
    Column("once", Text, unique=True),  # cause:number or cause:id of the refunds that happen by themselves
)
Index("ix_pay_refund_order_id", pay_refund.c.order_id)
Index("ix_pay_refund_ask_ms", pay_refund.c.ask_ms)

pay_out = Table(  # money the office gives back by hand: agreed to, then handed over or taken back
    "pay_out",
    metadata,
    Column("payout_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("merchant_id", BigInteger, nullable=False),
    Column("payee", Text, nullable=False),  # as it was called when it was agreed to
    Column("subject", Text, nullable=False),  # what it comes out of: merchant:7 is its purse, or purchase:3
    Column("commodity", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("agreed_by", Text, nullable=False),  # who asked, where nobody else had to agree
    Column("agreed_ms", BigInteger, nullable=False),
    Column("state", Text, nullable=False),  # due, paid, taken_back
    Column("means", Text, nullable=False),  # cash or transfer; "" before
    Column("remark", Text, nullable=False),  # of who ended it
    Column("ended_by", Text, nullable=False),
    Column("ended_ms", BigInteger),
)
Index("ix_pay_out_operator_id_state", pay_out.c.operator_id, pay_out.c.state)
Index("ix_pay_out_merchant_id_state", pay_out.c.merchant_id, pay_out.c.state)

pay_notice = Table(  # each notice of a provider once, and what came of it
    "pay_notice",
    metadata,
    Column("notice_id", Text, primary_key=True),  # account:id of the provider
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("account_id", ForeignKey("pay_account.account_id"), nullable=False),
    Column("number", Text, nullable=False),
    Column("refund_id", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("received", Integer, nullable=False),  # times
    Column("first_ms", BigInteger, nullable=False),
)
Index("ix_pay_notice_number", pay_notice.c.number)

pay_bill = Table(  # a provider's bill of one day, as it was taken
    "pay_bill",
    metadata,
    Column("account_id", ForeignKey("pay_account.account_id"), primary_key=True),
    Column("day", Text, primary_key=True),  # 2026-01-31, by the provider's calendar
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("lines", Integer, nullable=False),
    Column("paid_fen", BigInteger, nullable=False),
    Column("refunded_fen", BigInteger, nullable=False),
    Column("fee_fen", BigInteger, nullable=False),
    Column("ours_paid_fen", BigInteger, nullable=False),
    Column("ours_refunded_fen", BigInteger, nullable=False),
    Column("taken_ms", BigInteger, nullable=False),
)

pay_difference = Table(  # what a bill and our orders do not share, until a person worked it off (E72)
    "pay_difference",
    metadata,
    Column("difference_id", big_id(), primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("account_id", ForeignKey("pay_account.account_id"), nullable=False),
    Column("day", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("refund_id", Text, nullable=False),
    Column("ours_fen", BigInteger, nullable=False),
    Column("theirs_fen", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
    Column("closed_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    UniqueConstraint("account_id", "day", "kind", "number", "refund_id"),
)

pay_invoice = Table(
    "pay_invoice",
    metadata,
    Column("invoice_id", Text, primary_key=True),
    Column("operator_id", ForeignKey("operator.operator_id"), nullable=False),
    Column("order_id", ForeignKey("pay_order.order_id")),  # NULL: paid at the office
    Column("paid_here", Text, nullable=False, server_default=""),  # there: what, as "topup-12"
    Column("merchant_id", BigInteger),  # there: whose
    Column("live", Text, unique=True),  # order or paid_here while this one stands: never two for one payment (E23)
    Column("amount_fen", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("tax_number", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("state", Text, nullable=False),  # requested, issued, refused, to_reverse, reversed
    Column("requested_by", Text, nullable=False),
    Column("requested_ms", BigInteger, nullable=False),
    Column("invoice_number", Text, nullable=False),
    Column("reversal_number", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_ms", BigInteger),
    Column("reason", Text, nullable=False),
)
Index("ix_pay_invoice_order_id", pay_invoice.c.order_id)
Index("ix_pay_invoice_merchant_id", pay_invoice.c.merchant_id)
