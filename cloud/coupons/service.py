"""What merchants give drivers: templates, coupons straight to a car inside, and taking them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, RowMapping, insert, select, update

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.coupons.tables import coupon, coupon_template, voucher
from cloud.db import new_id, paged
from cloud.lots import edges as lot_edges
from cloud.lots import service as lots
from cloud.merchants import contracts, credit, ledger
from cloud.merchants import service as merchants
from cloud.merchants.contracts import Cost
from cloud.merchants.statements import Fact
from cloud.sync import parked
from cloud.sync.channels import put_row
from domain.coupon.model import CouponKind, Meaning, Remainder
from domain.events import CouponRedeemed
from domain.ledger import (
    AVAILABLE,
    OUTSTANDING,
    REDEEMED,
    VOID_PENDING,
    Commodity,
    Funds,
    Posting,
    free_account,
    move,
    take,
)
from domain.serial import make_serial
from plumbing.web.paging import Page

MINUTE_MS = 60_000
MOST_VALUE = 10_000_000  # fen or minutes: more is a slip of the finger
RESERVED = {Funds.FREE: "reserved_free", Funds.BONUS: "reserved_bonus", Funds.PAID: "reserved_paid"}
"""Columns of a coupon by the kind of funds, in the order in which they are spent."""
MOST_NAMED = 500  # subjects in one question to the database


class Kind(StrEnum):
    """The five kinds of S1.24."""

    AMOUNT = "AMOUNT"
    AMOUNT_CUSTOM = "AMOUNT_CUSTOM"
    DURATION = "DURATION"
    DURATION_CUSTOM = "DURATION_CUSTOM"
    FULL_WAIVER = "FULL_WAIVER"


CUSTOM = {Kind.AMOUNT_CUSTOM: CouponKind.AMOUNT, Kind.DURATION_CUSTOM: CouponKind.DURATION}
"""Kinds whose value is typed at issue (S1.28), and what such a coupon is."""


def coupon_kind(kind: str) -> CouponKind:
    """What a coupon of a template of *kind* is."""
    return CUSTOM[Kind(kind)] if kind in CUSTOM else CouponKind(kind)


class State(StrEnum):
    """A coupon's life (E1). VOID_PENDING: withdrawn, and the lot may not know yet."""

    CREATED = "CREATED"
    PRINTED = "PRINTED"
    CLAIMABLE = "CLAIMABLE"
    BOUND = "BOUND"
    RESERVED = "RESERVED"
    REDEEMED = "REDEEMED"
    EXPIRED = "EXPIRED"
    VOID_PENDING = "VOID_PENDING"
    VOIDED = "VOIDED"
    RECLAIMED = "RECLAIMED"


MOVES: dict[State, frozenset[State]] = {
    State.CREATED: frozenset({State.PRINTED, State.CLAIMABLE, State.BOUND, State.VOIDED}),
    State.PRINTED: frozenset({State.BOUND, State.REDEEMED, State.EXPIRED, State.VOID_PENDING}),
    State.CLAIMABLE: frozenset({State.BOUND, State.EXPIRED, State.VOIDED, State.RECLAIMED}),
    State.BOUND: frozenset({State.RESERVED, State.REDEEMED, State.EXPIRED, State.VOID_PENDING}),
    State.RESERVED: frozenset({State.BOUND, State.REDEEMED, State.VOID_PENDING}),
    State.EXPIRED: frozenset({State.REDEEMED, State.VOID_PENDING}),
    State.VOID_PENDING: frozenset({State.VOIDED}),
    State.REDEEMED: frozenset({State.BOUND}),  # the end of the stay that used it was taken back
    State.VOIDED: frozenset(),
    State.RECLAIMED: frozenset(),
}
"""The moves E1 allows; an expired coupon may still turn out to have been used at a lane that had not reported."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A coupon is on its way to the lot."""

    coupon_id: str
    serial: str


