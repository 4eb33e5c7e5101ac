"""The operator whose pages are photographed: two lots, four merchants, a busy week, and something in every state.

Written through the same services as the pages use, with a clock that stands still on a Thursday afternoon.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, select, update

from cloud.act import Refused
from cloud.coupons import claiming, codes, posters, rules
from cloud.coupons import service as coupons
from cloud.coupons.tables import coupon_poster
from cloud.lots import service as lots
from cloud.lots.service import LaneSpec
from cloud.lots.tables import edge, voucher_key
from cloud.merchants import branches, contracts, credit, ending, leases, statements
from cloud.merchants import service as merchants
from cloud.merchants.branches import Plan
from cloud.merchants.service import PaymentMode, SettlementMode
from cloud.merchants.tables import lease as lease_table
from cloud.merchants.tables import merchant
from cloud.sync import inbox
from domain import events, voucher
from domain.coupon.limits import Level, Limits
from domain.coupon.terms import Terms
from domain.decision import TariffRef
from domain.driver_page import lane_code
from domain.events import Event
from domain.ledger import Commodity
from domain.moment import Moment
from domain.price_notice import PriceNotice
from domain.stay import Direction
from plumbing.signing import PrivateKey
from tests.cloud.world import World
from tests.edge.lots import HOURLY

NOON = 1_779_951_600_000  # 2026-05-28 15:00 in Shanghai, a Thursday
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
ACCOUNT = "100000018"  # of the merchant whose pages are shown
PAPER_KEY = PrivateKey.from_raw(bytes(range(7, 39)))
NORTH = ("东门入口", "西门入口", "东门出口", "西门出口")
CARS = (
    "沪A31526", "沪B7K902", "苏E5K318", "浙C72H95", "沪AD12345", "京N7P263", "沪C8T473", "鲁K6M204", "粤B4X916",
    "沪A8B0D1", "沪FJ8812", "皖A66J18", "沪D55T02", "闽D38R45", "沪AF90121", "沪E2210L", "苏A9K77P", "沪K30B18",
)  # fmt: skip


T = TypeVar("T")


def sure(made: T | Refused) -> T:
    """What was made, or None where nothing was refused. Raises RuntimeError where something was."""
    if isinstance(made, Refused):
        raise RuntimeError(made)
    return made


@dataclass
class Town(World):
    """The world with its names: what stands for the parts of a path."""

    names: dict[str, str] = field(default_factory=dict)
    templates: dict[str, int] = field(default_factory=dict)
    shops: dict[str, int] = field(default_factory=dict)
    lot_of: dict[str, int] = field(default_factory=dict)

    def hears(self, event: Event, minutes_ago: float = 0) -> None:
        """One event of the first lot's edge, kept in the inbox as if it had come."""
        seq = next(self._seq)
        at_ms = self.now_ms - int(minutes_ago * MINUTE)
        body = events.encode(seq, Moment("b", seq, at_ms), event)
        inbox.apply_events(self.conn, self.ctx(), [body], [seq.to_bytes(32)], seq)

    def enters(self, stay_id: str, plate: str, minutes_ago: float, lane: str = NORTH[0]) -> str:
        """A car comes in and drives through."""
        kind = "large" if plate.startswith("皖") else "small"
        self.hears(events.StayOpened(stay_id, lane, "地下一层", plate, plate, kind, f"d-{stay_id}"), minutes_ago)
        self.hears(events.PassageSeen(lane, f"d-{stay_id}", plate), minutes_ago)
        return stay_id

    def leaves(self, stay_id: str, plate: str, fee: int, off: int, minutes_ago: float, outcome: str = "PAID") -> None:
        """It pays what is left and goes."""
        if fee > off:
            self.hears(events.PaymentTaken(f"p-{stay_id}", stay_id, "cash", fee - off, "王芳"), minutes_ago)
        closed = events.StayClosed(
            stay_id, NORTH[2], plate, outcome, "", fee, off, 0, fee - off, 0, f"e-{stay_id}", "标准"
        )
        self.hears(closed, minutes_ago)
        self.hears(events.PassageSeen(NORTH[2], f"e-{stay_id}", plate), minutes_ago)

    def gives(self, template: str, stay_id: str) -> str:
        """A coupon for a car inside; its id."""
        return sure(
            coupons.issue(self.conn, self.act(ACCOUNT), self.merchant_id, self.templates[template], stay_id)
        ).coupon_id


