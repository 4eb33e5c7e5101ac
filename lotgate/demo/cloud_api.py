"""The cloud's machine interface, as far as the demo sets up and looks."""

from __future__ import annotations

from typing import Any

import aiohttp

from domain.wire import Json
from lotgate.demo.folder import DemoError


class CloudApi:
    """Use as a context manager; every call but ``token`` shows *token*."""

    def __init__(self, base: str, token: str = "") -> None:
        self.base, self.token = base, token
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> CloudApi:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def answers(self) -> bool:
        """Is the service up?"""
        try:
            await self.get("health")
        except (aiohttp.ClientError, OSError, DemoError):
            return False
        return True

    async def get(self, path: str) -> Any:
        """GET /api/v1/*path*. Raises DemoError for a refusal, aiohttp.ClientError."""
        return await self._ask("GET", path, None)

    async def post(self, path: str, **body: object) -> Json:
        """POST /api/v1/*path*. Raises DemoError for a refusal, aiohttp.ClientError."""
        answer: Json = await self._ask("POST", path, body)
        return answer

    async def sign_in(self, account: str, password: str, new_password: str = "") -> str:
        """A token; a first password that has to be changed becomes *new_password*."""
        made = await self.post("tokens", account=account, password=password, new_password=new_password, name="demo")
        return str(made["token"])

    async def _ask(self, method: str, path: str, body: object) -> Any:
        if self._session is None:
            raise RuntimeError("use it as a context manager")
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        url = f"{self.base}/api/v1/{path}"
        async with self._session.request(method, url, json=body, headers=headers) as answer:
            if answer.status >= 400:
                raise DemoError(f"the cloud refused {method} {path}: {answer.status} {(await answer.text())[:300]}")
            return await answer.json()
