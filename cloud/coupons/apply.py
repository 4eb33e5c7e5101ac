"""Coupons used and vouchers printed, used and withdrawn at the lots: what that does to the books (sync §7).

The first redemption that is applied is the one the merchant pays for, once (I9); anything later, and anything the
merchant had provably withdrawn, is the operator's loss and an incident. A car that left has left: facts are never
refused.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from cloud.coupons import expiring_papers, hearing, issuing, reserving, voiding
from cloud.coupons.expiring_papers import OUT, WITHDRAWN, carry, held_in, paper_name
from cloud.coupons.life import MOVES, State, coupon_kind
from cloud.coupons.tables import coupon, coupon_template, redemption, voucher
from cloud.lots import edges as lot_edges
from cloud.lots import incidents as lot_incidents
from cloud.merchants import contracts, leases, ledger
from cloud.merchants.apply import charge_lease
from cloud.sync.channels import put_row
from cloud.sync.context import ApplyContext, MoneyApplier
from cloud.sync.errors import CannotApplyError
from domain import contract
from domain.contract import Terms
from domain.coupon.model import Remainder
from domain.events import (
    ChannelApplied,
    CouponKept,
    CouponRedeemed,
    CouponRestored,
    Envelope,
    VoucherIssued,
    VoucherPrinted,
    VoucherRedeemed,
    VoucherRestored,
    VoucherVoided,
)
from domain.ledger import (
    AVAILABLE,
    OPERATOR_LOSS,
    OUTSTANDING,
    REDEEMED,
    UNFUNDED,
    VOID_PENDING,
    Commodity,
    Funds,
    Posting,
    move,
)

USED = "REDEEMED"
_TOO_LATE = {State.REDEEMED: "coupon_used_again", State.EXPIRED: "coupon_used_after_end"}
_PAPER_TOO_LATE = {USED: "voucher_used_again", State.EXPIRED.value: "voucher_used_after_end"}
_UNUSED = (OUT, State.EXPIRING.value)

_IS_IT = (voucher.c.key_id == bindparam("of_key")) & (voucher.c.counter == bindparam("of_counter"))
_VOUCHER = select(voucher).where(_IS_IT).with_for_update()
_ADD_VOUCHER = insert(voucher)
_PRINTED = update(voucher).where(_IS_IT).values(print_state=bindparam("now"))
_ENDED = (
    update(voucher).where(_IS_IT).values(state=bindparam("now"), off_fen=bindparam("off"), charged=bindparam("cost"))
)
_ADD_REDEMPTION = insert(redemption)
_REDEMPTION = select(redemption.c.subject).where(redemption.c.redemption_id == bindparam("of_redemption"))
_TEMPLATE = select(coupon_template.c.kind, coupon_template.c.remainder).where(
    coupon_template.c.template_id == bindparam("of_template")
)


def voucher_issued(conn: Connection, ctx: ApplyContext, envelope: Envelope, event: VoucherIssued) -> None:
    """``voucher.issued``: lease to outstanding; what the lease cannot pay is the operator's."""
    if not lot_edges.count_voucher(conn, ctx.edge_id, event.key_id, event.counter):
        raise CannotApplyError(f"key {event.key_id} is not this edge's", event.lease_id)
    if _voucher(conn, event.key_id, event.counter) is not None:
        raise CannotApplyError(f"voucher {event.key_id}-{event.counter} was issued before", event.lease_id)
    charged = charge_lease(
        conn,
        ctx,
        envelope,
        lease_id=event.lease_id,
        merchant_id=event.merchant_id,
        amount=event.amount,
        subject=paper_name(event.key_id, event.counter),
        by=event.by,
        fallback=_counted_in(conn, ctx, event, envelope.moment.wall_ms),
    )
    conn.execute(
        _ADD_VOUCHER,
        {
            "key_id": event.key_id,
            "counter": event.counter,
            "operator_id": ctx.operator_id,
            "edge_id": ctx.edge_id,
            "lot_id": ctx.lot_id,
            "lease_id": event.lease_id,
            "merchant_id": event.merchant_id,
            "template_id": event.template_id,
            "reserved": charged.reserved,
            "unfunded": charged.unfunded,
            "commodity": charged.commodity.value,
            "funds": charged.funds.value,
            "cap_fen": event.cap_fen,
            "not_after_min": event.not_after_min,
            "print_state": "printing",
            "state": OUT,
            "issued_ms": envelope.moment.wall_ms,
            "issued_by": event.by,
        },
    )
    leases.count_paper(conn, event.lease_id, event.template_id)
    if charged.why:
        _incident(conn, ctx, envelope, charged.why, f"{paper_name(event.key_id, event.counter)}: {charged.unfunded}")


