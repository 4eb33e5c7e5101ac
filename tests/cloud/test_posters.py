"""Posters: one code for many drivers, never more than its caps, on a page that asks for the plate alone (E11)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from cloud.access import staff
from cloud.access.staff import Daily
from cloud.act import Refused
from cloud.coupons import history, posters, rules, wallets
from cloud.coupons import service as coupons
from cloud.coupons.posters import Taken
from cloud.coupons.tables import coupon_poster
from cloud.sync.channels import rows_of
from cloud.web.state import Cloud
from domain.coupon.limits import Level, Limits
from domain.coupon.terms import Terms
from tests.cloud.test_pages import Browser, browser, cloud, hashed, token_in
from tests.cloud.world import World

__all__ = ["browser", "cloud", "hashed"]  # fixtures


def put_up(world: World, template: int, **caps: Any) -> int | Refused:
    limits = Limits(**({"per_day": 1} | caps))
    return posters.put_up(world.conn, world.act("m"), world.merchant_id, template, world.lot_id, "till", limits)


def code_of(world: World, poster_id: int | Refused) -> str:
    assert isinstance(poster_id, int), poster_id
    of = coupon_poster.c.poster_id == poster_id
    return str(world.conn.execute(select(coupon_poster.c.code).where(of)).scalar_one())


def take(world: World, code: str, plate: str, phone: str = "a phone's own secret") -> Taken | Refused:
    return posters.take(world.conn, world.act("driver"), code, plate, phone)


def test_cars_inside_and_still_to_come_get_one_each_and_two_taps_are_one(world: World) -> None:
    world.car("s1")
    code = code_of(world, put_up(world, world.template()))

    inside, again, later = (take(world, code, plate) for plate in ("京A12345", "京A12345", "京B12345"))

    assert isinstance(inside, Taken)
    assert again == replace(inside, wallet_code="")
    assert isinstance(later, Taken)
    told = {row["plate"]: row["stay_id"] for _, row in rows_of(world.conn, world.edge_id, "coupons")}
    assert told == {"京A12345": "s1", "京B12345": ""}
    assert world.accounts()["outstanding"] == 1000


def test_a_poster_of_a_coupon_for_cars_inside_gives_none_before(world: World) -> None:
    template = coupons.create_template(
        world.conn, world.act(), world.merchant_id, "t", "AMOUNT", 500, before_entry=False
    )
    assert isinstance(template, int)

    assert take(world, code_of(world, put_up(world, template)), "京A12345") == Refused("claim_not_inside")


def test_a_poster_stops_at_its_total(world: World) -> None:
    code = code_of(world, put_up(world, world.template(), total=2))

    made = [take(world, code, f"京A1234{number}") for number in range(3)]

    assert [isinstance(one, Taken) for one in made] == [True, True, False]
    assert made[2] == Refused("all_taken")


def test_a_poster_never_loosens_what_the_operator_set(world: World) -> None:
    template = world.template()
    rules.set_limits(world.conn, world.act(), Level.COUPON, template, Limits(per_day=1, day_total=5))

    put_up(world, template, per_day=3, day_total=0, total=9)

    assert rules.limits(world.conn, Level.COUPON, template) == Limits(per_day=1, day_total=5, total=9)


def test_a_poster_taken_down_or_of_a_deleted_template_gives_nothing(world: World) -> None:
    template = world.template()
    first, second = put_up(world, template), put_up(world, template)
    codes = [code_of(world, one) for one in (first, second)]
    assert isinstance(first, int)
    posters.take_down(world.conn, world.act(), world.merchant_id, first)
    down = take(world, codes[0], "京A12345")
    coupons.delete_template(world.conn, world.act(), world.merchant_id, template)

    assert [down, take(world, codes[1], "京A12345")] == [Refused("poster_unknown")] * 2
    assert take(world, "NOTACODE", "京A12345") == Refused("poster_unknown")


@pytest.mark.parametrize(
    ("kind", "value", "uses", "caps", "code"),
    [
        ("AMOUNT_CUSTOM", 0, 1, {}, "poster_kind"),
        ("AMOUNT", 500, 2, {}, "poster_kind"),
        ("AMOUNT", 500, 1, {"per_day": 0}, "poster_without_cap"),
    ],
)
def test_posters_that_cannot_be_are_refused(
    world: World, kind: str, value: int, uses: int, caps: dict[str, Any], code: str
) -> None:
    terms = Terms(uses=uses)
    template = coupons.create_template(world.conn, world.act(), world.merchant_id, "t", kind, value, terms=terms)
    assert isinstance(template, int)

    assert put_up(world, template, **caps) == Refused(code)


def test_what_a_poster_gave_is_among_the_phones_own_coupons_and_nobody_elses(world: World) -> None:
    code = code_of(world, put_up(world, world.template()))
    made = take(world, code, "京A12345", "one phone's secret")
    again = take(world, code, "京A12345", "another one's secret")
    assert isinstance(made, Taken)
    assert isinstance(again, Taken)

    own, others = (
        [one["serial"] for one in wallets.of_phone(world.conn, world.operator_id, phone, world.now_ms)]
        for phone in ("one phone's secret", "another one's secret")
    )

    assert (own, others) == ([made.serial], [])
    assert (bool(made.wallet_code), again.wallet_code) == (True, "")
    steps = history.of(world.conn, world.operator_id, made.coupon_id, world.merchant_id)
    assert steps is not None
    assert [(step.what, step.by) for step in steps[1]] == [("made_direct", "m"), ("bound", "driver")]


def test_a_poster_of_staff_gives_no_more_than_they_may(world: World) -> None:
    account = staff.create(world.conn, world.act(), world.merchant_id, "123456789", "小李", "h", Daily(coupons=1))
    assert isinstance(account, staff.Account)
    limits = Limits(per_day=1)
    made = posters.put_up(
        world.conn, world.act(account.login), world.merchant_id, world.template(), world.lot_id, "till", limits
    )
    code = code_of(world, made)

    first, second = (take(world, code, plate) for plate in ("京A12345", "京B12345"))

    assert isinstance(first, Taken)
    assert second == Refused("all_taken_today")
    assert posters.listed(world.conn, world.operator_id, world.merchant_id, "somebody else") == []
    assert posters.take_down(world.conn, world.act(), world.merchant_id, int(str(made)), "somebody else") == Refused(
        "poster_unknown"
    )


async def test_a_driver_types_the_plate_sees_it_once_more_and_has_the_coupon(browser: Browser, cloud: Cloud) -> None:
    def prepare(conn: Any) -> str:
        world = World(conn, cloud.operator_id, 1, merchant_id=1)
        return code_of(world, put_up(world, world.template()))

    at = f"/p/{cloud.db.run_here(prepare).lower()}"
    page = await (await browser.get(at)).text()
    asked = await browser.post(at, data={"csrf_token": token_in(page), "text": "京a·12345"})
    confirm = await asked.text()
    done = await browser.post(at, data={"csrf_token": token_in(confirm), "text": "京A12345", "step": "bind"})
    mine = await (await browser.get("/c/mine")).text()

    assert "¥5.00" in page
    assert "京A" in re.sub(r"<[^>]+>", "", confirm)
    assert (done.status, "绑定成功" in await done.text()) == (200, True)
    assert "京A12345" in mine
    wrong = await browser.post(at, data={"csrf_token": token_in(page), "text": "hello"})
    assert wrong.status == 422
    assert (await browser.get("/p/NOTACODE")).status == 404
