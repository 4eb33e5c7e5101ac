"""The shop, branches, staff, first passwords and the upkeep of lots, through the machine interface."""

from __future__ import annotations

from typing import Any

from tests.cloud.calling import Client, call, key_of
from tests.cloud.stage import Stage


def _own(stage: Stage) -> str:
    return f"/merchants/{stage.own['merchant_id']}"


async def test_coupons_are_offered_ordered_once_a_key_paid_and_given_back(client: Client, stage: Stage) -> None:
    key, mine = key_of(stage), key_of(stage, "read", "buy", merchant_id=int(stage.own["merchant_id"]))
    for_sale = {"name": "ten hours", "kind": "DURATION", "value": 600, "unit_fen": 800, "valid_months": 3}

    _, product = await call(client, key, "POST", "/products", {**for_sale, "max_purchasable": 10})
    order = {"product_id": product["product_id"], "quantity": 4}
    orders = [await call(client, mine, "POST", f"{_own(stage)}/purchases", order, "b1") for _ in range(2)]
    beyond = await call(client, mine, "POST", f"{_own(stage)}/purchases", {**order, "quantity": 7})
    _, bought = await call(client, mine, "GET", f"{_own(stage)}/purchases?state=WAITING&q=ten")
    at = f"/purchases/{bought[0]['purchase_id']}"
    paid = [(await call(client, key, "POST", f"{at}/paid", {}))[0] for _ in range(2)]
    back = await call(client, key, "POST", f"{at}/refund", {"count": 1, "reason": "too many"})
    _, due = await call(client, key, "GET", "/payouts?state=due")
    how = {"means": "transfer", "remark": "number 7"}
    handed = await call(client, key, "POST", f"/payouts/{due[0]['payout_id']}/hand-over", how)
    late = await call(client, key, "POST", f"/payouts/{due[0]['payout_id']}/take-back", {"reason": "no"})
    _, shop = await call(client, mine, "GET", f"{_own(stage)}/shop?show=bought&kind=DURATION")
    withdrawn = await call(client, key, "POST", f"/products/{product['product_id']}/withdraw", {})
    _, products = await call(client, key, "GET", "/products?q=ten")

    assert orders[0] == orders[1]
    assert orders[0][0] == 201
    assert orders[0][1]["url"] == f"http://c.example/payments/{orders[0][1]['order_id']}"
    assert (orders[0][1]["amount_fen"], len(bought)) == (3200, 1)
    assert (beyond[0], beyond[1]["code"]) == (409, "purchase_cap")
    assert (paid, back) == ([200, 409], (200, {"amount_fen": 800}))
    assert [(one["amount"], one["subject"].partition(":")[0]) for one in due] == [(800, "purchase")]
    assert (handed, late[0], late[1]["code"]) == ((200, {"done": True}), 409, "payout_not_due")
    assert [(one["bought"], one["may_buy"], one["held"]["left"]) for one in shop] == [(3, 7, 3)]
    assert withdrawn[0] == 200
    assert [(one["sold"], one["withdrawn_ms"] is None) for one in products] == [(3, False)]


async def test_a_merchants_key_buys_for_itself_and_marks_nothing_paid(client: Client, stage: Stage) -> None:
    mine = key_of(stage, "read", "buy", merchant_id=int(stage.own["merchant_id"]))
    theirs = f"/merchants/{stage.neighbour['merchant_id']}"
    order = {"product_id": int(stage.own["product_id"]), "quantity": 1}

    topped = await call(client, mine, "POST", f"{_own(stage)}/top-up-orders", {"amount_fen": 5000}, "t1")
    refused = [
        (await call(client, mine, "POST", f"{theirs}/purchases", order))[0],
        (await call(client, mine, "GET", f"{theirs}/shop"))[0],
        (await call(client, mine, "POST", f"/purchases/{stage.own['waiting']}/paid", {}))[0],
        (await call(client, mine, "GET", "/purchases"))[0],
    ]
    reminded = await call(client, mine, "POST", f"{_own(stage)}/low", {"low_fen": 7000})
    _, row = await call(client, mine, "GET", _own(stage))

    assert (topped[0], topped[1]["amount_fen"]) == (201, 5000)
    assert (reminded[0], row["low_fen"], row["low_min"]) == (200, 7000, None)
    assert refused == [404, 404, 403, 403]


