"""The operator's merchant pages: list, one merchant's settlement, purses and prices."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import Connection, RowMapping

from cloud import sheets
from cloud.access import service as access
from cloud.access.roles import Right, may
from cloud.act import Act, Refused
from cloud.coupons import service as coupons
from cloud.coupons import withdrawing
from cloud.lots import service as lots
from cloud.merchants import (
    book_pages,
    branch_pages,
    branches,
    contracts,
    credit,
    ending,
    leases,
    ledger,
    low_pages,
    onboarding,
    paying_back,
    service,
    serving_pages,
    statement_pages,
)
from cloud.merchants.service import PaymentMode, SettlementMode
from cloud.payments import paying_out
from cloud.payments.desk import DESK
from cloud.web.state import (
    CLOUD,
    allow,
    change,
    done,
    field_of,
    login_of,
    path_id,
    read,
    search_of,
    whole,
    words,
    zone_of,
)
from domain.billing import EVERY
from domain.contract import Basis, Terms, terms_of
from domain.fen import fen_from_yuan, yuan
from domain.ledger import Commodity, Funds
from plumbing.i18n import Texts
from plumbing.web import page_number, render, texts


async def merchants_page(request: web.Request) -> web.Response:
    """The list with the columns of S1.7."""
    session = await allow(request, Right.VIEW)
    search, enabled = _sought(request)
    found = await read(request, service.listed, search, page_number(request.query), enabled=enabled)
    rights = {"manage": may(session.role, Right.MANAGE), "money": may(session.role, Right.MONEY)}
    return render(request, "merchants.html", page=found, enabled=enabled, **rights)


def _sought(request: web.Request) -> tuple[str, bool | None]:
    state = request.query.get("state", "")
    return search_of(request), state == "1" if state in ("0", "1") else None


async def merchants_file(request: web.Request) -> web.Response:
    """The list as a table file, with the columns of S1.7."""
    await allow(request, Right.VIEW)
    search, enabled = _sought(request)

    def found(conn: Connection, operator_id: int) -> list[RowMapping]:
        return list(
            conn.execute(service.query(operator_id, search, enabled=enabled).limit(sheets.MOST_ROWS)).mappings()
        )

    t, zone = texts(request), zone_of(request)
    rows = [_merchant_cells(t, row, zone) for row in await read(request, found)]
    names = ("account", "phone", "state", "money_left", "time_left", "created", "disabled", "remark")
    title, kind = t("nav.merchants"), request.match_info["kind"]
    heads = [t("merchants.name"), *(t(f"col.{name}") for name in names)]
    return await sheets.table_file(kind, "merchants", title, heads, rows)


def _merchant_cells(t: Texts, row: RowMapping, zone: ZoneInfo) -> list[sheets.Cell]:
    money, minutes = row["balance_fen"], row["balance_minutes"]
    return [
        row["name"],
        row["account_no"],
        row["phone"],
        t("merchants.enabled") if row["enabled"] else t("merchants.disabled"),
        "-" if money is None else yuan(int(money)),
        "-" if minutes is None else int(minutes),
        sheets.to_the_minute(row["created_ms"], zone),
        sheets.to_the_minute(row["disabled_ms"], zone),
        row["remark"],
    ]


async def new_page(request: web.Request) -> web.Response:
    """The form for a new merchant."""
    await allow(request, Right.MANAGE)
    return render(request, "merchant_new.html", error="", form=dict.fromkeys(("name", "phone", "branch", "remark"), ""))


async def create(request: web.Request) -> web.Response:
    """Make the merchant; the new login is shown this once (S1.5)."""
    session = await allow(request, Right.MANAGE)
    form = {name: await field_of(request, name) for name in ("name", "phone", "branch", "remark")}
    password = access.first_password(form["phone"])
    hashed = await request.config_dict[CLOUD].passwords.hash(password)
    made = await change(
        request,
        login_of(session),
        onboarding.onboard,
        form["name"],
        form["phone"],
        form["branch"],
        form["remark"],
        hashed,
    )
    if isinstance(made, Refused):
        return render(request, "merchant_new.html", status=422, error=words(request, made), form=form)
    return await _merchant(request, made.merchant_id, session.role, login=(made.account_no, password))


def _all_about(conn: Connection, operator_id: int, merchant_id: int) -> dict[str, Any] | None:
    row = service.get(conn, operator_id, merchant_id)
    if row is None:
        return None
    all_lots = lots.lots(conn, operator_id)
    return {
        "merchant": row,
        "usual_low": service.USUAL_LOW,
        "asked_back": paying_back.waits(conn, merchant_id),
        "payouts": paying_out.due_of(conn, merchant_id),
        "purses": {commodity.value: ledger.purse(conn, merchant_id, commodity) for commodity in Commodity},
        "leased": {commodity.value: leases.leased(conn, merchant_id, commodity) for commodity in Commodity},
        "contracts": [(lot, *contracts.in_force(conn, merchant_id, lot["lot_id"])) for lot in all_lots],
        "ends": ending.announced(conn, merchant_id),
        "standing": {
            commodity.value: credit.standing(conn, merchant_id, row["settlement_mode"], commodity)
            for commodity in Commodity
        },
        "templates": coupons.templates(conn, operator_id, merchant_id),
        "template_lots": coupons.lots_of(conn, operator_id, merchant_id),
        "books": ledger.merchant_books(conn, merchant_id),
        "branches": branches.account_names(conn, operator_id),
    }


async def _merchant(
    request: web.Request, merchant_id: int, role: str, error: str = "", login: tuple[str, str] | None = None
) -> web.Response:
    about = await read(request, _all_about, merchant_id)
    if about is None:
        raise web.HTTPNotFound
    return render(
        request,
        "merchant.html",
        status=422 if error else 200,
        error=error,
        login=login,
        money=may(role, Right.MONEY),
        manage=may(role, Right.MANAGE),
        billings=EVERY,
        issue=may(role, Right.ISSUE),
        wechat=request.config_dict[CLOUD].settings.wechat_login is not None,
        **about,
    )


async def merchant_page(request: web.Request) -> web.Response:
    """One merchant with everything that may be done for it."""
    session = await allow(request, Right.VIEW)
    return await _merchant(request, path_id(request, "merchant_id"), session.role)


async def _answer(request: web.Request, role: str, refused: object, key: str) -> web.Response:
    merchant_id = path_id(request, "merchant_id")
    if isinstance(refused, Refused):
        return await _merchant(request, merchant_id, role, error=words(request, refused))
    raise done(f"/admin/merchants/{merchant_id}", key)


async def settle(request: web.Request) -> web.Response:
    """Payment and settlement mode, confirmed twice on the page (S1.13)."""
    session = await allow(request, Right.MONEY)
    try:
        payment = PaymentMode(await field_of(request, "payment_mode"))
        settlement = SettlementMode(await field_of(request, "settlement_mode"))
    except ValueError:
        return await _answer(request, session.role, Refused("mode_not_offered"), "")
    args = path_id(request, "merchant_id"), payment, settlement
    refused = await change(request, login_of(session), service.configure_settlement, *args)
    return await _answer(request, session.role, refused, "settled")


async def _typed_amount(request: web.Request, name: str, commodity: Commodity) -> int | None:
    """What was typed for a purse: yuan for money, whole minutes for time; None when it is neither."""
    text = await field_of(request, name) or "0"
    if commodity is Commodity.MIN:
        return whole(text)
    try:
        return fen_from_yuan(text)
    except ValueError:
        return None


async def _commodity(request: web.Request) -> Commodity:
    return Commodity.MIN if await field_of(request, "commodity") == "MIN" else Commodity.FEN


async def top_up(request: web.Request) -> web.Response:
    """Fill a purse (S1.18-S1.22)."""
    session = await allow(request, Right.MONEY)
    commodity = await _commodity(request)
    paid = await _typed_amount(request, "paid", commodity)
    bonus = await _typed_amount(request, "bonus", commodity)
    if paid is None or bonus is None:
        return await _answer(request, session.role, Refused("amount_malformed"), "")
    args = path_id(request, "merchant_id"), commodity, paid, bonus, await field_of(request, "remark")
    refused = await change(request, login_of(session), service.top_up, *args)
    return await _answer(request, session.role, refused, "topped_up")


async def correct(request: web.Request) -> web.Response:
    """Put a mistyped top-up right."""
    session = await allow(request, Right.MONEY)
    commodity, text = await _commodity(request), (await field_of(request, "amount")).replace("−", "-").strip()
    funds = Funds.BONUS if await field_of(request, "funds") == Funds.BONUS.value else Funds.PAID
    try:
        amount = fen_from_yuan(text.lstrip("+-")) if commodity is Commodity.FEN else int(text.lstrip("+-"))
    except ValueError:
        return await _answer(request, session.role, Refused("amount_malformed"), "")
    signed = -amount if text.startswith("-") else amount
    args = path_id(request, "merchant_id"), commodity, funds, signed, await field_of(request, "remark")
    refused = await change(request, login_of(session), service.correct_top_up, *args)
    return await _answer(request, session.role, refused, "corrected_top_up")


async def refund(request: web.Request) -> web.Response:
    """Give paid funds back."""
    session = await allow(request, Right.MONEY)
    commodity = await _commodity(request)
    amount = await _typed_amount(request, "amount", commodity)
    if amount is None:
        return await _answer(request, session.role, Refused("amount_malformed"), "")
    merchant_id, remark = path_id(request, "merchant_id"), await field_of(request, "remark")
    payments, duties = request.config_dict[CLOUD].settings.payments, request.config_dict[DESK].duties
    limit = payments.refund_limit_minutes if commodity is Commodity.MIN else payments.refund_limit_fen
    args = duties, merchant_id, amount, remark, limit, commodity
    refused = await change(request, login_of(session), paying_back.ask, *args)
    return await _answer(request, session.role, refused, "refund_asked" if amount > limit else "refunded")


async def decide_refund(request: web.Request) -> web.Response:
    """The second person's word on money the office is to pay out."""
    session = await allow(request, Right.MONEY)
    merchant_id, agreed = path_id(request, "merchant_id"), await field_of(request, "agreed") == "1"
    refused = await change(request, login_of(session), paying_back.decide, merchant_id, agreed=agreed)
    return await _answer(request, session.role, refused, "refund_decided")


