"""The booth's screen as its unit starts it, with the policy as it is installed: the booth, and nothing else.

Chromium reads the policy of the machine, so it runs in a mount namespace of its own with the policy in its place. No
screen is needed: cage is left out, everything else of the unit's command stays.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from plumbing.broker import free_port
from tests.edge.web.running import Lot, running
from tests.services.needs import ROOT, needs

pytestmark = pytest.mark.browser

KIOSK = ROOT / "systemd" / "kiosk"
OURS = "http://127.0.0.1:8620"
IN_ITS_PLACE = """
mount -t tmpfs none /etc/chromium
mkdir -p /etc/chromium/policies/managed
cp "$0" /etc/chromium/policies/managed/lotgate.json
exec "$@"
"""
REFUSES_AT_PORT = 156  # Chromium 150 takes the policy for the tools in its own window alone
SETTLED_S = 0.4  # nobody goes on before a page is there, and Chromium 156 ends over places refused within milliseconds
BLOCKED = "net::ERR_BLOCKED_BY_ADMINISTRATOR"
ELSEWHERE = (
    "file:///etc/passwd",
    "file:///",
    "chrome://settings",
    "chrome://inspect",
    "chrome://print",
    "chrome://flags",
    "chrome://downloads",
    "chrome://newtab",
    "chrome://version",
    "chrome-untrusted://terminal",
    "devtools://devtools/bundled/inspector.html",
    "data:text/html,hello",
    "http://127.0.0.1:1/",
    "http://localhost:{port}/booth",
    "https://example.com/",
    "view-source:{own}/booth",
)
SAVES = """
const link = document.createElement("a");
link.href = document.querySelector("link[rel=icon]").href;
link.download = "icon.png";
link.click();
"""


@dataclass
class Screen:
    """The kiosk's browser from its own debugging port."""

    port: int
    session: aiohttp.ClientSession
    folder: Path

    async def pages(self) -> list[dict[str, str]]:
        """What it has open: all but its own invisible parts."""
        try:
            async with self.session.get(f"http://127.0.0.1:{self.port}/json/list") as answer:
                listed = await answer.json(content_type=None)
        except aiohttp.ClientConnectionError:
            return []
        return [one for one in listed if one["type"] == "page" and one["url"].startswith("http")]

    async def release(self) -> int:
        """The first number of Chromium's release."""
        async with self.session.get(f"http://127.0.0.1:{self.port}/json/version") as answer:
            told = await answer.json(content_type=None)
        return int(str(told["Browser"]).partition("/")[2].partition(".")[0])

    async def shows(self, title: str) -> dict[str, str]:
        """The page it shows, once it is one with such a *title*."""
        async with asyncio.timeout(60):
            while not (found := [one for one in await self.pages() if title in one["title"]]):
                await asyncio.sleep(0.1)
        return found[0]

    def files(self) -> list[str]:
        """Files that it left behind outside its own folders."""
        return [one.name for one in (self.folder / "home").rglob("*.png")]


@dataclass
class Page:
    """One page of it, spoken to as its developer tools would."""

    socket: aiohttp.ClientWebSocketResponse
    number: count[int] = field(default_factory=lambda: count(1))

    async def call(self, method: str, **values: Any) -> dict[str, Any]:
        number = next(self.number)
        await self.socket.send_json({"id": number, "method": method, "params": values})
        async with asyncio.timeout(20):
            while (told := await self.socket.receive_json()).get("id") != number:
                pass
        result: dict[str, Any] = told["result"]
        return result

    async def run(self, script: str, *, touched: bool = False) -> Any:
        """What *script* gives, as if somebody had *touched* the page."""
        values = {"expression": script, "userGesture": touched, "returnByValue": True}
        return (await self.call("Runtime.evaluate", **values))["result"].get("value")

    async def go(self, address: str) -> str:
        """Why *address* is not shown, or ""; it is then all there."""
        error = str((await self.call("Page.navigate", url=address)).get("errorText", ""))
        await asyncio.sleep(SETTLED_S)
        return error

    async def until(self, script: str, wanted: object) -> None:
        async with asyncio.timeout(20):
            while await self.run(script) != wanted:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def kiosk(folder: Path, lot: Lot, **changed: object) -> AsyncIterator[Screen]:
    """The unit's own command; *changed* is what else the policy says."""
    own, port = lot.url("booth", ""), free_port()
    policy = json.loads((KIOSK / "policy.json").read_text("utf-8").replace(OURS, own))
    (folder / "home").mkdir(parents=True)
    file = folder / "policy.json"
    file.write_text(json.dumps({**policy, **changed}), "utf-8")
    flags = [
        *(flag for flag in unit_flags() if not flag.startswith(("--ozone-platform", "--user-data-dir"))),
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        f"--user-data-dir={folder / 'profile'}", f"--remote-debugging-port={port}", f"{own}/booth/kiosk",
    ]  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        needs("unshare"), "-rm", "sh", "-e", "-c", IN_ITS_PLACE, file, needs("chromium"), *flags,
        env={**os.environ, "HOME": str(folder / "home")},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with aiohttp.ClientSession() as session:
            yield Screen(port, session, folder)
    finally:
        process.terminate()
        await process.wait()


def unit_flags() -> list[str]:
    """What the unit says to Chromium, without its address."""
    unit = (KIOSK / "lotgate-kiosk.service").read_text("utf-8").replace("\\\n", " ")
    (started,) = (line for line in unit.splitlines() if line.startswith("ExecStart="))
    words = shlex.split(started)
    assert words[-1] == f"{OURS}/booth/kiosk"
    return words[words.index("/usr/bin/chromium") + 1 : -1]


async def test_the_screen_shows_the_booth_and_nobody_can_look_into_it(tmp_path: Path) -> None:
    async with running(tmp_path) as lot, kiosk(tmp_path / "kiosk", lot) as screen:
        shown = await screen.shows("登录 · 岗亭")

        assert not [flag for flag in unit_flags() if "debugging" in flag]  # the port is this test's own
        if await screen.release() >= REFUSES_AT_PORT:
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):  # DeveloperToolsAvailability
                await screen.session.ws_connect(shown["webSocketDebuggerUrl"])


async def test_the_screen_shows_nothing_else(tmp_path: Path) -> None:
    looked_into = {"DeveloperToolsAvailability": 1}
    async with running(tmp_path) as lot, kiosk(tmp_path / "kiosk", lot, **looked_into) as screen:
        shown = await screen.shows("登录 · 岗亭")
        own = lot.url("booth", "")
        async with screen.session.ws_connect(shown["webSocketDebuggerUrl"]) as socket:
            page = Page(socket)

            places = [place.format(own=own, port=lot.opened.ports["booth"]) for place in ELSEWHERE]
            assert {place: await page.go(place) for place in places} == dict.fromkeys(places, BLOCKED)

            assert await page.go(f"{own}/login") == ""
            await page.until("document.readyState + location.pathname", "complete/login")
            await leads_nowhere(page, screen, own)


async def leads_nowhere(page: Page, screen: Screen, own: str) -> None:
    """What a page's own script may try: another window, a file, another place."""
    assert await page.run("window.open('/login') === null")
    assert len(await screen.pages()) == 1
    await page.run(SAVES, touched=True)
    await asyncio.sleep(1)
    assert screen.files() == []
    assert [one["url"] for one in await screen.pages()] == [f"{own}/login"]
    await page.run("location.href = 'http://127.0.0.1:1/'")
    await page.until("location.protocol", "chrome-error:")
