"""A merchant buys coupons: the order, its payment, the stock it leaves, and giving unused stock back (S2.10-S2.17)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, Select, Update, func, insert, select, update

from cloud.access import audit, keys
from cloud.act import Act, Refused
from cloud.coupons import service as coupons
from cloud.days import began_ms, day_at
from cloud.db import new_id
from cloud.hooks import service as hooks
from cloud.lots import service as lots
from cloud.merchants import ledger
from cloud.merchants import service as merchants
from cloud.payments import invoices, paying_out, refunds
from cloud.payments.invoices import PaidHere
from cloud.payments.orders import PayOrder, Wanted, open_order
from cloud.shop import products
from cloud.shop.stock import GONE, LEFT, State
from cloud.shop.tables import coupon_product, purchase
from domain.ledger import AGREED_BACK, RECHARGE, REFUND, Commodity, Funds, asked_account, move, stock_account
from domain.shop import first_day_after, is_over_cap

PAY_WITHIN_MS = 15 * 60_000
MOST_AT_ONCE = 100_000
ASKED = "stock.asked_back"


def order(conn: Connection, act: Act, merchant_id: int, product_id: int, quantity: int) -> RowMapping | Refused:
    """A purchase that waits for its payment, or the reason against it; the price is quantity × unit price (S2.11)."""
    account = merchants.get(conn, act.operator_id, merchant_id)
    if account is None:
        return Refused("merchant_unknown")
    if not account["enabled"]:
        return Refused("merchant_disabled")
    product = products.get(conn, act.operator_id, product_id)
    if product is None or product["withdrawn_ms"] is not None:
        return Refused("product_unknown")
    if not 0 < quantity <= MOST_AT_ONCE:
        return Refused("quantity_malformed")
    lapse(conn, act.operator_id, act.now_ms, merchant_id)
    if is_over_cap(product["max_purchasable"], bought(conn, merchant_id, product_id), quantity):
        return Refused("purchase_cap", {"most": product["max_purchasable"]})
    purchase_id = new_id(
        conn,
        insert(purchase).values(
            operator_id=act.operator_id,
            merchant_id=merchant_id,
            product_id=product_id,
            order_id="",
            quantity=quantity,
            unit_fen=product["unit_fen"],
            state=State.WAITING.value,
            given=0,
            refunded=0,
            made_ms=act.now_ms,
            made_by=act.by,
            expires_ms=act.now_ms + PAY_WITHIN_MS,
            paid_by="",
        ),
    )
    after = {"product": product_id, "quantity": quantity}
    audit.record(conn, act, "purchase.ordered", f"purchase:{purchase_id}", after=after)
    return get(conn, act.operator_id, purchase_id) or Refused("purchase_unknown")


def order_to_pay(conn: Connection, act: Act, merchant_id: int, product_id: int, quantity: int) -> PayOrder | Refused:
    """A purchase and the order under which it is paid (S2.10)."""
    made = order(conn, act, merchant_id, product_id, quantity)
    if isinstance(made, Refused):
        return made
    product = products.get(conn, act.operator_id, product_id)
    name = product["name"] if product else ""
    wanted = Wanted(
        purpose="purchase",
        subject=f"purchase:{made['purchase_id']}",
        amount_fen=quantity * made["unit_fen"],
        description=f"{name} × {quantity}",
        expires_ms=made["expires_ms"],
        lot_id=(product["lot_id"] or None) if product else None,
        merchant_id=merchant_id,
        return_path="/m/shop/purchases",
    )
    opened = open_order(conn, act, wanted)
    conn.execute(_own(made["purchase_id"]).values(order_id=opened.order_id))
    return opened


def get(conn: Connection, operator_id: int, purchase_id: int) -> RowMapping | None:
    """One purchase, locked until the transaction ends."""
    query = select(purchase).where(purchase.c.purchase_id == purchase_id, purchase.c.operator_id == operator_id)
    return conn.execute(query.with_for_update()).mappings().one_or_none()


def bought(conn: Connection, merchant_id: int, product_id: int, but: int = 0) -> int:
    """How many count against the cap: paid or on the way, refunded ones not; *but* is left out."""
    counted = select(func.coalesce(func.sum(purchase.c.quantity - purchase.c.refunded), 0)).where(
        purchase.c.merchant_id == merchant_id,
        purchase.c.product_id == product_id,
        purchase.c.state.in_((State.PAID.value, State.WAITING.value)),
        purchase.c.purchase_id != but,
    )
    return int(conn.execute(counted).scalar_one())


def bought_by_product(conn: Connection, merchant_id: int) -> dict[int, int]:
    """The same for every product at once."""
    rows = conn.execute(
        select(purchase.c.product_id, func.sum(purchase.c.quantity - purchase.c.refunded).label("units"))
        .where(
            purchase.c.merchant_id == merchant_id,
            purchase.c.state.in_((State.PAID.value, State.WAITING.value)),
        )
        .group_by(purchase.c.product_id)
    )
    return {row.product_id: int(row.units) for row in rows}


def lapse(conn: Connection, operator_id: int, now_ms: int, merchant_id: int | None = None) -> int:
    """Let orders go whose time to pay is over (E21); returns how many."""
    late = update(purchase).where(
        purchase.c.operator_id == operator_id,
        purchase.c.state == State.WAITING.value,
        purchase.c.expires_ms <= now_ms,
    )
    if merchant_id is not None:
        late = late.where(purchase.c.merchant_id == merchant_id)
    return conn.execute(late.values(state=State.LAPSED.value)).rowcount


def settle(conn: Connection, act: Act, purchase_id: int, paid_fen: int, order_id: str = "") -> Refused | None:
    """The money is there: leave the stock, once, however often this is said.

    A payment that comes after the order lapsed is honoured while the cap allows. A refusal means: give the money back.
    """
    row = get(conn, act.operator_id, purchase_id)
    if row is None:
        return Refused("purchase_unknown")
    if row["state"] == State.PAID.value:
        return None if row["order_id"] == order_id else Refused("purchase_paid")
    refused = _unfit(conn, act, row, paid_fen)
    if refused is not None:
        return refused
    product = products.get(conn, act.operator_id, row["product_id"])
    if product is None:
        return Refused("product_unknown")
    conn.execute(
        _own(purchase_id).values(
            state=State.PAID.value,
            order_id=order_id,
            valid_from_ms=act.now_ms,
            valid_to_ms=_good_until(conn, act, product),
            paid_ms=act.now_ms,
            paid_by=act.by,
        )
    )
    entry = _entry(act, row, f"purchase:{purchase_id}", "stock.bought")
    ledger.post(conn, entry, move(RECHARGE, stock_account(purchase_id), paid_fen, Commodity.FEN, Funds.BOUGHT))
    coupons.product_template(conn, act, row["merchant_id"], product)
    after = {"quantity": row["quantity"], "fen": paid_fen}
    audit.record(conn, act, "purchase.paid", f"purchase:{purchase_id}", after=after)
    about = {"purchase_id": purchase_id, "product_id": row["product_id"], **after}
    hooks.tell(conn, act.operator_id, row["merchant_id"], [("purchase.paid", about)], act.now_ms)
    return None


def settle_here(conn: Connection, act: Act, purchase_id: int) -> Refused | None:
    """The operator has the money of a purchase in hand: a transfer, or cash at the office."""
    row = get(conn, act.operator_id, purchase_id)
    if row is None or row["state"] != State.WAITING.value:
        return Refused("purchase_not_waiting")
    return settle(conn, act, purchase_id, row["quantity"] * row["unit_fen"])


def _unfit(conn: Connection, act: Act, row: RowMapping, paid_fen: int) -> Refused | None:
    """Why a payment cannot be honoured."""
    if paid_fen != row["quantity"] * row["unit_fen"]:
        return Refused("purchase_differs")
    account = merchants.get(conn, act.operator_id, row["merchant_id"])
    if account is None or not account["enabled"]:
        return Refused("merchant_disabled")
    product = products.get(conn, act.operator_id, row["product_id"])
    before = bought(conn, row["merchant_id"], row["product_id"], but=row["purchase_id"])
    if product is None or is_over_cap(product["max_purchasable"], before, row["quantity"]):
        return Refused("purchase_cap", {"most": product["max_purchasable"] if product else 0})
    return None


def _good_until(conn: Connection, act: Act, product: RowMapping) -> int:
    """The end of the stock's validity, by the days of its lot, or of the first lot there is."""
    zones = {row["lot_id"]: row["time_zone"] for row in lots.lots(conn, act.operator_id)}
    name = zones.get(product["lot_id"]) or next(iter(zones.values()), "")
    zone = ZoneInfo(name) if name else UTC
    return began_ms(first_day_after(day_at(act.now_ms, zone), product["valid_months"]), zone)


