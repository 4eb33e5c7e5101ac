"""Which event has which effect: projections in bulk by type, money one by one in log order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, update

from cloud.access import apply as access
from cloud.coupons import apply as coupons
from cloud.lots import apply as lots
from cloud.merchants import apply as merchants
from cloud.sync import channels
from cloud.sync.context import Applied, ApplyContext, MoneyApplier, Projection
from cloud.sync.tables import command
from domain.events import ChannelApplied, CommandDone


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


PROJECTIONS: Final[dict[str, Projection]] = {
    "channel.applied": _channel_applied,
    "command.done": _command_done,
    **lots.PROJECTIONS,
    **access.PROJECTIONS,
}
"""Event type -> effect without money, in the order in which the types of one batch are applied."""

MONEY: Final[dict[str, MoneyApplier]] = {**merchants.MONEY, **coupons.MONEY}
"""Event type -> effect on the books."""
