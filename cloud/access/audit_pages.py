"""The audit log on the operator's pages: what changed, in words, sought, kept as a file, verified when asked (E69)."""

from __future__ import annotations

from aiohttp import web
from sqlalchemy import RowMapping

from cloud import sheets
from cloud.access import audit
from cloud.access.audit_words import Difference, Reader
from cloud.access.roles import Right, may
from cloud.days import day_began
from cloud.web import named
from cloud.web.state import CLOUD, allow, read, search_of, zone_of
from plumbing.web import page_number, render, texts

UNCHECKED = -1
HEADS = ("number", "when", "by", "act", "subject", "reason", "before", "after")


async def _reader(request: web.Request) -> Reader:
    session = await allow(request, Right.AUDIT)
    zone = zone_of(request)
    return Reader(texts(request), zone, may(session.role, Right.PLATES))


def _sought(request: web.Request, reader: Reader) -> audit.Sought:
    query, what = request.query, search_of(request)
    return audit.Sought(
        query.get("by", "").strip()[:60],
        what,
        reader.acts_like(what) if what else (),
        day_began(query.get("from", ""), reader.zone),
        day_began(query.get("to", ""), reader.zone, 1),
    )


async def page(request: web.Request) -> web.Response:
    """Who did what; with ``check`` the whole chain is hashed again, which takes as long as the log is long."""
    reader = await _reader(request)
    found = await read(request, audit.listed, _sought(request, reader), page_number(request.query))
    changes = {row["audit_id"]: reader.differences(row["before"], row["after"]) for row in found.items}
    broken = await request.config_dict[CLOUD].db.run(audit.first_broken) if "check" in request.query else UNCHECKED
    return render(request, "audit.html", page=found, changes=changes, broken=broken, unchecked=UNCHECKED)


async def export(request: web.Request) -> web.Response:
    """What was sought as a table file."""
    reader = await _reader(request)
    found = await read(request, audit.every, _sought(request, reader), sheets.MOST_ROWS)
    rows = [_cells(reader, row) for row in found]
    heads = [reader.t(f"col.{name}") for name in HEADS]
    return await sheets.table_file(request.match_info["kind"], "audit", reader.t("nav.audit"), heads, rows)


def _cells(reader: Reader, row: RowMapping) -> list[sheets.Cell]:
    changed = reader.differences(row["before"], row["after"])
    when = sheets.written(row["made_ms"], reader.zone)
    by, subject = named.who(reader.t, row["made_by"]), named.subject(reader.t, row["subject"])
    who_what = [by, reader.act(row["act"]), subject, row["reason"]]
    return [row["audit_id"], when, *who_what, _side(changed, "before"), _side(changed, "after")]


def _side(changed: list[Difference], side: str) -> str:
    values = [(one.name, getattr(one, side)) for one in changed]
    return "; ".join(f"{name}: {value}" for name, value in values if value)


def add_routes(app: web.Application) -> None:
    """The log and its file."""
    app.router.add_get("/admin/audit", page)
    app.router.add_get("/admin/audit.{kind:csv|xlsx}", export)
