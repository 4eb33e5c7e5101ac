"""How old a list is: since the cloud last confirmed it, by the boot clock where it can be, else by the wall clock."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.sync.channel import CHANNELS
from edge.db import equal_lists
from edge.db.database import transaction
from edge.services import list_ages
from edge.services.list_ages import IMPORTANT
from tests.edge.lots import START, SmallLot, at, small_lot


@pytest.fixture
def lot(tmp_path: Path) -> SmallLot:
    return small_lot(tmp_path)


def confirm(lot: SmallLot, minute: int, *channels: str) -> None:
    with transaction(lot.db) as conn:
        equal_lists.confirm(conn, channels, at(minute))


def test_the_oldest_list_that_decides_is_the_age_of_the_rules(lot: SmallLot) -> None:
    assert list_ages.oldest_min(lot.db.conn, at(0)) is None
    confirm(lot, 0, *IMPORTANT)
    confirm(lot, 60, *(one for one in IMPORTANT if one != "coupons"))

    assert list_ages.oldest_min(lot.db.conn, at(61)) == 61, "nobody confirmed the coupons since"
    confirm(lot, 61, "coupons")
    assert list_ages.oldest_min(lot.db.conn, at(62)) == 2


def test_every_list_is_told_and_those_that_decide_come_first(lot: SmallLot) -> None:
    lot.put("people", "p1", {"name": "li"})
    confirm(lot, 0, "people")

    ages = list_ages.of_all(lot.db.conn, at(3))

    assert sorted(one.held.channel for one in ages) == sorted(CHANNELS)
    assert [one.is_important for one in ages] == sorted((one.is_important for one in ages), reverse=True)
    assert {one.held.channel: (one.minutes, one.held.rows) for one in ages if one.minutes is not None} == {
        "people": (3, 1)
    }


def test_a_wall_clock_put_forward_makes_no_list_old_and_a_restart_makes_none_young(lot: SmallLot) -> None:
    confirm(lot, 0, *IMPORTANT)

    jumped = replace(at(2), wall_ms=START.wall_ms + 86_400_000)
    restarted = replace(at(90), boot="boot-b", boot_ms=5)

    assert list_ages.oldest_min(lot.db.conn, jumped) == 2
    assert list_ages.oldest_min(lot.db.conn, restarted) == 90
