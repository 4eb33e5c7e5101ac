"""What a scanner that types like a keyboard read, on any page of the booth.

It counts for the car whose page is open, else for the one car that waits, as with the booth's other scanners
(`edge.lanes.scans`). Where nobody knows whose it is, the screen says so.
"""

from __future__ import annotations

from aiohttp import web

from domain.decision import Refuse
from domain.fen import yuan
from domain.scanned import ScannedKind, recognise
from edge.lanes.scans import who_waits
from edge.lanes.worker import LaneWorker
from edge.web.keys import EDGE, flash, refusal_words, see_other, text_field
from edge.web.tasks import new_mark
from plumbing.web import require_session, texts

COUNT_HERE = (
    ScannedKind.VOUCHER, ScannedKind.PAYMENT_CODE, ScannedKind.EXIT_PASS, ScannedKind.ENTRY_TICKET,
    ScannedKind.CLAIM_CODE,
)  # fmt: skip


async def take_scan(request: web.Request) -> web.Response:
    """Lay a voucher, take a pass or a payment code, or find the car by its ticket. The text is written nowhere."""
    await require_session(request)
    data, edge = await request.post(), request.app[EDGE]
    text, stay_id = text_field(data, "scanned", 600), text_field(data, "stay", 64)
    kind = recognise(text).kind
    worker = edge.workers.get(text_field(data, "lane", 64))
    if kind not in COUNT_HERE:
        return await _said(request, "warn", texts(request)("scan.unknown"))
    if worker is None and not stay_id and kind is not ScannedKind.EXIT_PASS:
        waiting = who_waits(kind, edge.workers.values())
        if len(waiting) != 1:
            t = texts(request)
            said = t("scan.several", count=len(waiting)) if waiting else t("scan.nobody")
            return await _said(request, "warn", said)
        worker = waiting[0]
    if kind is ScannedKind.EXIT_PASS:
        return await _take_pass(request, recognise(text).token)
    if kind is ScannedKind.ENTRY_TICKET:
        return await _take_ticket(request, worker, text)
    stay_id = stay_id or (worker.waiting_stay if worker is not None else "")
    if not stay_id:
        return await _said(request, "warn", texts(request)("scan.nobody"))
    act = {ScannedKind.VOUCHER: _lay, ScannedKind.CLAIM_CODE: _claim}.get(kind, _charge)
    return await act(request, stay_id, text)


async def _said(request: web.Request, tone: str, words: str, path: str = "/booth") -> web.Response:
    await flash(request, tone, words)
    return see_other(path)


async def _lay(request: web.Request, stay_id: str, text: str) -> web.Response:
    session, edge = await require_session(request), request.app[EDGE]
    lane = next((view.lane for view in edge.live.snapshot() if view.stay_id == stay_id), "")
    result = await edge.lay_voucher(stay_id, text, session.name, lane)
    if isinstance(result, Refuse):
        return await _said(request, "warn", refusal_words(request, result), f"/booth/stay/{stay_id}/paper")
    words = texts(request)("done.paper", yuan=yuan(result.due_fen))
    return await _said(request, "ok", words, "/booth" if lane else f"/booth/stay/{stay_id}/paper")


async def _claim(request: web.Request, stay_id: str, text: str) -> web.Response:
    session, edge, at = await require_session(request), request.app[EDGE], f"/booth/stay/{stay_id}/paper"
    result = await edge.claims.claim(stay_id, text, session.name, new_mark())
    if isinstance(result, Refuse):
        return await _said(request, "warn", refusal_words(request, result), at)
    return await _said(request, "ok", texts(request)("done.claimed", plate=result.subject), at)


async def _charge(request: web.Request, stay_id: str, code: str) -> web.Response:
    session, edge = await require_session(request), request.app[EDGE]
    charged = await edge.till.charge(stay_id, code)
    if isinstance(charged, Refuse):
        return await _said(request, "warn", refusal_words(request, charged), f"/booth/stay/{stay_id}")
    await edge.record_act(session.name, "code.charge", stay_id)
    return see_other(f"/booth/stay/{stay_id}/code")


async def _take_pass(request: web.Request, token: str) -> web.Response:
    session, edge = await require_session(request), request.app[EDGE]
    taken = await edge.phone.take_pass(token)
    if isinstance(taken, Refuse):
        return await _said(request, "warn", refusal_words(request, taken))
    await edge.record_act(session.name, "pass.take", taken.payment_id)
    return await _said(request, "ok", texts(request)("scan.pass", yuan=yuan(taken.used_fen)))


async def _take_ticket(request: web.Request, worker: LaneWorker | None, text: str) -> web.Response:
    """Where a lane asks which car it is, its ticket is the answer; anywhere else the screen says what to do."""
    if worker is None or not worker.is_asked:
        return await _said(request, "warn", texts(request)("scan.ticket"))
    session = await require_session(request)
    good = await worker.codes.take_ticket(text, session.name)
    return await _said(
        request, "ok" if good else "warn",
        texts(request)("scan.ticket_taken", lane=worker.lane.name) if good else texts(request)("scan.ticket_bad"),
    )  # fmt: skip


def add_routes(app: web.Application) -> None:
    """One place for whatever is scanned."""
    app.router.add_post("/booth/scan", take_scan)
