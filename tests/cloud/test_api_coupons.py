"""Codes, papers, posters, limits and plates without coupons, through the machine interface."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from domain.coupon.limits import FIELDS, Level
from domain.coupon.terms import LotWays
from tests.cloud.calling import Client, call, key_of
from tests.cloud.stage import Stage

PLATE = "京A44444"


def _own(stage: Stage) -> str:
    return f"/merchants/{stage.own['merchant_id']}"


async def _purse(client: Client, key: str, stage: Stage) -> int:
    _, row = await call(client, key, "GET", _own(stage))
    purse: dict[str, int] = row["purses"]["FEN"]
    return purse["paid"] + purse["bonus"]


async def test_a_code_on_a_screen_is_made_once_a_key_renewed_and_taken_down_with_its_money(
    client: Client, stage: Stage
) -> None:
    key, at = key_of(stage), _own(stage)
    wanted = {"template_id": int(stage.own["template_id"]), "most": 2, "lot_id": int(stage.own["lot_id"])}
    before = await _purse(client, key, stage)

    answers = [await call(client, key, "POST", f"{at}/codes", wanted, "one") for _ in range(2)]
    held = await _purse(client, key, stage)
    batch = answers[0][1]["batch_id"]
    _, first = await call(client, key, "GET", f"{at}/batches/{batch}")
    fresh = await call(client, key, "POST", f"{at}/batches/{batch}/fresh", {})
    _, second = await call(client, key, "GET", f"{at}/batches/{batch}")
    closed = await call(client, key, "POST", f"{at}/batches/{batch}/close", {"reason": "over"})
    again = await call(client, key, "POST", f"{at}/batches/{batch}/fresh", {})
    _, batches = await call(client, key, "GET", f"{at}/batches?way=SCREEN")

    assert answers[0] == answers[1] == (201, {"batch_id": batch})
    assert (before - held, await _purse(client, key, stage)) == (500, before)
    assert [one["url"].startswith("HTTP://C.EXAMPLE/C/LC1") for one in first["coupons"]] == [True]
    assert (fresh[0], closed[0], again[0], again[1]["code"]) == (200, 200, 409, "batch_ended")
    assert {one["url"] for one in second["coupons"]} >= {""}
    assert first["coupons"][0]["url"] not in [one["url"] for one in second["coupons"]]
    assert [(row["batch_id"], row["total"], row["claimed"], row["why"]) for row in batches] == [(batch, 2, 0, "closed")]


async def test_addresses_of_papers_are_told_to_who_may_give_coupons_alone(client: Client, stage: Stage) -> None:
    reads, gives = key_of(stage, "read"), key_of(stage, "issue", merchant_id=int(stage.own["merchant_id"]))
    at = f"{_own(stage)}/batches/{stage.own['batch_id']}"

    seen = await call(client, reads, "GET", at)
    listed = await call(client, reads, "GET", f"{_own(stage)}/batches")
    _, told = await call(client, gives, "GET", at)
    theirs = await call(client, gives, "GET", f"{_own(stage)}/batches/{stage.neighbour['batch_id']}")

    assert (seen[0], theirs[0]) == (403, 404)
    assert "LC1" not in str(listed)
    assert [(one["state"], "/C/LC1" in one["url"]) for one in told["coupons"]] == [("PRINTED", True)] * 2


async def test_a_lot_is_asked_to_print_once_a_key_and_the_asking_is_listed(client: Client, stage: Stage) -> None:
    key, at = key_of(stage), f"{_own(stage)}/prints"
    wanted = {"template_id": int(stage.own["template_id"]), "count": 3}

    asked = [await call(client, key, "POST", at, wanted, "p1") for _ in range(2)]
    _, listed = await call(client, key, "GET", at)

    assert asked == [(202, {"done": True})] * 2
    assert [(one["count"], one["by"], one["result"]) for one in listed] == [(3, "key:1", "")]


async def test_a_poster_limits_its_template_and_gives_nothing_once_it_is_down(client: Client, stage: Stage) -> None:
    key, at = key_of(stage), _own(stage)
    wanted: dict[str, Any] = {"template_id": int(stage.own["template_id"]), "lot_id": int(stage.own["lot_id"])}

    uncapped = await call(client, key, "POST", f"{at}/posters", {**wanted, "name": "door"})
    _, made = await call(client, key, "POST", f"{at}/posters", {**wanted, "name": "door", "per_day": 2, "total": 9})
    _, limits = await call(client, key, "GET", f"{at}/templates/{stage.own['template_id']}/limits")
    _, up = await call(client, key, "GET", f"{at}/posters")
    down = await call(client, key, "POST", f"{at}/posters/{made['poster_id']}/down", {})
    theirs = await call(client, key, "POST", f"{at}/posters/{stage.neighbour['poster_id']}/down", {})
    _, after = await call(client, key, "GET", f"{at}/posters")

    assert (uncapped[0], uncapped[1]["code"]) == (409, "poster_without_cap")
    assert limits == {"no_repeat": False, "per_day": 2, "day_total": 0, "total": 9}
    assert [(one["name"], one["per_day"], one["url"][:19]) for one in up if one["poster_id"] == made["poster_id"]] == [
        ("door", 2, "http://c.example/p/")
    ]
    assert (down[0], theirs[0], theirs[1]["code"]) == (200, 409, "poster_unknown")
    assert {one["poster_id"]: one["url"] for one in after}[made["poster_id"]] == ""


async def test_limits_of_each_level_are_set_and_read_and_keep_to_what_one_person_may_refund(
    client: Client, stage: Stage
) -> None:
    key, most = key_of(stage), stage.cloud.settings.payments.refund_limit_fen
    lot, merchant = f"/lots/{stage.own['lot_id']}/limits", f"{_own(stage)}/limits"

    set_lot = await call(client, key, "POST", lot, {"per_day": 3, "late": "refund", "back_most_fen": most})
    beyond = await call(client, key, "POST", lot, {"late": "refund", "back_most_fen": most + 1})
    set_merchant = await call(client, key, "POST", merchant, {"one_per_stay": True})
    of_another_level = await call(client, key, "POST", merchant, {"total": 5})
    template = f"{_own(stage)}/templates/{stage.neighbour['template_id']}/limits"

    assert (set_lot[0], set_merchant[0], of_another_level[0]) == (200, 200, 422)
    assert (beyond[0], beyond[1]["code"]) == (409, "back_most_malformed")
    _, lots = await call(client, key, "GET", lot)
    assert (lots["per_day"], lots["late"], lots["back_most_fen"], lots["one_merchant"]) == (3, "refund", most, False)
    assert set(lots) == {*FIELDS[Level.LOT], *(each.name for each in fields(LotWays))}
    assert (await call(client, key, "GET", merchant))[1] == {"one_per_stay": True, "per_day": 0}
    assert (await call(client, key, "POST", template, {"total": 5}))[0] == 404
    assert (await call(client, key, "GET", f"/lots/{stage.stranger['lot_id']}/limits"))[0] == 404


async def test_a_plate_without_coupons_is_listed_masked_and_gets_them_again(client: Client, stage: Stage) -> None:
    key, reads = key_of(stage), key_of(stage, "read")
    reason = {"reason": "sold them"}

    _, made = await call(client, key, "POST", "/coupon-plates", {"plate": "京a 11111", **reason})
    give = {"merchant_id": int(stage.own["merchant_id"]), "template_id": int(stage.own["template_id"])}
    refused = await call(client, key, "POST", "/coupons", {**give, "plate": "京A11111"})
    _, masked = await call(client, reads, "GET", "/coupon-plates?q=11111")
    _, whole = await call(client, key, "GET", "/coupon-plates?q=11111")
    ended = await call(client, key, "POST", f"/coupon-plates/{made['blocked_id']}/end", reason)
    theirs = await call(client, key, "POST", f"/coupon-plates/{stage.stranger['blocked_id']}/end", reason)
    given = await call(client, key, "POST", "/coupons", {**give, "plate": "京A11111"})

    assert (refused[0], refused[1]["code"]) == (409, "plate_gets_no_coupons")
    assert all("·" in row["plate"] and "*" in row["plate"] for row in masked)
    assert len(masked) > 1, "who sees no plates looks for none"
    assert [row["plate"] for row in whole] == ["京A11111"]
    assert (ended[0], theirs[0], theirs[1]["code"], given[0]) == (200, 409, "blocked_unknown", 201)


async def test_a_number_somebody_shows_is_looked_up_and_not_another_operators(client: Client, stage: Stage) -> None:
    key, reads = key_of(stage), key_of(stage, "read")
    _, own = await call(client, key, "GET", "/coupons?q=11111")
    strangers = stage.cloud.db.run_here(
        lambda conn: conn.exec_driver_sql(
            "SELECT serial FROM coupon WHERE operator_id = 2 AND plate <> ''"
        ).scalar_one()
    )

    _, whole = await call(client, key, "GET", f"/coupons/check?q={own[0]['serial']}")
    _, masked = await call(client, reads, "GET", f"/coupons/check?q={own[0]['serial'].lower()}")
    theirs = await call(client, key, "GET", f"/coupons/check?q={strangers}")

    assert (whole["state"], whole["is_good"], whole["plate"], whole["value"]) == ("coupon.BOUND", True, "京A11111", 500)
    assert masked["plate"] == "京A·1***1"
    assert theirs[0] == 404


async def test_a_templates_small_print_is_set_and_told(client: Client, stage: Stage) -> None:
    key, at = key_of(stage), f"{_own(stage)}/templates"
    terms = {"weekdays": [0, 1], "hours": [[540, 1080]], "min_stay": 30, "max_minutes": 120, "uses": 5}
    body = {"name": "ten", "kind": "AMOUNT", "value": 1000, "before_entry": False}

    _, made = await call(client, key, "POST", at, body | {"terms": terms})
    odd = await call(client, key, "POST", at, body | {"terms": {"hours": [[540]]}})
    _, found = await call(client, key, "GET", at)

    (row,) = [each for each in found if each["template_id"] == made["template_id"]]
    assert (row["terms"], row["before_entry"]) == (terms, False)
    assert (odd[0], odd[1]["code"]) == (409, "terms_malformed")


async def test_a_code_for_the_driver_is_told_by_call_for_ones_own_coupons(client: Client, stage: Stage) -> None:
    key = key_of(stage, "issue", merchant_id=int(stage.own["merchant_id"]))

    _, told = await call(client, key, "POST", f"/coupons/{stage.own['coupon_id']}/driver", {})
    theirs = await call(client, key, "POST", f"/coupons/{stage.neighbour['coupon_id']}/driver", {})

    assert (len(told["code"]), told["plate"].count("*") > 0, theirs[0]) == (7, True, 409)
