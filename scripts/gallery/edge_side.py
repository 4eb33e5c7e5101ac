"""An edge that runs, and browsers before its listeners as its day goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, Page

from domain.driver_page import lane_code
from lotgate.demo.scenes import draw_scene
from scripts.gallery import edge_pages, edge_town
from scripts.gallery.camera import LANGUAGES, Camera, Shot, Surface, fresh
from tests.edge.web.running import PIN, WALL, Lot, running

WHO = {"booth": "manager", "counter": "shop", "lane": ""}
LISTENER = {"lane": "driver"}
SHOWS = {
    "booth": [("booth", shot.name) for shot in edge_pages.OF_BOOTH] + [("lane", shot.name) for shot in edge_pages.LANE],
    "many": [("booth", shot.name) for shot in edge_pages.MANY],
    "gates": [("booth", shot.name) for shot in edge_pages.GATES],
    "counter": [("counter", shot.name) for shot in (*edge_pages.SIGN_IN, *edge_pages.OF_COUNTER)],
}
"""What each lot is for: one that shows nothing that is wanted is not run."""
DATA = (
    "示例停车场 东岗亭 东门入口 东门出口 地面 地下一层 咖啡店 书店 元券 小时券 陈建国 号入口 号出口 室 多次逃费 打错了 "
    "京A1***5 camera sent picture main garage out entry counter Example lot serial card hourly "
) + " ".join(name for name, _ in WALL.values())
"""Names of this lot; whatever else is Chinese on an English page is a word that was not translated."""


@dataclass
class Day:
    """A running lot and the cameras' one browser."""

    lot: Lot
    browser: Browser
    camera: Camera
    only: str
    _pages: dict[tuple[str, str, bool], Page] = field(default_factory=dict)

    async def look(self, surface: Surface, names: Mapping[str, str], *, signed_in: bool = True) -> None:
        """All pages of *surface*, in both languages."""
        shots = [shot for shot in surface.shots if self.only in f"{surface.name}/{shot.name}"]
        if shots:
            await asyncio.gather(*(self._in(language, surface, shots, names, signed_in) for language in LANGUAGES))

    async def _in(
        self, language: str, surface: Surface, shots: list[Shot], names: Mapping[str, str], signed_in: bool
    ) -> None:
        base = self.lot.url(LISTENER.get(surface.name, surface.name), "")
        key = surface.name, language, signed_in
        if key not in self._pages:
            self._pages[key] = await (await fresh(self.browser, base, language)).new_page()
            if signed_in and WHO[surface.name]:
                await _sign_in(self._pages[key], base, WHO[surface.name])
        for shot in shots:
            await self.camera.take(self._pages[key], base, surface, shot, names, language)

    async def close(self) -> None:
        """Close every page that was opened."""
        for page in self._pages.values():
            await page.context.close()


async def _sign_in(page: Page, base: str, who: str) -> None:
    await page.goto(f"{base}/login")
    name = page.locator("[name=account]")
    if await name.evaluate("(field) => field.tagName") == "INPUT":
        await name.fill(WALL[who][0])
    else:
        await name.select_option(WALL[who][0])
    await page.fill("[name=password]", PIN)
    await page.click("main button.primary")
    await page.wait_for_url(lambda url: "/login" not in url)


async def photograph(browser: Browser, folder: Path, camera_of: Callable[[str], Camera], only: str) -> None:
    """All pages of a lot."""
    camera = camera_of(DATA)
    for name, furnish, play in (
        ("booth", edge_town.furnished, _booth),
        ("many", edge_town.eight_lanes, _many),
        ("gates", edge_town.gated, _gates),
        ("counter", edge_town.plain, _counter),
    ):
        if not any(only in f"{surface}/{shot}" for surface, shot in SHOWS[name]):
            continue
        at = folder / name
        at.mkdir()
        async with running(at, furnish) as lot:
            day = Day(lot, browser, camera, only)
            try:
                await play(day)
            finally:
                await day.close()


async def _booth(day: Day) -> None:
    """From the first look in the morning to a barrier that does not answer."""
    lot = day.lot
    await day.look(edge_pages.booth(edge_pages.SIGN_IN), {}, signed_in=False)
    await day.look(edge_pages.booth(edge_pages.MORNING), {})
    hard = edge_town.hard_to_read()
    for shots, image in (
        (edge_pages.GLASS, draw_scene("京A12345", 3)),
        (edge_pages.HARD, hard),
        (edge_pages.LOST, b""),
    ):
        edge_town.show(lot, image)
        await day.look(edge_pages.booth(shots), {})
    edge_town.show(lot)
    names = {**await edge_town.afternoon(lot), "code": lane_code(7, edge_town.OUT)}
    shift = await lot.edge.tills.at("东岗亭")
    names["open_shift"] = shift.row.shift_id if shift else ""
    await day.look(edge_pages.booth(edge_pages.AFTERNOON), names)
    await day.look(edge_pages.lane(edge_pages.LANE), names)
    await edge_town.cut_off(lot)
    await day.look(edge_pages.booth(edge_pages.OFFLINE), names)
    await edge_town.stuck(lot, names["stay"])
    await day.look(edge_pages.booth(edge_pages.STUCK), names)


async def _many(day: Day) -> None:
    """Eight lanes on one screen."""
    await day.lot.enters()
    await day.lot.waits_to_pay()
    await day.look(edge_pages.booth(edge_pages.MANY), {})


async def _gates(day: Day) -> None:
    """A car under the arm of the entry, another before the exit."""
    await edge_town.gates_at_work(day.lot)
    await day.look(edge_pages.booth(edge_pages.GATES), {})


async def _counter(day: Day) -> None:
    """A shop's day: nothing yet, slips printed and in doubt."""
    await day.look(edge_pages.counter(edge_pages.SIGN_IN), {}, signed_in=False)
    await day.look(edge_pages.counter(edge_pages.COUNTER_MORNING), {})
    await day.look(edge_pages.counter(edge_pages.COUNTER_DAY), await edge_town.counter_day(day.lot))