def build_town(conn: Connection) -> Town:
    """Everything the pages can show."""
    town = Town(conn, now_ms=NOON - 9 * DAY)
    town.operator_id = lots.create_operator(conn, "联泊停车", town.now_ms)
    _lots(town)
    _merchants(town)
    _week(town)
    town.hears(events.PricesLoaded(PRICES.text()))
    _given(town)
    _codes(town)
    town.now_ms = NOON
    return town


def build_empty(conn: Connection) -> Town:
    """The first day: an operator, a lot, a merchant, and nothing else."""
    town = Town(conn, now_ms=NOON)
    town.operator_id = lots.create_operator(conn, "联泊停车", NOON)
    made = sure(merchants.create_merchant(conn, town.act(), "新开的面馆", "13800000000"))
    town.merchant_id = int(made["merchant_id"])
    town.names = {"merchant_id": str(town.merchant_id)}
    return town


PRICES = PriceNotice({"地下一层": (TariffRef("地下一层", "hourly", "1", "d1"),)}, (), {"d1": HOURLY}, 15, ())


def _lots(town: Town) -> None:
    ways = (Direction.ENTRY, Direction.ENTRY, Direction.EXIT, Direction.EXIT)
    north = [
        LaneSpec(name, way, *(("outside", "地下一层") if way is Direction.ENTRY else ("地下一层", "outside")))
        for name, way in zip(NORTH, ways, strict=True)
    ]
    north.append(LaneSpec("下层坡道", Direction.ENTRY, "地下一层", "地下二层"))
    south = (LaneSpec("入口", Direction.ENTRY, "outside", "地面"), LaneSpec("出口", Direction.EXIT, "地面", "outside"))
    for name, places, lanes in (("滨江天地停车场", 320, north), ("南站广场停车场", 86, south)):
        lot_id = sure(lots.create_lot(town.conn, town.act("li.wei"), name, "Asia/Shanghai", places, lanes))
        town.lot_of[name] = lot_id
        edge_id, key_id = town.new_edge(lot_id, "东岗亭主机" if lanes is north else "广场岗亭主机")
        if lanes is north:
            town.lot_id, town.edge_id, town.key_id = lot_id, edge_id, key_id
    town.conn.execute(update(edge).values(public_key=PAPER_KEY.public.raw))
    town.conn.execute(
        update(voucher_key).where(voucher_key.c.key_id == town.key_id).values(public_key=PAPER_KEY.public.raw)
    )
    town.names |= {"lot": str(town.lot_id), "lane": NORTH[2], "code": lane_code(town.lot_id, NORTH[2])}
    town.names["in_code"] = lane_code(town.lot_id, NORTH[0])


def _merchants(town: Town) -> None:
    act, conn = town.act("li.wei"), town.conn
    for name, phone in (
        ("山城咖啡", "13800000018"),
        ("滨江影城", "13900000027"),
        ("小满书店", "13700000036"),
        ("阿婆面馆", "13600000045"),
    ):
        made = sure(merchants.create_merchant(conn, act, name, phone))
        merchant_id = int(made["merchant_id"])
        town.shops[name] = merchant_id
        paying = (
            (PaymentMode.POSTPAID, SettlementMode.ON_REDEEM)
            if name == "滨江影城"
            else (PaymentMode.PREPAID, SettlementMode.ON_ISSUE)
        )
        sure(merchants.configure_settlement(conn, act, merchant_id, *paying))
        for lot_id in town.lot_of.values():
            sure(contracts.set_contract(conn, act, merchant_id, lot_id))
    town.merchant_id = town.shops["山城咖啡"]
    conn.execute(update(merchant).where(merchant.c.merchant_id == town.merchant_id).values(account_no=ACCOUNT))
    sure(merchants.top_up(conn, act, town.merchant_id, Commodity.FEN, 500_000, 50_000, "开业首充，赠送一成"))
    sure(merchants.top_up(conn, act, town.merchant_id, Commodity.MIN, 6_000, 600, ""))
    sure(merchants.top_up(conn, act, town.shops["小满书店"], Commodity.FEN, 3_000, 0, ""))
    sure(credit.set_limit(conn, act, town.shops["滨江影城"], 200_000, 6_000, 15))
    sure(merchants.set_remark(conn, act, town.merchant_id, "二楼 206，店长找陈经理"))
    sure(merchants.set_enabled(conn, act, town.shops["阿婆面馆"], enabled=False))
    south = town.lot_of["南站广场停车场"]
    sure(branches.add(conn, act, town.merchant_id, Plan("南站店", own_purse=True, lot_ids=(south,))))
    sure(branches.fill(conn, act, 1, Commodity.FEN, 60_000))
    sure(branches.add(conn, act, town.merchant_id, Plan("滨江店", month_fen=100_000, month_min=1_200)))
    for template, kind, value, more in _templates():
        town.templates[template] = sure(
            coupons.create_template(conn, act, town.merchant_id, template, kind, value, **more)
        )
    sure(ending.end(conn, act, town.shops["小满书店"], south, "2026-05-31"))
    sure(merchants.create_merchant(conn, act, "巷口水果店", "13500000054"))
    town.names["merchant_id"] = str(town.merchant_id)
    town.names |= {"postpaid": str(town.shops["滨江影城"]), "ending": str(town.shops["小满书店"])}


