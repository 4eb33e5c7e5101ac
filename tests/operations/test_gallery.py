"""``make screenshots``: no page without a picture, and each fault that a machine can see is seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cloud.web.doors import DOORS
from domain.slip_faces import Language
from domain.slip_samples import LAYOUTS
from edge.web.app import lot_applications
from plumbing.metrics import Metrics
from plumbing.paper.profile import SHIPPED
from plumbing.paper.shipped import layout_of, shipped_text
from plumbing.web import walk
from scripts.gallery import cloud_pages, edge_pages, edge_town, paper_side
from scripts.gallery.camera import CHECKS
from tests.edge.web.running import running

if TYPE_CHECKING:
    from playwright.async_api import Browser

GOOD = """<html lang="en"><title>Cars · lotgate</title><body style="background: #fff"><main>
<label>Plate <input style="height: 44px; width: 90px"></label>
<a href="/" style="display: block; height: 44px">Cars of 面馆</a>"""


def test_every_page_of_the_cloud_has_its_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cloud_pages.without_picture() == []

    monkeypatch.setitem(DOORS, "GET /admin/brand-new", None)
    assert cloud_pages.without_picture() == ["GET /admin/brand-new"]


async def test_every_page_of_a_lot_has_its_picture(tmp_path: Path) -> None:
    async with running(tmp_path, edge_town.furnished) as lot:
        apps = lot_applications(lot.edge, Metrics("routes")).values()
        routes = [f"{route.method} {route.path}" for app in apps for route in walk(app)]

    assert edge_pages.without_picture(routes) == []
    assert edge_pages.without_picture([*routes, "GET /booth/brand-new"]) == ["GET /booth/brand-new"]


@pytest.mark.browser
async def test_a_machine_sees_what_is_wrong_with_a_page_and_nothing_wrong_with_a_good_one(chromium: Browser) -> None:
    page = await chromium.new_page(viewport={"width": 390, "height": 844})

    async def seen(fault: str, language: str = "en") -> list[str]:
        await page.set_content(GOOD + fault)
        asked = {"touch": True, "language": language, "known": "面馆 Cars Plate"}
        return sorted({code for code, _ in await page.evaluate(CHECKS, asked)})

    assert await seen("") == []
    assert await seen("<script>document.title = '· lotgate'</script>") == ["title"]
    assert await seen("<div style='width: 500px'>x</div>") == ["too_wide"]
    await page.set_viewport_size({"width": 1440, "height": 900})
    assert await seen("<div class='table-wrap' style='width: 90px; overflow: auto'><p style='width: 99px'>x") == [
        "wide_table"
    ]
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await seen("<p style='width: 50px; overflow: hidden; white-space: nowrap'>many more words</p>") == ["cut"]
    assert await seen("<p style='color: #999'>grey on white</p>") == ["contrast"]
    assert await seen("<button style='height: 30px'>Open it</button>") == ["small"]
    assert await seen("<p>车位</p>") == ["language"]
    assert await seen("<p>places</p>", "zh-CN") == ["language"]
    assert await seen("<p id=a>one</p><p id=a>two</p>") == ["same_id"]
    assert await seen("<input style='height: 44px'>") == ["label"]
    await page.close()


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("name", LAYOUTS)
def test_nothing_is_wrong_with_the_shipped_slips(name: str, language: Language) -> None:
    for profile in SHIPPED.values():
        assert list(paper_side.wrong(layout_of(name), profile, language)) == []


def test_a_machine_sees_what_is_wrong_with_a_slip() -> None:
    narrow = SHIPPED["58"]

    def seen(text: str, language: Language = Language.EN) -> set[str]:
        return {code for code, _ in paper_side.wrong(layout_of("test", text), narrow, language)}

    assert seen(shipped_text("test")) == set()
    assert seen(shipped_text("test").replace('"Printer test"', '"打印测试页"')) == {"language"}
    assert seen(shipped_text("test").replace('"Printer test"', '"A page that shows how it prints"')) == {"long"}
    assert seen(shipped_text("test").replace('"lotgate"', '"lotga.."'), Language.ZH) == {"cut"}