def _counted_in(conn: Connection, ctx: ApplyContext, event: VoucherIssued, at_ms: int) -> Commodity:
    """Minutes or money, by the contract of the day; money for a template nobody knows."""
    row = conn.execute(_TEMPLATE, {"of_template": event.template_id}).one_or_none()
    if row is None:
        return Commodity.FEN
    version = contracts.version_on(conn, event.merchant_id, ctx.lot_id, at_ms)
    terms = contracts.terms_at(conn, event.merchant_id, ctx.lot_id, version)
    return contract.hold(terms, coupon_kind(row.kind), 0).commodity


def _charge(conn: Connection, terms: Terms, template_id: int, held: int, off_fen: int) -> int:
    """What the merchant owes of what is held; all of it for a template nobody knows."""
    row = conn.execute(_TEMPLATE, {"of_template": template_id}).one_or_none()
    if row is None:
        return held
    return contract.charge(terms, coupon_kind(row.kind), held, max(0, off_fen), Remainder(row.remainder))


def voucher_printed(conn: Connection, ctx: ApplyContext, envelope: Envelope, event: VoucherPrinted) -> None:
    """``voucher.printed``: money stays held whatever the printer did."""
    _own_voucher(conn, ctx, event.key_id, event.counter)
    conn.execute(_PRINTED, {"of_key": event.key_id, "of_counter": event.counter, "now": event.state})


def voucher_redeemed(conn: Connection, ctx: ApplyContext, envelope: Envelope, event: VoucherRedeemed) -> None:
    """``voucher.redeemed``: charged once, also past its end until its value went back; later the operator pays."""
    row = _own_voucher(conn, ctx, event.key_id, event.counter)
    name = paper_name(event.key_id, event.counter)
    if _known_redemption(conn, event.redemption_id, name):
        return
    charged = row["state"] in _UNUSED
    _redeemed(conn, ctx, envelope, name, event.redemption_id, event.stay_id, event.off_fen, charged=charged)
    if not charged:
        code = _PAPER_TOO_LATE.get(row["state"], "voucher_used_after_void")
        _lose(conn, ctx, envelope, row["merchant_id"], name, event.off_fen, code)
        return
    version = contracts.version_on(conn, row["merchant_id"], row["lot_id"], row["issued_ms"])
    terms = contracts.terms_at(conn, row["merchant_id"], row["lot_id"], version)
    held = row["reserved"]
    charge = _charge(conn, terms, row["template_id"], held, event.off_fen)
    ended = {"of_key": event.key_id, "of_counter": event.counter, "now": USED, "off": event.off_fen}
    conn.execute(_ENDED, ended | {"cost": charge})
    source = held_in(row)
    legs = (*carry(row, source, REDEEMED, charge), *carry(row, source, AVAILABLE, held - charge))
    _post(conn, ctx, envelope, row["merchant_id"], name, legs)


def voucher_voided(conn: Connection, ctx: ApplyContext, envelope: Envelope, event: VoucherVoided) -> None:
    """``voucher.voided``: the only lot that could redeem it says it never will, so its value returns at once.

    That of one past its end may have returned before.
    """
    row = _own_voucher(conn, ctx, event.key_id, event.counter)
    name = paper_name(event.key_id, event.counter)
    if row["state"] == State.EXPIRED.value:
        return
    if row["state"] not in _UNUSED:
        _incident(conn, ctx, envelope, "void_refused", f"{name} is {row['state']}")
        return
    ended = {"of_key": event.key_id, "of_counter": event.counter, "now": WITHDRAWN, "off": None, "cost": None}
    conn.execute(_ENDED, ended)
    withdrawn = carry(row, OUTSTANDING, VOID_PENDING) if row["state"] == OUT else ()
    legs = (*withdrawn, *carry(row, VOID_PENDING, AVAILABLE))
    _post(conn, ctx, envelope, row["merchant_id"], name, legs, by=event.by, note=event.reason)


