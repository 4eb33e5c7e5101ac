"""Who may sign in at the booths: administrators add people and set their PINs."""

from __future__ import annotations

from aiohttp import web
from sqlalchemy import RowMapping

from cloud import sheets
from cloud.access.roles import Right
from cloud.act import Refused
from cloud.booth import people
from cloud.lots import service as lots
from cloud.web.lists import ShortList, short_list
from cloud.web.state import (
    CLOUD,
    allow,
    change,
    done,
    field_of,
    login_of,
    lots_of,
    path_id,
    read,
    whole,
    words,
    zone_of,
)
from plumbing.passwords import random_pin, weak_pin
from plumbing.sealing import SealKey
from plumbing.web import Session, render, texts

AT = "/admin/booth-people"
SHORTEST, LONGEST = 6, 12


async def listed(request: web.Request) -> web.Response:
    """Everybody, and a form for one more."""
    return await _page(request, await allow(request, Right.RUN_LOTS))


async def add(request: web.Request) -> web.Response:
    """Add somebody under the PIN typed, or a random one shown once."""
    session = await allow(request, Right.RUN_LOTS)
    form = {name: await field_of(request, name) for name in ("name", "role", "lot_id", "pin")}
    pin = form["pin"] or random_pin()
    if (refused := _refused(pin)) is not None:
        return await _page(request, session, refused, form)
    pin_hash = await request.config_dict[CLOUD].passwords.hash(pin)
    lot_id = whole(form["lot_id"])
    made = await change(
        request, login_of(session), people.add, _box(request), form["name"], form["role"], lot_id, pin_hash
    )
    if isinstance(made, Refused):
        return await _page(request, session, made, form)
    return await _page(request, session, shown=(form["name"], pin))


async def new_pin(request: web.Request) -> web.Response:
    """Give somebody another PIN: the one typed, or a random one shown once."""
    session = await allow(request, Right.RUN_LOTS)
    pin = await field_of(request, "pin") or random_pin()
    refused = _refused(pin)
    if refused is None:
        pin_hash = await request.config_dict[CLOUD].passwords.hash(pin)
        number = path_id(request, "person")
        refused = await change(request, login_of(session), people.set_pin, _box(request), number, pin_hash)
    if refused is not None:
        return await _page(request, session, refused)
    names = {row["person_id"]: row["name"] for row in await read(request, people.listed)}
    return await _page(request, session, shown=(names.get(path_id(request, "person"), ""), pin))


async def end(request: web.Request) -> web.Response:
    """Let somebody sign in no more."""
    session = await allow(request, Right.RUN_LOTS)
    refused = await change(request, login_of(session), people.end, _box(request), path_id(request, "person"))
    if refused is not None:
        return await _page(request, session, refused)
    raise done(AT, "booth_person_ended")


def _box(request: web.Request) -> SealKey:
    return SealKey.of(request.config_dict[CLOUD].config_key)


def _refused(pin: str) -> Refused | None:
    return Refused("booth_pin_weak", {"least": SHORTEST, "most": LONGEST}) if weak(pin) else None


def weak(pin: str) -> bool:
    """Too short, too long, one digit repeated, or a run."""
    return not SHORTEST <= len(pin) <= LONGEST or weak_pin(pin)


async def _listed(request: web.Request, session: Session) -> ShortList[RowMapping]:
    within, t, zone = lots_of(session), texts(request), zone_of(request)
    names = await read(request, lots.names, within)

    def cells(row: RowMapping) -> list[sheets.Cell]:
        lot = names.get(row["lot_id"]) or t("booth_people.every_lot")
        return [row["name"], t(f"booth_role.{row['role']}"), lot, sheets.written(row["set_ms"], zone), row["set_by"]]

    heads = [t("booth_people.name"), t("booth_people.role"), t("booth_shift.lot"), t("booth_people.set"), t("col.by")]
    return short_list(request, heads, await read(request, people.listed, within), cells)


async def export(request: web.Request) -> web.Response:
    """The list as a file."""
    listed_now = await _listed(request, await allow(request, Right.RUN_LOTS))
    return await listed_now.file(request, "booth-people", texts(request)("nav.booth_people"))


async def _page(
    request: web.Request,
    session: Session,
    refused: Refused | None = None,
    form: dict[str, str] | None = None,
    shown: tuple[str, str] | None = None,
) -> web.Response:
    within = lots_of(session)
    return render(
        request,
        "booth_people.html",
        status=422 if refused else 200,
        page=(await _listed(request, session)).page(request),
        names=await read(request, lots.names, within),
        within=within,
        roles=people.ROLES,
        form=form or {},
        shown=shown,
        error=words(request, refused),
    )


def add_routes(app: web.Application) -> None:
    """The list and what may be done with it."""
    app.router.add_get(AT, listed)
    app.router.add_get(AT + ".{kind:csv|xlsx}", export)
    app.router.add_post(AT, add)
    app.router.add_post(f"{AT}/{{person:[0-9]+}}/pin", new_pin)
    app.router.add_post(f"{AT}/{{person:[0-9]+}}/end", end)
