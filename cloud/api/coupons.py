"""Calls about templates, coupons and vouchers."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Connection

from cloud.access.scopes import Scope
from cloud.act import Act, Refused
from cloud.api.lots import plates_shown, shown_page
from cloud.api.merchants import merchant_there
from cloud.api.operation import NO_BODY, Ask, NotThereError, Operation, done, made, rows
from cloud.api.schema import (
    DAY,
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
from cloud.coupons import checking, wallets
from cloud.coupons import service as coupons
from cloud.coupons.service import Kind
from cloud.coupons.slip_pages import genuine
from cloud.lots import service as lots
from domain.coupon.model import Meaning, Remainder
from domain.coupon.terms import MOST_MINUTES, MOST_USES, terms_of
from domain.plate import normalise


def list_templates(conn: Connection, act: Act, ask: Ask) -> Any:
    """Templates that may be issued from."""
    merchant_id = merchant_there(conn, act, ask)["merchant_id"]
    found = coupons.templates(conn, act.operator_id, merchant_id)
    return [dict(row) | {"terms": json.loads(row["terms"])} for row in found]


def create_template(conn: Connection, act: Act, ask: Ask) -> Any:
    """A template; it can be deleted, never changed."""
    values = {"value": 0, **ask.body}
    try:
        values["terms"] = terms_of(values.get("terms"))
    except ValueError:
        return Refused("terms_malformed")
    return made(coupons.create_template(conn, act, ask.id("merchant_id"), **values), "template_id")


def delete_template(conn: Connection, act: Act, ask: Ask) -> Any:
    """Issue nothing more from it."""
    return done(coupons.delete_template(conn, act, ask.id("merchant_id"), ask.id("template_id")))


def issue(conn: Connection, act: Act, ask: Ask) -> Any:
    """A coupon to a car inside, named by its stay or its plate."""
    body = ask.body
    merchant_id = ask.merchant(body["merchant_id"])
    stay_id = body.get("stay_id") or _stay_of(conn, act.operator_id, body.get("plate", ""))
    how = {name: body[name] for name in ("value", "branch_id", "count") if name in body}
    result = coupons.issue(conn, act, merchant_id or 0, body["template_id"], stay_id, **how)
    return result if isinstance(result, Refused) else asdict(result)


def _stay_of(conn: Connection, operator_id: int, plate: str) -> str:
    wanted = normalise(plate)
    found = lots.cars_inside(conn, operator_id, wanted).items if wanted else []
    exact = [str(row["stay_id"]) for row in found if row["plate"] == wanted]
    return exact[0] if len(exact) == 1 else ""


def void(conn: Connection, act: Act, ask: Ask) -> Any:
    """Take an unused coupon back."""
    return done(coupons.void(conn, act, ask.path["coupon_id"], ask.body["reason"], ask.caller.merchant_id))


def rebind(conn: Connection, act: Act, ask: Ask) -> Any:
    """Move an unused coupon to another plate: the driver mistyped (E4)."""
    body = ask.body
    return done(coupons.rebind(conn, act, ask.path["coupon_id"], body["plate"], body["reason"], ask.caller.merchant_id))


def tell_driver(conn: Connection, act: Act, ask: Ask) -> Any:
    """A one-time code with which the driver of a car that was given coupons sees them."""
    result = wallets.tell_driver(conn, act, ask.path["coupon_id"], ask.caller.merchant_id)
    return result if isinstance(result, Refused) else plates_shown(ask, asdict(result))


def list_coupons(conn: Connection, act: Act, ask: Ask) -> Any:
    """Coupons, newest first."""
    search = ask.query.get("q", "").strip().upper() if ask.may(Scope.PLATES) else ""
    merchant_id = ask.merchant(ask.query.get("merchant_id"))
    return shown_page(ask, coupons.coupons(conn, act.operator_id, merchant_id, search, ask.page))


def check(conn: Connection, act: Act, ask: Ask) -> Any:
    """What a serial, a voucher's number or what its code says stands for; looked at, never redeemed."""
    found = checking.look(conn, act.operator_id, ask.query.get("q", ""), genuine, act.now_ms)
    if found is None:
        raise NotThereError
    row = found.row
    worth = {"name": row.get("template_name") or row.get("name"), "kind": row["kind"], "value": row["value"]}
    return plates_shown(ask, {each.name: getattr(found, each.name) for each in fields(found)} | worth)


def list_vouchers(conn: Connection, act: Act, ask: Ask) -> Any:
    """Vouchers printed at lots, newest first."""
    merchant_id = ask.merchant(ask.query.get("merchant_id"))
    return rows(coupons.vouchers(conn, act.operator_id, merchant_id, ask.page))