def refund(conn: Connection, act: Act, purchase_id: int, count: int, reason: str, limit_fen: int) -> int | Refused:
    """Take back *count* unused coupons of a purchase; returns the fen that go to the merchant (E21).

    What is at a lane or used cannot come back; stock whose validity is over can, if the operator wants to. Above
    *limit_fen* the stock is held until a second person decides. What was paid online goes back by the way it came,
    else the office has to hand it over.
    """
    row = get(conn, act.operator_id, purchase_id)
    if row is None or row["state"] != State.PAID.value:
        return Refused("purchase_unknown")
    left = row["quantity"] - row["given"] - row["refunded"] - row["asked_back"] - row["agreed_back"]
    if not 0 < count <= left:
        return Refused("stock_short", {"left": left})
    if not reason.strip():
        return Refused("reason_missing")
    if len(reason) > merchants.REMARK_LENGTH:
        return Refused("remark_too_long", {"most": merchants.REMARK_LENGTH})
    if row["asked_back"] and not row["order_id"]:
        return Refused("refund_waits")
    fen = int(count * row["unit_fen"])
    asked = refunds.ask(conn, act, row["order_id"], fen, reason, limit_fen) if row["order_id"] else ""
    if isinstance(asked, Refused):
        return asked
    stock = stock_account(purchase_id)
    if fen > limit_fen:
        conn.execute(_own(purchase_id).values(asked_back=purchase.c.asked_back + count, asked_back_by=act.by))
        _hand(conn, act, row, ASKED, (stock, asked_account(purchase_id)), count, reason)
    elif not row["order_id"]:
        _agree(conn, act, row, stock, count, reason, act.by)
    else:
        conn.execute(_own(purchase_id).values(refunded=purchase.c.refunded + count))
        _hand(conn, act, row, "stock.refunded", (stock, REFUND), count, reason)
    return fen