def _templates() -> Iterator[tuple[str, str, int, dict[str, Any]]]:
    yield "满百抵 10 元", "AMOUNT", 1_000, {}
    yield "现场定额券", "AMOUNT_CUSTOM", 0, {}
    yield "免费停 2 小时", "DURATION", 120, {"before_entry": True}
    yield "现场定时券", "DURATION_CUSTOM", 0, {"meaning": "first"}
    yield "会员日全免", "FULL_WAIVER", 0, {"cap_fen": 3_000}
    yield "工作日八折", "PERCENT", 80, {"terms": Terms(weekdays=(0, 1, 2, 3, 4), hours=((600, 1320),), min_stay=60)}
    yield "晚市停到十点", "FREE_UNTIL", 0, {"terms": Terms(until=22 * 60, lots=(1,))}


def _week(town: Town) -> None:
    """Cars of a week, the last of them still inside."""
    for day in range(8, 0, -1):
        town.now_ms = NOON - day * DAY
        for number in range(3 + day % 3):
            stay_id, plate = f"w{day}-{number}", CARS[(day * 5 + number * 3) % len(CARS)]
            town.enters(stay_id, plate, 180 - 20 * number)
            off = 0
            if number < 2:
                coupon_id = town.gives(("满百抵 10 元", "免费停 2 小时")[number], stay_id)
                off = 1_000
                town.hears(events.CouponRedeemed(f"r-{stay_id}", coupon_id, stay_id, off), 5)
            town.leaves(stay_id, plate, 1_700, off, 4)
    town.now_ms = NOON
    for number, plate in enumerate(CARS):
        town.enters(f"s{number}", plate, 300 - 16 * number, NORTH[number % 2])
    town.hears(events.StayMoved("s3", "下层坡道", "地下一层", "地下二层", CARS[3], "seen", "d9"), 60)
    town.hears(events.ZoneCounted("地下一层", "", 17, 19, "王芳", "巡场清点"), 45)
    for code, lane, detail in (
        ("tailgate", NORTH[2], "两车间隔 0.8 秒"),
        ("ticket_in_doubt", "", "counter"),
        ("arm_unmoved", NORTH[1], ""),
    ):
        town.hears(events.IncidentRaised(code, lane, detail), 30)
    town.hears(events.BarrierOpened(NORTH[2], "", "王芳", "消防通道演练", ""), 12)
    town.leaves("s0", CARS[0], 2_200, 0, 8)
    town.leaves("s1", CARS[1], 1_200, 0, 3)


