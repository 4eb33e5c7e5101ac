"""Messages to other programs: written with the fact, signed, tried again, and never sent into our own networks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer
from sqlalchemy import Connection, select

from cloud.act import Refused
from cloud.coupons import service as coupons
from cloud.db import Database
from cloud.hooks import sending, service
from cloud.hooks.guard import GuardedResolver, may_reach, refuse_url
from cloud.hooks.tables import hook_message
from cloud.lots import incidents as lot_incidents
from cloud.merchants import service as merchants
from cloud.settings import HookSettings
from domain.events import CouponRedeemed
from domain.ledger import Commodity
from tests.cloud.stage import Stage, set_up
from tests.cloud.world import World, build

DAY_MS = 86_400_000
HOOK = "https://hooks.example.com/in"


def told(conn: Connection, hook_id: int) -> list[tuple[str, dict[str, Any]]]:
    """What a hook was told, the oldest first."""
    wanted = select(hook_message).where(hook_message.c.hook_id == hook_id)
    rows = conn.execute(wanted.order_by(hook_message.c.message_id))
    return [(row.fact, json.loads(row.body)) for row in rows]


def hook(world: World, *facts: str, merchant_id: int | None = None) -> int:
    made = service.create(world.conn, world.act(), HOOK, facts or service.FACTS, merchant_id)
    assert isinstance(made, service.Made), made
    return made.hook_id


def test_each_step_of_a_coupon_and_each_top_up_is_told_to_whoever_asked(world: World) -> None:
    every, only_tops = hook(world), hook(world, "topup", merchant_id=world.merchant_id)
    elsewhere = merchants.create_merchant(world.conn, world.act(), "书店", "13900000000")
    assert not isinstance(elsewhere, Refused)
    others = hook(world, merchant_id=elsewhere["merchant_id"])
    template = world.template()

    merchants.top_up(world.conn, world.act(), world.merchant_id, Commodity.FEN, 100, 10, "")
    used = coupons.issue(world.conn, world.act(), world.merchant_id, template, world.car("s1"))
    gone = coupons.issue(world.conn, world.act(), world.merchant_id, template, world.car("s2", "京A22222"))
    late = coupons.issue(world.conn, world.act(), world.merchant_id, template, world.car("s3", "京A33333"))
    assert isinstance(used, coupons.Issued)
    assert isinstance(gone, coupons.Issued)
    assert isinstance(late, coupons.Issued)
    world.apply(CouponRedeemed("r1", used.coupon_id, "s1", 300))
    coupons.void(world.conn, world.act(), gone.coupon_id, "wrong car")
    coupons.record_expiries(world.conn, world.operator_id, world.now_ms + 2 * DAY_MS)

    facts = [(fact, about.get("coupon_id")) for fact, about in told(world.conn, every)]
    assert facts == [
        ("topup", None),
        *[(fact, each.coupon_id) for each in (used, gone, late) for fact in ("coupon.issued", "coupon.bound")],
        ("coupon.redeemed", used.coupon_id),
        ("coupon.voided", gone.coupon_id),
        ("coupon.expired", late.coupon_id),
    ]
    assert told(world.conn, only_tops) == [("topup", {"commodity": "FEN", "paid": 100, "bonus": 10})]
    assert told(world.conn, others) == []
    assert not [about for _, about in told(world.conn, every) if "京A" in str(about)]


def test_what_is_refused_is_told_to_nobody(world: World) -> None:
    every = hook(world)

    refused = coupons.issue(world.conn, world.act(), world.merchant_id, world.template(value=10**7), world.car("s1"))

    assert isinstance(refused, Refused)
    assert told(world.conn, every) == []


@dataclass
class Receiver:
    """Somebody else's program: keeps what came and answers as told."""

    statuses: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        status = self.statuses.pop(0) if self.statuses else 200
        return web.Response(status=status, headers={"Location": "/elsewhere"} if status == 302 else {})


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/{any:.*}", made.take)
    async with TestServer(app, host="127.0.0.1") as server:
        made.url = str(server.make_url("/in"))
        yield made


@pytest.fixture
def stage(database: Database, tmp_path: Path) -> Stage:
    stage = set_up(database, tmp_path)
    object.__setattr__(stage.cloud.settings, "hooks", HookSettings(allow_loopback=True))
    return stage


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with sending.open_session(loopback=True) as session:
        yield session


def to(stage: Stage, url: str) -> service.Made:
    made = stage.cloud.db.run_here(service.create, stage.cloud.act("admin"), url, ["topup"], None, loopback=True)
    assert isinstance(made, service.Made), made
    stage.cloud.db.run_here(service.ping, stage.cloud.act("admin"), made.hook_id)
    return made


async def test_a_message_carries_a_signature_that_only_the_secret_makes(
    stage: Stage, receiver: Receiver, client: aiohttp.ClientSession
) -> None:
    made = to(stage, receiver.url)

    tried = await sending.round_of(stage.cloud, client), await sending.round_of(stage.cloud, client)

    ((headers, body),) = receiver.got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(made.secret.removeprefix("whsec_"))
    assert tried == (1, 0)
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert json.loads(body) == {
        "id": headers["webhook-id"], "fact": "ping", "made_ms": stage.cloud.now_ms(), "merchant_id": None, "data": {},
    }  # fmt: skip


