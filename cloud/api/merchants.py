"""Calls about merchants: their accounts, purses, prices and books."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, RowMapping

from cloud.access import service as access
from cloud.access.scopes import Scope
from cloud.act import Act, Refused
from cloud.api import first_passwords
from cloud.api.operation import NO_BODY, Ask, NotThereError, Operation, done, made, rows
from cloud.api.schema import (
    DAY,
    DONE,
    FLAG,
    ID,
    MOMENT,
    MOST_FEN,
    PAGE,
    WHOLE,
    Schema,
    listing,
    maybe,
    one_of,
    record,
    text,
    whole,
)  # fmt: skip
from cloud.coupons import withdrawing
from cloud.db import paged
from cloud.lots import service as lots
from cloud.merchants import contracts, credit, ending, ledger, onboarding, paying_back
from cloud.merchants import service as merchants
from cloud.merchants.service import PaymentMode, SettlementMode
from cloud.paid import DUTIES
from cloud.web.state import Cloud
from domain.billing import EVERY
from domain.contract import MOST_FEN as MOST_TERM
from domain.contract import Basis, terms_of
from domain.ledger import AVAILABLE, Commodity, Funds
from domain.wire import Json


async def _first_password(cloud: Cloud, body: Json) -> tuple[str, str]:
    password = access.first_password(body["phone"])
    return password, await cloud.passwords.hash(password)


def list_merchants(conn: Connection, act: Act, ask: Ask) -> Any:
    """Merchants and what is left in their purses."""
    return rows(merchants.listed(conn, act.operator_id, ask.query.get("q", ""), ask.page))


def merchant_there(conn: Connection, act: Act, ask: Ask) -> RowMapping:
    """The merchant of the path. Raises NotThereError."""
    row = merchants.get(conn, act.operator_id, ask.id("merchant_id"))
    if row is None:
        raise NotThereError
    return row


def get_merchant(conn: Connection, act: Act, ask: Ask) -> Any:
    """One merchant: settlement, purses, prices by lot."""
    row = merchant_there(conn, act, ask)
    merchant_id = row["merchant_id"]
    prices, ends = [], ending.announced(conn, merchant_id)
    for lot in lots.lots(conn, act.operator_id):
        version, terms = contracts.in_force(conn, merchant_id, lot["lot_id"])
        if version:
            end = {"ends_ms": ends.get(lot["lot_id"])}
            prices.append({"lot_id": lot["lot_id"], "version": version, **end, **terms.values()})
    purses = {unit.value: asdict(ledger.purse(conn, merchant_id, unit)) for unit in Commodity}
    return dict(row) | {"purses": purses, "contracts": prices, "standing": _standing(conn, row)}


def _standing(conn: Connection, row: RowMapping) -> Any:
    """What a merchant that pays later has used and not paid."""
    if row["payment_mode"] != PaymentMode.POSTPAID.value:
        return None
    merchant_id, mode = row["merchant_id"], row["settlement_mode"]
    return {unit.value: asdict(credit.standing(conn, merchant_id, mode, unit)) for unit in Commodity}


def create_merchant(conn: Connection, act: Act, ask: Ask) -> Any:
    """Prepaid and settled on issue unless told otherwise; its first password is told this once."""
    password, hashed = ask.prepared
    body = ask.body
    fresh = onboarding.onboard(
        conn, act, body["name"], body["phone"], body.get("branch", ""), body.get("remark", ""), hashed
    )
    if isinstance(fresh, Refused):
        return fresh
    modes = PaymentMode(body.get("payment_mode", "PREPAID")), SettlementMode(body.get("settlement_mode", "ON_ISSUE"))
    merchants.configure_settlement(conn, act, fresh.merchant_id, *modes)
    for lot_id in sorted(set(body.get("lots", []))):
        version = contracts.set_contract(conn, act, fresh.merchant_id, lot_id)
        if isinstance(version, Refused):
            return version
    return {**asdict(fresh), "password": password}


def settle(conn: Connection, act: Act, ask: Ask) -> Any:
    """How the merchant pays, once and for all, and which step settles a coupon."""
    modes = PaymentMode(ask.body["payment_mode"]), SettlementMode(ask.body["settlement_mode"])
    return done(merchants.configure_settlement(conn, act, ask.id("merchant_id"), *modes))


def enable(conn: Connection, act: Act, ask: Ask) -> Any:
    """Disable: no new coupons; those out keep working, or are taken back (E18)."""
    refused = merchants.set_enabled(conn, act, ask.id("merchant_id"), enabled=ask.body["enabled"])
    if refused is None and not ask.body["enabled"] and ask.body.get("take_back", False):
        withdrawing.withdraw_unused(conn, act, ask.id("merchant_id"), "merchant disabled")
    return done(refused)


def set_remark(conn: Connection, act: Act, ask: Ask) -> Any:
    """Another remark."""
    return done(merchants.set_remark(conn, act, ask.id("merchant_id"), ask.body["remark"]))


def set_low(conn: Connection, act: Act, ask: Ask) -> Any:
    """Below which balances it is warned; null or left out: the usual limit, 0: never."""
    body = ask.body
    limits = body.get("low_fen"), body.get("low_min"), body.get("suggest_fen", 0)
    return done(merchants.set_low(conn, act, ask.id("merchant_id"), *limits))


def reset_password(conn: Connection, act: Act, ask: Ask) -> Any:
    """A new first password of the merchant's own login."""
    hashed = first_passwords.hashed(ask)
    return first_passwords.told(onboarding.reset_password(conn, act, ask.id("merchant_id"), hashed), ask)


