"""WeChat's side of a sign-in: sends the browser back with a code, and tells once who came with it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class WechatSimulator:
    """*openid* is whoever holds the phone just now."""

    appid: str
    secret: str
    openid: str = "o-first"
    is_down: bool = False
    codes: dict[str, str] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def authorize(self, request: web.Request) -> web.Response:
        """The page people see for a blink: nothing is asked with ``snsapi_base``."""
        query = request.query
        state = query["state"]
        if query["appid"] != self.appid or query["scope"] != "snsapi_base" or query["response_type"] != "code":
            raise web.HTTPBadRequest
        if not (state.isascii() and state.isalnum() and len(state) <= 128):
            raise web.HTTPBadRequest
        code = f"code-{next(self._numbers)}"
        self.codes[code] = self.openid
        raise web.HTTPFound(f"{query['redirect_uri']}?code={code}&state={state}")

    async def access_token(self, request: web.Request) -> web.Response:
        """As WeChat answers: text, even though it is JSON; 200, even though it is a refusal."""
        if self.is_down:
            raise web.HTTPBadGateway
        query = request.query
        openid = self.codes.pop(query.get("code", ""), None)
        if openid is None or (query.get("appid"), query.get("secret")) != (self.appid, self.secret):
            return web.Response(text='{"errcode":40029,"errmsg":"invalid code"}', content_type="text/plain")
        text = f'{{"access_token":"x","expires_in":7200,"openid":"{openid}","scope":"snsapi_base"}}'
        return web.Response(text=text, content_type="text/plain")

    def app(self) -> web.Application:
        """Both of WeChat's hosts as one."""
        app = web.Application()
        app.router.add_get("/connect/oauth2/authorize", self.authorize)
        app.router.add_get("/sns/oauth2/access_token", self.access_token)
        return app
