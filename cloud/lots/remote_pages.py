"""The page that opens a barrier from afar and shows what came of it."""

from __future__ import annotations

from aiohttp import web

from cloud.access.roles import Right, may
from cloud.act import Refused
from cloud.lots import openings, remote, service
from cloud.web.state import CLOUD, allow, change, done, field_of, login_of, lots_of, path_id, read, words
from plumbing.web import Session, render


async def page(request: web.Request) -> web.Response:
    """Ask why."""
    session = await allow(request, Right.RUN_LOTS)
    return await _page(request, session)


async def open_barrier(request: web.Request) -> web.Response:
    """Ask the lot for one pulse."""
    session = await allow(request, Right.RUN_LOTS)
    lot_id, lane = path_id(request, "lot"), request.match_info["lane"]
    reason = await field_of(request, "reason")
    refused = await change(request, login_of(session), remote.open_barrier, lot_id, lane, reason)
    if refused is not None:
        return await _page(request, session, refused)
    raise done(request.path_qs, "open_asked")


async def _page(request: web.Request, session: Session, refused: Refused | None = None) -> web.Response:
    lot_id, lane = path_id(request, "lot"), request.match_info["lane"]
    lot_name = await read(request, service.name_of, lot_id, lots_of(session))
    if not lot_name:
        raise web.HTTPNotFound
    asked, now_ms = await read(request, remote.asked, lot_id), request.config_dict[CLOUD].now_ms()
    pending = any(row["state"] != "done" and now_ms < row["expires_ms"] + 30_000 for row in asked)
    return render(
        request, "remote.html", status=422 if refused else 200, error=words(request, refused),
        lot_name=lot_name, lane=lane, asked=asked, now_ms=now_ms, pending=pending,
        opened=await read(request, openings.by_hand, lot_id), plates=may(session.role, Right.PLATES),
    )  # fmt: skip


def add_routes(app: web.Application) -> None:
    """One lane's page."""
    app.router.add_get("/admin/lots/{lot}/lanes/{lane}/open", page)
    app.router.add_post("/admin/lots/{lot}/lanes/{lane}/open", open_barrier)
