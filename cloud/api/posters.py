"""Calls about posters: one printed code, many drivers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from cloud.access.scopes import Scope
from cloud.act import Act
from cloud.api.merchants import merchant_there
from cloud.api.operation import NO_BODY, Ask, Operation, done, made
from cloud.api.schema import DONE, FLAG, ID, MOMENT, MOST_ID, WHOLE, listing, maybe, record, text, whole
from cloud.coupons import posters
from domain.coupon.limits import MOST, limits_of

CAPS = ("per_day", "no_repeat", "day_total", "total")


def list_posters(conn: Connection, act: Act, ask: Ask) -> Any:
    """A merchant's posters with what their template still allows; one that was taken down has no address."""
    merchant_id = merchant_there(conn, act, ask)["merchant_id"]
    return [_told(ask, row) for row in posters.listed(conn, act.operator_id, merchant_id)]


def _told(ask: Ask, row: dict[str, Any]) -> dict[str, Any]:
    limits = {name: getattr(row["limits"], name) for name in CAPS}
    url = posters.url(ask.cloud.public_url, row["code"]) if row["ended_ms"] is None else ""
    return row | limits | {"url": url}


def put_up(conn: Connection, act: Act, ask: Ask) -> Any:
    """A poster; a plate must be capped."""
    body = ask.body
    caps = limits_of({name: body[name] for name in CAPS if name in body})
    lot_id = None if body.get("anywhere") else body.get("lot_id", 0)
    args = body["template_id"], lot_id, body["name"], caps, body.get("branch_id", 0)
    return made(posters.put_up(conn, act, ask.id("merchant_id"), *args), "poster_id")


def take_down(conn: Connection, act: Act, ask: Ask) -> Any:
    """It gives nothing any more."""
    return done(posters.take_down(conn, act, ask.id("merchant_id"), ask.id("poster_id")))


_POSTER = record({
    "poster_id": WHOLE, "template_id": WHOLE, "template_name": text(), "lot_id": WHOLE, "anywhere": FLAG,
    "branch_id": WHOLE, "name": text(), "url": text(2000), "given": WHOLE, "per_day": WHOLE, "no_repeat": FLAG,
    "day_total": WHOLE, "total": WHOLE, "created_ms": MOMENT, "created_by": text(), "ended_ms": maybe(MOMENT),
})  # fmt: skip
_MOST = whole(0, MOST)
_OWN = {"merchant_id": ID}

OPERATIONS = (
    Operation(
        "GET", "/merchants/{merchant_id}/posters", "list_posters", "Posters, those that give first", list_posters,
        listing(_POSTER), Scope.ISSUE, for_merchants=True, within=_OWN,
    ),
    Operation(
        "POST", "/merchants/{merchant_id}/posters", "put_up_poster", "A code to print once that gives many coupons",
        put_up, record({"poster_id": WHOLE}), Scope.ISSUE, for_merchants=True, within=_OWN, moves_money=True,
        status=201,
        body=record(
            {"template_id": ID, "name": text(60, 1)},
            {
                "lot_id": ID, "anywhere": FLAG, "branch_id": whole(0, MOST_ID), "per_day": _MOST, "no_repeat": FLAG,
                "day_total": _MOST, "total": _MOST,
            },
        ),
    ),
    Operation(
        "POST", "/merchants/{merchant_id}/posters/{poster_id}/down", "take_down_poster", "It gives nothing any more",
        take_down, DONE, Scope.ISSUE, for_merchants=True, within={**_OWN, "poster_id": ID}, body=NO_BODY,
    ),
)  # fmt: skip
