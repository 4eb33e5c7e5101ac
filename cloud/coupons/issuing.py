"""Coupons straight to a car inside: paid out of a purse, and on their way to its lot (S1.32, S1.33, S2.19)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, select

from cloud.access import audit, staff
from cloud.act import Act, Refused, or_nothing
from cloud.coupons import daily, hearing, limiting, means
from cloud.coupons.life import CUSTOM, MINUTE_MS, MOST_VALUE, State, coupon_kind
from cloud.coupons.means import Means
from cloud.coupons.reserving import RESERVED, carry
from cloud.coupons.tables import coupon, coupon_template
from cloud.coupons.template import FIND
from cloud.coupons.template import terms as template_terms
from cloud.hooks.service import LISTENING
from cloud.lots import edges as lot_edges
from cloud.lots import service as lots
from cloud.merchants import contracts, ledger
from cloud.merchants import service as merchants
from cloud.merchants.contracts import Cost
from cloud.prepared import Answers, Found, Prepared, Questions, adding
from cloud.sync.channels import STANDING, add_row, put_row
from domain.coupon.model import CouponKind
from domain.ledger import AVAILABLE, OUTSTANDING, free_account
from domain.serial import make_serial

MOST_AT_ONCE = 20  # coupons to one car in one step (S2.19)

_GIFT = Questions(account=merchants.GIVER, template=FIND)
_TO_A_CAR = Questions(
    account=merchants.GIVER,
    template=FIND,
    stay=lots.OPEN_STAY,
    contract=contracts.current(lots.LOT_OF_STAY),
    daily=staff.DAILY,
    **limiting.questions(lots.LOT_OF_STAY, lots.PLATE_OF_STAY),
)
_BOOKS = Questions(left=ledger.LEFT, hook=LISTENING, head=audit.HEAD)
_BOOKS_AND_LINE = Questions(line=STANDING, left=ledger.LEFT, hook=LISTENING, head=audit.HEAD)  # locked in this order
_ADD = Prepared(adding(coupon, coupon.c.keys()))
_LATER = dict.fromkeys(coupon.c.keys()) | {"pass_id": "", "kept_by": ""}


@dataclass(frozen=True, slots=True)
class Issued:
    """A coupon is on its way to the lot; of several given in one step, the last."""

    coupon_id: str
    serial: str


@dataclass(frozen=True, slots=True)
class Gift:
    """Who gives what; *branch_id* 0: the merchant itself."""

    account: Found
    template: Found
    kind: CouponKind
    value: int
    branch_id: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is spent, by which edge, and what that costs. *anywhere*: its claim may choose another lot (E9)."""

    lot_id: int
    edge_id: str
    cost: Cost
    anywhere: bool = False


@dataclass(frozen=True, slots=True)
class Car:
    """The car it is bound to; *stay_id* is empty while it is not inside, both while nobody has claimed it."""

    plate: str = ""
    stay_id: str = ""


def issue(
    conn: Connection,
    act: Act,
    merchant_id: int,
    template_id: int,
    stay_id: str,
    value: int = 0,
    branch_id: int = 0,
    count: int = 1,
) -> Issued | Refused:
    """Give *count* coupons of a template to a car inside: take their cost from the purse and send them to the lot.

    *value* is that of a custom kind (S1.28). A balance may be spent down to exactly zero (Q2); the month's free
    allotment goes first, then bonus, then paid (E15). What was bought ahead costs nothing more (S2.18).
    Of several, all are given or none (S2.19); a pass is several for whichever stays come (E10).
    """
    if not 0 < count <= MOST_AT_ONCE:
        return Refused("count_malformed", {"most": MOST_AT_ONCE})
    asked = {**_whose(act, merchant_id, template_id), "of_stay": stay_id, "of_login": act.by}
    answers = _TO_A_CAR(conn, asked)
    gift = _gift(answers, value, branch_id)
    if isinstance(gift, Refused):
        return gift
    stay = answers["stay"]
    if stay is None:
        return Refused("stay_not_inside")
    edge_id = stay["lot_edge"] or lot_edges.edge_of_lot(conn, stay["lot_id"])
    place = _place(gift, stay["lot_id"], edge_id, answers["contract"])
    if isinstance(place, Refused):
        return place
    ask = limiting.Ask(place.lot_id, merchant_id, template_id, stay["plate"], stay_id, count)
    over = limiting.judged(conn, act, ask, answers)
    if over is not None:
        return over
    uses, most = template_terms(gift.template).uses, staff.daily(answers["daily"])
    if most is not None:
        of_staff = daily.over(conn, act, most, merchant_id, place.lot_id, count, place.cost, uses)
        if of_staff is not None:
            return of_staff
    car = Car(stay["plate"], stay["stay_id"])
    if count == 1 and uses == 1:
        return _give(conn, act, gift, place, car, count)  # refused before anything is written
    return or_nothing(_give)(conn, act, gift, place, car, count)


