"""Templates, coupons to cars inside, and their records: for the operator in a merchant's name, and for the merchant."""

from __future__ import annotations

from typing import Any

import segno
from aiohttp import web
from sqlalchemy import Connection

from cloud.access.roles import Right, may
from cloud.act import Refused
from cloud.coupons import (
    check_pages,
    late,
    ledger_pages,
    limit_pages,
    picture_pages,
    plate_pages,
    poster_claims,
    poster_pages,
    record_pages,
    report_pages,
    service,
)
from cloud.coupons.forms import terms_in
from cloud.coupons.record_pages import View
from cloud.coupons.records import KINDS
from cloud.coupons.service import Kind
from cloud.lots import service as lots
from cloud.lots.edges import edge_of_lot
from cloud.lots.pages import ONLINE_MS
from cloud.members import service as members
from cloud.merchants import branches, leases, ledger, low_pages, serving
from cloud.merchants import service as merchants
from cloud.shop import stock, suggesting
from cloud.web.state import (
    CLOUD,
    allow,
    change,
    done,
    field_of,
    login_of,
    merchant_of,
    path_id,
    place_of,
    read,
    staff_login,
    whole,
    words,
)
from domain.coupon.model import Remainder
from domain.fen import fen_from_yuan
from domain.ledger import Commodity
from domain.plate import normalise
from domain.plate_search import FEWEST_TYPED
from plumbing.web import Session, page_number, render


async def _typed_template(request: web.Request) -> dict[str, Any] | Refused:
    kind, text = await field_of(request, "kind"), await field_of(request, "value") or "0"
    hours = whole(await field_of(request, "valid_hours") or "24")
    value: int | None
    try:
        value = fen_from_yuan(text) if kind == Kind.AMOUNT else whole(text)
    except ValueError:
        value = None
    if value is None or hours is None:
        return Refused("value_malformed")
    name, meaning = await field_of(request, "name"), await field_of(request, "meaning")
    remainder = await field_of(request, "remainder") or Remainder.FORFEIT.value
    typed: dict[str, Any] = {"name": name, "kind": kind, "value": value, "meaning": meaning, "remainder": remainder}
    terms, cap = terms_in(await request.post()), await field_of(request, "cap_yuan")
    if isinstance(terms, Refused):
        return terms
    try:
        cap_fen = fen_from_yuan(cap) if cap else 0
    except ValueError:
        return Refused("value_malformed")
    typed |= {"terms": terms, "cap_fen": cap_fen}
    before_entry = await field_of(request, "before_entry") != "no"
    return {**typed, "valid_min": hours * 60, "before_entry": before_entry}


async def _add_template(request: web.Request, session: Session, merchant_id: int) -> Refused | None:
    typed = await _typed_template(request)
    if isinstance(typed, Refused):
        return typed
    made = await change(request, login_of(session), service.create_template, merchant_id, **typed)
    return made if isinstance(made, Refused) else None


async def _delete_template(request: web.Request, session: Session, merchant_id: int) -> Refused | None:
    template_id = whole(await field_of(request, "template_id")) or 0
    return await change(request, login_of(session), service.delete_template, merchant_id, template_id)


async def add_template(request: web.Request) -> web.Response:
    """By the operator, for a merchant."""
    session = await allow(request, Right.ISSUE)
    merchant_id = path_id(request, "merchant_id")
    refused = await _add_template(request, session, merchant_id)
    return _template_done(request, f"/admin/merchants/{merchant_id}", refused, "template_added")


async def delete_template(request: web.Request) -> web.Response:
    """By the operator, for a merchant."""
    session = await allow(request, Right.ISSUE)
    merchant_id = path_id(request, "merchant_id")
    refused = await _delete_template(request, session, merchant_id)
    return _template_done(request, f"/admin/merchants/{merchant_id}", refused, "template_deleted")


def _template_done(request: web.Request, back: str, refused: Refused | None, key: str) -> web.Response:
    if refused is None:
        raise done(back, key)
    return render(request, "refused.html", status=422, error=words(request, refused), back=back)


