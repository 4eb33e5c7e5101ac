"""Static codes for the wall: put up, printed, taken down; by a merchant, or by the operator in its name (E11)."""

from __future__ import annotations

from typing import Any

import segno
from aiohttp import web
from sqlalchemy import Connection

from cloud import sheets
from cloud.access.roles import Right
from cloud.act import Refused
from cloud.coupons import placing, posters, template
from cloud.coupons.forms import ANYWHERE
from cloud.coupons.life import CUSTOM
from cloud.merchants import service as merchants
from cloud.web.lists import ShortList, short_list
from cloud.web.state import (
    CLOUD,
    allow,
    change,
    done,
    field_of,
    login_of,
    path_id,
    place_of,
    read,
    staff_login,
    whole,
    words,
    zone_of,
)
from domain.coupon.limits import Limits
from plumbing.web import Session, render, texts

MINE, ADMIN = "/m/posters", "/admin/merchants/{merchant_id:[0-9]+}/posters"


Place = tuple[int, int]
"""A merchant and its branch; 0: the whole."""


def _values(conn: Connection, operator_id: int, place: Place, put_up_by: str) -> dict[str, Any]:
    merchant_id, branch_id = place
    row = merchants.get(conn, operator_id, merchant_id)
    if row is None:
        raise web.HTTPNotFound
    fit = [
        one
        for one in template.templates(conn, operator_id, merchant_id)
        if one["kind"] not in CUSTOM and template.terms(one).uses == 1
    ]
    return {
        "merchant": row,
        "templates": fit,
        "lots": placing.of_branch(conn, template.lots_of(conn, operator_id, merchant_id), branch_id),
        "posters": posters.listed(conn, operator_id, merchant_id, put_up_by, branch_id),
    }


def _listed(request: web.Request, found: dict[str, Any]) -> ShortList[dict[str, Any]]:
    t, zone = texts(request), zone_of(request)

    def cells(row: dict[str, Any]) -> list[sheets.Cell]:
        caps: Limits = row["limits"]
        return [
            row["name"],
            row["template_name"],
            t("limits.coupon_no_repeat") if caps.no_repeat else "",
            *(cap or "" for cap in (caps.per_day, caps.day_total, caps.total)),
            row["given"],
            sheets.written(row["created_ms"], zone),
            row["created_by"],
            t("posters.ended") if row["ended_ms"] else t("posters.up"),
        ]

    names = ("posters.name", "posters.template", "posters.caps", "limits.per_day", "limits.day_total", "limits.total",
             "posters.given", "col.created", "col.by", "col.state")  # fmt: skip
    return short_list(request, [t(name) for name in names], found["posters"], cells)


async def _file(request: web.Request, session: Session, place: Place) -> web.Response:
    found = await read(request, _values, place, staff_login(session))
    return await _listed(request, found).file(request, "posters", texts(request)("posters.title"))


async def _list(
    request: web.Request, session: Session, place: Place, base: str, refused: Refused | None = None
) -> web.Response:
    values = await read(request, _values, place, staff_login(session))
    status, page = 422 if refused else 200, _listed(request, values).page(request)
    return render(request, "posters.html", status=status, base=base, error=words(request, refused), page=page, **values)


async def _put_up(request: web.Request, session: Session, place: Place, base: str) -> web.Response:
    numbers = [whole(await field_of(request, name) or "0") for name in ("per_day", "day_total", "total")]
    template_id, lot = whole(await field_of(request, "template_id")) or 0, await field_of(request, "lot_id")
    lot_id = None if lot == ANYWHERE else whole(lot) or 0
    if None in numbers:
        return await _list(request, session, place, base, Refused("limit_malformed"))
    per_day, day_total, total = (number or 0 for number in numbers)
    caps = Limits(
        per_day=per_day, no_repeat=await field_of(request, "no_repeat") == "1", day_total=day_total, total=total
    )
    name = await field_of(request, "name")
    args = (place[0], template_id, lot_id, name, caps, place[1])
    made = await change(request, login_of(session), posters.put_up, *args)
    if isinstance(made, Refused):
        return await _list(request, session, place, base, made)
    raise done(f"{base}/{made}", "poster_put_up")


