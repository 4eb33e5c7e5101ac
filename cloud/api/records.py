"""Calls about what was given and what it took off: records, figures, and plates that get many coupons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Select

from cloud.access.scopes import Scope
from cloud.act import Act, Refused
from cloud.api.lots import plates_shown
from cloud.api.operation import Ask, Operation
from cloud.api.schema import AT_MS, DAY, FLAG, ID, MOMENT, PAGE, WHOLE, listing, maybe, one_of, record, text, whole
from cloud.coupons import often, papers, records, reporting
from cloud.coupons.life import State
from cloud.coupons.records import KINDS, Sought
from cloud.days import day_at, parse_day
from cloud.db import paged
from cloud.lots import service as lots
from plumbing.web import Page


def list_usage(conn: Connection, act: Act, ask: Ask) -> Any:
    """Every coupon given, newest first."""
    return _listed(conn, act, ask, records.usage)


def list_discounts(conn: Connection, act: Act, ask: Ask) -> Any:
    """What took something off the fee of a car that has left, newest first."""
    return _listed(conn, act, ask, records.discounts)


def list_papers(conn: Connection, act: Act, ask: Ask) -> Any:
    """What counters printed, newest first."""
    return _listed(conn, act, ask, papers.usage)


def _listed(conn: Connection, act: Act, ask: Ask, query: Callable[[int, Sought], Select[Any]]) -> Any:
    asked = ask.query
    sought = Sought(
        ask.merchant(asked.get("merchant_id")), asked.get("branch_id", 0),
        asked.get("q", "").strip().upper() if ask.may(Scope.PLATES) else "", asked.get("kind", ""),
        asked.get("state", ""), asked.get("from_ms"), asked.get("until_ms"),
    )  # fmt: skip
    found = paged(conn, query(act.operator_id, sought), ask.page)
    stays = lots.stays(conn, act.operator_id, [row["of_stay"] for row in found.items])
    told = [_told(ask, dict(row), stays.get(row["of_stay"])) for row in found.items]
    return Page(told, found.number, found.total, found.size, found.more)


def _told(ask: Ask, row: dict[str, Any], stay: Any) -> dict[str, Any]:
    of_stay = dict.fromkeys(("entered_ms", "left_ms", "fee_fen")) if stay is None else stay
    row |= {name: of_stay[name] for name in ("entered_ms", "left_ms", "fee_fen")}
    row.setdefault("plate", "" if stay is None else stay["plate"])
    return plates_shown(ask, row | {"state": records.shown(row) if "is_expired" in row else row["state"]})


def figures(conn: Connection, act: Act, ask: Ask) -> Any:
    """How far coupons got, what they took off by merchant and day, who gives most; a year at most, its end first."""
    days = {name: parse_day(ask.query[name]) for name in ("from", "to") if name in ask.query}
    if None in days.values():
        return Refused("day_malformed")
    period = reporting.period(days.get("from"), days.get("to"), day_at(act.now_ms, ask.cloud.zone))
    told = reporting.figures(conn, act.operator_id, *period, ask.cloud.zone, act.now_ms)
    return {
        "from": period[0].isoformat(),
        "to": period[1].isoformat(),
        **asdict(told),
        "top": [{"merchant": name, "off_fen": fen} for name, fen in reporting.top(told)],
    }


def plates_with_many(conn: Connection, act: Act, ask: Ask) -> Any:
    """Plates with many coupons in a month from one merchant, or from one person."""
    month = often.month_of(ask.query.get("month", ""), act.now_ms, ask.cloud.zone)
    least, by_staff = ask.query.get("least", often.USUAL_LEAST), ask.query.get("by_staff", False)
    found = often.plates_with(conn, act.operator_id, month, least, by_staff=by_staff)
    return [plates_shown(ask, asdict(one)) for one in found]


_WORTH = {
    "merchant_id": WHOLE, "template_id": WHOLE, "template_name": maybe(text()), "kind": maybe(text()),
    "value": maybe(WHOLE), "lot_id": WHOLE, "plate": text(), "state": text(), "issued_ms": MOMENT,
    "issued_by": text(), "redeemed_ms": maybe(MOMENT), "off_fen": maybe(WHOLE), "entered_ms": maybe(MOMENT),
    "left_ms": maybe(MOMENT), "fee_fen": maybe(WHOLE),
}  # fmt: skip
_COUPON = record({
    "coupon_id": text(), "serial": text(), "branch_id": WHOLE, "bound_ms": maybe(MOMENT), "expires_ms": MOMENT,
    **_WORTH,
})  # fmt: skip
_PAPER = record({"number": text(), **_WORTH})
_FIGURES = record({
    "from": text(), "to": text(), "funnel": record(dict.fromkeys(reporting.STEPS, WHOLE)), "off_fen": WHOLE,
    "used": WHOLE, "top": listing(record({"merchant": text(), "off_fen": WHOLE})),
    "days": listing(record({"day": text(), "merchant": text(), "coupons": WHOLE, "off_fen": WHOLE})),
})  # fmt: skip
_OFTEN = record({
    "plate": text(), "merchant_id": WHOLE, "merchant": text(), "by": text(), "count": WHOLE, "used": WHOLE,
    "off_fen": WHOLE,
})  # fmt: skip
_SOUGHT = {
    "merchant_id": ID,
    "kind": one_of(*KINDS),
    "from_ms": AT_MS,
    "until_ms": AT_MS,
    "q": text(60),
    "page": PAGE,
}
_OF_COUPONS = {**_SOUGHT, "branch_id": ID, "state": one_of(*State)}
_MONTH = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"}

OPERATIONS = (
    Operation(
        "GET", "/records/usage", "list_usage", "Every coupon given, newest first", list_usage, listing(_COUPON),
        Scope.READ, for_merchants=True, query=_OF_COUPONS,
    ),
    Operation(
        "GET", "/records/discounts", "list_discounts", "What took something off the fee of a car that has left",
        list_discounts, listing(_COUPON), Scope.READ, for_merchants=True, query=_OF_COUPONS,
    ),
    Operation(
        "GET", "/records/papers", "list_papers", "What counters printed, and what became of it", list_papers,
        listing(_PAPER), Scope.READ, for_merchants=True, query={**_SOUGHT, "state": one_of(*papers.STATES)},
    ),
    Operation(
        "GET", "/reports/coupons", "get_figures", "The way of coupons, discounts by merchant and day, who gives most",
        figures, _FIGURES, Scope.READ, query={"from": DAY, "to": DAY},
    ),
    Operation(
        "GET", "/reports/often", "list_often", "Plates with many coupons in a month from one merchant, or one person",
        plates_with_many, listing(_OFTEN), Scope.READ,
        query={"month": _MONTH, "least": whole(1, 10**6), "by_staff": FLAG},
    ),
)  # fmt: skip
