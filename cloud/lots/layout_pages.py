"""A lot's slips as they are printed, and the page that changes them: looked at first, then told to the lot."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from aiohttp import web

from cloud.access.roles import Right, may
from cloud.act import Refused
from cloud.lots import service, slips
from cloud.lots.slips import OwnSlip
from cloud.web.state import CLOUD, allow, change, done, field_of, login_of, lots_of, path_id, read, words
from domain.slip import Paper
from domain.slip_faces import Fields, Language
from domain.slip_layouts import Layout
from domain.slip_parse import LayoutError
from domain.slip_samples import LAYOUTS, SAMPLES
from plumbing.paper.picture import sample
from plumbing.paper.profile import SHIPPED, Profile
from plumbing.paper.shipped import shipped_text
from plumbing.web import render, texts

OWN, USUAL = "own:", "usual:"  # before a printer's name, as chosen


@dataclass(frozen=True, slots=True)
class Sample:
    """For whom a sample slip is made out."""

    lot: str
    at: datetime
    language: Language

    def picture(self, layout: Layout, profile: Profile) -> str:
        """The sample as a picture's address: the very bytes such a printer would get, drawn."""
        png = sample(layout, profile, self.lot, self.at, self.language)
        return f"data:image/png;base64,{base64.b64encode(png).decode()}"

    def fields(self, name: str) -> Fields:
        """What its layout may print."""
        return SAMPLES[name](self.lot, self.at, Paper.MM58, self.language).fields(self.language)


async def page(request: web.Request) -> web.Response:
    """What is printed now."""
    session = await allow(request, Right.VIEW_LOTS)
    lot_id, name = path_id(request, "lot"), _slip(request)
    own = await read(request, slips.own_of, lot_id, name, lots_of(session))
    return await _page(request, own or OwnSlip(), is_set=own is not None)


async def change_layout(request: web.Request) -> web.Response:
    """Look at what was typed, set it, or let the lot's own file count again."""
    session = await allow(request, Right.RUN_LOTS)
    lot_id, name, what = path_id(request, "lot"), _slip(request), await field_of(request, "do")
    head, foot, text = [await field_of(request, part) for part in ("head", "foot", "text")]
    own = slips.typed(head, foot, text, name)
    if what == "look":
        return await _page(
            request, own, is_set=await read(request, slips.own_of, lot_id, name, lots_of(session)) is not None
        )
    setting = None if what == "drop" else own
    refused = await change(request, login_of(session), slips.set_own, lot_id, name, setting)
    if refused is not None:
        return await _page(request, own, is_set=False, refused=refused)
    seen = {part: await field_of(request, part) for part in ("printer", "written")}
    shown = urlencode({"slip": name, **{part: value for part, value in seen.items() if value}})
    raise done(f"{request.path}?{shown}", "slip_dropped" if setting is None else "slip_set")


def _slip(request: web.Request) -> str:
    name = request.query.get("slip", LAYOUTS[0])
    if name not in LAYOUTS:
        raise web.HTTPNotFound
    return name


async def _page(request: web.Request, own: OwnSlip, *, is_set: bool, refused: Refused | None = None) -> web.Response:
    cloud, name, session = request.config_dict[CLOUD], _slip(request), await allow(request, Right.VIEW_LOTS)
    lot = await read(request, service.name_of, path_id(request, "lot"), lots_of(session))
    if not lot:
        raise web.HTTPNotFound
    zone = cloud.zone
    at = datetime.fromtimestamp(cloud.now_ms() / 1000, zone).replace(tzinfo=None)
    chosen = await field_of(request, "written") or request.query.get("written", "") or texts(request).language
    of = Sample(lot, at, Language.EN if chosen == Language.EN else Language.ZH)
    printers = _printers(await read(request, slips.printers_of, path_id(request, "lot"), lots_of(session)))
    wanted = await field_of(request, "printer") or request.query.get("printer", "")
    printer = wanted if wanted in printers else next(iter(printers))
    picture = ""
    try:
        picture = await asyncio.to_thread(of.picture, own.layout(name), printers[printer])
    except LayoutError as exc:
        refused = refused or Refused("slip_layout_wrong", {"problem": str(exc)})
    return render(
        request, "lot_slips.html", status=422 if refused else 200, error=words(request, refused), lot_name=lot,
        slip=name, layouts=LAYOUTS, own=own, text=own.text or shipped_text(name), picture=picture, is_set=is_set,
        written=of.language.value, fields=of.fields(name), manage=may(session.role, Right.RUN_LOTS),
        printers=printers, printer=printer,
    )  # fmt: skip


def _printers(told: Mapping[str, Profile]) -> dict[str, Profile]:
    """What may be looked through: the lot's own printers, and what others usually are."""
    own = {f"{OWN}{name}": profile for name, profile in told.items()}
    return {**own, **{f"{USUAL}{name}": profile for name, profile in SHIPPED.items()}}


def add_routes(app: web.Application) -> None:
    """One page a lot; ``?slip=`` chooses the slip."""
    app.router.add_get("/admin/lots/{lot}/slips", page)
    app.router.add_post("/admin/lots/{lot}/slips", change_layout)