def _issue_values(
    conn: Connection, operator_id: int, merchant_id: int, branch_id: int, search: str, now_ms: int
) -> dict[str, Any]:
    row = merchants.get(conn, operator_id, merchant_id)
    branch = branches.get(conn, operator_id, branch_id) if branch_id else None
    if row is None or (branch_id and branch is None):
        raise web.HTTPNotFound
    account = branches.purse_of(branch)
    plate = normalise(search)
    found = []
    if len(plate) >= FEWEST_TYPED:
        found = lots.look_for_cars(conn, operator_id, plate, serving.served(conn, merchant_id))
    edges = {lot_id: edge_of_lot(conn, lot_id) for lot_id in {one.stay["lot_id"] for one in found}}
    return {
        "merchant": row,
        "templates": service.templates(conn, operator_id, merchant_id),
        "held": stock.held(conn, merchant_id, now_ms),
        "found": found,
        "edges": edges,
        "paid": late.paid(conn, [one.stay for one in found]),
        "grants": members.granted_now(conn, operator_id, {one.stay["plate"] for one in found}, now_ms),
        "purses": {commodity.value: ledger.purse(conn, merchant_id, commodity, account) for commodity in Commodity},
        "search": search,
        "short": bool(search) and len(plate) < FEWEST_TYPED,
    }


async def _issue_page(
    request: web.Request, merchant_id: int, base: str, search: str, error: str = "", branch_id: int = 0
) -> web.Response:
    now_ms = request.config_dict[CLOUD].now_ms()
    values = chosen_of(request, await read(request, _issue_values, merchant_id, branch_id, search, now_ms))
    heard = {edge for edge, said in request.config_dict[CLOUD].live().items() if said.age_ms < ONLINE_MS}
    online = {lot_id for lot_id, edge in values.pop("edges").items() if edge in heard}
    status = 422 if error else 200
    return render(request, "issue.html", status=status, base=base, error=error, now_ms=now_ms, online=online, **values)


def chosen_of(request: web.Request, values: dict[str, Any]) -> dict[str, Any]:
    """*values* with the one template that ``template`` in the address names, or with all of them (S2.20)."""
    wanted = whole(request.query.get("template", ""))
    chosen = next((row for row in values["templates"] if row["template_id"] == wanted), None)
    return values | {"chosen": chosen, "templates": [chosen] if chosen else values["templates"]}


async def issue_page(request: web.Request) -> web.Response:
    """By the operator, in a merchant's name: find the car, choose the template (S1.33)."""
    await allow(request, Right.ISSUE)
    merchant_id = whole(request.query.get("merchant", ""))
    if merchant_id is None:
        raise web.HTTPSeeOther("/admin/merchants")
    base = f"/admin/coupons/issue?merchant={merchant_id}"
    return await _issue_page(request, merchant_id, base, request.query.get("q", ""))


async def issue(request: web.Request) -> web.Response:
    """By the operator, in a merchant's name."""
    session = await allow(request, Right.ISSUE)
    merchant_id = whole(request.query.get("merchant", "")) or 0
    base = f"/admin/coupons/issue?merchant={merchant_id}"
    return await _issue(request, session, merchant_id, base, "/admin/coupons")


async def typed_worth(request: web.Request) -> int:
    """What a custom kind is worth this time (S1.28); 0 for anything that is no such number, which is refused."""
    yuan, minutes = await field_of(request, "yuan"), await field_of(request, "minutes")
    try:
        return fen_from_yuan(yuan) if yuan else whole(minutes) or 0
    except ValueError:
        return 0


async def _issue(
    request: web.Request, session: Session, merchant_id: int, base: str, after: str, branch_id: int = 0
) -> web.Response:
    template_id, stay_id = whole(await field_of(request, "template_id")) or 0, await field_of(request, "stay_id")
    worth, count = await typed_worth(request), whole(await field_of(request, "count") or "1") or 0
    made = await change(
        request, login_of(session), service.issue, merchant_id, template_id, stay_id, worth, branch_id, count=count
    )
    if isinstance(made, Refused):
        search = await field_of(request, "q")
        return await _issue_page(request, merchant_id, base, search, error=words(request, made), branch_id=branch_id)
    raise done(after, "issued")