def create_template(
    conn: Connection,
    act: Act,
    merchant_id: int,
    name: str,
    kind: str,
    value: int,
    *,
    meaning: str = "end",
    cap_fen: int = 0,
    valid_min: int = 24 * 60,
    remainder: str = Remainder.FORFEIT,
) -> int | Refused:
    """A template; it can be deleted, never changed (S1.27)."""
    if merchants.get(conn, act.operator_id, merchant_id) is None:
        return Refused("merchant_unknown")
    if not name.strip():
        return Refused("name_missing")
    if kind not in set(Kind):
        return Refused("kind_not_offered", {"kind": kind})
    without = kind == Kind.FULL_WAIVER or kind in CUSTOM
    if (without and value) or (not without and not 0 < value <= MOST_VALUE):
        return Refused("value_malformed")
    if meaning not in set(Meaning) or not 0 <= cap_fen <= MOST_VALUE or not 0 < valid_min <= 60 * 24 * 400:
        return Refused("template_malformed")
    if remainder not in set(Remainder):
        return Refused("template_malformed")
    template_id = new_id(
        conn,
        insert(coupon_template).values(
            operator_id=act.operator_id,
            merchant_id=merchant_id,
            name=name.strip(),
            kind=str(kind),
            value=value,
            cap_fen=cap_fen,
            meaning=meaning,
            remainder=str(remainder),
            valid_min=valid_min,
            created_ms=act.now_ms,
        ),
    )
    audit.record(conn, act, "template.created", f"template:{template_id}", after={"kind": str(kind), "value": value})
    tell_template(conn, act.operator_id, template_id, act.now_ms)
    return template_id


def delete_template(conn: Connection, act: Act, merchant_id: int, template_id: int) -> Refused | None:
    """Issue nothing more from it; coupons already out are not touched."""
    done = conn.execute(
        update(coupon_template)
        .where(
            coupon_template.c.template_id == template_id,
            coupon_template.c.operator_id == act.operator_id,
            coupon_template.c.merchant_id == merchant_id,
            coupon_template.c.deleted_ms.is_(None),
        )
        .values(deleted_ms=act.now_ms)
    )
    if done.rowcount != 1:
        return Refused("template_unknown")
    audit.record(conn, act, "template.deleted", f"template:{template_id}")
    tell_template(conn, act.operator_id, template_id, act.now_ms)
    return None


def templates(conn: Connection, operator_id: int, merchant_id: int | None = None) -> Sequence[RowMapping]:
    """Templates that may be issued from, oldest first."""
    query = select(coupon_template).where(
        coupon_template.c.operator_id == operator_id, coupon_template.c.deleted_ms.is_(None)
    )
    if merchant_id is not None:
        query = query.where(coupon_template.c.merchant_id == merchant_id)
    return conn.execute(query.order_by(coupon_template.c.template_id)).mappings().all()


def tell_template(conn: Connection, operator_id: int, template_id: int, now_ms: int) -> None:
    """Give every edge of the operator the template (channel ``rules``).

    A deleted one stays there, marked: what was printed from it keeps its worth, nothing more is issued.
    """
    row = conn.execute(select(coupon_template).where(coupon_template.c.template_id == template_id)).mappings().one()
    value = {name: row[name] for name in ("template_id", "merchant_id", "name", "kind", "value", "cap_fen", "meaning")}
    value |= {"remainder": row["remainder"], "valid_min": row["valid_min"]}
    if row["deleted_ms"] is not None:
        value |= {"deleted": True}
    for edge_id in lot_edges.operator_edges(conn, operator_id):
        put_row(conn, operator_id, edge_id, "rules", f"template:{template_id}", value, now_ms)


def tell_templates(conn: Connection, operator_id: int, now_ms: int) -> None:
    """Give every edge every template there ever was: a new edge honours what the one before it printed."""
    ids = select(coupon_template.c.template_id).where(coupon_template.c.operator_id == operator_id)
    for template_id in conn.execute(ids.order_by(coupon_template.c.template_id)).scalars().all():
        tell_template(conn, operator_id, template_id, now_ms)


def issue(
    conn: Connection, act: Act, merchant_id: int, template_id: int, stay_id: str, value: int = 0
) -> Issued | Refused:
    """Give a coupon of a template to a car inside: take its cost from the purse and send it to the lot (S1.32, S1.33).

    *value* is that of a custom kind (S1.28). A balance may be spent down to exactly zero (Q2); the month's free
    allotment goes first, then bonus, then paid (E15).
    """
    gift = _gift(conn, act, merchant_id, template_id, stay_id, value)
    if isinstance(gift, Refused):
        return gift
    purse = ledger.purse(conn, merchant_id, gift.cost.commodity)
    free = contracts.free_left(conn, act, merchant_id, gift.stay["lot_id"], gift.cost.commodity)
    parts = dict(take(gift.cost.amount, purse.bonus, purse.paid, free))
    if gift.cost.amount and not parts:
        return Refused("balance_short", {"left": free + purse.total, "needed": gift.cost.amount})
    row = _new_coupon(act, gift, parts)
    conn.execute(insert(coupon).values(**row))
    serial, coupon_id = str(row["serial"]), str(row["coupon_id"])
    entry = ledger.Entry(act.operator_id, merchant_id, act.uuid(), "coupon.issued", serial, act.by, act.now_ms)
    ledger.post(conn, entry, carry(row, AVAILABLE, OUTSTANDING))
    told = _for_edge(row, gift.template, gift.account["name"])
    put_row(conn, act.operator_id, gift.edge_id, "coupons", coupon_id, told, act.now_ms)
    audit.record(conn, act, "coupon.issued", f"coupon:{serial}", after={"template": template_id, "stay": stay_id})
    return Issued(coupon_id, serial)


