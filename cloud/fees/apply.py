"""What lots report of fees paid by phone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from cloud.act import Act
from cloud.bulk import upsert_own
from cloud.fees import service
from cloud.fees.tables import lot_prices
from cloud.lots import apply as lots
from cloud.sync.context import Applied, ApplyContext, MoneyApplier, Projection
from cloud.sync.errors import CannotApplyError
from domain.events import Envelope, PaymentApplied, PaymentGivenBack

LOT = "lot"  # who does what a lot reports
_PRICES = ("said", "said_ms")


def prices_loaded(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``prices.loaded``: the newest word counts."""
    envelope, event = applied[-1]
    row = {"lot_id": ctx.lot_id, "operator_id": ctx.operator_id}
    upsert_own(conn, lot_prices, [row | {"said": event.said, "said_ms": envelope.moment.wall_ms}], "lot_id", _PRICES)


def payment_applied(conn: Connection, ctx: ApplyContext, envelope: Envelope, event: PaymentApplied) -> None:
    """``payment.applied``: the list need not tell of it any more, and what was for nothing goes back."""
    said = {
        "outcome": event.outcome,
        "told": event.told,
        "used_fen": event.used_fen,
        "back_fen": event.back_fen,
    }
    service.booked(conn, _act(ctx, envelope), ctx.edge_id, ctx.lot_id, event.payment_id, said)


def payment_given_back(conn: Connection, ctx: ApplyContext, envelope: Envelope, event: PaymentGivenBack) -> None:
    """``payment.given_back``: a coupon came after the car had paid, and the difference goes back to who paid."""
    if not service.given_back(conn, _act(ctx, envelope), ctx.lot_id, event):
        raise CannotApplyError(f"no payment {event.payment_id} of this lot")
    lots.payment_given_back(conn, ctx, envelope, event)


def _act(ctx: ApplyContext, envelope: Envelope) -> Act:
    seed = hashlib.sha256(ctx.event_id(envelope).encode()).digest()
    return Act(ctx.operator_id, LOT, ctx.now_ms, lambda size: seed[:size])


PROJECTIONS: Final[dict[str, Projection]] = {"prices.loaded": prices_loaded}
MONEY: Final[dict[str, MoneyApplier]] = {
    "payment.applied": payment_applied,
    "payment.given_back": payment_given_back,
}
