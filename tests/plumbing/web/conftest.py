from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer

from tests.plumbing.web.gallery.app import gallery

Visitor = TestClient[web.Request, web.Application]  # a browser without scripts: keeps cookies, sends forms


@pytest.fixture
async def visitor() -> AsyncIterator[Visitor]:
    async with TestClient(TestServer(gallery()), cookie_jar=CookieJar(unsafe=True)) as client:
        yield client


def app_of(visitor: Visitor) -> web.Application:
    """The application behind the pages."""
    app = visitor.app
    assert isinstance(app, web.Application)
    return app


async def form_token(visitor: Visitor, path: str) -> str:
    """The CSRF token in a form of the page at *path*."""
    page = await (await visitor.get(path)).text()
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None, page
    return found.group(1)


async def sign_in(visitor: Visitor) -> None:
    token = await form_token(visitor, "/login")
    form = {"account": "wang", "password": "right", "csrf_token": token}
    answer = await visitor.post("/login", data=form, allow_redirects=False)
    assert answer.status == 303, await answer.text()


SignIn = Callable[[Visitor], Awaitable[None]]