def decide(conn: Connection, act: Act, purchase_id: int, *, agreed: bool) -> Refused | None:
    """The second person's word on what was asked back of a purchase paid at the office."""
    row = get(conn, act.operator_id, purchase_id)
    if row is None or row["order_id"] or not row["asked_back"]:
        return Refused("refund_not_asked")
    if keys.person_behind(conn, act.operator_id, row["asked_back_by"]) == act.by:
        return Refused("refund_needs_another")
    count = row["asked_back"]
    if not agreed:
        return _decided(conn, act, row, count, agreed=False)
    conn.execute(_own(purchase_id).values(asked_back=0))
    reason = ledger.last_note(conn, act.operator_id, ASKED, f"purchase:{purchase_id}")
    _agree(conn, act, row, asked_account(purchase_id), count, reason, row["asked_back_by"])
    return None


def _agree(conn: Connection, act: Act, row: RowMapping, source: str, count: int, reason: str, by: str) -> None:
    """The office has to hand over what so many coupons cost; *by* asked for it."""
    purchase_id, payee = row["purchase_id"], merchants.get(conn, act.operator_id, row["merchant_id"])
    if payee is None:
        raise LookupError(row["merchant_id"])
    conn.execute(_own(purchase_id).values(agreed_back=purchase.c.agreed_back + count))
    _hand(conn, act, row, "stock.agreed_back", (source, AGREED_BACK), count, reason)
    fen = int(count * row["unit_fen"])
    paying_out.owe(conn, act, f"purchase:{purchase_id}", payee, fen, Commodity.FEN, reason.strip(), by)


def paid_out(conn: Connection, act: Act, payout: RowMapping, *, paid: bool, note: str) -> None:
    """The merchant has its money, or the coupons are stock again."""
    purchase_id = int(payout["subject"].removeprefix("purchase:"))
    row = get(conn, act.operator_id, purchase_id)
    if row is None:
        raise LookupError(payout["subject"])
    count = payout["amount"] // row["unit_fen"]
    back = {"refunded": purchase.c.refunded + count} if paid else {}
    conn.execute(_own(purchase_id).values(agreed_back=purchase.c.agreed_back - count, **back))
    kind, target = ("stock.refunded", REFUND) if paid else ("stock.taken_back", stock_account(purchase_id))
    _hand(conn, act, row, kind, (AGREED_BACK, target), count, note)


