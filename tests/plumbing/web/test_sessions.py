from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request

from plumbing.web import MemorySessionStore, Session, Sessions, safe_next
from plumbing.web.throttle import LoginThrottle
from tests.plumbing.web.conftest import Visitor, form_token, sign_in
from tests.plumbing.web.gallery.app import gallery

MINUTE, HOUR = 60_000, 3_600_000


class Clock:
    def __init__(self) -> None:
        self.ms = 1_800_000_000_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> MemorySessionStore:
    return MemorySessionStore()


@pytest.fixture
async def timed(clock: Clock, store: MemorySessionStore) -> AsyncIterator[Visitor]:
    app = gallery(sessions=Sessions(store, "gallery", now_ms=clock))
    async with TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)) as client:
        yield client


def cookie(visitor: Visitor, name: str = "lg_gallery_session") -> Any:
    return visitor.session.cookie_jar.filter_cookies(visitor.make_url("/")).get(name)


async def status(visitor: Visitor) -> int:
    return (await visitor.get("/cars", allow_redirects=False)).status


async def test_a_page_leads_to_the_login_and_back(visitor: Visitor) -> None:
    answer = await visitor.get("/cars?page=2", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/login?next=/cars%3Fpage%3D2")

    token = await form_token(visitor, "/login")
    form = {"account": "wang", "password": "right", "csrf_token": token}
    answer = await visitor.post(answer.headers["Location"], data=form, allow_redirects=False)

    assert answer.headers["Location"] == "/cars?page=2"


async def test_a_machine_without_a_session_gets_401(visitor: Visitor) -> None:
    token = await form_token(visitor, "/login")

    answer = await visitor.post("/api/v1/open", headers={"X-CSRF-Token": token})

    assert answer.status == 401
    assert (await answer.json())["code"] == "unauthorised"


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor: Visitor) -> None:
    token = await form_token(visitor, "/login")

    form = {"account": "wang", "password": "right", "csrf_token": token}
    answer = await visitor.post("/login", data=form, allow_redirects=False)

    assert re.fullmatch(
        "lg_gallery_session=[-_A-Za-z0-9]{43}; HttpOnly; Path=/; SameSite=Lax", answer.headers["Set-Cookie"]
    )


async def test_signing_in_again_takes_a_new_token_and_ends_the_old(timed: Visitor, store: MemorySessionStore) -> None:
    await sign_in(timed)
    first = cookie(timed).value

    await sign_in(timed)

    assert cookie(timed).value != first
    assert len(store._sessions) == 1
    timed.session.cookie_jar.update_cookies({"lg_gallery_session": first}, timed.make_url("/"))
    assert await status(timed) == 303


async def test_the_store_never_sees_the_token(timed: Visitor, store: MemorySessionStore) -> None:
    await sign_in(timed)

    assert cookie(timed).value not in str(store._sessions)


async def test_an_idle_session_ends_and_a_used_one_does_not(timed: Visitor, clock: Clock) -> None:
    await sign_in(timed)

    for _ in range(4):
        clock.ms += 29 * MINUTE
        assert await status(timed) == 200
    clock.ms += 31 * MINUTE

    assert await status(timed) == 303


async def test_no_session_outlives_twelve_hours(timed: Visitor, clock: Clock) -> None:
    await sign_in(timed)

    for _ in range(36):
        clock.ms += 20 * MINUTE
        assert await status(timed) == 200
    clock.ms += MINUTE

    assert await status(timed) == 303


async def test_signing_out_ends_the_session_on_the_server(timed: Visitor, store: MemorySessionStore) -> None:
    await sign_in(timed)
    token = await form_token(timed, "/cars")

    await timed.post("/logout", data={"csrf_token": token})

    assert store._sessions == {}
    assert await status(timed) == 303


async def test_all_sessions_of_a_person_can_be_ended(store: MemorySessionStore) -> None:
    for key, user in (("a", "wang"), ("b", "li"), ("c", "wang")):
        await store.save(key, Session(user, user, "attendant", 0, 0))

    await store.drop_user("wang")

    assert list(store._sessions) == ["b"]


async def test_one_listener_does_not_take_the_session_of_another(store: MemorySessionStore) -> None:
    booth, counter = Sessions(store, "booth"), Sessions(store, "counter")

    assert booth._key("token") != counter._key("token")


async def test_over_https_cookies_are_bound_to_the_host(store: MemorySessionStore) -> None:
    async with TestClient(TestServer(gallery(https=True)), cookie_jar=CookieJar(unsafe=True)) as client:
        answer = await client.get("/login")

    header = answer.headers["Set-Cookie"]
    assert header.startswith("__Host-lg_gallery_visitor=")
    assert "Secure" in header
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


@pytest.mark.parametrize(
    ("target", "leads"),
    [
        ("/cars?x=1", "/cars?x=1"),
        ("//evil.example/x", "/home"),
        ("https://evil.example", "/home"),
        ("/\\evil.example", "/home"),
        ("javascript:alert(1)", "/home"),
        ("cars", "/home"),
        ("/a\r\nSet-Cookie: x", "/home"),
        ("", "/home"),
    ],
)
def test_after_login_nobody_is_sent_to_another_site(target: str, leads: str) -> None:
    from yarl import URL

    request = make_mocked_request("GET", str(URL("/login").with_query(next=target)))

    assert safe_next(request, "/home") == leads


def test_guessing_grows_slower_by_account_and_by_address() -> None:
    now = 0.0
    throttle = LoginThrottle(lambda: now)

    for _ in range(2):
        throttle.failed("wang", "10.0.0.9")
    assert throttle.wait_seconds("wang", "10.0.0.9") == 0
    throttle.failed("wang", "10.0.0.9")
    assert throttle.wait_seconds("wang", "10.0.0.1") == 2  # the account, from anywhere
    assert throttle.wait_seconds("li", "10.0.0.9") == 2  # the address, whoever it tries
    assert throttle.wait_seconds("li", "10.0.0.1") == 0
    for _ in range(20):
        throttle.failed("wang", "10.0.0.9")
    assert throttle.wait_seconds("wang", "10.0.0.1") == 60
    assert throttle.wait_seconds("li", "10.0.0.9") == 900
    now = 61.0
    assert throttle.wait_seconds("wang", "10.0.0.1") == 0


def test_the_right_password_and_an_hour_make_the_throttle_forget() -> None:
    now = 0.0
    throttle = LoginThrottle(lambda: now)
    for _ in range(5):
        throttle.failed("wang", "10.0.0.9")

    throttle.succeeded("wang", "10.0.0.9")

    assert throttle.wait_seconds("wang", "10.0.0.9") == 0
    for _ in range(5):
        throttle.failed("li", "10.0.0.8")
    now = 4000.0
    throttle.failed("li", "10.0.0.8")
    assert throttle.wait_seconds("li", "10.0.0.8") == 0
