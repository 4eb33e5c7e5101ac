"""A lot's slips as they are printed, and the page that changes them: looked at first, then told to the lot."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from cloud.access.roles import Right, may
from cloud.act import Refused
from cloud.lots import service, slips
from cloud.lots.slips import OwnSlip
from cloud.web.state import CLOUD, allow, change, done, field_of, login_of, lots_of, path_id, read, words
from domain.slip import Paper
from domain.slip_faces import Fields, Language
from domain.slip_layouts import Layout, lay_out
from domain.slip_parse import LayoutError
from domain.slip_samples import LAYOUTS, SAMPLES
from plumbing.paper.encode import encode
from plumbing.paper.picture import render
from plumbing.paper.shipped import shipped_text
from plumbing.web import render as render_page
from plumbing.web import texts


@dataclass(frozen=True, slots=True)
class Sample:
    """For whom a sample slip is made out."""

    lot: str
    at: datetime
    language: Language

    def picture(self, layout: Layout, paper: Paper) -> str:
        """The sample as a picture's address: the very bytes a printer of that width would get, drawn."""
        face = SAMPLES[layout.name](self.lot, self.at, paper, self.language)
        png = render(encode(lay_out(face, layout, paper, self.language)), paper)
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
    raise done(request.path_qs, "slip_dropped" if setting is None else "slip_set")


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
    sample = Sample(lot, at, Language.EN if chosen == Language.EN else Language.ZH)
    pictures: dict[str, str] = {}
    try:
        layout = own.layout(name)
        pictures = {
            mm: await asyncio.to_thread(sample.picture, layout, paper)
            for mm, paper in (("58", Paper.MM58), ("80", Paper.MM80))
        }
    except LayoutError as exc:
        refused = refused or Refused("slip_layout_wrong", {"problem": str(exc)})
    return render_page(
        request, "lot_slips.html", status=422 if refused else 200, error=words(request, refused), lot_name=lot,
        slip=name, layouts=LAYOUTS, own=own, text=own.text or shipped_text(name), pictures=pictures, is_set=is_set,
        written=sample.language.value, fields=sample.fields(name), manage=may(session.role, Right.RUN_LOTS),
    )  # fmt: skip


def add_routes(app: web.Application) -> None:
    """One page a lot; ``?slip=`` chooses the slip."""
    app.router.add_get("/admin/lots/{lot}/slips", page)
    app.router.add_post("/admin/lots/{lot}/slips", change_layout)
