"""The operator's page of limits: of lots, of a merchant and of its templates (S2.24)."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from cloud.access.roles import Right, may
from cloud.act import Refused
from cloud.coupons import rules, template
from cloud.lots import service as lots
from cloud.merchants import service as merchants
from cloud.web.state import CLOUD, allow, change, done, field_of, login_of, read, whole, words
from domain.coupon.limits import FIELDS, Level, Limits, limits_of
from domain.coupon.terms import Late, LotWays, ways_of
from domain.fen import fen_from_yuan
from plumbing.web import render

NUMBERS = ("per_day", "day_total", "total")


def _values(conn: Connection, operator_id: int, merchant_id: int | None) -> dict[str, Any]:
    bodies = rules.everything(conn, operator_id)
    everyone = merchants.everyone(conn, operator_id)
    chosen = next((row for row in everyone if row["merchant_id"] == merchant_id), None)
    return {
        "lots": [
            (row, limits_of(bodies.get(("lot", row["lot_id"]))), ways_of(bodies.get(("lot", row["lot_id"]))))
            for row in lots.lots(conn, operator_id)
        ],
        "merchants": [(row, limits_of(bodies.get(("merchant", row["merchant_id"])))) for row in everyone],
        "chosen": chosen,
        "chosen_limits": limits_of(bodies.get(("merchant", merchant_id or 0))),
        "templates": [
            (row, limits_of(bodies.get(("coupon", row["template_id"]))))
            for row in (template.templates(conn, operator_id, merchant_id) if chosen else ())
        ],
    }


async def page(request: web.Request) -> web.Response:
    """What is set, with forms to set it."""
    session = await allow(request, Right.VIEW)
    return await _page(request, session.role)


async def _page(request: web.Request, role: str, refused: Refused | None = None) -> web.Response:
    merchant_id = whole(request.query.get("merchant", ""))
    values = await read(request, _values, merchant_id)
    return render(
        request,
        "limits.html",
        status=422 if refused else 200,
        error=words(request, refused),
        manage=may(role, Right.MANAGE),
        refund_limit_fen=_refund_limit(request),
        fields=FIELDS,
        **values,
    )


async def save(request: web.Request) -> web.Response:
    """Set the limits of one lot, merchant or template."""
    session = await allow(request, Right.MANAGE)
    typed = await _typed(request)
    refused: Refused | None
    if isinstance(typed, Refused):
        refused = typed
    else:
        refused = await change(request, login_of(session), rules.set_limits, *typed)
    if refused is not None:
        return await _page(request, session.role, refused)
    merchant_id = whole(request.query.get("merchant", ""))
    raise done(f"/admin/coupons/limits{f'?merchant={merchant_id}' if merchant_id else ''}", "limits_set")


async def _typed(request: web.Request) -> tuple[Level, int, Limits, LotWays | None] | Refused:
    level, subject_id = await field_of(request, "level"), whole(await field_of(request, "subject_id"))
    numbers = {name: whole(await field_of(request, name) or "0") for name in (*NUMBERS, "max_coupons")}
    if level not in set(Level) or subject_id is None:
        return Refused("limit_subject_unknown")
    if None in numbers.values():
        return Refused("limit_malformed")
    most = numbers.pop("max_coupons") or 0
    marks = {name: await field_of(request, name) == "1" for name in ("one_merchant", "one_per_stay", "no_repeat")}
    limits = limits_of({**numbers, **marks})
    if Level(level) is not Level.LOT:
        return Level(level), subject_id, limits, None
    late = await field_of(request, "late")
    ways = LotWays(
        most,
        await field_of(request, "amount_first") == "1",
        await field_of(request, "one_kind") == "1",
        Late(late) if late in set(Late) else Late.REFUSE,
        await _back_most(request) if late == Late.REFUND else 0,
        late == Late.REFUND and await field_of(request, "cash_back") == "1",
    )
    return rules.back_refusal(ways, _refund_limit(request)) or (Level.LOT, subject_id, limits, ways)


async def _back_most(request: web.Request) -> int:
    try:
        return int(fen_from_yuan(await field_of(request, "back_most")))
    except ValueError:
        return 0


def _refund_limit(request: web.Request) -> int:
    return request.config_dict[CLOUD].settings.payments.refund_limit_fen


def add_routes(app: web.Application) -> None:
    """The page of limits."""
    app.router.add_get("/admin/coupons/limits", page)
    app.router.add_post("/admin/coupons/limits", save)