def refund_decided(conn: Connection, act: Act, order: PayOrder, amount_fen: int, *, agreed: bool) -> Refused | None:
    """The same of one paid online: a second person has decided on its refund."""
    row = get(conn, act.operator_id, int(order.subject.removeprefix("purchase:")))
    if row is None:
        return Refused("purchase_unknown")
    return _decided(conn, act, row, amount_fen // row["unit_fen"], agreed=agreed)


def _decided(conn: Connection, act: Act, row: RowMapping, count: int, *, agreed: bool) -> Refused | None:
    """What was held goes to the merchant, or is stock again."""
    if count > row["asked_back"]:
        return Refused("refund_not_asked")
    purchase_id = row["purchase_id"]
    back = {"refunded": purchase.c.refunded + count} if agreed else {}
    conn.execute(_own(purchase_id).values(asked_back=purchase.c.asked_back - count, **back))
    kind, target = ("stock.refunded", REFUND) if agreed else ("stock.put_back", stock_account(purchase_id))
    _hand(conn, act, row, kind, (asked_account(purchase_id), target), count)
    return None


def paid_here(conn: Connection, operator_id: int, merchant_id: int, purchase_id: int | None = None) -> list[PaidHere]:
    """Purchases a merchant paid at the office, or one of them, each with what of it has not gone back."""
    kept = (purchase.c.quantity - GONE) * purchase.c.unit_fen
    query = (
        select(purchase, coupon_product.c.name, kept.label("left_fen"))
        .join(coupon_product, coupon_product.c.product_id == purchase.c.product_id)
        .where(
            purchase.c.operator_id == operator_id,
            purchase.c.merchant_id == merchant_id,
            purchase.c.state == State.PAID.value,
            purchase.c.order_id == "",
        )
        .order_by(purchase.c.purchase_id)
    )
    if purchase_id is not None:
        query = query.where(purchase.c.purchase_id == purchase_id)
    return [
        PaidHere(
            f"purchase-{row['purchase_id']}", merchant_id, "purchase", f"{row['name']} × {row['quantity']}",
            row["quantity"] * row["unit_fen"], row["left_fen"], row["paid_ms"],
        )
        for row in conn.execute(query).mappings()
    ]  # fmt: skip


def waiting(conn: Connection, operator_id: int) -> Sequence[RowMapping]:
    """Purchases paid at the office of which coupons are asked back: a second person decides."""
    return (
        conn.execute(
            select(purchase)
            .where(purchase.c.operator_id == operator_id, purchase.c.order_id == "", purchase.c.asked_back > 0)
            .order_by(purchase.c.purchase_id)
        )
        .mappings()
        .all()
    )


def _hand(
    conn: Connection, act: Act, row: RowMapping, kind: str, accounts: tuple[str, str], count: int, reason: str = ""
) -> None:
    """Carry so many coupons' worth from one account to another, and say who did it."""
    fen, reason = int(count * row["unit_fen"]), reason.strip()
    entry = _entry(act, row, act.uuid(), kind, reason)
    ledger.post(conn, entry, move(*accounts, fen, Commodity.FEN, Funds.BOUGHT))
    invoices.follow(conn, act, paid_here(conn, act.operator_id, row["merchant_id"], row["purchase_id"]))
    what, after = kind.replace("stock", "purchase"), {"count": count, "fen": fen}
    audit.record(conn, act, what, f"purchase:{row['purchase_id']}", reason=reason, after=after)


def _own(purchase_id: int) -> Update:
    return update(purchase).where(purchase.c.purchase_id == purchase_id)


def _entry(act: Act, row: RowMapping, event_id: str, kind: str, note: str = "") -> ledger.Entry:
    subject = f"purchase:{row['purchase_id']}"
    return ledger.Entry(act.operator_id, row["merchant_id"], event_id, kind, subject, act.by, act.now_ms, note)


def history(
    operator_id: int, merchant_id: int | None = None, search: str = "", state: str = ""
) -> Select[tuple[object, ...]]:
    """Purchases newest first, each with its product, its merchant's name left to the page (S2.17)."""
    found = (
        select(
            purchase,
            coupon_product.c.name,
            coupon_product.c.kind,
            coupon_product.c.value,
            LEFT.label("left"),
            (purchase.c.quantity * purchase.c.unit_fen).label("price_fen"),
        )
        .join(coupon_product, coupon_product.c.product_id == purchase.c.product_id)
        .where(purchase.c.operator_id == operator_id)
    )
    if merchant_id is not None:
        found = found.where(purchase.c.merchant_id == merchant_id)
    if search:
        found = found.where(coupon_product.c.name.like(f"%{search}%"))
    if state:
        found = found.where(purchase.c.state == state)
    return found.order_by(purchase.c.purchase_id.desc())
