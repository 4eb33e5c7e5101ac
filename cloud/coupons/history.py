"""What became of one coupon, step by step (S1.37, S1.42)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, select

from cloud.coupons import rebinding, records
from cloud.coupons.claiming import DRIVER
from cloud.coupons.life import State
from cloud.coupons.tables import coupon, coupon_batch, redemption
from cloud.lots import service as lots


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened; *plate* where it changed or was used, *off_fen* where something was taken off."""

    at_ms: int
    what: str
    by: str = ""
    plate: str = ""
    note: str = ""
    off_fen: int = 0


def of(
    conn: Connection, operator_id: int, coupon_id: str, merchant_id: int | None
) -> tuple[RowMapping, list[Step]] | None:
    """A coupon and its steps in order; None as *merchant_id*: any merchant's."""
    query = select(coupon).where(coupon.c.coupon_id == coupon_id, coupon.c.operator_id == operator_id)
    if merchant_id is not None:
        query = query.where(coupon.c.merchant_id == merchant_id)
    row = conn.execute(query).mappings().one_or_none()
    if row is None:
        return None
    steps = [_made(conn, row), *_bindings(conn, row), *_uses(conn, row), *_ending(row)]
    return row, sorted(steps, key=lambda step: step.at_ms)


def _made(conn: Connection, row: RowMapping) -> Step:
    query = select(coupon_batch.c.way).where(coupon_batch.c.batch_id == row["batch_id"])
    way = conn.execute(query).scalar_one_or_none() if row["batch_id"] else None
    return Step(row["issued_ms"], f"made_{(way or 'direct').lower()}", row["issued_by"])


def _bindings(conn: Connection, row: RowMapping) -> list[Step]:
    moves = rebinding.moves(conn, row["coupon_id"])
    moved = [Step(one["made_ms"], "rebound", one["made_by"], one["to_plate"], one["reason"]) for one in moves]
    if row["bound_ms"] is None:
        return []
    first = moves[0]["from_plate"] if moves else row["plate"]
    return [Step(row["bound_ms"], "bound", row["issued_by"] if row["wallet_id"] is None else DRIVER, first), *moved]


def _uses(conn: Connection, row: RowMapping) -> list[Step]:
    of_it = select(redemption).where(redemption.c.subject == f"coupon:{row['coupon_id']}")
    steps, stay_ids = [], {row["stay_id"]}
    for used in conn.execute(of_it).mappings():
        stay_ids.add(used["stay_id"])
        steps.append(Step(used["redeemed_ms"], "redeemed", plate=row["plate"], off_fen=used["off_fen"]))
        if used["restored_ms"] is not None:
            steps.append(Step(used["restored_ms"], "restored"))
    steps += [
        Step(at_ms, "given_back", plate=row["plate"], off_fen=fen)
        for at_ms, fen in lots.given_back(conn, stay_ids, f"coupon:{row['coupon_id']}")
    ]
    return steps


def _ending(row: RowMapping) -> list[Step]:
    if records.shown(row) in ("EXPIRED", "EXPIRING"):
        return [Step(row["expires_ms"], "expired")]
    if row["voided_ms"] is None:
        return []
    what = "reclaimed" if row["state"] == State.RECLAIMED.value else "voided"
    return [Step(row["voided_ms"], what, note=row["void_reason"])]
