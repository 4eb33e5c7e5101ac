"""What the operator's people add to the town: accounts, lists, the shop, money, shifts, arrears, hooks."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from cloud.access import accounts, keys, staff
from cloud.access import service as access
from cloud.access.roles import Role
from cloud.booth import people as booth_people
from cloud.coupons import plates
from cloud.coupons.tables import coupon
from cloud.fees import service as fees
from cloud.hooks import service as hooks
from cloud.hooks.tables import hook_message
from cloud.lots import remote
from cloud.members import blocking, extending
from cloud.members import service as members
from cloud.members.terms import Terms
from cloud.merchants import branches, paying_back
from cloud.merchants import service as merchants
from cloud.paid import DUTIES
from cloud.payments import bills, giving_back, invoices, orders, paying_out
from cloud.payments.orders import PayOrder, Wanted
from cloud.payments.provider import BillLine
from cloud.reconciling import service as reconciling
from cloud.shop import buying, products, suggesting
from cloud.shop.products import Product
from domain import events, fee_quote
from domain.entitlement import Grant, WhenFull
from domain.fee_quote import FeeQuote
from domain.ledger import Commodity
from plumbing.sealing import SealKey
from scripts.gallery.cloud_town import ACCOUNT, CARS, DAY, HOUR, MINUTE, NOON, NORTH, PAPER_KEY, Town, sure
from tests.cloud.paying import begun, pay


def staffed(town: Town, hashed: str) -> None:
    """One account of every kind, all with the same password."""
    conn, act = town.conn, town.act("li.wei")
    shop = town.merchant_id
    for login, name, role in (
        ("li.wei", "李薇", Role.ADMIN), ("zhao.min", "赵敏", Role.FINANCE), ("guest", "只读账号", Role.READ_ONLY),
        ("checker", "核销台", Role.VERIFIER),
    ):  # fmt: skip
        access.create_user(conn, act, login, name, role, hashed)
    access.create_user(conn, act, ACCOUNT, "山城咖啡", Role.MERCHANT, hashed, shop)
    if town.lot_id:
        sure(accounts.create(conn, act, "sun.hao", "孙浩", Role.LOT_MANAGER, hashed, [town.lot_id]))
    conn.exec_driver_sql("UPDATE app_user SET must_change = false")


def furnish(town: Town, hashed: str) -> None:
    """All of it, on the afternoon the pictures are taken."""
    staffed(town, hashed)
    for part in (_people, _shop_staff, _shop, _money, _fees, _shifts, _owing, _programs):
        part(town, hashed)
    town.now_ms = NOON + HOUR
    for name, state in (("serial", "BOUND"), ("used_serial", "REDEEMED")):
        found = select(coupon.c.serial).where(coupon.c.state == state, coupon.c.expires_ms > town.now_ms).limit(1)
        town.names[name] = town.conn.execute(found).scalar_one()


def _people(town: Town, hashed: str) -> None:
    conn, act, lot = town.conn, town.act("li.wei"), town.lot_id
    wanted = (
        Terms(Grant.MONTHLY, "陈建国", ("沪A8B0D1", "沪AD12345"), ((lot, ""),), "13800000021", places=1,
              begins_ms=NOON - 60 * DAY, ends_ms=NOON + 5 * DAY, grace_days=3, remark="三号楼 1201"),
        Terms(Grant.MONTHLY, "周晓芸", ("沪K30B18",), ((lot, "地下一层"),), begins_ms=NOON - 20 * DAY,
              ends_ms=NOON + 160 * DAY, when_full=WhenFull.ASK, windows=((1200, 480, (0, 1, 2, 3, 4)),)),
        Terms(Grant.MONTHLY, "旧合同 吴先生", ("沪C8T473",), ((lot, ""),), begins_ms=NOON - 400 * DAY,
              ends_ms=NOON - 35 * DAY),
        Terms(Grant.STAFF, "物业工程部", ("沪D55T02", "沪E2210L"), ((lot, ""),)),
        Terms(Grant.VISITOR, "供应商送货", ("苏A9K77P",), ((lot, ""),), host="山城咖啡", begins_ms=NOON - DAY,
              ends_ms=NOON + DAY),
    )  # fmt: skip
    numbers = [sure(members.add(conn, act, one)) for one in wanted]
    sure(members.end(conn, act, numbers[2], "合同到期不续"))
    town.names["number"] = str(numbers[0])
    sure(blocking.block(conn, act, "沪C8T473", "多次逃费，须先补缴", None, NOON + 90 * DAY))
    ended = sure(blocking.block(conn, act, "浙C72H95", "冒用访客身份"))
    sure(blocking.unblock(conn, act, ended, "已核实，误登记"))
    sure(plates.block(conn, act, "鲁K6M204", "一天领取 9 张券"))
    town.hears(events.VisitorAdded("v1", "粤B4X916", "302 室", NOON, NOON + 9 * HOUR, "王芳"), 20)
    town.hears(events.VisitorAdded("v2", "京N7P263", "物业办公室", NOON - HOUR, NOON + 4 * HOUR, "李强"), 50)
    for number, (why, detail, plate, fen) in enumerate(
        (
            ("free_kind", "police", "沪A1234警", 0),
            ("waived", "complaint", CARS[4], 700),
            ("covered", "monthly", CARS[9], 0),
        )
    ):
        by = "王芳" if fen else ""
        town.hears(events.StayExcused(f"x{number}", NORTH[2], plate, why, detail, by, fen, f"d-x{number}"), 40 - number)
    box = SealKey.of(PAPER_KEY)
    for name, role, where in (("王芳", "attendant", lot), ("李强", "attendant", None), ("王主管", "supervisor", None)):
        town.names["person"] = str(sure(booth_people.add(conn, act, box, name, role, where, hashed)))
    sure(remote.open_barrier(conn, act, lot, NORTH[2], "救护车进出"))
    town.hears(events.CommandDone(1, "opened"))


def _shop_staff(town: Town, hashed: str) -> None:
    conn, act = town.conn, town.act(ACCOUNT)
    for name, daily in (("小李", staff.Daily(30, 30_000)), ("小赵", staff.Daily())):
        sure(staff.create(conn, act, town.merchant_id, ACCOUNT, name, hashed, daily))
    last = staff.listed(conn, town.operator_id, town.merchant_id)[-1]["user_id"]
    sure(staff.set_enabled(conn, act, town.merchant_id, last, enabled=False))
    sure(branches.admit(town.conn, town.act("li.wei"), ACCOUNT, town.merchant_id, 1))


def _shop(town: Town, _hashed: str) -> None:
    conn, act = town.conn, town.act("zhao.min")
    numbers = [
        sure(products.offer(conn, act, Product(*one)))
        for one in (
            ("5 元停车券", "AMOUNT", 500, 400, 100, 12), ("2 小时停车券", "DURATION", 120, 900, 500, 6, town.lot_id),
            ("全天免费券", "FULL_WAIVER", 0, 2_500, 50, 3, 0, "end", 5_000),
            ("旧版 3 元券", "AMOUNT", 300, 250, 100, 12),
        )
    ]  # fmt: skip
    sure(products.withdraw(conn, act, numbers[3]))
    town.names["product_id"] = str(numbers[0])
    shop = town.act(ACCOUNT)
    for number, count, unit, is_paid in (
        (numbers[0], 40, 400, True),
        (numbers[1], 20, 900, True),
        (numbers[0], 12, 400, False),
    ):
        row = sure(buying.order(conn, shop, town.merchant_id, number, count))
        if is_paid:
            sure(buying.settle(conn, act, row["purchase_id"], count * unit))
    sure(buying.refund(conn, act, 2, 3, "活动结束", 2_000))
    _payouts(town)


def _payouts(town: Town) -> None:
    """Of money paid at the office: agreed to, handed over, and taken back before that."""
    conn, act = town.conn, town.act("zhao.min")
    sure(buying.refund(conn, act, 1, 5, "活动结束", 20_000))
    sure(merchants.top_up(conn, act, town.merchant_id, Commodity.FEN, 60_000, 0, "现金"))
    for fen, why in ((30_000, "合同到期，退余额"), (20_000, "重复付款"), (8_000, "店铺转让")):
        sure(paying_back.ask(conn, act, DUTIES, town.merchant_id, fen, why, 20_000))
        if fen > 20_000:
            sure(paying_back.decide(conn, town.act("li.wei"), town.merchant_id, agreed=True))
    sure(paying_out.hand_over(conn, act, DUTIES, 3, "transfer", "转账流水 20260528-0193"))
    sure(paying_out.take_back(conn, act, DUTIES, 4, "商户改为继续使用"))


def _money(town: Town, _hashed: str) -> None:
    """Orders in every state, a refund that waits for a second person, a bill that differs, invoices."""
    conn, act = town.conn, town.act("zhao.min")
    paid = [
        _order(town, fen, words) for fen, words in ((50_000, "储值充值"), (20_000, "储值充值"), (8_800, "停车券 22 张"))
    ]
    for order in paid:
        pay(conn, town.act("payments"), DUTIES, order, "wechat")
    still = _order(town, 12_000, "储值充值")
    begun(conn, town.act("payments"), still, "wechat")
    town.names |= {"order": paid[0].order_id, "still": still.order_id, "paid": paid[2].order_id, "provider": "wechat"}
    (first, *_) = DUTIES.paid_here(conn, town.operator_id, town.merchant_id)
    town.names["at_office"] = first.name
    sure(merchants.set_low(conn, act, town.merchant_id, 10_000_000, None, 50_000))
    suggesting.suggest(conn, act)
    (row,) = orders.tries(conn, paid[0].order_id)
    (small,) = orders.tries(conn, paid[1].order_id)
    sure(giving_back.ask(conn, act, DUTIES, paid[0].order_id, 30_000, "重复充值", 20_000))
    lines = [
        BillLine(row["number"], 50_000, 300, "4200002026052800", town.now_ms),
        BillLine(small["number"], 20_100, 120, "4200002026052801", town.now_ms),
        BillLine("P20260528999", 700, 4, "4200002026052899", town.now_ms),
    ]
    bills.take(
        conn, act, DUTIES, row["account_id"], datetime.fromtimestamp(town.now_ms / 1000, bills.CHINA).date(), lines, 6
    )
    invoice = sure(
        invoices.request(
            conn, town.act("driver"), paid[0].order_id, "山城咖啡有限公司", "91310000MA1FL00000", "a@example.com"
        )
    )
    sure(invoices.issue(conn, act, invoice, "26312000000000000018"))
    sure(invoices.request(conn, town.act("driver"), paid[1].order_id, "山城咖啡有限公司", "", "a@example.com"))


def _order(town: Town, fen: int, words: str) -> PayOrder:
    wanted = Wanted(
        "topup",
        f"merchant:{town.merchant_id}",
        fen,
        words,
        NOON + 3 * HOUR,
        merchant_id=town.merchant_id,
        return_path="/m/top-up",
    )
    return orders.open_order(town.conn, town.act(ACCOUNT), wanted)


def _fees(town: Town, _hashed: str) -> None:
    """Quotes of the lot: one to pay, one paid, one that is over."""

    def quote(mark: int, begins: int = 0, due: int = 1_500) -> str:
        at = (town.now_ms + begins * MINUTE) // 1000
        made = FeeQuote(f"{mark:016x}", town.lot_id, f"s{mark}", CARS[mark], due, 500, 0, 0, at, at + 7_200, 15)
        return fee_quote.issue(made, PAPER_KEY)

    town.names |= {"quote": quote(5), "quote_paid": quote(6), "quote_over": quote(7, -600)}
    order = sure(fees.begin(town.conn, town.act("payer"), town.names["quote_paid"], PAPER_KEY))
    pay(town.conn, town.act("payments"), DUTIES, order, "wechat")
    town.names["fee_order"] = order.order_id
    extending.set_price(town.conn, town.act("zhao.min"), town.lot_id, 30_000)
    day = datetime.fromtimestamp(town.now_ms / 1000, bills.CHINA).date() - timedelta(days=1)
    reconciling.make(town.conn, town.act("zhao.min"), town.lot_id, day)


def _shifts(town: Town, _hashed: str) -> None:
    for number, (by, over, counted) in enumerate((("王芳", "李强", 128_400), ("李强", "王芳", 96_150)), start=1):
        opened = events.ShiftOpened(f"sh{number}", number, "东岗亭", by, 30_000)
        town.hears(opened, 24 * 60 - number * 480)
        expected = 128_400 if number == 1 else 96_650
        closed = events.ShiftClosed(
            shift_id=f"sh{number}", number=number, workstation="东岗亭", opened_by=by,
            opened_ms=NOON - DAY + number * 8 * HOUR, closed_by=by, takes_over=over, reason="", cars=212, payments=149,
            fee_fen=181_300, by_hand_fen=3_000,
            coupon_fen=42_600, waived_fen=700, owed_fen=1_200, debts_fen=0, cash_fen=expected - 30_000,
            electronic_fen=50_100, refund_fen=0, float_fen=30_000, drop_fen=50_000, openings=2, expected_fen=expected,
            counted_fen=counted, log_seq=41 + number, log_head="ab" * 32,
        )  # fmt: skip
        town.hears(closed, 24 * 60 - number * 480 - 470)
    town.hears(events.ShiftOpened("sh3", 3, "东岗亭", "王芳", 30_000), 120)
    town.names["shift"] = "sh2"


def _owing(town: Town, _hashed: str) -> None:
    for number, (plate, owed) in enumerate(((CARS[7], 1_200), (CARS[6], 4_200), (CARS[13], 700))):
        town.hears(events.DebtRecorded(f"debt{number}", f"w1-{number}", plate, owed), 600 - number)
    town.hears(events.DebtMoved("m1", "debt1", "paid", 2_000, "pd1", "王芳", "岗亭现金"), 90)
    town.hears(events.DebtMoved("m2", "debt2", "waived", 700, "", "王主管", "设备故障"), 80)
    town.names["debt"] = "debt1"


def _programs(town: Town, _hashed: str) -> None:
    conn, act = town.conn, town.act("li.wei")
    for name, scopes, merchant in (
        ("收银系统", ("read", "issue"), town.merchant_id),
        ("财务对账", ("read", "money"), None),
    ):
        sure(keys.create(conn, act, name, scopes, merchant))
    made = sure(hooks.create(conn, act, "https://erp.example.com/lotgate/in", hooks.FACTS, None))
    town.names["hook_id"] = str(made.hook_id)
    for number in range(4):
        coupon = {"coupon_id": f"c{number}", "merchant_id": town.merchant_id}
        hooks.tell(
            conn,
            town.operator_id,
            town.merchant_id,
            [(("coupon.issued", "coupon.redeemed")[number % 2], coupon)],
            town.now_ms - number * HOUR,
        )
    sure(hooks.ping(conn, act, made.hook_id))
    conn.execute(
        hook_message.update()
        .where(hook_message.c.message_id < 3)
        .values(arrived_ms=NOON, next_ms=None, tries=1, last_status=200)
    )
