"""What lots report of fees paid by phone."""

from __future__ import annotations

import hashlib
from typing import Final

from sqlalchemy import Connection

from cloud.act import Act
from cloud.fees import service
from cloud.lots import apply as lots
from cloud.sync.context import ApplyContext, MoneyApplier
from cloud.sync.errors import CannotApplyError
from domain.events import Envelope, PaymentApplied, PaymentGivenBack

LOT = "lot"  # who does what a lot reports


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


MONEY: Final[dict[str, MoneyApplier]] = {
    "payment.applied": payment_applied,
    "payment.given_back": payment_given_back,
}
