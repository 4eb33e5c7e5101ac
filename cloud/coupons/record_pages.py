"""Records on pages and as files: usage, discounts, movements of a purse (S1.31, S1.37, S2.22, S2.23)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import Connection, RowMapping, Select

from cloud import sheets
from cloud.access.roles import Right, may
from cloud.coupons import papers, records
from cloud.coupons.life import State
from cloud.coupons.records import KINDS, Sought
from cloud.days import day_began
from cloud.db import paged
from cloud.lots import service as lots
from cloud.merchants import branches
from cloud.merchants import service as merchants
from cloud.web.state import allow, merchant_of, place_of, read, whole, zone_of
from domain.fen import yuan
from domain.plate import mask
from plumbing.i18n import Texts
from plumbing.web import Session, page_number, render, texts

USAGE = ("issued", "bound", "plate", "coupon", "kind", "worth", "serial", "state", "entered", "left", "branch", "by")
DISCOUNT = ("redeemed", "left", "plate", "lot", "coupon", "kind", "worth", "off", "fee", "serial", "branch", "by")
PAPERS = ("number", "issued", "coupon", "kind", "worth", "paper", "redeemed", "plate", "lot", "off", "by")

Query = Callable[[int, Sought], Select[Any]]


@dataclass(frozen=True, slots=True)
class View:
    """Who looks at which records: *merchant_id* None is the operator, at everybody's."""

    session: Session
    merchant_id: int | None
    branch_id: int
    base: str

    @property
    def plates(self) -> bool:
        return may(self.session.role, Right.PLATES)


def _sought(request: web.Request, view: View) -> Sought:
    query, zone = request.query, zone_of(request)
    kind, state = query.get("kind", ""), query.get("state", "")
    merchant_id = view.merchant_id if view.merchant_id is not None else whole(query.get("merchant", ""))
    return Sought(
        merchant_id,
        view.branch_id,
        query.get("q", "").strip().upper()[:60],
        kind if kind in KINDS else "",
        state if state in {*State, *papers.STATES} else "",
        day_began(query.get("from", ""), zone),
        day_began(query.get("to", ""), zone, 1),
    )


async def _mine(request: web.Request, base: str) -> View:
    session = await allow(request, Right.OWN_BRANCH)
    return View(session, *place_of(session), base)


async def _all(request: web.Request, base: str) -> View:
    return View(await allow(request, Right.VIEW), None, 0, base)


def _around(conn: Connection, operator_id: int, rows: Sequence[RowMapping]) -> dict[str, Any]:
    """What stands beside coupons in a list: stays, names of merchants, lots and branches; a question each for all."""
    return {
        "stays": lots.stays(conn, operator_id, [row["of_stay"] for row in rows]),
        "names": {row["merchant_id"]: row["name"] for row in merchants.everyone(conn, operator_id)},
        "lots": {row["lot_id"]: row["name"] for row in lots.lots(conn, operator_id)},
        "branches": branches.names(conn, operator_id),
    }


async def _page(request: web.Request, view: View, query: Query, template: str) -> web.Response:
    sought = _sought(request, view)

    def found(conn: Connection, operator_id: int) -> dict[str, Any]:
        page = paged(conn, query(operator_id, sought), page_number(request.query))
        return {"page": page, **_around(conn, operator_id, page.items)}

    values = await read(request, found)
    return render(
        request,
        template,
        view=view,
        sought=sought,
        kinds=KINDS,
        states=list(State),
        paper_states=papers.STATES,
        **values,
    )


async def _file(request: web.Request, view: View, query: Query, name: str, columns: Sequence[str]) -> web.Response:
    sought = _sought(request, view)
    t, zone = texts(request), zone_of(request)

    def found(conn: Connection, operator_id: int) -> list[list[sheets.Cell]]:
        rows = conn.execute(query(operator_id, sought).limit(sheets.MOST_ROWS)).mappings().all()
        around = _around_all(conn, operator_id, rows)
        shown = ["merchant", *columns] if view.merchant_id is None else columns
        return [[_cell(t, column, row, around, zone, view.plates) for column in shown] for row in rows]

    rows = await read(request, found)
    heads = [t(f"records.{column}") for column in columns]
    if view.merchant_id is None:
        heads.insert(0, t("records.merchant"))
    return await sheets.table_file(request.match_info["kind"], name, t(f"records.{name}"), heads, rows)


def _around_all(conn: Connection, operator_id: int, rows: Sequence[RowMapping]) -> dict[str, Any]:
    """The same for a whole file: stays are asked for some at a time, a database takes only so many values."""
    around = _around(conn, operator_id, [])
    ids = sorted({row["of_stay"] for row in rows})
    for start in range(0, len(ids), 500):
        around["stays"] |= lots.stays(conn, operator_id, ids[start : start + 500])
    return around


