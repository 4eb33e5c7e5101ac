"""Which event has which effect: projections in bulk by type, money one by one in log order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, select, update

from cloud.access import apply as access
from cloud.booth import apply as booth
from cloud.coupons import apply as coupons
from cloud.fees import apply as fees
from cloud.lots import apply as lots
from cloud.lots.incidents import raise_incident
from cloud.members import apply as members
from cloud.merchants import apply as merchants
from cloud.sync import channels
from cloud.sync.context import Applied, ApplyContext, MoneyApplier, Projection
from cloud.sync.tables import command, inbox
from domain.events import ChannelApplied, CommandDone, LogTotalled, open_envelope


def _channel_applied(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    newest: dict[str, int] = {}
    for _, event in applied:
        assert isinstance(event, ChannelApplied)  # noqa: S101  (the table below says so)
        newest[event.channel] = max(event.version, newest.get(event.channel, 0))
    for channel, version in newest.items():
        channels.set_held(conn, ctx.edge_id, channel, version)


def _command_done(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    for _, event in applied:
        assert isinstance(event, CommandDone)  # noqa: S101
        conn.execute(
            update(command)
            .where(command.c.edge_id == ctx.edge_id, command.c.cmd_seq == event.cmd_seq)
            .values(state="done", result=event.result)
        )


def _log_totalled(conn: Connection, ctx: ApplyContext, applied: Sequence[Applied]) -> None:
    """Compare the lot's figure with what was applied here; a difference is an incident."""
    for envelope, event in applied:
        assert isinstance(event, LogTotalled)  # noqa: S101
        bodies = conn.execute(
            select(inbox.c.body).where(
                inbox.c.edge_id == ctx.edge_id,
                inbox.c.epoch == ctx.epoch,
                inbox.c.seq.between(event.first_seq, event.last_seq),
            )
        ).scalars()
        found = sum(open_envelope(bytes(body)).money_fen() for body in bodies)
        if found != event.total_fen:
            detail = f"events {event.first_seq}-{event.last_seq}: the lot says {event.total_fen} fen, here {found}"
            raise_incident(
                conn,
                ctx.operator_id,
                f"{ctx.event_id(envelope)}:log_total",
                "log_total_differs",
                detail,
                ctx.now_ms,
                lot_id=ctx.lot_id,
                edge_id=ctx.edge_id,
            )


PROJECTIONS: Final[dict[str, Projection]] = {
    "channel.applied": _channel_applied,
    "command.done": _command_done,
    "log.totalled": _log_totalled,
    **lots.PROJECTIONS,
    **access.PROJECTIONS,
    **members.PROJECTIONS,
    **booth.PROJECTIONS,
    **fees.PROJECTIONS,
}
"""Event type -> effect without money, in the order in which the types of one batch are applied."""

MONEY: Final[dict[str, MoneyApplier]] = {**merchants.MONEY, **coupons.MONEY, **fees.MONEY}
"""Event type -> effect on the books."""
