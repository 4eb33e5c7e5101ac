"""Takes one page's pictures: loaded once a language, then laid out at every size, in light and then in dark."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page
from playwright.async_api import Error as BrowserError

LANGUAGES: Final = ("zh-CN", "en")
DARK: Final = {"zh-CN": slice(0, 1), "en": slice(-1, None)}
"""Dark is looked at in each language, on one of its sizes."""
DESKTOP, PHONE = ("desktop", 1440, 900), ("phone", 390, 844)
BOOTH, SMALL_BOOTH = ("booth", 1280, 800), ("small", 1024, 600)
TALLEST: Final = 5_000
CHECKS: Final = (Path(__file__).parent / "checks.js").read_text(encoding="utf-8")
FOREIGN: Final = "\nEnglish 中文 Excel xlsx OpenAPI https wechat cloud api docs slips 标准 西门相机"
"""Words that stand on pages of the other language as they are."""
Size = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Shot:
    """A page to photograph: *route* is its line in the table of routes, *query* and *fill* what makes it this state.

    *fill* maps selectors to what is typed or chosen there, *press* are selectors clicked after it, in order.
    """

    name: str
    route: str
    query: str = ""
    fill: Mapping[str, str] = field(default_factory=dict)
    press: Sequence[str] = ()
    status: int = 200

    def path(self, names: Mapping[str, str], language: str) -> str:
        """Where it is. A name may have a value of its own in each language, for what can be done only once."""
        own = {
            name.removesuffix(f"@{language}"): value for name, value in names.items() if name.endswith(f"@{language}")
        }
        quoted = {name: quote(value, safe="") for name, value in ({**names, **own}).items()}
        return self.route.format_map(quoted) + self.query.format_map(quoted)


@dataclass(frozen=True, slots=True)
class Surface:
    """Pages for one kind of people, on the screens they have."""

    name: str
    sizes: Sequence[Size]
    shots: Sequence[Shot]
    touch: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A file of the gallery."""

    surface: str
    shot: str
    language: str
    size: str
    theme: str
    file: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a machine saw, and where."""

    shot: str
    where: str
    code: str
    detail: str


def shape(route: str) -> str:
    """A route with its parts unnamed: the names are the handlers' own."""
    return "/".join(re.sub(r"\{.*\}", "{}", part) for part in route.split("/"))


class Camera:
    """Remembers every picture and finding."""

    def __init__(self, folder: Path, known: str, tell: Callable[[str], None]) -> None:
        self._folder, self._known, self._tell = folder, known + FOREIGN, tell
        self._pictures: dict[str, Picture] = {}
        self._findings: dict[Finding, None] = {}

    @property
    def pictures(self) -> list[Picture]:
        """Every picture, in the order taken."""
        return list(self._pictures.values())

    @property
    def findings(self) -> list[Finding]:
        """Each thing once, however often it was seen."""
        return list(self._findings)

    async def take(
        self, page: Page, base: str, surface: Surface, shot: Shot, names: Mapping[str, str], language: str
    ) -> None:
        """All pictures of *shot* in one language."""
        self._tell(f"{surface.name}/{shot.name} {language}")
        heard: list[str] = []
        listen = _listener(heard)
        page.on("console", listen)
        page.on("pageerror", lambda error: heard.append(str(error)))
        where = f"{surface.name} {language}"
        for attempt in (1, 2):  # a page that looks again by itself may do so at the wrong moment
            try:
                await self._all_sizes(page, base, surface, shot, names, language)
                break
            except BrowserError as exc:
                if attempt == 2:
                    self._find(shot, where, "broken", str(exc).splitlines()[0])
        for text in heard:
            self._find(shot, where, "console", text)
        page.remove_listener("console", listen)

    async def _all_sizes(
        self, page: Page, base: str, surface: Surface, shot: Shot, names: Mapping[str, str], language: str
    ) -> None:
        await self._open(page, base, surface, shot, names, language)
        for theme, sizes in (("light", surface.sizes), ("dark", surface.sizes[DARK[language]])):
            await page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            for size in sizes:
                await self._at_size(page, surface, shot, language, size, theme)

    async def _open(
        self, page: Page, base: str, surface: Surface, shot: Shot, names: Mapping[str, str], language: str
    ) -> None:
        _, width, height = surface.sizes[0]
        await page.emulate_media(color_scheme="light")
        await page.set_viewport_size({"width": width, "height": height})
        answer = await page.goto(base + shot.path(names, language), wait_until="load")
        for selector, value in shot.fill.items():
            await _set(page, selector, value)
        status = answer.status if answer else 0
        for selector in shot.press:
            await page.click(selector, timeout=20_000)  # a lot that does not answer is waited for
            await page.wait_for_timeout(150)  # a form that was sent begins to lead away
            await page.wait_for_load_state("load")
        if not shot.press and status != shot.status:
            self._find(shot, f"{surface.name} {language}", "status", f"{status} instead of {shot.status}")

    async def _at_size(self, page: Page, surface: Surface, shot: Shot, language: str, size: Size, theme: str) -> None:
        name, width, height = size
        await page.set_viewport_size({"width": width, "height": height})
        asked: dict[str, Any] = {"touch": surface.touch, "language": language, "known": self._known}
        for code, detail in await page.evaluate(CHECKS, asked):
            if theme == "light" or code == "contrast":
                self._find(shot, f"{surface.name} {name} {language} {theme}", code, detail)
        tall = await page.evaluate("Math.max(document.documentElement.scrollHeight, innerHeight)")
        file = f"{surface.name}/{shot.name}-{language[:2]}-{name}-{theme}.jpg"
        clip: Any = {"x": 0, "y": 0, "width": width, "height": min(tall, TALLEST)}
        await page.screenshot(path=self._folder / file, type="jpeg", quality=70, full_page=tall > height, clip=clip)
        self._pictures[file] = Picture(surface.name, shot.name, language, name, theme, file)

    def keep(self, picture: Picture, data: bytes) -> None:
        """A picture that no browser made."""
        self._tell(f"{picture.surface}/{picture.shot} {picture.language}")
        path = self._folder / picture.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self._pictures[picture.file] = picture

    def find(self, finding: Finding) -> None:
        """What is wrong with it."""
        self._findings[finding] = None

    def _find(self, shot: Shot, where: str, code: str, detail: str) -> None:
        self.find(Finding(shot.name, where, code, detail))


def _listener(heard: list[str]) -> Any:
    def listen(message: ConsoleMessage) -> None:
        is_load = message.text.startswith("Failed to load resource")
        if message.type in ("error", "warning") and not is_load:
            heard.append(message.text)

    return listen


async def _set(page: Page, selector: str, value: str) -> None:
    field_ = page.locator(selector).first
    kind = await field_.evaluate("(one) => one.tagName === 'SELECT' ? 'select' : one.type")
    if kind == "select":
        await field_.select_option(value)
    elif kind in ("checkbox", "radio"):
        await field_.check()
    else:
        await field_.evaluate("(one, value) => { one.value = value; one.form.noValidate = true; }", value)


async def fresh(browser: Browser, base: str, language: str) -> BrowserContext:
    """A browser of somebody who reads *language* and has never been here."""
    context = await browser.new_context(locale=language, has_touch=True)
    context.set_default_timeout(90_000)  # the machine may have other work
    await context.add_cookies([{"name": "lg_lang", "value": language, "url": base}])
    return context