async def test_a_branch_is_added_limited_filled_and_given_logins(client: Client, stage: Stage) -> None:
    key, at = key_of(stage), f"{_own(stage)}/branches"

    _, made = await call(client, key, "POST", at, {"name": "south", "own_purse": True, "lots": [], "month_fen": 900})
    one = f"{at}/{made['branch_id']}"
    filled = [await call(client, key, "POST", f"{one}/fill", {"amount": 250}, "f1") for _ in range(2)]
    limited = await call(client, key, "POST", one, {"enabled": True, "lots": [int(stage.own["lot_id"])]})
    _, login = await call(client, key, "POST", f"{one}/logins", {"name": "door"})
    _, found = await call(client, key, "GET", at)
    _, members = await call(client, key, "GET", f"{_own(stage)}/members")
    member = next(each for each in members if each["login"] == login["login"])
    reset = await call(client, key, "POST", f"{_own(stage)}/members/{member['user_id']}/password", {})
    away = {"branch_id": made["branch_id"]}
    gone = await call(client, key, "POST", f"{_own(stage)}/members/{member['user_id']}/dismiss", away)
    elsewhere = await call(client, key, "POST", f"{at}/{stage.neighbour['branch_id']}/fill", {"amount": 1})

    assert [answer[0] for answer in filled] == [200, 200]
    row = next(each for each in found if each["branch_id"] == made["branch_id"])
    assert (row["purse"], row["lots"], row["month_fen"]) == ({"FEN": 250, "MIN": 0}, [int(stage.own["lot_id"])], 0)
    assert (limited[0], gone[0], elsewhere[0]) == (200, 200, 404)
    assert (reset[1]["login"], member["of_branches"]) == (login["login"], True)
    assert reset[1]["password"] != login["password"]


async def test_a_merchants_people_get_accounts_with_limits_a_day(client: Client, stage: Stage) -> None:
    key = key_of(stage, "accounts", merchant_id=int(stage.own["merchant_id"]))
    at = f"{_own(stage)}/staff"

    status, made = await call(client, key, "POST", at, {"name": "小张", "daily_coupons": 20})
    proof = {"account": made["login"], "password": made["password"]}
    due = await client.post("/api/v1/tokens", json=proof)
    _, people = await call(client, key, "GET", at)
    user_id = next(each["user_id"] for each in people if each["login"] == made["login"])
    limited = await call(client, key, "POST", f"{at}/{user_id}/limits", {"daily_fen": 5000})
    out = [await call(client, key, "POST", f"{at}/{user_id}/enabled", {"enabled": False}) for _ in range(2)]
    reset = await call(client, key, "POST", f"{at}/{user_id}/password", {})
    _, after = await call(client, key, "GET", at)
    theirs = await call(client, key, "POST", f"{at}/{stage.neighbour['user_id']}/password", {})

    assert (status, due.status, (await due.json())["code"]) == (201, 409, "password_due")
    assert (limited[0], [answer[0] for answer in out], reset[0]) == (200, [200, 409], 200)
    row = next(each for each in after if each["user_id"] == user_id)
    assert (row["daily_coupons"], row["daily_fen"], row["enabled"]) == (None, 5000, False)
    assert (theirs[0], theirs[1]["code"]) == (409, "staff_unknown")


async def test_a_merchant_gets_a_remark_and_a_first_password_that_nobody_guesses(client: Client, stage: Stage) -> None:
    key, manages = key_of(stage), key_of(stage, "manage")

    remarked = await call(client, manages, "POST", f"{_own(stage)}/remark", {"remark": "二楼"})
    without = await call(client, manages, "POST", f"{_own(stage)}/password", {})
    reset = await call(client, key, "POST", f"{_own(stage)}/password", {})
    _, row = await call(client, key, "GET", _own(stage))

    assert (remarked[0], without[0], reset[0]) == (200, 403, 200)
    assert (row["remark"], row["standing"]) == ("二楼", None)
    assert not reset[1]["password"].isdigit()


async def test_devices_leases_events_and_slips_are_kept_in_order(client: Client, stage: Stage) -> None:
    key, slip = key_of(stage), f"/lots/{stage.own['lot_id']}/slips/voucher"

    async def post(path: str, body: Any) -> tuple[int, Any]:
        return await call(client, key, "POST", path, body)

    _, lot = await post("/lots", {"name": "south", "places": 10})
    _, made = await post("/edges", {"lot_id": lot["lot_id"], "name": "spare"})
    renewed = await post(f"/edges/{made['edge_id']}/claim", {})
    revoked = await post(f"/edges/{made['edge_id']}/revoke", {"reason": "stolen"})
    strange = await post(f"/edges/{stage.stranger['edge_id']}/revoke", {"reason": "x"})
    called = await post(f"/leases/{stage.own['lease_id']}/call-back", {})
    not_ours = await post(f"/leases/{stage.stranger['lease_id']}/call-back", {})
    written = await post(slip, {"head": ["欢迎光临"], "foot": []})
    _, seen = await call(client, key, "GET", slip)
    dropped = await call(client, key, "DELETE", slip)
    _, plain = await call(client, key, "GET", slip)

    assert (renewed[0], renewed[1]["claim"] != made["claim"]) == (201, True)
    assert (revoked[0], strange[0], called[0], not_ours[0]) == (200, 404, 200, 409)
    assert (written[0], seen["head"], seen["is_set"]) == (200, ["欢迎光临"], True)
    assert (dropped[0], plain["is_set"]) == (200, False)
    assert (await post("/events/rerun", {})) == (200, {"applied": 0})
    assert (await call(client, key, "GET", "/events?parked=true"))[0] == 200
