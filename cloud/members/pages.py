"""The operator's pages of people: monthly cars, visitors, free and staff cars; list, add, change, end, export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import Connection

from cloud import sheets
from cloud.access.roles import Right, may
from cloud.act import Refused
from cloud.lots import service as lots
from cloud.members import extending, service
from cloud.members.forms import Form, blank, clock, form_from, form_of, shown, terms_in
from cloud.members.service import Entitled, Wanted
from cloud.members.terms import MOST_WINDOWS
from cloud.web.state import (
    CLOUD,
    allow,
    change,
    done,
    login_of,
    lots_of,
    path_id,
    read,
    search_of,
    whole,
    words,
    zone_of,
)
from domain.entitlement import Grant, WhenFull
from domain.plate import mask
from plumbing.i18n import Texts
from plumbing.web import Session, page_number, render, texts

EXPORT_ROWS = 100_000
COLUMNS = ("kind", "plates", "name", "phone", "host", "lots", "places", "begins", "ends", "grace_days", "windows",
           "when_full", "state", "remark")  # fmt: skip


def _wanted(request: web.Request, session: Session) -> Wanted:
    query = request.query
    kind = query.get("kind", "")
    return Wanted(
        search_of(request),
        kind if kind in set(Grant) else "",
        whole(query.get("lot", "")),
        query.get("state", ""),
        lots_of(session),
    )


async def people(request: web.Request) -> web.Response:
    """The list, by kind."""
    session = await allow(request, Right.VIEW_LOTS)
    cloud, wanted = request.config_dict[CLOUD], _wanted(request, session)
    found = await read(request, service.listed, wanted, cloud.now_ms(), page_number(request.query))
    return render(
        request,
        "people.html",
        page=found,
        wanted=wanted,
        names=await read(request, lots.names, wanted.within),
        kinds=list(Grant),
        now_ms=cloud.now_ms(),
        hours=lambda one: hours_words(texts(request), one),
        plates=may(session.role, Right.PLATES),
        manage=may(session.role, Right.RUN_LOTS),
    )


def hours_words(t: Texts, one: Entitled) -> str:
    """The hours an entitlement is good, in short; "" for any time."""
    said = []
    for begins, ends, days in one.windows:
        times = "" if (begins, ends) == (0, 1440) else f"{clock(begins)}–{clock(ends)}"
        said.append(f"{''.join(t(f'weekday.{day}') for day in days)} {times}".strip())
    return t("people.between").join(said)


async def export(request: web.Request) -> web.Response:
    """The list as a file, plates masked for who may not see them."""
    session = await allow(request, Right.VIEW_LOTS)
    t, tz, now_ms = texts(request), zone_of(request), request.config_dict[CLOUD].now_ms()
    plates = may(session.role, Right.PLATES)

    def collect(conn: Connection, operator_id: int) -> list[Sequence[sheets.Cell]]:
        names = lots.names(conn, operator_id, lots_of(session))
        found = service.every(conn, operator_id, _wanted(request, session), now_ms, EXPORT_ROWS)
        return [_cells(one, t, tz, names, now_ms, plates=plates) for one in found]

    rows = await read(request, collect)
    columns = [t(f"people.{name}") for name in COLUMNS]
    return await sheets.table_file(request.match_info["kind"], "people", t("nav.people"), columns, rows)


def _cells(
    one: Entitled, t: Texts, tz: ZoneInfo, names: dict[int, str], now_ms: int, *, plates: bool
) -> Sequence[sheets.Cell]:
    row = one.row
    timed = row["kind"] == Grant.VISITOR
    cells: dict[str, sheets.Cell] = {
        "kind": t(f"grant.{row['kind']}"),
        "plates": " ".join(plate if plates else mask(plate) for plate in one.plates),
        "phone": row["phone"] if plates else "",
        "lots": " ".join(
            f"{names[lot_id]}{':' if zone else ''}{zone}" for lot_id, zone in one.zones if lot_id in names
        ),
        "places": row["places"] or None,
        "begins": shown(row["begins_ms"], tz, timed).replace("T", " "),
        "ends": shown(row["ends_ms"], tz, timed, is_end=True).replace("T", " "),
        "windows": hours_words(t, one),
        "when_full": t(f"when_full.{row['when_full']}"),
        "state": t(f"people_state.{one.state(now_ms)}"),
    }
    return [cells[name] if name in cells else row[name] for name in COLUMNS]


async def new_page(request: web.Request) -> web.Response:
    """An empty form of the kind asked for."""
    session = await allow(request, Right.RUN_LOTS)
    asked = request.query.get("kind", "")
    kind = Grant(asked) if asked in set(Grant) else Grant.MONTHLY
    offered = await read(request, lots.zones, lots_of(session))
    zones = tuple(str(lot_id) for lot_id in offered)
    return await _form(request, session, blank(kind, request.config_dict[CLOUD].now_ms(), zone_of(request), zones))


async def add(request: web.Request) -> web.Response:
    """A new entitlement from the form."""
    session = await allow(request, Right.RUN_LOTS)
    form = form_of(await request.post())
    terms = terms_in(form, zone_of(request))
    made = terms if isinstance(terms, Refused) else await change(request, login_of(session), service.add, terms)
    if isinstance(made, Refused):
        return await _form(request, session, form, made)
    raise done(f"/admin/people?kind={form.texts['kind']}", "person_added")


async def _held(request: web.Request, session: Session) -> Entitled:
    held = await read(request, service.get, path_id(request, "number"), lots_of(session))
    if held is None:
        raise web.HTTPNotFound
    return held


async def person_page(request: web.Request) -> web.Response:
    """One entitlement as a form to change."""
    session = await allow(request, Right.RUN_LOTS)
    held = await _held(request, session)
    return await _form(request, session, form_from(held, zone_of(request)), held=held)


async def change_person(request: web.Request) -> web.Response:
    """Other terms from the form."""
    session = await allow(request, Right.RUN_LOTS)
    held, form = await _held(request, session), form_of(await request.post())
    terms = terms_in(form, zone_of(request))
    number = held.row["entitlement_id"]
    refused = (
        terms if isinstance(terms, Refused) else await change(request, login_of(session), service.change, number, terms)
    )
    if refused is not None:
        return await _form(request, session, form, refused, held)
    raise done(f"/admin/people?kind={form.texts['kind']}", "person_changed")


async def end_person(request: web.Request) -> web.Response:
    """Take an entitlement back."""
    session = await allow(request, Right.RUN_LOTS)
    held, form = await _held(request, session), form_of(await request.post())
    reason = form.texts.get("reason", "")
    refused = await change(request, login_of(session), service.end, held.row["entitlement_id"], reason)
    if refused is not None:
        return await _form(request, session, form_from(held, zone_of(request)), refused, held)
    raise done(f"/admin/people?kind={held.row['kind']}", "person_ended")


async def _offer(request: web.Request, held: Entitled) -> extending.Offer | None:
    """A month more for who may take money."""
    session = await allow(request, Right.RUN_LOTS)
    if not may(session.role, Right.MONEY):
        return None
    now_ms = request.config_dict[CLOUD].now_ms()
    made = await read(request, extending.offer, held.row["entitlement_id"], now_ms)
    return None if isinstance(made, Refused) else made


async def _form(
    request: web.Request, session: Session, form: Form, refused: Refused | None = None, held: Entitled | None = None
) -> web.Response:
    values: dict[str, Any] = {
        "offered": await read(request, lots.zones, lots_of(session)),
        "names": await read(request, lots.names, lots_of(session)),
        "policies": list(WhenFull),
        "kinds": list(Grant),
        "windows": range(1, MOST_WINDOWS + 1),
        "state": "" if held is None else held.state(request.config_dict[CLOUD].now_ms()),
        "offer": None if held is None else await _offer(request, held),
        "months": [] if held is None else await read(request, extending.of_pass, held.row["entitlement_id"]),
    }
    status = 422 if refused is not None else 200
    return render(request, "person.html", status=status, form=form, held=held, error=words(request, refused), **values)


def add_routes(app: web.Application) -> None:
    """Pages of entitlements."""
    app.router.add_get("/admin/people", people)
    app.router.add_get("/admin/people.{kind:csv|xlsx}", export)
    app.router.add_get("/admin/people/new", new_page)
    app.router.add_post("/admin/people/new", add)
    one = "/admin/people/{number:[0-9]+}"
    app.router.add_get(one, person_page)
    app.router.add_post(one, change_person)
    app.router.add_post(f"{one}/end", end_person)
