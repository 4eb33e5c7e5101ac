"""What holds for every call: its document is its table, keys reach what they name, and money moves once a key."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Connection

from cloud.access import keys
from cloud.access.roles import Role
from cloud.access.scopes import Scope, scopes_of
from cloud.api.rates import Rates
from cloud.api.routes import OPERATIONS
from cloud.api.schema import wrong
from cloud.app import make_app
from cloud.settings import ApiSettings
from domain.events import BarrierOpened
from plumbing.passwords import Passwords
from plumbing.web import walk
from tests.cloud.calling import Client, call, key_of
from tests.cloud.stage import SECRET, THEIR_PLATE, WEAK, Stage
from tests.cloud.world import World


async def test_the_document_tells_of_every_call_there_is_and_of_no_other(client: Client) -> None:
    told = await (await client.get("/api/v1/openapi.json")).json()
    described = {(method.upper(), "/api/v1" + path) for path, calls in told["paths"].items() for method in calls}
    assert client.app is not None
    served = {
        (way.method, re.sub(r":\[0-9\]\{1,15\}", "", way.path))
        for way in walk(client.app)
        if way.path.startswith("/api/v1/") and way.method != "HEAD"
    }

    assert told["openapi"] == "3.1.0"
    assert described == served - {("GET", "/api/v1/openapi.json")}
    assert told["servers"] == [{"url": "http://c.example/api/v1"}]


def test_every_call_is_described_soundly() -> None:
    names = [operation.name for operation in OPERATIONS]
    assert len(set(names)) == len(names)
    for operation in OPERATIONS:
        assert set(re.findall(r"\{(\w+)\}", operation.path)) == set(operation.within), operation.name
        assert operation.summary, operation.name
        assert (operation.body is None) == (operation.method in ("GET", "DELETE")), operation.name
        for schema in (operation.answer, operation.body or {}, *operation.within.values(), *operation.query.values()):
            _sound(schema, operation.name)


def _sound(schema: dict[str, Any], where: str) -> None:
    """Only words of JSON Schema that ``wrong`` checks as well; a word it does not know would be a promise unkept."""
    known = {
        "type", "properties", "required", "additionalProperties", "items", "maxItems", "enum", "const", "anyOf",
        "minimum", "maximum", "minLength", "maxLength", "pattern", "description",
    }  # fmt: skip
    assert set(schema) <= known, where
    assert set(schema.get("required", ())) <= set(schema.get("properties", {})), where
    for inner in (*schema.get("properties", {}).values(), *schema.get("anyOf", ())):
        _sound(inner, where)
    if "items" in schema:
        _sound(schema["items"], where)


async def test_a_key_does_what_its_scopes_say_and_nothing_once_it_is_revoked(client: Client, stage: Stage) -> None:
    reads = key_of(stage, "read")
    for operation in OPERATIONS:
        if operation.scope is None:
            continue
        path = re.sub(r"\{(\w+)\}", lambda name: stage.own.get(name.group(1), "1"), operation.path)
        status, answer = await call(client, reads, operation.method, path, {} if operation.body else None)
        assert (status == 403) is (operation.scope is not Scope.READ), (operation.name, status, answer)

    stage.cloud.db.run_here(keys.revoke, stage.cloud.act("admin"), 1)

    assert (await call(client, reads, "GET", "/lots"))[0] == 401


@pytest.mark.parametrize("role", [Role.LOT_MANAGER, Role.VERIFIER])
def test_who_sees_some_lots_or_numbers_alone_has_pages_and_no_call(role: Role) -> None:
    assert scopes_of(role) == frozenset()


class CountedHashes(Passwords):
    """Keeps what it was told to hash."""

    def __init__(self) -> None:
        super().__init__(WEAK)
        self.hashed: list[str] = []

    async def hash(self, secret: str) -> str:
        self.hashed.append(secret)
        return await super().hash(secret)


async def test_nothing_is_hashed_for_who_may_not_make_the_call(client: Client, stage: Stage) -> None:
    stage.cloud.passwords = counted = CountedHashes()
    staff = f"/merchants/{stage.own['merchant_id']}/staff"
    refused = [
        (await call(client, "lgk_nobodys", "POST", staff, {"name": "x"}))[0],
        (await call(client, key_of(stage, "read"), "POST", staff, {"name": "x"}))[0],
        (await call(client, key_of(stage), "POST", staff, {"name": ""}))[0],
    ]
    before = list(counted.hashed)

    made = await call(client, key_of(stage), "POST", staff, {"name": "x"})

    assert (refused, before) == ([401, 403, 422], [])
    assert (made[0], len(counted.hashed)) == (201, 1)


async def test_without_the_scope_plates_are_masked_and_cannot_be_searched(client: Client, stage: Stage) -> None:
    masked = key_of(stage, "read")

    _, all_of_them = await call(client, masked, "GET", "/coupons")
    _, found = await call(client, masked, "GET", "/coupons?q=98765")

    assert {row["plate"] for row in all_of_them if row["plate"]} == {"京A·1***1", "沪Z·9***5"}
    assert len(found) == len(all_of_them)


async def test_a_merchants_key_sees_its_own_things_and_says_not_there_of_the_rest(client: Client, stage: Stage) -> None:
    key = key_of(stage, "read", "plates", "issue", merchant_id=int(stage.own["merchant_id"]))
    for operation in OPERATIONS:
        if operation.scope is None or operation.scope not in (Scope.READ, Scope.PLATES, Scope.ISSUE):
            continue
        theirs = re.sub(r"\{(\w+)\}", lambda name: stage.neighbour.get(name.group(1), "1"), operation.path)
        fitting = {"reason": "x"} if operation.name == "void_coupon" else {"lines": [1], "word": "confirmed"}
        status, answer = await call(client, key, operation.method, theirs, fitting if operation.body else None)
        assert SECRET not in str(answer), operation.name
        assert THEIR_PLATE not in str(answer), operation.name
        if not operation.for_merchants:
            assert status == 403, (operation.name, status)
        elif "merchant_id" in operation.within or "statement_id" in operation.within:
            assert status == 404, (operation.name, status)
    issue = {"merchant_id": int(stage.neighbour["merchant_id"]), "template_id": 1, "stay_id": "s-next"}

    assert (await call(client, key, "POST", "/coupons", issue))[0] == 404
    void = await call(client, key, "POST", f"/coupons/{stage.neighbour['coupon_id']}/void", {"reason": "x"})
    assert (void[0], void[1]["code"]) == (409, "coupon_unknown")
    _, own = await call(client, key, "GET", "/coupons")
    assert [row["coupon_id"] for row in own if row["plate"]] == [stage.own["coupon_id"]]


async def test_the_same_key_moves_money_once_and_another_body_not_at_all(client: Client, stage: Stage) -> None:
    key = key_of(stage)
    at = f"/merchants/{stage.own['merchant_id']}"
    _, before = await call(client, key, "GET", at)

    answers = await asyncio.gather(*(call(client, key, "POST", f"{at}/top-up", {"paid": 700}, "k1") for _ in range(5)))
    other = await call(client, key, "POST", f"{at}/top-up", {"paid": 701}, "k1")
    elsewhere = await call(client, key, "POST", f"{at}/refund", {"amount": 700}, "k1")
    _, after = await call(client, key, "GET", at)

    strange = await client.post(
        f"/api/v1{at}/top-up", json={"paid": 700}, headers={"Authorization": f"Bearer {key}", "Idempotency-Key": ""}
    )

    assert strange.status == 422
    assert answers == [(200, {"done": True})] * 5
    assert [(status, answer["code"]) for status, answer in (other, elsewhere)] == [(422, "key_reused")] * 2
    assert after["purses"]["FEN"]["paid"] - before["purses"]["FEN"]["paid"] == 700


async def test_a_refusal_keeps_nothing_so_that_the_same_key_may_try_again(client: Client, stage: Stage) -> None:
    key = key_of(stage)
    own = {name: int(stage.own[name]) for name in ("merchant_id", "template_id")}
    issue = {**own, "stay_id": "s-late"}

    early = await call(client, key, "POST", "/coupons", issue, "k2")
    stage.cloud.db.run_here(
        lambda conn: conn.exec_driver_sql("UPDATE stay SET stay_id = 's-late' WHERE stay_id = 's-own'")
    )
    issued = await call(client, key, "POST", "/coupons", issue, "k2")
    again = await call(client, key, "POST", "/coupons", issue, "k2")

    assert (early[0], early[1]["code"]) == (409, "stay_not_inside")
    assert issued[0] == 201
    assert again == issued


async def test_another_callers_key_is_another_key(client: Client, stage: Stage) -> None:
    one, two = key_of(stage), key_of(stage)
    at = f"/merchants/{stage.own['merchant_id']}/top-up"

    first = await call(client, one, "POST", at, {"paid": 100}, "k3")
    second = await call(client, two, "POST", at, {"paid": 200}, "k3")

    assert (first[0], second[0]) == (200, 200)


async def test_lists_say_how_long_they_are_and_where_the_next_page_is(client: Client, stage: Stage) -> None:
    key = key_of(stage)
    for number in range(51):
        await call(client, key, "POST", "/merchants", {"name": f"m{number}", "phone": "13800000000"})

    answer = await client.get("/api/v1/merchants?page=1&q=m", headers={"Authorization": f"Bearer {key}"})

    assert answer.headers["X-Total-Count"] == "51"
    assert answer.headers["Link"] == '</api/v1/merchants?page=2&q=m>; rel="next"'
    assert len(await answer.json()) == 50


async def test_what_makes_no_sense_is_named_by_its_place(client: Client, stage: Stage) -> None:
    key = key_of(stage)
    body = {"name": "x", "places": -1, "lanes": [{"name": "in", "direction": "up", "from": "a", "to": "b"}], "size": 1}

    status, answer = await call(client, key, "POST", "/lots", body)

    assert status == 422
    assert answer["faults"] == [
        ".size: is not known",
        ".places: is too small or too large",
        ".lanes[0].direction: must be one of entry, exit, two_way",
    ]


async def test_a_merchant_that_pays_later_is_made_and_disabled_with_what_is_out_taken_back(
    client: Client, stage: Stage
) -> None:
    key = key_of(stage)
    fresh = {"name": "pays later", "phone": "13900000001", "payment_mode": "POSTPAID", "settlement_mode": "ON_REDEEM"}

    _, made = await call(client, key, "POST", "/merchants", fresh)
    _, seen = await call(client, key, "GET", f"/merchants/{made['merchant_id']}")
    own = stage.own["merchant_id"]
    disabled, _ = await call(client, key, "POST", f"/merchants/{own}/enabled", {"enabled": False, "take_back": True})
    _, out = await call(client, key, "GET", f"/coupons?merchant_id={own}")

    assert (seen["payment_mode"], seen["settlement_mode"]) == ("POSTPAID", "ON_REDEEM")
    assert (disabled, {coupon["state"] for coupon in out}) == (200, {"VOID_PENDING", "VOIDED"})


async def test_whoever_asks_too_fast_is_told_how_long_to_wait(stage: Stage) -> None:
    object.__setattr__(stage.cloud.settings, "api", ApiSettings(per_second=1, burst=2))
    key = key_of(stage)
    async with TestClient(TestServer(make_app(stage.cloud))) as client:
        headers = {"Authorization": f"Bearer {key}"}
        answers = [await client.get("/api/v1/lots", headers=headers) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["Retry-After"] == "1"


def test_a_bucket_fills_again_with_time() -> None:
    now = [0.0]
    rates = Rates(per_second=2, burst=2, clock=lambda: now[0])

    taken = [rates.wait_seconds("a"), rates.wait_seconds("a"), rates.wait_seconds("a"), rates.wait_seconds("b")]
    now[0] += 0.5

    assert taken == [0, 0, 1, 0]
    assert [rates.wait_seconds("a"), rates.wait_seconds("a")] == [0, 1]


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 3}, 3, [0, 4, True, "1", 1.5, None]),
        ({"type": "string", "minLength": 1, "maxLength": 2, "pattern": "^[a-z]*$"}, "ab", ["", "abc", "a\n", 1]),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, None, [1, []]),
        ({"type": "array", "items": {"type": "boolean"}, "maxItems": 1}, [True], [[1], [True, True], {}]),
        ({"const": True}, True, [1, "true", False]),
    ],
)
def test_a_schema_takes_what_fits_and_nothing_else(schema: dict[str, Any], good: object, bad: list[object]) -> None:
    assert wrong(schema, good) == []
    assert [each for each in bad if not wrong(schema, each)] == []


async def test_openings_by_hand_come_with_their_cars_and_plates_only_for_who_may_see_them(
    client: Client, stage: Stage
) -> None:
    lot_id = int(stage.own["lot_id"])

    def open_by_hand(conn: Connection) -> None:
        world = World(conn, stage.cloud.operator_id, lot_id, stage.own["edge_id"], now_ms=stage.cloud.now_ms())
        world.apply(BarrierOpened("out", "d-hand", "wang", "rain", stage.own["stay_id"]), seq=5000)

    stage.cloud.db.run_here(open_by_hand)
    path = f"/lots/{lot_id}/openings/by-hand"
    seen = [await call(client, key_of(stage, *scopes), "GET", path) for scopes in (("read", "plates"), ("read",))]

    assert [status for status, _ in seen] == [200, 200]
    assert [(one["opened_by"], one["stay_id"]) for one in seen[0][1]] == [("wang", stage.own["stay_id"])]
    assert (seen[0][1][0]["plate"], "*" in seen[1][1][0]["plate"]) == ("京A11111", True)
