"""A lot's quote is charged once, the lot is told until it has booked it, and what was for nothing goes back once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from cloud.act import Refused
from cloud.fees import service as fees
from cloud.fees.asking import SILENT, Said, read
from cloud.fees.tables import phone_fee
from cloud.lots.tables import edge
from cloud.paid import DUTIES
from cloud.payments import orders, refunds
from cloud.payments.orders import PayOrder, Settled
from cloud.payments.provider import Outcome, State
from cloud.sync.channels import get_row, rows_of
from domain import exit_pass, fee_quote
from domain.events import PaymentApplied
from domain.exit_pass import ExitPass
from domain.fee_quote import FeeQuote
from plumbing.signing import PrivateKey
from tests.cloud.paying import begun, pay
from tests.cloud.world import NOW, World

EDGE = PrivateKey.from_raw(bytes(range(32)))
CLOUD = PrivateKey.from_raw(bytes(range(1, 33)))
MINUTE_MS = 60_000


def quoted(world: World, **changes: object) -> str:
    """A quote of the world's lot, good for ten minutes."""
    world.conn.execute(update(edge).where(edge.c.edge_id == world.edge_id).values(public_key=EDGE.public.raw))
    quote = FeeQuote(
        "0123456789abcdef", world.lot_id, "s1", "京A12345", 1500, 500, 0, 0, NOW // 1000, NOW // 1000 + 600, 15
    )
    return fee_quote.issue(replace(quote, **changes), EDGE)  # type: ignore[arg-type]


def opened(world: World, token: str) -> PayOrder:
    order = fees.begin(world.conn, world.act(), token, CLOUD)
    assert isinstance(order, PayOrder), order
    return order


def listed(world: World) -> list[str]:
    return [key for key, _ in rows_of(world.conn, world.edge_id, fees.CHANNEL)]


def due(world: World) -> list[tuple[str, int]]:
    return [(row["cause"], row["amount_fen"]) for row in refunds.to_send(world.conn, world.operator_id, world.now_ms)]


def test_who_scans_the_same_code_pays_the_same_order(world: World) -> None:
    token = quoted(world)

    order = opened(world, token)

    assert (order.amount_fen, order.purpose, order.lot_id) == (1000, "fee", world.lot_id)
    assert (order.expires_ms, order.return_path) == (NOW + 600_000, f"/Q/{token}")
    assert "京A12345" not in order.description
    assert opened(world, token) == order


def test_a_code_that_is_not_the_lots_own_or_is_over_is_not_charged(world: World) -> None:
    token = quoted(world)
    stranger = PrivateKey.from_raw(bytes(range(2, 34)))
    forged = fee_quote.issue(FeeQuote("00" * 8, world.lot_id, "s1", "京A12345", 1, 0, 0, 0, 0, 1 << 31, 15), stranger)
    nowhere = fee_quote.issue(FeeQuote("00" * 8, 999, "s1", "京A12345", 1, 0, 0, 0, 0, 1 << 31, 15), EDGE)

    for text in (forged, nowhere, token[:-1], ""):
        assert fees.begin(world.conn, world.act(), text, CLOUD) == Refused("quote_unknown")
    world.now_ms = NOW + 9 * MINUTE_MS + 1
    assert fees.begin(world.conn, world.act(), token, CLOUD) == Refused("quote_over")


def test_a_paid_fee_is_told_until_the_lot_has_booked_it(world: World) -> None:
    order = opened(world, quoted(world))

    paid = pay(world.conn, world.act(), DUTIES, order)

    (payment_id,) = listed(world)
    row = get_row(world.conn, world.edge_id, fees.CHANNEL, payment_id)
    assert (paid, row) == (
        Settled.DONE,
        {"quote": "0123456789abcdef", "stay_id": "s1", "plate": "京A12345", "fen": 1000, "paid_ms": NOW},
    )
    assert fees.begin(world.conn, world.act(), quoted(world), CLOUD) == Refused("quote_paid")
    for _ in range(2):
        world.apply(PaymentApplied(payment_id, "0123456789abcdef", "s1", "list", "settled", 1000, 0))
    assert (listed(world), due(world)) == ([], [])