_KIND = one_of(*(each.value for each in Kind))
_MEANING, _REMAINDER = one_of(*(each.value for each in Meaning)), one_of(*(each.value for each in Remainder))
_MINUTE = whole(0, 1439)
_TERMS = record({}, {
    "begins": DAY, "ends": DAY, "weekdays": listing(whole(0, 6), 7), "hours": listing(listing(_MINUTE, 2), 10),
    "lots": listing(ID, 200), "min_stay": whole(0, MOST_MINUTES), "leave_within": whole(0, MOST_MINUTES),
    "max_minutes": whole(0, MOST_MINUTES),
    "until": _MINUTE, "uses": whole(1, MOST_USES), "alone": FLAG, "per_stay": whole(0, MOST_USES),
})  # fmt: skip
_TEMPLATE = record({
    "template_id": WHOLE, "merchant_id": WHOLE, "name": text(), "kind": text(), "value": WHOLE, "cap_fen": WHOLE,
    "meaning": text(), "remainder": text(), "valid_min": WHOLE, "before_entry": FLAG, "terms": _TERMS,
    "product_id": maybe(WHOLE), "created_ms": MOMENT,
})  # fmt: skip
_COUPON = record({
    "coupon_id": text(), "serial": text(), "merchant_id": WHOLE, "template_id": WHOLE, "lot_id": WHOLE,
    "stay_id": text(), "plate": text(), "kind": text(), "value": WHOLE, "state": text(), "is_expired": FLAG,
    "commodity": text(), "issued_ms": MOMENT, "issued_by": text(), "expires_ms": MOMENT, "voided_ms": maybe(MOMENT),
    "void_reason": text(), "redeemed_ms": maybe(MOMENT), "off_fen": maybe(WHOLE), "charged": maybe(WHOLE),
})  # fmt: skip
_VOUCHER = record({
    "key_id": WHOLE, "counter": WHOLE, "edge_id": text(), "lot_id": WHOLE, "merchant_id": WHOLE, "template_id": WHOLE,
    "reserved": WHOLE, "unfunded": WHOLE, "commodity": text(), "funds": text(), "print_state": text(),
    "state": text(), "issued_ms": MOMENT, "issued_by": text(), "off_fen": maybe(WHOLE), "charged": maybe(WHOLE),
})  # fmt: skip
_VERDICT = record({
    "number": text(), "state": text(), "is_good": FLAG, "name": maybe(text()), "kind": text(), "value": WHOLE,
    "merchant": text(), "lot": text(), "plate": text(), "until_ms": MOMENT, "issued_ms": maybe(MOMENT),
    "redeemed_ms": maybe(MOMENT), "off_fen": WHOLE,
})  # fmt: skip
_OWN = {"merchant_id": ID}

OPERATIONS = (
    Operation(
        "GET", "/merchants/{merchant_id}/templates", "list_templates", "Templates that may be issued from",
        list_templates, listing(_TEMPLATE), Scope.READ, for_merchants=True, within=_OWN,
    ),
    Operation(
        "POST", "/merchants/{merchant_id}/templates", "create_template", "A template; it is never changed",
        create_template, record({"template_id": WHOLE}), Scope.ISSUE, for_merchants=True, within=_OWN, status=201,
        body=record(
            {"name": text(60, 1), "kind": _KIND},
            {
                "value": whole(0, 10**7), "meaning": _MEANING, "cap_fen": whole(0, 10**7),
                "valid_min": whole(1, 60 * 24 * 400), "remainder": _REMAINDER, "terms": _TERMS, "before_entry": FLAG,
            },
        ),
    ),
    Operation(
        "DELETE", "/merchants/{merchant_id}/templates/{template_id}", "delete_template", "Issue nothing more from it",
        delete_template, DONE, Scope.ISSUE, for_merchants=True, within={**_OWN, "template_id": ID},
    ),
    Operation(
        "GET", "/coupons", "list_coupons", "Coupons, newest first, by a part of serial or plate", list_coupons,
        listing(_COUPON), Scope.READ, for_merchants=True, query={"q": text(60), "merchant_id": ID, "page": PAGE},
    ),
    Operation(
        "POST", "/coupons", "issue_coupon", "Coupons to a car inside; of several, the last is told", issue,
        record({"coupon_id": text(), "serial": text()}), Scope.ISSUE, for_merchants=True, moves_money=True, status=201,
        body=record(
            {"merchant_id": ID, "template_id": ID},
            {
                "stay_id": text(64), "plate": text(20), "value": whole(0, 10**7), "branch_id": whole(0, MOST_ID),
                "count": whole(1, coupons.MOST_AT_ONCE),
            },
        ),
    ),
    Operation(
        "POST", "/coupons/{coupon_id}/void", "void_coupon", "Take an unused coupon back", void, DONE, Scope.ISSUE,
        for_merchants=True, moves_money=True, within={"coupon_id": NAMED}, body=record({"reason": text(200, 1)}),
    ),
    Operation(
        "POST", "/coupons/{coupon_id}/rebind", "rebind_coupon", "Move an unused coupon to another plate", rebind, DONE,
        Scope.ISSUE, for_merchants=True, moves_money=True, within={"coupon_id": NAMED},
        body=record({"plate": text(20, 1), "reason": text(200, 1)}),
    ),
    Operation(
        "POST", "/coupons/{coupon_id}/driver", "tell_driver", "A code that shows the driver what the car was given",
        tell_driver, record({"plate": text(), "code": text()}), Scope.ISSUE, for_merchants=True,
        within={"coupon_id": NAMED}, body=NO_BODY,
    ),
    Operation(
        "GET", "/coupons/check", "check_coupon", "What somebody's serial, voucher number or code stands for", check,
        _VERDICT, Scope.READ, query={"q": text(checking.LONGEST, 1)},
    ),
    Operation(
        "GET", "/vouchers", "list_vouchers", "Vouchers printed at lots, newest first", list_vouchers, listing(_VOUCHER),
        Scope.READ, for_merchants=True, query={"merchant_id": ID, "page": PAGE},
    ),
)  # fmt: skip
