"""Statements on the pages of both sides: the operator makes, corrects and closes them, both confirm or dispute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import Connection, RowMapping

from cloud import sheets
from cloud.access.roles import Right, may
from cloud.act import Refused
from cloud.coupons import service as coupons
from cloud.days import day_at, day_began
from cloud.lots import service as lots
from cloud.merchants import branches, in_words, service, statements
from cloud.web import named
from cloud.web.lists import ShortList, short_list
from cloud.web.state import (
    CLOUD,
    allow,
    change,
    done,
    field_of,
    login_of,
    merchant_of,
    path_id,
    read,
    whole,
    words,
    zone_of,
)
from domain.fen import fen_from_yuan, yuan
from domain.ledger import Commodity
from plumbing.i18n import Texts
from plumbing.web import Session, render, texts

LINE = ("col.number", "col.when", "col.lot", "branches.branch", "col.act", "col.subject", "statements.face",
        "statements.reduced", "statements.owed", "books.purse", "statements.operator_word",
        "statements.merchant_word", "col.remark")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: the side it speaks for, and its own merchant if it is one."""

    session: Session
    side: str
    merchant_id: int | None

    @property
    def base(self) -> str:
        return "/admin/statements" if self.merchant_id is None else "/m/statements"


async def _operator(request: web.Request, right: Right = Right.VIEW) -> Viewer:
    return Viewer(await allow(request, right), "operator", None)


async def _merchant(request: web.Request) -> Viewer:
    session = await allow(request, Right.OWN_MERCHANT)
    return Viewer(session, "merchant", merchant_of(session))


def _list_values(conn: Connection, operator_id: int, merchant_id: int, now_ms: int) -> dict[str, Any]:
    row = service.get(conn, operator_id, merchant_id)
    if row is None:
        raise web.HTTPNotFound
    rows = statements.of_merchant(conn, operator_id, merchant_id)
    unstated = statements.unstated(conn, merchant_id, row["settlement_mode"], now_ms)
    return {"merchant": row, "rows": rows, "unstated": unstated, "now_ms": now_ms}


async def _list(request: web.Request, viewer: Viewer, merchant_id: int, error: str = "") -> web.Response:
    values = await read(request, _list_values, merchant_id, request.config_dict[CLOUD].now_ms())
    money = viewer.merchant_id is None and may(viewer.session.role, Right.MONEY)
    status = 422 if error else 200
    page = _listed(request, values).page(request)
    return render(
        request, "statements.html", status=status, viewer=viewer, money=money, error=error, page=page, **values
    )


async def listed(request: web.Request) -> web.Response:
    """A merchant's statements."""
    return await _list(request, await _operator(request), path_id(request, "merchant_id"))


async def my_listed(request: web.Request) -> web.Response:
    """The merchant's own."""
    viewer = await _merchant(request)
    return await _list(request, viewer, merchant_of(viewer.session))


async def make(request: web.Request) -> web.Response:
    """State everything charged before a day (in the cloud's time zone)."""
    viewer, merchant_id = await _operator(request, Right.MONEY), path_id(request, "merchant_id")
    until_ms = day_began(await field_of(request, "until"), zone_of(request))
    if until_ms is None:
        return await _list(request, viewer, merchant_id, words(request, Refused("statement_period_malformed")))
    made = await change(request, login_of(viewer.session), statements.close, merchant_id, until_ms, coupons.facts)
    if isinstance(made, Refused):
        return await _list(request, viewer, merchant_id, words(request, made))
    raise done(f"{viewer.base}/{made}", "statement_made")


