"""Calls about what the office pays out by hand."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from cloud.access.scopes import Scope
from cloud.act import Act
from cloud.api.operation import Ask, Operation, done, rows
from cloud.api.schema import DONE, ID, MOMENT, PAGE, WHOLE, listing, maybe, one_of, record, text
from cloud.paid import DUTIES
from cloud.payments import paying_out


def list_payouts(conn: Connection, act: Act, ask: Ask) -> Any:
    """What was agreed to, newest first."""
    query = ask.query
    return rows(paying_out.listed(conn, act.operator_id, query.get("state", ""), query.get("q", ""), ask.page))


def hand_over(conn: Connection, act: Act, ask: Ask) -> Any:
    """The payee has it."""
    how = ask.body["means"], ask.body.get("remark", "")
    return done(paying_out.hand_over(conn, act, DUTIES, ask.id("payout_id"), *how))


def take_back(conn: Connection, act: Act, ask: Ask) -> Any:
    """It is not handed over after all."""
    return done(paying_out.take_back(conn, act, DUTIES, ask.id("payout_id"), ask.body["reason"]))


_PAYOUT = record({
    "payout_id": WHOLE, "merchant_id": WHOLE, "payee": text(), "subject": text(), "commodity": text(), "amount": WHOLE,
    "reason": text(1000), "asked_by": text(), "agreed_by": text(), "agreed_ms": MOMENT, "state": text(),
    "means": text(), "remark": text(1000), "ended_by": text(), "ended_ms": maybe(MOMENT),
})  # fmt: skip
_ONE = {"payout_id": ID}
_REMARK = paying_out.REMARK_LENGTH

OPERATIONS = (
    Operation(
        "GET", "/payouts", "list_payouts", "What the office gives back by hand: due, paid or taken back", list_payouts,
        listing(_PAYOUT), Scope.MONEY, query={"state": one_of(*paying_out.STATES), "q": text(60), "page": PAGE},
    ),
    Operation(
        "POST", "/payouts/{payout_id}/hand-over", "hand_over_payout", "It was handed over, in cash or by transfer",
        hand_over, DONE, Scope.MONEY, within=_ONE, moves_money=True,
        body=record({"means": one_of(*paying_out.MEANS)}, {"remark": text(_REMARK)}),
    ),
    Operation(
        "POST", "/payouts/{payout_id}/take-back", "take_back_payout",
        "It is not handed over after all; what it came out of has it again", take_back, DONE, Scope.MONEY, within=_ONE,
        moves_money=True, body=record({"reason": text(_REMARK, 1)}),
    ),
)  # fmt: skip
