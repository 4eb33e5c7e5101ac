"""What must hold at every step and at the end, looked up in what both sides have stored."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from typing import TYPE_CHECKING

from domain.sync.channel import Row, digest
from edge.db import channels, log
from tests.simulator import checks_trade
from tests.simulator.nodes import LIMITED, TOTAL
from tests.simulator.violations import ViolationError

if TYPE_CHECKING:
    from tests.simulator.nodes import EdgeNode
    from tests.simulator.world import World

ChannelState = dict[str, tuple[int, str]]  # key -> (version, value)


class Books:
    """What the world remembers of committed states, to compare later ones with."""

    def __init__(self) -> None:
        self.applied: Counter[str] = Counter()  # edge -> events of its log seen in the cloud, in order
        self.states: dict[tuple[str, str, int], ChannelState] = {}  # (edge, channel, version) as committed
        self.held: dict[tuple[str, str], int] = {}  # (edge, channel) -> version last seen at the edge
        self.changes: dict[str, int] = {}

    def has_changed(self, name: str, conn: sqlite3.Connection) -> bool:
        """Was anything written since the last look?"""
        before, self.changes[name] = self.changes.get(name, -1), conn.total_changes
        return before != self.changes[name]

    def look(self, world: World) -> None:
        """Take note of what the cloud has committed. Raises ViolationError when it is not the edges' own history."""
        with world.cloud.looking() as conn:
            if not self.has_changed("cloud", conn):
                return
            checks_trade.check_books(conn)
            for name, node in world.edges.items():
                self._see_inbox(conn, node)
                self._see_channels(conn, name)

    def _see_inbox(self, conn: sqlite3.Connection, node: EdgeNode) -> None:
        known = self.applied[node.name]
        rows = conn.execute(
            "SELECT seq, body FROM inbox WHERE edge_id = ? AND epoch = 1 AND seq > ? ORDER BY seq", (node.name, known)
        )
        for seq, body in rows.fetchall():
            if seq != known + 1:
                raise ViolationError("I5", f"{node.name}: event {seq} applied after {known}")
            if seq > len(node.history) or node.history[seq - 1] != body:
                raise ViolationError("I5", f"{node.name}: event {seq} is not the one the edge wrote")
            known = seq
        self.applied[node.name] = known
        cursor = conn.execute("SELECT seq FROM edge_cursor WHERE edge_id = ?", (node.name,)).fetchone()[0]
        if cursor != known:
            raise ViolationError("I5", f"{node.name}: cursor at {cursor}, {known} events applied")

    def _see_channels(self, conn: sqlite3.Connection, edge: str) -> None:
        versions = conn.execute("SELECT channel, ver FROM channel_version WHERE edge_id = ?", (edge,)).fetchall()
        for channel, version in versions:
            if (edge, channel, version) not in self.states:
                rows = conn.execute(
                    "SELECT key, ver, value FROM channel_row WHERE edge_id = ? AND channel = ? AND value IS NOT NULL",
                    (edge, channel),
                )
                self.states[edge, channel, version] = {key: (ver, value) for key, ver, value in rows}

    def unrest(self, world: World, node: EdgeNode) -> list[str]:
        """Why this edge and the cloud are not done with each other."""
        reasons = []
        with node.looking() as conn, world.cloud.looking() as cloud:
            if node.agent is None or not node.agent.in_session:
                reasons.append(f"{node.name} is not in session")
            if log.backlog(conn):
                reasons.append(f"{node.name} has {log.backlog(conn)} events unacked")
            for channel, version in cloud.execute(
                "SELECT channel, ver FROM channel_version WHERE edge_id = ?", (node.name,)
            ):
                if channels.version(conn, channel) != version:
                    reasons.append(f"{node.name} is behind in {channel}")
            waiting = cloud.execute(
                "SELECT count(*) FROM command WHERE edge_id = ? AND state = 'waiting'", (node.name,)
            ).fetchone()[0]
            if waiting:
                reasons.append(f"{node.name} has {waiting} commands open")
        return reasons


def check_step(world: World) -> None:
    """What must hold between any two steps. Raises ViolationError."""
    world.books.look(world)
    for node in world.edges.values():
        with node.looking() as conn:
            if world.books.has_changed(node.name, conn):
                _check_acked(world, node, conn)
                _check_channels(world.books, node, conn)
                checks_trade.check_trade(node)
                with world.cloud.looking() as cloud:
                    checks_trade.check_leases(cloud, node, conn, settled=False)
                    checks_trade.check_totals(cloud, TOTAL, LIMITED)
                checks_trade.check_papers(node, conn)