def _records(
    conn: Connection,
    operator_id: int,
    merchant_id: int | None,
    search: str,
    page: int,
    kind: str,
    branch_id: int,
    given_by: str,
) -> dict[str, Any]:
    found = service.coupons(
        conn, operator_id, merchant_id, search, page, kind=kind, branch_id=branch_id, given_by=given_by
    )
    stays = lots.stays(conn, operator_id, [row["stay_id"] for row in found.items])
    names = {row["merchant_id"]: row["name"] for row in merchants.everyone(conn, operator_id)}
    return {"page": found, "stays": stays, "names": names}


async def coupons_page(request: web.Request) -> web.Response:
    """All coupons with their states."""
    session = await allow(request, Right.VIEW)
    return await _records_page(request, session, None, "/admin/coupons")


async def _records_page(
    request: web.Request, session: Session, merchant_id: int | None, base: str, error: str = "", branch_id: int = 0
) -> web.Response:
    search, kind = request.query.get("q", "").strip().upper(), request.query.get("kind", "")
    given_by = staff_login(session)
    number = page_number(request.query)
    values = await read(request, _records, merchant_id, search, number, kind, branch_id, given_by)
    return render(
        request,
        "coupons.html",
        status=422 if error else 200,
        base=base,
        error=error,
        plates=may(session.role, Right.PLATES),
        voiding=may(session.role, Right.OWN_MERCHANT) or may(session.role, Right.ISSUE),
        telling=may(session.role, Right.GIVE) or may(session.role, Right.ISSUE),
        of_all=merchant_id is None,
        view=View(session, merchant_id, branch_id, base),
        kind=kind,
        kinds=KINDS,
        **values,
    )


async def void(request: web.Request) -> web.Response:
    """By the operator."""
    session = await allow(request, Right.ISSUE)
    return await _void(request, session, None, "/admin/coupons")


async def _void(request: web.Request, session: Session, merchant_id: int | None, base: str) -> web.Response:
    coupon_id, reason = await field_of(request, "coupon_id"), await field_of(request, "reason")
    refused = await change(request, login_of(session), service.void, coupon_id, reason, merchant_id)
    if refused is None:
        raise done(base, "voided")
    return await _records_page(request, session, merchant_id, base, error=words(request, refused))


def _home_values(
    conn: Connection, operator_id: int, merchant_id: int, branch_id: int, user_id: int, now_ms: int
) -> dict[str, Any]:
    row = merchants.get(conn, operator_id, merchant_id)
    branch = branches.get(conn, operator_id, branch_id) if branch_id else None
    if row is None or (branch_id and branch is None):
        raise web.HTTPNotFound
    left = {} if branch_id else merchants.used_purses(conn, merchant_id)
    account = branches.purse_of(branch)
    return {
        "merchant": row,
        "usual_low": merchants.USUAL_LOW,
        "templates": service.templates(conn, operator_id, merchant_id),
        "template_lots": service.lots_of(conn, operator_id, merchant_id),
        "held": stock.held(conn, merchant_id, now_ms),
        "branch": branch,
        "places": len(branches.places(conn, operator_id, user_id)),
        "suggested": None if branch_id else suggesting.standing(conn, operator_id).get(merchant_id),
        "low": [unit for unit in Commodity if unit in left and merchants.is_low(row, unit, left[unit])],
        "purses": {commodity.value: ledger.purse(conn, merchant_id, commodity, account) for commodity in Commodity},
        "leased": {unit.value: 0 if branch_id else leases.leased(conn, merchant_id, unit) for unit in Commodity},
        "vouchers": [] if branch_id else service.vouchers(conn, operator_id, merchant_id).items[:10],
    }


async def my_home(request: web.Request) -> web.Response:
    """The merchant's own purses and templates, or the branch's."""
    session = await allow(request, Right.OWN_BRANCH)
    return await _my_home(request, session)