def _give(conn: Connection, act: Act, gift: Gift, place: Place, car: Car, count: int) -> Issued | Refused:
    """*count* coupons one after another, up to the first that is refused."""
    given: Issued | Refused = Refused("count_malformed", {"most": MOST_AT_ONCE})
    uses = template_terms(gift.template).uses
    for _ in range(count):
        whole = {"pass_id": act.uuid()} if uses > 1 else {}
        for _ in range(uses):  # each use of a pass is a coupon of its own, for whichever stay comes (E10)
            row = make(conn, act, gift, place, Car(car.plate) if whole else car, State.BOUND, **whole)
            if isinstance(row, Refused):
                return row
            given = Issued(str(row["coupon_id"]), str(row["serial"]))
    return given


def gift_of(
    conn: Connection, act: Act, merchant_id: int, template_id: int, value: int, branch_id: int = 0
) -> Gift | Refused:
    """What a merchant wants to give, or the first reason against it."""
    return _gift(_GIFT(conn, _whose(act, merchant_id, template_id)), value, branch_id)


def _whose(act: Act, merchant_id: int, template_id: int) -> dict[str, object]:
    of = {"of_operator": act.operator_id, "of_merchant": merchant_id, "of_template": template_id}
    return {**of, "at_ms": act.now_ms}


def _gift(answers: Answers, value: int, branch_id: int) -> Gift | Refused:
    account, template = answers["account"], answers["template"]
    if account is None:
        return Refused("merchant_unknown")
    if not account["enabled"]:
        return Refused("merchant_disabled")
    if account["payment_mode"] is None:
        return Refused("settlement_missing")
    if account["is_overdue"]:
        return Refused("statement_overdue")
    if template is None:
        return Refused("template_unknown")
    is_custom = template["kind"] in CUSTOM
    if is_custom and not 0 < value <= MOST_VALUE:
        return Refused("value_malformed")
    worth = value if is_custom else template["value"]
    return Gift(account, template, coupon_kind(template["kind"]), worth, branch_id)


def place_of(conn: Connection, gift: Gift, lot_id: int) -> Place | Refused:
    """What *gift* costs at a lot and which edge will honour it there."""
    contract = contracts.current_contract(conn, gift.account["merchant_id"], lot_id)
    return _place(gift, lot_id, lot_edges.edge_of_lot(conn, lot_id), contract)


def _place(gift: Gift, lot_id: int, edge_id: str | None, contract: Found | None) -> Place | Refused:
    if edge_id is None:
        return Refused("lot_without_edge")
    cost = means.cost(contract, gift.template, gift.kind, gift.value)
    return cost if isinstance(cost, Refused) else Place(lot_id, edge_id, cost)


