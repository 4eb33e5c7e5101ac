"""What WeChat Pay's JSON and bills mean in our words. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from cloud.payments.provider import BillLine, Outcome, ProviderError, State

CHINA = timezone(timedelta(hours=8))

TRADE_STATES = {
    "SUCCESS": State.PAID,
    "REFUND": State.REFUNDED,
    "NOTPAY": State.WAITING,
    "USERPAYING": State.WAITING,
    "ACCEPT": State.WAITING,
    "CLOSED": State.CLOSED,
    "REVOKED": State.CLOSED,
    "PAYERROR": State.CLOSED,
}
REFUND_STATES = {
    "SUCCESS": State.REFUNDED,
    "PROCESSING": State.WAITING,
    "CLOSED": State.CLOSED,
    "ABNORMAL": State.CLOSED,  # the payer's card is gone: the merchant platform must send it elsewhere
}


def when_ms(text: str | None) -> int | None:
    """A time as WeChat writes it (RFC 3339)."""
    return None if not text else int(datetime.fromisoformat(text).timestamp() * 1000)


def trade(values: Mapping[str, Any]) -> Outcome:
    """A payment. *total* is what was asked; what coupons of WeChat's took off the payer is WeChat's matter."""
    state = TRADE_STATES.get(str(values.get("trade_state")), State.UNKNOWN)
    amount = values.get("amount") or {}
    if amount.get("currency", "CNY") != "CNY":
        raise ProviderError(f"another currency: {amount}")
    return Outcome(
        state,
        int(amount.get("total", 0)),
        str(values.get("transaction_id", "")),
        str((values.get("payer") or {}).get("openid", "")),
        when_ms(values.get("success_time")),
        str(values.get("trade_state_desc", "")),
    )


def refund(values: Mapping[str, Any]) -> Outcome:
    """A refund; its notices name the state otherwise than answers do."""
    told = str(values.get("status") or values.get("refund_status"))
    amount = values.get("amount") or {}
    return Outcome(
        REFUND_STATES.get(told, State.UNKNOWN),
        int(amount.get("refund", 0)),
        str(values.get("refund_id", "")),
        happened_ms=when_ms(values.get("success_time")),
        detail=told,
    )


def fen(text: str) -> int:
    """An amount of a bill in yuan, up to five places, rounded to fen."""
    return int((Decimal(text or "0") * 100).to_integral_value(ROUND_HALF_UP))


def bill(text: str) -> Iterator[BillLine]:
    """The lines of a day's trade bill (交易账单, bill_type ALL). Raises ProviderError when it is no bill."""
    rows = list(csv.reader(text.lstrip("\ufeff").splitlines()))
    if not rows or "商户订单号" not in rows[0]:
        raise ProviderError("the bill has no line of titles")
    names = [name.strip() for name in rows[0]]
    for row in rows[1:]:
        if len(row) != len(names) or not row[0].startswith("`"):
            return  # the sums at the end
        yield _line({name: cell.removeprefix("`").strip() for name, cell in zip(names, row, strict=True)})


def _line(row: Mapping[str, str]) -> BillLine:
    happened = datetime.strptime(row["交易时间"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA)
    number, at = row["商户订单号"], int(happened.timestamp() * 1000)
    fee = fen(row["手续费"])
    if row["交易状态"] == "SUCCESS":
        paid = fen(row.get("订单金额") or row["应结订单金额"])
        return BillLine(number, paid, fee, row["微信订单号"], at)
    back = fen(row.get("申请退款金额") or row["退款金额"])
    refund_number = row["商户退款单号"] if row["交易状态"] == "REFUND" else row["交易状态"]
    return BillLine(number, back, fee, row["微信退款单号"], at, refund_number)
