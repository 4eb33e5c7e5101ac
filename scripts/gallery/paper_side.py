"""Every slip as it is printed, on both papers and in both languages: pictures made from the printer's bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from playwright.async_api import Browser

from domain.slip import Text
from domain.slip_faces import Language
from domain.slip_layouts import Layout, Saying, lay_out
from domain.slip_samples import LAYOUTS, SAMPLES
from plumbing.paper.picture import sample
from plumbing.paper.profile import Profile
from plumbing.paper.shipped import layout_of
from scripts.gallery.camera import Camera, Finding, Picture

SURFACE: Final = "slip"
LOTS: Final = {Language.ZH: "西湖文化广场地下停车场", Language.EN: "West Lake Culture Square Underground Car Park"}
AT: Final = datetime(2026, 11, 22, 12, 30)  # noqa: DTZ001 - of a sample
PAPERS: Final = (Profile(58), Profile(80))
EITHER: Final = (
    "补打京粗体大字停"  # hanzi that stand on English slips: the mark of a copy, a plate, what tests a printer
)


async def photograph(_browser: Browser, _folder: Path, camera_of: Callable[[str], Camera], only: str) -> None:
    """All slips."""
    camera = camera_of("")
    for name in LAYOUTS:
        if only in f"{SURFACE}/{name}":
            for language in Language:
                for profile in PAPERS:
                    await asyncio.to_thread(_print, camera, layout_of(name), profile, language)


def _print(camera: Camera, layout: Layout, profile: Profile, language: Language) -> None:
    paper = f"mm{profile.paper}"
    file = f"{SURFACE}/{layout.name}-{language[:2]}-{paper}-light.png"
    png = sample(layout, profile, LOTS[language], AT, language)
    camera.keep(Picture(SURFACE, layout.name, language, paper, "light", file), png)
    for code, detail in wrong(layout, profile, language):
        camera.find(Finding(layout.name, f"{SURFACE} {paper} {language}", code, detail))


def wrong(layout: Layout, profile: Profile, language: Language) -> Iterator[tuple[str, str]]:
    """What a machine sees on a slip: words cut off, words of the other language, large words on two lines."""
    slip = lay_out(SAMPLES[layout.name](LOTS[language], AT, profile.width, language), layout, profile.width, language)
    texts = [line for line in slip.lines if isinstance(line, Text)]
    for line in texts:
        if line.text.endswith(".."):
            yield "cut", line.text
        if language is Language.EN and any(
            "\u4e00" <= letter <= "\u9fff" and letter not in EITHER for letter in line.text
        ):
            yield "language", line.text
    large = [entry.part for entry in layout.entries if isinstance(entry.part, Saying) and entry.part.size > 1]
    if sum(line.size > 1 for line in texts) > len(large):
        yield "long", "large words need a second line"
