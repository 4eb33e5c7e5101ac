"""Paid money of a purse goes back: first by the way it came, and only what was paid at the office there (E14)."""

from __future__ import annotations

from sqlalchemy import Connection, update

from cloud.access import audit, keys
from cloud.act import Act, Refused, or_nothing
from cloud.merchants import ledger, service
from cloud.merchants.tables import merchant
from cloud.payments import giving_back, refunds
from cloud.payments.orders import Duties
from domain.ledger import ASKED_BACK, AVAILABLE, REFUND, Commodity, Funds, move


@or_nothing
def ask(
    conn: Connection, act: Act, duties: Duties, merchant_id: int, fen: int, reason: str, limit_fen: int
) -> Refused | None:
    """Give *fen* back, or refuse and keep nothing; above *limit_fen* each part waits for a second person.

    Online top-ups are used up first, the newest before the others; the rest was paid at the office.
    """
    row = service.get(conn, act.operator_id, merchant_id)
    if row is None:
        return Refused("merchant_unknown")
    if row["payment_mode"] == service.PaymentMode.POSTPAID.value:
        return Refused("postpaid_has_no_balance")
    if fen <= 0:
        return Refused("amount_malformed")
    if not reason.strip() or len(reason) > refunds.REASON_LENGTH:
        return Refused("reason_missing")
    if asked_back(conn, merchant_id):
        return Refused("refund_waits")
    online = refunds.left_of_merchant(conn, act.operator_id, merchant_id, "topup")
    left = ledger.purse(conn, merchant_id, Commodity.FEN).paid - sum(one.asked_fen for one in online)
    if fen > left:
        return Refused("balance_short", {"left": max(0, left)})
    rest, at_once = fen, 0 if fen > limit_fen else fen
    for one in online:
        part = min(rest, one.left_fen)
        if part > 0:
            refused = giving_back.ask(conn, act, duties, one.order_id, part, reason, at_once, one.number)
            if refused is not None:
                return refused
            rest -= part
    if not rest:
        return None
    if at_once:
        return service.refund(conn, act, merchant_id, Commodity.FEN, rest, reason)
    conn.execute(update(merchant).where(merchant.c.merchant_id == merchant_id).values(asked_back_by=act.by))
    _hand(conn, act, merchant_id, "refund.asked_back", (AVAILABLE, ASKED_BACK), rest, reason)
    return None


def asked_back(conn: Connection, merchant_id: int) -> int:
    """Fen that a second person has to decide on before the office pays them out."""
    return ledger.held_by(conn, merchant_id, ASKED_BACK, Commodity.FEN, Funds.PAID)


def decide(conn: Connection, act: Act, merchant_id: int, *, agreed: bool) -> Refused | None:
    """The second person's word: the office pays, or the purse has it again."""
    row = service.get(conn, act.operator_id, merchant_id)
    fen = asked_back(conn, merchant_id) if row is not None else 0
    if row is None or not fen:
        return Refused("refund_not_asked")
    if keys.person_behind(conn, act.operator_id, row["asked_back_by"]) == act.by:
        return Refused("refund_needs_another")
    kind, target = ("refund", REFUND) if agreed else ("refund.put_back", AVAILABLE)
    _hand(conn, act, merchant_id, kind, (ASKED_BACK, target), fen)
    return None


def _hand(
    conn: Connection, act: Act, merchant_id: int, kind: str, accounts: tuple[str, str], fen: int, reason: str = ""
) -> None:
    """Carry money from one account to another, and say who did it."""
    subject, said = f"merchant:{merchant_id}", "merchant.refunded" if kind == "refund" else f"merchant.{kind}"
    entry = ledger.Entry(act.operator_id, merchant_id, act.uuid(), kind, subject, act.by, act.now_ms, reason)
    ledger.post(conn, entry, move(*accounts, fen, Commodity.FEN, Funds.PAID))
    audit.record(conn, act, said, subject, reason=reason, after={"commodity": Commodity.FEN.value, "amount": fen})
