"""Stock-takes and cars left over, at the booth or on a phone that walks along."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from domain.decision import Refuse
from domain.plate import mask, normalise
from edge.db import stays, stocktakes
from edge.db.stays import StayRow
from edge.db.stocktakes import Take
from edge.services import overstaying, stocktaking
from edge.services.lot import Result
from edge.services.staffing import SUPERVISOR, is_at_least
from edge.web.booth import shared
from edge.web.cards import CandidateCard, car_cards
from edge.web.keys import EDGE, first_time, flash, refusal_words, see_other, taken_flash, text_field
from edge.web.proof import approvers, authority, beside
from edge.web.tasks import new_mark, reason_of
from plumbing.web import render, require_session, texts

UNDO_REASONS = ("wrong_row", "not_finished")
GONE_REASONS = ("not_here", "towed")


@dataclass(frozen=True, slots=True)
class Walk:
    """A stock-take as far as it is: cars still to be found, cars seen, plates the books do not know."""

    take: Take
    missing: tuple[CandidateCard, ...]
    seen: tuple[StayRow, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What a stock-take that has ended did."""

    take: Take
    seen: tuple[StayRow, ...]
    closed: tuple[StayRow, ...]
    entered: tuple[StayRow, ...]


async def stock_page(request: web.Request) -> web.Response:
    """The walk that is open, cars left over, and earlier walks."""
    await require_session(request)
    edge = request.app[EDGE]

    def look(
        conn: sqlite3.Connection,
    ) -> tuple[Take | None, list[overstaying.LeftOver], list[CandidateCard], list[Take]]:
        left = overstaying.left_over(conn, edge.office.lot, edge.office.now())
        cards = car_cards(conn, [one.stay for one in left], edge.office.now())
        return stocktakes.current(conn), left, cards, stocktakes.recent(conn)

    current, left, cards, takes = await edge.read(look)
    return render(
        request, "stock.html", current=current, left=list(zip(left, cards, strict=True)), takes=takes, mark=new_mark(),
        zones=list(edge.office.lot.zones), hours=edge.office.lot.rules.overstay_hours, flash=await taken_flash(request),
        **shared(request),
    )  # fmt: skip


async def start(request: web.Request) -> web.Response:
    """Begin a walk."""
    session, data = await require_session(request), await request.post()
    result = await request.app[EDGE].walks.start(text_field(data, "zone", 64), session.name)
    if isinstance(result, Refuse):
        await flash(request, "bad", refusal_words(request, result))
        return see_other("/booth/stock")
    return see_other(f"/booth/stock/{result.subject}")


async def take_page(request: web.Request) -> web.Response:
    """The walk while it is open, afterwards what it did."""
    session = await require_session(request)
    edge, take = request.app[EDGE], await _take(request)
    if take.state != stocktakes.OPEN:
        report = await edge.read(_report, take)
        return render(
            request, "stock_report.html", report=report, reasons=UNDO_REASONS, mark=new_mark(),
            approvers=await beside(request, session),
            flash=await taken_flash(request), **shared(request),
        )  # fmt: skip
    return await _walk_page(request, take, "", [])


async def _walk_page(
    request: web.Request, take: Take, refused: Refuse | str, named: list[tuple[str, str]]
) -> web.Response:
    edge, wanted = request.app[EDGE], normalise(request.query.get("q", "")[:20])

    def look(conn: sqlite3.Connection) -> Walk:
        found = stocktaking.outcome(conn, take, edge.walks.at_lanes())
        cards = car_cards(conn, sorted(found.missing, key=lambda stay: stay.plate), edge.office.now())
        return Walk(take, tuple(cards), found.seen, found.unknown)

    walk = await edge.read(look)
    shown = [car for car in walk.missing if wanted in car.plate]
    return render(
        request, "stock_walk.html", status=409 if refused else 200, walk=walk, shown=shown, wanted=wanted,
        mark=new_mark(), approvers=named, error=refusal_words(request, refused) if refused else "",
        flash=await taken_flash(request), **shared(request),
    )  # fmt: skip


async def _take(request: web.Request) -> Take:
    take = await request.app[EDGE].read(stocktakes.get, request.match_info["take"])
    if take is None:
        raise web.HTTPNotFound
    return take


