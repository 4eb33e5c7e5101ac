"""The operator's pages of plates: those that get no coupons, and those that get many."""

from __future__ import annotations

from aiohttp import web

from cloud import sheets
from cloud.access.roles import Right, may
from cloud.act import Refused
from cloud.coupons import often, plates
from cloud.web.lists import ShortList, short_list
from cloud.web.state import CLOUD, allow, change, done, field_of, login_of, path_id, read, whole, words, zone_of
from domain.fen import yuan
from domain.plate import mask
from plumbing.web import page_number, render, texts

COLUMNS = ("plate", "merchant", "by", "count", "used", "off")


async def blocked(request: web.Request) -> web.Response:
    """The list, with a form for one more."""
    session = await allow(request, Right.VIEW)
    return await _blocked(request, session.role)


async def _blocked(request: web.Request, role: str, refused: Refused | None = None) -> web.Response:
    search = request.query.get("q", "").strip()[:20]
    return render(
        request,
        "coupon_plates.html",
        status=422 if refused else 200,
        error=words(request, refused),
        page=await read(request, plates.listed, search, page_number(request.query)),
        plates=may(role, Right.PLATES),
        manage=may(role, Right.MANAGE),
        typed={name: await field_of(request, name) for name in ("plate", "reason")} if refused else {},
    )


async def block(request: web.Request) -> web.Response:
    """No more coupons for a plate."""
    session = await allow(request, Right.MANAGE)
    args = await field_of(request, "plate"), await field_of(request, "reason")
    made = await change(request, login_of(session), plates.block, *args)
    if isinstance(made, Refused):
        return await _blocked(request, session.role, made)
    raise done("/admin/coupons/plates", "coupon_plate_blocked")


async def unblock(request: web.Request) -> web.Response:
    """Coupons again."""
    session = await allow(request, Right.MANAGE)
    reason = await field_of(request, "reason")
    refused = await change(request, login_of(session), plates.unblock, path_id(request, "number"), reason)
    if refused is not None:
        return await _blocked(request, session.role, refused)
    raise done("/admin/coupons/plates", "coupon_plate_unblocked")


def _asked(request: web.Request) -> tuple[often.Month, int, bool]:
    cloud, query = request.config_dict[CLOUD], request.query
    month = often.month_of(query.get("month", ""), cloud.now_ms(), cloud.zone)
    return month, whole(query.get("least", "")) or often.USUAL_LEAST, query.get("by") == "staff"


async def _often(request: web.Request, role: str) -> ShortList[often.Often]:
    month, least, by_staff = _asked(request)
    t, shown = texts(request), may(role, Right.PLATES)

    def cells(one: often.Often) -> list[sheets.Cell]:
        plate = one.plate if shown else mask(one.plate)
        return [plate, one.merchant, one.by, one.count, one.used, yuan(one.off_fen)]

    found = await read(request, often.plates_with, month, least, by_staff=by_staff)
    return short_list(request, [t(f"often.{name}") for name in COLUMNS], found, cells)


async def report(request: web.Request) -> web.Response:
    """Plates with many coupons in a month from one merchant, or from one person."""
    session = await allow(request, Right.VIEW)
    month, least, by_staff = _asked(request)
    return render(
        request,
        "often.html",
        page=(await _often(request, session.role)).page(request),
        month=month.name,
        least=least,
        by_staff=by_staff,
        plates=may(session.role, Right.PLATES),
    )


async def export(request: web.Request) -> web.Response:
    """The same as a file."""
    session = await allow(request, Right.VIEW)
    month, _, _ = _asked(request)
    found = await _often(request, session.role)
    return await found.file(request, f"coupons-{month.name}", texts(request)("coupon_tab.often"))


async def blocked_file(request: web.Request) -> web.Response:
    """The list of plates without coupons as a file."""
    session = await allow(request, Right.VIEW)
    t, zone = texts(request), zone_of(request)
    shown, search = may(session.role, Right.PLATES), request.query.get("q", "").strip()[:20]
    rows = [
        (
            row["plate"] if shown else mask(row["plate"]),
            row["reason"],
            sheets.written(row["created_ms"], zone),
            row["created_by"],
        )
        for row in await read(request, plates.every, search, sheets.MOST_ROWS)
    ]
    heads = [t(f"col.{name}") for name in ("plate", "reason", "created", "by")]
    title = t("coupon_tab.plates")
    return await sheets.table_file(request.match_info["kind"], "plates-without-coupons", title, heads, rows)


def add_routes(app: web.Application) -> None:
    """The list and the report."""
    app.router.add_get("/admin/coupons/plates", blocked)
    app.router.add_post("/admin/coupons/plates", block)
    app.router.add_post("/admin/coupons/plates/{number:[0-9]+}/end", unblock)
    app.router.add_get("/admin/coupons/often", report)
    app.router.add_get("/admin/coupons/often.{kind:csv|xlsx}", export)
    app.router.add_get("/admin/coupons/plates.{kind:csv|xlsx}", blocked_file)
