"""A lot's quote becomes an order, a paid order a row of the lot's list, and what the lot says of it the end.

The cloud adds nothing to what the lot asked for, and takes no more than one payment a quote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from cloud.act import Act, Refused
from cloud.fees.tables import phone_fee
from cloud.lots import edges
from cloud.lots import service as lots
from cloud.payments import orders, refunds
from cloud.payments.orders import PayOrder, UnfulfillableError, Wanted
from cloud.sync.channels import put_row
from domain import exit_pass, fee_quote
from domain.events import PaymentGivenBack
from domain.exit_pass import ExitPass
from domain.fee_quote import FeeQuote
from domain.plate import mask
from domain.voucher import Verify
from domain.wire import Json
from plumbing.signing import BadKeyError, PrivateKey, PublicKey

PURPOSE = "fee"
CHANNEL = "payments"
LEAST_MS = 60_000  # a quote with less time left is not begun to be paid


@dataclass(frozen=True, slots=True)
class Asked:
    """A genuine quote, and the lot it is of."""

    quote: FeeQuote
    lot: str
    time_zone: str


def _verify(public: bytes, purpose: bytes, body: bytes, signature: bytes) -> bool:
    try:
        return PublicKey.from_raw(public)(purpose, body, signature)
    except BadKeyError:
        return False


VERIFY: Verify = _verify


def open_quote(conn: Connection, operator_id: int, token: str, key: PrivateKey) -> Asked | None:
    """The quote in *token*, if the edge of the lot it names wrote it, or the cloud did; None for anything else.

    *key* is the cloud's own, from which comes what hides the plates of each lot.
    """
    lot_id = fee_quote.lot_of(token)
    found = None if lot_id is None else lots.get_lot(conn, operator_id, lot_id)
    edge_id = edges.edge_of_lot(conn, lot_id) if found is not None and lot_id is not None else None
    known = edges.identity(conn, edge_id) if edge_id else None
    if found is None or known is None:
        return None
    seal = fee_quote.seal_key(code_secret(key, found["lot_id"]))
    for public in (bytes(known["public_key"]), key.public.raw):
        quote = fee_quote.read(token, VERIFY, public, seal)
        if quote is not None:
            return Asked(quote, found["name"], found["time_zone"])
    return None


def begin(conn: Connection, act: Act, token: str, key: PrivateKey) -> PayOrder | Refused:
    """The order that pays a quote: the open one if somebody is at it, else a new one.

    Refuses ``quote_unknown``, ``quote_over`` and ``quote_paid``.
    """
    asked = open_quote(conn, act.operator_id, token, key)
    if asked is None:
        return Refused("quote_unknown")
    quote = asked.quote
    lots.lock_lot(conn, quote.lot_id)
    for row in _of_quote(conn, quote.lot_id, quote.number):
        if row["state"] != "open":
            return Refused("quote_paid")
        known = orders.get(conn, act.operator_id, row["order_id"])
        if known is not None and known.state == "open" and known.expires_ms > act.now_ms:
            return known
    if quote.until_s * 1000 - act.now_ms < LEAST_MS:
        return Refused("quote_over")
    order = orders.open_order(
        conn,
        act,
        Wanted(
            PURPOSE, quote.number, quote.due_fen, f"{asked.lot} {mask(quote.plate)}", quote.until_s * 1000,
            lot_id=quote.lot_id, return_path=f"/Q/{token}",
        ),
    )  # fmt: skip
    _keep(conn, act, order, quote, token)
    return order


def _keep(conn: Connection, act: Act, order: PayOrder, quote: FeeQuote, token: str) -> None:
    conn.execute(
        insert(phone_fee).values(
            payment_id=payment_of(order.order_id),
            operator_id=act.operator_id,
            lot_id=quote.lot_id,
            order_id=order.order_id,
            number=quote.number,
            quote=token,
            plate=quote.plate,
            amount_fen=quote.due_fen,
            state="open",
            outcome="",
            told="",
            used_fen=0,
            back_fen=0,
            created_ms=act.now_ms,
        )
    )


def payment_of(order_id: str) -> str:
    """What the lot calls the payment of an order."""
    return order_id.replace("-", "")


def _of_quote(conn: Connection, lot_id: int, number: str) -> Sequence[RowMapping]:
    query = select(phone_fee).where(phone_fee.c.lot_id == lot_id, phone_fee.c.number == number)
    return conn.execute(query.order_by(phone_fee.c.created_ms, phone_fee.c.payment_id)).mappings().all()


def fulfil(conn: Connection, act: Act, order: PayOrder) -> None:
    """The money is here: the lot is told. A second payment of one quote raises UnfulfillableError and goes back."""
    query = select(phone_fee).where(phone_fee.c.order_id == order.order_id).with_for_update()
    row = conn.execute(query).mappings().one_or_none()
    edge_id = None if row is None else edges.edge_of_lot(conn, row["lot_id"])
    if row is None or edge_id is None:
        raise UnfulfillableError("fee_lot_gone")
    lots.lock_lot(conn, row["lot_id"])
    if any(one["state"] != "open" for one in _of_quote(conn, row["lot_id"], row["number"])):
        raise UnfulfillableError("fee_paid_already")
    quote = _quote_in(row)
    told: Json = {
        "quote": row["number"],
        "stay_id": quote.stay_id,
        "plate": row["plate"],
        "fen": row["amount_fen"],
        "paid_ms": act.now_ms,
    }
    put_row(conn, act.operator_id, edge_id, CHANNEL, row["payment_id"], told, act.now_ms)
    _mark(conn, row["payment_id"], state="paid", paid_ms=act.now_ms)


def _mark(conn: Connection, payment_id: str, **values: Any) -> None:
    conn.execute(update(phone_fee).where(phone_fee.c.payment_id == payment_id).values(**values))


def booked(conn: Connection, act: Act, edge_id: str, lot_id: int, payment_id: str, said: Mapping[str, Any]) -> None:
    """The lot booked a payment: its row leaves the list, and what was for nothing goes back, once."""
    query = select(phone_fee).where(phone_fee.c.payment_id == payment_id, phone_fee.c.lot_id == lot_id)
    row = conn.execute(query.with_for_update()).mappings().one_or_none()
    if row is None or row["state"] == "booked":
        return
    _mark(conn, payment_id, state="booked", booked_ms=act.now_ms, **said)
    put_row(conn, act.operator_id, edge_id, CHANNEL, payment_id, None, act.now_ms)
    if said["back_fen"]:
        refunds.part_by_itself(conn, act, row["order_id"], said["back_fen"], "fee", f"fee_{said['outcome']}")


def given_back(conn: Connection, act: Act, lot_id: int, said: PaymentGivenBack) -> bool:
    """The lot gives a part of a payment back: so does the order it came with, once. False for no payment of the lot.

    A lot that knows of a payment by its digits alone names it by its quote.
    """
    paid = [row for row in _of_quote(conn, lot_id, said.quote) if row["state"] != "open"]
    row = next((one for one in paid if one["payment_id"] == said.payment_id), paid[0] if paid else None)
    if row is None:
        return False
    refunds.part_by_itself(
        conn, act, row["order_id"], said.amount_fen, "coupon", f"coupon:{said.coupon_id}", said.back_id
    )
    return True


def orders_of(conn: Connection, quote: FeeQuote) -> list[str]:
    """Every order that was opened for a quote."""
    return [row["order_id"] for row in _of_quote(conn, quote.lot_id, quote.number)]


def paid(conn: Connection, _operator_id: int, quote: FeeQuote) -> RowMapping | None:
    """The payment of a quote, once there is one."""
    return next((row for row in _of_quote(conn, quote.lot_id, quote.number) if row["state"] != "open"), None)


def _quote_in(row: RowMapping) -> FeeQuote:
    """The quote that was found genuine when its order was opened; the edge's key may have changed since."""
    quote = fee_quote.read(row["quote"], lambda *_: True, b"")
    if quote is None:
        raise ValueError(f"payment {row['payment_id']}: its quote cannot be read")
    return replace(quote, plate=row["plate"])


