"""The page on which a camera is set up: what it sees, where plates were found, and how sure each character is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from drivers.base import DeviceError, PlateCandidate, PlateRead, Trouble, Viewable
from drivers.picture_header import Header, read_header
from edge.facade import Edge
from edge.web.booth import shared
from edge.web.keys import EDGE
from plumbing.web import render, render_part, require_session

NEW_EVERY_S = 3

SHOWN: web.AppKey[dict[str, PlateRead]] = web.AppKey("shown", dict)  # the read behind each camera's page


@dataclass(frozen=True, slots=True)
class Outline:
    """A plate in the picture: *points* as SVG writes them, *left* and *top* where its name stands."""

    points: str
    left: float
    top: float
    plate: PlateCandidate


@dataclass(frozen=True, slots=True)
class CameraCard:
    """One camera on its page. *size* is None without a picture.

    *trouble* is what its driver says is wrong with it, *why* the code of that fault.

    *is_asked*: it can be read at any time, so a picture without a plate says that there is none.
    """

    camera: str
    lane: str
    read: PlateRead | None
    size: Header | None
    outlines: tuple[Outline, ...]
    region: tuple[float, float, float, float] | None
    trouble: str
    why: str
    is_asked: bool


def lanes_by_camera(edge: Edge) -> dict[str, str]:
    """Every camera that watches a lane, in the order of the lot file."""
    return {camera: lane.name for lane in edge.settings.lanes for camera in lane.cameras}


async def camera_card(request: web.Request, camera: str) -> CameraCard:
    """What the page shows of a camera, which is then also what its picture address gives."""
    edge = request.app[EDGE]
    lane = lanes_by_camera(edge)[camera]
    seen = await edge.lanes.look_through(camera)
    view = edge.live.get(lane)
    trouble = view.wrong.get(f"camera {camera}", "") if view else ""
    read = seen if isinstance(seen, PlateRead) else None
    if isinstance(seen, DeviceError):
        trouble = trouble or Trouble.of(seen)
    if read is not None:
        request.app[SHOWN][camera] = read
    size = read_header(read.image) if read else None
    table = edge.settings.devices.cameras[camera]
    return CameraCard(
        camera, lane, read, size, _outlines(read) if size else (), _region(table, size), trouble,
        trouble.fault.value if isinstance(trouble, Trouble) else "",
        isinstance(edge.lanes.cameras.get(camera), Viewable),
    )  # fmt: skip


def _outlines(read: PlateRead | None) -> tuple[Outline, ...]:
    found = [(plate, _corners(plate)) for plate in read.candidates] if read else []
    return tuple(
        Outline(" ".join(f"{x:.0f},{y:.0f}" for x, y in corners), min(x for x, _ in corners),
                min(y for _, y in corners), plate)
        for plate, corners in found
        if corners
    )  # fmt: skip


def _corners(plate: PlateCandidate) -> tuple[tuple[float, float], ...]:
    box = plate.box
    if plate.corners or box is None:
        return plate.corners
    return (box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)


def _region(table: Mapping[str, object], size: Header | None) -> tuple[float, float, float, float] | None:
    """The lane's part of the picture in its pixels, where the lot file names one: x, y, width, height."""
    asked = table.get("region")
    if size is None or not isinstance(asked, list):
        return None
    left, top, right, bottom = asked
    return left * size.width, top * size.height, (right - left) * size.width, (bottom - top) * size.height


async def cameras_page(request: web.Request) -> web.Response:
    """One camera, `?camera=` names which; the first without it."""
    await require_session(request)
    lanes = lanes_by_camera(request.app[EDGE])
    chosen = request.query.get("camera") or next(iter(lanes), "")
    if chosen and chosen not in lanes:
        raise web.HTTPNotFound
    card = await camera_card(request, chosen) if chosen else None
    return render(request, "cameras.html", lanes=lanes, card=card, every=NEW_EVERY_S, **shared(request))


async def view(request: web.Request) -> web.Response:
    """The part of the page that is shown anew every few seconds."""
    await require_session(request)
    card = await camera_card(request, _camera(request))
    html = render_part(request, "camera_view.html", card=card, **shared(request))
    return web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-store"})


async def picture(request: web.Request) -> web.Response:
    """The frame the page was made of; another one would not fit its outlines."""
    await require_session(request)
    read = request.app[SHOWN].get(_camera(request))
    if read is None or read.read_id != request.query.get("read") or not read.image:
        raise web.HTTPNotFound
    return web.Response(body=read.image, content_type="image/jpeg", headers={"Cache-Control": "private, max-age=60"})


def _camera(request: web.Request) -> str:
    camera = request.match_info["camera"]
    if camera not in lanes_by_camera(request.app[EDGE]):
        raise web.HTTPNotFound
    return camera


def add_routes(app: web.Application) -> None:
    """Pages to look at; nothing is changed here."""
    app[SHOWN] = {}
    app.router.add_get("/booth/cameras", cameras_page)
    app.router.add_get("/booth/cameras/{camera}/view", view)
    app.router.add_get("/booth/cameras/{camera}/picture", picture)
