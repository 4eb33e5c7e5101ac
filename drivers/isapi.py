"""Hikvision ISAPI over HTTP Digest: each request once, answers bounded, and no second guess at a refused login."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from yarl import URL

from drivers.base import BadFrameError, DeviceRefusedError, DeviceUnreachableError, Fault
from drivers.camera.pushed import secret_of
from drivers.xml import element_texts

MAX_ANSWER = 1024 * 1024
LOCKED_OUT_S = 1800.0  # these devices lock an account that guesses; a wrong login is not tried again before that
ACCEPTED = "1"  # statusCode of ResponseStatus: taken, not yet done


@dataclass(frozen=True, slots=True, kw_only=True)
class IsapiOptions:
    """Where the device is and how to log in to it."""

    host: str
    port: int = 80
    user: str = "admin"
    password_file: Path
    timeout_ms: int = 3000


class _Once:
    """Refuses the repetition that aiohttp makes of a PUT or GET whose connection broke."""

    def __init__(self) -> None:
        self._asked = False

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if self._asked:
            raise aiohttp.ClientError("the connection broke")
        self._asked = True
        return await handler(request)


class Isapi:
    """One device, a new connection a request, and nothing sent again by itself: a PUT sent twice could open twice."""

    def __init__(self, name: str, options: IsapiOptions, password: str) -> None:
        self.name = name
        self._options = options
        self._password = password
        self._base = URL.build(scheme="http", host=options.host, port=options.port)
        self._refused_until = 0.0

    async def request(self, method: str, path: str, body: bytes = b"", content_type: str = "") -> bytes:
        """The answer's body. Raises DeviceUnreachableError, DeviceRefusedError, BadFrameError."""
        async with self._asked(
            method, path, body, total_s=self._options.timeout_ms / 1000, content_type=content_type
        ) as response:
            data = await response.content.read(MAX_ANSWER + 1)
            while len(data) <= MAX_ANSWER and not response.content.at_eof():
                data += await response.content.read(MAX_ANSWER + 1)
        if len(data) > MAX_ANSWER:
            raise BadFrameError(f"{self.name}: an answer over {MAX_ANSWER} bytes")
        return data

    async def order(self, path: str, body: bytes) -> None:
        """PUT and see that the device accepts it. Raises as ``request``, DeviceRefusedError with its reason."""
        texts = element_texts(await self.request("PUT", path, body), self.name)
        code = texts.get("statuscode", "")
        if code != ACCEPTED:
            said = texts.get("substatuscode") or texts.get("statusstring") or "nothing"
            raise DeviceRefusedError(f"{self.name}: it answered statusCode {code or 'missing'} ({said[:80]})")

    async def order_json(self, path: str, values: object) -> None:
        """PUT *values* and see that the device accepts them. Raises as ``order``."""
        body = json.dumps(values, ensure_ascii=False).encode()
        data = await self.request("PUT", path, body, "application/json")
        try:
            said = json.loads(data)
        except ValueError as exc:
            raise BadFrameError(f"{self.name}: its answer is not JSON") from exc
        code = str(said.get("statusCode", "missing")) if isinstance(said, dict) else "missing"
        if code != ACCEPTED:
            raise DeviceRefusedError(f"{self.name}: it answered statusCode {code[:20]}")

    @contextlib.asynccontextmanager
    async def stream(self, path: str, silence_s: float) -> AsyncIterator[aiohttp.ClientResponse]:
        """An endless answer; its reader gets DeviceUnreachableError after *silence_s* without a byte."""
        async with self._asked("GET", path, b"", silence_s=silence_s) as response:
            yield response

    @contextlib.asynccontextmanager
    async def _asked(
        self,
        method: str,
        path: str,
        body: bytes,
        total_s: float | None = None,
        silence_s: float | None = None,
        content_type: str = "",
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        self._check_login()
        connect_s = self._options.timeout_ms / 1000
        limits = aiohttp.ClientTimeout(total=total_s, sock_connect=connect_s, sock_read=silence_s or connect_s)
        headers = {"Content-Type": content_type} if content_type else None
        login = aiohttp.DigestAuthMiddleware(self._options.user, self._password)
        try:
            async with (
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(force_close=True), timeout=limits, middlewares=(_Once(), login)
                ) as session,
                session.request(
                    method, self._base.join(URL(path, encoded=True)), data=body or None, headers=headers
                ) as response,
            ):
                self._check_status(response.status)
                yield response
        except (TimeoutError, aiohttp.ClientError, OSError) as exc:
            where = f"{self._options.host}:{self._options.port}"
            raise DeviceUnreachableError(f"{self.name}: no answer from {where}; check its address and cable") from exc

    def _check_login(self) -> None:
        if time.monotonic() < self._refused_until:
            raise DeviceRefusedError(
                f"{self.name}: its login was refused and is not tried again for half an hour: it would lock "
                "the account. Mend user and password_file and start the edge anew",
                Fault.LOGIN_HELD,
            )

    def _check_status(self, status: int) -> None:
        if status == 401:
            self._refused_until = time.monotonic() + LOCKED_OUT_S
            raise DeviceRefusedError(f"{self.name}: login refused; check user and password_file", Fault.LOGIN)
        if status >= 400:
            raise DeviceRefusedError(f"{self.name}: it answered HTTP {status}")


def isapi_of(name: str, options: IsapiOptions) -> Isapi:
    """A client for the device called *name*. Raises BadOptionsError when its password cannot be read."""
    return Isapi(name, options, secret_of(name, options.password_file, "password_file"))