def _report(conn: sqlite3.Connection, take: Take) -> Report:
    def of(what: str) -> tuple[StayRow, ...]:
        found = (stays.get(conn, stay_id) for stay_id in stocktakes.lines(conn, take.take_id, what))
        return tuple(stay for stay in found if stay is not None)

    return Report(take, of(stocktakes.SEEN), of(stocktakes.CLOSED), of(stocktakes.ENTERED))


async def mark(request: web.Request) -> web.Response:
    """A car stands there, or does not after all."""
    session, take, data = await require_session(request), await _take(request), await request.post()
    edge, plate = request.app[EDGE], text_field(data, "plate", 20)
    act = edge.walks.unmark if "off" in data else edge.walks.mark
    result = await act(plate, session.name)
    if isinstance(result, Refuse):
        await flash(request, "bad", refusal_words(request, result))
    return see_other(f"/booth/stock/{take.take_id}")


async def end(request: web.Request) -> web.Response:
    """Finish, drop or undo; a form sent twice acts once."""
    session, take, data = await require_session(request), await _take(request), await request.post()
    act = request.match_info["act"]
    may = await authority(request, data, session)
    if act == "undo" and not isinstance(may, Refuse) and not is_at_least(may.role, SUPERVISOR):
        may = Refuse("supervisor_only")
    if isinstance(may, Refuse) and act == "finish" and take.state == stocktakes.OPEN:
        return await _walk_page(request, take, may, await approvers(request))
    if isinstance(may, Refuse):
        await flash(request, "bad", refusal_words(request, may))
    elif first_time(request, data):
        reason = reason_of(request, data, "stock_reason")
        result = await _end(request, take, act, session.name, reason, may.approver)
        if result == Refuse("above_waive_limit"):
            return await _walk_page(request, take, result, await approvers(request))
        if isinstance(result, Refuse):
            await flash(request, "bad", refusal_words(request, result))
        else:
            await request.app[EDGE].approved(may.approver, session.name, f"stock.{act}", take.take_id)
            await flash(request, "ok", texts(request)(f"stock.done_{act}"))
    return see_other("/booth/stock" if act == "drop" else f"/booth/stock/{take.take_id}")


async def _end(request: web.Request, take: Take, act: str, by: str, reason: str, approved_by: str) -> Result:
    edge = request.app[EDGE]
    if act == "finish":
        return await edge.walks.finish(take.take_id, by, approved_by=approved_by)
    if act == "drop":
        return await edge.walks.drop(take.take_id, by)
    return await edge.walks.undo(take.take_id, by, reason)


async def report_csv(request: web.Request) -> web.Response:
    """What a stock-take did, as a table; plates masked for all but managers."""
    session, take = await require_session(request), await _take(request)
    report, t = await request.app[EDGE].read(_report, take), texts(request)
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([t("stock.what"), t("plate.field"), t("booth.entered"), t("booth.fee"), t("stay.owed")])
    kinds: Sequence[tuple[str, Sequence[StayRow]]] = (
        ("closed", report.closed), ("entered", report.entered), ("seen", report.seen),
    )  # fmt: skip
    for what, found in kinds:
        for stay in found:
            plate = stay.plate if is_at_least(session.role, SUPERVISOR) else mask(stay.plate)
            entered = request.app[EDGE].office.lot.local(stay.entered.wall_ms).isoformat(" ", "minutes")
            writer.writerow(
                [t(f"stock.{what}"), plate, entered, f"{stay.fee_fen / 100:.2f}", f"{stay.owed_fen / 100:.2f}"]
            )
    headers = {"Content-Disposition": f'attachment; filename="stock-{take.take_id}.csv"'}
    body = b"\xef\xbb\xbf" + file.getvalue().encode()
    return web.Response(body=body, content_type="text/csv", charset="utf-8", headers=headers)


def add_routes(app: web.Application) -> None:
    """Walks, their acts and their reports."""
    app.router.add_get("/booth/stock", stock_page)
    app.router.add_post("/booth/stock", start)
    app.router.add_get("/booth/stock/{take}", take_page)
    app.router.add_get("/booth/stock/{take}/csv", report_csv)
    app.router.add_post("/booth/stock/{take}/mark", mark)
    app.router.add_post("/booth/stock/{take}/{act:finish|drop|undo}", end)