@pytest.mark.parametrize(("used", "back", "outcome"), [(0, 1000, "returned"), (600, 400, "settled")])
def test_what_the_lot_had_no_use_for_goes_back_once(world: World, used: int, back: int, outcome: str) -> None:
    pay(world.conn, world.act(), DUTIES, opened(world, quoted(world)))
    (payment_id,) = listed(world)

    for _ in range(2):
        world.apply(PaymentApplied(payment_id, "0123456789abcdef", "s1", "list", outcome, used, back))

    assert due(world) == [("fee", back)]


def test_another_lot_says_nothing_of_a_payment(world: World) -> None:
    pay(world.conn, world.act(), DUTIES, opened(world, quoted(world)))
    (payment_id,) = listed(world)

    world.apply(PaymentApplied(payment_id, "0123456789abcdef", "s1", "list", "returned", 0, 1000), edge_id="elsewhere")

    assert (listed(world), due(world)) == ([payment_id], [])


def test_two_orders_of_one_quote_take_one_payment(world: World) -> None:
    """The first expired and is paid all the same, after the second."""
    token = quoted(world, until_s=NOW // 1000 + 3600)
    first = opened(world, token)
    number = begun(world.conn, world.act(), first)
    assert orders.cancel(world.conn, world.act(), first.order_id) is None
    second = opened(world, token)

    assert second.order_id != first.order_id
    assert pay(world.conn, world.act(), DUTIES, second) is Settled.DONE
    late = orders.settled(world.conn, world.act(), DUTIES, number, Outcome(State.PAID, 1000, "p1"))

    assert (late, listed(world)) == (Settled.UNFULFILLABLE, [fees.payment_of(second.order_id)])
    assert due(world) == [("unfulfillable", 1000)]


def test_the_pass_and_its_digits_are_what_the_lot_will_check(world: World) -> None:
    token = quoted(world)
    pay(world.conn, world.act(), DUTIES, opened(world, token))
    asked = fees.open_quote(world.conn, world.operator_id, token, CLOUD)
    assert asked is not None
    row = fees.paid(world.conn, world.operator_id, asked.quote)
    assert row is not None
    fees.tell_codes(world.conn, world.operator_id, CLOUD, NOW)
    told = get_row(world.conn, world.edge_id, "keys", exit_pass.CODE_ROW)
    assert told is not None

    text, digits = fees.pass_of(row, CLOUD)

    wanted = ExitPass(row["payment_id"], world.lot_id, asked.quote.number, "s1", "京A12345", 1000, NOW // 1000, 15)
    assert exit_pass.read(text, world.lot_id, fees.VERIFY, CLOUD.public.raw) == wanted
    assert exit_pass.is_code(digits, bytes.fromhex(str(told["secret"])), asked.quote.number, "s1", 1000)


@pytest.mark.parametrize("text", ["", "expired", "unknown_command", "[]", '{"lines":[]}', '{"code":"","lines":3}'])
def test_what_a_lot_did_not_answer_is_silence(text: str) -> None:
    assert read(text) == SILENT
    assert read('{"code":"","quote":"LQ1"}') == Said("", "LQ1")


def test_a_sealed_quote_is_charged_for_its_plate_and_holds_none(world: World) -> None:
    seal = fee_quote.seal_key(fees.code_secret(CLOUD, world.lot_id))
    plain = fees.open_quote(world.conn, world.operator_id, quoted(world), CLOUD)
    assert plain is not None
    sealed = fee_quote.issue(plain.quote, EDGE, seal)

    order = fees.begin(world.conn, world.act(), sealed, CLOUD)

    assert isinstance(order, PayOrder)
    row = world.conn.execute(select(phone_fee)).mappings().one()
    assert (row["plate"], row["quote"]) == ("京A12345", sealed)
    pay(world.conn, world.act(), DUTIES, order)
    paid = fees.paid(world.conn, world.operator_id, plain.quote)
    assert paid is not None
    token, _ = fees.pass_of(paid, CLOUD)
    shown = exit_pass.read(token, world.lot_id, fees.VERIFY, CLOUD.public.raw)
    assert shown is not None
    assert shown.plate == "京A12345"
    told = get_row(world.conn, world.edge_id, fees.CHANNEL, row["payment_id"])
    assert told is not None
    assert told["plate"] == "京A12345"
