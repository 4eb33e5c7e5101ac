"""The page of what waits for the office."""

from __future__ import annotations

from aiohttp import web

from cloud import sheets
from cloud.access.roles import Right
from cloud.waiting import service
from cloud.waiting.service import Item
from cloud.web import named
from cloud.web.lists import ShortList, short_list
from cloud.web.state import allow, read, zone_of
from domain.fen import yuan
from plumbing.web import render, texts

PATH = "/admin/waiting"
COLUMNS = (
    "waiting.kind",
    "waiting.since",
    "waiting.whose",
    "waiting.about",
    "waiting.amount",
    "waiting.unit",
    "col.by",
)


async def _listed(request: web.Request) -> ShortList[Item]:
    await allow(request, Right.VIEW)
    t, zone = texts(request), zone_of(request)

    def cells(item: Item) -> list[sheets.Cell]:
        return [
            t(f"waiting_kind.{item.kind}"),
            sheets.written(item.since_ms, zone) or item.day,
            item.merchant,
            item.about,
            yuan(item.amount) if item.commodity == "FEN" else item.amount,
            t(f"unit.{item.commodity}"),
            named.who(t, item.by),
        ]

    return short_list(request, [t(name) for name in COLUMNS], await read(request, service.everything), cells)


async def page(request: web.Request) -> web.Response:
    """All of it, the oldest first."""
    return render(request, "waiting.html", page=(await _listed(request)).page(request))


async def export(request: web.Request) -> web.Response:
    """The same as a file."""
    return await (await _listed(request)).file(request, "waiting", texts(request)("nav.waiting"))


def add_routes(app: web.Application) -> None:
    """The list and its files."""
    app.router.add_get(PATH, page)
    app.router.add_get(PATH + ".{kind:csv|xlsx}", export)
