"""For machines: health and figures on the booth's listener, and the command line's questions on a local socket."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from edge.db import decisions
from edge.facade import Edge
from edge.services.checking import check_books, replay
from plumbing.backup import BackupError
from plumbing.metrics import Metrics

EDGE = web.AppKey("edge", Edge)


def add_health(app: web.Application, edge: Edge, metrics: Metrics) -> None:
    """``/healthz`` (200 well, 503 stuck; no plates) and ``/metrics``."""

    async def health(_: web.Request) -> web.Response:
        standing = await edge.standing()
        del standing["lanes"]
        status = 503 if standing["stuck"] else 200
        return web.json_response(standing, status=status, headers={"Cache-Control": "no-store"})

    app.router.add_get("/healthz", health)
    app.router.add_get("/metrics", metrics.handler)


def local_app(edge: Edge) -> web.Application:
    """What the command line asks a running daemon; the socket's file mode says who may."""
    app = web.Application()
    app[EDGE] = edge
    app.router.add_get("/standing", _standing)
    app.router.add_get("/replay/{decision_id}", _replay)
    app.router.add_get("/verify", _verify)
    app.router.add_get("/backup", _backup)
    return app


async def _standing(request: web.Request) -> web.Response:
    return web.json_response(await request.app[EDGE].standing())


async def _replay(request: web.Request) -> web.Response:
    edge, decision_id = request.app[EDGE], request.match_info["decision_id"]
    if await edge.read(decisions.get, decision_id) is None:
        raise web.HTTPNotFound
    return web.json_response((await edge.read(replay, decision_id)).values())


async def _verify(request: web.Request) -> web.Response:
    return web.json_response({"wrong": await request.app[EDGE].read(check_books)})


async def _backup(request: web.Request) -> web.Response:
    try:
        path = await request.app[EDGE].backup(Path(request.query["folder"]))
    except BackupError as exc:
        return web.json_response({"error": str(exc)})
    return web.json_response({"path": str(path)})