def _check_acked(world: World, node: EdgeNode, conn: sqlite3.Connection) -> None:
    """The edge believes nothing to be safe that the cloud could still lose (I6, I7)."""
    acked = log.acked(conn)
    if acked.seq > world.books.applied[node.name]:
        raise ViolationError("I7", f"{node.name}: acked {acked.seq}, the cloud holds {world.books.applied[node.name]}")
    lowest = conn.execute("SELECT coalesce(min(seq), ?) FROM outbox", (acked.seq + 1,)).fetchone()[0]
    if lowest > acked.seq + 1:
        raise ViolationError("I6", f"{node.name}: outbox begins at {lowest}, acked is {acked.seq}")
    newest = log.newest(conn)
    if newest.seq != len(node.history):
        raise ViolationError("I5", f"{node.name}: {newest.seq} events written, {len(node.history)} found in the outbox")


def _check_channels(books: Books, node: EdgeNode, conn: sqlite3.Connection) -> None:
    """A list at the edge is exactly one committed version of the cloud's, and never an older one than before (I17)."""
    for channel, version in conn.execute("SELECT channel, ver FROM applied").fetchall():
        if version < books.held.get((node.name, channel), 0):
            raise ViolationError("I17", f"{node.name}: {channel} went back to {version}")
        books.held[node.name, channel] = version
        rows = conn.execute("SELECT key, ver, value FROM channel_row WHERE channel = ?", (channel,))
        if {key: (ver, value) for key, ver, value in rows} != books.states.get((node.name, channel, version)):
            raise ViolationError("I17", f"{node.name}: rows of {channel} are not those of version {version}")
    strays = conn.execute(
        "SELECT channel FROM channel_row WHERE channel NOT IN (SELECT channel FROM applied) LIMIT 1"
    ).fetchone()
    if strays:
        raise ViolationError("I17", f"{node.name}: rows of {strays[0]} without a version")


def check_at_end(world: World) -> None:
    """What must hold once everybody has heard everything. Raises ViolationError."""
    with world.cloud.looking() as cloud:
        checks_trade.check_postings(cloud)
        checks_trade.check_losses(cloud)
        checks_trade.check_parked(cloud)
        for node in world.edges.values():
            if world.books.applied[node.name] != len(node.history):
                raise ViolationError(
                    "I5", f"{node.name}: {world.books.applied[node.name]} of {len(node.history)} applied"
                )
            with node.looking() as conn:
                _check_digests(cloud, node, conn)
                _check_grants(cloud, node, conn)
                checks_trade.check_leases(cloud, node, conn, settled=True)
                checks_trade.check_lot(node, conn)
                checks_trade.check_cloud_agrees(cloud, node, conn, node.lot_id)


def _check_digests(cloud: sqlite3.Connection, node: EdgeNode, conn: sqlite3.Connection) -> None:
    held = {channel: buckets for channel, (_, buckets) in channels.standing(conn).items()}
    for channel in [row[0] for row in cloud.execute("SELECT DISTINCT channel FROM channel_row")]:
        rows = cloud.execute(
            "SELECT key, ver, value FROM channel_row WHERE edge_id = ? AND channel = ?", (node.name, channel)
        )
        ours = digest(Row(key, ver, json.loads(value) if value else None) for key, ver, value in rows)
        if ours != held[channel]:
            raise ViolationError("I8", f"{node.name}: digests of {channel} differ")


def _check_grants(cloud: sqlite3.Connection, node: EdgeNode, conn: sqlite3.Connection) -> None:
    """A lease grants at the edge what the command said, once (I4)."""
    granted = {
        body["lease_id"]: body["granted"]
        for (text,) in cloud.execute(
            "SELECT body FROM command WHERE edge_id = ? AND kind = 'lease.grant'", (node.name,)
        )
        for body in [json.loads(text)]
    }
    held = {lease_id: amount for lease_id, amount in conn.execute("SELECT lease_id, granted FROM lease")}
    if held != granted:
        raise ViolationError("I4", f"{node.name}: leases {held}, granted were {granted}")
