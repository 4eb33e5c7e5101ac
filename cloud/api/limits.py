"""Calls about how many coupons a car may take, and plates that get none."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection

from cloud.access.scopes import Scope
from cloud.act import Act
from cloud.api.lots import shown_page
from cloud.api.operation import Ask, NotThereError, Operation, done, made
from cloud.api.schema import DONE, FLAG, ID, MOMENT, PAGE, WHOLE, Schema, listing, one_of, record, text, whole
from cloud.blocked import LONGEST_REASON
from cloud.coupons import plates, rules, template
from cloud.lots import service as lots
from cloud.merchants import service as merchants
from domain.coupon.limits import FIELDS, MOST, Level, limits_of
from domain.coupon.terms import Late, ways_of

_NAMED = {Level.LOT: "lot_id", Level.MERCHANT: "merchant_id", Level.COUPON: "template_id"}


def _subject(conn: Connection, act: Act, ask: Ask, level: Level) -> int:
    """The lot, merchant or template of the path. Raises NotThereError."""
    operator_id, name = act.operator_id, _NAMED[level]
    if level is Level.LOT:
        known = lots.get_lot(conn, operator_id, ask.id(name))
    elif level is Level.MERCHANT:
        known = merchants.get(conn, operator_id, ask.id(name))
    else:
        known = template.find(conn, operator_id, ask.id("merchant_id"), ask.id(name))
    if known is None:
        raise NotThereError
    return ask.id(name)


def _read(conn: Connection, act: Act, ask: Ask, level: Level) -> Any:
    body = rules.body_of(conn, level, _subject(conn, act, ask, level))
    return asdict(limits_of(body)) | asdict(ways_of(body))


def _set(conn: Connection, act: Act, ask: Ask, level: Level) -> Any:
    """What is left out limits nothing."""
    subject_id, wanted = _subject(conn, act, ask, level), limits_of(ask.body)
    if level is not Level.LOT:
        return done(rules.set_limits(conn, act, level, subject_id, wanted))
    ways = ways_of(ask.body)
    if ways.late is not Late.REFUND:
        ways = replace(ways, back_most_fen=0, cash_back=False)
    refused = rules.back_refusal(ways, ask.cloud.settings.payments.refund_limit_fen)
    return done(refused or rules.set_limits(conn, act, level, subject_id, wanted, ways))


def get_lot_limits(conn: Connection, act: Act, ask: Ask) -> Any:
    """What holds at a lot."""
    return _read(conn, act, ask, Level.LOT)


def set_lot_limits(conn: Connection, act: Act, ask: Ask) -> Any:
    """Limits of a lot and its ways with several coupons and late ones."""
    return _set(conn, act, ask, Level.LOT)


def get_merchant_limits(conn: Connection, act: Act, ask: Ask) -> Any:
    """What holds for a merchant's coupons."""
    return _read(conn, act, ask, Level.MERCHANT)


def set_merchant_limits(conn: Connection, act: Act, ask: Ask) -> Any:
    """Limits of a merchant."""
    return _set(conn, act, ask, Level.MERCHANT)


def get_template_limits(conn: Connection, act: Act, ask: Ask) -> Any:
    """What holds for one template."""
    return _read(conn, act, ask, Level.COUPON)


def set_template_limits(conn: Connection, act: Act, ask: Ask) -> Any:
    """Limits of one template."""
    return _set(conn, act, ask, Level.COUPON)


def list_plates(conn: Connection, act: Act, ask: Ask) -> Any:
    """Plates that get no coupons; looked for by who may see plates."""
    search = ask.query.get("q", "") if ask.may(Scope.PLATES) else ""
    return shown_page(ask, plates.listed(conn, act.operator_id, search, ask.page))


def block(conn: Connection, act: Act, ask: Ask) -> Any:
    """No more coupons for a plate."""
    return made(plates.block(conn, act, ask.body["plate"], ask.body["reason"]), "blocked_id")


def unblock(conn: Connection, act: Act, ask: Ask) -> Any:
    """Coupons again."""
    return done(plates.unblock(conn, act, ask.id("blocked_id"), ask.body["reason"]))


_FIELD: dict[str, Schema] = {
    "one_merchant": FLAG, "one_per_stay": FLAG, "per_day": whole(0, MOST), "no_repeat": FLAG,
    "day_total": whole(0, MOST), "total": whole(0, MOST),
}  # fmt: skip
_OF = {level: {name: _FIELD[name] for name in FIELDS[level]} for level in Level}
_WAYS: dict[str, Schema] = {
    "max_coupons": whole(0, 12), "amount_first": FLAG, "one_kind": FLAG, "late": one_of(*Late),
    "back_most_fen": whole(0, 10**7), "cash_back": FLAG,
}  # fmt: skip
_OF_LOT = {**_OF[Level.LOT], **_WAYS}
_LOT, _MERCHANT = {"lot_id": ID}, {"merchant_id": ID}
_TEMPLATE = {**_MERCHANT, "template_id": ID}
_AT_TEMPLATE = "/merchants/{merchant_id}/templates/{template_id}/limits"
_PLATE = record({
    "blocked_id": WHOLE, "plate": text(), "reason": text(), "created_ms": MOMENT, "created_by": text(),
})  # fmt: skip
_REASON = text(LONGEST_REASON, 1)

OPERATIONS = (
    Operation(
        "GET", "/lots/{lot_id}/limits", "get_lot_limits", "Limits of a lot; 0 and false limit nothing", get_lot_limits,
        record(_OF_LOT), Scope.READ, within=_LOT,
    ),
    Operation(
        "POST", "/lots/{lot_id}/limits", "set_lot_limits", "Limits of a lot; what is left out limits nothing",
        set_lot_limits, DONE, Scope.MANAGE, within=_LOT, body=record({}, _OF_LOT),
    ),
    Operation(
        "GET", "/merchants/{merchant_id}/limits", "get_merchant_limits", "Limits of a merchant", get_merchant_limits,
        record(_OF[Level.MERCHANT]), Scope.READ, within=_MERCHANT,
    ),
    Operation(
        "POST", "/merchants/{merchant_id}/limits", "set_merchant_limits", "Limits of a merchant", set_merchant_limits,
        DONE, Scope.MANAGE, within=_MERCHANT, body=record({}, _OF[Level.MERCHANT]),
    ),
    Operation(
        "GET", _AT_TEMPLATE, "get_template_limits", "Limits of one template", get_template_limits,
        record(_OF[Level.COUPON]), Scope.READ, within=_TEMPLATE,
    ),
    Operation(
        "POST", _AT_TEMPLATE, "set_template_limits", "Limits of one template", set_template_limits, DONE, Scope.MANAGE,
        within=_TEMPLATE, body=record({}, _OF[Level.COUPON]),
    ),
    Operation(
        "GET", "/coupon-plates", "list_coupon_plates", "Plates that get no coupons, newest first", list_plates,
        listing(_PLATE), Scope.READ, query={"q": text(20), "page": PAGE},
    ),
    Operation(
        "POST", "/coupon-plates", "block_coupon_plate", "No more coupons for a plate", block,
        record({"blocked_id": WHOLE}), Scope.MANAGE, status=201, body=record({"plate": text(20, 1), "reason": _REASON}),
    ),
    Operation(
        "POST", "/coupon-plates/{blocked_id}/end", "unblock_coupon_plate", "Coupons again", unblock, DONE,
        Scope.MANAGE, within={"blocked_id": ID}, body=record({"reason": _REASON}),
    ),
)  # fmt: skip
