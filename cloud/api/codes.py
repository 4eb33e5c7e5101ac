"""Calls about codes drivers claim, on a screen or on paper, and vouchers a lot prints for a merchant."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping

from cloud.access.scopes import Scope
from cloud.act import Act
from cloud.api.lots import plates_shown
from cloud.api.merchants import merchant_there
from cloud.api.operation import Ask, NotThereError, Operation, done, made, rows
from cloud.api.schema import (
    DONE,
    FLAG,
    ID,
    MOMENT,
    MOST_ID,
    NAMED,
    PAGE,
    WHOLE,
    listing,
    maybe,
    one_of,
    record,
    text,
    whole,
)  # fmt: skip
from cloud.coupons import codes, lot_printing, records, voiding
from cloud.coupons.codes import Way
from domain.claim_code import claim_url


def list_batches(conn: Connection, act: Act, ask: Ask) -> Any:
    """Batches of one way, newest first."""
    way = Way(ask.query.get("way", Way.PAPER))
    return rows(codes.batches(conn, act.operator_id, merchant_there(conn, act, ask)["merchant_id"], way, ask.page))


def get_batch(conn: Connection, act: Act, ask: Ask) -> Any:
    """One batch with what of it can be claimed now; whoever holds an address holds its coupon."""
    batch = codes.get(conn, act.operator_id, ask.id("merchant_id"), ask.path["batch_id"])
    if batch is None:
        raise NotThereError
    return {**batch, "coupons": [_coupon(ask, row) for row in codes.of_batch(conn, batch["batch_id"])]}


def _coupon(ask: Ask, row: RowMapping) -> dict[str, Any]:
    waits = row["state"] in voiding.UNCLAIMED and row["claim_until_ms"] >= ask.cloud.now_ms()
    url = claim_url(ask.cloud.public_url, row["token"]) if waits else ""
    return plates_shown(ask, {**row, "state": records.shown(row), "url": url})


def _for_whom(ask: Ask) -> dict[str, Any]:
    """Whether it is good at all the coupon's lots, and which branch hands it out."""
    return {"anywhere": ask.body.get("anywhere", False), "branch_id": ask.body.get("branch_id", 0)}


def show_code(conn: Connection, act: Act, ask: Ask) -> Any:
    """A screen's batch; its first code is there."""
    body = ask.body
    args = body["template_id"], body.get("value", 0), body.get("most", 1), body.get("lot_id", 0)
    return made(codes.open_screen(conn, act, ask.id("merchant_id"), *args, **_for_whom(ask)), "batch_id")


def print_papers(conn: Connection, act: Act, ask: Ask) -> Any:
    """Coupons to print, all of them or none."""
    body = ask.body
    args = body["template_id"], body.get("value", 0), body["copies"], body.get("lot_id", 0)
    return made(codes.print_papers(conn, act, ask.id("merchant_id"), *args, **_for_whom(ask)), "batch_id")


def refresh(conn: Connection, act: Act, ask: Ask) -> Any:
    """Another code in place of the one shown, which is dead."""
    return done(codes.show_again(conn, act, ask.id("merchant_id"), ask.path["batch_id"]))


def close(conn: Connection, act: Act, ask: Ask) -> Any:
    """Withdraw what nobody has claimed."""
    reason = ask.body.get("reason", "")
    return done(codes.close(conn, act, ask.id("merchant_id"), ask.path["batch_id"], reason))


def print_at_lot(conn: Connection, act: Act, ask: Ask) -> Any:
    """Vouchers on a lot's own printer, asked for once."""
    body = ask.body
    args = body["template_id"], body.get("lot_id", 0), body["count"]
    return done(lot_printing.ask(conn, act, ask.id("merchant_id"), *args))


def list_prints(conn: Connection, act: Act, ask: Ask) -> Any:
    """The last printings asked for, and what came of each."""
    asked = lot_printing.asked(conn, act.operator_id, merchant_there(conn, act, ask)["merchant_id"])
    return [{**row["body"], **row} for row in asked]


