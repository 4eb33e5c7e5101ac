"""Money that phones paid: every fen of it was taken by a lot once, or is on its way back, once."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from edge.db import phone
from edge.services.checking import check_books
from tests.simulator.violations import ViolationError

if TYPE_CHECKING:
    from tests.simulator.nodes import EdgeNode
    from tests.simulator.world import World

PROMISE = "pay-once"


def check_phone(world: World) -> None:
    """What must hold once everybody has heard everything."""
    with world.cloud.looking() as cloud:
        _check_orders(cloud)
        for node in world.edges.values():
            with node.looking() as conn:
                _check_lot(cloud, node, conn)


def _check_orders(cloud: sqlite3.Connection) -> None:
    for payment_id, order_id, state, used, back in cloud.execute(
        "SELECT payment_id, order_id, state, used_fen, back_fen FROM phone_fee"
    ).fetchall():
        if state == "paid":
            raise ViolationError(PROMISE, f"payment {payment_id}: the lot never said what it did with it")
        paid = _sum(cloud, "SELECT sum(paid_fen) FROM pay_try WHERE state = 'paid' AND order_id = ?", order_id)
        given = _sum(cloud, "SELECT sum(amount_fen) FROM pay_refund WHERE order_id = ?", order_id)
        if paid != used + given or given < back:
            raise ViolationError(PROMISE, f"payment {payment_id}: {paid} paid, {used} used, {given} go back")


def _check_lot(cloud: sqlite3.Connection, node: EdgeNode, conn: sqlite3.Connection) -> None:
    if phone.untaken(conn):
        raise ViolationError(PROMISE, f"{node.name}: payments were told and not taken")
    wrong = check_books(conn)
    if wrong:
        raise ViolationError(PROMISE, f"{node.name}: {wrong}")
    told = _sum(cloud, "SELECT sum(used_fen) FROM phone_fee WHERE lot_id = ?", node.lot_id)
    taken = _sum(conn, "SELECT sum(amount) FROM posting WHERE account = ?", "phone")
    if told != taken:
        raise ViolationError(PROMISE, f"{node.name}: took {taken} by phone, the cloud was told of {told}")


def _sum(conn: sqlite3.Connection, query: str, value: object) -> int:
    return int(conn.execute(query, (value,)).fetchone()[0] or 0)
