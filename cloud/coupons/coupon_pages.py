"""One coupon: what became of it, and moving it to another plate (S1.42, E4)."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from cloud.access.roles import Right, may
from cloud.act import Refused
from cloud.coupons import history, rebinding, wallets
from cloud.coupons.code_pages import qr_picture
from cloud.coupons.life import State
from cloud.coupons.wallets import Told
from cloud.lots import service as lots
from cloud.merchants import service as merchants
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
    staff_login,
    words,
)
from plumbing.web import Session, render


def _values(
    conn: Connection, operator_id: int, coupon_id: str, merchant_id: int | None, branch_id: int
) -> dict[str, Any]:
    found = history.of(conn, operator_id, coupon_id, merchant_id)
    if found is None or branch_id not in (0, found[0]["branch_id"]):
        raise web.HTTPNotFound
    row, steps = found
    account = merchants.get(conn, operator_id, row["merchant_id"])
    stay = lots.stays(conn, operator_id, [row["stay_id"]]).get(row["stay_id"])
    return {
        "coupon": row,
        "steps": steps,
        "stay": stay,
        "merchant": account["name"] if account else "",
        "lot": lots.name_of(conn, operator_id, row["lot_id"]),
    }


async def _page(
    request: web.Request, session: Session, merchant_id: int | None, base: str, error: str = "", branch_id: int = 0
) -> web.Response:
    values = await read(request, _values, request.match_info["coupon_id"], merchant_id, branch_id)
    acts = not branch_id and (may(session.role, Right.OWN_MERCHANT) or may(session.role, Right.ISSUE))
    return render(
        request, "coupon.html", status=422 if error else 200, base=base, error=error,
        plates=may(session.role, Right.PLATES), moving=acts and values["coupon"]["state"] == State.BOUND.value,
        **values,
    )  # fmt: skip


async def _rebind(request: web.Request, session: Session, merchant_id: int | None, base: str) -> web.Response:
    coupon_id, plate = request.match_info["coupon_id"], await field_of(request, "plate")
    reason = await field_of(request, "reason")
    args = (coupon_id, plate, reason, merchant_id)
    refused = await change(request, login_of(session), rebinding.by_merchant, *args)
    if refused is None:
        raise done(f"{base}/{coupon_id}", "rebound")
    return await _page(request, session, merchant_id, base, words(request, refused))


async def _tell_driver(request: web.Request, session: Session, base: str, told: Told | Refused) -> web.Response:
    if isinstance(told, Refused):
        return render(request, "refused.html", status=422, error=words(request, told), back=base)
    address = f"{request.config_dict[CLOUD].public_url.rstrip('/')}/c/mine"
    return render(request, "driver_code.html", told=told, address=address, qr=qr_picture(address), base=base)


async def my_driver_code(request: web.Request) -> web.Response:
    """What to tell the driver of a car that was given coupons; shown this once."""
    session = await allow(request, Right.GIVE)
    merchant_id, branch_id = place_of(session)
    args = (request.match_info["coupon_id"], merchant_id, branch_id, staff_login(session))
    told = await change(request, login_of(session), wallets.tell_driver, *args)
    return await _tell_driver(request, session, "/m/records", told)


async def driver_code(request: web.Request) -> web.Response:
    """The same by the operator."""
    session = await allow(request, Right.ISSUE)
    told = await change(request, login_of(session), wallets.tell_driver, request.match_info["coupon_id"], None)
    return await _tell_driver(request, session, "/admin/coupons", told)


async def my_coupon(request: web.Request) -> web.Response:
    """One of the merchant's own, or of the branch's."""
    session = await allow(request, Right.OWN_BRANCH)
    merchant_id, branch_id = place_of(session)
    return await _page(request, session, merchant_id, "/m/records", branch_id=branch_id)


async def my_rebind(request: web.Request) -> web.Response:
    """To another car, with a reason."""
    session = await allow(request, Right.OWN_MERCHANT)
    return await _rebind(request, session, merchant_of(session), "/m/records")


async def coupon(request: web.Request) -> web.Response:
    """Any merchant's, for the operator."""
    return await _page(request, await allow(request, Right.VIEW), None, "/admin/coupons")


async def rebind(request: web.Request) -> web.Response:
    """By the operator."""
    return await _rebind(request, await allow(request, Right.ISSUE), None, "/admin/coupons")


def add_routes(app: web.Application) -> None:
    """One page a coupon, for both sides."""
    one = "{coupon_id}"
    app.router.add_get(f"/m/records/{one}", my_coupon)
    app.router.add_post(f"/m/records/{one}/rebind", my_rebind)
    app.router.add_post(f"/m/records/{one}/driver", my_driver_code)
    app.router.add_get(f"/admin/coupons/{one}", coupon)
    app.router.add_post(f"/admin/coupons/{one}/driver", driver_code)
    app.router.add_post(f"/admin/coupons/{one}/rebind", rebind)