async def contract(request: web.Request) -> web.Response:
    """What coupons cost the merchant at a lot."""
    session = await allow(request, Right.MONEY)
    lot_id, terms = whole(await field_of(request, "lot_id")), await _typed_terms(request)
    if lot_id is None or terms is None:
        return await _answer(request, session.role, Refused("contract_malformed"), "")
    merchant_id = path_id(request, "merchant_id")
    made = await change(request, login_of(session), contracts.set_contract, merchant_id, lot_id, terms)
    return await _answer(request, session.role, made, "contract_set")


async def end_service(request: web.Request) -> web.Response:
    """The merchant's service to a lot ends."""
    session = await allow(request, Right.MONEY)
    lot_id, last_day = whole(await field_of(request, "lot_id")) or 0, await field_of(request, "last_day")
    args, take_back = (path_id(request, "merchant_id"), lot_id, last_day), await field_of(request, "take_back") == "1"
    refused = await change(request, login_of(session), ending.end, *args, take_back=take_back)
    return await _answer(request, session.role, refused, "service_ends")


async def _typed_terms(request: web.Request) -> Terms | None:
    """The terms of the form: yuan for money, whole numbers for the rest; None when one of them is neither."""
    values: dict[str, Any] = {}
    for name in ("amount_basis", "duration_basis", "waiver_basis"):
        values[name] = await field_of(request, name) or Basis.FACE.value
    for name in ("amount_percent", "duration_percent", "waiver_percent"):
        values[name] = whole(await field_of(request, name) or "100")
    for name in ("fen_per_hour", "waiver_cap_fen", "free_fen"):
        values[name] = await _typed_amount(request, name, Commodity.FEN)
    values["free_min"] = await _typed_amount(request, "free_min", Commodity.MIN)
    if None in values.values():
        return None
    try:
        return terms_of(values)
    except ValueError:
        return None


