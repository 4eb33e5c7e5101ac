"""Acts of people at the lots, added to the one audit log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from cloud.access import audit
from cloud.sync.context import Applied, ApplyContext, Projection


def acts_recorded(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """``act.recorded``: a person at the booth or counter did something."""
    deeds = [
        audit.Deed(event.by, event.act, event.subject, event.reason, envelope.moment.wall_ms, ctx.lot_id)
        for envelope, event in applied
    ]
    audit.append(conn, ctx.operator_id, deeds)


PROJECTIONS: Final[dict[str, Projection]] = {"act.recorded": acts_recorded}
