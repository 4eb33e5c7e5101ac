"""The machine interface: joining an edge, and setting a lot up with a token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Engine

from cloud.app import make_app, open_cloud
from cloud.settings import CloudSettings
from cloud.web.state import Cloud
from domain.claim import read_claim
from domain.takeover import ANSWER, ASK
from domain.time_statement import PURPOSE
from domain.wire import is_genuine, signed
from plumbing.signing import PrivateKey, fingerprint

Caller = TestClient[web.Request, web.Application]


@pytest.fixture
async def cloud(engine: Engine, tmp_path: Path) -> Cloud:
    """A service at its first start: one account, its password in a file."""
    url = engine.url.render_as_string(hide_password=False)
    settings = CloudSettings(data=tmp_path / "data", database_url=url, first_password_file=tmp_path / "first")
    return open_cloud(settings)


@pytest.fixture
async def caller(cloud: Cloud) -> AsyncIterator[Caller]:
    async with TestClient(TestServer(make_app(cloud))) as client:
        yield client


async def call(caller: Caller, path: str, body: object = None, token: str = "") -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    method = "GET" if body is None else "POST"
    answer = await caller.request(method, f"/api/v1/{path}", json=body, headers=headers)
    return answer.status, await answer.json()


async def admin_token(caller: Caller, cloud: Cloud) -> str:
    assert cloud.settings.first_password_file is not None
    password = cloud.settings.first_password_file.read_text().strip()
    login = {"account": "admin", "password": password}
    assert (await call(caller, "tokens", login))[1]["code"] == "password_due"
    status, made = await call(caller, "tokens", login | {"new_password": "seven cars waiting"})
    assert status == 201, made
    return str(made["token"])


async def test_the_first_password_is_kept_from_others_and_made_once(cloud: Cloud, engine: Engine) -> None:
    first = cloud.settings.first_password_file
    assert first is not None
    assert first.stat().st_mode & 0o777 == 0o600
    before = first.read_text()

    again = open_cloud(cloud.settings)

    assert again.operator_id == cloud.operator_id
    assert first.read_text() == before
    for each in (cloud, again):
        each.passwords.close()
        each.db.close()


async def test_a_lot_is_set_up_and_an_edge_joins_once(caller: Caller, cloud: Cloud) -> None:
    token = await admin_token(caller, cloud)
    lanes = [{"name": "in", "direction": "entry", "from": "outside", "to": "inside"}]
    _, lot = await call(caller, "lots", {"name": "北", "places": 10, "lanes": lanes}, token)
    _, made = await call(caller, "edges", {"lot_id": lot["lot_id"], "name": "box"}, token)
    claim = read_claim(made["claim"])
    ask = {"edge_id": claim.edge_id, "secret": claim.secret, "public_key": "ab" * 32}

    wrong = await call(caller, "claim", ask | {"secret": "0" * 26})
    joined = await call(caller, "claim", ask)
    again = await call(caller, "claim", ask)

    assert (wrong[0], wrong[1]["code"]) == (409, "claim_refused")
    assert joined[0] == 200
    assert joined[1]["lot_id"] == lot["lot_id"]
    assert fingerprint(bytes.fromhex(joined[1]["config_key"])).replace(" ", "") == claim.config_key_sha256[:32]
    assert (again[0], again[1]["code"]) == (409, "claim_refused")
    _, edges = await call(caller, "edges", None, token)
    assert [(row["edge_id"], row["state"], row["seq"]) for row in edges] == [(claim.edge_id, "claimed", 0)]


async def test_a_merchant_is_made_ready_in_two_calls(caller: Caller, cloud: Cloud) -> None:
    token = await admin_token(caller, cloud)
    _, lot = await call(caller, "lots", {"name": "北", "places": 10}, token)
    details = {"name": "面馆", "phone": "13800000000", "lots": [lot["lot_id"]]}
    _, merchant = await call(caller, "merchants", details, token)
    at = f"merchants/{merchant['merchant_id']}"

    topped = await call(caller, f"{at}/top-up", {"paid": 5000, "bonus": 100}, token)
    template = await call(caller, f"{at}/templates", {"name": "5", "kind": "AMOUNT", "value": 500}, token)
    refused = await call(
        caller,
        "coupons",
        {"merchant_id": merchant["merchant_id"], "template_id": template[1]["template_id"], "plate": "京A12345"},
        token,
    )
    books = await call(caller, "books", None, token)

    assert topped == (200, {"done": True})
    assert (refused[0], refused[1]["code"]) == (409, "stay_not_inside")
    assert all(each["is_right"] for each in books[1])
    assert sum(each["accounts"]["available"] for each in books[1]) == 5100


@pytest.mark.parametrize("token", ["", "0" * 32])
async def test_without_a_token_nothing_is_told(caller: Caller, token: str) -> None:
    for path in ("lots", "edges", "cars", "coupons", "vouchers", "incidents", "leases", "books"):
        assert (await call(caller, path, None, token))[0] == 401, path
    for path in ("lots", "edges", "merchants", "coupons", "merchants/1/top-up", "coupons/x/void", "edges/e/refill"):
        assert (await call(caller, path, {}, token))[0] == 401, path


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("lots", {"name": 5, "places": 1}),
        ("lots", {"name": "x", "places": "many"}),
        ("lots", {"name": "x", "places": 1, "lanes": [{"name": "in", "direction": "up"}]}),
        ("lots", []),
        ("merchants", {"name": "x", "phone": "13800000000", "lots": "all"}),
        ("merchants/1/top-up", {"paid": 1.5}),
    ],
)
async def test_bodies_that_make_no_sense_are_refused(caller: Caller, cloud: Cloud, path: str, body: object) -> None:
    token = await admin_token(caller, cloud)

    status, answer = await call(caller, path, body, token)

    assert status in (400, 422), answer


async def test_the_time_is_told_to_anybody_and_signed_for_the_edge_that_asked(caller: Caller, cloud: Cloud) -> None:
    nonce = "0123456789abcdef"

    status, told = await call(caller, "time", {"edge_id": "e1", "nonce": nonce})

    assert (status, told["nonce"]) == (200, nonce)
    assert is_genuine(PURPOSE, "e1", told, cloud.config_key.public)
    assert not is_genuine(PURPOSE, "e2", told, cloud.config_key.public)
    assert (await call(caller, "time", {"edge_id": "e1", "nonce": "short"}))[0] == 422


async def test_what_a_successor_begins_with_is_told_to_its_key_alone(caller: Caller, cloud: Cloud) -> None:
    token = await admin_token(caller, cloud)
    lot = {"name": "north", "places": 10, "lanes": [{"name": "in", "direction": "entry", "from": "outside", "to": "a"}]}
    _, made = await call(caller, "lots", lot, token)
    _, first = await call(caller, "edges", {"lot_id": made["lot_id"], "name": "north"}, token)
    old, key = read_claim(first["claim"]), PrivateKey.generate()
    await call(caller, "claim", {"edge_id": old.edge_id, "secret": old.secret, "public_key": "11" * 32})

    _, second = await call(caller, f"edges/{old.edge_id}/replace", {}, token)
    new = read_claim(second["claim"])
    public = key.public.raw.hex()
    await call(caller, "claim", {"edge_id": new.edge_id, "secret": new.secret, "public_key": public})
    ask = {"edge_id": new.edge_id, "nonce": "n" * 32}
    status, told = await call(caller, "takeover", signed(ASK, new.edge_id, ask, key))
    stranger = await call(caller, "takeover", signed(ASK, new.edge_id, ask, PrivateKey.generate()))

    told.pop("config_key")
    assert status == 200
    assert is_genuine(ANSWER, new.edge_id, told, cloud.config_key.public)
    assert (told["before"]["edge"], told["ep"], told["inside"]) == (old.edge_id, 2, [])
    assert stranger[0] == 403