def top_up(conn: Connection, act: Act, ask: Ask) -> Any:
    """Fill a purse."""
    body = ask.body
    commodity = Commodity(body.get("commodity", "FEN"))
    args = commodity, body["paid"], body.get("bonus", 0), body.get("remark", "")
    return done(merchants.top_up(conn, act, ask.id("merchant_id"), *args))


def correct_top_up(conn: Connection, act: Act, ask: Ask) -> Any:
    """Put a mistyped top-up right."""
    body = ask.body
    kinds = Commodity(body.get("commodity", "FEN")), Funds(body.get("funds", "PAID"))
    return done(merchants.correct_top_up(conn, act, ask.id("merchant_id"), *kinds, body["amount"], body["remark"]))


def refund(conn: Connection, act: Act, ask: Ask) -> Any:
    """Give paid value back, money by the way it came; above the limit it waits for a person to agree."""
    commodity, payments = Commodity(ask.body.get("commodity", "FEN")), ask.cloud.settings.payments
    limit = payments.refund_limit_minutes if commodity is Commodity.MIN else payments.refund_limit_fen
    what = ask.id("merchant_id"), ask.body["amount"], ask.body.get("remark", ""), limit, commodity
    return done(paying_back.ask(conn, act, DUTIES, *what))


def set_credit(conn: Connection, act: Act, ask: Ask) -> Any:
    """What a postpaid merchant may run up."""
    body = ask.body
    limits = body["fen"], body["minutes"], body["days"], body.get("billing", "")
    return done(credit.set_limit(conn, act, ask.id("merchant_id"), *limits))


def set_contract(conn: Connection, act: Act, ask: Ask) -> Any:
    """A new version of what coupons cost the merchant at a lot; what is left out is as by default."""
    terms = terms_of({name: value for name, value in ask.body.items() if name != "lot_id"})
    return made(contracts.set_contract(conn, act, ask.id("merchant_id"), ask.body["lot_id"], terms), "version")


def end_service(conn: Connection, act: Act, ask: Ask) -> Any:
    """No new coupons of the merchant at a lot after its last day, or from now on."""
    body, take_back = ask.body, ask.body.get("take_back", False)
    args = ask.id("merchant_id"), body["lot_id"], body.get("last_day", "")
    return done(ending.end(conn, act, *args, take_back=take_back))


def ledger_rows(conn: Connection, act: Act, ask: Ask) -> Any:
    """What each entry of the books did to each account of the merchant, newest first."""
    merchant_id = merchant_there(conn, act, ask)["merchant_id"]
    unit = ask.query.get("commodity")
    account = AVAILABLE if ask.caller.merchant_id is not None else None  # of the rest its own page tells nothing either
    query = merchants.movements(act.operator_id, merchant_id, Commodity(unit) if unit else None, account)
    return rows(paged(conn, query, ask.page))