def _one(conn: Connection, operator_id: int, statement_id: int, merchant_id: int | None) -> dict[str, Any]:
    row = statements.get(conn, operator_id, statement_id)
    if row is None or merchant_id not in (None, row["merchant_id"]):
        raise web.HTTPNotFound
    lines = statements.lines(conn, operator_id, statement_id)
    return {
        "statement": row,
        "lines": lines,
        "parts_of_it": statements.parts(lines),
        "branches": {
            each["branch_id"]: each["name"] for each in branches.of_merchant(conn, operator_id, row["merchant_id"])
        },
        "lots": {lot["lot_id"]: lot["name"] for lot in lots.lots(conn, operator_id)},
        "merchant": service.get(conn, operator_id, row["merchant_id"]),
    }


async def _page(request: web.Request, viewer: Viewer, error: str = "") -> web.Response:
    values = await read(request, _one, path_id(request, "statement_id"), viewer.merchant_id)
    money = viewer.merchant_id is None and may(viewer.session.role, Right.MONEY)
    status = 422 if error else 200
    return render(
        request, "statement.html", status=status, viewer=viewer, money=money, speaks=money or viewer.merchant_id,
        error=error, now_ms=request.config_dict[CLOUD].now_ms(), **values,
    )  # fmt: skip


async def page(request: web.Request) -> web.Response:
    """One statement, for the operator."""
    return await _page(request, await _operator(request))


async def my_page(request: web.Request) -> web.Response:
    """One of the merchant's own."""
    return await _page(request, await _merchant(request))


async def _after(request: web.Request, viewer: Viewer, refused: Refused | None, key: str) -> web.Response:
    if refused is not None:
        return await _page(request, viewer, words(request, refused))
    raise done(f"{viewer.base}/{path_id(request, 'statement_id')}", key)


async def _say(request: web.Request, viewer: Viewer) -> web.Response:
    """Confirm all lines, or confirm or dispute one."""
    statement_id = path_id(request, "statement_id")
    found = await read(request, _one, statement_id, viewer.merchant_id)  # not another merchant's
    line, word = whole(await field_of(request, "line")), await field_of(request, "word")
    if word not in (statements.CONFIRMED, statements.DISPUTED):
        raise web.HTTPUnprocessableEntity
    wanted = [row["line"] for row in found["lines"]] if line is None else [line]
    note = await field_of(request, "note")
    by = login_of(viewer.session)
    refused = await change(request, by, statements.say, statement_id, viewer.side, wanted, word, note)
    return await _after(request, viewer, refused, "statement_said")


async def say(request: web.Request) -> web.Response:
    """The operator's word on lines."""
    return await _say(request, await _operator(request, Right.MONEY))


async def my_say(request: web.Request) -> web.Response:
    """The merchant's word on lines."""
    return await _say(request, await _merchant(request))


async def correct(request: web.Request) -> web.Response:
    """Give a part of a line back."""
    viewer, statement_id = await _operator(request, Right.MONEY), path_id(request, "statement_id")
    line = whole(await field_of(request, "line")) or 0
    found = await read(request, _one, statement_id, None)
    units = {row["line"]: row["commodity"] for row in found["lines"]}
    typed = await field_of(request, "back")
    try:
        amount = whole(typed) if units.get(line) == Commodity.MIN.value else fen_from_yuan(typed)
    except ValueError:
        amount = None
    args = statement_id, line, amount or 0, await field_of(request, "reason")
    refused = await change(request, login_of(viewer.session), statements.correct, *args)
    return await _after(request, viewer, refused, "statement_corrected")


async def pay(request: web.Request) -> web.Response:
    """Mark it paid."""
    viewer = await _operator(request, Right.MONEY)
    args = path_id(request, "statement_id"), await field_of(request, "note")
    refused = await change(request, login_of(viewer.session), statements.mark_paid, *args)
    return await _after(request, viewer, refused, "statement_paid")


async def _file(request: web.Request, viewer: Viewer) -> web.Response:
    found = await read(request, _one, path_id(request, "statement_id"), viewer.merchant_id)
    t, zone = texts(request), zone_of(request)
    rows = [_line_cells(t, row, found, zone) for row in found["lines"]]
    columns = [t(name) for name in LINE]
    return await sheets.table_file(request.match_info["kind"], "statement", t("nav.statements"), columns, rows)