def pass_of(row: RowMapping, key: PrivateKey) -> tuple[str, str]:
    """The exit pass of a paid fee, and its eight digits: "" where no stay is named, or the lot wrote no quote."""
    quote = _quote_in(row)
    paid = ExitPass(
        row["payment_id"], quote.lot_id, quote.number, quote.stay_id, quote.plate, row["amount_fen"],
        int(row["paid_ms"]) // 1000, quote.leave_min,
    )  # fmt: skip
    digits = exit_pass.code(code_secret(key, quote.lot_id), quote.number, quote.stay_id, row["amount_fen"])
    by_lot = fee_quote.read(row["quote"], VERIFY, key.public.raw) is None
    return exit_pass.issue(paid, key), digits if quote.stay_id and by_lot else ""


def code_secret(key: PrivateKey, lot_id: int) -> bytes:
    """The key of a lot's digits: always the same, and known to the cloud and that lot alone."""
    return exit_pass.code_key(key(exit_pass.CODE_PURPOSE, b""), lot_id)


def tell_codes(conn: Connection, operator_id: int, key: PrivateKey, now_ms: int) -> None:
    """Give every lot the key of its digits (channel ``keys``)."""
    for lot_id, edge_id in edges.lots_with_edges(conn, operator_id):
        secret = {"secret": code_secret(key, lot_id).hex()}
        put_row(conn, operator_id, edge_id, "keys", exit_pass.CODE_ROW, secret, now_ms)
