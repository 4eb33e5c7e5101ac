"""The booths' shift reports for the operator: a list, one report, a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from aiohttp import web
from sqlalchemy import Connection, RowMapping

from cloud import sheets
from cloud.access.roles import Right
from cloud.booth import shifts
from cloud.booth.shifts import Asked
from cloud.days import day_at, parse_day, span_ms
from cloud.lots import service as lots
from cloud.web.state import CLOUD, allow, lots_of, read, search_of, whole, zone_of
from domain.fen import yuan
from plumbing.web import Session, page_number, render, texts

DAYS = 7  # shown where no day is asked for
EXPORT_ROWS = 100_000
SUMS = ("fee_fen", "by_hand_fen", "coupon_fen", "waived_fen", "owed_fen", "debts_fen", "electronic_fen")
DRAWER = ("float_fen", "cash_fen", "refund_fen", "drop_fen", "expected_fen", "counted_fen")
COUNTS = ("cars", "payments", "openings")


def _asked(request: web.Request, session: Session) -> tuple[str, str, Asked]:
    """First and last day asked for, and the rest."""
    tz, query = zone_of(request), request.query
    last = parse_day(query.get("to", "")) or day_at(request.config_dict[CLOUD].now_ms(), tz)
    first = min(parse_day(query.get("from", "")) or last - timedelta(days=DAYS - 1), last)
    lot_id, search, differs = whole(query.get("lot", "")), search_of(request), query.get("differs") == "1"
    asked = Asked(*span_ms(first, last, tz), lot_id, search, differs, lots_of(session))
    return first.isoformat(), last.isoformat(), asked


async def listed(request: web.Request) -> web.Response:
    """Shifts of some days."""
    session = await allow(request, Right.VIEW_LOTS)
    first, last, asked = _asked(request, session)
    return render(
        request,
        "booth_shifts.html",
        page=await read(request, shifts.listed, asked, page_number(request.query)),
        totals=await read(request, shifts.totals, asked),
        names=await read(request, lots.names, asked.within),
        asked=asked,
        first=first,
        last=last,
    )


async def one(request: web.Request) -> web.Response:
    """One report, as the lot printed it."""
    session = await allow(request, Right.VIEW_LOTS)

    def look(conn: Connection, operator_id: int) -> tuple[RowMapping, bool, dict[int, str]]:
        shift = shifts.one(conn, operator_id, request.match_info["shift"], lots_of(session))
        if shift is None:
            raise web.HTTPNotFound
        return shift, shifts.stands_on_our_log(conn, shift), lots.names(conn, operator_id)

    shift, stands, names = await read(request, look)
    return render(
        request, "booth_shift.html", shift=shift, stands=stands, names=names, sums=SUMS, drawer=DRAWER, counts=COUNTS
    )


async def export(request: web.Request) -> web.Response:
    """The list as a file, every sum in a column of its own."""
    session = await allow(request, Right.VIEW_LOTS)
    (first, _, asked), t, tz = _asked(request, session), texts(request), zone_of(request)
    texts_of = ("workstation", "opened_by", "closed_by", "takes_over", "reason")

    def cells(row: RowMapping, names: dict[int, str]) -> Sequence[sheets.Cell]:
        over = "" if row["closed_ms"] is None else yuan(row["counted_fen"] - row["expected_fen"])
        return (
            names.get(row["lot_id"], row["lot_id"]),
            row["number"],
            *(row[name] for name in texts_of),
            *(sheets.to_the_minute(row[name], tz) for name in ("opened_ms", "closed_ms")),
            *(row[name] for name in COUNTS),
            *(yuan(row[name]) for name in (*SUMS, *DRAWER)),
            over,
        )

    def collect(conn: Connection, operator_id: int) -> list[Sequence[sheets.Cell]]:
        names = lots.names(conn, operator_id)
        return [cells(row, names) for row in shifts.every(conn, operator_id, asked, EXPORT_ROWS)]

    order = ("lot", "number", *texts_of, "opened_ms", "closed_ms", *COUNTS, *SUMS, *DRAWER, "difference")
    rows, columns = await read(request, collect), [t(f"booth_shift.{name}") for name in order]
    return await sheets.table_file(request.match_info["kind"], f"shifts-{first}", t("nav.shifts"), columns, rows)


def add_routes(app: web.Application) -> None:
    """List, file and report."""
    app.router.add_get("/admin/shifts", listed)
    app.router.add_get("/admin/shifts.{kind:csv|xlsx}", export)
    app.router.add_get("/admin/shifts/{shift}", one)