async def limit(request: web.Request) -> web.Response:
    """What a postpaid merchant may run up (E16)."""
    session = await allow(request, Right.MONEY)
    fen = await _typed_amount(request, "fen", Commodity.FEN)
    minutes = await _typed_amount(request, "minutes", Commodity.MIN)
    days = await _typed_amount(request, "days", Commodity.MIN)
    if fen is None or minutes is None or days is None:
        return await _answer(request, session.role, Refused("amount_malformed"), "")
    args = path_id(request, "merchant_id"), fen, minutes, days, await field_of(request, "billing")
    refused = await change(request, login_of(session), credit.set_limit, *args)
    return await _answer(request, session.role, refused, "credit_set")


async def low(request: web.Request) -> web.Response:
    """Below which balances to warn of the merchant (E17)."""
    session = await allow(request, Right.MONEY)
    refused = await low_pages.save(request, login_of(session), path_id(request, "merchant_id"))
    return await _answer(request, session.role, refused, "low_set")


async def enable(request: web.Request) -> web.Response:
    """Disable or enable (E18)."""
    session = await allow(request, Right.MANAGE)
    enabled, void = await field_of(request, "enabled") == "1", await field_of(request, "void") == "1"
    merchant_id = path_id(request, "merchant_id")
    refused = await change(request, login_of(session), _set_enabled, merchant_id, enabled=enabled, void=void)
    return await _answer(request, session.role, refused, "enabled" if enabled else "disabled")


