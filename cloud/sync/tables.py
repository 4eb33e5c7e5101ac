"""Tables of the line to the edges: logs as received, channels and commands as sent."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from cloud.db import metadata

edge_cursor = Table(  # locked while a batch of this edge is applied: it keeps their order
    "edge_cursor",
    metadata,
    Column("edge_id", ForeignKey("edge.edge_id"), primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("head", LargeBinary, nullable=False),  # chain hash at seq
    Column("told_seq", BigInteger, nullable=False),  # where the edge last said its own log ends: backlog = this - seq
    Column("boot", Text, nullable=False),
    Column("sid", Text, nullable=False),  # session of the last hello
    Column("caps", Text, nullable=False),  # JSON, as announced
    Column("printers", Text, nullable=False, server_default="{}"),  # JSON: its printers' looks, as announced
    Column("hello_ms", BigInteger),
    Column("seen_ms", BigInteger),
)

inbox = Table(  # every event as its bytes came; append-only but for the reason it is parked for
    "inbox",
    metadata,
    Column("edge_id", Text, primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("tv", Integer, nullable=False),
    Column("wall_ms", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("parked_why", Text),
    Column("lease_id", BigInteger),  # of a parked event: later ones on this lease park too
)
Index(
    "ix_inbox_parked",
    inbox.c.edge_id,
    inbox.c.lease_id,
    sqlite_where=inbox.c.parked_why.is_not(None),
    postgresql_where=inbox.c.parked_why.is_not(None),
)

anchor = Table(  # clock comparisons of one boot of an edge (sync section 8)
    "anchor",
    metadata,
    Column("edge_id", Text, primary_key=True),
    Column("boot", Text, primary_key=True),
    Column("boot_ms", BigInteger, primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("utc_ms", BigInteger, nullable=False),
    Column("uncertainty_ms", BigInteger, nullable=False),
)

channel_version = Table(
    "channel_version",
    metadata,
    Column("edge_id", ForeignKey("edge.edge_id"), primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("ver", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),  # 64 bucket sums of our rows, kept up with every change
    Column("held_ver", BigInteger, nullable=False),  # what the edge last said it holds
    Column("held_digest", Text, nullable=False),
)

channel_row = Table(
    "channel_row",
    metadata,
    Column("edge_id", ForeignKey("edge.edge_id"), primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("ver", BigInteger, nullable=False),
    Column("value", Text),  # canonical JSON; NULL: removed
    Column("changed_ms", BigInteger, nullable=False),
)
Index("ix_channel_row_edge_id_channel_ver", channel_row.c.edge_id, channel_row.c.channel, channel_row.c.ver)

command = Table(
    "command",
    metadata,
    Column("edge_id", ForeignKey("edge.edge_id"), primary_key=True),
    Column("cmd_seq", BigInteger, primary_key=True),
    Column("operator_id", BigInteger, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),  # canonical JSON
    Column("expires_ms", BigInteger),
    Column("state", Text, nullable=False),  # waiting, sent, done
    Column("result", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
)
Index("ix_command_edge_id_state", command.c.edge_id, command.c.state)
