"""Calls about days laid side by side: the lots' books, ours, the providers' bills, and what differs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from cloud.access.scopes import Scope
from cloud.act import Act, Refused
from cloud.api.operation import Ask, Operation, done, rows
from cloud.api.schema import DAY, DONE, FLAG, ID, MOMENT, PAGE, WHOLE, listing, maybe, record, text
from cloud.days import parse_day
from cloud.payments import bills
from cloud.reconciling import service
from cloud.reconciling.comparing import Sums
from plumbing.web import Page


def list_days(conn: Connection, act: Act, ask: Ask) -> Any:
    """Days by lot, newest first."""
    found = service.listed(conn, act.operator_id, page=ask.page)
    told = [
        {"lot_id": day.lot_id, "day": day.day, "open": day.open, "made_ms": day.made_ms, **day.sums.as_json()}
        for day in found.items
    ]
    return Page(told, found.number, found.total, found.size, found.more)


def make_day(conn: Connection, act: Act, ask: Ask) -> Any:
    """Lay one day side by side now."""
    day = parse_day(ask.body["day"])
    found = Refused("day_malformed") if day is None else service.make(conn, act, ask.body["lot_id"], day)
    return found if isinstance(found, Refused) else {"differences": len(found)}


def day_differences(conn: Connection, act: Act, ask: Ask) -> Any:
    """What the books of days do not share, newest day first."""
    only_open = not ask.query.get("all", False)
    return rows(service.differences(conn, act.operator_id, only_open=only_open, page=ask.page))


def close_day_difference(conn: Connection, act: Act, ask: Ask) -> Any:
    """It was worked off."""
    return done(service.close(conn, act, ask.id("difference_id"), ask.body["reason"]))


def list_bills(conn: Connection, act: Act, ask: Ask) -> Any:
    """Providers' bills beside our book."""
    return rows(bills.listed(conn, act.operator_id, ask.page))


def bill_differences(conn: Connection, act: Act, ask: Ask) -> Any:
    """What bills and our book do not share."""
    only_open = not ask.query.get("all", False)
    return rows(bills.differences(conn, act.operator_id, only_open=only_open, page=ask.page))


def close_bill_difference(conn: Connection, act: Act, ask: Ask) -> Any:
    """It was worked off."""
    return done(bills.close(conn, act, ask.id("difference_id"), ask.body["reason"]))


_CLOSED = {"closed_ms": maybe(MOMENT), "closed_by": text(), "reason": text(1000)}
_DAY = record({
    "lot_id": WHOLE, "day": text(), "open": WHOLE, "made_ms": MOMENT, **dict.fromkeys(Sums().as_json(), WHOLE),
})  # fmt: skip
_DAY_DIFFERENCE = record({
    "difference_id": WHOLE, "lot_id": WHOLE, "day": text(), "kind": text(), "subject": text(), "here": WHOLE,
    "there": WHOLE, **_CLOSED,
})  # fmt: skip
_BILL = record({
    "account_id": WHOLE, "name": text(), "day": text(), "lines": WHOLE, "paid_fen": WHOLE, "refunded_fen": WHOLE,
    "fee_fen": WHOLE, "ours_paid_fen": WHOLE, "ours_refunded_fen": WHOLE, "taken_ms": MOMENT,
})  # fmt: skip
_BILL_DIFFERENCE = record({
    "difference_id": WHOLE, "account_id": WHOLE, "name": text(), "day": text(), "kind": text(), "number": text(),
    "refund_id": text(), "ours_fen": WHOLE, "theirs_fen": WHOLE, **_CLOSED,
})  # fmt: skip
_ONE, _REASON = {"difference_id": ID}, record({"reason": text(service.REASON_LENGTH, 1)})
_OPEN = {"all": FLAG, "page": PAGE}

OPERATIONS = (
    Operation(
        "GET", "/days", "list_days", "Lots' days laid side by side, newest first; fen, but cars, orders and minutes",
        list_days, listing(_DAY), Scope.READ, query={"page": PAGE},
    ),
    Operation(
        "POST", "/days", "make_day", "Lay one day of a lot side by side now", make_day, record({"differences": WHOLE}),
        Scope.MONEY, moves_money=True, body=record({"lot_id": ID, "day": DAY}),
    ),
    Operation(
        "GET", "/day-differences", "list_day_differences", "What the books of a day do not share", day_differences,
        listing(_DAY_DIFFERENCE), Scope.READ, query=_OPEN,
    ),
    Operation(
        "POST", "/day-differences/{difference_id}/close", "close_day_difference", "It was worked off",
        close_day_difference, DONE, Scope.MONEY, within=_ONE, moves_money=True, body=_REASON,
    ),
    Operation(
        "GET", "/bills", "list_bills", "Providers' bills of days beside our book", list_bills, listing(_BILL),
        Scope.READ, query={"page": PAGE},
    ),
    Operation(
        "GET", "/bill-differences", "list_bill_differences", "What bills and our book do not share", bill_differences,
        listing(_BILL_DIFFERENCE), Scope.READ, query=_OPEN,
    ),
    Operation(
        "POST", "/bill-differences/{difference_id}/close", "close_bill_difference", "It was worked off",
        close_bill_difference, DONE, Scope.MONEY, within=_ONE, moves_money=True, body=_REASON,
    ),
)  # fmt: skip
