"""What became of a coupon or a printed voucher whose number somebody shows (S3.21, S3.22): looked at, never redeemed.

A parking coupon is used by the lot that lets the car out (S1.40), so a verifier has nothing to confirm here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, select

from cloud.coupons import papers, records
from cloud.coupons.expiring_papers import OUT
from cloud.coupons.life import MINUTE_MS, State
from cloud.coupons.tables import coupon, coupon_template
from cloud.lots import edges as lot_edges
from cloud.lots import service as lots
from cloud.merchants import service as merchants
from cloud.reach import EVERY, Lots
from domain import voucher as paper
from domain.moment import Moment, Quality

_NUMBER: Final = re.compile(r"[0-9]{1,9}-[0-9]{1,9}", re.ASCII)
LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class Verdict:
    """One coupon or voucher as it stands: *row* has its kind and value, *state* is a key of the catalogue."""

    row: Mapping[str, Any] | RowMapping
    number: str
    state: str
    is_good: bool
    merchant: str
    lot: str
    plate: str
    until_ms: int
    issued_ms: int | None
    redeemed_ms: int | None
    off_fen: int


def look(
    conn: Connection, operator_id: int, typed: str, verify: paper.Verify, now_ms: int, within: Lots = EVERY
) -> Verdict | None:
    """What *typed* is: a coupon's serial, a voucher's number, or what the code on a voucher says; None for nothing."""
    text = typed.strip()[:LONGEST].upper()
    token = paper.strip_to_token(text)
    if paper.peek(token) is not None:
        return _of_token(conn, operator_id, token, verify, now_ms, within)
    if _NUMBER.fullmatch(text):
        return _of_paper(conn, operator_id, text, now_ms, within)
    return _of_serial(conn, operator_id, text, now_ms, within)


def _of_serial(conn: Connection, operator_id: int, serial: str, now_ms: int, within: Lots) -> Verdict | None:
    query = (
        select(coupon, coupon_template.c.name.label("template_name"))
        .join(coupon_template, coupon_template.c.template_id == coupon.c.template_id)
        .where(coupon.c.serial == serial, coupon.c.operator_id == operator_id, within.hold(coupon.c.lot_id))
    )
    row = conn.execute(query).mappings().one_or_none()
    if row is None:
        return None
    state = records.shown(row)
    if state == State.BOUND and row["expires_ms"] <= now_ms:
        state = State.EXPIRED.value
    return Verdict(
        row, row["serial"], f"coupon.{state}", state == State.BOUND, *_names(conn, operator_id, row), row["plate"],
        row["expires_ms"], row["issued_ms"], row["redeemed_ms"], row["off_fen"] or 0,
    )  # fmt: skip


def _of_paper(conn: Connection, operator_id: int, number: str, now_ms: int, within: Lots) -> Verdict | None:
    """A paper its lot has told of."""
    key_id, counter = map(int, number.split("-"))
    row = conn.execute(papers.one(operator_id, key_id, counter)).mappings().one_or_none()
    if row is None or row["kind"] is None or row["lot_id"] not in within:
        return None
    stay = lots.stays(conn, operator_id, [row["of_stay"]]).get(row["of_stay"])
    is_out, until_ms = row["state"] == OUT, row["not_after_min"] * MINUTE_MS
    state = f"coupon.{State.EXPIRED.value}" if is_out and until_ms <= now_ms else f"voucher.{row['state']}"
    return Verdict(
        row, number, state, is_out and now_ms < until_ms, *_names(conn, operator_id, row),
        stay["plate"] if stay else "", until_ms, row["issued_ms"], row["redeemed_ms"], row["off_fen"] or 0,
    )  # fmt: skip


def _of_token(
    conn: Connection, operator_id: int, token: str, verify: paper.Verify, now_ms: int, within: Lots
) -> Verdict | None:
    """A paper by its signed code: genuine or nothing, whatever its lot has told so far."""
    said = paper.peek(token)
    if said is None or said.home_lot not in within:
        return None
    begun = Moment("cloud", 0, said.not_after_min * MINUTE_MS - 1, Quality.CLOUD)  # an expired one is told of too
    checked = paper.check(token, lot_edges.voucher_keys(conn, operator_id), verify, begun, said.home_lot)
    if isinstance(checked, paper.Refused):
        return None
    number = paper.number(said)
    known = _of_paper(conn, operator_id, number, now_ms, within)
    return known or _untold(conn, operator_id, said, number, now_ms)


def _untold(conn: Connection, operator_id: int, said: paper.Payload, number: str, now_ms: int) -> Verdict | None:
    query = select(coupon_template).where(
        coupon_template.c.template_id == said.template_id, coupon_template.c.operator_id == operator_id
    )
    template = conn.execute(query).mappings().one_or_none()
    if template is None:
        return None
    of, until_ms = {"merchant_id": said.merchant_id, "lot_id": said.home_lot}, said.not_after_min * MINUTE_MS
    state = "check.untold" if now_ms < until_ms else f"coupon.{State.EXPIRED.value}"
    names = _names(conn, operator_id, of)
    return Verdict(template, number, state, now_ms < until_ms, *names, "", until_ms, None, None, 0)


def _names(conn: Connection, operator_id: int, row: Mapping[str, Any] | RowMapping) -> tuple[str, str]:
    account = merchants.get(conn, operator_id, row["merchant_id"])
    return account["name"] if account else "", lots.name_of(conn, operator_id, row["lot_id"])