async def test_a_message_is_tried_again_with_growing_pauses_and_the_same_bytes(
    stage: Stage, receiver: Receiver, client: aiohttp.ClientSession
) -> None:
    receiver.statuses = [500, 302, 200]
    made, start = to(stage, receiver.url), stage.cloud.now_ms()

    for seconds in (0, 9, 10, 49, 50, 1000):
        stage.cloud.now_ms = lambda at=start + seconds * 1000: at  # type: ignore[misc]
        await sending.round_of(stage.cloud, client)

    row = stage.cloud.db.run_here(service.messages, stage.cloud.operator_id, made.hook_id).items[0]
    assert [body for _, body in receiver.got] == [receiver.got[0][1]] * 3
    assert (row["tries"], row["last_status"], row["arrived_ms"]) == (3, 200, start + 50_000)
    assert [sending.pause_ms(tries) // 1000 for tries in range(1, 8)] == [10, 40, 160, 640, 2560, 10240, 21600]


async def test_after_three_days_of_nothing_the_hook_is_off_and_somebody_is_told(
    stage: Stage, receiver: Receiver, client: aiohttp.ClientSession
) -> None:
    receiver.statuses = [500] * 100
    made, start = to(stage, receiver.url), stage.cloud.now_ms()

    for hours in range(0, 80, 7):
        stage.cloud.now_ms = lambda at=start + hours * 3_600_000: at  # type: ignore[misc]
        await sending.round_of(stage.cloud, client)

    row = stage.cloud.db.run_here(service.find, stage.cloud.operator_id, made.hook_id)
    assert row is not None
    assert row["off_why"] == "failing"
    found = stage.cloud.db.run_here(lot_incidents.incidents, stage.cloud.operator_id, only_open=True)
    assert [(each["code"], each["detail"]) for each in found.items] == [("hook_off", receiver.url)]
    tried = len(receiver.got)
    stage.cloud.db.run_here(service.switch, stage.cloud.act("admin"), made.hook_id, on=True)
    receiver.statuses = []
    stage.cloud.db.run_here(service.send_again, stage.cloud.act("admin"), made.hook_id, 1)
    assert await sending.round_of(stage.cloud, client) == 1
    assert len(receiver.got) == tried + 1


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://hooks.example.com/in?a=1", None),
        ("https://8.8.8.8/in", None),
        ("http://hooks.example.com/in", "hook_https"),
        ("ftp://hooks.example.com/in", "hook_https"),
        ("https://127.0.0.1/in", "hook_inside"),
        ("https://127.1/in", "hook_inside"),
        ("https://2130706433/in", "hook_inside"),
        ("https://0x7f000001/in", "hook_inside"),
        ("https://localhost/in", "hook_inside"),
        ("https://10.0.0.8/in", "hook_inside"),
        ("https://192.168.1.1/in", "hook_inside"),
        ("https://169.254.169.254/latest/meta-data", "hook_inside"),
        ("https://[::1]/in", "hook_inside"),
        ("https://[fd00::1]/in", "hook_inside"),
        ("https://[::ffff:10.0.0.1]/in", "hook_inside"),
        ("https://[64:ff9b::a00:1]/in", "hook_inside"),
        ("https://user:pw@hooks.example.com/in", "hook_url"),
        ("https://hooks.example.com/in#x", "hook_url"),
        ("https://hooks.example.com:99999/in", "hook_url"),
        ("https://", "hook_url"),
        ("hooks.example.com", "hook_url"),
        ("https://hooks.example.com/\n", "hook_url"),
        ("https://例子.example/in", "hook_url"),
    ],
)
def test_messages_go_to_the_world_over_https_and_nowhere_else(url: str, code: str | None) -> None:
    refused = refuse_url(url, loopback=False)

    assert (refused.code if refused else None) == code


def test_this_machine_is_allowed_only_where_the_settings_say_so() -> None:
    assert refuse_url("http://127.0.0.1:80/in", loopback=True) is None
    assert refuse_url("http://10.0.0.1/in", loopback=True) is not None
    assert may_reach(ip_address("127.0.0.1"), loopback=True)


class Names(AbstractResolver):
    """A name server that says what it likes."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=each, port=port, family=family, proto=0, flags=0)
            for each in self._addresses
        ]

    async def close(self) -> None:
        pass


async def test_a_name_that_leads_inside_is_not_called() -> None:
    mixed = GuardedResolver(loopback=False, inner=Names("10.0.0.1", "8.8.8.8"))
    inside = GuardedResolver(loopback=False, inner=Names("169.254.169.254", "::1"))

    assert [each["host"] for each in await mixed.resolve("hooks.example.com")] == ["8.8.8.8"]
    with pytest.raises(OSError, match="no address outside"):
        await inside.resolve("hooks.example.com")


def test_a_second_merchants_hook_is_not_there_for_the_first(conn: Connection) -> None:
    world = build(conn)
    mine = hook(world, merchant_id=world.merchant_id)

    assert service.find(conn, world.operator_id, mine, world.merchant_id) is not None
    assert service.find(conn, world.operator_id, mine, world.merchant_id + 1) is None
    assert service.find(conn, world.operator_id + 1, mine) is None
