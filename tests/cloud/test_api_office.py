"""Orders, refunds, invoices, days, arrears, people, booths and records, through the machine interface."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from cloud.act import Refused
from cloud.payments import refunds
from cloud.payments.settings import PaymentSettings
from tests.cloud.calling import Client, call, key_of
from tests.cloud.stage import THEIR_PLATE, Stage


async def test_an_order_is_read_with_its_tries_and_by_its_own_merchant_alone(client: Client, stage: Stage) -> None:
    key, mine = key_of(stage), key_of(stage, "read", merchant_id=int(stage.own["merchant_id"]))

    _, listed = await call(client, key, "GET", "/orders?state=paid&purpose=topup")
    _, own = await call(client, mine, "GET", f"/orders/{stage.own['order_id']}")
    others = [
        (await call(client, mine, "GET", f"/orders/{stage.neighbour['order_id']}"))[0],
        (await call(client, key, "GET", f"/orders/{stage.stranger['order_id']}"))[0],
        (await call(client, mine, "GET", "/orders"))[0],
    ]

    assert {row["order_id"] for row in listed} == {stage.own["order_id"], stage.neighbour["order_id"]}
    assert [(one["paid_fen"], one["left_fen"]) for one in own["tries"]] == [(900, 900)]
    assert [one["state"] for one in own["refunds"]] == ["failed"]
    assert others == [404, 404, 403]


async def test_a_refund_is_asked_for_once_a_key_and_above_the_limit_no_program_agrees(
    client: Client, stage: Stage
) -> None:
    object.__setattr__(stage.cloud.settings, "payments", PaymentSettings(refund_limit_fen=500))
    key, at = key_of(stage), f"/orders/{stage.own['order_id']}/refunds"

    small = [await call(client, key, "POST", at, {"amount_fen": 200, "reason": "x"}, "r1") for _ in range(2)]
    large = await call(client, key, "POST", at, {"amount_fen": 600, "reason": "y"})
    _, order = await call(client, key, "GET", f"/orders/{stage.own['order_id']}")
    _, waiting = await call(client, key, "GET", "/refunds")
    asked = next(one["refund_id"] for one in waiting if one["state"] == "asked")
    again = await call(client, key, "POST", f"/refunds/{stage.own['refund_id']}/again", {})
    agreed = await call(client, key, "POST", f"/refunds/{asked}/decide", {"agreed": True})
    by_its_maker = stage.cloud.db.run_here(refunds.decide, stage.cloud.act("admin"), asked, agreed=True)
    by_another = stage.cloud.db.run_here(refunds.decide, stage.cloud.act("finance"), asked, agreed=True)

    assert small == [(200, {"done": True})] * 2
    assert (large[0], again[0], agreed[0]) == (200, 200, 404)
    assert (by_its_maker, by_another) == (Refused("refund_needs_another"), None)
    assert sorted((one["amount_fen"], one["state"]) for one in order["refunds"]) == [
        (100, "failed"), (200, "due"), (600, "asked"),
    ]  # fmt: skip


async def test_invoices_differences_and_accounts_are_worked_through(client: Client, stage: Stage) -> None:
    key, reads = key_of(stage), key_of(stage, "read")
    invoice, day = f"/invoices/{stage.own['invoice_id']}", f"/day-differences/{stage.own['difference_id']}/close"

    _, bills = await call(client, reads, "GET", "/bill-differences")
    bill = f"/bill-differences/{bills[0]['difference_id']}/close"
    statuses = [
        (await call(client, reads, "GET", "/invoices"))[0],
        (await call(client, key, "GET", "/invoices?state=requested"))[0],
        (await call(client, key, "POST", f"{invoice}/issue", {"number": "044001"}))[0],
        (await call(client, key, "POST", f"{invoice}/refuse", {"reason": "x"}))[0],
        (await call(client, key, "POST", f"{invoice}/reverse", {"number": "044002"}))[0],
        (await call(client, key, "POST", day, {"reason": "counted again"}))[0],
        (await call(client, key, "POST", day, {"reason": "counted again"}))[0],
        (await call(client, key, "POST", bill, {"reason": "came late"}))[0],
    ]
    _, days = await call(client, reads, "GET", "/days")
    _, closed = await call(client, reads, "GET", "/day-differences?all=true")
    made = await call(client, key, "POST", "/days", {"lot_id": int(stage.own["lot_id"]), "day": "2026-05-01"})
    never = await call(client, key, "POST", "/days", {"lot_id": int(stage.own["lot_id"]), "day": "9999-12-31"})

    assert statuses == [403, 200, 200, 409, 200, 200, 409, 200]
    laid = {day["day"]: day["open"] for day in days}
    own, next_door = (f"2026-01-{int(whose['merchant_id']):02}" for whose in (stage.own, stage.neighbour))
    assert (laid[own], laid[next_door]) == (0, 1)
    assert {row["reason"] for row in closed} == {"", "counted again"}
    assert (made[0], never[0], never[1]["code"]) == (200, 409, "day_malformed")


async def test_a_merchants_program_asks_for_the_invoice_of_what_it_paid_once(client: Client, stage: Stage) -> None:
    mine = key_of(stage, "read", "buy", merchant_id=int(stage.own["merchant_id"]))
    at, wanted = f"/orders/{stage.own['order_id']}/invoice", {"title": "面馆", "email": "a@b.cn"}
    at_theirs = f"/orders/{stage.neighbour['order_id']}/invoice"

    there = await call(client, mine, "POST", at, wanted)
    await call(client, key_of(stage), "POST", f"/invoices/{stage.own['invoice_id']}/refuse", {"reason": "wrong title"})
    asked = [await call(client, mine, "POST", at, wanted, "i1") for _ in range(2)]
    theirs = await call(client, mine, "POST", at_theirs, wanted)
    _, paid = await call(client, mine, "GET", f"/merchants/{stage.own['merchant_id']}/payments")

    assert (there[0], there[1]["code"], theirs[0]) == (409, "invoice_there", 404)
    assert asked[0] == asked[1]
    assert [(row["order_id"], row["invoice"]["invoice_id"], row["invoice"]["state"]) for row in paid] == [
        (stage.own["order_id"], asked[0][1]["invoice_id"], "requested")
    ]


async def test_an_account_takes_the_money_of_a_lot_of_its_own_operator(client: Client, stage: Stage) -> None:
    key = key_of(stage)
    _, accounts = await call(client, key, "GET", "/pay-accounts")
    wanted = {"purpose": "fee", "provider": "wechat", "account_id": accounts[0]["account_id"]}

    taken = await call(client, key, "POST", "/pay-accounts", {**wanted, "lot_id": int(stage.own["lot_id"])})
    strange = await call(client, key, "POST", "/pay-accounts", {**wanted, "lot_id": int(stage.stranger["lot_id"])})
    _, after = await call(client, key, "GET", "/pay-accounts")

    assert (taken[0], strange[0], strange[1]["code"]) == (200, 409, "lot_unknown")
    assert {"lot_id": int(stage.own["lot_id"]), "purpose": "fee"} in after[0]["takes"]


async def test_somebody_is_let_in_changed_extended_and_ended(client: Client, stage: Stage) -> None:
    key, masked = key_of(stage), key_of(stage, "people")
    lot = {"lot_id": int(stage.own["lot_id"])}
    terms = {"kind": "monthly", "name": "王", "plates": ["京a 55555"], "zones": [lot], "phone": "13800000001"}
    month = {"begins_ms": 1_780_000_000_000, "ends_ms": 1_782_000_000_000}

    status, made = await call(client, key, "POST", "/people", {**terms, **month})
    one = f"/people/{made['person_id']}"
    hours = {"windows": [{"from_min": 540, "to_min": 1080, "weekdays": [0, 4]}]}
    changed = await call(client, key, "POST", one, {**terms, **month, **hours, "places": 1})
    _, seen = await call(client, masked, "GET", one)
    _, whole = await call(client, key, "GET", "/people?q=55555&kind=monthly&state=live")
    orders = [await call(client, key, "POST", f"{one}/months", {}, "m1") for _ in range(2)]
    nowhere = await call(
        client, key, "POST", "/people", {**terms, "zones": [{"lot_id": int(stage.stranger["lot_id"])}]}
    )
    ended = [(await call(client, key, "POST", f"{one}/end", {"reason": "moved"}))[0] for _ in range(2)]
    theirs = await call(client, key, "GET", f"/people/{stage.stranger['person_id']}")

    assert (status, changed[0], theirs[0]) == (201, 200, 404)
    assert (seen["plates"], seen["phone"], seen["windows"]) == (["京A·5***5"], "", hours["windows"])
    assert [(row["plates"], row["phone"], row["places"]) for row in whole] == [(["京A55555"], "13800000001", 1)]
    assert orders[0] == orders[1]
    assert (orders[0][0], orders[0][1]["amount_fen"]) == (201, 30_000)
    assert (nowhere[0], nowhere[1]["code"], ended) == (409, "zone_unknown", [200, 409])


async def test_a_plate_is_kept_out_and_let_in_again(client: Client, stage: Stage) -> None:
    key, masked = key_of(stage), key_of(stage, "people")

    _, made = await call(client, key, "POST", "/blocked-plates", {"plate": "京A77777", "reason": "hit the arm"})
    twice = await call(client, key, "POST", "/blocked-plates", {"plate": "京A77777", "reason": "again"})
    _, seen = await call(client, masked, "GET", "/blocked-plates?q=77777")
    ended = await call(client, key, "POST", f"/blocked-plates/{made['block_id']}/end", {"reason": "paid"})
    _, after = await call(client, key, "GET", "/blocked-plates?q=77777")
    theirs = await call(client, key, "POST", f"/blocked-plates/{stage.stranger['block_id']}/end", {"reason": "x"})

    assert (twice[0], twice[1]["code"]) == (409, "plate_blocked_already")
    assert all("*" in row["plate"] for row in seen)
    assert (ended[0], after, theirs[0]) == (200, [], 409)


async def test_a_month_costs_what_was_set(client: Client, stage: Stage) -> None:
    key = key_of(stage)

    set_it = await call(client, key, "POST", f"/lots/{stage.own['lot_id']}/pass-price", {"month_fen": 45_000})
    strange = await call(client, key, "POST", f"/lots/{stage.stranger['lot_id']}/pass-price", {"month_fen": 1})
    _, prices = await call(client, key, "GET", "/pass-prices")

    assert (set_it[0], strange[0]) == (200, 409)
    assert prices == [{"lot_id": int(stage.own["lot_id"]), "month_fen": 45_000}]


async def test_somebody_signs_in_at_booths_by_a_pin_told_once(client: Client, stage: Stage) -> None:
    key, reads = key_of(stage), key_of(stage, "read")
    wanted = {"name": "老李", "role": "attendant", "lot_id": int(stage.own["lot_id"])}

    status, made = await call(client, key, "POST", "/booth-people", wanted)
    one = f"/booth-people/{made['booth_person_id']}"
    _, reset = await call(client, key, "POST", f"{one}/pin", {})
    _, people = await call(client, key, "GET", "/booth-people")
    ended = [(await call(client, key, "POST", f"{one}/end", {}))[0] for _ in range(2)]

    assert (status, made["pin"].isdigit(), reset["pin"] != made["pin"]) == (201, True, True)
    assert "老李" in {row["name"] for row in people}
    assert (await call(client, reads, "GET", "/booth-people"))[0] == 403
    assert ended == [200, 409]


async def test_cars_that_left_are_listed_by_their_time_at_ones_own_lots(client: Client, stage: Stage) -> None:
    def leave(conn: Connection) -> None:
        for stay_id, left_ms in (("s-own", 1_780_000_100_000), ("s-strange", 1_780_000_100_000)):
            conn.exec_driver_sql(f"UPDATE stay SET left_ms = {left_ms} WHERE stay_id = '{stay_id}'")  # noqa: S608

    stage.cloud.db.run_here(leave)
    _, whole = await call(client, key_of(stage), "GET", "/cars/gone?q=11111&from_ms=1780000000000")
    _, masked = await call(client, key_of(stage, "read"), "GET", "/cars/gone?q=22222")
    _, before = await call(client, key_of(stage), "GET", "/cars/gone?until_ms=1780000000000")

    assert [(row["stay_id"], row["plate"]) for row in whole] == [("s-own", "京A11111")]
    assert ([(row["stay_id"], row["plate"]) for row in masked], before) == ([("s-own", "京A·1***1")], [])


@pytest.mark.parametrize("path", ["/arrears", "/arrears/{debt_id}", "/booth-visitors", "/excused-stays"])
async def test_a_plate_is_shown_in_full_with_the_scope_alone(client: Client, stage: Stage, path: str) -> None:
    address = path.format(**stage.own)

    _, masked = await call(client, key_of(stage, "read", "people"), "GET", address)
    _, whole = await call(client, key_of(stage, "read", "people", "plates"), "GET", address)

    assert "京A33333" not in str(masked)
    assert "京A·3***3" in str(masked)
    assert "京A33333" in str(whole)
    assert THEIR_PLATE not in str(whole)


async def test_a_debt_tells_what_became_of_it(client: Client, stage: Stage) -> None:
    key = key_of(stage)

    _, debt = await call(client, key, "GET", f"/arrears/{stage.own['debt_id']}")
    theirs = await call(client, key, "GET", f"/arrears/{stage.stranger['debt_id']}")

    assert (debt["owed_fen"], debt["left_fen"], [move["kind"] for move in debt["moves"]]) == (700, 500, ["paid"])
    assert theirs[0] == 404


async def test_who_did_what_is_told_to_auditors_and_what_changed_to_who_may_see_plates(
    client: Client, stage: Stage
) -> None:
    reads, audits = key_of(stage, "read"), key_of(stage, "audit")

    refused = await call(client, reads, "GET", "/audit")
    _, seen = await call(client, audits, "GET", "/audit?q=poster.put_up&by=admin")
    _, whole = await call(client, key_of(stage), "GET", "/audit?q=poster.put_up&by=admin")

    assert refused[0] == 403
    assert {(row["act"], row["after"]) for row in seen} == {("poster.put_up", "")}
    assert all('"poster":' in row["after"] for row in whole)


async def test_records_and_figures_are_those_of_the_pages(client: Client, stage: Stage) -> None:
    key, mine = key_of(stage), key_of(stage, "read", merchant_id=int(stage.own["merchant_id"]))

    _, usage = await call(client, key, "GET", f"/records/usage?state=BOUND&merchant_id={stage.own['merchant_id']}")
    _, own = await call(client, mine, "GET", "/records/usage?kind=AMOUNT")
    theirs = await call(client, mine, "GET", f"/records/usage?merchant_id={stage.neighbour['merchant_id']}")
    _, figures = await call(client, key, "GET", "/reports/coupons?from=2026-05-01&to=2026-06-30")
    odd = await call(client, key, "GET", "/reports/coupons?from=2026-02-31")
    _, often = await call(client, key_of(stage, "read"), "GET", "/reports/often?least=1&by_staff=true&month=2026-05")

    assert [(row["coupon_id"], row["plate"]) for row in usage] == [(stage.own["coupon_id"], "京A11111")]
    assert usage[0]["entered_ms"] is not None
    assert {row["merchant_id"] for row in own} == {int(stage.own["merchant_id"])}
    assert (theirs[0], odd[0], odd[1]["code"]) == (404, 409, "day_malformed")
    assert (figures["funnel"]["issued"] >= 2, figures["from"]) == (True, "2026-05-01")
    assert {(row["by"], "*" in row["plate"]) for row in often} == {("admin", True)}


async def test_a_shift_and_an_incident_are_read_and_the_incident_closed(client: Client, stage: Stage) -> None:
    key, incident = key_of(stage), f"/incidents/{stage.own['incident_id']}/close"

    _, shifts = await call(client, key, "GET", "/shifts")
    _, shift = await call(client, key, "GET", f"/shifts/{stage.own['shift_id']}")
    closed = [(await call(client, key, "POST", incident, {"reason": "seen"}))[0] for _ in range(2)]
    theirs = await call(client, key, "POST", f"/incidents/{stage.stranger['incident_id']}/close", {"reason": "x"})

    assert stage.own["shift_id"] in {row["shift_id"] for row in shifts}
    assert (shift["stands"], closed, theirs[0]) == (False, [200, 409], 409)