def _cell(t: Texts, column: str, row: RowMapping, around: dict[str, Any], zone: ZoneInfo, plates: bool) -> sheets.Cell:
    stay = around["stays"].get(row["of_stay"])
    match column:
        case "merchant":
            return str(around["names"].get(row["merchant_id"], ""))
        case "issued" | "bound" | "redeemed":
            return sheets.written(row[f"{column}_ms"], zone)
        case "entered" | "left":
            return sheets.written(stay[f"{column}_ms"] if stay else None, zone)
        case "plate":
            plate = row["plate"] if "plate" in row else stay["plate"] if stay else ""
            return plate if plates else mask(plate)
        case "lot":
            return str(around["lots"].get(row["lot_id"], ""))
        case "branch":
            return str(around["branches"].get(row["branch_id"], ""))
        case "coupon":
            return str(row["template_name"] or "")
        case "kind":
            return t(f"kind.{row['kind']}") if row["kind"] else ""
        case "paper":
            return t(f"voucher.{row['state']}")
        case "worth":
            return yuan(row["value"]) if row["kind"] == "AMOUNT" else row["value"] or None
        case "off":
            return yuan(row["off_fen"] or 0)
        case "fee":
            return yuan(stay["fee_fen"]) if stay else ""
        case "state":
            return t(f"coupon.{records.shown(row)}")
        case _:
            return str(row["issued_by" if column == "by" else column])


async def my_usage(request: web.Request) -> web.Response:
    """What the merchant gave (S2.22)."""
    return await _page(request, await _mine(request, "/m/records/usage"), records.usage, "usage.html")


async def my_usage_file(request: web.Request) -> web.Response:
    """The same as a table file."""
    return await _file(request, await _mine(request, "/m/records/usage"), records.usage, "usage", USAGE)


async def my_discounts(request: web.Request) -> web.Response:
    """What it took off, for cars that have left (S2.23)."""
    return await _page(request, await _mine(request, "/m/records/discounts"), records.discounts, "discounts.html")


async def my_discounts_file(request: web.Request) -> web.Response:
    """The same as a table file."""
    return await _file(request, await _mine(request, "/m/records/discounts"), records.discounts, "discounts", DISCOUNT)


async def _papers(request: web.Request) -> View:
    """The merchant as a whole: papers are of no branch."""
    session = await allow(request, Right.OWN_MERCHANT)
    return View(session, merchant_of(session), 0, "/m/records/vouchers")


async def my_papers(request: web.Request) -> web.Response:
    """What counters printed for the merchant."""
    return await _page(request, await _papers(request), papers.usage, "papers.html")


async def my_papers_file(request: web.Request) -> web.Response:
    """The same as a table file."""
    return await _file(request, await _papers(request), papers.usage, "vouchers", PAPERS)


async def all_papers(request: web.Request) -> web.Response:
    """What counters printed for all merchants."""
    return await _page(request, await _all(request, "/admin/coupons/vouchers"), papers.usage, "papers.html")


async def all_papers_file(request: web.Request) -> web.Response:
    """The same as a table file."""
    return await _file(request, await _all(request, "/admin/coupons/vouchers"), papers.usage, "vouchers", PAPERS)


async def usage(request: web.Request) -> web.Response:
    """What all merchants gave."""
    return await _page(request, await _all(request, "/admin/coupons/usage"), records.usage, "usage.html")


async def usage_file(request: web.Request) -> web.Response:
    """The same as a table file."""
    return await _file(request, await _all(request, "/admin/coupons/usage"), records.usage, "usage", USAGE)


async def discounts(request: web.Request) -> web.Response:
    """What all of it took off."""
    return await _page(request, await _all(request, "/admin/coupons/discounts"), records.discounts, "discounts.html")


async def discounts_file(request: web.Request) -> web.Response:
    """The same as a table file."""
    return await _file(
        request, await _all(request, "/admin/coupons/discounts"), records.discounts, "discounts", DISCOUNT
    )


def add_routes(app: web.Application) -> None:
    """Records of both sides."""
    add_get = app.router.add_get
    pages = {
        "/m/records/usage": (my_usage, my_usage_file),
        "/m/records/discounts": (my_discounts, my_discounts_file),
        "/m/records/vouchers": (my_papers, my_papers_file),
        "/admin/coupons/usage": (usage, usage_file),
        "/admin/coupons/discounts": (discounts, discounts_file),
        "/admin/coupons/vouchers": (all_papers, all_papers_file),
    }
    for path, (page, file) in pages.items():
        add_get(path, page)
        add_get(f"{path}.{{kind:csv|xlsx}}", file)
