"""The gallery as a page of its own, and as contact sheets for looking at many pages at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from PIL import Image, ImageDraw

from scripts.gallery.camera import Finding, Picture

STYLE = """
body { margin: 0; padding: 16px 24px; font: 15px/1.5 system-ui, sans-serif; background: #eef1f5; color: #17212c; }
nav { position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; gap: 6px 18px; padding: 10px 0;
  background: #eef1f5; }
section > div { display: grid; gap: 18px; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); }
figure { margin: 0; background: #fff; border: 1px solid #cfd7e1; border-radius: 8px; overflow: hidden; }
figure a { display: block; height: 260px; overflow: hidden; }
figure img { display: block; width: 100%; }
figcaption { padding: 6px 10px; font-size: 13px; overflow-wrap: anywhere; }
li { overflow-wrap: anywhere; }
"""
FILTERS = ("zh", "en", "desktop", "phone", "booth", "small", "mm58", "mm80", "light", "dark")


def write_index(folder: Path, pictures: Sequence[Picture], findings: Sequence[Finding]) -> Path:
    """``index.html``: thumbnails by surface, filtered by tick boxes without a script, and what the machine found."""
    rules = "".join(f"body:not(:has(#{one}:checked)) .{one} {{ display: none; }}\n" for one in FILTERS)
    boxes = "".join(f'<label><input type="checkbox" id="{one}" checked> {one}</label>' for one in FILTERS)
    by_surface = groupby(sorted(pictures, key=lambda one: one.surface), key=lambda one: one.surface)
    parts = [
        f"<section><h2>{name}</h2><div>{''.join(map(_figure, of_it))}</div></section>" for name, of_it in by_surface
    ]
    listed = "".join(
        f"<li><b>{escape(one.code)}</b> {escape(one.where)} <i>{escape(one.shot)}</i>: {escape(one.detail)}</li>"
        for one in findings
    )
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>lotgate: every page</title><style>{STYLE}{rules}'
        f"</style><body><h1>lotgate: every page</h1><nav>{boxes}</nav>{''.join(parts)}"
        f"<h2>Findings: {len(findings)}</h2><ul>{listed}</ul></body></html>"
    )
    path = folder / "index.html"
    path.write_text(page, encoding="utf-8")
    return path


def _figure(one: Picture) -> str:
    kinds = f"{one.language[:2]} {one.size} {one.theme}"
    return (
        f'<figure class="{kinds}"><a href="{one.file}"><img loading="lazy" src="{one.file}" alt="{one.shot}"></a>'
        f"<figcaption>{one.shot} <small>{kinds}</small></figcaption></figure>"
    )


def contact_sheets(
    folder: Path, pictures: Iterable[Picture], width: int, height: int, across: int, down: int
) -> list[Path]:
    """Pages laid side by side, *across* × *down* of them on a picture, each scaled to *width* and cut at *height*."""
    wanted, made = list(pictures), []
    size = across * down
    for number, start in enumerate(range(0, len(wanted), size)):
        sheet = Image.new("RGB", (across * (width + 8), down * (height + 22)), "#444")
        for place, picture in enumerate(wanted[start : start + size]):
            left, top = place % across * (width + 8), place // across * (height + 22)
            with Image.open(folder / picture.file) as image:
                scaled = image.resize((width, max(1, image.height * width // image.width)), Image.Resampling.LANCZOS)
            sheet.paste(scaled.crop((0, 0, width, min(height, scaled.height))), (left, top + 18))
            ImageDraw.Draw(sheet).text((left + 4, top + 3), Path(picture.file).stem, fill="#fff")
        path = folder / f"sheet-{number:02d}.png"
        sheet.save(path)
        made.append(path)
    return made
