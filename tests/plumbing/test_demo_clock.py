"""The clock of demos and tests: it runs ahead, never back, and only where nobody else can reach."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cloud.settings import BrokerSettings, CloudSettings, ListenSettings
from edge.clock import clock_of
from edge.settings import Broker, EdgeSettings, Listener, Listeners, Zone
from plumbing.demo_clock import DemoClock

HOUR_MS = 3_600_000


def test_two_hours_pass_at_once_on_both_clocks(tmp_path: Path) -> None:
    demo = DemoClock(tmp_path / "clock")
    clock = clock_of(demo)
    before = clock.now()

    demo.advance(HOUR_MS)
    demo.advance(HOUR_MS)

    after = clock.now()
    assert 2 * HOUR_MS <= after.boot_ms - before.boot_ms < 2 * HOUR_MS + 5_000
    assert 2 * HOUR_MS <= after.wall_ms - before.wall_ms < 2 * HOUR_MS + 5_000
    assert clock.stepped() == 0


def test_it_never_goes_back(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="only goes forward"):
        DemoClock(tmp_path / "clock").advance(-1)


def test_a_damaged_file_is_not_taken_for_a_time(tmp_path: Path) -> None:
    (tmp_path / "clock").write_text("soon")

    with pytest.raises(ValueError, match="soon"):
        DemoClock(tmp_path / "clock").ahead_ms()


def test_an_edge_that_others_can_reach_refuses_it(tmp_path: Path) -> None:
    zone = Zone("yard", (tmp_path / "tariff.toml",))
    lot = EdgeSettings(1, "Example lot", (zone,), (), demo_clock=tmp_path / "clock", broker=Broker())

    with pytest.raises(ValueError, match=r"192\.168\.50\.1"):
        replace(lot, listeners=Listeners(device=Listener("192.168.50.1", 8621)))
    with pytest.raises(ValueError, match=r"broker\.example"):
        replace(lot, broker=Broker("broker.example"))


def test_a_cloud_that_others_can_reach_refuses_it(tmp_path: Path) -> None:
    cloud = CloudSettings(demo_clock=tmp_path / "clock")

    with pytest.raises(ValueError, match=r"0\.0\.0\.0"):
        replace(cloud, listen=ListenSettings("0.0.0.0"))  # noqa: S104
    with pytest.raises(ValueError, match=r"broker\.example"):
        replace(cloud, broker=BrokerSettings("broker.example"))