def books(conn: Connection, act: Act, ask: Ask) -> Any:
    """Every merchant's accounts and whether they are right (I1, I2)."""
    own = {row["merchant_id"] for row in merchants.everyone(conn, act.operator_id)}
    return [
        asdict(each) | {"is_right": each.is_right} for each in ledger.merchant_books(conn) if each.merchant_id in own
    ]


_UNIT = one_of(*(each.value for each in Commodity))
_PURSE = record({"paid": WHOLE, "bonus": WHOLE})
_STANDING = record({"owed": WHOLE, "unsettled": WHOLE})
_LOW: dict[str, Schema] = {
    "low_fen": maybe(whole(0, merchants.MOST_LOW)), "low_min": maybe(whole(0, merchants.MOST_LOW)),
    "suggest_fen": whole(0, merchants.MOST_SUGGESTED),
}  # fmt: skip
_PERCENT, _MONEY = whole(0, 100), whole(0, MOST_TERM)
_TERMS: dict[str, Schema] = {
    "amount_basis": one_of(*(each.value for each in Basis)), "amount_percent": _PERCENT,
    "duration_basis": one_of(*(each.value for each in Basis)), "duration_percent": _PERCENT, "fen_per_hour": _MONEY,
    "waiver_basis": one_of(*(each.value for each in Basis)), "waiver_percent": _PERCENT, "waiver_cap_fen": _MONEY,
    "free_fen": _MONEY, "free_min": _MONEY,
}  # fmt: skip
_MERCHANT: dict[str, Schema] = {
    "merchant_id": WHOLE, "account_no": text(), "name": text(), "phone": text(), "branch": text(), "remark": text(),
    "payment_mode": maybe(text()), "settlement_mode": maybe(text()), "enabled": FLAG, "created_ms": MOMENT,
    "disabled_ms": maybe(MOMENT),
}  # fmt: skip
_LISTED = record({**_MERCHANT, "balance_fen": maybe(WHOLE), "balance_minutes": maybe(WHOLE)})
_WHOLE_MERCHANT = record({
    **_MERCHANT, **_LOW,
    "credit_limit_fen": WHOLE, "credit_limit_min": WHOLE, "pay_within_days": WHOLE, "billing": text(),
    "purses": record({"FEN": _PURSE, "MIN": _PURSE}), "standing": maybe(record({"FEN": _STANDING, "MIN": _STANDING})),
    "contracts": listing(record({"lot_id": WHOLE, "version": WHOLE, "ends_ms": maybe(MOMENT), **_TERMS})),
})  # fmt: skip
_LINE = record({
    "entry_id": WHOLE, "merchant_id": WHOLE, "kind": text(), "subject": text(), "note": text(2000),
    "made_by": text(), "made_ms": MOMENT, "account": text(), "commodity": text(), "funds": text(), "amount": WHOLE,
})  # fmt: skip
_BOOKS = record({
    "merchant_id": WHOLE, "commodity": text(), "funds": text(), "accounts": {"type": "object"}, "imbalance": WHOLE,
    "wrong": listing(text()), "drift": listing(text()), "is_right": FLAG,
})  # fmt: skip
_PHONE = {"type": "string", "pattern": "^[0-9]{6,15}$"}
_OWN = {"merchant_id": ID}
_REMARK = text(128)
_MODES: dict[str, Schema] = {
    "payment_mode": one_of(*(each.value for each in PaymentMode)),
    "settlement_mode": one_of(*(each.value for each in SettlementMode)),
}