async def _take_down(request: web.Request, session: Session, place: Place, base: str) -> web.Response:
    poster_id = whole(await field_of(request, "poster_id")) or 0
    args = (place[0], poster_id, staff_login(session), place[1])
    refused = await change(request, login_of(session), posters.take_down, *args)
    if refused is not None:
        return await _list(request, session, place, base, refused)
    raise done(base, "poster_taken_down")


async def _sheet(request: web.Request, session: Session, place: Place, base: str) -> web.Response:
    """One poster to print."""
    values = await read(request, _values, place, staff_login(session))
    poster_id = path_id(request, "poster_id")
    row = next((one for one in values["posters"] if one["poster_id"] == poster_id), None)
    if row is None or row["ended_ms"] is not None:
        raise web.HTTPNotFound
    url = posters.url(request.config_dict[CLOUD].public_url, row["code"])
    qr = segno.make_qr(url, error="m").svg_data_uri(scale=8, border=4, light="white")
    return render(request, "poster.html", base=base, poster=row, qr=qr, url=url, merchant=values["merchant"])


async def my_posters(request: web.Request) -> web.Response:
    """The merchant's own."""
    session = await allow(request, Right.HAND_OUT)
    return await _list(request, session, place_of(session), MINE)


async def my_put_up(request: web.Request) -> web.Response:
    """One more."""
    session = await allow(request, Right.HAND_OUT)
    return await _put_up(request, session, place_of(session), MINE)


async def my_take_down(request: web.Request) -> web.Response:
    """It gives nothing any more."""
    session = await allow(request, Right.HAND_OUT)
    return await _take_down(request, session, place_of(session), MINE)


async def my_sheet(request: web.Request) -> web.Response:
    """To print."""
    session = await allow(request, Right.HAND_OUT)
    return await _sheet(request, session, place_of(session), MINE)


async def my_file(request: web.Request) -> web.Response:
    """The merchant's own as a file."""
    session = await allow(request, Right.HAND_OUT)
    return await _file(request, session, place_of(session))


def _base(request: web.Request) -> tuple[Place, str]:
    merchant_id = path_id(request, "merchant_id")
    return (merchant_id, 0), f"/admin/merchants/{merchant_id}/posters"


async def their_posters(request: web.Request) -> web.Response:
    """A merchant's, for the operator."""
    session = await allow(request, Right.ISSUE)
    return await _list(request, session, *_base(request))


async def their_put_up(request: web.Request) -> web.Response:
    """By the operator, in a merchant's name."""
    session = await allow(request, Right.ISSUE)
    return await _put_up(request, session, *_base(request))


async def their_take_down(request: web.Request) -> web.Response:
    """By the operator, in a merchant's name."""
    session = await allow(request, Right.ISSUE)
    return await _take_down(request, session, *_base(request))


async def their_sheet(request: web.Request) -> web.Response:
    """To print, for the operator."""
    session = await allow(request, Right.ISSUE)
    return await _sheet(request, session, *_base(request))


async def their_file(request: web.Request) -> web.Response:
    """A merchant's as a file, for the operator."""
    session = await allow(request, Right.ISSUE)
    return await _file(request, session, _base(request)[0])


def add_routes(app: web.Application) -> None:
    """For both sides; drivers' page is ``poster_claims``."""
    for base, pages in (
        (MINE, (my_posters, my_put_up, my_take_down, my_sheet, my_file)),
        (ADMIN, (their_posters, their_put_up, their_take_down, their_sheet, their_file)),
    ):
        app.router.add_get(base, pages[0])
        app.router.add_post(base, pages[1])
        app.router.add_post(f"{base}/down", pages[2])
        app.router.add_get(f"{base}/{{poster_id:[0-9]+}}", pages[3])
        app.router.add_get(base + ".{kind:csv|xlsx}", pages[4])
