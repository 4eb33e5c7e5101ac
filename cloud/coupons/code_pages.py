"""A merchant's codes for drivers: on its screen, renewed after each claim, and on paper (S1.34, S1.43-S1.45)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import segno
from aiohttp import web
from sqlalchemy import Connection, RowMapping

from cloud import sheets
from cloud.access.roles import Right, may
from cloud.act import Refused
from cloud.coupons import codes, lot_printing, placing, records, template
from cloud.coupons.codes import Way
from cloud.coupons.forms import ANYWHERE
from cloud.coupons.layout import layout_of
from cloud.coupons.life import State
from cloud.coupons.pages import chosen_of, typed_worth
from cloud.merchants import service as merchants
from cloud.shop import stock
from cloud.web.state import (
    CLOUD,
    allow,
    change,
    done,
    field_of,
    login_of,
    merchant_of,
    place_of,
    read,
    search_of,
    staff_login,
    whole,
    words,
    zone_of,
)
from domain.claim_code import claim_url
from domain.plate import mask
from plumbing.web import Event, Session, page_number, render, render_part, stream, texts

Begin = Callable[..., str | Refused]
PAGES = {Way.SCREEN: ("/m/codes", "codes.html"), Way.PAPER: ("/m/print", "print.html")}


def _choice(
    conn: Connection,
    operator_id: int,
    place: tuple[int, int],
    way: Way,
    page: int,
    made_by: str,
    now_ms: int,
    search: str,
) -> dict[str, Any]:
    merchant_id, branch_id = place
    is_whole = not made_by and not branch_id
    row = merchants.get(conn, operator_id, merchant_id)
    if row is None:
        raise web.HTTPNotFound
    return {
        "merchant": row,
        "templates": template.templates(conn, operator_id, merchant_id),
        "held": stock.held(conn, merchant_id, now_ms),
        "lots": placing.of_branch(conn, template.lots_of(conn, operator_id, merchant_id), branch_id),
        "page": codes.batches(conn, operator_id, merchant_id, way, page, made_by, search, branch_id),
        "asked": lot_printing.asked(conn, operator_id, merchant_id) if way is Way.PAPER and is_whole else [],
        "at_lot": is_whole,
    }


async def _choose(request: web.Request, session: Session, way: Way, error: str = "") -> web.Response:
    now_ms = request.config_dict[CLOUD].now_ms()
    args = (place_of(session), way, page_number(request.query), staff_login(session), now_ms, search_of(request))
    values = chosen_of(request, await read(request, _choice, *args))
    return render(request, PAGES[way][1], status=422 if error else 200, error=error, now_ms=now_ms, **values)


async def codes_file(request: web.Request) -> web.Response:
    """Every code of the screens, as a file."""
    return await _file(request, Way.SCREEN, "codes")


async def papers_file(request: web.Request) -> web.Response:
    """Every code printed, as a file."""
    return await _file(request, Way.PAPER, "papers")


async def _file(request: web.Request, way: Way, name: str) -> web.Response:
    session, t = await allow(request, Right.HAND_OUT), texts(request)
    plates = may(session.role, Right.PLATES)
    zone = zone_of(request)
    merchant_id, branch_id = place_of(session)
    args = (merchant_id, way, staff_login(session), search_of(request), sheets.MOST_ROWS, branch_id)
    rows: list[list[sheets.Cell]] = [
        [
            sheets.written(row["made_ms"], zone), row["name"], row["serial"], t(f"coupon.{records.shown(row)}"),
            sheets.written(row["bound_ms"], zone), row["plate"] if plates else mask(row["plate"]),
            sheets.written(row["claim_until_ms"], zone), row["made_by"],
        ]
        for row in await read(request, codes.every, *args)
    ]  # fmt: skip
    heads = [t(f"col.{column}") for column in ("created", "name", "serial", "state", "bound", "plate")]
    heads += [t("claim.until"), t("col.by")]
    return await sheets.table_file(
        request.match_info["kind"], name, t("nav.codes" if way is Way.SCREEN else "nav.print"), heads, rows
    )


async def _begin(request: web.Request, way: Way, begin: Begin) -> web.Response:
    session = await allow(request, Right.HAND_OUT)
    template_id = whole(await field_of(request, "template_id")) or 0
    lot = await field_of(request, "lot_id")
    worth, count = await typed_worth(request), whole(await field_of(request, "count") or "1") or 0
    merchant_id, branch_id = place_of(session)
    args = (merchant_id, template_id, worth, count, whole(lot) or 0)
    made = await change(request, login_of(session), begin, *args, anywhere=lot == ANYWHERE, branch_id=branch_id)
    if isinstance(made, Refused):
        return await _choose(request, session, way, words(request, made))
    raise web.HTTPSeeOther(f"{PAGES[way][0]}/{made}")


async def codes_page(request: web.Request) -> web.Response:
    """Choose what to give away by code."""
    return await _choose(request, await allow(request, Right.HAND_OUT), Way.SCREEN)


async def make_code(request: web.Request) -> web.Response:
    """生成电子优惠券: the code pops up on its own page."""
    return await _begin(request, Way.SCREEN, codes.open_screen)


async def print_page(request: web.Request) -> web.Response:
    """Choose what to print, and how many."""
    return await _choose(request, await allow(request, Right.HAND_OUT), Way.PAPER)


async def print_papers(request: web.Request) -> web.Response:
    """Make them; how they stand on paper is chosen next."""
    return await _begin(request, Way.PAPER, codes.print_papers)


async def print_at_lot(request: web.Request) -> web.Response:
    """On the lot's printer: vouchers of its own, asked for once."""
    session = await allow(request, Right.OWN_MERCHANT)
    template_id = whole(await field_of(request, "template_id")) or 0
    lot_id, count = whole(await field_of(request, "lot_id")) or 0, whole(await field_of(request, "count")) or 0
    args = (merchant_of(session), template_id, lot_id, count)
    refused = await change(request, login_of(session), lot_printing.ask, *args)
    if refused is not None:
        return await _choose(request, session, Way.PAPER, words(request, refused))
    raise done("/m/print", "print_asked")