OPERATIONS = (
    Operation(
        "GET", "/merchants", "list_merchants", "Merchants and what is left in their purses", list_merchants,
        listing(_LISTED), Scope.READ, query={"q": text(60), "page": PAGE},
    ),
    Operation(
        "POST", "/merchants", "create_merchant", "A merchant with prices at these lots, and its first password",
        create_merchant, record({"merchant_id": WHOLE, "account_no": text(), "password": text()}), Scope.MANAGE,
        body=record(
            {"name": text(60, 1), "phone": _PHONE},
            {"branch": text(60), "remark": _REMARK, "lots": listing(ID, 200), **_MODES},
        ),
        status=201, prepare=_first_password,
    ),
    Operation(
        "GET", "/merchants/{merchant_id}", "get_merchant", "One merchant: settlement, purses, prices by lot",
        get_merchant, _WHOLE_MERCHANT, Scope.READ, for_merchants=True, within=_OWN,
    ),
    Operation(
        "POST", "/merchants/{merchant_id}/settlement", "settle_merchant", "How the merchant pays; cannot be undone",
        settle, DONE, Scope.MONEY, within=_OWN, moves_money=True,
        body=record(_MODES),
    ),
    Operation(
        "POST", "/merchants/{merchant_id}/enabled", "enable_merchant",
        "Disable or enable; coupons out keep working unless they are taken back",
        enable, DONE, Scope.MANAGE, within=_OWN, body=record({"enabled": FLAG}, {"take_back": FLAG}),
    ),
    Operation(
        "POST", "/merchants/{merchant_id}/remark", "set_remark", "Another remark", set_remark, DONE, Scope.MANAGE,
        within=_OWN, body=record({"remark": _REMARK}),
    ),
    Operation(
        "POST", "/merchants/{merchant_id}/low", "set_low", "Below which balances to warn; null: the usual, 0: never",
        set_low, DONE, Scope.BUY, for_merchants=True, within=_OWN, moves_money=True, body=record({}, _LOW),
    ),
    Operation(
        "POST", "/merchants/{merchant_id}/password", "reset_password", "A new first password of its own login",
        reset_password, first_passwords.LOGIN, Scope.ACCOUNTS, within=_OWN, body=NO_BODY, prepare=first_passwords.fresh,
    ),
    Operation(
        "POST", "/merchants/{merchant_id}/top-up", "top_up", "Fill a purse; units are fen or minutes", top_up, DONE,
        Scope.MONEY, within=_OWN, moves_money=True,
        body=record(
            {"paid": whole(1, MOST_FEN)}, {"commodity": _UNIT, "bonus": whole(0, MOST_FEN), "remark": _REMARK}
        ),
    ),
    Operation(
        "POST", "/merchants/{merchant_id}/top-up/correct", "correct_top_up",
        "Put a mistyped top-up right: so much more, or less; never below 0", correct_top_up, DONE,
        Scope.MONEY, within=_OWN, moves_money=True,
        body=record(
            {"amount": whole(-MOST_FEN, MOST_FEN), "remark": text(128, 1)},
            {"commodity": _UNIT, "funds": one_of("PAID", "BONUS")},
        ),
    ),
    Operation(
        "POST", "/merchants/{merchant_id}/refund", "refund", "Give paid funds back", refund, DONE, Scope.MONEY,
        within=_OWN, moves_money=True,
        body=record({"amount": whole(1, MOST_FEN)}, {"commodity": _UNIT, "remark": _REMARK}),
    ),
    Operation(
        "POST", "/merchants/{merchant_id}/credit", "set_credit", "What a postpaid merchant may run up", set_credit,
        DONE, Scope.MONEY, within=_OWN, moves_money=True,
        body=record(
            {"fen": whole(0, MOST_FEN), "minutes": whole(0, 10**9), "days": whole(0, 365)},
            {"billing": one_of(*(each.text for each in EVERY))},
        ),
    ),
    Operation(
        "POST", "/merchants/{merchant_id}/contracts", "set_contract", "A new version of what coupons cost at a lot",
        set_contract, record({"version": WHOLE}), Scope.MONEY, within=_OWN, moves_money=True,
        body=record({"lot_id": ID}, _TERMS), status=201,
    ),
    Operation(
        "POST", "/merchants/{merchant_id}/contracts/end", "end_service", "No new coupons at a lot after its last day",
        end_service, DONE, Scope.MONEY, within=_OWN, moves_money=True,
        body=record({"lot_id": ID}, {"last_day": DAY, "take_back": FLAG}),
    ),
    Operation(
        "GET", "/merchants/{merchant_id}/ledger", "list_ledger", "What moved in the merchant's books, newest first",
        ledger_rows, listing(_LINE), Scope.READ, for_merchants=True, within=_OWN,
        query={"commodity": _UNIT, "page": PAGE},
    ),
    Operation(
        "GET", "/books", "list_books", "Every merchant's accounts and whether they are right", books, listing(_BOOKS),
        Scope.READ,
    ),
)  # fmt: skip