def _given(town: Town) -> None:
    """Coupons in every state."""
    conn, act = town.conn, town.act(ACCOUNT)
    redeemed, voided = town.gives("满百抵 10 元", "s2"), town.gives("免费停 2 小时", "s4")
    town.hears(events.CouponRedeemed("r-s2", redeemed, "s2", 800), 6)
    coupons.void(conn, act, voided, "顾客退货")
    town.hears(events.CouponKept(voided, "s4"), 2)
    town.names["kept"] = voided
    for template, stay_id in (
        ("会员日全免", "s5"),
        ("工作日八折", "s6"),
        ("晚市停到十点", "s8"),
        ("满百抵 10 元", "s9"),
    ):
        town.names["coupon_id"] = town.gives(template, stay_id)
    sure(coupons.issue(conn, act, town.merchant_id, town.templates["现场定额券"], "s10", 1_500))
    town.now_ms -= 3 * DAY
    gone = town.gives("满百抵 10 元", "s11")
    town.now_ms += 3 * DAY
    coupons.record_expiries(conn, town.operator_id, town.now_ms)
    town.names["expired"] = gone
    _slips(town)
    rules.set_limits(conn, act, Level.MERCHANT, town.merchant_id, Limits(per_day=3))
    rules.set_limits(conn, act, Level.LOT, town.lot_id, Limits(one_merchant=True))
    cinema = town.shops["滨江影城"]
    made = sure(coupons.create_template(conn, town.act("li.wei"), cinema, "观影停 3 小时", "DURATION", 180))
    for stay_id in ("s12", "s13"):
        given = sure(coupons.issue(conn, town.act("li.wei"), cinema, made, stay_id))
        town.hears(events.CouponRedeemed(f"r-{stay_id}", given.coupon_id, stay_id, 1_200), 2)
    town.now_ms += 1_000
    stated = sure(statements.close(conn, town.act("zhao.min"), cinema, town.now_ms, coupons.facts))
    town.names |= {"statement_id": str(stated), "cinema": str(cinema)}
    own = sure(statements.close(conn, town.act("zhao.min"), town.merchant_id, town.now_ms, coupons.facts))
    town.names["own_statement"] = str(own)
    lines = [row["line"] for row in statements.lines(conn, town.operator_id, own)]
    for side in statements.SIDES:
        sure(statements.say(conn, town.act("zhao.min"), own, side, lines[:-1], statements.CONFIRMED))
    sure(leases.grant(conn, town.act("cloud"), town.edge_id, town.merchant_id, Commodity.FEN))


def _slips(town: Town) -> None:
    """Vouchers printed at the counter: one used, one free, one scanned by a phone."""
    template, minute = town.templates["满百抵 10 元"], NOON // MINUTE
    lease = sure(leases.grant(town.conn, town.act("cloud"), town.edge_id, town.merchant_id, Commodity.FEN))
    granted = select(lease_table.c.granted).where(lease_table.c.lease_id == lease)
    town.hears(events.LeaseApplied(lease, town.conn.execute(granted).scalar_one()), 60)
    for counter in (1, 2):
        issued = events.VoucherIssued(
            town.key_id, counter, lease, town.merchant_id, template, 1_000, 1_000, minute + 1440, "小李"
        )
        town.hears(issued, 50 - counter)
    town.hears(events.VoucherPrinted(town.key_id, 1, "confirmed"), 45)
    town.hears(events.VoucherRedeemed("vr-1", town.key_id, 1, "s14", 1_000), 10)

    def slip(counter: int, until: int = 1440) -> str:
        payload = voucher.Payload(
            town.key_id, counter, template, town.merchant_id, 1_000, 1, minute + until, 25, town.lot_id
        )
        return voucher.issue(payload, PAPER_KEY)

    town.names |= {"token": slip(2), "used_token": slip(1), "late_token": slip(3, -60)}


def _codes(town: Town) -> None:
    """Codes on a screen and on paper, and a poster at the till."""
    conn, act = town.conn, town.act(ACCOUNT)
    amount, twice = town.templates["满百抵 10 元"], town.templates["免费停 2 小时"]
    town.names["screen"] = sure(codes.open_screen(conn, act, town.merchant_id, amount, most=20, lot_id=town.lot_id))
    town.names["paper"] = sure(codes.print_papers(conn, act, town.merchant_id, twice, 0, 6, town.lot_id))
    made = [str(row["token"]) for row in codes.of_batch(conn, town.names["paper"])]
    town.names |= {"claim": made[0], "claim_done@zh-CN": made[1], "claim_done@en": made[2]}
    sure(claiming.claim(conn, town.act("driver"), made[3], "沪K30B18", "another driver's phone"))
    town.names["claim_taken"] = made[3]
    poster = sure(
        posters.put_up(conn, act, town.merchant_id, amount, town.lot_id, "收银台台卡", Limits(per_day=1, total=500))
    )
    of = coupon_poster.c.poster_id == poster
    town.names |= {
        "poster_id": str(poster),
        "poster": str(conn.execute(coupon_poster.select().where(of)).mappings().one()["code"]),
    }
