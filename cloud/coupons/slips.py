"""A voucher printed at a lot, bound to a plate on a phone (docs/vouchers.md).

The home lot alone decides, from its own used set, whether the slip is used (docs/decisions/0006). So the cloud asks
for nothing and promises nothing: it tells that lot which plate the slip is for. The lot then takes it off by itself
when the car leaves, and honours the paper for no other car.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select

from cloud.access import audit
from cloud.act import Act, Refused
from cloud.coupons import expiring_papers, limiting
from cloud.coupons.claiming import Claimed, Offered
from cloud.coupons.expiring_papers import CHANNEL, row_key
from cloud.coupons.life import CUSTOM, MINUTE_MS, coupon_kind
from cloud.coupons.tables import coupon_template, voucher, voucher_binding
from cloud.lots import edges as lot_edges
from cloud.lots import service as lots
from cloud.merchants import service as merchants
from cloud.sync.channels import put_row, rows_of
from domain import voucher as paper
from domain.moment import Moment, Quality
from domain.plate import mask

BOUND = "BOUND"
KEPT_MS = 7 * 86_400_000  # how long after its end a lot is still told whose a slip was
ENDED = {"REDEEMED": "slip_used", "VOIDED": "slip_withdrawn"}


@dataclass(frozen=True, slots=True)
class Slip:
    """A genuine slip: what it says, what the cloud knows of it, and the plate it is bound to ("" for none)."""

    payload: paper.Payload
    template: RowMapping
    ended: str
    plate: str


def find(conn: Connection, act: Act, token: str, verify: paper.Verify) -> Slip | Refused:
    """The slip of a token, or why it is none: forged, expired, withdrawn, another operator's."""
    keys = lot_edges.voucher_keys(conn, act.operator_id)
    said = paper.peek(token)
    now = Moment("cloud", 0, act.now_ms, Quality.CLOUD)
    checked = paper.check(token, keys, verify, now, said.home_lot if said else 0)
    if isinstance(checked, paper.Refused):
        return Refused("slip_expired" if checked.code is paper.Refusal.EXPIRED else "slip_unknown")
    payload = checked.payload
    query = select(coupon_template).where(
        coupon_template.c.template_id == payload.template_id, coupon_template.c.operator_id == act.operator_id
    )
    template = conn.execute(query).mappings().one_or_none()
    if template is None or template["kind"] in CUSTOM:
        return Refused("slip_unknown")
    return Slip(payload, template, _ended(conn, payload), _plate(conn, payload))


def _ended(conn: Connection, payload: paper.Payload) -> str:
    """As far as its lot has told: it may know more."""
    query = select(voucher.c.state).where(voucher.c.key_id == payload.key_id, voucher.c.counter == payload.counter)
    return ENDED.get(conn.execute(query).scalar_one_or_none() or "", "")


def _plate(conn: Connection, payload: paper.Payload) -> str:
    query = select(voucher_binding.c.plate).where(
        voucher_binding.c.key_id == payload.key_id, voucher_binding.c.counter == payload.counter
    )
    return conn.execute(query).scalar_one_or_none() or ""


def refusal(slip: Slip) -> Refused | None:
    """Why it can be bound to no plate any more, or None."""
    if slip.ended:
        return Refused(slip.ended)
    return Refused("slip_bound") if slip.plate else None


def offered(conn: Connection, operator_id: int, slip: Slip) -> Offered:
    """The slip as a driver's page shows it."""
    payload, account = slip.payload, merchants.get(conn, operator_id, slip.payload.merchant_id)
    face: Mapping[Any, Any] = {
        "kind": coupon_kind(slip.template["kind"]).value,
        "value": slip.template["value"],
        "serial": paper.number(payload),
        "state": "PRINTED",
        "expires_ms": payload.not_after_min * MINUTE_MS,
    }
    lot = lots.name_of(conn, operator_id, payload.home_lot)
    return Offered(face, slip.template, account["name"] if account else "", lot)


def bind(conn: Connection, act: Act, token: str, plate: str, verify: paper.Verify) -> Claimed | Refused:
    """Tell the home lot that the slip is for *plate* (normal form). Saying the same plate again changes nothing."""
    slip = find(conn, act, token, verify)
    if isinstance(slip, Refused):
        return slip
    payload = slip.payload
    stay = lots.open_stay_of(conn, act.operator_id, payload.home_lot, plate)
    told = Claimed(offered(conn, act.operator_id, slip), plate, stay is not None, "")
    if slip.plate == plate and not slip.ended:
        return told
    edge_id = lot_edges.edge_of_lot(conn, payload.home_lot)
    stay_id = "" if stay is None else stay["stay_id"]
    ask = limiting.Ask(payload.home_lot, payload.merchant_id, payload.template_id, plate, stay_id, is_paper=True)
    refused = refusal(slip) or (Refused("lot_without_edge") if edge_id is None else limiting.refusal(conn, act, ask))
    if refused is not None or edge_id is None:
        return refused or Refused("lot_without_edge")
    its = {"key_id": payload.key_id, "counter": payload.counter}
    where = {"operator_id": act.operator_id, "lot_id": payload.home_lot}
    conn.execute(insert(voucher_binding).values(**its, **where, plate=plate, bound_ms=act.now_ms))
    put_row(conn, act.operator_id, edge_id, CHANNEL, row_key(*payload.voucher_id), _row(slip, plate), act.now_ms)
    audit.record(conn, act, "voucher.bound", f"voucher:{paper.number(payload)}", after={"plate": mask(plate)})
    return told


def _row(slip: Slip, plate: str) -> dict[str, Any]:
    """All the lot needs to take it off without the paper."""
    payload = slip.payload
    return {
        "state": BOUND,
        "plate": plate,
        "template_id": payload.template_id,
        "merchant_id": payload.merchant_id,
        "cap_fen": payload.cap_fen,
        "not_after_min": payload.not_after_min,
        "span_h": payload.span_h,
    }


def forget(conn: Connection, operator_id: int, now_ms: int) -> None:
    """Take papers that ended long ago off the lots' lists; what a lot still has to hear of stays."""
    waiting = expiring_papers.waiting(conn, operator_id)
    for edge_id in lot_edges.operator_edges(conn, operator_id):
        for key, row in rows_of(conn, edge_id, CHANNEL):
            ended_min = row.get("not_after_min")
            if ended_min is not None and int(ended_min) * MINUTE_MS + KEPT_MS < now_ms and key not in waiting:
                put_row(conn, operator_id, edge_id, CHANNEL, key, None, now_ms)
