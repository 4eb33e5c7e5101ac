"""The audit log on the page and as a file: what changed in words, sought, verified when asked."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import pytest

from cloud.access import audit
from cloud.access.audit_words import Difference, Reader
from cloud.access.tables import audit_head
from cloud.hooks import service as hooks
from cloud.lots import incidents
from cloud.members import blocking
from cloud.merchants import branches, contracts, ledger
from cloud.merchants import service as merchants
from cloud.merchants.branches import Plan
from cloud.sheets import read_xlsx
from cloud.web import named
from cloud.web.state import Cloud
from domain.contract import Terms
from domain.events import IncidentRaised
from domain.ledger import Commodity
from tests.cloud.test_pages import Browser, _again, browser, cloud, hashed, sign_in  # noqa: F401
from tests.cloud.test_words import CATALOGUE
from tests.cloud.world import NOW, World


def reader(language: str = "en", *, plates: bool = True) -> Reader:
    return Reader(CATALOGUE.speaking(language), ZoneInfo("Asia/Shanghai"), plates)


def newest(world: World) -> tuple[dict[str, object], dict[str, object]]:
    row = audit.listed(world.conn, world.operator_id).items[0]
    return json.loads(row["before"] or "{}"), json.loads(row["after"] or "{}")


def test_only_fields_that_differ_are_told_and_in_words() -> None:
    before = json.dumps({"enabled": True, "month_fen": 500, "remark": "a", "until_ms": NOW})
    after = json.dumps({"enabled": False, "month_fen": 1250, "remark": "a", "until_ms": None})

    changed = reader().differences(before, after)

    assert changed[:2] == [
        Difference("Enabled", "yes", "no"),
        Difference("Money a month", "¥5.00", "¥12.50"),
    ]
    assert [one.name for one in changed] == ["Enabled", "Money a month", "Until"]
    assert changed[2].after == ""
    assert reader("zh-CN").differences(before, after)[0] == Difference("启用", "是", "否")


def test_plates_are_masked_for_a_reader_without_the_right() -> None:
    values = json.dumps({"plate": "京A12345", "plates": ["粤B98765"]})

    assert [one.after for one in reader().differences("", values)] == ["京A12345", "粤B98765"]
    hidden = [one.after for one in reader(plates=False).differences("", values)]
    assert not {"京A12345", "粤B98765"} & set(hidden)
    assert all(hidden)


def test_fields_inside_fields_are_compared_one_by_one() -> None:
    changed = reader().differences('{"x":{"fen":100,"same":1}}', '{"x":{"fen":200,"same":1}}')

    assert changed == [Difference("x · Money", "¥1.00", "¥2.00")]


def test_codes_are_words_a_coupons_money_is_yuan_and_every_field_has_a_name() -> None:
    product = json.dumps({"kind": "AMOUNT", "value": 500, "unit_fen": 400, "max_purchasable": 10, "meaning": "end"})
    access = json.dumps({"scopes": "read money", "facts": ["coupon.issued", "topup"], "role": "attendant"})
    settled = json.dumps({"payment_mode": "PREPAID", "kind": "monthly", "when_full": "ask"})

    told = [one for text in (product, access, settled) for one in reader("zh-CN").differences("", text)]

    assert [one.after for one in told] == [
        "金额券", "¥5.00", "¥4.00", "10", "从停车末尾减去", "查看（车牌打码） · 资金：充值、退款、价格、账单",
        "优惠券已派发 · 商户充值", "收费员", "预付费", "月租车", "询问岗亭",
    ]  # fmt: skip
    assert all(not one.name.isascii() for one in told)
    assert named.subject(reader("zh-CN").t, "parked") == "挂起的事件"


def test_acts_record_what_was_before(world: World) -> None:
    conn, merchant_id = world.conn, world.merchant_id

    merchants.set_enabled(conn, world.act(), merchant_id, enabled=False)
    assert newest(world) == ({"enabled": True}, {"enabled": False})
    merchants.set_enabled(conn, world.act(), merchant_id, enabled=True)
    assert newest(world) == ({"enabled": False}, {"enabled": True})

    held = ledger.purse(conn, merchant_id, Commodity.FEN)
    merchants.top_up(conn, world.act(), merchant_id, Commodity.FEN, 700, 30, "")
    before, after = newest(world)
    assert before == {"balance": held.paid, "bonus_balance": held.bonus}
    assert (after["balance"], after["bonus_balance"]) == (held.paid + 700, held.bonus + 30)
    merchants.refund(conn, world.act(), merchant_id, Commodity.FEN, 200, "")
    before, after = newest(world)
    assert (before["balance"], after["balance"]) == (held.paid + 700, held.paid + 500)

    contracts.set_contract(conn, world.act(), merchant_id, world.lot_id, Terms(amount_percent=80))
    contracts.set_contract(conn, world.act(), merchant_id, world.lot_id, Terms(amount_percent=70))
    before, after = newest(world)
    assert (before["amount_percent"], after["amount_percent"]) == (80, 70)


def test_what_is_ended_says_what_it_was(world: World) -> None:
    conn = world.conn
    world.apply(IncidentRaised("tailgate", "out", "two cars"))
    incident = incidents.incidents(conn, world.operator_id, only_open=True).items[0]["incident_id"]
    assert incidents.close_incident(conn, world.act(), incident, "seen") is None
    assert newest(world) == ({"incident": "tailgate", "detail": "two cars"}, {})

    blocked = blocking.block(conn, world.act(), "京A12345", "theft")
    assert isinstance(blocked, int), blocked
    assert blocking.unblock(conn, world.act(), blocked, "mistaken") is None
    assert newest(world) == ({"plate": "京A·1***5", "lot_id": None}, {})

    branch = branches.add(conn, world.act(), world.merchant_id, Plan("north door", own_purse=True))
    assert isinstance(branch, int), branch
    assert branches.fill(conn, world.act(), branch, Commodity.FEN, 700) is None
    before, after = newest(world)
    assert (before, after["balance"], after["branch_balance"]) == (
        {"balance": 12_000, "branch_balance": 0}, 11_300, 700,
    )  # fmt: skip


def test_a_hook_switched_off_says_so_on_both_sides(world: World) -> None:
    made = hooks.create(world.conn, world.act(), "https://example.com/hear", ["coupon.issued"])
    assert isinstance(made, hooks.Made), made
    hooks.switch(world.conn, world.act(), made.hook_id, on=False)

    before, after = newest(world)
    assert (before["on"], after["on"]) == (True, False)


def test_the_log_is_sought_by_person_words_and_day(world: World) -> None:
    merchants.set_remark(world.conn, world.act("li%"), world.merchant_id, "x")
    words = reader()

    def acts(sought: audit.Sought) -> list[str]:
        return [row["act"] for row in audit.listed(world.conn, world.operator_id, sought).items]

    assert acts(audit.Sought(who="li%")) == ["merchant.remarked"]
    assert acts(audit.Sought(who="%")) == ["merchant.remarked"], "what is typed is no pattern"
    typed = words.act("merchant.remarked")
    assert acts(audit.Sought(what=typed, acts=words.acts_like(typed))) == ["merchant.remarked"]
    assert acts(audit.Sought(from_ms=world.now_ms + 1)) == []
    assert acts(audit.Sought(until_ms=world.now_ms - 10**9)) == []


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_the_page_shows_both_sides_and_verifies_only_when_asked(
    browser: Browser,  # noqa: F811
    cloud: Cloud,  # noqa: F811
    language: str,
) -> None:
    def change(world: World) -> None:
        merchants.set_remark(world.conn, world.act(), world.merchant_id, "=first")
        merchants.set_remark(world.conn, world.act(), world.merchant_id, "=second")

    cloud.db.run_here(lambda conn: change(_again(conn, cloud)))
    await sign_in(browser, "admin")
    cookies = {"lg_lang": language}
    whole = CATALOGUE.text(language, "audit.whole")

    shown = await (await browser.get("/admin/audit", cookies=cookies)).text()
    assert "<del>=first</del>" in shown
    assert "<ins>=second</ins>" in shown
    assert whole not in shown
    assert whole in await (await browser.get("/admin/audit?check=1", cookies=cookies)).text()
    assert "=first" not in await (await browser.get("/admin/audit?by=nobody", cookies=cookies)).text()

    sheet = read_xlsx(await (await browser.get("/admin/audit.xlsx", cookies=cookies)).read(), 3, 8)
    name = CATALOGUE.text(language, "recorded.remark")
    assert sheet[0][6:] == (CATALOGUE.text(language, "col.before"), CATALOGUE.text(language, "col.after"))
    assert sheet[1][6:] == (f"{name}: =first", f"{name}: =second")

    cloud.db.run_here(lambda conn: conn.execute(audit_head.update().values(audit_id=99)))
    broken = await (await browser.get("/admin/audit?check=1", cookies=cookies)).text()
    assert whole not in broken


async def test_only_who_may_see_the_log_gets_its_file(browser: Browser, cloud: Cloud) -> None:  # noqa: F811
    await sign_in(browser, "finance")

    assert (await browser.get("/admin/audit.csv")).status == 403