async def _my_home(request: web.Request, session: Session, error: str = "") -> web.Response:
    now_ms = request.config_dict[CLOUD].now_ms()
    values = await read(request, _home_values, *place_of(session), int(session.user_id), now_ms)
    status, suggested = 422 if error else 200, values["suggested"]
    pay_at = f"{request.config_dict[CLOUD].public_url}{suggested.cashier_path}" if suggested else ""
    return render(
        request,
        "my_home.html",
        status=status,
        error=error,
        issue=not place_of(session)[1],
        suggested_code=segno.make_qr(pay_at, error="m").svg_data_uri(scale=4, light="white") if suggested else "",
        view="table" if request.query.get("view") == "table" else "cards",
        template_base="/m",
        **values,
    )


async def my_template(request: web.Request) -> web.Response:
    """A template of the merchant's own."""
    session = await allow(request, Right.OWN_MERCHANT)
    refused = await _add_template(request, session, merchant_of(session))
    if refused is None:
        raise done("/m", "template_added")
    return await _my_home(request, session, error=words(request, refused))


async def my_template_gone(request: web.Request) -> web.Response:
    """A template of the merchant's own is not used any more."""
    session = await allow(request, Right.OWN_MERCHANT)
    refused = await _delete_template(request, session, merchant_of(session))
    if refused is None:
        raise done("/m", "template_deleted")
    return await _my_home(request, session, error=words(request, refused))


async def my_low(request: web.Request) -> web.Response:
    """Below which balances the merchant wants to be told (E17)."""
    session = await allow(request, Right.OWN_MERCHANT)
    refused = await low_pages.save(request, login_of(session), merchant_of(session))
    if refused is None:
        raise done("/m", "low_set")
    return await _my_home(request, session, error=words(request, refused))


async def my_issue_page(request: web.Request) -> web.Response:
    """Find the customer's car, choose the coupon."""
    session = await allow(request, Right.GIVE)
    merchant_id, branch_id = place_of(session)
    return await _issue_page(request, merchant_id, "/m/issue", request.query.get("q", ""), branch_id=branch_id)


async def my_issue(request: web.Request) -> web.Response:
    """Give it."""
    session = await allow(request, Right.GIVE)
    merchant_id, branch_id = place_of(session)
    return await _issue(request, session, merchant_id, "/m/issue", "/m/records", branch_id)


async def my_records(request: web.Request) -> web.Response:
    """The merchant's coupons (S1.37-S1.39); staff see those they gave (E20)."""
    session = await allow(request, Right.GIVE)
    merchant_id, branch_id = place_of(session)
    return await _records_page(request, session, merchant_id, "/m/records", branch_id=branch_id)


async def my_void(request: web.Request) -> web.Response:
    """Take an unused coupon back."""
    session = await allow(request, Right.OWN_MERCHANT)
    return await _void(request, session, merchant_of(session), "/m/records")


def add_routes(app: web.Application) -> None:
    """Pages of coupons, for both sides."""
    limit_pages.add_routes(app)
    plate_pages.add_routes(app)
    poster_pages.add_routes(app)
    poster_claims.add_routes(app)
    record_pages.add_routes(app)
    ledger_pages.add_routes(app)
    report_pages.add_routes(app)
    check_pages.add_routes(app)
    picture_pages.add_routes(app)
    add_get, add_post = app.router.add_get, app.router.add_post
    add_post("/admin/merchants/{merchant_id:[0-9]+}/templates", add_template)
    add_post("/admin/merchants/{merchant_id:[0-9]+}/templates/delete", delete_template)
    add_get("/admin/coupons/issue", issue_page)
    add_post("/admin/coupons/issue", issue)
    add_get("/admin/coupons", coupons_page)
    add_post("/admin/coupons/void", void)
    add_get("/m", my_home)
    add_post("/m/low", my_low)
    add_post("/m/templates", my_template)
    add_post("/m/templates/delete", my_template_gone)
    add_get("/m/issue", my_issue_page)
    add_post("/m/issue", my_issue)
    add_get("/m/records", my_records)
    add_post("/m/records/void", my_void)
