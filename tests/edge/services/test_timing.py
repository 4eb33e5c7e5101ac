"""Stays whose entry time nobody vouched for: the lowest fee, mended by a later comparison, never charged twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.decision import PayFirst, Refuse
from domain.moment import Anchor, Moment, Quality
from edge.clock import Clock
from edge.db import boots, stays
from edge.services import paying
from edge.services.checking import replay
from edge.services.entering import enter
from edge.services.leaving import leave
from edge.services.lot import Done
from edge.services.manual import set_entry
from edge.services.timing import correct_entries, note_clocks
from edge.settings import Zone
from tests.edge.lots import MINUTE_MS, START, SmallLot, at, small_lot, verdict
from tests.edge.test_clock_histories import NIGHT

PLATE = "京A12345"


def night_lot(tmp_path: Path) -> SmallLot:
    """6 yuan an hour by day in halves, 1 yuan by night."""
    path = tmp_path / "night.toml"
    path.write_text(NIGHT, encoding="utf-8")
    return small_lot(tmp_path, zones=(Zone("main", (path,)),))


def anchored_at(minutes: int) -> Moment:
    """The cloud's time has come: it was 22:00 at the lot when the clocks here said 08:00."""
    moment = at(minutes)
    return replace(moment, wall_ms=moment.wall_ms + 14 * 60 * MINUTE_MS, quality=Quality.CLOUD, uncertainty_ms=20)


def cold(minutes: int) -> Moment:
    return replace(at(minutes), quality=Quality.RESTORED)


def corrections(lot: SmallLot) -> list[tuple[int, int]]:
    rows = lot.db.conn.execute("SELECT old_wall_ms, wall_ms FROM time_correction").fetchall()
    assert lot.types().count("time.corrected") == len(rows)
    return [(old, new) for old, new in rows]


def test_an_entry_nobody_vouches_for_costs_the_lowest_of_the_week_and_replays_to_the_byte(tmp_path: Path) -> None:
    lot = night_lot(tmp_path)
    enter(lot.db, lot.lot, lot.arrival("in", PLATE), cold(0))

    decided = leave(lot.db, lot.lot, lot.arrival("out", PLATE), cold(120))

    assert verdict(decided) == PayFirst(200)  # two hours of night; by the clock's word it would be 12 yuan
    assert "note:lowest_of_entries:0..10080" in str(decided.decision.explanation)
    assert replay(lot.db.conn, decided.decision_id).same


def test_a_later_comparison_mends_the_entry_and_the_fee_is_that_of_the_true_time(tmp_path: Path) -> None:
    lot = night_lot(tmp_path)
    enter(lot.db, lot.lot, lot.arrival("in", PLATE), cold(0))

    assert correct_entries(lot.db, anchored_at(10)) == 1
    assert correct_entries(lot.db, anchored_at(20)) == 0  # once is enough
    decided = leave(lot.db, lot.lot, lot.arrival("out", PLATE), anchored_at(14 * 60))

    assert corrections(lot) == [(START.wall_ms, START.wall_ms + 14 * 60 * MINUTE_MS)]
    assert verdict(decided) == PayFirst(10 * 100 + 4 * 600)  # 22:00 to 12:00
    assert replay(lot.db.conn, decided.decision_id).same


def test_a_fee_already_shown_at_the_exit_does_not_follow_a_correction(tmp_path: Path) -> None:
    lot = night_lot(tmp_path)
    stay_id = enter(lot.db, lot.lot, lot.arrival("in", PLATE), cold(0)).stay_id
    shown = leave(lot.db, lot.lot, lot.arrival("out", PLATE), cold(14 * 60))

    assert correct_entries(lot.db, anchored_at(14 * 60 + 1)) == 1

    row = stays.get(lot.db.conn, stay_id)
    assert row is not None
    assert row.entered.quality is Quality.RESTORED
    assert verdict(shown) == PayFirst(paying.due_of(lot.db.conn, lot.lot, stay_id, anchored_at(14 * 60 + 2)))
    assert len(corrections(lot)) == 1


