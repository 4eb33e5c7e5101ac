"""Coming in by WeChat: bound once by password or by the office's code, never by somebody else's state (S2.2-S2.5)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer

from cloud.access import service
from cloud.access.wechat import WechatLogin, ticket
from cloud.app import make_app
from cloud.db import Database
from tests.cloud.stage import PASSWORD, Stage, set_up
from tests.fakes.wechat_login import WechatSimulator

Browser = TestClient[web.Request, web.Application]
APPID, SECRET = "wx0123456789abcdef", "0123456789abcdef0123456789abcdef"


@pytest.fixture
async def wechat() -> AsyncIterator[tuple[WechatSimulator, str]]:
    simulator = WechatSimulator(APPID, SECRET)
    async with TestServer(simulator.app()) as server:
        yield simulator, str(server.make_url("")).rstrip("/")


@pytest.fixture
def stage(database: Database, tmp_path: Path, wechat: tuple[WechatSimulator, str]) -> Stage:
    stage = set_up(database, tmp_path)
    file = tmp_path / "app-secret"
    file.write_text(SECRET)
    file.chmod(0o600)
    login = WechatLogin(APPID, file, f"{wechat[1]}/connect/oauth2/authorize", wechat[1])
    object.__setattr__(stage.cloud.settings, "wechat_login", login)
    return stage


@pytest.fixture
async def phone(stage: Stage) -> AsyncIterator[Browser]:
    async with TestClient(TestServer(make_app(stage.cloud)), cookie_jar=CookieJar(unsafe=True)) as client:
        stage.cloud.public_url = str(client.make_url("")).rstrip("/")
        yield client


async def through(phone: Browser, path: str = "/wechat") -> tuple[int, str, str]:
    """Out to WeChat and back: status, where it ended, what it shows."""
    answer = await phone.get(path)
    return answer.status, answer.url.path, await answer.text()


def fields(page: str) -> dict[str, str]:
    return {
        name: found.group(1)
        for name in ("csrf_token", "who")
        if (found := re.search(rf'name="{name}" value="([^"]+)"', page)) is not None
    }


async def bind(phone: Browser, page: str, password: str = PASSWORD, **more: str) -> tuple[int, str, str]:
    form = {**fields(page), "account": "merchant", "password": password, **more}
    answer = await phone.post("/wechat/bind", data=form)
    return answer.status, answer.url.path, await answer.text()


async def sign_in(phone: Browser, account: str) -> None:
    form = fields(await (await phone.get("/login")).text())
    await phone.post("/login", data={**form, "account": account, "password": PASSWORD})


async def test_a_stranger_types_the_password_once_and_is_known_from_then_on(phone: Browser) -> None:
    _, asked, page = await through(phone)
    wrong = await bind(phone, page, "wrong", bind="1")
    first = await bind(phone, page, bind="1")
    phone.session.cookie_jar.clear()
    again = await through(phone)
    changing = await (await phone.get("/password")).text()
    await phone.post("/wechat/unbind", data=fields(changing))
    phone.session.cookie_jar.clear()

    assert (asked, wrong[0], first[1], again[1]) == ("/wechat/back", 422, "/m", "/m")
    assert (await through(phone))[1] == "/wechat/back"


async def test_unbound_people_may_still_come_in_by_password_and_stay_unbound(phone: Browser) -> None:
    _, _, page = await through(phone)

    assert (await bind(phone, page))[1] == "/m"
    phone.session.cookie_jar.clear()
    assert (await through(phone))[1] == "/wechat/back"
    await sign_in(phone, "merchant")
    assert (await phone.get("/m")).status == 200


async def test_the_offices_code_binds_the_first_who_scans_it_and_nobody_after(
    phone: Browser, stage: Stage, wechat: tuple[WechatSimulator, str]
) -> None:
    await sign_in(phone, "admin")
    office = f"/admin/merchants/{stage.own['merchant_id']}/wechat"
    assert (await phone.get(office)).status == 200
    link = _link(stage)
    phone.session.cookie_jar.clear()

    first = await through(phone, link)
    phone.session.cookie_jar.clear()
    wechat[0].openid = "o-second"
    second = await through(phone, link)

    assert (first[1], second[0]) == ("/m", 422)
    assert "绑定码已过期或已用过" in second[2]
    late_ms = stage.cloud.now_ms() + 601_000
    stage.cloud.now_ms = lambda: late_ms
    assert (await through(phone, link))[0] == 422


def _link(stage: Stage) -> str:
    merchant_id = int(stage.own["merchant_id"])
    person = stage.cloud.db.run_here(service.merchant_user, stage.cloud.operator_id, merchant_id)
    assert person is not None
    return f"/wechat/join/{ticket(SECRET, person.user_id, stage.cloud.now_ms() // 1000)}"


async def test_a_state_of_another_browser_or_used_before_or_made_up_leads_nowhere(
    phone: Browser, wechat: tuple[WechatSimulator, str]
) -> None:
    _, _, page = await through(phone)
    await bind(phone, page, bind="1")
    phone.session.cookie_jar.clear()
    answer = await phone.get("/wechat", allow_redirects=False)
    returned = (await phone.session.get(answer.headers["Location"], allow_redirects=False)).headers["Location"]
    mine = phone.session.cookie_jar.filter_cookies(phone.make_url("/"))
    kept = {name: morsel.value for name, morsel in mine.items()}
    phone.session.cookie_jar.clear()

    stolen = await phone.session.get(returned)
    phone.session.cookie_jar.clear()
    phone.session.cookie_jar.update_cookies({**kept}, phone.make_url("/"))
    made_up = await phone.session.get(returned.replace("state=", "state=0"))

    assert (stolen.status, made_up.status) == (422, 422)
    assert (await phone.get("/m", allow_redirects=False)).status == 303


async def test_a_form_of_another_browser_binds_nobody(phone: Browser) -> None:
    _, _, page = await through(phone)
    phone.session.cookie_jar.clear()
    fresh = fields(await (await phone.get("/login")).text())
    form = {**fields(page), **fresh, "account": "merchant", "password": PASSWORD, "bind": "1"}

    assert (await phone.post("/wechat/bind", data=form)).status == 422


async def test_when_wechat_is_silent_the_password_still_works(
    phone: Browser, wechat: tuple[WechatSimulator, str]
) -> None:
    wechat[0].is_down = True

    status, _, page = await through(phone)

    assert status == 422
    assert "微信没有应答" in page
    await sign_in(phone, "merchant")
    assert (await phone.get("/m")).status == 200


async def test_without_the_setting_there_is_no_such_way(database: Database, tmp_path: Path) -> None:
    other = set_up(database, tmp_path)
    async with TestClient(TestServer(make_app(other.cloud))) as client:
        assert (await client.get("/wechat")).status == 404
        assert "/wechat" not in await (await client.get("/login")).text()
