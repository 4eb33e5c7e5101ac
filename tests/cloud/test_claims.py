"""A claim makes one device an edge: within a day, once, and with nothing to learn from trying (sync §9)."""

from __future__ import annotations

import pytest

from cloud.act import Refused
from cloud.lots import edges as lot_edges
from cloud.lots import service as lots
from domain.claim import Claim
from tests.cloud.world import LANES, NOW, World

DEVICE, OTHER = bytes(32), bytes([7]) * 32
HOUR_MS = 3_600_000
REFUSED = Refused("claim_refused")


@pytest.fixture
def offered(world: World) -> Claim:
    lot_id = lots.create_lot(world.conn, world.act(), "south", "Asia/Shanghai", 10, LANES)
    assert isinstance(lot_id, int)
    made = lot_edges.create_edge(world.conn, world.act(), lot_id, "south", "http://cloud.example", b"key")
    assert isinstance(made, Claim)
    return made


def test_a_claim_is_good_once(world: World, offered: Claim) -> None:
    first = lot_edges.claim(world.conn, offered.edge_id, offered.secret, DEVICE, NOW)
    second = lot_edges.claim(world.conn, offered.edge_id, offered.secret, OTHER, NOW)

    assert isinstance(first, lot_edges.Claimed)
    assert second == REFUSED


@pytest.mark.parametrize(("hours", "good"), [(24, True), (25, False)])
def test_a_claim_ends_after_a_day(world: World, offered: Claim, hours: int, good: bool) -> None:
    made = lot_edges.claim(world.conn, offered.edge_id, offered.secret, DEVICE, NOW + hours * HOUR_MS)

    assert isinstance(made, lot_edges.Claimed) if good else made == REFUSED


def test_wrong_secrets_edges_and_renewed_claims_are_refused_alike(world: World, offered: Claim) -> None:
    renewed = lot_edges.renew_claim(world.conn, world.act(), offered.edge_id, "http://cloud.example", b"key")
    assert isinstance(renewed, Claim)

    tried = [
        lot_edges.claim(world.conn, edge_id, secret, DEVICE, NOW)
        for edge_id, secret in ((offered.edge_id, offered.secret), (offered.edge_id, ""), ("nobody", renewed.secret))
    ]

    assert tried == [REFUSED] * 3