def test_an_attendant_names_the_time_of_an_entry_no_clock_vouches_for(tmp_path: Path) -> None:
    lot = night_lot(tmp_path)
    stay_id = enter(lot.db, lot.lot, lot.arrival("in", PLATE), cold(0)).stay_id

    assert set_entry(lot.db, stay_id, START.wall_ms, "li", " ", cold(120)) == Refuse("reason_missing")
    assert set_entry(lot.db, stay_id, START.wall_ms, "li", "picture", cold(120)) == Done(stay_id)
    assert set_entry(lot.db, stay_id, START.wall_ms, "li", "picture", cold(120)) == Refuse("entry_time_known")
    decided = leave(lot.db, lot.lot, lot.arrival("out", PLATE), cold(120))

    assert verdict(decided) == PayFirst(4 * 300)
    assert replay(lot.db.conn, decided.decision_id).same
    assert correct_entries(lot.db, anchored_at(130)) == 0  # a person's word stands
    assert len(corrections(lot)) == 1


def test_after_a_power_cut_without_a_clock_only_the_time_it_ran_counts(tmp_path: Path) -> None:
    lot = night_lot(tmp_path)
    enter(lot.db, lot.lot, lot.arrival("in", PLATE), START)
    note_clocks(lot.db, at(60))
    after = Moment("boot-b", 61 * MINUTE_MS, 0, Quality.UNKNOWN)

    decided = leave(lot.db, lot.lot, lot.arrival("out", PLATE), after)

    assert verdict(decided) == PayFirst(5 * 300)  # 60 minutes before the cut and 61 after it, from 08:00
    assert "estimated" in replay(lot.db.conn, decided.decision_id).stored
    assert replay(lot.db.conn, decided.decision_id).same


@pytest.mark.parametrize(
    ("chips", "wall_ms", "quality", "believed_ms"),
    [
        (1, START.wall_ms + 9_000_000, Quality.RTC, START.wall_ms + 9_000_000),
        (1, START.wall_ms - 9_000_000, Quality.RESTORED, START.wall_ms + 40_000),  # its battery is flat
        (0, START.wall_ms + 9_000_000, Quality.RESTORED, START.wall_ms + 9_000_000),
        (0, 1_000, Quality.RESTORED, START.wall_ms + 40_000),
    ],
)
def test_a_cold_boot_starts_near_the_last_known_time(
    tmp_path: Path, chips: int, wall_ms: int, quality: Quality, believed_ms: int
) -> None:
    lot = night_lot(tmp_path)
    note_clocks(lot.db, START)
    (tmp_path / "rtc").mkdir()
    for number in range(chips):
        (tmp_path / "rtc" / f"rtc{number}").touch()
    clock = Clock("boot-b", lambda: 40_000, lambda: wall_ms, tmp_path / "no", tmp_path / "rtc")

    clock.restore(boots.last(lot.db.conn))

    assert (clock.now().quality, clock.now().wall_ms) == (quality, believed_ms)


def test_a_clock_set_by_hand_is_no_longer_vouched_for(tmp_path: Path) -> None:
    wall = [START.wall_ms]
    clock = Clock("b", lambda: 5_000, lambda: wall[0], tmp_path / "no", tmp_path / "no")
    assert clock.now().is_vouched

    wall[0] += 3_000
    assert clock.stepped() == 3_000

    assert not clock.now().is_vouched


def test_the_error_of_the_wall_clock_is_that_against_the_cloud(tmp_path: Path) -> None:
    clock = Clock("b", lambda: 5_000, lambda: START.wall_ms, tmp_path / "no", tmp_path / "no")
    assert clock.error_ms() == 0

    clock.keep([Anchor("b", 4_000, START.wall_ms + 7_000, 20)])

    assert clock.error_ms() == -8_000


def test_what_systemd_says_of_the_clock_is_noticed_within_a_second(tmp_path: Path) -> None:
    boot, ntp = [5_000], tmp_path / "synchronised"
    clock = Clock("b", lambda: boot[0], lambda: START.wall_ms, ntp, tmp_path / "no")
    assert clock.now().quality is Quality.RTC

    ntp.touch()
    boot[0] += 1_000

    assert clock.now().quality is Quality.NTP