def coupon_redeemed(conn: Connection, ctx: ApplyContext, envelope: Envelope, event: CouponRedeemed) -> None:
    """``coupon.redeemed``: charged once; used before its lot had heard of a void, the operator pays.

    One withdrawn because its time was over is charged all the same until its value went back (E3).
    """
    row = (
        conn.execute(
            select(coupon)
            .where(coupon.c.coupon_id == event.coupon_id, coupon.c.operator_id == ctx.operator_id)
            .with_for_update()
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise CannotApplyError(f"no coupon {event.coupon_id}")
    if row["lot_id"] != ctx.lot_id:
        raise CannotApplyError(f"coupon {event.coupon_id} is bound to another lot")
    subject = f"coupon:{event.coupon_id}"
    if _known_redemption(conn, event.redemption_id, subject):
        return
    charged = _is_due(row, event.stay_id)
    _redeemed(conn, ctx, envelope, subject, event.redemption_id, event.stay_id, event.off_fen, charged=charged)
    if not charged:
        code = _TOO_LATE.get(State(row["state"]), "coupon_used_after_void")
        _lose(conn, ctx, envelope, row["merchant_id"], row["serial"], event.off_fen, code)
        return
    terms = contracts.terms_at(conn, row["merchant_id"], row["lot_id"], row["contract_version"])
    held = sum(reserving.reserved_parts(row).values())
    bought = bool(row["reserved_bought"])  # paid for as a whole when it was bought
    charge = held if bought else _charge(conn, terms, row["template_id"], held, event.off_fen)
    conn.execute(
        update(coupon)
        .where(coupon.c.coupon_id == event.coupon_id)
        .values(state=State.REDEEMED.value, redeemed_ms=envelope.moment.wall_ms, off_fen=event.off_fen, charged=charge)
    )
    _post(conn, ctx, envelope, row["merchant_id"], row["serial"], reserving.charge(conn, row, charge, ctx.now_ms))
    hearing.tell(conn, row, ctx.now_ms, "coupon.redeemed", off_fen=event.off_fen, charged=charge)
    put_row(conn, ctx.operator_id, row["edge_id"], "coupons", event.coupon_id, None, ctx.now_ms)


def _is_due(row: RowMapping, stay_id: str) -> bool:
    """Does its use come in time? One a person withdrew counts only for the car that had paid with it before."""
    state = State(row["state"])
    return State.REDEEMED in MOVES[state] and (state is not State.VOID_PENDING or row["kept_by"] == stay_id)


def coupon_kept(conn: Connection, ctx: ApplyContext, envelope: Envelope, event: CouponKept) -> None:
    """``coupon.kept``: what is withdrawn by now and was paid with before waits until that car has left."""
    keeping = expiring_papers if ":" in event.ref else voiding
    keeping.keep(conn, ctx.edge_id, event.ref, event.stay_id)


def coupon_restored(conn: Connection, ctx: ApplyContext, envelope: Envelope, event: CouponRestored) -> None:
    """``coupon.restored``: what its redemption moved goes back, and the lot gets the coupon's row again."""
    subject = f"coupon:{event.coupon_id}"
    used = _take_back(conn, ctx, event.redemption_id, subject)
    if used is None:
        return
    query = select(coupon).where(coupon.c.coupon_id == event.coupon_id, coupon.c.edge_id == ctx.edge_id)
    row = conn.execute(query.with_for_update()).mappings().one_or_none()
    if row is None:
        raise CannotApplyError(f"no coupon {event.coupon_id} of this edge")
    if not used["charged"]:
        _find(conn, ctx, envelope, row["merchant_id"], row["serial"], used["off_fen"])
        return
    legs, reserved = reserving.uncharge(conn, row, ctx.now_ms)
    values = {"state": State.BOUND.value, "redeemed_ms": None, "off_fen": None, "charged": None, "kept_by": ""}
    conn.execute(update(coupon).where(coupon.c.coupon_id == event.coupon_id).values(**values, **reserved))
    _post(conn, ctx, envelope, row["merchant_id"], row["serial"], legs)
    issuing.tell_again(conn, row, ctx.now_ms)


def voucher_restored(conn: Connection, ctx: ApplyContext, envelope: Envelope, event: VoucherRestored) -> None:
    """``voucher.restored``: the voucher is out again, its value held for it."""
    row = _own_voucher(conn, ctx, event.key_id, event.counter)
    name = paper_name(event.key_id, event.counter)
    used = _take_back(conn, ctx, event.redemption_id, name)
    if used is None:
        return
    if not used["charged"]:
        _find(conn, ctx, envelope, row["merchant_id"], name, used["off_fen"])
        return
    funds, commodity = Funds(row["funds"]), Commodity(row["commodity"])
    charged = row["charged"] or 0
    left = ledger.held_by(conn, row["merchant_id"], AVAILABLE, commodity, funds)
    rest = min(row["reserved"] - charged, max(0, left))  # of what went back, what is still there
    ended = {"of_key": event.key_id, "of_counter": event.counter, "now": OUT, "off": None, "cost": None}
    conn.execute(_ENDED, ended)
    conn.execute(update(voucher).where(_IS_IT).values(reserved=charged + rest), ended)
    legs = (*carry(row, REDEEMED, OUTSTANDING, charged), *carry(row, AVAILABLE, OUTSTANDING, rest))
    _post(conn, ctx, envelope, row["merchant_id"], name, legs)
    expiring_papers.take_back(conn, row, ctx.now_ms)


def _take_back(conn: Connection, ctx: ApplyContext, redemption_id: str, subject: str) -> RowMapping | None:
    """Mark a redemption as taken back; None when it was before. Raises CannotApplyError when it is not known here."""
    query = select(redemption).where(redemption.c.redemption_id == redemption_id, redemption.c.lot_id == ctx.lot_id)
    used = conn.execute(query.with_for_update()).mappings().one_or_none()
    if used is None or used["subject"] != subject:
        raise CannotApplyError(f"no redemption {redemption_id} of {subject}")
    if used["restored_ms"] is not None:
        return None
    conn.execute(update(redemption).where(redemption.c.redemption_id == redemption_id).values(restored_ms=ctx.now_ms))
    return used


def _find(
    conn: Connection, ctx: ApplyContext, envelope: Envelope, merchant_id: int, subject: str, off_fen: int
) -> None:
    """What the operator lost by a later use comes back with it."""
    legs = move(UNFUNDED, OPERATOR_LOSS, off_fen, Commodity.FEN, Funds.PAID)
    _post(conn, ctx, envelope, merchant_id, subject, legs, note="use_taken_back")


def voids_known(conn: Connection, ctx: ApplyContext, envelope: Envelope, event: ChannelApplied) -> None:
    """``channel.applied``: everything the edge did before it knew of these voids and ends is applied by now."""
    known = ctx.edge_id, event.version, ctx.now_ms, ctx.event_id(envelope)
    if event.channel == "coupons":
        voiding.release_voids(conn, *known)
    if event.channel == expiring_papers.CHANNEL:
        expiring_papers.release(conn, *known)


def _voucher(conn: Connection, key_id: int, counter: int) -> RowMapping | None:
    return conn.execute(_VOUCHER, {"of_key": key_id, "of_counter": counter}).mappings().one_or_none()


def _own_voucher(conn: Connection, ctx: ApplyContext, key_id: int, counter: int) -> RowMapping:
    row = _voucher(conn, key_id, counter)
    if row is None:
        raise CannotApplyError(f"no voucher {key_id}-{counter}")
    if row["lot_id"] != ctx.lot_id:
        raise CannotApplyError(f"voucher {key_id}-{counter} is another lot's")
    return row


def _known_redemption(conn: Connection, redemption_id: str, subject: str) -> bool:
    """True when this very redemption was applied before; the same id for something else cannot be applied."""
    known = conn.execute(_REDEMPTION, {"of_redemption": redemption_id}).scalar_one_or_none()
    if known is not None and known != subject:
        raise CannotApplyError(f"redemption {redemption_id} belongs to {known}")
    return known is not None


def _redeemed(
    conn: Connection,
    ctx: ApplyContext,
    envelope: Envelope,
    subject: str,
    redemption_id: str,
    stay_id: str,
    off_fen: int,
    *,
    charged: bool,
) -> None:
    conn.execute(
        _ADD_REDEMPTION,
        {
            "redemption_id": redemption_id,
            "operator_id": ctx.operator_id,
            "event_id": ctx.event_id(envelope),
            "lot_id": ctx.lot_id,
            "subject": subject,
            "stay_id": stay_id,
            "off_fen": off_fen,
            "charged": charged,
            "redeemed_ms": envelope.moment.wall_ms,
        },
    )


def _lose(
    conn: Connection, ctx: ApplyContext, envelope: Envelope, merchant_id: int, subject: str, off_fen: int, code: str
) -> None:
    if off_fen < 0:
        raise CannotApplyError("a negative amount off")
    legs = move(OPERATOR_LOSS, UNFUNDED, off_fen, Commodity.FEN, Funds.PAID)
    _post(conn, ctx, envelope, merchant_id, subject, legs, note=code)
    _incident(conn, ctx, envelope, code, f"{subject}: {off_fen}")


def _post(
    conn: Connection,
    ctx: ApplyContext,
    envelope: Envelope,
    merchant_id: int,
    subject: str,
    legs: tuple[Posting, ...],
    *,
    by: str = "",
    note: str = "",
) -> None:
    entry = ledger.Entry(
        ctx.operator_id,
        merchant_id,
        ctx.event_id(envelope),
        envelope.type,
        subject,
        by or f"edge:{ctx.edge_id}",
        envelope.moment.wall_ms,
        note,
    )
    ledger.post(conn, entry, legs)


def _incident(conn: Connection, ctx: ApplyContext, envelope: Envelope, code: str, detail: str) -> None:
    lot_incidents.raise_incident(
        conn,
        ctx.operator_id,
        f"{ctx.event_id(envelope)}:{code}",
        code,
        detail,
        envelope.moment.wall_ms,
        lot_id=ctx.lot_id,
        edge_id=ctx.edge_id,
    )


MONEY: Final[dict[str, MoneyApplier]] = {
    "voucher.issued": voucher_issued,
    "voucher.printed": voucher_printed,
    "voucher.redeemed": voucher_redeemed,
    "voucher.voided": voucher_voided,
    "voucher.restored": voucher_restored,
    "coupon.redeemed": coupon_redeemed,
    "coupon.restored": coupon_restored,
    "coupon.kept": coupon_kept,
    "channel.applied": voids_known,
}
