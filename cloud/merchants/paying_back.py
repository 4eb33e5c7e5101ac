"""Paid value of a purse goes back: money first by the way it came, and what was paid at the office there (E14).

What a second person has to decide on has left the purse, so that a yes can always be carried out (decision 54): what
the office would pay waits in ``asked_back``, what goes back to an online payer in ``asked_online``. What the office has
to pay waits in ``agreed_back`` until it was handed over (decision 69).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, select, update

from cloud.access import audit, keys
from cloud.act import Act, Refused, or_nothing
from cloud.merchants import by_hand, ledger, service
from cloud.merchants.tables import balance, merchant
from cloud.payments import giving_back, paying_out, refunds
from cloud.payments.orders import Duties
from domain.ledger import AGREED_BACK, ASKED_BACK, ASKED_ONLINE, AVAILABLE, REFUND, Commodity, Funds, move

ASKED, PUT_BACK = "refund.asked_back", "refund.put_back"


@or_nothing
def ask(
    conn: Connection,
    act: Act,
    duties: Duties,
    merchant_id: int,
    amount: int,
    reason: str,
    limit: int,
    commodity: Commodity = Commodity.FEN,
) -> Refused | None:
    """Give *amount* back, or refuse and keep nothing; above *limit* each part waits for a second person.

    Of money, online top-ups are used up first, the newest before the others; the rest was paid at the office.
    """
    row = service.get(conn, act.operator_id, merchant_id)
    if row is None:
        return Refused("merchant_unknown")
    if row["payment_mode"] == service.PaymentMode.POSTPAID.value:
        return Refused("postpaid_has_no_balance")
    if amount <= 0:
        return Refused("amount_malformed")
    if not reason.strip() or len(reason) > refunds.REASON_LENGTH:
        return Refused("reason_missing")
    if waits(conn, merchant_id) is not None:
        return Refused("refund_waits")
    left = ledger.purse(conn, merchant_id, commodity).paid
    if amount > left:
        return Refused("balance_short", {"left": left})
    rest, at_once = amount, 0 if amount > limit else amount
    if commodity is Commodity.FEN:
        for one in refunds.left_of_merchant(conn, act.operator_id, merchant_id, "topup"):
            part = min(rest, one.left_fen)
            if part > 0:
                refused = giving_back.ask(conn, act, duties, one.order_id, part, reason, at_once, one.number)
                if refused is not None:
                    return refused
                rest -= part
    if not rest:
        return None
    if at_once:
        _agree(conn, act, row, AVAILABLE, commodity, rest, reason, act.by)
        return None
    conn.execute(update(merchant).where(merchant.c.merchant_id == merchant_id).values(asked_back_by=act.by))
    _hand(conn, act, merchant_id, ASKED, (AVAILABLE, ASKED_BACK), rest, reason, commodity)
    return None


def waits(conn: Connection, merchant_id: int) -> tuple[Commodity, int] | None:
    """What a second person has to decide on before the office pays it out."""
    for commodity in Commodity:
        held = ledger.held_by(conn, merchant_id, ASKED_BACK, commodity, Funds.PAID)
        if held:
            return commodity, held
    return None


def decide(conn: Connection, act: Act, merchant_id: int, *, agreed: bool) -> Refused | None:
    """The second person's word: the office has to pay, or the purse has it again."""
    row = service.get(conn, act.operator_id, merchant_id)
    held = waits(conn, merchant_id) if row is not None else None
    if row is None or held is None:
        return Refused("refund_not_asked")
    if keys.person_behind(conn, act.operator_id, row["asked_back_by"]) == act.by:
        return Refused("refund_needs_another")
    commodity, amount = held
    if agreed:
        subject = f"merchant:{merchant_id}"
        reason = ledger.last_note(conn, act.operator_id, ASKED, subject)
        _agree(conn, act, row, ASKED_BACK, commodity, amount, reason, row["asked_back_by"])
    else:
        _hand(conn, act, merchant_id, PUT_BACK, (ASKED_BACK, AVAILABLE), amount, "", commodity)
    return None


def _agree(
    conn: Connection, act: Act, row: RowMapping, source: str, commodity: Commodity, amount: int, reason: str, by: str
) -> None:
    """The office has to hand it over; *by* asked for it."""
    merchant_id = row["merchant_id"]
    _hand(conn, act, merchant_id, "refund.agreed_back", (source, AGREED_BACK), amount, reason, commodity)
    paying_out.owe(conn, act, f"merchant:{merchant_id}", row, amount, commodity, reason, by)


def paid_out(conn: Connection, act: Act, payout: RowMapping, *, paid: bool, note: str) -> None:
    """The merchant has its money, or the purse has it again."""
    service.get(conn, act.operator_id, payout["merchant_id"])  # locked, as for every act on its purse
    kind, target = ("refund.handed_over", REFUND) if paid else ("refund.taken_back", AVAILABLE)
    commodity = Commodity(payout["commodity"])
    _hand(conn, act, payout["merchant_id"], kind, (AGREED_BACK, target), payout["amount"], note, commodity)


def hold(conn: Connection, act: Act, merchant_id: int, fen: int, order_id: str) -> Refused | None:
    """Somebody asked for money of an online top-up back: nobody spends it until that is decided."""
    left = ledger.purse(conn, merchant_id, Commodity.FEN).paid
    if fen > left:
        return Refused("balance_short", {"left": left})
    _hand(conn, act, merchant_id, ASKED, (AVAILABLE, ASKED_ONLINE), fen, order_id)
    return None


def decided(conn: Connection, act: Act, merchant_id: int, fen: int, order_id: str, *, agreed: bool) -> Refused | None:
    """The word on such a refund: the money leaves, or is in the purse again."""
    held = min(fen, ledger.held_by(conn, merchant_id, ASKED_ONLINE, Commodity.FEN, Funds.PAID))
    kind, target = ("refund", REFUND) if agreed else (PUT_BACK, AVAILABLE)
    if held:
        _hand(conn, act, merchant_id, kind, (ASKED_ONLINE, target), held, order_id)
    if agreed and held < fen:  # it was asked for before such money was held
        return service.refund(conn, act, merchant_id, Commodity.FEN, fen - held, order_id)
    return None


def waiting(conn: Connection, operator_id: int) -> Sequence[RowMapping]:
    """Merchants of whose purse something waits for a second person before the office pays it out, and how much."""
    query = (
        select(merchant.c.merchant_id, merchant.c.name, merchant.c.asked_back_by, balance.c.commodity, balance.c.amount)
        .join(balance, balance.c.merchant_id == merchant.c.merchant_id)
        .where(merchant.c.operator_id == operator_id, balance.c.account == ASKED_BACK, balance.c.amount > 0)
    )
    return conn.execute(query.order_by(merchant.c.merchant_id)).mappings().all()


def _hand(
    conn: Connection,
    act: Act,
    merchant_id: int,
    kind: str,
    accounts: tuple[str, str],
    amount: int,
    note: str = "",
    commodity: Commodity = Commodity.FEN,
) -> None:
    """Carry value from one account to another, and say who did it."""
    subject, said = f"merchant:{merchant_id}", "merchant.refunded" if kind == "refund" else f"merchant.{kind}"
    entry = ledger.Entry(act.operator_id, merchant_id, act.uuid(), kind, subject, act.by, act.now_ms, note)
    ledger.post(conn, entry, move(*accounts, amount, commodity, Funds.PAID))
    by_hand.follow(conn, act, merchant_id)
    audit.record(conn, act, said, subject, reason=note, after={"commodity": commodity.value, "amount": amount})