def _set_enabled(conn: Connection, act: Act, merchant_id: int, *, enabled: bool, void: bool) -> Refused | None:
    """With *void* what is out and not used is taken back too (E18)."""
    refused = service.set_enabled(conn, act, merchant_id, enabled=enabled)
    if refused is None and not enabled and void:
        withdrawing.withdraw_unused(conn, act, merchant_id, "merchant disabled")
    return refused


async def remark(request: web.Request) -> web.Response:
    """Another remark."""
    session = await allow(request, Right.MANAGE)
    args = path_id(request, "merchant_id"), await field_of(request, "remark")
    refused = await change(request, login_of(session), service.set_remark, *args)
    return await _answer(request, session.role, refused, "remarked")


async def reset_password(request: web.Request) -> web.Response:
    """A new first password, shown this once."""
    session = await allow(request, Right.MANAGE)
    merchant_id = path_id(request, "merchant_id")
    row = await read(request, service.get, merchant_id)
    fresh = access.first_password(row["phone"] if row else "")
    hashed = await request.config_dict[CLOUD].passwords.hash(fresh)
    account = await change(request, login_of(session), onboarding.reset_password, merchant_id, hashed)
    if isinstance(account, Refused):
        return await _merchant(request, merchant_id, session.role, error=words(request, account))
    return await _merchant(request, merchant_id, session.role, login=(account, fresh))


def add_routes(app: web.Application) -> None:
    """Pages of merchants and their money."""
    add_get, add_post = app.router.add_get, app.router.add_post
    add_get("/admin/merchants", merchants_page)
    add_get("/admin/merchants.{kind:csv|xlsx}", merchants_file)
    add_get("/admin/merchants/new", new_page)
    add_post("/admin/merchants/new", create)
    one = "/admin/merchants/{merchant_id:[0-9]+}"
    add_get(one, merchant_page)
    acts = {
        "settlement": settle,
        "top-up": top_up,
        "correct": correct,
        "refund": refund,
        "refund/decide": decide_refund,
        "contract": contract,
        "contract/end": end_service,
        "credit": limit,
        "low": low,
        "enabled": enable,
        "remark": remark,
        "password": reset_password,
    }
    for name, handler in acts.items():
        add_post(f"{one}/{name}", handler)
    statement_pages.add_routes(app)
    branch_pages.add_routes(app)
    serving_pages.add_routes(app)
    book_pages.add_routes(app)
