"""The way through WeChat: out with a state, back with a code, in as the account bound; else by password, once."""

from __future__ import annotations

import secrets

import segno
from aiohttp import web
from sqlalchemy import Connection

from cloud.access import pages, service, wechat
from cloud.access.roles import Right
from cloud.access.service import Person
from cloud.access.wechat import GOOD_S, State, WechatError, WechatLogin
from cloud.act import Refused
from cloud.web.state import CLOUD, Cloud, allow, change, done, field_of, login_of, path_id, read, words
from plumbing.files import read_secret
from plumbing.web import client_address, render, require_session
from plumbing.web.request import visit
from plumbing.web.sessions import cookie_name, delete_cookie, set_cookie

COOKIE = "wechat"


def _set_up(request: web.Request) -> tuple[Cloud, WechatLogin, str]:
    """Raises HTTPNotFound where nobody signs in by WeChat."""
    cloud = request.config_dict[CLOUD]
    options = cloud.settings.wechat_login
    if options is None:
        raise web.HTTPNotFound
    return cloud, options, read_secret(options.secret_file)


def _leave(request: web.Request, user_id: int = 0, asked_s: int = 0) -> web.Response:
    cloud, options, secret = _set_up(request)
    nonce = secrets.token_hex(16)
    state = State(cloud.now_ms() // 1000, user_id, asked_s).text(secret, nonce)
    back = f"{cloud.public_url.rstrip('/')}/wechat/back"
    response = web.Response(status=303, headers={"Location": wechat.authorize(options, back, state)})
    set_cookie(response, visit(request), COOKIE, nonce)
    return response


async def leave(request: web.Request) -> web.Response:
    """To WeChat: the button of the login page, and the merchants' and the platform's codes (S2.3, S2.4)."""
    return _leave(request)


async def join(request: web.Request) -> web.Response:
    """To WeChat with the code of the operator's office: whoever scans it first is bound (S2.5)."""
    cloud, _, secret = _set_up(request)
    found = wechat.read_ticket(request.match_info["ticket"], secret, cloud.now_ms() // 1000)
    if found is None:
        return _said(request, Refused("wechat_code_used"))
    return _leave(request, *found)


def _said(request: web.Request, refused: Refused) -> web.Response:
    return render(request, "login.html", status=422, error=words(request, refused), wechat="/wechat")


async def back(request: web.Request) -> web.Response:
    """From WeChat. A state of another browser, an old one, or one seen before leads to the login page."""
    cloud, options, secret = _set_up(request)
    nonce = request.cookies.get(cookie_name(visit(request), COOKIE), "")
    state = wechat.read_state(request.query.get("state", ""), secret, nonce, cloud.now_ms() // 1000)
    if state is None:
        return _forget(request, _said(request, Refused("wechat_lost")))
    try:
        openid = await wechat.openid_of(options, secret, request.query.get("code", "")[:200])
    except WechatError:
        return _forget(request, _said(request, Refused("wechat_silent")))
    if state.user_id:
        args = options.appid, openid, state.user_id, state.asked_s * 1000
        person: Person | Refused | None = await change(request, "wechat", wechat.bind, *args)
    else:
        person = await read(request, wechat.find, options.appid, openid)
    if isinstance(person, Refused):
        return _forget(request, _said(request, person))
    if person is None:
        return _forget(request, _ask(request, _who(request, secret, cloud, openid)))
    return _forget(request, await _enter(request, person))


def _forget(request: web.Request, response: web.Response) -> web.Response:
    delete_cookie(response, visit(request), COOKIE)
    return response


async def _enter(request: web.Request, person: Person) -> web.Response:
    response = web.Response(status=303, headers={"Location": pages.home_of(person.role)})
    await pages.sign_in(request, response, person)
    return response


def _who(request: web.Request, secret: str, cloud: Cloud, openid: str) -> str:
    """The person of WeChat as a field of the form, good in this browser alone for ten minutes."""
    at = str(cloud.now_ms() // 1000)
    return f"{at}.{openid}.{wechat.mark(secret, 'who', at, openid, visit(request).seed)}"


def _read_who(request: web.Request, secret: str, cloud: Cloud, text: str) -> str | None:
    at, _, rest = text.partition(".")
    openid, _, given = rest.rpartition(".")
    if not at.isdigit() or not wechat.is_marked(given, secret, "who", at, openid, visit(request).seed):
        return None
    return openid if 0 <= cloud.now_ms() // 1000 - int(at) <= GOOD_S else None


def _ask(request: web.Request, who: str, error: str = "", account: str = "") -> web.Response:
    return render(request, "wechat_bind.html", status=422 if error else 200, who=who, error=error, account=account)


async def bind(request: web.Request) -> web.Response:
    """Account and password of somebody WeChat knows and we do not: in, and bound from now on if they wish (S2.5)."""
    cloud, options, secret = _set_up(request)
    who, account = await field_of(request, "who"), await field_of(request, "account")
    openid = _read_who(request, secret, cloud, who)
    if openid is None:
        return _said(request, Refused("wechat_lost"))
    password = str((await request.post()).get("password", ""))
    found = await pages.prove(cloud, account, password, client_address(request))
    if not isinstance(found, Person):
        return _ask(request, who, pages.why(request, found), account)
    if found.must_change:
        await cloud.db.run(service.use_first, found.user_id, cloud.now_ms())
    elif await field_of(request, "bind") == "1" and found.merchant_id is not None:
        await change(request, found.login, wechat.bind, options.appid, openid, found.user_id)
    response = await _enter(request, found)
    if found.must_change:
        response.headers["Location"] = "/password"
    return response


async def unbind(request: web.Request) -> web.Response:
    """Nobody of WeChat comes in as this account any more; the password still does."""
    session = await require_session(request)
    await change(request, login_of(session), wechat.unbind, int(session.user_id))
    raise done("/password", "wechat_unbound")


def _account_of(conn: Connection, operator_id: int, merchant_id: int) -> Person | None:
    return service.merchant_user(conn, operator_id, merchant_id)


async def code(request: web.Request) -> web.Response:
    """The code in the operator's office; the merchant scans it with WeChat."""
    await allow(request, Right.MANAGE)
    cloud, _, secret = _set_up(request)
    merchant_id = path_id(request, "merchant_id")
    person = await read(request, _account_of, merchant_id)
    if person is None:
        raise web.HTTPNotFound
    link = f"{cloud.public_url.rstrip('/')}/wechat/join/"
    link += wechat.ticket(secret, person.user_id, cloud.now_ms() // 1000)
    picture = segno.make_qr(link, error="m").svg_data_uri(scale=6, border=4, light="white")
    bound = await cloud.db.run(wechat.count, person.user_id)
    return render(
        request, "wechat_code.html", picture=picture, person=person, bound=bound, merchant_id=merchant_id,
        minutes=GOOD_S // 60,
    )  # fmt: skip


async def unbind_merchant(request: web.Request) -> web.Response:
    """By the operator: a phone was lost."""
    session = await allow(request, Right.MANAGE)
    person = await read(request, _account_of, path_id(request, "merchant_id"))
    if person is None:
        raise web.HTTPNotFound
    await change(request, login_of(session), wechat.unbind, person.user_id)
    raise done(f"/admin/merchants/{path_id(request, 'merchant_id')}/wechat", "wechat_unbound")


def add_routes(app: web.Application) -> None:
    """The way through WeChat, and the code in the office."""
    app.router.add_get("/wechat", leave)
    app.router.add_get("/wechat/join/{ticket}", join)
    app.router.add_get("/wechat/back", back)
    app.router.add_post("/wechat/bind", bind)
    app.router.add_post("/wechat/unbind", unbind)
    app.router.add_get("/admin/merchants/{merchant_id:[0-9]+}/wechat", code)
    app.router.add_post("/admin/merchants/{merchant_id:[0-9]+}/wechat/unbind", unbind_merchant)
