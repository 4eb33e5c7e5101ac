"""A cloud that runs over the town, or over an empty one, and a browser for each kind of people before it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from playwright.async_api import Browser, Page
from sqlalchemy import Connection, select

from cloud.app import make_app
from cloud.db import Database, open_engine, upgrade
from cloud.schema import metadata
from cloud.settings import CloudSettings
from cloud.sync.link import Live
from cloud.web.state import Cloud
from domain.seeing import MOST_BYTES
from lotgate.demo.scenes import draw_scene
from plumbing.passwords import Passwords
from plumbing.signing import PrivateKey
from plumbing.thumbnail import thumbnail
from scripts.gallery.camera import LANGUAGES, Camera, Surface, fresh
from scripts.gallery.cloud_office import furnish, staffed
from scripts.gallery.cloud_pages import EMPTY, FULL
from scripts.gallery.cloud_town import ACCOUNT, CARS, NORTH, Town, build_empty, build_town
from tests.cloud.paying import Till
from tests.cloud.stage import PASSWORD, WEAK

ACCOUNTS = {"admin": "li.wei", "merchant": ACCOUNT, "branch": ACCOUNT, "manager": "sun.hao", "verifier": "checker"}


@dataclass
class Standing:
    """A cloud at *base*; *known* is every word that is data and no page's own."""

    base: str
    town: Town
    known: str


def _fill(conn: Connection, hashed: str, *, full: bool) -> tuple[Town, str]:
    town = build_town(conn) if full else build_empty(conn)
    (furnish if full else staffed)(town, hashed)
    return town, _data(conn)


def _data(conn: Connection) -> str:
    """All text that the database holds."""
    rows = (row for table in metadata.tables.values() for row in conn.execute(select(table)))
    return "\n".join({str(value) for row in rows for value in row if isinstance(value, str)})


@asynccontextmanager
async def standing(folder: Path, *, full: bool) -> AsyncIterator[Standing]:
    """The service on a free port of this machine."""
    engine = open_engine(f"sqlite:///{folder / 'cloud.sqlite'}")
    upgrade(engine)
    database, passwords = Database(engine), Passwords(WEAK)
    town, known = database.run_here(_fill, passwords.hash_blocking(PASSWORD), full=full)
    cloud = Cloud(
        CloudSettings(data=folder), database, PrivateKey.generate(), town.operator_id, "http://127.0.0.1", passwords
    )
    cloud.now_ms = lambda: town.now_ms
    cloud.live = lambda: _live(town)
    cloud.is_connected = lambda: True
    cloud.see = _see
    runner = web.AppRunner(make_app(cloud, {"wechat": Till("wechat")}))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield Standing(f"http://127.0.0.1:{runner.addresses[0][1]}", town, known)
    finally:
        await runner.cleanup()
        database.close()


async def _see(_edge: str, stay_id: str) -> bytes | None:
    """Most cars have a picture."""
    number = int(stay_id.removeprefix("s")) if stay_id.removeprefix("s").isdigit() else len(stay_id)
    return None if number % 5 == 3 else thumbnail(draw_scene(CARS[number % len(CARS)], number), MOST_BYTES)


def _live(town: Town) -> Mapping[str, Live]:
    """What the first lot's lanes say."""
    if not town.edge_id:
        return {}
    says: tuple[tuple[str, str, list[str]], ...] = (
        ("Idle", "", []),
        ("Waiting", "Ask", ["西门相机"]),
        ("Waiting", "PayFirst", []),
        ("Passing", "Admit", []),
    )
    lanes = [
        {"lane": lane, "phase": phase, "verdict": verdict, "wrong": wrong}
        for lane, (phase, verdict, wrong) in zip(NORTH, says, strict=True)
    ]
    return {town.edge_id: Live({"lanes": lanes}, town.now_ms - 4_000)}


async def photograph(browser: Browser, folder: Path, camera_of: Callable[[str], Camera], only: str) -> None:
    """All pages of the cloud."""
    for full, surfaces in ((True, FULL), (False, EMPTY)):
        at = folder / ("full" if full else "empty")
        at.mkdir()
        async with standing(at, full=full) as cloud:
            camera = camera_of(cloud.known)
            for surface in surfaces:
                each = (_surface(browser, cloud, camera, surface, language, only) for language in LANGUAGES)
                await asyncio.gather(*each)


async def _surface(
    browser: Browser, cloud: Standing, camera: Camera, surface: Surface, language: str, only: str
) -> None:
    shots = [shot for shot in surface.shots if only in f"{surface.name}/{shot.name}"]
    if not shots:
        return
    context = await fresh(browser, cloud.base, language)
    page = await context.new_page()
    if surface.name in ACCOUNTS:
        await _sign_in(page, cloud.base, ACCOUNTS[surface.name])
    if surface.name == "branch":
        await page.goto(f"{cloud.base}/m/places")
        await page.click("main form button:not(.primary)")
        await page.wait_for_url(lambda url: "/places" not in url)
    for shot in shots:
        await camera.take(page, cloud.base, surface, shot, cloud.town.names, language)
    await context.close()


async def _sign_in(page: Page, base: str, account: str) -> None:
    await page.goto(f"{base}/login")
    await page.fill("[name=account]", account)
    await page.fill("[name=password]", PASSWORD)
    await page.click("main button.primary")
    await page.wait_for_url(lambda url: "/login" not in url)