@dataclass(frozen=True, slots=True)
class _Gift:
    """Who gives what to which car, and what it costs."""

    account: RowMapping
    template: RowMapping
    stay: RowMapping
    edge_id: str
    kind: CouponKind
    value: int
    cost: Cost


def _gift(conn: Connection, act: Act, merchant_id: int, template_id: int, stay_id: str, value: int) -> _Gift | Refused:
    """Everything an issue needs, or the first reason against it."""
    operator_id = act.operator_id
    account = merchants.get(conn, operator_id, merchant_id)
    if account is None:
        return Refused("merchant_unknown")
    if not account["enabled"]:
        return Refused("merchant_disabled")
    if account["payment_mode"] is None:
        return Refused("settlement_missing")
    if credit.is_overdue(conn, merchant_id, act.now_ms):
        return Refused("statement_overdue")
    template = _template(conn, operator_id, merchant_id, template_id)
    if template is None:
        return Refused("template_unknown")
    is_custom = template["kind"] in CUSTOM
    if is_custom and not 0 < value <= MOST_VALUE:
        return Refused("value_malformed")
    kind = coupon_kind(template["kind"])
    worth = value if is_custom else template["value"]
    stay = lots.open_stay(conn, operator_id, stay_id)
    if stay is None:
        return Refused("stay_not_inside")
    edge_id = lot_edges.edge_of_lot(conn, stay["lot_id"])
    if edge_id is None:
        return Refused("lot_without_edge")
    cost = contracts.cost(conn, merchant_id, stay["lot_id"], kind, worth, template["cap_fen"])
    return cost if isinstance(cost, Refused) else _Gift(account, template, stay, edge_id, kind, worth, cost)


def _new_coupon(act: Act, gift: _Gift, parts: dict[Funds, int]) -> dict[str, object]:
    template, stay = gift.template, gift.stay
    return {
        "coupon_id": act.uuid(),
        "operator_id": act.operator_id,
        "merchant_id": gift.account["merchant_id"],
        "template_id": template["template_id"],
        "lot_id": stay["lot_id"],
        "edge_id": gift.edge_id,
        "serial": make_serial(act.now_ms, int(gift.account["account_no"]), act.below(1 << 32)),
        "stay_id": stay["stay_id"],
        "plate": stay["plate"],
        "kind": gift.kind.value,
        "value": gift.value,
        "state": State.BOUND.value,
        "reserved_bonus": parts.get(Funds.BONUS, 0),
        "reserved_paid": parts.get(Funds.PAID, 0),
        "reserved_free": parts.get(Funds.FREE, 0),
        "contract_version": gift.cost.version,
        "cap_fen": gift.cost.hold.ceiling_fen,
        "commodity": gift.cost.commodity.value,
        "issued_ms": act.now_ms,
        "expires_ms": act.now_ms + template["valid_min"] * MINUTE_MS,
        "is_expired": False,
        "issued_by": act.by,
        "void_reason": "",
    }


def _template(conn: Connection, operator_id: int, merchant_id: int, template_id: int) -> RowMapping | None:
    query = select(coupon_template).where(
        coupon_template.c.template_id == template_id,
        coupon_template.c.operator_id == operator_id,
        coupon_template.c.merchant_id == merchant_id,
        coupon_template.c.deleted_ms.is_(None),
    )
    return conn.execute(query).mappings().one_or_none()


def _for_edge(row: Mapping[str, object], template: RowMapping, merchant: str) -> dict[str, object]:
    """The row of channel ``coupons``: all an exit needs to apply the coupon without asking."""
    return {
        "coupon_id": row["coupon_id"],
        "serial": row["serial"],
        "plate": row["plate"],
        "stay_id": row["stay_id"],
        "kind": row["kind"],
        "value": row["value"],
        "cap_fen": row["cap_fen"],
        "meaning": template["meaning"],
        "remainder": template["remainder"],
        "merchant_id": row["merchant_id"],
        "merchant": merchant,
        "template_id": row["template_id"],
        "not_after_ms": row["expires_ms"],
    }