def _batch(
    conn: Connection, operator_id: int, place: tuple[int, int], batch_id: str, way: Way, made_by: str
) -> tuple[Mapping[str, Any], Sequence[RowMapping], str]:
    merchant_id, branch_id = place
    batch = codes.get(conn, operator_id, merchant_id, batch_id, made_by, branch_id)
    account = merchants.get(conn, operator_id, merchant_id)
    if batch is None or account is None or batch["way"] != way.value:
        raise web.HTTPNotFound
    return batch, codes.of_batch(conn, batch_id), account["name"]


async def _code(request: web.Request, session: Session) -> dict[str, Any]:
    """What the screen shows now."""
    cloud = request.config_dict[CLOUD]
    batch, coupons, name = await batch_of(request, session, Way.SCREEN)
    now_ms = cloud.now_ms()
    shown = [one for one in coupons if one["state"] == State.CLAIMABLE.value and one["claim_until_ms"] >= now_ms]
    bound = sorted((one for one in coupons if one["bound_ms"] is not None), key=lambda one: one["bound_ms"])
    return {
        "batch": batch,
        "merchant": name,
        "shown": shown[-1] if shown else None,
        "last": bound[-1] if bound else None,
        "claimed": len(bound),
        "qr": qr_picture(claim_url(cloud.public_url, shown[-1]["token"])) if shown else "",
    }


async def batch_of(
    request: web.Request, session: Session, way: Way
) -> tuple[Mapping[str, Any], Sequence[RowMapping], str]:
    """A batch made in that *way*, its coupons and the merchant's name. Raises HTTPNotFound, staff's for others' too."""
    args = (place_of(session), request.match_info["batch"], way, staff_login(session))
    return await read(request, _batch, *args)


def qr_picture(text: str) -> str:
    """A code to scan, as an address of its picture."""
    return segno.make_qr(text, error="m").png_data_uri(scale=8, border=4)


async def code_page(request: web.Request) -> web.Response:
    """The code for the next driver."""
    session = await allow(request, Right.HAND_OUT)
    return render(request, "code.html", **await _code(request, session))


async def code_live(request: web.Request) -> web.StreamResponse:
    """The same as it changes: after a claim, the next one."""
    session = await allow(request, Right.HAND_OUT)

    async def show(_fact: str) -> list[Event]:
        return [Event("code", render_part(request, "code_part.html", **await _code(request, session)))]

    return await stream(request, request.config_dict[CLOUD].hub, show, start=["now"])


async def fresh_code(request: web.Request) -> web.Response:
    """Another code in place of the one shown, which is dead."""
    session = await allow(request, Right.HAND_OUT)
    batch_id = request.match_info["batch"]
    merchant_id, branch_id = place_of(session)
    args = (merchant_id, batch_id, staff_login(session), branch_id)
    refused = await change(request, login_of(session), codes.show_again, *args)
    if refused is not None:
        return await _choose(request, session, Way.SCREEN, words(request, refused))
    raise web.HTTPSeeOther(f"/m/codes/{batch_id}")


async def close_codes(request: web.Request) -> web.Response:
    """Take the code down."""
    return await _close(request, Way.SCREEN)


async def close_papers(request: web.Request) -> web.Response:
    """Withdraw what of a printing nobody has claimed."""
    return await _close(request, Way.PAPER)


async def _close(request: web.Request, way: Way) -> web.Response:
    session = await allow(request, Right.HAND_OUT)
    batch_id = request.match_info["batch"]
    merchant_id, branch_id = place_of(session)
    args = (merchant_id, batch_id, "", staff_login(session), branch_id)
    refused = await change(request, login_of(session), codes.close, *args)
    if refused is not None:
        return await _choose(request, session, way, words(request, refused))
    raise done(f"{PAGES[way][0]}/{batch_id}", "codes_closed")


async def batch_page(request: web.Request) -> web.Response:
    """One printing: choose the layout, open the sheet, see what was claimed."""
    session = await allow(request, Right.HAND_OUT)
    batch, coupons, _ = await batch_of(request, session, Way.PAPER)
    layout = layout_of(request.query)
    return render(
        request, "print_batch.html", batch=batch, coupons=coupons, layout=layout, pages=len(layout.sheets(coupons))
    )


def add_routes(app: web.Application) -> None:
    """Pages of the merchant's codes."""
    add_get, add_post = app.router.add_get, app.router.add_post
    add_get("/m/codes", codes_page)
    add_get("/m/codes.{kind:csv|xlsx}", codes_file)
    add_post("/m/codes", make_code)
    add_get("/m/codes/{batch}", code_page)
    add_get("/m/codes/{batch}/live", code_live)
    add_post("/m/codes/{batch}/fresh", fresh_code)
    add_post("/m/codes/{batch}/close", close_codes)
    add_get("/m/print", print_page)
    add_get("/m/print.{kind:csv|xlsx}", papers_file)
    add_post("/m/print", print_papers)
    add_post("/m/print/lot", print_at_lot)
    add_get("/m/print/{batch}", batch_page)
    add_post("/m/print/{batch}/close", close_papers)
