"""What lots report of fees paid by phone."""

from __future__ import annotations

import hashlib
from typing import Final

from sqlalchemy import Connection

from cloud.act import Act
from cloud.fees import service
from cloud.sync.context import ApplyContext, MoneyApplier
from domain.events import Envelope, PaymentApplied

LOT = "lot"  # who does what a lot reports


def payment_applied(conn: Connection, ctx: ApplyContext, envelope: Envelope, event: PaymentApplied) -> None:
    """``payment.applied``: the list need not tell of it any more, and what was for nothing goes back."""
    said = {
        "outcome": event.outcome,
        "told": event.told,
        "used_fen": event.used_fen,
        "back_fen": event.back_fen,
    }
    seed = hashlib.sha256(ctx.event_id(envelope).encode()).digest()
    act = Act(ctx.operator_id, LOT, ctx.now_ms, lambda size: seed[:size])
    service.booked(conn, act, ctx.edge_id, ctx.lot_id, event.payment_id, said)


MONEY: Final[dict[str, MoneyApplier]] = {"payment.applied": payment_applied}