def tell_again(conn: Connection, row: RowMapping, now_ms: int) -> None:
    """Send a coupon to its lot once more: its use was taken back."""
    query = select(coupon_template).where(coupon_template.c.template_id == row["template_id"])
    account = merchants.get(conn, row["operator_id"], row["merchant_id"])
    told = _for_edge(dict(row), conn.execute(query).mappings().one(), account["name"] if account else "")
    put_row(conn, row["operator_id"], row["edge_id"], "coupons", row["coupon_id"], told, now_ms)


def carry(row: RowMapping | dict[str, object], source: str, target: str) -> tuple[Posting, ...]:
    """Postings that move a coupon's whole reserved value, each kind of funds by itself."""
    return _carried(row, source, target, reserved_parts(row))


def reserved_parts(row: RowMapping | dict[str, object]) -> dict[Funds, int]:
    """What is reserved for a coupon, in the order in which it is spent."""
    return {funds: int(str(row[name])) for funds, name in RESERVED.items()}


def _carried(
    row: RowMapping | dict[str, object], source: str, target: str, parts: dict[Funds, int]
) -> tuple[Posting, ...]:
    """A free allotment has an account of its own for each lot, in place of ``available``."""
    commodity, free = Commodity(str(row["commodity"])), free_account(int(str(row["lot_id"])))
    legs: tuple[Posting, ...] = ()
    for funds, amount in parts.items():
        names = [free if name == AVAILABLE and funds is Funds.FREE else name for name in (source, target)]
        legs += move(names[0], names[1], amount, commodity, funds)
    return legs


def charge(row: RowMapping, amount: int) -> tuple[Posting, ...]:
    """Postings that charge *amount* of what is reserved for a coupon; the rest goes back where it came from."""
    used, rest = _shares(row, amount)
    return (*_carried(row, OUTSTANDING, REDEEMED, used), *_carried(row, OUTSTANDING, AVAILABLE, rest))


def uncharge(conn: Connection, row: RowMapping) -> tuple[tuple[Posting, ...], dict[str, int]]:
    """Postings that hold a used coupon's value again, and what is reserved now.

    Of the rest that went back only what is still there: then the coupon is worth no less, the merchant is charged less.
    """
    used, rest = _shares(row, row["charged"] or 0)
    for funds, amount in rest.items():
        account = free_account(row["lot_id"]) if funds is Funds.FREE else AVAILABLE
        held = ledger.held_by(conn, row["merchant_id"], account, Commodity(row["commodity"]), funds)
        rest[funds] = min(amount, max(0, held))
    legs = (*_carried(row, REDEEMED, OUTSTANDING, used), *_carried(row, AVAILABLE, OUTSTANDING, rest))
    return legs, {name: used[funds] + rest[funds] for funds, name in RESERVED.items()}


def _shares(row: RowMapping, amount: int) -> tuple[dict[Funds, int], dict[Funds, int]]:
    """What is reserved, split into *amount* and the rest."""
    reserved = reserved_parts(row)
    parts = take(amount, reserved[Funds.BONUS], reserved[Funds.PAID], reserved[Funds.FREE])
    used = dict.fromkeys(Funds, 0) | dict(parts)
    return used, {funds: held - used[funds] for funds, held in reserved.items()}


def void(conn: Connection, act: Act, coupon_id: str, reason: str, merchant_id: int | None = None) -> Refused | None:
    """Withdraw an unused coupon; its value comes back once the lot provably knows (E2, sync §7).

    One whose use was reported and set aside counts as used: applied on time, it would have been (I16).
    """
    query = select(coupon).where(coupon.c.coupon_id == coupon_id, coupon.c.operator_id == act.operator_id)
    if merchant_id is not None:
        query = query.where(coupon.c.merchant_id == merchant_id)
    row = conn.execute(query.with_for_update()).mappings().one_or_none()
    if row is None:
        return Refused("coupon_unknown")
    if State.VOID_PENDING not in MOVES[State(row["state"])]:
        return Refused("coupon_not_voidable", {"state": row["state"]})
    if not reason.strip():
        return Refused("reason_missing")
    if any(used.get("coupon_id") == coupon_id for used in parked.payloads(conn, row["edge_id"], CouponRedeemed.TYPE)):
        return Refused("coupon_in_parked_event")
    version = put_row(conn, act.operator_id, row["edge_id"], "coupons", coupon_id, None, act.now_ms)
    conn.execute(
        update(coupon)
        .where(coupon.c.coupon_id == coupon_id)
        .values(state=State.VOID_PENDING.value, voided_ms=act.now_ms, void_reason=reason.strip(), void_version=version)
    )
    entry = ledger.Entry(
        act.operator_id, row["merchant_id"], act.uuid(), "coupon.voided", row["serial"], act.by, act.now_ms, reason
    )
    ledger.post(conn, entry, carry(row, OUTSTANDING, VOID_PENDING))
    audit.record(conn, act, "coupon.voided", f"coupon:{row['serial']}", reason=reason)
    return None


