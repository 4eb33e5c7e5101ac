"""Signing in and out, and changing a password."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from cloud.access import accounts, service, wechat
from cloud.access.roles import Role
from cloud.access.service import Person
from cloud.web.state import CLOUD, SESSIONS, Cloud, field_of, words
from plumbing.web import (
    client_address,
    current_session,
    render,
    require_session,
    safe_next,
    texts,
)


def home_of(role: str) -> str:
    """The page a role begins at."""
    homes = {
        Role.MERCHANT: "/m",
        Role.MERCHANT_BRANCH: "/m/places",
        Role.MERCHANT_STAFF: "/m/issue",
        Role.VERIFIER: "/admin/check",
    }
    return next((path for own, path in homes.items() if own == role), "/admin")


async def home(request: web.Request) -> web.Response:
    """To wherever this person belongs."""
    session = await require_session(request)
    raise web.HTTPSeeOther(home_of(session.role))


async def login_page(request: web.Request) -> web.Response:
    """The login form, for staff and merchants alike."""
    session = current_session(request)
    if session is not None:
        raise web.HTTPSeeOther(home_of(session.role))
    return render(request, "login.html", **_ways(request))


def _ways(request: web.Request) -> dict[str, Any]:
    """Where the way through WeChat begins, if there is one, and from the operator's page the merchants' own (S1.23)."""
    wechat = "/wechat" if request.config_dict[CLOUD].settings.wechat_login else ""
    at_shops = request.path.startswith("/m")
    return {"wechat": wechat, "shop": "" if at_shops else "/m/login", "at_shops": at_shops}


async def login(request: web.Request) -> web.Response:
    """Check the password; after failures answers slow down by account and address."""
    cloud = request.config_dict[CLOUD]
    account, password = await field_of(request, "account"), str((await request.post()).get("password", ""))
    found = await prove(cloud, account, password, client_address(request))
    if not isinstance(found, Person):
        error = why(request, found)
        return render(request, "login.html", status=422, error=error, account=account, **_ways(request))
    response = web.Response(status=303)
    await sign_in(request, response, found)
    if found.must_change:
        await cloud.db.run(service.use_first, found.user_id, cloud.now_ms())
    target = "/password" if found.must_change else safe_next(request, home_of(found.role))
    response.headers["Location"] = target
    return response


OVER = -1
NO_BRANCH = "none"


def why(request: web.Request, seconds: int) -> str:
    """Words for what ``prove`` gave in place of a person."""
    if seconds == OVER:
        return texts(request)("refused.first_over")
    return texts(request)("login.wait", seconds=seconds) if seconds else texts(request)("login.wrong")


async def prove(cloud: Cloud, account: str, password: str, address: str, *, again: bool = False) -> Person | int:
    """Who has this password; else the seconds to wait before the next try (0: just wrong), or OVER.

    A first password that is over proves nothing any more; *again*: to whoever is in by it and changes it.
    """
    wait = cloud.throttle.wait_seconds(account, address)
    if wait:
        return wait
    found = await cloud.db.run(service.password_of, account)
    right = await cloud.passwords.verify(found[1] if found else None, password)
    if found is None or not right:
        cloud.throttle.failed(account, address)
        if found is not None:
            await cloud.db.run(service.wrong_first, found[0].user_id)
        return 0
    cloud.throttle.succeeded(account, address)
    return OVER if found[0].is_over(cloud.now_ms()) and not again else found[0]


async def sign_in(request: web.Request, response: web.StreamResponse, person: Person) -> None:
    """Begin a session as *person*."""
    data = {"login": person.login, "must_change": "1" if person.must_change else "0"}
    if person.merchant_id is not None:
        data["merchant_id"] = str(person.merchant_id)
    if person.role is Role.MERCHANT_BRANCH:
        data["branch_id"] = NO_BRANCH  # until one of its branches is chosen it acts for nothing
    cloud = request.config_dict[CLOUD]
    if person.role is Role.LOT_MANAGER:
        data["lots"] = " ".join(map(str, sorted(await cloud.db.run(accounts.lots_of, person.user_id))))
    await cloud.db.run(service.note_sign_in, person.user_id, cloud.now_ms(), client_address(request))
    await request.app[SESSIONS].sign_in(
        request, response, user_id=str(person.user_id), name=person.name, role=person.role.value, data=data
    )


async def logout(request: web.Request) -> web.Response:
    """Back to the login page."""
    response = web.Response(status=303, headers={"Location": "/login"})
    await request.app[SESSIONS].sign_out(request, response)
    return response


async def password_page(request: web.Request) -> web.Response:
    """The form for a new password; the only page before a first password was changed (E66)."""
    session = await require_session(request)
    bound = await request.config_dict[CLOUD].db.run(wechat.count, int(session.user_id))
    return render(request, "password.html", error="", due=session.data.get("must_change") == "1", bound=bound)


async def password(request: web.Request) -> web.Response:
    """Take a new password; every other session of the account ends."""
    session = await require_session(request)
    cloud = request.config_dict[CLOUD]
    form = await request.post()
    old, new, again = (str(form.get(name, "")) for name in ("old", "new", "again"))
    login_name = session.data.get("login", "")
    error = ""
    if new != again:
        error = texts(request)("refused.password_differs")
    elif refused := service.refuse_password(new, login_name):
        error = words(request, refused)
    elif not isinstance(await prove(cloud, login_name, old, client_address(request), again=True), Person):
        error = texts(request)("login.wrong")
    if error:
        due = session.data.get("must_change") == "1"
        return render(request, "password.html", status=422, error=error, due=due, bound=0)
    hashed = await cloud.passwords.hash(new)
    await cloud.db.run(service.set_password, cloud.act(login_name), int(session.user_id), hashed)
    person = await cloud.db.run(service.person, int(session.user_id))
    response = web.Response(status=303, headers={"Location": home_of(session.role) + "?done=password"})
    if person is not None:
        await sign_in(request, response, person)
    return response


def add_routes(app: web.Application) -> None:
    """Pages everybody needs."""
    app.router.add_get("/", home)
    for path in ("/login", "/m/login"):
        app.router.add_get(path, login_page)
        app.router.add_post(path, login)
    app.router.add_post("/logout", logout)
    app.router.add_get("/password", password_page)
    app.router.add_post("/password", password)
