from __future__ import annotations

import io
import json
import re

import pytest

from plumbing.i18n import differences
from plumbing.web import NavItem, walk
from plumbing.web.rendering import _here
from tests.plumbing.web.conftest import Visitor, sign_in
from tests.plumbing.web.gallery.app import HERE, gallery


async def test_a_page_carries_the_headers_that_keep_strangers_out(visitor: Visitor) -> None:
    answer = await visitor.get("/login")

    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    assert re.fullmatch(r"[0-9a-f]{12}", answer.headers["X-Request-Id"])


async def test_no_page_holds_inline_scripts_or_styles(visitor: Visitor) -> None:
    await sign_in(visitor)

    for path in ("/cars", "/login", "/login?pin=1", "/nowhere"):
        page = await (await visitor.get(path)).text()
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", page), path


async def test_static_files_are_kept_for_a_year_only_under_their_content_mark(visitor: Visitor) -> None:
    page = await (await visitor.get("/login")).text()
    marked = re.search(r"/static/shell/app\.css\?v=[0-9a-f]{10}", page)
    assert marked is not None

    kept, plain = await visitor.get(marked.group()), await visitor.get("/static/shell/app.css")

    assert "immutable" in kept.headers["Cache-Control"]
    assert kept.content_type == "text/css"
    assert plain.headers["Cache-Control"] == "no-store"


async def test_the_page_speaks_the_language_of_the_switch_and_remembers_it(visitor: Visitor) -> None:
    assert "登录" in await (await visitor.get("/login")).text()

    switched = await visitor.get("/login?lang=en&next=/cars", allow_redirects=False)

    assert (switched.status, switched.headers["Location"]) == (303, "/login?next=%2Fcars")
    page = await (await visitor.get("/login")).text()
    assert '<html lang="en"' in page
    assert "Sign in" in page


async def test_the_theme_switch_is_remembered_and_nothing_else_gets_into_the_page(visitor: Visitor) -> None:
    await visitor.get("/login?theme=dark")
    assert 'data-theme="dark"' in await (await visitor.get("/login")).text()

    visitor.session.cookie_jar.update_cookies({"lg_theme": '"><script>'}, visitor.make_url("/"))
    assert 'data-theme="auto"' in await (await visitor.get("/login")).text()


async def test_the_sign_stands_before_the_yuan_and_whole_days_have_no_hours(visitor: Visitor) -> None:
    await sign_in(visitor)

    page = await (await visitor.get("/cars?lang=zh-CN")).text()

    assert '<span class="money negative">−¥12.50</span> 2 天 1 天 0 小时 5 分' in page


async def test_what_people_type_is_escaped(visitor: Visitor) -> None:
    await sign_in(visitor)

    page = await (await visitor.get("/cars", params={"q": '"><img src=x>'})).text()

    assert "<img src=x>" not in page


async def test_a_bug_shows_a_number_to_quote_and_not_the_bug(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await visitor.get("/broken")

    page = await answer.text()
    assert answer.status == 500
    assert "系统出错" in page
    assert "RuntimeError" not in page
    assert answer.headers["X-Request-Id"] in page
    assert caplog.records[-1].__dict__["request_id"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("/api/v1/broken", 500, "broken"), ("/api/v1/nothing", 404, "not_found"), ("/api/v1/open", 405, "not_allowed")],
)
async def test_machines_get_problem_details(visitor: Visitor, path: str, status: int, code: str) -> None:
    answer = await visitor.get(path)

    body = json.loads(await answer.text())
    assert answer.content_type == "application/problem+json"
    assert (answer.status, body["status"], body["code"]) == (status, status, code)
    assert body["request_id"] == answer.headers["X-Request-Id"]


async def test_an_unknown_address_is_a_page_that_leads_home(visitor: Visitor) -> None:
    answer = await visitor.get("/nowhere")

    assert answer.status == 404
    assert 'href="/cars"' in await answer.text()


async def test_a_body_beyond_the_limit_is_refused(visitor: Visitor) -> None:
    assert (await visitor.post("/push", data=io.BytesIO(b"x" * (1024 * 1024)))).status == 200

    answer = await visitor.post("/push", data=io.BytesIO(b"x" * (1024 * 1024 + 1)))

    assert answer.status == 413


@pytest.mark.parametrize(
    ("path", "here"),
    [
        ("/admin", "/admin"),
        ("/admin/cars/7", "/admin/cars"),
        ("/admin/other", "/admin"),
        ("/administer", "/"),
        ("/", "/"),
    ],
)
def test_the_navigation_shows_the_nearest_entry_above_a_page(path: str, here: str) -> None:
    assert _here(path, [NavItem(href, "x") for href in ("/", "/admin", "/admin/cars")]) == here


def test_every_route_can_be_listed() -> None:
    routes = {(route.method, route.path) for route in walk(gallery())}

    assert ("POST", "/push") in routes
    assert ("GET", "/cars") in routes


def test_the_gallery_says_the_same_in_both_languages() -> None:
    assert differences(HERE / "locale") == []
