"""Keys, and calls made with them."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient

from cloud.access import keys
from cloud.access.scopes import Scope
from tests.cloud.stage import Stage

Client = TestClient[web.Request, web.Application]


def key_of(stage: Stage, *scopes: str, merchant_id: int | None = None) -> str:
    """A key with *scopes*, or all of them."""
    act = stage.cloud.act("admin")
    made = stage.cloud.db.run_here(keys.create, act, "a system", scopes or list(Scope), merchant_id)
    assert isinstance(made, keys.Made), made
    return made.text


async def call(
    client: Client, key: str, method: str, path: str, body: object = None, once: str = ""
) -> tuple[int, Any]:
    """Status and answer of a call; *once*: its Idempotency-Key."""
    headers = {"Authorization": f"Bearer {key}"} | ({"Idempotency-Key": once} if once else {})
    answer = await client.request(method, f"/api/v1{path}", json=body, headers=headers)
    return answer.status, await answer.json()