def release_voids(conn: Connection, edge_id: str, channel_version: int, now_ms: int, cause: str) -> int:
    """Return the value of voided coupons whose void is in *channel_version* of the edge's coupons channel or before.

    Call only when the edge holds that version and its log is applied up to the moment it came to hold it: then no
    redemption from before is on its way. A car that had settled with the coupon and had not yet left may still redeem
    it; that is at the operator's expense. *cause* names the event that showed it. Returns how many.
    """
    rows = conn.execute(
        select(coupon)
        .where(
            coupon.c.edge_id == edge_id,
            coupon.c.state == State.VOID_PENDING.value,
            coupon.c.void_version <= channel_version,
        )
        .order_by(coupon.c.coupon_id)
        .with_for_update()
    ).mappings()
    released = 0
    for row in rows.all():
        entry = ledger.Entry(
            row["operator_id"],
            row["merchant_id"],
            f"release:{row['coupon_id']}",
            "coupon.released",
            row["serial"],
            cause,
            now_ms,
        )
        ledger.post(conn, entry, carry(row, VOID_PENDING, AVAILABLE))
        conn.execute(update(coupon).where(coupon.c.coupon_id == row["coupon_id"]).values(state=State.VOIDED.value))
        released += 1
    return released


def record_expiries(conn: Connection, operator_id: int, now_ms: int) -> int:
    """Mark coupons past their time. Nothing is given back for that alone: a lane may not have reported yet (E3)."""
    done = conn.execute(
        update(coupon)
        .where(
            coupon.c.operator_id == operator_id,
            coupon.c.state == State.BOUND.value,
            coupon.c.expires_ms < now_ms,
            coupon.c.is_expired.is_(False),
        )
        .values(is_expired=True)
    )
    return done.rowcount


def facts(conn: Connection, subjects: Sequence[str]) -> dict[str, Fact]:
    """What the coupons and vouchers named in the books were worth, and what they took off (E19)."""
    known: dict[str, Fact] = {}
    given = select(coupon.c.serial, coupon.c.lot_id, coupon.c.value, coupon.c.off_fen)
    for start in range(0, len(subjects), MOST_NAMED):
        part = subjects[start : start + MOST_NAMED]
        for row in conn.execute(given.where(coupon.c.serial.in_(part))):
            known[row.serial] = Fact(row.lot_id, row.value, row.off_fen or 0)
    printed = select(voucher, coupon_template.c.value).join(
        coupon_template, coupon_template.c.template_id == voucher.c.template_id
    )
    for name in subjects:
        if name.startswith("voucher:"):
            key_id, counter = map(int, name.removeprefix("voucher:").split("-"))
            its = (voucher.c.key_id == key_id) & (voucher.c.counter == counter)
            for slip in conn.execute(printed.where(its)):
                known[name] = Fact(slip.lot_id, slip.value, slip.off_fen or 0)
    return known


def coupons(
    conn: Connection, operator_id: int, merchant_id: int | None = None, search: str = "", page: int = 1
) -> Page[RowMapping]:
    """Coupons newest first; *search* is part of a serial or plate (S1.38)."""
    query = select(coupon).where(coupon.c.operator_id == operator_id)
    if merchant_id is not None:
        query = query.where(coupon.c.merchant_id == merchant_id)
    if search:
        query = query.where(coupon.c.serial.like(f"%{search}%") | coupon.c.plate.like(f"%{search}%"))
    return paged(conn, query.order_by(coupon.c.issued_ms.desc(), coupon.c.coupon_id), page)


def vouchers(conn: Connection, operator_id: int, merchant_id: int | None = None, page: int = 1) -> Page[RowMapping]:
    """Vouchers printed at lots, newest first."""
    query = select(voucher).where(voucher.c.operator_id == operator_id)
    if merchant_id is not None:
        query = query.where(voucher.c.merchant_id == merchant_id)
    return paged(conn, query.order_by(voucher.c.issued_ms.desc(), voucher.c.key_id, voucher.c.counter.desc()), page)
