"""Every change of a channel row gets a version of its own, and nothing else does."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, insert

from cloud.lots.tables import edge, lot, operator
from cloud.sync.channels import get_row, put_row


@pytest.fixture
def edges(conn: Connection) -> Connection:
    conn.execute(insert(operator).values(operator_id=1, name="o", created_ms=0))
    conn.execute(insert(lot).values(lot_id=1, operator_id=1, name="l", time_zone="UTC", places=1, created_ms=0))
    for name in ("e1", "e2"):
        conn.execute(insert(edge).values(edge_id=name, operator_id=1, lot_id=1, name="", state="active", created_ms=0))
    return conn


def test_versions_count_up_per_edge_and_channel(edges: Connection) -> None:
    versions = [
        put_row(edges, 1, "e1", "coupons", "a", {"plate": "京A12345"}, 10),
        put_row(edges, 1, "e1", "coupons", "b", {}, 11),
        put_row(edges, 1, "e1", "keys", "a", {}, 12),
        put_row(edges, 1, "e2", "coupons", "a", {}, 13),
        put_row(edges, 1, "e1", "coupons", "a", None, 14),
    ]

    assert versions == [1, 2, 1, 1, 3]
    assert get_row(edges, "e1", "coupons", "a") is None
    assert get_row(edges, "e1", "coupons", "b") == {}


def test_writing_what_is_there_already_makes_no_version(edges: Connection) -> None:
    put_row(edges, 1, "e1", "rules", "a", {"n": 1}, 10)

    assert put_row(edges, 1, "e1", "rules", "a", {"n": 1}, 20) == 1


def test_a_channel_nobody_knows_is_a_bug(edges: Connection) -> None:
    with pytest.raises(ValueError, match="gossip"):
        put_row(edges, 1, "e1", "gossip", "a", {}, 10)
