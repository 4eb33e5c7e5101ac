from __future__ import annotations

import pytest

from tests.plumbing.web.conftest import Visitor, app_of, form_token, sign_in
from tests.plumbing.web.gallery.app import DONE


def done(visitor: Visitor) -> list[str]:
    return app_of(visitor)[DONE]


async def test_a_form_of_our_own_page_is_carried_out_once(visitor: Visitor) -> None:
    await sign_in(visitor)
    token = await form_token(visitor, "/cars")

    answer = await visitor.post("/open", data={"csrf_token": token}, allow_redirects=False)

    assert answer.status == 303
    assert done(visitor) == ["wang /open"]


async def test_a_nul_is_refused_in_a_form_and_in_an_address(visitor: Visitor) -> None:
    await sign_in(visitor)
    token = await form_token(visitor, "/cars")

    posted = await visitor.post("/open", data={"csrf_token": token, "reason": "a\x00b"}, allow_redirects=False)
    asked = await visitor.get("/cars?q=%00")

    assert (posted.status, asked.status, done(visitor)) == (400, 400, [])


async def test_a_script_may_send_the_token_as_a_header(visitor: Visitor) -> None:
    await sign_in(visitor)
    token = await form_token(visitor, "/cars")

    answer = await visitor.post("/api/v1/open", json={}, headers={"X-CSRF-Token": token}, allow_redirects=False)

    assert answer.status == 303


@pytest.mark.parametrize(
    ("token", "headers"),
    [
        ("", {}),
        ("wrong", {}),
        (None, {"Origin": "http://evil.example"}),
        (None, {"Origin": "null"}),
        (None, {"Sec-Fetch-Site": "cross-site"}),
    ],
)
async def test_a_form_from_elsewhere_does_nothing(visitor: Visitor, token: str | None, headers: dict[str, str]) -> None:
    await sign_in(visitor)
    good = await form_token(visitor, "/cars")

    answer = await visitor.post("/open", data={"csrf_token": good if token is None else token}, headers=headers)

    assert answer.status == 403
    assert "没有执行" in await answer.text()
    assert done(visitor) == []


async def test_the_token_from_before_sign_in_is_not_good_after(visitor: Visitor) -> None:
    before = await form_token(visitor, "/login")
    await sign_in(visitor)

    answer = await visitor.post("/open", data={"csrf_token": before})

    assert answer.status == 403
    assert done(visitor) == []


async def test_the_login_form_needs_its_token_too(visitor: Visitor) -> None:
    answer = await visitor.post("/login", data={"account": "wang", "password": "right"}, allow_redirects=False)

    assert answer.status == 403


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded; charset=nonsense"],
)
async def test_a_broken_form_is_a_bad_request_and_no_bug(visitor: Visitor, content_type: str) -> None:
    answer = await visitor.post("/open", data=b"--x\r\ngarbage", headers={"Content-Type": content_type})

    assert answer.status in (400, 403)


async def test_our_own_origin_is_welcome(visitor: Visitor) -> None:
    await sign_in(visitor)
    token = await form_token(visitor, "/cars")
    origin = str(visitor.make_url("/")).rstrip("/")

    answer = await visitor.post("/open", data={"csrf_token": token}, headers={"Origin": origin}, allow_redirects=False)

    assert answer.status == 303


async def test_a_device_needs_no_token(visitor: Visitor) -> None:
    answer = await visitor.post("/push", data=b"abc", headers={"Origin": "http://camera.example"})

    assert await answer.json() == {"bytes": 3}


async def test_a_wrong_form_is_shown_again_with_what_was_typed(visitor: Visitor) -> None:
    token = await form_token(visitor, "/login")

    answer = await visitor.post("/login", data={"account": "wa<ng", "password": "no", "csrf_token": token})

    page = await answer.text()
    assert answer.status == 422
    assert 'value="wa&lt;ng"' in page
    assert "不对" in page
