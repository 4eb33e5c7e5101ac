"""The paper of the simulated printer: a page that shows every slip as a picture drawn from the printer's own bytes."""

from __future__ import annotations

import asyncio
import html

from aiohttp import web

from drivers.printer.simulated import SimulatedPrinter
from plumbing.paper.commands import BadBytesError
from plumbing.paper.picture import render

NEWEST = 24
AGAIN_S = 3
PAGE = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta http-equiv="refresh" content="{again}">
<title>打印机 · Printer</title><link rel="stylesheet" href="/slips.css"></head><body>
<h1>打印机的纸 · The printer's paper</h1><p>{count} 张 · {count} slips, {state}</p><main>{slips}</main></body></html>"""
SLIP = '<figure><img src="/slip/{number}.png?bytes={size}" alt=""><figcaption>#{number}</figcaption></figure>'
STYLE = """body{font:16px system-ui,sans-serif;margin:24px;background:#e9edf2;color:#16202c}h1{font-size:22px}
main{display:flex;flex-wrap:wrap;gap:24px;align-items:flex-start}figure{margin:0}
img{width:304px;box-shadow:0 2px 8px #0004;background:#fff}figcaption{text-align:center;padding:6px;color:#566}
@media(prefers-color-scheme:dark){body{background:#10161d;color:#e6edf3}}"""


def slips_app(printer: SimulatedPrinter) -> web.Application:
    """``/`` lists the newest slips, ``/slip/N.png`` is the N-th ever printed."""

    async def page(_request: web.Request) -> web.Response:
        jobs = list(enumerate(printer.jobs, 1))[-NEWEST:]
        slips = "".join(SLIP.format(number=number, size=len(job)) for number, job in reversed(jobs))
        state = html.escape(printer.fault.value if printer.fault else "ready")
        text = PAGE.format(again=AGAIN_S, count=len(printer.jobs), state=state, slips=slips)
        return web.Response(text=text, content_type="text/html")

    async def picture(request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        if not 1 <= number <= len(printer.jobs):
            raise web.HTTPNotFound
        try:
            png = await asyncio.to_thread(render, printer.jobs[number - 1])
        except BadBytesError as exc:  # it is being printed, or broke off
            raise web.HTTPNotFound from exc
        return web.Response(body=png, content_type="image/png")

    async def style(_request: web.Request) -> web.Response:
        return web.Response(text=STYLE, content_type="text/css")

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/slip/{number:\\d{1,9}}.png", picture)
    app.router.add_get("/slips.css", style)
    return app


async def serve(printer: SimulatedPrinter, port: int) -> web.AppRunner:
    """Listen on loopback; clean the runner up when done."""
    runner = web.AppRunner(slips_app(printer), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner
