"""When cash changes hands at the booth: the drawer opens and a receipt is printed, or again when somebody asks."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from aiohttp import web

from domain.decision import Refuse
from domain.fen import yuan
from edge.services.lot import Done, Result
from edge.services.papers import Sent
from edge.web import workstation
from edge.web.keys import EDGE, flash, refusal_words, see_other, text_field
from edge.workstations import Receipts
from plumbing.web import require_session, texts

T = TypeVar("T")
PATIENCE_S = 3.0  # a slow printer goes on by itself; the next car does not wait for it
PRINTING: web.AppKey[set[asyncio.Task[Any]]] = web.AppKey("printing", set)


async def tell_taken(
    request: web.Request, said: str, payment_id: str, by: str, *, wanted: bool, tone: str = "ok"
) -> None:
    """Money was just taken or given back: say so, with what became of its receipt."""
    result = await _print_taken(request, payment_id, by, wanted=wanted)
    if result is None or type(result) is Done:
        await flash(request, tone, said)
    else:
        await tell_print(request, result, "", before=said)


async def tell_print(request: web.Request, result: Result, printed: str, *, before: str = "") -> None:
    """Say what became of a slip, after *before*: *printed*, why not, or, where no printer vouches for it, ask."""
    if isinstance(result, Refuse):
        await flash(request, "warn" if before else "bad", f"{before} {refusal_words(request, result)}".strip())
    elif isinstance(result, Sent):
        await flash(request, "warn", f"{before} {texts(request)('printers.sent')}".strip(), job=result.job_id)
    elif printed:
        await flash(request, "ok", printed)


async def _print_taken(request: web.Request, payment_id: str, by: str, *, wanted: bool) -> Result | None:
    """Open the drawer, and print the receipt where the workstation says so; None where it does not or takes long.

    A drawer that stays shut is seen by whoever stands before it.
    """
    place = workstation.workstation_of(request)
    if place is not None and request.app[EDGE].tills.has_drawer(place.name):
        _in_background(request, request.app[EDGE].tills.open_drawer(place.name), "pages: drawer")
    if place is None or not (place.receipt is Receipts.ALWAYS or (place.receipt is Receipts.ASK and wanted)):
        return None
    job = request.app[EDGE].tills.print_receipt(payment_id, by, at=place.name)
    task = _in_background(request, job, "pages: receipt")
    done, _ = await asyncio.wait({task}, timeout=PATIENCE_S)
    return task.result() if done else None


def _in_background(request: web.Request, job: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
    """It goes on when the page does not wait for it any more."""
    task = asyncio.create_task(job, name=name)
    printing = request.app[PRINTING]
    printing.add(task)
    task.add_done_callback(printing.discard)
    return task


async def again(request: web.Request) -> web.Response:
    """Print a receipt of this car; one that was printed before says that it is a copy."""
    session, stay_id, data = await require_session(request), request.match_info["stay"], await request.post()
    payment_id, edge = text_field(data, "payment_id", 64), request.app[EDGE]
    if payment_id not in {one.payment_id for one in await edge.tills.receipts_of(stay_id)}:
        raise web.HTTPNotFound
    at = workstation.at(request)
    result = await edge.tills.print_receipt(payment_id, session.name, at=at)
    await tell_print(request, result, texts(request)("receipt.printed"))
    return see_other(f"/booth/stay/{stay_id}")


def tendered_fen(typed: str, amount_fen: int) -> int:
    """What the driver handed over, at least what was taken."""
    digits = typed.replace(".", "", 1)
    if not digits.isascii() or not digits.isdigit() or typed == yuan(amount_fen):
        return amount_fen
    return max(amount_fen, round(float(typed) * 100)) if len(typed) < 10 else amount_fen


def add_routes(app: web.Application) -> None:
    """Printing one again."""
    app[PRINTING] = set()
    app.router.add_post("/booth/stay/{stay}/receipt", again)
