"""The printers' page: how each is, a test page out of it, every layout as it would print it, and the last prints."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from domain.decision import Refuse
from domain.slip_samples import LAYOUTS
from edge.db import vouchers
from edge.web.booth import shared
from edge.web.keys import EDGE, WATCH, flash, refusal_words, see_other, taken_flash, text_field
from edge.web.watch import Changed
from plumbing.web import render, require_session, texts

NEWEST = 12
VOUCHER = re.compile(r"(\d{1,10}):(\d{1,15})")  # key and counter
BACK = re.compile(r"/booth(/[0-9A-Za-z-]+)*")


async def printers_page(request: web.Request) -> web.Response:
    """Every printer; ``?printer=`` and ``?layout=`` choose what is drawn."""
    await require_session(request)
    return await _page(request)


async def test_page(request: web.Request) -> web.Response:
    """Print a test page."""
    session, name = await require_session(request), _printer(request)
    result = await request.app[EDGE].slips.print_test(name, session.name)
    if isinstance(result, Refuse):
        return await _page(request, name, result)
    await flash(request, "ok" if result == "confirmed" else "warn", texts(request)(f"printers.test_{result}"))
    return see_other("/booth/printers")


async def say_what_came(request: web.Request) -> web.Response:
    """A slip in doubt was looked for: it came out, or it did not."""
    session, data = await require_session(request), await request.post()
    job_id, came_out = text_field(data, "job", 64), text_field(data, "came", 1) == "1"
    back = BACK.fullmatch(text_field(data, "back", 200))
    voucher = VOUCHER.fullmatch(job_id)
    if voucher:
        await _say_of_voucher(request, (int(voucher[1]), int(voucher[2])), session.name, came_out=came_out)
    elif await request.app[EDGE].slips.seen(job_id, session.name, came_out=came_out):
        await flash(request, "ok", texts(request)("printers.said_out" if came_out else "printers.said_not"))
    return see_other(back[0] if back else "/booth/printers")


async def _say_of_voucher(request: web.Request, voucher: tuple[int, int], by: str, *, came_out: bool) -> None:
    """One that did not come out is withdrawn: nobody may find it later."""
    edge, t, number = request.app[EDGE], texts(request), f"{voucher[0]}-{voucher[1]:06d}"
    row = await edge.read(vouchers.get, *voucher)
    if row is None or row.state != "unknown":
        await flash(request, "warn", t("printers.said_late"))
    elif came_out:
        await edge.counter.came_out([voucher], by)
        await flash(request, "ok", t("printers.said_out"))
    else:
        result = await edge.counter.void_voucher(*voucher, by, t("void_reason.not_printed"))
        said = refusal_words(request, result) if isinstance(result, Refuse) else t("printers.said_void", number=number)
        await flash(request, "bad" if isinstance(result, Refuse) else "ok", said)
    request.app[WATCH].hub.publish(Changed(vouchers=True))


async def drop_waiting(request: web.Request) -> web.Response:
    """Let go of what waits for a printer."""
    session, name = await require_session(request), _printer(request)
    count = await request.app[EDGE].slips.drop(name)
    await request.app[EDGE].record_act(session.name, "print.drop", name, str(count))
    await flash(request, "ok", texts(request)("printers.dropped", count=count))
    return see_other("/booth/printers")


async def picture(request: web.Request) -> web.Response:
    """A layout as this printer would print it, drawn from the very bytes."""
    await require_session(request)
    name, layout = _printer(request), request.match_info["layout"]
    if layout not in LAYOUTS:
        raise web.HTTPNotFound
    edge = request.app[EDGE]
    png = await edge.printers[name].sample(layout, edge.office.lot, edge.office.now().wall_ms)
    return web.Response(body=png, content_type="image/png", headers={"Cache-Control": "no-store"})


async def _page(request: web.Request, chosen: str = "", refused: Refuse | None = None) -> web.Response:
    edge = request.app[EDGE]
    values: dict[str, Any] = shared(request)
    wanted = (chosen, request.query.get("printer", ""), next(iter(edge.printers), ""))
    layout = request.query.get("layout", "")
    return render(
        request, "printers.html", status=409 if refused else 200, printers=edge.printers,
        said=dict(values["strip"].printers), layouts=LAYOUTS,
        waiting={name: len(await edge.slips.at(name)) for name in edge.printers},
        printer=next((name for name in wanted if name in edge.printers), ""),
        layout=layout if layout in LAYOUTS else LAYOUTS[0], prints=await edge.slips.recent(NEWEST),
        error=refusal_words(request, refused) if refused else "", flash=await taken_flash(request), **values,
    )  # fmt: skip


def _printer(request: web.Request) -> str:
    name = request.match_info["printer"]
    if name not in request.app[EDGE].printers:
        raise web.HTTPNotFound
    return name


def add_routes(app: web.Application) -> None:
    """Look, and print a test page."""
    app.router.add_get("/booth/printers", printers_page)
    app.router.add_post("/booth/printers/{printer}/test", test_page)
    app.router.add_post("/booth/printers/{printer}/drop", drop_waiting)
    app.router.add_post("/booth/printers/said", say_what_came)
    app.router.add_get("/booth/printers/{printer}/{layout}.png", picture)
