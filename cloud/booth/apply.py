"""What edges report of shifts: begun, and ended with every sum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection

from cloud.booth.tables import COUNTS, SUMS, booth_shift
from cloud.bulk import insert_new, upsert_own
from cloud.sync.context import Applied, ApplyContext, Projection

_ENDED = ("closed_ms", "closed_by", "takes_over", "reason", *COUNTS, *SUMS, "epoch", "log_seq", "log_head")


def _begun(ctx: ApplyContext, event: Any, by: str, opened_ms: int) -> dict[str, Any]:
    return {
        "shift_id": event.shift_id,
        "operator_id": ctx.operator_id,
        "lot_id": ctx.lot_id,
        "edge_id": ctx.edge_id,
        "number": event.number,
        "workstation": event.workstation,
        "opened_by": by,
        "opened_ms": opened_ms,
    }


def shifts_opened(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``shift.opened``: somebody sits at a drawer."""
    blank = dict.fromkeys((*COUNTS, *SUMS), 0) | {"closed_ms": None, "closed_by": "", "takes_over": "", "reason": ""}
    rows = [
        {
            **_begun(ctx, event, event.by, envelope.moment.wall_ms), **blank, "float_fen": event.float_fen,
            "epoch": ctx.epoch, "log_seq": 0, "log_head": "",
        }
        for envelope, event in applied
    ]  # fmt: skip
    insert_new(conn, booth_shift, rows, "shift_id")


def shifts_closed(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``shift.closed``: the report."""
    rows = [
        {
            **_begun(ctx, event, event.opened_by, event.opened_ms),
            "closed_ms": envelope.moment.wall_ms,
            "closed_by": event.closed_by,
            "takes_over": event.takes_over,
            "reason": event.reason,
            **{name: getattr(event, name) for name in (*COUNTS, *SUMS)},
            "epoch": ctx.epoch,
            "log_seq": event.log_seq,
            "log_head": event.log_head,
        }
        for envelope, event in applied
    ]
    upsert_own(conn, booth_shift, rows, "shift_id", _ENDED)


PROJECTIONS: Final[dict[str, Projection]] = {"shift.opened": shifts_opened, "shift.closed": shifts_closed}