_VALUE, _LOT = whole(0, 10**7), whole(0, MOST_ID)
_WHOSE = {"anywhere": FLAG, "branch_id": whole(0, MOST_ID)}
_BATCH = {
    "batch_id": text(), "template_id": WHOLE, "lot_id": WHOLE, "anywhere": FLAG, "way": text(), "value": WHOLE,
    "total": WHOLE, "name": text(), "kind": text(), "made_ms": MOMENT, "made_by": text(), "ended_ms": maybe(MOMENT),
    "why": text(), "branch_id": WHOLE,
}  # fmt: skip
_CODE = record({
    "coupon_id": text(), "serial": text(), "state": text(), "url": text(2000), "claim_until_ms": maybe(MOMENT),
    "bound_ms": maybe(MOMENT), "plate": text(), "expires_ms": MOMENT,
})  # fmt: skip
_PRINT = record({
    "template_id": WHOLE, "count": WHOLE, "lot": text(), "by": text(), "made_ms": MOMENT, "expires_ms": maybe(MOMENT),
    "state": text(), "result": maybe(text(1000)),
})  # fmt: skip
_OWN = {"merchant_id": ID}
_ONE = {**_OWN, "batch_id": NAMED}
_AT = "/merchants/{merchant_id}"

OPERATIONS = (
    Operation(
        "GET", f"{_AT}/batches", "list_batches", "Batches of codes on screens or papers, newest first", list_batches,
        listing(record({**_BATCH, "claimed": WHOLE})), Scope.READ, for_merchants=True, within=_OWN,
        query={"way": one_of(*Way), "page": PAGE},
    ),
    Operation(
        "GET", f"{_AT}/batches/{{batch_id}}", "get_batch", "One batch, with the addresses of what can be claimed now",
        get_batch, record({**_BATCH, "coupons": listing(_CODE)}), Scope.ISSUE, for_merchants=True, within=_ONE,
    ),
    Operation(
        "POST", f"{_AT}/codes", "show_code", "Begin to show codes, one at a time, so many in all", show_code,
        record({"batch_id": text()}), Scope.ISSUE, for_merchants=True, within=_OWN, moves_money=True, status=201,
        body=record(
            {"template_id": ID},
            {"value": _VALUE, "most": whole(1, codes.MOST_ON_SCREEN), "lot_id": _LOT, **_WHOSE},
        ),
    ),
    Operation(
        "POST", f"{_AT}/papers", "print_papers", "Coupons to print, each with a code of its own: all of them or none",
        print_papers, record({"batch_id": text()}), Scope.ISSUE, for_merchants=True, within=_OWN, moves_money=True,
        status=201,
        body=record(
            {"template_id": ID, "copies": whole(1, codes.MOST_PAPERS)},
            {"value": _VALUE, "lot_id": _LOT, **_WHOSE},
        ),
    ),
    Operation(
        "POST", f"{_AT}/batches/{{batch_id}}/fresh", "refresh_code", "Another code in place of the one shown", refresh,
        DONE, Scope.ISSUE, for_merchants=True, within=_ONE, moves_money=True, body=record({}),
    ),
    Operation(
        "POST", f"{_AT}/batches/{{batch_id}}/close", "close_batch", "Withdraw what of it nobody has claimed", close,
        DONE, Scope.ISSUE, for_merchants=True, within=_ONE, moves_money=True, body=record({}, {"reason": text(200)}),
    ),
    Operation(
        "POST", f"{_AT}/prints", "print_at_lot", "Vouchers on a lot's own printer, once or not at all", print_at_lot,
        DONE, Scope.ISSUE, for_merchants=True, within=_OWN, moves_money=True, status=202,
        body=record({"template_id": ID, "count": whole(1, lot_printing.MOST)}, {"lot_id": _LOT}),
    ),
    Operation(
        "GET", f"{_AT}/prints", "list_prints", "The last printings asked of lots, and what came of them", list_prints,
        listing(_PRINT), Scope.READ, for_merchants=True, within=_OWN,
    ),
)  # fmt: skip