def _line_cells(t: Texts, row: RowMapping, found: dict[str, Any], zone: ZoneInfo) -> list[sheets.Cell]:
    said = [t(f"statements.{row[name]}") if row[name] else "" for name in ("operator_word", "merchant_word")]
    return [
        row["line"],
        sheets.written(row["happened_ms"], zone),
        found["lots"].get(row["lot_id"], ""),
        found["branches"].get(row["branch_id"], ""),
        in_words.entry(t, row["kind"]),
        named.subject(t, row["subject"]),
        in_words.amount(row["face"], row["commodity"]),
        yuan(row["reduced_fen"]),
        in_words.amount(row["owed"], row["commodity"]),
        t(f"unit.{row['commodity']}"),
        *said,
        row["note"],
    ]


async def export(request: web.Request) -> web.Response:
    """The lines as a table file."""
    return await _file(request, await _operator(request))


async def my_export(request: web.Request) -> web.Response:
    """The merchant's lines as a table file."""
    return await _file(request, await _merchant(request))


def _listed(request: web.Request, found: dict[str, Any]) -> ShortList[RowMapping]:
    t, zone = texts(request), zone_of(request)

    def day(ms: int | None) -> str:
        return "" if ms is None else day_at(ms, zone).isoformat()

    def state(row: RowMapping) -> str:
        is_over = row["due_ms"] is not None and row["due_ms"] < found["now_ms"]
        return t(f"statements.{'paid' if row['paid_ms'] else 'overdue' if is_over else 'open'}")

    def cells(row: RowMapping) -> list[sheets.Cell]:
        return [row["statement_id"], day(row["from_ms"]), day(row["until_ms"]), yuan(row["owed_fen"]), row["owed_min"],
                day(row["due_ms"]), state(row)]  # fmt: skip

    money, minutes = (f"{t('statements.owed')} ({t('unit.' + unit.value)})" for unit in (Commodity.FEN, Commodity.MIN))
    heads = [t("col.number"), t("records.from"), t("records.to"), money, minutes, t("statements.due"), t("col.state")]
    return short_list(request, heads, found["rows"], cells)


async def _listed_file(request: web.Request, merchant_id: int) -> web.Response:
    """A merchant's statements as a table file."""
    found = await read(request, _list_values, merchant_id, request.config_dict[CLOUD].now_ms())
    return await _listed(request, found).file(request, "statements", texts(request)("nav.statements"))


async def listed_file(request: web.Request) -> web.Response:
    """A merchant's, for the operator."""
    await _operator(request)
    return await _listed_file(request, path_id(request, "merchant_id"))


async def my_listed_file(request: web.Request) -> web.Response:
    """The merchant's own."""
    return await _listed_file(request, (await _merchant(request)).merchant_id or 0)


def add_routes(app: web.Application) -> None:
    """Statements for both sides."""
    add_get, add_post = app.router.add_get, app.router.add_post
    add_get("/admin/merchants/{merchant_id:[0-9]+}/statements", listed)
    add_get("/admin/merchants/{merchant_id:[0-9]+}/statements.{kind:csv|xlsx}", listed_file)
    add_post("/admin/merchants/{merchant_id:[0-9]+}/statements", make)
    one, mine = "/admin/statements/{statement_id:[0-9]+}", "/m/statements/{statement_id:[0-9]+}"
    add_get(one, page)
    add_post(f"{one}/say", say)
    add_post(f"{one}/correct", correct)
    add_post(f"{one}/pay", pay)
    add_get(f"{one}.{{kind:csv|xlsx}}", export)
    add_get("/m/statements", my_listed)
    add_get("/m/statements.{kind:csv|xlsx}", my_listed_file)
    add_get(mine, my_page)
    add_post(f"{mine}/say", my_say)
    add_get(f"{mine}.{{kind:csv|xlsx}}", my_export)