def make(
    conn: Connection, act: Act, gift: Gift, place: Place, car: Car, state: State, **more: object
) -> dict[str, object] | Refused:
    """One coupon in *state*, its cost held for it from now on; a bound one is sent to its lot.

    Returns its row. *more*: further columns.
    """
    merchant_id, cost = gift.account["merchant_id"], place.cost
    purse = means.purse(conn, act, merchant_id, place.lot_id, cost, gift.branch_id)
    if isinstance(purse, Refused):
        return purse
    asked = {"of_operator": act.operator_id, "of_merchant": merchant_id, "of_commodity": cost.commodity.value}
    allotment = free_account(0 if place.anywhere else place.lot_id)  # that of a lot nobody knows yet is not spent
    asked |= {"the_purse": purse, "the_allotment": allotment, "edge": place.edge_id, "of": "coupons"}
    books = (_BOOKS_AND_LINE if state is State.BOUND else _BOOKS)(conn, asked)
    paid_by = means.find(conn, act, merchant_id, place.lot_id, gift.template, cost, purse, books["left"] or {})
    if isinstance(paid_by, Refused):
        return paid_by
    row = _new_coupon(act, gift, place, car, paid_by) | {"state": state.value, **more}
    _ADD(conn, _LATER | row)
    serial = str(row["serial"])
    entry = ledger.Entry(act.operator_id, merchant_id, act.uuid(), "coupon.issued", serial, act.by, act.now_ms)
    ledger.post(conn, entry, carry(row, AVAILABLE, OUTSTANDING))
    after = {"template": gift.template["template_id"], "stay": car.stay_id}
    audit.record(conn, act, "coupon.issued", f"coupon:{serial}", after=after, head=books["head"])
    if books["hook"] is not None:
        hearing.tell(conn, row, act.now_ms, "coupon.issued", *(["coupon.bound"] if state is State.BOUND else []))
    if state is State.BOUND:
        told = for_edge(row, gift.template, gift.account["name"])
        key, line = str(row["coupon_id"]), books["line"]
        add_row(conn, act.operator_id, place.edge_id, "coupons", key, told, act.now_ms, line)
    return row


def _new_coupon(act: Act, gift: Gift, place: Place, car: Car, paid_by: Means) -> dict[str, object]:
    expires_ms = act.now_ms + gift.template["valid_min"] * MINUTE_MS
    return {
        "coupon_id": act.uuid(),
        "operator_id": act.operator_id,
        "merchant_id": gift.account["merchant_id"],
        "template_id": gift.template["template_id"],
        "lot_id": place.lot_id,
        "edge_id": place.edge_id,
        "anywhere": place.anywhere,
        "serial": make_serial(act.now_ms, int(gift.account["account_no"]), act.below(1 << 32)),
        "stay_id": car.stay_id,
        "plate": car.plate,
        "kind": gift.kind.value,
        "value": gift.value,
        **{name: paid_by.parts.get(funds, 0) for funds, name in RESERVED.items()},
        "purse": paid_by.purse,
        "branch_id": gift.branch_id,
        "contract_version": place.cost.version,
        "cap_fen": place.cost.hold.ceiling_fen,
        "commodity": place.cost.commodity.value,
        "issued_ms": act.now_ms,
        "bound_ms": act.now_ms if car.plate else None,
        "expires_ms": min(expires_ms, paid_by.until_ms or expires_ms),
        "is_expired": False,
        "issued_by": act.by,
        "void_reason": "",
    }


def for_edge(row: Mapping[str, object], template: Found, merchant: str) -> dict[str, object]:
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
        "issued_ms": row["bound_ms"] or row["issued_ms"],
        **({"terms": small} if (small := json.loads(template["terms"])) else {}),
        **({"pass_id": row["pass_id"]} if row.get("pass_id") else {}),
    }


def tell_again(conn: Connection, row: RowMapping, now_ms: int) -> None:
    """Send a coupon to its lot once more: its use was taken back."""
    query = select(coupon_template).where(coupon_template.c.template_id == row["template_id"])
    account = merchants.get(conn, row["operator_id"], row["merchant_id"])
    told = for_edge(dict(row), conn.execute(query).mappings().one(), account["name"] if account else "")
    put_row(conn, row["operator_id"], row["edge_id"], "coupons", row["coupon_id"], told, now_ms)
