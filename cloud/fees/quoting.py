"""What a car owes where its lot has no line: priced by what the lot last said, signed by the cloud (sync §7).

Whoever pays until the quote is over pays this and no more. The lot has the last word: it takes what is due at the time
of the payment and gives the rest back, so every doubt here is decided for the higher sum.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, exists, select

from cloud.coupons import service as coupons
from cloud.fees.asking import Said
from cloud.fees.service import code_secret
from cloud.fees.tables import lot_prices, phone_fee
from cloud.lots import edges, stays
from cloud.lots import service as lots
from cloud.sync.channels import get_row
from domain import fee_quote, price_notice
from domain.coupon.limits import Level
from domain.coupon.terms import ways_of
from domain.decision import CouponGiven, ExitInputs, OpenStay, Priced, Rules
from domain.fee_quote import FeeQuote
from domain.plate import classify
from domain.price_notice import PriceNotice
from domain.pricing import PriceLists, coupon_of, coupon_spec
from domain.wire import BadMessageError
from plumbing.lanepage.fee_lines import Worded, summed
from plumbing.signing import PrivateKey

LEAST_S: Final = 180  # good for at least so long
STEP_S: Final = 300  # and until a time all who ask within it are told: they share one order
PAID: Final = Said("paid_waits")


def quote(
    conn: Connection, operator_id: int, lot_id: int, plate: str, key: PrivateKey, worded: Worded, now_ms: int
) -> Said | None:
    """A quote for the car inside; None where the cloud knows too little and only the lot can say.

    That is a car it knows not at all or twice, one that changed zones, one that paid something, and a plate that pays
    nothing by its kind. A payment the lot has not heard of yet is ``paid_waits``.
    """
    car = stays.only_one_inside(conn, operator_id, lot_id, plate)
    told = conn.execute(select(lot_prices).where(lot_prices.c.lot_id == lot_id)).mappings().one_or_none()
    if car is None or told is None or car["zone_now"] or stays.has_paid(conn, car["stay_id"]):
        return None
    if _waits(conn, lot_id, plate):
        return PAID
    try:
        notice, lists = price_notice.read(told["said"])
    except BadMessageError:
        return None
    kind = classify(plate)
    if not notice.zones.get(car["zone"]) or (kind is not None and kind.value in notice.free_kinds):
        return None
    lot = lots.get_lot(conn, operator_id, lot_id)
    edge_id = edges.edge_of_lot(conn, lot_id)
    if lot is None or edge_id is None:
        return None
    until_s = -(-(now_ms // 1000 + LEAST_S) // STEP_S) * STEP_S
    priced = _priced(conn, car, edge_id, notice, lists, ZoneInfo(lot["time_zone"]), until_s)
    made = _written(lot_id, car, priced, notice.leave_within_min, until_s)
    if not made.due_fen:
        return None
    token = fee_quote.issue(made, key, fee_quote.seal_key(code_secret(key, lot_id)))
    off = tuple((ref, fen) for ref, fen in priced.off if fen)
    return Said(quote=token, lines=tuple(summed(priced.lines, worded)), off=off, by_cloud=True)


def _waits(conn: Connection, lot_id: int, plate: str) -> bool:
    paid = select(phone_fee.c.payment_id).where(
        phone_fee.c.lot_id == lot_id, phone_fee.c.plate == plate, phone_fee.c.state == "paid"
    )
    return bool(conn.execute(select(exists(paid))).scalar_one())


def _priced(
    conn: Connection, car: RowMapping, edge_id: str, notice: PriceNotice, lists: PriceLists, zone: ZoneInfo,
    until_s: int,
) -> Priced:  # fmt: skip
    entered_ms, refs = int(car["entered_ms"]), notice.zones[car["zone"]]
    entered = _local(entered_ms, zone)
    since = lists.first_stay_since(refs, entered)
    before = since is not None and stays.entered_between(conn, car, _utc_ms(since, zone), entered_ms)
    given = tuple(_coupons(conn, car, edge_id, zone, until_s * 1000))
    ways = ways_of(get_row(conn, edge_id, "rules", f"limits:{Level.LOT}:{car['lot_id']}"))
    said = ways.text(car["lot_id"]) if given else ""
    stay = OpenStay(
        car["stay_id"], car["plate"], car["vehicle_class"], car["zone"], entered.isoformat(timespec="minutes"),
        entered_ms, 0, 0, 0,
    )  # fmt: skip
    inputs = ExitInputs(
        lane="", plate=car["plate"], typed_by="", seen=(), repeated=False, near=(), stay=stay,
        length_ms=max(0, until_s * 1000 - entered_ms), estimated=False, entry_from_min=0, entry_to_min=0,
        settled_ms=None, settled_fee_fen=0, settled_off=(), new_stay_after_ms=None, first_stay_of_day=not before,
        charging_min=0, charged_before_fen=0, tariffs=refs, calendars=notice.calendars, coupons=given, covered=(),
        cash=True, rules=Rules((), 0, 0, 0, coupons=said),
    )  # fmt: skip
    return lists(inputs, stay)


def _coupons(conn: Connection, car: RowMapping, edge_id: str, zone: ZoneInfo, until_ms: int) -> Iterator[CouponGiven]:
    """Those the lot was told of for this car, good until then; of a pass, which is many coupons, one."""
    passes: set[str] = set()
    for coupon_id in coupons.bound_to(conn, car["operator_id"], car["lot_id"], car["plate"], car["stay_id"]):
        row = get_row(conn, edge_id, "coupons", coupon_id)
        if row is None or row["not_after_ms"] < until_ms or row.get("pass_id", "") in passes:
            continue
        passes |= {row["pass_id"]} if row.get("pass_id") else set()
        spec = coupon_spec(row, _local(row["issued_ms"], zone))
        given = CouponGiven(coupon_id, "coupon", spec, row["merchant_id"])
        try:
            coupon_of(given)
        except BadMessageError:
            continue  # what this release cannot read, the lot may
        yield given


def _written(lot_id: int, car: RowMapping, priced: Priced, leave_min: int, until_s: int) -> FeeQuote:
    """The same text for everybody who asks before the same time."""
    off = sum(fen for _, fen in priced.off)
    told = f"{lot_id} {car['stay_id']} {priced.fee_fen} {off} {until_s}"
    number = hashlib.sha256(told.encode()).hexdigest()[: 2 * fee_quote.NUMBER_BYTES]
    made_s = until_s - LEAST_S - STEP_S
    return FeeQuote(number, lot_id, car["stay_id"], car["plate"], priced.fee_fen, off, 0, 0, made_s, until_s, leave_min)


def _local(wall_ms: int, zone: ZoneInfo) -> datetime:
    """Lot-local time, naive, cut to the minute."""
    return datetime.fromtimestamp(wall_ms // 60_000 * 60, zone).replace(tzinfo=None)


def _utc_ms(local: datetime, zone: ZoneInfo) -> int:
    return round(local.replace(tzinfo=zone).timestamp() * 1000)
