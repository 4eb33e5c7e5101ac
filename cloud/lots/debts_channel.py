"""What plates owe elsewhere, told to an operator's other lots (channel ``debts``): to be shown there, never collected.

Only the lot where a debt arose takes its money, so that no outage can make two lots take it. Told from a job, for an
edge that catches up must not wait for it.
"""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping, select

from cloud.lots import arrears
from cloud.lots.edges import BELIEVED
from cloud.lots.tables import edge
from cloud.sync.channels import put_row, rows_of
from domain.wire import Json

CHANNEL = "debts"
MOST = 2_000  # the newest an edge is told of: more than that no attendant looks at


def tell_debts(conn: Connection, operator_id: int, now_ms: int) -> int:
    """Bring the channel of every edge up to date; returns how many rows changed."""
    edges = conn.execute(
        select(edge.c.edge_id, edge.c.lot_id).where(edge.c.operator_id == operator_id, edge.c.state.in_(BELIEVED))
    ).all()
    if len({one.lot_id for one in edges}) < 2:
        return 0
    debts = arrears.every(conn, operator_id)
    changed = 0
    for edge_id, lot_id in edges:
        elsewhere = [row for row in debts if row["lot_id"] != lot_id][:MOST]
        changed += _bring_up(conn, operator_id, edge_id, {row["debt_id"]: _value(row) for row in elsewhere}, now_ms)
    return changed


def _bring_up(conn: Connection, operator_id: int, edge_id: str, wanted: dict[str, Json], now_ms: int) -> int:
    held = {key: value for key, value in rows_of(conn, edge_id, CHANNEL)}
    differing = [key for key in sorted(wanted.keys() | held.keys()) if wanted.get(key) != held.get(key)]
    for key in differing:
        put_row(conn, operator_id, edge_id, CHANNEL, key, wanted.get(key), now_ms)
    return len(differing)


def _value(row: RowMapping) -> Json:
    return {
        "plate": row["plate"],
        "lot": row["lot_name"],
        "left_fen": int(row["left_fen"]),
        "since_ms": int(row["recorded_ms"]),
    }
